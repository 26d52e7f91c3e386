"""PID208: a program that only holds the container, while the service runs in the background."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Note, Outcome, Path, Process, Severity, rule


@rule("PID208", Severity.ERROR)
def keepalive_main(launch: Launch) -> Iterator[Finding]:
    r"""`docker stop` kills the app: `tail -f /dev/null`, `sleep infinity` or the like is PID 1, not the app.

    ## Why is this bad?

    Such a program only keeps the container running. It does not pass the stop signal on: as PID 1 it ignores it, and
    `docker stop` waits 10 s, then kills the app in the middle of its work. It does not reap. When the app crashes, the
    container keeps running without it, so a restart policy does not help.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    server --port 80 &
    exec tail -f /dev/null
    ```

    ```text
    entrypoint.sh:3:1: PID208 tail is PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it
    = hang
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    exec server --port 80
    ```

    ## When to ignore it

    If a container is only there for `docker exec`, for example for development, the finding is an info: only the 10 s
    are lost. `docker run --init` or an init in front saves them.
    """
    alone = launch.main
    if alone is not None and (keeper := _alone(alone)) is not None:
        place = keeper.call.command if keeper.call is not None else keeper.place
        if place is not None:
            message = (
                f"{keeper.program} is PID 1 without a handler for {alone.signal}: docker stop waits 10 s, then kills it"
            )
            yield Finding(place, message, severity=Severity.INFO)
            return
    for path in launch.bad_paths:
        one, main = path.pid1, path.main
        if one is None or main is None or main is one or not one.helper or one.kind != "app" or main.helper:
            continue
        if path.outcome is not Outcome.HANG or any(start.what == "daemon" for start in path.starts):
            continue
        at = one.call.command if one.call is not None else one.place
        if at is None:
            continue
        message = f"{one.program} is PID 1 and keeps {path.signal} from {main.program}: "
        message += "docker stop waits 10 s, then kills it"
        notes = (Note(main.place, f"{main.program} runs in the background"),) if main.place is not None else ()
        yield Finding(at, message, notes, severity=launch.severity(path))
        return


def _alone(path: Path) -> Process | None:
    """What holds the container as PID 1 where nothing else is there to be lost: no cron, which no-init tells of."""
    main = path.main
    if main is None or main is not path.pid1 or path.outcome is not Outcome.HANG:
        return None
    if main.fact is not None and main.fact.spawns:
        return None
    return main if main.helper and main.kind == "app" and main.reaction == "default" and not main.children else None
