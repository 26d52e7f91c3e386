"""From a source to its manifest, its configuration and its layers, whatever the form: OCI's or Docker's."""

from __future__ import annotations

import json
import os
import platform as machine
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any, Literal, Protocol, TypeAlias

from pid1lint.archive.reference import ENGINES, Reference
from pid1lint.archive.stream import BombError, Forward, Part, Stretch
from pid1lint.archive.tar import NO_TAR, Member, TarError, members
from pid1lint.errors import UnreadableError
from pid1lint.frozen import NamedTuple

MAX_JSON = 8 << 20
"""No manifest or configuration is larger, in bytes."""
_MOST_LAYERS = 512
"""Docker itself allows 127."""
_MOST_ENTRIES = 600_000
_MOST_NAMES = 96 << 20
"""How many characters the paths of all entries may have together."""
_MOST_BARE = 100_000
"""So many entries may hold next to nothing on average."""
_BARE = 128
_NESTED = 4
BOMB = "is made to fill the memory or the disk:"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = "org.opencontainers.image.ref.name"
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
MOST_KEPT = 256 << 10
"""The largest text that is kept while a layer is read, in bytes."""
_KEPT_IN_ALL = 96 << 20
_NOT_KEPT = re.compile(
    r"(?:^|/)(?:node_modules|site-packages|dist-packages|__pycache__|usr/share|usr/include|proc|sys)/"
)
_TEXTS = re.compile(
    r"\.(?:sh|bash|conf|cfg|ini|cnf|json|js|mjs|cjs|ts|py|rb|ru|php|pl|pm|toml|ya?ml|env)\Z"
    r"|^(?:\./)?etc/(?:passwd|os-release|alternatives/|default/|init\.d/)|^(?:\./)?usr/lib/os-release\Z"
    r"|(?:^|/)(?:dpkg/status|apk/db/installed)\Z"
)
_DATABASES = re.compile(r"(?:^|/)(?:dpkg/status|apk/db/installed)\Z")


_Hashed: TypeAlias = Literal["raw", "content", "nothing"]


class Layer(NamedTuple):
    """What a layer holds: `kept` has contents by where their data begins; `reopen` begins its tar again."""

    members: tuple[Member, ...]
    kept: Mapping[int, bytes]
    reopen: Callable[[], Forward]


class Contents(NamedTuple):
    """An image as it is stored: its configuration as JSON, and its layers, the lowest first."""

    config: Mapping[str, Any]
    layers: tuple[Layer, ...]


def load(reference: Reference, platform: str = "") -> Contents:
    """Read an image; `platform` is as in `linux/arm64`, empty for this machine's.

    `UnreadableError` if there is none, or if it is damaged or made to do harm.
    """
    shown = reference.text
    try:
        return _load(reference, platform)
    except TarError as error:
        raise UnreadableError(shown, str(error)) from None
    except BombError as error:
        raise UnreadableError(shown, f"{BOMB} {error}") from None
    except FileNotFoundError:
        raise UnreadableError(shown, "does not exist") from None
    except IsADirectoryError:
        raise UnreadableError(shown, f"is a folder; did you mean oci:{reference.where}?") from None
    except NotADirectoryError:
        raise UnreadableError(shown, f"is not a folder; did you mean oci-archive:{reference.where}?") from None
    except (EOFError, OSError, RecursionError) as error:
        raise UnreadableError(shown, f"cannot be read: {_reason(error)}") from None


def _load(reference: Reference, platform: str) -> Contents:
    if reference.kind == "oci":
        return _oci(_Folder(reference.where), reference.tag, platform)
    if reference.kind in ENGINES:
        from pid1lint.archive.engine import saved

        file = saved(reference.kind, reference.where)
        return _docker(_Tar(file.name, file), "", platform)
    store = _Tar(reference.where)
    forms = [_docker, _oci] if reference.kind == "docker-archive" else [_oci, _docker]
    form = next((form for form in forms if store.has(_FIRST[form])), None)
    if form is None:
        raise TarError("is not an image: it has neither an index.json nor a manifest.json")
    return form(store, reference.tag, platform)


