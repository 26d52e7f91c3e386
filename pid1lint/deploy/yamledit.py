"""Edits of YAML that keep all that is written: comments, quotes, block styles, anchors, indentation."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from pid1lint.deploy.yamltree import Documents, Items, Node, Scalar, Table, loaded
from pid1lint.deployment import Edits
from pid1lint.fix import Edit
from pid1lint.frozen import NamedTuple
from pid1lint.source import Source, Span

_BEHIND = ("entrypoint", "command", "image", "build")
_NO_OTHERS: Mapping[str, Table] = {}
_BLANKS = " \t\r\n"
_MOST_SHOWN = 10_000
_JSON = re.compile(r"true|false|[1-9]\d*")


class YamlEdits(Edits):
    """A table of a document to which settings can be added."""

    def __init__(
        self,
        documents: Documents,
        table: Table,
        keys: Collection[str],
        behind: tuple[str, ...] = _BEHIND,
        others: Mapping[str, Table] = _NO_OTHERS,
    ) -> None:
        """`keys` are the settings that the format has; `others` are the tables that some belong into instead."""
        self.documents = documents
        self.table = table
        self.keys = keys
        self.behind = behind
        self.others = others

    def setting(self, key: str, value: str) -> tuple[Edit, ...] | None:
        """A line `key: value`, behind the settings that it belongs to; None where others would get it too."""
        table = self.others.get(key, self.table)
        if key not in self.keys and key not in self.others:
            return None
        if not table.entries or self.documents.is_shared(table.span):
            return None
        own = {name.text: node for name, node in table.entries if isinstance(name, Scalar)}
        if key in own:
            found = own[key]
            if not isinstance(found, Scalar) or self.documents.is_shared(found.span) or found.style in ("|", ">"):
                return None
            return (Edit(table.source, found.span, value),)
        last = next((name for name in self.behind if name in own), None)
        node = own[last] if last is not None else table.entries[-1][1]
        if self.documents.is_shared(node.span) and not _within(node.span, table.span):
            node = table.entries[-1][1]
            if not _within(node.span, table.span):
                return None
        text = table.source.text
        if table.flow:
            if is_json(table):
                key, value = json.dumps(key), value if _JSON.fullmatch(value) else json.dumps(value)
            return (Edit(table.source, Span(node.span.end, node.span.end), f", {key}: {value}"),)
        first = table.entries[0][0].span.start
        indent = text[text.rfind("\n", 0, first) + 1 : first]
        if indent.strip():
            return None
        end = node.span.end
        while end > node.span.start and text[end - 1] in _BLANKS:
            end -= 1
        at = text.find("\n", max(end, 0))
        newline = table.source.newline
        if at < 0:
            return (Edit(table.source, Span(len(text), len(text)), f"{newline}{indent}{key}: {value}"),)
        return (Edit(table.source, Span(at + 1, at + 1), f"{indent}{key}: {value}{newline}"),)

    def renamed(self, key: str, name: str) -> tuple[Edit, ...] | None:
        """Another word for a key that is written in the table itself."""
        found = self._own(key)
        if found is None or name in self.table.all:
            return None
        return (Edit(self.table.source, found[0].span, name),)

    def without(self, key: str) -> tuple[Edit, ...] | None:
        """Without the lines of a setting that is written in the table itself."""
        found = self._own(key)
        if found is None or self.table.flow or len(self.table.entries) < 2:
            return None
        text = self.table.source.text
        start = text.rfind("\n", 0, found[0].span.start) + 1
        if text[start : found[0].span.start].strip():
            return None
        end = text.find("\n", max(found[0].span.end, found[1].span.end - 1)) + 1 or len(text)
        return (Edit(self.table.source, Span(start, end), ""),)

    def _own(self, key: str) -> tuple[Scalar, Node] | None:
        """A key and its value where they are written in the table, and nowhere else are counted."""
        if self.documents.is_shared(self.table.span):
            return None
        entries = ((name, value) for name, value in self.table.entries if isinstance(name, Scalar))
        return next(((name, value) for name, value in entries if name.text == key), None)


def is_json(table: Table) -> bool:
    """Whether a table may be read as JSON, and must stay so."""
    key = table.entries[0][0] if table.flow and table.entries else None
    return isinstance(key, Scalar) and key.style == '"'


def _within(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


class Difference(NamedTuple):
    """A place in a document where it has become another: the path to it, and what stands there; None is nothing."""

    path: tuple[str, ...]
    before: str | None
    after: str | None


def differences(before: Source, after: Source) -> tuple[Difference, ...] | None:
    """How the data of a YAML file have changed; None if it cannot be read as it could."""
    old, new = loaded(before), loaded(after)
    if len(new.problems) > len(old.problems) or len(old.roots) != len(new.roots):
        return None
    found: list[Difference] = []
    seen: set[tuple[int, int]] = set()
    for number, (one, other) in enumerate(zip(old.roots, new.roots, strict=True)):
        found += _compare(one, other, (str(number),), seen)
    return tuple(found)


def _compare(old: Node, new: Node, path: tuple[str, ...], seen: set[tuple[int, int]]) -> Iterator[Difference]:
    if (id(old), id(new)) in seen:
        return
    seen.add((id(old), id(new)))
    match old, new:
        case Scalar(), Scalar():
            if (old.text, old.is_null, old.tag) != (new.text, new.is_null, new.tag):
                yield Difference(path, old.text, new.text)
        case Items(), Items() if old.tag == new.tag and len(old.items) == len(new.items):
            for at, (one, other) in enumerate(zip(old.items, new.items, strict=True)):
                yield from _compare(one, other, (*path, str(at)), seen)
        case Table(), Table() if old.tag == new.tag:
            yield from _compare_tables(old, new, path, seen)
        case _:
            yield Difference(path, shown(old), shown(new))


def _compare_tables(old: Table, new: Table, path: tuple[str, ...], seen: set[tuple[int, int]]) -> Iterator[Difference]:
    before, after = dict(_keyed(old.entries)), dict(_keyed(new.entries))
    for key in dict.fromkeys((*before, *after)):
        if key not in after:
            yield Difference((*path, key), shown(before[key]), None)
        elif key not in before:
            yield Difference((*path, key), None, shown(after[key]))
        else:
            yield from _compare(before[key], after[key], (*path, key), seen)


def _keyed(entries: Iterable[tuple[Node, Node]]) -> Iterator[tuple[str, Node]]:
    for key, value in entries:
        yield shown(key), value


def shown(node: Node) -> str:
    """A value in one line, for a comparison; a long one is cut off, as aliases may repeat it endlessly."""
    pieces: list[str] = []
    waiting: list[Node | str] = [node]
    while waiting and len(pieces) < _MOST_SHOWN:
        match waiting.pop():
            case str(text):
                pieces.append(text)
            case Scalar(text=text):
                pieces.append(text)
            case Items(items=items):
                waiting += ("]", *(part for item in reversed(items) for part in (item, ", ")), "[")
            case Table(entries=entries):
                pairs = (part for key, value in reversed(entries) for part in (value, ": ", key, ", "))
                waiting += ("}", *pairs, "{")
    return "".join(pieces)
