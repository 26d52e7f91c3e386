"""Expansion of variables and quotes in the words of a Dockerfile, as BuildKit's own lexer does it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from pid1lint.source import Excerpt

UNKNOWN = "\ufffc"
"""Stands in an expanded string for a value that only the build knows."""

Lookup: TypeAlias = Callable[[str], str | None]
"""A variable's value: None if it is not set, `UNKNOWN` if nobody can tell."""

_NAME = re.compile(r"[@*#?\-$!0]|\d+|\w*")


# Values that double from line to line must not fill the memory, nor patterns try for ever.
_MAX_EXPANDED = 100_000
_MAX_MATCHED = 200
_MAX_STARS = 2


class _WordError(Exception):
    """A word that BuildKit refuses."""


def expand(text: str, lookup: Lookup, escape: str = "\\") -> str:
    """The value of one word or phrase, without its quotes and escapes; `UNKNOWN` if BuildKit refuses it."""
    if "$" not in text and "'" not in text and '"' not in text and escape not in text:
        return text
    try:
        return "".join(_Lexer(text, lookup, escape).run())
    except (_WordError, RecursionError):
        return UNKNOWN


def expand_heredoc(body: Excerpt, lookup: Lookup) -> Excerpt:
    """The content that COPY gives to a file from an unquoted heredoc: quotes stay, `$x` and backslashes do not."""
    if "$" not in body.text and "\\" not in body.text:
        return body
    lexer = _Lexer(body.text, lookup, "\\", quotes=False)
    try:
        chars = lexer.run()
    except (_WordError, RecursionError):
        return body
    offsets = tuple([body.offset(index) for index in lexer.origins] + [body.offset(len(body.text))])
    return Excerpt(body.source, "".join(chars), offsets, 0, body.quoting)


def split(text: str, escape: str = "\\") -> list[str]:
    """The words of ENV, ARG and LABEL: cut at blanks outside quotes, with quotes and escapes kept."""
    words: list[str] = []
    word: list[str] = []
    quote = ""
    at = 0
    while at < len(text):
        char = text[at]
        if char == escape and quote != "'":
            word.append(text[at : at + 2])
            at += 2
            continue
        if not quote and char.isspace():
            if word:
                words.append("".join(word))
            word = []
        else:
            word.append(char)
            if quote:
                quote = "" if char == quote else quote
            elif char in "'\"":
                quote = char
        at += 1
    if word:
        words.append("".join(word))
    return words


