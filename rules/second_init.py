"""PID603: an init that a deployment puts in front of one that the image brings."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Finding, Fix, Launch, Note, Severity, rule
from pid1lint.launch.model import needs_pid1
from pid1lint.mend.setting import without_setting


@rule("PID603", Severity.INFO)
def second_init(launch: Launch) -> Iterator[Finding]:
    r"""The deployment puts an init in front of an image that already has one.

    ## Why is this bad?

    `init: true` in Compose, `RunInit=` in Quadlet and `initProcessEnabled` in ECS start a small init as PID 1, with the
    image's ENTRYPOINT below it. One init is enough: a second one only passes on what it gets. But s6-overlay's `/init`
    and systemd run only as PID 1, and exit at once otherwise.

    ## Example

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini
    ENTRYPOINT ["tini", "--", "server"]
    ```

    ```yaml compose.yaml
    services:
      web:
        build: .
        init: true
    ```

    ```text
    compose.yaml:4:11: PID603 service web: the image has its own init: tini runs below docker-init and has nothing to do
    = graceful
    ```

    Use instead:

    ```yaml compose.yaml
    services:
      web:
        build: .
    ```

    ## Example: one that must be PID 1

    ```dockerfile
    FROM lscr.io/linuxserver/baseimage-alpine:3.20
    ```

    ```yaml compose.yaml
    services:
      web:
        build: .
        init: true
    ```

    ```text
    compose.yaml:4:11: PID603 service web: /init runs only as PID 1, but here that is docker-init: the container does not start
    = fails, not measured: no s6-overlay is at hand
    ```

    ## Fix safety

    Unsafe: the image's own init may treat signals differently.
    """
    deployment = launch.image.deployment
    path = launch.main
    if deployment is None or deployment.override.init is None or path is None or path.tree is None:
        return
    front = launch.image.front[0].rpartition("/")[2] if launch.image.front else "the init"
    chain = path.chain or path.tree.walk()
    own = next((process for process in chain if process.kind == "init" and process.pid != 1), None)
    refusing = next((p for p in chain if needs_pid1(p) and p.pid != 1), None)
    inner = refusing or own
    if inner is None:
        return
    notes = () if inner.place is None else (Note(inner.place, f"{inner.program} is started here"),)
    edits = without_setting(launch, "init")
    fix = Fix("Remove the second init", edits, Applicability.UNSAFE) if edits else None
    at = deployment.override.init.at
    if refusing is not None:
        message = f"{inner.argv[0]} runs only as PID 1, but here that is {front}: the container does not start"
        yield Finding(at, message, notes, fix, Severity.ERROR)
        return
    message = f"the image has its own init: {inner.program} runs below {front} and has nothing to do"
    yield Finding(at, message, notes, fix)
