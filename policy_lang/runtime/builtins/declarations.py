"""The declared types of all builtins of Rego v1 (OPA 1.22), those that floec refuses included.

``_TABLE`` has a signature a line and, indented below it, the names of the builtins that have it. Types are
written as ``policy_lang.types.show`` writes them, but unions with ``|``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from policy_lang import types
from policy_lang.types import FunctionType, Type

DEPRECATED = frozenset(
    (
        "all",
        "any",
        "cast_array",
        "cast_boolean",
        "cast_null",
        "cast_object",
        "cast_set",
        "cast_string",
        "net.cidr_overlap",
        "re_match",
        "set_diff",
    )
)
"""What OPA's compiler refuses in Rego v1."""

RELATIONS = frozenset(["walk"])
"""What may have many answers."""

NETWORK = frozenset(["http.send", "net.lookup_ip_addr", "opa.runtime"])
"""What looks beyond the policy's input; floec refuses these."""

_TABLE = """
() -> any
    rego.metadata.rule
() -> array[any]
    rego.metadata.chain
() -> number
    time.now_ns
() -> object[string: any]
    opa.runtime
(any) -> array<array[any], any>
    walk
(any) -> array[any]
    cast_array
(any) -> boolean
    cast_boolean is_array is_boolean is_null is_number is_object is_set is_string semver.is_valid
(any) -> null
    cast_null
(any) -> object[any: any]
    cast_object
(any) -> set[any]
    cast_set
(any) -> string
    cast_string json.marshal type_name yaml.marshal
(any, any) -> boolean
    assign eq equal gt gte internal.member_2 lt lte neq
(any, any, any) -> boolean
    internal.member_3
(any, array[object<op: string, path: any>[any: any]]) -> any
    json.patch
(any, object<indent: string, prefix: string, pretty: boolean>[string: any]) -> string
    json.marshal_with_options
(any...)
    print
(array[any] | object[any: any] | set[any], array[any] | object[any: any] | set[any]) -> boolean
    object.subset
(array[any] | set[any]) -> any
    max min
(array[any] | set[any]) -> array[any]
    sort
(array[any] | set[any]) -> boolean
    all any
(array[any])
    internal.test_case
(array[any]) -> array[any]
    array.flatten array.reverse
(array[any]) -> string
    internal.template_string
(array[any], array[any]) -> array[any]
    array.concat
(array[any], number, number) -> array[any]
    array.slice
(array[number] | set[number]) -> number
    product sum
(array[object[any: any]]) -> object[any: any]
    object.union_n
(array[set[any]])
    internal.print
(array[string] | set[string]) -> set[string]
    net.cidr_merge
(null | boolean | number | string) -> number
    to_number
(number | array<number, string> | array<number, string, string>) -> string
    time.format
(number | array<number, string>) -> array<number, number, number>
    time.clock time.date
(number | array<number, string>) -> string
    time.weekday
(number | array<number, string>, number | array<number, string>) -> array<number, number, number, number, number, number>
    time.diff
(number | set[any], number | set[any]) -> number | set[any]
    minus
(number) -> number
    abs bits.negate ceil floor round
(number, number) -> array[number]
    numbers.range
(number, number) -> number
    bits.and bits.lsh bits.or bits.rsh bits.xor div mul plus rem
(number, number) -> string
    format_int
(number, number, number) -> array[number]
    numbers.range_step
(number, number, number, number) -> number
    time.add_date
(object[any: any]) -> set[any]
    object.keys
(object[any: any], any, any) -> any
    object.get
(object[any: any], array[any] | object[any: any] | set[any]) -> object[any: any]
    object.filter object.remove
(object[any: any], array[string | array[any]] | set[string | array[any]]) -> object[any: any]
    json.filter json.remove
(object[any: any], object[any: any]) -> object[any: any]
    object.union
(object[any: array[any] | set[any]], array[any] | set[any]) -> set[any]
    graph.reachable
(object[any: array[any] | set[any]], array[any] | set[any]) -> set[array[any]]
    graph.reachable_paths
(object[string: any]) -> object[any: any]
    http.send
(object[string: any], object[string: any], number) -> object[any: any]
    providers.aws.sign_req
(object[string: any], object[string: any], object[string: any]) -> string
    io.jwt.encode_sign
(object[string: string | array[string] | set[string]]) -> string
    urlquery.encode_object
(object[string: string], string) -> string
    strings.replace_n
(set[any], set[any]) -> set[any]
    and or set_diff
(set[set[any]]) -> set[any]
    intersection union
(string | array[any] | object[any: any] | set[any]) -> number
    count
(string | array[string | array[any]] | object[string: string | array[any]] | set[string | array[any]], string | array[string | array[any]] | object[string: string | array[any]] | set[string | array[any]]) -> set[array<any, any>]
    net.cidr_contains_matches
(string | array[string] | set[string], string | array[string] | set[string]) -> boolean
    strings.any_prefix_match strings.any_suffix_match
(string | object[any: any]) -> array<boolean, null | string>
    json.verify_schema
(string | object[any: any]) -> boolean
    graphql.schema_is_valid
(string | object[any: any], string | object[any: any]) -> array<boolean, array[object<desc: string, error: string, field: string, type: string>]>
    json.match_schema
(string | object[any: any], string | object[any: any]) -> array<boolean, object[any: any], object[any: any]>
    graphql.parse_and_verify
(string | object[any: any], string | object[any: any]) -> array<object[any: any], object[any: any]>
    graphql.parse
(string | object[any: any], string | object[any: any]) -> boolean
    graphql.is_valid
(string) -> any
    json.unmarshal yaml.unmarshal
(string) -> array<boolean, array[object[string: any]]>
    crypto.x509.parse_and_verify_certificates
(string) -> array<object[any: any], object[any: any], string>
    io.jwt.decode
(string) -> array[object[string: any]]
    crypto.parse_private_keys crypto.x509.parse_certificates
(string) -> boolean
    base64.is_valid json.is_valid net.cidr_is_valid regex.is_valid trace uri.is_valid yaml.is_valid
(string) -> number
    time.parse_duration_ns time.parse_rfc3339_ns units.parse units.parse_bytes
(string) -> object[any: any]
    graphql.parse_query graphql.parse_schema
(string) -> object[string: any]
    crypto.x509.parse_certificate_request crypto.x509.parse_rsa_private_key uuid.parse
(string) -> object[string: array[string]]
    urlquery.decode_object
(string) -> object[string: string]
    uri.parse
(string) -> set[string]
    net.cidr_expand net.lookup_ip_addr
(string) -> string
    base64.decode base64.encode base64url.decode base64url.encode base64url.encode_no_pad crypto.md5
    crypto.sha1 crypto.sha256 glob.quote_meta hex.decode hex.encode lower strings.reverse trim_space upper
    urlquery.decode urlquery.encode uuid.rfc4122
(string, array[any]) -> string
    sprintf
(string, array[string] | set[string]) -> string
    concat
(string, null | array[string], string) -> boolean
    glob.match
(string, number) -> number
    rand.intn
(string, number, number) -> string
    substring
(string, object[string: any]) -> array<boolean, array[object[string: any]]>
    crypto.x509.parse_and_verify_certificates_with_options
(string, object[string: any]) -> array<boolean, object[any: any], object[any: any]>
    io.jwt.decode_verify
(string, object[string: any]) -> string
    strings.render_template
(string, string) -> array[number]
    indexof_n
(string, string) -> array[string]
    regex.split split
(string, string) -> boolean
    contains crypto.hmac.equal endswith io.jwt.verify_eddsa io.jwt.verify_es256 io.jwt.verify_es384
    io.jwt.verify_es512 io.jwt.verify_hs256 io.jwt.verify_hs384 io.jwt.verify_hs512 io.jwt.verify_ps256
    io.jwt.verify_ps384 io.jwt.verify_ps512 io.jwt.verify_rs256 io.jwt.verify_rs384 io.jwt.verify_rs512
    net.cidr_contains net.cidr_intersects net.cidr_overlap re_match regex.globs_match regex.match startswith
(string, string) -> number
    indexof semver.compare strings.count time.parse_ns
(string, string) -> object[string: any]
    crypto.x509.parse_keypair rego.parse_module
(string, string) -> string
    crypto.hmac.md5 crypto.hmac.sha1 crypto.hmac.sha256 crypto.hmac.sha512 trim trim_left trim_prefix
    trim_right trim_suffix
(string, string, number) -> array[array[string]]
    regex.find_all_string_submatch_n
(string, string, number) -> array[string]
    regex.find_n strings.split_n
(string, string, string) -> string
    io.jwt.encode_sign_raw regex.replace replace
(string, string, string, string) -> boolean
    regex.template_match
"""  # noqa: E501 - a signature stays on one line


