"""PID412: a handler in double quotes, expanded before there is a pid."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, Launch, Severity, Span, TrapSet, rule
from pid1lint.mend.command import guard


@rule("PID412", Severity.ERROR)
def early_expansion(launch: Launch) -> Iterator[Finding]:
    r"""The handler signals nothing: its text is in double quotes, so the shell expands it before the pid is known.

    ## Why is this bad?

    In double quotes the `trap` command expands `$pid` at once. Before the app has started, `$pid` is empty, so the
    handler becomes a bare `kill`. When the stop signal arrives, no process is signalled.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    trap "kill $pid; wait $pid" TERM
    server --port 80 &
    pid=$!
    wait $pid
    ```

    ```text
    entrypoint.sh:2:6: PID412 $pid is expanded when the trap is set, and is empty then, so the handler for SIGTERM signals no process: docker stop waits 10 s, then kills server
    = hang
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'kill $pid; wait $pid' TERM
    server --port 80 &
    pid=$!
    wait $pid
    ```

    ## Fix safety

    Safe: the shell expands the variable when the handler runs, not when the trap is set. There is no fix if the text
    contains quotes, backslashes or other expansions.

    ## References

    - [ShellCheck SC2064](https://www.shellcheck.net/wiki/SC2064)
    """
    seen = set()
    for path, _, fault in launch.faults("early"):
        trap = fault.trap
        at = trap.script.place((trap.handler_word or trap.node.words[0]).span)
        if at in seen or not at.source.path:
            continue
        seen.add(at)
        names = " and ".join(dict.fromkeys(trap.early))
        what = "is expanded when the trap is set, and is empty then, so the handler"
        message = f"{names} {what} for {path.signal} signals no process: {fault.end(path)}"
        yield Finding(at, message, fix=_fix(trap), severity=launch.severity_of(fault, path))


def _fix(trap: TrapSet) -> Fix | None:
    word = trap.handler_word
    text = trap.script.text
    if word is None or not trap.editable or text.quoting != "plain":
        return None
    inner = word.text[1:-1]
    if word.text[:1] != '"' or word.text[-1:] != '"' or any(mark in inner for mark in "\\'\"`("):
        return None
    if inner.count("$") != len(trap.early):
        return None
    edit = Edit(text.source, Span(text.offset(word.span.start), text.offset(word.span.end - 1) + 1), f"'{inner}'")
    return Fix("Expand it when the handler runs", (edit,), Applicability.SAFE, (guard(trap.script, trap.node),))
