"""What a shell comes back to, and what it waits for: the frames of its stack, and how it goes on.

The stack is a chain of frames, the top one first, shared between copies.
"""

from __future__ import annotations

from typing import TypeAlias

from pid1lint.frozen import NamedTuple
from pid1lint.launch.code import Code
from pid1lint.shell.ir import Loop, Script
from pid1lint.source import Excerpt, Place, Span


class Argument(NamedTuple):
    """A word of an argv: its value, as far as it is known, how it is written, and where.

    `soft` says what may change it at `docker run`: `environment`, `arguments`, or nothing.
    """

    value: str
    text: str
    excerpt: Excerpt | None = None
    soft: str = ""


Argv: TypeAlias = tuple[Argument, ...]


def arguments(words: tuple[str, ...] | list[str]) -> Argv:
    """Plain strings as an argv."""
    return tuple(Argument(word, word) for word in words)


class Value(NamedTuple):
    """A variable: its text (None: unset), and what may change it at `docker run`: `environment` or `arguments`."""

    text: str | None
    soft: str = ""


class Job(NamedTuple):
    """A background job: its processes, of which `$!` names the last, and the number by which `%1` means it."""

    pids: tuple[int, ...]
    number: int = 1

    @property
    def pid(self) -> int:
        """What `$!` holds."""
        return self.pids[-1]


class Hidden(NamedTuple):
    """What a name meant before a function had a variable of its own by it; None where it meant nothing."""

    name: str
    value: Value | None
    array: tuple[str, ...] | None


class Called(NamedTuple):
    """A function is being run; `hidden` is what comes back when its own variables go."""

    below: Frame | None
    code: Code
    pc: int
    name: str
    script: Script
    words: Argv
    soft: str
    hidden: tuple[Hidden, ...]


class Sourced(NamedTuple):
    """A file is being read in; `words` is None where it has the arguments of its reader."""

    below: Frame | None
    code: Code
    pc: int
    script: Script
    anchor: Place | None
    words: Argv | None
    soft: str


class Evaluated(NamedTuple):
    """A string is being run by `eval`."""

    below: Frame | None
    code: Code
    pc: int
    script: Script
    anchor: Place | None


class Handling(NamedTuple):
    """A handler is being run; then the shell goes on with what it was at. `ran` is its number among those that ran."""

    below: Frame | None
    code: Code
    pc: int
    resume: Resume | None
    status: int | None
    in_trap: bool
    script: Script
    anchor: Place | None
    ran: int | None


class Leaving(NamedTuple):
    """The handler for the shell's exit is being run; then it ends, with this status unless that says another.

    `stays`: as PID 1 it goes on with what it was at, which is `resume`, waiting for `block`.
    """

    below: Frame | None
    status: int
    stays: Stays | None = None


class Stays(NamedTuple):
    """What a shell goes on with that was to end, and cannot."""

    below: Frame | None
    code: Code
    pc: int
    resume: Resume | None
    block: Block


class Looping(NamedTuple):
    """A loop: where a round begins and where it ends, the rounds so far, and the status of the last one.

    `points`: how many places to stay had been met when it began. `live`: its rounds take time. `knew`: what the shell
    knew at the end of the last round.
    """

    below: Frame | None
    code: Code
    again: int
    end: int
    status: int | None
    rounds: int
    points: int
    live: bool
    knew: object


class Iterating(NamedTuple):
    """A `for` loop, with the fields that are left."""

    below: Frame | None
    code: Code
    again: int
    end: int
    status: int | None
    name: str
    fields: tuple[str, ...]
    at: int
    soft: str


class Inside(NamedTuple):
    """A subshell that the shell itself has become; its traps come back."""

    below: Frame | None
    code: Code
    pc: int
    traps: tuple[tuple[str, str], ...]


Frame: TypeAlias = Called | Sourced | Evaluated | Handling | Leaving | Looping | Iterating | Inside


# ---------------------------------------------------------------- what it waits for


class Block(NamedTuple):
    """What a process waits for: all (or, with `any_one`, one) of `pids` to end, or a time.

    `how` is `child`, `pipeline`, `substitution`, `wait`, `loop` or `read`. `interruptible`: a caught signal ends the
    wait, as it does the `wait` builtin's.
    """

    how: str
    pids: tuple[int, ...] = ()
    any_one: bool = False
    interruptible: bool = False
    until: float | None = None
    place: Place | None = None


class ChildStarted(NamedTuple):
    """A child in the foreground has been started."""

    pid: int
    argv: Argv
    span: Span
    conditional: bool


class ChildEnded(NamedTuple):
    """It was waited for a child in the foreground."""

    pid: int


class PipelineEnded(NamedTuple):
    """It was waited for a pipeline."""

    pids: tuple[int, ...]
    conditional: bool
    negated: bool


class Substituting(NamedTuple):
    """The command of a substitution has been started."""

    pid: int
    span: Span


class Backgrounded(NamedTuple):
    """A command was sent to the background, as its shell does not know `&>`."""


class Paused(NamedTuple):
    """It was waited, for nothing that has a status."""


class WaitMet(NamedTuple):
    """`wait` may be where the launch stays."""

    jobs: tuple[Job, ...]
    any_one: bool
    named: bool
    span: Span


class WaitEnded(NamedTuple):
    """`wait` has waited, unless a signal came in."""

    jobs: tuple[Job, ...]
    any_one: bool
    named: bool
    interrupted: bool = False


class FgMet(NamedTuple):
    """`fg` may be where the launch stays."""

    jobs: tuple[Job, ...]
    pids: tuple[int, ...]
    span: Span


class LoopMet(NamedTuple):
    """A loop may be where the launch stays."""

    node: Loop
    again: int


class Done(NamedTuple):
    """It was waited; the command's status is known."""

    status: int | None


class Failed(NamedTuple):
    """The ERR trap of a command that has failed with this status has run."""

    status: int


Resume: TypeAlias = (
    ChildStarted
    | ChildEnded
    | PipelineEnded
    | Substituting
    | Backgrounded
    | Paused
    | WaitMet
    | WaitEnded
    | FgMet
    | LoopMet
    | Done
    | Failed
)


def return_place(frame: Frame) -> tuple[object, ...]:
    """Where a shell goes on that comes back to a frame."""
    if isinstance(frame, Leaving):
        return ()
    if isinstance(frame, (Looping, Iterating)):
        return (frame.code, frame.again, "round")
    return (frame.code, frame.pc)


def frame_likeness(frame: Frame) -> tuple[object, ...]:
    """What two frames have in common that a shell comes back to alike."""
    match frame:
        case Called():
            return (frame.code, frame.pc, frame.name, frame.words, frame.soft, frame.hidden)
        case Sourced():
            return (frame.code, frame.pc, frame.anchor, frame.words)
        case Evaluated():
            return (frame.code, frame.pc, frame.anchor)
        case Handling():
            return (frame.code, frame.pc, frame.resume, frame.status, frame.in_trap, frame.anchor)
        case Leaving():
            return (frame.status,)
        case Inside():
            return (frame.code, frame.pc, frame.traps)
        case Looping() | Iterating():
            return frame[1:]
