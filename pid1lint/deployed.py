"""From a deployment's file to diagnostics: each service and container is a launch of its own, under all rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pid1lint import linter, registry
from pid1lint.deploy import read
from pid1lint.deploy.apply import applied
from pid1lint.deploy.images import Found, Images, Names, named
from pid1lint.deploy.project import Project
from pid1lint.deployment import COMPOSE, UNKNOWN, Deployment
from pid1lint.diagnostic import Deployed, Diagnostic, Finding, Note, Severity
from pid1lint.facts.own import Facts
from pid1lint.fix import Edit, Fix
from pid1lint.frozen import NamedTuple
from pid1lint.image.filesystem import EmbeddedSource
from pid1lint.launch import Outcome, analyse
from pid1lint.rulebook import FileProblem
from pid1lint.source import Place, Source, Span, outside

if TYPE_CHECKING:
    from pid1lint.image.context import BuildContext
    from pid1lint.image.model import Image
    from pid1lint.launch.launch import Launch
    from pid1lint.suppress import Ignore

_STOPS = re.compile(r"docker stop waits 10 s")
_PID1 = re.compile(r"\b(stays|is) PID 1\b")
_OF_DEPLOYMENTS = "PID6"
# What another rule says of an init below the one that the deployment has put in front: see second-init.
_TOLD_BY_SECOND_INIT = frozenset(("PID305",))
# What rests on who is PID 1, which an ENTRYPOINT that nobody knows may decide.
_OF_PID1 = ("PID3", "PID503", "PID504", "PID602", "PID603")
_UNKNOWN = re.compile(f"{UNKNOWN}+")
_NAMED_ONE = 1
_MOST_OPERATIONS = 60_000
"""So many operations of scripts are done for all launches of a file, before no further one is judged."""
_MOST_CHARACTERS = 750_000
"""So many characters have the Dockerfiles of all images of a file, each read anew with other arguments."""


class Wanted(NamedTuple):
    """What is asked of a deployment's file; `names` finds the builds of images by their names."""

    build_args: Mapping[str, str] = {}
    facts: Facts = Facts()
    init: str = "tini"
    names: Names = lambda _: None


def judge(path: str, project: Project, rules: Sequence[registry.AnyRule], wanted: Wanted) -> linter.Result:
    """Judge what a deployment's file runs; `path` is from the project's root."""
    run = linter.Run(project.files.display(path), rules)
    linter.refuse_init(wanted.init)
    own_source = project.source(path)
    run.heed(() if own_source is None else (own_source,))
    content = run.guard("the reading of deployments", lambda: read.content(path, project))
    if content is None:
        return run.result()
    services = {deployment.name: deployment for deployment in content.deployments}
    own = named([(d.image.text, d.building) for d in content.deployments if d.image and d.building])
    images = Images(project, wanted.facts, lambda name: own(name) or wanted.names(name), wanted.build_args, services)
    file = _File(run, project, images, wanted.init)
    for deployment in content.deployments:
        if file.operations > _MOST_OPERATIONS or images.characters > _MOST_CHARACTERS:
            what = "runs scripts" if file.operations > _MOST_OPERATIONS else "builds images of Dockerfiles"
            run.leave(deployment.place, f"{what} that take too long to follow: pid1lint does not judge the rest")
            break
        run.guard(f"the analysis of {deployment.label}", lambda each=deployment: file.judge(each))  # type: ignore[misc]
    if content.beyond is not None:
        run.leave(content.beyond.at, content.beyond.message)
    for problem in content.problems:
        run.judge_problem(FileProblem(problem.at, "syntax", problem.message))
    for source in content.sources:
        for damage in linter.not_utf8(source):
            run.judge_problem(damage)
    found = [diagnostic.at.source for diagnostic in run.diagnostics]
    comments = tuple(_ignores(content.sources, run.launches, found))
    run.launches = [_bare_of_tools(launch) for launch in run.launches]
    if not comments:
        return run.result()
    unknown = any(launch.outcome is Outcome.UNKNOWN for launch in run.launches)
    return run.heeding(
        comments, certain=not (content.problems or unknown or run.crashes or run.unjudged) and bool(run.launches)
    )


