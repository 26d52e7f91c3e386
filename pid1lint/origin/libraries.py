"""Which libraries a program uses: by the manifests of its language, or by what its source takes in."""

from __future__ import annotations

import json
import posixpath
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from pid1lint.frozen import NamedTuple

if TYPE_CHECKING:
    from pid1lint.image.filesystem import ImageFile
    from pid1lint.origin.sources import Sources
    from pid1lint.source import Place


_LONGEST = 200
"""No longer word of a manifest is the name of a library."""


class Use(NamedTuple):
    """A library by the name that its language has for it, and where the source or a manifest names it."""

    name: str
    place: Place


def used(language: str, source: Sources) -> tuple[Use, ...] | None:
    """The libraries of a program besides those of its language; None where nothing tells which they are."""
    reader = _READERS.get(language)
    if reader is None:
        return None
    found: dict[str, Use] = {}
    for use in reader(source):
        found.setdefault(use.name, use)
    return tuple(found.values())


def _text(file: ImageFile) -> str:
    return file.text.text if file.text is not None else ""


def _at(file: ImageFile, match: re.Match[str], group: int | str = 0) -> Place:
    assert file.text is not None
    return file.text.place(match.start(group), match.end(group))


def _matches(files: Iterable[ImageFile], pattern: str) -> Iterator[Use]:
    """What a pattern's first group finds in files."""
    for file in files:
        for match in re.finditer(pattern, _text(file)):
            yield Use(match[1], _at(file, match, 1))


def _named(file: ImageFile, names: Iterable[str]) -> Iterator[Use]:
    """Names that a manifest has, each with the place where it stands, or else the first line."""
    assert file.text is not None
    found = dict.fromkeys(names, -1)
    for match in re.finditer(r"""[^\s"'=:]+""", _text(file)):
        parts = match[0].split(".") if len(match[0]) <= _LONGEST else ()
        at = match.start()
        for number, part in enumerate(parts):
            # The whole word, and what it begins with: `tokio.workspace = true` names tokio.
            for word, start in ((".".join(parts[: number + 1]), match.start()), (part, at)):
                if found.get(word) == -1:
                    found[word] = start
            at += len(part) + 1
    first = len(_text(file).partition("\n")[0])
    for name, at in found.items():
        yield Use(name, file.text.place(at, at + len(name)) if at >= 0 else file.text.place(0, first))


# ------------------------------------------------------------------- by manifests


def _rust(source: Sources) -> Iterator[Use]:
    for file in source.manifests:
        try:
            manifest = tomllib.loads(_text(file))
        except tomllib.TOMLDecodeError:
            continue
        targets = manifest.get("target")
        tables = [manifest, *(targets.values() if isinstance(targets, dict) else ())]
        for table in tables:
            given = table.get("dependencies") if isinstance(table, dict) else None
            if isinstance(given, dict):
                yield from _named(file, [n for n, v in given.items() if not (isinstance(v, dict) and "path" in v)])


def _go(source: Sources) -> Iterator[Use]:
    for file in source.manifests:
        text = _text(file)
        for block in re.finditer(r"(?ms)^require\s*\((.*?)^\)|^require\s+([^\n(]+)$", text):
            group = 1 if block[1] is not None else 2
            for line in re.finditer(r"(?m)^\s*([^\s/][^\s]*/[^\s]+)\s+v\S+(?P<note>[^\n]*)$", block[group]):
                if "indirect" not in line["note"]:
                    start = block.start(group) + line.start(1)
                    assert file.text is not None
                    yield Use(line[1], file.text.place(start, start + len(line[1])))


def _dotnet(source: Sources) -> Iterator[Use]:
    yield from _matches(source.manifests, r"<PackageReference\s+[^>]*?Include=\"([^\"]+)\"")


def _swift(source: Sources) -> Iterator[Use]:
    yield from _matches(source.manifests, r"\.package\([^)]*?url:\s*\"[^\"]*?/([^/\"]+?)(?:\.git)?\"")


def _zig(source: Sources) -> Iterator[Use]:
    yield from _matches(source.manifests, r"\bdependency\(\s*\"([^\"]+)\"")


