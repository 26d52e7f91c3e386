"""`pid1lint prove`, with podman: what it prints, how it ends, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pid1lint import cli
from pid1lint.prove.engine import Container
from pid1lint.prove.observe import from_here, from_inside
from tests.conftest import cannot_measure
from tests.engine import bases, podman
from tests.engine.programs import compiled

pytestmark = pytest.mark.oracle

SCRIPT = "#!/bin/sh\nset -e\n\n/app\necho bye\n"
DOCKERFILE = 'FROM busybox:1.35\nCOPY app run.sh /\nENTRYPOINT ["/run.sh"]\n'
INSTANTS = int(os.environ.get("INSTANTS", "3"))
"""At how many random instants prove is killed; `make engine` takes 50."""


@pytest.fixture
def context(work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build context of a script that does not exec its app, as the working directory."""
    try:
        bases.make(bases.BUSYBOX, work)
        (tmp_path / "app").write_bytes(compiled("c-handles-static", work / "programs"))
    except LookupError as error:
        cannot_measure(str(error))
    (tmp_path / "run.sh").write_text(SCRIPT)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    for name in ("app", "run.sh"):
        (tmp_path / name).chmod(0o755)
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def left_behind() -> list[str]:
    engine = podman.engine()
    containers = engine.ask("ps", "--all", "--quiet").split()
    images = [line for line in engine.ask("images", "--format", "{{.Repository}}").split() if "pid1lint" in line]
    return containers + images


def test_a_dockerfile_is_built_run_stopped_and_compared(context: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["prove", ".", "--engine", "podman", "--grace", "2"]) == 1
    printed = re.sub(r"\d\.\d+ s", "N s", capsys.readouterr().out)
    assert printed == (
        "Dockerfile\n"
        "                          verdict     measured\n"
        "    ✓ PID 1               run.sh      /bin/sh /run.sh\n"
        "    ✓ PID 1 on SIGTERM    ignores it  has no handler: as PID 1 it ignores it\n"
        "    ✓ the app             app         /app\n"
        "      the app on SIGTERM  -           has a handler\n"
        "    ✓ outcome             hang        hang: killed after 2 s\n"
        "      the app ends        -           killed by SIGKILL after N s\n"
        "      exit code           -           137\n"
        "      took                -           N s of 2 s\n"
        "    ✓ orphans             reaped      0 zombies before the stop\n"
        "\n"
        "  hang, as the verdict says\n"
    )
    assert left_behind() == []


