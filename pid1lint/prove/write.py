"""Puts what was measured of programs into a configuration."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping

from pid1lint.errors import Pid1lintError

_DEFAULT = "pid1lint.toml"


def table(prefix: str, name: str) -> str:
    """The head of a table: `[programs.app]`, the name in quotes if it has to be."""
    key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
    return f"[{prefix}{key}]"


def write(facts: Mapping[str, Mapping[str, str]], file: str) -> Iterator[str]:
    """Add `[programs.NAME]` tables to a configuration (empty: a new one here); what was done, in one line each.

    `Pid1lintError` if it has one of that name already: it may say more than was measured.
    """
    if not facts:
        yield "the measurement has nothing to add to a configuration"
        return
    path = file or _DEFAULT
    prefix = "tool.pid1lint.programs." if os.path.basename(path) == "pyproject.toml" else "programs."
    rows = {
        table(prefix, name): "signals = { " + ", ".join(f'{s} = "{r}"' for s, r in signals.items()) + " }"
        for name, signals in facts.items()
    }
    append(path, rows)
    for head, row in rows.items():
        yield f"{path}: {head} {row}"


def append(path: str, tables: Mapping[str, str]) -> None:
    """Add tables at the end of a configuration file, which is made if there is none."""
    from pid1lint.writing import put

    try:
        with open(path, encoding="utf-8") as opened:
            text = opened.read()
    except FileNotFoundError:
        text = ""
    except OSError as error:
        raise Pid1lintError(f"{path} cannot be read: {error.strerror}") from error
    for head in tables:
        if re.search(rf"^\s*{re.escape(head)}", text, re.MULTILINE):
            raise Pid1lintError(f"{path} already has {head}: change it there")
    added = "".join(f"\n{head}\n{rows}\n" for head, rows in tables.items())
    joined = text + ("" if not text or text.endswith("\n") else "\n") + (added if text else added.lstrip("\n"))
    put(path, joined.encode())
