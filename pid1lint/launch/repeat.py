"""A launch that starts like another one before it: its paths are those of the other one, moved to its own files.

Repositories with a folder for each version have the same entrypoint hundreds of times. Two launches start alike where
the same program is given the same arguments, and both images answer alike whatever the first launch asked (`asked.py`).
What they may differ in is where a text stands: every script has its own path, every CMD its own place.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TypeVar

from pid1lint.facts.launchers import Launcher
from pid1lint.facts.programs import Program
from pid1lint.frozen import Frozen, NamedTuple
from pid1lint.image.filesystem import ImageFile
from pid1lint.launch.asked import Asked
from pid1lint.launch.path import Path
from pid1lint.launch.process import Assumption, Obstacle, Process
from pid1lint.launch.stack import Argv
from pid1lint.shell.ir import Script
from pid1lint.source import Excerpt, Place, Source, Span

T = TypeVar("T")

_MOST_KEPT = 200
"""How many beginnings are kept, the last ones that were met."""
_MOST_ALIKE = 16
"""How many launches with one beginning."""
_LEAST = 100
"""How many operations an exploration takes, at the least, for it to be kept: others are done again as quickly."""


class Beginning(NamedTuple):
    """How a launch begins; `sh` is what its /bin/sh is taken for."""

    argv: Argv
    workdir: str
    soft: str
    signal: str
    sh: str

    @property
    def key(self) -> tuple[object, ...]:
        """What is the same of all launches that may be alike."""
        return (tuple((word.value, word.soft) for word in self.argv), self.workdir, self.soft, self.signal)


class Ways(NamedTuple):
    """The paths of a launch, and where ways begin that were not followed.

    `asked_sh`: they hang on what /bin/sh is. `operations` were done for them.
    """

    paths: tuple[Path, ...]
    left_out: tuple[Place, ...]
    asked_sh: bool
    operations: int


class _Kept(NamedTuple):
    beginning: Beginning
    sources: tuple[Source, ...]
    answers: Mapping[tuple[object, ...], object]
    ways: Ways


_KEPT: OrderedDict[tuple[object, ...], list[_Kept]] = OrderedDict()


def repeated(beginning: Beginning, asked: Asked) -> Ways | None:
    """The ways of a launch, where one that starts alike has been followed before."""
    key = beginning.key
    for kept in reversed(_KEPT.get(key, ())):
        if kept.ways.asked_sh and kept.beginning.sh != beginning.sh:
            continue
        moves = _alike(kept, beginning, asked)
        if moves is not None:
            try:
                paths, left_out = moves.moved((kept.ways.paths, kept.ways.left_out))
            except _UnmovedError:
                continue
            _KEPT.move_to_end(key)
            return kept.ways._replace(paths=paths, left_out=left_out, operations=0)
    return None


def keep(beginning: Beginning, asked: Asked, ways: Ways) -> None:
    """Keep the ways of a launch for those that start alike."""
    if ways.operations < _LEAST:
        return
    kept = _KEPT.setdefault(beginning.key, [])
    kept.append(_Kept(beginning, asked.sources, asked.answers, ways))
    del kept[:-_MOST_ALIKE]
    _KEPT.move_to_end(beginning.key)
    if len(_KEPT) > _MOST_KEPT:
        _KEPT.popitem(last=False)


def forget() -> None:
    """Keep nothing of what was."""
    _KEPT.clear()


def _alike(kept: _Kept, beginning: Beginning, asked: Asked) -> _Moves | None:
    """How the places of another launch become those of this one; None where this one may start otherwise."""
    moves = _Moves()
    if len(kept.sources) != len(asked.sources) or not all(map(moves.pair, kept.sources, asked.sources)):
        return None
    if not moves.alike(kept.beginning.argv, beginning.argv):
        return None
    alike = all(moves.alike(answer, asked.answer(key)) for key, answer in kept.answers.items())
    return moves if alike else None


class _UnmovedError(Exception):
    """It is not known where something stands in the other files."""


class _Moves:
    """Which place of one launch is which of another one that starts alike.

    Each text of one is one text of the other. Where both say the same, all of it moves; of others only what was met in
    both, at the same point.
    """

    def __init__(self) -> None:
        # By the identity of what they stand for, which is kept with them: a source is compared by its whole text.
        self._sources: dict[int, tuple[Source, Source]] = {}
        self._back: dict[int, Source] = {}
        self._places: dict[tuple[int, Span], Place] = {}
        self._ranges: dict[int, list[tuple[int, int, int]]] = {}
        self._excerpts: dict[int, tuple[Excerpt, Excerpt]] = {}
        self._files: dict[int, tuple[ImageFile, ImageFile]] = {}
        self._moved: dict[int, tuple[object, object]] = {}

    # ------------------------------------------------------------------- alike

    def pair(self, one: Source, other: Source) -> bool:
        """Note that one text stands for another; False if either does so for a third."""
        if id(one) in self._sources:
            return self._sources[id(one)][1] is other
        if id(other) in self._back or type(one) is not type(other) or one.in_file != other.in_file:
            return False
        self._sources[id(one)] = (one, other)
        self._back[id(other)] = one
        return True

    def alike(self, one: object, other: object) -> bool:
        """Whether two answers say the same, but for where it stands; that is noted."""
        if type(one) is not type(other):
            return False
        if isinstance(one, Source):
            assert isinstance(other, Source)
            return self.pair(one, other) and _is_same(one, other)
        if isinstance(one, Place):
            assert isinstance(other, Place)
            return self._is_alike_place(one, other)
        if isinstance(one, Excerpt):
            assert isinstance(other, Excerpt)
            return self._is_alike_excerpt(one, other)
        if isinstance(one, ImageFile):
            assert isinstance(other, ImageFile)
            self._files[id(one)] = (one, other)
            # The content is there to be asked for, which is an answer of its own.
            return all(self.alike(getattr(one, n), getattr(other, n)) for n in one._fields if n != "content")
        if isinstance(one, (tuple, list)):
            assert isinstance(other, (tuple, list))
            return len(one) == len(other) and all(map(self.alike, one, other))
        if is_dataclass(one):
            return all(self.alike(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
        return one == other

    def _is_alike_place(self, one: Place, other: Place) -> bool:
        if not self.pair(one.source, other.source):
            return False
        if _is_same(one.source, other.source):
            return one.span == other.span
        known = self._places.setdefault((id(one.source), one.span), other)
        return known.span == other.span

    def _is_alike_excerpt(self, one: Excerpt, other: Excerpt) -> bool:
        if one.text != other.text or one.quoting != other.quoting or not self.pair(one.source, other.source):
            return False
        if (one.offsets is None) != (other.offsets is None):
            return False
        by = other.offset(0) - one.offset(0)
        if one.offsets is not None and tuple(at + by for at in one.offsets) != other.offsets:
            return False
        if _is_same(one.source, other.source) and by:
            return False
        self._excerpts[id(one)] = (one, other)
        self._ranges.setdefault(id(one.source), []).append((one.offset(0), one.offset(len(one.text)), by))
        return True

    # ------------------------------------------------------------------- moved

    def moved(self, value: T) -> T:
        """The same of the other launch; `_UnmovedError` if it is not known where that stands."""
        if value is None or isinstance(value, (str, int, float, frozenset)):
            return value
        known = self._moved.get(id(value))
        if known is None:
            known = self._moved[id(value)] = (value, self._move(value))
        return known[1]  # type: ignore[return-value] # of the same kind

    def _move(self, value: object) -> object:
        if isinstance(value, Source):
            return self._source(value)
        if isinstance(value, Place):
            return self._place(value)
        if isinstance(value, Excerpt):
            return self._excerpt(value)
        if isinstance(value, Script):
            return value.replaced(text=self.moved(value.text))
        if isinstance(value, ImageFile):
            if id(value) not in self._files:
                raise _UnmovedError
            return self._files[id(value)][1]
        if isinstance(value, (Path, Process)):
            if isinstance(value, Path):
                self._check(value.why)
            return type(value)(*(self.moved(getattr(value, name)) for name in value._fields))
        if isinstance(value, (Frozen, Launcher, Program)):
            return value  # the syntax tree, which counts from the beginning of its own text, and facts
        if isinstance(value, tuple):
            if isinstance(value, (Obstacle, Assumption)):
                self._check(value[0])
            parts = [self.moved(part) for part in value]
            if all(part is was for part, was in zip(parts, value, strict=True)):
                return value
            return getattr(type(value), "_make", tuple)(parts)
        raise _UnmovedError

    def _source(self, source: Source) -> Source:
        if id(source) in self._sources:
            return self._sources[id(source)][1]
        if source.path:
            raise _UnmovedError
        return source  # made at run time

    def _place(self, place: Place) -> Place:
        source, (start, end) = place
        other = self._source(source)
        if _is_same(source, other):
            return Place(other, place.span)
        known = self._places.get((id(source), place.span))
        if known is not None:
            return known
        by = self._by(source, start, end)
        return Place(other, Span(start + by, end + by))

    def _excerpt(self, text: Excerpt) -> Excerpt:
        if id(text) in self._excerpts:
            return self._excerpts[id(text)][1]
        other = self._source(text.source)
        by = 0
        if not _is_same(text.source, other):
            by = self._by(text.source, text.offset(0), text.offset(len(text.text)))
        offsets = None if text.offsets is None else tuple(at + by for at in text.offsets)
        return Excerpt(other, text.text, offsets, text.base + by if offsets is None else text.base, text.quoting)

    def _by(self, source: Source, start: int, end: int) -> int:
        """How far what stands in a text that says something else has moved."""
        for first, last, by in self._ranges.get(id(source), ()):
            if first <= start and end <= last:
                return by
        raise _UnmovedError

    def _check(self, sentence: str) -> None:
        """A sentence that names a file is true of that file alone."""
        for one, other in self._sources.values():
            if one.path and one.path in sentence and not (one.path == other.path and _is_same(one, other)):
                raise _UnmovedError


def _is_same(one: Source, other: Source) -> bool:
    return one is other or (one.text == other.text and one.bom == other.bom)
