"""What two readers make of the services of an application, in the same words."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from pid1lint import deployed, registry
from pid1lint.deploy import compose
from pid1lint.deploy.project import Project
from pid1lint.deployment import UNKNOWN, Given, Override, Words
from pid1lint.image.context import DiskContext

Answer = Mapping[str, object]
"""The keys of a service that are set, each variable as `environment NAME`; a string with UNKNOWN fits any."""
_PATIENCE = 10
"""The seconds that podman-compose has for an application."""
_TEXTS = ("stop_signal", "user", "working_dir")


def ours(root: Path, path: str) -> dict[str, Answer]:
    """What pid1lint reads; every rule has a look at it, too, and none may crash."""
    project = Project(DiskContext(str(root), str(root)))
    result = deployed.judge(path, project, registry.chosen((), ()), deployed.Wanted())
    if result.crashes:
        raise RuntimeError(str(result.crashes[0]))
    return {each.name: dict(_of_override(each.override)) for each in compose.deployments(path, project)}


def _of_override(override: Override) -> Iterator[tuple[str, object]]:
    for key, words in (("entrypoint", override.entrypoint), ("command", override.command)):
        if words is not None:
            yield key, _words(words)
    if override.init is not None:
        yield "init", True
    if override.grace is not None:
        yield "stop_grace_period", override.grace.number
    for key, given in zip(_TEXTS, (override.stop_signal, override.user, override.workdir), strict=True):
        if isinstance(given, Given):
            yield key, given.text
    for name, value in override.env.values.items():
        yield f"environment {name}", value


def _words(words: Words) -> list[str]:
    return [word.text for word in words.words]


def theirs(program: str, folder: Path, files: Sequence[str]) -> dict[str, Answer] | None:
    """What podman-compose reads; None where it refuses."""
    named = [argument for file in files for argument in ("-f", file)]
    try:
        done = subprocess.run(
            [program, *named, "--profile", "*", "config"],
            cwd=folder,
            env={"PATH": os.defpath, "HOME": "/nonexistent"},
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return None  # files that include each other
    try:
        read = yaml.safe_load(done.stdout) if done.returncode == 0 else None
    except yaml.YAMLError:
        return None  # a tag that it has left alone
    services = read.get("services") if isinstance(read, dict) else None
    if not isinstance(services, dict):
        return None
    return {str(name): dict(_of_service(body)) for name, body in services.items() if isinstance(body, dict)}


def _of_service(body: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key in ("entrypoint", "command"):
        if body.get(key) is not None:
            yield key, [str(word) for word in body[key]] if isinstance(body[key], list) else [body[key]]  # type: ignore[attr-defined]
    if body.get("init"):
        yield "init", True
    if body.get("stop_grace_period") is not None:
        yield "stop_grace_period", compose.duration(str(body["stop_grace_period"]))
    for key in _TEXTS:
        if body.get(key) is not None:
            yield key, str(body[key])
    if "env_file" in body:
        yield "env_file", True
    environment = body.get("environment")
    for name, value in environment.items() if isinstance(environment, dict) else ():
        yield f"environment {name}", value
    for item in environment if isinstance(environment, list) else ():
        name, equals, text = str(item).partition("=")
        yield f"environment {name}", text if equals else None


def differences(own: Answer, other: Answer, keys: Sequence[str] = ()) -> Iterator[str]:
    """The keys of a service that two answers have otherwise: what each has; of all keys where none are given.

    podman-compose does not look into files of variables: what they set is only ours.
    """
    of_files = (
        {key for key in own if key.startswith("environment ") and key not in other} if "env_file" in other else set()
    )
    for key in keys or sorted((own.keys() | other.keys()) - of_files - {"env_file"}):
        one, two = own.get(key), other.get(key)
        if not _fits(one, two):
            yield f"{key}: {_shown(one)}, not {_shown(two)}"


def _fits(one: object, two: object) -> bool:
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(_fits, one, two))
    if isinstance(one, str) and UNKNOWN in one:
        return True
    if isinstance(one, str) and not isinstance(two, str | None):
        # YAML's own types: `2.50` is a number, `yes` is true.
        return bool(yaml.safe_load(one) == two) or one == str(two)
    return one == two or (not one and two is False)


def _shown(value: object) -> str:
    return repr(value).replace(UNKNOWN, "…")
