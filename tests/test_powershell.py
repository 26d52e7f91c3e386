"""Completion in PowerShell: what its script asks, what it is answered, and both of them in PowerShell where it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell

ROOT = Path(__file__).parents[1]
PROGRAM = (sys.executable, "-P", "-m", "pid1lint")


def script() -> str:
    return subprocess.run(
        [*PROGRAM, "completion", "powershell"], env=environment(), capture_output=True, text=True, check=True
    ).stdout


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **more}


def answers(*words: str, incomplete: str) -> list[str]:
    """What the script is told when it asks as PowerShell has it ask."""
    asked = {"_PID1LINT_COMPLETE": "powershell_complete", "COMP_WORDS": "\n".join(("pid1lint", *words))}
    if incomplete:
        # PowerShell sets no variable to nothing.
        asked["COMP_CWORD"] = incomplete
    done = subprocess.run(PROGRAM, env=environment(**asked), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "incomplete", "expected"),
    [
        pytest.param((), "ch", "plain\tcheck\tCheck Dockerfiles, the scripts that they...", id="a command"),
        pytest.param((), "ch", "file\tch\tch", id="a file in its place"),
        pytest.param((), "", "file\t\t ", id="nothing typed yet"),
        pytest.param(("check",), "--show", "plain\t--show-fixes\tList the fixes that were made.", id="an option"),
        pytest.param(("check", "-f"), "sar", "plain\tsarif\tsarif", id="a value"),
        pytest.param(("check",), "--format=sar", "plain\t--format=sarif\t--format=sarif", id="a value behind ="),
        pytest.param(("check",), "--output=a", "file\t--output=a\t--output=a", id="a file behind ="),
        pytest.param(("check", "a b"), "--sta", "plain\t--statistics\t", id="behind a name with a blank"),
    ],
)
def test_a_word_gets_its_kind_value_and_tool_tip(words: tuple[str, ...], incomplete: str, expected: str) -> None:
    assert any(line.startswith(expected) for line in answers(*words, incomplete=incomplete))


def test_no_tool_tip_is_empty_and_no_line_has_more_than_three_parts() -> None:
    lines = answers("explain", incomplete="")
    assert len(lines) > 100
    assert [line for line in lines if len(line.split("\t")) != 3 or not line.split("\t")[2]] == []


def test_a_second_reader_of_powershell_reads_the_script() -> None:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    assert not parser.parse(script().encode()).root_node.has_error
    assert parser.parse(script().replace("}", "", 1).encode()).root_node.has_error


def test_the_script_asks_in_the_variables_that_the_program_reads_and_leaves_none_behind() -> None:
    text = script()
    for variable in ("_PID1LINT_COMPLETE", "COMP_WORDS", "COMP_CWORD"):
        assert f"$env:{variable} = " in text
        assert f"Env:{variable}" in text.partition("Remove-Item")[2].partition("\n")[0]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        pytest.param("pid1lint ch", "check", id="a command"),
        pytest.param("pid1lint check --show", "--show-fixes", id="an option"),
        pytest.param("pid1lint explain PID90", "PID904", id="codes"),
        pytest.param("pid1lint check -f sar", "sarif", id="a format"),
        pytest.param("pid1lint check 'a b' --sta", "--statistics", id="behind quotes"),
        pytest.param("pid1lint check Dockerf", "Dockerfile.web", id="a file"),
    ],
)
def test_powershell_completes_a_word(typed: str, expected: str, tmp_path: Path) -> None:
    powershell = shutil.which("pwsh") or shutil.which("powershell")
    if powershell is None:
        pytest.skip("PowerShell is not installed")
    (tmp_path / "Dockerfile.web").write_text("FROM debian:12\n")
    # A function stands in for the program; what it is called is all that the script knows of it.
    lines = [
        f"function pid1lint {{ & '{sys.executable}' -P -m pid1lint @args }}",
        "pid1lint completion powershell | Out-String | Invoke-Expression",
        f'$typed = "{typed}"',
        "$found = [System.Management.Automation.CommandCompletion]::CompleteInput($typed, $typed.Length, $null)",
        "$found.CompletionMatches | ForEach-Object { $_.CompletionText }",
    ]
    command = [powershell, "-NoProfile", "-NonInteractive", "-Command", "; ".join(lines)]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert expected in [os.path.basename(line) for line in done.stdout.split()], done.stderr
