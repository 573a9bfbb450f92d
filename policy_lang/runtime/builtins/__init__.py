"""The builtins: ``REGISTRY`` maps OPA's names to functions, ``ARITY`` to their numbers of operands, ``HOME`` to
the module of each. All families are imported when one of these is first asked for; a program from the cache
imports those that it calls.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from policy_lang.runtime.builtins.registry import BuiltinError

if TYPE_CHECKING:
    from policy_lang.runtime.builtins.registry import ARITY, HOME
    from policy_lang.runtime.builtins.registry import TABLE as REGISTRY

__all__ = ["ARITY", "HOME", "REGISTRY", "BuiltinError"]

FAMILIES = (
    "aws",
    "binary",
    "clock",
    "collections",
    "crypto",
    "encodings",
    "globs",
    "graphql",
    "json_paths",
    "jwt",
    "jwt_sign",
    "layouts",
    "net",
    "numbers",
    "operators",
    "outside",
    "reflection",
    "regex_globs",
    "render",
    "regex_more",
    "schemas",
    "semver",
    "session_builtins",
    "sprintf",
    "strings",
    "strings_more",
    "types",
    "units",
    "uris",
    "uuid",
    "x509",
    "x509_keys",
)


def __getattr__(name: str) -> Any:
    if name not in ("ARITY", "HOME", "REGISTRY"):
        raise AttributeError(name)
    for family in FAMILIES:
        importlib.import_module(f"{__name__}.{family}")
    from policy_lang.runtime.builtins import registry

    globals().update(ARITY=registry.ARITY, HOME=registry.HOME, REGISTRY=registry.TABLE)
    return globals()[name]
