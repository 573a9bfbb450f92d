"""What depends on the evaluation: the clock, random numbers, printing."""

from __future__ import annotations

import random
import uuid
from typing import Any

from policy_lang.runtime.builtins.registry import BuiltinError, builtin
from policy_lang.runtime.builtins.strings import rego_text
from policy_lang.runtime.session import current
from policy_lang.runtime.values import RegoSet


@builtin("time.now_ns")
def now_ns() -> int:
    """The evaluation's moment, in nanoseconds since 1970."""
    return current().now_ns


@builtin("rand.intn", "string", "number")
def intn(key: str, limit: Any) -> int:
    """A number from 0 to below ``|limit|``, the same for the same arguments through an evaluation."""
    bound = abs(int(limit))
    if limit != int(limit):
        raise BuiltinError("eval_type_error", "rand.intn: operand 2 must be integer number")
    if not bound:
        return 0
    kept = current().kept
    if ("rand.intn", key, bound) not in kept:
        kept["rand.intn", key, bound] = random.SystemRandom().randrange(bound)
    return int(kept["rand.intn", key, bound])


@builtin("uuid.rfc4122", "string")
def rfc4122(key: str) -> str:
    """A random identifier (version 4), the same for the same key through an evaluation."""
    kept = current().kept
    if ("uuid", key) not in kept:
        kept["uuid", key] = str(uuid.uuid4())
    return str(kept["uuid", key])


@builtin("trace", "string")
def trace(note: str) -> bool:
    """True; the note is for explanations only."""
    return True


@builtin("internal.print", "array")
def internal_print(operands: list[RegoSet]) -> bool:
    """Prints the operands' values; a set without elements is an operand that was undefined. An operand with
    many values prints a line for each combination."""
    prints = current().prints
    if prints is not None:
        lines: list[list[str]] = [[]]
        for operand in operands:
            shown = [value if type(value) is str else rego_text(value) for value in operand.values()]
            lines = [[*line, text] for line in lines for text in shown or ["<undefined>"]]
        for line in lines:
            prints(" ".join(line))
    return True
