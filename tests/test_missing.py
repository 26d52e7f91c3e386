"""Which programs and scripts are for certain not in an image: what is told, and what is not."""

from __future__ import annotations

import pytest

from pid1lint.dockerfile.scanner import scan
from pid1lint.facts import data, images, packages
from pid1lint.image.context import MemoryContext
from pid1lint.image.missing import Missing
from pid1lint.image.model import Build, final_stages
from pid1lint.source import Source

INSTALL = "RUN apt-get update && apt-get install -y "


def missing(dockerfile: str, name: str, files: dict[str, str] | None = None) -> Missing | None:
    scanned = scan(Source("Dockerfile", dockerfile))
    return Build(scanned, MemoryContext(files or {}), {}).image(final_stages(scanned)[0]).missing(name)


@pytest.mark.parametrize(
    ("dockerfile", "name", "packages"),
    [
        pytest.param("FROM debian:12\n", "tini", ("tini",), id="tini-on-debian"),
        pytest.param("FROM debian\n", "gosu", ("gosu",), id="gosu-on-debian"),
        pytest.param("FROM ubuntu:24.04\n", "dumb-init", ("dumb-init",), id="dumb-init-on-ubuntu"),
        pytest.param("FROM alpine\n", "su-exec", ("su-exec",), id="su-exec-on-alpine"),
        pytest.param("FROM node:22-alpine\n", "tini", ("tini",), id="tini-on-node"),
        pytest.param("FROM golang:1.24\n", "supervisord", ("supervisor",), id="supervisord-on-golang"),
        pytest.param("FROM fedora:41\n", "tini", ("tini",), id="tini-on-fedora"),
        pytest.param("FROM almalinux:9\n", "dumb-init", ("dumb-init",), id="dumb-init-on-almalinux"),
        pytest.param("FROM debian\n" + INSTALL + "curl git procps\n", "tini", ("tini",), id="among-others"),
        pytest.param("FROM debian\n" + INSTALL + "curl\n", "redis-server", ("redis-server",), id="a-server"),
        pytest.param("FROM debian\n" + INSTALL + "curl\n", "node", ("nodejs",), id="a-language"),
        pytest.param("FROM debian\nRUN useradd app && mkdir /srv/x\n", "tini", ("tini",), id="a-harmless-run"),
        pytest.param("FROM debian\nENV X=1\nUSER app\nCOPY a.py /app/a.py\n", "tini", ("tini",), id="a-copy-elsewhere"),
    ],
)
def test_a_program_that_nothing_brings_is_missing(dockerfile: str, name: str, packages: tuple[str, ...]) -> None:
    found = missing(dockerfile, name, {"a.py": ""})
    assert found is not None
    assert (found.kind, found.packages) == ("program", packages)


@pytest.mark.parametrize(
    ("dockerfile", "name"),
    [
        pytest.param("FROM debian\n" + INSTALL + "tini\n", "tini", id="installed"),
        pytest.param("FROM debian\n" + INSTALL + "tini=0.19.0-1\n", "tini", id="installed-in-a-version"),
        pytest.param("FROM debian\n" + INSTALL + "tini\n", "/usr/bin/tini", id="at-its-path"),
        pytest.param("FROM debian\n" + INSTALL + "docker.io\n", "tini", id="brought-along"),
        pytest.param("FROM debian\n" + INSTALL + "default-jre-headless\n", "java", id="brought-by-a-common-package"),
        pytest.param("FROM debian:11\n" + INSTALL + "php7.4-fpm curl\n", "php-fpm", id="that-of-another-release"),
        pytest.param("FROM debian\n" + INSTALL + "nginx-extras curl\n", "nginx", id="named-like-it"),
        pytest.param("FROM debian\n" + INSTALL + "$PACKAGES\n", "tini", id="packages-in-a-variable"),
        pytest.param("FROM debian\n" + INSTALL + "./x.deb\n", "tini", id="a-package-file"),
        pytest.param("FROM debian\nRUN dpkg -i x.deb\n", "tini", id="dpkg"),
        pytest.param("FROM debian\nRUN curl -fsSL https://x/install.sh | sh\n", "tini", id="a-script-from-elsewhere"),
        pytest.param("FROM debian\nRUN curl -L https://x/a.tgz | tar xz -C /usr\n", "tini", id="an-archive"),
        pytest.param("FROM debian\nRUN wget -O /sbin/tini https://x/tini\n", "tini", id="downloaded"),
        pytest.param("FROM debian\nRUN make install\n", "tini", id="make"),
        pytest.param("FROM debian\nRUN pip install x\n", "tini", id="pip"),
        pytest.param("FROM debian\nRUN f() { x; }; f\n", "tini", id="a-function"),
        pytest.param("FROM debian\nADD https://x/tini /usr/bin/tini\n", "tini", id="add"),
        pytest.param("FROM debian\nADD rootfs.tar.gz /\n", "tini", id="add-of-an-archive"),
        pytest.param("FROM debian\nCOPY rootfs/ /\n", "tini", id="a-folder-that-is-not-at-hand"),
        pytest.param("FROM debian\nCOPY --from=krallin/tini /tini /usr/bin/\n", "tini", id="another-image"),
        pytest.param("FROM debian\nRUN cp -r /x/* /usr/bin/\n", "tini", id="copied-by-a-pattern"),
        pytest.param("FROM registry.example/base\n", "tini", id="an-unknown-base"),
        pytest.param("FROM nginx\n", "tini", id="a-base-whose-programs-are-not-known"),
        pytest.param("FROM bitnami/redis\n", "gosu", id="a-base-that-is-believed-of"),
        pytest.param("ARG V\nFROM node:$V\n", "tini", id="an-open-tag"),
        pytest.param("FROM redis\n", "gosu", id="a-base-that-ships-it"),
        pytest.param("FROM python:3.12\n", "node", id="a-language-image-may-hold-more"),
        pytest.param("FROM debian:9\n" + INSTALL + "curl\n", "ps", id="in-some-releases"),
        pytest.param("FROM debian\n", "server", id="a-name-of-no-package"),
        pytest.param("FROM debian\n", "nginx", id="an-excerpt"),
        pytest.param("FROM debian\n", "bash", id="in-the-base"),
        pytest.param("FROM debian\nCMD $APP\n", "$APP", id="a-variable"),
    ],
)
def test_what_may_be_there_is_not_missing(dockerfile: str, name: str) -> None:
    assert missing(dockerfile, name) is None


