"""Mends a copy of one repository, twice, and says what came of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pid1lint import check, fixer, linter, writing
from pid1lint.config import Configs
from pid1lint.diagnostic import Diagnostic
from pid1lint.discover import dockerfiles, is_dockerfile_name
from pid1lint.errors import Pid1lintError
from pid1lint.source import Source
from tests import readers


class Shown(NamedTuple):
    """One fix that was made, to be read by people."""

    code: str
    safety: str
    place: str
    title: str
    message: str
    diff: str


@dataclass(frozen=True)
class Outcome:
    """What became of one repository; places are paths below the folder that it stands in.

    What is `broken`, what `crashed`, what was `not_ended` or `not_written`, and what a second run would change
    (`restless`) must all be empty. `brought` are the findings that a rule has in a file only after the fixes.
    `ends` counts the launches with a fixed file by their outcomes before and after, and `unmended` names those that end
    badly and no better than before.
    """

    name: str
    dockerfiles: int = 0
    scripts: int = 0
    changed: tuple[str, ...] = ()
    before: Mapping[str, int] = field(default_factory=Counter)
    after: Mapping[str, int] = field(default_factory=Counter)
    fixes: tuple[Shown, ...] = ()
    refusals: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    crashed: tuple[str, ...] = ()
    not_ended: tuple[str, ...] = ()
    not_written: tuple[str, ...] = ()
    restless: tuple[str, ...] = ()
    brought: tuple[str, ...] = ()
    ends: Mapping[tuple[str, str], int] = field(default_factory=Counter)
    unmended: tuple[str, ...] = ()


def repositories(folder: Path) -> tuple[Path, ...]:
    """The folder itself if it is a repository or holds a Dockerfile, else every folder in it; the largest first."""
    names = os.listdir(folder)
    if ".git" in names or any(is_dockerfile_name(name) for name in names):
        return (folder,)
    found = [folder / name for name in sorted(names) if (folder / name).is_dir()]
    # A long one that is begun last would be waited for alone.
    return tuple(sorted(found, key=lambda path: -sum(1 for _ in dockerfiles(str(path)))))


def mend(repository: Path) -> Outcome:
    """Copy a repository, make all its fixes, safe and unsafe, and do so again on what they leave."""
    with tempfile.TemporaryDirectory(prefix="pid1lint-") as scratch:
        copy = Path(scratch) / repository.resolve().name
        shutil.copytree(repository, copy, symlinks=True, ignore=_all_but_excludes)
        # Where a repository ends, the search for its build contexts and configuration ends.
        (copy / ".git").mkdir(exist_ok=True)
        with contextlib.chdir(copy):
            try:
                return _mend(copy.name)
            except Pid1lintError as error:
                return Outcome(copy.name, crashed=(f"{copy.name}: {error}",))


def _all_but_excludes(folder: str, names: list[str]) -> Iterable[str]:
    """Of what git keeps for itself only what it ignores matters."""
    return [name for name in names if name != "info"] if os.path.basename(folder) == ".git" else ()


def _mend(name: str) -> Outcome:
    first = _fix()
    written = list(_write(first))
    second = _fix() if not written else first
    return Outcome(
        name,
        dockerfiles=len(first.before),
        scripts=len(_scripts(first.before)),
        changed=tuple(f"{name}/{change.before.path}" for change in first.changes),
        before=_codes(first),
        after=_codes(second),
        fixes=tuple(_shown(name, made) for made in first.listed),
        refusals=tuple(f"{name}/{refusal}" for refusal in first.refusals),
        broken=tuple(_broken(name, first)),
        crashed=tuple(f"{name}/{crash}" for crash in (*_crashes(first), *_crashes(second))),
        not_ended=tuple(f"{name}/{error}" for error in dict.fromkeys((*first.errors, *second.errors))),
        not_written=tuple(f"{name}/{error}" for error in written),
        restless=() if written else tuple(f"{name}/{made}" for made in second.listed),
        brought=tuple(f"{name}/{finding}" for finding in _brought(first, second)),
        ends=Counter((before, after) for _, before, after in _ends(first, second)),
        unmended=tuple(
            f"{name}/{path}: {one} before, {other} after"
            for path, one, other in _ends(first, second)
            if _is_no_better(one, other)
        ),
    )


def _fix() -> check.Fixed:
    options = check.Options(configs=Configs())
    return check.fix_all(check.plan((".",), options.configs), options, unsafe=True)


def _write(fixed: check.Fixed) -> Iterator[str]:
    try:
        writing.write(fixed.changes, [os.getcwd()])
    except Pid1lintError as error:
        yield str(error)


def _broken(name: str, fixed: check.Fixed) -> Iterator[str]:
    for before, after in fixed.changes:
        reason = readers.regression(before.path, _text(before), _text(after), is_dockerfile=before.path in fixed.before)
        if reason is not None:
            yield f"{name}/{before.path}: {reason}"


_BAD = {"fails": 0, "exits": 0, "hang": 0, "abrupt": 1}


def _is_no_better(before: str, after: str) -> bool:
    """Whether a launch ends badly, and not better than before; without a verdict nothing is said."""
    return after in _BAD and before != "unknown" and _BAD[after] <= _BAD.get(before, 2)


def _ends(first: check.Fixed, second: check.Fixed) -> Iterator[tuple[str, str, str]]:
    """The Dockerfiles of which a file was changed, each with the outcome of a launch before and after."""
    changed = {change.before.path for change in first.changes}
    for path, result in first.before.items():
        after = second.before[path].launches if path in second.before else ()
        for one, other in zip(result.launches, after, strict=False):
            if any(source.path in changed for source in one.sources):
                yield path, one.outcome.value, other.outcome.value


def _scripts(results: Mapping[str, linter.Result]) -> frozenset[str]:
    launches = (launch for result in results.values() for launch in result.launches)
    paths = (source.path for launch in launches for source in launch.sources if source.in_file)
    return frozenset(path for path in paths if path not in results)


def _codes(fixed: check.Fixed) -> Counter[str]:
    return Counter(diagnostic.code for diagnostic in _findings(fixed))


def _findings(fixed: check.Fixed) -> tuple[Diagnostic, ...]:
    return tuple(linter.merged(d for r in fixed.before.values() for d in r.diagnostics))


def _brought(first: check.Fixed, second: check.Fixed) -> Iterator[str]:
    """What was behind another fault, as a launch that did not start; or what a fix has done."""
    known = {(found.at.source.path, found.code) for found in _findings(first)}
    for found in _findings(second):
        if (found.at.source.path, found.code) not in known:
            yield f"{found.at.source.path}:{found.at.start.line}: {found.code} {found.message}"


def _crashes(fixed: check.Fixed) -> Iterator[linter.Crash]:
    for result in (*fixed.before.values(), *fixed.after.values()):
        yield from result.crashes


def _shown(name: str, made: fixer.Made) -> Shown:
    diff = "\n".join(line for change in made.changes for line in fixer.unified(change))
    found, safety = made.diagnostic, made.fix.applicability.value
    return Shown(found.code, safety, f"{name}/{made.place}", made.fix.title, found.message, diff)


def _text(source: Source) -> str:
    """What other readers are given: the file as it is, but for bytes that are no text."""
    return source.encode().decode("utf-8", "replace")
