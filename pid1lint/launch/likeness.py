"""What two worlds have in common that go on alike: where they come to the same, only one of them goes on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pid1lint.launch.shapes import ALL_CALLS, called

if TYPE_CHECKING:
    from pid1lint.launch.state import Elsewhere
    from pid1lint.launch.world import Choice, Proc, World


def likeness(world: World, elsewhere: Elsewhere) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """What two worlds have in common that go on alike from here, whatever has led to them.

    Second, the places on the way where the container may have stayed, if it stays nowhere else.

    Variables that nobody reads any more do not count, nor what was only noted on the way. `elsewhere` are the
    names that the launch's scripts read of their environment.
    """
    living = world.living()
    pids = [proc.pid for proc in living]
    names = {proc.pid: proc.shell.reads() for proc in living if proc.shell is not None}
    candidates = {
        thread: tuple((c.point, c.world, c.point.guess and world.started[thread] - c.started) for c in met)
        for thread, met in world.candidates.items()
        if thread not in world.settled
    }
    passed = candidates.pop(0, ())
    alike = (
        world.clock,
        world.stopped,
        _turns_among(world, living),
        world.settled,
        world.live,
        world.fifos,
        world.polls,
        world.failure,
        world.exec_failed,
        world.at_stop,
        world.other_arguments,
        frozenset((c.place, c.way) for c in world.choices if c.kind == "unknown" and _recurs(world, c, names)),
        tuple((o.reason, o.place) for o in world.obstacles),
        tuple((w.pid, w.how, w.place) for w in world.waiting),
        len(world.sent),
        tuple((h.pid, h.signal, h.ended) for h in world.handled),
        tuple(_likeness_of(proc, pids, names, elsewhere) for proc in living),
        tuple(candidates.items()),
    )
    return alike, passed


def _turns_among(world: World, living: Sequence[Proc]) -> tuple[object, ...]:
    """The turns, as far as they are those of processes that live."""
    pids = [proc.pid for proc in living]
    return tuple(
        (
            turn.progress,
            turn.running,
            tuple(pid for pid in pids if pid >= turn.first),
            tuple(pid for pid in pids if turn.at <= pid <= turn.limit),
        )
        for turn in world.turns
    )


def _recurs(world: World, choice: Choice, names: Mapping[int, frozenset[str]]) -> bool:
    """Whether a choice may be met again: its loop goes round, or its function may be called."""
    if choice.function and any(called(choice.function) in read or ALL_CALLS in read for read in names.values()):
        return True
    shell = world.procs[choice.pid].shell if choice.pid else None
    return shell is not None and shell.depth >= choice.depth


def _likeness_of(
    proc: Proc, pids: Sequence[int], names: Mapping[int, frozenset[str]], elsewhere: Elsewhere
) -> tuple[object, ...]:
    # The numbers of those that live only grow.
    stages = tuple((stage.likeness, bisect_right(pids, stage.began)) for stage in proc.stages)
    own = (
        proc.pid,
        proc.parent,
        proc.group,
        proc.thread,
        proc.block,
        proc.ignored,
        proc.reaction,
        proc.passes,
        proc.child,
        proc.interrupted,
        proc.left,
        proc.told,
        proc.done,
        proc.lost,
        proc.ends_at,
        proc.kills_at,
        proc.long,
        proc.helper,
        proc.background,
        proc.daemon,
        proc.brief,
        proc.fed,
        proc.stdin,
        proc.reads_from,
    )
    return (*own, stages, proc.shell.likeness(names[proc.pid], elsewhere) if proc.shell is not None else None)
