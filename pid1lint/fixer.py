"""Makes fixes: in memory first, pass by pass, until nothing is left to fix; then on the disk, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING

from pid1lint.diagnostic import Diagnostic
from pid1lint.errors import Pid1lintError
from pid1lint.fix import Applicability, Edit, Fix
from pid1lint.frozen import NamedTuple
from pid1lint.image.context import BuildContext
from pid1lint.source import Source, Span

if TYPE_CHECKING:
    from pid1lint.facts.own import Facts

MAX_PASSES = 10

# Takes a fix and the sources that it changes, as they would become; says why they must not, or None.
Verify = Callable[[Fix, Sequence[Source]], str | None]


class Composition(NamedTuple):
    """Fixes that can be made together, and those that have to wait for the next pass."""

    chosen: tuple[Fix, ...]
    skipped: tuple[Fix, ...]


class Change(NamedTuple):
    """One file, as it was read and as it becomes."""

    before: Source
    after: Source


class Refusal(NamedTuple):
    """A fix that was not made, and why."""

    fix: Fix
    reason: str

    def __str__(self) -> str:
        return f"{self.fix.edits[0].source.path}: the fix {self.fix.title!r} was not made: {self.reason}"


class Made(NamedTuple):
    """One fix that was made, and the first finding that it is for; both speak of the files as they were before it."""

    diagnostic: Diagnostic
    fix: Fix

    @property
    def place(self) -> str:
        """Path and line of the finding."""
        return f"{self.diagnostic.at.source.path}:{self.diagnostic.at.start.line}"

    @property
    def changes(self) -> tuple[Change, ...]:
        """What this fix alone makes of the files."""
        before = {edit.source.path: edit.source for edit in self.fix.edits}
        return tuple(Change(before[after.path], after) for after in edited([self.fix]))

    def __str__(self) -> str:
        return f"fixed {self.place}: {self.diagnostic.code} {self.fix.title}"


class Repair(NamedTuple):
    """What a run of passes came to; `fixed` counts the fixes that were made."""

    changes: tuple[Change, ...]
    fixed: int
    refusals: tuple[Refusal, ...]
    listed: tuple[Made, ...] = ()


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits made; the same edit twice is one. `ValueError` if two of them overlap."""
    pieces: list[str] = []
    at = 0
    for span, content in sorted({(edit.span, edit.content) for edit in edits}):
        if span.start < at:
            raise ValueError(f"edits overlap at offset {span.start}")
        pieces += (text[at : span.start], content)
        at = span.end
    return "".join((*pieces, text[at:]))


def compose(fixes: Iterable[Fix]) -> Composition:
    """Choose fixes that do not touch each other's edits: the first wins, the others wait.

    Fixes may share an edit: two that insert the same text at the same point are both chosen and it is inserted once.
    """
    chosen: list[Fix] = []
    skipped: list[Fix] = []
    taken: dict[str, list[Edit]] = {}
    for fix in fixes:
        if fix in chosen:
            continue
        clash = any(
            _clash(edit, other)
            for edit in fix.edits
            for other in (*taken.get(edit.source.path, ()), *(e for e in fix.edits if e is not edit))
            if edit.source.path == other.source.path
        )
        if clash or not fix.edits:
            skipped.append(fix)
            continue
        chosen.append(fix)
        for edit in fix.edits:
            taken.setdefault(edit.source.path, []).append(edit)
    return Composition(tuple(chosen), tuple(skipped))


def _clash(edit: Edit, other: Edit) -> bool:
    if (edit.span, edit.content) == (other.span, other.content):
        return False
    # An insertion that only touches another edit clashes too: which of them comes first would be a guess.
    if _is_empty(edit.span) or _is_empty(other.span):
        return edit.span.start <= other.span.end and other.span.start <= edit.span.end
    return edit.span.start < other.span.end and other.span.start < edit.span.end


def _is_empty(span: Span) -> bool:
    return span.start == span.end


def edited(fixes: Iterable[Fix]) -> tuple[Source, ...]:
    """The sources that the fixes change, as they become."""
    by_path: dict[str, list[Edit]] = {}
    for fix in fixes:
        for edit in fix.edits:
            by_path.setdefault(edit.source.path, []).append(edit)
    return tuple(
        edits[0].source.replaced(text=apply(edits[0].source.text, edits)) for _, edits in sorted(by_path.items())
    )


class OverlayContext(BuildContext):
    """A build context in which some files, named by the path that is shown for them, have new contents."""

    def __init__(self, base: BuildContext, sources: Mapping[str, Source]) -> None:
        super().__init__()
        self._base = base
        self._sources = sources

    def read(self, path: str) -> bytes | None:
        """The new contents if there are any."""
        source = self._sources.get(self.display(path))
        return self._base.read(path) if source is None else source.encode()

    def open(self, path: str) -> IO[bytes] | None:
        """As below: a fix changes no program."""
        return self._base.open(path)

    def mode(self, path: str) -> int | None:
        """As below: a fix changes no file's mode."""
        return self._base.mode(path)

    def is_dir(self, path: str) -> bool:
        """As below: a fix makes no directories."""
        return self._base.is_dir(path)

    def is_file(self, path: str) -> bool:
        """As below: a fix makes no new files."""
        return self._base.is_file(path)

    def is_link(self, path: str) -> bool:
        """As below."""
        return self._base.is_link(path)

    def entries(self, path: str) -> tuple[str, ...]:
        """As below."""
        return self._base.entries(path)

    def display(self, path: str) -> str:
        """As below."""
        return self._base.display(path)

    def ignore_file(self) -> bytes | None:
        """As below."""
        return self._base.ignore_file()


