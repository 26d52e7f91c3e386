"""Programs that start another program, and where in their argv that other program begins."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pid1lint.facts import data
from pid1lint.frozen import Frozen, NamedTuple

_NUMBER = re.compile(r"-\d+")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=", re.ASCII)


_NO_SIGNALS: Mapping[str, str] = {}


class Launcher(Frozen):
    """How one launcher starts its command, and how it reads its own arguments.

    `kind`: `exec` (becomes the command), `forward` (forks, passes signals on and waits), `hang` (forks, does neither
    and, as PID 1, outlives the signal), `switch` (su: kills the command 2 s after the signal), `quit` (forks, and ends
    on the signal before its command can), `detach` (forks and ends, so that the container does), `init` (forks, passes
    signals on and reaps). `option_kinds` are the options that make it another kind.
    `options_with_value` take the next word, or the rest of theirs; `flags` take none, and all others are taken for
    flags. `operands` are words before the command, of which `operand_options` each replace one. `assignments`:
    NAME=value words come before the command. `subcommand`: words that must come first for it to be a launcher,
    `optional_words` those that may stand before the command.
    `command_options` name the command in their value, `shell_options` hold a shell string, `split_options` a string
    that is split at blanks; `no_command_options` mean that there is no command, `commandless` that there never is;
    with `needs_command` it ends at once if there is none, saying how it is used.
    `after_dashes`: a command only follows `--`. `permutes`: options may follow operands, and words after those are a
    shell's arguments. `shell_words`: a command of one word is a shell string.
    `takes_later_options`: without `--` it takes options behind the command's name for its own, and ends with 1 at one
    that it does not know; not where it is built with musl, as Alpine's is.
    `leads_group`: it puts itself and the command into a process group of their own.
    `busybox_kind`: the kind that it has as Busybox's applet, or as Alpine builds it, if that is another.
    `resets_ignored`: what was ignored is not for the command, but HUP and INT: so Go's runtime does.
    `repeats`: when its command has ended, or could not be started, it waits and starts it again.
    `group`: signals go to the command's whole process group, or do so with one of `group_options`, and do not with
    one of `ungroup_options`.
    `signals`: what an init that takes its services from elsewhere does as PID 1 on a signal (without SIG): `handles`
    (it ends them and waits), `abandons` (it ends at once and leaves them behind), `survives` (it stays). One that is
    not in it is not known. Of a launcher that quits, the signals that it `drops` its command on.
    """

    name: str
    kind: str
    options_with_value: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    operands: int = 0
    operand_options: frozenset[str] = frozenset()
    assignments: bool = False
    group: bool = False
    group_options: frozenset[str] = frozenset()
    ungroup_options: frozenset[str] = frozenset()
    option_kinds: tuple[tuple[str, str], ...] = ()
    subcommand: tuple[str, ...] = ()
    optional_words: frozenset[str] = frozenset()
    command_options: frozenset[str] = frozenset()
    shell_options: frozenset[str] = frozenset()
    split_options: frozenset[str] = frozenset()
    no_command_options: frozenset[str] = frozenset()
    after_dashes: bool = False
    permutes: bool = False
    shell_words: bool = False
    commandless: bool = False
    needs_command: bool = False
    leads_group: bool = False
    resets_ignored: bool = False
    repeats: bool = False
    busybox_kind: str = ""
    takes_later_options: bool = False
    signals: Mapping[str, str] = _NO_SIGNALS
    reaps: bool | None = None
    measured: bool = False
    source: str = ""

    @property
    def is_believed(self) -> bool:
        """Whether nobody has measured or read how it starts its command."""
        return self.source.startswith("believed")

    @property
    def way(self) -> str:
        """How it starts its command, as a predicate: `becomes its command`."""
        ways = {"exec": "becomes its command", "hang": "keeps signals from its command"}
        return ways.get(self.kind, "passes signals on to its command")


class Split(NamedTuple):
    """A launcher's argv in parts, as indices into it.

    `options` are the option names as written, without values and clusters undone; `values` those that have a value,
    with it. `words` is the command's argv
    (start-stop-daemon's is not contiguous); `command_index` its first word. If the command is a string for a shell,
    `shell_string_index` points at it and there is no `command_index`; `split_string_index` likewise, for a string
    that the launcher itself splits at blanks. `kind` and `group` are the launcher's with these options.
    """

    command_index: int | None
    options: tuple[str, ...]
    shell_string_index: int | None = None
    split_string_index: int | None = None
    words: tuple[int, ...] = ()
    operands: tuple[int, ...] = ()
    assignments: tuple[int, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    kind: str = "exec"
    group: bool = False

    def value(self, *options: str) -> str | None:
        """The value of the last of these options that was given."""
        return next((value for option, value in reversed(self.values) if option in options), None)


@cache
def _entries() -> dict[str, Mapping[str, Any]]:
    """What the file has, by the names of the launchers."""
    return {name: entry for entry in data.read("launchers")["launchers"] for name in data.words(entry["names"])}


_WORD_SETS = (
    "options_with_value flags operand_options group_options ungroup_options command_options shell_options "
    "split_options no_command_options optional_words"
).split()


@cache
def _row(name: str) -> Launcher:
    """The row of a name that is in the file: made when it is asked for, as few of so many are."""
    fields = {key: value for key, value in _entries()[name].items() if key != "names"}
    for key in _WORD_SETS:
        fields[key] = frozenset(data.words(fields.get(key, "")))
    fields["subcommand"] = data.words(fields.get("subcommand", ""))
    fields["option_kinds"] = tuple(dict(fields.get("option_kinds", {})).items())
    fields["measured"] = fields["source"].startswith("measured")
    return Launcher(name=name, **fields)


def launcher(name: str) -> Launcher | None:
    """The launcher of a name or path. `/init` is known by its whole path only (s6-overlay's)."""
    if name in _entries():
        return _row(name)
    base = name.rpartition("/")[2].removesuffix(".exe")
    return _row(base) if base != "init" and base in _entries() else None


def split(launcher: Launcher, argv: Sequence[str]) -> Split:
    """Find the command in `argv`, whose first word is the launcher; without one, the launcher is a plain program."""
    reader = _Reader(launcher, argv)
    reader.read()
    return reader.result()


class _Reader:
    """One walk over an argv."""

    def __init__(self, launcher: Launcher, argv: Sequence[str]) -> None:
        self.launcher = launcher
        self.argv = argv
        self.at = 1
        self.options: list[str] = []
        self.values: list[tuple[str, str]] = []
        self.operands: list[int] = []
        self.assignments: list[int] = []
        self.words: tuple[int, ...] = ()
        self.dashes = False
        self.shell_string: int | None = None
        self.split_string: int | None = None

    def read(self) -> None:
        if self.launcher.command_options:
            self._read_named_command()
            return
        if not self._read_subcommand():
            return
        while self.at < len(self.argv) and not self._done():
            self._read_word(self.argv[self.at])
        if self.split_string is not None:
            self.words = ()

    def _done(self) -> bool:
        return bool(self.words) or (self.shell_string is not None and not self.launcher.permutes)

    def _read_subcommand(self) -> bool:
        for word in self.launcher.subcommand:
            while self.at < len(self.argv) and self.argv[self.at].startswith("-"):
                self._read_option(self.argv[self.at])
            if self.at >= len(self.argv) or self.argv[self.at] not in word.split("|"):
                return False
            self.at += 1
        return True

    def _read_word(self, word: str) -> None:
        launcher = self.launcher
        if word == "--" and not self.dashes:
            self.dashes = True
            self.at += 1
        elif not self.dashes and word.startswith("-"):
            self._read_option(word)
        elif launcher.assignments and _ASSIGNMENT.match(word):
            self.assignments.append(self.at)
            self.at += 1
        elif word in launcher.optional_words and not self.dashes:
            self.at += 1
        elif launcher.commandless or (launcher.after_dashes and not self.dashes) or self._takes_operand():
            self.operands.append(self.at)
            self.at += 1
        elif launcher.permutes and launcher.operands and self.operands:
            self.at += 1
        else:
            self._start_command()
        if self.dashes and launcher.shell_options and self._at_shell_option() and not self.words:
            self.shell_string = self.at + 1

    def _takes_operand(self) -> bool:
        given = sum(option in self.launcher.operand_options for option in self.options)
        needed = max(0, self.launcher.operands - given)
        return len(self.operands) < needed

    def _at_shell_option(self) -> bool:
        return self.at + 1 < len(self.argv) and self.argv[self.at] in self.launcher.shell_options

    def _start_command(self) -> None:
        self.words = tuple(range(self.at, len(self.argv)))
        if self.launcher.shell_words and len(self.words) == 1:
            self.shell_string, self.words = self.at, ()

    def _read_option(self, word: str) -> None:
        name, equals, value = word.partition("=")
        self.at += 1
        if name in self.launcher.options_with_value or name in self.launcher.shell_options:
            self._record(name, value if equals else None)
        elif word.startswith("--") or len(word) <= 2 or name in self.launcher.flags or _NUMBER.fullmatch(word):
            self.options.append(name)
        else:
            self._read_cluster(word)

    def _read_cluster(self, word: str) -> None:
        """`-Eu app`: flags in one word, of which the last may take a value, from the rest or the next word."""
        takers = self.launcher.options_with_value | self.launcher.shell_options
        for index, letter in enumerate(word[1:], 2):
            option = "-" + letter
            if option in takers:
                self._record(option, word[index:] or None)
                return
            self.options.append(option)

    def _record(self, option: str, value: str | None) -> None:
        """Note an option whose value is `value`, or the next word if that is None."""
        self.options.append(option)
        if value is not None:
            self.values.append((option, value))
            return
        if self.at >= len(self.argv):
            return
        self.values.append((option, self.argv[self.at]))
        if option in self.launcher.shell_options:
            self.shell_string = self.at
        if option in self.launcher.split_options:
            self.split_string = self.at
        self.at += 1

    def _read_named_command(self) -> None:
        """For `find -exec CMD ;` and `start-stop-daemon --exec CMD -- ARGS`."""
        argv, end = self.argv, len(self.argv)
        dashes = next((i for i in range(1, end) if argv[i] == "--" and self.launcher.after_dashes), end)
        starts = [i for i in range(1, min(dashes, end - 1)) if argv[i] in self.launcher.command_options]
        self.options = [word.partition("=")[0] for word in argv[1:dashes] if word.startswith("-") and len(word) > 1]
        if not starts:
            return
        start = starts[-1] + 1
        if self.launcher.after_dashes:
            self.words = (start, *range(dashes + 1, end))
        else:
            stop = next((i for i in range(start, end) if argv[i] in (";", "\\;", "+")), end)
            self.words = tuple(range(start, stop))

    def result(self) -> Split:
        launcher = self.launcher
        if any(option in launcher.no_command_options for option in self.options):
            self.words, self.shell_string = (), None
        kinds = [kind for option, kind in launcher.option_kinds if option in self.options]
        group = launcher.group or any(option in launcher.group_options for option in self.options)
        return Split(
            command_index=self.words[0] if self.words else None,
            options=tuple(self.options),
            shell_string_index=self.shell_string,
            split_string_index=self.split_string,
            words=self.words,
            operands=tuple(self.operands),
            assignments=tuple(self.assignments),
            values=tuple(self.values),
            kind=kinds[-1] if kinds else launcher.kind,
            group=group and not any(option in launcher.ungroup_options for option in self.options),
        )
