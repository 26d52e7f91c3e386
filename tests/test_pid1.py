"""The page on PID 1: what it says of its examples is what pid1lint says of them, and `explain` prints it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pid1lint import cli, linter
from pid1lint.image.context import BuildContext
from pid1lint.report import tree
from pid1lint.report.style import Style

PAGE = (Path(linter.__file__).parent / "pid1.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> list[tuple[dict[str, str], str]]:
    """The files of each Dockerfile that is followed by a trace, and that trace."""
    found: list[tuple[dict[str, str], str]] = []
    files: dict[str, str] = {}
    for language, name, text in _BLOCK.findall(PAGE):
        if language == "dockerfile":
            files = {"Dockerfile": text, "package.json": '{"scripts": {"start": "node server.js"}}'}
        elif language == "console":
            found.append((files, text))
        else:
            files[name] = text
    return found


@pytest.mark.parametrize(("files", "shown"), examples())
def test_a_trace_is_what_pid1lint_prints(files: dict[str, str], shown: str) -> None:
    context = BuildContext.of(files, dict.fromkeys(files, 0o755))
    (launch,) = linter.trace(files["Dockerfile"], context)
    lines = [line.rstrip() for line in tree.render(launch, Style(width=76))]
    first = next(at for at, line in enumerate(lines) if "PID 1" in line)
    assert shown.splitlines() == lines[first:]


def test_there_are_seven_of_them() -> None:
    assert len(examples()) == 7


def test_each_of_its_sections_but_the_first_and_the_last_has_a_picture() -> None:
    _, *sections = PAGE.split("\n## ")
    without = [section.partition("\n")[0] for section in sections if "\n![" not in section]
    assert without == ["Exec form: the app is PID 1", "What to write"]


def test_explain_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["explain", "pid1"]) == 0
    out = capsys.readouterr().out
    assert out == re.sub(r"^!\[.*\n\n", "", PAGE, flags=re.MULTILINE)
    assert "![" not in out
