"""Builtins that change what runs next: `exec`, `exit`, `return`, `break`, `eval`, `.`, `command`."""

from __future__ import annotations

import re

from pid1lint.launch.code import Where
from pid1lint.launch.interpreter import LATER, Again, ExitShell, Interpreter, LeaveLoops, Result, ReturnFrom
from pid1lint.launch.process import Started
from pid1lint.launch.stack import Argv
from pid1lint.launch.values import UNKNOWN
from pid1lint.numbers import is_number
from pid1lint.shell.ir import Simple

ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
# The names of files that set variables: nobody puts the functions of an entrypoint there.
_SETTINGS = re.compile(
    r"(?:^|[._-])(?:env|environment|profile|activate|bashrc|nvm|release|setup|conf|config|rc|vars)\b"
)
_MOST_SOURCED = 8


def exec_(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`exec`: the shell becomes the command, unless it takes the first word for a program's name that is none."""
    world, shell = run.world, run.shell
    call = run.call_of(node, where, skipped + 1)
    given = node.words[skipped + 1].text if len(node.words) > skipped + 1 else ""
    first = argv[1] if len(argv) > 1 else None
    # An option of CMD's where other arguments than CMD's are given is none of them.
    is_given = not shell.positional or (first is not None and first.soft == "arguments" and first.value[:1] == "-")
    if world.other_arguments and is_given and given in ('"$@"', "$@", '"${@}"'):
        # What the user gives comes first, whatever it is.
        unknown = argv[0]._replace(value=UNKNOWN, text=given, excerpt=None)
        run.program(node, (unknown, *argv[1:]), where, _index(node, skipped + 1), replace=True)
        return LATER
    at = 1
    while at < len(argv) and argv[at].value.startswith("-") and len(argv[at].value) > 1:
        word = argv[at].value
        if word == "--" and shell.dialect.exec_dashes:
            at += 1
            break
        if word in ("-a", "-c", "-l", "-cl", "-ca", "-la") and shell.dialect.exec_a:
            at += 2 if "a" in word else 1
            continue
        what = "dashes" if word == "--" else "option"
        if argv[at].excerpt is not None:
            world.note(Started(what, call.place, argv[at].text, call))
        run.fail(f"`exec {argv[at].text}` looks for a program named `{argv[at].text}`", node.span)
        raise ExitShell(127)
    command = argv[at:]
    if not command and world.other_arguments and len(node.words) > skipped + at:
        # `exec "$@"` with what the user gives.
        command = (argv[0]._replace(value=UNKNOWN, text=node.words[skipped + at].text, excerpt=None),)
    if not command:
        return 0
    name = command[0]
    why = ""
    if ASSIGNMENT.match(name.value):
        if ASSIGNMENT.match(node.words[_index(node, skipped + at)].text):
            world.note(Started("assignment", call.place, name.text, call))
        why = f"exec looks for a program named `{name.text}`"
    elif name.value in ("command", "builtin", "eval", "export", "set") and name.excerpt is not None:
        why = f"`{name.text}` is a builtin, and exec looks for a program of that name"
    elif name.value in shell.functions:
        why = f"`{name.text}` is a function, and exec looks for a program of that name"
    if why:
        run.fail(why, node.span)
        raise ExitShell(127)
    run.program(node, command, where, _index(node, skipped + at), replace=True)
    return LATER


def _index(node: Simple, wanted: int) -> int:
    return min(wanted, len(node.words) - 1)


def exit_(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`exit`."""
    world, shell = run.world, run.shell
    if run.proc.pid == 1 and world.ended_in is None and not world.stopped:
        world.ended_in = run.place(node.span)
    raise ExitShell(int(argv[1].value) if len(argv) > 1 and is_number(argv[1].value) else shell.status or 0)


def return_(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`return`: outside of functions and sourced files it ends the script, or is an error."""
    shell = run.shell
    if shell.calls == 0 and shell.sourcing == 0 and shell.dialect.return_anywhere:
        return 1
    raise ReturnFrom(int(argv[1].value) if len(argv) > 1 and is_number(argv[1].value) else shell.status)


def break_(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`break` and `continue`."""
    levels = int(argv[1].value) if len(argv) > 1 and is_number(argv[1].value) else 1
    raise LeaveLoops(levels, argv[0].value == "continue")


def eval_(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`eval`."""
    text = " ".join(word.value for word in argv[1:])
    if text.strip() == UNKNOWN:
        if where.last:
            run.world.hinder("it is not known what eval runs", run.place(node.span))
        return None
    excerpt = argv[1].excerpt if len(argv) == 2 else None
    if excerpt is not None:
        run.evaluate(run.lookup.cut(excerpt), None, where)
    else:
        run.evaluate(run.lookup.made(text), run.place(node.span), where)
    return LATER


def source(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`.`: run a file in this shell."""
    if len(argv) < 2:
        return 2
    lookup, shell = run.lookup, run.shell
    path = argv[1].value
    file = None
    if UNKNOWN not in path:
        env = shell.env._replace(workdir=shell.workdir)
        file = lookup.find(path, env)
        if file is None and "/" not in path:
            file = lookup.find("./" + path, env)
    if file is None or file.text is None:
        shell.foreign_functions |= _SETTINGS.search(argv[1].text.rpartition("/")[2]) is None
        if where.last:
            why = f"the sourced file {argv[1].text} is not in the build context"
            run.world.hinder(why, run.place(node.span))
        return 0
    if shell.sourcing > _MOST_SOURCED:
        return 0
    run.read_in(lookup.script_of(file), argv[2:] or None, where)
    return LATER


def command(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`command` and `builtin`."""
    at = 1
    while at < len(argv) and argv[at].value in ("-p", "--"):
        at += 1
    if at < len(argv) and argv[at].value in ("-v", "-V"):
        return _is_command(run, argv[at + 1].value if at + 1 < len(argv) else "")
    return Again(argv[at:], skipped + at) if at < len(argv) else 0


def _is_command(run: Interpreter, name: str) -> int | None:
    if not run.is_program(name):
        return 0
    return 0 if run.lookup.find(name, run.shell.env) is not None else None
