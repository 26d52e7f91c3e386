"""All paths of a launch, each run in a world of its own, and the verdict on the one that the image's CMD takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from pid1lint.launch.machine import Argument, Argv, Environment, Machine, Shared
from pid1lint.launch.process import Decision, Launch, Obstacle, Outcome, Path, Process, Started
from pid1lint.launch.shell import make_shell
from pid1lint.launch.why import explain
from pid1lint.launch.world import Point, Proc, Stage, World, signal_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pid1lint.image.model import Command, Image
    from pid1lint.source import Place

MOST_PATHS = 48
ONLY_PID1 = frozenset(
    "/init /package/admin/s6-overlay/init /sbin/init /usr/sbin/init /lib/systemd/systemd "
    "/usr/lib/systemd/systemd systemd".split()
)
"""What ends at once where it is not PID 1: s6-overlay's init, systemd, SysV's init."""
_MOST_COMMANDS = 8000
"""How many commands of scripts are run on all paths together before no further path is begun."""
_WAITS = ("wait",)
_CLEAN_UP = 3
"""How many programs may come after one of which nothing is known, for it still to be the one that stays."""


def analyse(image: Image) -> Launch:
    """How a stage's container starts, and what becomes of it when it is told to stop."""
    signal = signal_name(image.stop_signal) or "TERM"
    sh = image.sh
    shells = (sh,) if sh else ("dash", "bash", "busybox")
    if image.windows:
        return _without_path(image, Outcome.UNKNOWN, "it is a Windows image, which knows no signals")
    if image.opaque:
        return _without_path(image, Outcome.UNKNOWN, image.opaque)
    if image.broken:
        return _without_path(image, Outcome.FAILS, image.broken)
    argv = _argv(image)
    if argv is None:
        return _without_command(image)
    per_shell = [_ordered(_explore(image, argv, signal, sh, _MOST_COMMANDS // len(shells))) for sh in shells]
    paths = per_shell[0]
    first = paths[0]
    outcome, why = first.outcome, first.why
    open_at = _obstacle_of(first)
    decision = _doubt(paths)
    if decision is not None:
        outcome, why, open_at = Outcome.UNKNOWN, _either(paths, decision), decision.place
    others = {found[0].outcome for found in per_shell[1:]}
    if others - {outcome}:
        outcome = Outcome.UNKNOWN
        why = f"what /bin/sh is in {image.base_reference or 'the base image'} is not known: {why}"
        open_at = image.from_place
    by_shell = tuple(sorted({found[0].outcome for found in per_shell}, key=str))
    refusing = _needs_to_be_pid1(first) if image.front or not image.as_pid1 else ""
    if refusing:
        outcome, why = Outcome.FAILS, f"{refusing} only runs as PID 1, which it is not here"
    return _launch(image, outcome, why, open_at or image.command_place, first.reaps, tuple(paths), by_shell)


def with_lost_cmd(launch: Launch) -> Launch | None:
    """The launch as it would be with the CMD that an ENTRYPOINT has dropped; None if it has dropped none."""
    image = launch.image
    return None if image.lost_cmd is None else analyse(replace(image, cmd=image.lost_cmd, lost_cmd=None))


def needs_pid1(process: Process) -> bool:
    """Whether a program is an init that ends at once where it is not PID 1."""
    return bool(process.argv) and process.argv[0] in ONLY_PID1


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
        outcome, why = Outcome.UNKNOWN, f"what {image.base_reference} runs is not known"
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


def _explore(image: Image, argv: Argv, signal: str, sh: str, most: int) -> list[Path]:
    """One path per way through the branches that the files leave open, the usual one first.

    Those that stray least from what a plain `docker run` does come first: no path is begun after `most` commands.
    """
    queue: list[tuple[int, int, tuple[int, ...]]] = [(0, 0, ())]
    order = 0
    seen: set[tuple[int, ...]] = set()
    worlds: list[World] = []
    shared = Shared()
    spent = 0
    while queue and len(worlds) < MOST_PATHS and spent < most:
        _, _, ways = heappop(queue)
        world = _run(image, argv, signal, sh, ways, shared)
        spent += world.commands
        taken = tuple(choice.way for choice in world.choices)
        if taken in seen:
            continue
        seen.add(taken)
        worlds.append(world)
        for at in range(len(ways), len(world.choices)):
            for way in (way for way in range(world.choices[at].options) if way != taken[at]):
                order += 1
                heappush(queue, (_astray(world, at, way), order, (*taken[:at], way)))
    shared.steps = frozenset(step for world in worlds for step in _steps(world))
    for index, world in enumerate(worlds):
        if _stays_at(world) in shared.steps:
            worlds[index] = _run(image, argv, signal, sh, tuple(choice.way for choice in world.choices), shared)
    return [_path(world, image) for world in worlds]


def _steps(world: World) -> Iterator[Place]:
    """Where programs stand of which nothing was known, before PID 1 became the app: on any path they are only steps."""
    points = world.points.get(0, ())
    if points and points[-1].how == "exec":
        yield from (point.place for point in points if point.guess and point.place is not None)


def _stays_at(world: World) -> Place | None:
    points = world.points.get(0, ())
    return points[-1].place if points and points[-1].guess else None


def _astray(world: World, at: int, way: int) -> int:
    """How many of a path's choices are not the usual ones, if it is this world's but for `way` at the choice `at`."""
    strayed = sum(choice.usual not in (None, choice.way) for choice in world.choices[:at])
    return strayed + (world.choices[at].usual not in (None, way))


def _run(image: Image, argv: Argv, signal: str, sh: str, ways: tuple[int, ...], shared: Shared) -> World:
    """Scout where each line of execution may stay, background jobs first, then run and stay at the last places."""
    plan: dict[int, int] = {}
    for _ in range(4):
        scout = _start(image, argv, _world(image, signal, plan, ways, scouting=True), sh, shared)
        found = {}
        for thread, points in scout.points.items():
            last = _last(points, scout, thread, certain=not thread and _gave_up(scout))
            if thread and last is not None:
                found[thread] = last
        main = scout.points.get(0)
        if found == plan:
            break
        plan = found
    last = _last(main, scout, 0, certain=_gave_up(scout)) if main else None
    if found == plan and main and last == len(main) - 1 and scout.held == last and scout.failure is None:
        # The scout stands where the launch stays: it need not be run again.
        scout.scouting = False
        scout.run()
        return scout
    if last is not None:
        plan = {**plan, 0: last}
    world = _start(image, argv, _world(image, signal, plan, ways, scouting=False), sh, shared)
    if len(world.choices) < len(ways):
        # It stays before the choices that make this path another one: they belong to it all the same.
        world.choices = scout.choices[: len(ways)]
    return world


def _world(image: Image, signal: str, plan: dict[int, int], ways: tuple[int, ...], *, scouting: bool) -> World:
    world = World(signal, plan, ways, scouting=scouting)
    world.grace, world.as_pid1 = image.grace, image.as_pid1
    return world


def _start(image: Image, argv: Argv, world: World, sh: str, shared: Shared) -> World:
    machine = Machine(image, world, sh, make_shell, shared)
    proc = world.spawn(None, "container", None)
    place = argv[0].excerpt.place() if argv[0].excerpt else None
    if place is None and len(argv) > 1:
        place = next((word.excerpt.place() for word in argv if word.excerpt), None)
    # What follows the image's name on the command line takes CMD's place, also where there is no CMD.
    entrypoint = image.entrypoint
    soft = "arguments" if entrypoint is not None and entrypoint.form == "exec" else ""
    machine.become(proc, argv, "container", place, None, Environment(dict(image.env), image.workdir, soft))
    if world.failure is None:
        world.run()
    return world


def _gave_up(scout: World) -> bool:
    """Whether PID 1 has failed, or has become a program that ends: nothing before that was there to stay."""
    one = scout.procs[1]
    return not one.alive and (one.status != 0 or (len(one.stages) > 1 and one.stage.kind == "job"))


def _goes_on(point: Point, scout: World, thread: int) -> bool:
    """Whether more comes after a point, in its own line of execution, than a script cleans up with."""
    started, forked = scout.started.get(thread, 0), scout.forked.get(thread, 0)
    return started - point.started > _CLEAN_UP or forked > point.threads


def _last(points: list[Point], scout: World, thread: int, *, certain: bool) -> int | None:
    """Where a line of execution stays: at the last point, or at the first of the waits that end it.

    `certain`: not at a program of which nothing is known.
    """
    at = len(points) - 1
    while at >= 0 and points[at].guess and (certain or _goes_on(points[at], scout, thread)):
        at -= 1
    while at > 0 and points[at].guess and points[at - 1].how in _WAITS:
        # What is done when the app in the background has ended: the launch is there to wait for that.
        at -= 1
    while at > 0 and points[at].how in _WAITS and points[at - 1].how in _WAITS:
        at -= 1
    return at if at >= 0 else None


def _path(world: World, image: Image) -> Path:
    outcome, why = world.outcome()
    main = _main(world)
    outcome, doubt = _degrade(world, outcome, main)
    nodes: dict[int, Process] = {}
    tree = _tree(world, 1, main, nodes, outcome)
    path = Path(
        world.decisions(),
        outcome,
        doubt or why,
        tree,
        nodes.get(main.pid) if main is not None else None,
        f"SIG{world.stop_signal}",
        tuple(world.waiting),
        tuple(world.traps),
        (*world.starts, *_left(world)),
        tuple(world.obstacles),
        _reaps(world),
        world.ended_in,
        tuple(world.handled),
        tuple(world.sent),
    )
    return path if path.why else path.replaced(why=explain(path, image, world.stop_signal))


def _left(world: World) -> Iterator[Started]:
    """The background jobs that are still there when PID 1 ends by itself, and that end with it."""
    if world.stopped or world.procs[1].alive or world.failure is not None:
        return
    for proc in world.procs.values():
        stage = proc.stage if proc.stages else None
        if stage is None or not proc.alive or proc.helper or proc.daemon:
            continue
        supervises = stage.kind == "init" and stage.launcher is not None and stage.launcher.commandless
        if supervises or (proc.long and stage.kind == "app"):
            yield Started("left", stage.place, stage.program, stage.call, stage.file, stage.fact, stage.argv)


def _main(world: World) -> Proc | None:
    """The process that the container is there for."""
    alive = [proc for proc in world.at_stop if proc.long and proc.stages]
    for wanted in (
        [proc for proc in alive if proc.thread == 0 and not proc.helper and not proc.daemon],
        [proc for proc in alive if proc.thread == 0 and not proc.helper],
        [proc for proc in alive if not proc.helper],
        [proc for proc in alive if proc.thread == 0],
        alive,
    ):
        if wanted:
            return wanted[0]
    return None


def _degrade(world: World, outcome: Outcome, main: Proc | None) -> tuple[Outcome, str]:
    """A verdict that rests on something unknown is none."""
    if outcome is Outcome.EXITS and world.polls:
        at = world.polls[-1]
        world.obstacles.append(Obstacle(f"when the loop in {at.source.path}:{at.start.line} ends is not known", at))
    critical: list[Obstacle] = [
        obstacle for obstacle in world.obstacles if not obstacle.pid or (main is not None and obstacle.pid == main.pid)
    ]
    if not critical or outcome is Outcome.FAILS:
        return outcome, ""
    if outcome is Outcome.HANG and main is not None and main.stage.start == "child":
        # Whatever the program is, it is not told.
        return outcome, ""
    return Outcome.UNKNOWN, critical[0].reason


def _ordered(paths: list[Path]) -> list[Path]:
    """The path of the image's own CMD first; one that ends at once gives way to one that runs."""
    usual = [path for path in paths if path.usual]
    ended = (Outcome.EXITS, Outcome.FAILS)
    best = next((path for path in usual if path.outcome not in ended), None)
    if best is None:
        running = [path for path in paths if path.outcome not in ended and path.tree is not None]
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


# -------------------------------------------------------------------- the tree


def _tree(world: World, pid: int, main: Proc | None, nodes: dict[int, Process], outcome: Outcome) -> Process | None:
    proc = world.procs[pid]
    if not proc.stages:
        return None
    children = [other for other in world.at_stop if _parent(other) == pid]
    node: Process | None = None
    first = 0
    built: list[Process] = []
    stages = _visible(proc)
    for index in range(len(stages) - 1, -1, -1):
        stage = stages[index]
        low = stages[index - 1].before if index else 0
        high = stage.before if index < len(stages) - 1 else len(world.procs)
        below = [
            found
            for child in children
            if low < child.pid <= high and (found := _tree(world, child.pid, main, nodes, outcome)) is not None
        ]
        if node is not None:
            below.append(node)
        node = _process(proc, stage, tuple(below), index == len(stages) - 1, main, outcome, index)
        if index == len(stages) - 1:
            nodes[pid] = node
        built.append(node)
        first = index
    assert first == 0 or node is not None
    return node


def _parent(proc: Proc) -> int:
    return proc.parent_at_stop or proc.parent


def _visible(proc: Proc) -> list[Stage]:
    """A subshell that became a program at once is just that program."""
    stages = proc.stages
    if len(stages) > 1 and stages[0].form == "subshell" and stages[0].call is None:
        second = stages[1]
        if second.call is not None and second.call.words == 0:
            second.start = stages[0].start
            return stages[1:]
    return stages


def _process(
    proc: Proc, stage: Stage, children: tuple[Process, ...], last: bool, main: Proc | None, outcome: Outcome, index: int
) -> Process:
    receives: bool | None = proc.told and not proc.lost
    if outcome is Outcome.UNKNOWN and proc.told and stage.assumed:
        receives = None
    return Process(
        stage.argv,
        stage.program,
        proc.pid == 1,
        stage.start,
        receives,
        stage.place,
        children,
        proc.pid,
        stage.kind if not (proc.helper and stage.kind == "app") else "app",
        stage.call,
        stage.script,
        stage.file,
        stage.form,
        stage.dialect,
        stage.fact,
        stage.launcher,
        stage.reaction,
        stage.assumed,
        proc.done and last,
        main is proc and last,
        stage.arguments,
        proc.helper,
        stage.interpreter or stage.program,
        tuple(sorted(proc.ignored)),
        last and proc.alive and proc.long,
        proc.group,
    )


def _reaps(world: World) -> bool | None:
    one = next((proc for proc in world.at_stop if proc.pid == 1), None)
    if one is None or not one.stages:
        return None
    if not world.as_pid1:
        return True  # the pod's pause container and the host's init reap
    stage = one.stage
    if stage.kind == "init":
        return True
    if stage.kind == "shell":
        return True
    if stage.launcher is not None:
        return stage.launcher.reaps
    fact = stage.fact
    # Whatever Node.js runs: libuv waits for the children that it has started and for no others.
    return False if fact is not None and fact.reaps is None and fact.language == "node" else fact and fact.reaps
