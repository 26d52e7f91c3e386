"""PID606: a mount over the entrypoint's script, or one that brings it without its execute bit."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Finding, Fix, Launch, Note, Severity, rule


@rule("PID606", Severity.ERROR)
def hidden_script(launch: Launch) -> Iterator[Finding]:
    r"""The container does not start: a mount hides the script that it starts with, or the script is not executable.

    ## Why is this bad?

    A bind mount or a ConfigMap volume replaces the folder that it is mounted over: the files that the image has there
    are hidden. If the entrypoint script is in that folder, the container does not start. Files of a ConfigMap have mode
    0644 unless `defaultMode` says otherwise, so the container cannot run a script among them by its path.

    ## Example

    ```dockerfile
    FROM debian:12
    WORKDIR /app
    COPY docker/start.sh /app/
    ENTRYPOINT ["/app/start.sh"]
    ```

    ```sh docker/start.sh
    #!/bin/sh
    exec server
    ```

    ```yaml compose.yaml
    services:
      web:
        build: .
        volumes:
          - .:/app
    ```

    ```text
    compose.yaml:5:9: PID606 service web: . is mounted over /app and hides /app/start.sh: the container does not start
    = fails, not measured: the oracle lays the image's files out, and no mounts
    ```

    ## Example: a ConfigMap's script

    ```yaml shop.yaml
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: scripts
    data:
      start.sh: |
        #!/bin/sh
        exec server
    ---
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
              command: ["/scripts/start.sh"]
              volumeMounts:
                - name: scripts
                  mountPath: /scripts
          volumes:
            - name: scripts
              configMap:
                name: scripts
                defaultMode: 0644
    ```

    ```text
    shop.yaml:32:26: PID606 container web of Deployment shop: /scripts/start.sh comes from the ConfigMap scripts without an execute bit: the container does not start
    = fails
    ```

    Use instead:

    ```yaml shop.yaml
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: scripts
    data:
      start.sh: |
        #!/bin/sh
        exec server
    ---
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
              command: ["/scripts/start.sh"]
              volumeMounts:
                - name: scripts
                  mountPath: /scripts
          volumes:
            - name: scripts
              configMap:
                name: scripts
                defaultMode: 0755
    ```

    ## When to ignore it

    pid1lint does not know what is in a folder of the host that is not in the repository: it reports nothing about such
    mounts.

    ## Fix safety

    Safe: the files of the ConfigMap become executable and do not change otherwise.
    """
    image = launch.image
    deployment = image.deployment
    if deployment is None:
        return
    hidden = image.hidden
    if hidden is not None:
        mount = hidden.mount
        message = f"{mount.what} is mounted over {mount.target} and hides {hidden.path}: the container does not start"
        notes = (
            Note(hidden.word.place(), f"{hidden.word.text} is started here"),
            Note(hidden.copied, "it gets into the image here"),
        )
        yield Finding(mount.at, message, notes)
        return
    for path in launch.paths:
        for start in path.starts:
            if start.what != "mode" or start.file is None or start.file.origin != "mount":
                continue
            over = next((mount for mount in deployment.override.mounts if mount.at == start.file.place), None)
            if over is None:
                continue
            end = "the container does not start" if start.call is None else "it does not start"
            message = f"{start.file.path} comes from {over.what} without an execute bit: {end}"
            severity = Severity.ERROR if path is launch.main else Severity.WARNING
            started = () if start.place is None else (Note(start.place, "it is started here"),)
            fix = Fix("Make its files executable", over.executable, Applicability.SAFE) if over.executable else None
            yield Finding(over.at, message, started, fix, severity)
            return
