"""What one shell process is at a moment, as a value: variables, traps, jobs, and where in its code it stands.

Nothing of a shell is anywhere else, so that a copy of this is a copy of the shell. Collections are shared between
copies where they are tuples and frozen sets; the dictionaries are copied.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING

from pid1lint.frozen import NamedTuple
from pid1lint.launch.asked import Inherited
from pid1lint.launch.code import Code, Where, compiled
from pid1lint.launch.liveness import SOFT, live
from pid1lint.launch.process import TrapSet
from pid1lint.launch.shapes import ALL_CALLS, ALL_NAMES, NAMED, SOURCED, called
from pid1lint.launch.stack import (
    Argv,
    Frame,
    Hidden,
    Iterating,
    Job,
    Leaving,
    Looping,
    Resume,
    Stays,
    Value,
    frame_likeness,
    return_place,
)
from pid1lint.launch.values import UNKNOWN
from pid1lint.numbers import is_number
from pid1lint.shell.ir import Function, Script
from pid1lint.source import Place, Span

if TYPE_CHECKING:
    from pid1lint.facts.shells import Shell as Dialect


class Negated(int):
    """The status that `!` makes of a success: a failure to those who ask, but no command has failed."""

    __slots__ = ()


def negated(status: int | None) -> int | None:
    """What `!` makes of a status; None for one that is not known."""
    if status is None:
        return None
    return Negated(1) if status == 0 else 0


class Environment(NamedTuple):
    """What a program inherits: variables, whether its arguments come from CMD, and the user (empty: the image's)."""

    variables: Inherited
    workdir: str
    soft: str = ""
    user: str = ""


class ShellStart(NamedTuple):
    """How a shell was called.

    `form` is `string` (-c), `file` or `input` (its standard input); `name` is its $0, `options` are its letters.
    """

    form: str
    name: str
    options: str


class Defined(NamedTuple):
    """A function with the script in which it stands."""

    node: Function
    script: Script


# ------------------------------------------------------------------------ a shell

_UNTOLD = frozenset(
    "RANDOM SECONDS HOSTNAME LINENO OLDPWD EPOCHSECONDS REPLY PPID OPTIND".split(),
)
_UNSET_SOFTLY = Value(None, "environment")
_NOT_TOLD = Value(UNKNOWN)


def _is_never(name: str) -> bool:
    return False


class Elsewhere(NamedTuple):
    """What the scripts of a launch do with variables: which they read, and which they may name by strings.

    `inherited` are those that scripts read which a shell has started.
    """

    read: frozenset[str] = frozenset()
    inherited: frozenset[str] = frozenset()
    may_be_named: Callable[[str], bool] = _is_never


class Version:
    """Stands for the functions that a shell has; what these read is kept with it, and what is read from a place on."""

    __slots__ = ("read", "reads")

    def __init__(self) -> None:
        self.read: dict[frozenset[str], frozenset[str]] = {}
        self.reads: dict[object, frozenset[str]] = {}


class Shell:
    """One shell process at a moment.

    `soft` collects, since it was last cleared, whether an expanded value depends on the user's environment or
    arguments rather than on the files alone.
    """

    __slots__ = (
        "anchor",
        "arrays",
        "at",
        "calls",
        "code",
        "dialect",
        "dying",
        "env",
        "err_trap",
        "errexit",
        "exported",
        "failing",
        "feeds",
        "foreign_functions",
        "functions",
        "functions_version",
        "hidden",
        "home",
        "hooks",
        "how",
        "in_trap",
        "inherited_ignored",
        "interrupt_left",
        "is_subshell",
        "jobs",
        "killed",
        "last_job",
        "leaving",
        "members",
        "monitor",
        "name",
        "nounset",
        "pc",
        "pending",
        "pid",
        "positional",
        "positional_soft",
        "reset",
        "resume",
        "script",
        "soft",
        "sourcing",
        "stack",
        "status",
        "stays",
        "substituted",
        "tail_substitution",
        "trap_depth",
        "trap_sets",
        "trapped_first",
        "traps",
        "user_id",
        "variables",
        "waited",
        "workdir",
    )

    def __init__(  # noqa: PLR0915 - one line a field
        self,
        pid: int,
        dialect: Dialect,
        script: Script,
        code: Code,
        words: Argv,
        env: Environment,
        how: ShellStart,
        home: str,
        user_id: str,
        ignored: frozenset[str],
        anchor: Place | None,
    ) -> None:
        self.pid = pid
        self.dialect = dialect
        self.script = script
        self.code = code
        self.pc = 0
        self.stack: Frame | None = None
        self.resume: Resume | None = None
        # The status with which it is to end, before it has run its EXIT trap.
        self.leaving: int | None = None
        # As PID 1 it goes on with this after that.
        self.stays: Stays | None = None
        self.status: int | None = 0
        self.env = env
        self.how = how
        self.name = how.name
        self.workdir = env.workdir
        self.home = home
        self.user_id = user_id
        self.variables: dict[str, Value] = {}
        self.arrays: dict[str, tuple[str, ...]] = {}
        self.functions: dict[str, Defined] = {}
        # Another one whenever the functions are others.
        self.functions_version = Version()
        self.positional: Argv = words
        self.positional_soft = next((word.soft for word in words if word.soft), env.soft)
        self.exported: dict[str, str] = {}
        self.soft = ""
        self.traps: dict[str, str] = {}
        # By which command each of them was set.
        self.trap_sets: dict[str, TrapSet] = {}
        self.pending: tuple[str, ...] = ()
        # An interrupt came in while a child was in the foreground.
        self.interrupt_left = False
        # A signal has made it run its EXIT trap.
        self.killed = False
        # Signals that were trapped before bash had taken the others for its EXIT trap, and those of them reset since.
        self.trapped_first: frozenset[str] = frozenset()
        self.reset: frozenset[str] = frozenset()
        self.inherited_ignored = ignored
        self.jobs: tuple[Job, ...] = ()
        self.last_job = ""
        # The processes of the job or pipeline that is being started.
        self.members: tuple[int, ...] = ()
        # Jobs whose end `wait` has told of.
        self.waited: frozenset[int] = frozenset()
        self.errexit = "e" in how.options
        self.monitor = False
        self.nounset = "u" in how.options
        self.is_subshell = False
        # The status with which a signal of its own ends it.
        self.dying: int | None = None
        self.at = script.body.span
        self.calls = 0
        # What variables of the present function's own hide.
        self.hidden: tuple[Hidden, ...] = ()
        self.in_trap = False
        self.trap_depth = 0
        self.err_trap = False
        # Its ERR trap runs.
        self.failing = False
        self.sourcing = 0
        # A file was sourced that is not at hand and may define functions.
        self.foreign_functions = False
        # Variables that run over files of which the image says nothing: what users may add to be run.
        self.hooks: frozenset[str] = frozenset()
        self.feeds = False
        self.tail_substitution = False
        # The substitutions of the command at hand that have been run.
        self.substituted: tuple[object, ...] = ()
        # Text that stands in no file (a string made at run time) is pointed at by what runs it.
        self.anchor = anchor

    def copy(self) -> Shell:
        """Another shell that is at the same place."""
        new = Shell.__new__(Shell)
        for name in _PLAIN:
            setattr(new, name, getattr(self, name))
        new.variables = self.variables.copy()
        new.arrays = self.arrays.copy()
        new.exported = self.exported.copy()
        new.functions = self.functions.copy()
        new.traps = self.traps.copy()
        new.trap_sets = self.trap_sets.copy()
        return new

    def subshell(self, code: Code, ignored: frozenset[str]) -> Shell:
        """A subshell: the same state, in another process, about to run something."""
        new = self.copy()
        new.code, new.pc, new.stack, new.resume, new.leaving, new.stays = code, 0, None, None, None, None
        new.jobs, new.members, new.waited, new.pending = (), (), frozenset(), ()
        new.traps = {}
        new.trapped_first = new.reset = frozenset()
        new.inherited_ignored = ignored
        new.is_subshell = True
        new.interrupt_left = new.killed = new.failing = new.monitor = new.err_trap = new.feeds = (
            new.tail_substitution
        ) = False
        new.dying = None
        new.trap_depth = new.sourcing = 0
        new.hooks = frozenset()
        new.foreign_functions = False
        new.substituted = ()
        new.soft = ""
        return new

    # -------------------------------------------------------------- variables

    def define(self, name: str, defined: Defined | None) -> None:
        """Set a function, or take it away."""
        if defined is None:
            self.functions.pop(name, None)
        else:
            self.functions[name] = defined
        self.functions_version = Version()

    def known(self) -> object:
        """What it knows, to be compared with what it knew before."""
        return (self.positional, frozenset(self.variables.items()), frozenset(self.arrays.items()))

    def hide(self, name: str, *, keeps: bool) -> None:
        """Give the present function a variable of its own, as `local` does.

        `keeps`: it begins with the value that the name has: in dash and Busybox, but not in bash.
        """
        if not self.calls or any(hidden.name == name for hidden in self.hidden):
            return
        self.hidden = (*self.hidden, Hidden(name, self.variables.get(name), self.arrays.get(name)))
        if not keeps:
            self.variables.pop(name, None)
            self.arrays.pop(name, None)

    def reveal(self, before: tuple[Hidden, ...]) -> None:
        """Take the present function's own variables away; `before` is what its caller's hide."""
        for name, value, array in self.hidden:
            self.variables.pop(name, None)
            self.arrays.pop(name, None)
            if value is not None:
                self.variables[name] = value
            if array is not None:
                self.arrays[name] = array
        self.hidden = before

    def assign(self, name: str, text: str, soft: str = "") -> None:
        """Set a variable."""
        self.variables[name] = Value(text, soft)

    def lookup(self, name: str) -> Value:
        """A variable or a special parameter."""
        found = self.variables.get(name)
        if found is not None:
            return found
        special = self._special(name)
        if special is not None:
            return special
        inherited = self.env.variables.get(name)
        if inherited is not None:
            return Value(inherited, "environment")
        fixed = {"HOME": self.home, "PWD": self.workdir, "IFS": " \t\n", "UID": self.user_id, "EUID": self.user_id}
        if name in fixed:
            return Value(fixed[name])
        if name in _UNTOLD:
            return _NOT_TOLD
        if name in ("BASH_SOURCE", "BASH"):
            return Value(self.name)
        return _UNSET_SOFTLY

    def _special(self, name: str) -> Value | None:
        if is_number(name):
            index = int(name) if len(name) < 6 else len(self.positional) + 1
            if index == 0:
                return Value(self.name)
            text = self.positional[index - 1].value if index <= len(self.positional) else None
            return Value(text, self.positional_soft)
        match name:
            case "#":
                return Value(str(len(self.positional)), self.positional_soft)
            case "@" | "*":
                return Value(" ".join(word.value for word in self.positional), self.positional_soft)
            case "$" | "BASHPID":
                return Value(str(self.pid))
            case "!":
                return Value(self.last_job)
            case "?":
                return Value(UNKNOWN if self.status is None else str(self.status))
            case "-":
                return Value("hB")
        return None

    def touch(self, soft: str) -> None:
        """Note that an expanded value is a soft one."""
        if soft and self.soft != "arguments":
            self.soft = soft

    # ------------------------------------------------------------------ places

    def place(self, span: Span) -> Place:
        """Where something of the present script stands; for text made at run time, the command that runs it."""
        return self.anchor if self.anchor is not None else self.script.place(span)

    def loop_names(self) -> set[str]:
        """The variables of the `for` loops that go round."""
        return {frame.name for frame in self.frames() if isinstance(frame, Iterating)}

    @property
    def depth(self) -> int:
        """How many frames its stack has."""
        return sum(1 for _ in self.frames())

    def living_jobs(self, alive: Iterable[int]) -> tuple[Job, ...]:
        """Its background jobs of which a process lives: of all that there were they may be few."""
        jobs = self.jobs
        found: dict[int, Job] = {}
        for pid in alive if jobs else ():
            at = bisect_left(jobs, pid, key=attrgetter("pid"))
            if at < len(jobs) and pid in jobs[at].pids:
                found[at] = jobs[at]
        return tuple(found.values())

    @property
    def in_exit_trap(self) -> bool:
        """Whether the handler for its exit is being run."""
        return any(isinstance(frame, Leaving) for frame in self.frames())

    # ------------------------------------------------------------------- likeness

    def reads(self) -> frozenset[str]:
        """The variables that it may read before it writes them, and the functions that it may call, from here on."""
        places = tuple(map(return_place, self.frames()))
        key = (self.code, self.pc, places, tuple(self.traps.values()))
        kept = self.functions_version.reads
        found = kept.get(key)
        if found is None:
            found = kept[key] = self._reads()
        return found

    def _reads(self) -> frozenset[str]:
        code, at, frame = self.code, self.pc, self.stack
        read, written = live(code, at)
        names = set(read)
        while frame is not None:
            if isinstance(frame, (Looping, Iterating)):
                if frame.code is not code:
                    names |= live(frame.code, frame.again).read
            elif not isinstance(frame, Leaving):
                code, at = frame.code, frame.pc
                more = live(code, at)
                names |= more.read - written
                written |= more.written
            frame = frame.below
        for handler in self.traps.values():
            words = _WORD.findall(handler)
            names.update(words, map(called, words))
        return self._with_functions(frozenset(names))

    def _with_functions(self, names: frozenset[str]) -> frozenset[str]:
        """What may be read, with what the functions read that may be called."""
        kept = self.functions_version.read
        found = kept.get(names)
        if found is None:
            found = names
            done: set[str] = set()
            while todo := self._called_in(found) - done:
                done |= todo
                bodies = (compiled(self.functions[name].node.body, Where(False)) for name in todo)
                found = found.union(*(live(body, 0).read for body in bodies))
            kept[names] = found
        return found

    def _called_in(self, names: frozenset[str]) -> set[str]:
        """The functions that are called by one of some names."""
        if ALL_CALLS in names:
            return set(self.functions)
        return {name for name in self.functions if called(name) in names}

    def likeness(self, names: frozenset[str], elsewhere: Elsewhere) -> tuple[object, ...]:
        """What two shells have in common that go on alike.

        Only variables that may be read, the `names`, count, and exported ones that other scripts may read.
        """
        variables, arrays = self.variables, self.arrays
        if SOURCED in names:
            names |= elsewhere.read
        if ALL_NAMES not in names:
            named = elsewhere.may_be_named if NAMED in names else names.__contains__
            variables = {name: value for name, value in variables.items() if name in names or named(name)}
            arrays = {name: value for name, value in arrays.items() if name in names or named(name)}
        return (
            self.code,
            self.pc,
            tuple(map(frame_likeness, self.frames())),
            self.resume,
            self.status,
            self.leaving,
            frozenset(variables.items()),
            frozenset(arrays.items()),
            frozenset((name, text) for name, text in self.exported.items() if name in elsewhere.inherited),
            frozenset((name, id(defined.node)) for name, defined in self.functions.items()),
            self.positional,
            self.positional_soft,
            self.hidden,
            frozenset((name, text, self.trap_sets[name].node.span) for name, text in self.traps.items()),
            self.env.workdir,
            self.env.user,
            self.jobs,
            self.last_job,
            self.members,
            self.waited,
            self.pending,
            (self.errexit, self.monitor, self.nounset, self.err_trap, self.in_trap, self.foreign_functions),
            self.soft if SOFT in live(self.code, self.pc).read else "",
            (self.dying, self.sourcing, self.trap_depth, self.calls, self.interrupt_left, self.killed, self.failing),
            self.trapped_first,
            self.reset,
            self.hooks,
        )

    def frames(self) -> Iterator[Frame]:
        """The stack, the top first."""
        frame = self.stack
        while frame is not None:
            yield frame
            frame = frame.below


_WORD = re.compile(r"\w+")
_CONTAINERS = frozenset(("variables", "arrays", "exported", "functions", "traps", "trap_sets"))
_PLAIN = tuple(name for name in Shell.__slots__ if name not in _CONTAINERS)


def is_asked_for(shell: Shell, soft: str) -> bool:
    """Whether what is usual of a choice is what arguments say that the image itself gives, `CMD ["help"]`."""
    return soft == "arguments" and bool(shell.positional)
