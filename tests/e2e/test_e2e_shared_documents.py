"""Documents that others wrote: each is accepted, or refused for a reason at a line; never a traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from compiler.cli.main import run

_GIVEN = os.environ.get("FLOEC_INPUTS")
INPUTS = Path(_GIVEN) if _GIVEN else Path(__file__).resolve().parents[3] / "shared" / "inputs"
DOCUMENTS = sorted(INPUTS.glob("documents/*.yaml"))

pytestmark = pytest.mark.skipif(not DOCUMENTS, reason="no documents: set FLOEC_INPUTS to a folder with documents/")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all, so that the policies are compiled once."""
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_a_document_is_accepted_or_refused_at_a_line(
    document: Path, cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    code = run(["check", str(document), "--format", "json"])
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    blocked = [finding for finding in found if finding["severity"] == "block"]
    assert code == (1 if blocked else 0)
    for finding in blocked:
        assert finding["message"]
        assert finding["span"]["line"] >= 1
