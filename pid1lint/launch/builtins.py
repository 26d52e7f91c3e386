"""The shell's builtins, as far as they decide who lives, who is told and who waits."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from pid1lint.launch import values
from pid1lint.launch.process import Obstacle, Sent, Started, TrapSet
from pid1lint.launch.values import UNKNOWN
from pid1lint.launch.world import SIGNALS, Block, Proc, signal_name
from pid1lint.shell.ir import CommandSub, Param, Simple, Word
from pid1lint.shell.parse import parse, parse_assignment

if TYPE_CHECKING:
    from pid1lint.launch.machine import Argv
    from pid1lint.launch.shell import Job, Shell, Where

Status = Generator[Block, None, "int | None"]
Builtin = Callable[["Shell", Simple, "Argv", "Where", int], Status]
SOON_SECONDS = 60.0
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")


def _nothing(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    yield from ()
    return 0


def _false(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    yield from ()
    return 1


def _unknown(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    yield from ()
    return None


# ----------------------------------------------------------------- control flow


def _exec(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    from pid1lint.launch.shell import ExitShell

    at = 1
    call = shell.call_of(node, where, skipped + 1)
    dialect = shell.dialect
    given = node.words[skipped + 1].text if len(node.words) > skipped + 1 else ""
    if shell.world.other_arguments and not shell.positional and given in ('"$@"', "$@", '"${@}"'):
        # What the user gives comes first, whatever it is.
        unknown = argv[0]._replace(value=UNKNOWN, text=given, excerpt=None)
        return (yield from shell.program(node, (unknown, *argv[1:]), where, _index(node, skipped + 1), replace=True))
    while at < len(argv) and argv[at].value.startswith("-") and len(argv[at].value) > 1:
        word = argv[at].value
        if word == "--" and dialect.exec_dashes:
            at += 1
            break
        if word in ("-a", "-c", "-l", "-cl", "-ca", "-la") and dialect.exec_a:
            at += 2 if "a" in word else 1
            continue
        what = "dashes" if word == "--" else "option"
        if argv[at].excerpt is not None:
            shell.world.starts.append(Started(what, call.place, argv[at].text, call))
        _not_found(shell, f"`exec {argv[at].text}` looks for a program named `{argv[at].text}`", node)
        raise ExitShell(127)
    command = argv[at:]
    if not command and shell.world.other_arguments and len(node.words) > skipped + at:
        # `exec "$@"` with what the user gives.
        given = node.words[skipped + at].text
        command = (argv[0]._replace(value=UNKNOWN, text=given, excerpt=None),)
    if not command:
        return 0
    if _ASSIGNMENT.match(command[0].value):
        if _ASSIGNMENT.match(node.words[min(skipped + at, len(node.words) - 1)].text):
            shell.world.starts.append(Started("assignment", call.place, command[0].text, call))
        _not_found(shell, f"exec looks for a program named `{command[0].text}`", node)
        raise ExitShell(127)
    if command[0].value in ("command", "builtin", "eval", "export", "set") and command[0].excerpt is not None:
        _not_found(shell, f"`{command[0].text}` is a builtin, and exec looks for a program of that name", node)
        raise ExitShell(127)
    if command[0].value in shell.functions:
        _not_found(shell, f"`{command[0].text}` is a function, and exec looks for a program of that name", node)
        raise ExitShell(127)
    return (yield from shell.program(node, command, where, _index(node, skipped + at), replace=True))


def _index(node: Simple, wanted: int) -> int:
    return min(wanted, len(node.words) - 1)


def _not_found(shell: Shell, why: str, node: Simple) -> None:
    shell.fail(why, node.span)


def _exit(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    from pid1lint.launch.shell import ExitShell

    yield from ()
    if shell.proc.pid == 1 and shell.world.ended_in is None and not shell.world.stopped:
        shell.world.ended_in = shell.place(node.span)
    status = int(argv[1].value) if len(argv) > 1 and argv[1].value.isdigit() else shell.last_status or 0
    raise ExitShell(status)


def _return(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    from pid1lint.launch.shell import ReturnFrom

    yield from ()
    if shell.calls == 0 and shell.sourcing == 0 and shell.dialect.return_anywhere:
        return 1
    # Outside of functions and sourced files it ends the script: nothing up there takes it for its own.
    status = int(argv[1].value) if len(argv) > 1 and argv[1].value.isdigit() else shell.last_status
    raise ReturnFrom(status)


def _break(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    from pid1lint.launch.shell import LeaveLoop

    yield from ()
    levels = int(argv[1].value) if len(argv) > 1 and argv[1].value.isdigit() else 1
    raise LeaveLoop(levels, argv[0].value == "continue")


def _eval(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    text = " ".join(word.value for word in argv[1:])
    if text.strip() == UNKNOWN:
        if where.last:
            shell.world.obstacles.append(Obstacle("what eval runs is not known", shell.place(node.span)))
        return None
    excerpt = argv[1].excerpt if len(argv) == 2 else None
    outer, outer_anchor = shell.script, shell.anchor
    anchor = None if excerpt is not None else shell.place(node.span)
    shell.script, shell.anchor = (parse(excerpt) if excerpt is not None else shell.parse_text(text)), anchor
    try:
        return (yield from shell.list(shell.script.body, where.plain()))
    finally:
        shell.script, shell.anchor = outer, outer_anchor


# The names of files that set variables: nobody puts the functions of an entrypoint there.
_SETTINGS = re.compile(
    r"(?:^|[._-])(?:env|environment|profile|activate|bashrc|nvm|release|setup|conf|config|rc|vars)\b"
)


def _source(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    from pid1lint.launch.shell import ReturnFrom

    if len(argv) < 2:
        return 2
    path = argv[1].value
    file = None
    if UNKNOWN not in path:
        file = shell.machine.find(path, shell.env._replace(workdir=shell.workdir))
        if file is None and "/" not in path:
            file = shell.machine.find("./" + path, shell.env._replace(workdir=shell.workdir))
    if file is None or file.text is None:
        shell.foreign_functions |= _SETTINGS.search(argv[1].text.rpartition("/")[2]) is None
        if where.last:
            shell.world.obstacles.append(
                Obstacle(f"the sourced file {argv[1].text} is not in the build context", shell.place(node.span))
            )
        return 0
    if shell.sourcing > 8:
        return 0
    script, outer, outer_anchor = shell.machine.script_of(file), shell.script, shell.anchor
    shell.script, shell.anchor = script, None
    shell.sourcing += 1
    saved = (shell.positional, shell.positional_words)
    if len(argv) > 2:
        shell.positional = [word.value for word in argv[2:]]
        shell.positional_words = list(argv[2:])
    try:
        return (yield from shell.list(script.body, where.plain()))
    except ReturnFrom as back:
        return back.status
    finally:
        shell.sourcing -= 1
        shell.script, shell.anchor = outer, outer_anchor
        if len(argv) > 2:
            shell.positional, shell.positional_words = saved


def _command(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    at = 1
    while at < len(argv) and argv[at].value in ("-p", "--"):
        at += 1
    if at < len(argv) and argv[at].value in ("-v", "-V"):
        return _is_command(shell, argv[at + 1].value if at + 1 < len(argv) else "")
    if at >= len(argv):
        return 0
    return (yield from shell.command(node, argv[at:], where, skipped + at))


def _is_command(shell: Shell, name: str) -> int | None:
    if name in shell.functions or name in BUILTINS:
        return 0
    file = shell.machine.find(name, shell.env)
    return 0 if file is not None else None


# ---------------------------------------------------------------- traps, signals


def _trap(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    yield from ()
    words = list(argv[1:])
    if words and words[0].value == "--":
        words = words[1:]
    if not words or words[0].value in ("-p", "-l"):
        return 0
    handler: str | None = words[0].value
    names = words[1:]
    if len(words) == 1 or (handler is not None and handler.isdigit()):
        names, handler = words, None
    if handler == "-":
        handler = None
    set_here = TrapSet(
        shell.script,
        node,
        handler,
        tuple(word.value for word in names),
        shell.dialect.name,
        shell.proc.pid,
        shell.anchor is None and shell.machine.is_editable(shell.script),
        tuple(word.value for word in names if UNKNOWN not in word.value and _trap_name(shell, word.value) is None),
        _empty_expansions(shell, node, skipped) if handler is not None else (),
        words[0].excerpt if handler is not None else None,
    )
    shell.world.traps.append(set_here)
    status = 0
    for word in names:
        if word.value.upper() == "ERR":
            shell.err_trap = handler is not None
        name = _trap_name(shell, word.value)
        if name is None and shell.dialect.trap_skips_unknown:
            status = 1
            continue
        if name is None:
            return 1
        if name in ("KILL", "STOP", "ERR", "DEBUG", "RETURN"):
            continue
        if name in shell.inherited_ignored and name != "EXIT":
            continue
        if handler is not None and name != "EXIT" and "EXIT" not in shell.traps:
            shell.trapped_first.add(name)
        if name in shell.trapped_first:
            (shell.reset.add if handler is None else shell.reset.discard)(name)
        shell.traps.pop(name, None)
        shell.proc.ignored.discard(name)
        shell.trap_sets[name] = set_here
        if handler:
            shell.traps[name] = handler
        elif handler is not None:
            shell.proc.ignored.add(name)
    return status


def _empty_expansions(shell: Shell, node: Simple, skipped: int) -> tuple[str, ...]:
    """The expansions in a handler's text that give nothing now: `"kill $pid"` before there is a pid."""
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


