"""What a deployment's file says of one container: values only, of which readers of every format make the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pid1lint.frozen import Frozen, NamedTuple

if TYPE_CHECKING:
    from pid1lint.fix import Edit
    from pid1lint.source import Excerpt, Place

UNKNOWN = "\ufffc"
"""Stands in a value for what only the user's environment knows."""
_NO_NAMES: Mapping[str, str] = {}


class Given(NamedTuple):
    """A value, and where it is written."""

    text: str
    at: Place

    @property
    def known(self) -> bool:
        """Whether all of it is known."""
        return UNKNOWN not in self.text


class Words(NamedTuple):
    """An argv, and where it is written; `split` if it was one string, taken apart without a shell.

    `dropped` is what the format leaves out of such a string, from the operator of a shell on. `string` is the string as
    it is written where it can be replaced by a list, else empty.
    """

    words: tuple[Excerpt, ...]
    at: Place
    split: bool = False
    dropped: Excerpt | None = None
    string: str = ""


class Seconds(NamedTuple):
    """A time, and where it is written."""

    number: float
    at: Place


MOST_VARIABLES = 1000
"""So many variables one launch has in its environment: of more, nothing is known."""


class Variables(NamedTuple):
    """Environment variables. Where `whole` is not set there are others, of which nothing is known."""

    values: Mapping[str, str]
    whole: bool = True


class Payload(NamedTuple):
    """A file that a deployment's file brings along: a ConfigMap's value, say; None is what is not known."""

    name: str
    text: Excerpt | None
    mode: int | None


class Mount(NamedTuple):
    """What lies over the image's files at `target`.

    `kind`: `bind` (of `path`, from the project's root; empty where it lies outside), `files` (of `payloads`), `empty`,
    `unknown` (something that nobody knows). `single`: the mount is one file, and not a folder. `what` is how it is
    written, `executable` are the edits that let its files be run.
    """

    target: str
    at: Place
    kind: str
    path: str = ""
    payloads: tuple[Payload, ...] = ()
    single: bool = False
    what: str = ""
    executable: tuple[Edit, ...] = ()


class Hidden(NamedTuple):
    """A script of the image that is named to be run and that a mount hides; `copied` is where the image gets it."""

    path: str
    word: Excerpt
    mount: Mount
    copied: Place


_SLEEP = re.compile(r"\s*(?:/(?:usr/)?bin/)?sleep\s+(?P<number>\d{1,18}(?:\.\d+)?)(?P<unit>[smh]?)\s*(?:\Z|&&|;|\n)")
_OPERATORS = re.compile(r"[;&|\n]+")
_HARMLESS = frozenset((":", "/bin/sleep", "date", "echo", "exit", "printf", "sleep", "sync", "touch", "true"))
_UNITS = {"s": 1, "m": 60, "h": 3600}


class Hook(NamedTuple):
    """What is run in the container before it is told to stop: `exec` of an argv, `sleep` for a time, or `request`."""

    kind: str
    at: Place
    words: tuple[Excerpt, ...] = ()
    seconds: float = 0.0

    @property
    def sleeps(self) -> float:
        """The seconds that it sleeps at least: by itself, or by a command that begins with `sleep`."""
        found = _SLEEP.match(self._line)
        return self.seconds if found is None else float(found["number"]) * _UNITS[found["unit"] or "s"]

    @property
    def may_end(self) -> bool:
        """Whether it may itself end what the container runs: it does more than to sleep and to write."""
        commands = (each.split() for each in _OPERATORS.split(self._line))
        return self.kind == "request" or any(words[0] not in _HARMLESS for words in commands if words)

    @property
    def _line(self) -> str:
        texts = [word.text for word in self.words]
        return texts[-1] if len(texts) > 2 and texts[-2] == "-c" else " ".join(texts)


class Namespace(NamedTuple):
    """A PID namespace that is not the container's own: `host`, `pod`, or `container` (another container's)."""

    kind: str
    at: Place


