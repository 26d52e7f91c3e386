"""What in an app's source shows that it handles a stop signal itself, and what a language does where nothing does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from pid1lint.facts import data
from pid1lint.frozen import NamedTuple

_ALIASES = {"javascript": "node", "typescript": "node", "bun": "node", "deno": "node", "c++": "c", "kotlin": "java"}
_HASH = re.compile(r"(?P<keep>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')|#[^\n]*")
_SLASHES = re.compile(
    r"(?P<keep>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|//[^\n]*|/\*.*?\*/", re.DOTALL
)
_RUST = re.compile(r"(?P<keep>\"(?:\\.|[^\"\\])*\"|'(?:\\.[^']*|[^'\\])')|//[^\n]*|/\*.*?\*/", re.DOTALL)
_DASHES = re.compile(r"(?P<keep>\"(?:\\.|[^\"\\\n])*\")|--[^\n]*|\{-.*?-\}", re.DOTALL)
_COMMENTS = {
    "crystal": _HASH,
    "elixir": _HASH,
    "erlang": re.compile(r"(?P<keep>\"(?:\\.|[^\"\\\n])*\")|%[^\n]*"),
    "haskell": _DASHES,
    "nim": _HASH,
    "perl": re.compile(r"(?P<keep>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|\$#)|(?:(?<=\s)|^)#[^\n]*", re.MULTILINE),
    "php": re.compile(_SLASHES.pattern + r"|#(?!\[)[^\n]*", re.DOTALL),
    "python": _HASH,
    "ruby": re.compile(_HASH.pattern + r"(?<!#\{)"),
    "rust": _RUST,
}
_SET_BACK = {"SIG_IGN": "survives", "SIG_DFL": "default", "IGNORE": "survives", "DEFAULT": "default"}


class Found(NamedTuple):
    """Where a source text says what becomes of a signal: `reaction` is `handles`, `survives`, `default`, or empty.

    Empty means that a handler may be set there: of signals that are not named (`signal.Notify(c, signals...)`), or by
    what only its name says it.
    """

    start: int
    end: int
    reaction: str
    source: str


class Library(NamedTuple):
    """A library of a manifest: `reaction` is what it does with a signal by itself, empty if it leaves signals alone."""

    name: str
    start: int
    end: int
    reaction: str
    source: str


def handles(language: str, text: str, signal_name: str) -> bool:
    """Whether a source text sets a handler for a signal (`TERM` or `SIGTERM`), itself or by a library known to.

    It errs towards yes: comments count, and a handler that is set anywhere is believed to be in use.
    """
    name = signal_name.removeprefix("SIG")
    own, libraries = _patterns(_canonical(language), name)
    return any(row.pattern.search(text) for row in (*_possible(own, text), *_possible(libraries, text)))


def find(language: str, text: str, signal_name: str) -> Found | None:
    """What a source text does about a signal, comments left aside; None if nothing."""
    language = _canonical(language)
    name = signal_name.removeprefix("SIG")
    own, libraries = (_possible(rows, text) for rows in _patterns(language, name))
    unclear = _possible(_unclear(language), text)
    if not (own or libraries or unclear):
        return None
    code = without_comments(language, text)
    for row in own:
        match = row.pattern.search(code)
        if match is not None:
            reaction = "" if row.source.startswith("believed") else _what_is_set(code, match)
            return Found(match.start(), match.end(), reaction, row.source)
    for row in libraries:
        match = row.pattern.search(code)
        if match is not None:
            reaction = "" if row.source.startswith("believed") else "handles"
            return Found(match.start(), match.end(), reaction, row.source)
    for row in unclear:
        match = row.pattern.search(code)
        if match is not None:
            return Found(match.start(), match.end(), "", row.source)
    return None


def _possible(rows: Sequence[_Row], text: str) -> list[_Row]:
    """The patterns of which a text holds a word that every match holds: most texts hold none, and are soon read."""
    return [row for row in rows if any(word in text for word in row.needs)]


def _what_is_set(code: str, match: re.Match[str]) -> str:
    """A handler, unless the signal is ignored or set back to its default: `signal(SIGTERM, SIG_IGN)`."""
    rest = code[match.start() : match.end() + 60].partition("\n")[0]
    return next((reaction for word, reaction in _SET_BACK.items() if re.search(rf"\b{word}\b", rest)), "handles")


def without_comments(language: str, text: str) -> str:
    """The text with blanks for its comments: every character stays where it is."""
    comments = _COMMENTS.get(_canonical(language), _SLASHES)

    def blank(match: re.Match[str]) -> str:
        if match["keep"] is not None:
            return match[0]
        return re.sub(r"[^\n]", " ", match[0])

    return comments.sub(blank, text)


def libraries(language: str, manifest: str, signal_name: str) -> tuple[Library, ...]:
    """The libraries of a manifest that handle a signal by themselves, wherever they are used."""
    name = signal_name.removeprefix("SIG")
    found = []
    for row in _file()["libraries"]:
        if row["language"] != _canonical(language) or name not in row["signals"].split():
            continue
        match = re.search(row["manifest"], manifest)
        if match is not None:
            found.append(Library(row["name"], match.start(), match.end(), row["reaction"], row["source"]))
    return tuple(found)


def leaves_alone(language: str, name: str) -> bool:
    """Whether a library sets no handler by itself, for any signal that stops a program.

    Read in the libraries' own documentation and source; a name that ends in `*` stands for all that begin so.
    """
    return name in _alone(_canonical(language)) or any(map(name.startswith, _alone_by_start(_canonical(language))))


def variables(language: str) -> str:
    """A pattern of the variables (`NAME=value`) with which a library sets handlers that no source shows, or empty."""
    rows = _file()["variables"]
    return "|".join(f"(?:{row['pattern']})" for row in rows if row["language"] == _canonical(language))


def serves(language: str, text: str) -> bool:
    """Whether a source text shows a program that answers requests, or works off a queue."""
    pattern: str | None = _file()["serves"].get(_canonical(language))
    return pattern is not None and re.search(pattern, text) is not None


@cache
def _alone(language: str) -> frozenset[str]:
    return frozenset(_file()["alone"].get(language, "").split())


@cache
def _alone_by_start(language: str) -> tuple[str, ...]:
    return tuple(name[:-1] for name in _alone(language) if name.endswith("*"))


def default_reaction(language: str, signal_name: str = "TERM") -> str:
    """What a signal does to a program of this language, as PID 1, that sets no handler.

    `default` (PID 1 ignores it, another process ends), `drops` (it ends at once), `handles` (its exit hooks run),
    `survives`; empty for a language, or a signal of it, that is not known.
    """
    row = _language(language)
    if row is None:
        return ""
    name = signal_name.removeprefix("SIG")
    signals: dict[str, str] = row.get("signals", {})
    return signals.get(name, row["default"] if name == "TERM" else "")


def default_source(language: str) -> str:
    """Where it is known from what a language does without a handler: `measured: ...`, `documented: ...`."""
    row = _language(language)
    return row["source"] if row is not None else ""


def _language(language: str) -> dict[str, Any] | None:
    languages: dict[str, dict[str, Any]] = _file()["languages"]
    return languages.get(language) or languages.get(_ALIASES.get(language, ""))


def _canonical(language: str) -> str:
    return _ALIASES.get(language, language)


@cache
def _file() -> dict[str, Any]:
    return data.read("handlers")


class _Row(NamedTuple):
    """A pattern, of which every match holds one of the words that it `needs`."""

    pattern: re.Pattern[str]
    needs: tuple[str, ...]
    source: str


@cache
def _patterns(language: str, name: str) -> tuple[tuple[_Row, ...], tuple[_Row, ...]]:
    """The patterns that name the signal, and those of libraries that handle it without naming it."""
    rows = [row for row in _file()["handlers"] if row["language"] == language]
    literal = re.escape(name)
    own = [row for row in rows if "signals" not in row]
    libraries = [row for row in rows if name in row.get("signals", "").split()]
    return _compiled(own, "SIG" + literal, literal, (name,)), _compiled(libraries)


@cache
def _unclear(language: str) -> tuple[_Row, ...]:
    """The patterns of code that handles signals which it does not name."""
    return _compiled([row for row in _file()["unclear"] if row["language"] == language])


def _compiled(
    rows: list[dict[str, Any]], signal: str = "", name: str = "", needs: tuple[str, ...] = ()
) -> tuple[_Row, ...]:
    return tuple(
        _Row(re.compile(row["pattern"].format(SIG=signal, NAME=name)), needs or tuple(row["needs"]), row["source"])
        for row in rows
    )
