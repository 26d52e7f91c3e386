"""PID305: an init under an init."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Note, Severity, rule
from pid1lint.mend.launcher import without_init

_PLAIN = ("tini", "tini-static", "docker-init", "dumb-init", "catatonit")


@rule("PID305", Severity.INFO)
def nested_init(launch: Launch) -> Iterator[Finding]:
    r"""An init runs below another init and has nothing to do.

    ## Why is this bad?

    The first init is PID 1: it passes the stop signal on and reaps. A second one only passes on what it gets, and is
    one more process in the list. tini warns in the log that it is not PID 1. (s6-overlay's `/init` refuses to run as
    anything else.)

    ## Example

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini dumb-init
    ENTRYPOINT ["tini", "--", "dumb-init", "--", "server"]
    ```

    ```text
    Dockerfile:3:28: PID305 dumb-init runs below tini, which is PID 1 and does the same
    = graceful
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini dumb-init
    ENTRYPOINT ["tini", "--", "server"]
    ```

    ## When to ignore it

    A second init that signals a process group (`dumb-init`, `tini -g`) reaches children of a script that the first one
    does not. The rule does not report a supervisor (s6-svscan, runsvdir) below an init.

    ## Fix safety

    Unsafe: the inner init is removed, and with it the process group that it makes for the app.
    """
    path = launch.main
    if path is None:
        return
    inits = [process for process in path.chain if process.kind == "init" and process.program in _PLAIN]
    if len(inits) < 2 or inits[0].pid != 1 or inits[1].place is None:
        return
    outer, inner = inits[:2]
    assert inner.place is not None
    message = f"{inner.program} runs below {outer.program}, which is PID 1 and does the same"
    notes = () if outer.place is None else (Note(outer.place, f"{outer.program} is started here"),)
    at = inner.call.command if inner.call is not None else inner.place
    yield Finding(at, message, notes, without_init(launch, inner))
