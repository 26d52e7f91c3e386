"""Whether shells read a text: asked before a script is given another first line, or other line ends."""

from __future__ import annotations

from pid1lint.shell.ir import For, Function, Group, If, List, Loop, Subshell, nodes
from pid1lint.shell.parse import parse
from pid1lint.source import Source


def is_readable(text: str) -> bool:
    """Whether a text is a script without a syntax error.

    Our parser reads on where a shell stops: at a list without a command, `do` right before `done`.
    """
    script = parse(Source("", text).whole())
    return not script.damage and not any(map(_is_empty, nodes(script.body)))


def is_sound(text: str) -> bool:
    """The same, and tree-sitter finds nothing wrong with it either: `r[` is a command's name for some shells only."""
    from pid1lint.shell import second

    return is_readable(text) and second.errors(text) == 0


def _is_empty(node: object) -> bool:
    """Whether a compound command lacks a command."""
    match node:
        case Loop(condition=condition, body=body):
            return not condition.items or not body.items
        case For(body=body) | Subshell(body=body) | Group(body=body) | Function(body=List() as body):
            return not body.items
        case If(branches=branches, otherwise=otherwise):
            lists = [each for branch in branches for each in branch] + ([] if otherwise is None else [otherwise])
            return not all(each.items for each in lists)
    return False