def _bare_of_tools(launch: Launch) -> Launch:
    """A launch without what only rules have needed: results go from process to process."""
    deployment = launch.image.deployment
    assert deployment is not None
    return launch.replaced(image=replace(launch.image, deployment=deployment.replaced(edits=None), bare=None))


def lint_deployment(
    path: str,
    files: BuildContext,
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    facts: Facts | None = None,
    init: str = "tini",
) -> linter.Result:
    """Judge what a deployment's file runs, each of its services or containers as a launch of its own.

    `files` are those of the project, `path` is the file's among them: Dockerfiles, scripts and other files are found
    through it. Options and errors are those of `lint`.
    """
    wanted = Wanted({}, facts or Facts(), init)
    return judge(path, Project(files), registry.chosen(select, ignore), wanted)


def _ignores(sources: Iterable[Source], found: Iterable[Launch], blamed: Iterable[Source]) -> Iterator[Ignore]:
    """The comments in the deployment's own files, in what its launches run, and in what they cannot run.

    But for the first, those have a use of their own where they stand.
    """
    own = {source.path: source for source in sources}
    run = (source for launch in found for source in (*launch.sources, launch.image.dockerfile.source))
    others = {source.path: source for source in (*blamed, *run) if source.in_file}
    dockerfiles = {launch.image.dockerfile.source.path: launch.image.dockerfile for launch in found}
    if not any("pid1lint:" in s.text or "hadolint" in s.text for s in (*own.values(), *others.values())):
        return
    from pid1lint.suppress import ignores

    for source in own.values():
        yield from ignores(source)
    scripts = [script for launch in found for script in launch.scripts]
    for path, source in others.items():
        if path not in own:
            for ignore in ignores(source, dockerfiles.get(path), scripts):
                yield ignore._replace(foreign=True)


class _ByItself(NamedTuple):
    """An image without any deployment: how it starts, and what is said of it."""

    image: Image
    launch: Launch
    diagnostics: tuple[Diagnostic, ...]


