"""After any edit of anything that a check looks at, the answer is that of one that keeps nothing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.cli import check_command
from compiler.cli.main import run
from tests.property.edited_products import EditedProduct

FORMS = ((), ("--format", "json"), ("-v",), ("--jobs", "2"))


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        patch.delenv("FLOEC_CACHE_DIR", raising=False)
        yield folder


class Clock(datetime):
    """Another day than today."""

    days = 0

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Clock:
        return cls.fromtimestamp((datetime.now(tz) + timedelta(days=cls.days)).timestamp(), tz)


def checked(product: Path, *options: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(["check", str(product), *options])
    return code, out.getvalue(), err.getvalue()


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 2), min_size=2, max_size=6), st.sampled_from(FORMS))
def test_checks_after_edits(cache: Path, seed: int, steps: list[int], form: tuple[str, ...]) -> None:
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(check_command, "datetime", Clock)
        product = EditedProduct(Path(name), cache, seed)
        checked(product.root, *form)
        for edits in steps:
            for _ in range(edits):
                product.edit()
            Clock.days = product.day
            assert checked(product.root, *form) == checked(product.root, *form, "--no-cache"), product.log
