"""One small case for each word of a deployment's file that decides over a launch, as far as no other test has one."""

from __future__ import annotations

import pytest

from pid1lint.deploy.names import Naming
from pid1lint.deploy.project import Project
from pid1lint.deployment import UNKNOWN
from pid1lint.image.context import MemoryContext
from tests.deploy.stage import deployments, judged, launches, lines, worst
from tests.deploy.test_compose import words
from tests.deploy.test_names import built

BRANCHES = '#!/bin/sh\nif [ "$MODE" = worker ]; then\n  celery -A app worker\nelse\n  exec server\nfi\n'
IMAGE = {
    "Dockerfile": 'FROM debian:12\nENV MODE=web\nCOPY --chmod=755 entry.sh /\nCMD ["/entry.sh"]\n',
    "entry.sh": BRANCHES,
}
KILLED = "docker compose stop waits 10 s, then kills it"
TOLD = f"entry.sh:3:3: PID201 service web: sh stays PID 1 and keeps SIGTERM from celery: {KILLED}"


def compose(*body: str) -> str:
    return "services:\n  web:\n" + "".join(f"    {line}\n" for line in body)


def pod(*spec: str) -> str:
    return "apiVersion: v1\nkind: Pod\nmetadata: {name: shop}\nspec:\n" + "".join(f"  {line}\n" for line in spec)


# Compose


def test_the_services_of_all_profiles_are_judged() -> None:
    text = compose("image: debian:12", "profiles: [debug]", "command: sh -c 'server; true'")
    assert [each.code for each in worst({"compose.yaml": text})] == ["PID102"]


@pytest.mark.parametrize(
    ("setting", "argv"),
    [
        pytest.param("entrypoint: null", ["/entry.sh", "server"], id="null"),
        pytest.param("entrypoint:", ["/entry.sh", "server"], id="nothing"),
        pytest.param("entrypoint: []", ["server"], id="an empty list"),
        pytest.param("entrypoint: ''", ["server"], id="an empty string"),
        pytest.param("entrypoint: [other]", ["other"], id="another, which drops the image's command"),
        pytest.param("command: null", ["/entry.sh", "server"], id="a null command"),
        pytest.param("command: []", ["/entry.sh"], id="no command"),
    ],
)
def test_what_is_started_with(setting: str, argv: list[str]) -> None:
    dockerfile = 'FROM debian:12\nCOPY --chmod=755 entry.sh /\nENTRYPOINT ["/entry.sh"]\nCMD ["server"]\n'
    files = {"Dockerfile": dockerfile, "entry.sh": '#!/bin/sh\nexec "$@"\n'}
    image = launches({**files, "compose.yaml": compose("build: .", setting)})["web"].image
    commands = [image.entrypoint, image.cmd]
    assert [word.text for command in commands if command is not None for word in command.words] == argv


@pytest.mark.parametrize(("setting", "known"), [("init: true", True), ("init: false", False), ("init: ''", False)])
def test_an_init_is_in_front_if_it_is_asked_for(setting: str, known: bool) -> None:
    (found,) = deployments({"compose.yaml": compose("image: x", setting)}).values()
    assert (found.override.init is not None) == known


@pytest.mark.parametrize(
    ("setting", "kind"),
    [("pid: host", "host"), ("pid: service:db", "container"), ("pid: container:x", "container"), ("pid: ''", "")],
)
def test_a_pid_namespace_may_be_that_of_another(setting: str, kind: str) -> None:
    (found,) = deployments({"compose.yaml": compose("image: x", setting)}).values()
    assert (found.override.pid.kind if found.override.pid is not None else "") == kind


@pytest.mark.parametrize("setting", ["tty: true", "stdin_open: true"])
def test_a_shell_at_a_terminal_stays(setting: str) -> None:
    assert launches({"compose.yaml": compose("image: debian:12", "command: bash", setting)})["web"].outcome == "unknown"
    assert launches({"compose.yaml": compose("image: debian:12", "command: bash")})["web"].outcome == "exits"


def test_the_environment_decides_which_way_a_script_goes() -> None:
    assert lines({**IMAGE, "compose.yaml": compose("build: .", "environment: {MODE: worker}")}) == [TOLD]
    (found,) = worst({**IMAGE, "compose.yaml": compose("build: .", "environment: [MODE=web]")})
    assert (found.severity.value, found.deployment) == ("warning", None)


