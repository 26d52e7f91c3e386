"""PID401: a shell that stays by design and has no handler for the stop signal."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import (
    Applicability,
    Call,
    Edit,
    Finding,
    Fix,
    Launch,
    Link,
    Note,
    Outcome,
    Path,
    Place,
    Process,
    Severity,
    Span,
    rule,
)
from pid1lint.mend.command import into_background
from pid1lint.mend.handler import passing_on
from pid1lint.mend.loop import before_loop, sleeps_into_background


@rule("PID401", Severity.ERROR)
def untrapped_signal(launch: Launch) -> Iterator[Finding]:
    r"""`docker stop` kills the app: a shell stays on purpose (it waits, or loops) and does not trap the stop signal.

    ## Why is this bad?

    A script that supervises several programs, or restarts one in a loop, must stay and cannot `exec`. Then it must do
    what the app would do: catch the stop signal, pass it on and wait. As PID 1 a shell without a handler does not get
    the signal, and `docker stop` waits 10 s and kills everything. Below an init the shell dies on the signal, and the
    kernel kills its children.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    worker --queue mail &
    server --port 80 &
    wait
    ```

    ```text
    entrypoint.sh:4:1: PID401 sh waits here without a handler for SIGTERM: docker stop waits 10 s, then kills worker
    = hang
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    worker --queue mail &
    server --port 80 &
    trap 'trap "" TERM; kill 0; wait' TERM
    wait
    ```

    ## Example: a loop

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    while true; do
        server
        sleep 1
    done
    ```

    ```text
    entrypoint.sh:3:5: PID401 sh stays in a loop around server without a handler for SIGTERM: docker stop waits 10 s, then kills it
    = hang
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'trap "" TERM; kill 0; wait; exit' TERM
    while true; do
        server &
        wait $!
        sleep 1
    done
    ```

    ## When to ignore it

    Below an init that passes signals on to the whole group (`tini -g`, `dumb-init`), a loop around jobs that may be
    killed needs no handler: the shell and its child exit at once.

    ## Fix safety

    Unsafe: the script's children get the signal, and the script ends after they have exited. The fix puts a handler
    before `wait`. The handler first makes the shell ignore the signal (otherwise `kill 0` would start the handler
    again), then signals the whole process group and waits for all of it.

    In a loop the program moves to the background, where it has no terminal, and the script waits for it. The same
    happens to a `sleep` of 10 s or more, which would delay the handler. There is no fix if the program is not on a line
    of its own. In a loop of jobs that exit by themselves, only the `sleep` moves: a job that is running when the signal
    arrives may finish.

    There is no fix for processes that `kill 0` and `wait` do not reach: a daemon, or jobs under `set -m`, which have
    their own process groups.
    """
    seen = set()
    for path in launch.bad_paths:
        for finding in _findings(launch, path):
            if finding.at not in seen:
                seen.add(finding.at)
                yield finding


def _findings(launch: Launch, path: Path) -> Iterator[Finding]:
    if path.main is None:
        yield from _bare_loop(launch, path)
    for link in launch.lacking(path, "none"):
        assert link.waiting is not None
        consequence = _consequence(path, link)
        call = link.child.call
        if link.how in ("wait", "loop"):
            message = f"{link.shell.interpreter} waits here without a handler for {path.signal}: {consequence}"
            yield Finding(link.waiting.place, message, _children(link), _trap(launch, link), _of(launch, path))
        elif call is not None and call.loop and link.child.start == "child":
            what = f"stays in a loop around {link.child.program} without a handler for {path.signal}"
            message = f"{link.shell.interpreter} {what}: {consequence}"
            yield Finding(call.command, message, fix=_loop(link, call), severity=_of(launch, path))
        elif link.child.start == "background" or (link.child.helper and link.child.start == "child"):
            message = f"{link.shell.interpreter} stays here without a handler for {path.signal}: {consequence}"
            yield Finding(link.waiting.place, message, _children(link), severity=_of(launch, path))


def _bare_loop(launch: Launch, path: Path) -> Iterator[Finding]:
    """PID 1 goes round a loop of jobs that each end by themselves: `while true; do job; sleep 60; done`."""
    one = path.pid1
    waiting = next((waiting for waiting in path.waiting if one is not None and waiting.pid == one.pid), None)
    if one is None or waiting is None or waiting.handles or path.outcome is not Outcome.HANG:
        return
    what = f"stays in a loop without a handler for {path.signal}: docker stop waits 10 s, then kills it"
    fix = _sleeping(one, waiting.place, path)
    yield Finding(waiting.place, f"{one.interpreter} {what}", fix=fix, severity=Severity.WARNING)


def _sleeping(one: Process, at: Place, path: Path) -> Fix | None:
    """A handler before a loop of jobs, which gets its turn while the loop sleeps; a job is let finish."""
    script = one.script
    if script is None or one.file is None or not one.file.editable:
        return None
    edits, guards = sleeps_into_background(script, at)
    trap = before_loop(script, at, f"trap 'exit 0' {path.signal.removeprefix('SIG')}")
    if trap is None or not edits:
        return None
    return Fix("Stop on the signal while the loop sleeps", (*trap, *edits), Applicability.UNSAFE, guards)


def _of(launch: Launch, path: Path) -> Severity:
    """An error, unless all that is lost is a helper: cut off, it has nothing to finish."""
    if path.main is not None and path.main.helper:
        return Severity.WARNING if path.outcome is Outcome.HANG else Severity.INFO
    return launch.severity(path)


def _consequence(path: Path, link: Link) -> str:
    name = path.main.program if path.main is not None else "it"
    if path.outcome.value == "hang":
        it = "it" if link.child.call is not None and link.child.call.loop else name
        return f"docker stop waits 10 s, then kills {it}"
    return f"it dies on the signal, and the kernel kills {name}"


def _children(link: Link) -> tuple[Note, ...]:
    return tuple(
        Note(child.place, f"{_last(child).program} runs beside it")
        for child in link.shell.children
        if child.start == "background" and child.place is not None and child.place.source.path
    )


def _last(process: Process) -> Process:
    same = [child for child in process.children if child.pid == process.pid]
    return _last(same[0]) if same else process


def _trap(launch: Launch, link: Link) -> Fix | None:
    """A handler before the `wait`."""
    waiting, shell = link.waiting, link.shell
    if waiting is None or link.how != "wait" or shell.script is None or shell.file is None or not shell.file.editable:
        return None
    text = shell.script.text
    if waiting.place.source is not text.source or not _reached(link):
        return None
    signal = link.path.signal.removeprefix("SIG")
    start = waiting.place.span.start
    line = text.source.text.rfind("\n", 0, start) + 1
    indent = text.source.text[line:start]
    if indent.strip():
        return None
    end = text.source.newline
    handler = f"trap '{passing_on(signal)}' {signal}"
    edit = Edit(text.source, Span(start, start), f"{handler}{end}{indent}")
    return Fix("Pass the signal on and wait", (edit,), Applicability.UNSAFE)


def _reached(link: Link) -> bool:
    """Whether `kill 0` and `wait` meet the app: it is a job of the shell, and in its process group."""
    main = link.path.main
    jobs = [job for job in link.shell.children if job.start in ("background", "pipeline")]
    return any(process is main and process.group == link.shell.group for job in jobs for process in job.walk())


def _loop(link: Link, call: Call) -> Fix | None:
    """The program in the background with a wait behind it, and a handler before the loop."""
    signal = link.path.signal.removeprefix("SIG")
    handler = f"trap '{passing_on(signal)}; exit' {signal}"
    waits, trap = into_background(call), before_loop(call.script, call.command, handler)
    if waits is None or trap is None or link.shell.script is not call.script or link.child.helper:
        return None
    edits, guards = waits
    more, others = sleeps_into_background(call.script, call.command)
    return Fix("Pass the signal on and wait", (*trap, *edits, *more), Applicability.UNSAFE, (*guards, *others))
