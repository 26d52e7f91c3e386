"""What must hold for any input does: for what fuzzing has found, and for cases that hypothesis makes up."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.fuzz import hold
from tests.fuzz.case import Case, File, parsed
from tests.fuzz.hold import fault
from tests.fuzz.mutate import made
from tests.fuzz.seeds import WHAT, seeds, target

FINDS = sorted((Path(__file__).parent / "finds").glob("*.txt"))
_PATIENCE = 3.0
"""Tests run side by side with others."""


class Drawn:
    """Decides as hypothesis says."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def below(self, limit: int) -> int:
        return self._draw(st.integers(0, limit - 1))


@st.composite
def cases(draw: st.DrawFn, what: str) -> Case:
    return parsed(made(what, Drawn(draw)).written())


@pytest.mark.parametrize("path", FINDS, ids=[path.stem for path in FINDS])
@pytest.mark.usefixtures("other_readers")
def test_what_was_found_holds(path: Path) -> None:
    case = parsed(path.read_bytes())
    assert case.files
    assert fault(case, path.stem.partition("-")[0], _PATIENCE) == ("", "")


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.usefixtures("other_readers")
def test_what_is_made_up_holds(what: str) -> None:
    @settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(cases(what))
    def tried(case: Case) -> None:
        assert fault(case, what, _PATIENCE) == ("", ""), case.written().decode("utf-8", "backslashreplace")

    tried()


@pytest.mark.parametrize("what", WHAT)
def test_each_kind_has_files_to_change(what: str) -> None:
    assert all(any(target(what, name, file.data) for name, file in case.files.items()) for case in seeds(what))


def test_a_case_is_read_as_it_is_written() -> None:
    files = {"a b/Dockerfile": File(b"FROM a\r\n\n"), "run.sh": File(b"\xff ==== x", 0o755), "c": File(b"")}
    assert parsed(b"before\n" + Case(files).written()) == Case(files)


def test_a_fault_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    case = seeds("script")[0]

    def broken(*_: object) -> None:
        raise hold.BrokenError("line 7 is wrong\nand more")

    monkeypatch.setattr(hold, "_checked", broken)
    assert fault(case, "script") == ("line N is wrong", "line 7 is wrong\nand more")
    monkeypatch.setattr(hold, "_checked", lambda *_: 1 / 0)
    kind, why = fault(case, "script")
    assert (kind, why.splitlines()[-1]) == ("ZeroDivisionError in <lambda>", "ZeroDivisionError: division by zero")
