"""How a built image is named on the command line: `oci:DIR`, `docker-archive:FILE`, `podman:NAME`."""

from __future__ import annotations

import os
import re

from pid1lint.errors import Pid1lintError
from pid1lint.frozen import NamedTuple

ENGINES = ("docker", "podman")
"""The kinds that are read by a program's own `save`, because the user has named it."""


class Reference(NamedTuple):
    """A source as written (`text`), its kind, and where it is: a path with an optional tag, or an engine's name."""

    text: str
    kind: str
    where: str
    tag: str = ""


def name_of(text: str) -> str:
    """What Dockerfiles call an image of an engine, without its tag; `Pid1lintError` for what has no name."""
    kind, _, where = text.partition(":")
    if kind not in ENGINES:
        raise Pid1lintError(f"{text}: use --name to give the name that Dockerfiles use")
    head, slash, tail = where.partition("@")[0].rpartition("/")
    return head + slash + tail.partition(":")[0]


def parse(text: str) -> Reference:
    """Take a source apart (see `discover.is_image`): the path ends where something is, what follows is the tag."""
    kind, _, where = text.partition(":")
    if kind in ENGINES or os.path.lexists(where):
        return Reference(text, kind, where)
    for colon in re.finditer(":", where):
        if os.path.lexists(where[: colon.start()]):
            return Reference(text, kind, where[: colon.start()], where[colon.end() :])
    return Reference(text, kind, where)
