"""Prints how pid1lint and its peers do on the examples of the rule pages: `python -m tests.compare --peers DIR`.

An example is a problem and what to write instead. A tool that says of the first something that it does not say of the
second tells them apart, whatever it is that it says; one that says it of both does not. Its safe fixes are then made,
the files read by BuildKit's own parser and the shells', and the container run as PID 1, where the kernel says how it
ends.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pid1lint import registry
from tests import oracle
from tests.example import Example, Files
from tests.pages import Case, cases

_ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


@dataclass(frozen=True)
class Tool:
    """A linter: the command for a folder, how to read the codes out of what it prints, and how it is told to fix."""

    name: str
    command: tuple[str, ...]
    codes: Callable[[Any], Iterator[str]]
    fix: tuple[str, ...] = ()
    fix_all: tuple[str, ...] = ()
    scripts: bool = False


@dataclass
class Score:
    """What a tool came to."""

    told: int = 0
    changed: int = 0
    broken: int = 0
    mended: int = 0
    mended_by_all: int = 0


def tools(peers: Path) -> tuple[Tool, ...]:
    """The linters, ours first; the others are looked up in a folder of programs."""
    ours = (sys.executable, "-m", "pid1lint", "check", "--isolated", "--exit-zero")
    tally = (str(peers / "tally"), "lint", "--no-config", "--slow-checks", "off")
    doctor = (str(peers / "dockerfile-doctor"),)
    return (
        Tool("pid1lint", (*ours, "-f", "json"), _ours, (*ours, "--fix"), (*ours, "--fix", "--unsafe-fixes")),
        Tool("tally", (*tally, "--format", "json"), _tally, (*tally, "--fix"), (*tally, "--fix", "--fix-unsafe")),
        Tool("hadolint", (str(peers / "hadolint"), "--no-fail", "-f", "json"), partial(_keys, "code")),
        Tool(
            "dockerfile-doctor",
            (*doctor, "--format", "json"),
            _doctor,
            (*doctor, "--fix"),
            (*doctor, "--fix", "--unsafe-fixes"),
        ),
        Tool("shellcheck", (str(peers / "shellcheck"), "-f", "json"), partial(_keys, "code"), scripts=True),
    )


def _ours(told: Any) -> Iterator[str]:
    yield from (finding["code"] for finding in told["diagnostics"])


def _tally(told: Any) -> Iterator[str]:
    yield from (violation["rule"] for file in told["files"] for violation in file["violations"])


def _doctor(told: Any) -> Iterator[str]:
    yield from (issue["ruleId"] for file in told["files"] for issue in file["issues"])


def _keys(key: str, told: Any) -> Iterator[str]:
    yield from (str(finding[key]) for finding in told)


def problems() -> Iterator[Case]:
    """The examples of the rule pages that say what to write instead."""
    for rule in registry.all_rules():
        yield from (c for c in cases(rule.page) if c.findings and c.fixed is not None and not c.deployment)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description="Compare pid1lint with its peers.")
    parser.add_argument("--peers", type=Path, required=True, help="the folder that their programs are in")
    parser.add_argument("--no-runs", action="store_true", help="do not run what the fixes have made")
    options = parser.parse_args(arguments)
    every = tuple(problems())
    runs = not options.no_runs and oracle.available() is None
    scores = {tool: measured(tool, every, runs) for tool in tools(options.peers)}
    print("\n".join(table(scores, len(every), sum(map(_can_run, every)) if runs else None)))
    return 0


def table(scores: Mapping[Tool, Score], total: int, runnable: int | None) -> Iterator[str]:
    """The table's lines."""
    yield "| | " + " | ".join(tool.name for tool in scores) + " |"
    yield "|---|" + "---|" * len(scores)
    yield f"| problems told, of {total} | " + " | ".join(str(score.told) for score in scores.values()) + " |"
    if runnable is not None:
        ends = (str(score.mended) if tool.fix else "no fixes" for tool, score in scores.items())
        yield f"| end gracefully after its safe fixes, of {runnable} | " + " | ".join(ends) + " |"
        ends = (str(score.mended_by_all) if tool.fix else "no fixes" for tool, score in scores.items())
        yield f"| end gracefully after all its fixes, of {runnable} | " + " | ".join(ends) + " |"
    broken = (f"{score.broken} of {score.changed}" if tool.fix else "no fixes" for tool, score in scores.items())
    yield "| files that its safe fixes break, of those they change | " + " | ".join(broken) + " |"


def measured(tool: Tool, every: Sequence[Case], runs: bool) -> Score:
    """What a tool comes to on some examples; `runs`: what its fixes leave is run."""
    score = Score()
    after: list[Example] = []
    after_all: list[Example] = []
    for case in every:
        assert case.fixed is not None
        bad, good = (_codes(tool, files, case.dockerfile) for files in (case.files, case.fixed))
        score.told += bool(bad - good)
        if not tool.fix:
            continue
        before = Example(case.files, case.dockerfile)
        fixed, all_fixed = (Example(_fixed(how, before), case.dockerfile) for how in (tool.fix, tool.fix_all))
        score.changed += sum(text != before.texts[name] for name, text in fixed.texts.items())
        score.broken += len(fixed.unreadable(before))
        if runs and _can_run(case):
            after += [] if fixed.unreadable(before) else [fixed]
            after_all += [] if all_fixed.unreadable(before) else [all_fixed]
    score.mended, score.mended_by_all = map(_graceful, (after, after_all))
    return score


def _graceful(examples: Sequence[Example]) -> int:
    return sum(run.outcome == "graceful" for run in oracle.run_all([example.container() for example in examples]))


def _can_run(case: Case) -> bool:
    return case.outcome.measured and case.outcome.name in ("hang", "abrupt", "exits", "fails")


def _codes(tool: Tool, files: Files, dockerfile: str) -> frozenset[str]:
    with _written(files, dockerfile) as folder:
        asked = [dockerfile] if not tool.scripts else [name for name in files if name != dockerfile]
        if not asked:
            return frozenset()
        done = subprocess.run(
            (*tool.command, *asked), cwd=folder, env=_ENVIRONMENT, capture_output=True, text=True, check=False
        )
        told = json.loads(done.stdout) if done.stdout.strip() else None
        if done.returncode not in (0, 1):
            print(f"{tool.name} ends with {done.returncode}: {done.stderr.strip()[:200]}", file=sys.stderr)
        return frozenset(tool.codes(told) if told else ())


def _fixed(command: tuple[str, ...], example: Example) -> Files:
    """The files as a command that fixes leaves them."""
    files = example.files
    with _written(files, example.dockerfile) as folder:
        subprocess.run((*command, example.dockerfile), cwd=folder, env=_ENVIRONMENT, capture_output=True, check=False)
        texts = {name: (Path(folder) / name).read_bytes().decode("utf-8", "surrogateescape") for name in files}
        return {name: file._replace(text=texts[name]) for name, file in files.items()}


def _written(files: Files, dockerfile: str) -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="pid1lint-")
    for name, file in files.items():
        path = Path(folder.name) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.text.encode("utf-8", "surrogateescape"))
        # One of the tools wants no Dockerfile that can be executed.
        os.chmod(path, 0o644 if name == dockerfile else file.mode)
    return folder


if __name__ == "__main__":
    sys.exit(main())
