"""The files of a dbt project: found, read, and each one's facts taken from the cache or extracted.

Codes: FLC100, FLC106 and FLC108 as for every file, FLC122 Jinja, Python or CSV that cannot be parsed, FLC123 links in
a ring, FLC124 a folder that cannot be listed or what is no file, FLC125 YAML that is no mapping.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from typing import Any

from compiler.documents.yaml_document import MAX_BYTES
from compiler.facts.kept.file_cache import FileCache, Known
from compiler.facts.project.config import ProjectFile
from compiler.facts.project.file_facts import BrokenSql, FileFacts
from compiler.facts.project.ignored import read_ignored
from compiler.facts.sql.text import SqlText
from compiler.file_states import NO_FILE, Stamp, content_digest, stamp_of
from compiler.structs import Struct, field
from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.digests import digest_of
from policy_lang.patterns import Pattern
from policy_lang.records import NamedTuple
from policy_lang.source import Span, whole_file

_ROLES = {
    "model-paths": "model",
    "seed-paths": "seed",
    "snapshot-paths": "snapshot",
    "test-paths": "test",
    "macro-paths": "macro",
    "analysis-paths": "analysis",
}
_WANTED = {
    "model": (".sql", ".py"),
    "seed": (".csv",),
    "snapshot": (".sql",),
    "test": (".sql",),
    "macro": (".sql",),
    "analysis": (),
}
_HINTS = {
    "FLC106": "keep it out of the project's paths, or name it in .dbtignore",
    "FLC122": "mend it: dbt stops at the same place",
    "FLC123": "take the link out, or let it lead out of its own folder",
    "FLC124": "let this user read it, or name it in .dbtignore where it is not meant to be read",
    "FLC125": "begin the file with `models:`, `sources:` or another section, each a list of mappings",
}
_QUERIES = ("model", "snapshot", "test")
_READ = (".sql", ".py", ".csv", ".yml", ".yaml", ".md")
_SECTIONS = ("models", "sources", "seeds", "snapshots", "exposures", "metrics", "semantic_models", "groups", "macros")
_DOCS = Pattern(r"\{%-?\s*docs\s+(\w+)\s*-?%\}(.*?)\{%-?\s*enddocs\s*-?%\}", re.DOTALL)


class Listed(NamedTuple):
    """A file that is read; ``path`` is from its package's root, ``parts`` the folders below ``base``."""

    role: str
    base: str
    path: str
    parts: tuple[str, ...]
    stamp: Stamp


class CodeFile(Struct, frozen=True):
    """A file with code or data in it; ``path`` is from its package's root, ``parts`` the folders below ``base``."""

    role: str
    path: str
    base: str
    parts: tuple[str, ...]
    stem: str
    facts: FileFacts
    text: SqlText | None
    raw_code: str | None


class YamlFile(Struct, frozen=True):
    """A YAML file of properties."""

    path: str
    parts: tuple[str, ...]
    value: dict[str, Any]


class Scan(Struct):
    """All files of one package; ``files`` holds what was found on disk, ``digests`` the content of each by path.

    ``linked`` says that a link to a folder was followed: not all that was read is below the package then.
    """

    project: ProjectFile
    code: list[CodeFile] = field(default_factory=list)
    yaml: list[YamlFile] = field(default_factory=list)
    docs: dict[str, str] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    files: list[Listed] = field(default_factory=list)
    digests: dict[str, bytes] = field(default_factory=dict)
    linked: bool = False


def scan_project(
    project: ProjectFile, cache: FileCache[Known], *, keep_code: bool, only: frozenset[str] | None = None
) -> Scan:
    """Read every file of the package once; ``keep_code`` keeps the text of models (``raw_code``).

    ``only`` limits it to these paths and the macros.
    """
    return _Scanner(project, cache, keep_code, only).run()


def list_project(project: ProjectFile) -> Scan:
    """The files of the package as they stand on disk; none is read."""
    return _Scanner(project, FileCache(None, "", Known), False, None).listed()


def scan_listed(scan: Scan, cache: FileCache[Known], paths: Collection[str], *, keep_code: bool) -> Scan:
    """Those ``paths`` read that ``list_project`` found."""
    only = Scan(scan.project, files=[file for file in scan.files if file.path in paths])
    return _Scanner(scan.project, cache, keep_code, None).read(only)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a ring of links
        return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Also of what cannot be followed, which was reported."""
    try:
        return entry.is_dir()
    except OSError:
        return True


def _stamp(entry: os.DirEntry[str]) -> Stamp:
    try:
        return stamp_of(entry.stat())
    except OSError:  # gone meanwhile: reading it will say so
        return NO_FILE


def variables_digest(project: ProjectFile) -> str:
    """What the facts of a file depend on beside its content."""
    return digest_of(repr(sorted(project.variables.values.items())).encode("utf-8", "surrogatepass"), 8).hexdigest()


def _profile_digest(project: ProjectFile) -> bytes:
    """What the dialect of the project's SQL is read from; empty where there is no such file."""
    path = os.path.join(project.root, "profiles.yml")
    try:
        if not os.path.isfile(path):  # a pipe would be waited for
            return b""
        with open(path, "rb") as file:
            return content_digest(file.read(MAX_BYTES))
    except OSError:
        return b""


