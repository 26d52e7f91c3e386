"""Wildcard patterns of shells, of Go and of git, matched in a time that grows with text times pattern at most.

A pattern with several stars, as a regular expression, tries all ways to share a text among them: thirty characters
can take hours. Here it is a row of items, and the places in the row that a text can have led to are the bits of one
integer. Where there is so little to try that it makes no difference, the row is matched as a regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import assert_never

from pid1lint.frozen import NamedTuple

_SHORT = 256
"""In a text of no more characters two stars are left to a regular expression."""

_POSIX = {
    "alnum": "azAZ09",
    "alpha": "azAZ",
    "blank": "  \t\t",
    "cntrl": "\x00\x1f\x7f\x7f",
    "digit": "09",
    "graph": "!~",
    "lower": "az",
    "print": " ~",
    "punct": "!/:@[`{~",
    "space": "  \t\r",
    "upper": "AZ",
    "xdigit": "09afAF",
}
"""The classes such as `[:alpha:]`: pairs of a first and a last character."""


class Char(NamedTuple):
    """One character, itself."""

    char: str


class Chars(NamedTuple):
    """One character of some, which are pairs of a first and a last one; or of all others. Perhaps not a slash."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool
    slash: bool

    def has(self, char: str) -> bool:
        """Whether the character is one of them."""
        if char == "/" and not self.slash:
            return False
        return any(first <= char <= last for first, last in self.ranges) != self.negated


class Star(NamedTuple):
    """Any number of characters; no slash among them unless there may be."""

    slash: bool


class Folders(NamedTuple):
    """Any number of folders, each with the slash behind it: `**/`."""


Item = Char | Chars | Star | Folders
NOTHING = Chars((), False, True)
"""No character fits: a pattern with it matches nothing."""


