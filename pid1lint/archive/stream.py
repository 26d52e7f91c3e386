"""Archives as streams that are read once from front to back, hashed and decompressed on the way."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Literal, Protocol

CHUNK = 1 << 20
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_RATIO = 150
"""Layers of programs shrink to a third, logs to a tenth; what shrinks more is made of one byte."""
_HARMLESS = 768 << 20
"""So many bytes may come out of a small archive all the same: a file that is nothing but zeros, say."""


class BombError(Exception):
    """So much comes out of so little that it is meant to do harm."""


class Readable(Protocol):
    """A file as far as it can be read on."""

    def read(self, size: int = ..., /) -> bytes | None:
        """The next bytes: none at the end."""


def is_packed(head: bytes) -> bool:
    """Whether a file that begins so is compressed with gzip or zstd."""
    return head.startswith((_GZIP, _ZSTD))


class Stretch(io.RawIOBase):
    """The next so many bytes of a file, as a file."""

    def __init__(self, file: Readable, size: int) -> None:
        self._file = file
        self._left = size

    def readable(self) -> bool:
        """See `io.IOBase`."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read on, at most to the end of the part."""
        data = self._file.read(self._left if size < 0 else min(size, self._left)) or b""
        self._left -= len(data)
        return data


class Part(Stretch):
    """A part of a file that can be passed over without being read; `start` is where it begins."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        super().__init__(file, size)
        self._end = start + size

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go on by `offset`: nothing else is asked for."""
        at: int = self._file.seek(offset, 1)  # type: ignore[attr-defined]
        self._left = max(0, self._end - at)
        return at


class _Raw(io.RawIOBase):
    """The raw bytes, counted and hashed; `head` are the first of them, which have been looked at."""

    def __init__(self, file: Readable, hashing: hashlib._Hash | None) -> None:
        self._file = file
        self.hash = hashing
        self.taken = 0
        self.head = file.read(6) or b""
        self._again = self.head

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int = -1) -> bytes:
        size = CHUNK if size < 0 else size
        data = self._again[:size] if self._again else self._file.read(size) or b""
        self._again = self._again[len(data) :] if self._again else b""
        self.taken += len(data)
        if self.hash is not None:
            self.hash.update(data)
        return data


class Forward:
    """The decompressed content of a stream, which can only be read on and skipped.

    `hashed` says of what `digest()` is: of the `raw` bytes, of the `content` that they unpack to, or of `nothing`.
    `BombError` if more comes out than is in programs; `OSError`, `EOFError` where the compressed data is damaged.
    """

    def __init__(self, file: Readable, hashed: Literal["raw", "content", "nothing"] = "nothing") -> None:
        self._hash = None if hashed == "nothing" else hashlib.sha256()
        self._raw = _Raw(file, self._hash if hashed == "raw" else None)
        self.packed = is_packed(self._raw.head)
        self._content: Readable = _unpacked(self._raw) if self.packed else self._raw
        self._content_hash = self._hash if hashed == "content" else None
        # What is neither unpacked nor hashed need not be read to be passed over.
        seeks = hashed == "nothing" and not self.packed
        self._seek: Callable[[int, int], int] | None = getattr(file, "seek", None) if seeks else None
        self._buffer = b""
        self._at = 0
        self._base = 0

    def tell(self) -> int:
        """How far it has been read, in bytes of the content."""
        return self._base + self._at

    def read(self, size: int = CHUNK) -> bytes:
        """The next bytes: fewer than `size` only at the end."""
        end = self._at + size
        if end <= len(self._buffer):
            data = self._buffer[self._at : end]
            self._at = end
            return data
        parts = [self._buffer[self._at :]]
        size -= len(parts[0])
        self._at = len(self._buffer)
        while size > 0 and self._fill():
            parts.append(self._buffer[:size])
            self._at = len(parts[-1])
            size -= len(parts[-1])
        return b"".join(parts)

    def skip(self, size: int) -> bool:
        """Pass over bytes; False if there are known not to be as many."""
        ahead = size - (len(self._buffer) - self._at)
        if ahead > CHUNK and self._seek is not None and self._base + len(self._buffer) >= len(self._raw.head):
            self._seek(ahead, 1)
            self._base += len(self._buffer) + ahead
            self._buffer, self._at = b"", 0
            return True
        while size > len(self._buffer) - self._at:
            size -= len(self._buffer) - self._at
            self._at = len(self._buffer)
            if not self._fill():
                return False
        self._at += size
        return True

    def drain(self) -> None:
        """Read to the very end, for the digests' sake."""
        self._at = len(self._buffer)
        while self._fill():
            self._at = len(self._buffer)
        while self._raw.read(CHUNK):
            pass

    def digest(self) -> str:
        """The digest of what is `hashed`, as far as it was passed over: `sha256:...`; empty for `nothing`."""
        return f"sha256:{self._hash.hexdigest()}" if self._hash is not None else ""

    def _unpacked(self) -> bytes | None:
        import zlib

        import zstandard

        errors: list[type[Exception]] = [zlib.error, zstandard.ZstdError]
        with suppress(ImportError):
            from isal import isal_zlib

            errors.append(isal_zlib.error)  # type: ignore[arg-type]
        try:
            return self._content.read(CHUNK)
        except tuple(errors) as error:
            raise OSError(f"it cannot be unpacked: {error}") from None

    def _fill(self) -> bool:
        """Replace the buffer, which has been read, by what comes next."""
        data = self._content.read(CHUNK) if not self.packed else self._unpacked()
        if not data:
            return False
        self._base += len(self._buffer)
        self._buffer, self._at = data, 0
        given = self._base + len(data)
        if self.packed and given > _HARMLESS and given > _RATIO * self._raw.taken:
            raise BombError(f"more than {given >> 20} MB come out of {max(1, self._raw.taken >> 10)} KB")
        if self._content_hash is not None:
            self._content_hash.update(data)
        return True


def _unpacked(raw: _Raw) -> Readable:
    """What a compressed stream holds."""
    if raw.head.startswith(_ZSTD):
        import zstandard

        return zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(raw, read_across_frames=True)  # type: ignore[arg-type]
    try:
        # Inflates twice to three times as fast as zlib, but has no wheels for some machines.
        from isal.igzip import IGzipFile
    except ImportError:
        from gzip import GzipFile

        return GzipFile(fileobj=raw)
    return IGzipFile(fileobj=raw)  # type: ignore[no-untyped-call]
