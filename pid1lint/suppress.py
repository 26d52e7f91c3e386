"""Comments that suppress findings: where each counts, and which of them suppress nothing.

`# pid1lint: ignore[PID101] reason` counts for what begins or ends on its own line or, if it stands alone, on the next
one that is no comment; a line goes on after a backslash. In a Dockerfile, where no comment can trail an instruction,
one before it counts for the whole of it, and one between its lines for the next of them. `ignore-file[...]` counts for
the whole file. Comments for hadolint and BuildKit count for those of our rules that are about the same.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from pid1lint import registry
from pid1lint.diagnostic import Diagnostic, Note, Severity
from pid1lint.dockerfile.scanner import COMMENT_AFTER_ARRAY, Dockerfile, Heredoc, Instruction
from pid1lint.errors import Pid1lintError
from pid1lint.fix import Applicability, Edit, Fix
from pid1lint.frozen import NamedTuple
from pid1lint.image.run import scripts as shell_texts
from pid1lint.rulebook import UNUSED_IGNORE, FileProblem
from pid1lint.shell.ir import Opaque, Script
from pid1lint.shell.parse import is_shell, parse
from pid1lint.source import Place, Source, Span

if TYPE_CHECKING:
    from pid1lint.launch.launch import Launch

_SHELL_FORM = frozenset(("PID101",))
_OVERRIDDEN = frozenset(("PID106",))
_HADOLINT = {"DL3025": _SHELL_FORM, "DL4003": _OVERRIDDEN, "DL4004": _OVERRIDDEN}
# Names of checks are told apart by case.
_BUILDKIT = {
    "JSONArgsRecommended": _SHELL_FORM,
    "MultipleInstructionsDisallowed": _OVERRIDDEN,
    "all": _SHELL_FORM | _OVERRIDDEN,
}

_WIDE = 100
"""Comments that count for more lines are looked through one by one."""

_GUESSES = 100
"""For so many comments of a file it is worked out what somebody may have meant."""

_MOST_WORDS = 100
"""So many words of a comment count: there are fewer rules."""

_KINDS = ("ignore", "ignore-file")
_OTHERS = frozenset(("allow", "disable", "disable-file", "ignored", "ignores", "noqa", "off", "skip", "skip-file"))
_OURS = re.compile(
    r"(?:^|(?<=[\s;]))#[ \t]*pid1lint:[ \t]*(?P<kind>[a-z]+(?:-[a-z]+)*)\b(?P<list>[ \t]*\[(?P<words>[^\]\r\n]*)\])?"
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
    """One name in a comment: where it stands, and the codes that it stands for.

    `mistake` says why there are none, `fix` mends the mistake.
    """

    at: Place
    codes: frozenset[str]
    mistake: str = ""
    fix: Fix | None = None


class Ignore(NamedTuple):
    """One comment. `lines` is None for the whole file; of a `foreign` one, nobody asks whether it is of use to us.

    `of_style`: what it names is a matter of style to its tool, so that it does not suppress an error.
    """

    at: Place
    selectors: tuple[Selector, ...]
    lines: Lines | None
    foreign: bool = False
    of_style: bool = False

    def covers(self, diagnostic: Diagnostic) -> bool:
        """Whether a finding stands where the comment counts."""
        if diagnostic.at.source.path != self.at.source.path:
            return False
        first, last = diagnostic.at.start.line, diagnostic.at.end.line
        return self.lines is None or any(self.lines.first <= line <= self.lines.last for line in (first, last))


def comments_in(dockerfile: Dockerfile, launches: Sequence[Launch], found: Sequence[Diagnostic]) -> tuple[Ignore, ...]:
    """The comments that may suppress findings, each once.

    They stand in the Dockerfile, in the scripts that its launches run, in those of its here-documents that are found
    fault with, and in files that are, but that no launch runs: a script that cannot start, say.
    """
    own = dockerfile.source
    run = {source.path: source for launch in launches for source in launch.sources} | {own.path: own}
    scripts = [script for launch in launches for script in launch.scripts]
    others = {d.at.source.path: d.at.source for d in found if d.at.source.path not in run}
    every = (
        *(each for s in run.values() for each in ignores(s, dockerfile if s is own else None, scripts)),
        *ignores_in_heredocs(dockerfile, (d.at.span.start for d in found if d.at.source is own)),
        *(each for other in others.values() for each in ignores(other)),
    )
    return tuple(dict.fromkeys(every))


def ignores(source: Source, dockerfile: Dockerfile | None = None, scripts: Iterable[Script] = ()) -> Iterator[Ignore]:
    """The comments in a file; `dockerfile` if it is one.

    `scripts` are shell texts that are run: those of this file hold comments even where they stand in a here-document.
    """
    if "pid1lint:" in source.text:
        yield from _ours(source, dockerfile, _comments(source, dockerfile, scripts))
    if dockerfile is not None:
        yield from _foreign(source, dockerfile)


def ignores_in_heredocs(dockerfile: Dockerfile, offsets: Iterable[int]) -> Iterator[Ignore]:
    """The comments in the Dockerfile's here-documents that have one of some offsets in them."""
    if "pid1lint:" not in dockerfile.source.text:
        return
    ordered = sorted(offsets)

    def holds_one(span: Span) -> bool:
        at = bisect_left(ordered, span.start)
        return at < len(ordered) and ordered[at] < span.end

    around = {heredoc.span: heredoc for heredoc in _heredocs(dockerfile) if holds_one(heredoc.span)}
    spans = (span for heredoc in around.values() for span in _in_script(parse(heredoc.body)))
    yield from _ours(dockerfile.source, dockerfile, spans)


