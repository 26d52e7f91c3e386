"""PID903: a launch that could not be followed."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Outcome, Severity, rule


@rule("PID903", Severity.INFO, default=False)
def not_analysed(launch: Launch) -> Iterator[Finding]:
    r"""pid1lint could not follow the launch, so it reports nothing about it.

    ## Why is this bad?

    It is not bad: pid1lint does not guess. A script that is not in the build context, an image that the facts do not
    include, or a command that is put together at run time ends the analysis, and all rules stay silent. This rule runs
    only if you select it. It names the launch and the reason.

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
