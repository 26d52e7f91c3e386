"""Whole numbers as they stand in checked files; no other module decides what is one.

`str.isdigit` takes `²`, of which `int` makes no number, and `int` takes no text of more than 4300 digits.
"""

from __future__ import annotations

_MOST_DIGITS = 18
"""So many always fit into the 64 bits of shells, Kubernetes and Docker."""


def is_number(text: str) -> bool:
    """Whether a text is a number without a sign, of a size that programs reckon with."""
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
