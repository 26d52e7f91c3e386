"""What fuzzing begins with: the examples of the rule pages and of the tests, and small files of each other format."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache

from pid1lint import registry
from pid1lint.deploy.kinds import kind_of
from tests.fuzz.case import Case, File
from tests.test_adversarial import CASES
from tests.test_rule_pages import all_cases

_SCRIPT = "#!/bin/sh\nset -e\njava -jar app.jar\n"
_IMAGE = {"Dockerfile": 'FROM debian:12\nCOPY run.sh /\nENTRYPOINT ["/run.sh"]\nCMD ["a"]\n', "run.sh": _SCRIPT}

_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  terminationGracePeriodSeconds: 5
  shareProcessNamespace: true
  containers:
    - name: web
      image: debian:12
      command: ["sh", "-c"]
      args:
        - |
          cd /srv
          gunicorn app:app
      lifecycle:
        preStop: {exec: {command: ["sleep", "5"]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  template:
    spec:
      initContainers: [{name: i, image: busybox, command: [sh, -c, "sleep 1"]}]
      containers:
        - {name: web, image: team/app, args: [sh, -c, 'server; true'], volumeMounts: [{name: s, mountPath: /run.sh}]}
      volumes: [{name: s, configMap: {name: scripts}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: scripts}
data:
  run.sh: |
    #!/bin/sh
    server
"""

_COMPOSE = """\
x-all: &all
  init: true
  stop_grace_period: 1m30s
services:
  web:
    <<: *all
    build: {context: ., dockerfile: Dockerfile, target: prod, args: [A=1]}
    image: team/app:${TAG:-1}
    command: sh -c "gunicorn app; true"
    entrypoint: ["/run.sh", "--"]
    stop_signal: SIGQUIT
    env_file: [app.env]
    environment: {A: b}
    volumes: [./run.sh:/run.sh:ro]
  db:
    extends: {service: web, file: compose.yaml}
    profiles: [x]
    depends_on: [web]
    command: >-
      server
      --port 80
include: [other.yaml]
"""

_BAKE = """\
variable "TAG" { default = "1" }
group "default" { targets = ["app"] }
target "_common" {
  args = { A = "1" }
}
target "app" {
  inherits = ["_common"]
  target = "prod"
  matrix = { v = ["1", "2"] }
  name = "app-${v}"
  dockerfile-inline = <<EOT
FROM debian:12
CMD cd / && server
EOT
  contexts = { base = "target:base" }
  tags = ["team/app:${TAG}", lower("X")]
}
"""

_QUADLET = """\
[Unit]
Description=Shop

[Container]
Image=debian:12
Entrypoint=["/run.sh", "--"]
Exec=sh -c "gunicorn app; true" \\
  %h $HOME
# pid1lint: ignore[PID102]
StopSignal=SIGQUIT
StopTimeout=20
RunInit=true
Environment=A=1 "B=two words"
Volume=./run.sh:/run.sh:ro
PodmanArgs=--pid=host --stop-timeout 5
"""

_TASK = {
    "family": "shop",
    "containerDefinitions": [
        {
            "name": "web",
            "image": "debian:12",
            "entryPoint": ["sh", "-c"],
            "command": ["cd /srv && gunicorn app"],
            "stopTimeout": 30,
            "linuxParameters": {"initProcessEnabled": True},
            "environment": [{"name": "A", "value": "b"}],
        }
    ],
}

_CONFIGURATION = """\
select = ["PID", "no-init"]
ignore = ["PID501"]
exclude = ["*.bak", "!a/**/b", "[a-c]?"]
fail-on = "error"
init = "tini"
format = "concise"
baseline = "known.json"

[severity]
PID201 = "error"

[per-file-ignores]
"*.sh" = ["PID3", "missing-exec"]

[context]
"**/Dockerfile" = "."

[programs.java]
handles = ["TERM"]
arguments = "-jar .*"
foreground = true

[images."team/base"]
entrypoint = ["/run.sh"]
sh = "dash"
"""


