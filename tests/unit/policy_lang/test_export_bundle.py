"""Exported bundles: what they hold, what is refused, and that a stock OPA finds the same violations."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from compiler.cli.main import run
from policy_lang.diagnostics import Severity
from policy_lang.export import export
from policy_lang.policies import load_policies
from policy_lang.runtime.values import from_json, to_json
from policy_lang.source import Source
from policy_lang.syntax.parser import parse_module
from policy_lang.syntax.write_rego import write_module

OPA = Path.home() / ".cache/floec/tools/opa"
POLICIES = """package a.b

param allowed: set[string] := {"x", "y"} stricter when smaller
param least: number := -1

policy all {
	id       A001
	title    "a \\"title\\""
	severity warn
	why      "because"
	docs     "https://example.org/a"
	tags     ["one", "two"]

	for table in input.tables[_].parts
	when table.on or table.also
	let kind := table.kind
	require {
		kind in params.allowed
		not startswith(table.missing, "x")
		not {
			some n in table.numbers
			n < params.least
		}
	}

	message $"{table.name}: {params.allowed} \\{ {table.none}"
	hint    table.hint
	fix     set table.meta.kind table.better
	at      table[table.field]
}

policy some_part {
	id       A002
	title    "t"
	severity block

	forbid {
		some part in input.tables[_].parts
		every n in part.numbers { n > 1 }
	}

	message part.numbers
	at      part.name
}
"""
INPUT = {
    "tables": [
        {"parts": [{"on": True, "kind": "z", "name": "p", "numbers": [2, 3], "field": "kind", "better": ["x"]}]},
        {"parts": [{"on": False, "also": 1, "numbers": [0], "hint": "h"}, {"numbers": [-2], "kind": "x", "on": 1}]},
        {"parts": [{"on": 1, "kind": "x", "numbers": [], "missing": "y"}, {"on": 1, "kind": "y", "missing": "x"}]},
    ]
}


@pytest.mark.parametrize(
    "text",
    [
        "package a\n\nx := -1 - (-2)\n\ny if not ({1, 2} == {2})\n\nz contains 1 if 1, 2 in {1: 2}\n",
        'package a.b["c d"].if\n\nimport data.not.x as y\n\np[q]["r s"].t := [({1} | {2}) | true] if some q in ["{"]\n',
        'package a\n\nf(x, [1, y]) := $"\\{{x}" if {\n\t[x] = y with input.a as {"b": 1}\n} else := 2 if not x\n',
    ],
)
def test_what_is_written_reads_back_as_the_same(text: str) -> None:
    module = parse_module(Source("a.rego", text)).value
    assert module is not None
    again = parse_module(Source("a.rego", write_module(module)))
    assert again.value is not None, again.diagnostics
    assert (again.value.package, again.value.imports, again.value.rules) == (
        module.package,
        module.imports,
        module.rules,
    )


def test_a_bundle_holds_policies_params_and_the_collected_violations() -> None:
    rego = "package lists\n\n# kept as it is\nxs := [ 1 ]\n"
    sources = {"p/a.floe": Source("a.floe", POLICIES), "lists.rego": Source("lists.rego", rego)}
    made = export(sources, {"a.b": {"least": 3}}, {"A001": Severity.BLOCK})
    assert made.value is not None, made.diagnostics
    files = {file.path: file.text for file in made.value}
    assert list(files) == [".manifest", "data.json", "floec/main.rego", "lists.rego", "p/a.rego"]
    assert files["lists.rego"] == rego
    assert json.loads(files["data.json"]) == {"floec": {"params": {"a.b": {"least": 3}}}}
    assert "violation contains found if some found in data.a.b.violation" in files["floec/main.rego"]
    assert '"id": "A001", "name": "all", "severity": "block"' in files["p/a.rego"]


@pytest.mark.parametrize(
    ("params", "severities", "code", "hint"),
    [
        ({"a.b": {"least": "3"}}, {}, "floe_param_type_error", ""),
        ({"a.b": {"leasts": 3}}, {}, "floe_param_error", "did you mean `least`?"),
        ({"a.c": {"least": 3}}, {}, "floe_param_error", "did you mean `a.b`?"),
        ({}, {"A003": Severity.WARN}, "floe_severity_error", "did you mean"),
    ],
)
def test_settings_that_fit_nothing_are_refused(params: Any, severities: Any, code: str, hint: str) -> None:
    made = export({"a.floe": Source("a.floe", POLICIES)}, params, severities)
    assert made.value is None
    assert [(found.code, hint in found.hint) for found in made.diagnostics] == [(code, True)]


@pytest.mark.opa
@pytest.mark.skipif(not OPA.is_file(), reason="no OPA binary: scripts/external_tools.sh opa builds it")
@pytest.mark.parametrize("params", [{}, {"a.b": {"allowed": ["z"], "least": 3}}])
def test_opa_finds_the_same_violations(params: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a.floe").write_text(POLICIES)
    (tmp_path / "input.json").write_text(json.dumps(INPUT))
    (tmp_path / "params.json").write_text(json.dumps(params))
    out = tmp_path / "out"
    assert run(["export", str(tmp_path / "a.floe"), "-o", str(out), "--params", str(tmp_path / "params.json")]) == 0
    subprocess.run([OPA, "check", "--strict", "--bundle", out], check=True, timeout=60)
    argv = [OPA, "eval", "--bundle", out, "--input", tmp_path / "input.json", "--strict-builtin-errors", "data.a.b"]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
    theirs = json.loads(done.stdout)["result"][0]["expressions"][0]["value"]
    loaded = load_policies([Source("a.floe", POLICIES)]).value
    assert loaded is not None
    ours = loaded.run(from_json(json.dumps(INPUT)), params).value
    assert ours is not None
    assert len(ours.violations) >= 3
    assert sorted((v["message"], v["hint"], to_json(v["at"])) for v in theirs["violation"]) == sorted(
        (v.message, v.hint, to_json(list(v.at))) for v in ours.violations
    )
    assert dict(ours.subjects) == {f"a.b.{name}": len(keys) for name, keys in theirs["subjects"].items()}


def test_a_folder_that_is_no_bundle_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.floe").write_text(POLICIES)
    out = tmp_path / "out"
    assert run(["export", str(tmp_path / "a.floe"), "-o", str(out)]) == 0
    assert run(["export", str(tmp_path / "a.floe"), "-o", str(out)]) == 0
    (out / ".manifest").unlink()
    assert run(["export", str(tmp_path / "a.floe"), "-o", str(out)]) == 1
    assert "error[FLC601]" in capsys.readouterr().err
    assert run(["export", str(tmp_path / "none"), "-o", str(out)]) == 1
    assert run(["export", str(tmp_path / "a.floe")]) == 2
    assert not list(tmp_path.glob(".writing*"))
