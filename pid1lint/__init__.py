"""Says what happens when a container is told to stop, before its image is built.

What can be imported from here is the library: what users call, and the values that they and the rules are given.
"""

from __future__ import annotations

import sys

# `python -m pid1lint` looks for modules in the working directory first, which is the folder that is checked: what lies
# there is read, never run. While Python is still looking for the module, this is the program's name.
if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:
    del sys.path[0]

# Not typing's: to load that takes a tenth of a start, and before `ends.heed` a signal is Python's.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from pid1lint.deployed import lint_deployment as lint_deployment
    from pid1lint.diagnostic import Diagnostic as Diagnostic, Finding as Finding, Note as Note, Severity as Severity
    from pid1lint.dockerfile.scanner import Instruction as Instruction
    from pid1lint.errors import Pid1lintError as Pid1lintError
    from pid1lint.facts.own import Facts as Facts
    from pid1lint.fix import Applicability as Applicability, Edit as Edit, Fix as Fix, ShellGuard as ShellGuard
    from pid1lint.fixer import Change as Change, Refusal as Refusal, Repair as Repair, fixed as fixed
    from pid1lint.image.context import (
        BuildContext as BuildContext,
        DiskContext as DiskContext,
        MemoryContext as MemoryContext,
    )
    from pid1lint.image.filesystem import ImageFile as ImageFile
    from pid1lint.image.missing import Missing as Missing
    from pid1lint.image.model import Command as Command
    from pid1lint.launch.launch import Launch as Launch
    from pid1lint.launch.path import Fault as Fault, Link as Link, Path as Path
    from pid1lint.launch.process import (
        Call as Call,
        Outcome as Outcome,
        Process as Process,
        Sent as Sent,
        Started as Started,
        TrapSet as TrapSet,
    )
    from pid1lint.linter import Result as Result, lint as lint, trace as trace
    from pid1lint.rulebook import FileProblem as FileProblem, Rule as Rule, rule as rule
    from pid1lint.shell.ir import Word as Word
    from pid1lint.source import Excerpt as Excerpt, Location as Location, Place as Place, Source as Source, Span as Span

__version__ = "0.2.0"

# Where a type checker reads the imports above, a name is loaded when it is first used: a start must stay cheap.
_HOMES = {
    "deployed": "lint_deployment",
    "diagnostic": "Diagnostic Finding Note Severity",
    "dockerfile.scanner": "Instruction",
    "errors": "Pid1lintError",
    "facts.own": "Facts",
    "fix": "Applicability Edit Fix ShellGuard",
    "fixer": "Change Refusal Repair fixed",
    "image.context": "BuildContext DiskContext MemoryContext",
    "image.filesystem": "ImageFile",
    "image.missing": "Missing",
    "image.model": "Command",
    "launch.launch": "Launch",
    "launch.path": "Fault Link Path",
    "launch.process": "Call Outcome Process Sent Started TrapSet",
    "linter": "Result lint trace",
    "rulebook": "FileProblem Rule rule",
    "shell.ir": "Word",
    "source": "Excerpt Location Place Source Span",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}
__all__ = list(_HOME)


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
    """What is here already, and what can be loaded."""
    return sorted({*globals(), *_HOME})
