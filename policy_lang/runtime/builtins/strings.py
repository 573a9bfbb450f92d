"""Text: search, change, format, regular expressions (RE2), JSON."""

from __future__ import annotations

import re
from typing import Any

from policy_lang.patterns import Pattern
from policy_lang.runtime.builtins.registry import BuiltinError, builtin, failure, integer
from policy_lang.runtime.matching import MATCHED, SPACES, lower, matches, pattern_of
from policy_lang.runtime.values import (
    RegoSet,
    from_json,
    object_items,
    sort_key,
    sorted_values,
    to_json,
    type_name,
)


def rego_text(value: Any) -> str:
    """A value as a Rego term: strings in quotes, sets in braces."""
    kind = type(value)
    if kind is list:
        return "[" + ", ".join(map(rego_text, value)) + "]"
    if kind is RegoSet:
        return "{" + ", ".join(map(rego_text, sorted_values(value.values()))) + "}" if value else "set()"
    if isinstance(value, dict):
        pairs = sorted(object_items(value), key=lambda pair: sort_key(pair[0]))
        return "{" + ", ".join(f"{rego_text(k)}: {rego_text(v)}" for k, v in pairs) + "}"
    return to_json(value)


@builtin("concat", "string", "set|array")
def concat(separator: str, parts: Any) -> str:
    found = parts if type(parts) is list else sorted_values(parts.values())
    for part in found:
        if type(part) is not str:
            kind = type_name(parts)
            text = f"concat: operand 2 must be {kind} of strings but got {kind} containing {type_name(part)}"
            raise BuiltinError("eval_type_error", text)
    return separator.join(found)


@builtin("contains", "string", "string")
def contains(text: str, part: str) -> bool:
    return part in text


@builtin("startswith", "string", "string")
def starts_with(text: str, part: str) -> bool:
    return text.startswith(part)


@builtin("endswith", "string", "string")
def ends_with(text: str, part: str) -> bool:
    return text.endswith(part)


builtin("lower", "string")(lower)


@builtin("upper", "string")
def upper(text: str) -> str:
    """Letter by letter, as Go does: ``ß`` stays."""
    if text.isascii():
        return text.upper()
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in text)


@builtin("split", "string", "string")
def split(text: str, separator: str) -> list[str]:
    return text.split(separator) if separator else list(text)


@builtin("replace", "string", "string", "string")
def replace(text: str, old: str, new: str) -> str:
    return text.replace(old, new)


@builtin("strings.replace_n", "object", "string")
def replace_many(patterns: dict[Any, Any], text: str) -> str:
    """All replacements in one pass, in the order of the keys; an earlier key wins."""
    if not all(type(k) is str and type(v) is str for k, v in patterns.items()):
        raise BuiltinError("eval_type_error", "strings.replace_n: operand 1 must be object of strings")
    if not patterns:
        return text
    pattern = "|".join(re.escape(key) for key in sorted(patterns))
    return re.sub(pattern, lambda m: str(patterns[m.group()]), text)


@builtin("strings.reverse", "string")
def reverse(text: str) -> str:
    return text[::-1]


@builtin("strings.count", "string", "string")
def occurrences(text: str, part: str) -> int:
    return text.count(part) if part else len(text) + 1


@builtin("strings.any_prefix_match", "any", "any")
def any_prefix(texts: Any, prefixes: Any) -> bool:
    found = _texts("strings.any_prefix_match", 1, texts)
    starts = tuple(_texts("strings.any_prefix_match", 2, prefixes))
    return any(text.startswith(starts) for text in found)


@builtin("strings.any_suffix_match", "any", "any")
def any_suffix(texts: Any, suffixes: Any) -> bool:
    found = _texts("strings.any_suffix_match", 1, texts)
    ends = tuple(_texts("strings.any_suffix_match", 2, suffixes))
    return any(text.endswith(ends) for text in found)


def _texts(name: str, position: int, value: Any) -> list[str]:
    kind = type_name(value)
    if kind not in ("string", "array", "set"):
        text = f"{name}: operand {position} must be one of {{string, set, array}} but got {kind}"
        raise BuiltinError("eval_type_error", text)
    found = [value] if kind == "string" else list(value if kind == "array" else value.values())
    wrong = next((item for item in found if type(item) is not str), None)
    if wrong is not None or None in found:
        text = f"{name}: operand {position} must be {kind} of strings but got {kind} containing {type_name(wrong)}"
        raise BuiltinError("eval_type_error", text)
    return found


@builtin("trim", "string", "string")
def trim(text: str, cut: str) -> str:
    return text.strip(cut) if cut else text


@builtin("trim_left", "string", "string")
def trim_left(text: str, cut: str) -> str:
    return text.lstrip(cut) if cut else text


@builtin("trim_right", "string", "string")
def trim_right(text: str, cut: str) -> str:
    return text.rstrip(cut) if cut else text


@builtin("trim_prefix", "string", "string")
def trim_prefix(text: str, prefix: str) -> str:
    return text.removeprefix(prefix)


