"""A Compose service as an engine runs it by itself: how its image is built, and what `run` is told."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pid1lint import check
from pid1lint.deployment import UNKNOWN, Building, Deployment, Mount, Words
from pid1lint.errors import Pid1lintError
from pid1lint.files import homes
from pid1lint.frozen import NamedTuple
from pid1lint.prove.engine import Engine, EngineError

if TYPE_CHECKING:
    from pid1lint.check import Options
    from pid1lint.launch import Launch


class Service(NamedTuple):
    """A service with its launch; `root` is the folder that its file's paths begin at."""

    launch: Launch
    deployment: Deployment
    building: Building | None
    root: str


class Running(NamedTuple):
    """How an engine runs a service: `options` of `run`, the image, and the `arguments` behind it."""

    options: tuple[str, ...]
    image: str
    arguments: tuple[str, ...]


def service_of(path: str, name: str, options: Options) -> Service:
    """The service of a name, or the only one that a file starts; `Pid1lintError` where there is none such."""
    path = check.shown(path)
    names = frozenset((name,)) if name else frozenset()
    launches, errors, unread = check.launches(check.plan([path]), options, names)
    if errors or unread:
        raise Pid1lintError((*errors, *unread)[0])
    found = [(launch, launch.image.deployment) for launch in launches if launch.image.deployment is not None]
    if not found:
        raise Pid1lintError(f"{path} starts no service")
    if found[0][1].kind != "compose":
        raise Pid1lintError(f"{path}: prove runs only services of Compose files, not other deployments")
    if len(found) > 1:
        services = ", ".join(deployment.name for _, deployment in found)
        raise Pid1lintError(f"{path} has several services; name one of them: {services}")
    launch, deployment = found[0]
    building = deployment.building
    if building is None and deployment.image is not None and deployment.image.known:
        building = check.build_of(path, deployment.image.text, options)
    return Service(launch, deployment, building, homes(path)[0])


@contextmanager
def running(service: Service, engine: Engine) -> Iterator[Running]:
    """How to run a service, its image built for as long as this lasts; `EngineError` for what `run` cannot do.

    Other services are not started, and volumes that have a name are new ones. A variable whose value only the shell of
    the user knows is left out.
    """
    deployment = service.deployment
    override = deployment.override
    _refuse(deployment)
    with tempfile.TemporaryDirectory(prefix="pid1lint-") as folder:
        options = [*_settings(deployment)]
        for number, mount in enumerate(override.mounts):
            options += _mounted(mount, service.root, os.path.join(folder, str(number)))
        first, arguments = _argv(override.entrypoint, override.command)
        options += () if first is None else ("--entrypoint", first)
        image = _image(service, engine, folder)
        try:
            yield Running(tuple(options), image, arguments)
        finally:
            if service.building is not None:
                engine.forget(image)


def _refuse(deployment: Deployment) -> None:
    """`EngineError` for a service that does not run by itself as it runs in its project."""
    override = deployment.override
    if override.opaque:
        raise EngineError(f"{deployment.label}: {override.opaque}")
    if override.pid is not None:
        raise EngineError(f"{deployment.label} shares a PID namespace: prove cannot tell its processes apart")
    argv = [word.text for words in (override.entrypoint, override.command) if words is not None for word in words.words]
    if any(UNKNOWN in word for word in argv):
        raise EngineError(f"{deployment.label}: what it runs depends on an unknown variable")


def _settings(deployment: Deployment) -> Iterator[str]:
    override = deployment.override
    if override.init is not None:
        yield "--init"
    if override.stop_signal is not None:
        yield from ("--stop-signal", override.stop_signal.text)
    if override.user is not None and override.user.known:
        yield from ("--user", override.user.text)
    if override.workdir is not None and override.workdir.known:
        yield from ("--workdir", override.workdir.text)
    if override.terminal:
        yield from ("--interactive", "--tty")
    for name, value in override.env.values.items():
        if UNKNOWN not in value:
            yield from ("--env", f"{name}={value}")


def _mounted(mount: Mount, root: str, folder: str) -> Iterator[str]:
    """The options for one mount; nothing for what lies outside of the project."""
    if mount.kind == "empty":
        yield from ("--tmpfs", mount.target)
    elif mount.kind == "bind":
        yield from ("--volume", f"{os.path.abspath(os.path.join(root, mount.path))}:{mount.target}")
    elif mount.kind == "files":
        os.mkdir(folder)
        for payload in mount.payloads:
            if payload.text is not None:
                path = os.path.join(folder, os.path.basename(payload.name))
                with open(path, "w", encoding="utf-8", newline="") as file:
                    file.write(payload.text.text)
                os.chmod(path, 0o444 if payload.mode is None else payload.mode)
                target = mount.target if mount.single else os.path.join(mount.target, payload.name)
                yield from ("--volume", f"{path}:{target}:ro")


def _argv(entrypoint: Words | None, command: Words | None) -> tuple[str | None, tuple[str, ...]]:
    """What `--entrypoint` is given, None for the image's own, and what stands behind the image."""
    after = tuple(word.text for word in command.words) if command is not None else ()
    if entrypoint is None:
        return None, after
    first, *others = [word.text for word in entrypoint.words] or [""]
    return first, (*others, *after)


def _image(service: Service, engine: Engine, folder: str) -> str:
    building, deployment = service.building, service.deployment
    if building is None:
        if deployment.image is None or not deployment.image.known:
            raise EngineError(f"{deployment.label}: it is not known which image it runs")
        return deployment.image.text
    if building.context is None or UNKNOWN in building.target:
        raise EngineError(f"{deployment.label}: it is not known where it is built")
    if building.contexts:
        raise EngineError(
            f"{deployment.label} has additional build contexts, which prove does not support: build it first"
        )
    args = {name: value for name, value in building.args.items() if UNKNOWN not in value}
    dockerfile = os.path.join(service.root, building.dockerfile)
    if building.inline is not None:
        dockerfile = os.path.join(folder, "Dockerfile")
        with open(dockerfile, "w", encoding="utf-8") as file:
            file.write(building.inline.text)
    return engine.build(os.path.join(service.root, building.context), dockerfile, building.target or None, args)
