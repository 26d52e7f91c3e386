"""PID104: an array that is no JSON, and so runs as a shell line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, Launch, Severity, Span, rule
from pid1lint.mend.array import json_array

_QUOTES = {"\u201c": "\u201d", "\u201d": "\u201d", "\u201e": "\u201c", "\u2018": "\u2019", "'": "'", '"': '"', "`": "`"}
_CLOSING = {"\u201c": "\u201d\u201c", "\u201d": "\u201d\u201c", "\u201e": "\u201c\u201d", "\u2018": "\u2019\u2018"}


@rule("PID104", Severity.ERROR)
def broken_exec_form(launch: Launch) -> Iterator[Finding]:
    r"""The array of CMD or ENTRYPOINT is not valid JSON, so Docker runs it in a shell and the container exits.

    ## Why is this bad?

    Docker accepts `CMD ['app', '--port', '80']` without a warning. JSON allows only double quotes, so Docker reads the
    line as shell form, and the shell looks for a program named `[app,`. The container exits with 127 at once. A
    trailing comma, typographic quotes from a word processor, a comment after the array and a missing bracket have the
    same effect.

    ## Example

    ```dockerfile
    FROM debian:12
    CMD ['server', '--port', '80']
    ```

    ```text
    Dockerfile:2:5: PID104 the array is not valid JSON (single quotes), so Docker runs the line in a shell
    = fails
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    CMD ["server", "--port", "80"]
    ```

    ## Fix safety

    Safe: the line did not work. The fix writes the array again with the same words, and moves a comment after it to a
    line of its own above. There is no fix if the words cannot be told apart, or if the line ends with a comma and the
    array seems to continue.
    """
    for command in (launch.image.entrypoint, launch.image.cmd):
        if command is None or command.instruction is None or command.instruction.broken_json is None:
            continue
        why = command.instruction.broken_json
        place = command.text.place()
        words = _words(command.text.text)
        fix = None
        if words is not None and place.text == command.text.text:
            array, comment = words
            start = command.instruction.span.start
            edits = [Edit(place.source, place.span, json_array(array))]
            if comment:
                edits.insert(0, Edit(place.source, Span(start, start), f"{comment}{place.source.newline}"))
            fix = Fix("Write the array as JSON", tuple(edits), Applicability.SAFE)
        yield Finding(place, f"the array is not valid JSON ({why}), so Docker runs the line in a shell", fix=fix)


def _words(text: str) -> tuple[tuple[str, ...], str] | None:
    """The words that the array means, and a comment behind it; None if they cannot be told apart."""
    text = text.strip()
    if not text.startswith("["):
        return None
    words: list[str] = []
    at = 1
    while True:
        at += len(text[at:]) - len(text[at:].lstrip(" \t,"))
        if at >= len(text):
            # Behind a comma the array goes on, on a line that Docker takes for another instruction.
            return (tuple(words), "") if words and not text.endswith(",") else None
        if text[at] == "]":
            rest = text[at + 1 :].strip()
            if rest and not rest.startswith("#"):
                return None
            return (tuple(words), rest) if words else None
        opening = text[at]
        if opening not in _QUOTES:
            bare = re.match(r"[A-Za-z0-9_./:=@%+-]+(?=\s*[,\]])", text[at:])
            if bare is None:
                return None
            words.append(bare.group())
            at += bare.end()
            continue
        closing = _CLOSING.get(opening, _QUOTES[opening])
        end = next((i for i in range(at + 1, len(text)) if text[i] in closing), None)
        if end is None or not re.match(r"\s*(?:[,\]]|$)", text[end + 1 :]) or "\\" in text[at:end]:
            return None
        words.append(text[at + 1 : end])
        at = end + 1
