"""How one stage's container starts and stops: the verdict, and all that rules ask of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from pid1lint.diagnostic import Severity
from pid1lint.frozen import Frozen
from pid1lint.launch.path import Fault, Link, Path
from pid1lint.launch.process import Assumption, Outcome, Process
from pid1lint.shell.ir import Script
from pid1lint.source import Place, Source

if TYPE_CHECKING:
    from pid1lint.image.filesystem import ImageFile
    from pid1lint.image.model import Command, Image
    from pid1lint.launch.orphans import Orphans


class Launch(Frozen):
    """How one stage's container starts and stops. `paths` begins with the one that `outcome` is about.

    `by_shell` holds more than one outcome where it depends on a /bin/sh that is not known; `same_shells` is not set
    where it decides which shells stay, be the outcome the same. `init` is the one that a fix puts in front where one is
    missing. `open_at` is where an unknown outcome is decided: the construct that the
    analysis cannot see through, or the FROM of an image that it does not know. `operations` of scripts were done to
    tell all this.
    """

    image: Image
    dockerfile: str
    stage: str
    entrypoint: tuple[str, ...] | str | None
    cmd: tuple[str, ...] | str | None
    stop_signal: str
    outcome: Outcome
    why: str
    reaps: bool | None
    paths: tuple[Path, ...]
    by_shell: tuple[Outcome, ...] = ()
    same_shells: bool = True
    init: str = "tini"
    open_at: Place | None = None
    operations: int = 0

    @property
    def tree(self) -> Process | None:
        """The processes of the path that the image's own CMD takes."""
        return self.paths[0].tree if self.paths else None

    @property
    def main(self) -> Path | None:
        """The path that the image's own CMD takes."""
        return self.paths[0] if self.paths else None

    @property
    def assumes(self) -> tuple[Assumption, ...]:
        """What the outcome rests on that nobody knows."""
        return self.paths[0].assumes if self.paths and self.outcome is self.paths[0].outcome else ()

    @property
    def certainty(self) -> str | None:
        """`proven` or `assumed`; None where there is no verdict."""
        if self.outcome is Outcome.UNKNOWN:
            return None
        return "assumed" if self.assumes else "proven"

    @cached_property
    def orphans(self) -> Orphans | None:
        """What the image's own path is known to leave to a PID 1 that is known not to reap."""
        from pid1lint.launch.orphans import orphans

        return orphans(self.image, self.paths[0]) if self.paths else None

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files that its processes are started in and run as scripts."""
        found = {id(script.text.source): script.text.source for script in self.scripts}
        for path in self.paths:
            for process in path.tree.walk() if path.tree is not None else ():
                if process.place is not None:
                    found[id(process.place.source)] = process.place.source
        return tuple(found.values())

    @property
    def scripts(self) -> tuple[Script, ...]:
        """The shell texts that its processes run, on any path."""
        trees = (path.tree for path in self.paths if path.tree is not None)
        found = (process.script for tree in trees for process in tree.walk())
        return tuple({id(script): script for script in found if script is not None}.values())

    @property
    def unused_init(self) -> str:
        """The init that a RUN of the image installs and nothing of what is known of the image runs; else empty."""
        from pid1lint.facts.inits import INITS

        found = [init for init in INITS if init in self.image.files.packages]
        if not found or self.outcome in (Outcome.UNKNOWN, Outcome.FAILS, Outcome.EXITS):
            return ""
        if any(path.obstacles or path.tree is None for path in self.paths):
            return ""
        processes = [process for path in self.paths for process in (path.tree.walk() if path.tree is not None else ())]
        if any(process.kind == "init" for process in processes):
            return ""
        scripts = [process.script.text.text for process in processes if process.script is not None]
        others = [i.text.text for i in self.image.stage.instructions if i.keyword not in ("RUN", "LABEL")]
        unused = (init for init in found if not any(init in text for text in (*scripts, *others)))
        return next(unused, "")

    def starts_init(self, link: Link) -> bool:
        """Whether a script's shell that stays starts an init as its child."""
        child = link.child
        if child.kind != "init" or child.start not in ("child", "substitution") or child.call is None:
            return False
        if link.handles or child.call.loop or link.path.beneath(child, "background", "pipeline"):
            return False
        return self.shell_form(link.shell) is None and self.shell_word(link.shell) is None

    @cached_property
    def supposed(self) -> tuple[ImageFile, ...]:
        """The scripts that are read in the stead of those which are not there before the build."""
        walks = (process for path in self.paths if path.tree is not None for process in path.tree.walk())
        files = {p.file.path: p.file for p in walks if p.file is not None and p.file.supposed}
        return tuple(files.values())

    @property
    def bad_paths(self) -> tuple[Path, ...]:
        """The paths on which the app is killed or cut off."""
        return tuple(path for path in self.paths if path.outcome in (Outcome.HANG, Outcome.ABRUPT))

    def faults(self, what: str) -> Iterator[tuple[Path, Link, Fault]]:
        """The handlers with one fault (see `Fault`), on the paths on which the app is killed or cut off."""
        for path in self.bad_paths:
            for link in path.links:
                fault = link.fault
                if fault is not None and fault.what == what:
                    yield path, link, fault

    def way_to(self, at: Place) -> tuple[Process, ...]:
        """The programs from PID 1's first down to the one that starts at a place, or else whose script it is in."""
        processes = [(path, process) for path in self.paths if path.tree for process in path.tree.walk()]
        for path, process in processes:
            if process.place is not None and _meet(process.place, at):
                return path.way_to(process)
        for path, process in processes:
            if process.script is not None and process.script.text.source.path == at.source.path:
                return path.way_to(process)
        return ()

    def severity(self, path: Path) -> Severity:
        """Error on the path that the image's own CMD takes, if /bin/sh is known; else warning."""
        asked_for = any(choice.kind == "arguments" and choice.usual is False for choice in path.decisions)
        if path is self.main and path.outcome is self.outcome and len(set(self.by_shell)) <= 1 and not asked_for:
            return Severity.ERROR
        return Severity.WARNING

    def effect(self, link: Link) -> str:
        """What becomes of the main process because of a shell; if that hangs on what /bin/sh is, it says so."""
        shell = link.shell
        depends = len(set(self.by_shell)) > 1 or not self.same_shells
        if not depends or shell.interpreter != "sh" or not shell.dialect:
            return link.effect
        return f"if sh is {shell.dialect}, " + re.sub(r"\Ash ", "it ", link.effect)

    def lacking(self, path: Path, *lacks: str) -> tuple[Link, ...]:
        """The shells of a path that stay by design and have no handler for the stop signal, for one of these reasons.

        Not those of a shell form or of `sh -c` in the Dockerfile, nor where an init tells an app that has no handler:
        nothing that the shell could do would end it better.
        """
        main = path.main
        if main is not None and main.receives_stop and main.reaction == "default":
            return ()
        return tuple(
            link
            for link in path.links
            if link.lack in lacks
            and not (self.shell_form(link.shell) or self.shell_word(link.shell))
            and not path.beneath(link.shell, "background", "pipeline")
        )

    def severity_of(self, fault: Fault, path: Path) -> Severity:
        """As for any bad path, but less where only what runs beside the main process is lost: an info if not always."""
        if path.main is not None and not any(app.main for app in fault.apps):
            return Severity.WARNING if path is self.main else Severity.INFO
        return self.severity(path)

    def shell_form(self, process: Process) -> Command | None:
        """The CMD or ENTRYPOINT in shell form that a process runs, if it is the shell of one."""
        for command in (self.image.entrypoint, self.image.cmd):
            if command is not None and command.form == "shell" and process.runs(command.text):
                return command
        return None

    def shell_word(self, process: Process) -> tuple[Command, int] | None:
        """The word of an exec form (`["sh", "-c", WORD]`) that a process runs as a shell string."""
        for command in (self.image.entrypoint, self.image.cmd):
            for index, word in enumerate(command.words if command is not None else ()):
                if command is not None and process.runs(word):
                    return command, index
        return None

    @property
    def courtesy(self) -> Process | None:
        """The shell of a string that replaced itself by the main process without being told to."""
        path = self.main
        if path is None or path.main is None or path.outcome is not Outcome.GRACEFUL:
            return None
        for above, below in pairwise(path.chain):
            same = above.kind == "shell" and above.form == "string" and above.pid == below.pid
            if same and below.call is not None and below.call.words == 0 and below.call.script is above.script:
                return above
        return None


def _meet(one: Place, other: Place) -> bool:
    """Whether one of two places lies within the other."""
    return one.source.path == other.source.path and (one.span.covers(other.span) or other.span.covers(one.span))
