"""PID411: `$!` that is not the app."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Finding, Fix, Launch, Link, Note, Process, Severity, rule
from pid1lint.mend.command import insert_exec


@rule("PID411", Severity.ERROR)
def wrong_pid(launch: Launch) -> Iterator[Finding]:
    r"""The handler signals a subshell or the reader of a pipe, not the app.

    ## Why is this bad?

    `$!` is the process that the shell has put into the background. For a plain command that is the app. For `cd /srv &&
    app &`, `{ app; } &` and the like, bash puts a subshell into the background that starts the app as its child; most
    shells do the same for a function. For `app | tee log &` it is tee. The subshell dies on the signal and `wait`
    returns, but the app never got it.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```bash entrypoint.sh
    #!/bin/bash
    cd /srv && server --port 80 &
    pid=$!
    trap 'kill "$pid"; wait "$pid"' TERM
    wait "$pid"
    ```

    ```text
    entrypoint.sh:2:12: PID411 the handler for SIGTERM signals a subshell of bash, not server, which it started: the container ends, and the kernel kills server
    = abrupt
    ```

    Use instead:

    ```bash entrypoint.sh
    #!/bin/bash
    cd /srv && exec server --port 80 &
    pid=$!
    trap 'kill "$pid"; wait "$pid"' TERM
    wait "$pid"
    ```

    ## Example: a pipe

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    server --port 80 | tee /var/log/server.log &
    pid=$!
    trap 'kill "$pid"; wait "$pid"' TERM
    wait "$pid"
    ```

    ```text
    entrypoint.sh:2:1: PID411 the handler for SIGTERM signals what server writes to, not server itself: docker stop waits 10 s, then kills server
    = hang
    ```

    ## Fix safety

    Unsafe: `exec` replaces the subshell with the app, so whatever else the subshell would have done at its end does not
    happen. There is no fix if the app is not the last command, is in a function, or writes to a pipe.
    """
    seen = set()
    for path, link, fault in launch.faults("pid"):
        if fault.sent is None:
            continue
        app = fault.apps[0]
        at = app.call.command if app.call is not None else app.place
        if at is None or at in seen or not at.source.path:
            continue
        seen.add(at)
        kill = fault.sent.call.place
        notes = (Note(kill, "the signal is sent here"),) if kill.source.path else ()
        message = f"the handler for {path.signal} signals {_wrong(link, app)}: {fault.end(path)}"
        yield Finding(at, message, notes, _fix(link, app), launch.severity_of(fault, path))


def _wrong(link: Link, app: Process) -> str:
    between = link.path.parent(app)
    if app.start == "pipeline" or between is None or between.pid == link.shell.pid:
        return f"what {app.program} writes to, not {app.program} itself"
    what = f"a subshell of {between.interpreter}" if between.form == "subshell" else between.program
    return f"{what}, not {app.program}, which it started"


def _fix(link: Link, app: Process) -> Fix | None:
    call = app.call
    if call is None or app.start != "child" or not call.last or call.loop or call.function:
        return None
    made = insert_exec(call)
    return Fix(f"Put exec before {app.program}", made[0], Applicability.UNSAFE, made[1]) if made is not None else None
