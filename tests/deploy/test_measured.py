"""What is foreseen of Compose services is what the kernel makes of them, run as PID 1 with their mounts and inits."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests import oracle
from tests.example import Example
from tests.pages import PageFile

DOCKERFILE = """\
FROM debian:12
RUN apt-get update && apt-get install -y tini
COPY entry.sh /
ENTRYPOINT ["/entry.sh"]
CMD ["server"]
"""
FILES = {
    "Dockerfile": DOCKERFILE,
    "entry.sh": '#!/bin/sh\nset -e\nexec "$@"\n',
    "no-exec.sh": '#!/bin/sh\nset -e\n"$@"\n',
    "trap.sh": '#!/bin/sh\ntrap "kill \\$pid; wait \\$pid" TERM QUIT\n"$@" &\npid=$!\nwait $pid\nwait $pid\n',
    "app.py": "import http.server\nhttp.server.test()\n",
}


class Service(NamedTuple):
    """The settings of a service, and what becomes of it when it is told to stop."""

    settings: str
    outcome: str
    dockerfile: str = DOCKERFILE

    @property
    def example(self) -> Example:
        settings = "".join(f"    {line}\n" for line in ("build: .", *self.settings.split("\n")) if line)
        files = {**FILES, "Dockerfile": self.dockerfile, "compose.yaml": f"services:\n  web:\n{settings}"}
        return Example({name: PageFile(text) for name, text in files.items()}, "Dockerfile", "compose.yaml")

    def container(self) -> oracle.Container:
        return self.example.container()


PYTHON = 'FROM python:3.12\nCOPY app.py /\nCMD ["python", "/app.py"]\n'
SERVICES = [
    pytest.param(Service("", "graceful"), id="as the image is"),
    pytest.param(Service("command: other-server --port 80", "graceful"), id="another command"),
    pytest.param(Service("command: sh -c 'server; true'", "hang"), id="a command in a shell"),
    pytest.param(Service("command: sh -c 'exec server'", "graceful"), id="a command in a shell with exec"),
    pytest.param(Service("entrypoint: []\ncommand: [server]", "graceful"), id="no entrypoint"),
    pytest.param(Service("entrypoint: server", "graceful"), id="another entrypoint"),
    pytest.param(Service("volumes: ['./no-exec.sh:/entry.sh']", "hang"), id="a script mounted over the image's"),
    pytest.param(Service("volumes: ['./no-exec.sh:/entry.sh']\ninit: true", "abrupt"), id="the same below an init"),
    pytest.param(Service("volumes: ['./trap.sh:/entry.sh']", "graceful"), id="a script with a handler"),
    pytest.param(Service("volumes: ['./trap.sh:/entry.sh']\nstop_signal: INT", "abrupt"), id="a signal not trapped"),
    pytest.param(Service("init: true", "graceful"), id="an init in front"),
    pytest.param(Service("stop_signal: KILL", "abrupt"), id="a signal that kills"),
    pytest.param(Service("", "hang", PYTHON), id="a program without a handler"),
    pytest.param(Service("init: true", "abrupt", PYTHON), id="the same below an init, by its image"),
    pytest.param(Service("stop_signal: SIGINT", "graceful", PYTHON), id="the same with a signal that it knows"),
    pytest.param(Service("configs: [{source: s, target: /entry.sh, mode: 0555}]", "graceful"), id="no such config"),
]


@pytest.mark.parametrize("case", SERVICES)
def test_the_outcome_is_foreseen(case: Service) -> None:
    expected = case.outcome
    # What nobody here knows may be anything.
    assert case.example.foreseen() == ("unknown" if "configs" in case.settings else expected)


@pytest.mark.oracle
@pytest.mark.parametrize("case", SERVICES[:-1])
def test_the_kernel_confirms_it(case: Service, measured: oracle.Run) -> None:
    assert measured.outcome == case.outcome, measured
