"""Which launch a finding is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pid1lint.diagnostic import Diagnostic

if TYPE_CHECKING:
    from pid1lint.launch.launch import Launch

Key = tuple[str, str, str, str]


def key_of(launch: Launch) -> Key:
    """What tells a launch from others: its Dockerfile and stage, and the deployment's file and name."""
    deployment = launch.image.deployment
    path, name = (deployment.path, deployment.name) if deployment is not None else ("", "")
    return launch.dockerfile, launch.stage, path, name


def launch_of(diagnostic: Diagnostic) -> Key:
    """The key of the launch that a finding is about."""
    deployment = diagnostic.deployment
    path, name = (deployment.path, deployment.name) if deployment is not None else ("", "")
    return diagnostic.dockerfile, diagnostic.stage, path, name
