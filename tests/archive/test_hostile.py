"""Archives that are made to do harm, or damaged: each is refused with a reason, within a second."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pid1lint import cli
from pid1lint.archive.image import read_image
from pid1lint.errors import UnreadableError
from tests.archive.build import PACKINGS, Built, Entry, archived, digest, hard_link, layer, layout, link, text

Make = Callable[[Path], str]


def of_layer(data: bytes, packing: str = "+gzip") -> Make:
    return lambda at: f"oci:{Built([data]).oci(at / 'layout', packing)}"


def _changed(name: str, change: Callable[[bytes], bytes]) -> Make:
    """A layout in which one blob is not what its digest says: `config`, `layer` or `manifest`."""

    def make(at: Path) -> str:
        built = Built([layer([text("a", "b" * 2000)])])
        blobs, row = built.blobs("")
        which = {"config": digest(built.configuration()), "layer": digest(built.layers[0]), "manifest": row["digest"]}
        blobs[which[name]] = change(blobs[which[name]])
        return f"oci:{layout(at / 'layout', blobs, [row])}"

    return make


def _docker_with(change: Callable[[dict[str, bytes]], object], *links: Entry) -> Make:
    def make(at: Path) -> str:
        with tarfile.open(Built([layer([text("a", "b")])]).docker(at / "plain.tar")) as archive:
            files = {m.name: (archive.extractfile(m) or io.BytesIO()).read() for m in archive}
        change(files)
        (at / "a.tar").write_bytes(layer([*(Entry(name, data) for name, data in files.items()), *links]))
        return f"docker-archive:{at / 'a.tar'}"

    return make


def _layer_is_a_link(target: str) -> Make:
    def change(files: dict[str, bytes]) -> None:
        del files[next(name for name in files if name.endswith("layer.tar"))]

    def make(at: Path) -> str:
        name = f"{digest(layer([text('a', 'b')]))[7:]}/layer.tar"
        return _docker_with(change, link(name, target))(at)

    return make


def _headers(count: int) -> bytes:
    """So many empty files, made quickly."""
    blocks = []
    for number in range(count):
        info = tarfile.TarInfo(f"d/{number:07}")
        blocks.append(info.tobuf(tarfile.USTAR_FORMAT) if number < 1 else b"")
    first = bytearray(blocks[0])
    made = bytearray()
    for number in range(count):
        first[2:9] = b"%07d" % number
        made += first
    return bytes(made) + bytes(1024)


def _bomb() -> bytes:
    """A layer of 20 GB in one file, as far as its header says, of which 800 MB follow."""
    info = tarfile.TarInfo("zeros")
    info.size = 20 << 30
    made = io.BytesIO()
    with gzip.GzipFile(fileobj=made, mode="wb", compresslevel=1) as packed:
        packed.write(info.tobuf(tarfile.GNU_FORMAT))
        zeros = bytes(1 << 24)
        for _ in range(52):
            packed.write(zeros)
    return made.getvalue()


def _packed_as(change: Callable[[bytes], bytes], packing: str) -> Make:
    """A layer that has the right digest, and does not unpack."""
    data = layer([text(f"f{number}", str(number) * 400) for number in range(20)])
    return lambda at: _with_layer(at, change(PACKINGS[packing](data)))


def bomb(at: Path) -> str:
    return _with_layer(at, _bomb())


def _with_layer(at: Path, data: bytes) -> str:
    built = Built([layer([])])
    blobs, row = built.blobs("+gzip")
    manifest = json.loads(blobs[row["digest"]])
    manifest["layers"] = [dict(manifest["layers"][0], digest=digest(data), size=len(data))]
    text = json.dumps(manifest).encode()
    blobs |= {digest(data): data, digest(text): text}
    return f"oci:{layout(at / 'layout', blobs, [dict(row, digest=digest(text))])}"


def index(rows: object) -> Make:
    def make(at: Path) -> str:
        layout(at / "layout", {}, [])
        (at / "layout" / "index.json").write_text(rows if isinstance(rows, str) else json.dumps(rows))
        return f"oci:{at / 'layout'}"

    return make


def pipe(at: Path) -> str:
    os.mkfifo(at / "pipe")
    return f"docker-archive:{at / 'pipe'}"


HOSTILE: dict[str, tuple[Make, str]] = {
    "a path with .. in a layer": (
        of_layer(layer([text("../../etc/passwd", "x")])),
        "has a path that leads out of it: ../../etc/passwd",
    ),
    "a path with .. further down": (
        of_layer(layer([text("a/../../b", "x")])),
        "has a path that leads out of it: a/../../b",
    ),
    "a hard link out of the image": (
        of_layer(layer([hard_link("passwd", "../../../etc/passwd")])),
        "has a path that leads out of it: ../../../etc/passwd",
    ),
    "a hard link to a file of the host": (
        of_layer(layer([hard_link("passwd", "/etc/passwd")])),
        "has a hard link to something outside: /etc/passwd",
    ),
    "a path with .. in the archive": (
        _docker_with(lambda files: files.update({"../x": b""})),
        "has a path that leads out of it: ../x",
    ),
    "an absolute path in the archive": (
        _docker_with(lambda files: files.update({"/etc/x": b""})),
        "has a path that leads out of it: /etc/x",
    ),
    "a layer that is an absolute link": (_layer_is_a_link("/etc/passwd"), "leads out of it"),
    "a layer that is a link out of the archive": (_layer_is_a_link("../../etc/passwd"), "leads out of it"),
    "entries without end": (
        of_layer(_headers(250_000)),
        "is made to fill the memory or the disk: it has more than 100000",
    ),
    "entries without end, not compressed": (
        of_layer(_headers(250_000), ""),
        "is made to fill the memory or the disk: it has more than 100000 entries",
    ),
    "entries in many layers": (
        lambda at: f"oci:{Built([_headers(60_000)] * 8).oci(at / 'layout')}",
        "is made to fill the memory or the disk: it has more than 100000 entries that are almost empty",
    ),
    "long names in many layers": (
        lambda at: f"oci:{Built([layer(text(f'{n}/' + 'x' * 4000, '') for n in range(3000))] * 9).oci(at / 'layout')}",
        "is made to fill the memory or the disk: the names of its entries take more than 96 MB",
    ),
    "gzip that is damaged": (_packed_as(lambda data: data[:40] + bytes(20) + data[60:], "+gzip"), "cannot be read"),
    "gzip cut short": (_packed_as(lambda data: data[:-30], "+gzip"), "cannot be read: "),
    "zstd that is damaged": (_packed_as(lambda data: data[:8] + bytes(20) + data[28:], "+zstd"), "cannot be read"),
    "a bomb": (bomb, "is made to fill the memory or the disk: more than"),
    "a wrong digest of a layer": (_changed("layer", lambda data: data[:600] + b"c" + data[601:]), "is damaged, or not"),
    "a wrong digest of the configuration": (_changed("config", lambda data: data + b" "), "is damaged, or not what it"),
    "a wrong digest of the manifest": (
        _changed("manifest", lambda data: data + b" "),
        "is damaged, or not what it says",
    ),
    "a layer cut short": (_changed("layer", lambda data: data[:700]), "ends in the middle of a file"),
    "a wrong digest in a docker archive": (
        _docker_with(lambda files: files.update({n: layer([]) for n in files if n.endswith("layer.tar")})),
        "is damaged, or not what it says it is: a layer",
    ),
    "a digest that is a path": (
        index({"manifests": [{"digest": "sha256:../../../../etc/passwd"}]}),
        "has an invalid digest",
    ),
    "JSON nested without end": (index("[" * 200_000), "cannot be read: its JSON is nested too deeply"),
    "an index that is a list": (index([]), "is damaged: index.json has other content"),
    "no manifest": (_docker_with(lambda files: files.pop("manifest.json")), "is not an image: it has neither"),
    "a pipe": (pipe, "cannot be read: it is not a regular file"),
    "nothing": (lambda at: f"oci-archive:{at / 'none.tar'}", "does not exist"),
    "a file that is no archive": (lambda _: f"docker-archive:{__file__}", "is not a tar archive"),
    "a very deep path": (of_layer(layer([text("d/" * 300 + "f", "x")])), "has an impossible path"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused(name: str, tmp_path: Path) -> None:
    make, reason = HOSTILE[name]
    source = make(tmp_path)
    begin = time.process_time()
    with pytest.raises(UnreadableError) as told:
        read_image(source)
    assert reason in told.value.reason
    # A second on a machine of today; threads count.
    assert time.process_time() - begin < 2.5


def test_it_is_a_finding_like_a_dockerfile_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = of_layer(layer([text("../x", "y")]))(Path())
    assert cli.run([source, "-f", "concise"]) == 1
    assert capsys.readouterr().out.splitlines()[0] == (
        "oci:layout:1:1: PID902 oci:layout has a path that leads out of it: ../x"
    )


def test_an_archive_within_an_archive_is_not_followed(tmp_path: Path) -> None:
    inner = archived(Built([layer([text("a.sh", "x")])]).oci(tmp_path / "inner"), tmp_path / "inner.tar")
    image = read_image(f"oci:{Built([layer([Entry('b.tar', inner.read_bytes())])]).oci(tmp_path / 'outer')}")
    assert image.files.entries("/") == ("b.tar",)
