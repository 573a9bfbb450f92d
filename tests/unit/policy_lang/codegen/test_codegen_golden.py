"""The Python that is generated, held to files: a change of it is seen in review. Run this file to write them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.ir.schema import ir_schema
from policy_lang.engine import CompileOptions
from policy_lang.policies import load_policies
from policy_lang.source import Source

GOLDEN = Path(__file__).resolve().parents[3] / "golden" / "generated"
FILES = sorted(path for path in GOLDEN.iterdir() if path.suffix in (".rego", ".floe"))


def generated(path: Path) -> str:
    """The code of a Rego file's documents, or what policies run together by: typed by the IR's schema."""
    source = Source(path.name, path.read_text(encoding="utf-8"))
    made = load_policies([source], CompileOptions(ir_schema(), completed=True) if path.suffix == ".floe" else None)
    assert made.value is not None, made.diagnostics
    program = made.value.program
    if path.suffix == ".rego":
        return program.source + "\n"
    joint = program.joint([("typed", "violation")], [("typed", "subjects", "prefixed")], typed=True)
    return joint.module.source + "\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_generated_code_is_the_golden_one(path: Path) -> None:
    assert generated(path) == path.with_suffix(".py.txt").read_text(encoding="utf-8")


def test_the_same_sources_give_the_same_code() -> None:
    assert [generated(path) for path in FILES] == [generated(path) for path in FILES]


if __name__ == "__main__":
    for file in FILES:
        file.with_suffix(".py.txt").write_text(generated(file), encoding="utf-8")
