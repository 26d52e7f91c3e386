"""PID111: a launch that goes wrong, and of which no other rule has anything to say."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Severity, rule


@rule("PID111", Severity.ERROR, last=True)
def ungraceful_launch(launch: Launch) -> Iterator[Finding]:
    r"""The container hangs, exits with work to do, or does not start, and no other rule knows the reason.

    ## Why is this bad?

    Each of the other rules looks for one mistake and says how to fix it. A launch can fail in ways that none of them
    knows, or in which several meet. Then this rule reports what `trace` says, at the place where the app, or else PID
    1, is started.

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

    ## When to ignore it

    That depends on the outcome: `pid1lint trace` shows the processes that lead to it. The rule reports nothing if
    another rule has found something, even if that rule is switched off.
    """
    path = launch.main
    process = None if path is None else path.main or path.pid1
    at = process.place if process is not None and process.place is not None else launch.image.command_place
    sure = launch.certainty == "proven" and (path is None or launch.severity(path) is Severity.ERROR)
    yield Finding(at, launch.why, severity=Severity.ERROR if sure else Severity.WARNING)
