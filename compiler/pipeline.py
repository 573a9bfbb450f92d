"""The stages from a document to artifacts, in one table: what each does, and why it stands where it stands.

``run`` never writes: artifacts are values until ``emitters.write`` puts them on disk.
Codes: FLC424 a product whose dbt project cannot be found, FLC425 dbt transforms in several projects, FLC426 a data
contract without its product, FLC427 a value that cannot be published.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from policy_lang.diagnostics import Diagnostic, Outcome, Severity, blocking
from policy_lang.records import NamedTuple
from policy_lang.source import whole_file

if TYPE_CHECKING:
    from compiler.emit import SigningKey
    from compiler.facts.positions import ProjectPositions
    from compiler.ir.facts_model import Facts
    from compiler.ir.needs import Needs
    from compiler.ir.provenance import Locator
    from compiler.policies.bundles import Bundle
    from compiler.policies.check import Checked
    from compiler.policies.held_back import HeldBack, Unread
    from compiler.policies.kept_places import KeptPlaces
    from compiler.policies.settings import InForce
    from compiler.tiers.inherit import Resolved
    from compiler.tiers.references import ManifestStore
    from compiler.tiers.resolve import Chain
    from emitters.artifact import Artifact
    from policy_lang.policies import PolicyRun, PolicySet
    from policy_lang.source import Source, Span

DOCUMENTS = ("floe.yaml", "manifest.yaml")
"""What is looked for in a folder, the first that is there."""
_OF_PROJECT = frozenset((".sql", ".py", ".csv", ".md"))


class Narrowed(Protocol):
    """What a report is narrowed to (``compiler.cli.changed.Scope``)."""

    def about(self, path: tuple[str | int, ...]) -> bool: ...

    def narrowed(self, diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]: ...


class Job(NamedTuple):
    """What is asked for. ``whole``: the IR is to be published, so that nothing may be left out of it.

    ``most`` findings of a policy get their place, all where it is None; the others are counted.
    ``changed`` gives the files (real paths) to lay over the facts of a manifest, asked for when the documents are read;
    ``narrow`` says of the IR what to report on. ``anew``: nothing that was put together in an earlier run is used.
    ``again`` says that an earlier run is known of, so that it is worth keeping what policies find of a manifest, too.
    ``jobs`` is the number of processes that policies may run in.
    ``created`` (RFC 3339) goes into the OCI layout; ``key`` gives the key to sign it with, and is only asked where
    the manifest wants a signature.
    """

    path: Path
    today: date
    whole: bool = False
    manifest: Path | None = None
    changed: Callable[[], Outcome[frozenset[str]]] | None = None
    narrow: Callable[[State], Narrowed] | None = None
    most: int | None = None
    anew: bool = False
    again: bool = False
    jobs: int = 1
    created: str | None = None
    key: Callable[[], Outcome[SigningKey]] | None = None


class State(NamedTuple):
    """What the stages so far have made; each adds its own."""

    job: Job
    chain: Chain | None = None
    resolved: Resolved | None = None
    platform: dict[str, Any] | None = None
    product: dict[str, Any] | None = None
    sources: tuple[Source, ...] = ()
    in_force: InForce | None = None
    policies: PolicySet | None = None
    needs: Needs | None = None
    changed: frozenset[str] | None = None
    project: Path | None = None
    facts: Facts | None = None
    unread: tuple[Unread, ...] = ()
    held: HeldBack | None = None
    broken_sql: frozenset[str] = frozenset()
    """Files of which it was said that their SQL cannot be parsed: not that lineage cannot, too."""
    ir: dict[str, Any] | None = None
    locator: Locator | None = None
    scope: Narrowed | None = None
    checked: Checked | None = None
    ir_digest: str = ""
    signer: SigningKey | None = None
    artifacts: tuple[Artifact, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder of the document."""
        return self.job.path if self.job.path.is_dir() else self.job.path.parent