def _image(name: str, text: str, **others: str) -> dict[str, str]:
    return {**_IMAGE, name: text, **others}


def _pages() -> Iterator[dict[str, File]]:
    for rule in registry.all_rules():
        for case in all_cases(rule):
            yield {
                name: File(file.text.encode("utf-8", "surrogateescape"), file.mode) for name, file in case.files.items()
            }


def _others() -> Iterator[tuple[str, Mapping[str, str]]]:
    yield "yaml", _image("pod.yaml", _POD)
    yield "yaml", _image("compose.yaml", _COMPOSE, **{"other.yaml": "services: {a: {image: a}}\n", "app.env": "A=b\n"})
    yield "hcl", _image("docker-bake.hcl", _BAKE)
    yield "hcl", _image("docker-bake.json", '{"target": {"app": {"tags": ["a:${T}"]}}, "variable": {"T": {}}}')
    yield "quadlet", _image("shop.container", _QUADLET)
    yield "ecs", _image("task.json", json.dumps(_TASK, indent=2))
    yield "config", _image("pid1lint.toml", _CONFIGURATION)
    yield "config", _image("pyproject.toml", "[tool.pid1lint]\nselect = ['all']\nseverity.PID201 = 'info'\n")
    ignored = "# all\n*\n!run.sh\n!/Dockerfile\na/**/b\n\\#x\n[!a]?\nx \\ \n"
    yield "ignores", _image(".dockerignore", ignored, Dockerfile='FROM debian:12\nCOPY . /\nCMD ["/run.sh"]\n')
    yield "ignores", _image(".gitignore", ignored, **{"a/Dockerfile": "FROM debian:12\nCMD a b\n"})
    known = {"version": 1, "findings": [{"path": "run.sh", "code": "PID201", "message": "a", "fingerprint": "b" * 16}]}
    yield "baseline", _image("known.json", json.dumps(known, indent=2))
    comments = "FROM debian:12\n# pid1lint: ignore[PID101, no-init]\nCMD cd / && a\n# pid1lint: ignore-file[PID3]\n"
    yield "ignores", {"Dockerfile": comments}


WHAT = ("dockerfile", "script", "yaml", "hcl", "quadlet", "ecs", "config", "ignores", "baseline")
"""What can be fuzzed; each has seeds of its own."""


@cache
def seeds(what: str) -> tuple[Case, ...]:
    """The cases to begin with."""
    found = [
        Case({name: File(text.encode(), 0o755 if name.endswith(".sh") else 0o644) for name, text in files.items()})
        for kind, files in _others()
        if kind == what
    ]
    others = (files for files in (*_pages(), *_adversarial()) if what in _kinds(files))
    return (*found, *map(Case, others))


def _adversarial() -> Iterator[dict[str, File]]:
    for case in CASES:
        files = case.example.files
        yield {name: File(file.text.encode("utf-8", "surrogateescape"), file.mode) for name, file in files.items()}


def _kinds(files: Mapping[str, File]) -> Iterator[str]:
    """What a case is good for."""
    if any(
        kind_of(name, file.data.decode("utf-8", "replace")) in ("compose", "kubernetes") for name, file in files.items()
    ):
        yield "yaml"
    elif any(file.data.startswith(b"#!") for file in files.values()):
        yield "script"
    else:
        yield "dockerfile"


def target(what: str, name: str, data: bytes) -> bool:
    """Whether a file is one of those that are changed most."""
    base = name.rpartition("/")[2]
    match what:
        case "script":
            return data.startswith(b"#!")
        case "yaml":
            return base.endswith((".yaml", ".yml"))
        case "hcl":
            return base.startswith("docker-bake")
        case "quadlet":
            return base.endswith(".container")
        case "ecs":
            return base.endswith(".json")
        case "config":
            return base.endswith(".toml")
        case "ignores":
            return base.endswith("ignore") or "ockerfile" in base
        case "baseline":
            return base.endswith(".json")
    return "ockerfile" in base
