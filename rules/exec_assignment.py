"""PID205: exec with an assignment where its program should stand."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, Launch, Severity, Span, Started, rule
from pid1lint.mend.command import guard


@rule("PID205", Severity.ERROR)
def exec_assignment(launch: Launch) -> Iterator[Finding]:
    r"""The container exits with 127: `exec` takes an assignment as the name of a program.

    ## Why is this bad?

    Unlike a plain command, `exec FOO=1 app` does not set FOO. Every shell searches for a program named `FOO=1`, finds
    none and exits. Put the assignment before `exec`. In dash the same happens with options: `exec -a name app` and
    `exec -- app` search for programs named `-a` and `--`.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    exec PORT=80 server
    ```

    ```text
    entrypoint.sh:2:6: PID205 exec looks for a program named `PORT=80`: the container exits with 127
    = fails
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    PORT=80 exec server
    ```

    ## Fix safety

    Safe: the line did not work. The fix moves the assignments before `exec`, or removes the `--`. There is no fix for
    other options.
    """
    seen = set()
    for path in launch.paths:
        for start in path.starts:
            call = start.call
            if start.what not in ("assignment", "dashes", "option") or call is None or call.place in seen:
                continue
            seen.add(call.place)
            word = call.node.words[min(call.words, len(call.node.words) - 1)]
            at = call.script.place(word.span) if call.anchor is None else call.anchor
            message = f"exec looks for a program named `{start.argument}`: the container exits with 127"
            severity = Severity.ERROR if path is launch.main else Severity.WARNING
            yield Finding(at, message, fix=_fix(start), severity=severity)


def _fix(start: Started) -> Fix | None:
    call = start.call
    if call is None or not call.editable or call.words < 1 or start.what == "option":
        return None
    text, words = call.script.text, call.node.words
    if words[call.words - 1].literal != "exec":
        return None
    end = next((i for i in range(call.words, len(words)) if not _is_assignment(words[i].text)), len(words))
    if start.what == "dashes":
        end = call.words + 1
    if end >= len(words):
        return None
    source = text.source
    moved = text.written(text.text[words[call.words].span.start : words[end - 1].span.end])
    gone = Span(text.offset(words[call.words].span.start), text.offset(words[end].span.start))
    edits = [Edit(source, gone, "")]
    title = "Remove the --"
    if start.what == "assignment":
        if moved is None:
            return None
        at = text.offset(words[call.words - 1].span.start)
        edits.insert(0, Edit(source, Span(at, at), moved + " "))
        title = "Set the variable before exec"
    return Fix(title, tuple(edits), Applicability.SAFE, (guard(call.script, call.node),))


def _is_assignment(text: str) -> bool:
    name, equals, _ = text.partition("=")
    return bool(equals) and name.isidentifier()
