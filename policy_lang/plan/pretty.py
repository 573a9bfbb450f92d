"""A plan as text, for people: one step a line, what is inside a loop or a block indented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policy_lang.plan import nodes, walks
from policy_lang.plan.nodes import (
    Block,
    Const,
    Function,
    Local,
    Plan,
)
from policy_lang.types import AnyType, show


def pretty(plan: Plan) -> str:
    """The text of all functions of a plan."""
    return "\n\n".join("\n".join(_function(function)) for function in plan.functions) + "\n"


def _function(function: Function) -> Iterator[str]:
    params = f"({', '.join(function.params)})" if function.kind == "function" else ""
    yield f"{function.kind} data.{'.'.join(function.path)}{params}"
    for clause in function.clauses:
        for number, block in enumerate(clause.branches):
            yield "  else" if number else f"  rule {clause.span.file}:{clause.span.line}"
            yield from _block(block, 2, function)
    if function.default is not None:
        yield "  default"
        yield from _block(function.default.branches[0], 2, function)


def _block(block: Block, depth: int, function: Function) -> Iterator[str]:
    for step in block:
        pad = "  " * depth
        match step:
            case nodes.Let() | nodes.Attempt():
                of = function.types.get(step.name)
                typed = "" if of is None or isinstance(of, AnyType) else f": {_short(show(of))}"
                word = "let" if isinstance(step, nodes.Let) else "try"
                yield f"{pad}{word} {step.name}{typed} = {_op(step.op)}"
            case nodes.Test():
                yield f"{pad}test {_op(step.op)}"
            case nodes.Defined():
                yield f"{pad}defined {step.name}"
            case nodes.IsCollection():
                size = "" if step.size is None else f" of {step.size}"
                yield f"{pad}test {_atom(step.value)} is {step.kind}{size}"
            case nodes.Scan():
                names = ", ".join(filter(None, (step.key, step.value)))
                yield f"{pad}for {names} in {'the pairs of ' if step.pairs else ''}{_atom(step.collection)}"
                depth += 1
            case nodes.Not():
                yield f"{pad}not"
            case nodes.Fork():
                yield f"{pad}fork"
            case nodes.Switch():
                yield f"{pad}switch {step.value.name}"
            case nodes.Emit():
                sink = f" to {step.sink}" if step.sink else ""
                times = "" if step.times is None else f" {_atom(step.times)} times"
                yield f"{pad}emit {', '.join(map(_atom, step.heads))}{sink}{times}".rstrip()
        for number, inner in enumerate(walks.blocks_of(step)):
            if isinstance(step, nodes.Switch):
                yield f"{pad}  case {_atom(step.cases[number].text)}"
            yield from _block(inner, depth + (2 if isinstance(step, nodes.Switch) else 1), function)
            if isinstance(step, nodes.Fork):
                yield f"{pad}  --"


def _short(text: str) -> str:
    return text if len(text) <= 48 else text[:44].rstrip(" ,") + " …"


def _atom(atom: Any) -> str:
    if isinstance(atom, Local):
        return atom.name
    return f"{atom.value!r}" if isinstance(atom, Const) else str(atom)


def _op(op: nodes.Op) -> str:
    match op:
        case Const() | Local():
            return _atom(op)
        case nodes.Index():
            return f"{_atom(op.base)}[{_atom(op.key)}]"
        case nodes.Builtin():
            return f"{op.name}({', '.join(map(_atom, op.args))})"
        case nodes.CallRule():
            return f"data.{'.'.join(op.path)}({', '.join(map(_atom, op.args))}) in {op.context}"
        case nodes.Document():
            return f"data.{'.'.join(op.path)} in {op.context}"
        case nodes.Tree():
            return f"data[{']['.join(map(_atom, op.keys))}] in {op.context}"
        case nodes.Input():
            return f"input of {op.context}"
        case nodes.MakeArray():
            return f"[{', '.join(map(_atom, op.items))}]"
        case nodes.MakeSet():
            return f"set({', '.join(map(_atom, op.items))})"
        case nodes.MakeObject():
            return "{" + ", ".join(f"{_atom(k)}: {_atom(v)}" for k, v in op.items) + "}"
        case nodes.Collect():
            return f"collect {op.kind}"
        case nodes.Text():
            return "text " + ", ".join(_text_part(p) for p in op.parts)
        case nodes.Derive():
            changes = (f"{c.kind} {'.'.join(c.path)} as {c.rule or c.builtin or _atom(c.value)}" for c in op.changes)
            return f"{op.context} with {', '.join(changes)}"
        case nodes.Logic():
            return f"{_atom(op.left)} {op.op} {_atom(op.right)}"
        case _:
            parts = (f"{_part(getattr(op, name))}" for name in op.__dataclass_fields__ if name != "block")
            return f"{type(op).__name__.lower()} {' '.join(parts)}".rstrip()


def _text_part(part: Any) -> str:
    return "block" if isinstance(part, tuple) else part.name if isinstance(part, Local) else repr(part)


def _part(part: Any) -> str:
    return "[" + ", ".join(map(_atom, part)) + "]" if isinstance(part, tuple) else _atom(part)
