"""Formatting: the one layout of a source file. Policies in Rego look as ``opa fmt`` lays them out.

The text is parsed, written anew from the tree (``formatter_rules`` and below it), and parsed again:
a result that would mean something else, or lose a comment, is never handed out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.source import Source, whole_file
from policy_lang.syntax import ast
from policy_lang.syntax.formatter_module import ModuleWriter, import_path
from policy_lang.syntax.formatter_places import Places
from policy_lang.syntax.formatter_rules import Guarded
from policy_lang.syntax.meaning import same_meaning
from policy_lang.syntax.parser import parse_with_tokens
from policy_lang.syntax.tokens import Token

_Parsed = tuple[ast.Module, tuple[Token, ...]]
_WORDS = ("rego.", "future.")
_PASSES = 8
"""One pass can move a comment to a line of its own, and the next then sets it apart: two or three do."""


def format_source(source: Source) -> Outcome[str]:
    """The formatted text of one policy file.

    Errors: those of the parser; ``FLC890`` where the result would not mean the same, which is a fault
    of the formatter and not of the source.
    """
    parsed = parse_with_tokens(source)
    if parsed.value is None:
        return Outcome(None, parsed.diagnostics)
    found = parsed.value
    for _ in range(_PASSES):
        following = _once(source, *found)
        if following is None:
            return _fault(source, "the formatter's result would not mean the same: the file is left alone")
        text, found = following
        if text == source.text:
            return Outcome(text)
        source = Source(source.file, text)
    return _fault(source, "the formatter finds no layout that stays")


def _once(source: Source, module: ast.Module, tokens: tuple[Token, ...]) -> tuple[str, _Parsed] | None:
    """The text of one pass with what it parses to; None where it would mean something else."""
    places = Places(source, tokens)
    text = _written(module, places, None)
    if text == source.text:
        return text, (module, tokens)
    found = _unchanged(source, module, text)
    if found is None:
        # Comments in odd places can have no line to go to. The rules that hold them stay as they are.
        text = _written(module, places, lambda part, new: _part_unchanged(source, module, part, new))
        found = _unchanged(source, module, text)
    return (text, found) if found is not None else None


def _fault(source: Source, message: str) -> Outcome[str]:
    hint = "this is a fault of floec: report it with the file"
    return Outcome(None, (Diagnostic("FLC890", message, whole_file(source.file), hint=hint),))


def _written(module: ast.Module, places: Places, accepts: Callable[[Guarded, str], bool] | None) -> str:
    writer = ModuleWriter(places, module.comments)
    writer.accepts = accepts
    writer.write_module(module)
    return writer.text()


def _unchanged(source: Source, module: ast.Module, text: str) -> _Parsed | None:
    """What a text parses to where it has the meaning of ``module``, and all its comments."""
    found = parse_with_tokens(Source(source.file, text)).value
    same = found is not None and same_meaning(module, found[0]) and _comments(module) == _comments(found[0])
    return found if same else None


def _part_unchanged(source: Source, module: ast.Module, part: Guarded, text: str) -> bool:
    first, last = part.span.line, part.span.end_line
    comments = tuple(c for c in module.comments if first <= c.span.line <= last)
    alone = replace(
        module,
        imports=(),
        rules=tuple(r for r in module.rules if r is part),
        policies=tuple(p for p in module.policies if p is part),
        params=tuple(p for p in module.params if p is part),
        tests=tuple(t for t in module.tests if t is part),
        comments=comments,
    )
    words = "".join(f"import {path}\n" for path in map(import_path, module.imports) if path.startswith(_WORDS))
    found = parse_with_tokens(Source(source.file, f"package p\n{words}{text}")).value
    if found is None or _comments(alone) != _comments(found[0]):
        return False
    return same_meaning(replace(alone, package=found[0].package), replace(found[0], imports=()))


def _comments(module: ast.Module) -> Counter[Any]:
    return Counter(c.text.rstrip() for c in module.comments)
