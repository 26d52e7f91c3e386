"""What a program's file tells of it."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest

from pid1lint import linter
from pid1lint.image.binary import Binary, read
from pid1lint.image.context import DiskContext
from tests.conftest import cannot_measure

HEAD = "#include <signal.h>\n#include <unistd.h>\n#include <stdlib.h>\n#include <sys/signalfd.h>\n#include <dlfcn.h>\n"
PLAIN = "int main(void) { for (;;) pause(); }\n"
SETS = {
    "signal": "static void end(int n) { _exit(n); } int main(void) { signal(SIGTERM, end); for (;;) pause(); }\n",
    "sigaction": "int main(void) { struct sigaction a = {0}; sigaction(SIGTERM, &a, 0); for (;;) pause(); }\n",
    "signalfd": "int main(void) { sigset_t s; sigemptyset(&s); signalfd(-1, &s, 0); for (;;) pause(); }\n",
    "sigwait": "int main(void) { sigset_t s; int n; sigemptyset(&s); sigwait(&s, &n); return 0; }\n",
    "dlopen": 'int main(void) { return dlopen("x", RTLD_NOW) == 0; }\n',
    "syscall": "int main(void) { syscall(13, 15, 0, 0, 8); for (;;) pause(); }\n",
}
DOCKERFILE = 'FROM debian:12\nCOPY app /app\nCMD ["/app"]\n'


def compiled(tmp_path: Path, source: str, *options: str) -> Path:
    if shutil.which("gcc") is None:
        cannot_measure("gcc not installed here")
    (tmp_path / "app.c").write_text(HEAD + source)
    made = tmp_path / "app"
    subprocess.run(["gcc", *options, "-o", made, tmp_path / "app.c"], check=True)
    return made


def binary(file: Path) -> Binary:
    with file.open("rb") as opened:
        found = read(opened)
    assert found is not None
    return found


@pytest.mark.parametrize("options", [(), ("-s",)], ids=["plain", "stripped"])
def test_a_c_program_that_cannot_set_a_handler_has_none(options: tuple[str, ...], tmp_path: Path) -> None:
    found = binary(compiled(tmp_path, PLAIN, *options))
    assert (found.language, found.handles) == ("c", False)
    assert [found.reaction(signal) for signal in ("TERM", "INT", "WINCH", "KILL")] == ["default", "default", "", ""]


@pytest.mark.parametrize("options", [(), ("-static",)], ids=["dynamic", "static"])
@pytest.mark.parametrize("call", SETS)
def test_one_that_may_set_a_handler_is_not_judged(call: str, options: tuple[str, ...], tmp_path: Path) -> None:
    found = binary(compiled(tmp_path, SETS[call], *options))
    assert found.handles is None
    assert found.reaction("TERM") == ""


def test_a_static_program_is_not_judged(tmp_path: Path) -> None:
    # All of the C library's own uses of sigaction are in it.
    assert binary(compiled(tmp_path, PLAIN, "-static")).handles is None


def test_the_loader_is_that_which_the_kernel_starts(tmp_path: Path) -> None:
    dynamic, static = binary(compiled(tmp_path, PLAIN)), binary(compiled(tmp_path, PLAIN, "-static"))
    assert dynamic.loader.startswith("/lib")
    assert static.loader == ""
    assert dynamic.machine == static.machine != ""


GO = (
    'package main\nimport ("os"; "os/signal"; "time")\n'
    "func main() {{ {body}; _ = os.Args; _ = signal.Stop; time.Sleep(1) }}\n"
)


@pytest.mark.parametrize(
    ("body", "handles"),
    [
        pytest.param("_ = 0", False, id="none"),
        pytest.param("c := make(chan os.Signal, 1); signal.Notify(c)", None, id="Notify"),
    ],
)
@pytest.mark.parametrize("options", [(), ("-ldflags=-s -w",)], ids=["plain", "stripped"])
def test_a_go_program_without_notify_drops_its_work(
    body: str, handles: bool | None, options: tuple[str, ...], tmp_path: Path
) -> None:
    if shutil.which("go") is None:
        pytest.skip("go not installed here")
    (tmp_path / "main.go").write_text(GO.format(body=body))
    subprocess.run(["go", "build", *options, "-o", "app", "main.go"], cwd=tmp_path, check=True)
    found = binary(tmp_path / "app")
    assert (found.language, found.handles) == ("go", handles)
    assert found.reaction("TERM") == ("drops" if handles is False else "")


@pytest.mark.parametrize("options", [(), ("-Cstrip=symbols",)], ids=["plain", "stripped"])
def test_a_rust_program_is_known(options: tuple[str, ...], tmp_path: Path) -> None:
    if shutil.which("rustc") is None:
        pytest.skip("rustc not installed here")
    (tmp_path / "main.rs").write_text('fn main() { println!("up"); std::thread::park(); }\n')
    subprocess.run(["rustc", "-O", *options, "-o", "app", "main.rs"], cwd=tmp_path, check=True)
    found = binary(tmp_path / "app")
    assert (found.language, found.handles, found.reaction("TERM")) == ("rust", False, "default")


def test_a_runtime_that_handles_signals_is_told_by_its_marks() -> None:
    assert Binary("dotnet", "", "amd64", handles=True).reaction("TERM") == "handles"


@pytest.mark.parametrize("data", [b"", b"\x7fEL", b"#!/bin/sh\n"], ids=["empty", "short", "script"])
def test_what_is_no_program_tells_nothing(data: bytes) -> None:
    assert read(io.BytesIO(data)) is None


@pytest.mark.parametrize("length", [4, 20, 64, 700])
def test_a_damaged_program_is_one_of_which_nothing_is_known(length: int, tmp_path: Path) -> None:
    data = compiled(tmp_path, PLAIN).read_bytes()[:length]
    assert read(io.BytesIO(data)) == Binary("", "", "", None)


def test_a_program_of_the_build_context_is_read(tmp_path: Path) -> None:
    compiled(tmp_path, PLAIN)
    (launch,) = linter.trace(DOCKERFILE, DiskContext(str(tmp_path)))
    assert launch.outcome.value == "hang"


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        pytest.param("FROM debian:12", "", id="Debian"),
        pytest.param("FROM alpine:3.20", "/app needs {loader}, which is not in the image", id="Alpine"),
        pytest.param("FROM alpine:3.20\nRUN apk add --no-cache gcompat", "", id="Alpine with gcompat"),
        pytest.param("FROM alpine:3.20\nCOPY lib{loader} {loader}", "", id="Alpine with a copy"),
        pytest.param("FROM scratch", "/app needs {loader}, which is not in the image", id="scratch"),
        pytest.param("FROM example.com/own", "", id="an unknown base"),
    ],
)
def test_a_loader_that_the_base_lacks_is_told(base: str, reason: str, tmp_path: Path) -> None:
    loader = binary(compiled(tmp_path, PLAIN)).loader
    text = DOCKERFILE.replace("FROM debian:12", base.format(loader=loader))
    (launch,) = linter.trace(text, DiskContext(str(tmp_path)))
    assert launch.image.cannot_start("/app") == reason.format(loader=loader)
