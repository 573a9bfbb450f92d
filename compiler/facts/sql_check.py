"""The SQL that a manifest holds, where it is decoded for lineage, and that of its singular tests: what no parser
understands (FLC130, warn), at the place in the project's own file.

SQL that is read from the project's files is looked at when it is read (``scan``).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from compiler.facts.entries import Entry
from compiler.facts.file_cache import FileCache
from compiler.facts.file_facts import BrokenSql, FileFacts
from compiler.facts.sql_syntax import QUERIES, broken_sql, sql_diagnostic
from compiler.ir.facts_model import Facts
from policy_lang.diagnostics import Diagnostic


def broken_in_manifest(facts: Facts, project_dir: Path, folder: Path | None) -> list[Diagnostic]:
    """One finding a file of the root project; ``folder`` is the cache folder, None for no cache."""
    adapter = facts.project["dialect"]
    cache = FileCache(folder, f"{project_dir.resolve()}\nsyntax {adapter}", FileFacts)
    found: dict[str, Diagnostic] = {}
    for entry, sql in _queries(facts, project_dir):
        if entry["path"] in found:
            continue
        broken = _known(sql, adapter, cache)
        if broken is not None:
            file = project_dir / entry["path"]
            subject = f"{entry.get('resource_type', 'test')} {entry['name']}"
            found[entry["path"]] = sql_diagnostic(str(file), subject, _placed(broken, sql, _text(file)))
    cache.save()
    return list(found.values())


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
