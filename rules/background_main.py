"""PID210: a script that ends while its app runs in the background."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Note, Outcome, Severity, rule


@rule("PID210", Severity.ERROR)
def background_main(launch: Launch) -> Iterator[Finding]:
    r"""The container exits at once: the script starts the app with `&`, and nothing waits for it.

    ## Why is this bad?

    A container lives as long as PID 1. A shell does not wait for what it starts with `&`. It reaches the end of its
    script and exits, usually with code 0, and the kernel kills everything else in the container, often before the app
    has written its first line. A restart policy then starts the container over and over.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    server --port 80 &
    echo started
    ```

    ```text
    entrypoint.sh:2:1: PID210 nothing waits for server, which runs in the background: the container exits at once
    = exits
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    echo starting
    exec server --port 80
    ```

    ## When to ignore it

    Ignore it if the script has done its work and whatever it leaves in the background may be killed. The rule does not
    report a script that runs its arguments in an image that gives it none, or one that ends in an interactive shell:
    such images are meant for `docker run IMAGE command` and `docker run -it`.

    ## References

    - [POSIX: asynchronous AND-OR lists](https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_09_03_02)
    """
    path = launch.main
    # Where a program is not known, or a handler is set, the script may well find something to stay for.
    if path is None or launch.outcome is not Outcome.EXITS or path.obstacles or path.traps or path.lacks_command:
        return
    left = [start for start in path.starts if start.what == "left" and start.place is not None]
    if not left or any(start.what in ("daemon", "detach") for start in path.starts):
        return
    last = left[-1]
    at = last.call.command if last.call is not None else last.place
    assert at is not None
    notes = (Note(path.ended_in, "PID 1 ends here"),) if path.ended_in is not None else ()
    message = f"nothing waits for {last.argument}, which runs in the background: the container exits at once"
    yield Finding(at, message, notes)
