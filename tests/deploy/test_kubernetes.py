"""Containers are found wherever a pod's template stands, with what else their input says of them."""

from __future__ import annotations

import pytest

from pid1lint.deploy import read
from pid1lint.deployment import UNKNOWN
from tests.deploy.stage import deployments, judged, project

POD = """\
      containers:
        - name: app
          image: team/app:1
"""


def pod(container: str) -> str:
    return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{name: c, {container}}}]}}\n"


@pytest.mark.parametrize(
    ("kind", "indent", "above"),
    [
        pytest.param("Deployment", "", "spec:\n  template:\n    spec:\n", id="Deployment"),
        pytest.param("StatefulSet", "", "spec:\n  template:\n    spec:\n", id="StatefulSet"),
        pytest.param("DaemonSet", "", "spec:\n  template:\n    spec:\n", id="DaemonSet"),
        pytest.param("ReplicaSet", "", "spec:\n  template:\n    spec:\n", id="ReplicaSet"),
        pytest.param("Job", "", "spec:\n  template:\n    spec:\n", id="Job"),
        pytest.param("CronJob", "", "spec:\n jobTemplate:\n  spec:\n   template:\n    spec:\n", id="CronJob"),
        pytest.param("Rollout", "", "spec:\n  template:\n    spec:\n", id="an Argo Rollout"),
        pytest.param("Service", "", "spec:\n  template:\n    spec:\n", id="a Knative Service"),
        pytest.param("Pod", "", "spec:\n", id="Pod"),
    ],
)
def test_a_container_is_found_in(kind: str, indent: str, above: str) -> None:
    text = f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: shop}}\n{above}{POD}"
    (found,) = deployments({"x.yaml": text}, "x.yaml").values()
    assert (found.name, found.label) == (f"{kind}/shop/app", f"container app of {kind} shop")
    assert found.image is not None and found.image.text == "team/app:1"
    assert (found.brief, found.grace) == (kind in ("Job", "CronJob"), 30)


def test_the_items_of_a_list_are_found() -> None:
    item = "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: x}]}}"
    text = f"apiVersion: v1\nkind: List\nitems:\n- {item}\n"
    assert set(deployments({"x.yaml": text}, "x.yaml")) == {"Pod/a/c"}


def test_what_decides_over_a_launch_is_read() -> None:
    text = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {LEVEL: info, run.sh: "#!/bin/sh"}
---
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  shareProcessNamespace: true
  terminationGracePeriodSeconds: 60
  securityContext: {runAsUser: 1000}
  containers:
    - name: app
      image: x
      command: ["/bin/$(NAME)", "$$(NAME)", "$(NOT_SET)"]
      args: ["--level=$(LEVEL)"]
      workingDir: /srv
      env:
        - {name: NAME, value: server}
        - {name: SECRET, valueFrom: {secretKeyRef: {name: s, key: k}}}
        - {name: ONE, valueFrom: {configMapKeyRef: {name: settings, key: LEVEL}}}
      envFrom: [{configMapRef: {name: settings}}]
      lifecycle:
        stopSignal: SIGQUIT
        preStop: {exec: {command: [sh, -c, sleep 5]}}
      volumeMounts:
        - {name: scripts, mountPath: /scripts}
        - {name: scripts, mountPath: /one.sh, subPath: two.sh}
        - {name: other, mountPath: /other}
  volumes:
    - name: scripts
      configMap: {name: settings, defaultMode: 0755, items: [{key: run.sh, path: two.sh}]}
    - {name: other, configMap: {name: elsewhere}}
"""
    (found,) = deployments({"x.yaml": text}, "x.yaml").values()
    override = found.override
    assert override.entrypoint is not None
    assert override.command is not None
    assert [word.text for word in override.entrypoint.words] == ["/bin/server", "$(NAME)", "$(NOT_SET)"]
    assert [word.text for word in override.command.words] == ["--level=info"]
    assert override.env.values["SECRET"] == UNKNOWN
    assert override.env.values["ONE"] == "info"
    assert override.user is not None
    assert override.stop_signal is not None
    assert (found.grace, override.user.text, override.stop_signal.text) == (60, "1000", "SIGQUIT")
    assert override.pid is not None
    assert (override.pid.kind, override.hooks[0].kind) == ("pod", "exec")
    scripts, one, other = override.mounts
    assert [(each.name, each.mode) for each in (*scripts.payloads, *one.payloads)] == [("two.sh", 0o755)] * 2
    assert (scripts.single, one.single, other.kind) == (False, True, "unknown")


def test_a_configmap_may_stand_in_a_file_beside() -> None:
    pod = """\
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  containers: [{name: app, image: x, volumeMounts: [{name: v, mountPath: /v}]}]
  volumes: [{name: v, configMap: {name: m}}]
