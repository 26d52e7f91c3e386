"""The pattern languages of .dockerignore and of wildcards in COPY, which are Go's and not git's."""

from __future__ import annotations

import posixpath
import re
from functools import cache
from typing import NamedTuple

WILDCARDS = frozenset("*?[")
_MAX_STARS = 10


class IgnoreRule(NamedTuple):
    """One line of a .dockerignore; `keeps` is set for `!pattern`."""

    pattern: re.Pattern[str]
    keeps: bool


def parse_ignore(text: str) -> tuple[IgnoreRule, ...]:
    """The rules of a .dockerignore; lines that are comments, or no pattern, give none."""
    rules = []
    for line in text.removeprefix("\ufeff").splitlines():
        pattern = line.strip()
        if line.startswith("#") or not pattern:
            continue
        keeps = pattern.startswith("!")
        pattern = pattern[keeps:].strip()
        compiled = _compile_ignore(pattern) if pattern else None
        if compiled is not None:
            rules.append(IgnoreRule(compiled, keeps))
    return tuple(rules)


def is_ignored(rules: tuple[IgnoreRule, ...], path: str) -> bool:
    """Whether a path of the context (relative, normalised) is left out; the last rule that matches it decides."""
    if path in ("", "."):
        return False
    ignored = False
    parents = _with_parents(path)
    for rule in rules:
        # Docker skips rules that could not change the answer; a rule counts for all that lies below what it matches.
        if rule.keeps == ignored and any(rule.pattern.fullmatch(parent) for parent in parents):
            ignored = not rule.keeps
    return ignored


def _with_parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def _compile_ignore(pattern: str) -> re.Pattern[str] | None:
    pattern = posixpath.normpath(pattern)
    # normpath keeps a leading `//`.
    pattern = "/" + pattern.lstrip("/") if pattern.startswith("//") else pattern
    if len(pattern) > 1 and pattern.startswith("/"):
        pattern = pattern[1:]
    if pattern.startswith("**") and not set(pattern[2:]) & {*WILDCARDS, "]", "\\"}:
        suffix = pattern[2:]
        start = "(?:.*/)?" if suffix.startswith("/") else ".*"
        return re.compile(start + re.escape(suffix.removeprefix("/")), re.DOTALL)
    return _compiled(_translate(pattern))


@cache
def go_match(pattern: str) -> re.Pattern[str] | None:
    """Go's filepath.Match as a regular expression for `fullmatch`; None if the pattern is malformed."""
    return _compiled(_translate(pattern, stars=False))


def _compiled(expression: str) -> re.Pattern[str] | None:
    # Each further star multiplies the time that a mismatch takes.
    if expression.count("*") > _MAX_STARS:
        return None
    try:
        return re.compile(expression, re.DOTALL)
    except re.error:
        return None


def _translate(pattern: str, stars: bool = True) -> str:
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*" and stars and pattern.startswith("*", at):
            at += 2 if pattern.startswith("/", at + 1) else 1
            parts.append("(?:.*/)?" if at < len(pattern) else ".*")
        elif char in "*?":
            parts.append("[^/]*" if char == "*" else "[^/]")
        elif char == "\\" and at < len(pattern):
            parts.append(re.escape(pattern[at]))
            at += 1
        elif char == "[":
            chars, at = _class(pattern, at)
            parts.append(chars)
        else:
            parts.append(re.escape(char))
    return "".join(parts)


def _class(pattern: str, at: int) -> tuple[str, int]:
    """A character class whose `[` is read, and where it ends; one that is never closed does not compile."""
    end = at
    while end < len(pattern) and (pattern[end] != "]" or end == at):
        end += 2 if pattern[end] == "\\" else 1
    if end >= len(pattern):
        return "[", len(pattern)
    body = pattern[at:end]
    negated = body.startswith(("^", "!"))
    body = body[negated:].replace("[", "\\[").replace("&&", "&\\&").replace("||", "|\\|").replace("~~", "~\\~")
    return f"(?!/)[{'^' if negated else ''}{body}]", end + 1
