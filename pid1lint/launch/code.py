"""Scripts compiled: a tree of commands becomes a flat row of operations that jump, once for each way it is called.

What is static is worked out here: which command is the last of its shell, where a shell may exec by itself, whether
`set -e` looks away, what is a test, where two ways meet. An operation says what to do; `step` does it.
"""

from __future__ import annotations

from typing import Any, TypeAlias, assert_never

from pid1lint.frozen import NamedTuple
from pid1lint.launch.shapes import (
    and_or_parts,
    arithmetic_status,
    is_nothing,
    is_plain,
    is_test,
    sees_enough,
    words_below,
)
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
    Loop,
    Node,
    Opaque,
    Pipeline,
    ProcessSub,
    Simple,
    Subshell,
    Test,
)
from pid1lint.source import Span

_SEPARATORS = {"&": "background-list", ";": "semicolon", "\n": "newline"}
# What fails in these without ending the shell did so where `set -e` looks away.
_COMPOUND = (AndOr, If, Loop, For, Case, Group)
_JOB_KINDS = {Simple: "simple", Subshell: "subshell", Group: "group", AndOr: "and-or", If: "if", Case: "case"}
_MOST_KEPT = 4096
"""How many pieces of code are kept."""


class Where(NamedTuple):
    """Where a command stands.

    `last`: its shell does nothing after it. `implicit`: the circumstances (see `facts.shells`) under which it would be
    the last one of a `-c` string; None: it is not. `conditional`: its status is asked for, so `set -e` looks away.
    """

    last: bool
    implicit: frozenset[str] | None = None
    loop: bool = False
    function: bool = False
    condition: bool = False
    conditional: bool = False

    def within(self, circumstance: str) -> Where:
        """The same place inside a compound command."""
        if self.implicit is None or circumstance in self.implicit:
            return self
        return self._replace(implicit=self.implicit | {circumstance})

    def before(self) -> Where:
        """The place of a command that others follow."""
        return self if not self.last and self.implicit is None else self._replace(last=False, implicit=None)

    def plain(self) -> Where:
        """The same place where no shell execs by itself."""
        return self if self.implicit is None else self._replace(implicit=None)

    def asked(self) -> Where:
        """The same place where the status is asked for."""
        return self if self.conditional else self._replace(conditional=True)

    def called(self) -> Where:
        """The place of a function's body that is called here."""
        return self.plain()._replace(function=True)


CONDITION = Where(False, condition=True, conditional=True)
"""Where the commands stand that a branch or a loop asks."""


# ------------------------------------------------------------------- operations


class Set(NamedTuple):
    """The status is known."""

    status: int | None


class Jump(NamedTuple):
    """Go on somewhere else."""

    to: int


class Assign(NamedTuple):
    """An assignment by itself."""

    assignment: Assignment
    node: Simple
    last: bool


class Expand(NamedTuple):
    """A command without words: only its redirections are expanded."""

    node: Simple
    last: bool


class Run(NamedTuple):
    """A simple command with words."""

    node: Simple
    where: Where


class After(NamedTuple):
    """Between two statements: a failure may end the shell, and handlers run."""

    errexit: bool


class Meet(NamedTuple):
    """Where the ways of a branch meet: the `join` of the operations that choose between them."""


class Forget(NamedTuple):
    """What decides the next answer is collected anew."""


class Chain(NamedTuple):
    """Behind the left side of && or ||: go on to the right side, or to `skip`.

    `tested`: the left side is a test; `plain`: it is there for what it does; `copy`: where the right side stands once
    more, for a test of which the left side's answer is not known.
    """

    node: AndOr
    where: Where
    tested: bool
    plain: bool
    skip: int
    copy: int
    join: int = 0


class Skipped(NamedTuple):
    """The right side of && or || was not run."""

    node: AndOr
    where: Where


class Perhaps(NamedTuple):
    """The right side of a chain of tests was run although nobody knows whether it should: an answer may decide.

    `wanted`: it is && that joins them, which a false right side decides; one that is true decides ||.
    """

    wanted: bool


class Branch(NamedTuple):
    """Behind the condition of `if` number `number`: into its body, or on to `other`."""

    node: If
    number: int
    where: Where
    tested: bool
    other: int
    join: int = 0


