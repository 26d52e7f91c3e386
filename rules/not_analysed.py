"""PID903: a launch that could not be followed."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Outcome, Severity, rule


@rule("PID903", Severity.INFO, default=False)
def not_analysed(launch: Launch) -> Iterator[Finding]:
    r"""The launch could not be followed, and nothing is said of it.

    ## Why is this bad?

    It is not: what the files do not tell is not guessed. A script that is not in the build context, an image that the
    facts do not know, a command that is put together at run time end the analysis, and all rules keep silent. This
    one, which runs only where it is selected, says so, and why.

    ## Example

    ```dockerfile
    FROM registry.example/team/base
    ENTRYPOINT ["/opt/team/start.sh"]
    ```

    ```text
    Dockerfile:2:14: PID903 not analysed: the script /opt/team/start.sh is not in the build context
    = unknown
    ```
    """
    if launch.outcome is not Outcome.UNKNOWN:
        return
    yield Finding(launch.open_at or launch.image.command_place, f"not analysed: {launch.why}")
