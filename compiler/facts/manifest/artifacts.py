"""What dbt's other artifacts add to the facts: ``catalog.json``, ``run_results.json`` and ``sources.json``.

They stand beside the manifest and are read where they are there and something of them is used. Codes: FLC115 (warn) one
that cannot be read or is not what its name says; nothing of it counts.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from compiler.facts import entries
from compiler.facts.entries import Entry
from compiler.facts.manifest.json_places import BOM, JsonPlaces, path_of, reason_of, shown_path, why_not_text
from compiler.facts.relate import Wanted
from compiler.ir.facts_model import Facts
from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.source import whole_file

T = TypeVar("T")
_NODES = ("models", "seeds", "snapshots")
_ROWS = ("num_rows", "row_count", "rows", "approximate_row_count")
_BYTES = ("num_bytes", "bytes", "size", "num_total_bytes", "total_size")


class _Column(msgspec.Struct, gc=False):
    name: str
    type: str | None = None
    index: int | None = None


class _Stat(msgspec.Struct, gc=False):
    value: Any = None


class _Table(msgspec.Struct, gc=False):
    columns: dict[str, _Column] = {}
    stats: dict[str, _Stat] = {}


class _Catalog(msgspec.Struct, gc=False):
    nodes: dict[str, _Table]
    sources: dict[str, _Table] = {}


class _Result(msgspec.Struct, gc=False):
    unique_id: str
    status: str | None = None
    execution_time: Any = None
    failures: Any = None
    adapter_response: Any = None
    max_loaded_at: str | None = None
    max_loaded_at_time_ago_in_s: Any = None


class _Results(msgspec.Struct, gc=False):
    results: list[_Result]


def apply_artifacts(facts: Facts, folder: Path, wanted: Wanted) -> list[Diagnostic]:
    """Fill the ``wanted`` fields of the facts up, in place, with what the artifacts in ``folder`` say."""
    found: list[Diagnostic] = []
    if any(wanted(k, f) for k in (*_NODES, "sources") for f in ("columns", "size")):
        catalog = _read(folder / "catalog.json", _Catalog, found)
        if catalog is not None:
            tables = {**catalog.nodes, **catalog.sources}
            for entry in _all(facts, (*_NODES, "sources")):
                if entry["unique_id"] in tables:
                    _catalogued(entry, tables[entry["unique_id"]])
    if any(wanted(k, "last_run") for k in (*_NODES, "tests")):
        results = _read(folder / "run_results.json", _Results, found)
        by_id = {r.unique_id: r for r in results.results} if results is not None else {}
        for entry in _all(facts, (*_NODES, "tests")) if by_id else ():
            if entry["unique_id"] in by_id:
                entry["last_run"] = _last_run(by_id[entry["unique_id"]], test="kind" in entry)
    if wanted("sources", "last_freshness"):
        results = _read(folder / "sources.json", _Results, found)
        by_id = {r.unique_id: r for r in results.results} if results is not None else {}
        for entry in facts.sources:
            entry["last_freshness"] = _last_freshness(by_id.get(entry["unique_id"]))
    return found


def _all(facts: Facts, kinds: tuple[str, ...]) -> Iterator[Entry]:
    for kind in kinds:
        yield from getattr(facts, kind)


def _read(path: Path, kind: type[T], found: list[Diagnostic]) -> T | None:
    if not path.exists():
        return None
    span = whole_file(str(path))
    try:
        if not path.is_file():  # a pipe would be waited for
            raise IsADirectoryError(errno.EISDIR, "it is no file", str(path))
        data = path.read_bytes()
        return msgspec.json.decode(data.removeprefix(BOM), type=kind)
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except RecursionError:
        reason = "it is nested too deeply"
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = why_not_text(data) or reason_of(error)
        places, inside = JsonPlaces(path), path_of(error)
        if not why_not_text(data):
            span = places.of_path(inside) if isinstance(error, msgspec.ValidationError) else places.of_error(error)
        reason += f" at `{shown_path(inside)}`" if inside else ""
    message = f"`{path}` is left out: {reason}"
    hint = "let dbt write it again, or remove it"
    found.append(Diagnostic("FLC115", message, span, Severity.WARN, hint=hint))
    return None


def _catalogued(entry: Entry, table: _Table) -> None:
    if "columns" in entry:
        known = {c.name.lower(): c for c in table.columns.values()}
        for column in entry["columns"]:
            there = known.pop(column["name"].lower(), None)
            column["in_catalog"] = there is not None
            if there is not None:
                column["catalog_type"] = there.type
                column["type"] = column.get("type") or there.type
        entry["columns"] = [*entry["columns"], *(_new(c) for c in sorted(known.values(), key=lambda c: c.index or 0))]
    rows, size = _stat(table, _ROWS), _stat(table, _BYTES)
    if rows is not None or size is not None:
        entry["size"] = {"rows": rows, "bytes": size}


def _new(column: _Column) -> Entry:
    return {
        **entries.column({"name": column.name, "data_type": column.type}, "", declared=False),
        "in_catalog": True,
        "catalog_type": column.type,
    }


def _stat(table: _Table, names: tuple[str, ...]) -> int | None:
    for name in names:
        stat = table.stats.get(name)
        if stat is not None and isinstance(stat.value, int | float) and not isinstance(stat.value, bool):
            return int(stat.value)
    return None


def _number(value: Any) -> int | Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isinstance(value, int) else Decimal(repr(value))


def _last_run(result: _Result, *, test: bool) -> Entry:
    seconds = _number(result.execution_time)
    if test:
        return {"status": result.status or "", "failures": _number(result.failures), "seconds": seconds}
    response = entries.mapping(result.adapter_response)
    size = next((response[k] for k in ("bytes_billed", "bytes_processed", "bytes") if k in response), None)
    rows = _number(response.get("rows_affected"))
    return {"status": result.status or "", "seconds": seconds, "rows": rows, "bytes": _number(size)}


def _last_freshness(result: _Result | None) -> Entry | None:
    if result is None:
        return None
    ago = _number(result.max_loaded_at_time_ago_in_s)
    return {
        "status": result.status or "",
        "max_loaded_at": result.max_loaded_at,
        "age_hours": None if ago is None else int(ago // 3600),
    }
