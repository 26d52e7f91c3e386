"""PID213: a script that nobody has made executable."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, ImageFile, Launch, Note, Severity, Span, rule


@rule("PID213", Severity.ERROR)
def not_executable(launch: Launch) -> Iterator[Finding]:
    r"""The container does not start: the script has no execute bit.

    ## Why is this bad?

    COPY keeps a file's permissions. A script without the execute bit in the build context has none in the image, and
    the kernel refuses to run it: `permission denied`, exit code 126. A heredoc of COPY never has the bit.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh mode=644
    #!/bin/sh
    exec server
    ```

    ```text
    Dockerfile:3:14: PID213 /entrypoint.sh has no execute bit: the container does not start
    = fails
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    COPY --chmod=755 entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ## When to ignore it

    pid1lint reads the permissions of the files in this checkout. If you build the image from another one, set the bit
    in Git as well: `git update-index --chmod=+x entrypoint.sh`.

    ## Fix safety

    Safe: the script did not start. `--chmod=755` on the COPY needs BuildKit, the builder of every current Docker.
    Unsafe for a folder: everything in it gets the mode. There is no fix for a COPY of several sources.
    """
    for path in launch.paths:
        for start in path.starts:
            file = start.file
            if start.what != "mode" or file is None or start.place is None:
                continue
            if file.origin == "mount":
                continue  # see hidden-script
            word = start.excerpts[0] if start.excerpts else None
            at = word.place() if word is not None and word.source.path else start.place
            notes = (Note(file.place, "it gets into the image here, without the bit"),)
            severity = Severity.ERROR if path is launch.main else Severity.WARNING
            end = "the container does not start" if start.call is None else "it does not start"
            message = f"{start.argument} has no execute bit: {end}"
            yield Finding(at, message, notes, _fix(launch, file), severity)
            return


def _fix(launch: Launch, file: ImageFile) -> Fix | None:
    source = launch.image.dockerfile.source
    if file.place.source is not source:
        return None
    span = file.place.span
    instruction = next(
        (i for i in launch.image.dockerfile.instructions if i.span.covers(span) and i.keyword in ("COPY", "ADD")), None
    )
    if instruction is None or instruction.flag("chmod") is not None:
        return None
    if instruction.words is None and len(instruction.text.text.split()) > 2:
        return None
    if instruction.words is not None and len(instruction.words) > 2:
        return None
    at = instruction.keyword_span.end
    edit = Edit(source, Span(at, at), " --chmod=755")
    # With a folder all that is in it gets the mode.
    copied = instruction.words[0] if instruction.words is not None else instruction.text
    alone = posixpath.basename(copied.text.split()[0]) == posixpath.basename(_name(file))
    applicability = Applicability.SAFE if alone else Applicability.UNSAFE
    return Fix("Copy it with the execute bit", (edit,), applicability)


def _name(file: ImageFile) -> str:
    return file.source.path if file.source is not None else file.path
