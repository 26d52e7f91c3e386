"""Kubernetes manifests: the containers of pods, wherever a pod's template stands, with the ConfigMaps beside them.

`command` takes the place of ENTRYPOINT and `args` that of CMD; `$(NAME)` is expanded and `$$` escapes. See
https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pid1lint.deploy.project import Project
from pid1lint.deploy.text import MOST_CHARACTERS
from pid1lint.deploy.yamledit import YamlEdits, is_json
from pid1lint.deploy.yamltree import Documents, Items, Node, Scalar, Table, nodes, too_many_words
from pid1lint.deployment import (
    KUBERNETES,
    MOST_VARIABLES,
    UNKNOWN,
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

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][\w.-]*)\)")
_TEMPLATE = re.compile(r"\{\{.*?\}\}|<%.*?%>|\{%.*?%\}", re.DOTALL)
_PLACEHOLDER = re.compile(r"\$\{[A-Za-z_]\w*\}")
_NAMED = re.compile(r"\A\$\{?([A-Za-z_]\w*)\}?")
_GENERATED = re.compile(r"^# Source: \S+", re.MULTILINE)
_CONFIG_MODE = 0o644
_MOST_NODES = 20_000
_MOST_REPLACED = 1_000_000
"""Behind so many characters of a text, values are no longer put into it."""
_MAP_KEYS = ("configMap", "configMapRef", "configMapKeyRef")
_OWN = "Pod"
_ONCE = ("Never", "OnFailure")
_CHORES = re.compile(r"Job$|^(?:Cluster|Cron)?Workflow|^Pipeline|^(?:Cluster)?Task")
"""Kinds of objects whose containers are there to end by themselves."""


class Pod(NamedTuple):
    """A pod's spec, and what it belongs to: kind and name of the outermost object."""

    spec: Table
    kind: str
    name: str
    replicas: int | None


Maps = Mapping[str, Mapping[str, Scalar]]
"""What the ConfigMaps of the same input hold, by their names."""


def is_manifest(root: Node) -> bool:
    """Whether a document is a Kubernetes object."""
    return isinstance(root, Table) and "apiVersion" in root.all and "kind" in root.all


def deployments(documents: Documents, project: Project, beside: Sequence[Documents] = ()) -> Iterator[Deployment]:
    """The containers of all pods of a file; ConfigMaps may also stand in files `beside` it."""
    maps = _all_maps(documents, beside)
    generated = _GENERATED.search(documents.source.text) is not None
    taken: dict[str, int] = {}
    for root in documents.roots:
        for pod in _pods(root):
            for deployment in _containers(pod, documents, maps, generated):
                count = taken[deployment.name] = taken.get(deployment.name, 0) + 1
                name = deployment.name if count == 1 else f"{deployment.name}#{count}"
                yield deployment.replaced(name=name)


# ------------------------------------------------------------------- objects


def _objects(root: Node) -> Iterator[Table]:
    """The objects of a document: a List has several."""
    waiting = [root]
    for node in waiting:
        if not isinstance(node, Table) or len(waiting) > _MOST_NODES:
            continue
        items = node.get("items")
        if _text(node.get("kind")).endswith("List") and isinstance(items, Items):
            waiting += items.items
        elif is_manifest(node):
            yield node


def _pods(root: Node) -> Iterator[Pod]:
    for table in _objects(root):
        kind = _text(table.get("kind"))
        spec = table.get("spec")
        name = _text(_under(table, "metadata", "name")) or _text(_under(table, "metadata", "generateName"))
        replicas = _text(_under(table, "spec", "replicas"))
        for inner in _specs(spec, kind):
            yield Pod(inner, kind, name or "?", int(replicas) if is_number(replicas) else None)


def _specs(spec: Node | None, kind: str) -> Iterator[Table]:
    """The pods' specs in an object's: its own, or those of templates at any depth."""
    if kind == _OWN:
        if isinstance(spec, Table):
            yield spec
        return
    waiting: list[Node] = [spec] if spec is not None else []
    seen: set[int] = set()
    for node in waiting:
        if id(node) in seen or len(seen) > _MOST_NODES:
            continue
        seen.add(id(node))
        if isinstance(node, Items):
            waiting += node.items
        if not isinstance(node, Table):
            continue
        if _is_pod_spec(node):
            yield node
            continue
        waiting += (value for _, value in node.all.values())


