"""Makes images without an engine: layers, configurations and manifests, also such as no engine would make."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import zstandard

Json = dict[str, Any]


class Entry(NamedTuple):
    """One member of a layer."""

    path: str
    content: bytes = b""
    mode: int = 0o644
    kind: bytes = tarfile.REGTYPE
    target: str = ""


def text(path: str, content: str, mode: int = 0o644) -> Entry:
    return Entry(path, content.encode(), mode)


def script(path: str, content: str) -> Entry:
    return text(path, content, 0o755)


def link(path: str, target: str) -> Entry:
    return Entry(path, kind=tarfile.SYMTYPE, target=target, mode=0o777)


def hard_link(path: str, target: str) -> Entry:
    return Entry(path, kind=tarfile.LNKTYPE, target=target)


def folder(path: str) -> Entry:
    return Entry(path, kind=tarfile.DIRTYPE, mode=0o755)


def layer(entries: Iterable[Entry], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A layer as a tar archive."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.path)
            info.mode, info.type, info.linkname = entry.mode, entry.kind, entry.target
            info.size = len(entry.content)
            archive.addfile(info, io.BytesIO(entry.content))
    return made.getvalue()


PACKINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "+gzip": lambda data: gzip.compress(data, 1),
    "+zstd": lambda data: zstandard.ZstdCompressor().compress(data),
}


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Built:
    """An image: its layers as tar archives, the lowest first, and its configuration."""

    layers: Sequence[bytes]
    config: Json = field(default_factory=dict)
    architecture: str = "amd64"

    def configuration(self) -> bytes:
        return json.dumps(
            {
                "architecture": self.architecture,
                "os": "linux",
                "config": self.config,
                "rootfs": {"type": "layers", "diff_ids": [digest(data) for data in self.layers]},
            }
        ).encode()

    def blobs(self, packing: str = "+gzip") -> tuple[dict[str, bytes], Json]:
        """The blobs by digest, and the descriptor of the manifest among them."""
        config = self.configuration()
        packed = [PACKINGS[packing](data) for data in self.layers]
        blobs = {digest(data): data for data in (config, *packed)}
        kind = f"application/vnd.oci.image.layer.v1.tar{packing}"
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "config": descriptor(config, "application/vnd.oci.image.config.v1+json"),
                "layers": [descriptor(data, kind) for data in packed],
            }
        ).encode()
        blobs[digest(manifest)] = manifest
        row = descriptor(manifest, "application/vnd.oci.image.manifest.v1+json")
        row["platform"] = {"os": "linux", "architecture": self.architecture}
        return blobs, row

    def oci(self, where: Path, packing: str = "+gzip") -> Path:
        blobs, row = self.blobs(packing)
        return layout(where, blobs, [row])

    def docker(self, where: Path, packing: str = "") -> Path:
        """As `docker save` writes it; `packing` is that of the whole file."""
        config = self.configuration()
        names = [f"{digest(data)[7:]}/layer.tar" for data in self.layers]
        rows = [{"Config": f"{digest(config)[7:]}.json", "RepoTags": ["app:1"], "Layers": names}]
        files = dict(zip(names, self.layers, strict=True))
        files[f"{digest(config)[7:]}.json"] = config
        files["manifest.json"] = json.dumps(rows).encode()
        where.write_bytes(PACKINGS[packing](layer(Entry(name, data) for name, data in files.items())))
        return where


def descriptor(data: bytes, kind: str) -> Json:
    return {"mediaType": kind, "digest": digest(data), "size": len(data)}


def layout(where: Path, blobs: Mapping[str, bytes], rows: Sequence[Json]) -> Path:
    """An OCI layout on the disk."""
    folder = where / "blobs" / "sha256"
    folder.mkdir(parents=True)
    for name, data in blobs.items():
        (folder / name.removeprefix("sha256:")).write_bytes(data)
    (where / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (where / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": list(rows)}))
    return where


def archived(folder: Path, where: Path, packing: str = "") -> Path:
    """A layout as one file."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    data = layer(Entry(str(path.relative_to(folder)), path.read_bytes()) for path in files)
    where.write_bytes(PACKINGS[packing](data))
    return where
