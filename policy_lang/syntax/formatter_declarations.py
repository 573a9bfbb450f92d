"""How ``policy``, ``param`` and ``test`` are laid out: clauses a line each, their values aligned."""

from __future__ import annotations

from policy_lang.syntax import ast
from policy_lang.syntax.formatter_rules import RuleWriter


class DeclarationWriter(RuleWriter):
    """Writes the declarations of ``.floe`` files."""

    def write_declaration(self, declaration: object) -> None:
        """One declaration."""
