"""Compose files: services as the specification merges, extends, includes and interpolates them.

See https://github.com/compose-spec/compose-spec, and compose-go, which is what `docker compose` reads them with.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pid1lint.deploy.project import Project, joined, parent
from pid1lint.deploy.text import Lookup, dotenv, interpolated, split_words
from pid1lint.deploy.yamledit import YamlEdits
from pid1lint.deploy.yamltree import Items, Node, Scalar, Table, too_many_words
from pid1lint.deployment import (
    COMPOSE,
    MOST_VARIABLES,
    UNKNOWN,
    Building,
    Deployment,
    Given,
    Hook,
    Mount,
    Namespace,
    Override,
    Payload,
    Seconds,
    Variables,
    Words,
)
from pid1lint.frozen import NamedTuple
from pid1lint.numbers import is_number
from pid1lint.source import Excerpt

BASES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_OVERRIDE = re.compile(r"((?:docker-)?compose)\.override\.(ya?ml)\Z")
_DURATION = re.compile(r"(\d++(?:\.\d++)?|\.\d++)(ns|us|µs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_CHORE = re.compile(
    r"(?:^|[._-])(?:bootstrap|check|cli|create\w*|init\w*|job|migrat\w*|prepare|provision\w*|seed\w*|setup|sut|tests?)"
    r"(?:[._-]|\d|$)|init$|setup$|test$",
    re.IGNORECASE,
)
"""Names of services that do something once and end."""
_MAX_CHAIN = 20
_MOST_INCLUDES = 100
"""So many files are included, one in another or side by side."""
_SETTINGS = ("init", "stop_signal", "stop_grace_period")
_ITSELF = ("image", "build", "extends")


def is_compose(root: Node) -> bool:
    """Whether a document is a Compose file by what it holds: services, each with something that makes it one."""
    services = root.get("services") if isinstance(root, Table) else None
    if not isinstance(services, Table) or not isinstance(root, Table) or "apiVersion" in root.all:
        return False
    bodies = [value for _, value in services.all.values() if isinstance(value, Table)]
    return any(key in body.all for body in bodies for key in (*_ITSELF, "command", "entrypoint"))


class Layer(NamedTuple):
    """One file's word on a service: `folder` is what its relative paths start from, `lookup` knows its variables."""

    table: Table
    folder: str
    lookup: Lookup
    path: str


class _Part(NamedTuple):
    """One file's word on a service while what it extends is looked for among the `services` of the file."""

    name: str
    body: Node
    services: Node | None
    layer: Layer


class Service(NamedTuple):
    """A service with all that files say of it, the last word last; `awaited`: others wait until it has ended."""

    name: str
    key: Scalar
    layers: tuple[Layer, ...]
    configs: Mapping[str, tuple[Layer, Node]]
    awaited: bool = False


def deployments(path: str, project: Project) -> Iterator[Deployment]:
    """The services of a Compose file, with what its overrides, `include` and `extends` bring; `path` from the root."""
    return (deployment for deployment in _Loader(project).read(path) if deployment is not None)


def parts(path: str, project: Project) -> tuple[str, ...]:
    """The files that make up the application of a Compose file: a base with its override, or a file over its base."""
    folder, name = posixpath.split(path)
    if name in BASES:
        stem, _, extension = name.rpartition(".")
        for other in (extension, "yaml", "yml"):
            override = posixpath.join(folder, f"{stem}.override.{other}")
            if project.files.is_file(override):
                return (path, override)
        return (path,)
    base = _base_of(name, folder, project)
    return (base, path) if base is not None and _is_overlay(path, project) else (path,)


def _base_of(name: str, folder: str, project: Project) -> str | None:
    found = _OVERRIDE.match(name)
    names = [f"{found[1]}.{found[2]}", *BASES] if found else list(BASES)
    paths = (posixpath.join(folder, base) for base in names)
    return next((base for base in paths if project.files.is_file(base)), None)


def _is_overlay(path: str, project: Project) -> bool:
    """Whether a file's services lack what would make them services by themselves."""
    documents = project.documents(path)
    root = documents.tables[0] if documents is not None and documents.tables else None
    services = root.get("services") if root is not None else None
    if not isinstance(services, Table):
        return False
    bodies = [value for _, value in services.all.values()]
    return any(not isinstance(body, Table) or not any(key in body.all for key in _ITSELF) for body in bodies)


