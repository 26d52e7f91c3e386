"""The command line: options, exit codes, and what is printed where."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from pid1lint import __version__, cli

CLEAN = 'FROM debian:12\nCMD ["java", "-jar", "app.jar"]\n'
BROKEN = 'FROM debian:12\nRUNN true\nCMD ["java", "-jar", "app.jar"]\n'
HANGING = 'FROM debian:12\nCOPY --chmod=755 run.sh /\nENTRYPOINT ["/run.sh"]\n'
SCRIPT = "#!/bin/sh\nset -e\njava -jar app.jar\n"
MENDED = "#!/bin/sh\nset -e\nexec java -jar app.jar\n"


class Outcome(NamedTuple):
    """What one call came to."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call pid1lint in an empty repository, with standard input if any."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def call(*arguments: str, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = cli.run(arguments)
        return Outcome(code, *capsys.readouterr())

    return call


def put(path: str, text: str, mode: int = 0o644) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)
    Path(path).chmod(mode)


def put_hanging(folder: str = ".") -> None:
    put(f"{folder}/Dockerfile", HANGING)
    put(f"{folder}/run.sh", SCRIPT, 0o755)


# What is checked, and the exit code


def test_a_clean_file_gives_0(run: Run) -> None:
    put("Dockerfile", CLEAN)
    assert run("Dockerfile") == (0, "1 Dockerfile checked: nothing found.\n", "")


def test_check_is_the_default_command(run: Run) -> None:
    put("Dockerfile", BROKEN)
    assert run("Dockerfile") == run("check", "Dockerfile") == run("--format", "text", "Dockerfile") == run()


def test_a_finding_gives_1(run: Run) -> None:
    put("Dockerfile", BROKEN)
    assert run() == (
        1,
        "Dockerfile:2:1: PID901 unknown instruction: RUNN\n"
        "  │\n"
        "2 │ RUNN true\n"
        "  │ ^^^^ error[syntax-error]\n"
        "\n"
        "1 Dockerfile checked: 1 error in 1 file.\n"
        "Run pid1lint explain PID901 for the rule, pid1lint explain pid1 for the basics.\n",
        "",
    )


def test_the_concise_form_has_a_line_for_each_finding(run: Run) -> None:
    put("Dockerfile", BROKEN)
    assert run("-f", "concise").out == "Dockerfile:2:1: PID901 unknown instruction: RUNN\n"


def test_directories_are_searched(run: Run) -> None:
    put("a/Dockerfile", CLEAN)
    put("a/b/app.dockerfile", BROKEN)
    put("c/Dockerfile", BROKEN)
    result = run("a")
    assert result.code == 1
    assert "a/b/app.dockerfile:2:1: PID901" in result.out
    assert "c/Dockerfile" not in result.out


def test_nothing_to_check_is_said_and_gives_0(run: Run) -> None:
    assert run() == (0, "", "No Dockerfile found: nothing to check.\n")


def test_a_missing_file_is_a_finding_and_stops_no_other(run: Run) -> None:
    put("Dockerfile", BROKEN)
    result = run("-f", "concise", "Dokerfile", "Dockerfile")
    assert result == (
        1,
        "Dockerfile:2:1: PID901 unknown instruction: RUNN\n"
        "Dokerfile:1:1: PID902 Dokerfile does not exist; did you mean 'Dockerfile'?\n",
        "",
    )


def test_what_is_no_text_is_a_finding(run: Run) -> None:
    Path("Dockerfile").write_bytes(b"FROM a\0b\n")
    assert run("-f", "concise") == (1, "Dockerfile:1:1: PID902 Dockerfile is not text: it contains NUL bytes\n", "")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_file_is_a_finding_and_not_waited_for(run: Run) -> None:
    os.mkfifo("Dockerfile")
    assert run("-f", "concise", "Dockerfile").out == "Dockerfile:1:1: PID902 Dockerfile is not a file\n"


def test_the_same_file_twice_is_checked_once(run: Run) -> None:
    put("Dockerfile", BROKEN)
    assert run("Dockerfile", "./Dockerfile", ".") == run()


