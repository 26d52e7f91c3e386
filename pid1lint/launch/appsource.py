"""Which file an interpreter is given to run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pid1lint.image.filesystem import FileSystem

_SUFFIXES = {
    "python": (".py",),
    "node": (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"),
    "bun": (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"),
    "deno": (".js", ".mjs", ".ts", ".mts"),
    "ruby": (".rb", ".ru"),
    "php": (".php",),
    "perl": (".pl", ".pm"),
}


def is_read(interpreter: str) -> bool:
    """Whether the scripts of an interpreter are looked into."""
    return interpreter in _SUFFIXES


def script_of(files: FileSystem, interpreter: str, argv: Sequence[str], workdir: str) -> str:
    """The path of the script that an interpreter runs, empty if its arguments do not tell."""
    script = next((word for word in argv[1:] if word.endswith(_SUFFIXES.get(interpreter, ()))), "")
    if not script and interpreter == "node":
        script = _index_of(files, argv, workdir)
    return script if not script or script.startswith("/") else f"{workdir.rstrip('/')}/{script}"


def _index_of(files: FileSystem, argv: Sequence[str], workdir: str) -> str:
    """What `node NAME` runs: the file, or NAME.js, or the folder's index.js; NAME.js where none is there yet."""
    word = next((word for word in argv[1:] if not word.startswith("-")), "")
    if not word:
        return ""
    name = (word if word.startswith("/") else f"{workdir.rstrip('/')}/{word}").rstrip("/")
    paths = (name, f"{name}.js", f"{name}/index.js")
    found = (files.lookup(path) for path in paths)
    there = (path for path, file in zip(paths, found, strict=True) if file is not None and file.text is not None)
    return next(there, f"{name}.js")
