"""A launch as a tree of processes: who becomes what, who gets the stop signal, and how it ends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pid1lint.dockerfile.expand import UNKNOWN
from pid1lint.frozen import NamedTuple
from pid1lint.report.style import Style, cells, fold, printable

if TYPE_CHECKING:
    from pid1lint.launch.launch import Launch
    from pid1lint.launch.process import Process
    from pid1lint.source import Place

_UNKNOWN = re.compile(f"{UNKNOWN}+")
_OUTCOME_COLOURS = {"graceful": "green", "abrupt": "red", "hang": "red", "fails": "red", "exits": "yellow"}
_GAP = 2
_INDENT = "  "
# Below this many cells a command is folded too often to be read.
_LEAST_COMMAND = 24


class _Row(NamedTuple):
    """One process: the branches before its first and its further lines, and its columns."""

    stem: str
    further: str
    command: str
    signal: tuple[str, str]
    place: str


def render(launch: Launch, style: Style) -> Iterator[str]:
    """The lines for one launch."""
    yield _title(launch, style)
    yield from _instructions(launch, style)
    yield ""
    if launch.tree is not None:
        first = "PID 1  " if launch.image.as_pid1 else "first  "
        yield from _table(tuple(_rows(launch.tree, launch.stop_signal, style, first)), style)
        yield ""
    yield from _verdict(launch, style)


def _title(launch: Launch, style: Style) -> str:
    stage = f", stage {printable(launch.stage)}" if launch.stage else ""
    deployment = launch.image.deployment
    if deployment is not None:
        image = f": {printable(launch.dockerfile)}{stage}" if launch.dockerfile != deployment.path else ""
        return style.paint("bold", printable(deployment.path)) + f", {printable(deployment.label)}{image}"
    return style.paint("bold", printable(launch.dockerfile)) + stage


def _instructions(launch: Launch, style: Style) -> Iterator[str]:
    written = (("ENTRYPOINT", launch.entrypoint), ("CMD", launch.cmd))
    lines = [(keyword, _as_written(value)) for keyword, value in written if value is not None]
    for keyword, value in (*lines, ("STOPSIGNAL", launch.stop_signal)):
        yield style.paint("dim", f"  {keyword:<10} ") + _known(value)


def _known(text: str) -> str:
    """A text as it is shown, with an ellipsis for what only the user's environment knows."""
    return printable(_UNKNOWN.sub("…", text))


def _as_written(command: Sequence[str] | str) -> str:
    if isinstance(command, str):
        return command
    import json

    return json.dumps(list(command), ensure_ascii=False)


def _rows(process: Process, stop_signal: str, style: Style, stem: str, further: str = "") -> Iterator[_Row]:
    yield _Row(
        stem,
        (further + ("│" if process.children else " ")).ljust(cells(stem) + len(_INDENT)),
        _command(process),
        _signal(process, stop_signal, style),
        _where(process),
    )
    for child in process.children:
        last = child is process.children[-1]
        branch = ("└─" if last else "├─") + {"exec": "exec→ ", "pipeline": "| "}.get(child.start, " ")
        trunk = "   " if last else "│  "
        yield from _rows(child, stop_signal, style, further + branch, further + trunk)


def _command(process: Process) -> str:
    argv = " ".join(map(_word, process.argv)) or process.program
    # A script is run by a shell that its name does not tell.
    named = _name(process.argv[0] if process.argv else process.program)
    shell = f" ({process.dialect})" if process.kind == "shell" and process.dialect and named != process.dialect else ""
    return _known(argv + shell) + (" &" if process.start == "background" else "")


def _name(program: str) -> str:
    return program.rpartition("/")[2]


def _word(word: str) -> str:
    """A word of an argv, quoted where its end could not be seen otherwise."""
    if word and not any(char in word for char in " \t\n\"'\\"):
        return word
    return "'" + word.replace("\n", "⏎") + "'"


def _signal(process: Process, stop_signal: str, style: Style) -> tuple[str, str]:
    """The colour and the text of what the stop signal does to a process."""
    for child in process.children:
        if child.start == "exec":
            return "dim", f"{style.sign('↓', 'v')} becomes {printable(_name(child.program))}"
    if process.receives_stop is None:
        return "yellow", "? not known"
    if process.rests is not None and process.main:
        # It may well have a handler that its own source does not show.
        return "yellow", f"? gets {stop_signal}"
    if process.receives_stop and process.assumed and process.kind == "app":
        # What it does then, nobody knows.
        return "yellow", f"? gets {stop_signal}"
    if process.receives_stop:
        return "green", f"{style.sign('✓', '+')} gets {stop_signal}"
    # The signal is sent to PID 1, whatever it makes of it.
    verb = "ignores" if process.pid1 else "never gets"
    return "red", f"{style.sign('✗', 'x')} {verb} {stop_signal}"