class _Loader:
    def __init__(self, project: Project) -> None:
        self.project = project
        self._environments: dict[str, Mapping[str, str | None]] = {}
        self._depth = 0
        self._includes = 0
        self._below: dict[tuple[int, str, Lookup], tuple[Layer, _Part | None]] = {}

    def read(self, path: str) -> Iterator[Deployment | None]:
        env_files: _EnvFiles = {}
        for service in self.services(parts(path, self.project), parent(path), None, named_in=path):
            yield _Reading(service, self.project, env_files).deployment()

    def services(
        self,
        paths: Sequence[str],
        folder: str,
        env_files: Sequence[str] | None,
        named_in: str = "",
        above: Lookup | None = None,
    ) -> list[Service]:
        """The services of an application that several files make up; with `named_in`, those of that file first.

        `above` knows the variables of the application that includes this one, which go before its own.
        """
        own_lookup = self._lookup(env_files or (posixpath.join(folder, ".env"),))

        def lookup(name: str) -> str | None:
            value = above(name) if above is not None else None
            return own_lookup(name) if value is None else value

        found: dict[str, Service] = {}
        configs: dict[str, tuple[Layer, Node]] = {}
        included: dict[str, Service] = {}
        for path in paths:
            root = self._root(path)
            if root is None:
                continue
            whole = Layer(root, folder, lookup, path)
            configs.update(_named(root.get("configs"), whole))
            services = root.get("services")
            for name, (key, body) in services.all.items() if isinstance(services, Table) else ():
                if body.tag == "!reset":
                    found.pop(name, None)
                    continue
                before = found.get(name) if body.tag != "!override" else None
                layers = self._extended(name, body, services, whole)
                last = key if before is None or path == named_in else before.key
                earlier = before.layers if before is not None else ()
                found[name] = Service(name, last, (*earlier, *layers), configs)
            for service in self._included(root.get("include"), whole):
                included[service.name] = _over(included.get(service.name), service)
        awaited = frozenset(name for service in found.values() for name in _awaits(service))
        own = [each._replace(configs=configs, awaited=each.name in awaited) for each in found.values()]
        if named_in and paths[0] != named_in:
            # The base is judged by itself: only what this file has a word on is another way to run it.
            own = [service for service in own if any(layer.path == named_in for layer in service.layers)]
        return [_over(included.get(service.name), service) for service in own] + [
            service for name, service in included.items() if name not in found
        ]

    def _root(self, path: str) -> Table | None:
        documents = self.project.documents(path)
        return documents.tables[0] if documents is not None and documents.tables else None

    def _lookup(self, paths: Sequence[str]) -> Lookup:
        environments = [self._environment(path) for path in paths]

        def lookup(name: str) -> str | None:
            values = (environment.get(name) for environment in reversed(environments))
            return next((value for value in values if value is not None), None)

        return lookup

    def _environment(self, path: str) -> Mapping[str, str | None]:
        if path not in self._environments:
            source = self.project.source(path)
            self._environments[path] = {} if source is None else dotenv(source.text, lambda _: None)
        return self._environments[path]

    def _included(self, node: Node | None, whole: Layer) -> Iterator[Service]:
        self._depth += 1
        if self._depth <= _MAX_CHAIN:
            for item in node.items if isinstance(node, Items) else ():
                table = item if isinstance(item, Table) else None
                paths = _strings(table.get("path") if table is not None else item, whole)
                known = [found for path in paths if (found := joined(whole.folder, path)) is not None]
                if not known or len(known) != len(paths):
                    continue
                folder = parent(known[0])
                for given in _strings(table.get("project_directory"), whole) if table is not None else ():
                    there = joined(whole.folder, given)
                    folder = folder if there is None else there
                env_files = [
                    path
                    for given in (_strings(table.get("env_file"), whole) if table is not None else ())
                    if (path := joined(whole.folder, given)) is not None
                ]
                # Each may include others twice: what comes of it doubles with each file.
                self._includes += 1
                if self._includes <= _MOST_INCLUDES:
                    yield from self.services(known, folder, env_files, above=whole.lookup)
        self._depth -= 1

    def _extended(self, name: str, body: Node, services: Node | None, layer: Layer) -> tuple[Layer, ...]:
        """A service's layers in one file: what it extends, then its own."""
        found: list[Layer] = []
        part: _Part | None = _Part(name, body, services, layer)
        seen: set[tuple[str, str]] = set()
        while part is not None and isinstance(part.body, Table):
            key = (part.layer.path, part.name)
            if key in seen or len(seen) > _MAX_CHAIN:
                break
            seen.add(key)
            known = (id(part.body), part.layer.folder, part.layer.lookup)
            if known not in self._below:
                own = part.layer._replace(table=part.body)
                self._below[known] = own, self._extends(part.body, part.services, part.layer)
            own, part = self._below[known]
            found.append(own)
        return tuple(reversed(found))

    def _extends(self, body: Table, services: Node | None, layer: Layer) -> _Part | None:
        """What a service extends, if it extends one that is found."""
        extends = body.get("extends")
        if extends is None:
            return None
        table = extends if isinstance(extends, Table) else None
        wanted = next(iter(_strings(table.get("service") if table is not None else extends, layer)), "")
        file = next(iter(_strings(table.get("file"), layer)), "") if table is not None else ""
        if not file:
            below = services.get(wanted) if isinstance(services, Table) else None
            return _Part(wanted, below, services, layer) if below is not None else None
        path = joined(layer.folder, file)
        root = self._root(path) if path is not None else None
        others = root.get("services") if root is not None else None
        below = others.get(wanted) if isinstance(others, Table) else None
        if path is None or root is None or below is None:
            return None
        return _Part(wanted, below, others, Layer(root, parent(path), layer.lookup, path))


