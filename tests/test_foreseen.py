"""The launch model foresees what was measured of the shells: the same tables that the oracle is held against."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from pid1lint import linter
from pid1lint.image.context import BuildContext
from tests.oracle.measured import SCRIPTS, SHELLS, STRINGS

OUTCOMES = {"G": {"graceful"}, "A": {"abrupt"}, "H": {"hang"}, "x": {"exits", "fails"}}
# Images in which /bin/sh, or bash, is the shell that was measured.
IMAGES = {"dash": ("debian:12", "sh"), "bash": ("debian:12", "bash"), "busybox": ("alpine:3.18", "sh")}


def launches() -> Iterator[object]:
    for table, is_script in ((STRINGS, False), (SCRIPTS, True)):
        for text, verdicts in table:
            for shell, verdict in zip(SHELLS, verdicts.split(), strict=True):
                kind = "script" if is_script else "-c"
                yield pytest.param(shell[0], text, is_script, verdict, id=f"{shell[0]} {kind} {text!r}")


@pytest.mark.parametrize(("shell", "text", "is_script", "verdict"), tuple(launches()))
def test_the_model_foresees_what_was_measured(shell: str, text: str, is_script: bool, verdict: str) -> None:
    image, sh = IMAGES[shell]
    # The programs of the tables handle signals, except `bare`: Node without code of its own.
    text = text.replace("bare", "node server.js")
    argv = ["/run.sh"] if is_script else [sh, "-c", text]
    dockerfile = f"FROM {image}\nCOPY --chmod=755 run.sh server.js /\nENTRYPOINT {json.dumps(argv)}\n"
    context = BuildContext.of({"run.sh": f"#!/bin/{sh}\n{text}\n", "server.js": "listen()\n"})
    result = linter.lint(dockerfile, context, ignore=("all",))
    assert not result.crashes
    (launch,) = result.launches
    assert launch.outcome.value in OUTCOMES[verdict[0]], launch.why
