"""What signals do to a program: as PID 1, and below an init."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from tests.factory.cell import POLL, Cell, Recipe, started

GENTLE = ("WINCH", "USR1", "USR2", "HUP")
"""Signals that many survive: sent one after the other to the same process, as long as it does."""
STOPPING = ("TERM", "INT", "QUIT")
SIGNALS = (*STOPPING, *GENTLE)
INIT = ("tini", "--")
ORPHANS = 3

Ready = Callable[[Cell], bool]


class Told(NamedTuple):
    """What a signal did: whether the container ended, with which code, after how many seconds.

    `set` is what the kernel knew of it before: `caught`, `ignored` or `default`.
    """

    ends: bool
    code: int
    seconds: float
    set: str
    output: str = ""


class NotReadyError(Exception):
    """The program never came up."""


def wait_until(cell: Cell, ready: Ready, patience: float, settle: float) -> None:
    """`NotReadyError` with what it said, if it has ended or never gets ready."""
    began = time.monotonic()
    while not cell.ended and not ready(cell):
        if time.monotonic() - began > patience:
            raise NotReadyError(f"not ready after {patience:g} s: {cell.output[-600:]}")
        time.sleep(POLL)
    time.sleep(settle)
    if cell.ended:
        raise NotReadyError(f"ended with {cell.code}: {cell.output[-600:]}")


def signals(
    recipe: Recipe,
    ready: Ready,
    names: Sequence[str] = SIGNALS,
    *,
    patience: float = 15.0,
    settle: float = 0.3,
    deadline: float = 3.0,
) -> dict[str, Told]:
    """What each signal does to a program that is PID 1."""
    found: dict[str, Told] = {}
    gentle = [name for name in GENTLE if name in names]
    while gentle:
        with started(recipe) as cell:
            wait_until(cell, ready, patience, settle)
            while gentle:
                name = gentle.pop(0)
                found[name] = _one(cell, name, min(deadline, 1.2))
                if found[name].ends:
                    break
    for name in (name for name in STOPPING if name in names):
        with started(recipe) as cell:
            wait_until(cell, ready, patience, settle)
            found[name] = _one(cell, name, deadline)
    return {name: found[name] for name in SIGNALS if name in found}


def below_init(recipe: Recipe) -> Recipe:
    """The same program as the child of an init."""
    return replace(recipe, argv=(*INIT, *recipe.argv))


def _one(cell: Cell, name: str, deadline: float) -> Told:
    before = cell.disposition()
    began = time.monotonic()
    cell.send(name)
    ended = cell.ends_within(deadline)
    seconds = round(time.monotonic() - began, 2)
    return Told(ended, cell.code if ended else -1, seconds, before.of(name) if before else "", cell.output)


def word(alone: Told, below: Told, clean: bool) -> str:
    """The facts' word for what a signal does: `clean` says whether it ended in its own good way."""
    if alone.ends:
        return "handles" if clean else "drops"
    if below.ends:
        return "default"
    return "survives"


def as_json(told: Mapping[str, Told]) -> dict[str, dict[str, object]]:
    """The table as it is written down."""
    return {
        name: {"ends": each.ends, "code": each.code, "seconds": each.seconds, "set": each.set}
        for name, each in told.items()
    }
