"""PID108: a whole command line in one word of the exec form."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Excerpt, Finding, Fix, Launch, Severity, Span, rule
from pid1lint.mend.array import json_array, plain_argv
from pid1lint.mend.command import guard
from pid1lint.shell.parse import parse


@rule("PID108", Severity.ERROR)
def one_string_command(launch: Launch) -> Iterator[Finding]:
    r"""The container does not start: `["python app.py"]` is one word, and no program has that name.

    ## Why is this bad?

    The exec form has no shell that splits a line at its spaces. Docker searches PATH for a file called `server --port
    80`, finds none, and the container does not start.

    ## Example

    ```dockerfile
    FROM debian:12
    CMD ["server --port 80"]
    ```

    ```text
    Dockerfile:2:7: PID108 no program is called `server --port 80`: the container does not start
    = fails
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    CMD ["server", "--port", "80"]
    ```

    ## Fix safety

    Safe: the line did not work. The fix splits the word where a shell would split it. There is no fix if a shell would
    also expand something in it.
    """
    seen = set()
    for path in launch.paths:
        for start in path.starts:
            word = start.excerpts[0] if start.excerpts else None
            if start.what != "words" or word is None or word.quoting != "json" or word.place() in seen:
                continue
            if start.argument.startswith("["):
                continue
            seen.add(word.place())
            message = f"no program is called `{start.argument}`: the container does not start"
            yield Finding(word.place(), message, fix=_split(launch, start.argument, word), severity=_severity(launch))


def _severity(launch: Launch) -> Severity:
    return Severity.ERROR if launch.outcome.value == "fails" else Severity.WARNING


def _split(launch: Launch, text: str, word: Excerpt) -> Fix | None:
    script = parse(word)
    literal = plain_argv(script)
    if literal is None or word.source is not launch.image.dockerfile.source:
        return None
    span = Span(word.offset(0) - 1, word.offset(len(word.text)) + 1)
    edit = Edit(word.source, span, json_array(literal[0])[1:-1])
    return Fix("Split it into words", (edit,), Applicability.SAFE, (guard(script, literal[1]),))
