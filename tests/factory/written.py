"""Writes measured rows into the facts' files, which have one row a line."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

FACTS = Path(__file__).parents[2] / "pid1lint" / "facts"


def dump(row: Mapping[str, Any]) -> str:
    """A row on one line."""
    return json.dumps(row, ensure_ascii=False)


def read_table(name: str, section: str) -> dict[str, Mapping[str, Any]]:
    """The rows of a section by their names."""
    path = FACTS / f"{name}.json"
    loaded: dict[str, Mapping[str, Any]] = json.loads(path.read_text())[section] if path.exists() else {}
    return loaded


def write_table(name: str, section: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Put rows by their names into a section `{"name": row}` of a file, in place of older ones of these names."""
    _edit(name, section, lambda old: {**old, **rows})


def drop_rows(name: str, section: str, names: Collection[str]) -> None:
    """Take rows out of such a section."""
    _edit(name, section, lambda old: {key: row for key, row in old.items() if key not in names})


def _edit(name: str, section: str, edit: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    path = FACTS / f"{name}.json"
    with FACTS.joinpath("__init__.py").open() as lock:
        # Another call of the factory may write, too.
        fcntl.flock(lock, fcntl.LOCK_EX)
        loaded: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {section: {}}
        loaded[section] = dict(sorted(edit(loaded.get(section, {})).items()))
        path.write_text(_formatted(loaded))


def write_list(name: str, section: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put rows in place of a section `[row, ...]` of a file."""
    path = FACTS / f"{name}.json"
    loaded: dict[str, Any] = json.loads(path.read_text())
    path.write_text(_formatted({**loaded, section: list(rows)}))


def _formatted(loaded: Mapping[str, Any]) -> str:
    parts = []
    for key, value in loaded.items():
        if isinstance(value, dict) and all(isinstance(row, dict) for row in value.values()):
            rows = ",\n".join(f"{json.dumps(name, ensure_ascii=False)}: {dump(row)}" for name, row in value.items())
            parts.append(f"{json.dumps(key)}: {{\n{rows}\n}}")
        elif isinstance(value, list):
            rows = ",\n".join(dump(row) for row in value)
            parts.append(f"{json.dumps(key)}: [\n{rows}\n]")
        else:
            parts.append(f"{json.dumps(key)}: {dump(value) if isinstance(value, dict) else json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"
