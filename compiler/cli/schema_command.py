"""``floec schema``: the JSON Schema of a document, of the IR or of a report, for editors and other tools."""

from __future__ import annotations

import argparse
import json

from compiler.cli.main import EXIT_OK

_KINDS = {"manifest": "Manifest", "product": "DataProduct", "contract": "DataContract"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    names = ("ir", "report", *_KINDS)
    parser.add_argument("name", metavar="NAME", nargs="?", default="ir", choices=names, help=" | ".join(names))


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    print(json.dumps(_schema(options.name), indent=2, ensure_ascii=False))
    return EXIT_OK


def _schema(name: str) -> dict[str, object]:
    if name == "ir":
        from compiler.ir.schema import ir_schema

        return ir_schema()
    if name == "report":
        from compiler.report.json_report import schema

        return schema()
    from compiler.documents.schema_export import document_schema

    return document_schema(_KINDS[name])
