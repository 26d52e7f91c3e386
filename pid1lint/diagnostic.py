"""What a rule reports (`Finding`) and what the user is shown (`Diagnostic`)."""

from __future__ import annotations

from enum import Enum

from pid1lint.fix import Fix
from pid1lint.frozen import Frozen, NamedTuple
from pid1lint.source import Place


class Severity(Enum):
    """How sure and how bad: see the rulebook. Ordered by `rank`."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for error."""
        return ("info", "warning", "error").index(self.value)


class Note(NamedTuple):
    """A further place, and what it has to do with the finding."""

    at: Place
    message: str


class Finding(Frozen):
    """One problem that a rule found: the cause's place, a message without a full stop, notes for other places.

    `severity` is set where the verdict differs from the rule's own.
    """

    at: Place
    message: str
    notes: tuple[Note, ...] = ()
    fix: Fix | None = None
    severity: Severity | None = None


class Deployed(NamedTuple):
    """The deployment that a finding is about: its file, the file's kind, its name there, and how messages name it."""

    path: str
    kind: str
    name: str
    label: str


class Diagnostic(Frozen):
    """A finding with all that a report says of it. `outcome` is the launch's, None where there is no launch.

    `deployment` is None for what an image has by itself.
    """

    code: str
    name: str
    severity: Severity
    message: str
    at: Place
    notes: tuple[Note, ...] = ()
    fix: Fix | None = None
    dockerfile: str = ""
    stage: str = ""
    outcome: str | None = None
    deployment: Deployed | None = None

    def with_severity(self, severity: Severity) -> Diagnostic:
        """The same with another severity."""
        return self.replaced(severity=severity)
