"""Finds the Dockerfiles below a directory: by name, leaving out what git ignores, templates and pieces."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from pid1lint.image.context import repository_root

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

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
_SKIPPED = frozenset(("node_modules", "__pycache__"))
_SCRIPTS = frozenset(("bash", "dash", "ksh", "sh", "zsh"))


class Ignores(NamedTuple):
    """The `.gitignore` of one directory."""

    directory: str
    spec: GitIgnoreSpec


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


def dockerfiles(directory: str) -> Iterator[str]:
    """The Dockerfiles below a directory, in a stable order, as paths that start with it."""
    top = os.path.abspath(directory)
    above = _ignores_above(top)
    yield from _walk(directory, top, above)


def _walk(shown: str, real: str, ignores: tuple[Ignores, ...]) -> Iterator[str]:
    try:
        with os.scandir(real) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError:
        return  # a directory that may not be listed holds nothing for us, as for git
    ignores += _ignores_in(real, any(entry.name == ".gitignore" for entry in entries))
    folders = []
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if not entry.name.startswith(".") and entry.name not in _SKIPPED:
                folders.append(entry)
        elif is_dockerfile_name(entry.name) and not _ignored(entry.path, ignores) and _is_whole(entry):
            yield _join(shown, entry.name)
    for folder in folders:
        if not _ignored(folder.path + "/", ignores):
            yield from _walk(_join(shown, folder.name), folder.path, ignores)


def _is_whole(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file, or a link that leads nowhere: that is for the one who reads it to say."""
    try:
        return (entry.is_file() or entry.is_symlink()) and not _is_part(entry.path)
    except OSError:
        return True


def _is_part(path: str) -> bool:
    """Whether a file only becomes a Dockerfile, or a part of one: a template, or a piece for others to include.

    In a template a placeholder stands where an instruction, or the base image, should; in a heredoc or an argument it
    may well belong to something else. A piece is called `Dockerfile.piece` or `piece.Dockerfile` and holds
    instructions, none of them FROM; or no instruction at all, as the list of variables `Dockerfile.env`.
    """
    from pid1lint.image.context import MAX_BYTES

    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES)
    except OSError:
        return False  # for the one who reads it to say
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


def _ignores_above(top: str) -> tuple[Ignores, ...]:
    """What the directories between the repository's root and `top`, and the repository itself, ignore."""
    root = repository_root(top)
    if root is None:
        return ()
    found = _spec(root, os.path.join(root, ".git", "info", "exclude"))
    directory = root
    for part in os.path.relpath(top, root).split(os.sep):
        if directory != top:
            found += _ignores_in(directory, True)
            directory = os.path.join(directory, part)
    return found


def _ignores_in(directory: str, may_have: bool) -> tuple[Ignores, ...]:
    return _spec(directory, os.path.join(directory, ".gitignore")) if may_have else ()


def _spec(directory: str, path: str) -> tuple[Ignores, ...]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return ()
    if not any(line.strip() and not line.startswith("#") for line in lines):
        return ()
    from pathspec import GitIgnoreSpec

    return (Ignores(directory, GitIgnoreSpec.from_lines(lines)),)


def _ignored(path: str, ignores: tuple[Ignores, ...]) -> bool:
    """Whether git ignores an absolute path; a directory's ends in a slash. The nearest `.gitignore` decides."""
    for directory, spec in reversed(ignores):
        relative = path[len(directory) :].lstrip("/").replace(os.sep, "/")
        verdict = spec.check_file(relative).include
        if verdict is not None:
            return verdict
    return False
