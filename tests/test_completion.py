"""Completion, as it is typed: each shell is started on a terminal, and the tabulator is pressed."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pexpect = pytest.importorskip("pexpect")

ROOT = Path(__file__).parents[1]
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>()]B?|[\r\x07]|.\x08")
SHELLS = {
    "bash": (("--norc", "--noprofile", "-i"), 'eval "$(pid1lint completion bash)"'),
    "zsh": (("-f", "-i"), 'autoload -Uz compinit; compinit -u; eval "$(pid1lint completion zsh)"'),
    "fish": (("--no-config", "-i"), "pid1lint completion fish | source"),
}

Type = Callable[[str, str], str]


@pytest.fixture(scope="module", params=SHELLS)
def press_tab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Type]:
    """Type a line and the tabulator, twice; what the terminal shows, as soon as it shows what is expected."""
    shell = shutil.which(request.param)
    if shell is None:
        pytest.skip(f"{request.param} is not installed")
    home, programs, work = (tmp_path_factory.mktemp(name) for name in ("home", "bin", "work"))
    program = programs / "pid1lint"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m pid1lint "$@"\n')
    program.chmod(0o755)
    (work / "Dockerfile.web").write_text("FROM debian:12\n")
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(home), "TERM": "xterm", "LANG": "C.UTF-8"}
    arguments, setting = SHELLS[request.param]
    child = pexpect.spawn(shell, list(arguments), env=env, cwd=work, dimensions=(50, 200), encoding="utf-8", timeout=30)
    child.sendline(setting)
    child.sendline('echo RE""ADY')
    child.expect("READY\r")

    def press(line: str, expected: str) -> str:
        child.send("\x15" + line + "\t\t")
        shown = ""
        end = time.monotonic() + 30
        while expected not in _TERMINAL.sub("", shown) and time.monotonic() < end:
            try:
                shown += child.read_nonblocking(4096, 0.2)
            except pexpect.TIMEOUT:
                continue
        child.send("\x15")
        return _TERMINAL.sub("", shown)

    yield press
    child.close(force=True)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        pytest.param("pid1lint ch", "check ", id="a command"),
        pytest.param("pid1lint check --show", "--show-fixes ", id="an option"),
        pytest.param("pid1lint --stat", "--statistics ", id="an option without the command"),
        pytest.param("pid1lint explain PID90", "PID904", id="codes"),
        pytest.param("pid1lint explain missing-ex", "missing-exec ", id="a name"),
        pytest.param("pid1lint check -f sar", "sarif ", id="a format"),
        pytest.param("pid1lint Dockerf", "Dockerfile.web ", id="a file"),
    ],
)
def test_a_word_is_completed(press_tab: Type, typed: str, expected: str) -> None:
    assert expected in press_tab(typed, expected)
