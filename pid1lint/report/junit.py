"""Diagnostics as JUnit's XML: a suite a file, a failed test a finding, and a passed one a Dockerfile without any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pid1lint.diagnostic import Diagnostic, Severity
from pid1lint.report.markup import document, element
from pid1lint.report.style import Style
from pid1lint.report.text import render
from pid1lint.report.urls import rule_page

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from pid1lint.report import Report


def report(made: Report, style: Style) -> Iterator[str]:
    """The lines of the report."""
    found: dict[str, list[Diagnostic]] = {path: [] for path in made.checked}
    for diagnostic in made.diagnostics:
        found.setdefault(diagnostic.at.source.path, []).append(diagnostic)
    suites = [_suite(path, found[path]) for path in sorted(found)]
    tests, failures = (str(sum(int(suite.get(name, "0")) for suite in suites)) for name in ("tests", "failures"))
    attributes = {"name": "pid1lint", "tests": tests, "failures": failures, "errors": "0"}
    yield document(element("testsuites", attributes, suites))


def _suite(path: str, found: list[Diagnostic]) -> Element:
    cases = [_case(diagnostic) for diagnostic in found]
    if not cases:
        cases.append(element("testcase", {"name": "pid1lint", "classname": path, "file": path}))
    # What is no more than info fails no test.
    failures = sum(diagnostic.severity is not Severity.INFO for diagnostic in found)
    counts = {"tests": str(len(cases)), "failures": str(failures), "errors": "0", "skipped": "0"}
    return element("testsuite", {"name": path, **counts}, cases)


def _case(diagnostic: Diagnostic) -> Element:
    start, path = diagnostic.at.start, diagnostic.at.source.path
    name = f"{diagnostic.code} {diagnostic.name} ({start.line}:{start.column})"
    attributes = {"name": name, "classname": path, "file": path, "line": str(start.line)}
    told = "\n".join(render([diagnostic], Style())).rstrip("\n")
    page = rule_page(diagnostic.name)
    told += f"\n{page}" if page else ""
    if diagnostic.severity is Severity.INFO:
        return element("testcase", attributes, [element("system-out", {}, text=told)])
    about = {"message": diagnostic.message, "type": diagnostic.severity.value}
    return element("testcase", attributes, [element("failure", about, text=told)])
