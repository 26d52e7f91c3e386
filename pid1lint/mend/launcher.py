"""A launcher in front of the app: taken out where it forks, or another one in its place that execs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pid1lint.fix import Applicability, Edit, Fix
from pid1lint.frozen import NamedTuple
from pid1lint.mend.array import BUILTINS, json_array
from pid1lint.mend.command import guard
from pid1lint.mend.install import is_root
from pid1lint.mend.lines import line_above
from pid1lint.source import Span

if TYPE_CHECKING:
    from pid1lint.dockerfile.scanner import Instruction
    from pid1lint.facts.launchers import Launcher
    from pid1lint.image.model import Command
    from pid1lint.launch.launch import Launch
    from pid1lint.launch.process import Call, Process, Started
    from pid1lint.shell.ir import Word

_SWITCHES = ("gosu", "su-exec")
_SU_OPTIONS = frozenset("-c --command --session-command -u --user -s --shell -l --login -m -p -".split())
# What any of them does with one plain command is the same.
_SHELLS = (None, "sh", "bash", "/bin/sh", "/bin/bash", "/bin/dash", "/bin/ash", "/usr/bin/bash")
_NAME = r"(?a)[a-z_][\w-]*"
_PLAIN = r"[\w@%+=:,./ -]+"
_QUOTED = r'"(?:[\w@%+=:,./ -]|\$\w+|\$\{\w+\})+"'


class _Asked(NamedTuple):
    """What su or runuser is asked for: a user, and a command.

    That is words of the launcher's own argv from `at` on, or the text of one plain command.
    """

    user: str
    at: int | None
    text: str


def switch_user(launch: Launch, wrapper: Process) -> Fix | None:
    """`su app -c 'server --port 80'` by a program that switches the user and becomes the app, where the image has one.

    That is gosu or su-exec, in a script also setpriv; an array may be left to an instruction USER. None where more than
    a user and a command is asked for, where the command needs a shell, or where no such program is known to be there.
    """
    if wrapper.launcher is None or wrapper.launcher.kind != "switch":
        return None
    if wrapper.call is None:
        return _switch_in_array(launch, wrapper, wrapper.launcher)
    return _switch_in_script(launch, wrapper.call, wrapper.launcher)


def _switch_in_script(launch: Launch, call: Call, launcher: Launcher) -> Fix | None:
    words, text = call.node.words[call.words :], call.script.text
    asked = _asked(launcher, [_said(word) for word in words], words)
    if asked is None or not call.editable or text.quoting in ("word", "nested"):
        return None
    tool = next((name for name in _SWITCHES if name in launch.image.packages), "")
    if tool:
        new = f"{tool} {asked.user} "
    elif _has_setpriv(launch) and re.fullmatch(_NAME, asked.user):
        new = f"setpriv --reuid={asked.user} --regid=$(id -g {asked.user}) --init-groups "
    else:
        return None
    start, first = text.offset(words[0].span.start), text.offset(call.node.words[0].span.start)
    end = words[-1].span.end if asked.at is None else words[asked.at - 1].span.end
    command = text.written(new + asked.text if asked.at is None else new.rstrip())
    # su sets HOME and so do gosu and su-exec; setpriv leaves it as it is.
    home = "" if tool else f"HOME=~{asked.user} "
    if command is None:
        return None
    edits = [Edit(text.source, Span(start, text.offset(end - 1) + 1), command)]
    if first == start:
        edits = [Edit(text.source, edits[0].span, home + command)]
    elif home:
        edits.insert(0, Edit(text.source, Span(first, first), home))
    title = f"Switch the user with {tool or 'setpriv'}"
    return Fix(title, tuple(edits), Applicability.UNSAFE, (guard(call.script, call.node),))


def _switch_in_array(launch: Launch, wrapper: Process, launcher: Launcher) -> Fix | None:
    image, array = launch.image, _array_part(launch, wrapper.argv)
    asked = _asked(launcher, wrapper.argv, ())
    if array is None or asked is None:
        return None
    words = asked.text.split() if asked.at is None else list(wrapper.argv[asked.at :])
    tool = next((name for name in _SWITCHES if name in image.packages), "")
    if tool:
        return Fix(f"Switch the user with {tool}", (array.replaced((tool, asked.user, *words)),), Applicability.UNSAFE)
    after = [i.keyword for i in image.stage.instructions if i.span.start > array.instruction.span.start]
    # An init and whatever else comes first would have another user as well.
    if array.first or not is_root(image.user) or any(name in after for name in ("RUN", "COPY", "ADD", "USER")):
        return None
    at = line_above(launch, array.instruction)
    line = Edit(array.command.source, Span(at, at), f"USER {asked.user}{array.command.source.newline}")
    return Fix("Switch the user with USER", (line, array.replaced(words)), Applicability.UNSAFE)


class _Array(NamedTuple):
    """The words of an array of this stage from `first` on, which stand on one line."""

    command: Command
    instruction: Instruction
    first: int

    def replaced(self, words: Iterable[str], end: int | None = None) -> Edit:
        """Other words in the place of them, or of those before `end`."""
        old = self.command.words
        last = old[-1] if end is None else old[end - 1]
        span = Span(old[self.first].offset(0) - 1, last.offset(len(last.text)) + 1)
        return Edit(self.command.source, span, json_array(words)[1:-1])


def _array_part(launch: Launch, argv: tuple[str, ...]) -> _Array | None:
    """The end of the array that `argv` is written as, where the container runs nothing behind it."""
    image = launch.image
    command = image.cmd or image.entrypoint
    own = command.instruction if command is not None else None
    if command is None or own is None or own.array is None or own not in image.stage.instructions:
        return None
    first = len(command.words) - len(argv)
    if first < 0 or command.source is not image.dockerfile.source:
        return None
    start, last = command.words[first], command.words[-1]
    if tuple(word.text for word in command.words[first:]) != argv:
        return None
    if "\n" in command.source.text[start.offset(0) : last.offset(len(last.text))]:
        return None
    return _Array(command, own, first)


def _asked(launcher: Launcher, said: Sequence[str], words: Sequence[Word]) -> _Asked | None:
    from pid1lint.facts.launchers import split

    parts = split(launcher, said)
    user = parts.value("-u", "--user") or next((said[index] for index in parts.operands), None)
    plain = user is not None and (re.fullmatch(_PLAIN, user) if " " not in user else False)
    if user is None or not (plain or (words and re.fullmatch(r'"\$(?:\w+|\{\w+\})"', user))):
        return None
    if not _SU_OPTIONS.issuperset(parts.options) or parts.value("-s", "--shell") not in _SHELLS:
        return None
    at = parts.shell_string_index
    if at is None:
        return None if parts.command_index is None else _Asked(user, parts.command_index, "")
    # A word behind the string is the string's $0.
    rest = [index for index in range(at + 1, len(said)) if index not in parts.operands and said[index] != "-"]
    if any(said[index] not in ("-l", "--login", "-m", "-p") for index in rest):
        return None
    if words and words[at].static is None:
        text = words[at].text[1:-1] if re.fullmatch(_QUOTED, words[at].text) else ""
    else:
        text = said[at] if re.fullmatch(_PLAIN, said[at]) else ""
    text = text.strip().removeprefix("exec ").strip()
    program = text.split(" ", 1)[0]
    return _Asked(user, None, text) if program and "=" not in program and program not in BUILTINS else None


def _said(word: Word) -> str:
    """A word's value, or how it is written where that is not known."""
    return word.text if word.static is None else word.static


