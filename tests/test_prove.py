"""What a trial comes to, without an engine: masks, ends of processes, the comparison with what was foreseen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pid1lint import MemoryContext, trace
from pid1lint.errors import Pid1lintError
from pid1lint.launch import Launch
from pid1lint.prove import report
from pid1lint.prove.engine import EngineError, find
from pid1lint.prove.observe import Ended, Seen, Watch, from_here, is_visible, signals
from pid1lint.prove.run import facts_of
from pid1lint.prove.trial import Measured, Ready, outcome_of, parse_ready
from pid1lint.prove.verdict import compare, signal_number
from pid1lint.prove.write import append, table

NOTHING: frozenset[int] = frozenset()
TERM = frozenset((15,))


def seen(pid: int, *argv: str, caught: frozenset[int] = NOTHING, parent: int = 0) -> Seen:
    return Seen(pid, parent, 0, argv, Path(argv[0]).name[:15], "S", caught, NOTHING)


def foreseen(dockerfile: str, script: str = "") -> Launch:
    (launch,) = trace(dockerfile, MemoryContext({"run.sh": script}, {"run.sh": 0o755}))
    return launch


HANGS = foreseen('FROM debian:12\nCOPY run.sh /\nENTRYPOINT ["/run.sh"]\n', "#!/bin/sh\njava -jar a.jar\ntrue\n")
GRACEFUL = foreseen('FROM debian:12\nCMD ["java", "-jar", "a.jar"]\n')
SHELL, JAVA = seen(1, "/bin/sh", "/run.sh"), seen(7, "java", "-jar", "a.jar", caught=TERM, parent=1)
HUNG = Measured("hang", (SHELL, JAVA), {1: Ended(None, 9, 10), 7: Ended(None, 9, 10)}, JAVA, 10.0, 137)
ENDED = Measured("graceful", (JAVA._replace(pid=1),), {1: Ended(143, None, 0.2)}, JAVA._replace(pid=1), 0.2, 143)


def test_a_mask_is_a_set_of_signals() -> None:
    assert signals("0000000180014003") == {1, 2, 15, 17, 32, 33}


@pytest.mark.parametrize(("name", "number"), [("SIGTERM", 15), ("SIGWINCH", 28), ("SIGRTMIN+3", 37), ("nonsense", 15)])
def test_a_stop_signal_has_a_number(name: str, number: int) -> None:
    assert signal_number(name) == number


@pytest.mark.parametrize(
    ("launch", "made", "wrong"),
    [
        pytest.param(HANGS, HUNG, "", id="hang as foreseen"),
        pytest.param(GRACEFUL, ENDED, "", id="graceful as foreseen"),
        pytest.param(None, HUNG, "", id="nothing foreseen"),
        pytest.param(
            GRACEFUL,
            HUNG,
            'the fact about java is wrong here; correct it with [programs.java] signals = { TERM = "ignores" }',
            id="graceful foreseen, hang measured",
        ),
        pytest.param(
            HANGS,
            ENDED,
            'the fact about java is wrong here; correct it with [programs.java] signals = { TERM = "handles" }',
            id="hang foreseen, graceful measured",
        ),
    ],
)  # fmt: skip
def test_what_was_refuted_is_named(launch: Launch | None, made: Measured, wrong: str) -> None:
    proof = compare("app", launch, made, 10)
    assert proof.wrong.endswith(wrong)
    assert proof.agrees == (not wrong)
    assert proof.holds == (not wrong and made.outcome == "graceful")


def test_a_server_that_drops_its_work_is_not_refuted_by_ending_in_time() -> None:
    nginx = foreseen('FROM debian:12\nCMD ["nginx", "-g", "daemon off;"]\n')
    server = seen(1, "nginx: master process nginx -g daemon off;", caught=TERM)
    assert compare("app", nginx, Measured("graceful", (server,), {1: Ended(0, None, 0.1)}, server), 10).agrees


def test_a_junit_report_has_a_failure_for_what_does_not_hold() -> None:
    lines = "\n".join(report.as_junit([compare("app", HANGS, HUNG, 10), compare("app", GRACEFUL, ENDED, 10)]))
    assert 'tests="2" failures="1"' in lines
    assert '<failure message="hang">' in lines


@pytest.mark.parametrize(
    ("made", "facts"),
    [
        pytest.param(ENDED, {"java": {"TERM": "handles"}}, id="it handles it"),
        pytest.param(ENDED._replace(outcome="abrupt"), {"java": {"TERM": "drops"}}, id="it drops its work"),
        pytest.param(HUNG, {}, id="it never got it"),
        pytest.param(
            Measured("hang", (seen(1, "/srv/app"),), {1: Ended(None, 9, 10)}, seen(1, "/srv/app"), 10, 137),
            {"app": {"TERM": "default"}},
            id="it has no handler",
        ),
    ],
)
def test_facts_are_what_was_measured_of_the_app(made: Measured, facts: dict[str, dict[str, str]]) -> None:
    assert facts_of([compare("app", None, made, 10)]) == facts


def test_trials_that_differ_are_no_fact() -> None:
    made = [compare("app", None, ENDED._replace(outcome=outcome), 10) for outcome in ("graceful", "abrupt")]
    assert facts_of(made) == {}


@pytest.mark.parametrize(
    ("text", "ready"),
    [("5", Ready(seconds=5)), ("0.5", Ready(seconds=0.5)), ("port:80", Ready(port=80)), ("health", Ready(health=True))],
)
def test_when_it_is_ready_can_be_said(text: str, ready: Ready) -> None:
    assert parse_ready(text) == ready


@pytest.mark.parametrize("text", ["", "soon", "port:http", "log:", "log:("])
def test_what_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(Pid1lintError, match="--ready"):
        parse_ready(text)


def test_an_engine_that_is_not_there_is_told() -> None:
    with pytest.raises(EngineError, match="--engine: no-such-engine is not installed"):
        find("no-such-engine --root /x")


@pytest.mark.parametrize(("name", "head"), [("app", "[programs.app]"), ("my app.1", '[programs."my app.1"]')])
def test_a_table_has_a_name_that_toml_takes(name: str, head: str) -> None:
    assert table("programs.", name) == head


def test_a_table_that_is_there_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "pid1lint.toml"
    append(str(file), {"[programs.app]": 'lifetime = "long"'})
    with pytest.raises(Pid1lintError, match=r"already has \[programs.app\]"):
        append(str(file), {"[programs.app]": 'lifetime = "short"'})
    assert file.read_text() == '[programs.app]\nlifetime = "long"\n'


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
class TestProcesses:
    def test_are_seen_with_what_they_do_on_signals(self) -> None:
        code = "import signal, time; signal.signal(signal.SIGUSR1, print); print(flush=True); time.sleep(60)"
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            found = next(process for process in from_here(os.getpid()) if process.outer == child.pid)
            child.kill()
        assert (found.argv[0], found.argv[1]) == (sys.executable, "-c")
        assert signal.SIGUSR1 in found.caught
        assert signal.SIGPIPE in found.ignored

    def test_this_one_is_no_container(self) -> None:
        assert not is_visible(os.getpid())
        assert not is_visible(0)

    @pytest.mark.parametrize(("command", "end"), [("kill -TERM $$", (None, 15)), ("exit 3", (3, None))])
    def test_end_with_a_code_or_by_a_signal(self, command: str, end: tuple[int | None, int | None]) -> None:
        with subprocess.Popen(["sh", "-c", f"read x; {command}"], stdin=subprocess.PIPE) as child:
            watch = Watch((seen(1, "sh")._replace(outer=child.pid),))
            assert watch.gone() == frozenset()
            child.communicate(b"\n")
        deadline = time.monotonic() + 5
        while not watch.gone() and time.monotonic() < deadline:
            time.sleep(0.01)
        told = watch.ends(1)
        watch.close()
        # Linux before 6.15 does not tell of processes that are not ours.
        assert told in (end, (None, None))


@pytest.mark.parametrize(
    ("made", "outcome"),
    [
        pytest.param(HUNG, "hang", id="killed at the end of the grace period"),
        pytest.param(HUNG._replace(exit_code=0), "hang", id="and the engine does not know of it yet"),
        pytest.param(HUNG._replace(seconds=0.1), "abrupt", id="killed at once"),
        pytest.param(ENDED, "graceful", id="by a handler of its own"),
    ],
)
def test_an_outcome_is_told_by_who_was_killed_when(made: Measured, outcome: str) -> None:
    assert outcome_of(made, 10, drops=False) == outcome
