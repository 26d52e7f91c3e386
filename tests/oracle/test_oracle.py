"""The oracle gives the answers that were measured before it, on other runs of the same programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest

from tests import oracle
from tests.oracle.measured import SCRIPTS, SHELLS, STRINGS

pytestmark = pytest.mark.oracle

PROGRAMS = {
    "app": oracle.SERVER,
    "app2": oracle.SERVER,
    "app143": oracle.StandIn(code=143),
    "slow": oracle.StandIn(cleanup_ms=2600),
    "bare": oracle.NO_HANDLER,
}
OUTCOMES = {"graceful": "G", "abrupt": "A", "hang": "H", "exits": "x", "fails": "x"}


class Launch(NamedTuple):
    """A program to launch, with `@` for the script's path if there is one."""

    argv: tuple[str, ...]
    script: str = ""
    stop: str = "TERM"
    sh: str = "dash"

    def container(self) -> oracle.Container:
        files = {"/s": oracle.File(self.script)} if self.script else {}
        argv = tuple("/s" if word == "@" else word for word in self.argv)
        return oracle.Container(argv, files=files, stand_ins=PROGRAMS, stop=self.stop, sh=self.sh)


def verdict(run: oracle.Run) -> str:
    """In short: the outcome's letter, x if it ended by itself; the exit code; a star if the app was PID 1."""
    return f"{OUTCOMES[run.outcome]}{run.code}{'*' if run.app_is_pid1 else ''}"


def strings_and_scripts() -> Iterator[object]:
    for text, verdicts in STRINGS:
        for shell, expected in zip(SHELLS, verdicts.split(), strict=True):
            yield pytest.param(Launch((*shell, "-c", text)), expected, id=f"{shell[0]} -c {text!r}")
    for text, verdicts in SCRIPTS:
        for shell, expected in zip(SHELLS, verdicts.split(), strict=True):
            script = f"#!/bin/{' '.join(shell)}\n{text}\n"
            yield pytest.param(Launch(("@",), script), expected, id=f"{shell[0]} script {text!r}")


@pytest.mark.parametrize(("case", "expected"), tuple(strings_and_scripts()))
def test_shells_treat_the_stop_signal_as_measured(case: Launch, expected: str, measured: oracle.Run) -> None:
    assert verdict(measured) == expected, measured


NO_EXEC = "#!/bin/dash\napp\n"
IGNORES = "#!/bin/dash\ntrap : TERM\napp\n"
INITS = (
    pytest.param(Launch(("app",)), "G0*", id="no init: an app with a handler"),
    pytest.param(Launch(("bare",)), "H137*", id="no init: an app without"),
    pytest.param(Launch(("tini", "--", "app")), "G0", id="tini: an app with a handler"),
    pytest.param(Launch(("tini", "--", "bare")), "A143", id="tini: an app without"),
    pytest.param(Launch(("tini", "--", "@"), NO_EXEC), "A143", id="tini: a script without exec"),
    pytest.param(Launch(("tini", "-g", "--", "@"), NO_EXEC), "A143", id="tini -g: a script without exec"),
    pytest.param(Launch(("dumb-init", "--", "@"), NO_EXEC), "A143", id="dumb-init: a script without exec"),
    pytest.param(Launch(("dumb-init", "--", "app")), "G0", id="dumb-init: an app with a handler"),
    pytest.param(Launch(("dumb-init", "--", "bare")), "A143", id="dumb-init: an app without"),
    pytest.param(Launch(("tini", "--", "@"), IGNORES), "H137", id="tini: a script that catches the signal"),
    pytest.param(Launch(("tini", "-g", "--", "@"), IGNORES), "G0", id="tini -g: a script that catches the signal"),
    pytest.param(Launch(("dumb-init", "--", "@"), IGNORES), "G0", id="dumb-init: a script that catches the signal"),
    pytest.param(Launch(("tini", "--", "sh", "-c", "cd / && app"), sh="dash"), "A143", id="tini: dash -c"),
    pytest.param(Launch(("tini", "--", "sh", "-c", "cd / && app"), sh="bash"), "G0", id="tini: bash -c"),
    pytest.param(Launch(("tini", "--", "sh", "-c", "cd / && app"), sh="busybox"), "G0", id="tini: busybox -c"),
    pytest.param(Launch(("sh", "-c", "tini -- app")), "H137", id="an init that is not PID 1"),
    pytest.param(Launch(("tini", "-g", "--", "@"), NO_EXEC, stop="INT"), "G130", id="tini -g: INT to the group"),
    pytest.param(Launch(("setsid", "app")), "x0", id="setsid forks"),
    pytest.param(Launch(("script", "-qc", "exec app", "/dev/null")), "G0", id="script tells the app, and waits"),
    pytest.param(Launch(("script", "-qc", "exec slow", "/dev/null")), "A0", id="script kills the app after 2 s"),
    pytest.param(Launch(("@",), "app\n"), "x126", id="a script without a shebang"),
    pytest.param(Launch(("@",), "#!/bin/dash\r\nexec app\r\n"), "x127", id="a script with CRLF"),
)


@pytest.mark.parametrize(("case", "expected"), INITS)
def test_inits_and_launchers_behave_as_measured(case: Launch, expected: str, measured: oracle.Run) -> None:
    assert verdict(measured) == expected, measured


@pytest.mark.parametrize(
    ("argv", "left"),
    [
        pytest.param(("tini", "--", "app"), 0, id="an init reaps"),
        pytest.param(("dash", "-c", "app; true"), 0, id="a shell that waits reaps"),
        pytest.param(("app",), 3, id="an app does not"),
    ],
)
def test_zombies_stay_where_pid_1_does_not_reap(argv: tuple[str, ...], left: int, oracle_runs: object) -> None:
    assert oracle.run(oracle.Container(argv, stand_ins=PROGRAMS), orphans=3).zombies == left


def test_the_end_of_a_helper_does_not_count(oracle_runs: object) -> None:
    container = oracle.Container(("dash", "-c", "app2 & exec app"), stand_ins=PROGRAMS)
    assert oracle.run(container).outcome == "abrupt"
    assert oracle.run(replace(container, helpers=("app2",))).outcome == "graceful"
