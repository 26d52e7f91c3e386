from __future__ import annotations

import os
from pathlib import Path

import pytest

from pid1lint import patterns
from pid1lint.errors import UnreadableError
from pid1lint.files import MAX_BYTES, repository_root
from pid1lint.image.context import BuildContext, DiskContext, MemoryContext, find_context


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "run.sh").write_text("#!/bin/sh\n")
    (root / "bin" / "run.sh").chmod(0o755)
    (root / "plain.txt").write_text("x")
    (root / "plain.txt").chmod(0o644)
    (tmp_path / "secret").write_text("s")
    return root


def test_files_of_the_context_are_read(tree: Path) -> None:
    context = DiskContext(str(tree))
    assert context.read("bin/run.sh") == b"#!/bin/sh\n"
    assert context.read("/bin/./run.sh") == b"#!/bin/sh\n"
    assert context.read("nope") is None
    assert context.read("bin") is None
    assert [context.mode("bin/run.sh"), context.mode("plain.txt"), context.mode("nope")] == [0o755, 0o644, None]
    assert [context.is_dir(path) for path in ("", ".", "bin", "plain.txt", "nope")] == [True, True, True, False, False]
    assert context.entries("") == ("bin", "plain.txt")
    assert context.list("") == ("bin/run.sh", "plain.txt")


@pytest.mark.parametrize(
    "path", ["../secret", "bin/../../secret", "/../secret", "link", "dir/secret", "a\0b", "\ud800"]
)
def test_nothing_outside_the_root_is_read(tree: Path, path: str) -> None:
    os.symlink(tree.parent / "secret", tree / "link")
    os.symlink("..", tree / "dir")
    context = DiskContext(str(tree))
    assert context.read(path) is None
    assert context.mode(path) is None
    assert not context.is_file(path)


def test_links_within_the_root_are_followed_and_loops_end(tree: Path) -> None:
    os.symlink("bin/run.sh", tree / "inside")
    os.symlink("loop", tree / "loop")
    os.symlink(".", tree / "bin" / "self")
    context = DiskContext(str(tree))
    assert context.read("inside") == b"#!/bin/sh\n"
    assert context.read("loop") is None
    assert context.list("bin") == ("run.sh",)