def misshapen(properties: dict[str, Any]) -> Iterator[str]:
    """What in a file of properties is no list of mappings where dbt wants one: nothing of it would be judged."""
    for section in _SECTIONS:
        entries = properties.get(section) or ()
        if not isinstance(entries, list | tuple) or not all(isinstance(e, dict) for e in entries):
            yield f"`{section}` is no list of mappings"
            continue
        for entry in entries:
            for part in ("columns", "tables"):
                parts = entry.get(part) or ()
                if not isinstance(parts, list | tuple) or not all(isinstance(p, dict) for p in parts):
                    yield f"`{part}` of `{entry.get('name')}` in `{section}` is no list of mappings"


class _Scanner:
    def __init__(
        self, project: ProjectFile, cache: FileCache[Known], keep_code: bool, only: frozenset[str] | None
    ) -> None:
        self.only = only
        self.project = project
        self.cache = cache
        self.keep_code = keep_code
        self.scan = Scan(project)
        self.digest = variables_digest(project).encode()
        self.profile = _profile_digest(project)

    def run(self) -> Scan:
        return self.read(self.listed())

    def read(self, scan: Scan) -> Scan:
        self.scan = scan
        for file in scan.files:
            self._file(file.role, file.base, file.path, file.parts)
        self.scan.code.sort(key=lambda f: f.path)
        self.scan.yaml.sort(key=lambda f: f.path)
        return self.scan

    def listed(self) -> Scan:
        seen: set[str] = set()
        ignored, wrong = read_ignored(self.project.root)
        if not self.project.folder:
            self.scan.diagnostics += wrong
        for key, role in _ROLES.items():
            suffixes = (*_WANTED[role], ".yml", ".yaml", ".md")
            for base in self.project.paths[key]:
                for entry, path, parts in self._walk(base):
                    wanted = self.only is None or path in self.only or role == "macro" or path.endswith(".md")
                    if wanted and path not in seen and path.lower().endswith(suffixes) and not ignored(path):
                        seen.add(path)
                        self.scan.files.append(Listed(role, base, path, parts, _stamp(entry)))
        return self.scan

    def shown(self, path: str) -> str:
        """The path for messages: from the root project's folder as the user gave it."""
        return str(self.project.root / path)

    def _walk(self, base: str) -> Iterator[tuple[os.DirEntry[str], str, tuple[str, ...]]]:
        """Files below ``base``, links followed unless they lead back into a folder that is being walked."""
        pending: list[tuple[str, tuple[str, ...], frozenset[str]]] = [(base, (), frozenset())]
        while pending:
            folder, parts, above = pending.pop()
            full = os.path.join(self.project.root, folder)
            if not parts and not os.path.isdir(full):
                return
            try:
                entries = sorted(os.scandir(full), key=lambda e: e.name)
            except OSError as error:
                self._report("FLC124", f"cannot list `{self.shown(folder)}`: {error.strerror}", folder)
                continue
            here = above | {os.path.realpath(full)} if any(e.is_symlink() for e in entries) or above else above
            for entry in entries:
                path = f"{folder}/{entry.name}"
                if self._is_folder(entry, path, here):
                    pending.append((path, (*parts, entry.name), here))
                elif entry.name.startswith("."):
                    continue
                elif _is_file(entry):
                    yield entry, path, parts
                elif entry.name.lower().endswith(_READ) and not _is_folder(entry):
                    self._report("FLC124", f"`{self.shown(path)}` is no file: a pipe, a device, or a dead link", path)

    def _is_folder(self, entry: os.DirEntry[str], path: str, above: frozenset[str]) -> bool:
        try:
            if not entry.is_dir():
                return False
        except OSError as error:
            self._report("FLC124", f"cannot follow `{self.shown(path)}`: {error.strerror}", path)
            return False
        if not entry.is_symlink():
            return True
        self.scan.linked = True
        target = os.path.realpath(entry.path)
        real = os.path.realpath(os.path.dirname(entry.path))
        if target in above or real == target or real.startswith(target + os.sep):
            self._report("FLC123", f"the link `{self.shown(path)}` leads back to `{target}`; it is not followed", path)
            return False
        return True

    def _report(self, code: str, message: str, path: str, line: int = 1, hint: str = "") -> None:
        severity = Severity.WARN if code in ("FLC123", "FLC124") else Severity.BLOCK
        span = whole_file(self.shown(path)) if line == 1 else Span(self.shown(path), line, 1, line, 1)
        self.scan.diagnostics.append(Diagnostic(code, message, span, severity, hint=hint or _HINTS.get(code, "")))

    def _file(self, role: str, base: str, path: str, parts: tuple[str, ...]) -> None:
        stem, suffix = os.path.splitext(path.rpartition("/")[2])
        suffix = suffix.lower()
        if suffix in (".yml", ".yaml"):
            self._yaml(path, parts)
        elif suffix == ".md":
            text = self._text(self._read(path), path)
            self.scan.docs.update({name: body.strip() for name, body in _DOCS.findall(text or "")})
        elif suffix in _WANTED[role]:
            if role == "test" and parts[:1] == ("generic",):
                role = "macro"
            self._code(role, base, path, parts, stem, suffix)

    def _read(self, path: str) -> bytes | None:
        full = os.path.join(self.project.root, path)
        try:
            with open(full, "rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            self._report("FLC100", f"cannot read `{self.shown(path)}`: {error.strerror}", path, hint="check the path")
            return None
        if len(data) > MAX_BYTES:
            self._report("FLC106", f"`{self.shown(path)}` is larger than {MAX_BYTES} bytes", path)
            return None
        self.scan.digests[path] = content_digest(data)
        return data

    def _text(self, data: bytes | None, path: str) -> str | None:
        if data is None:
            return None
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            message = f"`{self.shown(path)}` is not UTF-8 (byte {error.start})"
            self._report("FLC108", message, path, line, "save the file as UTF-8")
            return None

    def _yaml(self, path: str, parts: tuple[str, ...]) -> None:
        data = self._read(path)
        if data is None:
            return
        key, known = self.cache.get(data, "yaml")
        if known is None:
            text = self._text(data, path)
            if text is None:
                return
            from compiler.facts.project.yaml_values import load_values

            loaded = load_values(self.shown(path), text.rstrip())  # dbt strips files, too: a block scalar ends there
            if loaded.diagnostics:
                self.scan.diagnostics.extend(loaded.diagnostics)
                return
            known = Known(yaml=loaded.value)
            self.cache.put(key, known)
        if isinstance(known.yaml, dict):
            for wrong in misshapen(known.yaml):
                self._report("FLC125", f"`{self.shown(path)}`: {wrong}", path, hint="dbt does not read it, either")
            self.scan.yaml.append(YamlFile(path, parts, known.yaml))
        elif known.yaml is not None:
            self._report("FLC125", f"`{self.shown(path)}` holds no mapping of properties", path)

    def _code(self, role: str, base: str, path: str, parts: tuple[str, ...], stem: str, suffix: str) -> None:
        data = self._read(path)
        if data is None:
            return
        query = suffix == ".sql" and role in _QUERIES and not self.project.folder
        key, known = self.cache.get(data + self.digest + (self.profile if query else b""), "query" if query else suffix)
        text: str | None = None
        if known is None or self.keep_code:
            text = self._text(data, path)
            if text is None:
                return
        if known is None and text is not None:
            known = self._extract(text, suffix, len(data))
            if query and known.facts is not None and known.facts.broken is None:
                known.facts.broken_sql = self._broken_sql(text)
            self.cache.put(key, known)
        if known is None or known.facts is None:
            return
        if known.facts.broken is not None:
            line, message = known.facts.broken
            kind = {".py": "Python", ".csv": "CSV"}.get(suffix, "Jinja")
            self._report("FLC122", f"broken {kind} in `{self.shown(path)}`: {message}", path, line)
        raw = text.strip() if text is not None and self.keep_code else None
        self.scan.code.append(CodeFile(role, path, base, parts, stem, known.facts, known.text, raw))

    def _broken_sql(self, text: str) -> BrokenSql | None:
        from compiler.facts.project.profile import read_profile
        from compiler.facts.sql.syntax import broken_sql

        return broken_sql(text, lambda: read_profile(self.project).get("type"))

    def _extract(self, text: str, suffix: str, size: int) -> Known:
        from compiler.facts.sql.text import measure

        if suffix == ".csv":
            from compiler.facts.project.seed_files import read_csv

            return Known(read_csv(text, size))
        from compiler.facts.project.plain_jinja import read_plain

        plain = read_plain(text) if suffix == ".sql" else None
        if plain is not None:
            return Known(plain, measure(text))
        from compiler.facts.project.jinja_values import Values
        from compiler.facts.project.sql_files import read_python, read_sql

        if suffix == ".py":
            return Known(read_python(text), SqlText(text.strip().count("\n") + 1, 0, False, []))
        return Known(read_sql(text, Values(self.project.variables.values)), measure(text))