class Override(Frozen):
    """What a container has otherwise than its image; None is what it leaves as it is.

    `command` counts as CMD, `init` is an init that is put in front, `grace` the time between the stop signal and
    SIGKILL, `env` what is added to the image's, `hooks` what is run before the stop signal is sent. `opaque` is set for
    what no reader can tell: why.
    """

    entrypoint: Words | None = None
    command: Words | None = None
    init: Given | None = None
    stop_signal: Given | None = None
    grace: Seconds | None = None
    user: Given | None = None
    workdir: Given | None = None
    env: Variables = Variables(_NO_NAMES)
    mounts: tuple[Mount, ...] = ()
    pid: Namespace | None = None
    terminal: bool = False
    hooks: tuple[Hook, ...] = ()
    opaque: str = ""

    @property
    def changes_argv(self) -> bool:
        """Whether another argv is started than the image's."""
        return self.entrypoint is not None or self.command is not None


class Building(NamedTuple):
    """How a service builds its image.

    `context` and `dockerfile` are paths from the project's root, `context` None where it is not a folder of it.
    `inline` is a Dockerfile that is written in place. `contexts` has the names that FROM finds elsewhere.
    """

    at: Place
    context: str | None
    dockerfile: str = ""
    inline: Excerpt | None = None
    target: str = ""
    args: Mapping[str, str] = _NO_NAMES
    contexts: Mapping[str, str] = _NO_NAMES


class Runtime(NamedTuple):
    """Who stops the container: its name, what it calls stopping, its default grace period in seconds."""

    kind: str
    stops: str
    grace: float
    init: tuple[str, ...] = ()


COMPOSE = Runtime("compose", "docker compose stop", 10, ("/sbin/docker-init", "--"))
KUBERNETES = Runtime("kubernetes", "Kubernetes", 30)
BAKE = Runtime("bake", "docker stop", 10)
QUADLET = Runtime("quadlet", "podman", 10, ("/run/podman-init", "--"))
ECS = Runtime("ecs", "ECS", 30, ("/sbin/docker-init", "--"))


class Deployment(Frozen):
    """One way in which an image is run.

    `name` is unique in its file (`web`, `Deployment/shop/app`), `label` is for messages (`service web`). `place` is its
    name in the file. `spots` are where something can be added, for fixes: the reader's own business. `generated`: the
    file is another program's output. Where `runs` is not set it is nothing that is started, where `brief` is, something
    that is meant to end by itself.
    """

    path: str
    runtime: Runtime
    name: str
    label: str
    place: Place
    override: Override
    image: Given | None = None
    building: Building | None = None
    generated: bool = False
    replicas: int | None = None
    edits: Edits | None = None
    runs: bool = True
    brief: bool = False

    @property
    def kind(self) -> str:
        """The format of the file: `compose`, `kubernetes`, `bake`, `quadlet` or `ecs`."""
        return self.runtime.kind

    @property
    def grace(self) -> float:
        """The seconds between the stop signal and SIGKILL."""
        return self.override.grace.number if self.override.grace is not None else self.runtime.grace

    @property
    def stop_words(self) -> str:
        """What a message says instead of `docker stop waits 10 s`."""
        return f"{self.runtime.stops} waits {self.grace:g} s"


class Edits:
    """How a deployment's file is changed by fixes; the format's reader knows how. None where there is no good place."""

    def setting(self, key: str, value: str) -> tuple[Edit, ...] | None:
        """The edits that give a container a setting that it does not have, or has otherwise."""
        raise NotImplementedError

    def renamed(self, key: str, name: str) -> tuple[Edit, ...] | None:
        """The edits that give a setting another name."""
        raise NotImplementedError

    def without(self, key: str) -> tuple[Edit, ...] | None:
        """The edits that take a setting out."""
        raise NotImplementedError
