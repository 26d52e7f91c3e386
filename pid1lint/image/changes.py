"""What instructions do to the files of an image, one small value for each kind of change."""

from __future__ import annotations

import posixpath
import re
from typing import TypeAlias

from pid1lint import patterns
from pid1lint.frozen import NamedTuple
from pid1lint.image.ignore import WILDCARDS
from pid1lint.source import Excerpt, Place

_NUMERIC = r"[0-7]{3,5}"
_CLAUSE = r"([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)"
_ACTION = r"([-+=])([ugo]|[rwxXst]*)"
_WHO = {"u": 0o4700, "g": 0o2070, "o": 0o1007, "a": 0o7777}
_SHIFTS = {"u": 6, "g": 3, "o": 0}
_BITS = {"r": 0o444, "w": 0o222, "x": 0o111, "X": 0o111, "s": 0o6000, "t": 0o1000}


class Permission(NamedTuple):
    """Permission bits, and whether one of them allows to execute; None is not known."""

    mode: int | None
    executable: bool | None

    @staticmethod
    def of(mode: int | None) -> Permission:
        """The permission that a mode gives."""
        return Permission(mode, None if mode is None else bool(mode & 0o111))


def change_mode(permission: Permission, spec: str) -> Permission:
    """The permission after `chmod spec`; nothing is known after a spec that cannot be read."""
    if re.fullmatch(_NUMERIC, spec):
        return Permission.of(int(spec, 8))
    for part in spec.split(","):
        clause = re.fullmatch(_CLAUSE, part)
        if clause is None:
            return Permission(None, None)
        for sign, letters in re.findall(_ACTION, clause[2]):
            permission = _change(permission, clause[1] or "a", sign, letters)
    return permission


def _change(permission: Permission, who: str, sign: str, letters: str) -> Permission:
    mask = 0
    for letter in who:
        mask |= _WHO[letter]
    bits = mask & _wanted(permission, letters)
    if permission.mode is None:
        return Permission(None, _executable(permission.executable, sign, bits & 0o111, mask & 0o111))
    if sign == "+":
        return Permission.of(permission.mode | bits)
    if sign == "-":
        return Permission.of(permission.mode & ~bits)
    return Permission.of((permission.mode & ~mask) | bits)


def _wanted(permission: Permission, letters: str) -> int:
    if letters in _SHIFTS:
        # `g=u`: what the one has, for the other.
        own = (permission.mode or 0) >> _SHIFTS[letters] & 0o7
        return own << 6 | own << 3 | own
    bits = 0
    for letter in letters:
        # `X` is `x` for directories and for what is already executable.
        bits |= 0 if letter == "X" and not permission.executable else _BITS[letter]
    return bits


def _executable(before: bool | None, sign: str, bits: int, mask: int) -> bool | None:
    if sign != "-":
        if bits:
            return True
        return False if sign == "=" and mask == 0o111 else before
    return False if bits == 0o111 else (None if bits else before)


class Target(NamedTuple):
    """The files that a command names: an absolute path, which may be a pattern, and all below it if `recursive`.

    `name` is the pattern of `find -name`, which the last part of the path must match.
    """

    path: str
    pattern: bool = False
    recursive: bool = False
    name: str | None = None

    def matches(self, path: str) -> bool:
        """Whether a path is among them."""
        if self.name is not None and not _fits(self.name, posixpath.basename(path)):
            return False
        if not self.recursive:
            return self._is(path)
        parts = path.split("/")
        return any(self._is("/".join(parts[:end]) or "/") for end in range(1, len(parts) + 1))

    def _is(self, path: str) -> bool:
        return _fits(self.path, path) if self.pattern else self.path == path


def _fits(pattern: str, text: str) -> bool:
    compiled = patterns.go(pattern)
    return compiled is not None and compiled.matches(text)


class Put(NamedTuple):
    """A file is written; `text` is None if nobody knows what."""

    path: str
    text: Excerpt | None
    permission: Permission
    place: Place
    origin: str
    editable: bool = False


class Append(NamedTuple):
    """Text is added to a file."""

    path: str
    text: Excerpt | None
    place: Place


class Duplicate(NamedTuple):
    """`source` comes to stand at `target` as well (cp), or instead (mv); `source` may be a pattern for files.

    `into` says that `target` is a directory that takes the file under its own name.
    """

    source: Target
    target: str
    place: Place
    into: bool = False
    moved: bool = False
    spec: str | None = None

    def origin(self, path: str) -> str | None:
        """The path that a path had before; None if it is none of the copies."""
        if not is_below(path, self.target):
            return None
        rest = path[len(self.target.rstrip("/")) :]
        if not self.into:
            return self.source.path + rest
        head, _, tail = rest.lstrip("/").partition("/")
        before = posixpath.join(posixpath.dirname(self.source.path), head)
        if not head or not self.source.matches(before):
            return None
        return posixpath.join(before, tail) if tail else before


class Link(NamedTuple):
    """A symbolic link."""

    path: str
    target: str


class Chmod(NamedTuple):
    """Permissions change."""

    target: Target
    spec: str


class Alter(NamedTuple):
    """Contents change; `crlf` if all that changes is that CR LF becomes LF."""

    target: Target
    crlf: bool


class Remove(NamedTuple):
    """Files are deleted."""

    target: Target


Change: TypeAlias = Put | Append | Duplicate | Link | Chmod | Alter | Remove


def is_below(path: str, directory: str) -> bool:
    """Whether `path` is `directory` or lies below it."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def has_wildcard(text: str) -> bool:
    """Whether a path holds a wildcard."""
    return any(char in WILDCARDS for char in text)