def _reason(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "its JSON is nested too deeply"
    said = error.strerror if isinstance(error, OSError) else None
    return said or str(error) or type(error).__name__


# ------------------------------------------------------------------ where it lies


class _Store(Protocol):
    """A set of files by name, which are read from the front."""

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""

    def text(self, name: str) -> bytes:
        """A small file."""

    def layer(self, name: str, digest: str, hashed: _Hashed, keeping: Keeping) -> Layer:
        """A layer, whose digest must be this one."""


class _Folder:
    """An OCI layout on the disk."""

    def __init__(self, path: str) -> None:
        if not os.path.isdir(path):
            raise NotADirectoryError(path) if os.path.lexists(path) else FileNotFoundError(path)
        self.path = path

    def has(self, name: str) -> bool:
        """See `_Store`."""
        return os.path.isfile(os.path.join(self.path, name))

    def text(self, name: str) -> bytes:
        """See `_Store`."""
        with self._open(name) as file:
            return _small(file.read(MAX_JSON + 1), name)

    def layer(self, name: str, digest: str, hashed: _Hashed, keeping: Keeping) -> Layer:
        """See `_Store`."""
        with self._open(name) as file:
            found = _read_layer(Forward(file, hashed), digest, keeping)
        return found._replace(reopen=lambda: Forward(self._open(name)))

    def _open(self, name: str) -> IO[bytes]:
        path = os.path.join(self.path, name)
        # Nothing but a regular file: reading a pipe or a device might never end.
        if not os.path.isfile(path):
            raise TarError(f"lacks {name}")
        return open(path, "rb")


class _Tar:
    """An archive of the files; one that is compressed as a whole is read once, layers and all.

    `holder` is kept as long as the archive is in use.
    """

    def __init__(self, path: str, holder: object = None) -> None:
        if os.path.lexists(path) and not os.path.isfile(path) and not os.path.isdir(path):
            raise OSError("it is not a regular file")
        self.path = path
        self.holder = holder
        self._places: dict[str, Member] = {}
        self._texts: dict[str, bytes] = {}
        self._layers: dict[str, tuple[Layer, str]] = {}
        # Which programs it starts is not known before its configuration, which may come last.
        self._keeping = Keeping(frozenset())
        with open(path, "rb") as file:
            stream = Forward(file)
            self._packed = stream.packed
            for member in members(stream):
                name = posixpath.normpath(member.path)
                if name.startswith(("../", "/")):
                    raise TarError(f"has a path that leads out of it: {member.path[:80]}")
                self._places[name] = member
                if len(self._places) > _MOST_LAYERS * 8:
                    raise TarError("is not an image: it has too many files")
                if self._packed and member.kind == "file":
                    self._look_into(name, member, stream)

    def _look_into(self, name: str, member: Member, stream: Forward) -> None:
        """Keep what a member of a compressed archive is: there is no way back to it but from the beginning."""
        if member.stored <= MAX_JSON and name.endswith(("json", "VERSION", "oci-layout")):
            self._texts[name] = stream.read(member.stored)
            return
        part = Stretch(stream, member.stored)
        head = part.read(min(2, member.stored))
        if member.stored <= MAX_JSON and head[:1] in (b"{", b"["):
            self._texts[name] = head + part.read()
            return
        inner = Forward(_Rejoined(head, part), "raw")
        try:
            layer = _read_layer(inner, "", self._keeping)
        except TarError as error:
            if str(error) != NO_TAR:
                raise
            return
        self._layers[name] = (layer._replace(reopen=lambda: self._reopen(member)), inner.digest())

    def has(self, name: str) -> bool:
        """See `_Store`."""
        return name in self._places

    def text(self, name: str) -> bytes:
        """See `_Store`."""
        member = self._resolved(name)
        held = self._texts.get(posixpath.normpath(member.path))
        if held is not None:
            return held
        if member.stored > MAX_JSON:
            raise TarError(f"has a {name} of more than 8 MB")
        with open(self.path, "rb") as file:
            file.seek(member.data)
            return file.read(member.stored)

    def layer(self, name: str, digest: str, hashed: _Hashed, keeping: Keeping) -> Layer:
        """See `_Store`."""
        member = self._resolved(name)
        if self._packed:
            found = self._layers.get(posixpath.normpath(member.path))
            if found is None:
                raise TarError(f"has no tar archive at {name}")
            layer, own = found
            _agree(own, digest, name)
            return layer
        with open(self.path, "rb") as file:
            file.seek(member.data)
            layer = _read_layer(Forward(Stretch(file, member.stored), hashed), digest, keeping)
        return layer._replace(reopen=lambda: self._reopen(member))

    def _reopen(self, member: Member) -> Forward:
        file = open(self.path, "rb")  # noqa: SIM115 - closed with the stream
        if not self._packed:
            file.seek(member.data)
            return Forward(Part(file, member.data, member.stored))
        outer = Forward(file)
        outer.skip(member.data)
        return Forward(Stretch(outer, member.stored))

    def _resolved(self, name: str) -> Member:
        """The file of a name; older versions of `docker save` link a layer that two images share."""
        for _ in range(_NESTED):
            member = self._places.get(posixpath.normpath(name))
            if member is None:
                raise TarError(f"lacks {name}")
            if member.kind == "file":
                return member
            target = member.target
            if member.kind == "link":
                target = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
            if member.kind not in ("link", "hardlink") or target.startswith(("/", "../")):
                raise TarError(f"has a {name} that leads out of it")
            name = target
        raise TarError(f"has a {name} that leads nowhere")


class _Rejoined:
    """A stream whose first bytes have been looked at."""

    def __init__(self, head: bytes, rest: Stretch) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int = -1, /) -> bytes:
        """Read on."""
        if not self._head:
            return self._rest.read(size)
        data, self._head = self._head[:size], self._head[size:] if size >= 0 else b""
        return data


