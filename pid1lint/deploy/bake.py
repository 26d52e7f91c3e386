"""Bake files: which Dockerfile is built how, and under which names; `docker buildx bake` runs nothing.

See https://docs.docker.com/build/bake/reference/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import Any

from pid1lint.deploy import hcl
from pid1lint.deploy.project import Project, joined, parent
from pid1lint.deploy.yamltree import Items, Node, Problem, Scalar, Table
from pid1lint.deployment import BAKE, UNKNOWN, Building, Deployment, Given, Override
from pid1lint.frozen import NamedTuple
from pid1lint.source import Place, Source

_VARIABLE = re.compile(r"\$\{\s*([A-Za-z_]\w*)\s*\}")
_ANY = re.compile(r"\$\{[^}]*\}")
_MAX_CHAIN = 20
_MOST_COMBINATIONS = 64
Values = Mapping[str, Any]


class Targets(NamedTuple):
    """The targets of a file by their names, with what they set, and the variables' defaults."""

    targets: Mapping[str, Values]
    variables: Mapping[str, str]
    problems: tuple[Problem, ...]


def deployments(path: str, project: Project) -> tuple[Iterator[Deployment], tuple[Problem, ...]]:
    """The targets of a Bake file, each with the image that it builds."""
    source = project.source(path)
    if source is None:
        return iter(()), ()
    found = _json(path, project) if path.endswith(".json") else _hcl(source)
    return _of(found, source, parent(path)), found.problems


def _of(found: Targets, source: Source, folder: str) -> Iterator[Deployment]:
    known: dict[str, dict[str, Any]] = {}
    for name in found.targets:
        values = _inherited(name, found, (), known)
        for combination in _combinations(values.get("matrix"), found.variables):
            variables = {**found.variables, **combination}
            shown = _plain(values["name"], variables) if combination and "name" in values else name
            yield _deployment(name, shown, values, source, folder, variables)


def _hcl(source: Source) -> Targets:
    read = hcl.load(source)
    variables = {b.label: _plain(b.values.get("default"), {}) for b in read.blocks if b.kind == "variable"}
    targets = {b.label: b.values for b in read.blocks if b.kind == "target"}
    return Targets(targets, variables, (read.problem,) if read.problem is not None else ())


def _json(path: str, project: Project) -> Targets:
    """JSON is YAML."""
    documents = project.documents(path)
    root = documents.tables[0] if documents is not None and documents.tables else None
    targets, variables = (_tables(root.get(key) if root is not None else None) for key in ("target", "variable"))
    known = {name: _plain(values.get("default"), {}) for name, values in variables.items()}
    return Targets(targets, known, documents.problems if documents is not None else ())


def _tables(node: Node | None) -> dict[str, Values]:
    """The tables of a table by their names; what else somebody has written there is none."""
    found = _values(node) if isinstance(node, Table) else {}
    return {name: values for name, values in found.items() if isinstance(values, dict)}


def _values(node: Node) -> Any:
    match node:
        case Scalar(text=text):
            return None if node.is_null else f'"{text}"'
        case Items(items=items):
            return [_values(item) for item in items]
        case Table():
            return {key: _values(value) for key, (_, value) in node.all.items()}


def _inherited(name: str, found: Targets, seen: tuple[str, ...], known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What a target sets, with what it inherits below it; maps are merged. `known` are those that have been asked."""
    if name in known:
        return known[name]
    own = found.targets.get(name)
    if own is None or name in seen or len(seen) > _MAX_CHAIN:
        return {}
    merged: dict[str, Any] = {}
    for other in _texts(own.get("inherits"), found.variables):
        _merge(merged, _inherited(other, found, (*seen, name), known))
    _merge(merged, own)
    known[name] = merged
    return merged


def _combinations(matrix: Any, variables: Mapping[str, str]) -> list[dict[str, str]]:
    """The values that the variables of a matrix take together; one without any where there is no matrix."""
    axes = [
        [(str(key).strip('"'), value) for value in _texts(values, variables)]
        for key, values in (matrix.items() if isinstance(matrix, dict) else ())
        if isinstance(values, list) and values
    ]
    return [dict(pairs) for pairs in islice(product(*axes), _MOST_COMBINATIONS)]


def _merge(into: dict[str, Any], values: Values) -> None:
    for key, value in values.items():
        before = into.get(key)
        into[key] = {**before, **value} if isinstance(value, dict) and isinstance(before, dict) else value


def _plain(value: Any, variables: Mapping[str, str]) -> str:
    """A value's text, with variables by their defaults; what would have to be worked out is not known."""
    if not isinstance(value, str):
        return UNKNOWN
    if value.startswith("${") and value.endswith("}") and _VARIABLE.fullmatch(value):
        return variables.get(value[2:-1].strip(), UNKNOWN)
    if not (value.startswith('"') and value.endswith('"') and len(value) > 1):
        return variables.get(value, UNKNOWN)
    text = _VARIABLE.sub(lambda found: variables.get(found[1], UNKNOWN), value[1:-1])
    return _ANY.sub(UNKNOWN, text)


def _texts(value: Any, variables: Mapping[str, str]) -> list[str]:
    return [_plain(each, variables) for each in value] if isinstance(value, list) else []


def _pairs(value: Any, variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, text in value.items() if isinstance(value, dict) else ():
        if not str(key).startswith("__"):
            yield str(key).strip('"'), _plain(text, variables)


def _deployment(
    name: str, shown: str, values: Values, source: Source, folder: str, variables: Mapping[str, str]
) -> Deployment:
    """One target, or what a matrix makes of it: `shown` is what it is called then."""
    at = _place(name, source)
    context = _plain(values["context"], variables) if "context" in values else "."
    inside = None if UNKNOWN in context or "://" in context else joined(folder, context)
    dockerfile = _plain(values["dockerfile"], variables) if "dockerfile" in values else "Dockerfile"
    path = joined(inside, dockerfile) if inside is not None and UNKNOWN not in dockerfile else None
    args = {key: value for key, value in _pairs(values.get("args"), variables) if UNKNOWN not in value}
    target = _plain(values["target"], variables) if "target" in values else ""
    inline = "dockerfile-inline" in values
    building = Building(
        at, None if inline or path is None else inside, path or "", None, target, args,
        dict(_pairs(values.get("contexts"), variables)),
    )  # fmt: skip
    tags = [tag for tag in _texts(values.get("tags"), variables) if UNKNOWN not in tag.rpartition(":")[0]]
    image = Given(tags[0].replace(UNKNOWN, "latest"), at) if tags else None
    # What has no name is built for what is in it, or for others to inherit from.
    return Deployment(
        source.path,
        BAKE,
        shown,
        f"target {shown}",
        at,
        Override(),
        image,
        building,
        runs=bool(tags) and not name.startswith("_"),
    )


def _place(name: str, source: Source) -> Place:
    found = re.search(rf"\"({re.escape(name)})\"\s*[:{{]", source.text)
    return source.place(*found.span(1)) if found is not None else source.place(0, 0)