class Pattern:
    """A row of items, ready to be matched."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.items = tuple(_tidied(items))
        self._stars = sum(isinstance(item, Star | Folders) for item in self.items)
        self._ends = _plain_ends(self.items) if self._stars <= 1 else None

    def matches(self, text: str) -> bool:
        """Whether it matches the whole text."""
        if self._ends is not None:
            # Most patterns are a name, or have one star: that takes no regular expression.
            head, star, tail = self._ends
            if star is None:
                return text == head
            inner = len(text) - len(tail)
            fits = text.startswith(head) and text.endswith(tail) and inner >= len(head)
            return fits and (star.slash or text.find("/", len(head), inner) < 0)
        if self._stars <= 1 or (self._stars == 2 and len(text) <= _SHORT):
            return self._regex.fullmatch(text) is not None
        return self._forward.matches(text)

    @property
    def literal(self) -> str | None:
        """The only text that it matches, if it has no wildcard."""
        return self._ends[0] if self._ends is not None and self._ends[1] is None else None

    def prefix(self, text: str, *, longest: bool) -> int | None:
        """Where the shortest, or the longest, match that begins with the text ends; None without one."""
        return self._forward.end(text, longest=longest)

    def suffix(self, text: str, *, longest: bool) -> int | None:
        """Where the shortest, or the longest, match that ends with the text begins; None without one."""
        length = self._backward.end(text[::-1], longest=longest)
        return None if length is None else len(text) - length

    def replaced(self, text: str, replacement: str, *, everywhere: bool) -> str:
        """The text with the first match, or all, replaced, as bash does: the longest counts, but an empty one not."""
        if not text:
            return replacement if self.items and self.matches("") else ""
        begins = self._backward.begins(text)
        pieces: list[str] = []
        at = 0
        while (start := begins.find(1, at)) >= 0:
            length = self._forward.end(text[start:], longest=True)
            if not length:
                break
            pieces += (text[at:start], replacement)
            at = start + length
            if not everywhere:
                break
        return "".join((*pieces, text[at:]))

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile("".join(map(_expression, self.items)), re.DOTALL)

    @cached_property
    def _forward(self) -> _Row:
        return _Row(self.items)

    @cached_property
    def _backward(self) -> _Row:
        return _Row(self.items[::-1])


def _tidied(items: Iterable[Item]) -> Iterator[Item]:
    """Two stars in a row are one, and so are any number of folders and any number more."""
    last: Item | None = None
    for item in items:
        if isinstance(item, Star) and isinstance(last, Star):
            last = Star(item.slash or last.slash)
            continue
        if isinstance(item, Folders) and isinstance(last, Folders):
            continue
        if last is not None:
            yield last
        last = item
    if last is not None:
        yield last


def _plain_ends(items: Sequence[Item]) -> tuple[str, Star | None, str] | None:
    """What stands before and behind the only star, if nothing but plain characters does."""
    heads: list[str] = []
    tails: list[str] = []
    star = None
    for item in items:
        if isinstance(item, Star):
            star = item
        elif isinstance(item, Char):
            (heads if star is None else tails).append(item.char)
        else:
            return None
    return "".join(heads), star, "".join(tails)


def _expression(item: Item) -> str:
    match item:
        case Char(char):
            return re.escape(char)
        case Star(slash):
            return ".*" if slash else "[^/]*"
        case Folders():
            return "(?:.*/)?"
        case Chars((), negated, slash):
            return ("." if slash else "[^/]") if negated else "(?!)"
        case Chars(ranges, negated, slash):
            inner = "".join(f"{re.escape(first)}-{re.escape(last)}" for first, last in ranges)
            return f"{'' if slash else '(?!/)'}[{'^' if negated else ''}{inner}]"
        case _:
            assert_never(item)


class _Row:
    """The places between items as bits of an integer: those that the text read so far leads to."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.chars: dict[str, int] = {}
        self.sets: list[tuple[Chars, int]] = []
        self.skip_one = self.skip_two = self.stay = self.stay_low = self.within = 0
        place = 1
        for item in items:
            match item:
                case Char(char):
                    self.chars[char] = self.chars.get(char, 0) | place
                case Chars():
                    self.sets.append((item, place))
                case Star(slash):
                    self.skip_one |= place
                    self.stay |= place
                    self.stay_low |= 0 if slash else place
                case Folders():
                    # Two places: before them, from where they may be left out, and among them.
                    self.skip_one |= place
                    self.skip_two |= place
                    place <<= 1
                    self.stay |= place
                    self.within |= place
                case _:
                    assert_never(item)
            place <<= 1
        self.last = place
        self.first = self._on(1)
        self.moves: dict[str, tuple[int, int]] = {}

    def matches(self, text: str) -> bool:
        """Whether the row matches the whole text."""
        return self.end(text, longest=True) == len(text)

    def end(self, text: str, *, longest: bool) -> int | None:
        """Where the shortest, or the longest, match that begins with the text ends."""
        places, last = self.first, self.last
        found = 0 if places & last else None
        if found is not None and not longest:
            return found
        for at, char in enumerate(text, 1):
            onward, stay = self.moves.get(char) or self._move(char)
            places = (places & onward) << 1 | places & stay
            if not places:
                break
            places = self._on(places)
            if places & last:
                found = at
                if not longest:
                    break
        return found

    def begins(self, text: str) -> bytes:
        """For a row that runs backwards: 1 for each character of the text with which a match begins, else 0."""
        found = bytearray(len(text))
        places, last = self.first, self.last
        for at in range(len(text) - 1, -1, -1):
            onward, stay = self.moves.get(text[at]) or self._move(text[at])
            places = self._on((places & onward) << 1 | places & stay) | self.first
            found[at] = bool(places & last)
        return bytes(found)

    def _on(self, places: int) -> int:
        """With the places that are reached without another character."""
        while True:
            more = places | (places & self.skip_one) << 1 | (places & self.skip_two) << 2
            if more == places:
                return places
            places = more

    def _move(self, char: str) -> tuple[int, int]:
        """The places that a character leads on from, and those that it leaves as they are."""
        onward = self.chars.get(char, 0)
        for chars, place in self.sets:
            if chars.has(char):
                onward |= place
        low = char == "/"
        self.moves[char] = found = onward | (self.within if low else 0), self.stay & ~(self.stay_low if low else 0)
        return found


# ------------------------------------------------------------ how they are written


@lru_cache(1024)
def shell(pattern: str, unknown: str = "") -> Pattern:
    """A pattern of a shell: a star stands for slashes too, and so does each character `unknown`."""
    return Pattern(_shell(pattern, unknown))


