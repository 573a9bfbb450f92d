"""The team's project as a package of the overlay, where it takes parts from outside of its own folder.

dbt installs a local package as a link and reads ``..`` in its paths from the link's place, where there is nothing: a
project with ``macro-paths: ["../macros"]`` runs by itself but not as a package. Such a project is replaced by one
that has its configuration and, for folders, their places as seen from the link.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

FOLDER = "team"
_DEFAULTS = {
    "model-paths": ["models"],
    "seed-paths": ["seeds"],
    "test-paths": ["tests"],
    "analysis-paths": ["analyses"],
    "macro-paths": ["macros"],
    "snapshot-paths": ["snapshots"],
}
_OWN = ("target-path", "log-path", "packages-install-path", "clean-targets")


def reaches_outside(project: Mapping[str, Any]) -> bool:
    """Whether a path of a ``dbt_project.yml`` leaves the project's folder."""
    return any(".." in path.split("/") for paths in _paths(project).values() for path in paths)


def moved_project(project: Mapping[str, Any], team_project: str) -> dict[str, Any]:
    """The content of ``team/<name>/dbt_project.yml``; ``team_project`` is the project as seen from the overlay.

    ``dbt_packages/<name>``, where dbt looks for it, is as deep, so that one text is right in both places.
    """
    kept = {key: value for key, value in project.items() if key not in _OWN}
    return {**kept, **{key: [_moved(path, team_project) for path in paths] for key, paths in _paths(project).items()}}


def moved_packages(packages: Mapping[str, Any], team_project: str) -> dict[str, Any]:
    """The content of ``packages.yml`` for the same place: local packages keep theirs."""
    listed = packages.get("packages")
    entries = [
        {**entry, "local": _moved(entry["local"], team_project)} if isinstance(entry.get("local"), str) else entry
        for entry in (listed if isinstance(listed, list) else ())
        if isinstance(entry, dict)
    ]
    return {"packages": entries}


def _paths(project: Mapping[str, Any]) -> dict[str, list[str]]:
    given = {
        key: [value] if isinstance(value, str) else [path for path in value if isinstance(path, str)]
        for key, value in project.items()
        if key.endswith("-paths") and isinstance(value, str | list)
    }
    return {**_DEFAULTS, **given}


def _moved(path: str, team_project: str) -> str:
    if path.startswith(("/", "{{")):
        return path
    return posixpath.normpath(posixpath.join("..", "..", team_project, path))
