"""What ``json.match_schema`` says of formats and of alternatives, as OPA says it."""

from typing import Any

import pytest

from policy_lang.runtime.builtins import REGISTRY


def match(value: Any, schema: Any) -> Any:
    return REGISTRY["json.match_schema"](value, schema)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("not-a-date", False),
        ("2020-01-01", True),
        ("10:11:12", True),
        ("10:11:12Z", True),
        ("2020-01-01T00:00:00Z", True),
        ("2020-01-01T00:00:00.123+01:00", True),
        ("2020-13-01T00:00:00Z", False),
        ("2020-01-01t00:00:00z", False),
        ("2020-01-01T00:00:00", False),
    ],
)
def test_date_time(text: str, good: bool) -> None:
    assert match({"d": text}, {"properties": {"d": {"format": "date-time"}}})[0] is good


def test_the_alternative_of_the_right_type_is_explained() -> None:
    parts = [{"type": "object", "properties": {k: {"type": "string"} for k in "ab"}}, {"type": "string"}]
    _, errors = match({"x": {"a": 1, "b": 2}}, {"properties": {"x": {"anyOf": parts}}})
    assert [error["field"] for error in errors] == ["x", "x.a", "x.b"]
