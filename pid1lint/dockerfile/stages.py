"""The stages of a Dockerfile, and what its instructions have set at any point of a stage."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import pairwise

from pid1lint.dockerfile.expand import UNKNOWN, Lookup, expand, split
from pid1lint.dockerfile.scanner import Dockerfile, Instruction
from pid1lint.dockerfile.variables import Variables
from pid1lint.frozen import Frozen, NamedTuple
from pid1lint.numbers import is_number

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_SHELL = ("/bin/sh", "-c")
DEFAULT_WINDOWS_SHELL = ("cmd", "/S", "/C")

# What `docker build` gives on the most common machine; a Dockerfile that branches on them is read for that one.
PLATFORM_ARGS = {
    "BUILDARCH": "amd64",
    "BUILDOS": "linux",
    "BUILDPLATFORM": "linux/amd64",
    "BUILDVARIANT": "",
    "TARGETARCH": "amd64",
    "TARGETOS": "linux",
    "TARGETPLATFORM": "linux/amd64",
    "TARGETVARIANT": "",
}
MAX_PATH = 4096
"""Linux takes no longer path."""
_PROXY_ARGS = frozenset(("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"))


class Stage(Frozen):
    """One FROM and what follows it.

    `base` is FROM's image as written, `reference` the same with its build arguments expanded and `UNKNOWN` for those
    without a value, `parent` the index of the stage that it names. `instructions` are those after FROM.
    """

    index: int
    name: str
    base: str
    reference: str
    platform: str | None
    instruction: Instruction
    instructions: tuple[Instruction, ...]
    parent: int | None

    @property
    def image(self) -> str | None:
        """The reference if all of it is known, else None."""
        return self.reference if self.reference and UNKNOWN not in self.reference else None


class Scope(NamedTuple):
    """What expansions in every stage share: the escape character, the global ARGs, the `--build-arg`s."""

    escape: str
    global_args: Mapping[str, str]
    build_args: Mapping[str, str]


class State(NamedTuple):
    """What holds before or after an instruction of a stage, each with the instruction that set it.

    `env` is the image's environment, `variables` the same with the ARGs. `complete` says that a variable that is
    not among them is surely unset. `entrypoint_shell` and `cmd_shell` are the SHELL that stood when their
    instruction did. `base_entrypoint` and `base_cmd` say that those of the base image still hold. `lost_cmd` is the
    state in which an ENTRYPOINT has dropped a CMD that came from below: of another stage, or of the base image.
    """

    env: Variables
    variables: Variables
    complete: bool = False
    workdir: str = "/"
    shell: tuple[str, ...] = DEFAULT_SHELL
    shell_instruction: Instruction | None = None
    user: str = ""
    user_instruction: Instruction | None = None
    stop_signal: str | None = None
    stop_signal_instruction: Instruction | None = None
    entrypoint: Instruction | None = None
    entrypoint_shell: tuple[str, ...] = DEFAULT_SHELL
    entrypoint_shell_instruction: Instruction | None = None
    cmd: Instruction | None = None
    cmd_shell: tuple[str, ...] = DEFAULT_SHELL
    cmd_shell_instruction: Instruction | None = None
    base_entrypoint: bool = True
    base_cmd: bool = True
    cmd_is_own: bool = False
    lost_cmd: State | None = None

    def lookup(self, name: str) -> str | None:
        """A variable's value: None if it is unset, `UNKNOWN` if it may be set in the base image or by an ARG."""
        value = self.variables.get(name)
        return value if value is not None or self.complete else UNKNOWN


class Step(NamedTuple):
    """An instruction and the state in which it finds the stage."""

    instruction: Instruction
    before: State


def global_args(dockerfile: Dockerfile, build_args: Mapping[str, str]) -> dict[str, str]:
    """The ARGs before the first FROM; `UNKNOWN` for one without a value."""
    values: dict[str, str] = dict(PLATFORM_ARGS)
    for instruction in dockerfile.instructions:
        if instruction.keyword == "FROM":
            break
        if instruction.keyword == "ARG":
            for name, value in _arguments(instruction, values.get, dockerfile.escape):
                values[name] = build_args.get(name, value if value is not None else values.get(name, UNKNOWN))
    return values


def make_scope(dockerfile: Dockerfile, build_args: Mapping[str, str]) -> Scope:
    """The scope in which the stages of a Dockerfile are replayed."""
    return Scope(dockerfile.escape, global_args(dockerfile, build_args), build_args)


def stages(dockerfile: Dockerfile, build_args: Mapping[str, str]) -> tuple[Stage, ...]:
    """The stages of a Dockerfile, in order; what must come after a FROM belongs to none."""
    values = global_args(dockerfile, build_args)
    found: list[Stage] = []
    by_name: dict[str, int] = {}
    instructions = dockerfile.instructions
    starts = [i for i, instruction in enumerate(instructions) if instruction.keyword == "FROM"]
    for index, (start, end) in enumerate(pairwise([*starts, len(instructions)])):
        expanded = partial(expand, lookup=values.get, escape=dockerfile.escape)
        found.append(_stage(index, instructions[start:end], by_name, expanded))
        if found[-1].name:
            by_name[found[-1].name] = index
    return tuple(found)


def _stage(
    index: int, part: tuple[Instruction, ...], earlier: Mapping[str, int], expanded: Callable[[str], str]
) -> Stage:
    instruction = part[0]
    words = instruction.text.text.split()
    base = words[0] if words else ""
    name = words[2].lower() if len(words) >= 3 and words[1].upper() == "AS" else ""
    image = expanded(base)
    platform = instruction.flag("platform")
    parent = earlier.get(image.lower())
    return Stage(
        index,
        name,
        base,
        image,
        expanded(platform) if platform is not None else None,
        instruction,
        part[1:],
        parent,
    )


