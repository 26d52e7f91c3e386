"""Compose services as podman runs them: the flags that say the same, on an image of busybox and a stand-in app."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pid1lint.deployment import Deployment, Words

NEEDED = ("podman", "runc", "busybox", "tar", "catatonit")
GRACE = 3


class Stopped(NamedTuple):
    """What became of a container that was told to stop: its exit code, the seconds it took, what the app said."""

    code: int
    seconds: float
    said: str

    @property
    def outcome(self) -> str:
        """As pid1lint has it."""
        if "started" not in self.said:
            return "fails"
        # What is killed in the end may have exit codes of several kinds, as podman has it.
        if self.seconds > GRACE - 0.5:
            return "hang"
        return "graceful" if "finished" in self.said else "abrupt"


def image(root: Path, files: Mapping[str, str], entrypoint: str, cmd: str) -> str:
    """An image of busybox with some files, of which all are programs."""
    name = f"localhost/deploy-{abs(hash((tuple(files.items()), entrypoint, cmd)))}"
    folder = root / name.rpartition("/")[2]
    if not folder.exists():
        (folder / "bin").mkdir(parents=True)
        busybox = shutil.which("busybox")
        assert busybox is not None
        shutil.copy(busybox, folder / "bin" / "busybox")
        # It is static or not, by the package.
        linked = subprocess.run(["ldd", busybox], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r"(/\S+) \(0x", linked):
            there = folder / library.lstrip("/")
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, there)
        for applet in ("sh", "sleep", "true", "echo", "cat", "kill"):
            (folder / "bin" / applet).symlink_to("busybox")
        for directory in ("etc", "tmp", "proc", "sys", "dev", "root"):
            (folder / directory).mkdir()
        for path, text in files.items():
            (folder / path).write_text(text)
            (folder / path).chmod(0o755)
        changes = [f"ENTRYPOINT {entrypoint}"] if entrypoint else []
        changes += [f"CMD {cmd}"] if cmd else []
        flags = [flag for change in changes for flag in ("--change", change)]
        with subprocess.Popen(["tar", "-C", str(folder), "-c", "."], stdout=subprocess.PIPE) as packed:
            podman("import", "--quiet", *flags, "-", name, stdin=packed.stdout)
    return name


def podman(*arguments: str, stdin: object = None) -> str:
    """What a call of podman prints."""
    done = subprocess.run(
        ["podman", *arguments],
        stdin=stdin,  # type: ignore[call-overload]
        capture_output=True,
        text=True,
        check=True,
    )
    return str(done.stdout).strip()


def stopped(deployment: Deployment, name: str, project: Path) -> Stopped:
    """Run a service's container as Compose would, stop it, and see what becomes of it."""
    container = podman("run", "--detach", *_flags(deployment, project), name, *_command(deployment.override.command))
    time.sleep(1)
    began = time.monotonic()
    podman("stop", "--time", str(GRACE), container)
    seconds = time.monotonic() - began
    code = int(podman("inspect", "--format", "{{.State.ExitCode}}", container))
    return Stopped(code, seconds, podman("logs", container))


def _command(words: Words | None) -> Sequence[str]:
    return [word.text for word in words.words] if words is not None else ()


def _flags(deployment: Deployment, project: Path) -> Sequence[str]:
    import json

    override = deployment.override
    flags: list[str] = []
    if override.entrypoint is not None:
        flags += ["--entrypoint", json.dumps([word.text for word in override.entrypoint.words])]
    if override.init is not None:
        flags += ["--init", "--init-path", shutil.which("catatonit") or "/usr/libexec/podman/catatonit"]
    if override.stop_signal is not None:
        flags += ["--stop-signal", override.stop_signal.text]
    if override.workdir is not None:
        flags += ["--workdir", override.workdir.text]
    if override.pid is not None:
        flags += ["--pid", "host"]
    for key, value in override.env.values.items():
        flags += ["--env", f"{key}={value}"]
    for mount in override.mounts:
        flags += ["--volume", f"{project / mount.path}:{mount.target}"]
    return flags
