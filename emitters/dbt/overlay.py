"""The dbt overlay: a generated root project that takes the team's untouched tree as its local package."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from emitters.artifact import Artifact, File
from emitters.dbt.package import FOLDER, moved_packages, moved_project, reaches_outside
from policy_lang.diagnostics import Diagnostic, Outcome

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECTIONS = ("models", "seeds", "snapshots")
_GUARD = """\
{# Stops a run that was started for another compiled IR than the one this project was generated from. #}
{% macro floe_guard() %}
  {% set compiled = "@digest@" %}
  {% set asked = var("floe_ir_digest") %}
  {% if execute and asked != compiled %}
    {{ exceptions.raise_compiler_error("floe: this run asks for IR " ~ asked ~ " but " ~ compiled ~ " was compiled") }}
  {% endif %}
{% endmacro %}
"""
_SCHEMA_NAME = """\
{# The schema of a node is the catalog namespace of its layer; nodes without a layer keep what dbt would give them. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {%- set by_layer = @schemas@ -%}
  {%- set usual = target.schema ~ ("_" ~ custom_schema_name | trim if custom_schema_name else "") -%}
  {{- by_layer.get(node.unique_id, usual) -}}
{%- endmacro %}
"""


def emit_overlay(
    ir: dict[str, Any],
    team_project: str,
    digest: str,
    written: Mapping[str, Any] | None = None,
    packages: Mapping[str, Any] | None = None,
) -> Outcome[Artifact]:
    """Generate the root project of ``ir`` (``floec.ir.v1``).

    ``team_project`` is the path of the team's dbt project as seen from the overlay's folder; ``digest`` is the IR's,
    ``sha256:`` and 64 hex digits; ``written`` and ``packages`` are the contents of the team's ``dbt_project.yml`` and
    ``packages.yml``, needed where its paths leave its folder (``emitters.dbt.package``). FLC634 is an input that the
    overlay cannot be made from, FLC635 a compute plugin other than DuckDB, for which no profile is known.
    """
    problems = tuple(_problems(ir, team_project, digest))
    if problems:
        return Outcome(None, problems)
    layers = {layer["name"]: layer for layer in _layers(ir)}
    contents = {
        "dbt_project.yml": _yaml(_project(ir, digest)),
        **_package(team_project, written or {}, packages or {}),
        "profiles.yml": _yaml(_profiles(ir)),
        "macros/floe_guard.sql": _GUARD.replace("@digest@", digest),
        "macros/generate_schema_name.sql": _SCHEMA_NAME.replace("@schemas@", _schemas(ir, layers)),
    }
    used = {n["layer"] for s in _SECTIONS for n in _nodes(ir, s) if n["layer"]}
    if used:
        contents["selectors.yml"] = _yaml(_selectors(name for name in layers if name in used))
    files = tuple(File(path, text.encode()) for path, text in sorted(contents.items()))
    return Outcome(Artifact("dbt", files))


def _package(team_project: str, written: Mapping[str, Any], packages: Mapping[str, Any]) -> dict[str, str]:
    if not reaches_outside(written):
        return {"packages.yml": _yaml({"packages": [{"local": team_project}]})}
    place = f"{FOLDER}/{written['name']}"
    files = {
        "packages.yml": _yaml({"packages": [{"local": place}]}),
        f"{place}/dbt_project.yml": _yaml(moved_project(written, team_project)),
    }
    if packages.get("packages"):
        files[f"{place}/packages.yml"] = _yaml(moved_packages(packages, team_project))
    return files


def _problems(ir: Mapping[str, Any], team_project: str, digest: str) -> Iterable[Diagnostic]:
    if not ir.get("product") or not ir.get("project"):
        yield Diagnostic("FLC634", "a dbt overlay needs a product and its dbt project")
        return
    if not _DIGEST.fullmatch(digest):
        yield Diagnostic("FLC634", f"{digest!r} is not a digest of the form sha256:<64 hex digits>")
    # dbt renders packages.yml with Jinja, so a brace in the path could run as a template.
    if not team_project or re.search(r"[{}\n]", team_project):
        yield Diagnostic("FLC634", f"{team_project!r} cannot be the path of a dbt package")
    names = [n for layer in _layers(ir) for n in (layer["name"], layer.get("catalog_namespace") or layer["name"])]
    for name in sorted(set(names)):
        if not _IDENTIFIER.fullmatch(name):
            yield Diagnostic("FLC634", f"the layer or namespace {name!r} cannot be the name of a schema")
    known = {layer["name"] for layer in _layers(ir)}
    lost = {n["layer"] for s in _SECTIONS for n in _nodes(ir, s) if n["layer"]} - known
    if lost:
        yield Diagnostic("FLC634", f"models lie in layers that the manifest does not name: {', '.join(sorted(lost))}")
    compute = _compute(ir).get("type") or "duckdb"
    if compute != "duckdb":
        yield Diagnostic("FLC635", f"no dbt profile is known for the compute plugin {compute!r}; known: duckdb")


def _layers(ir: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(((ir.get("platform") or {}).get("data_architecture") or {}).get("layers") or ())


def _compute(ir: Mapping[str, Any]) -> dict[str, Any]:
    return dict(((ir.get("platform") or {}).get("plugins") or {}).get("compute") or {})


def _nodes(ir: Mapping[str, Any], section: str) -> list[dict[str, Any]]:
    team = ir["project"]["name"]
    return [n for n in ir.get(section) or () if n["package"] == team]


def _project(ir: Mapping[str, Any], digest: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": "floe_" + re.sub(r"[^A-Za-z0-9_]", "_", ir["product"]["name"]),
        "config-version": 2,
        "profile": "floe",
        "flags": {"send_anonymous_usage_stats": False},
        "macro-paths": ["macros"],
        "on-run-start": ["{{ floe_guard() }}"],
        "vars": {"floe_ir_digest": digest},
    }
    for section in _SECTIONS:
        config = _config(n for n in _nodes(ir, section) if n["layer"])
        if config:
            document[section] = {ir["project"]["name"]: config}
    return document


def _config(nodes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Folder by folder down to the node, as dbt looks configuration up; the first folder is the resource path."""
    tree: dict[str, Any] = {}
    for node in nodes:
        place = tree
        for part in (*PurePosixPath(node["path"]).parts[1:-1], node["name"]):
            place = place.setdefault(part, {})
        place["+tags"] = [_tag(node["layer"])]
        place["+meta"] = {"floe": {**((node.get("meta") or {}).get("floe") or {}), "layer": node["layer"]}}
    return tree


def _tag(layer: str) -> str:
    return f"floe_layer_{layer}"


def _schemas(ir: Mapping[str, Any], layers: Mapping[str, Mapping[str, Any]]) -> str:
    # By unique_id and not by folder: a layer can also come from a prefix or from meta.
    chosen = {
        n["unique_id"]: layers[n["layer"]].get("catalog_namespace") or n["layer"]
        for s in _SECTIONS
        for n in _nodes(ir, s)
        if n["layer"]
    }
    return json.dumps(chosen, indent=4, sort_keys=True)


def _profiles(ir: Mapping[str, Any]) -> dict[str, Any]:
    threads = (_compute(ir).get("config") or {}).get("threads") or 1
    path = "{{ env_var('FLOE_DUCKDB_PATH', 'floe.duckdb') }}"
    return {"floe": {"target": "floe", "outputs": {"floe": {"type": "duckdb", "path": path, "threads": threads}}}}


def _selectors(names: Iterable[str]) -> dict[str, Any]:
    return {
        "selectors": [
            {
                "name": f"layer_{name}",
                "description": f"The nodes of the layer {name}.",
                "definition": {"method": "tag", "value": _tag(name)},
            }
            for name in names
        ]
    }


def _yaml(document: Mapping[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(dict(document), sort_keys=True, default_flow_style=False, width=120, allow_unicode=True)
