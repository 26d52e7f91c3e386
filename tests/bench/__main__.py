"""Measures pid1lint, another checkout and other linters: `python -m tests.bench DIR... --against TREE --peers BIN`.

What is measured against each other is run in turns, so that all see the same load. `--write PAGE` puts the report into
a page of the documentation.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from tests.bench import measure
from tests.bench.measure import Tool, Used, used
from tests.bench.report import Measured, Size, Turns, lines, page

_ROOT = Path(__file__).parents[2]
_IMAGE = {
    "Dockerfile": 'FROM debian:12\nCOPY --chmod=755 run.sh /\nENTRYPOINT ["/run.sh"]\nCMD ["app"]\n',
    "run.sh": '#!/bin/sh\nset -e\n[ -n "$PORT" ] || PORT=80\nexec "$@" --port "$PORT"\n',
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; nothing is written but the page that was asked for."""
    parser = argparse.ArgumentParser(description="Say how long pid1lint takes, and how much memory.")
    parser.add_argument("folder", nargs="*", type=Path, help="a folder of repositories")
    parser.add_argument("--against", type=Path, metavar="TREE", help="another checkout, to be compared with this one")
    parser.add_argument("--peers", type=Path, metavar="BIN", help="the folder of hadolint and tally")
    parser.add_argument("--count", type=int, default=600, help="how many Dockerfiles are drawn for the comparison")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", default="10,100,1000,10000", help="numbers of Dockerfiles, with commas")
    parser.add_argument("--pairs", type=int, default=20, help="how often the cold start is measured")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="a page to put the report into")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        tool = measure.ours("pid1lint", _ROOT, folder / "compiled")
        others = [measure.ours("the other pid1lint", options.against, folder / "other")] if options.against else []
        peers = measure.peers(options.peers)
        tools = [tool, *others, *peers]
        versions = {each.name: f"({each.version})" for each in tools}
        versions |= {"Python": platform.python_version(), "click": version("click")}
        cold = list(_cold(tool, folder, options.pairs))
        measured = Measured(f"{datetime.now():%Y-%m-%d}", _machine(), versions, cold)
        if options.folder:
            paths = measure.found(options.folder, options.seed)
            drawn = measure.readable(list(paths), options.count, peers, folder)
            repositories = len({paths[path] for path in drawn})
            measured = measured._replace(
                turns=Turns(len(drawn), repositories, _in_turns(tools, drawn, options.rounds)),
                sizes=list(_sizes(tool, list(paths), [int(size) for size in options.sizes.split(",") if size])),
            )
    print("\n".join(lines(measured)))
    if options.write is not None:
        options.write.write_text(page(options.write.read_text(encoding="utf-8"), measured), encoding="utf-8")
    return 0


def _machine() -> str:
    return f"{platform.system()} on {platform.machine()}, {os.cpu_count()} processors"


def _cold(tool: Tool, folder: Path, pairs: int) -> Iterator[tuple[float, float]]:
    """Seconds of a check of one image and of an import of click, after a first pair that only fills caches."""
    for name, text in _IMAGE.items():
        (folder / name).write_text(text, encoding="utf-8")
    for count in range(pairs + 1):
        click = used(measure.python("import click"), folder, tool.environment).seconds
        check = used((*tool.command, "Dockerfile"), folder, tool.environment).seconds
        if count:
            yield check, click


def _in_turns(tools: Sequence[Tool], paths: Sequence[str], rounds: int) -> dict[str, list[Used]]:
    for tool in tools:
        used((*tool.command, *paths[:1]), _ROOT, tool.environment)  # only fills caches
    taken: dict[str, list[Used]] = {tool.name: [] for tool in tools}
    for _ in range(rounds):
        for tool in tools:
            taken[tool.name].append(used((*tool.command, *paths), _ROOT, tool.environment))
    return taken


def _sizes(tool: Tool, paths: Sequence[str], sizes: Sequence[int]) -> Iterator[Size]:
    """What each number of Dockerfiles takes, or all that there are where there are fewer."""
    for size in dict.fromkeys(min(size, len(paths)) for size in sizes):
        yield Size(size, used((*tool.command, *paths[:size]), _ROOT, tool.environment))


if __name__ == "__main__":
    sys.exit(main())
