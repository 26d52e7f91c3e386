"""PID501: a stop signal that leaves the app no chance."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, Instruction, Launch, Process, Severity, rule
from pid1lint.mend.lines import without_line
from pid1lint.mend.setting import setting


@rule("PID501", Severity.ERROR)
def ungraceful_stopsignal(launch: Launch) -> Iterator[Finding]:
    r"""Every stop is a crash: STOPSIGNAL is KILL or STOP, which no program can handle.

    ## Why is this bad?

    With `STOPSIGNAL SIGKILL` every `docker stop` is a crash: no data is flushed, no request is finished, no lock is
    released. `STOPSIGNAL SIGSTOP` freezes the container until the grace period is over, and then Docker kills it.

    ## Example

    ```dockerfile
    FROM debian:12
    STOPSIGNAL SIGKILL
    CMD ["server"]
    ```

    ```text
    Dockerfile:2:12: PID501 SIGKILL ends the container at once: server cannot handle it
    = abrupt
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    CMD ["server"]
    ```

    ## Fix safety

    Unsafe: the container stops differently, and takes as long as the app needs. If pid1lint knows the program's own
    signal for a clean exit, the fix writes that one; otherwise it removes the line, and Docker sends SIGTERM. In a
    deployment, it writes SIGTERM, if the program is not known to stay. If a shell would keep that signal from the app,
    there is no fix.
    """
    instruction = launch.image.stop_signal_instruction
    if launch.stop_signal not in ("SIGKILL", "SIGSTOP") or instruction is None:
        return
    main = launch.main.main if launch.main is not None else None
    name = main.program if main is not None else "the app"
    what = (
        "ends the container at once" if launch.stop_signal == "SIGKILL" else "freezes the container until it is killed"
    )
    fix = _fix(launch, instruction)
    yield Finding(instruction.text.place(), f"{launch.stop_signal} {what}: {name} cannot handle it", fix=fix)


def _fix(launch: Launch, instruction: Instruction) -> Fix | None:
    source = launch.image.dockerfile.source
    if launch.main is not None and launch.main.links:
        return None  # a shell in between would keep any other signal from the app
    main = launch.main.main if launch.main is not None else None
    graceful = main.fact.graceful if main is not None and main.fact is not None else ""
    if instruction.text.source is not source:
        return _of_deployment(launch, main, graceful)
    # A comment inside the instruction would go with it.
    stays = launch.image.dockerfile.has_comment(instruction.span)
    if (graceful and graceful != "TERM") or stays:
        name = f"SIG{graceful or 'TERM'}"
        edit = Edit(source, instruction.text.place().span, name)
        return Fix(f"Stop with {name}", (edit,), Applicability.UNSAFE)
    return Fix("Use SIGTERM", (without_line(source, instruction.span),), Applicability.UNSAFE)


def _of_deployment(launch: Launch, main: Process | None, graceful: str) -> Fix | None:
    """Another signal where the deployment sets one; SIGTERM only for a program of which nothing says that it stays."""
    deployment = launch.image.deployment
    if deployment is None or deployment.override.stop_signal is None or main is None:
        return None
    if main.fact is not None and not graceful:
        return None
    name = f"SIG{graceful or 'TERM'}"
    edits = setting(launch, "stop_signal", name)
    return Fix(f"Stop with {name}", edits, Applicability.UNSAFE) if edits else None
