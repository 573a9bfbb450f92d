"""The exported JSON Schemas against the reader, on whole documents in which one place after the other is damaged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import jsonschema
import pytest
import yaml

from compiler.documents.models import validate_document
from compiler.documents.schema_export import document_schema
from compiler.documents.shape import snake_case
from compiler.documents.yaml_loader import load_yaml
from policy_lang.diagnostics import blocking
from policy_lang.source import Source
from tests.property.test_documents_fuzz import CONTRACT, MANIFEST, PRODUCT, places

DAMAGE: tuple[Any, ...] = (None, True, -5, "", "99%", [], {}, [None], {"a": 1}, [{"name": "x"}])
BEYOND = (
    "as the mapping says",
    "time zone of the IANA database",
    "cron expression",
    "`version` is missing",
    "the standard demands",
    r"source\.ref` is missing",
)
"""What depends on more than one value, or on a list that is too long for a schema."""


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value if isinstance(value, bool | int | str) or value is None else float(value)


def camel(word: str) -> str:
    first, *rest = word.split("_")
    return first + "".join(map(str.title, rest))


def damaged(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The document with each place replaced, taken away, misspelt, and spelt in camelCase."""
    for path in places(document):
        for change in ("remove", "misspell", "camel", *range(len(DAMAGE))):
            made = deepcopy(document)
            at: Any = made
            for key in path[:-1]:
                at = at[key]
            last = path[-1]
            if isinstance(change, int):
                at[last] = deepcopy(DAMAGE[change])
            elif change == "remove":
                del at[last]
            elif isinstance(at, dict) and change == "misspell":
                at[f"{last}x"] = at.pop(last)
            elif isinstance(at, dict) and snake_case(camel(last)) == last != camel(last):
                at[camel(last)] = at.pop(last)
            else:
                continue
            yield made


@pytest.mark.parametrize("document", [MANIFEST, PRODUCT, CONTRACT], ids=lambda d: str(d["kind"]))
def test_what_the_reader_takes_the_schema_takes_and_nothing_else(document: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(document_schema(document["kind"]))
    count = 0
    for made in damaged(json.loads(json.dumps(document, default=str))):
        if made.get("kind") != document["kind"]:
            continue
        loaded = load_yaml(Source("t.yaml", yaml.safe_dump(made, sort_keys=False))).value
        assert loaded is not None
        found = validate_document(loaded).diagnostics
        refused = [d.message for d in found if blocking([d]) and d.code in ("FLC200", "FLC201", "FLC202", "FLC203")]
        error = next(validator.iter_errors(plain(loaded.value)), None)
        if refused and error is None:
            assert any(re.search(reason, refused[0]) for reason in BEYOND), refused
        assert refused or error is None, (error.message if error else "", made)
        count += 1
    assert count > 500
