"""The hooks, run by pre-commit itself from a clone of this repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from pid1lint import discover

ROOT = Path(__file__).parents[1]
DOCKERFILE = 'FROM debian:12\nCOPY --chmod=755 run.sh /\nENTRYPOINT ["/run.sh"]\n'
SCRIPT = "#!/bin/sh\nset -e\njava -jar app.jar\n"
MENDED = "#!/bin/sh\nset -e\nexec java -jar app.jar\n"
FINDING = "run.sh:3:1: PID201 sh stays PID 1 and keeps SIGTERM from java: docker stop waits 10 s, then kills it\n"

Hook = Callable[..., "subprocess.CompletedProcess[str]"]


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment()).stdout.strip()


def environment() -> dict[str, str]:
    """The environment without what git tells the programs that it runs."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTHONPATH"))}


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """A clone of this repository as it stands, and the environment in which pre-commit has installed it."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone of the repository")
    clone = tmp_path_factory.mktemp("clone")
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)
    git(clone, "init", "--quiet")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "All of it")
    env = {**environment(), "PRE_COMMIT_HOME": str(tmp_path_factory.mktemp("cache"))}
    repository = scratch(tmp_path_factory.mktemp("install"), clone)
    made = pre_commit(repository, env, "install-hooks")
    if made.returncode != 0:
        reason = f"pre-commit cannot install pid1lint: {made.stdout[-600:]}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    yield clone, env


def scratch(folder: Path, clone: Path) -> Path:
    """A repository that uses the clone's hooks."""
    known = [hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())]
    revision = git(clone, "rev-parse", "HEAD")
    repo = {"repo": str(clone), "rev": revision, "hooks": [{"id": hook} for hook in known]}
    git(folder, "init", "--quiet")
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [repo]}))
    return folder


def pre_commit(folder: Path, env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pre_commit", *arguments, "--color=never"]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def run(hooks: tuple[Path, dict[str, str]], tmp_path: Path) -> Hook:
    """Run a hook in a repository of some files: on all of them, or on those named."""
    clone, env = hooks
    scratch(tmp_path, clone)

    def call(hook: str, contents: dict[str, str], *names: str) -> subprocess.CompletedProcess[str]:
        for name, text in contents.items():
            (tmp_path / name).write_text(text)
        git(tmp_path, "add", "--all")
        return pre_commit(tmp_path, env, "run", hook, *(("--files", *names) if names else ("--all-files",)))

    return call


def test_pid1lint_reports_what_it_finds(run: Hook) -> None:
    result = run("pid1lint", {"Dockerfile": DOCKERFILE, "run.sh": SCRIPT})
    assert result.returncode == 1
    assert FINDING in result.stdout


def test_what_is_in_order_passes(run: Hook) -> None:
    result = run("pid1lint", {"Dockerfile": DOCKERFILE, "run.sh": MENDED})
    assert result.stdout.endswith("Passed\n"), result.stdout


def test_a_changed_script_is_checked_through_its_dockerfile(run: Hook) -> None:
    result = run("pid1lint", {"Dockerfile": DOCKERFILE, "run.sh": SCRIPT}, "run.sh")
    assert FINDING in result.stdout


def test_pid1lint_fix_mends_and_fails_so_that_the_change_is_seen(run: Hook, tmp_path: Path) -> None:
    result = run("pid1lint-fix", {"Dockerfile": DOCKERFILE, "run.sh": SCRIPT})
    assert result.returncode == 1
    assert "files were modified by this hook" in result.stdout
    assert (tmp_path / "run.sh").read_text() == MENDED


@pytest.mark.parametrize("name", ["Dockerfile-dev", "app.dockerfile", "Containerfile", "dockerfile.prod"])
def test_other_names_of_dockerfiles_are_found_by_name(run: Hook, name: str) -> None:
    result = run("pid1lint-files", {name: DOCKERFILE, "run.sh": SCRIPT}, name)
    assert FINDING in result.stdout


def test_a_script_without_an_extension_is_found_by_name(run: Hook, tmp_path: Path) -> None:
    files = {"Dockerfile": DOCKERFILE.replace("run.sh", "docker-entrypoint"), "docker-entrypoint": SCRIPT}
    result = run("pid1lint-fix-files", files, "docker-entrypoint")
    assert result.returncode == 1
    assert (tmp_path / "docker-entrypoint").read_text() == MENDED


def test_other_files_are_left_alone(run: Hook) -> None:
    files = {"README.md": "# x\n", "Dockerfile.md": "# x\n", "Dockerfile-dev.j2": "{{ x }}\n", "values.yml": "x: [\n"}
    assert "no files to check" in run("pid1lint-files", files).stdout
    # YAML is looked into, and passed over where it runs nothing.
    assert run("pid1lint", files).stdout.endswith("Passed\n")


def test_a_changed_compose_file_is_checked(run: Hook) -> None:
    compose = "services: {web: {image: 'debian:12', command: sh -c 'gunicorn app; true'}}\n"
    assert "PID102 service web: sh stays PID 1" in run("pid1lint", {"compose.yaml": compose}).stdout


def test_the_hooks_leave_out_what_a_search_leaves_out() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (exclude,) = {hook["exclude"] for hook in hooks}
    # A script may well be called Dockerfile.sh.
    endings = {*discover._OTHER, "dev", "prod", "12"} - {"sh"}
    for name in [f"{stem}.{ending}" for stem in ("Dockerfile", "a/Containerfile-x") for ending in endings]:
        left_out = re.search(exclude, name) is not None
        assert left_out is not discover.is_dockerfile_name(Path(name).name), name