def _over(below: Service | None, service: Service) -> Service:
    """A service over one of the same name that comes from an included file."""
    if below is None:
        return service
    own = {id(layer.table) for layer in service.layers}
    others = (layer for layer in below.layers if id(layer.table) not in own)
    return service._replace(layers=(*others, *service.layers), configs={**below.configs, **service.configs})


def _awaits(service: Service) -> Iterator[str]:
    """The services that must have ended before this one starts."""
    for layer in service.layers:
        others = layer.table.get("depends_on")
        for name, (_, value) in others.all.items() if isinstance(others, Table) else ():
            condition = value.get("condition") if isinstance(value, Table) else None
            if isinstance(condition, Scalar) and condition.text == "service_completed_successfully":
                yield name


def _named(node: Node | None, whole: Layer) -> Iterator[tuple[str, tuple[Layer, Node]]]:
    for name, (_, value) in node.all.items() if isinstance(node, Table) else ():
        yield name, (whole, value)


def _strings(node: Node | None, layer: Layer) -> list[str]:
    """The strings of a value that is one, or a list of them."""
    nodes = node.items if isinstance(node, Items) else (node,) if node is not None else ()
    return [_text(each, layer) for each in nodes if isinstance(each, Scalar) and not each.is_null]


def _text(scalar: Scalar, layer: Layer) -> str:
    return interpolated(scalar.excerpt(), layer.lookup).text if "$" in scalar.text else scalar.text


def _excerpt(scalar: Scalar, layer: Layer) -> Excerpt:
    return _without_templates(interpolated(scalar.excerpt(), layer.lookup))


_OPENING = re.compile(r"\{\{|<%|\{%")
_CLOSING = {"{{": "}}", "<%": "%>", "{%": "%}"}


def _without_templates(text: Excerpt) -> Excerpt:
    """What another program fills in later is not known."""
    if "{{" not in text.text and "<%" not in text.text:
        return text
    kept: list[str] = []
    offsets: list[int] = []
    at = 0
    for start, end in _templates(text.text):
        kept += (text.text[at:start], UNKNOWN)
        offsets += map(text.offset, range(at, start + 1))
        at = end
    if not at:
        return text
    kept.append(text.text[at:])
    offsets += map(text.offset, range(at, len(text.text) + 1))
    return replace(text, text="".join(kept), offsets=tuple(offsets), base=0)


def _templates(text: str) -> Iterator[tuple[int, int]]:
    """Where templates stand in a text, from their opening to the end of what closes them."""
    unclosed: set[str] = set()
    at = 0
    while found := _OPENING.search(text, at):
        closing = _CLOSING[found[0]]
        end = -1 if closing in unclosed else text.find(closing, found.end())
        if end < 0:
            # To look for it again behind each other opening would take the square of the text's length.
            unclosed.add(closing)
            at = found.start() + 1
        else:
            at = end + len(closing)
            yield found.start(), at


_EnvFiles = dict[tuple[str, Lookup], Mapping[str, str] | None]
"""What files of variables set, by their paths and by what is known to them."""


