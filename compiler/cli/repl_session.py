"""A read-eval-print session without a terminal: a line goes in, the text to show comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from compiler.cli.documents import Loaded, load, parse_value, read_value
from compiler.cli.eval_output import rendered
from compiler.cli.eval_query import Query, captured
from policy_lang.diagnostics import Diagnostic, Outcome, blocking
from policy_lang.runtime import session
from policy_lang.runtime.limits import DEFAULT, limited
from policy_lang.runtime.support import EvalError
from policy_lang.runtime.values import UNDEFINED
from policy_lang.source import Source, whole_file
from policy_lang.syntax import ast

PACKAGE = "repl"
HELP = """\
A line is a query (`data.example.deny`, `x := input.models[_].name`), or a rule of this session (`p if …`, `q := 1`).
A line with an open bracket goes on in the next one.

  :load PATH …     policies and data: files or folders; without a path, read the same ones again
  :input FILE      the input document, or JSON itself; `:input off` takes it away
  :why QUERY       which literal of which rule failed, and with which values
  :rules           the rules of this session
  :forget NAME …   takes rules away; without a name, all of them
  :strict          a builtin's error ends the evaluation, or not any more
  :help, :quit"""


class Quit(Exception):
    """The user wants to leave."""


@dataclass(slots=True)
class Session:
    """What the user has loaded, given and defined."""

    paths: list[str] = field(default_factory=list)
    loaded: Loaded = field(default_factory=Loaded)
    input: Any = UNDEFINED
    imports: list[str] = field(default_factory=list)
    rules: list[tuple[str, str]] = field(default_factory=list)
    strict: bool = False
    pending: str = ""

    def feed(self, line: str) -> str:
        """What to show after a line; ``pending`` holds what is to go on.

        Raises:
            Quit: at ``:quit``.
        """
        text = f"{self.pending}\n{line}" if self.pending else line
        if self.pending and not line.strip():
            self.pending = ""
            return self._entered(text)
        if not text.strip():
            return ""
        if text.lstrip().startswith(":"):
            return self._command(text.strip())
        if _open_brackets(text) > 0:
            self.pending = text
            return ""
        self.pending = ""
        return self._entered(text)

    # ------------------------------------------------------------- rules and queries

    def _entered(self, text: str) -> str:
        from policy_lang.syntax.parser import parse_module, parse_query

        module = parse_module(Source("<rule>", f"package {PACKAGE}\n\n{text}\n"))
        if module.value is not None and module.ok and not _is_query(module.value):
            return self._defined(module.value, text)
        query = parse_query(Source("<query>", text))
        if query.value is None or not query.ok:
            return _shown(query.diagnostics, {"<query>": text})
        return self._answered(self._qualified(query.value, text))

    def _defined(self, module: ast.Module, text: str) -> str:
        if module.imports and not module.rules:
            return self._kept([*self.imports, text.strip()], self.rules, "imported")
        names = [rule.head.ref.head.name for rule in module.rules if isinstance(rule.head.ref.head, ast.Var)]
        again = [(name, old) for name, old in self.rules if name not in names or _adds(module)]
        return self._kept(
            self.imports, [*again, (names[0], text.strip())], f"defined {', '.join(dict.fromkeys(names))}"
        )

    def _kept(self, imports: list[str], rules: list[tuple[str, str]], said: str) -> str:
        """Keeps definitions if they compile with the rest."""
        former = self.imports, self.rules
        self.imports, self.rules = imports, rules
        compiled = self._program()
        if compiled.value is None or blocking(compiled.diagnostics):
            self.imports, self.rules = former
            return _shown(compiled.diagnostics, {"<session>": self._module(imports, rules)})
        return said

    def _qualified(self, body: ast.Body, text: str) -> str:
        """The query with the names of this session's rules as references into their package."""
        from policy_lang.syntax.walk import rewrite, walk
        from policy_lang.syntax.write_rego import write_body

        names = {name for name, _ in self.rules}
        if not names & {node.name for node in walk(body) if isinstance(node, ast.Var)}:
            return text

        def full(node: Any) -> Any:
            if isinstance(node, ast.Var) and node.name in names:
                path = tuple(ast.String(part, span=node.span) for part in (PACKAGE, node.name))
                return ast.Ref(ast.Var("data", span=node.span), path, span=node.span)
            if isinstance(node, ast.Ref) and isinstance(node.head, ast.Ref):
                return ast.Ref(node.head.head, (*node.head.path, *node.path), span=node.span)
            return node

        return write_body(rewrite(body, full))

    def _answered(self, text: str) -> str:
        query = captured(text)
        program = self._program()
        diagnostics = (*query.diagnostics, *program.diagnostics)
        if query.value is None or program.value is None or blocking(diagnostics):
            return _shown(diagnostics, {"<query>": text})
        given: dict[str, Any] = {"input": self.input, "data": self.loaded.data, "limits": DEFAULT}
        printed: list[str] = []
        with session.opened(prints=printed.append):
            found = program.value.eval_query(query.value.text, strict_builtin_errors=self.strict, **given)
        return "\n".join([*printed, _answer(text, query.value, found)])

    def _program(self) -> Outcome[Any]:
        from policy_lang.engine import compile_program

        return compile_program(self._sources())

    def _sources(self) -> list[Source]:
        return [*self.loaded.sources, Source("<session>", self._module(self.imports, self.rules))]

    def _module(self, imports: list[str], rules: list[tuple[str, str]]) -> str:
        return "\n\n".join([f"package {PACKAGE}", *imports, *(text for _, text in rules)]) + "\n"

    # ------------------------------------------------------------- commands

    def _command(self, line: str) -> str:
        name, _, rest = line[1:].partition(" ")
        commands: dict[str, Callable[[str], str]] = {
            "help": lambda _: HELP,
            "h": lambda _: HELP,
            "load": self._load,
            "input": self._input,
            "why": self._why,
            "rules": lambda _: "\n\n".join([*self.imports, *(text for _, text in self.rules)]) or "no rules",
            "forget": self._forget,
            "strict": self._strict,
            "quit": self._quit,
            "q": self._quit,
        }
        if name not in commands:
            from policy_lang.spell import did_you_mean

            return f"no command :{name}; {did_you_mean(name, commands) or ':help lists them'}"
        return commands[name](rest.strip())

    def _load(self, rest: str) -> str:
        import shlex

        try:
            paths = [*self.paths, *(path for path in shlex.split(rest) if path not in self.paths)]
        except ValueError as error:
            return f"cannot read the paths: {error}"
        found = load(paths)
        if found.value is None or blocking(found.diagnostics):
            return _shown(found.diagnostics, {})
        former = self.paths, self.loaded
        self.paths, self.loaded = paths, found.value
        compiled = self._program()
        if compiled.value is None or blocking(compiled.diagnostics):
            self.paths, self.loaded = former
            return _shown(compiled.diagnostics, {})
        from compiler.cli.stages import counted

        return (
            f"{counted(len(found.value.sources), 'policy file')}, data: {', '.join(sorted(found.value.data)) or 'none'}"
        )

    def _input(self, rest: str) -> str:
        if rest in ("", "off"):
            self.input = UNDEFINED
            return "no input"
        literal = rest[:1] in '{["' or rest[:1].isdigit()
        found = parse_value(Source("<input>", rest)) if literal else read_value(rest)
        if blocking(found.diagnostics):
            return _shown(found.diagnostics, {"<input>": rest})
        self.input = found.value
        return "input is set"

    def _why(self, rest: str) -> str:
        from policy_lang.syntax.parser import parse_query
        from policy_lang.trace.explain import traced_sources
        from policy_lang.trace.record import Recorder
        from policy_lang.trace.report import render

        parsed = parse_query(Source("<query>", rest))
        if parsed.value is None or not parsed.ok:
            return _shown(parsed.diagnostics, {"<query>": rest})
        text = self._qualified(parsed.value, rest)
        sources = self._sources()
        traced = traced_sources(sources)
        if traced.value is None:
            return _shown(traced.diagnostics, {})
        recorder = Recorder()
        done = traced.value.query(text, recorder, input=self.input, data=self.loaded.data, strict=self.strict)
        if done.value is None:
            return _shown(done.diagnostics, {"<query>": text})
        by_file = {source.file: source for source in (*sources, Source("<query>", text))}
        return render(recorder, traced.value.rules, by_file, done.value[1])

    def _forget(self, rest: str) -> str:
        names = rest.split() or [name for name, _ in self.rules]
        unknown = [name for name in names if name not in {known for known, _ in self.rules}]
        if unknown:
            return f"no rule {unknown[0]}"
        return self._kept(self.imports, [(n, text) for n, text in self.rules if n not in names], "forgotten")

    def _strict(self, rest: str) -> str:
        self.strict = not self.strict
        return "a builtin's error ends the evaluation" if self.strict else "a builtin's error is undefined"

    def _quit(self, rest: str) -> str:
        raise Quit


