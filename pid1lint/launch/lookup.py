"""What the image answers: which file a name stands for, which shell is behind it, what is known of a program."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import cache, reduce
from itertools import islice
from typing import TYPE_CHECKING

from pid1lint.facts.programs import Program, program
from pid1lint.facts.shells import Shell as Dialect, known as is_shell, shell as dialect_of
from pid1lint.image.changes import is_below
from pid1lint.image.model import may_write, strings_of
from pid1lint.launch.asked import Asked
from pid1lint.launch.shapes import Spelling, assigned_names, command_variables, literal_words, names_read, spelling
from pid1lint.launch.stack import Argument
from pid1lint.launch.state import Elsewhere, Environment
from pid1lint.launch.values import UNKNOWN
from pid1lint.shell.ir import Script, Simple
from pid1lint.shell.parse import parse
from pid1lint.source import Excerpt, Place, Source

if TYPE_CHECKING:
    from pid1lint.image.filesystem import ImageFile
    from pid1lint.image.missing import Missing
    from pid1lint.launch.process import Call
    from pid1lint.origin.built import Reaction

_INSTALLS = r"\b(?:apt|apt-get|apk|dnf|yum|pip3?|npm|gem|curl|wget|tar|cp|mv|ln|install|git)\b"
"""What in a script may bring a program, or a file, before it is started."""
_ONLY_BUILTINS = frozenset(". eval exec exit export set shift source trap unset".split())
_WITHOUT_CD = frozenset(("debian", "ubuntu", "alpine", "busybox", "wolfi", "scratch", "distroless"))
"""Families without the program `cd` that POSIX asks for, and that Red Hat's bash brings."""
_EXPANDED = re.compile(r"[\w./-]*\$(?:\w|\{\w)|~/")
_FOLDER_OPTIONS = {
    "npm": frozenset(("--prefix", "-C")),
    "pnpm": frozenset(("--dir", "-C", "--prefix")),
    "yarn": frozenset(("--cwd",)),
}
"""The options by which a package runner is told in which folder its package.json lies."""
_VALUE_OPTIONS = frozenset(("--loglevel", "--reporter", "--userconfig"))
_WORKSPACE_OPTIONS = {"npm": frozenset(("-w", "--workspace")), "pnpm": frozenset(("--filter", "-F"))}
"""The options by which it is told in which package of a workspace."""
_CONFIGURATIONS = (".cfg", ".cnf", ".conf", ".ini", ".yaml", ".yml")
_CONFIGURATION = re.compile(r"(?:[\w.~@%+-]*/[\w./~@%+-]*|[\w.-]+)?\.\w+\Z")
_LONGEST_PATH = 4096
"""Of what Linux opens, in bytes: the search's time grows with the square of a word's length."""


