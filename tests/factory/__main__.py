"""`make facts`: measure languages and programs, and write the facts down.

Needs Linux, root, debootstrap, tini and the mirrors of Debian, PyPI and npm that the machine is set to.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.factory import packages
from tests.factory.cell import Recipe
from tests.factory.languages import LANGUAGES, PACKAGES
from tests.factory.measure import INIT, NotReadyError, below_init, signals, word
from tests.factory.roots import Roots, version_of
from tests.factory.tell import tell
from tests.factory.whole import Whole
from tests.factory.written import write_table
from tests.oracle import kernel

JOBS = 6


def today() -> str:
    return datetime.datetime.now(tz=datetime.UTC).date().isoformat()


def measure_languages(roots: Roots, only: Iterable[str]) -> dict[str, dict[str, Any]]:
    """A row for each language: what signals do to a program that sets no handler."""
    sources = [
        f"mkdir -p /l && cd /l && cat > {row.file} <<'END'\n{row.text}END\n{row.build}" for row in LANGUAGES.values()
    ]
    lower = roots.layer("languages", [*PACKAGES, INIT[0]], sources)

    def one(name: str) -> tuple[str, dict[str, Any] | str]:
        row = LANGUAGES[name]
        recipe = Recipe(row.argv, lower)
        try:
            alone = signals(recipe, lambda cell: "ready" in cell.output, patience=30)
            below = signals(below_init(recipe), lambda cell: "ready" in cell.output, patience=30)
        except NotReadyError as error:
            return name, str(error)
        # The BEAM stops its applications in order before it ends with 0: its documentation says so, no hook does.
        orderly = {"TERM"} if row.argv[0] in ("erl", "elixir") else set()
        words = {
            signal: word(alone[signal], below[signal], "hook" in alone[signal].output or signal in orderly)
            for signal in alone
        }
        source = f"measured: {row.package} {version_of(lower, row.package)} as PID 1 and below tini, {today()}"
        return name, {"default": words["TERM"], "signals": words, "source": source}

    names = [name for name in LANGUAGES if not only or name in only]
    return measured(names, one)


def measured(names: Iterable[str], one: Callable[[str], tuple[str, dict[str, Any] | str]]) -> dict[str, dict[str, Any]]:
    """All rows, some at a time; what could not be measured is told and left out."""
    found = {}
    with ThreadPoolExecutor(JOBS) as pool:
        for name, row in pool.map(one, names):
            if isinstance(row, str):
                print(f"{name}: {row}", file=sys.stderr)
            else:
                found[name] = row
                print(f"{name}: {row.get('signals', row)}", flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="make facts", description=__doc__)
    parser.add_argument("what", choices=["languages", "programs", "packages", "rows"])
    parser.add_argument("only", nargs="*", help="names or kinds; without any, all that was not measured today")
    parser.add_argument("--root", type=Path, default=Path("build/facts"), help="where the throw-away roots are kept")
    parser.add_argument("--again", action="store_true", help="measure what was measured today, too")
    parser.add_argument("--jobs", type=int, default=JOBS, help="how many at a time")
    parser.add_argument("--dry-run", action="store_true", help="print what was measured; write nothing")
    options = parser.parse_intermixed_args()
    if options.what == "rows":
        tell(options.only)
        return 0
    reason = kernel.available()
    if reason is not None:
        print(reason, file=sys.stderr)
        return 2
    roots = Roots(options.root.resolve())
    roots.make_base()
    if options.what == "packages":
        packages.write(roots, today())
        return 0
    if options.what == "languages":
        rows = measure_languages(roots, options.only)
        if not options.dry_run:
            write_table("handlers", "languages", rows)
        return 0
    whole = Whole(roots, today(), again=options.again, jobs=options.jobs, dry_run=options.dry_run)
    whole.run(options.only)
    return 1 if whole.failed else 0


if __name__ == "__main__":
    sys.exit(main())
