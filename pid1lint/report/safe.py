"""The last thing that happens to a line before it is printed, whatever it is of: it says something and does nothing.

What is checked may be a stranger's: names, programs and signals in it must not command the terminal, nor turn a line
round, nor be taken by a CI server for one of its commands in a log, nor become HTML.
"""

from __future__ import annotations

import re

from pid1lint.report.style import printable
from pid1lint.report.urls import documentation

JSON = frozenset(("json", "sarif", "gitlab", "rdjson"))
XML = frozenset(("junit", "checkstyle"))
_SEQUENCE = r"(\x1b\[[0-9;]*m|\x1b\]8;;[^\x1b]*\x1b\\)"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LINK = re.compile(r"\x1b\]8;;([^\x1b]*)\x1b\\")
# GitHub Actions and Azure Pipelines look for the first two anywhere in a line, TeamCity where one begins.
_BRACKETS = re.compile(r"##(?=\[|vso\[|teamcity\[)")
# GitHub Actions takes blanks away first.
_COLONS = re.compile(r"^\s*::", re.MULTILINE)


def safe(line: str, form: str, *, colour: bool = False, links: bool = False) -> str:
    """A line, or a document, of a report in a form; `text` stands for everything that people read.

    With `colour` the sequences that colour it are kept, with `links` hyperlinks to the documentation. `patch` is a diff
    for another program: what stands in the files must stay as it is there.
    """
    if form in JSON:
        return line.replace("##", "#\\u0023").replace("\x7f", "\\u007f")
    if form in XML:
        return _BRACKETS.sub("#&#35;", _COLONS.sub(lambda found: found[0][:-1] + "&#58;", line))
    if form == "github":
        # Its lines are commands, and what they say is escaped for that.
        return _BRACKETS.sub("#%23", printable(line))
    if form == "markdown":
        return _COLONS.sub(lambda found: found[0][:-1] + "&#58;", _BRACKETS.sub("#&#35;", printable(line)))
    if form != "patch":
        pieces = re.split(_SEQUENCE, line) if "\x1b" in line else [line]
        line = "".join(piece if _is_ours(piece, colour, links) else printable(piece) for piece in pieces)
    line = _BRACKETS.sub("# #", line)
    return f"./{line}" if _COLONS.match(re.sub(_SEQUENCE, "", line)) else line


def _is_ours(piece: str, colour: bool, links: bool) -> bool:
    """Whether a piece of a line is a sequence that only we write: a colour, or a link to the documentation."""
    if colour and _COLOUR.fullmatch(piece):
        return True
    link = _LINK.fullmatch(piece) if links else None
    return link is not None and (not link[1] or link[1].startswith(f"{documentation()}/"))
