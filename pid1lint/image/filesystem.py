"""The files of a stage: what its COPY, ADD and RUN instructions have put where, looked up backwards on demand."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import IO, TypeAlias

from pid1lint import patterns
from pid1lint.dockerfile.expand import UNKNOWN, Lookup, expand, expand_heredoc
from pid1lint.dockerfile.scanner import Instruction
from pid1lint.dockerfile.stages import DEFAULT_PATH, MAX_PATH, Step, join
from pid1lint.errors import UnreadableError
from pid1lint.frozen import Frozen, NamedTuple
from pid1lint.image.changes import (
    Alter,
    Append,
    Change,
    Chmod,
    Duplicate,
    Link,
    Permission,
    Put,
    Remove,
    change_mode,
    has_wildcard,
    is_below,
)
from pid1lint.image.context import BuildContext
from pid1lint.image.ignore import is_ignored, parse_ignore
from pid1lint.image.output import concatenate
from pid1lint.image.run import (
    NOTHING,
    Effects,
    Ran,
    Surroundings,
    effects,
    installs,
    makes_unknown_files,
    touches_files,
)
from pid1lint.source import Excerpt, Location, Place, Source

_URL = r"(?:https?|ftp|git|ssh)://|git@"
_ARCHIVE = r"\.(?:tar|tgz|tbz2?|txz|tar\.(?:gz|bz2|xz|zst|lzma))\Z"
_MKDIR = r"\b(?:mkdir|install\s+-d)\b([^;&|\n]*)"
_HEREDOC_WORD = r"\d*<<-?[\"']?([^\"'<]+)[\"']?\Z"
_MAX_LINKS = 16
_MAX_PARTS = 100
_MAX_GLOB = 500
_MAX_NAMES = 500
_MAX_TEXTS = 200
_MAX_DEPTH = 5
# Directories of code that is not the app's own.
_FOREIGN_DIRS = frozenset(("node_modules", "vendor", "venv", "__pycache__", "site-packages", "test", "tests"))

# Directories that every image of a Linux distribution has.
_STANDARD_DIRS = frozenset(
    "/ /bin /boot /dev /etc /etc/init.d /etc/profile.d /home /lib /media /mnt /opt /proc /root /run /sbin /srv /sys"
    " /tmp /usr /usr/bin /usr/lib /usr/local /usr/local/bin /usr/local/etc /usr/local/lib /usr/local/sbin"
    " /usr/local/share /usr/sbin /usr/share /usr/src /var /var/lib /var/log /var/run /var/tmp".split(" ")
)


class EmbeddedSource(Source, kw_only=True):
    """A file that is written in the Dockerfile: `text` is its content, and its places are in the Dockerfile."""

    excerpt: Excerpt

    def whole(self) -> Excerpt:
        """The content, each character with its origin in the Dockerfile."""
        return self.excerpt

    def location(self, offset: int) -> Location:
        """Line and column in the Dockerfile."""
        return self.excerpt.source.location(self.excerpt.offset(offset))

    def place(self, start: int, end: int) -> Place:
        """A place in the Dockerfile."""
        return self.excerpt.place(start, end)


def source_of(text: Excerpt | None) -> Source | None:
    """A source of which the excerpt is the whole text."""
    if text is None or (text.offsets is None and len(text.text) == len(text.source.text)):
        return None if text is None else text.source
    return EmbeddedSource(text.source.path, text.text, excerpt=text)


class Content:
    """The content of a file that is no text: a program, say."""

    def open(self) -> IO[bytes] | None:
        """The content from its beginning; None if it cannot be read. Whoever opens it closes it."""
        raise NotImplementedError


class ContextContent(Content):
    """The content of a file of the build context."""

    def __init__(self, context: BuildContext, path: str) -> None:
        self.context = context
        self.path = path

    def open(self) -> IO[bytes] | None:
        """See `Content.open`."""
        return self.context.open(self.path)


class ImageFile(Frozen):
    """A file of the image, as far as the Dockerfile tells.

    `text` is its content: a context file as a whole, or the part of the Dockerfile that makes it; None if it is not
    known or no text. `source` has the same text; that of a file written in the Dockerfile is an `EmbeddedSource`.
    `place` is the instruction that put it there. `mode` and `executable` are None if not known.
    `origin` is `context`, `inline` (a heredoc of COPY), `run` or `stage` (COPY --from). `editable`: the content
    stands as it is in `text.source`, so that an edit there is an edit of the file. `crlf_removed`: a RUN has turned
    its CR LF into LF; `altered`: a RUN has changed it in some other way. `supposed`: what COPY names is not there
    before the build, and the script of that name at the context's root is taken for what it is made of. `content`
    is that of a file which is no text, where it is at hand.
    """

    path: str
    text: Excerpt | None
    place: Place
    mode: int | None = None
    executable: bool | None = None
    origin: str = "context"
    editable: bool = False
    altered: bool = False
    crlf_removed: bool = False
    source: Source | None = None
    supposed: bool = False
    content: Content | None = None


class Tree:
    """Where COPY takes files from: the build context, another stage, an image of which nothing is known.

    `is_whole` says that all of its files are known.
    """

    is_whole = False

    def file(self, path: str, place: Place) -> ImageFile | None:
        """The file at a path, None if none is known there."""
        raise NotImplementedError

    def is_dir(self, path: str) -> bool:
        """Whether a directory is known at a path."""
        raise NotImplementedError

    def entries(self, path: str) -> tuple[str, ...]:
        """The names known in a directory."""
        raise NotImplementedError

    def leaves_out(self, path: str) -> bool:
        """Whether there is a file at a path that COPY must not see."""
        return False


class ContextTree(Tree):
    """The build context without what .dockerignore leaves out."""

    def __init__(self, context: BuildContext) -> None:
        self.context = context
        self._files: dict[str, tuple[Excerpt | None, int | None]] = {}

    is_whole = True

    def file(self, path: str, place: Place) -> ImageFile | None:
        """See `Tree.file`; what is no text, too large or not to be read has no content."""
        if not self.context.is_file(path) or self.context.ignored(path):
            return None
        if path not in self._files:
            self._files[path] = (self._text(path), self.context.mode(path))
        text, mode = self._files[path]
        permission = Permission.of(mode)
        source = None if text is None else text.source
        content = ContextContent(self.context, path) if text is None else None
        return ImageFile(
            path, text, place, mode, permission.executable, "context", text is not None, source=source, content=content
        )

    def leaves_out(self, path: str) -> bool:
        """See `Tree.leaves_out`."""
        return self.context.is_file(path) and self.context.ignored(path)

    def _text(self, path: str) -> Excerpt | None:
        try:
            data = self.context.read(path)
            return None if data is None else Source.decode(self.context.display(path), data).whole()
        except UnreadableError:
            return None

    def is_dir(self, path: str) -> bool:
        """See `Tree.is_dir`."""
        return self.context.is_dir(path)

    def entries(self, path: str) -> tuple[str, ...]:
        """See `Tree.entries`."""
        return tuple(name for name in self.context.entries(path) if not self._is_hidden(posixpath.join(path, name)))

    def _is_hidden(self, path: str) -> bool:
        # A directory that is left out may still hold files that a `!` rule lets in.
        return self.context.ignored(path) and not self.context.is_dir(path)


class UnknownTree(Tree):
    """An image that is not looked into: whatever is copied from it by name is a file."""

    def file(self, path: str, place: Place) -> ImageFile | None:
        """See `Tree.file`."""
        return None

    def is_dir(self, path: str) -> bool:
        """See `Tree.is_dir`."""
        return path.endswith("/")

    def entries(self, path: str) -> tuple[str, ...]:
        """See `Tree.entries`."""
        return ()


class Stray(NamedTuple):
    """A file that is not where it is looked for: it is `elsewhere`, or .dockerignore keeps `ignored` out, or neither.

    `place` is the COPY that puts it elsewhere, or that would have put it there; FROM where there is none.
    """

    elsewhere: str
    ignored: str
    place: Place


class CopyFiles(NamedTuple):
    """A COPY or ADD of files from a tree."""

    tree: Tree
    sources: tuple[str, ...]
    target: str
    into: bool
    place: Place
    origin: str
    spec: str | None = None
    keeps_path: bool = False
    exclude: tuple[str, ...] = ()

    def find(self, path: str) -> ImageFile | None:
        """The file that this instruction puts at `path`, or None."""
        if not is_below(path, self.target):
            return None
        expanded = self._expanded()
        for source in reversed(expanded):
            found = self._from(source, path)
            if found is not None:
                return self._placed(found, path)
        if not expanded and path == self.target and not self.into:
            # `COPY target/*.jar app.jar` before the build.
            return self._placed(ImageFile(path, None, self.place), path)
        if posixpath.dirname(path) == (self.target.rstrip("/") or "/"):
            # `COPY build/* /` before the build.
            found = self._supposed(posixpath.basename(path))
            if found is not None and not all(map(self._is_there, self.sources)):
                return self._placed(found, path)
        return None

    def before(self, path: str) -> str | None:
        """The path in `tree` of what this instruction puts at `path`, by the names alone; None if it puts none there.

        The tree may know of no file there: what a RUN has built is known by the RUN only.
        """
        if not is_below(path, self.target):
            return None
        sources = [posixpath.normpath(source) for source in reversed(self._expanded() or self.sources)]
        folder = posixpath.dirname(path) == (self.target.rstrip("/") or "/")
        for source in sources:
            if self.keeps_path or self.tree.is_dir(source):
                continue
            name = posixpath.basename(source)
            if path == (join(self.target, name) if self.into else self.target):
                return source
            pattern = patterns.go(name) if has_wildcard(name) else None
            if folder and pattern is not None and pattern.matches(posixpath.basename(path)):
                return posixpath.join(posixpath.dirname(source), posixpath.basename(path))
        rest = path[len(self.target.rstrip("/")) :].lstrip("/")
        below = [join(source, rest) for source in sources if rest and not has_wildcard(source)]
        known = (name for name in below if self.tree.file(name, self.place) is not None)
        return next(known, None) or next(iter(below if not self.tree.is_whole else ()), None)

    def _is_there(self, source: str) -> bool:
        names = _expand_wildcards(self.tree, source)
        return any(self.tree.is_dir(name) or self.tree.file(name, self.place) is not None for name in names)

    def _supposed(self, name: str) -> ImageFile | None:
        """The script of this name at the context's root, for one that the build puts into another directory."""
        found = self.tree.file(name, self.place) if self.tree.is_whole else None
        if found is None or found.text is None or not found.text.text.startswith("#!"):
            return None
        return found.replaced(executable=None, mode=None, editable=False, supposed=True)

    def _expanded(self) -> tuple[str, ...]:
        return tuple(found for source in self.sources for found in _expand_wildcards(self.tree, source))

    def _from(self, source: str, path: str) -> ImageFile | None:
        base = join(self.target, source.partition("/./")[2] or source) if self.keeps_path else self.target
        name = posixpath.normpath(source)
        if self.tree.is_dir(name) or source.endswith("/"):
            if not is_below(path, base):
                return None
            below = posixpath.normpath(posixpath.join(name, path[len(base.rstrip("/")) :].lstrip("/")))
            return None if self._is_excluded(below) else self.tree.file(below, self.place)
        file = base
        if self.into and not self.keeps_path:
            file = join(self.target, posixpath.basename(name))
        if path != file:
            return self._through_unknown(name, path)
        found = self.tree.file(name, self.place)
        return found if found is not None else self._missing(name, path)

    def _missing(self, name: str, path: str) -> ImageFile | None:
        """A file that is not there now, but will be when the image is built."""
        alike = self.into or posixpath.splitext(name)[1] == posixpath.splitext(path)[1] or UNKNOWN in name
        if name in (".", "/") or not alike:
            return None
        return self._supposed(posixpath.basename(name)) or ImageFile(path, None, self.place)

    def _through_unknown(self, name: str, path: str) -> ImageFile | None:
        """A file below a directory of another stage that no instruction has named as one."""
        if self.tree.is_whole or not is_below(path, self.target) or path == self.target:
            return None
        return self.tree.file(join(name, path[len(self.target.rstrip("/")) :].lstrip("/")), self.place)

    def _is_excluded(self, path: str) -> bool:
        if not self.exclude:
            return False
        return is_ignored(parse_ignore("\n".join(self.exclude)), path.lstrip("/"))

    def _placed(self, found: ImageFile, path: str) -> ImageFile:
        permission = Permission(found.mode, found.executable)
        if self.spec is not None:
            permission = change_mode(permission, self.spec)
        return found.replaced(
            path=path,
            place=self.place,
            mode=permission.mode,
            executable=permission.executable,
            origin=self.origin,
        )

    def may_put(self, path: str) -> bool:
        """Whether it may put a file at a path where `find` knows of none."""
        if not is_below(path, self.target) or any(UNKNOWN in source for source in self.sources):
            return is_below(path, self.target)
        expanded = self._expanded()
        if self.tree.is_whole and any(posixpath.normpath(source) == "." for source in expanded):
            # Which directory the build will be given as its context is the user's to say.
            return not self.tree.leaves_out(posixpath.normpath(path[len(self.target.rstrip("/")) :].lstrip("/")))
        return not expanded or not all(self._is_seen(source) for source in expanded)

    def _is_seen(self, source: str) -> bool:
        """Whether it is known what a source holds: a file, or a directory all of whose files are known."""
        name = posixpath.normpath(source)
        if self.tree.is_whole:
            return bool(self.tree.entries(name)) or self.tree.file(name, self.place) is not None
        # A file as a rule: what is copied out of `/go/bin` by its name.
        in_bin = posixpath.basename(posixpath.dirname(name)) == "bin" and not source.endswith("/")
        return in_bin or self.tree.file(name, self.place) is not None

    def stray(self, path: str) -> Stray | None:
        """What has become of a file of the build context that by its name is meant to be at `path`, and is not."""
        wanted = posixpath.basename(path)
        for source in self._expanded():
            name = posixpath.normpath(source)
            if self.tree.is_dir(name):
                below = posixpath.normpath(posixpath.join(name, path[len(self.target.rstrip("/")) :].lstrip("/")))
                if is_below(path, self.target) and self.tree.leaves_out(below):
                    return Stray("", below, self.place)
                if self.tree.is_whole and self.tree.file(posixpath.join(name, wanted), self.place) is not None:
                    return Stray(join(self.target, wanted), "", self.place)
            elif posixpath.basename(name) == wanted and not is_below(path, self.target):
                return Stray(join(self.target, wanted) if self.into else self.target, "", self.place)
        return None

    def names(self, directory: str) -> set[str]:
        """The names that this instruction puts into a directory."""
        if is_below(self.target, directory) and self.target != directory:
            return {_next_name(self.target, directory)}
        if not is_below(directory, self.target):
            return set()
        found: set[str] = set()
        for source in self._expanded():
            name = posixpath.normpath(source)
            if self.tree.is_dir(name):
                rest = directory[len(self.target.rstrip("/")) :].lstrip("/")
                found.update(self.tree.entries(posixpath.join(name, rest)))
            elif directory == self.target and self.into:
                found.add(posixpath.basename(name))
        return found


