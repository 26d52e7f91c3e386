from __future__ import annotations

from collections.abc import Mapping

import pytest

from pid1lint.dockerfile.expand import UNKNOWN
from pid1lint.dockerfile.scanner import Dockerfile, scan
from pid1lint.dockerfile.stages import Stage, State, enter, find_stage, make_scope, replay, stages, steps
from pid1lint.dockerfile.variables import Variables
from pid1lint.source import Source


def read(text: str) -> Dockerfile:
    return scan(Source("Dockerfile", text))


def stages_of(text: str, **build_args: str) -> tuple[Stage, ...]:
    return stages(read(text), build_args)


def final_state(text: str, build_args: Mapping[str, str] | None = None) -> State:
    dockerfile = read(text)
    scope = make_scope(dockerfile, build_args or {})
    found = stages(dockerfile, build_args or {})

    def end(stage: Stage) -> State:
        start = (
            State(Variables({}), Variables({}), complete=True)
            if stage.parent is None
            else enter(end(found[stage.parent]))
        )
        return replay(steps(stage, found), start, scope)[1]

    return end(found[-1])


def test_stages_know_their_names_and_parents() -> None:
    found = stages_of("FROM a AS Base\nRUN x\nFROM base\nFROM --platform=$BUILDPLATFORM b as c\nFROM C")
    assert [(s.index, s.name, s.base, s.parent) for s in found] == [
        (0, "base", "a", None),
        (1, "", "base", 0),
        (2, "c", "b", None),
        (3, "", "C", 2),
    ]
    assert found[2].platform == "linux/amd64"
    assert [i.keyword for i in found[0].instructions] == ["RUN"]


@pytest.mark.parametrize(
    ("text", "image"),
    [
        pytest.param("ARG V=3\nFROM python:$V", "python:3", id="default"),
        pytest.param("ARG V=3\nARG W=${V}.1\nFROM python:${W}-slim", "python:3.1-slim", id="one by the other"),
        pytest.param("ARG V\nFROM python:${V:-3}", "python:3", id="default where it is used"),
        pytest.param("ARG V\nFROM python:$V", None, id="no default"),
        pytest.param('ARG V="3"\nFROM "python:$V"', "python:3", id="quotes"),
    ],
)
def test_the_image_of_a_stage_is_expanded(text: str, image: str | None) -> None:
    assert stages_of(text)[0].image == image


def test_a_build_argument_goes_before_the_default() -> None:
    assert stages_of("ARG V=3\nFROM python:$V", V="4")[0].image == "python:4"


def test_what_is_not_known_of_a_reference_is_marked() -> None:
    assert stages_of("ARG V\nFROM python:$V-slim")[0].reference == f"python:{UNKNOWN}-slim"


def test_a_stage_is_found_by_name_and_number() -> None:
    found = stages_of("FROM a AS x\nFROM b AS y\n")
    assert [find_stage(name, found) for name in ("X", "1", "2", "z")] == [0, 1, None, None]


@pytest.mark.parametrize(
    ("text", "env"),
    [
        pytest.param("ENV A=1 B='x y' C=a\\ b", {"A": "1", "B": "x y", "C": "a b"}, id="pairs"),
        pytest.param("ENV A some words here", {"A": "some words here"}, id="old form"),
        pytest.param("ENV A=1\nENV A=2 B=$A", {"A": "2", "B": "1"}, id="values before the instruction"),
        pytest.param("ARG V=1\nENV A=$V", {"A": "1"}, id="from an ARG"),
        pytest.param("ARG V\nENV A=x$V", {"A": "x" + UNKNOWN}, id="from an ARG without a default"),
        pytest.param("ARG HTTP_PROXY\nENV A=x$HTTP_PROXY", {"A": "x"}, id="proxies are mostly unset"),
        pytest.param("ENV A=1\nARG A=2\nENV B=$A", {"A": "1", "B": "1"}, id="ENV goes before ARG"),
    ],
)
def test_environment(text: str, env: dict[str, str]) -> None:
    assert final_state("FROM a\n" + text).env == env


def test_a_global_argument_must_be_taken_over() -> None:
    assert final_state("ARG V=1\nFROM a\nENV A=$V\nARG V\nENV B=$V").env == {"A": "", "B": "1"}


@pytest.mark.parametrize(
    ("text", "workdir"),
    [
        pytest.param("WORKDIR /a\nWORKDIR b/../c", "/a/c", id="relative"),
        pytest.param("ENV D=/x\nWORKDIR $D/y/", "/x/y", id="expanded"),
        pytest.param("WORKDIR //a", "/a", id="two slashes"),
    ],
)
def test_workdir(text: str, workdir: str) -> None:
    assert final_state("FROM a\n" + text).workdir == workdir


@pytest.mark.parametrize(
    ("text", "entrypoint", "cmd"),
    [
        pytest.param('CMD ["c"]\nENTRYPOINT ["e"]', "e", "c", id="CMD before ENTRYPOINT in one stage"),
        pytest.param('CMD ["c"]\nFROM a0\nENTRYPOINT ["e"]', "e", None, id="ENTRYPOINT resets an inherited CMD"),
        pytest.param('CMD ["c"]\nFROM a0\nCMD ["d"]\nENTRYPOINT ["e"]', "e", "d", id="but not the stage's own"),
        pytest.param('ENTRYPOINT ["e"]\nCMD ["c"]\nFROM a0', "e", "c", id="both inherited"),
        pytest.param('CMD ["c"]\nCMD ["d"]', None, "d", id="the last one counts"),
        pytest.param('ONBUILD CMD ["o"]\nFROM a0', None, "o", id="ONBUILD runs in the stage above"),
        pytest.param('ONBUILD CMD ["o"]', None, None, id="but not in its own"),
    ],
)
def test_entrypoint_and_cmd(text: str, entrypoint: str | None, cmd: str | None) -> None:
    state = final_state("FROM a AS a0\n" + text)
    found = [i.words[0].text if i is not None and i.words else None for i in (state.entrypoint, state.cmd)]
    assert found == [entrypoint, cmd]


def test_shell_counts_from_where_it_stands() -> None:
    state = final_state('FROM a\nCMD x\nSHELL ["/bin/bash", "-c"]\nENTRYPOINT y')
    assert state.cmd_shell == ("/bin/sh", "-c")
    assert state.entrypoint_shell == ("/bin/bash", "-c")


def test_user_and_stop_signal_know_who_set_them() -> None:
    state = final_state("FROM a\nARG U=app\nUSER $U\nSTOPSIGNAL SIGQUIT\nFROM a")
    assert (state.user, state.user_instruction) == ("", None)
    state = final_state("FROM a AS b\nARG U=app\nUSER $U\nSTOPSIGNAL SIGQUIT\nFROM b")
    assert (state.user, state.stop_signal) == ("app", "SIGQUIT")
    assert state.stop_signal_instruction is not None
    assert state.stop_signal_instruction.text.place().start.line == 4