class _Lexer:
    """One pass over a text; `origins` holds, for each character of the result, the index it stems from."""

    def __init__(self, text: str, lookup: Lookup, escape: str, quotes: bool = True) -> None:
        self.text = text
        self.lookup = lookup
        self.escape = escape
        self.quotes = quotes
        self.at = 0
        self.origins: list[int] = []
        self.expanded = 0

    def run(self) -> list[str]:
        """All of the text."""
        chars: list[str] = []
        while self.at < len(self.text):
            start = self.at
            part = self._next(raw=False)
            chars.append(part)
            if self.quotes:
                continue  # nobody asks where a word's characters stem from
            # After an escape, the second of the two characters is the one that stays.
            first = start if self.text[start] == "$" else self.at - 1
            self.origins.extend(min(first + i, self.at - 1) for i in range(len(part)))
        return chars

    def _next(self, raw: bool) -> str:
        char = self.text[self.at]
        if char == "$":
            return self._dollar()
        if self.quotes and char == "'":
            return self._single_quoted()
        if self.quotes and char == '"':
            return self._double_quoted(raw)
        self.at += 1
        if char != self.escape:
            return char
        escaped = self.text[self.at : self.at + 1]
        self.at += len(escaped)
        return char + escaped if raw else escaped

    def _single_quoted(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise _WordError
        value = self.text[self.at + 1 : end]
        self.at = end + 1
        return value

    def _double_quoted(self, raw: bool) -> str:
        value: list[str] = []
        self.at += 1
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == '"':
                self.at += 1
                return "".join(value)
            if char == "$":
                value.append(self._dollar())
                continue
            if char == self.escape and self.text[self.at + 1 : self.at + 2] in ('"', "$", self.escape):
                value.append(char if raw else "")
                self.at += 1
            value.append(self.text[self.at])
            self.at += 1
        raise _WordError

    def _name(self) -> str:
        match = _NAME.match(self.text, self.at)
        name = match.group() if match else ""
        self.at += len(name)
        return name

    def _until(self, stop: str, raw: bool) -> str:
        value: list[str] = []
        while self.at < len(self.text):
            if self.text[self.at] == stop:
                self.at += 1
                return "".join(value)
            value.append(self._next(raw))
        raise _WordError

    def _dollar(self) -> str:
        value = self._expansion()
        self.expanded += len(value)
        if self.expanded > _MAX_EXPANDED:
            raise _WordError
        return value

    def _expansion(self) -> str:
        self.at += 1
        if not self.text.startswith("{", self.at):
            name = self._name()
            return (self.lookup(name) or "") if name else "$"
        self.at += 1
        if self.text[self.at : self.at + 1] in ("", "{", "}", ":"):
            raise _WordError
        name = self._name()
        value = self.lookup(name)
        operator = self.text[self.at : self.at + 1]
        self.at += 1
        if operator == "}":
            return value or ""
        if operator == "/":
            return self._replaced(value)
        colon = operator == ":"
        if colon:
            operator = self.text[self.at : self.at + 1]
            self.at += 1
        return self._modified(value, operator, colon)

    def _modified(self, value: str | None, operator: str, colon: bool) -> str:
        if operator not in ("+", "-", "?", "#", "%") or (colon and operator in "#%"):
            raise _WordError
        word = self._until("}", raw=operator in "#%")
        # An argument without a default counts as unset where the text itself says what then holds.
        is_set = value is not None and value != UNKNOWN and not (colon and value == "")
        if operator == "-":
            return value or "" if is_set else word
        if operator == "+":
            return word if is_set else ""
        if operator == "?" or value is None or UNKNOWN in value:
            return value or ""
        if len(value) > _MAX_MATCHED:
            raise _WordError
        greedy = word.startswith(operator)
        pattern = _pattern(word[1:] if greedy else word, greedy)
        return _trim_start(pattern, value) if operator == "#" else _trim_end(pattern, value, greedy)

    def _replaced(self, value: str | None) -> str:
        everywhere = self.text.startswith("/", self.at)
        self.at += everywhere
        pattern = self._until("/", raw=True)
        replacement = self._until("}", raw=True)
        if value is None or UNKNOWN in value:
            return value or ""
        if len(value) > _MAX_MATCHED:
            raise _WordError
        return re.sub(_pattern(pattern, True), lambda _: replacement, value, count=0 if everywhere else 1)


def _pattern(word: str, greedy: bool) -> str:
    """A regular expression for a pattern of `*` and `?`."""
    if word.count("*") > _MAX_STARS:
        raise _WordError
    parts: list[str] = []
    at = 0
    while at < len(word):
        char = word[at]
        if char == "\\" and at + 1 < len(word):
            at += 1
            parts.append(re.escape(word[at]))
        elif char == "*":
            parts.append("(?s:.*)" if greedy else "(?s:.*?)")
        else:
            parts.append("(?s:.)" if char == "?" else re.escape(char))
        at += 1
    return "".join(parts)


def _trim_start(pattern: str, value: str) -> str:
    match = re.match(pattern, value)
    return value[match.end() :] if match else value


def _trim_end(pattern: str, value: str, greedy: bool) -> str:
    starts = range(len(value) + 1) if greedy else range(len(value), -1, -1)
    return next((value[:at] for at in starts if re.fullmatch(pattern, value[at:])), value)
