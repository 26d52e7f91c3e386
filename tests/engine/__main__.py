"""`make engine`: builds, runs and stops all images, and prints the three answers for each."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from pid1lint.errors import Pid1lintError
from tests.engine import podman
from tests.engine.answers import answers, disagreement
from tests.engine.cases import ALL


def main() -> int:
    parser = argparse.ArgumentParser(prog="make engine", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path(os.environ.get("TMPDIR", "/var/tmp"), "pid1lint-engine"))
    parser.add_argument("--only", default="", help="run the cases whose name holds this")
    options = parser.parse_args()
    if reason := podman.unavailable():
        print(f"skipped: {reason}")
        return 0
    work: Path = options.work.resolve()
    os.environ.update(podman.environment(work))
    wrong = skipped = without = assumed = 0
    cases = [case for case in ALL if options.only in case.name]
    print(f"{'':44} {'Dockerfile':10} {'image':10} {'run':10}")
    for case in cases:
        begin = time.monotonic()
        try:
            found = answers(case, work)
        except LookupError as error:
            print(f"{case.name:44} skipped: {error}")
            skipped += 1
            continue
        except Pid1lintError as error:
            print(f"{case.name:44} {error}")
            wrong += 1
            continue
        said = disagreement(case, found)
        foreseen = [launch.outcome.value + "?" * (launch.certainty == "assumed") for launch in found[:2]]
        without += foreseen[1] == "unknown"
        assumed += foreseen[1].endswith("?")
        took = time.monotonic() - begin
        print(f"{case.name:44} {foreseen[0]:10} {foreseen[1]:10} {found.proof.outcome:10} {took:5.1f} s", flush=True)
        if said:
            wrong += 1
            print(f"    {said}")
    ran = len(cases) - skipped
    print(f"{ran} images: {ran - wrong} agree, {wrong} do not; {skipped} skipped")
    print(f"of the images {assumed} verdicts are assumed, {without} have none")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
