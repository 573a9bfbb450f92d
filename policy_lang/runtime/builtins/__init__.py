"""The builtins: ``REGISTRY`` maps OPA's names to functions, ``ARITY`` to their numbers of operands."""

from policy_lang.runtime.builtins import (
    clock,
    collections,
    crypto,
    encodings,
    globs,
    json_paths,
    jwt,
    layouts,
    net,
    numbers,
    operators,
    regex_more,
    semver,
    strings,
    strings_more,
    types,
    units,
    uuid,
)
from policy_lang.runtime.builtins.registry import ARITY, BuiltinError
from policy_lang.runtime.builtins.registry import TABLE as REGISTRY

__all__ = [
    "ARITY",
    "REGISTRY",
    "BuiltinError",
    "clock",
    "collections",
    "crypto",
    "encodings",
    "globs",
    "json_paths",
    "jwt",
    "layouts",
    "net",
    "numbers",
    "operators",
    "regex_more",
    "semver",
    "strings",
    "strings_more",
    "types",
    "units",
    "uuid",
]
