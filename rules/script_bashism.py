"""PID215: what only another shell understands, where it decides who lives."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, Launch, Outcome, Severity, Started, rule
from pid1lint.mend.reading import is_sound

_MEANING = {
    "wait -n": "`wait -n` is an error in {0}, and the script goes on without waiting",
    "&>": "{0} reads `&>` as `&` and `>`: the command runs in the background, and its output is not redirected",
    "process substitution": "{0} has no process substitution: the script ends here with a syntax error",
    "pipefail": "{0} has no option pipefail and exits here",
    "arrays": "{0} has no arrays: the script ends here with a syntax error",
}
_HARMED = (Outcome.HANG, Outcome.ABRUPT, Outcome.FAILS, Outcome.EXITS)


@rule("PID215", Severity.WARNING)
def script_bashism(launch: Launch) -> Iterator[Finding]:
    r"""The script is written for bash, and its actual shell reads an important line differently.

    ## Why is this bad?

    `#!/bin/sh` is dash in Debian and Ubuntu, and an old Busybox in old Alpine versions. Most of what they lack gives a
    plain error. Some of it decides which processes live. `wait -n` fails at once, so the script runs to its end while
    its children are still there. `app &> log` means `app &` and `> log`, so the app runs in the background. At a
    process substitution or an array the script exits, and in dash also at `set -o pipefail`.

    ## Example

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    exec server > >(tee /var/log/server.log)
    ```

    ```text
    entrypoint.sh:2:1: PID215 dash has no process substitution: the script ends here with a syntax error
    = fails
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/bash
    exec server > >(tee /var/log/server.log)
    ```

    ## Example: the background

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    set -e
    server &> /var/log/server.log
    ```

    ```text
    entrypoint.sh:3:1: PID215 dash reads `&>` as `&` and `>`: the command runs in the background, and its output is not redirected
    = exits
    ```

    ## Example: an option

    ```dockerfile
    FROM debian:12
    COPY entrypoint.sh /
    ENTRYPOINT ["/entrypoint.sh"]
    ```

    ```sh entrypoint.sh
    #!/bin/sh
    set -euo pipefail
    exec server
    ```

    ```text
    entrypoint.sh:2:1: PID215 dash has no option pipefail and exits here
    = fails
    ```

    Use instead:

    ```sh entrypoint.sh
    #!/bin/bash
    set -euo pipefail
    exec server
    ```

    ## When to ignore it

    The rule reports only what changes something for processes: other linters report the rest. If it is not known which
    shell `/bin/sh` is, the rule reports nothing.

    ## Fix safety

    Unsafe: the fix changes the first line to `#!/bin/bash`, if the image has bash. Another shell then reads the whole
    script. A script that also has a syntax error gets no fix.
    """
    seen = set()
    for path in launch.paths if launch.image.sh else ():
        for start in path.starts:
            if start.what != "bashism" or start.place is None or start.place in seen or not start.place.source.path:
                continue
            seen.add(start.place)
            message = _MEANING[start.argument].format(start.argv[0])
            sure = path is launch.main and path.outcome is launch.outcome and path.outcome in _HARMED
            severity = Severity.ERROR if sure else Severity.WARNING
            yield Finding(start.place, message, fix=_fix(launch, start), severity=severity)


def _fix(launch: Launch, start: Started) -> Fix | None:
    """Bash, if the image has it and the script asks for a plain sh."""
    file, base = start.file, launch.image.base
    if file is None or file.text is None or not file.editable or start.place is None:
        return None
    if start.place.source is not file.text.source or (base is not None and base.guessed):
        return None
    has_bash = "bash" in launch.image.packages or (base is not None and (base.sh == "bash" or "bash" in base.shells))
    first = file.text.text.split("\n", 1)[0].rstrip("\r")
    if not has_bash or first.strip() not in ("#!/bin/sh", "#! /bin/sh", "#!/usr/bin/sh", "#!/usr/bin/env sh"):
        return None
    if not is_sound(file.text.text):
        return None
    edit = Edit(file.text.source, file.text.span(0, len(first)), "#!/bin/bash")
    return Fix("Run it with bash", (edit,), Applicability.UNSAFE)
