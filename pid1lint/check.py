"""Files on the disk: reads Dockerfiles with their contexts, runs the linter over many, and mends them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from pid1lint import discover, files, linter, registry
from pid1lint.config import Config, Configs
from pid1lint.diagnostic import Diagnostic
from pid1lint.discover import is_image
from pid1lint.errors import Pid1lintError, UnreadableError
from pid1lint.fix import Applicability, Fix
from pid1lint.frozen import NamedTuple
from pid1lint.rulebook import UNUSED_IGNORE
from pid1lint.source import Source

if TYPE_CHECKING:
    from pid1lint.deploy.images import Names
    from pid1lint.deploy.names import Naming
    from pid1lint.deployment import Building
    from pid1lint.dockerfile.scanner import Dockerfile
    from pid1lint.fixer import Change, Made, Refusal
    from pid1lint.image.context import BuildContext
    from pid1lint.image.model import Bases, Image
    from pid1lint.launch.launch import Launch
    from pid1lint.launch.process import Process

STDIN = "-"
_ISOLATED = Configs(isolated=True)
_MANY = 64
_MOST_SOURCES = 1000
"""So many of the files that are copied are looked for to find the build context."""
_NOTHING: Mapping[str, linter.Result] = {}


class Options(NamedTuple):
    """What the user asked for.

    `stdin` is what was read there, None where `-` is not among the paths; `known` are a baseline's fingerprints.
    `platform` is that of built images of several (`linux/arm64`), empty for this machine's.
    """

    context: str | None = None
    target: str | None = None
    build_args: Mapping[str, str] = {}
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    stdin: Source | None = None
    configs: Configs = _ISOLATED
    known: frozenset[str] = frozenset()
    init: str = ""
    platform: str = ""

    def config(self, path: str) -> Config:
        """What the configuration says of a Dockerfile; `path` is as in a plan."""
        return self.configs.of(self.stdin.path if path == STDIN and self.stdin is not None else path)

    def rules(self, config: Config) -> tuple[registry.AnyRule, ...]:
        """The rules that run: --select goes before the configuration, --ignore adds to it."""
        if self.select:
            return registry.chosen(self.select, self.ignore)
        return registry.chosen(config.select, (*config.ignore, *self.ignore))


class Plan(NamedTuple):
    """What the paths come to: files to check, and of those, the ones that were asked for only for scripts.

    `dockerfiles` are the Dockerfiles, and the deployments' files among them, which `deployments` names; built
    images (`oci:DIR`) stand among them too. `scripts` are
    paths as shown; `missing` are paths with the reason why they cannot be looked at.
    """

    dockerfiles: tuple[str, ...]
    for_scripts: frozenset[str]
    scripts: frozenset[str]
    missing: tuple[tuple[str, str], ...]
    deployments: frozenset[str] = frozenset()


class Fixed(NamedTuple):
    """What a repair of several files came to: `made` counts fixes, errors are one line each.

    `before` is what was found first, by Dockerfile, and `after` what is found now, as far as that is known.
    """

    changes: tuple[Change, ...]
    made: int
    refusals: tuple[Refusal, ...]
    errors: tuple[str, ...]
    listed: tuple[Made, ...] = ()
    before: Mapping[str, linter.Result] = _NOTHING
    after: Mapping[str, linter.Result] = _NOTHING


def shown(path: str) -> str:
    """A path as reports show it: relative to the working directory, with `/`."""
    try:
        relative = os.path.relpath(path)
    except ValueError:
        relative = os.path.abspath(path)  # Windows: on another drive
    return relative.replace(os.sep, "/")


def plan(
    paths: Sequence[str], configs: Configs = _ISOLATED, listed: Sequence[str] | None = None, stdin: str = ""
) -> Plan:
    """Sort paths into Dockerfiles, deployments, scripts and what cannot be looked at; directories are searched.

    `stdin` is what standard input is called. Of what a glob or a list (`listed`: of changed files, say) has, only
    Dockerfiles by name, deployments and scripts count.
    """
    planner = _Planner(configs, stdin)
    for path in paths or (() if listed is not None else (".",)):
        if _is_glob(path) and not is_image(path):
            planner.add_matches(path)
        else:
            planner.add(path)
    for path in listed or ():
        if os.path.isdir(path) or not os.path.lexists(path) or _is_ours(path):
            planner.add(path)
    return planner.plan()


class _Planner:
    """Collects paths, each once, in their order."""

    def __init__(self, configs: Configs, stdin: str = "") -> None:
        self.configs = configs
        self.stdin = stdin
        self.dockerfiles: dict[str, None] = {}
        self.scripts: dict[str, str] = {}
        self.missing: list[tuple[str, str]] = []

    def add(self, path: str) -> None:
        if path == STDIN:
            self.dockerfiles[STDIN] = None
        elif is_image(path):
            self.dockerfiles[path] = None
        elif os.path.isdir(path):
            self.search(path)
        elif reason := _unreadable(path):
            self.missing.append((shown(path), reason))
        elif discover.is_script(path, _head(path)):
            self.scripts[shown(path)] = path
        elif is_deployment(path) and not discover.is_deployment(path):
            return  # YAML or JSON that runs nothing: whoever gives all changed files gives such as well
        else:
            self.dockerfiles[shown(path)] = None

    def add_matches(self, pattern: str) -> None:
        """What a glob in quotes matches; `**` stands for any folders."""
        matches = [path for path in discover.matching(pattern) if os.path.isdir(path) or _is_ours(path)]
        for path in matches:
            self.add(path)
        if not matches:
            self.missing.append((shown(pattern), "matches no Dockerfile and no script" + _glob_hint(pattern)))

    def search(self, folder: str) -> None:
        for found in map(shown, discover.all_files(folder, self.complain)):
            if not self.configs.excludes(found):
                self.dockerfiles[found] = None

    def complain(self, error: UnreadableError) -> None:
        self.missing.append((shown(error.path), error.reason))

    def plan(self) -> Plan:
        """The plan, with the Dockerfiles that may run the scripts."""
        asked = frozenset(self.dockerfiles)
        for root in dict.fromkeys(files.homes(path)[0] for path in self.scripts.values()):
            self.search(root)
        for_scripts = frozenset(self.dockerfiles) - asked
        paths = tuple(self.dockerfiles)
        deployments = frozenset(path for path in paths if is_deployment(self.stdin if path == STDIN else path))
        missing = tuple(dict.fromkeys(self.missing))
        return Plan(paths, for_scripts, frozenset(self.scripts), missing, deployments)


def is_deployment(path: str) -> bool:
    """Whether a file on the disk is read as a deployment's: by its name, whatever it holds, unless a Dockerfile's."""
    name = os.path.basename(path)
    if discover.is_dockerfile_name(name) or not discover.may_be_deployment(name):
        return False
    # JSON is much else.
    return not name.endswith(".json") or not os.path.lexists(path) or discover.is_deployment(path)


def _is_glob(path: str) -> bool:
    return any(char in path for char in "*?[") and not os.path.lexists(path)


def _is_ours(path: str) -> bool:
    """Whether a file is a Dockerfile by its name, a deployment's file, or a script."""
    return os.path.isfile(path) and (
        discover.is_dockerfile_name(os.path.basename(path))
        or discover.is_script(path, _head(path))
        or discover.is_deployment(path)
    )


