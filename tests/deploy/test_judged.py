"""Each service and container is a launch of its own, under all rules, at the place in the deployment's file."""

from __future__ import annotations

import json
import pickle

import pytest

from pid1lint.deploy.images import named
from pid1lint.deployment import Building
from pid1lint.diagnostic import Severity
from pid1lint.report.json import launches_json
from pid1lint.source import Source
from tests.deploy.stage import judged, launches, lines, worst

SCRIPT = '#!/bin/sh\nset -e\nexec "$@"\n'
NO_EXEC = '#!/bin/sh\nset -e\n"$@"\n'
DOCKERFILE = 'FROM debian:12\nCOPY --chmod=755 entry.sh /entry.sh\nENTRYPOINT ["/entry.sh"]\nCMD ["server"]\n'
IMAGE = {"Dockerfile": DOCKERFILE, "entry.sh": SCRIPT}
KILLED = "docker compose stop waits 10 s, then kills it"


def compose(body: str) -> str:
    return "services:\n  web:\n" + "".join(f"    {line}\n" for line in body.strip().split("\n"))


def fixes(files: dict[str, str]) -> list[str]:
    return [each.fix.title for each in judged(files).diagnostics if each.fix is not None]


# Four reports, made again as small cases


def test_an_entrypoint_in_compose_that_runs_a_script_without_exec() -> None:
    files = {**IMAGE, "compose.yaml": compose("build: .\nentrypoint: /run.sh\nvolumes: ['./run.sh:/run.sh']")}
    files["run.sh"] = "#!/bin/bash\npython manage.py migrate\ngunicorn shop.wsgi\n"
    assert fixes(files) == ["Put exec before gunicorn"]
    assert lines(files) == [
        f"run.sh:3:1: PID201 service web: bash stays PID 1 and keeps SIGTERM from gunicorn: {KILLED}"
    ]


def test_a_workers_command_in_a_shell() -> None:
    image = {"Dockerfile": 'FROM debian:12\nCMD ["server"]\n'}
    files = {**image, "compose.yaml": compose("build: .\ncommand: sh -c 'cd /app && celery -A shop worker'")}
    assert fixes(files) == ["Put exec before celery"]
    assert lines(files) == [
        f"compose.yaml:4:21: PID102 service web: sh stays PID 1 and keeps SIGTERM from celery: {KILLED}"
    ]


def test_a_string_of_two_commands_of_which_compose_drops_one() -> None:
    files = {"compose.yaml": compose("image: debian:12\ncommand: migrate && gunicorn app")}
    assert lines(files) == [
        "compose.yaml:4:22: PID105 service web: no shell reads this string: Compose drops it from `&&` on: gunicorn is "
        "never started"
    ]


def test_a_command_of_the_shell_in_a_string_that_no_shell_reads() -> None:
    files = {"compose.yaml": compose("image: debian:12\ncommand: exec gunicorn app")}
    assert lines(files) == [
        "compose.yaml:4:14: PID105 service web: `exec` exists only inside a shell: there is none, and the "
        "container does not start"
    ]


def test_a_variable_in_kubernetes_that_nobody_expands() -> None:
    container = "{name: c, image: 'debian:12', env: [{name: PORT, value: '80'}], command: [server, --bind, $PORT]}"
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - " + container + "\n"
    assert [line.partition(" ")[2] for line in lines({"pod.yaml": text}, "pod.yaml")] == [
        "PID105 container c of Pod a: `$PORT` reaches server unexpanded: there is no shell"
    ]
    for other in ("$(PORT)", "$(KUSTOMIZED)", "$SUBSTITUTED", "'${SUBSTITUTED}'"):
        assert lines({"pod.yaml": text.replace("$PORT", other)}, "pod.yaml") == []
    assert lines({"pod.yaml": text.replace("[server,", "['${HOME_OF_APP}/bin/server',")}, "pod.yaml", "PID1") == [
        "pod.yaml:6:118: PID105 container c of Pod a: `$PORT` reaches server unexpanded: there is no shell"
    ]


