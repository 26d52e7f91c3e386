"""The Compose files of compose-go: those of its folders of test data, and those that are written in its tests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

_FUNCTION = re.compile(r"^func (?P<name>\w+)\(.*?^\}", re.MULTILINE | re.DOTALL)
_TEXT = re.compile(r"`([^`]*)`")
_SERVICES = re.compile(r"^ ?(?:services|include) *:", re.MULTILINE)
_MERGED = re.compile(r"Reset|Override|ParseYAMLFiles")
_SERVICE = r"\w+\.Services\[\"(?P<service>[\w-]+)\"\]"
_EXPECTED = re.compile(rf"{_SERVICE}\.(?P<field>\w+)(?:, | (?=== nil))(?P<value>[^\n]*)\)\n")
_BARE = re.compile(rf"assert\.(?:Check|Assert)\(t, \*{_SERVICE}\.(?P<field>Init)\)")
_VARIABLE = re.compile(r"(?:\benv|\.Environment)\[\"(?P<name>\w+)\"\](?:, \"(?P<value>[^\"]*)\"| == nil)\)")
_SECONDS = re.compile(r"types\.Duration\((\d+)\*time\.Second\)")
_BASE, _OVER = "compose.yaml", "compose.override.yaml"
_FIELDS = {
    "Command": "command",
    "Entrypoint": "entrypoint",
    "Init": "init",
    "StopGracePeriod": "stop_grace_period",
    "StopSignal": "stop_signal",
    "User": "user",
    "WorkingDir": "working_dir",
}
Expected = Mapping[tuple[str, str], object]
"""What a test wants of a service and a key of it; a variable's key is `environment NAME`, None is unset."""
_NOTHING: Expected = {}


class Case(NamedTuple):
    """One application. `texts` are files that are written into `folder` first; `files` are read, one over the other.

    `expected` is what a test says of it. `merged` is a text that has to come to the same.
    """

    name: str
    folder: Path
    files: tuple[str, ...]
    texts: tuple[str, ...] = ()
    expected: Expected = _NOTHING
    merged: str = ""


def cases(clone: Path) -> Iterator[Case]:
    """All of a clone."""
    for path in sorted(clone.glob("**/testdata/**/*.y*ml")):
        text = path.read_text(encoding="utf-8")
        if _SERVICES.search(text):
            yield Case(str(path.relative_to(clone)), path.parent, (path.name,))
    for path in sorted(clone.glob("**/*_test.go")):
        for function in _FUNCTION.finditer(path.read_text(encoding="utf-8")):
            yield from _written(f"{path.relative_to(clone)} {function['name']}", path.parent, function[0])


def _written(name: str, folder: Path, body: str) -> Iterator[Case]:
    """What is written in one test: a text by itself, one over another, or two and what they come to."""
    texts = tuple(text for text in _TEXT.findall(body) if _SERVICES.search(text))
    if name.startswith("override/") and len(texts) == 3:
        yield Case(name, folder, (_BASE, _OVER), texts[:2], merged=texts[2])
    elif len(texts) == 2 and _MERGED.search(name):
        yield Case(name, folder, (_BASE, _OVER), texts, dict(_expected(body)))
    else:
        for number, text in enumerate(texts, 1):
            if len(texts) == 1:
                yield Case(name, folder, (_BASE,), (text,), dict(_expected(body)))
            else:
                yield Case(f"{name} {number}", folder, (_BASE,), (text,))


def _expected(body: str) -> Iterator[tuple[tuple[str, str], object]]:
    """What a test says of the keys that matter, as far as it says it in one line."""
    for found in _EXPECTED.finditer(body):
        if found["field"] in _FIELDS:
            yield (found["service"], _FIELDS[found["field"]]), _value(found["value"])
    for found in _BARE.finditer(body):
        yield (found["service"], _FIELDS[found["field"]]), True
    services = {found["service"] for found in re.finditer(_SERVICE, body)}
    if len(services) == 1:
        for found in _VARIABLE.finditer(body):
            yield (min(services), f"environment {found['name']}"), found["value"]


def _value(text: str) -> object:
    """What a literal of Go means."""
    if seconds := _SECONDS.fullmatch(text):
        return float(seconds[1])
    if text.startswith("types.ShellCommand{"):
        return re.findall(r"\"([^\"]*)\"", text)
    return {"true": True, "false": False, "== nil": None}.get(text, text.strip('"'))
