"""What a command prints in a substitution, and what `test` finds, where the files tell."""

from __future__ import annotations

import re

from pid1lint.launch import values
from pid1lint.launch.lookup import Lookup
from pid1lint.launch.stack import Argv, Job
from pid1lint.launch.state import Shell
from pid1lint.launch.values import UNKNOWN
from pid1lint.launch.world import Proc, World
from pid1lint.numbers import is_number

_MOST_WORDS = 100
"""How long a test may be to be followed."""
_NUMBER = re.compile(r"-?\d{1,18}")


def test(lookup: Lookup, world: World, shell: Shell, words: list[str]) -> bool | None:
    """What `test` finds; None where the files do not tell."""
    if not words:
        return False
    if len(words) > _MOST_WORDS:
        return None
    for op, decisive in (("-o", True), ("-a", False)):
        if op in words[1:-1] and len(words) > 3:
            at = words.index(op, 1)
            left, right = test(lookup, world, shell, words[:at]), test(lookup, world, shell, words[at + 1 :])
            if left is decisive or right is decisive:
                return decisive
            return None if left is None or right is None else not decisive
    if words[0] == "!" and len(words) > 1:
        inner = test(lookup, world, shell, words[1:])
        return None if inner is None else not inner
    if len(words) == 1:
        return None if words[0] == UNKNOWN else words[0] != ""
    if len(words) == 2:
        return _unary(lookup, world, shell, words[0], words[1])
    if len(words) == 3:
        return _binary(words[0], words[1], words[2])
    return None


def _unary(lookup: Lookup, world: World, shell: Shell, op: str, word: str) -> bool | None:
    if op in ("-z", "-n"):
        if word == UNKNOWN:
            return None
        return (word == "") == (op == "-z")
    if op == "-t":
        return False
    process = re.fullmatch(r"/proc/(\d{1,9})(/.*)?", word)
    if process and op in ("-d", "-e", "-f", "-r"):
        found = world.procs.get(int(process[1]))
        return found is not None and found.alive
    if op in ("-f", "-e", "-x", "-s", "-r", "-d", "-L", "-h", "-w"):
        if UNKNOWN in word:
            return None
        if op in ("-f", "-e", "-s", "-r", "-x") and word:
            file = lookup.find(word if "/" in word else "./" + word, shell.env)
            if file is not None and (op != "-x" or file.executable is not False):
                return True
            if file is None and _is_the_program_asked_for(lookup, shell, word):
                return False
        return None
    if op == "-v":
        return shell.lookup(word).text is not None
    return None


def _is_the_program_asked_for(lookup: Lookup, shell: Shell, word: str) -> bool:
    """Whether a word is the first argument and a program's name: `CMD ["node"]` means no file of that name here."""
    first = shell.positional[0].value if shell.positional else ""
    return word == first and "/" not in word and lookup.program([word], shell.env) is not None


def _binary(left: str, op: str, right: str) -> bool | None:
    if op in ("=", "==", "!="):
        if values.known(left) and values.known(right):
            same: bool | None = left == right
        elif values.known(right) and not values.known(left):
            same = values.matches(right, left.replace("*", "\\*"))
            same = None if same else same
        else:
            same = None
        return same if same is None or op != "!=" else not same
    numbers = {"-eq": 0, "-ne": 1, "-lt": 2, "-le": 3, "-gt": 4, "-ge": 5}
    if op in numbers:
        if not _NUMBER.fullmatch(left) or not _NUMBER.fullmatch(right):
            return None if UNKNOWN in left + right else False
        a, b = int(left), int(right)
        return (a == b, a != b, a < b, a <= b, a > b, a >= b)[numbers[op]]
    return None


def output(lookup: Lookup, world: World, proc: Proc, shell: Shell, argv: Argv) -> str | None:
    """What a command prints in `$(...)`, where that can be told; UNKNOWN where it is a pure but unknown query."""
    name = argv[0].value.rpartition("/")[2]
    words = [word.value for word in argv[1:]]
    match name:
        case "echo":
            return " ".join(word for word in words if word not in ("-n", "-e")).strip()
        case "printf":
            return _printf(words)
        case "dirname":
            path = words[-1] if words else ""
            return (path.rpartition("/")[0] or ("/" if path.startswith("/") else ".")) if path else UNKNOWN
        case "basename":
            base = words[0].rstrip("/").rpartition("/")[2] if words else ""
            return base.removesuffix(words[1]) if len(words) > 1 else base
        case "pwd":
            return shell.workdir
        case "readlink" | "realpath":
            return words[-1] if words else UNKNOWN
        case "id":
            if words[:1] == ["-u"] and len(words) == 1:
                return shell.user_id
            return _user_name(lookup, shell) if words in (["-un"], ["-nu"], ["-u", "-n"]) else UNKNOWN
        case "whoami":
            return _user_name(lookup, shell)
        case "which" | "command" | "type":
            return f"{UNKNOWN}/{words[-1]}" if words else UNKNOWN
        case "jobs":
            if not shell.dialect.jobs_in_substitution:
                return ""
            if not shell.dialect.jobs_running and any("r" in word for word in words if word.startswith("-")):
                return ""
            return "\n".join(str(job.pids[0]) for job in shell.jobs if _is_listed(world, shell, job))
        case "pidof" | "pgrep":
            procs = by_name(world, proc, words[-1], full="-f" in words) if words else []
            return (" " if name == "pidof" else "\n").join(str(proc.pid) for proc in procs) or UNKNOWN
        case "cat" | "date" | "hostname" | "uname" | "nproc" | "mktemp" | "head" | "tail" | "grep" | "sed" | "awk":
            return UNKNOWN
    return None


def _printf(words: list[str]) -> str:
    """`printf` with no other format than `%s`, which takes one word after the other; without the last newline."""
    form = words[0].replace("\\n", "\n") if words else "%"
    if UNKNOWN in form or "\\" in form or form.replace("%s", "").count("%"):
        return UNKNOWN
    given, taken = words[1:], form.count("%s")
    if not taken:
        return form.rstrip("\n")
    rounds = [given[at : at + taken] for at in range(0, max(len(given), 1), taken)]
    filled = (form.replace("%s", "{}").format(*some, *[""] * (taken - len(some))) for some in rounds)
    return "".join(filled).rstrip("\n") if "{" not in form and "}" not in form else UNKNOWN


def _is_listed(world: World, shell: Shell, job: Job) -> bool:
    """Whether `jobs -p` names a job."""
    if world.any_lives(job.pids):
        return True
    if job.pid in shell.waited:
        return False
    if shell.dialect.lists_ended_jobs == "last":
        # Of one that a signal has killed bash has told already.
        return str(job.pid) == shell.last_job and world.procs[job.pid].status < 128
    return shell.dialect.lists_ended_jobs == "all"


def _user_name(lookup: Lookup, shell: Shell) -> str:
    """The name of the user that a shell runs as; which one a number has is not known."""
    if shell.user_id == "0":
        return "root"
    name = (shell.env.user or lookup.asked.user()).partition(":")[0]
    return UNKNOWN if not name or is_number(name) else name


def by_name(world: World, own: Proc, pattern: str, *, full: bool) -> list[Proc]:
    """The living processes that a program's name means, or with `full` any word of their command."""
    if UNKNOWN in pattern or pattern == "*":
        return [p for p in world.living() if p.long]
    return [
        p
        for p in world.living()
        if p.pid not in (1, own.pid)
        and p.stages
        and (pattern in p.stage.program or (full and any(pattern in word for word in p.stage.argv)))
    ]
