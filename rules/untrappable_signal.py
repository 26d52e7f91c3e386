"""PID404: a trap on a signal that cannot be trapped."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, Launch, Severity, Span, TrapSet, Word, rule
from pid1lint.mend.command import guard

_NEVER = {"KILL": "KILL", "SIGKILL": "KILL", "9": "KILL", "STOP": "STOP", "SIGSTOP": "STOP", "19": "STOP"}


@rule("PID404", Severity.WARNING)
def untrappable_signal(launch: Launch) -> Iterator[Finding]:
    r"""The handler never runs: the trap is on KILL or STOP, which no process can handle.

    ## Why is this bad?

    The kernel never runs a handler for SIGKILL and SIGSTOP. The shell accepts the trap without an error, but the
    handler never runs: at the end of the grace period nothing is cleaned up or passed on. If the trap also names a
    signal that can be trapped, the finding is an info.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'kill $pid; wait $pid' TERM KILL
    server &
    pid=$!
    wait $pid
    ```

    ```text
    entrypoint.sh:2:34: PID404 SIGKILL cannot be trapped: the handler never runs for it
    = graceful
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'kill $pid; wait $pid' TERM
    server &
    pid=$!
    wait $pid
    ```

    ## Fix safety

    Safe: the fix removes the signal from the list. There is no fix if it is the only one.
    """
    seen = set()
    for path in launch.paths:
        for trap in path.traps:
            if not trap.script.text.source.path:
                continue
            for word in trap.node.words[2:]:
                at = trap.script.place(word.span)
                if word.text.upper() not in _NEVER or at in seen:
                    continue
                seen.add(at)
                alone = all(other.text.upper() in _NEVER for other in trap.node.words[2:])
                message = f"SIG{_NEVER[word.text.upper()]} cannot be trapped: the handler never runs for it"
                severity = Severity.WARNING if alone else Severity.INFO
                yield Finding(at, message, fix=None if alone else _fix(launch, trap, word), severity=severity)


def _fix(launch: Launch, trap: TrapSet, word: Word) -> Fix | None:
    if not trap.editable:
        return None
    text = trap.script.text
    before = trap.node.words[trap.node.words.index(word) - 1]
    span = Span(text.offset(before.span.end - 1) + 1, text.offset(word.span.end - 1) + 1)
    edit = Edit(text.source, span, "")
    return Fix("Remove the signal from the list", (edit,), Applicability.SAFE, (guard(trap.script, trap.node),))
