"""PID306: options that an init takes for its own, or does not know."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, Launch, Severity, Span, Started, rule
from pid1lint.mend.command import guard


@rule("PID306", Severity.ERROR)
def init_arguments(launch: Launch) -> Iterator[Finding]:
    r"""The container does not start, or the app misses an option: the init takes the option as its own.

    ## Why is this bad?

    tini and catatonit read options wherever they are, also after the program's name, unless a `--` comes first. They
    keep the options that they know, and the app never sees them (`tini server -v` makes tini verbose). At an option
    that they do not know, they print their usage, and the container exits. If they are built with musl, as in Alpine,
    they stop at the program's name; dumb-init always does.

    ## Example

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini
    ENTRYPOINT ["tini", "server", "--port", "80"]
    ```

    ```text
    Dockerfile:3:14: PID306 tini reads `--port` as its own option, and has none of that name: the container does not start
    = fails
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini
    ENTRYPOINT ["tini", "--", "server", "--port", "80"]
    ```

    ## Example: an option that it has

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini
    ENTRYPOINT ["tini", "server", "-v"]
    ```

    ```text
    Dockerfile:3:14: PID306 tini reads `-v` as its own option: server never gets it
    = graceful
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini
    ENTRYPOINT ["tini", "--", "server", "-v"]
    ```

    ## When to ignore it

    Never.

    ## Fix safety

    Safe: a `--` before the program's name states what was meant.

    ## References

    - [tini: arguments](https://github.com/krallin/tini#arguments)
    """
    path = launch.main
    for start in path.starts if path is not None else ():
        if start.what not in ("init-option", "init-flag", "swallowed") or start.place is None:
            continue
        option, program = start.option, start.argument
        if start.what == "swallowed":
            app = start.argv[start.command].rpartition("/")[2]
            message = f"{program} reads `{option}` as its own option: {app} never gets it"
        elif start.what == "init-option":
            message = f"{program} reads `{option}` as its own option, and has none of that name: "
            message += "the container does not start"
        else:
            message = f"{program} has no option `{option}`: the container does not start"
        at = start.call.command if start.call is not None else start.place
        severity = Severity.WARNING if start.what == "swallowed" else Severity.ERROR
        yield Finding(at, message, fix=_fix(launch, start), severity=severity)
        return


def _fix(launch: Launch, start: Started) -> Fix | None:
    """`--` before the program's name, where the option stands behind it."""
    if start.what == "init-flag":
        return None
    if start.call is not None:
        words = start.call.node.words[start.call.words :]
        if not start.call.editable or start.command >= len(words):
            return None
        text = start.call.script.text
        at = text.offset(words[start.command].span.start)
        edit = Edit(text.source, Span(at, at), "-- ")
        return Fix(
            "Put -- before the program", (edit,), Applicability.SAFE, (guard(start.call.script, start.call.node),)
        )
    word = start.excerpts[start.command] if start.command < len(start.excerpts) else None
    if word is None or word.source is not launch.image.dockerfile.source:
        return None
    at = word.offset(0) - 1
    return Fix("Put -- before the program", (Edit(word.source, Span(at, at), '"--", '),), Applicability.SAFE)
