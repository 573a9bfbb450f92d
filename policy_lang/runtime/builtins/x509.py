"""Certificates, requests and keys as objects in the shape of Go's crypto/x509, which policies for OPA expect."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import warnings
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from policy_lang.runtime.builtins import go_base64
from policy_lang.runtime.builtins.registry import builtin, failure

_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_NAMES = {
    "2.5.4.6": "Country",
    "2.5.4.10": "Organization",
    "2.5.4.11": "OrganizationalUnit",
    "2.5.4.7": "Locality",
    "2.5.4.8": "Province",
    "2.5.4.9": "StreetAddress",
    "2.5.4.17": "PostalCode",
}
_SIGNATURES = {
    "1.2.840.113549.1.1.5": 3,
    "1.2.840.113549.1.1.11": 4,
    "1.2.840.113549.1.1.12": 5,
    "1.2.840.113549.1.1.13": 6,
    "1.2.840.10045.4.1": 9,
    "1.2.840.10045.4.3.2": 10,
    "1.2.840.10045.4.3.3": 11,
    "1.2.840.10045.4.3.4": 12,
    "1.3.101.112": 16,
}
_PSS, _PSS_BY_HASH = "1.2.840.113549.1.1.10", {"sha256": 13, "sha384": 14, "sha512": 15}
_EXTENDED = {
    "2.5.29.37.0": 0,
    "1.3.6.1.5.5.7.3.1": 1,
    "1.3.6.1.5.5.7.3.2": 2,
    "1.3.6.1.5.5.7.3.3": 3,
    "1.3.6.1.5.5.7.3.4": 4,
    "1.3.6.1.5.5.7.3.8": 8,
    "1.3.6.1.5.5.7.3.9": 9,
}
_EMPTY = (
    "ExcludedDNSDomains ExcludedEmailAddresses ExcludedIPRanges ExcludedURIDomains ExtraExtensions "
    "PermittedDNSDomains PermittedEmailAddresses PermittedIPRanges PermittedURIDomains PolicyMappings "
    "UnhandledCriticalExtensions"
)
_OFF = "InhibitAnyPolicyZero InhibitPolicyMappingZero PermittedDNSDomainsCritical RequireExplicitPolicyZero"
_ZERO = "InhibitAnyPolicy InhibitPolicyMapping RequireExplicitPolicy"


def encoded(raw: bytes | None) -> str | None:
    return None if raw is None else base64.b64encode(raw).decode()


def der_blocks(name: str, text: str, label: str) -> list[bytes]:
    """The DER of each PEM block of a kind; of a base64 text, the PEM blocks in it or its bytes.

    Raises:
        BuiltinError: the text is neither.
    """
    if not text.lstrip().startswith("-----BEGIN"):
        try:
            raw = go_base64.decode(text)
        except ValueError as error:
            raise failure(name, str(error)) from None
        if not raw.lstrip().startswith(b"-----BEGIN"):
            return [raw]
        text = raw.decode(errors="replace")
    blocks = [(kind, body) for kind, body in _PEM.findall(text) if kind.endswith(label)]
    try:
        return [base64.b64decode("".join(body.split())) for _, body in blocks]
    except binascii.Error as error:
        raise failure(name, f"invalid PEM: {error}") from None


def load_certificates(name: str, text: str) -> list[Any]:
    from cryptography import x509

    try:
        with _lenient():
            return [x509.load_der_x509_certificate(raw) for raw in der_blocks(name, text, "CERTIFICATE")]
    except ValueError as error:
        raise failure(name, f"x509: malformed certificate: {error}") from None


@contextlib.contextmanager
def _lenient() -> Iterator[None]:
    """Old certificates with a serial number of zero are read as OPA reads them."""
    from cryptography.utils import CryptographyDeprecationWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        yield


@builtin("crypto.x509.parse_certificates", "string")
def parse_certificates(text: str) -> list[Any]:
    name = "crypto.x509.parse_certificates"
    found = load_certificates(name, text)
    if not found:
        raise failure(name, "no certificate found")
    return [{**certificate(one), "URIStrings": uri_strings(one)} for one in found]


@builtin("crypto.x509.parse_certificate_request", "string")
def parse_request(text: str) -> dict[str, Any]:
    from cryptography import x509

    name = "crypto.x509.parse_certificate_request"
    blocks = der_blocks(name, text, "CERTIFICATE REQUEST")
    if not blocks:
        raise failure(name, "invalid PEM-encoded certificate signing request")
    try:
        found = x509.load_der_x509_csr(blocks[0])
    except ValueError as error:
        raise failure(name, f"asn1: structure error: {error}") from None
    return {
        "Attributes": None,
        "Extensions": _extensions(found),
        "ExtraExtensions": None,
        "Raw": encoded(blocks[0]),
        "RawSubject": encoded(found.subject.public_bytes()),
        "RawTBSCertificateRequest": encoded(found.tbs_certrequest_bytes),
        "Signature": encoded(found.signature),
        "SignatureAlgorithm": _signature_algorithm(found),
        "Subject": _name(found.subject),
        "Version": 0,
        **_key_fields(found),
        **_alternative_names(found),
    }


def certificate(found: Any) -> dict[str, Any]:
    """A certificate, without the texts of its URIs."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return {
        "Extensions": _extensions(found),
        "Issuer": _name(found.issuer),
        "NotAfter": _moment(found.not_valid_after_utc),
        "NotBefore": _moment(found.not_valid_before_utc),
        "Raw": encoded(found.public_bytes(Encoding.DER)),
        "RawIssuer": encoded(found.issuer.public_bytes()),
        "RawSubject": encoded(found.subject.public_bytes()),
        "RawTBSCertificate": encoded(found.tbs_certificate_bytes),
        "SerialNumber": _serial(found),
        "Signature": encoded(found.signature),
        "SignatureAlgorithm": _signature_algorithm(found),
        "Subject": _name(found.subject),
        "UnknownExtKeyUsage": None,
        "Version": found.version.value + 1,
        **dict.fromkeys(_EMPTY.split()),
        **dict.fromkeys(_OFF.split(), False),
        **dict.fromkeys(_ZERO.split(), 0),
        **_key_fields(found),
        **_alternative_names(found),
        **_constraints(found),
        **_usages(found),
        **_links(found),
    }