class Lookup:
    """One image's answers, each worked out once a launch, whatever the path; `sh` is what its /bin/sh is taken for."""

    def __init__(self, asked: Asked, sh: str) -> None:
        self.asked = asked
        self._sh = sh
        # Whether an answer hung on what /bin/sh is.
        self.asked_sh = False
        self._scripts: dict[int, Script] = {}
        self._elsewhere = Elsewhere()
        self._read_in = (0, 0)
        self._spelling = Spelling()
        # Those that a shell starts, and that see its variables.
        self._inheriting: dict[int, Script] = {}
        self._made: dict[str, Script] = {}
        self._cuts: dict[tuple[str, Place], Script] = {}
        # What shells have been given to run, each text once; by what was looked for in them, how many of them were
        # searched, up to the first in which it was found, and whether it was.
        self._texts: dict[str, None] = {}
        self._searched: dict[tuple[str, str], tuple[int, bool]] = {}
        self._editable: set[int] = set()
        self._readonly: set[int] = set()
        self._programs: dict[tuple[str, ...], Program | None] = {}
        self._files: dict[str, ImageFile | None] = {}
        # A script stands beside what is told of it: as long as it is held, no other has its identity.
        self._command_names: dict[int, tuple[Script, frozenset[str]]] = {}
        self._assigned_names: dict[int, tuple[Script, frozenset[str]]] = {}
        self._word_counts: dict[int, tuple[Script, dict[str, int]]] = {}
        self.arguments: dict[tuple[int, int, str], tuple[Script, Simple, tuple[Argument | None, ...]]] = {}

    @property
    def sh(self) -> str:
        """What /bin/sh is: `dash`, `busybox`, `bash`, `none`."""
        self.asked_sh = True
        return self._sh

    # ------------------------------------------------------------------- scripts

    def script(self, text: Excerpt) -> Script:
        """A file's parsed text."""
        found = self._scripts.get(id(text))
        if found is None:
            found = self._scripts[id(text)] = parse(text)
            self._texts[text.text] = None
        return found

    def string(self, text: Excerpt) -> Script:
        """The parsed string that a shell is given to run."""
        self._texts[text.text] = None
        return self.script(text)

    def cut(self, text: Excerpt) -> Script:
        """A parsed string out of a script that is at hand."""
        key = (text.text, text.place())
        found = self._cuts.get(key)
        if found is None:
            found = self._cuts[key] = parse(text)
        return found

    def made(self, text: str) -> Script:
        """A parsed string that stands nowhere: one made at run time."""
        found = self._made.get(text)
        if found is None:
            found = self._made[text] = parse(Excerpt(Source("", text), text))
        return found

    def script_of(self, file: ImageFile) -> Script:
        """The script in a file; whether it can be edited is kept in mind."""
        assert file.text is not None
        if file.editable:
            self._editable.add(id(file.text.source))
        elif self.asked.is_dockerfile(file.text.source):
            self._readonly.add(id(file.text))
        return self.script(file.text)

    def is_editable(self, script: Script) -> bool:
        """Whether an edit of the script's text is an edit of a file that is at hand."""
        if id(script.text) in self._readonly:
            return False
        source = script.text.source
        own = self.asked.is_own(source) and (source.in_file or self.asked.is_dockerfile(source))
        return own or id(source) in self._editable

    def command_names(self, script: Script) -> frozenset[str]:
        """The variables that stand where a script reads a command's name."""
        found = self._command_names.get(id(script))
        if found is None:
            found = self._command_names[id(script)] = (script, frozenset(command_variables(script.body)))
        return found[1]

    def assigned_names(self, script: Script) -> frozenset[str]:
        """The variables that a script itself assigns somewhere."""
        found = self._assigned_names.get(id(script))
        if found is None:
            found = self._assigned_names[id(script)] = (script, frozenset(assigned_names(script.body)))
        return found[1]

    def elsewhere(self) -> Elsewhere:
        """The variables that the scripts which have been run so far read, and may name."""
        state = (len(self._scripts), len(self._inheriting))
        if state != self._read_in:
            scripts = [script.body for script in islice(self._scripts.values(), self._read_in[0], None)]
            inheriting = islice(self._inheriting.values(), self._read_in[1], None)
            self._read_in = state
            self._spelling = reduce(Spelling.joined, map(spelling, scripts), self._spelling)
            self._elsewhere = Elsewhere(
                self._elsewhere.read.union(*map(names_read, scripts)),
                self._elsewhere.inherited.union(*(names_read(script.body) for script in inheriting)),
                cache(self._spelling.may_be),
            )
        return self._elsewhere

    def inherits(self, script: Script) -> None:
        """Keep in mind that a shell starts a script, which has its variables."""
        self._inheriting[id(script)] = script

    def is_called_often(self, name: str, script: Script) -> bool:
        """Whether a function of a script may be called more than once."""
        found = self._word_counts.get(id(script))
        if found is None:
            found = self._word_counts[id(script)] = (script, literal_words(script.body))
        return found[1].get(name, 0) > 1

    # ------------------------------------------------------------------ programs

    def program(self, words: Sequence[str], env: Environment) -> Program | None:
        """What is known of a command: the one look-up that heeds the image's shell and its configuration files."""
        key = tuple(words)
        if key in self._programs:
            return self._programs[key]
        asked = False

        def otherwise(row: Program) -> bool:
            nonlocal asked
            asked = True
            if row.unless_env and env.variables.any_like(row.unless_env):
                return True
            return bool(row.unless_config) and self._configured(row.unless_config, words, env)

        fact = program(words, otherwise, self.asked.own_rows())
        if fact is None:
            fact = self.asked.binary(key)
        if fact is not None and fact.unless_sh and fact.unless_sh == self.sh:
            fact = None
        if not asked:
            # The command alone says it, whatever the environment and the texts that have been run.
            self._programs[key] = fact
        return fact

    def find(self, name: str, env: Environment) -> ImageFile | None:
        """The file that a program's name or path stands for, if the image's files tell."""
        if "/" in name:
            path = _below(name, env)
            if path not in self._files:
                self._files[path] = self.asked.file(normal(path))
            return self._files[path]
        return None if UNKNOWN in name or not name else self.asked.which(name, env.variables.own.get("PATH"))

    def dialect(self, program_path: str) -> Dialect:
        """The shell behind a name; `sh` is the image's own."""
        name = program_path.rpartition("/")[2]
        name = {"ash": "busybox", "rbash": "bash", "hush": "busybox"}.get(name, name)
        if name == "bash" and self.asked.knows_base():
            bash = self.asked.bash_version() or (self.asked.sh_version() if self.sh == "bash" else "")
            return dialect_of(f"bash-{bash}" if bash else "bash")
        if name != "sh" and is_shell(name):
            return dialect_of(name)
        version = self.asked.sh_version()
        if self.sh == "bash":
            return dialect_of(f"bash-{version}" if version else "bash-as-sh")
        return dialect_of(f"{self.sh}-{version}" if version else self.sh or "dash")

    def is_missing(self, name: str) -> bool:
        """Whether a shell is known not to be in the image: in an Alpine that nobody has put bash into, say."""
        shell = name.rpartition("/")[2]
        if shell in ("sh", "ash", "busybox", "rbash"):
            return False
        return self.asked.lacks_shell(shell) and (not self.asked.has_no_shell() or self.sh == "none")

    def has_applets(self) -> bool:
        """Whether the image's tools are Busybox's."""
        return self.asked.has_applets()

    def package_script(self, argv: list[str], env: Environment) -> tuple[str, ImageFile] | None:
        """The script of package.json that a package runner runs, and the file."""
        name_of_runner = argv[0].rpartition("/")[2]
        if name_of_runner not in _FOLDER_OPTIONS:
            return None
        words, folder, package = _script_words(name_of_runner, argv[1:])
        if not words:
            return None
        name = words[0]
        if name in ("run", "run-script"):
            name = words[1] if len(words) > 1 else ""
        elif name_of_runner == "npm" and name not in ("start", "test", "stop", "restart"):
            return None
        below = folder if folder.startswith("/") else f"{env.workdir}/{folder}"
        if package:
            found = self.asked.workspace_folder(normal(below), package)
            if found is None:
                return None
            below = found
        file = self.asked.file(normal(f"{below}/package.json"))
        if file is None or file.text is None:
            return None
        try:
            script = json.loads(file.text.text)["scripts"][name]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        return (script, file) if isinstance(script, str) else None

    def is_stray(self, name: Argument) -> bool:
        """Whether what the Dockerfile names is known to be in the image under another name, or not at all."""
        own = name.excerpt is not None and self.asked.is_dockerfile(name.excerpt.source)
        return own and self.asked.stray(name.value)

    def reaction(self, name: str, env: Environment, signal: str) -> Reaction | None:
        """What a signal does to an app that the build or the context made, by its source; None if nothing tells."""
        if UNKNOWN in name or not name:
            return None
        return self.asked.reaction(normal(_below(name, env)) if "/" in name else name, signal)

    def cannot_start(self, name: Argument) -> str:
        """Why a program that is there cannot be started, in a fragment: its loader is not there, say; else empty."""
        return self.asked.cannot_start(name.value) if name.excerpt is not None else ""

    def missing(self, name: Argument, call: Call | None, env: Environment) -> Missing | None:
        """What is known of a program that is for certain not in the image; a script may still install it."""
        if name.excerpt is None or (call is not None and call.maybe_function):
            return None
        if env.variables.sets("PATH"):
            return None
        if self._installs():
            return None
        return self.asked.missing(name.value)

    def _installs(self) -> bool:
        """Whether a script that was run may bring a program, or a file, before it is started."""
        return self._in_texts("installs", _INSTALLS, lambda text: re.search(_INSTALLS, text) is not None)

    def _in_texts(self, question: str, about: str, holds: Callable[[str], bool]) -> bool:
        """Whether something holds for a text that has been run so far; each is searched once for each question."""
        searched, found = self._searched.get((question, about), (0, False))
        if not found and searched < len(self._texts):
            found = any(holds(text) for text in islice(self._texts, searched, None))
            self._searched[question, about] = len(self._texts), found
        return found

    def needs_shell(self, name: Argument) -> str:
        """Why no file has the name that an array gives for a program: only a shell would make one of it."""
        if name.excerpt is None or name.excerpt.quoting not in ("json", "yaml", "word"):
            return ""
        if _EXPANDED.match(name.value):
            return f"no program is called `{name.text}`, which no shell expands"
        has_cd = self.asked.family() not in _WITHOUT_CD
        if name.value in _ONLY_BUILTINS or (name.value == "cd" and not has_cd):
            return f"`{name.text}` is a command of the shell, not a program"
        return ""

    # ------------------------------------------------------------- configuration

    def may_be_configured(self, fact: Program, words: list[str], env: Environment) -> bool:
        """Whether a configuration file decides that is not at hand: of an unknown image, or one that it is given."""
        if not fact.unless_config:
            return False
        # A base image that runs it itself has it configured so that it stays.
        if self.asked.is_of_unknown_base() or self.asked.base_starts(words[0].rpartition("/")[2]):
            return True
        named = [_absolute(path, env) for path in map(_configuration, words[1:]) if path]
        return any(self._is_open(path, fact) for path in named or fact.configs)

    def _is_open(self, path: str, fact: Program) -> bool:
        """Whether it is not known what a configuration file holds when the program reads it."""
        if self.asked.brings_unknown(path):
            return True
        if self._in_texts("writes", path, lambda text: may_write(text, path)):
            return True
        # One that no package has put there either.
        return not any(is_below(path, own) for own in fact.configs) and self.asked.file(path) is None

    def unknown_configuration(self, name: Argument) -> str:
        """What is not known where `may_be_configured`."""
        where = f" in {self.asked.base_reference()}" if self.asked.is_of_unknown_base() else ""
        return f"the configuration of {name.text}{where} is not known"

    def _configured(self, pattern: str, words: Sequence[str], env: Environment) -> bool:
        """Whether the environment says something, or a file: one that the command names, or one of the image's own."""
        if env.variables.any_like(pattern):
            return True
        for word in words[1:]:
            file = self.asked.file(_absolute(word.rpartition("=")[2], env))
            if file is not None and file.text is not None and re.search(pattern, file.text.text):
                return True
        if self.asked.configures(pattern):
            return True
        return self._in_texts(
            "says", pattern, lambda text: any(re.search(pattern, said) for said in (text, strings_of(text)))
        )


