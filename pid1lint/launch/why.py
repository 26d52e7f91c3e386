"""The outcome of a path in one sentence."""

from __future__ import annotations

from pid1lint.launch.path import Path
from pid1lint.launch.process import Outcome, Process


def explain(path: Path, signal: str) -> str:
    """One sentence without a full stop: what happens on the stop signal, and because of what."""
    name = f"SIG{signal}"
    tree, main = path.tree, path.main
    if tree is None:
        return "the container ends by itself"
    one = path.pid1
    assert one is not None
    if main is None:
        return _without_app(path, one, name)
    match path.outcome:
        case Outcome.GRACEFUL:
            return _graceful(path, one, main, name) + _if_so(path, main)
        case Outcome.HANG:
            return _hang(path, one, main, name)
        case Outcome.ABRUPT:
            return _abrupt(path, one, main, name)
        case _:
            return "the container ends by itself"


def _without_app(path: Path, one: Process, signal: str) -> str:
    if path.outcome is Outcome.GRACEFUL:
        return f"{one.program} handles {signal}, and the container ends"
    if path.outcome is Outcome.HANG:
        handles = any(waiting.pid == one.pid and waiting.handles for waiting in path.waiting)
        what = f"its handler for {signal} does not end it" if handles else f"does not act on {signal}"
        return f"{one.program} is PID 1 and {what}: docker stop waits 10 s, then kills it"
    return f"{signal} ends the container"


def _graceful(path: Path, one: Process, main: Process, signal: str) -> str:
    if main.assumed and main.pid == 1:
        return f"{main.program} is PID 1 and gets {signal}: {_if_it_handles(main, signal)}"
    if main.assumed and one.kind != "shell":
        return f"{one.program} is PID 1 and passes {signal} on to {main.program}: {_if_it_handles(main, signal)}"
    if main.assumed:
        shell = one.dialect or one.program
        return f"{shell} is PID 1, its handler tells {main.program} and waits: {_if_it_handles(main, signal)}"
    if main.pid == 1:
        return f"{main.program} is PID 1, gets {signal} and ends cleanly"
    if one.kind == "init":
        return f"{one.program} is PID 1 and passes {signal} on to {main.program}, which ends cleanly"
    if one.kind == "shell":
        return f"{one.dialect or one.program} is PID 1 and its handler tells {main.program}, then waits for it"
    return f"{one.program} is PID 1 and passes {signal} on to {main.program}, which ends cleanly"


def _if_so(path: Path, main: Process) -> str:
    """What else has to be so, of a launcher of which it is only believed, or of what ran before a mere helper."""
    if main.assumed:
        return ""
    if main.helper:
        return f", if {path.assumes[-1].what}, which is not known" if path.assumes else ""
    launchers = ((process.program, process.launcher) for process in path.chain if process.launcher is not None)
    return next((f", if {name} {known.way}, which is not known" for name, known in launchers if known.is_believed), "")


def _if_it_handles(main: Process, signal: str) -> str:
    return f"it ends cleanly if it handles {signal}, which is not known"


def _hang(path: Path, one: Process, main: Process, signal: str) -> str:
    tail = "docker stop waits 10 s, then kills it"
    if signal == "SIGSTOP":
        return f"{signal} freezes {one.program}: {tail}"
    if main.pid == 1:
        if (
            main.reaction == "survives"
            and main.fact is not None
            and (whom := main.fact.waits.get(signal.removeprefix("SIG")))
        ):
            return f"{main.program} is PID 1 and on {signal} waits until {whom} have gone: {tail}"
        if main.reaction == "survives":
            return f"{main.program} is PID 1 and does not exit on {signal}: {tail}"
        if main.rests is not None:
            where = "the source that it runs" if _is_interpreter(main) else "its source"
            return f"{main.program} is PID 1, and no handler for {signal} is in {where}: {_unless_a_library(tail)}"
        return f"{main.program} is PID 1 without a handler for {signal}, so the kernel drops it: {tail}"
    if one.kind == "shell":
        waiting = next((waiting for waiting in path.waiting if waiting.pid == 1), None)
        shell = one.dialect or one.program
        if waiting is not None and waiting.handles and waiting.how in ("child", "pipeline", "substitution"):
            return f"{shell} is PID 1 and runs its handler for {signal} only when {main.program} has ended: {tail}"
        if waiting is not None and waiting.handles:
            return f"{shell} is PID 1 and its handler for {signal} does not end {main.program}: {tail}"
        return f"{shell} stays PID 1 and keeps {signal} from {main.program}: {tail}"
    if one.kind == "init" and _is_told_with_its_workers(main):
        workers = f"signals the whole process group of {main.program}, whose workers end on it"
        return f"{one.program} {workers}, and {main.program} waits for them: {tail}"
    if one.kind == "init":
        return f"{one.program} passes {signal} on, and {main.program} is not told: {tail}"
    return f"{one.program} is PID 1 and keeps {signal} from {main.program}: {tail}"


