from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pid1lint.dockerfile.scanner import Dockerfile, Instruction, scan
from pid1lint.source import Excerpt, Source


def read(text: str) -> Dockerfile:
    return scan(Source("Dockerfile", text))


def first(text: str, keyword: str) -> Instruction:
    return next(i for i in read("FROM a\n" + text).instructions if i.keyword == keyword)


def stands(excerpt: Excerpt, start: int = 0, end: int | None = None) -> str:
    return excerpt.place(start, end).text


def covered(instruction: Instruction) -> str:
    start, end = instruction.span
    return instruction.text.source.text[start:end]


def test_an_instruction_reaches_from_its_keyword_to_the_end_of_its_last_line() -> None:
    text = "FROM a\n  RUN x \\\n  # why\n\n    y \nCMD z\n"
    run = read(text).instructions[1]
    assert covered(run) == "RUN x \\\n  # why\n\n    y "
    assert run.text.text == "x     y"
    assert stands(run.text, 6, 7) == "y"


def test_every_character_of_the_arguments_knows_its_origin() -> None:
    source = Source("Dockerfile", "FROM a\r\nRUN a \\\r\n\t# c\r\n\r\n  b \\\r\n c")
    run = scan(source).instructions[1]
    assert run.text.text == "a   b  c"
    assert all(source.text[run.text.offset(i)] == char for i, char in enumerate(run.text.text))
    assert run.text.offset(len(run.text.text)) == len(source.text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("CMD foo \\", "foo", id="backslash at the end of the file"),
        pytest.param("CMD foo \\\n\n\n", "foo", id="backslash before blank lines"),
        pytest.param("CMD foo", "foo", id="no newline at the end"),
        pytest.param("CMD\tfoo\tbar ", "foo\tbar", id="tabs"),
        pytest.param("cmd foo", "foo", id="lower case"),
        pytest.param("CMD foo\r\n", "foo", id="CR LF"),
        pytest.param("CMD foo \\  \n bar", "foo  bar", id="blanks after the backslash"),
        pytest.param("CMD foo \\\\\nRUN x", "foo \\\\", id="an escaped backslash continues nothing"),
        pytest.param("CMD \\\nfoo", "foo", id="keyword alone in its line"),
        pytest.param("CMD", "", id="no arguments"),
    ],
)
def test_arguments(text: str, expected: str) -> None:
    assert first(text, "CMD").text.text == expected


def test_the_backquote_continues_lines_where_the_directive_says_so() -> None:
    dockerfile = read("# escape=`\nFROM a\nRUN dir c:\\ `\n  b\n")
    assert dockerfile.escape == "`"
    assert [i.text.text for i in dockerfile.instructions] == ["a", "dir c:\\   b"]


def test_directives_stand_only_at_the_top() -> None:
    dockerfile = read("#syntax=docker/dockerfile:1\n# Check = skip=all;error=true\n# plain\n# escape=`\nFROM a\n")
    assert dockerfile.directives == (("syntax", "docker/dockerfile:1"), ("check", "skip=all;error=true"))
    assert dockerfile.escape == "\\"
    assert [comment.text for comment in dockerfile.comments][-1] == "escape=`"


def test_a_directive_is_not_repeated() -> None:
    assert [p.message for p in read("# escape=`\n# escape=`\nFROM a\n").problems] == [
        "only one escape directive is allowed"
    ]


def test_flags_have_places_and_values_without_quotes() -> None:
    run = first('COPY --from=b --chmod="7 5" --link --\\\n  parents a b\n', "COPY")
    assert [(flag.name, flag.value) for flag in run.flags] == [("from", "b"), ("chmod", "7 5"), ("link", None)]
    assert run.text.text == "parents a b"
    assert run.flag("link") == ""
    assert run.flag("chown") is None


def test_a_flag_stands_where_it_is_written() -> None:
    copy = first("COPY \\\n  --chmod=755 a b\n", "COPY")
    start, end = copy.flags[0].span
    assert copy.text.source.text[start:end] == "--chmod=755"


# ----------------------------------------------------------------- arrays


def test_each_element_of_an_array_is_found_in_the_source() -> None:
    cmd = first('CMD [ "a\\"b", \\\n  # c\n  "c\\u0041d\\\\", "\\ud83d\\ude00x", "" ]\n', "CMD")
    assert cmd.words is not None
    assert [word.text for word in cmd.words] == ['a"b', "cAd\\", "\U0001f600x", ""]
    assert [stands(word) for word in cmd.words] == ['a\\"b', "c\\u0041d\\\\", "\\ud83d\\ude00x", ""]
    assert all(word.quoting == "json" for word in cmd.words)
    assert stands(cmd.words[0], 1, 2) == '\\"'
    closing = cmd.words[1].offset(len(cmd.words[1].text))
    assert cmd.text.source.text[closing] == '"'
    assert cmd.array is not None
    assert cmd.text.source.text[cmd.array.start] + cmd.text.source.text[cmd.array.end - 1] == "[]"


