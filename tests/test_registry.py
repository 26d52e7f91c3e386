"""Rules are found, selected and described; a function becomes a rule."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pid1lint import registry
from pid1lint.diagnostic import Finding, Severity
from pid1lint.errors import Pid1lintError
from pid1lint.rulebook import FileProblem, rule
from pid1lint.source import Source


@rule("PID999", Severity.INFO, on=FileProblem, default=False)
def bad_thing(problem: FileProblem) -> Iterator[Finding]:
    r"""One line that says it all.

    ## Why is this bad?

        indented\n

    ## Fix safety

    Safe.
    """
    yield Finding(problem.at, problem.message)


def test_a_function_becomes_a_rule_with_its_docstring_as_its_page() -> None:
    assert (bad_thing.code, bad_thing.severity, bad_thing.default) == ("PID999", Severity.INFO, False)
    assert bad_thing.on is FileProblem
    assert bad_thing.summary == "One line that says it all."
    assert bad_thing.page == (
        "One line that says it all.\n\n## Why is this bad?\n\n    indented\\n\n\n## Fix safety\n\nSafe.\n"
    )
    assert bad_thing.fixable


def test_a_rule_is_named_after_its_file() -> None:
    assert bad_thing.name == "test-registry"


def test_a_rule_checks_what_it_is_given() -> None:
    at = Source("Dockerfile", "").place(0, 0)
    assert list(bad_thing.check(FileProblem(at, "syntax", "it is bad"))) == [Finding(at, "it is bad")]


def test_every_file_in_rules_is_in_the_registry() -> None:
    folder = os.path.join(os.path.dirname(os.path.dirname(__file__)), "rules")
    files = {name.removesuffix(".py").replace("_", "-") for name in os.listdir(folder) if name.endswith(".py")}
    assert {rule.name for rule in registry.all_rules()} == files - {"--init--"}


def test_codes_are_sorted_and_unique() -> None:
    codes = [rule.code for rule in registry.all_rules()]
    assert codes == sorted(set(codes))


@pytest.mark.parametrize("spelling", ["PID901", "pid901", "syntax-error", "Syntax-Error"])
def test_a_rule_is_found_by_code_and_by_name(spelling: str) -> None:
    assert registry.find(spelling).code == "PID901"


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        pytest.param("sintax-eror", "no rule is called 'sintax-eror'; did you mean 'syntax-error'?", id="name"),
        pytest.param("PID90l", "no rule is called 'PID90l'; did you mean 'PID90", id="code"),
        pytest.param("xxxxxxxx", "no rule is called 'xxxxxxxx'; `pid1lint rules` lists them", id="nothing near"),
    ],
)
def test_an_unknown_rule_is_told_with_the_nearest_one(spelling: str, message: str) -> None:
    with pytest.raises(Pid1lintError) as error:
        registry.find(spelling)
    assert str(error.value).startswith(message)


def codes(select: tuple[str, ...], ignore: tuple[str, ...] = ()) -> set[str]:
    return {rule.code for rule in registry.chosen(select, ignore)}


def test_rules_are_selected_by_code_name_and_start_of_code() -> None:
    assert codes(("PID901",)) == codes(("syntax-error",)) == {"PID901"}
    assert codes(("PID90",)) >= {"PID901", "PID902"}
    assert codes(("all",)) == {rule.code for rule in registry.all_rules()}


def test_without_a_selection_the_rules_run_that_are_on_by_default() -> None:
    assert codes(()) == {rule.code for rule in registry.all_rules() if rule.default}


def test_what_is_ignored_does_not_run_even_if_it_is_selected() -> None:
    assert codes(("PID9",), ("syntax-error",)) == codes(("PID9",)) - {"PID901"}


def test_an_unknown_selector_is_an_error() -> None:
    with pytest.raises(Pid1lintError, match="no rule is called 'PID7'"):
        registry.chosen(("PID7",), ())
