"""Judge again only the nodes of a manifest that changed, where nothing else did, with the answer of a whole check.

A *base* is what a whole check saw: hashes of the manifest's nodes, the entries of the IR, and the findings. Later
checks compare the manifest with it. The changed nodes are decoded alone and judged by the policies that are sliced
(``policy_lang.plan.slices``), before and after, and their findings exchanged. Other policies keep their findings where
nothing that they read of the changed nodes is different. Whatever does not fit this (a node that is new or gone, other
edges, a changed test, a policy that does see the change) answers None: the whole is judged.

Whoever changes a model changes a file and lets dbt write the manifest again. So files of the project may have changed
too: with a manifest, they say no more than where findings stand. What such a file describes is judged again, and where
another finding is in it the answer is None.
"""

from __future__ import annotations

import marshal
import os
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compiler.cli.verdicts import Inputs, Stamps, Verdict
from compiler.file_states import content, contents, is_fresh, stamp
from compiler.ir.facts_model import LISTS
from policy_lang import kept_diagnostics
from policy_lang.codegen import cache
from policy_lang.diagnostics import Diagnostic
from policy_lang.digests import digest_of
from policy_lang.records import NamedTuple

if TYPE_CHECKING:
    from compiler.facts.manifest.read import OpenedManifest
    from compiler.ir.facts_model import Facts
    from compiler.pipeline import Report, State

MOST_CHANGED = 500
_PARTS = 8
SECTIONS = ("models", "seeds", "snapshots", "sources")
_EDGES = ("unique_id", "name", "source_name", "resource_type", "package", "path", "alias", "version",
          "latest_version", "depends_on", "depends_on_macros", "enabled")  # fmt: skip
"""Fields of a node by which other entries come to say something else."""
_METADATA = ("project_name", "adapter_type", "dbt_version", "manifest_version")
_TEXTS = (".sql", ".py", ".yml", ".yaml")
_OF_FACTS, _STALE = "FLC11", "FLC116"
_Path = tuple[str | int, ...]
_Entry = dict[str, Any]


class Base(NamedTuple):
    """What a whole check saw. ``frame`` is all of the IR but its lists, marshalled; ``described`` has the nodes that
    each file of the project says something about.

    The entries of the lists are kept beside it, in parts, because few of them are looked at again.
    """

    manifest: str
    project: str
    beside: tuple[Any, ...]
    hashes: list[tuple[bytes, bytes]]
    places: dict[str, tuple[str, int]]
    described: dict[str, list[str]]
    frame: bytes
    sizes: dict[str, int]
    subjects: dict[str, int]


class Kept(NamedTuple):
    """A base that still holds: nothing but the manifest has changed since, and the files of the project that ``moved``
    has. ``key`` and ``token`` tell its entries."""

    key: str
    token: bytes
    base: Base
    verdict: Verdict
    inputs: Inputs
    stamps: Stamps
    moved: frozenset[str]


def keep_base(key: str, inputs: Inputs, stamps: Stamps, started: int, report: Report, verdict: Verdict) -> None:
    """Keep the base of a check that began at ``started``, where no file was newer than the manifest; ``stamps`` are
    those of its inputs, none of which changed since."""
    checked = report.state.checked
    everything = (*verdict.diagnostics, *(checked.rest() if checked is not None else ()))
    if _newer(stamps, inputs):
        return
    base = base_of(report, everything)
    if base is None or stamp(inputs.manifest) != stamps[inputs.manifest]:
        return
    others = _others(stamps, inputs)
    fresh = contents((file for file, state in others.items() if is_fresh(state, started)), others)
    if fresh is None:
        return
    found = tuple(map(kept_diagnostics.plain, everything))
    try:
        parts = entries_of(report)
    except ValueError:
        return
    token = os.urandom(12)
    for part, entries in enumerate(parts):
        cache.write(_name(key, part), (token, entries))
    cache.write(_name(key), (token, tuple(inputs), others, fresh, tuple(base), found, verdict.lines))


def recall_base(key: str) -> Kept | None:
    """The base under ``key``, where nothing else has changed since, and no file is newer than the manifest."""
    kept = cache.read(_name(key))
    if kept is None:
        return None
    try:
        token, about, others, fresh, plain, found, lines = kept
        base, inputs = Base(*plain), Inputs(*about)
    except (TypeError, ValueError):
        return None
    now = inputs.stamps()
    if now is None or _newer(now, inputs):
        return None
    moved = _moved(others, fresh, _others(now, inputs))
    if moved is None or not all(_is_text(file, base.project, inputs) for file in moved):
        return None
    verdict = Verdict(tuple(map(kept_diagnostics.diagnostic, found)), tuple(lines))
    return Kept(key, token, base, verdict, inputs, now, frozenset(map(os.path.abspath, moved)))


