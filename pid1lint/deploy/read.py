"""Which kind of deployment's file a text is, by its name and by what it holds, and what it runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from itertools import islice

from pid1lint.deploy import kinds
from pid1lint.deploy.project import Project
from pid1lint.deploy.yamltree import Documents, Problem, has_placeholder
from pid1lint.deployment import Deployment
from pid1lint.frozen import NamedTuple
from pid1lint.source import Source

MOST_DEPLOYMENTS = 500
"""So many services, containers or targets of a file are judged: each is a launch of its own."""
_MOST_BESIDE = 50
_TEMPLATE = re.compile(r"\{\{|\{%|<%|^[ \t]*\$(?:\w+|\{\w+\}),?[ \t]*\r?$", re.MULTILINE)
"""What other programs fill in; envsubst's variables where a line holds nothing else, which is no value then."""


class Content(NamedTuple):
    """What a file runs: `sources` are the files that have a word on it, `note` says why it is left alone, if it is.

    `beyond` says from where on it runs too much.
    """

    deployments: tuple[Deployment, ...]
    problems: tuple[Problem, ...] = ()
    sources: tuple[Source, ...] = ()
    note: str = ""
    beyond: Problem | None = None


def content(path: str, project: Project) -> Content:
    """Read a file of a project; `path` is from the project's root."""
    source = project.source(path)
    if source is None:
        return Content(())
    kind = kinds.kind_of(posixpath.basename(path), source.text)
    if kind in ("compose", "kubernetes") or path.endswith((".yaml", ".yml")):
        return _yaml(path, project, source)
    if kind == "bake":
        from pid1lint.deploy import bake

        targets, problems = bake.deployments(path, project)
        return _counted(targets, problems, (source,))
    if kind == "quadlet":
        from pid1lint.deploy import quadlet

        return Content(quadlet.deployments(path, project), (), (source,))
    if kind == "ecs":
        from pid1lint.deploy import ecs

        documents = project.documents(path)
        assert documents is not None
        return _counted(ecs.deployments(documents), documents.problems, (source,))
    return Content((), sources=(source,))


def _counted(
    found: Iterable[Deployment], problems: tuple[Problem, ...] = (), sources: tuple[Source, ...] = ()
) -> Content:
    """As much of what a file runs as is judged."""
    taken = tuple(islice(found, MOST_DEPLOYMENTS + 1))
    if len(taken) <= MOST_DEPLOYMENTS:
        return Content(taken, problems, sources)
    first = taken[MOST_DEPLOYMENTS]
    why = f"runs more than {MOST_DEPLOYMENTS} services, containers or targets: pid1lint does not judge the rest"
    return Content(taken[:MOST_DEPLOYMENTS], problems, sources, beyond=Problem(first.place, why))


def _yaml(path: str, project: Project, source: Source) -> Content:
    text = source.text
    manifests = kinds.kind_of(posixpath.basename(path), text) == "kubernetes"
    with_maps = "configMap" in text

    def wanted(document: str) -> bool:
        return kinds.may_run(document) or (with_maps and "ConfigMap" in document)

    documents = project.documents(path, wanted if manifests else None)
    assert documents is not None
    is_template = _TEMPLATE.search(text) if documents.problems else "{{" in text and has_placeholder(documents)
    if is_template or _is_in_chart(path, project):
        return Content((), sources=(source,), note="a template, not yet YAML")
    from pid1lint.deploy import compose

    named = kinds.is_compose_name(posixpath.basename(path)) and bool(documents.tables)
    if named or any(compose.is_compose(root) for root in documents.roots[:1]):
        found = compose.deployments(path, project)
        others = (project.source(part) for part in compose.parts(path, project))
        sources = {each.path: each for each in (source, *others) if each is not None}
        return _counted(found, documents.problems, tuple(sources.values()))
    from pid1lint.deploy import kubernetes

    if any(kubernetes.is_manifest(root) for root in documents.roots):
        beside = _beside(path, project, kubernetes.foreign_maps(documents)) if with_maps else []
        found = kubernetes.deployments(documents, project, beside)
        return _counted(found, documents.problems, (source,))
    # Any YAML file may be given: what is wrong with one that runs nothing is nobody's business here.
    wrong = documents.problems if kinds.kind_of(posixpath.basename(path), text) else ()
    return Content((), wrong, (source,))


def _is_in_chart(path: str, project: Project) -> bool:
    """Whether a file is one of the templates of a Helm chart."""
    head, found, _ = f"/{path}".rpartition("/templates/")
    return bool(found) and project.files.is_file(posixpath.join(head.lstrip("/"), "Chart.yaml"))


def _beside(path: str, project: Project, names: frozenset[str]) -> list[Documents]:
    """The other manifests in a file's folder that hold a ConfigMap of one of these names, as far as they do."""
    others = project.config_maps(posixpath.dirname(path)) if names else {}
    named = (each for each, source in others.items() if each != path and any(name in source.text for name in names))
    found: list[Documents] = []
    for other in islice(named, _MOST_BESIDE):
        project.give(other, others[other])
        documents = project.documents(other, kinds.is_config_map)
        found += [documents] if documents is not None else []
    return found
