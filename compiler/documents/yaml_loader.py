"""YAML text to plain values with the span of every key and value.

Scalars follow the YAML 1.2 core schema (``on``, ``no`` and ``12:30`` are strings), whole numbers become
``int`` and the others ``Decimal``. Nothing is ever constructed from a tag. Codes: FLC100 the file cannot be read,
FLC101 broken YAML, FLC102 several documents, FLC103 duplicate key, FLC104 tag refused, FLC105 too many
aliases, FLC106 too large, FLC107 a key that is not a string, FLC108 not UTF-8.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from compiler.documents.shape import Keys
from compiler.documents.yaml_document import MAX_BYTES, YamlDocument, broken_yaml, read_source, refuse
from compiler.documents.yaml_library import yaml
from policy_lang.diagnostics import Diagnostic, DiagnosticError, Label, Outcome
from policy_lang.patterns import Pattern
from policy_lang.runtime.values import is_too_big
from policy_lang.source import Source, Span, whole_file

MAX_ALIAS_VISITS = 100_000
MAX_DEPTH = 200

_INT = Pattern(r"[-+]?[0-9]{1,4000}\Z")
_HEX_OCT = Pattern(r"0x[0-9a-fA-F]+\Z|0o[0-7]+\Z")
_FLOAT = Pattern(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?\Z")
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_CORE = "tag:yaml.org,2002:"
_ALLOWED_TAGS = frozenset(
    _CORE + t for t in ("str", "int", "float", "bool", "null", "seq", "map", "timestamp", "merge")
)
_ALLOWED = _ALLOWED_TAGS | {_CORE + "value", "!"}


def load_file(path: Path | str) -> Outcome[YamlDocument]:
    """Read and load one YAML file."""
    read = read_source(path)
    if read.value is None:
        return Outcome(None, read.diagnostics)
    return load_yaml(read.value)


def load_yaml(source: Source) -> Outcome[YamlDocument]:
    """Compose ``source`` and walk it to plain values; all that is wrong in it is reported."""
    if len(source.text) > MAX_BYTES:
        return refuse("FLC106", f"`{source.file}` is larger than {MAX_BYTES} bytes", whole_file(source.file))
    walk = _Walk(source.file)
    try:
        roots = _compose(source)
        value = walk.visit(roots[0], (), 0) if roots else None
    except yaml.MarkedYAMLError as error:
        return broken_yaml(source.file, error)
    except (yaml.YAMLError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error).splitlines()[0]
        return refuse("FLC101", f"broken YAML: {reason}", whole_file(source.file))
    except DiagnosticError as error:
        return Outcome(None, (*walk.found, *error.diagnostics))
    if len(roots) > 1:
        walk.found.append(
            Diagnostic(
                "FLC102",
                f"`{source.file}` holds {len(roots)} YAML documents; only the first is read",
                _node_span(source.file, roots[1]),
                hint="keep one document in a file",
                related=(Label(_node_span(source.file, roots[0]), "this one is read"),),
            )
        )
    return Outcome(YamlDocument(source, value, walk.key_spans, walk.value_spans), tuple(walk.found))


def _compose(source: Source) -> list[yaml.Node]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return list(yaml.compose_all(source.text, Loader=loader))


def _span(file: str, start: Any, end: Any) -> Span:
    return Span(file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _node_span(file: str, node: yaml.Node) -> Span:
    """The node's span; a block collection's end runs into the next token, so its start stands for it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        return _span(file, node.start_mark, node.start_mark)
    return _span(file, node.start_mark, node.end_mark)


