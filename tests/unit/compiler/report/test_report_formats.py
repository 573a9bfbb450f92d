"""Each renderer on the same findings: one with everything, one exempted, one without a place."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from compiler.report import github, json_report, junit, sarif, text
from compiler.report.roots import Root, root_of, uri
from policy_lang.diagnostics import Diagnostic, Fix, Label, Severity
from policy_lang.source import Span, whole_file

MANIFEST = "layers:\n  bronze: brz_\n"
MODELS = "models:\n  - name: orders\n    description: all orders\n"


def span(file: str, line: int, col: int, end: int) -> Span:
    return Span(file, line, col, line, end)


FULL = Diagnostic(
    "NAM001",
    "model orders is in layer bronze",
    span("models.yml", 2, 11, 17),
    label="expected brz_orders",
    related=(Label(span("manifest.yaml", 2, 11, 15), "prefix set here"),),
    why="readers find a table by its name",
    hint="rename it to brz_orders",
    docs="https://floec.dev/p/NAM001",
    fixes=(Fix(span("models.yml", 2, 11, 17), "brz_orders", "rename"),),
    policy=span("layer_prefix.floe", 3, 1, 7),
    path=("models", 0, "name"),
    subject="model orders",
    title="A prefix",
)
EXEMPTED = Diagnostic(
    "DOC001", "no description", span("models.yml", 3, 5, 16), suppressed="legacy until June", subject="model x"
)
PLACELESS = Diagnostic("FLC901", "nothing to check: 100% empty\nreally", severity=Severity.WARN)
ROOT = Root("/repo/product", "/repo")
ALL = (FULL, EXEMPTED, PLACELESS)


def test_text_shows_line_caret_related_place_and_notes() -> None:
    shown = text.render([FULL], text.Lines({"models.yml": MODELS, "manifest.yaml": MANIFEST}))
    assert shown == (
        "error[NAM001]: model orders is in layer bronze\n"
        " --> models.yml:2:11\n"
        "  |\n"
        "2 |   - name: orders\n"
        "  |           ^^^^^^ expected brz_orders\n"
        " ::: manifest.yaml:2:11\n"
        "  |\n"
        "2 |   bronze: brz_\n"
        "  |           ---- prefix set here\n"
        "  = why: readers find a table by its name\n"
        "  = help: rename it to brz_orders\n"
        "  = docs: https://floec.dev/p/NAM001\n"
        "  = policy: layer_prefix.floe:3"
    )


def test_text_sorts_by_place_and_colours_only_when_asked() -> None:
    plain = text.render(ALL, text.Lines({"models.yml": MODELS, "manifest.yaml": MANIFEST}))
    assert plain.index("FLC901") < plain.index("NAM001") < plain.index("DOC001")
    assert "\x1b" not in plain
    assert "\x1b[1;31m" in text.render([FULL], colour=True)


def test_text_survives_a_file_that_is_gone(tmp_path: Path) -> None:
    gone = Diagnostic("FLC101", "no such file", span(str(tmp_path / "gone.yaml"), 1, 1, 2))
    assert text.render([gone]).splitlines()[1].endswith("gone.yaml:1:1")


def test_text_escapes_control_characters() -> None:
    shown = text.render([Diagnostic("X1", "a\x1b[2Jb")])
    assert "\x1b" not in shown
    assert "\\x1b[2J" in shown


def test_text_cuts_a_very_long_line_around_the_caret() -> None:
    line = "a" * 5000 + "HERE" + "b" * 5000
    shown = text.render([Diagnostic("X1", "m", span("f", 1, 5001, 5005))], text.Lines({"f": line}))
    assert max(map(len, shown.splitlines())) < 200
    source, caret = shown.splitlines()[-2:]
    assert source[caret.index("^") : caret.rindex("^") + 1] == "HERE"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], "no findings"),
        ([FULL], "1 error"),
        ([FULL, FULL, PLACELESS], "2 errors, 1 warning"),
        ([EXEMPTED], "1 exempted"),
    ],
)
def test_summary_counts(found: list[Diagnostic], expected: str) -> None:
    assert text.summary(found) == expected


def test_json_holds_every_field() -> None:
    value = json.loads(json_report.render(ALL, {"digest": "sha256:00"}))
    assert value["digest"] == "sha256:00"
    full = next(d for d in value["diagnostics"] if d["code"] == "NAM001")
    assert full["span"] == {"file": "models.yml", "line": 2, "col": 11, "end_line": 2, "end_col": 17}
    assert [label["primary"] for label in full["labels"]] == [True, False]
    assert full["path"] == ["models", 0, "name"]
    assert full["fix"][0]["text"] == "brz_orders"
    assert full["policy"]["line"] == 3
    assert value["diagnostics"][0]["span"] is None
    jsonschema.validate(value, json_report.schema())


def test_the_schema_of_the_report_knows_each_field_and_no_other() -> None:
    schema: Any = json_report.schema()
    known = schema["$defs"]["diagnostic"]["properties"]
    written = {name for d in ALL for name in json_report.to_json(d)}
    assert set(known) == written


def test_sarif_has_rules_positions_fingerprints_and_suppressions() -> None:
    run = json.loads(sarif.render(ALL, "1.2.3", ROOT, {"FLC901": "Nothing to check"}))["runs"][0]
    assert run["tool"]["driver"]["version"] == "1.2.3"
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    results = {r["ruleId"]: r for r in run["results"]}
    assert all(rules[r["ruleIndex"]] == r["ruleId"] for r in run["results"])
    region = results["NAM001"]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 2, "startColumn": 11, "endLine": 2, "endColumn": 17}
    assert results["NAM001"]["level"] == "error"
    assert results["DOC001"]["suppressions"][0]["justification"] == "legacy until June"
    assert "locations" not in results["FLC901"]
    assert results["NAM001"]["relatedLocations"][0]["message"]["text"] == "prefix set here"


def test_sarif_rules_say_what_the_policy_or_the_code_is_about() -> None:
    run = json.loads(sarif.render(ALL, "1", ROOT, {"FLC901": "Nothing to check"}))["runs"][0]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert rules["NAM001"]["shortDescription"]["text"] == "A prefix"
    assert rules["NAM001"]["fullDescription"]["text"] == "readers find a table by its name"
    assert rules["NAM001"]["helpUri"] == "https://floec.dev/p/NAM001"
    assert rules["FLC901"]["shortDescription"]["text"] == "Nothing to check"
    assert "helpUri" not in rules["FLC901"]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("models/a b#1%.yml", ("product/models/a%20b%231%25.yml", "ROOT")),
        ("../manifest.yaml", ("manifest.yaml", "ROOT")),
        ("/repo/product/x:y.yml", ("product/x%3Ay.yml", "ROOT")),
        ("../../elsewhere/é.yaml", ("file:///elsewhere/%C3%A9.yaml", None)),
        ("stdlib/naming/a.floe", ("product/stdlib/naming/a.floe", "ROOT")),
    ],
)
def test_sarif_files_are_references_from_the_root_of_the_repository(
    file: str, expected: tuple[str, str | None]
) -> None:
    found = Diagnostic("A1", "m", span(file, 1, 1, 2))
    result = json.loads(sarif.render([found], "1", ROOT, {}))["runs"][0]["results"][0]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert (place["uri"], place.get("uriBaseId")) == expected
    assert uri(file, ROOT) == expected[0]


def test_the_root_is_the_folder_of_the_repository(tmp_path: Path) -> None:
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    (tmp_path / ".git").write_text("gitdir: elsewhere\n")
    assert root_of(str(inside)) == Root(str(inside), str(tmp_path))


def test_sarif_tells_alike_findings_apart() -> None:
    twice = [Diagnostic("LNT001", "m", span("a.rego", line, 1, 2)) for line in (3, 9)]
    results = json.loads(sarif.render(twice, "1", ROOT, {}))["runs"][0]["results"]
    assert len({result["partialFingerprints"]["floec/v1"] for result in results}) == 2


def test_odd_names_of_files_break_no_format() -> None:
    odd = Diagnostic("A1", "m\ud800", span("a,b:c%\n\x1b\udcff.yml", 1, 1, 2))
    assert github.render([odd], ROOT).startswith("::error file=product/a%2Cb%3Ac%25%0A")
    ElementTree.fromstring(junit.render([odd]))
    assert "%0A%1B%FF.yml" in sarif.render([odd], "1", ROOT, {})


def test_sarif_fingerprint_does_not_change_with_the_line() -> None:
    moved = Diagnostic(FULL.code, FULL.message, span("models.yml", 9, 1, 2), subject=FULL.subject)
    first, second = (json.loads(sarif.render([d], "1", ROOT, {}))["runs"][0]["results"][0] for d in (FULL, moved))
    assert first["partialFingerprints"] == second["partialFingerprints"]


def test_junit_is_wellformed_and_counts() -> None:
    odd = Diagnostic("X1", "a < b & \x00 c", severity=Severity.NOTIFY)
    suite = ElementTree.fromstring(junit.render([*ALL, odd])).find("testsuite")
    assert suite is not None
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["4", "1", "0", "1"]
    assert len(suite.findall("testcase/failure")) == 1
    assert len(suite.findall("testcase/system-out")) == 2


def test_github_annotations_are_one_line_each_and_escaped() -> None:
    lines = github.render(ALL, ROOT).splitlines()
    assert len(lines) == 2
    assert lines[0] == "::warning title=FLC901::nothing to check: 100%25 empty%0Areally"
    assert lines[1].startswith(
        "::error file=product/models.yml,line=2,endLine=2,col=11,title=NAM001%3A A prefix::model orders"
    )


def test_text_shows_the_start_of_a_file_of_one_long_line(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_bytes(b'{"metadata":' + b"\xc3\xa9" * 200_000 + b"}")
    shown = text.render([Diagnostic("X1", "m", whole_file(str(file)))]).splitlines()
    assert shown[3].startswith('1 | {"metadata":éé')
    assert shown[4] == "  | ^"


def test_text_finds_a_place_far_into_a_long_line(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_text("a" * 200_000 + "HERE" + "b" * 10, encoding="utf-8")
    source, caret = text.render([Diagnostic("X1", "m", span(str(file), 1, 200_001, 200_005))]).splitlines()[-2:]
    assert source[caret.index("^") : caret.rindex("^") + 1] == "HERE"


def test_text_shows_related_places_with_every_finding(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("first\nsecond\n", encoding="utf-8")
    label = Label(span(str(file), 2, 1, 7), "set here")
    shown = text.render([Diagnostic("X1", f"m{i}", related=(label,)) for i in range(2)])
    assert shown.count("2 | second\n  | ------ set here") == 2


@pytest.mark.parametrize(
    ("line", "col", "marked"),
    [("  compute:", 3, "^^^^^^^"), ("  - name: x", 3, "^"), ("a.b-c: 1", 1, "^^^^^"), ("", 1, "^"), ("x", 9, "^")],
)
def test_text_marks_the_word_at_a_place_without_extent(line: str, col: int, marked: str) -> None:
    shown = text.render([Diagnostic("A", "m", span("f", 1, col, col))], text.Lines({"f": line + "\n"}))
    assert shown.splitlines()[-1].split("|")[1].strip() == marked


def test_text_shows_no_line_of_what_is_no_text(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(b"access-control.json\0\0\0\n")
    shown = text.render([Diagnostic("A", "changed", whole_file(str(blob)))])
    assert shown == f"error[A]: changed\n --> {blob}:1:1"
