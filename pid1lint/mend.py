"""Edits that several rules offer: each the smallest that does what it says, with what must be proven of it first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pid1lint.facts.images import UNKNOWN
from pid1lint.fix import Applicability, Edit, Fix, ShellGuard
from pid1lint.frozen import Frozen
from pid1lint.shell.ir import AndOr, For, Function, Item, List, Loop, Simple
from pid1lint.source import Place, Source, Span

if TYPE_CHECKING:
    from pid1lint.dockerfile.scanner import Instruction
    from pid1lint.image.model import Command
    from pid1lint.launch.process import Call, Launch, Link, Process, TrapSet
    from pid1lint.shell.ir import Script

BUILTINS = frozenset(
    ". : [ alias bg break cd command continue eval exec exit export false fc fg getopts hash jobs kill let local "
    "printf pwd read readonly return set shift source test times trap true type ulimit umask unalias unset wait "
    "[[ declare typeset echo shopt time ! { } if then else elif fi for while until do done case esac in function "
    "select".split()
)


# `app && next`, `app; status=$?`: what follows needs the app to come back.
_STATUS_NEEDED = re.compile(r"\s*&&|[ \t]*[;\n]\s*\w+=[\"']?\$\?")


def newline(text: str) -> str:
    """The line end that a text uses."""
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"


def guard(script: Script, node: Simple) -> ShellGuard:
    """What bashlex must see of a command before it is edited."""
    words = [assignment_text(script, a.span) for a in node.assignments] + [word.text for word in node.words]
    return ShellGuard(script.text, node.span.start, node.span.end, tuple(words))


def assignment_text(script: Script, span: Span) -> str:
    """A part of a script as written."""
    return script.text.text[span.start : span.end]


def insert_exec(call: Call) -> tuple[tuple[Edit, ...], tuple[ShellGuard, ...]] | None:
    """Put `exec` before the program of a command; None where that cannot be written there."""
    if not call.editable or call.words >= len(call.node.words) or call.condition or call.substitution:
        return None
    word, quoting = call.node.words[call.words], call.script.text.quoting
    if (
        word.literal in BUILTINS
        or _forks_as_pid1(word.text for word in call.node.words)
        or quoting == "nested"
        or _STATUS_NEEDED.match(call.script.text.text, call.node.span.end)
    ):
        return None
    source, at = call.script.text.source, call.script.text.offset(word.span.start)
    edit = Edit(source, Span(at, at), "exec ")
    if quoting == "word":
        # `su app -c server`: two words in the place of one need quotes.
        edit = Edit(source, call.script.text.span(word.span.start, word.span.end), f"'exec {word.text}'")
    return (edit,), (guard(call.script, call.node),)


def exec_in_front(link: Link) -> Fix | None:
    """Put `exec` before the program that a shell has started and waits for.

    None where the shell has more to do afterwards, or where the program would be told no better without the shell.
    """
    from pid1lint.launch.inert import ends_otherwise, goes_on

    call, child = link.child.call, link.child
    if call is None or child.start != "child" or call.loop or link.shell.form == "subshell" or link.traps_others:
        return None
    if link.in_vain:
        return None
    if not call.last and (call.function or goes_on(call.script, call.node)):
        return None
    made = insert_exec(call)
    if made is None:
        return None
    safe = call.last and not link.beside and not ends_otherwise(call.script, call.node)
    applicability = Applicability.SAFE if safe else Applicability.UNSAFE
    return Fix(f"Put exec before {child.program}", made[0], applicability, made[1])


def statement_after(call: Call, statement: str) -> tuple[tuple[Edit, ...], tuple[ShellGuard, ...]] | None:
    """Put a statement behind a command, on a line of its own if the command has one; None where none can stand there.

    The command may be followed by `|| ...`, but not by `&&`, nor be part of a pipe or a condition.
    """
    text = call.script.text
    item = next((item for item in _items(call.script.body) if _holds(item, call.node)), None)
    if item is None or item.background or call.condition or not call.editable or text.quoting != "plain":
        return None
    end = text.offset(item.node.span.end - 1) + 1
    start = text.offset(item.node.span.start)
    line = text.source.text.rfind("\n", 0, start) + 1
    indent = text.source.text[line:start]
    rest = text.source.text[end:].partition("\n")[0].strip()
    own_line = not indent.strip() and not rest and item.node.span.end < len(text.text)
    if own_line and _opens_heredoc(text.source.text[line:end]):
        return None
    glue = f"{newline(text.source.text)}{indent}" if own_line else "; "
    return (Edit(text.source, Span(end, end), f"{glue}{statement}"),), (guard(call.script, call.node),)


def statement_before(call: Call, statement: str) -> tuple[tuple[Edit, ...], tuple[ShellGuard, ...]] | None:
    """Put a statement in front of a command, in its line; None where that would part it from what it belongs to."""
    text = call.script.text
    if not call.editable or text.quoting != "plain" or not any(_begins(i, call.node) for i in _items(call.script.body)):
        return None
    first = call.node.words[0]
    span = Span(text.offset(first.span.start), text.offset(first.span.end - 1) + 1)
    return (Edit(text.source, span, f"{statement}; {first.text}"),), (guard(call.script, call.node),)


def into_background(call: Call) -> tuple[tuple[Edit, ...], tuple[ShellGuard, ...]] | None:
    """Send a command to the background and wait for it; None where it does not have a line for itself alone."""
    return _waited_for(call.script, call.node) if call.editable and not call.condition else None


def sleeps_into_background(script: Script, inside: Place) -> tuple[tuple[Edit, ...], tuple[ShellGuard, ...]]:
    """Send the long `sleep`s of the outermost loop around a part of a script to the background, and wait for each.

    A handler waits for a `sleep` in the foreground as for any program. Those of less than 10 s are left alone.
    """
    loop = _loop_around(script, inside)
    found = [item.node for item in _items(loop.body) if isinstance(item.node, Simple)] if loop is not None else []
    made = [both for both in (_waited_for(script, node) for node in found if _sleeps_long(node)) if both is not None]
    edits = tuple(edit for edits, _ in made for edit in edits)
    return edits, tuple(guard for _, guards in made for guard in guards)


def _sleeps_long(node: Simple) -> bool:
    from pid1lint.launch.machine import sleep_seconds

    if len(node.words) < 2 or node.words[0].text.rpartition("/")[2] != "sleep":
        return False
    duration = node.words[1].literal
    seconds = sleep_seconds(duration) if duration is not None else None
    return seconds is None or seconds >= _LONG


_LONG = 10
"""What a `sleep` must take, in seconds, to outlast the grace period of `docker stop`."""


def _waited_for(script: Script, node: Simple) -> tuple[tuple[Edit, ...], tuple[ShellGuard, ...]] | None:
    text = script.text
    alone = any(item.node is node and not item.background for item in _items(script.body))
    indent = indentation(script, node.span.start)
    if not alone or indent is None or text.quoting != "plain":
        return None
    end = text.offset(node.span.end - 1) + 1
    start = text.offset(node.span.start)
    if text.source.text[end:].partition("\n")[0].split("#")[0].strip() or _opens_heredoc(text.source.text[start:end]):
        return None
    edit = Edit(text.source, Span(end, end), f" &{newline(text.source.text)}{indent}wait $!")
    return (edit,), (guard(script, node),)


def _opens_heredoc(text: str) -> bool:
    """Whether what comes on the next line may be a here-document's first."""
    return "<<" in text.replace("<<<", "")


