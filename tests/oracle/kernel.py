"""Runs a container's program as PID 1 of namespaces of its own, stops it as `docker stop` does, says what happened."""

from __future__ import annotations

import errno
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tests.oracle.container import Container

HERE = Path(__file__).parent
SETUP_FAILED = 125
ENDED_BY_SIGNAL = 128
# Long enough for what waits out 2 s by itself (su, runuser), short against Docker's 10 s.
DEADLINE = 3.0
# An app may install its handlers, and its shell may go on, just after it says that it is ready.
SETTLE = 0.25
# Where no stand-in ever runs: after this long nothing more is going to happen.
PATIENCE = 3.0
# And what is at work all that time gets so many times as long.
BUSY = 4
POLL = 0.02
JOBS = 16
STARTS = 3


class OracleError(Exception):
    """The oracle itself failed; nothing is known of the container."""


class Process(NamedTuple):
    """A process as it was just before the stop; `pid` and `parent` as seen from inside (0: outside)."""

    pid: int
    parent: int
    state: str
    argv: tuple[str, ...]


class Event(NamedTuple):
    """What a stand-in said: `event` is READY, GOT, DONE; `signal` the number that it got, else 0."""

    pid: int
    name: str
    event: str
    signal: int


@dataclass(frozen=True)
class Run:
    """What happened: the outcome, one of

    `graceful`  every stand-in that was up got the signal and finished its work (with none up: no signal ended it)
    `abrupt`    the container ended before one of them had
    `hang`      nothing had ended when the deadline came
    `exits`     it ended by itself, before any signal, with 0 or after a stand-in had been up
    `fails`     it ended by itself with another code and no stand-in was ever up

    `code` is the exit code as Docker gives it (137 after a hang). `zombies` counts those that PID 1 had not reaped
    just before the stop.
    """

    outcome: str
    code: int
    app_is_pid1: bool
    events: tuple[Event, ...]
    tree: tuple[Process, ...]
    zombies: int
    seconds: float
    output: str

    def did(self, event: str) -> tuple[str, ...]:
        """The names of the stand-ins that said `event`."""
        return tuple(each.name for each in self.events if each.event == event)


@functools.cache
def available() -> str | None:
    """Why nothing can be run here, or None if it can."""
    if sys.platform != "linux":
        return "the oracle needs Linux's namespaces"
    if os.geteuid() != 0:
        return "the oracle needs root, to make namespaces and mounts"
    if compiler() is None:
        return "the oracle needs a C compiler (cc)"
    try:
        trial = run(Container(("true",)), patience=0)
    except OracleError as error:
        return f"the oracle cannot make a container here: {error}"
    return None if trial.code == 0 else f"the oracle's trial run ended with {trial.code}: {trial.output}"


def compiler() -> str | None:
    """The C compiler."""
    return shutil.which("cc")


@functools.cache
def compiled_app() -> Path:
    """The test app, compiled once a process; its folder goes with the process."""
    folder = _session_folder()
    app = folder / "app"
    command = [compiler() or "cc", "-O2", "-o", str(app), str(HERE / "app.c")]
    subprocess.run(command, check=True, capture_output=True)
    return app


@functools.cache
def _keeper() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="pid1lint-oracle-")


def _session_folder() -> Path:
    return Path(_keeper().name)


def run_all(containers: Sequence[Container]) -> list[Run]:
    """Run containers side by side: they wait most of the time."""
    if containers:
        compiled_app()
    with ThreadPoolExecutor(JOBS) as pool:
        return list(pool.map(run, containers))


def run(
    container: Container,
    *,
    deadline: float = DEADLINE,
    patience: float = PATIENCE,
    settle: float = SETTLE,
    orphans: int = 0,
) -> Run:
    """Run one container and stop it, `settle` seconds after a stand-in is up, with `orphans` left behind.

    `OracleError` if the container cannot be laid out, `LookupError` if it needs a program that is not installed.
    """
    app = compiled_app()
    with _scratch() as folder:
        spec = folder / "spec.json"
        spec.write_text(json.dumps(container.spec(app, folder)))
        with _launcher(spec, folder / "out") as process:
            began = _Began(process, folder)
            began.wait_until_ready(patience, settle)
            if orphans and process.poll() is None:
                began.lose_orphans(orphans)
            tree = began.tree()
            up = began.ready_pids() & {each.pid for each in tree if each.state != "Z"}
            ended_early = process.poll() is not None
            started = time.monotonic()
            in_time = ended_early or began.stop(_number(container.stop), deadline)
            seconds = time.monotonic() - started
            code = _exit_code(process.wait())
        if code == SETUP_FAILED and (complaint := (folder / "error").read_text()):
            raise OracleError(complaint)
        events = began.events()
        counted = _counted(events, up, container.helpers)
        return Run(
            outcome=_outcome(ended_early, in_time, code, counted, events),
            code=code,
            app_is_pid1=any(each.pid == 1 for each in events),
            events=events,
            tree=tree,
            zombies=sum(each.state == "Z" for each in tree),
            seconds=round(seconds, 2),
            output=(folder / "out").read_text(errors="replace"),
        )


