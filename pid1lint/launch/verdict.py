"""From a world at its end to a path: its outcome, the processes as a tree, and who reaps."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint.launch.asked import Asked
from pid1lint.launch.explore import Ended
from pid1lint.launch.path import Path
from pid1lint.launch.process import Assumption, Decision, Obstacle, Outcome, Process, Started
from pid1lint.launch.why import explain
from pid1lint.launch.world import Choice, Proc, Stage, World


def path_of(ended: Ended, asked: Asked) -> Path:
    """What a way through a launch is found to be."""
    world = ended.world
    outcome, why = world.outcome()
    main = _main(world)
    outcome, doubt = _degrade(world, outcome, main)
    nodes: dict[int, Process] = {}
    tree = _tree(world, 1, main, nodes, outcome)
    path = Path(
        tuple(map(_decision, ended.choices)),
        outcome,
        doubt or why,
        tree,
        nodes.get(main.pid) if main is not None else None,
        f"SIG{world.stop_signal}",
        world.waiting,
        world.traps,
        (*world.starts, *_left(world)),
        world.obstacles,
        _reaps(world),
        world.ended_in,
        world.handled,
        world.sent,
        tuple(_assumptions(world, outcome, main, asked)),
    )
    return path if path.why else path.replaced(why=explain(path, world.stop_signal))


def _assumptions(world: World, outcome: Outcome, main: Proc | None, asked: Asked) -> Iterator[Assumption]:
    """What the outcome would be another one without: a handler that nobody has seen, a program taken to come back."""
    if outcome in (Outcome.UNKNOWN, Outcome.FAILS):
        return
    if asked.supposes():
        yield Assumption(asked.supposes(), asked.from_place())
    for proc in _at_stop(world):
        for stage in proc.stages:
            if stage.file is not None and stage.file.supposed:
                yield Assumption(f"{stage.file.path} is what stands in {stage.file.place.source.path}", stage.place)
    if outcome is Outcome.GRACEFUL:
        for stage in _believed(world, main):
            assert stage.launcher is not None
            yield Assumption(f"{stage.program} {stage.launcher.way}", stage.place)
        for proc in _at_stop(world):
            if proc.long and (proc is main or not proc.helper) and proc.told and proc.stage.assumed:
                yield Assumption(f"{proc.stage.program} handles SIG{world.stop_signal}", proc.stage.place)
    if outcome in (Outcome.HANG, Outcome.ABRUPT):
        for proc in _at_stop(world):
            above = world.procs.get(proc.parent_at_stop or proc.parent)
            decides = proc.pid == 1 or (above is not None and _passes_on(above.stage))
            if decides and proc.long and not proc.helper and proc.told and proc.stage.rests is not None:
                yield proc.stage.rests
    if outcome is Outcome.EXITS or (outcome is Outcome.GRACEFUL and main is not None and main.helper):
        # Who follows a log, or waits for nothing, is not the app: that may be what came before.
        for place in sorted(world.guessed, key=lambda place: (place.source.path, place.span)):
            yield Assumption(f"`{place.text.split(chr(10))[0][:60]}` comes back", place)


def _believed(world: World, main: Proc | None) -> Iterator[Stage]:
    """The launchers between PID 1 and the main process of which it is only believed how they start their command."""
    while main is not None:
        for stage in main.stages:
            if stage.launcher is not None and stage.launcher.is_believed:
                yield stage
        main = world.procs.get(main.parent_at_stop or main.parent)


def _passes_on(stage: Stage) -> bool:
    """Whether what becomes of a child is its own doing: below an init, a launcher, a package runner that waits."""
    return (
        stage.kind == "init" or stage.launcher is not None or (stage.fact is not None and stage.fact.kind == "runner")
    )


def _decision(choice: Choice) -> Decision:
    usual = None if choice.usual is None else choice.way == choice.usual
    return Decision(choice.place, choice.kind, choice.way, usual)


def _at_stop(world: World) -> list[Proc]:
    return [world.procs[pid] for pid in world.at_stop]


def _left(world: World) -> Iterator[Started]:
    """The background jobs that are still there when PID 1 ends by itself, and that end with it."""
    if world.stopped or world.procs[1].alive or world.failure is not None:
        return
    for proc in world.living():
        stage = proc.stage if proc.stages else None
        if stage is None or proc.helper or proc.daemon:
            continue
        supervises = stage.kind == "init" and stage.launcher is not None and stage.launcher.commandless
        if supervises or (proc.long and stage.kind == "app"):
            yield Started("left", stage.place, stage.program, stage.call, stage.file, stage.fact, stage.argv)


def _main(world: World) -> Proc | None:
    """The process that the container is there for."""
    alive = [proc for proc in _at_stop(world) if proc.long and proc.stages]
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
        world.hinder(f"when the loop in {at.source.path}:{at.start.line} ends is not known", at)
    cut_off = outcome is Outcome.ABRUPT and main is not None and main.alive and not main.helper
    critical: list[Obstacle] = [
        obstacle
        for obstacle in world.obstacles
        if (not obstacle.pid or (main is not None and obstacle.pid == main.pid)) and not (obstacle.in_time and cut_off)
    ]
    believed = next(_believed(world, main), None) if outcome in (Outcome.HANG, Outcome.ABRUPT) else None
    if believed is not None and believed.launcher is not None:
        # That something goes wrong is not told on a belief.
        return Outcome.UNKNOWN, f"whether {believed.program} {believed.launcher.way} is not known"
    if not critical or outcome is Outcome.FAILS:
        return outcome, ""
    if outcome is Outcome.HANG and main is not None and main.stage.start == "child":
        # Whatever the program is, it is not told; but it may be who gets the signal that a handler has sent.
        critical = [obstacle for obstacle in critical if obstacle.in_time]
        if not critical:
            return outcome, ""
    return Outcome.UNKNOWN, critical[0].reason


def _tree(world: World, pid: int, main: Proc | None, nodes: dict[int, Process], outcome: Outcome) -> Process | None:
    proc = world.procs[pid]
    if not proc.stages:
        return None
    children = [other for other in _at_stop(world) if (other.parent_at_stop or other.parent) == pid]
    stages, start = _visible(proc)
    node: Process | None = None
    for index in range(len(stages) - 1, -1, -1):
        stage, last = stages[index], index == len(stages) - 1
        low = stage.began if index else 0
        high = len(world.procs) if last else stages[index + 1].began
        below = [
            found
            for child in children
            if low < child.pid <= high and (found := _tree(world, child.pid, main, nodes, outcome)) is not None
        ]
        if node is not None:
            below.append(node)
        how = start if not index else stage.start
        node = _process(proc, stage, how, tuple(below), last, main, outcome)
        if last:
            nodes[pid] = node
    return node


def _visible(proc: Proc) -> tuple[tuple[Stage, ...], str]:
    """What a process has been, and how that began: a subshell that became a program at once is just that program."""
    stages = proc.stages
    if len(stages) > 1 and stages[0].form == "subshell" and stages[0].call is None:
        second = stages[1]
        if second.call is not None and second.call.words == 0:
            return stages[1:], stages[0].start
    return stages, stages[0].start


def _process(
    proc: Proc,
    stage: Stage,
    start: str,
    children: tuple[Process, ...],
    last: bool,
    main: Proc | None,
    outcome: Outcome,
) -> Process:
    receives: bool | None = proc.told and not proc.lost
    if outcome is Outcome.UNKNOWN and proc.told and stage.assumed:
        receives = None
    return Process(
        stage.argv,
        stage.program,
        proc.pid == 1,
        start,
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
        stage.rests,
        stage.serves,
    )


def _reaps(world: World) -> bool | None:
    one = next((proc for proc in _at_stop(world) if proc.pid == 1), None)
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
