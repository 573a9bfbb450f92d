"""``dbt_project.yml``: paths, variables, and the configurations that folders give to what is in them.

Codes: FLC120 no such file, FLC121 it is not a mapping or names no project, FLC129 (warn) paths at which nothing is
read, and those of reading YAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from compiler.documents.yaml_document import read_source
from compiler.facts.entries import HOOKS, items
from compiler.facts.kept.values import kept_values
from compiler.facts.project.file_facts import UNKNOWN
from compiler.facts.project.variables import Variables
from policy_lang.diagnostics import Diagnostic, Outcome, Severity
from policy_lang.records import NamedTuple
from policy_lang.source import whole_file

_PATHS = {
    "model-paths": ("models", "source-paths"),
    "seed-paths": ("seeds", "data-paths"),
    "snapshot-paths": ("snapshots", ""),
    "test-paths": ("tests", ""),
    "macro-paths": ("macros", ""),
    "analysis-paths": ("analyses", ""),
}
_NO_VARIABLES = Variables({})
CONFIG_KEYS = {
    "model": ("models",),
    "seed": ("seeds",),
    "snapshot": ("snapshots",),
    "source": ("sources",),
    "test": ("data_tests", "tests"),
    "exposure": ("exposures",),
    "metric": ("metrics",),
    "semantic_model": ("semantic-models",),
    "saved_query": ("saved-queries",),
    "unit_test": ("unit_tests",),
}


class ProjectFile(NamedTuple):
    """One project, the root's or an installed package's."""

    root: Path
    folder: str
    """The package's folder from the root project's, "" for the root project itself."""
    name: str
    version: str
    paths: Mapping[str, tuple[str, ...]]
    raw: Mapping[str, Any]
    variables: Variables
    """Those of the package; dbt has none of them yet when it reads ``dbt_project.yml`` itself."""

    def configs(self, kind: str, fqn: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The configurations for a resource, the widest folder first."""
        for key in CONFIG_KEYS.get(kind, ()):
            level = self.raw.get(key)
            for name in ("", *fqn):
                level = level.get(name) if name and isinstance(level, dict) else level
                if not isinstance(level, dict):
                    break
                found = _level(level)
                if found:
                    yield {k: v if "hook" in k else _NO_VARIABLES.rendered(v) for k, v in found.items()}


def _level(level: Mapping[str, Any]) -> dict[str, Any]:
    """``+key`` is always a configuration; a key without it where its value is no mapping."""
    found = {}
    for key, value in level.items():
        if key.startswith("+"):
            found[key[1:].strip().replace("-", "_")] = value
        elif not isinstance(value, dict):
            found[key.replace("-", "_")] = value
    return found


def read_project(root: Path, folder: str = "", parent: ProjectFile | None = None) -> Outcome[ProjectFile]:
    """Read ``dbt_project.yml`` in ``root``; ``parent`` is the root project of an installed package."""
    path = root / "dbt_project.yml"
    if not path.is_file():
        hint = "name the folder that holds dbt_project.yml"
        return _refuse("FLC120", f"there is no dbt project in `{root}`: `{path}` does not exist", str(path), hint)
    read = read_source(path)
    if read.value is None:
        return Outcome(None, read.diagnostics)
    loaded = kept_values(str(path), read.value.text)
    if loaded.diagnostics:
        return Outcome(None, loaded.diagnostics)
    raw = loaded.value
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str):
        return _refuse("FLC121", f"`{path}` names no project", str(path), "add `name: my_project`")
    name = raw["name"]
    variables = Variables(_variables(name, raw, parent))
    paths = {key: _paths(raw, key) for key in _PATHS}
    found = tuple(_unread(root, raw, paths["model-paths"], str(path))) if parent is None else ()
    return Outcome(ProjectFile(root, folder, name, str(raw.get("version") or ""), paths, raw, variables), found)


def assumed_project(root: Path) -> ProjectFile:
    """The project whose ``dbt_project.yml`` cannot be used: the paths that dbt assumes, and no configuration; its name
    is there in the text, as a rule."""
    try:
        text = (root / "dbt_project.yml").read_bytes().decode("utf-8", "replace")
    except OSError:
        text = ""
    named = re.search(r"""^name\s*:\s*["']?(\w+)""", text, re.MULTILINE)
    name = named[1] if named is not None else root.resolve().name
    return ProjectFile(root, "", name, "", {key: _paths({}, key) for key in _PATHS}, {"name": name}, Variables({}))


