"""PID207: npm, yarn and their kin as the main process."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Excerpt, Finding, Fix, Launch, Path, Place, Process, Severity, Span, rule
from pid1lint.mend.array import json_array, literal_argv


@rule("PID207", Severity.ERROR)
def package_runner(launch: Launch) -> Iterator[Finding]:
    r"""npm, yarn or pnpm starts the app through a shell, and the stop signal does not reach it.

    ## Why is this bad?

    `npm start` runs the script of package.json with `/bin/sh -c`, and passes the stop signal to that shell. If /bin/sh
    is Debian's dash, the shell stays in front of the app and dies on the signal. npm exits, and the kernel kills the
    app at once. Busybox and bash exec a single command, and there it works. Some versions of npm (9.6.7 to 10.2.5) pass
    nothing on and hang; yarn 1 never waits for the app.

    ## Example

    ```dockerfile
    FROM node:20
    WORKDIR /app
    COPY package.json server.js ./
    CMD ["npm", "start"]
    ```

    ```json package.json
    {"scripts": {"start": "node server.js"}}
    ```

    ```js server.js
    process.on("SIGTERM", () => process.exit(0));
    setInterval(() => {}, 1000);
    ```

    ```text
    Dockerfile:4:7: PID207 npm starts node through sh, which dies on SIGTERM: the kernel kills node
    = abrupt
    ```

    Use instead:

    ```dockerfile
    FROM node:20
    WORKDIR /app
    COPY package.json server.js ./
    CMD ["node", "server.js"]
    ```

    ## When to ignore it

    Ignore it if nothing is lost when the app is killed. `"start": "exec node server.js"` in package.json is graceful
    with npm too, except for the versions named above.

    ## Fix safety

    Unsafe: the script's command replaces the runner, without the environment that the runner sets (`npm_*` variables,
    `node_modules/.bin` on PATH). There is a fix only if the script is one plain `node` command.
    """
    for path in launch.bad_paths:
        runner = path.runner
        main = path.main
        if runner is None or main is None or main is runner:
            continue
        if path.outcome.value == "hang":
            message = f"{runner.program} keeps {path.signal} from {main.program}: docker stop waits 10 s, then kills it"
        elif path.links:
            shell = path.links[-1].shell.interpreter
            message = f"{runner.program} starts {main.program} through {shell}, which dies on {path.signal}: "
            message += f"the kernel kills {main.program}"
        elif main.receives_stop and main.reaction == "default":
            continue  # it is not the runner that cuts it off: no-handler says so
        else:
            message = f"{runner.program} does not wait for {main.program}: the kernel kills it"
        yield Finding(_at(runner), message, fix=_fix(launch, path, runner), severity=launch.severity(path))
        return


def _at(process: Process) -> Place:
    place = process.call.command if process.call is not None else process.place
    assert place is not None
    return place


def _fix(launch: Launch, path: Path, runner: Process) -> Fix | None:
    """The script's own command in the place of the runner, where both are plain."""
    image = launch.image
    command = next((c for c in (image.entrypoint, image.cmd) if c is not None and _is_all(c.words, runner.argv)), None)
    shell = next((process for process in path.chain if process.kind == "shell" and process.form == "string"), None)
    if command is None or shell is None or shell.script is None or command.source is not image.dockerfile.source:
        return None
    literal = literal_argv(shell.script)
    if literal is None or literal[0][0] != "node":
        return None
    if runner.file is not None and runner.file.path.rpartition("/")[0] != image.workdir.rstrip("/"):
        return None  # it is run in another folder: that of the workspace's package
    first, last = command.words[0], command.words[-1]
    span = Span(first.offset(0) - 1, last.offset(len(last.text)) + 1)
    edit = Edit(command.source, span, json_array(literal[0])[1:-1])
    return Fix(f"Start {literal[0][0]} directly", (edit,), Applicability.UNSAFE)


def _is_all(words: tuple[Excerpt, ...], argv: tuple[str, ...]) -> bool:
    return tuple(word.text for word in words) == argv
