"""How a run ends that is told to: at once, in one word, with the exit code that shells give for the signal."""

from __future__ import annotations

# What `signal` wraps in enumerations, and nothing else that Python has not loaded yet: until `heed` is called a signal
# is Python's, which ends with a traceback.
import _signal as signal  # type: ignore[import-not-found]
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

_WORDS = {signal.SIGINT: "Interrupted", signal.SIGTERM: "Terminated"}
_told: list[int] = []


class EndedError(BaseException):
    """The run was told to end; no `except Exception` may hold it up."""


def heed() -> None:
    """From here on SIGINT and SIGTERM end the run, also as PID 1; what the caller had ignored stays ignored."""
    for number in _WORDS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _raise)
    sys.unraisablehook = _not_raised


def told() -> int:
    """The signal that has told this run to end; 0 if none has.

    Before 3.12 Python makes a `RuntimeError` of whatever is raised while it names a class's attributes.
    """
    return _told[0] if _told else 0


def _raise(number: int, _: FrameType | None) -> NoReturn:
    _told.append(number)
    for each in _WORDS:
        # A second one does not wait for what the first has begun.
        signal.signal(each, lambda another, _: os._exit(128 + another))
    raise EndedError


def _not_raised(lost: sys.UnraisableHookArgs) -> None:
    """A signal may come while Python runs what lets no exception out, such as the end of an object."""
    if isinstance(lost.exc_value, EndedError):
        finish(told())
    sys.__unraisablehook__(lost)


def finish(number: int) -> NoReturn:
    """End this process, and the workers that it has, without a further word of anybody."""
    try:
        if "multiprocessing" in sys.modules:
            import multiprocessing

            for worker in multiprocessing.active_children():
                worker.kill()
        sys.stderr.write(f"{_WORDS[number]}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass  # there is nobody to tell
    os._exit(128 + number)
