"""Small dbt projects, and edits of their files as they come in daily use: also those that break something."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

_MODELS = [f"m{i}" for i in range(9)]
_NAMES = [*_MODELS, "s0", "s1", "sn0", "u1", "m1_v2"]
_COLUMNS = ["id", "email", "amount"]
_PROPERTIES = ["models/bronze/_b.yml", "models/silver/_s.yml", "models/_sources.yml", "models/silver/m1.yml",
               "seeds/_seeds.yml", "snapshots/_snapshots.yml", "models/_groups.yml"]  # fmt: skip
PROJECT = """\
name: shop
version: '1'
profile: shop
models:
  shop:
    +tags: [shop]
    silver: {+materialized: table}
vars: {day: '1'}
"""


class Edited:
    """A project below ``root`` and the choices that made it; ``wild`` is how often what comes breaks something."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.random = random.Random(seed)
        self.wild = self.random.choice([0.0, 0.1, 0.5])
        self.log: list[str] = []
        self._write("dbt_project.yml", PROJECT)
        if self._often(0.5):
            self._write("profiles.yml", "shop: {target: dev, outputs: {dev: {type: duckdb, schema: main}}}\n")
        if self._often(0.3):
            self._package()
        for name in _MODELS[: self.random.randint(3, 8)]:
            self._write(f"models/{self._layer()}/{name}.sql", self._sql())
        for path in self.random.sample(_PROPERTIES, 3):
            self._write(path, self._properties(path))
        self._write("seeds/s0.csv", "id,email\n1,2\n")
        self._write("macros/my.sql", self._macro())

    def edit(self) -> str:
        """Make one edit; answers what it was."""
        tame: list[Callable[[], str]] = [self._edit_model, self._edit_properties, self._append, self._edit_seed]
        wild = [self._delete, self._rename, self._edit_macro, self._edit_snapshot, self._edit_test, self._edit_project,
                self._touch, self._break, self._add_model]  # fmt: skip
        made = self.random.choice(wild if self._often(max(self.wild, 0.25)) else tame)()
        self.log.append(made)
        return made

    def _often(self, share: float) -> bool:
        return self.random.random() < share

    def _write(self, path: str, text: str) -> str:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return path

    def _files(self, *suffixes: str) -> list[Path]:
        found = sorted(p for p in self.root.rglob("*") if p.is_file() and p.suffix in (suffixes or (".sql", ".yml")))
        kept = ("dbt_packages", "profiles.yml", "dbt_project.yml", "floe.yaml", "manifest.yaml")
        return [p for p in found if not any(part in kept for part in p.relative_to(self.root).parts)]

    def _layer(self) -> str:
        return self.random.choice(["bronze", "silver"])

    def _package(self) -> None:
        self._write("dbt_packages/util/dbt_project.yml", "name: util\nversion: 1.0.0\n")
        macros = "{% macro star(x) %}select * from {{ ref('m0') }}{% endmacro %}\n"
        macros += "{% macro test_odd(model) %}{{ config(severity='warn') }} x{% endmacro %}\n"
        self._write("dbt_packages/util/macros/m.sql", macros)
        self._write("dbt_packages/util/models/u1.sql", "select 1 as id\n")
        if self._often(self.wild):
            self._write("dbt_packages/util/models/m3.sql", "select * from {{ ref('u1') }}\n")

    def _reference(self) -> str:
        name = self.random.choice(_NAMES if self._often(self.wild) else [p.stem for p in self._files(".sql")] or ["m0"])
        table = self.random.choice("abc")
        choices = [f"ref('{name}')"] * 5 + [f"source('raw', '{table}')"] * 2 + ["my(1)"]
        if self._often(self.wild):
            choices += [f"ref('util', '{name}')", "ref('m1', v=2)", "star('x')", "ref(var('nobody'))"]
        return "{{ " + self.random.choice(choices) + " }}"

    def _sql(self) -> str:
        configs = [
            "",
            "",
            "",
            "{{ config(materialized='table') }}\n",
            "{{ config(tags=['t'], meta={'owner': 'o'}) }}\n",
        ]
        if self._often(self.wild):
            configs = ["{{ config(enabled=false) }}\n", "{{ config(meta={'x': 1.5}, group='g1') }}\n",
                       "{{ config(schema=var('nope')) }}\n", "{% if broken %}", ""]  # fmt: skip
        columns = ", ".join(self.random.sample(_COLUMNS, self.random.randint(1, 3)))
        above = " join ".join(self._reference() for _ in range(self.random.randint(1, 2)))
        return f"{self.random.choice(configs)}select {columns} from {above}\n"

    def _described(self, name: str) -> dict[str, Any]:
        tests = ["not_null", "unique", {"accepted_values": {"values": [1, 2]}}]
        tests.append({"relationships": {"to": f"ref('{self.random.choice(_NAMES)}')", "field": "id"}})
        if self._often(self.wild):
            tests += ["odd", {"accepted_values": {"values": [2.5]}}]
        found: dict[str, Any] = {"name": name}
        if self._often(0.6):
            found["description"] = self.random.choice(["", "What is in it, at some length.", "{{ doc('d') }}"])
        if self._often(0.7):
            found["columns"] = [
                {
                    "name": column,
                    "description": self.random.choice(["", f"The {column} of the row."]),
                    "data_tests": self.random.sample(tests, self.random.randint(0, 3)),
                    "meta": self.random.choice([{}, {"floe": {"classification": "pii"}}]),
                }
                for column in self.random.sample(_COLUMNS, self.random.randint(1, 3))
            ]
        if self._often(0.3):
            found["config"] = self.random.choice([{"tags": ["y"]}, {"meta": {"owner": "me"}}, {"enabled": True}])
        if self._often(self.wild / 3):
            found["config"] = self.random.choice([{"enabled": False}, {"group": "g1"}])
        if self._often(self.wild / 5):
            found["versions"] = [{"v": 1}, {"v": 2}]
        return found

    def _properties(self, path: str) -> str:
        pick = self.random
        if "seeds" in path:
            found: dict[str, Any] = {
                "seeds": [self._described(n) for n in pick.sample(["s0", "s1"], pick.randint(0, 2))]
            }
        elif "snapshots" in path:
            found = {"snapshots": [self._described("sn0")]}
        elif "sources" in path:
            tables = [
                self._described(t) for t in pick.sample("abc", pick.randint(0 if self._often(self.wild) else 3, 3))
            ]
            found = {"sources": [{"name": "raw", "tables": tables}]}
            if self._often(0.3):
                used = [f"ref('{pick.choice(_NAMES)}')", "source('raw', 'a')"]
                found["exposures"] = [
                    {"name": "e1", "type": "dashboard", "owner": {"email": "a@b.example"}, "depends_on": used}
                ]
            if self._often(0.2):
                found["unit_tests"] = [
                    {"name": "ut", "model": pick.choice(_NAMES), "given": [], "expect": {"rows": []}}
                ]
        elif "groups" in path:
            found = {"groups": [{"name": "g1", "owner": {"name": pick.choice(["x", "y"])}}]}
            if self._often(0.4):
                model = f"ref('{pick.choice(_NAMES)}')"
                found["semantic_models"] = [{"name": "sm", "model": model, "measures": [{"name": "q", "agg": "sum"}]}]
                parameters = {"measure": "q"}
                found["metrics"] = [{"name": "me", "type": "simple", "label": "l", "type_params": parameters}]
        else:
            found = {"models": [self._described(n) for n in pick.sample(_MODELS, pick.randint(1, 3))]}
        return yaml.safe_dump({"version": 2, **found}, sort_keys=False)

    def _macro(self) -> str:
        macros = ["{% macro my(x) %}{{ ref('m0') }}{% endmacro %}", "{% macro my(x) %}lower(x){% endmacro %}"]
        if self._often(self.wild):
            macros += ["{% macro generate_alias_name(a) %}x{% endmacro %}", "{% macro my(x) %}{{ ref('m5') }}"]
        return self.random.choice(macros) + "\n"

    def _edit_model(self) -> str:
        models = [p for p in self._files(".sql") if "models" in p.parts]
        if not models:
            return self._add_model()
        path = self.random.choice(models).relative_to(self.root).as_posix()
        return "edit " + self._write(path, self._sql())

    def _add_model(self) -> str:
        return "add " + self._write(f"models/{self._layer()}/{self.random.choice(_MODELS)}.sql", self._sql())

    def _edit_properties(self) -> str:
        path = self.random.choice(_PROPERTIES)
        return "edit " + self._write(path, self._properties(path))

    def _append(self) -> str:
        file = self.random.choice(self._files(".yml") or [self.root / "dbt_project.yml"])
        text = file.read_text(encoding="utf-8", errors="replace")
        mark = self.random.choice([f"{text}# more\n", f"# first\n{text}", f"{text}\n"])
        return "append " + self._write(file.relative_to(self.root).as_posix(), mark)

    def _edit_seed(self) -> str:
        rows = "1,2\n" * self.random.randint(0, 4)
        return "edit " + self._write(f"seeds/s{self.random.randint(0, 1)}.csv", f"id,email\n{rows}")

    def _edit_macro(self) -> str:
        return "edit " + self._write("macros/my.sql", self._macro())

    def _edit_snapshot(self) -> str:
        name, above = f"sn{self.random.randint(0, 1)}", self._reference()
        text = f"{{% snapshot {name} %}}{{{{ config(strategy='check') }}}}select * from {above}{{% endsnapshot %}}\n"
        return "edit " + self._write("snapshots/sn.sql", text)

    def _edit_test(self) -> str:
        return "edit " + self._write("tests/t.sql", f"select * from {self._reference()}\n")

    def _edit_project(self) -> str:
        layer = self.random.choice(["silver", "bronze"])
        text = PROJECT.replace("silver:", f"{layer}:") + self.random.choice(["", "# more\n", "flags: {x: true}\n"])
        return "edit " + self._write("dbt_project.yml", text)

    def _delete(self) -> str:
        file = self.random.choice(self._files(".sql", ".yml", ".csv") or [self._added()])
        file.unlink()
        return f"delete {file.relative_to(self.root)}"

    def _rename(self) -> str:
        file = self.random.choice(self._files(".sql", ".yml") or [self._added()])
        new = file.with_stem(self.random.choice(_NAMES) if file.suffix == ".sql" else f"{file.stem}x")
        file.rename(new)
        return f"rename {file.relative_to(self.root)} {new.name}"

    def _touch(self) -> str:
        file = self.random.choice(self._files() or [self.root / "dbt_project.yml"])
        os.utime(file)
        return f"touch {file.relative_to(self.root)}"

    def _break(self) -> str:
        file = self.random.choice(self._files() or [self.root / "dbt_project.yml"])
        file.write_bytes(self.random.choice([b"{", b"\xff", b"- a\n"]) + file.read_bytes())
        return f"break {file.relative_to(self.root)}"

    def _added(self) -> Path:
        return self.root / self._write("models/bronze/m0.sql", self._sql())
