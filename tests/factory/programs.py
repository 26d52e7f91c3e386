"""The programs that are measured: a table of how each is installed, set up, started and known to be up."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.factory.cell import Cell
from tests.factory.measure import Ready

TABLE = Path(__file__).with_name("programs.txt")
REGISTRIES = ("pip", "npm")
"""What stands before a package's name that is none of Debian's, with a colon between."""


class Program(NamedTuple):
    """A line of `programs.txt`, below the title `kind`.

    `argv` is the whole command; `before` is what a shell runs before it becomes that. `plain` is how the program is
    started where nothing keeps it in the foreground.
    """

    name: str
    kind: str
    packages: tuple[str, ...]
    before: str
    argv: tuple[str, ...]
    setup: str
    ready: str
    plain: tuple[str, ...] = ()

    @property
    def debian(self) -> tuple[str, ...]:
        """Its packages that are Debian's, with what its other ones are installed by."""
        own = tuple(each for each in self.packages if not each.startswith(REGISTRIES))
        return (*own, *(("python3", "python3-pip") if len(own) < len(self.packages) else ()))

    def of(self, registry: str) -> tuple[str, ...]:
        """Its packages out of a registry: `pip` or `npm`."""
        return tuple(each.partition(":")[2] for each in self.packages if each.startswith(f"{registry}:"))

    def started(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """What PID 1 is told to run so that it ends up as `argv`."""
        return ("sh", "-c", f'{self.before}; exec "$@"', "sh", *argv) if self.before else argv

    @property
    def port(self) -> int:
        """The port that says that it is up; 0 if something else does."""
        return int(re.split(r"[/<]", self.ready[1:])[0]) if self.ready.startswith(":") else 0

    @property
    def path(self) -> str:
        """The path of an HTTP request to it that takes a while, or is read slowly; empty if it takes none."""
        found = re.search(r"/.*", self.ready) if self.port else None
        return found[0] if found else ""

    @property
    def forwards(self) -> bool:
        """Whether such a request is answered by a slow server behind it, at port 9999."""
        return "<" in self.ready

    def is_ready(self) -> Ready:
        """Whether it is up: it listens, it has said so, or nothing is waited for but time."""
        if self.port:
            return lambda cell: self.port in cell.listens()
        if self.ready.startswith("~"):
            return lambda cell: self.ready[1:] in cell.output
        return _Idle(float(self.ready))


class _Idle:
    """Ready after some seconds, and when it has not been at work for a while: a slow machine takes its time."""

    LOOKS = 6
    LONGEST = 20.0

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.idle: dict[int, int] = {}

    def __call__(self, cell: Cell) -> bool:
        at_work = any(each.state in "RD" for each in cell.tree())
        count = self.idle[id(cell)] = 0 if at_work else self.idle.get(id(cell), 0) + 1
        return (cell.age >= self.seconds and count >= self.LOOKS) or cell.age >= self.LONGEST


def programs() -> Iterator[Program]:
    """All of them."""
    kind = ""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            kind = line[3:]
        if line.startswith("#") or not line.strip():
            continue
        # A setup may hold pipes of its own.
        fields = [field.strip() for field in re.split(r" \|(?= |$)", line)]
        name, packages, argv, *setup, ready, plain = fields
        before, _, words = argv.rpartition(" ;; ")
        yield Program(
            name,
            kind,
            tuple(packages.split()),
            before.strip(),
            tuple(shlex.split(words)),
            " | ".join(setup),
            ready,
            tuple(shlex.split(plain)),
        )
