"""Reads the notation of rule pages: a case is an image's files, what the rule says of them and what becomes of it.

A page is Markdown: a rule's docstring, or `tests/rules/<rule-name>.md` with more cases in the same notation. Each
heading `## ...` that has fenced blocks below it is a case. In a docstring these are called `## Example`, or
`## Example: what is special about it`; in a file of cases each heading says what holds.

The word behind the fence is the language, the next the file's name, settings follow:

    ```dockerfile                       the Dockerfile (of another name: ```dockerfile build/Dockerfile)
    ```sh entrypoint.sh                 a file of the build context, executable
    ```sh entrypoint.sh mode=644        a file with other permissions
    ```sh entrypoint.sh eol=crlf        a file with CRLF line ends
    ```sh entrypoint.sh eol=none        a file without a line end at its end
    ```yaml compose.yaml                a deployment's file: then its last launch is judged, and not the Dockerfile's
    ```text                             what is expected, see below
    ```console                          shown to the reader, not looked at (any language but text, without a name)

The block of expectations holds every line that this rule reports, as `--format concise` prints it and nothing else,
and one last line with the outcome of the launch:

    entrypoint.sh:3:1: PID201 ...
    = hang
    = hang: what follows a colon is for the reader
    = hang, not measured: the oracle cannot run this one, and why
    = none                              there is no launch to speak of

OUTCOME is `graceful`, `abrupt`, `hang`, `exits`, `fails`, `unknown` (not measured either) or `none`. A block of nothing
but an outcome says that the rule has nothing to report.

After a line `Use instead:` come the files that change, in full. They make an image of which no rule reports anything
at warning or above and which ends gracefully, unless a ```text block after them says another outcome. If the rule
offers a fix for what it reports, these files are what the fix makes, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pid1lint.deploy.kinds import kind_of
from pid1lint.report.page import OUTCOME

OUTCOMES = ("graceful", "abrupt", "hang", "exits", "fails", "unknown", "none")
USE_INSTEAD = "Use instead:"

_HEADING = re.compile(r"^## +(?P<title>.+)$")
_FENCE = re.compile(r"^(?P<fence>```+)(?P<info>[^`]*)$")
_LINE_ENDS = {"lf": "\n", "crlf": "\r\n"}


class PageError(Exception):
    """The page is not in the notation; says in which line, counted from 1, and why."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")


class PageFile(NamedTuple):
    """A file of a case."""

    text: str
    mode: int = 0o755


class Outcome(NamedTuple):
    """What becomes of the container when it is told to stop; `measured` if the oracle is to confirm it."""

    name: str
    measured: bool


GRACEFUL = Outcome("graceful", measured=True)


@dataclass(frozen=True)
class Case:
    """One example: the files, every line that the rule reports, the outcome; and the files and outcome once mended.

    `fixed` is None where the page says nothing of how to do better; else it holds all files, not only the changed ones.
    """

    title: str
    line: int
    files: Mapping[str, PageFile]
    dockerfile: str
    findings: tuple[str, ...]
    outcome: Outcome
    fixed: Mapping[str, PageFile] | None = None
    fixed_outcome: Outcome = GRACEFUL
    deployment: str = ""


class Block(NamedTuple):
    """A fenced block: the words behind the fence, its text, the line of its fence."""

    info: tuple[str, ...]
    text: str
    line: int


@dataclass
class _Section:
    """What stands below one heading, as it is read."""

    title: str
    line: int
    blocks: list[Block] = field(default_factory=list)
    # How many blocks stand before `Use instead:`.
    before: int | None = None


def cases(page: str) -> tuple[Case, ...]:
    """All cases of a page, in order; `PageError` where it is not in the notation."""
    return tuple(_case(section) for section in _sections(page) if section.blocks)


def headings(page: str) -> tuple[str, ...]:
    """The titles of a page's sections, in order."""
    return tuple(section.title for section in _sections(page) if section.line)


def _sections(page: str) -> Iterator[_Section]:
    section = _Section("", 0)
    lines = iter(enumerate(page.split("\n"), 1))
    for number, line in lines:
        if match := _HEADING.match(line):
            yield section
            section = _Section(match["title"], number)
        elif match := _FENCE.match(line):
            body = list(_until_closed(lines, match["fence"], number))
            section.blocks.append(Block(tuple(match["info"].split()), "".join(f"{each}\n" for each in body), number))
        elif line == USE_INSTEAD:
            section.before = len(section.blocks)
    yield section


def _until_closed(lines: Iterator[tuple[int, str]], fence: str, number: int) -> Iterator[str]:
    for _, line in lines:
        if line.rstrip() == fence:
            return
        yield line
    raise PageError(number, "the block is never closed")


def _case(section: _Section) -> Case:
    given, instead = section.blocks[: section.before], section.blocks[len(section.blocks[: section.before]) :]
    files = dict(_files(given))
    dockerfile = next((_name(block) for block in given if block.info[:1] == ("dockerfile",)), None)
    deployment = next((name for name, file in _files(given) if kind_of(name, file.text)), "")
    if dockerfile is None and not deployment:
        raise PageError(section.line, f"{section.title!r} has no dockerfile block")
    if (expected := _expected(given)) is None:
        raise PageError(section.line, f"{section.title!r} has no text block: it must say its outcome")
    findings, outcome = expected
    changed = dict(_files(instead))
    if section.before is not None and not changed:
        raise PageError(section.line, f"nothing follows {USE_INSTEAD!r}")
    mended = _expected(instead)
    return Case(
        title=section.title,
        line=section.line,
        files=files,
        dockerfile=dockerfile or "",
        findings=findings,
        outcome=outcome,
        fixed=files | changed if changed else None,
        fixed_outcome=mended[1] if mended else GRACEFUL,
        deployment=deployment,
    )


def _files(blocks: list[Block]) -> Iterator[tuple[str, PageFile]]:
    for block in blocks:
        if name := _name(block):
            yield name, _page_file(block)


def _name(block: Block) -> str:
    """The file that a block is; empty if it is none."""
    named = [word for word in block.info[1:] if "=" not in word]
    if named:
        return named[0]
    return "Dockerfile" if block.info[:1] == ("dockerfile",) else ""


def _page_file(block: Block) -> PageFile:
    settings = dict(word.split("=", 1) for word in block.info[1:] if "=" in word)
    if unknown := settings.keys() - {"mode", "eol"}:
        raise PageError(block.line, f"unknown setting {unknown.pop()!r}")
    mode = int(settings.get("mode", "755"), 8)
    eol = settings.get("eol", "lf")
    text = block.text.removesuffix("\n") if eol == "none" else block.text.replace("\n", _LINE_ENDS[eol])
    return PageFile(text, mode)


def _expected(blocks: list[Block]) -> tuple[tuple[str, ...], Outcome] | None:
    """The findings and the outcome that the text block states."""
    block = next((block for block in blocks if block.info == ("text",)), None)
    if block is None:
        return None
    *findings, last = block.text.splitlines() or [""]
    match = OUTCOME.match(last)
    if match is None or match["outcome"] not in OUTCOMES:
        raise PageError(block.line, f"the text block must end in `= OUTCOME` with one of {', '.join(OUTCOMES)}")
    measured = match["unmeasured"] is None and match["outcome"] not in ("unknown", "none")
    return tuple(findings), Outcome(match["outcome"], measured)
