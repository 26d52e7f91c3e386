"""Podman without a daemon, in a store of its own: what its configuration must say to run as root inside a container."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pid1lint.prove.engine import Engine, last_line

_CONFIG = """[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4000:4000"]
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
"""
_STORAGE = """[storage]
driver = "{driver}"
graphroot = "{root}/store"
runroot = "{root}/run"
"""


@functools.cache
def unavailable(needed: tuple[str, ...] = ("podman", "buildah", "runc", "tar")) -> str:
    """Why podman cannot be used here, with the programs that are needed; empty if it can."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "podman needs root here"
    absent = [name for name in needed if shutil.which(name) is None and not Path("/usr/sbin", name).exists()]
    return f"{', '.join(absent)} not installed here" if absent else ""


def environment(root: Path) -> Mapping[str, str]:
    """The environment in which podman and what it starts keep to a folder."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "containers.conf").write_text(_CONFIG)
    (root / "registries.conf").write_text(
        'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "disabled"\n'
    )
    (root / "storage.conf").write_text(_STORAGE.format(driver=_driver(root), root=root))
    return {
        "CONTAINERS_CONF": str(root / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(root / "storage.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(root / "registries.conf"),
        "BUILDAH_ISOLATION": "chroot",
        "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
    }


def _driver(root: Path) -> str:
    """Layers over each other where the kernel lets us; else each is a copy of what is below."""
    for name in ("lower", "upper", "work", "merged"):
        (root / "probe" / name).mkdir(parents=True, exist_ok=True)
    at = root / "probe"
    options = f"lowerdir={at}/lower,upperdir={at}/upper,workdir={at}/work"
    mounted = subprocess.run(
        ["mount", "-t", "overlay", "overlay", "-o", options, at / "merged"], capture_output=True, check=False
    )
    if mounted.returncode:
        return "vfs"
    subprocess.run(["umount", at / "merged"], check=True)
    return "overlay"


def engine() -> Engine:
    """Podman, as the tests use it."""
    return Engine(["podman"])


def refused(image: str) -> str:
    """Why podman cannot run a container here; empty if it can."""
    done = engine().call("run", "--rm", image, "true")
    return last_line(done.stderr) if done.returncode else ""


def has(image: str) -> bool:
    """Whether the store has an image."""
    return engine().call("image", "exists", image).returncode == 0


def imported(folder: Path, name: str) -> None:
    """Make an image of one layer out of a folder."""
    with subprocess.Popen(["tar", "-C", folder, "-c", "."], stdout=subprocess.PIPE) as packed:
        done = subprocess.run(
            ["podman", "import", "--quiet", "-", name], stdin=packed.stdout, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise LookupError(f"podman cannot keep an image here: {last_line(done.stderr)}")


def stored(image: str, folder: Path, work: Path) -> str:
    """An image as a source of `check`: in a layout where each layer is kept once, if skopeo is here, else as a file."""
    if shutil.which("skopeo") is None:
        archive = folder / "image.tar"
        engine().ask("save", "--format", "docker-archive", "--output", str(archive), image, seconds=600)
        return f"docker-archive:{archive}"
    tag = image.rpartition("/")[2]
    # A layer that is compressed has another digest, and would be read and compressed again for each image.
    copy = ["skopeo", "copy", "--quiet", "--dest-oci-accept-uncompressed-layers"]
    subprocess.run(
        [*copy, f"containers-storage:{image}", f"oci:{work / 'layout'}:{tag}"], check=True, capture_output=True
    )
    return f"oci:{work / 'layout'}:{tag}"