def _next_name(path: str, directory: str) -> str:
    return path[len(directory.rstrip("/")) :].lstrip("/").partition("/")[0]


def _expand_wildcards(tree: Tree, source: str) -> list[str]:
    """The paths that a source with wildcards names; the source itself if it has none."""
    if not has_wildcard(source) or UNKNOWN in source:
        return [source]
    paths = ["/" if source.startswith("/") else ""]
    for part in posixpath.normpath(source).strip("/").split("/"):
        if not has_wildcard(part):
            paths = [posixpath.join(path, part) for path in paths]
            continue
        pattern = patterns.go(part)
        matching = [(path, name) for path in paths for name in tree.entries(path) if pattern and pattern.matches(name)]
        paths = [posixpath.join(path, name) for path, name in matching[:_MAX_GLOB]]
    return paths


Entry: TypeAlias = Change | CopyFiles


class Origins:
    """Where `COPY --from` leads."""

    def tree(self, name: str, before: int) -> Tree:
        """The files of a stage (by name or number, among those before index `before`) or of an image."""
        raise NotImplementedError


class Surface(NamedTuple):
    """What all layers of a stage share."""

    context: ContextTree
    origins: Origins
    stage: int
    echo_escapes: bool | None
    escape: str


class Layer:
    """The effects of one instruction, worked out when they are first asked for."""

    def __init__(self, step: Step, surface: Surface, dirs: frozenset[str]) -> None:
        self.step = step
        self.surface = surface
        self.dirs = dirs
        self.place = Place(step.instruction.text.source, step.instruction.span)
        self._by_folder: dict[str, tuple[tuple[int, Entry], ...]] = {}

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The changes to files, in their order."""
        if self.step.instruction.keyword == "RUN":
            return self._run.changes if touches_files(self._text) else ()
        return tuple(self._copies())

    def changes_in(self, folder: str) -> tuple[tuple[int, Entry], ...]:
        """The changes that may concern a file which lies in a directory itself, each with its number."""
        found = self._by_folder.get(folder)
        if found is None:
            found = tuple((at, entry) for at, entry in enumerate(self.entries) if _may_concern(entry, folder))
            self._by_folder[folder] = found
        return found

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages that it installs."""
        if self.step.instruction.keyword != "RUN" or not installs(self._text):
            return ()
        return self._run.packages

    @property
    def commands(self) -> tuple[Ran, ...]:
        """The commands that a RUN runs, in order."""
        return self._run.commands if self.step.instruction.keyword == "RUN" else ()

    @property
    def followed(self) -> bool:
        """Whether `commands` are all that a RUN runs."""
        return self._run.followed

    @property
    def _text(self) -> str:
        instruction = self.step.instruction
        return "\n".join([instruction.text.text, *(heredoc.body.text for heredoc in instruction.heredocs)])

    @cached_property
    def _run(self) -> Effects:
        before = self.step.before
        shell = posixpath.basename(before.shell[0]) if before.shell else "sh"
        if shell.lower().removesuffix(".exe") in ("cmd", "powershell", "pwsh"):
            return NOTHING
        escapes = {"sh": self.surface.echo_escapes, "dash": True}.get(shell, False)
        return effects(
            self.step.instruction, Surroundings(before.variables, before.workdir, self.dirs.__contains__, escapes)
        )

    def may_put(self, path: str) -> bool:
        """Whether it may put a file at a path where its `entries` know of none."""
        instruction, before = self.step
        if instruction.keyword == "RUN":
            return makes_unknown_files(instruction)
        words = copy_words(instruction, before.lookup, self.surface.escape)
        if len(words) < 2 or UNKNOWN in words[-1]:
            return True
        unpacked = any(re.match(_URL, word) or re.search(_ARCHIVE, word) for word in words[:-1])
        if instruction.keyword == "ADD" and unpacked and is_below(path, join(before.workdir, words[-1])):
            return True
        return any(entry.may_put(path) for entry in self.entries if isinstance(entry, CopyFiles))

    def _copies(self) -> Iterator[Entry]:
        instruction, before = self.step
        words = copy_words(instruction, before.lookup, self.surface.escape)
        if len(words) < 2:
            return
        *sources, target = words
        inline = {heredoc.name: heredoc for heredoc in instruction.heredocs}
        path = join(before.workdir, target)
        into = len(sources) > 1 or target.endswith(("/", "/.")) or target in (".", "..") or path in self.dirs
        spec = instruction.flag("chmod")
        spec = None if spec is None else expand(spec, before.lookup, self.surface.escape)
        plain = []
        for source in sources:
            marker = re.match(_HEREDOC_WORD, source)
            if marker is None or marker[1] not in inline:
                plain.append(source)
                continue
            heredoc = inline[marker[1]]
            text = expand_heredoc(heredoc.body, before.lookup) if heredoc.expand else heredoc.body
            permission = Permission.of(0o644) if spec is None else change_mode(Permission.of(0o644), spec)
            file = join(path, heredoc.name) if into else path
            yield Put(file, text, permission, self.place, "inline", editable=text is heredoc.body)
        yield from self._files(instruction, tuple(plain), path, into, spec)

    def _files(
        self, instruction: Instruction, sources: tuple[str, ...], target: str, into: bool, spec: str | None
    ) -> Iterator[Entry]:
        origin = instruction.flag("from")
        if instruction.keyword == "ADD":
            for source in sources:
                if re.match(_URL, source):
                    yield from self._download(source, target, into, spec)
            sources = tuple(s for s in sources if not re.match(_URL, s) and not re.search(_ARCHIVE, s))
        tree: Tree = self.surface.context
        if origin is not None:
            tree = self.surface.origins.tree(
                expand(origin, self.step.before.lookup, self.surface.escape), self.surface.stage
            )
            sources = tuple("/" + source.lstrip("/") for source in sources)
        else:
            sources = tuple(_inside(source) for source in sources)
        if sources:
            yield CopyFiles(
                tree,
                sources,
                target,
                into,
                self.place,
                "context" if origin is None else "stage",
                spec,
                keeps_path=instruction.flag("parents") in ("", "true"),
                exclude=tuple(flag.value or "" for flag in instruction.flags if flag.name == "exclude"),
            )

    def _download(self, source: str, target: str, into: bool, spec: str | None) -> Iterator[Entry]:
        name = posixpath.basename(source.partition("?")[0].partition("#")[0])
        if source.startswith("git") or name.endswith(".git"):
            return
        # BuildKit gives 0600 to what it downloads.
        permission = Permission.of(0o600) if spec is None else change_mode(Permission.of(0o600), spec)
        yield Put(join(target, name) if into else target, None, permission, self.place, "context")


