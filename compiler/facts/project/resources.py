"""What YAML alone defines (sources, exposures, metrics, semantic models, groups, unit tests …), and macros."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from compiler.facts import entries
from compiler.facts.entries import Entry, items, mapping, text
from compiler.facts.manifest.resources import arguments
from compiler.facts.project.config import merge_config
from compiler.facts.project.file_facts import UNKNOWN
from compiler.facts.project.generic_tests import Target
from compiler.facts.project.nodes import PackageNodes, StatedTest, data_tests, named, render_config
from compiler.facts.project.scan import YamlFile
from compiler.facts.references import reference

Tests = list[StatedTest]
_METRIC_CALL = re.compile(r"\bmetric\(\s*['\"]([^'\"]+)['\"]\s*\)")


def off(config: Mapping[str, Any]) -> bool:
    """True where ``enabled`` is false, also as text."""
    return config.get("enabled") is False or str(config.get("enabled")).lower() == "false"


def known(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configurations whose value is known."""
    return {k: v for k, v in config.items() if v is not UNKNOWN}


class PackageResources:
    """Reads the resources of one package, with the configurations of ``nodes``."""

    def __init__(self, nodes: PackageNodes) -> None:
        self.nodes = nodes
        self.scan = nodes.scan
        self.name = nodes.project.name

    def sources(self) -> Iterator[tuple[Entry, YamlFile, Tests, Target]]:
        """Each table with its tests."""
        for file in self.scan.yaml:
            for source in named(file.value.get("sources")):
                for table in named(source.get("tables")):
                    made = self._table(file, source, table)
                    if made is not None:
                        yield made

    def _table(
        self, file: YamlFile, source: dict[str, Any], table: dict[str, Any]
    ) -> tuple[Entry, YamlFile, Tests, Target] | None:
        group, name = str(source["name"]), str(table["name"])
        config = self.nodes.config("source", [self.name, *file.parts, group, name], _shortcuts(source))
        merge_config(config, self._config(source))
        merge_config(config, _shortcuts(table))
        merge_config(config, self._config(table))
        if off(config):
            return None
        config = known(config)
        render = self.nodes.project.variables.rendered
        inherited = entries.tags(source.get("tags"), table.get("tags"))
        tests = [StatedTest(t, None, inherited) for t in data_tests(table)]
        columns: dict[str, Entry] = {}
        for one in named(table.get("columns")):
            column = self.nodes.column(one)
            columns[column["name"]] = column
            tags = [*inherited, *column["tags"]]
            tests.extend(StatedTest(t, column["name"], tags) for t in data_tests(one))
        meta = mapping(config.get("meta"))
        entry = {
            "unique_id": f"source.{self.name}.{group}.{name}",
            "name": name,
            "source_name": group,
            "package": self.name,
            "path": file.path,
            "schema": _known_text(render(source.get("schema", group))),
            "database": _known_text(render(source.get("database", source.get("catalog")))),
            "identifier": _known_text(render(table.get("identifier", name))),
            "loader": text(source.get("loader")) or None,
            "loaded_at_field": text(_first("loaded_at_field", table, config, source)),
            "freshness": _freshness(config, source, table),
            "description": self.nodes.description(table.get("description")),
            "source_description": self.nodes.description(source.get("description")),
            "tags": entries.tags(config.get("tags")),
            "meta": meta,
            "owner": entries.owner(meta),
            "columns": list(columns.values()),
            "tests": [],
            "used_by": [],
            "last_freshness": None,
        }
        return entry, file, tests, Target(f"{group}_{name}", f"source('{group}', '{name}')", "source_")

    def _config(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return render_config(mapping(given.get("config")), self.nodes.project)

    def each(self, key: str, kind: str) -> Iterator[tuple[Entry, dict[str, Any], dict[str, Any]]]:
        """(entry with the fields that all have, what YAML gives, its configuration) of the enabled ones."""
        for file in self.scan.yaml:
            for given in named(file.value.get(key)):
                name = str(given["name"])
                fqn = [self.name, *file.parts, name]
                config = known(self.nodes.config(kind, fqn, _shortcuts(given), mapping(given.get("config"))))
                if not off(config):
                    description = self.nodes.description(given.get("description"))
                    entry = {"unique_id": f"{kind}.{self.name}.{name}", "name": name, "description": description}
                    yield entry | {"path": file.path}, given, config

    def exposures(self) -> Iterator[tuple[Entry, list[Any]]]:
        """Each with the references in its ``depends_on``."""
        for entry, given, config in self.each("exposures", "exposure"):
            entry.update(
                type=text(given.get("type")) or "",
                owner=entries.contact(given.get("owner")),
                url=text(given.get("url")),
                maturity=text(given.get("maturity")),
                depends_on=[],
                tags=entries.tags(config.get("tags")),
                meta=mapping(config.get("meta")),
            )
            yield entry, [r or d for d in items(given.get("depends_on")) for r in [reference(d)]]

    def metrics(self) -> Iterator[tuple[Entry, list[str], Any]]:
        """Each with the names of the measures and metrics it is made of, and (before dbt 1.6) its model's reference."""
        for entry, given, config in self.each("metrics", "metric"):
            entry.update(
                label=text(given.get("label")) or "",
                type=text(given.get("type") or given.get("calculation_method")) or "",
                depends_on=[],
                tags=entries.tags(config.get("tags")),
                meta=mapping(config.get("meta")),
                group=text(config.get("group")),
            )
            called = _METRIC_CALL.findall(str(given.get("expression") or ""))
            inputs = [*_metric_inputs(mapping(given.get("type_params"))), *(f"metric:{name}" for name in called)]
            yield entry, inputs, reference(given.get("model"))

    def semantic_models(self) -> Iterator[tuple[Entry, Any]]:
        """Each with the reference to its model."""
        for entry, given, config in self.each("semantic_models", "semantic_model"):
            entry.update(
                model=None,
                meta=mapping(config.get("meta")),
                entities=_parts(given.get("entities"), "type"),
                dimensions=_parts(given.get("dimensions"), "type"),
                measures=_parts(given.get("measures"), "agg"),
                group=text(config.get("group")),
            )
            yield entry, reference(given.get("model"))

    def saved_queries(self) -> Iterator[Entry]:
        """The saved queries."""
        for entry, given, _ in self.each("saved_queries", "saved_query"):
            entry["metrics"] = [str(m) for m in items(mapping(given.get("query_params")).get("metrics"))]
            yield entry

    def groups(self) -> Iterator[Entry]:
        """The groups."""
        for entry, given, _ in self.each("groups", "group"):
            del entry["description"]
            yield entry | {"owner": entries.contact(given.get("owner"))}

    def unit_tests(self) -> Iterator[tuple[Entry, str]]:
        """Each with the name of its model."""
        for entry, given, _ in self.each("unit_tests", "unit_test"):
            model = str(given.get("model"))
            formats = [str(mapping(g).get("format") or "dict") for g in items(given.get("given"))]
            entry.update(
                unique_id=f"unit_test.{self.name}.{model}.{entry['name']}",
                model=None,
                given_formats=formats,
                expect_format=str(mapping(given.get("expect")).get("format") or "dict"),
            )
            yield entry, model

    def macros(self) -> Iterator[Entry]:
        """Macros with their properties; generic tests are macros called ``test_<name>``."""
        patches = {e["name"]: (e, given) for e, given, _ in self.each("macros", "macro")}
        for file in self.scan.code:
            for macro in file.facts.macros if file.role in ("macro", "test") else ():
                entry, given = patches.get(macro.name, ({}, {}))
                described = {str(a["name"]): a for a in named(given.get("arguments"))}
                described = {
                    n: {**a, "description": self.nodes.description(a.get("description"))} for n, a in described.items()
                }
                meta = {**mapping(given.get("meta")), **mapping(mapping(given.get("config")).get("meta"))}
                yield {
                    "unique_id": f"macro.{self.name}.{macro.name}",
                    "name": macro.name,
                    "package": self.name,
                    "path": file.path,
                    "description": entry.get("description", ""),
                    "arguments": arguments(list(described.values()), macro.arguments),
                    "meta": meta,
                    "tags": entries.tags(given.get("tags")),
                    "used_by": None,
                    "raw_code": macro.raw_code,
                    "code_lines": macro.raw_code.count("\n") + 1,
                }


def _shortcuts(given: Mapping[str, Any]) -> dict[str, Any]:
    return {k: given[k] for k in ("meta", "tags", "enabled", "group") if given.get(k) is not None}


def _known_text(value: Any) -> str | None:
    return None if value is UNKNOWN else text(value)


def _first(key: str, *places: Mapping[str, Any]) -> Any:
    return next((p[key] for p in places if p.get(key) is not None), None)


def _freshness(config: Mapping[str, Any], source: Mapping[str, Any], table: Mapping[str, Any]) -> Entry | None:
    """A table's freshness is laid over its source's, limit by limit; an explicit null switches it off."""
    found: dict[str, Any] = {}
    for place in (source, mapping(source.get("config")), table, mapping(table.get("config"))):
        if "freshness" in place:
            found = {} if place["freshness"] is None else {**found, **mapping(place["freshness"])}
    return entries.freshness(found or config.get("freshness"))


def _parts(given: Any, kind: str) -> list[Entry]:
    return [{"name": str(p["name"]), kind: text(p.get(kind)) or "", "expr": text(p.get("expr"))} for p in named(given)]


def _metric_inputs(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Names of measures (as ``measure:name``) and of metrics (``metric:name``)."""
    conversion = mapping(parameters.get("conversion_type_params"))
    for key in ("measure", "base_measure", "conversion_measure"):
        for given in (parameters.get(key), conversion.get(key)):
            name = given.get("name") if isinstance(given, dict) else given
            if isinstance(name, str):
                yield f"measure:{name}"
    for given in [parameters.get("numerator"), parameters.get("denominator"), *items(parameters.get("metrics"))]:
        name = given.get("name") if isinstance(given, dict) else given
        if isinstance(name, str):
            yield f"metric:{name}"
