"""After a fix in a deployment's file: it is loaded again, and must differ in exactly what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pid1lint.deploy.yamledit import Difference, differences, shown
from pid1lint.deploy.yamltree import Documents, Items, Node, Scalar, Table, load, loaded, nodes
from pid1lint.fix import Edit
from pid1lint.frozen import NamedTuple
from pid1lint.source import Source, Span

_SETTING = re.compile(r"[,\s]*(\"?)([\w-]+)\1: (.*?)\s*\Z")


def refusal(edits: Sequence[Edit], before: Source, after: Source) -> str | None:
    """Why edits of a YAML file must not be made, or None."""
    documents = loaded(before)
    found = differences(before, after)
    if found is None:
        return f"{after.path} would no longer be valid YAML"
    if any(documents.is_shared(edit.span) for edit in edits):
        return f"an anchor of {after.path} repeats it elsewhere"
    meant = list(_meant(edits, documents))
    if None in meant or not _fit(meant, found):
        return f"{after.path} would change in another way than intended"
    return None


class Meant(NamedTuple):
    """What an edit is to make of what: `path` leads there, if that is known before; else `key` is the last of it."""

    before: str | None
    after: str | None
    path: tuple[str, ...] | None = None
    key: str = ""

    def is_made(self, found: Difference) -> bool:
        """Whether a difference is this one."""
        if (self.before, self.after) != (found.before, found.after):
            return False
        return found.path == self.path if self.path is not None else found.path[-1] == self.key


def _fit(meant: Sequence[Meant | None], found: Sequence[Difference]) -> bool:
    """Whether the differences are those that are meant, each once."""
    left = list(found)
    for each in meant:
        made = next((difference for difference in left if each is not None and each.is_made(difference)), None)
        if made is None:
            return False
        left.remove(made)
    return not left


def _meant(edits: Sequence[Edit], documents: Documents) -> Iterator[Meant | None]:
    """What each edit is to make of what; None for one of which that cannot be told."""
    by_node: dict[int, tuple[Node, list[Edit]]] = {}
    entries = list(_entries(documents))
    paths = _paths(documents)
    for edit in edits:
        gone = [value for key, value in entries if _covers(edit.span, key.span) and _covers(edit.span, value.span)]
        if gone and not edit.content:
            yield from (Meant(shown(value), None, paths[id(value)]) for value in gone)
            continue
        named = next((value for key, value in entries if key.span == edit.span), None)
        if named is not None:
            old = paths[id(named)]
            yield Meant(shown(named), None, old)
            yield Meant(None, shown(named), (*old[:-1], edit.content))
            continue
        setting = _SETTING.match(edit.content) if _is_line(edit) else None
        if setting is not None:
            yield Meant(None, _read(setting[3]), key=setting[2])
            continue
        node = next((n for root in documents.roots if (n := _holding(root, edit)) is not None), None)
        if isinstance(node, Scalar | Items):
            by_node.setdefault(id(node), (node, []))[1].append(edit)
            continue
        yield None
    for node, own in by_node.values():
        becomes = _becomes(node, own)
        yield None if becomes is None else Meant(*becomes, paths[id(node)])


def _paths(documents: Documents) -> dict[int, tuple[str, ...]]:
    """How each node is reached, as `differences` has it; what is repeated, by its first way."""
    found: dict[int, tuple[str, ...]] = {}
    waiting: list[tuple[Node, tuple[str, ...]]] = [
        (root, (str(number),)) for number, root in enumerate(documents.roots)
    ]
    for node, path in waiting:
        if id(node) in found:
            continue
        found[id(node)] = path
        if isinstance(node, Items):
            waiting += ((item, (*path, str(at))) for at, item in enumerate(node.items))
        elif isinstance(node, Table):
            waiting += ((value, (*path, shown(key))) for key, value in node.entries)
    return found


def _is_line(edit: Edit) -> bool:
    """Whether an edit puts a line of its own, or one more entry, between others."""
    own = edit.content.startswith((",", "\n", "\r\n")) or edit.content.endswith("\n")
    return own and edit.span.start == edit.span.end


def _covers(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _entries(documents: Documents) -> Iterator[tuple[Node, Node]]:
    """All keys and values, each once."""
    return (entry for node in nodes(documents) if isinstance(node, Table) for entry in node.entries)


def _holding(root: Node, edit: Edit) -> Node | None:
    """The innermost scalar, or list, that an edit changes: the list, where an item becomes several."""
    span = edit.span
    found: Items | None = None
    waiting: list[Node] = [root]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen or not (node.span.start <= span.start and span.end <= node.span.end):
            continue
        seen.add(id(node))
        if isinstance(node, Scalar):
            if found is None or node.span != span:
                return node
            inside = _items(edit.content, found)
            return node if inside is not None and len(inside) == 1 else found
        if isinstance(node, Items):
            found = node
            waiting += node.items
        if isinstance(node, Table):
            found = None
            waiting += (part for entry in node.entries for part in entry)
    return found


def _becomes(node: Node, edits: Sequence[Edit]) -> tuple[str | None, str | None] | None:
    if isinstance(node, Items):
        return _list_becomes(node, edits)
    assert isinstance(node, Scalar)
    if len(edits) == 1 and edits[0].span == node.span:
        made = load(Source("", edits[0].content))
        if not made.problems and made.roots and isinstance(made.roots[0], Items):
            return node.text, shown(made.roots[0])
        return node.text, _scalar(edits[0].content)
    text = node.excerpt()
    if text.quoting == "nested":
        return None
    value, last = "", 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        start = next((i for i in range(len(text.text) + 1) if text.offset(i) >= edit.span.start), None)
        end = next((i for i in range(len(text.text) + 1) if text.offset(i) >= edit.span.end), None)
        if start is None or end is None or start < last:
            return None
        value += text.text[last:start] + _unescaped(edit.content, text.quoting, node)
        last = end
    return node.text, value + text.text[last:]


def _unescaped(content: str, quoting: str, node: Scalar) -> str:
    if quoting == "json":
        return _read(f'"{content}"') or ""
    if node.style == "'":
        return content.replace("''", "'")
    # In a block, each new line is indented as the others are.
    return re.sub(r"\n[ ]+", "\n", content) if node.style == "|" and "\n" in content else content


def _list_becomes(node: Items, edits: Sequence[Edit]) -> tuple[str | None, str | None] | None:
    """Some items of a list are to become others."""
    if len(edits) != 1:
        return None
    span, content = edits[0].span, edits[0].content
    inside = _items(content, node)
    before = [item for item in node.items if item.span.end <= span.start]
    after = [item for item in node.items if item.span.start >= span.end]
    if inside is None:
        return None
    return shown(node), shown(replace(node, items=(*before, *inside, *after)))


def _items(content: str, node: Items) -> tuple[Node, ...] | None:
    """The items that a text makes in a list; None where it does not fit in there."""
    written = f"[{content.strip().strip(',')}]" if node.flow else "- " + re.sub(r"\n[ ]*", "\n", content)
    made = load(Source("", written))
    root = made.roots[0] if made.roots and not made.problems else None
    return root.items if isinstance(root, Items) else None


def _scalar(text: str) -> str | None:
    """What a text means as a value of its own; None if it is none, or holds more than one."""
    made = load(Source("", text))
    value = made.roots[0] if made.roots and not made.problems else None
    if not isinstance(value, Scalar) or value.is_null:
        return None
    return value.text if value.style or value.text == text else None


def _read(text: str) -> str | None:
    made = load(Source("", text))
    return shown(made.roots[0]) if made.roots and not made.problems else None
