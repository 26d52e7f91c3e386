"""Edits that several rules offer: each the smallest that does what it says, with what must be proven of it first."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pid1lint.fix import Edit, ShellGuard
from pid1lint.shell.ir import Simple
from pid1lint.source import Span

if TYPE_CHECKING:
    from pid1lint.image.model import Command
    from pid1lint.launch.process import Call
    from pid1lint.shell.ir import Script

BUILTINS = frozenset(
    ". : [ alias bg break cd command continue eval exec exit export false fc fg getopts hash jobs kill let local printf "
    "pwd read readonly return set shift source test times trap true type ulimit umask unalias unset wait [[ declare "
    "typeset echo shopt time ! { } if then else elif fi for while until do done case esac in function select".split()
)


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
    word = call.node.words[call.words]
    if word.literal in BUILTINS:
        return None
    at = call.script.text.offset(word.span.start)
    edit = Edit(call.script.text.source, Span(at, at), "exec ")
    return (edit,), (guard(call.script, call.node),)


def json_array(words: Iterable[str]) -> str:
    """An argv in exec form."""
    return json.dumps(list(words), ensure_ascii=False)


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


def is_contiguous(command: Command) -> bool:
    """Whether nothing of the source (a comment line, a continuation) lies between a shell form's characters."""
    place = command.text.place()
    return place.text == command.text.text
