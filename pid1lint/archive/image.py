"""A built image as the `Image` that a Dockerfile becomes: what its configuration says, and what its files show."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pid1lint.archive.files import ArchiveFiles, Stored
from pid1lint.archive.reference import parse
from pid1lint.dockerfile.scanner import Dockerfile, scan
from pid1lint.dockerfile.stages import DEFAULT_PATH, DEFAULT_SHELL, stages
from pid1lint.facts.images import BaseImage, family_image
from pid1lint.facts.inits import INITS
from pid1lint.facts.own import Facts
from pid1lint.image.filesystem import variables_at_runtime
from pid1lint.image.model import Command, Image, signal_name
from pid1lint.image.programs import FilePrograms
from pid1lint.source import Source

_SHELLS = ("dash", "bash", "zsh", "ksh", "mksh", "yash")
_TOOLS = ("gosu", "su-exec", "setpriv", "sudo", "s6-setuidgid", "chpst")
_FAMILIES = {
    "amzn": "amazon",
    "azurelinux": "azurelinux",
    "mariner": "azurelinux",
    "centos": "rhel",
    "rhel": "rhel",
    "rocky": "rhel",
    "almalinux": "rhel",
    "ol": "rhel",
    "opensuse-leap": "suse",
    "opensuse-tumbleweed": "suse",
    "sles": "suse",
    "chainguard": "wolfi",
    "arch": "arch",
}
_OS_ID = re.compile(r'^(ID|ID_LIKE)="?([^"\n]*)"?$', re.MULTILINE)
_PACKAGE = re.compile(r"^(?:Package: |P:)(\S+)\n", re.MULTILINE)
_VERSION = re.compile(r"^(?:Version: |V:)(?:\d+:)?(\d{1,9}\.\d{1,9})", re.MULTILINE)
_MARKS = ((b"BusyBox v", "busybox"), (b"GNU bash", "bash"), (b"@(#)MIRBSD KSH", "mksh"), (b"dash", "dash"))
_DATABASES = ("/var/lib/dpkg/status", "/lib/apk/db/installed", "/usr/lib/apk/db/installed")


def read_image(text: str, platform: str = "", facts: Facts | None = None) -> Image:
    """The image that a source such as `oci-archive:app.tar` names; `platform` is as in `linux/arm64`.

    `UnreadableError` if there is none, or if it is damaged or made to do harm.
    """
    return image_of(Stored(parse(text), platform), facts or Facts())


def image_of(stored: Stored, facts: Facts) -> Image:
    """The image of layers and a configuration that have been read."""
    config = _mapping(stored.config.get("config"))
    name = stored.reference.text
    dockerfile = scan(Source(name, "\n".join(_written(config)) + "\n"))
    stage = stages(dockerfile, {})[0]
    workdir = _text(config.get("WorkingDir")) or "/"
    files = ArchiveFiles(stored, workdir, dockerfile.source.place(*stage.instruction.span))
    env = dict(word.split("=", 1) for word in _words(config.get("Env")) if "=" in word)
    user = _text(config.get("User"))
    variables = variables_at_runtime(env, _home(files, user))
    signal = next((i for i in dockerfile.instructions if i.keyword == "STOPSIGNAL"), None)
    return Image(
        dockerfile=dockerfile,
        stage=stage,
        stages=(stage,),
        base=_base(files, env),
        base_reference="scratch",
        windows=stored.config.get("os") == "windows",
        entrypoint=_command(dockerfile, "ENTRYPOINT"),
        cmd=_command(dockerfile, "CMD"),
        shell=_words(config.get("Shell")) or DEFAULT_SHELL,
        shell_instruction=None,
        stop_signal=signal_name(_text(config.get("StopSignal")) or "SIGTERM"),
        stop_signal_instruction=signal,
        user=user,
        workdir=workdir,
        env=variables,
        files=files,
        facts=facts._replace(binaries=FilePrograms(files, variables.get("PATH") or DEFAULT_PATH)),
        machine=_text(stored.config.get("architecture")),
    )


def _written(config: Mapping[str, Any]) -> Iterator[str]:
    """The configuration in a Dockerfile's words: what there is to point at."""
    yield "FROM scratch"
    for word in _words(config.get("Env")):
        name, equals, value = word.partition("=")
        if equals and re.fullmatch(r"[\w.-]+", name):
            yield f"ENV {name}={json.dumps(value, ensure_ascii=False).replace('$', chr(92) + '$')}"
    for keyword, key in (("WORKDIR", "WorkingDir"), ("USER", "User"), ("STOPSIGNAL", "StopSignal")):
        text = _text(config.get(key))
        if text and "\n" not in text:
            yield f"{keyword} {text}"
    volumes = _mapping(config.get("Volumes"))
    if volumes:
        yield f"VOLUME {_array(volumes)}"
    for keyword, key in (("SHELL", "Shell"), ("ENTRYPOINT", "Entrypoint"), ("CMD", "Cmd")):
        words = _words(config.get(key))
        if words:
            yield f"{keyword} {_array(words)}"


