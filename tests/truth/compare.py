"""Holds the model's verdicts against the kernel's, many cases at a time."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from tests import oracle
from tests.oracle.kernel import ENDED_BY_SIGNAL
from tests.truth.case import Case
from tests.truth.grammar import cases

JOBS = 24
# The second look at a surprising outcome has more patience, as others run beside it.
LOOKS = 2
# What ends by itself ends by itself: whether it had begun before is not the question here.
ENDED = {"exits": "ends", "fails": "ends"}
# And where there is no app, none is cut off.
STOPPED = {"graceful": "stops", "abrupt": "stops"}


class Judged(NamedTuple):
    """A case with both answers. `measured` is empty where the model gives no verdict or nothing can be measured;
    `stable` says whether every look at it gave the same, `lacks` which programs are not installed here.
    """

    case: Case
    foreseen: str
    measured: str = ""
    stable: bool = True
    run: oracle.Run | None = None
    lacks: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the model was right."""
        same = ENDED if self.run is not None and self.run.did("READY") else {**ENDED, **STOPPED}
        if self.foreseen == "abrupt" and self.measured == "graceful" and self.case.drops:
            return True
        return same.get(self.foreseen, self.foreseen) == same.get(self.measured, self.measured)

    @property
    def verdict(self) -> bool:
        """Whether the model gave one."""
        return self.foreseen != "unknown"


def generate(count: int, number: int) -> list[Case]:
    """`count` different cases, the same ones for the same number (and version of hypothesis)."""
    found: dict[object, Case] = {}
    rounds = 0
    while len(found) < count and rounds < 20:

        @seed(number * 100 + rounds)
        @settings(
            max_examples=count * 3 // 2,
            phases=(Phase.generate,),
            database=None,
            deadline=None,
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
        )
        @given(cases())
        def collect(case: Case) -> None:
            # Not those that hypothesis has made of another by saying something twice.
            found.setdefault((case.shell, case.instructions[0][:20], frozenset(case.tags)), case)

        collect()
        rounds += 1
    # Hypothesis looks around what it has just made: shuffled, the first ones are as mixed as all.
    different = list(found.values())
    random.Random(number).shuffle(different)
    return different[:count]


def judge_all(some: Sequence[Case], seen: Callable[[Judged], None] = lambda _: None) -> list[Judged]:
    """Judge cases side by side; `seen` is told of each in turn."""
    judged: list[Judged] = []
    with ThreadPoolExecutor(JOBS) as pool:
        for one in pool.map(_first_look, some):
            judged.append(one)
            seen(one)
    doubtful = [at for at, one in enumerate(judged) if one.measured and not one.agrees]
    with ThreadPoolExecutor(4) as pool:
        for at, again in zip(doubtful, pool.map(_second_look, [judged[at] for at in doubtful]), strict=True):
            judged[at] = again
    return judged


def _first_look(case: Case) -> Judged:
    foreseen = case.foreseen()
    if foreseen == "unknown":
        return Judged(case, foreseen)
    try:
        run = oracle.run(case.container(), settle=case.settle)
    except oracle.NotInstalledError as error:
        return Judged(case, foreseen, lacks=str(error))
    except LookupError:
        return Judged(case, foreseen)
    return Judged(case, foreseen, run.outcome, True, run)


def _second_look(one: Judged) -> Judged:
    runs = [oracle.run(one.case.container(), deadline=5.0, settle=one.case.settle + 0.75) for _ in range(LOOKS)]
    last = one._replace(measured=runs[-1].outcome, run=runs[-1])
    # Where a shell signals itself until its stack is full, time decides what the app has done by then.
    crashed = any(run.code == ENDED_BY_SIGNAL + signal.SIGSEGV for run in runs)
    return last._replace(stable=len({run.outcome for run in runs}) == 1 and not crashed)


def shrink(one: Judged) -> Judged:
    """The smallest case near this one that the model still gets as wrong; its parts are left out one by one."""
    while True:
        with ThreadPoolExecutor(JOBS) as pool:
            smaller = list(pool.map(_first_look, one.case.smaller()))
        wrong = (each for each in smaller if (each.foreseen, each.measured) == (one.foreseen, one.measured))
        found = next(wrong, None)
        if found is None:
            return one
        one = found


class Tally(NamedTuple):
    """How many of some cases the model got right; `unmeasured` are those that could not be run here."""

    right: int
    wrong: int
    unknown: int
    unstable: int
    unmeasured: int = 0

    @property
    def agreement(self) -> float:
        """Of those that could be told, the share that the model foresaw."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def verdicts(self) -> float:
        """The share of cases on which the model gave a verdict."""
        return 1 - self.unknown / max(1, sum(self))


def tally(some: Iterable[Judged]) -> Tally:
    """Count them."""
    right = wrong = unknown = unstable = unmeasured = 0
    for one in some:
        unknown += not one.verdict
        if one.measured:
            right += one.stable and one.agrees
            wrong += one.stable and not one.agrees
            unstable += not one.stable
        elif one.verdict:
            unmeasured += 1
    return Tally(right, wrong, unknown, unstable, unmeasured)
