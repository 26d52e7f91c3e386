"""Whatever a checked file calls things, no report of any form lets it command a terminal, a CI server or a browser."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pid1lint.report import FORMATS
from pid1lint.report.safe import JSON, XML, safe
from tests.test_cli import Outcome, Run, put, run

__all__ = ["run"]

NASTY = (
    "::error::x",
    "  ::warning file=a::x",
    "##[error]x",
    "##vso[task.setvariable variable=a]b",
    "##teamcity[x]",
    "\x1b[31mred\x1b]0;title\x07\x9b31m\x7f\x08",
    "a\u202egpj\u2066a\u2069\u200f.exe",
    "a\nb::error::x",
    "a\r::error::x",
    "<img src=x onerror=alert(1)>",
    "a|b`c`*d*",
    "]]>&amp;'\"",
    "[a](javascript:b)",
    "\udcff\udc80",
    "\u2028::error::x",
)
_COMMAND = re.compile(r"^\s*::|##\[|##vso\[|##teamcity\[")
_OURS = re.compile(r"::(error|warning|notice) title=PID\d{3} [a-z0-9-]+,file=")


def written(name: str) -> str:
    """A name as a file may have it."""
    return name.replace("/", "_").replace("\0", "")


def layouts(nasty: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Files with a hostile text in each place that a report may speak of."""
    name = written(nasty)
    line = nasty.replace("\n", " ").replace("\r", " ")
    quoted = json.dumps(nasty.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    plain = 'FROM debian:12\nCOPY --chmod=755 run.sh /\nENTRYPOINT ["/run.sh"]\n'
    script = "#!/bin/sh\nset -e\njava -jar app.jar\n"
    yield "a Dockerfile", {f"{name}.dockerfile": "FROM debian:12\nRUNN\nCMD cd / && java\n"}
    yield "a folder", {f"{name}/Dockerfile": plain, f"{name}/run.sh": script}
    yield (
        "a script",
        {"Dockerfile": f'FROM debian:12\nCOPY [{quoted}, "/"]\nENTRYPOINT [{json.dumps("/" + name)}]\n', name: script},
    )
    yield "a program", {"Dockerfile": f"FROM debian:12\nCMD {line} --x\n"}
    yield (
        "a program in an array",
        {"Dockerfile": f'FROM debian:12\nENTRYPOINT ["sh", "-c", {quoted}]\nCMD [{quoted}]\n'},
    )
    yield "a program in a script", {"Dockerfile": plain, "run.sh": f"#!/bin/sh\n{line}\n'{line}' a\ntrap x '{line}'\n"}
    yield "a signal", {"Dockerfile": f"FROM debian:12\nSTOPSIGNAL {line}\nCMD nginx\n"}
    yield "an image and a stage", {"Dockerfile": f"FROM {line} AS {line}\nCMD a b\nRUNN {line}\nCMD a\n"}
    yield (
        "an instruction",
        {"Dockerfile": f"FROM debian:12\n{line} x\nCOPY {line} ../{line} /\nWORKDIR {line}\nCMD x\n"},
    )
    yield "a comment", {"Dockerfile": f"FROM debian:12\n# pid1lint: ignore[{line}]\n# pid1lint: {line}[a]\nCMD a b\n"}
    yield "lines around a fix", {"Dockerfile": plain, "run.sh": f"#!/bin/sh\n# {line}\n{line}\njava -jar a.jar\n"}
    yield "a configuration", {"Dockerfile": plain, "pid1lint.toml": f"exclude = 1\n{quoted} = 2\n"}
    yield "rules of a configuration", {"Dockerfile": plain, "pid1lint.toml": f"select = [{quoted}]\n"}
    yield "a context", {"Dockerfile": plain, "pid1lint.toml": f"[context]\n{quoted} = {quoted}\n"}


ARGUMENTS = (
    *(("-f", form, "--select", "all") for form in FORMATS),
    ("--statistics",),
    ("-v",),
    ("--diff", "--unsafe-fixes"),
    ("--fix", "--show-fixes"),
    ("trace", "."),
    ("trace", "-f", "json", "."),
)


def harmful(outcome: Outcome, form: str) -> list[str]:
    """The lines that do something, or cannot be trusted to say what they seem to."""
    found = []
    for text, kind in ((outcome.out, form), (outcome.err, "text")):
        for line in text.split("\n"):
            command = _COMMAND.search(line) and not (kind == "github" and _OURS.match(line))
            shown = line.replace("\t", " ") if kind == "patch" else line
            hidden = any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in shown)
            # In a patch there stands what stands in the files, behind a sign of its own.
            if command or (
                hidden
                and not (kind == "patch" and line.startswith((" ", "+", "-", "./ ")) and line[:3] not in ("---", "+++"))
            ):
                found.append(line)
    return found


@pytest.mark.parametrize("nasty", NASTY, ids=[ascii(name) for name in NASTY])
def test_no_name_in_any_place_does_anything_in_any_form(
    run: Run, nasty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0
    for number, (place, files) in enumerate(layouts(nasty)):
        (tmp_path / str(number) / ".git").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / str(number))
        for path, text in files.items():
            put(path, "", 0o755)
            Path(path).write_bytes(text.encode("utf-8", "surrogateescape"))
        for arguments in ARGUMENTS:
            outcome = run(*arguments)
            form = "patch" if "--diff" in arguments else "text"
            form = arguments[arguments.index("-f") + 1] if "-f" in arguments else form
            assert harmful(outcome, form) == [], (place, arguments)
            assert "Traceback" not in outcome.err
            tried += bool(outcome.out)
            if outcome.code == 2:
                continue
            if form in JSON:
                json.loads(outcome.out)
            if form in XML:
                ElementTree.fromstring(outcome.out.encode())
            if form == "markdown":
                assert not re.search(r"<(?!/?(?:br|details|summary|pre)>)", outcome.out), place
    assert tried > 50


@pytest.mark.parametrize("nasty", NASTY, ids=[ascii(name) for name in NASTY])
def test_what_the_user_names_is_told_as_safely(run: Run, nasty: str) -> None:
    put("Dockerfile", "FROM debian:12\nCMD a b\n")
    options = ("--context", "--config", "--baseline", "--files-from", "--target", "--select", "--init", "-f", "--jobs")
    calls = [(nasty,), ("explain", nasty), ("trace", nasty), *((option, nasty) for option in options)]
    calls += [("-", "--stdin-filename", nasty), ("-o", f"no/{nasty}"), ("--write-baseline", f"no/{nasty}")]
    for arguments in calls:
        assert harmful(run(*arguments, stdin=b"FROM debian:12\nRUNN\n"), "text") == [], arguments


def test_colours_of_our_own_stay() -> None:
    painted = "\x1b[1;31merror\x1b[0m \x1b[2Jx"
    assert safe(painted, "text", colour=True) == "\x1b[1;31merror\x1b[0m \ufffd[2Jx"
    assert safe(painted, "text") == "\ufffd[1;31merror\ufffd[0m \ufffd[2Jx"
    assert safe("\x1b[1m::error::x", "text", colour=True) == "./\x1b[1m::error::x"