@functools.cache
def _signatures() -> dict[str, str]:
    found: dict[str, str] = {}
    signature = ""
    for line in _TABLE.splitlines():
        if line.startswith("("):
            signature = line
        else:
            found |= dict.fromkeys(line.split(), signature)
    return found


def names() -> frozenset[str]:
    """The names of all builtins."""
    return frozenset(_signatures())


def declaration(name: str) -> FunctionType | None:
    """The declared type of a builtin; None where there is none of that name."""
    return _declared(name) or _MORE.get().get(name)


@functools.cache
def _declared(name: str) -> FunctionType | None:
    signature = _signatures().get(name)
    return None if signature is None else _Reader(signature).function()


_MORE: ContextVar[Mapping[str, FunctionType]] = ContextVar("more builtins", default={})  # noqa: B039 - read only


@contextmanager
def declared_too(more: Mapping[str, FunctionType]) -> Iterator[None]:
    """Declares builtins that only a capabilities file knows: programs may call and mock them."""
    token = _MORE.set(more)
    try:
        yield
    finally:
        _MORE.reset(token)


_WORD = re.compile(r"\s*(->|\.\.\.|\w+|[^\w\s])")


class _Reader:
    """Reads one signature of the table."""

    def __init__(self, text: str) -> None:
        self._words = _WORD.findall(text)[::-1]

    def function(self) -> FunctionType:
        args, variadic = self._list("(", ")")
        result = self._type() if self._skip("->") else None
        return FunctionType(tuple(args[:-1]), result, args[-1]) if variadic else FunctionType(tuple(args), result)

    def _skip(self, word: str) -> bool:
        if self._words and self._words[-1] == word:
            self._words.pop()
            return True
        return False

    def _list(self, opening: str, closing: str) -> tuple[list[Type], bool]:
        found: list[Type] = []
        variadic = False
        if self._skip(opening):
            while not self._skip(closing):
                found.append(self._type())
                variadic = self._skip("...")
                self._skip(",")
        return found, variadic

    def _type(self) -> Type:
        found = [self._one()]
        while self._skip("|"):
            found.append(self._one())
        return types.union(*found)

    def _one(self) -> Type:
        name = self._words.pop()
        if name == "any":
            return types.ANY
        if name == "array":
            items, _ = self._list("<", ">")
            rest, _ = self._list("[", "]")
            return types.ArrayType(tuple(items), rest[0] if rest else None)
        if name == "set":
            return types.SetType(self._list("[", "]")[0][0])
        return self._object() if name == "object" else types.Scalar(name)

    def _object(self) -> Type:
        fields = []
        if self._skip("<"):
            while not self._skip(">"):
                key = self._words.pop()
                self._skip(":")
                fields.append(types.Field(key, self._type()))
                self._skip(",")
        rest = None
        if self._skip("["):
            keys = self._type()
            self._skip(":")
            rest = (keys, self._type())
            self._skip("]")
        return types.object_type(fields, rest)