def test_standard_input_is_checked(run: Run) -> None:
    result = run("-f", "concise", "-", stdin=BROKEN.encode())
    assert result == (1, "Dockerfile:2:1: PID901 unknown instruction: RUNN\n", "")
    result = run("-f", "concise", "--stdin-filename", "docker/app.dockerfile", "-", stdin=BROKEN.encode())
    assert result.out.startswith("docker/app.dockerfile:2:1: PID901")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        pytest.param(["--exit-zero"], 0, id="exit-zero"),
        pytest.param(["--fail-on", "error"], 1, id="fail-on error"),
        pytest.param(["--fail-on", "info"], 1, id="fail-on info"),
        pytest.param(["--ignore", "PID901"], 0, id="ignored"),
        pytest.param(["--ignore", "PID2,syntax-error"], 0, id="ignored by name, in a list"),
        pytest.param(["--select", "PID902"], 0, id="not selected"),
        pytest.param(["--select", "PID902", "--select", "PID901"], 1, id="selected"),
        pytest.param(["--isolated", "--jobs", "2"], 1, id="isolated, two jobs"),
    ],
)
def test_options_decide_the_exit_code(run: Run, options: list[str], code: int) -> None:
    put("Dockerfile", BROKEN)
    assert run(*options).code == code


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--fromat=json"], "there is no option '--fromat'; did you mean '--format'?", id="option"),
        pytest.param(["-f", "jsn"], "there is no 'jsn'; did you mean 'json'?", id="format"),
        pytest.param(["-f", "sariff:out"], "there is no 'sariff'; did you mean 'sarif'?", id="format with a file"),
        pytest.param(["--fail-on", "never"], "there is no 'never'; it is one of info, warning, error", id="severity"),
        pytest.param(["--select", "sintax-error"], "did you mean 'syntax-error'?", id="name"),
        pytest.param(["--ignore", "XYZ"], "no rule is called 'XYZ'; `pid1lint rules` lists them", id="code"),
        pytest.param(["explain", "PID90"], "did you mean 'PID90", id="explain"),
        pytest.param(["--context", "nowhere"], "'nowhere' does not exist", id="context"),
        pytest.param(["--target", "biuld"], "Dockerfile has no stage 'biuld'; did you mean 'build'?", id="target"),
        pytest.param(["--build-arg", "=x"], "'=x' must have the form K=V", id="build-arg"),
        pytest.param(["--config", "none.toml"], "none.toml does not exist", id="config that is not there"),
        pytest.param(["--config", "Dockerfile"], "Dockerfile:1: not valid TOML", id="config"),
        pytest.param(["--config", "x", "--isolated"], "--config and --isolated cannot be used together", id="isolated"),
        pytest.param(["-o", "no/such/file"], "no/such/file cannot be written: No such file", id="output"),
        pytest.param(["trace", "none"], "none does not exist", id="trace"),
    ],
)
def test_wrong_usage_is_told_in_one_line_and_gives_2(run: Run, arguments: list[str], message: str) -> None:
    put("Dockerfile", "FROM debian:12 AS build\n")
    result = run(*arguments)
    assert result.code == 2
    assert message in result.err
    assert result.err.startswith("pid1lint: error: ")
    assert result.err.count("\n") == 1


# Forms and places of the report


def test_a_report_goes_to_a_file(run: Run) -> None:
    put("Dockerfile", BROKEN)
    assert run("-f", "json", "-o", "report.json") == (1, "", "")
    document = json.loads(Path("report.json").read_text())
    assert document["version"] == 1
    assert [d["code"] for d in document["diagnostics"]] == ["PID901"]


def test_several_reports_are_written_in_one_run(run: Run) -> None:
    put("Dockerfile", BROKEN)
    alone = run()
    assert run("-f", "text", "-f", "sarif:out.sarif", "-f", "JUnit:out.xml") == alone
    (result,) = json.loads(Path("out.sarif").read_text())["runs"][0]["results"]
    assert result["ruleId"] == "PID901"
    assert "PID901 syntax-error" in Path("out.xml").read_text()


