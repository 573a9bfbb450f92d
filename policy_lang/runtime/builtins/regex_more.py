"""Templates: literal text with regular expressions (RE2) between delimiters."""

from __future__ import annotations

from policy_lang.runtime.builtins.registry import builtin, failure


def _parts(template: str, start: str, end: str) -> list[tuple[bool, str]]:
    """The parts of a template, each with whether it is a pattern. Delimiters may nest inside a pattern."""
    parts, depth, last = [], 0, 0
    for index, character in enumerate(template):
        if character == start and (depth == 0 or start != end):
            depth += 1
            if depth == 1:
                parts.append((False, template[last:index]))
                last = index + 1
        elif character == end:
            depth -= 1
            if depth < 0:
                break
            if depth == 0:
                parts.append((True, template[last:index]))
                last = index + 1
    if depth:
        raise failure("regex.template_match", f"unbalanced delimiters in {template!r}")
    return [*parts, (False, template[last:])]


@builtin("regex.template_match", "string", "string", "string", "string")
def template_match(template: str, text: str, start: str, end: str) -> bool:
    """Whether the whole text matches the template."""
    import re2

    if len(start) != 1 or len(end) != 1:
        raise failure("regex.template_match", "a delimiter must be exactly one character long")
    options = re2.Options()
    options.log_errors = False
    pieces = [f"({part})" if is_pattern else re2.escape(part) for is_pattern, part in _parts(template, start, end)]
    try:
        return re2.compile("".join(pieces), options).fullmatch(text) is not None
    except re2.error as error:
        raise failure("regex.template_match", f"error parsing regexp: {error}") from None