def test_only_regular_files_of_a_bounded_size_are_read(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    (tree / "large").write_bytes(b"x" * (MAX_BYTES + 1))
    context = DiskContext(str(tree), display_root=str(tree))
    assert context.read("pipe") is None
    with pytest.raises(UnreadableError, match="large is larger than 5 MB"):
        context.read("large")


def test_paths_are_shown_relative_to_a_directory(tree: Path) -> None:
    assert DiskContext(str(tree), display_root=str(tree.parent)).display("/bin/run.sh") == "root/bin/run.sh"
    assert DiskContext(str(tree), display_root=str(tree / "bin")).display("plain.txt") == "../plain.txt"


def test_a_context_in_memory() -> None:
    context = BuildContext.of({"a/b.sh": "x", "/c": b"\xff", "é": "\udcff"}, {"a/b.sh": 0o755})
    assert isinstance(context, MemoryContext)
    assert [context.read(path) for path in ("a/b.sh", "c", "é", "d")] == [b"x", b"\xff", b"\xff", None]
    assert [context.mode("a/b.sh"), context.mode("c")] == [0o755, None]
    assert [context.is_dir("a"), context.is_dir("a/b.sh"), context.is_file("a/b.sh")] == [True, False, True]
    assert context.entries("") == ("a", "c", "é")
    assert context.list("/") == ("a/b.sh", "c", "é")


@pytest.mark.parametrize(
    ("rules", "path", "ignored"),
    [
        pytest.param("*.md", "a.md", True, id="wildcard"),
        pytest.param("*.md", "d/a.md", False, id="a wildcard does not cross directories"),
        pytest.param("**/*.md", "d/e/a.md", True, id="two stars do"),
        pytest.param("**/*.md", "a.md", True, id="two stars stand for no directory too"),
        pytest.param("d", "d/e/f", True, id="all that lies below"),
        pytest.param("/d/", "d/e", True, id="slashes around"),
        pytest.param("d/**", "d/e/f", True, id="stars at the end"),
        pytest.param("d/**", "d", False, id="stars at the end leave the directory"),
        pytest.param("*\n!a.sh", "a.sh", False, id="exception"),
        pytest.param("!a.sh\n*", "a.sh", True, id="the last rule decides"),
        pytest.param("d\n!d/a.sh", "d/a.sh", False, id="exception below a directory"),
        pytest.param("*\n!d", "d/a.sh", False, id="an exception is for all below"),
        pytest.param("# a\n\n  a  ", "a", True, id="comments and blanks"),
        pytest.param(" #a", "#a", True, id="a comment starts in the first column"),
        pytest.param("a?c", "abc", True, id="question mark"),
        pytest.param("a?c", "a/c", False, id="question mark is no slash"),
        pytest.param("[a-c].sh", "b.sh", True, id="class"),
        pytest.param("[^a-c].sh", "b.sh", False, id="negated class"),
        pytest.param("\\*", "*", True, id="escape"),
        pytest.param("[", "[", False, id="malformed"),
        pytest.param("**foo", "a/xfoo", True, id="stars glued to a name"),
        pytest.param("d/../a", "a", True, id="normalised"),
        pytest.param(".", "a", False, id="the root itself"),
        pytest.param("**", "a/b", True, id="everything"),
        pytest.param("a.sh", "aXsh", False, id="a dot is a dot"),
    ],
)
def test_dockerignore(rules: str, path: str, ignored: bool) -> None:
    assert BuildContext.of({".dockerignore": rules}).ignored(path) is ignored


def test_the_dockerfiles_own_dockerignore_goes_first(tree: Path) -> None:
    (tree / ".dockerignore").write_text("bin\n")
    (tree / "app.Dockerfile.dockerignore").write_text("\ufeffplain.txt\n")
    own = DiskContext(str(tree), dockerfile=str(tree / "app.Dockerfile"))
    assert [own.ignored("bin/run.sh"), own.ignored("plain.txt")] == [False, True]
    other = DiskContext(str(tree), dockerfile=str(tree / "Dockerfile"))
    assert [other.ignored("bin/run.sh"), other.ignored("plain.txt")] == [True, False]
    memory = MemoryContext({"x.dockerignore": "a", ".dockerignore": "b"}, dockerfile="x")
    assert [memory.ignored("a"), memory.ignored("b")] == [True, False]


def test_go_match_knows_no_malformed_pattern() -> None:
    assert patterns.go("[") is None


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        pytest.param(["run.sh"], "app", id="beside the Dockerfile"),
        pytest.param(["app/run.sh"], "", id="in an ancestor"),
        pytest.param(["."], "app", id="the context itself says nothing"),
        pytest.param(["target/app.jar"], "app", id="not built yet"),
        pytest.param(["app/*.sh", "lib/*"], "", id="wildcards by their directory"),
        pytest.param(["app/run.sh", "target/app.jar"], "", id="some of them"),
        pytest.param(["top.txt", "run.sh"], "app", id="the nearest of equals"),
        pytest.param(["outside.txt"], "app", id="never above the repository"),
    ],
)
def test_find_context(tmp_path: Path, sources: list[str], expected: str) -> None:
    repository = tmp_path / "repo"
    (repository / ".git").mkdir(parents=True)
    for name in ("app/run.sh", "lib/x", "top.txt", "../outside.txt"):
        path = repository / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    dockerfile = str(repository / "app" / "Dockerfile")
    assert find_context(dockerfile, sources) == str(repository / expected).rstrip("/")
    assert find_context(dockerfile, sources, str(repository)) == str(repository / expected).rstrip("/")
    assert repository_root(str(repository / "app")) == str(repository)
