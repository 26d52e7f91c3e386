"""A PID namespace in miniature, as a value: processes, groups, dispositions, signals and a clock.

A world is one launch at a moment, with all that is to be known of how it came there. A copy is cheap: processes are
shared between copies until one of them writes to one (`own`). The rules of the kernel stand here and nowhere else:
PID 1 ignores what it has no handler for, the namespace ends with PID 1, orphans go to PID 1, caught signals are reset
by exec and ignored ones are inherited.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pid1lint.frozen import NamedTuple
from pid1lint.launch.catch import catch
from pid1lint.launch.code import Code
from pid1lint.launch.process import (
    Assumption,
    Call,
    Handled,
    Obstacle,
    Outcome,
    Sent,
    Started,
    TrapSet,
    Waiting,
)
from pid1lint.launch.signals import HARMLESS, SIGNALS
from pid1lint.launch.stack import Block
from pid1lint.launch.state import Shell
from pid1lint.source import Place

if TYPE_CHECKING:
    from pid1lint.facts.launchers import Launcher
    from pid1lint.facts.programs import Program
    from pid1lint.image.filesystem import ImageFile
    from pid1lint.shell.ir import Script

CLEANUP_SECONDS = 0.3
SWITCH_SECONDS = 2.0


class Stage:
    """One program that a process has been, from its start or an exec to the next exec.

    `began`: how many processes there were when it did. Nobody changes one that has been started.
    """

    __slots__ = (
        "arguments",
        "argv",
        "assumed",
        "began",
        "call",
        "dialect",
        "fact",
        "file",
        "form",
        "interpreter",
        "kind",
        "launcher",
        "place",
        "program",
        "reaction",
        "rests",
        "script",
        "serves",
        "start",
    )

    def __init__(
        self,
        argv: tuple[str, ...],
        program: str,
        start: str,
        place: Place | None,
        kind: str = "app",
        call: Call | None = None,
        arguments: tuple[str, ...] = (),
        began: int = 0,
    ) -> None:
        self.argv = argv
        self.program = program
        self.start = start
        self.place = place
        self.kind = kind
        self.call = call
        self.arguments = arguments
        self.began = began
        self.script: Script | None = None
        self.file: ImageFile | None = None
        self.form = ""
        self.dialect = ""
        self.fact: Program | None = None
        self.launcher: Launcher | None = None
        self.reaction = ""
        self.assumed = False
        # What it rests on that the reaction is this one: libraries of which nothing is known.
        self.rests: Assumption | None = None
        # Its source shows that it answers requests, or works off a queue.
        self.serves = False
        self.interpreter = ""

    @property
    def likeness(self) -> tuple[object, ...]:
        """What two programs that were started alike have in common."""
        return (self.argv, self.start, self.place, self.kind, self.form)


class Reaction(NamedTuple):
    """What a program does on a signal: `handles`, `drops`, `default`, `survives` or `abandons`.

    `signals` says it; of others it does `otherwise`. `kept` are those that it leaves ignored, as it has found them.
    """

    signals: tuple[tuple[str, str], ...] = ()
    otherwise: str = "default"
    kept: frozenset[str] = frozenset()

    def to(self, name: str) -> str:
        """What it does on a signal by its name without SIG."""
        if name in self.kept:
            return "default"
        return next((reaction for signal, reaction in self.signals if signal == name), self.otherwise)


DEFAULT = Reaction()
HANDLES = Reaction(otherwise="handles")


class Proc:
    """A process; `stages` holds the programs that it has been, the present one last."""

    __slots__ = (
        "alive",
        "background",
        "block",
        "brief",
        "child",
        "daemon",
        "done",
        "ends_at",
        "fed",
        "group",
        "helper",
        "ignored",
        "interrupted",
        "kills_at",
        "left",
        "long",
        "lost",
        "owner",
        "parent",
        "parent_at_stop",
        "passes",
        "pid",
        "reaction",
        "reads_from",
        "shell",
        "stages",
        "status",
        "stdin",
        "thread",
        "told",
    )

    def __init__(self, pid: int, parent: int, group: int, thread: int, owner: object) -> None:
        self.pid = pid
        self.parent = parent
        self.group = group
        # The line of execution that it is a part of: 0 is the container's own, each background job has another.
        self.thread = thread
        self.owner = owner
        self.stages: tuple[Stage, ...] = ()
        self.shell: Shell | None = None
        self.block: Block | None = None
        self.ignored: frozenset[str] = frozenset()
        self.reaction: Reaction | None = None
        # How it passes signals on to its child (`child`, its `group`, all `beside` it; `switch` kills it soon after,
        # `leave` does not wait for it; empty: it does not), and the child with which it ends.
        self.passes = ""
        self.child = 0
        self.alive = True
        self.status = 0
        self.interrupted = False
        self.told = False
        self.done = False
        self.lost = False
        self.ends_at: float | None = None
        self.kills_at: float | None = None
        self.long = False
        self.helper = False
        # A background job, or what leads one.
        self.background = False
        # It has put itself into the background.
        self.daemon = False
        # It writes to what ends when it has seen enough, such as `grep -q`.
        self.brief = False
        # Its input is a here-document: a filter ends with it.
        self.fed = False
        # What it reads from its standard input, where that is known.
        self.stdin: str | None = None
        # The status with which its shell began to end, where an EXIT trap ran then and may have ended with another.
        self.left: int | None = None
        self.reads_from: tuple[int, ...] = ()
        self.parent_at_stop = 0

    @property
    def stage(self) -> Stage:
        """The program it is now."""
        return self.stages[-1]

    def reaction_to(self, name: str) -> str:
        """What its program does on a signal."""
        return self.reaction.to(name) if self.reaction is not None else "default"

    def copy(self, owner: object) -> Proc:
        """The same process, for another world to write to."""
        new = Proc.__new__(Proc)
        for name in Proc.__slots__:
            setattr(new, name, getattr(self, name))
        new.owner = owner
        if self.shell is not None:
            new.shell = self.shell.copy()
        return new


class Point(NamedTuple):
    """Where a line of execution may stay: at a program (`pid`), or at a command of a shell.

    `how` is `app`, `forever` (it never returns), `exec` (nothing comes after it), `wait` or `loop`. `guess`: nothing
    is known of the program, which stays only if it comes last.
    """

    thread: int
    how: str
    guess: bool = False
    place: Place | None = None
    pid: int = 0


class Candidate(NamedTuple):
    """A point that was met, and the world as it was then, to go back to.

    `started` and `jobs` count the programs and the jobs of its line of execution before it. `world` is None where
    nobody would come back. `run` and `forks` say in which run it was met, and after how many forks of it.
    """

    point: Point
    started: int
    jobs: int
    world: World | None
    run: int
    forks: int


class Choice(NamedTuple):
    """A branch that was taken where several were possible."""

    options: int
    way: int
    usual: int | None
    kind: str
    place: Place
    # The arguments at hand, and the fields of the loops around.
    given: object = None
    # Where it may be met again: in a function of this name, or in a loop of the process `pid`, which has this depth of
    # its stack.
    function: str = ""
    pid: int = 0
    depth: int = 0
    # The way that the image's own arguments ask for and that does nothing but end PID 1's script.
    ends: int | None = None

    @property
    def astray(self) -> bool:
        """Whether a plain `docker run IMAGE` takes another."""
        return self.usual is not None and self.way != self.usual


class Turn(NamedTuple):
    """The scheduler's state: processes from `first` up to `limit` have their turn, `at` is the next, `running` has it.

    Turns stand upon each other: a shell that starts a job lets it run up to where it waits. `progress`: somebody has
    run since the round began.
    """

    first: int
    at: int
    limit: int
    progress: bool = False
    running: int = 0


class World:
    """One launch at a moment."""

    __slots__ = (
        "alive",
        "answer",
        "as_pid1",
        "at_stop",
        "candidates",
        "choices",
        "clock",
        "ended_in",
        "exact",
        "exec_failed",
        "failure",
        "fifos",
        "guessed",
        "handled",
        "job_counts",
        "live",
        "met",
        "next_thread",
        "obstacles",
        "overdue",
        "owed",
        "owner",
        "point",
        "polls",
        "procs",
        "sent",
        "settled",
        "started",
        "starts",
        "steps",
        "stop_signal",
        "stopped",
        "traps",
        "turns",
        "waiting",
    )

    def __init__(self, stop_signal: str) -> None:
        self.owner = object()
        self.stop_signal = stop_signal
        # Whether its first process is PID 1: not where the PID namespace is another's.
        self.as_pid1 = True
        self.procs: dict[int, Proc] = {}
        # Those that have not ended, in order: of all that there were they may be few.
        self.alive: dict[int, None] = {}
        self.clock = 0.0
        self.stopped = False
        # How often processes have had their turn.
        self.steps = 0
        self.turns: tuple[Turn, ...] = ()
        self.choices: tuple[Choice, ...] = ()
        # The joins that are still to come behind choices: what runs, how deep its stack is, and where in its code.
        self.owed: frozenset[tuple[int, int, Code, int]] = frozenset()
        # Only a world that has passed the same places to stay is its like.
        self.exact = False
        # One of them was jumped over: by `return`, or by the end of its process.
        self.overdue = False
        # Lines of execution: where they may have stayed, and those of which it is decided.
        self.candidates: dict[int, tuple[Candidate, ...]] = {}
        self.settled: frozenset[int] = frozenset()
        self.point: Point | None = None
        self.answer = False
        self.guessed: frozenset[Place] = frozenset()
        # How many points each has met, programs started and jobs begun.
        self.met: dict[int, int] = {}
        self.started: dict[int, int] = {}
        self.job_counts: dict[int, int] = {}
        self.next_thread = 0
        # Lines of execution that go round in a loop in which the launch stays.
        self.live: frozenset[int] = frozenset()
        self.at_stop: tuple[int, ...] = ()
        # What is noted on the way.
        self.traps: tuple[TrapSet, ...] = ()
        self.starts: tuple[Started, ...] = ()
        self.obstacles: tuple[Obstacle, ...] = ()
        self.waiting: tuple[Waiting, ...] = ()
        self.handled: tuple[Handled, ...] = ()
        self.sent: tuple[Sent, ...] = ()
        self.failure: tuple[str, Place | None] | None = None
        self.exec_failed: tuple[str, Place | None] | None = None
        self.ended_in: Place | None = None
        self.fifos: frozenset[str] = frozenset()
        # Loops that were passed, of which it is not known when they end.
        self.polls: tuple[Place, ...] = ()

    def copy(self) -> World:
        """The same world, to go on from in another way; what both hold is shared until one of them writes to it."""
        new = World.__new__(World)
        for name in World.__slots__:
            setattr(new, name, getattr(self, name))
        new.procs = self.procs.copy()
        new.alive = self.alive.copy()
        new.candidates = self.candidates.copy()
        new.met = self.met.copy()
        new.started = self.started.copy()
        new.job_counts = self.job_counts.copy()
        new.owner, self.owner = object(), object()
        return new

    def settle(self, thread: int) -> None:
        """It is decided where a line of execution stays: where else it may have stayed is of no more use."""
        self.settled |= {thread}
        self.candidates.pop(thread, None)

    def own(self, pid: int) -> Proc:
        """A process to write to."""
        proc = self.procs[pid]
        if proc.owner is not self.owner:
            proc = self.procs[pid] = proc.copy(self.owner)
        return proc

    # ------------------------------------------------------------- processes

    def spawn(self, parent: Proc | None, *, thread: int | None = None) -> Proc:
        """A new process, with its parent's group and ignored signals; the caller gives it a program."""
        pid = len(self.procs) + 1
        if parent is None:
            proc = Proc(pid, 0, 1, 0, self.owner)
        else:
            proc = Proc(pid, parent.pid, parent.group, parent.thread if thread is None else thread, self.owner)
            proc.ignored = parent.ignored
            proc.brief = parent.brief
        self.procs[pid] = proc
        self.alive[pid] = None
        return proc

    def unspawn(self, proc: Proc) -> None:
        """Take back the last process, which was not needed after all."""
        del self.procs[proc.pid], self.alive[proc.pid]

    def new_thread(self, parent: Proc) -> int:
        """A number for a line of execution of its own: a background job of `parent`."""
        self.next_thread += 1
        self.job_counts[parent.thread] = self.job_counts.get(parent.thread, 0) + 1
        return self.next_thread

    def living(self) -> list[Proc]:
        """The processes that have not ended."""
        return [self.procs[pid] for pid in self.alive]

    def any_lives(self, pids: Iterable[int]) -> bool:
        """Whether one of these processes has not ended."""
        return not self.alive.keys().isdisjoint(pids)

    def children(self, pid: int) -> list[Proc]:
        """The living children of a process."""
        return [proc for proc in self.living() if proc.parent == pid]

    def end(self, pid: int, status: int) -> None:
        """A process ends; its children become PID 1's."""
        if not self.procs[pid].alive:
            return
        proc = self.own(pid)
        proc.alive = False
        del self.alive[pid]
        proc.status = status
        proc.ends_at = None
        proc.shell = None
        self.pass_joins(pid, -1)
        for child in self.children(pid):
            self.own(child.pid).parent = 1
        for reader in self.living():
            if reader.reads_from and reader.pid in self.alive and not self.is_fed(reader):
                self.end(reader.pid, 0)
        parent = self.procs.get(proc.parent)
        if parent is not None and parent.alive and parent.child == pid:
            self._end_of_child(self.own(parent.pid), proc, status)

    def _end_of_child(self, parent: Proc, child: Proc, status: int) -> None:
        """A launcher ends with its command, unless it repeats it: then it waits for the next time."""
        parent.left = child.left
        if parent.stage.launcher is None or not parent.stage.launcher.repeats or self.stopped:
            self.end(parent.pid, status)
            return
        parent.child = 0
        parent.long = parent.helper = True
        self.failure = self.exec_failed = None

    def pass_joins(self, pid: int, depth: int) -> None:
        """The joins deeper in a process's stack than this will not come any more."""
        if self.owed:
            left = frozenset(join for join in self.owed if join[0] != pid or join[1] <= depth)
            if len(left) < len(self.owed):
                self.owed, self.overdue = left, True

    def end_below(self, pid: int) -> None:
        """End a process and all below it."""
        for child in self.children(pid):
            self.end_below(child.pid)
        self.end(pid, 0)

    def is_fed(self, reader: Proc) -> bool:
        """Whether one of those that a process reads from is alive."""
        return self.any_lives(reader.reads_from)

    def is_running(self, pid: int) -> bool:
        """Whether a process has its turn, or lets others start just now."""
        return any(turn.running == pid for turn in self.turns)

    # --------------------------------------------------------------- signals

    def signal(self, pid: int, name: str, *, from_outside: bool = False, with_group: bool = False) -> None:
        """Send a signal to one process; `with_group`: to all of its process group, its own children among them."""
        if not self.procs[pid].alive:
            return
        proc = self.own(pid)
        if self.stopped and name != "CONT":
            proc.told = True
        if name in ("KILL", "STOP"):
            if pid == 1 and not from_outside:
                return
            if name == "KILL":
                # Whatever it had begun to clean up.
                proc.done = False
                self.end(pid, 137)
            return
        if name in proc.ignored and not proc.passes and proc.reaction_to(name) == "default":
            # A program with a handler of its own installs it whatever it has inherited.
            proc.lost = True
            return
        if proc.shell is not None and catch(proc, proc.shell, name, running=self.is_running(pid)):
            return
        if proc.passes:
            self._pass_on(proc, name)
            return
        reaction = proc.reaction_to(name)
        if with_group and reaction == "handles" and proc.stages and proc.stage.fact is not None:
            # A pool's workers get it as well, and may end of it under their master's hands.
            reaction = proc.stage.fact.in_group or reaction
        if reaction == "survives":
            proc.lost = True
        elif reaction == "abandons":
            # What it supervises is left behind, and so cut off.
            self.end(pid, 0)
        elif reaction in ("handles", "drops"):
            # What drops its work ends as soon, and has not done what it was there for.
            proc.done = reaction == "handles"
            if proc.ends_at is None or proc.ends_at > self.clock + CLEANUP_SECONDS:
                proc.ends_at = self.clock + CLEANUP_SECONDS
        elif name in HARMLESS or (pid == 1 and self.as_pid1):
            proc.lost = True
        else:
            self.end(pid, 128 + SIGNALS.get(name, 15))

    def _pass_on(self, proc: Proc, name: str) -> None:
        """What a launcher that stays does with a signal."""
        match proc.passes:
            case "beside":
                for other in [p.pid for p in self.living() if p.group == proc.group and p.pid != proc.pid]:
                    self.signal(other, name)
            case "group":
                self.signal_group(self.procs[proc.child].group, name)
            case _:
                self.signal(proc.child, name)
        if proc.passes == "switch":
            self.own(proc.pid).kills_at = self.clock + SWITCH_SECONDS
        elif proc.passes == "leave":
            self.end(proc.pid, 143)

    def signal_group(self, group: int, name: str) -> None:
        """Send a signal to every process of a group."""
        for pid in [proc.pid for proc in self.living() if proc.group == group]:
            self.signal(pid, name, with_group=True)

    # ------------------------------------------------------------------ notes

    def hinder(self, reason: str, place: Place | None, pid: int = 0, *, in_time: bool = False) -> None:
        """Note what cannot be followed; see `Obstacle`."""
        self.obstacles = (*self.obstacles, Obstacle(reason, place, pid, in_time))

    def note(self, start: Started) -> None:
        """Note a start that did not go as its author meant."""
        self.starts = (*self.starts, start)

    @property
    def other_arguments(self) -> bool:
        """Whether the path so far is one that only arguments given to `docker run` take."""
        return any(choice.kind == "arguments" and choice.astray for choice in self.choices)

    @property
    def strays(self) -> int:
        """How many of its choices a plain `docker run IMAGE` takes otherwise."""
        return sum(choice.astray for choice in self.choices)

    # ------------------------------------------------------------- the stop, time

    def stop(self) -> None:
        """What `docker stop` does: the stop signal to PID 1."""
        living = self.living()
        self.at_stop = tuple(proc.pid for proc in living)
        for proc in living:
            self.own(proc.pid).parent_at_stop = proc.parent
            shell, block = proc.shell, proc.block
            if shell is None or block is None or block.place is None or proc.stage.kind != "shell":
                continue
            traps = tuple((name, trap) for name, trap in shell.trap_sets.items() if name in shell.traps)
            handles, exits = self.stop_signal in shell.traps, "EXIT" in shell.traps
            self.waiting = (*self.waiting, Waiting(proc.pid, block.how, block.place, handles, exits, traps))
        self.stopped = True
        self.signal(1, self.stop_signal, from_outside=True)

    def next_moment(self) -> float | None:
        """When something happens by itself the next time."""
        moments = [
            moment
            for proc in self.living()
            for moment in (proc.ends_at, proc.kills_at, proc.block.until if proc.block else None)
            if moment is not None and moment > self.clock
        ]
        return min(moments, default=None)

    def pass_time(self, until: float) -> None:
        """The clock moves on: who has finished ends, and who is to be killed is."""
        self.clock = until
        for proc in self.living():
            now = self.procs[proc.pid]
            if now.alive and now.ends_at is not None and now.ends_at <= until:
                self.end(now.pid, 0)
            elif now.alive and now.kills_at is not None and now.kills_at <= until:
                self.own(now.pid).kills_at = None
                for child in self.children(now.pid):
                    self.signal(child.pid, "KILL")

    # ----------------------------------------------------------------- result

    def outcome(self) -> tuple[Outcome, str]:
        """What the run came to, and why in a few words."""
        one = self.procs[1]
        if self.failure is not None:
            return Outcome.FAILS, self.failure[0]
        if self.exec_failed is not None and not self.stopped:
            return Outcome.FAILS, self.exec_failed[0]
        if not self.stopped:
            return (Outcome.EXITS, "the container ends by itself") if not one.alive else (Outcome.UNKNOWN, "it goes on")
        if one.alive:
            return Outcome.HANG, ""
        living = [proc for proc in map(self.procs.__getitem__, self.at_stop) if proc.long]
        # Helpers count where there is nothing else and their own children are at stake: a cron by itself.
        apps = [proc for proc in living if not proc.helper] or [
            proc for proc in living if proc.stage.fact is not None and proc.stage.fact.spawns
        ]
        if all(proc.done and not proc.alive for proc in apps):
            return Outcome.GRACEFUL, ""
        return Outcome.ABRUPT, ""
