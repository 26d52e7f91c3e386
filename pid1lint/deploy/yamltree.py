"""YAML as a tree with places: the only module that touches PyYAML. Nothing that it reads is ever constructed or run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice, pairwise
from typing import Any, TypeAlias

import yaml

from pid1lint.frozen import NamedTuple
from pid1lint.numbers import is_number
from pid1lint.source import Excerpt, Place, Source, Span

_MAX_DEPTH = 200
_MAX_ALIASES = 10_000
_MAX_REPEATED = 500_000
"""So many characters do all aliases repeat: a long list that a thousand services share is read a thousand times."""
_MAX_PROBLEMS = 50
_MAX_MERGED = 200_000
_MOST_WORDS = 10_000
"""So many words has a command; of one that has more, nothing is known."""
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "y", "yes", "on"))
_FALSE = frozenset(("false", "n", "no", "off"))
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_CODES = {"x": 2, "u": 4, "U": 8}
_MAX_STREAM = 100
_BLANKS = re.compile(r"\s*")
_NO_NEWLINE = re.compile(r"[^\n]")
_MARKER = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)
_LONE_SURROGATES = dict.fromkeys(range(55296, 57344), "�")
# What libyaml refuses to read at all; a file that holds one is told of, and the rest of it is read.
_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)


@dataclass(frozen=True, eq=False, slots=True)
class Scalar:
    """A word or a text. `text` is its value; `style` is empty for a plain one, else `'`, `"`, `|` or `>`."""

    source: Source
    span: Span
    text: str
    style: str = ""
    tag: str = ""

    @property
    def place(self) -> Place:
        """Where it is written, quotes included."""
        return Place(self.source, self.span)

    @property
    def is_null(self) -> bool:
        """Whether it stands for nothing: `~`, `null`, or no value at all."""
        return not self.style and self.text in _NULLS

    @property
    def boolean(self) -> bool | None:
        """What it means as a yes or no, None if it is neither. Compose takes quoted ones too."""
        word = self.text.lower()
        return True if word in _TRUE else False if word in _FALSE else None

    def excerpt(self) -> Excerpt:
        """The value, each character with its origin; all at the start where our reading is not PyYAML's."""
        decoded = _decode(self)
        if decoded is None or _readable("".join(decoded[0])) != self.text:
            start = self.span.start
            offsets = (*([start] * len(self.text)), self.span.end)
            return Excerpt(self.source, self.text, offsets, 0, "nested")
        chars, offsets = "".join(decoded[0]), tuple(decoded[1])
        quoting = {"": "yaml", "'": "yaml", '"': "json", "|": "plain", ">": "yaml"}[self.style]
        if offsets == tuple(range(offsets[0], offsets[0] + len(offsets))) and self.style != '"':
            return Excerpt(self.source, chars, None, offsets[0], quoting)
        return Excerpt(self.source, chars, offsets, 0, quoting)


@dataclass(frozen=True, eq=False, slots=True)
class Items:
    """A sequence; `flow` is set for one in brackets."""

    source: Source
    span: Span
    items: tuple[Node, ...]
    flow: bool = False
    tag: str = ""

    @property
    def place(self) -> Place:
        """Where it is written."""
        return Place(self.source, self.span)


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """A mapping. `entries` are those that are written in it, in order; `<<` is among them."""

    source: Source
    span: Span
    entries: tuple[tuple[Node, Node], ...]
    flow: bool = False
    tag: str = ""
    merged: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        """Where it is written."""
        return Place(self.source, self.span)

    def get(self, key: str) -> Node | None:
        """The value of a key, merged ones included."""
        found = self.all.get(key)
        return found[1] if found is not None else None

    def key(self, key: str) -> Scalar | None:
        """The key itself, where it is written."""
        found = self.all.get(key)
        return found[0] if found is not None else None

    @property
    def all(self) -> dict[str, tuple[Scalar, Node]]:
        """Keys and values by the key's text: what `<<` brings, under what is written here."""
        if not self.merged and self.entries:
            self.merged.update(_flattened(self))
        return self.merged


Node: TypeAlias = Scalar | Items | Table


class Problem(NamedTuple):
    """Why a text is no YAML, and where."""

    at: Place
    message: str


@dataclass(frozen=True, eq=False)
class Documents:
    """The documents of a text as far as it could be read; `shared` are the spans that aliases repeat elsewhere."""

    source: Source
    roots: tuple[Node, ...]
    problems: tuple[Problem, ...] = ()
    shared: tuple[Span, ...] = ()

    def is_shared(self, span: Span) -> bool:
        """Whether a change of this span would show in more than one place."""
        return any(shared.covers(span) for shared in self.shared)

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """The documents that are mappings."""
        return tuple(root for root in self.roots if isinstance(root, Table))


