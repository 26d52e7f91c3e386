"""What the formats for other programs share: text that is valid wherever it goes, and XML documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pid1lint.report.style import printable

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def valid(text: str) -> str:
    """The text with a replacement character for each byte that was no UTF-8: other readers refuse lone surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def element(name: str, attributes: Mapping[str, str], children: Iterable[Element] = (), text: str = "") -> Element:
    """An XML element; what XML cannot hold, control characters first of all, becomes a replacement character."""
    from xml.etree.ElementTree import Element

    made = Element(name, {key: _characters(value) for key, value in attributes.items()})
    made.extend(children)
    if text:
        made.text = "\n".join(map(_characters, text.split("\n")))
    return made


def document(root: Element) -> str:
    """An XML document in ASCII, which passes through every pipe."""
    from xml.etree import ElementTree

    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="us-ascii")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + written.decode("ascii")


def _characters(text: str) -> str:
    return printable(text).translate({0xFFFE: "\ufffd", 0xFFFF: "\ufffd"})
