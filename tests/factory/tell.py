"""Writes what was measured into the facts of programs, where those only believed, had it from documents, or nothing.

A row of the facts that was measured by hand stays: `tests/test_measured.py` tells where it is contradicted.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pid1lint.facts import data, launchers, programs
from tests.factory.written import read_table, write_list

Row = Mapping[str, Any]
SEVERAL = frozenset(
    ("python", "node", "ruby", "perl", "java", "php", "sh", "busybox", "setpriv", "env", "make", "git", "hg")
)
"""Names that stand for whatever they run, or for much else."""
_GO = 2
_BY_THE_FACTORY = "(make facts, "


def tell(only: Collection[str]) -> None:
    """Write the rows of all programs, or of some; print what is new."""
    entries: list[dict[str, Any]] = [dict(row) for row in data.read("programs")["programs"]]
    measured = read_table("measured", "programs")
    uses = Counter(id(_found(entries, *_called(row))) for row in measured.values())
    for name, row in measured.items():
        called, rest = _called(row)
        if (only and name not in only) or called in SEVERAL:
            continue
        entry = _found(entries, called, rest)
        if entry is None:
            entries += new_rows(called, row)
            print(f"new: {called}")
        elif uses[id(entry)] == 1 and (
            _BY_THE_FACTORY in entry["source"] or not entry["source"].startswith("measured")
        ):
            _update(entries, entry, called, row)
    write_list("programs", "programs", entries)


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


def new_rows(called: str, row: Row) -> Iterator[dict[str, Any]]:
    """The rows of a program that has none."""
    language = {"pip": "python", "npm": "node"}.get(row["package"].partition(":")[0], "")
    first: dict[str, Any] = {"names": called, **({"language": language} if language else {})}
    argv = argv_of(row["command"])
    fields = _measured_fields(row)
    if row.get("daemonizes"):
        plain = argv_of(row["plain"])
        kept = [word for word in argv if word not in plain and word.startswith("-")][:1]
        added = [word for word in plain if word not in argv and word.startswith("-")][:1]
        away = {key: value for key, value in fields.items() if key != "reaps"}
        if kept:
            pattern = f"(^| ){re.escape(kept[0])}( |$)"
            yield {**first, "arguments": pattern, "lifetime": "forever", **fields}
            yield {**first, "lifetime": "daemonizes", "foreground": {"append": kept}, **away}
            return
        if added:
            pattern = f"(^| ){re.escape(added[0])}( |$)"
            recipe: dict[str, dict[str, list[str]]] = {"replace": {added[0]: []}}
            yield {**first, "arguments": pattern, "lifetime": "daemonizes", "foreground": recipe, **away}
    command = argv[1] if argv[1:] and re.fullmatch("[a-z][a-z-]+", argv[1]) else ""
    arguments = {"arguments": f"^(-\\S+ )*{command}( |$)"} if command else {}
    yield {**first, **arguments, "lifetime": "long", **fields}


def _update(entries: list[dict[str, Any]], entry: dict[str, Any], called: str, row: Row) -> None:
    """Put what was measured into an entry; where it is one for several programs, into one of its own before it."""
    fields = _measured_fields(row)
    documents = re.search(r"documented: .*", entry["source"])
    if documents:
        fields["source"] += f"; {documents[0]}"
    told = entry.get("signals", {})
    known = dict(data.read("programs")["reactions"][told]) if isinstance(told, str) else told
    fields["signals"] = {**{key: known[key] for key in known if key not in row["signals"]}, **fields["signals"]}
    for key in known:
        # What ended with a code of its own keeps the word that its documents have for it.
        if (
            key in row["signals"]
            and key not in fields["signals"]
            and row["signals"][key]["ends"]
            and known[key] != "default"
        ):
            fields["signals"][key] = known[key]
    graceful = entry.get("graceful", "")
    if graceful and fields["signals"].get(graceful) == "handles":
        fields["graceful"] = graceful
    new = {**{key: value for key, value in entry.items() if key != "graceful"}, **fields}
    if json.dumps(new, sort_keys=True) == json.dumps(entry, sort_keys=True):
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
