"""Measures all programs of the table, some at a time: each row is written as soon as it is known to be steady."""

from __future__ import annotations

import subprocess
import sys
import threading
import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any

from tests.factory.measure import INIT, NotReadyError
from tests.factory.one import measure
from tests.factory.programs import Program, programs
from tests.factory.roots import NODE, RootError, Roots
from tests.factory.written import drop_rows, read_table, write_table
from tests.oracle import kernel

TRIES = 3
INSTALLERS = 3
EVERYWHERE = (INIT[0], "procps", "iproute2", "libcap2-bin")
"""Debian's packages in each root: what the factory starts programs with."""
NOT_THE_FACT = ("date", "seconds")

Row = Mapping[str, Any]


class UnsteadyError(Exception):
    """A program did something else each time."""


class Whole:
    """One call of the factory: what it keeps, and what came out."""

    def __init__(self, roots: Roots, date: str, *, again: bool, jobs: int, dry_run: bool) -> None:
        self.roots = roots
        self.date = date
        self.again = again
        self.jobs = jobs
        self.dry_run = dry_run
        self.before: dict[str, Row] = read_table("measured", "programs")
        self.failed: dict[str, str] = {}
        self.changed: list[str] = []
        self.later: list[tuple[Program, str]] = []
        """Those that have a row already: what has none comes first."""
        self.kept = 0
        self.count = 0
        self.lock = threading.Lock()

    def run(self, only: Collection[str]) -> None:
        """Measure what is asked for, or all that has not been measured today."""
        table = [program for program in programs() if not only or program.name in only or program.kind in only]
        wanted = [program for program in table if only or self.again or not self._is_of_today(program)]
        self.kept = len(table) - len(wanted)
        self.all = len(wanted)
        with ThreadPoolExecutor(self.jobs) as pool, ThreadPoolExecutor(INSTALLERS) as installers:
            # While one group is measured, the next ones are installed.
            for kind, members in groupby(wanted, key=lambda program: program.kind):
                installers.submit(self._kind, kind, [*members], pool)
            installers.shutdown()
            for program, lower in self.later:
                pool.submit(self._one, program, lower)
        if not only:
            self._drop_the_gone()
        self._tell()

    def _is_of_today(self, program: Program) -> bool:
        row = self.before.get(program.name, {})
        same = (" ".join(program.argv), " ".join(program.plain)) == (row.get("command"), row.get("plain", ""))
        return row.get("date") == self.date and same

    def _kind(self, kind: str, members: Sequence[Program], pool: ThreadPoolExecutor) -> None:
        try:
            for group, lower in self._groups(kind, members):
                for program in group:
                    if program.name in self.before:
                        self.later.append((program, lower))
                    else:
                        pool.submit(self._one, program, lower)
        except (OSError, subprocess.SubprocessError, RootError) as error:
            print(f"{kind}: {error}", file=sys.stderr)

    def _groups(self, kind: str, members: Sequence[Program]) -> Iterator[tuple[list[Program], str]]:
        """The programs of a kind, with a root for those that can be installed side by side."""
        # All programs of the kind, not only those of this call: the roots are the same next time.
        whole = [program for program in programs() if program.kind == kind]
        for number, group in enumerate(self._partition(whole), 1):
            chosen = [program for program in group if program in members]
            if not chosen:
                continue
            name = "".join(letter if letter.isalnum() else "-" for letter in f"{kind} {number}".lower())
            node = any(program.of("npm") for program in group)
            packages = dict.fromkeys(
                [*EVERYWHERE, *(each for program in group for each in program.debian)]
                + (["python3", "python3-pip"] if node else [])
            )
            print(f"{name}: {len(packages)} packages", flush=True)
            yield chosen, self.roots.layer(name, [*packages], [NODE] if node else [])

    def _partition(self, members: Sequence[Program]) -> list[list[Program]]:
        """Groups of programs whose packages do not exclude each other."""
        if len(members) == 1 or self.roots.fits([each for program in members for each in program.debian]):
            return [[*members]]
        middle = len(members) // 2
        return [*self._partition(members[:middle]), *self._partition(members[middle:])]

    def _one(self, program: Program, lower: str) -> None:
        try:
            own = self.roots.own(program.name, lower, program.of("pip"), program.of("npm"), program.setup)
            row = {**self._steady(program, own), "date": self.date}
        except (NotReadyError, RootError, UnsteadyError) as error:
            self._fails(program.name, " ".join(str(error).split())[-300:])
            return
        except (OSError, subprocess.SubprocessError, kernel.OracleError):
            self._fails(program.name, traceback.format_exc(limit=-1).replace("\n", " "))
            return
        with self.lock:
            self.count += 1
            difference = "; ".join(differences(self.before.get(program.name), row))
            if difference:
                self.changed.append(f"{program.name}: {difference}")
            print(f"[{self.count}/{self.all}] {program.name} {row['version']}: {difference or 'as before'}", flush=True)
            if not self.dry_run:
                write_table("measured", "programs", {program.name: row})

    def _fails(self, name: str, reason: str) -> None:
        with self.lock:
            self.count += 1
            self.failed[name] = reason
            print(f"[{self.count}/{self.all}] {name}: not measured: {reason}", flush=True)

    def _steady(self, program: Program, lower: str) -> dict[str, Any]:
        """What came out as it did the last time, or twice now."""
        found = [self.before[program.name]] if program.name in self.before else []
        for _ in range(TRIES):
            row = measure(program, lower)
            if any(not [*differences(other, row)] for other in found):
                return row
            found.append(row)
        told = "; ".join(differences(found[-2], found[-1]))
        raise UnsteadyError(f"not the same twice: {told}")

    def _drop_the_gone(self) -> None:
        """Rows of programs that the table has no more."""
        gone = self.before.keys() - {program.name for program in programs()}
        if gone and not self.dry_run:
            drop_rows("measured", "programs", gone)
            print("no more in the table:", *sorted(gone))

    def _tell(self) -> None:
        print(f"{self.kept} kept, {self.all - len(self.failed)} measured, {len(self.failed)} not")
        for title, lines in (
            ("New or changed", self.changed),
            ("Not measured", [f"{name}: {why}" for name, why in self.failed.items()]),
        ):
            if lines:
                print(f"{title}:", *sorted(lines), sep="\n  ", file=sys.stderr)


def differences(old: Row | None, new: Row) -> Iterator[str]:
    """What is told otherwise than before, in words."""
    if old is None:
        yield f"new: TERM {_short(new['signals']['TERM'])}"
        return
    for key in ("command", "plain", "version", "reaps", "orphans_end_it", "daemonizes"):
        if old.get(key) != new.get(key):
            yield f"{key} {old.get(key)} -> {new.get(key)}"
    before, after = ({**row["signals"], "TERM below tini": row["below_init"]} for row in (old, new))
    for signal, told in after.items():
        if _short(before.get(signal, {})) != _short(told):
            yield f"{signal} {_short(before.get(signal, {}))} -> {_short(told)}"


def _short(told: Row) -> str:
    words = [f"ends {told['code']}"] if told.get("ends") else ["stays"]
    return " ".join([*words, *(str(told[key]) for key in ("set", "request") if told.get(key))])
