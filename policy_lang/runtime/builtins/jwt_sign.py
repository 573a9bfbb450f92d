"""JSON Web Tokens: signing them, and decoding with verification and constraints (RFC 7515, 7517, 7519)."""

from __future__ import annotations

import base64
import hmac
import re
from decimal import Decimal
from typing import Any

from policy_lang.runtime.builtins import jwt
from policy_lang.runtime.builtins.registry import BuiltinError, builtin, failure
from policy_lang.runtime.session import current
from policy_lang.runtime.values import from_json, to_json

_ALGORITHMS = {f"{family}{bits}": (family, bits) for family in ("HS", "RS", "PS", "ES") for bits in (256, 384, 512)}
_ALGORITHMS["EdDSA"] = ("EdDSA", 0)
_CONSTRAINTS = frozenset(("cert", "secret", "alg", "iss", "time", "aud"))
_REFUSED: list[Any] = [False, {}, {}]


# --------------------------------------------------------------------------- signing


@builtin("io.jwt.encode_sign", "object", "object", "object")
def encode_sign(headers: Any, payload: Any, key: Any) -> str:
    return _sign("io.jwt.encode_sign", to_json(headers), to_json(payload), to_json(key))


@builtin("io.jwt.encode_sign_raw", "string", "string", "string")
def encode_sign_raw(headers: str, payload: str, key: str) -> str:
    return _sign("io.jwt.encode_sign_raw", headers, payload, key)


def _sign(name: str, headers: str, payload: str, key: str) -> str:
    header = _header(name, headers)
    algorithm = header["alg"]
    if algorithm not in _ALGORITHMS:
        raise failure(name, f"unknown JWS algorithm: {algorithm}")
    if str(header.get("typ", "")).upper() == "JWT":
        try:
            from_json(payload)
        except ValueError:
            raise failure(name, "type is JWT but payload is not JSON") from None
    message = f"{_encoded(headers.encode())}.{_encoded(payload.encode())}"
    try:
        signature = _signature(algorithm, from_json(key), message.encode())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise failure(name, f"failed to sign with the JWK: {error}") from None
    return f"{message}.{_encoded(signature)}"


def _header(name: str, text: str) -> dict[str, Any]:
    what = "missing or invalid 'alg' header"
    if not text:
        raise failure(name, f"{what}: cannot parse JSON: cannot parse empty string")
    try:
        found = from_json(text)
    except ValueError as error:
        if re.fullmatch(r"[0-9.eE+-]+", text):  # what OPA's reader takes for a number
            raise failure(name, f'{what}: jwsbb: header "alg" not found') from None
        raise failure(name, f"{what}: cannot parse JSON: {error}") from None
    if type(found) is not dict or type(found.get("alg")) is not str:
        raise failure(name, f'{what}: jwsbb: header "alg" not found')
    return found


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(key: dict[str, str], field: str) -> bytes:
    return base64.urlsafe_b64decode(key[field] + "=" * (-len(key[field]) % 4))


def _number(key: dict[str, str], field: str) -> int:
    return int.from_bytes(_bytes(key, field))


def _signature(algorithm: str, key: dict[str, str], message: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    family, bits = _ALGORITHMS[algorithm]
    if family == "HS":
        return hmac.digest(_bytes(key, "k"), message, f"sha{bits}")
    if family == "EdDSA":
        return ed25519.Ed25519PrivateKey.from_private_bytes(_bytes(key, "d")).sign(message)
    digest: Any = {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}[bits]
    if family == "ES":
        curves: dict[str, Any] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
        curve = curves[key["crv"]]
        private = ec.derive_private_key(_number(key, "d"), curve)
        size = (curve.key_size + 7) // 8
        halves = decode_dss_signature(private.sign(message, ec.ECDSA(digest)))
        return b"".join(half.to_bytes(size) for half in halves)
    private_rsa = _rsa(key)
    if family == "RS":
        return bytes(private_rsa.sign(message, padding.PKCS1v15(), digest))
    return bytes(private_rsa.sign(message, padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH), digest))