def test_a_graceful_end_as_foreseen_exits_with_0(context: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (context / "run.sh").write_text("#!/bin/sh\nexec /app\n")
    assert cli.run(["prove", "Dockerfile", "--engine", "podman", "--json", "--times", "2"]) == 0
    first, second = json.loads(capsys.readouterr().out)["proofs"]
    assert first["outcome"] == second["outcome"] == first["foreseen"] == "graceful"
    (process,) = first["processes"]
    assert (process["argv"], process["pid"], process["exit_code"]) == (["/app"], 1, 0)
    assert signal.SIGTERM in process["caught"]
    assert left_behind() == []


def test_what_is_known_wrongly_is_named(context: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (context / "run.sh").write_text("#!/bin/sh\nexec /app\n")
    (context / "pid1lint.toml").write_text('[programs.app]\nsignals = { TERM = "ignores" }\n')
    assert cli.run(["prove", ".", "--engine", "podman"]) == 1
    told = capsys.readouterr().out.splitlines()[-1]
    assert told.startswith("  refuted: the verdict was hang (app is PID 1")
    assert told.endswith(
        " the measurement is graceful: the fact about app is wrong here; "
        'correct it with [programs.app] signals = { TERM = "handles" }'
    )


def test_what_was_measured_is_written_down(context: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (context / "run.sh").write_text("#!/bin/sh\nexec /app\n")
    assert cli.run(["prove", ".", "--engine", "podman", "--write-facts"]) == 0
    assert (context / "pid1lint.toml").read_text() == '[programs.app]\nsignals = { TERM = "handles" }\n'
    assert cli.run(["check", "."]) == 0


def test_an_image_that_does_not_start_fails_as_foreseen(context: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (context / "Dockerfile").write_text('FROM busybox:1.35\nCMD ["/start.sh"]\n')
    image = podman.engine().build(".", "Dockerfile", None, {})
    try:
        assert cli.run(["prove", image, "--engine", "podman", "--junit"]) == 1
        (case,) = ElementTree.fromstring(capsys.readouterr().out).iter("testcase")
        failure = case.find("failure")
        assert failure is not None
        assert failure.get("message") == "fails"
    finally:
        podman.engine().forget(image)


@pytest.mark.parametrize("ready", ["1", "log:up and", "port:8000"])
def test_it_waits_until_the_container_is_ready(ready: str, context: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (context / "run.sh").write_text("#!/bin/sh\nsleep 0.5\necho up and running\nexec httpd -f -p 8000\n")
    assert cli.run(["prove", ".", "--engine", "podman", "--grace", "1", "--ready", ready, "--json"]) == 1
    (proof,) = json.loads(capsys.readouterr().out)["proofs"]
    if ready != "log:up and":
        assert proof["processes"][0]["argv"] == ["httpd", "-f", "-p", "8000"]
    assert proof["outcome"] == "hang"


def test_options_behind_dashes_go_to_run(context: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (context / "run.sh").write_text("#!/bin/sh\nexec $APP\n")
    assert cli.run(["prove", ".", "--engine", "podman", "--json", "--", "--env", "APP=/app"]) in (0, 1)
    (proof,) = json.loads(capsys.readouterr().out)["proofs"]
    assert [process["argv"] for process in proof["processes"]] == [["/app"]]


def test_the_processes_are_seen_from_inside_where_the_engine_is_elsewhere(context: Path) -> None:
    image = podman.engine().build(".", "Dockerfile", None, {})
    try:
        with Container(podman.engine(), image) as container:
            assert container.start() == ""
            inside = from_inside(podman.engine(), container.name)
            outside = from_here(container.state().pid)
        assert [(p.pid, p.parent, p.argv, p.caught) for p in inside] == [
            (p.pid, p.parent, p.argv, p.caught) for p in outside
        ]
        assert [p.argv for p in inside] == [("/bin/sh", "/run.sh"), ("/app",)]
    finally:
        podman.engine().forget(image)


def test_a_pytest_fixture_fails_with_the_table(context: Path) -> None:
    (context / "test_image.py").write_text(
        "from pid1lint.testing import stops_gracefully  # noqa: F401\n"
        "def test_it(stops_gracefully):\n"
        "    assert stops_gracefully('.', engine='podman', grace=1).measured.exit_code == 0\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_image.py"]
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "hang, as the verdict says" in failed.stdout
    assert failed.returncode == 1
    (context / "run.sh").write_text("#!/bin/sh\nexec /app\n")
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_without_an_engine_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.run(["prove", "app"]) == 2
    assert "prove needs docker or podman, and neither is installed" in capsys.readouterr().err


def test_it_leaves_nothing_behind_at_whatever_instant_it_is_killed(context: Path) -> None:
    draw = random.Random(17)
    command = [sys.executable, "-m", "pid1lint", "prove", "image", "--engine", "podman", "--grace", "1"]
    image = podman.engine().build(".", "Dockerfile", None, {})
    command[4] = image
    try:
        for number in range(INSTANTS):
            kind = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)[number % 3]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as proving:
                time.sleep(draw.uniform(0.05, 5))
                proving.send_signal(kind)
        deadline = time.monotonic() + 60
        while podman.engine().ask("ps", "--all", "--quiet").split() and time.monotonic() < deadline:
            time.sleep(0.5)
        assert podman.engine().ask("ps", "--all", "--quiet").split() == []
    finally:
        podman.engine().forget(image)
