"""PID209: a main command that puts itself into the background."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import (
    Applicability,
    Call,
    Edit,
    Excerpt,
    Finding,
    Fix,
    Launch,
    Note,
    Outcome,
    Path,
    Place,
    Severity,
    Span,
    Started,
    rule,
)
from pid1lint.launch.shapes import goes_on
from pid1lint.mend.array import shell_words
from pid1lint.mend.command import guard


@rule("PID209", Severity.ERROR)
def daemonized_main(launch: Launch) -> Iterator[Finding]:
    r"""The container exits at once: its main command moves to the background.

    ## Why is this bad?

    A container lives as long as its first process. Many servers were written for init scripts: they start a copy of
    themselves in the background and return. In a container PID 1 then exits, and the kernel kills the server. If `tail
    -f` keeps the container running instead, nothing tells the server to stop, and if it crashes, the container keeps
    running without it.

    ## Example

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y nginx
    STOPSIGNAL SIGQUIT
    CMD ["nginx"]
    ```

    ```text
    Dockerfile:4:7: PID209 nginx puts itself into the background: the container exits at once
    = exits
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    RUN apt-get update && apt-get install -y nginx
    STOPSIGNAL SIGQUIT
    CMD ["nginx", "-g", "daemon off;"]
    ```

    ## When to ignore it

    A configuration file may keep the program in the foreground (`daemon off;`, `nodaemon=true`). pid1lint reads a file
    that the image or its script copies or writes. If it cannot see the file (a VOLUME, a download, another image), it
    reports nothing. If an interactive shell (`docker run -it`) or arguments of `docker run` are expected to follow,
    this is a warning.

    ## Fix safety

    Safe: the fix adds the program's own option for the foreground, where the program's name is written. `service app
    start` and similar commands have no such option, so there is no fix: start the server itself. There is also no fix
    if the script has more work to do afterwards: the server would keep it from that.
    """
    for path in launch.paths:
        start = _last_daemon(path)
        if start is None or start.place is None or (path is not launch.main and _is_for_set_up(launch, start)):
            continue
        severity = Severity.ERROR if path is launch.main and not path.lacks_command else Severity.WARNING
        at = _at(start)
        if path.outcome is Outcome.EXITS:
            message = f"{start.argument} puts itself into the background: the container exits at once"
            yield Finding(at, message, fix=_fix(launch, start), severity=severity)
            return
        if path.main is not None and path.main.helper and path.main.place is not None:
            message = f"{start.argument} puts itself into the background: nobody tells it to stop"
            notes = (Note(path.main.place, f"{path.main.program} holds the container"),)
            yield Finding(at, message, notes, severity=Severity.WARNING)
            return


def _last_daemon(path: Path) -> Started | None:
    """The daemon that the launch is there for: the last one, where no other app is started after it."""
    daemons = [start for start in path.starts if start.what == "daemon" and not _is_beside(start)]
    main = path.main
    if not daemons or (main is not None and not main.helper and main.start != "background"):
        return None
    if main is not None and main.start == "background" and main.program != daemons[-1].argument.rpartition("/")[2]:
        return None
    return daemons[-1]


def _is_for_set_up(launch: Launch, start: Started) -> bool:
    """Whether a path goes on to an app in the foreground from there: one that ends before is one that fails."""
    return any(
        path.main is not None
        and path.main.main
        and not path.main.helper
        and path.main.start != "background"
        and any(other.place == start.place for other in path.starts)
        for path in launch.paths
    )


def _is_beside(start: Started) -> bool:
    """Whether a script starts it for what comes after: a device manager, a log daemon."""
    return start.call is not None and start.fact is not None and start.fact.helper


def _at(start: Started) -> Place:
    assert start.place is not None
    first = start.excerpts[0] if start.excerpts else None
    if start.call is not None and (first is None or _is_named(start.call, start)):
        return start.call.command
    return first.place() if first is not None else start.place


def _is_named(call: Call, start: Started) -> bool:
    """Whether the program's name stands in the script's own text, not in what the script is given."""
    return call.words < len(call.node.words) and call.node.words[call.words].literal == start.argument


def _fix(launch: Launch, start: Started) -> Fix | None:
    recipe = start.fact.foreground if start.fact is not None else None
    if recipe is None or recipe.replace or recipe.argv:
        return None
    call = start.call
    if call is not None and (call.loop or call.function or goes_on(call.script, call.node)):
        return None  # in the foreground it would keep what comes after it from being done
    if call is not None and _is_named(call, start):
        return _in_shell(call, recipe.insert, recipe.append)
    if call is not None and any(excerpt is None or excerpt.quoting != "json" for excerpt in start.excerpts):
        return None
    first, last = (start.excerpts[0], start.excerpts[-1]) if start.excerpts else (None, None)
    source = launch.image.dockerfile.source
    if first is None or last is None or first.source is not source or last.source is not source:
        return None
    # What follows a word that stands in no array is no quote.
    if first.quoting != "json" or last.quoting != "json":
        return None
    edits = [_after(first, recipe.insert), _after(last, recipe.append)]
    return Fix("Keep it in the foreground", tuple(edit for edit in edits if edit.content), Applicability.SAFE)


def _after(word: Excerpt, added: tuple[str, ...]) -> Edit:
    at = word.offset(len(word.text)) + 1
    return Edit(word.source, Span(at, at), "".join(f', "{text}"' for text in added))


def _in_shell(call: Call, insert: tuple[str, ...], append: tuple[str, ...]) -> Fix | None:
    if not call.editable:
        return None
    text, words = call.script.text, call.node.words
    if text.quoting in ("word", "nested"):
        return None
    if text.quoting == "json" and any('"' in word or "'" in word or " " in word for word in (*insert, *append)):
        return None
    edits = []
    for word, added in ((words[call.words], insert), (words[-1], append)):
        at = text.offset(word.span.end - 1) + 1
        if added:
            edits.append(Edit(text.source, Span(at, at), " " + shell_words(added)))
    return Fix("Keep it in the foreground", tuple(edits), Applicability.SAFE, (guard(call.script, call.node),))
