"""A PID namespace in miniature: processes, groups, dispositions, signals and a clock.

The interpreter of scripts runs in it as generators that yield what they wait for. One world is one path through the
launch: it runs until all wait, is then told to stop as `docker stop` does, and runs on until PID 1 ends or the grace
period does. The rules of the kernel stand here and nowhere else: PID 1 ignores what it has no handler for, the
namespace ends with PID 1, orphans go to PID 1, caught signals are reset by exec and ignored ones are inherited.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pid1lint.launch.process import Call, Decision, Handled, Obstacle, Outcome, Sent, Started, TrapSet, Waiting
from pid1lint.source import Place

if TYPE_CHECKING:
    from pid1lint.facts.launchers import Launcher
    from pid1lint.facts.programs import Program
    from pid1lint.image.filesystem import ImageFile
    from pid1lint.launch.shell import Shell
    from pid1lint.shell.ir import Script

SIGNALS = {
    name: number
    for number, name in enumerate(
        "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU "
        "URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS".split(),
        1,
    )
}
NUMBERS = {number: name for name, number in SIGNALS.items()}
HARMLESS = frozenset(("CHLD", "CONT", "URG", "WINCH"))
"""Signals whose default disposition is not to end the process."""

CLEANUP_SECONDS = 0.3
GRACE_SECONDS = 10.0
SWITCH_SECONDS = 2.0
MOST_STEPS = 4000
"""What a launch takes that never comes to rest."""


def signal_name(text: str) -> str | None:
    """`SIGTERM`, `term`, `15` as `TERM`; `RTMIN+3` and `37` as `RTMIN+3`; None if it names no signal."""
    name = text.strip().upper().removeprefix("SIG")
    if name.isdigit():
        number = int(name)
        if 34 <= number <= 64:
            return f"RTMIN+{number - 34}" if number > 34 else "RTMIN"
        return NUMBERS.get(number)
    if name in SIGNALS:
        return name
    aliases = {"CLD": "CHLD", "IOT": "ABRT", "POLL": "IO"}
    if name in aliases:
        return aliases[name]
    if name in ("RTMIN", "RTMAX"):
        return name
    head, sign, number_text = name[:5], name[5:6], name[6:]
    if head == "RTMIN" and sign == "+" and number_text.isdigit() and int(number_text) <= 30:
        return name
    if head == "RTMAX" and sign == "-" and number_text.isdigit() and int(number_text) <= 30:
        return f"RTMIN+{30 - int(number_text)}" if int(number_text) < 30 else "RTMIN"
    return None


class Block(NamedTuple):
    """What a generator waits for: all (or, with `any_one`, one) of `pids` to end, or a time.

    `interruptible`: a caught signal ends the wait, as it does the `wait` builtin's.
    """

    how: str
    pids: tuple[int, ...] = ()
    any_one: bool = False
    interruptible: bool = False
    until: float | None = None
    place: Place | None = None


Runner = Generator[Block, None, int]


@dataclass(eq=False, repr=False)
class Stage:
    """One program that a process has been, from its start or an exec to the next exec."""

    argv: tuple[str, ...]
    program: str
    start: str
    place: Place | None
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
    arguments: tuple[str, ...] = ()
    interpreter: str = ""
    before: int = 0


@dataclass(eq=False, repr=False)
class Proc:
    """A process of the world; `stages` holds the programs it has been, the present one last."""

    pid: int
    parent: int
    group: int
    thread: int
    stages: list[Stage] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)
    alive: bool = True
    status: int = 0
    runner: Runner | None = None
    block: Block | None = None
    react: Callable[[str], str] | None = None
    handlers: Callable[[str], bool] | None = None
    on_signal: Callable[[str], None] | None = None
    on_child: Callable[[Proc], None] | None = None
    interrupted: bool = False
    told: bool = False
    done: bool = False
    lost: bool = False
    ends_at: float | None = None
    kills_at: float | None = None
    long: bool = False
    helper: bool = False
    # It has put itself into the background.
    daemon: bool = False
    # It writes to what ends when it has seen enough, such as `grep -q`.
    brief: bool = False
    # Its input is a here-document: a filter ends with it.
    fed: bool = False
    reads_from: tuple[int, ...] = ()
    parent_at_stop: int = 0

    @property
    def stage(self) -> Stage:
        """The program it is now."""
        return self.stages[-1]


class Point(NamedTuple):
    """Where a line of execution may stay; `started` and `threads` count its own programs and jobs before it."""

    how: str
    guess: bool
    started: int
    threads: int
    place: Place | None = None


class Choice(NamedTuple):
    """A branch that was taken where several were possible."""

    options: int
    way: int
    usual: int | None
    kind: str
    place: Place


class World:
    """One run of a launch along one path."""

    def __init__(self, stop_signal: str, plan: dict[int, int], ways: tuple[int, ...], *, scouting: bool) -> None:
        self.stop_signal = stop_signal
        self.plan = plan
        self.scouting = scouting
        self.ways = ways
        # Whether its first process is PID 1: not where the PID namespace is another's.
        self.as_pid1 = True
        self.grace = GRACE_SECONDS
        self.procs: dict[int, Proc] = {}
        self.clock = 0.0
        self.stopped = False
        self.steps = 0
        self.commands = 0
        self.choices: list[Choice] = []
        self.points: dict[int, list[Point]] = {}
        self.started: dict[int, int] = {}
        self.forked: dict[int, int] = {}
        # The processes at work: one, and those that it lets start others just now.
        self.running: set[int] = set()
        # Where the main line of execution was held while it was scouted.
        self.held = -1
        self.in_exit_trap = 0
        self.traps: list[TrapSet] = []
        self.starts: list[Started] = []
        self.obstacles: list[Obstacle] = []
        self.failure: tuple[str, Place | None] | None = None
        self.exec_failed: tuple[str, Place | None] | None = None
        self.ended_in: Place | None = None
        self.next_thread = 0
        self.live: set[int] = set()
        self.shells: dict[int, Shell] = {}
        self.at_stop: list[Proc] = []
        self.waiting: list[Waiting] = []
        self.handled: list[Handled] = []
        self.sent: list[Sent] = []
        self.fifos: set[str] = set()
        # Loops that were passed, of which it is not known when they end.
        self.polls: list[Place] = []

    # ------------------------------------------------------------- processes

    def spawn(self, parent: Proc | None, start: str, place: Place | None, *, thread: int | None = None) -> Proc:
        """A new process, with its parent's group and ignored signals; the caller gives it a program."""
        pid = len(self.procs) + 1
        proc = Proc(
            pid,
            parent.pid if parent else 0,
            parent.group if parent else 1,
            thread if thread is not None else (parent.thread if parent else 0),
            ignored=set(parent.ignored) if parent else set(),
            brief=parent.brief if parent else False,
        )
        self.procs[pid] = proc
        return proc

    def new_thread(self, parent: Proc) -> int:
        """A number for a line of execution of its own: a background job of `parent`."""
        self.next_thread += 1
        self.forked[parent.thread] = self.forked.get(parent.thread, 0) + 1
        return self.next_thread

    def children(self, pid: int) -> list[Proc]:
        """The living children of a process."""
        return [proc for proc in self.procs.values() if proc.parent == pid and proc.alive]

    def end(self, proc: Proc, status: int) -> None:
        """A process ends; its children become PID 1's."""
        if not proc.alive:
            return
        proc.alive = False
        proc.status = status
        proc.ends_at = None
        if proc.runner is not None:
            runner, proc.runner = proc.runner, None
            with suppress(RuntimeError, ValueError):  # the one that is running returns by itself
                runner.close()
        parent = self.procs.get(proc.parent)
        for child in self.children(proc.pid):
            child.parent = 1
        for reader in self.procs.values():
            if reader.alive and reader.reads_from and not any(self.procs[pid].alive for pid in reader.reads_from):
                self.end(reader, 0)
        if parent is not None and parent.alive and parent.on_child is not None:
            parent.on_child(proc)

    # --------------------------------------------------------------- signals

    def signal(self, proc: Proc, name: str, *, from_outside: bool = False) -> None:
        """Send a signal to one process."""
        if not proc.alive:
            return
        if self.stopped and name not in ("CONT",):
            proc.told = True
        if name in ("KILL", "STOP"):
            if proc.pid == 1 and not from_outside:
                return
            if name == "KILL":
                # Whatever it had begun to clean up.
                proc.done = False
                self.end(proc, 137)
            return
        if name in proc.ignored and proc.on_signal is None and (proc.react is None or proc.react(name) == "default"):
            # A program with a handler of its own installs it whatever it has inherited.
            proc.lost = True
            return
        if proc.handlers is not None and proc.handlers(name):
            return
        if proc.on_signal is not None:
            proc.on_signal(name)
            return
        reaction = proc.react(name) if proc.react is not None else "default"
        if reaction == "survives":
            proc.lost = True
        elif reaction == "abandons":
            # What it supervises is left behind, and so cut off.
            self.end(proc, 0)
        elif reaction in ("handles", "drops"):
            proc.done = True
            if proc.ends_at is None or proc.ends_at > self.clock + CLEANUP_SECONDS:
                proc.ends_at = self.clock + CLEANUP_SECONDS
        elif name in HARMLESS or (proc.pid == 1 and self.as_pid1):
            proc.lost = True
        else:
            self.end(proc, 128 + SIGNALS.get(name, 15))

    def signal_group(self, group: int, name: str) -> None:
        """Send a signal to every process of a group."""
        for proc in [proc for proc in self.procs.values() if proc.group == group and proc.alive]:
            self.signal(proc, name)

    # ------------------------------------------------------------ the choices

    def choose(self, options: int, usual: int | None, kind: str, place: Place) -> int:
        """Which of `options` ways to take: the next of the path's, then the usual one.

        A place that comes again (in a loop, in a function) is decided as it was: else a loop over ten names would have
        a thousand paths.
        """
        before = next((choice for choice in self.choices if choice.place == place and choice.options == options), None)
        if before is not None and before.kind == kind == "unknown":
            return before.way
        at = len(self.choices)
        way = self.ways[at] if at < len(self.ways) else (usual or 0)
        self.choices.append(Choice(options, way, usual, kind, place))
        return way

    @property
    def other_arguments(self) -> bool:
        """Whether the path so far is one that only arguments given to `docker run` take."""
        return any(choice.kind == "arguments" and choice.way != choice.usual for choice in self.choices)

    def decisions(self) -> tuple[Decision, ...]:
        """The choices as others see them."""
        return tuple(
            Decision(c.place, c.kind, c.way, None if c.usual is None else c.way == c.usual) for c in self.choices
        )

    def blocks_here(self, thread: int, how: str, *, guess: bool = False, place: Place | None = None) -> bool:
        """Whether the line of execution stays at this point, which is one where it may stay.

        A line without a plan is scouted: its points are only noted, and all but those that never return are passed.
        `guess`: it is a program of which nothing is known, which stays only if it comes last.
        """
        if self.in_exit_trap and not self.stopped and how != "wait":
            return False
        points = self.points.setdefault(thread, [])
        points.append(Point(how, guess, self.started.get(thread, 0), self.forked.get(thread, 0), place))
        if thread in self.plan:
            return self.plan[thread] == len(points) - 1
        stays = how in ("forever", "exec")
        if stays and not thread:
            self.held = len(points) - 1
        return stays

    # ------------------------------------------------------------- scheduling

    def run(self) -> None:
        """Until PID 1 has ended or the grace period is over."""
        while self.steps < MOST_STEPS:
            self._settle()
            one = self.procs[1]
            if not one.alive or self.steps >= MOST_STEPS:
                return
            if not self.stopped:
                if self.scouting:
                    return
                self._stop()
                continue
            moment = self._next_moment()
            if moment is None or moment > self.grace:
                return
            self.clock = moment
            self._pass_time()

    def _settle(self) -> None:
        """Run every process that can run, until all wait."""
        progress = True
        while progress and self.steps < MOST_STEPS:
            progress = False
            for proc in list(self.procs.values()):
                if proc.alive and proc.runner is not None and self._ready(proc):
                    progress = True
                    self.step(proc)
                    if not self.procs[1].alive:
                        return

    def settle_from(self, first: Proc) -> None:
        """Run a new process, and what it starts, until all of them wait."""
        progress = True
        while progress and self.steps < MOST_STEPS:
            progress = False
            for proc in list(self.procs.values())[first.pid - 1 :]:
                if proc.alive and proc.runner is not None and self._ready(proc):
                    progress = True
                    self.step(proc)

    def _ready(self, proc: Proc) -> bool:
        block = proc.block
        if block is None:
            return True
        if proc.interrupted and block.interruptible:
            return True
        if block.until is not None:
            return self.clock >= block.until
        ended = [not self.procs[pid].alive for pid in block.pids]
        return any(ended) if block.any_one else all(ended)

    def step(self, proc: Proc) -> None:
        """Let a process run until it waits, ends, or becomes another program."""
        self.steps += 1
        runner = proc.runner
        if runner is None:
            return
        proc.block = None
        self.running.add(proc.pid)
        try:
            proc.block = next(runner)
        except StopIteration as stop:
            if proc.runner is runner:
                proc.runner = None
                self.end(proc, stop.value)
        finally:
            self.running.discard(proc.pid)

    def _stop(self) -> None:
        self.at_stop = [proc for proc in self.procs.values() if proc.alive]
        for proc in self.at_stop:
            proc.parent_at_stop = proc.parent
            shell = self.shells.get(proc.pid)
            if shell is not None and proc.stage.kind == "shell" and proc.block is not None:
                handles = self.stop_signal in shell.traps
                at = proc.block.place
                if at is not None:
                    traps = tuple((name, trap) for name, trap in shell.trap_sets.items() if name in shell.traps)
                    exits = "EXIT" in shell.traps
                    self.waiting.append(Waiting(proc.pid, proc.block.how, at, handles, exits, traps))
        self.stopped = True
        self.signal(self.procs[1], self.stop_signal, from_outside=True)

    def _next_moment(self) -> float | None:
        moments = [
            moment
            for proc in self.procs.values()
            if proc.alive
            for moment in (proc.ends_at, proc.kills_at, proc.block.until if proc.block else None)
            if moment is not None
        ]
        later = [moment for moment in moments if moment > self.clock]
        return min(later) if later else None

    def _pass_time(self) -> None:
        for proc in list(self.procs.values()):
            if proc.alive and proc.ends_at is not None and proc.ends_at <= self.clock:
                self.end(proc, 0)
            elif proc.alive and proc.kills_at is not None and proc.kills_at <= self.clock:
                proc.kills_at = None
                for child in self.children(proc.pid):
                    self.signal(child, "KILL")

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
        living = [proc for proc in self.at_stop if proc.long]
        # Helpers count where there is nothing else and their own children are at stake: a cron by itself.
        apps = [proc for proc in living if not proc.helper] or [
            proc for proc in living if proc.stage.fact is not None and proc.stage.fact.spawns
        ]
        if all(proc.done and not proc.alive for proc in apps):
            return Outcome.GRACEFUL, ""
        return Outcome.ABRUPT, ""
