"""Text for users is plain: no turns of phrase that a reader has to work out."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pid1lint import cli, registry

ROOT = Path(__file__).parents[1]
PHRASES = (
    r"are waited\b",
    r"(?<!there )(?<!if )\bis no (?!longer\b|more\b)",
    r"\bby courtesy of\b",
    r"\bheld against\b",
    r"\b(?:is|are) looked (?:for|at)\b",
    r"\bmends?\b|\bmended\b|\bmending\b",
    r"\b(?:is|are|was|be) cut off\b",
    r"\b(?:dies?|ends?) of (?:it\b|the signal\b|SIG)",
    r"\bso that\b(?=[^.]*\bso that\b)",
    r"\bhas put itself\b",
    r"\bbear(?:s)? it out\b",
    r"\bbeyond reproach\b",
    r"\bof one's own\b",
    r"\band its kin\b|\band their kin\b",
    r"\bat hand\b",
    r"\bmay well\b",
    r"\b(?:is|are) told (?:of|apart|once)\b",
    r"\bany more\b",
    r"\bjust these\b|\bas ever\b|\bnor is\b|\bfor want of\b",
)
PAGES = (
    "README.md",
    "SECURITY.md",
    "pid1lint/pid1.md",
    *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md"))),
)


def quaint(text: str) -> list[str]:
    """The phrases of the list that a text has, each with what stands around it."""
    prose = re.sub(r"^```.*?^```$|`[^`\n]*`", "", text, flags=re.DOTALL | re.MULTILINE)
    prose = " ".join(prose.split())
    found = (match for phrase in PHRASES for match in re.finditer(phrase, prose, re.IGNORECASE))
    return [prose[max(0, match.start() - 30) : match.end() + 30] for match in found]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_in_plain_words(page: str) -> None:
    assert quaint((ROOT / page).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("rule", registry.all_rules(), ids=lambda rule: rule.name)
def test_the_page_of_a_rule_is_in_plain_words(rule: registry.AnyRule) -> None:
    assert quaint(rule.page) == []


def test_the_help_is_in_plain_words() -> None:
    parent = click.Context(cli.group, **cli.group.context_settings)
    helps = [cli.group.get_help(parent)]
    helps += [command.get_help(click.Context(command, parent=parent)) for command in cli.group.commands.values()]
    assert [phrase for text in helps for phrase in quaint(text)] == []


def test_the_keys_of_the_configuration_are_in_plain_words() -> None:
    schema = json.loads((ROOT / "pid1lint" / "pid1lint.schema.json").read_text(encoding="utf-8"))
    assert quaint(json.dumps(schema)) == []


def messages() -> Iterator[tuple[str, str]]:
    """What the code may print, by place: its strings, but for docstrings."""
    for path in (*(ROOT / "pid1lint").rglob("*.py"), *(ROOT / "rules").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documents = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


def test_messages_are_in_plain_words() -> None:
    assert [(place, found) for place, text in messages() if (found := quaint(text))] == []


def test_a_quaint_turn_would_be_found() -> None:
    assert quaint("ten seconds are waited, and `is no code` is no matter") == [
        "ten seconds are waited, and is no matter",
        "ten seconds are waited, and is no matter",
    ]