def _is_pod_spec(node: Table) -> bool:
    containers = node.get("containers")
    items = containers.items if isinstance(containers, Items) else ()
    return any(isinstance(item, Table) and ("image" in item.all or "name" in item.all) for item in items)


def _under(table: Table, *keys: str) -> Node | None:
    node: Node | None = table
    for key in keys:
        node = node.get(key) if isinstance(node, Table) else None
    return node


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) and not node.is_null else ""


def _all_maps(documents: Documents, beside: Sequence[Documents]) -> Maps:
    """What a file holds itself goes first; where two others have one of a name, none of them is known to be meant."""
    others = [(name, values) for each in beside for name, values in _maps(each).items()]
    taken = Counter(name for name, _ in others)
    return {**{name: values for name, values in others if taken[name] == 1}, **_maps(documents)}


def _maps(documents: Documents) -> Maps:
    tables = (table for root in documents.roots for table in _objects(root))
    found: dict[str, Mapping[str, Scalar]] = {}
    for table in (each for each in tables if _text(each.get("kind")) == "ConfigMap"):
        data = table.get("data")
        values = data.all.items() if isinstance(data, Table) else ()
        name = _text(_under(table, "metadata", "name"))
        found[name] = {key: value for key, (_, value) in values if isinstance(value, Scalar)}
    return found


def foreign_maps(documents: Documents) -> frozenset[str]:
    """The ConfigMaps that a file refers to and that are not in it."""
    named = (table.get(key) for table in nodes(documents) if isinstance(table, Table) for key in _MAP_KEYS)
    names = frozenset(_text(each.get("name")) for each in named if isinstance(each, Table))
    return names - {""} - _maps(documents).keys()


# ---------------------------------------------------------------- containers


def _containers(pod: Pod, documents: Documents, maps: Maps, generated: bool) -> Iterator[Deployment]:
    for key, word in (("initContainers", "init container"), ("containers", "container")):
        items = pod.spec.get(key)
        for item in items.items if isinstance(items, Items) else ():
            if not isinstance(item, Table):
                continue
            sidecar = key == "initContainers" and _text(item.get("restartPolicy")) == "Always"
            name = _text(item.get("name"))
            node = item.get("name") or item
            label = f"{'sidecar' if sidecar else word} {name or '?'} of {pod.kind} {pod.name}"
            image = item.get("image")
            yield Deployment(
                documents.source.path,
                KUBERNETES,
                f"{pod.kind}/{pod.name}/{name}",
                label,
                node.place,
                _override(item, pod, maps, documents),
                _given(image) if isinstance(image, Scalar) else None,
                generated=generated,
                replicas=pod.replicas,
                edits=YamlEdits(
                    documents, item, (), ("args", "command", "image"), {"terminationGracePeriodSeconds": pod.spec}
                ),
                # What is to end by itself before the others start is none of those that are told to stop.
                runs=key == "containers" or sidecar,
                brief=_CHORES.search(pod.kind) is not None or _text(pod.spec.get("restartPolicy")) in _ONCE,
            )


def _given(scalar: Scalar) -> Given:
    text = _excerpt(scalar).text
    return Given(_PLACEHOLDER.sub(UNKNOWN, text), scalar.place)


def _excerpt(scalar: Scalar) -> Excerpt:
    """A text, with what a template fills in taken for unknown."""
    return _replaced(scalar.excerpt(), _TEMPLATE, lambda _: UNKNOWN) if "{{" in scalar.text else scalar.excerpt()


def _override(item: Table, pod: Pod, maps: Maps, documents: Documents) -> Override:
    variables = _environment(item, maps)
    lifecycle = item.get("lifecycle")
    stop = lifecycle.get("stopSignal") if isinstance(lifecycle, Table) else None
    grace = pod.spec.get("terminationGracePeriodSeconds")
    user = _under(item, "securityContext", "runAsUser") or _under(pod.spec, "securityContext", "runAsUser")
    workdir = item.get("workingDir")
    return Override(
        entrypoint=_with_program(_words(item.get("command"), variables), variables),
        command=_words(item.get("args"), variables),
        stop_signal=_given(stop) if isinstance(stop, Scalar) and not stop.is_null else None,
        grace=Seconds(float(grace.text), grace.place) if isinstance(grace, Scalar) and is_number(grace.text) else None,
        user=_given(user) if isinstance(user, Scalar) and not user.is_null else None,
        workdir=_given(workdir) if isinstance(workdir, Scalar) and not workdir.is_null else None,
        env=variables,
        mounts=tuple(_mounts(item, pod, maps, documents)),
        pid=_namespace(pod),
        terminal=any(isinstance(n := item.get(key), Scalar) and n.boolean is True for key in ("tty", "stdin")),
        hooks=tuple(_hooks(lifecycle.get("preStop") if isinstance(lifecycle, Table) else None)),
        opaque=too_many_words(item.get("command"), item.get("args")),
    )


