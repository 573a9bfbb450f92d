"""Private keys, key pairs, and chains of certificates."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from policy_lang.runtime.builtins import x509
from policy_lang.runtime.builtins.registry import BuiltinError, builtin, failure
from policy_lang.runtime.session import current
from policy_lang.runtime.values import RegoSet

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ANY = 0
_USAGES = {
    "KeyUsageAny": 0,
    "KeyUsageServerAuth": 1,
    "KeyUsageClientAuth": 2,
    "KeyUsageCodeSigning": 3,
    "KeyUsageEmailProtection": 4,
    "KeyUsageTimeStamping": 8,
    "KeyUsageOCSPSigning": 9,
}


# --------------------------------------------------------------------------- keys


def _private_key(name: str, raw: bytes) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        return load_der_private_key(raw, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise failure(name, f"failed to parse a private key: {error}") from None


def _go_key(name: str, raw: bytes) -> Any:
    """A private key in the shape of Go's."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    key = _private_key(name, raw)
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        public = numbers.public_numbers
        computed = {"Dp": numbers.dmp1, "Dq": numbers.dmq1, "Qinv": numbers.iqmp, "CRTValues": []}
        primes = [numbers.p, numbers.q]
        return {"N": public.n, "E": public.e, "D": numbers.d, "Primes": primes, "Precomputed": computed}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        secret = key.private_numbers()
        point = secret.public_numbers
        return {"Curve": {}, "X": point.x, "Y": point.y, "D": secret.private_value}
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return x509.encoded(key.private_bytes_raw() + key.public_key().public_bytes_raw())
    raise failure(name, "failed to parse a private key: unknown kind")


@builtin("crypto.parse_private_keys", "string")
def parse_private_keys(text: str) -> list[Any] | None:
    """The keys of a text's PEM blocks; null for an empty text."""
    name = "crypto.parse_private_keys"
    if not text:
        return None
    if "-----BEGIN" not in text:
        try:
            decoded = base64.b64decode(text, validate=True).decode(errors="replace")
        except ValueError:
            return []
        if "-----BEGIN" not in decoded:
            return []
        text = decoded
    return [_go_key(name, raw) for raw in x509.der_blocks(name, text, "PRIVATE KEY")]


@builtin("crypto.x509.parse_rsa_private_key", "string")
def parse_rsa_private_key(text: str) -> dict[str, str]:
    """The key as a JSON Web Key."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    name = "crypto.x509.parse_rsa_private_key"
    blocks = x509.der_blocks(name, text, "PRIVATE KEY")
    key = _private_key(name, blocks[0]) if blocks else None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise failure(name, "no RSA private key found")
    numbers = key.private_numbers()
    public = numbers.public_numbers
    found = {
        "n": public.n,
        "e": public.e,
        "d": numbers.d,
        "p": numbers.p,
        "q": numbers.q,
        "dp": numbers.dmp1,
        "dq": numbers.dmq1,
        "qi": numbers.iqmp,
    }
    return {"kty": "RSA"} | {field: _base64url(value) for field, value in found.items()}


def _base64url(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@builtin("crypto.x509.parse_keypair", "string", "string")
def parse_keypair(certificates: str, key: str) -> dict[str, Any]:
    """A certificate chain with its private key.

    Raises:
        BuiltinError: they do not belong together.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    name = "crypto.x509.parse_keypair"
    chain = x509.load_certificates(name, certificates)
    blocks = x509.der_blocks(name, key, "PRIVATE KEY")
    if not chain or not blocks:
        raise failure(name, "failed to find a certificate and its private key")
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    private = _private_key(name, blocks[0])
    if private.public_key().public_bytes(*form) != chain[0].public_key().public_bytes(*form):
        raise failure(name, "private key does not match public key")
    return {
        "Certificate": [x509.encoded(one.public_bytes(Encoding.DER)) for one in chain],
        "Leaf": x509.certificate(chain[0]),
        "OCSPStaple": None,
        "PrivateKey": _go_key(name, blocks[0]),
        "SignedCertificateTimestamps": None,
        "SupportedSignatureAlgorithms": None,
    }


