"""Programs that the cases run, compiled here: what each does on a signal is plain from its few lines."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

_GO = 'package main\nimport ("fmt"; "time")\nfunc main() { fmt.Println("up"); for { time.Sleep(time.Hour) } }\n'
_GO_NOTIFIES = (
    'package main\nimport ("fmt"; "os"; "os/signal"; "syscall")\nfunc main() {\n'
    'c := make(chan os.Signal, 1)\nsignal.Notify(c, syscall.SIGTERM)\nfmt.Println("up")\n<-c\n}\n'
)
_RUST = 'fn main() { println!("up"); loop { std::thread::sleep(std::time::Duration::from_secs(3600)); } }\n'
_C = "#include <unistd.h>\nint main(void) { for (;;) pause(); }\n"
_C_HANDLES = (
    "#include <signal.h>\n#include <unistd.h>\nstatic void end(int number) { (void)number; _exit(0); }\n"
    "int main(void) { signal(SIGTERM, end); for (;;) pause(); }\n"
)
_JAVA = (
    "public class Main { public static void main(String[] a) throws Exception {"
    ' System.out.println("up"); Thread.sleep(1000000000L); } }\n'
)


def compiled(name: str, work: Path) -> bytes:
    """A program's file; `LookupError` if its compiler is not here."""
    made = work / name
    if not made.exists():
        work.mkdir(parents=True, exist_ok=True)
        _MAKERS[name](made)
    return made.read_bytes()


def _run(*command: str | Path, cwd: Path) -> None:
    if shutil.which(str(command[0])) is None:
        raise LookupError(f"{command[0]} not installed here")
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LookupError(f"{command[0]} fails here: {done.stderr[-200:]}")


def _written(made: Path, suffix: str, text: str) -> Path:
    folder = made.parent / f"{made.name}.source"
    folder.mkdir(exist_ok=True)
    source = folder / f"main{suffix}"
    source.write_text(text)
    return source


def _go(text: str) -> Callable[[Path], None]:
    return lambda made: _run("go", "build", "-o", made, _written(made, ".go", text), cwd=made.parent)


def _rust(made: Path) -> None:
    _run("rustc", "-O", "-o", made, _written(made, ".rs", _RUST), cwd=made.parent)


def _c(text: str, *options: str) -> Callable[[Path], None]:
    return lambda made: _run("gcc", "-O1", *options, "-o", made, _written(made, ".c", text), cwd=made.parent)


def _jar(made: Path) -> None:
    source = _written(made, ".java", _JAVA)
    source = source.rename(source.with_name("Main.java"))
    _run("javac", "--release", "11", "-d", source.parent, source, cwd=source.parent)
    _run("jar", "--create", "--file", made, "--main-class", "Main", "Main.class", cwd=source.parent)


_MAKERS: dict[str, Callable[[Path], None]] = {
    "go-plain": _go(_GO),
    "go-notifies": _go(_GO_NOTIFIES),
    "rust-plain": _rust,
    "c-plain": _c(_C),
    "c-handles": _c(_C_HANDLES),
    "c-handles-static": _c(_C_HANDLES, "-static"),
    "app.jar": _jar,
}