def load(source: Source, wanted: Callable[[str], bool] | None = None) -> Documents:
    """Read a text; what stands before its first mistake is read all the same.

    Documents of which the text is not `wanted` are passed over: to look for a word is a hundred times faster.
    """
    text = source.text if wanted is None else _only(source.text, wanted)
    found = _read(source, (text,))
    return _read(source, pieces) if found.problems and (pieces := _stream(text)) else found


@lru_cache(maxsize=8)
def loaded(source: Source) -> Documents:
    """As `load`, kept for a while: each fix of a file is held against the same text."""
    return load(source)


def _read(source: Source, pieces: Sequence[str]) -> Documents:
    reader = _Reader(source)
    try:
        for piece in pieces:
            for event in yaml.parse(_readable(piece), Loader=_LOADER):
                reader.take(event)
    except yaml.YAMLError as error:
        reader.problems.append(_told(source, error))
    except _TooMuchError as error:
        reader.problems.append(Problem(error.at, error.message))
    return Documents(source, tuple(reader.roots), tuple(reader.problems), tuple(reader.shared))


def _stream(text: str) -> tuple[str, ...]:
    """The JSON texts of a row of them, such as kubectl reads, each at its place among blanks; nothing for others."""
    spans: list[tuple[int, int]] = []
    decoder = json.JSONDecoder()
    end = 0
    try:
        while (start := _after_blanks(text, end)) < len(text):
            if text[start] != "{" or len(spans) >= _MAX_STREAM:
                return ()
            _, end = decoder.raw_decode(text, start)
            spans.append((start, end))
    except (ValueError, RecursionError):
        return ()
    return tuple(_NO_NEWLINE.sub(" ", text[:start]) + text[start:end] for start, end in spans)


def _after_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found is not None else at


