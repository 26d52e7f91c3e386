"""PID110: an image, or an init or a shell in front, that has nothing to run."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Outcome, Place, Severity, rule
from pid1lint.launch.model import lost_cmd


@rule("PID110", Severity.INFO)
def no_command(launch: Launch) -> Iterator[Finding]:
    r"""The container does not start without a command: the image, its init or its shell has nothing to run.

    ## Why is this bad?

    `docker run IMAGE` fails: with `no command specified` if there is neither ENTRYPOINT nor CMD, or with the message of
    an init or of `sh -c` that gets no command. The container starts only if it is given a command. That may be what the
    image is for: a base image, an image of tools, or one that only holds files. So this is an info. It is an error if a
    script starts an init without a command, or if the entrypoint of a deployment gets none.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY server /usr/local/bin/server
    ENTRYPOINT ["sh", "-c"]
    ```

    ```text
    Dockerfile:3:14: PID110 `-c` needs a command string after it: a container starts only if it is given a command
    = fails
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    COPY server /usr/local/bin/server
    ENTRYPOINT ["server"]
    ```

    ## Example: a script that gives none

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    exec tini --
    ```

    ```text
    entrypoint.sh:2:6: PID110 tini has no command to run: the container ends at once
    = fails
    ```

    ## When to ignore it

    Ignore it if every container of the image gets a command: from `docker run`, from a Compose file, or from a
    Dockerfile that builds on it.
    """
    if launch.outcome is not Outcome.FAILS or lost_cmd(launch) is not None:
        return
    given = "a container starts only if it is given a command"
    image = launch.image
    if not launch.paths:
        if image.entrypoint is None and image.cmd is None and not image.broken:
            yield _finding(launch, image.command_place, f"the image has no command to run: {given}")
        return
    for start in launch.paths[0].starts:
        if start.what != "no-command" or start.place is None:
            continue
        word = start.excerpts[0] if start.excerpts else None
        at = word.place() if word is not None else start.place
        why = launch.paths[0].why
        command = image.entrypoint or image.cmd
        if start.call is None and command is not None and command.form == "exec":
            yield _finding(launch, at, f"{why}: {given}")
        else:
            yield Finding(at, f"{why}: the container ends at once", severity=Severity.ERROR)


def _finding(launch: Launch, at: Place, message: str) -> Finding:
    """An info, unless a deployment starts the container as it is."""
    return Finding(at, message, severity=Severity.ERROR if launch.image.deployment is not None else Severity.INFO)
