"""An argv: as an array, as shell text, and out of a shell text that needs no shell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pid1lint.fix import Edit
from pid1lint.shell.ir import Simple
from pid1lint.source import Span

if TYPE_CHECKING:
    from pid1lint.launch.process import Process
    from pid1lint.shell.ir import Script
    from pid1lint.source import Excerpt


BUILTINS = frozenset(
    ". : [ alias bg break cd command continue eval exec exit export false fc fg getopts hash jobs kill let local "
    "printf pwd read readonly return set shift source test times trap true type ulimit umask unalias unset wait "
    "[[ declare typeset echo shopt time ! { } if then else elif fi for while until do done case esac in function "
    "select".split()
)


# `app && next`, `app; status=$?`: what follows needs the app to come back.


def json_array(words: Iterable[str]) -> str:
    """An argv in exec form."""
    return json.dumps(list(words), ensure_ascii=False)


_ITEM = re.compile(r"([ ]*(?:-[ ]+)*)(-[ ]+)['\"]?\Z")
_PLAIN = re.compile(r"-{0,2}[A-Za-z/](?:[\w./=:@+-]*[\w/])?")
_NO_STRINGS = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))
"""Plain words that YAML takes for something else than a string."""


def several_items(word: Excerpt, argv: Iterable[str]) -> Edit | None:
    """One item of an array, or of a YAML list, as several: quoted as it is; None for one of several lines."""
    text, start, end = word.source.text, word.offset(0), word.offset(len(word.text))
    quote = {"json": '"', "yaml": "'" if text[start - 1] == "'" else ""}.get(word.quoting)
    if quote is None or "\n" in text[start:end]:
        return None
    items = [_item(each, quote) for each in argv]
    line = text.rfind("\n", 0, start) + 1
    own_line = _ITEM.match(text[line:start])
    newline = "\r\n" if text[start:].partition("\n")[0].endswith("\r") else "\n"
    between = f"{newline}{' ' * len(own_line[1])}{own_line[2]}" if own_line is not None else ", "
    return Edit(word.source, Span(start - len(quote), end + len(quote)), between.join(items))


def _item(word: str, quote: str) -> str:
    if quote == "'":
        return "'" + word.replace("'", "''") + "'"
    plain = not quote and _PLAIN.fullmatch(word) and word.lower() not in _NO_STRINGS
    return word if plain else json.dumps(word, ensure_ascii=False)


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
_FOR_A_SHELL = r"(?s).*(?:\$[\w{(]|`)|~|(?:[&;|]+|[012]?(?:>>?|<)(?:&[012])?|&>>?)$"


def plain_argv(script: Script) -> tuple[tuple[str, ...], Simple] | None:
    """As `literal_argv`, but no word may look as if a shell were to treat it: `'$x'` is best left in quotes."""
    literal = literal_argv(script)
    if literal is None or any(re.match(_FOR_A_SHELL, word) for word in literal[0]) or forks_as_pid1(literal[0]):
        return None
    return literal


def forks_as_pid1(words: Iterable[str]) -> bool:
    """Whether a word is a program that becomes the app as a shell's child, but as PID 1 starts it and ends: setsid."""
    from pid1lint.facts.launchers import launcher

    return any(known is not None and known.kind == "detach" for known in map(launcher, words))
