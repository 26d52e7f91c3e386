"""Whatever stands around what a rule's page shows, the same is found in it, and a fix leaves the rest as it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, seed, settings, strategies as st

from pid1lint import registry
from pid1lint.dockerfile.scanner import scan
from pid1lint.source import BOM, Source
from tests.example import Example
from tests.pages import PageFile
from tests.test_rule_pages import all_cases

COMMENTS = ("# decor\n", '  # decor: CMD ["no"]\n', "\t# decor: größe 🐳 “quoted” \\\n", "\n", "\t\n")
LINES = ('LABEL org.decor="a b"\n', "ARG DECOR=1\n", "EXPOSE 8080/decor\n", "ENV DECOR=größe\n", "RUN true decor\n")
DIRECTIVES = ("", "# syntax=docker/dockerfile:1\n", "# check=error=true\n", "# Escape = \\\n")


@dataclass(frozen=True)
class Decoration:
    """What is done to a Dockerfile and its scripts; `between` goes in front of the instructions, one after the other.

    `split` puts a continuation and a comment between each instruction's keyword and the rest.
    """

    directive: str
    between: tuple[str, ...]
    inside: str
    split: bool
    lower: bool
    indent: str
    crlf: bool
    bom: bool
    final_newline: bool
    in_scripts: str

    def of(self, example: Example) -> Example:
        """The decorated files."""
        files = {
            name: PageFile(
                self._dockerfile(file.text) if name == example.dockerfile else self._other(name, file.text)
            )._replace(mode=file.mode)
            for name, file in example.files.items()
        }
        return example._replace(files=files)

    def _dockerfile(self, text: str) -> str:
        whole = self.directive + "".join(self._pieces(text))
        whole = whole if self.final_newline else whole.removesuffix("\n")
        return (BOM if self.bom else "") + (whole.replace("\n", "\r\n") if self.crlf else whole)

    def _pieces(self, text: str) -> Iterator[str]:
        at = 0
        for number, instruction in enumerate(scan(Source("Dockerfile", text)).instructions):
            start, end = instruction.keyword_span
            before = self.between[number % len(self.between)]
            # In front of the first FROM an instruction would mean something else.
            yield text[at:start].replace("\\\n", "\\\n" + self.inside)
            yield before if number or before in COMMENTS else ""
            keyword = text[start:end]
            yield self.indent + (keyword.lower() if self.lower else keyword)
            yield " \\\n" + self.inside if self.split else ""
            at = end
        yield text[at:].replace("\\\n", "\\\n" + self.inside)

    def _other(self, name: str, text: str) -> str:
        first, newline, rest = text.partition("\n")
        return first + newline + self.in_scripts + rest if first.startswith("#!") and "sh" in first else text


decorations = st.builds(
    Decoration,
    directive=st.sampled_from(DIRECTIVES),
    between=st.lists(st.sampled_from(("", *COMMENTS, *LINES)), min_size=1, max_size=4).map(tuple),
    inside=st.sampled_from(("", *COMMENTS[:3])),
    split=st.booleans(),
    lower=st.booleans(),
    indent=st.sampled_from(("", "  ", "\t")),
    crlf=st.booleans(),
    bom=st.booleans(),
    final_newline=st.booleans(),
    in_scripts=st.sampled_from(("", "# decor\n", '\t# decor: `größe` "$(“\n', "\n")),
)


def is_plain(example: Example) -> bool:
    """Whether a decoration means nothing: there is no here-document to take it in, no comment to be parted."""
    text = example.files[example.dockerfile].text
    known = re.match(r"FROM (debian|alpine|ubuntu|python|node):", text)
    return known is not None and "<<" not in text and "\n#" not in text


EXAMPLES = [
    example
    for rule in registry.all_rules()
    for case in all_cases(rule)
    # What goes as a whole is left where it stands if there is a comment in it.
    if case.findings and rule.code not in ("PID106", "PID501", "PID901", "PID902", "PID903", "PID904")
    if not case.deployment and is_plain(example := Example(case.files, case.dockerfile))
]


def found(example: Example) -> tuple[list[str], str]:
    """The codes of all that is found, and the outcome."""
    result = example.lint()
    assert not result.crashes
    return sorted(each.code for each in result.diagnostics), result.launches[-1].outcome.value


def bare(example: Example) -> dict[str, list[str]]:
    """The files without what a decoration adds: lines joined, in lower case, without indentation and blank lines."""
    return {name: list(_bare(text)) for name, text in example.texts.items()}


def _bare(text: str) -> Iterator[str]:
    plain = re.sub(r"(?mi)^(?:[ \t]*# decor|# escape|# syntax|# check).*\n", "", text.removeprefix(BOM))
    joined = re.sub(r"[ \t]*\\\r?\n[ \t]*", " ", plain)
    for line in joined.split("\n"):
        plain = line.strip().lower()
        if plain and "decor" not in plain:
            yield plain


def decor(example: Example) -> Counter[str]:
    """The lines that a decoration has added."""
    return Counter(line for text in example.texts.values() for line in text.split("\n") if "decor" in line)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_what_stands_around_it_changes_neither_what_is_found_nor_what_a_fix_makes(number: int) -> None:
    example = EXAMPLES[number]
    expected, mended = found(example), {unsafe: bare(example.mend(unsafe=unsafe)[0]) for unsafe in (False, True)}

    @seed(number)
    # The first one that is tried is no decoration at all.
    @settings(max_examples=2, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(decorations)
    def check(decoration: Decoration) -> None:
        decorated = decoration.of(example)
        assert found(decorated) == expected
        for unsafe in (False, True):
            after, _ = decorated.mend(unsafe=unsafe)
            assert bare(after) == mended[unsafe]
            assert decor(after) == decor(decorated)
            assert after.unreadable(decorated) == []
            assert not after.mend(unsafe=unsafe)[1]

    check()
