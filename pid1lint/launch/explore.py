"""All ways through a launch: each world is run to its end, and at each choice a copy of it takes the other way.

A world runs until nothing moves, is told to stop where the launch stays, and runs on until PID 1 has ended or the
grace period is over. Where it stays is seen when it is known what comes after: the last server in the foreground, the
last `wait`, the loop that nothing ends. So each such point is passed, and the world goes back to the last of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush

from pid1lint.frozen import NamedTuple
from pid1lint.launch.become import become
from pid1lint.launch.code import Code, Job
from pid1lint.launch.interpreter import Interpreter
from pid1lint.launch.leaf import Start
from pid1lint.launch.likeness import likeness
from pid1lint.launch.lookup import Lookup
from pid1lint.launch.process import Outcome
from pid1lint.launch.signals import SIGNALS
from pid1lint.launch.stack import WaitEnded
from pid1lint.launch.state import Negated
from pid1lint.launch.step import BUILTINS, step
from pid1lint.launch.world import Candidate, Choice, Point, Turn, World
from pid1lint.source import Place

_MOST_COMMANDS = 20_000
"""How many operations of scripts are done, in all worlds together, before no further way is begun."""
_MOST_AGAIN = 8_000
"""How many of them, one after the other, may be such as have been done before; in worlds that go astray, a quarter."""
_MOST_OF_ONE = 10_000
"""And how many of them on one way."""
_MOST_FORKS = 2_000
"""How many ways may wait to be gone."""
_MOST_STEPS = 4000
"""How often the processes of one world have their turn: what never comes to rest ends there."""
_MOST_PROCESSES = 100
"""How many processes of one world may live at once: wherever ways meet, each of them is compared."""
_MOST_CHOICES = 300
"""How many choices of one way: each is compared with all before it."""
_CLEAN_UP = 3
"""How many programs may come after one of which nothing is known, for it still to be the one that stays."""
_STAYING = ("forever", "exec")


class Ended(NamedTuple):
    """A world at its end, and the choices of its path."""

    world: World
    choices: tuple[Choice, ...]


class Explored(NamedTuple):
    """The worlds at the ends of all ways, the usual one first, and where ways begin that were not gone any more.

    `left_out` has the choices of each of them. `operations` of scripts were done.
    """

    ended: tuple[Ended, ...]
    left_out: tuple[tuple[Choice, ...], ...]
    operations: int


def explore(lookup: Lookup, start: Start, stop_signal: str) -> Explored:
    """Run a launch on all ways, those first that stray least from what a plain `docker run` does."""
    world = World(stop_signal)
    world.as_pid1 = lookup.asked.as_pid1()
    become(lookup, world, world.spawn(None), start)
    return _Exploration(lookup).all_of(world)


class _Merged(NamedTuple):
    """A world that had come to the same as another before, in the run with this number."""

    world: World
    number: int


class _Stay(NamedTuple):
    """Where a path's main line of execution was found to stay, and the world as it was when that was decided."""

    candidate: Candidate
    rest: World


