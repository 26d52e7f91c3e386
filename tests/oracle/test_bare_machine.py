"""On a machine that lacks its programs an oracle test skips and names the one that it wants; it does not fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from tests import oracle
from tests.oracle.container import REAL, WITHOUT, missing

ROOT = Path(__file__).parents[2]
# What every Debian has. Without a compiler no oracle test runs at all.
ALWAYS = frozenset(("bash", "dash", "flock", "runuser", "script", "setpriv", "setsid", "su"))
ABSENT = REAL - ALWAYS

pytestmark = pytest.mark.oracle


def test_an_oracle_test_runs_or_skips_for_want_of_a_program(tmp_path: Path, oracle_runs: object) -> None:
    report = tmp_path / "report.xml"
    env = {name: value for name, value in os.environ.items() if name != "CI"} | {WITHOUT: " ".join(sorted(ABSENT))}
    tests = ["tests/oracle", "tests/truth", "--ignore", __file__, "-m", "oracle"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}", *tests]
    subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=False)
    results = [
        (case.name, result) for suite in JUnitXml.fromfile(str(report)) for case in suite for result in case.result
    ]
    assert [(name, result.text) for name, result in results if isinstance(result, Failure | Error)] == []
    reasons = {result.message for _, result in results if isinstance(result, Skipped)}
    assert "tini not installed here" in reasons
    assert [reason for reason in reasons if not set(re.findall(r"[\w.+-]+", str(reason))) & ABSENT] == []


def test_a_container_needs_what_it_names_and_does_not_bring() -> None:
    script = oracle.File("#!/bin/bash\ngosu web app\n")
    container = oracle.Container(("tini", "--", "/s"), files={"/s": script}, stand_ins={"gosu": oracle.SERVER})
    assert container.needs == {"tini", "bash", "dash"}


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WITHOUT, "dash tini")
    assert missing(("bash", "dash", "tini")) == "dash, tini not installed here"