def _trap_name(shell: Shell, text: str) -> str | None:
    """A condition of a trap, or None where this shell knows no such name."""
    if text.upper() in ("EXIT", "0"):
        return "EXIT"
    if text.upper() in ("ERR", "DEBUG", "RETURN"):
        return text.upper() if shell.dialect.err_trap else None
    dialect = shell.dialect
    if text.upper().startswith("SIG") and not dialect.trap_sig_prefix:
        return None
    if text != text.upper() and not dialect.trap_lower_case:
        return None
    return signal_name(text)


def _kill(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    yield from ()
    words = [word.value for word in argv[1:]]
    name: str | None = "TERM"
    while words and words[0].startswith("-") and words[0] != "--":
        option = words.pop(0)
        if option in ("-s", "-n"):
            written = words.pop(0) if words else ""
            refused = written.upper().startswith("SIG") and not shell.dialect.kill_sig_prefix
            name = None if refused else signal_name(written)
        elif option in {"-l", "-L"}:
            return 0
        elif option == "-0":
            name = "0"
        elif option[1:].isdigit() and not words:
            words = [option]
            break
        else:
            if option.upper().startswith("-SIG") and not shell.dialect.kill_sig_prefix:
                _note_sent(shell, node, where, skipped, "", [])
                return 1
            name = signal_name(option[1:])
        if name is not None and words and words[0].startswith("-") and words[0] != "--":
            break
    if words and words[0] == "--":
        words = words[1:]
    if name is None:
        _note_sent(shell, node, where, skipped, "", [])
        return 1
    return _send(shell, name, words, node, where, skipped)


def _note_sent(
    shell: Shell, node: Simple, where: Where, skipped: int, name: str, targets: list[Proc], *, group: bool = False
) -> None:
    if shell.world.stopped and name != "0":
        pids = tuple(target.pid for target in targets if target.alive)
        shell.world.sent.append(Sent(shell.proc.pid, name, pids, shell.call_of(node, where, skipped), group))


def _send(shell: Shell, name: str, words: list[str], node: Simple, where: Where, skipped: int) -> int | None:
    from pid1lint.launch.shell import ExitShell

    world = shell.world
    targets: list[Proc] = []
    unsure = missed = False
    for word in words:
        before = sum(target.alive for target in targets)
        if word.lstrip("-").isdigit() and word not in ("0", "-0"):
            number = int(word)
            if number == -1:
                targets += [p for p in world.procs.values() if p.alive and p.pid not in (1, shell.proc.pid)]
            elif number < 0:
                # `-$$`: the shell's own number; it leads a group only where it began one.
                group = -number
                leads = any(p.group == group for p in world.procs.values())
                targets += [p for p in world.procs.values() if p.alive and p.group == group] if leads else []
            elif number in world.procs:
                targets.append(world.procs[number])
        elif word in ("0", "-0"):
            targets += [p for p in world.procs.values() if p.alive and p.group == shell.proc.group]
        elif word.startswith("%"):
            # Dash's kill takes a job for a process group, which it is not.
            targets += _job_procs(shell, word) if shell.dialect.job_specs else []
        elif UNKNOWN in word:
            unsure = True
        missed = missed or (UNKNOWN not in word and before == sum(target.alive for target in targets))
    reached = any(target.alive for target in targets)
    if name == "0":
        if unsure:
            return None
        return 0 if reached else 1
    _note_sent(shell, node, where, skipped, name, targets, group=any(word in ("0", "-0") for word in words))
    if unsure:
        _signal_apps(shell, name, node)
    for target in targets:
        if not target.alive:
            continue
        if world.stopped:
            world.signal(target, name)
        elif target.pid not in (1, shell.proc.pid):
            # A program that handles the signal ends well; others die of it.
            handles = target.react is not None and target.react(name) in ("handles", "drops")
            for child in world.children(target.pid) if target.on_signal is not None else ():
                shell.end_all(child)
            world.end(target, 0 if handles else 128 + SIGNALS.get(name, 15))
    if shell.dying is not None:
        raise ExitShell(shell.dying)
    return 0 if unsure or (reached and (shell.dialect.kill_counts_any or not missed)) else 1


def _signal_apps(shell: Shell, name: str, node: Simple) -> None:
    """A process named by what the files do not tell (a pid file): it is the app, whom else would one tell."""
    world = shell.world
    if not world.stopped:
        for job in shell.jobs:
            shell.finish(job)
        return
    for proc in world.at_stop:
        if proc.alive and proc.long and not proc.helper:
            world.signal(proc, name)
    world.obstacles.append(Obstacle("which process is signalled is not known", shell.place(node.span)))


def _job_procs(shell: Shell, word: str) -> list[Proc]:
    alive = [job for job in shell.jobs if any(shell.world.procs[pid].alive for pid in job.pids)]
    number = word[1:]
    chosen = [job for job in shell.jobs if job.number == int(number)][-1:] if number.isdigit() else alive[-1:]
    return [shell.world.procs[pid] for job in chosen for pid in job.pids]


def _named_kill(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    """`pkill`, `killall`: by the program's name."""
    yield from ()
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
    found = _by_name(shell, pattern, full=argv[0].value == "pkill" and any(word in ("-f", "--full") for word in words))
    if parent.isdigit():
        found = shell.world.children(int(parent))
    _note_sent(shell, node, where, skipped, name, found)
    for proc in found:
        if shell.world.stopped:
            shell.world.signal(proc, name)
        else:
            shell.world.end(proc, 143)
    return 0 if found else 1


def _by_name(shell: Shell, pattern: str, *, full: bool) -> list[Proc]:
    world = shell.world
    if UNKNOWN in pattern or pattern == "*":
        return [p for p in world.procs.values() if p.alive and p.long]
    return [
        p
        for p in world.procs.values()
        if p.alive
        and p.pid not in (1, shell.proc.pid)
        and p.stages
        and (pattern in p.stage.program or (full and any(pattern in word for word in p.stage.argv)))
    ]


# ---------------------------------------------------------------------- waiting


def _wait(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    words = [word.value for word in argv[1:]]
    any_one = "-n" in words
    if any_one and not shell.dialect.wait_n:
        shell.foreign("wait -n", node.span)
        return shell.dialect.wait_n_status
    words = [word for word in words if not word.startswith("-")]
    jobs = _jobs_named(shell, words) if words else list(shell.jobs)
    alive = [job for job in jobs if any(shell.world.procs[pid].alive for pid in job.pids)]
    if any_one:
        ended = [job for job in jobs if job not in alive and job.pid not in shell.waited]
        shell.waited |= {job.pid for job in jobs if job not in alive}
        if ended and shell.dialect.wait_n_counts_ended:
            # One that has ended before counts, once.
            return shell.world.procs[ended[0].pid].status
    if not alive:
        shell.waited |= {job.pid for job in jobs}
        if words and not jobs:
            return 127
        yield from shell.run_pending()
        return shell.world.procs[jobs[-1].pid].status if jobs and words else 0
    pids = tuple(pid for job in alive for pid in job.pids)
    if not shell.world.stopped and shell.proc.thread not in shell.world.live:
        finite = all(_soon_over(shell.world.procs[pid], shell.world.clock) for pid in pids)
        if finite or not shell.world.blocks_here(shell.proc.thread, "wait"):
            for job in alive[: 1 if any_one else None]:
                shell.finish(job)
                shell.waited.add(job.pid)
            return 0
    block = Block("wait", pids, any_one, interruptible=True, place=shell.place(node.span))
    interrupted = yield from shell.wait_for(block)
    if interrupted:
        return 143
    shell.waited |= {job.pid for job in alive if not any(shell.world.procs[pid].alive for pid in job.pids)}
    gone = [job for job in alive if not shell.world.procs[job.pid].alive]
    status = shell.world.procs[(gone[0] if any_one and gone else alive[-1]).pid].status
    return status if words or any_one else 0


def _soon_over(proc: Proc, now: float) -> bool:
    """Whether a process has ended, or will have before anyone says stop: not a `sleep 3600`."""
    return not proc.alive or (proc.ends_at is not None and proc.ends_at - now < SOON_SECONDS)


def _jobs_named(shell: Shell, words: list[str]) -> list[Job]:
    found: list[Job] = []
    for word in words:
        if UNKNOWN in word:
            return list(shell.jobs)
        if word.startswith("%"):
            procs = {proc.pid for proc in _job_procs(shell, word)}
            found += [job for job in shell.jobs if procs & set(job.pids)]
        elif word.isdigit():
            found += [job for job in shell.jobs if int(word) in job.pids]
    return found


def _fg(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    from pid1lint.launch.shell import ExitShell

    if not shell.dialect.foreground_job or not shell.monitor:
        if not shell.dialect.foreground_job and shell.proc.thread == 0:
            raise ExitShell(2)
        return 1
    word = argv[1].value if len(argv) > 1 else "%%"
    chosen = _jobs_named(shell, [word]) or shell.jobs[-1:]
    alive = [pid for job in chosen for pid in job.pids if shell.world.procs[pid].alive]
    if not alive:
        return 1
    if not shell.world.stopped and not shell.world.blocks_here(shell.proc.thread, "app"):
        for job in chosen:
            shell.finish(job)
        return 0
    yield from shell.wait_for(Block("child", tuple(alive), place=shell.place(node.span)))
    return 0


def _jobs(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    yield from ()
    return 0


def _disown(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    yield from ()
    shell.jobs = [] if len(argv) > 1 else shell.jobs[:-1]
    return 0


# -------------------------------------------------------------------- variables


def _set(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    yield from ()
    at = 1
    while at < len(argv):
        word = argv[at].value
        if word == "--":
            at += 1
            break
        if word in ("-o", "+o"):
            _set_option(shell, argv[at + 1].value if at + 1 < len(argv) else "", word == "-o", node)
            at += 2
            continue
        if word[:1] not in ("-", "+") or len(word) == 1:
            break
        if "e" in word:
            shell.errexit = word[0] == "-"
        if "m" in word:
            shell.monitor = word[0] == "-" and shell.dialect.foreground_job
        if "u" in word:
            shell.nounset = word[0] == "-"
        if word.endswith("o"):
            _set_option(shell, argv[at + 1].value if at + 1 < len(argv) else "", word[0] == "-", node)
            at += 1
        at += 1
    else:
        return 0
    words = argv[at:]
    shell.positional = [word.value for word in words]
    shell.positional_words = list(words)
    shell.positional_soft = next((word.soft for word in words if word.soft), "")
    return 0


def _set_option(shell: Shell, option: str, on: bool, node: Simple) -> None:
    from pid1lint.launch.shell import ExitShell

    if option == "pipefail" and not shell.dialect.pipefail:
        shell.fail(f"{shell.dialect.name} has no option pipefail, and ends at it", node.span)
        raise ExitShell(2)
    match option:
        case "errexit":
            shell.errexit = on
        case "monitor":
            # Without a terminal most shells refuse.
            shell.monitor = on and shell.dialect.foreground_job
        case "nounset":
            shell.nounset = on


def _shift(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    from pid1lint.launch.shell import ExitShell

    yield from ()
    count = int(argv[1].value) if len(argv) > 1 and argv[1].value.isdigit() else 1
    if count > len(shell.positional):
        if shell.dialect.errors_end and not shell.positional_soft:
            raise ExitShell(2)
        # On a path that other arguments than CMD's take, there are some to shift.
        return 0 if shell.world.other_arguments else 1
    shell.positional = shell.positional[count:]
    shell.positional_words = shell.positional_words[count:]
    return 0


def _declare(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    """`export`, `local`, `declare`, `readonly`, `typeset`."""
    exports = argv[0].value == "export"
    for word in node.words[1 + skipped :]:
        text = word.text
        if text.startswith("-") and not _ASSIGNMENT.match(text):
            exports = exports or "x" in text
            continue
        yield from _declared(shell, word, exports)
    return 0


def _declared(shell: Shell, word: Word, exports: bool) -> Generator[Block, None, None]:
    assignment = parse_assignment(word.text, word.span.start)
    if assignment is None:
        name = word.literal
        if name and exports and name.isidentifier():
            shell.exported[name] = shell.lookup(name).text or ""
        return
    yield from shell.assignment(assignment)
    if exports:
        shell.exported[assignment.name] = shell.lookup(assignment.name).text or ""


def _unset(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    yield from ()
    from pid1lint.launch.state import Value

    functions = any(word.value == "-f" for word in argv[1:])
    for word in argv[1:]:
        if word.value.startswith("-"):
            continue
        if functions:
            shell.functions.pop(word.value, None)
        else:
            shell.variables[word.value] = Value(None)
            shell.arrays.pop(word.value, None)
            shell.exported.pop(word.value, None)
    return 0


def _read(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    for word in argv[1:]:
        if not word.value.startswith("-"):
            shell.assign(word.value, UNKNOWN)
    feeders = tuple(pid for pid in shell.proc.reads_from if shell.world.procs[pid].alive)
    if feeders:
        yield from shell.wait_for(Block("read", feeders, place=shell.place(node.span)))
        return 1
    return None


def _getopts(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    yield from ()
    if len(argv) > 2:
        shell.assign(argv[2].value, UNKNOWN, shell.positional_soft)
    shell.assign("OPTARG", UNKNOWN, shell.positional_soft)
    shell.soft = shell.positional_soft
    given = shell.positional[:1]
    return None if given and given[0].startswith("-") else 1


def _cd(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    yield from ()
    target = argv[1].value if len(argv) > 1 else shell.home
    if target.startswith("/"):
        shell.workdir = target
    elif UNKNOWN not in target and target != "-":
        shell.workdir = f"{shell.workdir.rstrip('/')}/{target}"
    shell.env = shell.env._replace(workdir=shell.workdir)
    return 0


# ------------------------------------------------------------------------ tests


def _test(shell: Shell, node: Simple, argv: Argv, where: Where, skipped: int) -> Status:
    yield from ()
    words = [word.value for word in argv[1:]]
    if argv[0].value == "[":
        if words[-1:] != ["]"]:
            return 2
        words = words[:-1]
    truth = test(shell, words)
    return None if truth is None else (0 if truth else 1)


def test(shell: Shell, words: list[str]) -> bool | None:
    """What `test` finds; None where the files do not tell."""
    if not words:
        return False
    for op, decisive in (("-o", True), ("-a", False)):
        if op in words[1:-1] and len(words) > 3:
            at = words.index(op, 1)
            left, right = test(shell, words[:at]), test(shell, words[at + 1 :])
            if left is decisive or right is decisive:
                return decisive
            return None if left is None or right is None else not decisive
    if words[0] == "!" and len(words) > 1:
        inner = test(shell, words[1:])
        return None if inner is None else not inner
    if len(words) == 1:
        return None if words[0] == UNKNOWN else words[0] != ""
    if len(words) == 2:
        return _unary(shell, words[0], words[1])
    if len(words) == 3:
        return _binary(words[0], words[1], words[2])
    return None


def _unary(shell: Shell, op: str, word: str) -> bool | None:
    if op in ("-z", "-n"):
        if word == UNKNOWN:
            return None
        return (word == "") == (op == "-z")
    if op == "-t":
        return False
    process = re.fullmatch(r"/proc/(\d+)(/.*)?", word)
    if process and op in ("-d", "-e", "-f", "-r"):
        found = shell.world.procs.get(int(process[1]))
        return found is not None and found.alive
    if op in ("-f", "-e", "-x", "-s", "-r", "-d", "-L", "-h", "-w"):
        if UNKNOWN in word:
            return None
        if op in ("-f", "-e", "-s", "-r", "-x") and word:
            file = shell.machine.find(word if "/" in word else "./" + word, shell.env)
            if file is not None and (op != "-x" or file.executable is not False):
                return True
        return None
    if op == "-v":
        return shell.lookup(word).text is not None
    return None


def _binary(left: str, op: str, right: str) -> bool | None:
    if op in ("=", "==", "!="):
        if values.known(left) and values.known(right):
            same: bool | None = left == right
        elif values.known(right) and not values.known(left):
            same = values.matches(right, left.replace("*", "\\*"))
            same = None if same else same
        else:
            same = None
        return same if same is None or op != "!=" else not same
    numbers = {"-eq": 0, "-ne": 1, "-lt": 2, "-le": 3, "-gt": 4, "-ge": 5}
    if op in numbers:
        if not re.fullmatch(r"-?\d+", left) or not re.fullmatch(r"-?\d+", right):
            return None if UNKNOWN in left + right else False
        a, b = int(left), int(right)
        return (a == b, a != b, a < b, a <= b, a > b, a >= b)[numbers[op]]
    return None


# ---------------------------------------------------------------- substitutions


def output(shell: Shell, argv: Argv) -> str | None:
    """What a command prints in `$(...)`, where that can be told; UNKNOWN where it is a pure but unknown query."""
    name = argv[0].value.rpartition("/")[2]
    words = [word.value for word in argv[1:]]
    match name:
        case "echo":
            return " ".join(word for word in words if word not in ("-n", "-e")).strip()
        case "printf":
            if words[:1] in (["%s"], ["%s\\n"]) and len(words) == 2:
                return words[1]
            return UNKNOWN
        case "dirname":
            path = words[-1] if words else ""
            return (path.rpartition("/")[0] or ("/" if path.startswith("/") else ".")) if path else UNKNOWN
        case "basename":
            base = words[0].rstrip("/").rpartition("/")[2] if words else ""
            return base.removesuffix(words[1]) if len(words) > 1 else base
        case "pwd":
            return shell.workdir
        case "readlink" | "realpath":
            return words[-1] if words else UNKNOWN
        case "id":
            if words[:1] == ["-u"] and len(words) == 1:
                return shell.user_id
            if words in (["-un"], ["-nu"], ["-u", "-n"]) and shell.user_id == "0":
                return "root"
            return UNKNOWN
        case "whoami":
            return "root" if shell.user_id == "0" else UNKNOWN
        case "which" | "command" | "type":
            return f"{UNKNOWN}/{words[-1]}" if words else UNKNOWN
        case "jobs":
            if not shell.dialect.jobs_in_substitution:
                return ""
            if not shell.dialect.jobs_running and any("r" in word for word in words if word.startswith("-")):
                return ""
            listed = [
                job
                for job in shell.jobs
                if (shell.dialect.lists_ended_jobs and job.pid not in shell.waited)
                or any(shell.world.procs[pid].alive for pid in job.pids)
            ]
            return "\n".join(str(job.pids[0]) for job in listed)
        case "pidof" | "pgrep":
            procs = _by_name(shell, words[-1], full="-f" in words) if words else []
            return (" " if name == "pidof" else "\n").join(str(proc.pid) for proc in procs) or UNKNOWN
        case "cat" | "date" | "hostname" | "uname" | "nproc" | "mktemp" | "head" | "tail" | "grep" | "sed" | "awk":
            return UNKNOWN
    return None


BUILTINS: dict[str, Builtin] = {
    "exec": _exec,
    "exit": _exit,
    "return": _return,
    "break": _break,
    "continue": _break,
    "eval": _eval,
    ".": _source,
    "source": _source,
    "command": _command,
    "builtin": _command,
    "trap": _trap,
    "kill": _kill,
    "pkill": _named_kill,
    "killall": _named_kill,
    "wait": _wait,
    "fg": _fg,
    "bg": _nothing,
    "jobs": _jobs,
    "disown": _disown,
    "set": _set,
    "shift": _shift,
    "export": _declare,
    "local": _declare,
    "declare": _declare,
    "typeset": _declare,
    "readonly": _declare,
    "unset": _unset,
    "read": _read,
    "getopts": _getopts,
    "cd": _cd,
    "test": _test,
    "[": _test,
    "true": _nothing,
    "false": _false,
    "type": _unknown,
    "let": _unknown,
    "mapfile": _read,
    "readarray": _read,
    **dict.fromkeys(
        (
            ":",
            "echo",
            "printf",
            "umask",
            "ulimit",
            "hash",
            "alias",
            "unalias",
            "pwd",
            "times",
            "shopt",
            "enable",
            "pushd",
            "popd",
            "dirs",
            "history",
            "suspend",
        ),
        _nothing,
    ),
}
