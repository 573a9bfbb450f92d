"""``floec eval`` beside the real ``opa eval``, and what it says beyond it."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from compiler.cli.main import run

OPA = Path.home() / ".cache/floec/tools/opa"
real_opa = pytest.mark.skipif(not OPA.is_file(), reason="no OPA binary: scripts/external_tools.sh opa builds it")
QUERIES = (
    "x := [1,2][_]; y := x+1",
    "1 + 1",
    "data.none",
    'x := {"a": {1, 2}}',
    '"a"',
    '[true, "b"]',
    "1 == 2",
    "false; true",
    'true; 1 > 0; "é"',
    "[1,2][i]",
    "some x in [1]; x",
    "every x in [1] { x > 0 }",
    "walk([1], [p, v])",
    "true with input as 1",
    "x := data.t.p; data.t.f(x)",
    "data",
    "input.name",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "p.rego").write_text('package t\n\np := "from policy"\n\nf(x) := [x, 1.50]\n')
    (tmp_path / "a" / "b" / "d.json").write_text('{"limit": 3}')
    (tmp_path / "a" / "e.yaml").write_text("more: [1, two]\n")
    (tmp_path / "i.json").write_text('{"name": "orders"}')
    return tmp_path


@pytest.mark.opa
@real_opa
@pytest.mark.parametrize("form", ["json", "values", "bindings", "pretty", "raw", "discard"])
@pytest.mark.parametrize("query", QUERIES)
def test_the_output_is_that_of_opa(query: str, form: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["eval", query, "-d", str(folder / "a"), "-i", str(folder / "i.json"), "-f", form]
    theirs = subprocess.run([OPA, *arguments], capture_output=True, text=True, check=True, timeout=60).stdout
    assert run(arguments) == 0
    ours = capsys.readouterr().out
    if form == "json":
        assert json.loads(ours) == json.loads(theirs)
        return
    assert ours.strip() == theirs.strip().replace("\\u003e", ">")


def test_data_stands_where_opa_puts_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "m1.json").write_text('{"m": {"a": 1}}')
    (folder / "m2.json").write_text('{"m": {"b": 2}}')
    paths = [str(folder / "a"), f"ns.k:{folder}/i.json", str(folder / "m1.json"), str(folder / "m2.json")]
    assert run(["eval", "data", "-f", "raw", *(part for path in paths for part in ("-d", path))]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "b": {"limit": 3},
        "more": [1, "two"],
        "ns": {"k": {"name": "orders"}},
        "m": {"a": 1, "b": 2},
        "t": {"p": "from policy"},
    }
    (folder / "m3.json").write_text('{"m": {"a": 2}}')
    assert run(["eval", "1", "-d", str(folder / "m1.json"), "-d", str(folder / "m3.json")]) == 1
    said = capsys.readouterr().err
    assert "both set data.m.a" in said
    assert "m1.json" in said
    assert run(["eval", "1", "-d", f"ns:{folder}/none.json"]) == 1


def test_bundles_are_folders_and_archives(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a" / "b" / "data.json").write_text('{"limit": 4}')
    archive = folder / "bundle.tar.gz"
    with tarfile.open(archive, "w:gz") as made:
        for name, text in (("/x/data.yaml", "k: 1\n"), ("p.rego", "package p\nq := data.x.k + 1\n"), ("z.json", "{")):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            made.addfile(info, io.BytesIO(text.encode()))
    assert run(["eval", "[data.b, data.p.q]", "-f", "raw", "-b", str(folder / "a"), "-b", str(archive)]) == 0
    assert json.loads(capsys.readouterr().out) == [{"limit": 4}, 2]
    (folder / "broken.tar.gz").write_bytes(b"no archive")
    assert run(["eval", "1", "-b", str(folder / "broken.tar.gz")]) == 1
    assert "cannot read the bundle" in capsys.readouterr().err


POLICY = """package p

allow if {
	some user in input.users
	user.role == "admin"
	to_number(user.level) > 3
}

named contains user.nme if {
	some user in input.users
}

