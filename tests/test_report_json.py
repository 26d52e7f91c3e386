"""JSON reports have the form of version 1."""

from __future__ import annotations

import json

from pid1lint import registry
from pid1lint.diagnostic import Diagnostic, Note, Severity
from pid1lint.fix import Applicability, Edit, Fix
from pid1lint.report.json import diagnostics_json, rules_json
from pid1lint.source import Source, Span

DOCKERFILE = Source("docker/Dockerfile", 'FROM debian:12\nENTRYPOINT ["/run.sh"]\n')
SCRIPT = Source("docker/run.sh", "#!/bin/sh\r\n# é\r\njava -jar app.jar\r\n")

DIAGNOSTIC = Diagnostic(
    code="PID201",
    name="missing-exec",
    severity=Severity.ERROR,
    message="sh stays PID 1",
    at=SCRIPT.place(16, 33),
    notes=(Note(DOCKERFILE.place(15, 37), "runs this script"),),
    fix=Fix("Insert `exec`", (Edit(SCRIPT, Span(16, 16), "exec "),), Applicability.SAFE),
    dockerfile="docker/Dockerfile",
    stage="app",
    outcome="hang",
)


def test_a_report_says_everything_of_a_finding() -> None:
    assert json.loads(diagnostics_json([DIAGNOSTIC], 1)) == {
        "version": 1,
        "diagnostics": [
            {
                "code": "PID201",
                "name": "missing-exec",
                "severity": "error",
                "message": "sh stays PID 1",
                "path": "docker/run.sh",
                "start": {"line": 3, "column": 1},
                "end": {"line": 3, "column": 18},
                "dockerfile": "docker/Dockerfile",
                "stage": "app",
                "outcome": "hang",
                "deployment": None,
                "notes": [
                    {
                        "path": "docker/Dockerfile",
                        "start": {"line": 2, "column": 1},
                        "end": {"line": 2, "column": 23},
                        "message": "runs this script",
                    }
                ],
                "fix": {
                    "title": "Insert `exec`",
                    "applicability": "safe",
                    "edits": [
                        {
                            "path": "docker/run.sh",
                            "start": {"line": 3, "column": 1},
                            "end": {"line": 3, "column": 1},
                            "content": "exec ",
                        }
                    ],
                },
                "url": None,
            }
        ],
        "summary": {
            "dockerfiles": 1,
            "deployments": 0,
            "diagnostics": 1,
            "error": 1,
            "warning": 0,
            "info": 0,
            "fixable": {"safe": 1, "unsafe": 0},
            "fixed": 0,
            "verdicts": {"proven": 0, "assumed": 0, "unknown": 0},
        },
    }


def test_a_clean_report_has_the_same_form() -> None:
    document = json.loads(diagnostics_json([], 3, 2))
    assert document["diagnostics"] == []
    assert (document["summary"]["dockerfiles"], document["summary"]["fixed"]) == (3, 2)


def test_columns_count_code_points() -> None:
    source = Source("Dockerfile", "\U0001f433 é app")
    finding = Diagnostic("PID201", "missing-exec", Severity.INFO, "x", source.place(4, 7))
    assert json.loads(diagnostics_json([finding], 1))["diagnostics"][0]["start"] == {"line": 1, "column": 5}


def test_bytes_that_are_no_text_pass_through() -> None:
    source = Source.decode("Docker\udce9", b"CMD caf\xe9\n")
    finding = Diagnostic("PID201", "missing-exec", Severity.INFO, source.text, source.place(0, 3))
    report = diagnostics_json([finding], 1)
    assert report.isascii()
    assert json.loads(report)["diagnostics"][0]["message"] == source.text


def test_rules_are_described() -> None:
    rules = json.loads(rules_json(registry.all_rules()))["rules"]
    assert [rule["code"] for rule in rules] == [rule.code for rule in registry.all_rules()]
    assert {"code", "name", "severity", "summary", "fixable", "default"} == set(rules[0])