@builtin("trim_suffix", "string", "string")
def trim_suffix(text: str, suffix: str) -> str:
    return text.removesuffix(suffix)


@builtin("trim_space", "string")
def trim_space(text: str) -> str:
    return text.strip(SPACES)


@builtin("substring", "string", "number", "number")
def substring(text: str, offset: Any, length: Any) -> str:
    start, count = integer("substring", 2, offset), integer("substring", 3, length)
    if start < 0:
        raise failure("substring", "negative offset")
    return text[start:] if count < 0 else text[start : start + count]


@builtin("indexof", "string", "string")
def index_of(text: str, part: str) -> int:
    if not part:
        raise failure("indexof", "empty search character")
    return text.find(part)


@builtin("indexof_n", "string", "string")
def index_of_all(text: str, part: str) -> list[int]:
    if not part:
        raise failure("indexof_n", "empty search character")
    return [i for i in range(len(text)) if text.startswith(part, i)]


@builtin("format_int", "number", "number")
def format_int(number: Any, base: Any) -> str:
    """The integral part in base 2, 8, 10 or 16."""
    form = {2: "b", 8: "o", 10: "d", 16: "x"}.get(int(base) if base == int(base) else 0)
    if form is None:
        raise BuiltinError("eval_type_error", "format_int: operand 2 must be one of {2, 8, 10, 16}")
    return format(int(number), form)


# --------------------------------------------------------------------- regular expressions


@builtin("regex.match", "string", "string")
def regex_match(pattern: str, text: str) -> bool:
    known = matches(pattern)
    found = known[text]
    MATCHED[pattern] = known
    return found


@builtin("regex.is_valid", "any")
def regex_is_valid(pattern: Any) -> bool:
    if type(pattern) is not str:
        return False
    try:
        pattern_of("regex.is_valid", pattern)
    except BuiltinError:
        return False
    return True


@builtin("regex.split", "string", "string")
def regex_split(pattern: str, text: str) -> list[str]:
    parts, last = [], 0
    for match in pattern_of("regex.split", pattern).finditer(text):
        if match.end() == 0 or (match.start() == match.end() == len(text)):
            continue
        parts.append(text[last : match.start()])
        last = match.end()
    return [*parts, text[last:]]


@builtin("regex.find_n", "string", "string", "number")
def regex_find(pattern: str, text: str, limit: Any) -> list[str]:
    most = integer("regex.find_n", 3, limit)
    found = [m.group() for m in pattern_of("regex.find_n", pattern).finditer(text)]
    return found if most < 0 else found[:most]


@builtin("regex.find_all_string_submatch_n", "string", "string", "number")
def regex_submatches(pattern: str, text: str, limit: Any) -> list[list[str]]:
    most = integer("regex.find_all_string_submatch_n", 3, limit)
    matches = pattern_of("regex.find_all_string_submatch_n", pattern).finditer(text)
    found = [[m.group(), *("" if g is None else g for g in m.groups())] for m in matches]
    return found if most < 0 else found[:most]


@builtin("regex.replace", "string", "string", "string")
def regex_replace(text: str, pattern: str, replacement: str) -> str:
    compiled = pattern_of("regex.replace", pattern)

    def expanded(match: Any) -> str:
        def group(reference: re.Match[str]) -> str:
            name = reference["name"] or reference["braced"]
            if name is None:
                return "$"
            try:
                return match.group(int(name) if name.isdigit() else name) or ""
            except IndexError:
                return ""

        return re.sub(r"\$(?:\$|(?P<name>\w+)|\{(?P<braced>\w+)\})", group, replacement)

    return str(compiled.sub(expanded, text))


# --------------------------------------------------------------------- encodings


@builtin("json.marshal", "any")
def json_marshal(value: Any) -> str:
    """JSON as Go writes it: ``<``, ``>`` and ``&`` escaped."""
    text = to_json(value)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


@builtin("json.unmarshal", "string")
def json_unmarshal(text: str) -> Any:
    if _LONG_EXPONENT.search(text) and any(map(_too_big, _NUMBER_TEXT.findall(_STRINGS.sub("", text)))):
        raise failure("json.unmarshal", "number too big")
    try:
        return from_json(text)
    except ValueError as error:
        raise failure("json.unmarshal", str(error)) from None


# OPA keeps numbers up to a binary exponent of 100,000.
_LONG_EXPONENT = Pattern(r"[eE][+-]?[0-9]{5}")
_STRINGS = Pattern(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NUMBER_TEXT = Pattern(r"[0-9.]+[eE][+-]?[0-9]+")
_LARGEST_EXPONENT = 30_102


def _too_big(text: str) -> bool:
    mantissa, exponent = re.split("[eE]", text)
    return len(exponent) > 7 or abs(int(exponent) + len(mantissa.partition(".")[0]) - 1) > _LARGEST_EXPONENT


@builtin("json.is_valid", "any")
def json_is_valid(text: Any) -> bool:
    if type(text) is not str:
        return False
    try:
        from_json(text)
    except ValueError:
        return False
    return True
