"""The manual page says what `--help` says, and those who read manual pages have nothing against it."""

from __future__ import annotations

import re
import shutil
import subprocess

import click
import pytest

from docs import manpage
from pid1lint import cli


def test_the_page_is_the_one_that_make_readme_writes() -> None:
    assert manpage.PAGE.read_text(encoding="utf-8") == manpage.page()


def test_every_command_and_every_option_is_told_with_its_help() -> None:
    plain = " ".join(re.sub(r"\\f[BIR]|\\&", "", manpage.page()).replace(r"\-", "-").split())
    for name, command in cli.group.commands.items():
        assert f".SS pid1lint {name}" in plain
        options = [param for param in command.params if isinstance(param, click.Option)]
        records = [option.get_help_record(click.Context(command)) for option in options]
        told = [(option, " ".join(text.replace("`", "").split())) for option, text in filter(None, records)]
        assert [option for option, text in told if f".TP {option} {text}" not in plain] == []


def test_what_could_be_a_command_of_roff_is_none() -> None:
    assert manpage._text(".pid1lint.toml") == r"\&.pid1lint.toml"
    assert manpage._text(r"'a\b' --fix") == r"\&'a\eb' \-\-fix"


def test_mandoc_has_nothing_against_the_page() -> None:
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")
    # A version that is not released yet has no day.
    done = subprocess.run(["mandoc", "-T", "lint", manpage.PAGE], capture_output=True, text=True, check=False)
    assert [line for line in done.stdout.splitlines() if "missing date" not in line] == []
