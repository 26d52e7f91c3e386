"""Diagnostics for people: the place, the message, the source line with the span under it, notes, and the fix."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from pid1lint.diagnostic import Diagnostic, Severity
from pid1lint.discover import is_image
from pid1lint.fix import Applicability, Fix
from pid1lint.report.style import SEVERITY_COLOURS, Style, cell_map, cells, fold, printable
from pid1lint.report.urls import rule_page
from pid1lint.source import Place, Source

if TYPE_CHECKING:
    from pid1lint.launch.launch import Launch
    from pid1lint.report import Report


def report(made: Report, style: Style) -> Iterator[str]:
    """The lines of the report."""
    yield from (statistics if made.statistics else render)(made.diagnostics, style)
    # Where there was nothing to check this is told for all forms at once.
    if not made.quiet and (made.checked or made.diagnostics):
        if made.statistics and made.diagnostics:
            yield ""
        yield from _packed(conclusion(made), style)
        if made.diagnostics:
            worst = max(made.diagnostics, key=lambda diagnostic: diagnostic.severity.rank)
            yield f"Run pid1lint explain {worst.code} for the rule, pid1lint explain pid1 for the basics."


def concise(diagnostic: Diagnostic) -> str:
    """One line, as in the rules' pages: `path:line:column: CODE message`."""
    return f"{where(diagnostic.at)}: {diagnostic.code} {printable(diagnostic.message)}"


def where(place: Place) -> str:
    """`path:line:column`."""
    line, column = place.start
    return f"{printable(place.source.path)}:{line}:{column}"


def render(diagnostics: Sequence[Diagnostic], style: Style) -> Iterator[str]:
    """The lines of a report on all of them, an empty one after each."""
    for diagnostic in diagnostics:
        yield from _header(diagnostic, style)
        yield from _snippet(diagnostic, style)
        yield ""


def _header(diagnostic: Diagnostic, style: Style) -> Iterator[str]:
    line = concise(diagnostic)
    pieces = _fold(line, style.width, "  ") if style.wrap and cells(line) > style.width else [line]
    code = f"{diagnostic.code} "
    at, place = len(where(diagnostic.at)), pieces[0].find(f": {code}")
    if place == at:  # else the fold fell between place and code
        first = pieces[0]
        painted = style.paint(SEVERITY_COLOURS[diagnostic.severity], diagnostic.code)
        painted = style.link(painted, rule_page(diagnostic.name) if style.links else None)
        pieces[0] = f"{style.paint('bold', first[:at])}: {painted}{first[at + 1 + len(code) :]}"
    yield from pieces


def _snippet(diagnostic: Diagnostic, style: Style) -> Iterator[str]:
    start, end = diagnostic.at.start, diagnostic.at.end
    margin = len(str(start.line))
    rule = style.sign("│", "|")
    bar = style.paint("dim", f"{'':{margin}} {rule}")
    label = f"{diagnostic.severity.value}[{diagnostic.name}]"
    if end.line > start.line and end.column > 1:
        label += f" (to line {end.line})"
    colour = SEVERITY_COLOURS[diagnostic.severity]
    if diagnostic.at.source.text:
        shown, first, last = _window(diagnostic.at, style, style.width - margin - 3)
        yield bar
        yield f"{style.paint('dim', f'{start.line} {rule}')} {shown}".rstrip()
        carets = " " * first + style.paint(colour, "^" * max(1, last - first))
        if margin + 4 + last + len(label) <= style.width:
            yield f"{bar} {carets} {style.paint(colour, label)}"
        else:
            yield f"{bar} {carets}"
            yield f"{bar} {style.paint(colour, label)}"
    else:
        yield f"{bar} {style.paint(colour, label)}"
    yield from _remarks(diagnostic, style, margin)


def _remarks(diagnostic: Diagnostic, style: Style, margin: int) -> Iterator[str]:
    remarks = [("note", f"{where(note.at)}: {printable(note.message)}") for note in diagnostic.notes]
    if diagnostic.fix is not None:
        remarks.append(("fix", f"{printable(diagnostic.fix.title)} ({how_to_apply(diagnostic.fix)})"))
    for kind, text in remarks:
        opening = f"{'':{margin}} = {kind}: "
        lines = _fold(text, style.width - len(opening), "") if style.wrap else [text]
        painted = f"{'':{margin}} {style.paint('dim', '=')} {style.paint('green' if kind == 'fix' else 'cyan', kind)}: "
        yield painted + lines[0]
        for line in lines[1:]:
            yield " " * len(opening) + line


def how_to_apply(fix: Fix) -> str:
    """The options that make the fix."""
    return "--fix" if fix.applicability is Applicability.SAFE else "--fix --unsafe-fixes"


@lru_cache(maxsize=16)
def _measured(source: Source, number: int) -> tuple[str, Sequence[int]]:
    """A line and its `cell_map`: many findings may stand in one line that is a whole file."""
    line = source.line(number)
    return line, cell_map(line)


