"""The rules of a .gitignore, which the patterns of a configuration follow too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pid1lint import patterns
from pid1lint.frozen import NamedTuple


class Rule(NamedTuple):
    """One line; it is about the last name of a path only, or about folders only, or takes back what others ignore."""

    pattern: patterns.Pattern
    by_name: bool
    only_folders: bool
    keeps: bool


class Rules(NamedTuple):
    """Lines in their order: of those that match a path the last one decides. Paths are relative, with `/`."""

    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, lines: Iterable[str]) -> Rules:
        """The rules that lines come to; comments and empty lines are none."""
        return cls(tuple(rule for line in lines if (rule := _rule(line)) is not None))

    def decide(self, path: str, *, is_folder: bool) -> bool | None:
        """Whether the path itself is ignored: None if no rule is about it."""
        name = path.rpartition("/")[2]
        for rule in reversed(self.rules):
            if (is_folder or not rule.only_folders) and rule.pattern.matches(name if rule.by_name else path):
                return not rule.keeps
        return None

    def ignore(self, path: str) -> bool:
        """Whether a file is ignored, by itself or with a folder that it lies in."""
        if not self.rules:
            return False
        folders = any(self.decide(folder, is_folder=True) for folder in _folders_of(path))
        return folders or bool(self.decide(path, is_folder=False))


def _folders_of(path: str) -> Iterator[str]:
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)


def _rule(line: str) -> Rule | None:
    """https://git-scm.com/docs/gitignore#_pattern_format."""
    line = _without_blanks(line.removesuffix("\n").removesuffix("\r"))
    if not line or line.startswith("#"):
        return None
    keeps = line.startswith("!")
    line = line[keeps:]
    only_folders = line.endswith("/")
    line = line[: len(line) - only_folders]
    by_name = "/" not in line
    pattern = patterns.git(line.removeprefix("/")) if line else patterns.Pattern((patterns.NOTHING,))
    return Rule(pattern, by_name, only_folders, keeps)


def _without_blanks(line: str) -> str:
    """Without the blanks at its end, unless there is a backslash before one."""
    stripped = line.rstrip(" ")
    backslashes = len(stripped) - len(stripped.rstrip("\\"))
    return stripped + " " if backslashes % 2 and len(stripped) < len(line) else stripped