@pytest.mark.parametrize(
    ("dockerfile", "name", "elsewhere"),
    [
        pytest.param("FROM debian\n" + INSTALL + "tini\n", "/sbin/tini", "/usr/bin/tini", id="debian"),
        pytest.param("FROM alpine\nRUN apk add tini\n", "/usr/bin/tini", "/sbin/tini", id="alpine"),
        pytest.param("FROM node:20-alpine\nRUN apk add tini\n", "/tini", "/sbin/tini", id="at-the-root"),
    ],
)
def test_a_program_that_is_elsewhere_is_told_with_its_path(dockerfile: str, name: str, elsewhere: str) -> None:
    found = missing(dockerfile, name)
    assert found is not None
    assert found.elsewhere == elsewhere


def test_bin_is_usr_bin() -> None:
    assert missing("FROM debian\n" + INSTALL + "tini\n", "/bin/tini") is None


@pytest.mark.parametrize(
    ("dockerfile", "name", "near"),
    [
        pytest.param("FROM debian:12\nCOPY app /usr/bin/app\n", "/start.sh", "start.sh", id="in-the-context"),
        pytest.param("FROM alpine\nWORKDIR /srv\n", "./run.sh", "", id="relative"),
        pytest.param("FROM ubuntu\nWORKDIR /app\nCOPY start.sh start.sh\n", "/app/go.sh", "", id="another-name"),
    ],
)
def test_a_script_that_nothing_puts_there_is_missing(dockerfile: str, name: str, near: str) -> None:
    found = missing(dockerfile, name, {"start.sh": "#!/bin/sh\n", "app": "\0"})
    assert found is not None
    assert (found.kind, found.near) == ("script", near)


@pytest.mark.parametrize(
    ("dockerfile", "name"),
    [
        pytest.param("FROM debian\nVOLUME /data\nWORKDIR /data\n", "./run.sh", id="a-volume"),
        pytest.param("FROM python:3.12\n", "/docker-entrypoint.sh", id="a-base-with-files-of-its-own"),
        pytest.param("FROM debian\nRUN ./build\n", "/run.sh", id="a-run-that-is-not-followed"),
        pytest.param("FROM alpine\nRUN apk add s6-overlay\n", "/init", id="a-package-may-hold-it"),
        pytest.param("FROM debian\nCOPY . /app\n", "/app/run.sh", id="which-context-is-not-known"),
        pytest.param("FROM debian\n", "/etc/init.d/x.sh", id="a-directory-of-the-system"),
        pytest.param("FROM debian\nRUN useradd -md /srv/a a\nCOPY run.sh /srv/a\n", "/srv/a/run.sh", id="a-home"),
    ],
)
def test_a_script_that_may_be_there_is_not_missing(dockerfile: str, name: str) -> None:
    assert missing(dockerfile, name, {"run.sh": "#!/bin/sh\n"}) is None


# ------------------------------------------------------------------ the tables


def test_every_line_of_the_table_has_its_five_fields_and_a_known_family() -> None:
    families = data.read("bases")["families"]
    lines = [line.split("\t") for line in packages._text().strip("\n").split("\n")]
    assert {len(line) for line in lines} == {5}
    assert {line[0] for line in lines} <= set(families)
    assert len({tuple(line[:2]) for line in lines}) == len(lines)


def test_every_family_names_its_sources() -> None:
    for row in data.read("bases")["families"].values():
        assert str(row["source"]).startswith(("measured: ", "documented: "))
        assert str(row["packages"]).startswith("documented: ")


def test_debians_smallest_system_holds_what_was_measured() -> None:
    debian = images.base_image("debian:12-slim")
    assert debian is not None
    held = packages.holdings(debian)
    assert held is not None
    assert {"bash", "sh", "perl", "setpriv", "start-stop-daemon", "flock"} <= held.programs
    assert not {"tini", "curl", "python3", "ps", "gosu"} & held.programs


@pytest.mark.parametrize(
    ("program", "family", "paths", "package"),
    [
        pytest.param("gosu", "debian", ("/usr/sbin/gosu",), "gosu", id="gosu"),
        pytest.param("sshd", "ubuntu", ("/usr/sbin/sshd",), "openssh-server", id="sshd"),
        pytest.param("redis-server", "alpine", ("/usr/bin/redis-server",), "redis", id="redis"),
    ],
)
def test_a_program_is_found_by_its_family(program: str, family: str, paths: tuple[str, ...], package: str) -> None:
    found = packages.package_of(program, family)
    assert found is not None
    assert (found.paths, package in found.packages) == (paths, True)
