"""PID503: a program that ends cleanly on another signal than the one that is sent."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, Launch, Note, Outcome, Path, Place, Process, Severity, rule
from pid1lint.mend.lines import in_front


@rule("PID503", Severity.WARNING)
def stopsignal_mismatch(launch: Launch) -> Iterator[Finding]:
    r"""The program exits cleanly on a signal other than the image's stop signal.

    ## Why is this bad?

    Not every server reads SIGTERM as "finish your work and exit". nginx drops the requests in flight on SIGTERM and
    finishes them on SIGQUIT. Apache needs SIGWINCH, php-fpm SIGQUIT, HAProxy SIGUSR1. On SIGTERM PostgreSQL waits until
    its clients disconnect, however long that takes; on SIGINT it shuts down. systemd ignores SIGTERM and halts on
    SIGRTMIN+3. Docker sends the signal that STOPSIGNAL names.

    ## Example

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y nginx
    CMD ["nginx", "-g", "daemon off;"]
    ```

    ```text
    Dockerfile:3:7: PID503 nginx drops its work on SIGTERM and ends cleanly on SIGQUIT
    = abrupt, not measured: the oracle's stand-in finishes its work
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y nginx
    STOPSIGNAL SIGQUIT
    CMD ["nginx", "-g", "daemon off;"]
    ```

    ## When to ignore it

    Official images already set it (nginx, httpd, php, postgres, haproxy), and an image built on them inherits it. If
    all requests are very short, SIGTERM does no harm.

    ## Fix safety

    Safe: the same program gets another signal, which it documents for a clean exit. Unsafe if the Dockerfile already
    has a STOPSIGNAL: someone chose it.
    """
    seen = set()
    for path in launch.paths:
        main = path.main
        if main is None or main.program in seen or not _mismatched(launch, path):
            continue
        seen.add(main.program)
        usual = path is launch.main
        fix = _fix(launch, _graceful(main)) if usual else None
        yield Finding(_place(main), _message(launch, path, main), () if usual else _chosen(path), fix)


def _mismatched(launch: Launch, path: Path) -> bool:
    """Whether a path's main process wants another signal; where the user chooses the path, only if it hangs else."""
    main = path.main
    if main is None or main.place is None or path.links:
        return False
    if _only_stays(launch, path):
        return True
    if main.fact is None or main.fact.interpreter:
        return False
    if not main.fact.graceful or _graceful(main) == launch.stop_signal or launch.stop_signal in ("SIGKILL", "SIGSTOP"):
        return False
    if path is not launch.main:
        chosen = all(choice.usual or choice.kind == "environment" for choice in path.decisions)
        return chosen and path.outcome is Outcome.HANG
    if path.outcome not in (Outcome.GRACEFUL, Outcome.HANG, Outcome.ABRUPT):
        return False
    return _reaction(launch, main) != "handles"


def _only_stays(launch: Launch, path: Path) -> bool:
    """Whether PID 1 stays on the stop signal and would end on SIGTERM: java on SIGQUIT, s6-overlay on SIGWINCH."""
    main = path.main
    if main is None or path is not launch.main or path.outcome is not Outcome.HANG or main.pid != 1:
        return False
    return (
        main.reaction == "survives"
        and launch.stop_signal not in ("SIGTERM", "SIGKILL", "SIGSTOP")
        and bool(_graceful(main))
    )


def _message(launch: Launch, path: Path, main: Process) -> str:
    stays = path.outcome is Outcome.HANG or _reaction(launch, main) == "survives"
    whom = main.fact.waits.get(launch.stop_signal.removeprefix("SIG")) if main.fact is not None else None
    what = f"waits for {whom}" if whom else "stays" if stays else "drops its work"
    return f"{main.program} {what} on {launch.stop_signal} and ends cleanly on {_graceful(main)}"


def _chosen(path: Path) -> tuple[Note, ...]:
    """Where the user's environment chooses this path."""
    places = (choice.place for choice in path.decisions if choice.kind == "environment" and choice.usual is False)
    return tuple(Note(place, "the environment decides here whether it starts") for place in places)


def _reaction(launch: Launch, main: Process) -> str:
    return main.fact.reaction(launch.stop_signal.removeprefix("SIG")) if main.fact is not None else ""


def _graceful(main: Process) -> str:
    if main.fact is not None and main.fact.graceful:
        return f"SIG{main.fact.graceful}"
    if main.launcher is not None and main.launcher.signals.get("TERM") == "handles":
        return "SIGTERM"
    return ""


def _place(main: Process) -> Place:
    assert main.place is not None
    return main.call.command if main.call is not None else main.place


def _fix(launch: Launch, wanted: str) -> Fix | None:
    image = launch.image
    source = image.dockerfile.source
    own = image.stop_signal_instruction
    title = f"Stop with {wanted}"
    if image.deployment is not None:
        # Others may run the image, and what it runs by itself may be told by its own signal.
        edit = in_front(launch, f"STOPSIGNAL {wanted}")
        return None if edit is None else Fix(title, (edit,), Applicability.UNSAFE if own else Applicability.SAFE)
    if own is not None:
        if own.text.source is not source:
            return None
        return Fix(title, (Edit(source, own.text.place().span, wanted),), Applicability.UNSAFE)
    edit = in_front(launch, f"STOPSIGNAL {wanted}")
    return None if edit is None else Fix(title, (edit,), Applicability.SAFE)