def test_a_script_that_is_mounted_over_the_images() -> None:
    files = {**IMAGE, "dev.sh": NO_EXEC, "compose.yaml": compose("build: .\nvolumes:\n  - ./dev.sh:/entry.sh")}
    assert lines(files) == [f"dev.sh:3:1: PID201 service web: sh stays PID 1 and keeps SIGTERM from server: {KILLED}"]


def test_a_command_in_kubernetes_that_drops_the_init() -> None:
    files = {
        "Dockerfile": "FROM python:3.12\nRUN apt-get update && apt-get install -y tini\nCOPY app.py /\n"
        'ENTRYPOINT ["tini", "--"]\nCMD ["gunicorn", "app:app"]\n',
        "app.py": "import http.server\nhttp.server.test()\n",
        "pod.yaml": """\
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  containers:
    - name: app
      image: team/shop:2
      command: ["python", "/app.py"]
""",
    }
    build = Building(Source("", "").place(0, 0), "", "Dockerfile")
    found = judged(files, "pod.yaml", names=named([("team/shop", build)])).diagnostics
    assert [d.fix.title for d in found if d.fix is not None] == ["Pass it to tini"]
    assert [(d.code, d.at.start, d.message) for d in found if d.severity.rank] == [
        (
            "PID602",
            (8, 16),
            "container app of Pod shop: command drops tini, which the image puts in front: "
            "python is PID 1 without a handler for SIGTERM, so the kernel drops it",
        ),
        (
            "PID301",
            (8, 18),
            "container app of Pod shop: python is PID 1 without a handler for SIGTERM: "
            "Kubernetes waits 30 s, then kills it",
        ),
    ]


# What is told, and what is not


def test_what_an_image_has_by_itself_is_told_once_and_not_for_each_service() -> None:
    files = {**IMAGE, "entry.sh": NO_EXEC}
    files["compose.yaml"] = "services:\n  a: {build: .}\n  b: {build: ., environment: {X: 1}}\n"
    assert lines(files) == [
        "entry.sh:3:1: PID201 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it"
    ]


def test_an_init_in_front_ends_what_the_image_lacks() -> None:
    image = {"Dockerfile": 'FROM python:3.12\nCOPY app.py /\nCMD ["python", "/app.py"]\n'}
    image["app.py"] = "import time\ntime.sleep(1000)\n"
    without = judged({**image, "compose.yaml": compose("build: .")})
    with_init = judged({**image, "compose.yaml": compose("build: .\ninit: true")})
    assert [(d.code, d.deployment) for d in without.diagnostics] == [("PID301", None)]
    assert [(d.code, d.severity.value) for d in with_init.diagnostics] == [("PID310", "info")]
    assert [launch.outcome for launch in with_init.launches] == ["abrupt"]


def test_an_image_of_others_is_not_told_of_where_nothing_changes_it() -> None:
    assert lines({"compose.yaml": compose("image: rabbitmq:3\nports: ['5672:5672']")}) == []


def test_what_an_unknown_image_runs_is_not_guessed() -> None:
    found = launches({"compose.yaml": compose("image: team/unknown\ncommand: serve --all")})["web"]
    assert (found.outcome, found.why) == ("unknown", "it is not known what team/unknown runs")


def test_a_shell_given_to_an_unknown_image_is_a_warning_at_most() -> None:
    (found,) = judged({"compose.yaml": compose("image: team/unknown\ncommand: sh -c 'gunicorn app; true'")}).diagnostics
    assert (found.code, found.severity.value) == ("PID102", "warning")
    assert found.notes[-1].message == "the ENTRYPOINT of team/unknown is not known: pid1lint assumes that it has none"


def test_what_is_assumed_of_an_unknown_image_is_named_where_it_is_a_warning_by_itself() -> None:
    text = compose("image: team/unknown\ncommand: sh -c 'sleep 5; gunicorn app'")
    (found,) = judged({"compose.yaml": text}).diagnostics
    assert (found.code, found.severity.value) == ("PID102", "warning")
    assert found.notes[-1].message == "the ENTRYPOINT of team/unknown is not known: pid1lint assumes that it has none"


