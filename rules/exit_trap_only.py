"""PID408: a clean-up that hangs on an EXIT trap, which the stop signal does not run in time."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Fix, Launch, Link, Outcome, Path, Severity, TrapSet, rule
from pid1lint.mend.handler import also_trap


@rule("PID408", Severity.ERROR)
def exit_trap_only(launch: Launch) -> Iterator[Finding]:
    r"""The clean-up does not run on `docker stop`: the script traps EXIT, but not the stop signal.

    ## Why is this bad?

    A trap on EXIT runs when the shell exits. As PID 1, a shell without a handler for the stop signal does not exit on
    it: in dash, Busybox and zsh the trap never runs, and `docker stop` kills everything after 10 s. bash 5 and later
    does the opposite: it runs the trap and exits at once, and the kernel kills an app that the trap does not signal and
    wait for. bash before 5.0 runs the trap and then stays.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    server --port 80 &
    pid=$!
    trap 'kill "$pid"; wait "$pid"; rm -f /run/lock' EXIT
    wait "$pid"
    ```

    ```text
    entrypoint.sh:4:1: PID408 sh does not run its EXIT trap on SIGTERM: docker stop waits 10 s, then kills server
    = hang
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    server --port 80 &
    pid=$!
    trap 'kill "$pid"; wait "$pid"; rm -f /run/lock' EXIT TERM
    wait "$pid"
    ```

    ## Example: bash

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```bash entrypoint.sh
    #!/bin/bash
    trap 'rm -f /run/lock' EXIT
    server --port 80 &
    wait
    ```

    ```text
    entrypoint.sh:2:1: PID408 bash runs its EXIT trap on SIGTERM and ends at once: the kernel kills server
    = abrupt
    ```

    ## When to ignore it

    In bash 5 and later a trap on EXIT that signals the app and waits for it works, and the rule does not report it.
    `kill 0` in that trap does not work: it signals bash too, and bash exits before it comes to `wait`. If the app runs
    in the foreground, use `exec` instead: see missing-exec (PID201).

    ## Fix safety

    Unsafe: the handler runs on the stop signal, and again when the shell exits. There is a fix only if the handler
    already kills and waits.
    """
    seen = set()
    for path in launch.bad_paths:
        for link in launch.lacking(path, "exit"):
            trap = link.waiting.trap("EXIT") if link.waiting is not None else None
            if trap is None or not trap.place.source.path or trap.place in seen:
                continue
            seen.add(trap.place)
            yield Finding(trap.place, _message(link, path), fix=_fix(link, trap), severity=launch.severity(path))


def _message(link: Link, path: Path) -> str:
    shell, main = link.shell.interpreter, path.main.program if path.main is not None else "the app"
    ran = any(ran.signal == "EXIT" and ran.pid == link.shell.pid for ran in path.handled)
    if path.outcome is Outcome.HANG:
        does = "runs its EXIT trap" if ran else "does not run its EXIT trap"
        stays = " and stays" if ran else ""
        return f"{shell} {does} on {path.signal}{stays}: docker stop waits 10 s, then kills {main}"
    if ran:
        return f"{shell} runs its EXIT trap on {path.signal} and ends at once: the kernel kills {main}"
    return f"{shell} dies on {path.signal} without running its EXIT trap: the kernel kills {main}"


def _fix(link: Link, trap: TrapSet) -> Fix | None:
    handler = trap.text.text if trap.text is not None else ""
    if link.how != "wait" or "kill " not in handler or "wait" not in handler.replace("kill", ""):
        return None
    return also_trap(trap, link.path.signal)
