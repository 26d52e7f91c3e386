"""PID216: a script that is not where it is looked for."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Missing, Note, Path, Place, Severity, Started, rule


@rule("PID216", Severity.ERROR)
def missing_script(launch: Launch) -> Iterator[Finding]:
    r"""The container does not start: the script that ENTRYPOINT or CMD names is elsewhere in the image, or missing.

    ## Why is this bad?

    In exec form Docker uses an absolute path as it is, starts a relative path at WORKDIR, and searches PATH for a bare
    name; WORKDIR is not on PATH. If there is no file, the container exits at once with `exec: "/start.sh": no such file
    or directory`. A `.dockerignore` that keeps the script out of `COPY . .` has the same effect. The build does not
    report it.

    ## Example

    ```dockerfile
    FROM debian:12
    WORKDIR /app
    COPY start.sh .
    CMD ["/start.sh"]
    ```

    ```sh start.sh
    #!/bin/sh
    exec server
    ```

    ```text
    Dockerfile:4:7: PID216 there is no file at /start.sh: it is at /app/start.sh, and the container does not start
    = fails
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    WORKDIR /app
    COPY start.sh .
    CMD ["/app/start.sh"]
    ```

    ## Example: a name without a path

    ```dockerfile
    FROM debian:12
    WORKDIR /app
    COPY start.sh .
    CMD ["start.sh"]
    ```

    ```sh start.sh
    #!/bin/sh
    exec server
    ```

    ```text
    Dockerfile:4:7: PID216 start.sh is not on PATH: it is at /app/start.sh, and the container does not start
    = fails, not measured: the oracle lets a server stand in for every name that it does not find on PATH
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    WORKDIR /app
    COPY start.sh .
    CMD ["./start.sh"]
    ```

    ## Example: left out of the build

    ```dockerfile
    FROM debian:12
    COPY . /app
    CMD ["/app/start.sh"]
    ```

    ```text .dockerignore
    *.sh
    ```

    ```sh start.sh
    #!/bin/sh
    exec server
    ```

    ```text
    Dockerfile:3:7: PID216 there is no file at /app/start.sh: .dockerignore keeps start.sh out of the build, and the container does not start
    = fails
    ```

    ## Example: copied by nothing

    ```dockerfile
    FROM debian:12
    COPY server /usr/local/bin/server
    ENTRYPOINT ["/docker-entrypoint.sh"]
    CMD ["server"]
    ```

    ```sh docker-entrypoint.sh
    #!/bin/sh
    exec "$@"
    ```

    ```text
    Dockerfile:3:14: PID216 there is no file at /docker-entrypoint.sh: nothing copies docker-entrypoint.sh, and the container does not start
    = fails
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    COPY server /usr/local/bin/server
    COPY docker-entrypoint.sh /
    ENTRYPOINT ["/docker-entrypoint.sh"]
    CMD ["server"]
    ```

    ## When to ignore it

    pid1lint does not see what a volume adds at run time. The rule reports nothing if a RUN that it cannot follow, an
    archive or the files of another stage may have added the script.
    """
    for path in launch.paths:
        for start in path.starts:
            if start.what == "absent" and (absent := launch.image.missing(start.argument)) is not None:
                if absent.kind == "script" and start.place is not None:
                    yield _nowhere(start, start.place, absent, *_end(launch, path))
                    return
                continue
            if start.what != "missing" or start.place is None:
                continue
            word = start.excerpts[0] if start.excerpts else None
            stray = launch.image.stray(start.argument)
            if stray is None:
                continue
            at = word.place() if word is not None else start.place
            where = (
                f"there is no file at {start.argument}" if "/" in start.argument else f"{start.argument} is not on PATH"
            )
            end, severity = _end(launch, path)
            notes: tuple[Note, ...]
            if stray.elsewhere:
                message = f"{where}: it is at {stray.elsewhere}, and {end}"
                notes = (Note(stray.place, "it gets into the image here"),)
            elif not stray.ignored:
                message, notes = f"{where}: {end}", ()
            else:
                message = f"{where}: .dockerignore keeps {stray.ignored} out of the build, and {end}"
                notes = (Note(stray.place, "it would get into the image here"),)
            yield Finding(at, message, notes, severity=severity)
            return


def _end(launch: Launch, path: Path) -> tuple[str, Severity]:
    """What comes of it: what repeats its command goes on without it."""
    walk = path.tree.walk() if path.tree is not None else ()
    repeats = next((each for each in walk if each.launcher is not None and each.launcher.repeats), None)
    if repeats is not None:
        return f"{repeats.program} tries to start it again and again", Severity.WARNING
    return "the container does not start", Severity.ERROR if path is launch.main else Severity.WARNING


def _nowhere(start: Started, place: Place, absent: Missing, end: str, severity: Severity) -> Finding:
    """Of a script that nothing at all puts where it is looked for."""
    word = start.excerpts[0] if start.excerpts else None
    why = f"nothing copies {absent.near}" if absent.near else "nothing puts one there"
    message = f"there is no file at {start.argument}: {why}, and {end}"
    return Finding(word.place() if word is not None else place, message, severity=severity)
