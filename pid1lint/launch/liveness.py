"""Which variables still matter at an operation: those that may be read before they are written.

A data flow from the end to the beginning, as compilers do it. It errs towards more: what cannot be told is read, and
nothing is written by what may not be run.
"""

from __future__ import annotations

from collections.abc import Sequence

from pid1lint.frozen import NamedTuple
from pid1lint.launch.code import (
    Assign,
    Bracket,
    Branch,
    Chain,
    Choose,
    Code,
    Define,
    End,
    EnterFor,
    EnterLoop,
    Expand,
    FieldEnd,
    Forget,
    Fork,
    Job,
    Jump,
    KillJobs,
    Next,
    Op,
    Pipe,
    Round,
    RoundEnd,
    Run,
    Unread,
)
from pid1lint.launch.shapes import ALL_CALLS, ALL_NAMES, names_read
from pid1lint.shell.ir import Case, Declared, For, List, Simple
from pid1lint.source import Span

_LONG = 5000
"""In how many operations nobody looks up which names are read."""
_ANYTHING = frozenset((ALL_NAMES, ALL_CALLS))
_NOTHING: frozenset[str] = frozenset()
_EMPTY = List((), Span(0, 0))
_LEAVES = frozenset(("return", "exit"))
_JUMPS = frozenset(("break", "continue", "eval", ".", "source"))
SOFT = "?"
"""Stands among the names that are read for what decides an answer: `Shell.soft`."""
_SOFTLY = frozenset((SOFT,))
_GIVES = frozenset(("local", "declare", "typeset", "readonly", "export"))


class Live(NamedTuple):
    """From an operation on to the end of its code.

    `read` are the variables that may be read there before they are written, and the functions that may be called (see
    `shapes.names_read`); `written` the variables that are written on every way to the end.
    """

    read: frozenset[str]
    written: frozenset[str] = _NOTHING


_OVER = Live(_NOTHING)


def live(code: Code, at: int) -> Live:
    """What matters from operation number `at` on; nothing behind the end, where a shell is about to leave."""
    found: tuple[Live, ...] | None = code.kept
    if found is None:
        found = code.kept = _worked_out(code.ops)
    return found[at] if at < len(found) else _OVER


def _worked_out(ops: Sequence[Op]) -> tuple[Live, ...]:
    if len(ops) > _LONG:
        return (Live(_ANYTHING),) * len(ops)
    own = [_read_by(op) for op in ops]
    whole = frozenset().union(*own)
    local = frozenset().union(*(_given(op.node) for op in ops if isinstance(op, Run) and _is_local(op.node)))
    found: list[Live | None] = [None] * len(ops)
    changes = True
    while changes:
        changes = False
        for at in range(len(ops) - 1, -1, -1):
            new = _before(ops[at], at, own[at], whole, local, found)
            if new is not None and new != found[at]:
                found[at] = new
                changes = True
    return tuple(each if each is not None else Live(whole) for each in found)


def _before(
    op: Op, at: int, own: frozenset[str], whole: frozenset[str], local: frozenset[str], found: Sequence[Live | None]
) -> Live | None:
    """What matters before an operation, by what does behind it; None as long as nothing of that is known.

    What is `local` in a function is not written for whoever calls it.
    """
    if isinstance(op, End):
        return _OVER
    name = op.node.words[0].literal if isinstance(op, Run) else None
    if name in _LEAVES:
        return Live(own)
    if name in _JUMPS:
        return Live(whole)
    if isinstance(op, Next):
        # Its variable is written on the way into the body only.
        into = _joined([found[at + 1], found[op.last]])
        variable = frozenset((op.node.name,))
        into = None if into is None else Live(into.read - variable, into.written | (variable - local))
        after = _joined([into, found[op.end]])
    else:
        after = _joined([found[way] for way in _ways(op, at)])
    if after is None:
        return None
    gives = _written_by(op)
    if not gives:
        return after if own <= after.read else Live(after.read | own, after.written)
    return Live((after.read - gives) | own, after.written | (gives - local))


def _joined(ways: Sequence[Live | None]) -> Live | None:
    known = [way for way in ways if way is not None]
    if not known:
        return None
    first = known[0]
    if all(way is first for way in known):
        return first
    read, written = first
    for way in known[1:]:
        read, written = read | way.read, written & way.written
    return Live(read, written)


def _ways(op: Op, at: int) -> tuple[int, ...]:
    """Where an operation may lead."""
    match op:
        case Jump(to=to):
            return (to,)
        case Chain(skip=skip, copy=copy):
            return (at + 1, skip, copy) if copy else (at + 1, skip)
        case Branch(other=other):
            return (at + 1, other)
        case Choose(arms=arms, none=none):
            return (*arms, none)
        case EnterLoop(again=again, end=end) | EnterFor(again=again, end=end):
            return (again, end)
        case Round(end=end) | KillJobs(end=end):
            return (at + 1, end)
        case RoundEnd(again=again):
            return (again, at + 1)
        case FieldEnd(again=again):
            return (again,)
    return (at + 1,)


def _written_by(op: Op) -> frozenset[str]:
    """The variables that an operation surely gives a new value."""
    match op:
        case Assign(assignment=given):
            plain = given.array is None and given.subscript is None and not given.append
            return frozenset((given.name,)) if plain else _NOTHING
        case Run(node=node) if node.words[0].literal in _GIVES:
            return _given(node, with_value=True)
        case Forget() | Choose() | EnterFor():
            return _SOFTLY
    return _NOTHING


def _is_local(node: Simple) -> bool:
    return node.words[0].literal in ("local", "declare", "typeset")


def _given(node: Simple, *, with_value: bool = False) -> frozenset[str]:
    """The names that `local`, `export` and the like stand before; those with a value that is no array, or all."""
    names = []
    for word in node.words[1:]:
        part = word.parts[0] if word.parts else None
        if isinstance(part, Declared):
            given = part.assignment
            plain = given.array is None and given.subscript is None and not given.append
            names += [given.name] if plain or not with_value else []
        elif not with_value:
            names += [word.text] if word.text.isidentifier() else []
    return frozenset(names)


def _read_by(op: Op) -> frozenset[str]:
    match op:
        case Run(node=node) | Expand(node=node) | Define(node=node) | Fork(node=node) | Bracket(node=node):
            return names_read(node)
        case Job(node=node) | Pipe(node=node) | KillJobs(node=node):
            return names_read(node)
        case Choose(node=case):
            return names_read(Case(case.subject, tuple(arm.replaced(body=_EMPTY) for arm in case.arms), case.span))
        case EnterFor(node=loop):
            return names_read(For(loop.name, loop.words, _EMPTY, loop.span))
        case Assign(assignment=assignment):
            return names_read(Simple((), assignment.span, (assignment,)))
        case Chain(tested=True) | Branch(tested=True) | Round(tested=True):
            return _SOFTLY
        case Unread():
            return _ANYTHING
    return _NOTHING
