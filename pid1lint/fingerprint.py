"""What tells one finding from another when lines move: for baselines, and for reports that others keep."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable

from pid1lint.diagnostic import Diagnostic


def fingerprints(diagnostics: Iterable[Diagnostic], folder: str = "") -> tuple[str, ...]:
    """A fingerprint for each diagnostic, in order: 64 hexadecimal digits, no two of them equal.

    It is made of the path, the code, and the flagged line without its indentation and with single blanks; what is
    alike in all three is counted from the top of the file on. Messages and line numbers have no part in it.
    `folder` goes before relative paths: see `working_folder`.
    """
    import hashlib

    listed = tuple(diagnostics)
    seen: dict[tuple[str, str, str], int] = {}
    made: dict[int, str] = {}
    for index in sorted(range(len(listed)), key=lambda i: listed[i].at.span):
        alike = _likeness(listed[index], folder)
        count = seen[alike] = seen.get(alike, 0) + 1
        text = "\0".join((*alike, str(count)))
        made[index] = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return tuple(made[index] for index in range(len(listed)))


def _likeness(diagnostic: Diagnostic, folder: str) -> tuple[str, str, str]:
    source = diagnostic.at.source
    path = posixpath.normpath(posixpath.join(folder, source.path))
    return path, diagnostic.code, " ".join(source.line(diagnostic.at.start.line).split())


def working_folder() -> str:
    """The working directory as seen from the root of its repository: with it, fingerprints are alike in all folders.

    Empty where there is no repository.
    """
    from pid1lint.files import repository_root

    here = os.getcwd()
    root = repository_root(here)
    return "" if root is None or os.path.samefile(root, here) else os.path.relpath(here, root).replace(os.sep, "/")
