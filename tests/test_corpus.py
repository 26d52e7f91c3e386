"""`make corpus` tells what fixes make of real repositories, and touches none of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.corpus import __main__ as corpus, repair, shown
from tests.corpus.__main__ import main, report

pytestmark = pytest.mark.usefixtures("other_readers")

DOCKERFILE = 'FROM debian:12\nCOPY --chmod=755 run.sh /\nCMD ["a"]\nENTRYPOINT ["/run.sh"]\nCMD []\n'
SCRIPT = "#!/bin/sh\njava -jar app.jar\n"
REPORT = """\
repositories                      2
Dockerfiles                       2
scripts that they run             1
fixes made                        2
files changed                     2
no longer parse                   0
crashes                           0
fixes without an end              0
not written                       0
changed by a second run           0
fixes rolled back                 0

           before   after    safe  unsafe
PID106          1       0       1       0
PID201          1       0       1       0

how launches with a fixed file end:
  hang -> graceful        1
"""
FIXES = """\
=== PID106 safe one/Dockerfile:3: Remove the unused CMD
this CMD never runs: a later one in the stage replaces it
--- a/Dockerfile
+++ b/Dockerfile
@@ -1,5 +1,4 @@
 FROM debian:12
 COPY --chmod=755 run.sh /
-CMD ["a"]
 ENTRYPOINT ["/run.sh"]
 CMD []

=== PID201 safe one/run.sh:2: Put exec before java
sh stays PID 1 and keeps SIGTERM from java: docker stop waits 10 s, then kills it
--- a/run.sh
+++ b/run.sh
@@ -1,2 +1,2 @@
 #!/bin/sh
-java -jar app.jar
+exec java -jar app.jar
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    texts = {
        "one/Dockerfile": DOCKERFILE,
        "one/run.sh": SCRIPT,
        "two/build/app.Dockerfile": "FROM debian:12\nCMD java -jar app.jar\n",
        "two/pid1lint.toml": 'ignore = ["PID101"]\n',
    }
    for name, text in texts.items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "in"


def test_every_folder_is_a_repository_unless_the_whole_is_one(folder: Path) -> None:
    assert repair.repositories(folder) == (folder / "one", folder / "two")
    assert repair.repositories(folder / "one") == (folder / "one",)
    (folder / ".git").mkdir()
    assert repair.repositories(folder) == (folder,)


def test_the_report_counts_and_the_fixes_can_be_read(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(folder), "--fixes", str(tmp_path / "fixes")]) == 0
    assert capsys.readouterr() == (REPORT, "")
    assert (tmp_path / "fixes").read_text() == FIXES


def test_the_repositories_stay_as_they_are(folder: Path) -> None:
    assert repair.mend(folder / "one").changed == ("one/Dockerfile", "one/run.sh")
    assert (folder / "one/Dockerfile").read_text() == DOCKERFILE
    assert (folder / "one/run.sh").read_text() == SCRIPT


def test_what_must_not_be_is_listed_and_fails(
    folder: Path,
    read_only: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    read_only(folder / "one/run.sh")
    # In this process, where root is told what its owner is told.
    monkeypatch.setattr(corpus, "ProcessPoolExecutor", lambda *_: ThreadPoolExecutor(1))
    assert main([str(folder)]) == 1
    told = capsys.readouterr().out
    assert "not written                       1\n" in told
    assert "\nnot written:\n  one/run.sh: not written, it is read-only\n" in told
    assert told.endswith("\nno better after the fixes:\n  one/Dockerfile: hang before, hang after\n")


@pytest.mark.parametrize("field", ["broken", "crashed", "not_ended", "restless"])
def test_everything_that_must_not_be_is_listed(field: str) -> None:
    fields: dict[str, tuple[str, ...]] = {field: ("one/run.sh: why",)}
    outcome = repair.Outcome("one", **fields)  # type: ignore[arg-type]
    assert list(report([outcome]))[-1] == "  one/run.sh: why"


def fix(code: str, line: int) -> repair.Shown:
    return repair.Shown(
        code, "safe", f"one/run.sh:{line}", "Mend it", "it is bad", "--- a/run.sh\n+++ b/run.sh\n-a\n+b"
    )


def test_what_was_written_is_read() -> None:
    fixes = [fix("PID201", 1), fix("PID201", 2), fix("PID301", 1)]
    assert list(shown.read(shown.written(fixes))) == fixes


def test_a_sample_holds_as_many_of_each_rule_and_the_same_for_the_same_seed() -> None:
    fixes = [fix(code, line) for code in ("PID201", "PID301") for line in range(30)]
    some = list(shown.sample(fixes, 4, 7))
    assert [each.code for each in some] == ["PID201"] * 4 + ["PID301"] * 4
    assert some[4:] == list(shown.sample(fixes, 4, 7, ["PID301"]))
    assert some != list(shown.sample(fixes, 4, 8))
    assert len(list(shown.sample(fixes, 99, 7))) == 60


def test_a_finding_that_only_the_fixes_have_uncovered_is_listed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "one/run.sh").write_text("#!/bin/sh\njava -jar app.jar\necho done\n")
    assert main([str(folder)]) == 0
    told = capsys.readouterr().out.partition("found only after the fixes:\n")[2]
    assert told == "  one/run.sh:3: PID204 this never runs: exec has replaced the shell with java\n"
