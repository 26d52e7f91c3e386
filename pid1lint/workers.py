"""Processes that work side by side: one that dies costs the one piece of work that it had in hand."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

from pid1lint.frozen import NamedTuple

Result = TypeVar("Result")

MOST = 64
"""So many workers at most, whatever is asked for."""
_DEEP = 50_000
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Died(NamedTuple):
    """What a worker has left of a piece of work: in words, how it ended."""

    how: str


class Failed(NamedTuple):
    """What a piece of work came to that raised an error which is the user's to repair."""

    message: str


class _Worker(NamedTuple):
    process: BaseProcess
    pipe: Connection


class Pool(Generic[Result]):
    """Does `work` on each of some strings, in as many processes as asked for and needed."""

    def __init__(self, work: Callable[[str], Result], workers: int) -> None:
        self._work = work
        self._count = min(workers, MOST)
        # Where a process can be copied its memory is shared, and nothing is imported twice.
        self._context = get_context("fork" if sys.platform == "linux" else None)
        # Nobody writes to it: when this process ends, however it does, the workers see the end of it.
        self._alive = self._context.Pipe(duplex=False)

    def results(self, tasks: Sequence[str]) -> Iterator[Result | Died | Failed]:
        """The results in the order of the tasks."""
        found: dict[int, Result | Died | Failed] = {}
        waiting = list(range(len(tasks)))[::-1]
        busy: dict[Connection, tuple[_Worker, int]] = {}
        shown = 0
        try:
            while waiting or busy:
                while waiting and len(busy) < self._count:
                    self._give(self._start(), tasks, waiting, busy)
                for pipe in wait(list(busy)):
                    assert isinstance(pipe, Connection)
                    worker, at = busy.pop(pipe)
                    try:
                        found[at] = pipe.recv()
                    except (EOFError, OSError):
                        found[at] = Died(_how(worker.process))
                        continue
                    if waiting:
                        self._give(worker, tasks, waiting, busy)
                    else:
                        _end(worker)
                while shown in found:
                    yield found.pop(shown)
                    shown += 1
        finally:
            for worker, _ in busy.values():
                _end(worker)

    def _give(
        self, worker: _Worker, tasks: Sequence[str], waiting: list[int], busy: dict[Connection, tuple[_Worker, int]]
    ) -> None:
        at = waiting.pop()
        busy[worker.pipe] = (worker, at)
        try:
            worker.pipe.send(tasks[at])
        except OSError:
            return  # it has died between two pieces of work: that is seen where its answer is waited for

    def _start(self) -> _Worker:
        here, there = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(self._work, there, self._alive, here), daemon=True)
        before = _block()
        try:
            process.start()
        finally:
            _unblock(before)
        there.close()
        return _Worker(process, here)


def _end(worker: _Worker) -> None:
    """It holds nothing that it would have to put away."""
    worker.process.kill()
    worker.process.join()
    worker.pipe.close()


def _block() -> object:
    """Hold signals back: a new process must not be told to end before it knows how."""
    return signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS) if hasattr(signal, "pthread_sigmask") else None


def _unblock(before: object) -> None:
    if isinstance(before, set):
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(
    work: Callable[[str], Result], pipe: Connection, alive: tuple[Connection, Connection], other: Connection
) -> None:
    """A worker: it ends when nothing more comes, or when the process is gone that it works for."""
    from threading import Thread

    from pid1lint.errors import Pid1lintError

    # Ctrl-C is for the one who started us, and that one ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _unblock(set())
    other.close()
    alive[1].close()
    Thread(target=_end_with, args=(alive[0],), daemon=True).start()
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)
        try:
            answer: object = work(task)
        except Pid1lintError as error:
            answer = Failed(str(error))
        except Exception as error:  # noqa: BLE001 - as for a worker that dies: the other files are still checked
            answer = Died(f"{type(error).__name__}: {error}")
        try:
            pipe.send(answer)
        except RecursionError:
            # A script that is nested deeply is passed on by as deep a recursion.
            sys.setrecursionlimit(_DEEP)
            pipe.send(answer)


def _end_with(alive: Connection) -> None:
    try:
        alive.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)


def _how(process: BaseProcess) -> str:
    process.join()
    code = process.exitcode or 0
    if code >= 0:
        return f"ended with {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed by {name}" + (": out of memory?" if -code == signal.SIGKILL else "")
