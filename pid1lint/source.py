"""Text with positions: a file as read, spans in it, and excerpts that remember where each character came from."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from pid1lint.errors import UnreadableError
from pid1lint.frozen import Frozen, NamedTuple

BOM = "\ufeff"
_PLAIN = re.compile(r"[\w@%+=:,./ -]*")


class Span(NamedTuple):
    """A half-open range of character offsets in a `Source`."""

    start: int
    end: int

    def covers(self, other: Span) -> bool:
        """Whether `other` lies wholly inside this span."""
        return self.start <= other.start and other.end <= self.end


class Location(NamedTuple):
    """A 1-based line and a 1-based column, both counted in code points."""

    line: int
    column: int


MADE_UP = "(base image)"
"""How the path of a source ends that shows what a base image brings along."""


class Source(Frozen):
    """One file's text.

    `text` has neither the byte order mark nor any change to its line ends. Bytes that are not UTF-8 are carried
    as lone surrogates, so that `encode` gives back what was read.
    """

    path: str
    text: str
    bom: bool = False

    @classmethod
    def decode(cls, path: str, data: bytes) -> Source:
        """Read a file's bytes; `UnreadableError` if they are no text."""
        if b"\0" in data:
            raise UnreadableError(path, "is not text: it contains NUL bytes")
        return cls.of_text(path, data.decode("utf-8", "surrogateescape"))

    @classmethod
    def of_text(cls, path: str, text: str) -> Source:
        """A file that is at hand as text, with its byte order mark if it has one."""
        return cls(path, text.removeprefix(BOM), text.startswith(BOM))

    @property
    def in_file(self) -> bool:
        """Whether it is a file's text: not one made at run time, nor what a base image brings along."""
        return bool(self.path) and not self.path.endswith(MADE_UP)

    @property
    def newline(self) -> str:
        """The line end that the file itself uses, for what is inserted into it."""
        first = self.text.find("\n")
        return "\r\n" if first > 0 and self.text[first - 1] == "\r" else "\n"

    def encode(self) -> bytes:
        """The file's bytes."""
        return ((BOM if self.bom else "") + self.text).encode("utf-8", "surrogateescape")

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """The offset at which each line begins."""
        starts = [0]
        at = self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return tuple(starts)

    @property
    def invalid_offset(self) -> int | None:
        """The offset of the first byte that is not UTF-8, or None."""
        try:
            self.text.encode()
        except UnicodeEncodeError as error:
            return error.start
        return None

    def location(self, offset: int) -> Location:
        """Line and column of an offset; one past the end is allowed."""
        line = bisect_right(self.line_starts, offset)
        return Location(line, offset - self.line_starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of a 1-based line, without its line end."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] if number < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def whole(self) -> Excerpt:
        """The whole text as an excerpt."""
        return Excerpt(self, self.text)

    def place(self, start: int, end: int) -> Place:
        """A place in this source."""
        return Place(self, Span(start, end))


class Place(NamedTuple):
    """A span in a source: where a finding, a note or a process points."""

    source: Source
    span: Span

    @property
    def text(self) -> str:
        """The text that the span covers."""
        return self.source.text[self.span.start : self.span.end]

    @property
    def start(self) -> Location:
        """Where it begins."""
        return self.source.location(self.span.start)

    @property
    def end(self) -> Location:
        """Where it ends, exclusive."""
        return self.source.location(self.span.end)

    @property
    def last_line(self) -> int:
        """The last line that it has a part of: a span may end at the start of the next one."""
        start, end = self.start, self.end
        return end.line - 1 if end.column == 1 and end.line > start.line else end.line


@dataclass(frozen=True)
class Excerpt:
    """A string taken out of a source (continuations joined, JSON escapes undone), each character with its origin.

    `offsets` has one entry a character and one for the end; None means that `text` stands in the source as it is,
    from `base` on. `quoting` names what an insertion must respect: `json` inside a JSON string,
    `word` where the text is one bare word of a shell command, `nested` where that command is itself in quotes, else
    `plain`.
    """

    source: Source
    text: str
    offsets: tuple[int, ...] | None = None
    base: int = 0
    quoting: str = "plain"

    def offset(self, index: int) -> int:
        """The source offset of the character at `index` (`len(text)`: the end)."""
        return self.base + index if self.offsets is None else self.offsets[index]

    def span(self, start: int, end: int) -> Span:
        """The source span of `text[start:end]`."""
        if start >= end:
            return Span(self.offset(start), self.offset(start))
        if self.offsets is None:
            return Span(self.base + start, self.base + end)
        last = self.offsets[end - 1]
        after = self.offsets[end]
        # What follows the last character may be a continuation or a closing quote: stay before it, but keep an
        # escape that stands for one character (`\"`) whole.
        width = after - last if self.quoting == "json" and self.source.text[last] == "\\" else 1
        # What is made up behind the end of a file stands for none of its characters.
        return Span(self.offsets[start], min(last + width, len(self.source.text)))

    def written(self, text: str) -> str | None:
        """A piece of `text` as the source must spell it; None where its quotes would have to become others."""
        if self.quoting == "json":
            return json.dumps(text, ensure_ascii=False)[1:-1]
        return text if self.quoting == "plain" or _PLAIN.fullmatch(text) else None

    def place(self, start: int = 0, end: int | None = None) -> Place:
        """The place of `text[start:end]` in the source."""
        return Place(self.source, self.span(start, len(self.text) if end is None else end))

    def cut(self, start: int, end: int) -> Excerpt:
        """A part of this excerpt."""
        if self.offsets is None:
            return Excerpt(self.source, self.text[start:end], None, self.base + start, self.quoting)
        return Excerpt(self.source, self.text[start:end], self.offsets[start : end + 1], 0, self.quoting)


def outside(at: Place) -> Place:
    """A place in a file, for one in a text that is written in another file."""
    while (outer := at.source.place(*at.span)).source is not at.source:
        at = outer
    return at
