"""Configuration files: the nearest one to each checked file, and what it says of that file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pid1lint import registry
from pid1lint.diagnostic import Diagnostic, Severity
from pid1lint.errors import Pid1lintError
from pid1lint.facts.own import Facts
from pid1lint.image.context import repository_root

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

    from pid1lint.schema import Keys

NAMES = (".pid1lint.toml", "pid1lint.toml", "pyproject.toml")
"""The names of configuration files; of several in one folder the first counts."""

_PYPROJECT = "pyproject.toml"
_TABLE = ("tool", "pid1lint")


class Config(NamedTuple):
    """What one configuration file says; `folder` is an absolute path, to which patterns and paths are relative.

    `file` is the path as shown to the user, empty for no file at all.
    """

    file: str = ""
    folder: str = ""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, frozenset[str]], ...] = ()
    severity: Mapping[str, Severity] = {}
    fail_on: str = "warning"
    exclude: tuple[str, ...] = ()
    init: str | None = None
    context: tuple[tuple[str, str], ...] = ()
    facts: Facts = Facts()

    def context_of(self, path: str) -> str | None:
        """The build context that it gives a Dockerfile, as an absolute path; the last pattern that matches decides."""
        found = [folder for pattern, folder in self.context if self._matches((pattern,), path)]
        return os.path.join(self.folder, found[-1]) if found else None

    def excludes(self, path: str) -> bool:
        """Whether a search leaves the file out."""
        return self._matches(self.exclude, path)

    def applied(self, diagnostics: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
        """The findings that it lets stand, with the severities that it gives them."""
        for diagnostic in diagnostics:
            if not self._silences(diagnostic):
                severity = self.severity.get(diagnostic.code)
                yield diagnostic if severity is None else diagnostic.with_severity(severity)

    def _silences(self, diagnostic: Diagnostic) -> bool:
        return any(
            diagnostic.code in codes and self._matches((pattern,), diagnostic.at.source.path)
            for pattern, codes in self.per_file_ignores
        )

    def _matches(self, patterns: tuple[str, ...], path: str) -> bool:
        if not patterns:
            return False
        relative = os.path.relpath(os.path.abspath(path), self.folder).replace(os.sep, "/")
        return not relative.startswith("../") and _spec(patterns).match_file(relative)


_SPECS: dict[tuple[str, ...], GitIgnoreSpec] = {}


def _spec(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    if patterns not in _SPECS:
        from pathspec import GitIgnoreSpec

        _SPECS[patterns] = GitIgnoreSpec.from_lines(patterns)
    return _SPECS[patterns]


NO_CONFIG = Config()


class Configs:
    """Finds and reads configuration files, each once.

    `file` is the only one that counts, if given; with `isolated` none does.
    """

    def __init__(self, file: str | None = None, *, isolated: bool = False) -> None:
        self._isolated = isolated
        self._only = None if file is None or isolated else read(file)
        self._chains: dict[str, tuple[Config, ...]] = {}

    def of(self, path: str) -> Config:
        """What counts for a file: the nearest configuration from its folder up to the root of its repository."""
        around = self._around(path)
        return around[0] if around else NO_CONFIG

    def excludes(self, path: str) -> bool:
        """Whether a configuration around the file, the nearest or one above, leaves it out of a search."""
        return any(config.excludes(path) for config in self._around(path))

    def _around(self, path: str) -> tuple[Config, ...]:
        """The configurations from the file's folder upwards."""
        if self._isolated:
            return ()
        if self._only is not None:
            return (self._only,)
        folder = os.path.dirname(os.path.abspath(path))
        return self._chain(folder, repository_root(folder))

    def _chain(self, folder: str, top: str | None) -> tuple[Config, ...]:
        if folder not in self._chains:
            parent = os.path.dirname(folder)
            above = () if folder in (top, parent) else self._chain(parent, top)
            own = _read_in(folder)
            self._chains[folder] = above if own is None else (own, *above)
        return self._chains[folder]


def _read_in(folder: str) -> Config | None:
    for name in NAMES:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            shown = os.path.relpath(path).replace(os.sep, "/")
            text = _text(shown, path)
            # A project file that says nothing of us is not worth a TOML parser.
            if name != _PYPROJECT or ("pid1lint" in text and _says_something(shown, text)):
                return _parse(shown, text)
    return None


def read(path: str) -> Config:
    """The configuration in a file that the user named; `Pid1lintError` if there is none in it."""
    if not os.path.isfile(path):
        from pid1lint.nearest import path_hint

        raise Pid1lintError(f"--config: {path} does not exist{path_hint(path, ending='.toml')}")
    text = _text(path, path)
    if os.path.basename(path) == _PYPROJECT and not _says_something(path, text):
        raise Pid1lintError(f"--config: {path} has no table [tool.pid1lint]")
    return _parse(path, text)


