"""The command line: parse options, call the library, render, exit."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn, TextIO, TypeVar

import click

from pid1lint import __version__
from pid1lint.errors import Pid1lintError

if TYPE_CHECKING:
    from pid1lint.check import Fixed, Plan
    from pid1lint.config import Configs
    from pid1lint.diagnostic import Diagnostic
    from pid1lint.fixer import Change
    from pid1lint.registry import AnyRule
    from pid1lint.report import Report, Target
    from pid1lint.report.style import Style
    from pid1lint.source import Source

CLEAN, FINDINGS, FAILURE = 0, 1, 2
_FORMATS = ("text", "json")
_SEVERITIES = ("info", "warning", "error")

Command = TypeVar("Command", bound=Callable[..., object])


class _DefaultCheck(click.Group):
    """`pid1lint Dockerfile` and `pid1lint --fix` mean `pid1lint check ...`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `check` in front of what names no command."""
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h", "--version")):
            args = ["check", *args]
        return super().parse_args(ctx, args)


def _one_of(words: Sequence[str]) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """A callback that takes one of a few words, in any case, and tells the nearest one to a wrong one."""
    return lambda ctx, param, value: None if value is None else _among(words, value, ctx, param)


def _among(words: Sequence[str], value: str, ctx: click.Context, param: click.Parameter) -> str:
    if value.lower() in words:
        return value.lower()
    import difflib

    nearest = difflib.get_close_matches(value.lower(), words, n=1)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"it is one of {', '.join(words)}"
    raise click.BadParameter(f"there is no {value!r}; {hint}", ctx, param)


def _forms(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> tuple[tuple[str, str | None], ...]:
    """`NAME[:FILE]` options."""
    from pid1lint.report import FORMATS

    pairs = (value.partition(":") for value in values)
    return tuple((_among(FORMATS, name, ctx, param), path or None) for name, _, path in pairs)


def _key_values(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    """`K=V` pairs; `K` alone takes its value from the environment, as docker build does."""
    pairs = {}
    for value in values:
        key, equals, given = value.partition("=")
        if not key:
            raise click.BadParameter(f"{value!r} is not of the form K=V", ctx, param)
        if equals or key in os.environ:
            pairs[key] = given if equals else os.environ[key]
    return pairs


def _selectors(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def _format(words: Sequence[str]) -> Callable[[Command], Command]:
    return click.option(
        "--format",
        "-f",
        "form",
        callback=_one_of(words),
        default="text",
        metavar="|".join(words),
        show_default=True,
        help="Form of the report.",
    )


def _shared(command: Command) -> Command:
    """The options that `check` and `trace` have in common."""
    for option in reversed(
        (
            click.argument("paths", nargs=-1),
            click.option("--output", "-o", type=click.Path(dir_okay=False), help="Write the report to this file."),
            click.option(
                "--context", type=click.Path(exists=True, file_okay=False), metavar="DIR", help="The build context."
            ),
            click.option("--target", metavar="STAGE", help="Judge this stage instead of the last one."),
            click.option(
                "--build-arg", multiple=True, callback=_key_values, metavar="K=V", help="A build argument; repeatable."
            ),
            click.option("--stdin-filename", metavar="PATH", help="What standard input (`-`) is called."),
            click.option("--config", metavar="FILE", help="The only configuration file that counts."),
            click.option("--isolated", is_flag=True, help="Read no configuration file."),
        )
    ):
        command = option(command)
    return command


@click.group(
    cls=_DefaultCheck,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`pid1lint PATH` is `pid1lint check PATH`: see `pid1lint check --help` for its options.",
)
@click.version_option(__version__, prog_name="pid1lint", message="%(prog)s %(version)s")
def group() -> None:
    """Say what happens when a container is told to stop, before its image is built."""


@group.command()
@_shared
@click.option(
    "--format",
    "-f",
    "forms",
    multiple=True,
    callback=_forms,
    default=("text",),
    metavar="NAME[:FILE]",
    show_default=True,
    help="Form of the report, and its file: text, concise, json, sarif, github, gitlab, junit, checkstyle, rdjson or "
    "markdown; may be repeated.",
)
@click.option("--fix", is_flag=True, help="Make the safe fixes.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: make the unsafe fixes too.")
@click.option("--diff", is_flag=True, help="Print what --fix would change; change nothing.")
@click.option("--select", multiple=True, callback=_selectors, help="Rules to run: codes, starts of codes, names, all.")
@click.option("--ignore", multiple=True, callback=_selectors, help="Rules not to run.")
@click.option(
    "--fail-on",
    callback=_one_of(_SEVERITIES),
    metavar="|".join(_SEVERITIES),
    help="Exit with 1 from this severity on; warning by default.",
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found.")
@click.option("--add-ignores", is_flag=True, help="Write a comment for each finding, so that it is ignored.")
@click.option("--baseline", metavar="FILE", help="Report only findings that are not in this file.")
@click.option("--write-baseline", metavar="FILE", help="Write all findings to this file, for --baseline.")
@click.option("--statistics", is_flag=True, help="Count the findings of each rule instead of listing them.")
@click.option("--quiet", "-q", is_flag=True, help="Print findings only.")
@click.option("--jobs", "-j", type=click.IntRange(0), default=0, help="Files to check at a time; 0: as suits.")
def check(
    *,
    paths: tuple[str, ...],
    forms: tuple[tuple[str, str | None], ...],
    output: str | None,
    context: str | None,
    target: str | None,
    build_arg: Mapping[str, str],
    stdin_filename: str | None,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str | None,
    exit_zero: bool,
    add_ignores: bool,
    baseline: str | None,
    write_baseline: str | None,
    statistics: bool,
    quiet: bool,
    jobs: int,
    config: str | None,
    isolated: bool,
) -> int:
    """Check Dockerfiles and the scripts that they run.

    PATHS are Dockerfiles, scripts (checked through the Dockerfiles that run them), directories to search, or `-` for
    standard input. Without any, the working directory is searched.
    """
    from pid1lint import check as checking
    from pid1lint.check import Options
    from pid1lint.report import Report, targets

    configs = _configs(config, isolated)
    placed = targets(forms, output)
    if add_ignores and fix:
        raise Pid1lintError("--add-ignores and --fix: choose one")
    known = _known(baseline)
    options = Options(context, target, build_arg, select, ignore, _stdin(paths, stdin_filename), configs, known)
    planned = checking.plan(paths, configs)
    fixed: Fixed | None = None
    if add_ignores:
        fixed = checking.add_ignores(planned, options, jobs)
    elif fix or diff:
        fixed = checking.fix_all(planned, options, unsafe=unsafe_fixes)
    errors: Sequence[str] = ()
    if fixed is None or diff:
        results = checking.check_all(planned, options, jobs)
    else:
        errors = _write(fixed, options.stdin)
        results = checking.check_all(planned, options, jobs, _unwritten(fixed, options.stdin, errors))
    diagnostics = checking.told(results, options)
    if write_baseline is not None:
        return _write_baseline(write_baseline, diagnostics)
    troubles = [str(crash) for result in results for crash in result.crashes]
    troubles += [] if fixed is None else [*fixed.errors, *map(str, fixed.refusals)]
    if fixed is not None and diff:
        _print_diff(fixed)
    else:
        launches = tuple(launch for result in results for launch in result.launches)
        made = 0 if fixed is None or add_ignores else fixed.made
        told = (*errors, *troubles)
        report = Report(diagnostics, _shown(planned, options.stdin), launches, made, told, statistics, quiet)
        if fixed is not None and add_ignores:
            _print([f"Ignored from now on: {fixed.made} in {len(fixed.changes)} changed files"], sys.stderr)
        # Standard output is for the mended file, where standard input was mended.
        _report(report, placed, sys.stderr if fixed is not None and options.stdin is not None else sys.stdout)
    _say(errors or troubles)
    if errors or troubles:
        return FAILURE
    failing = any(
        d.severity.rank >= _SEVERITIES.index(fail_on or configs.of(d.dockerfile).fail_on) for d in diagnostics
    )
    return FINDINGS if failing and not exit_zero else CLEAN


def _configs(file: str | None, isolated: bool) -> Configs:
    from pid1lint.config import Configs

    if file is not None and isolated:
        raise Pid1lintError("--config and --isolated: choose one")
    return Configs(file, isolated=isolated)


def _stdin(paths: Iterable[str], filename: str | None) -> Source | None:
    """Standard input, where `-` asks for it."""
    from pid1lint.check import STDIN, shown
    from pid1lint.source import Source

    if STDIN not in paths:
        return None
    return Source.decode(shown(filename) if filename else "Dockerfile", sys.stdin.buffer.read())


def _known(baseline: str | None) -> frozenset[str]:
    """The findings of a baseline."""
    if baseline is None:
        return frozenset()
    from pid1lint.baseline import read

    return read(baseline)


def _write_baseline(path: str, diagnostics: Sequence[Diagnostic]) -> int:
    from pid1lint.baseline import written
    from pid1lint.fixer import put

    put(path, written(diagnostics).encode("ascii"))
    _print([f"{path}: {len(diagnostics)} known from now on with --baseline {path}"], sys.stderr)
    return CLEAN


def _unwritten(fixed: Fixed | None, stdin: Source | None, errors: Sequence[str]) -> Iterable[Change]:
    """The changes that the files on the disk do not show: those to standard input."""
    if fixed is None or stdin is None or errors:
        return ()
    return [change for change in fixed.changes if change.before.path == stdin.path]


def _write(fixed: Fixed, stdin: Source | None) -> Sequence[str]:
    """Put the fixes where they belong; what went wrong, in one line each."""
    from pid1lint.check import home
    from pid1lint.fixer import write

    on_disk = [change for change in fixed.changes if stdin is None or change.before.path != stdin.path]
    try:
        write(on_disk, home)
    except Pid1lintError as error:
        return (str(error),)
    if stdin is not None:
        mended = next((c.after for c in fixed.changes if c.before.path == stdin.path), stdin)
        sys.stdout.buffer.write(mended.encode())
        sys.stdout.buffer.flush()
    return ()


def _print_diff(fixed: Fixed) -> None:
    from pid1lint.report import diff

    _print(diff.render(fixed.changes, _style(sys.stdout)), sys.stdout)


def _shown(planned: Plan, stdin: Source | None) -> tuple[str, ...]:
    """The Dockerfiles as reports call them."""
    return tuple(stdin.path if path == "-" and stdin is not None else path for path in planned.dockerfiles)


def _report(report: Report, placed: Sequence[Target], standard: TextIO) -> None:
    from pid1lint.report import render

    for target in placed:
        with _Output(target.path, standard) as stream:
            _print(render(target.form, report, _style(stream)), stream)


@group.command()
@_shared
@_format(_FORMATS)
def trace(
    *,
    paths: tuple[str, ...],
    form: str,
    output: str | None,
    context: str | None,
    target: str | None,
    build_arg: Mapping[str, str],
    stdin_filename: str | None,
    config: str | None,
    isolated: bool,
) -> int:
    """Show the processes of a launch: who is PID 1, and whom the stop signal reaches."""
    from pid1lint import check as checking
    from pid1lint.check import Options

    configs = _configs(config, isolated)
    options = Options(context, target, build_arg, stdin=_stdin(paths, stdin_filename), configs=configs)
    found, errors = checking.launches(checking.plan(paths, configs), options)
    with _Output(output, sys.stdout) as stream:
        if form == "json":
            from pid1lint.report import json

            _print([json.launches_json(found)], stream)
        else:
            from pid1lint.report import tree

            style = _style(stream)
            for number, launch in enumerate(found):
                _print(([""] if number else []) + list(tree.render(launch, style)), stream)
    if not found and not errors:
        _say(["no launch found: there is no Dockerfile with a stage to run"])
    _say(errors)
    return FAILURE if errors else CLEAN


@group.command()
@click.argument("rule", metavar="CODE|NAME")
def explain(rule: str) -> int:
    """Print a rule's page: what is bad, an example, and what to write instead."""
    from pid1lint import registry

    found = registry.find(rule)
    style = _style(sys.stdout)
    _print(
        [style.paint("bold", f"{found.code} {found.name}") + f" ({found.severity.value})", "", found.page], sys.stdout
    )
    return CLEAN


