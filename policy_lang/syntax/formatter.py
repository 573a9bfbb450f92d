"""Formatting: the one layout of a source file. Policies in Rego look as ``opa fmt`` lays them out.

The text is parsed, written anew from the tree (``formatter_rules`` and below it), and parsed again:
a result that would mean something else, or lose a comment, is never handed out.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.source import Source, whole_file
from policy_lang.syntax import ast
from policy_lang.syntax.formatter_module import ModuleWriter
from policy_lang.syntax.formatter_places import Places
from policy_lang.syntax.meaning import same_meaning
from policy_lang.syntax.parser import parse_with_tokens


def format_source(source: Source) -> Outcome[str]:
    """The formatted text of one policy file.

    Errors: those of the parser; ``FLC890`` where the result would not mean the same, which is a fault
    of the formatter and not of the source.
    """
    parsed = parse_with_tokens(source)
    if parsed.value is None:
        return Outcome(None, parsed.diagnostics)
    module, tokens = parsed.value
    writer = ModuleWriter(Places(source, tokens), module.comments)
    writer.write_module(module)
    text = writer.text()
    if text == source.text:
        return Outcome(text)
    return _checked(source, module, text)


def _checked(source: Source, module: ast.Module, text: str) -> Outcome[str]:
    again = parse_with_tokens(Source(source.file, text))
    found = again.value
    if found is not None and same_meaning(module, found[0]) and _comments(module) == _comments(found[0]):
        return Outcome(text)
    message = "the formatter's result would not mean the same: the file is left alone"
    hint = "this is a fault of floec: report it with the file"
    return Outcome(None, (Diagnostic("FLC890", message, whole_file(source.file), hint=hint),))


def _comments(module: ast.Module) -> Counter[Any]:
    return Counter(c.text.rstrip() for c in module.comments)