def _unreadable(path: str) -> str | None:
    if not os.path.lexists(path):
        from pid1lint.nearest import path_hint

        return "does not exist" + (path_hint(path) or _elsewhere(path))
    if not os.path.isfile(path):
        return "is not a file"
    return None if os.access(path, os.R_OK) else "may not be read"


def _elsewhere(path: str) -> str:
    """`; did you mean 'x'?` where a Dockerfile of a similar name is in another folder."""
    from itertools import islice

    from pid1lint.nearest import nearest

    found = {os.path.basename(each): shown(each) for each in islice(discover.dockerfiles("."), _MANY)}
    close = nearest(os.path.basename(path), found, 0.7)
    return "" if close is None else f"; did you mean {found[close]!r}?"


def _glob_hint(pattern: str) -> str:
    """`; did you mean 'x'?` where there is a folder, or a Dockerfile, of a similar name."""
    from itertools import islice, takewhile

    from pid1lint.nearest import hint, path_hint

    parts = pattern.split("/")
    fixed = "/".join(takewhile(lambda part: not any(char in part for char in "*?["), parts))
    if fixed and not os.path.isdir(fixed):
        return path_hint(fixed, folders=True)
    return hint(pattern, map(shown, islice(discover.dockerfiles(fixed or "."), _MANY)))


