"""The rulebook is complete: its codes and names stand, and every page shows the fixes that it speaks of."""

from __future__ import annotations

import re

import pytest

from pid1lint import registry
from pid1lint.fix import Applicability
from tests.test_rule_pages import Example, all_cases

# Others write these codes and names into their comments and configuration: none is ever changed or used again.
RULEBOOK = """
PID101 shell-form
PID102 shell-wrapper
PID103 ignored-cmd
PID104 broken-exec-form
PID105 unexpanded-exec-form
PID106 overridden-instruction
PID107 lost-cmd
PID108 one-string-command
PID109 no-shell
PID110 no-command
PID111 ungraceful-launch
PID201 missing-exec
PID202 exec-in-subshell
PID203 piped-main
PID204 dead-code-after-exec
PID205 exec-assignment
PID206 forking-wrapper
PID207 package-runner
PID208 keepalive-main
PID209 daemonized-main
PID210 background-main
PID211 missing-shebang
PID212 crlf-script
PID213 not-executable
PID214 missing-interpreter
PID215 script-bashism
PID216 missing-script
PID217 dropped-arguments
PID218 unquoted-arguments
PID219 missing-program
PID301 no-init
PID302 no-reaper
PID303 init-not-pid1
PID304 unused-init
PID305 nested-init
PID306 init-arguments
PID307 late-init
PID308 unknown-handler
PID309 group-init
PID310 no-handler
PID401 untrapped-signal
PID402 deferred-trap
PID403 trap-lost-on-exec
PID404 untrappable-signal
PID405 inherited-ignore
PID406 handler-does-not-wait
PID407 handler-does-not-forward
PID408 exit-trap-only
PID409 signal-name
PID410 recursive-kill
PID411 wrong-pid
PID412 early-expansion
PID413 ignored-int
PID501 ungraceful-stopsignal
PID502 invalid-stopsignal
PID503 stopsignal-mismatch
PID504 stopsignal-untrapped
PID601 short-grace-period
PID602 lost-entrypoint
PID603 second-init
PID604 not-pid1
PID605 broken-stop-hook
PID606 hidden-script
PID901 syntax-error
PID902 unreadable-file
PID903 not-analysed
PID904 unused-ignore
"""


def test_every_code_has_its_rule_and_every_rule_its_code() -> None:
    assert [f"{rule.code} {rule.name}" for rule in registry.all_rules()] == RULEBOOK.split("\n")[1:-1]


def test_no_name_is_that_of_two_rules() -> None:
    names = [rule.name for rule in registry.all_rules()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("rule", [rule for rule in registry.all_rules() if rule.fixable], ids=lambda rule: rule.name)
def test_a_case_shows_each_safety_that_a_page_declares(rule: registry.AnyRule) -> None:
    section = rule.page.partition("## Fix safety")[2].partition("\n## ")[0]
    declared = {word.lower() for word in re.findall(r"\b(?:[Ss]afe|[Uu]nsafe)\b", section)}
    examples = (Example(rule, case, case.files, case.outcome) for case in all_cases(rule))
    fixes = (found.fix for example in examples for found in example.own_findings() if found.fix is not None)
    assert {fix.applicability for fix in fixes} == {Applicability(word) for word in declared}
