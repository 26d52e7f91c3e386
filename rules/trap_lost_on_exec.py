"""PID403: a trap that exec throws away."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Note, Path, Severity, TrapSet, rule


@rule("PID403", Severity.WARNING)
def trap_lost_on_exec(launch: Launch) -> Iterator[Finding]:
    r"""The handler never runs: the script sets a trap and then execs another program.

    ## Why is this bad?

    `exec` replaces the shell with another program, and the shell's handlers are gone: the kernel resets every caught
    signal to its default. What the handler should do on the stop signal (end a helper, remove a lock) does not happen,
    and when the container exits, the kernel kills a helper that the script has started.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    gateway --port 81 &
    trap 'kill $!; wait' TERM
    exec server --port 80
    ```

    ```text
    entrypoint.sh:3:1: PID403 the handler for TERM never runs: exec replaces sh with server
    = abrupt: the kernel kills gateway
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    gateway --port 81 &
    server --port 80 &
    trap 'trap "" TERM; kill 0; wait' TERM
    wait
    ```

    ## When to ignore it

    A trap that guards the steps before `exec` has done its work by then. Write `trap - TERM` before `exec`, and the
    rule does not report it. For a trap on EXIT alone the finding is an info.
    """
    seen = set()
    for path in launch.paths:
        for trap, names in _lost(path):
            at = trap.script.place(trap.node.span)
            if at in seen or path.main is None or path.main.call is None:
                continue
            seen.add(at)
            call = path.main.call
            notes = (Note(call.place, "exec leaves the shell here"),) if call.place.source.path else ()
            shell = next((p.interpreter for p in path.chain if p.kind == "shell" and p.pid == trap.pid), "the shell")
            message = (
                f"the handler for {' and '.join(names)} never runs: exec replaces {shell} with {path.main.program}"
            )
            matters = any(name.upper() not in ("EXIT", "0") for name in names) and path is launch.main
            yield Finding(at, message, notes, severity=Severity.WARNING if matters else Severity.INFO)


def _lost(path: Path) -> Iterator[tuple[TrapSet, tuple[str, ...]]]:
    """The traps that were still set when their shell became the main process, each with its signals."""
    main = path.main
    if main is None or main.start != "exec" or main.call is None:
        return
    standing: dict[str, TrapSet] = {}
    for trap in path.traps:
        if trap.pid != main.pid:
            continue
        for name in trap.signals:
            key = name.upper().removeprefix("SIG")
            if trap.handler:
                standing[key] = trap
            else:
                standing.pop(key, None)
    ends = ("TERM", "INT", "QUIT", "HUP", "EXIT", "0", "15", "2", "3", "1")
    for trap in dict.fromkeys(standing.values()):
        names = tuple(name for name in trap.signals if standing.get(name.upper().removeprefix("SIG")) is trap)
        kept = tuple(name for name in names if name.upper().removeprefix("SIG") in ends)
        if kept and trap.script.text.source.path:
            yield trap, kept
