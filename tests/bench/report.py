"""What was measured, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from tests.bench.measure import Used

BEGIN, END = "<!-- measured: `make speed` writes this -->", "<!-- measured: end -->"


class Turns(NamedTuple):
    """What each linter took in each round, ours first; so many `dockerfiles` of `repositories` were checked."""

    dockerfiles: int
    repositories: int
    taken: Mapping[str, Sequence[Used]]


class Size(NamedTuple):
    """What our linter took for so many Dockerfiles."""

    dockerfiles: int
    used: Used


class Measured(NamedTuple):
    """All that was measured, and when, where and of what; `cold` has pairs of seconds: a check, `import click`."""

    date: str
    machine: str
    versions: Mapping[str, str]
    cold: Sequence[tuple[float, float]]
    turns: Turns | None = None
    sizes: Sequence[Size] = ()


def lines(measured: Measured) -> Iterator[str]:
    """The lines of the report."""
    known = "; ".join(f"{name} {version}" for name, version in measured.versions.items())
    yield f"Measured on {measured.date}: {known}. {measured.machine}."
    ratio = median(check / click for check, click in measured.cold)
    yield ""
    yield (
        f"A cold check of one image takes {ratio:.2f} times `python -c 'import click'` "
        f"(median of {len(measured.cold)} pairs, processor time)."
    )
    if measured.turns is not None:
        yield from ("", *_turns(measured.turns))
    if measured.sizes:
        yield from ("", "What pid1lint takes for more and more Dockerfiles, in one process:", "")
        yield from _table(("Dockerfiles", "processor seconds", "ms each", "MB"), map(_size, measured.sizes))


def _turns(turns: Turns) -> Iterator[str]:
    own = next(iter(turns.taken.values()))
    rounds = f"{len(own)} round{'s' if len(own) > 1 else ''}"
    yield (
        f"{turns.dockerfiles:,} Dockerfiles of {turns.repositories} repositories, {rounds} in turns; each "
        "linter gets them all in one call and uses one process. The ratio is the median of the rounds'."
    )
    yield ""
    rows = []
    for name, taken in turns.taken.items():
        seconds = [each.seconds for each in taken]
        ratio = median(each.seconds / ours.seconds for each, ours in zip(taken, own, strict=True))
        memory = max(each.megabytes for each in taken)
        spread = f"{min(seconds):.1f} to {max(seconds):.1f}"
        rows.append((name, f"{median(seconds):.1f}", spread, f"{ratio:.2f}", f"{memory:.0f}"))
    yield from _table(("", "processor seconds, median", "least to most", "times pid1lint", "MB at most"), rows)


def _size(size: Size) -> tuple[str, ...]:
    each = 1000 * size.used.seconds / size.dockerfiles
    return (f"{size.dockerfiles:,}", f"{size.used.seconds:.2f}", f"{each:.1f}", f"{size.used.megabytes:.0f}")


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'|'.join(['---', *['---:'] * (len(header) - 1)])}|"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def page(text: str, measured: Measured) -> str:
    """A page with the report between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    told = "\n".join(lines(measured))
    return f"{before}{BEGIN}\n\n{told}\n\n{END}{after}"
