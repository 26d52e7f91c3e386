"""A fix as data: edits with a title and how far they can be trusted. Nothing here touches the disk."""

from __future__ import annotations

from enum import Enum

from pid1lint.frozen import Frozen
from pid1lint.source import Excerpt, Source, Span


class Applicability(Enum):
    """`safe` keeps the program's behaviour, comments and formatting; `unsafe` may change more than signals."""

    SAFE = "safe"
    UNSAFE = "unsafe"


class Edit(Frozen):
    """Put `content` in the place of `span` of `source`; an empty span inserts."""

    source: Source
    span: Span
    content: str


class ShellGuard(Frozen):
    """What bashlex must see before a fix may edit shell text: a simple command of just these words.

    `text` is the shell text, `start` and `end` the command's offsets in it, `words` its words as written.
    """

    text: Excerpt
    start: int
    end: int
    words: tuple[str, ...]


class Fix(Frozen):
    """Edits that belong together: all are made or none."""

    title: str
    edits: tuple[Edit, ...]
    applicability: Applicability
    guards: tuple[ShellGuard, ...] = ()

    @property
    def merged(self) -> Edit | None:
        """All edits as one, with the text between them; None if there are none or in several files."""
        if len({edit.source.path for edit in self.edits}) != 1:
            return None
        source, text = self.edits[0].source, self.edits[0].source.text
        (first, content), *rest = sorted({(edit.span, edit.content) for edit in self.edits})
        at = first.end
        for span, further in rest:
            content += text[at : span.start] + further
            at = span.end
        return Edit(source, Span(first.start, at), content)
