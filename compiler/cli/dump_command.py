"""``floec dump --stage STAGE FILE ...``: what the engine makes of policies, stage by stage."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from compiler.cli.files import read_sources
from compiler.cli.main import EXIT_OK, EXIT_USAGE
from compiler.cli.output import exit_code, show
from policy_lang.diagnostics import Outcome, blocking

if TYPE_CHECKING:
    from policy_lang.engine import CompileOptions
    from policy_lang.source import Source

STAGES = ("ast", "resolved", "plan", "slices", "optimised", "python")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add = parser.add_argument
    add("paths", nargs="+", metavar="FILE", help="policies (.rego, .floe), or folders of them")
    add("--stage", choices=STAGES, default="python", help="what to print (default: python)")
    add("--without", action="append", default=[], metavar="PASS", help="leave out a pass of the optimiser")
    add("-s", "--schema", metavar="FILE", help="JSON Schema of the input; `ir` is that of the checked IR")


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    from policy_lang.engine import CompileOptions
    from policy_lang.plan.passes import PASSES

    if unknown := sorted(set(options.without) - PASSES.keys()):
        names = ", ".join(PASSES)
        print(f"floec dump: there is no pass {unknown[0]}: there are {names}", file=sys.stderr)
        return EXIT_USAGE
    schema = _schema(options.schema)
    sources = read_sources(options.paths)
    diagnostics = [*schema.diagnostics, *sources.diagnostics]
    text: str | None = None
    if sources.value is not None and not blocking(diagnostics):
        settings = CompileOptions(schema.value, without=frozenset(options.without), completed=options.schema == "ir")
        dumped = _dumped(options.stage, sources.value, settings)
        diagnostics += dumped.diagnostics
        text = dumped.value
    show(diagnostics, "text", texts={s.file: s.text for s in sources.value or ()})
    if text is None:
        return exit_code(diagnostics)
    print(text, end="" if text.endswith("\n") else "\n")
    return EXIT_OK


def _schema(name: str | None) -> Outcome[Any]:
    if name is None:
        return Outcome(None)
    if name == "ir":
        from compiler.ir.schema import ir_schema

        return Outcome(ir_schema())
    from compiler.cli.documents import read_value

    return read_value(name)


def _dumped(stage: str, sources: Sequence[Source], settings: CompileOptions) -> Outcome[str]:
    """The text of a stage; policies are shown as they run, all in one function."""
    from policy_lang import compiling

    if stage == "ast":
        from pprint import pformat

        from policy_lang.syntax.parser import parse_module

        found = [parse_module(source) for source in sources]
        diagnostics = tuple(d for one in found for d in one.diagnostics)
        texts = [pformat(one.value, width=120) for one in found if one.value is not None]
        return Outcome("\n".join(texts) if len(texts) == len(found) else None, diagnostics)
    parsed = compiling.parsed(sources)
    if parsed.value is None:
        return Outcome(None, parsed.diagnostics)
    made = compiling.front(parsed.value, settings)
    if made.value is None:
        return Outcome(None, (*parsed.diagnostics, *made.diagnostics))
    return Outcome(_text(stage, made.value), (*parsed.diagnostics, *made.diagnostics))


def _text(stage: str, made: Any) -> str:
    from policy_lang import compiling
    from policy_lang.plan.passes import optimise
    from policy_lang.plan.pretty import pretty

    if stage == "resolved":
        from pprint import pformat

        return "\n".join(pformat(rule, width=120) for rule in made.rules)
    if stage == "plan":
        return pretty(made.plan)
    if stage == "slices":
        from policy_lang.plan.slices import shown

        return shown(compiling.slices_of(made))
    documents, counted = compiling.policy_documents(made.plan)
    whole = compiling.joint_plan(made, documents, counted, typed=True) if documents else made.plan
    if stage == "optimised":
        return pretty(optimise(whole, made.options.without))
    if documents:
        return compiling.joint(made, documents, counted, typed=True).module.source
    return compiling.variant(made, frozenset()).module.source
