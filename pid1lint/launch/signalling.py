"""Builtins about signals and jobs: `trap`, `kill` and its kin, `wait`, `fg`."""

from __future__ import annotations

from collections.abc import Sequence

from pid1lint.launch.code import Where
from pid1lint.launch.interpreter import LATER, ExitShell, Interpreter, Result
from pid1lint.launch.output import by_name
from pid1lint.launch.process import Sent, TrapSet
from pid1lint.launch.signals import SIGNALS, signal_name
from pid1lint.launch.stack import Argv, Block, Done, FgMet, Job, WaitEnded, WaitMet
from pid1lint.launch.values import UNKNOWN
from pid1lint.launch.world import Point, Proc
from pid1lint.numbers import is_number
from pid1lint.shell.ir import CommandSub, Param, Simple

SOON_SECONDS = 60.0
_UNTRAPPABLE = frozenset(("KILL", "STOP", "ERR", "DEBUG", "RETURN"))

# -------------------------------------------------------------------------- traps


def trap(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`trap`."""
    shell, proc = run.shell, run.proc
    words = argv[1:]
    if words and words[0].value == "--":
        words = words[1:]
    if not words or words[0].value in ("-p", "-l"):
        return 0
    handler: str | None = words[0].value
    names = words[1:]
    if len(words) == 1 or is_number(words[0].value):
        names, handler = words, None
    if handler == "-":
        handler = None
    set_here = TrapSet(
        shell.script,
        node,
        handler,
        tuple(word.value for word in names),
        shell.dialect.name,
        proc.pid,
        shell.anchor is None and run.lookup.is_editable(shell.script),
        tuple(word.value for word in names if UNKNOWN not in word.value and _trap_name(run, word.value) is None),
        _empty_expansions(run, node, skipped) if handler is not None else (),
        words[0].excerpt if handler is not None else None,
    )
    run.world.traps = (*run.world.traps, set_here)
    status = 0
    for word in names:
        if word.value.upper() == "ERR":
            shell.err_trap = handler is not None
            shell.trap_sets["ERR"] = set_here
        name = _trap_name(run, word.value)
        if name is None and shell.dialect.trap_skips_unknown:
            status = 1
            continue
        if name is None:
            return 1
        if name in ("KILL", "STOP") and handler:
            # It never runs, and keeps the shell from replacing itself all the same: measured in dash, busybox and bash.
            shell.err_trap = True
        if name in _UNTRAPPABLE or (name in shell.inherited_ignored and name != "EXIT"):
            continue
        if handler is not None and name != "EXIT" and "EXIT" not in shell.traps:
            shell.trapped_first |= {name}
        if name in shell.trapped_first:
            shell.reset = shell.reset | {name} if handler is None else shell.reset - {name}
        shell.traps.pop(name, None)
        proc.ignored -= {name}
        shell.trap_sets[name] = set_here
        if handler:
            shell.traps[name] = handler
        elif handler is not None:
            proc.ignored |= {name}
    return status


def _empty_expansions(run: Interpreter, node: Simple, skipped: int) -> tuple[str, ...]:
    """The expansions in a handler's text that give nothing now: `"kill $pid"` before there is a pid."""
    shell = run.shell
    word = next((word for word in node.words[1 + skipped :] if word.text != "--"), None)
    found = []
    for part in word.parts if word is not None else ():
        if isinstance(part, Param) and not part.op and part.subscript is None and not shell.lookup(part.name).text:
            found.append(f"${part.name}")
        elif isinstance(part, CommandSub) and part.body.items and not shell.jobs:
            command = part.body.items[0].node
            if isinstance(command, Simple) and command.words and command.words[0].text == "jobs":
                found.append("$(jobs)")
    return tuple(found)


def _trap_name(run: Interpreter, text: str) -> str | None:
    """A condition of a trap, or None where this shell knows no such name."""
    dialect = run.shell.dialect
    if text.upper() in ("EXIT", "0"):
        return "EXIT"
    if text.upper() in ("ERR", "DEBUG", "RETURN"):
        return text.upper() if dialect.err_trap else None
    if text.upper().startswith("SIG") and not dialect.trap_sig_prefix:
        return None
    if text != text.upper() and not dialect.trap_lower_case:
        return None
    return signal_name(text)


# --------------------------------------------------------------------------- kill


def kill(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`kill`."""
    dialect = run.shell.dialect
    words = [word.value for word in argv[1:]]
    name: str | None = "TERM"
    while words and words[0].startswith("-") and words[0] != "--":
        option = words.pop(0)
        if option in ("-s", "-n"):
            written = words.pop(0) if words else ""
            refused = written.upper().startswith("SIG") and not dialect.kill_sig_prefix
            name = None if refused else signal_name(written)
        elif option in ("-l", "-L"):
            return 0
        elif option == "-0":
            name = "0"
        elif is_number(option[1:]) and not words:
            words = [option]
            break
        else:
            if option.upper().startswith("-SIG") and not dialect.kill_sig_prefix:
                _note_sent(run, node, where, skipped, "", [])
                return 1
            name = signal_name(option[1:])
        if name is not None and words and words[0].startswith("-") and words[0] != "--":
            break
    if words and words[0] == "--":
        words = words[1:]
    if name is None:
        _note_sent(run, node, where, skipped, "", [])
        return 1
    return _send(run, name, words, node, where, skipped)


def _note_sent(
    run: Interpreter,
    node: Simple,
    where: Where,
    skipped: int,
    name: str,
    targets: Sequence[int],
    *,
    group: bool = False,
) -> None:
    world = run.world
    if world.stopped and name != "0":
        pids = tuple(pid for pid in targets if world.procs[pid].alive)
        world.sent = (*world.sent, Sent(run.proc.pid, name, pids, run.call_of(node, where, skipped), group))


def _send(run: Interpreter, name: str, words: list[str], node: Simple, where: Where, skipped: int) -> int | None:
    world, shell, own = run.world, run.shell, run.proc.pid
    targets: list[int] = []
    unsure = missed = False
    for word in words:
        named = _named(run, word)
        unsure = unsure or UNKNOWN in word
        missed = missed or (UNKNOWN not in word and not world.any_lives(named))
        targets += named
    reached = world.any_lives(targets)
    if name == "0":
        if unsure:
            return None
        return 0 if reached else 1
    _note_sent(run, node, where, skipped, name, targets, group=any(word in ("0", "-0") for word in words))
    if unsure:
        _signal_apps(run, name, node)
    for pid in targets:
        target = world.procs[pid]
        if not target.alive:
            continue
        if world.stopped:
            world.signal(pid, name)
        elif pid not in (1, own):
            # A program that handles the signal ends well; others die of it.
            handles = target.reaction is not None and target.reaction_to(name) in ("handles", "drops")
            for child in world.children(pid) if target.passes else ():
                world.end_below(child.pid)
            world.end(pid, 0 if handles else 128 + SIGNALS.get(name, 15))
    if shell.dying is not None:
        raise ExitShell(shell.dying)
    return 0 if unsure or (reached and (shell.dialect.kill_counts_any or not missed)) else 1


def _named(run: Interpreter, word: str) -> list[int]:
    """The processes that an operand of `kill` means."""
    if is_number(word.lstrip("-")) and word not in ("0", "-0") and word.count("-") <= 1:
        number = int(word)
        if number == -1:
            return [p.pid for p in run.world.living() if p.pid not in (1, run.proc.pid)]
        if number < 0:
            # `-$$`: the shell's own number; it leads a group only where it began one.
            return [p.pid for p in run.world.living() if p.group == -number]
        return [number] if number in run.world.procs else []
    if word in ("0", "-0"):
        return [p.pid for p in run.world.living() if p.group == run.proc.group]
    if word.startswith("%") and run.shell.dialect.job_specs:
        # Dash's kill takes a job for a process group, which it is not.
        return _pids_of_job(run, word)
    return []


def _signal_apps(run: Interpreter, name: str, node: Simple) -> None:
    """A process named by what the files do not tell (a pid file): it is the app, whom else would one tell."""
    world = run.world
    if not world.stopped:
        for job in run.shell.jobs:
            run.finish(job)
        return
    for pid in world.at_stop:
        proc = world.procs[pid]
        if proc.alive and proc.long and not proc.helper:
            world.signal(pid, name)
    world.hinder("it is not known which process gets the signal", run.place(node.span), in_time=True)


def _pids_of_job(run: Interpreter, word: str) -> list[int]:
    jobs = run.shell.jobs
    number = word[1:]
    if is_number(number):
        chosen = [job for job in jobs if job.number == int(number)][-1:]
    else:
        chosen = list(run.shell.living_jobs(run.world.alive)[-1:])
    return [pid for job in chosen for pid in job.pids]


def kill_by_name(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`pkill`, `killall`: by the program's name."""
    world = run.world
    words = [word.value for word in argv[1:]]
    name: str | None = "TERM"
    pattern = parent = ""
    at = 0
    while at < len(words):
        word = words[at]
        if word in ("-s", "--signal") and at + 1 < len(words):
            at += 1
            name = signal_name(words[at])
        elif word in ("-P", "-u", "-U", "-g", "-t", "-F") and at + 1 < len(words):
            at += 1
            if word == "-P":
                pattern, parent = "*", words[at]
        elif word.startswith("-"):
            name = signal_name(word[1:]) or name
        else:
            pattern = word
        at += 1
    if name is None or not pattern:
        return 1
    # Without -f it is the program's name alone that counts.
    full = argv[0].value == "pkill" and any(word in ("-f", "--full") for word in words)
    found = world.children(int(parent)) if is_number(parent) else by_name(world, run.proc, pattern, full=full)
    _note_sent(run, node, where, skipped, name, [proc.pid for proc in found])
    for proc in found:
        if world.stopped:
            world.signal(proc.pid, name)
        else:
            world.end(proc.pid, 143)
    return 0 if found else 1


# ------------------------------------------------------------------------ waiting


def wait(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`wait`."""
    world, shell = run.world, run.shell
    words = [word.value for word in argv[1:]]
    any_one = "-n" in words
    if any_one and not shell.dialect.wait_n:
        run.foreign("wait -n", node.span)
        return shell.dialect.wait_n_status
    words = [word for word in words if not word.startswith("-")]
    jobs = _jobs_named(run, words) if words else shell.jobs
    alive = tuple(job for job in jobs if world.any_lives(job.pids)) if words else shell.living_jobs(world.alive)
    if any_one:
        living = frozenset(alive)
        ended = [job for job in jobs if job not in living and job.pid not in shell.waited]
        shell.waited |= {job.pid for job in jobs if job not in living}
        if ended and shell.dialect.wait_n_counts_ended:
            # One that has ended before counts, once.
            return world.procs[ended[0].pid].status
    if not alive:
        if words or shell.dialect.lists_ended_jobs != "last":
            shell.waited |= {job.pid for job in jobs}
        if words and not jobs:
            return 127
        shell.resume = Done(world.procs[jobs[-1].pid].status if jobs and words else 0)
        return LATER
    if not world.stopped and run.proc.thread not in world.live:
        shell.resume = WaitMet(alive, any_one, bool(words), node.span)
        pids = (pid for job in alive for pid in job.pids)
        if all(_soon_over(world.procs[pid], world.clock) for pid in pids):
            world.answer = False
        else:
            world.point = Point(run.proc.thread, "wait")
        return LATER
    wait_for(run, WaitMet(alive, any_one, bool(words), node.span))
    return LATER


def wait_for(run: Interpreter, met: WaitMet) -> None:
    """Wait for jobs."""
    pids = tuple(pid for job in met.jobs for pid in job.pids)
    block = Block("wait", pids, met.any_one, interruptible=True, place=run.place(met.span))
    run.wait(block, WaitEnded(met.jobs, met.any_one, met.named))


def after_wait(run: Interpreter, ended: WaitEnded) -> int:
    """The status of a `wait` that is over."""
    world, shell = run.world, run.shell
    if ended.interrupted:
        return 143
    shell.waited |= {job.pid for job in ended.jobs if not world.any_lives(job.pids)}
    gone = [job for job in ended.jobs if not world.procs[job.pid].alive]
    status = world.procs[(gone[0] if ended.any_one and gone else ended.jobs[-1]).pid].status
    return status if ended.named or ended.any_one else 0


def _soon_over(proc: Proc, now: float) -> bool:
    """Whether a process has ended, or will have before anyone says stop: not a `sleep 3600`."""
    return not proc.alive or (proc.ends_at is not None and proc.ends_at - now < SOON_SECONDS)


def _jobs_named(run: Interpreter, words: list[str]) -> tuple[Job, ...]:
    jobs = run.shell.jobs
    found: list[Job] = []
    for word in words:
        if UNKNOWN in word:
            return jobs
        if word.startswith("%"):
            pids = set(_pids_of_job(run, word))
            found += [job for job in jobs if pids & set(job.pids)]
        elif is_number(word):
            found += [job for job in jobs if int(word) in job.pids]
    return tuple(found)


def fg(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`fg`."""
    world, shell = run.world, run.shell
    if not shell.dialect.foreground_job or not shell.monitor:
        if not shell.dialect.foreground_job and run.proc.thread == 0:
            raise ExitShell(2)
        return 1
    word = argv[1].value if len(argv) > 1 else "%%"
    chosen = _jobs_named(run, [word]) or shell.jobs[-1:]
    alive = tuple(pid for job in chosen for pid in job.pids if world.procs[pid].alive)
    if not alive:
        return 1
    shell.resume = FgMet(chosen, alive, node.span)
    if world.stopped:
        world.answer = True
    else:
        world.point = Point(run.proc.thread, "app")
    return LATER