def before_loop(script: Script, inside: Place, statement: str) -> tuple[Edit, ...] | None:
    """Put a statement on a line of its own before the outermost loop around a part of a script."""
    loop = _loop_around(script, inside)
    indent = indentation(script, loop.span.start) if loop is not None else None
    if loop is None or indent is None:
        return None
    source, at = script.text.source, script.text.offset(loop.span.start)
    return (Edit(source, Span(at, at), f"{statement}{newline(source.text)}{indent}"),)


def indentation(script: Script, start: int) -> str | None:
    """The blanks in front of what starts at `start`; None where something else stands there."""
    source, at = script.text.source, script.text.offset(start)
    indent = source.text[source.text.rfind("\n", 0, at) + 1 : at]
    return None if indent.strip() else indent


def _loop_around(script: Script, inside: Place) -> Loop | For | None:
    """The outermost loop around a part of a script."""
    for loop in _loops(script.body):
        whole = script.place(loop.span)
        if (
            whole.source is inside.source
            and whole.span.start <= inside.span.start
            and inside.span.end <= whole.span.end
        ):
            return loop
    return None


def _loops(body: List) -> Iterator[Loop | For]:
    for item in _items(body):
        if isinstance(item.node, Loop | For):
            yield item.node


def _begins(item: Item, node: Simple) -> bool:
    begin: object = item.node
    while isinstance(begin, AndOr):
        begin = begin.left
    return begin is node and not node.assignments and not item.background


