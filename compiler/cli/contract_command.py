"""``floec contract diff | generate | check``: contracts compared, made from output ports, held to their models."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compiler.cli.main import EXIT_ENVIRONMENT, EXIT_USAGE
from compiler.cli.output import add_format, exit_code, show
from policy_lang.diagnostics import Diagnostic, Severity, blocking
from policy_lang.source import whole_file

if TYPE_CHECKING:
    from compiler.contracts.model import Contract
    from compiler.documents.models import Document


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parsers = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    diff = parsers.add_parser("diff", help="what changed between two versions, and which version is due")
    diff.add_argument("old", metavar="OLD", help="the contract as it was published")
    diff.add_argument("new", metavar="NEW", help="the contract as it shall be")
    diff.add_argument("--consumer", action="append", default=[], metavar="FILE", help="a consumer's floe.yaml")
    _manifest_option(diff)
    add_format(diff)
    generate = parsers.add_parser("generate", help="contracts for the output ports of a product (ODCS 3.1)")
    generate.add_argument("product", metavar="FLOE_YAML", help="floe.yaml, or its folder")
    generate.add_argument("-o", "--output", metavar="DIR", help="folder to write to (default: standard output)")
    _project_option(generate)
    add_format(generate)
    check = parsers.add_parser("check", help="status, dates, and whether the models keep what is promised")
    check.add_argument("paths", nargs="+", metavar="PATH", help="contract files, or folders of them")
    check.add_argument("--today", metavar="DATE", help="the day to judge on (default: today, UTC)")
    check.add_argument(
        "--product", metavar="FILE", action="append", default=[], help="products whose ports are compared"
    )
    _project_option(check)
    add_format(check)


def _project_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", metavar="DIR", help="the dbt project (default: that of the product, if any)")


def _manifest_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--manifest", metavar="FILE", help="manifest.yaml whose levels rank the classes of data")


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    actions = {"diff": _diff, "generate": _generate, "check": _check}
    return actions[options.action](options)


def _diff(options: argparse.Namespace) -> int:
    from compiler.contracts.judge import judge
    from compiler.contracts.lifecycle import check_step
    from compiler.contracts.read import load_contract

    old, new = load_contract(options.old), load_contract(options.new)
    found = [*old.diagnostics, *new.diagnostics]
    if old.value is None or new.value is None:
        show(found, options.format)
        return exit_code(found)
    levels, problems = _levels(options.manifest)
    parties, unread = _consumers(options.consumer, new.value)
    judged = judge(old.value, new.value, consumers=parties, levels=levels)
    found += [*problems, *unread, *check_step(old.value, new.value), *judged.diagnostics]
    extra: dict[str, object] = {
        "changes": [
            {"rule": c.rule, "severity": c.severity, "direction": c.direction, "table": c.table, "column": c.column,
             "text": c.text} for c in judged.changes
        ],
        "bump": judged.bump,
        "due_version": judged.due_version,
    }  # fmt: skip
    show(found, options.format, extra=extra)
    if options.format == "text":
        asked = f"{judged.bump} ({judged.due_version} or more)" if judged.bump else "none: nothing changed"
        print(
            f"{old.value.version} -> {new.value.version}: {len(judged.changes)} changes, version that is due: {asked}"
        )
    return exit_code(found)


def _generate(options: argparse.Namespace) -> int:
    from compiler.contracts.generate import generate_contracts
    from compiler.contracts.odcs import to_yaml
    from compiler.contracts.stage import port_schemas

    product, found = _document(Path(options.product), "DataProduct")
    if product is None:
        show(found, options.format)
        return exit_code(found)
    models, more = _models(options.project, product)
    schemas, missing = port_schemas(product)
    made = generate_contracts(product, models, schemas)
    found += [*more, *missing, *made.diagnostics]
    show(found, options.format)
    if blocking(found):
        return exit_code(found)
    texts = {c.name: to_yaml(c) for c in made.value or ()}
    if not texts:
        print(f"floec contract generate: {product.file} has no output ports", file=sys.stderr)
    if options.output is None:
        if options.format == "text":
            print("---\n".join(texts.values()), end="")
        return exit_code(found)
    return _write(Path(options.output), texts) or exit_code(found)


def _write(folder: Path, texts: dict[str, str]) -> int:
    """One file a contract; 0, or the code of what failed."""
    from compiler.atomic import write_atomically

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_atomically(folder / f"{name}.datacontract.yaml", text)
            print(folder / f"{name}.datacontract.yaml")
    except OSError as error:
        print(f"floec contract: cannot write {folder}: {error.strerror}", file=sys.stderr)
        return EXIT_ENVIRONMENT
    return 0


def _check(options: argparse.Namespace) -> int:
    from compiler.contracts.lifecycle import check_in_use, check_lifecycle
    from compiler.contracts.read import load_contract

    today = _day(options.today)
    if today is None:
        print(f"floec contract check: `{options.today}` is not a date such as 2026-01-31", file=sys.stderr)
        return EXIT_USAGE
    files, found = _files(options.paths)
    contracts: list[Contract] = []
    for file in files:
        loaded = load_contract(file)
        found += loaded.diagnostics
        if loaded.value is not None:
            contracts.append(loaded.value)
            found += [*check_lifecycle(loaded.value, today), *check_in_use(loaded.value, today)]
    found += _same_versions(contracts)
    found += _against_products(contracts, [Path(p) for p in options.product])
    if options.project is not None:
        models, problems = _models(options.project, None)
        found += [*problems, *_against_models(contracts, models)]
    show(found, options.format)
    if options.format == "text":
        from compiler.report.text import summary

        print(f"{len(contracts)} contract{'' if len(contracts) == 1 else 's'} checked: {summary(found)}")
    return exit_code(found)


def _day(text: str | None) -> date | None:
    if text is None:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _files(paths: Sequence[str]) -> tuple[list[Path], list[Diagnostic]]:
    """Files as they are; in folders, all that are called ``…datacontract….yaml``."""
    found: list[Path] = []
    missing = []
    for path in map(Path, paths):
        if path.is_dir():
            below = [p for p in sorted(path.rglob("*datacontract*.y*ml")) if not {".floe", "target"} & set(p.parts)]
            found += below
            if not below:
                text = f"no data contracts (*datacontract*.yaml) below {path}"
                hint = "name the files, or call them `…datacontract.yaml`"
                missing.append(Diagnostic("FLC100", text, whole_file(str(path)), hint=hint))
        else:
            found.append(path)
    return list(dict.fromkeys(found)), missing


def _same_versions(contracts: Sequence[Contract]) -> list[Diagnostic]:
    """FLC520: two files with one id and version, but not the same content; what is published never changes."""
    from compiler.contracts.compare import compare
    from policy_lang.diagnostics import Label

    seen: dict[tuple[str, str], Contract] = {}
    found = []
    for contract in contracts:
        first = seen.setdefault((contract.id, contract.version), contract)
        if first is not contract and compare(first, contract):
            text = f"`{contract.id}` {contract.version} is given twice, and not the same"
            related = (Label(first.span(("version",)), "first given here"),)
            hint = "give the newer one a version of its own: `floec contract diff` says which"
            found.append(Diagnostic("FLC520", text, contract.span(("version",)), related=related, hint=hint))
    return found


def _against_models(contracts: Sequence[Contract], models: Sequence[Any]) -> list[Diagnostic]:
    from compiler.contracts.drift import check_model
    from compiler.contracts.generate import model_of_port

    found: list[Diagnostic] = []
    for contract in contracts:
        for table in contract.tables.values():
            model = model_of_port({"table": table.physical_name or table.name}, models)
            if model is not None:
                found += check_model(contract, table, model)
            elif contract.status not in ("proposed", "draft", "retired"):
                text = f"no model of the project makes `{table.name}`"
                found.append(Diagnostic("FLC519", text, contract.span(table.path), Severity.WARN))
    return found


def _against_products(contracts: Sequence[Contract], paths: Sequence[Path]) -> list[Diagnostic]:
    """Ports of products against each other, and written contracts against the ports that they are about."""
    from compiler.contracts.generate import generate_contracts
    from compiler.contracts.ports import check_ports, check_provider

    found: list[Diagnostic] = []
    products: dict[str, Document] = {}
    for path in paths:
        product, problems = _document(path, "DataProduct")
        found += problems
        if product is not None:
            meta = product.data["metadata"]
            products[f"{meta.get('domain', '')}.{meta['name']}"] = product
    for product in products.values():
        found += check_ports(product, products)
    offers = {c.id: c for p in products.values() for c in generate_contracts(p).value or ()}
    offers |= {c.id: c for c in contracts if c.provider is None}
    for contract in contracts:
        provider = contract.provider
        if provider is not None:
            offer = offers.get(f"{provider.domain}.{provider.product}.{provider.port}")
            if offer is not None and any(t.columns for t in offer.tables.values()):
                found += check_provider(contract, offer)
    return found


def _document(path: Path, kind: str) -> tuple[Document | None, list[Diagnostic]]:
    from compiler.documents.models import validate_document
    from compiler.documents.yaml_loader import load_file

    path = path / ("floe.yaml" if kind == "DataProduct" else "manifest.yaml") if path.is_dir() else path
    loaded = load_file(path)
    if loaded.value is None:
        return None, list(loaded.diagnostics)
    checked = validate_document(loaded.value)
    found = [*loaded.diagnostics, *checked.diagnostics]
    if checked.value is None or blocking(found):
        return None, found
    if checked.value.kind != kind:
        text = f"a {checked.value.kind} stands where a {kind} is needed"
        hint = f"name a {'floe.yaml' if kind == 'DataProduct' else 'manifest.yaml'}"
        return None, [*found, Diagnostic("FLC517", text, checked.value.span(("kind",)), hint=hint)]
    return checked.value, found


def _models(project: str | None, product: Document | None) -> tuple[list[Any], list[Diagnostic]]:
    """The facts of the dbt models: of the project that is named, else of the one around the product."""
    from compiler.facts.read import read_facts

    folder = Path(project) if project is not None else None
    if folder is None and product is not None:
        start = Path(product.file).parent
        folder = start if (start / "dbt_project.yml").is_file() else None
    if folder is None:
        return [], []
    facts = read_facts(folder)
    return (facts.value.models if facts.value is not None else []), list(facts.diagnostics)


def _levels(manifest: str | None) -> tuple[dict[str, int] | None, list[Diagnostic]]:
    """The rank of each level and category of a manifest with all its parents; None: the common ones."""
    if manifest is None:
        return None, []
    from compiler.tiers.inherit import inherit
    from compiler.tiers.resolve import load_chain, platform_ir

    chain = load_chain(manifest)
    if chain.value is None or blocking(chain.diagnostics):
        return None, list(chain.diagnostics)
    other = next((d for d in chain.value.manifests if d.kind != "Manifest"), None)
    if other is not None:
        text = f"a {other.kind} has no levels that rank classes of data"
        return None, [Diagnostic("FLC517", text, other.span(("kind",)), hint="name a manifest.yaml")]
    resolved = inherit(chain.value.manifests)
    found = [*chain.diagnostics, *resolved.diagnostics]
    if resolved.value is None:
        return None, found
    classes = platform_ir(resolved.value)["governance"]["classification"]
    ranks: dict[str, int] = {level["name"].lower(): level["rank"] for level in classes["levels"]}
    for category in classes["categories"]:
        if category["level"] is not None:
            ranks[category["name"].lower()] = ranks[category["level"].lower()]
    return ranks, found


def _consumers(files: Sequence[str], contract: Contract) -> tuple[list[Any], list[Diagnostic]]:
    """Products among ``files`` with an input port on the product of ``contract``."""
    from compiler.contracts.model import Party

    parties, problems = [], []
    for file in files:
        product, found = _document(Path(file), "DataProduct")
        problems += found
        if product is None:
            continue
        meta = product.data["metadata"]
        refs = [p.get("source", {}).get("ref") or "" for p in product.data.get("input_ports", ())]
        ids = {contract.id, contract.name.replace("-", ".")}
        provider = contract.provider
        prefix = f"{contract.domain}.{contract.product}." if contract.product else None
        if provider is not None:
            prefix = f"{provider.domain}.{provider.product}."
        if any(r in ids or (prefix is not None and r.startswith(prefix)) for r in refs):
            parties.append(Party(str(meta.get("domain", "")), str(meta["name"])))
    return parties, problems
