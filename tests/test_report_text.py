"""Reports for people: what stands where, in how many cells, in which colour."""

from __future__ import annotations

import io

import pytest

from pid1lint.diagnostic import Diagnostic, Note, Severity
from pid1lint.dockerfile.scanner import scan
from pid1lint.fix import Applicability, Edit, Fix
from pid1lint.fixer import Change
from pid1lint.image.context import MemoryContext
from pid1lint.image.model import build_image
from pid1lint.launch.launch import Launch
from pid1lint.launch.path import Path
from pid1lint.launch.process import Outcome, Process
from pid1lint.report import Report, diff, text, tree
from pid1lint.report.style import Style, cells, printable, style_of
from pid1lint.source import Source, Span

DOCKERFILE = Source("Dockerfile", 'FROM debian:12\nENTRYPOINT ["/run.sh"]\n')
SCRIPT = Source("run.sh", "#!/bin/sh\nset -e\njava -jar app.jar\n")
INSERT_EXEC = Fix("Insert `exec`", (Edit(SCRIPT, Span(17, 17), "exec "),), Applicability.SAFE)


def diagnostic(
    source: Source = SCRIPT,
    start: int = 17,
    end: int = 34,
    message: str = "sh stays PID 1 and keeps SIGTERM from java",
    severity: Severity = Severity.ERROR,
    notes: tuple[Note, ...] = (),
    fix: Fix | None = None,
) -> Diagnostic:
    return Diagnostic("PID201", "missing-exec", severity, message, source.place(start, end), notes, fix)


def report(finding: Diagnostic, style: Style | None = None) -> str:
    return "\n".join(text.render([finding], style or Style()))


def test_a_finding_shows_message_line_notes_and_fix() -> None:
    notes = (Note(DOCKERFILE.place(15, 37), "runs this script"),)
    assert report(diagnostic(notes=notes, fix=INSERT_EXEC)) == (
        "run.sh:3:1: PID201 sh stays PID 1 and keeps SIGTERM from java\n"
        "  │\n"
        "3 │ java -jar app.jar\n"
        "  │ ^^^^^^^^^^^^^^^^^ error[missing-exec]\n"
        "  = note: Dockerfile:2:1: runs this script\n"
        "  = fix: Insert `exec` (--fix)\n"
    )


def test_the_concise_form_is_one_line() -> None:
    assert text.concise(diagnostic()) == "run.sh:3:1: PID201 sh stays PID 1 and keeps SIGTERM from java"


def test_an_unsafe_fix_names_both_options() -> None:
    assert text.how_to_apply(Fix("x", (), Applicability.UNSAFE)) == "--fix --unsafe-fixes"


def test_ascii_is_enough_where_there_is_no_more() -> None:
    assert report(diagnostic(), Style(unicode=False)).isascii()


def caret_line(source: Source, start: int, end: int, style: Style | None = None) -> str:
    """The source line and the caret line of a finding, without the margin, `.` for each blank."""
    lines = report(diagnostic(source, start, end), style).split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith("1 │ "))
    shown, carets = lines[at][4:], lines[at + 1][4:].split(" error[")[0]
    return f"{shown}\n{carets}".replace(" ", ".")


@pytest.mark.parametrize(
    ("line", "span", "expected"),
    [
        pytest.param("exec app", (5, 8), "exec.app\n.....^^^", id="plain"),
        pytest.param("\tapp", (1, 4), "....app\n....^^^", id="a tab"),
        pytest.param("x\tapp", (2, 5), "x...app\n....^^^", id="a tab goes to its stop"),
        pytest.param("# 日本 app", (5, 8), "#.日本.app\n.......^^^", id="wide characters"),
        pytest.param("# e\u0301 app", (5, 8), "#.e\u0301.app\n....^^^", id="combining characters"),
        pytest.param("\x1b[2Kapp", (4, 7), "\ufffd[2Kapp\n....^^^", id="an escape sequence"),
        pytest.param("app", (3, 3), "app\n...^", id="an empty span at the end"),
        pytest.param("日 app", (0, 1), "日.app\n^^", id="under a wide character"),
    ],
)
def test_the_carets_stand_under_the_span(line: str, span: tuple[int, int], expected: str) -> None:
    assert caret_line(Source("Dockerfile", line + "\n"), *span) == expected


def test_a_span_over_several_lines_is_marked_on_its_first() -> None:
    source = Source("Dockerfile", "CMD app \\\n  -v\n")
    assert report(diagnostic(source, 0, 14)).split("\n")[1:4] == [
        "  │",
        "1 │ CMD app \\",
        "  │ ^^^^^^^^^ error[missing-exec] (to line 2)",
    ]


@pytest.mark.parametrize("at", [0, 60, 150, 292])
def test_a_long_line_is_cut_around_the_span(at: int) -> None:
    line = "x" * at + "app" + "y" * (295 - at)
    shown, carets = caret_line(Source("Dockerfile", line + "\n"), at, at + 3).split("\n")
    assert len(shown) <= 76
    assert shown[carets.index("^") :].startswith("app")
    assert carets.count("^") == 3


