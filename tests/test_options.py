"""What is checked, how much is told of it, the help, and completion."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import pytest

from pid1lint import cli, linter
from pid1lint.check import Options, Plan, check_all
from pid1lint.options import SHELLS, Grouped
from tests.test_cli import BROKEN, CLEAN, SCRIPT, Run, put, put_hanging, run

__all__ = ["run"]

FOUND = ":2:1: PID901 unknown instruction: RUNN\n"


# Globs and lists


def test_a_glob_in_quotes_is_ours_to_expand(run: Run) -> None:
    put("a/b/Dockerfile", BROKEN)
    put("a/c.dockerfile", BROKEN)
    put("a/README.md", "RUNN\n")
    put("d/Dockerfile", BROKEN)
    assert run("-f", "concise", "a/**/*").out == f"a/b/Dockerfile{FOUND}a/c.dockerfile{FOUND}"
    assert run("-f", "concise", "?/Dockerfile").out == f"d/Dockerfile{FOUND}"


def test_a_glob_finds_scripts(run: Run) -> None:
    put_hanging("app")
    assert run("-f", "concise", "app/*.sh").out.startswith("app/run.sh:3:1: PID201")


def test_a_glob_that_matches_nothing_is_a_finding(run: Run) -> None:
    put("README.md", "")
    assert run("-f", "concise", "*.md").out == "*.md:1:1: PID902 *.md matches no Dockerfile and no script\n"


def test_a_file_whose_name_looks_like_a_glob_is_that_file(run: Run) -> None:
    put("Dockerfile[1]", BROKEN)
    assert run("-f", "concise", "Dockerfile[1]").out == f"Dockerfile[1]{FOUND}"


@pytest.mark.parametrize(
    ("separator", "end"), [pytest.param("\n", "\n", id="lines"), pytest.param("\0", "\0", id="NUL, as with git -z")]
)
def test_a_list_is_checked_but_for_what_is_none_of_ours(run: Run, separator: str, end: str) -> None:
    put("Dockerfile", BROKEN)
    put("b/Dockerfile", BROKEN)
    put("README.md", "RUNN\n")
    put_hanging("app")
    listed = (separator.join(["b/Dockerfile", "README.md", "app/run.sh"]) + end).encode()
    result = run("-f", "concise", "--files-from", "-", stdin=listed)
    assert [line.split(" ")[:2] for line in result.out.splitlines()] == [
        ["app/run.sh:3:1:", "PID201"],
        ["b/Dockerfile:2:1:", "PID901"],
    ]
    Path("list").write_bytes(listed)
    assert run("-f", "concise", "--files-from", "list") == result


def test_an_empty_list_is_nothing_to_check(run: Run) -> None:
    put("Dockerfile", BROKEN)
    result = run("--files-from", "-", stdin=b"\n")
    assert (result.code, result.err) == (0, "No Dockerfile found: nothing to check.\n")


def test_what_a_list_has_and_the_disk_has_not_is_a_finding(run: Run) -> None:
    result = run("-f", "concise", "--files-from", "-", stdin=b"gone/Dockerfile\n")
    assert result.out == "gone/Dockerfile:1:1: PID902 gone/Dockerfile does not exist\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--files-from", "no"], "--files-from: no does not exist", id="list"),
        pytest.param(
            ["--files-from", "-", "-"],
            "--files-from -: standard input cannot be both a list and a Dockerfile",
            id="standard input twice",
        ),
        pytest.param(
            ["explian", "PID201"], "there is no command or file 'explian'; did you mean 'explain'?", id="command"
        ),
        pytest.param(["completion", "bsh"], "there is no 'bsh'; did you mean 'bash'?", id="shell"),
        pytest.param(["help"], "there is no command or file 'help'; did you mean '--help'?", id="help"),
        pytest.param(["--selct", "PID1"], "there is no option '--selct'; did you mean '--select'?", id="option"),
        pytest.param(["--verison"], "there is no option '--verison'; did you mean '--version'?", id="of the group"),
        pytest.param(["-z"], "no option '-z'; `pid1lint check --help` lists the options", id="short option"),
        pytest.param(["explain"], "`pid1lint explain` needs a rule: a code or a name, such as PID201", id="no rule"),
        pytest.param(["completion"], "`pid1lint completion` needs a shell: bash, zsh, fish", id="no shell"),
        pytest.param(["--jobs", "x"], "'x' is not a number such as 0 or 4", id="jobs"),
        pytest.param(["--context", "sorce"], "'sorce' does not exist; did you mean 'source'?", id="context"),
        pytest.param(["--fail-on", "warn"], "there is no 'warn'; did you mean 'warning'?", id="severity"),
        pytest.param(["--init", "tinny"], "there is no 'tinny'; did you mean 'tini'?", id="init"),
        pytest.param(["--select", "PID2O1"], "no rule is called 'PID2O1'; did you mean 'PID201'?", id="code"),
        pytest.param(["explain", "PID999"], "no rule is called 'PID999'; `pid1lint rules` lists them", id="no code"),
        pytest.param(
            ["--target", "x", "source"], "has no stage 'x': it has build, app", id="stage: those that there are"
        ),
    ],
)
def test_what_is_mistyped_is_told(run: Run, arguments: list[str], message: str) -> None:
    put("source/Dockerfile", "FROM debian:12 AS build\nFROM debian:12 AS app\nCMD nginx\n")
    result = run(*arguments)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert message in result.err


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        pytest.param("a/Dokerfile", "a/Dockerfile", id="file"),
        pytest.param("docker/appp/Dockerfile", "docker/app/Dockerfile", id="folder"),
        pytest.param("dcoker/app/Dokerfile", "docker/app/Dockerfile", id="folder and file"),
    ],
)
def test_what_is_there_is_told_to_one_who_mistypes_a_path(run: Run, path: str, meant: str) -> None:
    put("a/Dockerfile", CLEAN)
    put("docker/app/Dockerfile", CLEAN)
    assert f"{path} does not exist; did you mean '{meant}'?" in run(path).out


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        pytest.param("*.dockerfil", "docker/app.dockerfile", id="name"),
        pytest.param("dokcer/*", "docker", id="folder"),
        pytest.param("**/app.Dockerfiles", "docker/app.dockerfile", id="any folder"),
    ],
)
def test_what_is_there_is_told_to_one_who_mistypes_a_glob(run: Run, path: str, meant: str) -> None:
    put("docker/app.dockerfile", CLEAN)
    put("Other", CLEAN)
    assert f"{path} matches no Dockerfile and no script; did you mean '{meant}'?" in run(path).out


def test_a_dockerfile_in_another_folder_is_told_to_one_who_looks_here(run: Run) -> None:
    put("deploy/web/Dockerfile", CLEAN)
    assert "Dockerfle does not exist; did you mean 'deploy/web/Dockerfile'?" in run("Dockerfle").out


def test_that_no_dockerfile_runs_a_script_is_said(run: Run) -> None:
    put("Dockerfile", CLEAN)
    for name in "abcd":
        put(f"{name}.sh", "#!/bin/sh\njava\n")
    nothing = "1 Dockerfile checked: nothing found.\n"
    assert run("a.sh") == (0, nothing, "No Dockerfile found that runs a.sh: nothing to check there.\n")
    several = "No Dockerfile found that runs a.sh, b.sh, c.sh and 1 more: nothing to check there.\n"
    assert run("a.sh", "b.sh", "c.sh", "d.sh") == (0, nothing, several)
    assert run("trace", "a.sh") == (0, "", "No Dockerfile found that runs a.sh: nothing to show.\n")


def test_that_there_is_nothing_to_trace_is_said(run: Run) -> None:
    assert run("trace") == (0, "", "No Dockerfile found with a stage to run: nothing to show.\n")


# How much is told


def test_verbose_says_what_is_checked_with_which_context_and_why(run: Run) -> None:
    put("Dockerfile", CLEAN)
    put("docker/Dockerfile", "FROM debian:12\nCOPY src/run.sh /\n" + 'CMD ["/run.sh"]\n')
    put("src/run.sh", "#!/bin/sh\nexec java\n", 0o755)
    put("other/Dockerfile", CLEAN)
    put("other/pid1lint.toml", 'select = ["PID101"]\ncontext = { Dockerfile = "." }\n')
    lines = [line.rpartition(";")[0] for line in run("--verbose").err.splitlines()]
    assert lines == [
        "Dockerfile: checked; context . (the Dockerfile's folder); no configuration",
        "docker/Dockerfile: checked; context . (it contains more of what is copied); no configuration",
        "other/Dockerfile: checked; context other (other/pid1lint.toml); configuration other/pid1lint.toml",
    ]
    asked = run("-v", "--context", "src", "src/run.sh").err.splitlines()[0]
    assert asked.startswith("Dockerfile: checked because of scripts; context src (--context); no configuration; ")


def test_show_fixes_lists_them(run: Run) -> None:
    put_hanging("app")
    result = run("--fix", "--show-fixes")
    assert result.err == "fixed app/run.sh:3: PID201 Put exec before java\n"
    assert run("--fix", "--show-fixes").err == ""


def test_results_pass_a_watcher_one_by_one(run: Run) -> None:
    put("Dockerfile", BROKEN)
    put("a/Dockerfile", CLEAN)
    seen: list[linter.Result] = []

    def watch(results: Iterable[linter.Result]) -> Iterator[linter.Result]:
        for result in results:
            seen.append(result)
            yield result

    planned = Plan(("Dockerfile", "a/Dockerfile"), frozenset(), frozenset(), ())
    check_all(planned, Options(), 1, watch=watch)
    assert [len(result.diagnostics) for result in seen] == [1, 0]


# Help and completion


@pytest.mark.parametrize("command", ["check", "trace", "explain", "rules", "completion"])
def test_the_help_fits_80_columns(run: Run, command: str) -> None:
    text = run(command, "--help").out
    assert text.startswith(f"Usage: pid1lint {command} ")
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("command", [name for name, c in cli.group.commands.items() if isinstance(c, Grouped)])
def test_every_option_stands_under_a_heading(command: str) -> None:
    grouped = cli.group.commands[command]
    assert isinstance(grouped, Grouped)
    placed = [name for names in grouped.headings.values() for name in names]
    assert sorted(placed) == sorted(p.name for p in grouped.params if isinstance(p, click.Option) and p.name)


def complete(*words: str) -> list[str]:
    result = subprocess.run(
        [sys.executable, "-m", "pid1lint"],
        env={
            **os.environ,
            "PYTHONPATH": os.path.dirname(os.path.dirname(__file__)),
            "_PID1LINT_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(("pid1lint", *words)),
            "COMP_CWORD": str(len(words)),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stderr == ""
    return result.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(["exp"], ["file,exp", "plain,explain"], id="a command, or a file"),
        pytest.param(["--show"], ["plain,--show-fixes"], id="an option without the command"),
        pytest.param(["check", "--select", "unused-ig"], ["plain,unused-ignore"], id="a name"),
        pytest.param(["--ignore", "PID101,PID904"], ["plain,PID101,PID904"], id="a code in a list"),
        pytest.param(["explain", "pid904"], ["plain,PID904"], id="a code to explain"),
        pytest.param(["--format", "rd"], ["plain,rdjson"], id="a form"),
        pytest.param(["--fail-on", "e"], ["plain,error"], id="a severity"),
        pytest.param(["completion", "z"], ["plain,zsh"], id="a shell"),
        pytest.param(["check", "Doc"], ["file,Doc"], id="a file"),
    ],
)
def test_words_are_completed(words: list[str], expected: list[str]) -> None:
    assert complete(*words) == expected


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_for_a_shell_is_printed(run: Run, shell: str) -> None:
    result = run("completion", shell)
    assert (result.code, result.err) == (0, "")
    assert re.search(rf"_PID1LINT_COMPLETE ?= ?'?{shell}_complete\b", result.out)


def test_bash_takes_the_script(run: Run) -> None:
    script = run("completion", "bash").out
    checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_script_of_a_folder_is_checked_through_its_dockerfile(run: Run) -> None:
    put_hanging("app")
    put("app/lib.sh", SCRIPT)
    assert run("-f", "concise", "app").out.count("PID201") == 1
