"""Several processes: functions are none, but subshells, background jobs and the parts of pipelines are."""

from __future__ import annotations

from pid1lint.launch.code import Define, Fork, Job, JobStarted, Pipe, Piped, Where, compiled, compiled_alone, job_where
from pid1lint.launch.interpreter import Interpreter
from pid1lint.launch.output import output
from pid1lint.launch.stack import Backgrounded, Block, Inside, PipelineEnded
from pid1lint.launch.state import Defined, negated
from pid1lint.launch.values import UNKNOWN
from pid1lint.shell.ir import CommandSub, Node, ProcessSub, Simple


def define(run: Interpreter, op: Define) -> None:
    """A function."""
    run.shell.define(op.node.name, Defined(op.node, run.shell.script))
    run.shell.status = 0


def fork(run: Interpreter, op: Fork) -> None:
    """`( ... )`: a process of its own, unless the shell has nothing else to do."""
    shell, node = run.shell, op.node
    inside = op.where.within("subshell")
    if run.execs(inside, frozenset()):
        frame = Inside(shell.stack, shell.code, shell.pc, tuple(shell.traps.items()))
        shell.traps = {}
        run.run(compiled(node.body, inside), frame)
        return
    child = run.world.spawn(run.proc)
    if shell.monitor:
        child.group = child.pid
    tail = Where(False, frozenset({"job"}) if "subshell" in shell.dialect.exec_background else None)
    run.subshell(node, "child", child, compiled(node.body, tail))
    run.foreground(child.pid, node.span)


def job(run: Interpreter, op: Job) -> None:
    """A member of a background job."""
    start_member(run, op.node, op.number, op.of)


def start_member(run: Interpreter, node: Node, index: int, count: int) -> None:
    """One process of a background job; it runs up to where it waits, so that a plain command is its program at once."""
    world, shell = run.world, run.shell
    members = shell.members if index else ()
    thread = world.procs[members[0]].thread if members else world.new_thread(run.proc)
    proc = world.spawn(run.proc, thread=thread)
    if shell.monitor:
        proc.group = members[0] if members else proc.pid
    else:
        proc.ignored |= {"INT", "QUIT"}
    proc.reads_from = members
    proc.background = True
    name = node.words[0].literal if isinstance(node, Simple) and node.words else None
    where = job_where(node, shell.dialect.exec_background, is_function=name in shell.functions)
    run.subshell(node, "background" if count == 1 else "pipeline", proc, compiled_alone(node, where))
    shell.members = (*members, proc.pid)
    run.prime(proc.pid)


def job_started(run: Interpreter, op: JobStarted | Backgrounded) -> None:
    """All members of a background job are at work."""
    run.add_job(run.shell.members)
    run.shell.members, run.shell.status = (), 0


def pipe(run: Interpreter, op: Pipe) -> None:
    """One process of a pipeline."""
    printed = _printed(run, op.before)
    world, shell = run.world, run.shell
    members = shell.members if op.number else ()
    proc = world.spawn(run.proc)
    proc.reads_from = members
    proc.stdin = printed
    proc.brief = op.brief
    if shell.monitor:
        proc.group = members[0] if members else proc.pid
    run.subshell(op.node, "pipeline", proc, compiled_alone(op.node, op.where))
    assert proc.shell is not None
    proc.shell.feeds = True
    shell.members = (*members, proc.pid)
    run.prime(proc.pid)


def _printed(run: Interpreter, node: Node | None) -> str | None:
    """What a member of a pipeline writes to the next one, where that can be told: `echo app | sh`."""
    if not isinstance(node, Simple) or not node.words or node.words[0].literal not in ("echo", "printf", "cat"):
        return None
    if any(isinstance(part, (CommandSub, ProcessSub)) for word in node.words for part in word.parts):
        return None
    if node.words[0].literal == "cat":
        return run.input_of(node) if len(node.words) == 1 else None
    text = output(run.lookup, run.world, run.proc, run.shell, run.argv(node))
    return None if text is None or text == UNKNOWN else f"{text}\n"


def piped(run: Interpreter, op: Piped) -> None:
    """All members of a pipeline are at work."""
    shell, world = run.shell, run.world
    ended = PipelineEnded(shell.members, op.conditional, op.negated)
    shell.members = ()
    if world.any_lives(ended.pids):
        run.wait(Block("pipeline", ended.pids, place=run.place(op.span)), ended)
    else:
        pipeline_ended(run, ended)


def pipeline_ended(run: Interpreter, resume: PipelineEnded) -> None:
    """A pipeline is over."""
    status: int | None = run.world.procs[resume.pids[-1]].status
    if status == 0 and resume.conditional:
        status = None
    run.shell.status = negated(status) if resume.negated else status
