"""Scripts that are made to be slow: a launch ends all the same, and what was left out is said."""

from __future__ import annotations

import pytest

from pid1lint import MemoryContext, Outcome, trace
from pid1lint.launch import Launch

SCRIPTS = {
    "branches that set the arguments": "".join(f'if [ -n "$A{i}" ]; then set -- "$@" -{i}; fi\n' for i in range(30)),
    "branches that set a trap": "".join(f"if [ -e /f{i} ]; then trap 'echo {i}' USR1; fi\n" for i in range(30)),
    "branches that exec": "".join(f"if [ -e /f{i} ]; then exec app{i}; fi\n" for i in range(30)),
    "cases of ten arms": "".join(
        f'case "$X{i}" in\n' + "".join(f"a{j}) C{i}=b{j} ;;\n" for j in range(10)) + f"esac\n$C{i} x\n"
        for i in range(40)
    ),
    "loops in loops": "for a in 1 2 3 4 5 6 7 8 9 10 11 12; do\n" * 6 + "echo $a\n" + "done\n" * 6,
    "loops that nobody knows the end of": "while [ -e /x ]; do\n" * 12 + "step\n" + "done\n" * 12,
    "functions that call each other": "".join(
        f"f{i}() {{ " + "; ".join(f"f{j}" for j in range(15) if j != i) + "; }\n" for i in range(15)
    )
    + "f0\n",
    "a long chain": " && ".join(["step"] * 2000) + "\n",
}


def launched(text: str) -> Launch:
    dockerfile = 'FROM debian:12\nCOPY --chmod=755 run.sh /\nENTRYPOINT ["/run.sh"]\n'
    (launch,) = trace(dockerfile, MemoryContext({"run.sh": "#!/bin/bash\n" + text}))
    return launch


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in SCRIPTS.items()])
def test_no_script_keeps_the_analysis(text: str) -> None:
    launch = launched(text + "exec nginx -g 'daemon off;'\n")
    assert launch.outcome in (Outcome.GRACEFUL, Outcome.ABRUPT, Outcome.UNKNOWN)
    assert launch.paths


def test_branches_that_set_what_nobody_reads_again_are_one_path() -> None:
    read_before = "X=step\n$X\n"
    text = "".join(f"if [ -e /f{i} ]; then X=1; else X=2; fi\n" for i in range(30))
    assert len(launched(read_before + text + "exec server\n").paths) == 1


def test_branches_that_set_what_is_run_in_the_end_are_as_many_paths() -> None:
    text = "".join(f"if [ -e /f{i} ]; then X=app{i}; fi\n" for i in range(5))
    launch = launched("X=server\n" + text + 'exec "$X"\n')
    mains = {path.main.program for path in launch.paths if path.main is not None}
    assert mains == {"server", "app0", "app1", "app2", "app3", "app4"}


def test_a_script_that_runs_itself_is_no_verdict() -> None:
    assert launched('exec "$0" "$@" "$@"\n').outcome is Outcome.UNKNOWN


def test_what_was_left_out_makes_a_good_outcome_an_assumed_one() -> None:
    text = "".join(f'if [ -e /f{i} ]; then set -- "$@" -{i}; fi\n' for i in range(30))
    launch = launched(text + 'exec redis-server "$@"\n')
    assert (launch.outcome, launch.certainty) == (Outcome.GRACEFUL, "assumed")
    assert [each.what for each in launch.assumes] == ["the ways through run.sh that were not followed end alike"]


def test_a_thousand_commands_in_a_row_are_followed() -> None:
    assert launched("step\n" * 1500 + "exec redis-server\n").outcome is Outcome.GRACEFUL
