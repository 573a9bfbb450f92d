"""What looks beyond the policy's input. The compiler refuses these unless a capabilities file names them; tests
replace them with ``with``."""

from __future__ import annotations

import json
import socket
from typing import Any

from policy_lang.runtime.builtins.registry import BuiltinError, builtin, failure
from policy_lang.runtime.builtins.strings import rego_text
from policy_lang.runtime.session import current
from policy_lang.runtime.values import RegoSet, from_json, to_json

_TIMEOUT_SECONDS = 5.0
_KNOWN = frozenset(
    (
        "body",
        "cache",
        "caching_mode",
        "enable_redirect",
        "force_cache",
        "force_cache_duration_seconds",
        "force_json_decode",
        "headers",
        "max_retry_attempts",
        "method",
        "raise_error",
        "raw_body",
        "timeout",
        "url",
    )
)


@builtin("opa.runtime")
def runtime() -> dict[str, Any]:
    """Nothing: a policy learns nothing of the machine it runs on."""
    return {}


@builtin("net.lookup_ip_addr", "string")
def lookup_ip_addr(name: str) -> RegoSet:
    try:
        found = socket.getaddrinfo(name, None, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise failure("net.lookup_ip_addr", f"lookup {name}: {error}") from None
    return RegoSet.of(str(entry[4][0]) for entry in found)


@builtin("http.send", "object")
def send(request: dict[Any, Any]) -> Any:
    """The answer to a request: status, body, raw_body, headers. The same request is sent once an evaluation."""
    unknown = sorted(str(key) for key in request if key not in _KNOWN)
    if unknown:
        raise _type_error(f"invalid request parameters(s): {rego_text(RegoSet.of(unknown))}")
    missing = [key for key in ("method", "url") if key not in request]
    if missing:
        raise _type_error(f"missing required request parameters(s): {rego_text(RegoSet.of(missing))}")
    if type(request["url"]) is not str or type(request["method"]) is not str:
        raise _type_error("method and url must be strings")
    kept = current().kept
    key = ("http.send", to_json(request))
    if key not in kept:
        kept[key] = _sent(request)
    return kept[key]


def _type_error(message: str) -> BuiltinError:
    return BuiltinError("eval_type_error", f"http.send: {message}")


def _sent(request: dict[Any, Any]) -> dict[str, Any]:
    import urllib.error
    import urllib.request

    url = request["url"]
    if not url.startswith(("http://", "https://")):
        raise failure("http.send", f"{url}: the URL is not http or https")
    headers = {str(name): str(value) for name, value in request.get("headers", {}).items()}
    body: bytes | None = None
    if "raw_body" in request:
        body = str(request["raw_body"]).encode()
    elif "body" in request:
        body = to_json(request["body"]).encode()
        headers.setdefault("Content-Type", "application/json")
    try:
        asked = urllib.request.Request(url, body, headers, method=request["method"].upper())
        with urllib.request.urlopen(asked, timeout=_TIMEOUT_SECONDS) as answer:
            return _answer(answer)
    except urllib.error.HTTPError as answer:
        with answer:
            return _answer(answer)
    except (OSError, ValueError) as error:
        if request.get("raise_error", True) is False:
            return {"status_code": 0, "error": {"code": "eval_http_send_network_error", "message": str(error)}}
        raise failure("http.send", str(error)) from None


def _answer(answer: Any) -> dict[str, Any]:
    raw = answer.read().decode(errors="replace")
    try:
        body = from_json(raw)
    except json.JSONDecodeError:
        body = None
    headers: dict[str, list[str]] = {}
    for name, value in answer.headers.items():
        headers.setdefault(name.lower(), []).append(value)
    return {
        "status": f"{answer.status} {answer.reason}",
        "status_code": answer.status,
        "body": body,
        "raw_body": raw,
        "headers": headers,
    }
