"""PID501: a stop signal that leaves the app no chance."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, Instruction, Launch, Severity, rule
from pid1lint.mend.lines import without_line


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
    signal for a clean exit, the fix writes that one; otherwise it removes the line, and Docker sends SIGTERM. If a shell
    would keep that signal from the app, there is no fix.
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
    if instruction.text.source is not source:
        return None
    if launch.main is not None and launch.main.links:
        return None  # a shell in between would keep any other signal from the app
    main = launch.main.main if launch.main is not None else None
    graceful = main.fact.graceful if main is not None and main.fact is not None else ""
    # A comment inside the instruction would go with it.
    stays = launch.image.dockerfile.has_comment(instruction.span)
    if (graceful and graceful != "TERM") or stays:
        name = f"SIG{graceful or 'TERM'}"
        edit = Edit(source, instruction.text.place().span, name)
        return Fix(f"Stop with {name}", (edit,), Applicability.UNSAFE)
    return Fix("Use SIGTERM", (without_line(source, instruction.span),), Applicability.UNSAFE)
