"""Values that are none."""

from __future__ import annotations

import pytest

from policy_lang.runtime import values as v


def test_undefined_is_shown_as_such() -> None:
    assert repr(v.UNDEFINED) == "UNDEFINED"
    assert repr(v.freeze(True)) == "<true>"


@pytest.mark.parametrize("call", [v.freeze, v.from_python])
def test_foreign_objects_are_refused(call: object) -> None:
    assert callable(call)
    with pytest.raises(TypeError, match="object"):
        call(object())


@pytest.mark.parametrize("text", ["", "{", "[NaN]", "Infinity", "{'a': 1}"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        v.from_json(text)
