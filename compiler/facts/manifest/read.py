"""dbt's ``manifest.json`` (schema v7 and newer) to facts, by a typed decode of the needed fields only.

The file is split into its nodes without decoding them; each node then is decoded to a struct of the fields in use,
made an entry and dropped, and the memory of the text behind it is given back. Codes: FLC110 the file cannot be read,
FLC111 not JSON (cut off), FLC112 not a dbt manifest, FLC113 an unsupported schema version, FLC114 a wrong type, FLC117
(warn) a schema newer than is known.
"""

from __future__ import annotations

import errno
import mmap
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from compiler.facts.entries import Entry, mapping
from compiler.facts.graph import cycles
from compiler.facts.manifest import fields as made
from compiler.facts.manifest.dbt2 import written_by_dbt2
from compiler.facts.manifest.plan import KINDS, Plan, Written
from compiler.facts.manifest.project_entry import installed_version, project_entry
from compiler.facts.manifest.resolve_refs import resolve_refs
from compiler.facts.manifest.resources import MAKERS, macro_users
from compiler.facts.relate import NODES, relate
from compiler.ir.facts_model import Facts
from compiler.ir.needs import Needs, covered
from policy_lang.collecting import uncollected
from policy_lang.diagnostics import Diagnostic, Outcome, Severity
from policy_lang.records import NamedTuple
from policy_lang.source import whole_file

if TYPE_CHECKING:
    from compiler.facts.manifest.json_places import JsonPlaces

OLDEST_SCHEMA = 7
NEWEST_SCHEMA = 12
_EARLY_DBT2 = 20
"""What previews of dbt 2 called their v12."""
_ADAPTER_PARENTS = {"redshift": ("dbt_postgres",), "databricks": ("dbt_spark",)}
_RELEASE_BYTES = 8 * 1024 * 1024
_POPULATE_WRITE = 23
_ADVICE = (mmap.MADV_HUGEPAGE, _POPULATE_WRITE) if sys.platform == "linux" else ()
"""Where the system gives memory in pages of 2 MiB, it takes a third of the time to fill; else less in one go."""
_MOST_HUGE = 32 * 1024 * 1024
"""Of more memory, a virtual machine may have to ask its host for each such page."""
_HEAD = 4096
"""Metadata stand first: so far in the file, its writer is named."""
_BOM = b"\xef\xbb\xbf"
"""What some programs write before UTF-8; spaces in its place keep every byte where it is."""
_HINT = "run `dbt parse` to write it again"
_ARTIFACTS = ("catalog.json", "run_results.json", "sources.json")
LISTED = ("exposures", "metrics", "semantic_models", "saved_queries", "groups", "unit_tests")
_WHOLE = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


_Section = dict[str, msgspec.Raw] | None


class SplitManifest(msgspec.Struct, gc=False):
    """The manifest with its nodes still text."""

    metadata: dict[str, Any]
    nodes: dict[str, msgspec.Raw]
    sources: _Section = None
    exposures: _Section = None
    metrics: _Section = None
    semantic_models: _Section = None
    saved_queries: _Section = None
    groups: _Section = None
    unit_tests: _Section = None
    macros: _Section = None
    disabled: msgspec.Raw = msgspec.Raw(b"")


class OpenedManifest(NamedTuple):
    """A manifest that was read and split; it can be made facts once, which empties it."""

    split: SplitManifest
    buffer: mmap.mmap | bytes
    file: str


def section(split: SplitManifest, name: str) -> dict[str, msgspec.Raw]:
    """The nodes in one section, none where the manifest has no such section."""
    return getattr(split, name) or {}


def read_manifest(
    project_dir: Path, manifest_path: Path, needs: Needs | None = None, written: Written | None = None
) -> Outcome[Facts]:
    """Read the manifest of the project in ``project_dir``; disabled nodes are left out.

    Where ``written`` is given, it is filled with what the manifest says of the project's files.
    """
    plan = Plan(needs, written)
    facts = _at_once(project_dir, manifest_path, plan) if plan.at_once() else None
    if facts is not None:
        return facts
    opened = open_manifest(manifest_path)
    if opened.value is None:
        return Outcome(None, opened.diagnostics)
    with uncollected():
        facts = _Assembly(opened.value, project_dir, plan).facts()
    return Outcome(facts.value, (*opened.diagnostics, *facts.diagnostics))


