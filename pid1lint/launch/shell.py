"""The interpreter of shell text: it runs a script in a `World`, as far as the files tell what it does.

Commands are generators that yield a `Block` where their process waits. A command that is no shell's business is
started by the `Machine`; the rest follows POSIX and, where shells differ, the facts of the shell at hand.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, assert_never

from pid1lint.launch import values
from pid1lint.launch.builtins import BUILTINS, output, test
from pid1lint.launch.inert import Inert, may_last, watched, words_below
from pid1lint.launch.machine import Argument, Argv, Environment, Machine, ShellStart
from pid1lint.launch.process import Call, Handled, Obstacle, Started, TrapSet
from pid1lint.launch.state import Defined, State, Value
from pid1lint.launch.values import UNKNOWN
from pid1lint.launch.world import Block, Proc, Runner, Stage
from pid1lint.shell.ir import (
    AndOr,
    ArithmeticCommand,
    Assignment,
    Case,
    For,
    Function,
    Group,
    If,
    Item,
    List,
    Literal,
    Loop,
    Node,
    Opaque,
    Param,
    Pipeline,
    ProcessSub,
    Script,
    Simple,
    Subshell,
    Test,
    TestExpression,
    Word,
)
from pid1lint.shell.parse import parse
from pid1lint.source import Excerpt, Place, Source, Span

if TYPE_CHECKING:
    from pid1lint.facts.shells import Shell as Dialect

Status = Generator[Block, None, "int | None"]
# A word of a command that ends something: `stop`, `kafka-server-stop.sh`, `stop-domain`.
_STOPS = re.compile(r"(?:^|[-_./])(?:stop|shutdown|halt|quit|terminate)(?:[-_.]|$)", re.IGNORECASE)
_MOST_ROUNDS = 400
INTERRUPTED = 130
"""The status of what SIGINT has ended."""
# What fails in these without ending the shell did so where `set -e` looks away.
_COMPOUND = (AndOr, If, Loop, For, Case, Group)
_SEPARATORS = {"&": "background-list", ";": "semicolon", "\n": "newline"}


class Where(NamedTuple):
    """Where a command stands.

    `last`: its shell does nothing after it. `implicit`: the circumstances (see `facts.shells`) under which it would be
    the last one of a `-c` string; None: it is not.
    """

    last: bool
    implicit: frozenset[str] | None = None
    loop: bool = False
    function: bool = False
    condition: bool = False

    def within(self, circumstance: str) -> Where:
        """The same place inside a compound command."""
        if self.implicit is None or circumstance in self.implicit:
            return self
        return Where(self.last, self.implicit | {circumstance}, self.loop, self.function, self.condition)

    def before(self) -> Where:
        """The place of a command that others follow."""
        if not self.last and self.implicit is None:
            return self
        return Where(False, None, self.loop, self.function, self.condition)

    def plain(self) -> Where:
        """The same place where no shell execs by itself."""
        return self if self.implicit is None else self._replace(implicit=None)


class Job(NamedTuple):
    """A background job: its processes, of which `$!` names the last, and the number by which `%1` means it."""

    pids: tuple[int, ...]
    number: int = 1

    @property
    def pid(self) -> int:
        """What `$!` holds."""
        return self.pids[-1]


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


class LeaveLoop(Exception):
    """`break` and `continue`; `levels` loops are concerned."""

    def __init__(self, levels: int, again: bool) -> None:
        super().__init__(levels)
        self.levels = levels
        self.again = again


class Replaced(Exception):
    """The process has become another program."""


def make_shell(
    machine: Machine, proc: Proc, dialect: Dialect, script: Script, words: Argv, env: Environment, how: ShellStart
) -> Runner:
    """A process's generator that runs a script."""
    shell = Shell(machine, proc, dialect, script, env, how)
    shell.positional = [word.value for word in words]
    shell.positional_words = list(words)
    shell.positional_soft = next((word.soft for word in words if word.soft), env.soft)
    return shell.main()


