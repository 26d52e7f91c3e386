"""Prints ratios of times, never a verdict: `python -m tests.bench [DIR]... [--against TREE]`.

What is measured against each other is run in turn, so that both sides see the same load.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

_ROOT = Path(__file__).parents[2]
_CHECK = ("--quiet", "--exit-zero", "--jobs", "1", ".")
_FIX = ("--quiet", "--exit-zero", "--jobs", "1", "--diff", "--unsafe-fixes", ".")
_IMAGE = {
    "Dockerfile": 'FROM debian:12\nCOPY --chmod=755 run.sh /\nENTRYPOINT ["/run.sh"]\nCMD ["app"]\n',
    "run.sh": '#!/bin/sh\nset -e\n[ -n "$PORT" ] || PORT=80\nexec "$@" --port "$PORT"\n',
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; nothing is written to the folders."""
    parser = argparse.ArgumentParser(description="Print how long pid1lint takes, as ratios.")
    parser.add_argument("folder", nargs="*", type=Path, help="a folder with Dockerfiles")
    parser.add_argument("--against", type=Path, metavar="TREE", help="another checkout, to be compared with this one")
    parser.add_argument("--times", type=int, default=9, help="how often the cold start is measured")
    options = parser.parse_args(arguments)
    print(f"cold check of one image: {_cold(options.times):.2f} times `import click`")
    for folder in options.folder:
        check, fix = _seconds(_lint(_CHECK), folder, _ROOT), _seconds(_lint(_FIX), folder, _ROOT)
        print(f"{folder}: fixes {fix / check:.2f} times the check")
        if options.against is not None:
            before = [_seconds(_lint(how), folder, options.against) for how in (_CHECK, _FIX)]
            print(f"{folder}: {before[0] / check:.2f} times as fast a check, {before[1] / fix:.2f} times as fast fixes")
    return 0


def _cold(times: int) -> float:
    """The median ratio of a cold check to a cold import of click; the first round only fills caches."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name, text in _IMAGE.items():
            (folder / name).write_text(text, encoding="utf-8")
        ratios = []
        for _ in range(times + 1):
            click = _seconds(("-c", "import click"), folder, _ROOT)
            ratios.append(_seconds(_lint(("--exit-zero", "Dockerfile")), folder, _ROOT) / click)
        return median(ratios[1:])


def _lint(arguments: Sequence[str]) -> tuple[str, ...]:
    return ("-m", "pid1lint", *arguments)


def _seconds(arguments: Sequence[str], folder: Path, tree: Path) -> float:
    environment: Mapping[str, str] = {**os.environ, "PYTHONPATH": str(tree.resolve())}
    begin = time.perf_counter()
    subprocess.run((sys.executable, *arguments), cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begin


if __name__ == "__main__":
    sys.exit(main())
