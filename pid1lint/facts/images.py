"""What an image that others build upon is made of: its /bin/sh, entrypoint, command, stop signal and so on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from pid1lint.facts import data
from pid1lint.frozen import NamedTuple

UNKNOWN = "\ufffc"
"""Stands in a reference for what could not be expanded."""

_NOTHING: Mapping[str, str] = {}
_HUBS = ("docker.io/", "index.docker.io/", "registry-1.docker.io/", "registry.hub.docker.com/")
_PLATFORMS = frozenset(("amd64", "arm32v5", "arm32v6", "arm32v7", "arm64v8", "i386", "mips64le", "ppc64le", "s390x"))


class BaseImage(NamedTuple):
    """An image's facts, as far as they matter to what its containers run.

    `family` is `debian`, `ubuntu`, `alpine`, `fedora`, `rhel`, `amazon`, `suse`, `arch`, `busybox`, `scratch`,
    `distroless`, `wolfi`, `windows`, another distribution's name, or empty where the tag leaves it open; `sh` is
    what /bin/sh is: `dash`, `busybox`, `bash`, `none`, or empty likewise; `shells` are the others that it has.
    `entrypoint` and `cmd` are None where the image sets none; `stop_signal` is None for the default, else `SIG...`.
    `entrypoint_runs` says what the entrypoint does with its arguments: `none` (there is no entrypoint), `exec-args`
    (ends by exec of them), `exec-program` (execs `runs` and gives them to it), `init` (stays PID 1 as an init and
    runs them as its child), `program` (is no script but the program itself), `unknown`. `runs` is also what
    `exec-args` runs for lack of a command; `prepends` what it puts before arguments of which the first starts with
    `-` or is one of `prepends_to`.
    `config` is text that its configuration files hold, as far as it decides whether a program stays in the
    foreground. `sh_version` is set where /bin/sh is so old that it execs less: `shell(f"{sh}-{sh_version}")`;
    `bash_version` likewise where its bash is old and /bin/sh is another shell.
    `packages` are the inits and user switchers that the image ships. `guessed` is set where a tag's suffix, or a
    part of the name, is all that told. `open_tag` is set where the reference's tag could not be expanded.
    """

    name: str
    tag: str
    family: str
    sh: str
    shells: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    stop_signal: str | None = None
    user: str = ""
    workdir: str = ""
    env: Mapping[str, str] = _NOTHING
    package_manager: str | None = None
    entrypoint_runs: str = "none"
    packages: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    prepends: tuple[str, ...] = ()
    prepends_to: tuple[str, ...] = ()
    config: str = ""
    sh_version: str = ""
    bash_version: str = ""
    guessed: bool = False
    open_tag: bool = False
    source: str = ""

    def command(self, arguments: tuple[str, ...]) -> tuple[str, ...] | None:
        """The argv that the image's own entrypoint script ends up running for `arguments`; None if it is not known."""
        if self.entrypoint_runs == "none":
            return arguments or None
        if self.entrypoint_runs == "exec-program":
            return (*self.runs, *arguments) if self.runs else None
        if self.entrypoint_runs not in ("exec-args", "init"):
            return None
        if not arguments:
            return self.runs or None
        if arguments[0].startswith("-") or arguments[0] in self.prepends_to:
            return (*self.prepends, *arguments)
        return arguments


class Reference(NamedTuple):
    """An image reference in parts: `name` lacks the hub's prefixes, `tag` is empty if there is none."""

    name: str
    tag: str
    guessed: bool = False


def parse_reference(text: str) -> Reference:
    """Take apart `registry/name:tag@digest`; prefixes that only say where Docker Hub's images are mirrored go."""
    name = text.strip().strip("\"'").partition("@")[0]
    head, slash, tail = name.rpartition("/")
    tail, _, tag = tail.partition(":")
    name = head + slash + tail
    for hub in _HUBS:
        name = name.removeprefix(hub)
    name = name.removeprefix("library/")
    head, slash, tail = name.partition("/")
    if slash and head in _PLATFORMS:
        name = tail
    before, library, after = name.rpartition("/library/")
    if library:
        known = before in ("public.ecr.aws/docker", "mirror.gcr.io")
        return Reference(after, tag, not known)
    return Reference(name.removeprefix("mirror.gcr.io/"), tag)


def base_image(reference: str) -> BaseImage | None:
    """The facts of an image by its reference as in FROM, build arguments expanded; None if it is not known."""
    return _base_image(reference)


@cache
def _base_image(reference: str) -> BaseImage | None:
    name, tag, guessed = parse_reference(reference)
    row = _row(name)
    if row is None and "/" in name and UNKNOWN in name.rpartition("/")[0]:
        guessed = True
        row = _row(name.rpartition("/")[2])
    if row is not None:
        return _build(row, name, tag, guessed)
    family = _suffix_family(tag)
    if family is None or name.startswith(UNKNOWN):
        return None
    source = "believed: the tag's suffix names the distribution"
    return family_image(family, name, tag)._replace(entrypoint_runs="unknown", guessed=True, source=source)


