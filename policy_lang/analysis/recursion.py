"""Refuses rules that depend on themselves."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from policy_lang.analysis.resolve import Path, ResolvedRule
from policy_lang.diagnostics import Diagnostic
from policy_lang.syntax import ast
from policy_lang.syntax.describe import describe


def references(node: object) -> Iterable[ast.Ref | ast.Var]:
    """The references into ``data`` in a node, called functions included, the targets of ``with`` not."""
    if isinstance(node, ast.Var):
        if node.name == "data":
            yield node
    elif isinstance(node, ast.Ref):
        if isinstance(node.head, ast.Var) and node.head.name == "data":
            yield node
        else:
            yield from references(node.head)
        for part in node.path:
            yield from references(part)
    elif isinstance(node, tuple):
        for item in node:
            yield from references(item)
    elif hasattr(node, "__dataclass_fields__"):
        for name in node.__dataclass_fields__:
            if name not in ("span", "target"):
                yield from references(getattr(node, name))


Steps = tuple[str | None, ...]


def steps(ref: ast.Ref | ast.Var) -> Steps:
    """A reference's path; None stands for a key that only evaluation knows. A number's text is a name of base
    documents, and of no rule."""
    path = ref.path if isinstance(ref, ast.Ref) else ()
    return tuple(part.value if isinstance(part, ast.String) else _number(part) for part in path)


def _number(part: ast.Term) -> str | None:
    return part.text if isinstance(part, ast.Number) else None


@dataclass(slots=True)
class _Node:
    """A place below ``data``: the rules that stand there, and what is below."""

    rules: list[int] = field(default_factory=list)
    below: dict[str, _Node] = field(default_factory=dict)

    def all(self) -> Iterable[int]:
        yield from self.rules
        for node in self.below.values():
            yield from node.all()

    def meant(self, path: Steps) -> Iterable[int]:
        """The rules that a reference may look at: those it passes (their values may hold the rest), and all at
        or below its end."""
        if not path:
            yield from self.all()
            return
        yield from self.rules
        if path[0] is None:
            for node in self.below.values():
                yield from node.meant(path[1:])
        elif path[0] in self.below:
            yield from self.below[path[0]].meant(path[1:])


def _tree(rules: Sequence[ResolvedRule]) -> _Node:
    root = _Node()
    for number, rule in enumerate(rules):
        node = root
        for name in rule.path:
            node = node.below.setdefault(name, _Node())
        node.rules.append(number)
    return root


def check_recursion(rules: Sequence[ResolvedRule]) -> tuple[Diagnostic, ...]:
    """``rego_recursion_error`` for each rule that reaches itself, with the way it takes."""
    tree = _tree(rules)
    known: dict[Steps, frozenset[int]] = {}
    edges: list[set[int]] = []
    for rule in rules:
        used = {steps(ref) for ref in references((rule.keys, rule.args, rule.branches))}
        for path in used - known.keys():
            known[path] = frozenset(tree.meant(path))
        edges.append(set().union(*(known[path] for path in used)))
    found: dict[Path, Diagnostic] = {}
    for number in sorted(_cyclic(edges)):
        rule = rules[number]
        way = " -> ".join(_name(rules[step]) for step in _way(edges, number))
        message = f"rule {_name(rule)} is recursive: {way}"
        found.setdefault(rule.path, Diagnostic("rego_recursion_error", message, rule.span))
    return tuple(found.values())


def _name(rule: ResolvedRule) -> str:
    head = ast.Ref(ast.Var("data", span=rule.span), (*_texts(rule.path, rule), *rule.keys), span=rule.span)
    return describe(head)


def _texts(path: Path, rule: ResolvedRule) -> tuple[ast.String, ...]:
    return tuple(ast.String(part, span=rule.span) for part in path)


def _cyclic(edges: Sequence[set[int]]) -> set[int]:
    """The nodes on cycles (Tarjan's components, without recursion)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    found: set[int] = set()
    for root in range(len(edges)):
        if root in index:
            continue
        work = [(root, iter(sorted(edges[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, following = work[-1]
            for other in following:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(sorted(edges[other]))))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = stack[stack.index(node) :]
                    del stack[stack.index(node) :]
                    on_stack.difference_update(component)
                    if len(component) > 1 or node in edges[node]:
                        found.update(component)
    return found


def _way(edges: Sequence[set[int]], start: int) -> list[int]:
    """The shortest way from a node back to itself."""
    before: dict[int, int] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for other in sorted(edges[node]):
            if other == start:
                way = [start]
                while node != start:
                    way.append(node)
                    node = before[node]
                return [start, *reversed(way)] if len(way) > 1 else [start, start]
            if other not in before:
                before[other] = node
                queue.append(other)
    return [start, start]
