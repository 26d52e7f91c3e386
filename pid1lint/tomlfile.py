"""Reads TOML: the values by tomllib, and, where something is wrong with one, its line by tree-sitter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pid1lint.errors import Pid1lintError
from pid1lint.schema import Keys

if TYPE_CHECKING:
    from tree_sitter import Node


_MAX_PARTS = 100
# tomllib takes a time that grows with the square of a key's parts.
_LONG_KEY = re.compile(rf"(?<![\w\"'-])[\w-]++(?:[ \t]*+\.[ \t]*+(?:[\w-]++|\"[^\"\n]*+\"|'[^'\n]*+')){{{_MAX_PARTS}}}")


class ConfigError(Pid1lintError):
    """What is wrong in a configuration file: each mistake is told with its file and line."""

    def __init__(self, *mistakes: str) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes

    @property
    def lines(self) -> tuple[str, ...]:
        """See `Pid1lintError.lines`."""
        return self.mistakes


def load(path: str, text: str) -> Mapping[str, Any]:
    """The document; `ConfigError` if it is no TOML."""
    import tomllib

    if found := _LONG_KEY.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise ConfigError(f"{path}:{line}: the TOML cannot be read: a key has more than {_MAX_PARTS} parts")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError(f"{path}: the TOML cannot be read: it is nested too deeply") from error
    except ValueError as error:
        # Not only TOMLDecodeError: a number may have more digits than Python reads.
        message, line = _told(str(error), text)
        raise ConfigError(f"{path}:{line}: not valid TOML: {message}") from error


def _told(message: str, text: str) -> tuple[str, int]:
    """A message of tomllib in two: what is wrong, and in which line (the last one at the end of the document)."""
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", message, re.DOTALL)
    if found is None:
        return message, 1
    line = int(found[2]) if found[2] else len(text.rstrip("\n").split("\n"))
    return found[1][:1].lower() + found[1][1:], line


def line_of(text: str, keys: Keys) -> int:
    """The 1-based line where the key or the list's item stands; else of what shares most of the way to it."""
    rows = _rows(text)
    ways = (keys[:length] for length in range(min(len(keys), _DEEPEST), 0, -1))
    return next((rows[way] for way in ways if way in rows), 1)


_DEEPEST = 16
"""No key of ours has so many parts."""


@lru_cache(1)
def _rows(text: str) -> dict[Keys, int]:
    """The first line of each key, of each item of a list, and of each part of the way there."""
    import tree_sitter
    import tree_sitter_toml

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
    rows: dict[Keys, int] = {}
    for path, node in _entries(parser.parse(text.encode()).root_node, ()):
        for length in range(1, min(len(path), _DEEPEST) + 1):
            rows.setdefault(path[:length], node.start_point.row + 1)
    return rows


def _entries(node: Node, above: Keys) -> Iterator[tuple[Keys, Node]]:
    """Each key and each item of a list, with the names that lead to it."""
    for child in node.named_children:
        if child.type in ("table", "table_array_element", "pair"):
            key = child.named_children[0]
            path = (*above, *_parts(key))
            yield path, key
            yield from _values(child, path)


def _values(node: Node, path: Keys) -> Iterator[tuple[Keys, Node]]:
    yield from _entries(node, path)
    for child in node.named_children[1:] if node.type == "pair" else ():
        if child.type == "inline_table":
            yield from _entries(child, path)
        if child.type == "array":
            items = [item for item in child.named_children if item.type != "comment"]
            for index, item in enumerate(items):
                yield (*path, index), item


def _parts(key: Node) -> tuple[str, ...]:
    """The names in a key: `a."b.c"` has two."""
    names: list[str] = []
    waiting = [key]
    while waiting:
        one = waiting.pop()
        # `a.b.c` is `a.b` and `c`, and so on.
        if one.type == "dotted_key":
            waiting += reversed(one.named_children)
        else:
            names.append(_name(one))
    return tuple(names)


def _name(key: Node) -> str:
    written = (key.text or b"").decode()
    if key.type == "bare_key":
        return written
    # tomllib undoes what a quoted key has escaped.
    import tomllib

    return next(iter(tomllib.loads(f"{written} = 0")))
