"""The command line: parse options, call the library, render, exit."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn, TextIO

import click

from pid1lint import __version__, files
from pid1lint.errors import Pid1lintError, UnreadableError
from pid1lint.options import (
    SEVERITIES,
    SHELLS,
    Check,
    DefaultCheck,
    Prove,
    Trace,
    at_least_0,
    at_least_1,
    complete_formats,
    complete_rule,
    completes,
    folder,
    format_option,
    forms,
    key_values,
    one_of,
    seconds,
    selectors,
    shared,
)

if TYPE_CHECKING:
    from pid1lint.check import Fixed, Options, Plan, Watch
    from pid1lint.config import Configs
    from pid1lint.diagnostic import Diagnostic
    from pid1lint.fixer import Change
    from pid1lint.linter import Result
    from pid1lint.report import Report, Target
    from pid1lint.report.style import Style
    from pid1lint.source import Source

CLEAN, FINDINGS, FAILURE = 0, 1, 2
_FORMATS = ("text", "json")
_LONG_LIST = 16 * 1024 * 1024
"""No list of paths is larger than this."""
_LONG_RUN = 64
"""From so many Dockerfiles on, a bar shows how far it has come."""


@click.group(
    cls=DefaultCheck,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`pid1lint PATH` is `pid1lint check PATH`: see `pid1lint check --help` for its options.",
)
@click.version_option(__version__, prog_name="pid1lint", message="%(prog)s %(version)s")
def group() -> None:
    """Check what happens when a container is told to stop, before you build its image."""


@group.command(cls=Check)
@shared
@click.option(
    "--format",
    "-f",
    "forms",
    multiple=True,
    callback=forms,
    default=("text",),
    metavar="NAME[:FILE]",
    show_default=True,
    shell_complete=completes(complete_formats),
    help="Format of the report: text, concise, json, sarif, github, gitlab, junit, checkstyle, rdjson or markdown, and "
    "its file; repeatable.",
)
@click.option("--files-from", metavar="FILE", help="Check the paths in this file, one per line; `-` is standard input.")
@click.option("--fix", is_flag=True, help="Make the safe fixes.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: include the unsafe fixes.")
@click.option(
    "--init",
    callback=one_of(("tini", "dumb-init", "catatonit")),
    metavar="NAME",
    help="The init that a fix installs: catatonit, tini (the default) or dumb-init.",
)
@click.option("--diff", is_flag=True, help="Print what --fix would change, and change nothing.")
@click.option("--show-fixes", is_flag=True, help="List the fixes that were made.")
@click.option(
    "--select",
    multiple=True,
    callback=selectors,
    shell_complete=complete_rule,
    metavar="RULES",
    help="Rules to run: codes, starts of codes, names or all, separated by commas; repeatable.",
)
@click.option(
    "--ignore",
    multiple=True,
    callback=selectors,
    shell_complete=complete_rule,
    metavar="RULES",
    help="Rules not to run.",
)
@click.option(
    "--fail-on",
    callback=one_of(SEVERITIES),
    shell_complete=completes(lambda: SEVERITIES),
    metavar="SEVERITY",
    help="Exit with 1 at this severity or above: info, warning (the default) or error.",
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even if there are findings.")
@click.option("--add-ignores", is_flag=True, help="Write a comment that ignores it for each finding.")
@click.option("--baseline", metavar="FILE", type=click.Path(), help="Report only findings that are not in this file.")
@click.option("--write-baseline", metavar="FILE", type=click.Path(), help="Write all findings to this file.")
@click.option("--statistics", is_flag=True, help="Count the findings of each rule instead of listing them.")
@click.option("--quiet", "-q", is_flag=True, help="Print findings only.")
@click.option("--verbose", "-v", is_flag=True, help="Print which files are checked, with which context, and why.")
@click.option(
    "--jobs", "-j", callback=at_least_0, metavar="N", default="0", help="Check N files in parallel; 0 chooses a number."
)
def check(
    *,
    paths: tuple[str, ...],
    forms: tuple[tuple[str, str | None], ...],
    output: str | None,
    context: str | None,
    target: str | None,
    build_arg: Mapping[str, str],
    platform: str,
    stdin_filename: str | None,
    files_from: str | None,
    fix: bool,
    unsafe_fixes: bool,
    init: str | None,
    diff: bool,
    show_fixes: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str | None,
    exit_zero: bool,
    add_ignores: bool,
    baseline: str | None,
    write_baseline: str | None,
    statistics: bool,
    quiet: bool,
    verbose: bool,
    jobs: int,
    config: str | None,
    isolated: bool,
) -> int:
    """Check Dockerfiles, the scripts that they run, and the files that deploy them.

    PATHS are Dockerfiles, deployments (Compose, Kubernetes, Bake, Quadlet, ECS), scripts (checked through what runs
    them), directories to search, globs in quotes, or `-` for standard input. Without any, the working directory is
    searched, but not what git ignores.
    """
    from pid1lint import check as checking
    from pid1lint.check import Options
    from pid1lint.report import Report, targets

    configs = _configs(config, isolated)
    # What concerns the run, the configuration that is nearest to the working directory says.
    base = configs.of("Dockerfile")
    placed = targets(forms if base.format is None or _is_given("forms") else ((base.format, None),), output)
    if add_ignores and fix:
        raise Pid1lintError("--add-ignores and --fix cannot be used together")
    known = _known(baseline or (base.baseline if write_baseline is None else None))
    source = _stdin(paths, stdin_filename)
    options = Options(context, target, build_arg, select, ignore, source, configs, known, init or "", platform)
    planned = checking.plan(paths, configs, _listed(files_from, paths), source.path if source is not None else "")
    if verbose:
        _print(_folded(checking.explained(planned, options), _style(sys.stderr)), sys.stderr)
    watch = _watch(len(planned.dockerfiles), quiet)
    fixed: Fixed | None = None
    if add_ignores:
        fixed = checking.add_ignores(planned, options, jobs)
    elif fix or diff:
        fixed = checking.fix_all(planned, options, unsafe=unsafe_fixes, jobs=jobs)
    errors: Sequence[str] = ()
    if fixed is None or diff:
        before = fixed.before if fixed is not None else {}
        results = checking.check_all(planned, options, jobs, watch=watch, known=before)
    else:
        errors = _write(fixed, options.stdin, checking.homes(planned, options), checking.folders(planned, fixed))
        after = {} if errors else fixed.after
        results = checking.check_all(planned, options, jobs, _unwritten(fixed, options.stdin, errors), watch, after)
    diagnostics = checking.told(results, options)
    if write_baseline is not None:
        return _write_baseline(write_baseline, diagnostics)
    troubles = [str(crash) for result in results for crash in result.crashes]
    troubles += [] if fixed is None else [*fixed.errors, *map(str, fixed.refusals)]
    if fixed is not None and diff:
        _print_diff(fixed, () if quiet or add_ignores else _left_out(diagnostics, unsafe=unsafe_fixes))
    else:
        launches = tuple(launch for result in results for launch in result.launches)
        made = 0 if fixed is None or add_ignores or errors else fixed.made
        told = (*errors, *troubles)
        report = Report(
            diagnostics,
            _shown(planned, options.stdin),
            launches,
            made,
            told,
            statistics,
            quiet,
            _in_baseline(results, options),
            planned.deployments,
        )
        if fixed is not None and show_fixes and not errors:
            _print(map(str, fixed.listed), sys.stderr)
        if fixed is not None and add_ignores and not errors:
            _print([_ignored(fixed)], sys.stderr)
        # Standard output is for the mended file, where standard input was mended.
        _report(report, placed, sys.stderr if fixed is not None and options.stdin is not None else sys.stdout)
    if not diagnostics:
        _print(_unchecked(planned, results), sys.stderr)
    _say(errors or troubles)
    if errors or troubles:
        return FAILURE
    failing = any(d.severity.rank >= SEVERITIES.index(fail_on or configs.of(d.dockerfile).fail_on) for d in diagnostics)
    return FINDINGS if failing and not exit_zero else CLEAN


def _ignored(fixed: Fixed) -> str:
    from pid1lint.report.text import count

    return f"{count(fixed.made, 'comment')} written to {count(len(fixed.changes), 'file')}"


def _is_given(parameter: str) -> bool:
    """Whether an option of the present command stands on the command line."""
    from click.core import ParameterSource

    return click.get_current_context().get_parameter_source(parameter) is not ParameterSource.DEFAULT


def _unchecked(planned: Plan, results: Iterable[Result]) -> Iterator[str]:
    """What there was nothing to check in: that no finding is told does not mean that all is well."""
    if not planned.dockerfiles:
        yield "No Dockerfile found: nothing to check."
        return
    from pid1lint.check import not_run

    scripts = not_run(planned, results)
    if scripts:
        shown = ", ".join(scripts[:3]) + (f" and {len(scripts) - 3} more" if len(scripts) > 3 else "")
        yield f"No Dockerfile found that runs {shown}: nothing to check there."


def _configs(file: str | None, isolated: bool) -> Configs:
    from pid1lint.config import Configs

    if file is not None and isolated:
        raise Pid1lintError("--config and --isolated cannot be used together")
    return Configs(file, isolated=isolated)


def _stdin(paths: Iterable[str], filename: str | None) -> Source | None:
    """Standard input, where `-` asks for it."""
    from pid1lint.check import STDIN, shown
    from pid1lint.source import Source

    if STDIN not in paths:
        return None
    name = shown(filename) if filename else "Dockerfile"
    data = sys.stdin.buffer.read(files.MAX_BYTES + 1)
    if len(data) > files.MAX_BYTES:
        raise UnreadableError(name, f"is larger than {files.MAX_BYTES // 1024 // 1024} MB")
    source = Source.decode(name, data)
    if not filename and any(word in source.text for word in ("apiVersion", "services:", "containerDefinitions")):
        from pid1lint.deploy.kinds import stream_name

        return Source(stream_name(source.text) or source.path, source.text, source.bom)
    return source


def _listed(files_from: str | None, paths: Sequence[str]) -> Sequence[str] | None:
    """The paths of a list: one a line, or with NUL between them, as `git diff --name-only -z` has them."""
    if files_from is None:
        return None
    if files_from == "-" and "-" in paths:
        raise Pid1lintError("--files-from -: standard input cannot be both a list and a Dockerfile")
    try:
        data = sys.stdin.buffer.read(_LONG_LIST) if files_from == "-" else _list_in(files_from)
    except UnreadableError as error:
        raise Pid1lintError(f"--files-from: {error}") from error
    text = os.fsdecode(data)
    return [path for path in text.split("\0" if "\0" in text else "\n") if path.strip()]


def _list_in(path: str) -> bytes:
    """The bytes of a list. Its lines are printed where they are wrong: no link of a repository may lead to a secret."""
    root = files.repository_root(os.path.dirname(os.path.abspath(path)))
    return files.read(path, within=(lambda: (root,)) if root is not None else None, limit=_LONG_LIST)


def _watch(count: int, quiet: bool) -> Watch | None:
    """A bar on a terminal, on long runs."""
    if quiet or count < _LONG_RUN or not sys.stderr.isatty():
        return None

    def watch(results: Iterable[Result]) -> Iterator[Result]:
        with click.progressbar(results, length=count, label="Checking", file=sys.stderr) as bar:
            yield from bar

    return watch


def _known(baseline: str | None) -> frozenset[str]:
    """The findings of a baseline."""
    if baseline is None:
        return frozenset()
    from pid1lint.baseline import read

    return read(baseline)


def _in_baseline(results: Sequence[Result], options: Options) -> int:
    """How many findings the baseline keeps from being told."""
    if not options.known:
        return 0
    from pid1lint.check import told

    return len(told(results, options._replace(known=frozenset()))) - len(told(results, options))


def _write_baseline(path: str, diagnostics: Sequence[Diagnostic]) -> int:
    from pid1lint.baseline import written
    from pid1lint.report.text import count
    from pid1lint.writing import put

    put(path, written(diagnostics).encode("ascii"))
    _print([f"{count(len(diagnostics), 'finding')} written to {path}: use it with --baseline {path}"], sys.stderr)
    return CLEAN


def _unwritten(fixed: Fixed | None, stdin: Source | None, errors: Sequence[str]) -> Iterable[Change]:
    """The changes that the files on the disk do not show: those to standard input."""
    if fixed is None or stdin is None or errors:
        return ()
    return [change for change in fixed.changes if change.before.path == stdin.path]


def _write(fixed: Fixed, stdin: Source | None, homes: Sequence[str], folders: Iterable[str]) -> Sequence[str]:
    """Put the fixes where they belong; what went wrong, in one line each."""
    from pid1lint import writing

    on_disk = [change for change in fixed.changes if stdin is None or change.before.path != stdin.path]
    try:
        writing.tidy(folders)
        _print(writing.write(on_disk, homes), sys.stderr)
    except Pid1lintError as error:
        return (str(error),)
    if stdin is not None:
        mended = next((c.after for c in fixed.changes if c.before.path == stdin.path), stdin)
        sys.stdout.buffer.write(mended.encode())
        sys.stdout.buffer.flush()
    return ()


def _print_diff(fixed: Fixed, left_out: Iterable[str]) -> None:
    from pid1lint.report import diff

    style = _style(sys.stdout)
    _print(diff.render(fixed.changes, style), sys.stdout, "text" if style.wrap else "patch")
    _print(left_out, sys.stderr)


def _left_out(diagnostics: Sequence[Diagnostic], *, unsafe: bool) -> Iterator[str]:
    """What a diff does not show: `unsafe` fixes where it is without them, and findings that have no fix, with why."""
    from pid1lint import registry
    from pid1lint.fix import Applicability
    from pid1lint.report.text import count

    left = [] if unsafe else [(found, found.fix) for found in diagnostics if found.fix is not None]
    fixes = [(found, fix) for found, fix in left if fix.applicability is Applicability.UNSAFE]
    if fixes:
        yield f"Not shown without --unsafe-fixes: {count(len(fixes), 'unsafe fix', 'unsafe fixes')}"
    for found, fix in fixes:
        yield f"  {found.at.source.path}:{found.at.start.line}: {found.code} {fix.title}"
    without = [found for found in diagnostics if found.fix is None]
    if without:
        yield f"No fix for {count(len(without), 'finding')}:"
    fixable = {rule.code for rule in registry.all_rules() if rule.fixable}
    for found in without:
        why = "no fix is sure to be right here" if found.code in fixable else "its rule has no fix"
        yield f"  {found.at.source.path}:{found.at.start.line}: {found.code} {why}"
    if without:
        yield f"For a fix by hand, run pid1lint explain {without[0].code}."


def _shown(planned: Plan, stdin: Source | None) -> tuple[str, ...]:
    """The Dockerfiles as reports call them."""
    return tuple(stdin.path if path == "-" and stdin is not None else path for path in planned.dockerfiles)


def _report(report: Report, placed: Sequence[Target], standard: TextIO) -> None:
    from pid1lint.report import render

    for target in placed:
        with _Output(target.path, standard) as stream:
            _print(render(target.form, report, _style(stream)), stream, target.form)


@group.command(cls=Trace)
@shared
@format_option(_FORMATS)
def trace(
    *,
    paths: tuple[str, ...],
    form: str,
    output: str | None,
    context: str | None,
    target: str | None,
    build_arg: Mapping[str, str],
    platform: str,
    stdin_filename: str | None,
    config: str | None,
    isolated: bool,
) -> int:
    """Show the processes: who is PID 1, who gets the stop signal.

    After a deployment's file you can name some of its services or containers: `pid1lint trace compose.yaml web`.
    """
    from pid1lint import check as checking
    from pid1lint.check import Options

    configs = _configs(config, isolated)
    source = _stdin(paths, stdin_filename)
    options = Options(context, target, build_arg, stdin=source, configs=configs, platform=platform)
    asked, names = checking.named(paths)
    planned = checking.plan(asked, configs, stdin=source.path if source is not None else "")
    found, errors, unread = checking.launches(planned, options, names)
    with _Output(output, sys.stdout) as stream:
        if form == "json":
            from pid1lint.report import json

            _print([json.launches_json(found)], stream, "json")
        else:
            from pid1lint.report import tree

            style = _style(stream)
            for number, launch in enumerate(found):
                _print(([""] if number else []) + list(tree.render(launch, style)), stream)
    if not found and not errors and not unread:
        what = f"that runs {', '.join(sorted(planned.scripts))}" if planned.scripts else "with a stage to run"
        _print([f"No Dockerfile found {what}: nothing to show."], sys.stderr)
    _say((*errors, *unread))
    # As `check` has it: what cannot be read is a finding.
    return FAILURE if errors else FINDINGS if unread else CLEAN


@group.command(cls=Prove)
@click.argument("source", type=click.Path())
@click.argument("run_options", nargs=-1, type=click.UNPROCESSED, metavar="[SERVICE] [-- RUN-OPTIONS]...")
@click.option(
    "--engine", metavar="NAME", help="docker or podman, with options if necessary. [default: the installed one]"
)
@click.option("--ready", metavar="WHEN", help="When it is ready: 5 (seconds), port:8080, log:REGEX or health.")
@click.option(
    "--grace",
    callback=seconds,
    metavar="SECONDS",
    help="How long the stop waits. [default: the service's stop_grace_period, else 10]",
)
@click.option("--times", callback=at_least_1, default="1", metavar="N", help="Run it N times. [default: 1]")
@click.option("--context", type=click.Path(), callback=folder, metavar="DIR", help="The build context.")
@click.option("--target", metavar="STAGE", help="Build this stage instead of the last one.")
@click.option("--build-arg", multiple=True, callback=key_values, metavar="K=V", help="A build argument; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--junit", "as_junit", is_flag=True, help="Print JUnit's XML.")
@click.option("--output", "-o", type=click.Path(dir_okay=False), help="Write the report to this file.")
@click.option("--write-facts", is_flag=True, help="Add the measurement of the app to the configuration.")
@click.option("--config", type=click.Path(), metavar="FILE", help="Use only this configuration file.")
@click.option("--isolated", is_flag=True, help="Read no configuration file.")
def prove(
    *,
    source: str,
    run_options: tuple[str, ...],
    engine: str | None,
    ready: str | None,
    grace: float | None,
    times: int,
    context: str | None,
    target: str | None,
    build_arg: Mapping[str, str],
    as_json: bool,
    as_junit: bool,
    output: str | None,
    write_facts: bool,
    config: str | None,
    isolated: bool,
) -> int:
    """Test a verdict: run an image, a Dockerfile or a Compose service, stop it, and compare.

    SOURCE is a Dockerfile or its folder, a Compose file, an image that docker or podman has, or an archive
    (oci-archive:FILE, docker-archive:FILE). Give the name of a service after a Compose file, and options of
    `docker run` after `--`. prove removes everything afterwards.
    """
    from pid1lint.check import Options
    from pid1lint.prove import report
    from pid1lint.prove.engine import Stopped, find
    from pid1lint.prove.run import Trial, facts_of, prove as proving
    from pid1lint.prove.trial import Ready, parse_ready

    configs = _configs(config, isolated)
    service = run_options[0] if run_options and not run_options[0].startswith("-") else ""
    trial = Trial(run_options[1:] if service else run_options, parse_ready(ready) if ready else Ready(), grace, times)
    options = Options(context, target, build_arg, configs=configs)
    found = find(engine or source.partition(":")[0] if engine or source.startswith(("docker:", "podman:")) else None)
    proofs = []
    try:
        with _Output(output, sys.stdout) as stream:
            for number, proof in enumerate(proving(source, found, trial, options, service)):
                proofs.append(proof)
                if not as_json and not as_junit:
                    _print([""] if number else [], stream)
                    _print(report.text(proof, _style(stream)), stream)
            if as_json or as_junit:
                lines = [report.as_json(proofs)] if as_json else report.as_junit(proofs)
                _print(lines, stream, "json" if as_json else "junit")
    except Stopped as stopped:
        return 128 + stopped.number
    if write_facts:
        from pid1lint.prove.write import write

        _print(write(facts_of(proofs), configs.of(source).file), sys.stderr)
    return CLEAN if all(proof.holds for proof in proofs) else FINDINGS


@group.command()
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...", type=click.Path())
@click.option("--name", metavar="NAME", help="The name of the image in Dockerfiles; required for an archive.")
@click.option("--platform", metavar="OS/ARCH", default="", help="Use this platform of an image with several.")
@click.option("--config", type=click.Path(), metavar="FILE", help="The configuration to add to.")
def learn(*, images: tuple[str, ...], name: str | None, platform: str, config: str | None) -> int:
    """Add facts about base images to the configuration.

    IMAGE is docker:NAME, podman:NAME, or an archive (oci:DIR, oci-archive:FILE, docker-archive:FILE). Everyone with
    this configuration then gets full verdicts for Dockerfiles that build on the image, without an engine.
    """
    from pid1lint.archive.image import read_image
    from pid1lint.archive.learn import learned
    from pid1lint.archive.reference import name_of
    from pid1lint.prove.write import append, table

    if name is not None and len(images) > 1:
        raise Pid1lintError("--name: there are several images")
    file = config or _configs(None, isolated=False).of("pid1lint.toml").file or "pid1lint.toml"
    prefix = "tool.pid1lint.images." if os.path.basename(file) == "pyproject.toml" else "images."
    rows = {table(prefix, name or name_of(image)): "\n".join(learned(read_image(image, platform))) for image in images}
    append(file, rows)
    for head, keys in rows.items():
        _print([f"{file}:", head, keys], sys.stdout)
    return CLEAN


@group.command()
@click.argument("rule", metavar="CODE|NAME|pid1", shell_complete=complete_rule)
def explain(rule: str) -> int:
    """Print the page of a rule: why, examples, what to write instead.

    `pid1lint explain pid1` explains what PID 1 is and what a stop does.
    """
    from pid1lint import registry
    from pid1lint.report.page import markdown, page_lines, without_pictures

    if rule.lower() == "pid1":
        with open(os.path.join(os.path.dirname(__file__), "pid1.md"), encoding="utf-8") as file:
            text = without_pictures(file.read())
        style = _style(sys.stdout)
        _print(page_lines(text, style) if style.wrap else text.splitlines(), sys.stdout, "ours")
        return CLEAN
    found = registry.find(rule)
    style = _style(sys.stdout)
    title = style.paint("bold", f"{found.code} {found.name}") + f" ({found.severity.value})"
    # To a terminal as text, into a pipe as the Markdown that it is.
    page = page_lines(found.page, style) if style.wrap else [markdown(found.page)]
    _print([title, "", *page], sys.stdout, "ours")
    return CLEAN


@group.command()
@format_option(_FORMATS)
def rules(form: str) -> int:
    """List the rules; [*] marks those with a fix."""
    from pid1lint import registry

    everything = registry.all_rules()
    if form == "json":
        from pid1lint.report import json

        _print([json.rules_json(everything)], sys.stdout, "ours")
        return CLEAN
    from pid1lint.report.page import rule_lines, rule_rows

    style = _style(sys.stdout)
    # To a terminal under headings and folded, into a pipe as rows.
    _print(rule_lines(everything, style) if style.wrap else rule_rows(everything), sys.stdout, "ours")
    return CLEAN


def _folded(lines: Iterable[str], style: Style) -> Iterator[str]:
    """Lines that are broken between words, on a terminal."""
    from pid1lint.report.style import fold

    for line in lines:
        yield from fold(line, style.width, later="  ") if style.wrap else [line]


@group.command()
@click.argument("shell", metavar="|".join(SHELLS), callback=one_of(SHELLS), shell_complete=completes(lambda: SHELLS))
def completion(shell: str) -> int:
    """Print the completion script for a shell.

    For bash: eval "$(pid1lint completion bash)" in ~/.bashrc. For PowerShell: pid1lint completion powershell |
    Out-String | Invoke-Expression in $PROFILE.
    """
    from click.shell_completion import get_completion_class

    _know_powershell()
    made = get_completion_class(shell)
    if made is None:
        raise Pid1lintError(f"there is no completion for {shell}")
    complete = made(group, {}, "pid1lint", "_PID1LINT_COMPLETE")
    _print([(complete.source_template % complete.source_vars()).strip()], sys.stdout, "ours")
    return CLEAN


def _know_powershell() -> None:
    """Tell click of the one shell that it does not know."""
    from click.shell_completion import add_completion_class

    from pid1lint.powershell import PowerShellComplete

    add_completion_class(PowerShellComplete)


class _Output:
    """The stream of a report: a file that the user named, or a standard stream, which stays open."""

    def __init__(self, path: str | None, standard: TextIO) -> None:
        self.path = path
        self.stream = standard

    def __enter__(self) -> TextIO:
        if self.path is not None and self.path != "-":
            if os.path.islink(self.path) and os.path.isfile(self.path):
                real = os.path.realpath(self.path)
                if not any(files.is_inside(real, home) for home in files.homes(self.path)):
                    raise Pid1lintError(
                        f"--output: {self.path} is not written: it is a link that leads out of the checked files"
                    )
            try:
                self.stream = open(self.path, "w", encoding="utf-8", newline="\n")
            except OSError as error:
                raise Pid1lintError(f"--output: {self.path} cannot be written: {error.strerror}") from error
        return self.stream

    def __exit__(self, *_: object) -> None:
        if self.path is not None and self.path != "-":
            try:
                self.stream.close()
            except OSError as error:
                raise Pid1lintError(f"{self.path} cannot be written: {error.strerror}") from error


def _style(stream: TextIO) -> Style:
    from pid1lint.report.style import style_of

    return style_of(stream, os.environ)


def _print(lines: Iterable[str], stream: TextIO, form: str = "text") -> None:
    """Print lines of a form of reports; those of `ours` hold nothing but what we have written ourselves."""
    if form != "ours":
        from pid1lint.report.safe import safe

        style = _style(stream)
        lines = (safe(line, form, colour=style.colour, links=style.links) for line in lines)
    text = "".join(f"{line}\n" for line in lines)
    # What the stream's encoding lacks, and bytes that are no text, must not stop a report.
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _give_up(stream)
        if stream is not sys.stderr:
            name = "standard output" if stream is sys.stdout else stream.name
            raise Pid1lintError(f"{name} cannot be written: {error.strerror}") from error


def _give_up(stream: TextIO) -> None:
    """What is still in the buffer must not raise again when Python closes the stream."""
    if stream in (sys.stdout, sys.stderr):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _say(errors: Iterable[str]) -> None:
    try:
        _print((f"pid1lint: error: {error}" for error in errors), sys.stderr)
    except BrokenPipeError:
        _give_up(sys.stderr)


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit code of one call; errors are told in one line each on standard error."""
    if os.environ.get("_PID1LINT_COMPLETE", "").startswith("powershell_"):
        _know_powershell()
    try:
        code = group.main(arguments, prog_name="pid1lint", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        from pid1lint.options import told

        _say([told(error)])
        return FAILURE
    except Pid1lintError as error:
        _say(error.lines)
        return FAILURE
    except click.Abort:
        return 130
    except BrokenPipeError:
        # The reader has seen enough.
        for stream in (sys.stdout, sys.stderr):
            _give_up(stream)
        return CLEAN
    except OSError as error:
        # A help text, say, for which there is no room.
        _give_up(sys.stdout)
        _say([f"standard output cannot be written: {error.strerror}"])
        return FAILURE
    return code if isinstance(code, int) else CLEAN


def main() -> NoReturn:
    """The entry point."""
    # What a run makes it mostly keeps: to look for garbage every 700 objects would cost a tenth of a short run.
    gc.set_threshold(400_000, 20, 100)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        # A stream that the caller has closed; and no file that is opened may take its number.
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - it stays open
    code = run()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        pass  # run() has told of it, if there is anybody to tell
    # All is said: to take the interpreter apart would cost a twentieth of a short run.
    os._exit(code)
