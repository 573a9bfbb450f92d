"""Facts about the dbt project in a folder: from the manifest that dbt left there, from its files, or from both."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from compiler.file_states import now
from compiler.ir.facts_model import Facts
from compiler.ir.needs import Needs, code_used
from policy_lang.diagnostics import Diagnostic, Outcome

if TYPE_CHECKING:
    from compiler.facts.kept.manifest import Store
    from compiler.facts.manifest.plan import Written
    from compiler.facts.project.config import ProjectFile
    from compiler.facts.stale import Files

TARGET_MANIFEST = Path("target") / "manifest.json"
PROJECT_FILE = "dbt_project.yml"


def read_facts(
    project_dir: Path,
    manifest: Path | None = None,
    *,
    needs: Needs | None = None,
    files_only: bool = False,
    changed: Iterable[Path] | None = None,
    fresh: bool = False,
    environ: Mapping[str, str] | None = None,
    reuse: bool = True,
) -> Outcome[Facts]:
    """Read ``manifest``, else ``target/manifest.json`` of the project, else (or with ``files_only``) its own files.

    ``changed`` names files that are laid over the manifest's facts; ``fresh`` lays all over it that are newer. A
    manifest that is older than other files, or than macros, is reported (FLC116, warn). ``needs`` None means
    everything; the rest may be left out of the entries. ``environ`` says where the cache is; without ``reuse``
    nothing is taken from the last run but what single files say. FLC110 where there is neither a manifest nor a
    ``dbt_project.yml``; a manifest that cannot be used is an error, and the project's own files are read.
    """
    settings = os.environ if environ is None else environ
    found = manifest or project_dir / TARGET_MANIFEST
    has_files = (project_dir / PROJECT_FILE).is_file()
    if files_only or (manifest is None and not found.is_file() and has_files):
        from compiler.facts.project.read import read_project_files

        return read_project_files(project_dir, keep_code=code_used(needs), environ=settings, reuse=reuse)
    if not has_files:
        from compiler.facts.manifest.read import read_manifest

        return read_manifest(project_dir, found, needs)
    from compiler.facts.project.config import read_project
    from compiler.facts.stale import Files

    project = read_project(project_dir)
    files = Files(project.value) if project.value is not None else None
    written = files.asked(found) if files is not None else None
    mixed = fresh or changed is not None
    if mixed and needs is not None:
        from compiler.facts.overlay import NEEDS

        needs = needs | NEEDS
    from compiler.facts.kept.manifest import Store

    store, started = Store(project_dir, found, needs, settings), now()
    if changed is not None and reuse and written is not None:
        read = _kept(store, written)
    else:
        from compiler.facts.manifest.read import read_manifest

        read = read_manifest(project_dir, found, needs, written)
        read = store.named(read, started) if reuse else read
    if read.value is None:  # what the project's own files say is known all the same
        from compiler.facts.project.read import read_project_files

        without = read_project_files(project_dir, keep_code=code_used(needs), environ=settings, reuse=reuse)
        return Outcome(without.value, (*read.diagnostics, *without.diagnostics))
    if files is None or written is None:
        return Outcome(read.value, (*read.diagnostics, *project.diagnostics))
    return _with_files(read, found, files, written, needs, changed, mixed, settings)


def _kept(store: Store, written: Written) -> Outcome[Facts]:
    """The facts of a manifest over which a few files are laid: as they were, where nothing of it has changed."""
    from compiler.facts.manifest.read import read_manifest

    known = store.recall(written)
    if known is not None:
        return known
    started = now()
    written.hashed = True
    return store.keep(read_manifest(store.project, store.manifest, store.needs, written), written, started)


def _with_files(
    read: Outcome[Facts],
    manifest: Path,
    files: Files,
    written: Written,
    needs: Needs | None,
    changed: Iterable[Path] | None,
    mixed: bool,
    environ: Mapping[str, str],
) -> Outcome[Facts]:
    """What the project's files change in the manifest's facts, or a word on that they would."""
    from compiler.facts.stale import changed_files, stale_diagnostic, unknown_files

    assert read.value is not None
    before, project = read.diagnostics, files.project
    paths = changed_files(files, manifest, read.value, written)
    unknown = sorted({*unknown_files(files, manifest, read.value, written)} - {*paths})
    if mixed and changed is None:
        paths, unknown = sorted({*paths, *unknown}), []
    if changed is not None:
        from compiler.facts.overlay import can_lay, project_paths

        given = project_paths(project.root, changed)
        rest = [path for path in paths if path not in given or not can_lay(path, project)]
        paths, unknown = given, [path for path in unknown if path not in given]
        if rest:
            before = (*before, stale_diagnostic(manifest, rest))
    if unknown:
        before = (*before, stale_diagnostic(manifest, unknown, unknown=True))
    if not paths:
        return Outcome(read.value, before)
    if not mixed:
        return Outcome(read.value, (*before, stale_diagnostic(manifest, paths)))
    return _laid_over(read.value, before, project, paths, environ, needs)


def _laid_over(
    facts: Facts,
    before: tuple[Diagnostic, ...],
    project: ProjectFile,
    paths: list[str],
    environ: Mapping[str, str],
    needs: Needs | None,
) -> Outcome[Facts]:
    from compiler.facts.overlay import overlay

    laid = overlay(facts, project, paths, environ, needs)
    return Outcome(laid.value, (*before, *laid.diagnostics))