def test_so_do_files_of_variables_and_dotenv() -> None:
    files = {**IMAGE, "worker.env": "MODE=worker\n", ".env": "KIND=worker\n"}
    for setting in (
        "env_file: worker.env",
        "env_file: [{path: worker.env, required: true}]",
        "environment: {MODE: $KIND}",
        "environment: {MODE: '${OTHER:-worker}'}",
    ):
        assert lines({**files, "compose.yaml": compose("build: .", setting)}) == [TOLD]
    (found,) = deployments(
        {"compose.yaml": compose("image: x", "env_file: [{path: no.env, required: false}]")}
    ).values()
    assert (found.override.env.values, found.override.env.whole) == ({}, False)


def test_a_script_in_a_config_is_judged_at_its_lines() -> None:
    text = """\
services:
  web:
    image: debian:12
    entrypoint: /run.sh
    configs: [{source: run, target: /run.sh, mode: 0555}]
configs:
  run:
    content: |
      #!/bin/sh
      cd /app
      gunicorn app
"""
    assert lines({"compose.yaml": text}) == [
        f"compose.yaml:11:7: PID201 service web: sh stays PID 1 and keeps SIGTERM from gunicorn: {KILLED}"
    ]


def test_a_base_may_be_what_another_service_builds() -> None:
    files = {
        "compose.yaml": "services:\n"
        "  base: {build: base}\n"
        "  web: {build: {context: app, additional_contexts: {start: 'service:base'}}}\n"
        "  here: {build: {context: app, additional_contexts: [start=./base]}}\n",
        "base/Dockerfile": 'FROM debian:12\nENTRYPOINT ["sh", "-c", "server; true"]\n',
        "app/Dockerfile": "FROM start\nRUN true\n",
    }
    assert [launch.outcome for launch in launches(files).values()] == ["hang", "hang", "unknown"]


def test_a_base_may_be_an_image_that_is_named_otherwise() -> None:
    context = "additional_contexts: {start: 'docker-image://nginx:1.27'}"
    files = {"compose.yaml": compose(f"build: {{context: ., {context}}}"), "Dockerfile": "FROM start\nRUN true\n"}
    launch = launches(files)["web"]
    assert (launch.outcome, launch.stop_signal) == ("graceful", "SIGQUIT")


def test_the_user_decides_over_the_home() -> None:
    text = compose("image: debian:12", "user: app", "working_dir: /srv")
    image = launches({"compose.yaml": text})["web"].image
    assert (image.user, image.workdir, image.env["HOME"]) == ("app", "/srv", UNKNOWN)


def test_a_hook_that_the_image_cannot_run() -> None:
    text = compose("image: alpine:3.20", "command: [server]", "pre_stop: [{command: [bash, -c, 'drain']}]")
    assert [each.code for each in worst({"compose.yaml": text})] == ["PID605"]


def test_each_of_several_hooks_is_judged_also_of_several_files() -> None:
    files = {
        "compose.yaml": compose("image: alpine:3.20", "command: [server]", "pre_stop: [{command: echo bye}]"),
        "compose.override.yaml": compose("pre_stop: [{command: [bash, -c, drain]}]"),
    }
    assert [line.partition(" service")[0] for line in lines(files)] == ["compose.override.yaml:3:27: PID605"]


def test_a_file_is_included_with_its_override() -> None:
    files = {
        "compose.yaml": "include: [{path: [a/one.yaml, a/two.yaml], env_file: a/x.env}]\n",
        "a/one.yaml": "services: {web: {image: x, command: [one], stop_signal: SIGINT}}\n",
        "a/two.yaml": "services: {web: {command: ['$NAME']}}\n",
        "a/x.env": "NAME=two\n",
    }
    (found,) = deployments(files).values()
    assert found.override.stop_signal is not None
    assert (words(found.override.command), found.override.stop_signal.text) == (["two"], "SIGINT")


# Kubernetes


def test_a_container_works_in_its_own_folder() -> None:
    text = pod("containers:", "- {name: app, image: 'debian:12', workingDir: /srv, command: [./run.sh]}")
    (launch,) = launches({"pod.yaml": text}, "pod.yaml").values()
    assert launch.image.workdir == "/srv"


@pytest.mark.parametrize(("setting", "kind"), [("hostPID", "host"), ("shareProcessNamespace", "pod")])
def test_a_pod_may_share_its_pid_namespace(setting: str, kind: str) -> None:
    container = "containers: [{name: app, image: 'debian:12', command: [sleep, infinity]}]"
    (found,) = deployments({"pod.yaml": pod(f"{setting}: true", container)}, "pod.yaml").values()
    assert found.override.pid is not None
    assert (found.override.pid.kind, found.override.pid.at.text) == (kind, f"{setting}: true")
    (other,) = deployments({"pod.yaml": pod(f"{setting}: false", container)}, "pod.yaml").values()
    assert other.override.pid is None


