"""What is hard to read: for each input all that is reported, and the files that the safe fixes and all fixes make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from pid1lint.report.text import concise
from tests import oracle
from tests.example import Example, shuffled
from tests.pages import PageFile

DEBIAN = "FROM debian:12\n"
TINI = DEBIAN + "RUN apt-get update && apt-get install -y tini\n"
SCRIPT = DEBIAN + 'COPY run.sh /\nENTRYPOINT ["/run.sh"]\n'


class Mended(NamedTuple):
    """The files that fixes have changed, and what is reported then; the last line is the outcome."""

    files: dict[str, str]
    report: tuple[str, ...]


class Case(NamedTuple):
    """An image, what is reported of it, what the safe fixes make of it, and `every` fix where that is more.

    `unmeasured` says why the oracle cannot run it.
    """

    title: str
    files: dict[str, str | PageFile]
    report: tuple[str, ...]
    safe: Mended | None = None
    every: Mended | None = None
    unmeasured: str = ""

    @property
    def example(self) -> Example:
        """The image as given; a file is executable where nothing else is said."""
        files = {name: PageFile(file) if isinstance(file, str) else file for name, file in self.files.items()}
        return Example(files)

    def after(self, mended: Mended | None) -> Example:
        """The image with the files that fixes have changed."""
        texts = mended.files if mended is not None else {}
        files = {name: file._replace(text=texts.get(name, file.text)) for name, file in self.example.files.items()}
        return Example(files)


LINES = (
    Case(
        "comments and blank lines inside a CMD",
        {
            "Dockerfile": DEBIAN
            + "CMD cd /srv \\\n    # the port\n\n    && gunicorn \\\n    # all interfaces\n    --bind 0.0.0.0:80 \\\n\n    app:app\n"
        },
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {
                "Dockerfile": DEBIAN
                + "CMD cd /srv \\\n    # the port\n\n    && exec gunicorn \\\n    # all interfaces\n    --bind 0.0.0.0:80 \\\n\n    app:app\n"
            },
            ("= graceful",),
        ),
    ),
    Case(
        "comments and blank lines inside an array",
        {"Dockerfile": DEBIAN + 'CMD ["sh", \\\n# why\n\n     "-c", \\\n     "gunicorn \\"app:app\\""]\n'},
        (
            "Dockerfile:6:7: PID102 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"Dockerfile": DEBIAN + 'CMD ["sh", \\\n# why\n\n     "-c", \\\n     "exec gunicorn \\"app:app\\""]\n'},
            ("= graceful",),
        ),
    ),
    Case(
        "a literal CMD that goes on over lines keeps them",
        {"Dockerfile": DEBIAN + "CMD gunicorn \\\n    --bind 0.0.0.0:80 \\\n    app:app\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"Dockerfile": DEBIAN + "CMD exec gunicorn \\\n    --bind 0.0.0.0:80 \\\n    app:app\n"}, ("= graceful",)
        ),
    ),
    Case(
        "blanks behind a continuation",
        {"Dockerfile": DEBIAN + "CMD cd /srv && \\  \n  gunicorn app:app\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + "CMD cd /srv && \\  \n  exec gunicorn app:app\n"}, ("= graceful",)),
    ),
    Case(
        "a continuation at the end of the file",
        {"Dockerfile": DEBIAN + "CMD gunicorn app:app \\"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + 'CMD ["gunicorn", "app:app"] \\'}, ("= graceful",)),
    ),
    Case(
        "a backquote as escape character, a backslash as itself",
        {
            "Dockerfile": "# escape=`\nFROM debian:12\nCMD cd /srv `\n    # a comment`\n    && server --dir a\\ b `\n    --all\n"
        },
        (
            "Dockerfile:3:5: PID101 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {
                "Dockerfile": "# escape=`\nFROM debian:12\nCMD cd /srv `\n    # a comment`\n    && exec server --dir a\\ b `\n    --all\n"
            },
            ("= graceful",),
        ),
    ),
    Case(
        "a backquote as escape character inside an array",
        {"Dockerfile": '# escape=`\nFROM debian:12\nCMD ["sh", `\n    "-c", `\n    "server \\"$X\\""]\n'},
        (
            "Dockerfile:5:6: PID102 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"Dockerfile": '# escape=`\nFROM debian:12\nCMD ["sh", `\n    "-c", `\n    "exec server \\"$X\\""]\n'},
            ("= graceful",),
        ),
    ),
    Case(
        "a backquote as escape character, and lines put in",
        {
            "Dockerfile": '# escape=`\nFROM debian:12\nRUN apt-get update `\n  && apt-get install -y nodejs\nCOPY server.js /\nCMD [ `\n  "node", `\n "/server.js" ]\n',
            "server.js": "require('http').createServer().listen(80)\n",
        },
        (
            "Dockerfile:7:4: PID301 node is PID 1 without a handler for SIGTERM: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        every=Mended(
            {
                "Dockerfile": '# escape=`\nFROM debian:12\nRUN apt-get update `\n  && apt-get install -y nodejs\nCOPY server.js /\nRUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*\nENTRYPOINT ["tini", "--"]\nCMD [ `\n  "node", `\n "/server.js" ]\n'
            },
            (
                "Dockerfile:9:4: PID310 tini passes SIGTERM on, and node has no handler: the signal ends it at once",
                "= abrupt",
            ),
        ),
    ),
    Case(
        "a backquote as escape character behind a COPY",
        {
            "Dockerfile": '# escape=`\nFROM debian:12\nCOPY `\n  --chown=app `\n  run.sh /\nENTRYPOINT ["/run.sh"]\n',
            "run.sh": PageFile("#!/bin/sh\nexec gunicorn app:app\n", 0o644),
        },
        (
            "Dockerfile:6:14: PID213 /run.sh has no execute bit: the container does not start",
            "= fails",
        ),
        safe=Mended(
            {
                "Dockerfile": '# escape=`\nFROM debian:12\nCOPY --chmod=755 `\n  --chown=app `\n  run.sh /\nENTRYPOINT ["/run.sh"]\n'
            },
            ("= graceful",),
        ),
    ),
    Case(
        "directives stay the first lines",
        {"Dockerfile": "# syntax=docker/dockerfile:1\n# escape=\\\nFROM debian:12\nCMD gunicorn app:app\n"},
        (
            "Dockerfile:4:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"Dockerfile": '# syntax=docker/dockerfile:1\n# escape=\\\nFROM debian:12\nCMD ["gunicorn", "app:app"]\n'},
            ("= graceful",),
        ),
    ),
    Case(
        "CRLF in a Dockerfile",
        {"Dockerfile": "FROM debian:12\r\n# serve\r\nCMD cd /srv \\\r\n    && gunicorn app:app\r\n"},
        (
            "Dockerfile:3:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"Dockerfile": "FROM debian:12\r\n# serve\r\nCMD cd /srv \\\r\n    && exec gunicorn app:app\r\n"},
            ("= graceful",),
        ),
    ),
    Case(
        "CRLF, and a line put in above a comment",
        {
            "Dockerfile": 'FROM python:3.12-slim\r\nCOPY app.py /\r\n# serve\r\nCMD ["python", "/app.py"]\r\n',
            "app.py": "import http.server\r\nhttp.server.test()\r\n",
        },
        (
            "Dockerfile:4:7: PID301 python is PID 1 without a handler for SIGTERM: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        every=Mended(
            {
                "Dockerfile": 'FROM python:3.12-slim\r\nCOPY app.py /\r\nSTOPSIGNAL SIGINT\r\n# serve\r\nCMD ["python", "/app.py"]\r\n'
            },
            ("= graceful",),
        ),
    ),
    Case(
        "CRLF, and several lines put in",
        {
            "Dockerfile": 'FROM alpine:3.20\r\nRUN apk add --no-cache nodejs\r\nCOPY server.js /\r\nUSER app\r\nCMD ["node", "/server.js"]\r\n',
            "server.js": "require('http').createServer().listen(80)\n",
        },
        (
            "Dockerfile:5:7: PID301 node is PID 1 without a handler for SIGTERM: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        every=Mended(
            {
                "Dockerfile": 'FROM alpine:3.20\r\nRUN apk add --no-cache nodejs\r\nCOPY server.js /\r\nUSER app\r\nUSER root\r\nRUN apk add --no-cache tini\r\nUSER app\r\nENTRYPOINT ["tini", "--"]\r\nCMD ["node", "/server.js"]\r\n'
            },
            (
                "Dockerfile:9:7: PID310 tini passes SIGTERM on, and node has no handler: the signal ends it at once",
                "= abrupt",
            ),
        ),
    ),
    Case(
        "a byte order mark in a Dockerfile",
        {"Dockerfile": "\ufeffFROM debian:12\nCMD gunicorn app:app\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": '\ufeffFROM debian:12\nCMD ["gunicorn", "app:app"]\n'}, ("= graceful",)),
    ),
    Case(
        "a byte order mark in a script, with tabs",
        {"Dockerfile": SCRIPT, "run.sh": "\ufeff#!/bin/sh\n\tgunicorn\tapp:app\n"},
        (
            "run.sh:2:2: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"run.sh": "\ufeff#!/bin/sh\n\texec gunicorn\tapp:app\n"}, ("= graceful",)),
    ),
    Case(
        "tabs between all words",
        {"Dockerfile": DEBIAN + "\tCMD\tgunicorn\t--bind\t:80\tapp:app\t\n"},
        (
            "Dockerfile:2:6: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + '\tCMD\t["gunicorn", "--bind", ":80", "app:app"]\t\n'}, ("= graceful",)),
    ),
    Case(
        "tabs around a continuation",
        {"Dockerfile": DEBIAN + "CMD\tcd /srv\t&&\\\n\t\tgunicorn\tapp:app\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + "CMD\tcd /srv\t&&\\\n\t\texec gunicorn\tapp:app\n"}, ("= graceful",)),
    ),
    Case(
        "instructions in lower case",
        {
            "Dockerfile": 'from debian:12\ncopy run.sh /\nentrypoint ["/run.sh"]\n',
            "run.sh": PageFile("#!/bin/sh\ngunicorn app:app\n", 0o644),
        },
        (
            "Dockerfile:3:14: PID213 /run.sh has no execute bit: the container does not start",
            "= fails",
        ),
        safe=Mended(
            {
                "Dockerfile": 'from debian:12\ncopy --chmod=755 run.sh /\nentrypoint ["/run.sh"]\n',
                "run.sh": "#!/bin/sh\nexec gunicorn app:app\n",
            },
            ("= graceful",),
        ),
    ),
    Case(
        "no newline at the end of a Dockerfile",
        {"Dockerfile": DEBIAN + "CMD gunicorn app:app"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + 'CMD ["gunicorn", "app:app"]'}, ("= graceful",)),
    ),
    Case(
        "no newline at the end of a script",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\ngunicorn app:app"},
        (
            "run.sh:2:1: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"run.sh": "#!/bin/sh\nexec gunicorn app:app"}, ("= graceful",)),
    ),
    Case(
        "no newline at the end, and a line put in",
        {
            "Dockerfile": 'FROM python:3.12-slim\nCOPY app.py /\nCMD ["python", "/app.py"]',
            "app.py": "import http.server\nhttp.server.test()\n",
        },
        (
            "Dockerfile:3:7: PID301 python is PID 1 without a handler for SIGTERM: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        every=Mended(
            {"Dockerfile": 'FROM python:3.12-slim\nCOPY app.py /\nSTOPSIGNAL SIGINT\nCMD ["python", "/app.py"]'},
            ("= graceful",),
        ),
    ),
    Case(
        "a command over lines in a script, with a comment behind it",
        {
            "Dockerfile": SCRIPT,
            "run.sh": "#!/bin/sh\nset -e\n\n# the server\ngunicorn \\\n\t--bind :80 \\\n\tapp:app # all\n",
        },
        (
            "run.sh:5:1: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"run.sh": "#!/bin/sh\nset -e\n\n# the server\nexec gunicorn \\\n\t--bind :80 \\\n\tapp:app # all\n"},
            ("= graceful",),
        ),
    ),
)

HEREDOCS = (
    Case(
        "CMD knows no here-document",
        {"Dockerfile": DEBIAN + "CMD <<EOF\ngunicorn app:app\nEOF\n"},
        (
            "Dockerfile:3:1: PID901 unknown instruction: GUNICORN",
            "Dockerfile:4:1: PID901 unknown instruction: EOF",
            "= exits",
        ),
    ),
    Case(
        "a script in a COPY",
        {
            "Dockerfile": DEBIAN
            + "COPY --chmod=755 <<'EOF' /run.sh\n#!/bin/sh\nset -e\ngunicorn --bind :$PORT app:app\nEOF\nENTRYPOINT [\"/run.sh\"]\n"
        },
        (
            "Dockerfile:5:1: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {
                "Dockerfile": DEBIAN
                + "COPY --chmod=755 <<'EOF' /run.sh\n#!/bin/sh\nset -e\nexec gunicorn --bind :$PORT app:app\nEOF\nENTRYPOINT [\"/run.sh\"]\n"
            },
            ("= graceful",),
        ),
    ),
    Case(
        "a script in a COPY that expands has no fix: its text is another than what is written",
        {
            "Dockerfile": DEBIAN
            + 'COPY --chmod=755 <<EOF /run.sh\n#!/bin/sh\nset -e\ngunicorn --bind :\\$PORT app:app\nEOF\nENTRYPOINT ["/run.sh"]\n'
        },
        (
            "Dockerfile:5:1: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
    ),
    Case(
        "a script in a COPY that strips tabs",
        {
            "Dockerfile": DEBIAN
            + 'COPY --chmod=755 <<-"EOF" /run.sh\n\t#!/bin/sh\n\tset -e\n\tgunicorn app:app\n\tEOF\nENTRYPOINT ["/run.sh"]\n'
        },
        (
            "Dockerfile:5:2: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {
                "Dockerfile": DEBIAN
                + 'COPY --chmod=755 <<-"EOF" /run.sh\n\t#!/bin/sh\n\tset -e\n\texec gunicorn app:app\n\tEOF\nENTRYPOINT ["/run.sh"]\n'
            },
            ("= graceful",),
        ),
    ),
    Case(
        "a script in a RUN",
        {
            "Dockerfile": DEBIAN
            + 'RUN <<EOF cat > /run.sh && chmod +x /run.sh\n#!/bin/sh\ngunicorn app:app\nEOF\nENTRYPOINT ["/run.sh"]\n'
        },
        (
            "Dockerfile:4:1: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {
                "Dockerfile": DEBIAN
                + 'RUN <<EOF cat > /run.sh && chmod +x /run.sh\n#!/bin/sh\nexec gunicorn app:app\nEOF\nENTRYPOINT ["/run.sh"]\n'
            },
            ("= graceful",),
        ),
    ),
    Case(
        "a script out of an echo has no fix",
        {
            "Dockerfile": DEBIAN
            + "RUN echo '#!/bin/sh' > /run.sh && echo 'gunicorn app:app' >> /run.sh && chmod +x /run.sh\nENTRYPOINT [\"/run.sh\"]\n"
        },
        (
            "Dockerfile:2:41: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
    ),
    Case(
        "a here-document of a script",
        {
            "Dockerfile": SCRIPT,
            "run.sh": "#!/bin/sh\ncat > /etc/app.conf <<EOF\nexec nothing\ngunicorn old\nEOF\ngunicorn -c /etc/app.conf app:app <<'IN'\nserver\nIN\n",
        },
        (
            "run.sh:6:1: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {
                "run.sh": "#!/bin/sh\ncat > /etc/app.conf <<EOF\nexec nothing\ngunicorn old\nEOF\nexec gunicorn -c /etc/app.conf app:app <<'IN'\nserver\nIN\n"
            },
            ("= graceful",),
        ),
    ),
    Case(
        "a here-document of a script, in an if",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\nif true; then\n\tserver <<-'EOF'\n\t\tport = 80\n\tEOF\nfi\n"},
        (
            "run.sh:3:2: PID201 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"run.sh": "#!/bin/sh\nif true; then\n\texec server <<-'EOF'\n\t\tport = 80\n\tEOF\nfi\n"}, ("= graceful",)
        ),
    ),
    Case(
        "a here-document with an escaped delimiter",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\nexec A=1 server <<-\\EOF\n\tx\n\tEOF\n"},
        (
            "run.sh:2:6: PID205 exec looks for a program named `A=1`: the container exits with 127",
            "= fails",
        ),
        safe=Mended({"run.sh": "#!/bin/sh\nA=1 exec server <<-\\EOF\n\tx\n\tEOF\n"}, ("= graceful",)),
    ),
    Case(
        "a here-string of bash",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/bash\nserver <<< 'port = 80'\n"},
        (
            "run.sh:2:1: PID201 bash stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"run.sh": "#!/bin/bash\nexec server <<< 'port = 80'\n"}, ("= graceful",)),
    ),
    Case(
        "arguments go in front of a here-document",
        {"Dockerfile": SCRIPT + 'CMD ["--bind"]\n', "run.sh": "#!/bin/sh\nexec server <<EOF\nport\nEOF\n"},
        (
            "Dockerfile:4:5: PID217 CMD is dropped: run.sh never uses its arguments",
            "= graceful",
        ),
        every=Mended({"run.sh": '#!/bin/sh\nexec server "$@" <<EOF\nport\nEOF\n'}, ("= graceful",)),
    ),
    Case(
        "no line is put between a command and its here-document",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\ntrap 'exit 0' TERM\nserver <<EOF\nport\nEOF\n"},
        (
            "run.sh:3:1: PID402 the handler for SIGTERM waits until server has ended: docker stop waits 10 s, then kills it",
            "= hang",
        ),
    ),
    Case(
        "a line below a here-document",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\nserver <<EOF &\nport\nEOF\nwait\n"},
        (
            "run.sh:5:1: PID401 sh waits here without a handler for SIGTERM: docker stop waits 10 s, then kills server",
            "= hang",
        ),
        every=Mended(
            {"run.sh": "#!/bin/sh\nserver <<EOF &\nport\nEOF\ntrap 'trap \"\" TERM; kill 0; wait' TERM\nwait\n"},
            ("= graceful",),
        ),
    ),
)

COMMANDS = (
    Case(
        "CMD exec app",
        {"Dockerfile": DEBIAN + "CMD exec gunicorn app:app\n"},
        ("= graceful",),
    ),
    Case(
        "CMD exec app with a variable",
        {"Dockerfile": DEBIAN + "CMD exec gunicorn --bind :$PORT app:app\n"},
        ("= graceful",),
    ),
    Case(
        "a comment behind a shell form is the shell's",
        {"Dockerfile": DEBIAN + "CMD gunicorn app:app # serve\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + "CMD exec gunicorn app:app # serve\n"}, ("= graceful",)),
    ),
    Case(
        "a comment behind an array makes a shell form of it",
        {"Dockerfile": DEBIAN + 'CMD ["gunicorn", "app:app"] # serve\n'},
        (
            "Dockerfile:2:5: PID104 the array is not valid JSON (a comment after the array), so Docker runs the line in a shell",
            "= fails",
        ),
        safe=Mended({"Dockerfile": DEBIAN + '# serve\nCMD ["gunicorn", "app:app"]\n'}, ("= graceful",)),
    ),
    Case(
        "a comment behind a command, with quotes",
        {"Dockerfile": SCRIPT, "run.sh": '#!/bin/sh\ngunicorn app:app # serve "all"\n'},
        (
            "run.sh:2:1: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"run.sh": '#!/bin/sh\nexec gunicorn app:app # serve "all"\n'}, ("= graceful",)),
    ),
    Case(
        "an assignment in front",
        {"Dockerfile": DEBIAN + "CMD FOO=1 gunicorn app:app\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + "CMD FOO=1 exec gunicorn app:app\n"}, ("= graceful",)),
    ),
    Case(
        "an assignment in front, in busybox",
        {"Dockerfile": "FROM alpine:3.20\nCMD FOO=1 gunicorn app:app\n"},
        (
            "Dockerfile:2:5: PID101 gunicorn is PID 1 only because busybox execs its last command",
            "= graceful",
        ),
        safe=Mended({"Dockerfile": "FROM alpine:3.20\nCMD FOO=1 exec gunicorn app:app\n"}, ("= graceful",)),
    ),
    Case(
        "an assignment behind exec",
        {"Dockerfile": DEBIAN + "CMD exec FOO=1 gunicorn app:app\n"},
        (
            "Dockerfile:2:10: PID205 exec looks for a program named `FOO=1`: the container exits with 127",
            "= fails",
        ),
        safe=Mended({"Dockerfile": DEBIAN + "CMD FOO=1 exec gunicorn app:app\n"}, ("= graceful",)),
    ),
    Case(
        "assignments with blanks in front",
        {"Dockerfile": SCRIPT, "run.sh": '#!/bin/sh\nFOO=1 BAR="a b" gunicorn app:app\n'},
        (
            "run.sh:2:17: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"run.sh": '#!/bin/sh\nFOO=1 BAR="a b" exec gunicorn app:app\n'}, ("= graceful",)),
    ),
    Case(
        "assignments with blanks behind exec",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\nexec FOO=1 BAR='a b' gunicorn app:app\n"},
        (
            "run.sh:2:6: PID205 exec looks for a program named `FOO=1`: the container exits with 127",
            "= fails",
        ),
        safe=Mended({"run.sh": "#!/bin/sh\nFOO=1 BAR='a b' exec gunicorn app:app\n"}, ("= graceful",)),
    ),
    Case(
        "an assignment on a line of its own, and words of every kind",
        {
            "Dockerfile": SCRIPT,
            "run.sh": '#!/bin/sh\n[ -n "$DEBUG" ] && set -x\n[ -f /etc/app.env ] && . /etc/app.env\nFOO=1 \\\n  server --name "$NAME" \'$NAME\' \\$NAME $NAME\n',
        },
        (
            "run.sh:5:3: PID201 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {
                "run.sh": '#!/bin/sh\n[ -n "$DEBUG" ] && set -x\n[ -f /etc/app.env ] && . /etc/app.env\nFOO=1 \\\n  exec server --name "$NAME" \'$NAME\' \\$NAME $NAME\n'
            },
            ("= graceful",),
        ),
    ),
    Case(
        "a pattern in shell form",
        {"Dockerfile": DEBIAN + "CMD java -cp /app/*.jar Main\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from java: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + "CMD exec java -cp /app/*.jar Main\n"}, ("= graceful",)),
    ),
    Case(
        "a pattern in exec form",
        {"Dockerfile": DEBIAN + 'CMD ["java", "-jar", "/app/*.jar"]\n'},
        (
            "Dockerfile:2:23: PID105 `/app/*.jar` reaches java unexpanded: in exec form there is no shell",
            "= graceful",
        ),
        every=Mended({"Dockerfile": DEBIAN + 'CMD ["sh", "-c", "exec java -jar /app/*.jar"]\n'}, ("= graceful",)),
    ),
    Case(
        "a pattern and a home directory in a script",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\njava -cp /app/*.jar:~/lib Main\n"},
        (
            "run.sh:2:1: PID201 sh stays PID 1 and keeps SIGTERM from java: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"run.sh": "#!/bin/sh\nexec java -cp /app/*.jar:~/lib Main\n"}, ("= graceful",)),
    ),
    Case(
        "a quoted pattern that no shell is meant to expand",
        {"Dockerfile": DEBIAN + "CMD uvicorn --forwarded-allow-ips '*' app:app\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from uvicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"Dockerfile": DEBIAN + 'CMD ["uvicorn", "--forwarded-allow-ips", "*", "app:app"]\n'}, ("= graceful",)
        ),
    ),
    Case(
        "a home directory in shell form",
        {"Dockerfile": DEBIAN + "CMD gunicorn --chdir ~/app app:app\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + "CMD exec gunicorn --chdir ~/app app:app\n"}, ("= graceful",)),
    ),
    Case(
        "a home directory in exec form",
        {"Dockerfile": DEBIAN + 'RUN make install\nCMD ["~/bin/server"]\n'},
        (
            "Dockerfile:3:7: PID105 no program is called `~/bin/server`: in exec form there is no shell to expand it, and the container does not start",
            "= fails",
        ),
        every=Mended(
            {"Dockerfile": DEBIAN + 'RUN make install\nCMD ["sh", "-c", "exec ~/bin/server"]\n'}, ("= graceful",)
        ),
        unmeasured="the oracle has no server in a home directory",
    ),
    Case(
        "cd and a semicolon",
        {"Dockerfile": DEBIAN + "CMD cd /srv; gunicorn app:app\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + "CMD cd /srv; exec gunicorn app:app\n"}, ("= graceful",)),
    ),
    Case(
        "cd and && in a script",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\ncd /srv && gunicorn app:app\n"},
        (
            "run.sh:2:12: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"run.sh": "#!/bin/sh\ncd /srv && exec gunicorn app:app\n"}, ("= graceful",)),
    ),
    Case(
        "cd in a subshell, and one with a way out",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\n(cd /srv && migrate)\ncd /srv || exit 1\nserver\n"},
        (
            "run.sh:4:1: PID201 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"run.sh": "#!/bin/sh\n(cd /srv && migrate)\ncd /srv || exit 1\nexec server\n"}, ("= graceful",)),
    ),
    Case(
        "a sourced file in a CMD",
        {"Dockerfile": DEBIAN + "CMD . /venv/bin/activate && gunicorn app:app\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + "CMD . /venv/bin/activate && exec gunicorn app:app\n"}, ("= graceful",)),
        unmeasured="the oracle has no such file to be sourced",
    ),
    Case(
        "a function of a sourced file",
        {
            "Dockerfile": DEBIAN + 'COPY env.sh run.sh /\nENTRYPOINT ["/run.sh"]\n',
            "run.sh": "#!/bin/sh\n. /env.sh\nstart\n",
            "env.sh": "start() {\n  gunicorn app:app\n}\n",
        },
        (
            "env.sh:2:3: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"env.sh": "start() {\n  exec gunicorn app:app\n}\n"}, ("= graceful",)),
    ),
    Case(
        "a sourced file that starts the app",
        {
            "Dockerfile": DEBIAN + 'COPY run.sh env.sh /\nCMD ["/run.sh"]\n',
            "run.sh": "#!/bin/sh\n. ./env.sh\n",
            "env.sh": 'export X=1\nserver "$X"\n',
        },
        (
            "env.sh:2:1: PID201 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"env.sh": 'export X=1\nexec server "$X"\n'}, ("= graceful",)),
    ),
    Case(
        "eval in a CMD has no fix",
        {"Dockerfile": DEBIAN + "CMD eval gunicorn app:app\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
    ),
    Case(
        "eval of a literal in a script",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\neval 'server --port 80'\n"},
        (
            "run.sh:2:7: PID201 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"run.sh": "#!/bin/sh\neval 'exec server --port 80'\n"}, ("= graceful",)),
    ),
    Case(
        "eval in a script has no fix",
        {"Dockerfile": SCRIPT, "run.sh": '#!/bin/sh\neval "gunicorn $OPTIONS app:app"\n'},
        (
            "run.sh:2:1: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
    ),
    Case(
        "eval of an exec",
        {"Dockerfile": SCRIPT, "run.sh": '#!/bin/sh\neval "exec gunicorn $OPTIONS app:app"\n'},
        ("= graceful",),
    ),
    Case(
        "eval of the arguments has no fix",
        {"Dockerfile": SCRIPT + 'CMD ["gunicorn", "app:app"]\n', "run.sh": '#!/bin/sh\neval "$@"\n'},
        (
            "run.sh:2:1: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
    ),
    Case(
        "braces with a redirection",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\n{ gunicorn app:app; } 2>&1\n"},
        (
            "run.sh:2:3: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"run.sh": "#!/bin/sh\n{ exec gunicorn app:app; } 2>&1\n"}, ("= graceful",)),
    ),
    Case(
        "|| behind the app",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\ngunicorn app:app || exit 1\n"},
        (
            "run.sh:2:1: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        every=Mended({"run.sh": "#!/bin/sh\nexec gunicorn app:app || exit 1\n"}, ("= graceful",)),
    ),
    Case(
        "an array of bash",
        {"Dockerfile": SCRIPT, "run.sh": '#!/bin/bash\nargs=(--a \'b c\' "$X")\nserver "${args[@]}" "$@"\n'},
        (
            "run.sh:3:1: PID201 bash stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"run.sh": '#!/bin/bash\nargs=(--a \'b c\' "$X")\nexec server "${args[@]}" "$@"\n'}, ("= graceful",)
        ),
    ),
    Case(
        "arguments set by the script",
        {"Dockerfile": SCRIPT + 'CMD ["--port", "80"]\n', "run.sh": '#!/bin/sh\nset -- server "$@"\n"$@"\n'},
        (
            "run.sh:3:1: PID201 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"run.sh": '#!/bin/sh\nset -- server "$@"\nexec "$@"\n'}, ("= graceful",)),
    ),
)

QUOTES = (
    Case(
        "an escaped blank and quotes within quotes",
        {"Dockerfile": DEBIAN + 'CMD server --name a\\ b \'c d\' "e \\"f\\""\n'},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + 'CMD ["server", "--name", "a b", "c d", "e \\"f\\""]\n'}, ("= graceful",)),
    ),
    Case(
        "a string of a shell within a shell",
        {"Dockerfile": DEBIAN + "CMD sh -c \"server --name 'it is'\"\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "Dockerfile:2:12: PID201 sh stays in between and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + 'CMD ["server", "--name", "it is"]\n'}, ("= graceful",)),
    ),
    Case(
        "quotes and backslashes of a shell within JSON",
        {"Dockerfile": DEBIAN + 'CMD ["sh", "-c", "server --name \\"it\'s\\" --path \'a\\\\\\\\b\'"]\n'},
        (
            "Dockerfile:2:19: PID102 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"Dockerfile": DEBIAN + 'CMD ["server", "--name", "it\'s", "--path", "a\\\\\\\\b"]\n'}, ("= graceful",)
        ),
    ),
    Case(
        "a string of a shell within a string of a shell within JSON",
        {"Dockerfile": DEBIAN + 'CMD ["sh", "-c", "cd /srv && sh -c \\"server --name \'x y\'\\""]\n'},
        (
            "Dockerfile:2:19: PID102 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "Dockerfile:2:38: PID201 sh stays in between and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"Dockerfile": DEBIAN + 'CMD ["sh", "-c", "cd /srv && exec sh -c \\"exec server --name \'x y\'\\""]\n'},
            ("= graceful",),
        ),
    ),
    Case(
        "quotes of every kind in a script",
        {
            "Dockerfile": SCRIPT,
            "run.sh": '#!/bin/sh\nserver --a "it\'s" --b \'say "hi"\' --c "a \\"b\\" \\$c" --d a\\ b\n',
        },
        (
            "run.sh:2:1: PID201 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"run.sh": '#!/bin/sh\nexec server --a "it\'s" --b \'say "hi"\' --c "a \\"b\\" \\$c" --d a\\ b\n'},
            ("= graceful",),
        ),
    ),
    Case(
        "command substitutions in both spellings",
        {
            "Dockerfile": SCRIPT,
            "run.sh": "#!/bin/sh\nserver --host `hostname` --ip \"$(hostname -i | cut -d' ' -f1)\"\n",
        },
        (
            "run.sh:2:1: PID201 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"run.sh": "#!/bin/sh\nexec server --host `hostname` --ip \"$(hostname -i | cut -d' ' -f1)\"\n"},
            ("= graceful",),
        ),
    ),
    Case(
        "$X",
        {"Dockerfile": DEBIAN + "CMD server $X\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + "CMD exec server $X\n"}, ("= graceful",)),
    ),
    Case(
        "$X in double quotes",
        {"Dockerfile": DEBIAN + 'CMD server "$X"\n'},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + 'CMD exec server "$X"\n'}, ("= graceful",)),
    ),
    Case(
        "$X in single quotes is no array's business",
        {"Dockerfile": DEBIAN + "CMD server '$X'\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + "CMD exec server '$X'\n"}, ("= graceful",)),
    ),
    Case(
        "an escaped $X is no array's business",
        {"Dockerfile": DEBIAN + 'CMD server \\$X "\\$Y"\n'},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + 'CMD exec server \\$X "\\$Y"\n'}, ("= graceful",)),
    ),
    Case(
        "$X in an array",
        {"Dockerfile": DEBIAN + 'CMD ["server", "$X"]\n'},
        (
            "Dockerfile:2:17: PID105 `$X` reaches server unexpanded: in exec form there is no shell",
            "= graceful",
        ),
        every=Mended({"Dockerfile": DEBIAN + 'CMD ["sh", "-c", "exec server $X"]\n'}, ("= graceful",)),
    ),
    Case(
        "$X in an array in single quotes",
        {"Dockerfile": DEBIAN + "CMD ['server', '$X']\n"},
        (
            "Dockerfile:2:5: PID104 the array is not valid JSON (single quotes), so Docker runs the line in a shell",
            "= fails",
        ),
        safe=Mended(
            {"Dockerfile": DEBIAN + 'CMD ["server", "$X"]\n'},
            (
                "Dockerfile:2:17: PID105 `$X` reaches server unexpanded: in exec form there is no shell",
                "= graceful",
            ),
        ),
        every=Mended({"Dockerfile": DEBIAN + 'CMD ["sh", "-c", "exec server $X"]\n'}, ("= graceful",)),
    ),
    Case(
        "$X in single quotes within JSON",
        {"Dockerfile": DEBIAN + 'CMD ["sh", "-c", "server \'$X\'"]\n'},
        (
            "Dockerfile:2:19: PID102 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + 'CMD ["sh", "-c", "exec server \'$X\'"]\n'}, ("= graceful",)),
    ),
    Case(
        "variables with defaults and command substitutions",
        {"Dockerfile": DEBIAN + "CMD gunicorn --bind :${PORT:-80} '${X}' \"${Y:-a b}\" `hostname` $(id -u) app:app\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {
                "Dockerfile": DEBIAN
                + "CMD exec gunicorn --bind :${PORT:-80} '${X}' \"${Y:-a b}\" `hostname` $(id -u) app:app\n"
            },
            ("= graceful",),
        ),
    ),
    Case(
        "a quoted operator is no array's business",
        {"Dockerfile": DEBIAN + "CMD server 'a && b' '&&' c\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + "CMD exec server 'a && b' '&&' c\n"}, ("= graceful",)),
    ),
    Case(
        "typographic quotes",
        {"Dockerfile": DEBIAN + "CMD [“gunicorn”, “app:app”]\n"},
        (
            "Dockerfile:2:5: PID104 the array is not valid JSON (typographic quotes), so Docker runs the line in a shell",
            "= fails",
        ),
        safe=Mended({"Dockerfile": DEBIAN + 'CMD ["gunicorn", "app:app"]\n'}, ("= graceful",)),
    ),
    Case(
        "typographic quotes of two kinds, blanks before commas",
        {"Dockerfile": TINI + "ENTRYPOINT [“tini” , “--”, “server”, ‘–v’ ]\n"},
        (
            "Dockerfile:3:12: PID104 the array is not valid JSON (typographic quotes), so Docker runs the line in a shell",
            "= fails",
        ),
        safe=Mended({"Dockerfile": TINI + 'ENTRYPOINT ["tini", "--", "server", "–v"]\n'}, ("= graceful",)),
    ),
    Case(
        "typographic quotes in a script are characters like others",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\ngunicorn --name “my app” app:app\n"},
        (
            "run.sh:2:1: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"run.sh": "#!/bin/sh\nexec gunicorn --name “my app” app:app\n"}, ("= graceful",)),
    ),
    Case(
        "characters of all planes in shell form",
        {"Dockerfile": DEBIAN + "CMD gunicorn --name größe-日本-🐳 app:app\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"Dockerfile": DEBIAN + 'CMD ["gunicorn", "--name", "größe-日本-🐳", "app:app"]\n'}, ("= graceful",)
        ),
    ),
    Case(
        "characters of all planes in an array",
        {"Dockerfile": DEBIAN + '# Größe 🐳\nCMD ["sh", "-c", "echo größe && gunicorn --name 🐳 app:app"]\n'},
        (
            "Dockerfile:3:19: PID102 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"Dockerfile": DEBIAN + '# Größe 🐳\nCMD ["sh", "-c", "echo größe && exec gunicorn --name 🐳 app:app"]\n'},
            ("= graceful",),
        ),
    ),
    Case(
        "characters of all planes in a script",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\n# Größe: 🐳\necho 'größe' && server --name '日本 🐳'\n"},
        (
            "run.sh:3:17: PID201 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"run.sh": "#!/bin/sh\n# Größe: 🐳\necho 'größe' && exec server --name '日本 🐳'\n"}, ("= graceful",)
        ),
    ),
    Case(
        "bytes that are no UTF-8",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\n# caf\udce9\nserver\n"},
        (
            "run.sh:3:1: PID201 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"run.sh": "#!/bin/sh\n# caf\udce9\nexec server\n"}, ("= graceful",)),
    ),
    Case(
        "a no-break space parts no words",
        {"Dockerfile": DEBIAN + "CMD gunicorn\xa0app:app\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn\xa0app:app: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + 'CMD ["gunicorn\xa0app:app"]\n'}, ("= graceful",)),
        unmeasured="the oracle has no program of such a name",
    ),
)

SHELLS = (
    Case(
        "&& in shell form",
        {"Dockerfile": DEBIAN + "CMD migrate && gunicorn app:app\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + "CMD migrate && exec gunicorn app:app\n"}, ("= graceful",)),
    ),
    Case(
        "&& in an array",
        {"Dockerfile": DEBIAN + 'CMD ["migrate", "&&", "gunicorn", "app:app"]\n'},
        (
            "Dockerfile:2:18: PID105 `&&` reaches migrate as an argument: in exec form no shell runs gunicorn after it",
            "= exits",
        ),
        every=Mended(
            {"Dockerfile": DEBIAN + 'CMD ["sh", "-c", "migrate && exec gunicorn app:app"]\n'}, ("= graceful",)
        ),
    ),
    Case(
        "a pipe in dash has no fix",
        {"Dockerfile": DEBIAN + "CMD gunicorn app:app | tee /log\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
    ),
    Case(
        "a pipe under SHELL bash",
        {"Dockerfile": DEBIAN + 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nCMD gunicorn app:app 2>&1 | tee /log\n'},
        (
            "Dockerfile:3:5: PID101 bash stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        every=Mended(
            {
                "Dockerfile": DEBIAN
                + 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nCMD exec gunicorn app:app > >(tee /log) 2>&1\n'
            },
            ("= graceful",),
        ),
    ),
    Case(
        "a pipe in an array has no fix",
        {"Dockerfile": DEBIAN + 'CMD ["gunicorn", "app:app", "|", "tee", "/log"]\n'},
        (
            "Dockerfile:2:30: PID105 `|` reaches gunicorn as an argument: in exec form no shell reads it",
            "= graceful",
        ),
    ),
    Case(
        "a pipe over lines in a script of bash",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/bash\nserver \\\n  --port 80 \\\n  2>&1 | tee /log\n"},
        (
            "run.sh:2:1: PID203 server is part of a pipeline: bash stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        every=Mended(
            {"run.sh": "#!/bin/bash\nexec server \\\n  --port 80 \\\n  > >(tee /log) 2>&1\n"}, ("= graceful",)
        ),
    ),
    Case(
        "a pipe whose reader has a line of its own has no fix",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/bash\nserver \\\n  --port 80 |\n  tee /log\n"},
        (
            "run.sh:2:1: PID203 server is part of a pipeline: bash stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
    ),
    Case(
        "a pipe with quotes within JSON",
        {"Dockerfile": DEBIAN + 'CMD ["bash", "-c", "server \\"a b\\" 2>&1 | tee \\"/x y\\""]\n'},
        (
            "Dockerfile:2:21: PID203 server is part of a pipeline: bash stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        every=Mended(
            {"Dockerfile": DEBIAN + 'CMD ["bash", "-c", "exec server \\"a b\\" > >(tee \\"/x y\\") 2>&1"]\n'},
            ("= graceful",),
        ),
    ),
    Case(
        "exec in a pipe of bash",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/bash\nexec server 2>&1 | tee /log\n"},
        (
            "run.sh:2:1: PID202 exec replaces only a part of the pipeline: bash stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        every=Mended({"run.sh": "#!/bin/bash\nexec server > >(tee /log) 2>&1\n"}, ("= graceful",)),
    ),
    Case(
        "SHELL bash, which execs a lone command",
        {"Dockerfile": DEBIAN + 'SHELL ["/bin/bash", "-c"]\nCMD gunicorn app:app\n'},
        (
            "Dockerfile:3:5: PID101 gunicorn is PID 1 only because bash execs its last command",
            "= graceful",
        ),
        safe=Mended(
            {"Dockerfile": DEBIAN + 'SHELL ["/bin/bash", "-c"]\nCMD ["gunicorn", "app:app"]\n'}, ("= graceful",)
        ),
    ),
    Case(
        "SHELL bash, with more to do",
        {
            "Dockerfile": DEBIAN
            + 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nCMD migrate; gunicorn app:app; echo done\n'
        },
        (
            "Dockerfile:3:5: PID101 bash stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        every=Mended(
            {
                "Dockerfile": DEBIAN
                + 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nCMD migrate; exec gunicorn app:app; echo done\n'
            },
            (
                "Dockerfile:3:37: PID204 this never runs: exec has replaced the shell with gunicorn",
                "= graceful",
            ),
        ),
    ),
    Case(
        "an ENTRYPOINT that reads $1 sees the same arguments",
        {
            "Dockerfile": SCRIPT + "CMD gunicorn app:app\n",
            "run.sh": '#!/bin/sh\nif [ "$1" = gunicorn ]; then migrate; fi\nexec "$@"\n',
        },
        (
            "Dockerfile:4:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": SCRIPT + "CMD exec gunicorn app:app\n"}, ("= graceful",)),
    ),
    Case(
        "a script that chooses by $1",
        {
            "Dockerfile": SCRIPT + 'CMD ["serve"]\n',
            "run.sh": '#!/bin/sh\ncase "$1" in\n  serve) gunicorn app:app ;;\n  *) "$@" ;;\nesac\n',
        },
        (
            "run.sh:3:10: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"run.sh": '#!/bin/sh\ncase "$1" in\n  serve) exec gunicorn app:app ;;\n  *) "$@" ;;\nesac\n'},
            ("= graceful",),
        ),
    ),
    Case(
        "ONBUILD is for those who build upon the image",
        {"Dockerfile": DEBIAN + 'ONBUILD CMD gunicorn app:app\nCMD ["true"]\n'},
        ("= exits",),
    ),
    Case(
        "ONBUILD of the stage below",
        {"Dockerfile": "FROM debian:12 AS base\nONBUILD CMD gunicorn app:app\n\nFROM base\n"},
        (
            "Dockerfile:2:13: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"Dockerfile": 'FROM debian:12 AS base\nONBUILD CMD ["gunicorn", "app:app"]\n\nFROM base\n'},
            ("= graceful",),
        ),
    ),
    Case(
        "ONBUILD with tabs and CRLF",
        {"Dockerfile": "FROM debian:12 AS base\r\nONBUILD\tCMD\tcd /srv && gunicorn app:app\r\n\r\nFROM base\r\n"},
        (
            "Dockerfile:2:13: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {
                "Dockerfile": "FROM debian:12 AS base\r\nONBUILD\tCMD\tcd /srv && exec gunicorn app:app\r\n\r\nFROM base\r\n"
            },
            ("= graceful",),
        ),
    ),
    Case(
        "ONBUILD with an array",
        {
            "Dockerfile": 'FROM debian:12 AS base\nONBUILD COPY run.sh /\nONBUILD ENTRYPOINT ["sh", "-c", "cd /srv; gunicorn app:app"]\n\nFROM base\nUSER app\n',
            "run.sh": "",
        },
        (
            "Dockerfile:3:34: PID102 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {
                "Dockerfile": 'FROM debian:12 AS base\nONBUILD COPY run.sh /\nONBUILD ENTRYPOINT ["sh", "-c", "cd /srv; exec gunicorn app:app"]\n\nFROM base\nUSER app\n'
            },
            ("= graceful",),
        ),
    ),
    Case(
        "ONBUILD and a CMD of the stage itself",
        {
            "Dockerfile": 'FROM debian:12 AS base\nONBUILD ENTRYPOINT ["sh", "-c", "server; echo done"]\nONBUILD CMD server\n\nFROM base\nCMD server --port 80\n'
        },
        (
            "Dockerfile:2:34: PID102 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "Dockerfile:6:5: PID103 CMD is dropped: after `server; echo done` it becomes the shell's $0 and $1",
            "= hang",
        ),
        every=Mended(
            {
                "Dockerfile": 'FROM debian:12 AS base\nONBUILD ENTRYPOINT ["sh", "-c", "exec server; echo done"]\nONBUILD CMD server\n\nFROM base\nCMD server --port 80\n'
            },
            (
                "Dockerfile:2:47: PID204 this never runs: exec has replaced the shell with server",
                "Dockerfile:6:5: PID103 CMD is dropped: after `exec server; echo done` it becomes the shell's $0 and $1",
                "= graceful",
            ),
        ),
    ),
)

SEVERAL = (
    Case(
        "an array that is none, of a server with a stop signal of its own",
        {"Dockerfile": "FROM nginx:1.27\nCMD ['nginx', '-g', 'daemon off;']\n"},
        (
            "Dockerfile:2:5: PID104 the array is not valid JSON (single quotes), so Docker runs the line in a shell",
            "= fails",
        ),
        safe=Mended({"Dockerfile": 'FROM nginx:1.27\nCMD ["nginx", "-g", "daemon off;"]\n'}, ("= graceful",)),
    ),
    Case(
        "a dead CMD and one in shell form",
        {"Dockerfile": DEBIAN + "CMD gunicorn old:app\nCMD gunicorn app:app\n"},
        (
            "Dockerfile:2:1: PID106 this CMD never runs: a later one in the stage replaces it",
            "Dockerfile:3:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended({"Dockerfile": DEBIAN + 'CMD ["gunicorn", "app:app"]\n'}, ("= graceful",)),
    ),
    Case(
        "a dead ENTRYPOINT, a broken array and an init's arguments",
        {
            "Dockerfile": TINI
            + 'ENTRYPOINT ["old"]\nCMD [\'gunicorn\', \'app:app\',]\nENTRYPOINT ["tini", "gunicorn", "-c", "x"]\n'
        },
        (
            "Dockerfile:3:1: PID106 this ENTRYPOINT never runs: a later one in the stage replaces it",
            "Dockerfile:4:5: PID104 the array is not valid JSON (single quotes), so Docker runs the line in a shell",
            "Dockerfile:5:14: PID306 tini reads `-c` as its own option, and has none of that name: the container does not start",
            "= fails",
        ),
        safe=Mended(
            {"Dockerfile": TINI + 'CMD ["gunicorn", "app:app"]\nENTRYPOINT ["tini", "--", "gunicorn", "-c", "x"]\n'},
            ("= graceful",),
        ),
    ),
    Case(
        "CRLF, no shebang, no execute bit and no exec",
        {"Dockerfile": SCRIPT, "run.sh": PageFile("# starts it\r\nset -e\r\ngunicorn app:app\r\n", 0o644)},
        (
            "Dockerfile:3:14: PID213 /run.sh has no execute bit: the container does not start",
            "= fails",
        ),
        safe=Mended(
            {
                "Dockerfile": DEBIAN + 'COPY --chmod=755 run.sh /\nENTRYPOINT ["/run.sh"]\n',
                "run.sh": "#!/bin/sh\n# starts it\nset -e\nexec gunicorn app:app\n",
            },
            ("= graceful",),
        ),
    ),
    Case(
        "shell form and no handler",
        {
            "Dockerfile": DEBIAN
            + "RUN apt-get update && apt-get install -y nodejs\nCOPY server.js /\nCMD node /server.js\n",
            "server.js": "require('http').createServer().listen(80)\n",
        },
        (
            "Dockerfile:4:5: PID101 sh stays PID 1 and keeps SIGTERM from node: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {
                "Dockerfile": DEBIAN
                + 'RUN apt-get update && apt-get install -y nodejs\nCOPY server.js /\nCMD ["node", "/server.js"]\n'
            },
            (
                "Dockerfile:4:7: PID301 node is PID 1 without a handler for SIGTERM: docker stop waits 10 s, then kills it",
                "= hang",
            ),
        ),
        every=Mended(
            {
                "Dockerfile": DEBIAN
                + 'RUN apt-get update && apt-get install -y nodejs\nCOPY server.js /\nRUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*\nENTRYPOINT ["tini", "--"]\nCMD ["node", "/server.js"]\n'
            },
            (
                "Dockerfile:6:7: PID310 tini passes SIGTERM on, and node has no handler: the signal ends it at once",
                "= abrupt",
            ),
        ),
    ),
    Case(
        "shell form with a variable and no handler",
        {
            "Dockerfile": "FROM python:3.12-slim\nCOPY app.py /\nCMD python /app.py $X\n",
            "app.py": "import http.server\nhttp.server.test()\n",
        },
        (
            "Dockerfile:3:5: PID101 sh stays PID 1 and keeps SIGTERM from python: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"Dockerfile": "FROM python:3.12-slim\nCOPY app.py /\nCMD exec python /app.py $X\n"},
            (
                "Dockerfile:3:5: PID301 python is PID 1 without a handler for SIGTERM: docker stop waits 10 s, then kills it",
                "= hang",
            ),
        ),
        every=Mended(
            {"Dockerfile": "FROM python:3.12-slim\nCOPY app.py /\nSTOPSIGNAL SIGINT\nCMD exec python /app.py $X\n"},
            ("= graceful",),
        ),
    ),
    Case(
        "one string and no handler",
        {
            "Dockerfile": 'FROM python:3.12-slim\nCOPY app.py /\nCMD ["python /app.py"]\n',
            "app.py": "import http.server\nhttp.server.test()\n",
        },
        (
            "Dockerfile:3:7: PID108 no program is called `python /app.py`: the container does not start",
            "= fails",
        ),
        safe=Mended(
            {"Dockerfile": 'FROM python:3.12-slim\nCOPY app.py /\nCMD ["python", "/app.py"]\n'},
            (
                "Dockerfile:3:7: PID301 python is PID 1 without a handler for SIGTERM: docker stop waits 10 s, then kills it",
                "= hang",
            ),
        ),
        every=Mended(
            {"Dockerfile": 'FROM python:3.12-slim\nCOPY app.py /\nSTOPSIGNAL SIGINT\nCMD ["python", "/app.py"]\n'},
            ("= graceful",),
        ),
    ),
    Case(
        "no execute bit for one of several files has no fix",
        {
            "Dockerfile": DEBIAN
            + 'RUN apt-get update && apt-get install -y nodejs\nCOPY server.js run.sh /\nUSER app\nENTRYPOINT ["/run.sh"]\n',
            "server.js": "require('http').createServer().listen(80)\n",
            "run.sh": PageFile("#!/bin/sh\nnode /server.js\n", 0o644),
        },
        (
            "Dockerfile:5:14: PID213 /run.sh has no execute bit: the container does not start",
            "= fails",
        ),
    ),
    Case(
        "SIGKILL and shell form",
        {"Dockerfile": DEBIAN + "STOPSIGNAL SIGKILL\nCMD gunicorn app:app\n"},
        (
            "Dockerfile:2:12: PID501 SIGKILL ends the container at once: gunicorn cannot handle it",
            "Dockerfile:3:5: PID101 sh ends on SIGKILL before gunicorn does: the kernel kills gunicorn",
            "= abrupt",
        ),
        safe=Mended(
            {"Dockerfile": DEBIAN + 'STOPSIGNAL SIGKILL\nCMD ["gunicorn", "app:app"]\n'},
            (
                "Dockerfile:2:12: PID501 SIGKILL ends the container at once: gunicorn cannot handle it",
                "= abrupt",
            ),
        ),
        every=Mended({"Dockerfile": DEBIAN + 'CMD ["gunicorn", "app:app"]\n'}, ("= graceful",)),
    ),
    Case(
        "a misspelt stop signal, and a server in the background with another",
        {"Dockerfile": DEBIAN + "RUN apt-get update && apt-get install -y nginx\nSTOPSIGNAL SIGTEM\nCMD nginx\n"},
        (
            "Dockerfile:3:12: PID502 `SIGTEM` is not a signal",
            "Dockerfile:4:5: PID209 nginx puts itself into the background: the container exits at once",
            "= exits",
        ),
        safe=Mended(
            {
                "Dockerfile": DEBIAN
                + 'RUN apt-get update && apt-get install -y nginx\nSTOPSIGNAL SIGTEM\nCMD ["nginx", "-g", "daemon off;"]\n'
            },
            (
                "Dockerfile:3:12: PID502 `SIGTEM` is not a signal",
                "Dockerfile:4:7: PID503 nginx drops its work on SIGTEM and ends cleanly on SIGQUIT",
                "= abrupt",
            ),
        ),
        every=Mended(
            {
                "Dockerfile": DEBIAN
                + 'RUN apt-get update && apt-get install -y nginx\nSTOPSIGNAL SIGQUIT\nCMD ["nginx", "-g", "daemon off;"]\n'
            },
            ("= graceful",),
        ),
        unmeasured="the stand-in finishes its work on every signal",
    ),
    Case(
        "a server in the background with a stop signal of its own",
        {"Dockerfile": DEBIAN + "RUN apt-get update && apt-get install -y nginx\nCMD nginx\n"},
        (
            "Dockerfile:3:5: PID209 nginx puts itself into the background: the container exits at once",
            "= exits",
        ),
        safe=Mended(
            {
                "Dockerfile": DEBIAN
                + 'RUN apt-get update && apt-get install -y nginx\nSTOPSIGNAL SIGQUIT\nCMD ["nginx", "-g", "daemon off;"]\n'
            },
            ("= graceful",),
        ),
    ),
    Case(
        "names of signals, and a handler that does not wait",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\ntrap 'kill -SIGTERM $pid' SIGTERM\nserver &\npid=$!\nwait $pid\n"},
        (
            "run.sh:2:27: PID409 dash does not know the signal SIGTERM, so it does not set the trap: docker stop waits 10 s, then kills server",
            "= hang",
        ),
        safe=Mended(
            {"run.sh": "#!/bin/sh\ntrap 'kill -TERM $pid; wait $pid' TERM\nserver &\npid=$!\nwait $pid\n"},
            ("= graceful",),
        ),
    ),
    Case(
        "names of signals, one that cannot be trapped, and an early expansion",
        {"Dockerfile": SCRIPT, "run.sh": '#!/bin/sh\ntrap "kill $pid" SIGTERM SIGKILL\nserver &\npid=$!\nwait $pid\n'},
        (
            "run.sh:2:18: PID409 dash does not know the signal SIGTERM, so it does not set the trap: docker stop waits 10 s, then kills server",
            "run.sh:2:26: PID404 SIGKILL cannot be trapped: the handler never runs for it",
            "= hang",
        ),
        safe=Mended(
            {"run.sh": "#!/bin/sh\ntrap 'kill $pid; wait $pid' TERM\nserver &\npid=$!\nwait $pid\n"}, ("= graceful",)
        ),
    ),
    Case(
        "a recursive kill and a signal that cannot be trapped",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/bash\ntrap 'kill 0' SIGTERM SIGKILL\nserver &\nwait\n"},
        (
            "run.sh:2:7: PID410 kill 0 signals bash itself, whose handler starts again until it crashes: the kernel kills server",
            "run.sh:2:23: PID404 SIGKILL cannot be trapped: the handler never runs for it",
            "= abrupt",
        ),
        safe=Mended(
            {"run.sh": "#!/bin/bash\ntrap 'trap \"\" TERM; kill 0; wait' SIGTERM\nserver &\nwait\n"}, ("= graceful",)
        ),
    ),
    Case(
        "an ignored signal and no exec",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\ntrap '' TERM\nserver\n"},
        (
            "run.sh:2:1: PID405 server inherits SIGTERM as ignored from sh and never acts on it: docker stop waits 10 s, then kills it",
            "run.sh:3:1: PID201 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"run.sh": "#!/bin/sh\ntrap '' TERM\nexec server\n"},
            (
                "run.sh:2:1: PID405 server inherits SIGTERM as ignored from sh: it ignores the signal unless it sets a handler",
                "= graceful",
            ),
        ),
        every=Mended({"run.sh": "#!/bin/sh\ntrap '' TERM\ntrap - TERM; exec server\n"}, ("= graceful",)),
    ),
    Case(
        "a deferred trap",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\ntrap 'echo bye; exit 0' TERM\nserver --port 80\n"},
        (
            "run.sh:3:1: PID402 the handler for SIGTERM waits until server has ended: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        every=Mended(
            {
                "run.sh": "#!/bin/sh\ntrap 'trap \"\" TERM; kill 0; wait; echo bye; exit 0' TERM\nserver --port 80 &\nwait $!\n"
            },
            ("= graceful",),
        ),
    ),
    Case(
        "unquoted arguments and no exec",
        {"Dockerfile": SCRIPT + 'CMD ["gunicorn", "app:app"]\n', "run.sh": "#!/bin/sh\nset -e\n$*\n"},
        (
            "run.sh:3:1: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "run.sh:3:1: PID218 $* is not quoted: an argument with blanks in it reaches gunicorn in pieces",
            "= hang",
        ),
        safe=Mended({"run.sh": '#!/bin/sh\nset -e\nexec "$@"\n'}, ("= graceful",)),
    ),
    Case(
        "dropped arguments and no exec",
        {"Dockerfile": SCRIPT + 'CMD ["--bind", ":80", "app:app"]\n', "run.sh": "#!/bin/sh\nset -e\ngunicorn\n"},
        (
            "Dockerfile:4:5: PID217 CMD is dropped: run.sh never uses its arguments",
            "run.sh:3:1: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"run.sh": "#!/bin/sh\nset -e\nexec gunicorn\n"},
            (
                "Dockerfile:4:5: PID217 CMD is dropped: run.sh never uses its arguments",
                "= graceful",
            ),
        ),
        every=Mended({"run.sh": '#!/bin/sh\nset -e\nexec gunicorn "$@"\n'}, ("= graceful",)),
    ),
    Case(
        "no bash and no exec",
        {
            "Dockerfile": 'FROM alpine:3.20\nCOPY run.sh /\nENTRYPOINT ["/run.sh"]\n',
            "run.sh": "#!/bin/bash\nset -e\ngunicorn app:app\n",
        },
        (
            "run.sh:1:1: PID214 alpine:3.20 has no bash: the container does not start",
            "= fails",
        ),
        safe=Mended({"run.sh": "#!/bin/sh\nset -e\nexec gunicorn app:app\n"}, ("= graceful",)),
    ),
    Case(
        "no exec in two branches, and a program without a handler in one",
        {
            "Dockerfile": SCRIPT,
            "run.sh": '#!/bin/sh\nif [ "$MODE" = dev ]; then\n\tflask run\nelse\n\tgunicorn app:app\nfi\n',
        },
        (
            "run.sh:3:2: PID201 sh stays PID 1 and keeps SIGTERM from flask: docker stop waits 10 s, then kills it",
            "run.sh:5:2: PID201 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"run.sh": '#!/bin/sh\nif [ "$MODE" = dev ]; then\n\texec flask run\nelse\n\texec gunicorn app:app\nfi\n'},
            (
                "run.sh:3:2: PID301 flask is PID 1 without a handler for SIGTERM: docker stop waits 10 s, then kills it",
                "= graceful",
            ),
        ),
        every=Mended(
            {
                "Dockerfile": DEBIAN
                + 'COPY run.sh /\nRUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*\nENTRYPOINT ["tini", "--", "/run.sh"]\n',
                "run.sh": '#!/bin/sh\nif [ "$MODE" = dev ]; then\n\texec flask run\nelse\n\texec gunicorn app:app\nfi\n',
            },
            ("= graceful",),
        ),
    ),
    Case(
        "su and no exec, twice",
        {
            "Dockerfile": DEBIAN
            + 'RUN apt-get update && apt-get install -y gosu\nCOPY run.sh /\nENTRYPOINT ["/run.sh"]\n',
            "run.sh": "#!/bin/sh\nsu app -c 'server --port 80'\n",
        },
        (
            "run.sh:2:1: PID201 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "run.sh:2:12: PID201 sh stays in between and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"run.sh": "#!/bin/sh\nexec su app -c 'exec server --port 80'\n"},
            (
                "run.sh:2:1: PID206 su kills server 2 s after SIGTERM: it does not get the grace period of docker stop",
                "= graceful",
            ),
        ),
        every=Mended({"run.sh": "#!/bin/sh\nexec gosu app server --port 80\n"}, ("= graceful",)),
    ),
    Case(
        "su and no exec, twice, where setpriv is at hand",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\nset -e\nsu app -c 'server --port 80'\n"},
        (
            "run.sh:3:1: PID201 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "run.sh:3:12: PID201 sh stays in between and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        safe=Mended(
            {"run.sh": "#!/bin/sh\nset -e\nexec su app -c 'exec server --port 80'\n"},
            (
                "run.sh:3:1: PID206 su kills server 2 s after SIGTERM: it does not get the grace period of docker stop",
                "= graceful",
            ),
        ),
        every=Mended(
            {
                "run.sh": "#!/bin/sh\nset -e\nHOME=~app exec setpriv --reuid=app --regid=$(id -g app) --init-groups server --port 80\n"
            },
            ("= graceful",),
        ),
    ),
    Case(
        "su within a shell's string within JSON",
        {"Dockerfile": DEBIAN + 'CMD ["sh", "-c", "exec su app -c \'server --port 80\'"]\n'},
        (
            "Dockerfile:2:35: PID201 sh ends on SIGTERM before server does: the kernel kills server",
            "= abrupt",
        ),
        safe=Mended(
            {"Dockerfile": DEBIAN + 'CMD ["sh", "-c", "exec su app -c \'exec server --port 80\'"]\n'},
            (
                "Dockerfile:2:19: PID206 su kills server 2 s after SIGTERM: it does not get the grace period of docker stop",
                "= graceful",
            ),
        ),
        every=Mended(
            {
                "Dockerfile": DEBIAN
                + 'CMD ["sh", "-c", "HOME=~app exec setpriv --reuid=app --regid=$(id -g app) --init-groups server --port 80"]\n'
            },
            ("= graceful",),
        ),
    ),
    Case(
        "setsid and no exec",
        {"Dockerfile": SCRIPT, "run.sh": "#!/bin/sh\nsetsid server --port 80\n"},
        (
            "run.sh:2:1: PID201 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        every=Mended({"run.sh": "#!/bin/sh\nexec server --port 80\n"}, ("= graceful",)),
    ),
    Case(
        "setsid in shell form",
        {"Dockerfile": DEBIAN + "CMD setsid server --port 80\n"},
        (
            "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
            "= hang",
        ),
        every=Mended({"Dockerfile": DEBIAN + 'CMD ["server", "--port", "80"]\n'}, ("= graceful",)),
    ),
    Case(
        "an init under an init, and its arguments",
        {
            "Dockerfile": DEBIAN
            + 'RUN apt-get update && apt-get install -y tini dumb-init\nENTRYPOINT ["tini", "dumb-init", "server", "-v"]\n'
        },
        (
            "Dockerfile:3:14: PID306 tini reads `-v` as its own option: dumb-init never gets it",
            "Dockerfile:3:22: PID305 dumb-init runs below tini, which is PID 1 and does the same",
            "= graceful",
        ),
        safe=Mended(
            {
                "Dockerfile": DEBIAN
                + 'RUN apt-get update && apt-get install -y tini dumb-init\nENTRYPOINT ["tini", "--", "dumb-init", "server", "-v"]\n'
            },
            (
                "Dockerfile:3:28: PID305 dumb-init runs below tini, which is PID 1 and does the same",
                "= graceful",
            ),
        ),
        every=Mended(
            {
                "Dockerfile": DEBIAN
                + 'RUN apt-get update && apt-get install -y tini dumb-init\nENTRYPOINT ["tini", "--", "server", "-v"]\n'
            },
            ("= graceful",),
        ),
    ),
    Case(
        "an init as a child, and its arguments",
        {
            "Dockerfile": DEBIAN
            + 'RUN apt-get update && apt-get install -y tini\nCOPY run.sh /\nENTRYPOINT ["/run.sh"]\n',
            "run.sh": "#!/bin/sh\ntini server --port 80\n",
        },
        (
            "run.sh:2:1: PID306 tini reads `--port` as its own option, and has none of that name: the container does not start",
            "= fails",
        ),
        safe=Mended({"run.sh": "#!/bin/sh\nexec tini -- server --port 80\n"}, ("= graceful",)),
    ),
)

CASES = (*LINES, *HEREDOCS, *COMMANDS, *QUOTES, *SHELLS, *SEVERAL)

every_case = pytest.mark.parametrize("case", [pytest.param(case, id=case.title) for case in CASES])


def report(example: Example) -> tuple[str, ...]:
    """All that is found, and the outcome."""
    result = example.lint()
    assert not result.crashes
    return (*map(concise, result.diagnostics), f"= {example.foreseen()}")


@every_case
def test_this_is_all_that_is_reported(case: Case) -> None:
    assert report(case.example) == case.report


@every_case
def test_safe_fixes_make_this(case: Case) -> None:
    mended, changed = case.example.mend(unsafe=False)
    assert mended.texts == case.after(case.safe).texts
    assert changed == (case.safe is not None)
    assert report(mended) == (case.safe or case).report


@every_case
def test_all_fixes_make_this(case: Case) -> None:
    mended, _ = case.example.mend()
    assert mended.texts == case.after(case.every or case.safe).texts
    assert report(mended) == (case.every or case.safe or case).report


@every_case
def test_there_is_nothing_left_for_a_second_run(case: Case) -> None:
    for unsafe in (False, True):
        mended, _ = case.example.mend(unsafe=unsafe)
        again, changed = mended.mend(unsafe=unsafe)
        assert not changed
        assert again.texts == mended.texts


@every_case
def test_the_order_of_the_fixes_does_not_matter(case: Case) -> None:
    for seed in range(3):
        for unsafe, mended in ((False, case.safe), (True, case.every or case.safe)):
            assert case.example.mend(unsafe=unsafe, order=shuffled(seed))[0].texts == case.after(mended).texts


@every_case
@pytest.mark.usefixtures("other_readers")
def test_other_readers_still_read_it(case: Case) -> None:
    for mended in (case.safe, case.every):
        assert case.after(mended).unreadable(case.example) == []


class Measurable(NamedTuple):
    """An image and the outcome that the kernel must show."""

    example: Example
    outcome: str

    def container(self) -> oracle.Container:
        return self.example.container()


def measurable() -> Iterator[object]:
    for case in CASES:
        if case.unmeasured:
            continue
        yield pytest.param(Measurable(case.example, case.report[-1]), id=f"{case.title}: before")
        if last := case.every or case.safe:
            yield pytest.param(Measurable(case.after(last), last.report[-1]), id=f"{case.title}: after")


@pytest.mark.oracle
@pytest.mark.parametrize("case", list(measurable()))
def test_the_kernel_confirms_the_outcome(case: Measurable, measured: oracle.Run) -> None:
    assert f"= {measured.outcome}" == case.outcome, measured
