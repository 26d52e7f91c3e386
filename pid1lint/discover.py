"""Finds what is to be checked below a directory, leaving out what git ignores, templates and pieces.

Dockerfiles are known by their names, deployments' files by their names and by what they hold.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pid1lint import files
from pid1lint.errors import UnreadableError
from pid1lint.files import repository_root
from pid1lint.frozen import NamedTuple

if TYPE_CHECKING:
    from pid1lint.gitignore import Rules

IMAGES = ("oci", "oci-archive", "docker-archive", "docker", "podman")
"""What a built image's name begins with, before a colon."""
_NAMES = ("dockerfile", "containerfile")
# `Dockerfile.md` is about one, `Dockerfile.j2` becomes one, `Dockerfile.dockerignore` belongs to one.
_OTHER = frozenset(
    "adoc bak bat c cc cfg cmd conf cpp cs css diff dockerignore ejs erb ex exs go gotmpl gradle groovy h hbs html in "
    "ini ipynb j2 java jinja jinja2 js json jsx kt liquid lock log lua m4 md mjs mk mustache nix orig patch php pl png "
    "properties ps1 py rb rej rs rst scala sh snap sum svg swift swp template test tf tmpl tpl toml ts tsx twig txt "
    "vue xml yaml yml".split()
)
# Jinja, Go, Mustache and jq templates; ERB; placeholders of sed and autoconf; m4.
_PLACEHOLDER = r"\{\{|\{%|\{#|<%|@@\w+@@|%%\w+%%"
_M4 = r"dnl\b|(?:m4_)?(?:changequote|define|divert|ifdef|ifelse|s?include)\("
_TEMPLATE_LINE = rf"(?:{_PLACEHOLDER}|{_M4}|FROM\s.*(?:{_PLACEHOLDER}))".encode()
_MAY_BE_TEMPLATE = rb"(?im)^[ \t]*" + _TEMPLATE_LINE
_FROM = rb"(?im)^[ \t]*FROM[ \t]"
_MOST_PATTERNS = 5000
"""How many patterns with wildcards are kept: each is tried on every name."""
_SKIPPED = frozenset(("node_modules", "__pycache__"))
_SCRIPTS = frozenset(("bash", "dash", "ksh", "sh", "zsh"))


class Ignores(NamedTuple):
    """The `.gitignore` of one directory."""

    file: str
    directory: str
    rules: Rules


def is_dockerfile_name(name: str) -> bool:
    """Whether a file of this name is taken for a Dockerfile: `Dockerfile`, `Dockerfile.dev`, `app.dockerfile`..."""
    lower = name.lower()
    stem, dot, extension = lower.rpartition(".")
    if dot and extension in _NAMES:
        return bool(stem)
    if lower.endswith("~") or (dot and extension in _OTHER):
        return False
    return any(lower == known or (lower.startswith(known) and lower[len(known)] in ".-_") for known in _NAMES)


def is_image(text: str) -> bool:
    """Whether a path on the command line names a built image (`oci:DIR`): not if there is such a file."""
    kind, colon, where = text.partition(":")
    return kind in IMAGES and bool(colon and where) and not os.path.lexists(text)


def is_script(name: str, head: bytes) -> bool:
    """Whether a file that was named on the command line is a script, by its extension or its first bytes."""
    if is_dockerfile_name(os.path.basename(name)):
        return False
    return name.rpartition(".")[2].lower() in _SCRIPTS or head.startswith(b"#!")


Complain = Callable[[UnreadableError], None]
"""Is told of a file with patterns that cannot be read, and so ignores nothing."""


def dockerfiles(directory: str, complain: Complain = lambda _: None) -> Iterator[str]:
    """The Dockerfiles below a directory, in a stable order, as paths that start with it."""
    return _below(directory, _is_dockerfile, complain)


def all_files(directory: str, complain: Complain = lambda _: None) -> Iterator[str]:
    """The Dockerfiles and the deployments' files below a directory, as `dockerfiles` has them."""
    return _below(directory, lambda entry: _is_dockerfile(entry) or _is_deployment(entry), complain)


_NAMING = re.compile(
    r"(?:docker-)?compose(?:[._-][\w.-]+)?\.ya?ml\Z|docker-bake(?:\.override)?\.(?:hcl|json)\Z|skaffold[\w.-]*\.ya?ml\Z",
    re.IGNORECASE,
)


