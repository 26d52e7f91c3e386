"""The files of a project as readers see them: by their paths from its root, each read once."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from pid1lint.deploy import kinds, yamltree
from pid1lint.errors import UnreadableError
from pid1lint.image.context import BuildContext, clean
from pid1lint.source import Source

_MAX_FILES = 200
_MOST_BESIDE = 1000
ConfigMaps = Callable[[str], Mapping[str, Source]]
"""Gives the manifests of a folder that hold a ConfigMap, by their paths; all paths are from the project's root."""


class Project:
    """A folder with a deployment's file in it, most often a repository.

    `config_maps` is for those who read many files of one folder: each of them would look through all others.
    """

    def __init__(self, files: BuildContext, config_maps: ConfigMaps | None = None) -> None:
        self.files = files
        self.config_maps = config_maps or (lambda folder: config_maps_in(folder, files))
        self._sources: dict[str, Source | None] = {}
        self._documents: dict[str, yamltree.Documents | None] = {}

    def source(self, path: str) -> Source | None:
        """A file's text, None if there is none that can be read."""
        if path not in self._sources:
            self._sources[path] = self._read(path) if len(self._sources) < _MAX_FILES else None
        return self._sources[path]

    def give(self, path: str, source: Source) -> None:
        """Take this for the text of a file."""
        self._sources[path] = source

    def _read(self, path: str) -> Source | None:
        return _source(path, self.files)

    def documents(self, path: str, wanted: Callable[[str], bool] | None = None) -> yamltree.Documents | None:
        """A YAML file's documents, None if there is no such file; those that are not `wanted` may be left out."""
        if path not in self._documents:
            source = self.source(path)
            self._documents[path] = None if source is None else yamltree.load(source, wanted)
        return self._documents[path]

    def read_documents(self, shown: str) -> tuple[yamltree.Documents, ...]:
        """The documents of the YAML file that is shown by a path, if it has been read."""
        return tuple(each for each in self._documents.values() if each is not None and each.source.path == shown)


def config_maps_in(folder: str, files: BuildContext) -> Mapping[str, Source]:
    """See `ConfigMaps`."""
    names = (name for name in files.entries(folder) if name.endswith((".yaml", ".yml")))
    paths = (posixpath.join(folder, name) for name in islice(names, _MOST_BESIDE))
    found = ((path, _source(path, files)) for path in paths)
    return {path: source for path, source in found if source is not None and kinds.is_config_map(source.text)}


def _source(path: str, files: BuildContext) -> Source | None:
    try:
        data = files.read(path) if files.is_file(path) else None
        return None if data is None else Source.decode(files.display(path), data)
    except UnreadableError:
        return None


def joined(folder: str, path: str) -> str | None:
    """A path from the project's root; None for one that leads out of it, or is not of this machine's kind."""
    if path.startswith(("/", "~")) or "\0" in path:
        return None
    return clean(posixpath.join(folder, path))


def parent(path: str) -> str:
    """The folder of a file, from the project's root; the root itself is empty."""
    return posixpath.dirname(path)


class Below(BuildContext):
    """A folder of another context as a build context of its own, with its own `.dockerignore`."""

    def __init__(self, base: BuildContext, folder: str, dockerfile: str = "", *, ignores: bool = True) -> None:
        super().__init__()
        self._base = base
        self._folder = folder
        self._dockerfile = dockerfile
        self._ignores = ignores

    def _path(self, path: str) -> str | None:
        cleaned = clean(path)
        return None if cleaned is None else posixpath.join(self._folder, cleaned)

    def read(self, path: str) -> bytes | None:
        """See `BuildContext.read`."""
        inside = self._path(path)
        return None if inside is None else self._base.read(inside)

    def mode(self, path: str) -> int | None:
        """See `BuildContext.mode`."""
        inside = self._path(path)
        return None if inside is None else self._base.mode(inside)

    def is_dir(self, path: str) -> bool:
        """See `BuildContext.is_dir`."""
        inside = self._path(path)
        return inside is not None and self._base.is_dir(inside)

    def is_file(self, path: str) -> bool:
        """See `BuildContext.is_file`."""
        inside = self._path(path)
        return inside is not None and self._base.is_file(inside)

    def is_link(self, path: str) -> bool:
        """See `BuildContext.is_link`."""
        inside = self._path(path)
        return inside is not None and self._base.is_link(inside)

    def entries(self, path: str) -> tuple[str, ...]:
        """See `BuildContext.entries`."""
        inside = self._path(path)
        return () if inside is None else self._base.entries(inside)

    def display(self, path: str) -> str:
        """See `BuildContext.display`."""
        return self._base.display(self._path(path) or "")

    def ignore_file(self) -> bytes | None:
        """The `.dockerignore` of the Dockerfile, else of the folder; a mount knows none."""
        return next(self._ignore_files(), None) if self._ignores else None

    def _ignore_files(self) -> Iterator[bytes]:
        names = [f"{self._dockerfile}.dockerignore"] if self._dockerfile else []
        for path in (*names, posixpath.join(self._folder, ".dockerignore")):
            try:
                data = self._base.read(path)
            except UnreadableError:
                continue
            if data is not None:
                yield data
