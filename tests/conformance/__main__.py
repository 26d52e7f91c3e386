"""Holds how Compose files are read against compose-go's tests and podman-compose: `python -m tests.conformance DIR`.

DIR is a clone of https://github.com/compose-spec/compose-go. Nothing of it is copied into this repository.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.conformance.answers import Answer, differences, ours, theirs
from tests.conformance.cases import Case, cases

_INVALID = "05-services.md, environment: an array or a map of strings, numbers, booleans or null"
_EXTENDS = "compose-go's own test: a service that `extends: name` has what the other one has"
DECIDED = {
    "loader/loader_test.go TestLoadExtends": _EXTENDS,
    "loader/extends_test.go TestLoadExtendsListenerMultipleFiles 1": _EXTENDS,
    "loader/testdata/compose-test-extends.yaml": "05-services.md, extends: paths are relative to the file it names",
    "loader/loader_test.go TestInvalidEnvironmentObject": _INVALID,
    "loader/loader_test.go TestInvalidEnvironmentValue": _INVALID,
    "loader/tests/environment_test.go TestEnvironmentInvalidObject": _INVALID,
    "loader/tests/environment_test.go TestEnvironmentInvalidValue": _INVALID,
}
"""What podman-compose has otherwise, and what decides: a line of the specification, or a test of compose-go."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is otherwise, and how much is the same; 1 if there is a crash, or a difference nobody has decided."""
    parser = argparse.ArgumentParser(description="Hold how Compose files are read against other readers.")
    parser.add_argument("clone", type=Path, help="a clone of compose-go")
    parser.add_argument("--podman-compose", default="", help="the program to compare with, too")
    options = parser.parse_args(arguments)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve() / "clone"
        shutil.copytree(options.clone, copy, ignore=shutil.ignore_patterns(".git"))
        for case in cases(copy):
            wrong += held(case, copy, options.podman_compose, counts)
    counts["differences that are decided"] = len(DECIDED) if options.podman_compose else 0
    counts["others"] = len(wrong)
    print("\n".join((*(f"{number:5} {what}" for what, number in counts.items()), *wrong)))
    return int(bool(wrong))


def held(case: Case, root: Path, program: str, counts: Counter[str]) -> Iterator[str]:
    """What one case has otherwise, a line each."""
    written = [case.folder / name for name, _ in zip(case.files, case.texts, strict=False)]
    for path, text in zip(written, case.texts, strict=False):
        path.write_text(text, encoding="utf-8")
    try:
        yield from _held(case, root, program, counts)
    finally:
        for path in written:
            path.unlink()


def _held(case: Case, root: Path, program: str, counts: Counter[str]) -> Iterator[str]:
    counts["applications read"] += 1
    own = ours(root, str((case.folder / case.files[0]).relative_to(root)))
    counts["services"] += len(own)
    for (service, key), value in case.expected.items():
        counts["values that a test of compose-go wants"] += 1
        for line in differences(own.get(service, {}), {key: value}, (key,)):
            yield f"{case.name}: {service}: {line} (compose-go)"
    if case.merged:
        counts["merged services that a test of compose-go wants"] += 1
        merged = case.folder / "merged.yaml"
        merged.write_text(case.merged, encoding="utf-8")
        wanted = ours(root, str(merged.relative_to(root)))
        merged.unlink()
        yield from _otherwise(case.name, own, wanted, "compose-go")
    if not program:
        return
    other = theirs(program, case.folder, case.files)
    counts["applications that podman-compose reads" if other is not None else "that it refuses"] += 1
    if case.name not in DECIDED:
        yield from _otherwise(case.name, own, other or {}, "podman-compose")


def _otherwise(name: str, own: Mapping[str, Answer], other: Mapping[str, Answer], whose: str) -> Iterator[str]:
    for service, answer in other.items():
        if service not in own:
            yield f"{name}: {service}: not read ({whose})"
            continue
        for line in differences(own[service], answer):
            yield f"{name}: {service}: {line} ({whose})"


if __name__ == "__main__":
    sys.exit(main())
