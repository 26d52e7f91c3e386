"""Unified diffs of what a fix would change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pid1lint.fixer import Change, unified
from pid1lint.report.style import Style, printable

_COLOURS = {"---": "bold", "+++": "bold", "@@": "cyan", "-": "red", "+": "green"}


def render(changes: Sequence[Change], style: Style) -> Iterator[str]:
    """The lines of the diffs; off a terminal they are a patch that `patch -p1` takes."""
    for change in changes:
        for line in unified(change):
            # A name has no line end in a diff; what stands in the file has what stands there.
            shown = printable(line) if style.wrap or line.startswith(("---", "+++")) else line
            colour = next((colour for opening, colour in _COLOURS.items() if line.startswith(opening)), None)
            yield style.paint(colour, shown) if colour else shown
