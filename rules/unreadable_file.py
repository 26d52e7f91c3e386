"""PID902: a file that cannot be read as text."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import FileProblem, Finding, Severity, rule


@rule("PID902", Severity.ERROR, on=FileProblem)
def unreadable_file(problem: FileProblem) -> Iterator[Finding]:
    r"""A file is missing, may not be read, is no text, or is too large.

    ## Why is this bad?

    Nothing can be said of a launch whose Dockerfile or script cannot be read. The other files are still checked. A
    file outside the build context is never read, and Docker does not copy it: the build fails. Bytes that are not
    UTF-8 are an info; the file is read as it is. A Dockerfile of more than 10,000 instructions is not judged.

    ## Example

        $ pid1lint Dokerfile
        Dokerfile:1:1: PID902 Dokerfile does not exist; did you mean 'Dockerfile'?

    Use instead the path of a file that is there, that is UTF-8 or at least without NUL bytes, and not larger than 5 MB.
    """
    if problem.kind == "unreadable":
        yield Finding(problem.at, problem.message)
    if problem.kind == "encoding":
        yield Finding(problem.at, problem.message, severity=Severity.INFO)
