"""Key signatures as Sigstore bundles v0.3: an in-toto statement in a DSSE envelope, ECDSA P-256 with SHA-256.

The format is what cosign 3 writes and reads for an image signed with a key and without a transparency log.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING

from emitters.oci.blobs import BUNDLE_TYPE, canonical_json
from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.source import Span

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

PREDICATE_TYPE = "https://sigstore.dev/cosign/sign/v1"
_PAYLOAD_TYPE = "application/vnd.in-toto+json"
_STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
_STATEMENT_TYPES = (_STATEMENT_TYPE, "https://in-toto.io/Statement/v0.1")
"""What is read: ``cosign attest-blob`` still writes the older one, which says the same."""


def generate_key() -> tuple[bytes, bytes]:
    """A new P-256 key: ``(private PEM in PKCS #8, unencrypted; public PEM)``."""
    from cryptography.hazmat.primitives import serialization as ser
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())
    public = key.public_key().public_bytes(ser.Encoding.PEM, ser.PublicFormat.SubjectPublicKeyInfo)
    return private, public


def public_key_of(private_pem: bytes) -> bytes | None:
    """The public PEM that belongs to ``private_pem``; None where that is no usable key."""
    from cryptography.hazmat.primitives import serialization as ser

    key = _private_key(private_pem)
    if key is None:
        return None
    return key.public_key().public_bytes(ser.Encoding.PEM, ser.PublicFormat.SubjectPublicKeyInfo)


def sign_manifest(digest: str, name: str, private_pem: bytes) -> Outcome[bytes]:
    """The bundle that signs the manifest ``digest`` (``sha256:…``); FLC622 where the key cannot be used."""
    key = _private_key(private_pem)
    if key is None:
        return Outcome(None, (unusable_key("private"),))
    statement = canonical_json(
        {
            "_type": _STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {},
        }
    )
    envelope = {
        "payload": base64.b64encode(statement).decode(),
        "payloadType": _PAYLOAD_TYPE,
        "signatures": [{"sig": base64.b64encode(_sign(key, _pre_authentication(statement))).decode()}],
    }
    material = {"publicKey": {"hint": _hint(key.public_key())}}
    return Outcome(
        canonical_json({"mediaType": BUNDLE_TYPE, "verificationMaterial": material, "dsseEnvelope": envelope})
    )


def check_bundle(bundle: bytes, digest: str, public_pem: bytes | None, span: Span) -> Diagnostic | None:
    """Check that ``bundle`` signs the manifest ``digest``, with ``public_pem`` also that this key signed it.

    FLC619: another key or a changed statement; FLC620: another manifest; FLC621: no such bundle; FLC622: the key.
    """
    try:
        payload, signature = _opened(bundle)
        statement = json.loads(payload)
        subjects = [s["digest"]["sha256"] for s in statement["subject"]]
        kinds = (statement["_type"], statement["predicateType"])
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return Diagnostic("FLC621", "this is not a Sigstore bundle with one signed in-toto statement", span)
    if public_pem is not None:
        key = load_public_key(public_pem)
        if key is None:
            return unusable_key("public")
        if not _verifies(key, signature, _pre_authentication(payload)):
            hint = "name the public key of who published it; where this is theirs, do not use the artifact"
            return Diagnostic(
                "FLC619", "the signature was not made by the given key over this statement", span, hint=hint
            )
    if kinds[0] not in _STATEMENT_TYPES or kinds[1] != PREDICATE_TYPE:
        return Diagnostic("FLC621", "the signed statement is not a signature of an artifact", span)
    if subjects != [digest.removeprefix("sha256:")]:
        return Diagnostic("FLC620", f"the signature is for another artifact, not for {digest}", span)
    return None


def load_public_key(pem: bytes) -> EllipticCurvePublicKey | None:
    """The P-256 key in ``pem``, or None where there is none."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization as ser
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key = ser.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1) else None


def unusable_key(which: str) -> Diagnostic:
    """FLC622; it has no place, since keys are given as bytes, and never shows any of the key."""
    made = "`openssl ecparam -name prime256v1 -genkey -noout -out key.pem` makes a private one"
    hint = f"{made}, `openssl ec -in key.pem -pubout` gives its public one"
    return Diagnostic("FLC622", f"the {which} key is not an unencrypted ECDSA P-256 key in PEM form", hint=hint)


def _private_key(pem: bytes) -> EllipticCurvePrivateKey | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization as ser
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key = ser.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1) else None


def _sign(key: EllipticCurvePrivateKey, message: bytes) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        # RFC 6979: the same IR and key give the same layout, byte for byte.
        return key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    except UnsupportedAlgorithm:  # an OpenSSL before 3.2: valid, only not reproducible
        return key.sign(message, ec.ECDSA(hashes.SHA256()))


def _verifies(key: EllipticCurvePublicKey, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _hint(key: EllipticCurvePublicKey) -> str:
    from cryptography.hazmat.primitives import serialization as ser

    der = key.public_bytes(ser.Encoding.DER, ser.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def _pre_authentication(payload: bytes) -> bytes:
    """What DSSE v1 signs: type and payload, each with its length before it."""
    return b"DSSEv1 %d %s %d %s" % (len(_PAYLOAD_TYPE), _PAYLOAD_TYPE.encode(), len(payload), payload)


def _opened(bundle: bytes) -> tuple[bytes, bytes]:
    document = json.loads(bundle)
    envelope = document["dsseEnvelope"]
    (entry,) = envelope["signatures"]
    if document["mediaType"] != BUNDLE_TYPE or envelope["payloadType"] != _PAYLOAD_TYPE:
        raise ValueError("another kind of bundle")
    return base64.b64decode(envelope["payload"], validate=True), base64.b64decode(entry["sig"], validate=True)
