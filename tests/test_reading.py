"""Whatever a checked folder holds in place of a file that is read: it is not waited for, not large, and not outside."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pid1lint import files
from pid1lint.errors import UnreadableError

ROOT = Path(__file__).parents[1]
SECRET = "d2a1f3-secret"
DOCKERFILE = 'FROM debian:12\nCOPY . /\nCMD ["/run.sh"]\n'

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with something to find, and a secret beside it."""
    repo = tmp_path / "repo"
    (repo / ".git/info").mkdir(parents=True)
    (repo / "Dockerfile").write_text(DOCKERFILE)
    (repo / "run.sh").write_text("#!/bin/sh\njava -jar app.jar\n")
    (repo / "run.sh").chmod(0o755)
    (tmp_path / "secret").write_text(f"{SECRET} = {SECRET}\n")
    return repo


def check(folder: Path, *arguments: str, before: tuple[str, ...] = ()) -> Done:
    return call(folder, "check", *arguments, before=before)


def call(folder: Path, *arguments: str, before: tuple[str, ...] = ()) -> Done:
    """One call in a process of its own, which has a minute and 2 GB."""
    command = [*before, sys.executable, "-P", "-m", "pid1lint", *arguments]
    env = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}

    def limit() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (1 << 31, 1 << 31))

    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False, preexec_fn=limit
    )
    return Done(done.returncode, done.stdout, done.stderr)


READ = {
    "Dockerfile": (),
    "app.Dockerfile": (),
    "run.sh": (),
    ".dockerignore": (),
    "Dockerfile.dockerignore": (),
    ".gitignore": (),
    ".git/info/exclude": (),
    "pid1lint.toml": (),
    ".pid1lint.toml": (),
    "pyproject.toml": (),
    "mine.toml": ("--config", "mine.toml"),
    "known.json": ("--baseline", "known.json"),
    "list": ("--files-from", "list"),
}
"""What is read in place of a file's content, with what makes it be read."""


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 33)


def make_folder(path: Path) -> None:
    path.mkdir()


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


def make_nul(path: Path) -> None:
    path.write_bytes(b"FROM a\0\n")


def make_nothing(path: Path) -> None:
    path.symlink_to("nowhere")


@needs_pipes
@pytest.mark.parametrize("make", [make_pipe, make_device, make_huge, make_folder, make_loop, make_nul, make_nothing])
@pytest.mark.parametrize("name", READ)
def test_what_is_no_proper_file_is_told_in_one_line(repository: Path, name: str, make: Callable[[Path], None]) -> None:
    path = repository / name
    path.unlink(missing_ok=True)
    make(path)
    done = check(repository, "-f", "concise", *READ[name])
    assert done.code in (0, 1, 2)
    assert done.code != 2 or re.fullmatch(r"pid1lint: error: .*\n", done.err)
    assert "Traceback" not in done.err
    assert "internal error" not in done.err
    told = name in done.out or name in done.err
    # What is not there, or is a folder, needs no word; nor does what a build would not take.
    assert told or make in (make_folder, make_nothing, make_loop, make_nul) or name == "run.sh"


@pytest.mark.parametrize("name", READ)
def test_a_link_that_leads_out_is_not_read(repository: Path, name: str) -> None:
    (repository / name).unlink(missing_ok=True)
    (repository / name).symlink_to("../secret")
    done = check(repository, "-f", "text", "--select", "all", *READ[name])
    assert done.code in (0, 1, 2)
    assert SECRET not in done.out + done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("name", ["Dockerfile", "pid1lint.toml", ".dockerignore"])
def test_a_link_within_the_repository_is_read(repository: Path, name: str) -> None:
    (repository / "shared").write_text({"Dockerfile": "FROM debian:12\nRUNN\n"}.get(name, "{"))
    (repository / name).unlink(missing_ok=True)
    (repository / name).symlink_to("shared")
    done = check(repository, "-f", "concise", "Dockerfile")
    assert ("RUNN" in done.out) is (name == "Dockerfile")
    assert ("not valid TOML" in done.err) is (name == "pid1lint.toml")


