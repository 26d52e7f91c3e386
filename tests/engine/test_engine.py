from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import cannot_measure
from tests.engine.answers import answers, disagreement
from tests.engine.cases import ALL, CLASSIC, FEW, Case

pytestmark = pytest.mark.oracle


@pytest.mark.parametrize("case", FEW, ids=lambda case: case.name)
def test_the_dockerfile_the_image_and_the_run_agree(case: Case, work: Path) -> None:
    try:
        found = answers(case, work)
    except LookupError as error:
        cannot_measure(str(error))
        raise
    assert disagreement(case, found) == ""
    assert found.image.outcome.value == case.outcome


def test_there_are_enough_of_them() -> None:
    assert len(ALL) >= 60
    assert len({case.name for case in ALL}) == len(ALL)
    assert len(CLASSIC) == 6


def test_the_classic_case_is_reproduced(work: Path) -> None:
    if os.environ.get("CLASSIC") != "yes":
        pytest.skip("it takes a Debian with Java, which `make engine` makes")
    try:
        found = [answers(case, work) for case in CLASSIC]
    except LookupError as error:
        cannot_measure(str(error))
        raise
    assert [disagreement(case, answer) for case, answer in zip(CLASSIC, found, strict=True)] == [""] * len(CLASSIC)
    assert [(answer.image.outcome.value, answer.image.certainty) for answer in found] == [
        (case.outcome, "proven") for case in CLASSIC
    ]