def test_an_array_may_be_cut_by_a_continuation_inside_a_string() -> None:
    cmd = first('CMD ["ab\\\ncd"]\n', "CMD")
    assert cmd.words is not None
    assert cmd.words[0].text == "abcd"
    assert stands(cmd.words[0]) == "ab\\\ncd"


def test_an_empty_array_is_the_exec_form_without_words() -> None:
    assert first("CMD [ ]\n", "CMD").words == ()


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        pytest.param("['a', 'b']", "single quotes", id="single quotes"),
        pytest.param("[\"a\", 'b']", "single quotes", id="one in single quotes"),
        pytest.param("[\u201ca\u201d]", "typographic quotes", id="typographic quotes"),
        pytest.param('["a", "b",]', "trailing comma", id="trailing comma"),
        pytest.param('["a"] && b', "text after the array", id="text after it"),
        pytest.param('["a"] # why [b]', "a comment after the array", id="a comment after it"),
        pytest.param('["a", "b"', "unclosed array", id="unclosed"),
        pytest.param('["a" "b"]', "missing comma", id="missing comma"),
        pytest.param("[npm, start]", "unquoted elements", id="unquoted"),
        pytest.param('["a\\d"]', "invalid escape", id="invalid escape"),
        pytest.param('["a", 1]', "not all strings", id="a number"),
        pytest.param('["a", ["b"]]', "not all strings", id="nested"),
        pytest.param('["a\tb"]', "malformed", id="a tab in a string"),
    ],
)
def test_what_is_no_array_of_strings_is_the_shell_form(array: str, reason: str) -> None:
    cmd = first(f"CMD {array}\n", "CMD")
    assert cmd.words is None
    assert cmd.text.text == array
    assert cmd.broken_json == reason


@pytest.mark.parametrize("text", ["[ -f /x ] && y", '[ "$a" = b ] || c', '[[ "$a" == b ]] && c', "app []", '"a", "b"'])
def test_the_test_command_is_no_broken_array(text: str) -> None:
    cmd = first(f"CMD {text}\n", "CMD")
    assert cmd.words is None
    assert cmd.broken_json is None


def test_an_array_that_holds_no_strings_fails_the_build() -> None:
    assert [p.message for p in read("FROM a\nCMD [1]\n").problems] == ["the array of CMD must contain only strings"]


def test_the_cmd_of_a_healthcheck_is_no_instruction() -> None:
    dockerfile = read('FROM a\nHEALTHCHECK --interval=5s \\\n  CMD ["x"]\n')
    assert [i.keyword for i in dockerfile.instructions] == ["FROM", "HEALTHCHECK"]
    assert dockerfile.instructions[1].words is None


# --------------------------------------------------------------- heredocs


def test_heredocs_belong_to_their_instruction() -> None:
    text = "FROM a\nCOPY <<one <<-'two' /x/\n1\none\n\ttwo's\n\ttwo\nCMD x\n"
    dockerfile = read(text)
    copy = dockerfile.instructions[1]
    assert [i.keyword for i in dockerfile.instructions] == ["FROM", "COPY", "CMD"]
    assert [(h.name, h.body.text, h.expand, h.strip_tabs) for h in copy.heredocs] == [
        ("one", "1\n", True, False),
        ("two", "two's\n", False, True),
    ]
    assert covered(copy).endswith("\ttwo")
    assert [text[h.marker.start : h.marker.end] for h in copy.heredocs] == ["<<one", "<<-'two'"]
    assert [text[h.span.start : h.span.end] for h in copy.heredocs] == ["1\none", "\ttwo's\n\ttwo"]
    assert stands(copy.heredocs[1].body, 0, 3) == "two"


