"""What a file may be by its name and a glance at its text: cheap, as every file of a repository is looked at."""

from __future__ import annotations

import re

_COMPOSE_NAME = re.compile(r"(?:docker-)?compose(?:[._-][\w.-]+)?\.ya?ml\Z|.+[._-]compose\.ya?ml\Z", re.IGNORECASE)
_BAKE_NAME = re.compile(r"docker-bake(?:\.override)?\.(?:hcl|json)\Z")
_SERVICES = re.compile(r"^services[ \t]*:[ \t]*(?:#.*)?\r?$", re.MULTILINE)
_BODY = re.compile(r"^[ \t]+(?:image|build|extends|command|entrypoint)[ \t]*:", re.MULTILINE)
_API = re.compile(r"^[ \t-]*[\"']?apiVersion[\"']?[ \t]*:", re.MULTILINE)
_CONTAINERS = re.compile(r"^[ \t-]*[\"']?(?:initC|c)ontainers[\"']?[ \t]*:", re.MULTILINE)
_TASK = re.compile(r"\"containerDefinitions\"\s*:")
_QUADLET = re.compile(r"^\[Container\][ \t]*$", re.MULTILINE)
EXTENSIONS = ("yaml", "yml", "json", "hcl", "container")


def kind_of(name: str, text: str) -> str:
    """`compose`, `kubernetes`, `bake`, `quadlet`, `ecs`, or empty for what is none of them."""
    extension = name.rpartition(".")[2].lower()
    if _BAKE_NAME.match(name):
        return "bake"
    if extension == "container":
        return "quadlet" if _QUADLET.search(text) else ""
    if extension in ("yaml", "yml"):
        return _yaml_kind(name, text)
    if extension == "json":
        if _TASK.search(text):
            return "ecs"
        return "kubernetes" if '"apiVersion"' in text and '"containers"' in text else ""
    return ""


def _yaml_kind(name: str, text: str) -> str:
    if _COMPOSE_NAME.match(name) and "services" in text:
        return "compose"
    if _API.search(text) and _CONTAINERS.search(text):
        return "kubernetes"
    if _SERVICES.search(text) and _BODY.search(text) and not _API.search(text):
        return "compose"
    return ""


def may_be(name: str) -> bool:
    """Whether a file of this name may be a deployment's: only then is it looked into."""
    return name.rpartition(".")[2].lower() in EXTENSIONS


def kind_of_stream(text: str) -> str:
    """What standard input holds, where nobody has said what it is called."""
    return _yaml_kind("", text) or ("ecs" if _TASK.search(text) and text.lstrip().startswith("{") else "")