deny if {
	not allow
	every user in input.users { user.role != "x" }
}
"""
USERS = {"users": [{"role": "admin", "level": "2", "name": "a"}, {"role": "x", "level": "9", "name": "b"}]}


@pytest.fixture
def policy(tmp_path: Path) -> list[str]:
    (tmp_path / "p.rego").write_text(POLICY)
    (tmp_path / "i.json").write_text(json.dumps(USERS))
    return ["-d", str(tmp_path / "p.rego"), "-i", str(tmp_path / "i.json"), "-f", "pretty"]


def test_explain_says_which_literal_failed_and_why(policy: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", "data.p", *policy, "--explain"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"named": []}
    lines = [line.strip() for line in shown.err.splitlines()]
    assert "4: some user in input.users: held" in lines
    assert '5: user.role == "admin": held 1 of 2' in lines
    assert "6: to_number(user.level) > 3: failed" in lines
    assert 'where user.level = "2", to_number(user.level) = 2' in lines
    assert '15: every user in input.users { user.role != "x" }: failed' in lines
    assert any("user = " in line and '"role":"x"' in line for line in lines)


def test_explain_of_a_query_that_is_undefined(policy: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", "input.usrs[0].name", *policy, "--explain"]) == 0
    said = capsys.readouterr().err
    assert "input.usrs[0].name = undefined (input has no `usrs`: did you mean `users`?)" in said


def test_errors_of_builtins_are_shown_where_asked(policy: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    query = "to_number(input.users[0].role)"
    assert run(["eval", query, *policy]) == 0
    assert capsys.readouterr().err == ""
    assert run(["eval", query, *policy, "--show-builtin-errors"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "undefined\n"
    assert "warning[eval_builtin_error]" in shown.err
    assert run(["eval", query, *policy, "--strict-builtin-errors"]) == 1


def test_coverage_profile_and_metrics(policy: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    options = [*policy[:-1], "json", "--coverage", "--profile", "--metrics"]
    assert run(["eval", "data.p.allow", *options]) == 0
    report = json.loads(capsys.readouterr().out)
    (file,) = report["coverage"]["files"].values()
    assert file["covered"] == [{"start": {"row": 4}, "end": {"row": 6}}]
    assert file["not_covered_lines"] == 6
    assert report["coverage"]["coverage"] == 33.33
    counts = {
        (cost["location"]["row"], cost["num_eval"])
        for cost in report["profile"]
        if cost["location"]["file"] != "<query>"
    }
    assert counts == {(4, 1), (5, 2), (6, 1)}
    assert report["metrics"]["timer_rego_eval_ns"] > 0


def test_a_runaway_query_is_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    slow = "x := sum([1 | some a in numbers.range(1, 5000); some b in numbers.range(1, 5000); a * b == 7])"
    assert run(["eval", slow, "--timeout", "300ms"]) == 1
    assert "floe_limit_error" in capsys.readouterr().err
    assert run(["eval", "1", "--timeout", "soon"]) == 2


def test_errors_in_a_query_point_into_the_query_as_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", "1 == 1; 2 > nowhere"]) == 1
    said = capsys.readouterr().err
    assert "2 > nowhere" in said
    assert "floec_value" not in said


def test_types_and_builtins_are_checked_where_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    user = {"type": "object", "properties": {"name": {"type": "string"}}, "additionalProperties": False}
    schema = {
        "type": "object",
        "properties": {"users": {"type": "array", "items": user}},
        "additionalProperties": False,
    }
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    (tmp_path / "p.floe").write_text("package p\n\nnames contains user.nme if some user in input.users\n")
    assert run(["eval", "data.p", "-d", str(tmp_path / "p.floe")]) == 0
    assert run(["eval", "data.p", "-d", str(tmp_path / "p.floe"), "--schema", str(tmp_path / "schema.json")]) == 1
    assert "did you mean `name`?" in capsys.readouterr().err
    (tmp_path / "p.floe").write_text("package p\n\nnames contains m.name if some m in input.modls\n")
    assert run(["eval", "data.p", "-d", str(tmp_path / "p.floe"), "--schema", "ir"]) == 1
    assert "did you mean `models`?" in capsys.readouterr().err
    (tmp_path / "unused.rego").write_text("package p\n\np if x := 1\n")
    assert run(["eval", "data.p", "-d", str(tmp_path / "unused.rego")]) == 0
    assert run(["eval", "data.p", "-d", str(tmp_path / "unused.rego"), "--strict"]) == 1
    (tmp_path / "none.json").write_text('{"builtins": []}')
    assert run(["eval", "count([])", "--capabilities", str(tmp_path / "none.json")]) == 1
    assert run(["eval", "1", "--capabilities", str(tmp_path / "nowhere.json")]) == 1


def test_what_a_not_evaluates_first_is_shown_inside_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.rego").write_text(
        'package p\n\na if not startswith(input.x.name, "a")\n\nb if not endswith(input.x.nme, "a")\n'
    )
    (tmp_path / "i.json").write_text('{"x": {"name": "abc"}}')
    assert run(["eval", "data.p", "-d", str(tmp_path / "p.rego"), "-i", str(tmp_path / "i.json"), "--explain"]) == 0
    lines = [line.strip() for line in capsys.readouterr().err.splitlines()]
    assert 'where input.x.name = "abc", startswith(input.x.name, "a") = true' in lines
    assert "where input.x.nme = undefined (input.x has no `nme`: did you mean `name`?)" in lines


def test_what_policies_print_stands_on_standard_error_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.rego").write_text('package t\n\np if print("x is", input.x, {1, 2}, input.none)\n')
    (tmp_path / "i.json").write_text('{"x": "a b"}')
    given = ["eval", "-f", "raw", "-d", str(tmp_path / "p.rego"), "-i", str(tmp_path / "i.json")]
    assert run([*given, "data.t.p"]) == 0
    assert capsys.readouterr() == ("true\n", "x is a b {1, 2} <undefined>\n")
    assert run([*given, "--explain", "full", 'data.t.p; print("so")']) == 0
    said = capsys.readouterr().err.splitlines()
    assert said.count("x is a b {1, 2} <undefined>") == said.count("so") == 1


def test_what_tests_print_is_shown_where_they_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = 'test_a if print("smooth")\n\ntest_b if {\n\tprint("one", 2)\n\tinput.x\n}\n'
    (tmp_path / "p_test.rego").write_text(f"package t\n\n{rules}")
    assert run(["test", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "      printed:\n        one 2\n" in said
    assert "smooth" not in said
    assert run(["test", "-v", str(tmp_path)]) == 1
    assert "      printed:\n        smooth\n" in capsys.readouterr().out
    assert run(["test", "--format", "json", str(tmp_path)]) == 1
    assert [result["printed"] for result in json.loads(capsys.readouterr().out)] == [["smooth"], ["one 2"]]
    assert run(["test", "--format", "junit", str(tmp_path)]) == 1
    assert "<system-out>one 2</system-out>" in capsys.readouterr().out
