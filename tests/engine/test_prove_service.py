"""`pid1lint prove compose.yaml SERVICE`: what `run` is told of a service, and what podman then makes of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pid1lint import cli
from pid1lint.check import Options
from pid1lint.errors import Pid1lintError
from pid1lint.prove.engine import Engine, EngineError
from pid1lint.prove.service import running, service_of
from tests.engine import podman
from tests.engine.test_prove import context, left_behind

__all__ = ["context"]

COMPOSE = """\
services:
  web:
    build: .
    entrypoint: [/run.sh]
    stop_grace_period: 2s
  worker:
    build: .
    entrypoint: [sh, -c, '/app; echo bye']
    init: true
  mended:
    build: .
    entrypoint: []
    command: /app
    stop_signal: SIGTERM
  mounted:
    build: .
    volumes: ['./other.sh:/run.sh']
"""


class Deaf(Engine):
    """An engine that builds nothing and notes what it was asked for."""

    def __init__(self) -> None:
        super().__init__(["podman"])
        self.built: list[tuple[str, str, str | None, dict[str, str]]] = []

    def build(self, context: str, dockerfile: str, target: str | None, build_args: dict[str, str]) -> str:
        self.built.append((context, dockerfile, target, build_args))
        return "built"

    def forget(self, image: str) -> None:
        """There is nothing to forget."""


def told(body: str, tmp_path: Path, **files: str) -> tuple[tuple[str, ...], str, tuple[str, ...], Deaf]:
    (tmp_path / ".git").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    indented = "".join(f"    {line}\n" for line in body.strip().split("\n"))
    (tmp_path / "compose.yaml").write_text(f"services:\n  web:\n{indented}")
    engine = Deaf()
    with running(service_of(str(tmp_path / "compose.yaml"), "", Options()), engine) as how:
        return (*how, engine)


def test_what_a_service_says_becomes_options_of_run(tmp_path: Path) -> None:
    body = (
        "image: team/app:1\ninit: true\nstop_signal: SIGQUIT\nuser: '1000'\nworking_dir: /srv\ntty: true\n"
        "environment: {MODE: production, KEY: $SECRET}\ntmpfs: /run\nvolumes: ['./conf:/etc/app', 'data:/data']\n"
        "command: app --port 80"
    )
    (tmp_path / "conf").mkdir()
    options, image, arguments, _ = told(body, tmp_path)
    assert image == "team/app:1"
    assert arguments == ("app", "--port", "80")
    assert options == (
        *("--init", "--stop-signal", "SIGQUIT", "--user", "1000", "--workdir", "/srv", "--interactive", "--tty"),
        *("--env", "MODE=production"),
        *("--volume", f"{tmp_path}/conf:/etc/app", "--tmpfs", "/run"),
    )


def test_an_entrypoint_keeps_its_arguments_in_front_of_the_command(tmp_path: Path) -> None:
    options, image, arguments, engine = told(
        "build: {context: ., dockerfile: Dockerfile.web, target: run, args: {MODE: test}}\n"
        "entrypoint: [tini, --, app]\ncommand: [serve]",
        tmp_path,
        **{"Dockerfile.web": "FROM debian:12 AS run\n"},
    )
    assert (options, image, arguments) == (("--entrypoint", "tini"), "built", ("--", "app", "serve"))
    assert engine.built == [(f"{tmp_path}/", f"{tmp_path}/Dockerfile.web", "run", {"MODE": "test"})]


def test_an_emptied_entrypoint_leaves_the_command_alone(tmp_path: Path) -> None:
    options, _, arguments, _ = told("image: app\nentrypoint: []\ncommand: [serve]", tmp_path)
    assert (options, arguments) == (("--entrypoint", ""), ("serve",))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("image: app\npid: host", "service web shares a PID namespace: prove cannot tell its processes apart"),
        ("image: app\ncommand: $COMMAND", "service web: what $COMMAND stands for is not known"),
        (
            "image: app\ncommand: [app, $PORT]",
            "service web: what it runs depends on an unknown variable",
        ),
        ("image: $IMAGE\ncommand: app", "service web: it is not known which image it runs"),
        ("build: ../outside\ncommand: app", "service web: it is not known where it is built"),
    ],
)
def test_what_run_cannot_do_is_refused(body: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=re.escape(reason)):
        told(body, tmp_path)


def test_of_several_services_one_is_to_be_named(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    path = str(tmp_path / "compose.yaml")
    with pytest.raises(Pid1lintError, match="has several services; name one of them: web, worker, mended, mounted"):
        service_of(path, "", Options())
    with pytest.raises(Pid1lintError, match="there is no 'wbe' in it"):
        service_of(path, "wbe", Options())


def test_other_deployments_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - {name: b, image: c, command: [d]}\n"
    )
    with pytest.raises(Pid1lintError, match="prove runs only services of Compose files, not other deployments"):
        service_of(str(tmp_path / "pod.yaml"), "", Options())


def test_a_service_behind_an_image_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["prove", "app:1", "web", "--engine", "true"]) == 2
    assert "app:1 has no services: put options of `run` after `--`" in capsys.readouterr().err


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("service", "outcome", "processes", "exit_code"),
    [
        ("web", "hang", [["/bin/sh", "/run.sh"], ["/app"]], 137),
        ("mended", "graceful", [["/app"]], 0),
        ("mounted", "graceful", [["/app"]], 0),
    ],
)
def test_a_service_is_run_as_its_file_says(
    service: str,
    outcome: str,
    processes: list[list[str]],
    exit_code: int,
    context: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (context / "compose.yaml").write_text(COMPOSE)
    (context / "other.sh").write_text("#!/bin/sh\nexec /app\n")
    (context / "other.sh").chmod(0o755)
    code = cli.run(["prove", "compose.yaml", service, "--engine", "podman", "--json"])
    (proof,) = json.loads(capsys.readouterr().out)["proofs"]
    assert (proof["name"], proof["outcome"], proof["foreseen"]) == (
        f"compose.yaml: service {service}",
        outcome,
        outcome,
    )
    assert [process["argv"] for process in proof["processes"]] == processes
    assert proof["exit_code"] == exit_code
    assert code == (0 if outcome == "graceful" else 1)
    assert proof["seconds"] < 4
    assert left_behind() == []
    assert podman.engine().name == "podman"
