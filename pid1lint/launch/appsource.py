"""Whether an app's own source handles the stop signal, where the source is in the build context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pid1lint.facts.handlers import handles

if TYPE_CHECKING:
    from pid1lint.facts.programs import Program
    from pid1lint.image.model import Image

_SUFFIXES = {
    "python": (".py",),
    "node": (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"),
    "bun": (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"),
    "deno": (".js", ".mjs", ".ts", ".mts"),
    "ruby": (".rb", ".ru"),
    "php": (".php",),
    "perl": (".pl", ".pm"),
}


def _folder_of(image: Image, argv: list[str], workdir: str) -> str | None:
    """The script that `node DIR` runs: the folder's index.js."""
    word = next((word for word in argv[1:] if not word.startswith("-")), None)
    if word is None:
        return None
    folder = (word if word.startswith("/") else f"{workdir.rstrip('/')}/{word}").rstrip("/")
    path = f"{folder}/index.js"
    return path if image.files.lookup(path) is not None else None


def app_reaction(image: Image, fact: Program, argv: list[str], workdir: str, signal: str) -> tuple[str, bool]:
    """What the stop signal does to a program of an interpreted language, and whether that is assumed.

    Sure only where the file that is run is in the context: then it is read, and so are the files of its language
    around it, as far as the image copies them; a handler in any of them is believed to be in use.
    """
    plain = fact.reaction(signal) or "handles"
    if plain != "default" or fact.interpreter not in _SUFFIXES:
        return plain, False
    script = next((word for word in argv[1:] if word.endswith(_SUFFIXES.get(fact.interpreter, ()))), None)
    if script is None and fact.interpreter == "node":
        script = _folder_of(image, argv, workdir)
    if script is None:
        return "handles", True
    path = script if script.startswith("/") else f"{workdir.rstrip('/')}/{script}"
    file = image.files.lookup(path)
    if file is None or file.text is None:
        return "handles", True
    language = fact.interpreter
    if handles(language, file.text.text, signal):
        return "handles", False
    folder = path.rpartition("/")[0]
    for text in image.files.texts_below(folder, _SUFFIXES[language]):
        if handles(language, text, signal):
            return "handles", False
    return "default", False
