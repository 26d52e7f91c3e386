"""Who built a program, and what its source does with the stop signal."""

from __future__ import annotations

import pytest

from pid1lint import linter
from pid1lint.dockerfile.scanner import scan
from pid1lint.image.context import BuildContext, MemoryContext
from pid1lint.image.model import Build, Image, final_stages
from pid1lint.origin.built import Built, Reaction, built, reaction
from pid1lint.source import Source

GO = 'package main\n\nimport "net/http"\n\nfunc main() {\n\thttp.ListenAndServe(":80", nil)\n}\n'
GO_HANDLES = (
    'package main\n\nimport (\n\t"os/signal"\n\t"syscall"\n)\n\nfunc main() {\n'
    "\tc := make(chan os.Signal, 1)\n\tsignal.Notify(c, syscall.SIGTERM)\n\t<-c\n}\n"
)
RUST = "fn main() {\n    loop {}\n}\n"
CARGO = '[package]\nname = "web"\n\n[dependencies]\naxum = "0.8"\n'
C = "int main(void) {\n  for (;;) pause();\n}\n"
C_HANDLES = "#include <signal.h>\nint main(void) {\n  signal(SIGTERM, stop);\n  for (;;) pause();\n}\n"
JAVA = "class App { public static void main(String[] a) {} }\n"
CSPROJ = '<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup/></Project>\n'
EXPRESS = "import express from 'express';\nexpress().listen(80);\n"


def image_of(dockerfile: str, files: dict[str, str]) -> Image:
    scanned = scan(Source("Dockerfile", dockerfile))
    return Build(scanned, MemoryContext(files), {}).image(final_stages(scanned)[0])


def program(dockerfile: str, files: dict[str, str], path: str) -> Built:
    found = built(image_of(dockerfile, files), path)
    assert found is not None
    return found


def where(answer: Reaction) -> str:
    source = answer.place.source
    return f"{source.path}:{source.location(answer.place.span.start).line}"


def two_stages(build: str, source: str, target: str = "/usr/bin/web") -> str:
    return (
        f"FROM build AS one\nWORKDIR /src\nCOPY . .\nRUN {build}\nFROM debian:12\nCOPY --from=one {source} {target}\n"
    )


# ------------------------------------------------------------- who built it


