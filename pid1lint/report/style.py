"""What the reader's terminal can show: colour, Unicode, width; and how many cells a text takes there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from pid1lint.diagnostic import Severity
from pid1lint.frozen import NamedTuple

TAB = 4
SEVERITY_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "1;31",
    "green": "32",
    "yellow": "1;33",
    "blue": "1;34",
    "cyan": "36",
}


class Style(NamedTuple):
    """How to write; `width` is the number of cells to stay within, `wrap` whether messages are folded to it.

    `links` is whether a word may lead to its page when the reader clicks on it.
    """

    colour: bool = False
    unicode: bool = True
    width: int = 80
    wrap: bool = False
    links: bool = False

    def paint(self, colour: str, text: str) -> str:
        """The text in a colour, where there is any."""
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self.colour and text else text

    def link(self, text: str, url: str | None) -> str:
        """The text, with a hyperlink (OSC 8) where the terminal takes one and there is a page."""
        return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\" if self.links and url else text

    def sign(self, fancy: str, plain: str) -> str:
        """The first where it can be shown, else the second."""
        return fancy if self.unicode else plain


def style_of(stream: TextIO, environ: Mapping[str, str]) -> Style:
    """What suits a stream: colour on a terminal only, unless NO_COLOR or FORCE_COLOR say otherwise."""
    terminal = stream.isatty()
    links = terminal and environ.get("TERM") not in ("dumb", "linux")
    return Style(_colour(terminal, environ), _shows_unicode(stream), _width(stream, terminal), terminal, links)


def _colour(terminal: bool, environ: Mapping[str, str]) -> bool:
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return environ["FORCE_COLOR"] != "0"
    return terminal and environ.get("TERM") != "dumb"


def _shows_unicode(stream: TextIO) -> bool:
    try:
        "└─→✓✗│…".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _width(stream: TextIO, terminal: bool) -> int:
    if not terminal:
        return 80
    try:
        return max(40, os.get_terminal_size(stream.fileno()).columns or 80)
    except (OSError, ValueError):
        return 80


def fold(text: str, width: int, first: str = "", later: str = "") -> list[str]:
    """The text in lines between whose words it is broken, but not between a number and its unit; at least one line."""
    import re
    import textwrap

    joined = re.sub(r"(?<=\d) (?=(?:s|ms|MB)\b)", "\xa0", text)
    lines = textwrap.wrap(
        joined, width, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace("\xa0", " ") for line in lines] or [""]


def printable(text: str) -> str:
    """The text with what could move or recolour the terminal's cursor shown as a replacement character.

    Tabs become blanks; a file under review must not be able to hide a part of itself from its report.
    """
    if text.isprintable():
        return text
    return "".join(shown for shown, _ in _cells_of(text))


def cells(text: str) -> int:
    """How many terminal cells a text takes: 0 for what combines, 2 for what is wide, tabs to the next stop."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(width for _, width in _cells_of(text))


def cell_map(text: str) -> Sequence[int]:
    """For each character, and for the end, the cell at which it begins."""
    if text.isascii() and text.isprintable():
        return range(len(text) + 1)
    starts = [0]
    for _, width in _cells_of(text):
        starts.append(starts[-1] + width)
    return starts


def _cells_of(text: str) -> Iterator[tuple[str, int]]:
    """What is shown for each character, and how many cells that takes."""
    import unicodedata

    at = 0
    for char in text:
        shown = char
        category = unicodedata.category(char)
        if char == "\t":
            width = TAB - at % TAB
            shown = " " * width
        elif category in ("Mn", "Me"):
            width = 0
        elif category in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            shown, width = "\ufffd", 1
        else:
            width = 2 if unicodedata.east_asian_width(char) in "WF" else 1
        at += width
        yield shown, width
