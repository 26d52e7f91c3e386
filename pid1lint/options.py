"""The options of the command line: how each is read, completed and told in the help, under headings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar

import click

from pid1lint.numbers import is_number

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SEVERITIES = ("info", "warning", "error")
SHELLS = ("bash", "zsh", "fish", "powershell")

_ELSEWHERE = {"help": "--help", "version": "--version", "fix": "check --fix", "lint": "check", "run": "check"}
"""What commands of other programs are called here."""

EXAMPLES = (
    ("pid1lint", "check every Dockerfile below this folder"),
    ("pid1lint Dockerfile run.sh", "check these"),
    ("pid1lint --diff", "show what --fix would change"),
    ("pid1lint trace Dockerfile", "show who is PID 1 and who gets the stop signal"),
    ("pid1lint explain PID201", "explain a rule"),
)

Command = TypeVar("Command", bound=Callable[..., object])


class DefaultCheck(click.Group):
    """`pid1lint Dockerfile` and `pid1lint --fix` mean `pid1lint check ...`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `check` in front of what names no command; while a word is completed, it may become either."""
        if not args and ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h", "--version")):
            self._refuse_mistyped(ctx, args)
            args = ["check", *args]
        return super().parse_args(ctx, args)

    def _refuse_mistyped(self, ctx: click.Context, args: Sequence[str]) -> None:
        """`explian PID201` is a mistyped command, unless there is such a file; so is what others call a command."""
        word = args[0] if args else ""
        if word.isalpha() and not os.path.lexists(word) and not ctx.resilient_parsing:
            from pid1lint.nearest import nearest

            meant = _ELSEWHERE.get(word) or nearest(word, self.commands, 0.75)
            if meant:
                raise click.UsageError(f"there is no command or file {word!r}; did you mean {meant!r}?", ctx)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, and what `check` takes."""
        check = self.commands["check"]
        inner = check.make_context("check", [], parent=ctx, resilient_parsing=True)
        from click.shell_completion import CompletionItem

        items = {item.value: item for item in super().shell_complete(ctx, incomplete)}
        items.update((item.value, item) for item in check.shell_complete(inner, incomplete))
        # First, because click's script for bash forgets at this one what came before it.
        files = [] if incomplete.startswith("-") else [CompletionItem(incomplete, type="file")]
        return [*files, *items.values()]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write examples, then the epilog."""
        with formatter.section("Examples"):
            formatter.write_dl(list(EXAMPLES))
        super().format_epilog(ctx, formatter)


class Grouped(click.Command):
    """A command whose help has its options under headings; `headings` has the options' names of each."""

    headings: ClassVar[Mapping[str, Sequence[str]]] = {}

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those of no heading last; all descriptions begin in one column."""
        params = (param for param in self.get_params(ctx) if isinstance(param, click.Option))
        left = {param.name: record for param in params if (record := param.get_help_record(ctx))}
        width = max((len(option) for option, _ in left.values()), default=0)
        for heading, names in {**self.headings, "Other": tuple(map(str, left))}.items():
            rows = [left.pop(name) for name in names if name in left]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl([(option.ljust(width), text) for option, text in rows])


class Check(Grouped):
    """The command `check`."""

    headings: ClassVar[Mapping[str, Sequence[str]]] = {
        "What is checked": ("context", "target", "build_arg", "platform", "files_from", "stdin_filename", "jobs"),
        "Rules": ("select", "ignore", "baseline", "write_baseline", "add_ignores"),
        "Fixes": ("fix", "unsafe_fixes", "init", "diff", "show_fixes"),
        "Report": ("forms", "output", "statistics", "quiet", "verbose"),
        "Exit code": ("fail_on", "exit_zero"),
        "Configuration": ("config", "isolated"),
    }


class Trace(Grouped):
    """The command `trace`."""

    headings: ClassVar[Mapping[str, Sequence[str]]] = {
        "What is shown": ("context", "target", "build_arg", "platform", "stdin_filename"),
        "Report": ("form", "output"),
        "Configuration": ("config", "isolated"),
    }


class Prove(Grouped):
    """The command `prove`."""

    headings: ClassVar[Mapping[str, Sequence[str]]] = {
        "How it is run": ("engine", "ready", "grace", "times"),
        "How it is built": ("context", "target", "build_arg"),
        "Report": ("as_json", "as_junit", "output"),
        "Configuration": ("write_facts", "config", "isolated"),
    }


def one_of(words: Sequence[str]) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """A callback that takes one of a few words, in any case, and tells the nearest one to a wrong one."""
    return lambda ctx, param, value: None if value is None else _among(words, value, ctx, param)


def _among(words: Sequence[str], value: str, ctx: click.Context, param: click.Parameter) -> str:
    if value.lower() in words:
        return value.lower()
    from pid1lint.nearest import hint

    among = hint(value, words, 0.6) or f"; it is one of {', '.join(words)}"
    raise click.BadParameter(f"there is no {value!r}{among}", ctx, param)


def told(error: click.ClickException) -> str:
    """A mistake on the command line in one line, with what to type instead."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if isinstance(error, click.MissingParameter) and context is not None and error.param is not None:
        return f"`{context.command_path}` needs {_NEEDS.get(error.param.name or '', 'an argument')}"
    if isinstance(error, click.NoSuchOption) and context is not None:
        from pid1lint.nearest import hint

        names = [name for ctx in (context, context.parent) for name in _names_of_options(ctx)]
        meant = hint(error.option_name, names, 0.6) or f"; `{context.command_path} --help` lists the options"
        return f"there is no option {error.option_name!r}{meant}"
    return " ".join(error.format_message().split())


