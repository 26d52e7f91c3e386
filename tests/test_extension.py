"""The extension for Visual Studio Code: its tests, in node, and what its manifest says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pid1lint import __version__

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "editors" / "vscode"
MANIFEST: Any = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))


def node_version() -> int:
    node = shutil.which("node")
    if node is None:
        return 0
    return int(subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout[1:].split(".")[0])


def test_its_own_tests_pass(tmp_path: Path) -> None:
    if node_version() < 20:
        pytest.skip("Node.js 20 is not installed")
    program = tmp_path / "pid1lint"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -P -m pid1lint "$@"\n')
    program.chmod(0o755)
    command = ["node", "--test", "test/extension.test.js"]
    env = {**os.environ, "PID1LINT": str(program)}
    done = subprocess.run(command, cwd=FOLDER, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"^(?:#|ℹ) pass (\d+)$", done.stdout, re.MULTILINE)[0]) >= 11


def test_it_is_of_the_version_of_the_program() -> None:
    lock = json.loads((FOLDER / "package-lock.json").read_text(encoding="utf-8"))
    assert [MANIFEST["version"], lock["version"], lock["packages"][""]["version"]] == [__version__] * 3


def test_what_it_is_packed_with_is_pinned_and_no_registry_is_named() -> None:
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in MANIFEST["devDependencies"].values())
    assert "dependencies" not in MANIFEST
    lock = json.loads((FOLDER / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, package in lock["packages"].items() if name and "integrity" not in package] == []
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


def test_every_setting_and_every_command_that_it_uses_is_declared() -> None:
    code = (FOLDER / "extension.js").read_text(encoding="utf-8")
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    declared = MANIFEST["contributes"]["configuration"]["properties"]
    assert {f"pid1lint.{name}" for name in re.findall(r'\.get\("(\w+)"\)', code)} == declared.keys()
    assert [name for name in declared if f"| `{name}` |" not in readme] == []
    commands = {command["command"] for command in MANIFEST["contributes"]["commands"]}
    # One is for the quick fix alone.
    assert set(re.findall(r'registerCommand\("([\w.]+)"', code)) == commands | {"pid1lint.explain"}
    languages = {event.partition(":")[2] for event in MANIFEST["activationEvents"]}
    assert {
        word for row in re.findall(r"new Set\(\[(.+)\]\)", code) for word in re.findall(r'"(\w+)"', row)
    } == languages


def test_a_folder_that_is_not_trusted_does_not_choose_what_is_run() -> None:
    restricted = MANIFEST["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    assert restricted == ["pid1lint.path", "pid1lint.arguments"]
