"""Kinds of launches that users have reported: each with what becomes of it, and what is said."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from pid1lint import MemoryContext, lint
from pid1lint.report.text import concise

ELF = "\x7fELF\x02\x01\x01"
KILLED = "docker stop waits 10 s, then kills it"
DEBIAN = "FROM debian:12\n"


class Kind(NamedTuple):
    """A Dockerfile with its context, the outcome, and what is found of warning or above."""

    dockerfile: str
    files: dict[str, str]
    outcome: str
    said: tuple[str, ...] = ()


def script(text: str, shell: str = "/bin/sh") -> str:
    return f"#!{shell}\n{text}"


ENTRY = 'COPY --chmod=755 . /usr/local/bin/\nENTRYPOINT ["run.sh"]\n'

KINDS = {
    "a shell that is fed by a pipe": Kind(
        DEBIAN + 'COPY --chmod=755 app /usr/local/bin/\nCMD echo "app --verbose" | sh\n',
        {"app": ELF},
        "hang",
        (f"Dockerfile:3:5: PID101 sh stays PID 1 and keeps SIGTERM from app: {KILLED}",),
    ),
    "a shell that is fed by a here-document": Kind(
        DEBIAN + ENTRY,
        {"run.sh": script('exec bash <<END\ncd /tmp\napp "$1"\nEND\n'), "app": ELF},
        "hang",
        (f"run.sh:2:6: PID201 bash stays PID 1 and keeps SIGTERM from app: {KILLED}",),
    ),
    "a shell that is fed by a string": Kind(
        DEBIAN + ENTRY,
        {"run.sh": script('X=app\nexec bash <<< "exec $X"\n', "/bin/bash"), "app": ELF},
        "graceful",
    ),
    "the arguments that xargs reads": Kind(
        "FROM alpine:3.20\n" + ENTRY,
        {"run.sh": script("printf '%s\\n' MODE=live \"$@\" app | xargs env\n"), "app": ELF},
        "hang",
        (f"run.sh:2:36: PID203 app is part of a pipeline: sh stays PID 1 and keeps SIGTERM from app: {KILLED}",),
    ),
    "a package of a workspace": Kind(
        'FROM node:22-slim\nWORKDIR /repo\nCOPY . .\nCMD ["pnpm", "--filter", "api", "start"]\n',
        {
            "package.json": '{"name": "root"}',
            "pnpm-workspace.yaml": "packages:\n  - apps/*\n",
            "apps/api/package.json": '{"name": "api", "scripts": {"start": "node server.js"}}',
            "apps/web/package.json": '{"name": "web", "scripts": {"start": "sleep 1"}}',
            "apps/api/server.js": "process.on('SIGTERM', () => process.exit(0));\n",
        },
        "abrupt",
        ("Dockerfile:4:7: PID207 pnpm starts node through sh, which dies on SIGTERM: the kernel kills node",),
    ),
    "a package of npm's workspaces": Kind(
        'FROM node:22-slim\nWORKDIR /repo\nCOPY . .\nCMD ["npm", "start", "-w", "packages/api"]\n',
        {
            "package.json": '{"name": "root", "workspaces": ["packages/**"], "scripts": {"start": "nothing"}}',
            "packages/api/package.json": '{"name": "api", "scripts": {"start": "exec node server.js"}}',
            "packages/api/server.js": "process.on('SIGTERM', () => process.exit(0));\n",
        },
        "graceful",
    ),
    "a pid file in a handler that does not wait": Kind(
        DEBIAN + ENTRY,
        {
            "run.sh": script("trap 'kill $(cat /run/app.pid)' TERM\napp &\nwait $!\n", "/bin/bash"),
            "app": ELF,
        },
        "abrupt",
        ("run.sh:2:1: PID406 the handler for SIGTERM ends bash: the container ends, and the kernel kills app",),
    ),
    "a pid file in a handler that waits": Kind(
        DEBIAN + ENTRY,
        {
            "run.sh": script("trap 'kill $(cat /run/app.pid); wait $!' TERM\napp &\nwait $!\n", "/bin/bash"),
            "app": ELF,
        },
        "unknown",
    ),
    "a launcher in the background that passes nothing on": Kind(
        DEBIAN + "RUN apt-get update && apt-get install -y xvfb xauth\n" + ENTRY,
        {
            "run.sh": script(
                'xvfb-run -a app &\npid=$!\ntrap \'kill "$pid"; wait "$pid"\' TERM\nwait "$pid"\n', "/bin/bash"
            ),
            "app": ELF,
        },
        "abrupt",
        (
            "run.sh:2:1: PID411 the handler for SIGTERM signals xvfb-run, not app, which it started: "
            "the container ends, and the kernel kills app",
        ),
    ),
    "a script that waits by its name": Kind(
        "FROM python:3.12-slim\nRUN pip install gunicorn\n" + ENTRY,
        {"run.sh": script('python wait_for.py "$DB"\nexec gunicorn app:app\n')},
        "graceful",
    ),
    "the home of a user is a folder": Kind(
        DEBIAN
        + "RUN useradd --create-home --home-dir /srv/app app\nCOPY run.sh /srv/app\nCOPY app.conf /srv/app\n"
        + 'COPY --chmod=755 app /usr/local/bin/\nRUN chmod +x /srv/app/run.sh\nCMD ["/srv/app/run.sh"]\n',
        {"run.sh": script("app -c /srv/app/app.conf\n"), "app.conf": "", "app": ELF},
        "hang",
        (f"run.sh:2:1: PID201 sh stays PID 1 and keeps SIGTERM from app: {KILLED}",),
    ),
    "a sourced file that ends in a test, under set -e": Kind(
        "FROM alpine:3.20\nCOPY ports.sh /etc/ports.sh\n" + ENTRY,
        {
            "run.sh": "#!/bin/sh -e\n. /etc/ports.sh\napp $ADMIN\n",
            "ports.sh": '[ -n "${PORT:-}" ] && ADMIN="--admin $PORT"\n',
            "app": ELF,
        },
        "hang",
        (f"run.sh:3:1: PID201 sh stays PID 1 and keeps SIGTERM from app: {KILLED}",),
    ),
    "a script that runs itself as another user": Kind(
        DEBIAN + "RUN apt-get update && apt-get install -y gosu\n" + ENTRY + 'CMD ["app"]\n',
        {
            "run.sh": script(
                'if [ "$(id -un)" != root ]; then trap \'kill "$pid"; wait "$pid"\' TERM; fi\n'
                'if [ "$(id -un)" = root ]; then exec gosu nobody "$0" "$@"; fi\n"$@" &\npid=$!\nwait "$pid"\n',
                "/bin/bash",
            ),
            "app": ELF,
        },
        "graceful",
    ),
    "a service by its own name": Kind(
        "FROM ubuntu:22.04\nRUN apt-get update && apt-get install -y apache2\n" + ENTRY,
        {"run.sh": script("service apache2 start && sleep infinity\n", "/bin/bash")},
        "hang",
        (
            "run.sh:2:26: PID401 bash stays here without a handler for SIGTERM: docker stop waits 10 s, "
            "then kills apache2",
        ),
    ),
    "a daemon whose configuration is mounted": Kind(
        DEBIAN + "RUN apt-get update && apt-get install -y supervisor\nVOLUME /conf\n" + ENTRY + 'CMD ["app"]\n',
        {"run.sh": script('supervisord -c /conf/app.ini\nexec "$@"\n'), "app": ELF},
        "unknown",
    ),
    "a cron and a log below an init": Kind(
        "FROM alpine:3.20\nRUN apk add dumb-init\nCOPY --chmod=755 run.sh /\n"
        + 'ENTRYPOINT ["dumb-init", "-c", "/run.sh"]\n',
        {"run.sh": script("crond -f &\ntail -F /var/log/cron.log &\nwait\n")},
        "abrupt",
    ),
    "the stop signal by its number": Kind(
        'FROM python:3.12-alpine\nCOPY app.py /\nSTOPSIGNAL 15\nCMD ["python", "/app.py"]\n',
        {"app.py": "import time\ntime.sleep(99)\n"},
        "hang",
        (f"Dockerfile:4:7: PID301 python is PID 1 without a handler for SIGTERM: {KILLED}",),
    ),
    "nfs: what tells the kernel, and ends": Kind(
        "FROM alpine:3.20\nRUN apk add nfs-utils\n" + ENTRY,
        {"run.sh": script("rpcbind -w\nexportfs -a -f\nexec rpc.mountd -F\n")},
        "abrupt",
    ),
}


@pytest.mark.parametrize("kind", [pytest.param(kind, id=name) for name, kind in KINDS.items()])
def test_what_users_have_reported(kind: Kind) -> None:
    result = lint(kind.dockerfile, MemoryContext(kind.files))
    loud = [diagnostic for diagnostic in result.diagnostics if diagnostic.severity.rank > 0]
    assert (result.launches[0].outcome.value, tuple(map(concise, loud))) == (kind.outcome, kind.said)


def test_exec_before_a_script_that_is_not_at_hand_is_no_safe_fix() -> None:
    files = {"run.sh": script("cd /data\ncurl -fsSL $URL | tar -xz\nchmod +x start.sh\n./start.sh\n")}
    dockerfile = f"{DEBIAN}RUN apt-get update && apt-get install -y curl\nVOLUME /data\n{ENTRY}"
    (found,) = lint(dockerfile, MemoryContext(files), select=["PID201"]).diagnostics
    assert found.fix is not None
    assert found.fix.applicability.value == "unsafe"


def test_a_workspace_package_is_not_started_from_another_folder() -> None:
    kind = KINDS["a package of a workspace"]
    (found,) = lint(kind.dockerfile, MemoryContext(kind.files), select=["PID207"]).diagnostics
    assert found.fix is None
