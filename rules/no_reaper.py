"""PID302: orphans that nobody reaps, because PID 1 is a program that does not."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Note, Severity, rule
from pid1lint.mend.install import init_in_front


@rule("PID302", Severity.WARNING)
def no_reaper(launch: Launch) -> Iterator[Finding]:
    r"""Zombies pile up: PID 1 does not reap the processes that the app leaves behind.

    ## Why is this bad?

    When a parent exits, its child becomes a child of PID 1. When that child exits, it stays as a zombie until PID 1
    waits for it. An init does so, and so does a shell that waits; hardly any other program does. Browsers, builds and
    terminals often leave such processes behind. `ps` shows them as `<defunct>`, and each keeps a PID. At the limit
    (`--pids-limit`, or the limit of the host) no new process can start, in the container or on the host.

    ## Example

    ```dockerfile
    FROM node:20-bookworm
    RUN apt-get update && apt-get install -y chromium && rm -rf /var/lib/apt/lists/*
    ENV PUPPETEER_EXECUTABLE_PATH=/usr/bin/chromium
    WORKDIR /app
    COPY package.json server.js ./
    CMD ["node", "server.js"]
    ```

    ```json package.json
    {"dependencies": {"puppeteer-core": "23"}}
    ```

    ```js server.js
    process.on("SIGTERM", () => process.exit(0));
    setInterval(() => {}, 1000);
    ```

    ```text
    Dockerfile:6:7: PID302 node is PID 1 and does not reap what chromium leaves behind: zombies pile up
    = graceful
    ```

    Use instead:

    ```dockerfile
    FROM node:20-bookworm
    RUN apt-get update && apt-get install -y chromium && rm -rf /var/lib/apt/lists/*
    ENV PUPPETEER_EXECUTABLE_PATH=/usr/bin/chromium
    WORKDIR /app
    COPY package.json server.js ./
    RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
    ENTRYPOINT ["tini", "--", "docker-entrypoint.sh"]
    CMD ["node", "server.js"]
    ```

    ## Example: a program that runs others

    ```dockerfile
    FROM alpine:3.20
    RUN apk add --no-cache telegraf
    USER telegraf
    ENTRYPOINT ["telegraf"]
    ```

    ```text
    Dockerfile:4:14: PID302 telegraf is PID 1 and does not reap what its children leave behind: zombies pile up
    = graceful
    ```

    Use instead:

    ```dockerfile
    FROM alpine:3.20
    RUN apk add --no-cache telegraf
    USER telegraf
    USER root
    RUN apk add --no-cache tini
    USER telegraf
    ENTRYPOINT ["tini", "--", "telegraf"]
    ```

    ## When to ignore it

    A job that exits soon takes its zombies with it. `docker run --init`, `init: true` in Compose, and a pod with a
    shared process namespace add a reaper. The rule knows some programs, and browsers that Puppeteer, Playwright,
    Selenium or similar tools drive; it reports nothing about others.

    ## Fix safety

    Unsafe: the fix installs an init with the image's package manager (`--init` chooses between tini, dumb-init and
    catatonit) and makes it PID 1. An app without a handler for the stop signal then exits on it at once.

    ## References

    - [Playwright: Docker](https://playwright.dev/docs/docker)
    - [Puppeteer: Docker](https://pptr.dev/guides/docker)
    """
    orphans, path = launch.orphans, launch.main
    if orphans is None or path is None or path.ignores_signal:
        return
    one, parent = orphans.pid1, orphans.parent
    at = one.call.command if one.call is not None else one.place
    if at is None:
        return
    whose = orphans.browser or ("its children" if parent is one else f"{parent.program}'s children")
    leave = "leaves" if orphans.browser else "leave"
    message = f"{one.program} is PID 1 and does not reap what {whose} {leave} behind: zombies pile up"
    notes = (Note(orphans.origin, f"{whose} comes from here"),) if orphans.origin is not None else ()
    yield Finding(at, message, notes, fix=init_in_front(launch))
