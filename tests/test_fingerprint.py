"""Fingerprints stay when lines move, and tell findings apart that look alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from pid1lint.diagnostic import Diagnostic, Severity
from pid1lint.fingerprint import fingerprints, working_folder
from pid1lint.source import Source


def found(text: str, *starts: int, path: str = "run.sh", code: str = "PID201") -> list[Diagnostic]:
    source = Source(path, text)
    return [Diagnostic(code, "missing-exec", Severity.ERROR, "x", source.place(start, start + 1)) for start in starts]


def test_a_fingerprint_survives_moved_and_indented_lines() -> None:
    before = found("java  -jar app.jar\n", 0)
    after = found("#!/bin/sh\n\n\tjava -jar app.jar\n", 13)
    assert fingerprints(before) == fingerprints(after)


def test_path_code_and_line_tell_findings_apart() -> None:
    kinds = [
        found("java\n", 0),
        found("node\n", 0),
        found("java\n", 0, path="other.sh"),
        found("java\n", 0, code="PID202"),
    ]
    prints = {fingerprints(kind) for kind in kinds}
    assert len(prints) == len(kinds)


def test_equal_lines_are_counted_from_the_top_whatever_the_order() -> None:
    first, second = found("java\njava\n", 0, 5)
    assert fingerprints([first, second]) == fingerprints([second, first])[::-1]
    assert fingerprints([first]) == fingerprints([second])
    assert len(set(fingerprints([first, second]))) == 2


def test_a_fingerprint_has_a_known_value() -> None:
    (value,) = fingerprints(found("java\n", 0))
    assert value == "4fb6e10379e5a2de34ae3321424e2a08db4fd80ac6248c11b1d0795082f24a45"


def test_the_same_file_has_the_same_fingerprint_in_all_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    prints = set()
    for folder, path in ((".", "a/run.sh"), ("a", "run.sh"), ("a/b", "../run.sh")):
        monkeypatch.chdir(tmp_path / folder)
        prints.add(fingerprints(found("java\n", 0, path=path), working_folder()))
    assert len(prints) == 1


def test_without_a_repository_there_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert working_folder() == ""
