"""What a ``profiles.yml`` beside the project says of its default target; the one in the home folder is not read.

(The facts of a project are to be the same on every machine.)
"""

from __future__ import annotations

from typing import Any

from compiler.documents.yaml_document import read_source
from compiler.facts.entries import mapping, text
from compiler.facts.kept.values import kept_values
from compiler.facts.project.config import ProjectFile
from compiler.facts.project.file_facts import UNKNOWN


def read_profile(project: ProjectFile) -> dict[str, Any]:
    """``type`` and ``schema`` of the target as far as they are constant; empty where there is no such file."""
    path = project.root / "profiles.yml"
    if not path.is_file():
        return {}
    read = read_source(path)
    loaded = kept_values(str(path), read.value.text) if read.value is not None else None
    name = text(project.variables.rendered(project.raw.get("profile")))
    if loaded is None or name is None:
        return {}
    profile = mapping(mapping(loaded.value).get(name))
    outputs = mapping(profile.get("outputs"))
    target = text(project.variables.rendered(profile.get("target"))) or "default"
    chosen = mapping(outputs.get(target))
    found = {"type": chosen.get("type"), "schema": chosen.get("schema", chosen.get("dataset"))}
    rendered = project.variables.rendered(found)
    return {k: v for k, v in rendered.items() if v is not UNKNOWN and v is not None}