@pytest.mark.parametrize(
    ("command", "found"),
    [
        pytest.param("'gunicorn app | tee /log'", ["PID203"], id="a pipeline"),
        pytest.param("'while true; do date; sleep 5; done | tee /log'", ["PID203"], id="a loop into a pipe"),
        pytest.param("'exec gunicorn app | tee /log'", ["PID202"], id="exec in a pipeline"),
        pytest.param("'trap \"echo bye\" TERM; gunicorn app & wait'", ["PID407"], id="a handler that tells no app"),
        pytest.param("'trap \"echo bye\" TERM; gunicorn app; true'", ["PID402"], id="a handler that has to wait"),
    ],
)
def test_one_fault_in_a_command_is_told_once(command: str, found: list[str]) -> None:
    assert [
        each.code for each in worst({"compose.yaml": compose(f"image: debian:12\ncommand: sh -c {command}")})
    ] == found


def test_an_entrypoint_needs_no_image_to_be_judged() -> None:
    text = compose("image: team/unknown\nentrypoint: [dumb-init, --, sh, -c, 'gunicorn app; true']")
    assert lines({"compose.yaml": text}) == [
        "compose.yaml:4:42: PID102 service web: dumb-init ends with sh, which dies on SIGTERM: "
        "the kernel kills gunicorn"
    ]


def test_a_chore_is_no_reason_to_fail() -> None:
    text = "services:\n  init-db:\n    image: debian:12\n    command: sh -c 'gunicorn app; true'\n"
    (found,) = judged({"compose.yaml": text}).diagnostics
    assert (found.code, found.severity.value) == ("PID102", "info")


def test_a_program_at_a_terminal_is_left_alone() -> None:
    found = judged({"compose.yaml": compose("image: debian:12\ncommand: bash\ntty: true")})
    assert found.diagnostics == ()
    assert found.launches[0].outcome == "unknown"


def test_a_stop_signal_is_judged_where_it_is_written() -> None:
    assert lines({**IMAGE, "compose.yaml": compose("build: .\nstop_signal: 9")}) == [
        "compose.yaml:4:18: PID501 service web: SIGKILL ends the container at once: server cannot handle it"
    ]


def test_a_dockerfile_in_the_compose_file_is_judged_at_its_lines() -> None:
    text = compose("build:\n  dockerfile_inline: |\n    FROM debian:12\n    CMD cd / && server; true")
    assert lines({"compose.yaml": text}) == [
        "compose.yaml:6:13: PID101 sh stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it"
    ]


def test_a_stage_and_arguments_are_those_of_the_build() -> None:
    dockerfile = 'ARG BASE=scratch\nFROM $BASE AS dev\nCMD cd / && server; true\nFROM dev\nCMD ["server"]\n'
    text = compose("build: {context: ., target: dev, args: {BASE: 'debian:12'}}")
    assert [line.partition(" ")[0] for line in lines({"compose.yaml": text, "Dockerfile": dockerfile})] == [
        "Dockerfile:3:5:"
    ]


def test_a_base_image_that_another_service_builds_is_followed() -> None:
    files = {
        "compose.yaml": "services:\n  base: {image: team/base, build: base}\n  app: {build: app}\n",
        "base/Dockerfile": 'FROM debian:12\nCOPY --chmod=755 entry.sh /\nENTRYPOINT ["/entry.sh"]\nCMD ["x"]\n',
        "base/entry.sh": NO_EXEC,
        "app/Dockerfile": 'FROM team/base\nCMD ["server"]\n',
    }
    assert [launch.outcome for launch in launches(files).values()] == ["hang", "hang"]


def test_in_a_shared_namespace_default_dispositions_end_the_program() -> None:
    pod = """\
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  shareProcessNamespace: true
  containers: [{name: app, image: "debian:12", command: [sleep, infinity]}]
"""
    (found,) = launches({"pod.yaml": pod}, "pod.yaml").values()
    assert (found.outcome, found.reaps) == ("graceful", True)


