"""PID219: a program that no package and no file has brought into the image."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import (
    Applicability,
    Edit,
    Finding,
    Fix,
    Launch,
    Missing,
    Severity,
    Span,
    Started,
    rule,
)
from pid1lint.mend.install import installation


@rule("PID219", Severity.ERROR)
def missing_program(launch: Launch) -> Iterator[Finding]:
    r"""The container does not start: a program that it runs is not in the image, or not at that path.

    ## Why is this bad?

    The container exits at once with `exec: "tini": executable file not found in $PATH`. The build does not report it.
    It is easy to believe that an init, or a program that switches the user, is part of the base image. Its path differs
    between distributions: Debian's tini is `/usr/bin/tini`, Alpine's is `/sbin/tini`.

    pid1lint knows what a base image contains, and which package contains which program: for Debian from measurements
    and Debian's own lists, and for Ubuntu, Alpine, Fedora and Enterprise Linux for the programs that entrypoints start
    most. A RUN that does more than install packages of the distribution may add anything: then the rule reports
    nothing.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY server /usr/local/bin/server
    ENTRYPOINT ["tini", "--", "server"]
    ```

    ```text
    Dockerfile:3:14: PID219 neither debian nor an installed package has tini: the container does not start
    = fails, not measured: the oracle's machine has a tini
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    COPY server /usr/local/bin/server
    RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
    ENTRYPOINT ["tini", "--", "server"]
    ```

    ## Example: another distribution's path

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini
    ENTRYPOINT ["/sbin/tini", "--", "server"]
    ```

    ```text
    Dockerfile:3:14: PID219 Debian's package puts tini at /usr/bin/tini: the container does not start
    = fails, not measured: the oracle puts an init at every path
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini
    ENTRYPOINT ["/usr/bin/tini", "--", "server"]
    ```

    ## When to ignore it

    Ignore it if the program is mounted into the container at run time.

    ## Fix safety

    Unsafe: the fix installs a package, or runs the program at another path.
    """
    seen = set()
    for path in launch.paths:
        for start in path.starts:
            absent = launch.image.missing(start.argument) if start.what == "absent" else None
            if absent is None or absent.kind != "program" or start.place is None:
                continue
            word = start.excerpts[0] if start.excerpts else None
            at = word.place() if word is not None else start.place
            if at in seen:
                continue
            seen.add(at)
            failing = path is launch.main and path.outcome.value == "fails"
            end = "the container does not start" if failing and start.call is None else "it does not start"
            severity = Severity.ERROR if failing else Severity.WARNING
            yield Finding(at, f"{absent.why}: {end}", fix=_fix(launch, start, absent), severity=severity)


def _fix(launch: Launch, start: Started, absent: Missing) -> Fix | None:
    word = start.excerpts[0] if start.excerpts else None
    if absent.elsewhere:
        if word is None or word.text != start.argument or word.source is not launch.image.dockerfile.source:
            return None
        edit = Edit(word.source, word.span(0, len(word.text)), absent.elsewhere)
        return Fix(f"Run {absent.elsewhere}", (edit,), Applicability.UNSAFE)
    image = launch.image
    command = image.entrypoint if image.entrypoint is not None and image.entrypoint.instruction else image.cmd
    instruction = command.instruction if command is not None else None
    if instruction is None or instruction not in image.stage.instructions or len(absent.packages) != 1:
        return None
    at = instruction.span.start
    lines = installation(launch, absent.packages[0], at)
    if not lines or "/" in start.argument:
        return None
    text = "".join(line + image.dockerfile.source.newline for line in lines)
    edit = Edit(image.dockerfile.source, Span(at, at), text)
    return Fix(f"Install {absent.packages[0]}", (edit,), Applicability.UNSAFE)
