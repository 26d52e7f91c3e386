"""Builds and checks in dist/ all that is released: `make release`."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

from release import distributions, extension, templates, tree
from release.tree import Home, ReleaseError


def release(out: Path, home: Home, *, vsix: bool) -> Iterator[str]:
    """Make everything; a line for each step."""
    if tree.is_dirty():
        yield "The working tree has changes that are not committed; they are built too."
    epoch = tree.epoch()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / "tree"
        copied.mkdir()
        home = tree.copy(copied, home)
        sdist, wheel = distributions.build(copied, out, epoch)
        distributions.check(copied, sdist, wheel)
        yield f"{sdist.name}, {wheel.name}: metadata and contents are in order"
        context = distributions.image_context(copied, out, wheel, epoch)
        yield f"{context.name}: what it builds is this wheel"
        bom, version = bill_of_materials(copied, wheel, out, Path(folder) / "installed", epoch)
        yield f"{bom.name}: of an environment in which {version} runs"
        if vsix:
            yield f"{extension.build(copied, out, home, epoch).name}: its tests pass"
        yield from _filled(copied, sdist, out, home)
    files = sorted(path for path in out.iterdir())
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (out / "SHA256SUMS").write_text(sums, encoding="ascii")


def bill_of_materials(copied: Path, wheel: Path, out: Path, folder: Path, epoch: str) -> tuple[Path, str]:
    """An SBOM (CycloneDX) of what is installed with the wheel today, and what the installed program calls itself."""
    venv.create(folder, with_pip=False)
    python = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    distributions.call(["-m", "pip", "--python", python, "install", "--quiet", str(wheel)], epoch)
    path = out / f"pid1lint-{tree.version()}.cdx.json"
    command = ["-m", "cyclonedx_py", "environment", "--output-reproducible", "--validate", "--output-format", "JSON"]
    command += ["--pyproject", str(copied / "pyproject.toml"), "--output-file", str(path), python]
    distributions.call(command, epoch)
    done = distributions.call(["-c", _START, python], epoch).strip()
    if done != f"pid1lint {tree.version()}":
        raise ReleaseError(f"the installed program says that it is {done}")
    return path, done


_START = (
    "import subprocess, sys; "
    "print(subprocess.check_output([sys.argv[1], '-P', '-m', 'pid1lint', '--version'], text=True))"
)


def _filled(copied: Path, sdist: Path, out: Path, home: Home) -> Iterator[str]:
    """The templates that name the project's home; without it none is written."""
    if home.repository:
        (out / "pid1lint.rb").write_text(templates.formula(copied, sdist, home), encoding="utf-8")
        yield "pid1lint.rb: the formula of Homebrew"
    else:
        yield "pid1lint.rb is not written: it names the repository (REPOSITORY=https://...)"
    if home.documentation:
        (out / "schemastore.json").write_text(templates.catalog_entry(home), encoding="utf-8")
        yield "schemastore.json: the entry in SchemaStore's catalog"
    else:
        yield "schemastore.json is not written: it names the documentation (DOCUMENTATION=https://...)"


def main() -> int:
    """Print the steps; 2 if something has to be mended first."""
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    parser.add_argument("--repository", default="", help="its address, unless [project.urls] has it")
    parser.add_argument("--documentation", default="", help="its address, unless [project.urls] has it")
    parser.add_argument("--tag", default="", help="the tag that is released")
    parser.add_argument("--no-vsix", action="store_true", help="leave out the extension, which needs Node.js")
    given = parser.parse_args()
    out = tree.ROOT / "dist"
    try:
        tree.check_version(given.tag)
        for line in release(out, Home(given.repository, given.documentation), vsix=not given.no_vsix):
            print(line, flush=True)
    except ReleaseError as error:
        print(f"make release: {error}", file=sys.stderr)
        return 2
    print((out / "SHA256SUMS").read_text(encoding="ascii"), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
