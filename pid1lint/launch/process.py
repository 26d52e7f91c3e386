"""What a launch is found to be: processes, paths through the scripts, and the outcome of the stop signal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from pid1lint.shell.ir import Node, Script, Simple
from pid1lint.source import Place, Span

if TYPE_CHECKING:
    from pid1lint.facts.launchers import Launcher
    from pid1lint.facts.programs import Program
    from pid1lint.image.filesystem import ImageFile
    from pid1lint.image.model import Image


class Outcome(str, Enum):
    """What becomes of the container when it is told to stop."""

    GRACEFUL = "graceful"
    ABRUPT = "abrupt"
    HANG = "hang"
    EXITS = "exits"
    FAILS = "fails"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        return self.value


class Call(NamedTuple):
    """The command of a script that started a process.

    `words` counts the words before the program's own (`exec`, `command`). `last` means that its shell does nothing
    after it on this path; `loop` that it stands in a loop, `function` that it stands in a function. `anchor` is set
    where the command stands in no file, but in text made at run time: it is the command that runs that.
    """

    script: Script
    node: Simple
    words: int = 0
    last: bool = False
    loop: bool = False
    function: bool = False
    substitution: bool = False
    anchor: Place | None = None

    @property
    def place(self) -> Place:
        """Where the whole command stands."""
        return self.anchor or self.script.place(self.node.span)

    @property
    def command(self) -> Place:
        """Where the command's words stand, without assignments in front and redirections behind."""
        words = self.node.words
        if not words or self.anchor:
            return self.place
        return self.script.place(Span(words[0].span.start, words[-1].span.end))


@dataclass(frozen=True)
class Process:
    """A program in a process of the launch, at the moment before the stop signal.

    `start` says how it came to be: `container` (PID 1's first program), `exec` (the same process, another program:
    it is then the only child of what it replaced, or the last), `child` (a foreground child), `background`,
    `pipeline`, `substitution`. `argv` holds what the user wrote where a word could not be expanded.
    `kind` is `shell`, `init`, `launcher`, `app` or `job` (something that ends by itself). `receives_stop` says
    whether the stop signal reaches it and is not lost on it; None where that cannot be told.
    """

    argv: tuple[str, ...]
    program: str
    pid1: bool
    start: str
    receives_stop: bool | None
    place: Place | None
    children: tuple[Process, ...] = ()
    pid: int = 1
    kind: str = "app"
    call: Call | None = None
    script: Script | None = None
    file: ImageFile | None = None
    form: str = ""
    dialect: str = ""
    fact: Program | None = None
    launcher: Launcher | None = None
    reaction: str = ""
    assumed: bool = False
    finished: bool = False
    main: bool = False
    arguments: tuple[str, ...] = ()
    helper: bool = False

    def walk(self) -> tuple[Process, ...]:
        """This process and all below it, parents first."""
        return (self, *(below for child in self.children for below in child.walk()))


class Decision(NamedTuple):
    """A branch that the files do not decide, or that the user may decide at `docker run`.

    `kind` is `arguments` (it depends on CMD), `environment`, or `unknown`; `usual` tells whether the way taken is the
    one that a plain `docker run IMAGE` takes (None: cannot tell).
    """

    place: Place
    kind: str
    way: int
    usual: bool | None


class TrapSet(NamedTuple):
    """A trap command as it was run: its script and node, the handler's text (None: reset), the signals as written."""

    script: Script
    node: Simple
    handler: str | None
    signals: tuple[str, ...]
    dialect: str
    pid: int


class Started(NamedTuple):
    """An `exec` or another start that rules ask about: what happened to it."""

    call: Call
    what: str
    dialect: str
    argument: str = ""
    node: Node | None = None


class Waiting(NamedTuple):
    """What a shell does at the moment of the stop signal.

    `how` is `child`, `wait`, `loop`, `pipeline`, `substitution`; `handles` whether it has a handler for the signal,
    `exit_trap` whether it has one for its exit.
    """

    pid: int
    how: str
    place: Place
    handles: bool
    exit_trap: bool


class Obstacle(NamedTuple):
    """What the model could not follow."""

    reason: str
    place: Place | None


@dataclass(frozen=True)
class Path:
    """One way through the launch."""

    decisions: tuple[Decision, ...]
    outcome: Outcome
    why: str
    tree: Process | None
    main: Process | None
    waiting: tuple[Waiting, ...] = ()
    traps: tuple[TrapSet, ...] = ()
    starts: tuple[Started, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    reaps: bool | None = None
    ended_in: Place | None = None

    @property
    def usual(self) -> bool:
        """Whether a plain `docker run IMAGE` may take it."""
        return all(decision.usual is not False for decision in self.decisions)

    def parent(self, process: Process) -> Process | None:
        """The process above one of this path."""
        if self.tree is None:
            return None
        return next((above for above in self.tree.walk() if any(child is process for child in above.children)), None)


@dataclass(frozen=True)
class Launch:
    """How one stage's container starts and stops. `paths` begins with the one that `outcome` is about.

    `by_shell` holds more than one outcome where it depends on a /bin/sh that is not known.
    """

    image: Image
    dockerfile: str
    stage: str
    entrypoint: tuple[str, ...] | str | None
    cmd: tuple[str, ...] | str | None
    stop_signal: str
    outcome: Outcome
    why: str
    reaps: bool | None
    paths: tuple[Path, ...]
    by_shell: tuple[Outcome, ...] = ()

    @property
    def tree(self) -> Process | None:
        """The processes of the path that the image's own CMD takes."""
        return self.paths[0].tree if self.paths else None

    @property
    def main(self) -> Path | None:
        """The path that the image's own CMD takes."""
        return self.paths[0] if self.paths else None
