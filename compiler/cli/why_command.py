"""``floec check --why SUBJECT``: what each policy makes of one subject, and which literal decided."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from compiler.cli.main import EXIT_OK, EXIT_USAGE
from compiler.cli.output import exit_code, show
from compiler.cli.stages import counted
from policy_lang.diagnostics import Diagnostic

if TYPE_CHECKING:
    import argparse

    from compiler.pipeline import State
    from policy_lang.trace.subjects import Judged

_ORDER = ("violated", "undecided", "passed", "does not apply")
_MOST_SUBJECTS = 5


def answer(state: State, found: tuple[Diagnostic, ...], options: argparse.Namespace) -> int:
    """Print what the policies make of the subject that ``options.why`` names."""
    from compiler.policies.why import names, subjects, why

    if state.ir is None or state.in_force is None:
        show(found, options.format)
        return exit_code(found)
    meant = subjects(state.ir, options.why)
    if not meant:
        print(f"floec check: nothing is called {options.why}: {_meant(options.why, names(state.ir))}", file=sys.stderr)
        return EXIT_USAGE
    wanted = options.policy.upper() if options.policy else None
    if wanted is not None and wanted not in state.in_force.severities:
        from policy_lang.spell import did_you_mean

        hint = did_you_mean(wanted, state.in_force.severities)
        print(f"floec check: no policy {wanted} is in force" + (f": {hint}" if hint else ""), file=sys.stderr)
        return EXIT_USAGE
    results = []
    for subject in meant if options.format == "json" else meant[:_MOST_SUBJECTS]:
        made = why(state.ir, state.sources, state.in_force, subject, wanted)
        if made.value is None:
            show(made.diagnostics, options.format)
            return exit_code(made.diagnostics)
        exempted = {
            d.code: d.suppressed for d in found if d.suppressed and d.path[: len(subject.place)] == subject.place
        }
        results.append((subject.shown, made.value, exempted))
    if options.format == "json":
        show((), "json", extra={"why": [_plain(*result) for result in results]})
        return EXIT_OK
    for number, (shown, policies, exempted) in enumerate(results):
        print("\n" * bool(number), end="")
        whole = options.verbose or wanted is not None
        for line in _lines(shown, policies, exempted, 1 if wanted else len(state.in_force.severities), whole):
            print(line)
    if len(meant) > len(results):
        print(f"\n{len(meant) - len(results)} more are called so: {meant[len(results)].shown} …")
    return EXIT_OK


def _meant(wanted: str, known: tuple[str, ...]) -> str:
    """The nearest name, else some that hold what was asked for, else how to ask."""
    from policy_lang.spell import did_you_mean

    nearest = did_you_mean(wanted, known)
    if nearest:
        return nearest
    holding = sorted({name for name in known if wanted.lower() in name.lower() and " " not in name and "/" not in name})
    if holding:
        shown = ", ".join(f"`{name}`" for name in sorted(holding, key=len)[:_MOST_SUBJECTS])
        return f"{shown} hold{'s' if len(holding) == 1 else ''} this name"
    return "name a model, `model.column`, a source, a test …, or its path; `*` stands for any text"


def _lines(
    shown: str, policies: tuple[Judged, ...], exempted: dict[str, str], in_force: int, verbose: bool
) -> Iterator[str]:
    counts = Counter(policy.verdict for policy in policies)
    words = {"does not apply": "do not apply"}
    told = ", ".join(f"{counts[v]} {v if counts[v] == 1 else words.get(v, v)}" for v in _ORDER if counts[v])
    others = in_force - len(policies)
    yield f"{shown}: {told or 'nothing is about it'}" + (
        f"; {counted(others, 'policy is', 'policies are')} about other things" if others else ""
    )
    passed = [policy.id for policy in policies if policy.verdict == "passed"]
    for policy in sorted(policies, key=lambda policy: _ORDER.index(policy.verdict)):
        verdict = policy.verdict
        if verdict == "passed" and not verbose:
            if passed:
                yield f"\npassed (-v shows how): {', '.join(passed)}"
            passed = []
            continue
        if verdict == "violated" and policy.id in exempted:
            verdict += f", exempted: {exempted[policy.id]}"
        elif verdict == "passed" and policy.subjects > 1:
            verdict += f" for {policy.subjects} parts of it"
        yield f"\n{policy.id} {policy.title}: {verdict}"
        yield from (f"  {message}" for message in policy.messages)
        if policy.problem:
            yield f"  {policy.problem}"
        literals = policy.literals if verbose or policy.verdict == "violated" else ()
        if policy.verdict == "does not apply" and not verbose:
            literals = policy.decisive
        yield from (f"    {line}" for line in literals)


def _plain(shown: str, policies: tuple[Judged, ...], exempted: dict[str, str]) -> dict[str, object]:
    return {
        "subject": shown,
        "policies": [
            {
                "id": policy.id,
                "title": policy.title,
                "verdict": policy.verdict,
                "subjects": policy.subjects,
                "messages": list(policy.messages),
                "literals": list(policy.literals),
                **({"problem": policy.problem} if policy.problem else {}),
                **({"exempted": exempted[policy.id]} if policy.id in exempted else {}),
            }
            for policy in policies
        ],
    }
