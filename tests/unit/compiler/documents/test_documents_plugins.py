"""Plugins by entry point: our own are registered, those of third parties are found and their schema is asked."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler.documents.models import validate_document
from compiler.documents.plugins import known
from compiler.documents.yaml_loader import load_yaml
from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.source import Source

ROOT = Path(__file__).parents[4]
MANIFEST = "apiVersion: floe.dev/v1\nkind: Manifest\nmetadata: {name: acme, version: 1.0.0}\nplugins:\n"
PLUGIN = """
class Trino:
    def config_schema(self):
        return {"type": "object", "additionalProperties": False, "required": ["coordinator"],
                "properties": {"coordinator": {"type": "string"}, "workers": {"type": "integer", "minimum": 1}}}

naked = object()
broken = {"type": 12}
"""


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    info = tmp_path / "floe_trino-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: floe-trino\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[floec.plugins.compute]\ntrino = floe_trino:Trino\nnaked = floe_trino:naked\nwrong = floe_trino:broken\n"
        "gone = floe_trino:missing\n[floec.plugins.billing]\nmeter = floe_trino:naked\n"
    )
    (tmp_path / "floe_trino.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("floe_trino", None)


def check(text: str) -> list[Diagnostic]:
    loaded = load_yaml(Source("t.yaml", MANIFEST + text)).value
    assert loaded is not None
    return list(validate_document(loaded).diagnostics)


@pytest.mark.usefixtures("third_party")
def test_an_installed_plugin_is_found_and_judges_its_configuration() -> None:
    assert check("  compute: {type: trino, config: {coordinator: c, workers: 2}}\n") == []
    assert check("  billing: {type: meter}\n")[0].code == "FLC223"


@pytest.mark.usefixtures("third_party")
@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("{type: trino, config: {coordinator: c, worker: 2}}", "FLC201", "workers"),
        ("{type: trino, config: {coordinator: c, workers: 0}}", "FLC221", "minimum"),
        ("{type: trino}", "FLC221", "coordinator"),
        ("{type: trinoo}", "FLC220", "trino"),
        ("{type: naked}", "FLC223", "config_schema"),
        ("{type: wrong}", "FLC222", "wrong schema"),
        ("{type: gone}", "FLC222", "cannot be loaded"),
    ],
)
def test_what_is_wrong_with_an_installed_plugin(text: str, code: str, part: str) -> None:
    (diagnostic,) = check(f"  compute: {text}\n")
    assert diagnostic.code == code
    assert part in diagnostic.message + diagnostic.hint
    assert diagnostic.span is not None
    assert diagnostic.span.line == 5


def test_our_own_are_entry_points() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    for category in known.categories():
        points = declared[f"floec.plugins.{category}"]
        assert sorted(points) == sorted(known.names(category))
        for name, target in points.items():
            module, _, attribute = target.partition(":")
            plugin = getattr(sys.modules[module], attribute)
            assert (plugin.category, plugin.name) == (category, name)


def test_an_approved_plugin_that_nobody_knows_is_a_warning() -> None:
    (found,) = check("  catalog: polaris\napproved_plugins: {compute: [duckdb, snowflak]}\n")
    assert (found.code, found.severity) == ("FLC220", Severity.WARN)
    assert "snowflake" in found.hint
    assert found.span is not None
    assert found.span.line == 6


def test_another_word_for_a_plugin_is_read() -> None:
    assert check("  secrets: {type: kubernetes}\n  storage: {type: azure}\n  dbt_runtime: local\n") == []


def test_a_known_plugin_does_not_search_the_distributions() -> None:
    code = (
        "import sys\nfrom compiler.documents.models import validate_document\n"
        "from compiler.documents.yaml_loader import load_yaml\nfrom policy_lang.source import Source\n"
        f"validate_document(load_yaml(Source('t', {MANIFEST + '  compute: duckdb'!r})).value)\n"
        "print([m for m in ('importlib.metadata', 'jsonschema', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
