"""Whole lines of a file: put in front of something, or taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pid1lint.fix import Edit
from pid1lint.mend.setting import setting
from pid1lint.source import Source, Span

if TYPE_CHECKING:
    from pid1lint.dockerfile.scanner import Instruction
    from pid1lint.launch.launch import Launch
    from pid1lint.shell.ir import Script


def indentation(script: Script, start: int) -> str | None:
    """The blanks in front of what starts at `start`; None where something else stands there."""
    source, at = script.text.source, script.text.offset(start)
    indent = source.text[source.text.rfind("\n", 0, at) + 1 : at]
    return None if indent.strip() else indent


def line_above(launch: Launch, instruction: Instruction) -> int:
    """Where a line can be put in front of an instruction: above the comments that stand directly on it."""
    dockerfile = launch.image.dockerfile
    text, at = dockerfile.source.text, instruction.span.start
    for comment in reversed(dockerfile.comments):
        start = text.rfind("\n", 0, comment.span.start) + 1
        if comment.span.start < at and text[comment.span.end : at].strip(" \t\r") in ("", "\n"):
            at = start
    return at


def in_front(launch: Launch, line: str) -> Edit | None:
    """Put an instruction in front of the one that starts the container; None where that stands elsewhere.

    What starts a container of a deployment is stopped by a signal that the deployment sets.
    """
    image = launch.image
    keyword, _, value = line.partition(" ")
    if image.deployment is not None:
        edits = setting(launch, "stop_signal", value) if keyword == "STOPSIGNAL" else None
        return edits[0] if edits else None
    source = image.dockerfile.source
    command = image.entrypoint if image.entrypoint and image.entrypoint.instruction else image.cmd
    if command is None or command.instruction is None or command.instruction not in image.stage.instructions:
        return None
    start = line_above(launch, command.instruction)
    return Edit(source, Span(start, start), f"{line}{source.newline}")


def without_line(source: Source, span: Span) -> Edit:
    """Take out the lines of a span, and the blank line behind them where there is one in front of them too."""
    text = source.text
    start, end = text.rfind("\n", 0, span.start) + 1, text.find("\n", span.end) + 1 or len(text)
    after = text.find("\n", end) + 1
    blank_before = start == 0 or not text[text.rfind("\n", 0, start - 1) + 1 : start].strip()
    if after and blank_before and not text[end:after].strip():
        end = after
    return Edit(source, Span(start, end), "")
