"""JSON and YAML documents that a command line names: input, parameters, and data as OPA lays it out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from compiler.cli.files import read_source, read_standard_input
from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.source import Source, whole_file

DATA_SUFFIXES = (".json", ".yaml", ".yml")
POLICY_SUFFIXES = (".rego", ".floe")
_BUNDLE_DATA = ("data.json", "data.yaml", "data.yml")


def read_value(path: str) -> Outcome[Any]:
    """The value of a file, of standard input for ``-``; FLC109 is a text that is no JSON."""
    if path == "-":
        given = read_standard_input()
        return parse_value(given.value) if given.value is not None else Outcome(None, given.diagnostics)
    read = read_source(Path(path))
    return Outcome(None, read.diagnostics) if read.value is None else parse_value(read.value)


def parse_value(source: Source) -> Outcome[Any]:
    """The value of a JSON text, or of a YAML text where the name says so."""
    if Path(source.file).suffix in (".yaml", ".yml"):
        from compiler.documents.yaml_loader import load_yaml

        loaded = load_yaml(source)
        return Outcome(loaded.value.value if loaded.value is not None else None, loaded.diagnostics)
    from policy_lang.runtime.values import from_json

    try:
        return Outcome(from_json(source.text))
    except RecursionError:
        return Outcome(None, (Diagnostic("FLC109", f"{source.file} is nested too deep", whole_file(source.file)),))
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        column = getattr(error, "colno", 1)
        place = whole_file(source.file)._replace(line=line, col=column, end_line=line, end_col=column + 1)
        return Outcome(None, (Diagnostic("FLC109", f"{source.file} is not JSON: {error}", place),))


@dataclass(slots=True)
class Loaded:
    """Policy sources and the base document."""

    sources: list[Source] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)


def load(paths: Sequence[str], bundles: Sequence[str] = ()) -> Outcome[Loaded]:
    """What ``--data`` and ``--bundle`` name, as OPA lays it out.

    A document file that is named stands at the root of the data, or below ``prefix`` where the path is
    ``prefix:path``; one in a folder stands below the names of the folders between. Of a bundle (a folder
    or a ``.tar.gz``) only files named ``data.json`` and ``data.yaml`` are data.
    """
    made = Loaded()
    found: list[Diagnostic] = []
    origins: dict[tuple[str, ...], str] = {}

    def add(source: Source, keys: tuple[str, ...]) -> None:
        if source.file.endswith(POLICY_SUFFIXES):
            made.sources.append(source)
            return
        value = parse_value(source)
        found.extend(value.diagnostics)
        if not value.diagnostics:
            found.extend(_merged(made.data, keys, value.value, source.file, origins))

    for path in paths:
        for read, keys in _files(path):
            found += read.diagnostics
            if read.value is not None:
                add(read.value, keys)
    for path in bundles:
        for read, keys in _bundle(path):
            found += read.diagnostics
            if read.value is not None:
                add(read.value, keys)
    return Outcome(made, tuple(found))


def _files(path: str) -> Iterator[tuple[Outcome[Source], tuple[str, ...]]]:
    prefix, colon, rest = path.partition(":")
    keys: tuple[str, ...] = ()
    if colon and not Path(path).exists():
        keys, path = tuple(prefix.split(".")), rest
    root = Path(path)
    if not root.is_dir():
        yield read_source(root), keys
        return
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = Path(folder).relative_to(root).parts
        for name in sorted(names):
            if name.endswith(DATA_SUFFIXES + POLICY_SUFFIXES) and not name.startswith("."):
                yield read_source(Path(folder, name)), (*keys, *below)


def _bundle(path: str) -> Iterator[tuple[Outcome[Source], tuple[str, ...]]]:
    root = Path(path)
    if root.is_dir():
        for read, keys in _files(path):
            name = Path(read.value.file).name if read.value is not None else ""
            if read.value is None or name in _BUNDLE_DATA or name.endswith(POLICY_SUFFIXES):
                yield read, keys
        return
    import tarfile

    try:
        with tarfile.open(root, "r:gz") as archive:
            for member in archive:
                inside = PurePosixPath(member.name)
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None and (inside.name in _BUNDLE_DATA or inside.name.endswith(POLICY_SUFFIXES)):
                    keys = tuple(part for part in inside.parent.parts if part not in ("/", "."))
                    yield Outcome(Source(f"{path}/{'/'.join((*keys, inside.name))}", content.read().decode())), keys
    except (OSError, tarfile.TarError, UnicodeDecodeError, EOFError) as error:
        message = f"cannot read the bundle {path}: {getattr(error, 'strerror', None) or error}"
        hint = "a bundle is a folder, or a .tar.gz as `opa build` writes it"
        yield Outcome(None, (Diagnostic("FLC100", message, whole_file(path), hint=hint),)), ()


def _merged(
    data: dict[str, Any], keys: tuple[str, ...], value: Any, file: str, origins: dict[tuple[str, ...], str]
) -> Iterator[Diagnostic]:
    """Puts a document below ``keys``; two files may both give keys to an object, but not one place two values."""
    if not keys and not isinstance(value, dict):
        hint = "put the value below a key, or name the file with a prefix of keys"
        yield Diagnostic("FLC109", f"{file}: data is an object at its top", whole_file(file), hint=hint)
        return
    for key in reversed(keys):
        value = {key: value}
    waiting: list[tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]] = [(data, value, ())]
    while waiting:
        target, given, path = waiting.pop()
        for key, item in given.items():
            place = (*path, key)
            if key not in target:
                # A copy, because a later file may add keys to it.
                target[key] = dict(item) if type(item) is dict else item
                origins[place] = file
            elif isinstance(target[key], dict) and isinstance(item, dict):
                target[key] = dict(target[key])
                waiting.append((target[key], item, place))
            else:
                other = next(
                    (origins[place[:n]] for n in range(len(place), 0, -1) if place[:n] in origins), "another file"
                )
                text = f"{file} and {other} both set data.{'.'.join(place)}"
                yield Diagnostic("FLC109", text, whole_file(file), hint="take it out of one of them")
