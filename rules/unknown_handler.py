"""PID308: an outcome that holds only if an app handles the stop signal, which nobody knows."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Outcome, Severity, rule


@rule("PID308", Severity.INFO, default=False)
def unknown_handler(launch: Launch) -> Iterator[Finding]:
    r"""The app gets the stop signal, but it is not known whether the app handles it: the verdict is assumed.

    ## Why is this bad?

    It is not bad. But as PID 1 a program without a handler ignores the signal, and Docker kills it at the end of the
    grace period. This rule runs only if you select it, and names each such app. You can state in the configuration what
    the app does; pid1lint then uses that everywhere. `pid1lint prove` measures it.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY web /usr/local/bin/web
    CMD ["web"]
    ```

    ```text
    Dockerfile:3:7: PID308 it is not known whether web handles SIGTERM; if it does, configure [programs.web] signals = { TERM = "handles" }
    = graceful
    ```
    """
    path = launch.main
    if path is None or launch.outcome is not Outcome.GRACEFUL or path.tree is None:
        return
    told = {process.place: process for process in path.tree.walk() if process.assumed and process.receives_stop}
    for assumption in launch.assumes:
        process = told.get(assumption.place)
        if process is None or assumption.place is None:
            continue
        name, signal = process.program, path.signal.removeprefix("SIG")
        message = f"it is not known whether {name} handles {path.signal}; if it does, configure "
        message += f'[programs.{name}] signals = {{ {signal} = "handles" }}'
        yield Finding(assumption.place, message)
