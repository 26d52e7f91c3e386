"""PID212: a script with the line ends of Windows."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, ImageFile, Launch, Note, Severity, Span, rule
from pid1lint.mend.reading import is_readable


@rule("PID212", Severity.ERROR)
def crlf_script(launch: Launch) -> Iterator[Finding]:
    r"""The container does not start: the script has CRLF line ends, so the kernel does not find its interpreter.

    ## Why is this bad?

    The kernel takes the rest of the first line as the name of the interpreter. With a carriage return after
    `#!/bin/sh`, it looks for a program called `/bin/sh\r`, which does not exist. The container exits with the message
    `no such file or directory`, although the script is there. Git on Windows creates such files when it checks them
    out.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh eol=crlf
    #!/bin/sh
    exec server
    ```

    ```text
    entrypoint.sh:1:10: PID212 CRLF line ends: the interpreter `/bin/sh\r` is not found, and the container does not start
    = fails
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/sh
    exec server
    ```

    ## When to ignore it

    The rule reports nothing if the Dockerfile converts the line ends itself (`sed -i 's/\r$//'`, `dos2unix`). To keep
    Git from creating such files, add `*.sh text eol=lf` to `.gitattributes`.

    ## Fix safety

    Safe: the script did not start. Every CRLF becomes LF. A shell script that also has a syntax error gets no fix.
    """
    for path in launch.paths:
        for start in path.starts:
            file = start.file
            if start.what != "crlf" or file is None or file.text is None:
                continue
            first = file.text.text.split("\n", 1)[0]
            name = first[2:].strip().split(" ")[0]
            at = file.text.place(len(first) - 1, len(first))
            message = f"CRLF line ends: the interpreter `{name}\\r` is not found, and the container does not start"
            notes = (Note(start.place, "it is started here"),) if start.place is not None else ()
            severity = Severity.ERROR if path is launch.main else Severity.WARNING
            yield Finding(at, message, notes, _fix(file), severity)
            return


def _fix(file: ImageFile) -> Fix | None:
    if file.text is None or not file.editable or file.origin == "inline":
        return None
    text = file.text
    shell = text.text.partition("\n")[0].split("/")[-1].strip().endswith("sh")
    if shell and not is_readable(text.text.replace("\r\n", "\n")):
        return None
    at = [index for index in range(len(text.text) - 1) if text.text[index] == "\r" and text.text[index + 1] == "\n"]
    edits = tuple(Edit(text.source, Span(text.offset(index), text.offset(index) + 1), "") for index in at)
    return Fix("Change CRLF to LF", edits, Applicability.SAFE) if edits else None
