"""Fixes are composed, applied, verified and written."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from pid1lint import fixer, writing
from pid1lint.diagnostic import Diagnostic, Severity
from pid1lint.errors import Pid1lintError
from pid1lint.fix import Applicability, Edit, Fix
from pid1lint.fixer import Change, OverlayContext
from pid1lint.image.context import BuildContext
from pid1lint.source import Source, Span

SCRIPT = Source("run.sh", "#!/bin/sh\napp\n")


def edit(start: int, end: int, content: str, source: Source = SCRIPT) -> Edit:
    return Edit(source, Span(start, end), content)


def fix(*edits: Edit, title: str = "Mend it", applicability: Applicability = Applicability.SAFE) -> Fix:
    return Fix(title, edits, applicability)


def diagnostic(mend: Fix) -> Diagnostic:
    first = mend.edits[0]
    at = first.source.place(*first.span)
    return Diagnostic("PID999", "bad-thing", Severity.ERROR, "it is bad", at, fix=mend)


def sound(_: Fix, __: Sequence[Source]) -> None:
    return None


def anything(_: Fix) -> bool:
    return True


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        pytest.param([], "abcdef", id="nothing"),
        pytest.param([edit(0, 0, "x")], "xabcdef", id="insertion at the start"),
        pytest.param([edit(6, 6, "x")], "abcdefx", id="insertion at the end"),
        pytest.param([edit(4, 5, ""), edit(1, 2, "XY")], "aXYcdf", id="in any order"),
        pytest.param([edit(0, 2, "x"), edit(2, 4, "y")], "xyef", id="side by side"),
        pytest.param([edit(3, 3, "x"), edit(3, 3, "x")], "abcxdef", id="the same insertion twice is one"),
    ],
)
def test_edits_are_applied(edits: list[Edit], expected: str) -> None:
    assert fixer.apply("abcdef", edits) == expected


def test_overlapping_edits_cannot_be_applied() -> None:
    with pytest.raises(ValueError, match="overlap at offset 1"):
        fixer.apply("abcdef", [edit(0, 2, "x"), edit(1, 3, "y")])


@given(st.text(), st.data())
def test_edits_that_put_back_what_was_there_change_nothing(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6, unique=True)))
    edits = [edit(a, b, text[a:b]) for a, b in pairwise(cuts)]
    assert fixer.apply(text, edits) == text


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(edit(0, 4, "x"), edit(2, 6, "y"), id="overlapping"),
        pytest.param(edit(2, 2, "x"), edit(2, 2, "y"), id="different insertions at one point"),
        pytest.param(edit(0, 4, "x"), edit(4, 4, "y"), id="an insertion at the edge of a replacement"),
        pytest.param(edit(0, 4, "x"), edit(1, 1, "y"), id="an insertion inside a replacement"),
    ],
)
def test_of_two_fixes_that_clash_the_first_wins(first: Edit, second: Edit) -> None:
    assert fixer.compose([fix(first), fix(second)]) == ((fix(first),), (fix(second),))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(edit(0, 2, "x"), edit(2, 4, "y"), id="side by side"),
        pytest.param(edit(2, 2, "x"), edit(2, 2, "x"), id="the same insertion"),
        pytest.param(edit(0, 2, "x"), edit(0, 2, "y", Source("other.sh", "app")), id="in different files"),
    ],
)
def test_fixes_that_do_not_clash_are_made_together(first: Edit, second: Edit) -> None:
    one, other = fix(first, title="one"), fix(second, title="other")
    assert fixer.compose([one, other]) == ((one, other), ())


def test_a_fix_waits_as_a_whole() -> None:
    both = fix(edit(0, 1, "x"), edit(4, 5, "y"))
    assert fixer.compose([fix(edit(4, 6, "z")), both]).skipped == (both,)


def test_inserted_lines_end_as_the_file_does() -> None:
    assert Source("a", "x\r\ny\n").newline == "\r\n"
    assert Source("a", "x\ny\r\n").newline == "\n"
    assert Source("a", "x").newline == "\n"


def test_an_overlay_answers_for_the_files_that_it_holds() -> None:
    base = BuildContext.of({"run.sh": "old", "other.sh": "other"}, {"run.sh": 0o755})
    overlay = OverlayContext(base, {"run.sh": Source("run.sh", "new", bom=True)})
    assert overlay.read("/run.sh") == b"\xef\xbb\xbfnew"
    assert overlay.read("other.sh") == b"other"
    assert overlay.read("none.sh") is None
    assert overlay.mode("run.sh") == 0o755
    assert overlay.list(".") == ("other.sh", "run.sh")


def one_exec_more(limit: int) -> Callable[[Mapping[str, Source]], Sequence[Diagnostic]]:
    """A linter that wants another `exec ` in front of app, up to a limit."""

    def lint(overlay: Mapping[str, Source]) -> Sequence[Diagnostic]:
        source = overlay.get("run.sh", SCRIPT)
        at = source.text.index("app")
        return [diagnostic(fix(edit(at, at, "exec ", source)))] if source.text.count("exec") < limit else []

    return lint


def test_a_repair_goes_on_until_nothing_is_left_to_fix() -> None:
    repair = fixer.repair(one_exec_more(3), sound, anything)
    assert repair.fixed == 3
    assert [(c.before, c.after.text) for c in repair.changes] == [(SCRIPT, "#!/bin/sh\nexec exec exec app\n")]


def test_a_repair_that_does_not_come_to_an_end_is_an_error() -> None:
    with pytest.raises(Pid1lintError, match=r"run\.sh: the fixes did not end after 10 passes"):
        fixer.repair(one_exec_more(99), sound, anything)


def test_clashing_fixes_are_made_in_turn() -> None:
    def lint(overlay: Mapping[str, Source]) -> Sequence[Diagnostic]:
        source = overlay.get("run.sh", SCRIPT)
        wanted = [word for word in ("one ", "two ") if word not in source.text]
        return [diagnostic(fix(edit(10, 10, word, source))) for word in wanted]

    repair = fixer.repair(lint, sound, anything)
    assert [c.after.text for c in repair.changes] == ["#!/bin/sh\ntwo one app\n"]


def test_a_fix_that_fails_verification_is_not_made_and_is_told_of_once() -> None:
    def lint(overlay: Mapping[str, Source]) -> Sequence[Diagnostic]:
        source = overlay.get("run.sh", SCRIPT)
        good = [] if "exec" in source.text else [diagnostic(fix(edit(10, 10, "exec ", source)))]
        return [*good, diagnostic(fix(edit(0, 9, "(", source), title="Break it"))]

    def verify(_: Fix, after: Sequence[Source]) -> str | None:
        return "it would not parse" if any("(" in source.text for source in after) else None

    repair = fixer.repair(lint, verify, anything)
    assert [c.after.text for c in repair.changes] == ["#!/bin/sh\nexec app\n"]
    assert [str(r) for r in repair.refusals] == ["run.sh: the fix 'Break it' was not made: it would not parse"]


def test_fixes_that_are_sound_only_one_by_one_are_made_one_a_pass() -> None:
    passes = []

    def lint(overlay: Mapping[str, Source]) -> Sequence[Diagnostic]:
        source = overlay.get("run.sh", SCRIPT)
        passes.append(source.text)
        places = [at for at in (0, 10) if source.text.startswith(("#", "app"), at)]
        return [diagnostic(fix(edit(at, at + 1, "X", source))) for at in places]

    def verify(_: Fix, after: Sequence[Source]) -> str | None:
        return "both at once" if after[0].text.count("X") - passes[-1].count("X") > 1 else None

    repair = fixer.repair(lint, verify, anything)
    assert [c.after.text for c in repair.changes] == ["X!/bin/sh\nXpp\n"]
    assert len(passes) == 3
    assert repair.refusals == ()


def test_what_is_not_accepted_is_not_made() -> None:
    assert fixer.repair(one_exec_more(3), sound, lambda _: False) == ((), 0, (), ())


# What is written


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "run.sh"
    path.write_bytes(SCRIPT.encode())
    return path


def changed(text: str, before: Source = SCRIPT) -> list[Change]:
    return [Change(before, Source(before.path, text, before.bom))]


def test_a_change_is_written_with_the_mode_of_the_file(script: Path) -> None:
    script.chmod(0o751)
    writing.write(changed("exec app\n"), [os.getcwd()])
    assert script.read_bytes() == b"exec app\n"
    assert script.stat().st_mode & 0o7777 == 0o751
    assert os.listdir() == ["run.sh"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file away")
def test_a_change_keeps_the_owner_and_the_special_bits(script: Path) -> None:
    os.chown(script, 1234, 2345)
    script.chmod(0o2755)
    writing.write(changed("exec app\n"), [os.getcwd()])
    status = script.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (1234, 2345, 0o2755)


def test_bom_line_ends_and_bytes_that_are_no_utf8_are_kept(script: Path) -> None:
    data = b"\xef\xbb\xbf#!/bin/sh\r\n# caf\xe9\r\napp\r\n"
    script.write_bytes(data)
    before = Source.decode("run.sh", data)
    at = before.text.index("app")
    writing.write(changed(fixer.apply(before.text, [edit(at, at, "exec ", before)]), before), [os.getcwd()])
    assert script.read_bytes() == data.replace(b"app", b"exec app")


def test_a_link_is_written_through_to_its_target(script: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    target = script.rename(tmp_path / "bin" / "real.sh")
    script.symlink_to("bin/real.sh")
    writing.write(changed("exec app\n"), [os.getcwd()])
    assert script.is_symlink()
    assert target.read_text() == "exec app\n"


def test_a_link_that_leads_out_is_not_written(script: Path, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "run.sh").symlink_to("../run.sh")
    before = Source("inside/run.sh", SCRIPT.text)
    with pytest.raises(Pid1lintError, match=r"inside/run\.sh: not written, it lies outside"):
        writing.write(changed("exec app\n", before), [str(inside)])
    assert script.read_text() == SCRIPT.text


def test_a_read_only_file_is_not_written_and_neither_is_any_other(
    script: Path, tmp_path: Path, read_only: Callable[[Path], None]
) -> None:
    (tmp_path / "other.sh").write_text("app\n")
    read_only(script)
    other = Change(Source("other.sh", "app\n"), Source("other.sh", "exec app\n"))
    with pytest.raises(Pid1lintError, match=r"run\.sh: not written, it is read-only"):
        writing.write([other, *changed("exec app\n")], [os.getcwd()])
    assert (tmp_path / "other.sh").read_text() == "app\n"
    assert script.read_text() == SCRIPT.text


def test_a_file_that_changed_meanwhile_is_not_written(script: Path) -> None:
    script.write_text("someone else's\n")
    with pytest.raises(Pid1lintError, match=r"run\.sh: not written, it has changed since it was read"):
        writing.write(changed("exec app\n"), [os.getcwd()])
    assert script.read_text() == "someone else's\n"


def test_a_file_that_is_gone_is_not_written(script: Path) -> None:
    script.unlink()
    with pytest.raises(Pid1lintError, match=r"run\.sh: not written, it does not exist"):
        writing.write(changed("exec app\n"), [os.getcwd()])


def test_a_diff_is_unified() -> None:
    change = Change(SCRIPT, Source("run.sh", "#!/bin/sh\nexec app\n"))
    assert list(fixer.unified(change)) == [
        "--- a/run.sh",
        "+++ b/run.sh",
        "@@ -1,2 +1,2 @@",
        " #!/bin/sh",
        "-app",
        "+exec app",
    ]


def test_a_diff_says_where_the_last_line_has_no_end() -> None:
    change = Change(Source("run.sh", "app"), Source("run.sh", "exec app"))
    assert list(fixer.unified(change))[3:] == [
        "-app",
        "\\ No newline at end of file",
        "+exec app",
        "\\ No newline at end of file",
    ]


def test_only_a_line_feed_ends_a_line_of_a_diff() -> None:
    change = Change(Source("run.sh", "a\x0cb\x85c\n"), Source("run.sh", "a\x0cb\x85d\n"))
    assert list(fixer.unified(change))[3:] == ["-a\x0cb\x85c", "+a\x0cb\x85d"]
