"""How a stage's container starts, and what becomes of it when it is told to stop: the verdict over all paths."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pid1lint.launch.asked import Asked, Inherited
from pid1lint.launch.explore import explore
from pid1lint.launch.launch import Launch
from pid1lint.launch.leaf import Start
from pid1lint.launch.lookup import Lookup
from pid1lint.launch.path import Path
from pid1lint.launch.process import Assumption, Decision, Outcome, Process
from pid1lint.launch.repeat import Beginning, Ways, keep, repeated
from pid1lint.launch.signals import signal_name
from pid1lint.launch.stack import Argument, Argv
from pid1lint.launch.state import Environment
from pid1lint.launch.verdict import path_of

if TYPE_CHECKING:
    from pid1lint.image.model import Command, Image
    from pid1lint.source import Place


def analyse(image: Image) -> Launch:
    """How a stage's container starts, and what becomes of it when it is told to stop."""
    signal = signal_name(image.stop_signal) or "TERM"
    sh = image.sh
    shells = (sh,) if sh else ("dash", "bash", "busybox")
    if image.windows:
        return _without_path(image, Outcome.UNKNOWN, "it is a Windows image, and Windows has no signals")
    if image.opaque:
        return _without_path(image, Outcome.UNKNOWN, image.opaque)
    if image.broken:
        return _without_path(image, Outcome.FAILS, image.broken)
    argv = _argv(image)
    if argv is None:
        return _without_command(image)
    per_shell: list[list[Path]] = []
    left_out: list[Place] = []
    operations = 0
    for each in shells:
        ways = _ways(image, argv, signal, each)
        per_shell.append(_ordered(ways.paths))
        left_out += ways.left_out
        operations += ways.operations
        if not ways.asked_sh:
            # Nothing hung on what /bin/sh is.
            break
    paths = per_shell[0]
    first = paths[0]
    outcome, why = first.outcome, first.why
    open_at = _obstacle_of(first)
    decision = _doubt(paths)
    if decision is not None:
        outcome, why, open_at = Outcome.UNKNOWN, _either(paths, decision), decision.place
    if left_out and outcome in (Outcome.HANG, Outcome.ABRUPT):
        at = left_out[0]
        outcome, open_at = Outcome.UNKNOWN, at
        why = f"more ways lead through {at.source.path}:{at.start.line} than are followed; on those followed, {why}"
    elif left_out:
        what = f"the ways through {left_out[0].source.path} that were not followed end alike"
        paths[0] = first.replaced(assumes=(*first.assumes, Assumption(what, left_out[0])))
    others = {found[0].outcome for found in per_shell[1:]}
    if others - {outcome}:
        outcome = Outcome.UNKNOWN
        why = f"it is not known what /bin/sh is in {image.base_reference or 'the base image'}: {why}"
        open_at = image.from_place
    by_shell = tuple(sorted({found[0].outcome for found in per_shell}, key=str))
    refusing = _needs_to_be_pid1(first) if image.front or not image.as_pid1 else ""
    if refusing:
        outcome, why = Outcome.FAILS, f"{refusing} runs only as PID 1, and is not PID 1 here"
    found = _launch(image, outcome, why, open_at or image.command_place, first.reaps, tuple(paths), by_shell)
    same = len({tuple(link.shell.argv for link in each[0].links) for each in per_shell}) == 1
    if not same and len(by_shell) == 1:
        found = found.replaced(why=f"if sh is {shells[0]}, {found.why}")
    return found.replaced(operations=operations, same_shells=same)


def lost_cmd(launch: Launch) -> Command | None:
    """The CMD that an ENTRYPOINT has dropped and without which the container ends at once; None if there is none."""
    image = launch.image
    entrypoint, lost = image.entrypoint, image.lost_cmd
    if entrypoint is None or entrypoint.instruction is None or lost is None or launch.outcome not in _ENDED:
        return None
    if lost.instruction is None and (image.base is None or image.base.guessed):
        return None
    one = launch.main.pid1 if launch.main is not None else None
    if launch.outcome is Outcome.EXITS and (one is None or one.kind != "shell" or one.form != "file"):
        # `ENTRYPOINT ["python"]` is there to be given a script.
        return None
    restored = analyse(replace(image, cmd=lost, lost_cmd=None))
    return None if restored.outcome in (*_ENDED, Outcome.UNKNOWN) else lost


_ENDED = (Outcome.EXITS, Outcome.FAILS)


_ONLY_PID1 = frozenset(
    "/init /package/admin/s6-overlay/init /sbin/init /usr/sbin/init /lib/systemd/systemd "
    "/usr/lib/systemd/systemd systemd".split()
)
"""What ends at once where it is not PID 1: s6-overlay's init, systemd, SysV's init."""


def needs_pid1(process: Process) -> bool:
    """Whether a program is an init that ends at once where it is not PID 1."""
    return bool(process.argv) and process.argv[0] in _ONLY_PID1


def undeployed(launch: Launch) -> Launch | None:
    """The launch of the image by itself, for one that a deployment has changed; else None."""
    return None if launch.image.bare is None else analyse(launch.image.bare)


def redeployed(launch: Launch, **changes: object) -> Launch:
    """The launch as it would be if some fields of its image were others."""
    return analyse(replace(launch.image, **changes))  # type: ignore[arg-type]


def _needs_to_be_pid1(path: Path) -> str:
    """The init of a path that refuses to run as anything but PID 1."""
    chain = path.chain or (path.tree.walk() if path.tree is not None else ())
    return next((process.program for process in chain if needs_pid1(process)), "")


