"""PID407: a handler that never signals the app."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Fault, Finding, Fix, Launch, Link, Note, Severity, rule
from pid1lint.mend.handler import passing_on, quoted_handler


@rule("PID407", Severity.ERROR)
def handler_does_not_forward(launch: Launch) -> Iterator[Finding]:
    r"""The handler exits, logs or cleans up, but never signals the app.

    ## Why is this bad?

    `docker stop` signals PID 1 only. A shell with a handler keeps the signal: what the handler does not pass on reaches
    no other process. If the script then exits, in the handler or because the signal ended its `wait`, the kernel kills
    the app in the middle of its work. If the script stays, `docker stop` kills everything after 10 s.

    In dash and zsh `kill $(jobs -p)` is such a handler: in a command substitution their `jobs` prints nothing.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'echo stopping; exit 0' TERM
    server --port 80 &
    pid=$!
    wait "$pid"
    ```

    ```text
    entrypoint.sh:2:1: PID407 the handler for SIGTERM never signals server: the container ends, and the kernel kills server
    = abrupt
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'kill "$pid"; wait "$pid"; echo stopping; exit 0' TERM
    server --port 80 &
    pid=$!
    wait "$pid"
    ```

    ## Example: jobs in dash

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'kill $(jobs -p); wait' TERM
    worker &
    server --port 80 &
    wait
    ```

    ```text
    entrypoint.sh:2:1: PID407 the handler for SIGTERM signals no process with kill $(jobs -p): docker stop waits 10 s, then kills worker and server
    = hang
    ```

    ## When to ignore it

    Below an init that passes signals on to the whole group (`tini -g`, `dumb-init`) the app gets the signal directly.
    Then only the wait is missing.

    ## Fix safety

    Unsafe: the app gets the signal, and the handler continues after the app has exited. If the script waits for one
    process, the handler signals that process; otherwise it signals the whole process group, after the shell has started
    to ignore the signal. There is no fix for a handler that already signals something.
    """
    seen = set()
    for path, link, fault in launch.faults("untold"):
        at = fault.trap.place
        if at in seen or not at.source.path:
            continue
        seen.add(at)
        notes = tuple(
            Note(app.place, f"{app.program} is started here")
            for app in fault.apps
            if app.place is not None and app.place.source.path
        )
        yield Finding(at, _message(link, fault), notes, _fix(link, fault), launch.severity_of(fault, path))


def _message(link: Link, fault: Fault) -> str:
    what = f"never signals {fault.names}"
    if fault.sent is not None and not fault.sent.targets:
        what = f"signals no process with {fault.sent.call.command.text}"
    return f"the handler for {link.path.signal} {what}: {fault.end(link.path)}"


def _fix(link: Link, fault: Fault) -> Fix | None:
    waiting = link.waiting
    if waiting is None or waiting.how != "wait" or fault.sent is not None or link.path.sent:
        return None
    # What is nobody's child, a daemon say, neither `kill` nor `wait` is sure to meet.
    jobs = [job for job in link.shell.children if job.call is not None and job.call.script is link.shell.script]
    if not all(any(app is process for job in jobs for process in job.walk()) for app in fault.apps):
        return None
    awaited = waiting.place.text.split()[1:]
    signal = link.path.signal.removeprefix("SIG")
    before = passing_on(signal)
    piped = any(job.start == "pipeline" for job in jobs)  # `$!` is its last command alone
    if len(awaited) == 1 and awaited[0].lstrip('"').startswith("$") and len(fault.apps) == 1 and not piped:
        option = "" if signal == "TERM" else f"-{signal} "
        before = f"kill {option}{awaited[0]}; wait {awaited[0]}"
    made = quoted_handler(fault.trap, before)
    return Fix("Pass the signal on and wait", made[0], Applicability.UNSAFE, made[1]) if made is not None else None
