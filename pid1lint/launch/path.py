"""One way through a launch: the chain from PID 1 to the app, the shells in between, and what is wrong with them."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import pairwise

from pid1lint.frozen import Frozen, NamedTuple
from pid1lint.launch.process import (
    Assumption,
    Call,
    Decision,
    Handled,
    Obstacle,
    Outcome,
    Process,
    Sent,
    Started,
    TrapSet,
    Waiting,
)
from pid1lint.shell.ir import Loop
from pid1lint.source import Place


class Fault(NamedTuple):
    """Why a handler did not end the apps below its shell well: one cause, whatever else there is.

    `what` is `recursion` (it signals its own shell until that dies), `early` (its text was expanded too early), `name`
    (the shell knows no such signal), `ignored` (the app was started with that signal ignored), `pid` (another process
    was signalled than the app), `untold` (nobody signals `apps`) or `told` (they are, and the shell ends before they
    do). `sent` is the `kill` that it is about, if there is one.
    """

    what: str
    trap: TrapSet
    apps: tuple[Process, ...]
    sent: Sent | None = None

    @property
    def names(self) -> str:
        """The apps, as a message names them."""
        return " and ".join(dict.fromkeys(app.program for app in self.apps)) or "the app"

    @property
    def cut(self) -> str:
        """What becomes of the apps when the container ends."""
        return f"the kernel kills {self.names}"

    def end(self, path: Path) -> str:
        """What becomes of the container."""
        if path.outcome is Outcome.HANG:
            return f"docker stop waits 10 s, then kills {self.names}"
        return f"the container ends, and {self.cut}"


class Link(Frozen):
    """A shell that stays, and what it has started towards the main process."""

    shell: Process
    child: Process
    path: Path
    waiting: Waiting | None

    @property
    def how(self) -> str:
        """What the shell does: see `Waiting`."""
        return self.waiting.how if self.waiting is not None else ""

    @property
    def handles(self) -> bool:
        """Whether the shell has a handler for the stop signal."""
        return self.waiting is not None and self.waiting.handles

    @property
    def trap(self) -> TrapSet | None:
        """The trap that is set for the stop signal."""
        return self.waiting.trap(self.path.signal) if self.waiting is not None else None

    @property
    def lack(self) -> str:
        """Why a shell that stays by design has no handler for the stop signal; empty where it has one, or should exec.

        `refused`: it knows no such signal as its trap names. `another`: it traps other signals to stop on. `exit`: it
        has a trap for its exit. `none`: nothing of that.
        """
        waiting, call = self.waiting, self.child.call
        if waiting is None or waiting.handles or self.shell.form == "subshell":
            return ""
        looping = call is not None and call.loop and self.child.start == "child"
        beside = self.child.start == "background" or (self.child.helper and self.child.start == "child")
        if not (waiting.how in ("wait", "loop") or looping or beside):
            return ""
        if self.refused is not None:
            return "refused"
        if any(waiting.trap(name) for name in ("TERM", "INT", "QUIT", "HUP")):
            return "another"
        return "exit" if waiting.exit_trap else "none"

    @property
    def refused(self) -> TrapSet | None:
        """The trap that names the stop signal as the shell does not know it."""
        stop = self.path.signal.removeprefix("SIG")
        traps = (trap for trap in self.path.traps if trap.pid == self.shell.pid and trap.handler)
        return next(
            (trap for trap in traps if stop in (name.upper().removeprefix("SIG") for name in trap.refused)), None
        )

    @property
    def handled(self) -> tuple[Handled, ...]:
        """How the shell's handler for the stop signal ran; empty where it did not get its turn."""
        name = self.path.signal.removeprefix("SIG")
        return tuple(ran for ran in self.path.handled if ran.pid == self.shell.pid and ran.signal == name)

    @property
    def cut_off(self) -> tuple[Process, ...]:
        """The apps below the shell that are still at work when it is over."""
        return tuple(process for process in self.shell.walk() if process.cut_off and not process.helper)

    @cached_property
    def fault(self) -> Fault | None:
        """What is wrong with a handler that had its turn, and did not end the apps below the shell well."""
        trap = self.trap
        if trap is None or not self.handled:
            return None
        if any(ran.ended == "recursion" for ran in self.handled):
            return Fault("recursion", trap, self.cut_off, next((sent for sent in self.path.sent if sent.group), None))
        if not self.cut_off:
            return None
        if trap.early:
            return Fault("early", trap, self.cut_off)
        for what, found in (("name", self._misnamed()), ("ignored", self._ignored()), ("pid", self._misdirected())):
            if found is not None:
                return Fault(what, trap, self.cut_off, found)
        told = tuple(process for process in self.cut_off if process.receives_stop)
        untold = tuple(process for process in self.cut_off if process.receives_stop is False)
        if untold:
            return Fault("untold", trap, untold, next(iter(self.path.sent), None))
        return Fault("told", trap, told, self._sent_to(told)) if told else None

    def _sent_to(self, processes: tuple[Process, ...]) -> Sent | None:
        pids = {process.pid for process in processes}
        return next((sent for sent in self.path.sent if pids & set(sent.targets)), None)

    def _misnamed(self) -> Sent | None:
        return next((sent for sent in self.path.sent if not sent.signal), None)

    def _ignored(self) -> Sent | None:
        deaf = {p.pid: p.ignored for p in self.cut_off if p.receives_stop is False}
        return next((s for s in self.path.sent for pid in s.targets if s.signal in deaf.get(pid, ())), None)

    def _misdirected(self) -> Sent | None:
        """A `kill` of a shell between this one and an app, or of what reads from it, which leaves the app behind."""
        untold = [process for process in self.cut_off if process.receives_stop is False]
        for sent in self.path.sent:
            for child in self.shell.children:
                if child.pid not in sent.targets or not child.place:
                    continue
                # A launcher that passes nothing on is like a shell: `xvfb-run`, which is one.
                if child.kind in ("shell", "launcher") and any(below in untold for below in child.walk()[1:]):
                    return sent
                if child.start == "pipeline" and any(p.start == "pipeline" for p in untold):
                    return sent
        return None

    @property
    def beside(self) -> bool:
        """Whether the shell has more to do than to start this child: other children, or a trap."""
        others = any(child is not self.child and child.start != "pipeline" for child in self.shell.children)
        return others or self.handles or (self.waiting is not None and self.waiting.exit_trap)

    @property
    def traps_others(self) -> bool:
        """Whether the shell has a handler for another signal than the one that it is stopped with."""
        traps = self.waiting.traps if self.waiting is not None else ()
        return any(name not in ("EXIT", self.path.signal.removeprefix("SIG")) and trap.handler for name, trap in traps)

    @property
    def in_vain(self) -> bool:
        """Whether the child would take the signal no better in the shell's place: a `sleep`, runit's runsvdir."""
        main, child = self.path.main, self.child
        if self.path.outcome is Outcome.ABRUPT and child.reaction == "survives":
            return True  # with the shell at least the container ends
        return (main is not None and main.helper) or (child.kind == "init" and child.reaction in _LEAVE_SERVICES)

    @property
    def effect(self) -> str:
        """What becomes of the main process on the stop signal, because of this shell."""
        path, shell = self.path, self.shell.interpreter
        main = path.main.program if path.main is not None else "the app"
        if path.outcome is Outcome.HANG:
            who = f"{shell} stays PID 1" if self.shell.pid == 1 else f"{shell} stays in between"
            return f"{who} and keeps {path.signal} from {main}: docker stop waits 10 s, then kills it"
        init = path.pid1
        if init is not None and init.pid != self.shell.pid and init.kind == "init":
            return f"{init.program} ends with {shell}, which dies on {path.signal}: the kernel kills {main}"
        return f"{shell} ends on {path.signal} before {main} does: the kernel kills {main}"


