"""What is run: a program with the files, the user and the shell of its container, laid over this machine's own."""

from __future__ import annotations

import base64
import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from tests.oracle.stand_in import StandIn

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SHELLS = ("bash", "dash", "ash", "busybox", "zsh", "ksh", "mksh", "yash")
NOT_FOUND = 127
STAND_INS_AT = "/usr/local/bin"
# The packages that `.ci/programs` installs, and those of their programs that must be real in a container.
PACKAGES = Path(__file__).parent / "packages.txt"
# Programs that count as not installed, with blanks between them: so a machine that lacks them is tried.
WITHOUT = "PID1LINT_ORACLE_WITHOUT"
_WORD = re.compile(r"[\w.+-]+")


class NotInstalledError(LookupError):
    """A container needs a program that this machine does not have."""


class Entry(TypedDict, total=False):
    """One thing to put into the root: `content` (base64), a `copy` of a file of this machine, a `link` or nothing.

    An entry with none of them hides what this machine has at `path`.
    """

    path: str
    mode: int
    content: str
    copy: str
    link: str


class Spec(TypedDict):
    """What the launcher reads: see `Container`. `scratch` is where this run's files are on this machine."""

    argv: list[str]
    env: dict[str, str]
    cwd: str
    user: str
    users: list[str]
    scratch: str
    entries: list[Entry]


@dataclass(frozen=True)
class File:
    """A file of the image."""

    content: str | bytes
    mode: int = 0o755


@dataclass(frozen=True)
class Container:
    """A program and what it finds around it.

    `sh` names the program that is /bin/sh there (`dash`, `bash`, `busybox`; "" if there is none). With `shells`,
    no shell but these (and `sh`) is there; with None all of this machine's are. With `applets`, busybox takes the
    place of this machine's tools. `stand_ins` are programs by name (then in /usr/local/bin) or by absolute path.
    `links` are paths and what they lead to; `users` are names that the image knows and this machine perhaps not.
    `stop` is the stop signal: a name with or without SIG, or a number. `helpers` are stand-ins whose
    end does not count as long as another is up.
    """

    argv: tuple[str, ...]
    files: Mapping[str, File] = field(default_factory=dict)
    stand_ins: Mapping[str, StandIn] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    user: str = ""
    users: tuple[str, ...] = ()
    stop: str | int = "TERM"
    helpers: tuple[str, ...] = ()
    sh: str = "dash"
    shells: tuple[str, ...] | None = None
    applets: bool = False

    def spec(self, app: Path, scratch: Path) -> Spec:
        """What the launcher is to do; `app` is the compiled test app. `NotInstalledError` if a program is missing."""
        if reason := missing(sorted(self.needs)):
            raise NotInstalledError(reason)
        entries = [*_hidden(), *self._shells(), *self._applets(), *self._programs(app)]
        entries += [Entry(path=path, link=target) for path, target in self.links.items()]
        entries += [_file_entry(path, file) for path, file in self.files.items()]
        return Spec(
            argv=list(self.argv),
            env={"PATH": PATH, "HOME": "/", "HOSTNAME": "oracle", **self.env},
            cwd=self.cwd,
            user=self.user,
            users=list(self.users),
            scratch=str(scratch),
            entries=entries,
        )

    @property
    def needs(self) -> frozenset[str]:
        """The programs that it names and that must be this machine's: a word too many does no harm where all are."""
        texts = (file.content for file in self.files.values())
        decoded = (text if isinstance(text, str) else text.decode("utf-8", "replace") for text in texts)
        words = frozenset(word for text in (*self.argv, *decoded) for word in _WORD.findall(text))
        brought = {Path(path).name for path in (*self.stand_ins, *self.links, *self.files)}
        kept = (*(SHELLS if self.shells is None else self.shells), self.sh, *(("busybox",) if self.applets else ()))
        return ((words & REAL) - brought - (set(SHELLS) - set(kept))) | ({self.sh} - {""})

    def _shells(self) -> Iterator[Entry]:
        if self.shells is not None:
            for shell in SHELLS:
                # busybox itself stays where its applets are wanted.
                if shell not in (*self.shells, self.sh) and not (shell == "busybox" and self.applets):
                    yield from _hide(shell)
        yield from _hide("sh")
        if self.sh:
            yield Entry(path="/bin/sh", link=program(self.sh))

    def _applets(self) -> Iterator[Entry]:
        if not self.applets:
            return
        for name in applets():
            if found := shutil.which(name, path=PATH):
                yield Entry(path=found, link=program("busybox"))

    def _programs(self, app: Path) -> Iterator[Entry]:
        for name, stand_in in self.stand_ins.items():
            path = name if name.startswith("/") else f"{STAND_INS_AT}/{name}"
            yield Entry(path=path, copy=str(app), mode=0o755)
            yield _file_entry(f"/.oracle/programs/{Path(name).name}", File(stand_in.settings(), 0o644))
        yield Entry(path="/.oracle/app", copy=str(app), mode=0o755)


