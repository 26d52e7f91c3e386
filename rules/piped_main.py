"""PID203: the main process at the writing end of a pipe."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Fix, Launch, Link, Severity, rule
from pid1lint.mend.command import piped_to_substitution


@rule("PID203", Severity.ERROR)
def piped_main(launch: Launch) -> Iterator[Finding]:
    r"""`docker stop` kills the app: it writes into a pipe (`app | tee log`), and the shell keeps the stop signal.

    ## Why is this bad?

    A shell runs the parts of a pipeline as its children and waits for them. The stop signal goes to the shell, which
    ignores it as PID 1. No shell makes an exception for the last part. `docker stop` waits 10 s and then kills the app.
    `exec` before the pipeline does not help: see exec-in-subshell (PID202).

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```bash entrypoint.sh
    #!/bin/bash
    server | tee /tmp/server.log
    ```

    ```text
    entrypoint.sh:2:1: PID203 server is part of a pipeline: bash stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it
    = hang
    ```

    Use instead:

    ```bash entrypoint.sh
    #!/bin/bash
    exec server > >(tee /tmp/server.log)
    ```

    ## When to ignore it

    The standard output of a container is its log: `docker logs` and every log driver read it. Often you can remove the
    pipe.

    ## Fix safety

    Unsafe, and only for bash: the pipe becomes a process substitution. The last lines of the log may be lost when the
    container exits, because nothing waits for `tee`.
    """
    seen = set()
    for path in launch.bad_paths:
        for link in path.links:
            if link.child.start != "pipeline" or launch.shell_form(link.shell) is not None or link.handles:
                continue
            main = path.main
            if main is None or (main.pid == link.child.pid and main.call is not None and main.call.words > 0):
                continue
            at = main.call.command if main.call is not None and main.call.anchor is None else link.child.place
            if at is None or at in seen or path.beneath(link.shell, "background"):
                continue
            seen.add(at)
            message = f"{main.program} is part of a pipeline: {link.effect}"
            yield Finding(at, message, fix=_fix(link), severity=launch.severity(path))


def _fix(link: Link) -> Fix | None:
    main = link.path.main
    return piped_to_substitution(link, "exec ") if main is not None and main.pid == link.child.pid else None