def _namespace(pod: Pod) -> Namespace | None:
    for key, kind in (("hostPID", "host"), ("shareProcessNamespace", "pod")):
        node = pod.spec.get(key)
        if isinstance(node, Scalar) and node.boolean:
            name = pod.spec.key(key) or node
            return Namespace(kind, name.source.place(name.span.start, node.span.end))
    return None


def _words(node: Node | None, variables: Variables) -> Words | None:
    if not isinstance(node, Items) or not node.items:
        return None  # an empty list leaves what the image has
    if too_many_words(node):
        return None
    words = tuple(_expanded(_excerpt(each), variables) for each in node.items if isinstance(each, Scalar))
    return Words(words, node.place) if len(words) == len(node.items) else None


def _with_program(words: Words | None, variables: Variables) -> Words | None:
    """A command whose program is not known where a tool such as envsubst is still to put its name there."""
    found = _NAMED.match(words.words[0].text) if words is not None else None
    if words is None or found is None or found[1] in variables.values:
        return words
    return words._replace(words=(_replaced(words.words[0], _NAMED, lambda _: UNKNOWN), *words.words[1:]))


def _expanded(text: Excerpt, variables: Variables) -> Excerpt:
    """`$(NAME)` by its value, `$$` as `$`; a reference to nothing that is defined stays as it is."""
    if "$" not in text.text:
        return text

    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        name = found[1]
        if name in variables.values:
            return variables.values[name]
        return found[0] if variables.whole else UNKNOWN

    return _replaced(text, _REFERENCE, value)


def _replaced(text: Excerpt, pattern: re.Pattern[str], value: object) -> Excerpt:
    """A text with each match replaced; what comes in stands where the match did."""
    chars: list[str] = []
    offsets: list[int] = []
    last = 0
    for found in pattern.finditer(text.text):
        start, end = found.span()
        chars.append(text.text[last:start])
        offsets += (text.offset(i) for i in range(last, start))
        new = UNKNOWN if len(offsets) > _MOST_REPLACED else value(found) if callable(value) else str(value)
        chars.append(new)
        offsets += [text.offset(start)] * len(new)
        last = end
    if not last:
        return text
    chars.append(text.text[last:])
    offsets += (text.offset(i) for i in range(last, len(text.text) + 1))
    return replace(text, text="".join(chars), offsets=tuple(offsets), base=0)


def _environment(item: Table, maps: Maps) -> Variables:
    values: dict[str, str] = {}
    whole = True
    for source in _items(item.get("envFrom")):
        reference = source.get("configMapRef")
        name = _text(reference.get("name")) if isinstance(reference, Table) else ""
        found = maps.get(name)
        if found is None:
            whole = False
            continue
        prefix = _text(source.get("prefix"))
        more = {prefix + key: value.text for key, value in found.items()} if len(found) <= MOST_VARIABLES else {}
        if len(found) > MOST_VARIABLES or len(values.keys() | more.keys()) > MOST_VARIABLES:
            whole = False
            continue
        values.update(more)
    for entry in _items(item.get("env")):
        if len(values) >= MOST_VARIABLES:
            whole = False
            break
        name, node = _text(entry.get("name")), entry.get("value")
        if isinstance(node, Scalar):
            known = Variables(values, whole)
            value = _expanded(_excerpt(node), known).text if not node.is_null else ""
            # One that is made of others may double with each of them.
            values[name] = value if len(value) <= max(MOST_CHARACTERS, len(node.text)) else UNKNOWN
        else:
            values[name] = _from_map(entry, maps)
    return Variables(values, whole)