class _File:
    """One deployment's file while it is judged: what an image has by itself is worked out once."""

    def __init__(self, run: linter.Run, project: Project, images: Images, init: str) -> None:
        self.run = run
        self.project = project
        self.images = images
        self.init = init
        self.operations = 0
        self._own: dict[int, _ByItself] = {}

    def judge(self, deployment: Deployment) -> None:
        """Let all rules judge one launch."""
        if not deployment.runs:
            return
        found = self.images.of(deployment)
        image = applied(found, deployment, self.project)
        by_itself = self.own(found)
        as_built = by_itself is not None and not _touches(deployment)
        if by_itself is not None and as_built:
            launch = by_itself.launch.replaced(image=image)
            self.run.diagnostics += by_itself.diagnostics
        else:
            launch = analyse(image).replaced(init=self.init)
            self.operations += launch.operations
        launch = in_words_of(launch, deployment)
        self.run.launches.append(launch)
        told = by_itself.diagnostics if by_itself is not None else ()
        own = {(d.code, d.at.source.path, d.at.span): d for d in told}
        as_it_came = not _is_built_here(found.image) and not _changes(deployment)
        waits_for_input = deployment.override.terminal and _reads_terminal(launch)
        if waits_for_input:
            why = "it reads from a terminal, which stays open"
            launch = self.run.launches[-1] = launch.replaced(outcome=Outcome.UNKNOWN, why=why)
        spared: tuple[registry.AnyRule, Finding] | None = None
        before = len(self.run.diagnostics)
        for rule in self.run.rules:
            of_image = not rule.code.startswith(_OF_DEPLOYMENTS)
            if rule.on is not None or (of_image and (waits_for_input or as_built)):
                continue
            if not self.run.applies(rule, launch):
                continue
            if deployment.override.init is not None and rule.code in _TOLD_BY_SECOND_INIT:
                continue
            guesses = bool(image.supposes) and rule.code.startswith(_OF_PID1)
            for finding in self.findings(rule, launch):
                at = finding.at
                if guesses or (as_it_came and of_image and at == outside(found.image.from_place)):
                    # What others have built is theirs to mend, or may be otherwise: it is told once how that ends.
                    spared = spared or (rule, finding.replaced(severity=Severity.INFO, fix=None))
                    continue
                bare = own.get((rule.code, at.source.path, at.span))
                made = self.diagnostic(rule, finding, launch)
                # What the image does on some of its ways, this launch may always do: then that is told.
                told_of = bare is not None and made.severity.rank <= bare.severity.rank
                self.run.diagnostics.append(bare if bare is not None and told_of else made)
        if spared is not None and launch.outcome.is_bad and len(self.run.diagnostics) == before:
            self.run.diagnostics.append(self.diagnostic(*spared, launch))

    def findings(self, rule: registry.AnyRule, launch: Launch) -> Iterator[Finding]:
        """What a rule says of a launch, at the places of real files."""
        raw = self.run.check(rule, launch)
        for finding in linter.supposed(rule, (linter.at_home(each, launch) for each in raw), launch):
            notes = tuple(Note(outside(note.at), note.message) for note in finding.notes if _is_real(note.at))
            fix = outer_fix(finding.fix) if finding.fix is not None else None
            yield finding.replaced(at=outside(finding.at), notes=notes, fix=fix)

    def own(self, found: Found) -> _ByItself | None:
        """What is to be said of an image by itself, if it is built here."""
        image = found.image
        if not _is_built_here(image):
            return None
        if id(image) not in self._own:
            launch = analyse(image).replaced(init=self.init)
            path = image.dockerfile.source.path
            diagnostics = tuple(
                linter.diagnostic_of(rule, finding, path, launch.stage, launch.outcome.value)
                for rule in self.run.rules
                if rule.on is None and self.run.applies(rule, launch)
                for finding in self.findings(rule, launch)
            )
            self._own[id(image)] = _ByItself(image, launch, diagnostics)
        return self._own[id(image)]

    def diagnostic(self, rule: registry.AnyRule, finding: Finding, launch: Launch) -> Diagnostic:
        """A finding that only the deployment brings about."""
        deployment = launch.image.deployment
        assert deployment is not None
        # What is about deployments says for itself who is PID 1.
        of_deployments = rule.code.startswith(_OF_DEPLOYMENTS)
        tell = _in_words if of_deployments else _told
        notes = tuple(Note(note.at, tell(note.message, deployment)) for note in finding.notes)
        fix = finding.fix and finding.fix.replaced(title=_UNKNOWN.sub("…", finding.fix.title))
        message = f"{deployment.label}: {tell(finding.message, deployment)}"
        finding = finding.replaced(message=message, notes=notes, fix=fix)
        severity = finding.severity or rule.severity
        if launch.image.supposes and (severity is not Severity.INFO or rule.code.startswith(_OF_PID1)):
            severity = Severity.INFO if severity is Severity.INFO else Severity.WARNING
            finding = finding.replaced(notes=(*finding.notes, Note(deployment.place, launch.image.supposes)))
        soon = deployment.grace <= 1 and deployment.override.grace is not None
        if deployment.brief or (soon and not of_deployments):
            # It ends by itself, or is meant to be killed without any ado.
            severity = Severity.INFO
        hook = next((each for each in deployment.override.hooks if each.may_end), None)
        if hook is not None and launch.outcome is not Outcome.FAILS and not of_deployments:
            severity = Severity.INFO
            note = Note(hook.at, "this is run before the stop signal is sent, and may end it")
            finding = finding.replaced(notes=(*finding.notes, note))
        finding = finding.replaced(severity=severity)
        if finding.fix is not None and not self.may_edit(finding.fix, deployment):
            finding = finding.replaced(fix=None)
        if not _meets(finding, deployment.path):
            note = Note(_cause(deployment), f"{deployment.label} is run here")
            finding = finding.replaced(notes=(*finding.notes, note))
        made = linter.diagnostic_of(rule, finding, launch.dockerfile, launch.stage, launch.outcome.value)
        return made.replaced(deployment=Deployed(deployment.path, deployment.kind, deployment.name, deployment.label))

    def may_edit(self, fix: Fix, deployment: Deployment) -> bool:
        """Whether a fix stays out of files that another program writes, and of anchors that others use.

        A variable's value stands nowhere in the file: nothing can be put into the middle of it. And what ends by itself
        is best left to do so.
        """
        if deployment.brief:
            return False
        starts = [edit.span.start for edit in fix.edits]
        if any(g.text.offsets is not None and any(g.text.offsets.count(at) > 1 for at in starts) for g in fix.guards):
            return False
        for edit in fix.edits:
            if deployment.generated and edit.source.path == deployment.path:
                return False
            if any(documents.is_shared(edit.span) for documents in self.project.read_documents(edit.source.path)):
                return False
        return True


