"""The tables of grammar/SPEC.md, section 8, hold in floec and in a real OPA."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from policy_lang.engine import compile_program
from policy_lang.policies import load_policies
from policy_lang.runtime.values import to_json
from policy_lang.source import Source

SPEC = Path(__file__).parents[2] / "grammar" / "SPEC.md"
OPA = Path.home() / ".cache/floec/tools/opa"
OPERANDS = {"undefined": "input.missing", "false": "input.no", "error": "json.unmarshal(input.word)"}
INPUT = {"no": False, "word": "no JSON"}
_CELL = re.compile(r"(?<!\\)\|")
_CODE = re.compile(r"`([^`]+)`")
_NONE = "—"


@dataclass(frozen=True)
class Row:
    package: str
    rules: tuple[str, ...]
    imports: str
    wanted: str

    def text(self) -> str:
        return f"package spec.{self.package}\n\n{self.imports}\n\n" + "\n\n".join(self.rules) + "\n"


def table(first: str) -> list[list[str]]:
    """The rows of the table whose first heading is ``first``, as cells."""
    lines = SPEC.read_text(encoding="utf-8").split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("\\|", "|") for cell in _CELL.split(line)[1:-1]])
    return rows


def rows() -> list[Row]:
    found = []
    for number, (_, meaning, code, *wanted) in enumerate(table("position")):
        for version in ("v1", "v2") if meaning == "any" else (meaning,):
            for (kind, operand), want in zip(OPERANDS.items(), wanted, strict=True):
                rules = tuple(re.sub(r"\bx\b", operand, rule) for rule in _CODE.findall(code))
                imports = f"import rego.{version}"
                found.append(Row(f"r{number}_{version}_{kind}", rules, imports, want))
    return found


def shown(package: Any) -> str:
    return json.dumps(package["p"]) if "p" in package else _NONE


def differing(answers: dict[str, Any]) -> list[str]:
    """The rows whose answer is not the one that the table says."""
    return [
        f"{row.rules} {row.imports}: {shown(answers.get(row.package, {}))}, not {row.wanted}"
        for row in rows()
        if shown(answers.get(row.package, {})) != row.wanted
    ]


def test_the_table_holds_in_floec() -> None:
    program = compile_program([Source(f"{row.package}.rego", row.text()) for row in rows()])
    assert program.value is not None, program.diagnostics
    answer = program.value.eval_path(("spec",), input=INPUT)
    assert len(rows()) > 200
    assert differing(json.loads(to_json(answer.value))) == []


@pytest.mark.opa
@pytest.mark.skipif(not OPA.exists(), reason="no OPA binary: scripts/external_tools.sh opa builds it")
def test_the_table_holds_in_opa(tmp_path: Path) -> None:
    for row in rows():
        (tmp_path / f"{row.package}.rego").write_text(row.text(), encoding="utf-8")
    argv = [OPA, "eval", "--data", tmp_path, "--stdin-input", "--format", "values", "data.spec"]
    ran = subprocess.run(argv, input=json.dumps(INPUT), capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert differing(json.loads(ran.stdout)[0]) == []


def clauses() -> list[tuple[str, str, str]]:
    """Each clause with its operand's kind and what the table says."""
    return [
        (" ".join(_CODE.findall(code)), kind, want)
        for code, *wanted in table("clause")
        for kind, want in zip(OPERANDS, wanted, strict=True)
    ]


@pytest.mark.parametrize(("clause", "kind", "want"), clauses())
def test_the_table_of_clauses_holds(clause: str, kind: str, want: str) -> None:
    filled = re.sub(r"\bx\b", OPERANDS[kind], clause)
    lines = re.sub(r" (?=require|forbid)", "\n\t", filled)
    if "require" not in clause and "forbid" not in clause:
        lines += "\n\trequire false"
    text = f'package a\n\npolicy p {{\n\tid A001\n\ttitle "t"\n\tseverity block\n\n\t{lines}\n\n\tmessage "m"\n}}\n'
    loaded = load_policies([Source("a.floe", text)])
    assert loaded.value is not None, loaded.diagnostics
    outcome = loaded.value.run(INPUT)
    if outcome.value is None:
        assert outcome.diagnostics[0].code == "eval_builtin_error"
        assert want == "the run fails"
        return
    ((_, subjects),) = outcome.value.subjects
    said = "violation" if outcome.value.violations else "no violation" if subjects else "no subject"
    assert said == want