def _at_once(project_dir: Path, manifest_path: Path, plan: Plan) -> Outcome[Facts] | None:
    """The facts by a decode of all nodes in one go; None where that cannot be, for whatever reason."""
    file = str(manifest_path)
    with uncollected():
        try:
            buffer = load_buffer(manifest_path)
        except OSError:
            return None
        if _writer(buffer[:_HEAD]) >= 2:
            return None
        decoded = plan.decoded(buffer)
        if decoded is None or _version_of(decoded.manifest.metadata, file).value is None:
            return None
        try:
            return _Assembly(OpenedManifest(decoded.manifest, buffer, file), project_dir, plan, decoded.readers).facts()
        except _OtherKindError:
            return None


class _OtherKindError(Exception):
    """The id of a node names another kind than its ``resource_type``."""


def open_manifest(manifest_path: Path) -> Outcome[OpenedManifest]:
    """Read the file and split it into its nodes, after a look at what it is."""
    file = str(manifest_path)
    with uncollected():
        try:
            buffer = load_buffer(manifest_path)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return _refuse("FLC110", f"cannot read `{file}`: {reason}", file, "run `dbt parse`, or name the manifest")
        split = split_manifest(buffer, file)
    if split.value is None:
        return Outcome(None, split.diagnostics)
    return Outcome(OpenedManifest(split.value, buffer, file), split.diagnostics)


def manifest_facts(
    opened: OpenedManifest,
    project_dir: Path,
    needs: Needs | None = None,
    *,
    only: frozenset[str] | None = None,
) -> Outcome[Facts]:
    """The facts of an opened manifest, which is used up.

    ``only`` names the nodes and sources that are decoded; what others would add to them is missing then.
    """
    if only is not None:
        nodes, sources = opened.split.nodes, section(opened.split, "sources")
        opened.split.nodes = {key: nodes[key] for key in sorted(nodes.keys() & only)}
        opened.split.sources = {key: sources[key] for key in sorted(sources.keys() & only)}
        opened.split.disabled = msgspec.Raw(b"")
    with uncollected():
        return _Assembly(opened, project_dir, Plan(needs)).facts()


def load_buffer(path: Path) -> mmap.mmap | bytes:
    """The file's bytes, in anonymous memory that can be given back in parts; OSError where it cannot be read."""
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise IsADirectoryError(errno.EISDIR, "it is no file", str(path))
    with open(path, "rb", buffering=0) as file:
        size = file.seek(0, 2)
        file.seek(0)
        if size < _RELEASE_BYTES:
            data = file.readall()
            return b"   " + data[len(_BOM) :] if data.startswith(_BOM) else data
        buffer = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for advice in _ADVICE if size <= _MOST_HUGE else _ADVICE[1:]:
            with suppress(OSError):  # a kernel that does not know it
                buffer.madvise(advice)
        view = memoryview(buffer)
        filled = 0
        while filled < size and (count := file.readinto(view[filled:])):
            filled += count
        view.release()
        if buffer[: len(_BOM)] == _BOM:
            buffer[: len(_BOM)] = b"   "
        return buffer[:filled] if filled < size else buffer


def split_manifest(buffer: mmap.mmap | bytes, file: str) -> Outcome[SplitManifest]:
    """The nodes as text, after a look at what the file is."""
    found: tuple[Diagnostic, ...] = ()
    try:
        manifest = msgspec.json.decode(buffer, type=SplitManifest)
    except msgspec.ValidationError as error:
        try:
            parts = _in_parts(buffer, file)
        except RecursionError as deep:
            return _not_json(deep, buffer[:4], file)
        if parts.value is None and parts.diagnostics:
            return Outcome(None, parts.diagnostics)
        if parts.value is None:
            return _refuse("FLC112", f"`{file}` is not a dbt manifest: {error}", file)
        manifest, found = parts.value, parts.diagnostics
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _not_json(error, buffer[:4], file)
    version = _version_of(manifest.metadata, file)
    return Outcome(manifest, found) if version.value is not None else Outcome(None, version.diagnostics)


