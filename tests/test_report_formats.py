"""Reports for other programs: valid for those that read them, whatever stands in the files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from junitparser import Failure, JUnitXml

from pid1lint import registry
from pid1lint.diagnostic import Diagnostic, Note, Severity
from pid1lint.errors import Pid1lintError
from pid1lint.fingerprint import fingerprints, working_folder
from pid1lint.fix import Applicability, Edit, Fix
from pid1lint.fixer import apply
from pid1lint.image.context import MemoryContext
from pid1lint.linter import lint
from pid1lint.report import FORMATS, Report, Target, markup, render, targets, urls
from pid1lint.report.safe import safe
from pid1lint.report.style import Style, printable
from pid1lint.source import Source, Span
from tests import schemas

DOCKERFILE = 'FROM debian:12\nCOPY --chmod=755 run.sh /\nENTRYPOINT ["/run.sh"]\n'
SCRIPT = "#!/bin/sh\nset -e\nPORT=80 java -jar app.jar\n"
FOUND = lint(DOCKERFILE, MemoryContext({"run.sh": SCRIPT}))
REPORT = Report(FOUND.diagnostics, ("Dockerfile",), FOUND.launches)
RUN_SH = Source("run.sh", SCRIPT)

# A name, a message and a text that try to be more than text, in every format at once.
NASTY = Source.decode(
    "a,b:c %\n<&\"|'\udce9.sh", "\ufeff# é \U0001f433 <![CDATA[\nx\x1b[31m \ufffe\r\n".encode() + b"\xe9\n"
)
NASTY_EDITS = (Edit(NASTY, Span(2, 3), "e"), Edit(NASTY, Span(0, 0), "\U0001f433"))
NASTY_FINDINGS = (
    Diagnostic(
        "PID201",
        "missing-exec",
        Severity.ERROR,
        '50% of "$@" | `x` <b>*y*</b> ]]> \x00\x1b[2J\udce9 ::error::\r\n@nobody',
        NASTY.place(2, 3),
        (Note(NASTY.place(0, len(NASTY.text)), "all\nof it"),),
        Fix("Put <it>\n right", NASTY_EDITS, Applicability.SAFE),
        "Dockerfile\udce9",
        "st:age",
        "hang",
    ),
    Diagnostic(
        "PID202", "shell-form", Severity.WARNING, "two\nlines", NASTY.place(2, NASTY.text.index("[31m")), outcome="hang"
    ),
    Diagnostic("PID902", "unreadable-file", Severity.INFO, "gone", Source("../gone", "").place(0, 0)),
)
NASTY_REPORT = Report(NASTY_FINDINGS, ("Dockerfile",), errors=("Dockerfile: internal error in \udce9",))
EMPTY = Report((), ("Dockerfile",))
REPORTS = [
    pytest.param(REPORT, id="a finding"),
    pytest.param(NASTY_REPORT, id="nasty text"),
    pytest.param(EMPTY, id="nothing found"),
    pytest.param(Report(()), id="nothing checked"),
]


def written(form: str, report: Report = REPORT) -> str:
    text = "".join(f"{line}\n" for line in render(form, report, Style()))
    text.encode("utf-8")  # no lone surrogates
    return text


# SARIF


def sarif_run(report: Report = REPORT) -> Any:
    (run,) = json.loads(written("sarif", report))["runs"]
    return run


@pytest.mark.parametrize("report", REPORTS)
def test_sarif_fits_its_schema(report: Report) -> None:
    assert schemas.complaints(json.loads(written("sarif", report)), schemas.SARIF) == []


def test_the_schema_would_complain() -> None:
    document = json.loads(written("sarif"))
    document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    document["runs"][0]["tool"]["driver"]["helpUri"] = None
    assert len(schemas.complaints(document, schemas.SARIF)) == 2


def test_sarif_has_a_page_for_each_rule_and_results_point_to_them() -> None:
    run = sarif_run()
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.code for rule in registry.all_rules()]
    assert all("## Why is this bad?" in rule["help"]["markdown"] for rule in rules)
    (result,) = run["results"]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "PID201"


def region(line: int, column: int, end_column: int) -> dict[str, int]:
    return {"startLine": line, "startColumn": column, "endLine": line, "endColumn": end_column}


def physical(uri: str, where: dict[str, int]) -> dict[str, object]:
    return {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}, "region": where}


def test_a_sarif_result_says_everything_of_a_finding() -> None:
    (result,) = sarif_run()["results"]
    message = "sh stays PID 1 and keeps SIGTERM from java: docker stop waits 10 s, then kills it"
    command = physical("run.sh", region(3, 9, 26))
    entrypoint = physical("Dockerfile", region(3, 14, 21))
    (fingerprint,) = fingerprints(REPORT.diagnostics, working_folder())
    result.pop("ruleIndex")
    assert result == {
        "ruleId": "PID201",
        "level": "error",
        "message": {"text": message},
        "locations": [{"physicalLocation": command}],
        "relatedLocations": [{"id": 1, "physicalLocation": entrypoint, "message": {"text": "run.sh is started here"}}],
        "codeFlows": [
            {
                "threadFlows": [
                    {
                        "locations": [
                            {"location": {"physicalLocation": place, "message": {"text": text}}}
                            for place, text in (
                                (entrypoint, "PID 1 starts as /run.sh"),
                                (command, "starts and waits for java -jar app.jar"),
                                (command, message),
                            )
                        ]
                    }
                ]
            }
        ],
        "fixes": [
            {
                "description": {"text": "Put exec before java"},
                "artifactChanges": [
                    {
                        "artifactLocation": {"uri": "run.sh", "uriBaseId": "%SRCROOT%"},
                        "replacements": [
                            {"deletedRegion": region(3, 9, 9), "insertedContent": {"text": "exec "}},
                        ],
                    }
                ],
            }
        ],
        "partialFingerprints": {"pid1lint/v1": fingerprint},
        "properties": {"dockerfile": "Dockerfile", "outcome": "hang"},
    }


def test_a_sarif_flow_leads_through_the_script_that_a_finding_is_in() -> None:
    script = "#!/bin/sh\ntrap 'kill -TERM $!' TERM\njava -jar app.jar\n"
    found = lint(DOCKERFILE, MemoryContext({"run.sh": script}), select=["PID402", "PID401", "PID403", "PID404"])
    results = sarif_run(Report(found.diagnostics, (), found.launches))["results"]
    flows = [result["codeFlows"][0]["threadFlows"][0]["locations"] for result in results]
    assert [flow[0]["location"]["message"]["text"] for flow in flows] == ["PID 1 starts as /run.sh"] * len(results)
    assert results


def test_sarif_tells_of_errors_of_our_own() -> None:
    (invocation,) = sarif_run(NASTY_REPORT)["invocations"]
    assert not invocation["executionSuccessful"]
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["message"]["text"] == "Dockerfile: internal error in \ufffd"
    assert sarif_run(EMPTY)["invocations"] == [{"executionSuccessful": True}]


def test_sarif_paths_are_references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    odd, _, outside = (
        result["locations"][0]["physicalLocation"]["artifactLocation"] for result in sarif_run(NASTY_REPORT)["results"]
    )
    assert odd == {"uri": "a%2Cb%3Ac%20%25%0A%3C%26%22%7C%27%E9.sh", "uriBaseId": "%SRCROOT%"}
    assert outside == {"uri": (tmp_path / "gone").as_uri()}


def test_a_fix_of_bytes_that_are_no_text_is_left_out() -> None:
    source = Source.decode("run.sh", b"\xe9\n")
    fix = Fix("x", (Edit(source, Span(0, 0), "\udce9"),), Applicability.SAFE)
    finding = Diagnostic("PID201", "missing-exec", Severity.ERROR, "x", source.place(0, 1), fix=fix)
    assert "fixes" not in sarif_run(Report((finding,)))["results"][0]
    assert "suggestions" not in json.loads(written("rdjson", Report((finding,))))["diagnostics"][0]


# GitHub


def as_the_runner_reads(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command's name, properties and data, as the runner of GitHub Actions takes it apart."""
    match = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)
    assert match is not None, line

    def unescaped(text: str) -> str:
        for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            text = text.replace(code, char)
        return text

    properties = dict(pair.split("=", 1) for pair in match[2].split(","))
    return match[1], {name: unescaped(value) for name, value in properties.items()}, unescaped(match[3])


