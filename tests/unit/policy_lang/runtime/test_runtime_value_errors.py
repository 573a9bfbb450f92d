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


@pytest.mark.parametrize("text", ["", "{", "[NaN]", "Infinity", "{'a': 1}", "[1e9999999]", "[" * 100_000, b'"\xff"'])
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        v.from_json(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"\ud800"', "\ufffd"),
        (r'"\udc00 \uD83D\ude00 \\ud800 \ud83dx"', "\ufffd \U0001f600 \\ud800 \ufffdx"),
        (b'{"\xc3\xbc": "\\ud83d"}', {"\u00fc": "\ufffd"}),
    ],
)
def test_half_a_surrogate_pair_is_the_character_that_stands_for_none(text: str | bytes, value: object) -> None:
    """As Go's JSON, and so OPA, reads it: a lone half could not be written out again."""
    assert v.from_json(text) == value