def _inside(source: str) -> str:
    """A source as a path relative to the context; BuildKit lets `..` end at its root."""
    cleaned = posixpath.normpath("/" + source.lstrip("/")).lstrip("/")
    tail = "/" if source.endswith("/") and cleaned else ""
    # `--parents` looks for the pivot.
    return source.lstrip("/") if "/./" in source else (cleaned or ".") + tail


def copy_words(instruction: Instruction, lookup: Lookup, escape: str = "\\") -> list[str]:
    """The sources and the target of COPY or ADD, expanded."""
    if instruction.words is not None:
        return [expand(word.text, lookup, escape) for word in instruction.words]
    return [expand(word, lookup, escape) for word in instruction.text.text.split()]


def copy_sources(steps: tuple[Step, ...]) -> tuple[str, ...]:
    """What the COPY and ADD instructions among `steps` take from the build context."""
    found = []
    for instruction, before in steps:
        if instruction.keyword in ("COPY", "ADD") and instruction.flag("from") is None:
            sources = copy_words(instruction, before.lookup)[:-1]
            found += [
                s for s in sources if not re.match(_URL, s) and not re.match(_HEREDOC_WORD, s) and UNKNOWN not in s
            ]
    return tuple(found)


_ADDS_USER = "user"
_USERADD = r"\b(useradd|adduser)\b((?:[^\n;&|\\]|\\\n)*)"
_HOME = r"(?:^|\s)(?:--home(?:-dir)?[= ]|-[a-zA-Z]*[dh]\s+)\s*[\"']?(/[^\s\"']+)"


