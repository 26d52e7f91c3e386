"""Renders results: for people, for other programs, and launches as trees. A form's module is imported on demand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pid1lint.errors import Pid1lintError
from pid1lint.frozen import NamedTuple

if TYPE_CHECKING:
    from pid1lint.diagnostic import Diagnostic
    from pid1lint.launch.launch import Launch
    from pid1lint.report.style import Style

FORMATS = (
    "text",
    "concise",
    "json",
    "sarif",
    "github",
    "gitlab",
    "junit",
    "checkstyle",
    "rdjson",
    "markdown",
)


class Report(NamedTuple):
    """What a run came to, for any form to render.

    `checked` are the files, as shown; `launches` are theirs; `deployments` are those that are no Dockerfiles.
    `fixed` counts the fixes that were made, `errors`
    are one line each. `statistics` and `quiet` are the user's wishes for the forms that people read. `known` counts
    what is not told because it is in the baseline.
    """

    diagnostics: tuple[Diagnostic, ...]
    checked: tuple[str, ...] = ()
    launches: tuple[Launch, ...] = ()
    fixed: int = 0
    errors: tuple[str, ...] = ()
    statistics: bool = False
    quiet: bool = False
    known: int = 0
    deployments: frozenset[str] = frozenset()

    @property
    def dockerfiles(self) -> int:
        """How many Dockerfiles were checked."""
        return len(self.checked) - len(self.deployments)


class Target(NamedTuple):
    """A form, and the file that the report goes to: None for standard output."""

    form: str
    path: str | None = None


def render(form: str, report: Report, style: Style) -> Iterable[str]:
    """The lines of a report in one of `FORMATS`."""
    # Not importlib.import_module: a start of the command line need not pay for importlib.
    module = __import__(f"{__name__}.{form}", fromlist=["report"])
    lines: Iterable[str] = module.report(report, style)
    return lines


def targets(wanted: Sequence[tuple[str, str | None]], output: str | None) -> tuple[Target, ...]:
    """Where each form goes; `output` is for the one that has no file of its own, `-` is standard output.

    `Pid1lintError` if two go to one place, or none to `output`.
    """
    placed = tuple(Target(form, None if (path or output) == "-" else path or output) for form, path in wanted)
    if output is not None and all(path for _, path in wanted):
        raise Pid1lintError(f"--output: {output} has no use: each --format names its own file")
    seen: dict[str | None, str] = {}
    for target in placed:
        first = seen.setdefault(target.path, target.form)
        if first is not target.form or sum(other == target for other in placed) > 1:
            place = target.path or "standard output"
            raise Pid1lintError(f"--format: {first} and {target.form} both go to {place}: use --format NAME:FILE")
    return placed
