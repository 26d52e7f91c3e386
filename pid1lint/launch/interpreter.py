"""What commands do to the shell that runs them: control flow, handlers, programs, choices. `step` calls it.

The state of a shell is in `Shell`; nothing of it is kept here, nor on Python's stack. What ends a command early is an
exception that `step` turns into a walk down the shell's own stack.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from pid1lint.frozen import NamedTuple
from pid1lint.launch import values
from pid1lint.launch.become import become
from pid1lint.launch.catch import INTERRUPTED, drop_exit_trap
from pid1lint.launch.code import Code, Run, Where, compiled
from pid1lint.launch.expand import Expansion
from pid1lint.launch.inert import Inert
from pid1lint.launch.leaf import Start
from pid1lint.launch.lookup import Lookup
from pid1lint.launch.output import test
from pid1lint.launch.process import Call, Handled, Started, TrapSet
from pid1lint.launch.shapes import names_read, word_names
from pid1lint.launch.stack import (
    Argument,
    Argv,
    Block,
    Called,
    ChildEnded,
    ChildStarted,
    Evaluated,
    Frame,
    Handling,
    Inside,
    Iterating,
    Job,
    Leaving,
    Looping,
    Resume,
    Sourced,
)
from pid1lint.launch.state import Environment, is_asked_for
from pid1lint.launch.values import UNKNOWN
from pid1lint.launch.world import Choice, Proc, Stage, Turn, World
from pid1lint.numbers import is_number
from pid1lint.shell.ir import Assignment, Node, Param, ProcessSub, Script, Simple, TestExpression, Word
from pid1lint.source import Place, Span

# A word of a command that ends something: `stop`, `kafka-server-stop.sh`, `stop-domain`.
_STOPS = re.compile(r"(?:^|[-_./])(?:stop|shutdown|halt|quit|terminate)(?:[-_.]|$)", re.IGNORECASE)
_SEPARATORS = frozenset(("background-list", "semicolon", "newline"))
_INNER = frozenset(("if", "case", "group", "for"))
_MOST_CALLS = 12
_MOST_HANDLERS = 8
_MOST_FRAMES = 100


class ExitShell(Exception):
    """`exit`, or what ends a shell likewise."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class ReturnFrom(Exception):
    """`return` from a function or a sourced file."""

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status


class LeaveLoops(Exception):
    """`break` and `continue`; `levels` loops are concerned."""

    def __init__(self, levels: int, again: bool) -> None:
        super().__init__(levels)
        self.levels = levels
        self.again = again


class Later:
    """In place of a status: the command is not over, or has gone on elsewhere."""


class Again(NamedTuple):
    """In place of a status: what stands behind `command` is to be run, without its functions."""

    argv: Argv
    skipped: int


LATER = Later()
Result: TypeAlias = int | Later | Again | None


