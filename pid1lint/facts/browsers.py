"""Browsers that a program drives: their helper processes outlive them, and are left to PID 1."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from pid1lint.facts import data


@cache
def _file() -> dict[str, Any]:
    return data.read("browsers")


def installed_by(text: str) -> str:
    """What a RUN that installs a browser by other means than packages calls it; empty if it installs none."""
    return next((str(name) for pattern, name in _file()["installs"] if re.search(pattern, text)), "")


def packaged(packages: Collection[str]) -> str:
    """The package of a browser among those of an image; empty if there is none."""
    return next((name for name in data.words(_file()["packages"]) if name in packages), "")


def ships(base: str) -> bool:
    """Whether an image is made for programs that drive a browser, holds one, and has no init."""
    return base in data.words(_file()["bases"])


def names_driver(texts: Sequence[str]) -> bool:
    """Whether what builds the image speaks of a library that drives browsers."""
    return any(re.search(_file()["named"], text) for text in texts)


def depended_on(manifest: str, language: str) -> str:
    """The driver that a package.json, or a list of Python requirements, depends on at run time; empty for none."""
    drivers = data.words(_file()["drivers"][language])
    if language == "python":
        found = {re.sub(r"[-_.]+", "-", name).lower() for name in re.findall(r"""(?m)^[\s"']*([\w.-]+)""", manifest)}
        return next((driver for driver in drivers if driver.lower() in found), "")
    try:
        dependencies = json.loads(manifest).get("dependencies", {})
    except (ValueError, AttributeError, RecursionError):
        return ""
    return next((driver for driver in drivers if isinstance(dependencies, dict) and driver in dependencies), "")


def is_bundled(driver: str) -> bool:
    """Whether a driver fetches its browser when it is installed."""
    return driver in data.words(_file()["bundled"])


def is_test(words: Sequence[str]) -> bool:
    """Whether a command runs tests, and ends."""
    return any(re.search(_file()["tests"], word) for word in words)
