"""Mends copies of real repositories, and says whether anything broke: `python -m tests.corpus DIR --fixes FILE`.

`python -m tests.corpus --sample 40 --seed 7 --fixes FILE` prints fixes at random out of what such a run has written.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from tests import readers
from tests.corpus import shown
from tests.corpus.repair import Outcome, mend, repositories

_MUST_BE_NONE = {
    "broken": "no longer parse",
    "crashed": "crashes",
    "not_ended": "fixes without an end",
    "not_written": "not written",
    "restless": "changed by a second run",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print what came of it; 1 if there is anything that must not be, 2 if a reader is not installed."""
    parser = argparse.ArgumentParser(description="Make all fixes in copies of real repositories.")
    parser.add_argument("folder", nargs="?", type=Path, help="a folder of repositories, or one repository")
    parser.add_argument("--fixes", type=Path, help="write every fix that was made to this file, or sample from it")
    parser.add_argument("--sample", type=int, help="print as many fixes of each rule, picked at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rule", action="append", default=[], metavar="CODE", help="of these rules only")
    parser.add_argument("--jobs", "-j", type=int, default=os.cpu_count())
    options = parser.parse_args(arguments)
    if options.folder is None and (options.fixes is None or options.sample is None):
        parser.error("a folder, or a sample of a file of fixes")
    code = 0
    if options.folder is not None:
        if absent := readers.missing():
            print("\n".join(f"cannot ask {reader}" for reader in absent))
            return 2
        outcomes = list(_mended(repositories(options.folder), options.jobs))
        fixes = [fix for outcome in outcomes for fix in outcome.fixes]
        print("\n".join(report(outcomes)))
        code = int(any(getattr(outcome, field) for outcome in outcomes for field in _MUST_BE_NONE))
        if options.fixes is not None:
            options.fixes.write_text(shown.written(fixes), encoding="utf-8", errors="backslashreplace", newline="\n")
    else:
        fixes = list(shown.read(options.fixes.read_text(encoding="utf-8")))
    if options.sample is not None:
        print(shown.written(shown.sample(fixes, options.sample, options.seed, options.rule)), end="")
    return code


def _mended(paths: Sequence[Path], jobs: int) -> Iterator[Outcome]:
    """The outcomes as they come; a line on a terminal says how far it is."""
    # BuildKit's parser brings Go's runtime along, whose threads a fork leaves behind.
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        futures = {pool.submit(mend, path.resolve()): path.name for path in paths}
        for count, future in enumerate(as_completed(futures), 1):
            if sys.stderr.isatty():
                print(f"\r\033[K{count}/{len(paths)} {futures[future]}", end="", file=sys.stderr, flush=True)
            yield future.result()
    if sys.stderr.isatty():
        print(file=sys.stderr)


def report(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """The lines of the report."""
    every = sorted(outcomes, key=lambda outcome: outcome.name)
    made = Counter((fix.code, fix.safety) for outcome in every for fix in outcome.fixes)
    rows = {
        "repositories": len(every),
        "Dockerfiles": sum(outcome.dockerfiles for outcome in every),
        "scripts that they run": sum(outcome.scripts for outcome in every),
        "fixes made": made.total(),
        "files changed": sum(len(outcome.changed) for outcome in every),
    }
    rows |= {title: sum(len(getattr(each, field)) for each in every) for field, title in _MUST_BE_NONE.items()}
    refusals = [refusal for outcome in every for refusal in outcome.refusals]
    yield from (f"{title:28}{number:7}" for title, number in (*rows.items(), ("fixes rolled back", len(refusals))))
    yield from ("", f"{'':9}{'before':>8}{'after':>8}{'safe':>8}{'unsafe':>8}")
    before, after = (sum((Counter(getattr(o, name)) for o in every), Counter[str]()) for name in ("before", "after"))
    for code in sorted(before.keys() | after.keys()):
        fixes = f"{made[code, 'safe']:8}{made[code, 'unsafe']:8}"
        yield f"{code:9}{before[code]:8}{after[code]:8}{fixes}"
    ends = sum((Counter(each.ends) for each in every), Counter[tuple[str, str]]())
    if ends:
        yield from ("", "how launches with a fixed file end:")
        yield from (f"  {one} -> {other:10}{number:7}" for (one, other), number in ends.most_common())
    lists = {title: [line for each in every for line in getattr(each, field)] for field, title in _MUST_BE_NONE.items()}
    brought = [line for each in every for line in each.brought]
    unmended = [line for each in every for line in each.unmended]
    others = {
        "fixes rolled back": refusals,
        "found only after the fixes": brought,
        "no better after the fixes": unmended,
    }
    for title, lines in (lists | others).items():
        if lines:
            yield from ("", f"{title}:", *(f"  {line}" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
