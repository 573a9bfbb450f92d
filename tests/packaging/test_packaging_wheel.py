"""The wheel and the sdist: built, installed into a fresh environment, run beside decoys."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = {"floec.py", "compiler", "policy_lang", "emitters", "stdlib_policies", "charts", "grammar"}
LEFT_OUT = shutil.ignore_patterns(".*", "*.egg-info", "build", "dist", "__pycache__", "results", "target")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with wheel and sdist, built from a copy so that nothing is left in the tree."""
    folder = tmp_path_factory.mktemp("build")
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=LEFT_OUT)
    argv = [sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(source)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder / "dist"


def wheel_of(folder: Path) -> Path:
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_wheel_has_only_our_top_level_names(built: Path) -> None:
    with zipfile.ZipFile(wheel_of(built)) as wheel:
        tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == NAMES


def test_the_wheel_carries_grammars_and_policies(built: Path) -> None:
    with zipfile.ZipFile(wheel_of(built)) as wheel:
        names = set(wheel.namelist())
    for folder, suffix in (("grammar", "*.lark"), ("stdlib_policies", "**/*.floe")):
        for file in (ROOT / folder).glob(suffix):
            assert file.relative_to(ROOT).as_posix() in names


def test_the_sdist_has_what_a_build_needs(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "floec.py", "compiler/__init__.py"} <= names


def test_the_installed_command_is_not_fooled_by_decoys(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)  # the wheel is what runs, not a checkout that it names
    environment = tmp_path / "env"
    venv.EnvBuilder(with_pip=True).create(environment)
    python = environment / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", str(wheel_of(built))]
    subprocess.run(install, check=True, timeout=180)
    # The dependencies are those of this environment; a second download would test the registry only.
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)}))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    folder = tmp_path / "work"
    for name in ("compiler", "grammar", "policy_lang"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("raise SystemExit('the decoy was imported')\n")
    for command in ("floec", "floe"):
        done = subprocess.run(
            [str(environment / "bin" / command), "--version"], cwd=folder, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("floec ")
