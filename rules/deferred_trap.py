"""PID402: a handler that has to wait until the app has ended."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, Launch, Link, Note, Process, Severity, TrapSet, rule
from pid1lint.mend.command import into_background
from pid1lint.mend.handler import only_tidies, passing_on, quoted_handler


@rule("PID402", Severity.ERROR)
def deferred_trap(launch: Launch) -> Iterator[Finding]:
    r"""The script traps the stop signal, but the shell runs the handler only after the app has exited.

    ## Why is this bad?

    A shell runs a handler between two commands, never in the middle of one. While it waits for a child in the
    foreground (or for `fg`, or for a pipeline), it only records the signal. The child keeps running, the handler never
    runs, and `docker stop` kills everything after 10 s. Only the `wait` builtin returns at once when a trapped signal
    arrives.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'echo stopping' TERM
    server --port 80
    ```

    ```text
    entrypoint.sh:3:1: PID402 the handler for SIGTERM waits until server has ended: docker stop waits 10 s, then kills it
    = hang
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'trap "" TERM; kill 0; wait; echo stopping' TERM
    server --port 80 &
    wait $!
    ```

    ## Example: a loop

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```bash entrypoint.sh
    #!/bin/bash
    trap 'echo stopping' TERM
    while true; do
        server --port 80
        sleep 1
    done
    ```

    ```text
    entrypoint.sh:4:5: PID402 the handler for SIGTERM waits until server has ended: docker stop waits 10 s, then kills it
    = hang
    ```

    Use instead:

    ```bash entrypoint.sh
    #!/bin/bash
    trap 'trap "" TERM; kill 0; wait; echo stopping; exit' TERM
    while true; do
        server --port 80 &
        wait $!
        sleep 1
    done
    ```

    ## When to ignore it

    Below an init that passes signals on to the whole group (`tini -g`, `dumb-init`), the app gets the signal directly,
    and the handler runs after the app has exited.

    ## Fix safety

    Unsafe: the app runs in the background, where it has no terminal. The handler passes the signal on to the whole
    process group and waits before it does its own work. The fix does not change a handler that does more than print,
    remove files or exit: it may have its own way to stop the app. In a loop the handler also ends the script, which
    would otherwise start the app again. If the handler has nothing to do, remove it and use `exec` instead.
    """
    seen = set()
    for path in launch.bad_paths:
        for link in path.links:
            waiting = link.waiting
            if (
                waiting is None
                or not link.handles
                or link.handled
                or waiting.how not in ("child", "pipeline", "substitution")
            ):
                continue
            call = link.child.call
            beside = _awaited(link) if link.child.start == "background" else None
            at = call.command if call is not None and waiting.how == "child" and beside is None else waiting.place
            if at in seen or not at.source.path:
                continue
            seen.add(at)
            main = (beside or path.main or link.child).program
            trap = _trap(link)
            notes = (Note(trap.script.place(trap.node.span), "the handler is set here"),) if trap is not None else ()
            end = "docker stop waits 10 s, then kills it" if path.outcome.value == "hang" else "the kernel kills it"
            message = f"the handler for {path.signal} waits until {main} has ended: {end}"
            yield Finding(at, message, notes, _fix(link, trap), launch.severity(path))


def _awaited(link: Link) -> Process | None:
    """What the shell has in the foreground, while the app runs in the background."""
    return next((child for child in link.shell.children if child.start == "child"), None)


def _trap(link: Link) -> TrapSet | None:
    """The trap command that set the handler."""
    name = link.path.signal.removeprefix("SIG")
    traps = [
        trap
        for trap in link.path.traps
        if trap.pid == link.shell.pid
        and trap.handler
        and any(name in (s.upper().removeprefix("SIG"), s) for s in trap.signals)
    ]
    return traps[-1] if traps and traps[-1].script.text.source.path else None


def _fix(link: Link, trap: TrapSet | None) -> Fix | None:
    call = link.child.call
    if call is None or trap is None or not (call.last or call.loop) or trap.script is not call.script:
        return None
    if link.how != "child" or link.child.start != "child":
        return None
    waits = into_background(call)
    if waits is None:
        return None
    handler = passing_on(link.path.signal.removeprefix("SIG"))
    edits: tuple[Edit, ...] = ()
    if only_tidies(trap):
        made = quoted_handler(trap, handler, "exit" if call.loop else "")
        if made is None:
            return None
        edits = made[0]
    elif call.loop and handler not in (trap.handler or ""):
        # A handler with a way of its own to stop the app may leave the loop going, which would start it again.
        return None
    return Fix("Wait for the app in the background", (*edits, *waits[0]), Applicability.UNSAFE, waits[1])