def _head(path: str) -> bytes:
    return files.head(path, 2, within=lambda: files.homes(path))


def homes(planned: Plan, options: Options) -> tuple[str, ...]:
    """The directories that fixes may write to: those that the paths belong to, and the build context of --context."""
    asked = [options.context] if options.context is not None else []
    paths = (path for path in planned.dockerfiles if path != STDIN)
    return tuple(dict.fromkeys((*(folder for path in paths for folder in files.homes(path)), *asked)))


def folders(planned: Plan, fixed: Fixed) -> tuple[str, ...]:
    """The folders of the Dockerfiles and of the scripts that they run: where a run that was killed has left files."""
    launched = (launch for result in fixed.before.values() for launch in result.launches)
    scripts = (source.path for launch in launched for source in launch.sources if source.in_file)
    found = (os.path.dirname(path) for path in (*planned.dockerfiles, *scripts) if path != STDIN)
    return tuple(dict.fromkeys(found))


Watch = Callable[[Iterable[linter.Result]], Iterable[linter.Result]]
"""Passes results on, and tells somebody of each."""


def check_all(
    planned: Plan,
    options: Options,
    jobs: int,
    changes: Iterable[Change] = (),
    watch: Watch | None = None,
    known: Mapping[str, linter.Result] = _NOTHING,
) -> list[linter.Result]:
    """The results, one a Dockerfile, then one for each path that cannot be looked at.

    `jobs` processes work side by side; 0 stands for as many as there are processors, if there is enough to do.
    `changes` are taken for what the files hold; `known` results, by Dockerfile, are not worked out again.
    """
    asked = [path for path in planned.dockerfiles if path not in known]
    coming = _check_each(asked, options, jobs, changes)
    found = {**known, **dict(zip(asked, coming if watch is None else watch(coming), strict=True))}
    results = [
        _about(found[path], planned.scripts) if path in planned.for_scripts else found[path]
        for path in planned.dockerfiles
    ]
    if planned.deployments:
        from pid1lint.relief import relieved

        results = relieved(results)
    used: frozenset[tuple[str, int]] = frozenset().union(*(result.used for result in results))
    results = [_without_used(result, used) for result in results]
    return results + [_unreadable_result(path, reason, options) for path, reason in planned.missing]


def _without_used(result: linter.Result, used: frozenset[tuple[str, int]]) -> linter.Result:
    """Without the word that a comment suppresses nothing, if it does in a launch of another Dockerfile."""

    def is_used(diagnostic: Diagnostic) -> bool:
        place = diagnostic.at
        return diagnostic.code == UNUSED_IGNORE and (place.source.path, place.span.start) in used

    return result._replace(diagnostics=tuple(d for d in result.diagnostics if not (used and is_used(d))))


def _unreadable_result(path: str, reason: str, options: Options) -> linter.Result:
    config = options.config(path)
    result = linter.unreadable(path, reason, options.rules(config))
    return result._replace(diagnostics=tuple(config.applied(result.diagnostics)))


def _check_each(
    paths: Sequence[str], options: Options, jobs: int, changes: Iterable[Change] = ()
) -> Iterator[linter.Result]:
    overlay = {change.after.path: change.after for change in changes}
    workers = jobs or (min(os.cpu_count() or 1, 8) if len(paths) >= _MANY else 1)
    if workers > 1 and len(paths) > 1:
        return _in_parallel(paths, options, overlay, workers)
    return (check(path, options, overlay) for path in paths)