def naming(folder: str, root: str) -> tuple[tuple[str, ...], ...]:
    """The files that may give names to the images they build: those of a folder, and of each above it up to a root."""
    found: list[tuple[str, ...]] = []
    directory = os.path.abspath(folder)
    top = os.path.abspath(root)
    while True:
        found += [paths] if (paths := _naming_in(directory)) else []
        if directory == top or len(directory) <= len(top):
            return tuple(found)
        directory = os.path.dirname(directory)


def _naming_in(directory: str) -> tuple[str, ...]:
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        names = []
    return tuple(os.path.join(directory, name) for name in names if _NAMING.match(name))


def deployments(directory: str) -> Iterator[str]:
    """The deployments' files below a directory, as `dockerfiles` has them."""
    return _below(directory, _is_deployment)


def _is_dockerfile(entry: os.DirEntry[str]) -> bool:
    # What is no file, or a link that leads nowhere, is for the one who reads it to say.
    return is_dockerfile_name(entry.name) and not _is_part(entry.path)


# By these letters ends what is told from all else at no cost: .yaml, .yml, .json, .hcl, .container
_DEPLOYMENT_NAME = re.compile(r".+\.(?:ya?ml|json|hcl|container)\Z", re.IGNORECASE)
_OVERRIDE = re.compile(r"((?:docker-)?compose)\.override\.ya?ml\Z")


def may_be_deployment(name: str) -> bool:
    """Whether a file of this name may be a deployment's: only then is it looked into."""
    return _DEPLOYMENT_NAME.match(name) is not None


def _is_deployment(entry: os.DirEntry[str]) -> bool:
    """Whether it is a deployment's file; an override goes with the Compose file that it belongs to."""
    if not may_be_deployment(entry.name) or entry.name.startswith("."):
        return False
    override = _OVERRIDE.match(entry.name)
    if override is not None:
        folder = os.path.dirname(entry.path)
        if any(os.path.isfile(os.path.join(folder, f"{override[1]}.{end}")) for end in ("yaml", "yml")):
            return False
    return is_deployment(entry.path)


def is_deployment(path: str) -> bool:
    """Whether a file is a deployment's, by its name and a look into it."""
    if not may_be_deployment(os.path.basename(path)):
        return False
    from pid1lint.deploy.kinds import kind_of

    try:
        data = files.read(path, within=lambda: files.homes(path))
    except UnreadableError:
        # By its name it is one: that it cannot be read is for the one who reads it to say.
        return _NAMING.match(os.path.basename(path)) is not None
    return kind_of(os.path.basename(path), data.decode("utf-8", "replace")) != ""


Wanted = Callable[["os.DirEntry[str]"], bool]


def _below(directory: str, wanted: Wanted, complain: Complain = lambda _: None) -> Iterator[str]:
    top = os.path.abspath(directory)
    waiting = [(directory, top, _ignores_above(top, complain))]
    while waiting:
        shown, real, ignores = waiting.pop()
        try:
            with os.scandir(real) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError:
            continue  # a directory that may not be listed holds nothing for us, as for git
        if any(entry.name == ".gitignore" for entry in entries):
            ignores = _joined(ignores, _ignores_in(real, complain), complain)
        folders = []
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith(".") and entry.name not in _SKIPPED:
                    folders.append(entry)
            elif _may_be_wanted(entry.name) and not _ignored(entry.path, ignores, is_folder=False) and wanted(entry):
                yield _join(shown, entry.name)
        waiting += [
            (_join(shown, folder.name), folder.path, ignores)
            for folder in reversed(folders)
            if not _ignored(folder.path, ignores, is_folder=True)
        ]


def _may_be_wanted(name: str) -> bool:
    return is_dockerfile_name(name) or may_be_deployment(name)


def matching(pattern: str) -> tuple[str, ...]:
    """The paths that a glob matches, sorted: `**` stands for any folders, no wildcard for a hidden name or a link."""
    from pid1lint import patterns

    top = "/" if pattern.startswith("/") else ""
    parts = [part for part in pattern.split("/") if part]
    compiled = [None if part == "**" else patterns.shell(part) for part in parts]

    def reached(places: frozenset[int]) -> frozenset[int]:
        """With what comes behind each `**`, which may stand for nothing."""
        more = places | {at + 1 for at in places if at < len(parts) and compiled[at] is None}
        return places if more == places else reached(more)

    found: list[str] = []
    waiting = [(top, reached(frozenset((0,))))]
    while waiting:
        folder, places = waiting.pop()
        try:
            with os.scandir(folder or ".") as scan:
                entries = list(scan)
        except OSError:
            continue
        for entry in entries:
            after: set[int] = set()
            for at in places - {len(parts)}:
                one = compiled[at]
                if entry.name.startswith(".") and not parts[at].startswith("."):
                    continue
                if one is None:
                    after.add(at)
                elif one.matches(entry.name):
                    after.add(at + 1)
            if not after:
                continue
            ways = reached(frozenset(after))
            path = os.path.join(folder, entry.name)
            if len(parts) in ways:
                found.append(path)
            if entry.is_dir(follow_symlinks=False) or (
                entry.is_dir() and any(parts[at - 1] == entry.name for at in after)
            ):
                waiting.append((path, ways))
    return tuple(sorted(found))


