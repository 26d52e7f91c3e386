"""PID218: the arguments of a script, handed on without quotes."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Call, Edit, Finding, Fix, Launch, Severity, Word, rule
from pid1lint.mend.command import guard

_UNQUOTED = ("$@", "$*", "${@}", "${*}")


@rule("PID218", Severity.WARNING)
def unquoted_arguments(launch: Launch) -> Iterator[Finding]:
    r"""The program gets the wrong arguments: `exec $@` without quotes splits them at spaces.

    ## Why is this bad?

    Without quotes a shell splits the value of `$@` and `$*` at every space, and expands `*` and `?` in it as file name
    patterns. `CMD ["nginx", "-g", "daemon off;"]` becomes `nginx -g daemon off;`, four words: nginx refuses to start. A
    script that works today fails with the first `docker run IMAGE server --name "a b"`.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    CMD ["server", "--name", "my server"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    set -e
    exec $@
    ```

    ```text
    entrypoint.sh:3:6: PID218 $@ is not quoted: `my server` reaches server in pieces
    = graceful
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    set -e
    exec "$@"
    ```

    ## When to ignore it

    The rule does not report a script that gets a whole command line as one argument and relies on the split, or one
    that sets IFS.

    ## Fix safety

    Safe: arguments without spaces and patterns do not change, and the others arrive as they were given.
    """
    seen = set()
    for path in launch.paths:
        for process in reversed(path.chain):
            call = process.call
            word = _unquoted(call) if call is not None else None
            if call is None or word is None or call.anchor is not None or "IFS=" in call.script.text.text:
                continue
            at = call.script.place(word.span)
            given = [each.text for each in launch.image.cmd.words] if launch.image.cmd is not None else []
            if at in seen or any(" " in each for each in given[:1]):
                continue
            seen.add(at)
            torn = next((each for each in given if " " in each), None)
            what = f"`{torn}` reaches" if torn else "an argument with blanks in it reaches"
            message = f"{word.text} is not quoted: {what} {process.program} in pieces"
            yield Finding(at, message, fix=_fix(call, word))


def _unquoted(call: Call) -> Word | None:
    return next((word for word in call.node.words if word.text in _UNQUOTED), None)


def _fix(call: Call, word: Word) -> Fix | None:
    if not call.editable:
        return None
    place = call.script.place(word.span)
    quoted = call.script.text.written('"$@"')
    if quoted is None:
        return None
    edit = Edit(place.source, place.span, quoted)
    return Fix("Quote the arguments", (edit,), Applicability.SAFE, (guard(call.script, call.node),))
