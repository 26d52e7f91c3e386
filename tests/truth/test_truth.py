"""The model foresees what the kernel does with launches that nobody has looked at; `make truth` looks at more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import cannot_measure
from tests.truth.case import Case
from tests.truth.compare import Judged, generate, judge_all, tally

CASES = 240
SEED = 1

pytestmark = pytest.mark.oracle


@pytest.fixture(scope="module")
def judged(oracle_runs: object) -> Iterator[list[Judged]]:
    yield judge_all(generate(CASES, SEED))


def test_the_model_agrees_with_the_kernel(judged: list[Judged]) -> None:
    wrong = [one for one in judged if one.measured and one.stable and not one.agrees]
    shown = "\n\n".join(f"foreseen {one.foreseen}, measured {one.measured}\n{one.case.shown()}" for one in wrong)
    assert tally(judged).agreement >= 0.99, shown


def test_the_model_seldom_declines_to_say(judged: list[Judged]) -> None:
    unknown = [one.case.shown() for one in judged if not one.verdict]
    assert tally(judged).verdicts >= 0.95, "\n\n".join(unknown)


def test_most_cases_can_be_measured(judged: list[Judged]) -> None:
    if lacking := sorted({one.lacks for one in judged if one.lacks}):
        cannot_measure("; ".join(lacking))
    total = tally(judged)
    assert total.right + total.wrong >= 0.9 * (CASES - total.unknown)
    assert total.unstable <= 0.03 * CASES


def test_a_case_is_told_in_full_and_made_smaller_part_by_part() -> None:
    case = Case("dash", "debian:12", ('ENTRYPOINT ["/entrypoint.sh"]',), "#!/bin/sh", ("set -e", "server"))
    assert [each.script for each in case.smaller()] == [("server",), ("set -e",)]
    assert case.foreseen() == "hang"
    assert "#!/bin/sh\nset -e\nserver" in case.shown()


def test_the_same_seed_makes_the_same_cases() -> None:
    assert [case.shown() for case in generate(5, 3)] == [case.shown() for case in generate(5, 3)]