def test_github_gets_a_command_for_each_finding() -> None:
    (line,) = written("github").splitlines()
    assert line == (
        "::error title=PID201 missing-exec,file=run.sh,line=3,endLine=3,col=9,endColumn=26::sh stays PID 1 and keeps "
        "SIGTERM from java: docker stop waits 10 s, then kills it%0AFix: Put exec before java (--fix)"
    )


def test_github_reads_back_what_was_meant() -> None:
    lines = written("github", NASTY_REPORT).split("\n")
    (first, about, message), (second, over, _), (third, _, _) = map(as_the_runner_reads, lines[:-1])
    assert (first, second, third) == ("error", "warning", "notice")
    assert about["file"] == markup.valid(NASTY.path)
    shown = "\n".join(map(printable, markup.valid(NASTY_FINDINGS[0].message).split("\n")))
    assert message.startswith(shown)
    assert (over["line"], over["endLine"], "col" in over) == ("1", "2", False)


# GitLab


@pytest.mark.parametrize("report", REPORTS)
def test_gitlab_finds_its_documented_fields(report: Report) -> None:
    issues = json.loads(written("gitlab", report))
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert set(issue["location"]) == {"path", "positions"}
        assert issue["location"]["positions"]["begin"]["line"] >= 1
        assert not issue["location"]["path"].startswith(("/", "./"))
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == len(report.diagnostics)