@group.command()
@_format(_FORMATS)
def rules(form: str) -> int:
    """List the rules; [*] marks those with a fix."""
    from pid1lint import registry

    everything = registry.all_rules()
    if form == "json":
        from pid1lint.report import json

        _print([json.rules_json(everything)], sys.stdout)
        return CLEAN
    width = max((len(rule.name) for rule in everything), default=0)
    _print((_rule_line(rule, width) for rule in everything), sys.stdout)
    return CLEAN


def _rule_line(rule: AnyRule, width: int) -> str:
    mark = "[*]" if rule.fixable else "   "
    return f"{rule.code}  {rule.name:<{width}}  {rule.severity.value:<7}  {mark}  {rule.summary}"


class _Output:
    """The stream of a report: a file that the user named, or a standard stream, which stays open."""

    def __init__(self, path: str | None, standard: TextIO) -> None:
        self.path = path
        self.stream = standard

    def __enter__(self) -> TextIO:
        if self.path is not None and self.path != "-":
            try:
                self.stream = open(self.path, "w", encoding="utf-8", newline="\n")
            except OSError as error:
                raise Pid1lintError(f"--output: {self.path} cannot be written: {error.strerror}") from error
        return self.stream

    def __exit__(self, *_: object) -> None:
        if self.path is not None and self.path != "-":
            self.stream.close()


def _style(stream: TextIO) -> Style:
    from pid1lint.report.style import style_of

    return style_of(stream, os.environ)


def _print(lines: Iterable[str], stream: TextIO) -> None:
    text = "".join(f"{line}\n" for line in lines)
    # What the stream's encoding lacks, and bytes that are no text, must not stop a report.
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _say(errors: Iterable[str]) -> None:
    _print((f"pid1lint: error: {error}" for error in errors), sys.stderr)


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit code of one call; errors are told in one line each on standard error."""
    try:
        code = group.main(arguments, prog_name="pid1lint", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        _say([" ".join(error.format_message().split())])
        return FAILURE
    except Pid1lintError as error:
        _say([str(error)])
        return FAILURE
    except click.Abort:
        return 130
    except BrokenPipeError:
        # The reader has seen enough; what is still in the buffer must not raise again when Python closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLEAN
    return code if isinstance(code, int) else CLEAN


def main() -> NoReturn:
    """The entry point."""
    sys.exit(run())
