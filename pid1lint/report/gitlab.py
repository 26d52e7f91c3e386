"""Diagnostics as a Code Quality report of GitLab.

See https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pid1lint.diagnostic import Diagnostic, Severity
from pid1lint.fingerprint import fingerprints, working_folder
from pid1lint.report.json import Json, dump
from pid1lint.report.markup import valid
from pid1lint.report.urls import rule_page
from pid1lint.source import Location

if TYPE_CHECKING:
    from pid1lint.report import Report
    from pid1lint.report.style import Style

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.INFO: "info"}


def report(made: Report, style: Style) -> Iterator[str]:
    """The lines of the report."""
    prints = fingerprints(made.diagnostics, working_folder())
    yield dump([_issue(diagnostic, own) for diagnostic, own in zip(made.diagnostics, prints, strict=True)])


def _issue(diagnostic: Diagnostic, fingerprint: str) -> Json:
    place, page = diagnostic.at, rule_page(diagnostic.name)
    return {
        "description": valid(f"{diagnostic.code}: {diagnostic.message}"),
        "check_name": diagnostic.name,
        **({"content": {"body": page}} if page else {}),
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[diagnostic.severity],
        "location": {
            "path": valid(place.source.path),
            "positions": {"begin": _position(place.start), "end": _position(place.end)},
        },
    }


def _position(location: Location) -> Json:
    return {"line": location.line, "column": location.column}
