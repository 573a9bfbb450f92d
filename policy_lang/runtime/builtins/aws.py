"""``providers.aws.sign_req``: AWS's signature of version 4 over a request."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from policy_lang.runtime.builtins.registry import BuiltinError, builtin
from policy_lang.runtime.builtins.strings import json_marshal, rego_text
from policy_lang.runtime.values import RegoSet

_NAME = "providers.aws.sign_req"
_CONFIG = ("aws_access_key", "aws_secret_access_key", "aws_service", "aws_region")
_UNSIGNED_HEADERS = frozenset(("authorization", "user-agent", "x-amzn-trace-id"))
_HASHED = frozenset(("s3", "glacier", "s3-outposts", "vpc-lattice-svcs"))


def _type_error(position: int, message: str) -> BuiltinError:
    return BuiltinError("eval_type_error", f"{_NAME}: operand {position} {message}")


def _names(names: list[str]) -> str:
    return rego_text(RegoSet.of(names))


@builtin(_NAME, "object", "object", "number")
def sign_request(request: dict[Any, Any], config: dict[Any, Any], time_ns: Any) -> dict[Any, Any]:
    """The request with the headers ``Authorization``, ``host``, ``x-amz-date`` and so on."""
    _check_request(request)
    _check_config(config)
    if time_ns != int(time_ns) or not 0 <= time_ns < 2**63:
        raise _type_error(3, "could not convert time_ns value into a unix timestamp")
    moment = datetime.fromtimestamp(int(time_ns) // 10**9, UTC)
    unsigned = config.get("disable_payload_signing", False)
    headers = request.get("headers", {})
    if not isinstance(headers, dict):
        raise _type_error(1, "invalid type for headers: it is no object")
    body = _body(request)
    content = "UNSIGNED-PAYLOAD" if unsigned else hashlib.sha256(body).hexdigest()
    made = _signed_headers(request, config, moment, content)
    merged = {name: value for name, value in headers.items() if str(name).lower() not in made}
    return {**request, "headers": {**merged, **made}}


def _check_request(request: dict[Any, Any]) -> None:
    missing = [name for name in ("method", "url") if name not in request]
    if missing:
        raise _type_error(1, f"missing required request parameters(s): {_names(missing)}")
    wrong = [name for name in ("method", "url") if type(request[name]) is not str]
    if wrong:
        raise _type_error(1, f"invalid values for required request parameters(s): {_names(wrong)}")


def _check_config(config: dict[Any, Any]) -> None:
    missing = [name for name in _CONFIG if name not in config]
    if missing:
        raise _type_error(2, f"missing required AWS config parameters(s): {_names(missing)}")
    wrong = [name for name in _CONFIG if type(config[name]) is not str]
    if wrong:
        raise _type_error(2, f"invalid values for required AWS config parameters(s): {_names(wrong)}")
    if type(config.get("disable_payload_signing", False)) is not bool:
        raise _type_error(2, "invalid value for 'disable_payload_signing' in AWS config")


def _body(request: dict[Any, Any]) -> bytes:
    if type(request.get("raw_body")) is str:
        return str(request["raw_body"]).encode()
    return json_marshal(request["body"]).encode() if "body" in request else b""


def _signed_headers(request: dict[Any, Any], config: dict[Any, Any], moment: datetime, content: str) -> dict[str, str]:
    url = urlsplit(request["url"])
    made = {"host": url.netloc.rpartition("@")[2], "x-amz-date": moment.strftime("%Y%m%dT%H%M%SZ")}
    if config["aws_service"] in _HASHED:
        made["x-amz-content-sha256"] = content
    if config.get("aws_session_token"):
        made["x-amz-security-token"] = config["aws_session_token"]
    to_sign = {
        str(name).lower(): value if type(value) is str else rego_text(value)
        for name, value in request.get("headers", {}).items()
        if str(name).lower() not in _UNSIGNED_HEADERS
    }
    to_sign = made | to_sign  # a header that the request has already is signed as it was given
    names = ";".join(sorted(to_sign))
    query = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(parse_qsl(url.query, True)))
    canonical = "\n".join(
        (
            request["method"],
            url.path,
            query,
            *(f"{name}:{to_sign[name]}" for name in sorted(to_sign)),
            "",
            names,
            content,
        )
    )
    scope = f"{moment:%Y%m%d}/{config['aws_region']}/{config['aws_service']}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{made['x-amz-date']}\n{scope}\n{digest}"
    key = f"AWS4{config['aws_secret_access_key']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{config['aws_access_key']}/{scope}"
    made["Authorization"] = f"AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={names},Signature={signature}"
    return made
