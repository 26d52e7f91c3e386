from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pid1lint import check, cli, linter, registry
from pid1lint.archive.image import read_image
from pid1lint.archive.reference import Reference, parse
from pid1lint.check import Options
from pid1lint.errors import UnreadableError
from pid1lint.launch import analyse
from tests.archive.build import Built, Json, archived, folder, hard_link, layer, layout, link, script, text

BASE = layer(
    [
        folder("usr"),
        folder("usr/bin"),
        link("bin", "usr/bin"),
        script("usr/bin/dash", "\0ELF"),
        link("usr/bin/sh", "dash"),
        script("usr/bin/java", "\0ELF"),
        text("etc/os-release", "ID=debian\nVERSION_ID=12\n"),
        text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/srv/app:/bin/sh\n"),
    ]
)
SCRIPT = "#!/bin/sh\nset -e\n\njava -jar app.jar\n"
APP = Built([BASE, layer([script("entrypoint.sh", SCRIPT)])], {"Entrypoint": ["/entrypoint.sh"]})


def oci(built: Built, tmp_path: Path) -> str:
    return f"oci:{built.oci(tmp_path / 'layout')}"


FORMS: dict[str, Callable[[Path], str]] = {
    "oci, plain layers": lambda at: f"oci:{APP.oci(at / 'a', '')}",
    "oci, gzip": lambda at: f"oci:{APP.oci(at / 'a')}",
    "oci, zstd": lambda at: f"oci:{APP.oci(at / 'a', '+zstd')}",
    "oci archive": lambda at: f"oci-archive:{archived(APP.oci(at / 'a'), at / 'a.tar')}",
    "oci archive, gzip as a whole": lambda at: f"oci-archive:{archived(APP.oci(at / 'a'), at / 'a.tgz', '+gzip')}",
    "docker archive": lambda at: f"docker-archive:{APP.docker(at / 'a.tar')}",
    "docker archive, gzip as a whole": lambda at: f"docker-archive:{APP.docker(at / 'a.tgz', '+gzip')}",
    "docker archive, zstd as a whole": lambda at: f"docker-archive:{APP.docker(at / 'a.tzst', '+zstd')}",
    "docker archive that is an oci archive": lambda at: f"docker-archive:{archived(APP.oci(at / 'a'), at / 'a.tar')}",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_an_image_is_read(form: str, tmp_path: Path) -> None:
    source = FORMS[form](tmp_path)
    found = check.told(check.check_all(check.plan([source]), Options(), 1), Options())
    assert [f"{d.at.source.path}:{d.at.start.line}:{d.at.start.column}: {d.code}" for d in found] == [
        f"{source}!/entrypoint.sh:4:1: PID201"
    ]


def test_no_fix_is_offered_but_what_to_change_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    APP.docker(tmp_path / "app.tar")
    assert cli.run(["docker-archive:app.tar", "--fix"]) == 1
    assert capsys.readouterr().out == (
        "docker-archive:app.tar!/entrypoint.sh:4:1: PID201 sh stays PID 1 and keeps SIGTERM from java: docker stop"
        " waits 10 s, then kills it\n"
        "  │\n"
        "4 │ java -jar app.jar\n"
        "  │ ^^^^^^^^^^^^^^^^^ error[missing-exec]\n"
        "  = note: docker-archive:app.tar:2:14: entrypoint.sh is started here\n"
        "  = note: docker-archive:app.tar!/entrypoint.sh:4:1: change this where the image is built: put exec before"
        " java\n"
        "\n"
        "1 image checked: 1 error in 1 file.\n"
        "Run pid1lint explain PID201 for the rule, pid1lint explain pid1 for the basics.\n"
    )


def test_a_trace_shows_the_processes_of_an_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Built([BASE, layer([script("run.sh", '#!/bin/sh\nexec "$@"\n')])], {
        "Entrypoint": ["/run.sh"], "Cmd": ["java", "-jar", "app.jar"], "StopSignal": "SIGINT",
    }).docker(tmp_path / "app.tar")  # fmt: skip
    assert cli.run(["trace", "docker-archive:app.tar"]) == 0
    assert capsys.readouterr().out == (
        "docker-archive:app.tar\n"
        '  ENTRYPOINT ["/run.sh"]\n'
        '  CMD        ["java", "-jar", "app.jar"]\n'
        "  STOPSIGNAL SIGINT\n"
        "\n"
        "  PID 1  /run.sh java -jar app.jar (dash)  ↓ becomes java\n"
        "  │        docker-archive:app.tar:3\n"
        "  └─exec→ java -jar app.jar                ✓ gets SIGINT\n"
        "            docker-archive:app.tar!/run.sh:2\n"
        "\n"
        "  graceful: java is PID 1, gets SIGINT and ends cleanly\n"
    )


class TestConfiguration:
    def test_becomes_the_image(self, tmp_path: Path) -> None:
        config: Json = {
            "Env": ["PATH=/opt/bin:/bin", "A=b=c"],
            "User": "app",
            "WorkingDir": "/srv",
            "StopSignal": "3",
            "Entrypoint": ["/bin/sh", "-c", "exec java $OPTS"],
            "Cmd": None,
            "Volumes": {"/data": {}},
        }
        image = read_image(oci(Built([BASE], config), tmp_path))
        assert image.env == {"PATH": "/opt/bin:/bin", "HOME": "/srv/app", "A": "b=c"}
        assert (image.user, image.workdir, image.stop_signal, image.machine) == ("app", "/srv", "SIGQUIT", "amd64")
        assert image.entrypoint is not None
        assert [word.text for word in image.entrypoint.words] == ["/bin/sh", "-c", "exec java $OPTS"]
        assert image.cmd is None

    def test_the_files_tell_the_distribution_and_its_shell(self, tmp_path: Path) -> None:
        base = read_image(oci(Built([BASE]), tmp_path)).base
        assert base is not None
        assert (base.family, base.sh, base.shells, base.package_manager) == ("debian", "dash", ("dash",), "apt")

    def test_a_busybox_of_hard_links_is_known(self, tmp_path: Path) -> None:
        files = layer([script("bin/busybox", "\0"), hard_link("bin/sh", "bin/busybox")])
        assert read_image(oci(Built([files]), tmp_path)).sh == "busybox"

    def test_without_a_shell_there_is_none(self, tmp_path: Path) -> None:
        assert read_image(oci(Built([layer([script("app", "\0")])]), tmp_path)).sh == "none"

    def test_what_is_not_in_the_image_does_not_start(self, tmp_path: Path) -> None:
        launch = analyse(read_image(oci(Built([BASE], {"Cmd": ["tini", "--", "java"]}), tmp_path)))
        assert (launch.outcome.value, launch.why) == ("fails", "no tini is on PATH")

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("java", ""),
            ("/usr/bin/java", ""),
            ("tini", "no tini is on PATH"),
            ("/app/run.sh", "there is no file at /app/run.sh"),
            ("/ok.sh", ""),
            ("/bash.sh", "/bash.sh needs /bin/bash, which is not in the image"),
            ("/env.sh", "/env.sh needs python3, which is not on PATH"),
        ],
    )
    def test_what_keeps_a_program_from_starting_is_known(self, name: str, reason: str, tmp_path: Path) -> None:
        files = [("ok.sh", "#!/bin/sh\n"), ("bash.sh", "#!/bin/bash\n"), ("env.sh", "#!/usr/bin/env python3\n")]
        made = [script(path, content) for path, content in files]
        image = read_image(oci(Built([BASE, layer([*made, script("usr/bin/env", "\0")])]), tmp_path))
        assert image.cannot_start(name) == reason