@pytest.mark.parametrize(
    ("build", "output", "files", "tool", "language"),
    [
        pytest.param("go build -o /out/web .", "/out/web", {"main.go": GO}, "go build", "go", id="go"),
        pytest.param("go build -o bin/ ./cmd/...", "bin/web", {"cmd/web/main.go": GO}, "go build", "go", id="go-all"),
        pytest.param("CGO_ENABLED=0 GOOS=linux go build", "/src/src", {"main.go": GO}, "go build", "go", id="go-plain"),
        pytest.param(
            "go install ./cmd/web", "/go/bin/web", {"cmd/web/main.go": GO}, "go install", "go", id="go-install"
        ),
        pytest.param(
            "cargo build --release", "target/release/web", {"Cargo.toml": CARGO}, "cargo build", "rust", id="cargo"
        ),
        pytest.param(
            "cargo build -r --target x86_64-unknown-linux-musl",
            "/src/target/x86_64-unknown-linux-musl/release/web",
            {"Cargo.toml": CARGO},
            "cargo build",
            "rust",
            id="cargo-musl",
        ),
        pytest.param(
            "cargo build --release && cp target/release/web /web",
            "/web",
            {"Cargo.toml": CARGO},
            "cargo build",
            "rust",
            id="cargo-and-cp",
        ),
        pytest.param(
            "cargo install --path . --root /out",
            "/out/bin/web",
            {"Cargo.toml": CARGO},
            "cargo install",
            "rust",
            id="cargo-install",
        ),
        pytest.param("gcc -O2 -o web web.c", "web", {"web.c": C}, "gcc", "c", id="gcc"),
        pytest.param("g++ main.cpp -o /out/web -lpthread", "/out/web", {"main.cpp": C}, "g++", "c", id="g++"),
        pytest.param("make && make install", "web", {"web.c": C, "Makefile": "web: web.c\n"}, "make", "c", id="make"),
        pytest.param(
            "cmake -B b && cmake --build b", "b/web", {"web.c": C, "CMakeLists.txt": ""}, "cmake", "c", id="cmake"
        ),
        pytest.param("meson setup b && ninja -C b", "b/web", {"web.c": C, "meson.build": ""}, "ninja", "c", id="meson"),
        pytest.param(
            "dotnet publish -c Release -o /out",
            "/out/web.dll",
            {"web.csproj": CSPROJ},
            "dotnet publish",
            "dotnet",
            id="dotnet",
        ),
        pytest.param("mvn -q package", "target/web.jar", {"pom.xml": "<a/>"}, "mvn", "java", id="maven"),
        pytest.param(
            "./gradlew bootJar", "build/libs/web.jar", {"build.gradle": ""}, "gradle", "java", id="gradle-wrapper"
        ),
        pytest.param("sbt assembly", "target/scala-3/web.jar", {"build.sbt": ""}, "sbt", "java", id="sbt"),
        pytest.param(
            "mvn -Pnative native:compile", "target/web", {"pom.xml": "<a/>"}, "mvn", "java", id="native-maven"
        ),
        pytest.param(
            "npm ci && npm run build", "dist/main.js", {"src/main.ts": EXPRESS}, "npm run build", "node", id="npm"
        ),
        pytest.param("pnpm build", "dist/main.js", {"src/main.ts": EXPRESS}, "pnpm build", "node", id="pnpm"),
        pytest.param("yarn build", "dist/main.js", {"src/main.ts": EXPRESS}, "yarn build", "node", id="yarn"),
        pytest.param("npx tsc", "dist/main.js", {"src/main.ts": EXPRESS}, "tsc", "node", id="tsc"),
        pytest.param(
            "bun build --compile src/a.ts --outfile web",
            "web",
            {"src/a.ts": EXPRESS},
            "bun build --compile",
            "node",
            id="bun",
        ),
        pytest.param("deno compile -A -o web a.ts", "web", {"a.ts": EXPRESS}, "deno compile", "node", id="deno"),
        pytest.param(
            "pyinstaller --onefile web.py", "dist/web", {"web.py": "x = 1\n"}, "pyinstaller", "python", id="pyinstaller"
        ),
        pytest.param(
            "MIX_ENV=prod mix release", "_build/prod/rel/web/bin/web", {"mix.exs": ""}, "mix", "elixir", id="mix"
        ),
        pytest.param(
            "rebar3 as prod release",
            "_build/prod/rel/web/bin/web",
            {"rebar.config": ""},
            "rebar3",
            "erlang",
            id="rebar3",
        ),
        pytest.param(
            "swift build -c release", ".build/release/web", {"Package.swift": ""}, "swift", "swift", id="swift"
        ),
        pytest.param("zig build -Doptimize=ReleaseSafe", "zig-out/bin/web", {"build.zig": ""}, "zig", "zig", id="zig"),
        pytest.param("crystal build --release web.cr", "web", {"web.cr": ""}, "crystal", "crystal", id="crystal"),
        pytest.param("shards build --production", "bin/web", {"shard.yml": ""}, "shards", "crystal", id="shards"),
        pytest.param(
            "stack install --local-bin-path /out", "/out/web", {"stack.yaml": ""}, "stack", "haskell", id="stack"
        ),
        pytest.param("cabal install --installdir=/out", "/out/web", {"web.cabal": ""}, "cabal", "haskell", id="cabal"),
    ],
)
def test_the_command_that_built_a_program_is_found(
    build: str, output: str, files: dict[str, str], tool: str, language: str
) -> None:
    output = output if output.startswith("/") else f"/src/{output}"
    name = output.rpartition("/")[2]
    found = program(two_stages(build, output, f"/usr/bin/{name}"), files, f"/usr/bin/{name}")
    assert (found.stage, found.tool, found.language) == (0, tool, language)


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param("COPY --from=one /src/web /usr/bin/web", id="file"),
        pytest.param("COPY --from=one /src/web /usr/bin/", id="into-a-folder"),
        pytest.param("COPY --from=0 /src/ /usr/bin", id="a-folder-by-number"),
        pytest.param("COPY --from=two /opt/web /usr/bin/web", id="through-another-stage"),
        pytest.param("COPY --from=one /src/web /tmp/x\nRUN mv /tmp/x /usr/bin/web", id="moved"),
        pytest.param("COPY --from=one /src /srv\nRUN ln -s /srv/web /usr/bin/web", id="linked"),
    ],
)
def test_a_program_is_followed_through_the_stages(copy: str) -> None:
    dockerfile = (
        "FROM golang AS one\nWORKDIR /src\nCOPY main.go .\nRUN go build -o web .\n"
        f"FROM debian AS two\nCOPY --from=one /src/web /opt/web\nFROM debian:12\n{copy}\n"
    )
    found = program(dockerfile, {"main.go": GO}, "web")
    assert (found.stage, found.tool, found.path) == (0, "go build", "/usr/bin/web")


