"""A rule's page for a terminal: paragraphs folded to its width, files indented, no marks of Markdown."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from pid1lint.report.style import Style

_FENCE = re.compile(r"```(?P<language>\w*) ?(?P<name>\S*)")
_LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<url>[^)\s]+)\)")
OUTCOME = re.compile(r"^= (?P<outcome>\w+)(?P<unmeasured>, not measured)?(?:: (?P<remark>.+))?$")
"""What becomes of the container, as the notation has it."""
_WIDEST = 100


def page_lines(page: str, style: Style) -> Iterator[str]:
    """The lines of a page in the notation of rule pages, at most as wide as the terminal and easy to read."""
    width = min(style.width, _WIDEST)
    block: list[str] = []
    lines = iter(page.splitlines())
    for line in lines:
        fence = _FENCE.match(line)
        if fence or line.startswith(("#", "- ")) or not line.strip():
            yield from _folded(block, width)
            block = []
        if fence:
            yield from _fenced(fence, _until_fence(lines), style, width)
        elif line.startswith("#"):
            yield style.paint("bold", line.lstrip("# "))
        elif line.strip():
            block.append(line)
        else:
            yield ""
    yield from _folded(block, width)


def _until_fence(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line.startswith("```"):
            return
        yield line


def _folded(block: list[str], width: int) -> Iterable[str]:
    text = _LINK.sub(r"\g<text>: \g<url>", " ".join(line.strip() for line in block))
    later = "  " if text.startswith("- ") else ""
    return textwrap.wrap(text, width, subsequent_indent=later, break_long_words=False, break_on_hyphens=False)


def _fenced(fence: re.Match[str], lines: Iterator[str], style: Style, width: int) -> Iterator[str]:
    if fence["language"] == "text" and not fence["name"]:
        for line in lines:
            yield from _expected(line, width)
        return
    name = fence["name"] or ("Dockerfile" if fence["language"] == "dockerfile" else "")
    if name:
        yield style.paint("cyan", f"  {name}")
    for line in lines:
        yield f"    {line}".rstrip()


def _expected(line: str, width: int) -> Iterable[str]:
    """What the linter says of the example, or what becomes of the container."""
    outcome = OUTCOME.match(line)
    if outcome is not None:
        if outcome["outcome"] == "none":
            return ()
        line = f"Outcome: {outcome['outcome']}" + (f" ({outcome['remark']})" if outcome["remark"] else "")
    return textwrap.wrap(
        line, width, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
