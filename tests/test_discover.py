"""Dockerfiles are found by name; what git ignores is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from pid1lint.discover import dockerfiles, is_dockerfile_name, is_script


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    return tmp_path


def put(root: Path, *paths: str, text: str = "FROM debian:12\n") -> None:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.mark.parametrize(
    "name",
    "Dockerfile dockerfile Dockerfile.dev Dockerfile-dev app.Dockerfile app.dockerfile Containerfile "
    "Containerfile.alpine app.containerfile Dockerfile.3.12".split(),
)
def test_a_dockerfile_is_known_by_its_name(name: str) -> None:
    assert is_dockerfile_name(name)


@pytest.mark.parametrize(
    "name",
    "Dockerfile.md Dockerfile.dockerignore Dockerfile.j2 Dockerfile~ Dockerfile.orig dockerfiles my-dockerfile "
    "Dockerfile_test.py Dockerfile_x_test.go Dockerfile.tmpl Dockerfile.template Dockerfile.m4 Dockerfile.sh "
    ".dockerfile docker-compose.yml".split(),
)
def test_what_only_sounds_like_a_dockerfile_is_none(name: str) -> None:
    assert not is_dockerfile_name(name)


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        pytest.param("run.sh", b"ap", True, id="by extension"),
        pytest.param("docker-entrypoint", b"#!", True, id="by its first bytes"),
        pytest.param("image.txt", b"FR", False, id="neither"),
        pytest.param("docker/Dockerfile.sh-base", b"#!", False, id="a Dockerfile by name"),
    ],
)
def test_a_script_is_known_by_extension_or_shebang(name: str, head: bytes, expected: bool) -> None:
    assert is_script(name, head) is expected


def test_a_directory_is_searched_in_a_stable_order(tree: Path) -> None:
    put(tree, "b/Dockerfile", "Dockerfile.dev", "a/c/app.dockerfile", "Dockerfile", "README.md")
    assert list(dockerfiles(".")) == ["Dockerfile", "Dockerfile.dev", "a/c/app.dockerfile", "b/Dockerfile"]
    assert list(dockerfiles("a")) == ["a/c/app.dockerfile"]


def test_hidden_directories_and_packages_are_skipped(tree: Path) -> None:
    put(tree, ".hidden/Dockerfile", "node_modules/x/Dockerfile", ".git/Dockerfile")
    assert list(dockerfiles(".")) == []


def test_links_to_directories_are_not_followed(tree: Path) -> None:
    put(tree, "a/Dockerfile")
    (tree / "a" / "loop").symlink_to("..")
    (tree / "Dockerfile").symlink_to("a/Dockerfile")
    assert list(dockerfiles(".")) == ["Dockerfile", "a/Dockerfile"]


@pytest.mark.parametrize(
    ("ignore", "expected"),
    [
        pytest.param("/Dockerfile\n", ["a/Dockerfile", "a/b/Dockerfile"], id="anchored"),
        pytest.param("a/\n", ["Dockerfile"], id="a directory"),
        pytest.param("Dockerfile\n!/a/Dockerfile\n", ["a/Dockerfile"], id="negated"),
        pytest.param("# nothing\n\n", ["Dockerfile", "a/Dockerfile", "a/b/Dockerfile"], id="comments only"),
    ],
)
def test_what_git_ignores_is_left_out(tree: Path, ignore: str, expected: list[str]) -> None:
    put(tree, "Dockerfile", "a/Dockerfile", "a/b/Dockerfile")
    put(tree, ".gitignore", text=ignore)
    assert list(dockerfiles(".")) == expected


def test_the_nearest_gitignore_decides(tree: Path) -> None:
    put(tree, "Dockerfile", "a/Dockerfile")
    put(tree, ".gitignore", text="Dockerfile\n")
    put(tree, "a/.gitignore", text="!Dockerfile\n")
    assert list(dockerfiles(".")) == ["a/Dockerfile"]


def test_a_gitignore_above_the_searched_directory_counts(tree: Path) -> None:
    put(tree, "a/b/Dockerfile", "a/b/Dockerfile.dev")
    put(tree, ".gitignore", text="*.dev\n")
    put(tree, ".git/info/exclude", text="/a/b/Dockerfile\n")
    assert list(dockerfiles("a/b")) == []


def test_a_gitignore_above_the_repository_does_not_count(tree: Path) -> None:
    put(tree, "sub/.git/HEAD", "sub/Dockerfile")
    put(tree, ".gitignore", text="Dockerfile\n")
    assert list(dockerfiles("sub")) == ["sub/Dockerfile"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{{ header }}\nFROM debian:12\n", id="in place of an instruction"),
        pytest.param("FROM debian:12\n{% if debug %}\nRUN make\n{% endif %}\n", id="between instructions"),
        pytest.param("FROM {{ base }}\n", id="for the base image"),
        pytest.param("FROM debian:%%SUITE%%-slim\n", id="for a part of the base image"),
        pytest.param("<% if debug %>\nFROM debian:12\n<% end %>\n", id="ERB"),
        pytest.param("@@HEADER@@\nFROM debian:12\n", id="a placeholder of sed"),
        pytest.param("include(`base.m4')\nRUN make\n", id="m4"),
    ],
)
def test_a_template_is_no_dockerfile_yet(tree: Path, text: str) -> None:
    put(tree, "Dockerfile.debian", text=text)
    assert list(dockerfiles(".")) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("FROM debian:12\nCOPY <<EOF /etc/app.ctmpl\n{{ range services }}\nEOF\n", id="in a heredoc"),
        pytest.param("FROM debian:12\nRUN printf %s \\\n{{.Name}} > /f\n", id="in an argument"),
        pytest.param("FROM debian:12\n# {{ generated }}\n", id="in a comment"),
        pytest.param("FORM debian:12\n", id="a slip of the pen"),
        pytest.param("", id="nothing at all"),
    ],
)
def test_a_dockerfile_that_holds_a_template_is_one(tree: Path, text: str) -> None:
    put(tree, "Dockerfile", text=text)
    assert list(dockerfiles(".")) == ["Dockerfile"]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        pytest.param("Dockerfile.envs", "ENV A=1\nRUN make\n", False, id="instructions without a base image"),
        pytest.param("Dockerfile.get", "RUN {{get(\n  url\n)}}\n", False, id="a piece of a template"),
        pytest.param("Dockerfile.env", "# Settings\nA=1\nB=2\n", False, id="variables"),
        pytest.param("Dockerfile.notes", "# nothing to add here\n", False, id="comments"),
        pytest.param("Dockerfile.dev", "ARG TAG\nFROM debian:$TAG\n", True, id="with a base image"),
        pytest.param("Dockerfile.dev", "FORM debian:12\nRUN make\n", True, id="a slip of the pen"),
        pytest.param("Dockerfile", "RUN make\n", True, id="nothing else in its name"),
        pytest.param("base.Dockerfile", "RUN make\n", False, id="a piece named in front"),
    ],
)
def test_a_piece_to_be_included_is_no_dockerfile(tree: Path, name: str, text: str, expected: bool) -> None:
    put(tree, name, text=text)
    assert list(dockerfiles(".")) == [name] * expected
