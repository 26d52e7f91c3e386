"""PID502: a STOPSIGNAL that names no signal."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, Launch, Severity, rule
from pid1lint.launch.signals import signal_name

_COMMON = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGKILL", "SIGRTMIN+3")
_UNHEARD = ("SIGKILL",)
"""What a misspelt word may well mean, but what no fix writes: no program is told by it to stop."""


@rule("PID502", Severity.ERROR)
def invalid_stopsignal(launch: Launch) -> Iterator[Finding]:
    r"""STOPSIGNAL is not a signal, or is written in a way that not every runtime reads.

    ## Why is this bad?

    If STOPSIGNAL is not a signal, the build or the start of the container fails. Docker accepts a name without `SIG`,
    but not every runtime that may run the image later does: with containerd such an image could not be stopped
    gracefully.

    ## Example

    ```dockerfile
    FROM debian:12
    STOPSIGNAL SIGTEM
    CMD ["server"]
    ```

    ```text
    Dockerfile:2:12: PID502 `SIGTEM` is not a signal
    = graceful, not measured: no container comes of it
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    STOPSIGNAL SIGTERM
    CMD ["server"]
    ```

    ## Example: without SIG

    ```dockerfile
    FROM debian:12
    STOPSIGNAL QUIT
    CMD ["server"]
    ```

    ```text
    Dockerfile:2:12: PID502 `QUIT` has no SIG prefix, and not every runtime accepts that
    = graceful
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    STOPSIGNAL SIGQUIT
    CMD ["server"]
    ```

    ## Fix safety

    Unsafe for a word that is not a signal: the nearest name may not be the intended one. Safe if only `SIG` is missing.
    """
    instruction = launch.image.stop_signal_instruction
    if (
        instruction is None
        or "$" in instruction.text.text
        or instruction.text.source is not launch.image.dockerfile.source
    ):
        return
    text = instruction.text.text.strip().strip("\"'")
    place = instruction.text.place()
    if signal_name(text) is None:
        import difflib

        nearest = difflib.get_close_matches(text.upper(), _COMMON, n=1, cutoff=0.6)
        edits = tuple(Edit(place.source, place.span, name) for name in nearest if name not in _UNHEARD)
        fix = Fix(f"Write {nearest[0]}", edits, Applicability.UNSAFE) if edits else None
        yield Finding(place, f"`{text}` is not a signal", fix=fix)
    elif not text.isdecimal() and not text.upper().startswith("SIG"):
        edit = Edit(place.source, place.span, f"SIG{text.upper()}")
        message = f"`{text}` has no SIG prefix, and not every runtime accepts that"
        fix = Fix(f"Write SIG{text.upper()}", (edit,), Applicability.SAFE)
        yield Finding(place, message, fix=fix, severity=Severity.WARNING)
