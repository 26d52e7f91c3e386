"""The one door for all that is read: regular files only, none waited for, none too large, none that lies outside."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pid1lint.errors import UnreadableError

MAX_BYTES = 5 * 1024 * 1024
"""No Dockerfile and no entrypoint is larger than this."""

MAX_SETTINGS = 1024 * 1024
"""No configuration and no list of patterns is larger than this."""

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_NONBLOCK", 0)
)


class MissingError(UnreadableError):
    """There is nothing of that name."""


Within = Callable[[], tuple[str, ...]]
"""Gives the directories in one of which a file must lie once its links are followed."""


def read(path: str, shown: str = "", *, within: Within | None = None, limit: int = MAX_BYTES) -> bytes:
    """A file's bytes, at most `limit` of them; from anywhere, if nothing says `within` what.

    `UnreadableError`, which calls the file `shown`, says why it is not read: a pipe or a device might never end.
    """
    shown = shown or path
    with _opened(path, shown, within) as (descriptor, size):
        if size <= limit:
            data = _up_to(descriptor, limit + 1, size + 1)
            if len(data) <= limit:
                return data
        raise UnreadableError(shown, f"is larger than {limit // 1024 // 1024} MB")


def head(path: str, size: int, *, within: Within | None = None) -> bytes:
    """The first bytes of a file, at most `size` of them; nothing of one that cannot be read."""
    try:
        with _opened(path, path, within) as (descriptor, _):
            return _up_to(descriptor, size, size)
    except UnreadableError:
        return b""


@contextmanager
def _opened(path: str, shown: str, within: Within | None) -> Iterator[tuple[int, int]]:
    """A descriptor of a regular file, and the size that it says it has."""
    try:
        if within is not None:
            path = _inside(path, shown, within)
        _refuse_irregular(os.stat(path), shown)
        descriptor = os.open(path, _FLAGS)
        try:
            # It may have become another since it was looked at.
            status = os.fstat(descriptor)
            _refuse_irregular(status, shown)
            yield descriptor, status.st_size
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError):
        raise MissingError(shown, "does not exist") from None
    except PermissionError:
        raise UnreadableError(shown, "may not be read") from None
    except OSError as error:
        raise UnreadableError(shown, f"cannot be read: {error.strerror}") from None
    except ValueError:
        raise MissingError(shown, "is not a file name") from None


def _inside(path: str, shown: str, within: Within) -> str:
    """The path without links; only a link leads out."""
    real = os.path.realpath(path)
    if real != os.path.abspath(path) and not any(is_inside(real, folder) for folder in within()):
        raise UnreadableError(shown, "is not read: it is a link that leads out of the checked files")
    return real


def _refuse_irregular(status: os.stat_result, shown: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise UnreadableError(shown, "is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableError(shown, "is not a regular file")


def _up_to(descriptor: int, count: int, expected: int) -> bytes:
    pieces: list[bytes] = []
    while count > 0 and (piece := os.read(descriptor, min(count, max(expected, 4096)))):
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def is_inside(path: str, folder: str) -> bool:
    """Whether a path, once its links are followed, is a folder or lies below it."""
    real, root = os.path.realpath(path), os.path.realpath(folder)
    return real == root or real.startswith(root.rstrip(os.sep) + os.sep)


def repository_root(path: str) -> str | None:
    """The nearest directory from `path` upwards that holds `.git`, or None."""
    directory = os.path.abspath(path)
    while not os.path.lexists(os.path.join(directory, ".git")):
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent
    return directory


def homes(path: str) -> tuple[str, ...]:
    """The directories that a file belongs to: its repository, else its folder, and the working directory above it."""
    folder = os.path.dirname(os.path.abspath(path))
    root = repository_root(folder)
    if root is not None:
        return (root,)
    here = os.getcwd()
    above = (folder + os.sep).startswith(here.rstrip(os.sep) + os.sep) and folder != here
    return (here, folder) if above else (folder,)
