"""PID204: commands that stand behind an exec."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Note, Place, Severity, Span, rule
from pid1lint.launch.shapes import after_exec


@rule("PID204", Severity.INFO)
def dead_code_after_exec(launch: Launch) -> Iterator[Finding]:
    r"""The commands after an `exec` never run.

    ## Why is this bad?

    `exec server` replaces the shell with the server: when the server exits, the container exits. No shell is left to
    clean up, write a message or start the next program. If `exec` does not find the program, the shell exits as well.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    exec server --port 80
    echo "server has ended"
    ```

    ```text
    entrypoint.sh:3:1: PID204 this never runs: exec has replaced the shell with server
    = graceful
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    exec server --port 80
    ```

    ## When to ignore it

    The rule does not report an `exit` after the `exec`, or anything after `exec "$@"`, which does nothing without
    arguments.
    """
    seen = set()
    for path in launch.paths:
        for process in path.tree.walk() if path.tree is not None else ():
            script = process.script
            if script is None or not script.text.source.path or script.damage or id(script) in seen:
                continue
            seen.add(id(script))
            for replacing, dead in after_exec(script):
                at = script.place(dead.span)
                name = replacing.words[1].text.strip("\"'").rpartition("/")[2]
                notes = (Note(script.place(replacing.span), "exec replaces the shell here"),)
                yield Finding(_one_line(at), f"this never runs: exec has replaced the shell with {name}", notes)


def _one_line(place: Place) -> Place:
    end = place.source.text.find("\n", *place.span)
    return place if end < 0 else Place(place.source, Span(place.span.start, end))