def _small(data: bytes, name: str) -> bytes:
    if len(data) > MAX_JSON:
        raise TarError(f"has a {name} of more than 8 MB")
    return data


class Keeping:
    """What is kept of an image while its layers are read, and how much that may be for all of them together.

    `programs` are the names of those that it starts.
    """

    def __init__(self, programs: frozenset[str]) -> None:
        self.programs = programs
        self._entries = 0
        self._names = 0
        self._stored = 0
        self._kept = 0

    def count(self, member: Member) -> None:
        """Count an entry; `TarError` if there are too many."""
        self._entries += 1
        self._names += len(member.path) + len(member.target)
        self._stored += member.stored
        if self._entries > _MOST_BARE and self._stored < self._entries * _BARE:
            raise TarError(f"{BOMB} it has more than {_MOST_BARE} entries that are almost empty")
        if self._entries > _MOST_ENTRIES:
            raise TarError(f"{BOMB} it has more than {_MOST_ENTRIES} entries")
        if self._names > _MOST_NAMES:
            raise TarError(f"{BOMB} the names of its entries take more than {_MOST_NAMES >> 20} MB")

    def worth(self, member: Member, stream: Forward) -> bytes:
        """The content of a file that is likely to be asked for: its layer need not be read once more for it."""
        path, size = member.path, member.size
        if not size or member.kind != "file" or member.sparse or self._kept + size > _KEPT_IN_ALL:
            return b""
        if self.programs and path.rpartition("/")[2] in self.programs:
            return self._taken(stream.read(size))
        if size > MOST_KEPT:
            return self._taken(stream.read(size)) if size <= MAX_JSON and _DATABASES.search(path) else b""
        named = _TEXTS.search(path) is not None
        if not (named or member.mode & 0o111) or _NOT_KEPT.search(path):
            return b""
        data = stream.read(size)
        return self._taken(data) if named or data.startswith(b"#!") else b""

    def _taken(self, data: bytes) -> bytes:
        self._kept += len(data)
        return data


