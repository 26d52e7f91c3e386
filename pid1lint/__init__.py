"""Says what happens when a container is told to stop, before its image is built.

The names below are loaded when they are first used, so that a start of the command line stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pid1lint.diagnostic import Diagnostic, Finding, Note, Severity
    from pid1lint.dockerfile.scanner import Instruction
    from pid1lint.errors import Pid1lintError
    from pid1lint.facts.own import Facts
    from pid1lint.fix import Applicability, Edit, Fix, ShellGuard
    from pid1lint.fixer import Change, Refusal, Repair, fixed
    from pid1lint.image.context import BuildContext, DiskContext, MemoryContext
    from pid1lint.image.filesystem import ImageFile
    from pid1lint.image.missing import Missing
    from pid1lint.image.model import Command
    from pid1lint.launch.inert import after_exec, ends_otherwise, goes_on
    from pid1lint.launch.model import with_lost_cmd
    from pid1lint.launch.process import Call, Fault, Launch, Link, Outcome, Path, Process, Sent, Started, TrapSet
    from pid1lint.launch.world import signal_name
    from pid1lint.linter import Result, lint, trace
    from pid1lint.mend import (
        also_trap,
        before_loop,
        exec_in_front,
        guard,
        in_front,
        init_in_front,
        insert_exec,
        installation,
        into_background,
        json_array,
        line_above,
        literal_argv,
        may_need_shell,
        newline,
        only_tidies,
        passing_on,
        piped_to_substitution,
        plain_argv,
        quoted_handler,
        shell_words,
        sleeps_into_background,
        statement_after,
        statement_before,
        without_line,
    )
    from pid1lint.rulebook import FileProblem, Rule, rule
    from pid1lint.shell.ir import Word
    from pid1lint.shell.parse import parse
    from pid1lint.source import Excerpt, Location, Place, Source, Span
    from pid1lint.unwrap import switch_user, unforked_flock, without_init, without_setsid

__version__ = "0.1.0"

__all__ = [
    "Applicability",
    "BuildContext",
    "Call",
    "Change",
    "Command",
    "Diagnostic",
    "DiskContext",
    "Edit",
    "Excerpt",
    "Facts",
    "Fault",
    "FileProblem",
    "Finding",
    "Fix",
    "ImageFile",
    "Instruction",
    "Launch",
    "Link",
    "Location",
    "MemoryContext",
    "Missing",
    "Note",
    "Outcome",
    "Path",
    "Pid1lintError",
    "Place",
    "Process",
    "Refusal",
    "Repair",
    "Result",
    "Rule",
    "Sent",
    "Severity",
    "ShellGuard",
    "Source",
    "Span",
    "Started",
    "TrapSet",
    "Word",
    "__version__",
    "after_exec",
    "also_trap",
    "before_loop",
    "ends_otherwise",
    "exec_in_front",
    "fixed",
    "goes_on",
    "guard",
    "in_front",
    "init_in_front",
    "insert_exec",
    "installation",
    "into_background",
    "json_array",
    "line_above",
    "lint",
    "literal_argv",
    "may_need_shell",
    "newline",
    "only_tidies",
    "parse",
    "passing_on",
    "piped_to_substitution",
    "plain_argv",
    "quoted_handler",
    "rule",
    "shell_words",
    "signal_name",
    "sleeps_into_background",
    "statement_after",
    "statement_before",
    "switch_user",
    "trace",
    "unforked_flock",
    "with_lost_cmd",
    "without_init",
    "without_line",
    "without_setsid",
]

_HOME = {
    "Applicability": "fix",
    "BuildContext": "image.context",
    "Call": "launch.process",
    "Change": "fixer",
    "Command": "image.model",
    "Diagnostic": "diagnostic",
    "DiskContext": "image.context",
    "Edit": "fix",
    "Excerpt": "source",
    "Facts": "facts.own",
    "Fault": "launch.process",
    "FileProblem": "rulebook",
    "Finding": "diagnostic",
    "Fix": "fix",
    "ImageFile": "image.filesystem",
    "Instruction": "dockerfile.scanner",
    "Launch": "launch.process",
    "Link": "launch.process",
    "Location": "source",
    "MemoryContext": "image.context",
    "Missing": "image.missing",
    "Note": "diagnostic",
    "Outcome": "launch.process",
    "Path": "launch.process",
    "Pid1lintError": "errors",
    "Place": "source",
    "Process": "launch.process",
    "Refusal": "fixer",
    "Repair": "fixer",
    "Result": "linter",
    "Rule": "rulebook",
    "Sent": "launch.process",
    "Severity": "diagnostic",
    "ShellGuard": "fix",
    "Source": "source",
    "Span": "source",
    "Started": "launch.process",
    "TrapSet": "launch.process",
    "Word": "shell.ir",
    "after_exec": "launch.inert",
    "also_trap": "mend",
    "before_loop": "mend",
    "fixed": "fixer",
    "ends_otherwise": "launch.inert",
    "goes_on": "launch.inert",
    "guard": "mend",
    "in_front": "mend",
    "init_in_front": "mend",
    "installation": "mend",
    "exec_in_front": "mend",
    "insert_exec": "mend",
    "into_background": "mend",
    "json_array": "mend",
    "line_above": "mend",
    "lint": "linter",
    "literal_argv": "mend",
    "may_need_shell": "mend",
    "newline": "mend",
    "parse": "shell.parse",
    "piped_to_substitution": "mend",
    "plain_argv": "mend",
    "only_tidies": "mend",
    "passing_on": "mend",
    "quoted_handler": "mend",
    "rule": "rulebook",
    "shell_words": "mend",
    "signal_name": "launch.world",
    "switch_user": "unwrap",
    "sleeps_into_background": "mend",
    "statement_after": "mend",
    "statement_before": "mend",
    "trace": "linter",
    "unforked_flock": "unwrap",
    "with_lost_cmd": "launch.model",
    "without_init": "unwrap",
    "without_line": "mend",
    "without_setsid": "unwrap",
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