def _holds(item: Item, node: Simple) -> bool:
    return item.node is node or (isinstance(item.node, AndOr) and item.node.op == "||" and item.node.left is node)


def _items(node: object) -> Iterator[Item]:
    """Every statement of a piece of shell text, outer ones first."""
    return (below for below in _nodes(node) if isinstance(below, Item))


def _nodes(node: object) -> Iterator[object]:
    """Every part of a piece of shell text, outer ones first."""
    yield node
    below = node if isinstance(node, tuple) else ()
    if isinstance(node, List):
        below = node.items
    elif isinstance(node, Frozen):
        below = tuple(getattr(node, name) for name in node._fields)
    for part in below:
        yield from _nodes(part)


def quoted_handler(
    trap: TrapSet, before: str, last: str = ""
) -> tuple[tuple[Edit, ...], tuple[ShellGuard, ...]] | None:
    """Put commands in front of a handler, in single quotes; None where its text is not literal or holds quotes.

    `last` is put behind it, unless the handler names that command itself.
    """
    word = trap.handler_word
    text = trap.script.text
    if word is None or word.literal is None or "'" in before + word.literal or not trap.editable:
        return None
    if text.quoting != "plain":
        return None
    rest = word.literal.strip().lstrip(":").lstrip("; ").strip()
    end = "" if last in rest.split() else last
    handler = "'" + "; ".join(part for part in (before, rest.rstrip("; "), end) if part) + "'"
    edit = Edit(text.source, Span(text.offset(word.span.start), text.offset(word.span.end - 1) + 1), handler)
    return (edit,), (guard(trap.script, trap.node),)


def passing_on(signal: str) -> str:
    """What a handler does to pass its signal (`TERM`) on to all of its shell's process group, and to wait for them.

    The shell stops listening first: `kill 0` would else start the handler again.
    """
    return f'trap "" {signal}; kill 0; wait'


# What neither signals nor waits for anything, whatever its arguments.
_TIDIES = frozenset(": echo printf true exit date logger sync touch rm".split())


def only_tidies(trap: TrapSet) -> bool:
    """Whether a handler, with the functions of its file that it calls, only prints, removes files or exits.

    Then it leaves the app alone, and does not wait for it. What cannot be read is taken for more.
    """
    text = trap.handler_word.literal if trap.handler_word is not None else None
    if text is None:
        return False
    called = (part.split()[0] for part in re.split(r"[;&|\n]+", text) if part.strip())
    return all(_tidies(name, trap.script, ()) for name in called)


def _tidies(name: str | None, script: Script, within: tuple[str, ...]) -> bool:
    """Whether a command, or each of a function's, is one that only tidies."""
    if name in _TIDIES or name is None or name in within:
        return name in _TIDIES
    bodies = [node.body for node in _nodes(script.body) if isinstance(node, Function) and node.name == name]
    commands = [node for body in bodies for node in _nodes(body) if isinstance(node, Simple) and node.words]
    return bool(commands) and all(_tidies(node.words[0].literal, script, (*within, name)) for node in commands)


