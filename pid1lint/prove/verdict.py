"""The verdict beside what happened: line by line, and where they differ, which of the facts is wrong."""

from __future__ import annotations

import os
import signal as signals
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pid1lint.frozen import NamedTuple
from pid1lint.prove.trial import Measured

if TYPE_CHECKING:
    from pid1lint.launch import Launch, Process
    from pid1lint.prove.observe import Seen

AGREES, DIFFERS, OPEN = "agrees", "differs", "not foreseen"


class Line(NamedTuple):
    """One thing that was foreseen (empty: nothing was said of it) and what was measured of it."""

    what: str
    foreseen: str
    measured: str
    verdict: str = AGREES


class Proof(NamedTuple):
    """What a trial comes to: `lines` to be read, `wrong` is which fact was refuted, empty if none."""

    name: str
    outcome: str
    foreseen: str
    lines: tuple[Line, ...]
    wrong: str
    measured: Measured

    @property
    def agrees(self) -> bool:
        """Whether nothing was refuted."""
        return not self.wrong

    @property
    def holds(self) -> bool:
        """Whether it ended gracefully, and as was foreseen."""
        return self.outcome == "graceful" and self.agrees


def signal_number(name: str) -> int:
    """A stop signal's number: SIGTERM's for what this machine has no number for."""
    if name.startswith("SIGRTMIN"):
        return 34 + int(name.partition("+")[2] or 0)
    try:
        return signals.Signals[name].value
    except KeyError:
        return signals.SIGTERM


def compare(name: str, launch: Launch | None, made: Measured, grace: float) -> Proof:
    """Hold a launch against a trial."""
    lines = list(_lines(launch, made, grace))
    wrong = _wrong(launch, made) if launch is not None else ""
    foreseen = launch.outcome.value if launch is not None else "unknown"
    return Proof(name, made.outcome, foreseen, tuple(lines), wrong, made)


def _lines(launch: Launch | None, made: Measured, grace: float) -> Sequence[Line]:
    signal = _signal(made.signal)
    path = launch.main if launch is not None else None
    foreseen_one = path.pid1 if path is not None else None
    lines = []
    if made.pid1 is not None:
        name = _program(foreseen_one)
        there = _command(made.pid1)
        same = not name or _is_same(foreseen_one, made.pid1)
        lines.append(Line("PID 1", name, there, _verdict(name, same)))
        said = "" if foreseen_one is None or foreseen_one.receives_stop is None else _receives(foreseen_one)
        lines.append(
            Line(f"PID 1 on {signal}", said, _disposition(made.pid1, made.signal), OPEN if not said else AGREES)
        )
        if made.app is not None and made.app.pid != 1:
            main = path.main if path is not None else None
            lines.append(Line("the app", _program(main), _command(made.app), _verdict(_program(main), True)))
            lines.append(Line(f"the app on {signal}", "", _disposition(made.app, made.signal), OPEN))
    foreseen = launch.outcome.value if launch is not None else ""
    foreseen = "" if foreseen == "unknown" else foreseen
    agrees = not foreseen or _agree(launch, made)
    lines.append(Line("outcome", foreseen, _outcome(made, grace), _verdict(foreseen, agrees)))
    if made.app is not None and made.app.pid in made.ends:
        lines.append(Line("the app ends", "", _end(made, made.app.pid), OPEN))
    if made.pid1 is not None:
        lines.append(Line("exit code", "", str(made.exit_code), OPEN))
        lines.append(Line("took", "", f"{made.seconds:.1f} s of {grace:g} s", OPEN))
        reaps = {True: "reaped", False: "not reaped", None: ""}[launch.reaps if launch is not None else None]
        zombies = f"{made.zombies} zombie{'' if made.zombies == 1 else 's'} before the stop"
        differs = reaps == "reaped" and made.zombies > 0
        lines.append(Line("orphans", reaps, zombies, DIFFERS if differs else OPEN if not reaps else AGREES))
    return lines


