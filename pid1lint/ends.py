"""How a run ends that is told to: at once, in one word, with the exit code that shells give for the signal."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

_WORDS = {signal.SIGINT: "Interrupted", signal.SIGTERM: "Terminated"}


class EndedError(BaseException):
    """The run was told to end; no `except Exception` may hold it up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def heed() -> None:
    """From here on SIGINT and SIGTERM end the run, also as PID 1; what the caller had ignored stays ignored."""
    for number in _WORDS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise)


def _raise(number: int, _: FrameType | None) -> NoReturn:
    for each in _WORDS:
        # A second one does not wait for what the first has begun.
        signal.signal(each, lambda another, _: os._exit(128 + another))
    raise EndedError(number)


def finish(number: int) -> NoReturn:
    """End this process, and the workers that it has, without a further word of anybody."""
    if "multiprocessing" in sys.modules:
        import multiprocessing

        for worker in multiprocessing.active_children():
            worker.kill()
    try:
        sys.stderr.write(f"{_WORDS[signal.Signals(number)]}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass  # there is nobody to tell
    os._exit(128 + number)
