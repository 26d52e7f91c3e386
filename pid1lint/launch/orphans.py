"""What a launch leaves to PID 1 to reap, where that is known not to: its zombies stay as long as the container runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pid1lint.facts import browsers
from pid1lint.frozen import NamedTuple
from pid1lint.launch.process import Outcome, Process
from pid1lint.source import Place

if TYPE_CHECKING:
    from pid1lint.image.model import Image
    from pid1lint.launch.path import Path

_MANIFESTS = (
    ("package.json", "node"),
    ("requirements.txt", "python"),
    ("requirements/base.txt", "python"),
    ("pyproject.toml", "python"),
)


class Orphans(NamedTuple):
    """PID 1, the process whose children are orphaned, and the browser among these (empty for others).

    `origin` is the RUN that brings the browser into the image, where one does.
    """

    pid1: Process
    parent: Process
    browser: str = ""
    origin: Place | None = None


class _Browser(NamedTuple):
    name: str
    origin: Place | None = None


def orphans(image: Image, path: Path) -> Orphans | None:
    """The orphans that a path is known to leave to a PID 1 that is known not to reap; None if there are none."""
    one, main = path.pid1, path.main
    if path.reaps is not False or one is None or main is None or path.outcome in (Outcome.EXITS, Outcome.FAILS):
        return None
    alive = path.tree.walk() if path.tree is not None else ()
    parent = next((process for process in alive if process.fact is not None and process.fact.spawns), None)
    if parent is not None:
        return Orphans(one, parent)
    fact = main.fact
    if fact is None or not (fact.interpreter or fact.language or fact.kind == "runner"):
        return None
    if fact.interpreter == "java" or any(browsers.is_test(process.argv[1:]) for process in path.chain):
        return None
    browser = _browser(image)
    return Orphans(one, main, browser.name, browser.origin) if browser is not None else None


def _browser(image: Image) -> _Browser | None:
    """The browser of an image in which there is a library to drive it."""
    if image.base is None and browsers.ships(image.base_reference.partition(":")[0].partition("@")[0]):
        return _Browser("the browser")
    installed = _installed(image)
    manifests = ((f"{image.workdir.rstrip('/')}/{name}", language) for name, language in _MANIFESTS)
    listed = ((path, "python") for path in _requirements(image))
    driver = next(filter(None, (_depended_on(image, *manifest) for manifest in (*manifests, *listed))), "")
    if installed is not None:
        built = (*image.run_texts, *(f"{name}={value}" for name, value in image.env.items()))
        return installed if driver or browsers.names_driver(built) else None
    if driver and browsers.is_bundled(driver) and not any("SKIP" in name for name in image.env):
        return _Browser("Chrome")
    return None


def _installed(image: Image) -> _Browser | None:
    package = browsers.packaged(image.packages)
    for instruction, text in image.runs:
        place = instruction.text.source.place(*instruction.keyword_span)
        if name := browsers.installed_by(text):
            return _Browser(name, place)
        if package and re.search(rf"(?<![\w-]){re.escape(package)}(?![\w-])", text):
            return _Browser(package, place)
    return None


def _requirements(image: Image) -> Iterator[str]:
    """The lists of requirements that a RUN gives to pip."""
    for _, text in image.runs:
        for name in re.findall(r"(?:\s-r\s*|--requirement[ =])([^\s;&|\"']+)", text):
            yield name if name.startswith("/") else f"{image.workdir.rstrip('/')}/{name}"


def _depended_on(image: Image, path: str, language: str) -> str:
    file = image.files.lookup(path)
    return browsers.depended_on(file.text.text, language) if file is not None and file.text is not None else ""