def _in_parallel(
    paths: Sequence[str], options: Options, overlay: Mapping[str, Source], workers: int
) -> Iterator[linter.Result]:
    from importlib import import_module

    from pid1lint.workers import Died, Failed, Pool

    # What every worker needs is imported once.
    registry.all_rules()
    import_module("pid1lint.launch")
    pool = Pool(partial(check, options=options, overlay=overlay), min(workers, len(paths)))
    for path, found in zip(paths, pool.results(paths), strict=True):
        if isinstance(found, Failed):
            raise Pid1lintError(found.message)
        if isinstance(found, Died):
            yield linter.Result((), crashes=(linter.Crash("", path, f"its worker process {found.how}"),))
        else:
            yield found


def check(path: str, options: Options, overlay: Mapping[str, Source]) -> linter.Result:
    """Judge one Dockerfile on the disk, or standard input, or a built image.

    `overlay` has the files whose contents have changed.
    """
    config = options.config(path)
    try:
        result = _result(path, options, overlay, options.rules(config))
    except UnreadableError as error:
        return _unreadable_result(path, error.reason, options)
    return result._replace(diagnostics=tuple(config.applied(result.diagnostics)))


def _result(
    path: str, options: Options, overlay: Mapping[str, Source], rules: Sequence[registry.AnyRule]
) -> linter.Result:
    """`UnreadableError` where there is nothing to judge."""
    if is_image(path):
        return _judge_image(path, options, rules)
    return _judge(read(path, options, overlay), options, overlay, rules)


def _judge_image(path: str, options: Options, rules: Sequence[registry.AnyRule]) -> linter.Result:
    from pid1lint.archive.image import read_image

    config = options.config(path)

    def work() -> linter.Result:
        image = read_image(path, options.platform, config.facts)
        return linter.judge_image(image, rules, options.init or config.init or "tini")

    result = linter.attempt("the analysis", path, work)
    return linter.Result((), crashes=(result,)) if isinstance(result, linter.Crash) else result


def _judge(
    source: Source, options: Options, overlay: Mapping[str, Source], rules: Sequence[registry.AnyRule]
) -> linter.Result:
    from pid1lint.dockerfile.scanner import scan

    def work() -> linter.Result:
        if is_deployment(source.path):
            return _judge_deployment(source, options, overlay, rules)
        dockerfile = scan(source)
        context = context_of(dockerfile, options, overlay)
        config = options.configs.of(source.path)
        init = options.init or config.init or "tini"
        root = files.homes(source.path)[0]
        bases = _bases(source.path, root, config, _disk(root, overlay))
        wanted = linter.Wanted(options.target, options.build_args, config.facts, init, bases)
        return linter.judge_wanted(dockerfile, context, wanted, rules)

    result = linter.attempt("the analysis", source.path, work)
    return linter.Result((), crashes=(result,)) if isinstance(result, linter.Crash) else result


def _judge_deployment(
    source: Source, options: Options, overlay: Mapping[str, Source], rules: Sequence[registry.AnyRule]
) -> linter.Result:
    from pid1lint import deployed
    from pid1lint.deploy.project import Project

    path = source.path
    root = files.homes(path)[0]
    project = Project(_disk(root, overlay), None if overlay else partial(_config_maps, root))
    own = os.path.relpath(os.path.abspath(path), os.path.abspath(root)).replace(os.sep, "/")
    project.give(own, source)
    config = options.configs.of(path)
    init = options.init or config.init or "tini"
    wanted = deployed.Wanted(options.build_args, config.facts, init, _names(source.path, root, config))
    return deployed.judge(own, project, rules, wanted)


@cache
def _config_maps(root: str, folder: str) -> Mapping[str, Source]:
    """The manifests of a folder below a root that hold a ConfigMap: all of its files ask for them."""
    from pid1lint.deploy.project import config_maps_in
    from pid1lint.image.context import DiskContext

    return config_maps_in(folder, DiskContext(root))


def _disk(root: str, overlay: Mapping[str, Source]) -> BuildContext:
    """A folder with what has changed in it."""
    from pid1lint.image.context import DiskContext

    disk = DiskContext(root)
    if not overlay:
        return disk
    from pid1lint.fixer import OverlayContext

    return OverlayContext(disk, overlay)


