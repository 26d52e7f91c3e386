"""PID409: a signal's name that the shell does not know."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import (
    Applicability,
    Edit,
    Fault,
    Finding,
    Fix,
    Launch,
    Outcome,
    Path,
    Severity,
    Span,
    TrapSet,
    Word,
    rule,
)
from pid1lint.launch.signals import signal_name
from pid1lint.mend.command import guard


@rule("PID409", Severity.ERROR)
def signal_name_unknown(launch: Launch) -> Iterator[Finding]:
    r"""The trap is not set, or `kill` sends nothing: the shell does not know the name of the signal.

    ## Why is this bad?

    POSIX knows TERM, not SIGTERM. bash, Busybox and ksh accept both. dash, which is /bin/sh on Debian and Ubuntu,
    prints `trap: SIGTERM: bad trap` and continues without a handler, and prints `Illegal option -S` for `kill
    -SIGTERM`. bash called as sh rejects `kill -SIGTERM` too.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'kill "$pid"; wait "$pid"' SIGTERM
    server --port 80 &
    pid=$!
    wait "$pid"
    ```

    ```text
    entrypoint.sh:2:33: PID409 dash does not know the signal SIGTERM, so it does not set the trap: docker stop waits 10 s, then kills server
    = hang
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'kill "$pid"; wait "$pid"' TERM
    server --port 80 &
    pid=$!
    wait "$pid"
    ```

    ## Example: kill

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    stop() {
        kill -SIGTERM "$pid"
        wait "$pid"
    }
    trap stop TERM
    server --port 80 &
    pid=$!
    wait "$pid"
    ```

    ```text
    entrypoint.sh:3:10: PID409 dash does not know the signal SIGTERM, so kill sends nothing: docker stop waits 10 s, then kills server
    = hang
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    stop() {
        kill -TERM "$pid"
        wait "$pid"
    }
    trap stop TERM
    server --port 80 &
    pid=$!
    wait "$pid"
    ```

    ## Fix safety

    Safe: every shell knows the name in capitals and without SIG.

    ## References

    - [POSIX: trap](https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#trap)
    """
    seen = set()
    for path in launch.bad_paths:
        for finding in (*_traps(launch, path), *_kills(launch, path)):
            if finding.at.source.path and finding.at not in seen:
                seen.add(finding.at)
                yield finding


def _traps(launch: Launch, path: Path) -> Iterator[Finding]:
    for link in launch.lacking(path, "refused"):
        trap = link.refused
        main = path.main.program if path.main is not None else "the app"
        for word in trap.node.words[2:] if trap is not None else ():
            if trap is not None and word.text in trap.refused and signal_name(word.text):
                message = f"{_shell(trap.dialect)} does not know the signal {word.text}, so it does not set the trap: {_end(path, main)}"
                yield Finding(
                    trap.script.place(word.span), message, fix=_trap_fix(trap), severity=launch.severity(path)
                )
                break


def _kills(launch: Launch, path: Path) -> Iterator[Finding]:
    for link in path.links:
        fault = link.fault
        if fault is None or fault.what != "name" or fault.sent is None:
            continue
        call = fault.sent.call
        word = _misnamed(fault)
        if word is None:
            continue
        name = word.text.lstrip("-")
        what = f"{_shell(link.shell.dialect)} does not know the signal {name}, so kill sends nothing"
        message = f"{what}: {fault.end(path)}"
        at = call.place if call.anchor else call.script.place(word.span)
        yield Finding(at, message, fix=_kill_fix(fault), severity=launch.severity_of(fault, path))


def _misnamed(fault: Fault) -> Word | None:
    """The word of a `kill` that names the signal: `-SIGTERM`, or what follows `-s`."""
    words = fault.sent.call.node.words[1:] if fault.sent is not None else ()
    return next((word for word in words if word.text.lstrip("-").upper().startswith("SIG")), None)


def _shell(dialect: str) -> str:
    return dialect.replace("-as-", " as ")


def _end(path: Path, names: str) -> str:
    if path.outcome is Outcome.HANG:
        return f"docker stop waits 10 s, then kills {names}"
    return f"the container ends, and the kernel kills {names}"


def _trap_fix(trap: TrapSet) -> Fix | None:
    text = trap.script.text
    names = {word: signal_name(word.text) for word in trap.node.words[2:] if word.text in trap.refused}
    if not trap.editable or None in names.values():
        return None
    edits = tuple(
        Edit(text.source, Span(text.offset(word.span.start), text.offset(word.span.end - 1) + 1), name)
        for word, name in names.items()
        if name is not None
    )
    return Fix("Use signal names that every shell knows", edits, Applicability.SAFE, (guard(trap.script, trap.node),))


def _kill_fix(fault: Fault) -> Fix | None:
    call = fault.sent.call if fault.sent is not None else None
    word = _misnamed(fault)
    name = signal_name(word.text.lstrip("-")) if word is not None else None
    if call is None or word is None or name is None or not call.editable:
        return None
    text = call.script.text
    span = Span(text.offset(word.span.start), text.offset(word.span.end - 1) + 1)
    edit = Edit(text.source, span, f"-{name}" if word.text.startswith("-") else name)
    return Fix(
        "Use a signal name that every shell knows", (edit,), Applicability.SAFE, (guard(call.script, call.node),)
    )
