"""A project in memory, and what is said of one of its files."""

from __future__ import annotations

from collections.abc import Mapping

from pid1lint import deployed, linter, registry
from pid1lint.deploy import read
from pid1lint.deploy.project import Project
from pid1lint.deployment import Deployment
from pid1lint.diagnostic import Diagnostic
from pid1lint.image.context import BuildContext
from pid1lint.launch import Launch
from pid1lint.report.text import concise

Files = Mapping[str, str]


def project(files: Files) -> Project:
    modes = {path: 0o755 if path.endswith(".sh") else 0o644 for path in files}
    return Project(BuildContext.of(files, modes))


def deployments(files: Files, path: str = "compose.yaml") -> dict[str, Deployment]:
    return {each.name: each for each in read.content(path, project(files)).deployments}


def judged(files: Files, path: str = "compose.yaml", *select: str, **wanted: object) -> linter.Result:
    options = deployed.Wanted(**wanted)  # type: ignore[arg-type]
    result = deployed.judge(path, project(files), registry.chosen(select, ()), options)
    assert not result.crashes
    return result


def launches(files: Files, path: str = "compose.yaml") -> dict[str, Launch]:
    found = judged(files, path).launches
    return {each.image.deployment.name: each for each in found if each.image.deployment is not None}


def lines(files: Files, path: str = "compose.yaml", *select: str) -> list[str]:
    """What is reported at warning or above, as `--format concise` prints it."""
    return [concise(each) for each in worst(files, path, *select)]


def worst(files: Files, path: str = "compose.yaml", *select: str) -> list[Diagnostic]:
    return [each for each in judged(files, path, *select).diagnostics if each.severity.rank >= 1]
