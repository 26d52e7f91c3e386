"""Every rule's page, and every further case in tests/rules, is true: findings, outcome, fix, and the kernel's word."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from pid1lint import linter, registry
from pid1lint.diagnostic import Diagnostic, Severity
from pid1lint.dockerfile.crosscheck import disagreement
from pid1lint.dockerfile.scanner import scan
from pid1lint.fix import Fix
from pid1lint.fixer import accepts, repair
from pid1lint.image.context import BuildContext
from pid1lint.image.model import build_image, final_stages
from pid1lint.report.text import concise
from pid1lint.source import Source
from tests import oracle, readers
from tests.oracle.images import container_of
from tests.pages import Case, Outcome, PageFile, cases, headings

MORE_CASES = Path(__file__).parent / "rules"

Files = Mapping[str, PageFile]
Order = Callable[[Sequence[Diagnostic]], list[Diagnostic]]


class Example(NamedTuple):
    """One state of a case: its files as given, or as mended, and what is to become of them."""

    rule: registry.AnyRule
    case: Case
    files: Files
    outcome: Outcome

    def lint(self, *select: str) -> linter.Result:
        context, dockerfile = self.context(), self.files[self.case.dockerfile].text
        return linter.lint(dockerfile, context, path=self.case.dockerfile, select=select)

    def own_findings(self) -> tuple[Diagnostic, ...]:
        return self.lint(self.rule.code).diagnostics

    def context(self) -> BuildContext:
        texts = {name: file.text for name, file in self.files.items()}
        return BuildContext.of(texts, {name: file.mode for name, file in self.files.items()})

    def container(self) -> oracle.Container:
        dockerfile = scan(Source(self.case.dockerfile, self.files[self.case.dockerfile].text))
        return container_of(build_image(dockerfile, final_stages(dockerfile)[-1], self.context(), {}))

    def mend(self, *select: str, unsafe: bool = True, order: Order = list) -> tuple[Files, bool]:
        """The files after all fixes of some rules (of all, if none is named), and whether there were any."""

        def lint(changed: Mapping[str, Source]) -> Sequence[Diagnostic]:
            return order(self._with(changed).lint(*select).diagnostics)

        done = repair(lint, self._verify, accepts(unsafe=unsafe))
        assert not done.refusals, done.refusals
        return self._with({change.after.path: change.after for change in done.changes}).files, done.fixed > 0

    def _with(self, changed: Mapping[str, Source]) -> Example:
        texts = {name: source.text for name, source in changed.items()}
        files = {name: file._replace(text=texts.get(name, file.text)) for name, file in self.files.items()}
        return self._replace(files=files)

    def _verify(self, fix: Fix, after: Sequence[Source]) -> str | None:
        return linter.refusal(fix, after, self.case.dockerfile)


@cache
def all_cases(rule: registry.AnyRule) -> tuple[Case, ...]:
    more = MORE_CASES / f"{rule.name}.md"
    return (*cases(rule.page), *(cases(more.read_text(encoding="utf-8")) if more.exists() else ()))


def given() -> Iterator[Example]:
    for rule in registry.all_rules():
        for case in all_cases(rule):
            yield Example(rule, case, case.files, case.outcome)


def mended() -> Iterator[Example]:
    for rule in registry.all_rules():
        for case in all_cases(rule):
            if case.fixed is not None:
                yield Example(rule, case, case.fixed, case.fixed_outcome)


def named(examples: Iterator[Example]) -> list[object]:
    return [pytest.param(each, id=f"{each.rule.name}: {each.case.title}") for each in examples]


every_rule = pytest.mark.parametrize("rule", registry.all_rules(), ids=lambda rule: rule.name)
every_case = pytest.mark.parametrize("case", named(given()))
every_mended_case = pytest.mark.parametrize("case", named(mended()))


@every_rule
def test_a_page_says_what_why_and_by_which_example(rule: registry.AnyRule) -> None:
    titles = headings(rule.page)
    assert rule.summary.endswith("."), rule.summary
    assert titles[0] == "Why is this bad?"
    assert any(title.startswith("Example") for title in titles)


@every_rule
def test_a_page_speaks_of_a_fix_where_the_rule_has_one(rule: registry.AnyRule) -> None:
    examples = (Example(rule, case, case.files, case.outcome) for case in all_cases(rule))
    has_fix = any(diagnostic.fix is not None for example in examples for diagnostic in example.own_findings())
    assert rule.fixable == has_fix


@every_rule
def test_an_example_of_a_page_shows_a_finding(rule: registry.AnyRule) -> None:
    assert all(case.findings for case in cases(rule.page))


def test_further_cases_belong_to_a_rule() -> None:
    names = {rule.name for rule in registry.all_rules()}
    assert {path.stem for path in MORE_CASES.glob("*.md")} <= names


@every_case
def test_the_rule_reports_just_what_the_page_says(case: Example) -> None:
    result = case.lint(case.rule.code)
    assert not result.crashes
    assert tuple(concise(diagnostic) for diagnostic in result.diagnostics) == case.case.findings


@every_case
def test_the_outcome_is_foreseen(case: Example) -> None:
    assert foreseen(case) == case.outcome.name


@every_mended_case
def test_the_outcome_of_what_to_use_instead_is_foreseen(case: Example) -> None:
    assert foreseen(case) == case.outcome.name


def foreseen(example: Example) -> str:
    result = example.lint()
    assert not result.crashes
    launches = result.launches
    return launches[-1].outcome.value if launches else "none"


@every_mended_case
def test_no_rule_complains_of_what_to_use_instead(case: Example) -> None:
    worst = [each for each in case.lint().diagnostics if each.severity.rank >= Severity.WARNING.rank]
    assert [concise(diagnostic) for diagnostic in worst] == []


@every_mended_case
def test_a_fix_makes_what_to_use_instead(case: Example) -> None:
    before = case._replace(files=case.case.files)
    if not any(diagnostic.fix for diagnostic in before.own_findings()):
        pytest.skip("the rule has no fix for this one")
    files, _ = before.mend(case.rule.code)
    assert _texts(files) == _texts(case.files)


@every_case
def test_a_fix_needs_no_second_run(case: Example) -> None:
    files, _ = case.mend(case.rule.code)
    again, changed = case._replace(files=files).mend(case.rule.code)
    assert not changed
    assert _texts(again) == _texts(files)


@every_case
def test_the_fixes_of_all_rules_need_no_second_run_whatever_comes_first(case: Example) -> None:
    files, _ = case.mend()
    assert not case._replace(files=files).mend()[1]
    for seed in range(3):
        assert _texts(case.mend(order=shuffled(seed))[0]) == _texts(files)


def shuffled(seed: int) -> Order:
    """What is found, in another order each time; which is the first to win over fixes that overlap it."""
    draw = random.Random(seed)
    return lambda found: draw.sample(list(found), len(found))


@every_case
@pytest.mark.usefixtures("other_readers")
def test_other_readers_still_read_what_fixes_have_made(case: Example) -> None:
    for files in (case.mend(case.rule.code)[0], case.mend()[0], case.case.fixed or case.files):
        assert readable(case, files) == []


def readable(case: Example, files: Files) -> list[str]:
    """What BuildKit, dockerfile-parse and the shells find wrong with changed files."""
    wrong = [
        f"{name}: {reason}"
        for name, file in files.items()
        if (
            reason := readers.regression(
                name, case.files[name].text, file.text, is_dockerfile=name == case.case.dockerfile
            )
        )
    ]
    name = case.case.dockerfile
    before, after = (disagreement(scan(Source(name, texts[name].text))) for texts in (case.files, files))
    return wrong if after is None or before is not None else [*wrong, f"dockerfile-parse: {after}"]


def _texts(files: Files) -> dict[str, str]:
    return {name: file.text for name, file in files.items()}


def measurable(examples: Iterator[Example]) -> list[object]:
    return named(example for example in examples if example.outcome.measured)


@pytest.mark.oracle
@pytest.mark.parametrize("case", measurable(given()))
def test_the_kernel_confirms_the_outcome(case: Example, measured: oracle.Run) -> None:
    assert measured.outcome == case.outcome.name, measured


@pytest.mark.oracle
@pytest.mark.parametrize("case", measurable(mended()))
def test_the_kernel_confirms_what_to_use_instead(case: Example, measured: oracle.Run) -> None:
    assert measured.outcome == case.outcome.name, measured
