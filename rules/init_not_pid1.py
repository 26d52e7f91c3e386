"""PID303: an init that a shell starts as its child."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Note, Severity, rule
from pid1lint.mend.command import exec_in_front


@rule("PID303", Severity.ERROR)
def init_not_pid1(launch: Launch) -> Iterator[Finding]:
    r"""The init has no effect: a shell starts it as a child, so it is not PID 1 and gets no stop signal to pass on.

    ## Why is this bad?

    tini, dumb-init and catatonit must be PID 1: only PID 1 gets the stop signal and the orphans. Without `exec` the
    shell in front of them gets both, and the container hangs as if there were no init.

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

    ## When to ignore it

    Never: such an init does nothing. A supervisor (s6, runit) that a script starts should be PID 1 too.

    ## Fix safety

    Safe if the init is the last command of the script: then `exec` only saves a process. Unsafe if the script prints
    something after it, or has started other programs beside it. There is no fix if the script has more work to do after
    it, or for runit's runsvdir: as PID 1 it exits without its services, and the kernel kills them.
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
