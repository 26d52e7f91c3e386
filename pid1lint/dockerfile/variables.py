"""Variables that each line of a Dockerfile may add to: as many states as lines, in the room of one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from operator import itemgetter

from pid1lint.dockerfile.expand import UNKNOWN

_MAX_VALUE = 32_768
_MAX_ALL = 4_000_000
"""So many characters of values are kept: values may be made of values."""


class _Log:
    """What was set, in its order: for each name the values with the number of the setting that they are from."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.rows = {name: [(0, value)] for name, value in values.items()}
        self.settings = 0
        self.size = 0


class Variables(Mapping[str, str]):
    """The variables at one point of a stage; it shares what was set before with those around it and never changes."""

    __slots__ = ("_at", "_log")

    def __init__(self, values: Mapping[str, str]) -> None:
        self._log = _Log(values)
        self._at = 0

    def set(self, changes: Mapping[str, str]) -> Variables:
        """With some variables set; a value beyond all measure is not known."""
        if not changes:
            return self
        after = Variables.__new__(Variables)
        # Two stages may go on from the same point: the second one on its own.
        after._log = self._log if self._at == self._log.settings else _Log(dict(self))
        log = after._log
        log.settings += 1
        after._at = log.settings
        for name, value in changes.items():
            log.size += len(value)
            is_sound = len(value) < _MAX_VALUE and (log.size < _MAX_ALL or len(value) < 100)
            log.rows.setdefault(name, []).append((log.settings, value if is_sound else UNKNOWN))
        return after

    def __getitem__(self, name: str) -> str:
        rows = self._log.rows[name]
        at = len(rows) if rows[-1][0] <= self._at else bisect_right(rows, self._at, key=itemgetter(0))
        if not at:
            raise KeyError(name)
        return rows[at - 1][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, rows in self._log.rows.items() if rows[0][0] <= self._at)

    def __len__(self) -> int:
        return sum(1 for _ in self)