# --------------------------------------------------------------------------- chains


@builtin("crypto.x509.parse_and_verify_certificates", "string")
def parse_and_verify(text: str) -> list[Any]:
    return _verified("crypto.x509.parse_and_verify_certificates", text, {})


@builtin("crypto.x509.parse_and_verify_certificates_with_options", "string", "object")
def parse_and_verify_with_options(text: str, options: dict[Any, Any]) -> list[Any]:
    return _verified("crypto.x509.parse_and_verify_certificates_with_options", text, options)


def _verified(name: str, text: str, options: dict[Any, Any]) -> list[Any]:
    """``[true, the chain from the last certificate up]``, or ``[false, []]``. The first certificate is trusted."""
    try:
        found = x509.load_certificates(name, text)
    except BuiltinError:
        return [False, []]
    moment, usages, host = _options(name, options)
    if len(found) < 2:
        raise failure(name, "must supply at least a root and a leaf certificate")
    root, *between, leaf = found
    chain = _chain(leaf, between, root)
    shown = [x509.certificate(one) | {"URIStrings": x509.uri_strings(one)} for one in chain]
    in_time = all(one.not_valid_before_utc <= moment <= one.not_valid_after_utc for one in chain)
    if not chain or not in_time or not all(map(_is_authority, chain[1:])):
        return [False, []]
    if not all(_may(one, usages) for one in shown) or (host and not _names_host(shown[0], host)):
        return [False, []]
    return [True, shown]


def _options(name: str, options: dict[Any, Any]) -> tuple[datetime, frozenset[int], str]:
    for key in options:
        if key not in ("DNSName", "CurrentTime", "MaxConstraintComparisons", "KeyUsages"):
            raise failure(name, f"invalid key option: {key}")
    given = options.get("CurrentTime", current().now_ns)
    if type(given) not in (int, Decimal):
        raise BuiltinError("eval_type_error", f"{name}: 'CurrentTime' should be a number of nanoseconds")
    usages = options.get("KeyUsages", ["KeyUsageServerAuth"])
    listed = list(usages.values()) if type(usages) is RegoSet else usages
    if type(listed) is not list or not all(one in _USAGES for one in listed):
        raise failure(name, "invalid key usages")
    host = options.get("DNSName", "")
    return _EPOCH + timedelta(microseconds=int(given) // 1000), frozenset(_USAGES[one] for one in listed), str(host)


def _chain(leaf: Any, between: list[Any], root: Any) -> list[Any]:
    """The certificates from ``leaf`` to ``root``, each signed by the next; empty where there is no such way."""
    chain = [leaf]
    waiting = list(between)
    while not _signs(root, chain[-1]):
        following = next((one for one in waiting if _signs(one, chain[-1])), None)
        if following is None:
            return []
        waiting.remove(following)
        chain.append(following)
    return [*chain, root]


def _signs(issuer: Any, subject: Any) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        subject.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_authority(found: Any) -> bool:
    shown = x509.certificate(found)
    return bool(shown["IsCA"]) and (shown["KeyUsage"] == 0 or bool(shown["KeyUsage"] & 32))


def _may(shown: dict[str, Any], usages: frozenset[int]) -> bool:
    own = shown["ExtKeyUsage"]
    return own is None or _ANY in own or _ANY in usages or bool(usages & set(own))


def _names_host(shown: dict[str, Any], host: str) -> bool:
    wanted = host.lower().rstrip(".")
    for name in (*(shown["DNSNames"] or ()), *(shown["IPAddresses"] or ())):
        known = name.lower()
        if known == wanted or (known.startswith("*.") and "." in wanted and known[1:] == wanted[wanted.index(".") :]):
            return True
    return False
