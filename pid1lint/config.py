"""Configuration files: the nearest one to each checked file, and what it says of that file."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from pid1lint import files, registry
from pid1lint.diagnostic import Diagnostic, Severity
from pid1lint.errors import Pid1lintError
from pid1lint.facts.own import Facts
from pid1lint.files import is_inside, repository_root
from pid1lint.frozen import NamedTuple

if TYPE_CHECKING:
    from pid1lint.gitignore import Rules
    from pid1lint.schema import Keys

NAMES = (".pid1lint.toml", "pid1lint.toml", "pyproject.toml")
"""The names of configuration files; of several in one folder the first counts."""

T = TypeVar("T")

_PYPROJECT = "pyproject.toml"
_MOST_PATTERNS = 1000
_MOST_MISTAKES = 20
_TABLE = ("tool", "pid1lint")


class Config(NamedTuple):
    """What one configuration file says; `folder` is an absolute path, to which patterns and paths are relative.

    `file` is the path as shown to the user, empty for no file at all. `baseline` is a path as shown. `baseline` and
    `format` are those of a run: they count in the file that is nearest to the working directory.
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
    baseline: str | None = None
    format: str | None = None

    def context_of(self, path: str) -> str | None:
        """The build context that it gives a Dockerfile, as an absolute path; the last pattern that matches decides."""
        found = self._matching(self.context, path)
        return os.path.join(self.folder, found[-1]) if found else None

    def excludes(self, path: str) -> bool:
        """Whether a search leaves the file out."""
        relative = self._relative(path) if self.exclude else None
        return relative is not None and _rules(self.exclude).ignore(relative)

    def applied(self, diagnostics: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
        """The findings that it lets stand, with the severities that it gives them."""
        silenced: dict[str, frozenset[str]] = {}
        for diagnostic in diagnostics:
            path = diagnostic.at.source.path
            if path not in silenced:
                silenced[path] = frozenset().union(*self._matching(self.per_file_ignores, path))
            if diagnostic.code not in silenced[path]:
                severity = self.severity.get(diagnostic.code)
                yield diagnostic if severity is None else diagnostic.with_severity(severity)

    def _matching(self, rows: Sequence[tuple[str, T]], path: str) -> list[T]:
        """What stands beside the patterns that match a path."""
        relative = self._relative(path) if rows else None
        return [] if relative is None else [found for pattern, found in rows if _rules((pattern,)).ignore(relative)]

    def _relative(self, path: str) -> str | None:
        """The path from the folder on, if it lies in it."""
        relative = os.path.relpath(os.path.abspath(path), self.folder).replace(os.sep, "/")
        return None if relative.startswith("../") else relative


@cache
def _rules(patterns: tuple[str, ...]) -> Rules:
    from pid1lint.gitignore import Rules

    return Rules.of(patterns)


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
        """The configurations from a folder up to `top`, the nearest first."""
        below: list[str] = []
        above: tuple[Config, ...] = ()
        while folder not in self._chains:
            below.append(folder)
            parent = os.path.dirname(folder)
            if folder in (top, parent):
                break
            folder = parent
        else:
            above = self._chains[folder]
        for each in reversed(below):
            own = _read_in(each)
            above = above if own is None else (own, *above)
            self._chains[each] = above
        return above


def _read_in(folder: str) -> Config | None:
    for name in NAMES:
        path = os.path.join(folder, name)
        try:
            if stat.S_ISDIR(os.stat(path).st_mode):
                continue
        except OSError:
            continue
        shown = os.path.relpath(path).replace(os.sep, "/")
        text = _text(shown, path, partial(files.homes, path))
        # A project file that says nothing of us is not worth a TOML parser.
        if name != _PYPROJECT or ("pid1lint" in text and _says_something(shown, text)):
            return _parse(shown, text, repository_root(folder) or folder)
    return None


def read(path: str) -> Config:
    """The configuration in a file that the user named; `Pid1lintError` if there is none in it."""
    if not os.path.lexists(path):
        from pid1lint.nearest import path_hint

        raise Pid1lintError(f"--config: {path} does not exist{path_hint(path, ending='.toml')}")
    text = _text(path, path)
    if os.path.basename(path) == _PYPROJECT and not _says_something(path, text):
        raise Pid1lintError(f"--config: {path} has no table [tool.pid1lint]")
    return _parse(path, text)


def _text(shown: str, path: str, within: files.Within | None = None) -> str:
    try:
        return files.read(path, shown, within=within, limit=files.MAX_SETTINGS).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Pid1lintError(f"{shown} is not UTF-8") from error


def _says_something(path: str, text: str) -> bool:
    from pid1lint.tomlfile import load

    tools = load(path, text).get("tool")
    return isinstance(tools, dict) and "pid1lint" in tools


def _parse(path: str, text: str, within: str | None = None) -> Config:
    """What a file says; what it names must lie `within` a folder, if one is given."""
    from pid1lint import tomlfile

    table: Any = tomlfile.load(path, text)
    above = _TABLE if os.path.basename(path) == _PYPROJECT else ()
    for key in above:
        table = table[key]
    return _Reader(path, text, above, within).config(table)


class _Reader:
    """Turns a table into a `Config`; all mistakes are told, each with the line of its key.

    Whoever checks a stranger's repository reads a stranger's configuration: it names nothing outside that repository.
    Only a file that the user gives by --config may; `within` is None then.
    """

    def __init__(self, path: str, text: str, above: Keys, within: str | None) -> None:
        self.within = within
        self.path = path
        self.text = text
        self.above = above
        self.folder = os.path.dirname(os.path.abspath(path))
        self.mistakes: list[tuple[int, str]] = []

    def config(self, table: Mapping[str, Any]) -> Config:
        """What the table says; `ConfigError` with all that is wrong in it."""
        from pid1lint.schema import violations
        from pid1lint.tomlfile import ConfigError

        if not self.above and set(table) == {"tool"}:
            self.wrong(("tool",), "in this file the keys stand at the top, without [tool.pid1lint]")
            raise ConfigError(*self.told())
        for violation in violations(table):
            self.wrong(violation.keys, violation.message)
            table = _without(table, violation.keys) if violation.keys else {}
        config = self._config(table)
        if self.mistakes:
            raise ConfigError(*self.told())
        return config

    def told(self) -> Iterator[str]:
        """The mistakes, in the order of their lines."""
        return (f"{self.path}:{line}: {message}" for line, message in sorted(self.mistakes, key=lambda each: each[0]))

    def _config(self, table: Mapping[str, Any]) -> Config:
        for key in ("select", "ignore"):
            self.codes(table.get(key, ()), (key,))
        for key in ("exclude", "per-file-ignores", "context"):
            if len(table.get(key, ())) > _MOST_PATTERNS:
                self.wrong((key,), f"{key} has more than {_MOST_PATTERNS} patterns")
                table = _without(table, (key,))
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
            self.baseline(table.get("baseline")),
            table.get("format"),
        )

    def wrong(self, keys: Keys, message: str) -> None:
        """Note a mistake; `ConfigError` when there are as many as anybody reads."""
        from pid1lint.tomlfile import ConfigError, line_of

        self.mistakes.append((line_of(self.text, (*self.above, *keys)), message))
        if len(self.mistakes) == _MOST_MISTAKES:
            raise ConfigError(*self.told())

    def baseline(self, path: str | None) -> str | None:
        """The path of the baseline, as it is shown."""
        if path is None:
            return None
        whole = os.path.join(self.folder, path)
        if self.within is not None and not is_inside(whole, self.within):
            self.wrong(("baseline",), f"the baseline {path!r} lies outside the repository")
        return os.path.relpath(whole).replace(os.sep, "/")

    def codes(self, selectors: Sequence[str], keys: Keys) -> frozenset[str]:
        found: set[str] = set()
        for index, selector in enumerate(selectors):
            try:
                found |= registry.matching(selector)
            except Pid1lintError as error:
                self.wrong((*keys, index), str(error))
        return frozenset(found)

    def severities(self, table: Mapping[str, str]) -> Iterator[tuple[str, Severity]]:
        for rule, severity in table.items():
            try:
                yield from ((code, Severity(severity)) for code in registry.matching(rule))
            except Pid1lintError as error:
                self.wrong(("severity", rule), str(error))

    def contexts(self, table: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        from pid1lint.nearest import path_hint

        for pattern, folder in table.items():
            if self.within is not None and not is_inside(os.path.join(self.folder, folder), self.within):
                only = "only a file given with --config can name one"
                self.wrong(("context", pattern), f"the build context {folder!r} lies outside the repository; {only}")
            elif not os.path.isdir(os.path.join(self.folder, folder)):
                hint = path_hint(os.path.join(self.folder, folder), folders=True)
                self.wrong(("context", pattern), f"the build context {folder!r} is not a folder{hint}")
            yield pattern, folder

    def facts(self, images: Mapping[str, Mapping[str, Any]], programs: Mapping[str, Mapping[str, Any]]) -> Facts:
        from pid1lint.facts.images import known_names
        from pid1lint.nearest import hint

        for name, row in images.items():
            below = row.get("from")
            if below is not None and Facts().base_image(below) is None:
                meant = hint(below.partition(":")[0], known_names())
                self.wrong(("images", name, "from"), f"pid1lint does not know the image {below!r}{meant}")
            if ":" in name.rpartition("/")[2] or "@" in name:
                self.wrong(("images", name), f"{name!r}: the name must not have a tag here")
        for name, row in programs.items():
            try:
                re.compile(row.get("arguments", ""))
                if _may_explode(row.get("arguments", "")):
                    told = "the expression may take too long: it has more than two repetitions, or nested ones"
                    self.wrong(("programs", name, "arguments"), told)
            except (re.error, OverflowError, RecursionError) as error:
                self.wrong(("programs", name, "arguments"), f"not a regular expression: {error}")
        placed = {
            name: dict(row, archive=self.archive(name, row)) if "archive" in row else row
            for name, row in images.items()
        }
        return Facts.of(placed, programs) if (images or programs) and not self.mistakes else NO_CONFIG.facts

    def archive(self, name: str, row: Mapping[str, Any]) -> str:
        """A source of an image, its path from the working directory on."""
        from pid1lint.discover import is_image

        source: str = row["archive"]
        kind, _, where = source.partition(":")
        if not is_image(source):
            self.wrong(
                ("images", name, "archive"), f"{source!r} must be oci:DIR, oci-archive:FILE or docker-archive:FILE"
            )
        if kind in ("docker", "podman") or os.path.isabs(where):
            return source
        return f"{kind}:{os.path.relpath(os.path.join(self.folder, where))}"


def _without(table: Mapping[str, Any], keys: Keys) -> Mapping[str, Any]:
    """The table without what some keys lead to: the rest of it may have mistakes of other kinds."""
    key, *further = keys
    below = table.get(str(key))
    if further and isinstance(below, dict):
        return {**table, str(key): _without(below, tuple(further))}
    return {name: value for name, value in table.items() if name != key}


_REPEATS = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<open>\()|(?P<close>\))|(?P<repeat>[*+]|\{\d*,\d*\})", re.DOTALL
)
_LONGEST = 1000
_MOST_REPEATS = 2


def _may_explode(expression: str) -> bool:
    """Whether a regular expression may try more ways than there is time for: it repeats what is itself repeated."""
    if len(expression) > _LONGEST:
        return True
    repeats = 0
    groups: list[bool] = []
    closed = False
    end = -1
    for match in _REPEATS.finditer(expression):
        if match["open"]:
            groups.append(False)
        elif match["close"]:
            closed = groups.pop() if groups else False
            end = match.end()
            if groups:
                groups[-1] = groups[-1] or closed
        elif match["repeat"]:
            repeats += 1
            if (closed and match.start() == end) or repeats > _MOST_REPEATS:
                return True
            groups = [True] * len(groups)
    return False
