"""The three answers for a case: from its Dockerfile, from the image that is built of it, and from a run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pid1lint import check
from pid1lint.check import Options
from pid1lint.config import Configs
from pid1lint.launch import Launch
from pid1lint.prove.run import Subject, Trial, measured
from pid1lint.prove.verdict import Proof, compare, drops
from tests.engine import bases, podman
from tests.engine.cases import Case
from tests.engine.programs import compiled

GRACE = 4


class Answers(NamedTuple):
    """What was foreseen from the Dockerfile and from the image, and what a run has shown."""

    dockerfile: Launch
    image: Launch
    proof: Proof


def answers(case: Case, work: Path) -> Answers:
    """Build a case and ask for all three; `LookupError` if this machine lacks what it takes."""
    with _laid_out(case, work) as folder:
        if case.base:
            bases.make(case.base, work)
        options = Options(configs=Configs(str(folder / "pid1lint.toml")))
        (launch,), errors, _ = check.launches(check.plan([str(folder / "Dockerfile")]), options)
        assert not errors, errors
        engine = podman.engine()
        image = engine.build(str(folder), str(folder / "Dockerfile"), None, {})
        try:
            (built,), errors, _ = check.launches(check.plan([podman.stored(image, folder, work)]), options)
            assert not errors, errors
            made = measured(engine, Subject(case.name, image, built), Trial(grace=GRACE))
            return Answers(launch, built, compare(case.name, built, made, GRACE))
        finally:
            engine.forget(image)


@contextmanager
def _laid_out(case: Case, work: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=work, prefix="case-") as name:
        folder = Path(name)
        (folder / ".git").mkdir()
        (folder / ".dockerignore").write_text(".git\n.dockerignore\nimage.tar\npid1lint.toml\n")
        (folder / "pid1lint.toml").write_text("".join(_known(case)))
        (folder / "Dockerfile").write_text(case.dockerfile)
        for path, text in case.files.items():
            (folder / path).write_text(text)
            (folder / path).chmod(0o755)
        for path, program in case.programs.items():
            (folder / path).write_bytes(compiled(program, work / "programs"))
            (folder / path).chmod(0o755)
        yield folder


def _known(case: Case) -> Iterator[str]:
    """What whoever wrote a program says of it: that a C program imports a handler does not tell for which signal."""
    for path, program in case.programs.items():
        if program.startswith("c-handles"):
            yield f'[programs.{path}]\nsignals = {{ TERM = "handles" }}\n'


def disagreement(case: Case, found: Answers) -> str:
    """Where the answers contradict each other, or what the case says; empty if nowhere.

    From the Dockerfile alone a verdict may be missing, but never be the opposite. That a server drops its work when it
    ends at once no run without requests shows: there a graceful end is none.
    """
    measured = found.proof.outcome
    if not found.proof.agrees:
        return f"the image: {found.proof.wrong}"
    same = {"abrupt", "graceful"} if drops(found.image) and case.outcome == "abrupt" else {case.outcome}
    if measured not in same:
        return f"measured {measured}, which is {case.outcome} in the table"
    made = found.proof.measured
    if case.pid1 and (made.pid1 is None or " ".join(made.pid1.argv) != case.pid1):
        return f"PID 1 is {made.pid1.argv if made.pid1 is not None else 'not there'}, not {case.pid1}"
    if case.code is not None and made.exit_code != case.code:
        return f"it exits with {made.exit_code}, not with {case.code}"
    for where, launch in (("Dockerfile", found.dockerfile), ("image", found.image)):
        if launch.outcome.value not in {*same, "unknown"}:
            return f"the {where}: foreseen {launch.outcome.value} ({launch.why}), measured {measured}"
    return ""
