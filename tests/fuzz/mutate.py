"""Makes a case out of others: as somebody would who writes odd files, not as a machine that turns bits."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol, TypeVar

from tests.fuzz.case import Case
from tests.fuzz.seeds import seeds, target
from tests.truth.grammar import BASH_ONLY, IN_FRONT, JOBS

T = TypeVar("T")
Text = bytes
_WORD = re.compile(rb"[^\s]+")
_LONGEST = 6000


class Choices(Protocol):
    """Who decides: a random number generator, or hypothesis."""

    def below(self, limit: int) -> int:
        """One of the numbers from 0 on."""


class Random:
    """Decides by a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def below(self, limit: int) -> int:
        """One of the numbers from 0 on."""
        return self._random.randrange(limit)


def _of(choices: Choices, options: Sequence[T]) -> T:
    return options[choices.below(len(options))]


PROGRAMS = (
    b"server",
    b"server --port 80",
    b"gunicorn app:app",
    b"java -jar a.jar",
    b"-x",
    b"node /server.js",
    b"./app",
    b"$APP",
    b'"a b"',
)
ODD = (
    *(
        b"\r",
        b"\t",
        b"\xc2\xa0",
        b"\xef\xbb\xbf",
        b'"',
        b"'",
        b"\\",
        b"`",
        b"$",
        b"\xff",
        b"\xe2\x80\xa8",
        b"\xf0\x9f\x90\xb3",
        b"\x0c",
        b"\x1b[31m",
    ),
    *(
        b"#",
        b";",
        b"&",
        b"|",
        b"(",
        b")",
        b"{",
        b"}",
        b"[",
        b"]",
        b"<",
        b">",
        b"*",
        b"?",
        b"~",
        b"!",
        b"=",
        b"-",
        b"--",
        b",",
        b":",
        b"\n",
        b"\\\n",
        b" \\\n# c\n",
    ),
    *(
        b"$(",
        b"${",
        b"$((",
        b"$'",
        b'$"',
        b"<<E",
        b"<<-E",
        b"&&",
        b"||",
        b";;",
        b"|&",
        b"&>",
        b">&2",
        b"2>&1",
        b"''",
        b'""',
        b'\\"',
        b"\\'",
        b"\x00",
        b"\r\n",
        b" ",
    ),
)
_HERE = Path(__file__).parent / "fragments"
WORDS = tuple((_HERE / "words.txt").read_bytes().splitlines())


@cache
def fragments(what: str) -> Sequence[bytes]:
    """Lines that belong into a file of some kind, `@` for a program: in `fragments/`, each behind the other and `%`."""
    own = (_HERE / f"{what}.txt").read_bytes().removesuffix(b"\n%\n").split(b"\n%\n")
    ways = (text.encode() for _, text in (*IN_FRONT, *BASH_ONLY, *JOBS))
    return (*own, *(ways if what == "script" else ()))


def _lines(text: Text) -> list[bytes]:
    return text.split(b"\n")


def _filled(choices: Choices, line: bytes) -> bytes:
    return re.sub(rb"(?<![$[{])@", lambda _: _of(choices, PROGRAMS), line)


def _insert(choices: Choices, what: str, text: Text) -> Text:
    lines = _lines(text)
    at = choices.below(len(lines) + 1)
    lines[at:at] = _lines(_filled(choices, _of(choices, fragments(what))))
    return b"\n".join(lines)


def _replace(choices: Choices, what: str, text: Text) -> Text:
    lines = _lines(text)
    at = choices.below(len(lines))
    lines[at : at + 1 + choices.below(2)] = _lines(_filled(choices, _of(choices, fragments(what))))
    return b"\n".join(lines)


def _drop(choices: Choices, what: str, text: Text) -> Text:
    lines = _lines(text)
    del lines[choices.below(len(lines))]
    return b"\n".join(lines)


def _repeat(choices: Choices, what: str, text: Text) -> Text:
    lines = _lines(text)
    line = _of(choices, lines)
    at = choices.below(len(lines) + 1)
    lines[at:at] = [line] * (1 + choices.below(3))
    return b"\n".join(lines)


