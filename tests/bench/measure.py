"""Runs a linter on Dockerfiles, and says what it takes: processor time and memory of one process.

Processor time, user and system, is disturbed less by other work on the machine than the clock is.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pid1lint import discover

# What a process takes counts from the memory of the one that starts it: that one is to be smaller than any linter.
_WATCH = """
import os, sys
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, used = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
_UNITS_A_MEGABYTE = 1 << 20 if sys.platform == "darwin" else 1 << 10
_TALLY = ("lint", "--no-config", "--slow-checks=off", "--fail-level", "none", "--ignore", "shellcheck/*")


class Used(NamedTuple):
    """What one run took: processor seconds, and megabytes of memory at most."""

    seconds: float
    megabytes: float


class Tool(NamedTuple):
    """A linter: the command to which paths are given, what it needs of its environment, and its version."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    version: str


class Failure(Exception):
    """A linter that did not get through: what it says of why."""


def used(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Used:
    """What a command takes in a folder; `Failure` if it ends with more than 1, which says that something was found."""
    watched = [sys.executable, "-I", "-S", "-c", _WATCH, *command]
    done = subprocess.run(watched, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    code, seconds, memory = done.stdout.split()
    if int(code) not in (0, 1):
        raise Failure(f"{command[0]} ends with {code}: {done.stderr.strip()[-400:]}")
    return Used(float(seconds), int(memory) / _UNITS_A_MEGABYTE)


def python(code: str) -> tuple[str, ...]:
    """A command that runs code as a script that is installed does: the working directory is not on its path."""
    return (sys.executable, "-P", "-c", code)


def ours(name: str, tree: Path, compiled: Path) -> Tool:
    """The pid1lint of a checkout, with its bytecode in another folder."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": str(tree.resolve()), "PYTHONPYCACHEPREFIX": str(compiled)}
    check = ("check", "--isolated", "--exit-zero", "--quiet", "--jobs", "1")
    command = (*python("from pid1lint.cli import main; main()"), *check)
    return Tool(name, command, environment, f"{_version_of(tree)}, {_commit(tree)}")


def peers(folder: Path | None) -> tuple[Tool, ...]:
    """The other linters of a folder of programs, as far as they are there."""
    if folder is None:
        return ()
    commands = {
        "hadolint": (str(folder.resolve() / "hadolint"), "--no-fail"),
        "tally without shellcheck": (str(folder.resolve() / "tally"), *_TALLY),
    }
    there = {name: command for name, command in commands.items() if Path(command[0]).exists()}
    return tuple(Tool(name, command, os.environ, _told(command[0])) for name, command in there.items())


def _version_of(tree: Path) -> str:
    found = re.search(r'^__version__ = "(.*)"', (tree / "pid1lint/__init__.py").read_text(encoding="utf-8"), re.M)
    return found[1] if found else "?"


def _commit(tree: Path) -> str:
    command = ("git", "-C", str(tree), "describe", "--always", "--dirty", "--exclude=*")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"commit {done.stdout.strip()}" if done.returncode == 0 else "no commit"


def _told(program: str) -> str:
    """The version that a program tells."""
    done = subprocess.run((program, "--version"), capture_output=True, text=True, check=False)
    found = re.search(r"\d+(?:\.\d+)+", done.stdout)
    return found[0] if found else "?"


def found(folders: Sequence[Path], seed: int) -> dict[str, str]:
    """The Dockerfiles of folders of repositories, each with its repository, in an order drawn at random.

    Each repository gives one before any gives another: some have a thousand that are all alike.
    """
    draw = random.Random(seed)
    order: list[tuple[int, float, str, str]] = []
    for repository in sorted(str(path) for folder in folders for path in folder.resolve().iterdir() if path.is_dir()):
        paths = sorted(discover.dockerfiles(repository))
        draw.shuffle(paths)
        order += [(rank, draw.random(), path, repository) for rank, path in enumerate(paths)]
    return {path: repository for _, _, path, repository in sorted(order)}


def readable(paths: Sequence[str], count: int, tools: Sequence[Tool], folder: Path) -> list[str]:
    """The first so many paths that each tool gets through: tally ends its run at a file that it cannot read."""
    left = list(paths)
    for tool in tools:
        while True:
            try:
                used((*tool.command, *left[:count]), folder, tool.environment)
            except Failure as failure:
                named = re.compile("|".join(rf"(?<![\w./-]){re.escape(path)}(?![\w/-])" for path in left[:count]))
                found = named.search(str(failure))
                refused = found.group() if found is not None else None
                if refused is None:
                    raise
                left.remove(refused)
            else:
                break
    return left[:count]
