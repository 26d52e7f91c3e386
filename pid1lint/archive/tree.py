"""The files of an image: its layers, one laid over the other."""

from __future__ import annotations

from collections.abc import Iterable

from pid1lint.archive.tar import Member, TarError
from pid1lint.frozen import NamedTuple

MOST_LINKS = 40
"""How many symbolic links Linux follows on the way to a file."""
_MOST_DEEP = 256
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"


class Node:
    """A file, folder or link of an image; `layer` is the number of the one that its data lies in."""

    __slots__ = ("children", "layer", "member")

    def __init__(self, layer: int, member: Member | None) -> None:
        self.layer = layer
        self.member = member
        # A folder that no layer has by itself is only on the way to a file.
        self.children: dict[str, Node] | None = {} if member is None or member.kind == "dir" else None


class Found(NamedTuple):
    """What a path leads to: where it really is, and the node there."""

    path: str
    node: Node


def overlaid(layers: Iterable[Iterable[Member]]) -> Node:
    """The root of an image of these layers, the lowest first.

    `TarError` for a path with `..` in it, or a hard link to what is not in the image.
    """
    root = Node(0, None)
    for number, members in enumerate(layers):
        kept = [(parts, member) for member in members if (parts := _parts(member.path))]
        for parts, _ in kept:
            if parts[-1].startswith(_WHITEOUT):
                _white_out(root, parts)
        for parts, member in kept:
            if not parts[-1].startswith(_WHITEOUT):
                _put(root, parts, Node(number, member))
    return root


def _parts(path: str) -> tuple[str, ...]:
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    if ".." in parts:
        raise TarError(f"has a path that leads out of it: {path[:80]}")
    if len(parts) > _MOST_DEEP or "\0" in path:
        raise TarError(f"has an impossible path: {path[:80]}")
    return parts


def _white_out(root: Node, parts: tuple[str, ...]) -> None:
    """Take out what lower layers have there."""
    found = find(root, "/" + "/".join(parts[:-1]))
    if found is None or found.node.children is None:
        return
    if parts[-1] == _OPAQUE:
        found.node.children.clear()
    else:
        found.node.children.pop(parts[-1][len(_WHITEOUT) :], None)


def _put(root: Node, parts: tuple[str, ...], node: Node) -> None:
    assert node.member is not None
    if node.member.kind == "hardlink":
        target = find(root, "/" + "/".join(_parts(node.member.target)), last=False)
        if target is None or target.node.member is None or target.node.children is not None:
            raise TarError(f"has a hard link to something outside: {node.member.target[:80]}")
        node = target.node
    folder = _folder(root, parts[:-1])
    before = folder.get(parts[-1])
    if before is not None and before.children is not None and node.children is not None:
        node.children = before.children
    folder[parts[-1]] = node


def _folder(root: Node, parts: tuple[str, ...]) -> dict[str, Node]:
    """The entries of a folder, which is made if need be; on the way links are followed, as an engine does."""
    at = root
    for index, part in enumerate(parts):
        assert at.children is not None
        below = at.children.get(part)
        if below is not None and below.member is not None and below.member.kind == "link":
            found = find(root, "/" + "/".join(parts[: index + 1]))
            below = found.node if found is not None else None
        if below is None or below.children is None:
            below = at.children[part] = Node(0, None)
        at = below
    assert at.children is not None
    return at.children


def find(root: Node, path: str, *, last: bool = True) -> Found | None:
    """What an absolute path leads to, links followed within the image: the last one too, if `last`."""
    waiting = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    way: list[tuple[str, Node]] = []
    links = 0
    while waiting:
        part = waiting.pop()
        if part == "..":
            way = way[:-1]
            continue
        at = way[-1][1] if way else root
        if at.children is None:
            return None
        below = at.children.get(part)
        if below is None:
            return None
        if below.member is None or below.member.kind != "link" or not (waiting or last):
            way.append((part, below))
            continue
        links += 1
        target = below.member.target
        if links > MOST_LINKS or not target:
            return None
        if target.startswith("/"):
            way = []
        waiting += [part for part in reversed(target.split("/")) if part not in ("", ".")]
    return Found("/" + "/".join(part for part, _ in way), way[-1][1] if way else root)