NODE = 'FROM node:20\nWORKDIR /app\nCOPY . .\nCMD ["npm", "start"]\n'
PYTHON = 'FROM python:3\nCOPY . /app\nRUN pip install -r /app/requirements.txt\nCMD ["python", "/app/a.py"]\n'
BUILT = "FROM {} AS b\nWORKDIR /src\nCOPY . .\nRUN {}\nFROM debian:12\nCOPY --from=b /{} /a\nCMD {}\n"
GO = BUILT.format("golang:1", "go build -o /app .", "app", '["/a"]')
RUST = BUILT.format("rust:1", "cargo build --release", "src/target/release/a", '["/a"]')
NET = BUILT.format("mcr.microsoft.com/dotnet/sdk:8.0", "dotnet publish -o /o", "o", '["dotnet", "/a/a.dll"]')
JAVA = BUILT.format("maven:3", "mvn package", "src/target/a.jar", '["java", "-jar", "/a"]')
SCRIPT = 'FROM debian:12\nCOPY --chmod=755 e.sh lib.sh /\nCMD ["/e.sh"]\n'
SERVICE = "services: {a: {image: a, build: ., %s}}\n"
BESIDE = {
    "lib.sh": {"Dockerfile": SCRIPT, "e.sh": "#!/bin/sh\n. /lib.sh\nexec java\n"},
    "package.json": {"Dockerfile": NODE},
    "a.js": {"Dockerfile": NODE, "package.json": '{"scripts": {"start": "node a.js"}}'},
    "go.mod": {"Dockerfile": GO, "main.go": "package main\nfunc main() {}\n"},
    "main.go": {"Dockerfile": GO, "go.mod": "module a\n"},
    "Cargo.toml": {"Dockerfile": RUST, "src/main.rs": "fn main() {}\n"},
    "src/main.rs": {"Dockerfile": RUST, "Cargo.toml": "[package]\nname = 'a'\n"},
    "requirements.txt": {"Dockerfile": PYTHON, "a.py": "import flask\n"},
    "a.py": {"Dockerfile": PYTHON, "requirements.txt": "flask\n"},
    "a.csproj": {"Dockerfile": NET, "p.cs": "class P { static void Main() {} }\n"},
    "pom.xml": {"Dockerfile": JAVA, "src/main/java/A.java": "class A {}\n"},
    "compose.yaml": {"Dockerfile": SCRIPT},
    "compose.override.yaml": {"compose.yaml": SERVICE % "init: false"},
    "a.env": {"compose.yaml": SERVICE % "env_file: a.env, command: [$A]"},
    ".env": {"compose.yaml": SERVICE % "command: [$A]"},
    "other.yaml": {"compose.yaml": "services: {a: {extends: {file: other.yaml, service: a}}}\n"},
    "more.yaml": {"compose.yaml": "include: [more.yaml]\n" + SERVICE % "init: false"},
    "mounted.sh": {"compose.yaml": SERVICE % "entrypoint: /m.sh, volumes: ['./mounted.sh:/m.sh']"},
    "pod.yaml": {"Dockerfile": SCRIPT},
    "docker-bake.hcl": {"Dockerfile": SCRIPT},
    "docker-bake.json": {"Dockerfile": SCRIPT},
    "a.container": {"Dockerfile": SCRIPT},
    "a.build": {"a.container": "[Container]\nImage=a.build\nExec=b\n"},
    "taskdef.json": {"Dockerfile": SCRIPT},
    "skaffold.yaml": {"pod.yaml": "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, image: a}]}\n"},
}
"""What is read beside a Dockerfile, and in whose place, with what makes it be read."""


def make_secret(path: Path) -> None:
    outside = next(folder for folder in path.parents if (folder / "secret").exists())
    path.symlink_to(os.path.relpath(outside / "secret", path.parent))


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        # A socket's whole path would be too long.
        os.chdir(path.parent)
        listening.bind(path.name)


def make_empty_device(path: Path) -> None:
    path.symlink_to("/dev/null")