def _names(path: str, root: str, config: Config) -> Names:
    """What the files around a path build under which names; they are only read when somebody asks."""

    def look_up(reference: str) -> Building | None:
        images = config.facts.images
        naming = _naming(os.path.dirname(os.path.abspath(path)), root)
        if not naming and not any("dockerfile" in row for row in images.values()):
            return None
        from pid1lint.deploy.images import named
        from pid1lint.deploy.names import configured
        from pid1lint.facts.images import parse_reference

        name = parse_reference(reference).name
        folder = os.path.relpath(config.folder, root).replace(os.sep, "/") if config.folder else "."
        builds = (build for files in naming for build in files.of(name))
        return named((*configured(images, folder), *builds))(reference)

    return look_up


def build_of(path: str, reference: str, options: Options) -> Building | None:
    """How the image that goes by a name is built, where a file of the project around a path gives it that name."""
    return _names(path, files.homes(path)[0], options.configs.of(path))(reference)


def _bases(path: str, root: str, config: Config, disk: BuildContext) -> Bases:
    """The images that FROM may name and that are built next door."""
    names = _names(path, root, config)

    def look_up(reference: str) -> Image | None:
        if names(reference) is None:
            return None
        from pid1lint.deploy.images import Images
        from pid1lint.deploy.project import Project

        return Images(Project(disk), config.facts, names).base(reference)

    return look_up


@cache
def _naming(folder: str, root: str) -> tuple[Naming, ...]:
    """The files that give names to images, of a folder and of those above it."""
    return tuple(_naming_in(paths, root) for paths in discover.naming(folder, root))


@cache
def _naming_in(paths: tuple[str, ...], root: str) -> Naming:
    from pid1lint.deploy.names import Naming
    from pid1lint.deploy.project import Project
    from pid1lint.image.context import DiskContext

    inside = (os.path.relpath(path, root).replace(os.sep, "/") for path in paths)
    return Naming(inside, Project(DiskContext(root)))


def read(path: str, options: Options, overlay: Mapping[str, Source]) -> Source:
    """A Dockerfile's text; `UnreadableError` if there is none."""
    if path == STDIN and options.stdin is not None:
        return overlay.get(options.stdin.path, options.stdin)
    if path in overlay:
        return overlay[path]
    return Source.decode(path, files.read(path, within=lambda: files.homes(path)))


def context_of(dockerfile: Dockerfile, options: Options, overlay: Mapping[str, Source]) -> BuildContext:
    """The build context: as given, or found by what the Dockerfile copies."""
    from pid1lint.image.context import DiskContext

    path = dockerfile.source.path
    root, _ = _root(dockerfile, options)
    disk = DiskContext(root, dockerfile=path)
    if not overlay:
        return disk
    from pid1lint.fixer import OverlayContext

    return OverlayContext(disk, overlay)


def root_of(dockerfile: Dockerfile, options: Options) -> str:
    """The directory of the build context."""
    return _root(dockerfile, options)[0]


def _root(dockerfile: Dockerfile, options: Options) -> tuple[str, str]:
    """The directory of the build context, and why it is that one."""
    from pid1lint.image.context import find_context

    path = dockerfile.source.path
    if options.context is not None:
        return options.context, "--context"
    config = options.configs.of(path)
    if (configured := config.context_of(path)) is not None:
        return configured, config.file
    found = find_context(path, _copied(dockerfile, options.build_args))
    own = found == os.path.dirname(os.path.abspath(path))
    return found, "the Dockerfile's folder" if own else "it contains more of what is copied"


def explained(planned: Plan, options: Options) -> Iterator[str]:
    """For each Dockerfile a line: the context with the reason, and the configuration file."""
    from pid1lint.dockerfile.scanner import scan

    for path in planned.dockerfiles:
        if is_image(path):
            yield f"{path}: an image that is built; {len(options.rules(options.config(path)))} rules"
            continue
        try:
            source = read(path, options, {})
        except UnreadableError as error:
            yield str(error)
            continue
        if path in planned.deployments:
            yield _explained_deployment(source, options)
            continue
        root, why = _root(scan(source), options)
        config = options.configs.of(source.path)
        asked = " because of scripts" if path in planned.for_scripts else ""
        settings = f"configuration {config.file}" if config.file else "no configuration"
        rules = f"{len(options.rules(config))} rules"
        yield f"{source.path}: checked{asked}; context {shown(root)} ({why}); {settings}; {rules}"


