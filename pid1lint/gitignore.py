"""The rules of a .gitignore, which the patterns of a configuration follow too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter

from pid1lint import patterns
from pid1lint.frozen import NamedTuple


class Rule(NamedTuple):
    """One line; it is about the last name of a path only, or about folders only, or takes back what others ignore."""

    pattern: patterns.Pattern
    by_name: bool
    only_folders: bool
    keeps: bool


class Rules:
    """Lines in their order: of those that match a path the last one decides. Paths are relative, with `/`.

    Each rule has its number. Those without wildcards are found by what they name; the others are tried.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._named: dict[tuple[str, bool, bool], tuple[int, Rule]] = {}
        self.wild: list[tuple[int, Rule]] = []
        for number, rule in enumerate(rules):
            text = rule.pattern.literal
            if text is None:
                self.wild.append((number, rule))
            else:
                self._named[text, rule.by_name, rule.only_folders] = number, rule
        self.wild.reverse()

    @classmethod
    def of(cls, lines: Iterable[str]) -> Rules:
        """The rules that lines come to; comments and empty lines are none. Of equal lines the last one counts."""
        last = dict.fromkeys(reversed(list(lines)))
        return cls(rule for line in reversed(last) if (rule := _rule(line)) is not None)

    def decide(self, path: str, *, is_folder: bool) -> bool | None:
        """Whether the path itself is ignored: None if no rule is about it."""
        name = path.rpartition("/")[2]
        found: tuple[int, Rule | None] = (-1, None)
        for by_name in (True, False):
            for only_folders in (True, False) if is_folder else (False,):
                named = self._named.get((name if by_name else path, by_name, only_folders))
                found = max(found, named or found, key=itemgetter(0))
        for number, rule in self.wild:
            if number < found[0]:
                break
            if (is_folder or not rule.only_folders) and rule.pattern.matches(name if rule.by_name else path):
                return not rule.keeps
        return None if found[1] is None else not found[1].keeps

    def ignore(self, path: str) -> bool:
        """Whether a file is ignored, by itself or with a folder that it lies in."""
        if not self.wild and not self._named:
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
