"""What is odd already is not made worse: fixes that are not offered, and those that leave what stands around them."""

from __future__ import annotations

import pytest

from pid1lint.report.text import concise
from tests.example import Example
from tests.pages import PageFile
from tests.test_cli import Run, put, run

__all__ = ["run"]

BASE = "FROM debian:12\n"
ALPINE = "FROM alpine:3.20\n"
ENTRY = BASE + 'COPY run.sh /\nENTRYPOINT ["/run.sh"]\n'

Files = dict[str, str]


def example(files: Files) -> Example:
    return Example({name: PageFile(text) for name, text in files.items()})


UNMENDED = {
    "exec takes what begins with a dash for its own option": {
        "Dockerfile": ENTRY,
        "run.sh": "#!/bin/sh\n-jar app.jar\n",
    },
    "the same in quotes": {"Dockerfile": ENTRY, "run.sh": '#!/bin/sh\n"--port" 80\n'},
    "the same out of an argument": {
        "Dockerfile": ENTRY + 'CMD ["--port", "80"]\n',
        "run.sh": '#!/bin/sh\nset -e\n"$@"\n',
    },
    "the same in a shell form": {"Dockerfile": BASE + "CMD cd /srv && -x\n"},
    "the same in a shell's string": {"Dockerfile": BASE + 'CMD ["sh", "-c", "-x $A"]\n'},
    "CRLF where LF would leave a loop without a command": {
        "Dockerfile": ENTRY,
        "run.sh": "#!/bin/sh\r\nwhile true; do \r\ndone\r\n",
    },
    "CRLF where LF would leave a condition without one": {
        "Dockerfile": ENTRY,
        "run.sh": "#!/bin/sh\r\nif \r\nthen\r\n  exec app\r\nfi\r\n",
    },
    "Python without its first line": {"Dockerfile": ENTRY, "run.sh": 'import os\nprint("a")\n'},
    "JSON by a script's name": {"Dockerfile": ENTRY, "run.sh": '{"a": (1)}\n'},
    "HTML by a script's name": {"Dockerfile": ENTRY, "run.sh": "<html>\n</html>\n"},
    "a syntax error under no first line": {"Dockerfile": ENTRY, "run.sh": "if true; then\nfi\nexec app\n"},
    "a handler that does not exit, in a loop": {
        "Dockerfile": ENTRY,
        "run.sh": "#!/bin/sh\nserver &\ntrap 'kill 0; wait' TERM\nwhile :; do sleep 1; done\n",
    },
    "a stop signal that a shell would keep for itself": {
        "Dockerfile": BASE + "STOPSIGNAL SIGKILL\nCMD cd /srv && -x\n",
    },
}  # fmt: skip


@pytest.mark.parametrize("files", [pytest.param(files, id=name) for name, files in UNMENDED.items()])
def test_a_fix_that_would_make_it_worse_is_not_offered(files: Files) -> None:
    found = example(files).lint().diagnostics
    assert found
    assert [concise(diagnostic) for diagnostic in found if diagnostic.fix is not None] == []


def test_a_script_that_bash_could_not_read_is_not_given_to_it() -> None:
    text = "#!/bin/sh\nserver &\nwait -n\nr[\n"
    found = example({"Dockerfile": ENTRY, "run.sh": text}).lint("PID215").diagnostics
    assert [(concise(diagnostic), diagnostic.fix) for diagnostic in found] == [
        ("run.sh:3:1: PID215 `wait -n` is an error in dash, and the script goes on without waiting", None)
    ]