def test_a_report_with_a_file_leaves_standard_output_alone(run: Run) -> None:
    put("Dockerfile", BROKEN)
    assert run("-f", "concise:found.txt") == (1, "", "")
    assert Path("found.txt").read_text() == "Dockerfile:2:1: PID901 unknown instruction: RUNN\n"


def test_two_reports_do_not_share_a_place(run: Run) -> None:
    put("Dockerfile", BROKEN)
    error = "pid1lint: error: --format: json and sarif both go to standard output: use --format NAME:FILE\n"
    assert run("-f", "json", "-f", "sarif") == (2, "", error)


def test_statistics_count(run: Run) -> None:
    put("Dockerfile", BROKEN.replace("RUNN true\n", "RUNN true\n" * 3))
    assert run("--statistics", "--quiet").out == "    3  PID901  syntax-error\n"


def test_quiet_leaves_out_the_summary(run: Run) -> None:
    put("Dockerfile", CLEAN)
    assert run("--quiet") == (0, "", "")


def test_many_files_give_the_same_with_one_job_and_with_several(run: Run) -> None:
    for number in range(5):
        put(f"{number}/Dockerfile", BROKEN)
    one = run("--jobs", "1")
    assert one == run("--jobs", "3")
    assert one.out.count(": PID901") == 5


def test_the_rules_are_listed_and_explained(run: Run) -> None:
    assert "PID901  syntax-error" in run("rules").out
    assert "PID901" in [rule["code"] for rule in json.loads(run("rules", "-f", "json").out)["rules"]]
    assert run("explain", "pid901") == run("explain", "syntax-error")
    assert run("explain", "PID901").out.startswith("PID901 syntax-error (error)\n\nThe build fails, or the script")


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").out == f"pid1lint {__version__}\n"


# A script that hangs, and its fix


def test_a_script_is_followed_and_its_finding_has_a_fix(run: Run) -> None:
    put_hanging("app")
    document = json.loads(run("-f", "json", "app/Dockerfile").out)
    (found,) = document["diagnostics"]
    assert (found["code"], found["path"], found["start"]) == ("PID201", "app/run.sh", {"line": 3, "column": 1})
    assert (found["outcome"], found["dockerfile"]) == ("hang", "app/Dockerfile")
    assert found["fix"]["edits"][0]["content"] == "exec "


def test_fix_mends_the_script(run: Run) -> None:
    put_hanging()
    result = run("--fix")
    assert result == (0, "1 Dockerfile checked, 1 fix made: nothing found.\n", "")
    assert Path("run.sh").read_text() == MENDED
    assert Path("run.sh").stat().st_mode & 0o777 == 0o755
    assert Path("Dockerfile").read_text() == HANGING
    assert run("--fix").out == "1 Dockerfile checked: nothing found.\n"


def test_diff_shows_the_fix_and_changes_nothing(run: Run) -> None:
    put_hanging("app")
    assert run("--diff") == (
        1,
        "--- a/app/run.sh\n"
        "+++ b/app/run.sh\n"
        "@@ -1,3 +1,3 @@\n"
        " #!/bin/sh\n"
        " set -e\n"
        "-java -jar app.jar\n"
        "+exec java -jar app.jar\n",
        "",
    )
    assert Path("app/run.sh").read_text() == SCRIPT


def test_diff_says_which_unsafe_fixes_it_leaves_out(run: Run) -> None:
    put("Dockerfile", 'FROM debian:12\nCOPY app.py /\nCMD ["python3", "/app.py"]\n')
    put("app.py", "import time\ntime.sleep(1000)\n")
    result = run("--diff")
    assert (result.code, result.out) == (1, "")
    assert result.err == ("Not shown without --unsafe-fixes: 1 unsafe fix\n  Dockerfile:3: PID301 Stop with SIGINT\n")
    assert run("--diff", "-q").err == ""
    assert run("--diff", "--unsafe-fixes").err == ""