def _homes(text: str) -> Iterator[str]:
    """The home directories that `useradd --create-home` and `adduser` make."""
    for program, words in re.findall(_USERADD, text):
        makes = program == "adduser" or re.search(r"(?:^|\s)(?:--create-home|-[a-zA-Z]*m)\b", words)
        if not makes or re.search(r"(?:^|\s)(?:--no-create-home|-[a-zA-Z]*[MH])\b", words):
            continue
        given = re.search(_HOME, words)
        names = [word for word in words.split() if not word.startswith("-")]
        if given is not None:
            yield given[1]
        elif names:
            yield f"/home/{names[-1]}"


def known_dirs(steps: tuple[Step, ...]) -> frozenset[str]:
    """The paths that are directories for all that can be seen without reading any shell text closely."""
    found = set(_STANDARD_DIRS)
    for instruction, before in steps:
        found.add(before.workdir)
        if instruction.keyword == "RUN" and ("mkdir" in instruction.text.text or "install" in instruction.text.text):
            for arguments in re.findall(_MKDIR, instruction.text.text):
                words = [expand(w, before.lookup) for w in arguments.split() if not w.startswith("-")]
                found.update(join(before.workdir, word) for word in words)
        if instruction.keyword == "RUN" and _ADDS_USER in instruction.text.text:
            found.update(join("/", expand(home, before.lookup)) for home in _homes(instruction.text.text))
        elif instruction.keyword in ("COPY", "ADD"):
            words = copy_words(instruction, before.lookup)
            if len(words) < 2:
                continue
            target = join(before.workdir, words[-1])
            found.add(target if words[-1].endswith("/") or len(words) > 2 else posixpath.dirname(target))
    every: set[str] = set()
    for path in found:
        if len(path) > MAX_PATH or path.count("/") > _MAX_PARTS:
            continue
        above = path
        while above not in every:
            every.add(above)
            above = above.rpartition("/")[0] or "/"
    return frozenset(every)


