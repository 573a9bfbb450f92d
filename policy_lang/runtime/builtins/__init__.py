"""The builtins: ``REGISTRY`` maps OPA's names to functions, ``ARITY`` to their numbers of operands."""

from policy_lang.runtime.builtins import clock, collections, crypto, jwt, net, numbers, operators, strings, types, uuid
from policy_lang.runtime.builtins.registry import ARITY, BuiltinError
from policy_lang.runtime.builtins.registry import TABLE as REGISTRY

__all__ = [
    "ARITY",
    "REGISTRY",
    "BuiltinError",
    "clock",
    "collections",
    "crypto",
    "jwt",
    "net",
    "numbers",
    "operators",
    "strings",
    "types",
    "uuid",
]
