"""Throw-away roots: a minimal Debian, and layers over it with packages for a group of programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

SUITE = "bookworm"
NO_SERVICES = "#!/bin/sh\nexit 101\n"


class RootError(Exception):
    """A root could not be made."""


def _call(argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> bool:
    with log.open("ab") as out:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False, env={**os.environ, **(env or {})}
        )
    return done.returncode == 0


class Roots:
    """The roots below one folder; what is there is not made again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = folder / "base"
        self.log = folder / "log"
        folder.mkdir(parents=True, exist_ok=True)

    def make_base(self) -> None:
        """Debian's smallest system, from the mirror that this machine's apt is set to."""
        if (self.base / "etc/debian_version").exists():
            return
        partial = self.folder / "base.partial"
        shutil.rmtree(partial, ignore_errors=True)
        if not _call(["debootstrap", "--variant=minbase", SUITE, str(partial)], self.log):
            raise RootError(f"debootstrap failed: see {self.log}")
        partial.rename(self.base)

    def layer(self, name: str, packages: Sequence[str], commands: Sequence[str] = ()) -> str:
        """A root with packages, as overlayfs' `lowerdir`; `commands` are run in it, and pip and npm may be used."""
        home = self.folder / name
        upper, stamp = home / "upper", home / "ready"
        wanted = "\n".join([*packages, *commands])
        lower = f"{upper}:{self.base}"
        if stamp.exists() and stamp.read_text() == wanted:
            return lower
        for part in ("upper", "work", "root"):
            (home / part).mkdir(parents=True, exist_ok=True)
        with self._mounted(home):
            self._prepare(home / "root")
            self._install(home / "root", packages)
            for command in commands:
                self._in(home / "root", ["sh", "-c", command])
        stamp.write_text(wanted)
        return lower

    @contextmanager
    def _mounted(self, home: Path) -> Iterator[None]:
        root = home / "root"
        options = f"lowerdir={self.base},upperdir={home / 'upper'},workdir={home / 'work'}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(root)], check=True)
        inner = [("--bind", "/dev", "dev"), ("--bind", str(self._cache()), "var/cache/apt/archives")]
        try:
            for flag, source, target in inner:
                (root / target).mkdir(parents=True, exist_ok=True)
                subprocess.run(["mount", flag, source, str(root / target)], check=True)
            subprocess.run(["mount", "-t", "proc", "proc", str(root / "proc")], check=True)
            yield
        finally:
            for target in ("proc", "var/cache/apt/archives", "dev", ""):
                subprocess.run(["umount", "-l", str(root / target)], check=False, capture_output=True)

    def _cache(self) -> Path:
        cache = self.folder / "archives"
        (cache / "partial").mkdir(parents=True, exist_ok=True)
        return cache

    def _prepare(self, root: Path) -> None:
        """What an installation in there needs of this machine: names, settings of apt and pip; no service starts."""
        policy = root / "usr/sbin/policy-rc.d"
        policy.write_text(NO_SERVICES)
        policy.chmod(0o755)
        for path in ("/etc/resolv.conf", "/etc/pip.conf", "/root/.config/pip/pip.conf", "/etc/ssl/certs"):
            with suppress(OSError):
                target = root / path.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                if Path(path).is_dir():
                    shutil.copytree(path, target, dirs_exist_ok=True, symlinks=False)
                else:
                    shutil.copy(path, target)
        sources = root / "etc/apt/sources.list"
        kept = sources.read_text().splitlines() if sources.exists() else []
        mirror = next((line.split()[1] for line in kept if line.startswith("deb ")), "")
        lines = [f"deb {mirror} {suite} main" for suite in (SUITE, f"{SUITE}-updates")] if mirror else kept
        sources.write_text("\n".join(lines) + "\n")
        self._in(root, ["apt-get", "update", "-qq"])

    def _install(self, root: Path, packages: Sequence[str]) -> None:
        """All at once, or in parts where one of them cannot be installed."""
        flags = ["-y", "-qq", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold"]
        listed = subprocess.run(
            ["chroot", str(root), "apt-cache", "pkgnames"], capture_output=True, text=True, check=True
        )
        known = frozenset(listed.stdout.split())
        waiting = [[package for package in dict.fromkeys(packages) if package in known]]
        while waiting:
            part = waiting.pop()
            if not part or self._in(root, ["apt-get", "install", *flags, *part]) or len(part) == 1:
                continue
            middle = len(part) // 2
            waiting += [part[middle:], part[:middle]]

    def _in(self, root: Path, argv: Sequence[str]) -> bool:
        return _call(["chroot", str(root), *argv], self.log, {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"})


def version_of(lower: str, package: str) -> str:
    """The upstream version of an installed Debian package; empty if it is not there."""
    for layer in lower.split(":"):
        status = Path(layer) / "var/lib/dpkg/status"
        if not status.exists():
            continue
        for paragraph in status.read_text(errors="replace").split("\n\n"):
            rows = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
            if rows.get("Package") == package and "installed" in rows.get("Status", "").split():
                return _upstream(rows["Version"])
        return ""
    return ""


def _upstream(version: str) -> str:
    """`1:7.2.1+dfsg-3` is 7.2.1."""
    plain = version.rpartition(":")[2]
    return re.split(r"[+~]", plain.rpartition("-")[0] or plain)[0]
