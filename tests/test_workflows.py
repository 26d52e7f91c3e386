"""The workflows: each action is pinned, no text of others is taken for code, and zizmor has nothing against them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import schemas

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USES = re.compile(r"^\s*-? ?uses: (?P<what>\S+)(?P<comment>.*)$", re.MULTILINE)


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_workflow_fits_its_schema(path: Path) -> None:
    # YAML 1.1 takes `on` for a boolean.
    document = {"on" if key is True else key: value for key, value in loaded(path).items()}
    for job in document["jobs"].values():
        # The schema's lists of runners and of permissions are older than these.
        job["runs-on"] = re.sub(r"-[\d.]+$", "-latest", job["runs-on"])
        job["permissions"].pop("attestations", None)
    assert schemas.complaints(document, schemas.GITHUB_WORKFLOW) == []


@pytest.mark.parametrize("path", [*FILES, ROOT / "action.yml"], ids=lambda path: path.stem)
def test_every_action_is_pinned_by_its_commit_with_its_version_beside_it(path: Path) -> None:
    used = [(match["what"], match["comment"]) for match in USES.finditer(path.read_text(encoding="utf-8"))]
    assert used
    assert [what for what, _ in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", what)] == []
    assert [what for what, comment in used if not re.fullmatch(r" # v\d+\.\d+\.\d+", comment)] == []


def test_one_version_of_an_action_is_used_everywhere() -> None:
    used = {
        (match["what"].partition("@")[0], match["what"], match["comment"])
        for path in [*FILES, ROOT / "action.yml"]
        for match in USES.finditer(path.read_text(encoding="utf-8"))
    }
    assert len(used) == len({name for name, _, _ in used})


def test_no_expression_stands_in_a_script() -> None:
    scripts = [
        step["run"] for path in FILES for job in loaded(path)["jobs"].values() for step in job["steps"] if "run" in step
    ]
    assert scripts
    assert [script for script in scripts if "${{" in script] == []


def test_every_python_that_is_declared_is_tried_on_three_systems() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [line.rpartition(" ")[2] for line in project["classifiers"] if re.search(r":: 3\.\d+$", line)]
    jobs = loaded(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    assert [jobs[name]["strategy"]["matrix"]["python"] for name in ("linux", "macos", "windows")] == [declared] * 3


def test_what_the_job_on_windows_tries_is_there() -> None:
    jobs = loaded(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    words = " ".join(step.get("run", "") for step in jobs["windows"]["steps"]).split()
    tried = [word for word in words if word.startswith("tests/")]
    assert tried
    assert [path for path in tried if not (ROOT / path).exists()] == []


def test_only_the_jobs_that_publish_may_write() -> None:
    writers = {
        (path.stem, name, permission)
        for path in FILES
        for name, job in loaded(path)["jobs"].items()
        for permission, value in job["permissions"].items()
        if value == "write"
    }
    assert writers == {
        ("docs", "deploy", "id-token"),
        ("docs", "deploy", "pages"),
        ("release", "attest", "attestations"),
        ("release", "attest", "id-token"),
        ("release", "github", "contents"),
        ("release", "pypi", "id-token"),
    }


def test_zizmor_has_nothing_against_them() -> None:
    zizmor = shutil.which("zizmor", path=str(Path(sys.executable).parent)) or shutil.which("zizmor")
    if zizmor is None:
        pytest.skip("zizmor is not installed")
    command = [zizmor, "--offline", "--persona", "pedantic", "--no-progress", ".github", "action.yml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
