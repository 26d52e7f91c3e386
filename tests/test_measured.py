"""What `make facts` has measured is what the facts of programs say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pid1lint.facts import data, programs
from tests.factory import programs as factory
from tests.factory.tell import BY_CONFIGURATION, OTHERWISE, SEVERAL, argv_of

TABLE: Mapping[str, Mapping[str, Any]] = data.read("measured")["programs"]
WORDS = {True: ("handles", "drops"), False: ("survives",)}


def contradictions() -> Iterator[tuple[str, str, str, str]]:
    """What is told of a signal and what was measured, where the two cannot both be true."""
    for name, row in TABLE.items():
        if row["command"].startswith("sh -c") or name in OTHERWISE:
            continue
        fact = programs.program(argv_of(row["command"]))
        if fact is None or fact.interpreter:
            continue
        for signal, told in row["signals"].items():
            said = fact.reaction(signal)
            if not said:
                continue
            allowed = WORDS[told["ends"]]
            killed_below = signal == "TERM" and row["below_init"].get("code") == 143
            if not told["ends"] and (told["set"] == "default" or killed_below):
                allowed = ("default", "survives") if signal == "WINCH" else ("default",)
            if told.get("request"):
                allowed = ("handles",) if told["request"] == "finished" else ("drops",)
            if said not in allowed:
                yield name, signal, said, f"ends {told['code']}" if told["ends"] else f"stays ({told['set']})"


def test_no_fact_contradicts_what_was_measured() -> None:
    assert list(contradictions()) == []


def test_what_was_measured_to_go_to_the_background_is_told_so() -> None:
    wrong = []
    for name, row in TABLE.items():
        fact = programs.program(argv_of(row["plain"])) if row.get("plain") else None
        if fact is None or row.get("daemonizes") is None or fact.unless_config or fact.unless_env:
            continue
        if name not in OTHERWISE.keys() | BY_CONFIGURATION and row["daemonizes"] != (fact.lifetime == "daemonizes"):
            wrong.append((name, row["plain"], row["daemonizes"], fact.lifetime))
    assert wrong == []


def test_what_was_measured_to_reap_is_told_so() -> None:
    wrong = []
    for name, row in TABLE.items():
        fact = programs.program(argv_of(row["command"]))
        if fact is not None and name not in OTHERWISE and fact.reaps is not None and fact.reaps != row["reaps"]:
            wrong.append((name, row["reaps"], fact.reaps))
    assert wrong == []


@pytest.mark.parametrize("key", ["package", "version", "command", "signals", "below_init", "reaps", "date"])
def test_every_row_has(key: str) -> None:
    assert [name for name, row in TABLE.items() if key not in row or row[key] == ""] == []


def test_dates_are_dates() -> None:
    assert [row["date"] for row in TABLE.values() if not re.fullmatch(r"\d{4}-\d\d-\d\d", row["date"])] == []


def test_every_program_that_was_measured_is_in_the_facts() -> None:
    called = {name: argv_of(row["command"]) for name, row in TABLE.items()}
    known = {name for name, argv in called.items() if programs.program(argv) is not None or name in OTHERWISE}
    assert {name for name, argv in called.items() if programs.program_name(argv[0]) not in SEVERAL} - known == set()


def test_every_row_of_a_program_is_one_of_a_kind_that_the_table_has() -> None:
    table = {program.name: program for program in factory.programs()}
    assert [name for name, row in TABLE.items() if name not in table or row.get("kind") != table[name].kind] == []
