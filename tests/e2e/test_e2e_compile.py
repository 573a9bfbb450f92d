"""The main job, through the console script: compile, verify, run, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOEC = Path(sys.executable).parent / "floec"
EXAMPLES = ROOT / "examples"
PRODUCT = Path("domains/sales/products/orders")

pytestmark = pytest.mark.slow


def floec(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command; a traceback is never an answer."""
    argv = [FLOEC, *map(str, arguments)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=180, cwd=cwd)
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    return done


def copy_of(name: str, folder: Path) -> Path:
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns(".floe", "target", "logs", ".user.yml"))
    return folder


def compile_acme(folder: Path) -> Path:
    """Compile a copy of the example below ``folder``; answers the image layout."""
    product = copy_of("acme", folder / "acme") / PRODUCT
    done = floec("compile", product)
    assert done.returncode == 0, done.stdout + done.stderr
    (marker,) = (product / ".floe").rglob("oci-layout")
    return marker.parent


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_acme(tmp_path_factory.mktemp("compiled"))


def digests(layout: Path) -> list[str]:
    index = json.loads((layout / "index.json").read_bytes())
    return [manifest["digest"] for manifest in index["manifests"]]


def test_the_same_inputs_give_the_same_digest_in_another_folder(layout: Path, tmp_path: Path) -> None:
    assert digests(compile_acme(tmp_path / "a" / "deeper")) == digests(layout) != []


def test_what_was_compiled_verifies(layout: Path) -> None:
    done = floec("verify", layout)
    assert done.returncode == 0, done.stderr
    assert digests(layout)[0] in done.stdout


def test_one_changed_byte_in_any_blob_fails_verification(layout: Path, tmp_path: Path) -> None:
    blobs = sorted((layout / "blobs" / "sha256").iterdir())
    for number, blob in enumerate(blobs):
        copy = tmp_path / str(number)
        shutil.copytree(layout, copy)
        target = copy / "blobs" / "sha256" / blob.name
        content = bytearray(target.read_bytes())
        content[len(content) // 2] ^= 1
        target.chmod(0o644)
        target.write_bytes(content)
        assert floec("verify", copy).returncode == 1, blob.name
    assert blobs


def planted() -> list[tuple[str, int, str]]:
    """The rows of EXPECTED.md: file (from the product's folder), line, family of policies."""
    text = (EXAMPLES / "broken" / "EXPECTED.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| (\d+) \| ([A-Z]{3}) \|", text, flags=re.MULTILINE)
    return [(file, int(line), policy) for file, line, policy in rows]


def test_the_broken_example_names_every_planted_violation(tmp_path: Path) -> None:
    product = copy_of("broken", tmp_path / "broken") / "product"
    done = floec("compile", product, "--format", "json")
    assert done.returncode == 1
    assert not (product / ".floe" / "build").exists(), "nothing is written where a policy blocks"
    found = json.loads(done.stdout)["diagnostics"]
    places = {(_below(d, product), d.get("line"), str(d["code"])[:3]) for d in map(_flat, found)}
    assert planted()
    missing = [row for row in planted() if row not in places]
    assert not missing, f"missing {missing} in {sorted(places, key=str)}"
    wanted = {policy for _, _, policy in planted()}
    assert all(d["hint"] and d["col"] for d in map(_flat, found) if str(d["code"])[:3] in wanted)


def _flat(diagnostic: dict[str, object]) -> dict[str, object]:
    span = diagnostic.get("span")
    place = span if isinstance(span, dict) else {}
    return {**diagnostic, **place}


def _below(diagnostic: dict[str, object], product: Path) -> str:
    file = Path(str(diagnostic.get("file")))
    absolute = file if file.is_absolute() else Path.cwd() / file
    return absolute.relative_to(product).as_posix() if absolute.is_relative_to(product) else str(file)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("misspelt_key", "transforms"),
        ("broken_yaml", "floe.yaml"),
        ("duplicate_key", "name"),
        ("python_object", "python/object"),
        ("billion_laughs", "alias"),
        ("parent_cycle", "cycle"),
        ("missing_parent", "nowhere/manifest.yaml"),
    ],
)
def test_a_bad_document_ends_in_a_clear_error_and_writes_nothing(document: str, says: str, tmp_path: Path) -> None:
    folder = copy_of("broken_documents", tmp_path / "documents")
    before = sorted(folder.rglob("*"))
    done = floec("compile", folder / document)
    assert done.returncode == 1, done.stderr
    assert says in done.stderr
    assert re.search(r"\.yaml:\d+:\d+", done.stderr), done.stderr
    assert sorted(folder.rglob("*")) == before


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    done = floec("compile", tmp_path / "nowhere")
    assert done.returncode == 1
    assert "nowhere" in done.stderr


@pytest.mark.dbt
def test_the_compiled_product_runs_on_duckdb(tmp_path: Path) -> None:
    pytest.importorskip("dbt.adapters.duckdb", reason="dbt-duckdb is not installed (extra: dbt)")
    product = copy_of("acme", tmp_path / "acme") / PRODUCT
    assert floec("compile", product).returncode == 0
    done = floec("run", product)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.dbt
def test_a_project_that_takes_macros_from_outside_of_its_folder_runs_too(tmp_path: Path) -> None:
    pytest.importorskip("dbt.adapters.duckdb", reason="dbt-duckdb is not installed (extra: dbt)")
    product = copy_of("acme", tmp_path / "acme") / PRODUCT
    (product.parent / "common" / "macros").mkdir(parents=True)
    (product.parent / "common" / "macros" / "said.sql").write_text("{% macro said() %}select 1 as said{% endmacro %}\n")
    project = product / "dbt_project.yml"
    text = project.read_text().replace("seed-paths:", "macro-paths: [../common/macros]\nseed-paths:")
    project.write_text(text + "on-run-start: ['{{ said() }}']\n")
    done = floec("run", product)
    assert done.returncode == 0, done.stdout + done.stderr
