"""Documents that were read before, by their text: neither parsed nor checked again where nothing was wrong with them.

Kept are the plain values with their places, under a digest of the text, of this program and of what is installed.
What is wrong with a document is found anew each time, and so is a plugin that is only known because it is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from compiler.documents.models import Document
from compiler.documents.yaml_document import YamlDocument, read_source
from policy_lang.codegen import cache
from policy_lang.diagnostics import Outcome
from policy_lang.source import Source, Span


def read_document(path: Path | str) -> Outcome[Document]:
    """Read and check one document (``compiler.documents.models.validate_document``)."""
    read = read_source(path)
    return Outcome(None, read.diagnostics) if read.value is None else document_of(read.value)


def document_of(source: Source) -> Outcome[Document]:
    """The document in a text, as it was kept or checked now."""
    key = _key(source.text)
    known = cache.read(key)
    if known is not None:
        return Outcome(_document(source, known))
    from compiler.documents.models import validate_document
    from compiler.documents.yaml_loader import load_yaml

    loaded = load_yaml(source)
    if loaded.value is None:
        return Outcome(None, loaded.diagnostics)
    checked = validate_document(loaded.value)
    found = (*loaded.diagnostics, *checked.diagnostics)
    if not found and checked.value is not None and _by_its_text(checked.value):
        _keep(key, checked.value)
    return Outcome(checked.value, found)


def by_its_text(document: Document) -> bool:
    """Whether nothing but its text and this program says what a document is: not a plugin of others."""
    return cache.holds(_key(document.yaml.source.text)) or _by_its_text(document)


def _key(text: str) -> str:
    return cache.key_of("document", *cache.program("compiler", "policy_lang"), *cache.installed(), text)


def _by_its_text(document: Document) -> bool:
    """Whether the plugins that it names are known without a look at what is installed."""
    from compiler.documents.plugins.known import categories, known

    chosen = [(category, plugin.get("type")) for category, plugin in document.data.get("plugins", {}).items()]
    chosen += [(c, name) for c, names in document.data.get("approved_plugins", {}).items() for name in names]
    return all(category in categories() and (name is None or known(category, name)) for category, name in chosen)


def _keep(key: str, document: Document) -> None:
    yaml = document.yaml
    places = [{path: span[1:] for path, span in spans.items()} for spans in (yaml.key_spans, yaml.value_spans)]
    said = (document.data, yaml.value)
    decimals = _exchanged(said, Decimal, lambda number: str(number).encode())
    cache.write(key, (document.kind, decimals or said, decimals is not None, document.moves, *places))


def _document(source: Source, known: Any) -> Document:
    kind, said, decimals, moves, *places = known
    data, value = _exchanged(said, bytes, lambda text: Decimal(text.decode())) if decimals else said
    keys, values = ({path: Span(source.file, *at) for path, at in spans.items()} for spans in places)
    return Document(kind, data, YamlDocument(source, value, keys, values), moves)


def _exchanged(value: Any, kind: type, by: Callable[[Any], Any]) -> Any:
    """``value`` with all in it that is of a kind exchanged; None where there is none. (``marshal`` knows no decimal
    numbers, and no document holds bytes.)"""
    if isinstance(value, kind):
        return by(value)
    if isinstance(value, dict):
        found = {key: new for key, one in value.items() if (new := _exchanged(one, kind, by)) is not None}
        return {**value, **found} if found else None
    if isinstance(value, list | tuple):
        items = [_exchanged(one, kind, by) for one in value]
        if all(item is None for item in items):
            return None
        return type(value)(one if new is None else new for one, new in zip(value, items, strict=True))
    return None
