"""Writes `pid1lint/pid1lint.1`, the manual page, out of what `--help` is made of: `make readme`. The tests hold it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

import pid1lint
from pid1lint import cli
from pid1lint.options import EXAMPLES, Grouped

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "pid1lint" / "pid1lint.1"
_ROW = re.compile(r"^\| (\d+) \| (.+) \|$", re.MULTILINE)
_RELEASE = re.compile(r"^## \[(\d[^]]*)\] - (\d{4}-\d{2}-\d{2})$", re.MULTILINE)


def page() -> str:
    """The whole page, in the macros of man(7)."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    group = cli.group
    # The day of the release, for the page must not change with the day on which it is made.
    released = _RELEASE.search((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    yield f'.TH PID1LINT 1 "{released[2] if released else ""}" "pid1lint {pid1lint.__version__}" "User Commands"'
    yield ".SH NAME"
    yield from _folded(f"pid1lint - {_lowered(group.help or '')}")
    yield ".SH SYNOPSIS"
    for name, command in group.commands.items():
        yield from (".br",) if name != next(iter(group.commands)) else ()
        yield _synopsis(name, command)
    yield ".SH DESCRIPTION"
    yield from _paragraphs(f"{group.help}\n\n{group.epilog}")
    yield ".SH COMMANDS"
    for name, command in group.commands.items():
        yield f".SS pid1lint {name}"
        yield from _paragraphs(command.help or "")
        yield from _options(command)
    yield ".SH EXIT STATUS"
    yield from _definitions(_ROW.findall((ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")))
    yield ".SH FILES"
    yield from _definitions(
        [
            ("pid1lint.toml, .pid1lint.toml", "The configuration: the nearest one above each file counts."),
            ("pyproject.toml", "The same, in the table [tool.pid1lint]."),
        ]
    )
    yield ".SH EXAMPLES"
    yield from _definitions(EXAMPLES)
    yield ".SH SEE ALSO"
    yield ", ".join(rf"\fB{_text(name)}\fR(1)" for name in ("docker-stop", "dumb-init", "podman-stop", "tini"))


def _lowered(sentence: str) -> str:
    """A sentence as the name of a page has it: `say what happens`."""
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _context(command: click.Command, name: str | None = None) -> click.Context:
    """Below that of the group, which says how the help is asked for: a command keeps its first help option."""
    return click.Context(command, click.Context(cli.group, **cli.group.context_settings), name)


def _synopsis(name: str, command: click.Command) -> str:
    context = _context(command, name)
    pieces = " ".join(_text(piece) for piece in command.collect_usage_pieces(context))
    return rf"\fBpid1lint {name}\fR {pieces}"


def _options(command: click.Command) -> Iterator[str]:
    """The options under the headings that the help has."""
    context = _context(command)
    options = [param for param in command.get_params(context) if isinstance(param, click.Option)]
    left = {option.name: record for option in options if (record := option.get_help_record(context))}
    headings = command.headings if isinstance(command, Grouped) else {}
    for heading, names in {**headings, "Other": tuple(map(str, left))}.items():
        rows = [left.pop(name) for name in names if name in left]
        if rows:
            yield from (".PP", rf"\fI{_text(heading)}\fR") if headings else ()
            yield from _definitions(rows)


def _definitions(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, text in rows:
        yield ".TP"
        yield rf"\fB{_text(name)}\fR"
        yield from _folded(text)


def _paragraphs(text: str) -> Iterator[str]:
    """Paragraphs with their macro between them: behind a heading it would be none."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        yield from (".PP",) if number else ()
        yield from _folded(paragraph)


def _folded(text: str) -> list[str]:
    lines = textwrap.wrap(_text(" ".join(text.split())), 78, break_long_words=False, break_on_hyphens=False)
    return [rf"\&{line}" if line.startswith((".", "'")) else line for line in lines]


def _text(text: str) -> str:
    """Prose and words of a command line as roff: what could be a command of roff is none."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq")
    text = re.sub(r"`([^`]+)`", r"\\fB\1\\fR", text)
    return rf"\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