def _swap(choices: Choices, what: str, text: Text) -> Text:
    lines = _lines(text)
    one, other = choices.below(len(lines)), choices.below(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _odd(choices: Choices, what: str, text: Text) -> Text:
    at = choices.below(len(text) + 1)
    return text[:at] + _of(choices, ODD) + text[at + choices.below(2) :]


def _word(choices: Choices, what: str, text: Text) -> Text:
    found = list(_WORD.finditer(text))
    if not found:
        return text
    word = _of(choices, found)
    others = (*WORDS, _of(choices, found)[0], b"", word[0] + b" " + word[0])
    return text[: word.start()] + _of(choices, others) + text[word.end() :]


def _insert_word(choices: Choices, what: str, text: Text) -> Text:
    found = list(_WORD.finditer(text))
    at = _of(choices, found).start() if found else 0
    return text[:at] + _of(choices, WORDS) + b" " + text[at:]


def _wrap(choices: Choices, what: str, text: Text) -> Text:
    """Some lines in quotes, brackets or what else has a beginning and an end."""
    lines = _lines(text)
    start = choices.below(len(lines))
    end = start + 1 + choices.below(3)
    before, after = _of(choices, _WRAPPERS if what in ("script", "dockerfile") else _WRAPPERS[:5])
    lines[start:end] = [before + b"\n".join(lines[start:end]) + after]
    return b"\n".join(lines)


_WRAPPERS = (
    *((b'"', b'"'), (b"'", b"'"), (b"[", b"]"), (b"{", b"}"), (b"  ", b"")),
    *((b"(", b")"), (b"{ ", b"; }"), (b"if true; then\n", b"\nfi"), (b"while true; do\n", b"\ndone")),
    *((b"f() {\n", b"\n}\nf"), (b"$(", b")"), (b"`", b"`"), (b"", b" &"), (b"", b" | cat"), (b"sh -c '", b"'")),
    *((b"exec ", b""), (b"cat <<E\n", b"\nE"), (b"case x in x)\n", b"\n;; esac"), (b"eval '", b"'"), (b"! ", b"")),
    *((b"ONBUILD ", b""), (b"RUN <<E\n", b"\nE"), (b"", b" || exit 1")),
)


def _ends(choices: Choices, what: str, text: Text) -> Text:
    """Other line ends, or none at the end."""
    match choices.below(5):
        case 0:
            return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        case 1:
            return text.rstrip(b"\n")
        case 2:
            return text + b"\n\n"
        case 3:
            return b"\xef\xbb\xbf" + text
    return text.replace(b"    ", b"\t").replace(b"  ", b"\t")


def _continued(choices: Choices, what: str, text: Text) -> Text:
    """A line that goes on in the next one."""
    blanks = [at for at, byte in enumerate(text) if byte == 0x20]
    if not blanks:
        return text
    at = _of(choices, blanks)
    return (
        text[:at]
        + _of(choices, (b" \\\n  ", b" \\\n# c\n  ", b" \\\n\n", b" \\ \n", b" `\n", b"\t\\\r\n"))
        + text[at + 1 :]
    )


def _escape(choices: Choices, what: str, text: Text) -> Text:
    return b"# escape=`\n" + text.replace(b"\\\n", b"`\n") if what == "dockerfile" else _odd(choices, what, text)


def _cut(choices: Choices, what: str, text: Text) -> Text:
    at = choices.below(len(text) + 1)
    return text[:at]


def _spliced(choices: Choices, what: str, text: Text) -> Text:
    """Some lines of another case."""
    other = _of(choices, seeds(what))
    texts = [file.data for name, file in other.files.items() if target(what, name, file.data)] or [b""]
    theirs = _lines(_of(choices, texts))
    start = choices.below(len(theirs))
    lines = _lines(text)
    at = choices.below(len(lines) + 1)
    lines[at : at + choices.below(2)] = theirs[start : start + 1 + choices.below(5)]
    return b"\n".join(lines)


_CHANGES: tuple[Callable[[Choices, str, Text], Text], ...] = (
    *(_insert, _insert, _insert, _replace, _replace, _drop, _repeat, _swap, _odd, _odd, _word, _word, _insert_word),
    *(_wrap, _wrap, _ends, _continued, _continued, _escape, _cut, _spliced, _spliced),
)


def changed(case: Case, what: str, choices: Choices) -> Case:
    """A case with one to five changes: most to the files that it is about."""
    files = dict(case.files)
    for _ in range(1 + choices.below(5)):
        names = list(files)
        if not names:
            return _of(choices, seeds(what))
        wanted = [name for name in names if target(what, name, files[name].data)] or names
        name = _of(choices, wanted if choices.below(5) else names)
        file = files[name]
        if choices.below(40) == 0:
            files[name] = file._replace(mode=_of(choices, (0o644, 0o755, 0o600)))
            continue
        if choices.below(60) == 0:
            del files[name]
            continue
        kind = what if name in wanted else "script" if file.data.startswith(b"#!") else "dockerfile"
        files[name] = file._replace(data=_of(choices, _CHANGES)(choices, kind, file.data)[:_LONGEST])
    return Case(files)


def made(what: str, choices: Choices) -> Case:
    """A case out of one of the seeds."""
    return changed(_of(choices, seeds(what)), what, choices)
