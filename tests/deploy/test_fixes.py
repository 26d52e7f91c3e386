"""Fixes in YAML keep all that is written, and are only made where the file says what is meant afterwards."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from pid1lint import deployed, linter, registry
from pid1lint.deploy import gate
from pid1lint.deploy.project import Project
from pid1lint.diagnostic import Diagnostic
from pid1lint.fix import Edit
from pid1lint.fixer import OverlayContext, accepts, repair
from pid1lint.image.context import BuildContext
from pid1lint.source import Source, Span


def mended(text: str, *select: str, path: str = "compose.yaml", **files: str) -> str:
    """A Compose file, or another, after all fixes, safe and unsafe."""
    context = BuildContext.of({path: text, **files})

    def lint(changed: Mapping[str, Source]) -> tuple[Diagnostic, ...]:
        rules = registry.chosen(select, ())
        return deployed.judge(path, Project(OverlayContext(context, changed)), rules, deployed.Wanted()).diagnostics

    done = repair(lint, lambda fix, after: linter.refusal(fix, after, path), accepts(unsafe=True))
    assert not done.refusals, done.refusals
    return next((change.after.text for change in done.changes if change.after.path == path), text)


def service(*lines: str) -> str:
    return "services:\n  web:\n    image: debian:12 # pinned\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            ('command: sh -c "gunicorn app"   # why', "ports: [80]"),
            ('command: sh -c "exec gunicorn app"   # why', "ports: [80]"),
            id="in a string",
        ),
        pytest.param(
            ("command: ['sh', '-c', 'cd /a && gunicorn app']",),
            ("command: ['sh', '-c', 'cd /a && exec gunicorn app']",),
            id="in single quotes",
        ),
        pytest.param(
            ('command: ["sh", "-c", "gunicorn app"]',), ('command: ["gunicorn", "app"]',), id="out of the shell"
        ),
        pytest.param(
            ("command:", "  - sh", "  - -c", "  - cd /a && gunicorn app # keep"),
            ("command:", "  - sh", "  - -c", "  - cd /a && exec gunicorn app # keep"),
            id="plain in a list",
        ),
        pytest.param(
            ("command:", "  - sh", "  - -c", "  - |", "    # start", "    cd /a", "    gunicorn app"),
            ("command:", "  - sh", "  - -c", "  - |", "    # start", "    cd /a", "    exec gunicorn app"),
            id="in a literal block",
        ),
        pytest.param(
            ("command:", "  - sh", "  - -c", "  - >-", "    cd /a &&", "    gunicorn app"),
            ("command:", "  - sh", "  - -c", "  - >-", "    cd /a &&", "    exec gunicorn app"),
            id="in a folded block",
        ),
    ],
)
def test_exec_is_put_where_it_belongs(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    assert mended(service(*before), "PID102") == service(*after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            ("command: migrate && server # keep",),
            ('command: ["sh", "-c", "migrate && exec server"] # keep',),
            id="a second command",
        ),
        pytest.param(
            ("command: 'server --bind \":$$PORT\" 2>&1'",),
            ('command: ["sh", "-c", "exec server --bind \\":$$PORT\\" 2>&1"]',),
            id="a variable and a redirection",
        ),
        pytest.param(
            ("entrypoint: cd /app && exec server",), ('entrypoint: ["sh", "-c", "cd /app && exec server"]',), id="exec"
        ),
        pytest.param(
            ("entrypoint: migrate && server", "command: --x"),
            ("entrypoint: migrate && server", "command: --x"),
            id="arguments would be lost",
        ),
        pytest.param(
            ("command: migrate && cd /app",), ("command: migrate && cd /app",), id="a builtin cannot be the app"
        ),
        pytest.param(("command: a || server",), ("command: a || server",), id="either of two"),
    ],
)
def test_a_string_that_was_meant_for_a_shell_becomes_a_list(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    assert mended(service(*before), "PID105") == service(*after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(("command: ['it -x']",), ("command: ['it', '-x']",), id="in single quotes"),
        pytest.param(('command: ["a b", "c"] # keep',), ('command: ["a", "b", "c"] # keep',), id="in double quotes"),
        pytest.param(("command: [a -p 80]",), ('command: [a, -p, "80"]',), id="plain"),
        pytest.param(("command:", "- a yes # keep", "- c"), ("command:", "- a", '- "yes" # keep', "- c"), id="a list"),
        pytest.param(("entrypoint:", '  -   "a b"'), ("entrypoint:", '  -   "a"', '  -   "b"'), id="an indented list"),
        pytest.param(("command:", "- a $$X"), ("command:", "- a $$X"), id="a variable"),
        pytest.param(("command:", "- a", "  b"), ("command:", "- a", "  b"), id="several lines"),
    ],
)
def test_one_word_becomes_several_items(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    assert mended(service(*before), "PID108") == service(*after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("sh -c gunicorn app", "sh -c 'exec gunicorn' app", id="plain"),
        pytest.param('"sh -c gunicorn"', "\"sh -c 'exec gunicorn'\"", id="in double quotes"),
        pytest.param("'sh -c gunicorn'", "'sh -c gunicorn'", id="in single quotes"),
    ],
)
def test_exec_stays_in_one_word_with_what_it_starts(before: str, after: str) -> None:
    assert mended(service(f"command: {before}"), "PID102") == service(f"command: {after}")


def test_an_init_is_let_in_by_compose_and_not_installed() -> None:
    files = {"Dockerfile": 'FROM node:22\nCOPY app.js /\nCMD ["node", "/app.js"]\n'}
    files["app.js"] = 'require("http").createServer((q, s) => s.end()).listen(80);\n'
    text = "services:\n  web:\n    build: .\n    command: [node, /app.js] # run\n    ports: [80]\n"
    expected = text.replace("# run\n", "# run\n    init: true\n")
    assert mended(text, "PID301", **files) == expected


def test_a_stop_signal_is_set_by_compose() -> None:
    files = {"app.py": "import http.server\nhttp.server.test()\n"}
    text = (
        "services:\n  web:\n    image: python:3.12\n    volumes: ['./app.py:/app.py']\n    command: [python, /app.py]\n"
    )
    assert mended(text, "PID301", **files) == text + "    stop_signal: SIGINT\n"


@pytest.mark.parametrize(
    ("image", "before", "after"),
    [
        pytest.param("nginx:1.25", "TERM # why", "SIGQUIT # why", id="another than the program wants"),
        pytest.param("nginx:1.25", '"9"', "SIGQUIT", id="a number in quotes"),
        pytest.param("debian:12\n    command: server", "KILL", "SIGTERM", id="a program of which nothing is known"),
        pytest.param("debian:12\n    command: sleep 1d", "KILL", "KILL", id="a program that stays on SIGTERM"),
    ],
)
def test_a_stop_signal_that_is_set_is_mended(image: str, before: str, after: str) -> None:
    text = f"services:\n  web:\n    image: {image}\n    stop_signal: "
    assert mended(f"{text}{before}\n", "PID501", "PID503") == f"{text}{after}\n"


def test_many_fixes_of_one_file_are_made_together() -> None:
    text = "services:\n" + "".join(
        f"  s{n}:\n    image: debian:12\n    command: sh -c 'cd /a; server'\n" for n in range(30)
    )
    assert mended(text, "PID102") == text.replace("server'", "exec server'")


def test_an_anchor_that_others_use_is_left_alone() -> None:
    text = "x: &x [sh, -c, 'cd /a && gunicorn app']\nservices:\n"
    text += "".join(f"  {name}: {{image: 'debian:12', command: *x}}\n" for name in "ab")
    assert mended(text) == text


def test_a_generated_manifest_is_left_alone() -> None:
    container = "{name: c, image: 'debian:12', command: [sh, -c, 'cd /a && gunicorn app']}"
    text = "# Source: chart/templates/x.yaml\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
    text += f"spec:\n  containers:\n    - {container}\n"
    project = Project(BuildContext.of({"x.yaml": text}))
    result = deployed.judge("x.yaml", project, registry.chosen((), ()), deployed.Wanted())
    assert [(each.code, each.fix) for each in result.diagnostics] == [("PID102", None)]


# The gate


SOURCE = Source("x.yaml", 'a: word # c\nb: ["x", y]\nc: "q\\tr"\nd: &d one\ne: *d\nf:\n  g: 1\n')


def edited(old: str, new: str) -> tuple[list[Edit], Source]:
    start = SOURCE.text.index(old)
    span = Span(start, start + len(old))
    text = SOURCE.text[: span.start] + new + SOURCE.text[span.end :]
    return [Edit(SOURCE, span, new)], Source("x.yaml", text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("word", "exec word", id="a plain word"),
        pytest.param("q\\t", "exec q\\t", id="in double quotes"),
        pytest.param('"x"', '"x", "z"', id="an item more"),
    ],
)
def test_what_is_meant_may_be_made(old: str, new: str) -> None:
    edits, after = edited(old, new)
    assert gate.refusal(edits, SOURCE, after) is None


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        pytest.param("word", "exec: word", "x.yaml would no longer be valid YAML", id="no YAML"),
        pytest.param("word", "exec # word", "x.yaml would change in another way than intended", id="a comment"),
        pytest.param("word", "~", "x.yaml would change in another way than intended", id="a null"),
        pytest.param("one", "exec one", "an anchor of x.yaml repeats it elsewhere", id="an anchor"),
        pytest.param(
            "f:\n", "f:\n  h: 1\n", "x.yaml would change in another way than intended", id="more than is said"
        ),
    ],
)
def test_what_is_not_meant_is_refused(old: str, new: str, reason: str) -> None:
    edits, after = edited(old, new)
    assert gate.refusal(edits, SOURCE, after) == reason


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("gunicorn ${X:-app}", "exec gunicorn ${X:-app}", id="behind it"),
        pytest.param("${X:-cd /a && gunicorn app}", "${X:-cd /a && gunicorn app}", id="in it"),
    ],
)
def test_what_a_variable_stands_for_is_not_edited(before: str, after: str) -> None:
    text = service(f'command: ["sh", "-c", "{before}"]')
    assert mended(text, "PID102") == text.replace(before, after)


def test_a_service_on_one_line_is_given_a_setting() -> None:
    text = 'services: {web: {image: "node:22", volumes: ["./s.js:/s.js"], command: [node, /s.js]}}\n'
    app = 'require("http").createServer((q, s) => s.end()).listen(80);\n'
    assert mended(text, "PID301", **{"s.js": app}) == text.replace("s.js]}", "s.js], init: true}")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param(
            "pod.yaml",
            "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [CONTAINER]}}\n",
            id="kubernetes",
        ),
        pytest.param("task.json", '{"containerDefinitions": [CONTAINER]}\n', id="ecs"),
    ],
)
def test_a_format_without_such_a_setting_is_given_none(path: str, text: str) -> None:
    text = text.replace(
        "CONTAINER", '{"name": "a", "image": "python:3.12", "command": ["python", "-m", "http.server"]}'
    )
    assert mended(text, "PID301", "PID503", path=path) == text


def test_a_setting_in_json_stays_json() -> None:
    container = '{"name": "a", "image": "debian:12", "command": ["gunicorn", "--graceful-timeout", "60"]}'
    pod = f'{{"apiVersion": "v1", "kind": "Pod", "spec": {{"containers": [{container}]}}}}\n'
    after = json.loads(mended(pod, "PID601", path="pod.json"))
    assert after["spec"]["terminationGracePeriodSeconds"] == 65


def test_the_mode_of_a_script_in_json_is_a_number_of_json() -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "spec": {
            "containers": [
                {
                    "name": "a",
                    "image": "debian:12",
                    "command": ["/s/a.sh"],
                    "volumeMounts": [{"name": "s", "mountPath": "/s"}],
                }
            ],
            "volumes": [{"name": "s", "configMap": {"name": "m"}}],
        },
    }
    scripts = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "m"},
        "data": {"a.sh": "#!/bin/sh\nexec a\n"},
    }
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod, scripts]}, indent=2)
    after = json.loads(mended(text, "PID606", path="pod.json"))
    assert after["items"][0]["spec"]["volumes"][0]["configMap"]["defaultMode"] == 0o755