def _is_built_here(image: Image) -> bool:
    """Whether there is a Dockerfile of the image in the project."""
    return not isinstance(image.dockerfile.source, EmbeddedSource) or len(image.dockerfile.instructions) > _NAMED_ONE


def _changes(deployment: Deployment) -> bool:
    """Whether a deployment changes how an image starts or stops."""
    override = deployment.override
    plain = (override.init, override.stop_signal, override.pid)
    return override.changes_argv or any(each is not None for each in plain)


def _touches(deployment: Deployment) -> bool:
    """Whether a deployment may change anything at all of how an image starts or stops."""
    override = deployment.override
    settings = (override.user, override.workdir, override.grace, override.opaque or None)
    env = override.env.values or not override.env.whole
    others = override.mounts or override.terminal or env or deployment.grace != COMPOSE.grace
    return _changes(deployment) or any(each is not None for each in settings) or bool(others)


def _reads_terminal(launch: Launch) -> bool:
    """Whether a program of the usual path reads its standard input."""
    path = launch.main
    if path is None:
        return False
    forms = (process.form for process in (path.tree.walk() if path.tree is not None else ()))
    return any(start.what == "interactive" for start in path.starts) or "interactive" in forms


def _meets(finding: Finding, path: str) -> bool:
    return any(place.source.path == path for place in (finding.at, *(note.at for note in finding.notes)))


def _cause(deployment: Deployment) -> Place:
    """Where a deployment says what it runs."""
    override = deployment.override
    words = override.entrypoint or override.command
    return words.at if words is not None else deployment.place


def in_words_of(launch: Launch, deployment: Deployment) -> Launch:
    """A launch whose reasons speak of who stops the container."""
    paths = tuple(path.replaced(why=_told(path.why, deployment)) for path in launch.paths)
    return launch.replaced(why=_told(launch.why, deployment), paths=paths)


def _told(message: str, deployment: Deployment) -> str:
    """A message in words of what stops this container; where it is not PID 1, it is not called so."""
    told = _in_words(message, deployment)
    return told if deployment.override.pid is None else _PID1.sub(r"\1 the first process", told)


def _in_words(message: str, deployment: Deployment) -> str:
    """A message about `docker stop` and its 10 s in words of what stops this container, and when it kills it."""
    told = _STOPS.sub(deployment.stop_words, message).replace("docker stop", deployment.runtime.stops)
    return _UNKNOWN.sub("…", told)


def _is_real(at: Place) -> bool:
    return outside(at).source.in_file


def outer_fix(fix: Fix) -> Fix | None:
    """A fix of a text that is written in another file as one of that file; None where it would not fit in there."""
    edits: list[Edit] = []
    for edit in fix.edits:
        if not isinstance(edit.source, EmbeddedSource):
            edits.append(edit)
            continue
        span = edit.source.excerpt
        start, end = span.offset(edit.span.start), span.offset(edit.span.end)
        if span.source.text[start:end] != edit.source.text[slice(*edit.span)] or "\n" in edit.content:
            return None
        edits.append(Edit(span.source, Span(start, end), edit.content))
    return fix.replaced(edits=tuple(edits))
