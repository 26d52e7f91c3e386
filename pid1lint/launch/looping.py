"""Loops: when a round follows, and when the launch is seen to stay in one."""

from __future__ import annotations

from collections.abc import Sequence

from pid1lint.launch.code import EnterFor, EnterLoop, FieldEnd, LeaveLoop, Next, Round, RoundEnd
from pid1lint.launch.interpreter import Interpreter
from pid1lint.launch.shapes import is_always, may_last, watched
from pid1lint.launch.stack import Block, Iterating, Looping, LoopMet, Paused
from pid1lint.launch.values import UNKNOWN
from pid1lint.launch.world import Point
from pid1lint.shell.ir import Loop

_MOST_ROUNDS = 400
_MOST_FIELDS = 12
_ROUND_SECONDS = 0.05


def enter_loop(run: Interpreter, op: EnterLoop) -> None:
    """A `while` or `until` loop begins."""
    shell, world = run.shell, run.world
    met = world.met.get(run.proc.thread, 0)
    shell.stack = Looping(shell.stack, shell.code, op.again, op.end, 0, 0, met, world.stopped, None)


def round_(run: Interpreter, op: Round) -> None:
    """Behind a loop's condition: rounds until it says so, or until the launch is seen to stay in the loop."""
    shell, world, node = run.shell, run.world, op.node
    frame = shell.stack
    assert isinstance(frame, Looping)
    rounds = frame.rounds + 1
    truth = None if shell.status is None else (shell.status == 0) is not node.until
    soft = shell.soft if op.tested else ""
    if truth is None and _is_watched(run, node):
        truth = True
    elif truth is None and rounds == 1 and may_last(node):
        world.polls = (*world.polls, run.place(node.span))
    live = frame.live or (world.stopped and rounds > 1)
    shell.stack = frame._replace(rounds=rounds, live=live)
    if truth is None or soft:
        truth = _goes_round(run, op, truth, soft, rounds, live)
        if truth is None:
            return
    if not truth:
        shell.pc = op.end


def _goes_round(run: Interpreter, op: Round, truth: bool | None, soft: str, rounds: int, live: bool) -> bool | None:
    """Whether to run the body where the files do not say so, or the user may say otherwise; None: that was a choice."""
    shell, node, where = run.shell, op.node, op.where
    if run.world.stopped and truth is None:
        run.doubt_waiting(node.span)
        return False
    if live:
        return bool(truth)
    if rounds == 1 and not run.inert.all((node.body,), where.last):
        usual = None if truth is None else (0 if truth else 1)
        condition = node.condition
        run.choose((shell.pc, op.end), usual, soft or "unknown", condition, run.place(condition.span), op.join)
        return None
    if rounds == 1 and where.last and truth is None and not run.inert.leaves(node.body):
        return True
    if rounds == 1:
        run.inert.forget((node.body,))
    return False


def _is_watched(run: Interpreter, node: Loop) -> bool:
    """Whether a loop goes on as long as a process is there that is known to be: a daemon, or a job."""
    query = watched(node)
    if query is None:
        return False
    beside = (p for p in run.world.living() if p.long and p.stages and p.pid != run.proc.pid)
    return any(not query.name or any(query.name in word for word in proc.stage.argv) for proc in beside)


def round_end(run: Interpreter, op: RoundEnd) -> None:
    """At the end of a loop's body."""
    shell, world = run.shell, run.world
    if shell.pending:
        # This operation comes again behind the handler.
        shell.pc -= 1
        if run.deliver():
            return
        shell.pc += 1
    frame = shell.stack
    assert isinstance(frame, Looping)
    frame = shell.stack = frame._replace(status=shell.status, live=frame.live or world.stopped)
    if frame.rounds >= _MOST_ROUNDS - 1:
        return
    if frame.live:
        block = Block("loop", until=world.clock + _ROUND_SECONDS, place=run.place(op.node.span))
        shell.pc = op.again
        run.wait(block, Paused())
    elif is_always(op.node) or (frame.rounds >= 2 and frame.knew == shell.known()):
        # Another round would do the same: the launch stays here, or something ends the loop.
        if world.met.get(run.proc.thread, 0) > frame.points:
            _finish_polled(run, op.node)
            return
        forever = is_always(op.node) and not run.inert.leaves(op.node.body)
        world.point = Point(run.proc.thread, "forever" if forever else "loop")
        shell.resume = LoopMet(op.node, op.again)
    else:
        shell.stack = frame._replace(knew=shell.known())
        shell.pc = op.again


def loop_met(run: Interpreter, resume: LoopMet) -> None:
    """It is known whether the launch stays in the loop."""
    shell, world = run.shell, run.world
    if not world.answer:
        _finish_polled(run, resume.node)
        return
    frame = shell.stack
    assert isinstance(frame, Looping)
    shell.stack = frame._replace(live=True)
    world.live |= {run.proc.thread}
    shell.pc = resume.again


def _finish_polled(run: Interpreter, node: Loop) -> None:
    """A loop over `kill -0 $pid` has ended: the jobs have."""
    span = node.condition.span
    if "kill" in run.shell.script.text.text[span.start : span.end]:
        for job in run.shell.jobs:
            run.finish(job)


def leave_loop(run: Interpreter, op: LeaveLoop) -> None:
    """A loop is over."""
    frame = run.shell.stack
    assert isinstance(frame, (Looping, Iterating))
    run.shell.stack, run.shell.status = frame.below, frame.status
    if run.world.owed:
        run.world.pass_joins(run.proc.pid, run.shell.depth)


def enter_for(run: Interpreter, op: EnterFor) -> None:
    """`for`: the body for each field, as far as they are known."""
    shell, node = run.shell, op.node
    shell.at, shell.soft = node.span, ""
    fields: Sequence[str] = [UNKNOWN]
    if node.words is not None:
        fields = run.expand(node.words)
    elif node.name:
        fields = [word.value for word in shell.positional]
    fields = [found for field in fields[:_MOST_FIELDS] for found in run.matching(field)]
    unsure = not node.name or any(UNKNOWN in field or "*" in field or "?" in field for field in fields)
    if unsure and node.name:
        shell.hooks |= {node.name}
    if unsure and run.inert.all((node.body,), op.where.last):
        run.inert.forget((node.body,))
        shell.status, shell.pc = 0, op.end + 1
        return
    shell.stack = Iterating(shell.stack, shell.code, op.again, op.end, 0, node.name, tuple(fields), 0, shell.soft)


def next_(run: Interpreter, op: Next) -> None:
    """The next field of a `for` loop."""
    shell = run.shell
    frame = shell.stack
    assert isinstance(frame, Iterating)
    if frame.at == len(frame.fields):
        shell.pc = op.end
        return
    field = frame.fields[frame.at]
    if op.node.name:
        shell.assign(op.node.name, UNKNOWN if "*" in field else field, frame.soft)
    shell.stack = frame._replace(at=frame.at + 1)
    if frame.at + 1 == len(frame.fields):
        shell.pc = op.last


def field_end(run: Interpreter, op: FieldEnd) -> None:
    """The end of a `for` loop's body."""
    frame = run.shell.stack
    assert isinstance(frame, Iterating)
    run.shell.stack = frame._replace(status=run.shell.status)
    run.shell.pc = op.again
