"""Inputs made to be slow or large: each of a megabyte at most is answered within seconds and in bounded memory."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SECONDS = 4
"""Of processor time; alone on a machine none takes two."""
MEGABYTES = 300
MANY = 60_000
BASE = "FROM debian:12\n"
APP = 'CMD ["java", "-jar", "app.jar"]\n'


def shapes() -> Iterator[tuple[str, dict[str, str]]]:
    for count in (9_000, MANY):
        lines = {
            "env": (f"ENV A{at}=b\n" for at in range(count)),
            "one variable": (f"ENV A=b{at}\n" for at in range(count)),
            "values made of values": (f"ENV A=$A$A{at % 10}\n" for at in range(count)),
            "arg": (f"ARG A{at}=b\n" for at in range(count)),
            "workdir": ("WORKDIR abc\n" for _ in range(count)),
            "cmd": ("CMD app\n" for _ in range(count)),
            "cmd with comments": ("# hadolint ignore=DL3025\nCMD app\n" for _ in range(count // 2)),
            "user": ("USER a\n" for _ in range(count)),
            "copy": ("COPY . /a\n" for _ in range(count)),
            "copy by pattern": ("COPY *.sh /a/\n" for _ in range(count)),
            "links": (f"RUN ln -s /l{at} /l{at + 1}\n" for at in range(count // 2)),
            "heredocs": ("RUN <<E\nE\n" for _ in range(count)),
            "unknown": ("RUNN a\n" for _ in range(count)),
            "stages": (f"FROM debian:12 AS s{at}\n" for at in range(count // 2)),
            "stages on stages": (f"FROM {'debian' if not at else f's{at - 1}'} AS s{at}\n" for at in range(count // 2)),
            "copies between stages": (f"FROM a AS s{at}\nCOPY --from=s{at - 1} /a /a\n" for at in range(count // 3)),
        }
        chosen = lines if count < MANY else {name: lines[name] for name in ("env", "heredocs", "stages", "workdir")}
        yield from (
            (f"{name}, {count} lines", {"Dockerfile": BASE + "".join(text) + APP}) for name, text in chosen.items()
        )
    appended = "RUN echo '#!/bin/sh' > /e.sh\n" + "RUN echo x=1 >> /e.sh\n" * 2000 + 'ENTRYPOINT ["/e.sh"]\n'
    yield "a file that is appended to", {"Dockerfile": BASE + appended}
    chained = "RUN " + " && ".join(["echo x=1 >> /e.sh"] * 3000) + '\nENTRYPOINT ["/e.sh"]\n'
    yield "a file that is appended to in one line", {"Dockerfile": BASE + chained}
    yield "blank lines", {"Dockerfile": BASE + "\n" * 900_000 + APP}
    yield "comments", {"Dockerfile": BASE + "# a\n" * 250_000 + APP}
    comment = "# pid1lint: ignore[PID101]\n"
    yield "ignore comments", {"Dockerfile": BASE + comment * 35_000 + "CMD app\n"}
    yield "ignore comments before lines", {"Dockerfile": BASE + (comment + "USER a\n") * 9_000 + "CMD app\n"}
    yield (
        "ignore comments in a line",
        {"Dockerfile": BASE + "RUN a \\\n" + (comment + " b \\\n") * 20_000 + " c\n" + APP},
    )
    yield "ignore comments for the file", {"Dockerfile": BASE + comment.replace("[", "-file[") * 30_000 + "CMD app\n"}
    mistyped = "".join(f"# pid1lint: ignore[w{at}]\n" for at in range(15_000))
    yield "ignore comments that are wrong", {"Dockerfile": BASE + mistyped + "CMD app\n"}
    script = {"Dockerfile": BASE + 'COPY --chmod=755 e.sh /\nCMD ["/e.sh"]\n', "e.sh": "#!/bin/sh\nexec java\n"}
    yield from tangled(script)
    yield from counted()
    yield ".gitignore", {**script, ".gitignore": "a*b?c*\n" * 100_000}
    yield ".dockerignore", {**script, ".dockerignore": "*a*b?c*d\n" * 100_000}
    yield ".dockerignore of folders", {**script, ".dockerignore": "**/" * 300_000 + "a\n"}
    distinct = "".join(f"*a*{at}\n" for at in range(90_000))
    yield ".gitignore of a deep folder", {".gitignore": distinct, "d/" * 300 + "Dockerfile": BASE + APP}
    yield ".gitignore of names", {".gitignore": distinct.replace("*", ""), "d/" * 300 + "Dockerfile": BASE + APP}
    yield from of_programs()
    yield "exclude", {**script, "pid1lint.toml": "exclude = [" + '"*a*b?c*d",' * 1000 + "]\n"}


def tangled(script: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Scripts of one long line, and small files in which each part doubles what comes of the next one."""
    first = "#!/bin/sh\nexec b"
    for part in (" && a", " | a", " a", "''", '""', "$a", "\\a", "; a=b"):
        yield f"a script of {part!r}", {**script, "e.sh": first + part * (900_000 // len(part)) + "\n"}
    for line in (
        "a | b | c",
        "coproc a",
        "sh -c 'a; b'",
        'if [ "$A" ]; then b; fi',
        "a & wait",
        "a & wait; b",
        'a & [ "$A" ] && wait',
        "a & [ $A ] && wait; b",
        'sh -c "a & wait; b" & [ $A ] && wait',
        "until a; do b & done",
        "nginx; [ $A ] && b",
        "exec > >(a)",
        "trap a TERM",
        "([ $A ] && a; b) &",
        "until a; do sleep 1; done",
    ):
        lines = f"{line}\n" * (400_000 // len(line))
        yield f"a script of lines {line!r}", {**script, "e.sh": f"#!/bin/bash\n{lines}exec java\n"}
    jobs = "".join(f"a{at} &\n" for at in range(98))
    for line in ("[ $A ] && b", "trap 'kill $!' TERM; [ $A ] && wait", "kill 0; kill -TERM -1"):
        lines = f"{line}\n" * (400_000 // len(line))
        yield f"98 jobs and lines {line!r}", {**script, "e.sh": f"#!/bin/bash\n{jobs}{lines}exec java\n"}
    for first, last in (("{ ", ";}"), ("( ", ")"), ("$( ", ")"), ("${A:-", "}"), ("if a; then ", "; fi"), ("[ ", " ]")):
        count = 500_000 // len(first + last)
        deep = f"{first * count}a{last * count}"
        yield f"a script of nested {first!r}", {**script, "e.sh": f"#!/bin/bash\na {deep}\n{deep}\n"}
    for instruction in ("RUN mkdir -p {}", "COPY a {}", "WORKDIR {}"):
        line = instruction.format("/a" * 400_000)
        yield f"a deep folder of {instruction.split()[0]}", {"Dockerfile": f"{BASE}{line}\n{APP}"}
    yield "variables made of each other", {"Dockerfile": "ARG A=a\n" + "ARG A=$A$A\n" * 5000 + BASE + APP}
    yield "folders made of each other", {"Dockerfile": BASE + "ENV A=a/b\n" + "ENV A=$A$A\nWORKDIR $A\n" * 3000 + APP}
    yield "here-documents of one line", {"Dockerfile": BASE + f"RUN {'<<E ' * 50_000}\n" + "E\n" * 50_000 + APP}
    names = "".join(f"w{at}," for at in range(20_000))
    yield "an ignore comment of many words", {"Dockerfile": f"{BASE}# pid1lint: ignore[{names}]\n{APP}"}
    service = "services: {a: {image: a}}\n"
    yield "a Compose file that includes itself", {"compose.yaml": f"include: [compose.yaml, ./compose.yaml]\n{service}"}
    chain = {f"i{at}.yaml": f"include: [i{at + 1}.yaml, i{at + 1}.yaml]\n{service}" for at in range(12)}
    yield "Compose files that include each other twice", {"compose.yaml": f"include: [i0.yaml]\n{service}", **chain}
    twice = (f'target "t{at}" {{\n inherits = ["t{at + 1}", "t{at + 1}"]\n}}\n' for at in range(60))
    yield "targets that inherit each other twice", {"docker-bake.hcl": "".join(twice)}
    pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: a\n    image: a\n    command: [$(A9)]\n    env:\n"
    doubled = (f"    - {{name: A{at}, value: 'x$(A{at - 1})$(A{at - 1})'}}\n" for at in range(5000))
    yield "an environment made of itself", {"pod.yaml": pod + "".join(doubled)}
    yield "an exclude of one long pattern", {**script, "pid1lint.toml": f"exclude = ['{'*a' * 400_000}']\n"}


def counted() -> Iterator[tuple[str, dict[str, str]]]:
    """Very many of what stands in one instruction, and of what one file deploys."""
    for keyword in ("CMD", "ENTRYPOINT", "RUN", "COPY", "VOLUME", "SHELL"):
        words = ",".join(['"a"'] * 240_000)
        yield f"an array of {keyword}", {"Dockerfile": f"{BASE}{keyword} [{words}]\n{APP}"}
    for name in ("a" * 900_000, "a/." * 300_000, "a%" * 450_000 + ".conf"):
        yield f"a long name of {name[:3]!r}", {"Dockerfile": f'{BASE}CMD ["nginx", "-c", "{name}"]\n'}
    variables = ",".join(f'"$A{at}"' for at in range(45_000))
    yield "an array of variables", {"Dockerfile": f'{BASE}CMD ["app",{variables}]\n'}
    yield "an array of variables for a script", {"Dockerfile": f'{BASE}CMD ["python","-u",{variables}]\n'}
    yield "sources of COPY", {"Dockerfile": f"{BASE}COPY {'a ' * 400_000}/d/\n{APP}"}
    globs = "".join(f"COPY {'*a' * 20}{at} /d/\n" for at in range(2000))
    yield "patterns of COPY", {"Dockerfile": BASE + globs + APP, **{f"{'a' * 60}{at}": "" for at in range(60)}}
    several = {
        "services": lambda at: f"  s{at}: {{image: nginx, command: a b}}\n",
        "services that wait for each other": lambda at: f"  s{at}: {{image: nginx, depends_on: [s{at + 1}]}}\n",
        "services that extend each other": lambda at: f"  s{at}: {{image: nginx, extends: s{at + 1}}}\n",
    }
    for name, line in several.items():
        yield name, {"compose.yaml": "services:\n" + "".join(map(line, range(15_000)))}
    files = "".join(f"- i{at}.yaml\n" for at in range(60_000))
    yield "files to include", {"compose.yaml": f"include:\n{files}services: {{a: {{image: a}}}}\n"}
    containers = "".join(f"  - {{name: c{at}, image: nginx, command: [a, b]}}\n" for at in range(12_000))
    yield "containers of a pod", {"pod.yaml": f"apiVersion: v1\nkind: Pod\nspec:\n  containers:\n{containers}"}
    tasks = [{"name": f"c{at}", "image": "nginx", "command": ["a", "b"]} for at in range(10_000)]
    jobs = {"name": "a", "image": "b", "entryPoint": ["sh", "-c"], "command": ["a & wait; " * 80_000]}
    yield "jobs of a task", {"taskdef.json": json.dumps({"family": "a", "containerDefinitions": [jobs]})}
    yield "options of Podman", {"a.container": f"[Container]\nImage=a\nPodmanArgs={'--init ' * 120_000}\n"}
    digits = "9" * 900_000
    yield "a long duration", {"compose.yaml": f"services: {{a: {{image: nginx, stop_grace_period: {digits}}}}}\n"}
    yield "containers of a task", {"taskdef.json": json.dumps({"family": "a", "containerDefinitions": tasks})}
    targets = {f"t{at}": {"inherits": [f"t{at + 1}"], "tags": ["a"]} for at in range(9_000)}
    yield "targets in JSON", {"docker-bake.json": json.dumps({"target": targets}), "Dockerfile": BASE + APP}
    words = "a," * 300_000
    yield "words of a service", {"compose.yaml": f"services: {{a: {{image: nginx, command: [{words}]}}}}\n"}
    pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n"
    yield "words of a container", {"pod.yaml": f"{pod}  - {{name: a, image: a, command: [{words}]}}\n"}
    for text in ("$${A} ", "$A ${B:-c} ", "{{a}} ", "{{ ", "${A:-"):
        yield f"a string of {text!r}", {"compose.yaml": f"services: {{a: {{image: a, command: '{text * 90_000}'}}}}\n"}
    shared = {
        "command": "[" + "a," * 200_000 + "]",
        "environment": "{" + "".join(map("K{}: v,".format, range(40_000))) + "}",
    }
    for key, value in shared.items():
        lines = "".join(f"  s{at}: {{{key}: *x, image: nginx}}\n" for at in range(1000))
        yield f"a long {key} that many share", {"compose.yaml": f"x: &x {value}\nservices:\n{lines}"}
    doubled = "A=b\n" + "A=$A$A\n" * 100_000
    yield "a file of variables", {"compose.yaml": "services: {a: {image: a, env_file: a.env}}\n", "a.env": doubled}
    lines = "".join(f"  s{at}: {{image: nginx, env_file: a.env}}\n" for at in range(1000))
    variables = "".join(f"A{at}=b\n" for at in range(60_000))
    yield "a file of variables that many share", {"compose.yaml": f"services:\n{lines}", "a.env": variables}
    lines = "".join(f"  - {{name: a{at}, image: a, envFrom: [{{configMapRef: {{name: m}}}}]}}\n" for at in range(1000))
    keys = "".join(f"  K{at}: a\n" for at in range(40_000))
    config = f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m}}\ndata:\n{keys}"
    yield "a ConfigMap that many share", {"pod.yaml": pod + lines + config}
    builds = "".join(f"  s{at}: {{build: {{context: ., args: {{A: b{at}}}}}}}\n" for at in range(500))
    steps = "RUN mkdir -p /a && chmod 755 /a\n" * 5000
    yield (
        "a long Dockerfile built anew",
        {"compose.yaml": f"services:\n{builds}", "Dockerfile": f"{BASE}ARG A\n{steps}{APP}"},
    )
    loop = "for i in a b; do if [ $A ]; then B=c; fi; app{at} & done; while [ $X ]; do app{at}; done; wait"
    scripts = "".join(
        f"  s{at}: {{image: a, entrypoint: [sh, -c, '{loop.replace('{at}', str(at))}']}}\n" for at in range(500)
    )
    yield "scripts of services", {"compose.yaml": f"services:\n{scripts}"}
    hcl = "".join(f'target "t{at}" {{\n  tags = ["a"]\n}}\n' for at in range(2500))
    yield "targets", {"docker-bake.hcl": hcl, "Dockerfile": BASE + APP}
    yield "expressions", {"docker-bake.hcl": f'target "a" {{\n  context = {"+".join("1" * 49_000)}\n}}\n'}


def of_programs() -> Iterator[tuple[str, dict[str, str]]]:
    """Sources and manifests of what an image runs."""
    python = 'FROM python:3\nCOPY . /app\nCMD ["python", "/app/a.py"]\n'
    imports = "".join(f"import m{at}\n" for at in range(40_000))
    yield "imports of Python", {"Dockerfile": python, "a.py": imports}
    node = 'FROM node:20\nWORKDIR /app\nCOPY . .\nCMD ["npm", "start"]\n'
    requires = "".join(f"require('./m{at}')\n" for at in range(40_000))
    package = json.dumps({"scripts": {"start": "node a.js"}})
    yield "imports of Node.js", {"Dockerfile": node, "a.js": requires, "package.json": package}
    scripts = {f"s{at}": f"npm run s{at + 1} && npm run s{at + 1}" for at in range(12_000)}
    yield (
        "scripts of package.json that run each other",
        {"Dockerfile": node, "package.json": json.dumps({"scripts": {"start": "npm run s0", **scripts}})},
    )
    rust = (
        'FROM rust:1 AS b\nCOPY . .\nRUN cargo build --release\nFROM a\nCOPY --from=b /target/release/a /\nCMD ["/a"]\n'
    )
    crates = "[package]\nname = 'a'\n[dependencies]\n" + "".join(f"d{at} = '1'\n" for at in range(60_000))
    yield "crates", {"Dockerfile": rust, "Cargo.toml": crates, "src/main.rs": "fn main() {}\n"}


@pytest.mark.skipif(sys.platform != "linux", reason="measures with what Linux tells of a process")
@pytest.mark.parametrize("files", [pytest.param(files, id=name) for name, files in shapes()])
def test_what_is_made_to_be_slow_is_answered(files: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    for name, text in files.items():
        assert len(text) < 1_300_000
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pid1lint", "-q", "--select", "all"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )
    assert done.returncode in (0, 1), (done.returncode, done.stderr[-500:])
    assert done.stderr == ""
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # The largest of all children so far: it only grows.
    assert after.ru_maxrss in (before.ru_maxrss, min(after.ru_maxrss, MEGABYTES * 1024))


TOO_MANY = {
    "Dockerfile": BASE + f"COPY {'a ' * 50_001} /d/\n" + APP,
    "long.Dockerfile": BASE + "USER a\n" * 10_000 + APP,
    "compose.yaml": "services:\n" + "".join(f"  s{at}: {{image: nginx}}\n" for at in range(501)),
}


def test_what_is_left_unjudged_is_told_by_check_and_trace(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    for name, text in TOO_MANY.items():
        (tmp_path / name).write_text(text)
    told = [
        "Dockerfile has more than 50000 words in arrays, COPY and ADD: pid1lint does not judge it",
        "compose.yaml runs more than 500 services, containers or targets: pid1lint does not judge the rest",
        "long.Dockerfile has more than 10000 instructions: pid1lint does not read the rest",
    ]
    env = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    for command in (["check", "-q", "-f", "json"], ["trace", "-f", "json"]):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "pid1lint", *command],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        made = json.loads(done.stdout)
        if command[0] == "check":
            assert [row["message"] for row in made["diagnostics"] if row["code"] == "PID902"] == told
        else:
            assert sorted(done.stderr.splitlines()) == [f"pid1lint: error: {line}" for line in told]
            assert len(made["launches"]) == 500


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("".join(f"a{at} = 1\n" for at in range(80_000)), 20, id="unknown keys"),
        pytest.param("ignore = [" + '"missing-exe",' * 60_000 + "]\n", 20, id="unknown rules"),
        pytest.param("exclude = [" + '"a",' * 200_000 + "]\n", 1, id="patterns"),
    ],
)
def test_a_configuration_of_mistakes_is_told_in_few_lines(tmp_path: Path, text: str, lines: int) -> None:
    (tmp_path / "Dockerfile").write_text(BASE + APP)
    (tmp_path / "pid1lint.toml").write_text(text)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pid1lint"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, lines)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such folders")
def test_folders_may_be_deep(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "Dockerfile").write_text(BASE + 'COPY . /\nCMD ["/x"]\n')
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(3000):
            os.mkdir("d", dir_fd=here)
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
    finally:
        os.close(here)
    env = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    for command in (["check", "-q"], ["trace"], ["check", "-q", "**/Dockerfile"]):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "pid1lint", *command], cwd=tmp_path, env=env, capture_output=True, check=False
        )
        assert (done.returncode in (0, 1), done.stderr) == (True, b"")
    subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)
