"""Compiled programs on disk: found again, rebuilt where damaged, and never read where others could write."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from policy_lang import compiling
from policy_lang.codegen import cache
from policy_lang.engine import CompileOptions, Deferred, compile_program
from policy_lang.policies import load_policies
from policy_lang.source import Source

TEXT = 'package t\n\np contains x if some x in input\n\nq := $"{input[0]} {1.50}" if regex.match(`^a`, "abc")\n'
CACHED = CompileOptions(cache=True)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "tables"))
    compile_program([Source("first.rego", "package first\n")])  # the first of a process keeps the parser's tables
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "floec" / "programs"


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each time that sources are analysed."""
    made: list[int] = []
    real = compiling.front

    def counted(*args: object) -> object:
        made.append(1)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(compiling, "front", counted)
    return made


def answer(text: str = TEXT, options: CompileOptions = CACHED, file: str = "p.rego") -> object:
    program = compile_program([Source(file, text)], options).value
    assert program is not None
    found = program.eval_path(("t", "q"), input=["a"])
    assert found.ok
    return found.value


def test_a_second_compilation_is_read(compilations: list[int]) -> None:
    assert answer() == answer() == "a 1.50"
    assert len(compilations) == 1


@pytest.mark.parametrize(
    ("text", "options", "file"),
    [
        (TEXT + "r := 1\n", CACHED, "p.rego"),
        (TEXT, CompileOptions(cache=True, without=frozenset(["share"])), "p.rego"),
        (TEXT, CompileOptions(cache=True, strict=True), "p.rego"),
        (TEXT, CACHED, "other.rego"),
    ],
)
def test_another_text_or_option_is_another_program(
    text: str, options: CompileOptions, file: str, compilations: list[int]
) -> None:
    answer()
    answer(text, options, file)
    assert len(compilations) == 2


