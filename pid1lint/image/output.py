"""What echo, printf and cat write: the content of files that a RUN makes, with its places in the Dockerfile."""

from __future__ import annotations

import re

from pid1lint.source import Excerpt

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b"}
_ESCAPE = r"(?s)\\(?:(0[0-7]{0,3}|[1-7][0-7]{0,2})|x([0-9a-fA-F]{1,2})|(.))"
_DIRECTIVE = r"%[-+ 0#]*\d*(?:\.\d+)?([%a-zA-Z])"
_EXPANSION = r"\\([$`\\\n])|\$(\w+)|\$\{(\w+)\}|[$`]"
_LOOKAHEAD = 8


def unescape(text: str) -> str:
    """Undo the backslash escapes of `printf` and of `echo -e`; unknown ones stay."""
    return re.sub(_ESCAPE, _unescaped, text) if "\\" in text else text


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 8))
    if match[2]:
        return chr(int(match[2], 16))
    return _ESCAPES.get(match[3], match[0])


def echo(arguments: list[str], escapes: bool | None) -> str | None:
    """What `echo` prints. `escapes`: whether it undoes escapes unasked, as dash does; None if that is not known."""
    newline = "\n"
    while escapes is not True and arguments and re.fullmatch(r"-[neE]+", arguments[0]):
        flags, arguments = arguments[0], arguments[1:]
        newline = "" if "n" in flags else newline
        escapes = True if "e" in flags else escapes
    if escapes is True and arguments and arguments[0] == "-n":
        newline, arguments = "", arguments[1:]
    text = " ".join(arguments)
    if escapes is None and "\\" in text:
        return None
    return (unescape(text) if escapes else text) + newline


def printf(arguments: list[str]) -> str | None:
    """What `printf` prints; None for a format that is not understood."""
    if arguments and arguments[0] == "--":
        arguments = arguments[1:]
    if not arguments or arguments[0].startswith("-"):
        return None
    form, values = arguments[0], arguments[1:]
    parts: list[str] = []
    while True:
        taken = 0
        at = 0
        for match in re.finditer(_DIRECTIVE, form):
            parts.append(unescape(form[at : match.start()]))
            at = match.end()
            if match[1] == "%":
                parts.append("%")
                continue
            if match.group() not in ("%s", "%b"):
                return None
            value = values[taken] if taken < len(values) else ""
            taken += 1
            parts.append(unescape(value) if match[1] == "b" else value)
        parts.append(unescape(form[at:]))
        values = values[taken:]
        if not values or not taken:
            return "".join(parts)


def expand_body(body: str, variables: dict[str, str], unknown: str) -> str:
    """An unquoted here-document as the shell writes it; command substitutions become `unknown`."""

    def replaced(match: re.Match[str]) -> str:
        if match[1]:
            return "" if match[1] == "\n" else match[1]
        name = match[2] or match[3]
        return variables.get(name, unknown) if name else unknown

    return re.sub(_EXPANSION, replaced, body)


def align(content: str, excerpt: Excerpt, start: int, end: int) -> Excerpt:
    """`content` with each character placed at where it most likely stands in `excerpt.text[start:end]`."""
    raw = excerpt.text
    offsets: list[int] = []
    at = start
    for char in content:
        if char == "\n":
            # Written as `\n`, as a line end, or added by echo.
            found = min((i for i in (raw.find("\\n", at, at + 2), raw.find("\n", at, at + 2)) if i >= 0), default=-1)
        else:
            found = raw.find(char, at, min(end, at + _LOOKAHEAD))
        if found >= 0:
            offsets.append(excerpt.offset(found))
            at = min(found + (2 if char == "\n" and raw[found] == "\\" else 1), end)
        else:
            offsets.append(excerpt.offset(min(at, max(start, end - 1))))
    offsets.append(excerpt.offset(at))
    return Excerpt(excerpt.source, content, tuple(offsets), 0, "plain")


def concatenate(parts: list[Excerpt]) -> Excerpt:
    """Several excerpts of one source, one after the other."""
    if len(parts) == 1:
        return parts[0]
    text = "".join(part.text for part in parts)
    offsets = [part.offset(i) for part in parts for i in range(len(part.text))]
    last = parts[-1]
    return Excerpt(last.source, text, (*offsets, last.offset(len(last.text))))
