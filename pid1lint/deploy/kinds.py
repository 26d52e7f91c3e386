"""What a file may be by its name and a glance at its text: cheap, as every file of a repository is looked at."""

from __future__ import annotations

import re

_COMPOSE_NAME = re.compile(r"(?:docker-)?compose(?:[._-][\w.-]+)?\.ya?ml\Z|.+[._-]compose\.ya?ml\Z", re.IGNORECASE)
_BAKE_NAME = re.compile(r"docker-bake(?:\.override)?\.(?:hcl|json)\Z")
_SERVICES = re.compile(r"^[\"']?services[\"']?[ \t]*:[ \t]*(?:[#{&].*)?\r?$", re.MULTILINE)
_BODY = re.compile(r"(?:^[ \t]+|[{,][ \t]*)[\"']?(?:image|build|extends|command|entrypoint)[\"']?[ \t]*:", re.MULTILINE)
_API = re.compile(r"^[ \t-]*[\"']?apiVersion[\"']?[ \t]*:", re.MULTILINE)
_CONTAINERS = re.compile(r"(?:^[ \t-]*|[{,][ \t]*)[\"']?(?:initC|c)ontainers[\"']?[ \t]*:", re.MULTILINE)
_MARKER = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)
_SCHEMA = re.compile(r"^kind:[ \t]*[\"']?CustomResourceDefinition\b", re.MULTILINE)
_TASK = re.compile(r"\"containerDefinitions\"\s*:")
_QUADLET = re.compile(r"^\[Container\][ \t]*$", re.MULTILINE)


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
    if is_compose_name(name) and ("services" in text or "include" in text):
        return "compose"
    if "containers" in text and _API.search(text) and any(map(may_run, _MARKER.split(text))):
        return "kubernetes"
    if _SERVICES.search(text) and _BODY.search(text) and not _API.search(text):
        return "compose"
    return ""


def is_compose_name(name: str) -> bool:
    """Whether a file of this name is taken for a Compose file."""
    return _COMPOSE_NAME.match(name) is not None


def may_run(document: str) -> bool:
    """Whether a YAML document may run containers: not the schema of one that does."""
    return "ontainers" in document and _CONTAINERS.search(document) is not None and _SCHEMA.search(document) is None


def is_config_map(text: str) -> bool:
    """Whether a text holds a ConfigMap."""
    return "ConfigMap" in text and re.search(r"^kind:[ \t]*[\"']?ConfigMap\b", text, re.MULTILINE) is not None


def stream_name(text: str) -> str:
    """What to call standard input that holds a deployment and has no name; empty where it holds none."""
    if text.lstrip().startswith("{"):
        return "stdin.json" if kind_of("stdin.json", text) else ""
    return "stdin.yaml" if _yaml_kind("", text) else ""
