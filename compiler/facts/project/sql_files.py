"""What a SQL, Python or CSV file of a dbt project says by itself, found in its syntax tree (Jinja's, Python's).

Jinja is parsed by Jinja and never rendered. ``ref`` and ``source`` count in every branch, except where a condition is
constant; dbt counts the branches that it renders at parse time, so docs/facts.md tells where the two may differ.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from decimal import Decimal
from math import isfinite
from typing import Any

import jinja2
from jinja2 import nodes

from compiler.facts.project.file_facts import UNKNOWN, Block, FileFacts, MacroBlock, Ref
from compiler.facts.project.jinja_values import Scope, Values, parse_template


def read_sql(text: str, values: Values) -> FileFacts:
    """Facts of a file with Jinja in it."""
    if "{" not in text:
        return FileFacts()
    try:
        template = parse_template(text)
    except jinja2.TemplateSyntaxError as error:
        return FileFacts(broken=(error.lineno or 1, error.message or "cannot be parsed"))
    except RecursionError:
        return FileFacts(broken=(1, "nested too deeply"))
    walk = _Walk(values)
    walk.statements(template.body, {"execute": (False,)}, walk.facts.main, False)
    if walk.facts.macros or walk.facts.snapshots:
        texts = _block_texts(text)
        for macro in walk.facts.macros:
            macro.raw_code = texts.get(macro.name, ("", ""))[0]
        for snapshot in walk.facts.snapshots:
            snapshot.body = texts.get(snapshot.name, ("", ""))[1]
    return walk.facts


_BLOCK = re.compile(r"\{%-?\s*(end)?(macro|test|data_test|snapshot|materialization)\b\s*(\w*)(.*?)%\}", re.DOTALL)
_ADAPTER = re.compile(r"adapter\s*=\s*['\"](\w+)['\"]")


def _block_texts(text: str) -> dict[str, tuple[str, str]]:
    """Name of a macro, test or snapshot → its whole text and its body; Jinja's tree does not hold where blocks end."""
    found: dict[str, tuple[str, str]] = {}
    opened: list[re.Match[str]] = []
    for tag in _BLOCK.finditer(text):
        if not tag[1]:
            opened.append(tag)
        elif opened:
            start = opened.pop()
            found[_block_name(start)] = (text[start.start() : tag.end()], text[start.end() : tag.start()])
    return found


