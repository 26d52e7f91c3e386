"""PID217: CMD is given to a script that never looks at its arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pid1lint import Applicability, Edit, Excerpt, Finding, Fix, Launch, Note, Outcome, Process, Severity, Span, rule
from pid1lint.mend.command import guard

_READS_ARGUMENTS = r"(?m)\$\{?[#!]?[@*#1-9]|\b(?:shift|getopts|BASH_ARG[CV])\b|(?:^|[\s;&|(])(?:\.|source)\s"
_ENDS = r"(?:^|\n)[^\n]*\b(?:exit|exec|return)\b[^\n]*\n*\Z"


@rule("PID217", Severity.WARNING)
def dropped_arguments(launch: Launch) -> Iterator[Finding]:
    r"""CMD and the arguments of `docker run` have no effect: the entrypoint script never uses its arguments.

    ## Why is this bad?

    With an ENTRYPOINT, CMD and whatever follows the image's name in `docker run` are the arguments of that entrypoint.
    A script sees them as `"$@"`. A script that never uses them drops them without a message: `docker run IMAGE --debug`
    starts without `--debug`, and a command in CMD never runs.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    CMD ["--port", "80"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    set -e
    exec server
    ```

    ```text
    Dockerfile:4:5: PID217 CMD is dropped: entrypoint.sh never uses its arguments
    = graceful
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    set -e
    exec server "$@"
    ```

    ## Example: the last line is missing

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    CMD ["server", "--port", "80"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    set -e
    mkdir -p /run/server
    ```

    ```text
    Dockerfile:4:5: PID217 CMD is dropped: entrypoint.sh never uses its arguments
    = exits
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    set -e
    mkdir -p /run/server
    exec "$@"
    ```

    ## When to ignore it

    The rule does not report a CMD that names the same program as the script starts: it is there for the reader. It also
    ignores a script that sources another one, which may read the arguments.

    ## Fix safety

    Unsafe: the fix appends the options in CMD to the program that the script ends with. If the script starts nothing
    that stays, the fix adds `exec "$@"` as its last line. Both change what runs.
    """
    image = launch.image
    entrypoint, cmd = image.entrypoint, image.cmd
    if entrypoint is None or entrypoint.form != "exec" or cmd is None or cmd.instruction is None:
        return
    script = _entry_script(launch)
    text = script.file.text if script is not None and script.file is not None else None
    if script is None or text is None or script.place is None or re.search(_READS_ARGUMENTS, text.text):
        return
    main = launch.main.main if launch.main is not None else None
    words = [word.text for word in cmd.words] or cmd.text.text.split()
    if not words:
        return
    if main is not None and words[0].rpartition("/")[2] in (main.program, *main.argv):
        return
    name = text.source.path.rpartition("/")[2]
    notes = (Note(script.place, "the script is started here"),)
    message = f"CMD is dropped: {name} never uses its arguments"
    yield Finding(cmd.text.place(), message, notes, _fix(launch, script, text, words))


def _entry_script(launch: Launch) -> Process | None:
    """The first script of the container, if CMD's words are its arguments."""
    cmd, tree = launch.image.cmd, launch.tree
    given = (*cmd.shell, cmd.text.text) if cmd is not None and cmd.form == "shell" else ()
    words = given or tuple(word.text for word in cmd.words) if cmd is not None else ()
    for process in tree.walk() if tree is not None else ():
        if process.kind == "shell" and process.form == "file" and process.call is None:
            name = process.file.path.rpartition("/")[2] if process.file is not None else ""
            # Where CMD is the script itself, it is given nothing.
            beside = words and all(word.rpartition("/")[2] != name for word in words)
            return process if beside and process.arguments[-len(words) :] == words else None
    return None


def _fix(launch: Launch, script: Process, text: Excerpt, words: list[str]) -> Fix | None:
    if script.file is None or not script.file.editable:
        return None
    main = launch.main.main if launch.main is not None else None
    if main is None and launch.outcome is Outcome.EXITS and not words[0].startswith("-"):
        if re.search(_ENDS, text.text) or script.dialect == "" or script.script is None or script.script.damage:
            return None
        cmd = launch.image.cmd
        if cmd is None or cmd.instruction is None or cmd.instruction.broken_json is not None:
            return None  # the array comes first: as it is, it is no command
        end = text.source.newline
        before = "" if text.text.endswith("\n") else end
        at = text.offset(len(text.text))
        edit = Edit(text.source, Span(at, at), f'{before}exec "$@"{end}')
        return Fix("Run what CMD says", (edit,), Applicability.UNSAFE)
    call = main.call if main is not None else None
    if call is None or not call.editable or call.function or call.loop or call.script is not script.script:
        return None
    if not words[0].startswith("-") or not call.last or call.condition:
        return None
    at = text.offset(call.node.words[-1].span.end)
    handed = text.written(' "$@"')
    if handed is None:
        return None
    edit = Edit(text.source, Span(at, at), handed)
    return Fix("Pass the arguments on", (edit,), Applicability.UNSAFE, (guard(call.script, call.node),))
