"""Diagnostics as Checkstyle's XML, which many CI servers read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from pid1lint.diagnostic import Diagnostic
from pid1lint.report.markup import document, element

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from pid1lint.report import Report
    from pid1lint.report.style import Style


def report(made: Report, style: Style) -> Iterator[str]:
    """The lines of the report."""
    by_file = groupby(made.diagnostics, key=lambda diagnostic: diagnostic.at.source.path)
    files = [element("file", {"name": path}, map(_error, group)) for path, group in by_file]
    yield document(element("checkstyle", {"version": "4.3"}, files))


def _error(diagnostic: Diagnostic) -> Element:
    start = diagnostic.at.start
    attributes = {
        "line": str(start.line),
        "column": str(start.column),
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "source": f"pid1lint.{diagnostic.code}",
    }
    return element("error", attributes)
