"""Writes measured rows into the facts' files, which have one row a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FACTS = Path(__file__).parents[2] / "pid1lint" / "facts"


def dump(row: Mapping[str, Any]) -> str:
    """A row on one line."""
    return json.dumps(row, ensure_ascii=False)


def write_table(name: str, section: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Put rows by their names into a section `{"name": row}` of a file, in place of older ones of these names."""
    path = FACTS / f"{name}.json"
    loaded: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {section: {}}
    loaded[section] = {**loaded.get(section, {}), **rows}
    path.write_text(_formatted(loaded))


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