def _crystal(source: Sources) -> Iterator[Use]:
    for file in source.manifests:
        block = re.search(r"(?m)^dependencies:\s*\n((?:[ \t]+[^\n]*\n?)*)", _text(file))
        if block is not None:
            yield from _named(file, re.findall(r"(?m)^  (\w[\w.-]*):", block[1]))


def _php(source: Sources) -> Iterator[Use]:
    yield from _of_json(source.manifests, "require", lambda name: "/" in name)


def _of_json(files: Iterable[ImageFile], key: str, wanted: Callable[[str], bool] = bool) -> Iterator[Use]:
    for file in files:
        try:
            manifest = json.loads(_text(file))
        except (ValueError, RecursionError):
            continue
        given = manifest.get(key) if isinstance(manifest, dict) else None
        yield from _named(file, filter(wanted, given) if isinstance(given, dict) else ())


def _d(source: Sources) -> Iterator[Use]:
    yield from _of_json((f for f in source.manifests if f.path.endswith(".json")), "dependencies")
    yield from _matches((f for f in source.manifests if f.path.endswith(".sdl")), r"(?m)^\s*dependency\s+\"([^\"]+)\"")
    if source.manifests:
        return
    own = {posixpath.splitext(posixpath.basename(file.path))[0] for file in (*source.reached, *source.others)}
    for use in _matches(source.reached, r"(?m)\bimport\s+(?:\w+\s*=\s*)?([a-z]\w*)"):
        if use.name not in ("std", "core", "etc", "object") and use.name not in own:
            yield use


# ------------------------------------------------------------------- by the source


_PYTHON = r"(?m)^[ \t]*(?:from|import)[ \t]+([A-Za-z_]\w*)"
_PYTHON_MORE = r"(?m)^[ \t]*import[ \t]+[\w.]+(?:[ \t]+as[ \t]+\w+)?[ \t]*,[ \t]*([A-Za-z_]\w*)"


def _python(source: Sources) -> Iterator[Use]:
    own = {
        name
        for file in (*source.reached, *source.others)
        for name in (posixpath.splitext(posixpath.basename(file.path))[0], *file.path.split("/")[-4:-1])
    }
    for pattern in (_PYTHON, _PYTHON_MORE):
        for use in _matches(source.reached, pattern):
            if use.name not in sys.stdlib_module_names and use.name not in own:
                yield use


_NODE = r"(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)['\"`]((?:@[\w.-]+/)?[A-Za-z][\w.-]*)(?:/[^'\"`]*)?['\"`]"
_NODE_OWN = frozenset(
    "assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain "
    "events fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl "
    "stream string_decoder timers tls trace_events tty url util v8 vm wasi worker_threads zlib bun".split()
)


def _node(source: Sources) -> Iterator[Use]:
    for use in _matches(source.reached, _NODE):
        if use.name not in _NODE_OWN:
            yield use


_C = r"(?m)^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"\n]+)[>\"]"
_C_OWN = re.compile(
    r"(?:sys|net|netinet|arpa|linux|asm|bits|machine|rpc|scsi|mach|experimental|ext)/|(?!.*/)(?:[a-z0-9_]+|c[a-z]+)\Z"
)


def _c(source: Sources) -> Iterator[Use]:
    own = {posixpath.basename(file.path) for file in (*source.reached, *source.others)}
    for use in _matches(source.reached, _C):
        head = use.name.partition("/")[0]
        if posixpath.basename(use.name) not in own and not _C_OWN.match(use.name):
            yield Use(head if "/" in use.name else use.name, use.place)


def _perl(source: Sources) -> Iterator[Use]:
    own = {posixpath.splitext(posixpath.basename(file.path))[0] for file in (*source.reached, *source.others)}
    for use in _matches(source.reached, r"(?m)^\s*(?:use|require)\s+([A-Z]\w*(?:::\w+)*)"):
        if use.name.rpartition("::")[2] not in own:
            yield use


_READERS: dict[str, Callable[[Sources], Iterator[Use]]] = {
    "c": _c,
    "c++": _c,
    "crystal": _crystal,
    "d": _d,
    "dotnet": _dotnet,
    "go": _go,
    "node": _node,
    "perl": _perl,
    "php": _php,
    "python": _python,
    "rust": _rust,
    "swift": _swift,
    "zig": _zig,
}
