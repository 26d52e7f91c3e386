"""The gate that every edit of shell text passes, and the only adapter of bashlex.

bashlex reads few whole scripts but nearly every simple command, and it was written by others: an edit is made only
where it sees the same command, with the same words, as our own parser does, and sees one again after the edit.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pid1lint.fix import ShellGuard


def refusal(guard: ShellGuard) -> str | None:
    """Why the command that a fix is about must not be edited, or None: bashlex reads it as we do."""
    text = guard.text.text[guard.start : guard.end]
    words = _words(text)
    if words is None:
        return f"bashlex cannot read `{_short(text)}`"
    if words != guard.words:
        return f"bashlex reads `{_short(text)}` as other words"
    return None


def refusal_after(guard: ShellGuard, before: tuple[str, ...], text: str) -> str | None:
    """Why the edited command `text` is not as it should be, or None: one command with the words `before` in it."""
    words = _words(text)
    if words is None:
        return f"bashlex cannot read `{_short(text)}`"
    rest = iter(words)
    if not all(word in rest for word in before):
        return f"`{_short(text)}` would lose a word of `{_short(guard.text.text[guard.start : guard.end])}`"
    return None


# bashlex wants a here-document's body, which is not part of the command, and knows no quoted delimiter.
_HEREDOC = re.compile(r"(?<!<)<<-?(?!<)[ \t]*(?:'[^'\n]*'|\"[^\"\n]*\"|\\?[\w.-]+)(?![^\s;&|<>)])")


def _words(text: str) -> tuple[str, ...] | None:
    """The words of one simple command as written, assignments first, redirections left out."""
    nodes = _command(text)
    if nodes is None and "<<" in text:
        nodes = _command(_HEREDOC.sub(lambda match: " " * len(match.group()), text))
    if nodes is None:
        return None
    return tuple(text[node.pos[0] : node.pos[1]] for node in nodes if node.kind in ("word", "assignment"))


@cache
def _command(text: str) -> list[Any] | None:
    # bashlex loops for ever on such quotes, and reads a NUL or a CR as it likes.
    if text.rfind("${") > text.rfind("}") or "\0" in text or "\r" in text:
        return None
    import bashlex

    try:
        trees = bashlex.parse(text)
    except (bashlex.errors.ParsingError, NotImplementedError, AssertionError, IndexError, AttributeError, TypeError):
        # Its own errors come in all these kinds; whichever it is, it does not know the command.
        return None
    if len(trees) != 1 or trees[0].kind != "command":
        return None
    parts: list[Any] = trees[0].parts
    return parts


def _short(text: str) -> str:
    line = text.split("\n", 1)[0]
    return line if len(line) <= 40 else line[:37] + "..."
