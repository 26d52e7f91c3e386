"""Whether pid1lint can be installed offline: `make wheels` looks for a wheel of each dependency, for each platform.

A dependency without one is compiled by pip, which needs a C compiler. Those that are known are listed here and in
docs/install.md; any other is an error, and so is one that has a wheel by now.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from release import distributions, tree
from release.tree import Home, ReleaseError

PYTHONS = ("3.11", "3.12", "3.13", "3.14")


class Platform(NamedTuple):
    """A platform by the names that uv and pip have for it."""

    name: str
    uv: str
    tags: tuple[str, ...]


PLATFORMS = (
    Platform("Linux, x86-64", "x86_64-manylinux_2_28", ("manylinux_2_28_x86_64", "manylinux2014_x86_64")),
    Platform("Linux, ARM", "aarch64-manylinux_2_28", ("manylinux_2_28_aarch64", "manylinux2014_aarch64")),
    Platform("Linux, musl, x86-64", "x86_64-unknown-linux-musl", ("musllinux_1_2_x86_64", "musllinux_1_1_x86_64")),
    Platform("Linux, musl, ARM", "aarch64-unknown-linux-musl", ("musllinux_1_2_aarch64", "musllinux_1_1_aarch64")),
    Platform("macOS, ARM", "aarch64-apple-darwin", ("macosx_13_0_arm64", "macosx_13_0_universal2")),
    Platform("macOS, x86-64", "x86_64-apple-darwin", ("macosx_13_0_x86_64", "macosx_13_0_universal2")),
    Platform("Windows, x86-64", "x86_64-pc-windows-msvc", ("win_amd64",)),
    Platform("Windows, ARM", "aarch64-pc-windows-msvc", ("win_arm64",)),
)

COMPILED = {
    **{("Linux, musl, ARM", python): frozenset({"tree-sitter", "tree-sitter-toml"}) for python in PYTHONS},
    ("Windows, ARM", "3.11"): frozenset({"pyyaml"}),
}
"""The dependencies that have no wheel, by platform and Python."""


def requirements(platform: Platform, python: str) -> list[str]:
    """What pip would install there, as `name==version`: uv knows the markers of other platforms."""
    command = ["uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--python-version", python]
    command += ["--python-platform", platform.uv, str(tree.ROOT / "pyproject.toml")]
    return _run([sys.executable, "-m", *command]).stdout.split()


def download(platform: Platform, python: str, folder: Path) -> frozenset[str]:
    """Download the wheels of all dependencies; the names of those that have none."""
    missing = set()
    tags = [word for tag in platform.tags for word in ("--platform", tag)]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    pip += ["--python-version", python, *tags, "--dest", str(folder)]
    wanted = requirements(platform, python)
    # One call for all, as a rule; one each to find out which is missing.
    if _run([*pip, *wanted], check=False).returncode:
        for requirement in wanted:
            done = _run([*pip, requirement], check=False)
            if done.returncode and "No matching distribution" not in done.stderr:
                raise ReleaseError(f"pip download {requirement}: {done.stderr.strip()[-500:]}")
            if done.returncode:
                missing.add(requirement.partition("==")[0])
    return frozenset(missing)


def install(wheel: Path, wheels: Path, folder: Path) -> str:
    """Install a wheel with those of its dependencies and no network, and start it."""
    venv.create(folder, with_pip=False)
    python = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index"]
    # What else pip is told in its configuration must not help.
    _run([*pip, "--find-links", str(wheels), str(wheel)], PIP_CONFIG_FILE=os.devnull, PIP_FIND_LINKS="")
    example = str(tree.ROOT / "examples" / "java-script" / "Dockerfile")
    done = _run([python, "-P", "-m", "pid1lint", "check", "--format", "concise", example], check=False)
    if "PID201" not in done.stdout:
        raise ReleaseError(f"the installed pid1lint does not find PID201: {done.stdout}{done.stderr}")
    return _run([python, "-P", "-m", "pid1lint", "--version"]).stdout.strip()


def here() -> Platform | None:
    """The platform that this runs on, if it is one of them."""
    import platform as machine

    system = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}.get(sys.platform, "")
    system += ", musl" if system == "Linux" and machine.libc_ver()[0] != "glibc" else ""
    kind = {"x86_64": "x86-64", "AMD64": "x86-64", "aarch64": "ARM", "arm64": "ARM", "ARM64": "ARM"}
    name = f"{system}, {kind.get(machine.machine(), '')}"
    return next((each for each in PLATFORMS if each.name == name), None)


def _run(command: Sequence[str], check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise ReleaseError(f"{' '.join(command[:6])}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done


def _report(folder: Path) -> Iterator[str]:
    """A line for each platform; the mistakes at the end."""
    wrong = []
    for platform in PLATFORMS:
        for python in PYTHONS:
            missing = download(platform, python, folder / f"{platform.uv}-{python}")
            known = COMPILED.get((platform.name, python), frozenset())
            what = f"compiled: {', '.join(sorted(missing))}" if missing else "all wheels"
            yield f"{platform.name}, Python {python}: {what}"
            wrong += [f"{name} has no wheel for {platform.name}, Python {python}" for name in sorted(missing - known)]
            wrong += [f"{name} has a wheel for {platform.name}, Python {python}" for name in sorted(known - missing)]
    platform_here, python = here(), ".".join(map(str, sys.version_info[:2]))
    if platform_here is not None and python in PYTHONS:
        copied = folder / "tree"
        copied.mkdir()
        tree.copy(copied, Home())
        _, wheel = distributions.build(copied, folder / "dist", tree.epoch())
        told = install(wheel, folder / f"{platform_here.uv}-{python}", folder / "installed")
        yield f"Installed here without a network: {told}"
    if wrong:
        raise ReleaseError("\n".join([*wrong, "see COMPILED in release/wheels.py, and docs/install.md"]))


def main() -> int:
    """Print the report; 1 if a wheel is missing that is expected, or the other way round."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            for line in _report(Path(folder)):
                print(line, flush=True)
        except ReleaseError as error:
            print(f"make wheels: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