class TestLayers:
    def names(self, tmp_path: Path, *layers: bytes) -> dict[str, str]:
        files = read_image(oci(Built(layers), tmp_path)).files
        found = {}
        waiting = ["/"]
        for path in waiting:
            for name in files.entries(path):
                below = f"{path.rstrip('/')}/{name}"
                file = files.lookup(below)
                if file is not None and file.text is not None:
                    found[below] = file.text.text
                elif files.is_dir(below):
                    waiting.append(below)
        return found

    def test_an_upper_one_replaces_files(self, tmp_path: Path) -> None:
        assert self.names(tmp_path, layer([text("a.sh", "1")]), layer([text("a.sh", "2")])) == {"/a.sh": "2"}

    def test_a_whiteout_takes_out_what_is_below_and_not_beside_it(self, tmp_path: Path) -> None:
        below = layer([text("d/a.sh", "1"), text("d/b.sh", "1")])
        above = layer([text("d/.wh.a.sh", ""), text("d/a.sh", "2"), text("d/.wh.b.sh", "")])
        assert self.names(tmp_path, below, above) == {"/d/a.sh": "2"}

    def test_an_opaque_folder_hides_what_is_below(self, tmp_path: Path) -> None:
        below = layer([text("d/a.sh", "1"), text("d/e/b.sh", "1"), text("c.sh", "1")])
        above = layer([text("d/new.sh", "2"), text("d/.wh..wh..opq", "")])
        assert self.names(tmp_path, below, above) == {"/c.sh": "1", "/d/new.sh": "2"}

    def test_a_file_below_a_linked_folder_lands_where_the_link_leads(self, tmp_path: Path) -> None:
        below = layer([folder("usr/bin"), link("bin", "usr/bin")])
        files = read_image(oci(Built([below, layer([script("bin/a.sh", "1")])]), tmp_path)).files
        assert files.entries("/usr/bin") == ("a.sh",)
        assert files.which("a.sh", "/bin") is not None

    def test_links_are_followed_within_the_image(self, tmp_path: Path) -> None:
        made = layer([text("etc/real.conf", "ours"), link("a.conf", "/etc/real.conf"), link("up", "../../etc")])
        files = read_image(oci(Built([made]), tmp_path)).files
        for path in ("/a.conf", "/up/real.conf"):
            file = files.lookup(path)
            assert file is not None
            assert file.text is not None
            assert file.text.text == "ours"

    def test_links_in_a_circle_lead_nowhere(self, tmp_path: Path) -> None:
        files = read_image(oci(Built([layer([link("a", "b"), link("b", "a")])]), tmp_path)).files
        assert files.lookup("/a") is None

    def test_long_names_and_sparse_files_are_read(self, tmp_path: Path) -> None:
        long = "d/" + "x" * 180 + ".sh"
        for form in (0, 1, 2):
            data = layer([text(long, "far")], form) if form else layer([text("d/x.sh", "far")], form)
            (tmp_path / str(form)).mkdir()
            assert "far" in self.names(tmp_path / str(form), data).values()
        file = tmp_path / "holes.conf"
        with file.open("wb") as sparse:
            sparse.seek(1 << 20)
            sparse.write(b"end")
        for number, option in enumerate(("gnu", "posix")):
            made = tmp_path / f"{option}.tar"
            subprocess.run(
                ["tar", "-C", tmp_path, "-S", f"--format={option}", "-cf", made, "holes.conf"], check=True
            )  # fmt: skip
            stored = read_image(f"oci:{Built([made.read_bytes()]).oci(tmp_path / f'sparse{number}')}").files
            content = stored.lookup("/holes.conf")
            assert content is not None
            assert content.content is not None
            with content.content.open() or pytest.fail() as opened:
                assert opened.read() == bytes(1 << 20) + b"end"


