"""The build context: the only way in which files are read, and never one outside its root."""

from __future__ import annotations

import io
import os
import posixpath
import stat
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import IO

from pid1lint import files
from pid1lint.errors import UnreadableError
from pid1lint.files import MAX_BYTES, MAX_SETTINGS, MissingError, repository_root
from pid1lint.image.ignore import WILDCARDS, IgnoreRule, is_ignored, parse_ignore

_MAX_LISTED = 20_000
_MOST_UPWARD = 3


class BuildContext:
    """The files that COPY and ADD can take; paths are relative to its root, with `/`, a leading one being ignored."""

    def __init__(self) -> None:
        self._rules: tuple[IgnoreRule, ...] | None = None
        self._problem: UnreadableError | None = None

    @staticmethod
    def of(files: Mapping[str, str | bytes], modes: Mapping[str, int] | None = None) -> MemoryContext:
        """A context of files in memory; without `modes` nobody knows whether they are executable."""
        return MemoryContext(files, modes)

    def read(self, path: str) -> bytes | None:
        """A file's bytes, None if there is no such file; `UnreadableError` if it is too large or may not be read."""
        raise NotImplementedError

    def open(self, path: str) -> IO[bytes] | None:
        """A file of any size to be read bit by bit; None if there is none. Whoever opens it closes it."""
        try:
            data = self.read(path)
        except UnreadableError:
            return None
        return None if data is None else io.BytesIO(data)

    def mode(self, path: str) -> int | None:
        """A file's permission bits, None if they are not known."""
        raise NotImplementedError

    def is_dir(self, path: str) -> bool:
        """Whether the path is a directory; the root is one."""
        raise NotImplementedError

    def is_file(self, path: str) -> bool:
        """Whether the path is a file that can be read."""
        raise NotImplementedError

    def entries(self, path: str) -> tuple[str, ...]:
        """The names in a directory, sorted; none if it is no directory."""
        raise NotImplementedError

    def display(self, path: str) -> str:
        """The path to show to the user."""
        raise NotImplementedError

    def ignore_file(self) -> bytes | None:
        """The content of the .dockerignore that counts, None without one; `UnreadableError` if it cannot be read."""
        raise NotImplementedError

    def ignored(self, path: str) -> bool:
        """Whether .dockerignore keeps the path out of the build."""
        cleaned = clean(path)
        return cleaned is None or is_ignored(self._ignore_rules(), cleaned)

    def problem(self) -> UnreadableError | None:
        """Why the .dockerignore that counts is not heeded; None if it is, or if there is none."""
        self._ignore_rules()
        return self._problem

    def _ignore_rules(self) -> tuple[IgnoreRule, ...]:
        if self._rules is None:
            data = None
            try:
                data = self.ignore_file()
            except UnreadableError as error:
                self._problem = error
            self._rules = parse_ignore(data.decode("utf-8", "surrogateescape")) if data else ()
        return self._rules

    def list(self, path: str) -> tuple[str, ...]:
        """The files below a directory, relative to it; links to directories are not followed, huge trees cut off."""
        found = []
        for file in self._walk(path):
            found.append(file)
            if len(found) >= _MAX_LISTED:
                break
        return tuple(found)

    def _walk(self, root: str) -> Iterator[str]:
        open_folders = [iter(self.entries(root))]
        below = [""]
        while open_folders:
            name = next(open_folders[-1], None)
            if name is None:
                open_folders.pop()
                below.pop()
                continue
            relative = posixpath.join(below[-1], name)
            path = posixpath.join(root, relative)
            if not self.is_dir(path):
                yield relative
            elif not self.is_link(path):
                open_folders.append(iter(self.entries(path)))
                below.append(relative)

    def is_link(self, path: str) -> bool:
        """Whether the path itself is a symbolic link."""
        raise NotImplementedError


def clean(path: str) -> str | None:
    """A normalised path relative to the root (the root is the empty string); None for what is no path inside it."""
    if "\0" in path:
        return None
    cleaned = posixpath.normpath(path.lstrip("/")) if path.strip("/") else "."
    if cleaned == ".." or cleaned.startswith("../"):
        return None
    return "" if cleaned == "." else cleaned


