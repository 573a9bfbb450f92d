"""The globals of generated code."""

from __future__ import annotations

import sys

import pytest

from policy_lang.codegen.scope import scope
from policy_lang.engine import compile_program
from policy_lang.source import Source


def test_a_builtin_is_imported_when_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    home = "policy_lang.runtime.builtins.semver"
    monkeypatch.delitem(sys.modules, home, raising=False)
    names = scope({"semver.compare": ("b_semver_compare", home)}, {}, {})
    assert home not in sys.modules
    first = names["b_semver_compare"]
    assert first(None, "1.0.0", "1.2.0") == -1
    assert names["b_semver_compare"] is not first
    assert first(None, "1.3.0", "1.2.0") == names["b_semver_compare"](None, "1.3.0", "1.2.0") == 1


def test_a_builtin_that_fails_at_its_first_call_fails_as_at_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "policy_lang.runtime.builtins.semver", raising=False)
    text = 'package a\nok if not semver.compare("x", "1.0.0")\nboth if { ok; semver.compare("1.0.0", "1.0.0") == 0 }\n'
    program = compile_program([Source("a.rego", text)]).value
    assert program is not None
    assert program.eval_path(("a", "both")).value is True
    assert program.eval_path(("a", "both"), strict_builtin_errors=True).diagnostics[0].code == "eval_builtin_error"