class _Exploration:
    """The ways of one launch. `number` counts the worlds that have been run, `world` is the present one."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.number = 0
        self.world: World
        self.run: Interpreter
        # The worlds that have come to where ways meet, each with the run in which it did.
        self.seen: dict[object, tuple[int, object]] = {}
        self.merges = True
        self.merged: dict[int, _Merged] = {}
        # Those of them that had been at other places to stay before, and the runs that surely stay somewhere else.
        self.deferred: list[int] = []
        self.firm: set[int] = set()
        # The worlds that go on after all, with the runs in which they had come to the same as another.
        self.halted: dict[World, int] = {}
        self.stays: dict[int, _Stay] = {}
        # Which operations have been done, and how many had been when one was for the first time.
        self.covered: dict[Code, bytearray] = {}
        self.news = 0

    def all_of(self, first: World) -> Explored:
        """Each way is gone to its end before another is begun."""
        self.run = Interpreter(self.lookup, first, BUILTINS)
        queue: list[tuple[int, bool, int, World]] = [(0, False, 0, first)]
        order = 0
        ended: list[Ended] = []
        numbers: list[int] = []
        taken: set[tuple[int, ...]] = set()
        level = 0
        while self.run.commands < _MOST_COMMANDS:
            if not queue or queue[0][0] > level:
                for other in self._resumed():
                    order += 1
                    heappush(queue, (other.strays, False, order, other))
            if not queue:
                break
            level, begun, at, world = heappop(queue)
            if not begun and self._is_covered(world):
                # What no world has come to yet goes first.
                heappush(queue, (level, True, at, world))
                continue
            if self.run.commands - self.news > (_MOST_AGAIN if not level else _MOST_AGAIN // 4):
                heappush(queue, (level, True, at, world))
                break
            self.number += 1
            if world in self.halted:
                self.merged[self.halted.pop(world)] = _Merged(world, self.number)
            found = self._to_end(world, world.choices)
            for fork in self.run.forks:
                if len(queue) < _MOST_FORKS:
                    order += 1
                    heappush(queue, (fork.strays, False, order, fork))
            ways = tuple(choice.way for choice in found.choices) if found is not None else ()
            if found is not None and ways not in taken:
                taken.add(ways)
                ended.append(found)
                numbers.append(self.number)
        left = [*(world for *_, world in queue), *self._resumed()]
        for world in left:
            self.merged.pop(self.halted.get(world, 0), None)
        self._reconsider(ended, numbers)
        ended += self._noted_elsewhere(dict(zip(numbers, ended, strict=True)))
        return Explored(tuple(ended), tuple(world.choices for world in left), self.run.commands)

    def _is_covered(self, world: World) -> bool:
        """Whether another world has been where this one goes on."""
        turn = world.turns[-1] if world.turns else None
        shell = world.procs[turn.running].shell if turn is not None and turn.running else None
        if shell is None:
            return False
        marks = self.covered.get(shell.code)
        return marks is not None and shell.pc < len(marks) and bool(marks[shell.pc])

    def _resumed(self) -> list[World]:
        """The worlds that go on after all: the one that each has come to the same as may stay where it had not been."""
        found = []
        for run in self.deferred:
            world, number = self.merged[run]
            if self._end_of(number) not in self.firm:
                world.exact = True
                self.halted[world] = run
                found.append(world)
        self.deferred = []
        return found

    def _end_of(self, number: int) -> int:
        """The run in which what another one has begun came to its end."""
        while number in self.merged:
            number = self.merged[number].number
        return number

    def _noted_elsewhere(self, ended: Mapping[int, Ended]) -> Iterator[Ended]:
        """The paths of worlds that have come to the same as others, where something else was noted on the way."""
        noted = {note for each in ended.values() for note in _notes(each.world, each.world)}
        for world, same_as in self.merged.values():
            number = self._end_of(same_as)
            if number not in ended:
                continue
            end = ended[number].world
            more = _notes(world, end) - noted
            if not more:
                continue
            noted |= more
            end = end.copy()
            end.starts = (*world.starts, *(s for s in end.starts if all(s is not other for other in world.starts)))
            end.traps = (*world.traps, *(t for t in end.traps if all(t is not other for other in world.traps)))
            yield Ended(end, world.choices)

    def _reconsider(self, ended: list[Ended], numbers: Sequence[int]) -> None:
        """What a way goes past to stay somewhere else is only a step, on any way.

        That holds for what PID 1 becomes in the end, and for what a plain `docker run` comes to: a user may have
        things run together that are there to be run by themselves.
        """
        passed = [(stay, stay.rest) for number in numbers if (stay := self.stays.get(number)) is not None]
        passed += [
            (stay, world)
            for world, same_as in self.merged.values()
            if (stay := self.stays.get(self._end_of(same_as))) is not None
        ]
        steps = {
            place
            for stay, world in passed
            if stay.candidate.point.how == "exec" or not world.strays
            for place in world.guessed - {stay.candidate.point.place}
        }
        for index, number in enumerate(numbers):
            stay = self.stays.get(number)
            if stay is None or not stay.candidate.point.guess or stay.candidate.point.place not in steps:
                continue
            self.number += 1
            rest = stay.rest.copy()
            rest.candidates[0] = tuple(c for c in rest.candidates[0] if c.point.place not in steps or not c.point.guess)
            self.merges = False
            found = self._to_end(rest, ended[index].choices)
            if found is not None:
                ended[index] = found

    # ----------------------------------------------------------------- one world

    def _to_end(self, world: World, base: tuple[Choice, ...]) -> Ended | None:
        """Run a world to its end; None if another has come to the same before.

        `base` are the choices that make its path another one: it has them even if it stays before the last of them.
        """
        self.world = world
        self.run.forks = []
        begun = self.run.commands
        while True:
            if not self._settle(begun):
                return None
            world = self.world
            if _is_too_much(world) or self.run.commands - begun > _MOST_OF_ONE:
                world.hinder("it runs more commands than pid1lint follows", None)
                break
            if not world.stopped:
                if self._decide():
                    continue
                if not self.world.procs[1].alive or self.world.failure is not None:
                    break
                self.world.stop()
                continue
            moment = world.next_moment()
            if not world.procs[1].alive or moment is None or moment > self.run.lookup.asked.grace():
                break
            world.pass_time(moment)
        choices = self.world.choices
        return Ended(self.world, choices if len(choices) >= len(base) else base)

    def _settle(self, begun: int) -> bool:
        """Let all processes run until all wait; False if another world has come to the same before."""
        run = self.run
        if self.world.point is not None:
            self._meet(self.world.point)
        if not self.world.turns:
            self._begin_turn(1)
        while True:
            world = self.world
            turn = world.turns[-1]
            if turn.running:
                if not self._step(turn.running, begun + _MOST_OF_ONE):
                    return False
                # One command may start any number of processes: a pipeline's members.
                many = len(self.world.procs) % 256 == 0 and _is_too_much(self.world)
                if many or len(self.world.choices) > _MOST_CHOICES or run.commands - begun > _MOST_OF_ONE:
                    return True
                continue
            if not world.procs[1].alive or _is_too_much(world):
                world.turns = ()
                return True
            among = (pid for pid in world.alive if turn.at <= pid <= turn.limit)
            pid = next(filter(self._is_ready, among), 0)
            if pid:
                world.steps += 1
                world.turns = (*world.turns[:-1], turn._replace(at=pid + 1, progress=True, running=pid))
                self._wake(pid)
            elif turn.progress:
                world.turns = (*world.turns[:-1], Turn(turn.first, turn.first, len(world.procs)))
            elif len(world.turns) > 1:
                self._end_turn(turn)
            else:
                world.turns = ()
                return True

    def _begin_turn(self, first: int) -> None:
        world = self.world
        world.turns = (*world.turns, Turn(first, first, len(world.procs)))

    def _end_turn(self, turn: Turn) -> None:
        """A job that has been started has run up to where it waits: what has started it goes on."""
        world = self.world
        world.turns = world.turns[:-1]
        job = world.procs[turn.first]
        if job.thread == world.procs[job.parent or 1].thread and not job.background:
            return
        starter = world.procs[world.turns[-1].running]
        after = starter.shell.code.ops[starter.shell.pc] if starter.shell is not None else None
        more = isinstance(after, Job) and after.number > 0
        if not more and job.thread not in world.settled and self._is_over(job.thread):
            self._decide_job(job.thread)

    def _is_over(self, thread: int) -> bool:
        """Whether a job's line of execution has come to its end, or to where it stays for good."""
        world = self.world
        met = world.candidates.get(thread, ())
        if met and met[-1].point.how in _STAYING and world.procs[met[-1].point.pid or 1].alive:
            return True
        return not any(proc.shell is not None and proc.thread == thread for proc in world.living())

    def _is_ready(self, pid: int) -> bool:
        """Whether a process is a shell that can go on."""
        world = self.world
        proc = world.procs[pid]
        if not proc.alive or proc.shell is None:
            return False
        block = proc.block
        if block is None or (proc.interrupted and block.interruptible):
            return True
        if block.until is not None:
            return world.clock >= block.until
        ended = (not world.procs[other].alive for other in block.pids)
        return any(ended) if block.any_one else all(ended)

    def _wake(self, pid: int) -> None:
        """Give a process its turn."""
        self.run.enter(self.world, pid)
        proc, shell = self.run.proc, self.run.shell
        if proc.block is not None:
            interrupted = proc.interrupted and proc.block.interruptible
            if interrupted and isinstance(shell.resume, WaitEnded):
                shell.resume = shell.resume._replace(interrupted=True)
                # What a handler finds in `$?`: 128 and the signal's number.
                shell.status = 128 + SIGNALS.get(shell.pending[0], 15) if shell.pending else shell.status
            proc.block = None

    def _step(self, pid: int, most: int) -> bool:
        """Let the process that has its turn run; False if another world has come to the same before."""
        run, world = self.run, self.world
        if not self._has_more(pid):
            self._yield()
            return True
        if run.world is not world or run.proc.pid != pid or run.proc.owner is not world.owner:
            run.enter(world, pid)
        turns, covered = world.turns, self.covered
        while True:
            shell = run.shell
            marks = covered.get(shell.code)
            if marks is None:
                marks = covered[shell.code] = bytearray(len(shell.code.ops) + 1)
            if not marks[shell.pc]:
                marks[shell.pc] = 1
                self.news = run.commands
            goes_on = step(run)
            if not goes_on or run.met or world.point is not None or world.turns is not turns:
                break
            if run.proc.block is not None or run.commands > most:
                break
        if world.point is not None:
            self._meet(world.point)
        if len(self.world.turns) <= len(turns) and not (goes_on and self._has_more(pid)):
            # What it has started would run first.
            self._yield()
        if run.met:
            run.met = False
            return self._is_new()
        return True

    def _is_new(self) -> bool:
        """Whether no other world has come to the same before as the present one, where ways meet."""
        if not self.merges:
            return True
        world = self.world
        alike, passed = likeness(world, self.lookup.elsewhere())
        number, before = self.seen.setdefault((alike, passed if world.exact else None), (self.number, passed))
        if number == self.number:
            return True
        self.merged[self.number] = _Merged(world, number)
        if passed != before:
            self.deferred.append(self.number)
        return False

    def _has_more(self, pid: int) -> bool:
        """Whether a process that has its turn is a shell that need not wait."""
        proc = self.world.procs[pid]
        return proc.alive and proc.shell is not None and proc.block is None

    def _yield(self) -> None:
        """The turn of the process that has it is over."""
        turns = self.world.turns
        self.world.turns = (*turns[:-1], turns[-1]._replace(running=0))

    # -------------------------------------------------------------------- points

    def _meet(self, point: Point) -> None:
        """Come to where the launch may stay: what may never return stays for now, all else is passed for now."""
        world = self.world
        world.point = None
        thread = point.thread
        cleans_up = any(proc.shell is not None and proc.shell.in_exit_trap for proc in world.living())
        if cleans_up and (point.how != "wait" or _last(world, thread, certain=False) is not None):
            # It waits there for its jobs, unless it has stayed before: then that has ended.
            self._answer(point, False)
            return
        world.met[thread] = world.met.get(thread, 0) + 1
        if thread in world.settled:
            self._answer(point, False)
            return
        snapshot = None
        if thread or point.how != "exec":
            snapshot = world.copy()
            snapshot.point = point
            # Whoever goes back to it stays there: what this line of execution had met before is of no more use.
            snapshot.candidates.pop(thread, None)
        started, jobs = world.started.get(thread, 0), world.job_counts.get(thread, 0)
        met = (
            *world.candidates.get(thread, ()),
            Candidate(point, started, jobs, snapshot, self.number, len(self.run.forks)),
        )
        world.candidates[thread] = _pruned(met, started, jobs)
        if point.guess and not thread and point.place is not None:
            world.guessed |= {point.place}
        self._answer(point, point.how in _STAYING)

    def _answer(self, point: Point, stays: bool) -> None:
        world = self.world
        world.answer = stays
        if not point.pid:
            return
        if stays:
            world.own(point.pid).long = True
        else:
            world.end(point.pid, 0)

    def _decide(self) -> bool:
        """Decide where each line of execution stays, now that nothing moves; whether the world has gone back to it."""
        world = self.world
        for thread in sorted(world.candidates):
            if thread and thread not in world.settled and self._decide_job(thread):
                return True
        if 0 in world.settled:
            return False
        candidate = _last(world, 0, certain=_gave_up(world))
        if candidate is None:
            world.settle(0)
            return False
        self.stays[self.number] = _Stay(candidate, world.copy())
        if candidate.point.how in _STAYING:
            self.firm.add(self.number)
        return self._stay_at(candidate)

    def _decide_job(self, thread: int) -> bool:
        candidate = _last(self.world, thread, certain=False)
        return candidate is not None and self._stay_at(candidate)

    def _stay_at(self, candidate: Candidate) -> bool:
        """Have a line of execution stay at a point; whether the world had to go back to it."""
        point = candidate.point
        met = self.world.candidates[point.thread]
        if candidate.world is None or (candidate is met[-1] and point.how in _STAYING):
            self.world.settle(point.thread)
            return False
        # What was chosen after that is no choice of this path.
        del self.run.forks[candidate.forks if candidate.run == self.number else 0 :]
        world = self.world = candidate.world.copy()
        world.point = None
        world.settle(point.thread)
        world.met[point.thread] = world.met.get(point.thread, 0) + 1
        self._answer(point, True)
        return True