def _in_parts(buffer: mmap.mmap | bytes, file: str) -> Outcome[SplitManifest]:
    """The manifest without those of its sections that are no objects; None where it has no nodes, and where it has no
    metadata (then nothing is said)."""
    try:
        parts = msgspec.json.decode(buffer, type=dict[str, msgspec.Raw])
        metadata = msgspec.json.decode(parts["metadata"], type=dict[str, Any])
        if _version_of(metadata, file).value is None:
            return Outcome(None)
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError):
        return Outcome(None)
    if "nodes" not in parts:
        return Outcome(None)
    from compiler.facts.manifest.json_places import JsonPlaces, reason_of

    places, found = JsonPlaces(Path(file)), []
    sections: dict[str, Any] = {}
    for name in ("nodes", "sources", *LISTED, "macros"):
        try:
            sections[name] = msgspec.json.decode(parts[name], type=_Section) if name in parts else None
        except msgspec.ValidationError as error:
            sections[name] = None
            text = f"`{name}` in `{file}`: {reason_of(error)}; nothing of it is judged"
            found.append(Diagnostic("FLC114", text, places.of_path((name,)), hint=_HINT, path=(name,)))
    if sections["nodes"] is None:
        return Outcome(None, tuple(found))
    return Outcome(SplitManifest(metadata, **sections), tuple(found))


def _not_json(error: Exception, head: bytes, file: str) -> Outcome[Any]:
    from compiler.facts.manifest.json_places import JsonPlaces, reason_of, why_not_text

    places, encoding = JsonPlaces(Path(file)), why_not_text(head)
    if encoding:
        hint = "save it as UTF-8, or let dbt write it (`dbt parse`)"
        return _refuse("FLC111", f"`{file}` is not UTF-8: {encoding}", file, hint)
    if not places.data.strip():
        return _refuse("FLC111", f"`{file}` is empty", file)
    reason = "it is nested too deeply" if isinstance(error, RecursionError) else reason_of(error)
    span = whole_file(file) if isinstance(error, RecursionError) else places.of_error(error)
    text = f"`{file}` is not whole JSON: {reason}"
    return Outcome(None, (Diagnostic("FLC111", text, span, hint=_HINT),))


def _version_of(metadata: dict[str, Any], file: str) -> Outcome[int]:
    """The version of the manifest's schema, which is noted in its metadata."""
    named = str(metadata.get("dbt_schema_version") or "").split("/manifest/v")[1:]
    version = next((int(digits) for digits in map(_digits, named) if 0 < len(digits) < 10), None)
    if version is None:
        return _refuse("FLC112", f"`{file}` is not a dbt manifest: its metadata name no manifest schema", file)
    if version < OLDEST_SCHEMA:
        hint = "dbt 1.3 and newer write manifests that are read"
        message = f"`{file}` has manifest schema v{version}; v{OLDEST_SCHEMA} and newer are read"
        return _refuse("FLC113", message, file, hint)
    metadata["manifest_version"] = version
    return Outcome(version)


def _writer(head: bytes) -> int:
    """The first number of dbt's version in the head of a manifest, 0 where it does not stand there."""
    given = head.partition(b'"dbt_version"')[2].lstrip().removeprefix(b":").lstrip()
    digits = _digits(given[1:].decode("utf-8", "replace")) if given[:1] == b'"' else ""
    return int(digits) if len(digits) < 10 and digits else 0


def _digits(text: str) -> str:
    """Those that a text begins with."""
    return text[: len(text) - len(text.lstrip("0123456789"))]


def _refuse(code: str, message: str, file: str, hint: str = _HINT) -> Outcome[Any]:
    return Outcome(None, (Diagnostic(code, message, whole_file(file), hint=hint),))


