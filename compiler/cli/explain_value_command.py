"""``floec explain-value FIELD``: which tier said what about a value, at which line, and which of it holds."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compiler.cli.main import EXIT_OK
from compiler.cli.output import exit_code, show
from compiler.pipeline import Job, State, run
from policy_lang.diagnostics import Diagnostic, Outcome, blocking
from policy_lang.source import Span, whole_file

if TYPE_CHECKING:
    from compiler.tiers.inherit import Step


_MANY = 50
"""More names than this are no hint any more."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    text = "governance.quality_gates.enforcement, product.schedule, models.NAME.owner …"
    parser.add_argument("field", metavar="FIELD", help=text)
    parser.add_argument(
        "document", metavar="PATH", nargs="?", default=".", help="the document, or its folder (default: .)"
    )


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    head = options.field.replace("[", ".").split(".")[0]
    in_ir = head in _sections()
    done = run(Job(Path(options.document), datetime.now(UTC).date()), "ir" if in_ir else "inherit")
    if done.value is None or done.value.state.resolved is None:
        found = done.diagnostics if blocking(done.diagnostics) else (*done.diagnostics, _nothing_inherited(options))
        show(found, "text")
        return exit_code(found)
    explained = _in_ir(done.value.state, options.field) if in_ir else _in_manifest(done.value.state, options.field)
    if blocking(explained.diagnostics) or explained.value is None:
        show(explained.diagnostics, "text")
        return exit_code(explained.diagnostics)
    print("\n".join(explained.value))
    return EXIT_OK


def _nothing_inherited(options: argparse.Namespace) -> Diagnostic:
    """A data contract is read, but stands in no chain of tiers."""
    text = f"`{options.field}` cannot be read: {options.document} inherits from no manifest"
    hint = "name a floe.yaml, a manifest.yaml, or a folder that holds one"
    return Diagnostic("FLC314", text, whole_file(options.document), hint=hint)


def _sections() -> set[str]:
    """What a field begins with that is no field of a manifest."""
    from compiler.ir.shape import ir

    return set(ir()["properties"]) - {"platform", "policies", "exemptions"}


def _in_manifest(state: State, field: str) -> Outcome[list[str]]:
    from compiler.tiers.explain_value import explain_value

    assert state.resolved is not None
    found = explain_value(state.resolved, field.removeprefix("platform."))
    if found.value is None:
        return Outcome(None, found.diagnostics)
    told = found.value
    lines = [f"{told.path} = {_shown(told.value)}"]
    if told.doc:
        lines.append(f"  {told.doc} A child joins by: {told.order}.")
    for step, part in zip(told.steps, told.below, strict=True):
        said = f"{part} = {_shown(step.value)}" if part else _shown(step.value)
        lines.append(f"  {step.tier:<10} {_place(step.span)}  {said}  ({_effect(step)})")
    if not told.steps:
        lines.append("  no document says anything about it: the default holds")
    return Outcome(lines)


def _effect(step: Step) -> str:
    """What a product sets does not change its platform's value, which is the one shown as in force."""
    return "set for this product alone" if step.tier == "product" and step.effect == "set" else step.effect


def _in_ir(state: State, field: str) -> Outcome[list[str]]:
    """A value of the IR and its place; entries of lists may be given by name instead of index."""
    from compiler.tiers.explain_value import parse_path

    if state.ir is None or state.locator is None:
        return Outcome(None, (Diagnostic("FLC314", f"`{field}` cannot be read: the project was not read to its end"),))
    value: Any = state.ir
    path: list[str | int] = []
    for key in parse_path(field):
        step = _step(value, key)
        if step is None:
            known = list(value) if isinstance(value, dict) else _names(value)
            return Outcome(None, (_unknown(key, path, known),))
        path.append(step)
        value = value[step]
    return Outcome([f"{field} = {_shown(value)}", f"  {_place(state.locator.locate(tuple(path)))}"])


def _step(value: Any, key: str | int) -> str | int | None:
    if isinstance(value, dict):
        return str(key) if str(key) in value else None
    if isinstance(value, list):
        if isinstance(key, int):
            return key if key < len(value) else None
        return next((i for i, e in enumerate(value) if isinstance(e, dict) and e.get("name") == key), None)
    return None


def _names(value: Any) -> list[str]:
    return [str(e["name"]) for e in value if isinstance(e, dict) and "name" in e] if isinstance(value, list) else []


def _unknown(key: str | int, path: list[str | int], known: list[str]) -> Diagnostic:
    from policy_lang.spell import did_you_mean

    where = ".".join(map(str, path)) or "the IR"
    hint = did_you_mean(str(key), known) or (f"it has {', '.join(known)}" if 0 < len(known) <= _MANY else "")
    return Diagnostic("FLC314", f"`{where}` has no `{key}`", hint=hint)


def _shown(value: Any) -> str:
    from policy_lang.runtime.values import to_json

    text = to_json(value)
    return text if len(text) <= 200 else text[:197] + "..."


def _place(span: Span) -> str:
    return f"{os.path.normpath(span.file)}:{span.line}:{span.col}"
