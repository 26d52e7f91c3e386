"""What is released: the same bytes from every folder and at every time, and nothing that does not belong there."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import time
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from pid1lint.config import NAMES
from release import distributions, extension, templates, tree
from release.tree import Home, ReleaseError

ROOT = Path(__file__).parents[1]
PROJECT: Any = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HOME = Home("https://example.org/me/pid1lint", "https://docs.example.org/pid1lint")
NO_HOME = Home()
EPOCH = "1700000000"

if shutil.which("git") is None or not (ROOT / ".git").exists():
    pytest.skip("a release is built from what git knows", allow_module_level=True)


def built(folder: Path, home: Home = NO_HOME) -> tuple[Path, Path, Path]:
    """A tree, its source distribution and its wheel."""
    copied = folder / "tree"
    copied.mkdir(parents=True)
    tree.copy(copied, home)
    return copied, *distributions.build(copied, folder / "dist", EPOCH)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return built(tmp_path_factory.mktemp("release"))


def test_two_builds_in_different_folders_at_different_times_are_the_same_bytes(
    release: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    before = os.umask(0o077)
    try:
        copied, *_ = built(tmp_path / "somewhere else")
        old = time.time() - 1_000_000
        for path in copied.rglob("*"):
            os.utime(path, (old, old))
        again = distributions.build(copied, tmp_path / "later", EPOCH)
    finally:
        os.umask(before)
    for one, other in zip(release[1:], again, strict=True):
        assert one.name == other.name
        assert one.read_bytes() == other.read_bytes()


def test_metadata_and_contents_are_in_order(release: tuple[Path, Path, Path]) -> None:
    distributions.check(*release)


def test_the_wheel_has_the_rules_and_the_manual_and_no_tests(release: tuple[Path, Path, Path]) -> None:
    names = zipfile.ZipFile(release[2]).namelist()
    assert "pid1lint/rules/missing_exec.py" in names
    assert "pid1lint/py.typed" in names
    assert f"pid1lint-{tree.version()}.data/data/share/man/man1/pid1lint.1" in names
    assert [name for name in names if "test_" in name or name.endswith(".pyc") or "/." in name] == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param(
            lambda folder: (folder / "rules/new.py").write_text(""), "rules/new.py is missing", id="a new rule"
        ),
        pytest.param(lambda folder: (folder / "rules/no_init.py").unlink(), "does not belong there", id="one too many"),
        pytest.param(
            lambda folder: (folder / "README.md").write_text(""), "README.md is another one", id="another one"
        ),
    ],
)
def test_what_is_wrong_with_the_contents_is_told(
    change: Any, complaint: str, release: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    shutil.copytree(release[0], tmp_path / "tree")
    change(tmp_path / "tree")
    with pytest.raises(ReleaseError, match=complaint):
        distributions.check(tmp_path / "tree", *release[1:])


def test_the_context_of_the_image_builds_the_very_wheel(release: tuple[Path, Path, Path], tmp_path: Path) -> None:
    context = distributions.image_context(release[0], tmp_path, release[2], EPOCH)
    with tarfile.open(context) as archive:
        names = archive.getnames()
    assert {"Dockerfile", ".dockerignore", "pid1lint/cli.py", "rules/missing_exec.py"} <= {*names}
    assert [name for name in names if name.startswith(("tests", "docs", ".git"))] == []


def test_without_a_home_no_address_is_in_the_metadata(release: tuple[Path, Path, Path]) -> None:
    assert metadata(release[2]).get_all("Project-URL") is PROJECT.get("urls")


def test_a_home_that_is_given_reaches_the_metadata_and_the_links_of_readme(tmp_path: Path) -> None:
    made = metadata(built(tmp_path, HOME)[2])
    assert made.get_all("Project-URL") == [
        "Repository, https://example.org/me/pid1lint",
        "Documentation, https://docs.example.org/pid1lint",
    ]
    blob = f"{HOME.repository}/blob/v{tree.version()}"
    assert f"]({blob}/docs/" in made.get_payload()
    assert "](docs/" not in made.get_payload()


def metadata(wheel: Path) -> Any:
    text = zipfile.ZipFile(wheel).read(f"pid1lint-{tree.version()}.dist-info/METADATA").decode("utf-8")
    return HeaderParser().parsestr(text)


def test_readme_links_to_files_by_whole_addresses_and_leaves_others_alone() -> None:
    readme = "![A](docs/a.svg) [B](docs/b.md#c) [C](#c) [D](https://example.com/d)"
    assert tree._linked(readme, "https://example.org/me", "1.0") == (
        "![A](https://example.org/me/raw/v1.0/docs/a.svg) [B](https://example.org/me/blob/v1.0/docs/b.md#c) "
        "[C](#c) [D](https://example.com/d)"
    )


def test_a_tag_of_another_version_is_refused() -> None:
    with pytest.raises(ReleaseError, match=r"the tag is v0\.0\.1, but"):
        tree.check_version("v0.0.1")


# The bounds of what it depends on


def test_the_lowest_versions_are_the_bounds_of_the_project() -> None:
    listed = (ROOT / "release" / "lowest.txt").read_text(encoding="utf-8").splitlines()
    wanted = []
    for dependency in map(Requirement, PROJECT["dependencies"]):
        (bound,) = (each.version for each in dependency.specifier if each.operator == ">=")
        wanted.append(f"{dependency.name}=={bound}" + (f" ; {dependency.marker}" if dependency.marker else ""))
    assert [str(Requirement(line)) for line in listed if not line.startswith("#")] == [
        str(Requirement(line)) for line in wanted
    ]


def test_the_tree_is_what_git_knows(release: tuple[Path, Path, Path]) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in listed if (ROOT / name).exists() and not (release[0] / name).exists()] == []
    assert not (release[0] / ".venv").exists()


# The templates


LOCKED: Any = {
    "packages": [
        {"name": "click", "sdist": {"url": "https://example.org/click.tar.gz", "hashes": {"sha256": "ab" * 32}}},
        {"name": "colorama", "marker": "sys_platform == 'win32'"},
        {
            "name": "isal",
            "marker": "platform_machine == 'arm64' or platform_machine == 'x86_64'",
            "sdist": {"url": "https://example.org/isal.tar.gz", "hashes": {"sha256": "cd" * 32}},
        },
    ]
}


def test_the_formula_has_a_source_for_each_dependency_of_linux_and_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    # What uv would find out in the network.
    monkeypatch.setattr(templates, "locked", lambda _: LOCKED)
    formula = templates.formula(ROOT, ROOT / "README.md", HOME)
    assert re.findall(r'^  resource "(\w+)" do\n    url "(.+)"\n    sha256 "(.+)"\n  end$', formula, re.MULTILINE) == [
        ("click", "https://example.org/click.tar.gz", "ab" * 32),
        ("isal", "https://example.org/isal.tar.gz", "cd" * 32),
    ]
    assert 'homepage "https://example.org/me/pid1lint"' in formula
    assert f'url "https://example.org/me/pid1lint/releases/download/v{tree.version()}/README.md"' in formula
    digest = hashlib.sha256((ROOT / "README.md").read_bytes()).hexdigest()
    assert f'  sha256 "{digest}"\n  license' in formula
    assert 'depends_on "python@3.13"' in formula
    assert len(re.findall(r"\bdo$", formula, re.MULTILINE)) == 3
    assert max(map(len, formula.splitlines())) <= 120


def test_a_dependency_without_a_source_distribution_is_refused() -> None:
    with pytest.raises(ReleaseError, match=r"click 8\.1 has no source distribution"):
        list(templates.resources({"packages": [{"name": "click", "version": "8.1"}]}))


def test_the_entry_for_schemastore_names_our_files_and_where_the_documentation_has_the_schema() -> None:
    entry = json.loads(templates.catalog_entry(HOME))
    assert entry["url"] == "https://docs.example.org/pid1lint/pid1lint.schema.json"
    assert set(entry["fileMatch"]) == set(NAMES) - {"pyproject.toml"}


def test_no_place_of_a_template_stays_empty() -> None:
    assert templates.fill("a @B2@ @C_D@ a@@E@ a@b.c", {"B2": "1", "C_D": "2", "E": "3"}) == "a 1 2 a@3 a@b.c"
    with pytest.raises(ReleaseError, match="nothing is known for REPOSITORY, URL"):
        templates.formula(ROOT, ROOT / "README.md", NO_HOME)
    with pytest.raises(ReleaseError, match="nothing is known for DOCUMENTATION"):
        templates.catalog_entry(NO_HOME)


# The whole of it


def test_without_npm_the_extension_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        ReleaseError, match=r"npm is not installed: .* needs Node\.js 20 or newer; VSIX=no leaves it out"
    ):
        extension.build(ROOT, tmp_path, NO_HOME, EPOCH)


def test_the_changelog_and_the_extension_are_of_the_version() -> None:
    tree.check_version(f"v{tree.version()}")