def make_bytes(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\xe9\n" * 20)


def make_wide(path: Path) -> None:
    path.write_text("\ufeffFROM debian:12\nservices: {a: {image: b}}\n", encoding="utf-16-le")


def make_empty(path: Path) -> None:
    path.write_bytes(b"")


@needs_pipes
@pytest.mark.parametrize(
    "make",
    [
        make_pipe,
        make_device,
        make_huge,
        make_folder,
        make_loop,
        make_nul,
        make_nothing,
        make_secret,
        make_socket,
        make_empty_device,
        make_bytes,
        make_wide,
        make_empty,
    ],
)
def test_what_is_read_beside_may_be_anything(
    repository: Path, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository.parent / "secret").write_text(f"services: {{a: {{image: a, entrypoint: sh -c '{SECRET} & wait'}}}}\n")
    for name, others in BESIDE.items():
        folder = repository / name.replace("/", "-")
        for other, text in others.items():
            (folder / other).parent.mkdir(parents=True, exist_ok=True)
            (folder / other).write_text(text)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(repository)
        make(folder / name)
    for command in (("check", "-f", "text", "--select", "all"), ("trace",)):
        done = call(repository, *command)
        assert done.code in (0, 1)
        assert "Traceback" not in done.err
        assert "internal error" not in done.err
        assert SECRET not in done.out + done.err
        assert "run.sh" in done.out


def opened(trace: Path) -> Iterator[Path]:
    for line in trace.read_text(errors="replace").splitlines():
        found = re.search(r'\b(?:open|openat|openat2|creat)\((?:[^,"]*, )?"([^"]*)"[^=]*= (-?\d+)', line)
        if found and int(found[2]) >= 0:
            yield Path(found[1])


@needs_strace
def test_nothing_outside_is_opened_and_nothing_is_run(repository: Path, tmp_path: Path) -> None:
    """strace sees which files are opened: the tool's own, Python's and the system's, and those of the repository."""
    for at, name in enumerate(name for name in READ if not READ[name] and not name.endswith(".toml")):
        folder = repository / f"case{at}"
        folder.mkdir()
        (folder / "Dockerfile").write_text(DOCKERFILE)
        (folder / Path(name).name).unlink(missing_ok=True)
        (folder / Path(name).name).symlink_to(tmp_path / "secret")
    (repository / "link").symlink_to(tmp_path)
    (repository / "Dockerfile").write_text('FROM debian:12\nCOPY link/secret ../secret /\nCMD ["/secret"]\n')
    trace = tmp_path / "trace"
    calls = "trace=open,openat,openat2,creat,execve,execveat,connect"
    before = ("strace", "-f", "-o", str(trace), "-e", calls)
    done = check(repository, "--select", "all", "--fix", "--unsafe-fixes", before=before)
    assert done.code == 1, done.err
    real = [(repository / path).resolve() for path in opened(trace)]
    assert repository / "Dockerfile" in real
    systems = map(Path, ("/dev", "/etc", "/lib", "/lib64", "/proc", "/usr"))
    ours = (repository, ROOT, Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve(), *systems)
    assert [path for path in real if not any(map(path.is_relative_to, ours))] == []
    text = trace.read_text(errors="replace")
    assert len(re.findall(r"\bexecve(?:at)?\(", text)) == 1
    assert not re.search(r"\bconnect\(.*AF_INET", text)


def test_modules_of_the_checked_folder_are_not_imported(repository: Path) -> None:
    for name in ("click", "json", "re", "typing", "tomllib", "dataclasses", "enum", "gc", "concurrent", "select"):
        (repository / f"{name}.py").write_text("raise SystemExit('imported from the checked folder')\n")
    env = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "pid1lint", "-f", "concise"]
    done = subprocess.run(command, cwd=repository, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert "PID201" in done.stdout


def test_a_glob_follows_no_link(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/Dockerfile").write_text(SECRET)
    (repository / "link").symlink_to("../elsewhere")
    (repository / "loop").symlink_to(".")
    done = check(repository, "-f", "concise", "**/Dockerfile")
    assert done.out.splitlines() == [line for line in done.out.splitlines() if line.startswith("run.sh:")]


def test_a_file_that_grows_while_it_is_read_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    assert files.read(str(path), limit=100) == b"x" * 100
    with pytest.raises(UnreadableError, match="is larger than"):
        files.read(str(path), limit=99)
    monkeypatch.setattr(os, "fstat", lambda _: os.stat_result((0o100644, 0, 0, 1, 0, 0, 10, 0, 0, 0)))
    with pytest.raises(UnreadableError, match="is larger than"):
        files.read(str(path), limit=99)


@pytest.mark.parametrize(
    "line", ["!", "\\", "a\\", "[z-a]", "[", "[a", "**", "***/", "/", "!/", "a[[:no:]]", "[!", "\\ ", "a**b"]
)
def test_a_pattern_that_says_nothing_is_no_error(repository: Path, line: str) -> None:
    (repository / ".gitignore").write_text(f"{line}\n")
    (repository / ".dockerignore").write_text(f"{line}\n")
    quoted = line.replace("\\", "\\\\")
    settings = f'exclude = ["{quoted}"]\n[per-file-ignores]\n"{quoted}" = ["PID1"]\n[context]\n"{quoted}" = "."\n'
    (repository / "pid1lint.toml").write_text(settings)
    done = check(repository, "-f", "concise")
    assert (done.code in (0, 1), done.err.count("\n") <= 1) == (True, True), done
    assert "error" not in done.err


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("select = " + "[" * 5000 + "]" * 5000, id="deep lists"),
        pytest.param("select = " + "{a=" * 5000 + "1" + "}" * 5000, id="deep tables"),
        pytest.param("x" + ".x" * 20_000 + " = 1", id="a key of many parts"),
        pytest.param("severity.x" + ".x" * 20_000 + " = 1", id="a table of many parts"),
        pytest.param("exclude = " + "9" * 5000, id="a number of many digits"),
        pytest.param("exclude = 1e999", id="a number that is none"),
        pytest.param("exclude = [2020-01-01]", id="a date"),
        pytest.param("[programs.a]\narguments = '" + "(" * 5000 + ")" * 5000 + "'", id="a deep expression"),
        pytest.param("[programs.a]\narguments = 'a{99999999999}'", id="an expression with a large number"),
        pytest.param("[programs.a]\narguments = '(?P<'", id="no expression"),
        pytest.param("[programs.a]\narguments = '[z-a]'", id="a bad range"),
        pytest.param("[programs.a]\narguments = '(a+)+$'", id="repeated repeats"),
        pytest.param("[programs.a]\narguments = '((x)(a*))*$'", id="repeats deep in what is repeated"),
        pytest.param("[programs.a]\narguments = 'a*a*a*a*b'", id="many repeats"),
        pytest.param("a = '\\ud800'", id="a lone surrogate"),
    ],
)
@pytest.mark.parametrize("name", ["pid1lint.toml", "pyproject.toml"])
def test_a_configuration_that_is_wrong_is_told_in_one_line(repository: Path, name: str, text: str) -> None:
    if name == "pyproject.toml":
        text = f"[tool.pid1lint]\n{text}".replace("[programs.a]", "[tool.pid1lint.programs.a]")
    (repository / name).write_text(text)
    done = check(repository)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done
    assert done.err.startswith(f"pid1lint: error: {name}")
    assert len(done.err) < 1000


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"version": ' + "1" * 5000 + "}", '{"version": 1, "findings": [' + "[" * 5000, "\ufeff{}", "1"],
)
def test_a_baseline_that_is_none_is_told_in_one_line(repository: Path, text: str) -> None:
    (repository / "known.json").write_text(text)
    done = check(repository, "--baseline", "known.json")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done


def test_a_file_with_nul_bytes_stops_no_other(repository: Path) -> None:
    (repository / "Dockerfile.bin").write_bytes(b"FROM debian\0\n")
    done = check(repository, "-f", "concise")
    assert done.code == 1
    assert "Dockerfile.bin:1:1: PID902 Dockerfile.bin is not text: it contains NUL bytes\n" in done.out
    assert "run.sh:2:1: PID201" in done.out
