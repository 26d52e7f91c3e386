"""Settings of what a deployment's file runs: given, renamed, taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pid1lint.fix import Edit
    from pid1lint.launch.launch import Launch


def setting(launch: Launch, key: str, value: str) -> tuple[Edit, ...] | None:
    """A setting for what a deployment's file runs; None where its format, or its file, has no place for it."""
    deployment = launch.image.deployment
    return None if deployment is None or deployment.edits is None else deployment.edits.setting(key, value)


def renamed(launch: Launch, key: str, name: str) -> tuple[Edit, ...] | None:
    """Another name for a setting of what a deployment's file runs; None where there is one of that name already."""
    deployment = launch.image.deployment
    return None if deployment is None or deployment.edits is None else deployment.edits.renamed(key, name)


def without_setting(launch: Launch, key: str) -> tuple[Edit, ...] | None:
    """Take a setting out of what a deployment's file runs; None where it is written elsewhere."""
    deployment = launch.image.deployment
    return None if deployment is None or deployment.edits is None else deployment.edits.without(key)
