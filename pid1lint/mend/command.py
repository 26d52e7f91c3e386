"""A command of a script: becoming the process, followed by a statement, sent to the background, out of a pipe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pid1lint.fix import Applicability, Edit, Fix, ShellGuard
from pid1lint.mend.array import BUILTINS, forks_as_pid1
from pid1lint.mend.lines import indentation
from pid1lint.shell.ir import AndOr, Item, Simple
from pid1lint.source import Span

if TYPE_CHECKING:
    from pid1lint.launch.path import Link
    from pid1lint.launch.process import Call
    from pid1lint.shell.ir import Script


# `app && next`, `app; status=$?`: what follows needs the app to come back.
_STATUS_NEEDED = re.compile(r"\s*&&|[ \t]*[;\n]\s*\w+=[\"']?\$\?")


def guard(script: Script, node: Simple) -> ShellGuard:
    """What bashlex must see of a command before it is edited."""
    words = [script.text.text[a.span.start : a.span.end] for a in node.assignments] + [word.text for word in node.words]
    return ShellGuard(script.text, node.span.start, node.span.end, tuple(words))


def insert_exec(call: Call) -> tuple[tuple[Edit, ...], tuple[ShellGuard, ...]] | None:
    """Put `exec` before the program of a command; None where that cannot be written there."""
    if not call.editable or call.words >= len(call.node.words) or call.condition or call.substitution:
        return None
    word, quoting = call.node.words[call.words], call.script.text.quoting
    # What begins with `-` exec takes for an option of its own.
    if (
        word.literal in BUILTINS
        or (word.static or word.text).startswith("-")
        or forks_as_pid1(word.text for word in call.node.words)
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
    from pid1lint.launch.shapes import ends_otherwise, goes_on, in_subshell

    call, child = link.child.call, link.child
    if call is None or child.start != "child" or call.loop or link.shell.form == "subshell" or link.traps_others:
        return None
    if in_subshell(call.script, call.node):
        return None  # in parentheses exec replaces only the subshell
    if link.in_vain or (child.argv and child.argv[0].startswith("-")):
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
    item = next((item for item in call.script.statements if _holds(item, call.node)), None)
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
    glue = f"{text.source.newline}{indent}" if own_line else "; "
    return (Edit(text.source, Span(end, end), f"{glue}{statement}"),), (guard(call.script, call.node),)


def statement_before(call: Call, statement: str) -> tuple[tuple[Edit, ...], tuple[ShellGuard, ...]] | None:
    """Put a statement in front of a command, in its line; None where that would part it from what it belongs to."""
    text = call.script.text
    if not call.editable or text.quoting != "plain" or not any(_begins(i, call.node) for i in call.script.statements):
        return None
    first = call.node.words[0]
    span = Span(text.offset(first.span.start), text.offset(first.span.end - 1) + 1)
    return (Edit(text.source, span, f"{statement}; {first.text}"),), (guard(call.script, call.node),)


def into_background(call: Call) -> tuple[tuple[Edit, ...], tuple[ShellGuard, ...]] | None:
    """Send a command to the background and wait for it; None where it does not have a line for itself alone."""
    return waited_for(call.script, call.node) if call.editable and not call.condition else None


def waited_for(script: Script, node: Simple) -> tuple[tuple[Edit, ...], tuple[ShellGuard, ...]] | None:
    """The same for a command that is no call of a launch: one in a loop, say."""
    text = script.text
    alone = any(item.node is node and not item.background for item in script.statements)
    indent = indentation(script, node.span.start)
    if not alone or indent is None or text.quoting != "plain":
        return None
    end = text.offset(node.span.end - 1) + 1
    start = text.offset(node.span.start)
    if text.source.text[end:].partition("\n")[0].split("#")[0].strip() or _opens_heredoc(text.source.text[start:end]):
        return None
    edit = Edit(text.source, Span(end, end), f" &{text.source.newline}{indent}wait $!")
    return (edit,), (guard(script, node),)


def _opens_heredoc(text: str) -> bool:
    """Whether what comes on the next line may be a here-document's first."""
    return "<<" in text.replace("<<<", "")


def _begins(item: Item, node: Simple) -> bool:
    begin: object = item.node
    while isinstance(begin, AndOr):
        begin = begin.left
    return begin is node and not node.assignments and not item.background


def _holds(item: Item, node: Simple) -> bool:
    return item.node is node or (isinstance(item.node, AndOr) and item.node.op == "||" and item.node.left is node)


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
    return Fix("Use exec with process substitution", edits, Applicability.UNSAFE, (guard(call.script, call.node),))
