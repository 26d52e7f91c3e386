"""What a deployment makes of an image: another argv, an init in front, files over its own, another end."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from pid1lint.deploy.images import Found, embedded, made
from pid1lint.deploy.project import Below, Project
from pid1lint.deployment import UNKNOWN, Deployment, Given, Hidden, Mount, Words
from pid1lint.dockerfile.scanner import Instruction, scan
from pid1lint.dockerfile.stages import join
from pid1lint.image.changes import is_below
from pid1lint.image.context import clean
from pid1lint.image.filesystem import ContextTree, CopyFiles, Entry, FileSystem, ImageFile, Layer, Tree
from pid1lint.image.model import Command, Image, signal_name
from pid1lint.source import Excerpt, Place

if TYPE_CHECKING:
    from pid1lint.image.context import BuildContext

_STRING_OPTION = re.compile(r"-[a-z]*c")
_SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh"))


def applied(found: Found, deployment: Deployment, project: Project) -> Image:
    """The image as a deployment runs it."""
    image, override = found.image, deployment.override
    init = deployment.runtime.init if override.init is not None else ()
    user = override.user.text if override.user is not None else image.user
    env: dict[str, str] = {**image.env, **override.env.values}
    if override.user is not None and "HOME" not in override.env.values and user != image.user:
        env["HOME"] = "/root" if user in ("root", "0") else UNKNOWN
    stop, instruction = image.stop_signal, image.stop_signal_instruction
    if override.stop_signal is not None:
        stop = signal_name(override.stop_signal.text)
        instruction = _instruction("STOPSIGNAL ", override.stop_signal)
    files = mounted(image, deployment, project)
    first, second = entrypoint(image, deployment), command(image, deployment)
    hidden = next(hidden_scripts(image, files, [each for each in (first, second) if each is not None]), None)
    return replace(
        image,
        entrypoint=first,
        cmd=second,
        lost_cmd=None if override.changes_argv else image.lost_cmd,
        stop_signal=stop,
        stop_signal_instruction=instruction,
        user=user,
        workdir=join(image.workdir, override.workdir.text) if override.workdir is not None else image.workdir,
        env=env,
        files=files,
        front=init,
        grace=deployment.grace,
        as_pid1=override.pid is None,
        terminal=override.terminal,
        opaque=_opaque(found, deployment),
        supposes=_supposes(found, deployment),
        broken="" if hidden is None else f"there is no file at {hidden.path}: {hidden.mount.what} is mounted over it",
        hidden=hidden,
        deployment=deployment,
        bare=image,
    )


def _opaque(found: Found, deployment: Deployment) -> str:
    """Why it cannot be told what a container runs."""
    override = deployment.override
    if override.opaque:
        return override.opaque
    words = [word for given in (override.entrypoint, override.command) if given is not None for word in given.words]
    for before, word in pairwise(words):
        if word.text.strip() == UNKNOWN and _STRING_OPTION.fullmatch(before.text):
            return "it is not known what the shell is given to run"
    if override.entrypoint is not None or found.entrypoint_known:
        return ""
    name = deployment.image.text if deployment.image is not None and deployment.image.known else "the image"
    if override.command is not None and _names_shell(override.command):
        return ""  # what gives a shell to an ENTRYPOINT means it to be run
    return f"it is not known what {name} runs"


def _supposes(found: Found, deployment: Deployment) -> str:
    """What is taken for true of an image that nobody knows, so that its command can be judged."""
    if found.entrypoint_known or deployment.override.entrypoint is not None:
        return ""
    name = deployment.image.text if deployment.image is not None and deployment.image.known else "the image"
    return f"the ENTRYPOINT of {name} is not known: pid1lint assumes that it has none"


def _names_shell(words: Words) -> bool:
    first = words.words[0].text if words.words else ""
    return posixpath.basename(first) in _SHELLS


def _instruction(before: str, given: Given) -> Instruction | None:
    if not given.known or not given.text.strip():
        return None
    found = scan(embedded(made(before, given.text, given.at))).instructions
    return found[0] if found else None


def entrypoint(image: Image, deployment: Deployment) -> Command | None:
    """The ENTRYPOINT that counts."""
    words = deployment.override.entrypoint
    return image.entrypoint if words is None else _command(words)


def command(image: Image, deployment: Deployment) -> Command | None:
    """The CMD that counts: an entrypoint of the deployment takes the image's away."""
    override = deployment.override
    if override.command is not None:
        return _command(override.command)
    return None if override.entrypoint is not None and override.entrypoint.words else image.cmd


def _command(words: Words) -> Command | None:
    if not words.words:
        return None
    source = words.at.source
    start, end = words.at.span
    text = Excerpt(source, source.text[start:end], None, start, "nested")
    return Command("exec", words.words, text, None, source)


# ------------------------------------------------------------------- mounts


def mounted(image: Image, deployment: Deployment, project: Project) -> FileSystem:
    """The image's files with what is mounted over them."""
    override = deployment.override
    workdir = join(image.workdir, override.workdir.text) if override.workdir is not None else image.workdir
    if not override.mounts and workdir == image.files.workdir:
        return image.files
    mounts = sorted(override.mounts, key=lambda mount: mount.target.count("/"))
    layers = tuple(MountLayer(mount, project.files) for mount in mounts)
    dirs = image.files.dirs | {workdir} | {mount.target for mount in mounts if not mount.single}
    return MountedFiles(image.files.layers, layers, workdir, dirs)


