"""PID106: a CMD or ENTRYPOINT that a later one of the same stage replaces."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Finding, Fix, Instruction, Launch, Note, Place, Severity, Span, rule
from pid1lint.mend.lines import without_line


@rule("PID106", Severity.WARNING)
def overridden_instruction(launch: Launch) -> Iterator[Finding]:
    r"""A CMD or ENTRYPOINT never runs, because a later one in the same stage replaces it.

    ## Why is this bad?

    CMD and ENTRYPOINT run nothing during the build: each sets one value of the image, and the next one overwrites it.
    Two CMDs are not two programs. The program of the first one never starts, and Docker does not report it.

    ## Example

    ```dockerfile
    FROM debian:12
    CMD ["worker"]
    CMD ["server"]
    ```

    ```text
    Dockerfile:2:1: PID106 this CMD never runs: a later one in the stage replaces it
    = graceful
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    CMD ["server"]
    ```

    ## When to ignore it

    A CMD that replaces the one of an earlier stage or of the base image is normal, and the rule does not report it. To
    run two programs, use two containers or a supervisor.

    ## Fix safety

    Safe: the image does not change. The fix removes the instruction and keeps the lines around it. There is no fix if a
    comment is inside the instruction.
    """
    image = launch.image
    stage = image.stage
    for keyword in ("ENTRYPOINT", "CMD"):
        found = [each for each in stage.instructions if each.keyword == keyword]
        for dead in found[:-1]:
            at = Place(image.dockerfile.source, _one_line(launch, dead))
            notes = (Note(Place(image.dockerfile.source, _one_line(launch, found[-1])), "this one is used"),)
            message = f"this {keyword} never runs: a later one in the stage replaces it"
            yield Finding(at, message, notes, _fix(launch, dead))


def _one_line(launch: Launch, instruction: Instruction) -> Span:
    """The instruction, or its first line."""
    start, end = instruction.span
    line = launch.image.dockerfile.source.text.find("\n", start, end)
    return Span(start, end if line < 0 else line)


def _fix(launch: Launch, dead: Instruction) -> Fix | None:
    dockerfile = launch.image.dockerfile
    text = dockerfile.source.text
    if dockerfile.has_comment(dead.span):
        return None
    start = text.rfind("\n", 0, dead.span.start) + 1
    end = text.find("\n", dead.span.end) + 1
    if end == 0 or text[start : dead.span.start].strip() or text[dead.span.end : end].strip():
        return None
    edit = without_line(dockerfile.source, dead.span)
    return Fix(f"Remove the unused {dead.keyword}", (edit,), Applicability.SAFE)
