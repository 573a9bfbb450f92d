"""Bundles, severities and parameters over the tiers, on documents as users write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler.policies.bundles import bundles_in_force, families, read_policies
from compiler.policies.settings import InForce, settle
from compiler.tiers.inherit import inherit
from compiler.tiers.resolve import load_chain
from policy_lang.diagnostics import Diagnostic, Outcome, Severity
from policy_lang.policies import declared, load_policies

POLICY = """\
package acme.{name}

param limit: number := 10 stricter when {side}
param words: array[string] := ["a", "b"] stricter when larger

policy {name} {{
	id       {id}
	title    "Title"
	severity warn
{tags}
	for model in input.models
	require count(model.name) < params.limit

	message "too long"
}}
"""


def write(folder: Path, scope: str | None, policies: Any = None, **more: Any) -> Path:
    meta: dict[str, Any] = {"name": f"{scope or 'only'}-x", "version": "1.0.0", "owner": "a@b.example"}
    document: dict[str, Any] = {"apiVersion": "floe.dev/v1", "kind": "Manifest", "metadata": meta, **more}
    if scope:
        meta["scope"] = scope
    if scope == "domain":
        document |= {"parent": {"ref": "../enterprise"}, "domain": {"name": "sales", "namespace": "sales"}}
    if policies is not None:
        document["policies"] = policies
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return folder / "manifest.yaml"


def own_policy(folder: Path, name: str = "length", id: str = "OWN001", side: str = "lower", tags: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = POLICY.format(name=name, id=id, side=side, tags=f"\ttags     {tags}" if tags else "")
    (folder / f"{name}.floe").write_text(text)


def settled(manifest: Path) -> Outcome[InForce]:
    chain = load_chain(manifest)
    assert chain.value is not None, chain.diagnostics
    joined = inherit(chain.value.manifests).value
    assert joined is not None
    bundles = bundles_in_force(chain.value.manifests)
    if bundles.diagnostics:
        return Outcome(None, bundles.diagnostics)
    sources = read_policies(bundles.value or ()).value or ()
    known = declared(sources)
    assert known.value is not None, known.diagnostics

    def default(package: str, name: str) -> Any:
        loaded = load_policies(sources).value
        assert loaded is not None
        return loaded.program.eval_path((*package.split("."), "params")).value[name]

    return settle(bundles.value or (), known.value, joined.data, default)


def two(tmp_path: Path, above: Any, below: Any, **more: Any) -> Outcome[InForce]:
    own_policy(tmp_path / "own", **more)
    write(tmp_path / "enterprise", "enterprise", above)
    return settled(write(tmp_path / "domain", "domain", below))


def codes(found: Outcome[Any]) -> list[str]:
    return [d.code for d in found.diagnostics]


def the(found: Outcome[Any]) -> Diagnostic:
    (one,) = found.diagnostics
    return one


def test_without_policies_all_of_the_standard_library_is_in_force(tmp_path: Path) -> None:
    chain = load_chain(write(tmp_path, None)).value
    assert chain is not None
    (bundle,) = bundles_in_force(chain.manifests).value or ()
    assert (bundle.use, bundle.tier) == ("stdlib", "built-in")
    assert {Path(file).parent.name for file in bundle.files} >= set(families())
    assert not [file for file in bundle.files if "_test." in Path(file).name]


def test_a_family_alone(tmp_path: Path) -> None:
    found = settled(write(tmp_path, None, [{"use": "stdlib/naming", "severity": {"NAM001": "warn", "NAM002": "off"}}]))
    assert found.diagnostics == ()
    assert found.value is not None
    assert {entry["package"] for entry in found.value.entries} == {"floe.naming"}
    assert found.value.severities["NAM001"] is Severity.WARN
    assert "NAM002" not in found.value.severities
    assert next(e for e in found.value.entries if e["id"] == "NAM002")["severity"] == "off"


@pytest.mark.parametrize(
    ("use", "code", "says"),
    [
        ("stdlib/namming", "FLC420", "did you mean `naming`?"),
        ("./nowhere", "FLC421", "does not exist"),
        ("..", "FLC421", "holds no policy file"),
        ("oci://registry.example/policies:1", "FLC422", "pull them into a folder"),
    ],
)
def test_a_bundle_that_is_none_is_refused_at_its_line(use: str, code: str, says: str, tmp_path: Path) -> None:
    found = the(settled(write(tmp_path / "a", None, [{"use": use}])))
    assert found.code == code
    assert says in found.message + found.hint
    assert found.span is not None
    assert found.span.line > 1


@pytest.mark.parametrize(
    ("above", "below", "code", "severity"),
    [
        (None, "block", None, "block"),
        ("warn", "block", None, "block"),
        ("block", "warn", "FLC320", "block"),
        ("warn", "off", "FLC320", "warn"),
        (None, "notify", "FLC320", "warn"),
        ("notify", None, None, "notify"),
    ],
)
def test_a_tier_only_raises_a_severity(
    above: str | None, below: str | None, code: str | None, severity: str, tmp_path: Path
) -> None:
    uses = [{"use": "../own", **({"severity": {"OWN001": word}} if word else {})} for word in (above, below)]
    found = two(tmp_path, uses[:1], uses[1:])
    assert codes(found) == ([code] if code else [])
    assert found.value is not None
    assert found.value.severities["OWN001"] == severity
    if code:
        assert the(found).related, "both lines are shown"


@pytest.mark.parametrize(
    ("side", "name", "above", "below", "allowed"),
    [
        ("lower", "limit", 8, 5, True),
        ("lower", "limit", 8, 9, False),
        ("lower", "limit", None, 12, False),
        ("higher", "limit", None, 12, True),
        ("higher", "limit", 8, 9, True),
        ("fixed", "limit", None, 9, False),
        ("fixed", "limit", 7, 7, True),
        ("lower", "words", ["a"], ["b", "a"], True),
        ("lower", "words", ["a"], ["b"], False),
    ],
)
def test_a_tier_moves_a_parameter_only_to_its_stricter_side(
    side: str, name: str, above: Any, below: Any, allowed: bool, tmp_path: Path
) -> None:
    uses = [{"use": "../own", **({"params": {name: v}} if v is not None else {})} for v in (above, below)]
    found = two(tmp_path, uses[:1], uses[1:], side=side)
    assert codes(found) == ([] if allowed else ["FLC321"])
    assert found.value is not None
    in_force = found.value.params.get("acme.length", {}).get(name)
    assert in_force == (below if allowed else above)
    if not allowed:
        assert the(found).related, "both lines are shown"


def test_a_tier_that_speaks_twice_stays_above_its_parent(tmp_path: Path) -> None:
    above = [{"use": "../own", "params": {"limit": 8}, "severity": {"OWN001": "warn"}}]
    below = [
        {"use": "../own", "params": {"limit": 5}, "severity": {"OWN001": "block"}},
        {"use": "../own", "params": {"limit": 9}, "severity": {"OWN001": "off"}},
    ]
    found = two(tmp_path, above, below)
    assert sorted(codes(found)) == ["FLC320", "FLC321"]
    assert found.value is not None
    assert found.value.params == {"acme.length": {"limit": 5}}
    assert found.value.severities["OWN001"] is Severity.BLOCK


@pytest.mark.parametrize(
    ("entry", "code", "says"),
    [
        ({"severity": {"OWN002": "warn"}}, "FLC322", "did you mean `OWN001`?"),
        ({"params": {"limt": 3}}, "FLC322", "did you mean `limit`?"),
        ({"params": {"limit": "three"}}, "floe_param_type_error", "of type number"),
        ({"params": {"acme.length": {"limit": "three"}}}, "floe_param_type_error", "of type number"),
    ],
)
def test_a_setting_for_nothing_or_of_a_wrong_type(entry: Any, code: str, says: str, tmp_path: Path) -> None:
    own_policy(tmp_path / "own")
    found = the(settled(write(tmp_path / "x", None, [{"use": "../own", **entry}])))
    assert found.code == code
    assert says in found.message + found.hint
    assert found.span is not None
    assert found.span.file.endswith("manifest.yaml")


@pytest.mark.parametrize("entry", [{"severity": {"OWN002": "warn"}}, {"params": {"limt": 3}}])
def test_a_setting_for_nothing_is_marked_at_its_name(entry: Any, tmp_path: Path) -> None:
    own_policy(tmp_path / "own")
    manifest = write(tmp_path / "x", None, [{"use": "../own", **entry}])
    found = the(settled(manifest))
    assert found.span is not None
    line = Path(found.span.file).read_text().splitlines()[found.span.line - 1]
    assert line[found.span.col - 1 : found.span.end_col - 1].strip('"') in ("OWN002", "limt")


def test_a_parameter_of_two_packages_must_name_its_own(tmp_path: Path) -> None:
    own_policy(tmp_path / "own")
    own_policy(tmp_path / "own", name="other", id="OWN002")
    found = the(settled(write(tmp_path / "x", None, [{"use": "../own", "params": {"limit": 3}}])))
    assert (found.code, found.hint) == ("FLC322", "write one of `acme.length.limit`, `acme.other.limit`")
    named = settled(write(tmp_path / "x", None, [{"use": "../own", "params": {"acme.other.limit": 3}}]))
    assert named.value is not None
    assert named.value.params == {"acme.other": {"limit": 3}}


def test_a_security_policy_cannot_be_switched_off(tmp_path: Path) -> None:
    own_policy(tmp_path / "own", tags='["security"]')
    found = settled(write(tmp_path / "x", None, [{"use": "../own", "severity": {"OWN001": "off"}}]))
    assert codes(found) == ["FLC323"]
    assert found.value is not None
    assert found.value.severities["OWN001"] is Severity.WARN


@pytest.mark.parametrize(
    ("governance", "naming", "severity"),
    [
        ({}, {}, "block"),
        ({}, {"enforcement": "warn"}, "warn"),
        ({}, {"enforcement": "off"}, None),
        ({}, {"enforcement": "strict"}, "block"),
        ({"policy_enforcement_level": "warn"}, {"enforcement": "strict"}, "warn"),
    ],
)
def test_the_manifests_enforcement_words_hold_severities_down(
    governance: Any, naming: Any, severity: str | None, tmp_path: Path
) -> None:
    more = {"governance": governance, "data_architecture": {"naming": naming}}
    found = settled(write(tmp_path, None, [{"use": "stdlib/naming"}], **more)).value
    assert found is not None
    assert found.severities.get("NAM001") == severity
    said = [{"use": "stdlib/naming", "severity": {"NAM001": "block"}}]
    explicit = settled(write(tmp_path, None, said, **more)).value
    assert explicit is not None
    assert explicit.severities["NAM001"] is Severity.BLOCK, "what is said of the policy itself goes before"


@pytest.mark.parametrize(("said", "severity"), [("off", None), ("warn", "warn"), ("strict", "block")])
def test_the_word_for_propagation_holds_down_what_judges_classes_along_lineage(
    said: str, severity: str | None, tmp_path: Path
) -> None:
    governance = {"classification": {"propagation": said}}
    found = settled(write(tmp_path, None, [{"use": "stdlib/classification"}], governance=governance)).value
    assert found is not None
    assert found.severities.get("CLS003") == severity
    assert found.severities.get("CLS001") == "warn", "the others judge no lineage"


def test_the_word_of_secret_scanning_holds_down_what_scans(tmp_path: Path) -> None:
    governance = {"secret_scanning": {"enabled": True, "severity": "notify"}}
    found = settled(write(tmp_path, None, [{"use": "stdlib/sql"}], governance=governance)).value
    assert found is not None
    assert {found.severities[code] for code in ("SQL021", "SQL022")} == {Severity.NOTIFY}
    assert found.severities["SQL004"] is Severity.WARN, "the others scan for no secrets"


@pytest.mark.parametrize(("said", "severity"), [(True, "block"), (False, "warn"), (None, "warn")])
def test_a_policy_blocks_where_the_manifest_requires_what_it_checks(
    tmp_path: Path, said: bool | None, severity: str
) -> None:
    own_policy(tmp_path / "own", tags='["required-by:governance.quality_gates.require_descriptions"]')
    gates = {} if said is None else {"require_descriptions": said}
    found = settled(write(tmp_path, None, [{"use": "own"}], governance={"quality_gates": gates}))
    assert found.value is not None, found.diagnostics
    assert found.value.severities["OWN001"].value == severity
    own = [{"use": "own", "severity": {"OWN001": "notify"}}]
    chosen = settled(write(tmp_path, None, own, governance={"quality_gates": gates}))
    assert chosen.value is not None, chosen.diagnostics
    assert chosen.value.severities["OWN001"].value == "notify"