def _counted(events: tuple[Event, ...], up: frozenset[int], helpers: Sequence[str]) -> frozenset[int]:
    """The processes whose end decides; helpers do where there is nothing else."""
    main = frozenset(each.pid for each in events if each.pid in up and each.name not in helpers)
    return main or up


def _outcome(ended_early: bool, in_time: bool, code: int, up: frozenset[int], events: tuple[Event, ...]) -> str:
    if ended_early:
        was_up = any(each.event == "READY" for each in events)
        return "exits" if code == 0 or was_up else "fails"
    if not in_time:
        return "hang"
    done = {each.pid for each in events if each.event == "DONE"}
    finished = up <= done if up else code < ENDED_BY_SIGNAL
    return "graceful" if finished else "abrupt"


def _number(stop: str | int) -> int:
    if isinstance(stop, int):
        return stop
    name = stop.removeprefix("SIG")
    return signal.SIGRTMIN + int(name[6:]) if name.startswith("RTMIN+") else signal.Signals[f"SIG{name}"]


def _exit_code(returned: int) -> int:
    return returned if returned >= 0 else 128 - returned


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder that any user inside may write to, with the files that must be there from the start."""
    folder = Path(tempfile.mkdtemp(dir=_session_folder()))
    try:
        folder.chmod(0o755)
        (folder / "programs").mkdir()
        for name in ("log", "out"):
            (folder / name).touch()
            (folder / name).chmod(0o666)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _launcher(spec: Path, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-I", "-S", str(HERE / "launcher.py"), str(spec)]
    with output.open("ab") as out:
        process = _start(command, out)
        try:
            yield process
        finally:
            # PID 1 dies with its parent, and the namespace with PID 1.
            process.kill()
            process.wait()


def _start(command: list[str], out: BinaryIO) -> subprocess.Popen[bytes]:
    for _ in range(STARTS):
        try:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        except OSError as error:
            # Seen about once in 500 starts, with many threads starting at once on a small virtual machine.
            if error.errno != errno.EFAULT:
                raise
    raise OracleError(f"cannot start {command[0]}")


@dataclass(frozen=True)
class _Began:
    """A container that has been started, seen from outside."""

    launcher: subprocess.Popen[bytes]
    folder: Path

    def pid1(self) -> int | None:
        """PID 1, by its number out here."""
        text = _read(self.folder / "pid")
        return int(text) if text.endswith("\n") else None

    def events(self) -> tuple[Event, ...]:
        rows = (line.split() for line in _read(self.folder / "log").splitlines())
        return tuple(Event(int(row[0]), row[1], row[2], int(row[3]) if len(row) > 3 else 0) for row in rows)

    def ready_pids(self) -> frozenset[int]:
        return frozenset(each.pid for each in self.events() if each.event == "READY")

    def wait_until_ready(self, patience: float, settle: float) -> None:
        """Until a stand-in is up and has had time to settle, the container has ended, or nothing comes."""
        began = time.monotonic()
        while self.launcher.poll() is None and not self.ready_pids():
            waited = time.monotonic() - began
            # What is still at work gets more time, but not a loop that never ends.
            if waited > patience and self.pid1() is not None and (waited > BUSY * patience or not self._busy()):
                return
            time.sleep(POLL)
        if self.launcher.poll() is None:
            time.sleep(settle)

    def _busy(self) -> bool:
        return any(each.state in "RD" for each in self.tree())

    def lose_orphans(self, count: int) -> None:
        """Have processes end in the container whose parents are gone, as `docker exec` would leave them."""
        enter = ["nsenter", "-t", str(self.pid1()), "-p", "-m", "-r", "/.oracle/app", "--make-orphans", str(count)]
        subprocess.run(enter, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=10)
        time.sleep(4 * SETTLE)

    def tree(self) -> tuple[Process, ...]:
        pid1 = self.pid1()
        return () if pid1 is None else tuple(_descend(pid1, 0))

    def stop(self, number: int, deadline: float) -> bool:
        """Send the signal; whether all had ended at the deadline (all have now)."""
        pid1 = self.pid1()
        if pid1 is None:
            raise OracleError("the container has no PID 1 yet")
        try:
            os.kill(pid1, number)
            self.launcher.wait(timeout=deadline)
        except ProcessLookupError:
            return True
        except subprocess.TimeoutExpired:
            os.kill(pid1, signal.SIGKILL)
            return False
        return True


def _descend(outer: int, parent: int) -> Iterator[Process]:
    """A process and all that came of it; orphans are PID 1's children."""
    status = dict(line.split(":\t", 1) for line in _read(Path(f"/proc/{outer}/status")).splitlines() if ":\t" in line)
    if not status:
        return
    pid = int(status["NSpid"].split()[-1])
    argv = _read(Path(f"/proc/{outer}/cmdline")).rstrip("\0").split("\0")
    yield Process(pid, parent, status["State"][0], tuple(argv) if argv != [""] else (status["Name"],))
    for task in Path(f"/proc/{outer}/task").glob("*"):
        for child in _read(task / "children").split():
            yield from _descend(int(child), pid)


def _read(path: Path) -> str:
    """A file's text; nothing if it is not there, or not any more."""
    try:
        return path.read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
