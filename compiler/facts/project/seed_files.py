"""A seed's CSV file: its columns and its size."""

from __future__ import annotations

from pathlib import Path

from compiler.documents.yaml_document import MAX_BYTES
from compiler.facts import entries
from compiler.facts.entries import Entry
from compiler.facts.project.file_facts import FileFacts

_DELIMITERS = (",", ";", "\t", "|")


def read_csv(text: str, size: int) -> FileFacts:
    """The names in the header, and the number of rows below it; ``size`` is the file's, in bytes."""
    import csv  # few seeds are read again
    import io

    header = text.partition("\n")[0]
    delimiter = next((d for d in _DELIMITERS if d in header), ",")
    try:
        rows = csv.reader(io.StringIO(text), delimiter=delimiter)
        names = [name.strip() for name in next(rows, []) if name.strip()]
        count = (
            sum(1 for row in rows if row) if '"' in text else sum(1 for line in text.splitlines()[1:] if line.strip())
        )
    except csv.Error as error:
        return FileFacts(broken=(1, str(error)))
    return FileFacts(columns=names, rows=count, size=size)


def apply_csv(seed: Entry, facts: FileFacts) -> None:
    """Give a seed the columns that only its file has, and its size."""
    seed["size"] = None if facts.size is None else {"rows": facts.rows, "bytes": facts.size}
    if "columns" in seed:
        named = {c["name"].lower() for c in seed["columns"]}
        more = [entries.column({"name": n}, "", declared=False) for n in facts.columns if n.lower() not in named]
        seed["columns"] = [*seed["columns"], *more]


def read_seed(project_dir: Path, seed: Entry) -> None:
    """``apply_csv`` with the file of a seed, if it is there; one that cannot be read says nothing."""
    path = project_dir / seed["path"]
    try:
        if path.suffix.lower() == ".csv" and path.stat().st_size <= MAX_BYTES:
            data = path.read_bytes()
            apply_csv(seed, read_csv(data.decode("utf-8-sig"), len(data)))
    except (OSError, UnicodeDecodeError):
        return