class Stage(NamedTuple):
    """``why`` is the reason for its place in the order."""

    name: str
    run: Callable[[State], Outcome[State]]
    why: str


class Timing(NamedTuple):
    """Seconds of one stage: of the clock, and of this process's CPU."""

    stage: str
    wall: float
    cpu: float


class Report(NamedTuple):
    """The last state that was reached, and what each stage took."""

    state: State
    timings: tuple[Timing, ...]

    def reached(self, stage: str) -> bool:
        """True where ``stage`` has made its part."""
        return any(timing.stage == stage for timing in self.timings)


def run(job: Job, stop_after: str = "emit") -> Outcome[Report]:
    """Run the stages up to ``stop_after``; a stage without a value ends the run, and nothing blocked is emitted."""
    state = State(job)
    found: dict[Diagnostic, None] = {}
    timings: list[Timing] = []
    for stage in STAGES:
        if stage.name == "emit" and blocking(found):
            break
        wall, cpu = time.perf_counter(), time.process_time()
        made = stage.run(state)
        found.update(dict.fromkeys(made.diagnostics))
        if made.value is None:
            break
        state = made.value
        timings.append(Timing(stage.name, time.perf_counter() - wall, time.process_time() - cpu))
        if stage.name == stop_after:
            break
    return Outcome(Report(state, tuple(timings)), tuple(found))


def _read(state: State) -> Outcome[State]:
    from compiler.tiers.resolve import load_chain

    path = state.job.path
    document = next((path / n for n in DOCUMENTS if (path / n).is_file()), None) if path.is_dir() else path
    if document is None or not document.is_file():
        text = (
            f"{path} holds neither floe.yaml nor manifest.yaml" if path.is_dir() else f"no such file or folder: {path}"
        )
        hint = _nearest(path) or "name a floe.yaml, a manifest.yaml, or a folder that holds one"
        return Outcome(None, (Diagnostic("FLC100", text, whole_file(str(path)), hint=hint),))
    if document.suffix.lower() in _OF_PROJECT:
        text = f"{path} is a file of a dbt project: what is judged is the product that it belongs to"
        hint = "name the folder that holds its floe.yaml; a hook of pre-commit does without `pass_filenames`"
        return Outcome(None, (Diagnostic("FLC100", text, whole_file(str(path)), hint=hint),))
    chain = load_chain(document, store=lambda: _store(document))
    if chain.value is not None and any(m.kind == "DataContract" for m in chain.value.manifests):
        return Outcome(None, _contract_alone(document, state.job.whole))
    # Values of wrong types have no order to join by.
    if chain.value is None or blocking(chain.diagnostics):
        return Outcome(None, (*chain.diagnostics, *_project_alone(document.parent, state.job)))
    return Outcome(state._replace(chain=chain.value), chain.diagnostics)


def _project_alone(folder: Path, job: Job) -> tuple[Diagnostic, ...]:
    """What is wrong with the files of the dbt project beside a document that cannot be used: no policy is known."""
    if not (folder / "dbt_project.yml").is_file():
        return ()
    from compiler.facts.project.read import read_project_files

    found = read_project_files(folder, keep_code=False, reuse=not job.anew).diagnostics
    return tuple(one for one in found if one.severity is not Severity.NOTIFY)


def _nearest(path: Path) -> str:
    """What to name instead: the product or manifest of which a folder is a part."""
    for folder in path.resolve().parents if path.is_dir() else ():
        for name in DOCUMENTS:
            if (folder / name).is_file():
                return f"name `{os.path.relpath(folder)}`, whose {name} this folder belongs to"
    return ""


def _store(document: Path) -> ManifestStore:
    """Where references into a registry are looked up: opened only where a document has one."""
    from emitters.oci.store import find_store

    return find_store(document.parent)


