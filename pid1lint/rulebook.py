"""What a rule is: a function over a launch, or over a file that gives none, with its code and its page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Literal, TypeVar, overload

from pid1lint.diagnostic import Finding, Severity
from pid1lint.fix import Fix
from pid1lint.frozen import Frozen, NamedTuple
from pid1lint.source import Place

if TYPE_CHECKING:
    from pid1lint.launch.launch import Launch

Subject = TypeVar("Subject")

GROUPS = {
    "PID1": "How the image launches",
    "PID2": "What the entrypoint script does",
    "PID3": "Inits",
    "PID4": "Signals and traps",
    "PID5": "STOPSIGNAL",
    "PID6": "How the image is deployed",
    "PID9": "The analysis itself",
}
"""What the rules are about, by the first letters of their codes."""

UNUSED_IGNORE = "PID904"
"""The code of the rule on comments that suppress nothing: which are of use is not to hang on the rules chosen."""


class FileProblem(NamedTuple):
    """Why a file could not be looked at in full; `at` is its first line where there is no better place.

    `kind`: `syntax` (it does not parse), `unreadable`, `encoding` (it is read, but is not UTF-8), `ignore` (a comment
    that is to suppress findings is of no use).
    """

    at: Place
    kind: Literal["syntax", "unreadable", "encoding", "ignore"]
    message: str
    fix: Fix | None = None


class Rule(Frozen, Generic[Subject]):
    """One entry of the rulebook.

    `on` is the type of what `check` takes: None stands for a launch. A rule that is not `default` runs only where it
    is selected by its code or name. One that is `last` judges only a launch that goes wrong and of which no other rule
    has anything to say, whichever are selected.
    """

    code: str
    name: str
    severity: Severity
    check: Callable[[Subject], Iterator[Finding]]
    on: type[FileProblem] | None = None
    default: bool = True
    last: bool = False

    @cached_property
    def page(self) -> str:
        """The function's docstring, in Markdown."""
        return _dedent(self.check.__doc__ or "")

    @property
    def summary(self) -> str:
        """The page's first line."""
        return self.page.partition("\n")[0].strip()

    @property
    def fixable(self) -> bool:
        """Whether the rule has a fix for some of what it finds."""
        return "\n## Fix safety" in self.page


LaunchCheck = Callable[["Launch"], Iterator[Finding]]
ProblemCheck = Callable[[FileProblem], Iterator[Finding]]


@overload
def rule(
    code: str, severity: Severity, *, default: bool = True, last: bool = False
) -> Callable[[LaunchCheck], Rule[Launch]]: ...


@overload
def rule(
    code: str, severity: Severity, *, on: type[FileProblem], default: bool = True
) -> Callable[[ProblemCheck], Rule[FileProblem]]: ...


def rule(
    code: str,
    severity: Severity,
    *,
    on: type[FileProblem] | None = None,
    default: bool = True,
    last: bool = False,
) -> Callable[[Callable[[Subject], Iterator[Finding]]], Rule[Subject]]:
    """Make a function a rule: named after its module's file, with its docstring as its page.

    Without `on` the function takes a `Launch`.
    """

    def make(check: Callable[[Subject], Iterator[Finding]]) -> Rule[Subject]:
        name = check.__module__.rpartition(".")[2].replace("_", "-")
        return Rule(code, name, severity, check, on, default, last)

    return make


def _dedent(docstring: str) -> str:
    """A docstring without the indentation of its lines after the first: `inspect.cleandoc`, without inspect."""
    first, _, rest = docstring.strip().expandtabs().partition("\n")
    lines = rest.split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join([first.strip(), *(line[margin:].rstrip() for line in lines)]).strip() + "\n"
