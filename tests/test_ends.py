"""A run ends as it is told to: by Ctrl-C, by SIGTERM, by a worker that dies, by streams that are full or closed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = "#!/bin/sh\nset -e\n" + '[ -n "$A" ] && A=b\n' * 30 + "java -jar app.jar\n"
COMMAND = (sys.executable, "-P", "-m", "pid1lint")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository that takes some time to check."""
    (tmp_path / ".git").mkdir()
    for at in range(150):
        folder = tmp_path / f"app{at:03}"
        folder.mkdir()
        (folder / "Dockerfile").write_text('FROM debian:12\nCOPY --chmod=755 run.sh /\nENTRYPOINT ["/run.sh"]\n')
        (folder / "run.sh").write_text(SCRIPT)
    return tmp_path


def environment() -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}


def begun(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    try:
        return [int(child) for task in tasks for child in task.read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def wait_for_workers(process: subprocess.Popen[str], count: int) -> list[int]:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = children(process.pid)
        if len(found) >= count:
            return found
        time.sleep(0.01)
    raise AssertionError("no workers")


def alive(pids: list[int]) -> list[int]:
    """Those that still run; a process that has ended may wait a moment for who reaps it."""

    def runs(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except (FileNotFoundError, ProcessLookupError):
            return False

    end = time.monotonic() + 5
    while (left := [pid for pid in pids if runs(pid)]) and time.monotonic() < end:
        time.sleep(0.02)
    return left


needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="looks for the workers in /proc")
both = pytest.mark.parametrize(
    ("number", "word"), [(signal.SIGINT, "Interrupted\n"), (signal.SIGTERM, "Terminated\n")], ids=["Ctrl-C", "SIGTERM"]
)


@needs_proc
@both
def test_a_signal_ends_it_and_its_workers_in_one_word(work: Path, number: int, word: str) -> None:
    process = begun(work, "-j", "3")
    workers = wait_for_workers(process, 3)
    time.sleep(0.1)
    # As a terminal does: the signal goes to all of them.
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    started = time.monotonic()
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (128 + number, "", word)
    assert time.monotonic() - started < 2
    assert alive(workers) == []


@both
def test_a_signal_ends_it_whenever_it_comes(work: Path, number: int, word: str) -> None:
    seen = set()
    for delay in (0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3, 0.5):
        process = begun(work, "-j", "2")
        time.sleep(delay)
        if process.poll() is not None:
            process.communicate()
            break  # this machine is fast: it was over before
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=10)
        seen.add(process.returncode)
        # While Python itself starts, it is Python that ends.
        if number == signal.SIGINT and "KeyboardInterrupt" in err:
            assert not re.search(rf"{re.escape(str(ROOT))}/pid1lint/(?!__init__|__main__|ends)", err), err
        elif process.returncode != -number:
            assert (process.returncode, out, err) == (128 + number, "", word), delay
    assert 128 + number in seen


def test_nothing_is_loaded_before_signals_are_heeded() -> None:
    code = "import sys; before = set(sys.modules); import pid1lint.__main__; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["__future__", "pid1lint", "pid1lint.__main__", "pid1lint.ends"]


@both
def test_a_signal_is_not_lost_where_no_exception_gets_out(number: int, word: str) -> None:
    code = f"""
import os
from pid1lint import ends
class Last:
    def __del__(self):
        os.kill(os.getpid(), {int(number)})
ends.heed()
Last()
print("it goes on")
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", word)


@needs_proc
def test_a_second_ctrl_c_changes_nothing(work: Path) -> None:
    process = begun(work, "-j", "3")
    workers = wait_for_workers(process, 3)
    for _ in range(5):
        os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130
    assert alive(workers) == []


@needs_proc
def test_workers_end_with_the_one_they_work_for(work: Path) -> None:
    process = begun(work, "-j", "3")
    workers = wait_for_workers(process, 3)
    process.kill()
    process.communicate(timeout=10)
    assert alive(workers) == []


@needs_proc
def test_a_worker_that_dies_is_told_with_its_file_and_stops_no_other(work: Path) -> None:
    process = begun(work, "-j", "2", "-f", "concise", "-q")
    os.kill(wait_for_workers(process, 2)[0], signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 2
    lines = err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("pid1lint: error: app")
    assert lines[0].endswith("Dockerfile: not checked, its worker process was killed by SIGKILL: out of memory?")
    assert len({line.partition(":")[0] for line in out.splitlines()}) == 149


def test_there_are_no_more_workers_than_files(tmp_path: Path) -> None:
    for name in ("a.Dockerfile", "b.Dockerfile"):
        (tmp_path / name).write_text('FROM debian:12\nCMD ["java"]\n')
    done = subprocess.run(
        [*COMMAND, "-j", "100000"], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 Dockerfiles checked: nothing found.\n", "")


@needs_proc
def test_no_shared_memory_is_needed(work: Path) -> None:
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no mount namespace can be made here")
    without = 'mount -t tmpfs -o size=4k,ro none /dev/shm && exec "$@"'
    command = ["unshare", "-m", "sh", "-c", without, "sh", *COMMAND, "-j", "2", "-q"]
    done = subprocess.run(command, cwd=work, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")


def streams() -> Iterator[object]:
    yield pytest.param("pid1lint >/dev/full", 2, "standard output cannot be written", id="a full standard output")
    yield pytest.param("pid1lint --help >/dev/full", 2, "standard output cannot be written", id="a full help")
    yield pytest.param("pid1lint trace >/dev/full", 2, "cannot be written", id="a full trace")
    yield pytest.param("pid1lint -o /dev/full", 2, "/dev/full cannot be written", id="a full report")
    yield pytest.param("pid1lint -f sarif:/dev/full", 2, "/dev/full cannot be written", id="a full report of several")
    yield pytest.param("pid1lint --diff >/dev/full", 2, "cannot be written", id="a full diff")
    yield pytest.param("pid1lint >&-", 1, "", id="a closed standard output")
    yield pytest.param("pid1lint <&- >&- 2>&-", 1, "", id="all closed")
    yield pytest.param("pid1lint - <&-", 1, "", id="a closed standard input")
    yield pytest.param("pid1lint -v 2>/dev/full", 1, "", id="a full standard error")
    yield pytest.param("pid1lint 2>&-", 1, "", id="a closed standard error")
    yield pytest.param("pid1lint --version >&-", 0, "", id="a closed version")
    yield pytest.param("pid1lint nowhere.toml --config x 2>/dev/full", 2, "", id="an error that nobody hears")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(("line", "code", "told"), tuple(streams()))
def test_streams_that_take_nothing(tmp_path: Path, line: str, code: int, told: str) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian:12\nCMD java -jar app.jar\n")
    text = line.replace("pid1lint", f"{sys.executable} -P -m pid1lint", 1)
    done = subprocess.run(
        ["sh", "-c", text], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert done.stderr.count("\n") == bool(told)


NAMED = """
import os, signal, pid1lint.cli
from pid1lint import __main__, linter

class Attribute:
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), signal.SIGTERM)

def run():
    linter.attempt("a class", "Dockerfile", lambda: type("Owner", (), {"attribute": Attribute()}))
    print("it goes on")

pid1lint.cli.main = run
__main__.main()
"""


def test_a_signal_ends_it_also_where_python_makes_another_exception_of_it() -> None:
    done = subprocess.run([sys.executable, "-c", NAMED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "Terminated\n")