_NEEDS = {
    "images": "an image, such as podman:NAME or oci-archive:FILE",
    "source": "an image, an archive or a Dockerfile",
    "rule": "a rule: a code or a name, such as PID201; `pid1lint rules` lists them",
    "shell": f"a shell: {', '.join(SHELLS)}",
}


def _names_of_options(context: click.Context | None) -> list[str]:
    params = [] if context is None else context.command.get_params(context)
    return [name for param in params for name in param.opts if name.startswith("--")]


def at_least_0(ctx: click.Context, param: click.Parameter, value: str) -> int:
    """A number of 0 or more."""
    if not is_number(value):
        raise click.BadParameter(f"{value!r} is not a number such as 0 or 4", ctx, param)
    return int(value)


def at_least_1(ctx: click.Context, param: click.Parameter, value: str) -> int:
    """A number of 1 or more."""
    if not is_number(value) or int(value) < 1:
        raise click.BadParameter(f"{value!r} is not a number such as 1 or 10", ctx, param)
    return int(value)


def seconds(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """A time of a second or more."""
    if value is None:
        return None
    try:
        found = float(value)
    except ValueError:
        found = 0.0
    if not 1 <= found <= 86400:
        raise click.BadParameter(f"{value!r} is not a number of seconds such as 10", ctx, param)
    return found


def folder(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """A directory that is there."""
    if value is not None and not os.path.isdir(value):
        from pid1lint.nearest import path_hint

        what = "is not a folder" if os.path.lexists(value) else "does not exist"
        raise click.BadParameter(f"{value!r} {what}{path_hint(value, folders=True)}", ctx, param)
    return value


def forms(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> tuple[tuple[str, str | None], ...]:
    """`NAME[:FILE]` options."""
    from pid1lint.report import FORMATS

    pairs = (value.partition(":") for value in values)
    return tuple((_among(FORMATS, name, ctx, param), path or None) for name, _, path in pairs)


def key_values(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    """`K=V` pairs; `K` alone takes its value from the environment, as docker build does."""
    pairs = {}
    for value in values:
        key, equals, given = value.partition("=")
        if not key:
            raise click.BadParameter(f"{value!r} must have the form K=V", ctx, param)
        if equals or key in os.environ:
            pairs[key] = given if equals else os.environ[key]
    return pairs


def selectors(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """Selectors, in one option or several, with commas."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]


def completes(words: Callable[[], Iterable[str]]) -> Completer:
    """Completion out of a few words."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(word) for word in words() if word.startswith(incomplete.lower())]

    return complete


def complete_formats() -> Iterable[str]:
    """The forms of a report."""
    from pid1lint.report import FORMATS

    return FORMATS


def complete_rule(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Codes and names of rules, each with what it says; what stands before a comma stays."""
    from click.shell_completion import CompletionItem

    from pid1lint import registry

    before, comma, word = incomplete.rpartition(",")
    return [
        CompletionItem(before + comma + spelling, help=rule.summary)
        for rule in registry.all_rules()
        for spelling in (rule.code, rule.name)
        if spelling.lower().startswith(word.lower())
    ]


def format_option(words: Sequence[str]) -> Callable[[Command], Command]:
    """`--format` of a command that makes one report."""
    return click.option(
        "--format",
        "-f",
        "form",
        callback=one_of(words),
        default="text",
        metavar="|".join(words),
        show_default=True,
        shell_complete=completes(lambda: words),
        help="Format of the report.",
    )


def shared(command: Command) -> Command:
    """The options that `check` and `trace` have in common."""
    for option in reversed(
        (
            click.argument("paths", nargs=-1, type=click.Path()),
            click.option("--output", "-o", type=click.Path(dir_okay=False), help="Write the report to this file."),
            click.option("--context", type=click.Path(), callback=folder, metavar="DIR", help="The build context."),
            click.option("--target", metavar="STAGE", help="Check this stage instead of the last one."),
            click.option(
                "--build-arg", multiple=True, callback=key_values, metavar="K=V", help="A build argument; repeatable."
            ),
            click.option(
                "--platform", metavar="OS/ARCH", default="", help="Use this platform of a built image with several."
            ),
            click.option("--stdin-filename", metavar="PATH", help="The name of standard input (`-`)."),
            click.option("--config", type=click.Path(), metavar="FILE", help="Use only this configuration file."),
            click.option("--isolated", is_flag=True, help="Read no configuration file."),
        )
    ):
        command = option(command)
    return command
