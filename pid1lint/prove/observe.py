"""The processes of a container, seen from outside: who is there, what each does with signals, how each ends."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress

from pid1lint.frozen import NamedTuple
from pid1lint.numbers import is_number
from pid1lint.prove.engine import Engine

_FIELDS = ("SigCgt", "SigIgn", "SigBlk")
# struct pidfd_info of linux/pidfd.h, whose PIDFD_INFO_EXIT Linux knows since 6.15.
_INFO_SIZE, _EXIT_AT, _WANTS_EXIT = 64, 60, 1 << 3
_GET_INFO = (3 << 30) | (_INFO_SIZE << 16) | (0xFF << 8) | 11
_PROC = """echo "self $$"
for p in /proc/[0-9]*; do
  [ "$p" = /proc/$$ ] && continue
  read -r line < "$p/stat" && echo "stat $line" && echo "argv $(tr '\\0\\n' '  ' < "$p/cmdline")"
  while read -r a b; do case $a in SigCgt:|SigIgn:|SigBlk:) echo "$a $b";; esac; done < "$p/status"
done 2>/dev/null"""


class Seen(NamedTuple):
    """A process: `pid` and `parent` are as the container numbers them, `outer` as this machine does (0: unknown).

    `argv` is empty for a zombie. `caught`, `ignored` and `blocked` are numbers of signals. `ticks` is the time that it
    has used of a processor. `exe` is the file that it runs, as this machine can open it.
    """

    pid: int
    parent: int
    outer: int
    argv: tuple[str, ...]
    name: str
    state: str
    caught: frozenset[int]
    ignored: frozenset[int]
    blocked: frozenset[int] = frozenset()
    ticks: int = 0
    exe: str = ""

    @property
    def zombie(self) -> bool:
        """Whether it has ended and nobody has waited for it."""
        return self.state == "Z"


class Ended(NamedTuple):
    """How a process ended: by a signal, or else with a code; `seconds` after the stop at which it was gone."""

    code: int | None
    signal: int | None
    seconds: float


def signals(mask: str) -> frozenset[int]:
    """The signals of a mask in /proc/PID/status."""
    bits = int(mask, 16)
    return frozenset(number for number in range(1, 65) if bits >> (number - 1) & 1)


def is_visible(pid: int) -> bool:
    """Whether a process of this number is here, and PID 1 of a namespace: the engine may run in a virtual machine."""
    return pid > 0 and _status(pid).get("NSpid", "").split()[1:][-1:] == ["1"]


def from_here(pid: int) -> tuple[Seen, ...]:
    """The processes of a container whose PID 1 has this number here, PID 1 first."""
    namespace = _namespace(pid)
    if not namespace:
        return ()
    found = []
    for name in os.listdir("/proc"):
        if is_number(name) and _namespace(int(name)) == namespace:
            seen = _seen(int(name))
            if seen is not None:
                found.append(seen)
    inner = {seen.outer: seen.pid for seen in found}
    return tuple(sorted(seen._replace(parent=inner.get(seen.parent, 0)) for seen in found))


def from_inside(engine: Engine, container: str) -> tuple[Seen, ...]:
    """The same by a shell of the container, if it has one; else only what the engine lists."""
    done = engine.call("exec", container, "sh", "-c", _PROC)
    found = tuple(_parsed(done.stdout)) if done.stdout.startswith("self ") else ()
    own = int(done.stdout.split()[1]) if found else 0
    return tuple(sorted(seen for seen in found if seen.parent != own))


def _parsed(text: str) -> Iterator[Seen]:
    for part in ("\n" + text).split("\nstat ")[1:]:
        lines = part.splitlines()
        pid, _, rest = lines[0].partition(" (")
        name, _, fields = rest.rpartition(") ")
        words = fields.split()
        masks = dict(line.split(": ", 1) for line in lines if line.startswith("Sig") and ": " in line)
        argv = next((line[5:].split() for line in lines if line.startswith("argv ")), [])
        caught, ignored, blocked = (signals(masks.get(key, "0")) for key in _FIELDS)
        yield Seen(int(pid), int(words[1]), 0, tuple(argv), name, words[0], caught, ignored, blocked)


def _namespace(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


def _status(pid: int) -> Mapping[str, str]:
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except OSError:
        return {}


def _seen(pid: int) -> Seen | None:
    status = _status(pid)
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            argv = tuple(os.fsdecode(word) for word in file.read(65536).rstrip(b"\0").split(b"\0"))
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            words = file.read().rpartition(") ")[2].split()
    except OSError:
        return None
    if "NSpid" not in status or len(words) < 13:
        return None
    caught, ignored, blocked = (signals(status.get(key, "0")) for key in _FIELDS)
    return Seen(
        int(status["NSpid"].split()[-1]),
        int(words[1]),
        pid,
        () if argv == ("",) else argv,
        status.get("Name", ""),
        words[0],
        caught,
        ignored,
        blocked,
        int(words[11]) + int(words[12]),
        f"/proc/{pid}/exe",
    )


class Watch:
    """Waits for the ends of processes of this machine, and tells how each ended, where the kernel says so."""

    def __init__(self, processes: tuple[Seen, ...]) -> None:
        self._files: dict[int, int] = {}
        for seen in processes:
            if seen.outer and hasattr(os, "pidfd_open"):
                with suppress(OSError):
                    self._files[seen.pid] = os.pidfd_open(seen.outer)

    def close(self) -> None:
        """Give back what it holds."""
        for file in self._files.values():
            os.close(file)
        self._files = {}

    def gone(self) -> frozenset[int]:
        """Those that have ended."""
        import select

        poll = select.poll()
        for file in self._files.values():
            poll.register(file, select.POLLIN)
        ready = {file for file, _ in poll.poll(0)}
        return frozenset(pid for pid, file in self._files.items() if file in ready)

    def ends(self, pid: int) -> tuple[int | None, int | None]:
        """The code or the signal that a process has ended with; neither where the kernel does not tell."""
        import fcntl

        file = self._files.get(pid)
        if file is None:
            return None, None
        buffer = bytearray(struct.pack("Q", _WANTS_EXIT).ljust(_INFO_SIZE, b"\0"))
        try:
            fcntl.ioctl(file, _GET_INFO, buffer)
        except OSError:
            return None, None
        if not struct.unpack_from("Q", buffer)[0] & _WANTS_EXIT:
            return None, None
        status = struct.unpack_from("i", buffer, _EXIT_AT)[0]
        return (None, status & 0x7F) if status & 0x7F else (status >> 8 & 0xFF, None)
