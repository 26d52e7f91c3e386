"""PID604: a PID namespace that takes PID 1 away from what relies on it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pid1lint import Finding, Launch, Note, Severity, rule
from pid1lint.launch.model import needs_pid1

_TO_PID1 = re.compile(r"\bkill\s+(?:-\S+\s+|-s\s+\S+\s+)?(?:--\s+)?1\b(?!\d)|/proc/1/")
_WHOSE = {"host": "the host's init", "pod": "the pod's pause container", "container": "another container's process"}


@rule("PID604", Severity.WARNING)
def not_pid1(launch: Launch) -> Iterator[Finding]:
    r"""The container shares a PID namespace, so a program that must be PID 1 is not PID 1.

    ## Why is this bad?

    With `shareProcessNamespace`, PID 1 is the pod's pause container; with `hostPID` or `pid: host`, it is the host's
    init. s6-overlay and systemd refuse to run as anything else. Scripts that signal PID 1, or read `/proc/1`, reach
    another process. (A program without a handler benefits: the stop signal ends it.)

    ## Example

    ```dockerfile
    FROM lscr.io/linuxserver/baseimage-alpine:3.20
    ```

    ```yaml compose.yaml
    services:
      web:
        build: .
        pid: host
    ```

    ```text
    compose.yaml:4:10: PID604 service web: /init runs only as PID 1, but here that is the host's init: the container does not start
    = fails, not measured: no s6-overlay is at hand
    ```

    ## Example: a signal to PID 1

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    (sleep 3600; kill -HUP 1) &
    exec server
    ```

    ```yaml compose.yaml
    services:
      web:
        build: .
        pid: host
    ```

    ```text
    compose.yaml:4:10: PID604 service web: `kill -HUP 1` in entrypoint.sh reaches the host's init, which is PID 1 here
    = graceful, not measured: it would have to share this machine's processes
    ```
    """
    image = launch.image
    deployment = image.deployment
    path = launch.main
    if deployment is None or deployment.override.pid is None or path is None or path.tree is None:
        return
    at, whose = deployment.override.pid.at, _WHOSE[deployment.override.pid.kind]
    for process in path.tree.walk():
        if needs_pid1(process):
            notes = () if process.place is None else (Note(process.place, f"{process.program} is started here"),)
            message = f"{process.argv[0]} runs only as PID 1, but here that is {whose}: the container does not start"
            yield Finding(at, message, notes, severity=Severity.ERROR)
            return
    for hook in deployment.override.hooks:
        found = _TO_PID1.search(" ".join(word.text for word in hook.words))
        if found is not None:
            message = f"`{found[0]}` in the stop hook reaches {whose}, which is PID 1 here"
            yield Finding(at, message, (Note(hook.at, "this refers to PID 1"),))
            return
    for script in launch.scripts:
        found = _TO_PID1.search(script.text.text)
        if found is not None:
            place = script.text.place(*found.span())
            name = place.source.path
            message = f"`{found[0]}` in {name} reaches {whose}, which is PID 1 here"
            yield Finding(at, message, (Note(place, "this refers to PID 1"),))
            return