def test_a_stage_that_builds_and_runs_is_one_too() -> None:
    found = program("FROM golang\nWORKDIR /app\nCOPY . .\nRUN go build -o web .\n", {"main.go": GO}, "/app/web")
    assert (found.stage, found.tool) == (0, "go build")


def test_what_was_built_before_the_image_is_known_by_where_it_lay() -> None:
    found = program("FROM debian:12\nCOPY target/release/web /usr/bin/web\n", {"target/release/web": "\0"}, "web")
    assert (found.stage, found.tool, found.language, found.source.main) == (None, "cargo build", "rust", None)


@pytest.mark.parametrize(
    ("dockerfile", "path"),
    [
        pytest.param("FROM debian:12\nRUN apt-get install -y nginx\n", "nginx", id="a-package"),
        pytest.param("FROM debian:12\nCOPY --from=busybox /bin/busybox /web\n", "/web", id="another-image"),
        pytest.param("FROM debian:12\nCOPY web /web\n", "/web", id="a-binary-of-the-context"),
        pytest.param("FROM golang\nRUN go build -o other .\n", "/go/web", id="another-output"),
    ],
)
def test_nothing_is_said_of_what_nothing_here_has_built(dockerfile: str, path: str) -> None:
    assert built(image_of(dockerfile, {"web": "\0"}), path) is None


# -------------------------------------------------------- what it does on TERM


def told(build: str, output: str, files: dict[str, str], signal: str = "TERM") -> tuple[str, str]:
    answer = reaction(program(two_stages(build, output), files, "web"), signal)
    return answer.does, where(answer)


def test_go_without_a_handler_ends_at_once() -> None:
    assert told("go build -o web .", "/src/web", {"main.go": GO}) == ("drops", "main.go:1")


def test_go_with_a_handler_is_told_by_its_line() -> None:
    assert told("go build -o web .", "/src/web", {"main.go": GO_HANDLES}) == ("handles", "main.go:10")


def test_a_handler_in_a_package_that_is_imported_counts() -> None:
    main = 'package main\n\nimport "example.org/web/stop"\n\nfunc main() { stop.Wait() }\n'
    stop = "package stop\n\nfunc Wait() {\n\tsignal.Notify(c, syscall.SIGTERM)\n}\n"
    files = {"go.mod": "module example.org/web\n", "cmd/web/main.go": main, "stop/stop.go": stop}
    assert told("go build -o web ./cmd/web", "/src/web", files) == ("handles", "stop/stop.go:4")


def test_a_handler_of_another_main_package_does_not_count() -> None:
    files = {"go.mod": "module example.org/web\n", "cmd/web/main.go": GO, "cmd/other/main.go": GO_HANDLES}
    assert told("go build -o web ./cmd/web", "/src/web", files) == ("drops", "cmd/web/main.go:1")


def test_a_handler_in_a_test_or_a_comment_does_not_count() -> None:
    files = {"main.go": GO + "// signal.Notify(c, syscall.SIGTERM)\n", "main_test.go": GO_HANDLES}
    assert told("go build -o web .", "/src/web", files) == ("drops", "main.go:1")


def test_signals_in_a_variable_cannot_be_told() -> None:
    text = GO.replace("http.L", "signal.Notify(c, signals...)\n\thttp.L")
    assert told("go build -o web .", "/src/web", {"main.go": text}) == ("", "main.go:6")


