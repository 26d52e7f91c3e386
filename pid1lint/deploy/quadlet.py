"""Quadlet files (`.container`): units of systemd that Podman turns into a `podman run`. See podman-systemd.unit(5)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pid1lint.deploy.project import Project, joined, parent
from pid1lint.deployment import (
    QUADLET,
    UNKNOWN,
    Building,
    Deployment,
    Edits,
    Given,
    Mount,
    Namespace,
    Override,
    Seconds,
    Variables,
    Words,
)
from pid1lint.fix import Edit
from pid1lint.frozen import NamedTuple
from pid1lint.numbers import is_number
from pid1lint.source import Excerpt, Place, Source, Span

_SPECIFIER = re.compile(r"%[a-zA-Z]")
_INIT = re.compile(r"(?:^|\s)--init(?:=true)?(?:\s|$)")
# systemd puts in the values of variables of its own: `$NAME` is a word of its own then.
_VARIABLE = re.compile(r"\$[A-Za-z_]\w*")
_IN_BRACES = re.compile(r"\$\$|\$\{\w+\}")
_TRUE = frozenset(("1", "yes", "true", "on"))
_DECIDES = """
Image Entrypoint Exec RunInit StopSignal StopTimeout User WorkingDir Environment EnvironmentFile Volume PodmanArgs
""".split()


class Setting(NamedTuple):
    """A line `Key=Value`: the value with its continuations joined."""

    key: str
    value: Excerpt
    at: Place


def deployments(path: str, project: Project) -> tuple[Deployment, ...]:
    """The container of a unit."""
    source = project.source(path)
    if source is None:
        return ()
    settings = tuple(_settings(source))
    if not settings:
        return ()
    return (_deployment(path, source, settings, project),)


def _settings(source: Source) -> Iterator[Setting]:
    """The settings of the section `[Container]`."""
    inside = False
    lines = list(_logical_lines(source))
    for start, text in lines:
        stripped = text.text.strip()
        if stripped.startswith("["):
            inside = stripped == "[Container]"
        elif inside and "=" in text.text and not stripped.startswith(("#", ";")):
            key, _, value = text.text.partition("=")
            begin = len(key) + 1 + (len(value) - len(value.lstrip()))
            end = len(text.text.rstrip())
            cut = text.cut(begin, max(begin, end))
            yield Setting(key.strip(), cut, Place(source, Span(start, start + len(key.strip()))))


def _logical_lines(source: Source) -> Iterator[tuple[int, Excerpt]]:
    """Lines, with those behind a backslash joined by a blank."""
    chars: list[str] = []
    offsets: list[int] = []
    begin = 0
    for number, start in enumerate(source.line_starts, 1):
        line = source.line(number)
        begin = begin if chars else start
        joined_on = line.endswith("\\")
        text = line[:-1] + " " if joined_on else line
        chars.append(text)
        offsets += range(start, start + len(text))
        if not joined_on:
            yield begin, Excerpt(source, "".join(chars), (*offsets, start + len(line)), 0, "word")
            chars, offsets = [], []


def _deployment(path: str, source: Source, settings: tuple[Setting, ...], project: Project) -> Deployment:
    by_key: dict[str, Setting] = {setting.key: setting for setting in settings}
    image = by_key.get("Image")
    name = posixpath.basename(path).removesuffix(".container")
    at = image.value.place() if image is not None else source.place(0, 0)
    building = _build(image, path, project) if image is not None else None
    override = _override(by_key, settings, path, project)
    beside = _drop_in(path, project)
    if beside and not override.opaque:
        override = override.replaced(opaque=f"{beside} changes the unit")
    return Deployment(
        source.path,
        QUADLET,
        name,
        f"container {name}",
        at,
        override,
        Given(_SPECIFIER.sub("\ufffc", image.value.text), at) if image is not None else None,
        building,
        edits=QuadletEdits(source, settings),
    )


def _drop_in(path: str, project: Project) -> str:
    """The file in a folder such as `NAME.container.d` that sets something that counts; empty if there is none."""
    name = posixpath.basename(path).removesuffix(".container")
    dashes = [at + 1 for at, char in enumerate(name) if char == "-"]
    template = [name[: name.index("@") + 1]] if "@" in name else []
    names = (name, *template, *(name[:end] for end in dashes))
    for folder in ("container.d", *(f"{each}.container.d" for each in names)):
        inside = posixpath.join(parent(path), folder)
        for file in project.files.entries(inside):
            source = project.source(posixpath.join(inside, file)) if file.endswith(".conf") else None
            if source is not None and any(setting.key in _DECIDES for setting in _settings(source)):
                return posixpath.join(folder, file)
    return ""


def _build(image: Setting, path: str, project: Project) -> Building | None:
    """The build of an image that another unit, `NAME.build`, makes."""
    if not image.value.text.endswith(".build"):
        return None
    there = joined(parent(path), image.value.text)
    source = project.source(there) if there is not None else None
    values: dict[str, str] = {}
    for line in source.text.splitlines() if source is not None else ():
        key, equals, value = line.partition("=")
        values[key.strip()] = value.strip() if equals else ""
    folder = joined(parent(path), values.get("SetWorkingDirectory", ".").replace("unit", "."))
    dockerfile = joined(parent(path), values.get("File", "Containerfile"))
    known = folder is not None and dockerfile is not None and source is not None
    return Building(image.value.place(), folder if known else None, dockerfile or "", target=values.get("Target", ""))


def _override(by_key: dict[str, Setting], settings: tuple[Setting, ...], path: str, project: Project) -> Override:
    entrypoint = by_key.get("Entrypoint")
    command = by_key.get("Exec")
    init = by_key.get("RunInit")
    grace = by_key.get("StopTimeout")
    podman = [s for s in settings if s.key == "PodmanArgs"]
    options = " ".join(setting.value.text for setting in podman)
    words = [_words(setting).words for setting in podman]
    has_init = init is not None and init.value.text.lower() in _TRUE
    own = init if has_init else next((s for s in podman if _INIT.search(s.value.text)), None)
    pid = next((s for s in podman if re.search(r"--pid[= ]host", s.value.text)), None)
    # What PodmanArgs says comes later on podman's command line, and counts.
    time = _option(words, "--stop-timeout") or _given(grace)
    return Override(
        entrypoint=_entrypoint(entrypoint) if entrypoint is not None else None,
        command=_words(command) if command is not None else None,
        init=Given("true", own.value.place()) if own is not None else None,
        stop_signal=_option(words, "--stop-signal") or _given(by_key.get("StopSignal")),
        grace=Seconds(float(time.text), time.at) if time is not None and is_number(time.text) else None,
        user=_option(words, "--user", "-u") or _given(by_key.get("User")),
        workdir=_option(words, "--workdir", "-w") or _given(by_key.get("WorkingDir")),
        env=Variables(dict(_environment(settings)), not any(s.key == "EnvironmentFile" for s in settings)),
        mounts=tuple(_mounts(settings, path, project)),
        pid=Namespace("host", pid.value.place()) if pid is not None else None,
        opaque="PodmanArgs names another entrypoint" if "--entrypoint" in options else "",
    )


def _option(settings: Sequence[Sequence[Excerpt]], *names: str) -> Given | None:
    """The last value of an option of podman: `--name=value`, or two words of one setting."""
    found: Given | None = None
    for words in settings:
        for at, word in enumerate(words):
            name, equals, value = word.text.partition("=")
            if name in names and (equals or at + 1 < len(words)):
                after = word if equals else words[at + 1]
                found = Given(value if equals else after.text, after.place())
    return found


def _given(setting: Setting | None) -> Given | None:
    return None if setting is None or not setting.value.text else Given(setting.value.text, setting.value.place())


def _entrypoint(setting: Setting) -> Words:
    """A word, or a JSON array."""
    text = setting.value.text
    if not text.startswith("["):
        return Words((setting.value,) if text else (), setting.value.place())
    return Words(tuple(_array(setting.value)), setting.value.place())


def _array(text: Excerpt) -> Iterator[Excerpt]:
    import json

    for found in re.finditer(r'"(?:[^"\\]|\\.)*"', text.text):
        word = text.cut(found.start() + 1, found.end() - 1)
        try:
            value = str(json.loads(found[0]))
        except ValueError:
            value = UNKNOWN  # `\x` is no escape of JSON
        if value == word.text:
            yield replace(word, quoting="json")
        else:
            yield Excerpt(text.source, value, (text.offset(found.start()),) * (len(value) + 1), 0, "nested")


def _words(setting: Setting) -> Words:
    """Words as systemd splits them: quotes and backslashes count, no shell has a look at them."""
    value = setting.value
    words: list[Excerpt] = []
    for found in re.finditer(r"\"((?:[^\"\\]|\\.)*)\"(?=\s|$)|'((?:[^'\\]|\\.)*)'(?=\s|$)|(\S+)", value.text):
        group = next(number for number in (1, 2, 3) if found[number] is not None)
        start, end = found.span(group)
        word = value.cut(start, end)
        raw = word.text
        text = re.sub(r"\\(.)", r"\1", raw).replace("%%", "%")
        text = UNKNOWN if _VARIABLE.fullmatch(text) else _IN_BRACES.sub(_filled_in, text)
        if text != raw or _SPECIFIER.search(raw.replace("%%", "")):
            text = _SPECIFIER.sub("\ufffc", text)
            word = Excerpt(value.source, text, (value.offset(start),) * (len(text) + 1), 0, "nested")
        if word.quoting != "nested":
            word = replace(word, quoting="quoted" if group < 3 else "word")
        words.append(word)
    return Words(tuple(words), value.place(), split=True)


def _filled_in(found: re.Match[str]) -> str:
    return "$" if found[0] == "$$" else UNKNOWN


def _environment(settings: tuple[Setting, ...]) -> Iterator[tuple[str, str]]:
    import shlex

    for setting in settings:
        if setting.key == "Environment":
            try:
                words = shlex.split(setting.value.text)
            except ValueError:
                continue
            for word in words:
                name, equals, value = word.partition("=")
                if equals:
                    yield name, value


def _mounts(settings: tuple[Setting, ...], path: str, project: Project) -> Iterator[Mount]:
    for setting in settings:
        if setting.key != "Volume":
            continue
        source, _, rest = setting.value.text.partition(":")
        target = rest.partition(":")[0]
        if not target.startswith("/") or not source.startswith((".", "/", "%")):
            continue
        at = setting.value.place()
        inside = joined(parent(path), source) if source.startswith(".") else None
        if inside is not None and project.files.is_file(inside):
            yield Mount(posixpath.normpath(target), at, "bind", inside, single=True, what=source)
        elif inside is not None and project.files.is_dir(inside):
            yield Mount(posixpath.normpath(target), at, "bind", inside, what=source)
        else:
            yield Mount(posixpath.normpath(target), at, "unknown", what=source)


class QuadletEdits(Edits):
    """The lines of the section `[Container]`."""

    _NAMES = {"init": "RunInit", "stop_signal": "StopSignal", "grace": "StopTimeout"}  # noqa: RUF012 - never changed

    def __init__(self, source: Source, settings: tuple[Setting, ...]) -> None:
        self.source = source
        self.settings = settings

    def setting(self, key: str, value: str) -> tuple[Edit, ...] | None:
        """A line behind the last setting."""
        name = self._NAMES.get(key)
        if name is None or not self.settings:
            return None
        found = next((each for each in self.settings if each.key == name), None)
        if found is not None:
            return (Edit(self.source, found.value.place().span, value),)
        text = self.source.text
        last = self.settings[-1].value
        at = text.find("\n", last.offset(len(last.text)))
        newline = self.source.newline
        if at < 0:
            return (Edit(self.source, Span(len(text), len(text)), f"{newline}{name}={value}"),)
        return (Edit(self.source, Span(at + 1, at + 1), f"{name}={value}{newline}"),)

    def renamed(self, key: str, name: str) -> None:
        """Entrypoint and Exec are written in different ways."""
        return

    def without(self, key: str) -> tuple[Edit, ...] | None:
        """Without the line of a setting."""
        found = next((each for each in self.settings if each.key == self._NAMES.get(key)), None)
        if found is None:
            return None
        text = self.source.text
        start = text.rfind("\n", 0, found.at.span.start) + 1
        end = text.find("\n", found.value.offset(len(found.value.text))) + 1 or len(text)
        return (Edit(self.source, Span(start, end), ""),)
