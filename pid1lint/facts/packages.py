"""What a base image holds, and which package brings which program.

`packages.tsv` has a line for each program of a family: family, program, its paths, the packages that hold it, the
packages that one of these is installed along with (`*`: too many to be listed). A program `*NAME` stands for a package
that Dockerfiles often install: its last column has the programs, of those with a `*`, that it brings along.
"""

from __future__ import annotations

import os
import re
from functools import cache
from typing import Any

from pid1lint.facts import data
from pid1lint.facts.images import BaseImage
from pid1lint.frozen import NamedTuple

_RELEASE = re.compile(r"\d+(?:[.-]\d+)*")
_MERGED = re.compile(r"^/(?=s?bin/)")


class Holdings(NamedTuple):
    """What a base image has on PATH: `programs` for certain, `varies` in some releases.

    `only`: of these programs alone it is known whether it lacks them; empty: of all that the table of packages names.
    """

    programs: frozenset[str]
    varies: frozenset[str]
    only: frozenset[str]
    source: str


class Packaged(NamedTuple):
    """How a program comes into an image of a family: `paths` where it then is, `packages` that hold it.

    `brought_by` are the other packages that one of these is installed along with; None if they are too many to tell.
    """

    program: str
    paths: tuple[str, ...]
    packages: frozenset[str]
    brought_by: frozenset[str] | None


def holdings(base: BaseImage) -> Holdings | None:
    """What a base image holds; None if that is not known."""
    file = _file()
    row = file["families"].get(base.family)
    if row is None or base.guessed or base.open_tag or "onbuild" in base.tag:
        return None
    own = data.words(row["programs"]) or data.words(file["families"].get(row.get("as", ""), {}).get("programs", ""))
    held = Holdings(
        frozenset((*own, *base.shells)), frozenset(data.words(row["varies"])), frozenset(), str(row["source"])
    )
    if base.name in data.words(file["systems"]["names"]):
        return held
    languages = file["languages"]
    if base.name in data.words(languages["names"]):
        return held._replace(only=frozenset(data.words(languages["without"])), source=str(languages["source"]))
    return None


def package_of(program: str, family: str) -> Packaged | None:
    """How a program comes into an image of a family; None if that is not known."""
    line = _line(_family(family), program)
    if line is None:
        return None
    paths, packages, brought = line
    whole = None if brought == "*" else frozenset(brought.split())
    return Packaged(program, tuple(paths.split()), frozenset(packages.split()), whole)


def brings(package: str, program: Packaged, family: str) -> bool | None:
    """Whether a package brings a program along; None if that is not known."""
    if package in program.packages or (program.brought_by is not None and package in program.brought_by):
        return True
    plain = _without_release(package)
    if any(plain == _without_release(other) for other in program.packages):
        # That of another release: `php7.4-fpm`, `openjdk-11-jre-headless`.
        return True
    if program.program in package:
        return None
    if program.brought_by is not None:
        return False
    common = _line(_family(family), "*" + package)
    return None if common is None else program.program in common[2].split()


def same_place(path: str, other: str) -> bool:
    """Whether two paths mean the same file where /bin is /usr/bin."""
    return _MERGED.sub("/usr/", path) == _MERGED.sub("/usr/", other)


def _without_release(package: str) -> str:
    return _RELEASE.sub("", package)


def _family(family: str) -> str:
    """The family whose lines hold for another."""
    row = _file()["families"].get(family, {})
    return str(row.get("as", family))


def _line(family: str, program: str) -> tuple[str, str, str] | None:
    """A line of the table, found without reading all of it into objects: paths, packages, brought along."""
    text = _text()
    start = text.find(f"\n{family}\t{program}\t")
    if start < 0:
        return None
    line = text[start + 1 : text.index("\n", start + 1)]
    _, _, paths, packages, brought = line.split("\t")
    return paths, packages, brought


@cache
def _text() -> str:
    path = os.path.join(os.path.dirname(__file__), "packages.tsv")
    with open(path, encoding="utf-8") as file:
        return "\n" + file.read()


@cache
def _file() -> dict[str, Any]:
    return data.read("bases")
