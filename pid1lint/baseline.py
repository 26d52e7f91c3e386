"""Baselines: a file with the findings of today, so that only new ones are told."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from pid1lint import files
from pid1lint.diagnostic import Diagnostic
from pid1lint.errors import Pid1lintError, UnreadableError
from pid1lint.fingerprint import fingerprints, working_folder

_VERSION = 1
_MAX_BYTES = 16 * 1024 * 1024


def written(diagnostics: Iterable[Diagnostic]) -> str:
    """The text of a baseline: it changes only where findings do, not where lines move."""
    listed = tuple(diagnostics)
    rows = [
        {"path": d.at.source.path, "code": d.code, "message": d.message, "fingerprint": fingerprint}
        for d, fingerprint in zip(listed, fingerprints(listed, working_folder()), strict=True)
    ]
    rows.sort(key=lambda row: (row["path"], row["code"], row["fingerprint"]))
    return json.dumps({"version": _VERSION, "findings": rows}, indent=2) + "\n"


def read(path: str) -> frozenset[str]:
    """The fingerprints in a baseline; `Pid1lintError` if it is none."""
    if not os.path.lexists(path):
        from pid1lint.nearest import path_hint

        meant = path_hint(path) or f"; --write-baseline {path} writes one"
        raise Pid1lintError(f"--baseline: {path} does not exist{meant}")
    try:
        document = json.loads(files.read(path, limit=_MAX_BYTES))
        if document["version"] != _VERSION:
            raise Pid1lintError(f"--baseline: {path} is of version {document['version']!r}, not {_VERSION}")
        return frozenset(str(finding["fingerprint"]) for finding in document["findings"])
    except UnreadableError as error:
        raise Pid1lintError(f"--baseline: {error}") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Pid1lintError(f"--baseline: {path} is not a baseline; --write-baseline {path} writes one") from error


def fresh(diagnostics: Iterable[Diagnostic], known: frozenset[str]) -> tuple[Diagnostic, ...]:
    """The findings that are not in a baseline."""
    listed = tuple(diagnostics)
    marks = fingerprints(listed, working_folder()) if listed else ()
    return tuple(d for d, mark in zip(listed, marks, strict=True) if mark not in known)
