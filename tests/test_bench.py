"""`make bench` measures what a process takes, and writes it as the documentation shows it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from tests.bench import measure
from tests.bench.measure import Failure, Tool, Used, used
from tests.bench.report import BEGIN, END, Measured, Size, Turns, lines, page

ROOT = Path(__file__).parents[1]
MEASURED = Measured(
    "2026-11-26",
    "Linux on x86_64, 2 processors",
    {"pid1lint": "(0.1.0, commit abc)", "Python": "3.11.7"},
    [(0.25, 0.1), (0.2, 0.1), (0.24, 0.1)],
    Turns(600, 200, {"pid1lint": [Used(10, 50), Used(20, 51)], "hadolint": [Used(30, 70), Used(50, 64)]}),
    [Size(10, Used(0.25, 30)), Size(10_000, Used(12.5, 70.4))],
)


def test_what_was_measured_stands_in_full() -> None:
    assert list(lines(MEASURED)) == [
        "Measured on 2026-11-26: pid1lint (0.1.0, commit abc); Python 3.11.7. Linux on x86_64, 2 processors.",
        "",
        "A cold check of one image takes 2.40 times `python -c 'import click'` (median of 3 pairs, processor time).",
        "",
        "600 Dockerfiles of 200 repositories, 2 rounds in turns; each linter gets them all in one call and uses one "
        "process. The ratio is the median of the rounds'.",
        "",
        "|  | processor seconds, median | least to most | times pid1lint | MB at most |",
        "|---|---:|---:|---:|---:|",
        "| pid1lint | 15.0 | 10.0 to 20.0 | 1.00 | 51 |",
        "| hadolint | 40.0 | 30.0 to 50.0 | 2.75 | 70 |",
        "",
        "What pid1lint takes for more and more Dockerfiles, in one process:",
        "",
        "| Dockerfiles | processor seconds | ms each | MB |",
        "|---|---:|---:|---:|",
        "| 10 | 0.25 | 25.0 | 30 |",
        "| 10,000 | 12.50 | 1.2 | 70 |",
    ]


def test_a_page_keeps_what_stands_around_the_report() -> None:
    text = f"# Before\n{BEGIN}\nold\n{END}\nbehind\n"
    written = page(text, MEASURED)
    assert written.startswith(f"# Before\n{BEGIN}\n\nMeasured on 2026-11-26")
    assert written.endswith(f"| 70 |\n\n{END}\nbehind\n")
    assert page(written, MEASURED) == written


def test_the_documentation_has_what_was_measured_with_its_date_and_versions() -> None:
    text = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    told = text.partition(BEGIN)[2].partition(END)[0]
    versions = r"pid1lint \(.+\); hadolint \(.+\); tally without shellcheck \(.+\); Python .+; click .+\."
    assert re.search(rf"^Measured on \d{{4}}-\d\d-\d\d: {versions}", told, re.MULTILINE)
    assert re.findall(r"^\| ([\d,]+) \|", told, re.MULTILINE) == ["10", "100", "1,000", "10,000"]


def test_time_and_memory_of_a_process_are_its_own(tmp_path: Path) -> None:
    idle = used(measure.python("pass"), tmp_path, os.environ)
    at_work = used(measure.python("x = b'x' * (100 << 20); sum(range(10_000_000))"), tmp_path, os.environ)
    assert at_work.seconds > idle.seconds
    assert idle.megabytes < 60
    assert 95 < at_work.megabytes - idle.megabytes < 105


def test_findings_are_no_failure_and_errors_are_one(tmp_path: Path) -> None:
    used(measure.python("raise SystemExit(1)"), tmp_path, os.environ)
    with pytest.raises(Failure, match="ends with 3: no such stage"):
        used(measure.python("import sys; print('no such stage', file=sys.stderr); sys.exit(3)"), tmp_path, os.environ)


def test_each_repository_gives_one_dockerfile_before_any_gives_another(tmp_path: Path) -> None:
    for name in ("a/Dockerfile", "b/Dockerfile", "b/1/Dockerfile", "b/2/Dockerfile", "c/Dockerfile"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("FROM debian:12\n")
    found = measure.found([tmp_path], seed=1)
    assert sorted(list(found.values())[:3]) == [str(tmp_path / name) for name in "abc"]
    assert list(found.values())[3:] == [str(tmp_path / "b")] * 2
    assert measure.found([tmp_path], seed=1) == found


def test_a_file_that_a_linter_cannot_read_is_left_out_for_all(tmp_path: Path) -> None:
    tool = Tool("linter", (sys.executable, "-c", "import sys; sys.exit(0)"), os.environ, "1")
    picky = Tool("picky", (sys.executable, "-c", _PICKY), os.environ, "1")
    assert measure.readable(["one", "bad", "two", "three"], 3, (tool, picky), tmp_path) == ["one", "two", "three"]


_PICKY = "import sys\nif 'bad' in sys.argv:\n    print('bad: unknown instruction', file=sys.stderr)\n    sys.exit(4)"