def test_a_gitlab_issue_in_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert json.loads(written("gitlab")) == [
        {
            "description": "PID201: sh stays PID 1 and keeps SIGTERM from java: docker stop waits 10 s, then kills it",
            "check_name": "missing-exec",
            "fingerprint": fingerprints(REPORT.diagnostics)[0],
            "severity": "critical",
            "location": {
                "path": "run.sh",
                "positions": {"begin": {"line": 3, "column": 9}, "end": {"line": 3, "column": 26}},
            },
        }
    ]


# JUnit and Checkstyle


@pytest.mark.parametrize("report", REPORTS)
def test_junit_is_read_by_junitparser(report: Report, tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text(written("junit", report), encoding="utf-8")
    suites = JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    counted = [sum(isinstance(result, Failure) for case in suite for result in case.result) for suite in suites]
    failing = sum(diagnostic.severity is not Severity.INFO for diagnostic in report.diagnostics)
    assert sum(counted) == suites.failures == failing
    assert [suite.failures for suite in suites] == counted
    assert suites.tests == sum(1 for suite in suites for _ in suite)


def test_junit_says_where_and_what() -> None:
    suites = JUnitXml.fromstring(written("junit").encode())
    (passed,), (failed,) = (list(suite) for suite in suites)
    assert (passed.name, passed.classname, list(passed.result)) == ("pid1lint", "Dockerfile", [])
    assert (failed.name, failed.classname) == ("PID201 missing-exec (3:9)", "run.sh")
    (failure,) = failed.result
    assert failure.message == "sh stays PID 1 and keeps SIGTERM from java: docker stop waits 10 s, then kills it"
    assert "3 │ PORT=80 java -jar app.jar\n  │         ^^^^^^^^^^^^^^^^^ error[missing-exec]" in failure.text


def test_a_checkstyle_report_in_full() -> None:
    assert written("checkstyle") == (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<checkstyle version="4.3">\n'
        '  <file name="run.sh">\n'
        '    <error line="3" column="9" severity="error" message="sh stays PID 1 and keeps SIGTERM from java: '
        'docker stop waits 10 s, then kills it" source="pid1lint.PID201" />\n'
        "  </file>\n"
        "</checkstyle>\n"
    )


@pytest.mark.parametrize("report", REPORTS)
def test_checkstyle_holds_what_its_readers_look_for(report: Report) -> None:
    root = ElementTree.fromstring(written("checkstyle", report))
    assert root.tag == "checkstyle"
    errors = [error for file in root.iterfind("file[@name]") for error in file]
    assert len(errors) == len(report.diagnostics)
    for error in errors:
        assert set(error.attrib) == {"line", "column", "severity", "message", "source"}
        assert int(error.attrib["line"]) >= 1
        assert error.attrib["severity"] in ("ignore", "info", "warning", "error")


# reviewdog


def positions(found: Any) -> Iterator[tuple[int, int]]:
    for position in (found["start"], found["end"]):
        yield position["line"], position["column"]


@pytest.mark.parametrize("report", REPORTS)
def test_rdjson_finds_its_documented_fields(report: Report) -> None:
    document = json.loads(written("rdjson", report))
    assert document["source"] == {"name": "pid1lint"}
    for found in document["diagnostics"]:
        assert set(found) <= {"message", "location", "severity", "code", "suggestions"}
        assert found["severity"] in ("ERROR", "WARNING", "INFO")
        assert all(line >= 1 and column >= 1 for line, column in positions(found["location"]["range"]))
        assert set(found["code"]) == {"value"}
        for suggestion in found.get("suggestions", []):
            assert set(suggestion) == {"range", "text"}


@pytest.mark.parametrize(("report", "source"), [(REPORT, RUN_SH), (NASTY_REPORT, NASTY)], ids=["plain", "nasty"])
def test_a_suggestion_makes_the_fix(report: Report, source: Source) -> None:
    found = json.loads(written("rdjson", report))["diagnostics"][0]
    (suggestion,) = found["suggestions"]
    # As reviewdog does it: bytes of lines.
    (line, start), (last, end) = positions(suggestion["range"])
    lines = source.encode().splitlines(keepends=True)
    assert line == last
    text = lines[line - 1]
    lines[line - 1] = text[: start - 1] + suggestion["text"].encode() + text[end - 1 :]
    fix = report.diagnostics[0].fix
    assert fix is not None
    assert b"".join(lines) == Source(source.path, apply(source.text, fix.edits), source.bom).encode()


def test_nothing_is_suggested_that_is_unsafe_or_in_another_file() -> None:
    unsafe = Fix("x", (Edit(RUN_SH, Span(0, 0), "y"),), Applicability.UNSAFE)
    other = Fix("x", (Edit(Source("other.sh", ""), Span(0, 0), "y"),), Applicability.SAFE)
    both = Fix("x", unsafe.edits + other.edits, Applicability.SAFE)
    for fix in (unsafe, other, both):
        finding = Diagnostic("PID201", "missing-exec", Severity.ERROR, "x", RUN_SH.place(0, 1), fix=fix)
        assert "suggestions" not in written("rdjson", Report((finding,)))


# Markdown


def test_a_markdown_report_in_full() -> None:
    assert written("markdown") == (
        "## pid1lint\n"
        "\n"
        "1 Dockerfile checked: 1 error in 1 file. 1 can be fixed with --fix.\n"
        "\n"
        "| | place | rule | what happens |\n"
        "|---|---|---|---|\n"
        "| ❌ error | run.sh:3:9 | PID201 missing-exec | sh stays PID 1 and keeps SIGTERM from java: docker stop waits "
        "10 s, then kills it<br>Dockerfile:3:14: run.sh is started here<br>Fix: Put exec before java (`--fix`) |\n"
        "\n"
        "<details><summary>Dockerfile: hang</summary>\n"
        "\n"
        "<pre>\n"
        "Dockerfile\n"
        '  ENTRYPOINT ["/run.sh"]\n'
        "  STOPSIGNAL SIGTERM\n"
        "\n"
        "  PID 1  /run.sh (dash)  ✗ ignores SIGTERM     Dockerfile:3\n"
        "  └─ java -jar app.jar   ✗ never gets SIGTERM  run.sh:3\n"
        "\n"
        "  hang: dash stays PID 1 and keeps SIGTERM from java: docker stop waits 10 s, then kills it\n"
        "  Orphaned processes are reaped.\n"
        "</pre>\n"
        "\n"
        "</details>\n"
    )


def test_what_a_file_says_stays_text_in_markdown() -> None:
    rows = [line for line in written("markdown", NASTY_REPORT).splitlines() if line.startswith("| ❌")]
    (row,) = rows
    assert len(re.findall(r"(?<!\\)\|", row)) == 5
    assert "<b>" not in row
    assert "@" not in row


def test_a_clean_markdown_report_is_a_sentence() -> None:
    assert written("markdown", EMPTY) == "## pid1lint\n\n1 Dockerfile checked: nothing found.\n"


# Where reports go


def test_each_report_goes_to_its_own_place() -> None:
    assert targets([("text", None)], None) == (Target("text"),)
    assert targets([("text", None), ("sarif", "out")], None) == (Target("text"), Target("sarif", "out"))
    assert targets([("json", None), ("sarif", "out")], "x") == (Target("json", "x"), Target("sarif", "out"))
    assert targets([("json", "-")], None) == (Target("json"),)


@pytest.mark.parametrize(
    ("wanted", "output", "message"),
    [
        (
            [("text", None), ("json", None)],
            None,
            "--format: text and json both go to standard output: use --format NAME:FILE",
        ),
        ([("sarif", "a"), ("json", "a")], None, "--format: sarif and json both go to a: use --format NAME:FILE"),
        ([("json", "a"), ("json", "a")], None, "--format: json and json both go to a: use --format NAME:FILE"),
        ([("json", "a")], "b", "--output: b has no use: each --format names its own file"),
    ],
)
def test_two_reports_in_one_place_are_refused(
    wanted: list[tuple[str, str | None]], output: str | None, message: str
) -> None:
    with pytest.raises(Pid1lintError) as error:
        targets(wanted, output)
    assert str(error.value) == message


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("report", REPORTS)
def test_every_format_renders_every_report(form: str, report: Report) -> None:
    if form == "concise" and not report.diagnostics:
        assert written(form, report) == ""
        return
    if form == "json":
        assert written(form, report).isascii()
        return
    # That there was nothing to check is told on standard error.
    assert written(form, report) or form == "github" or (form == "text" and not report.checked)


# Addresses


def test_no_address_is_made_up() -> None:
    assert urls.home() is None
    assert urls.rule_page("missing-exec") is None
    assert "helpUri" not in written("sarif")


PAGE = "https://example.org/docs/rules/missing-exec/"


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package has a home, as it has with `[project.urls]` in pyproject.toml."""
    known = {"documentation": "https://example.org/docs/", "repository": "https://example.org"}
    monkeypatch.setattr(urls, "_project_urls", lambda: known)
    for cached in (urls.home, urls.documentation):
        cached.cache_clear()
    yield
    for cached in (urls.home, urls.documentation):
        cached.cache_clear()


@pytest.mark.usefixtures("addresses")
def test_sarif_has_the_address_of_each_rule() -> None:
    driver = sarif_run()["tool"]["driver"]
    assert driver["informationUri"] == "https://example.org"
    assert all(rule["helpUri"].startswith("https://example.org/docs/rules/") for rule in driver["rules"])
    assert PAGE in [rule["helpUri"] for rule in driver["rules"]]
    assert schemas.complaints(json.loads(written("sarif")), schemas.SARIF) == []


@pytest.mark.usefixtures("addresses")
@pytest.mark.parametrize(
    ("form", "linked"),
    [
        pytest.param("json", f'"url": "{PAGE}"', id="json"),
        pytest.param("rdjson", f'"code": {{"value": "PID201", "url": "{PAGE}"}}', id="rdjson"),
        pytest.param("gitlab", f'"content": {{"body": "{PAGE}"}}', id="gitlab"),
        pytest.param("github", f"(--fix)%0A{PAGE}\n", id="github"),
        pytest.param("markdown", f"| [PID201 missing-exec]({PAGE}) |", id="markdown"),
        pytest.param("junit", f"= fix: Put exec before java (--fix)\n{PAGE}</failure>", id="junit"),
    ],
)
def test_a_finding_leads_to_the_page_of_its_rule(form: str, linked: str) -> None:
    text = written(form)
    assert linked in (re.sub(r"\s+", " ", text).replace("{ ", "{").replace(" }", "}") if '": ' in linked else text)


@pytest.mark.usefixtures("addresses")
def test_on_a_terminal_the_code_is_a_link() -> None:
    lines = list(render("text", REPORT, Style(links=True)))
    assert lines[0].startswith(f"run.sh:3:9: \x1b]8;;{PAGE}\x1b\\PID201\x1b]8;;\x1b\\ sh stays PID 1")
    assert safe(lines[0], "text", links=True) == lines[0]
    assert "\x1b" not in safe(lines[0], "text")


@pytest.mark.usefixtures("addresses")
def test_no_link_of_a_stranger_is_printed() -> None:
    nasty = "\x1b]8;;https://example.net/docs/\x1b\\x"
    assert safe(nasty, "text", colour=True, links=True) == "\ufffd]8;;https://example.net/docs/\ufffd\\x"


def test_without_an_address_there_is_no_link() -> None:
    assert not any("\x1b" in line for line in render("text", REPORT, Style(links=True)))


def test_a_report_ends_with_what_explains_the_worst_finding() -> None:
    info = REPORT.diagnostics[0].replaced(code="PID301", severity=Severity.INFO)
    both = REPORT._replace(diagnostics=(info, *REPORT.diagnostics))
    last = "Run pid1lint explain PID201 for the rule, pid1lint explain pid1 for the basics.\n"
    assert written("text", both).endswith(f"\n{last}")
    assert "explain" not in written("text", both._replace(quiet=True)) + written("text", EMPTY)
