"""The names that a project's files give to the images that they build: Compose, Bake, Skaffold, the configuration."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pid1lint.deploy import read
from pid1lint.deploy.project import Project, joined, parent
from pid1lint.deploy.yamltree import Items, Scalar, Table
from pid1lint.deployment import UNKNOWN, Building
from pid1lint.source import Source

Named = tuple[str, Building]


class Naming:
    """The files of one folder that give names to the images they build, each read when a name asks for it.

    `paths` are from the project's root.
    """

    def __init__(self, paths: Iterable[str], project: Project) -> None:
        self._paths = tuple(paths)
        self._project = project
        self._named: tuple[Named, ...] | None = None

    def of(self, name: str) -> tuple[Named, ...]:
        """The builds that the files give names to; none where no file has this name, an image's without its tag."""
        if self._named is None:
            sources = ((path, source) for path in self._paths if (source := self._project.source(path)) is not None)
            if not any(_may_name(path, source.text, name) for path, source in sources):
                return ()
            self._named = tuple(collect(self._paths, self._project))
        return self._named


_ELSEWHERE = re.compile(r"\b(?:extends|include)\b")
_IMAGE = re.compile(r"\bimage[\"']?[ \t]*:[ \t]*([^\n#]*)")
_VARIABLE = re.compile(r"\$(?:\{[^}\n]*\}|\w+)")


def _may_name(path: str, text: str, name: str) -> bool:
    """Whether a file may give an image a name, by a glance: it holds it, or takes names from elsewhere."""
    own = name.rpartition("/")[2]
    if own in text or _ELSEWHERE.search(text):
        return True
    if posixpath.basename(path).startswith("docker-bake"):
        # It may be put together of variables and what functions return: its words are in the file all the same.
        return all(word in text for word in re.findall(r"\w+", own))
    if "$" not in text:
        return False
    values = (_VARIABLE.sub("$", value) for value in _IMAGE.findall(text))
    return any("$" in value.rpartition("/")[2].partition(":")[0] for value in values)


def collect(paths: Iterable[str], project: Project) -> Iterator[Named]:
    """The builds that files give names to; paths are from the project's root."""
    for path in paths:
        if posixpath.basename(path).startswith("skaffold"):
            yield from _skaffold(path, project)
            continue
        for deployment in read.content(path, project).deployments:
            if deployment.building is not None and deployment.image is not None:
                yield (
                    deployment.image.text.replace(UNKNOWN, "")
                    if _tag_only(deployment.image.text)
                    else (deployment.image.text),
                    deployment.building,
                )


def _tag_only(reference: str) -> bool:
    """Whether all that is not known of a name is its tag."""
    name, colon, _ = reference.rpartition(":")
    return bool(colon) and UNKNOWN not in name


def _skaffold(path: str, project: Project) -> Iterator[Named]:
    documents = project.documents(path)
    for root in documents.tables if documents is not None else ():
        build = root.get("build")
        artifacts = build.get("artifacts") if isinstance(build, Table) else None
        for artifact in artifacts.items if isinstance(artifacts, Items) else ():
            image = artifact.get("image") if isinstance(artifact, Table) else None
            if not isinstance(artifact, Table) or not isinstance(image, Scalar):
                continue
            docker = artifact.get("docker")
            context = joined(parent(path), _text(artifact, "context", "."))
            dockerfile = _text(docker, "dockerfile", "Dockerfile") if isinstance(docker, Table) else "Dockerfile"
            there = joined(context, dockerfile) if context is not None else None
            target = _text(docker, "target", "") if isinstance(docker, Table) else ""
            if there is not None:
                yield image.text, Building(image.place, context, there, target=target)


def _text(table: Table, key: str, otherwise: str) -> str:
    value = table.get(key)
    return value.text if isinstance(value, Scalar) and not value.is_null else otherwise


def configured(images: Mapping[str, Mapping[str, Any]], folder: str) -> Iterator[Named]:
    """The builds that a configuration names; `folder` is its own, from the project's root."""
    for name, row in images.items():
        if "dockerfile" in row:
            path = joined(folder, row["dockerfile"])
            context = joined(folder, row["context"]) if "context" in row else parent(path or "")
            if path is not None and context is not None:
                nowhere = Source("", "").place(0, 0)
                yield name, Building(nowhere, context, path, target=row.get("target", ""))
