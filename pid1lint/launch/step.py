"""One step of a shell: an operation of its code, or what it goes on with after it has waited."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pid1lint.launch import control, signalling, values, variables
from pid1lint.launch.catch import INTERRUPTED
from pid1lint.launch.code import (
    After,
    Assign,
    Bracket,
    Branch,
    Chain,
    Choose,
    Define,
    End,
    EnterFor,
    EnterLoop,
    Expand,
    FieldEnd,
    Forget,
    Fork,
    Job,
    JobStarted,
    Jump,
    KillJobs,
    LeaveLoop,
    Meet,
    Negate,
    Next,
    NoProcessSubstitution,
    Perhaps,
    Pipe,
    Piped,
    Round,
    RoundEnd,
    Run,
    Set,
    Skipped,
    Unread,
    Where,
    compiled,
    compiled_alone,
    job_where,
)
from pid1lint.launch.expand import Substitutes, Unbound
from pid1lint.launch.interpreter import (
    Again,
    Builtin,
    ExitShell,
    Interpreter,
    Later,
    LeaveLoops,
    Result,
    ReturnFrom,
)
from pid1lint.launch.output import output
from pid1lint.launch.shapes import is_always, may_last, watched
from pid1lint.launch.state import (
    Argument,
    Argv,
    Backgrounded,
    Block,
    Called,
    ChildEnded,
    ChildStarted,
    Defined,
    Done,
    FgMet,
    Handling,
    Inside,
    Iterating,
    Leaving,
    Looping,
    LoopMet,
    Paused,
    PipelineEnded,
    Sourced,
    Substituting,
    WaitEnded,
    WaitMet,
)
from pid1lint.launch.values import UNKNOWN
from pid1lint.launch.world import Point
from pid1lint.shell.ir import Loop, Node, Simple, Word

_MOST_ROUNDS = 400
_MOST_FIELDS = 12
_ROUND_SECONDS = 0.05
_STATUS = {"true": 0, "false": 1, "sleep": 0}

BUILTINS: Mapping[str, Builtin] = {
    "exec": control.exec_,
    "exit": control.exit_,
    "return": control.return_,
    "break": control.break_,
    "continue": control.break_,
    "eval": control.eval_,
    ".": control.source,
    "source": control.source,
    "command": control.command,
    "builtin": control.command,
    "trap": signalling.trap,
    "kill": signalling.kill,
    "pkill": signalling.kill_by_name,
    "killall": signalling.kill_by_name,
    "wait": signalling.wait,
    "fg": signalling.fg,
    "disown": variables.disown,
    "set": variables.set_,
    "shift": variables.shift,
    "unset": variables.unset,
    "getopts": variables.getopts,
    "cd": variables.cd,
    "test": variables.bracket,
    "[": variables.bracket,
    "false": variables.false,
    "type": variables.untold,
    "let": variables.untold,
    **dict.fromkeys(("export", "local", "declare", "typeset", "readonly"), variables.declare),
    **dict.fromkeys(("read", "mapfile", "readarray"), variables.read),
    **dict.fromkeys(
        "true : echo printf umask ulimit hash alias unalias pwd times shopt enable pushd popd dirs history suspend bg "
        "jobs".split(),
        variables.nothing,
    ),
}


def step(run: Interpreter) -> bool:
    """Take one step with the shell that has its turn; False when it is no more, or has become another."""
    shell = run.shell
    try:
        if shell.leaving is not None:
            return _leave(run, shell.leaving)
        if shell.resume is not None:
            if shell.pending and run.deliver():
                return True
            resume, shell.resume = shell.resume, None
            _RESUMED[type(resume)](run, resume)
            return run.proc.shell is run.shell
        op = shell.code.ops[shell.pc]
        shell.pc += 1
        run.commands += 1
        if type(op) is End:
            return _finish(run)
        _DONE[type(op)](run, op)
    except ExitShell as exit_:
        return _exit(run, exit_.status)
    except ReturnFrom as back:
        return _return(run, back.status)
    except LeaveLoops as leave:
        return _leave_loops(run, leave.levels, leave.again)
    except Unbound as unbound:
        run.fail(f"`{unbound.name}` is not set, and `set -u` ends the script", shell.at)
        return _exit(run, 1)
    except Substitutes as first:
        shell.pc -= 1
        shell.substituted = (*shell.substituted, first.part)
        child = run.substitute(first.node, first.argv)
        shell.resume = Substituting(child, first.node.span)
        return True
    if run.proc.shell is not run.shell:
        return False
    run.shell.substituted = ()
    return True


# ------------------------------------------------------------------ ends of commands


def _finish(run: Interpreter) -> bool:
    """The code has come to its end: go on with what has called it."""
    shell = run.shell
    frame = shell.stack
    if frame is None:
        return _leave(run, shell.status or 0)
    assert not isinstance(frame, (Leaving, Looping, Iterating))
    run.unwind(frame)
    if isinstance(shell.stack, Leaving) and isinstance(frame, Handling):
        return _left(run, shell.stack)
    shell.code, shell.pc = frame.code, frame.pc
    if isinstance(frame, Handling):
        shell.resume, shell.status = frame.resume, frame.status
    return True


def _leave(run: Interpreter, status: int) -> bool:
    """The shell is to end: its EXIT trap comes first."""
    try:
        if run.leave(status):
            return True
    except ExitShell as exit_:
        return _exit(run, exit_.status)
    run.world.end(run.proc.pid, status)
    return False


def _left(run: Interpreter, frame: Leaving) -> bool:
    """The EXIT trap has run."""
    shell, stays = run.shell, frame.stays
    if stays is None or run.proc.pid != 1 or frame.status != 143:
        run.world.end(run.proc.pid, frame.status)
        return False
    shell.stack, shell.code, shell.pc, shell.resume = stays.below, stays.code, stays.pc, stays.resume
    run.proc.block = stays.block
    return True


def _exit(run: Interpreter, status: int) -> bool:
    shell = run.shell
    while (frame := shell.stack) is not None:
        if isinstance(frame, Leaving):
            return _left(run, frame._replace(status=status))
        run.unwind(frame, exits=True)
    return _leave(run, status)


def _return(run: Interpreter, status: int | None) -> bool:
    shell = run.shell
    while (frame := shell.stack) is not None:
        if isinstance(frame, Leaving):
            return _left(run, frame)
        run.unwind(frame)
        if isinstance(frame, (Called, Sourced)):
            shell.code, shell.pc, shell.status = frame.code, frame.pc, status
            return True
    # Nothing up there takes it for its own.
    return _leave(run, 0)


def _leave_loops(run: Interpreter, levels: int, again: bool) -> bool:
    shell = run.shell
    while (frame := shell.stack) is not None:
        if isinstance(frame, Leaving):
            return _left(run, frame)
        if isinstance(frame, (Looping, Iterating)):
            levels -= 1
            if levels <= 0:
                shell.code = frame.code
                shell.status = frame.status if again else 0
                shell.stack = frame if again else frame._replace(status=0)
                shell.pc = frame.end - 1 if again else frame.end
                return True
        run.unwind(frame)
    return _leave(run, 0)


# -------------------------------------------------------------------- simple commands


def _set(run: Interpreter, op: Set) -> None:
    run.shell.status = op.status


def _jump(run: Interpreter, op: Jump) -> None:
    run.shell.pc = op.to


def _assign(run: Interpreter, op: Assign) -> None:
    run.shell.at, run.shell.tail_substitution = op.node.span, op.last
    run.assignment(op.assignment)
    run.shell.status = 0


def _expand(run: Interpreter, op: Expand) -> None:
    run.shell.at, run.shell.tail_substitution = op.node.span, op.last
    for redirect in op.node.redirects:
        if redirect.target is not None and redirect.heredoc is None:
            run.text(redirect.target)


def _run(run: Interpreter, op: Run) -> None:
    """A simple command."""
    node, shell = op.node, run.shell
    shell.at, shell.tail_substitution = node.span, op.where.last
    argv = run.argv(node)
    for redirect in node.redirects:
        if redirect.target is not None and redirect.heredoc is None and not redirect.target.literal:
            run.text(redirect.target)
    if not argv:
        shell.status = 0
    elif not shell.dialect.ampersand_redirect and any(r.op in ("&>", "&>>") for r in node.redirects):
        # `app &> f` is `app & > f` in a shell that does not know `&>`.
        run.foreign("&>", node.span)
        _start_member(run, Simple(node.words, node.span, node.assignments), 0, 1)
        shell.resume = Backgrounded()
    else:
        _command(run, node, argv, op.where)


def _command(run: Interpreter, node: Simple, argv: Argv, where: Where) -> None:
    """A command with its words expanded: a function, a builtin, or a program."""
    skipped = 0
    while True:
        name = argv[0].value
        if name in run.shell.functions and skipped == 0:
            run.call(node, argv, where)
            return
        builtin = run.builtins.get(name)
        if name == "builtin" and not run.shell.dialect.builtin_builtin:
            run.shell.status = 127
            return
        if builtin is None:
            run.program(node, argv, where, skipped)
            return
        for assignment in node.assignments:
            run.assignment(assignment)
        result = builtin(run, node, argv, where, skipped)
        if not isinstance(result, Again):
            if not isinstance(result, Later):
                run.shell.status = result
            return
        argv, skipped = result


def _child_started(run: Interpreter, resume: ChildStarted) -> None:
    child = run.world.procs[resume.pid]
    if child.alive:
        run.foreground(resume.pid, resume.span)
        return
    # One that has ended at once: whether it has succeeded is not known where that matters.
    name = resume.argv[0].value.rpartition("/")[2]
    run.shell.status = child.status or _STATUS.get(name, None if resume.conditional else 0)


def _child_ended(run: Interpreter, resume: ChildEnded) -> None:
    status = run.world.procs[resume.pid].status
    if run.shell.interrupt_left and status == INTERRUPTED:
        # The child has died of the interrupt that both got: bash, too, takes it for its own.
        raise ExitShell(INTERRUPTED)
    run.shell.status = status


def _substituting(run: Interpreter, resume: Substituting) -> None:
    if run.world.procs[resume.pid].alive:
        run.wait(Block("substitution", (resume.pid,), place=run.place(resume.span)), Paused())


def _paused(run: Interpreter, resume: Paused) -> None:
    """The shell goes on."""


def _done(run: Interpreter, resume: Done) -> None:
    run.shell.status = resume.status


def _after(run: Interpreter, op: After) -> None:
    shell = run.shell
    if run.world.overdue:
        run.world.overdue, run.met = False, True
    if op.errexit and shell.errexit and shell.status:
        raise ExitShell(shell.status)
    if shell.pending:
        # This operation comes again behind the handler.
        shell.pc -= 1
        if not run.deliver():
            shell.pc += 1


def _meet(run: Interpreter, op: Meet) -> None:
    run.meet()


def _forget(run: Interpreter, op: Forget) -> None:
    run.shell.soft = ""


# ------------------------------------------------------------------------- branches


def _chain(run: Interpreter, op: Chain) -> None:
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
    if truth is None or soft:
        usual = taken
        taken = run.branch(usual, soft, (node.right,), (), node.left.span, op.where)
        if taken is None:
            at = None if usual is None else 0 if usual else 1
            run.choose((shell.pc, op.skip), at, soft or "unknown", node.left, run.place(node.left.span), op.join)
            return
    if not taken:
        shell.pc = op.skip


def _skipped(run: Interpreter, op: Skipped) -> None:
    shell = run.shell
    if shell.status is None and not run.inert.all((op.node.right,), op.where.last):
        shell.status = 1 if op.node.op == "&&" else 0


def _perhaps(run: Interpreter, op: Perhaps) -> None:
    status = run.shell.status
    if status is not None and (status == 0) is op.wanted:
        run.shell.status = None


def _branch(run: Interpreter, op: Branch) -> None:
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
            at = None if usual is None else 0 if usual else 1
            run.choose((shell.pc, op.other), at, soft or "unknown", condition, run.place(condition.span), op.join)
            return
    if not truth:
        shell.pc = op.other


def _choose(run: Interpreter, op: Choose) -> None:
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
    ways: list[int | None] = [i for i, arm in enumerate(node.arms) if not run.inert.aborts((arm.body,))]
    if not any(pattern.text in ("*", "(*") for arm in node.arms for pattern in arm.patterns):
        ways.append(None)
    if not ways:
        shell.pc = straight
        return
    at = ways.index(usual) if certain and usual in ways else None
    targets = [op.none if way is None else op.arms[way] for way in ways]
    run.choose(targets, at, soft or "unknown", node.subject, run.place(node.subject.span), op.join)


def _matches(run: Interpreter, subject: str, patterns: Iterable[Word]) -> bool | None:
    found: bool | None = False
    for pattern in patterns:
        match = values.matches(subject, run.pattern(pattern))
        if match:
            return True
        found = found if match is False else None
    return found


# ---------------------------------------------------------------------------- loops


def _enter_loop(run: Interpreter, op: EnterLoop) -> None:
    shell, world = run.shell, run.world
    met = world.met.get(run.proc.thread, 0)
    shell.stack = Looping(shell.stack, shell.code, op.again, op.end, 0, 0, met, world.stopped, None)


def _round(run: Interpreter, op: Round) -> None:
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
    beside = (p for p in run.world.procs.values() if p.alive and p.long and p.stages and p.pid != run.proc.pid)
    return any(not query.name or any(query.name in word for word in proc.stage.argv) for proc in beside)


def _round_end(run: Interpreter, op: RoundEnd) -> None:
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


def _loop_met(run: Interpreter, resume: LoopMet) -> None:
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


def _leave_loop(run: Interpreter, op: LeaveLoop) -> None:
    frame = run.shell.stack
    assert isinstance(frame, (Looping, Iterating))
    run.shell.stack, run.shell.status = frame.below, frame.status
    if run.world.owed:
        run.world.pass_joins(run.proc.pid, run.shell.depth)


def _enter_for(run: Interpreter, op: EnterFor) -> None:
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


def _next(run: Interpreter, op: Next) -> None:
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


def _field_end(run: Interpreter, op: FieldEnd) -> None:
    frame = run.shell.stack
    assert isinstance(frame, Iterating)
    run.shell.stack = frame._replace(status=run.shell.status)
    run.shell.pc = op.again


# ----------------------------------------------------------------- several processes


def _define(run: Interpreter, op: Define) -> None:
    run.shell.define(op.node.name, Defined(op.node, run.shell.script))
    run.shell.status = 0


def _fork(run: Interpreter, op: Fork) -> None:
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


def _job(run: Interpreter, op: Job) -> None:
    _start_member(run, op.node, op.number, op.of)


def _start_member(run: Interpreter, node: Node, index: int, count: int) -> None:
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


def _job_started(run: Interpreter, op: JobStarted | Backgrounded) -> None:
    run.add_job(run.shell.members)
    run.shell.members, run.shell.status = (), 0


def _pipe(run: Interpreter, op: Pipe) -> None:
    """One process of a pipeline."""
    world, shell = run.world, run.shell
    members = shell.members if op.number else ()
    proc = world.spawn(run.proc)
    proc.reads_from = members
    proc.brief = op.brief
    if shell.monitor:
        proc.group = members[0] if members else proc.pid
    run.subshell(op.node, "pipeline", proc, compiled_alone(op.node, op.where))
    assert proc.shell is not None
    proc.shell.feeds = True
    shell.members = (*members, proc.pid)
    run.prime(proc.pid)


def _piped(run: Interpreter, op: Piped) -> None:
    shell, world = run.shell, run.world
    ended = PipelineEnded(shell.members, op.conditional, op.negated)
    shell.members = ()
    if any(world.procs[pid].alive for pid in ended.pids):
        run.wait(Block("pipeline", ended.pids, place=run.place(op.span)), ended)
    else:
        _pipeline_ended(run, ended)


def _pipeline_ended(run: Interpreter, resume: PipelineEnded) -> None:
    status: int | None = run.world.procs[resume.pids[-1]].status
    if status == 0 and resume.conditional:
        status = None
    if resume.negated and status is not None:
        status = 1 if status == 0 else 0
    run.shell.status = status


def _kill_jobs(run: Interpreter, op: KillJobs) -> None:
    """`jobs -p | xargs kill`."""
    first, second = op.node.commands[0], op.node.commands[1]
    assert isinstance(first, Simple) and isinstance(second, Simple)
    pids = (output(run.lookup, run.world, run.proc, run.shell, run.argv(first)) or "").split()
    at = [word.literal for word in second.words].index("kill")
    named = run.argv(Simple(second.words[at:], second.span))
    argv = (*named, *(Argument(pid, pid) for pid in pids))
    status: Result = signalling.kill(run, second, argv, Where(False), 0) if pids else 0
    if isinstance(status, int):
        run.shell.status, run.shell.pc = status, op.end


def _negate(run: Interpreter, op: Negate) -> None:
    status = run.shell.status
    run.shell.status = None if status is None else 1 if status == 0 else 0


def _bracket(run: Interpreter, op: Bracket) -> None:
    """`[[ ... ]]`; not found, like any command that is not there, in a shell that does not have it."""
    shell = run.shell
    shell.at = op.node.span
    if not shell.dialect.double_bracket:
        shell.status = 127
        return
    truth = run.expression(op.node.expression)
    shell.status = None if truth is None else (0 if truth else 1)


def _unread(run: Interpreter, op: Unread) -> None:
    run.world.hinder(op.reason, run.place(op.span))
    raise ExitShell(0)


def _no_process_substitution(run: Interpreter, op: NoProcessSubstitution) -> None:
    dialect = run.shell.dialect
    if not dialect.process_substitution:
        run.foreign("process substitution", op.span)
        run.fail(f"{dialect.name} has no process substitution, and ends at it with a syntax error", op.span)
        raise ExitShell(2)


# ---------------------------------------------------------------------------- waiting


def _wait_met(run: Interpreter, resume: WaitMet) -> None:
    shell = run.shell
    if run.world.answer:
        signalling.wait_for(run, resume)
        return
    for job in resume.jobs[: 1 if resume.any_one else None]:
        run.finish(job)
        shell.waited |= {job.pid}
    shell.status = 0


def _wait_ended(run: Interpreter, resume: WaitEnded) -> None:
    run.shell.status = signalling.after_wait(run, resume)


def _fg_met(run: Interpreter, resume: FgMet) -> None:
    if run.world.answer:
        run.wait(Block("child", resume.pids, place=run.place(resume.span)), Done(0))
        return
    for job in resume.jobs:
        run.finish(job)
    run.shell.status = 0


# Each is called with an operation, or what a shell goes on with, of the type that it stands under.
_DONE: dict[type, Callable[[Interpreter, Any], None]] = {
    Set: _set,
    Jump: _jump,
    Assign: _assign,
    Expand: _expand,
    Run: _run,
    After: _after,
    Meet: _meet,
    Forget: _forget,
    Chain: _chain,
    Skipped: _skipped,
    Perhaps: _perhaps,
    Branch: _branch,
    Choose: _choose,
    EnterLoop: _enter_loop,
    Round: _round,
    RoundEnd: _round_end,
    LeaveLoop: _leave_loop,
    EnterFor: _enter_for,
    Next: _next,
    FieldEnd: _field_end,
    Define: _define,
    Fork: _fork,
    Job: _job,
    JobStarted: _job_started,
    KillJobs: _kill_jobs,
    Pipe: _pipe,
    Piped: _piped,
    Negate: _negate,
    Bracket: _bracket,
    Unread: _unread,
    NoProcessSubstitution: _no_process_substitution,
}
_RESUMED: dict[type, Callable[[Interpreter, Any], None]] = {
    ChildStarted: _child_started,
    ChildEnded: _child_ended,
    PipelineEnded: _pipeline_ended,
    Substituting: _substituting,
    Backgrounded: _job_started,
    Paused: _paused,
    WaitMet: _wait_met,
    WaitEnded: _wait_ended,
    FgMet: _fg_met,
    LoopMet: _loop_met,
    Done: _done,
}
