"""What nobody has measured or read is told as an assumption, and nothing bad is told on it."""

from __future__ import annotations

import json

import pytest

from pid1lint import linter
from pid1lint.facts import launchers, programs
from pid1lint.image.context import BuildContext


def verdict(argv: list[str], base: str = "debian:12") -> tuple[str, str | None, str]:
    dockerfile = f"FROM {base}\nCOPY app mise /usr/bin/\nENTRYPOINT []\nCMD {json.dumps(argv)}\n"
    (launch,) = linter.lint(dockerfile, BuildContext.of({"app": "\x7fELF"}), ignore=("all",)).launches
    return launch.outcome.value, launch.certainty, launch.why


def test_a_row_that_is_only_believed_says_no_more_than_that_a_program_ends_well() -> None:
    rows = [row for name in programs._entries() for row in programs._rows(name)]
    believed = [row for row in rows if row.is_believed and not row.interpreter]
    assert believed
    assert {reaction for row in believed for reaction in row.signals.values()} == {"handles"}


def test_a_launcher_that_is_only_believed_does_not_quit() -> None:
    rows = map(launchers._row, launchers._entries())
    assert {row.kind for row in rows if row.is_believed} <= {"exec", "forward", "hang", "init"}


def test_a_program_that_is_believed_to_handle_the_signal_is_not_told_to() -> None:
    assert verdict(["grafana-server"]) == (
        "graceful",
        "assumed",
        "grafana-server is PID 1 and gets SIGTERM: it ends cleanly if it handles SIGTERM, which is not known",
    )


def test_what_a_launcher_is_believed_to_do_is_an_assumption() -> None:
    assert verdict(["mise", "exec", "--", "gunicorn", "app:app"], "python:3.12") == (
        "graceful",
        "assumed",
        "gunicorn is PID 1, gets SIGTERM and ends cleanly, if mise becomes its command, which is not known",
    )


def test_a_believed_launcher_beside_the_app_is_no_part_of_the_sentence() -> None:
    dockerfile = 'FROM python:3.12\nCOPY --chmod=755 run.sh /\nENTRYPOINT ["/run.sh"]\n'
    script = "#!/bin/sh\nmise exec -- sleep infinity &\nexec gunicorn app:app\n"
    (launch,) = linter.lint(dockerfile, BuildContext.of({"run.sh": script}), ignore=("all",)).launches
    assert (launch.certainty, launch.why) == ("proven", "gunicorn is PID 1, gets SIGTERM and ends cleanly")


def test_on_a_believed_launcher_no_hang_is_told() -> None:
    assert verdict(["mise", "exec", "--", "tail", "-f", "/dev/null"]) == (
        "unknown",
        None,
        "whether mise becomes its command is not known",
    )


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["watch", "python3", "-m", "http.server"], ("abrupt", "watch exits on SIGTERM, and the kernel kills python3")),
        (
            ["screen", "-Dm", "gunicorn", "app:app"],
            ("abrupt", "screen exits on SIGTERM, and the kernel kills gunicorn"),
        ),
        (["parallel", "gunicorn", "app:app"], ("abrupt", "parallel exits on SIGTERM, and the kernel kills gunicorn")),
        (
            ["script", "-c", "exec gunicorn app:app"],
            ("graceful", "script is PID 1 and passes SIGTERM on to gunicorn, which ends cleanly"),
        ),
        (["rlwrap", "gunicorn", "app:app"], ("graceful", "gunicorn is PID 1, gets SIGTERM and ends cleanly")),
        (
            ["hatch", "run", "gunicorn", "app:app"],
            ("hang", "hatch is PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it"),
        ),
    ],
)
def test_launchers_do_what_they_were_measured_to_do(argv: list[str], expected: tuple[str, str]) -> None:
    outcome, _, why = verdict(argv, "python:3.12")
    assert (outcome, why) == expected
