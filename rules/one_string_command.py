"""PID108: a whole command line in one word of the exec form."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Excerpt, Finding, Fix, Launch, Severity, rule
from pid1lint.mend.array import plain_argv, several_items
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

    ## In a deployment

    The same holds for an item of a list in a deployment's file.

    ```dockerfile
    FROM debian:12
    ```

    ```yaml compose.yaml
    services:
      web:
        build: .
        command:
          - server --port 80
    ```

    ```text
    compose.yaml:5:9: PID108 service web: no program is called `server --port 80`: the container does not start
    = fails
    ```

    Use instead:

    ```yaml compose.yaml
    services:
      web:
        build: .
        command:
          - server
          - --port
          - "80"
    ```

    ## Fix safety

    Safe: the line did not work. The fix splits the word where a shell would split it. There is no fix if a shell would
    also expand something in it.
    """
    seen = set()
    for path in launch.paths:
        for start in path.starts:
            word = start.excerpts[0] if start.excerpts else None
            if start.what != "words" or word is None or not _is_item(launch, word) or word.place() in seen:
                continue
            if start.argument.startswith("["):
                continue
            seen.add(word.place())
            message = f"no program is called `{start.argument}`: the container does not start"
            yield Finding(word.place(), message, fix=_split(launch, start.argument, word), severity=_severity(launch))


def _is_item(launch: Launch, word: Excerpt) -> bool:
    """Whether it is an item of an array, or of a list in a deployment's file."""
    if word.quoting != "yaml":
        return word.quoting == "json"
    commands = (launch.image.entrypoint, launch.image.cmd)
    return any(word.place() == each.place() for command in commands if command is not None for each in command.words)


def _severity(launch: Launch) -> Severity:
    return Severity.ERROR if launch.outcome.value == "fails" else Severity.WARNING


def _split(launch: Launch, text: str, word: Excerpt) -> Fix | None:
    script = parse(word)
    literal = plain_argv(script)
    deployment = launch.image.deployment
    paths = (launch.image.dockerfile.source.path, deployment.path if deployment is not None else None)
    if literal is None or word.source.path not in paths:
        return None
    edit = several_items(word, literal[0])
    if edit is None:
        return None
    return Fix("Split it into words", (edit,), Applicability.SAFE, (guard(script, literal[1]),))