def _dropped(one: Process, main: Process, signal: str) -> str:
    """An app that gets the signal and ends on it at once."""
    lost = "exits at once: what it was doing is lost"
    if main.rests is not None:
        lost = f"has no handler in its source: {_unless_a_library('it ends at once, and what it was doing is lost')}"
    if main.pid == 1:
        return f"{main.program} is PID 1, gets {signal} and {lost}"
    if one.kind == "shell":
        return f"{one.dialect or one.program} is PID 1 and its handler tells {main.program}, which {lost}"
    return f"{one.program} is PID 1 and passes {signal} on to {main.program}, which {lost}"


def _is_told_with_its_workers(main: Process) -> bool:
    return main.fact is not None and bool(main.fact.in_group) and main.reaction == "handles"


def _is_interpreter(process: Process) -> bool:
    return process.fact is not None and bool(process.fact.interpreter)


def _unless_a_library(consequence: str) -> str:
    """What happens if no library of an app sets the handler that its own source lacks, which is not known."""
    return f"unless one of its libraries sets one, {consequence}"


def _abrupt(path: Path, one: Process, main: Process, signal: str) -> str:
    if main.reaction == "drops" and main.receives_stop:
        return _dropped(one, main, signal)
    if one.kind == "init" and main.rests is not None and not any(_shells_between(path, main)):
        whose = f"the source that {main.program} runs" if _is_interpreter(main) else f"the source of {main.program}"
        ends = _unless_a_library("the signal ends it at once")
        return f"{one.program} passes {signal} on, and no handler for it is in {whose}: {ends}"
    if one.kind == "init" and main.reaction == "default" and not any(_shells_between(path, main)):
        return f"{one.program} passes {signal} on, and {main.program} has no handler: the signal ends it at once"
    if one.kind == "init" and main.receives_stop and not any(_shells_between(path, main)):
        return f"{main.program} ends on {signal}, and the kernel kills what runs beside it"
    wrapper = path.wrapper
    if wrapper is not None and wrapper.launcher is not None and wrapper.launcher.kind == "quit":
        return f"{wrapper.program} exits on {signal}, and the kernel kills {main.program}"
    if one.kind == "init" and signal == "SIGKILL":
        return f"{signal} ends {one.program} at once, and the kernel kills {main.program}"
    handling = {waiting.pid for waiting in path.waiting if waiting.handles}
    if one.kind == "init" and any(shell.pid in handling for shell in _shells_between(path, main)):
        return f"{one.program} passes {signal} on to a shell that ends before {main.program} has finished"
    if one.kind == "init":
        return f"{one.program} passes {signal} on to a shell that dies on it, and the kernel kills {main.program}"
    if one.kind == "shell" and main.receives_stop and main.reaction == "default" and not main.cut_off:
        ends = "has no handler and ends at once" if main.rests is None else "has no handler in its source"
        told = f"{one.dialect or one.program} is PID 1 and its handler tells {main.program}, which {ends}"
        return told if main.rests is None else f"{told}: {_unless_a_library('it ends at once')}"
    if one.kind == "shell":
        return f"{one.dialect or one.program} is PID 1 and ends on {signal} before {main.program} has finished"
    if main.pid == 1:
        return f"{main.program} ends on {signal}, and the kernel kills what runs beside it"
    if main.receives_stop and main.reaction == "default":
        ends = "has no handler and ends at once"
        if main.rests is not None:
            ends = f"has no handler in its source: {_unless_a_library('it ends at once')}"
        return f"{one.program} passes {signal} on to {main.program}, which {ends}"
    return f"the container ends on {signal} before {main.program} has finished"


def _shells_between(path: Path, main: Process) -> list[Process]:
    found: list[Process] = []
    above = path.parent(main)
    while above is not None:
        if above.kind == "shell" and not any(child.pid == above.pid for child in above.children):
            found.append(above)
        above = path.parent(above)
    return found
