"""Findings that only say that a file could not be read: what it may state of nodes is unknown, and not absent.

A properties file that does not parse takes the description, owner, columns and tests of its models with it, and the
exposures and sources that it declares. Policies then find what is missing everywhere, though one bracket is. Held back
is a finding

- on a node that such a file may describe, by a policy that reads what files of properties state of nodes;
- on another node, where it is not found without those nodes, or where its policy reads lists in which the file may
  have more entries, of which some may be about the node;
- at a reference to what the file may declare.

What a file may speak of is told by its text: a name that does not occur in it is not in it. Codes: FLC131 (notify) how
many findings are held back for a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from policy_lang.diagnostics import Diagnostic, Outcome, Severity
from policy_lang.plan.sliced import Slice
from policy_lang.policies import PolicyRun, PolicySet, Violation
from policy_lang.records import NamedTuple
from policy_lang.source import whole_file

_NODES = ("models", "seeds", "snapshots", "macros", "tests")
_LISTS = ("sources", "exposures", "metrics", "semantic_models", "saved_queries", "unit_tests", "groups")
_CONFIGURED = frozenset((
    "access", "alias", "config", "contract_enforced", "database", "deprecation_date", "grants", "group",
    "incremental_strategy", "layer_rank", "materialized", "meta", "owner", "retention_days", "schema",
    "snapshot_strategy", "tags", "unique_key",
))  # fmt: skip
"""What ``dbt_project.yml`` may state of the nodes in a folder."""
_DESCRIBED = _CONFIGURED | {
    "arguments", "columns", "constraints", "coverage", "description", "latest_version", "patch_path", "primary_key",
    "tests", "version",
}  # fmt: skip
"""What properties may state of a node."""
_OF_MANIFEST = "FLC114"
_READING = ("FLC10", "FLC121", "FLC125")
_DRIFT = ("FLC515", "FLC516")
_SHOWN = 3


class Unread(NamedTuple):
    """A file of the project that could not be read, its path in the project, and its text as far as it has one (None:
    it may say anything).

    ``configures``: it is ``dbt_project.yml``, which speaks of all nodes. ``section``: it is dbt's manifest, and no more
    than this section of it could not be read, or some of its nodes (whose ids are the text then).
    """

    file: str
    path: str
    text: str | None
    configures: bool = False
    section: str = ""

    def names(self, name: str) -> bool:
        """Whether it may speak of what has this name."""
        return self.text is None or re.search(rf"(?<!\w){re.escape(name)}(?!\w)", self.text) is not None

    def declares(self, section: str) -> bool:
        """Whether it may have entries for the list of the IR."""
        if self.section:
            return self.text is None and section == self.section
        return not self.configures and (self.text is None or re.search(rf"\b{section}\s*:", self.text) is not None)


def unread_files(found: Iterable[Diagnostic], project: Path) -> tuple[Unread, ...]:
    """The properties files of the project whose reading ended with an error, and what its manifest lacks."""
    files: dict[str, None] = {}
    lacking: dict[tuple[str, str], str | None] = {}
    for one in found:
        file = one.span.file if one.span is not None else ""
        read = one.severity is Severity.BLOCK and one.code.startswith(_READING)
        if one.code == _OF_MANIFEST and one.path:
            section = str(one.path[0])
            known = lacking.get((file, section), "")
            whole = len(one.path) == 1 or known is None
            lacking[file, section] = None if whole else f"{known} {one.path[1]}"
        if read and file.endswith((".yml", ".yaml")) and Path(file).is_relative_to(project):
            files[file] = None
    paths = [Path(file) for file in files]
    inside = [path.relative_to(project).as_posix() for path in paths]
    return (
        *(
            Unread(str(path), name, _text(path), name == "dbt_project.yml")
            for path, name in zip(paths, inside, strict=True)
        ),
        *(Unread(file, "", text, section=section) for (file, section), text in lacking.items()),
    )


def _text(file: Path) -> str | None:
    try:
        return file.read_bytes().decode("utf-8", "replace") if file.is_file() else None
    except OSError:
        return None


class HeldBack:
    """``run`` answers what the policies find, without what is held back; ``counts`` says how much that is, by file."""

    def __init__(self, unread: Sequence[Unread], ir: dict[str, Any]) -> None:
        self.unread = unread
        self.ir = ir
        self.counts: dict[str, int] = {}
        self.unknown: dict[str, Unread] = {}
        """``unique_id`` of each node that a file may describe → the file."""
        for section in _NODES:
            for entry in ir[section]:
                of = next((one for one in unread if self._may_describe(one, entry)), None)
                if of is not None:
                    self.unknown[entry["unique_id"]] = of

    def _may_describe(self, one: Unread, entry: dict[str, Any]) -> bool:
        if one.configures:
            return True
        if entry.get("kind") == "generic":
            return False
        group = entry.get("group")
        lost = (
            group is not None
            and (not one.section or one.declares("groups"))
            and all(known["name"] != group for known in self.ir["groups"])
            and one.names(group)
        )
        return lost or (
            not one.section and entry.get("patch_path") in (None, "", one.path) and one.names(entry["name"])
        )

    def run(self, policies: PolicySet, judge: Callable[[dict[str, Any]], Outcome[PolicyRun]]) -> Outcome[PolicyRun]:
        """What ``judge`` finds in the IR, without what is held back."""
        ran = judge(self.ir)
        if ran.value is None or not ran.value.violations:
            return ran
        reads = {one.policy: one for one in policies.slices()}
        several = self.unknown and any(not one.configures for one in self.unread)
        without = self._without(judge) if several else None
        kept = []
        for violation in ran.value.violations:
            file = self._held(violation, reads.get(violation.policy.id), without)
            if file is None:
                kept.append(violation)
            else:
                self.counts[file] = self.counts.get(file, 0) + 1
        return Outcome(ran.value._replace(violations=tuple(kept)), ran.diagnostics)

    def _without(self, judge: Callable[[dict[str, Any]], Outcome[PolicyRun]]) -> frozenset[tuple[Any, ...]] | None:
        """What is found where the unknown nodes are not there; None where that cannot be told."""
        gone = self.unknown.keys()
        ir = dict(self.ir)
        for name in _NODES:
            ir[name] = [e for e in ir[name] if e["unique_id"] not in gone and e.get("attached_to") not in gone]
        ran = judge(ir)
        if ran.value is None:
            return None
        return frozenset(_identity(violation, ir) for violation in ran.value.violations)

    def _held(self, violation: Violation, of: Slice | None, without: frozenset[tuple[Any, ...]] | None) -> str | None:
        """The file for which the violation is held back, None where it is not."""
        at, reads = violation.at, of.reads if of is not None else frozenset(((),))
        entry = _entry(at, self.ir)
        if entry is None:
            own = without is not None and _identity(violation, self.ir) not in without
            return self._first() if own else None
        by = self.unknown.get(entry.get("unique_id", ""))
        if by is not None and (by.configures and by.names("enabled")):
            return by.file
        if by is not None and _read(reads, str(at[0]), entry, _CONFIGURED if by.configures else _DESCRIBED):
            return by.file
        for one in self.unread:
            if self._may_answer(one, at, entry, reads):
                return one.file
        if by is None and without is not None and _identity(violation, self.ir) not in without:
            return self._first()
        return None

    def _first(self) -> str:
        """The file for what cannot be told to be of one of several."""
        return next(one.file for one in self.unread if not one.configures)

    def _may_answer(
        self, one: Unread, at: tuple[str | int, ...], entry: dict[str, Any], reads: frozenset[tuple[str, ...]]
    ) -> bool:
        """Whether the file may declare what is referred to, or entries of a list that are about the node."""
        reference = _reference(at, entry)
        if reference is not None:
            name = reference["table"] if "table" in reference else reference["name"]
            return reference.get("unique_id") is None and one.names(str(name))
        sections = {path[0] for path in reads if path} if () not in reads else set(_LISTS)
        lists = [name for name in _LISTS if name in sections and name != at[0]]
        return any(one.declares(name) for name in lists) and one.names(str(entry.get("name")))

    def known(self, found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
        """What was found of contracts, without what the models of unknown columns are said not to keep."""
        unknown = {f"model {id_.rpartition('.')[2]}": one.file for id_, one in self.unknown.items()}
        kept = []
        for one in found:
            file = unknown.get(one.subject) if one.code in _DRIFT else None
            if file is None:
                kept.append(one)
            else:
                self.counts[file] = self.counts.get(file, 0) + 1
        return tuple(kept)

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """One a file."""
        return tuple(self._said(one) for one in self.unread if self.counts.get(one.file))

    def _said(self, one: Unread) -> Diagnostic:
        count = self.counts[one.file]
        names = sorted(id_.rpartition(".")[2] for id_, file in self.unknown.items() if file is one)
        shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        about = f" of {shown}{more}" if names and not one.configures else ""
        findings = "1 finding is" if count == 1 else f"{count} findings are"
        text = f"what `{one.file}` says{about} is unknown: {findings} held back that may only say so"
        hint = "mend the file, and check again"
        return Diagnostic("FLC131", text, whole_file(one.file), Severity.NOTIFY, hint=hint)


def _entry(at: tuple[str | int, ...], ir: dict[str, Any]) -> dict[str, Any] | None:
    section = ir.get(str(at[0])) if len(at) > 1 else None
    if isinstance(section, list) and isinstance(at[1], int) and at[1] < len(section):
        found: dict[str, Any] = section[at[1]]
        return found
    return None


def _reference(at: tuple[str | int, ...], entry: dict[str, Any]) -> dict[str, Any] | None:
    if len(at) > 3 and at[2] in ("refs", "source_refs") and isinstance(at[3], int):
        found: dict[str, Any] = entry[str(at[2])][at[3]]
        return found
    return None


def _identity(violation: Violation, ir: dict[str, Any]) -> tuple[Any, ...]:
    """The same in an IR that lacks some entries."""
    entry = _entry(violation.at, ir)
    at: tuple[Any, ...] = violation.at
    if entry is not None:
        at = (at[0], entry.get("unique_id", entry.get("name")), *at[2:])
    return (violation.policy.id, violation.subject, violation.message, at)


def _read(reads: frozenset[tuple[str, ...]], section: str, entry: dict[str, Any], fields: frozenset[str]) -> bool:
    """Whether something of these ``fields`` of the node is read; a layer that its folder has given is known."""
    for path in reads:
        if not path or (path[0] in (section, "*") and (len(path) < 3 or path[2] in ("*", *fields))):
            return True
        if path[0] in (section, "*") and path[2] == "layer" and entry.get("layer") is None:
            return True
    return False