def _shown(command: Command | None) -> tuple[str, ...] | str | None:
    if command is None:
        return None
    if command.form == "shell":
        return command.text.text
    return tuple(word.text for word in command.words)


# --------------------------------------------------------------------- the argv


def _argv(image: Image) -> Argv | None:
    """PID 1's argv: the entrypoint, followed by CMD where the entrypoint is in exec form."""
    entrypoint, cmd = image.entrypoint, image.cmd
    if entrypoint is not None and entrypoint.form == "shell":
        return (*(Argument(word, word) for word in image.front), *_words(image, entrypoint, soft=""))
    words: Argv = tuple(Argument(word, word) for word in image.front)
    if entrypoint is not None:
        words = (*words, *_words(image, entrypoint, soft=""))
    if cmd is not None:
        words = (*words, *_words(image, cmd, soft="arguments" if entrypoint is not None and entrypoint.words else ""))
    return words if words[len(image.front) :] else None


def _words(image: Image, command: Command, soft: str) -> Argv:
    if command.form == "exec":
        return tuple(Argument(word.text, word.text, word, soft) for word in command.words)
    prefix = tuple(Argument(word, word, None, soft) for word in command.shell)
    return (*prefix, Argument(command.text.text, command.text.text, command.text, soft))


def _without_command(image: Image) -> Launch:
    unknown = image.base is None or image.base.entrypoint_runs == "unknown"
    if unknown and image.base_reference not in ("", "scratch"):
        outcome, why = Outcome.UNKNOWN, f"it is not known what {image.base_reference or 'the base image'} runs"
    else:
        outcome, why = Outcome.FAILS, "the image has no command to run"
    return _without_path(image, outcome, why)


def _without_path(image: Image, outcome: Outcome, why: str) -> Launch:
    return _launch(image, outcome, why, image.from_place, None, (), (outcome,))


def _launch(
    image: Image,
    outcome: Outcome,
    why: str,
    open_at: Place,
    reaps: bool | None,
    paths: tuple[Path, ...],
    by_shell: tuple[Outcome, ...],
) -> Launch:
    return Launch(
        image,
        image.dockerfile.source.path,
        image.stage.name,
        _shown(image.entrypoint),
        _shown(image.cmd),
        image.stop_signal,
        outcome,
        why,
        reaps,
        paths,
        by_shell,
        open_at=open_at if outcome is Outcome.UNKNOWN else None,
    )


# ------------------------------------------------------------------- the paths


def _ways(image: Image, argv: Argv, signal: str, sh: str) -> Ways:
    """One path per way through the branches that the files leave open, if /bin/sh is what `sh` names.

    Also where ways begin that a plain `docker run` may go and that were not followed any more: there are too many.
    """
    # What follows the image's name on the command line takes CMD's place, also where there is no CMD.
    entrypoint = image.entrypoint
    soft = "arguments" if entrypoint is not None and entrypoint.form == "exec" else ""
    asked = Asked(image)
    beginning = Beginning(argv, image.workdir, soft, signal, sh)
    ways = repeated(beginning, asked)
    if ways is None:
        ways = _explored(Lookup(asked, sh), beginning)
        keep(beginning, asked, ways)
    return ways


def _explored(lookup: Lookup, beginning: Beginning) -> Ways:
    argv, asked = beginning.argv, lookup.asked
    place = argv[0].excerpt.place() if argv[0].excerpt else None
    if place is None and len(argv) > 1:
        place = next((word.excerpt.place() for word in argv if word.excerpt), None)
    env = Environment(Inherited(asked), beginning.workdir, beginning.soft)
    explored = explore(lookup, Start(argv, "container", place, None, env), beginning.signal)
    left = tuple(choices[-1].place for choices in explored.left_out if choices and not any(c.astray for c in choices))
    paths = tuple(path_of(ended, asked) for ended in explored.ended)
    return Ways(paths, left, lookup.asked_sh, explored.operations)


def _ordered(paths: tuple[Path, ...]) -> list[Path]:
    """The path of the image's own CMD first; one that ends at once gives way to one that runs."""
    usual = [path for path in paths if path.usual]
    best = next((path for path in usual if path.outcome not in _ENDED), None)
    if best is None:
        running = [path for path in paths if path.outcome not in _ENDED and path.tree is not None]
        running.sort(key=lambda path: sum(decision.usual is False for decision in path.decisions))
        only_environment = [
            path for path in running if not any(d.usual is False and d.kind == "arguments" for d in path.decisions)
        ]
        best = next(iter(only_environment), usual[0] if usual else paths[0])
    return [best, *(path for path in paths if path is not best)]


def _obstacle_of(path: Path) -> Place | None:
    """Where the obstacle stands that a path's outcome is unknown for, if it stands in a file."""
    places = (obstacle.place for obstacle in path.obstacles if obstacle.reason == path.why)
    return next((place for place in places if place is not None and place.source.in_file), None)


def _doubt(paths: list[Path]) -> Decision | None:
    """What decides between the outcomes of branches that nobody decides before the container runs."""
    if len(_usual_outcomes(paths)) < 2:
        return None
    return next((decision for decision in paths[0].decisions if decision.usual is None), None)


def _usual_outcomes(paths: list[Path]) -> set[Outcome]:
    return {path.outcome for path in paths if path.usual and path.outcome not in (Outcome.EXITS, Outcome.FAILS)}


def _either(paths: list[Path], decision: Decision) -> str:
    outcomes = " or ".join(sorted(outcome.value for outcome in _usual_outcomes(paths)))
    place = decision.place
    return f"it is {outcomes}, as {place.source.path}:{place.start.line} decides when the container runs"
