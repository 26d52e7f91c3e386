"""Other readers notice what breaks, and only that."""

from __future__ import annotations

import pytest

from tests import readers

pytestmark = pytest.mark.usefixtures("other_readers")

FROM = "FROM debian:12\n"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param(FROM + "CMD app\n", None, id="sound"),
        pytest.param(
            "\ufeffFROM debian:12\r\nCMD app \\\r\n\r\n# why\r\n  --port 80\r\n", None, id="BOM, CRLF, comment"
        ),
        pytest.param("# escape=`\nFROM debian:12\nRUN a `\n  b\n", None, id="another escape character"),
        pytest.param(FROM + "RUN <<EOF\napp\n", "unterminated heredoc", id="open heredoc"),
        pytest.param(FROM + "ENV a\n", "ENV must have two arguments", id="half an ENV"),
        pytest.param(FROM + "RUN a\n  --port 80\n", "line 3: unknown instruction --port", id="lost continuation"),
        pytest.param("", "file with no instructions", id="empty"),
    ],
)
def test_buildkit_says_what_is_wrong(text: str, error: str | None) -> None:
    assert readers.dockerfile_error(text) == error


def test_buildkit_tells_an_argv_from_shell_text() -> None:
    text = FROM + 'RUN a && b\nCMD ["app", "-v"]\nENTRYPOINT ["app",]\nONBUILD CMD app\n'
    assert readers.commands(text) == (
        ("RUN", "a && b"),
        ("CMD", ("app", "-v")),
        ("ENTRYPOINT", '["app",]'),
        ("CMD", "app"),
    )


@pytest.mark.parametrize(
    ("text", "shells"),
    [
        ("#!/bin/bash\n", ("bash",)),
        ("#!/usr/bin/env -S bash -e\r\n", ("bash",)),
        ("#!/bin/sh -e\n", ("dash", "bash")),
        ("#!/usr/bin/python3\n", ()),
        ("app\n", ("dash", "bash")),
    ],
)
def test_a_script_is_read_by_the_shells_that_its_first_line_stands_for(text: str, shells: tuple[str, ...]) -> None:
    assert readers.interpreters(text) == shells


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        pytest.param("Dockerfile", FROM + "CMD app\n", FROM + "CMD exec app\n", id="Dockerfile"),
        pytest.param("Dockerfile", FROM + "ENV a\n", FROM + "RUN <<EOF\n", id="Dockerfile that was broken before"),
        pytest.param("Dockerfile", FROM + "CMD a && (\n", FROM + "CMD exec a && (\n", id="shell text broken before"),
        pytest.param("run.sh", "#!/bin/sh\na\n", "#!/bin/sh\nexec a\n", id="script"),
        pytest.param("run.sh", "#!/bin/sh\na=(1)\nb\n", "#!/bin/sh\na=(1)\nexec b\n", id="a bash script called sh"),
        pytest.param("run.sh", "#!/bin/sh\nif\n", "#!/bin/sh\nexec if\n(\n", id="script that was broken before"),
        pytest.param("run.sh", "#!/bin/sh\na=(1)\n", "#!/bin/bash\na=(1)\n", id="another shell"),
        pytest.param("run.sh", "#!/bin/sh\nif\n", "#!/bin/bash\nif\n", id="another shell, broken before"),
        pytest.param("run.py", "#!/usr/bin/python3\n(\n", "#!/usr/bin/python3\n((\n", id="no shell script"),
        pytest.param("package.json", "{}", '{"a": 1}', id="JSON"),
        pytest.param("package.json", "{", "{{", id="JSON that was broken before"),
    ],
)
def test_what_is_as_sound_as_before_passes(path: str, before: str, after: str) -> None:
    assert readers.regression(path, before, after, is_dockerfile=path == "Dockerfile") is None


@pytest.mark.parametrize(
    ("path", "before", "after", "reader"),
    [
        pytest.param("Dockerfile", FROM + "CMD a \\\n b\n", FROM + "CMD a\n b\n", "BuildKit", id="Dockerfile"),
        pytest.param("Dockerfile", FROM + "CMD a\n", FROM + "CMD (a\n", "bash -n", id="shell form"),
        pytest.param("Dockerfile", FROM, FROM + 'CMD ["sh", "-ec", "a\'"]\n', "bash -n", id="text behind -c"),
        pytest.param("Dockerfile", FROM, FROM + "RUN <<EOF\nif\nEOF\n", "bash -n", id="heredoc"),
        pytest.param("run.sh", "#!/bin/sh\na\n", "#!/bin/sh\nif a\n", "dash -n", id="script"),
        pytest.param("run.sh", "#!/bin/sh\na\n", "#!/bin/sh\na > >(b)\n", "dash -n", id="bash in a script for sh"),
        pytest.param("run.sh", "#!/bin/bash\na=(1)\n", "#!/bin/sh\na=(1)\n", "dash -n", id="no script for sh"),
        pytest.param("package.json", "{}", "{", "json", id="JSON"),
    ],
)
def test_what_breaks_is_told(path: str, before: str, after: str, reader: str) -> None:
    reason = readers.regression(path, before, after, is_dockerfile=path == "Dockerfile")
    assert reason is not None
    assert reason.startswith(f"{reader}: "), reason
