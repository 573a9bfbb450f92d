"""The hooks of ``.pre-commit-hooks.yaml`` as pre-commit runs them, with floec from this environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
HOOKS = ROOT / ".pre-commit-hooks.yaml"
pytestmark = pytest.mark.slow

POLICY = """\
package acme.short

policy short {
	id       OWN001
	title    "Names are short"
	severity warn

	for model in input.models
	require count(model.name) < 16

	message "the name is long"
}
"""
TEST = """\
package acme.short

test short {
	pass "short" with {"models": [{"name": "a"}]}
	fail "long" with {"models": [{"name": "a_very_long_name_of_a_model"}]}
}
"""


def command(*argv: str | Path, cwd: Path, path: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}", "PRE_COMMIT_HOME": str(cwd / ".pc")}
    for name in [n for n in environment if n.startswith("GIT_")]:
        del environment[name]
    return subprocess.run(
        list(map(str, argv)), capture_output=True, text=True, check=False, timeout=120, cwd=cwd, env=environment
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A user's repository: a product, its manifest, policies with tests; the hooks of ours as they are."""
    for tool in ("git", str(Path(sys.executable).parent / "pre-commit")):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    # The hooks run the floec of this environment: an installation into one of their own is pre-commit's work.
    given = yaml.safe_load(HOOKS.read_text())
    (hooks / ".pre-commit-hooks.yaml").write_text(yaml.safe_dump([{**hook, "language": "system"} for hook in given]))
    user = tmp_path / "user"
    shutil.copytree(
        ROOT / "examples/acme/domains/sales/products/orders", user, ignore=shutil.ignore_patterns(".floe", "target")
    )
    shutil.copytree(ROOT / "examples/acme/enterprise", user / "enterprise")
    floe = user / "floe.yaml"
    floe.write_text(floe.read_text().replace("domain:\n  ref: ../../manifest.yaml", "platform:\n  ref: enterprise"))
    (user / "policies").mkdir()
    (user / "policies/short.floe").write_text(POLICY)
    (user / "policies/short_test.floe").write_text(TEST)
    for folder in (hooks, user):
        for argv in (
            ["init", "-q"],
            ["add", "-A"],
            ["-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qm", "x"],
        ):
            done = command("git", *argv, cwd=folder)
            assert done.returncode == 0, done.stderr
    return user


def hook(repository: Path, name: str) -> subprocess.CompletedProcess[str]:
    binaries = Path(sys.executable).parent
    argv = [binaries / "pre-commit", "try-repo", repository.parent / "hooks", name, "--all-files", "--verbose"]
    return command(*argv, cwd=repository, path=str(binaries))


def test_every_hook_is_a_command_that_there_is() -> None:
    from compiler.cli.main import COMMANDS

    hooks = yaml.safe_load(HOOKS.read_text())
    assert {h["id"] for h in hooks} == {"floec-check", "floec-check-changed", "floec-test", "floec-fmt", "floec-lint"}
    assert all(h["entry"].split()[1] in COMMANDS for h in hooks)


def test_the_check_hook_passes_and_blocks(repository: Path) -> None:
    done = hook(repository, "floec-check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "14 models" in done.stdout
    (repository / "models/silver/silver_orders.sql").write_text("select 1 from {{ ref('gold_daily_revenu') }}\n")
    done = hook(repository, "floec-check")
    assert done.returncode == 1
    assert "LAY002" in done.stdout


def test_the_hook_of_what_changed_is_silent_on_the_rest(repository: Path) -> None:
    (repository / "models/silver/silver_orders.sql").write_text("select 1 from {{ ref('gold_daily_revenu') }}\n")
    done = hook(repository, "floec-check-changed")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "LAY002" in done.stdout
    for argv in (["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qm", "x"]):
        assert command("git", *argv, cwd=repository).returncode == 0
    assert "LAY002" in hook(repository, "floec-check").stdout
    done = hook(repository, "floec-check-changed")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "LAY002" not in done.stdout


def test_the_test_hook_runs_the_policies_tests(repository: Path) -> None:
    done = hook(repository, "floec-test")
    assert done.returncode == 0, done.stdout + done.stderr
    (repository / "policies/short.floe").write_text(POLICY.replace("16", "99"))
    assert hook(repository, "floec-test").returncode == 1


def test_the_fmt_hook_lays_out_what_is_committed(repository: Path) -> None:
    hook(repository, "floec-fmt")
    assert hook(repository, "floec-fmt").returncode == 0, "what is laid out stays as it is"
    policy = repository / "policies/short.floe"
    policy.write_text(POLICY.replace("\n\trequire count", "\n\t  require   count"))
    assert hook(repository, "floec-fmt").returncode == 1
    assert policy.read_text() == POLICY


def test_the_lint_hook_blocks_what_cannot_be_meant(repository: Path) -> None:
    done = hook(repository, "floec-lint")
    assert done.returncode == 0, done.stdout + done.stderr
    policy = repository / "policies/short.floe"
    policy.write_text(POLICY.replace('message "the name is long"', 'message "the name is long"\n\tat      "name"'))
    done = hook(repository, "floec-lint")
    assert done.returncode == 1
    assert "LNT064" in done.stdout
