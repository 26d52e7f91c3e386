"""Supervisors that take their services from a directory treat the stop signal as the facts say."""

from __future__ import annotations

import pytest

from pid1lint import MemoryContext, lint
from tests import oracle

pytestmark = pytest.mark.oracle

INSTALLED = "RUN apt-get update && apt-get install -y runit s6\n"
SERVICE = {"/svc/app/run": oracle.File("#!/bin/sh\nexec app\n")}
RUNIT = {
    "/etc/runit/1": oracle.File("#!/bin/sh\ntouch /etc/runit/stopit\nchmod 0 /etc/runit/stopit\n"),
    "/etc/runit/2": oracle.File("#!/bin/sh\nexec runsvdir -P /svc\n"),
    "/etc/runit/3": oracle.File("#!/bin/sh\nsv force-stop /svc/*\n"),
}


@pytest.mark.parametrize(
    ("command", "stop", "outcome"),
    [
        pytest.param("runsvdir -P /svc", "TERM", "abrupt", id="runsvdir leaves its services behind on TERM"),
        pytest.param("runsvdir -P /svc", "HUP", "abrupt", id="and on HUP"),
        pytest.param("runsvdir -P /svc", "INT", "hang", id="runsvdir stays on INT"),
        pytest.param("runsv /svc/app", "TERM", "graceful", id="runsv ends its service"),
        pytest.param("runit", "TERM", "hang", id="runit stays on TERM"),
        pytest.param("runit", "CONT", "hang", id="and on CONT without a file that says to stop"),
        pytest.param("s6-svscan /svc", "TERM", "graceful", id="s6-svscan ends its services on TERM"),
        pytest.param("s6-svscan /svc", "QUIT", "graceful", id="and on QUIT"),
        pytest.param("s6-svscan /svc", "HUP", "hang", id="s6-svscan stays on HUP"),
        pytest.param("s6-supervise /svc/app", "TERM", "graceful", id="s6-supervise ends its service"),
        pytest.param("s6-supervise /svc/app", "INT", "abrupt", id="s6-supervise leaves it behind on INT"),
    ],
)
def test_supervisors_treat_the_stop_signal_as_the_facts_say(
    command: str, stop: str, outcome: str, oracle_runs: object
) -> None:
    argv = tuple(command.split())
    words = ", ".join(f'"{word}"' for word in argv)
    result = lint(f"FROM debian:12\n{INSTALLED}STOPSIGNAL SIG{stop}\nCMD [{words}]\n", MemoryContext({}))
    assert [launch.outcome.value for launch in result.launches] == [outcome]
    files = {**SERVICE, **(RUNIT if argv[0] == "runit" else {})}
    container = oracle.Container(argv, files=files, stand_ins={"app": oracle.SERVER}, stop=stop)
    assert oracle.run(container).outcome == outcome


def test_what_a_supervisor_does_on_another_signal_is_not_known() -> None:
    result = lint('FROM debian:12\nSTOPSIGNAL SIGUSR2\nCMD ["my_init"]\n', MemoryContext({}))
    assert [launch.outcome.value for launch in result.launches] == ["unknown"]
    assert result.launches[0].why == "it is not known what my_init does with its services on SIGUSR2"


@pytest.mark.parametrize(
    ("base", "ways"),
    [pytest.param("debian:12", 2, id="systemd, for all that is known"), pytest.param("alpine:3.20", 1, id="Busybox's")],
)
def test_init_is_another_program_where_busybox_is_the_shell(base: str, ways: int) -> None:
    script = "#!/bin/sh\nif [ -e /run/x ]; then /sbin/init; fi\nexec server\n"
    dockerfile = f'FROM {base}\nCOPY --chmod=755 e.sh /\nENTRYPOINT ["/e.sh"]\n'
    result = lint(dockerfile, MemoryContext({"e.sh": script}))
    assert len(result.launches[0].paths) == ways
