"""What the stages made, in a line each, for the terminal."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping

from compiler.ir.facts_model import Facts
from compiler.pipeline import Report, State
from compiler.policies.check import Checked


def describe(report: Report) -> Iterator[tuple[str, str]]:
    """The name of each stage that was reached, and what it read, checked, found or made."""
    state = report.state
    tellers = {
        "read": _read,
        "inherit": _inherit,
        "resolve": _resolve,
        "facts": _facts,
        "ir": _ir,
        "policies": _policies,
        "emit": _emit,
    }
    for timing in report.timings:
        yield timing.stage, tellers[timing.stage](state)


def print_timings(report: Report) -> None:
    """The seconds of each stage, to standard error."""
    for timing in report.timings:
        print(f"{timing.stage:<9} {timing.wall * 1000:9.1f} ms {timing.cpu * 1000:9.1f} ms CPU", file=sys.stderr)


_FEW = 5
"""So many idle policies are named; of more it is said how many each family has."""


def idle_policies(checked: Checked | None, verbose: bool = False) -> str:
    """The policies that had nothing to check, said aloud; empty where there are none. ``verbose`` names them all."""
    idle = checked.idle if checked is not None else ()
    if not idle:
        return ""
    head = f"{counted(len(idle), 'policy', 'policies')} had nothing to check"
    if verbose or len(idle) <= _FEW:
        return f"{head}: {', '.join(idle)}"
    families = Counter(id_.rstrip("0123456789") for id_ in idle)
    return f"{head} (-v names them): {', '.join(f'{count} {family}' for family, count in families.items())}"


def counted(count: int, one: str, many: str = "") -> str:
    """``1 model``, ``2 models``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def _read(state: State) -> str:
    chain = state.chain
    assert chain is not None
    documents = [*([chain.product] if chain.product is not None else []), *reversed(chain.manifests)]
    return ", ".join(os.path.normpath(document.file) for document in documents)


def _inherit(state: State) -> str:
    assert state.resolved is not None
    tiers = []
    for document in state.resolved.chain:
        about = document.data.get("metadata", {})
        tiers.append(f"{document.scope} {about.get('name', '?')} {about.get('version', '')}".rstrip())
    return " > ".join(tiers) or "no manifest: the built-in defaults hold"


def _resolve(state: State) -> str:
    assert state.in_force is not None
    severities = Counter(str(severity) for severity in state.in_force.severities.values())
    uses = dict.fromkeys(entry["use"] for entry in state.in_force.entries)
    counts = ", ".join(f"{severities[word]} {word}" for word in ("block", "warn", "notify") if severities[word])
    total = counted(len(state.in_force.severities), "policy", "policies")
    return f"{total} in force ({counts or 'none'}) from {', '.join(uses) or 'nowhere'}"


def _facts(state: State) -> str:
    facts = state.facts
    if facts is None:
        return "no dbt project"
    return facts_line(sizes(facts), facts.project["source"])


def sizes(facts: Facts) -> dict[str, int]:
    """How many models, seeds, sources, columns and tests there are, of those that policies in force look at."""
    nodes = [*facts.models, *facts.seeds, *facts.snapshots]
    return {
        "model": len(facts.models),
        "seed": len(facts.seeds),
        "source": len(facts.sources),
        "column": sum(len(node.get("columns", ())) for node in nodes),
        "test": len(facts.tests),
    }


def facts_line(found: Mapping[str, int], source: str) -> str:
    """What was read, from ``source``."""
    return f"{', '.join(counted(number, name) for name, number in found.items())} (from {source})"


def _ir(state: State) -> str:
    return state.ir_digest or "built"


def _policies(state: State) -> str:
    assert state.checked is not None
    return policies_line(state.checked.subjects)


def policies_line(subjects: Mapping[str, int]) -> str:
    """How many policies judged how many subjects."""
    busy = sum(1 for count in subjects.values() if count)
    return f"{counted(busy, 'policy', 'policies')} judged {counted(sum(subjects.values()), 'subject')}"


def _emit(state: State) -> str:
    return ", ".join(f"{artifact.kind} ({counted(len(artifact.files), 'file')})" for artifact in state.artifacts)
