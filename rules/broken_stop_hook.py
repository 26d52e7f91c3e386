"""PID605: a hook before the stop that cannot do what it is for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pid1lint import Finding, Launch, Outcome, Severity, rule
from pid1lint.launch.model import redeployed

if TYPE_CHECKING:
    from pid1lint.deployment import Hook

_KILL = re.compile(r"\bkill\s+(?:-s\s+|-)?(?:SIG)?(?P<signal>[A-Z0-9]+)?\s*(?:--\s+)?1\s*(?:$|[;&|])")


@rule("PID605", Severity.WARNING)
def broken_stop_hook(launch: Launch) -> Iterator[Finding]:
    r"""The hook that should run before the container stops fails or does nothing.

    ## Why is this bad?

    `preStop` in Kubernetes and `pre_stop` in Compose run a command in the container before the stop signal is sent. A
    hook that needs a program which the image lacks fails, and the container stops at once. `kill -QUIT 1` from inside
    the container does nothing if PID 1 has no handler for that signal: the kernel drops it.

    ## Example

    ```yaml shop.yaml
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: shop
    spec:
      selector:
        matchLabels: {app: shop}
      template:
        metadata:
          labels: {app: shop}
        spec:
          containers:
            - name: web
              image: gcr.io/distroless/static-debian12
              command: ["/server"]
              lifecycle:
                preStop:
                  exec:
                    command: ["sh", "-c", "sleep 5"]
    ```

    ```text
    shop.yaml:19:28: PID605 container web of Deployment shop: the image has no /bin/sh: the hook fails, and Kubernetes stops the container at once
    = graceful, not measured: a hook is not run
    ```

    ## Example: a signal that is dropped

    ```yaml shop.yaml
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: shop
    spec:
      selector:
        matchLabels: {app: shop}
      template:
        metadata:
          labels: {app: shop}
        spec:
          containers:
            - name: web
              image: debian:12
              command: ["sleep", "infinity"]
              lifecycle:
                preStop:
                  exec:
                    command: ["/bin/sh", "-c", "kill -QUIT 1"]
    ```

    ```text
    shop.yaml:19:45: PID605 container web of Deployment shop: the hook sends SIGQUIT to PID 1, which has no handler for it: nothing happens
    = hang
    ```
    """
    deployment = launch.image.deployment
    for hook in deployment.override.hooks if deployment is not None else ():
        if hook.words:
            yield from _judged(launch, hook)


def _judged(launch: Launch, hook: Hook) -> Iterator[Finding]:
    image, deployment = launch.image, launch.image.deployment
    assert deployment is not None
    why = _fails(launch, hook)
    if why:
        who = "Kubernetes stops" if deployment.kind == "kubernetes" else "Docker stops"
        yield Finding(hook.words[0].place(), f"{why}: the hook fails, and {who} the container at once")
        return
    text = hook.words[-1]
    found = _KILL.search(" ".join(word.text for word in hook.words))
    if found is None or not image.as_pid1 or launch.outcome in (Outcome.UNKNOWN, Outcome.FAILS, Outcome.EXITS):
        return
    signal = f"SIG{found['signal'] or 'TERM'}"
    if signal.removeprefix("SIG").isdecimal() or signal in ("SIGKILL", "SIGSTOP"):
        return
    told = redeployed(launch, stop_signal=signal)
    main = told.main.main if told.main is not None else None
    if told.outcome is Outcome.HANG and (main is None or main.reaction != "survives"):
        message = f"the hook sends {signal} to PID 1, which has no handler for it: nothing happens"
        yield Finding(text.place(), message)


def _fails(launch: Launch, hook: Hook) -> str:
    """Why a hook's program cannot be started, in a fragment; empty if it can, or that is not known."""
    command = launch.image.entrypoint or launch.image.cmd
    if command is None:
        return ""
    told = redeployed(launch, entrypoint=command.replaced(words=hook.words), cmd=None, front=())
    starts = told.main.starts if told.main is not None else ()
    own = any(word is not None and word.place() == hook.words[0].place() for s in starts for word in s.excerpts[:1])
    return told.why if own and (told.outcome, told.certainty) == (Outcome.FAILS, "proven") else ""
