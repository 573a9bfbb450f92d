"""Input that no user means to give: it ends soon, in a diagnostic and the designed exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from compiler.cli.main import run

MANIFEST = """\
apiVersion: floe.dev/v1
kind: Manifest
metadata: {name: plat, version: 1.0.0, owner: a@b.example}
policies: [{use: own}]
"""
PRODUCT = """\
apiVersion: floe.dev/v1
kind: DataProduct
metadata: {name: orders, version: 1.0.0}
platform: {ref: manifest.yaml}
transforms: [{type: dbt, path: models}]
"""
POLICY = """\
package acme.owner

policy owner {
	id       OWN001
	title    "A model has an owner"
	severity warn

	for model in input.models
	require model.owner != null

	message "no owner"
}
"""


def shop(folder: Path, product: str = PRODUCT) -> Path:
    """A product with one model, its platform and one policy in one folder."""
    (folder / "models").mkdir()
    (folder / "own").mkdir()
    (folder / "manifest.yaml").write_text(MANIFEST)
    (folder / "floe.yaml").write_text(product)
    (folder / "dbt_project.yml").write_text("name: shop\n")
    (folder / "models" / "orders.sql").write_text("select 1 as id\n")
    (folder / "own" / "owner.floe").write_text(POLICY)
    return folder


def checked(path: Path | str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = run(["check", str(path)])
    said = capsys.readouterr()
    return code, said.out + said.err


@pytest.mark.parametrize("path", ["missing", "floe.yaml", "../..", "a" * 300, '"a\\0b"'])
def test_a_transform_whose_folder_is_not_there_is_refused(
    path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop(tmp_path, PRODUCT.replace("path: models", f"path: {path}"))
    code, said = checked(tmp_path, capsys)
    assert code == 1
    assert "floe.yaml:5:" in said
    assert "FLC424" in said or "FLC202" in said


def test_a_parent_whose_path_no_file_system_holds_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop(tmp_path, PRODUCT.replace("ref: manifest.yaml", f"ref: {'a' * 5000}"))
    code, said = checked(tmp_path, capsys)
    assert code == 1
    assert "too long for a path" in said


def test_a_document_that_no_file_system_holds_is_the_environments_fault(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = checked("a" * 5000, capsys)
    assert code == 3
    assert said.startswith("floec: ")


def test_a_link_to_itself_among_the_models_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop(tmp_path) / "models" / "ring.sql").symlink_to("ring.sql")
    code, said = checked(tmp_path, capsys)
    assert code == 0
    assert "FLC124" in said
    assert "1 model" in said


def test_pipes_and_devices_are_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop(tmp_path)
    for place in ("pipe", "models/pipe.sql", "models/pipe.yml"):
        os.mkfifo(tmp_path / place)
    code, said = checked(tmp_path, capsys)
    assert code == 0
    assert "1 model" in said
    assert checked("/dev/zero", capsys)[0] == 1


def test_a_pipe_among_the_policies_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(shop(tmp_path) / "own" / "pipe.floe")
    code, said = checked(tmp_path, capsys)
    assert code == 1
    assert "FLC421" in said


def test_a_byte_order_mark_before_a_policy_is_no_part_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop(tmp_path) / "own" / "owner.floe").write_text("\ufeff" + POLICY)
    assert checked(tmp_path, capsys)[0] == 0


@pytest.mark.parametrize(
    "properties",
    [
        "models: 3",
        "models: [orders]",
        "models: [{name: orders, columns: {id: {}}}]",
        "sources: [{name: raw, tables: orders}]",
    ],
)
def test_properties_that_nothing_could_be_read_from_are_refused(
    properties: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop(tmp_path) / "models" / "_models.yml").write_text(f"version: 2\n{properties}\n")
    code, said = checked(tmp_path, capsys)
    assert code == 1
    assert "FLC125" in said
    assert "_models.yml" in said


def test_a_policy_file_that_is_no_text_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop(tmp_path) / "own" / "owner.floe").write_bytes(b"\xff\xfe")
    code, said = checked(tmp_path, capsys)
    assert code == 1
    assert "FLC421" in said
    assert "not UTF-8" in said


@pytest.mark.parametrize("arguments", [["eval", "-I", "input"], ["repl"], ["fmt"], ["check", "nowhere"]])
def test_closed_streams_are_empty_ones(arguments: list[str]) -> None:
    command = [sys.executable, "-c", "import sys; sys.stdin = sys.stdout = None; import floec; sys.exit(floec.main())"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr


def test_what_the_terminal_cannot_show_is_escaped() -> None:
    command = [sys.executable, "-m", "floec", "eval", "-f", "raw", '"\u2603 \\ud83d"']
    settings = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, env=settings, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"\\u2603 \\ufffd\n")


@pytest.mark.parametrize(
    "query",
    [f'to_number("{text}")' for text in ("1e999999999", "1e600000", "-1e309", "1.7976931348623159e308", "1" * 400)],
)
def test_texts_of_numbers_beyond_all_floats_are_undefined(query: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", "-f", "raw", query]) == 0
    assert capsys.readouterr().out.strip() == ""


def test_an_ir_that_is_nested_without_end_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ir.json").write_text("[" * 100_000)
    assert run(["ir", "diff", str(tmp_path / "ir.json"), str(tmp_path / "ir.json")]) == 1
    assert "FLC109" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ['"models": 3', '"models": [null]', '"platform": []', '"models": [{"columns": {"a": 1}}]', '"nothing": 1']
)
def test_an_ir_of_another_shape_is_not_compared(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "whole.json").write_text('{"ir_version": "floec.ir.v1"}')
    (tmp_path / "odd.json").write_text(f'{{"ir_version": "floec.ir.v1", {text}}}')
    assert run(["ir", "diff", str(tmp_path / "whole.json"), str(tmp_path / "whole.json")]) == 0
    capsys.readouterr()
    assert run(["ir", "diff", str(tmp_path / "whole.json"), str(tmp_path / "odd.json")]) == 1
    assert "odd.json" in capsys.readouterr().err


def test_a_bundle_that_is_half_a_disk_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compiler.policies.bundles._MOST_ENTRIES", 20)
    own = shop(tmp_path) / "own"
    assert checked(tmp_path, capsys)[0] == 0
    for number in range(20):
        (own / f"{number}.txt").touch()
    code, said = checked(tmp_path, capsys)
    assert code == 1
    assert "is a folder of more than 20 files" in said
    assert "name a folder that holds policies only" in said


def test_columns_that_no_policy_reads_are_not_counted(tmp_path: Path) -> None:
    from compiler.cli.stages import facts_line, sizes
    from compiler.facts.manifest.read import read_manifest

    nodes = {
        f"{kind}.shop.{name}": {
            "unique_id": f"{kind}.shop.{name}",
            "name": name,
            "resource_type": kind,
            "package_name": "shop",
            "columns": {"id": {"name": "id"}},
        }
        for kind, name in (("model", "orders"), ("seed", "codes"))
    }
    written = {"metadata": {"dbt_schema_version": "x/manifest/v12.json", "project_name": "shop"}, "nodes": nodes}
    (tmp_path / "manifest.json").write_text(json.dumps(written))
    needs = frozenset([("models", "*", "columns", "*", "name"), ("seeds", "*", "name")])
    facts = read_manifest(tmp_path, tmp_path / "manifest.json", needs).value
    assert facts is not None
    assert facts_line(sizes(facts), "manifest") == "1 model, 1 seed, 0 sources, 1 column, 0 tests (from manifest)"
