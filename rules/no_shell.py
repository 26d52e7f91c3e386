"""PID109: something that needs a shell, in an image without one."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Command, Edit, Excerpt, Finding, Fix, Launch, Note, Severity, rule
from pid1lint.mend.array import json_array, literal_argv
from pid1lint.mend.command import guard
from pid1lint.shell.parse import parse


@rule("PID109", Severity.ERROR)
def no_shell(launch: Launch) -> Iterator[Finding]:
    r"""The container does not start: the image has no shell for the shell form or for the script.

    ## Why is this bad?

    `CMD app --port 80` runs `/bin/sh -c "app --port 80"`. An image `FROM scratch` or from a distroless base has no
    `/bin/sh`: the container exits at once with `exec: "/bin/sh": no such file or directory`. The same happens if its
    entrypoint is a script that begins with `#!/bin/sh`, although the script itself is there.

    ## Example

    ```dockerfile
    FROM golang:1.24 AS build
    RUN go build -o /server ./cmd/server
    FROM scratch
    COPY --from=build /server /server
    ENTRYPOINT /server --port 80
    ```

    ```text
    Dockerfile:5:12: PID109 scratch has no /bin/sh to run the shell form: the container does not start
    = fails
    ```

    Use instead:

    ```dockerfile
    FROM golang:1.24 AS build
    RUN go build -o /server ./cmd/server
    FROM scratch
    COPY --from=build /server /server
    ENTRYPOINT ["/server", "--port", "80"]
    ```

    ## Example: a script

    ```dockerfile
    FROM gcr.io/distroless/static-debian12
    COPY server /server
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    exec /server --port "$PORT"
    ```

    ```text
    entrypoint.sh:1:1: PID109 gcr.io/distroless/static-debian12 has no /bin/sh to run the script: the container does not start
    = fails
    ```

    ## When to ignore it

    The rule does not report an image that may have got a shell by a copy (a root file system, an archive, the files of
    another stage), or the `debug` variants of the distroless images.

    ## Fix safety

    Safe: the container did not start. The fix turns a command of literal words into an array. There is no fix if a
    shell would have to expand something, or for a script.
    """
    base = launch.image.base_reference
    for path in launch.paths:
        for start in path.starts:
            if start.what != "shell":
                continue
            own = start.place if start.place is not None else None
            if start.file is not None and start.file.text is not None:
                at = start.file.text.place(0, len(start.file.text.text.split("\n", 1)[0].rstrip("\r")))
                notes = (Note(own, "the container starts it here"),) if own is not None else ()
                message = f"{base} has no /bin/sh to run the script: {_end(launch)}"
                yield Finding(at, message, notes)
                return
            command = _shell_form(launch, start.excerpts)
            if command is not None:
                message = f"{base} has no /bin/sh to run the shell form: {_end(launch)}"
                yield Finding(command.text.place(), message, fix=_fix(launch, command))
            elif own is not None:
                yield Finding(own, f"{base} has no {start.argument}: {_end(launch)}")
            return


def _end(launch: Launch) -> str:
    return "the container does not start" if launch.outcome.value == "fails" else "it does not start"


def _shell_form(launch: Launch, words: tuple[Excerpt | None, ...]) -> Command | None:
    """The command in shell form whose text is among the words of what was to be started."""
    for command in (launch.image.entrypoint, launch.image.cmd):
        if command is not None and command.form == "shell" and any(word is command.text for word in words):
            return command
    return None


def _fix(launch: Launch, command: Command) -> Fix | None:
    image = launch.image
    other = image.cmd if command is image.entrypoint else image.entrypoint
    script = parse(command.text)
    literal = literal_argv(script)
    place = command.text.place()
    if other is not None or literal is None or place.text != command.text.text:
        return None
    edit = Edit(place.source, place.span, json_array(literal[0]))
    return Fix("Write it in exec form", (edit,), Applicability.SAFE, (guard(script, literal[1]),))