def _is_too_much(world: World) -> bool:
    """Whether a world takes more than is followed."""
    if world.steps >= _MOST_STEPS or len(world.choices) > _MOST_CHOICES:
        return True
    return len(world.alive) > _MOST_PROCESSES


def _notes(world: World, end: World) -> set[tuple[str, Place | None, Outcome]]:
    """What was noted on a way, and where, and what came of it in the end."""
    outcome = end.outcome()[0]
    found = {(start.what, start.place, outcome) for start in world.starts}
    return found | {("trap", trap.place, outcome) for trap in world.traps}


def _pruned(met: tuple[Candidate, ...], started: int, jobs: int) -> tuple[Candidate, ...]:
    """The points that may still be the last: nothing goes back past the last one that is surely there to stay.

    Of guesses that are passed for good only that they were there.
    """
    first = len(met) - 1
    while first > 0 and met[first].point.guess:
        first -= 1
    if first > 0 and met[first].point.how == "wait" and met[first - 1].point.how == "wait":
        # Of waits in a row it is the first that counts: see `_last`.
        return (met[first - 1], *met[first + 1 :])
    kept: list[Candidate] = []
    for candidate in met[first:]:
        dead = candidate.point.guess and _is_passed(candidate, started, jobs)
        if dead and kept and kept[-1].world is None and kept[-1].point.guess:
            continue
        kept.append(candidate._replace(world=None) if dead else candidate)
    return tuple(kept)


