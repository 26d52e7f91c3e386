"""From a Dockerfile's text and its build context to diagnostics: pure, the context is the only way to a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from pid1lint import ends, registry
from pid1lint.diagnostic import Diagnostic, Finding, Note, Severity
from pid1lint.errors import Pid1lintError
from pid1lint.frozen import NamedTuple
from pid1lint.rulebook import UNUSED_IGNORE, FileProblem
from pid1lint.source import Place, Source, Span

if TYPE_CHECKING:
    from pid1lint.dockerfile.scanner import Dockerfile
    from pid1lint.facts.own import Facts
    from pid1lint.fix import Fix, ShellGuard
    from pid1lint.image.context import BuildContext
    from pid1lint.image.model import Bases, Image
    from pid1lint.launch.launch import Launch
    from pid1lint.suppress import Ignore

Value = TypeVar("Value")


class Crash(NamedTuple):
    """A bug of ours that one file brought out: what was at work (a rule's code, or a part), and the exception.

    With nothing in `at_work` the process that had the file in hand has died, and `error` says how.
    """

    at_work: str
    path: str
    error: str

    def __str__(self) -> str:
        return (
            f"{self.path}: " + (f"internal error in {self.at_work}: " if self.at_work else "not checked, ") + self.error
        )


class Result(NamedTuple):
    """What is said of one Dockerfile, sorted by path and place; `launches` has one entry for each judged stage.

    `used` has path and offset of each name in a comment that has suppressed something, `unjudged` says in a sentence
    each what there is too much of to be judged.
    """

    diagnostics: tuple[Diagnostic, ...]
    launches: tuple[Launch, ...] = ()
    crashes: tuple[Crash, ...] = ()
    used: frozenset[tuple[str, int]] = frozenset()
    unjudged: tuple[str, ...] = ()


def lint(
    dockerfile: str,
    context: BuildContext,
    *,
    path: str = "Dockerfile",
    target: str | None = None,
    build_args: Mapping[str, str] | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    facts: Facts | None = None,
    init: str = "tini",
) -> Result:
    """Judge the text of a Dockerfile: its last stage, or `target`.

    `path` is what diagnostics call it. `select` and `ignore` take codes, starts of codes and names, `facts` what else
    is known of images and programs. `init` is the one of `facts.inits.INITS` that fixes put in front. `Pid1lintError`
    if there is no such stage, code, name or init.
    """
    rules = registry.chosen(select, ignore)
    return judge(_scan(path, dockerfile), context, target, build_args or {}, rules, facts, init)


def trace(
    dockerfile: str,
    context: BuildContext,
    *,
    path: str = "Dockerfile",
    target: str | None = None,
    build_args: Mapping[str, str] | None = None,
    facts: Facts | None = None,
) -> tuple[Launch, ...]:
    """The launch of a Dockerfile's last stage, or of `target`; options as for `lint`."""
    return judge(_scan(path, dockerfile), context, target, build_args or {}, (), facts).launches


def _scan(path: str, text: str) -> Dockerfile:
    from pid1lint.dockerfile.scanner import scan

    return scan(Source.of_text(path, text))


def judge(
    dockerfile: Dockerfile,
    context: BuildContext,
    target: str | None,
    build_args: Mapping[str, str],
    rules: Sequence[registry.AnyRule],
    facts: Facts | None = None,
    init: str = "tini",
) -> Result:
    """`lint` for a file that has been scanned, under rules that have been chosen."""
    return judge_wanted(dockerfile, context, Wanted(target, build_args, facts, init), rules)


def judge_wanted(
    dockerfile: Dockerfile, context: BuildContext, wanted: Wanted, rules: Sequence[registry.AnyRule]
) -> Result:
    """`judge` with all that is wanted in one."""
    source = dockerfile.source
    refuse_init(wanted.init)
    run = Run(source.path, rules)
    launches = run.guard("the launch analysis", lambda: _launches(dockerfile, context, wanted)) or ()
    run.heed((source, *(each for launch in launches for each in launch.sources)))
    for problem in dockerfile.problems:
        run.judge_problem(FileProblem(Place(source, problem.span), "syntax", problem.message))
    for file_problem in (*not_utf8(source), *_outside(dockerfile, context)):
        run.judge_problem(file_problem)
    if dockerfile.beyond is not None:
        run.leave(Place(source, dockerfile.beyond.span), dockerfile.beyond.message)
    return _judged(run, dockerfile, launches)


def judge_image(image: Image, rules: Sequence[registry.AnyRule], init: str = "tini") -> Result:
    """Judge an image that is built already: there is nothing to mend in it, but what to change is said."""
    from pid1lint.launch import analyse

    refuse_init(init)
    run = Run(image.dockerfile.source.path, rules)
    launch = run.guard("the launch analysis", lambda: analyse(image).replaced(init=init))
    launches = () if launch is None else (launch,)
    run.heed((image.dockerfile.source, *(each for launch in launches for each in launch.sources)))
    result = _judged(run, image.dockerfile, launches)
    return result._replace(diagnostics=tuple(map(_advised, result.diagnostics)))


def _advised(diagnostic: Diagnostic) -> Diagnostic:
    """A finding with what its fix would do as a note: the files of a built image are not at hand to be edited."""
    fix = diagnostic.fix
    if fix is None:
        return diagnostic
    edits = [edit for edit in fix.edits if edit.source.path == diagnostic.at.source.path] or list(fix.edits)
    at = edits[0].source.place(*edits[0].span) if edits else diagnostic.at
    note = Note(at, f"change this where the image is built: {fix.title[:1].lower()}{fix.title[1:]}")
    return diagnostic.replaced(fix=None, notes=(*diagnostic.notes, note))


def _judged(run: Run, dockerfile: Dockerfile, launches: Sequence[Launch]) -> Result:
    for launch in launches:
        for file_problem in script_damage(launch):
            run.judge_problem(file_problem)
        run.judge_launch(launch)
    return run.suppressed(dockerfile)


def attempt(at_work: str, path: str, work: Callable[[], Value]) -> Value | Crash:
    """The value of `work`, or the crash it came to: a bug of ours must not keep other files from being checked."""
    try:
        return work()
    except Pid1lintError:
        raise
    except Exception as error:
        if ends.told():
            raise
        return Crash(at_work, path, f"{type(error).__name__}: {error}")


def unreadable(path: str, reason: str, rules: Sequence[registry.AnyRule]) -> Result:
    """The result for a Dockerfile, or a script given by itself, that cannot be read at all."""
    run = Run(path, rules)
    run.judge_problem(FileProblem(Place(Source(path, ""), Span(0, 0)), "unreadable", f"{path} {reason}"))
    return run.result()


class Wanted(NamedTuple):
    """What of a Dockerfile is to be judged, and how it is built; `bases` knows images that are built next door."""

    target: str | None
    build_args: Mapping[str, str]
    facts: Facts | None
    init: str = "tini"
    bases: Bases | None = None


def _read_archive(source: str, facts: Facts) -> Image:
    from pid1lint.archive.image import read_image

    return read_image(source, "", facts)


def _launches(dockerfile: Dockerfile, context: BuildContext, wanted: Wanted) -> tuple[Launch, ...]:
    from pid1lint.facts.own import Facts
    from pid1lint.image.model import Build, final_stages
    from pid1lint.launch import analyse

    if dockerfile.beyond is not None:
        return ()
    target = wanted.target
    build = Build(dockerfile, context, wanted.build_args, wanted.facts or Facts(), wanted.bases, _read_archive)
    chosen = final_stages(dockerfile, target)
    if target is not None and not chosen and build.stages:
        raise _no_stage(dockerfile, target, [stage.name for stage in build.stages if stage.name])
    return tuple(analyse(build.image(index)).replaced(init=wanted.init) for index in chosen)


def refuse_init(init: str) -> None:
    """`Pid1lintError` for an init that no fix knows how to put in front."""
    if init == "tini":
        return
    from pid1lint.facts.inits import INITS

    if init not in INITS:
        raise Pid1lintError(f"there is no init {init!r}; it is one of {', '.join(INITS)}")


def _no_stage(dockerfile: Dockerfile, target: str, names: Sequence[str]) -> Pid1lintError:
    from pid1lint.nearest import hint

    others = f": it has {', '.join(names)}" if names else ": none of its stages has a name"
    return Pid1lintError(f"{dockerfile.source.path} has no stage {target!r}{hint(target, names) or others}")


def not_utf8(source: Source) -> Iterator[FileProblem]:
    """The first byte of a file that is no UTF-8."""
    at = source.invalid_offset
    if at is not None:
        yield FileProblem(
            source.place(at, at + 1), "encoding", f"{source.path} is not UTF-8: pid1lint keeps the byte as it is"
        )


def _outside(dockerfile: Dockerfile, context: BuildContext) -> Iterator[FileProblem]:
    """What lies outside the build context: nothing there is read, by Docker or by us."""
    import posixpath

    if problem := context.problem():
        yield FileProblem(Place(Source(problem.path, ""), Span(0, 0)), "unreadable", str(problem))
    if dockerfile.beyond is not None:
        return

    for instruction in dockerfile.instructions:
        if instruction.keyword not in ("COPY", "ADD") or instruction.flag("from") is not None:
            continue
        text = instruction.text
        found = re.finditer(r"[^\s\"',\[\]]+", text.text)
        for word in list(found)[:-1]:
            # BuildKit cuts leading `..` off: `../x` is `x`.
            path = posixpath.normpath("/" + word.group().lstrip("/")).lstrip("/") or "."
            if context.is_link(path) and not (context.is_file(path) or context.is_dir(path)):
                message = f"{word.group()} is a link that leads nowhere in the build context"
                yield FileProblem(text.place(*word.span()), "unreadable", message)


def script_damage(launch: Launch) -> Iterator[FileProblem]:
    """What does not parse in the scripts that the launch runs; shell text inside the Dockerfile is among them.

    Only what a second reader cannot read either: a mistake of ours must not be told as the user's.
    """
    for path in launch.paths:
        for process in path.tree.walk() if path.tree is not None else ():
            script = process.script
            if script is None or not script.damage or not script.text.source.path:
                continue
            from pid1lint.shell import second

            if second.errors(script.text.text):
                yield from (
                    FileProblem(script.place(damage.span), "syntax", damage.message) for damage in script.damage
                )


class Run:
    """Collects what the rules say of one Dockerfile; what comments suppress of it is left out at the end."""

    def __init__(self, path: str, rules: Sequence[registry.AnyRule]) -> None:
        self.path = path
        self.rules = rules
        self.chosen = frozenset(rule.code for rule in rules)
        self.diagnostics: list[Diagnostic] = []
        self.launches: list[Launch] = []
        self.crashes: list[Crash] = []
        self.unjudged: list[str] = []

    def heed(self, sources: Iterable[Source]) -> None:
        """Let all rules look, where there are comments to judge: which are of use does not hang on those chosen."""
        if UNUSED_IGNORE in self.chosen and any(_MARKS[0] in source.text for source in sources):
            self.rules = registry.all_rules()

    def judge_launch(self, launch: Launch) -> None:
        """Let the rules say what they have to say of a launch."""
        self.launches.append(launch)
        for rule in self.rules:
            if rule.on is None and self.applies(rule, launch):
                found = self.check(rule, launch)
                self.diagnostics += (
                    diagnostic_of(rule, finding, self.path, launch.stage, launch.outcome.value)
                    for finding in supposed(rule, (at_home(finding, launch) for finding in found), launch)
                )

    def applies(self, rule: registry.AnyRule, launch: Launch) -> bool:
        """Whether a rule judges a launch: one that is `last` only where none of the others finds anything."""
        if not rule.last:
            return True
        if launch.outcome.value not in ("hang", "abrupt", "fails"):
            return False
        others = (each for each in registry.all_rules() if each.on is None and each.default and not each.last)
        return not any(self.check(each, launch) for each in others)

    def judge_problem(self, problem: FileProblem) -> None:
        """Let the rules say what they have to say of a file."""
        for rule in self.rules:
            if rule.on is FileProblem:
                found = self.check(rule, problem)
                self.diagnostics += (diagnostic_of(rule, finding, self.path) for finding in found)

    def leave(self, at: Place, why: str) -> None:
        """Say that from a place on nothing is judged, and why."""
        message = f"{self.path} {why}"
        self.unjudged.append(message)
        self.judge_problem(FileProblem(at, "unreadable", message))

    def check(self, rule: registry.AnyRule, subject: Launch | FileProblem) -> Sequence[Finding]:
        """What a rule finds; nothing, and a crash on record, where it has a bug."""
        return self.guard(f"{rule.code} {rule.name}", lambda: tuple(rule.check(subject))) or ()

    def guard(self, at_work: str, work: Callable[[], Value]) -> Value | None:
        """The value of `work`, or None and a crash on record."""
        value = attempt(at_work, self.path, work)
        if not isinstance(value, Crash):
            return value
        if value not in self.crashes:
            self.crashes.append(value)
        return None

    def suppressed(self, dockerfile: Dockerfile) -> Result:
        """The result without what comments suppress, and with what is to be said of those that are of no use."""
        run = (source for launch in self.launches for source in launch.sources)
        sources = (dockerfile.source, *run, *(diagnostic.at.source for diagnostic in self.diagnostics))
        texts = {id(source): source.text for source in sources}
        if not any(mark in text for text in texts.values() for mark in _MARKS):
            return self.result()
        from pid1lint.suppress import comments_in

        comments = comments_in(dockerfile, self.launches, self.diagnostics)
        unknown = not self.launches or any(launch.outcome.value == "unknown" for launch in self.launches)
        return self.heeding(comments, certain=not (unknown or dockerfile.problems or self.crashes))

    def heeding(self, comments: Sequence[Ignore], *, certain: bool) -> Result:
        """The result without what some comments suppress; `certain`: all that there is to find has been found."""
        from pid1lint.suppress import suppress, useless

        for problem in useless(self.diagnostics, comments, certain=certain):
            self.judge_problem(problem)
        self.diagnostics, used = suppress(self.diagnostics, comments)
        return self.result()._replace(used=used)

    def result(self) -> Result:
        """What the chosen rules say."""
        found = (diagnostic for diagnostic in self.diagnostics if diagnostic.code in self.chosen)
        return Result(merged(found), tuple(self.launches), tuple(self.crashes), unjudged=tuple(self.unjudged))


_MARKS = ("pid1lint:", "hadolint", "check")
"""What a file holds that may have a comment which suppresses something; the first is ours."""


def at_home(finding: Finding, launch: Launch) -> Finding:
    """What an inherited command is blamed for points at the FROM that it comes by: it stands in no file here."""
    inherited = (command.source for command in (launch.image.entrypoint, launch.image.cmd) if command is not None)
    sources = [source for source in inherited if not source.in_file]
    if not any(finding.at.source is source for source in sources):
        return finding
    stage = launch.image.stage
    while stage.parent is not None:
        stage = launch.image.stages[stage.parent]
    place = launch.image.dockerfile.source.place(*stage.instruction.span)
    mendable = finding.fix is not None and all(edit.source.in_file for edit in finding.fix.edits)
    return finding.replaced(at=place, fix=finding.fix if mendable else None)


def supposed(rule: registry.AnyRule, findings: Iterable[Finding], launch: Launch) -> Iterable[Finding]:
    """No more than warnings, with the reason, where a script was read for one that the build is still to make."""
    files = launch.supposed
    if not files:
        return findings
    notes = tuple(
        Note(file.place, f"this file does not exist before the build: {file.text.source.path} was read for {file.path}")
        for file in files
        if file.text is not None
    )
    at_most = {Severity.ERROR: Severity.WARNING}
    return (
        finding.replaced(
            notes=finding.notes + notes,
            severity=at_most.get(finding.severity or rule.severity, finding.severity),
        )
        for finding in findings
    )


def diagnostic_of(
    rule: registry.AnyRule, finding: Finding, dockerfile: str, stage: str = "", outcome: str | None = None
) -> Diagnostic:
    """A finding with what is known of where it comes from."""
    return Diagnostic(
        rule.code,
        rule.name,
        finding.severity or rule.severity,
        finding.message,
        finding.at,
        finding.notes,
        finding.fix,
        dockerfile,
        stage,
        outcome,
    )


def merged(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sorted by path and place; what several stages, Dockerfiles or deployments say of one place: the worst of it."""
    found: dict[tuple[str, Span, str], Diagnostic] = {}
    for diagnostic in diagnostics:
        key = (diagnostic.at.source.path, diagnostic.at.span, diagnostic.code)
        first = found.setdefault(key, diagnostic)
        if diagnostic.severity.rank > first.severity.rank:
            found[key] = diagnostic
    return tuple(found[key] for key in sorted(found))


def refusal(fix: Fix, after: Sequence[Source], dockerfile: str) -> str | None:
    """Why a fix must not be made, or None: others read the files as we do, and every file still parses."""
    if fix.guards:
        from pid1lint.shell import gate

        for guard in fix.guards:
            reason = gate.refusal(guard) or _refusal_after(guard, fix, after)
            if reason is not None:
                return reason
    before = {edit.source.path: edit.source for edit in fix.edits}
    if dockerfile in before and not dockerfile.endswith(_OF_DEPLOYMENTS):
        reason = _misread(before[dockerfile]) or next((_misread(s) for s in after if s.path == dockerfile), None)
        if reason is not None:
            return f"dockerfile-parse reads {dockerfile} differently: {reason}"
    for source in after:
        if _is_yaml(source.path, dockerfile) and source.path in before:
            from pid1lint.deploy.gate import refusal as refusal_of_yaml

            edits = [edit for edit in fix.edits if edit.source.path == source.path]
            reason = refusal_of_yaml(edits, before[source.path], source)
            if reason is not None:
                return reason
    worse = (damaged(before[source.path], source, dockerfile) for source in after if source.path in before)
    return next((reason for reason in worse if reason is not None), None)


_OF_DEPLOYMENTS = (".yaml", ".yml", ".json", ".container", ".hcl")


def _is_yaml(path: str, judged: str) -> bool:
    """Whether a file is YAML by its name; a deployment's in JSON, which is what is judged then, is YAML as well."""
    return path.endswith((".yaml", ".yml")) or (path == judged and path.endswith(".json"))


def _misread(source: Source) -> str | None:
    """What a second reader of Dockerfiles sees otherwise than we do."""
    from pid1lint.dockerfile.crosscheck import disagreement
    from pid1lint.dockerfile.scanner import scan

    return disagreement(scan(source))


def _refusal_after(guard: ShellGuard, fix: Fix, after: Sequence[Source]) -> str | None:
    """Look at the command again where the edits have left one: not where it has become an array."""
    from pid1lint.shell import gate

    place = guard.text.place(guard.start, guard.end)
    edits = [edit for edit in fix.edits if edit.source.path == place.source.path]
    within = [e for e in edits if place.span.start <= e.span.start and e.span.end <= place.span.end]
    plain = place.text == guard.text.text[guard.start : guard.end]
    changed = next((source for source in after if source.path == place.source.path), None)
    if not plain or changed is None or any(e.span != (e.span.start, e.span.start) for e in within) or not within:
        return None
    if any(e not in within and e.span.end > place.span.start for e in edits):
        return None
    shift = sum(len(e.content) - (e.span.end - e.span.start) for e in edits if e not in within)
    grown = sum(len(e.content) for e in within if e.span.start < place.span.end)
    start = place.span.start + shift
    return gate.refusal_after(guard, guard.words, changed.text[start : place.span.end + shift + grown])


def damaged(before: Source, after: Source, dockerfile: str) -> str | None:
    """Why a changed file is worse to read than it was, or None.

    `dockerfile` is the path of the one that is read as a Dockerfile. Files that are neither a Dockerfile nor a shell
    script are not looked into.
    """
    problems = _problems(after, dockerfile)
    if len(problems) > len(_problems(before, dockerfile)):
        return f"{after.path} would no longer parse: {problems[0]}"
    if after.path == dockerfile:
        return None
    from pid1lint.shell.parse import is_shell

    if is_shell(after):
        from pid1lint.shell import second

        if second.errors(after.text) > second.errors(before.text):
            return f"{after.path} would no longer parse, as tree-sitter reads it"
    return None


def _problems(source: Source, dockerfile: str) -> list[str]:
    if _is_yaml(source.path, dockerfile):
        from pid1lint.deploy import yamltree

        return [problem.message for problem in yamltree.loaded(source).problems]
    if source.path.endswith(_OF_DEPLOYMENTS):
        return []
    return list(_dockerfile_problems(source) if source.path == dockerfile else _script_problems(source))


def _dockerfile_problems(source: Source) -> Iterator[str]:
    from pid1lint.dockerfile.scanner import scan

    dockerfile = scan(source)
    for problem in dockerfile.problems:
        yield problem.message
    for instruction in dockerfile.instructions:
        if instruction.broken_json is not None:
            yield f"the array of {instruction.keyword} is no longer valid JSON ({instruction.broken_json})"


def _script_problems(source: Source) -> Iterator[str]:
    from pid1lint.shell.parse import is_shell, parse

    if not is_shell(source):
        return
    for damage in parse(source.whole()).damage:
        yield damage.message