def test_a_changed_compiler_is_another_program(compilations: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    answer()
    monkeypatch.setattr(cache, "program", lambda *rooms: ["another"])
    answer()
    assert len(compilations) == 2


def test_a_key_is_that_of_what_is_asked_for_now() -> None:
    first, other = Source("a.rego", "package a"), Source("a.rego", "package b")
    options, strict = CompileOptions(cache=True), CompileOptions(cache=True, strict=True)
    sources = [first]
    keys = [cache.key("program", (first,), options), cache.key("program", sources, options)]
    assert keys[0] == keys[1] == cache.key("program", (first,), options)
    sources[0] = other
    others = [cache.key("program", sources, options), cache.key("program", (first,), strict)]
    others += [cache.key("declarations", (first,), options)]
    kept = (first,)
    others += [cache.key("program", kept, options._replace(input_schema={"a": number})) for number in (1, True)]
    assert len({*keys, *others}) == 6
    with_decimals = options._replace(input_schema={"a": Decimal("1.0")})
    assert cache.key("program", kept, with_decimals) == cache.key("program", list(kept), with_decimals)


@pytest.mark.parametrize(
    "damage", [b"", b"nonsense", b"floec-program-2\n" + b"\0" * 40, b"floec-program-2\n" + b"\0" * 8]
)
def test_a_damaged_file_is_rebuilt(damage: bytes, home: Path, compilations: list[int]) -> None:
    answer()
    (file,) = home.iterdir()
    file.write_bytes(damage)
    assert answer() == "a 1.50"
    assert len(compilations) == 2
    assert answer() == "a 1.50"
    assert len(compilations) == 2


def test_a_flipped_bit_is_noticed(home: Path, compilations: list[int]) -> None:
    answer()
    (file,) = home.iterdir()
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    answer()
    assert len(compilations) == 2


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs POSIX permissions")
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_not_read(mode: int, home: Path, compilations: list[int]) -> None:
    answer()
    (file,) = home.iterdir()
    file.chmod(mode)
    answer()
    assert len(compilations) == 2


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs POSIX permissions")
def test_a_folder_that_others_can_write_is_neither_read_nor_written(home: Path, compilations: list[int]) -> None:
    answer()
    home.chmod(0o777)
    answer()
    answer()
    assert len(compilations) == 3


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs POSIX permissions")
def test_a_file_of_another_user_is_not_read(
    home: Path, compilations: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer()
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    answer()
    assert len(compilations) == 2


def test_a_symbolic_link_is_not_followed(home: Path, compilations: list[int], tmp_path: Path) -> None:
    answer()
    (file,) = home.iterdir()
    moved = tmp_path / "elsewhere"
    file.rename(moved)
    file.symlink_to(moved)
    answer()
    assert len(compilations) == 2


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_pipe_or_a_folder_in_place_of_a_program_costs_only_time(
    make: Callable[[Path], None], home: Path, compilations: list[int]
) -> None:
    answer()
    for file in home.iterdir():
        file.unlink()
        make(file)
    assert answer() == "a 1.50"
    assert len(compilations) == 2


def test_a_cache_that_cannot_be_written_costs_only_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compilations: list[int]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert answer() == answer() == "a 1.50"
    assert len(compilations) == 2


def test_there_are_not_more_files_than_allowed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_FILES", 3)
    for number in range(6):
        answer(TEXT + f"r := {number}\n")
    assert len(list(home.iterdir())) == 3


def test_a_program_with_errors_is_not_kept(home: Path) -> None:
    assert compile_program([Source("p.rego", "package t\np := x")], CACHED).value is None
    assert not home.exists()


POLICY = """package t
param owners: array[string] := ["ann"]
policy owned {
	id T1
	title "Models have known owners"
	severity block
	for model in input.models
	require model.owner in params.owners
	message $"{model.name} has no known owner"
}
"""


def test_policies_from_the_cache_give_what_compiled_ones_give(compilations: list[int]) -> None:
    sources = [Source("p.floe", POLICY)]
    given = {"models": [{"name": "a", "owner": "ann"}, {"name": "b", "owner": "bob"}]}
    made, kept = (load_policies(sources, CACHED).value for _ in range(2))
    assert made is not None
    assert kept is not None
    assert len(compilations) == 1
    assert kept.policies == made.policies
    assert kept.params == made.params
    assert kept.reads() == made.reads()
    for params in ({}, {"t": {"owners": ["bob"]}}):
        assert kept.run(given, params) == made.run(given, params)
    assert len(compilations) == 1


def test_a_kept_program_still_answers_what_needs_the_compiler(compilations: list[int]) -> None:
    answer()
    program = compile_program([Source("p.rego", TEXT)], CACHED).value
    assert program is not None
    found = program.eval_query("x = data.t.p with input as [2]; count(x) == 1")
    assert found.value is not None
    assert [list(row["x"].values()) for row in found.value] == [[2]]
    assert program.reads([("t", "p")]) == {("*",)}


def test_a_warm_start_imports_no_parser(tmp_path: Path) -> None:
    policy = tmp_path / "p.rego"
    policy.write_text(TEXT)
    code = (
        "import sys\n"
        "from policy_lang.engine import CompileOptions, Deferred, compile_program\n"
        "from policy_lang.source import Source\n"
        f"text = open({str(policy)!r}).read()\n"
        "program = compile_program([Source('p.rego', text)], CompileOptions(cache=True)).value\n"
        "assert program.eval_query('x = data.t.q', input=['a']).value == ({'x': 'a 1.50'},)\n"
        "print(sorted(m for m in sys.modules if m == 'lark' or m.startswith('policy_lang.')))\n"
    )
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "lark" not in done.stdout
    for unwanted in ("syntax", "analysis", "plan", "compiling", "graphql", "builtins.jwt"):
        assert f"policy_lang.{unwanted}" not in done.stdout


def test_a_deferred_schema_is_made_where_something_is_compiled(compilations: list[int]) -> None:
    made: list[int] = []

    def make() -> dict[str, object]:
        made.append(1)
        fields = {"a": {"type": "string"}}
        return {"type": "object", "properties": fields, "required": ["a"], "additionalProperties": False}

    def options(identity: str) -> CompileOptions:
        return CompileOptions(Deferred(identity, make), cache=True)

    source = Source("a.floe", "package a\n\nx := input.a\n")
    first = compile_program([source], options("one")).value
    assert first is not None
    assert made
    made.clear()
    second = compile_program([source], options("one")).value
    assert second is not None
    assert second.eval_path(("a", "x"), input={"a": "b"}).value == "b"
    assert not made
    compile_program([source], options("two"))
    assert made
    assert not compile_program([Source("b.floe", "package a\n\nx := input.b\n")], options("one")).ok
