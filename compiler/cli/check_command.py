"""``floec check``: judge documents and the dbt project behind them by the policies in force; write nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from compiler.cli import verdicts
from compiler.cli.output import add_format, exit_code, show
from compiler.cli.verdicts import Verdict
from compiler.file_states import changed_since, now
from compiler.policies.quota import MOST_SHOWN, More, within
from policy_lang.diagnostics import Diagnostic, blocking

if TYPE_CHECKING:
    import argparse

    from compiler.pipeline import Job, Narrowed, Report, State

_LAST = "policies"
_HELD: list[Report] = []
"""The report of the last document: the process ends before that would be taken apart, entry by entry."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="floe.yaml, manifest.yaml, or a folder that holds one")
    text = "report only what has to do with files that differ from COMMIT (without one, after PATH: from HEAD)"
    parser.add_argument("--changed", metavar="COMMIT", nargs="?", const="HEAD", help=text)
    parser.add_argument("--no-cache", action="store_true", help="judge anew even where nothing has changed")
    parser.add_argument("--fix", action="store_true", help="make the edits that policies propose, then judge again")
    why = (
        "say what each policy makes of one model, column, source, test …, and which literal decided; then nothing else"
    )
    parser.add_argument("--why", metavar="SUBJECT", help=why)
    parser.add_argument("--policy", metavar="ID", help="with --why: this policy only, with all its literals")
    text = (
        "judge in N processes (0: as many as there are processors) where the project is large: sooner done, more work"
    )
    parser.add_argument("--jobs", metavar="N", type=_jobs, default=1, help=text)
    add_stages(parser)
    add_format(parser)


def plain(given: Sequence[str]) -> argparse.Namespace | None:
    """What ``arguments`` makes of paths with the options of hooks; None where anything else is given."""
    paths: list[str] = []
    changed, anew, closed = None, False, False
    pending = list(given)
    while pending:
        one = pending.pop(0)
        if one == "--no-cache":
            anew = True
        elif one == "--changed":
            changed = pending.pop(0) if pending and not pending[0].startswith("-") else "HEAD"
        elif one.startswith("--changed=") and len(one) > len("--changed="):
            changed = one.removeprefix("--changed=")
        elif one.startswith("-") or closed:
            return None  # an option of another kind, or paths on both sides of one
        else:
            paths.append(one)
            continue
        closed = bool(paths)
    options = SimpleNamespace(paths=paths, changed=changed, no_cache=anew, fix=False, jobs=1, why=None, policy=None,
                              manifest=None, stop_after=None, timings=False, verbose=False, format="text")  # fmt: skip
    return cast("argparse.Namespace", options) if paths else None


def add_stages(parser: argparse.ArgumentParser) -> None:
    """The options of every command that runs the stages."""
    parser.add_argument("--manifest", metavar="FILE", type=Path, help="dbt's manifest.json to read the project from")
    parser.add_argument(
        "--stop-after", metavar="STAGE", type=_stage, help="read, inherit, resolve, facts, ir, policies or emit"
    )
    parser.add_argument("--timings", action="store_true", help="say what each stage took")
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="show every finding, and name the policies that had nothing to check",
    )