# -------------------------------------------------------------- file system


class _Redirected(NamedTuple):
    """The path that a symbolic link leads to."""

    path: str


class _Gone:
    """The file was deleted, or moved elsewhere."""


class _Trail:
    """What later instructions do to the file that a lookup is after, last one first."""

    def __init__(self) -> None:
        self.changes: list[Alter | Chmod | Append | str] = []

    def finish(self, file: ImageFile, path: str) -> ImageFile:
        """The file after all of it."""
        added: list[Append] = []
        for change in reversed(self.changes):
            if isinstance(change, Append):
                added.append(change)
                continue
            file = self._apply(_with_added(file, added), change)
            added = []
        return _with_added(file, added).replaced(path=path)

    def created(self, path: str) -> ImageFile | None:
        """The file if the first `>>` made it, which was not there before."""
        starts = [i for i, change in enumerate(self.changes) if isinstance(change, Append)]
        if not starts:
            return None
        first = self.changes[starts[-1]]
        del self.changes[starts[-1] :]
        if not isinstance(first, Append):
            return None
        return self.finish(
            ImageFile(path, first.text, first.place, 0o644, False, "run", source=source_of(first.text)), path
        )

    def _apply(self, file: ImageFile, change: Alter | Chmod | str) -> ImageFile:
        match change:
            case Alter(crlf=True):
                return file.replaced(crlf_removed=True)
            case Alter():
                return file.replaced(altered=True, editable=False)
            case Chmod(spec=spec) | str(spec):
                permission = change_mode(Permission(file.mode, file.executable), spec)
                return file.replaced(mode=permission.mode, executable=permission.executable)


