"""The packages of a JavaScript workspace: which folder a name means in `pnpm --filter NAME start` and its kin."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pid1lint.image.filesystem import FileSystem

_MOST_FOLDERS = 500
_MOST_DEPTH = 4


def member(files: FileSystem, root: str, name: str) -> str | None:
    """The folder of the package that has a name, or lies at a path, in the workspace of a folder; None if none has."""
    if name.startswith((".", "/")) or files.lookup(posixpath.join(root, name, "package.json")) is not None:
        return posixpath.normpath(posixpath.join(root, name.strip("{}")))
    for folder in _folders(files, root):
        if _manifest(files, folder).get("name") == name:
            return folder
    return None


def _folders(files: FileSystem, root: str) -> Iterator[str]:
    """The folders that the workspace's patterns mean: `apps/*`, `packages/**`, `tools/lint`."""
    left = _MOST_FOLDERS
    for pattern in _patterns(files, root):
        fixed, star, rest = pattern.strip("/").partition("*")
        above = posixpath.normpath(posixpath.join(root, fixed))
        waiting = [(above, 0)]
        for folder, depth in waiting:
            left -= 1
            if left < 0:
                return
            if depth or not star:
                yield folder
            if star and depth < (_MOST_DEPTH if rest.startswith("*") else 1):
                names = (name for name in files.entries(folder) if "." not in name and name != "node_modules")
                waiting += [(posixpath.join(folder, name), depth + 1) for name in names]


def _patterns(files: FileSystem, root: str) -> list[str]:
    given = _manifest(files, root).get("workspaces")
    if isinstance(given, dict):
        given = given.get("packages")
    patterns = [each for each in given if isinstance(each, str)] if isinstance(given, list) else []
    listed = files.lookup(posixpath.join(root, "pnpm-workspace.yaml"))
    if listed is not None and listed.text is not None:
        patterns += re.findall(r"(?m)^\s*-\s*['\"]?([^'\"#\s]+)", listed.text.text)
    return [pattern for pattern in patterns if not pattern.startswith("!")]


def _manifest(files: FileSystem, folder: str) -> dict[str, object]:
    file = files.lookup(posixpath.join(folder, "package.json"))
    if file is None or file.text is None:
        return {}
    try:
        found = json.loads(file.text.text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