def _jobs(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        from argparse import ArgumentTypeError

        raise ArgumentTypeError(f"`{text}` is no number of processes")
    return int(text) or os.cpu_count() or 1


def _stage(name: str) -> str:
    from compiler.pipeline import STAGE_NAMES

    if name not in STAGE_NAMES:
        from argparse import ArgumentTypeError

        raise ArgumentTypeError(f"`{name}` is no stage: they are {', '.join(STAGE_NAMES)}")
    return name


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    if options.why is not None or options.policy is not None:
        return _why(options)
    diagnostics, lines, more = _all_judged(options)
    if options.fix:
        from compiler.policies.fixes import apply
        from policy_lang.source import whole_file

        try:
            changed = apply(diagnostics)
        except OSError as error:
            text, file = f"cannot write {error.filename}: {error.strerror}", str(error.filename or options.paths[0])
            hint = "let this user write to it; edits of other files that were made before stay"
            diagnostics.append(Diagnostic("FLC602", text, whole_file(file), hint=hint))
            changed = ()
        if changed:
            diagnostics, lines, more = _all_judged(options)
            lines = {**dict.fromkeys(f"fixed {file}" for file in changed), **lines}
        else:
            lines = {"fixed nothing: no finding proposes an edit that is certain": None, **lines}
    show(diagnostics, options.format)
    if options.format == "text":
        from compiler.report.text import not_shown, summary

        for line in (*lines, *([not_shown(more)] if more else [])):
            print(line)
        print(f"{len(options.paths)} checked: {summary(diagnostics, more)}")
    return exit_code(diagnostics)


def _why(options: argparse.Namespace) -> int:
    from compiler.cli.main import EXIT_USAGE
    from compiler.cli.why_command import answer
    from compiler.pipeline import Job, run

    problem = ""
    if options.why is None:
        problem = "--policy goes with --why"
    elif len(options.paths) > 1 or options.changed or options.fix or options.stop_after:
        problem = "--why takes one PATH, and none of --changed, --fix and --stop-after"
    elif options.format not in ("text", "json"):
        problem = "--why answers as text or json"
    if problem:
        print(f"floec check: {problem}", file=sys.stderr)
        return EXIT_USAGE
    today = datetime.now(UTC).date()
    job = Job(Path(options.paths[0]), today, manifest=options.manifest, anew=options.no_cache, jobs=options.jobs)
    done = run(job, _LAST)
    assert done.value is not None
    if options.timings:
        from compiler.cli.stages import print_timings

        print_timings(done.value)
    return answer(done.value.state, done.diagnostics, options)


def _all_judged(options: argparse.Namespace) -> tuple[list[Diagnostic], dict[str, None], list[More]]:
    """What is found in all documents, the lines to print beside it, each once, and what is not shown."""
    found: dict[Diagnostic, None] = {}
    lines: dict[str, None] = {}
    more: list[More] = []
    for path in options.paths:
        verdict = _judged(path, options)
        found.update(dict.fromkeys(verdict.diagnostics))
        lines.update(dict.fromkeys(verdict.lines))
        more += verdict.more
    return list(found), lines, more


def _most(options: argparse.Namespace) -> int | None:
    """How many findings of a policy are asked for: programs and edits want all."""
    return MOST_SHOWN if options.format == "text" and not options.verbose and not options.fix else None


def _judged(path: str, options: argparse.Namespace) -> Verdict:
    """The verdict on one document: the one that is kept, where nothing has changed since."""
    today = datetime.now(UTC).date()
    whole = not (options.no_cache or options.timings or options.stop_after or options.changed or options.verbose)
    key = verdicts.key_of(path, options.manifest, today, _most(options)) if whole else ""
    if key and (kept := verdicts.recall(key)) is not None:
        return kept
    started = now()
    _HELD.clear()
    if key and (again := _rejudged(path, options, today, key, started)) is not None:
        return again

    from compiler.cli.stages import describe, idle_policies, print_timings
    from compiler.pipeline import run

    last = options.stop_after if options.stop_after not in (None, "emit") else _LAST
    with ExitStack() as asked:
        done = run(_job(path, options, today, bool(key) and verdicts.known(key), asked), last)
    report = done.value
    assert report is not None
    _HELD.append(report)
    if options.timings:
        print_timings(report)
    found = done.diagnostics
    left_out = 0
    if report.state.scope is not None:
        found = report.state.scope.narrowed(done.diagnostics)
        left_out = len(done.diagnostics) - len(found)
        left_out += report.state.checked.left_out if report.state.checked is not None else 0
    said = dict(describe(report))
    reached = [said[stage] for stage in ("facts", _LAST) if stage in said]
    idle = idle_policies(report.state.checked, options.verbose)
    read = report.state.chain is not None or not blocking(found)  # a contract alone has no chain
    otherwise = "read, not judged by policies" if read else "not read"
    lines = (f"{path}: {'; '.join(reached) or otherwise}", *([idle] if idle else []))
    if left_out:
        lines += (f"{left_out} findings on what did not change are not shown",)
    checked = report.state.checked
    verdict = Verdict(found, lines, checked.more if checked is not None else ())
    if key and report.reached(_LAST):
        _keep(key, started, verdict, report)
    return verdict


def _keep(key: str, started: int, verdict: Verdict, report: Report) -> None:
    """Keep the verdict; also what the next change of dbt's manifest is judged by alone, where it has changed now: that
    takes half as long as all the rest."""
    from compiler.cli.verdict_inputs import contents_of, inputs_of

    inputs = inputs_of(report.state)
    stamps = inputs.stamps() if inputs is not None else None
    if inputs is None or stamps is None or changed_since(stamps.values(), started):
        return
    if verdicts.manifest_changed(key, inputs, stamps):
        from compiler.cli import rejudge

        rejudge.keep_base(key, inputs, stamps, started, report, verdict)
    verdicts.keep(key, inputs, stamps, started, verdict, contents_of(report.state, inputs))


def _rejudged(path: str, options: argparse.Namespace, today: date, key: str, started: int) -> Verdict | None:
    """The verdict where only the manifest has changed, from what is known of its other nodes."""
    if not verdicts.known(key):  # then there is no base either
        return None
    from compiler.cli import rejudge

    kept = rejudge.recall_base(key)
    if kept is None:
        return None
    from compiler.pipeline import Job, run

    report = run(Job(Path(path), today, manifest=options.manifest), "resolve").value
    if report is None or not report.reached("resolve"):
        return None
    verdict = rejudge.rejudged(kept, report.state, path)
    if verdict is not None:
        shown, more = within(verdict.diagnostics, _most(options))
        verdict = verdict._replace(diagnostics=shown, more=more)
        verdicts.keep(key, kept.inputs, kept.stamps, started, verdict)
    return verdict


def _job(path: str, options: argparse.Namespace, today: date, again: bool, asked: ExitStack) -> Job:
    """What is to be done; git is asked at once for what changed, where that is wanted, and let go with ``asked``."""
    from compiler.pipeline import Job

    job = Job(Path(path), today, manifest=options.manifest, most=_most(options), anew=options.no_cache, again=again,
              jobs=options.jobs)  # fmt: skip
    if not options.changed or not job.path.exists():  # the first stage says so
        return job
    from compiler.cli.git_changes import Question

    question = asked.enter_context(closing(Question(job.path, options.changed)))

    def narrow(state: State) -> Narrowed:
        from compiler.cli.changed import scope

        return scope(state, question.before)

    return job._replace(changed=question.answer, narrow=narrow)
