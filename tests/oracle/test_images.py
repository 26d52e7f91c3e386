"""Whole images are laid out as their base image has it: its shell, its tools, its users, its programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytest

from pid1lint.dockerfile.scanner import scan
from pid1lint.image.context import BuildContext
from pid1lint.image.model import build_image, final_stages
from pid1lint.source import Source
from tests import oracle
from tests.oracle.images import container_of

pytestmark = pytest.mark.oracle

SCRIPT = "COPY --chmod=755 run.sh /\nENTRYPOINT ['/run.sh']\n".replace("'", '"')
SERVES = "process.on('SIGTERM', () => server.close())\n"
PACKAGE = '{"name": "app", "version": "1.0.0", "scripts": {"start": "node app.js"}}'


class Launch(NamedTuple):
    dockerfile: str
    files: Mapping[str, str]

    def container(self) -> oracle.Container:
        dockerfile = scan(Source("Dockerfile", self.dockerfile))
        modes = dict.fromkeys(self.files, 0o755)
        context = BuildContext.of(self.files, modes)
        return container_of(build_image(dockerfile, final_stages(dockerfile)[-1], context, {}))


def row(name: str, expected: str, dockerfile: str, **files: str) -> object:
    """A table's row; `_` stands for the dot in a file's name."""
    return pytest.param(Launch(dockerfile, {key.replace("_", "."): files[key] for key in files}), expected, id=name)


IMAGES = (
    row("Debian's sh is dash", "hang", "FROM debian:12\nCMD cd / && server\n"),
    row("Alpine's sh is busybox", "graceful", "FROM alpine:3.19\nCMD cd / && server\n"),
    row("Fedora's sh is bash", "graceful", "FROM fedora:40\nCMD cd / && server\n"),
    row("SHELL is bash", "graceful", "FROM debian:12\nSHELL [\"/bin/bash\", \"-c\"]\nCMD cd / && server\n"),
    row("Alpine has no bash", "fails", f"FROM alpine:3.19\n{SCRIPT}", run_sh="#!/bin/bash\nexec server\n"),
    row("scratch has no shell", "fails", "FROM scratch\nCOPY --from=build /server /server\nCMD /server\n"),
    row("scratch has a program", "graceful", 'FROM scratch\nCOPY --from=build /server /server\nCMD ["/server"]\n'),
    row("no shebang", "fails", f"FROM debian:12\n{SCRIPT}", run_sh="exec server\n"),
    row("su-exec", "graceful", f"FROM alpine:3.19\n{SCRIPT}", run_sh="#!/bin/sh\nexec su-exec web server\n"),
    row("an unknown user", "graceful", 'FROM debian:12\nUSER web\nCMD ["server"]\n'),
    row("tini from the net", "abrupt", f"FROM debian:12\nADD https://example.com/tini /tini\n{SCRIPT}".replace(
        '["/run', '["/tini", "--", "/run'), run_sh="#!/bin/sh\nserver\n"),
    row("nginx goes to the background", "exits", 'FROM debian:12\nCMD ["nginx"]\n'),
    row("nginx in its own image", "graceful", "FROM nginx:1.27\n"),
    row("Node without a handler", "hang", 'FROM node:22\nCOPY app.js .\nCMD ["node", "app.js"]\n', app_js="serve()\n"),
    row("Node with a handler", "graceful", 'FROM node:22\nCOPY app.js .\nCMD ["node", "app.js"]\n', app_js=SERVES),
    row("npm on dash", "abrupt", 'FROM node:22\nWORKDIR /app\nCOPY . .\nCMD ["npm", "start"]\n', app_js=SERVES,
        package_json=PACKAGE),
    row("npm on busybox", "graceful", 'FROM node:22-alpine\nWORKDIR /app\nCOPY . .\nCMD ["npm", "start"]\n',
        app_js=SERVES, package_json=PACKAGE),
    row("a migration before the app", "graceful", f"FROM python:3.12\n{SCRIPT}CMD [\"gunicorn\", \"app\"]\n",
        run_sh="#!/bin/sh\npython manage.py migrate\nexec \"$@\"\n"),
)  # fmt: skip


@pytest.mark.parametrize(("case", "expected"), IMAGES)
def test_images_end_as_their_parts_do(case: Launch, expected: str, measured: oracle.Run) -> None:
    assert measured.outcome == expected, measured