def test_a_package_of_the_module_that_is_not_at_hand_cannot_be_told() -> None:
    main = 'package main\n\nimport "example.org/web/gen"\n\nfunc main() {}\n'
    files = {"go.mod": "module example.org/web\n", "main.go": main}
    assert told("go generate && go build -o web .", "/src/web", files) == ("", "main.go:1")


def test_source_that_is_not_at_hand_cannot_be_told() -> None:
    assert told("git clone x . && go build -o web .", "/src/web", {}) == ("", "Dockerfile:4")


def test_a_program_installed_by_its_module_path_cannot_be_told() -> None:
    assert told("go install example.org/web@latest", "/go/bin/web", {"main.go": GO}) == ("", "Dockerfile:4")


def test_rust_without_a_handler_ignores_the_signal_as_pid_1() -> None:
    files = {"Cargo.toml": CARGO, "src/main.rs": RUST}
    assert told("cargo build --release", "/src/target/release/web", files) == ("default", "src/main.rs:1")


def test_a_library_that_handles_signals_is_told_by_its_line_in_the_manifest() -> None:
    files = {"Cargo.toml": CARGO.replace('axum = "0.8"', 'actix-web = "4"'), "src/main.rs": RUST}
    assert told("cargo build --release", "/src/target/release/web", files) == ("handles", "Cargo.toml:5")


def test_ctrlc_counts_for_term_only_with_its_feature() -> None:
    main = "fn main() {\n    ctrlc::set_handler(stop);\n}\n"
    plain = {"Cargo.toml": CARGO + 'ctrlc = "3"\n', "src/main.rs": main}
    with_feature = plain | {"Cargo.toml": CARGO + 'ctrlc = { version = "3", features = ["termination"] }\n'}
    assert told("cargo build --release", "/src/target/release/web", plain) == ("default", "src/main.rs:1")
    assert told("cargo build --release", "/src/target/release/web", plain, "INT") == ("handles", "src/main.rs:2")
    assert told("cargo build --release", "/src/target/release/web", with_feature) == ("handles", "Cargo.toml:6")


def test_the_crate_of_a_workspace_that_has_the_programs_name_counts() -> None:
    handler = "fn main() {\n    signal(SignalKind::terminate());\n}\n"
    files = {
        "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n',
        "crates/web/Cargo.toml": '[package]\nname = "web"\n[dependencies]\ncore = { path = "../core" }\n',
        "crates/web/src/main.rs": RUST,
        "crates/core/Cargo.toml": '[package]\nname = "core"\n',
        "crates/core/src/lib.rs": "pub fn work() {}\n",
        "crates/other/Cargo.toml": '[package]\nname = "other"\n',
        "crates/other/src/main.rs": handler,
    }
    output = "/src/target/release/web"
    assert told("cargo build --release", output, files) == ("default", "crates/web/src/main.rs:1")
    files["crates/core/src/lib.rs"] = "pub fn work() {\n    signal(SignalKind::terminate());\n}\n"
    assert told("cargo build --release", output, files) == ("handles", "crates/core/src/lib.rs:2")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(C, ("default", "web.c:1"), id="none"),
        pytest.param(C_HANDLES, ("handles", "web.c:3"), id="handler"),
        pytest.param(C_HANDLES.replace("stop)", "SIG_IGN)"), ("survives", "web.c:3"), id="ignored"),
        pytest.param(C_HANDLES.replace("stop)", "SIG_DFL)"), ("default", "web.c:3"), id="set-back"),
        pytest.param(C_HANDLES.replace("SIGTERM", "sig"), ("", "web.c:3"), id="variable"),
    ],
)
def test_c_is_read(text: str, expected: tuple[str, str]) -> None:
    assert told("gcc -o web web.c", "/src/web", {"web.c": text}) == expected


def test_of_several_programs_that_make_may_have_made_a_handler_of_one_is_not_sure() -> None:
    files = {"Makefile": "", "a.c": C, "b.c": C_HANDLES}
    assert told("make", "/src/web", files) == ("", "b.c:3")


