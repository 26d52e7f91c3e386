"""Diagnostics as workflow commands of GitHub Actions, which become annotations.

See https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pid1lint.diagnostic import Diagnostic, Severity
from pid1lint.report.markup import valid
from pid1lint.report.style import printable
from pid1lint.report.text import how_to_apply
from pid1lint.report.urls import rule_page

if TYPE_CHECKING:
    from pid1lint.report import Report
    from pid1lint.report.style import Style

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def report(made: Report, style: Style) -> Iterator[str]:
    """The lines of the report."""
    return map(_command, made.diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    place = diagnostic.at
    properties = {"title": f"{diagnostic.code} {diagnostic.name}", "file": place.source.path}
    properties |= {"line": str(place.start.line), "endLine": str(place.last_line)}
    if place.last_line == place.start.line:
        # An annotation over several lines has no columns.
        properties["col"] = str(place.start.column)
        if place.end.line == place.start.line:
            properties["endColumn"] = str(place.end.column)
    message = diagnostic.message
    if diagnostic.fix is not None:
        message += f"\nFix: {diagnostic.fix.title} ({how_to_apply(diagnostic.fix)})"
    page = rule_page(diagnostic.name)
    message += f"\n{page}" if page else ""
    shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[diagnostic.severity]} {shown}::{_data(message)}"


def _data(text: str) -> str:
    lines = "\n".join(map(printable, valid(text).split("\n")))
    return lines.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
