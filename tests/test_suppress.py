"""Comments that suppress findings, ours and those for others, and what is said of those that suppress nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pid1lint.diagnostic import Severity
from pid1lint.fixer import apply
from pid1lint.image.context import BuildContext
from pid1lint.linter import lint
from pid1lint.report.text import concise
from tests.test_cli import SCRIPT, Run, put, put_hanging, run

__all__ = ["run"]

SHELL = "FROM debian:12\nCMD cd /app; java -jar app.jar\n"
# The shell of Alpine becomes the program: only the form is to be said of it.
STYLE = "FROM alpine:3.18\nRUN apk add redis\nCMD redis-server /etc/redis.conf\n"
NOTHING = "suppresses nothing: there is no such finding"
RUNS = 'FROM debian:12\nCOPY --chmod=755 run.sh /\nENTRYPOINT ["/run.sh"]\n'


def found(dockerfile: str, script: str | None = None, *select: str) -> list[str]:
    context = BuildContext.of({} if script is None else {"run.sh": script})
    return [concise(d).partition(" ")[0] + d.code for d in lint(dockerfile, context, select=select).diagnostics]


def above(comment: str, dockerfile: str = SHELL) -> str:
    return dockerfile.replace("CMD", f"{comment}\nCMD")


@pytest.mark.parametrize(
    "dockerfile",
    [
        pytest.param(above("# pid1lint: ignore[PID101] the shell is meant"), id="line before"),
        pytest.param(above("#pid1lint:ignore[shell-form]"), id="name, no blanks"),
        pytest.param(above("# pid1lint: ignore [ PID106 , pid101 ]").replace("PID106 , ", ""), id="blanks, small"),
        pytest.param(above("# pid1lint: ignore[PID1]"), id="start of codes"),
        pytest.param(above("# pid1lint: ignore[all]"), id="all"),
        pytest.param(above("# pid1lint: ignore[PID101]\n# more on it"), id="comments between"),
        pytest.param(SHELL + "# pid1lint: ignore-file[PID101]\n", id="whole file"),
        pytest.param("FROM debian:12\n# pid1lint: ignore[PID101]\nCMD cd /app; \\\n  java -jar app.jar\n", id="lines"),
        pytest.param(
            "FROM debian:12\nCMD cd /app; \\\n# pid1lint: ignore[PID101]\n  java -jar app.jar\n", id="between the lines"
        ),
        pytest.param(above("# pid1lint: ignore[PID101]").replace("\n", "\r\n"), id="CRLF"),
        pytest.param(above("# hadolint ignore=DL3025", STYLE), id="hadolint"),
        pytest.param(above("# hadolint ignore=DL3008, DL3025", STYLE), id="hadolint, several"),
        pytest.param("# hadolint global ignore=DL3025\n" + STYLE, id="hadolint, whole file"),
        pytest.param("# check=skip=JSONArgsRecommended\n" + SHELL, id="BuildKit"),
        pytest.param("# syntax=x\n# check=error=true;skip=A, JSONArgsRecommended\n" + SHELL, id="more"),
        pytest.param("# check=skip=all\n" + SHELL, id="BuildKit, all"),
    ],
)
def test_a_comment_suppresses_a_finding(dockerfile: str) -> None:
    assert found(dockerfile) == []


@pytest.mark.parametrize(
    "dockerfile",
    [
        pytest.param(above("# pid1lint: ignore[PID101]\n"), id="a blank line between"),
        pytest.param(above("# hadolint ignore=DL3025\n# more"), id="hadolint wants it right above"),
        pytest.param(above("# hadolint ignore=DL3008"), id="another rule of hadolint"),
        pytest.param(above("# check=skip=JSONArgsRecommended"), id="no directive: not at the top"),
        pytest.param("# check=skip=jsonargsrecommended\n" + SHELL, id="BuildKit minds case"),
        pytest.param("# check=error=true\n" + SHELL, id="another directive"),
        pytest.param(SHELL + "# pid1lint: ignore[PID101]\n", id="line after"),
        pytest.param(SHELL.replace("app.jar", "app.jar # pid1lint: ignored[PID101]"), id="another word"),
    ],
)
def test_a_comment_elsewhere_does_not(dockerfile: str) -> None:
    assert "PID101" in "".join(found(dockerfile, None, "PID101"))


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("set -e\njava -jar app.jar # pid1lint: ignore[PID201] it is\n", id="on the line"),
        pytest.param("set -e\n# pid1lint: ignore[PID201]\njava -jar app.jar\n", id="line before"),
        pytest.param("set -e\n  # pid1lint: ignore[PID201]\njava \\\n  -jar app.jar\n", id="before a joined line"),
        pytest.param("set -e\njava \\\n  -jar app.jar # pid1lint: ignore[PID201]\n", id="at the end of a joined line"),
        pytest.param("# pid1lint: ignore-file[missing-exec]\nset -e\njava -jar app.jar\n", id="whole file"),
    ],
)
def test_a_comment_in_a_script_suppresses_a_finding(script: str) -> None:
    assert found(RUNS, "#!/bin/sh\n" + script) == []


def test_a_comment_in_a_script_counts_for_its_line_only() -> None:
    script = "#!/bin/sh\nset -e # pid1lint: ignore[PID201]\njava -jar app.jar\n"
    assert found(RUNS, script, "PID201") == ["run.sh:3:1:PID201"]


def test_a_comment_in_a_here_document_is_one_of_a_script() -> None:
    start = 'FROM debian:12\nCOPY --chmod=755 <<"EOF" /run.sh\n'
    text = start + '#!/bin/sh\nset -e\njava -jar app.jar{}\nEOF\nCMD ["/run.sh"]\n'
    assert found(text.format("")) == ["Dockerfile:5:1:PID201"]
    assert found(text.format(" # pid1lint: ignore[PID201]")) == []
    assert found(text.format("").replace("java", "# pid1lint: ignore[PID201]\njava")) == []


STRINGS = [
    pytest.param('set -e\necho "\n# pid1lint: ignore-file[PID201]"\njava\n', id="string"),
    pytest.param("set -e\necho '\n# pid1lint: ignore[PID201]\n'; java\n", id="string on the line before"),
    pytest.param("set -e\ncat <<X\n# pid1lint: ignore-file[PID201]\nX\njava\n", id="here-document"),
    pytest.param("set -e\njava -v=# -a '# pid1lint: ignore[PID201]'\n", id="argument"),
    pytest.param("set -e\njava a# pid1lint: ignore[PID201]\n", id="inside of a word"),
    pytest.param("set -e\njava ${x# pid1lint: ignore[PID201]}\n", id="expansion"),
]


@pytest.mark.parametrize("script", STRINGS)
def test_what_only_looks_like_a_comment_suppresses_nothing(script: str) -> None:
    (finding,) = found(RUNS, "#!/bin/sh\n" + script)
    assert finding.endswith(":PID201")


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('LABEL x=" # pid1lint: ignore-file[PID101]"', id="label"),
        pytest.param('RUN echo "# pid1lint: ignore-file[PID101]"', id="string of RUN"),
        pytest.param('RUN ["echo", "# pid1lint: ignore-file[PID101]"]', id="exec form"),
        pytest.param("COPY <<X /notes\n# pid1lint: ignore-file[PID101]\nX", id="file"),
        pytest.param("RUN cat <<X\n# pid1lint: ignore-file[PID101]\n# hadolint global ignore=DL3025\nX", id="input"),
    ],
)
def test_what_only_looks_like_a_comment_suppresses_nothing_in_a_dockerfile(line: str) -> None:
    assert [finding[-6:] for finding in found(SHELL.replace("CMD", f"{line}\nCMD"))] == ["PID101"]


def test_a_comment_of_a_script_that_another_one_writes_counts() -> None:
    start = "FROM debian:12\nRUN cat <<X > /run.sh\n#!/bin/sh\nset -e\n"
    text = start + 'java # pid1lint: ignore[PID201]\nX\nRUN chmod +x /run.sh\nCMD ["/run.sh"]\n'
    assert found(text) == []
    assert found(text.replace("ignore[PID201]", "")) == ["Dockerfile:5:1:PID201"]


def test_a_comment_counts_in_a_script_that_does_not_start() -> None:
    text = 'FROM debian:12\nCOPY --chmod=755 <<X /run.sh\n{}\nexec java\nX\nCMD ["/run.sh"]\n'
    assert found(text.format("# x"), None, "PID211") != []
    assert found(text.format("# pid1lint: ignore-file[PID211]"), None, "PID211") == []


def test_a_comment_counts_behind_what_cannot_be_read() -> None:
    script = "#!/bin/sh\nset -e\nfoo ( ) ) # pid1lint: ignore[PID901]\njava\n"
    assert found(RUNS, script, "PID901") == []
    assert found(RUNS, script.replace("ignore", "x"), "PID901") == ["run.sh:3:9:PID901"]


def test_an_ignored_finding_is_not_fixed(run: Run) -> None:
    put_hanging()
    ignored = SCRIPT.replace("app.jar", "app.jar # pid1lint: ignore[PID201] by design")
    put("run.sh", ignored, 0o755)
    assert run("--fix") == (0, "1 Dockerfile checked: nothing found.\n", "")
    assert Path("run.sh").read_text() == ignored


# Those of no use


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        pytest.param("ignore[PID201]", f"ignore[PID201] {NOTHING} there", id="unused"),
        pytest.param("ignore-file[PID2]", f"ignore[PID2] {NOTHING} in this file", id="in the file"),
        pytest.param("ignore", "`ignore` names no rule: write ignore[CODE]", id="none"),
        pytest.param("ignore[]", "`ignore` names no rule: write ignore[CODE]", id="empty"),
        pytest.param("ignor[PID101]", "`ignor` has no meaning: write ignore[CODE]", id="mistyped word"),
        pytest.param("ignore-fil[PID101]", "`ignore-fil` has no meaning: write ignore-file[CODE]", id="mistyped"),
        pytest.param("disable=PID101", "`disable` has no meaning: write ignore[CODE]", id="another linter's word"),
        pytest.param("ignore[shel-form]", "no rule is called 'shel-form'; did you mean 'shell-form'?", id="mistyped"),
    ],
)
def test_a_comment_of_no_use_is_a_finding(comment: str, message: str) -> None:
    text = above(f"# pid1lint: {comment}", 'FROM debian:12\nCMD ["java", "-jar", "app.jar"]\n')
    (diagnostic,) = lint(text, BuildContext.of({})).diagnostics
    assert (diagnostic.code, diagnostic.message, diagnostic.at.start.line) == ("PID904", message, 2)


def test_prose_about_pid1lint_is_no_such_comment() -> None:
    assert found(above("# pid1lint: see its page", 'FROM debian:12\nCMD ["java", "-jar", "app.jar"]\n')) == []


def test_it_can_be_ignored_itself() -> None:
    clean = 'FROM debian:12\nCMD ["java", "-jar", "app.jar"]\n'
    assert found(above("# pid1lint: ignore[PID101, PID904]", clean)) == ["Dockerfile:2:20:PID904"]
    assert found("# pid1lint: ignore-file[PID904]\n" + above("# pid1lint: ignore[PID101]", clean)) == []


def test_what_is_of_use_does_not_hang_on_the_rules_chosen() -> None:
    text = above("# pid1lint: ignore[PID101]")
    assert found(text, None, "PID904") == found(text, None, "PID2", "PID904") == []
    assert lint(text, BuildContext.of({}), ignore=["PID101"]).diagnostics == ()


def test_nothing_is_said_where_the_launch_is_not_known() -> None:
    assert found('FROM x\n# pid1lint: ignore[PID101]\nENTRYPOINT ["/start.sh"]\n') == []


@pytest.mark.parametrize("comment", ["# hadolint ignore=DL3025\nCMD", "# hadolint global ignore=DL3025\nCMD"])
def test_a_comment_about_style_does_not_suppress_an_error_and_the_error_says_so(comment: str) -> None:
    (error,) = lint(SHELL.replace("CMD", comment), BuildContext.of({}), select=("PID101",)).diagnostics
    stays = "this comment is about the style of the instruction: the error stays"
    assert error.severity is Severity.ERROR
    assert [(note.at.start.line, note.message) for note in error.notes[-1:]] == [(2, stays)]


def test_comments_for_others_are_not_of_our_concern() -> None:
    clean = 'FROM debian:12\n# hadolint ignore=DL3025\nCMD ["java", "-jar", "app.jar"]\n'
    assert found("# check=skip=JSONArgsRecommended\n" + clean) == []


def test_a_comment_that_one_of_two_dockerfiles_needs_is_of_use(run: Run) -> None:
    put_hanging()
    put("run.sh", SCRIPT.replace("app.jar", "app.jar # pid1lint: ignore[PID201]"), 0o755)
    put("Dockerfile.ash", RUNS.replace("debian:12", "debian:12").replace("ENTRYPOINT", "STOPSIGNAL KILL\nENTRYPOINT"))
    assert "PID904" not in run("-f", "concise").out


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("# pid1lint: ignore[PID201] x\n", "", id="a line"),
        pytest.param("# pid1lint: ignore[PID201,PID101]\n", "# pid1lint: ignore[PID101]\n", id="the first"),
        pytest.param("# pid1lint: ignore[PID101, PID201] x\n", "# pid1lint: ignore[PID101] x\n", id="the last"),
        pytest.param("# pid1lint: ignore[PID2, PID101, PID3]\n", "# pid1lint: ignore[PID101]\n", id="both ends"),
    ],
)
def test_a_fix_removes_what_is_of_no_use(run: Run, before: str, after: str) -> None:
    put("Dockerfile", "FROM debian:12\n" + before + "CMD cd /app; java -jar app.jar\n")
    run("--fix", "--select", "PID904")
    assert Path("Dockerfile").read_text() == "FROM debian:12\n" + after + "CMD cd /app; java -jar app.jar\n"


def test_a_fix_removes_a_comment_behind_a_command(run: Run) -> None:
    put_hanging()
    put("run.sh", SCRIPT.replace("-e", "-e  # pid1lint: ignore[PID201]"), 0o755)
    run("--fix", "--select", "PID904")
    assert Path("run.sh").read_text() == SCRIPT


# Comments where Docker knows none

NO_COMMENT = "put it on a line of its own, above"


@pytest.mark.parametrize(
    ("written", "told", "fixed"),
    [
        pytest.param(
            'CMD ["app"] # pid1lint: ignore[PID301] meant',
            [
                "Dockerfile:2:5: PID104 the array is not valid JSON (a comment after the array), so Docker runs the "
                "line in a shell",
                f"Dockerfile:2:13: PID904 Docker takes this comment for a part of CMD: {NO_COMMENT}",
            ],
            '# pid1lint: ignore[PID301] meant\nCMD ["app"]',
            id="exec form",
        ),
        pytest.param(
            'EXPOSE 80 # pid1lint: ignore[PID301] meant\nCMD ["app"]',
            [f"Dockerfile:2:11: PID904 Docker takes this comment for a part of EXPOSE: {NO_COMMENT}"],
            '# pid1lint: ignore[PID301] meant\nEXPOSE 80\nCMD ["app"]',
            id="another instruction",
        ),
        pytest.param('CMD ["app", "# pid1lint: ignore[PID301]"]', [], None, id="a word of an array"),
        pytest.param('ENV A="x # pid1lint: ignore[PID301]"\nCMD ["app"]', [], None, id="a value"),
    ],
)
def test_a_comment_that_docker_takes_for_a_part_of_an_instruction_is_told(
    run: Run, written: str, told: list[str], fixed: str | None
) -> None:
    put("Dockerfile", f"FROM debian:12\n{written}\n")
    assert run("-f", "concise").out.splitlines() == told
    text = f"FROM debian:12\n{written}\n"
    fixes = [d.fix for d in lint(text, BuildContext.of({})).diagnostics if d.code == "PID904"]
    after = [apply(text, fix.edits) for fix in fixes if fix is not None]
    assert after == ([f"FROM debian:12\n{fixed}\n"] if fixed else [])


def test_a_shell_reads_a_comment_behind_its_command(run: Run) -> None:
    put("Dockerfile", "FROM debian:12\nCMD server; true # pid1lint: ignore[PID101]\n")
    assert run("-f", "concise").out == ""


# Comments for all that is there


def test_comments_are_added_for_all_findings(run: Run) -> None:
    put_hanging()
    put("Dockerfile", RUNS.replace("ENTRYPOINT", "RUNN true\nENTRYPOINT"))
    result = run("--add-ignores")
    assert result == (0, "1 Dockerfile checked: nothing found.\n", "2 comments written to 2 files\n")
    assert Path("run.sh").read_text() == SCRIPT.replace("java", "# pid1lint: ignore[PID201]\njava")
    assert Path("run.sh").stat().st_mode & 0o777 == 0o755
    assert Path("Dockerfile").read_text() == RUNS.replace(
        "ENTRYPOINT", "# pid1lint: ignore[PID901]\nRUNN true\nENTRYPOINT"
    )
    assert run("--add-ignores") == (
        0,
        "1 Dockerfile checked: nothing found.\n",
        "0 comments written to 0 files\n",
    )


def test_added_comments_can_be_looked_at_first(run: Run) -> None:
    put_hanging()
    assert "+# pid1lint: ignore[PID201]\n" in run("--add-ignores", "--diff").out
    assert Path("run.sh").read_text() == SCRIPT


@pytest.mark.parametrize(
    ("script", "after"),
    [
        pytest.param(
            "#!/bin/sh\nset -e\n  java \\\n    -jar app.jar\n",
            "#!/bin/sh\nset -e\n  # pid1lint: ignore[PID201]\n  java \\\n    -jar app.jar\n",
            id="joined lines",
        ),
        pytest.param(
            "#!/bin/sh\nset -e\n# pid1lint: ignore[PID1] reason\njava\n",
            "#!/bin/sh\nset -e\n# pid1lint: ignore[PID1, PID201] reason\njava\n",
            id="a comment that is there",
        ),
        pytest.param(
            "#!/bin/sh\r\nexec java\r\n",
            "#!/bin/sh\r\n# pid1lint: ignore-file[PID212]\r\nexec java\r\n",
            id="the first line, CRLF",
        ),
    ],
)
def test_a_comment_goes_where_it_does_no_harm(run: Run, script: str, after: str) -> None:
    put("Dockerfile", RUNS)
    Path("run.sh").write_bytes(script.encode())
    Path("run.sh").chmod(0o755)
    run("--add-ignores", "--ignore", "PID904")
    assert Path("run.sh").read_bytes().decode() == after
    assert run("--ignore", "PID904").code == 0


def test_what_has_no_place_for_a_comment_is_told(run: Run) -> None:
    result = run("--add-ignores", "-f", "concise", "Dokerfile")
    assert (result.code, result.err.splitlines()[-1]) == (
        2,
        "pid1lint: error: Dokerfile: there is no place for a comment for PID902",
    )


def test_comments_and_fixes_are_not_made_at_once(run: Run) -> None:
    assert run("--fix", "--add-ignores").err == "pid1lint: error: --add-ignores and --fix cannot be used together\n"
