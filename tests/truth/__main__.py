"""Holds the model against the kernel on fresh cases: `python -m tests.truth --cases 3000 --seed 7`."""

from __future__ import annotations

import argparse
import random
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from tests import oracle
from tests.truth.compare import Judged, generate, judge_all, shrink, tally

FAILURES = Path("truth-failures")
SHRUNK_AT_MOST = 12
_AGREEMENT, _VERDICTS = 0.997, 0.99


def main() -> int:
    """Run, print the agreement, write the disagreements; 1 if the goals are missed."""
    parser = argparse.ArgumentParser(description="Hold the model's verdicts against the kernel's.")
    parser.add_argument("--cases", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--no-shrink", action="store_true")
    options = parser.parse_args()
    if reason := oracle.available():
        print(f"cannot measure: {reason}")
        return 2
    print(f"{options.cases} cases, seed {options.seed}", flush=True)
    judged = judge_all(generate(options.cases, options.seed), _progress(options.cases))
    print(file=sys.stderr)
    _report(judged)
    _write_failures([one for one in judged if one.measured and one.stable and not one.agrees], not options.no_shrink)
    total = tally(judged)
    return 0 if total.agreement >= _AGREEMENT and total.verdicts >= _VERDICTS else 1


def _progress(count: int) -> Callable[[Judged], None]:
    done = iter(range(1, count + 1))

    def seen(_: Judged) -> None:
        print(f"\r{next(done)}/{count}", end="", file=sys.stderr, flush=True)

    return seen


def _report(judged: Sequence[Judged]) -> None:
    shells = sorted({one.case.shell for one in judged})
    tags = Counter(tag for one in judged for tag in one.case.tags)
    rows = [("all", judged)]
    rows += [(shell, [one for one in judged if one.case.shell == shell]) for shell in shells]
    rows += [(tag, [one for one in judged if tag in one.case.tags]) for tag in sorted(tags)]
    print(f"{'':32}{'cases':>7}{'agree':>9}{'wrong':>7}{'unknown':>9}{'unstable':>10}")
    for name, some in rows:
        found = tally(some)
        print(
            f"{name:32}{len(some):7}{found.agreement:9.1%}{found.wrong:7}{1 - found.verdicts:9.1%}{found.unstable:10}"
        )
    measured = Counter((one.foreseen, one.measured) for one in judged if one.measured)
    for (foreseen, outcome), number in sorted(measured.items()):
        print(f"foreseen {foreseen:9} measured {outcome:9} {number:6}")


def _write_failures(wrong: Sequence[Judged], shrinks: bool) -> None:
    shutil.rmtree(FAILURES, ignore_errors=True)
    for index, one in enumerate(wrong):
        smallest = shrink(one) if shrinks and index < SHRUNK_AT_MOST else one
        FAILURES.mkdir(exist_ok=True)
        path = FAILURES / f"{index:03}-{one.foreseen}-{one.measured}-{re.sub(r'[^a-z]+', '-', one.case.shell)}.txt"
        path.write_text(_shown(smallest, one), encoding="utf-8")
    if wrong:
        print(f"{len(wrong)} disagreements in {FAILURES}/")


def _shown(one: Judged, whole: Judged) -> str:
    assert one.run is not None
    lines = [
        f"foreseen {one.foreseen}, measured {one.measured} (exit code {one.run.code}); {' '.join(whole.case.tags)}",
        *(f"{each.pid} {each.parent} {each.state} {' '.join(each.argv)}" for each in one.run.tree),
        *(f"{each.pid} {each.name} {each.event} {each.signal or ''}" for each in one.run.events),
        one.run.output[:2000],
        one.case.shown(),
    ]
    if one is not whole:
        lines += ["# ======== before it was shrunk", whole.case.shown()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
