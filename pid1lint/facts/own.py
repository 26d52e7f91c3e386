"""Facts with those of the user's own: what a configuration says of images and programs goes before what we know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pid1lint.facts import programs
from pid1lint.facts.images import BaseImage, base_image, family_image, parse_reference
from pid1lint.facts.programs import CONFIGURED, Program, Recipe
from pid1lint.frozen import NamedTuple

if TYPE_CHECKING:
    from typing import Self

_REACTIONS = {"ignores": "survives"}


class Facts(NamedTuple):
    """What is known of base images and programs.

    `images` has the user's rows by name (one that ends in `*` stands for all that start so), `rows` the user's
    programs by name. `binaries` answers for a command by the program's own file, where no row does.
    """

    images: Mapping[str, Mapping[str, Any]] = {}
    rows: Mapping[str, tuple[Program, ...]] = {}
    binaries: Callable[[Sequence[str]], Program | None] | None = None

    @classmethod
    def of(cls, images: Mapping[str, Mapping[str, Any]], rows: Mapping[str, Mapping[str, Any]]) -> Self:
        """Facts from the tables of a configuration, which keeps to the schema."""
        return cls(images, {name: (_program(name, row),) for name, row in rows.items()})

    def base_image(self, reference: str) -> BaseImage | None:
        """The facts of an image by its reference as in FROM; see `facts.images.base_image`."""
        row = self._row(reference) if self.images else None
        return base_image(reference) if row is None else _image(reference, row)

    def archive(self, reference: str) -> str:
        """The archive that an image is read from, as a source of `check`; empty where none is named."""
        row = self._row(reference) if self.images else None
        return str(row.get("archive", "")) if row is not None else ""

    def program(self, argv: Sequence[str], otherwise: Callable[[Program], bool] | None = None) -> Program | None:
        """The row that fits a command; see `facts.programs.program`."""
        row = programs.program(argv, otherwise, self.rows)
        return row if row is not None or self.binaries is None else self.binaries(argv)

    def _row(self, reference: str) -> Mapping[str, Any] | None:
        written = reference.strip().partition("@")[0]
        head, slash, tail = written.rpartition("/")
        names = (head + slash + tail.partition(":")[0], parse_reference(reference).name)
        for name in names:
            if name in self.images:
                row = self.images[name]
                return None if "dockerfile" in row else row
        prefixes = [key for key in self.images if key.endswith("*") and any(n.startswith(key[:-1]) for n in names)]
        return self.images[max(prefixes, key=len)] if prefixes else None


def _image(reference: str, row: Mapping[str, Any]) -> BaseImage:
    name, tag, _ = parse_reference(reference)
    below = base_image(row["from"]) if "from" in row else None
    image = family_image(row.get("family", ""), name, tag) if below is None or "family" in row else below
    changes: dict[str, Any] = {"name": name, "tag": tag, "guessed": False, "open_tag": False, "source": CONFIGURED}
    for key in ("sh", "user", "workdir"):
        if key in row:
            changes[key] = row[key]
    for key in ("shells", "packages"):
        if key in row:
            changes[key] = tuple(row[key])
    if "package-manager" in row:
        changes["package_manager"] = row["package-manager"]
    if "stop-signal" in row:
        changes["stop_signal"] = "SIG" + row["stop-signal"].removeprefix("SIG")
    if "env" in row:
        changes["env"] = {**image.env, **row["env"]}
    return image._replace(**changes, **_launch(row, image))


def _launch(row: Mapping[str, Any], image: BaseImage) -> dict[str, Any]:
    """ENTRYPOINT and CMD: what the image below did with its own says nothing of another entrypoint."""
    changes: dict[str, Any] = {}
    if "entrypoint" in row:
        changes = {"entrypoint": tuple(row["entrypoint"]) or None, "cmd": None}
        changes |= {"runs": (), "prepends": (), "prepends_to": ()}
        changes["entrypoint_runs"] = row.get("entrypoint-runs", "unknown") if row["entrypoint"] else "none"
    elif "entrypoint-runs" in row and image.entrypoint is not None:
        changes["entrypoint_runs"] = row["entrypoint-runs"]
    if "cmd" in row:
        changes["cmd"] = tuple(row["cmd"]) or None
    return changes


def _program(name: str, row: Mapping[str, Any]) -> Program:
    signals = {
        signal.removeprefix("SIG"): _REACTIONS.get(reaction, reaction)
        for signal, reaction in row.get("signals", {}).items()
    }
    graceful = row.get("graceful-signal", "").removeprefix("SIG")
    if graceful:
        signals.setdefault(graceful, "handles")
    return Program(
        (name,),
        lifetime=row.get("lifetime", "long"),
        arguments=row.get("arguments", ""),
        foreground=Recipe(append=tuple(row["foreground"])) if "foreground" in row else None,
        signals=signals,
        graceful=graceful,
        reaps=row.get("reaps"),
        source=CONFIGURED,
    )
