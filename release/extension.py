"""The extension for Visual Studio Code: tested and packed by npm, in a copy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from release.tree import Home, ReleaseError, version

_NODE = 20
_FILES = {"extension.js", "package.json", "readme.md", "LICENSE.txt"}


def build(tree: Path, out: Path, home: Home, epoch: str) -> Path:
    """The .vsix of a tree."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise ReleaseError(f"npm is not installed: the extension needs Node.js {_NODE} or newer; VSIX=no leaves it out")
    folder = tree / "editors" / "vscode"
    found = _run(["node", "--version"], folder, epoch).strip()
    if int(found.removeprefix("v").partition(".")[0]) < _NODE:
        raise ReleaseError(f"node is {found}: the extension needs Node.js {_NODE} or newer; VSIX=no leaves it out")
    shutil.copy(tree / "LICENSE", folder / "LICENSE")
    if home.repository:
        _write_repository(folder / "package.json", home.repository)
    _run(["npm", "ci", "--no-audit", "--no-fund"], folder, epoch)
    _run(["npm", "test"], folder, epoch)
    path = out / f"pid1lint-{version()}.vsix"
    missing = [] if home.repository else ["--allow-missing-repository"]
    _run(["npm", "run", "package", "--", *missing, "--out", str(path)], folder, epoch)
    _check(path)
    return path


def _write_repository(manifest: Path, repository: str) -> None:
    text = manifest.read_text(encoding="utf-8")
    found = {**json.loads(text), "repository": {"type": "git", "url": repository}}
    manifest.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _check(path: Path) -> None:
    """It has what an editor loads, and nothing else."""
    with zipfile.ZipFile(path) as archive:
        names = {name.removeprefix("extension/") for name in archive.namelist() if name.startswith("extension/")}
        made = json.loads(archive.read("extension/package.json"))
    if names != _FILES or made["version"] != version():
        raise ReleaseError(f"{path.name}: it has {', '.join(sorted(names))} of version {made['version']}")


def _run(command: Sequence[str], folder: Path, epoch: str) -> str:
    # The tests run the pid1lint of this environment.
    program = Path(sys.executable).parent / ("pid1lint.exe" if os.name == "nt" else "pid1lint")
    env = {**os.environ, "SOURCE_DATE_EPOCH": epoch, "PID1LINT": str(program)}
    executable = shutil.which(command[0]) or command[0]
    done = subprocess.run(
        [executable, *command[1:]], cwd=folder, env=env, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        raise ReleaseError(f"{' '.join(command[:3])}: {(done.stdout + done.stderr).strip()[-2000:]}")
    return done.stdout
