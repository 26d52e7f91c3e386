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


class Program(NamedTuple):
    """A line of `programs.txt`. `plain` is how it is started where nothing keeps it in the foreground."""

    name: str
    packages: tuple[str, ...]
    argv: tuple[str, ...]
    setup: str
    ready: str
    plain: tuple[str, ...] = ()

    @property
    def port(self) -> int:
        """The port that says that it is up; 0 if something else does."""
        return int(self.ready[1:].rstrip("/")) if self.ready.startswith(":") else 0

    @property
    def answers(self) -> bool:
        """Whether it answers an HTTP request, and takes a second or more for it."""
        return self.ready.endswith("/")

    def is_ready(self) -> Ready:
        """Whether it is up: it listens, it has said so, or nothing is waited for but time."""
        if self.port:
            return lambda cell: self.port in cell.listens()
        if self.ready.startswith("~"):
            return lambda cell: self.ready[1:] in cell.output
        return _Idle(float(self.ready))


class _Idle:
    """Ready after some seconds, and when it has not been at work for a while: a slow machine takes its time."""

    LOOKS = 12

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.idle: dict[int, int] = {}

    def __call__(self, cell: Cell) -> bool:
        at_work = any(each.state in "RD" for each in cell.tree())
        count = self.idle[id(cell)] = 0 if at_work else self.idle.get(id(cell), 0) + 1
        return cell.age >= self.seconds and count >= self.LOOKS


def programs() -> Iterator[Program]:
    """All of them."""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        # A setup may hold pipes of its own.
        fields = [field.strip() for field in re.split(r" \|(?= |$)", line)]
        name, packages, argv, *setup, ready, plain = fields
        text = " | ".join(setup)
        yield Program(name, tuple(packages.split()), tuple(shlex.split(argv)), text, ready, tuple(shlex.split(plain)))
