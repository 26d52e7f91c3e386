"""PID107: an ENTRYPOINT that drops the CMD it was meant to run."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Command, Edit, Finding, Fix, Launch, Outcome, Severity, Span, rule
from pid1lint.launch.model import lost_cmd as find
from pid1lint.mend.array import json_array


@rule("PID107", Severity.ERROR)
def lost_cmd(launch: Launch) -> Iterator[Finding]:
    r"""The container exits or does not start: ENTRYPOINT drops the CMD of the base image and has nothing to run.

    ## Why is this bad?

    An ENTRYPOINT resets the CMD of the base image or of the previous stage: that CMD was meant for another entrypoint.
    A script that ends in `exec "$@"` then gets no arguments. `exec` without a program does nothing, the script ends,
    and the container exits at once with code 0. tini and dumb-init refuse to start without a command.

    ## Example

    ```dockerfile
    FROM nginx:1.27
    COPY setup.sh /
    ENTRYPOINT ["/setup.sh"]
    ```

    ```sh setup.sh
    #!/bin/sh
    set -e
    echo "setting up"
    exec "$@"
    ```

    ```text
    Dockerfile:3:12: PID107 ENTRYPOINT drops the CMD `nginx -g "daemon off;"`, and has nothing else to run: the container ends at once
    = exits
    ```

    Use instead:

    ```dockerfile
    FROM nginx:1.27
    COPY setup.sh /
    ENTRYPOINT ["/setup.sh"]
    CMD ["nginx", "-g", "daemon off;"]
    ```

    ## When to ignore it

    The rule does not report an ENTRYPOINT that runs something without CMD. An image that is always started with a
    command, for example by a Compose file, does not need a CMD.

    ## Fix safety

    Unsafe: the fix writes the dropped CMD below the ENTRYPOINT, which then gets it as its arguments.

    ## References

    - [Dockerfile reference: how CMD and ENTRYPOINT interact](https://docs.docker.com/reference/dockerfile/#understand-how-cmd-and-entrypoint-interact)
    """
    lost, entrypoint = find(launch), launch.image.entrypoint
    if lost is None or entrypoint is None:
        return
    end = "the container ends at once" if launch.outcome is Outcome.EXITS else "the container does not start"
    message = f"ENTRYPOINT drops the CMD `{_shown(lost)}`, and has nothing else to run: {end}"
    yield Finding(entrypoint.text.place(), message, fix=_fix(launch, lost))


def _shown(lost: Command) -> str:
    if lost.form == "shell":
        return lost.text.text
    return " ".join(f'"{word.text}"' if " " in word.text else word.text for word in lost.words)


def _fix(launch: Launch, lost: Command) -> Fix | None:
    image = launch.image
    instruction = image.entrypoint.instruction if image.entrypoint is not None else None
    if instruction is None or instruction not in image.stage.instructions:
        return None
    source = image.dockerfile.source
    text = lost.text.text if lost.form == "shell" else json_array(word.text for word in lost.words)
    at = instruction.span.end
    edit = Edit(source, Span(at, at), f"{source.newline}CMD {text}")
    return Fix("Repeat the CMD", (edit,), Applicability.UNSAFE)
