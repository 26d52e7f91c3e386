"""A trap's handler: what it does, and what it is to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pid1lint.fix import Applicability, Edit, Fix, ShellGuard
from pid1lint.mend.command import guard
from pid1lint.shell.ir import Function, Loop, Simple, nodes
from pid1lint.source import Span

if TYPE_CHECKING:
    from pid1lint.launch.process import TrapSet
    from pid1lint.shell.ir import Script


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
    bodies = [node.body for node in nodes(script.body) if isinstance(node, Function) and node.name == name]
    commands = [node for body in bodies for node in nodes(body) if isinstance(node, Simple) and node.words]
    return bool(commands) and all(_tidies(node.words[0].literal, script, (*within, name)) for node in commands)


def goes_on(trap: TrapSet) -> bool:
    """Whether a loop without an end goes on where a handler has come to its own: neither it nor a function exits."""
    text = trap.handler_word.literal if trap.handler_word is not None else None
    words = set(re.findall(r"\w+", text or ""))
    bodies = [n.body for n in nodes(trap.script.body) if isinstance(n, Function) and n.name in words]
    called = (node for body in bodies for node in nodes(body) if isinstance(node, Simple) and node.words)
    if "exit" in words or any(node.words[0].literal in ("exit", "exec") for node in called):
        return False
    return any(isinstance(node, Loop) and _is_endless(node) for node in nodes(trap.script.body))


def _is_endless(loop: Loop) -> bool:
    words = [each.node.words for each in loop.condition.items if isinstance(each.node, Simple)]
    never = "false" if loop.until else "true"
    return bool(words) and len(words[-1]) == 1 and words[-1][0].literal in (never, "" if loop.until else ":")


_OWN_SHELL = re.compile(r"""\bkill\b[^;&|\n]*\s"?-?(0|\$\$|\$\{\$\})"?(?=[\s;&|]|$)""")


def _signals_its_shell(trap: TrapSet) -> bool:
    """Whether a handler, or a function of its file that it calls, sends a signal to the shell that runs it."""
    text = trap.handler_word.literal if trap.handler_word is not None else None
    words = set(re.findall(r"\w+", text or ""))
    bodies = [n.body for n in nodes(trap.script.body) if isinstance(n, Function) and n.name in words]
    called = (node for body in bodies for node in nodes(body) if isinstance(node, Simple))
    commands = (" ".join(word.text for word in node.words) for node in called)
    return any(_OWN_SHELL.search(command) for command in (text or "", *commands))


def also_trap(trap: TrapSet, signal: str) -> Fix | None:
    """Put a signal behind those of a trap; None where the trap cannot be edited.

    A handler that signals its own shell has it ignore that signal first: it would else start itself again.
    """
    text = trap.script.text
    if not trap.editable or text.quoting != "plain":
        return None
    name = signal.removeprefix("SIG")
    end = text.offset(trap.node.words[-1].span.end - 1) + 1
    edits: tuple[Edit, ...] = (Edit(text.source, Span(end, end), f" {name}"),)
    if _signals_its_shell(trap):
        made = quoted_handler(trap, f'trap "" {name}')
        if made is None:
            return None
        edits = (*made[0], *edits)
    return Fix("Trap the stop signal too", edits, Applicability.UNSAFE, (guard(trap.script, trap.node),))
