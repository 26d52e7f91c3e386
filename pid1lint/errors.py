"""Errors that the user can mend; everything else is a bug."""

from __future__ import annotations


class Pid1lintError(Exception):
    """Something that the user can repair: told in one line, exit 2."""

    @property
    def lines(self) -> tuple[str, ...]:
        """What is told: one line, or one for each of several mistakes."""
        return (str(self),)


class UnreadableError(Pid1lintError):
    """A file cannot be read as text; `reason` continues a sentence that starts with the path."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} {reason}")
        self.path = path
        self.reason = reason
