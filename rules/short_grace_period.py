"""PID601: a grace period that ends before what is known to be waited for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pid1lint import Applicability, Finding, Fix, Launch, Note, Outcome, Process, Severity, rule
from pid1lint.mend.setting import setting

_KEYS = {"compose": "stop_grace_period", "kubernetes": "terminationGracePeriodSeconds"}
_TIMEOUTS = {
    "gunicorn": ("--graceful-timeout",),
    "hypercorn": ("--graceful-timeout",),
    "uvicorn": ("--timeout-graceful-shutdown",),
    "daphne": ("--application-close-timeout",),
    "celery": ("--time-limit", "--soft-time-limit"),
}
_SECONDS = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_SPARE = 5
"""Seconds that a fix adds to what is waited for."""


@rule("PID601", Severity.WARNING)
def short_grace_period(launch: Launch) -> Iterator[Finding]:
    r"""The container is killed before its work is done: the grace period is shorter than the time that it needs.

    ## Why is this bad?

    The grace period starts when the container is told to stop. At its end everything in the container is killed. A
    server that gives its requests 60 s to finish does not get them if the grace period is 10 s, as with Docker, or 30
    s, as in Kubernetes. A preStop hook counts as well: the stop signal is sent only after the hook, and the app has
    what is left of the period. With a period of 0 the container is killed at once.

    ## Example

    ```dockerfile
    FROM python:3.12-slim
    RUN pip install gunicorn
    ```

    ```yaml compose.yaml
    services:
      web:
        build: .
        command: ["gunicorn", "--graceful-timeout", "60", "app:app"]
    ```

    ```text
    compose.yaml:4:16: PID601 service web: gunicorn gives its work 60 s to finish: docker compose stop waits 10 s, then kills it
    = graceful
    ```

    Use instead:

    ```yaml compose.yaml
    services:
      web:
        build: .
        command: ["gunicorn", "--graceful-timeout", "60", "app:app"]
        stop_grace_period: 65s
    ```

    ## Example: a hook that sleeps for too long

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
              image: nginx:1.27
              lifecycle:
                preStop:
                  sleep:
                    seconds: 30
    ```

    ```text
    shop.yaml:18:26: PID601 container web of Deployment shop: preStop sleeps for 30 s, and the grace period is 30 s: no time is left for nginx
    = graceful
    ```

    Use instead:

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
              image: nginx:1.27
              lifecycle:
                preStop:
                  sleep:
                    seconds: 30
          terminationGracePeriodSeconds: 40
    ```

    ## When to ignore it

    A server that has nothing to do exits at once, whatever its maximum is.

    ## Fix safety

    Unsafe: a container that hangs then also takes longer to stop.
    """
    deployment = launch.image.deployment
    path = launch.main
    main = path.main if path is not None else None
    if deployment is None or path is None or main is None:
        return
    grace = deployment.grace
    # Compose lets its hooks come to their end before the grace period begins.
    hook = next((each for each in deployment.override.hooks if 0 < grace <= each.sleeps), None)
    if hook is not None and deployment.kind == "kubernetes":
        message = (
            f"preStop sleeps for {hook.sleeps:g} s, and the grace period is {grace:g} s: "
            f"no time is left for {main.program}"
        )
        yield Finding(hook.at, message, fix=_fix(launch, hook.sleeps + 2 * _SPARE))
        return
    given = deployment.override.grace
    if given is not None and grace <= 1 and launch.outcome is Outcome.GRACEFUL and not main.helper:
        message = f"a grace period of {grace:g} s is over before {main.program} can finish its work: it is killed"
        # Of a program of which nothing is known it cannot be said that it has work to finish.
        yield Finding(given.at, message, severity=Severity.INFO if main.assumed else Severity.WARNING)
        return
    seconds = max((found for each in path.chain for found in _timeouts(each)), default=0.0)
    if seconds > grace and launch.outcome is Outcome.GRACEFUL and main.place is not None:
        message = f"{main.program} gives its work {seconds:g} s to finish: docker stop waits 10 s, then kills it"
        notes = (Note(given.at, "the grace period is set here"),) if given is not None else ()
        yield Finding(main.place, message, notes, _fix(launch, seconds + _SPARE))


def _timeouts(process: Process) -> Iterator[float]:
    """The times that a program is told to give its work when it is to stop, in seconds."""
    for option in _TIMEOUTS.get(process.program.rpartition("/")[2], ()):
        for word, after in zip(process.argv, (*process.argv[1:], ""), strict=True):
            name, equals, value = word.partition("=")
            value = value if equals else after
            if name == option and re.fullmatch(_SECONDS, value):
                yield float(value)


def _fix(launch: Launch, seconds: float) -> Fix | None:
    deployment = launch.image.deployment
    key = _KEYS.get(deployment.kind, "") if deployment is not None else ""
    edits = setting(launch, key, f"{seconds:.0f}s" if key == "stop_grace_period" else f"{seconds:.0f}") if key else None
    return Fix("Wait longer", edits, Applicability.UNSAFE) if edits else None