def _ours(source: Source, dockerfile: Dockerfile | None, comments: Iterable[Span]) -> Iterator[Ignore]:
    within = Cover(comments)
    layout = _Layout(source, dockerfile)
    meant = (match for match in _OURS.finditer(source.text) if _is_meant(match))
    for number, match in enumerate(meant):
        # Each is looked at closely, so not more of them than anybody reads about.
        instruction = layout.instruction_around(match.start()) if number < _GUESSES else None
        if instruction is not None and _takes_comment_for_its_own(instruction, match, source):
            yield _misplaced(source, match, instruction)
            continue
        if not within.has(match.start()):
            continue
        lines = None if match["kind"] == "ignore-file" else layout.lines(match.start())
        selectors = tuple(_selectors(source, match, guess=number < _GUESSES))
        yield Ignore(source.place(*match.span()), selectors, lines)


_OF_SHELLS = frozenset(("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"))


def _takes_comment_for_its_own(instruction: Instruction, match: re.Match[str], source: Source) -> bool:
    """Whether Docker takes what looks like a comment for a part of the instruction, and no shell reads it."""
    innermost = instruction.inner or instruction
    if innermost.keyword in _OF_SHELLS:
        return innermost.broken_json == COMMENT_AFTER_ARRAY
    return source.text.count('"', instruction.span.start, match.start()) % 2 == 0


def _misplaced(source: Source, match: re.Match[str], instruction: Instruction) -> Ignore:
    at, start = source.place(*match.span()), instruction.span.start
    message = f"Docker takes this comment for a part of {instruction.keyword}: put it on a line of its own, above"
    fix = None
    if match.end() == instruction.span.end:
        blank = match.start()
        while source.text[blank - 1] in " \t":
            blank -= 1
        moved = (
            Edit(source, Span(start, start), f"{match[0].rstrip()}{source.newline}"),
            Edit(source, Span(blank, match.end()), ""),
        )
        fix = Fix("Move the comment above the instruction", moved, Applicability.SAFE)
    return Ignore(at, (Selector(at, frozenset(), message, fix),), None)


def _is_meant(match: re.Match[str]) -> bool:
    """Whether it is to suppress something, if by another word than ours: `# pid1lint: see the page` is prose."""
    return match["kind"] in _KINDS or match["list"] is not None or match["kind"] in _OTHERS


def _comments(source: Source, dockerfile: Dockerfile | None, scripts: Iterable[Script]) -> Iterator[Span]:
    """Where comments stand: what looks like one in a string or a here-document is none."""
    if dockerfile is not None:
        yield from (comment.span for comment in dockerfile.comments)
        for instruction in dockerfile.instructions:
            innermost = instruction.inner or instruction
            if innermost.keyword in ("RUN", "CMD", "ENTRYPOINT") and innermost.words is None:
                for text in shell_texts(innermost):
                    yield from _in_script(parse(text))
    elif is_shell(source):
        yield from _in_script(parse(source.whole()))
    elif not source.path.endswith(".json"):
        yield Span(0, len(source.text))
    for script in scripts:
        if script.text.source is source:
            yield from _in_script(script)


def _in_script(script: Script) -> Iterator[Span]:
    """The comments of a shell text, and the whole of what could not be read: it may hold some."""
    opaque = (item.node.span for item in script.body.items if isinstance(item.node, Opaque))
    yield from (script.place(span).span for span in (*script.comments, *opaque))


