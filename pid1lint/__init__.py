"""Says what happens when a container is told to stop, before its image is built.

The names below are loaded when they are first used, so that a start of the command line stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pid1lint.diagnostic import Diagnostic, Finding, Note, Severity
    from pid1lint.errors import Pid1lintError
    from pid1lint.fix import Applicability, Edit, Fix, ShellGuard
    from pid1lint.image.context import BuildContext, DiskContext, MemoryContext
    from pid1lint.launch.process import Launch
    from pid1lint.linter import Result, lint, trace
    from pid1lint.rulebook import FileProblem, Rule, rule
    from pid1lint.source import Excerpt, Location, Place, Source, Span

__version__ = "0.1.0"

__all__ = [
    "Applicability",
    "BuildContext",
    "Diagnostic",
    "DiskContext",
    "Edit",
    "Excerpt",
    "FileProblem",
    "Finding",
    "Fix",
    "Launch",
    "Location",
    "MemoryContext",
    "Note",
    "Pid1lintError",
    "Place",
    "Result",
    "Rule",
    "Severity",
    "ShellGuard",
    "Source",
    "Span",
    "__version__",
    "lint",
    "rule",
    "trace",
]

_HOME = {
    "Applicability": "fix",
    "BuildContext": "image.context",
    "Diagnostic": "diagnostic",
    "DiskContext": "image.context",
    "Edit": "fix",
    "Excerpt": "source",
    "FileProblem": "rulebook",
    "Finding": "diagnostic",
    "Fix": "fix",
    "Launch": "launch.process",
    "Location": "source",
    "MemoryContext": "image.context",
    "Note": "diagnostic",
    "Pid1lintError": "errors",
    "Place": "source",
    "Result": "linter",
    "Rule": "rulebook",
    "Severity": "diagnostic",
    "ShellGuard": "fix",
    "Source": "source",
    "Span": "source",
    "lint": "linter",
    "rule": "rulebook",
    "trace": "linter",
}


def __getattr__(name: str) -> object:
    """Load a public name from the module that defines it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Not importlib.import_module: a start of the command line need not pay for importlib.
    module = __import__(f"{__name__}.{_HOME[name]}", fromlist=[name])
    value: object = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
