"""Parents in OCI layouts: found by tag, range and digest, locked, verified; and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compiler.tiers.references import LOCK_NAME, Locked, read_lock, write_lock
from compiler.tiers.resolve import Chain, load_chain
from emitters.artifact import File
from emitters.oci.layout import emit_layout
from emitters.oci.signature import generate_key
from emitters.oci.store import LayoutStore
from policy_lang.diagnostics import Diagnostic, Outcome, Severity

HEAD = "apiVersion: floe.dev/v1\nkind: Manifest\n"
REPOSITORY = "registry.acme.com/platform/enterprise"
GATES = "governance: {quality_gates: {minimum_test_coverage: %d}}\n"


def publish(
    root: Path, version: str, text: str | None = None, key: bytes | None = None, parents: tuple[str, ...] = ()
) -> Path:
    text = text or HEAD + f"metadata: {{name: acme, version: {version}, scope: enterprise}}\n" + GATES % 70
    files = [File("manifest.yaml", text.encode())]
    files += [File(f"parent-{i}.yaml", p.encode()) for i, p in enumerate(parents, 1)]
    ir: dict[str, object] = {"ir_version": "floec.ir.v1", "platform": {"version": version}}
    data = json.dumps(ir, sort_keys=True, separators=(",", ":")).encode()
    layers = {"manifest": tuple(files), "policies": (File("a.floe", b""),)}
    made = emit_layout(
        ir, data, layers, kind="platform", title="acme", version=version, created=None, sign_key_pem=key
    ).value
    assert made is not None
    folder = root / REPOSITORY / version
    for file in made.files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
    return folder


def domain(folder: Path, ref: str) -> Path:
    path = folder / "manifest.yaml"
    path.write_text(
        HEAD + "metadata: {name: sales, version: 1.0.0, scope: domain}\n" + f"parent: {{ref: {json.dumps(ref)}}}\n"
    )
    return path


def load(path: Path, root: Path, keys: tuple[bytes, ...] = ()) -> Outcome[Chain]:
    return load_chain(path, store=lambda: LayoutStore(root), trusted_keys=keys)


def only(outcome: Outcome[Chain], code: str) -> Diagnostic:
    (found,) = outcome.diagnostics
    assert (found.code, found.span.line if found.span else 0) == (code, 4)
    return found


@pytest.fixture
def store(tmp_path: Path) -> Path:
    root = tmp_path / "store"
    for version in ("1.0.0", "1.2.0", "1.2.7", "2.0.0-rc.1"):
        publish(root, version)
    return root


@pytest.mark.parametrize(
    ("tag", "version"),
    [("v1.2.*", "1.2.7"), ("^1.0.0", "1.2.7"), ("1.0.0", "1.0.0"), ("v1.0.0", "1.0.0"), (">=1.0.0, <1.2.0", "1.0.0")],
)
def test_a_parent_is_found_by_tag_and_by_range(store: Path, tmp_path: Path, tag: str, version: str) -> None:
    loaded = load(domain(tmp_path, f"oci://{REPOSITORY}:{tag}"), store)
    assert loaded.diagnostics == ()
    assert loaded.value is not None
    assert [d.data["metadata"]["version"] for d in loaded.value.manifests] == [version, "1.0.0"]
    (locked,) = loaded.value.locked.values()
    assert locked.tag == version
    assert "manifest.yaml" in next(iter(loaded.value.texts()))


def test_a_parent_is_found_by_digest_and_by_the_layouts_folder(store: Path, tmp_path: Path) -> None:
    digest = LayoutStore(store).tags(REPOSITORY)
    assert digest is not None
    by_digest = load(domain(tmp_path, f"oci://{REPOSITORY}@{digest['1.2.0']}"), store)
    assert by_digest.diagnostics == ()
    by_folder = load(domain(tmp_path, f"store/{REPOSITORY}/1.2.0"), store)
    assert by_folder.diagnostics == ()
    assert by_digest.value is not None
    assert by_folder.value is not None
    assert by_digest.value.manifests[0].data == by_folder.value.manifests[0].data


def test_what_is_not_there(store: Path, tmp_path: Path) -> None:
    assert "1.2.7" in only(load(domain(tmp_path, f"oci://{REPOSITORY}:v3.*"), store), "FLC406").hint
    assert only(load(domain(tmp_path, f"oci://{REPOSITORY}:1.1.0"), store), "FLC406")
    assert only(load(domain(tmp_path, f"oci://{REPOSITORY}@sha256:{'0' * 64}"), store), "FLC406")
    unknown = only(load(domain(tmp_path, "oci://registry.acme.com/other:1.0.0"), store), "FLC404")
    assert unknown.severity is Severity.NOTIFY


def test_the_lock_holds_a_range_where_it_was(store: Path, tmp_path: Path) -> None:
    path = domain(tmp_path, f"oci://{REPOSITORY}:1.2.*")
    first = load(path, store).value
    assert first is not None
    write_lock(tmp_path / LOCK_NAME, first.locked)
    publish(store, "1.2.9")
    again = load(path, store).value
    assert again is not None
    assert again.locked == first.locked
    newer = load_chain(path, store=lambda: LayoutStore(store), use_lock=False).value
    assert newer is not None
    assert [one.tag for one in newer.locked.values()] == ["1.2.9"]
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".floe")] == []


def test_a_lock_that_the_store_contradicts(store: Path, tmp_path: Path) -> None:
    reference = f"oci://{REPOSITORY}:1.2.*"
    path = domain(tmp_path, reference)
    write_lock(tmp_path / LOCK_NAME, {reference: Locked("1.2.7", "sha256:" + "1" * 64)})
    assert "--update" in only(load(path, store), "FLC411").hint
    other = LayoutStore(store).tags(REPOSITORY)
    assert other is not None
    write_lock(tmp_path / LOCK_NAME, {reference: Locked("1.2.7", other["1.2.0"])})
    assert "another artifact" in only(load(path, store), "FLC411").message


@pytest.mark.parametrize(
    ("wanted", "tag", "of", "says"),
    [
        ("1.2.*", "2.0.0", "2.0.0", "does not fit"),
        ("1.2.0", "2.0.0", "2.0.0", "does not fit"),
        ("1.2.*", "1.2.77", "2.0.0", "is now gone"),
    ],
)
def test_a_lock_that_was_edited_leads_nowhere_else(
    wanted: str, tag: str, of: str, says: str, store: Path, tmp_path: Path
) -> None:
    publish(store, "2.0.0")
    reference = f"oci://{REPOSITORY}:{wanted}"
    tags = LayoutStore(store).tags(REPOSITORY)
    assert tags is not None
    path = domain(tmp_path, reference)
    write_lock(tmp_path / LOCK_NAME, {reference: Locked(tag, tags[of])})
    assert says in only(load(path, store), "FLC411").message


@pytest.mark.parametrize("text", ["{", "[]", '{"lock_version": 2}', '{"lock_version": 1, "references": {"a": {}}}'])
def test_a_broken_lock(tmp_path: Path, text: str) -> None:
    path = tmp_path / LOCK_NAME
    path.write_text(text)
    assert [d.code for d in read_lock(path).diagnostics] == ["FLC410"]


def test_a_parent_must_be_signed_by_a_trusted_key(tmp_path: Path) -> None:
    root, (private, public), (_, stranger) = tmp_path / "store", generate_key(), generate_key()
    publish(root, "1.0.0", key=private)
    publish(root, "1.1.0")
    signed = domain(tmp_path, f"oci://{REPOSITORY}:1.0.0")
    assert load(signed, root, (stranger, public)).diagnostics == ()
    assert only(load(signed, root, (stranger,)), "FLC407")
    assert only(load(domain(tmp_path, f"oci://{REPOSITORY}:1.1.0"), root, (public,)), "FLC407")


def test_a_document_says_whom_it_trusts(tmp_path: Path) -> None:
    root, (private, public), (_, stranger) = tmp_path / "store", generate_key(), generate_key()
    publish(root, "1.0.0", key=private)
    path = domain(tmp_path, f"oci://{REPOSITORY}:1.0.0")
    (tmp_path / "good.pem").write_bytes(public)
    (tmp_path / "other.pem").write_bytes(stranger)
    base = path.read_text()
    by_parent = base.replace('0"}', '0", public_key: KEY.pem}')
    by_security = base + "security: {trusted_keys: [KEY.pem]}\n"
    by_artifacts = base + "artifacts: {signing: {verification: {public_keys: [{type: file, path: KEY.pem}]}}}\n"
    for text in (by_parent, by_security, by_artifacts):
        for key, codes in (("good", []), ("other", ["FLC407"])):
            path.write_text(text.replace("KEY", key))
            assert [d.code for d in load(path, root).diagnostics] == codes
    path.write_text(by_security.replace("KEY", "none"))
    assert [d.code for d in load(path, root).diagnostics] == ["FLC409"]


@pytest.mark.parametrize(("more", "code"), [(b"", "FLC613"), (b" ", "FLC614")])
def test_a_parent_that_was_changed_is_refused(more: bytes, code: str, tmp_path: Path) -> None:
    root = tmp_path / "store"
    folder = publish(root, "1.0.0")
    blob = max((folder / "blobs/sha256").iterdir(), key=lambda p: p.stat().st_size)
    blob.write_bytes(b" " + blob.read_bytes()[1:] + more)
    found = load(domain(tmp_path, f"oci://{REPOSITORY}:1.0.0"), root).diagnostics
    assert {d.code for d in found} == {code}
    assert all(d.span is not None and d.span.file.endswith("manifest.yaml") for d in found)


def test_an_artifact_without_a_manifest(tmp_path: Path) -> None:
    ir: dict[str, object] = {"ir_version": "floec.ir.v1"}
    made = emit_layout(
        ir, b'{"ir_version":"floec.ir.v1"}', {}, kind="platform", title="a", version="1.0.0", created=None,
        sign_key_pem=None,
    ).value  # fmt: skip
    assert made is not None
    for file in made.files:
        target = tmp_path / "store" / REPOSITORY / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
    assert only(load(domain(tmp_path, f"oci://{REPOSITORY}:1.0.0"), tmp_path / "store"), "FLC408")


def test_a_moving_tag_warns(tmp_path: Path) -> None:
    root = tmp_path / "store"
    publish(root, "latest-prod", HEAD + "metadata: {name: acme, version: 1.0.0, scope: enterprise}\n")
    assert only(load(domain(tmp_path, f"oci://{REPOSITORY}:latest-prod"), root), "FLC412").severity is Severity.WARN


def test_a_published_domain_brings_its_parent(tmp_path: Path) -> None:
    root = tmp_path / "store"
    enterprise = HEAD + "metadata: {name: acme, version: 1.0.0, scope: enterprise}\n" + GATES % 70
    text = HEAD + "metadata: {name: sales, version: 3.0.0, scope: domain}\nparent: {ref: ../enterprise/manifest.yaml}\n"
    publish(root, "3.0.0", text, parents=(enterprise,))
    product = tmp_path / "floe.yaml"
    product.write_text(
        "apiVersion: floe.dev/v1\nkind: DataProduct\nmetadata: {name: orders, version: 1.0.0}\n"
        f"domain: {{ref: 'oci://{REPOSITORY}:3.*'}}\n"
    )
    loaded = load(product, root)
    assert loaded.diagnostics == ()
    assert loaded.value is not None
    assert [d.scope for d in loaded.value.manifests] == ["enterprise", "domain"]
    publish(root, "3.1.0", text.replace("3.0.0", "3.1.0"))
    (missing,) = load(product, root).diagnostics
    assert missing.code == "FLC401"