def _is_part(path: str) -> bool:
    """Whether a file only becomes a Dockerfile, or a part of one: a template, or a piece for others to include.

    In a template a placeholder stands where an instruction, or the base image, should; in a heredoc or an argument it
    may well belong to something else. A piece is called `Dockerfile.piece` or `piece.Dockerfile` and holds
    instructions, none of them FROM; or no instruction at all, as the list of variables `Dockerfile.env`.
    """
    try:
        data = files.read(path, within=lambda: files.homes(path))
    except UnreadableError:
        return False  # for the one who reads it to say
    if b"\0" in data:
        return False  # likewise
    may_be_template = re.search(_MAY_BE_TEMPLATE, data) is not None
    may_be_piece = os.path.basename(path).lower() not in _NAMES and re.search(_FROM, data) is None
    if not may_be_template and not may_be_piece:
        return False
    if may_be_piece and re.search(_PLACEHOLDER.encode(), data):
        return True
    from pid1lint.dockerfile.scanner import KEYWORDS, scan
    from pid1lint.source import Source

    dockerfile = scan(Source.decode(path, data))
    if may_be_piece and len({instruction.keyword in KEYWORDS for instruction in dockerfile.instructions}) < 2:
        return True
    texts = (dockerfile.source.text[slice(*instruction.span)] for instruction in dockerfile.instructions)
    return any(re.match(_TEMPLATE_LINE, text.encode("utf-8", "replace"), re.IGNORECASE) for text in texts)


def _join(shown: str, name: str) -> str:
    return name if shown == "." else os.path.join(shown, name)


def _ignores_above(top: str, complain: Complain) -> tuple[Ignores, ...]:
    """What the directories between the repository's root and `top`, and the repository itself, ignore."""
    root = repository_root(top)
    if root is None:
        return ()
    found = _joined((), _read(root, os.path.join(root, ".git", "info", "exclude"), complain), complain)
    directory = root
    for part in os.path.relpath(top, root).split(os.sep):
        if directory != top:
            found = _joined(found, _ignores_in(directory, complain), complain)
            directory = os.path.join(directory, part)
    return found


def _joined(above: tuple[Ignores, ...], more: tuple[Ignores, ...], complain: Complain) -> tuple[Ignores, ...]:
    """The files of all directories on the way, unless they have more patterns than can be tried."""
    found = (*above, *more)
    if more and sum(len(each.rules.wild) for each in found) > _MOST_PATTERNS:
        why = f"is not read: there would be more than {_MOST_PATTERNS} patterns with wildcards"
        complain(UnreadableError(more[-1].file, why))
        return above
    return found


def _ignores_in(directory: str, complain: Complain) -> tuple[Ignores, ...]:
    path = os.path.join(directory, ".gitignore")
    if os.path.islink(path):
        complain(UnreadableError(path, "is not read: it is a link, which git does not follow either"))
        return ()
    return _read(directory, path, complain)


def _read(directory: str, path: str, complain: Complain) -> tuple[Ignores, ...]:
    try:
        text = files.read(path, limit=files.MAX_SETTINGS).decode("utf-8", "surrogateescape")
    except files.MissingError:
        return ()
    except UnreadableError as error:
        complain(error)
        return ()
    lines = [line for line in text.removeprefix("\ufeff").split("\n") if line.strip() and not line.startswith("#")]
    if not lines:
        return ()
    from pid1lint.gitignore import Rules

    return (Ignores(path, directory, Rules.of(lines)),)


def _ignored(path: str, ignores: tuple[Ignores, ...], *, is_folder: bool) -> bool:
    """Whether git ignores an absolute path. The nearest `.gitignore` decides."""
    for _, directory, rules in reversed(ignores):
        relative = path[len(directory) :].lstrip("/").replace(os.sep, "/")
        verdict = rules.decide(relative, is_folder=is_folder)
        if verdict is not None:
            return verdict
    return False