def _serial(found: Any) -> int:
    with _lenient():
        return int(found.serial_number)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _oid(dotted: str) -> list[int]:
    return [int(part) for part in dotted.split(".")]


def _name(name: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"CommonName": "", "SerialNumber": "", "ExtraNames": None, "Names": []}
    found |= dict.fromkeys(_NAMES.values())
    for attribute in name:
        dotted, value = attribute.oid.dotted_string, attribute.value
        text = value.decode(errors="replace") if isinstance(value, bytes) else value
        found["Names"].append({"Type": _oid(dotted), "Value": text})
        if dotted == "2.5.4.3":
            found["CommonName"] = text
        elif dotted == "2.5.4.5":
            found["SerialNumber"] = text
        elif dotted in _NAMES:
            found[_NAMES[dotted]] = [*(found[_NAMES[dotted]] or []), text]
    return found | {"Names": found["Names"] or None}


def _signature_algorithm(found: Any) -> int:
    dotted = found.signature_algorithm_oid.dotted_string
    if dotted == _PSS:
        hashed = found.signature_hash_algorithm
        return _PSS_BY_HASH.get(hashed.name if hashed is not None else "", 0)
    return _SIGNATURES.get(dotted, 0)


def _key_fields(found: Any) -> dict[str, Any]:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = found.public_key()
    kind: int = 0
    shown: Any = None
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        kind, shown = 1, {"N": numbers.n, "E": numbers.e}
    elif isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_numbers()
        kind, shown = 3, {"Curve": {}, "X": point.x, "Y": point.y}
    elif isinstance(key, ed25519.Ed25519PublicKey):
        kind, shown = 4, encoded(key.public_bytes_raw())
    raw = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {"PublicKey": shown, "PublicKeyAlgorithm": kind, "RawSubjectPublicKeyInfo": encoded(raw)}


def _extensions(found: Any) -> list[Any] | None:
    shown = [
        {
            "Id": _oid(one.oid.dotted_string),
            "Critical": one.critical,
            "Value": encoded(one.value.public_bytes()),
        }
        for one in found.extensions
    ]
    return shown or None


