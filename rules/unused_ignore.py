"""PID904: a comment that suppresses nothing."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import FileProblem, Finding, Severity, rule


@rule("PID904", Severity.WARNING, on=FileProblem)
def unused_ignore(problem: FileProblem) -> Iterator[Finding]:
    r"""A comment `pid1lint: ignore[...]` suppresses nothing, or names no rule.

    ## Why is this bad?

    It says of the line that something is wrong with it, and nothing is. When something goes wrong there one day, it
    will not be seen. A name that is mistyped suppresses nothing either. Nothing is said where the launch could not be
    followed, nor of comments for hadolint and BuildKit, which may have a use for them.

    ## Example

    ```dockerfile
    FROM debian:12
    # pid1lint: ignore[PID101] the shell is meant to stay
    CMD ["java", "-jar", "app.jar"]
    ```

    ```text
    Dockerfile:2:20: PID904 ignore[PID101] suppresses nothing: there is no such finding there
    = graceful
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    CMD ["java", "-jar", "app.jar"]
    ```

    ## Fix safety

    Safe: only a comment changes.
    """
    if problem.kind == "ignore":
        yield Finding(problem.at, problem.message, fix=problem.fix)