def _selectors(source: Source, match: re.Match[str], *, guess: bool) -> Iterator[Selector]:
    """The names in a comment; `guess`: with what may have been meant by what is none."""
    if match["kind"] not in _KINDS:
        from pid1lint.nearest import nearest

        meant = (nearest(match["kind"], _KINDS) if guess else None) or _KINDS[0]
        yield Selector(
            source.place(*match.span()), frozenset(), f"`{match['kind']}` has no meaning: write {meant}[CODE]"
        )
        return
    if match["list"] is None or not match["words"].strip():
        mistake = f"`{match['kind']}` names no rule: write {match['kind']}[CODE]"
        yield Selector(source.place(*match.span()), frozenset(), mistake)
        return
    for number, word in enumerate(islice(_WORD.finditer(match["words"]), _MOST_WORDS)):
        start = match.start("words") + word.start()
        at = source.place(start, start + len(word.group()))
        codes = registry.codes_of(word.group().lower())
        yield Selector(at, codes, "" if codes else _mistake(word.group(), guess=guess and number < _GUESSES // 10))


def _mistake(word: str, *, guess: bool) -> str:
    if guess:
        try:
            registry.matching(word)
        except Pid1lintError as error:
            return str(error)
    return f"no rule is called {word!r}"


def _foreign(source: Source, dockerfile: Dockerfile) -> Iterator[Ignore]:
    layout = _Layout(source, dockerfile)
    for match in _THEIRS.finditer(source.text) if "hadolint" in source.text else ():
        if layout.heredocs.has(match.start()):
            continue
        codes: frozenset[str] = frozenset().union(*(_HADOLINT.get(w.strip(), ()) for w in match["words"].split(",")))
        at = source.place(*match.span())
        lines = layout.lines(match.start()) if match["kind"] == "ignore" else None
        # For hadolint it must stand right above.
        if codes and (lines is None or lines.first == at.start.line + 1):
            yield Ignore(at, (Selector(at, codes),), lines, foreign=True, of_style=True)
    check = dockerfile.directive("check") or ""
    for key, _, value in (part.strip().partition("=") for part in check.split(";")):
        if key.strip().lower() == "skip":
            top = source.place(0, 0)
            names = (name.strip() for name in value.split(","))
            codes = frozenset().union(*(_BUILDKIT.get(name, ()) for name in names))
            yield Ignore(top, (Selector(top, codes),), None, foreign=True)


class Cover:
    """Spans of a source, to be asked whether one of them holds an offset."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._spans: list[tuple[int, int]] = []
        for start, end in sorted(spans):
            if self._spans and start <= self._spans[-1][1]:
                self._spans[-1] = (self._spans[-1][0], max(end, self._spans[-1][1]))
            else:
                self._spans.append((start, end))

    def has(self, offset: int) -> bool:
        """Whether an offset is in one of them."""
        at = bisect_right(self._spans, (offset, sys.maxsize))
        return at > 0 and offset < self._spans[at - 1][1]


class _Layout:
    """What the lines of a file are, worked out once: many comments may ask."""

    def __init__(self, source: Source, dockerfile: Dockerfile | None) -> None:
        self.source = source
        self.dockerfile = dockerfile

    def lines(self, offset: int) -> Lines:
        """The lines for which a comment at an offset counts."""
        source = self.source
        number = source.location(offset).line
        if source.text[source.line_starts[number - 1] : offset].strip():
            return logical_line(source, number)
        target = self._below[number]
        if target > len(source.line_starts):
            return Lines(number, number)
        if self.dockerfile is not None and not self.heredocs.has(offset):
            end = self._instructions.get(target)
            return Lines(target, target if end is None else source.location(end).line)
        return logical_line(source, target)

    def instruction_around(self, offset: int) -> Instruction | None:
        """The instruction of a Dockerfile that an offset stands in, but in none of its comments and here-documents."""
        if self.dockerfile is None or self.heredocs.has(offset) or self._comments.has(offset):
            return None
        at = bisect_right(self._starts, offset) - 1
        instruction = self.dockerfile.instructions[at] if at >= 0 else None
        return instruction if instruction is not None and offset < instruction.span.end else None

    @cached_property
    def _starts(self) -> list[int]:
        return [] if self.dockerfile is None else [each.span.start for each in self.dockerfile.instructions]

    @cached_property
    def _comments(self) -> Cover:
        return Cover(() if self.dockerfile is None else (comment.span for comment in self.dockerfile.comments))

    @cached_property
    def heredocs(self) -> Cover:
        """The here-documents: each is a file's text and no Dockerfile's."""
        return Cover(() if self.dockerfile is None else (heredoc.span for heredoc in _heredocs(self.dockerfile)))

    @cached_property
    def _below(self) -> list[int]:
        """For each line, counted from 1, the next one below it that is no comment."""
        count = len(self.source.line_starts)
        below = [count + 1] * (count + 2)
        for number in range(count - 1, 0, -1):
            is_comment = self.source.line(number + 1).lstrip().startswith("#")
            below[number] = below[number + 1] if is_comment else number + 1
        return below

    @cached_property
    def _instructions(self) -> dict[int, int]:
        """Where each instruction ends, by the line that it begins on."""
        instructions = self.dockerfile.instructions if self.dockerfile is not None else ()
        location = self.source.location
        return {location(i.span.start).line: i.span.end for i in reversed(instructions)}


def in_heredoc(dockerfile: Dockerfile, offset: int) -> bool:
    """Whether an offset stands in a here-document, which is a file's text and no Dockerfile's."""
    return any(heredoc.span.start <= offset < heredoc.span.end for heredoc in _heredocs(dockerfile))


def _heredocs(dockerfile: Dockerfile) -> Iterator[Heredoc]:
    return (heredoc for instruction in dockerfile.instructions for heredoc in instruction.heredocs)


def logical_line(source: Source, number: int) -> Lines:
    """The line with those that backslashes join to it."""
    firsts, lasts = _joined(source)
    return Lines(firsts[number - 1], lasts[number - 1])


@lru_cache(4)
def _joined(source: Source) -> tuple[list[int], list[int]]:
    """For each line the first and the last of those that backslashes join, counted from 1."""
    count = len(source.line_starts)
    goes_on = [source.line(number).endswith("\\") for number in range(1, count + 1)]
    firsts = list(range(1, count + 1))
    lasts = list(firsts)
    for at in range(1, count):
        firsts[at] = firsts[at - 1] if goes_on[at - 1] else at + 1
    for at in range(count - 2, -1, -1):
        lasts[at] = lasts[at + 1] if goes_on[at] else at + 1
    return firsts, lasts


Used = frozenset[tuple[str, int]]
"""Selectors that have suppressed something, by path and offset."""


def suppress(diagnostics: Iterable[Diagnostic], comments: Sequence[Ignore]) -> tuple[list[Diagnostic], Used]:
    """The findings that no comment suppresses, and the selectors that have suppressed one."""
    index = _Index(comments)
    by = [(diagnostic, _selected(diagnostic, index)) for diagnostic in diagnostics]
    kept = [_explained(diagnostic, index) for diagnostic, selectors in by if not selectors]
    return kept, _union(selectors for _, selectors in by)


def _explained(diagnostic: Diagnostic, index: _Index) -> Diagnostic:
    """A finding that is left, with a note at the comment of another tool that does not suppress it."""
    if diagnostic.severity is not Severity.ERROR:
        return diagnostic
    notes = tuple(
        Note(comment.at, "this comment is about the style of the instruction: the error stays")
        for comment in index.covering(diagnostic)
        if comment.of_style and any(diagnostic.code in selector.codes for selector in comment.selectors)
    )
    return diagnostic.replaced(notes=(*diagnostic.notes, *dict.fromkeys(notes))) if notes else diagnostic


def useless(diagnostics: Iterable[Diagnostic], comments: Sequence[Ignore], *, certain: bool) -> tuple[FileProblem, ...]:
    """What is wrong with comments; that one suppresses nothing only if `certain` that these are all findings."""
    index = _Index(comments)
    used = _union(_selected(diagnostic, index) for diagnostic in diagnostics)
    problems = (_problem(comment, selector, used, certain) for comment in comments for selector in comment.selectors)
    return tuple(problem for problem in problems if problem is not None)


def _selected(diagnostic: Diagnostic, index: _Index) -> Used:
    """The selectors that suppress a finding."""
    return frozenset(
        (selector.at.source.path, selector.at.span.start)
        for comment in index.covering(diagnostic)
        if not comment.of_style or diagnostic.severity is not Severity.ERROR
        for selector in comment.selectors
        if diagnostic.code in selector.codes
    )


def _union(sets: Iterable[Used]) -> Used:
    return frozenset().union(*sets)


class _Index:
    """Comments by the lines for which they count: there may be as many of them as of findings."""

    def __init__(self, comments: Iterable[Ignore]) -> None:
        self._by_line: dict[tuple[str, int], list[Ignore]] = {}
        self._wide: dict[tuple[str, Lines | None], list[Ignore]] = {}
        for comment in comments:
            path, lines = comment.at.source.path, comment.lines
            if lines is None or lines.last - lines.first > _WIDE:
                self._wide.setdefault((path, lines), []).append(comment)
            else:
                for line in range(lines.first, lines.last + 1):
                    self._by_line.setdefault((path, line), []).append(comment)

    def covering(self, diagnostic: Diagnostic) -> Iterator[Ignore]:
        """The comments that count where a finding stands."""
        path = diagnostic.at.source.path
        for line in {diagnostic.at.start.line, diagnostic.at.end.line}:
            yield from self._by_line.get((path, line), ())
        for comments in self._wide.values():
            if comments[0].covers(diagnostic):
                yield from comments


def _problem(comment: Ignore, selector: Selector, used: Used, certain: bool) -> FileProblem | None:
    if selector.mistake:
        return FileProblem(selector.at, "ignore", selector.mistake, selector.fix)
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
