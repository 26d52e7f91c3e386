"""Which kind of deployment's file a text is, by its name and by what it holds, and what it runs."""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple

from pid1lint.deploy import kinds
from pid1lint.deploy.project import Project
from pid1lint.deploy.yamltree import Problem
from pid1lint.deployment import Deployment
from pid1lint.source import Source

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
    if kind in ("compose", "kubernetes", "yaml"):
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
    return Content((), documents.problems, (source,))
