"""PID201: a script that starts its main process as a child."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Finding, Fix, Launch, Link, Note, Process, Severity, rule
from pid1lint.mend.command import exec_in_front
from pid1lint.mend.launcher import without_setsid


@rule("PID201", Severity.ERROR)
def missing_exec(launch: Launch) -> Iterator[Finding]:
    r"""`docker stop` kills the app: the script starts it without `exec`, so it never gets the stop signal.

    ## Why is this bad?

    If a script ends in `java -jar app.jar`, Java is a child of the shell, and the shell waits for it. The stop signal
    goes to PID 1, the shell. The shell has no handler, so the kernel drops the signal. `docker stop` waits 10 s and
    kills everything: open requests are lost, and shutdown hooks never run. No shell execs the last command of a script
    file by itself, not even a shell that does so for `sh -c`.

    An init in front does not help. The init passes the signal on to the shell, the shell dies on it at once, and the
    container exits while the app is still working.

    `exec` replaces the shell with the program. The program is then PID 1, or the child of the init, and gets the
    signal.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    CMD ["server"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    set -e
    echo "starting"
    "$@"
    ```

    ```text
    entrypoint.sh:4:1: PID201 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it
    = hang
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    set -e
    echo "starting"
    exec "$@"
    ```

    ## Example: behind an init

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini
    COPY entrypoint.sh /
    ENTRYPOINT ["tini", "--", "/entrypoint.sh"]
    ```

    ```bash entrypoint.sh
    #!/bin/bash
    main() {
        PORT=80 server --verbose
    }
    main
    ```

    ```text
    entrypoint.sh:3:13: PID201 tini ends with bash, which dies on SIGTERM: the kernel kills server
    = abrupt
    ```

    Use instead:

    ```bash entrypoint.sh
    #!/bin/bash
    main() {
        PORT=80 exec server --verbose
    }
    main
    ```

    ## When to ignore it

    A script that soon ends by itself, such as a migration, can be killed. A script that must stay, because it
    supervises several programs or restarts one, needs a handler instead: see untrapped-signal (PID401).

    ## Fix safety

    Safe if the command is the last one on its path. Unsafe if the script prints something after it (`exec` never
    returns), ends with its own status (`exit 0`), has an EXIT trap (which `exec` drops), or has started other programs
    beside it, or if the command is a script that pid1lint cannot read.

    There is no fix in a loop or a condition, if the script has more work to do after the command or handlers for other
    signals, or if the command may be a function of a sourced file that pid1lint cannot read: `exec` does not run
    functions. The fix removes `setsid` first, which is unsafe: PID 1 leads a session anyway, and after `exec` setsid
    would start the app and exit.

    ## References

    - [POSIX: exec](https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#exec)
    """
    seen = set()
    for path in launch.bad_paths:
        for link in path.links:
            call = link.child.call
            if call is None or not _is_missing(launch, link) or call.command in seen:
                continue
            seen.add(call.command)
            notes = (
                () if link.shell.place is None else (Note(link.shell.place, f"{link.shell.program} is started here"),)
            )
            yield Finding(call.command, link.effect, notes, _fix(launch, link), launch.severity(path))


def _is_missing(launch: Launch, link: Link) -> bool:
    """Whether a script waits for a foreground child without meaning to stay."""
    call, child = link.child.call, link.child
    if call is None or call.loop or child.helper or link.handles:
        return False
    if call.maybe_function and child.fact is None:
        return False
    runner = link.path.runner
    if runner is not None and any(process is link.shell for process in runner.walk()):
        return False
    if launch.shell_form(link.shell) is not None or launch.shell_word(link.shell) is not None:
        return False
    return child.start in ("child", "substitution") and not link.path.beneath(child, "background", "pipeline")


def _fix(launch: Launch, link: Link) -> Fix | None:
    if link.shell.form == "subshell" or link.traps_others:
        return None
    made = exec_in_front(link) or without_setsid(launch, link.child)
    if made is not None and _is_unread_script(link.child):
        return made.replaced(applicability=Applicability.UNSAFE)
    return made


def _is_unread_script(child: Process) -> bool:
    """Whether the shell starts a script whose text is not at hand: what it does with the signal is not known."""
    text = child.file is not None and child.file.text is not None
    name = child.arguments[0] if child.arguments else child.program
    return not text and child.fact is None and name.endswith((".sh", ".bash", ".ash"))
