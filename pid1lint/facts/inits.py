"""How an init comes into an image: which distribution has a package of it, and how its package manager is called.

Also which programs for the user's switch a distribution brings along.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pid1lint.facts import data
from pid1lint.frozen import NamedTuple

INITS = ("tini", "dumb-init", "catatonit")
"""The inits that a fix can put in front; each package and its program have the same name."""


class Manager(NamedTuple):
    """A package manager's command line, `{}` for the package.

    `uses` is a pattern that a RUN that calls it matches. `clean` removes what the installation leaves behind, which
    is left out where the Dockerfile keeps that in a cache mount; `cached` is then the command, if it is another.
    """

    uses: str
    plain: str
    clean: str
    cached: str = ""

    def install(self, package: str, *, into_cache: bool) -> str:
        """The command that installs a package."""
        if into_cache:
            return (self.cached or self.plain).format(package)
        return self.plain.format(package) + self.clean


@cache
def _file() -> dict[str, Any]:
    return data.read("inits")


def manager(name: str) -> Manager | None:
    """The package manager of a name; None if nothing is known of it."""
    row = _file()["managers"].get(name)
    return None if row is None else Manager(**row)


def is_packaged(init: str, family: str, reference: str, run_texts: tuple[str, ...]) -> bool:
    """Whether the distribution of a base image is known to have a package of an init.

    Some have it in a repository that must be added first: a RUN of the image tells whether it is.
    """
    for row in _file()["packages"]:
        if row["init"] != init or family not in data.words(row["families"]):
            continue
        if "unless" in row and re.search(row["unless"], reference):
            continue
        if "needs" not in row or any(row["needs"] in text for text in run_texts):
            return True
    return False


def comes_with(program: str, family: str, reference: str) -> bool:
    """Whether every image of a distribution is known to have a program."""
    return any(
        row["program"] == program
        and family in data.words(row["families"])
        and not re.search(row.get("unless", "$^"), reference)
        for row in _file()["programs"]
    )