def hidden_scripts(image: Image, files: FileSystem, commands: Sequence[Command]) -> Iterator[Hidden]:
    """The scripts of the image that a command names, and that a mount leaves without a file at their place."""
    if not isinstance(files, MountedFiles):
        return
    for command in commands:
        for word in command.words if command.form == "exec" else ():
            mount = files.mount_over(word.text) if "/" in word.text else None
            if mount is None or mount.kind == "unknown" or UNKNOWN in word.text:
                continue
            before = image.files.lookup(word.text)
            is_script = before is not None and before.text is not None and before.text.text.startswith("#!")
            if before is not None and is_script and files.lookup(word.text) is None:
                yield Hidden(join(files.workdir, word.text), word, mount, before.place)


class MountLayer(Layer):
    """What one mount puts over the files below it."""

    def __init__(self, mount: Mount, files: BuildContext) -> None:
        self.mount = mount
        self._tree = self._make_tree(mount, files)

    def _make_tree(self, mount: Mount, files: BuildContext) -> Tree:
        if mount.kind == "bind":
            folder = posixpath.dirname(mount.path) if mount.single else mount.path
            return ContextTree(Below(files, folder, ignores=False))
        return PayloadTree(mount)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The files that it brings."""
        mount = self.mount
        if mount.kind == "unknown":
            return ()
        source = posixpath.basename(mount.path) if mount.kind == "bind" and mount.single else "."
        if mount.kind != "bind" and mount.single:
            source = mount.payloads[0].name if mount.payloads else "."
        return (CopyFiles(self._tree, (source,), mount.target, False, mount.at, "mount"),)

    @property
    def packages(self) -> tuple[str, ...]:
        """A mount installs nothing."""
        return ()

    def hides(self, path: str) -> bool:
        """Whether what the image has at a path is out of sight."""
        return is_below(path, self.mount.target)

    def may_put(self, path: str) -> bool:
        """Whether there may be a file at a path that is not known."""
        return self.mount.kind == "unknown" and self.hides(path)

    def find(self, path: str) -> ImageFile | None:
        """The file that it puts at a path, None if it puts none there that is known."""
        for entry in self.entries:
            if isinstance(entry, CopyFiles) and (found := entry.find(path)) is not None:
                return found
        if self.may_put(path):
            return ImageFile(path, None, self.mount.at, origin="mount")
        return None


class PayloadTree(Tree):
    """The files of a ConfigMap, or of a Compose config."""

    is_whole = True

    def __init__(self, mount: Mount) -> None:
        self._payloads = {payload.name: payload for payload in mount.payloads}

    def file(self, path: str, place: Place) -> ImageFile | None:
        """See `Tree.file`."""
        found = self._payloads.get(clean(path) or "")
        if found is None:
            return None
        executable = None if found.mode is None else bool(found.mode & 0o111)
        text = found.text
        source = None if text is None else embedded(text)
        return ImageFile(path, text, place, found.mode, executable, "mount", text is not None, source=source)

    def is_dir(self, path: str) -> bool:
        """See `Tree.is_dir`."""
        return not clean(path)

    def entries(self, path: str) -> tuple[str, ...]:
        """See `Tree.entries`."""
        return tuple(sorted(self._payloads)) if not clean(path) else ()


class MountedFiles(FileSystem):
    """An image's files below a few mounts, the innermost mount last."""

    def __init__(
        self, below: tuple[Layer, ...], mounts: tuple[MountLayer, ...], workdir: str, dirs: frozenset[str]
    ) -> None:
        super().__init__(below, workdir, dirs)
        self.mounts = mounts
        self._unmounted = FileSystem(below, workdir, dirs)

    def mount_over(self, path: str) -> Mount | None:
        """The mount that a path lies in."""
        path = join(self.workdir, path)
        return next((layer.mount for layer in reversed(self.mounts) if layer.hides(path)), None)

    def lookup(self, path: str) -> ImageFile | None:
        """See `FileSystem.lookup`; links of the image into a mount are followed."""
        path = join(self.workdir, path)
        layer = next((layer for layer in reversed(self.mounts) if layer.hides(path)), None)
        if layer is not None:
            return layer.find(path)
        return self._unmounted.lookup(path)

    def lacks(self, path: str) -> bool:
        """See `FileSystem.lacks`."""
        path = join(self.workdir, path)
        layer = next((layer for layer in reversed(self.mounts) if layer.hides(path)), None)
        if layer is not None:
            return layer.find(path) is None
        return self._unmounted.lacks(path)

    def may_be_copied(self, path: str) -> bool:
        """See `FileSystem.may_be_copied`."""
        path = join(self.workdir, path)
        if any(layer.hides(path) for layer in self.mounts):
            return not self.lacks(path)
        return self._unmounted.may_be_copied(path)

    def stray(self, path: str) -> None:
        """A mount may have anything."""
        return

    def entries(self, path: str) -> tuple[str, ...]:
        """See `FileSystem.entries`."""
        directory = join(self.workdir, path)
        hidden = any(layer.hides(directory) for layer in self.mounts)
        names = set() if hidden else set(self._unmounted.entries(path))
        for layer in self.mounts:
            for entry in layer.entries:
                if isinstance(entry, CopyFiles):
                    names |= entry.names(directory)
        return tuple(sorted(names - {""}))
