"""A package that the image is to have: an init in front of what it starts, or any other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pid1lint.facts.images import UNKNOWN
from pid1lint.fix import Applicability, Edit, Fix
from pid1lint.mend.array import json_array
from pid1lint.mend.lines import line_above
from pid1lint.mend.setting import setting
from pid1lint.source import Span

if TYPE_CHECKING:
    from pid1lint.dockerfile.scanner import Instruction
    from pid1lint.launch.launch import Launch


def init_in_front(launch: Launch) -> Fix | None:
    """Install the chosen init, and put it in front of what the container starts: of ENTRYPOINT, else of CMD.

    None where that is in shell form or comes from an image whose scripts are not known, or where no package of the
    init is known.
    """
    from pid1lint.facts.inits import INITS

    image = launch.image
    if image.deployment is not None:
        made = setting(launch, "init", "true") if not image.front else None
        return None if made is None else Fix("Put an init in front", made, Applicability.UNSAFE)
    # One that is installed need not be joined by another.
    init = next((init for init in (launch.init, *INITS) if init in image.packages), launch.init)
    source = image.dockerfile.source
    command = image.entrypoint or image.cmd
    own = next((c.instruction for c in (image.entrypoint, image.cmd) if c is not None and c.instruction), None)
    if command is None or own is None or own not in image.stage.instructions:
        return None
    lines = _init_installation(launch, init, own.span.start)
    if lines is None:
        return None
    end = source.newline
    before = "".join(line + end for line in lines)
    above = line_above(launch, own)
    start = Span(above, above)
    edits: tuple[Edit, ...]
    if image.entrypoint is None or image.entrypoint.instruction is None:
        inherited = image.entrypoint.words if image.entrypoint is not None else ()
        array = json_array((init, "--", *(word.text for word in inherited)))
        edits = (Edit(source, start, f"{before}ENTRYPOINT {array}{end}"),)
    elif command.form == "exec" and command.source is source:
        at = command.words[0].offset(0) - 1
        edits = (Edit(source, Span(at, at), f'"{init}", "--", '),)
        edits = (Edit(source, start, before), *edits) if before else edits
    else:
        return None
    return Fix(f"Put {init} in front", edits, Applicability.UNSAFE)


def _init_installation(launch: Launch, init: str, at: int) -> tuple[str, ...] | None:
    """The lines that install an init; None where no package of it is known."""
    from pid1lint.facts.inits import is_packaged

    image, base = launch.image, launch.image.base
    if init in image.packages:
        return ()
    if base is None or not is_packaged(init, base.family, f"{base.name}:{base.tag}", image.run_texts):
        return None
    return installation(launch, init, at)


def installation(launch: Launch, package: str, at: int) -> tuple[str, ...] | None:
    """The lines that install a package before an offset of the Dockerfile, as it installs others; none if it is there.

    None where the image has no package manager that is known, or whose user the installation would run as is not.
    """
    from pid1lint.facts.inits import manager

    base = launch.image.base
    if package in launch.image.packages:
        return ()
    found = manager(base.package_manager) if base is not None and base.package_manager else None
    user = _user_at(launch, at)
    if found is None or user is None:
        return None
    flags = next((flags for flags in map(_cache_mounts, _runs_before(launch, at, found.uses)) if flags), "")
    run = f"RUN {flags}{found.install(package, into_cache=bool(flags))}"
    return (run,) if is_root(user) else ("USER root", run, f"USER {user}")


def is_root(user: str) -> bool:
    """Whether a USER's argument, or its absence, means root."""
    return user in ("", "root", "0", "root:root", "0:0")


def _user_at(launch: Launch, at: int) -> str | None:
    """The user at an offset, as written in the last USER before it; None if that cannot be told."""
    image = launch.image
    users = [i for i in image.stage.instructions if i.keyword == "USER" and i.span.start < at]
    if users:
        return users[-1].text.text.strip()
    if image.user_instruction is None or image.user_instruction not in image.stage.instructions:
        return None if UNKNOWN in image.user else image.user
    # It is set only behind this place: before, it is what the image below leaves behind.
    if image.stage.parent is not None or image.base is None:
        return None
    return image.base.user


def _runs_before(launch: Launch, at: int, uses: str) -> list[Instruction]:
    """The RUNs of the stage before an offset that call a package manager, the last first."""
    runs = [i for i in launch.image.stage.instructions if i.keyword == "RUN" and i.span.start < at]
    return [run for run in reversed(runs) if re.search(uses, run.text.text)]


def _cache_mounts(run: Instruction) -> str:
    """The flags of a RUN that mount a cache, as written, each with a blank behind it."""
    text = run.text.source.text
    flags = [flag for flag in run.flags if flag.name == "mount" and "type=cache" in (flag.value or "")]
    return "".join(text[flag.span.start : flag.span.end] + " " for flag in flags)
