"""All that is measured of one program: signals, an open request, orphans, and whether it goes to the background."""

from __future__ import annotations

import sys
import time
from typing import Any

from tests.factory.cell import Cell, Recipe, started
from tests.factory.measure import GENTLE, ORPHANS, SIGNALS, STOPPING, NotReadyError, Told, below_init, wait_until
from tests.factory.programs import Program
from tests.factory.roots import version_of

PATIENCE = 25.0
DEADLINE = 3.0
GRACE = 10.0
"""The time that `docker stop` gives."""
GENTLE_SECONDS = 0.8
CLIENT = (
    "import socket, sys\n"
    "s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 3)\n"
    "s.settimeout(8)\n"
    "s.sendall(b'GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n')\n"
    "data = b''\n"
    "while True:\n"
    "    part = s.recv(4096)\n"
    "    if not part: break\n"
    "    data += part\n"
    "sys.exit(0 if b' 200 ' in data[:20] and b'ok' in data else 1)\n"
)
"""One request, and whether it is answered in full."""
WORK_BEGINS = 0.5
_ENVIRONMENT = {"CATALINA_BASE": "/ctb", "JAVA_HOME": "/usr/lib/jvm/default-java", "USER": "root"}


def measure(program: Program, lower: str) -> dict[str, Any]:
    """The row of a program; `NotReadyError` if it never comes up."""
    recipe = Recipe(program.argv, lower, _ENVIRONMENT)
    row: dict[str, Any] = {
        "package": program.packages[0],
        "version": version_of(lower, program.packages[0]),
        "command": " ".join(program.argv),
    }
    told: dict[str, Told] = {}
    gentle = list(GENTLE)
    while gentle:
        with started(recipe) as cell:
            wait_until(cell, program.is_ready(), PATIENCE, 0.4)
            if "reaps" not in row:
                row["reaps"] = cell.zombies_of(ORPHANS) == 0
                if cell.ended:
                    raise NotReadyError(f"ended with {cell.code} while it was looked at")
            sent: list[str] = []
            while gentle and not (sent and told[sent[-1]].ends):
                sent.append(gentle.pop(0))
                told[sent[-1]] = _send(cell, sent[-1], GENTLE_SECONDS)
        if told[sent[-1]].ends and len(sent) > 1:
            # One that was sent before may have taken its time.
            told.update({name: _alone(program, recipe, name) for name in sent})
    told.update({name: _alone(program, recipe, name) for name in STOPPING})
    row["signals"] = {name: _as_row(told[name]) for name in SIGNALS}
    if program.answers:
        for name in STOPPING:
            if told[name].ends:
                row["signals"][name]["request"] = _request(program, recipe, name)
    with started(below_init(recipe)) as cell:
        wait_until(cell, program.is_ready(), PATIENCE, 0.4)
        row["below_init"] = _as_row(_send(cell, "TERM", DEADLINE))
    if program.plain:
        row["plain"] = " ".join(program.plain)
        row["daemonizes"] = _daemonizes(Recipe(program.plain, lower, _ENVIRONMENT))
    return row


def _alone(program: Program, recipe: Recipe, name: str) -> Told:
    """What a signal does to a program that has got no other."""
    with started(recipe) as cell:
        wait_until(cell, program.is_ready(), PATIENCE, 0.4)
        return _send(cell, name, DEADLINE)


def _send(cell: Cell, name: str, deadline: float) -> Told:
    before = cell.disposition()
    began = time.monotonic()
    cell.send(name)
    ended = cell.ends_within(deadline)
    if not ended and deadline == DEADLINE and before is not None and before.of(name) == "caught":
        # It was told, and may be slow to end.
        ended = cell.ends_within(GRACE - DEADLINE)
    seconds = round(time.monotonic() - began, 1)
    return Told(ended, cell.code if ended else -1, seconds, before.of(name) if before else "")


def _as_row(told: Told) -> dict[str, Any]:
    if told.ends:
        return {"ends": True, "code": told.code, "seconds": told.seconds, "set": told.set}
    return {"ends": False, "set": told.set}


def _request(program: Program, recipe: Recipe, name: str) -> str:
    """What becomes of a request that is being answered when the signal comes: `finished` or `lost`."""
    with started(recipe) as cell:
        wait_until(cell, program.is_ready(), PATIENCE, 0.6)
        client = cell.open([sys.executable, "-c", CLIENT, str(program.port)])
        time.sleep(WORK_BEGINS)
        cell.send(name)
        try:
            return "finished" if client.wait(10) == 0 else "lost"
        finally:
            client.kill()


def _daemonizes(recipe: Recipe) -> bool | None:
    """Whether it returns and leaves a process behind: what comes after it in a shell still finds one."""
    script = '"$@" >/dev/null 2>&1 & wait $!; echo "code $?"; sleep 0.7; set -- /proc/[0-9]*; echo "left $#"'
    shell = Recipe(("sh", "-c", script, "sh", *recipe.argv), recipe.lower, recipe.env)
    with started(shell) as cell:
        if not cell.ends_within(12):
            return False
        words = dict(line.split(" ", 1) for line in cell.output.splitlines() if line.startswith(("code ", "left ")))
        if words.get("code") != "0":
            return None
        # The shell itself is the one that is always there.
        return int(words.get("left", "0")) > 1
