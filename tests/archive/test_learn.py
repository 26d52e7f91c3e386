from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pid1lint import check, cli
from pid1lint.archive.image import read_image
from pid1lint.archive.learn import runs
from pid1lint.config import Configs, read
from pid1lint.errors import Pid1lintError
from tests.archive.build import Built, Entry, Json, layer, link, script, text

SYSTEM = (
    script("bin/dash", "\0"),
    link("bin/sh", "dash"),
    script("bin/bash", "\0"),
    script("usr/bin/tini", "\0"),
    script("usr/bin/java", "\0"),
    text("etc/os-release", "ID=debian\n"),
)


def image(tmp_path: Path, config: Json, *files: Entry) -> str:
    Built([layer([*SYSTEM, *files])], config).docker(tmp_path / "base.tar")
    return f"docker-archive:{tmp_path / 'base.tar'}"


@pytest.mark.parametrize(
    ("entrypoint", "body", "expected"),
    [
        pytest.param(["/run.sh"], 'exec "$@"', "exec-args", id="exec of its arguments"),
        pytest.param(["/run.sh"], 'exec tini -- "$@"', "init", id="exec of an init"),
        pytest.param(["/usr/bin/tini", "--"], "", "init", id="an init"),
        pytest.param(["/usr/bin/tini", "--", "/run.sh"], 'exec "$@"', "init", id="an init and exec"),
        pytest.param(["/run.sh"], '"$@"', "unknown", id="no exec"),
        pytest.param(["/usr/bin/java"], "", "program", id="a program"),
        pytest.param(["/run.sh"], "exec java", "unknown", id="it takes no arguments"),
    ],
)
def test_what_an_entrypoint_does_with_its_arguments_is_found_out(
    entrypoint: list[str], body: str, expected: str, tmp_path: Path
) -> None:
    source = image(tmp_path, {"Entrypoint": entrypoint}, script("run.sh", f"#!/bin/sh\nset -e\n{body}\n"))
    assert runs(read_image(source)) == expected


def test_what_an_image_is_stands_in_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    config: Json = {
        "Entrypoint": ["/run.sh"],
        "Cmd": ["java"],
        "StopSignal": "SIGINT",
        "User": "app",
        "WorkingDir": "/srv",
        "Env": ["JAVA_HOME=/opt/java"],
    }
    source = image(tmp_path, config, script("run.sh", '#!/bin/sh\nexec "$@"\n'))
    (tmp_path / "pid1lint.toml").write_text('fail-on = "error"\n')
    assert cli.run(["learn", source, "--name", "registry.example/java"]) == 0
    written = (tmp_path / "pid1lint.toml").read_text()
    assert written == (
        'fail-on = "error"\n'
        "\n"
        '[images."registry.example/java"]\n'
        'family = "debian"\n'
        'sh = "dash"\n'
        'shells = ["bash"]\n'
        'entrypoint = ["/run.sh"]\n'
        'entrypoint-runs = "exec-args"\n'
        'cmd = ["java"]\n'
        'stop-signal = "INT"\n'
        'user = "app"\n'
        'workdir = "/srv"\n'
        'packages = ["tini"]\n'
        'package-manager = "apt"\n'
        'env = { PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", JAVA_HOME = "/opt/java" }\n'
    )
    assert tomllib.loads(written)["images"]
    base = read("pid1lint.toml").facts.base_image("registry.example/java:1")
    assert base is not None
    assert (base.entrypoint, base.entrypoint_runs, base.sh) == (("/run.sh",), "exec-args", "dash")
    assert cli.run(["learn", source, "--name", "registry.example/java"]) == 2
    assert 'already has [images."registry.example/java"]: change it there' in capsys.readouterr().err


def test_an_archive_must_be_given_a_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = image(tmp_path, {})
    assert cli.run(["learn", source]) == 2
    assert "use --name to give the name that Dockerfiles use" in capsys.readouterr().err


def test_what_was_learned_gives_a_verdict_without_the_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    source = image(tmp_path, {"Entrypoint": ["/run.sh"]}, script("run.sh", '#!/bin/sh\nexec "$@"\n'))
    (tmp_path / "Dockerfile").write_text(
        'FROM registry.example/java:3\nCMD ["sh", "-c", "cd /srv && java -jar a.jar"]\n'
    )
    assert cli.run(["trace", "Dockerfile"]) == 0
    assert "unknown: " in capsys.readouterr().out
    assert cli.run(["learn", source, "--name", "registry.example/java"]) == 0
    capsys.readouterr()
    assert cli.run(["trace", "Dockerfile"]) == 0
    assert "hang: " in capsys.readouterr().out


class TestAnArchiveThatTheConfigurationNames:
    def judged(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dockerfile: str, config: Json, *files: Entry
    ) -> str:
        (tmp_path / ".git").mkdir()
        (tmp_path / "docker").mkdir()
        image(tmp_path, config, *files)
        (tmp_path / "pid1lint.toml").write_text('[images."team/base"]\narchive = "docker-archive:base.tar"\n')
        (tmp_path / "docker" / "Dockerfile").write_text(dockerfile)
        monkeypatch.chdir(tmp_path / "docker")
        (launch,), errors, _ = check.launches(check.plan(["Dockerfile"], Configs()), check.Options(configs=Configs()))
        assert errors == ()
        return f"{launch.outcome.value}: {launch.why}"

    def test_is_read_when_a_dockerfile_builds_upon_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        entry = script("run.sh", '#!/bin/sh\nset -e\n"$@"\ntrue\n')
        text = 'FROM team/base:1\nCMD ["java", "-jar", "a.jar"]\n'
        assert self.judged(tmp_path, monkeypatch, text, {"Entrypoint": ["/run.sh"]}, entry).startswith("hang: ")

    def test_gives_way_to_what_is_copied_over_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        entry = script("run.sh", '#!/bin/sh\nset -e\n"$@"\ntrue\n')
        text = (
            "FROM team/base:1\nCOPY --chmod=755 <<EOF /run.sh\n#!/bin/sh\nexec java\nEOF\n"
            'CMD ["java", "-jar", "a.jar"]\n'
        )
        assert self.judged(tmp_path, monkeypatch, text, {"Entrypoint": ["/run.sh"]}, entry).startswith("graceful: ")

    def test_gives_its_stop_signal_and_user(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        said = self.judged(tmp_path, monkeypatch, "FROM team/base\n", {"Cmd": ["java"], "StopSignal": "SIGINT"})
        assert said == "graceful: java is PID 1, gets SIGINT and ends cleanly"

    def test_that_is_none_is_told_with_its_line(self, tmp_path: Path) -> None:
        (tmp_path / "pid1lint.toml").write_text('[images."team/base"]\narchive = "base.tar"\n')
        with pytest.raises(Pid1lintError) as told:
            read(str(tmp_path / "pid1lint.toml"))
        assert str(told.value) == (
            f"{tmp_path}/pid1lint.toml:2: 'base.tar' must be oci:DIR, oci-archive:FILE or docker-archive:FILE"
        )
