"""The values of a YAML file that was read before, by its text: a parser is not even imported where nothing changed."""

from __future__ import annotations

from typing import Any

from policy_lang.codegen import cache
from policy_lang.diagnostics import Outcome


def kept_values(file: str, text: str) -> Outcome[Any]:
    """``compiler.facts.project.yaml_values.load_values``; what is wrong with a text is found anew each time."""
    key = cache.key_of("values", *cache.program("compiler", "policy_lang"), *cache.installed(), text)
    known = cache.read(key)
    if known is not None:
        return Outcome(known[0])
    from compiler.facts.project.yaml_values import load_values

    loaded = load_values(file, text)
    if not loaded.diagnostics:
        try:
            cache.write(key, (loaded.value,))
        except ValueError:
            return loaded  # a decimal number, which `marshal` does not write
    return loaded