def _read_layer(stream: Forward, digest: str, keeping: Keeping) -> Layer:
    """Read a layer through to its end, and hold it against its digest (empty: against none)."""
    found: list[Member] = []
    kept: dict[int, bytes] = {}
    for member in members(stream):
        keeping.count(member)
        found.append(member)
        data = keeping.worth(member, stream)
        if data:
            kept[member.data] = data
    if digest:
        stream.drain()
        _agree(stream.digest(), digest, "a layer")
    return Layer(tuple(found), kept, _unopened)


def _unopened() -> Forward:
    raise NotImplementedError


def _agree(own: str, digest: str, what: str) -> None:
    if digest and own != digest:
        raise TarError(
            f"is damaged, or not what it says it is: {what} has the digest {own[:19]}..., not {digest[:19]}..."
        )


# ------------------------------------------------------------------------- forms


def _docker(store: _Store, tag: str, platform: str) -> Contents:
    """What `docker save` and `podman save` write."""
    images = _json(store.text("manifest.json"), "manifest.json", list)
    image = _tagged(images, tag, lambda row: [str(name) for name in row.get("RepoTags") or ()])
    name = str(image.get("Config", ""))
    text = store.text(name)
    digest = re.search(r"[0-9a-f]{64}", name)
    _agree(_digest(text), f"sha256:{digest[0]}" if digest else "", name)
    config = _json(text, name, dict)
    _fits(config, platform)
    names = [str(layer) for layer in image.get("Layers") or ()]
    digests = [str(digest) for digest in (config.get("rootfs") or {}).get("diff_ids") or ()]
    if len(names) != len(digests):
        raise TarError(f"is damaged: it has {len(names)} layers, and its configuration names {len(digests)}")
    return Contents(config, _layers(store, list(zip(names, digests, strict=True)), "content", config))


def _oci(store: _Store, tag: str, platform: str) -> Contents:
    """The Open Container Initiative's image layout."""
    index = _json(store.text("index.json"), "index.json", dict)
    rows = [row for row in index.get("manifests") or () if isinstance(row, dict) and not _is_about_another(row)]
    by_tag = {str((row.get("annotations") or {}).get(_TAG, "")) for row in rows}
    if tag or len(by_tag) > 1:
        row = _tagged(rows, tag, lambda row: [str((row.get("annotations") or {}).get(_TAG, ""))])
        rows = [dict(row)]
    manifest = _manifest(store, rows, platform, 0)
    config = _json(_blob(store, manifest.get("config")), "the configuration", dict)
    _fits(config, platform)
    rows = [row for row in manifest.get("layers") or () if isinstance(row, dict)]
    return Contents(config, _layers(store, [(_path(row), str(row["digest"])) for row in rows], "raw", config))


_FIRST: Mapping[object, str] = {_docker: "manifest.json", _oci: "index.json"}


def _manifest(store: _Store, rows: Sequence[Mapping[str, Any]], platform: str, depth: int) -> Mapping[str, Any]:
    """The manifest of one image, through indexes of several platforms."""
    row = _for_platform(rows, platform)
    found: Mapping[str, Any] = _json(_blob(store, row), "a manifest", dict)
    if "manifests" not in found:
        return found
    if depth >= _NESTED:
        raise TarError("has indexes that name each other")
    inner = [row for row in found["manifests"] or () if isinstance(row, dict) and not _is_about_another(row)]
    return _manifest(store, inner, platform, depth + 1)


def _is_about_another(row: Mapping[str, Any]) -> bool:
    """Whether a manifest is no image but what BuildKit attests of one."""
    return (row.get("annotations") or {}).get("vnd.docker.reference.type") == "attestation-manifest"


