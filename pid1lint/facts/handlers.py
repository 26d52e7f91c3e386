"""What in an app's source shows that it handles a stop signal itself."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pid1lint.facts import data

_ALIASES = {"javascript": "node", "typescript": "node", "bun": "node", "deno": "node", "c++": "c", "kotlin": "java"}


def handles(language: str, text: str, signal_name: str) -> bool:
    """Whether a source text sets a handler for a signal (`TERM` or `SIGTERM`), itself or by a library known to.

    It errs towards yes: comments count, and a handler that is set anywhere is believed to be in use.
    """
    name = signal_name.removeprefix("SIG")
    own, libraries = _patterns(_ALIASES.get(language, language), name)
    if name in text and any(pattern.search(text) for pattern in own):
        return True
    return any(pattern.search(text) for pattern in libraries)


def default_reaction(language: str) -> str:
    """What TERM does to a program of this language that sets no handler: `default`, `drops`, `handles`.

    Empty for a language that is not known.
    """
    languages: dict[str, dict[str, str]] = _file()["languages"]
    row = languages.get(language) or languages.get(_ALIASES.get(language, ""))
    return row["default"] if row else ""


@cache
def _file() -> dict[str, Any]:
    return data.read("handlers")


@cache
def _patterns(language: str, name: str) -> tuple[tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...]]:
    """The patterns that name the signal, and those of libraries that handle it without naming it."""
    rows = [row for row in _file()["handlers"] if row["language"] == language]
    literal = re.escape(name)
    own = [row for row in rows if "signals" not in row]
    libraries = [row for row in rows if name in row.get("signals", "").split()]
    return _compiled(own, "SIG" + literal, literal), _compiled(libraries, "", "")


def _compiled(rows: list[dict[str, str]], signal: str, name: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(row["pattern"].format(SIG=signal, NAME=name)) for row in rows)
