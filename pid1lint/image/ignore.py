"""The rules of a .dockerignore, which are Docker's and not git's."""

from __future__ import annotations

import posixpath

from pid1lint import patterns
from pid1lint.frozen import NamedTuple

WILDCARDS = frozenset("*?[")


class IgnoreRule(NamedTuple):
    """One line of a .dockerignore; `keeps` is set for `!pattern`."""

    pattern: patterns.Pattern
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
        if rule.keeps == ignored and any(rule.pattern.matches(parent) for parent in parents):
            ignored = not rule.keeps
    return ignored


def _with_parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def _compile_ignore(pattern: str) -> patterns.Pattern | None:
    pattern = posixpath.normpath(pattern)
    # normpath keeps a leading `//`.
    pattern = "/" + pattern.lstrip("/") if pattern.startswith("//") else pattern
    if len(pattern) > 1 and pattern.startswith("/"):
        pattern = pattern[1:]
    return patterns.docker(pattern)
