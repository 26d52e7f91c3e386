"""README, and the pages that it leads to: commands are run, output and pictures are what the code prints."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from pid1lint import report, schema
from tests import schemas

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {
    page: (ROOT / page).read_text(encoding="utf-8")
    for page in ("README.md", "docs/ci.md", "docs/command-line.md", "docs/configuration.md", "docs/ignore.md")
}
_SPEC = importlib.util.spec_from_file_location("refresh", ROOT / "docs" / "refresh.py")
assert _SPEC is not None and _SPEC.loader is not None
refresh: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(refresh)

INSTALLS = ("python3 -m venv", "pip install", "pre-commit ")
"""What needs more than a sandbox; test_pre_commit.py installs the package, and runs the hooks."""


def blocks(language: str, page: str = "README.md") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGES[page], re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    found = (block for page in PAGES for block in blocks("console", page) if not block.startswith("$ "))
    lines = dict.fromkeys("".join(found).splitlines())
    return [line for line in lines if not line.startswith(INSTALLS)]


@pytest.mark.parametrize("command", commands())
def test_a_command_does_what_it_is_for(command: str) -> None:
    with refresh.sandbox() as work:
        if "--baseline" in command:
            refresh.run(work, "pid1lint --write-baseline known.json")
        if "compose.yaml" in command:
            (work / "compose.yaml").write_text("services: {web: {build: .}}\n")
        result = refresh.run(work, command)
    assert result.returncode in (0, 1), result.stdout
    assert "pid1lint: error" not in result.stdout


def test_there_are_commands_to_run() -> None:
    assert len(commands()) >= 15


def test_each_session_prints_what_readme_shows() -> None:
    assert README.count("```console\n$ ") == 1
    assert refresh.readme(README) == README, "`make readme` writes it anew"


def test_the_picture_shows_what_a_trace_prints() -> None:
    assert refresh.PICTURE.read_text(encoding="utf-8") == refresh.picture(), "`make readme` draws it anew"


def test_the_pictures_of_the_page_on_pid_1_show_its_examples() -> None:
    for name, drawn in refresh.page_pictures().items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == drawn, "`make readme` draws it anew"
        assert f"](../docs/{name})" in refresh.PAGE.read_text(encoding="utf-8")


def test_every_format_is_in_the_table() -> None:
    told = re.findall(r"^\| ((?:`[a-z]+`(?:, )?)+) \|", PAGES["docs/ci.md"], re.MULTILINE)
    assert [name for row in told for name in re.findall(r"`([a-z]+)`", row)] == list(report.FORMATS)


def test_the_configuration_is_one() -> None:
    (block,) = blocks("toml", "docs/configuration.md")
    assert list(schema.violations(tomllib.loads(block))) == []
    assert set(tomllib.loads(block)) == set(schema.schema()["properties"])


def test_the_hooks_of_the_example_are_ours() -> None:
    config = next(yaml.safe_load(block) for block in blocks("yaml") if block.startswith("repos:"))
    known = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    (repository,) = config["repos"]
    assert set(repository) == {"repo", "rev", "hooks"}
    assert {hook["id"] for hook in repository["hooks"]} <= known


@pytest.mark.parametrize("page", ["README.md", "docs/ci.md"])
def test_the_workflow_gives_the_action_inputs_that_it_has(page: str) -> None:
    workflow = next(yaml.safe_load(block) for block in blocks("yaml", page) if block.startswith("jobs:"))
    inputs = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    step = next(step for step in workflow["jobs"]["pid1lint"]["steps"] if step["uses"].startswith("OWNER/NAME@"))
    assert set(step["with"]) <= set(inputs)
    assert schemas.complaints({"on": "push", **workflow}, schemas.GITHUB_WORKFLOW) == []


def test_every_target_of_make_that_is_named_is_there() -> None:
    made = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"`make ([a-z]+)", README)) <= set(made)