class DiskContext(BuildContext):
    """A directory on disk.

    `display_root` is the directory that shown paths are relative to (the working directory by default); `dockerfile`
    is the Dockerfile's path on disk, whose own `.dockerignore` goes before that of the root.
    """

    def __init__(self, root: str, display_root: str | None = None, dockerfile: str | None = None) -> None:
        super().__init__()
        self.root = os.path.realpath(root)
        self.display_root = os.path.abspath(display_root or os.curdir)
        self.dockerfile = dockerfile
        self._shown_root = os.path.abspath(root)
        self._real: dict[str, str | None] = {}

    def read(self, path: str) -> bytes | None:
        """See `BuildContext.read`."""
        real = self._resolve(path)
        return None if real is None else _read(real, self.display(path))

    def open(self, path: str) -> IO[bytes] | None:
        """See `BuildContext.open`."""
        real = self._resolve(path)
        try:
            return open(real, "rb") if real is not None and stat.S_ISREG(os.stat(real).st_mode) else None
        except (OSError, ValueError):
            return None

    def mode(self, path: str) -> int | None:
        """See `BuildContext.mode`; file systems without permission bits tell nothing."""
        status = self._stat(path)
        return None if status is None or os.name == "nt" else stat.S_IMODE(status.st_mode)

    def is_dir(self, path: str) -> bool:
        """See `BuildContext.is_dir`."""
        status = self._stat(path)
        return status is not None and stat.S_ISDIR(status.st_mode)

    def is_file(self, path: str) -> bool:
        """See `BuildContext.is_file`."""
        status = self._stat(path)
        return status is not None and stat.S_ISREG(status.st_mode)

    def is_link(self, path: str) -> bool:
        """See `BuildContext.is_link`."""
        cleaned = clean(path)
        return bool(cleaned) and os.path.islink(os.path.join(self.root, cleaned or ""))

    def entries(self, path: str) -> tuple[str, ...]:
        """See `BuildContext.entries`."""
        real = self._resolve(path)
        if real is None:
            return ()
        try:
            return tuple(sorted(os.listdir(real)))
        except OSError:
            return ()

    def display(self, path: str) -> str:
        """See `BuildContext.display`."""
        full = os.path.normpath(os.path.join(self._shown_root, clean(path) or ""))
        try:
            shown = os.path.relpath(full, self.display_root)
        except ValueError:
            # Windows: on another drive.
            shown = full
        return shown.replace(os.sep, "/")

    def ignore_file(self) -> bytes | None:
        """See `BuildContext.ignore_file`."""
        own = [self.dockerfile + ".dockerignore"] if self.dockerfile else []
        for path in (*own, os.path.join(self.root, ".dockerignore")):
            shown = os.path.relpath(path, self.display_root).replace(os.sep, "/")
            try:
                return files.read(path, shown, within=partial(self._may_hold, path), limit=MAX_SETTINGS)
            except MissingError:
                continue
        return None

    def _may_hold(self, path: str) -> tuple[str, ...]:
        return (self.root, *files.homes(path))

    def _resolve(self, path: str) -> str | None:
        """Where a path really is, None if that is outside the root."""
        cleaned = clean(path)
        if not cleaned:
            return None if cleaned is None else self.root
        if cleaned not in self._real:
            # Where its folder is has mostly been asked before: then there is one name to look at.
            folder, _, name = cleaned.rpartition("/")
            if folder and folder not in self._real:
                self._real[folder] = self._realpath(folder)
            above = self._real[folder] if folder else self.root
            self._real[cleaned] = self._realpath(cleaned) if above is None else self._realpath_in(above, name)
        return self._real[cleaned]

    def _realpath(self, cleaned: str) -> str | None:
        return self._within(os.path.join(self.root, cleaned))

    def _realpath_in(self, folder: str, name: str) -> str | None:
        path = os.path.join(folder, name)
        try:
            return self._within(path) if os.path.islink(path) else path
        except (OSError, ValueError):
            return None

    def _within(self, path: str) -> str | None:
        try:
            real = os.path.realpath(path)
        except (OSError, ValueError):
            return None
        inside = real == self.root or real.startswith(self.root.rstrip(os.sep) + os.sep)
        return real if inside else None

    def _stat(self, path: str) -> os.stat_result | None:
        real = self._resolve(path)
        try:
            return None if real is None else os.stat(real)
        except (OSError, ValueError):
            return None


