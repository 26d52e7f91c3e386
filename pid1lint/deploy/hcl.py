"""HCL as plain values: the only module that touches python-hcl2. No function of HCL is called."""

from __future__ import annotations

from typing import Any

from pid1lint.deploy.yamltree import Problem
from pid1lint.frozen import NamedTuple
from pid1lint.source import Source

_MOST = 100_000
"""Characters: a Bake file is a page or two, and the parser is slow."""


class Block(NamedTuple):
    """A block: its kind, its labels, and what it sets."""

    kind: str
    label: str
    values: dict[str, Any]


class Blocks(NamedTuple):
    """The blocks of a file, and why it could not be read."""

    blocks: tuple[Block, ...]
    problem: Problem | None = None


def load(source: Source) -> Blocks:
    """Read a file's blocks. Strings keep their quotes, so that an expression can be told from a text."""
    if len(source.text) > _MOST:
        return Blocks((), Problem(source.place(0, 0), f"it is longer than {_MOST:,} characters"))
    import hcl2
    from lark.exceptions import LarkError, UnexpectedInput

    try:
        found = hcl2.loads(source.text if source.text.endswith("\n") else f"{source.text}\n")
    except UnexpectedInput as error:
        at = min(getattr(error, "pos_in_stream", None) or 0, len(source.text))
        return Blocks((), Problem(source.place(at, min(at + 1, len(source.text))), "not valid HCL"))
    except (LarkError, RuntimeError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        return Blocks((), Problem(source.place(0, 0), "the HCL cannot be read"))
    return Blocks(tuple(_blocks(found)))


def _blocks(found: Any) -> list[Block]:
    blocks: list[Block] = []
    for kind, entries in found.items() if isinstance(found, dict) else ():
        for entry in entries if isinstance(entries, list) else ():
            for label, values in entry.items() if isinstance(entry, dict) else ():
                if isinstance(values, dict):
                    blocks.append(Block(str(kind), str(label).strip('"'), values))
    return blocks
