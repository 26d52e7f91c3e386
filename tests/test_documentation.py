"""The documentation: it builds without a warning, links lead somewhere, and nothing that the code knows is missing."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag

import click
import pytest

import pid1lint
from pid1lint import cli, registry, report, schema
from pid1lint.facts import data
from pid1lint.launch.process import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]

if importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("material") is None:
    if os.environ.get("CI") == "true":
        raise ModuleNotFoundError("MkDocs Material is not installed: pip install '.[docs]'")
    pytest.skip("MkDocs Material is not installed: pip install '.[docs]'", allow_module_level=True)

from docs import generate  # noqa: E402


@cache
def pages() -> dict[str, str]:
    return generate.pages()


class Links(HTMLParser):
    """What a page links to, and the names that it can be linked at."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        self.targets += [given[name] for name in ("href", "src") if given.get(name)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


def dead_links(site: Path) -> Iterator[str]:
    found = {path: Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    for path, links in found.items():
        for target in links.targets:
            address, anchor = urldefrag(target)
            if re.match(r"[a-z]+:", target) or target.startswith("/"):
                continue
            there = path if not address else (path.parent / unquote(address)).resolve()
            there = there / "index.html" if there.is_dir() else there
            if not there.is_file() or (anchor and there in found and unquote(anchor) not in found[there].anchors):
                yield f"{path.relative_to(site)}: {target}"


def test_it_builds_without_a_warning_and_every_link_leads_somewhere(site: Path) -> None:
    assert list(dead_links(site)) == []
    assert (site / "rules/missing-exec/index.html").is_file()


def test_no_page_takes_anything_from_elsewhere(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="https?:[^"]+"', home) == []


def test_every_rule_has_its_page_with_its_text_and_stands_in_the_index() -> None:
    for rule in registry.all_rules():
        page = pages()[f"rules/{rule.name}.md"]
        assert page.startswith(f"# {rule.code} {rule.name}\n\n{rule.summary}\n")
        assert f'<a href="{rule.name}/">{rule.code}</a>' in pages()["rules/index.md"]
        prose = [line for line in rule.page.splitlines() if line and not line.startswith(("```", "= ", "Use instead"))]
        assert [line for line in prose if line not in page] == []


def test_every_key_of_the_configuration_is_told_with_all_its_words() -> None:
    page = pages()["configuration.md"]
    loaded = schema.schema()
    assert [key for key in loaded["properties"] if f"### `{key}` {{ #{key} }}" not in page] == []
    below = [*loaded["definitions"]["image"]["properties"], *loaded["definitions"]["program"]["properties"]]
    assert [key for key in below if f"<td><code>{key}</code></td>" not in page] == []
    assert "<code>daemonizes</code>" in page


def test_every_format_is_told_with_an_example() -> None:
    page = pages()["formats.md"]
    for form in report.FORMATS:
        section = page.split(f"## `{form}` {{ #{form} }}\n")[1].split("\n## `")[0]
        assert "java -jar app.jar" in section or "keeps SIGTERM from java" in section, form


def test_every_option_of_every_command_is_told() -> None:
    page = pages()["command-line.md"]
    for name, command in cli.group.commands.items():
        section = page.split(f"## `{name}` {{ #{name} }}\n")[1].split("\n## ")[0]
        options = [option for param in command.params if isinstance(param, click.Option) for option in param.opts]
        assert [option for option in options if option not in section] == []
        assert max(map(len, section.splitlines())) <= 80


def test_every_fact_is_told_with_its_source() -> None:
    told = "\n".join(text for path, text in pages().items() if path.startswith("facts/"))
    tables = [
        *data.read("shells")["shells"],
        *data.read("inits")["packages"],
        *data.read("launchers")["launchers"],
        *data.read("programs")["programs"],
        *data.read("programs")["runners"],
        *data.read("handlers")["handlers"],
        *data.read("handlers")["languages"].values(),
        *data.read("images")["images"],
    ]
    assert [row for row in tables if generate._inline(row["source"]) not in told] == []
    names = [name for row in tables for name in data.words(row.get("names", ""))]
    assert [name for name in names if generate._code(name) not in told] == []


def test_every_public_name_is_told() -> None:
    page = pages()["library.md"]
    assert [name for name in pid1lint.__all__ if name != "__version__" and f"### `{name}`" not in page] == []


def test_every_outcome_is_told() -> None:
    page = pages()["verdict.md"]
    assert [outcome.value for outcome in Outcome if f"| `{outcome.value}` |" not in page] == []


def test_nothing_is_left_to_be_generated() -> None:
    assert [path for path, text in pages().items() if "<!-- generated" in text] == []