def _rsa(key: dict[str, str]) -> Any:
    from cryptography.hazmat.primitives.asymmetric import rsa

    n, e, d = (_number(key, field) for field in ("n", "e", "d"))
    if "p" in key and "q" in key:
        p, q = _number(key, "p"), _number(key, "q")
    else:
        p, q = rsa.rsa_recover_prime_factors(n, e, d)
    public = rsa.RSAPublicNumbers(e, n)
    parts = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    return rsa.RSAPrivateNumbers(p, q, d, *parts, public).private_key()


# --------------------------------------------------------------------------- verifying


@builtin("io.jwt.verify_eddsa", "string", "string")
def verify_eddsa(token: str, key: str) -> bool:
    return _verified("io.jwt.verify_eddsa", "EdDSA", token, key)


def _verified(name: str, algorithm: str, token: str, key: str) -> bool:
    family, bits = _ALGORITHMS[algorithm]
    if family != "EdDSA":
        return jwt.verify(family, bits, token, key)
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ed25519

    message, _, last = token.rpartition(".")
    signature = jwt.section(name, "signature", last)
    for found in jwt.keys(name, key):
        if isinstance(found, ed25519.Ed25519PublicKey):
            try:
                found.verify(signature, message.encode())
            except InvalidSignature:
                continue
            return True
    return False


@builtin("io.jwt.decode_verify", "string", "object")
def decode_verify(token: str, constraints: dict[Any, Any]) -> list[Any]:
    """``[true, header, payload]`` where the token is signed and its claims hold, else ``[false, {}, {}]``."""
    name = "io.jwt.decode_verify"
    key = _key(name, constraints)
    while True:
        head, body, _ = jwt.parts(name, token)
        header = jwt.header(name, head)
        algorithm = header.get("alg")
        if type(algorithm) is not str or algorithm not in _ALGORITHMS or "crit" in header:
            return _REFUSED
        if constraints.get("alg", algorithm) != algorithm:
            return _REFUSED
        if (algorithm.startswith("HS")) != ("secret" in constraints) or not _verified(name, algorithm, token, key):
            return _REFUSED
        payload = jwt.section(name, "payload", body)
        if not jwt.nested(header):
            claims = jwt.json_object(name, "payload", payload)
            return [True, header, claims] if _claims_hold(name, claims, constraints) else _REFUSED
        token = jwt.inner(name, payload)


def _key(name: str, constraints: dict[Any, Any]) -> str:
    for word in constraints:
        if word not in _CONSTRAINTS:
            raise failure(name, f"unknown token validation constraint: {word}")
    for word in ("cert", "secret", "alg", "iss", "aud"):
        if word in constraints and type(constraints[word]) is not str:
            raise failure(name, f"{word} constraint: must be a string")
    given = [word for word in ("cert", "secret") if word in constraints]
    if len(given) != 1:
        raise failure(name, "no key constraint" if not given else "duplicate key constraints")
    return str(constraints[given[0]])


def _claims_hold(name: str, claims: dict[str, Any], constraints: dict[Any, Any]) -> bool:
    if "iss" in constraints and claims.get("iss") != constraints["iss"]:
        return False
    audience = claims.get("aud")
    listed = audience if type(audience) is list else [] if audience is None else [audience]
    if (audience is not None or "aud" in constraints) and constraints.get("aud") not in listed:
        return False
    moment = constraints.get("time", current().now_ns)
    if type(moment) not in (int, Decimal) or moment < 0:
        raise failure(name, "token time constraint: must be a number of nanoseconds")
    seconds = Decimal(moment) / 10**9
    for claim in ("exp", "nbf"):
        if claim in claims and type(claims[claim]) not in (int, Decimal):
            raise BuiltinError("eval_builtin_error", f"{name}: {claim} value must be a number")
    if "exp" in claims and seconds >= claims["exp"]:
        return False
    return not ("nbf" in claims and seconds < claims["nbf"])
