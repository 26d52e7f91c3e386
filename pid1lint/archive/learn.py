"""What a built image is, as a configuration says it: others then judge what is built upon it without having it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pid1lint.dockerfile.scanner import scan
from pid1lint.image.model import Command, Image
from pid1lint.source import Source

_ANY = "pid1lint-any-program"
"""Stands for whatever a CMD may name."""
_KEPT_VARIABLES = ("PATH", "NODE_VERSION", "JAVA_HOME", "PYTHON_VERSION")


def learned(image: Image) -> Iterator[str]:
    """The keys of `[images.NAME]` for an image, each a line of TOML."""
    base = image.base
    if base is not None and base.family in _known("family"):
        yield _row("family", base.family)
    if image.sh in _known("sh"):
        yield _row("sh", image.sh)
    if base is not None and base.shells:
        yield _row("shells", [shell for shell in base.shells if shell != image.sh])
    entrypoint = _words(image.entrypoint)
    if entrypoint:
        yield _row("entrypoint", entrypoint)
        yield _row("entrypoint-runs", runs(image))
    cmd = _words(image.cmd)
    if cmd:
        yield _row("cmd", cmd)
    if image.stop_signal != "SIGTERM":
        yield _row("stop-signal", image.stop_signal.removeprefix("SIG"))
    if image.user:
        yield _row("user", image.user)
    if image.workdir not in ("", "/"):
        yield _row("workdir", image.workdir)
    if base is not None and base.packages:
        yield _row("packages", list(base.packages))
    if base is not None and base.package_manager and base.package_manager in _known("package-manager"):
        yield _row("package-manager", base.package_manager)
    kept = {name: image.env[name] for name in _KEPT_VARIABLES if name in image.env}
    if kept:
        yield "env = { " + ", ".join(f"{name} = {_value(value)}" for name, value in kept.items()) + " }"


def _known(key: str) -> Sequence[str]:
    """The words that a key of `[images.NAME]` may have."""
    from pid1lint.schema import schema

    words: Sequence[str] = schema()["definitions"]["image"]["properties"][key]["enum"]
    return words


def runs(image: Image) -> str:
    """What an entrypoint does with its arguments: `exec-args`, `init`, `program` or `unknown`.

    It is found out by giving it a program that nobody knows, and looking where that ends up.
    """
    from pid1lint.launch import analyse

    # What it is given need not be in the image.
    files = copy.copy(image.files)
    files.is_whole = False
    path = analyse(replace(image, cmd=_any_command(), files=files)).main
    if path is None or path.tree is None:
        return "unknown"
    found = next((process for process in path.tree.walk() if process.argv[:1] == (_ANY,)), None)
    if found is None:
        return "program" if path.tree.kind == "app" and not path.tree.children else "unknown"
    if found.pid == 1:
        return "exec-args"
    # Whatever PID 1 was before, and whatever the init's child was.
    above = [process for process in path.way_to(found) if process.pid != found.pid]
    return "init" if all(process.pid == 1 for process in above) and above[-1].kind == "init" else "unknown"


def _any_command() -> Command:
    made = scan(Source("CMD", f'CMD ["{_ANY}"]\n'))
    instruction = made.instructions[0]
    return Command("exec", instruction.words or (), instruction.text, instruction, made.source)


def _words(command: Command | None) -> list[str]:
    return [word.text for word in command.words] if command is not None else []


def _row(key: str, value: str | list[str]) -> str:
    return f"{key} = {_value(value)}"


def _value(value: str | list[str]) -> str:
    # A string of JSON is one of TOML, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