def test_an_asp_net_app_handles_the_signal() -> None:
    files = {"web.csproj": CSPROJ, "Program.cs": "var app = WebApplication.CreateBuilder(args).Build();\n"}
    answer = reaction(program(two_stages("dotnet publish -o /out", "/out/", "/app/"), files, "/app/web.dll"), "TERM")
    assert (answer.does, where(answer)) == ("handles", "web.csproj:1")


@pytest.mark.parametrize(
    ("framework", "expected"),
    [
        pytest.param("<TargetFramework>net8.0</TargetFramework>", ("handles", "Program.cs:1"), id="8"),
        pytest.param("<TargetFramework>net10.0</TargetFramework>", ("default", "Program.cs:1"), id="10"),
        pytest.param("", ("", "Program.cs:1"), id="unknown"),
    ],
)
def test_the_version_of_dotnet_decides_for_a_plain_console_app(framework: str, expected: tuple[str, str]) -> None:
    files = {"web.csproj": f'<Project Sdk="Microsoft.NET.Sdk">{framework}</Project>\n', "Program.cs": "Loop();\n"}
    answer = reaction(program(two_stages("dotnet publish -o /out", "/out/", "/app/"), files, "/app/web"), "TERM")
    assert (answer.does, where(answer)) == expected


def test_the_server_that_next_brings_along_handles_the_signal() -> None:
    dockerfile = two_stages("npm run build", "/src/.next/standalone", "/app")
    found = program(dockerfile, {"package.json": "{}"}, "/app/server.js")
    assert (found.runtime, reaction(found, "TERM").does) == ("next", "handles")


def test_a_jar_ends_by_its_shutdown_hooks() -> None:
    files = {"pom.xml": "<a/>\n", "src/main/java/App.java": JAVA}
    answer = reaction(program(two_stages("mvn package", "/src/target/web.jar", "/web.jar"), files, "/web.jar"), "TERM")
    assert (answer.does, where(answer)) == ("handles", "src/main/java/App.java:1")


def test_a_node_app_is_read_from_its_main_file_on() -> None:
    handler = "process.on('SIGTERM', stop);\n"
    files = {"package.json": "{}", "src/main.ts": "import './stop';\n" + EXPRESS, "src/stop.ts": handler}
    dockerfile = two_stages("npm run build", "/src/dist", "/app/dist")
    answer = reaction(program(dockerfile, files, "/app/dist/main.js"), "TERM")
    assert (answer.does, where(answer)) == ("handles", "src/stop.ts:1")
    files["src/main.ts"] = EXPRESS
    answer = reaction(program(dockerfile, files, "/app/dist/main.js"), "TERM")
    assert (answer.does, where(answer)) == ("", "src/stop.ts:1")
    del files["src/stop.ts"]
    answer = reaction(program(dockerfile, files, "/app/dist/main.js"), "TERM")
    assert (answer.does, where(answer)) == ("default", "src/main.ts:1")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        pytest.param("app.py", "import time\ntime.sleep(9)\n", ("default", "app.py:1"), id="python"),
        pytest.param(
            "app.py", "import signal\nsignal.signal(signal.SIGTERM, f)\n", ("handles", "app.py:2"), id="python-handler"
        ),
        pytest.param(
            "app.py", "import signal\nfor s in S:\n    signal.signal(s, f)\n", ("", "app.py:3"), id="python-variable"
        ),
        pytest.param("app.js", "require('http').createServer().listen(1)\n", ("default", "app.js:1"), id="node"),
        pytest.param("app.rb", "sleep\n", ("handles", "app.rb:1"), id="ruby"),
        pytest.param("app.php", "<?php\nwhile (true) sleep(1);\n", ("default", "app.php:1"), id="php"),
        pytest.param("app.pl", "sleep 1 while 1;\n", ("default", "app.pl:1"), id="perl"),
        pytest.param("app.pl", "$SIG{TERM} = sub { exit };\n", ("handles", "app.pl:1"), id="perl-handler"),
    ],
)
def test_a_program_that_is_its_own_source_is_read(name: str, text: str, expected: tuple[str, str]) -> None:
    found = program("FROM debian:12\nCOPY . /app\n", {name: text}, f"/app/{name}")
    answer = reaction(found, "SIGTERM")
    assert (found.tool, found.stage, answer.does, where(answer)) == ("", None, *expected)