"""
    files = {"k/pod.yaml": pod, "k/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: b}\n"}
    (found,) = deployments(files, "k/pod.yaml").values()
    assert [mount.kind for mount in found.override.mounts] == ["files"]
    (unsure,) = deployments({**files, "k/other.yaml": files["k/map.yaml"]}, "k/pod.yaml").values()
    assert [mount.kind for mount in unsure.override.mounts] == ["unknown"]


def test_the_configmap_of_the_same_file_goes_first() -> None:
    made = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {}}}\ndata: {{a: {}}}\n---\n"
    pod = """\
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  containers:
    - name: app
      image: x
      env:
        - {name: M, valueFrom: {configMapKeyRef: {name: m, key: a}}}
        - {name: N, valueFrom: {configMapKeyRef: {name: n, key: a}}}
"""
    files = {"pod.yaml": made.format("m", "own") + pod, "z.yaml": made.format("m", "theirs") + made.format("n", "b")}
    (found,) = deployments(files, "pod.yaml").values()
    assert found.override.env.values == {"M": "own", "N": "b"}


def test_init_containers_are_not_stopped_but_sidecars_are() -> None:
    text = """\
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  initContainers:
    - {name: migrate, image: x}
    - {name: proxy, image: x, restartPolicy: Always}
  containers: [{name: app, image: x}]
"""
    found = deployments({"x.yaml": text}, "x.yaml")
    assert {each.label: each.runs for each in found.values()} == {
        "init container migrate of Pod shop": False,
        "sidecar proxy of Pod shop": True,
        "container app of Pod shop": True,
    }


def test_an_empty_command_leaves_the_images() -> None:
    (found,) = deployments({"x.yaml": pod("image: x, command: [], args: []")}, "x.yaml").values()
    assert not found.override.changes_argv


def test_placeholders_of_templates_are_unknown() -> None:
    (found,) = deployments({"x.yaml": pod("image: '${IMAGE}', args: ['{{ .x }}']")}, "x.yaml").values()
    assert found.image is not None and found.image.text == UNKNOWN
    assert found.override.command is not None
    assert [word.text for word in found.override.command.words] == [UNKNOWN]


def test_the_output_of_helm_is_known_for_what_it_is() -> None:
    text = f"---\n# Source: shop/templates/x.yaml\napiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n{POD}"
    (found,) = deployments({"x.yaml": text}, "x.yaml").values()
    assert found.generated


def test_a_template_is_left_alone() -> None:
    text = "apiVersion: v1\nkind: Pod\nspec:\n{{- if .Values.x }}\n  containers: [{name: a}]\n{{- end }}\n"
    assert deployments({"x.yaml": text}, "x.yaml") == {}


def test_a_template_that_is_yaml_by_chance_is_left_alone() -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  nodeName: {{ .Values.node }}\n" + POD[4:]
    assert deployments({"x.yaml": text.replace("      ", "  ")}, "x.yaml") == {}


def test_the_templates_of_a_chart_are_left_alone() -> None:
    files = {"shop/Chart.yaml": "name: shop\n", "shop/templates/x.yaml": pod("image: x")}
    assert deployments(files, "shop/templates/x.yaml") == {}


def test_a_row_of_json_texts_is_read_as_kubectl_reads_it() -> None:
    service = '{"kind": "Service", "apiVersion": "v1", "metadata": {"name": "web"}, "spec": {}}'
    pod = (
        '{\n  "kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web"},\n  "spec": {"containers": [\n'
        '    {"name": "app", "image": "debian:12", "command": ["sh", "-c", "server; true"]}\n  ]}\n}'
    )
    found = judged({"pod.json": f"{service}\n{pod}\n"}, "pod.json").diagnostics
    assert [(d.code, d.at.start.line) for d in found] == [("PID102", 5)]
    torn = judged({"pod.json": f"{service}\n{pod}\n}}\n"}, "pod.json").diagnostics
    assert [d.code for d in torn] == ["PID901"]


def test_json_with_lines_that_envsubst_fills_in_is_a_template() -> None:
    one = '{"kind": "Pod", "apiVersion": "v1", "spec": {\n  "securityContext": {\n    $CONTEXT\n  },\n'
    text = f'{one}  "containers": []}}}}\n{{"kind": "Service", "apiVersion": "v1"}}\n'
    assert judged({"pod.json": text}, "pod.json").diagnostics == ()
    assert read.content("pod.json", project({"pod.json": text})).note == "a template, not yet YAML"
