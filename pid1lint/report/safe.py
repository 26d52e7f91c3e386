"""The last thing that happens to a line before it is printed, whatever it is of: it says something and does nothing.

What is checked may be a stranger's: names, programs and signals in it must not command the terminal, nor turn a line
round, nor be taken by a CI server for one of its commands in a log, nor become HTML.
"""

from __future__ import annotations

import re

from pid1lint.report.style import printable

JSON = frozenset(("json", "sarif", "gitlab", "rdjson"))
XML = frozenset(("junit", "checkstyle"))
_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
# GitHub Actions and Azure Pipelines look for the first two anywhere in a line, TeamCity where one begins.
_BRACKETS = re.compile(r"##(?=\[|vso\[|teamcity\[)")
# GitHub Actions takes blanks away first.
_COLONS = re.compile(r"^\s*::", re.MULTILINE)


def safe(line: str, form: str, *, colour: bool = False) -> str:
    """A line, or a document, of a report in a form; `text` stands for everything that people read.

    With `colour` the sequences that colour it are kept. `patch` is a diff for another program: what stands in the files
    must stay as it is there.
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
        line = "".join(
            piece if colour and _COLOUR.fullmatch(piece) else printable(piece) for piece in _COLOUR.split(line)
        )
    line = _BRACKETS.sub("# #", line)
    return f"./{line}" if _COLONS.match(_COLOUR.sub("", line)) else line
