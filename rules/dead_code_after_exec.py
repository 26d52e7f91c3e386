"""PID204: commands that stand behind an exec."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Note, Place, Severity, Span, rule
from pid1lint.launch.shapes import after_exec


@rule("PID204", Severity.INFO)
def dead_code_after_exec(launch: Launch) -> Iterator[Finding]:
    r"""What stands behind an `exec` is never run.

    ## Why is this bad?

    `exec server` puts the server into the shell's place: when it ends, the container does. There is no shell left
    that could go on to clean up, to write a message or to start the next program. If the program is not found, the
    shell ends as well.

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

    ## When not to care

    An `exit` behind the `exec` is not reported, nor is anything behind `exec "$@"`, which does nothing where there
    are no arguments.
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
                notes = (Note(script.place(replacing.span), "the shell is gone from here on"),)
                yield Finding(_one_line(at), f"this never runs: exec has replaced the shell with {name}", notes)


def _one_line(place: Place) -> Place:
    end = place.source.text.find("\n", *place.span)
    return place if end < 0 else Place(place.source, Span(place.span.start, end))
