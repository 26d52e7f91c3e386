"""Which image a deployment runs: its own build, a Dockerfile of the project that has its name, or one from outside."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from pid1lint.deploy.project import Below, Project
from pid1lint.deployment import UNKNOWN, Building, Deployment, Given
from pid1lint.dockerfile.scanner import Dockerfile, scan
from pid1lint.facts.images import parse_reference
from pid1lint.facts.own import Facts
from pid1lint.frozen import NamedTuple
from pid1lint.image.filesystem import EmbeddedSource
from pid1lint.image.model import Build, Image, final_stages
from pid1lint.source import Excerpt, Place

_MAX_DEPTH = 8


class Found(NamedTuple):
    """An image; `entrypoint_known` says whether what its own ENTRYPOINT is, is known."""

    image: Image
    entrypoint_known: bool


Names = Callable[[str], Building | None]
"""The build of the image that goes by a name, where one of the project's files gives it that."""


class Images:
    """The images of a project, each built once; `characters` have the Dockerfiles of all of them."""

    def __init__(
        self,
        project: Project,
        facts: Facts,
        names: Names = lambda _: None,
        build_args: Mapping[str, str] | None = None,
        services: Mapping[str, Deployment] | None = None,
    ) -> None:
        self.project = project
        self.facts = facts
        self.names = names
        self.build_args = build_args or {}
        self.services = services or {}
        self.characters = 0
        self._built: dict[object, Found | None] = {}
        self._depth = 0

    def of(self, deployment: Deployment) -> Found:
        """The image that a deployment runs."""
        found = None
        if deployment.building is not None:
            found = self.built(deployment.building)
        elif deployment.image is not None and deployment.image.known:
            building = self.names(deployment.image.text)
            found = self.built(building) if building is not None else None
        if found is not None:
            return found
        if deployment.building is not None or deployment.image is None:
            return self._from(Given(UNKNOWN, deployment.place))
        return self._from(deployment.image)

    def built(self, building: Building) -> Found | None:
        """The image that a build makes; None where it cannot be told."""
        args = {**building.args, **self.build_args}
        given = json.dumps([args, dict(building.contexts)])
        key = (building.context, building.dockerfile, id(building.inline), building.target, given)
        if key not in self._built:
            self._built[key] = None  # a build that needs itself never comes to an end
            self._built[key] = self._build(building, args)
        return self._built[key]

    def _build(self, building: Building, args: Mapping[str, str]) -> Found | None:
        dockerfile = self._dockerfile(building)
        if dockerfile is None or building.context is None or UNKNOWN in building.target or self._depth >= _MAX_DEPTH:
            return None
        if dockerfile.beyond is not None:
            return None
        self.characters += len(dockerfile.source.text)
        context = Below(self.project.files, building.context, building.dockerfile)
        indices = final_stages(dockerfile, building.target or None)
        if not indices:
            return None
        self._depth += 1
        image = Build(dockerfile, context, args, self.facts, self._bases(building)).image(indices[0])
        self._depth -= 1
        return Found(image, _knows_entrypoint(image))

    def _bases(self, building: Building) -> Callable[[str], Image | None]:
        """What FROM may name: additional contexts, other services, images that have this name."""

        def look_up(reference: str) -> Image | None:
            named = building.contexts.get(reference) or building.contexts.get(f"docker.io/library/{reference}")
            kind, colon, name = (named or "").partition(":")
            if named is None:
                other = self.names(reference)
            elif kind in ("service", "target") and colon:
                service = self.services.get(name)
                other = service.building if service is not None else None
            else:
                image = name.removeprefix("//") if kind == "docker-image" else UNKNOWN
                return self._from(Given(image, building.at)).image
            found = self.built(other) if other is not None and other is not building else None
            return found.image if found is not None else None

        return look_up

    def base(self, reference: str) -> Image | None:
        """The image of the project that goes by a name."""
        building = self.names(reference)
        found = self.built(building) if building is not None else None
        return found.image if found is not None else None

    def _dockerfile(self, building: Building) -> Dockerfile | None:
        if building.inline is not None:
            return scan(embedded(building.inline))
        source = self.project.source(building.dockerfile)
        return None if source is None else scan(source)

    def _from(self, reference: Given) -> Found:
        """An image that is built elsewhere."""
        text = reference.text if reference.known and "${" not in reference.text else UNKNOWN
        dockerfile = scan(embedded(made("FROM ", text, reference.at)))
        image = Build(dockerfile, Below(self.project.files, "\0"), {}, self.facts).image(0)
        return Found(image, _knows_entrypoint(image))


def _knows_entrypoint(image: Image) -> bool:
    """Whether it is known which ENTRYPOINT an image has, be it none."""
    own = image.entrypoint is not None and image.entrypoint.instruction is not None
    return own or (image.base is not None and not image.base.guessed) or image.base_reference == "scratch"


def embedded(text: Excerpt) -> EmbeddedSource:
    """A text that stands in another file, as a file of its own."""
    return EmbeddedSource(text.source.path, text.text, excerpt=text)


def made(before: str, value: str, at: Place) -> Excerpt:
    """A line that says what is written elsewhere: its places are those of the value there."""
    written = at.text
    start, end = at.span
    inside = written.find(value)
    if inside >= 0:
        first = start + inside
        offsets = (*([first] * len(before)), *range(first, first + len(value)), first + len(value), end)
    else:
        offsets = (*([start] * (len(before) + len(value))), end, end)
    return Excerpt(at.source, f"{before}{value}\n", tuple(offsets), 0, "yaml")


def named(buildings: Sequence[tuple[str, Building]]) -> Names:
    """A look-up of builds by the names of their images, tags aside."""
    table: dict[str, Building] = {}
    for reference, building in buildings:
        if UNKNOWN not in reference:
            table.setdefault(parse_reference(reference).name, building)

    def look_up(reference: str) -> Building | None:
        return None if UNKNOWN in reference else table.get(parse_reference(reference).name)

    return look_up