def _with_added(file: ImageFile, added: Sequence[Append]) -> ImageFile:
    """The file with what `>>` has added to it; its text is not known if some of that is not, or is of another file."""
    if not added:
        return file
    texts = [file.text, *(change.text for change in added)]
    known = [text for text in texts if text is not None and text.source is texts[0].source] if texts[0] else []
    joined = concatenate(known) if len(known) == len(texts) else None
    return file.replaced(text=joined, editable=False, source=source_of(joined))


class FileSystem(Tree):
    """The files of one stage at its end; `below` are those of the base image, where it is at hand."""

    def __init__(
        self, layers: tuple[Layer, ...], workdir: str, dirs: frozenset[str], below: FileSystem | None = None
    ) -> None:
        self.layers = layers
        self.below = below
        self.workdir = workdir
        self.dirs = dirs
        self._found: dict[str, ImageFile | None] = {}
        self._entries: dict[str, tuple[str, ...]] = {}
        self._on_path: dict[tuple[str, str], ImageFile | None] = {}

    def lookup(self, path: str) -> ImageFile | None:
        """The file at a path (relative ones start at WORKDIR), links followed; None if none is known there."""
        if path not in self._found:
            whole = join(self.workdir, path)
            if whole not in self._found:
                # An endless loop of COPY --from cannot be: a stage only sees those before it.
                self._found[whole] = self._lookup(whole)
            self._found[path] = self._found[whole]
        return self._found[path]

    def _lookup(self, path: str) -> ImageFile | None:
        wanted = path
        for _ in range(_MAX_LINKS):
            found = self._trace(wanted)
            if not isinstance(found, _Redirected):
                return found
            wanted = found.path
        return None

    def lacks(self, path: str) -> bool:
        """Whether it is certain that no instruction has put a file there; what the base image has is another matter."""
        path = join(self.workdir, path)
        if self.below is not None and not self.below.lacks(path):
            return False
        return self.lookup(path) is None and not any(layer.may_put(path) for layer in self.layers)

    def may_be_copied(self, path: str) -> bool:
        """Whether a COPY or ADD may have put a file there."""
        copies = [layer for layer in self.layers if layer.step.instruction.keyword != "RUN"]
        return self.lookup(path) is not None or any(layer.may_put(path) for layer in copies)

    def stray(self, path: str) -> Stray | None:
        """Where a file is that by its name is meant to be at a path, if it is certain that none is there."""
        path = join(self.workdir, path)
        copies = [entry for layer in self.layers for entry in layer.entries if isinstance(entry, CopyFiles)]
        found = next((stray for entry in reversed(copies) if (stray := entry.stray(path)) is not None), None)
        if found is None or not self.lacks(path):
            return None
        # It may have been moved on, or deleted.
        return found if not found.elsewhere or self.lookup(found.elsewhere) is not None else None

    def file(self, path: str, place: Place) -> ImageFile | None:
        """See `Tree.file`."""
        found = self.lookup(join("/", path))
        return None if found is None else found.replaced(place=place)

    def _trace(self, path: str) -> ImageFile | _Redirected | None:
        """Go back through the instructions to the one that put the file there."""
        trail = _Trail()
        asked = path
        folder = posixpath.dirname(path)
        for layer in reversed(self.layers):
            waiting = list(layer.changes_in(folder))
            while waiting:
                at, entry = waiting.pop()
                found = _step_back(entry, path, trail)
                if isinstance(found, str):
                    if found != path:
                        path, folder = found, posixpath.dirname(found)
                        waiting = [each for each in layer.changes_in(folder) if each[0] < at]
                elif isinstance(found, ImageFile):
                    return trail.finish(found, asked)
                elif isinstance(found, _Gone):
                    return trail.created(asked)
                else:
                    return found
        found_below = self.below.lookup(path) if self.below is not None else None
        if found_below is not None:
            return trail.finish(found_below, asked)
        hidden = posixpath.basename(path).startswith(".")
        return None if hidden or is_below(path, "/etc") else trail.created(asked)

    def which(self, name: str, env_path: str = DEFAULT_PATH) -> ImageFile | None:
        """The file that a program's name means: by its path if it holds `/`, else through the directories of PATH."""
        if "/" in name:
            return self.lookup(name)
        asked = (name, env_path)
        if asked not in self._on_path:
            self._on_path[asked] = self._which(name, env_path)
        return self._on_path[asked]

    def _which(self, name: str, env_path: str) -> ImageFile | None:
        for directory in env_path.split(":"):
            found = self.lookup(posixpath.join(directory or self.workdir, name))
            if found is not None and found.executable is not False:
                return found
        return None

    def is_dir(self, path: str) -> bool:
        """Whether a path is a directory for all that is known."""
        path = join(self.workdir, path)
        if self.below is not None and self.below.is_dir(path):
            return True
        return path in self.dirs or (self.lookup(path) is None and bool(self.entries(path)))

    def entries(self, path: str) -> tuple[str, ...]:
        """The names that instructions have put into a directory, sorted; some may be deleted again."""
        directory = join(self.workdir, path)
        if directory not in self._entries:
            names = set(self.below.entries(directory)) if self.below is not None else set()
            for layer in self.layers:
                for entry in layer.entries:
                    names |= _names(entry, directory)
            names.discard("")
            self._entries[directory] = tuple(sorted(names))
        return self._entries[directory]

    def glob(self, pattern: str) -> tuple[ImageFile, ...]:
        """The known files that match a shell pattern, sorted by path."""
        paths = _expand_wildcards(self, join(self.workdir, pattern))
        files = [self.lookup(path) for path in sorted(paths)]
        return tuple(file for file in files if file is not None)

    def texts_below(self, directory: str, suffixes: tuple[str, ...]) -> Iterator[str]:
        """The contents of known text files below a directory, by their names' suffixes; large trees are cut off."""
        found = 0
        waiting = [(join(self.workdir, directory), 0)]
        for path, depth in waiting:
            for name in self.entries(path)[:_MAX_NAMES]:
                below = posixpath.join(path, name)
                if name.endswith(suffixes):
                    file = self.lookup(below)
                    if file is not None and file.text is not None:
                        yield file.text.text
                        found += 1
                elif name not in _FOREIGN_DIRS and ("." not in name or name.endswith(".d")) and depth < _MAX_DEPTH:
                    waiting.append((below, depth + 1))
            if found >= _MAX_TEXTS or len(waiting) > _MAX_NAMES:
                return

    @cached_property
    def packages(self) -> frozenset[str]:
        """The packages that RUN instructions install, without their versions."""
        return frozenset(name for layer in self.layers for name in layer.packages)