def _verdict(foreseen: str, agrees: bool) -> str:
    return OPEN if not foreseen else AGREES if agrees else DIFFERS


def _signal(number: int) -> str:
    try:
        return signals.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _program(process: Process | None) -> str:
    return "" if process is None else process.program


def _receives(process: Process) -> str:
    return "gets it" if process.receives_stop else "ignores it"


def _is_same(process: Process | None, seen: Seen) -> bool:
    """Whether a process is the one that was foreseen: by its program, or by the script that it runs."""
    if process is None:
        return True
    names = {os.path.basename(word) for word in (*seen.argv[:3], seen.name)}
    wanted = {process.program, *(os.path.basename(word) for word in process.argv[:1])}
    if process.kind == "shell":
        wanted |= {process.dialect, "sh"} if process.dialect else {"sh"}
    # A server may give itself another title: `nginx: master process`.
    titles = {word.rstrip(":") for word in names}
    return bool(wanted & titles) or any(
        t.startswith(w[:12]) or w.startswith(t[:12]) for w in wanted for t in titles if t
    )


def _command(seen: Seen) -> str:
    text = " ".join(seen.argv) or seen.name
    return text if len(text) <= 60 else text[:57] + "..."


def _disposition(seen: Seen, number: int) -> str:
    if number in seen.caught:
        return "has a handler"
    if number in seen.blocked:
        return "has it blocked, and may wait for it"
    if number in seen.ignored:
        return "ignores it"
    return "has no handler" + (": as PID 1 it ignores it" if seen.pid == 1 else ": it would end at once")


def _outcome(made: Measured, grace: float) -> str:
    match made.outcome:
        case "hang":
            return f"hang: killed after {grace:g} s"
        case "abrupt":
            return "abrupt: the app was killed with work to do, or has no handler"
        case "fails":
            return f"fails: {made.error or f'exit code {made.exit_code}'}"
        case "exits":
            return f"exits: it exited by itself with {made.exit_code}"
    return f"graceful: it exited in {made.seconds:.1f} s"


def _end(made: Measured, pid: int) -> str:
    end = made.ends[pid]
    after = f" after {end.seconds:.2f} s"
    if end.signal is not None:
        how = "killed by SIGKILL" if end.signal == signals.SIGKILL else f"by {_signal(end.signal)}"
        return how + after
    return (f"with {end.code}" if end.code is not None else "in a way that this kernel does not report") + after


def _agree(launch: Launch | None, made: Measured) -> bool:
    """Whether the outcome is the one that was foreseen, as far as a run can show it."""
    if launch is None:
        return True
    foreseen = launch.outcome.value
    if foreseen in ("unknown", made.outcome):
        return True
    # What a server drops when it ends at once, no run without requests shows.
    return drops(launch) and {foreseen, made.outcome} == {"abrupt", "graceful"}


def drops(launch: Launch) -> bool:
    """Whether the app is known to end at once on the stop signal, and to lose what it was doing."""
    main = launch.main.main if launch.main is not None else None
    return main is not None and main.reaction == "drops"


def _wrong(launch: Launch | None, made: Measured) -> str:
    """Which fact the trial has refuted: what to say in the configuration, or to report."""
    if launch is None or _agree(launch, made):
        return ""
    app, path = made.app, launch.main
    said = f"the verdict was {launch.outcome.value} ({launch.why}), the measurement is {made.outcome}"
    main = path.main if path is not None else None
    if made.outcome in ("fails", "exits") or main is None or app is None:
        return said
    name = main.program
    signal = _signal(made.signal).removeprefix("SIG")
    if made.outcome == "hang":
        reaction = "ignores"
    elif made.outcome == "abrupt":
        reaction = "drops" if app.pid == 1 else "default"
    else:
        reaction = "handles"
    row = f'[programs.{name}] signals = {{ {signal} = "{reaction}" }}'
    return f"{said}: the fact about {name} is wrong here; correct it with {row}"
