"""Strings that are known in part, and what the shell's expansions make of them."""

from __future__ import annotations

import re

from pid1lint import patterns

UNKNOWN = "\ufffc"
"""Stands in a value for text that the files do not tell."""


MOST_CHARACTERS = 65_536
"""How long a value may grow; of a longer one nothing is known."""
MOST_WORDS = 2_000
"""How many words a command, an array or `$@` may have; of more nothing is known."""
_MOST_DIGITS = 18


def capped(value: str) -> str:
    """A value, or UNKNOWN where it has grown too long: `x=$x$x` doubles it each time."""
    return value if len(value) <= MOST_CHARACTERS else UNKNOWN


def is_number(text: str) -> bool:
    """Whether a text is a number of a size that a shell reckons with."""
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


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
        if not value.startswith(UNKNOWN) and offset.strip() == "0" and length.strip().isdigit():
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