@pytest.mark.parametrize(
    ("line", "names"),
    [
        pytest.param("RUN <<EOF", ["EOF"], id="bare"),
        pytest.param("RUN << EOF", ["EOF"], id="blank after the operator"),
        pytest.param('RUN python3 <<"EOF" > /x', ["EOF"], id="in a command"),
        pytest.param("ONBUILD RUN <<EOF", ["EOF"], id="in ONBUILD"),
        pytest.param("RUN 3<<EOF", ["EOF"], id="with a descriptor"),
        pytest.param("RUN cat <<<EOF", [], id="here-string"),
        pytest.param("RUN echo '<<EOF'", [], id="in quotes"),
        pytest.param("RUN cat<<EOF", [], id="glued to a word"),
        pytest.param("RUN echo it's <<EOF", [], id="quote that is not closed"),
        pytest.param("RUN x=${a[1]} <<EOF", [], id="expansion that BuildKit does not read"),
        pytest.param("ENV A=<<EOF", [], id="ENV has none"),
        pytest.param('RUN ["a", "<<EOF"]', [], id="exec form"),
    ],
)
def test_heredoc_markers(line: str, names: list[str]) -> None:
    instruction = read(f"FROM a\n{line}\nEOF\n").instructions[1]
    assert [heredoc.name for heredoc in instruction.heredocs] == names


def test_a_heredoc_ends_only_at_its_name_alone() -> None:
    run = first("RUN <<EOF\n EOF\nEOF \nEOF\n", "RUN")
    assert run.heredocs[0].body.text == " EOF\nEOF \n"


def test_a_heredoc_in_a_file_with_cr_lf_ends() -> None:
    run = first("RUN <<EOF\r\na\r\nEOF\r\n", "RUN")
    assert run.heredocs[0].body.text == "a\r\n"


def test_a_heredoc_may_be_announced_on_a_continuation_line() -> None:
    dockerfile = read("FROM a\nRUN --mount=type=cache,target=/c \\\n  cat <<EOF > /x\nb\nEOF\nCMD c")
    assert [i.keyword for i in dockerfile.instructions] == ["FROM", "RUN", "CMD"]


def test_onbuild_holds_an_instruction() -> None:
    onbuild = first('ONBUILD ENTRYPOINT ["x"]\n', "ONBUILD")
    assert onbuild.inner is not None
    assert onbuild.inner.keyword == "ENTRYPOINT"
    assert onbuild.inner.words is not None
    assert covered(onbuild.inner) == 'ENTRYPOINT ["x"]'


# --------------------------------------------------------------- problems


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "the file has no instruction", id="empty"),
        pytest.param("# only\n\n", "the file has no instruction", id="only comments"),
        pytest.param("RUN x\nFROM a\n", "RUN must come after a FROM", id="before FROM"),
        pytest.param("ARG a\n", "the file has no FROM", id="no FROM"),
        pytest.param("FROM a\nFOO b\n", "unknown instruction: FOO", id="unknown"),
        pytest.param("FROM a\nRUN <<EOF\nx\n", "the heredoc EOF is not terminated", id="heredoc"),
        pytest.param("FROM a b\n", "FROM needs an image, or an image, AS and a name", id="FROM"),
        pytest.param("FROM a\nSHELL sh -c\n", "SHELL needs a JSON array of strings", id="SHELL"),
        pytest.param("FROM a\nONBUILD\n", "ONBUILD needs an instruction", id="ONBUILD"),
        pytest.param("FROM a\nCMD --port 80\n", "CMD has no flag --port", id="flag"),
        pytest.param("# escape=x\nFROM a\n", "the escape character is either \\ or `, not x", id="escape"),
    ],
)
def test_what_fails_the_build_is_a_problem(text: str, message: str) -> None:
    assert message in [problem.message for problem in read(text).problems]


@pytest.mark.parametrize("text", ["ARG a=1\nFROM $a\n", "FROM a AS b\nCMD []\n", "from a\nmaintainer x\n"])
def test_a_sound_file_has_no_problems(text: str) -> None:
    assert read(text).problems == ()


_PIECES = st.sampled_from(
    "FROM a\n|RUN |CMD |[|]|\"|'|,|\\|`|\n|\r\n|# c\n|<<|EOF|\t| |$|{|}|--x=|ONBUILD |COPY |\\u0041"
    "|\ud83d|é|\x0c|\udc80|a|="
    "|# escape=`\n|{{x}}".split("|")
)


@given(st.lists(_PIECES, max_size=40).map("".join))
def test_any_text_is_read_and_every_place_is_true(text: str) -> None:
    source = Source("Dockerfile", text)
    dockerfile = scan(source)
    end = -1
    for instruction in dockerfile.instructions:
        assert end <= instruction.span.start < instruction.span.end <= len(text)
        end = instruction.span.end
        offsets = [instruction.text.offset(i) for i in range(len(instruction.text.text) + 1)]
        assert offsets == sorted(offsets)
        assert all(text[offset] == char for offset, char in zip(offsets, instruction.text.text, strict=False))
    for problem in dockerfile.problems:
        assert 0 <= problem.span.start <= problem.span.end <= len(text)
