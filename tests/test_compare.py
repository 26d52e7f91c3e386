"""`make compare` counts what its page says; the other linters need not be there to know how."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.compare.__main__ import Score, Tool, measured, problems, table, tools
from tests.pages import Case

ROOT = Path(__file__).parents[1]


def stub(tmp_path: Path, codes: dict[str, list[str]], fix: str = "") -> Tool:
    """A linter that says something of each file that holds a text; `fix` is what it makes of it."""
    program = tmp_path / "stub.py"
    program.write_text(
        "import json, pathlib, sys\n"
        f"known = {codes!r}\n"
        "path = pathlib.Path(sys.argv[-1]); text = path.read_text()\n"
        f"if '--fix' in sys.argv: path.write_text({fix or 'text'})\n"
        "else: print(json.dumps([code for needle, found in known.items() if needle in text for code in found]))\n"
    )
    command = (sys.executable, str(program))
    fixes = (*command, "--fix") if fix else ()
    return Tool("stub", command, iter, fixes, fixes)


def shell_form() -> Case:
    return next(case for case in problems() if "CMD gunicorn" in case.files[case.dockerfile].text)


def test_a_problem_is_told_by_what_is_said_of_it_alone(tmp_path: Path) -> None:
    case = shell_form()
    assert measured(stub(tmp_path, {"CMD gunicorn": ["A"], "FROM": ["B"]}), [case], runs=False) == Score(told=1)
    assert measured(stub(tmp_path, {"FROM": ["B"]}), [case], runs=False) == Score()


def test_fixes_that_break_a_file_are_counted(tmp_path: Path) -> None:
    tool = stub(tmp_path, {}, fix="text.replace('CMD', 'CMDX')")
    assert measured(tool, [shell_form()], runs=False) == Score(changed=1, broken=1)


def test_the_table_names_the_tools_and_what_they_came_to(tmp_path: Path) -> None:
    lines = list(table({stub(tmp_path, {}): Score(told=3)}, 74, 50))
    assert lines == [
        "| | stub |",
        "|---|---|",
        "| problems told, of 74 | 3 |",
        "| end gracefully after its safe fixes, of 50 | no fixes |",
        "| end gracefully after all its fixes, of 50 | no fixes |",
        "| files that its safe fixes break, of those they change | no fixes |",
    ]


def test_the_page_names_the_versions_that_are_compared() -> None:
    page = (ROOT / "docs/compare.md").read_text(encoding="utf-8")
    for line in (ROOT / "tests/compare/requirements.txt").read_text(encoding="utf-8").split():
        name, _, version = line.partition("==")
        shown = name.removesuffix("-bin").removesuffix("-py").removesuffix("-cli")
        assert f"{shown} {'.'.join(version.split('.')[:3])}" in page, line


def test_the_page_speaks_of_all_tools_and_all_problems() -> None:
    page = (ROOT / "docs/compare.md").read_text(encoding="utf-8")
    scores = {tool: Score() for tool in tools(Path())}
    header, _, first, *_ = table(scores, len(list(problems())), None)
    assert header in page
    assert first.split("|")[1] in page
