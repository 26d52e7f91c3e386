"""PID101: the shell form leaves a shell as PID 1."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, Launch, Link, Note, Process, Severity, rule
from pid1lint.mend.array import json_array, may_need_shell, plain_argv
from pid1lint.mend.command import exec_in_front, guard, insert_exec, piped_to_substitution
from pid1lint.mend.launcher import without_setsid


@rule("PID101", Severity.ERROR)
def shell_form(launch: Launch) -> Iterator[Finding]:
    r"""`docker stop` kills the app: CMD or ENTRYPOINT is in shell form, and the shell stays PID 1.

    ## Why is this bad?

    `CMD app --port 80` runs `/bin/sh -c "app --port 80"`. It depends on the shell whether it execs the app. The dash of
    Debian and Ubuntu never does: it stays PID 1, has no handler for the stop signal, and passes nothing on. `docker
    stop` waits 10 s and then kills the app, which never got the signal; a rolling update drops the requests in flight.
    An init in front does not help: it ends the shell, and the kernel kills the app at once.

    Bash (Fedora, UBI, Amazon Linux) and Busybox (Alpine) exec a single command, and the last one after `;` or `&&`.
    Then the finding is an info: the launch works only because of that shell. No shell does so for a pipe, for `app ||
    exit`, or for a command with others after it.

    ## Example

    ```dockerfile
    FROM debian:12
    CMD gunicorn --bind :80 app:app
    ```

    ```text
    Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it
    = hang
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    CMD ["gunicorn", "--bind", ":80", "app:app"]
    ```

    ## Example: where the shell is needed

    Only a shell expands a variable, so the shell stays in the line, and `exec` replaces it.

    ```dockerfile
    FROM debian:12
    ENV PORT=80
    CMD cd /srv && gunicorn --bind :$PORT app:app
    ```

    ```text
    Dockerfile:3:5: PID101 sh stays PID 1 and keeps SIGTERM from gunicorn: docker stop waits 10 s, then kills it
    = hang
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    ENV PORT=80
    CMD cd /srv && exec gunicorn --bind :$PORT app:app
    ```

    ## When to ignore it

    A command that exits by itself (a migration, a one-off job) can be killed. `CMD exec app $X` is correct, and the
    rule does not report it.

    ## Fix safety

    Safe. A command of literal words becomes an array, which starts the same program with the same words. If the words
    need a shell, if a script may have no `#!` line, or if an ENTRYPOINT would see other arguments, the fix puts `exec`
    before the last command. Unsafe if the shell prints something after it or has started others beside it; a process
    substitution instead of a pipeline is also unsafe, and only for bash (see PID203). There is no fix if the shell has
    more work to do afterwards, or handlers for other signals.

    ## References

    - [Dockerfile reference: shell and exec form](https://docs.docker.com/reference/dockerfile/#shell-and-exec-form)
    """
    for path in launch.bad_paths:
        for link in path.links:
            command = launch.shell_form(link.shell)
            # Of a handler, the rules about handlers tell.
            if command is not None and not link.handles:
                yield Finding(
                    command.text.place(), launch.effect(link), _notes(link), _fix(launch, link), launch.severity(path)
                )
                return
    shell = launch.courtesy
    command = launch.shell_form(shell) if shell is not None else None
    if shell is not None and command is not None and launch.main is not None and launch.main.main is not None:
        message = f"{launch.main.main.program} is PID 1 only because {shell.dialect} execs its last command"
        yield Finding(command.text.place(), message, fix=_no_courtesy(launch, shell), severity=Severity.INFO)


def _notes(link: Link) -> tuple[Note, ...]:
    place = link.child.place
    if place is None or link.shell.script is None or place.text == link.shell.script.text.text:
        return ()
    return (Note(place, f"{link.child.program} is started here, as its child"),)


def _fix(launch: Launch, link: Link) -> Fix | None:
    if link.in_vain:
        return None
    array = _exec_form(launch, link.shell, link.child)
    if array is not None:
        return array
    main = link.path.main
    if link.traps_others:
        return None
    if link.child.start == "pipeline":
        return piped_to_substitution(link, "exec ") if main is not None and main.pid == link.child.pid else None
    return exec_in_front(link) or without_setsid(launch, link.child)


def _no_courtesy(launch: Launch, shell: Process) -> Fix | None:
    """What makes of the last command what the shell makes of it unasked."""
    child = shell.children[-1]
    made = insert_exec(child.call) if child.call is not None else None
    put = None if made is None else Fix(f"Put exec before {child.program}", made[0], Applicability.SAFE, made[1])
    return _exec_form(launch, shell, child) or put


def _exec_form(launch: Launch, shell: Process, child: Process) -> Fix | None:
    """The exec form, where every word is literal and neither ENTRYPOINT nor CMD would see a difference."""
    command = launch.shell_form(shell)
    literal = plain_argv(shell.script) if shell.script is not None else None
    if command is None or literal is None or shell.script is None:
        return None
    other = launch.image.cmd if command is launch.image.entrypoint else launch.image.entrypoint
    place = command.text.place()
    # A continuation or a comment in between would be lost.
    if other is not None or place.text != command.text.text or may_need_shell(literal[0][0], child):
        return None
    edit = Edit(place.source, place.span, json_array(literal[0]))
    return Fix("Write it in exec form", (edit,), Applicability.SAFE, (guard(shell.script, literal[1]),))