def _explained_deployment(source: Source, options: Options) -> str:
    from pid1lint.deploy import read as reader
    from pid1lint.deploy.project import Project
    from pid1lint.image.context import DiskContext

    root = files.homes(source.path)[0]
    project = Project(DiskContext(root))
    own = os.path.relpath(os.path.abspath(source.path), os.path.abspath(root)).replace(os.sep, "/")
    project.give(own, source)
    content = reader.content(own, project)
    if content.note:
        return f"{source.path}: skipped: {content.note}"
    names = ", ".join(deployment.label for deployment in content.deployments) or "nothing in it is run"
    return f"{source.path}: checked; {names}"


def _copied(dockerfile: Dockerfile, build_args: Mapping[str, str]) -> tuple[str, ...]:
    """What COPY and ADD take from the build context, which is still to be found."""
    from pid1lint.image.context import MemoryContext
    from pid1lint.image.model import Build

    return tuple(dict.fromkeys(Build(dockerfile, MemoryContext({}), build_args).sources()))[:_MOST_SOURCES]


def _about(result: linter.Result, scripts: frozenset[str]) -> linter.Result:
    """What of a result has to do with some scripts: what points at one, or is about a launch that runs one."""
    launches = tuple(launch for launch in result.launches if launch.tree and _runs(launch.tree, scripts))
    stages = {launch.stage for launch in launches}
    return result._replace(
        diagnostics=tuple(d for d in result.diagnostics if _points_at(d, scripts) or (d.outcome and d.stage in stages)),
        launches=launches,
    )


def not_run(planned: Plan, results: Iterable[linter.Result]) -> tuple[str, ...]:
    """The scripts that were asked for and that no launch runs."""
    ran = {source.path for result in results for launch in result.launches for source in launch.sources}
    return tuple(sorted(planned.scripts - ran))


def _points_at(diagnostic: Diagnostic, scripts: frozenset[str]) -> bool:
    return any(place.source.path in scripts for place in (diagnostic.at, *(note.at for note in diagnostic.notes)))


def _runs(process: Process, scripts: frozenset[str]) -> bool:
    if process.place is not None and process.place.source.path in scripts:
        return True
    if process.script is not None and process.script.text.source.path in scripts:
        return True
    return any(_runs(child, scripts) for child in process.children)


def told(results: Sequence[linter.Result], options: Options) -> tuple[Diagnostic, ...]:
    """The findings of all Dockerfiles, without those in the baseline."""
    found = results[0].diagnostics if len(results) == 1 else linter.merged(d for r in results for d in r.diagnostics)
    if not options.known:
        return found
    from pid1lint import baseline

    return baseline.fresh(found, options.known)


def add_ignores(planned: Plan, options: Options, jobs: int) -> Fixed:
    """Suppress all present findings by comments; nothing is written. `made` counts the findings."""
    images = [path for path in planned.dockerfiles if is_image(path)]
    if images:
        raise Pid1lintError(f"{images[0]} is already built: pid1lint cannot write a comment into it")
    found = told(check_all(planned, options, jobs), options)
    changes, errors, left = _annotated(planned, options, jobs, found)
    return Fixed(tuple(changes), max(0, len(found) - len(left)), (), tuple(errors))