def _array(words: Any) -> str:
    return json.dumps(list(words), ensure_ascii=False)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _words(value: object) -> tuple[str, ...]:
    return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _command(dockerfile: Dockerfile, keyword: str) -> Command | None:
    instruction = next((i for i in dockerfile.instructions if i.keyword == keyword), None)
    if instruction is None or not instruction.words:
        return None
    return Command("exec", instruction.words, instruction.text, instruction, dockerfile.source)


def _home(files: ArchiveFiles, user: str) -> str:
    """The home directory that /etc/passwd gives a user."""
    name = user.partition(":")[0] or "0"
    file = files.lookup("/etc/passwd")
    for line in file.text.text.splitlines() if file is not None and file.text is not None else ():
        fields = line.split(":")
        if len(fields) > 5 and name in (fields[0], fields[2]):
            return fields[5] or "/"
    return "/root" if name in ("0", "root") else "/"


# -------------------------------------------------------------- what it is made of


def _base(files: ArchiveFiles, env: Mapping[str, str]) -> BaseImage:
    """What the files tell of the distribution, its shells and its tools."""
    shell = _shell(files)
    family = _family(files, shell)
    versions = _versions(files)
    below = family_image(family, family, "")
    found = (tool for tool in (*INITS, *_TOOLS) if files.which(tool) is not None)
    # What a package runner does hangs on the version of Node.js, which its images name.
    node = env.get("NODE_VERSION", "")
    return below._replace(
        name="node" if node else family,
        tag=node,
        sh=shell,
        shells=tuple(name for name in _SHELLS if files.which(name) is not None),
        packages=tuple(dict.fromkeys((*found, *(name for name in ("bash", "coreutils") if name in versions)))),
        bash_version=_old(versions.get("bash", ""), "5.0"),
        sh_version=_old(versions.get("busybox", ""), "1.30") if shell == "busybox" else "",
        source="read from the image",
    )


def _shell(files: ArchiveFiles) -> str:
    """What /bin/sh is; `none` if there is none, empty if nothing tells."""
    found = files.stored.find("/bin/sh")
    if found is None or found.node.member is None:
        return "none"
    name = posixpath.basename(found.path)
    name = posixpath.basename(found.node.member.path) if name == "sh" else name
    if name in ("dash", "bash", "busybox", "mksh", "zsh", "yash"):
        return name
    data = files.stored.read(found.node, 16 << 20) or b""
    return next((shell for mark, shell in _MARKS if mark in data), "")


def _family(files: ArchiveFiles, shell: str) -> str:
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        file = files.lookup(path)
        if file is None or file.text is None:
            continue
        said = dict(_OS_ID.findall(file.text.text))
        for word in (said.get("ID", ""), *said.get("ID_LIKE", "").split()):
            if word:
                family = _FAMILIES.get(word, word)
                return "distroless" if family == "debian" and shell == "none" else family
    return "scratch" if shell == "none" else "busybox" if shell == "busybox" else ""


def _versions(files: ArchiveFiles) -> dict[str, str]:
    """The packages of the distribution, each with the first two numbers of its version."""
    versions: dict[str, str] = {}
    for path in _DATABASES:
        found = files.stored.find(path)
        data = files.stored.read(found.node, 16 << 20) if found is not None else None
        text = data.decode("utf-8", "replace") if data else ""
        for entry in text.split("\n\n"):
            name, version = _PACKAGE.search(entry), _VERSION.search(entry)
            if name is not None:
                versions[name[1]] = version[1] if version is not None else ""
    return versions


def _old(version: str, last: str) -> str:
    """A shell's version where it is one that execs less than today's."""
    numbers = [int(part) for part in version.split(".")] if version else []
    return version if numbers and numbers <= [int(part) for part in last.split(".")] else ""
