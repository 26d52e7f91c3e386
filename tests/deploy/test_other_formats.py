"""Bake, Quadlet and ECS files, each with what it says of a launch."""

from __future__ import annotations

import pytest

from pid1lint.deployment import UNKNOWN
from tests.deploy.stage import deployments, judged, lines

BAKE = """\
variable "TAG" { default = "1" }
group "default" { targets = ["app"] }
target "_common" {
  args = { A = "1", B = "1" }
}
target "app" {
  inherits   = ["_common"]
  context    = "src"
  dockerfile = "../docker/app.Dockerfile"
  target     = "prod"
  args       = { B = "2" }
  tags       = ["team/app:${TAG}", "team/app:${lower("X")}"]
  contexts   = { base = "target:base" }
}
target "base" {
  tags = ["team/base"]
  matrix = { v = ["1", "2"] }
}
"""


def test_a_bake_file_says_what_is_built_under_which_name() -> None:
    found = deployments({"docker-bake.hcl": BAKE}, "docker-bake.hcl")
    app = found["app"]
    assert app.building is not None
    assert app.image is not None
    assert app.image.text == "team/app:1"
    assert (app.building.context, app.building.dockerfile) == ("src", "docker/app.Dockerfile")
    assert (app.building.target, app.building.args) == ("prod", {"A": "1", "B": "2"})
    assert app.building.contexts == {"base": "target:base"}
    assert {name: (each.runs, each.place.text) for name, each in found.items()} == {
        "_common": (False, "_common"),
        "app": (True, "app"),
        "base": (True, "base"),
    }


def test_a_matrix_makes_several_targets() -> None:
    text = """\
target "app" {
  name   = "app-${stage}"
  matrix = { stage = ["dev", "prod"] }
  target = stage
  tags   = ["team/app:${stage}"]
}
"""
    found = deployments({"docker-bake.hcl": text}, "docker-bake.hcl")
    builds = {name: each.building for name, each in found.items()}
    assert {name: build.target for name, build in builds.items() if build is not None} == {
        "app-dev": "dev",
        "app-prod": "prod",
    }


def test_a_bake_file_may_be_json() -> None:
    text = '{"variable": {"T": {"default": "2"}}, "target": {"app": {"context": "src", "tags": ["team/app:${T}"]}}}'
    found = deployments({"docker-bake.json": text}, "docker-bake.json")["app"]
    assert found.image is not None and found.image.text == "team/app:2"
    assert found.building is not None and found.building.dockerfile == "src/Dockerfile"


def test_a_bake_target_is_judged_as_the_image_that_it_builds() -> None:
    files = {
        "docker-bake.hcl": 'target "app" {\n  target = "dev"\n  tags = ["team/app"]\n}\n',
        "Dockerfile": 'FROM debian:12 AS dev\nCMD cd / && server; true\nFROM dev\nCMD ["server"]\n',
    }
    assert lines(files, "docker-bake.hcl") == [
        "Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it"
    ]


def test_a_bake_file_that_is_no_hcl_is_a_finding() -> None:
    assert lines({"docker-bake.hcl": 'target "x" {\n  = 1\n'}, "docker-bake.hcl") == [
        "docker-bake.hcl:2:3: PID901 not valid HCL"
    ]


QUADLET = """\
[Unit]
Description=Shop

[Container]
# The image
Image=docker.io/team/app:1
Entrypoint=["/entry.sh", "--"]
Exec=sh -c "gunicorn app; true" \\
  %h $HOME
StopSignal=SIGQUIT
StopTimeout=20
RunInit=true
User=app
WorkingDir=/srv
Environment=A=1 "B=two words"
EnvironmentFile=app.env
Volume=./run.sh:/run.sh:ro
Volume=/srv/data:/data
PodmanArgs=--pid=host

[Install]
WantedBy=default.target
"""


def test_a_quadlet_is_read_as_systemd_does() -> None:
    found = deployments({"shop.container": QUADLET, "run.sh": ""}, "shop.container")["shop"]
    override = found.override
    assert found.image is not None
    assert (found.image.text, found.label, found.grace) == ("docker.io/team/app:1", "container shop", 20)
    assert override.entrypoint is not None
    assert override.command is not None
    assert [word.text for word in override.entrypoint.words] == ["/entry.sh", "--"]
    assert [word.text for word in override.command.words] == ["sh", "-c", "gunicorn app; true", UNKNOWN, UNKNOWN]
    assert override.command.words[2].place().start == (8, 13)
    assert override.init is not None
    assert override.stop_signal is not None
    assert override.user is not None
    assert override.workdir is not None
    assert (override.stop_signal.text, override.user.text, override.workdir.text) == ("SIGQUIT", "app", "/srv")
    assert (override.env.values, override.env.whole) == ({"A": "1", "B": "two words"}, False)
    assert [(mount.target, mount.kind) for mount in override.mounts] == [("/run.sh", "bind"), ("/data", "unknown")]
    assert override.pid is not None and override.pid.kind == "host"


