"""From what the user names to proofs: an image, an archive or a Dockerfile is judged, run and held against itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pid1lint.check import Options
from pid1lint.discover import is_image
from pid1lint.errors import Pid1lintError, UnreadableError
from pid1lint.frozen import NamedTuple
from pid1lint.prove.engine import Engine, EngineError, Interruptible
from pid1lint.prove.trial import Measured, Ready, measure
from pid1lint.prove.verdict import Proof, compare, signal_number

if TYPE_CHECKING:
    from pid1lint.deployment import Deployment
    from pid1lint.facts.own import Facts
    from pid1lint.image.model import Image
    from pid1lint.launch import Launch
    from pid1lint.prove.observe import Seen

_ENGINES = ("docker:", "podman:")
GRACE = 10.0
"""What `docker stop` and `podman stop` wait, in seconds."""


class Trial(NamedTuple):
    """How to run: `options` go to the engine's `run`, `grace` is in seconds, `times` how often.

    Without `grace` it is the subject's.
    """

    options: tuple[str, ...] = ()
    ready: Ready = Ready()
    grace: float | None = None
    times: int = 1


class Subject(NamedTuple):
    """What is run (`image`, as the engine knows it), and what was foreseen of it (None: nothing).

    `options` of `run` and the `arguments` behind the image are a service's own, `grace` its seconds.
    """

    name: str
    image: str
    launch: Launch | None
    options: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    grace: float = GRACE


def prove(source: str, engine: Engine, trial: Trial, options: Options, service: str = "") -> Iterator[Proof]:
    """Run a source as often as asked; each proof as it comes.

    A source is a Dockerfile or its folder, a Compose file (of which `service` names a service), an archive as for
    `check`, or an image that the engine has. What was begun is cleaned up, also where INT or TERM stop it: then
    `prove.engine.Stopped` is raised.
    """
    with Interruptible(), _subject(source, engine, options, service) as subject:
        grace = subject.grace if trial.grace is None else trial.grace
        for _ in range(trial.times):
            yield compare(subject.name, subject.launch, measured(engine, subject, trial), grace)


def measured(engine: Engine, subject: Subject, trial: Trial) -> Measured:
    """Run a subject once."""
    launch = subject.launch
    return measure(
        engine,
        subject.image,
        options=(*subject.options, *trial.options),
        arguments=subject.arguments,
        ready=trial.ready,
        grace=subject.grace if trial.grace is None else trial.grace,
        signal=signal_number(launch.stop_signal if launch is not None else "SIGTERM"),
        is_app=_finder(launch),
    )


def _finder(launch: Launch | None) -> Callable[[Seen], bool] | None:
    """Knows the process that a launch has foreseen as the app, by its program."""
    path = launch.main if launch is not None else None
    main = path.main if path is not None else None
    if main is None or main.kind != "app":
        return None
    name = os.path.basename(main.argv[0]) if main.argv else main.program
    arguments = main.argv[1:]

    def is_app(seen: Seen) -> bool:
        called = [os.path.basename(word) for word in seen.argv]
        return bool(called) and called[0] == name and (not arguments or tuple(seen.argv[1:]) == tuple(arguments))

    return is_app


@contextmanager
def _subject(source: str, engine: Engine, options: Options, service: str = "") -> Iterator[Subject]:
    from pid1lint.check import is_deployment

    is_file = os.path.isfile(source) and is_deployment(source)
    if service and not is_file:
        raise Pid1lintError(f"{source} has no services: put options of `run` after `--`")
    if is_file:
        with _serving(source, service, engine, options) as subject:
            yield subject
        return
    if source.startswith(_ENGINES):
        source = source.partition(":")[2]
    elif is_image(source):
        yield Subject(source, engine.load(_path(source)), _of_archive(source, options))
        return
    elif os.path.exists(source):
        with _built(source, engine, options) as subject:
            yield subject
        return
    yield Subject(source, source, _of_engine(source, engine, options))


def _path(source: str) -> str:
    from pid1lint.archive.reference import parse

    reference = parse(source)
    if reference.kind == "oci":
        raise Pid1lintError(f"{source}: engines load archives only: pack it as oci-archive")
    return reference.where


def _facts(source: str, options: Options) -> Facts:
    return options.config(source).facts


def _of_archive(source: str, options: Options) -> Launch:
    from pid1lint.archive.image import read_image
    from pid1lint.launch import analyse

    return analyse(read_image(source, options.platform, _facts(source, options)))


@contextmanager
def _serving(path: str, name: str, engine: Engine, options: Options) -> Iterator[Subject]:
    """A service of a Compose file, its image built for the trial."""
    from pid1lint.prove.service import running, service_of

    service = service_of(path, name, options)
    deployment, launch = service.deployment, service.launch
    with running(service, engine) as how:
        if launch.outcome.value == "unknown":
            launch = _as_deployed(_read(how.image, engine, options), deployment, service.root)
        label = f"{deployment.path}: {deployment.label}"
        yield Subject(label, how.image, launch, how.options, how.arguments, deployment.grace)


def _as_deployed(image: Image, deployment: Deployment, root: str) -> Launch:
    """The launch of a built image as a deployment runs it."""
    from pid1lint.deploy.apply import applied
    from pid1lint.deploy.images import Found
    from pid1lint.deploy.project import Project
    from pid1lint.image.context import DiskContext
    from pid1lint.launch import analyse

    return analyse(applied(Found(image, True), deployment, Project(DiskContext(root))))


def _of_engine(name: str, engine: Engine, options: Options) -> Launch:
    """The launch of an image that the engine has."""
    from pid1lint.launch import analyse

    return analyse(_read(name, engine, options))


def _read(name: str, engine: Engine, options: Options) -> Image:
    """An image that the engine has, read out of it by `save`."""
    import tempfile

    from pid1lint.archive.files import Stored
    from pid1lint.archive.image import image_of
    from pid1lint.archive.reference import Reference

    with tempfile.TemporaryDirectory(prefix="pid1lint-") as folder:
        path = os.path.join(folder, "image.tar")
        form = ("--format", "docker-archive") if engine.name == "podman" else ()
        engine.ask("save", *form, "--output", path, name, seconds=600)
        stored = Stored(Reference(name, "docker-archive", path), options.platform)
        return image_of(stored, _facts(name, options))


@contextmanager
def _built(source: str, engine: Engine, options: Options) -> Iterator[Subject]:
    """A Dockerfile, built for the trial."""
    from pid1lint import check
    from pid1lint.dockerfile.scanner import scan

    path = check.shown(os.path.join(source, "Dockerfile") if os.path.isdir(source) else source)
    launches, errors, unread = check.launches(check.plan([path]), options)
    if errors or unread:
        raise EngineError((*errors, *unread)[0])
    if not launches:
        raise UnreadableError(path, "is not a Dockerfile with a stage to run")
    context = check.root_of(scan(check.read(path, options, {})), options)
    image = engine.build(context, path, options.target, dict(options.build_args))
    try:
        launch = launches[-1]
        if launch.outcome.value == "unknown":
            launch = _of_engine(image, engine, options)
        yield Subject(path, image, launch)
    finally:
        engine.forget(image)


def facts_of(proofs: Sequence[Proof]) -> dict[str, dict[str, str]]:
    """What trials have shown of the app: its reaction to the stop signal, as `[programs.NAME] signals` has it.

    Nothing where trials differ, or nothing was measured of it.
    """
    found: dict[str, set[tuple[str, str]]] = {}
    for proof in proofs:
        made = proof.measured
        app = made.app
        end = made.ends.get(app.pid) if app is not None else None
        if app is None or not app.argv:
            continue
        name = os.path.basename(app.argv[0])
        signal = _name(made.signal)
        if made.signal not in app.caught:
            reaction = "default"
        elif made.outcome == "hang":
            reaction = "ignores" if app.pid == 1 else ""
        elif end is not None and end.signal != 9:
            reaction = "drops" if made.outcome == "abrupt" else "handles"
        else:
            reaction = ""
        if reaction:
            found.setdefault(name, set()).add((signal, reaction))
    return {name: dict(rows) for name, rows in found.items() if len({signal for signal, _ in rows}) == len(rows)}


def _name(number: int) -> str:
    import signal

    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return f"RTMIN+{number - 34}"
