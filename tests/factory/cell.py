"""One run of a program as PID 1 in a root of its own, seen from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.oracle.kernel import Process, _descend, _launcher, _read, _scratch, compiled_app

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
POLL = 0.1
LISTENING = "0A"


class Disposition(NamedTuple):
    """What a process has told the kernel to do with a signal: `caught`, `ignored` or `default`; or it is blocked."""

    caught: int
    ignored: int
    blocked: int

    def of(self, name: str) -> str:
        bit = 1 << (signal.Signals[f"SIG{name}"] - 1)
        if self.ignored & bit:
            return "ignored"
        return "caught" if (self.caught | self.blocked) & bit else "default"


@dataclass(frozen=True)
class Recipe:
    """How a program is run: in which root (overlayfs' `lowerdir`), as whom, with which files."""

    argv: tuple[str, ...]
    lower: str
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    user: str = ""

    def spec(self, scratch: Path) -> dict[str, object]:
        return {
            "argv": list(self.argv),
            "env": {"PATH": PATH, "HOME": "/root", "HOSTNAME": "cell", "LANG": "C.UTF-8", **self.env},
            "cwd": self.cwd,
            "user": self.user,
            "entries": [],
            "users": [],
            "scratch": str(scratch),
            "lower": self.lower,
            "network": "none",
        }


class Cell:
    """A program that has been started."""

    def __init__(self, launcher: subprocess.Popen[bytes], folder: Path) -> None:
        self.launcher = launcher
        self.folder = folder
        self.began = time.monotonic()

    @property
    def pid1(self) -> int:
        """PID 1, by its number out here; 0 if there is none yet."""
        text = _read(self.folder / "pid")
        return int(text) if text.endswith("\n") else 0

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.began

    @property
    def output(self) -> str:
        return (self.folder / "out").read_text(errors="replace")

    @property
    def ended(self) -> bool:
        return self.launcher.poll() is not None

    @property
    def code(self) -> int:
        """Its exit code as Docker gives it."""
        returned = self.launcher.wait()
        return returned if returned >= 0 else 128 - returned

    def tree(self) -> tuple[Process, ...]:
        pid1 = self.pid1
        return tuple(_descend(pid1, 0)) if pid1 else ()

    def disposition(self) -> Disposition | None:
        """What PID 1 does with signals."""
        return _disposition(self.pid1)

    def outer(self, inner: int) -> int:
        """The number out here of a process that has a number inside."""
        return next((pid for pid, number in _numbers(self.pid1) if number == inner), 0)

    def listens(self) -> frozenset[int]:
        """The TCP ports that something listens on."""
        ports = set()
        for name in ("tcp", "tcp6"):
            for line in _read(Path(f"/proc/{self.pid1}/net/{name}")).splitlines()[1:]:
                words = line.split()
                if words[3] == LISTENING:
                    ports.add(int(words[1].rpartition(":")[2], 16))
        return frozenset(ports)

    def send(self, name: str) -> None:
        try:
            os.kill(self.pid1, signal.Signals[f"SIG{name}"])
        except ProcessLookupError:
            return

    def ends_within(self, seconds: float) -> bool:
        try:
            self.launcher.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def run(self, argv: Sequence[str], timeout: float = 10.0) -> subprocess.CompletedProcess[bytes]:
        """Run a program of this machine in the cell's network."""
        enter = ["nsenter", "-t", str(self.pid1), "-n", "--", *argv]
        return subprocess.run(enter, capture_output=True, check=False, timeout=timeout)

    def open(self, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a program of this machine in the cell's network."""
        enter = ["nsenter", "-t", str(self.pid1), "-n", "--", *argv]
        return subprocess.Popen(enter, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.PIPE)

    def zombies_of(self, orphans: int) -> int:
        """Have processes end whose parents are gone; how many of them are still there after a second."""
        before = sum(each.state == "Z" for each in self.tree())
        enter = ["nsenter", "-t", str(self.pid1), "-p", "-m", "-r", "/.oracle/app", "--make-orphans", str(orphans)]
        subprocess.run(enter, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=10)
        time.sleep(1.2)
        return sum(each.state == "Z" for each in self.tree()) - before


def _disposition(outer: int) -> Disposition | None:
    rows = dict(line.split(":\t", 1) for line in _read(Path(f"/proc/{outer}/status")).splitlines() if ":\t" in line)
    if "SigCgt" not in rows:
        return None
    return Disposition(int(rows["SigCgt"], 16), int(rows["SigIgn"], 16), int(rows["SigBlk"], 16))


def disposition_of(cell: Cell, inner: int) -> Disposition | None:
    """What a process inside does with signals."""
    return _disposition(cell.outer(inner))


def _numbers(outer: int) -> Iterator[tuple[int, int]]:
    """Every process from one down: its number out here, and inside."""
    status = _read(Path(f"/proc/{outer}/status"))
    inner = next((line.split()[-1] for line in status.splitlines() if line.startswith("NSpid:")), "")
    if not inner:
        return
    yield outer, int(inner)
    for task in Path(f"/proc/{outer}/task").glob("*"):
        for child in _read(task / "children").split():
            yield from _numbers(int(child))


@contextmanager
def started(recipe: Recipe) -> Iterator[Cell]:
    """Start a program; it is gone at the end."""
    app = compiled_app()
    with _scratch() as folder:
        (folder / "app").write_bytes(app.read_bytes())
        (folder / "app").chmod(0o755)
        spec = folder / "spec.json"
        spec.write_text(json.dumps(recipe.spec(folder)))
        with _launcher(spec, folder / "out") as process:
            cell = Cell(process, folder)
            while not cell.pid1 and not cell.ended:
                time.sleep(POLL)
            try:
                yield cell
            finally:
                pid1 = cell.pid1
                if pid1 and not cell.ended:
                    with suppress(ProcessLookupError):
                        os.kill(pid1, signal.SIGKILL)
