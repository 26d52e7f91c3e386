"""PID602: a deployment's command that drops the image's init or entrypoint script, to its harm."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Finding, Fix, Launch, Note, Outcome, Process, Severity, rule
from pid1lint.launch.model import redeployed, undeployed
from pid1lint.mend.setting import renamed

_BETTER = (Outcome.GRACEFUL, Outcome.ABRUPT, Outcome.HANG)
_KEYS = {"compose": ("entrypoint", "command"), "kubernetes": ("command", "args")}


@rule("PID602", Severity.WARNING)
def lost_entrypoint(launch: Launch) -> Iterator[Finding]:
    r"""The deployment drops an init or an entrypoint script that the image needs in order to stop cleanly.

    ## Why is this bad?

    `entrypoint:` in Compose and `command:` in Kubernetes replace the image's ENTRYPOINT. If that is an init, or a
    script that ends in `exec "$@"`, it is lost: the program becomes PID 1 without a handler, or runs below a shell that
    does not pass the stop signal on. In Kubernetes the names are misleading: `command:` is ENTRYPOINT, and `args:` is
    CMD.

    ## Example

    ```dockerfile
    FROM python:3.12-slim
    RUN apt-get update && apt-get install -y tini
    RUN pip install gunicorn
    COPY status.py /
    ENTRYPOINT ["tini", "--"]
    CMD ["gunicorn", "shop:app"]
    ```

    ```python status.py
    import time

    while True:
        time.sleep(60)
    ```

    ```yaml compose.yaml
    services:
      status:
        build: .
        entrypoint: ["python", "/status.py"]
    ```

    ```text
    compose.yaml:4:17: PID602 service status: entrypoint drops tini, which the image puts in front: python is PID 1 without a handler for SIGTERM, so the kernel drops it
    = hang
    ```

    Use instead:

    ```yaml compose.yaml
    services:
      status:
        build: .
        command: ["python", "/status.py"]
    ```

    ```text
    = abrupt: it ends at once
    ```

    ## Fix safety

    Unsafe: the image's ENTRYPOINT runs again, with everything that it does. The fix renames the setting, and is offered
    only if the container then stops better.
    """
    deployment = launch.image.deployment
    if deployment is None or not launch.outcome.is_bad or not deployment.override.changes_argv:
        return
    own = undeployed(launch)
    words = deployment.override.entrypoint or deployment.override.command
    if own is None or own.main is None or words is None or own.outcome is not Outcome.GRACEFUL:
        return
    lost = next((each for each in own.main.chain if _is_needed(each) and not _has(launch, each)), None)
    if lost is None or not _is_better(launch, own, lost):
        return
    keys = _KEYS.get(deployment.kind, ("it", ""))
    key = keys[0] if deployment.override.entrypoint is not None else keys[1] or keys[0]
    what = "puts in front" if lost.kind == "init" else "starts with"
    reason = launch.why.partition(": ")[0]
    message = f"{key} drops {lost.program}, which the image {what}: {reason}"
    notes = () if lost.place is None else (Note(lost.place, f"the image starts {lost.program} here"),)
    yield Finding(words.at, message, notes, _fix(launch, own, keys))


def _is_needed(process: Process) -> bool:
    return process.kind == "init" or (process.kind == "shell" and process.form == "file")


def _has(launch: Launch, wanted: Process) -> bool:
    """Whether the launch starts a program of that kind as well: another init does as well as the lost one."""
    tree = launch.tree.walk() if launch.tree is not None else ()
    if wanted.kind == "init":
        return any(process.kind == "init" for process in tree)
    return any(process.argv[:1] == wanted.argv[:1] for process in tree)


def _is_better(launch: Launch, own: Launch, lost: Process) -> bool:
    """Whether it ends better when the image's ENTRYPOINT, or what its CMD starts with, is given the same to run.

    A script that does not run what it is given is none that the deployment could have kept.
    """
    image, first, cmd = launch.image, own.image.entrypoint, own.image.cmd
    given = [command for command in (image.entrypoint, image.cmd) if command is not None]
    words = tuple(word for command in given for word in command.words)
    if first is None and lost.kind == "init":
        return bool(given)
    if first is None and cmd is not None:
        at = next((at for at, word in enumerate(cmd.words) if word.text in lost.argv), len(cmd.words))
        words = (*cmd.words[: at + 1], *words)
    if not given or image.entrypoint is first is not None:
        return False
    better = redeployed(launch, entrypoint=first, cmd=given[0].replaced(words=words))
    return _runs_the_same(better, launch) and _rank(better.outcome) < _rank(launch.outcome)


def _runs_the_same(one: Launch, other: Launch) -> bool:
    mains = [launch.main.main for launch in (one, other) if launch.main is not None and launch.main.main is not None]
    return len(mains) == 2 and mains[0].argv == mains[1].argv


def _rank(outcome: Outcome) -> int:
    return _BETTER.index(outcome) if outcome in _BETTER else len(_BETTER)


def _fix(launch: Launch, own: Launch, keys: tuple[str, str]) -> Fix | None:
    """Say `command:` instead of `entrypoint:`."""
    deployment, first = launch.image.deployment, own.image.entrypoint
    if deployment is None or deployment.override.entrypoint is None or deployment.override.command is not None:
        return None
    edits = renamed(launch, *keys)
    if not edits or first is None or first.form != "exec":
        return None
    return Fix(f"Pass it to {first.words[0].text}", edits, Applicability.UNSAFE)
