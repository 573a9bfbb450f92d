"""Credentials and connection details in a document, found by a key's name and by the look of a value.

Codes: FLC204 a credential, FLC206 connection details in floe.yaml (they belong in a secret that it names).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from compiler.documents.shape import Keys, dotted
from compiler.documents.yaml_document import YamlDocument
from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.patterns import Pattern

_SECRET_KEY = Pattern(
    r"(^|[_.-])(passwords?|passwd|pwd|passphrase|secrets?|api_?keys?|access_?keys?|secret_?access_?key|private_?keys?"
    r"|(access_?|auth_?|bearer_?|refresh_?|session_?)?tokens?|credentials?|client_?secret|account_?key|sas_?token"
    r"|signing_?key|encryption_?key)$"
)
_LOOKS = (
    ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    ("an AWS access key", r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a GitHub token", r"\b(gh[opusr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("a Slack token", r"\bxox[abprs]-[A-Za-z0-9-]{10,}|hooks\.slack\.com/services/T"),
    ("an API key", r"\b(sk|pk|rk)[-_](live|test|proj|ant)[-_][A-Za-z0-9_-]{8,}|\bsk-[A-Za-z0-9]{20,}"),
    ("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("a JSON web token", r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\."),
    ("an Azure account key", r"(?i)(AccountKey|SharedAccessKey|sig)=[A-Za-z0-9+/%]{20,}"),
    ("a password in an address", r"(?i)[a-z][a-z0-9+.-]*://[^/\s:@{}$]+:(?![{$])[^/\s:@{}]+@"),
    ("a password in a connection string", r"(?i)(^|[;\s?&])(password|pwd)=(?![{$])[^;\s&]+"),
)
"""Compiled where a value is suspicious, and kept by ``re``: most documents have none."""
_SUSPICIOUS = Pattern(r"KEY|AKIA|ASIA|gh[opusr]_|github_pat|glpat|xox|slack|[sprk]k[-_]|AIza|eyJ|=|://", re.I)
"""What every look has in it: most values have none of it, and are not looked at more closely."""
_CONNECTION_KEY = Pattern(
    r"^(host|host_?name|user|user_?name|login|account|dsn|jdbc_?url|connection_?(string|uri|url)|conn_?str"
    r"|database_?(url|uri)|server|port|private_?link)$"
)
_CONNECTION_VALUE = Pattern(
    r"^(jdbc:|(postgres(ql)?|mysql|mariadb|mssql|sqlserver|oracle|snowflake|redshift|mongodb(\+srv)?|redis|clickhouse"
    r"|databricks|trino|presto)(\+\w+)?://)",
    re.I,
)
_REFERENCE = Pattern(r"^(\$\{.+\}|\{\{.*\}\}|\$[A-Z_]+|env:.+|vault:.+|secret(ref)?:.+|secretKeyRef.*)$", re.S)
_FREE_TEXT = frozenset(
    {"description", "field_mapping", "labels", "fieldMapping", "annotations", "secret_refs", "secretRefs"}
)
_PRAGMA = "pragma: allowlist secret"


def find_secrets(document: YamlDocument, kind: str) -> list[Diagnostic]:
    """What looks like a credential. In a product it blocks; in a manifest a suspicious name is only a warning."""
    found: list[Diagnostic] = []
    lines: list[str] | None = None
    for path, value in _leaves(document.value, ()):
        what, certain = _credential(path, value)
        if not what and kind == "DataProduct":
            found += _connection(document, path, value)
        if not what:
            continue
        span = document.span(path)
        lines = document.source.text.splitlines() if lines is None else lines
        allowed = span.line <= len(lines) and _PRAGMA in lines[span.line - 1]
        severity = Severity.BLOCK if kind == "DataProduct" or certain else Severity.WARN
        found.append(
            Diagnostic(
                "FLC204",
                f"`{dotted(path)}` holds {what}",
                span,
                Severity.NOTIFY if allowed and kind != "DataProduct" else severity,
                hint="name a secret with `connection_secret_ref`, or read it with `${NAME}` when it runs",
                path=path,
            )
        )
    return found


def _leaves(value: Any, path: Keys) -> Iterator[tuple[Keys, Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(one, (*path, key))
    elif isinstance(value, list):
        for i, one in enumerate(value):
            yield from _leaves(one, (*path, i))
    else:
        yield path, value


def _key(path: Keys) -> str:
    name = next((p for p in reversed(path) if isinstance(p, str)), "")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _credential(path: Keys, value: Any) -> tuple[str, bool]:
    """What the value looks like, and whether its look alone says so."""
    if not isinstance(value, str) or not value or _REFERENCE.match(value):
        return "", False
    for what, look in _LOOKS if _SUSPICIOUS.search(value) else ():
        if re.search(look, value):
            return f"what looks like {what}", True
    key = _key(path)
    if key.startswith("existing_"):  # the name of a Kubernetes secret, as charts write it
        return "", False
    if _SECRET_KEY.search(key) and not _is_type_of_secret(path) and not any(p in _FREE_TEXT for p in path[:-1]):
        return "what its name calls a credential", False
    return "", False


def _is_type_of_secret(path: Keys) -> bool:
    """``plugins.secrets: k8s-secrets`` and ``approved_plugins.secrets[0]`` name a plugin."""
    return len(path) > 1 and path[0] in ("plugins", "approved_plugins") and path[1] == "secrets"


def _connection(document: YamlDocument, path: Keys, value: Any) -> list[Diagnostic]:
    if isinstance(value, bool) or value is None or any(p in _FREE_TEXT for p in path):
        return []
    text = value if isinstance(value, str) else ""
    key = _key(path)
    named = bool(_CONNECTION_KEY.match(key)) and not _REFERENCE.match(text)
    if key == "port":
        named = isinstance(value, int) or text.isdigit()
    if (not named and not _CONNECTION_VALUE.match(text)) or isinstance(value, Decimal):
        return []
    hint = "connections belong to the platform: name the secret that holds it with `connection_secret_ref`"
    message = f"`{dotted(path)}` holds connection details, which a product may not have"
    return [Diagnostic("FLC206", message, document.span(path), hint=hint, path=path)]
