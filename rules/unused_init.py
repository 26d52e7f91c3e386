"""PID304: an init that the image installs and never runs."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Severity, rule
from pid1lint.mend.install import init_in_front


@rule("PID304", Severity.INFO)
def unused_init(launch: Launch) -> Iterator[Finding]:
    r"""The image installs an init, but nothing runs it.

    ## Why is this bad?

    An installed init changes nothing: it must be PID 1, so ENTRYPOINT (or CMD) must begin with it. Whoever installed it
    expects it to pass signals on and to reap, and it does neither.

    ## Example

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini
    CMD ["server"]
    ```

    ```text
    Dockerfile:3:7: PID304 tini is installed and nothing runs it: server is PID 1
    = graceful
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini
    ENTRYPOINT ["tini", "--"]
    CMD ["server"]
    ```

    ## When to ignore it

    Ignore it in a base image whose child images begin their ENTRYPOINT with the init.

    ## Fix safety

    Unsafe: another program becomes PID 1, and below it an app without a handler exits on the stop signal at once.
    """
    init, path = launch.unused_init, launch.main
    one = path.pid1 if path is not None else None
    if not init or path is None or one is None or path.ignores_signal or launch.orphans is not None:
        return
    at = one.call.command if one.call is not None else one.place
    if at is not None:
        yield Finding(at, f"{init} is installed and nothing runs it: {one.program} is PID 1", fix=init_in_front(launch))
