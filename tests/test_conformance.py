"""`make conformance` finds what another reader of Compose files has otherwise, and leaves a clone as it is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.conformance import __main__ as conformance
from tests.conformance.answers import differences
from tests.conformance.cases import cases

ROOT = Path(__file__).parents[1]
TEST = """\
package loader

func TestOfOurs(t *testing.T) {
	p := load(t, `
name: test
services:
  one:
    image: x
    command: {command}
    init: true
`)
	assert.DeepEqual(t, p.Services["one"].Command, types.ShellCommand{"a", "b c"})
	assert.Equal(t, *p.Services["one"].Init, true)
	assert.Assert(t, p.Services["one"].Entrypoint == nil)
}
"""
MERGE = """\
func TestMerge(t *testing.T) {
	assertMergeYaml(t, `
services:
  one: {environment: {A: 1}}
`, `
services:
  one: {environment: [B=2]}
`, `
services:
  one: {environment: [A=1, B=2]}
`)
}
"""


def clone(folder: Path, command: str = "a 'b c'") -> Path:
    """A folder that is laid out as a clone of compose-go is."""
    files = {
        "loader/one_test.go": TEST.replace("{command}", command),
        "override/merge_test.go": MERGE,
        "loader/testdata/compose.yaml": "services: \n  web: {image: x, env_file: web.env, stop_grace_period: 1m}\n",
        "loader/testdata/web.env": "A=1\n",
        "loader/testdata/other.yaml": "a: 1\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_every_way_in_which_a_clone_holds_cases_is_known(tmp_path: Path) -> None:
    found = {case.name: case for case in cases(clone(tmp_path))}
    assert list(found) == [
        "loader/testdata/compose.yaml",
        "loader/one_test.go TestOfOurs",
        "override/merge_test.go TestMerge",
    ]
    assert found["loader/one_test.go TestOfOurs"].expected == {
        ("one", "command"): ["a", "b c"],
        ("one", "init"): True,
        ("one", "entrypoint"): None,
    }


def test_what_is_read_as_it_should_be_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = clone(tmp_path)
    names = sorted(before.rglob("*"))
    assert conformance.main([str(before)]) == 0
    assert capsys.readouterr().out.split("\n")[:-1] == [
        "    3 applications read",
        "    3 services",
        "    3 values that a test of compose-go wants",
        "    1 merged services that a test of compose-go wants",
        "    0 differences that are decided",
        "    0 others",
    ]
    assert sorted(before.rglob("*")) == names


def test_what_a_test_wants_otherwise_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance.main([str(clone(tmp_path, "other"))]) == 1
    assert capsys.readouterr().out.endswith(
        "    1 others\nloader/one_test.go TestOfOurs: one: command: ['other'], not ['a', 'b c'] (compose-go)\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for podman-compose is a script")
def test_what_podman_compose_has_otherwise_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "podman-compose"
    said = "services: {web: {image: x, env_file: web.env, stop_grace_period: 60s, environment: {B: '1'}}, other: {}}"
    program.write_text(f"#!{sys.executable}\nimport sys\nif 'testdata' in __import__('os').getcwd(): print({said!r})\n")
    program.chmod(0o755)
    assert conformance.main([str(clone(tmp_path)), "--podman-compose", str(program)]) == 1
    assert capsys.readouterr().out.split("\n")[-3:-1] == [
        "loader/testdata/compose.yaml: web: environment B: None, not '1' (podman-compose)",
        "loader/testdata/compose.yaml: other: not read (podman-compose)",
    ]


@pytest.mark.parametrize(
    ("own", "other"),
    [
        pytest.param({"user": "2.50"}, {"user": 2.5}, id="a number"),
        pytest.param({"command": ["a", "\ufffc"]}, {"command": ["a", ""]}, id="what nobody knows"),
        pytest.param({}, {"init": False}, id="no init"),
        pytest.param({"environment A": "1"}, {"env_file": True}, id="a variable out of a file"),
    ],
)
def test_answers_may_be_spelled_otherwise(own: dict[str, object], other: dict[str, object]) -> None:
    assert list(differences(own, other)) == []


def test_compose_go_and_podman_compose_agree_with_us(capsys: pytest.CaptureFixture[str]) -> None:
    """The whole of a clone, where there is one."""
    folder, program = os.environ.get("PID1LINT_COMPOSE_GO"), ROOT / ".venv/podman-compose/bin/podman-compose"
    if not folder:
        pytest.skip("PID1LINT_COMPOSE_GO names no clone of compose-go")
    options = ["--podman-compose", str(program)] if program.exists() else []
    assert conformance.main([folder, *options]) == 0, capsys.readouterr().out
