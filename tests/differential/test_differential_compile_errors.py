"""The same programs under a real ``opa check``: what it refuses we refuse, with the same codes at the same lines."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "diagnostics"))

from bad_programs import BadProgram, programs
from opa_server import BINARY, MISSING

DIFFERENT = {
    "type output of array": "OPA calls the variables of a pattern that never fits unsafe; we say that it never fits",
    "recursion every": "OPA also names an unused variable, which we report first",
    "conflict defaults": "OPA points to the package's line, we to the second default",
    "http send": "we refuse what looks beyond the input",
}


def opa_check(program: BadProgram, folder: Path) -> set[str]:
    file = folder / "p.rego"
    file.write_text(program.text, encoding="utf-8")
    flags = ["--strict"] if program.strict else []
    done = subprocess.run(
        [BINARY, "check", "--format", "json", *flags, file], capture_output=True, text=True, check=False, timeout=30
    )
    if done.returncode == 0:
        return set()
    errors = json.loads(done.stdout or done.stderr)["errors"]
    return {f"{one['code']}:{one['location']['row']}" for one in errors}


@pytest.mark.opa
@pytest.mark.skipif(not BINARY.exists(), reason=MISSING)
def test_opa_refuses_the_same_programs_for_the_same_reasons(tmp_path: Path) -> None:
    wrong = {}
    for program in programs():
        wanted = opa_check(program, tmp_path)
        parse = any(one.startswith("rego_parse_error") for one in wanted)
        # A parse error is one finding of ours where OPA may tell several, some at the end of the text.
        ours = {one.partition(":")[0] for one in program.wanted} if parse else program.wanted
        theirs = {one.partition(":")[0] for one in wanted} if parse else wanted
        if ours != theirs:
            wrong[program.name] = (sorted(ours), sorted(theirs))
    assert {name: pair for name, pair in wrong.items() if name not in DIFFERENT} == {}
    assert set(wrong) == set(DIFFERENT), "these agree now: take them off the list"