def test_a_python_module_that_is_imported_counts() -> None:
    files = {"app.py": "from web import stop\n", "web/__init__.py": "", "web/stop.py": "signal.signal(SIGTERM, f)\n"}
    answer = reaction(program("FROM debian:12\nCOPY . /app\n", files, "/app/app.py"), "TERM")
    assert (answer.does, where(answer)) == ("handles", "web/stop.py:1")


def test_a_console_script_is_read_from_the_module_that_pyproject_names() -> None:
    files = {
        "pyproject.toml": '[project]\nname = "web"\n[project.scripts]\nweb = "web.cli:main"\n',
        "src/web/cli.py": "import signal\nsignal.signal(signal.SIGTERM, stop)\n",
        "src/web/__init__.py": "",
    }
    found = program("FROM python:3.12\nWORKDIR /src\nCOPY . .\nRUN pip install .\n", files, "/usr/local/bin/web")
    answer = reaction(found, "TERM")
    assert (found.tool, answer.does, where(answer)) == ("pip install", "handles", "src/web/cli.py:2")


# ------------------------------------------------------- what its libraries do


GO_MOD = "module example.org/web\n\ngo 1.22\n\nrequire (\n\t{}\n\tgolang.org/x/text v0.3.0 // indirect\n)\n"


@pytest.mark.parametrize(
    ("build", "output", "files", "rests", "line"),
    [
        pytest.param(
            "cargo build --release",
            "/src/target/release/web",
            {"Cargo.toml": CARGO + 'trusty = "1"\n', "src/main.rs": RUST},
            "trusty leaves SIGTERM alone",
            "Cargo.toml:6",
            id="rust",
        ),
        pytest.param(
            "cargo build --release",
            "/src/target/release/web",
            {"Cargo.toml": CARGO + 'trusty = "1"\nrusty = "2"\n', "src/main.rs": RUST},
            "none of trusty and 1 more libraries handles SIGTERM",
            "Cargo.toml:6",
            id="rust, several",
        ),
        pytest.param(
            "cargo build --release",
            "/src/target/release/web",
            {"Cargo.toml": CARGO, "src/main.rs": RUST},
            "",
            "src/main.rs:1",
            id="rust, all known",
        ),
        pytest.param(
            "go build -o web .",
            "/src/web",
            {"go.mod": GO_MOD.format("example.com/x/graceful v1.0.0"), "main.go": GO},
            "example.com/x/graceful leaves SIGTERM alone",
            "go.mod:6",
            id="go",
        ),
        pytest.param(
            "go build -o web .",
            "/src/web",
            {"go.mod": GO_MOD.format("github.com/gin-gonic/gin v1.9.0"), "main.go": GO},
            "",
            "main.go:1",
            id="go, all known",
        ),
        pytest.param(
            "gcc -o web web.c",
            "/src/web",
            {"web.c": "#include <stdio.h>\n#include <sys/wait.h>\n#include <fancy/loop.h>\n" + C},
            "fancy leaves SIGTERM alone",
            "web.c:3",
            id="c",
        ),
        pytest.param(
            "gcc -o web web.c",
            "/src/web",
            {"web.c": '#include <unistd.h>\n#include "own.h"\n' + C, "own.h": "int x;\n"},
            "",
            "web.c:1",
            id="c, its own",
        ),
        pytest.param(
            "dub build",
            "/src/web",
            {
                "dub.json": '{"name": "web",\n "dependencies": {\n  "photon": "1"}}\n',
                "source/app.d": "void main() {}\n",
            },
            "photon leaves SIGTERM alone",
            "dub.json:3",
            id="d",
        ),
        pytest.param(
            "zig build-exe web.zig",
            "/src/web",
            {"web.zig": "pub fn main() void {}\n"},
            "",
            "web.zig:1",
            id="zig, without manifest",
        ),
    ],
)
def test_a_default_rests_on_the_libraries_that_nobody_knows(
    build: str, output: str, files: dict[str, str], rests: str, line: str
) -> None:
    answer = reaction(program(two_stages(build, output), files, "web"), "TERM")
    assert (answer.does in ("default", "drops"), answer.rests, where(answer)) == (True, rests, line)


