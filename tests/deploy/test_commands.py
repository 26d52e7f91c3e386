"""Deployments on the command line: what is found, what is printed, and what is mended."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from pid1lint import cli, discover

COMPOSE = """\
services:
  web:
    image: debian:12
    command: sh -c "gunicorn app; true"
  worker:
    image: debian:12
    command: [sh, -c, "cd /app && celery worker"]
"""
FOUND = """\
compose.yaml:4:21: PID102 service web: sh stays PID 1 and keeps SIGTERM from gunicorn: \
docker compose stop waits 10 s, then kills it
compose.yaml:7:24: PID102 service worker: sh stays PID 1 and keeps SIGTERM from celery: \
docker compose stop waits 10 s, then kills it
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  containers:
    - name: app
      image: debian:12
      command: [sh, -c, "cd /app && celery worker"]
"""


class Outcome(NamedTuple):
    """What one call came to."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call pid1lint in an empty repository, with standard input if any."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def call(*arguments: str, stdin: str = "") -> Outcome:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = cli.run(arguments)
        return Outcome(code, *capsys.readouterr())

    return call


def put(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def test_a_finding_in_a_deployment_gives_1(run: Run) -> None:
    put("compose.yaml", COMPOSE)
    assert run("-f", "concise", "compose.yaml") == (1, FOUND, "")


def test_a_clean_deployment_gives_0(run: Run) -> None:
    put("compose.yaml", "services: {web: {image: 'rabbitmq:3'}}\n")
    assert run("compose.yaml") == (0, "1 deployment file checked: nothing found.\n", "")


def test_a_search_finds_deployments_by_name_and_by_what_they_hold(run: Run) -> None:
    put("compose.yaml", COMPOSE)
    put("compose.override.yaml", "services: {web: {environment: {A: 1}}}\n")
    put("deploy/stack.yml", COMPOSE)
    put("k8s/pod.yaml", POD)
    put("docker-bake.hcl", 'target "x" {}\n')
    put("unit/web.container", "[Container]\nImage=x\n")
    put("ecs/task.json", '{"containerDefinitions": []}\n')
    put("package.json", '{"name": "x"}\n')
    put("values.yaml", "image: x\nservices: [a]\n")
    put("crd.yaml", "apiVersion: v1\nkind: CustomResourceDefinition\nspec: {x: {containers: {}}}\n  containers:\n")
    put(".github/workflows/ci.yml", COMPOSE)
    put("node_modules/x/compose.yaml", COMPOSE)
    assert sorted(discover.deployments(".")) == [
        "compose.yaml",
        "deploy/stack.yml",
        "docker-bake.hcl",
        "ecs/task.json",
        "k8s/pod.yaml",
        "unit/web.container",
    ]


def test_the_summary_counts_both_kinds_of_files(run: Run) -> None:
    put("Dockerfile", 'FROM debian:12\nCMD ["server"]\n')
    put("compose.yaml", "services: {web: {build: .}}\n")
    said = "1 Dockerfile and 1 deployment file checked: nothing found."
    assert run().out == f"{said}\n2 of 2 verdicts rest on an assumption: see pid1lint trace.\n"


def test_manifests_come_from_standard_input(run: Run) -> None:
    said = (
        "container app of Pod shop: sh stays PID 1 and keeps SIGTERM from celery: "
        "Kubernetes waits 30 s, then kills it\n"
    )
    assert run("-f", "concise", "-", stdin=POD) == (1, f"stdin.yaml:8:26: PID102 {said}", "")
    assert run("-f", "concise", "-", "--stdin-filename", "k/x.yaml", stdin=POD).out == f"k/x.yaml:8:26: PID102 {said}"


def test_a_dockerfile_still_comes_from_standard_input(run: Run) -> None:
    said = "1 Dockerfile checked: nothing found.\n1 of 1 verdict rests on an assumption: see pid1lint trace.\n"
    assert run("-", stdin='FROM debian:12\nCMD ["server"]\n').out == said


def test_a_trace_shows_one_tree_a_service(run: Run) -> None:
    put("compose.yaml", COMPOSE)
    out = run("trace", "compose.yaml").out
    assert [line for line in out.split("\n") if "service" in line] == [
        "compose.yaml, service web",
        "compose.yaml, service worker",
    ]


def test_a_trace_shows_an_ellipsis_for_what_is_not_known(run: Run) -> None:
    put("compose.yaml", "services:\n  web:\n    image: '${IMAGE}'\n    entrypoint: [server, '--port=${PORT}${MORE}']\n")
    out = run("trace", "compose.yaml").out
    assert 'ENTRYPOINT ["server", "--port=…"]' in out
    assert "server --port=…" in out


def test_a_trace_shows_the_services_that_are_named(run: Run) -> None:
    put("compose.yaml", COMPOSE)
    out = run("trace", "compose.yaml", "worker").out
    assert [line for line in out.split("\n") if "service" in line] == ["compose.yaml, service worker"]
    assert run("trace", "compose.yaml", "wroker") == (2, "", "pid1lint: error: there is no 'wroker' in it\n")


def test_json_names_the_deployment(run: Run) -> None:
    put("compose.yaml", COMPOSE)
    first = json.loads(run("-f", "json", "compose.yaml").out)["diagnostics"][0]
    assert first["deployment"] == {"path": "compose.yaml", "kind": "compose", "name": "web"}
    launch = json.loads(run("trace", "-f", "json", "compose.yaml").out)["launches"][0]
    assert (launch["deployment"], launch["grace"]) == (first["deployment"], 10.0)


def test_sarif_shows_the_way_from_the_deployment_to_the_command(run: Run) -> None:
    put("Dockerfile", 'FROM debian:12\nCOPY --chmod=755 entry.sh /\nENTRYPOINT ["/entry.sh"]\n')
    put("entry.sh", '#!/bin/sh\nexec "$@"\n')
    put("compose.yaml", "services:\n  web:\n    build: .\n    command: sh -c 'gunicorn app; true'\n")
    document = json.loads(run("-f", "sarif", "compose.yaml").out)
    (result,) = document["runs"][0]["results"]
    steps = [step["location"] for step in result["codeFlows"][0]["threadFlows"][0]["locations"]]
    assert [(s["physicalLocation"]["artifactLocation"]["uri"], s["message"]["text"]) for s in steps] == [
        ("compose.yaml", "runs service web"),
        ("Dockerfile", "PID 1 starts as /entry.sh sh -c gunicorn app; true"),
        ("entry.sh", "becomes sh -c gunicorn app; true"),
        ("compose.yaml", "starts and waits for gunicorn app"),
        ("compose.yaml", result["message"]["text"]),
    ]
    assert result["properties"]["deployment"] == "compose.yaml: service web"


def test_a_baseline_holds_for_deployments(run: Run) -> None:
    put("compose.yaml", COMPOSE)
    run("--write-baseline", "known.json")
    put("compose.yaml", "# moved\n" + COMPOSE)
    assert run("--baseline", "known.json").out == "1 deployment file checked: nothing new, 2 in the baseline.\n"


def test_comments_are_written_above_what_is_found(run: Run) -> None:
    put("compose.yaml", COMPOSE)
    assert run("--add-ignores").code == 0
    assert Path("compose.yaml").read_text() == COMPOSE.replace(
        "    command", "    # pid1lint: ignore[PID102]\n    command"
    )


def test_rules_are_ignored_by_path(run: Run) -> None:
    put("compose.yaml", COMPOSE)
    put("pid1lint.toml", '[per-file-ignores]\n"compose*.yaml" = ["PID102"]\n')
    assert run().code == 0


def test_a_template_is_left_alone_and_verbose_says_so(run: Run) -> None:
    put("chart/templates/x.yaml", POD + "{{- if .Values.x }}\n  x: [\n{{- end }}\n")
    outcome = run("-v")
    assert outcome.code == 0
    assert "chart/templates/x.yaml: skipped: a template, not yet YAML" in outcome.err


def test_a_script_is_checked_through_the_deployment_that_mounts_it(run: Run) -> None:
    put("run.sh", "#!/bin/sh\ngunicorn app\n")
    Path("run.sh").chmod(0o755)
    put("compose.yaml", "services: {web: {image: 'debian:12', entrypoint: /run.sh, volumes: ['./run.sh:/run.sh']}}\n")
    assert run("-f", "concise", "run.sh").out == (
        "run.sh:2:1: PID201 service web: sh stays PID 1 and keeps SIGTERM from gunicorn: "
        "docker compose stop waits 10 s, then kills it\n"
    )


def test_what_every_deployment_mends_falls_to_info_and_says_why(run: Run) -> None:
    put("Dockerfile", 'FROM python:3.12\nCOPY app.py /\nCMD ["python", "/app.py"]\n')
    put("app.py", "import time\ntime.sleep(1000)\n")
    put("compose.yaml", "services: {web: {build: ., init: true}}\n")
    assert run("Dockerfile").code == 1
    found = json.loads(run("-f", "json").out)["diagnostics"]
    assert [(each["code"], each["severity"], each["notes"][-1]["message"]) for each in found] == [
        ("PID301", "info", "service web has an init in front"),
        ("PID310", "info", "service web is run here"),
    ]


def test_a_shared_namespace_ends_what_the_image_lacks(run: Run) -> None:
    put("Dockerfile", 'FROM python:3.12\nCOPY app.py /\nCMD ["python", "/app.py"]\n')
    put("app.py", "import time\ntime.sleep(1000)\n")
    put("docker-bake.hcl", 'target "app" {\n  tags = ["team/app"]\n}\n')
    shared = POD.partition("      command")[0].replace("spec:", "spec:\n  shareProcessNamespace: true")
    put("pod.yaml", shared.replace("debian:12", "team/app"))
    found = json.loads(run("-f", "json", "Dockerfile", "pod.yaml").out)["diagnostics"]
    assert [(d["code"], d["severity"]) for d in found if not d["deployment"]] == [("PID301", "info")]
    assert found[0]["notes"][-1]["message"] == (
        "container app of Pod shop shares a PID namespace, in which another process is PID 1"
    )


def test_a_dockerfile_finds_the_base_that_is_built_next_door(run: Run) -> None:
    put("base/Dockerfile", 'FROM debian:12\nENTRYPOINT ["sh", "-c", "server; true"]\n')
    put("app/Dockerfile", "FROM team/base\nRUN true\n")
    put("compose.yaml", "services: {base: {build: base, image: 'team/base:1'}}\n")
    launch = json.loads(run("trace", "-f", "json", "app/Dockerfile").out)["launches"][0]
    assert (launch["entrypoint"], launch["outcome"]) == (["sh", "-c", "server; true"], "hang")


@pytest.mark.parametrize(
    ("signal", "severity"),
    [
        pytest.param("SIGINT", "info", id="a signal that ends it"),
        pytest.param("SIGHUP", "error", id="one that does not"),
    ],
)
def test_a_stop_signal_mends_what_other_stages_share(run: Run, signal: str, severity: str) -> None:
    put("Dockerfile", 'FROM python:3.12 AS builder\nCOPY app.py /\nCMD ["python", "/app.py"]\nFROM builder\nRUN true\n')
    put("app.py", "import time\ntime.sleep(1000)\n")
    put("compose.yaml", f"services: {{web: {{build: {{context: ., target: builder}}, stop_signal: {signal}}}}}\n")
    found = json.loads(run("-f", "json", "--select", "PID301").out)["diagnostics"]
    own = [(each["severity"], [note["message"] for note in each["notes"]]) for each in found if not each["deployment"]]
    assert own == [(severity, ["service web stops with SIGINT"] if severity == "info" else [])]


def test_a_configured_image_is_built_from_its_dockerfile(run: Run) -> None:
    put("app/Dockerfile", 'FROM debian:12\nCMD ["server"]\n')
    put("pid1lint.toml", '[images."team/app"]\ndockerfile = "app/Dockerfile"\n')
    put("compose.yaml", "services: {web: {image: 'team/app:1'}}\n")
    launch = json.loads(run("trace", "-f", "json", "compose.yaml").out)["launches"][0]
    assert (launch["dockerfile"], launch["cmd"]) == ("app/Dockerfile", ["server"])


# A start on a Dockerfile


def test_a_dockerfile_is_checked_without_a_reader_of_yaml(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    put("Dockerfile", 'FROM team/unknown\nCMD ["server"]\n')
    for name in [name for name in sys.modules if name == "yaml" or name.startswith("pid1lint.deploy")]:
        monkeypatch.delitem(sys.modules, name)
    assert run().code == 0
    assert not [name for name in sys.modules if name == "yaml" or name.startswith("pid1lint.deploy.")]


def test_no_comment_is_written_into_a_text_of_several_lines(run: Run) -> None:
    text = "services:\n  web:\n    image: debian:12\n    command:\n      - sh\n      - -c\n      - >-\n        cd /a\n"
    put("compose.yaml", text + "        && gunicorn app\n")
    outcome = run("--add-ignores")
    assert outcome.code == 2
    assert "compose.yaml: there is no place for a comment for PID102" in outcome.err
    assert Path("compose.yaml").read_text() == text + "        && gunicorn app\n"


def test_a_script_in_a_configmap_is_mended_where_it_stands(run: Run) -> None:
    text = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: scripts}
data:
  start.sh: |
    #!/bin/sh
    set -e
    gunicorn app
---
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  containers:
    - name: app
      image: debian:12
      command: [/scripts/start.sh]
      volumeMounts: [{name: s, mountPath: /scripts}]
  volumes:
    - name: s
      configMap: {name: scripts, defaultMode: 0755}
"""
    put("pod.yaml", text)
    assert run("--fix", "pod.yaml").code == 0
    assert Path("pod.yaml").read_text() == text.replace("    gunicorn", "    exec gunicorn")


def test_what_every_deployment_mends_is_not_mended_again(run: Run) -> None:
    put("Dockerfile", 'FROM python:3.12\nCOPY app.py /\nCMD ["python", "/app.py"]\n')
    put("app.py", "import http.server\nhttp.server.test()\n")
    put("compose.yaml", "services:\n  web: {build: ., init: true}\n")
    assert "STOPSIGNAL" not in run("--diff", "--unsafe-fixes", ".").out


def test_a_stop_signal_for_the_image_leaves_other_programs_theirs(run: Run) -> None:
    put("app/Dockerfile", 'FROM python:3.12\nCOPY app.py /\nCMD ["python", "/app.py"]\n')
    put("app/app.py", "import http.server\nhttp.server.test()\n")
    put("compose.yaml", "services:\n  web:\n    build: app\n    command: gunicorn app:app\n")
    assert run("--fix", "--unsafe-fixes", ".").code == 0
    assert "STOPSIGNAL SIGINT\n" in Path("app/Dockerfile").read_text()
    assert Path("compose.yaml").read_text().endswith("    command: gunicorn app:app\n    stop_signal: SIGTERM\n")
    assert not run("--diff", "--unsafe-fixes", ".").out


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: " + "[" * 100_000, id="deep nesting"),
        pytest.param("services:\n  web: &w {<<: *w}\n", id="a mapping that merges itself"),
        pytest.param("services:\n" + "  a: {image: x}\n" * 20_000, id="a key again and again"),
        pytest.param(
            "services:\n" + "".join(f"  s{n}: {{image: x, extends: s{n + 1}}}\n" for n in range(300)),
            id="a long chain of extends",
        ),
        pytest.param("include: [compose.yaml]\nservices: {a: {image: x}}\n", id="a file that includes itself"),
        pytest.param("services:\n  a:\n    image: x\n    command: " + "${X:-" * 5000 + "\n", id="defaults of defaults"),
        pytest.param("services:\n  a: {image: '" + "x" * 1_000_000 + "', build: ../../../../..}\n", id="a long name"),
        pytest.param("services: {a: {build: {context: ., dockerfile: /etc/passwd}}}\n", id="a path that leads out"),
        pytest.param("services: {1: {image: 1}, ? [a]: {}, ~: ~, c: [], d: {image: {}, command: {}}}\n", id="no words"),
    ],
)  # fmt: skip
def test_hostile_files_come_to_an_end_without_a_crash(run: Run, text: str) -> None:
    put("compose.yaml", text)
    outcome = run("compose.yaml")
    assert outcome.code in (0, 1)
    assert "internal error" not in outcome.err + outcome.out


def test_a_file_that_is_too_large_is_a_finding(run: Run) -> None:
    put("compose.yaml", "services: {a: {image: x}}\n" + "#" * 6_000_000)
    assert "compose.yaml:1:1: PID902 compose.yaml is larger than 5 MB" in run("-f", "concise", "compose.yaml").out


def test_yaml_that_runs_nothing_is_passed_over(run: Run) -> None:
    put("values.yaml", "x: [\n")
    put(".hidden.yml", "repos:\n")
    assert run("values.yaml", ".hidden.yml") == (0, "", "No Dockerfile found: nothing to check.\n")
