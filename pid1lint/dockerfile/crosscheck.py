"""A second reading of the Dockerfile by dockerfile-parse, against which the scanner's is held before a fix."""

from __future__ import annotations

import re
from io import BytesIO
from itertools import zip_longest

from pid1lint.dockerfile.scanner import Dockerfile


def disagreement(dockerfile: Dockerfile) -> str | None:
    """Where the two readings differ in an instruction or its first line, in one phrase; None if they agree."""
    ours = [(i.keyword, dockerfile.source.location(i.span.start).line) for i in dockerfile.instructions]
    theirs = _structure(masked(dockerfile))
    for mine, other in zip_longest(ours, theirs):
        if mine != other:
            return f"{_show(mine)} for one parser is {_show(other)} for the other"
    return None


def masked(dockerfile: Dockerfile) -> str:
    """The text without what dockerfile-parse is known not to read, line by line.

    Heredocs, and blank lines inside an instruction, become comments; a continuation that the file's end cuts off goes.
    """
    parts: list[str] = []
    at = 0
    text = dockerfile.source.text
    for instruction in dockerfile.instructions:
        start, end = instruction.span
        first = min((heredoc.span.start for heredoc in instruction.heredocs), default=end)
        parts += [text[at:start], _without_blank_lines(text[start:first])]
        parts += ["#" + _line_end(line) for line in _lines(text[first:end]) if line]
        at = end
    known = "".join(parts)
    if not text[at:].strip() and parts and not dockerfile.instructions[-1].heredocs:
        known = known.rstrip(" \t").removesuffix(dockerfile.escape)
    return known + text[at:]


def _without_blank_lines(text: str) -> str:
    return "".join(line if line.strip() or not line else "#" + line for line in _lines(text))


def _lines(text: str) -> list[str]:
    # Not splitlines, which also ends a line at a form feed.
    return re.split(r"(?<=\n)", text)


def _line_end(line: str) -> str:
    return "\n" if line.endswith("\n") else ""


def _structure(text: str) -> list[tuple[str, int]]:
    # It takes a quarter of the start-up time, and only fixes need it.
    from dockerfile_parse import DockerfileParser

    parser = DockerfileParser(fileobj=BytesIO(text.encode("utf-8", "replace")))
    return [
        (str(row["instruction"]), int(row["startline"]) + 1)
        for row in parser.structure
        if row["instruction"] != "COMMENT"
    ]


def _show(row: tuple[str, int] | None) -> str:
    return "nothing" if row is None else f"{row[0]} in line {row[1]}"
