"""PID309: an init that signals an app's workers behind its back."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Applicability, Edit, Finding, Fix, Launch, Outcome, Process, Severity, Span, rule


@rule("PID309", Severity.ERROR)
def group_init(launch: Launch) -> Iterator[Finding]:
    r"""`docker stop` kills unfinished tasks: the init signals the app's workers as well as the app.

    ## Why is this bad?

    dumb-init signals the whole session of its child, and `tini -g` signals the whole process group. A server with a
    pool of processes stops its workers itself, each after its current task. If the workers get the signal too, they
    exit at once and lose that task, and celery then waits for them until the grace period is over.

    ## Example

    ```dockerfile
    FROM python:3.12
    RUN apt-get update && apt-get install -y dumb-init && pip install celery
    ENTRYPOINT ["dumb-init", "--"]
    CMD ["celery", "-A", "tasks", "worker"]
    ```

    ```text
    Dockerfile:4:7: PID309 dumb-init signals the whole process group of celery, whose workers end on it, and celery waits for them: docker stop waits 10 s, then kills it
    = hang, not measured: the oracle has no celery
    ```

    Use instead:

    ```dockerfile
    FROM python:3.12
    RUN apt-get update && apt-get install -y dumb-init && pip install celery
    ENTRYPOINT ["dumb-init", "-c", "--"]
    CMD ["celery", "-A", "tasks", "worker"]
    ```

    ## When to ignore it

    Do not ignore it if a task must not be left half done. The rule does not report a pool without processes
    (`--pool=solo`, threads, gevent).

    ## Fix safety

    Unsafe: with `-c` dumb-init signals only its child, so other processes in the container are no longer told. For tini
    the fix removes `-g`, which has the same effect.

    ## References

    - [dumb-init: session behavior](https://github.com/Yelp/dumb-init#session-behavior)
    """
    for path in launch.bad_paths:
        one, main = path.pid1, path.main
        if one is None or main is None or main.place is None or one.kind != "init" or main.kind != "app":
            continue
        if path.outcome is not Outcome.HANG or main.fact is None or not main.fact.in_group:
            continue
        if main.reaction != "handles":
            continue
        at = main.call.command if main.call is not None else main.place
        yield Finding(at, path.why, fix=_fix(launch, one), severity=launch.severity(path))
        return


def _fix(launch: Launch, init: Process) -> Fix | None:
    """Have the init signal its child alone, where it stands in an array of the Dockerfile."""
    source = launch.image.dockerfile.source
    for command in (launch.image.entrypoint, launch.image.cmd):
        words = command.words if command is not None else ()
        for index, word in enumerate(words):
            if word.source is not source or word.text != init.argv[0]:
                continue
            if word.text.rpartition("/")[2] == "dumb-init":
                at = word.offset(len(word.text)) + 1
                return Fix("Make dumb-init signal only its child", (_insert(launch, at),), Applicability.UNSAFE)
            following = words[index + 1] if index + 1 < len(words) else None
            if following is not None and following.text == "-g":
                span = following.span(0, 2)
                edit = Edit(source, span._replace(start=span.start - 1, end=span.end + 1), "")
                return _without(launch, edit)
    return None


def _insert(launch: Launch, at: int) -> Edit:
    return Edit(launch.image.dockerfile.source, Span(at, at), ', "-c"')


def _without(launch: Launch, edit: Edit) -> Fix:
    """Take a word of an array away with the comma behind it."""
    text = edit.source.text
    end = edit.span.end
    while end < len(text) and text[end] in ", ":
        end += 1
    edit = Edit(edit.source, edit.span._replace(end=end), "")
    return Fix("Make tini signal only its child", (edit,), Applicability.UNSAFE)
