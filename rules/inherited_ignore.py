"""PID405: an app that starts with the stop signal ignored."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Finding, Fix, Launch, Note, Outcome, Path, Process, Severity, TrapSet, rule
from pid1lint.mend.command import statement_before


@rule("PID405", Severity.ERROR)
def inherited_ignore(launch: Launch) -> Iterator[Finding]:
    r"""The app may never react to the stop signal: the script ignores it (`trap '' TERM`), and the app inherits that.

    ## Why is this bad?

    `exec` resets a signal that is caught, but not one that is ignored: the app starts with SIGTERM ignored. A program
    that sets its own handler is not affected. Others ignore the signal, even below an init. The Java VM is one of them:
    it leaves an ignored signal ignored and runs no shutdown hook. `docker stop` waits 10 s and kills everything.

    ## Example

    ```dockerfile
    FROM eclipse-temurin:21
    COPY entrypoint.sh app.jar /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    trap '' TERM
    ./migrate
    exec java -jar /app.jar
    ```

    ```text
    entrypoint.sh:2:1: PID405 java inherits SIGTERM as ignored from sh and never acts on it: docker stop waits 10 s, then kills it
    = hang, not measured: what stands in for the Java VM sets a handler of its own
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    trap '' TERM
    ./migrate
    trap - TERM; exec java -jar /app.jar
    ```

    ## When to ignore it

    Ignore it for a program that sets a handler for the stop signal, as most servers do. If pid1lint knows nothing about
    the program, the finding is an info.

    ## Fix safety

    Unsafe: from its start on, the signal may end the app.

    ## References

    - [POSIX: exec, on signals set to be ignored](https://pubs.opengroup.org/onlinepubs/9799919799/functions/exec.html)
    """
    seen = set()
    for path in launch.paths:
        main = path.main
        trap = _ignoring(path)
        if main is None or trap is None or trap.place in seen or not trap.place.source.path:
            continue
        severity = _severity(launch, path, main)
        if severity is None:
            continue
        seen.add(trap.place)
        notes = (Note(main.call.place, "it is started here"),) if main.call and main.call.place.source.path else ()
        message = f"{main.program} inherits {path.signal} as ignored from {_shell(path, trap)}"
        if severity is Severity.INFO:
            message += ": it ignores the signal unless it sets a handler"
        else:
            message += " and never acts on it: docker stop waits 10 s, then kills it"
        yield Finding(trap.place, message, notes, _fix(path, main), severity)


def _ignoring(path: Path) -> TrapSet | None:
    """The trap by which the main process has come to ignore the stop signal."""
    name = path.signal.removeprefix("SIG")
    if path.main is None or name not in path.main.ignored:
        return None
    above = {process.pid for process in path.chain}
    found = [
        trap
        for trap in path.traps
        if trap.handler == "" and trap.pid in above and name in (s.upper().removeprefix("SIG") for s in trap.signals)
    ]
    return found[-1] if found else None


def _severity(launch: Launch, path: Path, main: Process) -> Severity | None:
    if path.outcome is Outcome.HANG and main.receives_stop is False:
        # PID 1 without a handler would hang anyway.
        return None if main.pid == 1 and main.reaction == "default" else launch.severity(path)
    if path.outcome is Outcome.GRACEFUL and main.assumed and main.start == "exec":
        return Severity.INFO
    return None


def _shell(path: Path, trap: TrapSet) -> str:
    return next((p.interpreter for p in path.chain if p.kind == "shell" and p.pid == trap.pid), trap.dialect)


def _fix(path: Path, main: Process) -> Fix | None:
    call = main.call
    if call is None or main.start != "exec":
        return None
    made = statement_before(call, f"trap - {path.signal.removeprefix('SIG')}")
    return Fix("Reset the signal before exec", made[0], Applicability.UNSAFE, made[1]) if made is not None else None
