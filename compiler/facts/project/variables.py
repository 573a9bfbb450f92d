"""The variables of a package, and the Jinja in YAML values evaluated with them.

Jinja itself is imported only where there is an expression to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.facts.project.file_facts import UNKNOWN


class Variables:
    """What ``var`` answers in one package."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def rendered(self, value: Any) -> Any:
        """A YAML value with its Jinja replaced by what it is known to be, UNKNOWN for what only dbt can compute.

        Like Jinja, it drops one line end at the end of a text.
        """
        if isinstance(value, str):
            if "{{" not in value and "{%" not in value:
                return value.removesuffix("\n")
            from compiler.facts.project.jinja_values import Values

            return Values(self.values).text(value)
        if isinstance(value, dict):
            return {k: known(self.rendered(v)) for k, v in value.items()}
        if isinstance(value, list):
            return [known(self.rendered(v)) for v in value]
        return value


def known(value: Any) -> Any:
    """None in the place of UNKNOWN: what stands inside of a value has no other sign for it."""
    return None if value is UNKNOWN else value