class _Walk:
    """One pass over a template; ``uncertain`` is true under a condition that only dbt can decide."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.facts = FileFacts()

    def statements(self, body: Iterable[nodes.Node], scope: Scope, block: Block, uncertain: bool) -> None:
        scope = dict(scope)
        for node in body:
            if isinstance(node, nodes.Output):
                self._output(node, scope, block, uncertain)
            elif isinstance(node, nodes.Macro):
                self._macro(node, scope)
            elif isinstance(node, nodes.If):
                self._if(node, scope, block, uncertain)
            elif isinstance(node, nodes.For):
                self._for(node, scope, block, uncertain)
            elif isinstance(node, nodes.Assign):
                self._calls(node.node, scope, block, uncertain)
                if isinstance(node.target, nodes.Name):
                    scope[node.target.name] = (UNKNOWN,) if uncertain else self.values.of(node.node, scope)
            else:
                self._other(node, scope, block, uncertain)

    def _other(self, node: nodes.Node, scope: Scope, block: Block, uncertain: bool) -> None:
        for child in node.iter_child_nodes():
            if isinstance(child, nodes.Stmt):
                self.statements([child], scope, block, uncertain)
            else:
                self._calls(child, scope, block, uncertain)

    def _output(self, node: nodes.Output, scope: Scope, block: Block, uncertain: bool) -> None:
        for part in node.nodes:
            if type(part) is not nodes.TemplateData:
                self._calls(part, scope, block, uncertain)

    def _macro(self, node: nodes.Macro, scope: Scope) -> None:
        tag, _, name = node.name.rpartition(" ")
        inner = Block(name, node.lineno)
        self.statements(node.body, scope, inner, False)
        if tag == "snapshot":
            self.facts.snapshots.append(inner)
        elif tag != "docs":
            if tag in ("test", "data_test"):
                self.facts.tests.append(name)
            full = f"test_{name}" if tag in ("test", "data_test") else f"{tag}_{name}" if tag else name
            self.facts.macros.append(MacroBlock(full, node.lineno, [a.name for a in node.args], inner))

    def _if(self, node: nodes.If, scope: Scope, block: Block, uncertain: bool) -> None:
        for branch in [node, *node.elif_]:
            self._calls(branch.test, scope, block, uncertain)
            test = self.values.single(branch.test, scope)
            if test is not UNKNOWN and not test:
                continue
            self.statements(branch.body, scope, block, uncertain or test is UNKNOWN)
            if test is not UNKNOWN:
                return
            uncertain = True
        self.statements(node.else_, scope, block, uncertain)

    def _for(self, node: nodes.For, scope: Scope, block: Block, uncertain: bool) -> None:
        self._calls(node.iter, scope, block, uncertain)
        inner = dict(scope)
        items = self.values.single(node.iter, scope)
        if isinstance(node.target, nodes.Name):
            known = isinstance(items, list | tuple) and 0 < len(items) <= 64
            inner[node.target.name] = tuple(items) if known else (UNKNOWN,)
        self.statements(node.body, inner, block, uncertain)
        self.statements(node.else_, scope, block, uncertain)

    def _calls(self, node: nodes.Node, scope: Scope, block: Block, uncertain: bool) -> None:
        for call in _calls_in(node):
            function = call.node.name if isinstance(call.node, nodes.Name) else ""
            if function == "ref":
                self._ref(call, scope, block)
            elif function == "source" and len(call.args) == 2:
                for source in self.values.of(call.args[0], scope):
                    for table in self.values.of(call.args[1], scope):
                        if isinstance(source, str) and isinstance(table, str):
                            _once(block.sources, (source, table))
                        elif UNKNOWN in (source, table):
                            _once(block.computed, "source")
            elif function == "config":
                self._config(call, scope, block, uncertain)
            else:
                self._macro_call(call, scope, block)

    def _macro_call(self, call: nodes.Call, scope: Scope, block: Block) -> None:
        """A call of a macro by its name, by package and name, or through ``adapter.dispatch``."""
        target = call.node
        if isinstance(target, nodes.Name):
            _once(block.calls, target.name)
        elif isinstance(target, nodes.Getattr) and isinstance(target.node, nodes.Name):
            if target.attr == "dispatch" and target.node.name == "adapter" and call.args:
                name = self.values.single(call.args[0], scope)
                if isinstance(name, str):
                    _once(block.calls, f"default__{name}")
            else:
                _once(block.calls, f"{target.node.name}.{target.attr}")

    def _ref(self, call: nodes.Call, scope: Scope, block: Block) -> None:
        version = next((self.values.single(k.value, scope) for k in call.kwargs if k.key in ("v", "version")), None)
        versioned = None if version is None or version is UNKNOWN else str(version)
        names = call.args[-1:] if len(call.args) in (1, 2) else []
        packages = self.values.of(call.args[0], scope) if len(call.args) == 2 else (None,)
        for name in [v for n in names for v in self.values.of(n, scope)]:
            for package in packages:
                if isinstance(name, str) and package is not UNKNOWN:
                    _once(block.refs, Ref(name, package, versioned))
                elif UNKNOWN in (name, package):
                    _once(block.computed, "ref")

    def _config(self, call: nodes.Call, scope: Scope, block: Block, uncertain: bool) -> None:
        given = [(k.key, self.values.single(k.value, scope)) for k in call.kwargs]
        for argument in call.args[:1]:
            if isinstance(argument, nodes.Dict):
                pairs = [(self.values.single(p.key, scope), self.values.single(p.value, scope)) for p in argument.items]
                given.extend((k, v) for k, v in pairs if isinstance(k, str))
        for key, value in ((k, plain(v)) for k, v in given):
            if uncertain or value is UNKNOWN:
                block.config.pop(key, None)
                _once(block.opaque, key)
            elif key not in block.opaque:
                block.config[key] = _merged(key, block.config.get(key), value)


def _calls_in(node: nodes.Node) -> Iterable[nodes.Call]:
    if isinstance(node, nodes.Call):
        yield node
    yield from node.find_all(nodes.Call)


def _once(items: list[Any], item: Any) -> None:
    if item not in items:
        items.append(item)


def _merged(key: str, old: Any, new: Any) -> Any:
    """Two ``config`` calls in one file: tags add up, ``meta`` merges, the rest is replaced."""
    if key == "tags" and old is not None:
        return _as_list(old) + [t for t in _as_list(new) if t not in _as_list(old)]
    if key == "meta" and isinstance(old, dict) and isinstance(new, dict):
        return {**old, **new}
    return new


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _block_name(tag: re.Match[str]) -> str:
    """The name that dbt gives the block."""
    if tag[2] == "materialization":
        adapter = _ADAPTER.search(tag[4])
        return f"materialization_{tag[3]}_{adapter[1] if adapter else 'default'}"
    return f"test_{tag[3]}" if tag[2] in ("test", "data_test") else tag[3]


def macro_arguments(raw_code: str) -> list[str]:
    """The names in the signature of a macro's text; empty where it cannot be parsed."""
    macros = read_sql(raw_code, Values({})).macros
    return macros[0].arguments if macros else []


def read_python(text: str) -> FileFacts:
    """Facts of a Python model: ``dbt.ref``, ``dbt.source`` and ``dbt.config`` with literal arguments."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        return FileFacts(broken=(line or 1, getattr(error, "msg", None) or str(error)))
    block = Block("", 1)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == "dbt":
                _python_call(node.func.attr, node, block)
    return FileFacts(main=block)


def _python_call(function: str, call: ast.Call, block: Block) -> None:
    arguments = [_literal(a) for a in call.args]
    keywords = {k.arg: _literal(k.value) for k in call.keywords if k.arg}
    texts = [a for a in arguments if isinstance(a, str)]
    if function == "ref" and len(texts) == len(arguments) and 1 <= len(texts) <= 2:
        version = keywords.get("v", keywords.get("version"))
        package = texts[0] if len(texts) == 2 else None
        _once(block.refs, Ref(texts[-1], package, None if version in (None, UNKNOWN) else str(version)))
    elif function == "source" and len(texts) == 2:
        _once(block.sources, (texts[0], texts[1]))
    elif function in ("ref", "source") and UNKNOWN in arguments:
        _once(block.computed, function)
    elif function == "config":
        for key, value in keywords.items():
            if value is UNKNOWN:
                _once(block.opaque, key)
            else:
                block.config[key] = value


def _literal(node: ast.expr) -> Any:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return UNKNOWN
    return plain(value)


def plain(value: Any) -> Any:
    """A literal as the IR holds values; UNKNOWN where it is of a kind that JSON does not have."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return Decimal(repr(value)) if isfinite(value) else UNKNOWN
    if isinstance(value, list | tuple):
        items = [plain(v) for v in value]
        return UNKNOWN if UNKNOWN in items else items
    if isinstance(value, dict):
        pairs = {k: plain(v) for k, v in value.items()}
        return UNKNOWN if UNKNOWN in pairs.values() or not all(isinstance(k, str) for k in pairs) else pairs
    return UNKNOWN
