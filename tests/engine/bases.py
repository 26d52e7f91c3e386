"""The images that others are built upon: busybox from this machine, Debian by debootstrap with what the cases run."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.engine import podman

BUSYBOX = "docker.io/library/busybox:1.35"
DEBIAN = "docker.io/library/debian:12"
LARGE = "docker.io/library/debian:bookworm"
"""Debian once more, with what is so large that the other cases would be slow over it."""
LARGE_PACKAGES = (
    "apache2 celery default-jre-headless mariadb-server nodejs npm php8.2-cli php8.2-fpm postgresql-15 uwsgi-core "
    "uwsgi-plugin-python3"
).split()
_PACKAGES = (
    "catatonit cron dnsmasq-base dumb-init gosu gunicorn haproxy lighttpd memcached mosquitto nginx-light "
    "openssh-server perl procps python3 redis-server rsyslog ruby runit s6 sudo supervisor tini uvicorn"
).split()


def make(base: str, work: Path) -> None:
    """Make a base if the store lacks it; `LookupError` if this machine lacks what it takes."""
    if not podman.has(base):
        with tempfile.TemporaryDirectory(dir=work) as folder:
            root = Path(folder, "root")
            if base == BUSYBOX:
                _busybox(root)
            else:
                _debian(root, [*_PACKAGES, *LARGE_PACKAGES] if base == LARGE else _PACKAGES)
            podman.imported(root, base)


def _busybox(root: Path) -> None:
    """A few megabytes that stand for Alpine's and busybox's own shell."""
    binary = shutil.which("busybox")
    if binary is None:
        raise LookupError("busybox not installed here")
    (root / "bin").mkdir(parents=True)
    shutil.copy(binary, root / "bin" / "busybox")
    listed = subprocess.run([binary, "--list"], capture_output=True, text=True, check=True)
    for name in listed.stdout.split():
        if name != "busybox":
            (root / "bin" / name).symlink_to("busybox")
    # Debian's is static or not, by the package.
    linked = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False)
    for library in re.findall(r"(/\S+) \(0x", linked.stdout):
        there = root / library.lstrip("/")
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, there)
    for name in ("etc", "tmp", "root", "var", "proc", "sys", "dev"):
        (root / name).mkdir()
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n")
    (root / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")


def _debian(root: Path, packages: Sequence[str]) -> None:
    """Debian 12 with the programs of the cases: one base, so that a case's own RUN finds them installed."""
    if shutil.which("debootstrap") is None:
        raise LookupError("debootstrap not installed here")
    subprocess.run(["debootstrap", "--variant=minbase", "bookworm", root], check=True, capture_output=True)
    for name in ("apt.conf.d", "sources.list.d", "preferences.d"):
        if Path("/etc/apt", name).is_dir():
            shutil.copytree(f"/etc/apt/{name}", root / "etc/apt" / name, dirs_exist_ok=True)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    subprocess.run(["mount", "-t", "proc", "proc", root / "proc"], check=True)
    try:
        install = "apt-get update -qq && apt-get install -y -qq --no-install-recommends " + " ".join(packages)
        subprocess.run(
            ["chroot", root, "sh", "-c", f"DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND; {install}"],
            check=True,
            capture_output=True,
        )
    finally:
        subprocess.run(["umount", root / "proc"], check=True)
    policy.unlink()
