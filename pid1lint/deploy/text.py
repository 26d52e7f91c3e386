"""Pieces of text that keep their places: joined, interpolated, and split into words as each format does it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from pid1lint.deployment import UNKNOWN
from pid1lint.frozen import NamedTuple
from pid1lint.numbers import is_number
from pid1lint.source import Excerpt

Lookup = Callable[[str], str | None]
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MAX_DEPTH = 20
MOST_CHARACTERS = 4096
"""A value that is made of others' is not longer than this, or than it is written: each may double the one before."""
_MOST_WRITTEN = 100_000
"""Characters of a text that is interpolated or split into words: beyond, nothing is known."""


class _Text:
    """An excerpt in the making."""

    def __init__(self) -> None:
        self.chars: list[str] = []
        self.offsets: list[int] = []

    def add(self, text: str, *offsets: int) -> None:
        """Characters, each with its offset; the last offset counts for all that follow."""
        self.chars.append(text)
        self.offsets += offsets[: len(text)]
        self.offsets += [offsets[-1]] * (len(text) - len(offsets))

    def excerpt(self, like: Excerpt, end: int, quoting: str | None = None) -> Excerpt:
        offsets = (*self.offsets, end)
        text = "".join(self.chars)
        quoting = like.quoting if quoting is None else quoting
        if quoting != "json" and offsets == tuple(range(offsets[0], offsets[0] + len(offsets))):
            return Excerpt(like.source, text, None, offsets[0], quoting)
        return Excerpt(like.source, text, offsets, 0, quoting)


def interpolated(text: Excerpt, lookup: Lookup) -> Excerpt:
    """What Compose makes of `$NAME` and `${NAME:-default}`; `lookup` gives None for a name that nobody here knows.

    Such a one becomes `UNKNOWN`. A `$` that begins neither stays.
    """
    if "$" not in text.text:
        return text
    made = _Text()
    if len(text.text) > _MOST_WRITTEN:
        made.add(UNKNOWN, text.offset(0))
        return made.excerpt(text, text.offset(len(text.text)))
    for piece in _pieces(text.text, lookup, 0):
        if piece.literal:
            made.add(piece.text, *(text.offset(i) for i in range(piece.start, piece.start + len(piece.text))))
        else:
            made.add(piece.text, text.offset(piece.start))
        if len(made.offsets) > _MOST_WRITTEN:
            # As for a shell that cannot hold it: what is there already is not the whole.
            made.add(UNKNOWN, text.offset(piece.start))
            break
    return made.excerpt(text, text.offset(len(text.text)))


class _Piece(NamedTuple):
    """A part of an interpolated text: `literal` stands there as it is, else it has come in at `start`."""

    text: str
    start: int
    literal: bool


def _pieces(text: str, lookup: Lookup, depth: int) -> Iterator[_Piece]:
    at = 0
    while at < len(text):
        dollar = text.find("$", at)
        if dollar < 0 or dollar == len(text) - 1:
            yield _Piece(text[at:], at, True)
            return
        if dollar > at:
            yield _Piece(text[at:dollar], at, True)
        name = _NAME.match(text, dollar + 1)
        if text[dollar + 1] == "$":
            yield _Piece("$", dollar + 1, True)
            at = dollar + 2
        elif name is not None:
            value = lookup(name.group())
            yield _Piece(UNKNOWN if value is None else value, dollar, False)
            at = name.end()
        elif text[dollar + 1] == "{":
            end = _closing(text, dollar + 2)
            if end is None:
                # Compose reads none of it.
                yield _Piece(text[dollar:], dollar, True)
                return
            yield _Piece(_braced(text[dollar + 2 : end], lookup, depth), dollar, False)
            at = end + 1
        else:
            yield _Piece("$", dollar, True)
            at = dollar + 1


_BRACE = re.compile(r"\$\{|\}")


def _closing(text: str, at: int) -> int | None:
    """Where the brace closes that opened before an offset."""
    depth = 1
    for found in _BRACE.finditer(text, at):
        depth += 1 if found[0] == "${" else -1
        if not depth:
            return found.start()
    return None


def _braced(inside: str, lookup: Lookup, depth: int) -> str:
    name = _NAME.match(inside)
    if name is None or depth > _MAX_DEPTH:
        return UNKNOWN
    value, rest = lookup(name.group()), inside[name.end() :]
    operator = next((op for op in (":-", ":?", ":+", "-", "?", "+") if rest.startswith(op)), "")
    if not operator:
        return UNKNOWN if value is None or rest else value
    if operator[-1] == "?":
        return value or UNKNOWN
    word = _joined(rest[len(operator) :], lookup, depth + 1)
    if operator[-1] == "+":
        return UNKNOWN if value is None else word if value else ""
    return word if value is None or (not value and operator == ":-") else value