def test_a_span_longer_than_the_terminal_stays_within_it() -> None:
    lines = report(diagnostic(Source("Dockerfile", "RUN " + "x" * 500), 0, 504)).split("\n")
    assert max(map(len, lines[1:])) <= 80


def test_a_label_that_does_not_fit_goes_below() -> None:
    lines = report(diagnostic(Source("Dockerfile", "x" * 70), 0, 70)).split("\n")
    assert lines[3:5] == ["  │ " + "^" * 70, "  │ error[missing-exec]"]


def test_a_file_without_text_has_no_source_line() -> None:
    assert report(diagnostic(Source("gone", ""), 0, 0, "gone does not exist")) == (
        "gone:1:1: PID201 gone does not exist\n  │ error[missing-exec]\n"
    )


def test_messages_are_folded_on_a_terminal_only() -> None:
    long = diagnostic(message="word " * 30 + "end")
    assert max(len(line) for line in report(long, Style(wrap=True)).split("\n")) <= 80
    assert report(long).split("\n")[0].endswith("word end")


def test_colour_changes_nothing_but_colour() -> None:
    import re

    finding = diagnostic(notes=(Note(DOCKERFILE.place(15, 37), "runs this script"),), fix=INSERT_EXEC)
    coloured = report(finding, Style(colour=True))
    assert "\x1b[1;31mPID201\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == report(finding)


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        pytest.param([], "2 Dockerfiles checked: nothing found.", id="nothing"),
        pytest.param(
            [diagnostic(fix=INSERT_EXEC), diagnostic(severity=Severity.INFO)],
            "2 Dockerfiles checked: 1 error, 1 info in 1 file.",
            id="fixable",
        ),
        pytest.param(
            [diagnostic(severity=Severity.WARNING), diagnostic(DOCKERFILE, 0, 4, severity=Severity.WARNING)],
            "2 Dockerfiles checked: 2 warnings in 2 files.",
            id="several files",
        ),
    ],
)
def test_the_summary_counts(findings: list[Diagnostic], expected: str) -> None:
    assert text.summary(findings, 2) == expected


def test_the_summary_counts_the_fixes_made() -> None:
    assert text.summary([], 1, 2) == "1 Dockerfile checked, 2 fixes made: nothing found."


def test_statistics_count_by_rule() -> None:
    assert list(text.statistics([diagnostic(), diagnostic(fix=INSERT_EXEC)], Style())) == [
        "    2  PID201  missing-exec [*]"
    ]


class Stream(io.StringIO):
    """A stream that may be a terminal."""

    def __init__(self, terminal: bool, encoding: str = "utf-8") -> None:
        super().__init__()
        self._terminal = terminal
        self._encoding = encoding

    def isatty(self) -> bool:
        return self._terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed declares an attribute
        return self._encoding


@pytest.mark.parametrize(
    ("terminal", "environ", "expected"),
    [
        pytest.param(True, {}, True, id="terminal"),
        pytest.param(False, {}, False, id="pipe"),
        pytest.param(True, {"NO_COLOR": "1"}, False, id="NO_COLOR"),
        pytest.param(True, {"NO_COLOR": ""}, True, id="an empty NO_COLOR says nothing"),
        pytest.param(False, {"FORCE_COLOR": "1"}, True, id="FORCE_COLOR"),
        pytest.param(False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, id="NO_COLOR wins"),
        pytest.param(True, {"TERM": "dumb"}, False, id="a dumb terminal"),
    ],
)
def test_colour_is_for_terminals(terminal: bool, environ: dict[str, str], expected: bool) -> None:
    assert style_of(Stream(terminal), environ).colour is expected


def test_an_ascii_stream_gets_ascii() -> None:
    assert not style_of(Stream(False, "ascii"), {}).unicode
    assert style_of(Stream(False), {}).unicode


def test_what_a_terminal_obeys_is_not_printed() -> None:
    assert printable("a\x1b[31m\u202eb\udc80\r") == "a\ufffd[31m\ufffdb\ufffd\ufffd"
    assert printable("日本 é") == "日本 é"
    assert cells("日本e\u0301\t") == 8


def test_a_diff_is_a_patch_off_a_terminal() -> None:
    change = Change(SCRIPT, Source("run.sh", SCRIPT.text.replace("java", "exec java")))
    assert "\n".join(diff.render([change], Style())).endswith("-java -jar app.jar\n+exec java -jar app.jar")
    assert "\x1b[32m+exec java" in "\n".join(diff.render([change], Style(colour=True)))


RUN_SH = DOCKERFILE.place(15, 37)
JAVA = Process(("java", "-jar", "app.jar"), "java", False, "child", False, SCRIPT.place(17, 34))