class Shell(State):
    """One shell process."""

    def __init__(
        self, machine: Machine, proc: Proc, dialect: Dialect, script: Script, env: Environment, how: ShellStart
    ) -> None:
        super().__init__(env.variables, machine.image.env.get("HOME", "/root"), env.workdir, _user_id(machine, env))
        self.machine = machine
        self.world = machine.world
        self.proc = proc
        self.dialect = dialect
        self.script = script
        self.env = env
        self.how = how
        self.name = how.name
        self.pid = proc.pid
        self.exported: dict[str, str] = {}
        self.traps: dict[str, str] = {}
        # By which command each of them was set.
        self.trap_sets: dict[str, TrapSet] = {}
        self.pending: list[str] = []
        # An interrupt came in while a child was in the foreground.
        self.interrupt_left = False
        # Signals that were trapped before bash had taken the others for its EXIT trap, and those of them reset since.
        self.trapped_first: set[str] = set()
        self.reset: set[str] = set()
        self.jobs: list[Job] = []
        # Jobs whose end `wait` has told of.
        self.waited: set[int] = set()
        self.errexit = "e" in how.options
        self.monitor = False
        self.nounset = "u" in how.options
        self.subshell_of_another = False
        self.dying: int | None = None
        self.at = script.body.span
        self.calls = 0
        self.conditional = 0
        self.in_trap = False
        self.sourcing = 0
        # A file was sourced that is not at hand and may define functions.
        self.foreign_functions = False
        self.positional_words: list[Argument] = []
        self.inert = Inert(self)
        self.inherited_ignored = set(proc.ignored)
        self.feeds = 0
        self.tail_substitution = False
        self.trap_depth = 0
        self.err_trap = False
        # Text that stands in no file (a string made at run time) is pointed at by what runs it.
        self.anchor: Place | None = None if script.text.source.path else proc.stage.place if proc.stages else None
        self.adopt(proc)

    def adopt(self, proc: Proc) -> None:
        """Take a process as one's own."""
        self.proc = proc
        proc.handlers = self.caught
        self.world.shells[proc.pid] = self

    # ----------------------------------------------------------------- the run

    def main(self) -> Runner:
        """The whole script."""
        if self.how.form == "string":
            ending = self._ending(self.script)
            where = Where(True, frozenset({"simple"} | ending))
        else:
            where = Where(True, frozenset({"simple"}) if self.dialect.exec_file else None)
        return self.run_list(self.script.body, where)

    def _ending(self, script: Script) -> set[str]:
        """What stands behind the last command of a `-c` string."""
        items = script.body.items
        if not items:
            return set()
        rest = script.text.text[items[-1].node.span.end :]
        found = set()
        if "\n" in rest:
            found.add("trailing-newline")
        if ";" in rest.split("#")[0]:
            found.add("trailing-semicolon")
        if "#" in rest:
            found.add("trailing-comment")
        return found

    def run_list(self, body: List, where: Where) -> Runner:
        """Run statements as a process of their own: to the end, an `exit`, or an exec."""
        try:
            status = yield from self.list(body, where)
        except ExitShell as exit_:
            status = exit_.status
        except (LeaveLoop, ReturnFrom):
            status = 0
        except Replaced:
            return 0
        return (yield from self._leave(status or 0))

    def run_node(self, node: Node, where: Where) -> Runner:
        """Run one command as a process of its own: a subshell, a background job, a pipeline's part."""
        if isinstance(node, Subshell):
            # It is in a process of its own already.
            return (yield from self.run_list(node.body, where))
        return (yield from self.run_list(List((Item(node, ""),), node.span), where))

    def _leave(self, status: int) -> Runner:
        """Run the EXIT trap, if there is one."""
        self.proc.interrupted = False
        handler = self.traps.pop("EXIT", "")
        if handler:
            self.world.in_exit_trap += 1
            try:
                yield from self._handler(handler, "EXIT")
            except ExitShell as exit_:
                status = exit_.status
            except Replaced:
                return 0
            except (LeaveLoop, ReturnFrom):
                pass
            finally:
                self.world.in_exit_trap -= 1
        return status

    # ------------------------------------------------------------------ signals

    def caught(self, name: str) -> bool:
        """A signal comes in: note it if there is a handler; else it takes its course."""
        if name in self.traps:
            self.pending.append(name)
            self.proc.interrupted = True
            return True
        waits = self.proc.block is not None and self.proc.block.how in ("child", "pipeline", "substitution")
        if name == "INT" and waits and name not in self.proc.ignored:
            # A shell leaves an interrupt to the child in the foreground, and lives on if the child does.
            self.proc.lost = self.proc.pid == 1
            if self.dialect.interrupt_ends and not self.subshell_of_another:
                self.pending.append(name)
            self.interrupt_left = True
            return True
        if name == "QUIT" and self.dialect.ignores_quit and not self.subshell_of_another:
            self.proc.lost = True
            return True
        if name == "INT" and self.dialect.interrupt_ends and name not in self.proc.ignored and not self.in_trap:
            self._die(INTERRUPTED)
            return True
        exits = self.dialect.exit_trap_on_signal and "EXIT" in self.traps and name not in self.proc.ignored | self.reset
        if exits and name in ("TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "ALRM", "PIPE"):
            # It does not wait for its child: the trap runs at once, and the shell is gone.
            self._die(143)
            return True
        if self.dialect.exit_trap_then_stays and "EXIT" in self.traps and name == "TERM" and self.proc.runner:
            block = self.proc.block
            if block is None or name in self.proc.ignored:
                return False
            self.proc.runner, self.proc.block = self._exit_trap_then_stay(self.proc.runner, block), None
            return True
        return False

    def _exit_trap_then_stay(self, runner: Runner, block: Block) -> Runner:
        """Run the EXIT trap at once, die of the signal, or as PID 1, which it does not end, go on waiting."""
        status = yield from self._leave(143)
        if self.proc.pid != 1 or status != 143:
            return status
        yield block
        return (yield from runner)

    def _die(self, status: int) -> None:
        """Drop what is being done, run the EXIT trap and end."""
        if self.proc.pid in self.world.running:
            # It has signalled itself: the command that did so sees to it.
            self.dying = status
            return
        self.proc.runner = self._leave(status)
        self.proc.block = None
        self.in_trap = True

    def run_pending(self) -> Generator[Block, None, None]:
        """Run the handlers of the signals that came in, as a shell does between two commands."""
        while self.pending:
            name = self.pending.pop(0)
            self.proc.interrupted = False
            handler = self.traps.get(name)
            if handler is not None:
                status = self.last_status
                yield from self._handler(handler, name)
                self.last_status = status
            elif name == "INT":
                # It was left to the child in the foreground, which is gone now.
                raise ExitShell(INTERRUPTED)

    def _handler(self, text: str, name: str) -> Status:
        outer = (self.in_trap, self.script, self.anchor, self.conditional)
        trap = self.trap_sets.get(name)
        excerpt = trap.text if trap is not None else None
        self.in_trap, self.script = True, parse(excerpt) if excerpt is not None else self.parse_text(text)
        self.anchor = None if excerpt is not None or trap is None else trap.place
        # It stands by itself, wherever the signal found the shell.
        self.conditional = 0
        self.trap_depth += 1
        ran = self._note_handler(name, trap)
        try:
            if self.trap_depth > 8:
                # Each handler sends the signal that starts it again, until the stack is full.
                self._note_handled(ran, "recursion")
                raise ExitShell(139)
            return (yield from self.list(self.script.body, Where(False)))
        except ExitShell:
            self._note_handled(ran, "exit")
            raise
        finally:
            self.trap_depth -= 1
            self.in_trap, self.script, self.anchor, self.conditional = outer

    def _note_handler(self, name: str, trap: TrapSet | None) -> int | None:
        """Where it is noted that a handler has begun."""
        if not self.world.stopped or trap is None:
            return None
        self.world.handled.append(Handled(self.proc.pid, name, trap, ""))
        return len(self.world.handled) - 1

    def _note_handled(self, ran: int | None, ended: str) -> None:
        if ran is not None and not self.world.handled[ran].ended:
            self.world.handled[ran] = self.world.handled[ran]._replace(ended=ended)

    def parse_text(self, text: str) -> Script:
        """A string of the script's own as a script."""
        return parse(Excerpt(Source("", text), text))

    def place(self, span: Span) -> Place:
        """Where something of the present script stands; for text made at run time, the command that runs it."""
        return self.anchor if self.anchor is not None else self.script.place(span)

    def call_of(self, node: Simple, where: Where, skipped: int) -> Call:
        """A command of the present script as what starts a process."""
        return Call(
            self.script,
            node,
            skipped,
            where.last,
            where.loop,
            where.function,
            where.condition,
            anchor=self.anchor,
            editable=self.anchor is None and self.machine.is_editable(self.script),
            maybe_function=self.foreign_functions and self._is_bare_name(node, skipped),
        )

    def _is_bare_name(self, node: Simple, skipped: int) -> bool:
        """Whether a command names no file that is known."""
        name = node.words[skipped].literal if skipped < len(node.words) else None
        return name is not None and "/" not in name and self.machine.find(name, self.env) is None

    def wait_for(self, block: Block) -> Generator[Block, None, bool]:
        """Wait; True if a caught signal ended it. Handlers run afterwards."""
        yield block
        interrupted = self.proc.interrupted and block.interruptible
        yield from self.run_pending()
        return interrupted

    # ------------------------------------------------------------------- nodes

    def list(self, body: List, where: Where) -> Status:
        """Statements one after the other; the status of the last."""
        status: int | None = 0
        last = len(body.items) - 1
        while last > 0 and _is_nothing(body.items[last].node):
            last -= 1
        for index, item in enumerate(body.items):
            place = where if index == len(body.items) - 1 else where.before()
            if index == last and place.last is not where.last:
                place = place._replace(last=where.last)
            if not self.dialect.process_substitution and self._has_process_substitution(item.node):
                why = f"{self.dialect.name} has no process substitution, and ends at it with a syntax error"
                self.foreign("process substitution", item.node.span)
                self.fail(why, item.node.span)
                raise ExitShell(2)
            if index:
                place = place.within(_SEPARATORS[body.items[index - 1].terminator or ";"])
            if item.background:
                status = self.start_job(item.node, place)
            else:
                status = yield from self.node(item.node, place)
                self._errexit(status, item.node)
            yield from self.run_pending()
        return status

    def _has_process_substitution(self, node: Node) -> bool:
        text = self.script.text.text
        start, end = node.span
        if text.find("<(", start, end) < 0 and text.find(">(", start, end) < 0:
            return False
        return any(isinstance(part, ProcessSub) for word in words_below(node) for part in word.parts)

    def _errexit(self, status: int | None, node: Node) -> None:
        if self.errexit and status and not self.conditional and not isinstance(node, _COMPOUND):
            negated = isinstance(node, Pipeline) and node.negated
            if not negated:
                raise ExitShell(status)

    def node(self, node: Node, where: Where) -> Status:
        """Run one command; its status, None if that is not known."""
        status: int | None
        self.at = node.span
        self.world.commands += 1
        match node:
            case Simple():
                status = yield from self.simple(node, where)
            case List():
                status = yield from self.list(node, where)
            case AndOr():
                status = yield from self.and_or(node, where)
            case Pipeline():
                status = yield from self.pipeline(node, where)
            case If():
                status = yield from self.if_(node, where)
            case Case():
                status = yield from self.case(node, where)
            case Loop():
                status = yield from self.loop(node, where)
            case For():
                status = yield from self.for_(node, where)
            case Function():
                self.functions[node.name] = Defined(node, self.script)
                status = 0
            case Subshell():
                status = yield from self.subshell(node, where)
            case Group():
                inner = where.within("group")
                if node.redirects:
                    inner = inner.within("redirect")
                status = yield from self.list(node.body, inner)
            case Test() if not self.dialect.double_bracket:
                # Not found, like any command that is not there.
                status = 127
            case Test():
                status = yield from self.double_bracket(node)
            case ArithmeticCommand():
                status = _arithmetic_status(node.text)
            case Opaque():
                self.world.obstacles.append(Obstacle(node.reason, self.place(node.span)))
                raise ExitShell(0)
            case _:
                assert_never(node)
        self.last_status = status
        return status

    # ------------------------------------------------------------------ branches

    def and_or(self, node: AndOr, where: Where) -> Status:
        """`a && b` and `a || b`."""
        self.conditional += 1
        try:
            self.soft = ""
            left = yield from self.node(node.left, where.before())
        finally:
            self.conditional -= 1
        wanted = node.op == "&&"
        soft = self.soft if _is_test(node.left) else ""
        if left is None and _is_plain(node.left):
            truth: bool | None = True
        else:
            truth = None if left is None else left == 0
        if truth is None and _is_test(node.left) and _is_test(node.right):
            # It may or may not be asked, which changes nothing but the answer.
            right = yield from self.node(node.right, where.within("and-or"))
            return right if right is not None and (right == 0) is not wanted else None
        if truth is None or soft:
            bodies = (node.right,)
            taken = self.branch(truth == wanted if truth is not None else None, soft, bodies, (), node.left.span, where)
        else:
            taken = truth == wanted
        if not taken and left is None and self.inert.all((node.right,), where.last):
            return None
        if not taken:
            return left if left is not None else (1 if wanted else 0)
        return (yield from self.node(node.right, where.within("and-or")))

    def branch(
        self,
        usual: bool | None,
        soft: str,
        yes: tuple[Node, ...],
        no: tuple[Node, ...],
        span: Span,
        where: Where,
    ) -> bool:
        """Whether to take the `yes` way, where the files do not decide or the user may.

        A way that only ends the script (a usage text, a failed check) is not taken; where neither way matters to
        processes none is recorded.
        """
        yes_aborts, no_aborts = self.inert.aborts(yes), self.inert.aborts(no)
        if usual is None and self._polls((*yes, *no), span, where):
            return not any(self.inert.leaves(node) for node in yes)
        if yes_aborts and not no_aborts:
            return False
        if no_aborts and not yes_aborts:
            return True
        if self.inert.all(yes, where.last) and self.inert.all(no, where.last):
            self.inert.forget(yes if usual is not True else ())
            return usual if usual is not None else False
        options = self.world.choose(
            2, None if usual is None else (0 if usual else 1), soft or "unknown", self.place(span)
        )
        return options == 0

    def _polls(self, ways: tuple[Node, ...], span: Span, where: Where) -> bool:
        """Whether what is asked decides when a loop ends, once the launch was told to stop: it may ask for the app."""
        if not (self.world.stopped and where.loop and any(self.inert.leaves(way) for way in ways)):
            return False
        self._doubt_waiting(span)
        return True

    def _doubt_waiting(self, span: Span) -> None:
        """What a loop polls is not known, and the grace period is finite: an app that is there may outlast the loop."""
        if any(proc.alive and proc.done for proc in self.world.at_stop):
            why = "whether the script waits for the app is not known"
            self.world.obstacles.append(Obstacle(why, self.place(span)))

    def condition(self, node: List) -> Generator[Block, None, tuple[bool | None, str]]:
        """Run a condition: whether it holds (None: not known), and what it depends on."""
        self.conditional += 1
        self.soft = ""
        try:
            status = yield from self.list(node, Where(False, condition=True))
        finally:
            self.conditional -= 1
        last = node.items[-1].node if node.items else None
        soft = self.soft if last is not None and _is_test(last) else ""
        if status is None:
            return None, soft
        return status == 0, soft

    def if_(self, node: If, where: Where) -> Status:
        """`if`: the first branch whose condition holds."""
        where = where.within("if")
        if node.redirects:
            where = where.within("redirect")
        rest = [body for _, body in node.branches]
        for index, (condition, body) in enumerate(node.branches):
            truth, soft = yield from self.condition(condition)
            if truth is None or soft:
                others: tuple[Node, ...] = tuple(rest[index + 1 :])
                if node.otherwise is not None:
                    others = (*others, node.otherwise)
                truth = self.branch(truth, soft, (body,), others, condition.span, where)
            if truth:
                return (yield from self.list(body, where))
        if node.otherwise is not None:
            return (yield from self.list(node.otherwise, where))
        return 0

    def case(self, node: Case, where: Where) -> Status:
        """`case`: the first arm of which a pattern matches."""
        where = where.within("case")
        self.soft = ""
        subject = yield from self.text(node.subject)
        soft = self.soft
        ways: list[bool | None] = []
        for arm in node.arms:
            found: bool | None = False
            for pattern in arm.patterns:
                text = yield from self.pattern(pattern)
                match = values.matches(subject, text)
                found = True if match else (found if match is False else (found or None))
                if match:
                    break
            ways.append(found)
            if found:
                break
        usual = next((i for i, way in enumerate(ways) if way is not False), None)
        certain = usual is None or ways[usual] is True
        if certain and not soft:
            return (yield from self._arm(node, usual, where))
        bodies = tuple(arm.body for arm in node.arms)
        if self.inert.all(bodies, where.last):
            self.inert.forget(bodies)
            return (yield from self._arm(node, usual, where)) if certain else 0
        live = [i for i, arm in enumerate(node.arms) if not self.inert.aborts((arm.body,))]
        ways_out: list[int | None] = [*live]
        if not any(pattern.text in ("*", "(*") for arm in node.arms for pattern in arm.patterns):
            ways_out.append(None)
        if not ways_out:
            return (yield from self._arm(node, usual, where))
        at = ways_out.index(usual) if certain and usual in ways_out else None
        way = self.world.choose(len(ways_out), at, soft or "unknown", self.place(node.subject.span))
        return (yield from self._arm(node, ways_out[way], where))

    def _arm(self, node: Case, index: int | None, where: Where) -> Status:
        if index is None:
            return 0
        status: int | None = 0
        while index < len(node.arms):
            arm = node.arms[index]
            status = yield from self.list(arm.body, where)
            if arm.end == ";;":
                break
            index += 1
        return status

    def pattern(self, word: Word) -> Generator[Block, None, str]:
        """A pattern, with quoted parts protected."""
        out = ""
        for part in word.parts:
            if isinstance(part, Literal):
                out += "".join("\\" + c if c in "*?[\\" else c for c in part.text) if part.quoted else part.text
            else:
                out += yield from self.part(part)
        return out

    # --------------------------------------------------------------------- loops

    def loop(self, node: Loop, where: Where) -> Status:
        """`while` and `until`: rounds until the condition says so, or until the launch is seen to stay in it."""
        body_where = where.plain()._replace(loop=True, last=False)
        status: int | None = 0
        thread = self.proc.thread
        points_before = len(self.world.points.get(thread, ()))
        live = self.world.stopped
        for rounds in range(1, _MOST_ROUNDS):
            truth, soft = yield from self.condition(node.condition)
            if node.until and truth is not None:
                truth = not truth
            if truth is None and self._is_watched(node):
                truth = True
            elif truth is None and rounds == 1 and may_last(node):
                self.world.polls.append(self.place(node.span))
            live = live or (self.world.stopped and rounds > 1)
            if truth is None or soft:
                truth = self._goes_round(node, truth, soft, where, rounds, live)
            if not truth:
                return status
            try:
                status = yield from self.list(node.body, body_where)
            except LeaveLoop as leave:
                if leave.levels > 1:
                    raise LeaveLoop(leave.levels - 1, leave.again) from None
                if not leave.again:
                    return 0
            yield from self.run_pending()
            if live or self.world.stopped:
                live = True
                yield from self.wait_for(Block("loop", until=self.world.clock + 0.05, place=self.place(node.span)))
            elif rounds >= 2 or not _may_change(node):
                # Another round would do the same: the launch stays here, or something ends the loop.
                if len(self.world.points.get(thread, ())) > points_before or not self._stays_in(node):
                    self.finish_polled(node)
                    return status
                self.world.live.add(thread)
                live = True
        return status

    def _stays_in(self, node: Loop) -> bool:
        """Whether the launch stays in this loop, of which nothing inside stays."""
        forever = _always(node) and not self.inert.leaves(node.body)
        return self.world.blocks_here(self.proc.thread, "forever" if forever else "loop")

    def _is_watched(self, node: Loop) -> bool:
        """Whether a loop goes on as long as a process is there that is known to be: a daemon, or a job."""
        query = watched(node)
        if query is None:
            return False
        beside = [p for p in self.world.procs.values() if p.alive and p.long and p.stages and p.pid != self.proc.pid]
        return any(not query.name or any(query.name in word for word in proc.stage.argv) for proc in beside)

    def _goes_round(self, node: Loop, truth: bool | None, soft: str, where: Where, rounds: int, live: bool) -> bool:
        """Whether to run the body where the files do not say so, or the user may say otherwise."""
        if self.world.stopped and truth is None:
            self._doubt_waiting(node.span)
            return False
        if live:
            return bool(truth)
        if rounds == 1 and not self.inert.all((node.body,), where.last):
            usual = None if truth is None else (0 if truth else 1)
            return self.world.choose(2, usual, soft or "unknown", self.place(node.condition.span)) == 0
        if rounds == 1 and where.last and truth is None and not self.inert.leaves(node.body):
            return True
        if rounds == 1:
            self.inert.forget((node.body,))
        return False

    def finish_polled(self, node: Loop) -> None:
        """A loop over `kill -0 $pid` has ended: the jobs have."""
        text = self.script.text.text[node.condition.span.start : node.condition.span.end]
        if "kill" in text:
            for job in self.jobs:
                self.finish(job)

    def for_(self, node: For, where: Where) -> Status:
        """`for`: the body for each field, as far as they are known."""
        inner = where.within("for")._replace(loop=True)
        fields: list[str] = [UNKNOWN]
        self.soft = ""
        if node.words is not None:
            fields = yield from self.expand(node.words)
        elif node.name:
            fields = list(self.positional)
        status: int | None = 0
        if len(fields) > 12:
            fields = fields[:12]
        fields = [found for field in fields for found in self.matching(field)]
        unsure = any(UNKNOWN in field or "*" in field or "?" in field for field in fields) or (not node.name)
        if unsure and node.name:
            self.inert.hooks.add(node.name)
        if unsure and self.inert.all((node.body,), where.last):
            self.inert.forget((node.body,))
            return 0
        for index, text in enumerate(fields):
            if node.name:
                self.assign(node.name, UNKNOWN if "*" in text else text, self.soft)
            last = index == len(fields) - 1
            try:
                status = yield from self.list(node.body, inner if last else inner.before()._replace(loop=True))
            except LeaveLoop as leave:
                if leave.levels > 1:
                    raise LeaveLoop(leave.levels - 1, leave.again) from None
                if not leave.again:
                    return 0
        return status

    def matching(self, field: str) -> Sequence[str]:
        """The files that a wildcard finds in the image, as far as they are known; the wildcard itself if none is."""
        if UNKNOWN in field or not any(char in field for char in "*?["):
            return [field]
        pattern = field if field.startswith("/") else f"{self.workdir.rstrip('/')}/{field}"
        return [file.path for file in self.machine.image.files.glob(pattern)] or [field]

    def unbound(self, name: str) -> None:
        """Under `set -u` a variable that is not set ends the shell; those in capitals may come from outside."""
        if not self.nounset or name.isupper() or name not in self.inert.assigned(self.script):
            return
        self.fail(f"`{name}` is not set, and `set -u` ends the script", self.at)
        raise ExitShell(1)

    def fail(self, why: str, span: Span) -> None:
        """Note what keeps the launch from going on, if it is this shell's line of execution that matters."""
        if self.proc.thread == 0 and not self.world.stopped:
            self.world.exec_failed = (why, self.place(span))

    def foreign(self, construct: str, span: Span) -> None:
        """Note what another shell than this one understands."""
        if self.anchor is None:
            file = self.proc.stage.file if self.proc.stages else None
            argv = (self.dialect.name,)
            self.world.starts.append(Started("bashism", self.place(span), construct, None, file, None, argv))

    # ------------------------------------------------------- several processes

    def clone(self, proc: Proc) -> Shell:
        """A subshell: the same state, in another process."""
        shell = Shell(self.machine, proc, self.dialect, self.script, self.env, self.how)
        shell.variables = dict(self.variables)
        shell.arrays = dict(self.arrays)
        shell.functions = dict(self.functions)
        shell.positional = list(self.positional)
        shell.positional_words = list(self.positional_words)
        shell.positional_soft = self.positional_soft
        shell.exported = dict(self.exported)
        shell.jobs = []
        shell.errexit = self.errexit
        shell.nounset = self.nounset
        shell.subshell_of_another = True
        shell.pid = self.pid
        shell.calls = self.calls
        shell.in_trap = self.in_trap
        shell.anchor = self.anchor
        shell.trap_sets = dict(self.trap_sets)
        shell.last_job = self.last_job
        shell.last_status = self.last_status
        return shell

    def subshell_stage(self, proc: Proc, node: Node, start: str) -> None:
        """Note that a process is a copy of this shell."""
        own = self.proc.stage
        text = self.place(node.span).text if node.span.end > node.span.start else ""
        shown = text if len(text) <= 40 else text[:37] + "..."
        stage = Stage((self.dialect.name, shown), own.program, start, self.place(node.span), "shell")
        stage.form, stage.dialect, stage.script = "subshell", self.dialect.name, self.script
        stage.interpreter = own.interpreter
        proc.stages.append(stage)

    def subshell(self, node: Subshell, where: Where) -> Status:
        """`( ... )`: a process of its own, unless the shell has nothing else to do."""
        inside = where.within("subshell")
        if self._execs(inside, frozenset()):
            shell = self
            saved = dict(self.traps)
            self.traps = {}
            try:
                return (yield from self.list(node.body, inside))
            finally:
                shell.traps = saved
        child = self.world.spawn(self.proc, "child", self.place(node.span))
        if self.monitor:
            child.group = child.pid
        self.subshell_stage(child, node, "child")
        shell = self.clone(child)
        tail = Where(False, frozenset({"job"}) if "subshell" in self.dialect.exec_background else None)
        child.runner = shell.run_list(node.body, tail)
        return (yield from self.foreground(child, node.span))

    def start_job(self, node: Node, where: Where) -> int:
        """`node &`."""
        thread = self.world.new_thread(self.proc)
        pids: list[int] = []
        members = node.commands if isinstance(node, Pipeline) and len(node.commands) > 1 else (node,)
        for member in members:
            proc = self.world.spawn(self.proc, "background", self.place(member.span), thread=thread)
            if self.monitor:
                proc.group = pids[0] if pids else proc.pid
            else:
                proc.ignored |= {"INT", "QUIT"}
            proc.reads_from = tuple(pids)
            pids.append(proc.pid)
            self.machine.background.add(proc.pid)
            start = "background" if len(members) == 1 else "pipeline"
            self.subshell_stage(proc, member, start)
            shell = self.clone(proc)
            proc.runner = shell.run_node(member, self._job_where(member))
            self.prime(proc)
        self.jobs.append(Job(tuple(pids), self._free_number()))
        self.last_job = str(pids[-1])
        return 0

    def _free_number(self) -> int:
        """A job's number: the first that no living job has."""
        taken = {job.number for job in self.jobs if any(self.world.procs[pid].alive for pid in job.pids)}
        return next(number for number in range(1, len(taken) + 2) if number not in taken)

    def prime(self, proc: Proc) -> None:
        """Let a new process run up to where it waits, so that a plain command is its program at once."""
        self.world.settle_from(proc)

    def _job_where(self, node: Node) -> Where:
        """Whether the subshell of a background job execs its last command."""
        kind = {
            Simple: "simple",
            Subshell: "subshell",
            Group: "group",
            AndOr: "and-or",
            If: "if",
            Case: "case",
        }.get(type(node))
        if isinstance(node, Simple) and self._is_function(node):
            kind = "function"
        if kind == "simple" or (kind is not None and kind in self.dialect.exec_background):
            return Where(True, frozenset({"job"}))
        return Where(True)

    def _is_function(self, node: Simple) -> bool:
        name = node.words[0].literal if node.words else None
        return name in self.functions

    def pipeline(self, node: Pipeline, where: Where) -> Status:
        """Commands joined by pipes, each in a process of its own; or one with `!` or `time`."""
        if len(node.commands) < 2:
            status: int | None = 0
            for command in node.commands:
                self.conditional += node.negated
                try:
                    status = yield from self.node(command, where.plain())
                finally:
                    self.conditional -= node.negated
            if node.negated and status is not None:
                return 1 if status == 0 else 0
            return status
        piped = yield from self._jobs_to_kill(node)
        if piped is not None:
            return piped
        procs: list[Proc] = []
        for command in node.commands:
            proc = self.world.spawn(self.proc, "pipeline", self.place(command.span))
            proc.reads_from = tuple(other.pid for other in procs)
            procs.append(proc)
            proc.brief = _sees_enough(node.commands[-1])
            if self.monitor:
                proc.group = procs[0].pid
            self.subshell_stage(proc, command, "pipeline")
            shell = self.clone(proc)
            shell.feeds = 1
            proc.runner = shell.run_node(command, Where(where.last, frozenset({"job"}), where.loop, where.function))
            self.prime(proc)
        pids = tuple(proc.pid for proc in procs)
        if any(proc.alive for proc in procs):
            yield from self.wait_for(Block("pipeline", pids, place=self.place(node.span)))
        status = procs[-1].status
        unsure = status == 0
        result = None if unsure and self.conditional else status
        if node.negated and result is not None:
            return 1 if result == 0 else 0
        return result

    def _jobs_to_kill(self, node: Pipeline) -> Status:
        """`jobs -p | xargs kill`: the one pipeline whose data are processes."""
        first, second = node.commands[0], node.commands[1]
        if not (isinstance(first, Simple) and isinstance(second, Simple)):
            return None
        left = [word.literal for word in first.words]
        right = [word.literal for word in second.words]
        if left[:1] not in (["jobs"], ["pgrep"], ["pidof"]) or right[:1] != ["xargs"] or "kill" not in right:
            return None
        argv = yield from self.argv(first)
        pids = (output(self, argv) or "").split()
        words = (*second.words[right.index("kill") :],)
        command = (*(yield from self.argv(Simple(words, second.span))), *(Argument(pid, pid) for pid in pids))
        return (yield from BUILTINS["kill"](self, second, command, Where(False), 0)) if pids else 0

    def foreground(self, child: Proc, span: Span) -> Status:
        """Wait for a child in the foreground."""
        if child.alive:
            self.interrupt_left = False
            yield from self.wait_for(Block("child", (child.pid,), place=self.place(span)))
            if self.interrupt_left and child.status == INTERRUPTED:
                # The child has died of the interrupt that both got: bash, too, takes it for its own.
                raise ExitShell(INTERRUPTED)
        else:
            yield from self.run_pending()
        return child.status

    def finish(self, job: Job) -> None:
        """A background job has ended before the launch settled."""
        if self.world.stopped:
            return
        for pid in job.pids:
            self.end_all(self.world.procs[pid])

    def end_all(self, proc: Proc) -> None:
        """End a process and all below it."""
        for child in self.world.children(proc.pid):
            self.end_all(child)
        self.world.end(proc, 0)

    # ------------------------------------------------------------ simple commands

    def simple(self, node: Simple, where: Where) -> Status:
        """Assignments, redirections and a command."""
        self.tail_substitution = where.last
        if not node.words:
            status: int | None = 0
            for assignment in node.assignments:
                found = yield from self.assignment(assignment)
                status = found if found is not None else status
            for redirect in node.redirects:
                if redirect.target is not None and redirect.heredoc is None:
                    yield from self.text(redirect.target)
            return status
        argv = yield from self.argv(node)
        for redirect in node.redirects:
            if redirect.target is not None and redirect.heredoc is None and not redirect.target.literal:
                yield from self.text(redirect.target)
        if not argv:
            return 0
        if self._backgrounds(node):
            # `app &> f` is `app & > f` in a shell that does not know `&>`.
            self.foreign("&>", node.span)
            bare = Simple(node.words, node.span, node.assignments)
            return self.start_job(bare, where)
        return (yield from self.command(node, argv, where, 0))

    def _backgrounds(self, node: Simple) -> bool:
        return not self.dialect.ampersand_redirect and any(r.op in ("&>", "&>>") for r in node.redirects)

    def argv(self, node: Simple) -> Generator[Block, None, Argv]:
        """The fields of a command, each with the text that it comes from."""
        out: list[Argument] = []
        told = self.machine.shared.arguments
        for index, word in enumerate(node.words):
            literal = word.parts[0] if len(word.parts) == 1 else None
            if isinstance(literal, Literal):
                # The same text in two files has the same words, at other places.
                key = (id(self.script), id(word))
                known = told.get(key)
                if known is not None:
                    out.append(known[2])
                    continue
                start = word.span.start + (1 if literal.quoted else 0)
                end = word.span.end - (1 if literal.quoted else 0)
                excerpt = None
                if self.script.text.text[start:end] == literal.text and self.script.text.source.path:
                    excerpt = self.script.text.cut(start, end)
                    if not literal.quoted:
                        excerpt = replace(excerpt, quoting=_bare(self.script.text))
                text = self._tilde(literal)
                argument = Argument(text, text if literal.quoted else word.text, excerpt)
                out.append(argument)
                if text == literal.text:
                    told[key] = (self.script, word, argument)
                continue
            outer, self.soft = self.soft, ""
            if word.text in ('"$@"', "$@", "$*", '"${@}"', "${@}") and self.positional_words:
                split = not word.text.startswith('"')
                out.extend(part for each in self.positional_words for part in (_split(each) if split else (each,)))
                self._touch(Value(None, self.positional_soft))
                self.soft = self.soft or outer
                continue
            fields = yield from self.fields(word)
            if not fields and index + 1 < len(node.words) and node.words[index + 1].text.startswith("-"):
                # `$JAVA -jar app.jar`: whoever runs it has set it, or there would be no program.
                fields = [UNKNOWN] if all(each.value == "exec" for each in out) else fields
            for field in fields:
                shown = word.text if UNKNOWN in field or (len(fields) == 1 and len(field) > 60) else field
                out.append(Argument(field, shown, None, self.soft))
            self.soft = self.soft or outer
        return tuple(out)

    def assignment(self, assignment: Assignment) -> Status:
        """`name=value`; the status of a command substitution in it."""
        if assignment.array is not None and not self.dialect.arrays:
            self.foreign("arrays", self.at)
            self.fail(f"{self.dialect.name} has no arrays, and ends at `(` with a syntax error", self.at)
            raise ExitShell(2)
        if assignment.array is not None:
            fields = yield from self.expand(assignment.array)
            items = self.arrays.get(assignment.name, []) if assignment.append else []
            self.arrays[assignment.name] = [*items, *fields]
            return None
        outer, self.soft = self.soft, ""
        text = (yield from self.text(assignment.value)) if assignment.value is not None else ""
        soft, self.soft = self.soft, outer
        if assignment.subscript is not None:
            self.arrays.setdefault(assignment.name, []).append(text)
            return None
        if assignment.append:
            before = self.lookup(assignment.name)
            text = (before.text or "") + text
            soft = soft or before.soft
        self.assign(assignment.name, text, soft)
        if assignment.name in self.exported:
            self.exported[assignment.name] = text
        return None

    def command(self, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
        """A command with its words expanded: a function, a builtin, or a program."""
        name = argv[0].value
        if name in self.functions and skipped == 0:
            return (yield from self.call(node, argv, where))
        if name == "builtin" and not self.dialect.builtin_builtin:
            return 127
        builtin = BUILTINS.get(name)
        if builtin is not None:
            for assignment in node.assignments:
                yield from self.assignment(assignment)
            result = builtin(self, node, argv, where, skipped)
            return (yield from result)
        return (yield from self.program(node, argv, where, skipped))

    def call(self, node: Simple, argv: Argv, where: Where) -> Status:
        """A function's body with its own arguments."""
        if self.calls >= 12:
            self.world.obstacles.append(Obstacle(f"{argv[0].value} calls itself without end", self.place(node.span)))
            raise ExitShell(0)
        defined = self.functions[argv[0].value]
        outer = (self.positional, self.positional_words, self.positional_soft, self.script)
        self.positional = [word.value for word in argv[1:]]
        self.positional_words = list(argv[1:])
        self.positional_soft = next((word.soft for word in argv[1:] if word.soft), "")
        for word in node.words[1:]:
            if any(isinstance(part, Param) and part.name in ("@", "*", "1") for part in word.parts):
                self.positional_soft = self.positional_soft or outer[2]
        self.script = defined.script
        self.calls += 1
        try:
            return (yield from self.node(defined.node.body, where.plain()._replace(function=True)))
        except ReturnFrom as back:
            return back.status
        finally:
            self.calls -= 1
            self.positional, self.positional_words, self.positional_soft, self.script = outer

    # ------------------------------------------------------------------ programs

    def child_environment(self, node: Simple) -> Generator[Block, None, Environment]:
        """What a program started now inherits."""
        variables = {**self.env.variables, **self.exported}
        for assignment in node.assignments:
            if assignment.value is not None:
                variables[assignment.name] = yield from self.text(assignment.value)
        passed = any(
            isinstance(part, Param) and (part.name in ("@", "*") or part.name.isdigit())
            for word in node.words
            for part in word.parts
        )
        return Environment(variables, self.workdir, self.positional_soft if passed else "", self.env.user)

    def _execs(self, where: Where, extra: frozenset[str]) -> bool:
        """Whether the shell replaces itself by this command without being told to."""
        if where.implicit is None or self.in_trap:
            return False
        if any(handler for handler in self.traps.values()):
            return False
        if "job" in where.implicit:
            # A process of its own already: bash makes it the last command's, but not from inside of others, and not
            # behind others where it has redirections to undo.
            if "group" in self.dialect.exec_background:
                return True
            behind = where.implicit & {*_SEPARATORS.values(), "and-or"}
            redirected = extra & {"redirect", "heredoc", "process-substitution"}
            return not where.implicit & {"if", "case", "group", "for"} and not (behind and redirected)
        if self.proc.ignored - self.inherited_ignored:
            extra = extra | {"ignored-trap"}
        if self.err_trap:
            extra = extra | {"err-trap"}
        return self.dialect.execs(where.implicit | extra, file=self.how.form != "string")

    def circumstances(self, node: Simple, skipped: int) -> frozenset[str]:
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

    def program(self, node: Simple, argv: Argv, where: Where, skipped: int, *, replace: bool = False) -> Status:
        """Start a program: in place of this process, or as its child in the foreground."""
        env = yield from self.child_environment(node)
        call = self.call_of(node, where, skipped)
        span = node.words[min(skipped, len(node.words) - 1)].span
        at = self.place(Span(span.start, node.words[-1].span.end))
        if not replace and self._execs(where, self.circumstances(node, skipped)):
            replace = True
        if replace:
            self.replace_process()
            self.machine.become(self.proc, argv, "exec", at, call, env)
            raise Replaced
        self._doubt_handler(call, argv)
        child = self.world.spawn(self.proc, "child", at)
        if self.monitor:
            child.group = child.pid
        child.reads_from = self.proc.reads_from if self.feeds else ()
        child.fed = any(redirect.op.startswith("<<") for redirect in node.redirects)
        self.machine.become(child, argv, "child", at, call, env)
        return (yield from self.foreground(child, node.span)) if child.alive else self._result(child, argv)

    def _doubt_handler(self, call: Call, argv: Argv) -> None:
        """What a handler calls may be a function that is not at hand, or a program that stops the app by its own means.

        Either may wait until the app has ended: `gitlab-ctl stop`, `/opt/app/bin/shutdown.sh`.
        """
        if not (self.trap_depth and self.world.stopped):
            return
        words = [word.value for word in argv]
        if self.machine.program(words, self.env) is not None:
            return
        name = argv[0].text
        if call.maybe_function:
            self.world.obstacles.append(Obstacle(f"{name} may be a function of a file that is not at hand", call.place))
        elif any(map(_STOPS.search, words)) and not self._is_at_hand(words[0]):
            self.world.obstacles.append(Obstacle(f"{name} may stop the app, and wait until it has ended", call.place))

    def _is_at_hand(self, program: str) -> bool:
        file = self.machine.find(program, self.env)
        return file is not None and file.text is not None

    def _result(self, child: Proc, argv: Argv) -> int | None:
        """The status of a program that has ended at once: not known where it matters."""
        if child.status:
            return child.status
        return {"true": 0, "false": 1, "sleep": 0}.get(
            argv[0].value.rpartition("/")[2], None if self.conditional else 0
        )

    def replace_process(self) -> None:
        """Caught signals are reset by exec; ignored ones stay."""
        self.traps = {}
        self.pending = []

    # -------------------------------------------------------------- substitution

    def substitute(self, body: List) -> Generator[Block, None, str]:
        """`$(...)`: the output of what can be told without running it."""
        if len(body.items) == 1 and isinstance(body.items[0].node, Simple):
            node = body.items[0].node
            argv = yield from self.argv(node)
            if argv:
                known = output(self, argv)
                if known is not None:
                    return known
                yield from self._substituted(node, argv)
        elif len(body.items) >= 1:
            last = body.items[-1].node
            if isinstance(last, Simple) and last.words and last.words[0].literal == "exec":
                argv = yield from self.argv(last)
                if len(argv) > 1:
                    yield from self._substituted(last, argv[1:])
        return UNKNOWN

    def _substituted(self, node: Simple, argv: Argv) -> Generator[Block, None, None]:
        """A program in a command substitution: it may be the main one, run there for its output."""
        if argv[0].value == "exec" and len(argv) > 1:
            argv = argv[1:]
        if argv[0].value in self.functions or argv[0].value in BUILTINS or self.world.stopped:
            return
        fact = self.machine.program([word.value for word in argv], self.env)
        if fact is not None and fact.lifetime != "forever":
            return
        if fact is None and not self.tail_substitution:
            return
        child = self.world.spawn(self.proc, "substitution", self.place(node.span))
        call = self.call_of(node, Where(False), 0)._replace(substitution=True)
        env = Environment({**self.env.variables, **self.exported}, self.workdir)
        self.machine.become(child, argv, "substitution", self.place(node.span), call, env)
        if child.alive:
            yield from self.wait_for(Block("substitution", (child.pid,), place=self.place(node.span)))

    def process_substitution(self, part: ProcessSub) -> Generator[Block, None, str]:
        """`>(tee f)`: a process beside, which ends with what writes to it."""
        yield from ()
        items = part.body.items
        if part.op == ">" and items and isinstance(items[0].node, Simple):
            node = items[0].node
            thread = self.world.new_thread(self.proc)
            proc = self.world.spawn(self.proc, "pipeline", self.place(node.span), thread=thread)
            self.machine.background.add(proc.pid)
            words = tuple(Argument(word.literal or UNKNOWN, word.text) for word in node.words)
            if words:
                proc.stages.append(
                    Stage(tuple(w.text for w in words), words[0].text, "pipeline", self.place(node.span), "job")
                )
                proc.helper = True
                proc.react = lambda _: "default"
                # A reader: gone when the process that writes to it is.
                proc.reads_from = (self.proc.pid,)
        return "/dev/fd/63"

    # --------------------------------------------------------------------- tests

    def double_bracket(self, node: Test) -> Status:
        """The status of `[[ ... ]]`."""
        truth = yield from self.expression(node.expression)
        return None if truth is None else (0 if truth else 1)

    def expression(self, node: TestExpression) -> Generator[Block, None, bool | None]:
        """Whether a test holds; None where the files do not tell."""
        if node.op == "?":
            return None
        if node.op == "!":
            inner = yield from self.expression(node.operands[0])
            return None if inner is None else not inner
        if node.op in ("&&", "||"):
            left = yield from self.expression(node.operands[0])
            right = yield from self.expression(node.operands[1])
            decisive = node.op == "||"
            if left is decisive or right is decisive:
                return decisive
            return None if left is None or right is None else not decisive
        if node.op in ("==", "=", "!="):
            subject = yield from self.text(node.words[0])
            pattern = yield from self.pattern(node.words[1])
            match = values.matches(subject, pattern)
            return match if match is None or node.op != "!=" else not match
        if node.op == "=~":
            yield from self.text(node.words[0])
            return None
        first = yield from self.text(node.words[0])
        if len(node.words) == 1:
            return test(self, [node.op, first])
        second = yield from self.text(node.words[1])
        return test(self, [first, node.op, second])


# -------------------------------------------------------------------- shapes


def _split(word: Argument) -> Argv:
    """What becomes of an argument without quotes."""
    parts = word.value.split()
    return (word,) if parts == [word.value] else tuple(Argument(part, part, None, word.soft) for part in parts)


def _is_test(node: Node) -> bool:
    """Whether a command's status is computed from the words it tests."""
    match node:
        case Test() | ArithmeticCommand():
            return True
        case Simple():
            return bool(node.words) and node.words[0].text in ("[", "test")
        case Pipeline():
            return len(node.commands) == 1 and _is_test(node.commands[0])
        case AndOr():
            return _is_test(node.left) and _is_test(node.right)
        case Group():
            return all(_is_test(item.node) for item in node.body.items)
    return False


def _is_plain(node: Node) -> bool:
    """Whether a command is there for what it does, not to ask for something: it is taken to succeed."""
    if isinstance(node, AndOr):
        return _is_plain(node.left) and _is_plain(node.right)
    if isinstance(node, Pipeline):
        last = node.commands[-1] if node.commands else None
        return last is not None and not node.negated and _is_plain(last) and not _asks(last)
    return not _is_test(node)


def _asks(node: Node) -> bool:
    """Whether a pipeline's last command is there for its answer."""
    name = node.words[0].text.rpartition("/")[2] if isinstance(node, Simple) and node.words else ""
    return name in ("grep", "egrep", "fgrep", "read", "awk", "cmp", "diff", "head", "jq", "wc")


def _sees_enough(node: Node) -> bool:
    """Whether a pipeline's last command ends before its input does: `head`, `grep -q`, `grep -m 1`."""
    if not isinstance(node, Simple) or not node.words:
        return False
    options = [word.text for word in node.words[1:] if word.text.startswith("-")]
    quiet = any(option.startswith("--") and option in ("--quiet", "--max-count=1") for option in options) or any(
        letter in option for option in options if option[1:2] != "-" for letter in "qm"
    )
    return node.words[0].text == "head" or (node.words[0].text in ("grep", "egrep", "fgrep") and quiet)


def _is_nothing(node: Node) -> bool:
    """A command after which the same would happen without it: `exit`, `exit $?`, `:`, `true`."""
    if isinstance(node, Function):
        return True
    return isinstance(node, Simple) and bool(node.words) and node.words[0].text in ("exit", ":", "true", "return", "fi")


def _always(node: Loop) -> bool:
    """Whether a loop's condition is a constant: `while true`, `while :`, `until false`, `while [ 1 ]`."""
    if len(node.condition.items) != 1:
        return False
    command = node.condition.items[0].node
    if isinstance(command, ArithmeticCommand):
        return command.text.strip() == "1" and not node.until
    if isinstance(command, Simple):
        text = " ".join(word.text for word in command.words)
        if text.startswith("sleep "):
            return not node.until
        return text in (("false",) if node.until else ("true", ":", "[ 1 ]", "[ true ]", "/bin/true", "test 1"))
    if isinstance(command, Test):
        return command.expression.op == "-n" and command.expression.words[0].literal is not None and not node.until
    return False


def _bare(text: Excerpt) -> str:
    """What an insertion into an unquoted word of a command must respect: see `Excerpt.quoting`."""
    before = text.offset(0) - 1
    quoted = text.quoting in ("word", "nested") or (before >= 0 and text.source.text[before] == "'")
    return "nested" if quoted else "word"


def _may_change(node: Loop) -> bool:
    """Whether a second round may differ from the first."""
    return not _always(node)


def _arithmetic_status(text: str) -> int | None:
    stripped = text.strip()
    return (0 if int(stripped) else 1) if stripped.isdigit() else None


def _user_id(machine: Machine, env: Environment) -> str:
    user = (env.user or machine.image.user).partition(":")[0]
    if user in ("", "root", "0"):
        return "0"
    return user if user.isdigit() else "1000"