def _contract_alone(document: Path, whole: bool) -> tuple[Diagnostic, ...]:
    """What is wrong with a data contract that is not looked at with its product."""
    from compiler.contracts.read import load_contract

    found = load_contract(document).diagnostics
    if not whole:
        return found
    text = "a data contract is compiled with the product whose port it describes"
    return (*found, Diagnostic("FLC426", text, whole_file(str(document)), hint="name the product's floe.yaml"))


def _inherit(state: State) -> Outcome[State]:
    from compiler.tiers.adopt import adopt
    from compiler.tiers.inherit import inherit

    assert state.chain is not None
    joined = inherit(state.chain.manifests)
    if joined.value is None or state.chain.product is None:
        return Outcome(state._replace(resolved=joined.value) if joined.value else None, joined.diagnostics)
    adopted = adopt(joined.value, state.chain.product)
    state = state._replace(resolved=adopted.value or joined.value)
    return Outcome(state, (*joined.diagnostics, *adopted.diagnostics))


def _resolve(state: State) -> Outcome[State]:
    from compiler.policies.bundles import bundles_in_force, read_policies
    from compiler.tiers.resolve import exemptions, platform_ir, product_ir

    chain, resolved = state.chain, state.resolved
    assert chain is not None
    assert resolved is not None
    expired = exemptions(resolved, state.job.today).diagnostics
    product = product_ir(chain.product) if chain.product is not None else None
    bundles = bundles_in_force(chain.manifests)
    sources = read_policies(bundles.value or ())
    found = (*expired, *bundles.diagnostics, *sources.diagnostics)
    state = state._replace(platform=platform_ir(resolved), product=product, sources=sources.value or ())
    settled = _settle(state, bundles.value or ())
    return Outcome(settled.value, (*found, *settled.diagnostics))


def _settle(state: State, bundles: Sequence[Bundle]) -> Outcome[State]:
    """The policies with what the tiers set; one that is switched off is neither compiled nor asks for facts."""
    from compiler.contracts.stage import contract_needs
    from compiler.policies.settings import settle
    from policy_lang.codegen import cache
    from policy_lang.engine import CompileOptions, Deferred
    from policy_lang.policies import declared, load_policies

    assert state.chain is not None
    assert state.resolved is not None
    (compiler,) = cache.program("compiler")  # the schema is written there, and takes longer to make than to name
    options = CompileOptions(Deferred(compiler, _ir_schema), completed=True, cache=True)
    known = declared(state.sources, options)
    if known.value is None:
        return Outcome(None, known.diagnostics)
    ids = frozenset(policy.id for policy in known.value.policies)

    def default(package: str, name: str) -> Any:
        params = load_policies(state.sources, options, off=ids).value
        values = params.program.eval_path((*package.split("."), "params")).value if params is not None else None
        return values.get(name) if isinstance(values, dict) else None

    settled = settle(bundles, known.value, state.resolved.data, default)
    if settled.value is None:
        return Outcome(None, (*known.diagnostics, *settled.diagnostics))
    policies = load_policies(state.sources, options, off=ids - settled.value.severities.keys(), known=known.value)
    found = dict.fromkeys((*known.diagnostics, *policies.diagnostics, *settled.diagnostics))
    if policies.value is None:
        return Outcome(None, tuple(found))
    needs = None if state.job.whole else policies.value.reads() | contract_needs(state.chain.product)
    return Outcome(state._replace(in_force=settled.value, policies=policies.value, needs=needs), tuple(found))


def _ir_schema() -> Mapping[str, Any]:
    from compiler.ir.schema import ir_schema

    return ir_schema()