def launch(outcome: Outcome, why: str, process: Process | None, reaps: bool | None = None) -> Launch:
    image = build_image(scan(DOCKERFILE), 0, MemoryContext({}), {})
    path = Path((), outcome, why, process, None)
    return Launch(image, "Dockerfile", "", ("/run.sh",), ("serve",), "SIGTERM", outcome, why, reaps, (path,))


def shell(*children: Process) -> Process:
    return Process(("/bin/sh", "/run.sh"), "/bin/sh", True, "container", True, RUN_SH, children)


def drawn(shown: Launch, style: Style | None = None) -> list[str]:
    return [line.rstrip() for line in tree.render(shown, style or Style())]


def test_a_tree_shows_who_starts_whom_and_who_gets_the_signal() -> None:
    assert drawn(launch(Outcome.HANG, "sh keeps SIGTERM from java", shell(JAVA.replaced(pid=7)))) == [
        "Dockerfile",
        '  ENTRYPOINT ["/run.sh"]',
        '  CMD        ["serve"]',
        "  STOPSIGNAL SIGTERM",
        "",
        "  PID 1  /bin/sh /run.sh  ✓ gets SIGTERM        Dockerfile:2",
        "  └─ java -jar app.jar    ✗ never gets SIGTERM  run.sh:3",
        "",
        "  hang: sh keeps SIGTERM from java",
        "  It is not known whether orphaned processes are reaped.",
    ]


def test_pid_1_can_only_ignore_what_it_is_sent() -> None:
    (line,) = (
        line for line in drawn(launch(Outcome.HANG, "x", shell().replaced(receives_stop=False))) if "PID 1" in line
    )
    assert "✗ ignores SIGTERM" in line


def test_an_exec_shows_as_the_same_process_becoming_another_program() -> None:
    java = JAVA.replaced(start="exec", pid1=True, receives_stop=True)
    lines = drawn(launch(Outcome.GRACEFUL, "java ends", shell(java), reaps=False))
    assert lines[5:7] == [
        "  PID 1  /bin/sh /run.sh     ↓ becomes java  Dockerfile:2",
        "  └─exec→ java -jar app.jar  ✓ gets SIGTERM  run.sh:3",
    ]
    # Nothing could be orphaned.
    assert lines[-1] == "  graceful: java ends"


def test_what_becomes_of_orphans_is_said_where_there_may_be_any() -> None:
    lines = drawn(launch(Outcome.GRACEFUL, "java ends", shell(JAVA.replaced(pid=7)), reaps=False))
    assert lines[-1] == "  Orphaned processes are not reaped: they stay as zombies."


def test_the_summary_fits_the_terminal() -> None:
    unsafe = INSERT_EXEC.replaced(applicability=Applicability.UNSAFE)
    found = (diagnostic(fix=unsafe), *(diagnostic(severity=each, fix=INSERT_EXEC) for each in Severity))
    checked = ("Dockerfile", "compose.yaml")
    made = Report(found * 7, checked, (), 3, known=1100, deployments=frozenset(checked[1:]))
    lines = list(text.report(made, Style(wrap=True)))[-5:]
    assert lines == [
        "",
        "1 Dockerfile and 1 deployment file checked, 3 fixes made: 14 errors, 7 warnings,",
        "  7 info in 1 file, 1100 in the baseline.",
        "21 can be fixed with --fix, 7 more with --unsafe-fixes.",
        "Run pid1lint explain PID201 for the rule, pid1lint explain pid1 for the basics.",
    ]
    assert max(map(len, lines)) <= 80


def test_background_and_pipeline_are_marked_and_a_script_s_shell_is_named() -> None:
    children = (
        JAVA.replaced(start="background"),
        JAVA.replaced(argv=("tee", "a b"), start="pipeline", receives_stop=None),
        JAVA.replaced(argv=("./migrate",), kind="shell", dialect="dash"),
    )
    assert [line.split("  ")[1] for line in drawn(launch(Outcome.HANG, "x", shell(*children)))[6:9]] == [
        "├─ java -jar app.jar &",
        "├─| tee 'a b'",
        "└─ ./migrate (dash)",
    ]


def test_a_tree_stays_within_its_width() -> None:
    long = JAVA.replaced(argv=("java", *(f"-Dsome.property.{n}=value" for n in range(9))))
    for width in (50, 80, 120):
        lines = drawn(launch(Outcome.HANG, "word " * 40, shell(long.replaced(children=(long,)))), Style(width=width))
        assert max(map(cells, lines)) <= width


def test_a_tree_can_do_with_ascii() -> None:
    style = Style(unicode=False)
    lines = drawn(launch(Outcome.HANG, "x", shell(JAVA, JAVA.replaced(start="exec"))), style)
    assert all(line.isascii() for line in lines)


def test_a_launch_without_processes_has_no_tree() -> None:
    assert drawn(launch(Outcome.UNKNOWN, "the image is not known", None))[4:] == [
        "",
        "  unknown: the image is not known",
    ]
