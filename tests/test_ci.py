"""What a CI server is given: the action for GitHub, the job for GitLab, the image."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pid1lint import Outcome, trace
from pid1lint.check import Options, check
from pid1lint.image.context import DiskContext
from tests import schemas

ROOT = Path(__file__).parents[1]
ACTION: Any = yaml.safe_load((ROOT / "action.yml").read_text())
DOCKERFILE = 'FROM debian:12\nCOPY --chmod=755 run.sh /\nENTRYPOINT ["/run.sh"]\n'
SCRIPT = "#!/bin/sh\nset -e\njava -jar app.jar\n"
COMMAND = (
    "::error title=PID201 missing-exec,file=run.sh,line=3,endLine=3,col=1,endColumn=18::sh stays PID 1 and keeps "
    "SIGTERM from java: docker stop waits 10 s, then kills it%0AFix: Put exec before java (--fix)\n"
)


def test_the_action_fits_its_schema() -> None:
    assert schemas.complaints(ACTION, schemas.GITHUB_ACTION) == []


def test_no_input_is_taken_for_code() -> None:
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert scripts
    assert not any("${{" in script for script in scripts)


def act(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the action's last step, as a runner does, in a directory with a script that hangs."""
    work, program = folder / "work", folder / "venv/bin/pid1lint"
    work.mkdir()
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m pid1lint "$@"\n')
    program.chmod(0o755)
    (work / "Dockerfile").write_text(DOCKERFILE)
    (work / "run.sh").write_text(SCRIPT)
    step = ACTION["runs"]["steps"][-1]
    defaults = {name: declared["default"] for name, declared in ACTION["inputs"].items()}
    given = defaults | {name.replace("_", "-"): value for name, value in inputs.items()}
    named = {name: re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", value) for name, value in step["env"].items()}
    env = {name: given[match[1]] for name, match in named.items() if match}
    env |= {"VENV": str(folder / "venv"), "GITHUB_STEP_SUMMARY": str(folder / "summary.md"), "PATH": os.environ["PATH"]}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    return subprocess.run(command, cwd=work, env=env, capture_output=True, text=True, check=False)


def test_the_action_annotates_summarises_and_fails(tmp_path: Path) -> None:
    result = act(tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (1, COMMAND, "")
    assert "1 Dockerfile checked: 1 error in 1 file." in (tmp_path / "summary.md").read_text()


def test_the_action_writes_sarif_and_takes_options(tmp_path: Path) -> None:
    result = act(
        tmp_path,
        sarif_file="out.sarif",
        annotations="false",
        summary="false",
        args="--exit-zero -q",
        paths="Dockerfile run.sh",
    )
    assert result.returncode == 0
    assert result.stdout.startswith("run.sh:3:1: PID201 ")
    assert json.loads((tmp_path / "work/out.sarif").read_text())["version"] == "2.1.0"
    assert not (tmp_path / "summary.md").exists()


@pytest.mark.parametrize("address", [schemas.GITLAB_CI])
def test_the_job_for_gitlab_fits_its_schema(address: str) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/ci.md").read_text(), re.DOTALL)
    (job,) = (block for block in blocks if "codequality:" in block)
    assert schemas.complaints(yaml.safe_load(job), address) == []


def test_our_own_image_is_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert check("Dockerfile", Options(select=("all",)), {}).diagnostics == ()
    (launch,) = trace(Path("Dockerfile").read_text(), DiskContext("."))
    assert launch.outcome is Outcome.GRACEFUL


def test_our_own_image_gets_all_that_its_build_needs_and_no_more() -> None:
    context = DiskContext(str(ROOT))
    needed = ("pyproject.toml", "README.md", "LICENSE", "pid1lint/cli.py", "rules/missing_exec.py")
    assert [path for path in needed if context.ignored(path) or not context.is_file(path)] == []
    assert all(map(context.ignored, ("tests/test_ci.py", ".git/config", "pid1lint/__pycache__/cli.pyc")))
