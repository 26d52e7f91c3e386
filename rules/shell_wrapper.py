"""PID102: a shell in exec form that stays in front of the app."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, Launch, Link, Severity, Span, rule
from pid1lint.mend.array import json_array, may_need_shell, plain_argv
from pid1lint.mend.command import exec_in_front, guard
from pid1lint.mend.launcher import without_setsid

_WRAPPERS = ("sh", "/bin/sh", "bash", "/bin/bash", "dash", "/bin/dash", "ash", "/bin/ash")


@rule("PID102", Severity.ERROR)
def shell_wrapper(launch: Launch) -> Iterator[Finding]:
    r"""`docker stop` kills the app: `["sh", "-c", "app"]` leaves a shell in front of it, as the shell form does.

    ## Why is this bad?

    An array looks like the exec form, but here it starts a shell again (`sh -c`, `bash -lc`, `/bin/sh -ec`, `env sh
    -c`, or one of these behind an init). Without `exec` in the string that shell may stay, and then it does not pass
    the stop signal on. As PID 1 it ignores the signal until `docker stop` kills everything after 10 s. Below an init it
    dies on the signal, and the kernel kills the app. See shell-form (PID101) for what each shell does.

    ## Example

    ```dockerfile
    FROM debian:12
    CMD ["sh", "-c", "server --port $PORT"]
    ```

    ```text
    Dockerfile:2:19: PID102 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it
    = hang
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    CMD ["sh", "-c", "exec server --port $PORT"]
    ```

    ## Example: nothing in it needs a shell

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini
    ENTRYPOINT ["tini", "--", "/bin/sh", "-c", "server --port 80"]
    ```

    ```text
    Dockerfile:3:45: PID102 tini ends with sh, which dies on SIGTERM: the kernel kills server
    = abrupt
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y tini
    ENTRYPOINT ["tini", "--", "server", "--port", "80"]
    ```

    ## When to ignore it

    Bash and Busybox exec a single command themselves, so the rule does not report `["bash", "-c", "server"]`.

    ## Fix safety

    Safe if the command is the last one in the string: then `exec` only saves a process. The fix removes the shell from
    a string of literal words that a plain `sh -c` runs. Unsafe if the shell prints something after the command. There
    is no fix if the shell has more work to do afterwards, because `exec` would prevent it.
    """
    for path in launch.bad_paths:
        for link in path.links:
            found = launch.shell_word(link.shell)
            # Of a pipeline, piped-main and exec-in-subshell tell, which know what could be written; of a handler,
            # the rules about handlers.
            if found is not None and link.child.start != "pipeline" and not link.handles:
                at = found[0].words[found[1]].place()
                yield Finding(at, launch.effect(link), fix=_fix(launch, link), severity=launch.severity(path))
                return


def _fix(launch: Launch, link: Link) -> Fix | None:
    call = link.child.call
    if link.in_vain:
        return None
    found = launch.shell_word(link.shell)
    if link.shell.call is not None and found is not None:
        return None  # a script hands the word to the shell, and may do more with it
    if call is None or link.child.start != "child" or call.loop or not call.editable:
        return None
    unwrapped = _unwrap(launch, link)
    if unwrapped is not None:
        return unwrapped
    return None if link.traps_others else exec_in_front(link) or without_setsid(launch, link.child)


def _unwrap(launch: Launch, link: Link) -> Fix | None:
    """Without the shell, where it is a plain `sh -c` around literal words and the string ends the array."""
    found, script = launch.shell_word(link.shell), link.shell.script
    literal = plain_argv(script) if script is not None else None
    if found is None or literal is None or script is None:
        return None
    command, index = found
    words = command.words
    if index < 2 or index != len(words) - 1 or words[index - 1].text != "-c" or words[index - 2].text not in _WRAPPERS:
        return None
    if command is launch.image.entrypoint and launch.image.cmd is not None:
        return None
    if any(word.quoting != "json" for word in words[index - 2 :]):
        return None  # in YAML a word may stand without quotes
    string = words[index]
    if string.source.text[string.offset(0) : string.offset(len(string.text))] != json_array([string.text])[2:-2]:
        return None  # a variable of Compose has a value that stands elsewhere
    if may_need_shell(literal[0][0], link.child):
        return None
    first, last = words[index - 2].place(), words[index].place()
    # The quotes around the first and the last word go with them.
    span = Span(first.span.start - 1, words[index].offset(len(words[index].text)) + 1)
    # A continuation or a comment in between would be lost.
    if "\n" in last.source.text[span.start : span.end]:
        return None
    edit = Edit(last.source, span, json_array(literal[0])[1:-1])
    return Fix("Start the program without the shell", (edit,), Applicability.SAFE, (guard(script, literal[1]),))
