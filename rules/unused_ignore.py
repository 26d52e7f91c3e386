"""PID904: a comment that suppresses nothing."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import FileProblem, Finding, Severity, rule


@rule("PID904", Severity.WARNING, on=FileProblem)
def unused_ignore(problem: FileProblem) -> Iterator[Finding]:
    r"""A comment `pid1lint: ignore[...]` suppresses nothing, or does not name a rule.

    ## Why is this bad?

    The comment says that something is wrong with the line, but nothing is. When something does go wrong there one day,
    nobody will see it. A mistyped name suppresses nothing either. The rule reports nothing if pid1lint could not follow
    the launch, and nothing about comments for hadolint and BuildKit, which may need them.

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

    Safe: only a comment changes. The fix moves a comment that Docker takes for an argument to a line of its own.
    """
    if problem.kind == "ignore":
        yield Finding(problem.at, problem.message, fix=problem.fix)
