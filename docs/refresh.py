"""Writes into README.md what its commands print, and draws the pictures in `docs/`: `make readme`. Tests hold both."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "trace.svg"
EXAMPLE = ROOT / "examples" / "java-script"
PAGE = ROOT / "pid1lint" / "pid1.md"
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


def page_pictures() -> dict[str, str]:
    """The pictures of the page on PID 1, by the names of their files: traces of its own examples, and a stop."""
    npm, exec_form, script, with_exec, init, init_script, browser = examples()
    reaped = browser | {"Dockerfile": browser["Dockerfile"].replace("CMD", 'ENTRYPOINT ["tini", "--"]\nCMD')}
    return {
        "pid1-stop.svg": _stop(),
        "pid1.svg": _traces(
            "CMD npm start keeps SIGTERM from node; in exec form node gets it",
            {"CMD npm start": npm, 'CMD ["node", "server.js"]': exec_form},
        ),
        "pid1-script.svg": _traces(
            "a script without exec keeps SIGTERM from java; with exec java gets it",
            {"start.sh: java -jar shop.jar": script, "start.sh: exec java -jar shop.jar": with_exec},
        ),
        "pid1-init.svg": _traces(
            "tini as PID 1 passes SIGTERM on to node, but not through a shell to java",
            {"tini, then the app": init, "tini, then a script without exec": init_script},
        ),
        "pid1-zombies.svg": _traces(
            "node as PID 1 does not reap what chromium leaves behind; below tini it is reaped",
            {"node starts chromium": browser, "the same below tini": reaped},
        ),
    }


def examples() -> list[dict[str, str]]:
    """The files of each example of the page on PID 1: those above each trace."""
    found: list[dict[str, str]] = []
    files: dict[str, str] = {}
    for language, name, text in re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S):
        if language == "dockerfile":
            files = {"Dockerfile": text, "package.json": '{"scripts": {"start": "node server.js"}}'}
        elif language == "console":
            found.append(files)
        else:
            files[name] = text
    return found


def _traces(title: str, scenes: Mapping[str, Mapping[str, str]]) -> str:
    """The trace of each example below its own heading."""
    lines = []
    with sandbox() as work:
        for heading, files in scenes.items():
            for name in os.listdir(work):
                if name != ".git":
                    (work / name).unlink()
            for name, text in files.items():
                (work / name).write_text(text, encoding="utf-8")
                (work / name).chmod(0o755)
            shown = run(work, "pid1lint trace Dockerfile", FORCE_COLOR="1").stdout.splitlines()
            first = next(at for at, line in enumerate(shown) if "PID 1" in line)
            lines += [f"\x1b[2m# {heading}\x1b[0m", "", *shown[first:], ""]
    return _svg(lines[:-1], f"pid1lint trace: {title}")


_LEFT, _SECOND, _BAR = 150, 52, 22


def _stop() -> str:
    """Two stops on a time line: of a container whose PID 1 drops the signal, and of one whose PID 1 is the app."""
    title = "docker stop: a shell as PID 1 drops SIGTERM and everything is killed after 10 s; an app as PID 1 exits"
    parts = [
        *(_tick(second) for second in range(0, 11, 2)),
        *_row(60, "PID 1: sh", 10, "#484f58", "no handler: the kernel drops SIGTERM"),
        *_row(88, "the app", 10, "#8e3b36", "never gets the signal, keeps working"),
        *_mark(60, 10, "SIGKILL", "#ff7b72"),
        *_row(148, "PID 1: the app", 2, "#2a6b3a", ""),
        *_mark(148, 2, "finishes its requests, then exits with 0", "#7ee787"),
    ]
    return _drawn(_LEFT + 10 * _SECOND + 90, 190, title, parts)


def _tick(second: int) -> str:
    x = _LEFT + second * _SECOND
    label = "SIGTERM at 0 s" if second == 0 else f"{second} s"
    return (
        f'<line x1="{x}" y1="40" x2="{x}" y2="174" stroke="#30363d"/>'
        f'<text x="{x}" y="30" text-anchor="middle" fill="#9aa4b2">{label}</text>'
    )


def _row(y: int, label: str, seconds: int, colour: str, text: str) -> Iterator[str]:
    yield f'<text x="{_LEFT - 12}" y="{y + 16}" text-anchor="end" fill="#ffffff">{label}</text>'
    yield f'<rect x="{_LEFT}" y="{y}" width="{seconds * _SECOND}" height="{_BAR}" rx="3" fill="{colour}"/>'
    if text:
        yield f'<text x="{_LEFT + 10}" y="{y + 16}">{text}</text>'


def _mark(y: int, second: int, text: str, colour: str) -> Iterator[str]:
    x = _LEFT + second * _SECOND
    yield f'<text x="{x + 10}" y="{y + 16}" fill="{colour}" font-weight="bold">{text}</text>'


def _svg(lines: list[str], title: str) -> str:
    columns = max(len(_PAINTED.sub(r"\2", line)) for line in lines)
    width, height = round(columns * _WIDTH + 2 * _MARGIN), len(lines) * _HEIGHT + 2 * _MARGIN
    rows = (row for number, line in enumerate(lines) for row in _texts(line, _MARGIN + 14 + number * _HEIGHT))
    return _drawn(width, height, title, rows)


def _drawn(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">',
            f"<title>{title}</title>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#161b22"/>',
            '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"'
            ' font-size="14" fill="#d0d7de" xml:space="preserve">',
            *parts,
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
    for name, drawn in page_pictures().items():
        (ROOT / "docs" / name).write_text(drawn, encoding="utf-8")
