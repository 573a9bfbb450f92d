"""The policies in an artifact, run by a stock OPA on the artifact's own IR, find what floec finds."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import date
from pathlib import Path

import pytest

from compiler.emit import Compiled, policy_bundle
from compiler.ir.canonical import canonical
from compiler.pipeline import Job, run

ROOT = Path(__file__).resolve().parents[2]
OPA = Path(os.environ.get("FLOEC_TOOLS") or Path.home() / ".cache/floec/tools") / "opa"
pytestmark = [pytest.mark.slow, pytest.mark.opa]


@pytest.mark.parametrize("product", ["broken/product", "acme/domains/sales/products/orders"])
def test_opa_finds_the_same_violations(product: str, tmp_path: Path) -> None:
    if not OPA.exists():
        pytest.skip("opa is not built (scripts/external_tools.sh)")
    outcome = run(Job(ROOT / "examples" / product, date(2026, 1, 1), whole=True), "policies")
    assert outcome.value is not None
    state = outcome.value.state
    assert state.ir is not None
    assert state.in_force is not None
    bundle = policy_bundle(
        Compiled(state.ir, state.ir_digest, state.folder, state.project, state.in_force, state.sources)
    )
    assert bundle.value is not None
    for file in bundle.value:
        if not file.path.endswith(".floe"):
            (tmp_path / file.path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file.path).write_bytes(file.data)
    (tmp_path.parent / "ir.json").write_bytes(canonical(state.ir))
    argv = [OPA, "eval", "--bundle", tmp_path, "--input", tmp_path.parent / "ir.json", "data.floec.violation"]
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)["result"][0]["expressions"][0]["value"]
    theirs = {(v["id"], v["message"], json.dumps(v["at"])) for v in answer}
    policies = [d for d in outcome.diagnostics if d.policy is not None]
    ours = {(d.code, d.message, json.dumps(list(d.path))) for d in policies}
    assert theirs == ours
    assert bool(ours) is (product == "broken/product")