class _Reading:
    """One service on its way to a deployment."""

    def __init__(self, service: Service, project: Project, env_files: _EnvFiles) -> None:
        self.service = service
        self.project = project
        self.env_files = env_files

    # ------------------------------------------------------------ layers

    def values(self, key: str) -> list[tuple[Layer, Node]]:
        """What the layers say of a key, the last word last; `!reset` and `!override` end what came before."""
        found: list[tuple[Layer, Node]] = []
        for layer in self.service.layers:
            value = layer.table.get(key)
            if value is None:
                continue
            if value.tag in ("!reset", "!override"):
                found = []
            if value.tag != "!reset":
                found.append((layer, value))
        return found

    def last(self, key: str) -> tuple[Layer, Node] | None:
        """The last value of a key; null changes nothing."""
        said = [(layer, value) for layer, value in self.values(key) if not _is_null(value)]
        return said[-1] if said else None

    def given(self, key: str) -> Given | None:
        found = self.last(key)
        if found is None or not isinstance(found[1], Scalar):
            return None
        return Given(_excerpt(found[1], found[0]).text, found[1].place)

    # ---------------------------------------------------------- the whole

    def deployment(self) -> Deployment | None:
        """The service; None for one that is nothing but an example for others."""
        if not self.service.layers:
            return None
        name, key = self.service.name, self.service.key
        path = key.source.path
        documents = self.project.documents(self.service.layers[-1].path)
        top = self.service.layers[-1].table
        edits = YamlEdits(documents, top, _SETTINGS) if documents is not None and top.source.path == path else None
        return Deployment(
            path,
            COMPOSE,
            name,
            f"service {name}",
            key.place,
            self.override(),
            self.given("image"),
            self.building(),
            replicas=self.replicas(),
            edits=edits,
            runs=not self.is_abstract(),
            brief=self.service.awaited or self.is_chore(),
        )

    def is_chore(self) -> bool:
        """Whether a service is there to do something once, by its name and as nobody asks for it to be restarted."""
        restart = self.given("restart")
        policy = restart.text if restart is not None else "no"
        return policy in ("no", "on-failure") and _CHORE.search(self.service.name) is not None

    def is_abstract(self) -> bool:
        """Whether it is there to be extended: it has neither an image nor a build."""
        return self.last("image") is None and self.last("build") is None

    def replicas(self) -> int | None:
        said = [node.get("replicas") for _, node in self.values("deploy") if isinstance(node, Table)]
        value = next((each for each in reversed(said) if each is not None and not _is_null(each)), None)
        return int(value.text) if isinstance(value, Scalar) and is_number(value.text) else None

    def override(self) -> Override:
        init = self.given("init")
        if init is not None and init.text.lower() not in ("true", "yes", "y", "on"):
            init = None
        grace = self.given("stop_grace_period")
        seconds = duration(grace.text) if grace is not None else None
        command, why = self.argv("command")
        entrypoint, other = self.argv("entrypoint")
        terminal = any(
            found is not None and isinstance(found[1], Scalar) and found[1].boolean
            for found in (self.last("tty"), self.last("stdin_open"))
        )
        return Override(
            entrypoint=entrypoint,
            command=command,
            init=init,
            stop_signal=self.given("stop_signal"),
            grace=Seconds(seconds, grace.at) if seconds is not None and grace is not None else None,
            user=self.given("user"),
            workdir=self.given("working_dir"),
            env=self.environment(),
            mounts=tuple(self.mounts()),
            pid=self.namespace(),
            terminal=terminal,
            hooks=tuple(self.hooks()),
            opaque=why or other,
        )

    def argv(self, key: str) -> tuple[Words | None, str]:
        """`command` or `entrypoint`: null leaves the image's, an empty one takes it away; why it is not known."""
        said = self.values(key)
        if not said or _is_null(said[-1][1]):
            return None, ""
        layer, node = said[-1]
        if isinstance(node, Scalar):
            split = split_words(_excerpt(node, layer))
            if split.error:
                return None, f"{key} has {split.error}"
            text = _text(node, layer).strip()
            if text == UNKNOWN:
                return None, f"what {node.text} stands for is not known"
            whole = "" if node.style in ("|", ">") else node.text
            return Words(split.words, node.place, split=True, dropped=split.dropped, string=whole), ""
        if why := too_many_words(node):
            return None, why
        if isinstance(node, Items):
            words = tuple(_excerpt(item, layer) for item in node.items if isinstance(item, Scalar))
            if len(words) != len(node.items):
                return None, f"{key} is not a list of words"
            return Words(words, node.place), ""
        return None, f"{key} is not a list of words"

    def environment(self) -> Variables:
        values: dict[str, str] = {}
        whole = True
        for layer, node in self.values("env_file"):
            for item in node.items if isinstance(node, Items) else (node,):
                entry = item.get("path") if isinstance(item, Table) else item
                if not isinstance(entry, Scalar):
                    continue
                path = joined(layer.folder, _text(entry, layer))
                found = self.env_file(path, layer.lookup) if path is not None else None
                if found is None or len(values.keys() | found.keys()) > MOST_VARIABLES:
                    whole = False
                    continue
                values.update(found)
        for layer, node in self.values("environment"):
            more = dict(values)
            if _length(node) <= MOST_VARIABLES:
                _update(more, node, layer)
            if _length(node) > MOST_VARIABLES or len(more) > MOST_VARIABLES:
                whole = False
                continue
            values = more
        return Variables(values, whole)

    def env_file(self, path: str, lookup: Lookup) -> Mapping[str, str] | None:
        """What a file sets, None if it cannot be read; many services may name the same one."""
        key = (path, lookup)
        if key not in self.env_files:
            source = self.project.source(path)
            read = dotenv(source.text, lookup).items() if source is not None else ()
            values = {name: UNKNOWN if value is None else value for name, value in read}
            self.env_files[key] = None if source is None else values
        return self.env_files[key]

    def namespace(self) -> Namespace | None:
        found = self.given("pid")
        if found is None:
            return None
        if found.text == "host":
            return Namespace("host", found.at)
        shared = found.text.startswith(("service:", "container:"))
        return Namespace("container", found.at) if shared else None

    def hooks(self) -> Iterator[Hook]:
        """The commands of `pre_stop`; those of several files come one after the other."""
        for layer, node in self.values("pre_stop"):
            for item in node.items if isinstance(node, Items) else ():
                command = item.get("command") if isinstance(item, Table) else None
                if isinstance(command, Scalar):
                    yield Hook("exec", command.place, split_words(_excerpt(command, layer)).words)
                elif command is not None:
                    yield Hook("exec", command.place, tuple(_excerpt(word, layer) for word in _scalars(command)))

    # -------------------------------------------------------------- build

    def building(self) -> Building | None:
        said = self.values("build")
        if not said:
            return None
        texts: dict[str, str] = {}
        args: dict[str, str] = {}
        contexts: dict[str, str] = {}
        inline: Excerpt | None = None
        at, folder = said[-1][1].place, said[-1][0].folder
        for layer, node in said:
            if isinstance(node, Scalar):
                texts["context"], folder, at = _text(node, layer), layer.folder, node.place
                continue
            if not isinstance(node, Table):
                continue
            for key, (_, value) in node.all.items():
                if key == "args":
                    _update(args, value, layer)
                elif key == "additional_contexts":
                    _update(contexts, value, layer)
                elif key == "dockerfile_inline" and isinstance(value, Scalar):
                    inline = _excerpt(value, layer)
                elif isinstance(value, Scalar) and not value.is_null:
                    texts[key] = _text(value, layer)
                    folder = layer.folder if key == "context" else folder
        context = joined(folder, texts.get("context", "."))
        dockerfile = texts.get("dockerfile", "Dockerfile")
        if context is None or UNKNOWN in context or _is_remote(texts.get("context", "")):
            context = None
        path = joined(context, dockerfile) if context is not None else None
        known = {name: value for name, value in args.items() if value != UNKNOWN}
        target = texts.get("target", "")
        if UNKNOWN in target or UNKNOWN in dockerfile or (path is None and inline is None):
            context = None
        return Building(at, context, path or "", inline, target, known, self._contexts(contexts, folder))

    def _contexts(self, contexts: Mapping[str, str], folder: str) -> Mapping[str, str]:
        return {name: value if ":" in value else joined(folder, value) or UNKNOWN for name, value in contexts.items()}

    # ------------------------------------------------------------- mounts

    def mounts(self) -> Iterator[Mount]:
        found: dict[str, Mount] = {}
        for layer, node in self.values("volumes"):
            for item in node.items if isinstance(node, Items) else ():
                mount = self.volume(item, layer)
                if mount is not None and UNKNOWN not in mount.target:
                    found[mount.target] = mount
        for layer, node in self.values("tmpfs"):
            for text in _strings(node, layer):
                target = posixpath.normpath(text.partition(":")[0])
                found[target] = Mount(target, node.place, "empty", what="the tmpfs")
        for layer, node in self.values("configs"):
            for item in node.items if isinstance(node, Items) else ():
                mount = self.config(item, layer)
                if mount is not None and UNKNOWN not in mount.target:
                    found[mount.target] = mount
        return iter(found.values())

    def volume(self, item: Node, layer: Layer) -> Mount | None:
        if isinstance(item, Scalar):
            text = _text(item, layer)
            pieces = re.split(r"(?<!\A[A-Za-z]):", text)
            if len(pieces) < 2:
                return None
            source, target = pieces[0], pieces[1]
            kind = "bind" if source.startswith((".", "/", "~", UNKNOWN)) or "\\" in source else "volume"
        elif isinstance(item, Table):
            texts = {key: _text(v, layer) for key, (_, v) in item.all.items() if isinstance(v, Scalar)}
            source, target, kind = texts.get("source", ""), texts.get("target", ""), texts.get("type", "volume")
            if kind == "tmpfs" and target.startswith("/"):
                return Mount(posixpath.normpath(target), item.place, "empty", what="the tmpfs")
        else:
            return None
        if kind != "bind" or not target.startswith("/"):
            return None  # a new volume is filled with what the image has there
        path = joined(layer.folder, source) if UNKNOWN not in source else None
        target = posixpath.normpath(target)
        if path is None:
            return Mount(target, item.place, "unknown", what=source.replace(UNKNOWN, "?"))
        if self.project.files.is_file(path):
            return Mount(target, item.place, "bind", path, single=True, what=source)
        is_dir = self.project.files.is_dir(path)
        return Mount(target, item.place, "bind" if is_dir else "unknown", path, what=source)

    def config(self, item: Node, layer: Layer) -> Mount | None:
        texts = {}
        if isinstance(item, Scalar):
            texts = {"source": _text(item, layer)}
        elif isinstance(item, Table):
            texts = {key: _text(v, layer) for key, (_, v) in item.all.items() if isinstance(v, Scalar)}
        name = texts.get("source", "")
        target = posixpath.join("/", texts.get("target", name))
        found = self.service.configs.get(name)
        there, body = found if found is not None else (layer, None)
        if not name or not isinstance(body, Table):
            return Mount(target, item.place, "unknown", single=True, what=name) if name else None
        file, content = body.get("file"), body.get("content")
        if isinstance(file, Scalar):
            path = joined(there.folder, _text(file, there))
            known = path is not None and self.project.files.is_file(path)
            return Mount(target, item.place, "bind" if known else "unknown", path or "", single=True, what=name)
        mode = texts.get("mode", "0444")
        payload = Payload(
            posixpath.basename(target),
            _excerpt(content, there) if isinstance(content, Scalar) else None,
            int(mode, 8) if re.fullmatch(r"0?o?[0-7]+", mode) else None,
        )
        return Mount(target, item.place, "files", payloads=(payload,), single=True, what=name)


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_null