def _is_query(module: ast.Module) -> bool:
    """`x = 1` and `f(1)` alone are rules and queries: they are taken for queries."""

    def plain(rule: ast.Rule) -> bool:
        head = rule.head
        bare = head.value is None and head.key is None
        return not rule.body and not rule.elses and (bare or head.assign == "=")

    return any(map(plain, module.rules))


def _adds(module: ast.Module) -> bool:
    """Whether rules add to those of the same name, and do not take their place."""
    return all(rule.head.key is not None or rule.head.args is not None or rule.head.ref.path for rule in module.rules)


def _open_brackets(text: str) -> int:
    """How many brackets are still open; strings and comments do not count."""
    from policy_lang.diagnostics import DiagnosticError
    from policy_lang.syntax.tokens import tokenize

    try:
        tokens = tokenize(Source("<query>", text)).tokens
    except DiagnosticError:
        return text.count("`") % 2
    opening, closing = ("LBRACE", "LPAR", "LPAR_G", "LSQB", "LSQB_G"), ("RBRACE", "RPAR", "RSQB")
    return sum((token.type in opening) - (token.type in closing) for token in tokens)


def _shown(diagnostics: tuple[Diagnostic, ...], texts: dict[str, str]) -> str:
    from compiler.report import text

    return text.render(diagnostics, text.Lines(texts), colour=False)


def _answer(text: str, query: Query, found: Outcome[Any]) -> str:
    if found.value is None or blocking(found.diagnostics):
        return _shown(query.placed(found.diagnostics), {"<query>": text})
    try:
        with limited(DEFAULT):
            return rendered(query, query.answers(found.value), "pretty", {})
    except EvalError as failure:
        late = Diagnostic(failure.code, str(failure), whole_file("<query>"))
        return _shown((late,), {"<query>": text})