def test_the_grace_period_is_in_the_reasons() -> None:
    text = compose("image: debian:12\ncommand: sh -c 'server; true'\nstop_grace_period: 1m30s")
    assert launches({"compose.yaml": text})["web"].why.endswith("docker compose stop waits 90 s, then kills it")


# Comments


def pod(*container: str, spec: str = "") -> dict[str, str]:
    lines = ("apiVersion: v1", "kind: Pod", "metadata: {name: shop}", "spec:", *((f"  {spec}",) if spec else ()))
    body = ("  containers:", "    - name: app", *(f"      {line}" for line in container))
    return {"pod.yaml": "\n".join((*lines, *body, ""))}


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        pytest.param(
            "command: server\nstop_signal: KILL",
            "SIGKILL ends docker-init at once, and the kernel kills server",
            id="no init passes SIGKILL on",
        ),
        pytest.param(
            "command: server\nstop_signal: STOP",
            "SIGSTOP freezes docker-init: docker compose stop waits 10 s, then kills it",
            id="nor SIGSTOP",
        ),
        pytest.param(
            "command: bash -c 'trap \"kill $$p\" TERM; server & p=$$!; wait'",
            "docker-init passes SIGTERM on to a shell that ends before server has finished",
            id="a shell with a handler does not die of the signal",
        ),
    ],
)
def test_why_an_init_in_front_does_not_help(settings: str, why: str) -> None:
    text = compose(f"image: debian:12\ninit: true\n{settings}")
    assert launches({"compose.yaml": text})["web"].why == why


def test_what_a_handler_below_an_init_does_wrong_is_told_once() -> None:
    settings = "init: true\ncommand: bash -c 'trap \"kill $$p\" TERM; server & p=$$!; wait'"
    found = judged({"compose.yaml": compose(f"image: debian:12\n{settings}")}).diagnostics
    assert [each.code for each in found] == ["PID412"]


def test_the_grace_period_is_that_of_what_stops_the_container() -> None:
    files = pod("image: debian:12", "command: [su, app, -c, exec server]")
    assert lines(files, "pod.yaml") == [
        "pod.yaml:8:17: PID206 container app of Pod shop: su kills server 2 s after SIGTERM: it does not get the grace "
        "period of Kubernetes"
    ]


@pytest.mark.parametrize(
    ("hook", "found"),
    [
        pytest.param('[sleep, "40"]', ["PID601"], id="a command"),
        pytest.param("[sh, -c, 'sleep 1m; nginx -s quit']", ["PID601"], id="in a shell, before others"),
        pytest.param("[sh, -c, 'nginx -s quit; sleep 20']", [], id="in time"),
        pytest.param("[/bin/bash, -c, 'nginx -s quit']", ["PID605"], id="a shell that the image lacks"),
        pytest.param("[dumb-init, nginx]", ["PID605"], id="a program that the image lacks"),
    ],
)
def test_a_hook_before_the_stop_signal_is_judged(hook: str, found: list[str]) -> None:
    files = pod("image: alpine:3.20", "command: [server]", f"lifecycle: {{preStop: {{exec: {{command: {hook}}}}}}}")
    assert [each.code for each in worst(files, "pod.yaml", "PID6")] == found


@pytest.mark.parametrize(
    ("hook", "severity"),
    [
        pytest.param("exec: {command: [sleep, '5']}", "error", id="it sleeps"),
        pytest.param("exec: {command: [sh, -c, 'echo bye; sleep 5']}", "error", id="it writes"),
        pytest.param("exec: {command: [sh, -c, 'pidof server | xargs kill']}", "info", id="it signals"),
        pytest.param("httpGet: {path: /quit, port: 80}", "info", id="it asks the app"),
    ],
)
def test_a_hook_may_end_what_the_signal_does_not_reach(hook: str, severity: str) -> None:
    files = pod("image: debian:12", "command: [sh, -c, 'cd /app; server']", f"lifecycle: {{preStop: {{{hook}}}}}")
    (found,) = judged(files, "pod.yaml", "PID102").diagnostics
    assert found.severity.value == severity


