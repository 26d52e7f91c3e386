"""ECS task definitions, as JSON: `entryPoint`, `command`, `linuxParameters.initProcessEnabled`, `stopTimeout`.

See https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html.
"""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint.deploy.yamltree import Documents, Items, Node, Scalar, Table, too_many_words
from pid1lint.deployment import ECS, UNKNOWN, Deployment, Given, Namespace, Override, Seconds, Variables, Words
from pid1lint.numbers import is_number


def deployments(documents: Documents) -> Iterator[Deployment]:
    """The containers of a task definition, or of one that `aws ecs describe-task-definition` prints."""
    return (made for root in documents.tables for made in _of(root, documents))


def _of(root: Table, documents: Documents) -> Iterator[Deployment]:
    inner = root.get("taskDefinition")
    task = inner if isinstance(inner, Table) else root
    family = _text(task.get("family"))
    items = task.get("containerDefinitions")
    for item in items.items if isinstance(items, Items) else ():
        if not isinstance(item, Table):
            continue
        name = _text(item.get("name"))
        image = item.get("image")
        label = f"container {name or '?'}" + (f" of task {family}" if family else "")
        yield Deployment(
            documents.source.path,
            ECS,
            f"{family}/{name}" if family else name,
            label,
            (item.get("name") or item).place,
            _override(item, task),
            Given(_text(image), image.place) if isinstance(image, Scalar) else None,
        )


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) and not node.is_null else ""


def _words(node: Node | None) -> Words | None:
    if not isinstance(node, Items) or not node.items or too_many_words(node):
        return None
    words = tuple(item.excerpt() for item in node.items if isinstance(item, Scalar))
    return Words(words, node.place) if len(words) == len(node.items) else None


def _given(node: Node | None) -> Given | None:
    return Given(node.text, node.place) if isinstance(node, Scalar) and not node.is_null and node.text else None


def _override(item: Table, task: Table) -> Override:
    linux = item.get("linuxParameters")
    init = linux.get("initProcessEnabled") if isinstance(linux, Table) else None
    grace = item.get("stopTimeout")
    pid = task.get("pidMode")
    kinds = {"host": "host", "task": "pod"}
    terminal = item.get("pseudoTerminal")
    return Override(
        entrypoint=_words(item.get("entryPoint")),
        command=_words(item.get("command")),
        init=Given("true", init.place) if isinstance(init, Scalar) and init.boolean else None,
        grace=Seconds(float(grace.text), grace.place) if isinstance(grace, Scalar) and is_number(grace.text) else None,
        user=_given(item.get("user")),
        workdir=_given(item.get("workingDirectory")),
        env=Variables(dict(_environment(item)), "environmentFiles" not in item.all),
        pid=Namespace(kinds[pid.text], pid.place) if isinstance(pid, Scalar) and pid.text in kinds else None,
        terminal=isinstance(terminal, Scalar) and terminal.boolean is True,
        opaque=too_many_words(item.get("entryPoint"), item.get("command")),
    )


def _environment(item: Table) -> Iterator[tuple[str, str]]:
    for key in ("environment", "secrets"):
        items = item.get(key)
        for entry in items.items if isinstance(items, Items) else ():
            if isinstance(entry, Table):
                yield _text(entry.get("name")), _text(entry.get("value")) if key == "environment" else UNKNOWN