def _may_concern(entry: Entry, folder: str) -> bool:
    """Whether `_step_back` may find anything but its path for a file that lies in a directory itself."""
    match entry:
        case Put(path=path) | Append(path=path):
            return posixpath.dirname(path) == folder
        case Link(path=path) | CopyFiles(target=path):
            place = path.rstrip("/") or "/"
            return is_below(folder, place) or posixpath.dirname(place) == folder
        case Duplicate(target=path, moved=False):
            return is_below(folder, path.rstrip("/") or "/") or posixpath.dirname(path.rstrip("/")) == folder
        case Remove(target) | Chmod(target) | Alter(target):
            if target.pattern:
                return True
            return posixpath.dirname(target.path) == folder or (target.recursive and is_below(folder, target.path))
    return True


def _step_back(entry: Entry, path: str, trail: _Trail) -> ImageFile | _Redirected | _Gone | str:
    """What one change means for a file that is at `path` after it: found, elsewhere, gone, or its path before."""
    match entry:
        case Put():
            return _file_of(entry) if entry.path == path else path
        case CopyFiles():
            return entry.find(path) or path
        case Link():
            below = path[len(entry.path) :].lstrip("/")
            return _Redirected(join(entry.target, below)) if is_below(path, entry.path) else path
        case Remove(target):
            return _Gone() if target.matches(path) else path
        case Append():
            trail.changes += [entry] if entry.path == path else []
        case Chmod(target) | Alter(target):
            trail.changes += [entry] if target.matches(path) else []
        case Duplicate():
            return _before_copy(entry, path, trail)
    return path


def _before_copy(entry: Duplicate, path: str, trail: _Trail) -> _Gone | str:
    before = entry.origin(path)
    if before is not None:
        trail.changes += [entry.spec] if entry.spec else []
        return before
    return _Gone() if entry.moved and entry.source.matches(path) else path


def _file_of(entry: Put) -> ImageFile:
    permission = entry.permission
    return ImageFile(
        entry.path,
        entry.text,
        entry.place,
        permission.mode,
        permission.executable,
        entry.origin,
        entry.editable,
        source=source_of(entry.text),
    )


def _names(entry: Entry, directory: str) -> set[str]:
    match entry:
        case Put(path=path) | Append(path=path) | Link(path=path):
            return {_next_name(path, directory)} if is_below(path, directory) else set()
        case CopyFiles():
            return entry.names(directory)
        case Duplicate(source=source, target=target, into=into):
            if not is_below(target, directory):
                return set()
            if target != directory:
                return {_next_name(target, directory)}
            return {posixpath.basename(source.path)} if into and not source.pattern else set()
        case _:
            return set()


def variables_at_runtime(env: Mapping[str, str], home: str) -> dict[str, str]:
    """The environment of the container's first process."""
    return {"PATH": DEFAULT_PATH, "HOME": home, **env}