def _moved(then: Stamps, fresh: Mapping[str, bytes], now: Stamps) -> list[str] | None:
    """The files in another state than before; None where one is new or gone."""
    if then.keys() != now.keys():
        return None
    return [f for f, state in now.items() if state != then[f] or (f in fresh and content(f) != fresh[f])]


def _is_text(file: str, project: str, inputs: Inputs) -> bool:
    """Whether a file is one of those in the folders of a project of which a manifest says all that they say."""
    inside = os.path.relpath(os.path.abspath(file), os.path.abspath(project))
    policies = any(file.startswith(root + os.sep) for root in inputs.roots if root not in inputs.tops)
    outside = inside.startswith("..") or os.sep not in inside or os.path.basename(inside) == "dbt_project.yml"
    return inside.endswith(_TEXTS) and not outside and not policies and file not in inputs.files


def _newer(stamps: Stamps, inputs: Inputs) -> bool:
    """Whether a file of the project is newer than the manifest: then its content says whether that is stale."""
    return stamps.get(inputs.manifest) is None or not inputs.newer(stamps) <= {*inputs.files}


def _name(key: str, part: int | None = None) -> str:
    return digest_of(f"base {part} {key}".encode()).hexdigest()


def _others(stamps: Stamps, inputs: Inputs) -> Stamps:
    """The state of all files but the manifest, which may be named in two ways."""
    name, whole = os.path.basename(inputs.manifest), os.path.abspath(inputs.manifest)
    same = [file for file in stamps if file.endswith(name) and os.path.abspath(file) == whole]
    return {file: state for file, state in stamps.items() if file not in same}


def entries_of(report: Report) -> list[dict[str, bytes]]:
    """The entries that may be judged again, in parts; ValueError where one holds a decimal number."""
    parts: list[dict[str, bytes]] = [{} for _ in range(_PARTS)]
    assert report.state.ir is not None
    for section in SECTIONS:
        for entry in report.state.ir[section]:
            parts[_part(entry["unique_id"])][entry["unique_id"]] = marshal.dumps(entry)
    return parts


def _part(name: str) -> int:
    return zlib.crc32(name.encode()) % _PARTS


def _entries(kept: Kept, names: Iterable[str]) -> dict[str, _Entry] | None:
    """The entries as they were; None where the cache has dropped them."""
    found: dict[str, _Entry] = {}
    parts: dict[int, dict[str, bytes]] = {}
    for name in names:
        part = _part(name)
        if part not in parts:
            token, entries = cache.read(_name(kept.key, part)) or (b"", {})
            parts[part] = entries if token == kept.token else {}
        if name not in parts[part]:
            return None
        found[name] = marshal.loads(parts[part][name])
    return found


def base_of(report: Report, found: Iterable[Diagnostic]) -> Base | None:
    """The base that a whole check leaves; None where changed nodes could not be judged on their own."""
    from compiler.cli.stages import sizes
    from compiler.contracts.stage import has_contracts
    from compiler.facts.manifest.incremental import grouped_hashes
    from compiler.facts.manifest.read import open_manifest
    from compiler.facts.read import TARGET_MANIFEST
    from compiler.ir.needs import covered

    state = report.state
    chain, facts, ir, checked, project = state.chain, state.facts, state.ir, state.checked, state.project
    if chain is None or facts is None or ir is None or checked is None or project is None or state.needs is None:
        return None
    flows = any(covered(state.needs, (section, "*", "columns", "*", "inherited")) for section in SECTIONS)
    product = chain.product
    if flows or product is None or has_contracts(product) or facts.project["source"] != "manifest":
        return None
    exempted = any(document.data.get("exemptions") for document in chain.manifests)
    if exempted or any(d.code.startswith(_OF_FACTS) and d.code != _STALE for d in found):
        return None
    manifest = state.job.manifest or project / TARGET_MANIFEST
    opened = open_manifest(manifest)
    if opened.value is None or opened.diagnostics:
        return None
    try:
        return Base(
            str(manifest),
            str(project),
            _beside(opened.value),
            [(whole, marshal.dumps(nodes)) for whole, nodes in grouped_hashes(opened.value)],
            {e["unique_id"]: (section, i) for section in SECTIONS for i, e in enumerate(ir[section])},
            _described(ir, project),
            marshal.dumps({key: value for key, value in ir.items() if key not in LISTS}),
            sizes(facts),
            dict(checked.subjects),
        )
    except ValueError:
        return None  # a decimal number, which `marshal` does not write