def _extension(found: Any, kind: Any) -> Any:
    from cryptography import x509

    try:
        return found.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _listed(items: Iterable[Any]) -> list[Any] | None:
    return list(items) or None


def _uris(found: Any) -> list[str]:
    from cryptography import x509

    names = _extension(found, x509.SubjectAlternativeName)
    return [] if names is None else list(names.get_values_for_type(x509.UniformResourceIdentifier))


def uri_strings(found: Any) -> list[str] | None:
    return _listed(_uris(found))


def _alternative_names(found: Any) -> dict[str, Any]:
    from cryptography import x509

    names = _extension(found, x509.SubjectAlternativeName)
    if names is None:
        return dict.fromkeys(("DNSNames", "EmailAddresses", "IPAddresses", "URIs"))
    return {
        "DNSNames": _listed(names.get_values_for_type(x509.DNSName)),
        "EmailAddresses": _listed(names.get_values_for_type(x509.RFC822Name)),
        "IPAddresses": _listed(map(str, names.get_values_for_type(x509.IPAddress))),
        "URIs": _listed(map(_url, _uris(found))),
    }


def _url(text: str) -> dict[str, Any]:
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(text)
    return {
        "Scheme": parts.scheme,
        "Opaque": "",
        "User": None,
        "Host": parts.netloc,
        "Path": unquote(parts.path),
        "RawPath": "",
        "OmitHost": False,
        "ForceQuery": False,
        "RawQuery": parts.query,
        "Fragment": unquote(parts.fragment),
        "RawFragment": "",
    }


def _constraints(found: Any) -> dict[str, Any]:
    from cryptography import x509

    basic = _extension(found, x509.BasicConstraints)
    length = 0 if basic is None else -1 if basic.path_length is None else basic.path_length
    return {
        "BasicConstraintsValid": basic is not None,
        "IsCA": basic is not None and basic.ca,
        "MaxPathLen": length,
        "MaxPathLenZero": basic is not None and basic.path_length == 0,
    }


def _usages(found: Any) -> dict[str, Any]:
    from cryptography import x509

    usage = _extension(found, x509.KeyUsage)
    bits = 0
    if usage is not None:
        agrees = usage.key_agreement
        flags = (
            usage.digital_signature,
            usage.content_commitment,
            usage.key_encipherment,
            usage.data_encipherment,
            agrees,
            usage.key_cert_sign,
            usage.crl_sign,
            agrees and usage.encipher_only,
            agrees and usage.decipher_only,
        )
        bits = sum(1 << position for position, flag in enumerate(flags) if flag)
    extended = _extension(found, x509.ExtendedKeyUsage) or ()
    known = [_EXTENDED[one.dotted_string] for one in extended if one.dotted_string in _EXTENDED]
    return {"KeyUsage": bits, "ExtKeyUsage": known or None}


def _links(found: Any) -> dict[str, Any]:
    from cryptography import x509

    authority = _extension(found, x509.AuthorityKeyIdentifier)
    subject = _extension(found, x509.SubjectKeyIdentifier)
    access = _extension(found, x509.AuthorityInformationAccess) or ()
    by_kind: dict[str, list[str]] = {"1.3.6.1.5.5.7.48.1": [], "1.3.6.1.5.5.7.48.2": []}
    for one in access:
        by_kind.setdefault(one.access_method.dotted_string, []).append(one.access_location.value)
    points = _extension(found, x509.CRLDistributionPoints) or ()
    policies = _extension(found, x509.CertificatePolicies) or ()
    dotted = [one.policy_identifier.dotted_string for one in policies]
    return {
        "AuthorityKeyId": encoded(authority.key_identifier) if authority is not None else None,
        "SubjectKeyId": encoded(subject.digest) if subject is not None else None,
        "OCSPServer": _listed(by_kind["1.3.6.1.5.5.7.48.1"]),
        "IssuingCertificateURL": _listed(by_kind["1.3.6.1.5.5.7.48.2"]),
        "CRLDistributionPoints": _listed(name.value for point in points for name in point.full_name or ()),
        "Policies": _listed(dotted),
        "PolicyIdentifiers": _listed(map(_oid, dotted)),
    }
