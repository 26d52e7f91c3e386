"""Patterns match as git, bash and Go have it, and never take longer for being made to."""

from __future__ import annotations

import random
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pid1lint import patterns
from pid1lint.gitignore import Rules
from pid1lint.image.context import MemoryContext
from pid1lint.launch import values

STARS = 40
LONG = "a" * 300


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        pytest.param("*.sh", "run.sh", True, id="a star"),
        pytest.param("*.sh", "bin/run.sh", False, id="a star is no slash"),
        pytest.param("a*b*c*d", "a-b-c-d", True, id="several stars"),
        pytest.param("a*b*c*d", "a-b-c/d", False, id="of which none is a slash"),
        pytest.param("[a-c]?", "b/", False, id="a question mark is no slash"),
        pytest.param("[^a-c]", "d", True, id="all others"),
        pytest.param("[!a-c]", "!", True, id="for Go an exclamation mark is one of them"),
        pytest.param("[c-a]", "b", False, id="from the higher to the lower there is nothing"),
        pytest.param("\\*", "*", True, id="a backslash"),
        pytest.param("a\\", "a\\", True, id="a backslash at the end"),
    ],
)
def test_wildcards_of_copy_are_gos(pattern: str, text: str, expected: bool) -> None:
    compiled = patterns.go(pattern)
    assert compiled is not None
    assert compiled.matches(text) is expected


def test_a_class_that_is_never_closed_is_no_pattern_for_go() -> None:
    assert patterns.go("[a") is None
    assert patterns.docker("x/[a") is None


def batches(rows: list[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(rows[at : at + size]) for at in range(0, len(rows) - size + 1, size)]


def made_up(chooser: random.Random, alphabet: list[str], longest: int) -> str:
    return "".join(chooser.choice(alphabet) for _ in range(chooser.randint(1, longest)))


LINES = (
    "**/a a/** a/**/b /a !a [[:alpha:]] [a-z]/ */b [z-a] a\\ ! \\ / // /* a/ ** *** a**b [!a] [^a]/b []a] []-a] [a-] "
    "\\!a a\\ #a \\#a *.b a*b*"
).split(" ")
NAMES = ["a", "b", "ab", "abz", "a b", "a.b", "-", "!a", "]", "*", "\\a", "a ", "a\\", "#a"]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("seed", range(4))
def test_git_ignores_the_same(tmp_path: Path, seed: int) -> None:
    chooser = random.Random(seed)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    command = ["git", "-C", str(tmp_path), "check-ignore", "--no-index", "-z", "-v", "-n", "--stdin"]
    ignored = 0
    for _ in range(12):
        alphabet = [*"aab*?/![]\\-^z. ", "**"]
        lines = [chooser.choice((made_up(chooser, alphabet, 6), chooser.choice(LINES))) for _ in range(3)]
        (tmp_path / ".gitignore").write_text("\n".join(lines) + "\n")
        paths = {"/".join(chooser.choice(NAMES) for _ in range(chooser.randint(1, 4))) for _ in range(200)}
        told = subprocess.run(command, input="\0".join(paths) + "\0", capture_output=True, text=True, check=False)
        rows = told.stdout.split("\0")
        git = {path: bool(source) and not line.startswith("!") for source, _, line, path in batches(rows, 4)}
        rules = Rules.of(lines)
        assert {path: rules.ignore(path) for path in git} == git, lines
        ignored += sum(git.values())
    assert ignored > 100


def questions(count: int) -> Iterator[tuple[str, str]]:
    chooser = random.Random(count)
    alphabet = [*"ab*?]\\-^!/.z", "*", "[a-b]", "[!a]", "[[:alpha:]]"]
    for _ in range(count):
        # What a backslash at the end stands for, and a `[` that is never closed, hangs on the shell.
        yield made_up(chooser, alphabet, 6).rstrip("\\") or "a", made_up(chooser, [*"abz/.-]^[\\"], 7)
    yield from (("*", ""), ("", "a"), ("?", ""), ("a*", "aXaYa"))


def test_bash_matches_strips_and_replaces_the_same() -> None:
    asked = list(questions(1500))
    lines = [
        f"x={shlex.quote(text)}; p={shlex.quote(pattern)}; case $x in $p) m=1;; *) m=0;; esac; printf '%s\\0' $m "
        '"${x#$p}" "${x##$p}" "${x%$p}" "${x%%$p}" "${x/$p/<>}" "${x//$p/<>}" "${x/#$p/<>}"'
        for pattern, text in asked
    ]
    bash = subprocess.run(["bash"], input="\n".join(lines), capture_output=True, text=True, check=True, env={})
    answers = batches(bash.stdout.split("\0"), 8)

    def ours(pattern: str, text: str) -> tuple[str, ...]:
        stripped = (values.strip(text, op, pattern) for op in ("#", "##", "%", "%%"))
        compiled = patterns.shell(pattern)
        end = compiled.prefix(text, longest=True)
        return (
            str(int(values.matches(text, pattern) is True)),
            *stripped,
            compiled.replaced(text, "<>", everywhere=False),
            compiled.replaced(text, "<>", everywhere=True),
            text if end is None else "<>" + text[end:],
        )

    assert [(one, ours(*one)) for one in asked] == list(zip(asked, answers, strict=True))


def seconds(work: object) -> float:
    assert callable(work)
    begun = time.process_time()
    work()
    return time.process_time() - begun


@pytest.mark.parametrize("star", ["a*", "*a", "?*", "[ab]*", "**/a*"])
def test_no_pattern_takes_for_ever(star: str) -> None:
    pattern = star * STARS + "b"
    copy = patterns.go(pattern)
    assert copy is not None
    ignores = MemoryContext({".dockerignore": f"{pattern}\n" * 10})
    git = Rules.of([pattern, f"/{pattern}", f"{pattern}/"] * 10)
    works = (
        lambda: copy.matches(LONG),
        lambda: ignores.ignored(LONG),
        lambda: git.ignore("/".join([LONG] * 10)),
        lambda: values.matches(LONG, pattern),
        lambda: [values.strip(LONG, op, pattern) for op in ("#", "##", "%", "%%")],
        lambda: values.replace(LONG, "//", f"{pattern.replace('/', '-')}/x"),
    )
    assert sum(map(seconds, works)) < 2


def test_a_long_text_takes_as_long_as_it_is() -> None:
    text = "ab" * 100_000
    assert seconds(lambda: patterns.shell("*a*a*c").matches(text)) < 2
    assert seconds(lambda: patterns.shell("*a*a*c").suffix(text, longest=True)) < 2
    assert seconds(lambda: patterns.shell("a*c").replaced(text, "", everywhere=True)) < 2
