"""Diagnostics as GitHub's kind of Markdown, for a job's summary: a table, then the launches that they are about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pid1lint.diagnostic import Diagnostic, Severity
from pid1lint.report.launches import key_of, launch_of
from pid1lint.report.style import Style, printable
from pid1lint.report.text import conclusion, how_to_apply, where
from pid1lint.report.urls import rule_page

if TYPE_CHECKING:
    from pid1lint.launch.launch import Launch
    from pid1lint.report import Report

_SIGNS = {Severity.ERROR: "❌ error", Severity.WARNING: "⚠️ warning", Severity.INFO: "ℹ️ info"}


def report(made: Report, style: Style) -> Iterator[str]:
    """The lines of the report."""
    yield from ("## pid1lint", "", _plain(" ".join(conclusion(made))))
    if made.diagnostics:
        yield from ("", "| | place | rule | what happens |", "|---|---|---|---|")
        yield from map(_row, made.diagnostics)
    about = {launch_of(diagnostic) for diagnostic in made.diagnostics if diagnostic.outcome}
    for launch in made.launches:
        if key_of(launch) in about:
            yield from _details(launch)


def _row(diagnostic: Diagnostic) -> str:
    told = _plain(diagnostic.message)
    told += "".join(f"<br>{_plain(where(note.at))}: {_plain(note.message)}" for note in diagnostic.notes)
    if diagnostic.fix is not None:
        told += f"<br>Fix: {_plain(diagnostic.fix.title)} (`{how_to_apply(diagnostic.fix)}`)"
    rule, page = f"{diagnostic.code} {diagnostic.name}", rule_page(diagnostic.name)
    rule = f"[{rule}]({page})" if page else rule
    return f"| {_SIGNS[diagnostic.severity]} | {_plain(where(diagnostic.at))} | {rule} | {told} |"


def _details(launch: Launch) -> Iterator[str]:
    from pid1lint.report import tree

    lines = [_html(line.rstrip()) for line in tree.render(launch, Style(width=100))]
    stage = f", stage {launch.stage}" if launch.stage else ""
    deployment = launch.image.deployment
    name = f"{launch.dockerfile}{stage}" if deployment is None else f"{deployment.path}, {deployment.label}"
    title = _html(printable(f"{name}: {launch.outcome.value}"))
    # An empty line ends a block of HTML, but for one that starts with <pre>.
    yield from ("", f"<details><summary>{title}</summary>", "", "<pre>")
    yield from lines
    yield from ("</pre>", "", "</details>")


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, in one cell; an `@` must not call anybody."""
    escaped = re.sub(r"([\\`*_{}\[\]#|~$])", r"\\\1", _html(printable(text)))
    return escaped.replace("@", "&#64;").replace("://", "&#58;//")
