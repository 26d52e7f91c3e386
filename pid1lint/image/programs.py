"""What the programs of an image tell of themselves, where no row of the facts does: their files are read."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from pid1lint.facts.programs import Program

if TYPE_CHECKING:
    from pid1lint.image.binary import Binary
    from pid1lint.image.filesystem import FileSystem

_LIBRARIES = (
    *("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib", "/lib/x86_64-linux-gnu"),
    *("/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu"),
)
_SIGNALS = ("TERM", "INT", "QUIT", "HUP", "USR1", "USR2")


class FilePrograms:
    """Answers for a command by the file that it starts."""

    def __init__(self, files: FileSystem, path: str) -> None:
        self.files = files
        self.path = path
        self._binaries: dict[str, Binary | None] = {}

    def __call__(self, argv: Sequence[str]) -> Program | None:
        """A row for a command; None where its file is not at hand, or tells nothing."""
        found = self.binary(argv[0]) if argv else None
        if found is None or not found.source:
            return None
        signals = {name: reaction for name in _SIGNALS if (reaction := found.reaction(name))}
        if not signals:
            return None
        graceful = "TERM" if signals.get("TERM") == "handles" else ""
        return Program((posixpath.basename(argv[0]),), signals=signals, graceful=graceful, source=found.source)

    def binary(self, name: str) -> Binary | None:
        """What the file of a program tells; None where it is not at hand, or no program."""
        if name not in self._binaries:
            file = self.files.which(name, self.path)
            stream = file.content.open() if file is not None and file.content is not None else None
            self._binaries[name] = None if stream is None else self._read(stream)
        return self._binaries[name]

    def _read(self, stream: IO[bytes]) -> Binary | None:
        from pid1lint.image.binary import read

        with stream:
            return read(stream, self._library)

    def _library(self, name: str) -> IO[bytes] | None:
        for folder in _LIBRARIES:
            file = self.files.lookup(posixpath.join(folder, name))
            if file is not None and file.content is not None:
                return file.content.open()
        return None