def _window(place: Place, style: Style, room: int) -> tuple[str, int, int]:
    """The first line of the span as shown, and the cells between which the span stands in it.

    A line that does not fit is cut on either side of the span.
    """
    start, end = place.start, place.end
    line, cell = _measured(place.source, start.line)
    from_char = min(start.column - 1, len(line))
    to_char = min(end.column - 1, len(line)) if end.line == start.line else len(line)
    first, last = cell[from_char], cell[to_char]
    if cell[-1] <= room:
        return printable(line), first, last
    dots = style.sign("…", "...")
    left = 0
    if last > room - len(dots):
        # As much of the span as fits, with a little of what stands before it.
        keep_before = max(4, (room - 2 * len(dots) - (last - first)) // 2)
        left = bisect_left(cell, max(0, first - keep_before))
    room -= len(dots) if left else 0
    right = bisect_right(cell, cell[left] + room) - 1
    if right < len(line):
        right = bisect_right(cell, cell[left] + room - len(dots)) - 1
    shift = (len(dots) if left else 0) - cell[left]
    # Tabs are laid out on the whole line: cut what is shown, not what is read.
    shown = (dots if left else "") + "".join(_shown(line, cell, i) for i in range(left, right))
    return shown + (dots if right < len(line) else ""), first + shift, min(last, cell[right]) + shift


def _shown(line: str, cell: Sequence[int], index: int) -> str:
    if line[index] == "\t":
        return " " * (cell[index + 1] - cell[index])
    return printable(line[index])


def _fold(text: str, width: int, indent: str) -> list[str]:
    return fold(text, max(20, width), later=indent)


def conclusion(made: Report) -> list[str]:
    """What there is to say of the whole run, in sentences."""
    images = sum(map(is_image, made.checked))
    said = summary(made.diagnostics, made.dockerfiles - images, made.fixed, made.known, len(made.deployments), images)
    sentences = (said, _fixable(made.diagnostics), _assumed(made.launches))
    return [sentence for sentence in sentences if sentence]


def _packed(sentences: Sequence[str], style: Style) -> Iterator[str]:
    """The sentences, as many in a line as fit; one that is too long by itself is folded on a terminal."""
    line = ""
    for sentence in sentences:
        if line and cells(line) + 1 + cells(sentence) > style.width:
            yield line
            line = ""
        line = f"{line} {sentence}" if line else sentence
        if style.wrap and cells(line) > style.width:
            *folded, line = _fold(line, style.width, "  ")
            yield from folded
    yield line


def _assumed(launches: Sequence[Launch]) -> str:
    """How many verdicts rest on what nobody knows."""
    number = sum(launch.certainty == "assumed" for launch in launches)
    if not number:
        return ""
    verdicts = f"{number} of {count(len(launches), 'verdict')} {'rests' if number == 1 else 'rest'} on an assumption"
    return f"{verdicts}: see pid1lint trace."


def summary(
    diagnostics: Sequence[Diagnostic],
    checked: int,
    fixed: int = 0,
    known: int = 0,
    deployments: int = 0,
    images: int = 0,
) -> str:
    """One sentence on the whole run; `checked` counts Dockerfiles, `known` findings of the baseline.

    `deployments` counts the files that run images, `images` those that are built already.
    """
    if not checked and not deployments and not images and not diagnostics:
        return "No Dockerfile found: nothing to check."
    files_checked = [count(checked, "Dockerfile")] if checked or not (deployments or images) else []
    files_checked += [count(deployments, "deployment file")] if deployments else []
    files_checked += [count(images, "image")] if images else []
    scope = f"{' and '.join(files_checked)} checked"
    made = f", {count(fixed, 'fix', 'fixes')} made" if fixed else ""
    in_baseline = f", {known} in the baseline" if known else ""
    if not diagnostics:
        return f"{scope}{made}: nothing {'new' if known else 'found'}{in_baseline}."
    by_severity = ", ".join(
        count(number, severity.value, severity.value if severity is Severity.INFO else None)
        for severity in reversed(Severity)
        if (number := sum(d.severity is severity for d in diagnostics))
    )
    files = len({d.at.source.path for d in diagnostics})
    return f"{scope}{made}: {by_severity} in {count(files, 'file')}{in_baseline}."


def _fixable(diagnostics: Sequence[Diagnostic]) -> str:
    fixes = [d.fix for d in diagnostics if d.fix is not None]
    safe = sum(fix.applicability is Applicability.SAFE for fix in fixes)
    unsafe = len(fixes) - safe
    if safe and unsafe:
        return f"{safe} can be fixed with --fix, {unsafe} more with --unsafe-fixes."
    if safe:
        return f"{safe} can be fixed with --fix."
    if unsafe:
        return f"{unsafe} can be fixed with --fix --unsafe-fixes."
    return ""


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def statistics(diagnostics: Sequence[Diagnostic], style: Style) -> Iterator[str]:
    """One line a rule, the most frequent first: how often, the code, the name, whether there is a fix."""
    counted: dict[str, list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        counted.setdefault(diagnostic.code, []).append(diagnostic)
    for code, group in sorted(counted.items(), key=lambda item: (-len(item[1]), item[0])):
        fixable = " [*]" if any(d.fix for d in group) else ""
        yield f"{len(group):5}  {style.paint(SEVERITY_COLOURS[group[0].severity], code)}  {group[0].name}{fixable}"