class TestSelection:
    def platforms(self, tmp_path: Path) -> str:
        blobs, rows = {}, []
        for architecture in ("amd64", "arm64", "s390x"):
            made = layer([script("run.sh", f"#!/bin/sh\n# {architecture}\nexec java\n")])
            more, row = Built([made], {"Cmd": ["/run.sh"]}, architecture).blobs()
            blobs.update(more)
            rows.append(row)
        attested = dict(rows[0], annotations={"vnd.docker.reference.type": "attestation-manifest"})
        return f"oci:{layout(tmp_path / 'multi', blobs, [*rows, attested])}"

    @pytest.mark.parametrize("architecture", ["amd64", "arm64", "s390x"])
    def test_a_platform_is_chosen(self, architecture: str, tmp_path: Path) -> None:
        image = read_image(self.platforms(tmp_path), f"linux/{architecture}")
        file = image.files.lookup("/run.sh")
        assert file is not None
        assert file.text is not None
        assert f"# {architecture}\n" in file.text.text

    def test_a_platform_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableError) as told:
            read_image(self.platforms(tmp_path), "linux/riscv64")
        assert told.value.reason == (
            "has no image for linux/riscv64: --platform takes one of linux/amd64, linux/arm64, linux/s390x"
        )

    def test_a_tag_is_chosen(self, tmp_path: Path) -> None:
        blobs, rows = {}, []
        for tag in ("1", "2"):
            more, row = Built([BASE], {"Env": [f"TAG={tag}"]}).blobs()
            blobs.update(more)
            rows.append(dict(row, annotations={"org.opencontainers.image.ref.name": tag}))
        at = layout(tmp_path / "tags", blobs, rows)
        assert read_image(f"oci:{at}:2").env["TAG"] == "2"
        with pytest.raises(UnreadableError) as told:
            read_image(f"oci:{at}")
        assert told.value.reason == "has several images: name one of them after a colon: it has 1, 2"

    def test_a_path_may_hold_colons(self, tmp_path: Path) -> None:
        (tmp_path / "a:b").mkdir()
        assert parse(f"oci:{tmp_path}/a:b:v1") == Reference(f"oci:{tmp_path}/a:b:v1", "oci", f"{tmp_path}/a:b", "v1")

    def test_an_engine_that_is_not_there_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(UnreadableError) as told:
            read_image("docker:app")
        assert told.value.reason == "cannot be read: docker is not installed"


def test_results_go_from_one_process_to_another(tmp_path: Path) -> None:
    image = read_image(oci(APP, tmp_path))
    result = linter.judge_image(image, registry.all_rules())
    again = pickle.loads(pickle.dumps(result))
    assert [d.message for d in again.diagnostics] == [d.message for d in result.diagnostics]


def test_a_dockerfile_is_judged_without_reading_archives(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text('FROM debian:12\nCOPY run.sh /\nCMD ["/run.sh"]\n')
    (tmp_path / "run.sh").write_text("#!/bin/sh\nexec server\n")
    code = (
        "import sys; from pid1lint import cli; cli.run(['Dockerfile']);"
        "late = ('pid1lint.archive', 'elftools', 'zstandard', 'isal');"
        "sys.exit(' '.join(name for name in sys.modules if name.startswith(late)))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.stderr.strip() == ""


def test_an_app_in_the_root_directory_is_not_read_with_the_libraries_of_the_system(tmp_path: Path) -> None:
    libraries = [text(f"usr/share/nodejs/a{number}.js", "process.on('SIGTERM', f)\n") for number in range(450)]
    app = [text("app.js", "require('net').createServer().listen(0);\n"), *libraries]
    built = Built([BASE, layer([script("usr/bin/node", "\0ELF"), *app])], {"Cmd": ["node", "app.js"]})
    ((launch,), _, _) = check.launches(check.plan([oci(built, tmp_path)]), Options())
    assert (launch.outcome.value, launch.certainty) == ("hang", "proven")
