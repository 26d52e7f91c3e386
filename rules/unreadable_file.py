"""PID902: a file that cannot be read as text."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import FileProblem, Finding, Severity, rule


@rule("PID902", Severity.ERROR, on=FileProblem)
def unreadable_file(problem: FileProblem) -> Iterator[Finding]:
    r"""pid1lint cannot check the file: it is missing, not readable, not text, or too large.

    ## Why is this bad?

    pid1lint reports nothing about a launch whose Dockerfile or script it cannot read. It still checks the other files.
    It never reads a file outside the build context, and Docker does not copy one: the build fails. Bytes that are not
    UTF-8 are an info; pid1lint reads the file anyway.

    Some files are too long to be judged. pid1lint does not judge a Dockerfile of more than 10,000 instructions, or of
    more than 50,000 words in arrays, COPY and ADD together. Of a deployment's file it judges the first 500 services,
    containers or targets, as far as it can follow their scripts in reasonable time.

    ## Example

        $ pid1lint Dokerfile
        Dokerfile:1:1: PID902 Dokerfile does not exist; did you mean 'Dockerfile'?

    Use instead the path of a file that is there, that is UTF-8 or at least without NUL bytes, and not larger than 5 MB.
    """
    if problem.kind == "unreadable":
        yield Finding(problem.at, problem.message)
    if problem.kind == "encoding":
        yield Finding(problem.at, problem.message, severity=Severity.INFO)
