"""Ways through a script that come to the same are one; those that may come to something else stay apart."""

from __future__ import annotations

import pytest

from pid1lint import MemoryContext, trace
from pid1lint.launch import Launch
from pid1lint.launch.values import UNKNOWN, searches


def launched(text: str, command: str = "") -> Launch:
    dockerfile = f'FROM debian:12\nCOPY --chmod=755 run.sh /\nENTRYPOINT ["/run.sh"]\n{command}'
    (launch,) = trace(dockerfile, MemoryContext({"run.sh": "#!/bin/bash\n" + text}))
    return launch


def programs(launch: Launch) -> list[str]:
    """What the container is there for on each way, sorted."""
    return sorted(path.main.program if path.main is not None else "nothing" for path in launch.paths)


def ways(text: str) -> list[str]:
    return programs(launched(text))


TEN = range(10)
OR_OTHER = "if [ -e /f ]; then X=other; shift 0; fi\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "".join(f"if [ -e /f{i} ]; then X=a{i}; shift 0; fi\n" for i in TEN) + "X=app\n$X\n",
            id="a variable that is written before it is read",
        ),
        pytest.param(
            'f() { local X="$1"; $X; }\n'
            + "".join(f"if [ -e /f{i} ]; then X=a{i}; shift 0; fi\n" for i in TEN)
            + "f app\n",
            id="a name that a function has for itself",
        ),
        pytest.param(
            "f() { if [ -e /f ]; then return 1; fi; helper; }\n" + "f\n" * 10 + "app\n",
            id="calls that change nothing, whichever way they go",
        ),
        pytest.param(
            'ask() { if [ -e "$1" ]; then return 0; fi; return 1; }\n'
            + "".join(f"if ask /f{i}; then echo {i}; fi\n" for i in TEN)
            + "app\n",
            id="answers that decide nothing",
        ),
        pytest.param(
            'log() { shift; echo "$@"; }\n' + "".join(f"if [ -e /f{i} ]; then log x {i}; fi\n" for i in TEN) + "app\n",
            id="a function with arguments of its own to shift",
        ),
        pytest.param(
            "".join(f"if [ -e /f{i} ]; then tool{i}; shift 0; fi\n" for i in TEN) + "exec app\n",
            id="programs on the way to an exec",
        ),
        pytest.param(
            "".join(f"if [ -e /f{i} ]; then export X{i}=a; shift 0; fi\n" for i in TEN) + "exec app\n",
            id="exported variables that no script reads",
        ),
    ],
)
def test_what_comes_to_the_same_is_one_way(text: str) -> None:
    assert ways(text) == ["app"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"X=app\n{OR_OTHER}exec $X\n", ["app", "other"], id="read"),
        pytest.param(f"X=app\nNAME=X\n{OR_OTHER}" + 'exec "${!NAME}"\n', ["app", "other"], id="read by its name"),
        pytest.param(
            "DB_X=app\nif [ -e /f ]; then DB_X=other; shift 0; fi\n"
            'for part in X; do name="DB_$part"; exec "${!name}"; done\n',
            ["app", "other"],
            id="read by a name that is put together",
        ),
        pytest.param(f"X=app\n{OR_OTHER}eval 'exec $X'\n", ["app", "other"], id="read by eval"),
        pytest.param(f"f() {{ exec $X; }}\nX=app\n{OR_OTHER}f\n", ["app", "other"], id="read by a function"),
        pytest.param(
            f"X=app\n{OR_OTHER}f() {{ local X=mine; echo $X; }}\nf\nexec $X\n",
            ["app", "other"],
            id="hidden by a function's own for a while",
        ),
        pytest.param(
            f"X=app\n{OR_OTHER}if [ -e /g ]; then X=third; shift 0; fi\nexec $X\n",
            ["app", "other", "third"],
            id="written on one way only",
        ),
        pytest.param(
            "f() { if [ -e /f ]; then server; else return; fi; }\nf\n",
            ["nothing", "server"],
            id="a call that may be where the container stays",
        ),
        pytest.param(
            "f() { if [ -e /f ]; then X=other; return; fi; X=app; }\nf\nexec $X\n",
            ["app", "other"],
            id="a call that decides what is run",
        ),
        pytest.param(
            "if [ -e /f ]; then one; shift 0; fi\nif [ -e /g ]; then two; shift 0; fi\n",
            ["nothing", "nothing", "two", "two"],
            id="programs where nothing comes after",
        ),
    ],
)
def test_what_may_come_to_something_else_stays_apart(text: str, expected: list[str]) -> None:
    assert ways(text) == expected


def test_under_errexit_a_call_that_may_fail_is_followed() -> None:
    text = "f() { if [ -e /f ]; then return 1; fi; }\nf\nexec app\n"
    assert ways("set -e\n" + text) == ["app", "nothing"]
    assert ways(text) == ["app"]


def test_an_array_that_a_passed_call_fills_is_not_known() -> None:
    fills = 'f() { for x in "$@"; do if [ -e "$x" ]; then A+=("$x"); return; fi; done; }'
    text = f'A=(app)\n{fills}\nf a b\nexec "${{A[@]}}"\n'
    assert "app" in ways(text)


def test_a_program_that_others_follow_on_another_way_is_a_step_there_too() -> None:
    text = "migrate\nif [ -e /f ]; then shift 0; exit 0; fi\napp\n"
    assert ways(text) == ["app", "nothing"]


def test_what_only_the_user_has_run_together_is_no_step() -> None:
    text = 'if [ "$ROLE" = web ]; then web; shift 0; fi\nif [ "$ROLE" = worker ]; then worker; shift 0; fi\n'
    assert {"web", "worker"} <= set(ways(text))


@pytest.mark.parametrize(
    ("value", "expression", "found"),
    [
        pytest.param("true", "^(true|yes)$", True, id="one of some"),
        pytest.param("untrue", "^(true|yes)$", False, id="none of them"),
        pytest.param("--opt=1", "--opt=(.*)", True, id="a group of anything"),
        pytest.param("server", "--opt=(.*)", False, id="not in it"),
        pytest.param("x.tar.gz", r".+\.gz$", True, id="an escaped dot"),
        pytest.param(".gz", r".+\.gz$", False, id="at least one character"),
        pytest.param("color", "colou?r", True, id="perhaps a character"),
        pytest.param("7", "^[0-9]$", True, id="a class"),
        pytest.param("x", "^[^0-9]$", True, id="a class turned round"),
        pytest.param("a*b", r"a\*b", True, id="an escaped star"),
        pytest.param("anything", "", True, id="nothing to look for"),
        pytest.param("12", "^[0-9]+$", None, id="more of a class: not told"),
        pytest.param("ab", "(a(b))", None, id="a group in a group: not told"),
        pytest.param("foo" + UNKNOWN, "^bar", False, id="a known beginning excludes it"),
        pytest.param("foo" + UNKNOWN, "bar", None, id="what is not known decides"),
    ],
)
def test_a_plain_regular_expression_is_answered(value: str, expression: str, found: bool | None) -> None:
    assert searches(value, expression) is found


def test_what_a_variable_in_a_regular_expression_holds_counts() -> None:
    text = 'X=mysqld\nif [[ "$X" =~ ^"my"(.*)$ ]]; then exec app; fi\nexec other\n'
    assert ways(text) == ["app"]
    assert ways(text.replace('^"my"', "^m.s")) == ["app"]
    assert ways(text.replace('"my"', '"m."')) == ["other"]
