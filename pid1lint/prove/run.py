"""From what the user names to proofs: an image, an archive or a Dockerfile is judged, run and held against itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from pid1lint.check import Options
from pid1lint.discover import is_image
from pid1lint.errors import Pid1lintError, UnreadableError
from pid1lint.prove.engine import Engine, EngineError, Interruptible
from pid1lint.prove.trial import Measured, Ready, measure
from pid1lint.prove.verdict import Proof, compare, signal_number

if TYPE_CHECKING:
    from pid1lint.facts.own import Facts
    from pid1lint.launch import Launch
    from pid1lint.prove.observe import Seen

_ENGINES = ("docker:", "podman:")
GRACE = 10.0
"""What `docker stop` and `podman stop` wait, in seconds."""


class Trial(NamedTuple):
    """How to run: `options` go to the engine's `run`, `grace` is in seconds, `times` how often."""

    options: tuple[str, ...] = ()
    ready: Ready = Ready()
    grace: float = GRACE
    times: int = 1


class Subject(NamedTuple):
    """What is run (`image`, as the engine knows it), and what was foreseen of it (None: nothing)."""

    name: str
    image: str
    launch: Launch | None


def prove(source: str, engine: Engine, trial: Trial, options: Options) -> Iterator[Proof]:
    """Run a source as often as asked; each proof as it comes.

    A source is a Dockerfile or its folder, an archive as for `check`, or an image that the engine has. What was begun
    is cleaned up, also where INT or TERM stop it: then `prove.engine.Stopped` is raised.
    """
    with Interruptible(), _subject(source, engine, options) as subject:
        for _ in range(trial.times):
            yield compare(subject.name, subject.launch, measured(engine, subject, trial), trial.grace)


def measured(engine: Engine, subject: Subject, trial: Trial) -> Measured:
    """Run a subject once."""
    launch = subject.launch
    return measure(
        engine,
        subject.image,
        options=trial.options,
        ready=trial.ready,
        grace=trial.grace,
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
def _subject(source: str, engine: Engine, options: Options) -> Iterator[Subject]:
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
        raise Pid1lintError(f"{source}: engines load archives: pack it as oci-archive")
    return reference.where


def _facts(source: str, options: Options) -> Facts:
    return options.config(source).facts


def _of_archive(source: str, options: Options) -> Launch:
    from pid1lint.archive.image import read_image
    from pid1lint.launch import analyse

    return analyse(read_image(source, options.platform, _facts(source, options)))


def _of_engine(name: str, engine: Engine, options: Options) -> Launch | None:
    """The launch of an image that the engine has, read out of it by `save`."""
    import tempfile

    from pid1lint.archive.files import Stored
    from pid1lint.archive.image import image_of
    from pid1lint.archive.reference import Reference
    from pid1lint.launch import analyse

    with tempfile.TemporaryDirectory(prefix="pid1lint-") as folder:
        path = os.path.join(folder, "image.tar")
        form = ("--format", "docker-archive") if engine.name == "podman" else ()
        engine.ask("save", *form, "--output", path, name, seconds=600)
        stored = Stored(Reference(name, "docker-archive", path), options.platform)
        return analyse(image_of(stored, _facts(name, options)))


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
        raise UnreadableError(path, "is no Dockerfile with a stage to run")
    context = check.root_of(scan(check.read(path, options, {})), options)
    image = engine.build(context, path, options.target, dict(options.build_args))
    try:
        launch = launches[-1]
        if launch.outcome.value == "unknown":
            launch = _of_engine(image, engine, options) or launch
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
