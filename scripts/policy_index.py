"""Writes docs/policies.md, the index of the policies that ship, from their files.

usage: python scripts/policy_index.py [--check]

Reads the declarations as text, so that it runs without floec being installed. With ``--check`` nothing is written:
the exit code is 1 where the page is out of date.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "stdlib_policies"
PAGE = ROOT / "docs" / "policies.md"
PEER_RULES = Path(__file__).with_name("peer_rules.tsv")
_CLAUSE = re.compile(r"^\t(id|title|severity|tags)\s+(.+)$", re.MULTILINE)
_PARAM = re.compile(r"^param (\w+):", re.MULTILINE)
_SCOPES = {"XC1": "written in the same language"}


@dataclass(frozen=True)
class Entry:
    """A policy as its file declares it; ``path`` is relative to the library's folder."""

    id: str
    title: str
    severity: str
    tags: tuple[str, ...]
    params: tuple[str, ...]
    path: Path


def entries() -> list[Entry]:
    """The policies by id."""
    found = []
    for file in LIBRARY.glob("*/*.floe"):
        text = file.read_text(encoding="utf-8")
        if "\npolicy " not in text:
            continue
        clauses = dict(_CLAUSE.findall(text))
        tags = tuple(re.findall(r'"([^"]*)"', clauses.get("tags", "")))
        title = clauses["title"].strip().removeprefix('"').removesuffix('"')
        params = tuple(_PARAM.findall(text))
        found.append(Entry(clauses["id"], title, clauses["severity"], tags, params, file.relative_to(LIBRARY)))
    return sorted(found, key=lambda entry: entry.id)


def page() -> str:
    """The text of the index."""
    policies = entries()
    lines = [
        "# The policies that ship",
        "",
        "Written by `scripts/policy_index.py`; do not edit.",
        "",
        f"{len(policies)} policies. A manifest puts them in force with `policies: [{{use: stdlib}}]`, or one family",
        "with `{use: stdlib/naming}`, sets severities with `severity: {ID: block}` and parameters with",
        "`params: {name: value}`.",
        "A policy without its parameter set, or without anything to look at, checks nothing; `floec check` says how",
        "many those were, `floec check -v` which.",
    ]
    for family in sorted({entry.path.parent.name for entry in policies}):
        lines += ["", f"## {family}", "", "| id | title | severity | parameters |", "| --- | --- | --- | --- |"]
        lines += [_row(entry) for entry in policies if entry.path.parent.name == family]
    lines += ["", "## Rules that other linters of dbt projects have", "", "| rule | policies |", "| --- | --- |"]
    for code, text in _peer_rules():
        ids = [entry.id for entry in policies if code in entry.tags]
        lines.append(f"| {code} {text} | {', '.join(ids) or _SCOPES.get(code, '–')} |")
    return "\n".join(lines) + "\n"


def _row(entry: Entry) -> str:
    link = f"../stdlib_policies/{entry.path.with_suffix('.md').as_posix()}"
    params = ", ".join(f"`{name}`" for name in entry.params)
    return f"| [{entry.id}]({link}) | {entry.title} | {entry.severity} | {params} |"


def _peer_rules() -> list[tuple[str, str]]:
    rows = PEER_RULES.read_text(encoding="utf-8").splitlines()
    return [(code, text) for code, _, text in (row.partition("\t") for row in rows)]


def main(arguments: list[str]) -> int:
    """Writes the page, or compares it."""
    text = page()
    if arguments != ["--check"]:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if current != text:
        sys.stderr.write(f"{PAGE.relative_to(ROOT)} is out of date: run python scripts/policy_index.py\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
