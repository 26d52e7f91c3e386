"""A folder as one text, so that what a fuzzer finds can be read, and kept as a test."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_HEAD = re.compile(rb"^==== ([^\n/][^\n]*?) ([0-7]{3}) ====\n", re.MULTILINE)
_MOST_FILES = 6
_LARGEST = 8192


class File(NamedTuple):
    """A file's bytes and its permissions."""

    data: bytes
    mode: int = 0o644


class Case(NamedTuple):
    """The files of a folder, by their names in it."""

    files: Mapping[str, File]

    def written(self) -> bytes:
        """All as one text: for each file a line `==== NAME MODE ====`, then what it holds, and a line end."""
        return b"".join(
            b"==== %s %03o ====\n%s\n" % (name.encode("utf-8", "surrogateescape"), file.mode, file.data)
            for name, file in self.files.items()
        )

    def put(self, folder: Path) -> None:
        """Write the files; those whose names no file here can have are left out."""
        for name, file in self.files.items():
            path = folder / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.data)
            except OSError:
                continue
            path.chmod(file.mode | 0o600)


def parsed(text: bytes) -> Case:
    """What `written` has written; whatever stands before the first file is left out."""
    pieces = _HEAD.split(text)
    files = {}
    for name, mode, data in list(zip(*[iter(pieces[1:])] * 3, strict=True))[:_MOST_FILES]:
        shown = name.decode("utf-8", "surrogateescape")
        if ".." not in shown.split("/") and "\0" not in shown:
            files[shown] = File(data.removesuffix(b"\n")[:_LARGEST], int(mode, 8))
    return Case(files)
