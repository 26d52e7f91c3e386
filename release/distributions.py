"""The source distribution and the wheel: built from a tree, the same bytes wherever and whenever, and checked."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pid1lint.image.context import DiskContext
from release.tree import ReleaseError, version

MANUAL = "share/man/man1/pid1lint.1"
_BESIDE = ("CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "pyproject.toml")
_ADDED = {".gitignore", "PKG-INFO"}
"""What hatchling adds to a source distribution."""


def build(tree: Path, out: Path, epoch: str) -> tuple[Path, Path]:
    """The source distribution of a tree, and the wheel of that."""
    call(["-m", "build", "--no-isolation", "--outdir", str(out), str(tree)], epoch)
    return sdist_of(out), wheel_of(out)


def sdist_of(folder: Path) -> Path:
    """The source distribution in a folder."""
    return folder / f"pid1lint-{version()}.tar.gz"


def wheel_of(folder: Path) -> Path:
    """The wheel in a folder."""
    return folder / f"pid1lint-{version()}-py3-none-any.whl"


def call(arguments: Sequence[str], epoch: str) -> str:
    """Run a module of this Python; what it printed."""
    env = {**os.environ, "SOURCE_DATE_EPOCH": epoch, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-P", *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"{' '.join(arguments[:4])}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


def check(tree: Path, sdist: Path, wheel: Path) -> None:
    """The metadata is in order; each has all of the package and the rules, and nothing else."""
    call(["-m", "twine", "check", "--strict", str(sdist), str(wheel)], "0")
    wrong = [*_differ(_wanted_of_sdist(tree), _in_sdist(sdist)), *_differ(_wanted_of_wheel(tree), _in_wheel(wheel))]
    if wrong:
        raise ReleaseError("\n".join(wrong))


def _ours(tree: Path) -> list[str]:
    """The files of the package and of the rules that git knows, as the tree has nothing else."""
    return [
        path.relative_to(tree).as_posix()
        for top in ("pid1lint", "rules")
        for path in (tree / top).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]


def _wanted_of_sdist(tree: Path) -> dict[str, bytes]:
    return {name: (tree / name).read_bytes() for name in (*_BESIDE, *_ours(tree))}


def _wanted_of_wheel(tree: Path) -> dict[str, bytes]:
    wanted = {}
    for name in _ours(tree):
        place = f"pid1lint/{name}" if name.startswith("rules/") else name
        place = f"pid1lint-{version()}.data/data/{MANUAL}" if name == "pid1lint/pid1lint.1" else place
        wanted[place] = (tree / name).read_bytes()
    return wanted


def _in_sdist(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        files = [member for member in archive if member.isfile()]
        names = {member.name.partition("/")[2]: member for member in files}
        return {name: _read(archive, member) for name, member in names.items() if name not in _ADDED}


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    assert file is not None
    return file.read()


def _in_wheel(path: Path) -> dict[str, bytes]:
    information = f"pid1lint-{version()}.dist-info/"
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.startswith(information)}


def _differ(wanted: Mapping[str, bytes], there: Mapping[str, bytes]) -> Iterator[str]:
    yield from (f"{name} is missing" for name in sorted(wanted.keys() - there.keys()))
    yield from (f"{name} does not belong there" for name in sorted(there.keys() - wanted.keys()))
    yield from (
        f"{name} is another one" for name in sorted(wanted.keys() & there.keys()) if wanted[name] != there[name]
    )


def image_context(tree: Path, out: Path, wheel: Path, epoch: str) -> Path:
    """What `docker build` is sent, as a tar file; what it builds must be the wheel."""
    path = out / f"pid1lint-{version()}-image.tar"
    context = DiskContext(str(tree))
    files = [file for file in sorted(tree.rglob("*")) if file.is_file()]
    names = [name for file in files if not context.ignored(name := file.relative_to(tree).as_posix())]
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        # The engine takes these two whether they are ignored or not.
        for name in sorted({"Dockerfile", ".dockerignore", *names}):
            data = (tree / name).read_bytes()
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(data), int(epoch), 0o644
            archive.addfile(member, io.BytesIO(data))
    with tempfile.TemporaryDirectory() as folder, tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")
        call(["-m", "build", "--no-isolation", "--wheel", "--outdir", f"{folder}/dist", folder], epoch)
        if wheel_of(Path(folder) / "dist").read_bytes() != wheel.read_bytes():
            raise ReleaseError("Dockerfile: what its context builds is not the wheel; see .dockerignore")
    return path
