"""PID410: a handler that sends its own shell the signal that starts it."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Fault, Finding, Fix, Launch, Severity, rule
from pid1lint.mend.command import statement_before
from pid1lint.mend.handler import goes_on


@rule("PID410", Severity.ERROR)
def recursive_kill(launch: Launch) -> Iterator[Finding]:
    r"""The shell crashes on the stop signal: its handler sends the signal to the shell itself, and so starts again.

    ## Why is this bad?

    `kill 0` and `kill -- -$$` signal every process of the group, including the shell. The shell runs the same handler
    again before the next command, and so on until its stack is full and it dies on SIGSEGV (exit code 139). The app got
    the signal, but the kernel kills it when the container exits.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'kill 0; wait' TERM
    worker &
    server --port 80 &
    wait
    ```

    ```text
    entrypoint.sh:2:7: PID410 kill 0 signals sh itself, whose handler starts again until it crashes: the kernel kills worker and server
    = abrupt
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'trap "" TERM; kill 0; wait' TERM
    worker &
    server --port 80 &
    wait
    ```

    ## Fix safety

    Safe: the shell ignores the signal before it sends it. There is no fix where the script would then go on in a loop:
    the handler needs an `exit` first.
    """
    seen = set()
    for path, link, fault in launch.faults("recursion"):
        at = fault.sent.call.place if fault.sent is not None else fault.trap.place
        if at in seen or not at.source.path:
            continue
        seen.add(at)
        what = fault.sent.call.command.text if fault.sent is not None and not fault.sent.call.anchor else "the handler"
        loop = f"{what} signals {link.shell.interpreter} itself, whose handler starts again until it crashes"
        yield Finding(at, f"{loop}: {fault.cut}", fix=_fix(fault), severity=launch.severity_of(fault, path))


def _fix(fault: Fault) -> Fix | None:
    if fault.sent is None or goes_on(fault.trap) or (_inside(fault) and not _single_quoted(fault)):
        return None
    made = statement_before(fault.sent.call, f'trap "" {fault.sent.signal}')
    return Fix("Ignore the signal first", made[0], Applicability.SAFE, made[1]) if made is not None else None


def _inside(fault: Fault) -> bool:
    """Whether the `kill` stands in the handler's own text."""
    return fault.sent is not None and fault.sent.call.script.text is fault.trap.text


def _single_quoted(fault: Fault) -> bool:
    word = fault.trap.handler_word
    return word is not None and word.text.startswith("'")
