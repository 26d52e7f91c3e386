"""PID202: an exec that replaces a subshell only."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Severity, rule
from pid1lint.mend.command import piped_to_substitution


@rule("PID202", Severity.ERROR)
def exec_in_subshell(launch: Launch) -> Iterator[Finding]:
    r"""`exec app | tee log`, `(exec app)`: the script's shell stays PID 1, because exec replaces only a subshell.

    ## Why is this bad?

    The parts of a pipeline, and commands in parentheses, in `$(...)` or before `&`, run in a subshell: a copy of the
    shell. There `exec` replaces only the copy. The shell itself is still PID 1, waits, and does not pass the stop
    signal on. In every shell `docker stop` waits 10 s and then kills the app.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```bash entrypoint.sh
    #!/bin/bash
    exec server 2>&1 | tee /tmp/server.log
    ```

    ```text
    entrypoint.sh:2:1: PID202 exec replaces only a part of the pipeline: bash stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it
    = hang
    ```

    Use instead:

    ```bash entrypoint.sh
    #!/bin/bash
    exec server > >(tee /tmp/server.log) 2>&1
    ```

    ## Example: parentheses

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    (cd /tmp && exec server)
    ```

    ```text
    entrypoint.sh:2:13: PID202 exec replaces only a subshell: sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it
    = hang
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    cd /tmp && exec server
    ```

    ```text
    = graceful
    ```

    ## Fix safety

    Unsafe, and only for bash: the pipe becomes a process substitution. The last lines of the log may be lost when the
    container exits, because nothing waits for `tee`.
    """
    seen = set()
    for path in launch.bad_paths:
        for link in path.links:
            call = path.main.call if path.main is not None else None
            if call is None or call.words == 0 or path.main is None or path.main.pid != link.child.pid:
                continue
            if link.child.start not in ("pipeline", "child", "substitution") or call.place in seen:
                continue
            if launch.shell_form(link.shell) is not None or link.child.form not in ("subshell", ""):
                continue
            seen.add(call.place)
            what = "a part of the pipeline" if link.child.start == "pipeline" else "a subshell"
            message = f"exec replaces only {what}: {link.effect}"
            yield Finding(call.place, message, fix=piped_to_substitution(link, ""), severity=launch.severity(path))