def _readable(text: str) -> str:
    """The text, with a sign of the same length for each byte that is no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.translate(_LONE_SURROGATES)
    return text


def nodes(documents: Documents) -> Iterator[Node]:
    """Every node of the documents, once, whatever repeats it."""
    waiting: list[Node] = list(documents.roots)
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, Items):
            waiting += node.items
        elif isinstance(node, Table):
            waiting += (part for entry in node.entries for part in entry)


def is_inside_text(documents: Documents, offset: int) -> bool:
    """Whether an offset lies in a value of several lines, where no comment can stand: not in a literal block."""
    return any(
        isinstance(node, Scalar) and node.style != "|" and node.span.start < offset < node.span.end
        for node in nodes(documents)
    )


def too_many_words(*commands: Node | None) -> str:
    """Why a launch cannot be judged one of whose commands is too long a list; empty if none is."""
    if any(isinstance(node, Items) and len(node.items) > _MOST_WORDS for node in commands):
        return f"its command has more than {_MOST_WORDS} words"
    return ""


def has_placeholder(documents: Documents) -> bool:
    """Whether there is a bare `{{ x }}`, which YAML takes for a mapping in a mapping."""
    return any(
        isinstance(node, Table) and node.flow and any(isinstance(key, Table) and key.flow for key, _ in node.entries)
        for node in nodes(documents)
    )


def _only(text: str, wanted: Callable[[str], bool]) -> str:
    """The text with blanks in the place of documents that are not wanted: what is left stands where it stood."""
    starts = [0, *(found.start() for found in _MARKER.finditer(text)), len(text)]
    pieces = (text[start:end] for start, end in pairwise(starts))
    return "".join(piece if wanted(piece) else _blank(piece) for piece in pieces)


def _blank(piece: str) -> str:
    """As long as a document, with its marker if it has one, and nothing else in it."""
    marker = "---" if piece.startswith("---") else ""
    return marker + " " * (len(piece) - len(marker) - 1) + "\n" if len(piece) > len(marker) else piece


class _TooMuchError(Exception):
    def __init__(self, at: Place, message: str) -> None:
        super().__init__(message)
        self.at = at
        self.message = message


class _Open:
    """A collection that is being read."""

    def __init__(self, event: Any) -> None:
        self.event = event
        self.nodes: list[Node] = []
        # How long it is, about, with what its aliases repeat.
        self.length = 0


class _Reader:
    """Builds the tree out of the parser's events, without recursion."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.roots: list[Node] = []
        self.problems: list[Problem] = []
        self.shared: list[Span] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}
        self._lengths: dict[str, int] = {}
        self._aliases = 0
        self._repeated = 0
        self._merged = 0

    def take(self, event: Any) -> None:
        """Go on with the parser's next event."""
        kind = type(event)
        if kind is yaml.ScalarEvent:
            span = Span(event.start_mark.index, event.end_mark.index)
            node = Scalar(self.source, span, event.value, event.style or "", event.tag or "")
            self._add(node, event.anchor, len(event.value) + 2)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            if len(self._stack) >= _MAX_DEPTH:
                raise _TooMuchError(self._place(event), f"it is nested more than {_MAX_DEPTH} levels deep")
            if event.anchor:
                self._anchors[event.anchor] = None
            self._stack.append(_Open(event))
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._close(event)
        elif kind is yaml.AliasEvent:
            self._alias(event)
        elif kind is yaml.DocumentStartEvent:
            self._anchors = {}

    def _place(self, event: Any) -> Place:
        return self.source.place(event.start_mark.index, event.end_mark.index)

    def _alias(self, event: Any) -> None:
        self._aliases += 1
        if self._aliases > _MAX_ALIASES:
            raise _TooMuchError(self._place(event), f"it has more than {_MAX_ALIASES} aliases")
        node = self._anchors.get(event.anchor)
        if node is None:
            what = "is inside what it repeats" if event.anchor in self._anchors else "has no anchor"
            raise _TooMuchError(self._place(event), f"the alias *{event.anchor} {what}")
        length = self._lengths[event.anchor]
        self._repeated += length
        if self._repeated > _MAX_REPEATED:
            raise _TooMuchError(self._place(event), f"its aliases repeat more than {_MAX_REPEATED} characters")
        self.shared.append(node.span)
        self._append(node, length)

    def _add(self, node: Node, anchor: str | None, length: int) -> None:
        if anchor:
            self._anchors[anchor] = node
            self._lengths[anchor] = length
        self._append(node, length)

    def _append(self, node: Node, length: int) -> None:
        if self._stack:
            self._stack[-1].nodes.append(node)
            self._stack[-1].length += length
        else:
            self.roots.append(node)

    def _close(self, event: Any) -> None:
        opened = self._stack.pop()
        start, nodes = opened.event, opened.nodes
        end = event.end_mark.index if start.flow_style else _last(nodes, start.end_mark.index)
        span = Span(start.start_mark.index, end)
        if isinstance(start, yaml.SequenceStartEvent):
            made: Node = Items(self.source, span, tuple(nodes), bool(start.flow_style), start.tag or "")
        else:
            pairs = tuple(zip(nodes[::2], nodes[1::2], strict=True))
            if len(self.problems) < _MAX_PROBLEMS:
                self.problems += islice(_duplicates(pairs), _MAX_PROBLEMS)
            made = Table(self.source, span, pairs, bool(start.flow_style), start.tag or "")
            if any(_merges(key) for key, _ in pairs):
                # At once: what it merges has been read before, so that no chain of them is followed by recursion.
                self._merged += len(made.all)
                if self._merged > _MAX_MERGED:
                    raise _TooMuchError(made.place, f"its `<<` add more than {_MAX_MERGED} settings")
        self._add(made, start.anchor, opened.length + 2)


def _last(nodes: list[Node], start: int) -> int:
    """Where a block collection ends: its end token stands only where the next thing begins."""
    for node in reversed(nodes):
        # What an alias repeats stands elsewhere.
        if node.span.start >= start - 1:
            return node.span.end
    return start


def _duplicates(pairs: tuple[tuple[Node, Node], ...]) -> Iterator[Problem]:
    seen: set[str] = set()
    for key, _ in pairs:
        if isinstance(key, Scalar):
            if key.text in seen and key.text != "<<":
                yield Problem(key.place, f"the key `{key.text}` is repeated here")
            seen.add(key.text)


def _told(source: Source, error: yaml.YAMLError) -> Problem:
    mark: Any = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    position = getattr(error, "position", None)
    at: int = mark.index if mark is not None else (position if isinstance(position, int) else 0)
    at = min(at, len(source.text))
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    return Problem(source.place(at, min(at + 1, len(source.text))), f"not valid YAML: {reason}")


def _flattened(table: Table) -> dict[str, tuple[Scalar, Node]]:
    found: dict[str, tuple[Scalar, Node]] = {}
    for key, value in table.entries:
        if _merges(key):
            # Of several, the first goes before the others.
            sources = value.items if isinstance(value, Items) else (value,)
            for source in reversed(sources):
                if isinstance(source, Table):
                    found.update(source.all)
    found.update(
        (key.text, (key, value)) for key, value in table.entries if isinstance(key, Scalar) and not _merges(key)
    )
    return found


