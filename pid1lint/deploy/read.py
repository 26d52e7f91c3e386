"""Which kind of deployment's file a text is, by its name and by what it holds, and what it runs."""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple

from pid1lint.deploy import kinds
from pid1lint.deploy.project import Project
from pid1lint.deploy.yamltree import Documents, Problem
from pid1lint.deployment import Deployment
from pid1lint.source import Source

_MOST_BESIDE = 50
_TEMPLATE = re.compile(r"\{\{|\{%|<%")


class Content(NamedTuple):
    """What a file runs: `sources` are the files that have a word on it, `note` says why it is left alone, if it is."""

    deployments: tuple[Deployment, ...]
    problems: tuple[Problem, ...] = ()
    sources: tuple[Source, ...] = ()
    note: str = ""


def content(path: str, project: Project) -> Content:
    """Read a file of a project; `path` is from the project's root."""
    source = project.source(path)
    if source is None:
        return Content(())
    kind = kinds.kind_of(posixpath.basename(path), source.text)
    if kind in ("compose", "kubernetes") or path.endswith((".yaml", ".yml")):
        return _yaml(path, project, source)
    return Content((), sources=(source,))


def _yaml(path: str, project: Project, source: Source) -> Content:
    documents = project.documents(path)
    assert documents is not None
    if documents.problems and _TEMPLATE.search(source.text):
        return Content((), sources=(source,), note="a template, which only becomes YAML")
    from pid1lint.deploy import compose

    if any(compose.is_compose(root) for root in documents.roots[:1]):
        found = compose.deployments(path, project)
        others = (project.source(part) for part in compose.parts(path, project))
        sources = {each.path: each for each in (source, *others) if each is not None}
        return Content(found, documents.problems, tuple(sources.values()))
    from pid1lint.deploy import kubernetes

    if any(kubernetes.is_manifest(root) for root in documents.roots):
        found = kubernetes.deployments(documents, project, _beside(path, project))
        return Content(found, documents.problems, (source,))
    return Content((), documents.problems, (source,))


def _beside(path: str, project: Project) -> list[Documents]:
    """The other manifests in a file's folder, as far as they hold a ConfigMap."""
    folder, name = posixpath.split(path)
    found: list[Documents] = []
    for other in project.files.entries(folder):
        if other == name or not other.endswith((".yaml", ".yml")) or len(found) >= _MOST_BESIDE:
            continue
        there = posixpath.join(folder, other)
        source = project.source(there)
        documents = project.documents(there) if source is not None and "ConfigMap" in source.text else None
        found += [documents] if documents is not None else []
    return found