def _annotated(
    planned: Plan, options: Options, jobs: int, found: Sequence[Diagnostic]
) -> tuple[list[Change], list[str], Sequence[Diagnostic]]:
    """The files with comments, what went wrong, and the findings that are left.

    Where a comment above a line turns out not to count for what is found there, one for the whole file takes its place;
    where that does not count either, there is none.
    """
    from pid1lint.annotate import annotate

    dockerfiles = frozenset(planned.dockerfiles) | ({options.stdin.path} if options.stdin is not None else set())
    by_file: frozenset[Diagnostic] = frozenset()
    hopeless: frozenset[Diagnostic] = frozenset()
    while True:
        annotated = annotate((each for each in found if each not in hopeless), by_file)
        homeless = (*annotated.homeless, *(each for each in found if each in hopeless))
        errors = [f"{d.at.source.path}: there is no place for a comment for {d.code}" for d in homeless]
        changes = []
        for change in annotated.changes:
            path = change.before.path
            reason = linter.damaged(change.before, change.after, path if path in dockerfiles else "")
            if reason is None:
                changes.append(change)
            else:
                errors.append(f"no comments were added: {reason}")
        left = told(check_all(planned, options, jobs, changes), options)
        written = {change.before.path for change in changes}
        in_vain = frozenset(
            each
            for each in _unsuppressed(found, left)
            if each.at.source.path in written and each not in hopeless and each not in homeless
        )
        # A comment may take away what it is for: a directive of a Dockerfile is none below another comment.
        useless = {_named_by(d) for d in left if d.code == UNUSED_IGNORE} - {_named_by(d) for d in found}
        in_vain |= {d for d in found if (d.at.source.path, d.code) in useless and d not in hopeless}
        # In what does not parse, a comment may end what a line went on with, and bring another mistake.
        brought = {path for path, _, _ in _count(left) - _count(found)} & written
        in_vain |= {d for d in found if d.at.source.path in brought and d not in hopeless and d not in homeless}
        if not in_vain:
            return changes, errors, left
        hopeless |= in_vain & by_file
        by_file |= in_vain


def _named_by(diagnostic: Diagnostic) -> tuple[str, str]:
    """The file, and the code that stands where a finding points: in a comment, say."""
    return diagnostic.at.source.path, diagnostic.at.text


