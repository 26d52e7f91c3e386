"""Diagnostics in the Reviewdog Diagnostic Format, with the safe fixes as suggestions.

See https://github.com/reviewdog/reviewdog/tree/master/proto/rdf. Columns count bytes of UTF-8 there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pid1lint.diagnostic import Diagnostic
from pid1lint.fix import Applicability
from pid1lint.report.json import Json, dump
from pid1lint.report.markup import valid
from pid1lint.report.urls import home, rule_page
from pid1lint.source import BOM, Location, Place, Source

if TYPE_CHECKING:
    from pid1lint.report import Report
    from pid1lint.report.style import Style


def report(made: Report, style: Style) -> Iterator[str]:
    """The lines of the report."""
    url = home()
    source = {"name": "pid1lint", **({"url": url} if url else {})}
    yield dump({"source": source, "diagnostics": [_diagnostic(diagnostic) for diagnostic in made.diagnostics]})


def _diagnostic(diagnostic: Diagnostic) -> Json:
    page = rule_page(diagnostic.name)
    suggestions = list(_suggestions(diagnostic))
    return {
        "message": valid(diagnostic.message),
        "location": {"path": valid(diagnostic.at.source.path), "range": _range(diagnostic.at)},
        "severity": diagnostic.severity.value.upper(),
        "code": {"value": diagnostic.code, **({"url": page} if page else {})},
        **({"suggestions": suggestions} if suggestions else {}),
    }


def _suggestions(diagnostic: Diagnostic) -> Iterator[Json]:
    """The fix, if one suggestion can hold it: each is offered by itself, in the file that the finding is in."""
    fix = diagnostic.fix
    edit = fix.merged if fix is not None and fix.applicability is Applicability.SAFE else None
    if edit is not None and edit.source.path == diagnostic.at.source.path and edit.content == valid(edit.content):
        yield {"range": _range(Place(edit.source, edit.span)), "text": edit.content}


def _range(place: Place) -> Json:
    return {"start": _position(place.source, place.start), "end": _position(place.source, place.end)}


def _position(source: Source, location: Location) -> Json:
    start = source.line_starts[location.line - 1]
    before = source.text[start : start + location.column - 1]
    if source.bom and location.line == 1:
        before = BOM + before
    return {"line": location.line, "column": len(before.encode("utf-8", "surrogateescape")) + 1}