def test_compose_lets_its_hooks_come_to_their_end() -> None:
    hook = "pre_stop: [{command: [sleep, '40']}]"
    assert lines({"compose.yaml": compose(f"image: debian:12\ncommand: [server]\n{hook}")}, "compose.yaml") == []


def test_a_hook_that_signals_pid_1_of_a_shared_namespace() -> None:
    hook = "lifecycle: {preStop: {exec: {command: [sh, -c, kill 1]}}}"
    files = pod("image: debian:12", "command: [server]", hook, spec="shareProcessNamespace: true")
    assert lines(files, "pod.yaml") == [
        "pod.yaml:5:3: PID604 container app of Pod shop: `kill 1` in the stop hook reaches the pod's pause container, "
        "which is PID 1 here"
    ]


def test_the_first_process_of_a_shared_namespace_is_not_called_pid_1() -> None:
    files = pod("image: debian:12", "command: [sh, -c, 'cd /app; server']", spec="shareProcessNamespace: true")
    (tree,) = (each["tree"] for each in json.loads(launches_json(judged(files, "pod.yaml").launches))["launches"])
    assert (tree["pid1"], tree["children"][0]["pid1"]) == (False, False)


def test_a_comment_in_yaml_suppresses_what_stands_below_it() -> None:
    text = compose("image: debian:12\n# pid1lint: ignore[PID102] meant so\ncommand: sh -c 'server; true'")
    assert judged({"compose.yaml": text}).diagnostics == ()


def test_a_comment_of_no_use_is_told_of() -> None:
    text = compose("image: debian:12\n# pid1lint: ignore[PID102]\ncommand: server")
    assert lines({"compose.yaml": text}) == [
        "compose.yaml:4:24: PID904 ignore[PID102] suppresses nothing: there is no such finding there"
    ]


def test_a_comment_in_a_script_is_heeded_and_its_use_is_not_asked_for() -> None:
    files = {**IMAGE, "entry.sh": '#!/bin/sh\n# pid1lint: ignore[PID201]\n"$@"\n# pid1lint: ignore[PID401]\n'}
    files["compose.yaml"] = compose("build: .")
    assert judged(files).diagnostics == ()


# What cannot be read


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(
            "services:\n  web: [\n",
            "compose.yaml:3:1: PID901 not valid YAML: did not find expected node content",
            id="no YAML",
        ),
        pytest.param(
            "services:\n  web:\n    image: x\n    image: y\n",
            "compose.yaml:4:5: PID901 the key `image` is repeated here",
            id="a key twice",
        ),
    ],
)  # fmt: skip
def test_a_file_that_is_no_yaml_is_a_finding(text: str, line: str) -> None:
    assert lines({"compose.yaml": text}) == [line]


# Results


def test_a_result_goes_from_process_to_process() -> None:
    files = {
        "compose.yaml": "services:\n  base: {image: team/base, build: base}\n  app: {build: app, init: true}\n",
        "base/Dockerfile": 'FROM debian:12\nCOPY --chmod=755 entry.sh /\nENTRYPOINT ["/entry.sh"]\nCMD ["x"]\n',
        "base/entry.sh": NO_EXEC,
        "app/Dockerfile": 'FROM team/base\nCMD ["server"]\n',
    }
    result = judged(files)
    again = pickle.loads(pickle.dumps(result))
    assert again.diagnostics == result.diagnostics
    assert [launch.image.files.lookup("/entry.sh").text.text for launch in again.launches] == [NO_EXEC, NO_EXEC]


def test_what_is_not_known_is_told_as_an_ellipsis() -> None:
    files = {"compose.yaml": compose("image: debian:12\ncommand: sh -c 'cd /app; $SERVER --port 80'")}
    (found,) = worst(files)
    assert "keeps SIGTERM from …" in found.message
    files = {"compose.yaml": compose("image: debian:12\ncommand: sh -c 'cd /app; {{ server }} --port 80'")}
    assert fixes(files) == ["Put exec before …"]


