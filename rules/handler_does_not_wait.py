"""PID406: a handler that signals the app and lets the container end before the app has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pid1lint import Applicability, Fault, Finding, Fix, Launch, Link, Note, Severity, rule
from pid1lint.mend.command import statement_after


@rule("PID406", Severity.ERROR)
def handler_does_not_wait(launch: Launch) -> Iterator[Finding]:
    r"""The handler signals the app, but the container exits before the app has finished.

    ## Why is this bad?

    `kill` only sends the signal: it does not wait for the process. If the handler then calls `exit`, PID 1 is gone at
    once. If it does not, the script continues sooner than it seems: a trapped signal makes `wait` return with a status
    above 128, so the script reaches its end (or `set -e` ends it) while the app has only begun to shut down. When PID 1
    exits, the kernel kills everything else in the container: open requests and unwritten data are lost, although the
    app was told to stop.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    stop() {
        kill -TERM "$pid"
        exit 0
    }
    trap stop TERM
    server --port 80 &
    pid=$!
    wait "$pid"
    ```

    ```text
    entrypoint.sh:3:5: PID406 the handler for SIGTERM signals server and does not wait: the container ends, and the kernel kills server
    = abrupt
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    stop() {
        kill -TERM "$pid"
        wait "$pid"
        exit 0
    }
    trap stop TERM
    server --port 80 &
    pid=$!
    wait "$pid"
    ```

    ## Example: one wait

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```bash entrypoint.sh
    #!/bin/bash
    trap 'kill "$pid"' TERM
    server --port 80 &
    pid=$!
    wait "$pid"
    ```

    ```text
    entrypoint.sh:2:7: PID406 the handler for SIGTERM signals server and does not wait: the container ends, and the kernel kills server
    = abrupt
    ```

    Use instead:

    ```bash entrypoint.sh
    #!/bin/bash
    trap 'kill "$pid"; wait "$pid"' TERM
    server --port 80 &
    pid=$!
    wait "$pid"
    ```

    ## When to ignore it

    Ignore it for a program that has nothing to finish: only its exit code is lost.

    ## Fix safety

    Safe: the same processes get the same signal, and the shell stays until they have exited. Unsafe if the handler
    sends a signal other than TERM, which may not end them. There is no fix if the `kill` is in a loop, in a condition
    or before `&&`.

    ## References

    - [POSIX: wait](https://pubs.opengroup.org/onlinepubs/9799919799/utilities/wait.html)
    """
    seen = set()
    for path, link, fault in launch.faults("told"):
        at = fault.sent.call.place if fault.sent is not None else fault.trap.place
        if at in seen or not at.source.path:
            continue
        seen.add(at)
        yield Finding(at, _message(link, fault), _notes(link), _fix(fault), launch.severity_of(fault, path))


def _message(link: Link, fault: Fault) -> str:
    what = f"signals {fault.names} and does not wait" if fault.sent is not None else f"ends {_shell(link)}"
    return f"the handler for {link.path.signal} {what}: {fault.end(link.path)}"


def _shell(link: Link) -> str:
    return link.shell.interpreter


def _notes(link: Link) -> tuple[Note, ...]:
    waiting = link.waiting
    if waiting is None or not waiting.place.source.path or any(ran.ended == "exit" for ran in link.handled):
        return ()
    if waiting.how != "wait":
        return ()
    return (Note(waiting.place, f"this returns after the handler, and {_shell(link)} continues"),)


def _fix(fault: Fault) -> Fix | None:
    if fault.sent is None or fault.sent.call.loop:
        return None
    command, *words = (word.text for word in fault.sent.call.node.words)
    pids = [word for word in words if not word.startswith("-") and not word.isalnum()]
    if command in ("pkill", "killall"):
        pids = []  # these name programs, and `wait` knows none
    if not pids or any(mark in word for word in pids for mark in "(`'\\"):
        pids = []
    behind = fault.sent.call.script.text.text[fault.sent.call.node.span.end :].lstrip("; \t\n")
    if re.match(r"wait\b", behind):
        return None  # it waits already: another one would make nothing better
    made = statement_after(fault.sent.call, " ".join(("wait", *pids)))
    if made is None:
        return None
    applicability = Applicability.SAFE if fault.sent.signal == "TERM" else Applicability.UNSAFE
    return Fix("Wait for the signalled process", made[0], applicability, made[1])
