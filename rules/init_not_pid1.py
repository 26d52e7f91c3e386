"""PID303: an init that a shell starts as its child."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Note, Severity, rule
from pid1lint.mend.command import exec_in_front


@rule("PID303", Severity.ERROR)
def init_not_pid1(launch: Launch) -> Iterator[Finding]:
    r"""An init is started as a shell's child, so it is not PID 1 and gets no stop signal to pass on.

    ## Why is this bad?

    tini, dumb-init and catatonit are there to be PID 1: what they do depends on the stop signal and the orphans that
    only PID 1 gets. Without `exec` the shell in front of them keeps both, and the container hangs as if there were
    no init at all.

    ## Example

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    tini -- server
    ```

    ```text
    entrypoint.sh:2:1: PID303 tini is not PID 1: sh keeps SIGTERM from it, docker stop waits 10 s, then kills server
    = hang
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    exec tini -- server
    ```

    ## When not to care

    Never: such an init does nothing. A supervisor (s6, runit) that a script starts is better made PID 1 too.

    ## Fix safety

    Safe where the init is the script's last command: then `exec` only saves a process. Unsafe where the script would
    say something after it, or has started other programs beside it. No fix is offered where the script has work to do
    after it, nor for runit's runsvdir, which as PID 1 leaves its services to be cut off.
    """
    for path in launch.bad_paths:
        for link in path.links:
            call = link.child.call
            if call is None or not launch.starts_init(link):
                continue
            main = path.main.program if path.main is not None and path.main is not link.child else "everything"
            shell = link.shell.interpreter
            effect = (
                f"docker stop waits 10 s, then kills {main}"
                if path.outcome.value == "hang"
                else f"the kernel kills {main}"
            )
            who = "keeps" if path.outcome.value == "hang" else "does not wait and keeps"
            message = f"{link.child.program} is not PID 1: {shell} {who} {path.signal} from it, {effect}"
            place = link.shell.place
            notes = () if place is None else (Note(place, f"{link.shell.program} is started here"),)
            yield Finding(call.command, message, notes, exec_in_front(link), launch.severity(path))
            return
