"""PID301: a PID 1 that ignores the stop signal because it has no handler for it."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, Instruction, Launch, Path, Place, Process, Severity, rule
from pid1lint.mend.install import init_in_front
from pid1lint.mend.lines import in_front


@rule("PID301", Severity.ERROR)
def no_init(launch: Launch) -> Iterator[Finding]:
    r"""PID 1 is a program that has no handler for the stop signal, so the kernel drops it.

    ## Why is this bad?

    For every other process SIGTERM without a handler means the end. PID 1 of a container is exempt: the kernel does
    not deliver it signals for which it has no handler. Python, Node.js, PHP, Perl and what is written in C or Rust
    have none unless the app sets one, so `docker stop` waits 10 s and then kills. (Go, Java and Ruby set one by
    themselves.) An init in front is PID 1 instead and passes the signal on; below it the app ends at once.

    That is faster, not gentler: a request in flight used to have the grace period, and is now dropped. What ends an
    app in good order is a handler of its own.

    ## Example

    ```dockerfile
    FROM python:3.12-slim
    COPY app.py /
    CMD ["python", "/app.py"]
    ```

    ```python app.py
    import http.server

    http.server.test(http.server.SimpleHTTPRequestHandler)
    ```

    ```text
    Dockerfile:3:7: PID301 python is PID 1 without a handler for SIGTERM: docker stop waits 10 s, then kills it
    = hang
    ```

    Use instead:

    ```dockerfile
    FROM python:3.12-slim
    COPY app.py /
    STOPSIGNAL SIGINT
    CMD ["python", "/app.py"]
    ```

    ## Example: an init

    Python turns SIGINT into an exception and ends by it. Node.js has nothing like that.

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y nodejs && rm -rf /var/lib/apt/lists/*
    COPY server.js /
    CMD ["node", "/server.js"]
    ```

    ```js server.js
    setInterval(() => console.log(new Date()), 60000);
    ```

    ```text
    Dockerfile:4:7: PID301 node is PID 1 without a handler for SIGTERM: docker stop waits 10 s, then kills it
    = hang
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y nodejs && rm -rf /var/lib/apt/lists/*
    COPY server.js /
    RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
    ENTRYPOINT ["tini", "--"]
    CMD ["node", "/server.js"]
    ```

    ```text
    = abrupt: it ends at once
    ```

    ## Example: the app's source is not at hand

    ```dockerfile
    FROM node:20
    CMD ["node", "server.js"]
    ```

    ```text
    Dockerfile:2:7: PID301 node is PID 1: unless the app handles SIGTERM, docker stop waits 10 s, then kills it
    = graceful
    ```

    ## When not to care

    `docker run --init`, `init: true` in Compose, or a pod with a shared process namespace put an init there. Where
    the app's source is not in the build context, or may set the handler somewhere else, the finding is an info. Where
    the source sets none, but uses a library of which it is not known whether it does, the finding is a warning.

    ## Fix safety

    Unsafe. A plain Python program is sent SIGINT instead, which it turns into KeyboardInterrupt: `finally` blocks and
    `atexit` functions run. For all others an init is installed by the image's own package manager and put in front of
    the ENTRYPOINT, or of CMD where there is none; the app then ends at once, with no chance to finish its work.
    """
    for path in launch.paths:
        main = path.main
        if main is None or main.pid != 1 or main.kind != "app" or main.place is None:
            continue
        if main.fact is not None and main.fact.wraps:
            continue  # an init would end the wrapper, and cut its program off
        if main.helper and not (main.fact is not None and main.fact.spawns):
            continue
        if path.ignores_signal:
            message = f"{main.program} is PID 1 without a handler for {path.signal}: {_KILLED}"
            severity = Severity.WARNING if main.helper or main.rests else launch.severity(path)
            if main.rests is not None:
                message = path.why
            yield Finding(_at(main), message, fix=_fix(launch, path), severity=severity)
            return
        # A reaper that is missing as well is told of by no-reaper, and mended alike.
        is_open = path is launch.main and main.assumed and launch.orphans is None
        if is_open and main.fact is not None and main.fact.interpreter:
            message = f"{main.program} is PID 1: unless the app handles {path.signal}, {_KILLED}"
            yield Finding(_at(main), message, severity=Severity.INFO)
            return


_KILLED = "docker stop waits 10 s, then kills it"


def _at(main: Process) -> Place:
    assert main.place is not None
    return main.call.command if main.call is not None else main.place


def _instead(given: Instruction, launch: Launch) -> Edit | None:
    """SIGINT in the place of a stop signal that is the default one; another one somebody has chosen."""
    if launch.stop_signal != "SIGTERM" or given not in launch.image.stage.instructions:
        return None
    return Edit(launch.image.dockerfile.source, given.text.place().span, "SIGINT")


def _fix(launch: Launch, path: Path) -> Fix | None:
    """SIGINT for Python, unless it leaves orphans; else an init."""
    image = launch.image
    main = path.main
    is_python = main is not None and main.fact is not None and main.fact.interpreter == "python"
    if is_python and launch.orphans is None:
        given = image.stop_signal_instruction
        edit = in_front(launch, "STOPSIGNAL SIGINT") if given is None else _instead(given, launch)
        return Fix("Stop with SIGINT", (edit,), Applicability.UNSAFE) if edit is not None else None
    return init_in_front(launch)
