"""What is written is whole, in its place, and nothing else than a regular file, whenever the run is killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pid1lint import writing
from pid1lint.errors import Pid1lintError
from pid1lint.fixer import Change
from pid1lint.source import Source
from tests.test_cli import HANGING, MENDED, SCRIPT, Run, put, put_hanging, run

__all__ = ["run"]

ROOT = Path(__file__).parents[1]
DOCKERFILE = 'FROM debian:12\nSTOPSIGNAL KILL\nCOPY --chmod=755 run.sh /\nENTRYPOINT ["/run.sh"]\n'


def change(path: str, before: str, after: str) -> Change:
    return Change(Source(path, before), Source(path, after))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.skipif(not hasattr(os, "listxattr"), reason="there are no extended attributes here")
def test_extended_attributes_are_kept(here: Path) -> None:
    put("run.sh", SCRIPT)
    try:
        os.setxattr("run.sh", "user.note", b"kept")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    assert writing.write([change("run.sh", SCRIPT, MENDED)], [str(here)]) == ()
    assert (Path("run.sh").read_text(), os.getxattr("run.sh", "user.note")) == (MENDED, b"kept")


def test_a_hard_link_that_cannot_be_kept_is_told(here: Path) -> None:
    put("run.sh", SCRIPT)
    os.link("run.sh", "other.sh")
    told = writing.write([change("run.sh", SCRIPT, MENDED)], [str(here)])
    assert told == ("run.sh: written, but not kept: hard links: its other names have the old text",)
    assert (Path("run.sh").read_text(), Path("other.sh").read_text()) == (MENDED, SCRIPT)


def test_scripts_take_their_place_before_dockerfiles(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    placed: list[str] = []
    replace = os.replace

    def noted(source: str, target: str) -> None:
        assert len([name for name in os.listdir() if name.endswith(".tmp")]) == 3 - len(placed)
        placed.append(os.path.basename(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", noted)
    for name in ("Dockerfile", "a.dockerfile", "z.sh"):
        put(name, "a")
    writing.write([change(name, "a", "b") for name in ("Dockerfile", "a.dockerfile", "z.sh")], [str(here)])
    assert placed == ["z.sh", "Dockerfile", "a.dockerfile"]


def test_where_one_file_cannot_be_made_none_is_written(here: Path) -> None:
    put("a.sh", "a")
    put("sub/b.sh", "a")
    Path("sub/b.sh").unlink()
    with pytest.raises(Pid1lintError, match=r"sub/b\.sh: not written, it does not exist"):
        writing.write([change("a.sh", "a", "b"), change("sub/b.sh", "a", "b")], [str(here)])
    assert (Path("a.sh").read_text(), os.listdir()) == ("a", ["a.sh", "sub"])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_neither_waited_for_nor_replaced(here: Path) -> None:
    os.mkfifo("run.sh")
    with pytest.raises(Pid1lintError, match=r"run\.sh: not written, it is not a regular file"):
        writing.write([change("run.sh", "a", "b")], [str(here)])


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="what root may do is for root to try")
def test_root_writes_to_what_its_mode_calls_read_only_and_the_mode_stays(run: Run) -> None:
    put_hanging("app")
    Path("app/run.sh").chmod(0o555)
    assert run("--fix", "app").code == 0
    assert Path("app/run.sh").read_text() == "#!/bin/sh\nset -e\nexec java -jar app.jar\n"
    assert Path("app/run.sh").stat().st_mode & 0o777 == 0o555


def test_a_fix_that_is_not_written_is_not_counted(run: Run, read_only: Callable[[Path], None]) -> None:
    put_hanging("app")
    read_only(Path("app/run.sh"))
    result = run("--fix", "app")
    assert result.code == 2
    assert "fix made" not in result.out + result.err
    assert result.err == "pid1lint: error: app/run.sh: not written, it is read-only\n"


def test_a_report_is_not_written_through_a_link_that_leads_out(run: Run, here: Path) -> None:
    put("repo/.git/HEAD", "")
    put("repo/Dockerfile", HANGING)
    put("precious", "kept")
    Path("repo/report").symlink_to("../precious")
    for arguments in (["-o", "repo/report"], ["-f", "sarif:repo/report"], ["--write-baseline", "repo/report"]):
        result = run(*arguments, "repo")
        assert (result.code, result.out) == (2, ""), arguments
        assert result.err.endswith("it is a link that leads out of the checked files\n")
    assert Path("precious").read_text() == "kept"


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_a_run_that_is_killed_leaves_whole_files_and_nothing_that_the_next_does_not_remove(here: Path) -> None:
    """Killed at every third call to the system that it makes by some names, until it makes no more of them."""
    program = (
        "import os, signal, sys\n"
        "from pid1lint import cli\n"
        "at = int(sys.argv[1]); calls = 0\n"
        "def counted(name, work):\n"
        "    def call(*args, **kwargs):\n"
        "        global calls\n"
        "        calls += 1\n"
        "        if calls == at: os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return work(*args, **kwargs)\n"
        "    return call\n"
        "for name in ('replace', 'chmod', 'stat', 'unlink', 'listxattr'):\n"
        "    setattr(os, name, counted(name, getattr(os, name)))\n"
        "sys.exit(cli.run(['--fix', '--unsafe-fixes', '-q']))\n"
    )
    env = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    mended = {"run.sh": MENDED, "Dockerfile": DOCKERFILE.replace("STOPSIGNAL KILL\n", "")}
    states: set[tuple[bool, ...]] = set()
    killed = at = 0
    put(".git/HEAD", "")
    while True:
        at += 3
        put("run.sh", SCRIPT, 0o755)
        put("Dockerfile", DOCKERFILE)
        done = subprocess.run([sys.executable, "-c", program, str(at)], env=env, capture_output=True, check=False)
        texts = {name: Path(name).read_text() for name in mended}
        assert texts["run.sh"] in (SCRIPT, MENDED)
        assert texts["Dockerfile"] in (DOCKERFILE, mended["Dockerfile"])
        states.add(tuple(texts[name] == mended[name] for name in ("run.sh", "Dockerfile")))
        if done.returncode != -signal.SIGKILL:
            break
        killed += 1
        last = [sys.executable, "-P", "-m", "pid1lint", "--fix", "--unsafe-fixes", "-q"]
        subprocess.run(last, env=env, capture_output=True, check=False)
        assert {name: Path(name).read_text() for name in mended} == mended
        assert sorted(os.listdir()) == [".git", "Dockerfile", "run.sh"]
    assert killed > 5
    # Never the Dockerfile before the script.
    assert states <= {(False, False), (True, False), (True, True)}


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_a_run_that_is_killed_at_any_instant_leaves_whole_files(here: Path) -> None:
    """INSTANTS=500 takes two minutes."""
    draw = random.Random(23)
    command = [sys.executable, "-P", "-m", "pid1lint", "--fix", "--unsafe-fixes", "-q"]
    env = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    mended = {"run.sh": MENDED, "Dockerfile": DOCKERFILE.replace("STOPSIGNAL KILL\n", "")}
    put(".git/HEAD", "")
    begin = time.monotonic()
    subprocess.run(command, env=env, capture_output=True, check=False)
    whole = max(time.monotonic() - begin, 0.2)
    states = set()
    for _ in range(int(os.environ.get("INSTANTS", "8"))):
        put("run.sh", SCRIPT, 0o755)
        put("Dockerfile", DOCKERFILE)
        with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            # It writes in the last part of its time.
            time.sleep(draw.uniform(0.3 * whole, 1.3 * whole))
            process.kill()
        texts = {name: Path(name).read_text() for name in mended}
        assert texts["run.sh"] in (SCRIPT, MENDED)
        assert texts["Dockerfile"] in (DOCKERFILE, mended["Dockerfile"])
        states.add(tuple(texts[name] == mended[name] for name in ("run.sh", "Dockerfile")))
    subprocess.run(command, env=env, capture_output=True, check=False)
    assert {name: Path(name).read_text() for name in mended} == mended
    assert sorted(os.listdir()) == [".git", "Dockerfile", "run.sh"]
    # Never the Dockerfile before the script.
    assert states <= {(False, False), (True, False), (True, True)}


def test_what_another_run_is_at_work_on_stays(here: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    names = [f".pid1lint-{pid}-0123abcd.tmp" for pid in (other.pid, 2**22 + 5, os.getpid())]
    for name in names:
        put(name, "")
    put(".pid1lint-notes.tmp", "")
    writing.tidy(["."])
    assert sorted(os.listdir()) == sorted([names[0], names[2], ".pid1lint-notes.tmp"])
    os.utime(names[2], (time.time() - 100, time.time() - 100))
    writing.tidy(["."])
    assert sorted(os.listdir()) == sorted([names[0], ".pid1lint-notes.tmp"])
    other.communicate(b"\n")
