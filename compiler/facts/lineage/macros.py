"""Queries that widespread macros of packages write, as SQL with the same columns; without them models are lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

Arguments = Mapping[str, Sequence[str]]
"""What a macro is given, by name: texts of SQL, several where the argument is a list."""


def written_out(name: str, positional: Sequence[Sequence[str]], named: Arguments) -> str | None:
    """The SQL of the macro ``name`` of dbt, ``dbt_utils`` or alike; None where it is no such macro."""
    known = _MACROS.get(name)
    if known is None:
        return None
    parameters, write = known
    given = {**dict(zip(parameters, positional, strict=False)), **named}
    return write(given) if given.get(parameters[0]) else None


def _deduplicated(given: Arguments) -> str:
    return f"select * from {given['relation'][0]}"


def _united(given: Arguments) -> str:
    return " union all by name ".join(f"select * from {relation}" for relation in given["relations"])


def _unpivoted(given: Arguments) -> str:
    """The columns that stay, and one that may hold any of the others."""
    kept, removed = given.get("exclude", ()), given.get("remove", ())
    field = next(iter(given.get("field_name", ())), "field_name")
    value = next(iter(given.get("value_name", ())), "value")
    others = f"* except ({', '.join([*kept, *removed])})" if kept or removed else "*"
    values = [*kept, f"'' as {field}", f"row_of({others}) as {value}"]
    return f"select {', '.join(values)} from {given['relation'][0]}"


def _spine(given: Arguments) -> str:
    part = "".join(c for c in given["datepart"][0] if c.isalnum())
    return f"select null as date_{part}"


def _cast(given: Arguments) -> str:
    return f"cast({given['field'][0]} as varchar)"


_MACROS: dict[str, tuple[tuple[str, ...], Callable[[Arguments], str]]] = {
    "deduplicate": (("relation", "partition_by", "order_by"), _deduplicated),
    "union_relations": (("relations", "column_override", "include", "exclude", "source_column_name"), _united),
    "unpivot": (("relation", "cast_to", "exclude", "remove", "field_name", "value_name"), _unpivoted),
    "date_spine": (("datepart", "start_date", "end_date"), _spine),
    "safe_cast": (("field", "type"), _cast),
    "try_cast": (("field", "type"), _cast),
}
"""By the macro's name: its parameters in order, of which the first must be given, and what writes it."""
