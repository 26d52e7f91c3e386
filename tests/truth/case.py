"""A made-up image: what the model foresees for it, and what the kernel makes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from pid1lint import linter
from pid1lint.dockerfile.scanner import scan
from pid1lint.image.context import BuildContext
from pid1lint.image.model import Image, build_image, final_stages
from pid1lint.source import Source
from tests import oracle
from tests.oracle.images import container_of

ENTRYPOINT = "entrypoint.sh"
PLAIN = oracle.StandIn(cleanup_ms=300)
# Up and gone before the container is told to stop: servers started for a while only.
BRIEF_STAY = oracle.StandIn(cleanup_ms=0)
STAND_INS = {
    **dict.fromkeys(("server", "worker", "gunicorn", "redis-server"), PLAIN),
    "mysqld": oracle.StandIn(cleanup_ms=300, variants=(("--skip-networking", BRIEF_STAY),)),
}


IN_FRONT = ("catatonit", "dumb-init", "gosu", "sudo", "tini")
"""What no base image holds: the image installs it."""


@dataclass(frozen=True)
class Case:
    """An image, as parts from which a reader can leave out one after the other.

    `script` holds the statements of /entrypoint.sh below its first line, `shebang`; with no statements there is no
    such file. `others` are (name, text) of the files beside it. `tags` name the constructs in it.
    """

    shell: str
    base: str
    instructions: tuple[str, ...]
    shebang: str = ""
    script: tuple[str, ...] = ()
    others: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def dockerfile(self) -> str:
        """The Dockerfile's text."""
        copies = ("COPY --chmod=755 . /",) if self.files else ()
        text = "\n".join((*self.script, *self.instructions))
        needed = sorted({name for name in IN_FRONT if re.search(rf"\b{name}\b", text)})
        install = "apk add" if self.base.startswith("alpine") else "apt-get update && apt-get install -y"
        installed = (f"RUN {install} {' '.join(needed)}",) if needed else ()
        return "\n".join((f"FROM {self.base}", *installed, *copies, *self.instructions)) + "\n"

    @property
    def files(self) -> dict[str, str]:
        """The build context."""
        own = {ENTRYPOINT: "\n".join((self.shebang, *self.script)) + "\n"} if self.script else {}
        return {**own, **dict(self.others)}

    @property
    def context(self) -> BuildContext:
        """The build context, all of it executable."""
        return BuildContext.of(self.files, dict.fromkeys(self.files, 0o755))

    @cached_property
    def image(self) -> Image:
        """The image as pid1lint reads it."""
        dockerfile = scan(Source("Dockerfile", self.dockerfile))
        return build_image(dockerfile, final_stages(dockerfile)[-1], self.context, {})

    def container(self) -> oracle.Container:
        """The image for the oracle; `LookupError` if it needs a program that is not installed."""
        text = self.shown()
        named = {name: it for name, it in STAND_INS.items() if re.search(rf"\b{name}\b", text)}
        if re.search(r"kill [^;]*(\b0\b|-\$\$)", text) and "sleep 1;" not in text:
            # A shell that signals itself until its stack is full takes its time.
            named = {name: replace(it, cleanup_ms=1600) for name, it in named.items()}
        return container_of(self.image, named)

    @property
    def settle(self) -> float:
        """How long to wait until it has come to rest: longer where a server is started and stopped first."""
        return 0.25 + 0.9 * self.shown().count("sleep 0.5")

    def foreseen(self) -> str:
        """The model's verdict."""
        (launch,) = linter.trace(self.dockerfile, self.context)
        return launch.outcome.value

    @property
    def drops(self) -> bool:
        """Whether a server drops its work on the stop signal: no run without requests shows that."""
        (launch,) = linter.trace(self.dockerfile, self.context)
        told = launch.tree.walk() if launch.tree is not None else ()
        return any(process.reaction == "drops" and process.receives_stop for process in told)

    def shown(self) -> str:
        """All its files as one text."""
        parts = (f"# --- {name}\n{text}" for name, text in {"Dockerfile": self.dockerfile, **self.files}.items())
        return "\n".join(parts)

    def smaller(self) -> Iterator[Case]:
        """The same with one part left out."""
        for at in range(len(self.script)):
            yield replace(self, script=(*self.script[:at], *self.script[at + 1 :]))
        for at, instruction in enumerate(self.instructions):
            if not instruction.startswith("ENTRYPOINT"):
                yield replace(self, instructions=(*self.instructions[:at], *self.instructions[at + 1 :]))
            elif init := re.match(r'ENTRYPOINT \["(tini|dumb-init|catatonit)", (?:"-g", )?(?:"--", )?', instruction):
                bare = "ENTRYPOINT [" + instruction[init.end() :]
                yield replace(self, instructions=(*self.instructions[:at], bare, *self.instructions[at + 1 :]))
