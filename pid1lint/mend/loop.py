"""A loop of a script: what stands before it, and the sleeps in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pid1lint.fix import Edit, ShellGuard
from pid1lint.mend.command import waited_for
from pid1lint.mend.lines import indentation
from pid1lint.shell.ir import For, List, Loop, Simple, items
from pid1lint.source import Place, Span

if TYPE_CHECKING:
    from pid1lint.shell.ir import Script


def sleeps_into_background(script: Script, inside: Place) -> tuple[tuple[Edit, ...], tuple[ShellGuard, ...]]:
    """Send the long `sleep`s of the outermost loop around a part of a script to the background, and wait for each.

    A handler waits for a `sleep` in the foreground as for any program. Those of less than 10 s are left alone.
    """
    loop = _loop_around(script, inside)
    found = [item.node for item in items(loop.body) if isinstance(item.node, Simple)] if loop is not None else []
    made = [both for both in (waited_for(script, node) for node in found if _sleeps_long(node)) if both is not None]
    edits = tuple(edit for edits, _ in made for edit in edits)
    return edits, tuple(guard for _, guards in made for guard in guards)


def _sleeps_long(node: Simple) -> bool:
    from pid1lint.launch.leaf import sleep_seconds

    if len(node.words) < 2 or node.words[0].text.rpartition("/")[2] != "sleep":
        return False
    duration = node.words[1].literal
    seconds = sleep_seconds(duration) if duration is not None else None
    return seconds is None or seconds >= _LONG


_LONG = 10
"""What a `sleep` must take, in seconds, to outlast the grace period of `docker stop`."""


def before_loop(script: Script, inside: Place, statement: str) -> tuple[Edit, ...] | None:
    """Put a statement on a line of its own before the outermost loop around a part of a script."""
    loop = _loop_around(script, inside)
    indent = indentation(script, loop.span.start) if loop is not None else None
    if loop is None or indent is None:
        return None
    source, at = script.text.source, script.text.offset(loop.span.start)
    return (Edit(source, Span(at, at), f"{statement}{source.newline}{indent}"),)


def _loop_around(script: Script, inside: Place) -> Loop | For | None:
    """The outermost loop around a part of a script."""
    for loop in _loops(script.body):
        whole = script.place(loop.span)
        if (
            whole.source is inside.source
            and whole.span.start <= inside.span.start
            and inside.span.end <= whole.span.end
        ):
            return loop
    return None


def _loops(body: List) -> Iterator[Loop | For]:
    for item in items(body):
        if isinstance(item.node, Loop | For):
            yield item.node
