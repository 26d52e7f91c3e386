"""Every rule's page, and every further case in tests/rules, is true: findings, outcome, fix, and the kernel's word."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from pid1lint import registry
from pid1lint.diagnostic import Diagnostic, Severity
from pid1lint.report.text import concise
from tests import example, oracle
from tests.example import Files
from tests.pages import Case, Outcome, cases, headings

MORE_CASES = Path(__file__).parent / "rules"


class Example(NamedTuple):
    """One state of a case: its files as given, or as mended, and what is to become of them."""

    rule: registry.AnyRule
    case: Case
    files: Files
    outcome: Outcome

    @property
    def image(self) -> example.Example:
        return example.Example(self.files, self.case.dockerfile, self.case.deployment)

    def own_findings(self) -> tuple[Diagnostic, ...]:
        return self.image.lint(self.rule.code).diagnostics

    def container(self) -> oracle.Container:
        return self.image.container()


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
    result = case.image.lint(case.rule.code)
    assert not result.crashes
    assert tuple(concise(diagnostic) for diagnostic in result.diagnostics) == case.case.findings


@every_case
def test_the_outcome_is_foreseen(case: Example) -> None:
    assert case.image.foreseen() == case.outcome.name


@every_mended_case
def test_the_outcome_of_what_to_use_instead_is_foreseen(case: Example) -> None:
    assert case.image.foreseen() == case.outcome.name


@every_mended_case
def test_no_rule_complains_of_what_to_use_instead(case: Example) -> None:
    worst = [each for each in case.image.lint().diagnostics if each.severity.rank >= Severity.WARNING.rank]
    assert [concise(diagnostic) for diagnostic in worst] == []


@every_mended_case
def test_a_fix_makes_what_to_use_instead(case: Example) -> None:
    before = case._replace(files=case.case.files)
    if not any(diagnostic.fix for diagnostic in before.own_findings()):
        pytest.skip("the rule has no fix for this one")
    mended, _ = before.image.mend(case.rule.code)
    assert mended.texts == case.image.texts


@every_case
def test_a_fix_needs_no_second_run(case: Example) -> None:
    mended, _ = case.image.mend(case.rule.code)
    again, changed = mended.mend(case.rule.code)
    assert not changed
    assert again.texts == mended.texts


@every_case
def test_the_fixes_of_all_rules_need_no_second_run_whatever_comes_first(case: Example) -> None:
    mended, _ = case.image.mend()
    assert not mended.mend()[1]
    for seed in range(3):
        assert case.image.mend(order=example.shuffled(seed))[0].texts == mended.texts


@every_case
@pytest.mark.usefixtures("other_readers")
def test_other_readers_still_read_what_fixes_have_made(case: Example) -> None:
    image = case.image
    for mended in (image.mend(case.rule.code)[0], image.mend()[0], image._replace(files=case.case.fixed or case.files)):
        assert mended.unreadable(image) == []


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
