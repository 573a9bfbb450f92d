"""Modules that are put off are themselves once something is asked of them; a process of our own imports few."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from policy_lang.later import Later, put_off

_BEGIN = "from policy_lang import later; later.begin()\n"


def _answer(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_module_is_loaded_as_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "put_off_one.py").write_text("import sys\nSELF = sys.modules[__name__]\n\ndef f(): return __name__\n")
    monkeypatch.syspath_prepend(tmp_path)
    put_off("put_off_one")
    import put_off_one

    assert type(put_off_one) is Later
    assert put_off_one.f() == "put_off_one"
    assert type(put_off_one) is not Later
    assert put_off_one.SELF is put_off_one is sys.modules["put_off_one"]
    assert put_off_one.__file__ == str(tmp_path / "put_off_one.py")
    with pytest.raises(AttributeError):
        _ = put_off_one.missing
    del sys.modules["put_off_one"]


def test_names_can_be_imported_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "put_off_two.py").write_text("def f(): return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    put_off("put_off_two")
    from put_off_two import f

    assert f() == 1
    del sys.modules["put_off_two"]


def test_what_cannot_be_loaded_says_so_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "put_off_bad.py").write_text("raise ValueError('no')\n")
    monkeypatch.syspath_prepend(tmp_path)
    put_off("put_off_bad")
    put_off("put_off_missing")
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            _ = sys.modules["put_off_bad"].f
        with pytest.raises(ModuleNotFoundError, match="put_off_missing"):
            _ = sys.modules["put_off_missing"].f
    del sys.modules["put_off_bad"], sys.modules["put_off_missing"]


def test_a_function_that_is_taken_before_loads_with_its_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "put_off_three.py").write_text("def f(a, *, b): return a + b\n\ndef g(): return f(1, b=1)\n")
    monkeypatch.syspath_prepend(tmp_path)
    put_off("put_off_three", "f")
    import put_off_three
    from put_off_three import f

    assert type(put_off_three) is Later
    assert f(1, b=2) == 3
    assert type(put_off_three) is not Later
    assert put_off_three.f is not f  # itself now
    assert put_off_three.g() == f(1, b=1) == 2
    with pytest.raises(TypeError):
        f(1)
    del sys.modules["put_off_three"]


def test_what_is_imported_already_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    before = sys.modules["sys"]
    put_off("sys")
    assert sys.modules["sys"] is before


def test_a_process_of_our_own_has_all_of_msgspec_and_uuid() -> None:
    code = """
import compiler.structs, sys
from pathlib import Path, PureWindowsPath
assert not "typing_extensions" in sys.modules
assert Path("/a b").as_uri() == "file:///a%20b"
assert PureWindowsPath("C:/a", "b").as_uri() == "file:///C:/a/b"
import msgspec, uuid, urllib.parse
assert msgspec.msgpack.decode(msgspec.msgpack.encode([1])) == [1]
assert uuid.UUID("12345678123456781234567812345678").hex[:4] == "1234"
class One(msgspec.Struct):
    a: int | None = None
print(msgspec.json.decode(b'{"a": 1}', type=One), msgspec.inspect.type_info(One).cls is One)
assert msgspec.structs.replace(One(1), a=2).a == 2
print(msgspec.json.schema(One)["$ref"], msgspec.json.schema_components([One])[0][0]["$ref"], msgspec.yaml.encode([1]), urllib.parse.urlsplit("http://[::1]/a").hostname)
"""
    said = _answer(_BEGIN + code).splitlines()
    assert said == ["One(a=1) True", "#/$defs/One #/$defs/One b'- 1\\n' ::1"]


def test_msgspec_knows_the_values_of_plugins() -> None:
    code = "import compiler.structs, msgspec, uuid; print(msgspec.json.encode(uuid.UUID(int=1)).decode())"
    assert _answer(_BEGIN + code) == '"00000000-0000-0000-0000-000000000001"'