def family_image(family: str, name: str, tag: str) -> BaseImage:
    """An image of which only the distribution is known; an empty `family` stands for none of those known."""
    facts = _families().get(family, {"sh": ""})
    return BaseImage(
        name,
        tag,
        family,
        facts["sh"],
        data.words(facts.get("shells", "")),
        package_manager=facts.get("package_manager"),
        sh_version=_version({}, "sh", facts, tag),
        bash_version=_version({}, "bash", facts, tag),
    )


@cache
def _file() -> dict[str, Any]:
    return data.read("images")


def _families() -> dict[str, dict[str, Any]]:
    families: dict[str, dict[str, Any]] = _file()["families"]
    return families


@cache
def _index() -> tuple[dict[str, dict[str, Any]], tuple[tuple[str, dict[str, Any]], ...]]:
    """Rows by exact name, and rows by prefix (names that end in `*`)."""
    exact: dict[str, dict[str, Any]] = {}
    prefixes: list[tuple[str, dict[str, Any]]] = []
    for row in _file()["images"]:
        for name in data.words(row["names"]):
            if name.endswith("*"):
                prefixes.append((name[:-1], row))
            else:
                exact[name] = row
    return exact, tuple(prefixes)


def known_names() -> tuple[str, ...]:
    """The names of single images that something is known of."""
    return tuple(_index()[0])


def _row(name: str) -> dict[str, Any] | None:
    exact, prefixes = _index()
    if name in exact:
        return exact[name]
    for registry in ("quay.io/", "ghcr.io/", "public.ecr.aws/"):
        if name.startswith(registry) and name.count("/") > 1 and name.removeprefix(registry) in exact:
            return exact[name.removeprefix(registry)]
    return next((row for prefix, row in prefixes if name.startswith(prefix)), None)


def _suffix_family(tag: str) -> str | None:
    """The distribution that a tag names, if it does so clearly."""
    for pattern, family in _file()["suffixes"]:
        if re.search(pattern, tag):
            return str(family)
    return None


def _merged(row: dict[str, Any], tag: str) -> dict[str, Any]:
    """The row with the overrides of every tag pattern that matches, in order."""
    merged = dict(row)
    for pattern, override in row.get("tags", ()):
        if re.search(pattern, tag):
            merged.update(override)
    return merged


def _build(row: dict[str, Any], name: str, tag: str, guessed: bool) -> BaseImage:
    facts = _merged(row, tag)
    family = facts["family"]
    opened = UNKNOWN in tag
    if not row.get("fixed"):
        suffix = _suffix_family(tag)
        if suffix is not None:
            family = suffix
        elif opened:
            family = ""
    if family != facts["family"]:
        facts = {key: value for key, value in facts.items() if key not in ("sh", "shells", "package_manager")}
        facts.update(row.get("by_family", {}).get(family, {}))
    common = _families().get(family, {"sh": ""})
    return BaseImage(
        name=name,
        tag=tag,
        family=family,
        sh=facts.get("sh", common["sh"]),
        shells=data.words(facts.get("shells", common.get("shells", ""))),
        entrypoint=_argv(facts.get("entrypoint")),
        cmd=_argv(facts.get("cmd", common.get("cmd") if facts.get("os") else None)),
        stop_signal=facts.get("stop_signal"),
        user=facts.get("user", ""),
        workdir=facts.get("workdir", ""),
        env=dict(facts.get("env", {})),
        package_manager=facts.get("package_manager", common.get("package_manager")),
        entrypoint_runs=facts.get("entrypoint_runs", "unknown" if facts.get("entrypoint") else "none"),
        packages=data.words(facts.get("packages", "")),
        runs=tuple(facts.get("runs", ())),
        prepends=tuple(facts.get("prepends", ())),
        prepends_to=data.words(facts.get("prepends_to", "")),
        config=facts.get("config", ""),
        sh_version=_version(facts, "sh", common, tag),
        bash_version=_version(facts, "bash", common, tag),
        guessed=guessed,
        open_tag=opened,
        source=facts["source"],
    )


def _version(facts: Mapping[str, Any], shell: str, common: Mapping[str, Any], tag: str) -> str:
    """The row's own version of a shell, or that which the distribution's release in the tag tells."""
    if f"{shell}_version" in facts:
        return str(facts[f"{shell}_version"])
    patterns: Iterable[tuple[str, str]] = common.get(f"{shell}_versions", ())
    return next((version for pattern, version in patterns if re.search(pattern, tag)), "")


def _argv(value: list[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)
