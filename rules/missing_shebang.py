"""PID211: a script without a first line that names its interpreter."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, ImageFile, Launch, Note, Severity, Span, rule
from pid1lint.mend.reading import is_sound


@rule("PID211", Severity.ERROR)
def missing_shebang(launch: Launch) -> Iterator[Finding]:
    r"""The container does not start: the script has no `#!` line.

    ## Why is this bad?

    The kernel runs a script with the program that its first line names. Without that line it fails with `exec format
    error`. A shell that starts such a script reads it itself, so the script works when you try it by hand. But no shell
    starts the first process of a container.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    exec server
    ```

    ```text
    entrypoint.sh:1:1: PID211 the script has no #! line: the container does not start
    = fails
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    exec server
    ```

    ## Fix safety

    Safe: the script did not start. The fix adds `#!/bin/sh`, or `#!/bin/bash` if the script uses features that only
    bash has. A file that shells cannot read gets no fix: it may be written in another language.
    """
    for path in launch.paths:
        for start in path.starts:
            file = start.file
            if start.what != "shebang" or file is None or file.text is None:
                continue
            at = file.text.place(0, len(file.text.text.split("\n", 1)[0].rstrip("\r")))
            notes = (Note(start.place, "the container starts it here"),) if start.place is not None else ()
            yield Finding(at, "the script has no #! line: the container does not start", notes, _fix(file))
            return


def _fix(file: ImageFile) -> Fix | None:
    if file.text is None or not file.editable or not is_sound(file.text.text):
        return None
    text = file.text.text
    bash = any(sign in text for sign in ("[[ ", "((", "<(", "function ", "${BASH", "=("))
    line = f"#!/bin/{'bash' if bash else 'sh'}"
    at = file.text.offset(0)
    edit = Edit(file.text.source, Span(at, at), line + file.text.source.newline)
    return Fix(f"Begin with {line}", (edit,), Applicability.SAFE)
