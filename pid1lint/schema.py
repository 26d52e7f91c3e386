"""Holds a configuration against its JSON schema: the shipped file is the only list of keys there is."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pid1lint.frozen import NamedTuple
from pid1lint.nearest import hint

Keys = tuple[str | int, ...]
_SIGNALS = ("TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "WINCH", "KILL")
_TYPES: Mapping[str, tuple[type, str]] = {
    "array": (list, "a list"),
    "boolean": (bool, "true or false"),
    "object": (dict, "a table"),
    "string": (str, "a string"),
}


class Violation(NamedTuple):
    """What is wrong, and the keys and indices that lead to it; `of_key` if the last key itself is wrong."""

    keys: Keys
    message: str
    of_key: bool = False


@cache
def schema() -> Mapping[str, Any]:
    """The schema of the configuration."""
    with open(os.path.join(os.path.dirname(__file__), "pid1lint.schema.json"), encoding="utf-8") as file:
        loaded: Mapping[str, Any] = json.load(file)
    return loaded


def violations(value: object) -> Iterator[Violation]:
    """Where a configuration does not keep to the schema, in its own order.

    The schema uses these words only: type, properties, additionalProperties, propertyNames, items, enum, pattern, $ref.
    """
    yield from _violations(value, schema(), ())


def _violations(value: object, rule: Mapping[str, Any], keys: Keys) -> Iterator[Violation]:
    rule = _resolved(rule)
    if (wanted := _TYPES[rule["type"]])[0] is not type(value):
        given = _given(value)
        takes = f"{_kind(rule)}, not {given}" if _by_itself(keys) else f"a list of strings, but one of them is {given}"
        yield Violation(keys, f"{_shown(keys)} takes {takes}")
    elif isinstance(value, dict):
        yield from _in_table(value, rule, keys)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _violations(item, rule["items"], (*keys, index))
    elif isinstance(value, str):
        if message := _wrong_word(value, rule, keys):
            yield Violation(keys, message)
    else:
        assert wanted[0] is bool


def _in_table(table: Mapping[str, object], rule: Mapping[str, Any], keys: Keys) -> Iterator[Violation]:
    known: Mapping[str, Any] = rule.get("properties", {})
    others = rule.get("additionalProperties", False)
    names = _resolved(rule["propertyNames"]) if "propertyNames" in rule else {}
    for key, value in table.items():
        if key in known:
            yield from _violations(value, known[key], (*keys, key))
        elif not others:
            where = f" in {_shown(keys)}" if keys else ""
            meant = hint(key, known) or f"; the keys are {', '.join(known)}"
            yield Violation((*keys, key), f"unknown key {key!r}{where}{meant}", of_key=True)
        elif names and (message := _wrong_word(key, names, keys)):
            yield Violation((*keys, key), message, of_key=True)
        else:
            yield from _violations(value, others, (*keys, key))


def _wrong_word(word: str, rule: Mapping[str, Any], keys: Keys) -> str:
    """Why a string is not one that the rule takes, or nothing."""
    if "enum" in rule and word not in rule["enum"]:
        return f"{_shown(keys)} is one of {', '.join(rule['enum'])}, not {word!r}{hint(word, rule['enum'])}"
    if "pattern" in rule and not re.search(rule["pattern"], word):
        meant = hint(word, _SIGNALS) or ", such as TERM"
        return f"{_shown(keys)}: {word!r} is not the name of a signal{meant}"
    return ""


def _resolved(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = rule.get("$ref")
    return rule if reference is None else schema()["definitions"][reference.rpartition("/")[2]]


def _shown(keys: Keys) -> str:
    """`programs.app.lifetime`, `select`; what stands in a list is called by the list's name."""
    return repr(".".join(key for key in keys if isinstance(key, str))) if keys else "the configuration"


def _by_itself(keys: Keys) -> bool:
    """Whether the value stands by itself, not in a list."""
    return not keys or isinstance(keys[-1], str)


def _kind(rule: Mapping[str, Any]) -> str:
    kind = _TYPES[rule["type"]][1]
    return f"{kind} of strings" if rule["type"] == "array" else kind


def _given(value: object) -> str:
    for kind, words in _TYPES.values():
        if isinstance(value, kind):
            return words
    return "a number" if isinstance(value, int | float) else "a date"
