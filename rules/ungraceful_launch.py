"""PID111: a launch that goes wrong, and of which no other rule has anything to say."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Severity, rule


@rule("PID111", Severity.ERROR, last=True)
def ungraceful_launch(launch: Launch) -> Iterator[Finding]:
    r"""The container hangs, is cut off or does not start, and no other rule knows the mistake.

    ## Why is this bad?

    The other rules each look for one mistake, and say how to mend it. A launch can go wrong in ways that none of them
    knows, or in which several of them meet. This rule says what `trace` says then, at the place where the app, or else
    what is PID 1, is started: no verdict is kept back.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'echo stopping' TERM
    while true; do
        date
        sleep 1
    done
    ```

    ```text
    Dockerfile:3:14: PID111 entrypoint.sh is PID 1 and its handler for SIGTERM does not end it: docker stop waits 10 s, then kills it
    = hang
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'echo stopping; exit' TERM
    while true; do
        date
        sleep 1
    done
    ```

    ## When not to care

    As for the outcome itself: `pid1lint trace` shows the processes that lead to it. The rule keeps silent where another
    one has found something, also if that one is switched off.
    """
    path = launch.main
    process = None if path is None else path.main or path.pid1
    at = process.place if process is not None and process.place is not None else launch.image.command_place
    sure = launch.certainty == "proven" and (path is None or launch.severity(path) is Severity.ERROR)
    yield Finding(at, launch.why, severity=Severity.ERROR if sure else Severity.WARNING)
