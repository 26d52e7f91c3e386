"""Docker and Podman, by their command lines: what is started here is removed again, whatever happens."""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Any

from pid1lint.errors import Pid1lintError
from pid1lint.frozen import NamedTuple

KNOWN = ("docker", "podman")
_PREFIX = "pid1lint-prove-"
_GUARD = """
name=$1; shift
while read -r line; do [ "$line" = done ] && exit; done
for i in 1 2 3 4 5 6 7 8; do "$@" kill "$name"; "$@" rm --force --volumes "$name"; sleep 0.5; done >/dev/null 2>&1
"""
"""Removes the container when this process is gone, however it went: an engine that was starting it may be late."""
_BUILD_SECONDS = 1800
_SECONDS = 120


class EngineError(Pid1lintError):
    """There is no engine, or it could not do what it was asked for."""


class State(NamedTuple):
    """A container: `pid` is that of its PID 1 on the machine that the engine runs on, 0 if it has ended.

    `error` is what the engine says of one that it could not start; `health` is empty without a health check.
    """

    running: bool
    pid: int
    exit_code: int
    error: str = ""
    health: str = ""


class Engine:
    """One of the two, with the options that its command line is always given."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = tuple(command)
        self.name = os.path.basename(command[0])

    def call(
        self, *arguments: str, seconds: float = _SECONDS, cwd: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the engine in a process group of its own: Ctrl-C is for us, who then clean up."""
        try:
            return subprocess.run(
                [*self.command, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                cwd=cwd,
                check=False,
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            raise EngineError(f"{self.name} {arguments[0]} took more than {seconds:.0f} s") from None
        except OSError as error:
            raise EngineError(f"{self.name} cannot be started: {error.strerror}") from None

    def ask(self, *arguments: str, seconds: float = _SECONDS, cwd: str | None = None) -> str:
        """What the engine prints; `EngineError` with its last line if it fails."""
        done = self.call(*arguments, seconds=seconds, cwd=cwd)
        if done.returncode:
            raise EngineError(f"{self.name} {arguments[0]} fails: {last_line(done.stderr)}")
        return done.stdout

    def build(self, context: str, dockerfile: str, target: str | None, build_args: dict[str, str]) -> str:
        """Build an image, and give it a name that nobody else uses."""
        name = f"localhost/{_PREFIX}{secrets.token_hex(6)}"
        options = ["--target", target] if target else []
        for key, value in build_args.items():
            options += ["--build-arg", f"{key}={value}"]
        self.ask("build", "--quiet", "--tag", name, "--file", dockerfile, *options, context, seconds=_BUILD_SECONDS)
        return name

    def load(self, path: str) -> str:
        """Take an archive into the engine's store; its name there."""
        said = self.ask("load", "--input", path, seconds=_BUILD_SECONDS)
        found = re.findall(r"^Loaded image(?:\(s\)| ID)?: (\S+)", said, re.MULTILINE)
        if not found:
            raise EngineError(f"{self.name} load does not say what it has loaded from {path}")
        return str(found[-1].rstrip(","))

    def state(self, container: str) -> State:
        """What the engine says of a container."""
        found = json.loads(self.ask("inspect", "--type", "container", container))[0]["State"]
        health = found.get("Health") or found.get("Healthcheck") or {}
        return State(
            bool(found.get("Running")),
            int(found.get("Pid") or 0),
            int(found.get("ExitCode") or 0),
            str(found.get("Error") or ""),
            str(health.get("Status") or ""),
        )

    def config(self, image: str) -> dict[str, Any]:
        """An image's configuration, as the engine has it."""
        found: dict[str, Any] = json.loads(self.ask("inspect", "--type", "image", image))[0]
        return found

    def logs(self, container: str) -> str:
        """What a container has printed so far."""
        done = self.call("logs", container)
        return done.stdout + done.stderr

    def forget(self, image: str) -> None:
        """Remove an image that was built for a trial."""
        self.call("rmi", "--force", image)


def last_line(text: str) -> str:
    """The last line of what an engine says, which is the one that tells."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("Error: ") if lines else "it says nothing"


def find(wanted: str | None) -> Engine:
    """The engine: `wanted` is a name, or a command line that begins with one; else whichever is there.

    `EngineError` if there is none.
    """
    words = shlex.split(wanted) if wanted else []
    if words:
        if shutil.which(words[0]) is None:
            raise EngineError(f"--engine: {words[0]} is not installed")
        return Engine(words)
    for name in KNOWN:
        if shutil.which(name) is not None:
            engine = Engine([name])
            # A command line without its daemon is none.
            if (
                engine.call("version", "--format", "{{.Server.Version}}" if name == "docker" else "json").returncode
                == 0
            ):
                return engine
    raise EngineError("prove needs docker or podman, and neither is installed")


class Container:
    """A container for as long as a `with` lasts: then it is gone, also where this process is killed."""

    def __init__(self, engine: Engine, image: str, options: Sequence[str] = (), arguments: Sequence[str] = ()) -> None:
        self.engine = engine
        self.image = image
        self.options = tuple(options)
        self.arguments = tuple(arguments)
        self.name = _PREFIX + secrets.token_hex(6)
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Container:
        if shutil.which("sh") is None:
            # Windows: there it is Docker Desktop's container that is left where this process is killed.
            return self
        self._guard = subprocess.Popen(
            ["sh", "-c", _GUARD, "guard", self.name, *self.engine.command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # Podman's `rm --force` would wait for a graceful end.
        self.engine.call("kill", self.name)
        self.engine.call("rm", "--force", "--volumes", self.name)
        guard = self._guard
        if guard is None or guard.stdin is None:
            return
        if error is None:
            guard.stdin.write(b"done\n")
        # Else the engine may still be about to start it: the guard goes on for a while.
        guard.stdin.close()
        if error is None:
            guard.wait()

    def start(self) -> str:
        """Start it; what the engine says if it could not, else nothing."""
        done = self.engine.call("run", "--detach", "--name", self.name, *self.options, self.image, *self.arguments)
        return last_line(done.stderr) if done.returncode else ""

    def state(self) -> State:
        """What the engine says of it."""
        return self.engine.state(self.name)

    def stop(self, grace: float) -> subprocess.Popen[bytes]:
        """Begin to stop it: the stop signal, then SIGKILL after so many seconds."""
        return subprocess.Popen(
            [*self.engine.command, "stop", "-t", str(max(1, round(grace))), self.name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )


class Stopped(BaseException):
    """This process has been told to stop by a signal: what it has begun is cleaned up on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Interruptible:
    """While it lasts, INT and TERM raise `Stopped` once, also where this process is PID 1; later ones are ignored.

    In a thread that is not the main one it does nothing: signals are not for it.
    """

    def __enter__(self) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        numbers = (signal.SIGINT, signal.SIGTERM) if is_main else ()
        self._before = {number: signal.signal(number, self._stop) for number in numbers}

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, number: int, _: FrameType | None) -> None:
        for other in self._before:
            signal.signal(other, signal.SIG_IGN)
        raise Stopped(number)
