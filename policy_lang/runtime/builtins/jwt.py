"""JSON Web Tokens (RFC 7519, 7515): decode them and verify their signatures."""

from __future__ import annotations

import base64
import binascii
import functools
import hmac
from typing import Any

from policy_lang.runtime.builtins.registry import builtin, failure
from policy_lang.runtime.values import from_json

_PEM_BEGIN, _PEM_END = "-----BEGIN ", "-----END "


def section(name: str, part: str, text: str) -> bytes:
    try:
        if not text.isascii() or "+" in text or "/" in text:
            raise ValueError("not the alphabet of URLs")
        body = text.rstrip("=")
        return base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise failure(name, f"JWT {part} had invalid encoding: {error}") from error


def parts(name: str, token: str) -> tuple[str, str, str]:
    parts = token.split(".")
    if len(parts) == 1:
        raise failure(name, "encoded JWT had no period separators")
    if len(parts) != 3:
        raise failure(name, f"encoded JWT must have 3 sections, found {len(parts)}")
    return parts[0], parts[1], parts[2]


def json_object(name: str, part: str, raw: bytes) -> dict[str, Any]:
    try:
        found = from_json(raw)
    except ValueError as error:
        raise failure(name, f"JWT {part} is no JSON") from error
    if type(found) is not dict:
        raise failure(name, f"JWT {part} is no object")
    return found


def header(name: str, text: str) -> dict[str, Any]:
    found = json_object(name, "header", section(name, "header", text))
    if "enc" in found:
        raise failure(name, "JWT is a JWE object, which is not supported")
    return found


def inner(name: str, raw: bytes) -> str:
    """The token inside a nested one, with or without quotes."""
    try:
        return raw.decode().strip().removeprefix('"').removesuffix('"')
    except UnicodeDecodeError as error:
        raise failure(name, "nested JWT is no text") from error


def nested(found: dict[str, Any]) -> bool:
    kind = found.get("cty")
    return type(kind) is str and kind.upper() == "JWT"


@builtin("io.jwt.decode", "string")
def decode(token: str) -> list[Any]:
    """Header, payload and signature (hexadecimal) of the innermost token. Nothing is verified."""
    name = "io.jwt.decode"
    while True:
        head, body, signature = parts(name, token)
        found = header(name, head)
        payload = section(name, "payload", body)
        if not nested(found):
            return [found, json_object(name, "payload", payload), section(name, "signature", signature).hex()]
        token = inner(name, payload)


def keys(name: str, text: str) -> list[Any]:
    """Public keys of a PEM certificate or key, or of a JSON Web Key or set of them."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return [_pem_key(name, text)] if _PEM_BEGIN in text else _json_keys(text)
    except (ValueError, KeyError, TypeError, AttributeError, UnsupportedAlgorithm) as error:
        kind = "PEM certificate" if _PEM_BEGIN in text else "JWK key (set)"
        raise failure(name, f"failed to parse a {kind}") from error


def _pem_key(name: str, text: str) -> Any:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    ending = text.partition(_PEM_END)[2].partition("-----")[2]
    if ending.strip():
        raise failure(name, "extra data after a PEM certificate block")
    label = text.partition(_PEM_BEGIN)[2].partition("-----")[0]
    if label == "CERTIFICATE":
        return x509.load_pem_x509_certificate(text.encode()).public_key()
    if label == "PUBLIC KEY":
        return serialization.load_pem_public_key(text.encode())
    raise failure(name, "failed to extract a Key from the PEM certificate")


def _json_keys(text: str) -> list[Any]:
    found = from_json(text)
    return [_json_key(key) for key in found.get("keys", [found])]


def _json_key(key: dict[str, str]) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    def number(field: str) -> int:
        return int.from_bytes(base64.urlsafe_b64decode(key[field] + "=="))

    if key["kty"] == "RSA":
        return rsa.RSAPublicNumbers(number("e"), number("n")).public_key()
    curves: dict[str, Any] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    if key["kty"] == "EC":
        return ec.EllipticCurvePublicNumbers(number("x"), number("y"), curves[key["crv"]]).public_key()
    if key["kty"] == "OKP" and key["crv"] == "Ed25519":
        return ed25519.Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "=="))
    raise ValueError(f"a key of type {key['kty']}")


def _signed_by(key: Any, family: str, bits: int, message: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    digest: Any = {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}[bits]
    try:
        if family == "ES" and isinstance(key, ec.EllipticCurvePublicKey):
            size = (key.curve.key_size + 7) // 8
            if len(signature) != 2 * size:
                return False
            halves = (int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))
            key.verify(encode_dss_signature(*halves), message, ec.ECDSA(digest))
            return True
        if family == "RS" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), digest)
            return True
        if family == "PS" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PSS(padding.MGF1(digest), padding.PSS.AUTO), digest)
            return True
    except InvalidSignature:
        return False
    return False


def verify(family: str, bits: int, token: str, key: str) -> bool:
    """Whether the token's signature is that of ``key``: a secret (HS), else a certificate or public key."""
    name = f"io.jwt.verify_{family.lower()}{bits}"
    head, body, last = parts(name, token)
    header(name, head)
    signature = section(name, "signature", last)
    message = f"{head}.{body}".encode()
    if family == "HS":
        return hmac.compare_digest(hmac.digest(key.encode(), message, f"sha{bits}"), signature)
    return any(_signed_by(found, family, bits, message, signature) for found in keys(name, key))


for _family in ("HS", "RS", "PS", "ES"):
    for _bits in (256, 384, 512):
        _name = f"io.jwt.verify_{_family.lower()}{_bits}"
        builtin(_name, "string", "string")(functools.partial(verify, _family, _bits))
