"""Parsed and desugared policy files, kept in the user's cache: after an edit only what was edited is parsed again."""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence

from policy_lang.collecting import uncollected
from policy_lang.diagnostics import Diagnostic
from policy_lang.records import NamedTuple
from policy_lang.source import Source
from policy_lang.syntax import ast


class Parsed(NamedTuple):
    """A file as written, and without the policy layer's declarations; None where it has a mistake."""

    module: ast.Module | None
    plain: ast.Module | None
    diagnostics: tuple[Diagnostic, ...] = ()


def parsed(sources: Sequence[Source], *, cached: bool) -> list[Parsed]:
    """What each of ``sources`` says; ``cached``: files without a finding are kept for the next time."""
    if not cached:
        return [_parsed(source) for source in sources]
    from policy_lang.codegen import cache

    # One entry for all files of one run: the cache holds few entries, and a run reads all of them anyway.
    key = cache.key_of(
        "parsed", os.getcwd(), *cache.program("policy_lang", "grammar"), *(source.file for source in sources)
    )
    kept: dict[str, bytes] = cache.read(key) or {}
    names = [cache.key_of(source.file, source.text) for source in sources]
    found: list[Parsed] = []
    now: dict[str, bytes] = {}
    with uncollected():
        for name, source in zip(names, sources, strict=True):
            data = kept.get(name)
            one = _parsed(source) if data is None else Parsed(*pickle.loads(data))  # the user's own file: see `read`
            data = _data(one) if data is None else data
            if data is not None:
                now[name] = data
            found.append(one)
    if now.keys() != kept.keys():
        cache.write(key, now)
    return found


def _parsed(source: Source) -> Parsed:
    from policy_lang.analysis.desugar import desugar
    from policy_lang.syntax.parser import parse_module

    outcome = parse_module(source)
    if outcome.value is None or not outcome.ok:
        return Parsed(None, None, outcome.diagnostics)
    made = desugar(outcome.value)
    return Parsed(outcome.value, made.value, (*outcome.diagnostics, *made.diagnostics))


def _data(one: Parsed) -> bytes | None:
    """A file without findings for the cache; None for others, and where it is nested deeper than can be written."""
    if one.plain is None or one.diagnostics:
        return None
    try:
        return pickle.dumps((one.module, one.plain), pickle.HIGHEST_PROTOCOL)
    except RecursionError:
        return None
