"""Writes a comment for each finding that is there, so that it is suppressed from now on: in memory."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping

from pid1lint.diagnostic import Diagnostic
from pid1lint.dockerfile.scanner import Dockerfile, scan
from pid1lint.fix import Edit
from pid1lint.fixer import Change, apply
from pid1lint.frozen import NamedTuple
from pid1lint.source import Source, Span
from pid1lint.suppress import in_heredoc, logical_line

_OURS = re.compile(r"[ \t]*#[ \t]*pid1lint:[ \t]*ignore[ \t]*\[[^\]]*(?=\])")
_FILE = re.compile(r"#[ \t]*pid1lint:[ \t]*ignore-file[ \t]*\[[^\]]*(?=\])")


class Annotated(NamedTuple):
    """The changed files, and the findings for which there is no place: in files that know no comments, say."""

    changes: tuple[Change, ...]
    homeless: tuple[Diagnostic, ...]


def annotate(diagnostics: Iterable[Diagnostic], by_file: Container[Diagnostic] = ()) -> Annotated:
    """Put comments above what findings point at; for those of `by_file`, one for the whole file at its top."""
    by_source: dict[str, list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        by_source.setdefault(diagnostic.at.source.path, []).append(diagnostic)
    changes, homeless = [], []
    for found in by_source.values():
        source = found[0].at.source
        if not source.text or source.path.endswith(".json"):
            homeless += found
            continue
        if source.path.endswith((".yaml", ".yml")):
            inside = [each for each in found if each not in by_file and _is_inside_text(each)]
            homeless += inside
            edits = tuple(_edits(source, [each for each in found if each not in inside], by_file))
        else:
            edits = tuple(_edits(source, found, by_file))
        after = Source(source.path, apply(source.text, edits), source.bom)
        changes.append(Change(source, after))
    return Annotated(tuple(changes), tuple(homeless))


def _is_inside_text(diagnostic: Diagnostic) -> bool:
    """Whether a line of YAML goes on with a text of several lines, in which a comment would be a part of the text."""
    from pid1lint.deploy.yamltree import is_inside_text, load

    source = diagnostic.at.source
    start = source.line_starts[diagnostic.at.start.line - 1]
    return is_inside_text(load(source), start)


def _edits(source: Source, found: Iterable[Diagnostic], by_file: Container[Diagnostic]) -> Iterator[Edit]:
    of_dockerfile = any(diagnostic.dockerfile == source.path for diagnostic in found)
    dockerfile = scan(source) if of_dockerfile else None
    by_line: dict[int, dict[str, None]] = {}
    for diagnostic in found:
        line = _TOP if diagnostic in by_file else _target(diagnostic, dockerfile)
        by_line.setdefault(line, {})[diagnostic.code] = None
    if dockerfile is None and source.text.startswith("#!"):
        # Nothing may stand before the first line or behind it.
        by_line[_TOP] = by_line.get(_TOP, {}) | by_line.pop(1, {})
    for line, codes in sorted(by_line.items()):
        if codes:
            yield _for_file(source, codes, dockerfile) if line == _TOP else _edit(source, line, codes)


_TOP = 0
"""Stands for no line: the comment is one for the whole file."""


def _target(diagnostic: Diagnostic, dockerfile: Dockerfile | None) -> int:
    """The line above which the comment goes: where the instruction or the command begins."""
    source, start = diagnostic.at.source, diagnostic.at.span.start
    if dockerfile is not None and in_heredoc(dockerfile, start):
        line = logical_line(source, source.location(start).line).first
        # In front of a script's `#!` nothing may stand but the tabs that `<<-` takes away.
        return _TOP if source.line(line).lstrip("\t").startswith("#!") else line
    if dockerfile is not None:
        around = (i for i in dockerfile.instructions if i.span.start <= start < max(i.span.end, i.span.start + 1))
        instruction = next(around, None)
        return source.location(start if instruction is None else instruction.span.start).line
    return logical_line(source, source.location(start).line).first


def _for_file(source: Source, codes: Mapping[str, None], dockerfile: Dockerfile | None) -> Edit:
    """The same at the top of a file: behind the first line of a script, and the directives of a Dockerfile."""
    line = 2 if dockerfile is None and source.text.startswith("#!") else 1
    if dockerfile is not None:
        first = next((i.span.start for i in dockerfile.instructions), len(source.text))
        line = source.location(first).line
    return _edit(source, line, codes, _FILE, "ignore-file", there=line if dockerfile is None else line - 1)


def _edit(
    source: Source,
    line: int,
    codes: Mapping[str, None],
    pattern: re.Pattern[str] = _OURS,
    kind: str = "ignore",
    there: int | None = None,
) -> Edit:
    """A name more in the comment that is there already, or a new comment."""
    there = line - 1 if there is None else there
    if 1 <= there <= len(source.line_starts) and (match := pattern.match(source.line(there))):
        at = source.line_starts[there - 1] + match.end()
        return Edit(source, Span(at, at), "".join(f", {code}" for code in codes))
    end = source.newline
    comment = f"# pid1lint: {kind}[{', '.join(codes)}]{end}"
    if line > len(source.line_starts):
        at = len(source.text)
        return Edit(source, Span(at, at), end + comment)
    at = source.line_starts[line - 1]
    text = source.line(line)
    indent = "" if kind == "ignore-file" else text[: len(text) - len(text.lstrip())]
    return Edit(source, Span(at, at), indent + comment)
