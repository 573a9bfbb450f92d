"""``floec fmt`` gives what ``opa fmt`` gives, on the sources of OPA's own cases and on our golden files."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import FOLDER, cases

from policy_lang.source import Source
from policy_lang.syntax.formatter import format_source

OPA = Path.home() / ".cache/floec/tools/opa"
GOLDEN = Path(__file__).parents[1] / "golden" / "formatter"
pytestmark = [
    pytest.mark.opa,
    pytest.mark.conformance,
    pytest.mark.skipif(not OPA.exists(), reason="no OPA binary: scripts/external_tools.sh opa builds it"),
    pytest.mark.skipif(not FOLDER.is_dir(), reason="no conformance cases"),
]
SAMPLE = 10
"""The default run takes each tenth source."""


def sources() -> Iterator[str]:
    for _, case in cases():
        yield from case.get("modules") or ()


def disagreements(texts: list[str], folder: Path) -> list[str]:
    """The texts on which the two differ; those that the parser refuses count too."""
    for number, text in enumerate(texts):
        (folder / f"{number}.rego").write_bytes(text.encode())
    subprocess.run([OPA, "fmt", "--write", folder], check=True, capture_output=True, timeout=300)
    found = []
    for number, text in enumerate(texts):
        wanted = (folder / f"{number}.rego").read_bytes().decode()
        if format_source(Source(f"{number}.rego", text)).value != wanted:
            found.append(text)
    return found


def _excused(text: str) -> bool:
    """OPA joins lines where a variable has one of its compiler's names, which nobody writes."""
    return "__local" in text


def test_a_sample_of_the_cases(tmp_path: Path) -> None:
    texts = list(sources())[::SAMPLE]
    found = [t for t in disagreements(texts, tmp_path) if not _excused(t)]
    assert len(texts) > 200
    assert len(found) <= len(texts) // 200, found


@pytest.mark.slow
def test_all_of_the_cases(tmp_path: Path) -> None:
    texts = list(sources())
    found = [t for t in disagreements(texts, tmp_path) if not _excused(t)]
    assert len(found) <= len(texts) // 500, found


def test_the_golden_files(tmp_path: Path) -> None:
    texts = [p.read_text(encoding="utf-8") for p in sorted(GOLDEN.glob("*.in.rego"))]
    assert texts
    assert disagreements(texts, tmp_path) == []
