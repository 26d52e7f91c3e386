"""PID301: a PID 1 that ignores the stop signal because it has no handler for it."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, Instruction, Launch, Path, Place, Process, Severity, rule
from pid1lint.mend.install import init_in_front
from pid1lint.mend.lines import in_front


@rule("PID301", Severity.ERROR)
def no_init(launch: Launch) -> Iterator[Finding]:
    r"""PID 1 has no handler for the stop signal: the kernel drops the signal, and `docker stop` kills it after 10 s.

    ## Why is this bad?

    SIGTERM ends any other process that has no handler for it. PID 1 of a container is an exception: the kernel does not
    deliver signals to it for which it has no handler. Python, Node.js, PHP, Perl, C and Rust programs have no handler
    unless the app sets one, so `docker stop` waits 10 s and then kills them. (Go, Java and Ruby set one themselves.)
    With an init in front, the init is PID 1 and passes the signal on, and the app exits at once.

    That is faster, but not gentler: a request in flight had the grace period before, and is now dropped. To exit
    cleanly an app needs its own handler.

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

    Python turns SIGINT into an exception and exits on it. Node.js has nothing similar.

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

    ## Example: the app's source is not available

    ```dockerfile
    FROM node:20
    CMD ["node", "server.js"]
    ```

    ```text
    Dockerfile:2:7: PID301 node is PID 1: unless the app handles SIGTERM, docker stop waits 10 s, then kills it
    = graceful
    ```

    ## When to ignore it

    `docker run --init`, `init: true` in Compose, and a pod with a shared process namespace put an init in front. If the
    app's source is not in the build context, or may set the handler elsewhere, the finding is an info. If the source
    sets none, but uses a library that may or may not set one, the finding is a warning.

    ## Fix safety

    Unsafe. A plain Python program gets SIGINT instead, which it turns into KeyboardInterrupt: `finally` blocks and
    `atexit` functions run. For all others the fix installs an init with the image's package manager and puts it in
    front of the ENTRYPOINT, or of CMD if there is none. The app then exits at once, with no chance to finish its work.
    """
    for path in launch.paths:
        main = path.main
        if main is None or main.pid != 1 or main.kind != "app" or main.place is None:
            continue
        if path.is_given_others and main.call is not None and "$@" in main.call.command.text:
            continue  # it is not CMD that runs on this path
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
        if image.deployment is not None and image.deployment.override.stop_signal is None:
            given = None
        edit = in_front(launch, "STOPSIGNAL SIGINT") if given is None else _instead(given, launch)
        return Fix("Stop with SIGINT", (edit,), Applicability.UNSAFE) if edit is not None else None
    return init_in_front(launch)
