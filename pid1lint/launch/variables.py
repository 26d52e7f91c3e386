"""Builtins about what a shell knows: options, arguments, variables, the working directory, tests."""

from __future__ import annotations

from pid1lint.launch.code import Where
from pid1lint.launch.control import ASSIGNMENT
from pid1lint.launch.interpreter import LATER, ExitShell, Interpreter, Result
from pid1lint.launch.stack import Argv, Block, Done, Value
from pid1lint.launch.values import UNKNOWN
from pid1lint.numbers import is_number
from pid1lint.shell.ir import Declared, Simple, Word
from pid1lint.shell.parse import parse_assignment


def set_(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`set`."""
    shell = run.shell
    at = 1
    while at < len(argv):
        word = argv[at].value
        if word == "--":
            at += 1
            break
        if word in ("-o", "+o"):
            _set_option(run, argv[at + 1].value if at + 1 < len(argv) else "", word == "-o", node)
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
            _set_option(run, argv[at + 1].value if at + 1 < len(argv) else "", word[0] == "-", node)
            at += 1
        at += 1
    else:
        return 0
    run.set_positional(argv[at:])
    return 0


def _set_option(run: Interpreter, option: str, on: bool, node: Simple) -> None:
    shell = run.shell
    if option == "pipefail" and not shell.dialect.pipefail:
        if run.proc.thread == 0 and not any(stage.form == "subshell" for stage in run.proc.stages):
            # A subshell is where it is tried first.
            run.foreign("pipefail", node.span)
        run.fail(f"{shell.dialect.name} has no option pipefail and exits here", node.span)
        raise ExitShell(2)
    match option:
        case "errexit":
            shell.errexit = on
        case "monitor":
            # Without a terminal most shells refuse.
            shell.monitor = on and shell.dialect.foreground_job
        case "nounset":
            shell.nounset = on


def shift(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`shift`."""
    shell = run.shell
    count = int(argv[1].value) if len(argv) > 1 and is_number(argv[1].value) else 1
    if count > len(shell.positional):
        if shell.dialect.errors_end and not shell.positional_soft:
            raise ExitShell(2)
        # On a path that other arguments than CMD's take, there are some to shift.
        return 0 if run.world.other_arguments else 1
    shell.positional = shell.positional[count:]
    return 0


def declare(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`export`, `local`, `declare`, `readonly`, `typeset`."""
    exports = argv[0].value == "export"
    own = argv[0].value in ("local", "declare", "typeset")
    for word in node.words[1 + skipped :]:
        text = word.text
        if text.startswith("-") and not ASSIGNMENT.match(text):
            exports = exports or "x" in text
            own = own and "g" not in text
            continue
        _declare(run, word, exports, own=own)
    return 0


def _declare(run: Interpreter, word: Word, exports: bool, *, own: bool) -> None:
    shell = run.shell
    part = word.parts[0] if word.parts else None
    # Behind `command` it is a word like any other.
    assignment = part.assignment if isinstance(part, Declared) else parse_assignment(word.text, word.span.start)
    if assignment is None:
        name = word.literal
        if name and own and name.isidentifier():
            shell.hide(name, keeps=not shell.dialect.arrays)
        if name and exports and name.isidentifier():
            shell.exported[name] = shell.lookup(name).text or ""
        return
    if own:
        # What is assigned is expanded while the name still means what it did: `local x="$x"`.
        shell.hide(assignment.name, keeps=True)
    run.assignment(assignment)
    if exports:
        shell.exported[assignment.name] = shell.lookup(assignment.name).text or ""


def unset(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`unset`."""
    shell = run.shell
    functions = any(word.value == "-f" for word in argv[1:])
    for word in argv[1:]:
        if word.value.startswith("-"):
            continue
        if functions:
            shell.define(word.value, None)
        else:
            shell.variables[word.value] = Value(None)
            shell.arrays.pop(word.value, None)
            shell.exported.pop(word.value, None)
    return 0


def read(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`read`: what is read is not known; it waits for those that feed it."""
    shell, world = run.shell, run.world
    for word in argv[1:]:
        if not word.value.startswith("-"):
            shell.assign(word.value, UNKNOWN)
    feeders = tuple(pid for pid in run.proc.reads_from if world.procs[pid].alive)
    if not feeders:
        return None
    run.wait(Block("read", feeders, place=run.place(node.span)), Done(1))
    return LATER


def getopts(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`getopts`."""
    shell = run.shell
    if len(argv) > 2:
        shell.assign(argv[2].value, UNKNOWN, shell.positional_soft)
    shell.assign("OPTARG", UNKNOWN, shell.positional_soft)
    shell.soft = shell.positional_soft
    given = shell.positional[:1]
    return None if given and given[0].value.startswith("-") else 1


def cd(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`cd`."""
    shell = run.shell
    target = argv[1].value if len(argv) > 1 else shell.home
    if target.startswith("/"):
        shell.workdir = target
    elif UNKNOWN not in target and target != "-":
        shell.workdir = f"{shell.workdir.rstrip('/')}/{target}"
    shell.env = shell.env._replace(workdir=shell.workdir)
    return 0


def bracket(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`test` and `[`."""
    words = [word.value for word in argv[1:]]
    if argv[0].value == "[":
        if words[-1:] != ["]"]:
            return 2
        words = words[:-1]
    return run.test(words)


def nothing(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """What succeeds and changes nothing that matters here."""
    return 0


def false(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`false`."""
    return 1


def untold(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """What has a status that the files do not tell."""
    return None


def disown(run: Interpreter, node: Simple, argv: Argv, where: Where, skipped: int) -> Result:
    """`disown`."""
    shell = run.shell
    shell.jobs = () if len(argv) > 1 else shell.jobs[:-1]
    return 0
