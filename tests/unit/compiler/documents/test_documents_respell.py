"""Other dialects' spellings replaced in the text: what it says, its comments and its layout stay."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from compiler.cli.main import run
from compiler.documents.models import validate_document
from compiler.documents.respell import respell
from compiler.documents.yaml_loader import load_yaml
from policy_lang.diagnostics import blocking
from policy_lang.source import Source
from tests.property.test_documents_fuzz import MANIFEST, PRODUCT

SHARED = Path(__file__).parents[4].parent / "shared/inputs"
DOMAIN = """\
# top
apiVersion: floe.dev/v1
kind: DomainManifest   # an old word
metadata:
  name: sales
  version: 1.0.0
  # whose it is
  owner: a@b.c   # they

parent_manifest: ../enterprise   # the parent
approvedProducts: [a]
governance:
  qualityGates: {minimumTestCoverage: 5, goldLayer: {minimumCoverage: 3}}
  data_retention_days: 730
"""
CANONICAL = """\
# top
apiVersion: floe.dev/v1
kind: Manifest   # an old word
metadata:
  name: sales
  version: 1.0.0
  # whose it is
  owner: a@b.c   # they
  scope: domain

parent:
  ref: ../enterprise   # the parent
approved_products: [a]
governance:
  quality_gates: {minimum_test_coverage: 5, goldLayer: {minimumCoverage: 3}}
  data_retention_days: 730
"""


def text_of(text: str) -> str:
    made = respell(Source("t.yaml", text))
    assert made.value is not None, made.diagnostics
    return made.value


def says(text: str) -> object:
    loaded = load_yaml(Source("t.yaml", text)).value
    assert loaded is not None
    checked = validate_document(loaded)
    assert checked.value is not None
    return None if blocking(checked.diagnostics) else checked.value.data


def test_a_manifest_of_another_dialect() -> None:
    assert text_of(DOMAIN) == CANONICAL
    assert text_of(CANONICAL) == CANONICAL


@pytest.mark.parametrize(
    ("body", "made"),
    [
        ("kind: Manifest\nscope: enterprise  # top\nmetadata: {name: a, version: 1.0.0}",
         "kind: Manifest\n# top\nmetadata: {name: a, version: 1.0.0, scope: enterprise}"),
        ("kind: Manifest\nmetadata:\n  name: a\n  version: 1.0.0\nscope: enterprise\n",
         "kind: Manifest\nmetadata:\n  name: a\n  version: 1.0.0\n  scope: enterprise\n"),
        ("kind: EnterpriseManifest\nmetadata:\n  name: a\n  version: 1.0.0",
         "kind: Manifest\nmetadata:\n  name: a\n  version: 1.0.0\n  scope: enterprise\n"),
        ("kind: FloeSpec\nmetadata: {name: a}\nplatform: {manifest: m}\ntransforms: [{name: b, dependsOn: [c]}]\n",
         "kind: DataProduct\nmetadata: {name: a}\nplatform: {ref: m}\ntransforms: [{name: b, depends_on: [c]}]\n"),
        ("kind: 'FloeSpec'\r\nmetadata:\r\n  name: a\r\n", "kind: DataProduct\r\nmetadata:\r\n  name: a\r\n"),
        ("kind: Manifest\r\nscope: enterprise\r\nmetadata:\r\n  name: a\r\n  version: 1.0.0\r\n",
         "kind: Manifest\r\nmetadata:\r\n  name: a\r\n  version: 1.0.0\r\n  scope: enterprise\r\n"),
    ],
)  # fmt: skip
def test_each_spelling(body: str, made: str) -> None:
    head = "apiVersion: floe.dev/v1\n"
    assert text_of(head + body) == head + made
    assert text_of(head + made) == head + made
    assert says(head + body) == says(head + made)


def test_what_cannot_be_replaced_is_left() -> None:
    text = "{apiVersion: floe.dev/v1, kind: EnterpriseManifest, metadata: {name: a, version: 1.0.0}}\n"
    made = respell(Source("t.yaml", text))
    assert made.value == text
    assert [d.code for d in made.diagnostics] == ["FLC211"]


def test_a_document_that_is_refused_is_not_touched() -> None:
    made = respell(Source("t.yaml", "apiVersion: floe.dev/v1\nkind: FloeSpec\nmetdata: {name: a}\n"))
    assert made.value is None
    assert {d.code for d in made.diagnostics} == {"FLC201", "FLC203"}


@pytest.mark.parametrize("document", [MANIFEST, PRODUCT], ids=["manifest", "product"])
@pytest.mark.parametrize("flow", [False, None])
def test_a_whole_document_says_the_same_afterwards(document: dict[str, object], flow: bool | None) -> None:
    text = yaml.safe_dump(document, sort_keys=False, default_flow_style=flow)
    assert says(text_of(text)) == says(text)
    assert text_of(text_of(text)) == text_of(text)


def test_the_shared_documents_say_the_same_afterwards() -> None:
    if not SHARED.is_dir():
        pytest.skip("the shared input documents are not beside this checkout")
    for path in [*SHARED.rglob("*.yaml")]:
        made = respell(Source(str(path), path.read_text()))
        if made.value is not None:
            assert says(made.value) == says(path.read_text())
            assert text_of(made.value) == made.value


def test_the_command_writes_documents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "manifest.yaml"
    file.write_text(DOMAIN)
    assert run(["fmt", "--check", str(file)]) == 1
    assert run(["fmt", "-w", str(file)]) == 0
    assert file.read_text() == CANONICAL
    assert run(["fmt", "--check", str(file)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(file)] * 2
