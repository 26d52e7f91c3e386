"""An image at hand as files: what is found in it, what fixes make of it, and the container that it makes."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pid1lint import deployed, linter, registry
from pid1lint.deploy.project import Project
from pid1lint.diagnostic import Diagnostic
from pid1lint.dockerfile.crosscheck import disagreement
from pid1lint.dockerfile.scanner import scan
from pid1lint.fix import Fix
from pid1lint.fixer import accepts, repair
from pid1lint.image.context import BuildContext
from pid1lint.image.model import build_image, final_stages
from pid1lint.source import Source
from tests import oracle, readers
from tests.oracle.images import container_of
from tests.pages import PageFile

Files = Mapping[str, PageFile]
Order = Callable[[Sequence[Diagnostic]], list[Diagnostic]]


class Example(NamedTuple):
    """The files of a build context, which of them is the Dockerfile, and which runs the image, if one does."""

    files: Files
    dockerfile: str = "Dockerfile"
    deployment: str = ""

    @property
    def texts(self) -> dict[str, str]:
        return {name: file.text for name, file in self.files.items()}

    def lint(self, *select: str) -> linter.Result:
        if self.deployment:
            rules = registry.chosen(select, ())
            return deployed.judge(self.deployment, Project(self.context()), rules, deployed.Wanted())
        return linter.lint(self.files[self.dockerfile].text, self.context(), path=self.dockerfile, select=select)

    def foreseen(self) -> str:
        """The outcome of the last launch; `none` if there is none."""
        result = self.lint()
        assert not result.crashes
        return result.launches[-1].outcome.value if result.launches else "none"

    def context(self) -> BuildContext:
        return BuildContext.of(self.texts, {name: file.mode for name, file in self.files.items()})

    def container(self) -> oracle.Container:
        if self.deployment:
            return container_of(self.lint().launches[-1].image)
        dockerfile = scan(self.source())
        return container_of(build_image(dockerfile, final_stages(dockerfile)[-1], self.context(), {}))

    def mend(self, *select: str, unsafe: bool = True, order: Order = list) -> tuple[Example, bool]:
        """What all fixes of some rules (of all, if none is named) make of it, and whether there were any."""

        def lint(changed: Mapping[str, Source]) -> Sequence[Diagnostic]:
            return order(self._with(changed).lint(*select).diagnostics)

        done = repair(lint, self._verify, accepts(unsafe=unsafe))
        assert not done.refusals, done.refusals
        return self._with({change.after.path: change.after for change in done.changes}), done.fixed > 0

    def unreadable(self, before: Example) -> list[str]:
        """What BuildKit, dockerfile-parse and the shells find wrong with it, and did not before it was changed."""
        wrong = [
            f"{name}: {reason}"
            for name, text in self.texts.items()
            if (reason := readers.regression(name, before.texts[name], text, is_dockerfile=name == self.dockerfile))
        ]
        if not self.dockerfile:
            return wrong
        was, now = (disagreement(scan(example.source())) for example in (before, self))
        return wrong if now is None or was is not None else [*wrong, f"dockerfile-parse: {now}"]

    def source(self) -> Source:
        """The Dockerfile."""
        return Source.of_text(self.dockerfile, self.files[self.dockerfile].text)

    def _with(self, changed: Mapping[str, Source]) -> Example:
        texts = {name: source.encode().decode("utf-8", "surrogateescape") for name, source in changed.items()}
        files = {name: file._replace(text=texts.get(name, file.text)) for name, file in self.files.items()}
        return self._replace(files=files)

    def _verify(self, fix: Fix, after: Sequence[Source]) -> str | None:
        return linter.refusal(fix, after, self.dockerfile)


def shuffled(seed: int) -> Order:
    """What is found, in another order each time; which is the first to win over fixes that overlap it."""
    draw = random.Random(seed)
    return lambda found: draw.sample(list(found), len(found))