def _is_passed(candidate: Candidate, started: int, jobs: int) -> bool:
    """Whether more comes after a point, in its own line of execution, than a script cleans up with."""
    return started - candidate.started > _CLEAN_UP or jobs > candidate.jobs


def _last(world: World, thread: int, *, certain: bool) -> Candidate | None:
    """Where a line of execution stays: at the last point, or at the first of the waits that end it.

    `certain`: not at a program of which nothing is known.
    """
    met = world.candidates.get(thread, ())
    started, jobs = world.started.get(thread, 0), world.job_counts.get(thread, 0)
    at = len(met) - 1
    while at >= 0 and met[at].point.guess and (certain or _is_passed(met[at], started, jobs)):
        at -= 1
    if at > 0 and met[at].point.guess and met[at - 1].point.how == "wait":
        # What is done when the app in the background has ended: the launch is there to wait for that.
        at -= 1
    while at > 0 and met[at].point.how == "wait" and met[at - 1].point.how == "wait":
        at -= 1
    return met[at] if at >= 0 else None


def _gave_up(world: World) -> bool:
    """Whether PID 1 has failed, has become a program that ends, or has only said something, as `CMD ["help"]` wants it.

    Nothing before that was there to stay.
    """
    one = world.procs[1]
    if one.alive:
        return False
    if any(choice.ends is not None and choice.way == choice.ends for choice in world.choices):
        return True
    status = one.status if one.left is None else one.left
    return (status != 0 and not isinstance(status, Negated)) or (
        len(one.stages) > 1 and (one.stage.kind == "job" or one.stage.form == "interactive")
    )
