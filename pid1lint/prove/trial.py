"""One trial: start, wait until it is ready, look, stop, and measure what becomes of whom."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence

from pid1lint.errors import Pid1lintError
from pid1lint.facts.inits import INITS
from pid1lint.facts.launchers import launcher
from pid1lint.facts.shells import known as is_shell
from pid1lint.frozen import NamedTuple
from pid1lint.numbers import is_number
from pid1lint.prove.engine import Container, Engine, State
from pid1lint.prove.observe import Ended, Seen, Watch, from_here, from_inside, is_visible

_TICK = 0.004
_SETTLED = 1.0
"""So long nothing must have changed for a container to be ready by itself, in seconds."""
_MOST_WAIT = 60.0
_MOST_SETTLING = 5.0
_LISTEN = "0A"
KILLED = 137
SIGKILL = 9
_RAISE_AGAIN = ("node", "php", "MainThread")
"""They catch the signal for their own clean-up, and end by it where the app has set no handler (measured)."""


class Ready(NamedTuple):
    """When a container is ready: after so many `seconds`, when a `port` is open, a `log` matches, or it is `health`y.

    With none of them: when for a second no process has come, gone, changed or worked.
    """

    seconds: float | None = None
    port: int | None = None
    log: re.Pattern[str] | None = None
    health: bool = False


def parse_ready(text: str) -> Ready:
    """`5`, `port:8080`, `log:REGEX` or `health`; `Pid1lintError` for anything else."""
    kind, colon, rest = text.partition(":")
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return Ready(seconds=float(text))
    if kind == "port" and is_number(rest):
        return Ready(port=int(rest))
    if kind == "log" and colon and rest:
        try:
            return Ready(log=re.compile(rest))
        except re.error as error:
            raise Pid1lintError(f"--ready: {rest!r} is not a regular expression: {error}") from None
    if text == "health":
        return Ready(health=True)
    raise Pid1lintError(f"--ready: {text!r} must be 5 (seconds), port:8080, log:REGEX or health")


class Measured(NamedTuple):
    """What one trial showed.

    `outcome` is as in a launch; `processes` are those that were there when the stop began, PID 1 first, `ends` how they
    ended, by pid. `app` is the one that the container is there for. `seconds` from the stop until the container was
    gone. `error` is why it did not start.
    """

    outcome: str
    processes: tuple[Seen, ...] = ()
    ends: Mapping[int, Ended] = {}
    app: Seen | None = None
    seconds: float = 0.0
    exit_code: int = 0
    zombies: int = 0
    signal: int = 15
    error: str = ""
    ready: bool = True

    @property
    def pid1(self) -> Seen | None:
        """The first process."""
        return self.processes[0] if self.processes else None


def measure(
    engine: Engine,
    image: str,
    *,
    options: Sequence[str] = (),
    arguments: Sequence[str] = (),
    ready: Ready = Ready(),  # noqa: B008 - it is a frozen value
    grace: float = 10,
    signal: int = 15,
    is_app: Callable[[Seen], bool] | None = None,
) -> Measured:
    """Run an image once, with options of `run` and the arguments behind the image's name.

    `is_app` knows the app among the processes; without it, it is looked for by its place.

    `EngineError` if the engine cannot do its part; that the image does not start is an outcome.
    """
    with Container(engine, image, options, arguments) as container:
        error = container.start()
        if error:
            return Measured("fails", error=error, exit_code=_code(container), signal=signal)
        is_ready, seen = _wait(container, ready)
        state = container.state()
        if not state.running:
            return _ended(state, signal)
        app = _app(seen, is_app)
        return _stop(container, seen, app, grace, signal)._replace(ready=is_ready)


def _code(container: Container) -> int:
    try:
        return container.state().exit_code
    except Pid1lintError:
        return 0


def _ended(state: State, signal: int) -> Measured:
    """It was gone before it was stopped: a program that is not there, or one that had nothing to stay for."""
    failed = state.exit_code in (126, 127) or bool(state.error)
    return Measured("fails" if failed else "exits", exit_code=state.exit_code, error=state.error, signal=signal)


def look(container: Container, state: State) -> tuple[Seen, ...]:
    """The processes that are there now."""
    return from_here(state.pid) if is_visible(state.pid) else from_inside(container.engine, container.name)


def _wait(container: Container, ready: Ready) -> tuple[bool, tuple[Seen, ...]]:
    """Wait until it is ready; whether it has become so in time, and the processes then."""
    begin = time.monotonic()
    last: tuple[object, ...] = ()
    since = begin
    seen: tuple[Seen, ...] = ()
    while time.monotonic() - begin < _MOST_WAIT:
        state = container.state()
        if not state.running:
            return True, ()
        seen = look(container, state)
        now = time.monotonic()
        shape = tuple((p.pid, p.argv, p.caught, p.ignored, p.ticks // 3) for p in seen)
        if shape != last:
            last, since = shape, now
        if _is_ready(container, state, ready, seen, now - begin, now - since):
            return True, seen
        time.sleep(0.1)
    return False, seen


def _is_ready(
    container: Container, state: State, ready: Ready, seen: tuple[Seen, ...], up: float, settled: float
) -> bool:
    if ready.seconds is not None:
        return up >= ready.seconds
    if ready.log is not None:
        return ready.log.search(container.engine.logs(container.name)) is not None
    if ready.port is not None:
        return ready.port in _open_ports(state.pid)
    if ready.health:
        return state.health == "healthy"
    return bool(seen) and settled >= _SETTLED


def _open_ports(pid: int) -> frozenset[int]:
    """The ports on which a container listens, as its network namespace has them."""
    found: set[int] = set()
    for name in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{pid}/net/{name}", encoding="ascii") as file:
                rows = [line.split() for line in file][1:]
        except OSError:
            continue
        found.update(int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == _LISTEN)
    return frozenset(found)


def _app(seen: tuple[Seen, ...], is_app: Callable[[Seen], bool] | None) -> Seen | None:
    """The process that the container is there for: the first below PID 1 that is no shell, init or launcher."""
    living = [process for process in seen if not process.zombie]
    if is_app is not None:
        chosen = next((process for process in living if is_app(process)), None)
        if chosen is not None:
            return chosen
    at = living[0] if living else None
    while at is not None and _passes_on(at):
        below = [process for process in living if process.parent == at.pid and not _holds_open(process)]
        if not below:
            break
        at = below[0]
    return at


def _passes_on(process: Seen) -> bool:
    name = os.path.basename(process.argv[0]) if process.argv else process.name
    return is_shell(name) or name in ("sh", "ash") or name in INITS or launcher(name) is not None


def _holds_open(process: Seen) -> bool:
    return process.name in ("sleep", "tail", "cat", "tee")


def _stop(container: Container, seen: tuple[Seen, ...], app: Seen | None, grace: float, signal: int) -> Measured:
    drops = _drops(app) if app is not None else False
    watch = Watch(seen)
    try:
        begin = time.monotonic()
        stopping = container.stop(grace)
        gone: dict[int, float] = {}
        while stopping.poll() is None:
            for pid in watch.gone() - gone.keys():
                gone[pid] = time.monotonic() - begin
            time.sleep(_TICK)
        elapsed = time.monotonic() - begin
        for pid in watch.gone() - gone.keys():
            gone[pid] = elapsed
        ends = {pid: Ended(*watch.ends(pid), seconds) for pid, seconds in gone.items()}
    finally:
        watch.close()
    made = Measured(
        "graceful",
        seen,
        ends,
        app,
        ends[1].seconds if 1 in ends else elapsed,
        _settled_code(container),
        sum(process.zombie for process in seen),
        signal,
    )
    return made._replace(outcome=outcome_of(made, grace, drops=drops))


def _settled_code(container: Container) -> int:
    """The exit code, once the engine knows that the container is gone: on a busy machine `stop` is back before."""
    deadline = time.monotonic() + _MOST_SETTLING
    while (state := container.state()).running and time.monotonic() < deadline:
        time.sleep(0.1)
    return state.exit_code


def outcome_of(made: Measured, grace: float, *, drops: bool) -> str:
    """How it ended: see `launch.process.Outcome`. `drops`: the app has only its language's own handler."""
    one = made.ends.get(1)
    killed = made.exit_code == KILLED or (one is not None and one.signal == SIGKILL)
    if killed and made.seconds > grace - 0.5:
        return "hang"
    app = made.app
    end = made.ends.get(app.pid) if app is not None else None
    if app is None or end is None:
        return "graceful"
    if end.signal is not None:
        # Cut off with its namespace, or ended by a signal that it has no handler for.
        own = end.signal in app.caught and app.name not in _RAISE_AGAIN
        return "graceful" if own and end.signal != SIGKILL else "abrupt"
    return "abrupt" if drops else "graceful"


def _drops(app: Seen) -> bool:
    """Whether a program has no handler but its runtime's, which ends it at once: Go without os/signal."""
    from pid1lint.image.binary import read

    try:
        with open(app.exe, "rb") as file:
            binary = read(file)
    except OSError:
        return False
    return binary is not None and binary.language == "go" and binary.handles is False