def _read(real: str, shown: str) -> bytes | None:
    try:
        # Nothing but a regular file: for a build, too, there is nothing else.
        return files.read(real, shown) if os.path.isfile(real) else None
    except MissingError:
        return None


class MemoryContext(BuildContext):
    """Files given as a mapping from path to text or bytes, for library users and tests."""

    def __init__(
        self, files: Mapping[str, str | bytes], modes: Mapping[str, int] | None = None, dockerfile: str = "Dockerfile"
    ) -> None:
        super().__init__()
        self.dockerfile = dockerfile
        self.files = {cleaned: data for path, data in files.items() if (cleaned := clean(path))}
        self.modes = {cleaned: mode for path, mode in (modes or {}).items() if (cleaned := clean(path))}
        self._tree: dict[str, set[str]] = {"": set()}
        for path in self.files:
            parts = path.split("/")
            for i, name in enumerate(parts):
                self._tree.setdefault("/".join(parts[:i]), set()).add(name)

    def read(self, path: str) -> bytes | None:
        """See `BuildContext.read`."""
        data = self.files.get(clean(path) or "")
        if data is not None and len(data) > MAX_BYTES:
            raise UnreadableError(self.display(path), "is larger than 5 MB")
        return data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data

    def mode(self, path: str) -> int | None:
        """See `BuildContext.mode`."""
        return self.modes.get(clean(path) or "")

    def is_dir(self, path: str) -> bool:
        """See `BuildContext.is_dir`."""
        return clean(path) in self._tree

    def is_file(self, path: str) -> bool:
        """See `BuildContext.is_file`."""
        return clean(path) in self.files

    def is_link(self, path: str) -> bool:
        """See `BuildContext.is_link`; there are none."""
        return False

    def entries(self, path: str) -> tuple[str, ...]:
        """See `BuildContext.entries`."""
        cleaned = clean(path)
        return () if cleaned is None else tuple(sorted(self._tree.get(cleaned, ())))

    def display(self, path: str) -> str:
        """See `BuildContext.display`."""
        return clean(path) or "."

    def ignore_file(self) -> bytes | None:
        """See `BuildContext.ignore_file`."""
        own = self.read(self.dockerfile + ".dockerignore")
        return own if own is not None else self.read(".dockerignore")


# ------------------------------------------------------------ finding it


def find_context(dockerfile_path: str, sources: Iterable[str], repo_root: str | None = None) -> str:
    """The directory that a Dockerfile is built in: its own, or the nearest one above that holds more of `sources`.

    `sources` are what COPY and ADD take from the context, wildcards allowed. The search ends at `repo_root`, without
    one at the directory that holds `.git`. Outside a repository it goes up three directories at most, to one that holds
    all of them, where the Dockerfile's own does not.
    """
    home = os.path.dirname(os.path.abspath(dockerfile_path))
    wanted = {fixed for source in sources if (fixed := _fixed_part(source))}
    best, most = home, _present(home, wanted)
    top = os.path.abspath(repo_root) if repo_root is not None else repository_root(home)
    if top is None:
        return _outside_a_repository(home, wanted) if most < len(wanted) else home
    directory = home
    while most < len(wanted) and directory != top and len(directory) > len(top):
        directory = os.path.dirname(directory)
        count = _present(directory, wanted)
        if count > most:
            best, most = directory, count
    return best


def _outside_a_repository(home: str, wanted: set[str]) -> str:
    """The context of a Dockerfile in a plain folder such as `docker/`: never the root of the file system."""
    directory = home
    for _ in range(_MOST_UPWARD):
        directory = os.path.dirname(directory)
        if os.path.dirname(directory) == directory:
            break
        if _present(directory, wanted) == len(wanted):
            return directory
    return home


def _fixed_part(source: str) -> str:
    """The leading directories of a source that hold no wildcard; empty if that says nothing about the context."""
    cleaned = clean(source) or ""
    parts = cleaned.split("/")
    special = {*WILDCARDS, "$", "\ufffc", "{", "}"}
    fixed = [part for i, part in enumerate(parts) if not any(set(earlier) & special for earlier in parts[: i + 1])]
    return "/".join(fixed)


def _present(directory: str, paths: set[str]) -> int:
    return sum(os.path.lexists(os.path.join(directory, path)) for path in paths)
