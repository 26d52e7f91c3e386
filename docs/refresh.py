"""Writes into README.md what its commands print, and draws `docs/trace.svg`: `make readme`. The tests hold both."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "trace.svg"
EXAMPLE = ROOT / "examples" / "java-script"
PID1_PICTURE = ROOT / "docs" / "pid1.svg"
NPM = {
    "Dockerfile": "FROM debian:12\nRUN apt-get update && apt-get install -y nodejs npm\n"
    "WORKDIR /app\nCOPY . .\nCMD npm start\n",
    "package.json": '{"scripts": {"start": "node server.js"}}\n',
    "server.js": "const server = require('http').createServer(answer).listen(3000);\n"
    "process.on('SIGTERM', () => server.close());\n",
}
SCENE = ("pid1lint trace Dockerfile", "pid1lint --fix", "pid1lint trace Dockerfile")

_CONSOLE = re.compile(r"(?<=^```console\n)\$ .*?(?=^```$)", re.DOTALL | re.MULTILINE)
_PAINTED = re.compile(r"\x1b\[([0-9;]+)m(.*?)\x1b\[0m")
_COLOURS = {
    "1": "#ffffff",
    "2": "#9aa4b2",
    "1;31": "#ff7b72",
    "32": "#7ee787",
    "1;33": "#e3b341",
    "1;34": "#79c0ff",
    "36": "#56d4dd",
}
_WIDTH, _HEIGHT, _MARGIN = 8.4, 20, 16


@contextmanager
def sandbox() -> Iterator[Path]:
    """A repository with the example of the classic mistake, one commit old, its script changed since."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        shutil.copytree(EXAMPLE, work)
        git = ("git", "-c", "user.name=you", "-c", "user.email=you@example.org", "-c", "commit.gpgsign=false")
        script = work / "entrypoint.sh"
        text, mode = script.read_text(encoding="utf-8"), script.stat().st_mode
        script.write_text("#!/bin/sh\n", encoding="utf-8")
        for command in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "Begin")):
            subprocess.run((*git, *command), cwd=work, check=True, env=_environment(folder))
        script.write_text(text, encoding="utf-8")
        script.chmod(mode)
        program = Path(folder) / "bin" / "pid1lint"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m pid1lint "$@"\n')
        program.chmod(0o755)
        yield work


def _environment(folder: str, **more: str) -> dict[str, str]:
    """What a command finds around it: nothing of the one who runs this."""
    known = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": folder, "LC_ALL": "C.UTF-8", "COLUMNS": "80"}
    return {**known, "PYTHONUTF8": "1", **more}


def run(work: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command line in a sandbox, as bash does."""
    env = _environment(str(work.parent), **environment)
    return subprocess.run(
        ["bash", "-c", command],
        cwd=work,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        check=False,
    )


def readme(text: str) -> str:
    """README with what each `$ command` prints now; the commands of a block are run one after the other."""
    return _CONSOLE.sub(lambda block: _session(block[0]), text)


def _session(block: str) -> str:
    commands = re.findall(r"^\$ (.*)$", block, re.MULTILINE)
    with sandbox() as work:
        return "".join(f"$ {command}\n{run(work, command).stdout}" for command in commands)


def picture() -> str:
    """The trace of a script without exec, before and after `--fix`, as a terminal shows it."""
    lines = []
    with sandbox() as work:
        for command in SCENE:
            shown = run(work, command, FORCE_COLOR="1").stdout.splitlines()
            lines += [f"\x1b[32m$\x1b[0m \x1b[1m{command}\x1b[0m", *shown, ""]
    return _svg(
        lines[:-1], "pid1lint trace: a script without exec keeps SIGTERM from the app; after --fix the app gets it"
    )


def pid1_picture() -> str:
    """The trace of `CMD npm start`, and of the exec form."""
    lines = []
    with sandbox() as work:
        for name in os.listdir(work):
            if name != ".git":
                (work / name).unlink()
        for name, text in NPM.items():
            (work / name).write_text(text, encoding="utf-8")
        for cmd in ("npm start", '["node", "server.js"]'):
            text = NPM["Dockerfile"].replace("npm start", cmd)
            (work / "Dockerfile").write_text(text, encoding="utf-8")
            shown = run(work, "pid1lint trace Dockerfile", FORCE_COLOR="1").stdout.splitlines()
            lines += [f"\x1b[2m# CMD {cmd}\x1b[0m", *shown[4:], ""]
    return _svg(lines[:-1], "pid1lint trace: CMD npm start keeps SIGTERM from node; in exec form node gets it")


def _svg(lines: list[str], title: str) -> str:
    columns = max(len(_PAINTED.sub(r"\2", line)) for line in lines)
    width, height = round(columns * _WIDTH + 2 * _MARGIN), len(lines) * _HEIGHT + 2 * _MARGIN
    rows = (row for number, line in enumerate(lines) for row in _texts(line, _MARGIN + 14 + number * _HEIGHT))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">',
            f"<title>{title}</title>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#161b22"/>',
            '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"'
            ' font-size="14" fill="#d0d7de" xml:space="preserve">',
            *rows,
            "</g>",
            "</svg>\n",
        ]
    )


def _texts(line: str, y: int) -> Iterator[str]:
    """The pieces of a line, each set at its own column whatever the font's width."""
    column = end = 0
    pieces: list[tuple[str, str]] = []
    for match in _PAINTED.finditer(line):
        pieces += [("", line[end : match.start()]), (match[1], match[2])]
        end = match.end()
    for codes, text in [*pieces, ("", line[end:])]:
        blanks = len(text) - len(text.lstrip(" "))
        if word := text.strip(" "):
            x, length = _MARGIN + (column + blanks) * _WIDTH, len(word) * _WIDTH
            colour = f' fill="{_COLOURS[codes]}"' if codes else ""
            bold = ' font-weight="bold"' if codes.startswith("1") else ""
            place = f'x="{x:.1f}" y="{y}" textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs"'
            yield f"<text {place}{colour}{bold}>{html.escape(word, quote=False)}</text>"
        column += len(text)


if __name__ == "__main__":
    README.write_text(readme(README.read_text(encoding="utf-8")), encoding="utf-8")
    PICTURE.write_text(picture(), encoding="utf-8")
    PID1_PICTURE.write_text(pid1_picture(), encoding="utf-8")