_LEAVE_SERVICES = ("abandons", "survives")


class LateInit(NamedTuple):
    """An init that a script becomes by exec, and the script's shell, which was PID 1 until then."""

    shell: Process
    init: Process


class Path(Frozen):
    """One way through the launch."""

    decisions: tuple[Decision, ...]
    outcome: Outcome
    why: str
    tree: Process | None
    main: Process | None
    signal: str = "SIGTERM"
    waiting: tuple[Waiting, ...] = ()
    traps: tuple[TrapSet, ...] = ()
    starts: tuple[Started, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    reaps: bool | None = None
    ended_in: Place | None = None
    handled: tuple[Handled, ...] = ()
    sent: tuple[Sent, ...] = ()
    assumes: tuple[Assumption, ...] = ()

    @cached_property
    def chain(self) -> tuple[Process, ...]:
        """The programs from PID 1's first down to the main one."""
        return () if self.main is None else self.way_to(self.main)

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """The shells between PID 1's start and the main process that stay, each with what it started."""
        found: list[Link] = []
        for above, below in pairwise(self.chain):
            if above.kind == "shell" and above.pid != below.pid:
                waiting = next((waiting for waiting in self.waiting if waiting.pid == above.pid), None)
                found.append(Link(above, below, self, waiting))
        return tuple(found)

    @property
    def runner(self) -> Process | None:
        """The package runner (npm and its kin) between PID 1 and the main process, if there is one."""
        return next((p for p in self.chain if p.fact is not None and p.fact.kind == "runner"), None)

    def beneath(self, process: Process, *starts: str) -> bool:
        """Whether a process, or one above it, was started in one of these ways."""
        below: Process | None = process
        while below is not None:
            if below.start in starts:
                return True
            below = self.parent(below)
        return False

    @property
    def pid1(self) -> Process | None:
        """What PID 1 is when the stop signal comes: the last program of the first process."""
        one = self.tree
        while one is not None:
            after = next((child for child in one.children if child.pid == 1), None)
            if after is None:
                break
            one = after
        return one

    @property
    def wrapper(self) -> Process | None:
        """The launcher between PID 1 and the main process that stays and does not just pass signals on.

        None where a shell above it stays: what the launcher does is then of no account.
        """
        for above, below in pairwise(self.chain):
            if above.pid == below.pid:
                continue
            if above.kind == "shell":
                return None
            if above.kind == "launcher" and above.launcher is not None and above.launcher.kind != "forward":
                return above
        return None

    @property
    def late_init(self) -> LateInit | None:
        """The init that PID 1 becomes at the end of a script which may have waited in a loop before."""
        for above, below in pairwise(self.chain):
            is_script = above.kind == "shell" and above.form == "file" and above.pid == below.pid == 1
            if is_script and below.kind == "init" and below.call is not None and below.call.script is above.script:
                handled = any(trap.pid == 1 and trap.handler is not None for trap in self.traps)
                return None if handled or not _waits_before(below.call) else LateInit(above, below)
        return None

    @property
    def lacks_command(self) -> bool:
        """Whether PID 1 ends for want of something to run: no arguments for a script that runs them, no terminal."""
        one = self.tree
        if one is None or any(start.what == "interactive" for start in self.starts):
            return one is not None
        script = one.script
        if one.form != "file" or script is None or len(one.arguments) > 1 or not script.body.items:
            return False
        last = script.body.items[-1].node.span
        return re.search(r"\$\{?[@*]", script.text.text[last.start : last.end]) is not None

    @property
    def ignores_signal(self) -> bool:
        """Whether the main process is PID 1 and known to have no handler for the stop signal."""
        main = self.main
        return main is not None and main.pid == 1 and self.outcome is Outcome.HANG and main.reaction == "default"

    @property
    def usual(self) -> bool:
        """Whether a plain `docker run IMAGE` may take it."""
        return all(decision.usual is not False for decision in self.decisions)

    @property
    def is_given_others(self) -> bool:
        """Whether the user has to give other arguments than CMD's for this path."""
        return any(choice.kind == "arguments" and choice.usual is False for choice in self.decisions)

    def way_to(self, process: Process) -> tuple[Process, ...]:
        """The programs from PID 1's first down to one of this path."""
        found: list[Process] = []
        below: Process | None = process
        while below is not None:
            found.append(below)
            below = self.parent(below)
        return tuple(reversed(found))

    def parent(self, process: Process) -> Process | None:
        """The process above one of this path."""
        if self.tree is None:
            return None
        return next((above for above in self.tree.walk() if any(child is process for child in above.children)), None)


def _waits_before(call: Call) -> bool:
    """Whether a loop with a `sleep` in it stands before a command, at the top of the script."""
    before = (item.node for item in call.script.body.items if item.node.span.end <= call.node.span.start)
    text = call.script.text.text
    return any(isinstance(node, Loop) and "sleep" in text[node.span.start : node.span.end] for node in before)