def also_trap(trap: TrapSet, signal: str) -> Fix | None:
    """Put a signal behind those of a trap; None where the trap cannot be edited."""
    text = trap.script.text
    if not trap.editable or text.quoting != "plain":
        return None
    end = text.offset(trap.node.words[-1].span.end - 1) + 1
    edit = Edit(text.source, Span(end, end), f" {signal.removeprefix('SIG')}")
    return Fix("Trap the stop signal too", (edit,), Applicability.UNSAFE, (guard(trap.script, trap.node),))


def line_above(launch: Launch, instruction: Instruction) -> int:
    """Where a line can be put in front of an instruction: above the comments that stand directly on it."""
    dockerfile = launch.image.dockerfile
    text, at = dockerfile.source.text, instruction.span.start
    for comment in reversed(dockerfile.comments):
        start = text.rfind("\n", 0, comment.span.start) + 1
        if comment.span.start < at and text[comment.span.end : at].strip(" \t\r") in ("", "\n"):
            at = start
    return at


def in_front(launch: Launch, line: str) -> Edit | None:
    """Put an instruction in front of the one that starts the container; None where that stands elsewhere.

    What starts a container of a deployment is stopped by a signal that the deployment sets.
    """
    image = launch.image
    keyword, _, value = line.partition(" ")
    if image.deployment is not None:
        edits = setting(launch, "stop_signal", value) if keyword == "STOPSIGNAL" else None
        return edits[0] if edits else None
    source = image.dockerfile.source
    command = image.entrypoint if image.entrypoint and image.entrypoint.instruction else image.cmd
    if command is None or command.instruction is None or command.instruction not in image.stage.instructions:
        return None
    start = line_above(launch, command.instruction)
    return Edit(source, Span(start, start), f"{line}{newline(source.text)}")


def without_line(source: Source, span: Span) -> Edit:
    """Take out the lines of a span, and the blank line behind them where there is one in front of them too."""
    text = source.text
    start, end = text.rfind("\n", 0, span.start) + 1, text.find("\n", span.end) + 1 or len(text)
    after = text.find("\n", end) + 1
    blank_before = start == 0 or not text[text.rfind("\n", 0, start - 1) + 1 : start].strip()
    if after and blank_before and not text[end:after].strip():
        end = after
    return Edit(source, Span(start, end), "")


def json_array(words: Iterable[str]) -> str:
    """An argv in exec form."""
    return json.dumps(list(words), ensure_ascii=False)


def shell_words(words: Iterable[str]) -> str:
    """An argv as a shell reads it."""
    import shlex

    return shlex.join(words)


def literal_argv(script: Script) -> tuple[tuple[str, ...], Simple] | None:
    """The argv of a shell text that is one plain command of literal words, which means the same without a shell."""
    if len(script.body.items) != 1 or script.damage or script.body.items[0].background:
        return None
    node = script.body.items[0].node
    if not isinstance(node, Simple) or node.assignments or node.redirects or not node.words:
        return None
    words = [word.static for word in node.words]
    argv = tuple(word for word in words if word is not None)
    if len(argv) != len(words) or argv[0] in BUILTINS or any("{" in word and "}" in word for word in argv):
        return None
    rest = script.text.text[: node.span.start] + script.text.text[node.span.end :]
    return (argv, node) if not rest.strip(" \t\r\n;") else None


def may_need_shell(program: str, child: Process) -> bool:
    """Whether only a shell may be able to start a program: a script without `#!`, or one that is not at hand.

    The kernel refuses it, where a shell that cannot start it reads it itself. `child` is what the shell has started.
    """
    file = child.file
    if file is None or file.text is None or program not in (file.path, file.path.rpartition("/")[2]):
        return program.endswith(_SCRIPT_NAMES) and (file is None or file.text is None)
    return not file.text.text.startswith("#!")


_SCRIPT_NAMES = (".sh", ".bash", ".ash", ".ksh")


# To a reader of an exec form these stand for a variable, a home directory, a second command or a file.
_FOR_A_SHELL = re.compile(r".*(?:\$[\w{(]|`)|~|(?:[&;|]+|[012]?(?:>>?|<)(?:&[012])?|&>>?)$", re.DOTALL)


