"""`floec dump`."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.cli.main import run

TEXT = """package t

cfg := input.config

deny contains m.name if {
	some m in input.models
	m.layer in cfg.layers
}

deny contains "big" if {
	some m in input.models
	count(m.columns) > 9
}
"""

PLAN = """complete data.t.cfg
  rule {file}:3
    let t1 = input of C
    let t2 = t1['config']
    emit t2
"""

POLICY = """package t
policy named {
	id T1
	title "x"
	severity warn
	for m in input.models
	require m.name
	message "no name"
}
"""


@pytest.fixture
def policy(tmp_path: Path) -> str:
    file = tmp_path / "p.rego"
    file.write_text(TEXT)
    return str(file)


def out(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["dump", *arguments]) == 0
    return capsys.readouterr().out


def test_the_plan(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = out(capsys, "--stage", "plan", policy)
    assert shown.startswith(PLAN.format(file=policy))
    assert f"  rule {policy}:10\n" in shown


def test_the_optimised_plan_walks_the_models_once(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert out(capsys, "--stage", "optimised", policy).count("for m_") == 1
    assert out(capsys, "--stage", "optimised", "--without", "fuse", policy).count("for m_") == 2


def test_the_generated_code(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = out(capsys, policy)
    compile(shown, "dumped", "exec")
    assert "def whole_r1(C):" in shown
    assert "members(" in shown
    assert "members(" not in out(capsys, "--without", "hoist", policy)


def test_policies_are_shown_as_they_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "p.floe"
    file.write_text(POLICY)
    assert "together data.<together>" in out(capsys, "--stage", "optimised", str(file))
    assert "s1 += 1" in out(capsys, str(file))


@pytest.mark.parametrize("stage", ["ast", "resolved"])
def test_trees(stage: str, policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "SomeIn(" in out(capsys, "--stage", stage, policy)


def test_a_schema_types_policies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, schema = tmp_path / "p.floe", tmp_path / "s.json"
    file.write_text(POLICY)
    schema.write_text(
        '{"type": "object", "required": ["models"], "properties": {"models": {"type": "array", "items": '
        '{"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}}}}'
    )
    assert "['name']" in out(capsys, "-s", str(schema), str(file))
    assert "['name']" not in out(capsys, str(file))


def test_what_is_wrong_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dump", str(tmp_path / "missing.rego")]) in (1, 3)
    bad = tmp_path / "bad.rego"
    bad.write_text("package t\np := x\n")
    capsys.readouterr()
    assert run(["dump", str(bad)]) == 1
    shown = capsys.readouterr()
    assert "rego_unsafe_var_error" in shown.out + shown.err
    assert run(["dump", "--without", "nothing", str(bad)]) == 2
    assert "there is no pass nothing" in capsys.readouterr().err


def test_slices_are_shown_with_the_reason_where_a_policy_has_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "p.floe"
    parts = [
        f'policy p{i} {{\n\tid T00{i}\n\ttitle "t"\n\tseverity warn\n\tfor m in input.models\n\trequire {require}\n'
        '\tmessage "m"\n}\n'
        for i, require in enumerate(('m.name != "x"', "count(input.models) < 9"))
    ]
    file.write_text("package t\n" + "".join(parts))
    shown = out(capsys, "--stage", "slices", "-s", "ir", str(file))
    assert shown.splitlines() == [
        "T000 sliced over input.models",
        f"T001 refused: it reads `input.models.*` beyond its subject ({file}:10)",
    ]
