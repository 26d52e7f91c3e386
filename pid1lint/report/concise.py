"""Diagnostics as one line each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pid1lint.report import text

if TYPE_CHECKING:
    from pid1lint.report import Report
    from pid1lint.report.style import Style


def report(made: Report, style: Style) -> Iterable[str]:
    """The lines of the report."""
    if made.statistics:
        return text.statistics(made.diagnostics, style)
    return map(text.concise, made.diagnostics)