def _is_remote(context: str) -> bool:
    return re.match(r"(?:https?|git|ssh|file)://|git@|github\.com/", context) is not None


def _scalars(node: Node) -> tuple[Scalar, ...]:
    return tuple(item for item in node.items if isinstance(item, Scalar)) if isinstance(node, Items) else ()


def _length(node: Node) -> int:
    return len(node.all) if isinstance(node, Table) else len(node.items) if isinstance(node, Items) else 0


def _update(values: dict[str, str], node: Node, layer: Layer) -> None:
    """Add a mapping, or a list of `NAME=value`, to values; what is to come from the user's shell is unknown."""
    if isinstance(node, Table):
        for name, (_, value) in node.all.items():
            if value.tag == "!reset":
                values.pop(name, None)
            elif isinstance(value, Scalar):
                values[name] = _text(value, layer) if not value.is_null else _or_unknown(layer.lookup(name))
        return
    for item in _scalars(node):
        name, equals, text = _text(item, layer).partition("=")
        values[name] = text if equals else _or_unknown(layer.lookup(name))


def _or_unknown(value: str | None) -> str:
    return UNKNOWN if value is None else value


def duration(text: str) -> float | None:
    """The seconds of `1m30s`; None if it is no duration, or one of more than the 292 years that Docker takes."""
    if text == "0":
        return 0.0
    seconds, at = 0.0, 0
    while (piece := _DURATION.match(text, at)) is not None:
        seconds, at = seconds + float(piece[1]) * _UNITS[piece[2]], piece.end()
    return seconds if at == len(text) > 0 and seconds * 1e9 < 1 << 63 else None
