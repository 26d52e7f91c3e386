"""One step of a shell: an operation of its code, or what it goes on with after it has waited."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pid1lint.launch import branching, control, forking, looping, signalling, variables
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
from pid1lint.launch.stack import (
    Argument,
    Argv,
    Backgrounded,
    Block,
    Called,
    ChildEnded,
    ChildStarted,
    Done,
    Failed,
    FgMet,
    Handling,
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
from pid1lint.launch.state import negated
from pid1lint.shell.ir import Simple

_STATUS = {"true": 0, "false": 1, "sleep": 0}
_XARGS_FAILED = 123
"""What `xargs` makes of a failure of its command: findutils 4.9 and Busybox 1.35 measured."""

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
        forking.start_member(run, Simple(node.words, node.span, node.assignments), 0, 1)
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


def _errs(run: Interpreter, status: int) -> bool:
    """Begin to run the ERR trap, where there is one for the command that has failed: functions inherit none."""
    shell = run.shell
    trap = shell.trap_sets.get("ERR")
    known = trap is not None and shell.err_trap and shell.dialect.err_trap
    if trap is None or not known or not trap.handler or shell.failing or shell.calls:
        return False
    shell.failing, shell.resume = True, Failed(status)
    return run.handle(trap.handler, "ERR")


def _failed(run: Interpreter, resume: Failed) -> None:
    shell = run.shell
    shell.failing, shell.status = False, resume.status
    if shell.errexit:
        raise ExitShell(resume.status)


def _after(run: Interpreter, op: After) -> None:
    shell = run.shell
    if run.world.overdue:
        run.world.overdue, run.met = False, True
    if op.errexit and shell.status:
        if _errs(run, shell.status):
            return
        if shell.errexit:
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


# -------------------------------------------------------------------- other commands


def _kill_jobs(run: Interpreter, op: KillJobs) -> None:
    """`jobs -p | xargs kill`."""
    first, second = op.node.commands[0], op.node.commands[1]
    assert isinstance(first, Simple) and isinstance(second, Simple)
    pids = (output(run.lookup, run.world, run.proc, run.shell, run.argv(first)) or "").split()
    at = [word.literal for word in second.words].index("kill")
    named = run.argv(Simple(second.words[at:], second.span))
    argv = (*named, *(Argument(pid, pid) for pid in pids))
    status: Result = 0
    if pids:
        status = signalling.kill(run, second, argv, Where(False), 0)
    elif not any(word.text in ("-r", "--no-run-if-empty") for word in second.words[:at]):
        # `kill` is called all the same, without anyone to signal, and fails.
        status = _XARGS_FAILED
    if isinstance(status, int):
        run.shell.status, run.shell.pc = status, op.end


def _negate(run: Interpreter, op: Negate) -> None:
    run.shell.status = negated(run.shell.status)


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
        run.fail(f"{dialect.name} has no process substitution and exits here with a syntax error", op.span)
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
    Chain: branching.chain,
    Skipped: branching.skipped,
    Perhaps: branching.perhaps,
    Branch: branching.branch,
    Choose: branching.choose,
    EnterLoop: looping.enter_loop,
    Round: looping.round_,
    RoundEnd: looping.round_end,
    LeaveLoop: looping.leave_loop,
    EnterFor: looping.enter_for,
    Next: looping.next_,
    FieldEnd: looping.field_end,
    Define: forking.define,
    Fork: forking.fork,
    Job: forking.job,
    JobStarted: forking.job_started,
    KillJobs: _kill_jobs,
    Pipe: forking.pipe,
    Piped: forking.piped,
    Negate: _negate,
    Bracket: _bracket,
    Unread: _unread,
    NoProcessSubstitution: _no_process_substitution,
}
_RESUMED: dict[type, Callable[[Interpreter, Any], None]] = {
    ChildStarted: _child_started,
    ChildEnded: _child_ended,
    PipelineEnded: forking.pipeline_ended,
    Substituting: _substituting,
    Backgrounded: forking.job_started,
    Paused: _paused,
    WaitMet: _wait_met,
    WaitEnded: _wait_ended,
    FgMet: _fg_met,
    LoopMet: looping.loop_met,
    Done: _done,
    Failed: _failed,
}