class Choose(NamedTuple):
    """`case`: into one of the `arms`, or to `none`."""

    node: Case
    where: Where
    arms: tuple[int, ...]
    none: int
    join: int = 0


class EnterLoop(NamedTuple):
    """A `while` or `until` loop begins; `end` is where it is left, `again` where a round begins."""

    again: int
    end: int


class Round(NamedTuple):
    """Behind a loop's condition: into the body, or to its end."""

    node: Loop
    where: Where
    tested: bool
    end: int
    join: int = 0


class RoundEnd(NamedTuple):
    """At the end of a loop's body."""

    node: Loop
    again: int


class LeaveLoop(NamedTuple):
    """A loop is over; its status is the last round's."""


class EnterFor(NamedTuple):
    """A `for` loop begins: its fields are expanded."""

    node: For
    where: Where
    again: int
    end: int


class Next(NamedTuple):
    """The next field of a `for` loop: into its body (`last` for the last one, where that makes a difference)."""

    node: For
    last: int
    end: int


class FieldEnd(NamedTuple):
    """At the end of a `for` loop's body."""

    again: int


class Define(NamedTuple):
    """A function."""

    node: Function


class Fork(NamedTuple):
    """A subshell: a process of its own, unless the shell has nothing else to do."""

    node: Subshell
    where: Where


class Job(NamedTuple):
    """Member `number` of a background job."""

    node: Node
    number: int
    of: int


class JobStarted(NamedTuple):
    """All members of a background job are at work."""


class KillJobs(NamedTuple):
    """`jobs -p | xargs kill`: the one pipeline whose data are processes; `end` is behind it."""

    node: Pipeline
    where: Where
    end: int


class Pipe(NamedTuple):
    """Member `number` of a pipeline, which reads from the one `before` it."""

    node: Node
    number: int
    brief: bool
    where: Where
    before: Node | None = None


class Piped(NamedTuple):
    """All members of a pipeline are at work: wait for them."""

    span: Span
    conditional: bool
    negated: bool


class Negate(NamedTuple):
    """The status turned round."""


class Bracket(NamedTuple):
    """`[[ ... ]]`."""

    node: Test


class Unread(NamedTuple):
    """What the parser could not read, or what is too much to be followed."""

    reason: str
    span: Span


class NoProcessSubstitution(NamedTuple):
    """A statement with a process substitution, which not every shell has."""

    span: Span


class End(NamedTuple):
    """The end of the code."""


Op: TypeAlias = (
    Set
    | Jump
    | Assign
    | Expand
    | Run
    | After
    | Meet
    | Forget
    | Chain
    | Skipped
    | Perhaps
    | Branch
    | Choose
    | EnterLoop
    | Round
    | RoundEnd
    | LeaveLoop
    | EnterFor
    | Next
    | FieldEnd
    | Define
    | Fork
    | Job
    | JobStarted
    | KillJobs
    | Pipe
    | Piped
    | Negate
    | Bracket
    | Unread
    | NoProcessSubstitution
    | End
)


class Code:
    """Operations, in the order in which they stand; `kept` is what is known of each of them once it was asked for."""

    __slots__ = ("kept", "ops")

    def __init__(self, ops: tuple[Op, ...]) -> None:
        self.ops = ops
        self.kept: tuple[Any, ...] | None = None


# ---------------------------------------------------------------------- compiling


_compiled: dict[tuple[int, Where, bool], tuple[Node, Code]] = {}


def compiled(body: Node, where: Where) -> Code:
    """The code of a command that stands somewhere; the same for the same command, as long as both are in use."""
    return _kept(body, where, alone=False)


def compiled_alone(node: Node, where: Where) -> Code:
    """The code of one command as a process of its own: a background job, a pipeline's part."""
    # A subshell is in a process of its own already.
    return compiled(node.body, where) if isinstance(node, Subshell) else _kept(node, where, alone=True)


def _kept(node: Node, where: Where, *, alone: bool) -> Code:
    key = (id(node), where, alone)
    found = _compiled.get(key)
    if found is None:
        if len(_compiled) >= _MOST_KEPT:
            _compiled.clear()
        compiler = _Compiler()
        compiler.node(List((Item(node, ""),), node.span) if alone else node, where)
        compiler.add(End())
        # The command is held beside its code: as long as it is, no other has its identity.
        found = _compiled[key] = (node, Code(tuple(compiler.ops)))
    return found[1]


