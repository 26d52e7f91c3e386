"""PID103: CMD, and arguments of `docker run`, that nobody reads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pid1lint import Finding, Launch, Note, Severity, rule

_READS_ARGUMENTS = r"\$(?:[@*#0-9]|\{[@*#0-9])"


@rule("PID103", Severity.WARNING)
def ignored_cmd(launch: Launch) -> Iterator[Finding]:
    r"""CMD and the arguments of `docker run` have no effect: the ENTRYPOINT is in shell form.

    ## Why is this bad?

    `ENTRYPOINT app` runs `/bin/sh -c app`, and Docker adds neither CMD nor whatever follows the image's name on the
    command line: `docker run IMAGE --debug` starts without `--debug`, and without a message. With `ENTRYPOINT ["sh",
    "-c", "app"]` Docker adds them, but after the string they become the shell's `$0` and `$1`, which `app` never sees.

    ## Example

    ```dockerfile
    FROM debian:12
    ENTRYPOINT exec server
    CMD ["--port", "80"]
    ```

    ```text
    Dockerfile:3:5: PID103 CMD is dropped: a shell-form ENTRYPOINT gets no arguments
    = graceful
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    ENTRYPOINT ["server"]
    CMD ["--port", "80"]
    ```

    ## Example: arguments of a shell

    ```dockerfile
    FROM debian:12
    ENTRYPOINT ["bash", "-c", "exec server"]
    CMD ["--port", "80"]
    ```

    ```text
    Dockerfile:3:5: PID103 CMD is dropped: after `exec server` it becomes the shell's $0 and $1
    = graceful
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    ENTRYPOINT ["bash", "-c", "exec server \"$@\"", "server"]
    CMD ["--port", "80"]
    ```

    ## When to ignore it

    A CMD that repeats what the ENTRYPOINT runs, for the reader, does no harm. The rule does not report a string that
    reads `$0`, `$1` or `$@`.
    """
    image = launch.image
    entrypoint, cmd = image.entrypoint, image.cmd
    if entrypoint is None or cmd is None or cmd.instruction is None or entrypoint.instruction is None:
        return
    at = cmd.text.place() if cmd.form == "shell" or cmd.instruction.array is None else None
    place = at or cmd.text.place()
    if entrypoint.form == "shell":
        notes = (Note(entrypoint.text.place(), "the ENTRYPOINT in shell form"),)
        yield Finding(place, "CMD is dropped: a shell-form ENTRYPOINT gets no arguments", notes)
        return
    words = [word.text for word in entrypoint.words]
    string = next((i + 1 for i, word in enumerate(words[:-1]) if re.fullmatch(r"-[a-z]*c", word)), None)
    is_shell = any(word.rpartition("/")[2] in ("sh", "bash", "dash", "ash") for word in words[: (string or 1) - 1])
    if string is None or not is_shell or re.search(_READS_ARGUMENTS, words[string]):
        return
    notes = (Note(entrypoint.words[string].place(), "the command string of the shell"),)
    yield Finding(place, f"CMD is dropped: after `{words[string]}` it becomes the shell's $0 and $1", notes)