def fixed(
    dockerfile: str,
    context: BuildContext,
    *,
    path: str = "Dockerfile",
    target: str | None = None,
    build_args: Mapping[str, str] | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    facts: Facts | None = None,
    unsafe: bool = False,
) -> Repair:
    """Mend the text of a Dockerfile and the scripts that it runs: the safe fixes, with `unsafe` all.

    Nothing is written: the changes name the files by the path that diagnostics show. Other options as for `lint`.
    """
    from pid1lint import linter, registry
    from pid1lint.dockerfile.scanner import scan

    source = Source.of_text(path, dockerfile)
    rules = registry.chosen(select, ignore)

    def lint(overlay: Mapping[str, Source]) -> tuple[Diagnostic, ...]:
        scanned = scan(overlay.get(path, source))
        return linter.judge(
            scanned, OverlayContext(context, overlay), target, build_args or {}, rules, facts
        ).diagnostics

    return repair(lint, lambda fix, after: linter.refusal(fix, after, path), accepts(unsafe=unsafe))


def repair(
    lint: Callable[[Mapping[str, Source]], Sequence[Diagnostic]],
    verify: Verify,
    accept: Callable[[Fix], bool],
    earlier: Iterable[Change] = (),
) -> Repair:
    """Lint, fix and lint again until no accepted fix is left; nothing is written.

    `lint` takes the sources changed so far, by path; `earlier` changes, made for other Dockerfiles, are among them and
    among what is returned. `Pid1lintError` if the fixes never come to an end.
    """
    changed = {change.before.path: change for change in earlier}
    refusals: dict[Fix, Refusal] = {}
    listed: list[Made] = []
    for _ in range(MAX_PASSES):
        diagnostics = sorted(lint({path: change.after for path, change in changed.items()}), key=_turn)
        wanted = (d.fix for d in diagnostics if d.fix is not None and accept(d.fix) and d.fix not in refusals)
        chosen = _verified(compose(wanted).chosen, verify, refusals)
        if not chosen:
            # A fix that was refused comes back in the next pass on changed text: it is told of once.
            told = {str(refusal): refusal for refusal in refusals.values()}
            return Repair(_changes(changed), len(listed), tuple(told.values()), tuple(listed))
        listed += (Made(next(d for d in diagnostics if d.fix == fix), fix) for fix in chosen)
        before = {edit.source.path: edit.source for fix in chosen for edit in fix.edits}
        for after in edited(chosen):
            first = changed[after.path].before if after.path in changed else before[after.path]
            changed[after.path] = Change(first, after)
    names = ", ".join(sorted(changed))
    raise Pid1lintError(f"{names}: the fixes did not end after {MAX_PASSES} passes; nothing was written")


def _turn(diagnostic: Diagnostic) -> tuple[str, Span, str]:
    """Which of two fixes that clash wins: the one whose finding comes first, whoever has found it first."""
    return (diagnostic.at.source.path, diagnostic.at.span, diagnostic.code)


def _changes(changed: Mapping[str, Change]) -> tuple[Change, ...]:
    return tuple(change for _, change in sorted(changed.items()) if change.before.text != change.after.text)


def _verified(fixes: Sequence[Fix], verify: Verify, refusals: dict[Fix, Refusal]) -> tuple[Fix, ...]:
    """The fixes that leave every file readable: each alone, and all together."""
    sound: list[Fix] = []
    for fix in fixes:
        reason = verify(fix, edited([fix]))
        if reason is None:
            sound.append(fix)
        else:
            refusals[fix] = Refusal(fix, reason)
    if len(sound) > 1 and verify(_as_one(sound), edited(sound)) is not None:
        # Each is right by itself: the others get their turn in the next pass, on what this one leaves.
        return tuple(sound[:1])
    return tuple(sound)


def _as_one(fixes: Sequence[Fix]) -> Fix:
    """All of some fixes as one: what becomes of a file is seen by the edits of all of them."""
    edits = dict.fromkeys(edit for fix in fixes for edit in fix.edits)
    guards = tuple(guard for fix in fixes for guard in fix.guards)
    return Fix("", tuple(edits), Applicability.UNSAFE, guards)


def accepts(*, unsafe: bool) -> Callable[[Fix], bool]:
    """Whether a fix may be made: the safe ones, and with `unsafe` all."""
    return lambda fix: unsafe or fix.applicability is Applicability.SAFE


def unified(change: Change) -> Iterator[str]:
    """The lines of a unified diff of one change, each without its line end."""
    import difflib

    path = change.before.path
    lines = difflib.unified_diff(
        _lines(change.before.text), _lines(change.after.text), f"a/{path}", f"b/{path}", lineterm="\n"
    )
    for line in lines:
        text = line.removesuffix("\n")
        yield text
        if text == line:
            yield "\\ No newline at end of file"


def _lines(text: str) -> list[str]:
    """The lines with their ends: only a line feed ends one, as for git, not every character that Unicode knows."""
    pieces = text.split("\n")
    return [piece + "\n" for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])
