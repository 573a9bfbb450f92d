"""Builtins of networks, times, digests and identifiers: exact answers and errors."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from policy_lang.runtime.builtins import REGISTRY, BuiltinError
from policy_lang.runtime.values import UNDEFINED, equal, from_python

NY = "America/New_York"

ANSWERS: list[tuple[str, list[Any], Any]] = [
    ("net.cidr_contains", ["10.0.0.0/8", "10.1.0.0/24"], True),
    ("net.cidr_contains", ["10.0.0.0/8", "11.1.2.3"], False),
    ("net.cidr_contains", ["::/0", "1.2.3.4"], False),
    ("net.cidr_contains", ["10.1.0.0/24", "10.0.0.0/8"], False),
    ("net.cidr_intersects", ["192.168.1.0/25", "192.168.1.64/25"], True),
    ("net.cidr_intersects", ["192.168.1.0/24", "192.168.2.0/24"], False),
    ("net.cidr_is_valid", ["192.168.1.0/24"], True),
    ("net.cidr_is_valid", ["192.168.1.2"], False),
    ("net.cidr_is_valid", ["300.1.1.1/8"], False),
    ("net.cidr_is_valid", [1], False),
    ("net.cidr_expand", ["10.0.0.1/31"], {"10.0.0.0", "10.0.0.1"}),
    ("net.cidr_merge", [["192.0.2.112/31", "192.0.2.114/31"]], {"192.0.2.112/30"}),
    ("net.cidr_merge", [{"10.1.2.3", "::/0"}], {"10.0.0.0/8", "::/0"}),
    ("time.parse_rfc3339_ns", ["2017-06-02T19:00:00-07:00"], 1496455200000000000),
    ("time.parse_rfc3339_ns", ["1677-09-21T00:12:43.145224192-00:00"], -(2**63)),
    ("time.parse_duration_ns", ["1h30m"], 5400 * 10**9),
    ("time.parse_duration_ns", ["-1.5s"], -1_500_000_000),
    ("time.parse_duration_ns", ["0"], 0),
    ("time.date", [[1517814000000000000, "America/Los_Angeles"]], [2018, 2, 4]),
    ("time.clock", [[1517832000000000000, NY]], [7, 0, 0]),
    ("time.weekday", [1517832000000000000], "Monday"),
    ("time.format", [1670006453141828752], "2022-12-02T18:40:53.141828752Z"),
    ("time.format", [[1670006453141828752, "Asia/Kolkata", "RFC1123Z"]], "Sat, 03 Dec 2022 00:10:53 +0530"),
    ("time.format", [[1517832000120000000, NY, "Jan _2 3:04:05.000PM MST 06"]], "Feb  5 7:00:00.120AM EST 18"),
    ("time.parse_ns", ["RFC822Z", "02 Jun 17 19:00 -0700"], 1496455200000000000),
    ("time.parse_ns", ["01/02 03:04:05PM '06 -0700", "06/02 07:00:00PM '17 -0700"], 1496455200000000000),
    ("time.parse_ns", ["2006-01-02", "1970-01-02"], 86_400 * 10**9),
    ("time.add_date", [1517832000000000000, 0, 1, 0], 1520251200000000000),
    ("time.diff", [1517832000000000000, 1517832061000000000], [0, 0, 0, 0, 1, 1]),
    ("crypto.md5", ["a"], "0cc175b9c0f1b6a831c399e269772661"),
    ("crypto.sha1", ["abc"], "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("crypto.sha256", ["abc"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("crypto.hmac.md5", ["what do ya want for nothing?", "Jefe"], "750c783e6ab0b503eaa86e310a5db738"),
    ("crypto.hmac.sha1", ["what do ya want for nothing?", "Jefe"], "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
    ("crypto.hmac.equal", ["ab", "ab"], True),
    ("crypto.hmac.equal", ["ab", "abc"], False),
    ("uuid.parse", ["(00000000-0000-4000-8000-000000000000)"], {"version": 4, "variant": "RFC4122"}),
]


@pytest.mark.parametrize(("name", "operands", "wanted"), ANSWERS)
def test_answer(name: str, operands: list[Any], wanted: Any) -> None:
    got = REGISTRY[name](*map(from_python, operands))
    assert equal(got, from_python(wanted)), got


ERRORS: list[tuple[str, list[Any], str]] = [
    ("net.cidr_contains", ["not-a-cidr", "10.0.0.1"], "eval_builtin_error"),
    ("net.cidr_contains", ["10.0.0.1", "10.0.0.1"], "eval_builtin_error"),
    ("net.cidr_contains", [1, "10.0.0.1"], "eval_type_error"),
    ("net.cidr_contains_matches", ["10.0.0.0/8", [1]], "eval_builtin_error"),
    ("net.cidr_merge", [["::1"]], "eval_builtin_error"),
    ("net.cidr_merge", [["224.0.0.1"]], "eval_builtin_error"),
    ("net.cidr_merge", [[1]], "eval_builtin_error"),
    ("time.parse_rfc3339_ns", ["2262-04-11T23:47:16.854775808-00:00"], "eval_builtin_error"),
    ("time.parse_rfc3339_ns", ["yesterday"], "eval_builtin_error"),
    ("time.parse_rfc3339_ns", ["2023-02-30T00:00:00Z"], "eval_builtin_error"),
    ("time.parse_duration_ns", ["1 week"], "eval_builtin_error"),
    ("time.clock", [2**63], "eval_builtin_error"),
    ("time.parse_ns", ["2006-01-02", "1970-13-02"], "eval_builtin_error"),
    ("time.parse_ns", ["2006-01-02", "today"], "eval_builtin_error"),
    ("time.clock", [[0, "Nowhere/Land"]], "eval_builtin_error"),
    ("time.add_date", [0, 5000000, 0, 0], "eval_builtin_error"),
]


@pytest.mark.parametrize(("name", "operands", "code"), ERRORS)
def test_error(name: str, operands: list[Any], code: str) -> None:
    with pytest.raises(BuiltinError) as caught:
        REGISTRY[name](*map(from_python, operands))
    assert caught.value.code == code


def test_matches_pair_keys_with_elements() -> None:
    networks = from_python({"k": ["1.1.1.1/24", 1], "l": "2.0.0.0/8"})
    found = REGISTRY["net.cidr_contains_matches"](networks, from_python({"1.1.1.128"}))
    assert list(found.values()) == [["k", "1.1.1.128"]]


def test_identifier_of_version_two_tells_time_and_node() -> None:
    found = REGISTRY["uuid.parse"]("urn:uuid:000003e8-48b9-21ee-b200-325096b39f47")
    assert found["time"] == 1693566990121469600
    assert (found["nodeid"], found["macvariables"]) == ("32-50-96-b3-9f-47", "local:unicast")
    assert (found["id"], found["domain"], found["clocksequence"]) == (1000, "Person", 12800)


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _signed(sign: Callable[[bytes], bytes]) -> str:
    message = _part(b'{"alg":"any"}') + "." + _part(b'{"sub":"0"}')
    return f"{message}.{_part(sign(message.encode()))}"


def test_token_of_a_secret() -> None:
    token = _signed(lambda message: hmac.digest(b"secret", message, "sha256"))
    header, payload, signature = REGISTRY["io.jwt.decode"](token)
    assert (header, payload, len(signature)) == ({"alg": "any"}, {"sub": "0"}, 64)
    assert REGISTRY["io.jwt.verify_hs256"](token, "secret") is True
    assert REGISTRY["io.jwt.verify_hs256"](token, "other") is False
    assert REGISTRY["io.jwt.verify_hs512"](token, "secret") is False


def test_token_within_a_token_is_decoded() -> None:
    inner = _signed(lambda _: b"s")
    outer = ".".join((_part(b'{"cty":"JWT"}'), _part(inner.encode()), _part(b"x")))
    assert REGISTRY["io.jwt.decode"](outer) == [{"alg": "any"}, {"sub": "0"}, b"s".hex()]


def _public(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())


def test_token_of_an_elliptic_key() -> None:
    key = ec.generate_private_key(ec.SECP256R1())

    def sign(message: bytes) -> bytes:
        halves = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
        return b"".join(half.to_bytes(32, "big") for half in halves)

    numbers = key.public_key().public_numbers()
    x, y = (_part(n.to_bytes(32, "big")) for n in (numbers.x, numbers.y))
    web_key = json.dumps({"keys": [{"kty": "EC", "crv": "P-256", "x": x, "y": y}]})
    token, other = _signed(sign), _public(ec.generate_private_key(ec.SECP256R1()))
    verify = REGISTRY["io.jwt.verify_es256"]
    assert [verify(token, k) for k in (_public(key), web_key, other)] == [True, True, False]
    assert REGISTRY["io.jwt.verify_rs256"](token, _public(key)) is False


def test_token_of_an_rsa_key() -> None:
    key = rsa.generate_private_key(65537, 2048)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    token = _signed(lambda message: key.sign(message, padding.PKCS1v15(), hashes.SHA256()))
    probabilistic = _signed(lambda message: key.sign(message, pss, hashes.SHA256()))
    public = _public(key)
    assert REGISTRY["io.jwt.verify_rs256"](token, public) is True
    assert REGISTRY["io.jwt.verify_rs256"](probabilistic, public) is False
    assert REGISTRY["io.jwt.verify_ps256"](probabilistic, public) is True
    for wrong in (public + "more", public.replace("PUBLIC KEY", "SECRET"), "{}", "[", "-----BEGIN CERTIFICATE-----"):
        with pytest.raises(BuiltinError):
            REGISTRY["io.jwt.verify_rs256"](token, wrong)


@pytest.mark.parametrize(
    "token", ["none", "a.b", "!.b.c", "e30.!.c", "W10.e30.e30", "eyJlbmMiOjF9.e30.e30", "e30.e.e30"]
)
def test_malformed_token_is_an_error(token: str) -> None:
    with pytest.raises(BuiltinError) as caught:
        REGISTRY["io.jwt.decode"](token)
    assert caught.value.code == "eval_builtin_error"


@pytest.mark.parametrize(
    ("schema", "valid"),
    [
        ("type Query { a: Int }", True),
        ("extend type Hello { world: String }", True),
        ("type A { b: Missing }", False),
        ("interface Hello {}", False),
        ("union U = | A |", False),
    ],
)
def test_schema_of_graphql_is_valid(schema: str, valid: bool) -> None:
    assert REGISTRY["graphql.schema_is_valid"](schema) is valid


def test_what_is_no_identifier_is_undefined() -> None:
    assert REGISTRY["uuid.parse"]("no") is UNDEFINED
