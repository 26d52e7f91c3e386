"""The launch model foresees every launch that was measured under bash, dash and busybox.

`oracle/shells.json` holds constructs, each as a `-c` string and as a script, with the outcome under each shell (`-`:
not measured): G graceful, A abrupt, H hang, x ended by itself; the exit code; a star if the app was PID 1. `@S` is the
shell itself.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pid1lint import linter
from pid1lint.facts.own import Facts
from pid1lint.image.context import BuildContext

MEASURED = json.loads((Path(__file__).parent / "oracle" / "shells.json").read_text(encoding="utf-8"))
SHELLS = MEASURED["shells"].split()
OWN = Facts.of({"upstream": {"sh": "dash-upstream"}}, {})
OUTCOMES = {"G": "graceful", "A": "abrupt", "H": "hang", "x": "exits"}
# The image in which a shell of that kind and version is found, and its path there. Upstream's dash is in no image that
# is much built upon: somebody's own.
IMAGES = {
    "bash-4.4": ("ubuntu:18.04", "/bin/bash"),
    "bash-5.0": ("ubuntu:20.04", "/bin/bash"),
    "bash-5.1": ("debian:11", "/bin/bash"),
    "bash-5.2.15-as-sh": ("fedora:40", "/bin/sh"),
    "bash-5": ("debian:12", "/bin/bash"),
    "busybox-1.27": ("alpine:3.7", "/bin/sh"),
    "busybox-1.30": ("alpine:3.11", "/bin/sh"),
    "busybox-1": ("alpine:3.18", "/bin/sh"),
    "dash-0.5.12-upstream": ("upstream", "/bin/sh"),
    "dash": ("debian:12", "/bin/sh"),
}
FILES = {"other.sh": "app\n", "other-exec.sh": "#!/bin/sh\nexec app\n"}
# As a script bash 4.4 ends after this EXIT trap, as a string it stays: one of the two is not understood.
NOT_FORESEEN = {("bash-4.4", "c", "trap 'kill $pid; wait $pid; echo EXITTRAP >> /d/log' EXIT; app & pid=$!; wait $pid")}


def image_of(shell: str) -> tuple[str, str]:
    return next(image for name, image in IMAGES.items() if shell.startswith(name))


def foreseen(image: str, sh: str, text: str, mode: str) -> str:
    text = text.replace("@S", sh)
    if mode == "c":
        argv, files = [sh, "-c", text, "app" if "$0" in text else "sh", "app"], FILES
    else:
        argv, files = ["/d/s.sh", "app"], {**FILES, "s.sh": f"#!{sh}\n{text}"}
    # The measured machine has bash beside the others.
    packages = "RUN apk add bash haproxy\n" if image.startswith("alpine") else ""
    dockerfile = f"FROM {image}\n{packages}COPY --chmod=755 *.sh /d/\nENTRYPOINT {json.dumps(argv)}\n"
    (launch,) = linter.trace(dockerfile, BuildContext.of(files, dict.fromkeys(files, 0o755)), facts=OWN)
    outcome = launch.outcome.value
    return "exits" if outcome == "fails" else outcome


@pytest.mark.parametrize("row", MEASURED["rows"], ids=lambda row: row["text"][:80])
def test_the_model_foresees_what_was_measured(row: dict[str, str]) -> None:
    wrong = []
    told: dict[tuple[str, str, str], str] = {}
    for mode in ("c", "script"):
        for shell, verdict in zip(SHELLS, row[mode].split(), strict=True):
            image = image_of(shell)
            if verdict == "-" or (shell, mode, row["text"]) in NOT_FORESEEN:
                continue
            key = (*image, mode)
            if key not in told:
                told[key] = foreseen(*image, row["text"], mode)
            if told[key] != OUTCOMES[verdict[0]]:
                wrong.append((shell, mode, verdict, told[key]))
    assert wrong == []