def _merges(key: Node) -> bool:
    return isinstance(key, Scalar) and key.text == "<<" and not key.style


# ------------------------------------------------------------------ scalars


Decoded = tuple[list[str], list[int]]


def _decode(scalar: Scalar) -> Decoded | None:
    """The characters of a value, and the offset of each and of the end; None where it cannot be told."""
    text = scalar.source.text
    start, end = scalar.span
    if scalar.style in ("|", ">"):
        return _block(text, start, end, folded=scalar.style == ">", value=scalar.text)
    if scalar.style:
        return _flow(text, start + 1, end - 1, scalar.style)
    return _flow(text, start, end, "")


def _flow(text: str, start: int, end: int, style: str) -> Decoded | None:
    chars: list[str] = []
    offsets: list[int] = []
    at = start
    while at < end:
        char = text[at]
        if char in " \t\r\n":
            after = at
            while after < end and text[after] in " \t\r\n":
                after += 1
            breaks = text.count("\n", at, after)
            run = list(text[at:after]) if not breaks else [" "] if breaks == 1 else ["\n"] * (breaks - 1)
            chars += run
            offsets += range(at, after) if not breaks else [at] * len(run)
            at = after
            continue
        width = 1
        if style == "'" and char == "'":
            width = 2
        elif style == '"' and char == "\\":
            made = _escape(text, at, end)
            if made is None:
                return None
            char, width = made
        chars += char
        offsets += [at] * len(char)
        at += width
    return chars, [*offsets, end]


def _escape(text: str, at: int, end: int) -> tuple[str, int] | None:
    """What an escape in double quotes stands for, and how long it is."""
    letter = text[at + 1 : at + 2]
    if letter in _ESCAPES:
        return _ESCAPES[letter], 2
    if letter in _CODES:
        try:
            return chr(int(text[at + 2 : at + 2 + _CODES[letter]], 16)), 2 + _CODES[letter]
        except (ValueError, OverflowError):
            return None
    if letter in ("\n", "\r"):
        after = at + 1 + (2 if text.startswith("\r\n", at + 1) else 1)
        while after < end and text[after] in " \t":
            after += 1
        return "", after - at
    return None


def _block(text: str, start: int, end: int, *, folded: bool, value: str) -> Decoded | None:
    line_end = text.find("\n", start)
    if line_end < 0:
        return None
    header = text[start:line_end].partition("#")[0]
    keep = "-" if "-" in header else "+" if "+" in header else ""
    lines = _lines(text, line_end + 1, end)
    leading = [len(line) - len(line.lstrip(" ")) for _, line in lines if line.strip()]
    if not any(map(is_number, header)):
        return _joined(lines, leading[0] if leading else 0, folded, keep)
    # With an indentation indicator the parent's would have to be known: the value tells.
    for indent in range(min(leading, default=0) + 1):
        made = _joined(lines, indent, folded, keep)
        if "".join(made[0]) == value:
            return made
    return None


def _lines(text: str, at: int, end: int) -> list[tuple[int, str]]:
    """The lines from an offset on, each with where it begins, without line ends."""
    found = []
    while at < end:
        after = text.find("\n", at)
        stop = len(text) if after < 0 else after
        found.append((at, text[at:stop].removesuffix("\r")))
        at = stop + 1
    return found


def _joined(lines: list[tuple[int, str]], indent: int, folded: bool, keep: str) -> Decoded:
    chars: list[str] = []
    offsets: list[int] = []
    breaks: list[int] = []
    last: int | None = None
    more_before = False
    for at, line in lines:
        content = line[indent:]
        blank = not line[:indent].strip(" ") and not content
        if line.strip() and line[:indent].strip(" "):
            break  # less indented: it belongs to what follows
        if blank or (not content.strip(" ") and len(line) <= indent):
            breaks.append(at + len(line))
            continue
        more = content[0] in " \t"
        if last is not None:
            if folded and not more_before and not more:
                if not breaks:
                    chars.append(" ")
                    offsets.append(last)
            else:
                chars.append("\n")
                offsets.append(last)
        chars += "\n" * len(breaks)
        offsets += breaks
        breaks = []
        chars += content
        offsets += range(at + indent, at + len(line))
        last = at + len(line)
        more_before = more
    end = last if last is not None else (lines[0][0] if lines else 0)
    if last is not None and keep != "-":
        chars.append("\n")
        offsets.append(last)
    if keep == "+":
        chars += "\n" * len(breaks)
        offsets += breaks
    return chars, [*offsets, (offsets[-1] + 1) if offsets and chars[-1] == "\n" else end]
