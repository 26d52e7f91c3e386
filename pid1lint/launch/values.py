"""Strings that are known in part, and what the shell's expansions make of them."""

from __future__ import annotations

import re

from pid1lint import patterns
from pid1lint.numbers import is_number

UNKNOWN = "\ufffc"
"""Stands in a value for text that the files do not tell."""


MOST_CHARACTERS = 65_536
"""How long a value may grow; of a longer one nothing is known."""
MOST_WORDS = 2_000
"""How many words a command, an array or `$@` may have; of more nothing is known."""


def capped(value: str) -> str:
    """A value, or UNKNOWN where it has grown too long: `x=$x$x` doubles it each time."""
    return value if len(value) <= MOST_CHARACTERS else UNKNOWN


def known(value: str) -> bool:
    """Whether nothing in it is unknown."""
    return UNKNOWN not in value


def matches(value: str, pattern: str) -> bool | None:
    """Whether a value matches a shell pattern; None if unknown text decides."""
    if known(value) and known(pattern):
        return patterns.shell(pattern, UNKNOWN).matches(value)
    if pattern == "*":
        return True
    if known(pattern):
        # What is known at both ends may already exclude a match.
        head, tail = value.split(UNKNOWN, 1)[0], value.rsplit(UNKNOWN, 1)[1]
        plain = re.match(r"[^*?\[\\]*", pattern)
        start = plain.group() if plain else ""
        shared = min(len(start), len(head))
        if start[:shared] != head[:shared]:
            return False
        end = re.search(r"[^*?\[\\\]]*$", pattern)
        finish = end.group() if end else ""
        shared = min(len(finish), len(tail))
        if shared and finish[-shared:] != tail[-shared:]:
            return False
    return None


_SPECIAL = frozenset("^$.[]*+?(){}|\\")
_MOST_WAYS = 32


def escaped(text: str) -> str:
    """A text as a regular expression that stands for itself."""
    return "".join("\\" + char if char in _SPECIAL else char for char in text)


def searches(value: str, expression: str) -> bool | None:
    """Whether a regular expression of a plain kind finds something; None for others, or if unknown text decides.

    Plain ones are such as `^(true|yes)`, `--opt=(.*)`, `.+[.]gz$`: they can be told as shell patterns, which are
    matched in a bounded time.
    """
    if not known(expression):
        return None
    ways = _as_patterns(expression)
    if ways is None:
        return None
    found = [matches(value, pattern) for pattern in ways]
    return True if True in found else None if None in found else False


def _as_patterns(expression: str) -> list[str] | None:
    """The shell patterns that a regular expression comes to, or None."""
    branches = _branches(expression)
    found: list[str] = []
    for branch in branches if branches is not None else ():
        inner = branch.removeprefix("^")
        start = "" if len(inner) < len(branch) else "*"
        ended = inner.endswith("$") and not inner.endswith("\\$")
        ways = _sequence(inner[:-1] if ended else inner)
        if ways is None:
            return None
        found += [start + way + ("" if ended else "*") for way in ways]
    return None if branches is None or len(found) > _MOST_WAYS else found


def _branches(expression: str) -> list[str] | None:
    """What `|` parts, outside of parentheses and brackets."""
    found = [""]
    depth, at = 0, 0
    while at < len(expression):
        char = expression[at]
        width = 2 if char == "\\" else 1
        if char == "[":
            close = expression.find("]", at + 2)
            width = close + 1 - at if close > 0 else len(expression)
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0:
            found.append("")
        else:
            found[-1] += expression[at : at + width]
        at += width
    return found if depth == 0 else None


def _sequence(expression: str) -> list[str] | None:
    """The patterns of an expression without anchors."""
    ways = [""]
    at = 0
    while at < len(expression):
        piece = _piece(expression, at)
        if piece is None:
            return None
        texts, width = piece
        at += width
        behind = expression[at : at + 1]
        if behind in ("*", "+") and texts == ["?"]:
            texts = ["*"] if behind == "*" else ["?*"]
            at += 1
        elif behind == "?" and len(texts) < _MOST_WAYS:
            texts = ["", *texts]
            at += 1
        elif behind in ("*", "+", "{"):
            return None
        ways = [way + text for way in ways for text in texts]
        if len(ways) > _MOST_WAYS:
            return None
    return ways


def _piece(expression: str, at: int) -> tuple[list[str], int] | None:
    """One character, class or group, as patterns, and how long it is."""
    char = expression[at]
    if char == "\\":
        escape = expression[at + 1 : at + 2]
        return None if escape.isalnum() or not escape else (["\\" + escape], 2)
    if char == ".":
        return ["?"], 1
    if char == "[":
        close = expression.find("]", at + 2)
        inside = expression[at + 1 : close]
        if close < 0 or "[" in inside or "\\" in inside:
            return None
        return [f"[{'!' + inside[1:] if inside.startswith('^') else inside}]"], close + 1 - at
    if char == "(":
        close = expression.find(")", at)
        inside = expression[at + 1 : close]
        if close < 0 or "(" in inside or "^" in inside or "$" in inside:
            return None
        branches = [_sequence(branch) for branch in _branches(inside) or ()]
        if not branches or None in branches:
            return None
        return [way for branch in branches if branch is not None for way in branch], close + 1 - at
    return None if char in "^$*+?{})|" else ([char], 1)


def strip(value: str, op: str, pattern: str) -> str:
    """`${x#p}`, `${x##p}`, `${x%p}`, `${x%%p}`."""
    if not known(value) or not known(pattern):
        return _strip_partly(value, op, pattern)
    longest = len(op) == 2
    if op[0] == "#":
        cut = patterns.shell(pattern).prefix(value, longest=longest)
        return value if cut is None else value[cut:]
    cut = patterns.shell(pattern).suffix(value, longest=longest)
    return value if cut is None else value[:cut]


def _strip_partly(value: str, op: str, pattern: str) -> str:
    if op == "##" and pattern == "*/" and "/" in value.rsplit(UNKNOWN, 1)[-1]:
        return value.rsplit("/", 1)[1]
    return UNKNOWN


def replace(value: str, op: str, operand: str) -> str:
    """`${x/p/r}` and `${x//p/r}`."""
    pattern, _, replacement = operand.partition("/")
    if not known(value) or not known(pattern):
        return UNKNOWN
    if op == "/#":
        end = patterns.shell(pattern).prefix(value, longest=True)
        return value if end is None else replacement + value[end:]
    return patterns.shell(pattern).replaced(value, replacement, everywhere=op == "//")


def substring(value: str, operand: str) -> str:
    """`${x:offset}` and `${x:offset:length}`."""
    offset, colon, length = operand.partition(":")
    if not known(value):
        if not value.startswith(UNKNOWN) and offset.strip() == "0" and is_number(length.strip()):
            head = value.split(UNKNOWN, 1)[0]
            if len(head) >= int(length):
                return head[: int(length)]
        return UNKNOWN
    try:
        start = int(offset or "0")
        value = value[start:] if start >= 0 else value[max(0, len(value) + start) :]
        return value[: int(length)] if colon else value
    except ValueError:
        return UNKNOWN


def split_fields(value: str) -> list[str]:
    """Field splitting at blanks."""
    return value.split()