def test_a_shell_that_is_given_nobody_knows_what_is_not_judged() -> None:
    for given in ("command: sh -c '$SERVER'", "command: [sh, -ec, '${SERVER}']", "entrypoint: [bash, -c, $SERVER]"):
        files = {"compose.yaml": compose(f"image: debian:12\n{given}")}
        assert lines(files) == []
        assert launches(files)["web"].why == "it is not known what the shell is given to run"


def test_what_rests_on_the_unknown_entrypoint_of_an_image_is_told_once_and_as_information() -> None:
    text = compose("image: team/unknown\ncommand: sh -c 'exec python -m http.server'")
    (found,) = judged({"compose.yaml": text}).diagnostics
    assert (found.code, found.severity, found.fix) == ("PID301", Severity.INFO, None)
    assert [note.message for note in found.notes] == [
        "the ENTRYPOINT of team/unknown is not known: pid1lint assumes that it has none"
    ]


def test_how_an_image_of_others_ends_is_told_once_and_as_information() -> None:
    assert [
        (d.code, d.severity, d.message) for d in judged({"compose.yaml": compose("image: registry:2")}).diagnostics
    ] == [
        (
            "PID310",
            Severity.INFO,
            "service web: registry is PID 1, gets SIGTERM and exits at once: what it was doing is lost",
        )
    ]
    assert judged({"compose.yaml": compose("image: memcached:1")}).diagnostics == ()


def test_an_entrypoint_that_is_given_no_command() -> None:
    files = {"compose.yaml": compose('image: debian:12\nentrypoint: ["sh", "-c"]')}
    assert lines(files) == [
        "compose.yaml:4:19: PID110 service web: `-c` needs a command string after it: a container starts only if it is "
        "given a command"
    ]


def test_what_hangs_on_the_shell_of_an_unknown_image_is_told_so() -> None:
    files = {"compose.yaml": compose("image: team/app\nentrypoint: [sh, -c, 'cd /app; server']")}
    assert lines(files) == [
        f"compose.yaml:4:27: PID102 service web: if sh is dash, it stays PID 1 and keeps SIGTERM from server: {KILLED}"
    ]
    files = {"compose.yaml": compose("image: team/app\nentrypoint: [sh, -c, 'server; echo done']")}
    assert lines(files) == [
        f"compose.yaml:4:27: PID102 service web: sh stays PID 1 and keeps SIGTERM from server: {KILLED}"
    ]


@pytest.mark.parametrize("command", ["echo pulled && sleep infinity", "tail -f /dev/null", "/run.sh"])
def test_what_hangs_with_any_shell_but_not_by_the_same_one_is_told_so(command: str) -> None:
    text = compose(f"image: team/app\nentrypoint: [sh, -c, '{command}']\nvolumes: ['./run.sh:/run.sh']")
    files = {"compose.yaml": text, "run.sh": "#!/bin/bash\nserver\n"}
    found = next(each for each in worst(files) if each.code == "PID102")
    assert found.severity.value == "error"
    assert found.message.startswith("service web: if sh is dash, it stays PID 1 and keeps SIGTERM from ")
    launch = launches(files)["web"]
    assert (launch.outcome, launch.certainty) == ("hang", "proven")
    assert launch.why.startswith("if sh is dash, dash stays PID 1 and keeps SIGTERM from ")


def test_a_cron_by_itself_is_told_of_once() -> None:
    found = judged({"compose.yaml": compose("image: alpine:3.20\ncommand: crond -f")}).diagnostics
    assert [(each.code, each.severity.value) for each in found] == [("PID301", "warning")]


def test_a_variable_of_a_base_image_counts() -> None:
    launch = launches({"compose.yaml": compose("image: jboss/keycloak:8.0.1")})["web"]
    assert (launch.outcome, launch.why) == ("graceful", "standalone.sh is PID 1, gets SIGTERM and ends cleanly")
