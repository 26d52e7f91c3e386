"""What somebody may have meant who mistyped a word, a rule's code or a path; imported only where that is told."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Sequence


def nearest(word: str, among: Iterable[str], cutoff: float = 0.5) -> str | None:
    """The most similar one, without regard to case; None if none is similar enough."""
    spellings = {each.lower(): each for each in among}
    close = difflib.get_close_matches(word.lower(), spellings, n=1, cutoff=cutoff)
    return spellings[close[0]] if close else None


def hint(word: str, among: Iterable[str], cutoff: float = 0.5) -> str:
    """`; did you mean 'x'?`, or nothing."""
    close = nearest(word, among, cutoff)
    return f"; did you mean {close!r}?" if close is not None else ""


def nearest_code(code: str, among: Sequence[str]) -> str | None:
    """The first code that begins so or differs in one character at most: PID201 for PID20 or PID2O1."""
    wanted = code.upper()

    def is_near(known: str) -> bool:
        others = sum(a != b for a, b in zip(known, wanted, strict=False))
        return others == 0 or (others == 1 and len(known) == len(wanted))

    return next((known for known in among if len(known) >= len(wanted) and is_near(known)), None)


def path_hint(path: str, *, folders: bool = False, ending: str = "") -> str:
    """`; did you mean 'x'?` where there is something of a similar name, or in a folder of a similar name.

    Only `folders`, or only what has this `ending`, if asked for.
    """
    found = _similar_path(path, lambda each: each.endswith(ending) and (not folders or os.path.isdir(each)))
    return f"; did you mean {found!r}?" if found else ""


def _similar_path(path: str, wanted: Callable[[str], bool]) -> str | None:
    folder, name = os.path.split(path.rstrip("/"))
    if folder and not os.path.isdir(folder):
        near = _similar_path(folder, os.path.isdir)
        if near is None:
            return None
        meant = os.path.join(near, name)
        return meant if os.path.exists(meant) and wanted(meant) else _similar_path(meant, wanted)
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return None
    close = nearest(name, (each for each in names if wanted(os.path.join(folder, each))), 0.7)
    return None if close is None else os.path.join(folder, close)