def _unread(root: Path, raw: Mapping[str, Any], models: Sequence[str], file: str) -> Iterator[Diagnostic]:
    """FLC129 for folders that are not read, and where there is none of those for models."""
    for key in _PATHS:
        for folder in _given(raw, key) or ():
            if not _inside(folder):
                text = f"`{key}` names `{folder}`, which is no folder inside of the project: nothing in it is read"
                hint = "move it into the project, or install it as a package"
                yield Diagnostic("FLC129", text, whole_file(file), Severity.WARN, hint=hint)
    if _given(raw, "model-paths") is not None and not any((root / folder).is_dir() for folder in models):
        shown = ", ".join(f"`{folder}`" for folder in models) or "none"
        text = f"there is no folder with models: `model-paths` names {shown}"
        yield Diagnostic("FLC129", text, whole_file(file), Severity.WARN, hint="no model is judged; check the name")


def _refuse(code: str, message: str, file: str, hint: str) -> Outcome[Any]:
    return Outcome(None, (Diagnostic(code, message, whole_file(file), hint=hint),))


def _given(raw: Mapping[str, Any], key: str) -> list[str] | None:
    """The folders as they are written; None where there are none, and the default holds."""
    legacy = _PATHS[key][1]
    given = _NO_VARIABLES.rendered(raw.get(key, raw.get(legacy) if legacy else None))
    if isinstance(given, str):
        given = [given]
    return [p for p in given if isinstance(p, str)] if isinstance(given, list) else None


def _inside(folder: str) -> bool:
    return bool(folder.strip("/")) and not folder.startswith("/") and ".." not in folder.split("/")


def _paths(raw: Mapping[str, Any], key: str) -> tuple[str, ...]:
    given = _given(raw, key)
    if given is None:
        return (_PATHS[key][0],)
    return tuple(dict.fromkeys(p.strip("/").removeprefix("./") for p in given if _inside(p)))


def _variables(name: str, raw: Mapping[str, Any], parent: ProjectFile | None) -> dict[str, Any]:
    """The package's own, then the root project's global ones, then the root project's for this package."""
    own = _mapping(raw.get("vars"))
    found = {**own, **_mapping(own.get(name))}
    if parent is not None:
        outer = _mapping(parent.raw.get("vars"))
        found = {**found, **{k: v for k, v in outer.items() if not isinstance(v, dict)}, **_mapping(outer.get(name))}
    return found


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


_ADD = ("tags", "packages")
_MERGE = ("meta", "docs", "persist_docs", "column_types", "quoting")


def merge_config(base: dict[str, Any], over: Mapping[str, Any]) -> None:
    """Lay ``over`` on ``base`` in place, as dbt does: tags and hooks add up, ``meta`` merges, the rest replaces.

    Of hooks those that are known count.
    """
    for given_key, value in over.items():
        key = HOOKS.get(given_key, given_key)
        if key in HOOKS.values():
            base[key] = [*items(base.get(key)), *(hook for hook in items(value) if hook is not UNKNOWN)]
        elif value is UNKNOWN:
            base[key] = UNKNOWN
        elif key in _ADD:
            given = base.get(key)
            old: list[Any] = given if isinstance(given, list) else []
            new = [str(t) for t in items(value) if t is not None and t is not UNKNOWN]
            base[key] = [*old, *(t for t in dict.fromkeys(new) if t not in old)]
        elif key in _MERGE and isinstance(value, dict):
            base[key] = {**_mapping(base.get(key)), **value}
        elif key == "grants" and isinstance(value, dict):
            base[key] = _grants(_mapping(base.get(key)), value)
        else:
            base[key] = value


def _grants(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``+privilege`` extends the list of roles, ``privilege`` replaces it."""
    found = dict(base)
    for key, value in over.items():
        roles = value if isinstance(value, list) else [value]
        if key.startswith("+"):
            old = found.get(key[1:], [])
            found[key[1:]] = [*old, *(r for r in roles if r not in old)]
        else:
            found[key] = list(roles)
    return found
