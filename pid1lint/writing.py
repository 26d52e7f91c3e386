"""The one way to the disk for all that is written in place of what was there: whole files, or nothing."""

from __future__ import annotations

import os
import re
import secrets
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pid1lint import files
from pid1lint.discover import is_dockerfile_name
from pid1lint.errors import Pid1lintError, UnreadableError
from pid1lint.frozen import NamedTuple

if TYPE_CHECKING:
    from pid1lint.fixer import Change

_TEMPORARY = re.compile(r"\.pid1lint-(?P<pid>[0-9]+)-[0-9a-f]{8}\.tmp")
_OLD = 60
"""After so many seconds a temporary file of a process with our own number is not ours: it was PID 1, too, perhaps."""


class _Written(NamedTuple):
    """A file that is ready to take its place, and what could not be kept of the one that is there."""

    shown: str
    temporary: str
    target: str
    lost: tuple[str, ...]


def write(changes: Iterable[Change], homes: Sequence[str]) -> tuple[str, ...]:
    """Put changes on the disk, through symbolic links to their targets; what could not be kept, in one line each.

    Paths are relative to the working directory; only what lies in one of the directories `homes` is written.
    `Pid1lintError`, before anything is written, if this user may not write to a file, if it has changed since it was
    read, is no regular file, or lies outside once its links are followed. All new files are made first. Then they take
    their places, what is run before what runs it: wherever that ends, an old Dockerfile starts a script that is mended,
    not the other way round.
    """
    ordered = sorted(
        changes, key=lambda change: (is_dockerfile_name(os.path.basename(change.before.path)), change.before.path)
    )
    targets = {change.before.path: (_target(change, homes), change.after.encode()) for change in ordered}
    return _put_all(targets)


def put(path: str, data: bytes) -> None:
    """Write a file that we own, whole or not at all; it may be new. What is not a regular file stays what it is."""
    target = os.path.realpath(path)
    if os.path.islink(path) and not any(files.is_inside(target, home) for home in files.homes(path)):
        raise Pid1lintError(f"{path}: not written, it is a link that leads out of the checked files")
    if os.path.lexists(target) and not os.path.isfile(target):
        raise Pid1lintError(f"{path}: not written, it is not a regular file")
    _put_all({path: (target, data)})


def tidy(folders: Iterable[str]) -> None:
    """Remove the temporary files that runs have left there which were killed."""
    for folder in folders:
        for path in _leftovers(folder):
            _remove(path)


def _target(change: Change, homes: Sequence[str]) -> str:
    path = change.before.path
    target = os.path.realpath(path)
    if not any(files.is_inside(target, home) for home in homes):
        raise Pid1lintError(f"{path}: not written, it lies outside {' and '.join(homes)}")
    try:
        data = files.read(target, path)
    except UnreadableError as error:
        raise Pid1lintError(f"{path}: not written, it {error.reason}") from error
    if data != change.before.encode():
        raise Pid1lintError(f"{path}: not written, it has changed since it was read")
    # A rename asks for the folder alone. What this user may not open for writing, as an editor would, stays as it is.
    if not os.access(target, os.W_OK):
        raise Pid1lintError(f"{path}: not written, it is read-only")
    return target


def _put_all(targets: Mapping[str, tuple[str, bytes]]) -> tuple[str, ...]:
    ready: list[_Written] = []
    done: list[str] = []
    try:
        for shown, (target, data) in targets.items():
            ready.append(_made(shown, target, data))
        for one in ready:
            try:
                os.replace(one.temporary, one.target)
            except OSError as error:
                others = f"; written before: {', '.join(done)}" if done else ""
                raise Pid1lintError(f"{one.shown}: not written, {error.strerror}{others}") from error
            done.append(one.shown)
    finally:
        # Also where Ctrl-C has ended it.
        for one in ready:
            if one.shown not in done:
                _remove(one.temporary)
    return tuple(f"{one.shown}: written, but not kept: {', '.join(one.lost)}" for one in ready if one.lost)


def _made(shown: str, target: str, data: bytes) -> _Written:
    """The file beside its target, with the mode, the owner and the extended attributes of the one that is there."""
    folder = os.path.dirname(target)
    temporary = os.path.join(folder, f".pid1lint-{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        before = os.stat(target) if os.path.lexists(target) else None
        with open(temporary, "xb") as file:
            file.write(data)
        return _Written(shown, temporary, target, () if before is None else tuple(_kept(temporary, target, before)))
    except OSError as error:
        _remove(temporary)
        raise Pid1lintError(f"{shown}: not written, {error.strerror}") from error
    except BaseException:
        _remove(temporary)
        raise


def _kept(temporary: str, target: str, before: os.stat_result) -> Iterator[str]:
    """Give a new file what the old one has; what cannot be given."""
    os.chmod(temporary, before.st_mode & 0o7777)
    now = os.stat(temporary)
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid) and hasattr(os, "chown"):
        try:
            os.chown(temporary, before.st_uid, before.st_gid)
            os.chmod(temporary, before.st_mode & 0o7777)
        except PermissionError:
            yield "the owner"  # a file of another's in a folder of ours: its contents matter more
    if hasattr(os, "listxattr"):
        yield from _attributes(temporary, target)
    if before.st_nlink > 1:
        yield "hard links: its other names have the old text"


def _attributes(temporary: str, target: str) -> Iterator[str]:
    try:
        names = os.listxattr(target)
    except OSError:
        return  # a file system without any
    for name in names:
        try:
            os.setxattr(temporary, name, os.getxattr(target, name))
        except OSError:
            yield f"the extended attribute {name}"


def _leftovers(folder: str) -> Iterator[str]:
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return
    for name in names:
        match = _TEMPORARY.fullmatch(name)
        path = os.path.join(folder, name)
        if match and _is_abandoned(int(match["pid"]), path):
            yield path


def _is_abandoned(pid: int, path: str) -> bool:
    try:
        status = os.lstat(path)
    except OSError:
        return False
    old = time.time() - status.st_mtime > _OLD
    if not stat.S_ISREG(status.st_mode):
        return False
    if pid == os.getpid() or os.name == "nt":
        return old
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False  # somebody else's, at work
    return old


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return  # it was never made
