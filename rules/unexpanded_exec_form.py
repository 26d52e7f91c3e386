"""PID105: what only a shell understands, in the exec form."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pid1lint import Applicability, Command, Edit, Excerpt, Finding, Fix, Launch, Note, Outcome, Process, Severity, rule
from pid1lint.frozen import NamedTuple
from pid1lint.mend.array import BUILTINS, json_array
from pid1lint.shell.ir import AndOr, Simple
from pid1lint.shell.parse import parse

if TYPE_CHECKING:
    from pid1lint.deployment import Words

_AFTER = frozenset(("&&", "||", "|", ";", "&"))
_REDIRECTS = r"[012]?(?:>>?|<)(?:&[012])?|&>>?|[012]>/dev/null"
_VARIABLE = r"\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*(?::?[-+?][^{}]*)?\}|\([^()]+\))"
_HOME = r"~(?:/|$)"
_GLOB = r"[\w./-]*\*[\w./*-]*"
_PLAIN = r"[\w./:=@%+,-]+"
_EXPANDED = r"(?:[\w./:=@%+,-]|\$\w+|\$\{\w+\})+|~/[\w./-]*|[\w./*-]+"
# They take text in a language of their own, expand variables by themselves, or hand their arguments to a shell.
_RUN_SCRIPTS = r"python[\d.]*|node|ruby|php|perl|bun|deno"
_EVALUATE = frozenset(("-c", "-e", "-E", "-r", "-p", "-pe", "-ne", "--eval", "--print", "eval"))
_INTERPRET = (
    r"[gmn]?awk|sed|perl|php|ruby|node|bun|deno|python[\d.]*|expr|test|\[|find|jq|psql|mysql|mongo(?:sh)?|envsubst|"
    r"cross-env|nginx|fluentd|rsync|.*\.(?:sh|bash)"
)
_TAKES_FILES = frozenset(("cat", "ls", "tail"))


@rule("PID105", Severity.WARNING)
def unexpanded_exec_form(launch: Launch) -> Iterator[Finding]:
    r"""The program gets `$PORT`, `&&` or `>` as plain text: the exec form has no shell.

    ## Why is this bad?

    `CMD ["server", "--port", "$PORT"]` starts the program with exactly these words. Docker expands nothing in an array,
    and there is no shell to do it: the server is told to listen on a port called `$PORT`. In `["migrate", "&&",
    "server"]`, `migrate` gets the arguments `&&` and `server`, and the server never starts. If the program's own name
    would have to be expanded, the container does not start at all.

    ## Example

    ```dockerfile
    FROM debian:12
    ENV PORT=80
    CMD ["server", "--port", "$PORT"]
    ```

    ```text
    Dockerfile:3:27: PID105 `$PORT` reaches server unexpanded: in exec form there is no shell
    = graceful
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    ENV PORT=80
    CMD ["sh", "-c", "exec server --port $PORT"]
    ```

    ## Example: two commands

    An ENTRYPOINT keeps the arguments of `docker run`: after the string they are the shell's `"$@"`.

    ```dockerfile
    FROM debian:12
    ENTRYPOINT ["migrate", "&&", "server", "--port", "80"]
    ```

    ```text
    Dockerfile:2:25: PID105 `&&` reaches migrate as an argument: in exec form no shell runs server after it
    = exits: when migrate does, or at once
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    ENTRYPOINT ["sh", "-c", "migrate && exec server --port 80 \"$@\"", "sh"]
    ```

    ## Example: the name of the program

    ```dockerfile
    FROM debian:12
    ENV APP_HOME=/opt/app
    CMD ["$APP_HOME/bin/server"]
    ```

    ```text
    Dockerfile:3:7: PID105 no program is called `$APP_HOME/bin/server`: in exec form there is no shell to expand it, and the container does not start
    = fails
    ```

    Use instead:

    ```dockerfile
    FROM debian:12
    ENV APP_HOME=/opt/app
    CMD ["sh", "-c", "exec $APP_HOME/bin/server"]
    ```

    ```text
    = graceful, not measured: the oracle has no server at a path that only a shell puts together
    ```

    ## In a deployment

    Compose splits a string in `command:` or `entrypoint:` into words; no shell reads it. Compose drops what comes
    after `&&`, `;`, `|` or `>` without a message: `command: migrate && server` runs `migrate` alone. The fix turns
    the string into a list that begins with a shell. Kubernetes expands `$(PORT)` in `command` and `args`, but not
    `$PORT`. If the container has no variable of that name, `envsubst` or another tool may put a value there, and the
    rule reports nothing.

    ## When to ignore it

    Some programs expand variables in their arguments themselves. The rule does not report the ones that it knows,
    programs that take a text in a language of their own (`awk`, `sed`, `psql`), or `${...}` inside an argument of Java,
    where Spring expands it. It reports a pattern like `*` and a leading `~` only if it knows that the program takes
    plain paths.

    ## Fix safety

    Unsafe: a shell expands the words and splits their values at spaces. There is no fix for a pipe, for `&` and `||`,
    for a CMD that is an ENTRYPOINT's arguments, or in an image without a shell.

    ## References

    - [Dockerfile reference: exec form](https://docs.docker.com/reference/dockerfile/#exec-form)
    """
    receivers = _receivers(launch)
    for command, words in _commands(launch):
        if words is not None and words.dropped is not None:
            yield _dropped(launch, command, words, words.dropped)
            continue
        form = _Form(command, _after(command.words), receivers)
        found = [(word, message) for word in command.words if (message := _problem(launch, form, word))]
        if found:
            word, message = found[0]
            notes = tuple(Note(other.place(), f"so does `{other.text}`") for other, _ in found[1:])
            never_runs = launch.outcome is Outcome.FAILS or (launch.outcome is Outcome.EXITS and word.text in _AFTER)
            severity = Severity.ERROR if never_runs else Severity.WARNING
            fix = _fix(launch, command) if words is None else _listed(launch, command, words)
            yield Finding(word.place(), message, notes, fix, severity)


def _commands(launch: Launch) -> Iterator[tuple[Command, Words | None]]:
    """The exec forms that are written here, with what a deployment's file has for them."""
    image, deployment = launch.image, launch.image.deployment
    override = deployment.override if deployment is not None else None
    own = (None, None) if override is None else (override.entrypoint, override.command)
    for command, words in zip((image.entrypoint, image.cmd), own, strict=True):
        if command is not None and (words is not None or command.instruction is not None) and command.form == "exec":
            yield command, words


def _dropped(launch: Launch, command: Command, words: Words, rest: Excerpt) -> Finding:
    """Compose ends a command at what only a shell understands."""
    operator = re.match(r"&&|\|\||\d*>>?|.", rest.text)
    assert operator is not None
    runs_more = re.match(r"(?:&&|\|\|?|;)\s*(?:exec\s+)?([\w./-]+)", rest.text)
    never = f": {runs_more[1]} is never started" if runs_more is not None else ""
    message = f"no shell reads this string: Compose drops it from `{operator.group()}` on{never}"
    severity = Severity.ERROR if launch.outcome in (Outcome.FAILS, Outcome.EXITS) else Severity.WARNING
    return Finding(rest.place(), message, fix=_listed(launch, command, words), severity=severity)


def _listed(launch: Launch, command: Command, words: Words) -> Fix | None:
    """A string of a deployment's file as a list that begins with a shell, which is what it was written for."""
    image = launch.image
    alone = image.entrypoint is None if command is image.cmd else image.cmd is None
    line = _with_exec(Excerpt(words.at.source, words.string, None, words.at.span.start)) if words.string else None
    if not alone or line is None or image.sh == "none":
        return None
    edit = Edit(words.at.source, words.at.span, json_array(["sh", "-c", line]))
    return Fix("Make it a list, for a shell that steps aside", (edit,), Applicability.UNSAFE)


def _with_exec(text: Excerpt) -> str | None:
    """A line with `exec` before its last command; None where that cannot be told."""
    script = parse(text)
    if script.damage or not script.body.items or any(item.background for item in script.body.items):
        return None
    last = script.body.items[-1].node
    while isinstance(last, AndOr):
        if last.op != "&&":
            return None
        last = last.right
    if not isinstance(last, Simple) or not last.words:
        return None
    name, at = last.words[0].literal, last.words[0].span.start
    if name in BUILTINS and name != "exec":
        return None
    return text.text if name == "exec" else f"{text.text[:at]}exec {text.text[at:]}"


class _Receiver(NamedTuple):
    """A program that gets arguments: where each stands for the first time, and what the script of its own begins at.

    `script` is the first argument that is no option, `evaluates` the first one that has a program follow; each is the
    number of arguments where there is none.
    """

    process: Process
    at: Mapping[str, int]
    script: int
    evaluates: int

    def is_for_script(self, text: str) -> bool:
        """Whether a word is an argument of the script that an interpreter runs: `manage.py runserver $PORT`."""
        runs_scripts = re.fullmatch(_RUN_SCRIPTS, self.process.program) is not None
        return runs_scripts and self.script < self.at[text] <= self.evaluates


def _receivers(launch: Launch) -> Sequence[_Receiver]:
    """The programs that get arguments as they are, in the order in which they start."""
    found = []
    tree = launch.tree
    for process in tree.walk() if tree is not None else ():
        runs_more = process.fact is not None and process.fact.kind == "runner"
        if process.kind not in ("app", "job") or runs_more:
            continue
        arguments = process.arguments
        at: dict[str, int] = {}
        for index in range(1, len(arguments)):
            at.setdefault(arguments[index], index)
        script = next((index for text, index in at.items() if not text.startswith("-")), len(arguments))
        evaluates = min((at[text] for text in _EVALUATE if text in at), default=len(arguments))
        found.append(_Receiver(process, at, script, evaluates))
    return found


def _after(words: Sequence[Excerpt]) -> Mapping[str, str]:
    """What comes after each of a shell's operators where it stands for the first time; empty at the end."""
    found: dict[str, str] = {}
    for at, word in enumerate(words):
        if word.text in _AFTER and word.text not in found:
            found[word.text] = words[at + 1].text if at + 1 < len(words) else ""
    return found


class _Form(NamedTuple):
    """An exec form, what comes `after` operators in it, and who gets its words."""

    command: Command
    after: Mapping[str, str]
    receivers: Sequence[_Receiver]


def _problem(launch: Launch, exec_form: _Form, word: Excerpt) -> str:
    """What becomes of a word that a shell would treat; empty if nothing does, or nobody can tell."""
    path = launch.main
    deployment = launch.image.deployment
    if deployment is not None and deployment.kind in ("kubernetes", "ecs") and _is_filled_in(launch, word.text):
        return ""
    form = "in exec form " if exec_form.command.instruction is not None else ""
    for start in path.starts if path is not None else ():
        if start.what == "unexpanded" and start.excerpts[:1] == (word,):
            end = "and the container does not start" if start.call is None else "and it does not start"
            if "$" in word.text or "~" in word.text:
                return f"no program is called `{word.text}`: {form}there is no shell to expand it, {end}"
            return f"`{word.text}` exists only inside a shell: {form}there is none, {end}"
    receiver = _receiver(exec_form.receivers, word)
    if receiver is None:
        return ""
    name = receiver.process.program
    if word.text in _AFTER:
        following = exec_form.after.get(word.text)
        rest = f"runs {following} after it" if following and word.text in ("&&", ";") else "reads it"
        return f"`{word.text}` reaches {name} as an argument: {form}no shell {rest}"
    if re.fullmatch(_REDIRECTS, word.text):
        return f"`{word.text}` reaches {name} as an argument: {form}no shell redirects anything"
    if _is_expanded(receiver, word.text):
        return f"`{word.text}` reaches {name} unexpanded: {form}there is no shell"
    return ""


def _is_filled_in(launch: Launch, text: str) -> bool:
    """Whether another program may put something in the place of a variable: Kustomize, envsubst."""
    names = re.findall(r"\$\{?([A-Za-z_]\w*)", text)
    return "$(" in text or (bool(names) and not any(name in launch.image.env for name in names))


def _receiver(receivers: Sequence[_Receiver], word: Excerpt) -> _Receiver | None:
    """The program that gets a word as one of its arguments, if it leaves such words alone."""
    for receiver in receivers:
        process = receiver.process
        if word.text not in receiver.at:
            continue
        if process.file is not None or process.script is not None:
            return None
        if re.fullmatch(_INTERPRET, process.program) and not receiver.is_for_script(word.text):
            return None
        return receiver
    return None


def _is_expanded(receiver: _Receiver, text: str) -> bool:
    """Whether a shell would put something else in a word's place."""
    process = receiver.process
    found = re.search(_VARIABLE, text)
    if found is not None:
        return process.program != "java" or not found.start() or not found.group().startswith("${")
    if len(text) > 2 and text.startswith("`") and text.endswith("`"):
        return True
    before = process.arguments[receiver.at[text] - 1]
    takes_files = process.program in _TAKES_FILES or (process.program == "java" and before == "-jar")
    # Many others look for files of a pattern, or for a home directory, by themselves.
    return takes_files and (re.match(_HOME, text) or re.fullmatch(_GLOB, text)) is not None


def _fix(launch: Launch, command: Command) -> Fix | None:
    image, instruction = launch.image, command.instruction
    if instruction is None or instruction.array is None or image.sh == "none":
        return None
    if command is image.cmd and image.entrypoint is not None:
        return None
    line = _line([word.text for word in command.words])
    if line is None:
        return None
    words = ["sh", "-c", line] if command is image.cmd else ["sh", "-c", f'{line} "$@"', "sh"]
    edit = Edit(command.source, instruction.array, json_array(words))
    return Fix("Let a shell expand it, then exec", (edit,), Applicability.UNSAFE)


def _line(words: list[str]) -> str | None:
    """The words as a shell is meant to read them, with `exec` before the last command."""
    written = [_written(word) for word in words]
    parts = [word for word in written if word is not None]
    if len(parts) < len(written):
        return None
    starts = [index + 1 for index, word in enumerate(words) if word in ("&&", ";")]
    if any(at >= len(words) or words[at] in _AFTER for at in starts) or any(w in ("||", "|", "&") for w in words):
        return None
    last = starts[-1] if starts else 0
    if words[last] == "exec":
        return " ".join(parts)
    return " ".join((*parts[:last], "exec", *parts[last:]))


def _written(word: str) -> str | None:
    """One word in a shell's text; None where it is not plain what is meant to be expanded in it."""
    if word in _AFTER or re.fullmatch(_REDIRECTS, word) or re.fullmatch(_PLAIN, word) or re.fullmatch(_EXPANDED, word):
        return word
    return None if any(char in word for char in "$`*?~") else shlex.quote(word)