def _text(shown: str, path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except OSError as error:
        raise Pid1lintError(f"{shown} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Pid1lintError(f"{shown} is not UTF-8") from error


def _says_something(path: str, text: str) -> bool:
    from pid1lint.tomlfile import load

    tools = load(path, text).get("tool")
    return isinstance(tools, dict) and "pid1lint" in tools


def _parse(path: str, text: str) -> Config:
    from pid1lint import tomlfile

    table: Any = tomlfile.load(path, text)
    above = _TABLE if os.path.basename(path) == _PYPROJECT else ()
    for key in above:
        table = table[key]
    return _Reader(path, text, above).config(table)


class _Reader:
    """Turns a table into a `Config`; a mistake is told with the line of its key."""

    def __init__(self, path: str, text: str, above: Keys) -> None:
        self.path = path
        self.text = text
        self.above = above
        self.folder = os.path.dirname(os.path.abspath(path))

    def config(self, table: Mapping[str, Any]) -> Config:
        from pid1lint.schema import violations

        if not self.above and set(table) == {"tool"}:
            raise self.error(("tool",), "here the keys stand at the top, without [tool.pid1lint]")
        for violation in violations(table):
            raise self.error(violation.keys, violation.message)
        for key in ("select", "ignore"):
            self.codes(table.get(key, ()), (key,))
        return Config(
            self.path,
            self.folder,
            tuple(table.get("select", ())),
            tuple(table.get("ignore", ())),
            tuple(
                (pattern, self.codes(selectors, ("per-file-ignores", pattern)))
                for pattern, selectors in table.get("per-file-ignores", {}).items()
            ),
            dict(self.severities(table.get("severity", {}))),
            table.get("fail-on", NO_CONFIG.fail_on),
            tuple(table.get("exclude", ())),
            table.get("init"),
            tuple(self.contexts(table.get("context", {}))),
            self.facts(table.get("images", {}), table.get("programs", {})),
        )

    def error(self, keys: Keys, message: str) -> Pid1lintError:
        from pid1lint.tomlfile import ConfigError, line_of

        return ConfigError(f"{self.path}:{line_of(self.text, (*self.above, *keys))}: {message}")

    def codes(self, selectors: Sequence[str], keys: Keys) -> frozenset[str]:
        found: set[str] = set()
        for index, selector in enumerate(selectors):
            try:
                found |= registry.matching(selector)
            except Pid1lintError as error:
                raise self.error((*keys, index), str(error)) from error
        return frozenset(found)

    def severities(self, table: Mapping[str, str]) -> Iterator[tuple[str, Severity]]:
        for rule, severity in table.items():
            try:
                yield from ((code, Severity(severity)) for code in registry.matching(rule))
            except Pid1lintError as error:
                raise self.error(("severity", rule), str(error)) from error

    def contexts(self, table: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        from pid1lint.nearest import path_hint

        for pattern, folder in table.items():
            if not os.path.isdir(os.path.join(self.folder, folder)):
                hint = path_hint(os.path.join(self.folder, folder), folders=True)
                raise self.error(("context", pattern), f"the build context {folder!r} is no folder{hint}")
            yield pattern, folder

    def facts(self, images: Mapping[str, Mapping[str, Any]], programs: Mapping[str, Mapping[str, Any]]) -> Facts:
        from pid1lint.facts.images import known_names
        from pid1lint.nearest import hint

        for name, row in images.items():
            below = row.get("from")
            if below is not None and Facts().base_image(below) is None:
                meant = hint(below.partition(":")[0], known_names())
                raise self.error(("images", name, "from"), f"nothing is known of the image {below!r}{meant}")
            if ":" in name.rpartition("/")[2] or "@" in name:
                raise self.error(("images", name), f"{name!r}: an image's name has no tag here")
        for name, row in programs.items():
            try:
                re.compile(row.get("arguments", ""))
            except re.error as error:
                raise self.error(("programs", name, "arguments"), f"no regular expression: {error}") from error
        placed = {
            name: dict(row, archive=self.archive(name, row)) if "archive" in row else row
            for name, row in images.items()
        }
        return Facts.of(placed, programs) if images or programs else NO_CONFIG.facts

    def archive(self, name: str, row: Mapping[str, Any]) -> str:
        """A source of an image, its path from the working directory on."""
        from pid1lint.discover import is_image

        source: str = row["archive"]
        kind, _, where = source.partition(":")
        if not is_image(source):
            raise self.error(
                ("images", name, "archive"), f"{source!r} is none of oci:DIR, oci-archive:FILE and the like"
            )
        if kind in ("docker", "podman") or os.path.isabs(where):
            return source
        return f"{kind}:{os.path.relpath(os.path.join(self.folder, where))}"
