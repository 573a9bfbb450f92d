"""Two thousand generated programs give the same answer, or an error of the same code, in floec and in a real OPA.

What once differed is kept, reduced, in ``found/`` and asked again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from agreement import ours, same
from opa_server import BINARY, MISSING, Opa, running
from random_programs import DATA, Program, generate

PROGRAMS = 2000
FOUND = sorted(Path(__file__).with_name("found").glob("*.rego"))
KNOWN = {
    "the type of an empty set's members is taken too narrowly": (1588,),
    "OPA makes an object of a document below which a `with` puts something": (911,),
    "whether a conflict is met depends on which literal is evaluated first": (249, 927),
    "OPA 1.22.2 lets a rule hold whose body is `not true`, where its head reads the input": (1889, 1898),
}
"""Seeds of programs on which the two differ, by the reason."""

pytestmark = [pytest.mark.opa, pytest.mark.slow, pytest.mark.skipif(not BINARY.is_file(), reason=MISSING)]


@pytest.fixture(scope="module")
def opa() -> Iterator[Opa]:
    with running(DATA) as server:
        yield server


def difference(opa: Opa, program: Program) -> str:
    """What the two say where they do not agree."""
    text = program.text.replace("PACKAGE", "t")
    theirs, mine = opa.ask("t", text, program.input, strict=program.strict), ours("t", program)
    if same(theirs, mine):
        return ""
    if program.strict and not any(code.startswith("rego_") for code in theirs.errors | mine.errors):
        # Which builtin fails first depends on the order of evaluation, which is free: their answers must agree.
        return difference(opa, replace(program, strict=False))
    return f"OPA: {theirs.text or theirs.value}\nfloec: {mine.text or mine.value}\n{text}"


@pytest.mark.parametrize("start", range(0, PROGRAMS, 250))
def test_generated_programs_agree(opa: Opa, start: int) -> None:
    differ = {}
    for seed in range(start, start + 250):
        if said := difference(opa, generate(seed)):
            differ[seed] = said
    known = {seed for seeds in KNOWN.values() for seed in seeds if start <= seed < start + 250}
    assert not differ.keys() - known, "\n\n".join(f"{seed}: {differ[seed]}" for seed in sorted(differ.keys() - known))
    assert not known - differ.keys(), "these agree now: take them out of KNOWN"


def test_most_programs_mean_something(opa: Opa) -> None:
    answers = [ours("t", generate(seed)) for seed in range(200)]
    assert sum(not answer.errors for answer in answers) > 80
    assert sum(bool(answer.errors) for answer in answers) > 20


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_once_differed_agrees(opa: Opa, path: Path) -> None:
    first, _, _ = (text := path.read_text(encoding="utf-8")).partition("\n")
    given = json.loads(first.removeprefix("# input: ")) if first.startswith("# input: ") else {}
    assert difference(opa, Program(0, text.replace("package t\n", "package PACKAGE\n"), given, strict=False)) == ""