class _Walk:
    """One walk over a node graph; aliases are visited again, under a budget."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Diagnostic] = []
        self.key_spans: dict[Keys, Span] = {}
        self.value_spans: dict[Keys, Span] = {}
        self._seen: set[int] = set()
        self._repeats = 0
        self._open: set[int] = set()

    def visit(self, node: yaml.Node, path: Keys, depth: int) -> Any:
        span = _node_span(self.file, node)
        self.value_spans[path] = span
        if depth > MAX_DEPTH:
            raise DiagnosticError(Diagnostic("FLC101", f"nested more than {MAX_DEPTH} levels deep", span, path=path))
        if node.tag not in _ALLOWED:
            self._refuse_tag(node, span, path)
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, span, path)
        self._count(node, span, path)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.visit(item, (*path, i), depth + 1) for i, item in enumerate(node.value)]
            return self._mapping(node, path, depth)
        finally:
            self._open.discard(id(node))

    def _count(self, node: yaml.Node, span: Span, path: Keys) -> None:
        if id(node) in self._open:
            raise DiagnosticError(Diagnostic("FLC105", "an alias that contains itself", span, path=path))
        if id(node) in self._seen:
            self._repeats += 1 + len(node.value)
            if self._repeats > MAX_ALIAS_VISITS:
                text = f"aliases expand to more than {MAX_ALIAS_VISITS} values"
                raise DiagnosticError(Diagnostic("FLC105", text, span, path=path, hint="write the values out"))
        self._seen.add(id(node))

    def _refuse_tag(self, node: yaml.Node, span: Span, path: Keys) -> None:
        tag = node.tag.replace(_CORE, "!!")
        hint = "remove the tag: documents hold plain values only, and nothing is ever executed"
        self.found.append(Diagnostic("FLC104", f"the tag `{tag}` is not allowed", span, hint=hint, path=path))

    def _scalar(self, node: yaml.ScalarNode, span: Span, path: Keys) -> Any:
        text = str(node.value)
        if node.style in ("'", '"', "|", ">") or node.tag == "!":
            return text
        try:
            value = _plain(text)
            return text if not isinstance(value, str) and _tagged_as_string(node, text) else value
        except ValueError:
            self.found.append(Diagnostic("FLC101", f"the number `{text[:40]}` is too long", span, path=path))
            return None

    def _mapping(self, node: yaml.Node, path: Keys, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == _CORE + "merge":
                merged.append(value_node)
                continue
            key = self._key(key_node, path)
            if key is None:
                continue
            here = (*path, key)
            span = _node_span(self.file, key_node)
            if key in result:
                first = Label(self.key_spans[here], "first given here")
                hint = "remove one of the two" + ("" if path else "; another document belongs in a file of its own")
                self.found.append(
                    Diagnostic(
                        "FLC103", f"the key `{key}` is given twice", span, hint=hint, path=here, related=(first,)
                    )
                )
                continue
            self.key_spans[here] = span
            result[key] = self.visit(value_node, here, depth + 1)
        for value_node in merged:
            self._merge(value_node, result, path, depth)
        return result

    def _key(self, node: yaml.Node, path: Keys) -> str | None:
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        span = _node_span(self.file, node)
        self.found.append(Diagnostic("FLC107", "a key must be a string", span, path=path))
        return None

    def _merge(self, node: yaml.Node, result: dict[str, Any], path: Keys, depth: int) -> None:
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for one in nodes:
            if not isinstance(one, yaml.MappingNode):
                span = _node_span(self.file, node)
                self.found.append(Diagnostic("FLC101", "`<<` merges mappings only", span, path=path))
                continue
            self._count(one, _node_span(self.file, one), path)
            self._open.add(id(one))
            for key_node, value_node in one.value:
                if key_node.tag == _CORE + "merge":
                    self._merge(value_node, result, path, depth + 1)
                    continue
                key = self._key(key_node, path)
                if key is not None and key not in result:
                    self.key_spans[(*path, key)] = _node_span(self.file, key_node)
                    result[key] = self.visit(value_node, (*path, key), depth + 1)
            self._open.discard(id(one))


def _tagged_as_string(node: yaml.ScalarNode, text: str) -> bool:
    """Whether ``!!str`` or ``!`` stands before the scalar: it is a string, though its text alone would not be."""
    if node.tag != _CORE + "str":
        return False
    resolvers = yaml.SafeLoader.yaml_implicit_resolvers.get(text[:1], ())
    return any(pattern.match(text) for _, pattern in resolvers)


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return int(text)
    if _HEX_OCT.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        number = Decimal(text)
        return text if is_too_big(number) else number
    return text