def plain_argv(script: Script) -> tuple[tuple[str, ...], Simple] | None:
    """As `literal_argv`, but no word may look as if a shell were to treat it: `'$x'` is best left in quotes."""
    literal = literal_argv(script)
    if literal is None or any(map(_FOR_A_SHELL.match, literal[0])) or _forks_as_pid1(literal[0]):
        return None
    return literal


def _forks_as_pid1(words: Iterable[str]) -> bool:
    """Whether a word is a program that becomes the app as a shell's child, but as PID 1 starts it and ends: setsid."""
    from pid1lint.facts.launchers import launcher

    return any(known is not None and known.kind == "detach" for known in map(launcher, words))


def is_contiguous(command: Command) -> bool:
    """Whether nothing of the source (a comment line, a continuation) lies between a shell form's characters."""
    place = command.text.place()
    return place.text == command.text.text


def piped_to_substitution(link: Link, prefix: str) -> Fix | None:
    """`app 2>&1 | tee f` as `app > >(tee f) 2>&1`, where the shell is bash and the pipe has these two parts."""
    main = link.path.main
    call = main.call if main is not None else None
    if call is None or not call.editable or link.shell.interpreter != "bash" or not call.last or call.loop:
        return None
    text = call.script.text
    after = text.text[call.node.span.end :]
    bar = after.lstrip(" \t")
    if not bar.startswith("|") or bar.startswith("||"):
        return None
    both = bar.startswith("|&")
    rest = bar[2 if both else 1 :]
    reader = rest.split("\n", 1)[0].strip()
    if not reader or any(char in reader for char in "|&;()<>#\\\r"):
        return None
    words, redirects = call.node.words, call.node.redirects
    merged = all(r.op == ">&" and r.descriptor == 2 and r.target and r.target.text == "1" for r in redirects)
    if not merged or call.node.assignments or any(r.span.start < words[-1].span.end for r in redirects):
        return None
    bar_at = call.node.span.end + len(after) - len(bar)
    start = min((r.span.start for r in redirects), default=bar_at)
    end = call.node.span.end + after.index(reader, len(after) - len(rest)) + len(reader)
    place = text.place(start, end)
    # A continuation or a comment in between would be lost.
    if "\n" in place.text:
        return None
    written = text.place(end - len(reader), end).text
    errors = " 2>&1" if redirects or both else ""
    first = text.offset(words[0].span.start)
    before = (Edit(text.source, Span(first, first), prefix),) if prefix else ()
    edits = (*before, Edit(text.source, place.span, f"> >({written}){errors}"))
    return Fix("Write to the pipe's reader from exec", edits, Applicability.UNSAFE, (guard(call.script, call.node),))


def init_in_front(launch: Launch) -> Fix | None:
    """Install the chosen init, and put it in front of what the container starts: of ENTRYPOINT, else of CMD.

    None where that is in shell form or comes from an image whose scripts are not known, or where no package of the
    init is known.
    """
    from pid1lint.facts.inits import INITS

    image = launch.image
    if image.deployment is not None:
        made = setting(launch, "init", "true") if not image.front else None
        return None if made is None else Fix("Let an init be put in front", made, Applicability.UNSAFE)
    # One that is installed need not be joined by another.
    init = next((init for init in (launch.init, *INITS) if init in image.packages), launch.init)
    source = image.dockerfile.source
    command = image.entrypoint or image.cmd
    own = next((c.instruction for c in (image.entrypoint, image.cmd) if c is not None and c.instruction), None)
    if command is None or own is None or own not in image.stage.instructions:
        return None
    lines = _init_installation(launch, init, own.span.start)
    if lines is None:
        return None
    end = newline(source.text)
    before = "".join(line + end for line in lines)
    above = line_above(launch, own)
    start = Span(above, above)
    edits: tuple[Edit, ...]
    if image.entrypoint is None or image.entrypoint.instruction is None:
        inherited = image.entrypoint.words if image.entrypoint is not None else ()
        array = json_array((init, "--", *(word.text for word in inherited)))
        edits = (Edit(source, start, f"{before}ENTRYPOINT {array}{end}"),)
    elif command.form == "exec" and command.source is source:
        at = command.words[0].offset(0) - 1
        edits = (Edit(source, Span(at, at), f'"{init}", "--", '),)
        edits = (Edit(source, start, before), *edits) if before else edits
    else:
        return None
    return Fix(f"Put {init} in front", edits, Applicability.UNSAFE)


