"""Laws of comparing contracts: the same is no change, changes mirror each other, writing keeps all."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from compiler.contracts.compare import compare, due
from compiler.contracts.judge import judge, next_version
from compiler.contracts.model import Column, Contract, Table
from compiler.contracts.odcs import to_yaml
from compiler.contracts.read import promise, read_contract
from compiler.contracts.types import type_change
from compiler.documents.models import validate_document
from compiler.documents.yaml_loader import load_yaml
from compiler.tiers.versions import parse_version
from policy_lang.source import Source

TYPES = ["int", "bigint", "varchar(10)", "varchar(20)", "text", "date", "timestamp", "decimal(10,2)", "decimal(12,2)",
         "boolean", "double", "uuid"]  # fmt: skip
names = st.sampled_from(["a", "b", "c", "d"])


@st.composite
def columns(draw: st.DrawFn) -> dict[str, Column]:
    made = {}
    for name in draw(st.lists(names, unique=True)):
        made[name] = Column(
            name,
            physical_type=draw(st.sampled_from(TYPES)),
            required=draw(st.booleans()),
            unique=draw(st.booleans()),
            classification=draw(st.sampled_from([None, "public", "pii", "restricted"])),
            enum=draw(st.sampled_from([None, ("x",), ("x", "y")])),
            description=draw(st.sampled_from(["", "on", "no: yes"])),
        )
    return made


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    tables = {n: Table(n, draw(columns())) for n in draw(st.lists(st.sampled_from(["t", "u"]), unique=True))}
    hours = draw(st.sampled_from([None, "1h", "PT6H", "2d"]))
    promises = {} if hours is None else {"freshness": promise("freshness", hours, None, None, ())}
    roles = dict.fromkeys(draw(st.lists(names, unique=True, max_size=2)), "read")
    return Contract("id", "name", "1.0.0", "active", "generated", tables, promises, roles=roles)


@given(contracts())
def test_nothing_changes_between_a_contract_and_itself(a: Contract) -> None:
    assert compare(a, a) == ()
    assert judge(a, a).diagnostics == ()


@given(contracts(), contracts())
def test_changes_mirror_each_other(a: Contract, b: Contract) -> None:
    there, back = compare(a, b), compare(b, a)
    gone = {(c.table, c.column) for c in there if c.rule == "column-removed"}
    came = {(c.table, c.column) for c in back if c.rule in ("column-added", "required-column-added")}
    assert gone == came
    assert (not there) == (not back)


@given(contracts(), contracts())
def test_what_only_tightens_does_so_in_one_direction(a: Contract, b: Contract) -> None:
    opposite = {"loosens": "tightens", "tightens": "loosens"}
    kinds = {"required-added", "required-removed", "unique-added", "unique-removed", "sla-relaxed", "sla-stricter"}
    there = {(c.table, c.column, c.rule.split("-")[0], c.direction) for c in compare(a, b) if c.rule in kinds}
    back = {(c.table, c.column, c.rule.split("-")[0], opposite[c.direction]) for c in compare(b, a) if c.rule in kinds}
    assert there == back


@given(contracts(), contracts())
def test_the_due_version_always_suffices_and_nothing_less_does(a: Contract, b: Contract) -> None:
    bump = due(compare(a, b))
    if bump is None:
        return
    version = parse_version(a.version)
    assert version is not None
    least = next_version(version, bump)
    codes = {d.code for d in judge(a, replace(b, version=str(least))).diagnostics}
    assert not codes & {"FLC501", "FLC502"}
    less = {d.code for d in judge(a, replace(b, version=a.version)).diagnostics}
    assert "FLC502" in less


@settings(deadline=None)
@given(contracts())
def test_writing_and_reading_keeps_a_contract(a: Contract) -> None:
    loaded = load_yaml(Source("t.yaml", to_yaml(a)))
    assert loaded.value is not None
    checked = validate_document(loaded.value)
    assert checked.value is not None
    assert checked.diagnostics == ()
    assert compare(a, read_contract(checked.value)) == ()


@given(st.sampled_from(TYPES), st.sampled_from(TYPES), st.sampled_from(TYPES))
def test_widening_is_an_order(a: str, b: str, c: str) -> None:
    assert type_change(a, a) == "same"
    if type_change(a, b) == type_change(b, c) == "wider":
        assert type_change(a, c) == "wider"
    if type_change(a, b) == "narrower" and b != a:
        assert type_change(b, a) == "wider"