def _unsuppressed(found: Iterable[Diagnostic], left: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """The findings that are there still, whatever lines they have come to stand on."""
    still = _count(left)
    for diagnostic in found:
        key = (diagnostic.at.source.path, diagnostic.code, diagnostic.message)
        if still[key]:
            still[key] -= 1
            yield diagnostic


def _count(found: Iterable[Diagnostic]) -> Counter[tuple[str, str, str]]:
    """How many findings there are of a path, a code and a message: their lines may change."""
    return Counter((d.at.source.path, d.code, d.message) for d in found)


class Traced(NamedTuple):
    """The launches of all files; in one line each, what went wrong, and which files cannot be read."""

    launches: tuple[Launch, ...]
    errors: tuple[str, ...]
    unread: tuple[str, ...]


def named(paths: Sequence[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """The files among some words, and the names of services or containers: what is no file, behind a deployment's."""
    if not any(os.path.isfile(path) and is_deployment(path) for path in paths):
        return tuple(paths), frozenset()
    names = {path for path in paths if path != STDIN and not os.path.lexists(path) and not _is_glob(path)}
    return tuple(path for path in paths if path not in names), frozenset(names)


def _is_named(launch: Launch, names: frozenset[str]) -> bool:
    deployment = launch.image.deployment
    if deployment is None or not names:
        return True
    return deployment.name in names or deployment.name.rpartition("/")[2] in names


def launches(planned: Plan, options: Options, names: frozenset[str] = frozenset()) -> Traced:
    """The launches of all files, of deployments those of some `names` if any; a file that cannot be read stops none."""
    found: list[Launch] = []
    unread: list[str] = []
    errors = [f"{path} {reason}" for path, reason in planned.missing]
    for path in planned.dockerfiles:
        try:
            result = _result(path, options, {}, ())
        except UnreadableError as error:
            unread.append(str(error))
            continue
        if path in planned.for_scripts:
            result = _about(result, planned.scripts)
        found += (launch for launch in result.launches if _is_named(launch, names))
        errors += map(str, result.crashes)
        unread += result.unjudged
    known = {launch.image.deployment.name for launch in found if launch.image.deployment is not None}
    errors += (f"there is no {name!r} in it" for name in sorted(names - known - _last_parts(known)))
    return Traced(tuple(found), tuple(errors), tuple(unread))


def _last_parts(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.rpartition("/")[2] for name in names)


def fix_all(planned: Plan, options: Options, *, unsafe: bool, jobs: int = 1) -> Fixed:
    """Mend the Dockerfiles with the scripts that they run, one after the other; nothing is written.

    Only those with something to mend are gone through, and those that run a script which has changed meanwhile.
    `jobs` as for `check_all`: they look for what there is to mend.
    """
    from pid1lint.fixer import repair

    coming = _check_each(planned.dockerfiles, options, jobs)
    before = dict(zip(planned.dockerfiles, coming, strict=True))
    beside = tuple(before[path] for path in planned.dockerfiles if path in planned.deployments)
    known = dict(before)
    latest: dict[str, linter.Result] = {}
    changes: tuple[Change, ...] = ()
    count = 0
    refusals: list[Refusal] = []
    errors: list[str] = []
    listed: list[Made] = []
    # Deployments come last: what they run is as the Dockerfiles then have it.
    for path in sorted(planned.dockerfiles, key=planned.deployments.__contains__):
        work = _Work(path, planned, options, unsafe, known, latest, beside)
        if path in known and not work.has_fix(known[path]):
            continue
        try:
            repaired = repair(work.lint, work.verify, work.accept, changes)
        except Pid1lintError as error:
            errors.append(str(error))
            continue
        changed = frozenset(change.before.path for change in repaired.changes if change not in changes)
        for other in [other for other in known if other != path and _concerns(known[other], changed)]:
            del known[other]
        known[path] = latest[path]
        changes = repaired.changes
        count += repaired.fixed
        refusals += repaired.refusals
        listed += repaired.listed
    return Fixed(changes, count, tuple(refusals), tuple(errors), tuple(listed), before, known)


def _concerns(result: linter.Result, changed: frozenset[str]) -> bool:
    """Whether a result would be another one if these files were: a launch runs one, on some path, or its image's is."""
    if not changed:
        return False
    if any(launch.image.dockerfile.source.path in changed for launch in result.launches):
        return True
    trees = (path.tree for launch in result.launches for path in launch.paths if path.tree is not None)
    return any(_runs(tree, changed) for tree in trees) or any(_points_at(d, changed) for d in result.diagnostics)


class _Work(NamedTuple):
    """The parts of a repair of one Dockerfile.

    `known` may hold what it comes to before the first fix; `latest` has what it came to last, `beside` what the
    deployments come to.
    """

    path: str
    planned: Plan
    options: Options
    unsafe: bool
    known: dict[str, linter.Result]
    latest: dict[str, linter.Result]
    beside: tuple[linter.Result, ...]

    def lint(self, overlay: Mapping[str, Source]) -> tuple[Diagnostic, ...]:
        result = self.known.pop(self.path, None)
        if result is None:
            result = check(self.path, self.options, overlay)
        self.latest[self.path] = result
        result = self.relieved(result)
        if self.path in self.planned.for_scripts:
            result = _about(result, self.planned.scripts)
        return told((result,), self.options)

    def has_fix(self, result: linter.Result) -> bool:
        """Whether there is something to mend in what was found first."""
        result = self.relieved(result)
        if self.path in self.planned.for_scripts:
            result = _about(result, self.planned.scripts)
        return any(d.fix is not None and self.accept(d.fix) for d in told((result,), self.options))

    def relieved(self, result: linter.Result) -> linter.Result:
        """A result without the fixes of what all known deployments of an image bring: an init, say."""
        if not self.beside:
            return result
        from pid1lint.relief import relieved

        return relieved((result, *self.beside))[0]

    def verify(self, fix: Fix, after: Sequence[Source]) -> str | None:
        return linter.refusal(fix, after, self._shown)

    def accept(self, fix: Fix) -> bool:
        if fix.applicability is not Applicability.SAFE and not self.unsafe:
            return False
        # What is mended on standard input goes to standard output: there is no place for another file.
        return self.path != STDIN or all(edit.source.path == self._shown for edit in fix.edits)

    @property
    def _shown(self) -> str:
        stdin = self.options.stdin
        return stdin.path if self.path == STDIN and stdin is not None else self.path
