"""Reading of the data files that lie beside this module."""

from __future__ import annotations

import json
import os
from typing import Any


def read(name: str) -> dict[str, Any]:
    """The object in `name`.json. Its shape is the loader's to know; the tests check it."""
    path = os.path.join(os.path.dirname(__file__), name + ".json")
    with open(path, encoding="utf-8") as file:
        loaded: dict[str, Any] = json.load(file)
    return loaded


def words(text: str) -> tuple[str, ...]:
    """The blank-separated words of a field; lists of plain names are written so in the data."""
    return tuple(text.split())
