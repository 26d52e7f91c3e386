"""Comments that suppress findings: where each counts, and which of them suppress nothing.

`# pid1lint: ignore[PID101] reason` counts for what begins or ends on its own line or, if it stands alone, on the next
one that is no comment; a line goes on after a backslash. In a Dockerfile, where no comment can trail an instruction,
one before it counts for the whole of it, and one between its lines for the next of them. `ignore-file[...]` counts for
the whole file. Comments for hadolint and BuildKit count for those of our rules that are about the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pid1lint import registry
from pid1lint.diagnostic import Diagnostic
from pid1lint.dockerfile.scanner import Dockerfile, Heredoc, Instruction
from pid1lint.errors import Pid1lintError
from pid1lint.fix import Applicability, Edit, Fix
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
    around = {h.span: h for at in offsets for h in _heredocs(dockerfile) if h.span.start <= at < h.span.end}
    spans = (span for heredoc in around.values() for span in _in_script(parse(heredoc.body)))
    yield from _ours(dockerfile.source, dockerfile, spans)


def _ours(source: Source, dockerfile: Dockerfile | None, comments: Iterable[Span]) -> Iterator[Ignore]:
    spans = tuple(comments)
    for match in _OURS.finditer(source.text):
        if any(span.start <= match.start() < span.end for span in spans) and _is_meant(match):
            lines = None if match["kind"] == "ignore-file" else _lines(source, dockerfile, match.start())
            yield Ignore(source.place(*match.span()), tuple(_selectors(source, match)), lines)


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


def _selectors(source: Source, match: re.Match[str]) -> Iterator[Selector]:
    if match["kind"] not in _KINDS:
        from pid1lint.nearest import nearest

        meant = nearest(match["kind"], _KINDS) or _KINDS[0]
        yield Selector(
            source.place(*match.span()), frozenset(), f"`{match['kind']}` means nothing: write {meant}[CODE]"
        )
        return
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
        if in_heredoc(dockerfile, match.start()):
            continue
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
    return any(heredoc.span.start <= offset < heredoc.span.end for heredoc in _heredocs(dockerfile))


def _heredocs(dockerfile: Dockerfile) -> Iterator[Heredoc]:
    return (heredoc for instruction in dockerfile.instructions for heredoc in instruction.heredocs)


def logical_line(source: Source, number: int) -> Lines:
    """The line with those that backslashes join to it."""
    first = last = number
    while first > 1 and source.line(first - 1).endswith("\\"):
        first -= 1
    while last < len(source.line_starts) and source.line(last).endswith("\\"):
        last += 1
    return Lines(first, last)


Used = frozenset[tuple[str, int]]
"""Selectors that have suppressed something, by path and offset."""


def suppress(diagnostics: Iterable[Diagnostic], comments: Sequence[Ignore]) -> tuple[list[Diagnostic], Used]:
    """The findings that no comment suppresses, and the selectors that have suppressed one."""
    by = [(diagnostic, _selected(diagnostic, comments)) for diagnostic in diagnostics]
    return [diagnostic for diagnostic, selectors in by if not selectors], _union(selectors for _, selectors in by)


def useless(diagnostics: Iterable[Diagnostic], comments: Sequence[Ignore], *, certain: bool) -> tuple[FileProblem, ...]:
    """What is wrong with comments; that one suppresses nothing only if `certain` that these are all findings."""
    used = _union(_selected(diagnostic, comments) for diagnostic in diagnostics)
    problems = (_problem(comment, selector, used, certain) for comment in comments for selector in comment.selectors)
    return tuple(problem for problem in problems if problem is not None)


def _selected(diagnostic: Diagnostic, comments: Sequence[Ignore]) -> Used:
    """The selectors that suppress a finding."""
    return frozenset(
        (selector.at.source.path, selector.at.span.start)
        for comment in comments
        if comment.covers(diagnostic)
        for selector in comment.selectors
        if diagnostic.code in selector.codes
    )


def _union(sets: Iterable[Used]) -> Used:
    return frozenset().union(*sets)


def _problem(comment: Ignore, selector: Selector, used: Used, certain: bool) -> FileProblem | None:
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