def _script_words(runner: str, given: Sequence[str]) -> tuple[list[str], str, str]:
    """What a package runner is to run, without its options; the folder that they name, and the workspace's package."""
    words: list[str] = []
    folder = package = ""
    rest = list(given)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if name in _FOLDER_OPTIONS[runner]:
            folder = value if equals else (rest.pop(0) if rest else "")
        elif name in _WORKSPACE_OPTIONS.get(runner, ()):
            package = value if equals else (rest.pop(0) if rest else "")
        elif name in _VALUE_OPTIONS:
            rest = rest if equals else rest[1:]
        elif runner == "yarn" and word == "workspace" and not words:
            package = rest.pop(0) if rest else ""
        elif not word.startswith("-"):
            words.append(word)
    return words, folder, package


def _configuration(word: str) -> str:
    """The path of a configuration file in a word of a command, if it names one: `-c/etc/x.conf`, `--config=x.ini`."""
    if not word.endswith(_CONFIGURATIONS):
        return ""
    found = _CONFIGURATION.search(word[-_LONGEST_PATH:])
    return found.group() if found else ""


def _absolute(path: str, env: Environment) -> str:
    return normal(path if path[:1] == "/" else f"{env.workdir}/{path}")


def normal(path: str) -> str:
    """An absolute path without `.`, `..` and doubled slashes."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def _below(path: str, env: Environment) -> str:
    return path if path.startswith("/") else f"{env.workdir.rstrip('/')}/{path}"
