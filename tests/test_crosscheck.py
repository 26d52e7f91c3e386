from __future__ import annotations

import pytest

from pid1lint.dockerfile.crosscheck import disagreement, masked
from pid1lint.dockerfile.scanner import scan
from pid1lint.source import Source


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("FROM a\nRUN b \\\n  # c\n  d\nCMD e\n", id="continuations"),
        pytest.param("FROM a\nRUN b \\\n\n  d\nCMD e\n", id="blank line in a continuation"),
        pytest.param("FROM a\nRUN <<EOF\nFROM b\nEOF\nCMD e", id="heredoc"),
        pytest.param("FROM a\nCOPY <<A <<B /x/\nCMD 1 \\\nA\n\nB\nCMD e", id="two heredocs"),
        pytest.param("FROM a\nCMD e \\", id="backslash at the end of the file"),
        pytest.param("# escape=`\nFROM a\nRUN c:\\ `\n x\nCMD e", id="backquote"),
        pytest.param("FROM a\r\nRUN b \\\r\n c\r\nCMD e\r\n", id="CR LF"),
        pytest.param("FROM a\nONBUILD RUN b\n\n# c\n", id="ONBUILD"),
        pytest.param("", id="empty"),
    ],
)
def test_both_readers_agree(text: str) -> None:
    assert disagreement(scan(Source("Dockerfile", text))) is None


def test_a_disagreement_is_told() -> None:
    # BuildKit takes an escaped backslash at a line's end for no continuation, dockerfile-parse does.
    dockerfile = scan(Source("Dockerfile", "FROM a\nENV B c\\\\\nENV D e\n"))
    assert disagreement(dockerfile) == "ENV in line 3 for one parser is nothing for the other"


def test_masking_keeps_every_line_where_it_is() -> None:
    text = "FROM a\nRUN <<EOF\nx\x0cy\n\nEOF\nRUN b \\\n\n  c\nCMD d \\"
    hidden = masked(scan(Source("Dockerfile", text)))
    assert hidden == "FROM a\nRUN <<EOF\n#\n#\n#\nRUN b \\\n#\n  c\nCMD d "
