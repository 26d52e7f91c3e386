"""The files of a built image, looked up in its layers: all of them are known."""

from __future__ import annotations

import io
import posixpath
from typing import IO, Any

from pid1lint.archive.layout import Layer, load
from pid1lint.archive.reference import Reference
from pid1lint.archive.stream import Forward
from pid1lint.archive.tar import Member, TarError
from pid1lint.archive.tree import Found, Node, find, overlaid
from pid1lint.dockerfile.stages import join
from pid1lint.errors import UnreadableError
from pid1lint.files import MAX_BYTES
from pid1lint.image.binary import MAX_BYTES as MOST_PROGRAM
from pid1lint.image.filesystem import Content, FileSystem, ImageFile, Stray
from pid1lint.source import Excerpt, Place, Source


class Stored:
    """An image's layers, read once; where it is pickled it is read again on the other side."""

    def __init__(self, reference: Reference, platform: str) -> None:
        self.reference = reference
        self.platform = platform
        contents = load(reference, platform)
        self.config = contents.config
        self.layers: tuple[Layer, ...] = contents.layers
        try:
            self.root = overlaid(layer.members for layer in contents.layers)
        except TarError as error:
            raise UnreadableError(reference.text, str(error)) from None

    def __reduce__(self) -> tuple[Any, ...]:
        return Stored, (self.reference, self.platform)

    def find(self, path: str) -> Found | None:
        """What an absolute path leads to, links followed."""
        return find(self.root, path)

    def read(self, node: Node, most: int) -> bytes | None:
        """A file's content; None if it is none, has more than `most` bytes, or cannot be read."""
        member = node.member
        if member is None or member.kind != "file" or member.size > most:
            return None
        kept = self.layers[node.layer].kept.get(member.data)
        if kept is not None and len(kept) == member.size:
            return kept
        try:
            stream = self.layers[node.layer].reopen()
            return _sparse(stream, member, most) if member.sparse else _plain(stream, member)
        except (OSError, EOFError, TarError):
            return None

    def text(self, node: Node) -> bytes | None:
        """As `read`, but None for what cannot be a text that matters: large programs are not looked into."""
        member = node.member
        if member is None or member.kind != "file" or member.size > MAX_BYTES:
            return None
        kept = self.layers[node.layer].kept.get(member.data)
        if kept is None and member.mode & 0o111 and not member.sparse:
            # Scripts have been kept; and none is as large as this.
            return None
        data = self.read(node, MAX_BYTES) if kept is None else kept
        return None if data is None or b"\0" in data else data


def _plain(stream: Forward, member: Member) -> bytes | None:
    data = stream.read(member.size) if stream.skip(member.data) else b""
    return data if len(data) == member.size else None


def _sparse(stream: Forward, member: Member, most: int) -> bytes | None:
    """The standard library knows all the ways in which holes are written down."""
    import tarfile

    if member.stored > most + (1 << 20):
        return None
    stream.skip(member.header)
    # From its headers to the end of its data, and of the archive.
    length = member.data + member.stored + -member.stored % 512 - member.header
    try:
        with tarfile.open(fileobj=io.BytesIO(stream.read(length) + bytes(1024)), mode="r:") as archive:
            found = archive.next()
            file = archive.extractfile(found) if found is not None else None
            # It may be of another mind about the size than we are.
            data = file.read(most + 1) if file is not None else b""
            return data if len(data) == member.size else None
    except tarfile.TarError:
        return None


class StoredContent(Content):
    """The content of one file of an image."""

    def __init__(self, stored: Stored, path: str) -> None:
        self.stored = stored
        self.path = path

    def open(self) -> IO[bytes] | None:
        """See `Content.open`."""
        found = self.stored.find(self.path)
        data = self.stored.read(found.node, MOST_PROGRAM) if found is not None else None
        return None if data is None else io.BytesIO(data)


class ArchiveFiles(FileSystem):
    """The files of a built image; `place` is what they are said to come by."""

    is_whole = True

    def __init__(self, stored: Stored, workdir: str, place: Place) -> None:
        super().__init__((), workdir, frozenset())
        self.stored = stored
        self.place = place
        self.name = stored.reference.text

    def _lookup(self, path: str) -> ImageFile | None:
        found = self.stored.find(path)
        if found is None or found.node.member is None or found.node.member.kind != "file":
            return None
        member = found.node.member
        text = self._text(found)
        return ImageFile(
            path,
            text,
            self.place,
            member.mode,
            bool(member.mode & 0o111),
            "image",
            # An edit is not made, but it is what there is to say of how to mend it.
            editable=text is not None,
            source=None if text is None else text.source,
            content=StoredContent(self.stored, found.path) if text is None else None,
        )

    def _text(self, found: Found) -> Excerpt | None:
        data = self.stored.text(found.node)
        if data is None:
            return None
        try:
            return Source.decode(f"{self.name}!{found.path}", data).whole()
        except UnreadableError:
            return None

    def lacks(self, path: str) -> bool:
        """See `FileSystem.lacks`."""
        return self.stored.find(join(self.workdir, path)) is None

    def may_be_copied(self, path: str) -> bool:
        """See `FileSystem.may_be_copied`: whatever is not there is not put there."""
        return not self.lacks(path)

    def stray(self, path: str) -> Stray | None:
        """See `FileSystem.stray`; another file of that name is not looked for in all of the image."""
        path = join(self.workdir, path)
        if not self.lacks(path):
            return None
        near = posixpath.join(self.workdir, posixpath.basename(path))
        return Stray("" if self.lookup(near) is None else near, "", self.place)

    def is_dir(self, path: str) -> bool:
        """See `FileSystem.is_dir`."""
        found = self.stored.find(join(self.workdir, path))
        return found is not None and found.node.children is not None

    def entries(self, path: str) -> tuple[str, ...]:
        """See `FileSystem.entries`."""
        found = self.stored.find(join(self.workdir, path))
        return tuple(sorted(found.node.children)) if found is not None and found.node.children is not None else ()
