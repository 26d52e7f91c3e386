"""PID901: a Dockerfile or a script that does not parse."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import FileProblem, Finding, Severity, rule


@rule("PID901", Severity.ERROR, on=FileProblem)
def syntax_error(problem: FileProblem) -> Iterator[Finding]:
    r"""The build fails, or the script stops with an error: the file does not parse.

    ## Why is this bad?

    A Dockerfile that does not parse builds no image. A shell reads a script while it runs it: it runs what is before
    the mistake, then exits with 2, and the container exits with it. What the other rules report about such a file is
    true only for the part that could be read.

    ## Example

    ```dockerfile
    FROM debian:12
    RUNN apt-get update
    CMD ["java", "-jar", "app.jar"]
    ```

    ```text
    Dockerfile:2:1: PID901 unknown instruction: RUNN
    = graceful, not measured: no image comes of it
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    RUN apt-get update
    CMD ["java", "-jar", "app.jar"]
    ```
    """
    if problem.kind == "syntax":
        yield Finding(problem.at, problem.message)