@pytest.mark.parametrize(
    ("path", "text", "rests"),
    [
        pytest.param("app.py", "import os, json\nimport flask\nfrom flask_cors import CORS\n", "", id="python"),
        pytest.param(
            "app.py", "import os\nfrom runloop import serve\n", "runloop leaves SIGTERM alone", id="python, one"
        ),
        pytest.param("app.py", "import own\n", "", id="python, its own"),
        pytest.param("app.js", "const http = require('node:http');\nconst e = require('express');\n", "", id="node"),
        pytest.param(
            "app.js", "import { run } from '@team/run/fast';\n", "@team/run leaves SIGTERM alone", id="node, one"
        ),
        pytest.param("app.js", "import x from './own.py';\nimport fs from 'fs/promises';\n", "", id="node, its own"),
        pytest.param("app.pl", "use strict;\nuse POSIX qw(pause);\npause();\n", "", id="perl"),
    ],
)
def test_so_does_a_script_on_what_it_imports(path: str, text: str, rests: str) -> None:
    files = {path: text, "own.py": "x = 1\n"}
    answer = reaction(program("FROM debian:12\nCOPY . /srv/\n", files, f"/srv/{path}"), "TERM")
    assert (answer.does, answer.rests) == ("default", rests)


@pytest.mark.parametrize(
    ("build", "output", "files"),
    [
        pytest.param(
            "dub build",
            "/src/web",
            {"dub.json": '{"name": "web", "dependencies": {"vibe-d": "1"}}\n', "source/app.d": "void main() {}\n"},
            id="vibe.d, by its manifest",
        ),
        pytest.param(
            "cargo build --release",
            "/src/target/release/web",
            {"Cargo.toml": CARGO, "src/main.rs": "fn main() {\n    trillium_tokio::run(handler);\n}\n"},
            id="trillium",
        ),
        pytest.param(
            "g++ -o web web.cc",
            "/src/web",
            {"web.cc": "#include <drogon/drogon.h>\nint main() {\n  drogon::app().run();\n}\n"},
            id="drogon",
        ),
    ],
)
def test_a_framework_that_sets_handlers_by_itself_is_known(build: str, output: str, files: dict[str, str]) -> None:
    answer = reaction(program(two_stages(build, output), files, "web"), "TERM")
    assert (answer.does, answer.handler) == ("handles", True)


def test_a_framework_that_is_told_to_set_none_is_not_taken_for_one_that_does() -> None:
    main = "fn main() {\n    trillium_tokio::config().without_signals().run(handler);\n}\n"
    files = {"Cargo.toml": CARGO + 'trillium-tokio = "0.4"\n', "src/main.rs": main}
    answer = reaction(program(two_stages("cargo build --release", "/src/target/release/web"), files, "web"), "TERM")
    assert (answer.does, answer.rests) == ("default", "trillium-tokio leaves SIGTERM alone")


SHOP = {
    "package.json": '{"scripts": {"build": "tsc", "start": "node dist/index.js"}}',
    "src/index.ts": "import http from 'node:http';\nhttp.createServer().listen(80);\n",
}
BUILT_AWAY = (
    "FROM node:22\nWORKDIR /app\nCOPY package.json ./\nCOPY src src\nRUN npm ci && npm run build && rm -rf src\n"
)


@pytest.mark.parametrize("command", ['["node", "dist/index.js"]', '["node", "dist/index"]'])
def test_a_source_that_is_deleted_after_the_build_is_read_all_the_same(command: str) -> None:
    (launch,) = linter.trace(f"{BUILT_AWAY}CMD {command}\n", BuildContext.of(SHOP))
    assert (launch.outcome.value, launch.certainty) == ("hang", "proven")


def test_a_runner_that_waits_is_not_blamed_for_an_app_without_a_handler() -> None:
    text = BUILT_AWAY.replace("node:22", "node:22-alpine") + 'CMD ["npm", "start"]\n'
    found = linter.lint(text, BuildContext.of(SHOP)).diagnostics
    assert {(d.code, d.severity.value, d.message) for d in found} == {
        ("PID310", "warning", "npm passes SIGTERM on to node, which has no handler and ends at once"),
    }
