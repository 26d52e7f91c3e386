"""From text to diagnostics: purity, order, and what a bug in a rule does not break."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

import pid1lint
from pid1lint import linter, registry
from pid1lint.diagnostic import Diagnostic, Finding, Severity
from pid1lint.dockerfile.scanner import scan
from pid1lint.errors import Pid1lintError
from pid1lint.image.context import BuildContext
from pid1lint.launch import Launch
from pid1lint.rulebook import rule
from pid1lint.source import Source, Span

CLEAN = 'FROM debian:12\nCMD ["java", "-jar", "app.jar"]\n'
EMPTY = BuildContext.of({})


@rule("PID998", Severity.ERROR)
def falls_over(launch: Launch) -> Iterator[Finding]:
    """A rule with a bug."""
    raise LookupError(launch.dockerfile)


@rule("PID997", Severity.INFO)
def always_there(launch: Launch) -> Iterator[Finding]:
    """A rule that finds something in every launch."""
    yield Finding(launch.image.dockerfile.source.place(0, 4), "it is there")


def diagnostic(path: str, start: int, code: str = "PID201", severity: Severity = Severity.ERROR) -> Diagnostic:
    return Diagnostic(code, "name", severity, "message", Source(path, "x" * 20).place(start, start + 1))


def test_the_public_names_are_there() -> None:
    assert all(getattr(pid1lint, name) is not None for name in pid1lint.__all__)
    assert set(pid1lint.__all__) <= set(dir(pid1lint))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = pid1lint.nothing


def test_the_same_input_gives_the_same_result_and_results_pickle() -> None:
    context = BuildContext.of({"run.sh": "#!/bin/sh\napp\n"}, {"run.sh": 0o755})
    text = 'FROM debian:12\nCOPY run.sh /\nRUNN x\nENTRYPOINT ["/run.sh"]\n'
    first, second = (linter.lint(text, context) for _ in range(2))
    assert first.diagnostics == second.diagnostics
    assert [launch.tree for launch in first.launches] == [launch.tree for launch in second.launches]
    assert pickle.loads(pickle.dumps(first)).diagnostics == first.diagnostics


def test_diagnostics_name_the_path_that_they_are_given() -> None:
    (found,) = linter.lint("FROM debian:12\nRUNN x\n", EMPTY, path="docker/Dockerfile").diagnostics
    assert (found.dockerfile, found.at.source.path, found.code) == ("docker/Dockerfile", "docker/Dockerfile", "PID901")


def test_a_byte_order_mark_moves_nothing() -> None:
    (found,) = linter.lint("\ufeffRUNN x\nFROM debian:12\n", EMPTY, select=["PID901"]).diagnostics[:1]
    assert found.at.start == (1, 1)
    assert found.at.source.bom


def test_what_does_not_parse_in_a_script_is_a_finding_in_the_script() -> None:
    context = BuildContext.of({"run.sh": "#!/bin/sh\nif true; then\n  app\n"}, {"run.sh": 0o755})
    text = 'FROM debian:12\nCOPY run.sh /\nENTRYPOINT ["/run.sh"]\n'
    (found,) = linter.lint(text, context, select=["PID901"]).diagnostics
    assert found.at.source.path == "run.sh"
    assert "`fi`" in found.message


def test_no_more_than_a_warning_stands_on_a_script_that_is_still_to_be_made() -> None:
    context = BuildContext.of({"run.sh": "#!/bin/sh\nserver --port 80\n"}, {"run.sh": 0o755})
    text = 'FROM debian:12\nCOPY build/run.sh /\nENTRYPOINT ["/run.sh"]\n'
    (found,) = linter.lint(text, context).diagnostics
    assert (found.code, found.severity, found.fix) == ("PID201", Severity.WARNING, None)
    note = found.notes[-1]
    assert note.message == "this file does not exist before the build: run.sh was read for /run.sh"
    assert note.at.start == (2, 1)


def test_only_what_is_selected_is_reported() -> None:
    assert linter.lint("RUNN x\n", EMPTY, ignore=["syntax-error"]).diagnostics == ()
    with pytest.raises(Pid1lintError, match="no rule is called 'nothing'"):
        linter.lint(CLEAN, EMPTY, select=["nothing"])


def test_a_stage_can_be_asked_for() -> None:
    text = "FROM debian:12 AS build\nCMD gcc x.c\n" + CLEAN
    (launch,) = linter.trace(text, EMPTY, target="build")
    assert launch.cmd == "gcc x.c"
    with pytest.raises(Pid1lintError, match="Dockerfile has no stage 'biuld'; did you mean 'build'"):
        linter.lint(text, EMPTY, target="biuld")


def test_a_bug_in_a_rule_is_told_and_breaks_no_other_rule() -> None:
    rules: tuple[registry.AnyRule, ...] = (falls_over, always_there)
    result = linter.judge(scan(Source("Dockerfile", CLEAN)), EMPTY, None, {}, rules)
    assert [found.code for found in result.diagnostics] == ["PID997"]
    assert [str(crash) for crash in result.crashes] == [
        "Dockerfile: internal error in PID998 test-linter: LookupError: Dockerfile"
    ]


def test_diagnostics_are_sorted_and_told_once_at_their_worst() -> None:
    found = [
        diagnostic("b", 0),
        diagnostic("a", 5),
        diagnostic("a", 5, severity=Severity.INFO),
        diagnostic("a", 2, "PID301"),
        diagnostic("a", 2, "PID102", Severity.INFO),
        diagnostic("a", 2, "PID102").replaced(stage="other"),
    ]
    assert [(d.at.source.path, d.at.span.start, d.code, d.severity.value) for d in linter.merged(found)] == [
        ("a", 2, "PID102", "error"),
        ("a", 2, "PID301", "error"),
        ("a", 5, "PID201", "error"),
        ("b", 0, "PID201", "error"),
    ]


@pytest.mark.parametrize(
    ("path", "before", "after", "sound"),
    [
        pytest.param("Dockerfile", CLEAN, CLEAN.replace("CMD", "ENTRYPOINT"), True, id="a Dockerfile"),
        pytest.param("Dockerfile", CLEAN, CLEAN.replace("CMD", "COMMAND"), False, id="a broken Dockerfile"),
        pytest.param("run.sh", "app\n", "exec app\n", True, id="a script"),
        pytest.param("run.sh", "app\n", "exec 'app\n", False, id="a broken script"),
        pytest.param("run.sh", "a 'b\n", "exec a 'b\n", True, id="a script that was broken before"),
        pytest.param("run", "#!/usr/bin/python3\nx\n", "#!/usr/bin/python3\nx = ')'\n", True, id="no shell script"),
        pytest.param("package.json", "{}\n", '{"a": "("}\n', True, id="no script at all"),
    ],
)
def test_a_change_must_leave_a_file_as_readable_as_it_was(path: str, before: str, after: str, sound: bool) -> None:
    reason = linter.damaged(Source(path, before), Source(path, after), "Dockerfile")
    assert (reason is None) is sound


def test_a_file_that_cannot_be_read_is_a_finding_on_its_first_line() -> None:
    (found,) = linter.unreadable("gone", "does not exist", registry.all_rules()).diagnostics
    assert (found.code, found.message, found.at.span) == ("PID902", "gone does not exist", Span(0, 0))


@pytest.mark.parametrize(
    ("code", "command", "script"),
    [
        pytest.param("PID101", "CMD build --all && cp out.tar /out/", "", id="it has to come back"),
        pytest.param("PID201", 'CMD ["/e.sh"]', "#!/bin/sh\nload\ncode=$?\necho $code\n", id="its status is asked for"),
        pytest.param("PID101", "CMD prepare && sleep infinity", "", id="as PID 1 it takes no signal either"),
        pytest.param("PID102", 'ENTRYPOINT ["/e.sh"]\nCMD ["server"]', '#!/bin/sh\nsh -c "$@"\n', id="a script's word"),
    ],
)
def test_no_exec_is_offered_where_it_would_do_harm(code: str, command: str, script: str) -> None:
    context = BuildContext.of({"e.sh": script})
    result = pid1lint.lint(f"FROM debian:12\nCOPY --chmod=755 e.sh /\n{command}\n", context, select=[code])
    assert [(diagnostic.code, diagnostic.fix) for diagnostic in result.diagnostics] == [(code, None)]


LOOP = "FROM debian:12\nCMD trap : TERM; while true; do date; sleep 1; done\n"


def codes(text: str, **options: object) -> list[str]:
    return [found.code for found in linter.lint(text, EMPTY, **options).diagnostics]  # type: ignore[arg-type]


def test_a_launch_that_goes_wrong_is_never_without_a_finding() -> None:
    assert codes(LOOP) == ["PID111"]
    assert codes(LOOP, select=["PID111"]) == ["PID111"]


def test_the_last_rule_keeps_silent_where_another_is_switched_off() -> None:
    shell_form = "FROM debian:12\nCMD server; true\n"
    assert codes(shell_form) == ["PID101"]
    assert codes(shell_form, ignore=["PID101"]) == []
    assert codes(shell_form, select=["PID111"]) == []


def test_a_crash_of_a_rule_is_reported_once_though_it_is_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = (falls_over, *registry.all_rules())
    monkeypatch.setattr(registry, "all_rules", lambda: rules)
    dockerfile = scan(Source.of_text("Dockerfile", LOOP))
    result = linter.judge(dockerfile, EMPTY, None, {}, rules)
    assert [crash.at_work for crash in result.crashes] == ["PID998 test-linter"]
    assert [found.code for found in result.diagnostics] == ["PID111"]
