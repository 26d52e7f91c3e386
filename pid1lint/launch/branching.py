"""Branches: into which of their ways a shell goes, or a copy of its world."""

from __future__ import annotations

from collections.abc import Iterable

from pid1lint.launch import values
from pid1lint.launch.code import After, Branch, Chain, Choose, End, Perhaps, Skipped
from pid1lint.launch.interpreter import Interpreter
from pid1lint.launch.stack import Called, Sourced
from pid1lint.launch.state import is_asked_for
from pid1lint.shell.ir import Node, Word


def chain(run: Interpreter, op: Chain) -> None:
    """Behind the left side of && or ||."""
    shell, node = run.shell, op.node
    left, wanted = shell.status, node.op == "&&"
    soft = shell.soft if op.tested else ""
    truth = True if left is None and op.plain else None if left is None else left == 0
    if truth is None and op.copy:
        # It may or may not be asked, which changes nothing but the answer.
        shell.pc = op.copy
        return
    taken: bool | None = truth == wanted if truth is not None else None
    if taken is not None and soft and _is_the_status_of_a_body(run, op):
        # Nothing else comes of it, but under `set -e` the script may end by it.
        run.choose((shell.pc, op.skip), 0 if taken else 1, soft, node.left, run.place(node.left.span), op.join)
        return
    if truth is None or soft:
        usual = taken
        taken = run.branch(usual, soft, (node.right,), (), node.left.span, op.where)
        if taken is None:
            if run.passes_over(usual):
                return
            at = None if usual is None else 0 if usual else 1
            way = (node.right,) if usual else ()
            run.choose((shell.pc, op.skip), at, soft or "unknown", node.left, run.place(node.left.span), op.join, way)
            return
    if not taken:
        shell.pc = op.skip


def _is_the_status_of_a_body(run: Interpreter, op: Chain) -> bool:
    """Whether a chain is the last of a sourced file or a function, whose status may end the script."""
    shell = run.shell
    if not shell.errexit or op.where.conditional or not isinstance(shell.stack, (Sourced, Called)):
        return False
    at = op.join + 1
    while isinstance(shell.code.ops[at], After):
        at += 1
    return isinstance(shell.code.ops[at], End)


def skipped(run: Interpreter, op: Skipped) -> None:
    """The right side of && or || was not run."""
    shell = run.shell
    if shell.status is None and not run.inert.all((op.node.right,), op.where.last):
        shell.status = 1 if op.node.op == "&&" else 0


def perhaps(run: Interpreter, op: Perhaps) -> None:
    """The right side of a chain of tests was run, and may decide."""
    status = run.shell.status
    if status is not None and (status == 0) is op.wanted:
        run.shell.status = None


def branch(run: Interpreter, op: Branch) -> None:
    """Behind the condition of an `if`."""
    shell, node = run.shell, op.node
    truth = None if shell.status is None else shell.status == 0
    soft = shell.soft if op.tested else ""
    if truth is None or soft:
        condition, body = node.branches[op.number]
        others: tuple[Node, ...] = tuple(other for _, other in node.branches[op.number + 1 :])
        if node.otherwise is not None:
            others = (*others, node.otherwise)
        usual = truth
        truth = run.branch(usual, soft, (body,), others, condition.span, op.where)
        if truth is None:
            if run.passes_over(usual):
                return
            at = None if usual is None else 0 if usual else 1
            way = (body,) if usual else others
            run.choose((shell.pc, op.other), at, soft or "unknown", condition, run.place(condition.span), op.join, way)
            return
    if not truth:
        shell.pc = op.other


def choose(run: Interpreter, op: Choose) -> None:
    """`case`."""
    shell, node = run.shell, op.node
    shell.at, shell.soft = node.span, ""
    subject = run.text(node.subject)
    soft = shell.soft
    found: list[bool | None] = []
    for arm in node.arms:
        found.append(_matches(run, subject, arm.patterns))
        if found[-1]:
            break
    usual = next((i for i, way in enumerate(found) if way is not False), None)
    certain = usual is None or found[usual] is True
    straight = op.none if usual is None else op.arms[usual]
    bodies = tuple(arm.body for arm in node.arms)
    if certain and not soft:
        shell.pc = straight
        return
    if run.inert.all(bodies, op.where.last):
        run.inert.forget(bodies)
        shell.pc = straight if certain else op.none
        return
    if run.passes_over(usual if certain else None):
        return
    asked_for = usual if certain and is_asked_for(shell, soft) else None
    ways: list[int | None] = [
        i for i, arm in enumerate(node.arms) if i == asked_for or not run.inert.aborts((arm.body,))
    ]
    if not any(pattern.text in ("*", "(*") for arm in node.arms for pattern in arm.patterns):
        ways.append(None)
    if not ways:
        shell.pc = straight
        return
    at = ways.index(usual) if certain and usual in ways else None
    targets = [op.none if way is None else op.arms[way] for way in ways]
    body = (node.arms[asked_for].body,) if asked_for is not None else ()
    run.choose(targets, at, soft or "unknown", node.subject, run.place(node.subject.span), op.join, body)


def _matches(run: Interpreter, subject: str, patterns: Iterable[Word]) -> bool | None:
    found: bool | None = False
    for pattern in patterns:
        match = values.matches(subject, run.pattern(pattern))
        if match:
            return True
        found = found if match is False else None
    return found
