from __future__ import annotations

import pytest

from pid1lint.dockerfile.expand import UNKNOWN, expand, expand_heredoc, split
from pid1lint.source import Source

VALUES = {"a": "one", "path": "/usr/local/bin", "empty": "", "open": UNKNOWN}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("plain", "plain", id="nothing to do"),
        pytest.param("$a-$a", "one-one", id="bare names"),
        pytest.param("${a}x", "onex", id="braces"),
        pytest.param("$nope.", ".", id="unset"),
        pytest.param("x$open", "x" + UNKNOWN, id="unknown in part"),
        pytest.param("'$a'\"$a\"", "$aone", id="quotes"),
        pytest.param(r"\$a \"", '$a "', id="escapes"),
        pytest.param(r'"a\b\$c"', r"a\b$c", id="escapes in double quotes"),
        pytest.param("$", "$", id="dollar alone"),
        pytest.param("${nope:-${a}}", "one", id="nested default"),
        pytest.param("${empty:-x}${empty-y}", "x", id="empty is set without the colon"),
        pytest.param("${a:+yes}${nope:+no}${empty+set}", "yesset", id="alternative"),
        pytest.param("${open:-x}${open:+y}", "x", id="an ARG without a default counts as unset"),
        pytest.param("${a:?no}", "one", id="required"),
        pytest.param("${path#*/}", "usr/local/bin", id="shortest prefix"),
        pytest.param("${path##*/}", "bin", id="longest prefix"),
        pytest.param("${path%/*}", "/usr/local", id="shortest suffix"),
        pytest.param("${path%%/*}", "", id="longest suffix"),
        pytest.param("${a%?}", "on", id="one character"),
        pytest.param("${path/l/L}", "/usr/Local/bin", id="first match"),
        pytest.param("${path//\\//_}", "_usr_local_bin", id="every match"),
        pytest.param("${a", UNKNOWN, id="unclosed brace"),
        pytest.param("${}", UNKNOWN, id="no name"),
        pytest.param("'a", UNKNOWN, id="unclosed quote"),
        pytest.param("${a^^}", UNKNOWN, id="not supported by BuildKit"),
    ],
)
def test_expand(text: str, value: str) -> None:
    assert expand(text, VALUES.get) == value


def test_the_escape_character_is_the_files_own() -> None:
    assert expand("c:\\x`$a", VALUES.get, "`") == "c:\\x$a"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("a=1 b=2", ["a=1", "b=2"], id="blanks"),
        pytest.param("a=\"1 2\" b='3 4'", ['a="1 2"', "b='3 4'"], id="quotes stay"),
        pytest.param(r"a=1\ 2 b", [r"a=1\ 2", "b"], id="escaped blank"),
        pytest.param("  ", [], id="nothing"),
    ],
)
def test_split(text: str, words: list[str]) -> None:
    assert split(text) == words


def test_a_heredoc_loses_its_variables_and_backslashes_but_no_quotes() -> None:
    body = Source("Dockerfile", "exec \"$a\" \\$1 $2 'x'\n").whole()
    expanded = expand_heredoc(body, VALUES.get)
    assert expanded.text == "exec \"one\" $1  'x'\n"
    assert expanded.place(0, 4).text == "exec"
    assert expanded.place(expanded.text.index("'x'"), len(expanded.text)).text == "'x'\n"
    dollar = expanded.text.index("$1")
    assert expanded.place(dollar, dollar + 2).text == "$1"


def test_a_heredoc_without_variables_stays_the_same_object() -> None:
    body = Source("Dockerfile", "exec x\n").whole()
    assert expand_heredoc(body, VALUES.get) is body
