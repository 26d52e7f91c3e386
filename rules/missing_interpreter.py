"""PID214: a script whose interpreter the image lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, ImageFile, Launch, Note, Place, Severity, Span, Started, rule
from pid1lint.mend.install import installation

_NOT_POSIX = (
    r"\[\[|(?<!\$)\(\(|[<>]\(|\bfunction\b|\bBASH|\w\+?=\(|\+=|<<<|&>|\|&|;;?&|\$['\"]|\$\{[!^,]|\$\{\w+(?:\[|[\^,/@]|:[\s\d$(])|"
    r"\{\w+\.\.\w+|==|\b(?:declare|typeset|mapfile|readarray|shopt|source|pushd|popd|let|coproc|select|RANDOM|disown)\b|"
    r"\b(?:read|wait|echo|export|printf|exec|type|local) -|\bERR\b|\btime\b"
)


@rule("PID214", Severity.ERROR)
def missing_interpreter(launch: Launch) -> Iterator[Finding]:
    r"""The container does not start: the script needs an interpreter, such as bash, that the image does not have.

    ## Why is this bad?

    The kernel runs a script with the program that its first line names. Alpine and Busybox images have no bash, and
    distroless images have no shell at all. The container then exits at once with `exec: "/entrypoint.sh": no such file
    or directory`. The message is about the interpreter: the script itself is there.

    ## Example

    ```dockerfile
    FROM alpine:3.20
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/bash
    set -e
    exec server --port "$PORT"
    ```

    ```text
    entrypoint.sh:1:1: PID214 alpine:3.20 has no bash: the container does not start
    = fails
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    set -e
    exec server --port "$PORT"
    ```

    ## Example: a script that needs it

    ```dockerfile
    FROM alpine:3.20
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/usr/bin/env bash
    options=(--port "$PORT")
    exec server "${options[@]}"
    ```

    ```text
    entrypoint.sh:1:1: PID214 alpine:3.20 has no bash: the container does not start
    = fails
    ```

    Use instead:

    ```dockerfile
    FROM alpine:3.20
    COPY entrypoint.sh /
    RUN apk add --no-cache bash
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ## When to ignore it

    The rule reports nothing if another package, a script that a RUN calls, or files copied from elsewhere may have
    brought bash.

    ## Fix safety

    Safe if the script uses only what every shell knows: the fix changes its first line to `#!/bin/sh`. Otherwise the
    fix installs bash with the image's package manager, which is unsafe: the image grows.
    """
    seen = set()
    for path in launch.paths:
        for start in path.starts:
            if start.what != "interpreter" or start.place is None:
                continue
            file = start.file if start.file is not None and start.file.text is not None else None
            at = _first_line(file) if file is not None else start.place
            if at is None or at in seen:
                continue
            seen.add(at)
            end = "the container does not start" if path is launch.main and start.call is None else "it does not start"
            notes = (Note(start.place, "it is started here"),) if file is not None else ()
            severity = Severity.ERROR if path is launch.main and path.outcome.value == "fails" else Severity.WARNING
            message = f"{launch.image.base_reference} has no {_interpreter(start, file)}: {end}"
            yield Finding(at, message, notes, _fix(launch, start, file), severity)


def _first_line(file: ImageFile) -> Place | None:
    return None if file.text is None else file.text.place(0, len(file.text.text.split("\n", 1)[0].rstrip("\r")))


def _interpreter(start: Started, file: ImageFile | None) -> str:
    """The shell that is missing, without its path."""
    line = file.text.text.split("\n", 1)[0] if file is not None and file.text is not None else start.argument
    names = [word.rpartition("/")[2] for word in line.removeprefix("#!").split() if not word.startswith("-")]
    return next((name for name in names if name != "env"), start.argument)


def _fix(launch: Launch, start: Started, file: ImageFile | None) -> Fix | None:
    text = file.text if file is not None else None
    if file is not None and text is not None and file.editable and launch.image.sh not in ("", "none"):
        first, _, rest = text.text.partition("\n")
        plain = first.strip() in ("#!/bin/bash", "#!/usr/bin/bash", "#!/usr/bin/env bash", "#! /bin/bash")
        if plain and not re.search(_NOT_POSIX, rest):
            edit = Edit(text.source, text.span(0, len(first.rstrip("\r"))), "#!/bin/sh")
            return Fix("Begin with #!/bin/sh", (edit,), Applicability.SAFE)
    return _install(launch, _interpreter(start, file))


def _install(launch: Launch, shell: str) -> Fix | None:
    image = launch.image
    command = image.entrypoint or image.cmd
    instruction = command.instruction if command is not None else None
    if instruction is None or instruction not in image.stage.instructions:
        return None
    source, at = image.dockerfile.source, instruction.span.start
    lines = installation(launch, shell, at)
    if not lines:
        return None
    edit = Edit(source, Span(at, at), "".join(line + source.newline for line in lines))
    return Fix(f"Install {shell}", (edit,), Applicability.UNSAFE)
