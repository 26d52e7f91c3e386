"""What other readers say of a file: BuildKit's own parser, dash and bash. None of them is ours."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from shutil import which

from pid1lint.source import BOM

try:
    import dockerfile as buildkit
except ImportError:  # no wheel for this platform, and no Go to build one
    buildkit = None

_SHELLS = {"bash": ("bash",), "dash": ("dash",), "ash": ("dash",), "sh": ("dash", "bash")}
_RUNS = ("run", "cmd", "entrypoint")


def missing() -> tuple[str, ...]:
    """What is not installed here: each reader that cannot be asked, with the reason."""
    programs = tuple(f"{shell} -n: {shell} is not installed" for shell in ("bash", "dash") if which(shell) is None)
    if buildkit is not None:
        return programs
    return (
        "BuildKit's parser: the package dockerfile is not installed (it has no wheel for this platform?)",
        *programs,
    )


def dockerfile_error(text: str) -> str | None:
    """What BuildKit's parser finds wrong with a Dockerfile, an unknown instruction included; None if nothing."""
    if buildkit is None:
        return None
    try:
        commands = buildkit.parse_string(_as_text(text))
    except buildkit.GoParseError as error:
        return str(error)
    names = ((command.cmd or "", command.start_line) for command in commands)
    unknown = next(((name, line) for name, line in names if name.lower() not in buildkit.all_cmds()), None)
    return None if unknown is None else f"line {unknown[1]}: unknown instruction {unknown[0]}"


def _as_text(text: str) -> str:
    """A text without what stands for bytes that are no UTF-8: the package dockerfile dies of it."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def commands(text: str) -> tuple[tuple[str, tuple[str, ...] | str], ...]:
    """CMD, ENTRYPOINT and RUN as BuildKit reads them: an argv where it is in exec form, else the text for the shell."""
    return tuple((name, argv) for name, argv, _ in _commands(text))


def _commands(text: str) -> Iterator[tuple[str, tuple[str, ...] | str, str]]:
    """Each with the first heredoc's text, empty if there is none."""
    for command in buildkit.parse_string(_as_text(text)) if buildkit is not None else ():
        name = (command.sub_cmd or command.cmd or "").lower()
        if name in _RUNS:
            heredoc = command.heredocs[0].content if command.heredocs else ""
            yield name.upper(), command.value if command.json else " ".join(command.value), heredoc


def shell_texts(text: str) -> frozenset[str]:
    """The shell text in a Dockerfile: shell forms, the strings behind `-c`, heredocs that a shell is fed."""
    return frozenset(_shell_texts(text))


def _shell_texts(text: str) -> Iterator[str]:
    for _, argv, heredoc in _commands(text):
        if isinstance(argv, str):
            # A `<<EOF` is there without its text, which is a script where nothing else is named.
            plain = not heredoc and "<<" not in argv
            yield argv if plain else heredoc if argv.startswith("<<") and not heredoc.startswith("#!") else ""
        else:
            yield from (text for option, text in pairwise(argv) if re.fullmatch(r"-\w*c", option))


@cache
def shell_error(shell: str, text: str) -> str | None:
    """What `dash -n` or `bash -n` finds wrong with a script, in its last words; None if nothing."""
    data = text.encode("utf-8", "surrogateescape")
    done = subprocess.run([shell, "-n"], input=data, capture_output=True, check=False, env={"LC_ALL": "C.UTF-8"})
    if done.returncode == 0:
        return None
    words = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return words[0] if words else f"exit code {done.returncode}"


def interpreters(text: str) -> tuple[str, ...]:
    """The shells here that stand for the one a script names: none if it is for another interpreter."""
    first = text.removeprefix(BOM).partition("\n")[0]
    if not first.startswith("#!"):
        return ("dash", "bash")
    words = first[2:].replace("/", " ").split()
    return next((_SHELLS[word] for word in words if word in _SHELLS), ())


def regression(path: str, before: str, after: str, *, is_dockerfile: bool) -> str | None:
    """Which reader could read a file and cannot any more, and what it says; None if none.

    A file that was broken before is not judged by those that it was broken for.
    """
    if path.endswith(".json"):
        return _json_regression(before, after)
    return _dockerfile_regression(before, after) if is_dockerfile else _script_regression(before, after)


def _dockerfile_regression(before: str, after: str) -> str | None:
    if dockerfile_error(before) is not None:
        return None
    error = dockerfile_error(after)
    if error is not None:
        return f"BuildKit: {error}"
    old, new = shell_texts(before), shell_texts(after)
    if not all(map(_is_readable, old - new)):
        return None
    broken = next((text for text in sorted(new - old) if not _is_readable(text)), None)
    return None if broken is None else f"bash -n: {shell_error('bash', broken)}"


def _is_readable(text: str) -> bool:
    return shell_error("bash", text) is None or shell_error("dash", text) is None


def _script_regression(before: str, after: str) -> str | None:
    could = [shell for shell in interpreters(before) if shell_error(shell, before) is None]
    must = [shell for shell in interpreters(after) if shell_error(shell, before) is None]
    if could and before.partition("\n")[0].strip() != after.partition("\n")[0].strip():
        must = [*interpreters(after)[:1], *must]
    errors = ((shell, shell_error(shell, after)) for shell in must)
    return next((f"{shell} -n: {error}" for shell, error in errors if error is not None), None)


def _json_regression(before: str, after: str) -> str | None:
    try:
        json.loads(before)
    except ValueError:
        return None
    try:
        json.loads(after)
    except ValueError as error:
        return f"json: {error}"
    return None
