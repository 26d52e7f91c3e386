r"""What people write into Dockerfiles and entrypoints, as a grammar to make up cases from.

The shapes are those of real entrypoints: a preparation, perhaps helpers in the background, then the program, started
in one of the many ways in which programs get started. Each choice is named in the case's tags. In the texts, `@` is
the program with its arguments.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple, TypeVar

from hypothesis import strategies as st

from tests.truth.case import ENTRYPOINT, Case

T = TypeVar("T")
Draw = st.DrawFn
# Where the program goes: an `@` that is not the shell's.
_PLACE = re.compile(r"(?<![$[])@")


class Kind(NamedTuple):
    """A shell with an image that has it: how scripts and `-c` strings name it."""

    name: str
    base: str
    shebangs: tuple[str, ...]
    strings: str
    is_bash: bool = False


KINDS = (
    Kind("dash", "debian:12", ("#!/bin/sh", "#!/bin/sh", "#!/bin/sh -e", "#!/usr/bin/env sh"), "sh"),
    Kind("bash", "debian:12", ("#!/bin/bash", "#!/usr/bin/env bash", "#!/bin/bash -e"), "bash", True),
    Kind("bash as sh", "fedora:40", ("#!/bin/sh",), "sh", True),
    Kind("busybox", "alpine:3.18", ("#!/bin/sh", "#!/bin/sh -e", "#!/bin/ash"), "sh"),
)

# ------------------------------------------------------------------ the program

PROGRAMS = (
    *("server", "server", "server --port 8080", "worker -c /etc/worker.conf", "gunicorn app:app"),
    *('server --name "$NAME"', "redis-server /etc/redis.conf", "node /server.js", "server ${OPTIONS:-}"),
)
LAUNCHERS = (
    *(("", ""),) * 9,
    ("gosu", "gosu app "),
    ("setpriv", "setpriv --reuid=1000 --clear-groups "),
    ("env", "env MODE=production "),
    ("nice", "nice -n 5 "),
    ("timeout", "timeout 3600 "),
    ("nohup", "nohup "),
    ("stdbuf", "stdbuf -oL "),
    ("setsid", "setsid "),
)
REDIRECTIONS = (*("",) * 8, " 2>&1", " > /tmp/log 2>&1", " >> /tmp/log", " < /dev/null")

# ---------------------------------------------------------------- the ways to start it

IN_FRONT = (
    ("plain", "@"),
    ("plain", "@"),
    ("exec", "exec @"),
    ("exec", "exec @"),
    ("exec", "exec @"),
    ("exec assignment", "exec MODE=production @"),
    ("assignment exec", "MODE=production exec @"),
    ("assignment", "MODE=production @"),
    ("cd and", "cd /tmp && @"),
    ("cd and exec", "cd /tmp && exec @"),
    ("exec or", "exec @ || exit 1"),
    ("or exit", "@ || exit 1"),
    ("or true", "@ || true"),
    ("and echo", "@ && echo done"),
    ("then exit status", "@\nexit $?"),
    ("then status", "@\nstatus=$?\necho ended with $status\nexit $status"),
    ("then echo", "@\necho stopped"),
    ("not", "! @"),
    ("if not", "if ! @; then\n  echo failed\n  exit 1\nfi"),
    ("if", "if @; then\n  echo fine\nfi"),
    ("subshell", "(@)"),
    ("subshell cd", "(cd /tmp && @)"),
    ("subshell exec", "(exec @)"),
    ("subshell cd exec", "(cd /tmp; exec @)"),
    ("group", "{ @; }"),
    ("group exec", "{ exec @; }"),
    ("group redirected", "{ exec @; } 2>&1"),
    ("pipe tee", "@ | tee /tmp/log"),
    ("pipe cat", "@ 2>&1 | cat"),
    ("exec pipe", "exec @ | tee /tmp/log"),
    ("pipe loop", '@ | while read -r line; do echo "> $line"; done'),
    ("eval", 'cmd="@"\neval "$cmd"'),
    ("eval exec", 'cmd="@"\neval "exec $cmd"'),
    ("exec variable", 'cmd="@"\nexec $cmd'),
    ("variable", 'cmd="@"\n$cmd'),
    ("command", "command @"),
    ("exec sh -c", "exec sh -c '@'"),
    ("exec sh -c exec", "exec sh -c 'exec @'"),
    ("sh -c", "sh -c '@'"),
    ("sh -c exec", "sh -c 'exec @'"),
    ("exec bash -c", "exec sh -c 'cd /tmp && @'"),
    ("set and exec", 'set -- @\nexec "$@"'),
    ("set and run", 'set -- @\n"$@"'),
    ("set front exec", 'set -- @ "$@"\nexec "$@"'),
    ("heredoc", "exec @ <<EOF\nport 8080\nEOF"),
    ("loop", "while true; do\n  @\n  sleep 1\ndone"),
    ("loop until", "until @; do\n  echo again\n  sleep 1\ndone"),
    ("loop exec", "while :; do\n  exec @\ndone"),
    ("for exec", "for mode in web; do\n  exec @ --mode $mode\ndone"),
    ("case", 'case "${MODE:-web}" in\n  web) exec @ ;;\n  shell) exec sh ;;\nesac'),
    ("case plain", 'case "${MODE:-web}" in\n  web) @ ;;\n  *) exit 1 ;;\nesac'),
    ("if default", 'if [ "${MODE:-web}" = web ]; then\n  exec @\nelse\n  echo no\n  exit 1\nfi'),
    ("if file", "if [ -x /setup.sh ]; then\n  echo set up\nfi\nexec @"),
    ("function", "start() {\n  @\n}\nstart"),
    ("function exec", "start() {\n  exec @\n}\nstart"),
    ("function arguments", 'run() {\n  echo "+ $*"\n  exec "$@"\n}\nrun @'),
    ("function run", 'run() {\n  echo "+ $*"\n  "$@"\n}\nrun @'),
    ("exec redirect first", "exec > /tmp/out 2>&1\nexec @"),
    ("exec tee first", "exec > /tmp/out\n@"),
    ("background alone", "@ &"),
    ("stopped temporary", "@ &\npid=$!\nsleep 0.5\nkill $pid\nwait $pid\nexec worker"),
)
BASH_ONLY = (
    ("exec process substitution", "exec @ > >(tee /tmp/log)"),
    ("exec redirect process substitution", "exec > >(tee /tmp/log) 2>&1\nexec @"),
    ("double bracket", "if [[ ${MODE:-web} == web ]]; then\n  exec @\nfi"),
    ("array", 'args=(@)\nexec "${args[@]}"'),
    ("array run", 'args=(@)\n"${args[@]}"'),
    ("exec -a", "exec -a app @"),
    ("function keyword", "function start {\n  exec @\n}\nstart"),
    ("time", "time @"),
)

# ----------------------------------------------------- in the background, with traps

JOBS = (
    ("job", "@ &"),
    ("job", "@ &"),
    ("job", "@ &"),
    ("job cd and", "cd /tmp && @ &"),
    ("job group", "{ @; } &"),
    ("job subshell", "(@) &"),
    ("job subshell two", "(cd /tmp; @) &"),
    ("job subshell exec", "(cd /tmp; exec @) &"),
    ("job exec", "exec @ &"),
    ("job function", "start() {\n  @\n}\nstart &"),
    ("job function two", "start() {\n  cd /tmp\n  @\n}\nstart &"),
    ("job pipe", "@ | tee /tmp/log &"),
    ("job loop", "while true; do @; sleep 1; done &"),
    ("job sh -c", "sh -c '@' &"),
)
PIDS = ("pid=$!", "pid=$!", "pid=$!", "pid=${!}", "", "echo $! > /tmp/pid", 'pids="$pids $!"')
SIGNALS = (
    *("TERM", "TERM", "TERM INT", "INT TERM", "SIGTERM", "SIGTERM SIGINT", "15", "TERM INT QUIT EXIT", "EXIT", "term"),
    *(
        "INT TERM EXIT",
        "EXIT TERM",
        "INT",
        "HUP INT QUIT TERM",
        "0 15",
        "QUIT TERM",
        "KILL",
        "SIGKILL SIGTERM",
        "ERR TERM",
    ),
)
ACTIONS = (
    *(
        "kill $pid",
        "kill $pid",
        "kill -TERM $pid",
        'kill "$pid"',
        "kill -15 $pid",
        "kill -s TERM $pid",
        "kill -SIGTERM $pid",
    ),
    *("kill $pid; wait $pid", "kill -TERM $pid; wait $pid", "kill $pid; wait", 'kill "$pid"; wait "$pid"; exit 0'),
    *(
        "kill -s TERM $pid; wait $pid; exit $?",
        "kill $pid && wait $pid",
        "kill $pid 2>/dev/null || true; wait $pid || true",
    ),
    *(
        "kill -INT $pid",
        "kill -INT $pid; wait $pid",
        "kill -QUIT $pid; wait $pid",
        "kill -KILL $pid",
        "kill -9 $pid; exit 1",
    ),
    *("exit 0", "exit", "exit 143", "echo stopping", ":", "", "echo stopping; exit 0", "sleep 1; exit 0"),
    *("kill 0", "kill 0; wait", "kill -- -$$", "kill -TERM -$$", "kill -TERM 0; wait", "trap - TERM; kill 0; wait"),
    *('trap "" TERM; kill 0; wait', "trap - TERM; kill $$", "trap - TERM && kill -- -$$", "kill -TERM -1; wait"),
    *(
        "kill %1",
        "kill %1; wait",
        "kill $(jobs -p)",
        "kill $(jobs -p); wait",
        "kill `jobs -p`; wait",
        "kill $(jobs -pr); wait",
    ),
    *(
        "jobs -p | xargs kill; wait",
        "pkill -P $$; wait",
        "pkill server; wait",
        "kill $(cat /tmp/pid); wait",
        "kill -TERM $pids; wait",
    ),
    *(
        "kill $pid; while kill -0 $pid 2>/dev/null; do sleep 1; done",
        "kill $pid; sleep 1",
        "kill $pid; sleep 1; exit 0",
    ),
    *("kill $!; wait $!", '[ -n "$pid" ] && kill $pid; wait $pid', "if kill -0 $pid; then kill $pid; wait $pid; fi"),
)
# How a trap's text gets to it: `!` is the action, `^` the signals.
QUOTES = (
    *(("single quotes", "trap '!' ^"),) * 4,
    ("double quotes", 'trap "!" ^'),
    ("trap function", "stop() {\n  !\n}\ntrap stop ^"),
    ("trap function", "stop() {\n  !\n}\ntrap stop ^"),
    ("trap quoted function", "cleanup() {\n  echo stopping\n  !\n}\ntrap 'cleanup' ^"),
)
RESETS = ("trap - TERM", "trap '' TERM", "trap '' INT", "trap - EXIT", "trap ':' TERM")
WAITS = (
    *(("wait", "wait"),) * 3,
    ("wait pid", "wait $pid"),
    ("wait pid", 'wait "$pid"'),
    ("wait last", "wait $!"),
    ("wait twice", "wait $pid\nwait $pid"),
    ("wait reset wait", "wait $pid\ntrap - TERM INT\nwait $pid"),
    ("wait status", "wait $pid\nstatus=$?\necho ended\nexit $status"),
    ("wait or true", "wait $pid || true"),
    ("wait or true twice", "wait $pid || true\nwait $pid"),
    ("wait -n", "wait -n"),
    ("wait -n status", "wait -n\nexit $?"),
    ("wait -n then kill", "wait -n\nkill $(jobs -p)\nwait"),
    ("wait job", "wait %1"),
    ("wait if", "if ! wait $pid; then\n  echo failed\nfi"),
    ("while kill -0", "while kill -0 $pid 2>/dev/null; do\n  sleep 1\ndone"),
    ("while kill -0 wait", "while kill -0 $pid 2>/dev/null; do\n  wait $pid\ndone"),
    ("until not kill -0", "until ! kill -0 $pid 2>/dev/null; do sleep 1; done"),
    ("while sleep", "while true; do sleep 1; done"),
    ("while sleep condition", "while sleep 1; do :; done"),
    ("while sleep wait", "while :; do\n  sleep 1 &\n  wait $!\ndone"),
    ("while wait", "while true; do\n  wait $pid\n  sleep 1\ndone"),
    ("tail", "tail -f /dev/null"),
    ("tail wait", "tail -f /dev/null & wait $!"),
    ("tail wait", "tail -f /dev/null &\nwait"),
    ("sleep infinity", "sleep infinity"),
    ("sleep infinity wait", "sleep infinity & wait"),
    ("exec tail", "exec tail -f /dev/null"),
    ("fg", "fg"),
    ("fg job", "fg %1"),
    ("foreground too", "worker"),
    ("exec too", "exec worker"),
    ("jobs loop", 'while [ -n "$(jobs -p)" ]; do sleep 1; done'),
)

# -------------------------------------------------------------------- before it

OPENINGS = ("set -e", "set -e", "set -eu", "set -m", "set -euo pipefail", "set -x", "# starts the server", "umask 022")
PREPARATIONS = (
    ("echo", 'echo "starting as $(id -un)"'),
    ("defaults", ': "${NAME:=web}" "${OPTIONS:=}"'),
    ("export", "export NAME=${NAME:-web} OPTIONS="),
    ("mkdir", "mkdir -p /tmp/data && chmod 700 /tmp/data"),
    ("heredoc file", "cat > /tmp/server.conf <<EOF\nname ${NAME:-web}\nEOF"),
    ("function log", 'log() { echo "[entrypoint] $*"; }\nlog starting'),
    ("if missing", "if [ ! -f /tmp/done ]; then\n  echo first start\n  touch /tmp/done\nfi"),
    ("if variable", 'if [ -n "${DEBUG:-}" ]; then\n  set -x\nfi'),
    ("if variable and", '[ -z "${DEBUG:-}" ] || set -x'),
    ("migrate", "python manage.py migrate"),
    ("wait for", "until pg_isready -h db; do\n  sleep 1\ndone"),
    ("hooks", 'for f in /docker-entrypoint.d/*.sh; do\n  [ -x "$f" ] && "$f"\ndone'),
    ("hooks sourced", 'for f in /docker-entrypoint.d/*.sh; do\n  . "$f"\ndone'),
    (
        "hooks case",
        'for f in /docker-entrypoint.d/*; do\n  case "$f" in\n    *.sh) . "$f" ;;\n'
        "    *) echo ignoring $f ;;\n  esac\ndone",
    ),
    ("sourced", ". /env.sh"),
    ("sourced if", "if [ -f /env.sh ]; then\n  . /env.sh\nfi"),
    ("drop root", 'if [ "$(id -u)" = 0 ]; then\n  echo root\nfi'),
    ("default argument", "if [ $# -eq 0 ]; then\n  set -- server\nfi"),
    ("option argument", 'if [ "${1#-}" != "$1" ]; then\n  set -- server "$@"\nfi'),
    ("first argument", 'if [ "$1" = server ]; then\n  echo serving\nfi'),
    ("case argument", 'case "$1" in\n  -*) set -- server "$@" ;;\n  bash|sh) exec "$@" ;;\nesac'),
    ("shift", '[ "$1" != run ] || shift'),
    ("sub script", "/env.sh"),
    ("temporary server", "mysqld --skip-networking &\ntmp=$!\nsleep 0.5\nkill $tmp\nwait $tmp || true"),
    ("ulimit", "ulimit -n 1024 || true"),
    ("trap", "trap 'echo stopping; exit 0' TERM"),
    ("trap exit", "trap 'rm -f /tmp/pid' EXIT"),
    ("trap ignore", "trap '' TERM"),
    ("trap colon", "trap : TERM INT"),
    ("trap err", "trap 'echo failed' ERR"),
)
HELPERS = (
    *("",) * 6,
    "cron -f &",
    "tail -F /tmp/log &",
    "(while true; do sleep 3600; done) &",
    "sleep 3600 &",
    "worker &",
    "mkfifo /tmp/fifo\ncat /tmp/fifo &",
)
# Around the end of a script: `~` is that.
WRAPS = (
    *(("", "~"),) * 12,
    ("in main", 'main() {\n~\n}\nmain "$@"'),
    ("in if", 'if [ "${MODE:-web}" = web ]; then\n~\nfi'),
    ("in case", 'case "${1:-server}" in\n  -h|--help) echo usage; exit 0 ;;\n  *)\n~\n  ;;\nesac'),
    ("in if argument", 'if [ "$1" = bash ]; then\n  exec "$@"\nfi\n~'),
    ("in group", "{\n~\n}"),
    ("in subshell", "(\n~\n)"),
    ("in else", 'if [ "${1:-}" = shell ]; then\n  exec sh\nelse\n~\nfi'),
)
NESTED = (
    ("nested exec", "exec /start.sh"),
    ("nested exec arguments", 'exec /start.sh "$@"'),
    ("nested", "/start.sh"),
    ("nested sh", "sh /start.sh"),
    ("nested exec sh", "exec sh /start.sh"),
    ("nested sourced", ". /start.sh"),
    ("nested job", "trap 'kill $pid; wait $pid' TERM\n/start.sh &\npid=$!\nwait $pid"),
)

INITS = (*(("",),) * 12, ("tini", "--"), ("tini", "-g", "--"), ("dumb-init", "--"), ("dumb-init",), ("tini",))
STOPS = (*("",) * 14, "SIGTERM", "SIGINT", "SIGINT", "SIGQUIT", "INT")


def _pick(draw: Draw, options: tuple[T, ...]) -> T:
    return draw(st.sampled_from(options))


def _tagged(draw: Draw, tags: list[str], options: tuple[tuple[str, str], ...]) -> str:
    tag, text = _pick(draw, options)
    if tag:
        tags.append(tag)
    return text


def _with_program(draw: Draw, tags: list[str], text: str) -> str:
    launcher = _tagged(draw, tags, LAUNCHERS)
    # In a variable the quotes would stay, and in another string there are no arguments.
    arguments = () if text.startswith("cmd=") or "sh -c '" in text else ('"$@"',) * 4
    program = _pick(draw, (*PROGRAMS, *arguments))
    if program == '"$@"':
        tags.append("arguments")
    command = launcher + program + _pick(draw, REDIRECTIONS)
    return _PLACE.sub(lambda _: command, text)


def _ways(kind: Kind, draw: Draw) -> tuple[tuple[str, str], ...]:
    # Others' syntax turns up under plain sh now and then.
    if kind.is_bash:
        return (*IN_FRONT, *BASH_ONLY)
    # Others read on where these are no syntax of theirs, or take another name for the program's.
    return (*IN_FRONT, *(way for way in BASH_ONLY if way[0] not in ("function keyword", "exec -a")))


def _foreground(draw: Draw, kind: Kind, tags: list[str]) -> list[str]:
    return [_with_program(draw, tags, _tagged(draw, tags, _ways(kind, draw)))]


def _background(draw: Draw, kind: Kind, tags: list[str]) -> list[str]:
    tags.append("background")
    job = _with_program(draw, tags, _tagged(draw, tags, JOBS))
    started = [job]
    if pid := _pick(draw, PIDS):
        started.append(pid)
    traps: list[str] = []
    for _ in range(_pick(draw, (0, 1, 1, 1, 1, 2))):
        form = _tagged(draw, tags, QUOTES)
        action = _pick(draw, ACTIONS)
        if "function" in tags[-1] and not action:
            action = ":"
        tags.append(f"action {action}" if len(action) < 24 else "action long")
        action = action.replace('"', '\\"') if "double" in tags[-2] else action
        traps.append(form.replace("!", action, 1).replace("^", _pick(draw, SIGNALS)))
    if draw(st.integers(0, 7)) == 0:
        tags.append("reset")
        traps.append(_pick(draw, RESETS))
    second = ["worker &"] if draw(st.integers(0, 7)) == 0 else []
    wait = _tagged(draw, tags, WAITS)
    if draw(st.booleans()):
        return [*traps, *started, *second, wait]
    return [*started, *second, *traps, wait]


def _ending(draw: Draw, kind: Kind, tags: list[str]) -> list[str]:
    shape = _pick(draw, (_foreground, _foreground, _background))
    return shape(draw, kind, tags)


def _wrapped(draw: Draw, tags: list[str], ending: list[str]) -> list[str]:
    wrap = _tagged(draw, tags, WRAPS)
    return ending if wrap == "~" else [wrap.replace("~", "\n".join(ending))]


@st.composite
def cases(draw: Draw) -> Case:
    """One image."""
    kind = _pick(draw, KINDS)
    return _script_case(draw, kind) if draw(st.integers(0, 3)) else _string_case(draw, kind)


def _script_case(draw: Draw, kind: Kind) -> Case:
    tags = ["script"]
    lines = [_pick(draw, OPENINGS)] if draw(st.booleans()) else []
    lines += [_tagged(draw, tags, PREPARATIONS) for _ in range(_pick(draw, (0, 0, 1, 1, 2, 3)))]
    if "u" in "".join(lines[:1]) and lines[0].startswith("set -e"):
        # Who says that no name may be unset has seen to it that none is.
        lines.append("pid= pids= NAME=${NAME:-web}")
    if helper := _pick(draw, HELPERS):
        tags.append("helper")
        lines.append(helper)
    others = {"docker-entrypoint.d/10-setup.sh": "#!/bin/sh\necho setting up\n", "env.sh": "#!/bin/sh\nNAME=web\n"}
    if draw(st.integers(0, 7)) == 0:
        nested = _wrapped(draw, tags, _ending(draw, kind, tags))
        others["start.sh"] = "\n".join((_pick(draw, kind.shebangs), *nested)) + "\n"
        ending = [_tagged(draw, tags, NESTED)]
    else:
        ending = _wrapped(draw, tags, _ending(draw, kind, tags))
    script = tuple(lines + ending)
    text = "\n".join((*script, *others.values()))
    kept = {name: body for name, body in others.items() if name.partition("/")[0] in text or name == "start.sh"}
    init = _init(draw, kind, tags)
    instructions = [f"ENTRYPOINT {json.dumps([*init, '/' + ENTRYPOINT])}"]
    if "$@" in text or "$1" in text or draw(st.integers(0, 4)) == 0:
        instructions.append(_pick(draw, ('CMD ["server"]', 'CMD ["server", "--port", "80"]', "CMD server --port 80")))
        if "CMD server" in instructions[-1]:
            tags.append("CMD in shell form")
    return _finished(draw, kind, tags, instructions, _pick(draw, kind.shebangs), script, kept)


def _string_case(draw: Draw, kind: Kind) -> Case:
    tags = ["string"]
    line = "; ".join(part.replace("\n", "; ") for part in _ending(draw, kind, tags))
    for odd, right in (
        ("; then;", "; then"),
        ("then;", "then"),
        ("do;", "do"),
        ("{;", "{"),
        (";;;", ";;"),
        ("in;", "in"),
    ):
        line = line.replace(odd, right)
    line = line.replace("&;", "&").replace("else;", "else")
    if "EOF" in line or "case" in line or '"$@"' in line:
        line = "exec server"
        tags[1:] = ["exec"]
    form = _pick(draw, ("CMD shell", "ENTRYPOINT shell", "CMD exec", "ENTRYPOINT exec"))
    tags.append(form)
    keyword, how = form.split()
    init = _init(draw, kind, tags) if how == "exec" else ()
    if how == "exec":
        instructions = [f"{keyword} {json.dumps([*init, kind.strings, '-c', line])}"]
    else:
        instructions = [f"{keyword} {line}"]
        if kind.name == "bash":
            instructions.insert(0, 'SHELL ["/bin/bash", "-c"]')
    return _finished(draw, kind, tags, instructions, "", (), {})


def _init(draw: Draw, kind: Kind, tags: list[str]) -> tuple[str, ...]:
    init = _pick(draw, INITS)
    if init == ("tini",) and kind.name == "busybox":
        # Alpine's takes no options behind the program; the one that stands in for it does.
        init = ("tini", "--")
    if init == ("",):
        return ()
    tags.append(" ".join(init))
    return init


def _finished(
    draw: Draw,
    kind: Kind,
    tags: list[str],
    instructions: list[str],
    shebang: str,
    script: tuple[str, ...],
    others: dict[str, str],
) -> Case:
    if stop := _pick(draw, STOPS):
        instructions.append(f"STOPSIGNAL {stop}")
        tags.append(f"STOPSIGNAL {stop.removeprefix('SIG')}")
    text = "\n".join((*script, *instructions, *others.values()))
    if "server.js" in text:
        others = {**others, "server.js": "listen()\n"}
    return Case(
        kind.name, kind.base, tuple(instructions), shebang, script, tuple(others.items()), tuple(dict.fromkeys(tags))
    )
