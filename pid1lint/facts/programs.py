"""What a program does by itself: how long it runs, how it takes signals, how it stays in the foreground."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from typing import Any

from pid1lint.facts import data
from pid1lint.frozen import NamedTuple

_NOTHING: Mapping[str, str] = {}
_NO_ROWS: Mapping[str, tuple[Program, ...]] = {}
CONFIGURED = "the configuration"
"""The source of what a configuration says of a program."""
_SEARCHED = 500
_IGNORED = frozenset(("CHLD", "CONT", "URG", "WINCH"))
_VERSION = re.compile(r"(?<=[a-z])-?\d[\d.]*$")
_SCRIPTS = {"manage.py": "manage.py", "artisan": "artisan", "console": "bin/console"}
_SUFFIXES = (".exe", ".cmd", ".phar")
_INIT_SCRIPTS = ("/etc/init.d", "/etc/rc.d", "/etc/rc.d/init.d")


class Recipe(NamedTuple):
    """How to edit an argv so that the program stays in the foreground.

    First the words that are keys of `replace` become its values (none: the word goes), then `insert` goes right
    behind the program's name and `append` to the end. `argv`, if set, is the whole new command instead.
    """

    append: tuple[str, ...] = ()
    insert: tuple[str, ...] = ()
    replace: tuple[tuple[str, tuple[str, ...]], ...] = ()
    argv: tuple[str, ...] = ()

    def apply(self, argv: Sequence[str]) -> tuple[str, ...]:
        """The edited argv."""
        if self.argv:
            return self.argv
        table = dict(self.replace)
        edited = [new for word in argv[1:] for new in table.get(word, (word,))]
        return (argv[0], *self.insert, *edited, *self.append)


class Aside(NamedTuple):
    """The environment variable that makes a wrapper script step aside, in images of these families (none: in all)."""

    variable: str
    value: str
    families: tuple[str, ...] = ()


class Program(NamedTuple):
    """One program, or one way of calling it.

    `kind`: `program`, `runner` (starts a command that stands elsewhere: npm, make), `interpreter` (runs the app's
    own source, see `interpreter`), `shell` or `interactive` (a language's own shell: it ends with its input).
    `arguments` and `unless` are patterns that the joined arguments must, and must not, match; `unless_config` one that
    the program's configuration files and its environment (`NAME=value`, a line each) must not, as far as they are
    known; `unless_env` one that no variable of its environment may match. `configs` are the paths of those files (of
    directories of them, where they end in `/`) if the command names none.
    `lifetime`: `short` (returns by itself soon), `forever` (a server, never returns), `long` (may be either) or
    `daemonizes` (returns and leaves a daemon in the background; `foreground` says how to keep it).
    `signals`: signal name without SIG -> `handles` (ends cleanly), `drops` (ends at once, work in flight is lost),
    `default` (no handler: PID 1 ignores it, else it kills at once), `survives` (caught or ignored, and it stays).
    A signal that is not in it is not known. `waits`: for whom it waits on a signal before it ends;
    that signal is one that it `survives`. `graceful` is the one for a clean end, empty if not known.
    `reaps`: whether it waits for orphans that it never started; None if not known. `spawns`: it starts children
    that may be orphaned. `language`: what it is written in, where an interpreter may be called with its name.
    `interpreter`: the language whose source decides, empty if the facts here do.
    `wraps`: it is a script that runs this program as its child, and does not tell it of signals; `steps_aside` says how
    it would. `helper`: nothing is lost when it is cut off. `folders`: called by a path, the program must lie in one of
    these (`*` stands for anything): its name is anyone's. `unless_sh`: the name is another program's where this shell
    is /bin/sh. `in_group`: what the stop signal does where an init sends it to the whole process group, if that is
    something else: workers end, and the master waits for them for ever.
    """

    names: tuple[str, ...]
    lifetime: str = "long"
    kind: str = "program"
    arguments: str = ""
    unless: str = ""
    unless_config: str = ""
    unless_env: str = ""
    configs: tuple[str, ...] = ()
    unless_sh: str = ""
    folders: tuple[str, ...] = ()
    wraps: str = ""
    steps_aside: Aside | None = None
    foreground: Recipe | None = None
    signals: Mapping[str, str] = _NOTHING
    waits: Mapping[str, str] = _NOTHING
    graceful: str = ""
    reaps: bool | None = None
    spawns: bool = False
    interpreter: str = ""
    language: str = ""
    helper: bool = False
    in_group: str = ""
    measured: bool = False
    note: str = ""
    source: str = ""

    @property
    def is_believed(self) -> bool:
        """Whether nobody has measured or read what the row says of the program's reactions."""
        return self.source.startswith("believed")

    def reaction(self, signal: str) -> str:
        """What `signal` (without SIG) does to it: one of `signals`' values, or empty if not known.

        Some signals are ignored unless a program asks for them (signal(7)): one whose signals are known does not.
        """
        return self.signals.get(signal, "survives" if self.signals and signal in _IGNORED else "")


_MOST_KEPT = 1024
"""How many commands are kept with their rows: a script is run on many paths."""
_ABOUT_ITSELF = frozenset(("--help", "--version"))
_TELLS = Program(("--help", "--version"), lifetime="short", source="documented: GNU coding standards, 4.8.1 and 4.8.2")


@cache
def _file() -> dict[str, Any]:
    return data.read("programs")


@cache
def _entries() -> dict[str, list[Mapping[str, Any]]]:
    """What the file has, by the names of the programs."""
    table: dict[str, list[Mapping[str, Any]]] = {}
    for entry in _file()["programs"]:
        for name in data.words(entry["names"]):
            table.setdefault(name, []).append(entry)
    return table


@cache
def _rows(name: str) -> tuple[Program, ...]:
    """The rows of a name: made when it is asked for, as few of so many are."""
    return tuple(_program(entry, _file()["reactions"]) for entry in _entries().get(name, ()))


def _program(entry: Mapping[str, Any], reactions: Mapping[str, Mapping[str, str]]) -> Program:
    fields = dict(entry)
    fields["names"] = data.words(fields["names"])
    fields["signals"] = _signals(fields.get("signals", {}), reactions)
    for key in ("folders", "configs"):
        fields[key] = data.words(fields.get(key, ""))
    aside = fields.get("steps_aside")
    if aside is not None:
        fields["steps_aside"] = Aside(aside["variable"], aside["value"], data.words(aside.get("families", "")))
    recipe = fields.get("foreground")
    fields["foreground"] = None if recipe is None else _recipe(recipe)
    fields["measured"] = fields["source"].startswith("measured")
    return Program(**fields)


def _signals(value: str | dict[str, str], reactions: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """A table of signals, or the name of one that several programs share."""
    return dict(reactions[value]) if isinstance(value, str) else value


def _recipe(value: Mapping[str, Any]) -> Recipe:
    return Recipe(
        tuple(value.get("append", ())),
        tuple(value.get("insert", ())),
        tuple((word, tuple(new)) for word, new in value.get("replace", {}).items()),
        tuple(value.get("argv", ())),
    )


def program(
    argv: Sequence[str],
    otherwise: Callable[[Program], bool] | None = None,
    own: Mapping[str, tuple[Program, ...]] = _NO_ROWS,
) -> Program | None:
    """The first row that fits a command; interpreters that run a known module or script give that one's row.

    `otherwise` tells whether the image's configuration files or the environment rule a row out; without it, nothing
    does. `own` are the user's rows by name: for their names, ours do not count.
    """
    if own and argv:
        row = _own_row(argv, own)
        if row is not None:
            return row
    if argv[1:] and all(word in _ABOUT_ITSELF for word in argv[1:]):
        return _TELLS
    first = _first_row(tuple(argv))
    if otherwise is None or first is None or not (first.unless_config or first.unless_env):
        return first
    return next((row for row in _rows_of(argv) if not otherwise(row)), None)


@lru_cache(_MOST_KEPT)
def _first_row(argv: tuple[str, ...]) -> Program | None:
    return next(_rows_of(argv), None)


def _rows_of(argv: Sequence[str]) -> Iterator[Program]:
    """All rows that fit a command, the most telling first."""
    for candidate in _candidates(argv):
        name, rest = candidate[0], " ".join(candidate[1:])
        folder = argv[0].rpartition("/")[0]
        for row in _rows(name):
            if _fits(row, rest) and (not row.folders or not folder or _lies_in(folder, row.folders)):
                yield row


def _lies_in(folder: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(folder, pattern) for pattern in patterns)


def _own_row(argv: Sequence[str], own: Mapping[str, tuple[Program, ...]]) -> Program | None:
    """The user's row for a command, or for the script that an interpreter runs."""
    name = program_name(argv[0])
    language = next((row.interpreter for row in _rows(name) if row.interpreter), "")
    script = _script(language, argv) if language else ()
    for command in (argv, script[1:] if script and script[0] == "-m" else script):
        called = command[0].rpartition("/")[2] if command else ""
        for row in (*own.get(called, ()), *own.get(_VERSION.sub("", called), ())):
            if _fits(row, " ".join(command[1:])):
                return row
    return None


def _fits(row: Program, rest: str) -> bool:
    if row.source == CONFIGURED:
        # A stranger's expression has a short text to try itself at.
        rest = rest[:_SEARCHED]
    if row.arguments and not re.search(row.arguments, rest):
        return False
    return not (row.unless and re.search(row.unless, rest))


def program_name(word: str) -> str:
    """The name in the facts of a program as called: no folder, no `.exe`, no version (`php-fpm8.2`, `python3.11`)."""
    name = word.rpartition("/")[2]
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    if name in _entries():
        return name
    return _VERSION.sub("", name)


def _candidates(argv: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The commands to look up, most telling first."""
    if not argv:
        return
    folder, _, script = argv[0].rpartition("/")
    if folder in _INIT_SCRIPTS:
        yield ("service", script, *argv[1:])
    name = program_name(argv[0])
    rows = _rows(name)
    language = next((row.interpreter for row in rows if row.interpreter), "")
    if language:
        yield from _interpreted(language, argv)
    yield (name, *argv[1:])


_VALUE_OPTIONS = {
    "python": frozenset(("-W", "-X", "-Q")),
    "node": frozenset(("-r", "--require", "--import", "--loader", "-C", "--env-file", "--inspect-port")),
    "ruby": frozenset(("-I", "-r", "-C", "-E")),
    "php": frozenset(("-d", "-c", "-z")),
    "perl": frozenset(()),
    "java": frozenset(("-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules", "--add-opens")),
}


def _interpreted(language: str, argv: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The command that `python -m module args` or `php artisan args` amounts to, if its name is known."""
    words = _script(language, argv)
    if not words:
        return
    if words[0] == "-m":
        yield from _module(words[1], words[2:])
        return
    script = words[0].rpartition("/")[2]
    known = _rows(_SCRIPTS.get(script, script))
    if any(row.language == language for row in known):
        yield (_SCRIPTS.get(script, script), *words[1:])


def _script(language: str, argv: Sequence[str]) -> Sequence[str]:
    """What an interpreter runs, with its arguments, or Python's `-m` with the module's; empty if nothing."""
    takers = _VALUE_OPTIONS.get(language, frozenset())
    at = 1
    while at < len(argv) and argv[at].startswith("-"):
        if language == "python" and argv[at] == "-m" and at + 1 < len(argv):
            return argv[at:]
        at += 2 if argv[at] in takers else 1
    if language == "java" and "-jar" in argv[1:-1]:
        at = argv.index("-jar") + 1
    return argv[at:]


def _module(module: str, rest: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """`python -m name`: the row of `-m name` if there is one, else that of the program `name`."""
    if "-m" + module in _entries():
        yield ("-m" + module, *rest)
    top = module.removesuffix(".__main__").partition(".")[0]
    if any(row.language == "python" for row in _rows(top)):
        yield (top, *rest)


class Runner(NamedTuple):
    """How a package runner passes the stop signal on to an app that handles it.

    `dash` is the launch's outcome where /bin/sh is Debian's dash, `other` where it is busybox or bash: `graceful`,
    `abrupt` or `hang`. `exec_mends`: `exec` before the script's command makes it graceful with dash too.
    `versions` is a pattern of the versions it holds of, empty for all others.
    """

    names: tuple[str, ...]
    dash: str
    other: str
    versions: str = ""
    exec_mends: bool = False
    measured: bool = False
    source: str = ""


@cache
def _runners() -> tuple[Runner, ...]:
    rows = _file()["runners"]
    return tuple(
        Runner(**dict(row, names=data.words(row["names"]), measured=row["source"].startswith("measured")))
        for row in rows
    )


def runner(name: str, version: str = "") -> Runner | None:
    """The facts of `npm`, `yarn` and their like; without a version, those of the versions in common use."""
    for row in _runners():
        if name in row.names and (not row.versions or (version and re.match(row.versions, version))):
            return row
    return None


def npm_version(node: str) -> str:
    """The npm that comes with a Node.js version (`20`, `20.11`, `18.17.0`), or empty if not known.

    A tag of one or two numbers stands for the newest release.
    """
    return next((npm for pattern, npm in _file()["npm_versions"] if re.match(pattern, node)), "")
