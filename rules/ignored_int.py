"""PID413: SIGINT for a child that was started with it ignored."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, Launch, Sent, Severity, Span, rule
from pid1lint.mend.command import guard


@rule("PID413", Severity.ERROR)
def ignored_int(launch: Launch) -> Iterator[Finding]:
    r"""The app ignores the SIGINT of the handler, because the shell started it with `&`.

    ## Why is this bad?

    A shell without job control starts background processes with SIGINT and SIGQUIT ignored, so that Ctrl-C does not
    reach them. Python, Java, Ruby and most others leave a signal ignored that was ignored when they started. Only a
    program that sets its own handler reacts.

    ## Example

    ```dockerfile
    FROM eclipse-temurin:21
    COPY entrypoint.sh app.jar /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'kill -INT "$pid"; wait "$pid"' TERM
    java -jar /app.jar &
    pid=$!
    wait "$pid"
    ```

    ```text
    entrypoint.sh:2:7: PID413 java ignores SIGINT, because sh started it with &: docker stop waits 10 s, then kills java
    = hang, not measured: what stands in for the Java VM sets a handler of its own
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    trap 'kill -TERM "$pid"; wait "$pid"' TERM
    java -jar /app.jar &
    pid=$!
    wait "$pid"
    ```

    ## Fix safety

    Unsafe: TERM ends a program without a handler for it at once, such as a Python program.
    """
    seen = set()
    for path, link, fault in launch.faults("ignored"):
        if fault.sent is None:
            continue
        at = fault.sent.call.place
        if at in seen or not at.source.path:
            continue
        seen.add(at)
        because = f"because {link.shell.interpreter} started it with &"
        message = f"{fault.names} ignores SIG{fault.sent.signal}, {because}: {fault.end(path)}"
        yield Finding(at, message, fix=_fix(fault.sent), severity=launch.severity_of(fault, path))


def _fix(sent: Sent) -> Fix | None:
    call = sent.call
    spellings = (f"-{sent.signal}", f"-SIG{sent.signal}")
    word = next((word for word in call.node.words[1:] if word.text.upper() in spellings), None)
    if word is None or not call.editable or call.script.text.quoting != "plain":
        return None
    text = call.script.text
    span = Span(text.offset(word.span.start), text.offset(word.span.end - 1) + 1)
    edit = Edit(text.source, span, "-TERM")
    return Fix("Send TERM", (edit,), Applicability.UNSAFE, (guard(call.script, call.node),))
