from __future__ import annotations

import pickle

import pytest

from pid1lint.dockerfile.scanner import scan
from pid1lint.image.context import BuildContext
from pid1lint.image.model import Command, Image, build_image, final_stages, signal_name
from pid1lint.source import Source


def image(text: str, index: int = -1, **build_args: str) -> Image:
    dockerfile = scan(Source("Dockerfile", text))
    last = sum(instruction.keyword == "FROM" for instruction in dockerfile.instructions) - 1
    return build_image(dockerfile, last if index < 0 else index, BuildContext.of({}), build_args)


def argv(command: Command | None) -> list[str] | str | None:
    if command is None:
        return None
    return [word.text for word in command.words] if command.form == "exec" else command.text.text


def test_the_image_has_what_its_dockerfile_sets() -> None:
    found = image(
        "FROM debian:12\nENV PATH=/opt/bin:$PATH\nWORKDIR /app\nUSER app\nSTOPSIGNAL sigquit\n"
        'ENTRYPOINT ["e"]\nCMD c d\nRUN apt-get install -y tini\n'
    )
    assert argv(found.entrypoint) == ["e"]
    assert argv(found.cmd) == "c d"
    assert found.env["PATH"] == "/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert (found.workdir, found.user, found.env["HOME"], found.stop_signal) == ("/app", "app", "/home/app", "SIGQUIT")
    assert found.packages == {"tini"}
    assert found.base is not None
    assert (found.base_reference, found.base.family, found.windows) == ("debian:12", "debian", False)


def test_an_image_of_defaults() -> None:
    found = image("FROM scratch\n")
    assert (found.entrypoint, found.cmd, found.stop_signal, found.user) == (None, None, "SIGTERM", "")
    assert (found.workdir, found.env["HOME"], found.shell) == ("/", "/root", ("/bin/sh", "-c"))
    assert found.stop_signal_instruction is None


def test_the_base_image_gives_what_the_dockerfile_does_not() -> None:
    found = image("FROM postgres:16\n")
    assert argv(found.entrypoint) == ["docker-entrypoint.sh"]
    assert argv(found.cmd) == ["postgres"]
    assert found.stop_signal == "SIGINT"
    assert found.cmd is not None
    assert found.cmd.instruction is None
    assert found.cmd.source.path == "postgres:16 (base image)"
    assert found.cmd.words[0].place().text == "postgres"


def test_an_entrypoint_resets_the_base_images_cmd() -> None:
    found = image('FROM postgres:16\nENTRYPOINT ["e"]\n')
    assert (argv(found.entrypoint), argv(found.cmd)) == (["e"], None)


def test_a_cmd_leaves_the_base_images_entrypoint() -> None:
    found = image('FROM postgres:16 AS a\nCMD ["c"]\nFROM a\n')
    assert (argv(found.entrypoint), argv(found.cmd)) == (["docker-entrypoint.sh"], ["c"])
    assert found.base_reference == "postgres:16"


@pytest.mark.parametrize(
    ("text", "entrypoint", "cmd"),
    [
        pytest.param("ENTRYPOINT []", None, None, id="an empty ENTRYPOINT resets both"),
        pytest.param("CMD []", ["docker-entrypoint.sh"], None, id="an empty CMD resets itself"),
    ],
)
def test_empty_arrays_reset(text: str, entrypoint: list[str] | None, cmd: list[str] | None) -> None:
    found = image(f"FROM postgres:16\n{text}\n")
    assert (argv(found.entrypoint), argv(found.cmd)) == (entrypoint, cmd)


def test_the_shell_is_the_one_that_runs_the_command() -> None:
    found = image('FROM debian\nSHELL ["/bin/bash", "-c"]\nCMD a\nSHELL ["/bin/sh", "-ec"]\n')
    assert found.shell == ("/bin/bash", "-c")
    assert found.cmd is not None
    assert found.cmd.shell == ("/bin/bash", "-c")
    assert found.shell_instruction is not None
    assert found.shell_instruction.text.place().start.line == 2


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        pytest.param("FROM mcr.microsoft.com/windows/servercore:ltsc2022", True, id="servercore"),
        pytest.param("FROM mcr.microsoft.com/dotnet/runtime:8.0-nanoserver-1809", True, id="nanoserver tag"),
        pytest.param("FROM x AS a\nFROM --platform=windows/amd64 y", True, id="platform"),
        pytest.param('FROM x\nSHELL ["powershell", "-Command"]', True, id="PowerShell"),
        pytest.param('FROM x\nSHELL ["C:\\\\cmd.exe", "/C"]', True, id="cmd by its path"),
        pytest.param("# escape=`\nFROM x\nRUN dir C:\\app", True, id="backquote and a drive"),
        pytest.param("# escape=`\nFROM x\nRUN a", False, id="backquote alone"),
        pytest.param('FROM x\nSHELL ["pwsh", "-c"]', False, id="PowerShell on Linux"),
        pytest.param("FROM debian", False, id="Linux"),
    ],
)
def test_windows_images_are_recognised(text: str, windows: bool) -> None:
    assert image(text).windows is windows


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SIGTERM", "SIGTERM"),
        ("term", "SIGTERM"),
        ("15", "SIGTERM"),
        ("3", "SIGQUIT"),
        ("28", "SIGWINCH"),
        ("37", "SIGRTMIN+3"),
        ("RTMIN+3", "SIGRTMIN+3"),
        ("SIGFOO", "SIGFOO"),
        ("0", "0"),
    ],
)
def test_signal_names(text: str, name: str) -> None:
    assert signal_name(text) == name


@pytest.mark.parametrize(
    ("text", "target", "indexes"),
    [
        pytest.param("FROM a\nCMD x", None, (0,), id="one stage"),
        pytest.param("FROM a AS b\nRUN x\nFROM a\nCMD y", None, (1,), id="a builder"),
        pytest.param("FROM a AS b\nCMD x\nFROM a\nCOPY --from=b / /", None, (1,), id="a builder with a CMD"),
        pytest.param("FROM a AS dev\nCMD x\nFROM a AS prod\nCMD y", None, (1,), id="two targets"),
        pytest.param("FROM a\nCMD x\nFROM a\nCMD y", None, (1,), id="no name"),
        pytest.param("FROM a AS dev\nFROM a", "DEV", (0,), id="target by name"),
        pytest.param("FROM a AS dev\nFROM a", "1", (1,), id="target by number"),
        pytest.param("FROM a", "nope", (), id="no such target"),
        pytest.param("", None, (), id="no stage"),
    ],
)
def test_final_stages(text: str, target: str | None, indexes: tuple[int, ...]) -> None:
    assert final_stages(scan(Source("Dockerfile", text)), target) == indexes


def test_an_image_can_be_pickled() -> None:
    found = image("FROM postgres:16\nCOPY <<X /e\nx\nX\nRUN chmod +x /e\n")
    assert found.files.lookup("/e") is not None
    again = pickle.loads(pickle.dumps(found))
    assert argv(again.cmd) == ["postgres"]


def test_build_arguments_choose_the_base() -> None:
    assert image("ARG V=12\nFROM debian:$V\n", V="11").base_reference == "debian:11"
