"""PID307: an init that takes over only at the end of a long script."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Note, Severity, rule


@rule("PID307", Severity.INFO)
def late_init(launch: Launch) -> Iterator[Finding]:
    r"""A stop during start-up is lost: the script works first and runs `exec tini` at its end.

    ## Why is this bad?

    While the script waits for a database or migrates one, PID 1 is a shell without a handler. It ignores the stop
    signal, which is then lost: the script continues and starts the app, and `docker stop` kills it after 10 s. With the
    init in ENTRYPOINT, in front of the script, the signal ends the script at once.

    ## Example

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    until pg_isready; do
        sleep 1
    done
    exec tini -- server
    ```

    ```text
    entrypoint.sh:5:1: PID307 until this line sh is PID 1, not tini: a SIGTERM before it is lost
    = graceful
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini
    COPY entrypoint.sh /
    ENTRYPOINT ["tini", "--", "/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    until pg_isready; do
        sleep 1
    done
    exec server
    ```

    ## When to ignore it

    Ignore it if the script only sets a few variables. The rule reports a script that has a loop before the init.
    """
    path = launch.main
    found = path.late_init if path is not None else None
    if path is None or found is None or found.init.call is None:
        return
    shell = found.shell
    message = (
        f"until this line {shell.interpreter} is PID 1, not {found.init.program}: a {path.signal} before it is lost"
    )
    notes = () if shell.place is None else (Note(shell.place, f"{shell.program} is started here"),)
    yield Finding(found.init.call.command, message, notes)