def find_stage(name: str, among: tuple[Stage, ...]) -> int | None:
    """The index of the stage that `--from` or `--target` means by its name or number, or None."""
    wanted = name.lower()
    by_name = next((stage.index for stage in reversed(among) if stage.name and stage.name == wanted), None)
    if by_name is not None:
        return by_name
    return int(name) if is_number(name) and int(name) < len(among) else None


# ----------------------------------------------------------------- replay


def enter(state: State) -> State:
    """The state in which a stage begins that builds upon another stage, which ended in `state`."""
    return state._replace(cmd_is_own=False)


def steps(stage: Stage, among: tuple[Stage, ...]) -> tuple[Instruction, ...]:
    """What a stage runs: the ONBUILD instructions of the stage that it builds upon, then its own."""
    if stage.parent is None:
        return stage.instructions
    triggers = [i.inner for i in among[stage.parent].instructions if i.keyword == "ONBUILD" and i.inner]
    return (*triggers, *stage.instructions)


def replay(instructions: tuple[Instruction, ...], state: State, scope: Scope) -> tuple[tuple[Step, ...], State]:
    """Every instruction with the state before it, and the state after the last one."""
    found = []
    for instruction in instructions:
        found.append(Step(instruction, state))
        state = advance(state, instruction, scope)
    return tuple(found), state


def advance(state: State, instruction: Instruction, scope: Scope) -> State:
    """The state after one instruction."""
    change = _CHANGES.get(instruction.keyword)
    return state if change is None else change(state, instruction, scope)


def _value(state: State, instruction: Instruction, scope: Scope) -> str:
    return expand(instruction.text.text, state.lookup, scope.escape)


def _env(state: State, instruction: Instruction, scope: Scope) -> State:
    # All values of one ENV are expanded with what held before it.
    changes = {
        expand(name, state.lookup, scope.escape): expand(value, state.lookup, scope.escape)
        for name, value in _pairs(instruction, scope.escape)
    }
    return state._replace(env=state.env.set(changes), variables=state.variables.set(changes))


def _pairs(instruction: Instruction, escape: str) -> Iterator[tuple[str, str]]:
    words = split(instruction.text.text, escape)
    if words and "=" not in words[0]:
        # The old form, `ENV name value`: the value is all the rest of the line.
        name, *rest = instruction.text.text.split(maxsplit=1)
        yield name, "".join(rest)
        return
    for word in words:
        name, equals, value = word.partition("=")
        if equals:
            yield name, value


def _arg(state: State, instruction: Instruction, scope: Scope) -> State:
    changes: dict[str, str] = {}

    def lookup(name: str) -> str | None:
        return changes[name] if name in changes else state.lookup(name)

    for name, default in _arguments(instruction, lookup, scope.escape):
        if name in scope.build_args:
            changes[name] = scope.build_args[name]
        elif default is not None:
            changes[name] = default
        elif name in scope.global_args:
            changes[name] = scope.global_args[name]
        elif name not in state.env and name.upper() not in _PROXY_ARGS:
            changes[name] = UNKNOWN
    # The image's own environment has the last word.
    return state._replace(variables=state.variables.set({k: v for k, v in changes.items() if k not in state.env}))


def _arguments(instruction: Instruction, lookup: Lookup, escape: str) -> Iterator[tuple[str, str | None]]:
    for word in split(instruction.text.text, escape):
        name, equals, value = word.partition("=")
        yield expand(name, lookup, escape), expand(value, lookup, escape) if equals else None


def _workdir(state: State, instruction: Instruction, scope: Scope) -> State:
    path = join(state.workdir, _value(state, instruction, scope))
    # There can be no such directory; and a line more must not make each path a little longer for ever.
    return state._replace(workdir=path if len(path) < MAX_PATH else f"/{UNKNOWN}")


def join(workdir: str, path: str) -> str:
    """An absolute, normalised path in the image; a relative one starts at `workdir`."""
    # A leading `//` would survive normpath.
    return posixpath.normpath("/" + posixpath.join(workdir, path).lstrip("/"))


def _shell(state: State, instruction: Instruction, scope: Scope) -> State:
    if not instruction.words:
        return state
    return state._replace(shell=tuple(word.text for word in instruction.words), shell_instruction=instruction)


def _user(state: State, instruction: Instruction, scope: Scope) -> State:
    return state._replace(user=_value(state, instruction, scope), user_instruction=instruction)


def _stop_signal(state: State, instruction: Instruction, scope: Scope) -> State:
    return state._replace(stop_signal=_value(state, instruction, scope), stop_signal_instruction=instruction)


def _entrypoint(state: State, instruction: Instruction, scope: Scope) -> State:
    dropped = None if state.cmd_is_own else state.lost_cmd or state
    state = state._replace(
        entrypoint=instruction,
        lost_cmd=dropped,
        entrypoint_shell=state.shell,
        entrypoint_shell_instruction=state.shell_instruction,
        base_entrypoint=False,
    )
    # A CMD of the base image or of the stage below was meant for another entrypoint.
    return state if state.cmd_is_own else state._replace(cmd=None, base_cmd=False)


def _cmd(state: State, instruction: Instruction, scope: Scope) -> State:
    return state._replace(
        cmd=instruction,
        cmd_shell=state.shell,
        cmd_shell_instruction=state.shell_instruction,
        base_cmd=False,
        cmd_is_own=True,
        lost_cmd=None,
    )


_CHANGES = {
    "ARG": _arg,
    "CMD": _cmd,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "SHELL": _shell,
    "STOPSIGNAL": _stop_signal,
    "USER": _user,
    "WORKDIR": _workdir,
}