def _has_setpriv(launch: Launch) -> bool:
    from pid1lint.facts.inits import comes_with

    base = launch.image.base
    return base is not None and not base.guessed and comes_with("setpriv", base.family, f"{base.name}:{base.tag}")


def unforked_flock(launch: Launch, wrapper: Process) -> Fix | None:
    """`flock f app` as `flock -F f app`, which becomes the app; Busybox's has no such option."""
    if launch.image.sh not in ("dash", "bash") or any(word in ("-c", "--command") for word in wrapper.argv):
        return None
    title = "Make flock exec the app"
    call = wrapper.call
    if call is None:
        array = _array_part(launch, wrapper.argv)
        name = wrapper.argv[0]
        return array and Fix(title, (array.replaced((name, "-F"), array.first + 1),), Applicability.UNSAFE)
    if not call.editable or call.words >= len(call.node.words):
        return None
    text = call.script.text
    at = text.offset(call.node.words[call.words].span.end)
    return Fix(title, (Edit(text.source, Span(at, at), " -F"),), Applicability.UNSAFE, (guard(call.script, call.node),))


def without_init(launch: Launch, inner: Process) -> Fix | None:
    """An init below another one taken out, with its `--`; None where it is given options of its own."""
    title = f"Take {inner.program} out"
    call, command = inner.call, launch.image.entrypoint or launch.image.cmd
    if call is not None:
        words, text = call.node.words[call.words :], call.script.text
        end = _command_of(inner, [_said(word) for word in words])
        if end is None or end >= len(words) or not call.editable or text.quoting in ("word", "nested"):
            return None
        span = Span(text.offset(words[0].span.start), text.offset(words[end].span.start))
        return Fix(title, (Edit(text.source, span, ""),), Applicability.UNSAFE, (guard(call.script, call.node),))
    if command is None or command.form != "exec" or command.source is not launch.image.dockerfile.source:
        return None
    said = [word.text for word in command.words]
    at = next((i for i, word in enumerate(said) if i and word.rpartition("/")[2] == inner.program), None)
    end = _command_of(inner, said[at:]) if at is not None else None
    if at is None or end is None:
        return None
    before, first = command.words[at - 1], command.words[at]
    if at + end < len(said):
        span = Span(first.offset(0) - 1, command.words[at + end].offset(0) - 1)
    else:
        last = command.words[-1]
        span = Span(before.offset(len(before.text)) + 1, last.offset(len(last.text)) + 1)
    # A comment in between would be lost.
    if "\n" in command.source.text[span.start : span.end]:
        return None
    return Fix(title, (Edit(command.source, span, ""),), Applicability.UNSAFE)