def _described(ir: Mapping[str, Any], project: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    root = os.path.abspath(project)
    for section in SECTIONS:
        for entry in ir[section]:
            for path in (entry.get("path"), entry.get("patch_path")):
                if path:
                    found.setdefault(f"{root}/{path}", []).append(entry["unique_id"])
    return found


def _beside(opened: OpenedManifest) -> tuple[Any, ...]:
    """What the manifest says beside its nodes; of the disabled ones, that they are known."""
    return (*map(opened.split.metadata.get, _METADATA), digest_of(opened.split.disabled).digest())


def rejudged(kept: Kept, state: State, path: str) -> Verdict | None:
    """The verdict on ``path`` now, from that at the time of the base; ``state`` is that after ``resolve``."""
    from compiler.facts.manifest.incremental import changed_since
    from compiler.facts.manifest.read import manifest_facts, open_manifest

    base = kept.base
    opened = open_manifest(Path(base.manifest))
    if opened.value is None or opened.diagnostics or _beside(opened.value) != base.beside:
        return None
    changed = changed_since(base.hashes, opened.value)
    if changed is None or not changed <= base.places.keys():
        return None
    changed |= {id_ for file in kept.moved for id_ in base.described.get(file, ())}
    if len(changed) > MOST_CHANGED:
        return None
    old = _entries(kept, changed)
    if old is None:
        return None
    tests = {test["unique_id"] for entry in old.values() for test in entry["tests"]}
    facts = manifest_facts(opened.value, Path(base.project), state.needs, only=changed | tests)
    if facts.value is None or facts.diagnostics:
        return None
    new = _new_entries(base, state, facts.value, old)
    if new is None or not _unseen(state, base, old, new):
        return None
    state = state._replace(project=Path(base.project), facts=facts.value)
    return _exchanged(kept, state, path, (old, new))


def _new_entries(base: Base, state: State, facts: Facts, old: Mapping[str, _Entry]) -> dict[str, _Entry] | None:
    """The changed nodes as the whole IR would have them; None where others would be different too."""
    from compiler.ir.build import build_ir

    assert state.platform is not None
    project = Path(base.project).relative_to(state.folder).as_posix()
    ir = build_ir(state.platform, state.product, facts, project=project, needs=state.needs)
    new = {entry["unique_id"]: entry for section in SECTIONS for entry in ir[section]}
    if new.keys() != old.keys():
        return None
    for name, entry in new.items():
        was = old[name]
        if entry.keys() != was.keys() or any(entry.get(f) != was.get(f) for f in _EDGES):
            return None
        for field in ("refs", "source_refs"):
            if field in entry:
                if _unresolved(entry[field]) != _unresolved(was[field]):
                    return None
                entry[field] = was[field]
        if "used_by" in entry:
            entry["used_by"] = was["used_by"]
    return new


def _unresolved(refs: Iterable[_Entry]) -> list[_Entry]:
    return [{**ref, "unique_id": None} for ref in refs]


def _unseen(state: State, base: Base, old: Mapping[str, _Entry], new: Mapping[str, _Entry]) -> bool:
    """Whether the policies that look beyond their subject see no difference."""
    from compiler.ir.compared import seen_alike

    assert state.policies is not None
    paths = {path for one in state.policies.slices() if one.over not in SECTIONS for path in one.reads}
    for name, entry in new.items():
        section = base.places[name][0]
        for path in paths:
            if path and path[0] not in (section, "*"):
                continue
            below = path[2:]
            if not seen_alike(old[name], entry, below):
                return False
    return True


def _exchanged(
    kept: Kept, state: State, path: str, entries: tuple[Mapping[str, _Entry], Mapping[str, _Entry]]
) -> Verdict | None:
    """The verdict with the findings on the changed nodes exchanged."""
    from compiler.cli.stages import facts_line, idle_policies, policies_line
    from compiler.policies.check import Checked

    assert state.policies is not None
    base, before = kept.base, kept.verdict
    old, new = entries
    sliced = {one.policy for one in state.policies.slices() if one.over in SECTIONS}
    was, now = (_judged(base, state, one, sliced) for one in (old, new))
    if was is None or now is None:
        return None
    (gone, counted_then), (come, counted_now) = was, now
    ours = base.subjects.keys()
    about = {base.places[name] for name in new}
    ours_then = [d for d in before.diagnostics if d.code in sliced and d.path[:2] in about]
    if set(map(_told, ours_then)) != set(map(_told, gone)):
        return None
    gone_then = {*ours_then}
    stay = _placed_anew((d for d in before.diagnostics if d not in gone_then), kept, state, new)
    if stay is None:
        return None
    first = [d for d in stay if d.code not in ours]
    ordered = sorted([*(d for d in stay if d.code in ours), *come], key=_order)
    subjects = {
        id_: count + counted_now.get(id_, 0) - counted_then.get(id_, 0) if id_ in sliced else count
        for id_, count in base.subjects.items()
    }
    sizes = {**base.sizes, "column": base.sizes["column"] + _columns(base, new) - _columns(base, old)}
    said = f"{facts_line(sizes, 'manifest')}; {policies_line(subjects)}"
    idle = idle_policies(Checked(subjects))
    lines = (f"{path}: {said}", *([idle] if idle else []))
    return Verdict(tuple(dict.fromkeys((*first, *ordered))), lines)


def _told(one: Diagnostic) -> Diagnostic:
    """A finding but for where it stands."""
    return one._replace(span=None, related=(), fixes=())


def _placed_anew(
    found: Iterable[Diagnostic], kept: Kept, state: State, new: Mapping[str, _Entry]
) -> list[Diagnostic] | None:
    """Findings that stay, with their places where files changed; None where one stands in such a file otherwise.

    A file may also have got a better place for what is on a node that it describes.
    """
    from compiler.pipeline import locator_of

    if not kept.moved:
        return [*found]
    base = kept.base
    lists: dict[str, list[_Entry]] = {name: [] for name in LISTS}
    at: dict[_Path, _Path] = {}
    for id_ in {id_ for file in kept.moved for id_ in base.described.get(file, ())}:
        section, index = base.places[id_]
        at[section, index] = (section, len(lists[section]))
        lists[section].append(new[id_])
    locator = locator_of(state, {**marshal.loads(base.frame), **lists})
    placed: list[Diagnostic] = []
    for one in found:
        here = at.get(one.path[:2])
        spans = [*(label.span for label in one.related), *(fix.span for fix in one.fixes)]
        spans += [one.span] if one.span is not None and here is None else []
        if (here is not None and one.fixes) or any(os.path.abspath(span.file) in kept.moved for span in spans):
            return None
        placed.append(one if here is None else one._replace(span=locator.locate((*here, *one.path[2:]))))
    return placed


def _columns(base: Base, entries: Mapping[str, _Entry]) -> int:
    return sum(len(e.get("columns", ())) for name, e in entries.items() if base.places[name][0] != "sources")


def _judged(
    base: Base, state: State, entries: Mapping[str, _Entry], sliced: set[str]
) -> tuple[list[Diagnostic], dict[str, int]] | None:
    """What the sliced policies find in these nodes alone, at their places in the whole, and how many subjects."""
    from compiler.pipeline import locator_of
    from compiler.policies.check import check

    assert state.policies is not None
    assert state.in_force is not None
    ordered = sorted(entries, key=base.places.__getitem__)
    lists: dict[str, list[_Entry]] = {name: [] for name in LISTS}
    for name in ordered:
        lists[base.places[name][0]].append(entries[name])
    ir = {**marshal.loads(base.frame), **lists}
    made = check(ir, state.policies, state.in_force, (), locator_of(state, ir), state.job.today)
    if made.value is None:
        return None
    found = []
    for one in made.diagnostics:
        if one.code in sliced:
            section, at, *rest = one.path
            name = lists[str(section)][int(at)]["unique_id"]
            found.append(one._replace(path=(*base.places[name], *rest)))
    return found, made.value.subjects


def _order(one: Diagnostic) -> tuple[Any, ...]:
    """The order in which a whole check finds (``PolicySet.run``)."""
    return ([(0, p, "") if isinstance(p, int) else (1, 0, p) for p in one.path], one.code, one.message)
