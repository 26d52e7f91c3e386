"""All that is measured of one program: signals, an open request, orphans, and whether it goes to the background."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.factory.cell import Cell, Recipe, started
from tests.factory.measure import GENTLE, INIT, ORPHANS, SIGNALS, STOPPING, NotReadyError, Told, wait_until
from tests.factory.programs import Program
from tests.factory.roots import released

PATIENCE = 60.0
DEADLINE = 3.0
GRACE = 10.0
"""The time that `docker stop` gives."""
GENTLE_SECONDS = 0.8
LATER = 1.2
CLIENT = """
import socket, sys
with socket.socket() as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    s.settimeout(3)
    s.connect(("127.0.0.1", int(sys.argv[1])))
    s.sendall(f"GET {sys.argv[2]} HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n".encode())
    print("sent", flush=True)
    s.settimeout(8)
    data = s.recv(1024) if len(sys.argv[2]) > 1 else b""
    if data:
        # A slow reader: the answer is under way when the signal comes.
        sys.stdin.readline()
    size = 0
    while part := s.recv(1 << 16):
        size += len(part)
        data = (data + part)[:400]
sys.exit(0 if b" 200 " in data[:20] and (b"ok" in data or size > int(sys.argv[3])) else 1)
"""
"""One request, and whether it is answered in full."""
BEHIND = """
import http.server, time
class Slow(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(1.5)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
http.server.ThreadingHTTPServer(("127.0.0.1", 9999), Slow).serve_forever()
"""
"""A server for what forwards requests."""
WORK_BEGINS = 0.7
LARGE = 31 << 20
_ENVIRONMENT = {"CATALINA_BASE": "/ctb", "JAVA_HOME": "/usr/lib/jvm/default-java", "USER": "root"}


def measure(program: Program, lower: str) -> dict[str, Any]:
    """The row of a program; `NotReadyError` if it never comes up."""
    recipe = _recipe(program, program.argv, lower)
    row: dict[str, Any] = {
        "kind": program.kind,
        "package": program.packages[0],
        "version": released(lower, program.packages[0]),
        "command": " ".join(program.argv),
    }
    if not row["version"]:
        raise NotReadyError(f"{program.packages[0]} is not installed")
    told: dict[str, Told] = {}
    gentle = list(GENTLE)
    while gentle:
        with started(recipe) as cell:
            wait_until(cell, program.is_ready(), PATIENCE, 0.4)
            if "reaps" not in row:
                row["reaps"] = cell.zombies_of(ORPHANS) == 0
                if cell.ended:
                    row.update(reaps=False, orphans_end_it=True)
                    continue
            sent: list[str] = []
            while gentle and not (sent and told[sent[-1]].ends):
                sent.append(gentle.pop(0))
                told[sent[-1]] = _send(cell, sent[-1], GENTLE_SECONDS)
        if told[sent[-1]].ends and len(sent) > 1:
            # One that was sent before may have taken its time.
            told.update({name: _alone(program, recipe, name) for name in sent})
    told.update({name: _alone(program, recipe, name) for name in STOPPING})
    row["signals"] = {name: _as_row(told[name]) for name in SIGNALS}
    if program.path:
        for name in SIGNALS:
            if told[name].ends:
                row["signals"][name]["request"] = _request(program, recipe, name)
    with started(_recipe(program, (*INIT, *program.argv), lower)) as cell:
        wait_until(cell, program.is_ready(), PATIENCE, 0.4)
        # What the init itself does with the signal says nothing of how long to wait.
        row["below_init"] = _as_row(_send(cell, "TERM", GRACE))
    if program.plain:
        row["plain"] = " ".join(program.plain)
        row["daemonizes"] = _daemonizes(Recipe(program.plain, lower, _ENVIRONMENT))
    return row


def _recipe(program: Program, argv: tuple[str, ...], lower: str) -> Recipe:
    return Recipe(program.started(argv), lower, _ENVIRONMENT)


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
    if not ended and before is not None and before.of(name) == "caught":
        # It was told, and may be slow to end.
        ended = cell.ends_within(GRACE - DEADLINE if deadline == DEADLINE else LATER)
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
        with _server_behind(cell, program.forwards):
            client = cell.open([sys.executable, "-c", CLIENT, str(program.port), program.path, str(LARGE)])
            assert client.stdout is not None
            client.stdout.readline()
            time.sleep(WORK_BEGINS)
            if client.poll() is not None:
                raise NotReadyError(f"a request was not open for long: {client.stdout.read(300)!r}")
            cell.send(name)
            time.sleep(WORK_BEGINS)
            try:
                client.communicate(b"\n", 12)
                return "finished" if client.returncode == 0 else "lost"
            finally:
                client.kill()


@contextmanager
def _server_behind(cell: Cell, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    server = cell.open([sys.executable, "-c", BEHIND])
    while 9999 not in cell.listens() and server.poll() is None:
        time.sleep(0.05)
    # What looks after those behind it from time to time must have seen it.
    time.sleep(1)
    try:
        yield
    finally:
        server.kill()
        server.wait()


def _daemonizes(recipe: Recipe) -> bool | None:
    """Whether it returns and leaves a process behind: what comes after it in a shell still finds one."""
    # Not as a child of PID 1: exim takes that for being told to go on.
    inner = '("$@" >/dev/null 2>&1; echo "code $?") & wait $!'
    script = inner + '; sleep 0.7; set -- /proc/[0-9]*; echo "left $#"'
    shell = Recipe(("sh", "-c", script, "sh", *recipe.argv), recipe.lower, recipe.env)
    with started(shell) as cell:
        if not cell.ends_within(12):
            return False
        words = dict(line.split(" ", 1) for line in cell.output.splitlines() if line.startswith(("code ", "left ")))
        if words.get("code") != "0":
            return None
        # The shell itself is the one that is always there.
        return int(words.get("left", "0")) > 1
