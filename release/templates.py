"""What others keep of us, filled in: the formula of Homebrew, the entry in SchemaStore's catalog."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.markers import Marker

from release.tree import Home, ReleaseError, version

FOLDER = Path(__file__).parent
_PLACE = re.compile(r"@([A-Z][A-Z0-9_]*)@")
_PYTHON = "3.13"
"""The Python of the formula."""
_BREWED = (("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64"), ("darwin", "Darwin", "arm64"))


def fill(template: str, values: Mapping[str, str]) -> str:
    """A template with its places filled; `ReleaseError` where one would stay empty."""
    empty = sorted({name for name in _PLACE.findall(template) if not values.get(name)})
    if empty:
        raise ReleaseError(f"nothing is known for {', '.join(empty)}")
    return _PLACE.sub(lambda match: values[match[1]], template)


def formula(tree: Path, sdist: Path, home: Home) -> str:
    """The formula; all that pid1lint depends on is built from its source."""
    return fill(
        (FOLDER / "pid1lint.rb.in").read_text(encoding="utf-8"),
        {
            "REPOSITORY": home.repository,
            "URL": home.repository and f"{home.repository}/releases/download/v{version()}/{sdist.name}",
            "SHA256": hashlib.sha256(sdist.read_bytes()).hexdigest(),
            "PYTHON": _PYTHON,
            "RESOURCES": "\n\n".join(resources(locked(tree))),
        },
    )


def locked(tree: Path) -> Mapping[str, Any]:
    """The newest versions of all dependencies, with their sources."""
    command = ["uv", "pip", "compile", "--quiet", "--format", "pylock.toml", "--universal", "--python-version", _PYTHON]
    command += [str(tree / "pyproject.toml")]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"uv pip compile: {done.stderr.strip()}")
    return tomllib.loads(done.stdout)


def resources(locked: Mapping[str, Any]) -> Iterator[str]:
    """A block for each dependency that Linux or macOS needs."""
    for package in locked["packages"]:
        if "marker" in package and not any(_holds(package["marker"], *system) for system in _BREWED):
            continue
        if "sdist" not in package:
            raise ReleaseError(f"{package['name']} {package['version']} has no source distribution")
        source = package["sdist"]
        yield (
            f'  resource "{package["name"]}" do\n'
            f'    url "{source["url"]}"\n'
            f'    sha256 "{source["hashes"]["sha256"]}"\n'
            "  end"
        )


def _holds(marker: str, platform: str, system: str, machine: str) -> bool:
    there = {"sys_platform": platform, "platform_system": system, "platform_machine": machine, "os_name": "posix"}
    return Marker(marker).evaluate({"python_version": _PYTHON, **there})


def catalog_entry(home: Home) -> str:
    """What is added to SchemaStore's catalog.json."""
    template = (FOLDER / "schemastore.json.in").read_text(encoding="utf-8")
    return fill(template, {"DOCUMENTATION": home.documentation})