def _facts(state: State) -> Outcome[State]:
    from compiler.facts.read import read_facts

    if state.job.changed is not None:
        asked = state.job.changed()
        if asked.value is None:
            return Outcome(None, asked.diagnostics)
        state = state._replace(changed=asked.value)
    project = _project_of(state)
    if project.value is None:
        return Outcome(None if blocking(project.diagnostics) else state, project.diagnostics)
    changed = None if state.changed is None else map(Path, state.changed)
    facts = read_facts(project.value, state.job.manifest, needs=state.needs, changed=changed, reuse=not state.job.anew)
    if facts.value is None:
        return Outcome(None, facts.diagnostics)
    broken = frozenset(d.span.file for d in facts.diagnostics if d.code == "FLC130" and d.span is not None)
    state = state._replace(project=project.value, facts=facts.value, broken_sql=broken)
    if blocking(facts.diagnostics):
        from compiler.policies.held_back import unread_files

        state = state._replace(unread=unread_files(facts.diagnostics, project.value))
    return Outcome(state, facts.diagnostics)


def _project_of(state: State) -> Outcome[Path]:
    """The folder of the product's dbt project: that of a dbt transform, or the nearest one above it."""
    assert state.chain is not None
    document = state.chain.product
    if document is None or state.product is None:
        return Outcome(None)
    found: list[Diagnostic] = []
    folders: dict[Path, None] = {}
    for i, transform in enumerate(state.product["transforms"]):
        if transform["type"] != "dbt":
            continue
        # Normal, because what is above `a/../..` is not what its text holds before the last slash.
        start = Path(os.path.normpath(state.folder / (transform["path"] or ".")))
        folder = next((f for f in (start, *start.parents) if (f / "dbt_project.yml").is_file()), None)
        inside = folder is not None and folder.resolve().is_relative_to(state.folder.resolve())
        missing = not start.is_dir()
        if folder is None or not inside or missing:
            named = f"`{transform['path'] or '.'}`"
            text = f"no dbt_project.yml at {named} or above it in the product's folder"
            text = f"there is no folder {named}" if missing else text
            span = document.span(("transforms", i, "path"))
            found.append(Diagnostic("FLC424", text, span, hint="the path is relative to floe.yaml"))
        else:
            folders[folder] = None
    if len(folders) > 1:
        names = ", ".join(f"`{folder}`" for folder in folders)
        text = f"the transforms of one product are in one dbt project, these are in several: {names}"
        found.append(Diagnostic("FLC425", text, document.span(("transforms",)), hint="make a product of each"))
    return Outcome(next(iter(folders), None) if not blocking(found) else None, tuple(found))


def _ir(state: State) -> Outcome[State]:
    from compiler.ir.build import build_ir

    assert state.chain is not None
    assert state.platform is not None
    assert state.in_force is not None
    ir = build_ir(
        state.platform,
        state.product,
        state.facts,
        policies=state.in_force.entries,
        params=state.in_force.params,
        project=state.project.relative_to(state.folder).as_posix() if state.project is not None else ".",
        needs=state.needs,
    )
    if state.unread:
        from compiler.policies.held_back import HeldBack

        state = state._replace(held=HeldBack(state.unread, ir))
    found = (*_flow(state, ir), *_contracts(state, ir))
    state = state._replace(ir=ir, locator=locator_of(state, ir))
    if state.job.whole:
        from compiler.ir.canonical import digest, unfit

        try:
            state = state._replace(ir_digest=digest(ir))
        except ValueError:
            assert state.locator is not None
            at = unfit(ir) or ()
            text = f"`{'.'.join(map(str, at))}` has a value that no JSON can carry to every reader"
            hint = "numbers are at most 1.8e308, and texts (names of files, too) are Unicode"
            broken = Diagnostic("FLC427", ascii(text)[1:-1], state.locator.locate(at), hint=hint, path=at)
            return Outcome(None, (*found, broken))
    return Outcome(state, found)


