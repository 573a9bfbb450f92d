"""Products with all that a check looks at beside their dbt project, and edits of it as they come in daily use.

To the edits of the project's files (``edited_projects``) come those of manifests, policies, packages, contracts and
what dbt writes; files whose size and time stay, links, folders in the place of files; other days; a damaged cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.property.edited_projects import PROJECT, Edited

_ROOT = Path(__file__).parents[2]
_DAY_NS = 86_400_000_000_000
_POLICY = """\
package acme.own

param most: number := {most}

policy own {{
	id       OWN001
	title    "An own policy"
	severity {severity}

	for model in input.models
	require {body}

	message $"{{model.name}} is odd"
	at      model.name
}}
"""
_BODIES = ("count(model.name) < params.most", 'model.description != ""', "count(model.columns) < params.most",
           "count(input.models) > params.most", "not model.meta.x == 1")  # fmt: skip
_PRODUCT = """\
apiVersion: floe.dev/v1
kind: DataProduct
metadata: {{name: shop, version: 1.0.{version}, owner: shop@acme.example, domain: shop}}
platform: {{ref: {platform}}}
transforms: [{{type: dbt, path: {path}}}]
"""
_MORE_OF_PROJECT = (
    "seeds: {shop: {+enabled: false}}\n", "data_tests: {+severity: warn}\n", "test-paths: [tests, logs]\n",
    "model-paths: [models, logs]\n", "packages-install-path: logs\n", "snapshots: {+tags: [z]}\n", "# more\n",
)  # fmt: skip


class EditedProduct(Edited):
    """A product below ``folder``; ``day`` is how many days have gone by."""

    def __init__(self, folder: Path, cache: Path, seed: int) -> None:
        self.folder = folder
        self.cache = cache
        self.day = 0
        super().__init__(folder / "product", seed)
        self.manifest: dict[str, Any] = yaml.safe_load((_ROOT / "examples/broken/manifest.yaml").read_text("utf-8"))
        self.manifest["policies"] = [{"use": "stdlib/documentation"}, {"use": "own"}]
        self._own_policy()
        self._platform()
        self._write("floe.yaml", _PRODUCT.format(version=0, platform="../manifest.yaml", path="models"))
        if self._often(0.5):
            self._parsed()

    def edit(self) -> str:
        """Make one edit; answers what it was."""
        others: list[Callable[[], object]] = [
            self._own_policy, self._tier, self._product, self._more_of_project, self._docs, self._ignored,
            self._packaged, self._contract, self._lock, self._parsed, self._unparsed, self._node, self._artifact,
            self._same_size_and_time, self._other_time, self._all_touched, self._swapped, self._folder, self._linked,
            self._dead_link, self._logs, self._another_day, self._damaged,
        ]  # fmt: skip
        chosen = super().edit if self._often(0.4) else self.random.choice(others)
        try:
            made = f"{chosen.__name__} {chosen() or ''}"
        except OSError as error:  # an earlier edit has put a folder where a file is to be
            made = f"{chosen.__name__} failed: {error}"
        self.log.append(made)
        return made

    def _any(self, *suffixes: str) -> Path:
        return self.random.choice(self._files(*suffixes) or [self._added()])

    def _own_policy(self) -> None:
        file = self.folder / "own" / "own.floe"
        if file.exists() and self._often(0.2):
            return file.unlink()
        file.parent.mkdir(exist_ok=True)
        pick = self.random.choice
        text = _POLICY.format(most=pick([2, 3]), severity=pick(["warn", "block"]), body=pick(_BODIES))
        file.write_text(text, encoding="utf-8")
        return None

    def _tier(self) -> None:
        pick, manifest = self.random.choice, self.manifest
        ends = (datetime.now(UTC) + timedelta(days=pick([-1, 0, 1, 2]))).date().isoformat()
        exemption = {"policy": pick(["OWN001", "DOC001", "DOC002"]), "subject": pick(["*", "model m1"]), "reason": "x",
                     "approver": "a@b.example", "expires": ends}  # fmt: skip
        edits: list[Callable[[], object]] = [
            lambda: manifest.update(exemptions=[exemption]),
            lambda: manifest.pop("exemptions", None),
            lambda: manifest["policies"][0].update(severity={"DOC001": pick(["warn", "notify", "off"])}),
            lambda: manifest["policies"][1].update(params={"most": pick([1, 4])}),
            lambda: manifest["metadata"].update(description=pick(["a", "b"])),
            lambda: manifest["governance"]["quality_gates"].update(require_descriptions=pick([True, False])),
        ]
        pick(edits)()
        self._platform()

    def _platform(self) -> None:
        (self.folder / "manifest.yaml").write_text(yaml.safe_dump(self.manifest, sort_keys=False), encoding="utf-8")

    def _product(self) -> None:
        link = self.folder / "link.yaml"
        link.unlink(missing_ok=True)
        link.symlink_to(self.random.choice(["manifest.yaml", "nowhere.yaml"]))
        above = self.random.choice(["../manifest.yaml", "../manifest.yaml", "..", "../link.yaml"])
        version, path = self.random.choice(["0", "1", "x"]), self.random.choice(["models", "models/", "models/silver"])
        self._write("floe.yaml", _PRODUCT.format(version=version, platform=above, path=path))

    def _more_of_project(self) -> None:
        self._write("dbt_project.yml", PROJECT + self.random.choice(_MORE_OF_PROJECT))

    def _docs(self) -> None:
        said = self.random.choice(["", "Words.", "Other words."])
        self._write("models/docs.md", f"{{% docs d %}}{said}{{% enddocs %}}\n")

    def _ignored(self) -> None:
        self._write(".dbtignore", self.random.choice(["", "models/bronze/\n", "*.yml\n"]))

    def _packaged(self) -> None:
        folder = self.random.choice(["dbt_packages", "logs"])
        if (self.root / folder).exists() and self._often(0.3):
            return shutil.rmtree(self.root / folder)
        self._write(f"{folder}/more/dbt_project.yml", f"name: more\nversion: {self.random.choice('12')}.0.0\n")
        self._write(f"{folder}/more/models/u1.sql", self.random.choice(["select 1", "{{ config(enabled=false) }}"]))
        return None

    def _logs(self) -> None:
        self._write("logs/m8.sql", self._sql())

    def _contract(self) -> None:
        file = self.root / "datacontract.yaml"
        if file.exists():
            return file.unlink()
        version, table = self.random.randint(0, 2), self.random.randint(0, 3)
        head = f"apiVersion: v3.0.2\nkind: DataContract\nid: c\nname: c\nversion: 1.{version}.0\nstatus: active\n"
        self._write("datacontract.yaml", f"{head}schema: [{{name: m{table}, properties: [{{name: id}}]}}]\n")
        return None

    def _lock(self) -> None:
        file = self.root / "floe.lock"
        if file.exists():
            return file.unlink()
        self._write("floe.lock", self.random.choice(["{", '{"lock_version": 1, "references": {}}']))
        return None

    def _same_size_and_time(self) -> str:
        file = self._any(".sql", ".yml", ".csv")
        before, text = file.stat(), bytearray(file.read_bytes() or b"\n")
        text[self.random.randrange(len(text))] = self.random.choice(b"abem01")
        file.write_bytes(bytes(text))
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        return file.name

    def _other_time(self) -> str:
        file = self._any()
        moment = file.stat().st_mtime_ns + self.random.choice([-_DAY_NS, -1, _DAY_NS])
        os.utime(file, ns=(moment, moment))
        return file.name

    def _all_touched(self) -> None:
        for file in self._files(".sql", ".yml", ".csv", ".md"):
            os.utime(file)

    def _swapped(self) -> None:
        one, other, aside = self._any(".sql"), self._any(".sql"), self.root / "aside"
        if one != other:
            one.rename(aside)
            other.rename(one)
            aside.rename(other)

    def _folder(self) -> str:
        folders = [path for path in self.root.rglob("*.sql") if path.is_dir()]
        if folders:
            shutil.rmtree(folders[0])
            return folders[0].name
        file = self._any(".sql")
        file.unlink()
        file.mkdir()
        return file.name

    def _linked(self) -> str:
        file = self._any(".sql", ".yml")
        target = self.folder / f"far_{file.name}"
        if file.is_symlink():
            target.write_text(self._sql(), encoding="utf-8")
        else:
            file.rename(target)
            file.symlink_to(target)
        return file.name

    def _dead_link(self) -> None:
        link = self.root / "models/dead.sql"
        if link.is_symlink():
            link.unlink()
        else:
            link.symlink_to("nowhere")

    def _another_day(self) -> None:
        self.day += self.random.choice([-1, 1])

    def _damaged(self) -> None:
        """The newest files of the cache are cut off, changed, gone or no files."""
        files = sorted((f for f in self.cache.rglob("*") if f.is_file()), key=lambda f: f.stat().st_mtime_ns)[-6:]
        for file in files:
            data = bytearray(file.read_bytes() or b"x")
            data[self.random.randrange(len(data))] ^= 1
            file.unlink()
            kind = self.random.choice(["gone", "folder", "pipe", "cut off", "changed"])
            if kind == "folder":
                file.mkdir()
            elif kind == "pipe":
                os.mkfifo(file)
            elif kind != "gone":
                file.write_bytes(data[:40] if kind == "cut off" else data)

    def _target(self) -> Path:
        return self.root / "target/manifest.json"

    def _unparsed(self) -> None:
        shutil.rmtree(self.root / "target", ignore_errors=True)

    def _parsed(self) -> None:
        """As dbt would write the manifest, in a few words."""
        nodes: dict[str, Any] = {}
        for file in self._files(".sql", ".csv"):
            path = file.relative_to(self.root).as_posix()
            kind = {"models": "model", "seeds": "seed"}.get(path.partition("/")[0])
            if kind is None or not file.is_file():
                continue
            text = file.read_bytes().decode("utf-8", "replace").strip()
            id_ = f"{kind}.shop.{file.stem}"
            nodes[id_] = {
                "unique_id": id_, "name": file.stem, "resource_type": kind, "package_name": "shop", "language": "sql",
                "original_file_path": path, "description": "", "columns": {}, "config": {"enabled": True}, "tags": [],
                "raw_code": text, "depends_on": {"nodes": [], "macros": []}, "created_at": 1795611803.99,
                "checksum": {"name": "sha256", "checksum": hashlib.sha256(text.encode()).hexdigest()},
            }  # fmt: skip
        version = "https://schemas.getdbt.com/dbt/manifest/v12.json"
        metadata = {"dbt_schema_version": version, "project_name": "shop", "adapter_type": "duckdb"}
        self._write("target/manifest.json", json.dumps({"metadata": metadata, "nodes": nodes, "disabled": {}}))

    def _node(self) -> None:
        if not self._target().exists():
            return self._parsed()
        manifest = json.loads(self._target().read_text("utf-8"))
        nodes, pick = manifest["nodes"], self.random.choice
        if not nodes:
            return None
        one = nodes[pick(sorted(nodes))]
        edits: list[Callable[[], object]] = [
            lambda: one.update(description=pick(["", "What is in it."])),
            lambda: one.update(columns={c: {"name": c, "description": pick(["", "d"])} for c in ("id", "Total")}),
            lambda: one.update(depends_on={"nodes": [pick(sorted(nodes))], "macros": []}),
            lambda: one.update(original_file_path="models/nowhere.sql"),
            lambda: nodes.pop(one["unique_id"]),
            lambda: manifest["disabled"].update({one["unique_id"]: [nodes.pop(one["unique_id"])]}),
            lambda: manifest["disabled"].clear(),
            lambda: manifest["metadata"].update(adapter_type=pick(["duckdb", "snowflake"])),
        ]
        pick(edits)()
        self._write("target/manifest.json", json.dumps(manifest))
        return None

    def _artifact(self) -> None:
        if not self._target().exists():
            return None
        name = self.random.choice(["catalog.json", "run_results.json"])
        if (self.root / "target" / name).exists() and self._often(0.3):
            return (self.root / "target" / name).unlink()
        column = {"name": "more", "type": self.random.choice(["int", "text"]), "index": 1}
        ids = [f"model.shop.m{i}" for i in range(3)]
        catalog = {"metadata": {}, "sources": {}, "nodes": {id_: {"columns": {"more": column}} for id_ in ids}}
        status = self.random.choice(["success", "error"])
        results = {"metadata": {}, "results": [{"unique_id": id_, "status": status} for id_ in ids]}
        self._write(f"target/{name}", json.dumps(catalog if name == "catalog.json" else results))
        return None
