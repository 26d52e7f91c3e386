"""Which builds go by which names, and that a file which cannot have a name is not read for it."""

from __future__ import annotations

import pytest

from pid1lint.deploy.names import Naming
from pid1lint.deploy.project import Project
from pid1lint.image.context import MemoryContext


def built(name: str, **files: str) -> list[str]:
    """The Dockerfiles of the builds that files give names to, where they are looked into for a name."""
    paths = {path.replace("__", "/").replace("_yaml", ".yaml").replace("_hcl", ".hcl"): t for path, t in files.items()}
    naming = Naming([path for path in paths if path.endswith((".yaml", ".hcl"))], Project(MemoryContext(paths)))
    return [building.dockerfile for _, building in naming.of(name)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("services: {a: {build: x, image: team/app}}", id="as it is"),
        pytest.param("services: {a: {build: x, image: 'reg.example/team/app:1'}}", id="registry and tag"),
        pytest.param("services: {a: {build: x, image: '${REG:-reg.example}/app:${TAG}'}}", id="registry by a variable"),
        pytest.param("services: {a: {build: x, image: '${NAME}'}}", id="all by a variable"),
        pytest.param("services: {a: {build: x, image: 'team/${NAME:-shop}:1'}}", id="last part by a variable"),
        pytest.param(
            "services:\n  a:\n    extends: {file: other.yaml, service: a}\n    build: x\n", id="from another file"
        ),
    ],
)
def test_a_compose_file_that_may_give_a_name_is_read(text: str) -> None:
    other = "services: {a: {image: team/app}}"
    assert built("team/app", compose_yaml=text, other_yaml="{}" if "extends" not in text else other) == ["x/Dockerfile"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("services: {a: {build: x, image: team/shop}}", id="another name"),
        pytest.param("services: {a: {build: x, image: '${REG}/shop:${TAG:-1}'}}", id="another name of any registry"),
        pytest.param("services: {a: {build: x, command: 'run $$PORT'}}", id="a dollar elsewhere"),
    ],
)
def test_a_compose_file_that_cannot_have_a_name_is_not_read(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pid1lint.deploy.read.content", None)
    assert built("team/app", compose_yaml=text) == []


def test_an_override_beside_it_may_give_the_name() -> None:
    base = "services: {a: {build: x}}"
    assert built("team/app", compose_yaml=base, compose__override_yaml="") == []
    files = {"compose.yaml": base, "compose.override.yaml": "services: {a: {image: team/app}}"}
    found = Naming(["compose.yaml", "compose.override.yaml"], Project(MemoryContext(files))).of("team/app")
    assert [(name, building.dockerfile) for name, building in found] == [("team/app", "x/Dockerfile")]