def _from_map(entry: Table, maps: Maps) -> str:
    reference = _under(entry, "valueFrom", "configMapKeyRef")
    if not isinstance(reference, Table):
        return UNKNOWN
    found = maps.get(_text(reference.get("name")), {}).get(_text(reference.get("key")))
    return UNKNOWN if found is None else found.text


def _items(node: Node | None) -> tuple[Table, ...]:
    return tuple(item for item in node.items if isinstance(item, Table)) if isinstance(node, Items) else ()


# -------------------------------------------------------------------- mounts


def _mounts(item: Table, pod: Pod, maps: Maps, documents: Documents) -> Iterator[Mount]:
    volumes = {_text(volume.get("name")): volume for volume in _items(pod.spec.get("volumes"))}
    for mount in _items(item.get("volumeMounts")):
        target, sub_path = _text(mount.get("mountPath")), _text(mount.get("subPath"))
        volume = volumes.get(_text(mount.get("name")))
        if not target.startswith("/") or UNKNOWN in target or "$(" in sub_path or "{{" in target:
            continue
        found = _mount(posixpath.normpath(target), sub_path, volume, mount, maps)
        config = volume.get("configMap") if volume is not None else None
        if found is not None and found.kind == "files" and isinstance(config, Table):
            # JSON has no octal numbers.
            mode = "493" if is_json(config) else "0755"
            edits = YamlEdits(documents, config, ("defaultMode",), ("name",)).setting("defaultMode", mode)
            found = found._replace(executable=edits or ())
        if found is not None:
            yield found


def _mount(target: str, sub_path: str, volume: Table | None, mount: Table, maps: Maps) -> Mount | None:
    at, name = mount.place, _text(mount.get("name"))
    if volume is None:
        return Mount(target, at, "unknown", single=bool(sub_path), what=name)
    config = volume.get("configMap")
    if isinstance(config, Table):
        return _config_mount(target, sub_path, config, mount, maps)
    if "emptyDir" in volume.all and not sub_path:
        # What an init container has put there is not known.
        return Mount(target, at, "unknown", what=f"the emptyDir {name}")
    return Mount(target, at, "unknown", single=bool(sub_path), what=f"the volume {name}")


def _config_mount(target: str, sub_path: str, config: Table, mount: Table, maps: Maps) -> Mount:
    name = _text(config.get("name"))
    what = f"the ConfigMap {name}"
    mode_node = config.get("defaultMode")
    mode = _mode(mode_node) if mode_node is not None else _CONFIG_MODE
    found = maps.get(name)
    at = mode_node.place if mode_node is not None else mount.place
    if found is None:
        return Mount(target, at, "unknown", single=bool(sub_path), what=what)
    items = _items(config.get("items"))
    chosen: list[Payload] = []
    if items:
        for item in items:
            value = found.get(_text(item.get("key")))
            own = item.get("mode")
            payload_mode = _mode(own) if own is not None else mode
            text = _excerpt(value) if value is not None else None
            chosen.append(Payload(_text(item.get("path")), text, payload_mode))
    else:
        chosen = [Payload(key, _excerpt(value), mode) for key, value in found.items()]
    if sub_path:
        one = next((payload for payload in chosen if payload.name == sub_path), None)
        if one is None:
            return Mount(target, at, "unknown", single=True, what=what)
        return Mount(target, at, "files", payloads=(one,), single=True, what=what)
    return Mount(target, at, "files", payloads=tuple(chosen), what=what)


def _mode(node: Node) -> int | None:
    """A mode, which YAML takes for octal where it begins with a 0, and for decimal else."""
    text = _text(node)
    if re.fullmatch(r"0o?[0-7]+", text):
        return int(text.replace("o", ""), 8)
    return int(text) if is_number(text) else None


# --------------------------------------------------------------------- hooks


def _hooks(node: Node | None) -> Iterator[Hook]:
    if not isinstance(node, Table):
        return
    command = _under(node, "exec", "command")
    if isinstance(command, Items):
        words = tuple(_excerpt(word) for word in command.items if isinstance(word, Scalar))
        yield Hook("exec", command.place, words)
        return
    seconds = _under(node, "sleep", "seconds")
    if isinstance(seconds, Scalar) and is_number(seconds.text):
        yield Hook("sleep", seconds.place, (), float(seconds.text))
        return
    request = node.get("httpGet")
    if request is not None:
        yield Hook("request", request.place)