def test_systemd_fills_in_variables_before_podman_is_started() -> None:
    text = "[Container]\nImage=x\nExec=sh -c 'echo $A $$B; exec server' --at=${C} $D\n"
    found = deployments({"x.container": text}, "x.container")["x"].override.command
    assert found is not None
    assert [word.text for word in found.words][2:] == ["echo $A $B; exec server", f"--at={UNKNOWN}", UNKNOWN]


def test_the_arguments_of_podman_count_before_other_settings() -> None:
    text = "[Container]\nImage=x\nStopTimeout=20\nPodmanArgs=--stop-signal SIGINT --stop-timeout=5 -u 33\n"
    found = deployments({"x.container": text}, "x.container")["x"]
    assert found.override.stop_signal is not None
    assert found.override.user is not None
    assert (found.override.stop_signal.text, found.grace, found.override.user.text) == ("SIGINT", 5, "33")


def test_a_quadlet_is_judged_at_its_lines() -> None:
    text = '[Container]\nImage=debian:12\nExec=sh -c "gunicorn app; true"\nStopTimeout=5\n'
    assert lines({"shop.container": text}, "shop.container") == [
        "shop.container:3:13: PID102 container shop: sh stays PID 1 and keeps SIGTERM from gunicorn: "
        "podman waits 5 s, then kills it"
    ]


def test_a_comment_in_a_quadlet_is_heeded() -> None:
    text = '[Container]\nImage=debian:12\n# pid1lint: ignore[PID102] why\nExec=sh -c "gunicorn app; true"\n'
    assert judged({"shop.container": text}, "shop.container").diagnostics == ()


@pytest.mark.parametrize(
    ("drop_in", "setting", "reads"),
    [
        pytest.param("shop.container.d/10.conf", "Exec=other", False, id="of the unit"),
        pytest.param("team-.container.d/10.conf", "Exec=other", True, id="of others"),
        pytest.param("container.d/init.conf", "RunInit=true", False, id="of all units"),
        pytest.param("shop.container.d/10.conf", "PublishPort=80", True, id="of no weight"),
        pytest.param("shop.container.d/10.txt", "Exec=other", True, id="no drop-in"),
    ],
)
def test_what_a_drop_in_changes_is_not_known(drop_in: str, setting: str, reads: bool) -> None:
    files = {
        "shop.container": '[Container]\nImage=debian:12\nExec=sh -c "gunicorn app; true"\n',
        drop_in: f"[Container]\n{setting}\n",
    }
    (launch,) = judged(files, "shop.container").launches
    assert launch.outcome == ("hang" if reads else "unknown")
    assert reads or launch.why == f"{drop_in} changes the unit"


def test_a_drop_in_may_be_for_units_that_begin_alike() -> None:
    files = {
        "team-shop.container": "[Container]\nImage=debian:12\nExec=server\n",
        "team-.container.d/10.conf": "[Container]\nRunInit=true\n",
    }
    (launch,) = judged(files, "team-shop.container").launches
    assert launch.outcome == "unknown"


def test_a_quadlet_finds_the_build_of_its_image() -> None:
    files = {
        "shop.container": "[Container]\nImage=shop.build\n",
        "shop.build": "[Build]\nFile=./Containerfile\nSetWorkingDirectory=unit\n",
        "Containerfile": 'FROM debian:12\nCMD ["server"]\n',
    }
    (launch,) = judged(files, "shop.container").launches
    assert (launch.dockerfile, launch.outcome) == ("Containerfile", "graceful")


TASK = """\
{
  "family": "shop",
  "pidMode": "task",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "debian:12",
      "entryPoint": ["sh", "-c"],
      "command": ["gunicorn app; true"],
      "environment": [{"name": "A", "value": "1"}],
      "secrets": [{"name": "B", "valueFrom": "x"}],
      "linuxParameters": {"initProcessEnabled": true},
      "stopTimeout": 120,
      "user": "1000",
      "workingDirectory": "/srv"
    }
  ]
}
"""


def test_a_task_definition_is_read() -> None:
    found = deployments({"task.json": TASK}, "task.json")["shop/web"]
    override = found.override
    assert (found.label, found.grace) == ("container web of task shop", 120)
    assert override.entrypoint is not None
    assert override.command is not None
    assert [word.text for word in (*override.entrypoint.words, *override.command.words)] == [
        "sh",
        "-c",
        "gunicorn app; true",
    ]
    assert override.init is not None
    assert override.init.at.start.line == 12
    assert override.env.values == {"A": "1", "B": UNKNOWN}
    assert override.pid is not None and override.pid.kind == "pod"


@pytest.mark.parametrize("wrapped", [False, True], ids=["by itself", "as describe-task-definition prints it"])
def test_a_task_definition_is_judged_at_its_lines(wrapped: bool) -> None:
    text = TASK.replace('  "pidMode": "task",\n', "").replace(
        '"initProcessEnabled": true', '"initProcessEnabled": false'
    )
    text = '{"taskDefinition":\n' + text + "}\n" if wrapped else text
    assert lines({"task.json": text}, "task.json") == [
        f"task.json:{9 if wrapped else 8}:20: PID102 container web of task shop: "
        "sh stays PID 1 and keeps SIGTERM from gunicorn: ECS waits 120 s, then kills it"
    ]