def _flow(state: State, ir: dict[str, Any]) -> tuple[Diagnostic, ...]:
    """What classifications flow along the columns; it needs the levels, which only the platform knows."""
    from compiler.ir.needs import covered

    facts, project = state.facts, state.project
    if facts is None or project is None or not covered(state.needs, ("models", "*", "columns", "*", "inherited")):
        return ()
    from compiler.facts.kept.file_cache import cache_folder
    from compiler.facts.lineage.project import classified_columns, column_lineage, propagate

    folder = cache_folder(os.environ)
    classified = classified_columns(facts)
    traced = column_lineage(facts, project, folder=folder, classified=classified)
    if traced.value is not None:
        levels = ir["platform"]["governance"]["classification"]["levels"]
        propagate(facts, traced.value, {level["name"]: level["rank"] for level in levels}, classified)
    broken: list[Diagnostic] = []
    if facts.project["source"] != "files":
        from compiler.facts.sql.check import broken_in_manifest

        broken = broken_in_manifest(facts, project, folder)
    said = state.broken_sql | {d.span.file for d in broken if d.span is not None}
    return (*broken, *(d for d in traced.diagnostics if d.span is None or d.span.file not in said))


def _contracts(state: State, ir: dict[str, Any]) -> tuple[Diagnostic, ...]:
    """The contracts of the product's ports and those that are written beside it, judged against its models."""
    assert state.resolved is not None
    document = state.chain.product if state.chain is not None else None
    if document is None:
        return ()
    from compiler.contracts.stage import has_contracts, product_contracts

    if not has_contracts(document):
        return ()
    said = state.resolved.data.get("governance", {}).get("data_contracts", {}).get("enforcement")
    made = product_contracts(document, ir["models"], ir["platform"], state.job.today, enforcement=said)
    ir["contracts"] = made.value or []
    for contract in ir["contracts"]:
        # As the project's paths: seen from the product, so that the digest is the same in any folder.
        contract["path"] = Path(os.path.relpath(contract["path"], state.folder)).as_posix()
    return made.diagnostics if state.held is None else state.held.known(made.diagnostics)


def locator_of(state: State, ir: dict[str, Any]) -> Locator:
    """What finds the places of an IR's parts; ``state`` is that of the facts' stage."""
    from compiler.ir.provenance import Locator
    from compiler.tiers.platform_ir import platform_origin, product_span

    chain, resolved = state.chain, state.resolved
    assert chain is not None
    assert resolved is not None
    document = chain.product or (chain.manifests[-1] if chain.manifests else None)
    top = document.span(("metadata",)) if document is not None else whole_file(str(state.job.path))

    def platform(path: tuple[str | int, ...]) -> Span | None:
        origin = platform_origin(resolved, path)
        return origin.span if origin is not None else None

    positions: ProjectPositions | None = None
    if state.project is not None and state.facts is not None:
        from compiler.facts.positions import ProjectPositions

        positions = ProjectPositions(state.project, state.facts.project["name"])
    product = chain.product
    in_product = None if product is None else lambda path: product_span(product, path)
    return Locator(ir, top, platform, in_product, positions)


def _policies(state: State) -> Outcome[State]:
    from compiler.policies.check import check, exemptions_of

    assert state.chain is not None
    assert state.ir is not None
    assert state.in_force is not None
    assert state.policies is not None
    assert state.locator is not None
    scope = state.job.narrow(state) if state.job.narrow is not None else None
    exemptions = exemptions_of(state.chain.manifests)
    about = scope.about if scope is not None else None
    job = state.job
    held = state.held
    run = _run_of(state, state.ir) if held is None else _known_run(state, held)
    kept = _places_of(state, state.ir, state.locator)
    places = kept or state.locator
    checked = check(
        state.ir, state.policies, state.in_force, exemptions, places, job.today, about, job.most, run, job.jobs
    )  # fmt: skip
    if kept is not None:
        kept.save()
    judged = state._replace(scope=scope, checked=checked.value) if checked.value else None
    if held is None or not held.counts:
        return Outcome(judged, checked.diagnostics)
    # Whether an exemption covers nothing is not known, either.
    return Outcome(judged, (*held.diagnostics(), *(d for d in checked.diagnostics if d.code != "FLC305")))


