"""Who built a program of the image, and what it does with a signal: read from its source, as far as that is at hand."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

from pid1lint.dockerfile.stages import join
from pid1lint.facts import handlers
from pid1lint.image.changes import Alter, Append, Chmod, Duplicate, Link, Put, Remove, is_below
from pid1lint.image.filesystem import CopyFiles, FileSystem, ImageFile, Layer
from pid1lint.image.model import Image
from pid1lint.origin import libraries
from pid1lint.origin.builders import Maker, Product, makers
from pid1lint.origin.sources import MOST_FILES, NONE, SUFFIXES, Sources, language_of, sources
from pid1lint.source import Place

_MOST_STEPS = 64
_OUTSIDE = (
    ("cargo build", "rust", re.compile(r"(?:^|/)target/(?:[\w.-]+/)?(?:release|debug)/[^/]+$")),
    ("mvn", "java", re.compile(r"\.[jw]ar$")),
    ("dotnet publish", "dotnet", re.compile(r"(?:^|/)(?:publish|bin/Release)/.*[^/]+\.dll$")),
    ("mix release", "elixir", re.compile(r"(?:^|/)_build/prod/rel/[^/]+/bin/[^/]+$")),
    ("swift build", "swift", re.compile(r"(?:^|/)\.build/(?:[^/]+/)?release/[^/]+$")),
    ("zig build", "zig", re.compile(r"(?:^|/)zig-out/bin/[^/]+$")),
)
"""What lies where in a build context that was built before: tool, language, path."""


@dataclass(frozen=True)
class Built:
    """Who built a program.

    `stage` is the index of the stage that did, None if it was built before the image was. `tool` is its command
    (`go build`, `mvn`), empty if the program is its own source (`python app.py`). `language` is that of the source,
    empty if it is not known; `runtime` the row of the facts for what it does without a handler, mostly the same.
    `place` is the command that built it, or the COPY that brought it. `source` is its source, as far as it is at hand.
    `certain` says that the command names what it makes; else it is the one that may have made it.
    """

    path: str
    stage: int | None
    tool: str
    language: str
    runtime: str
    place: Place
    source: Sources = field(default=NONE, hash=False)
    certain: bool = True


@dataclass(frozen=True)
class Reaction:
    """What a signal does to a program, by its source.

    `does` is one of the facts' words: `handles` (a handler is set, or its runtime ends it cleanly), `default` (none,
    and the language sets none: PID 1 ignores it, another process ends), `drops` (none, and the language's runtime
    ends it at once), `survives` (it ignores it); empty: cannot tell. `why` says what it rests on, as a fragment;
    `place` is where that stands: the handler, the library's line in the manifest, else the main program or the
    command that built it. `handler` is set where the source or a library of it, not only the language, says so.
    `rests` is what it rests on that is not known, as a fragment: that the libraries set no handler; empty if nothing.
    `serves` says whether the source shows that it answers requests, or works off a queue.
    """

    does: str
    why: str
    place: Place
    handler: bool = False
    rests: str = ""
    serves: bool = False


def built(image: Image, path: str) -> Built | None:
    """Who built the program at a path of the image (or of a name on PATH); None if nothing here tells.

    A file of the build context that is the source itself, such as `app.py`, is its own answer.
    """
    for candidate in _candidates(image, path):
        found = _trace(image.files, candidate) or _itself(image.files, candidate) or _to_be(image.files, candidate)
        if found is not None:
            return replace(found, path=candidate)
    return None


def _itself(files: FileSystem, path: str) -> Built | None:
    """A source that is not copied: it is mounted, or a RUN or a here-document writes it."""
    file = files.lookup(path)
    return None if file is None or file.text is None else _as_source(files, file, path, file.path, file.place)


def _to_be(files: FileSystem, path: str) -> Built | None:
    """JavaScript that is not there yet, but whose source is: a script builds it when the container starts."""
    if not path.endswith((".js", ".mjs", ".cjs")):
        return None
    folder = posixpath.dirname(path)
    while folder not in ("/", ""):
        manifest = files.lookup(posixpath.join(folder, "package.json"))
        if manifest is not None and manifest.text is not None:
            made = Product("a build", "node", folder, manifest.place, path, sure=False)
            source = sources(files, made, path)
            return None if source.main is None else _of_node(path, made, source)
        folder = posixpath.dirname(folder)
    return None


def _of_node(path: str, made: Product, source: Sources) -> Built:
    return Built(path, None, made.tool, "node", "node", made.place, source, certain=False)


def reaction(program: Built, signal: str) -> Reaction:
    """What a signal (`TERM` or `SIGTERM`) does to a program."""
    name = signal.removeprefix("SIG")
    source = program.source
    at = program.place if source.main is None else _top(source.main)
    if not program.language:
        return Reaction("", f"it is not known in which language {_name(program)} is written", program.place)
    found = _set(program, name)
    if found is not None:
        return found
    default = handlers.default_reaction(program.runtime, name)
    told = handlers.default_source(program.runtime)
    if default == "handles":
        return Reaction("handles", f"{_speaker(program.runtime)} ends on SIG{name} by itself ({told})", at)
    if source.main is None:
        return Reaction("", f"the source of {_name(program)} is not in the build context", program.place)
    if source.cut_off or len(source.reached) + len(source.others) >= MOST_FILES:
        return Reaction("", f"{_name(program)} has more source than pid1lint reads", at)
    if source.missing:
        return Reaction("", f"{source.missing[0]}, which {_name(program)} takes in, is not in the build context", at)
    if not default:
        return Reaction("", f"it is not known what {program.runtime} does on SIG{name} without a handler", at)
    count = len(source.reached) + len(source.others)
    files = "its source" if count == 1 else f"the {count} files of its source"
    serves = any(handlers.serves(program.language, file.text.text) for file in source.reached if file.text is not None)
    why = f"no handler for SIG{name} is in {files}"
    return replace(_unless_a_library(program, name, at), does=default, why=why, serves=serves)


def _unless_a_library(program: Built, name: str, at: Place) -> Reaction:
    """What it rests on that no handler is in the source: that no library sets one, where not all are known."""
    source = program.source
    # Where it is not told which of several programs it is, any of them may be meant.
    uses = libraries.used(program.language, source if source.reached else source._replace(reached=source.others))
    if uses is None:
        return Reaction("", "", at, rests=f"no library of {_name(program)} handles SIG{name}")
    unknown = [use for use in uses if not handlers.leaves_alone(program.language, use.name)]
    if not unknown:
        return Reaction("", "", at)
    if len(unknown) == 1:
        return Reaction("", "", unknown[0].place, rests=f"{unknown[0].name} leaves SIG{name} alone")
    rests = f"none of {unknown[0].name} and {len(unknown) - 1} more libraries handles SIG{name}"
    return Reaction("", "", unknown[0].place, rests=rests)


# -------------------------------------------------------------- what it does


def _set(program: Built, name: str) -> Reaction | None:
    """What the source or a library says of a signal."""
    source = program.source
    unsure: Reaction | None = None
    for file in source.reached:
        found = _in(program, file, name)
        if found is not None and (found.does or unsure is None):
            if found.does:
                return found
            unsure = found
    for file in source.manifests:
        assert file.text is not None
        for library in handlers.libraries(program.language, file.text.text, name):
            place = file.text.place(library.start, library.end)
            return Reaction(library.reaction, f"{library.name} handles SIG{name} ({library.source})", place, True)
        stated = handlers.find(program.language, file.text.text, name)
        if stated is not None and stated.reaction and program.language != "node":
            return Reaction(stated.reaction, _said(file, name), file.text.place(stated.start, stated.end), handler=True)
    if unsure is not None:
        return unsure
    for file in source.others:
        found = _in(program, file, name)
        if found is not None:
            taken_in = f"it is not known whether {_name(program)} includes it"
            why = f"{_shown(file)} may handle SIG{name}, but {taken_in}"
            return Reaction("", why, found.place)
    return None


def _in(program: Built, file: ImageFile, name: str) -> Reaction | None:
    """What one file says of a signal."""
    assert file.text is not None
    found = handlers.find(program.language, file.text.text, name)
    if found is None:
        return None
    place = file.text.place(found.start, found.end)
    if not found.reaction:
        return Reaction("", f"{_shown(file)} handles signals that it does not name", place)
    return Reaction(found.reaction, _said(file, name, found.reaction), place, handler=True)


def _said(file: ImageFile, name: str, does: str = "handles") -> str:
    verb = {"handles": "handles", "survives": "ignores", "default": "resets"}[does]
    return f"{_shown(file)} {verb} SIG{name}"


def _shown(file: ImageFile) -> str:
    return file.text.source.path if file.text is not None else file.path


def _name(program: Built) -> str:
    return posixpath.basename(program.path)


def _speaker(runtime: str) -> str:
    return {"java": "the JVM", "dotnet": ".NET", "erlang": "the BEAM", "elixir": "the BEAM"}.get(runtime, runtime)


def _top(file: ImageFile) -> Place:
    assert file.text is not None
    return file.text.place(0, len(file.text.text.partition("\n")[0]))


# ------------------------------------------------------------- who built it


def _candidates(image: Image, path: str) -> Iterator[str]:
    if "/" in path:
        yield join(image.workdir, path)
        return
    for folder in image.env["PATH"].split(":"):
        yield posixpath.join(folder or "/", path)


def _trace(files: FileSystem, path: str) -> Built | None:
    """Go back from a path to the command that made the file there, through COPY --from, cp, mv and links."""
    maybe: list[Built] = []
    waiting = [(files, path)]
    for step, (room, at) in enumerate(waiting):
        if step > _MOST_STEPS:
            break
        found = _trace_in(room, at, waiting, maybe)
        if found is not None:
            return found
    return next((found for found in maybe if _tells(found)), None)


def _tells(program: Built) -> bool:
    """Whether anything follows from a command that only may have made a program."""
    return program.source.main is not None or program.runtime not in (program.language, "")


def _trace_in(files: FileSystem, path: str, waiting: list[tuple[FileSystem, str]], maybe: list[Built]) -> Built | None:
    for layer in reversed(files.layers):
        if layer.step.instruction.keyword == "RUN":
            before = _moved(layer, path)
            if before is None:
                return None
            found = _made(files, layer, before) or _made(files, layer, path)
            if found is not None and found.certain:
                return found
            maybe += [] if found is None else [found]
            path = before
            continue
        for entry in reversed(layer.entries):
            if isinstance(entry, Put) and entry.path == path:
                return None
            if not isinstance(entry, CopyFiles):
                continue
            before = entry.before(path)
            if before is None:
                continue
            if isinstance(entry.tree, FileSystem):
                waiting.append((entry.tree, before))
            elif entry.tree.is_whole:
                # What a command may have made goes after what has been copied there.
                maybe.clear()
                return _copied(files, entry, path, before)
    return None


def _moved(layer: Layer, path: str) -> str | None:
    """The path that a file had before a RUN; None if the RUN writes or deletes it."""
    for entry in reversed(layer.entries):
        match entry:
            case Put() if entry.path == path:
                return None
            case Link() if is_below(path, entry.path):
                path = join(entry.target, path[len(entry.path) :].lstrip("/"))
            case Duplicate():
                path = entry.origin(path) or path
            case Remove(target) if target.matches(path):
                return None
            case Append() | Chmod() | Alter():
                pass
            case _:
                pass
    return path


_befores: WeakKeyDictionary[Layer, FileSystem] = WeakKeyDictionary()
_makers: WeakKeyDictionary[Layer, tuple[Maker, ...]] = WeakKeyDictionary()


def _made(files: FileSystem, layer: Layer, path: str) -> Built | None:
    """The last command of a RUN that makes the file, or may."""
    unsure: Built | None = None
    if layer not in _makers:
        _makers[layer] = makers(layer.commands)
    for maker in reversed(_makers[layer]):
        made = maker.product(path)
        if made is None:
            continue
        found = _as_built(files, layer, made, path)
        if made.sure and found.language:
            return found
        unsure = unsure or found
    return unsure


def _as_built(files: FileSystem, layer: Layer, made: Product, path: str) -> Built:
    language = made.language or language_of(files, made.root, made.main)
    if not language and posixpath.dirname(made.root) != "/":
        # `ninja -C build`: the source lies above.
        made = made._replace(root=posixpath.dirname(made.root))
        language = language_of(files, made.root, made.main)
    made = made._replace(language=language)
    source = sources(files, made, path)
    if source.main is None:
        # The source may be gone by now: `npm run build && rm -rf src`.
        source = sources(_before(files, layer), made, path)
    runtime = made.runtime or (_dotnet(source) if language == "dotnet" else language)
    return Built(path, layer.surface.stage, made.tool, language, runtime, made.place, source, made.sure)


def _before(files: FileSystem, layer: Layer) -> FileSystem:
    """The files as an instruction found them."""
    if layer not in _befores:
        layers = files.layers[: files.layers.index(layer)] if layer in files.layers else files.layers
        _befores[layer] = FileSystem(layers, files.workdir, files.dirs, files.below)
    return _befores[layer]


def _dotnet(source: Sources) -> str:
    """The row for the version of .NET that a project is for; from 10 on it handles no signals by itself."""
    texts = [file.text.text for file in source.manifests if file.text is not None]
    versions = [int(found[1]) for text in texts if (found := re.search(r"<TargetFrameworks?>net(\d{1,9})(?!\d)", text))]
    if not versions:
        return "dotnet of unknown version"
    return "dotnet-10" if max(versions) >= 10 else "dotnet"


def _copied(files: FileSystem, entry: CopyFiles, path: str, before: str) -> Built | None:
    """A file of the build context: the source itself, or what was built before the image."""
    file = files.lookup(path)
    if file is not None and file.text is not None:
        found = _as_source(files, file, path, before, entry.place)
        if found is not None:
            return found
    for tool, language, pattern in _OUTSIDE:
        if pattern.search(before):
            return Built(path, None, tool, language, language, entry.place, certain=False)
    return None


def _as_source(files: FileSystem, file: ImageFile, path: str, name: str, place: Place) -> Built | None:
    """A file that is its own source, by its name or its first line."""
    language = next((language for language, suffixes in SUFFIXES.items() if name.endswith(suffixes)), "")
    language = language or _of_shebang(file)
    if not language:
        return None
    made = Product("", language, posixpath.dirname(path), place, path)
    return Built(path, None, "", language, language, place, sources(files, made, path))


def _of_shebang(file: ImageFile) -> str:
    assert file.text is not None
    first = file.text.text.partition("\n")[0]
    found = re.match(r"#!.*\b(python|node|ruby|perl|php)[\d.]*\b", first)
    return found[1] if found else ""