def _where(process: Process) -> str:
    if process.place is None:
        return ""
    source = process.place.source
    path = printable(source.path)
    return f"{path}:{process.place.start.line}" if source.in_file else path


def _table(rows: Sequence[_Row], style: Style) -> Iterator[str]:
    """The rows in columns: command, signal, place; commands are folded, places go below where there is no room."""
    signal_width = max(cells(row.signal[1]) for row in rows)
    place_width = max(cells(row.place) for row in rows)
    widest = max(cells(row.stem) + cells(row.command) for row in rows)
    room = style.width - 2 - signal_width - _GAP - place_width - _GAP
    below = room < min(widest, _LEAST_COMMAND + 8)
    if below:
        room = style.width - 2 - signal_width - _GAP
    column = min(room, widest)
    for row in rows:
        yield from _lines(row, column, signal_width, below, style)


def _lines(row: _Row, column: int, signal_width: int, below: bool, style: Style) -> Iterator[str]:
    pieces = _fold(row.command, column - cells(row.stem))
    stem = _plain(row.stem, style)
    colour, text = row.signal
    first = f"  {style.paint('dim', stem)}{style.paint('bold', pieces[0])}"
    padding = " " * (column - cells(stem) - cells(pieces[0]) + _GAP)
    tail = style.paint(colour, text)
    if row.place and not below:
        tail += " " * (signal_width - cells(text) + _GAP) + style.paint("cyan", row.place)
    yield first + padding + tail
    further = _plain(row.further, style)
    for piece in pieces[1:]:
        yield f"  {style.paint('dim', further)}{piece.removeprefix(_INDENT)}"
    if row.place and below:
        yield f"  {style.paint('dim', further)}{style.paint('cyan', row.place)}"


def _fold(command: str, width: int) -> list[str]:
    """The command over as many lines as it needs, the further ones indented by two."""
    import textwrap

    width = max(_LEAST_COMMAND // 2, width)
    return textwrap.wrap(
        command, width, subsequent_indent=_INDENT, break_on_hyphens=False, max_lines=3, placeholder=" ..."
    ) or [""]


def _plain(stem: str, style: Style) -> str:
    """The branches in ASCII, where the output takes nothing else; no line gets longer or shorter."""
    if style.unicode:
        return stem
    return stem.translate({ord("│"): "|", ord("├"): "|", ord("└"): "`", ord("─"): "-", ord("→"): ">"})


def _verdict(launch: Launch, style: Style) -> Iterator[str]:
    outcome = launch.outcome.value
    why = _known(launch.why)
    reaps = {
        True: "Orphaned processes are reaped.",
        False: "Orphaned processes are not reaped: they stay as zombies.",
        None: "It is not known whether orphaned processes are reaped.",
    }[launch.reaps]
    lines = _paragraph(f"{outcome}: {why}", style)
    lines[0] = style.paint(_OUTCOME_COLOURS.get(outcome, "yellow"), outcome) + lines[0][len(outcome) :]
    yield from (f"  {line}" for line in lines)
    if launch.open_at is not None:
        yield from (f"  {line}" for line in _open_at(launch.open_at, style))
    if _may_orphan(launch):
        yield from (style.paint("dim", f"  {line}") for line in _paragraph(reaps, style))


def _may_orphan(launch: Launch) -> bool:
    """Whether there is anything to be reaped: another process than PID 1, or an app that is known to start some."""
    if launch.tree is None or launch.outcome.value in ("exits", "fails"):
        return False
    return launch.orphans is not None or any(process.pid != 1 for process in launch.tree.walk())


def _open_at(place: Place, style: Style) -> Iterator[str]:
    """Where the analysis ended, with the line that ended it."""
    line = place.source.line(place.start.line).strip()
    yield from _paragraph(f"The analysis ends at {printable(place.source.path)}:{place.start.line}:", style)
    yield style.paint(
        "dim", "  " + printable(line if len(line) <= style.width - 8 else line[: style.width - 11] + "...")
    )


def _paragraph(text: str, style: Style) -> list[str]:
    return fold(text, style.width - 2)
