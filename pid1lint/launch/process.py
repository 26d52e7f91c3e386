"""What a launch is found to consist of: processes, the commands that start them, and what is noted on the way."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from pid1lint.frozen import Frozen, NamedTuple
from pid1lint.shell.ir import Script, Simple, Word
from pid1lint.source import Excerpt, Place, Span

if TYPE_CHECKING:
    from pid1lint.facts.launchers import Launcher
    from pid1lint.facts.programs import Program
    from pid1lint.image.filesystem import ImageFile


class Outcome(StrEnum):
    """What becomes of the container when it is told to stop."""

    GRACEFUL = "graceful"
    ABRUPT = "abrupt"
    HANG = "hang"
    EXITS = "exits"
    FAILS = "fails"
    UNKNOWN = "unknown"

    @property
    def is_bad(self) -> bool:
        """Whether work is lost, or nothing is done: no launch ends so without a finding of some severity."""
        return self in (Outcome.HANG, Outcome.ABRUPT, Outcome.FAILS)


class Call(NamedTuple):
    """The command of a script that started a process.

    `words` counts the words before the program's own (`exec`, `command`). `last` means that its shell does nothing
    after it on this path; `loop` that it stands in a loop, `function` in a function, `condition` in the condition of
    an `if` or a loop. `anchor` is set where the command stands in no file, but in text made at run time: it is the
    command that runs that. `editable`: an edit of the script's text is one of a file that is at hand. `maybe_function`:
    the name may be that of a function, as a file was sourced that is not at hand.
    """

    script: Script
    node: Simple
    words: int = 0
    last: bool = False
    loop: bool = False
    function: bool = False
    condition: bool = False
    substitution: bool = False
    anchor: Place | None = None
    editable: bool = False
    maybe_function: bool = False

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


class Process(Frozen):
    """A program in a process of the launch, at the moment before the stop signal.

    `start` says how it came to be: `container` (PID 1's first program), `exec` (the same process, another program:
    it is then the only child of what it replaced, or the last), `child` (a foreground child), `background`,
    `pipeline`, `substitution`. `argv` holds what the user wrote where a word could not be expanded.
    `kind` is `shell`, `init`, `launcher`, `app` or `job` (something that ends by itself). `receives_stop` says
    whether the stop signal reaches it and is not lost on it; None where that cannot be told. `ignored` are the signals
    that it ignores or has inherited as ignored; `cut_off` is set for an app that is still at work when PID 1 ends, or
    when the grace period does. `group` is its process group, by the PID of that group's first process. `rests` is set
    where nobody knows whether a library of it sets the handler that its own source lacks; `serves` where that source
    shows that it answers requests or works off a queue.
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
    interpreter: str = ""
    ignored: tuple[str, ...] = ()
    cut_off: bool = False
    group: int = 1
    rests: Assumption | None = None
    serves: bool = False

    def runs(self, text: Excerpt) -> bool:
        """Whether this is a shell that runs just this text."""
        return self.kind == "shell" and self.form == "string" and self.script is not None and self.script.text is text

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
    """A trap command as it was run: its script and node, the handler's text (None: reset), the signals as written.

    `refused` are those of them that the shell does not know. `early` are the expansions, as written, that gave nothing
    when the handler's text was put together. `text` is the handler where it stands in the source as it is.
    """

    script: Script
    node: Simple
    handler: str | None
    signals: tuple[str, ...]
    dialect: str
    pid: int
    editable: bool = False
    refused: tuple[str, ...] = ()
    early: tuple[str, ...] = ()
    text: Excerpt | None = None

    @property
    def place(self) -> Place:
        """Where the command stands."""
        return self.script.place(self.node.span)

    @property
    def handler_word(self) -> Word | None:
        """The word that the handler is written as: the first behind `trap` and `--`."""
        return next((word for word in self.node.words[1:] if word.text != "--"), None)


class Handled(NamedTuple):
    """A handler that ran when the launch was told to stop.

    `ended` is `exit` where it ended its shell, `recursion` where it started itself again until the shell died, else
    empty: the shell went on.
    """

    pid: int
    signal: str
    trap: TrapSet
    ended: str


class Sent(NamedTuple):
    """A `kill` that a shell ran after the launch was told to stop.

    `signal` is empty where the shell knows no such name, `targets` the processes that were there to be signalled.
    `group`: it was sent to the shell's own process group.
    """

    pid: int
    signal: str
    targets: tuple[int, ...]
    call: Call
    group: bool = False


class Started(NamedTuple):
    """A start that did not go as its author meant, or of something that is not there any more when the signal comes.

    `what` is `assignment`, `dashes` or `option` for an `exec` that takes its first argument for a program's name,
    `interactive` for a shell that reads its standard input, which is at its end without a terminal,
    `detach` for a command that a launcher has left behind in ending, `left` for a background job that is still there
    when the container exits by itself, `mode`, `shebang`, `crlf`, `shell` (there is no /bin/sh), `interpreter`,
    `missing`, `no-command` (there is nothing for it to run), `words` or `unexpanded` (only a shell would make a program
    of its name) for a program that cannot start (`file` is the script, if there is one), `daemon` for a program that
    has put itself into the background, and
    `bashism` for a construct (`argument`) that the shell at hand (`argv`) does not know. `call` is None where the
    container starts it. An init is `init-flag` if it is given an `option` that it does not have, and `init-option` or
    `swallowed` if it takes one that stands behind the program's name (`argv[command]`) for its own, and ends of it
    or goes on.
    """

    what: str
    place: Place | None
    argument: str = ""
    call: Call | None = None
    file: ImageFile | None = None
    fact: Program | None = None
    argv: tuple[str, ...] = ()
    excerpts: tuple[Excerpt | None, ...] = ()
    option: str = ""
    command: int = 0


class Waiting(NamedTuple):
    """What a shell does at the moment of the stop signal.

    `how` is `child`, `wait`, `loop`, `pipeline`, `substitution`; `handles` whether it has a handler for the signal,
    `exit_trap` whether it has one for its exit; `traps` holds the traps that are set, by their signal.
    """

    pid: int
    how: str
    place: Place
    handles: bool
    exit_trap: bool
    traps: tuple[tuple[str, TrapSet], ...] = ()

    def trap(self, signal: str) -> TrapSet | None:
        """The trap that is set for a signal (`TERM`, `EXIT`)."""
        return next((trap for name, trap in self.traps if name == signal.removeprefix("SIG")), None)


class Obstacle(NamedTuple):
    """What the model could not follow; `pid` is set where it matters only if that process is the main one.

    `in_time`: it only matters if the app has the time to end, and is not cut off with PID 1 in any case.
    """

    reason: str
    place: Place | None
    pid: int = 0
    in_time: bool = False


class Assumption(NamedTuple):
    """What an outcome rests on that nobody knows: if it were otherwise, the outcome would be another one.

    `what` is a fragment that is true or not (`web handles SIGTERM`); `place` is what it is about.
    """

    what: str
    place: Place | None