def test_diff_says_why_a_finding_has_no_fix(run: Run) -> None:
    put(
        "Dockerfile",
        "FROM debian:12\nCOPY --chmod=755 run.sh /\nSTOPSIGNAL SIGFOO\nENTRYPOINT /run.sh | tee log\nRUNN\n",
    )
    put("run.sh", "#!/bin/sh\napp &\nwait\n")
    result = run("--diff")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "No fix for 3 findings:\n"
        "  Dockerfile:3: PID502 no fix is sure to be right here\n"
        "  Dockerfile:4: PID101 no fix is sure to be right here\n"
        "  Dockerfile:5: PID901 its rule has no fix\n"
        "For a fix by hand, run pid1lint explain PID502.\n"
    )
    assert run("--diff", "-q").err == ""


def test_a_script_that_two_dockerfiles_run_is_mended_once(run: Run) -> None:
    put_hanging()
    put("Dockerfile.dev", HANGING)
    assert run("--fix") == (0, "2 Dockerfiles checked, 1 fix made: nothing found.\n", "")
    assert Path("run.sh").read_text() == MENDED


def test_crlf_and_bom_survive_a_fix(run: Run) -> None:
    put_hanging()
    Path("Dockerfile").write_bytes(
        b"\xef\xbb\xbf" + 'FROM debian:12\r\nCMD ["sh", "-c", "set -e; java -jar é.jar"]\r\n'.encode()
    )
    run("--fix", "--unsafe-fixes")
    assert Path("Dockerfile").read_bytes() == (
        b"\xef\xbb\xbf" + 'FROM debian:12\r\nCMD ["sh", "-c", "set -e; exec java -jar é.jar"]\r\n'.encode()
    )


def test_a_read_only_file_is_an_error_in_one_line(run: Run, read_only: Callable[[Path], None]) -> None:
    put_hanging()
    read_only(Path("run.sh"))
    result = run("--fix")
    assert (result.code, result.err) == (2, "pid1lint: error: run.sh: not written, it is read-only\n")
    assert "PID201" in result.out
    assert Path("run.sh").read_text() == SCRIPT


def test_standard_input_is_mended_to_standard_output(run: Run) -> None:
    shell_form = 'FROM debian:12\nCMD ["sh", "-c", "set -e; java -jar app.jar"]\n'
    result = run("--fix", "-", stdin=shell_form.encode())
    assert result.out == shell_form.replace("java", "exec java")
    assert result.err == "1 Dockerfile checked, 1 fix made: nothing found.\n"


def test_a_fix_of_standard_input_touches_no_other_file(run: Run) -> None:
    put_hanging()
    result = run("--fix", "-", stdin=HANGING.encode())
    assert result.out == HANGING
    assert "PID201" in result.err
    assert Path("run.sh").read_text() == SCRIPT


def test_a_script_is_checked_through_the_dockerfiles_that_run_it(run: Run) -> None:
    put_hanging("app")
    put("other/Dockerfile", BROKEN)
    put("lonely.sh", SCRIPT)
    result = run("-f", "concise", "app/run.sh", "lonely.sh")
    assert result.code == 1
    assert [line.split(" ")[:2] for line in result.out.splitlines()] == [["app/run.sh:3:1:", "PID201"]]
    assert run("--fix", "app/run.sh").code == 0
    assert Path("app/run.sh").read_text() == MENDED


def test_a_script_that_no_dockerfile_runs_is_clean(run: Run) -> None:
    put("Dockerfile", CLEAN)
    put("lonely.sh", SCRIPT)
    assert run("lonely.sh").code == 0


# Traces


def test_a_trace_shows_the_tree(run: Run) -> None:
    put_hanging()
    result = run("trace", "Dockerfile")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0] == "Dockerfile"
    assert any("java -jar app.jar" in line and "never gets SIGTERM" in line and "run.sh:3" in line for line in lines)
    assert any(line.startswith("  hang: ") for line in lines)


