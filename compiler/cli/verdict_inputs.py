"""All files that a check could see, as far as that can be told: what a verdict on it holds for (``verdicts``).

What is left out here is a change that nobody sees. So folders and files count that are not there yet, and where
something is read that stands elsewhere (a store of parents, a folder of tools, a path that leaves the project) the
answer is None.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from posixpath import normpath
from typing import TYPE_CHECKING

from compiler.cli import verdicts
from compiler.cli.verdicts import ARTIFACTS, Inputs
from compiler.documents.kept import by_its_text
from compiler.tiers.references import LOCK_NAME

if TYPE_CHECKING:
    from compiler.facts.project.config import ProjectFile
    from compiler.ir.facts_model import Facts
    from compiler.pipeline import State


def inputs_of(state: State) -> Inputs | None:
    """The inputs of a check that ended in ``state``; None where they cannot be told."""
    from compiler.facts.read import TARGET_MANIFEST
    from compiler.pipeline import DOCUMENTS
    from compiler.policies.bundles import ShippedSource, moving

    chain = state.chain
    if chain is None or chain.stored or moving(state.sources) or _elsewhere(state):
        return None
    chained = (*chain.manifests, *([chain.product] if chain.product else []))
    if not all(map(by_its_text, chained)):
        return None  # a plugin of others stands wherever Python finds it
    documents = [Path(d.file) for d in chained]
    files = [*documents, *(d.parent / "oci-layout" for d in documents)]
    files += [Path(source.file) for source in state.sources if not isinstance(source, ShippedSource)]
    files += [state.folder / name for name in (*DOCUMENTS, LOCK_NAME)]
    tops = []
    if chain.product is not None:
        tops.append(str(state.folder))
        files += [state.folder / ref for ref in port_schemas(chain.product.data)]
    manifest = state.job.manifest or (state.project / TARGET_MANIFEST if state.project is not None else None)
    if manifest is not None:
        files += [manifest, *(manifest.parent / name for name in ARTIFACTS)]
    bundles = [Path(d.file).parent / use for d in chain.manifests for use in own_bundles(d.data)]
    files += [bundle for bundle in bundles if not bundle.is_dir()]
    roots = [*tops, *(str(bundle) for bundle in bundles if bundle.is_dir())]
    if len(set(roots)) < len(roots):
        return None  # policies beside a product: some of them may be where tools put things
    if state.project is not None:
        tops.append(os.path.join(state.folder, os.path.relpath(state.project, state.folder)).removesuffix("/."))
    return Inputs(tuple(roots), tuple(dict.fromkeys(tops)), tuple(dict.fromkeys(map(str, files))), str(manifest or ""))


def contents_of(state: State, inputs: Inputs) -> dict[str, bytes]:
    """What is known of the contents of inputs since they were read (``compiler.file_states.content``)."""
    read = state.facts.origin.contents if state.facts is not None else {}
    project = inputs.tops[-1] if inputs.tops else ""
    return {f"{project}/{path}": digest for path, digest in read.items()}


def _elsewhere(state: State) -> bool:
    """Whether something of the project stands outside of it, or may stand among what tools wrote."""
    if state.facts is not None and any(map(_is_elsewhere, _paths_of(state.facts))):
        return True
    if state.project is None or not (state.project / "dbt_project.yml").is_file():
        return False
    from compiler.facts.project.config import read_project

    project = read_project(state.project).value
    inside = os.path.relpath(state.project, state.folder)
    if inside != "." and _is_elsewhere(f"{inside}/"):
        return True
    return project is not None and any(_is_elsewhere(f"{normpath(folder)}/") for folder in _folders(project))


def _paths_of(facts: Facts) -> set[str]:
    entries = (*facts.models, *facts.seeds, *facts.snapshots, *facts.sources, *facts.macros)
    return {entry[field] for entry in entries for field in ("path", "patch_path") if entry.get(field)}


def _folders(project: ProjectFile) -> Iterator[str]:
    """The folders that the project's configuration names."""
    for paths in project.paths.values():
        yield from paths
    installed = project.raw.get("packages-install-path")
    if isinstance(installed, str):
        yield installed


def _is_elsewhere(path: str) -> bool:
    return path.startswith(("..", "./")) or os.path.isabs(path) or verdicts.of_tools(path)


def own_bundles(manifest: dict[str, object]) -> Iterator[str]:
    """The bundles of policies that stand in files."""
    entries = manifest.get("policies", ())
    assert isinstance(entries, list | tuple)
    return (e["use"] for e in entries if not e["use"].startswith("stdlib") and "://" not in e["use"])


def port_schemas(product: dict[str, object]) -> Iterator[str]:
    """The files that output ports take their schemas from."""
    ports = product.get("output_ports", ())
    assert isinstance(ports, list | tuple)
    for port in ports:
        schema = port.get("schema")
        ref = schema.get("ref") if isinstance(schema, dict) else schema
        if isinstance(ref, str):
            yield ref