def _real() -> frozenset[str]:
    rows = (line.split() for line in PACKAGES.read_text(encoding="ascii").splitlines() if not line.startswith("#"))
    return frozenset(name for row in rows for name in row[1:])


REAL = _real()


def installed(name: str) -> str | None:
    """Where this machine has a program that a container can use; None if it has none."""
    if name in os.environ.get(WITHOUT, "").split():
        return None
    found = shutil.which(name, path=PATH)
    return None if found is None or (name == "busybox" and _prefers_applets(found)) else found


@functools.cache
def _prefers_applets(busybox: str) -> bool:
    """Whether its shell runs applets of its own before programs: Debian's busybox-static does, an image's does not."""
    command = [busybox, "sh", "-c", "xargs --help"]
    nowhere = {"PATH": "/nonexistent"}
    return subprocess.run(command, env=nowhere, capture_output=True, check=False).returncode != NOT_FOUND


def program(name: str) -> str:
    """Where this machine has a program, as an absolute path without links; `NotInstalledError` if it has none."""
    found = installed(name)
    if found is None:
        raise NotInstalledError(missing((name,)))
    return str(Path(found).resolve())


def missing(names: Iterable[str]) -> str | None:
    """Why a container that needs these programs cannot be run here, or None if it can."""
    absent = [name for name in names if installed(name) is None]
    if absent == ["busybox"] and shutil.which("busybox", path=PATH) is not None and WITHOUT not in os.environ:
        return "busybox not usable here: its shell runs its own applets before programs (busybox-static)"
    return f"{', '.join(absent)} not installed here" if absent else None


def _hidden() -> Iterator[Entry]:
    """What counts as not installed is not there in a container either."""
    for name in os.environ.get(WITHOUT, "").split():
        if found := shutil.which(name, path=PATH):
            yield Entry(path=found)


# Those of busybox's applets that start, stop or wait for other programs, or hold a container.
_APPLETS = (
    *("chroot", "env", "flock", "ionice", "kill", "killall", "nice", "nohup", "pidof", "pgrep", "pkill", "setsid"),
    *("sleep", "start-stop-daemon", "su", "tail", "taskset", "tee", "time", "timeout", "xargs"),
)


@functools.cache
def applets() -> tuple[str, ...]:
    """Those of them that this machine's busybox has: builds differ."""
    listed = subprocess.run([program("busybox"), "--list"], capture_output=True, text=True, check=True)
    return tuple(name for name in _APPLETS if name in listed.stdout.split())


def _hide(name: str) -> Iterator[Entry]:
    for folder in ("/bin", "/usr/bin"):
        yield Entry(path=f"{folder}/{name}")


def _file_entry(path: str, file: File) -> Entry:
    data = file.content.encode("utf-8", "surrogateescape") if isinstance(file.content, str) else file.content
    return Entry(path=path, content=base64.b64encode(data).decode("ascii"), mode=file.mode)