def _for_platform(rows: Sequence[Mapping[str, Any]], platform: str) -> Mapping[str, Any]:
    shown = {_shown(row.get("platform") or {}): row for row in rows}
    if len(rows) == 1 and (not platform or "" in shown):
        return rows[0]
    wanted = platform or f"linux/{_ARCHITECTURES.get(machine.machine().lower(), 'amd64')}"
    fitting = [row for name, row in shown.items() if name == wanted or name.startswith(wanted + "/")]
    if fitting:
        return fitting[0]
    there = ", ".join(sorted(name for name in shown if name)) or "none"
    raise TarError(f"has no image for {wanted}: --platform takes one of {there}")


def _shown(platform: Mapping[str, Any]) -> str:
    return "/".join(str(platform[key]) for key in ("os", "architecture", "variant") if platform.get(key))


def _fits(config: Mapping[str, Any], platform: str) -> None:
    own = _shown({**config, "variant": ""})
    if platform and own and not f"{platform}/".startswith(own + "/"):
        raise TarError(f"is for {own}, not for {platform}")


def _tagged(rows: Sequence[Any], tag: str, names: Callable[[Mapping[str, Any]], list[str]]) -> Mapping[str, Any]:
    """The image with a tag; without one, the only one."""
    rows = [row for row in rows if isinstance(row, dict)]
    if not tag and len(rows) == 1:
        found: Mapping[str, Any] = rows[0]
        return found
    there = sorted({name for row in rows for name in names(row) if name})
    for row in rows if tag else ():
        if any(name == tag or name.endswith(("/" + tag, ":" + tag)) for name in names(row)):
            return row  # type: ignore[no-any-return]
    which = (
        f"has no image {tag}"
        if tag
        else "has several images: name one of them after a colon"
        if rows
        else "has no image"
    )
    raise TarError(f"{which}{': it has ' + ', '.join(there) if there else ''}")


def _path(row: Mapping[str, Any]) -> str:
    """Where the blob of a descriptor lies."""
    digest = str(row.get("digest", ""))
    if not _DIGEST.fullmatch(digest):
        raise TarError(f"has an invalid digest: {digest[:80]!r}")
    return f"blobs/sha256/{digest[7:]}"


def _blob(store: _Store, row: object) -> bytes:
    """The JSON that a descriptor names."""
    if not isinstance(row, dict):
        raise TarError("is damaged: a manifest has no configuration")
    name = _path(row)
    data = store.text(name)
    _agree(_digest(data), str(row["digest"]), name)
    return data


def _digest(data: bytes) -> str:
    import hashlib

    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _json(data: bytes, name: str, kind: type) -> Any:
    try:
        value = json.loads(data)
    except ValueError:
        raise TarError(f"is damaged: {name} is not valid JSON") from None
    if not isinstance(value, kind):
        raise TarError(f"is damaged: {name} has other content")
    return value


def _layers(
    store: _Store, names: Sequence[tuple[str, str]], hashed: _Hashed, config: Mapping[str, Any]
) -> tuple[Layer, ...]:
    """All layers, read side by side: decompressing and hashing leave the interpreter free."""
    if config.get("os") == "windows":
        # Nobody's business here; and its lowest layers may be elsewhere.
        return ()
    if len(names) > _MOST_LAYERS:
        raise TarError(f"has {len(names)} layers")
    keeping = Keeping(_programs(config.get("config") or {}))
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        coming = [pool.submit(store.layer, name, digest, hashed, keeping) for name, digest in names]
        try:
            return tuple(layer.result() for layer in coming)
        finally:
            for layer in coming:
                layer.cancel()


def _programs(config: Mapping[str, Any]) -> frozenset[str]:
    """The names of what the image starts, as far as its configuration tells."""
    words = [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
    texts = [part for word in words if isinstance(word, str) for part in word.split()]
    return frozenset(posixpath.basename(text) for text in texts if not text.startswith("-")) - {"sh", "bash", "env", ""}