class Interpreter(Expansion):
    """The shell that has its turn, in one world.

    `forks` collects, in their order, the worlds that have taken another way than this one at a choice.
    """

    def __init__(self, lookup: Lookup, world: World, builtins: Mapping[str, Builtin]) -> None:
        super().__init__(lookup, world)
        self.builtins = builtins
        self.inert = Inert(lookup)
        self.forks: list[World] = []
        # The world has just come to where the ways of a choice meet.
        self.met = False
        # How many commands have been run, in all worlds.
        self.commands = 0

    def enter(self, world: World, pid: int) -> None:
        """Give a shell its turn; to be called again whenever the world has been copied."""
        self.world = world
        self.proc = world.own(pid)
        assert self.proc.shell is not None
        self.shell = self.inert.shell = self.proc.shell

    def is_program(self, name: str) -> bool:
        """Whether a name is neither a function's nor a builtin's."""
        return name not in self.shell.functions and name not in self.builtins

    def place(self, span: Span) -> Place:
        """Where something of the present script stands."""
        return self.shell.place(span)

    # ------------------------------------------------------------- control flow

    def run(self, code: Code, frame: Frame) -> None:
        """Run other code, and come back to what a frame holds."""
        shell = self.shell
        shell.stack = frame
        shell.code, shell.pc = code, 0

    def wait(self, block: Block, resume: Resume) -> None:
        """Wait, then go on."""
        self.proc.block = block
        self.shell.resume = resume

    def leave(self, status: int) -> bool:
        """Begin to end: run the EXIT trap, if there is one. False if there is none."""
        shell = self.shell
        stays, shell.stays = shell.stays, None
        shell.leaving, shell.resume = None, None
        self.proc.interrupted = False
        handler = shell.traps.pop("EXIT", "")
        if not handler:
            return False
        shell.stack, self.proc.left = Leaving(None, status, stays), status
        return self.handle(handler, "EXIT")

    def unwind(self, frame: Frame, *, exits: bool = False) -> None:
        """Restore what the shell had before what a frame stands for began; `exits`: an `exit` has ended that."""
        shell = self.shell
        match frame:
            case Called():
                shell.calls -= 1
                shell.reveal(frame.hidden)
                shell.positional, shell.positional_soft, shell.script = frame.words, frame.soft, frame.script
            case Sourced():
                shell.sourcing -= 1
                shell.script, shell.anchor = frame.script, frame.anchor
                if frame.words is not None:
                    shell.positional, shell.positional_soft = frame.words, frame.soft
            case Evaluated():
                shell.script, shell.anchor = frame.script, frame.anchor
            case Handling():
                shell.trap_depth -= 1
                if exits:
                    self._note_end(frame.ran, "exit")
                shell.in_trap, shell.script, shell.anchor = frame.in_trap, frame.script, frame.anchor
            case Inside():
                shell.traps = dict(frame.traps)
            case Leaving() | Looping() | Iterating():
                pass
        shell.stack = frame.below
        if self.world.owed:
            self.world.pass_joins(self.proc.pid, shell.depth)

    # ----------------------------------------------------------------- handlers

    def deliver(self) -> bool:
        """Begin to run the handler of a signal that came in, as a shell does between two commands."""
        shell = self.shell
        while shell.pending:
            name, *rest = shell.pending
            shell.pending, self.proc.interrupted = tuple(rest), False
            handler = shell.traps.get(name)
            if handler is not None and self.handle(handler, name):
                return True
            if handler is None and name == "INT":
                # It was left to the child in the foreground, which is gone now.
                drop_exit_trap(self.proc, shell)
                raise ExitShell(INTERRUPTED)
        return False

    def handle(self, text: str, name: str) -> bool:
        """Begin to run a handler: True."""
        shell = self.shell
        trap = shell.trap_sets.get(name)
        excerpt = trap.text if trap is not None else None
        script = self.lookup.cut(excerpt) if excerpt is not None else self.lookup.made(text)
        ran = self._note_handler(name, trap)
        frame = Handling(
            shell.stack,
            shell.code,
            shell.pc,
            shell.resume,
            shell.status,
            shell.in_trap,
            shell.script,
            shell.anchor,
            ran,
        )
        shell.resume, shell.in_trap, shell.script = None, True, script
        shell.anchor = None if excerpt is not None or trap is None else trap.place
        shell.trap_depth += 1
        # It stands by itself, wherever the signal found the shell.
        self.run(compiled(script.body, Where(False)), frame)
        if shell.trap_depth > _MOST_HANDLERS:
            # Each handler sends the signal that starts it again, until the stack is full.
            self._note_end(ran, "recursion")
            raise ExitShell(139)
        return True

    def _note_handler(self, name: str, trap: TrapSet | None) -> int | None:
        """Where it is noted that a handler has begun."""
        world = self.world
        if not world.stopped or trap is None or name == "ERR":
            return None
        world.handled = (*world.handled, Handled(self.proc.pid, name, trap, ""))
        return len(world.handled) - 1

    def _note_end(self, ran: int | None, ended: str) -> None:
        handled = self.world.handled
        if ran is not None and not handled[ran].ended:
            self.world.handled = (*handled[:ran], handled[ran]._replace(ended=ended), *handled[ran + 1 :])

    # ------------------------------------------------------------------ choices

    def choose(
        self,
        ways: Sequence[int],
        usual: int | None,
        kind: str,
        asked: Node | Word,
        place: Place,
        join: int,
        usual_way: tuple[Node, ...] = (),
    ) -> None:
        """Jump to one of several operations: the usual one, or else the first; copies of the world take the others.

        `asked` is what decides, `join` where the ways meet again, `usual_way` what stands on the usual one. What comes
        again (in a loop, in a function, in a script that runs itself) and asks the same is decided as it was.
        """
        world, shell = self.world, self.shell
        given = (
            shell.positional,
            tuple(f.fields[f.at - 1] for f in shell.frames() if isinstance(f, Iterating) and f.at),
        )
        hangs = kind != "unknown" or self._hangs_on_call(asked)
        for before in world.choices:
            if before.place != place or before.options != len(ways):
                continue
            if before.kind == kind == "unknown" and not hangs:
                shell.pc = ways[before.way]
                return
            if before.given == given and kind != "unknown":
                shell.pc = ways[before.way if usual is None else usual]
                return
        taken = usual or 0
        function, depth = ("", 0) if hangs else self._recurrence()
        gives_up = self.proc.pid == 1 and is_asked_for(shell, kind) and self.inert.aborts(usual_way)
        pid, ends = self.proc.pid if depth else 0, usual if gives_up else None
        choice = Choice(len(ways), taken, usual, kind, place, given, function, pid, depth, ends)
        if len(ways) > 1:
            world.owed |= {(self.proc.pid, shell.depth, shell.code, join)}
        for way in (way for way in range(len(ways)) if way != taken):
            other = world.copy()
            other.choices = (*world.choices, choice._replace(way=way))
            fork = other.own(self.proc.pid).shell
            assert fork is not None
            fork.pc, fork.substituted = ways[way], ()
            self.forks.append(other)
        if len(ways) > 1:
            self.enter(world, self.proc.pid)
        world.choices = (*world.choices, choice)
        self.shell.pc = ways[taken]

    def passes_over(self, usual: bool | int | None) -> bool:
        """Leave a call that changes nothing, whichever way it goes, where what is asked in it would be a choice.

        If its own status is asked for, what is `usual` would be lost: only where there is no such thing.
        """
        frame = self._idle_call(asked=usual is None)
        if frame is None:
            return False
        shell = self.shell
        while shell.stack is not frame:
            assert shell.stack is not None
            self.unwind(shell.stack)
        self.inert.forget_call(frame.name)
        self.unwind(frame)
        shell.code, shell.pc, shell.status = frame.code, frame.pc, None
        return True

    def _idle_call(self, *, asked: bool) -> Called | None:
        """The innermost call around that changes nothing, of those that only calls and loops lie in."""
        for frame in self.shell.frames():
            if isinstance(frame, Called):
                op = frame.code.ops[frame.pc - 1]
                where = op.where if isinstance(op, Run) else None
                follows = where is not None and not where.last and where.implicit is None
                conditional = where is not None and where.conditional
                if follows and (asked or not conditional) and self.inert.passes(frame.name, asked=conditional):
                    return frame
            elif not isinstance(frame, (Looping, Iterating)):
                return None
        return None

    def _hangs_on_call(self, asked: Node | Word) -> bool:
        """Whether what decides is another thing in each call of a function, or each round of a loop."""
        names = word_names(asked) if isinstance(asked, Word) else names_read(asked)
        own = {hidden.name for hidden in self.shell.hidden} | self.shell.loop_names()
        return any(name in own or name in "@*#" or is_number(name) for name in names)

    def _recurrence(self) -> tuple[str, int]:
        """Where the present command may be met again.

        The outermost function around it that is called more than once, and how deep the stack is at the outermost loop
        or handler around it; nothing and 0 if there is none.
        """
        function, depth, at = "", 0, self.shell.depth
        for frame in self.shell.frames():
            if isinstance(frame, (Looping, Iterating, Handling)):
                depth = at
            elif isinstance(frame, Called) and self.lookup.is_called_often(frame.name, frame.script):
                function = frame.name
            at -= 1
        return function, depth

    def meet(self) -> None:
        """Come to where ways meet: what is alike in all that counts need not go on twice."""
        here = (self.proc.pid, self.shell.depth, self.shell.code, self.shell.pc - 1)
        if here in self.world.owed:
            self.world.owed -= {here}
            self.met = True

    def branch(
        self,
        usual: bool | None,
        soft: str,
        yes: tuple[Node, ...],
        no: tuple[Node, ...],
        span: Span,
        where: Where,
    ) -> bool | None:
        """Whether to take the `yes` way, where the files do not decide or the user may; None: that is a choice.

        A way that only ends the script (a usage text, a failed check) is not taken, unless the image's own CMD asks for
        it; where neither way matters to processes none is chosen.
        """
        inert = self.inert
        yes_aborts, no_aborts = inert.aborts(yes), inert.aborts(no)
        if yes_aborts is not no_aborts and usual is yes_aborts and is_asked_for(self.shell, soft):
            return None
        if usual is None and self._polls((*yes, *no), span, where):
            return not any(inert.leaves(node) for node in yes)
        if yes_aborts and not no_aborts:
            return False
        if no_aborts and not yes_aborts:
            return True
        if inert.all(yes, where.last) and inert.all(no, where.last):
            inert.forget(yes if usual is not True else ())
            return usual if usual is not None else False
        return None

    def _polls(self, ways: tuple[Node, ...], span: Span, where: Where) -> bool:
        """Whether what is asked decides when a loop ends, once the launch was told to stop: it may ask for the app."""
        if not (self.world.stopped and where.loop and any(self.inert.leaves(way) for way in ways)):
            return False
        self.doubt_waiting(span)
        return True

    def doubt_waiting(self, span: Span) -> None:
        """What a loop polls is not known, and the grace period is finite: an app that is there may outlast the loop."""
        living = (self.world.procs[pid] for pid in self.world.at_stop)
        if any(proc.alive and proc.done for proc in living):
            self.world.hinder("it is not known whether the script waits for the app", self.place(span))

    # --------------------------------------------------------------- what is noted

    def fail(self, why: str, span: Span) -> None:
        """Note what keeps the launch from going on, if it is this shell's line of execution that matters."""
        if self.proc.thread == 0 and not self.world.stopped:
            self.world.exec_failed = (why, self.place(span))

    def foreign(self, construct: str, span: Span) -> None:
        """Note what another shell than this one understands."""
        if self.shell.anchor is None:
            file = self.proc.stage.file if self.proc.stages else None
            argv = (self.shell.dialect.name,)
            self.world.note(Started("bashism", self.place(span), construct, None, file, None, argv))

    def call_of(self, node: Simple, where: Where, skipped: int) -> Call:
        """A command of the present script as what starts a process."""
        shell = self.shell
        return Call(
            shell.script,
            node,
            skipped,
            where.last,
            where.loop,
            where.function,
            where.condition,
            anchor=shell.anchor,
            editable=shell.anchor is None and self.lookup.is_editable(shell.script),
            maybe_function=shell.foreign_functions and self._is_bare_name(node, skipped),
        )

    def _is_bare_name(self, node: Simple, skipped: int) -> bool:
        """Whether a command names no file that is known."""
        name = node.words[skipped].literal if skipped < len(node.words) else None
        return name is not None and "/" not in name and self.lookup.find(name, self.shell.env) is None

    # ---------------------------------------------------------------- variables

    def assignment(self, assignment: Assignment) -> None:
        """`name=value`, `name+=value`, `name=(...)`."""
        shell = self.shell
        if assignment.array is not None and not shell.dialect.arrays:
            self.foreign("arrays", shell.at)
            self.fail(f"{shell.dialect.name} has no arrays and exits at `(` with a syntax error", shell.at)
            raise ExitShell(2)
        if assignment.array is not None:
            fields = self.expand(assignment.array)
            items = shell.arrays.get(assignment.name, ()) if assignment.append else ()
            shell.arrays[assignment.name] = (*items, *fields)[: values.MOST_WORDS]
            return
        outer, shell.soft = shell.soft, ""
        text = self.text(assignment.value) if assignment.value is not None else ""
        soft, shell.soft = shell.soft, outer
        if assignment.subscript is not None:
            shell.arrays[assignment.name] = (*shell.arrays.get(assignment.name, ()), text)[: values.MOST_WORDS]
            return
        if assignment.append:
            before = shell.lookup(assignment.name)
            text = values.capped((before.text or "") + text)
            soft = soft or before.soft
        shell.assign(assignment.name, text, soft)
        if assignment.name in shell.exported:
            shell.exported[assignment.name] = text

    def set_positional(self, words: Argv) -> None:
        """`$@`, with what may change it."""
        if len(words) > values.MOST_WORDS:
            words = (Argument(UNKNOWN, UNKNOWN),)
        self.shell.positional = words
        self.shell.positional_soft = next((word.soft for word in words if word.soft), "")

    # ------------------------------------------------------------------ functions

    def call(self, node: Simple, argv: Argv, where: Where) -> None:
        """A function's body with its own arguments."""
        shell = self.shell
        if shell.calls >= _MOST_CALLS:
            self.world.hinder(f"{argv[0].value} calls itself endlessly", self.place(node.span))
            raise ExitShell(0)
        name = argv[0].value
        defined = shell.functions[name]
        soft = shell.positional_soft
        at = (shell.stack, shell.code, shell.pc)
        frame = Called(*at, name, shell.script, shell.positional, soft, shell.hidden)
        shell.hidden = ()
        self.set_positional(argv[1:])
        for word in node.words[1:]:
            if any(isinstance(part, Param) and part.name in ("@", "*", "1") for part in word.parts):
                shell.positional_soft = shell.positional_soft or soft
        shell.script = defined.script
        shell.calls += 1
        self.run(compiled(defined.node.body, where.called()), frame)

    def evaluate(self, script: Script, anchor: Place | None, where: Where) -> None:
        """Run a text in this shell, as `eval` does."""
        shell = self.shell
        if shell.depth > _MOST_FRAMES:
            self.world.hinder("eval runs eval endlessly", self.place(script.body.span))
            raise ExitShell(0)
        frame = Evaluated(shell.stack, shell.code, shell.pc, shell.script, shell.anchor)
        shell.script, shell.anchor = script, anchor
        self.run(compiled(script.body, where.plain()), frame)

    def read_in(self, script: Script, words: Argv | None, where: Where) -> None:
        """Run a file in this shell, as `.` does."""
        shell = self.shell
        before = None if words is None else shell.positional
        soft = shell.positional_soft
        frame = Sourced(shell.stack, shell.code, shell.pc, shell.script, shell.anchor, before, soft)
        shell.script, shell.anchor = script, None
        shell.sourcing += 1
        if words is not None:
            self.set_positional(words)
        self.run(compiled(script.body, where.plain()), frame)

    # ------------------------------------------------------------------ programs

    def _child_environment(self, node: Simple) -> Environment:
        """What a program started now inherits."""
        shell = self.shell
        own = dict(shell.exported)
        own.update((each.name, self.text(each.value)) for each in node.assignments if each.value is not None)
        passed = any(
            isinstance(part, Param) and (part.name in ("@", "*") or is_number(part.name))
            for word in node.words
            for part in word.parts
        )
        variables = shell.env.variables.over(own)
        return Environment(variables, shell.workdir, shell.positional_soft if passed else "", shell.env.user)

    def execs(self, where: Where, extra: frozenset[str]) -> bool:
        """Whether the shell replaces itself by this command without being told to."""
        shell, implicit = self.shell, where.implicit
        if implicit is None or shell.in_trap or any(shell.traps.values()):
            return False
        if "job" in implicit:
            # A process of its own already: bash makes it the last command's, but not from inside of others, and not
            # behind others where it has redirections to undo.
            if "group" in shell.dialect.exec_background:
                return True
            behind = implicit & (_SEPARATORS | {"and-or"})
            redirected = extra & {"redirect", "heredoc", "process-substitution"}
            return not implicit & _INNER and not (behind and redirected)
        if self.proc.ignored - shell.inherited_ignored:
            extra |= {"ignored-trap"}
        if shell.err_trap:
            extra |= {"err-trap"}
        return shell.dialect.execs(implicit | extra, file=shell.how.form != "string")

    def program(self, node: Simple, argv: Argv, where: Where, skipped: int, *, replace: bool = False) -> None:
        """Start a program: in place of this process, or as its child in the foreground."""
        env = self._child_environment(node)
        call = self.call_of(node, where, skipped)
        span = node.words[min(skipped, len(node.words) - 1)].span
        at = self.place(Span(span.start, node.words[-1].span.end))
        given = self.input_of(node)
        if replace or self.execs(where, _circumstances(node, skipped)):
            # Caught signals are reset by exec; ignored ones stay.
            self.proc.stdin = given if given is not None else self.proc.stdin
            become(self.lookup, self.world, self.proc, Start(argv, "exec", at, call, env))
            return
        self._doubt_handler(call, argv)
        child = self.world.spawn(self.proc)
        if self.shell.monitor:
            child.group = child.pid
        child.reads_from = self.proc.reads_from if self.shell.feeds else ()
        child.fed = any(redirect.op.startswith("<<") for redirect in node.redirects)
        child.stdin = given if given is not None else self.proc.stdin if self.shell.feeds else None
        become(self.lookup, self.world, child, Start(argv, "child", at, call, env))
        self.shell.resume = ChildStarted(child.pid, argv, node.span, where.conditional)

    def foreground(self, pid: int, span: Span) -> None:
        """Wait for a child in the foreground."""
        self.shell.interrupt_left = False
        self.wait(Block("child", (pid,), place=self.place(span)), ChildEnded(pid))

    def _doubt_handler(self, call: Call, argv: Argv) -> None:
        """What a handler calls may be a function that is not at hand, or a program that stops the app by its own means.

        Either may wait until the app has ended: `gitlab-ctl stop`, `/opt/app/bin/shutdown.sh`.
        """
        if not (self.shell.trap_depth and self.world.stopped):
            return
        words = [word.value for word in argv]
        if self.lookup.program(words, self.shell.env) is not None:
            return
        name = argv[0].text
        if call.maybe_function:
            self.world.hinder(f"{name} may be a function of a file that pid1lint cannot read", call.place)
        elif any(map(_STOPS.search, words)) and not self._is_at_hand(words[0]):
            self.world.hinder(f"{name} may stop the app, and wait until it has ended", call.place)

    def _is_at_hand(self, program: str) -> bool:
        file = self.lookup.find(program, self.shell.env)
        return file is not None and file.text is not None

    def substitute(self, node: Simple, argv: Argv) -> int:
        """Run a command for its output; its process."""
        shell = self.shell
        at = self.place(node.span)
        child = self.world.spawn(self.proc)
        call = self.call_of(node, Where(False), 0)._replace(substitution=True)
        env = Environment(shell.env.variables.over(shell.exported), shell.workdir)
        become(self.lookup, self.world, child, Start(argv, "substitution", at, call, env))
        return child.pid

    def _process_substitution(self, part: ProcessSub) -> None:
        items = part.body.items
        shell, world = self.shell, self.world
        if part.op != ">" or not items or any(done is part for done in shell.substituted):
            return
        node = items[0].node
        if not isinstance(node, Simple) or not node.words:
            return
        shell.substituted = (*shell.substituted, part)
        thread = world.new_thread(self.proc)
        proc = world.spawn(self.proc, thread=thread)
        proc.background = True
        words = tuple(word.text for word in node.words)
        proc.stages = (Stage(words, words[0], "pipeline", self.place(node.span), "job", began=len(world.procs)),)
        proc.helper = True
        # A reader: gone when the process that writes to it is.
        proc.reads_from = (self.proc.pid,)

    # ------------------------------------------------------------ several processes

    def subshell(self, node: Node, start: str, proc: Proc, code: Code) -> None:
        """Make a process a copy of this shell, about to run something."""
        own, shell = self.proc.stage, self.shell
        at = self.place(node.span)
        text = at.text if node.span.end > node.span.start else ""
        shown = text if len(text) <= 40 else text[:37] + "..."
        stage = Stage((shell.dialect.name, shown), own.program, start, at, "shell", began=len(self.world.procs))
        stage.form, stage.dialect, stage.script = "subshell", shell.dialect.name, shell.script
        stage.interpreter = own.interpreter
        proc.stages = (*proc.stages, stage)
        proc.shell = shell.subshell(code, proc.ignored)

    def prime(self, pid: int) -> None:
        """Let a new process run, and what it starts, until all of them wait; then this shell goes on."""
        self.world.turns = (*self.world.turns, Turn(pid, pid, len(self.world.procs)))

    def add_job(self, pids: tuple[int, ...]) -> None:
        """A background job has been started."""
        shell = self.shell
        taken = {job.number for job in shell.living_jobs(self.world.alive)}
        number = next(number for number in range(1, len(taken) + 2) if number not in taken)
        shell.jobs = (*shell.jobs, Job(pids, number))
        shell.last_job = str(pids[-1])

    def finish(self, job: Job) -> None:
        """A background job has ended before the launch settled."""
        if self.world.stopped:
            return
        for pid in job.pids:
            self.world.end_below(pid)

    # --------------------------------------------------------------------- tests

    def test(self, words: list[str]) -> int | None:
        """The status of `test` with these words; None where the files do not tell."""
        truth = test(self.lookup, self.world, self.shell, words)
        return None if truth is None else (0 if truth else 1)

    def expression(self, node: TestExpression) -> bool | None:
        """Whether a test in `[[ ]]` holds; None where the files do not tell."""
        if node.op == "?":
            return None
        if node.op == "!":
            inner = self.expression(node.operands[0])
            return None if inner is None else not inner
        if node.op in ("&&", "||"):
            left = self.expression(node.operands[0])
            right = self.expression(node.operands[1])
            decisive = node.op == "||"
            if left is decisive or right is decisive:
                return decisive
            return None if left is None or right is None else not decisive
        if node.op in ("==", "=", "!="):
            match = values.matches(self.text(node.words[0]), self.pattern(node.words[1]))
            return match if match is None or node.op != "!=" else not match
        first = self.text(node.words[0])
        if node.op == "=~":
            return values.searches(first, self.regular_expression(node.words[1]))
        words = [node.op, first] if len(node.words) == 1 else [first, node.op, self.text(node.words[1])]
        return test(self.lookup, self.world, self.shell, words)


def _circumstances(node: Simple, skipped: int) -> frozenset[str]:
    """What about a command itself decides whether a shell execs it."""
    found = set()
    if node.assignments:
        found.add("assignment")
    if any(redirect.heredoc is not None for redirect in node.redirects):
        found.add("heredoc")
    if any(redirect.heredoc is None for redirect in node.redirects):
        found.add("redirect")
    if any(isinstance(p, ProcessSub) for r in node.redirects if r.target for p in r.target.parts):
        found.add("process-substitution")
    if skipped:
        found.add("command-builtin")
    first = node.words[skipped] if skipped < len(node.words) else node.words[0]
    if first.literal is None:
        found.add("expansion")
    return frozenset(found)


Builtin: TypeAlias = Callable[[Interpreter, Simple, Argv, Where, int], Result]
