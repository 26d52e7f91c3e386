"""Baselines: what is in one is not told, whatever becomes of its line's number."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from tests.test_cli import BROKEN, MENDED, SCRIPT, Run, put, put_hanging, run

__all__ = ["run"]


def test_what_is_in_the_baseline_is_not_told(run: Run) -> None:
    put_hanging("app")
    assert run("--write-baseline", "known.json") == (
        0,
        "",
        "1 finding written to known.json: use it with --baseline known.json\n",
    )
    assert run("--baseline", "known.json") == (0, "1 Dockerfile checked: nothing new, 1 in the baseline.\n", "")
    put("app/run.sh", SCRIPT.replace("set", "# more\n\nset"), 0o755)
    assert run("--baseline", "known.json").code == 0


def test_what_is_new_is_told(run: Run) -> None:
    put("Dockerfile", BROKEN)
    run("--write-baseline", "known.json")
    put("Dockerfile", BROKEN.replace("RUNN true\n", "RUNN true\n" * 2))
    assert run("-f", "concise", "--baseline", "known.json").out == "Dockerfile:3:1: PID901 unknown instruction: RUNN\n"


def test_a_baseline_is_small_and_stable(run: Run) -> None:
    put("Dockerfile", BROKEN)
    run("--write-baseline", "known.json")
    before = Path("known.json").read_text()
    document = json.loads(before)
    (finding,) = document["findings"]
    assert (document["version"], set(finding)) == (1, {"path", "code", "message", "fingerprint"})
    put("Dockerfile", "\n" + BROKEN)
    run("--write-baseline", "known.json")
    assert Path("known.json").read_text() == before


def test_a_baseline_holds_in_every_folder(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    put_hanging("app")
    run("--write-baseline", "known.json")
    monkeypatch.chdir("app")
    assert run("--baseline", "../known.json").code == 0


def test_what_is_in_the_baseline_is_not_fixed(run: Run) -> None:
    put_hanging("app")
    run("--write-baseline", "known.json")
    run("--fix", "--baseline", "known.json")
    assert Path("app/run.sh").read_text() == SCRIPT
    run("--fix")
    assert Path("app/run.sh").read_text() == MENDED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(None, "does not exist; --write-baseline known.json writes one", id="missing"),
        pytest.param("[]", "is not a baseline; --write-baseline known.json writes one", id="another document"),
        pytest.param("{", "is not a baseline; --write-baseline known.json writes one", id="no JSON"),
        pytest.param('{"version": 2}', "is of version 2, not 1", id="another version"),
    ],
)
def test_a_wrong_baseline_is_told(run: Run, text: str | None, message: str) -> None:
    if text is not None:
        put("known.json", text)
    assert run("--baseline", "known.json") == (2, "", f"pid1lint: error: --baseline: known.json {message}\n")


def test_a_baseline_that_cannot_be_written_is_told(run: Run) -> None:
    put("Dockerfile", BROKEN)
    assert run("--write-baseline", "no/known.json").err == (
        "pid1lint: error: no/known.json: not written, No such file or directory\n"
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_baseline_replaces_no_device_and_no_pipe(run: Run) -> None:
    put("Dockerfile", BROKEN)
    os.mkfifo("pipe")
    Path("link").symlink_to("pipe")
    for path in ("pipe", "link", "/dev/null"):
        told = f"pid1lint: error: {path}: not written, it is not a regular file\n"
        assert run("--write-baseline", path) == (2, "", told)
    assert stat.S_ISFIFO(os.lstat("pipe").st_mode)
    assert Path("link").is_symlink()
    assert stat.S_ISCHR(os.lstat("/dev/null").st_mode)
