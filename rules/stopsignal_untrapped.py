"""PID504: a script that traps other signals than the one that the image is stopped with."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Fix, Launch, Link, Outcome, Path, Severity, TrapSet, rule
from pid1lint.mend.handler import also_trap


@rule("PID504", Severity.ERROR)
def stopsignal_untrapped(launch: Launch) -> Iterator[Finding]:
    r"""The handler never runs: the script traps a stop signal, but the image stops with another one.

    ## Why is this bad?

    Docker sends the signal that STOPSIGNAL names, and STOPSIGNAL is inherited: an image built on nginx, php-fpm or
    httpd stops with SIGQUIT or SIGWINCH, not SIGTERM. A handler for TERM never runs there, and the kernel drops the
    other signal, because the shell as PID 1 has no handler for it: `docker stop` waits 10 s and kills everything.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    STOPSIGNAL SIGQUIT
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'kill "$pid"; wait "$pid"' TERM INT
    server --port 80 &
    pid=$!
    wait "$pid"
    ```

    ```text
    entrypoint.sh:2:1: PID504 sh traps TERM and INT, but this image stops with SIGQUIT: docker stop waits 10 s, then kills server
    = hang
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'kill "$pid"; wait "$pid"' TERM INT QUIT
    server --port 80 &
    pid=$!
    wait "$pid"
    ```

    ## When to ignore it

    Ignore it if containers always stop with another signal (`docker run --stop-signal`, or `stop_signal` in Compose).

    ## Fix safety

    Unsafe: the existing handler also runs on the image's stop signal. Decide whether `STOPSIGNAL SIGTERM` in the
    Dockerfile would be better.

    ## References

    - [Dockerfile reference: STOPSIGNAL](https://docs.docker.com/reference/dockerfile/#stopsignal)
    """
    seen = set()
    for path in launch.bad_paths:
        for link in launch.lacking(path, "another"):
            trap = _another(link)
            if trap is None or not trap.place.source.path or trap.place in seen:
                continue
            seen.add(trap.place)
            stop = launch.image.stop_signal_instruction
            message = f"{link.shell.interpreter} traps {_named(link, trap)}, but this image stops with {path.signal}"
            own = stop is not None and stop in launch.image.stage.instructions
            whose = "" if own or path.signal == "SIGTERM" else f", as {launch.image.base_reference} says"
            end = _end(path)
            yield Finding(trap.place, f"{message}{whose}: {end}", fix=_fix(link, trap), severity=launch.severity(path))


def _another(link: Link) -> TrapSet | None:
    """The trap on what is most often a stop signal."""
    waiting = link.waiting
    found = [waiting.trap(name) for name in ("TERM", "INT", "QUIT", "HUP")] if waiting is not None else []
    return next((trap for trap in found if trap is not None), None)


def _named(link: Link, trap: TrapSet) -> str:
    names = [name for name, other in (link.waiting.traps if link.waiting is not None else ()) if other is trap]
    return " and ".join(names)


def _end(path: Path) -> str:
    main = path.main.program if path.main is not None else "the app"
    if path.outcome is Outcome.HANG:
        return f"docker stop waits 10 s, then kills {main}"
    return f"it dies on the signal, and the kernel kills {main}"


def _fix(link: Link, trap: TrapSet) -> Fix | None:
    if len(trap.node.words) < 3 or trap.node.words[-1].literal is None:
        return None
    if trap.refused:
        # At a name that it does not know a shell may stop to read the line: one more would change nothing.
        return None
    return also_trap(trap, link.path.signal)
