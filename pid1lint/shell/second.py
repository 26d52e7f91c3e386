"""A second reader of whole scripts, and the only adapter of tree-sitter: what we have edited, it must read as well.

Its grammar is bash's and recovers from what it cannot read, so errors are counted, before an edit and after it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

_LONGEST = 200_000
"""Characters: a tree takes up to a kilobyte for each."""


def errors(text: str) -> int:
    """How many places of a script tree-sitter's bash grammar cannot read; of a very long one none is looked for."""
    if len(text) > _LONGEST:
        return 0
    parser = _parser()
    found = 0
    stack = [parser.parse(text.encode("utf-8", "surrogateescape")).root_node]
    while stack:
        node = stack.pop()
        if node.type == "ERROR" or node.is_missing:
            found += 1
        elif node.has_error:
            stack.extend(node.children)
    return found


@cache
def _parser() -> Any:
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))
