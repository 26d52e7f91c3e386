"""The rules for a terminal: their list, and a page with its paragraphs folded, files indented, no marks of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pid1lint.report.style import SEVERITY_COLOURS, Style, fold
from pid1lint.rulebook import GROUPS

if TYPE_CHECKING:
    from pid1lint.registry import AnyRule

_FENCE = re.compile(r"```(?P<language>\w*) ?(?P<name>\S*)")
_LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<url>[^)\s]+)\)")
OUTCOME = re.compile(r"^= (?P<outcome>\w+)(?P<unmeasured>, not measured)?(?:: (?P<remark>.+))?$")
"""What becomes of the container, as the notation has it."""
_WIDEST = 100


def markdown(page: str) -> str:
    """A rule's page as plain Markdown: what becomes of the container in words, not in the notation of the tests."""
    return re.sub(OUTCOME.pattern, _outcome, page, flags=re.MULTILINE)


def without_pictures(page: str) -> str:
    """A page in Markdown without its pictures."""
    return re.sub(r"^!\[[^\]]*\]\([^)]*\)\n\n", "", page, flags=re.MULTILINE)


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


def rule_rows(rules: Sequence[AnyRule]) -> Iterator[str]:
    """A row for each rule."""
    width = max((len(rule.name) for rule in rules), default=0)
    for rule in rules:
        mark = "[*]" if rule.fixable else "   "
        yield f"{rule.code}  {rule.name:<{width}}  {rule.severity.value:<7}  {mark}  {rule.summary}"


def rule_lines(rules: Sequence[AnyRule], style: Style) -> Iterator[str]:
    """The rules under headings, each with what it says below it, at most as wide as the terminal."""
    width = min(style.width, _WIDEST)
    indent = " " * 8
    names = max((len(rule.name) for rule in rules), default=0)
    for start, title in GROUPS.items():
        yield style.paint("bold", f"{start}xx: {title}")
        for rule in rules:
            if rule.code.startswith(start):
                severity = style.paint(SEVERITY_COLOURS[rule.severity], f"{rule.severity.value:<7}")
                row = f"{rule.code}  {style.paint('bold', rule.name.ljust(names))}  {severity}"
                yield row + ("  [*]" if rule.fixable else "")
                yield from fold(rule.summary, width, indent, indent)
        yield ""


def _until_fence(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line.startswith("```"):
            return
        yield line


def _folded(block: list[str], width: int) -> Iterable[str]:
    text = _LINK.sub(r"\g<text>: \g<url>", " ".join(line.strip() for line in block))
    return fold(text, width, later="  " if text.startswith("- ") else "") if text else ()


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
        line = _outcome(outcome)
    return fold(line, width, "  ", "    ") if line else ()


def _outcome(found: re.Match[str]) -> str:
    if found["outcome"] == "none":
        return ""
    # Why the tests do not measure it is of no interest here.
    remark = None if found["unmeasured"] else found["remark"]
    return f"Outcome: {found['outcome']}" + (f" ({remark})" if remark else "")
