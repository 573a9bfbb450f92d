"""The SQL that a manifest holds, where it is decoded for lineage, and that of its singular tests: what no parser
understands (FLC130, warn), at the place in the project's own file.

SQL that is read from the project's files is looked at when it is read (``scan``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from compiler.facts.entries import Entry
from compiler.facts.kept.file_cache import FileCache
from compiler.facts.kept.packing import read_packed, write_packed
from compiler.facts.project.file_facts import BrokenSql, FileFacts
from compiler.facts.sql.syntax import QUERIES, broken_sql, sql_diagnostic
from compiler.ir.facts_model import Facts, Origin
from policy_lang.diagnostics import Diagnostic
from policy_lang.digests import name_of

_FORM = b"floec-syntax-1\n"


def broken_in_manifest(facts: Facts, project_dir: Path, folder: Path | None) -> list[Diagnostic]:
    """One finding a file of the root project; ``folder`` is the cache folder, None for no cache."""
    adapter = facts.project["dialect"]
    cache = FileCache(folder, f"{project_dir.resolve()}\nsyntax {adapter}", FileFacts)
    kept = _Kept(facts.origin, project_dir, folder)
    found: dict[str, Diagnostic] = {}
    for entry, sql in _queries(facts, project_dir):
        broken = kept.said(entry["unique_id"], lambda: _known(sql, adapter, cache))  # noqa: B023
        if broken is not None and entry["path"] not in found:
            file = project_dir / entry["path"]
            subject = f"{entry.get('resource_type', 'test')} {entry['name']}"
            found[entry["path"]] = sql_diagnostic(str(file), subject, _placed(broken, sql, _text(file)))
    cache.save()
    kept.save()
    return list(found.values())


class _Kept:
    """What was said of the texts that a manifest holds, for as long as its facts are kept: to look at a thousand texts
    again takes longer than to judge the three that a commit changes. Tests are always looked at: their text is on disk.
    """

    def __init__(self, origin: Origin, project_dir: Path, folder: Path | None) -> None:
        self.origin = origin
        self._file = folder / "facts" / f"{name_of(str(project_dir.resolve()))}.syntax" if folder is not None else None
        kept = read_packed(self._file, _FORM) if self._file is not None and origin.base else None
        self._holds = kept is not None and kept[0] == origin.base
        self._unknown: frozenset[str] = kept[1] if kept is not None and self._holds else frozenset()
        self._broken: dict[str, tuple[int, int, int, str, str]] = kept[2] if kept is not None and self._holds else {}

    def said(self, id_: str, look: Callable[[], BrokenSql | None]) -> BrokenSql | None:
        """What is wrong with the text of a node; ``look`` where that is not known."""
        if id_.startswith("test.") or id_ in self.origin.touched or id_ in self._unknown:
            return look()
        if self._holds:
            known = self._broken.get(id_)
            return None if known is None else BrokenSql(*known)
        found = look()
        if found is not None:
            self._broken[id_] = msgspec.structs.astuple(found)
        return found

    def save(self) -> None:
        """Keep what was said of all that is as the manifest has it."""
        if self._file is not None and self.origin.base and not self._holds:
            write_packed(self._file, _FORM, (self.origin.base, self.origin.touched, self._broken))


def _queries(facts: Facts, project_dir: Path) -> Iterator[tuple[Entry, str]]:
    name = facts.project["name"]
    for entry in (*facts.models, *facts.snapshots):
        sql = facts.sql.get(entry["unique_id"])
        own = entry["package"] == name and entry["language"] == "sql" and entry["materialized"] in QUERIES
        if sql and own:
            yield entry, sql
    for entry in facts.tests:
        if entry.get("kind") == "singular" and entry["unique_id"].startswith(f"test.{name}."):
            sql = _text(project_dir / entry["path"])
            if sql:
                yield entry, sql


def _text(file: Path) -> str | None:
    try:
        return file.read_text("utf-8-sig") if file.is_file() else None
    except (OSError, UnicodeDecodeError):
        return None


def _known(sql: str, adapter: str | None, cache: FileCache[FileFacts]) -> BrokenSql | None:
    """Parsed where it is asked for the first time; what does not look odd is not worth keeping."""
    asked: list[str] = []

    def used() -> str | None:
        asked.append(key)
        return adapter

    key, known = cache.get(sql.encode("utf-8", "surrogatepass"), "syntax")
    if known is not None:
        return known.broken_sql
    broken = broken_sql(sql, used)
    if asked:
        cache.put(key, FileFacts(broken_sql=broken))
    return broken


def _placed(broken: BrokenSql, sql: str, source: str | None) -> BrokenSql:
    """The place in the file: dbt keeps a text without the white space around it, and compiles it to another one."""
    if source is None:
        return BrokenSql(1, 1, 0, broken.reason, broken.hint)
    start = source.find(sql)
    if start >= 0:
        above = source.count("\n", 0, start)
        before = start - source.rfind("\n", 0, start) - 1 if broken.line == 1 else 0
        return BrokenSql(broken.line + above, broken.col + before, broken.length, broken.reason, broken.hint)
    lines, written = sql.split("\n"), source.split("\n")
    line = lines[broken.line - 1]
    same = _same_line(line, broken.line / len(lines), written)
    if same is not None:
        indent = _indent(written[same]) - _indent(line)
        return BrokenSql(same + 1, max(broken.col + indent, 1), broken.length, broken.reason, broken.hint)
    for above in range(broken.line - 2, -1, -1):
        same = _same_line(lines[above], above / len(lines), written)
        if same is not None:
            text = written[same]
            reason = f"{broken.reason}, below this line of the file in what dbt compiles it to"
            return BrokenSql(same + 1, _indent(text) + 1, len(text.strip()), reason, broken.hint)
    return BrokenSql(1, 1, 0, f"{broken.reason}, in what dbt compiles it to", broken.hint)


def _same_line(line: str, share: float, written: list[str]) -> int | None:
    """The line of the file that is the same but for white space around it: of several, that nearest to the share."""
    wanted = line.strip()
    found = [i for i, one in enumerate(written) if wanted and one.strip() == wanted]
    return min(found, key=lambda i: abs(i / len(written) - share), default=None)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
