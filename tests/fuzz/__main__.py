"""Fuzzes with Atheris: `python -m tests.fuzz --what script --minutes 10`, or all kinds one after the other.

What does not hold is put into `build/fuzz/WHAT/finds`, once for each kind of fault: the case as a text, and beside it
why. `python -m tests.fuzz --try FILE --what WHAT` tries one again, `--shrink` makes it as small as it can.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.case import Case, File, parsed
from tests.fuzz.hold import fault
from tests.fuzz.seeds import WHAT

HOME = Path("build/fuzz").absolute()


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz, or try one case; 1 if something does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz pid1lint with Atheris.")
    parser.add_argument("--what", choices=("all", *WHAT), default="all")
    parser.add_argument("--minutes", type=float, default=10, help="for all together")
    parser.add_argument("--try", dest="case", type=Path, metavar="FILE", help="try a case once")
    parser.add_argument("--shrink", action="store_true", help="and leave out of it what is not needed")
    options = parser.parse_args(arguments)
    kinds = WHAT if options.what == "all" else (options.what,)
    if options.case is not None:
        return _tried(options.case, kinds[0], shrink=options.shrink)
    found = sum(_in_turn(what, options.minutes * 60 / len(kinds)) for what in kinds)
    return int(found > 0)


def _in_turn(what: str, seconds: float) -> int:
    """Fuzz one kind, again from the start where the process dies; how many finds there are."""
    end = time.monotonic() + seconds
    executions = 0
    while (left := end - time.monotonic()) > 1:
        command = [sys.executable, "-m", "tests.fuzz.run", what, str(left)]
        done = subprocess.run(command, check=False, capture_output=True)
        stats = HOME / what / "stats.json"
        executions += json.loads(stats.read_text())["executions"] if stats.exists() else 0
        if done.returncode:
            died = HOME / what / "finds" / f"died-{int(time.time())}.why"
            died.write_bytes(done.stdout[-20_000:] + done.stderr[-20_000:])
    finds = sorted((HOME / what / "finds").glob("*.why"))
    print(f"{what:12}{executions:8} executions in {seconds / 60:.1f} min, {len(finds)} finds", flush=True)
    for path in finds:
        print(f"  {os.path.relpath(path)}: {path.read_text(errors='replace').partition(chr(10))[0][:100]}", flush=True)
    return len(finds)


def _tried(path: Path, what: str, *, shrink: bool) -> int:
    case = parsed(path.read_bytes())
    kind, why = fault(case, what)
    if not kind:
        print("it holds")
        return 0
    if shrink:
        case = _shrunk(case, what, kind)
        path.write_bytes(case.written())
        why = fault(case, what)[1]
    print(f"{case.written().decode('utf-8', 'backslashreplace')}\n{why}")
    return 1


def _shrunk(case: Case, what: str, kind: str) -> Case:
    """A case without the files, the lines and the words that its fault does not need."""

    def still(smaller: Case) -> bool:
        return fault(smaller, what)[0] == kind

    for name in list(case.files):
        without = Case({other: file for other, file in case.files.items() if other != name})
        case = without if without.files and still(without) else case
    for pattern in (rb"\n", rb"(?<=\s)"):
        for name in list(case.files):
            at = 0
            pieces = re.split(b"(" + pattern + b")" if pattern == rb"\n" else pattern, case.files[name].data)
            while at < len(pieces):
                width = 2 if pattern == rb"\n" else 1
                fewer = pieces[:at] + pieces[at + width :]
                smaller = Case({**case.files, name: File(b"".join(fewer), case.files[name].mode)})
                if still(smaller):
                    case, pieces = smaller, fewer
                else:
                    at += width
    return case


if __name__ == "__main__":
    sys.exit(main())