@pytest.mark.parametrize(
    ("hook", "kind", "seconds"),
    [
        ("exec: {command: [sleep, '7']}", "exec", 7),
        ("sleep: {seconds: 7}", "sleep", 7),
        ("httpGet: {path: /drain, port: 80}", "request", 0),
    ],
)
def test_a_hook_before_the_stop_may_be(hook: str, kind: str, seconds: float) -> None:
    text = pod("containers:", f"- {{name: app, image: x, lifecycle: {{preStop: {{{hook}}}}}}}")
    (found,) = deployments({"pod.yaml": text}, "pod.yaml").values()
    assert (found.override.hooks[0].kind, found.override.hooks[0].sleeps) == (kind, seconds)


def test_a_map_gives_its_variables_a_prefix_and_own_ones_go_first() -> None:
    text = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {A: '1', B: '2'}\n---\n"
        + pod("containers:", "- name: app", "  image: x")
        + "    envFrom: [{prefix: X_, configMapRef: {name: m}}, {secretRef: {name: s}}]\n"
        + "    env: [{name: X_B, value: '$(X_A)3'}]\n"
    )
    (found,) = deployments({"pod.yaml": text}, "pod.yaml").values()
    assert (found.override.env.values, found.override.env.whole) == ({"X_A": "1", "X_B": "13"}, False)


def test_a_user_of_the_pod_is_one_of_its_containers() -> None:
    text = pod(
        "securityContext: {runAsUser: 1}",
        "containers: [{name: a, image: x}, {name: b, image: x, securityContext: {runAsUser: 2}}]",
    )
    users = [each.override.user for each in deployments({"pod.yaml": text}, "pod.yaml").values()]
    assert [user.text for user in users if user is not None] == ["1", "2"]


def test_a_sidecar_is_told_to_stop_and_judged() -> None:
    text = pod(
        "initContainers:",
        "- {name: proxy, image: 'debian:12', restartPolicy: Always, command: [sh, -c, 'envoy; true']}",
        "- {name: setup, image: 'debian:12', command: [sh, -c, 'envoy; true']}",
        "containers: [{name: app, image: 'rabbitmq:3'}]",
    )
    assert [line.partition(" sh ")[0] for line in lines({"pod.yaml": text}, "pod.yaml")] == [
        "pod.yaml:6:81: PID102 sidecar proxy of Pod shop:"
    ]


def test_a_manifest_may_be_written_in_braces_with_comments() -> None:
    text = """\
---
{
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "shop",
  },
  spec: {
    containers: [{
      name: "app", # in KYAML, which kubectl prints
      image: "debian:12",
      command: [
        "sh",
        "-c",
        "server; true",
      ],
    }],
  },
}
"""
    assert [line.partition(" sh ")[0] for line in lines({"pod.yaml": text}, "pod.yaml")] == [
        "pod.yaml:15:10: PID102 container app of Pod shop:"
    ]


# Which image


def test_a_name_may_be_given_by_bake_or_by_skaffold() -> None:
    bake = 'target "app" {\n  context = "x"\n  tags = ["reg.example/team/app:1"]\n}\n'
    project = Project(MemoryContext({"docker-bake.hcl": bake}))
    assert [b.dockerfile for _, b in Naming(["docker-bake.hcl"], project).of("reg.example/team/app")] == [
        "x/Dockerfile"
    ]
    skaffold = (
        "apiVersion: skaffold/v4beta1\nkind: Config\nbuild:\n  artifacts:\n    - image: team/app\n      context: x\n"
    )
    assert built("team/app", skaffold_yaml=skaffold) == ["x/Dockerfile"]


# Judging


def test_systemd_and_s6_need_to_be_pid_1() -> None:
    dockerfile = 'FROM debian:12\nRUN apt-get update && apt-get install -y systemd\nCMD ["/sbin/init"]\n'
    found = judged({"Dockerfile": dockerfile, "compose.yaml": compose("build: .", "pid: host")}).diagnostics
    assert "PID604" in [each.code for each in found]


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("compose.yaml", compose("image: debian:12", "command: sh -c 'a; b'", "stop_grace_period: 1m"), "60 s"),
        ("pod.yaml", pod("containers: [{name: a, image: 'debian:12', command: [sh, -c, 'a; b']}]"), "30 s"),
        ("x.container", "[Container]\nImage=debian:12\nExec=sh -c 'a; b'\n", "10 s"),
    ],
)
def test_a_message_has_the_grace_period_of_who_stops_the_container(path: str, text: str, said: str) -> None:
    (line,) = lines({path: text}, path)
    assert line.endswith(f"waits {said}, then kills it")
