"""The init that a fix installs: by which package manager, before which ENTRYPOINT, and under whose user."""

from __future__ import annotations

import pytest

from pid1lint import MemoryContext, Pid1lintError, lint
from pid1lint.fixer import apply


def mended(dockerfile: str, init: str = "tini") -> str | None:
    """The Dockerfile after the fix of PID302, None if there is no fix."""
    result = lint(dockerfile, MemoryContext({}), select=["PID302"], init=init)
    assert [diagnostic.code for diagnostic in result.diagnostics] == ["PID302"]
    fix = result.diagnostics[0].fix
    return None if fix is None else apply(dockerfile, fix.edits)


TELEGRAF = 'ENTRYPOINT ["telegraf"]\n'


@pytest.mark.parametrize(
    ("base", "lines"),
    [
        pytest.param(
            "FROM debian:12\n",
            "RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*\n",
            id="apt-get",
        ),
        pytest.param("FROM alpine:3.20\n", "RUN apk add --no-cache tini\n", id="apk"),
        pytest.param("FROM fedora:40\n", "RUN dnf install -y tini && dnf clean all\n", id="dnf"),
        pytest.param(
            "FROM redhat/ubi9-minimal\nRUN rpm -i https://example.org/epel-release.rpm\n",
            "RUN microdnf install -y tini && microdnf clean all\n",
            id="microdnf with EPEL",
        ),
        pytest.param(
            "FROM centos:7\nRUN yum install -y epel-release\n",
            "RUN yum install -y tini && yum clean all\n",
            id="yum with EPEL",
        ),
        pytest.param("FROM alpine:3.20\nRUN apk add --no-cache tini\n", "", id="it is there already"),
        pytest.param(
            "FROM debian:12\nUSER ${USER}\n",
            "USER root\nRUN apt-get update && apt-get install -y --no-install-recommends tini "
            "&& rm -rf /var/lib/apt/lists/*\nUSER ${USER}\n",
            id="a user comes back",
        ),
        pytest.param(
            "FROM debian:12\nRUN --mount=type=cache,target=/var/cache/apt apt-get update && apt-get install -y curl\n",
            "RUN --mount=type=cache,target=/var/cache/apt apt-get update && "
            "apt-get install -y --no-install-recommends tini\n",
            id="a cache mount stays in use",
        ),
    ],
)
def test_an_init_is_installed_as_the_image_installs(base: str, lines: str) -> None:
    assert mended(base + TELEGRAF) == f'{base}{lines}ENTRYPOINT ["tini", "--", "telegraf"]\n'


@pytest.mark.parametrize(
    "base",
    [
        pytest.param("FROM redhat/ubi9-minimal\n", id="no package without EPEL"),
        pytest.param("FROM debian:jessie\n", id="a release that has none"),
        pytest.param("FROM example.org/unknown\n", id="an image that is not known"),
    ],
)
def test_no_init_is_installed_where_no_package_is_known(base: str) -> None:
    assert mended(base + TELEGRAF) is None


def test_an_init_goes_before_a_command_in_shell_form() -> None:
    assert mended("FROM alpine:3.20\nRUN apk add tini\nCMD telegraf\n") == (
        'FROM alpine:3.20\nRUN apk add tini\nENTRYPOINT ["tini", "--"]\nCMD telegraf\n'
    )


def test_suse_has_catatonit() -> None:
    assert mended("FROM opensuse/leap:15.6\n" + TELEGRAF, "catatonit") == (
        "FROM opensuse/leap:15.6\nRUN zypper --non-interactive install catatonit && zypper clean --all\n"
        'ENTRYPOINT ["catatonit", "--", "telegraf"]\n'
    )


@pytest.mark.parametrize("init", ["tini", "dumb-init"])
def test_the_init_can_be_chosen(init: str) -> None:
    assert mended("FROM alpine:3.20\n" + TELEGRAF, init) == (
        f'FROM alpine:3.20\nRUN apk add --no-cache {init}\nENTRYPOINT ["{init}", "--", "telegraf"]\n'
    )


def test_another_init_is_refused() -> None:
    with pytest.raises(Pid1lintError, match="there is no init 'tiny'"):
        lint("FROM alpine\n", MemoryContext({}), init="tiny")
