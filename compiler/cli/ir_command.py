"""``floec ir``: print a checked IR, or say in words what changed for governance between two."""

from __future__ import annotations

import argparse
import functools
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compiler.cli.main import EXIT_BLOCKED, EXIT_OK
from compiler.cli.output import exit_code, show
from compiler.ir.diff_values import Change
from policy_lang.diagnostics import Diagnostic, Outcome, blocking
from policy_lang.source import whole_file

if TYPE_CHECKING:
    from policy_lang.policies import ParamInfo

_WHERE = "a document or its folder, an OCI layout, or a JSON file"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    printing = commands.add_parser("show", help="print an IR as canonical JSON")
    printing.add_argument("ir", metavar="IR", help=_WHERE)
    comparing = commands.add_parser("diff", help="say what changed for governance from A to B")
    comparing.add_argument("before", metavar="A", help=_WHERE)
    comparing.add_argument("after", metavar="B", help=_WHERE)
    comparing.add_argument("--format", choices=("text", "json"), default="text", help="how the changes are written")
    comparing.add_argument("--fail-on-weaker", action="store_true", help="exit 1 where something got weaker")


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    names = [options.ir] if options.action == "show" else [options.before, options.after]
    loaded = [load_ir(Path(name)) for name in names]
    diagnostics = tuple(dict.fromkeys(d for outcome in loaded for d in outcome.diagnostics))
    irs = [outcome.value for outcome in loaded if outcome.value is not None]
    if len(irs) < len(names):
        show(diagnostics, "text")
        return exit_code(diagnostics) or EXIT_BLOCKED
    if options.action == "show":
        from compiler.ir.canonical import canonical

        print(canonical(irs[0]).decode())
        return EXIT_OK
    from compiler.ir.diff import diff

    changes = diff(irs[0], irs[1], _way)
    if options.format == "json":
        from policy_lang.runtime.values import to_json

        print(to_json([_told(change) for change in changes], indent=2))
    else:
        for change in changes:
            print(f"{change.direction:<8}  {change.text}")
        weaker = sum(1 for c in changes if c.direction == "weaker")
        count = "1 change" if len(changes) == 1 else f"{len(changes)} changes"
        print(f"{count}, {weaker} weaker" if changes else "nothing changed for governance")
    failed = options.fail_on_weaker and any(c.direction == "weaker" for c in changes)
    return EXIT_BLOCKED if failed else EXIT_OK


@functools.cache
def _declared() -> dict[tuple[str, str], ParamInfo]:
    """The parameters of the standard library: an IR does not say which way they may move."""
    from compiler.policies.bundles import bundles_in_force, read_policies
    from policy_lang.policies import declared

    sources = read_policies(bundles_in_force(()).value or ()).value or ()
    found = declared(sources).value
    return {(package, p.name): p for package, own in (found.params if found else {}).items() for p in own}


def _way(package: str, name: str, before: Any, after: Any) -> str:
    """Which way a parameter of the standard library moves."""
    from compiler.policies.settings import is_stricter

    param = _declared().get((package, name))
    if param is None or param.stricter in (None, "fixed"):
        return "changed"
    there, back = is_stricter(param, before, after), is_stricter(param, after, before)
    return "changed" if there == back else "stricter" if there else "weaker"


def _told(change: Change) -> dict[str, Any]:
    """A change for programs."""
    return {
        "direction": change.direction,
        "text": change.text,
        "path": list(change.path),
        "before": change.before,
        "after": change.after,
    }


def load_ir(path: Path) -> Outcome[dict[str, Any]]:
    """The IR of a layout, of a JSON file, or of a document, which is compiled up to it; FLC109 where it is none."""
    if (path / "oci-layout").is_file():
        from emitters.oci.verify import verify_layout

        verified = verify_layout(path, None)
        if verified.value is None or blocking(verified.diagnostics):
            return Outcome(None, verified.diagnostics)
        return _decode(_config_of(path))
    if path.suffix == ".json" and path.is_file():
        return _decode(path)
    from compiler.pipeline import Job, run

    done = run(Job(path, datetime.now(UTC).date(), whole=True), "ir")
    ir = done.value.state.ir if done.value is not None else None
    return Outcome(ir, done.diagnostics)


def _config_of(layout: Path) -> Path:
    """The blob of the IR in a layout that has been verified."""
    index = json.loads((layout / "index.json").read_bytes())
    manifest = json.loads(_blob(layout, index["manifests"][0]).read_bytes())
    return _blob(layout, manifest["config"])


def _blob(layout: Path, descriptor: dict[str, Any]) -> Path:
    algorithm, _, digest = str(descriptor["digest"]).partition(":")
    return layout / "blobs" / algorithm / digest


def _decode(path: Path) -> Outcome[dict[str, Any]]:
    from compiler.ir.schema import complete
    from compiler.ir.shape import IR_VERSION
    from policy_lang.runtime.values import from_json

    try:
        value = from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        hint = "name a file that `floec ir show` has written, or a folder with a document"
        return Outcome(None, (Diagnostic("FLC109", f"{path} is not JSON: {error}", whole_file(str(path)), hint=hint),))
    if not isinstance(value, dict) or value.get("ir_version") != IR_VERSION:
        hint = f"an IR has `ir_version: {IR_VERSION}`"
        return Outcome(None, (Diagnostic("FLC109", f"{path} is not a checked IR", whole_file(str(path)), hint=hint),))
    whole = complete(value)
    if whole.diagnostics:
        return Outcome(None, tuple(d._replace(span=whole_file(str(path))) for d in whole.diagnostics))
    return whole
