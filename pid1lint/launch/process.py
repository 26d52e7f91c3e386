"""What a launch is found to be: processes, paths through the scripts, and the outcome of the stop signal."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from pid1lint.diagnostic import Severity
from pid1lint.frozen import Frozen
from pid1lint.shell.ir import Loop, Script, Simple, Word
from pid1lint.source import Excerpt, Place, Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pid1lint.facts.launchers import Launcher
    from pid1lint.facts.programs import Program
    from pid1lint.image.filesystem import ImageFile
    from pid1lint.image.model import Command, Image
    from pid1lint.launch.orphans import Orphans


class Outcome(StrEnum):
    """What becomes of the container when it is told to stop."""

    GRACEFUL = "graceful"
    ABRUPT = "abrupt"
    HANG = "hang"
    EXITS = "exits"
    FAILS = "fails"
    UNKNOWN = "unknown"


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
    when the grace period does. `group` is its process group, by the PID of that group's first process.
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
    `missing`, `words` or `unexpanded` (only a shell would make a program of its name) for a program that cannot start
    (`file` is the script, if there is one), `daemon` for a program that has put itself into the background, and
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
    """What the model could not follow; `pid` is set where it matters only if that process is the main one."""

    reason: str
    place: Place | None
    pid: int = 0


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
        return f"{self.names} {'are' if len({app.program for app in self.apps}) > 1 else 'is'} cut off"

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
                if child.kind == "shell" and any(below in untold for below in child.walk()[1:]):
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
            return f"{init.program} ends with {shell}, which dies of {path.signal}: {main} is cut off"
        return f"{shell} ends on {path.signal} before {main} does: {main} is cut off"


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


class Launch(Frozen):
    """How one stage's container starts and stops. `paths` begins with the one that `outcome` is about.

    `by_shell` holds more than one outcome where it depends on a /bin/sh that is not known. `init` is the one that a
    fix puts in front where one is missing. `open_at` is where an unknown outcome is decided: the construct that the
    analysis cannot see through, or the FROM of an image that it does not know.
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
    init: str = "tini"
    open_at: Place | None = None

    @property
    def tree(self) -> Process | None:
        """The processes of the path that the image's own CMD takes."""
        return self.paths[0].tree if self.paths else None

    @property
    def main(self) -> Path | None:
        """The path that the image's own CMD takes."""
        return self.paths[0] if self.paths else None

    @cached_property
    def orphans(self) -> Orphans | None:
        """What the image's own path is known to leave to a PID 1 that is known not to reap."""
        from pid1lint.launch.orphans import orphans

        return orphans(self.image, self.paths[0]) if self.paths else None

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files that its processes are started in and run as scripts."""
        found = {id(script.text.source): script.text.source for script in self.scripts}
        for path in self.paths:
            for process in path.tree.walk() if path.tree is not None else ():
                if process.place is not None:
                    found[id(process.place.source)] = process.place.source
        return tuple(found.values())

    @property
    def scripts(self) -> tuple[Script, ...]:
        """The shell texts that its processes run, on any path."""
        trees = (path.tree for path in self.paths if path.tree is not None)
        found = (process.script for tree in trees for process in tree.walk())
        return tuple({id(script): script for script in found if script is not None}.values())

    @property
    def unused_init(self) -> str:
        """The init that a RUN of the image installs and nothing of what is known of the image runs; else empty."""
        from pid1lint.facts.inits import INITS

        found = [init for init in INITS if init in self.image.files.packages]
        if not found or self.outcome in (Outcome.UNKNOWN, Outcome.FAILS, Outcome.EXITS):
            return ""
        if any(path.obstacles or path.tree is None for path in self.paths):
            return ""
        processes = [process for path in self.paths for process in (path.tree.walk() if path.tree is not None else ())]
        if any(process.kind == "init" for process in processes):
            return ""
        scripts = [process.script.text.text for process in processes if process.script is not None]
        others = [i.text.text for i in self.image.stage.instructions if i.keyword not in ("RUN", "LABEL")]
        unused = (init for init in found if not any(init in text for text in (*scripts, *others)))
        return next(unused, "")

    def starts_init(self, link: Link) -> bool:
        """Whether a script's shell that stays starts an init as its child."""
        child = link.child
        if child.kind != "init" or child.start not in ("child", "substitution") or child.call is None:
            return False
        if link.handles or child.call.loop or link.path.beneath(child, "background", "pipeline"):
            return False
        return self.shell_form(link.shell) is None and self.shell_word(link.shell) is None

    @cached_property
    def supposed(self) -> tuple[ImageFile, ...]:
        """The scripts that are read in the stead of those which are not there before the build."""
        walks = (process for path in self.paths if path.tree is not None for process in path.tree.walk())
        files = {p.file.path: p.file for p in walks if p.file is not None and p.file.supposed}
        return tuple(files.values())

    @property
    def bad_paths(self) -> tuple[Path, ...]:
        """The paths on which the app is killed or cut off."""
        return tuple(path for path in self.paths if path.outcome in (Outcome.HANG, Outcome.ABRUPT))

    def faults(self, what: str) -> Iterator[tuple[Path, Link, Fault]]:
        """The handlers with one fault (see `Fault`), on the paths on which the app is killed or cut off."""
        for path in self.bad_paths:
            for link in path.links:
                fault = link.fault
                if fault is not None and fault.what == what:
                    yield path, link, fault

    def way_to(self, at: Place) -> tuple[Process, ...]:
        """The programs from PID 1's first down to the one that starts at a place, or else whose script it is in."""
        processes = [(path, process) for path in self.paths if path.tree for process in path.tree.walk()]
        for path, process in processes:
            if process.place is not None and _meet(process.place, at):
                return path.way_to(process)
        for path, process in processes:
            if process.script is not None and process.script.text.source.path == at.source.path:
                return path.way_to(process)
        return ()

    def severity(self, path: Path) -> Severity:
        """Error on the path that the image's own CMD takes, if /bin/sh is known; else warning."""
        asked_for = any(choice.kind == "arguments" and choice.usual is False for choice in path.decisions)
        if path is self.main and path.outcome is self.outcome and len(set(self.by_shell)) <= 1 and not asked_for:
            return Severity.ERROR
        return Severity.WARNING

    def lacking(self, path: Path, *lacks: str) -> tuple[Link, ...]:
        """The shells of a path that stay by design and have no handler for the stop signal, for one of these reasons.

        Not those of a shell form or of `sh -c` in the Dockerfile, nor where an init tells an app that has no handler:
        nothing that the shell could do would end it better.
        """
        main = path.main
        if main is not None and main.receives_stop and main.reaction == "default":
            return ()
        return tuple(
            link
            for link in path.links
            if link.lack in lacks
            and not (self.shell_form(link.shell) or self.shell_word(link.shell))
            and not path.beneath(link.shell, "background", "pipeline")
        )

    def severity_of(self, fault: Fault, path: Path) -> Severity:
        """As for any bad path, but less where only what runs beside the main process is lost: an info if not always."""
        if path.main is not None and not any(app.main for app in fault.apps):
            return Severity.WARNING if path is self.main else Severity.INFO
        return self.severity(path)

    def shell_form(self, process: Process) -> Command | None:
        """The CMD or ENTRYPOINT in shell form that a process runs, if it is the shell of one."""
        for command in (self.image.entrypoint, self.image.cmd):
            if command is not None and command.form == "shell" and process.runs(command.text):
                return command
        return None

    def shell_word(self, process: Process) -> tuple[Command, int] | None:
        """The word of an exec form (`["sh", "-c", WORD]`) that a process runs as a shell string."""
        for command in (self.image.entrypoint, self.image.cmd):
            for index, word in enumerate(command.words if command is not None else ()):
                if command is not None and process.runs(word):
                    return command, index
        return None

    @property
    def courtesy(self) -> Process | None:
        """The shell of a string that replaced itself by the main process without being told to."""
        path = self.main
        if path is None or path.main is None or path.outcome is not Outcome.GRACEFUL:
            return None
        for above, below in pairwise(path.chain):
            same = above.kind == "shell" and above.form == "string" and above.pid == below.pid
            if same and below.call is not None and below.call.words == 0 and below.call.script is above.script:
                return above
        return None


def _meet(one: Place, other: Place) -> bool:
    """Whether one of two places lies within the other."""
    return one.source.path == other.source.path and (one.span.covers(other.span) or other.span.covers(one.span))