def test_a_trace_as_json_has_the_agreed_form(run: Run) -> None:
    put_hanging()
    document = json.loads(run("trace", "-f", "json").out)
    (launch,) = document["launches"]
    assert document["version"] == 1
    assert set(launch) == {
        "dockerfile",
        "deployment",
        "stage",
        "entrypoint",
        "cmd",
        "stop_signal",
        "grace",
        "outcome",
        "certainty",
        "assumes",
        "reaps",
        "open_at",
        "why",
        "tree",
    }
    assert (launch["outcome"], launch["entrypoint"], launch["cmd"]) == ("hang", ["/run.sh"], None)
    assert (launch["certainty"], launch["assumes"]) == ("proven", [])
    (java,) = [child for child in launch["tree"]["children"] if child["program"].endswith("java")]
    assert launch["tree"]["pid1"]
    assert launch["tree"]["start"] == "container"
    assert (java["argv"], java["start"], java["receives_stop"]) == (["java", "-jar", "app.jar"], "child", False)
    assert (java["path"], java["line"], java["column"], java["pid1"]) == ("run.sh", 3, 1, False)


# The process


def test_a_closed_pipe_ends_it_quietly(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian:12\n" + "RUNN true\n" * 5000)
    with subprocess.Popen(
        [sys.executable, "-m", "pid1lint", "Dockerfile"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(__file__))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_stream_that_knows_only_ascii_gets_a_report(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian:12\nRÜNN true\n", encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "pid1lint", "Dockerfile"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.path.dirname(os.path.dirname(__file__)),
            "PYTHONIOENCODING": "ascii",
        },
        capture_output=True,
        check=False,
    )
    assert result.stderr == b""
    assert b"R\\xdcNN" in result.stdout


def test_a_script_that_two_dockerfiles_run_is_mended_once_for_both(run: Run) -> None:
    put_hanging()
    put("Dockerfile.alpine", HANGING.replace("debian:12", "alpine:3.20"))
    put("other/Dockerfile", CLEAN)
    result = run("--fix")
    assert Path("run.sh").read_text() == MENDED
    assert (result.code, result.out) == (0, "3 Dockerfiles checked, 1 fix made: nothing found.\n")


def test_what_two_dockerfiles_need_of_one_script_is_made_together(run: Run) -> None:
    put("run.sh", "#!/bin/bash\r\nset -e\r\njava -jar app.jar\r\n", 0o644)
    put("Dockerfile", 'FROM debian:12\nCOPY run.sh /\nENTRYPOINT ["/run.sh"]\n')
    put("alpine/Dockerfile", 'FROM alpine:3.20\nCOPY run.sh /\nCMD ["sh", "/run.sh"]\n')
    result = run("--fix", "--unsafe-fixes")
    assert (result.code, result.out) == (0, "2 Dockerfiles checked, 3 fixes made: nothing found.\n")
    assert Path("run.sh").read_bytes() == b"#!/bin/bash\nset -e\nexec java -jar app.jar\n"
    assert Path("Dockerfile").read_text() == 'FROM debian:12\nCOPY --chmod=755 run.sh /\nENTRYPOINT ["/run.sh"]\n'
    assert run("--fix", "--unsafe-fixes").out == "2 Dockerfiles checked: nothing found.\n"


def test_a_script_that_is_a_link_is_mended_where_it_stands(run: Run) -> None:
    put("bin/real.sh", SCRIPT, 0o755)
    Path("run.sh").symlink_to("bin/real.sh")
    put("Dockerfile", HANGING)
    assert run("--fix") == (0, "1 Dockerfile checked, 1 fix made: nothing found.\n", "")
    assert Path("run.sh").is_symlink()
    assert Path("bin/real.sh").read_text() == MENDED


def test_a_script_and_a_link_to_it_are_mended_once(run: Run) -> None:
    put("run.sh", SCRIPT, 0o755)
    Path("link.sh").symlink_to("run.sh")
    put("Dockerfile", HANGING)
    put("Dockerfile.link", HANGING.replace("run.sh", "link.sh"))
    assert run("--fix").code == 0
    assert Path("link.sh").is_symlink()
    assert Path("run.sh").read_text() == MENDED
    assert run("--fix").out == "2 Dockerfiles checked: nothing found.\n"


def test_a_trace_goes_on_where_a_file_cannot_be_read(run: Run) -> None:
    put_hanging()
    Path("b.Dockerfile").write_bytes(b"FROM a\0\n")
    result = run("trace", ".")
    assert (result.code, result.err) == (1, "pid1lint: error: b.Dockerfile is not text: it contains NUL bytes\n")
    assert "hang: " in result.out
