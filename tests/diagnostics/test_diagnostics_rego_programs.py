"""Each wrong program is refused with its code at its line, with a message, and each right one is taken."""

from __future__ import annotations

import pytest
from bad_programs import BadProgram, programs

from policy_lang.engine import CompileOptions, compile_program
from policy_lang.source import Source


@pytest.mark.parametrize("program", programs(), ids=lambda program: program.name)
def test_the_code_and_line_are_those_written_down(program: BadProgram) -> None:
    made = compile_program([Source("p.rego", program.text)], CompileOptions(strict=program.strict))
    found = {f"{one.code}:{one.span.line if one.span else 0}" for one in made.diagnostics}
    assert found == program.wanted, [one.message for one in made.diagnostics]
    assert all(one.message for one in made.diagnostics)
    assert (made.value is None) == bool(program.wanted)