def _joined(text: str, lookup: Lookup, depth: int = 0) -> str:
    """An interpolated text; nothing is known of one that has become too long."""
    made: list[str] = []
    length = 0
    for piece in _pieces(text, lookup, depth):
        made.append(piece.text)
        length += len(piece.text)
        if length > max(MOST_CHARACTERS, len(text)):
            return UNKNOWN
    return "".join(made)


class Split(NamedTuple):
    """A string's words; `dropped` begins with the operator that ended it early, `error` is set where it has no end."""

    words: tuple[Excerpt, ...]
    dropped: Excerpt | None = None
    error: str = ""


def split_words(text: Excerpt) -> Split:
    """A command string as Compose takes it apart: quotes and backslashes count, no shell has a look at it.

    See mattn/go-shellwords, which Compose uses: an unquoted `;`, `&`, `|`, `<` or `>` ends the command.
    """
    if len(text.text) > _MOST_WRITTEN:
        return Split((), None, f"more than {_MOST_WRITTEN} characters")
    words: list[Excerpt] = []
    current = _Text()
    started, quote, escaped, nested = False, "", False, False
    value = text.text
    for at, char in enumerate(value):
        offset = text.offset(at)
        if escaped:
            current.add({"t": "\t", "n": "\n"}.get(char, char), offset)
            escaped, started = False, True
        elif char == "\\" and quote != "'":
            escaped, nested = True, True
        elif quote:
            if char == quote:
                quote = ""
            else:
                current.add(char, offset)
        elif char in "'\"":
            quote, started, nested = char, True, True
        elif char in " \t\r\n":
            if started:
                words.append(_word(current, text, text.offset(at), nested))
            current, started, nested = _Text(), False, False
        elif char in ";&|<>":
            descriptor = char == ">" and bool(current.chars) and is_number(current.chars[0])
            if started and not descriptor:
                words.append(_word(current, text, text.offset(at), nested))
            return Split(tuple(words), text.cut(at - len(current.chars) if descriptor else at, len(value)))
        else:
            current.add(char, offset)
            started = True
    if quote or escaped:
        return Split((), None, "an unclosed quote" if quote else "a backslash at the end")
    if started:
        words.append(_word(current, text, text.offset(len(value)), nested))
    return Split(tuple(words))


def _word(made: _Text, text: Excerpt, end: int, nested: bool) -> Excerpt:
    end = made.offsets[-1] + 1 if made.offsets and not nested else end
    if nested:
        return made.excerpt(text, end, "quoted")
    # What is put into a word without quotes must stay one word, and a quote is written twice within single quotes.
    within = text.source.text[text.offset(0) - 1 : text.offset(0)] == "'" and text.quoting == "yaml"
    return made.excerpt(text, end, "nested" if within else "word")


def dotenv(text: str, lookup: Lookup) -> dict[str, str | None]:
    """The variables of an `.env` file, in its order; None for a name without `=`. Other lines are left out."""
    values: dict[str, str | None] = {}

    def known(name: str) -> str | None:
        return values[name] if values.get(name) is not None else lookup(name)

    at = 0
    line = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*(?:(=|:)[ \t]*|(?=\r?\n|\Z|#))")
    while at < len(text):
        found = line.match(text, at)
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if found is None:
            at = end + 1
            continue
        if not found[2]:
            values[found[1]] = None
            at = end + 1
            continue
        start = found.end()
        quote = text[start : start + 1]
        if quote in ("'", '"') and (close := _close_quote(text, start)) is not None:
            inside = text[start + 1 : close]
            values[found[1]] = inside.replace("\\'", "'") if quote == "'" else _double(inside, known)
            end = text.find("\n", close)
            end = len(text) if end < 0 else end
        else:
            raw = re.split(r"\s#", text[start:end].rstrip("\r"), maxsplit=1)[0].strip()
            values[found[1]] = _joined(raw, known)
        at = end + 1
    return values


def _close_quote(text: str, start: int) -> int | None:
    at = start + 1
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        if text[at] == text[start]:
            return at
        at += 1
    return None


def _double(inside: str, lookup: Lookup) -> str:
    escapes = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "$": "$$"}
    unescaped = re.sub(r"\\(.)", lambda found: escapes.get(found[1], found[0]), inside)
    return _joined(unescaped, lookup)