class _Assembly:
    """One manifest on its way to facts."""

    def __init__(
        self,
        opened: OpenedManifest,
        project_dir: Path,
        plan: Plan,
        decoded: Mapping[str, made.Reader] | None = None,
    ) -> None:
        """``decoded`` are the readers by whose structs the nodes are decoded already."""
        self.plan, self.needs, self.lineage, self.written = plan, plan.needs, plan.lineage, plan.written
        self.manifest, self.buffer, self.file = opened
        self.decoded = decoded
        self.project_dir = project_dir
        self.found: list[Diagnostic] = []
        self.dbt2 = written_by_dbt2(self.manifest.metadata)
        self.sql: dict[str, str] = {}
        self.places: JsonPlaces | None = None
        self.tests: dict[str, list[Entry]] = {}
        """Where tests are only listed: what the list of each node says, by its id."""

    def wanted(self, kind: str, name: str) -> bool:
        """True where the field is to be built."""
        return self.plan.wanted(kind, name)

    def facts(self) -> Outcome[Facts]:
        """All lists; the nodes last, because the text before a node is given back as they are read."""
        facts = Facts(project_entry(self.manifest.metadata, self.project_dir))
        self._version()
        self._sources(facts)
        users = any(self.wanted(kind, "used_by") for kind in (*NODES, "sources"))
        for kind in LISTED:
            if covered(self.needs, (kind,)) or users or kind == "groups":
                getattr(facts, kind).extend(self._whole(section(self.manifest, kind), MAKERS[kind]))
        called = self._macros(facts) if covered(self.needs, ("macros",)) or self.lineage else []
        facts.project["packages"] = self._packages(str(facts.project["name"]))
        used_macros = covered(self.needs, ("macros", "*", "used_by"))
        if self.decoded is None:
            self._nodes(facts, called if used_macros else None)
        else:
            self._decoded_nodes(facts, self.decoded)
        if covered(self.needs, ("tests",)) and not self.plan.listed_only:
            self._disabled_tests(facts)
        facts.sql.update(self.sql)
        if self.wanted("seeds", "columns") or self.wanted("seeds", "size"):
            from compiler.facts.project.seed_files import read_seed

            for seed in facts.seeds:
                if seed["package"] == facts.project["name"]:
                    read_seed(self.project_dir, seed)
        if used_macros:
            nodes = [*facts.models, *facts.seeds, *facts.snapshots]
            macro_users(facts.macros, [*called, *((n["unique_id"], n["depends_on_macros"]) for n in nodes)])
        for name in ("models", "seeds", "snapshots", "sources", "tests", *LISTED, "macros"):
            getattr(facts, name).sort(key=itemgetter("unique_id"))
        self._artifacts(facts)
        relate(facts, self.wanted, self.tests if self.plan.listed_only else None)
        self._finish(facts)
        return Outcome(facts, tuple(self.found))

    def _artifacts(self, facts: Facts) -> None:
        """What stands beside the manifest and adds to it; where nothing does, not even what reads it is imported."""
        folder = Path(self.file).parent
        if any(os.path.exists(folder / name) for name in _ARTIFACTS):
            from compiler.facts.manifest.artifacts import apply_artifacts

            self.found.extend(apply_artifacts(facts, folder, self.wanted))

    def _version(self) -> None:
        version = self.manifest.metadata["manifest_version"]
        if version > NEWEST_SCHEMA and version != _EARLY_DBT2:
            message = f"`{self.file}` has manifest schema v{version}, newer than v{NEWEST_SCHEMA}; it is read as that"
            hint = "what dbt has said otherwise since then is not seen: update floec"
            self.found.append(Diagnostic("FLC117", message, whole_file(self.file), Severity.WARN, hint=hint))

    def _finish(self, facts: Facts) -> None:
        if any(self.wanted(k, f) for k in NODES for f in ("refs", "source_refs")):
            resolve_refs(facts)
        if covered(self.needs, ("project", "cycles")) and self.wanted("models", "depends_on"):
            facts.project["cycles"] = cycles({m["unique_id"]: m["depends_on"] for m in facts.models})
        for group in facts.groups:
            del group["unique_id"]

    def _sources(self, facts: Facts) -> None:
        if section(self.manifest, "sources"):
            reader = self.plan.reader("sources", dbt2=self.dbt2)
            decode, build = reader.decoder(), reader.build
            made_entries = (
                self._entry(decode, build, raw, key) for key, raw in section(self.manifest, "sources").items()
            )
            facts.sources.extend(e for e in made_entries if e is not None)

    def _nodes(self, facts: Facts, users: list[tuple[str, list[str]]] | None = None) -> None:
        """``users`` collects what macros are called by what no list of the IR holds: tests, hooks and analyses."""
        readers: dict[str, tuple[list[Entry], Callable[[Any], Any], Callable[[Any], Entry]]] = {}
        nodes, read, released = self.manifest.nodes, 0, 0
        for key in list(nodes):
            raw = nodes.pop(key)
            read += memoryview(raw).nbytes
            name = key.partition(".")[0]
            if users is not None and (name == "test" or name not in KINDS):
                users += self._calls(key, raw)
            if name in KINDS:
                if name not in readers:
                    reader = self.plan.reader(KINDS[name], dbt2=self.dbt2)
                    build = self._listed(reader.build) if name == "test" and self.plan.listed_only else reader.build
                    readers[name] = (getattr(facts, KINDS[name]), reader.decoder(), build)
                entries, decode, build = readers[name]
                entry = self._entry(decode, build, raw, key)
                if entry is not None:
                    entries.append(entry)
            if read - released > _RELEASE_BYTES:
                released = self._release(released, read)

    def _disabled_tests(self, facts: Facts) -> None:
        """Tests that are switched off themselves: what they are on is there."""
        try:
            disabled = msgspec.json.decode(self.manifest.disabled or b"{}", type=dict[str, list[msgspec.Raw]] | None)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return  # others say that the file is not whole
        reader = self.plan.reader("tests", dbt2=self.dbt2)
        decode = reader.decoder()
        there = {
            node["unique_id"] for kind in ("models", "seeds", "snapshots", "sources") for node in getattr(facts, kind)
        }
        for key, raws in (disabled or {}).items():
            if not key.startswith("test."):
                continue
            for raw in raws[:1]:
                try:
                    entry = reader.build(decode(raw))
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    self._wrong(key, error)
                    continue
                if not entry.get("attached_to") or entry["attached_to"] in there:
                    facts.tests.append({**entry, "enabled": False})

    def _decoded_nodes(self, facts: Facts, readers: Mapping[str, made.Reader]) -> None:
        """The nodes' entries, once nothing else needs the text any more."""
        self._release(0, len(self.buffer))
        facts.held.append(self.manifest)
        kinds = {}
        for name, reader in readers.items():
            build = self._listed(reader.build) if name == "test" else reader.build
            kinds[reader.struct] = (f"{name}.", build, getattr(facts, KINDS[name]).append)
        checked = self.written if self.written is not None and self.written.hashed else None
        nodes: Mapping[str, Any] = self.manifest.nodes
        for key, node in nodes.items():
            kind = kinds.get(type(node))
            if kind is None:
                if key.partition(".")[0] in readers:
                    raise _OtherKindError
                continue
            start, build, add = kind
            if not key.startswith(start):
                raise _OtherKindError
            config = node.config
            if config is not None:
                enabled = config.enabled
                if enabled is not True and enabled is not None and not made.enabled(enabled):
                    continue
            if checked is not None:
                self._checksum(node)
            add(build(node))

    def _listed(self, build: Callable[[Any], Entry]) -> Callable[[Any], Entry]:
        """Builds what a node lists of a test, and gives it to that node."""
        tests, written = self.tests, self.written
        paths = written.paths if written is not None else set()
        own = f".{written.package}." if written is not None else ""

        def listed(node: Any) -> Entry:
            entry = build(node)
            on = entry.pop("attached_to")
            if on:
                if on in tests:
                    tests[on].append(entry)
                else:
                    tests[on] = [entry]
            if own and node.original_file_path not in paths:
                id_: str = node.unique_id
                if node.original_file_path and id_.startswith(own, id_.find(".")):
                    paths.add(node.original_file_path)
            return entry

        return listed

    def _checksum(self, node: Any) -> None:
        if self.written is not None and (checksum := getattr(node, "checksum", None)):
            self.written.hashes[made.slashes(node.original_file_path)] = str(checksum.get("checksum"))

    def _release(self, start: int, end: int) -> int:
        """Give back the pages before byte ``end``: all text there was read."""
        if isinstance(self.buffer, bytes) or not hasattr(mmap, "MADV_DONTNEED"):
            return end
        end -= end % mmap.PAGESIZE
        self.buffer.madvise(mmap.MADV_DONTNEED, start, end - start)
        return end

    def _entry(
        self, decode: Callable[[Any], Any], build: Callable[[Any], Entry], raw: msgspec.Raw, key: str
    ) -> Entry | None:
        try:
            node = decode(raw)
            config = node.config
            enabled = config.get("enabled") if isinstance(config, dict) else config and config.enabled
            if enabled is not True and enabled is not None and not made.enabled(enabled):
                return None
            if self.lineage and (code := getattr(node, "compiled_code", None) or getattr(node, "raw_code", None)):
                self.sql[node.unique_id] = code
            if self.written is not None and self.written.hashed:
                self._checksum(node)
            return build(node)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._wrong(key, error)
            return None

    def _wrong(self, key: str, error: Exception) -> None:
        """The place is looked for in the file: the text that was read may be given back already."""
        from compiler.facts.manifest.json_places import JsonPlaces, path_of, reason_of, shown_path

        self.places = self.places or JsonPlaces(Path(self.file))
        inside = path_of(error)
        of = (_SECTION_OF.get(key.partition(".")[0], "nodes"), key)
        if self.places.has((*of, "config", *inside[:1])) and not self.places.has((*of, *inside[:1])):
            inside = ("config", *inside)  # which is decoded by itself
        path = (*of, *inside)
        at = f" at `{shown_path(inside)}`" if inside else ""
        message = f"`{key}` in `{self.file}`: {reason_of(error)}{at}; it is not judged"
        self.found.append(Diagnostic("FLC114", message, self.places.of_path(path), hint=_HINT, subject=key, path=path))

    def _whole(self, raws: Mapping[str, msgspec.Raw], make: Callable[[Mapping[str, Any]], Entry]) -> Iterator[Entry]:
        for key, raw in raws.items():
            try:
                given = _WHOLE.decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                self._wrong(key, error)
                continue
            if made.enabled(mapping(given.get("config")).get("enabled", True)):
                yield make(given)

    def _macros(self, facts: Facts) -> list[tuple[str, list[str]]]:
        """The project's own macros; what other macros call is answered."""
        own = f"macro.{facts.project['name']}."
        raws = {key: raw for key, raw in section(self.manifest, "macros").items() if key.startswith(own)}
        facts.macros.extend(self._whole(raws, MAKERS["macros"]))
        calls: list[tuple[str, list[str]]] = []
        for key, raw in section(self.manifest, "macros").items():
            calls += self._calls(key, raw)
        return calls

    def _calls(self, key: str, raw: msgspec.Raw) -> list[tuple[str, list[str]]]:
        try:
            return [(key, msgspec.json.decode(raw, type=_Caller).depends_on.get("macros") or [])]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._wrong(key, error)
            return []

    def _packages(self, name: str) -> list[Entry]:
        if not covered(self.needs, ("project", "packages")):
            return []
        adapter = str(self.manifest.metadata.get("adapter_type"))
        inner = {name, "dbt", f"dbt_{adapter}", *_ADAPTER_PARENTS.get(adapter, ())}
        keys = (*section(self.manifest, "macros"), *self.manifest.nodes)
        names = sorted({key.split(".", 2)[1] for key in keys if "." in key} - inner)
        return [{"name": n, "version": installed_version(self.project_dir, n)} for n in names]


_SECTION_OF = {
    "source": "sources", "exposure": "exposures", "metric": "metrics", "semantic_model": "semantic_models",
    "saved_query": "saved_queries", "group": "groups", "unit_test": "unit_tests", "macro": "macros",
}  # fmt: skip
"""How ids begin → where the manifest has what they name, if not among its nodes."""


class _Caller(msgspec.Struct, gc=False):
    depends_on: dict[str, list[str] | None] = {}