def _shell(pattern: str, unknown: str) -> Iterator[Item]:
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char in ("*", unknown):
            yield Star(True)
        elif char == "?":
            yield Chars((), True, True)
        elif char == "\\" and at < len(pattern):
            yield Char(pattern[at])
            at += 1
        elif char == "[" and (found := _class(pattern, at, "!^", slash=True)) is not None:
            chars, at = found
            yield chars
        else:
            yield Char(char)


_LONGEST = 20_000
"""Items of a pattern for paths, which have at most 4,096 characters: nothing fits one that has more."""


def git(pattern: str) -> Pattern:
    """A pattern of git for a path, without the slashes around it; nothing matches one that is malformed or too long."""
    return Pattern(_git(pattern) if len(pattern) <= _LONGEST else (NOTHING,))


def _git(pattern: str) -> Iterator[Item]:
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            begins, start = at == 1 or pattern[at - 2] == "/", at
            while pattern.startswith("*", at):
                at += 1
            alone = at - start == 1 and begins
            if alone and pattern.startswith("/", at):
                at += 1
                yield Folders()
            else:
                yield Star(alone and at == len(pattern))
        elif char == "?":
            yield Chars((), True, False)
        elif char == "\\":
            yield Char(pattern[at]) if at < len(pattern) else NOTHING
            at += 1
        elif char == "[":
            found = _class(pattern, at, "!^", slash=False)
            if found is None:
                yield NOTHING
                return
            chars, at = found
            yield chars
        else:
            yield Char(char)


@lru_cache(1024)
def go(pattern: str) -> Pattern | None:
    """Go's filepath.Match, which wildcards of COPY follow; None if the pattern is malformed."""
    items = _go(pattern, stars=False)
    return None if items is None else Pattern(items)


@lru_cache(1024)
def docker(pattern: str) -> Pattern | None:
    """A normalised line of a .dockerignore: as in Go, and `**` stands for any folders; None if it is malformed."""
    suffix = pattern.removeprefix("**")
    if suffix != pattern and not set(suffix) & set("*?[]\\"):
        # Docker holds such a line against the path's end, a part of a name included.
        return Pattern((Folders() if suffix.startswith("/") else Star(True), *map(Char, suffix.removeprefix("/"))))
    items = _go(pattern, stars=True)
    if items is None:
        return None
    found = Pattern(items)
    return found if len(found.items) <= _LONGEST else Pattern((NOTHING,))


def _go(pattern: str, *, stars: bool) -> list[Item] | None:
    items: list[Item] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*" and stars and pattern.startswith("*", at):
            at += 2 if pattern.startswith("/", at + 1) else 1
            items.append(Folders() if at < len(pattern) else Star(True))
        elif char == "*":
            items.append(Star(False))
        elif char == "?":
            items.append(Chars((), True, False))
        elif char == "\\" and at < len(pattern):
            items.append(Char(pattern[at]))
            at += 1
        elif char == "[":
            found = _class(pattern, at, "^", slash=False, posix=stars)
            if found is None:
                return None
            chars, at = found
            items.append(chars)
        else:
            items.append(Char(char))
    return items


def _class(pattern: str, at: int, negations: str, *, slash: bool, posix: bool = True) -> tuple[Chars, int] | None:
    """The characters of a class whose `[` is read, and where it ends; None if it is never closed."""
    negated = pattern[at : at + 1] != "" and pattern[at] in negations
    at += negated
    ranges: list[tuple[str, str]] = []
    first = at
    while at < len(pattern) and (pattern[at] != "]" or at == first):
        if posix and pattern.startswith("[:", at) and (end := pattern.find(":]", at + 2)) >= 0:
            pairs = _POSIX.get(pattern[at + 2 : end])
            if pairs is not None:
                ranges += zip(pairs[::2], pairs[1::2], strict=True)
                at = end + 2
                continue
        low, at = _escaped(pattern, at)
        if pattern.startswith("-", at) and pattern[at + 1 : at + 2] not in ("", "]"):
            high, at = _escaped(pattern, at + 1)
        else:
            high = low
        if low <= high:
            ranges.append((low, high))
    if at >= len(pattern):
        return None
    return Chars(tuple(ranges), negated, slash), at + 1


def _escaped(pattern: str, at: int) -> tuple[str, int]:
    """A character of a class, which a backslash may stand before, and where the next one is."""
    at += pattern[at] == "\\" and at + 1 < len(pattern)
    return pattern[at], at + 1
