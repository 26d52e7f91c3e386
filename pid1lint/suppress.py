"""Comments that suppress findings: where each counts, and which of them suppress nothing.

`# pid1lint: ignore[PID101] reason` counts for what begins or ends on its own line or, if it stands alone, on the next
one that is no comment; a line goes on after a backslash. In a Dockerfile, where no comment can trail an instruction,
one before it counts for the whole of it, and one between its lines for the next of them. `ignore-file[...]` counts for
the whole file. Comments for hadolint and BuildKit count for those of our rules that are about the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pid1lint import registry
from pid1lint.diagnostic import Diagnostic
from pid1lint.dockerfile.scanner import Dockerfile, Instruction
from pid1lint.errors import Pid1lintError
from pid1lint.fix import Applicability, Edit, Fix
from pid1lint.rulebook import UNUSED_IGNORE, FileProblem
from pid1lint.source import Place, Source, Span

_SHELL_FORM = frozenset(("PID101",))
_OVERRIDDEN = frozenset(("PID106",))
_HADOLINT = {"DL3025": _SHELL_FORM, "DL4003": _OVERRIDDEN, "DL4004": _OVERRIDDEN}
# Names of checks are told apart by case.
_BUILDKIT = {
    "JSONArgsRecommended": _SHELL_FORM,
    "MultipleInstructionsDisallowed": _OVERRIDDEN,
    "all": _SHELL_FORM | _OVERRIDDEN,
}

_OURS = re.compile(
    r"(?:^|(?<=[\s;]))#[ \t]*pid1lint:[ \t]*(?P<kind>ignore(?:-file)?)\b(?P<list>[ \t]*\[(?P<words>[^\]\r\n]*)\])?"
    r"[^\r\n]*",
    re.MULTILINE,
)
_THEIRS = re.compile(r"^[ \t]*#[ \t]*hadolint[ \t]+(?P<kind>(?:global[ \t]+)?ignore)[ \t]*=(?P<words>[^\r\n]*)", re.M)
_WORD = re.compile(r"[^\s,][^,]*?(?=\s*(?:,|$))")


class Lines(NamedTuple):
    """Lines from `first` to `last`, counted from 1, both included."""

    first: int
    last: int


class Selector(NamedTuple):
    """One name in a comment: where it stands, and the codes that it stands for; `mistake` if there are none."""

    at: Place
    codes: frozenset[str]
    mistake: str = ""


class Ignore(NamedTuple):
    """One comment. `lines` is None for the whole file; of a `foreign` one, nobody asks whether it is of use to us."""

    at: Place
    selectors: tuple[Selector, ...]
    lines: Lines | None
    foreign: bool = False

    def covers(self, diagnostic: Diagnostic) -> bool:
        """Whether a finding stands where the comment counts."""
        if diagnostic.at.source.path != self.at.source.path:
            return False
        first, last = diagnostic.at.start.line, diagnostic.at.end.line
        return self.lines is None or any(self.lines.first <= line <= self.lines.last for line in (first, last))


def ignores(source: Source, dockerfile: Dockerfile | None = None) -> Iterator[Ignore]:
    """The comments in a file; `dockerfile` if it is one."""
    text = source.text
    if "pid1lint:" in text:
        for match in _OURS.finditer(text):
            lines = None if match["kind"] == "ignore-file" else _lines(source, dockerfile, match.start())
            yield Ignore(source.place(*match.span()), tuple(_selectors(source, match)), lines)
    if dockerfile is not None:
        yield from _foreign(source, dockerfile)


def _selectors(source: Source, match: re.Match[str]) -> Iterator[Selector]:
    if match["list"] is None or not match["words"].strip():
        mistake = f"`{match['kind']}` names no rule: write {match['kind']}[CODE]"
        yield Selector(source.place(*match.span()), frozenset(), mistake)
        return
    for word in _WORD.finditer(match["words"]):
        start = match.start("words") + word.start()
        at = source.place(start, start + len(word.group()))
        try:
            yield Selector(at, registry.matching(word.group()))
        except Pid1lintError as error:
            yield Selector(at, frozenset(), str(error))


def _foreign(source: Source, dockerfile: Dockerfile) -> Iterator[Ignore]:
    for match in _THEIRS.finditer(source.text) if "hadolint" in source.text else ():
        codes: frozenset[str] = frozenset().union(*(_HADOLINT.get(w.strip(), ()) for w in match["words"].split(",")))
        at = source.place(*match.span())
        lines = _lines(source, dockerfile, match.start()) if match["kind"] == "ignore" else None
        # For hadolint it must stand right above.
        if codes and (lines is None or lines.first == at.start.line + 1):
            yield Ignore(at, (Selector(at, codes),), lines, foreign=True)
    check = dockerfile.directive("check") or ""
    for key, _, value in (part.strip().partition("=") for part in check.split(";")):
        if key.strip().lower() == "skip":
            top = source.place(0, 0)
            names = (name.strip() for name in value.split(","))
            codes = frozenset().union(*(_BUILDKIT.get(name, ()) for name in names))
            yield Ignore(top, (Selector(top, codes),), None, foreign=True)


def _lines(source: Source, dockerfile: Dockerfile | None, offset: int) -> Lines:
    """The lines for which a comment at an offset counts."""
    number = source.location(offset).line
    if source.text[source.line_starts[number - 1] : offset].strip():
        return logical_line(source, number)
    target = number + 1
    while target <= len(source.line_starts) and source.line(target).lstrip().startswith("#"):
        target += 1
    if target > len(source.line_starts):
        return Lines(number, number)
    if dockerfile is not None and not in_heredoc(dockerfile, offset):
        instruction = _at_line(dockerfile, target)
        if instruction is not None:
            return Lines(target, source.location(instruction.span.end).line)
        return Lines(target, target)
    return logical_line(source, target)


def _at_line(dockerfile: Dockerfile, number: int) -> Instruction | None:
    """The instruction that begins on a line."""
    location = dockerfile.source.location
    return next((i for i in dockerfile.instructions if location(i.span.start).line == number), None)


def in_heredoc(dockerfile: Dockerfile, offset: int) -> bool:
    """Whether an offset stands in a here-document, which is a file's text and no Dockerfile's."""
    documents = (heredoc for instruction in dockerfile.instructions for heredoc in instruction.heredocs)
    return any(heredoc.span.start <= offset < heredoc.span.end for heredoc in documents)


def logical_line(source: Source, number: int) -> Lines:
    """The line with those that backslashes join to it."""
    first = last = number
    while first > 1 and source.line(first - 1).endswith("\\"):
        first -= 1
    while last < len(source.line_starts) and source.line(last).endswith("\\"):
        last += 1
    return Lines(first, last)


class Verdict(NamedTuple):
    """What is left of some findings, the selectors that suppressed one, and the problems with the comments."""

    diagnostics: tuple[Diagnostic, ...]
    used: frozenset[tuple[str, int]]
    problems: tuple[FileProblem, ...]


def suppress(diagnostics: Iterable[Diagnostic], comments: Sequence[Ignore], *, certain: bool) -> Verdict:
    """Leave out what comments suppress; a selector of no use is a problem only if `certain` of all findings.

    `used` has the path and the offset of each selector.
    """
    left, used = [], set()
    for diagnostic in diagnostics:
        by = {
            (selector.at.source.path, selector.at.span.start)
            for comment in comments
            if comment.covers(diagnostic)
            for selector in comment.selectors
            if diagnostic.code in selector.codes
        }
        used |= by
        if not by:
            left.append(diagnostic)
    problems = (_problem(comment, selector, used, certain) for comment in comments for selector in comment.selectors)
    return Verdict(tuple(left), frozenset(used), tuple(problem for problem in problems if problem is not None))


def _problem(comment: Ignore, selector: Selector, used: set[tuple[str, int]], certain: bool) -> FileProblem | None:
    if selector.mistake:
        return FileProblem(selector.at, "ignore", selector.mistake)
    is_used = (selector.at.source.path, selector.at.span.start) in used
    if comment.foreign or is_used or not certain or UNUSED_IGNORE in selector.codes:
        return None
    message = f"ignore[{selector.at.text}] suppresses nothing: there is no such finding "
    message += "in this file" if comment.lines is None else "there"
    return FileProblem(selector.at, "ignore", message, _removal(comment, selector))


def _removal(comment: Ignore, selector: Selector) -> Fix:
    """Take a name out of a comment, or the comment out of the file if it is the only one."""
    source, text = comment.at.source, comment.at.source.text
    start, end = selector.at.span
    if len(comment.selectors) > 1:
        last = selector == comment.selectors[-1]
        while text[start - 1 if last else end] in " ,\t":
            start, end = (start - 1, end) if last else (start, end + 1)
        return Fix("Remove the name", (Edit(source, Span(start, end), ""),), Applicability.SAFE)
    start, end = comment.at.span
    while start > 0 and text[start - 1] in " \t":
        start -= 1
    alone = start == 0 or text[start - 1] == "\n"
    if alone:
        after = text.find("\n", end)
        end = len(text) if after < 0 else after + 1
    return Fix("Remove the comment", (Edit(source, Span(start, end), ""),), Applicability.SAFE)