MENDED = {
    "a script without a first line by its name": (
        {"Dockerfile": ENTRY, "run.sh": "gunicorn app:app"},
        {"run.sh": "#!/bin/sh\nexec gunicorn app:app"},
    ),
    "a script without a first line by its words": (
        {"Dockerfile": ENTRY.replace("run.sh", "run"), "run": "set -e\nexec app\n"},
        {"run": "#!/bin/sh\nset -e\nexec app\n"},
    ),
    "a script of conditions": (
        {"Dockerfile": ENTRY.replace("run.sh", "run"), "run": "if test -f /a; then\n  app\nfi\n"},
        {"run": "#!/bin/sh\nif test -f /a; then\n  exec app\nfi\n"},
    ),
    "CRLF with a last line that has none": (
        {"Dockerfile": ENTRY, "run.sh": "#!/bin/sh\r\nwhile true; do\r\n  app\r\ndone\r\nexec app"},
        {"run.sh": "#!/bin/sh\nwhile true; do\n  app\ndone\nexec app"},
    ),
    "a word that begins with an equals sign is a program like any": (
        {"Dockerfile": ENTRY, "run.sh": "#!/bin/sh\n=x a\n"},
        {"run.sh": "#!/bin/sh\nexec =x a\n"},
    ),
    "a daemon at the end of a file without a line end": (
        {"Dockerfile": BASE + 'ENTRYPOINT ["env"]\nCMD ["nginx"]'},
        {"Dockerfile": BASE + 'STOPSIGNAL SIGQUIT\nENTRYPOINT ["env"]\nCMD ["nginx", "-g", "daemon off;"]'},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "after"), [pytest.param(*pair, id=name) for name, pair in MENDED.items()])
def test_what_is_odd_and_can_be_mended_is(files: Files, after: Files) -> None:
    before = example(files)
    mended, _ = before.mend()
    assert mended.texts == files | after
    assert mended.unreadable(before) == []
    assert mended.mend() == (mended, False)


IGNORED = {
    "a script without a first line": (
        {"Dockerfile": ENTRY, "run.sh": "exec app\n"},
        {"run.sh": "# pid1lint: ignore-file[PID211]\nexec app\n"},
    ),
    "a script whose first line is wrong": (
        {"Dockerfile": ENTRY, "run.sh": "#!/bin/sh\r\nexec app\r\n"},
        {"run.sh": "#!/bin/sh\r\n# pid1lint: ignore-file[PID212]\r\nexec app\r\n"},
    ),
    "a script in a here-document whose first line is wrong": (
        {"Dockerfile": ALPINE + 'COPY --chmod=755 <<E /run.sh\n#!/bin/bash\napp\nE\nCMD ["/run.sh"]\n'},
        {
            "Dockerfile": "# pid1lint: ignore-file[PID214]\n"
            + ALPINE
            + 'COPY --chmod=755 <<E /run.sh\n#!/bin/bash\napp\nE\nCMD ["/run.sh"]\n'
        },
    ),
    "a comment that suppresses nothing": (
        {"Dockerfile": "# escape=`\n" + BASE + '# pid1lint: ignore[PID101]\nCMD ["app"]'},
        {
            "Dockerfile": "# escape=`\n# pid1lint: ignore-file[PID904]\n"
            + BASE
            + '# pid1lint: ignore[PID101]\nCMD ["app"]'
        },
    ),
    "a Dockerfile of nothing": (
        {"Dockerfile": "# a\n"},
        {"Dockerfile": "# a\n# pid1lint: ignore-file[PID901]\n"},
    ),
    "a name more in the comment for the file": (
        {"Dockerfile": ENTRY, "run.sh": "# pid1lint: ignore-file[PID201]\napp\n"},
        {"run.sh": "# pid1lint: ignore-file[PID201, PID211, PID904]\napp\n"},
    ),
    "a script that a deployment starts in vain": (
        {
            "shop.container": "[Container]\nImage=debian:12\nEntrypoint=/run.sh\nVolume=./run.sh:/run.sh:ro\n",
            "run.sh": "#!/bin/sh\r\nexec app\r\n",
        },
        {"run.sh": "#!/bin/sh\r\n# pid1lint: ignore-file[PID212]\r\nexec app\r\n"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "after"), [pytest.param(*pair, id=name) for name, pair in IGNORED.items()])
def test_comments_that_are_added_count(run: Run, files: Files, after: Files) -> None:
    for name, text in files.items():
        put(name, "", 0o755)
        with open(name, "w", newline="") as file:
            file.write(text)
    assert run("-q").out
    run("--add-ignores", "-q")
    found = {}
    for name in files:
        with open(name, newline="") as file:
            found[name] = file.read()
    assert found == files | after
    assert run("-f", "concise", "-q").out == ""


def test_where_no_comment_counts_none_is_written(run: Run) -> None:
    put("compose.yaml", "services:\n  web: {image: debian:12, command: [sh\n")
    before = run("-q", "-f", "concise")
    assert "PID901" in before.out
    done = run("--add-ignores", "-q", "-f", "concise")
    assert "there is no place for a comment for PID901" in done.err or run("-q").out == ""