def _known_run(state: State, held: HeldBack) -> Callable[[], Outcome[PolicyRun]]:
    """The policies run on all that is known."""
    policies, force = state.policies, state.in_force
    assert policies is not None
    assert force is not None

    def judge(ir: dict[str, Any]) -> Outcome[PolicyRun]:
        return policies.run(ir, force.params, force.severities, jobs=state.job.jobs)

    return lambda: held.run(policies, judge)


def _places_of(state: State, ir: dict[str, Any], locator: Locator) -> KeptPlaces | None:
    """The places that earlier runs found, where these had the project from the same files."""
    facts = state.facts
    if state.job.anew or state.job.whole or facts is None or facts.project["source"] != "files":
        return None
    from compiler.facts.kept.file_cache import cache_folder
    from compiler.policies.kept_places import KeptPlaces

    folder = cache_folder(os.environ)
    if folder is None or not facts.origin.base:
        return None
    document = f"{os.path.realpath(state.job.path)}\n{state.project}\n{os.getcwd()}"
    return KeptPlaces(locator, ir, facts.origin, document, folder)


def _run_of(state: State, ir: dict[str, Any]) -> Callable[[], Outcome[PolicyRun]] | None:
    """How the policies are run where something is known of an earlier run; None: they all run."""
    from compiler.policies.bundles import moving

    if state.job.anew or state.job.whole or state.facts is None or not state.facts.origin.base:
        return None
    whole = state.facts.project["source"] == "manifest"
    if moving(state.sources) or (whole and not state.job.again):
        return None
    from compiler.facts.kept.file_cache import cache_folder
    from compiler.policies.check import is_typed
    from compiler.policies.judged import Judge

    assert state.policies is not None
    assert state.in_force is not None
    facts, document = state.facts, f"{os.path.realpath(state.job.path)} {state.job.changed is None}"
    force = state.in_force
    folder, day = cache_folder(os.environ), state.job.today.isoformat()
    given = (state.policies, force.params, force.severities, document, folder, state.job.jobs, day)
    judge = Judge(*given, conforming=is_typed(ir), whole=whole)
    return lambda: judge.run(ir, facts)


def _emit(state: State) -> Outcome[State]:
    from compiler.emit import Compiled, emit, to_be_signed
    from compiler.tiers.resolve import published_files

    ir, in_force, job = state.ir, state.in_force, state.job
    assert ir is not None
    assert in_force is not None
    assert state.chain is not None
    key: Outcome[SigningKey] = Outcome(None)
    if job.key is not None and to_be_signed(ir["platform"]):
        key = job.key()
        if key.value is None:
            return Outcome(None, key.diagnostics)
    private = key.value.private if key.value is not None else None
    made = emit(
        Compiled(
            ir,
            state.ir_digest,
            state.folder,
            state.project,
            in_force,
            state.sources,
            job.created,
            private,
            published_files(state.chain.manifests),
        )
    )
    if made.value is None:
        return Outcome(None, made.diagnostics)
    return Outcome(state._replace(artifacts=made.value, signer=key.value), made.diagnostics)


STAGES: tuple[Stage, ...] = (
    Stage("read", _read, "everything follows from the documents; one that is broken ends here"),
    Stage("inherit", _inherit, "a tier is judged against those above it before anything uses its values"),
    Stage("resolve", _resolve, "the policies in force say which facts are needed"),
    Stage("facts", _facts, "reading the project is the dear part, so it comes after all that can fail cheaply"),
    Stage("ir", _ir, "documents and facts become the one value that policies and emitters see"),
    Stage("policies", _policies, "they judge the whole IR, and can stop what follows"),
    Stage("emit", _emit, "only what nothing blocks becomes an artifact"),
)
STAGE_NAMES = tuple(stage.name for stage in STAGES)
