"""PID206: a launcher between PID 1 and the app that forks, and does not just pass signals on."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Finding, Fix, Launch, Outcome, Path, Place, Process, Severity, rule
from pid1lint.mend.launcher import switch_user, unforked_flock, without_setsid
from pid1lint.mend.lines import in_front


@rule("PID206", Severity.ERROR)
def forking_wrapper(launch: Launch) -> Iterator[Finding]:
    r"""A program like su, flock or xargs stays in front of the app and does not pass the stop signal on correctly.

    ## Why is this bad?

    `exec` in front of such a program does not help: it starts the app as its child and stays. `flock`, `xargs` and
    `setsid -w` have no handler for the stop signal. As PID 1 they ignore it, and `docker stop` kills everything after
    10 s. Below an init they die on it, and the kernel kills the app. `su`, `runuser`, `script` and Debian's `doas` pass
    the signal on, but kill the app 2 s later, however long the grace period is. `watch`, `parallel` and `screen -D`
    exit on SIGTERM before the app can. `setsid` as PID 1 starts the app and exits, and the container exits with it.
    Scripts that come with a server, such as apachectl, mysqld_safe or WildFly's standalone.sh, run the server as their
    child: start the server itself, or make the script exec it.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    exec flock /var/lock/app server
    ```

    ```text
    entrypoint.sh:2:1: PID206 flock stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it
    = hang
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    exec flock -F /var/lock/app server
    ```

    ## Example: su

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y gosu
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```bash entrypoint.sh
    #!/bin/bash
    exec runuser -u nobody -- server --port 80
    ```

    ```text
    entrypoint.sh:2:1: PID206 runuser kills server 2 s after SIGTERM: it does not get the grace period of docker stop
    = graceful
    ```

    Use instead:

    ```bash entrypoint.sh
    #!/bin/bash
    exec gosu nobody server --port 80
    ```

    ## Example: setsid

    ```dockerfile
    FROM debian:12
    CMD ["setsid", "server"]
    ```

    ```text
    Dockerfile:2:7: PID206 setsid starts server in the background and ends: the container exits at once
    = exits
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    CMD ["server"]
    ```

    ## Example: a script that wraps a server

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y apache2
    STOPSIGNAL SIGWINCH
    CMD ["apachectl", "-D", "FOREGROUND"]
    ```

    ```text
    Dockerfile:4:7: PID206 apachectl stays PID 1 and keeps SIGWINCH from apache2: docker stop waits 10 s, then kills it
    = hang, not measured: Debian 12's own apachectl is, apart
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y apache2
    STOPSIGNAL SIGWINCH
    ENV APACHE_HTTPD="exec /usr/sbin/apache2"
    CMD ["apachectl", "-D", "FOREGROUND"]
    ```

    ```text
    = graceful, not measured: Debian 12's own apachectl is, apart
    ```

    ## When to ignore it

    An app that always exits within 2 s can stay below `su`. `sudo` and `timeout` pass signals on and wait: the rule
    does not report them.

    ## Fix safety

    Unsafe. `flock` gets `-F`, which makes it exec the app (util-linux only). `setsid` is removed: the first process of
    a container leads a session anyway. `su` and `runuser` are replaced with gosu or su-exec if the image has one of
    them, with setpriv in a script of Debian or Ubuntu, and in an array with an instruction USER. None of these opens a
    session (PAM, /etc/environment, the profile of a login shell), and all keep the environment. Debian's apachectl
    execs apache2 if APACHE_HTTPD says so, and standalone.sh passes the signal on if LAUNCH_JBOSS_IN_BACKGROUND is set:
    the fix sets these variables. There is no fix for mysqld_safe: mysqld needs other options.

    ## References

    - [su(1)](https://man7.org/linux/man-pages/man1/su.1.html), [flock(1)](https://man7.org/linux/man-pages/man1/flock.1.html)
    """
    for path in launch.paths:
        start = next((start for start in path.starts if start.what == "detach"), None)
        if path is launch.main and path.outcome is Outcome.EXITS and start is not None and start.place is not None:
            message = f"{start.argument} starts {start.argv[-1] if len(start.argv) == 2 else 'the command'} "
            message += "in the background and ends: the container exits at once"
            fix = without_setsid(launch, start) if start.argument.endswith("setsid") else None
            yield Finding(start.call.command if start.call is not None else start.place, message, fix=fix)
            return
        script = _wrapper_script(path)
        if script is not None:
            effect = _script_effect(path, script)
            known = script.fact is not None and script.fact.measured
            severity = launch.severity(path) if known else Severity.WARNING
            yield Finding(_at(script), effect, fix=_step_aside(launch, script), severity=severity)
            return
        message = _effect(launch, path)
        wrapper = path.wrapper
        if message and wrapper is not None and wrapper.place is not None:
            known = wrapper.launcher is not None and wrapper.launcher.measured
            severity = launch.severity(path) if known and path.outcome is not Outcome.GRACEFUL else Severity.WARNING
            yield Finding(_at(wrapper), message, fix=_fix(launch, wrapper), severity=severity)
            return


def _effect(launch: Launch, path: Path) -> str:
    wrapper, main = path.wrapper, path.main
    if wrapper is None or wrapper.launcher is None or main is None or main.helper:
        return ""
    if wrapper.launcher.kind == "switch":
        if path is not launch.main or path.outcome is not Outcome.GRACEFUL:
            return ""
        message = f"{wrapper.program} kills {main.program} 2 s after {path.signal}: "
        return message + "it does not get the grace period of docker stop"
    if path.outcome is Outcome.HANG:
        who = f"{wrapper.program} stays PID 1" if wrapper.pid == 1 else f"{wrapper.program} stays in between"
        return f"{who} and keeps {path.signal} from {main.program}: docker stop waits 10 s, then kills it"
    if path.outcome is Outcome.ABRUPT and wrapper.launcher.kind == "quit":
        return f"{wrapper.program} exits on {path.signal}, and the kernel kills {main.program}"
    if path.outcome is Outcome.ABRUPT and path.pid1 is not None and path.pid1.kind == "init":
        return f"{path.pid1.program} ends with {wrapper.program}, which dies on {path.signal}: the kernel kills {main.program}"
    return ""


def _wrapper_script(path: Path) -> Process | None:
    """The main process where it is a script that runs the program as its child, and where that matters."""
    main, one = path.main, path.pid1
    if main is None or one is None or main.fact is None or not main.fact.wraps or main.place is None:
        return None
    first = main.pid == one.pid or one.kind == "init"
    return main if first and path.outcome in (Outcome.HANG, Outcome.ABRUPT) and not path.links else None


def _script_effect(path: Path, script: Process) -> str:
    """What becomes of the program below a wrapper script."""
    inner = script.fact.wraps if script.fact is not None else ""
    if path.outcome is Outcome.HANG:
        who = f"{script.program} stays PID 1" if script.pid == 1 else f"{script.program} stays in between"
        return f"{who} and keeps {path.signal} from {inner}: docker stop waits 10 s, then kills it"
    one = path.pid1.program if path.pid1 is not None else "PID 1"
    return f"{one} ends with {script.program}, which dies on {path.signal}: the kernel kills {inner}"


def _step_aside(launch: Launch, script: Process) -> Fix | None:
    """The variable that makes the script exec its program, or pass signals on."""
    aside = script.fact.steps_aside if script.fact is not None else None
    family = launch.image.base.family if launch.image.base is not None else ""
    if aside is None or (aside.families and family not in aside.families):
        return None
    value = f'"{aside.value}"' if " " in aside.value else aside.value
    edit = in_front(launch, f"ENV {aside.variable}={value}")
    return None if edit is None else Fix(f"Set {aside.variable}", (edit,), Applicability.UNSAFE)


def _at(process: Process) -> Place:
    assert process.place is not None
    return process.call.command if process.call is not None else process.place


def _fix(launch: Launch, wrapper: Process) -> Fix | None:
    if wrapper.program == "flock":
        return unforked_flock(launch, wrapper)
    if wrapper.program == "setsid":
        return without_setsid(launch, wrapper) if wrapper.pid == 1 else None
    return switch_user(launch, wrapper)