def job_where(node: Node, exec_background: frozenset[str], *, is_function: bool) -> Where:
    """Whether the subshell of a background job execs its last command."""
    kind = "function" if is_function else _JOB_KINDS.get(type(node))
    execs = kind == "simple" or (kind is not None and kind in exec_background)
    return Where(True, frozenset({"job"}) if execs else None)


class _Compiler:
    """The code that has come together so far."""

    def __init__(self) -> None:
        self.ops: list[Op] = []

    def add(self, op: Op) -> int:
        """One more operation; its number."""
        self.ops.append(op)
        return len(self.ops) - 1

    @property
    def here(self) -> int:
        """The number of the next operation."""
        return len(self.ops)

    def meet(self, jumps: list[int]) -> None:
        """Where ways meet: the ends of some of them jump here."""
        for jump in jumps:
            self.ops[jump] = Jump(self.here)
        self.add(Meet())

    def node(self, node: Node, where: Where) -> None:
        """One command."""
        match node:
            case Simple():
                self.simple(node, where)
            case List():
                self.list(node, where)
            case AndOr():
                self.and_or(node, where)
            case Pipeline():
                self.pipeline(node, where)
            case If():
                self.if_(node, where)
            case Case():
                self.case(node, where)
            case Loop():
                self.loop(node, where)
            case For():
                self.for_(node, where)
            case Function():
                self.add(Define(node))
            case Subshell():
                self.add(Fork(node, where))
            case Group():
                inner = where.within("group")
                self.list(node.body, inner.within("redirect") if node.redirects else inner)
            case Test():
                self.add(Bracket(node))
            case ArithmeticCommand():
                self.add(Set(arithmetic_status(node.text)))
            case Opaque():
                self.add(Unread(node.reason, node.span))
            case _:
                assert_never(node)

    def simple(self, node: Simple, where: Where) -> None:
        """Assignments, redirections and a command."""
        if node.words:
            self.add(Run(node, where))
            return
        if not node.assignments:
            self.add(Set(0))
        for assignment in node.assignments:
            # `$?` in it still is the status of what was before.
            self.add(Assign(assignment, node, where.last))
        if node.redirects:
            self.add(Expand(node, where.last))

    def list(self, body: List, where: Where) -> None:
        """Statements one after the other."""
        items = body.items
        if not items:
            self.add(Set(0))
            return
        last = len(items) - 1
        while last > 0 and is_nothing(items[last].node):
            last -= 1
        for index, item in enumerate(items):
            place = where if index == len(items) - 1 else where.before()
            if index == last and place.last is not where.last:
                place = place._replace(last=where.last)
            if _has_process_substitution(item.node):
                self.add(NoProcessSubstitution(item.node.span))
            if index:
                place = place.within(_SEPARATORS[items[index - 1].terminator or ";"])
            self.statement(item, place)

    def statement(self, item: Item, where: Where) -> None:
        """One statement of a list."""
        if item.background:
            node = item.node
            members = node.commands if isinstance(node, Pipeline) and len(node.commands) > 1 else (node,)
            if len(members) > MOST_MEMBERS:
                self.add(Unread(_TOO_MANY, node.span))
                return
            for index, member in enumerate(members):
                self.add(Job(member, index, len(members)))
            self.add(JobStarted())
            self.add(After(False))
            return
        self.node(item.node, where)
        negated = isinstance(item.node, Pipeline) and item.node.negated
        self.add(After(not (where.conditional or negated or isinstance(item.node, _COMPOUND))))

    def and_or(self, node: AndOr, where: Where) -> None:
        """`a && b || c`: a chain, from left to right."""
        first, joined = and_or_parts(node)
        tested, plain = is_test(first), is_plain(first)
        inner = where.before().asked()
        self.add(Forget())
        self.node(first, inner)
        for part in joined:
            outer = where if part is node else inner
            right = outer.within("and-or")
            at = self.add(End())
            self.node(part.right, right)
            done = [self.add(End())]
            copy = 0
            right_tested = is_test(part.right)
            if tested and right_tested:
                copy = self.here
                self.node(part.right, right)
                self.add(Perhaps(part.op == "&&"))
                done.append(self.add(End()))
            skip = self.add(Skipped(part, outer))
            self.meet(done)
            self.ops[at] = Chain(part, outer, tested, plain, skip, copy, self.here - 1)
            tested, plain = tested and right_tested, plain and is_plain(part.right)

    def if_(self, node: If, where: Where) -> None:
        """`if`: the first branch whose condition holds."""
        where = where.within("if")
        if node.redirects:
            where = where.within("redirect")
        done: list[int] = []
        chosen: dict[int, Branch] = {}
        for index, (condition, body) in enumerate(node.branches):
            tested = self.condition(condition)
            at = self.add(End())
            self.list(body, where)
            done.append(self.add(End()))
            chosen[at] = Branch(node, index, where, tested, self.here)
        if node.otherwise is not None:
            self.list(node.otherwise, where)
        else:
            self.add(Set(0))
        self.meet(done)
        for at, op in chosen.items():
            self.ops[at] = op._replace(join=self.here - 1)

    def condition(self, body: List) -> bool:
        """What a branch or a loop asks; whether that is a test."""
        self.add(Forget())
        self.list(body, CONDITION)
        return bool(body.items) and is_test(body.items[-1].node)

    def case(self, node: Case, where: Where) -> None:
        """`case`: the first arm of which a pattern matches."""
        where = where.within("case")
        at = self.add(End())
        arms: list[int] = []
        done: list[int] = []
        for arm in node.arms:
            arms.append(self.here)
            self.list(arm.body, where)
            if arm.end == ";;":
                done.append(self.add(End()))
        done.append(self.add(End()))
        none = self.add(Set(0))
        self.meet(done)
        self.ops[at] = Choose(node, where, tuple(arms), none, self.here - 1)

    def loop(self, node: Loop, where: Where) -> None:
        """`while` and `until`."""
        inside = where.plain()._replace(loop=True, last=False)
        begin = self.add(End())
        again = self.here
        tested = self.condition(node.condition)
        at = self.add(End())
        self.list(node.body, inside)
        self.add(RoundEnd(node, again))
        end = self.add(LeaveLoop())
        self.meet([])
        self.ops[begin] = EnterLoop(again, end)
        self.ops[at] = Round(node, where, tested, end, self.here - 1)

    def for_(self, node: For, where: Where) -> None:
        """`for`: the body for each field; once more for the last of them, where the shell may exec in it."""
        inside = where.within("for")._replace(loop=True)
        begin = self.add(End())
        again = self.add(End())
        self.list(node.body, inside.before())
        self.add(FieldEnd(again))
        last = again + 1
        if inside.before() != inside:
            last = self.here
            self.list(node.body, inside)
            self.add(FieldEnd(again))
        end = self.add(LeaveLoop())
        self.ops[begin] = EnterFor(node, where, again, end)
        self.ops[again] = Next(node, last, end)

    def pipeline(self, node: Pipeline, where: Where) -> None:
        """Commands joined by pipes, each in a process of its own; or one with `!` or `time`."""
        if len(node.commands) < 2:
            inner = where.plain()
            for command in node.commands:
                self.node(command, inner.asked() if node.negated else inner)
            if node.negated:
                self.add(Negate())
            return
        if len(node.commands) > MOST_MEMBERS:
            self.add(Unread(_TOO_MANY, node.span))
            return
        kills = self.add(End()) if _kills_jobs(node) else None
        brief = sees_enough(node.commands[-1])
        member = Where(where.last, frozenset({"job"}), where.loop, where.function)
        for index, command in enumerate(node.commands):
            self.add(Pipe(command, index, brief, member, node.commands[index - 1] if index else None))
        self.add(Piped(node.span, where.conditional, node.negated))
        if kills is not None:
            self.ops[kills] = KillJobs(node, where, self.here)


MOST_MEMBERS = 200
"""How many commands of one pipeline are followed."""
_TOO_MANY = f"a pipeline of more than {MOST_MEMBERS} commands"


def _kills_jobs(node: Pipeline) -> bool:
    first, second = node.commands[0], node.commands[1]
    if not (isinstance(first, Simple) and isinstance(second, Simple)):
        return False
    left = [word.literal for word in first.words]
    right = [word.literal for word in second.words]
    return left[:1] in (["jobs"], ["pgrep"], ["pidof"]) and right[:1] == ["xargs"] and "kill" in right


def _has_process_substitution(node: Node) -> bool:
    return any(isinstance(part, ProcessSub) for word in words_below(node) for part in word.parts)