def renamed(launch: Launch, key: str, name: str) -> tuple[Edit, ...] | None:
    """Another name for a setting of what a deployment's file runs; None where there is one of that name already."""
    deployment = launch.image.deployment
    return None if deployment is None or deployment.edits is None else deployment.edits.renamed(key, name)


def without_setting(launch: Launch, key: str) -> tuple[Edit, ...] | None:
    """Take a setting out of what a deployment's file runs; None where it is written elsewhere."""
    deployment = launch.image.deployment
    return None if deployment is None or deployment.edits is None else deployment.edits.without(key)


def setting(launch: Launch, key: str, value: str) -> tuple[Edit, ...] | None:
    """A setting for what a deployment's file runs; None where its format, or its file, has no place for it."""
    deployment = launch.image.deployment
    if deployment is None or deployment.edits is None:
        return None
    return deployment.edits.setting(key, value)


def _init_installation(launch: Launch, init: str, at: int) -> tuple[str, ...] | None:
    """The lines that install an init; None where no package of it is known."""
    from pid1lint.facts.inits import is_packaged

    image, base = launch.image, launch.image.base
    if init in image.packages:
        return ()
    if base is None or not is_packaged(init, base.family, f"{base.name}:{base.tag}", image.run_texts):
        return None
    return installation(launch, init, at)


def installation(launch: Launch, package: str, at: int) -> tuple[str, ...] | None:
    """The lines that install a package before an offset of the Dockerfile, as it installs others; none if it is there.

    None where the image has no package manager that is known, or whose user the installation would run as is not.
    """
    from pid1lint.facts.inits import manager

    base = launch.image.base
    if package in launch.image.packages:
        return ()
    found = manager(base.package_manager) if base is not None and base.package_manager else None
    user = _user_at(launch, at)
    if found is None or user is None:
        return None
    flags = next((flags for flags in map(_cache_mounts, _runs_before(launch, at, found.uses)) if flags), "")
    run = f"RUN {flags}{found.install(package, into_cache=bool(flags))}"
    return (run,) if is_root(user) else ("USER root", run, f"USER {user}")


def is_root(user: str) -> bool:
    """Whether a USER's argument, or its absence, means root."""
    return user in ("", "root", "0", "root:root", "0:0")


def _user_at(launch: Launch, at: int) -> str | None:
    """The user at an offset, as written in the last USER before it; None if that cannot be told."""
    image = launch.image
    users = [i for i in image.stage.instructions if i.keyword == "USER" and i.span.start < at]
    if users:
        return users[-1].text.text.strip()
    if image.user_instruction is None or image.user_instruction not in image.stage.instructions:
        return None if UNKNOWN in image.user else image.user
    # It is set only behind this place: before, it is what the image below leaves behind.
    if image.stage.parent is not None or image.base is None:
        return None
    return image.base.user


def _runs_before(launch: Launch, at: int, uses: str) -> list[Instruction]:
    """The RUNs of the stage before an offset that call a package manager, the last first."""
    runs = [i for i in launch.image.stage.instructions if i.keyword == "RUN" and i.span.start < at]
    return [run for run in reversed(runs) if re.search(uses, run.text.text)]


def _cache_mounts(run: Instruction) -> str:
    """The flags of a RUN that mount a cache, as written, each with a blank behind it."""
    text = run.text.source.text
    flags = [flag for flag in run.flags if flag.name == "mount" and "type=cache" in (flag.value or "")]
    return "".join(text[flag.span.start : flag.span.end] + " " for flag in flags)