def _command_of(init: Process, said: Sequence[str]) -> int | None:
    """Where the command begins behind an init without options; where it would, if it stands elsewhere."""
    from pid1lint.facts.launchers import split

    if init.launcher is None:
        return None
    parts = split(init.launcher, said)
    if parts.options:
        return None
    return len(said) if parts.command_index is None else parts.command_index


def without_setsid(launch: Launch, started: Process | Started) -> Fix | None:
    """`setsid app` as `app`: what a container begins with leads a session of its own anyway."""
    from pid1lint.facts.launchers import launcher, split

    call, setsid = started.call, launcher("setsid")
    assert setsid is not None
    title = "Start it without setsid"
    if call is None:
        array = _array_part(launch, started.argv)
        at = split(setsid, started.argv).command_index
        if array is None or at is None or not _is_setsid(started.argv[0]):
            return None
        return Fix(title, (array.replaced(started.argv[at:]),), Applicability.UNSAFE)
    said = call.node.words[call.words :]
    if not said or not _is_setsid(said[0].text):
        return None
    at = split(setsid, [_said(word) for word in said]).command_index
    if at is None or not call.editable or call.script.text.quoting in ("word", "nested"):
        return None
    text = call.script.text
    span = Span(text.offset(said[0].span.start), text.offset(said[at].span.start))
    return Fix(title, (Edit(text.source, span, ""),), Applicability.UNSAFE, (guard(call.script, call.node),))


def _is_setsid(program: str) -> bool:
    return program.rpartition("/")[2] == "setsid"
