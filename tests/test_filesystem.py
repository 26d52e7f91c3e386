from __future__ import annotations

from collections.abc import Mapping

import pytest

from pid1lint.dockerfile.expand import UNKNOWN
from pid1lint.dockerfile.scanner import scan
from pid1lint.image.context import MemoryContext
from pid1lint.image.filesystem import EmbeddedSource, FileSystem, ImageFile
from pid1lint.image.model import Build
from pid1lint.source import Source

FILES: Mapping[str, str | bytes] = {
    "run.sh": "#!/bin/sh\nexec app\n",
    "bin/a.sh": "a\n",
    "bin/b.sh": "b\n",
    "bin/deep/c.sh": "c\n",
    "conf/x.conf": "x\n",
    "app": b"\x7fELF\0",
}
MODES = {"run.sh": 0o755, "bin/a.sh": 0o644}


def files(text: str, base: str = "debian:12", more: Mapping[str, str | bytes] | None = None) -> FileSystem:
    dockerfile = scan(Source("Dockerfile", f"FROM {base}\n{text}\n"))
    build = Build(dockerfile, MemoryContext({**FILES, **(more or {})}, MODES), {})
    return build.files(len(build.stages) - 1)


def found(text: str, path: str) -> ImageFile:
    file = files(text).lookup(path)
    assert file is not None
    return file


def content(text: str, path: str) -> str | None:
    file = files(text).lookup(path)
    return None if file is None or file.text is None else file.text.text


@pytest.mark.parametrize(
    ("copy", "path", "source"),
    [
        pytest.param("COPY run.sh /e.sh", "/e.sh", "run.sh", id="renamed"),
        pytest.param("COPY run.sh /", "/run.sh", "run.sh", id="into a directory"),
        pytest.param("COPY run.sh /usr/local/bin", "/usr/local/bin/run.sh", "run.sh", id="into a standard directory"),
        pytest.param("WORKDIR /srv/x\nCOPY run.sh .", "/srv/x/run.sh", "run.sh", id="into WORKDIR"),
        pytest.param("WORKDIR /srv/x\nCOPY run.sh y.sh", "y.sh", "run.sh", id="relative to WORKDIR"),
        pytest.param("RUN mkdir -p /o\nCOPY run.sh /o", "/o/run.sh", "run.sh", id="into what mkdir made"),
        pytest.param("COPY . /app", "/app/bin/a.sh", "bin/a.sh", id="the whole context"),
        pytest.param("COPY ./bin /app/", "/app/a.sh", "bin/a.sh", id="a directory's contents"),
        pytest.param("COPY bin/ /app", "/app/deep/c.sh", "bin/deep/c.sh", id="and what lies below"),
        pytest.param("COPY bin/*.sh /app/", "/app/b.sh", "bin/b.sh", id="wildcard"),
        pytest.param("COPY b?n /app/", "/app/deep/c.sh", "bin/deep/c.sh", id="wildcard for a directory"),
        pytest.param("COPY */[ab].sh /app/", "/app/a.sh", "bin/a.sh", id="wildcards in two places"),
        pytest.param("COPY run.sh bin/a.sh /app", "/app/a.sh", "bin/a.sh", id="several sources"),
        pytest.param('COPY ["run.sh", "/e.sh"]', "/e.sh", "run.sh", id="JSON form"),
        pytest.param("ARG N=run\nENV D=/d\nCOPY $N.sh ${D}/", "/d/run.sh", "run.sh", id="variables"),
        pytest.param("ADD run.sh /", "/run.sh", "run.sh", id="ADD"),
        pytest.param("COPY --link --chown=1:1 run.sh /", "/run.sh", "run.sh", id="flags without an effect"),
        pytest.param("COPY --parents bin/deep/c.sh /x/", "/x/bin/deep/c.sh", "bin/deep/c.sh", id="parents"),
        pytest.param("COPY --parents bin/./deep/ /x/", "/x/deep/c.sh", "bin/deep/c.sh", id="parents with a pivot"),
        pytest.param("COPY bin /b\nCOPY run.sh /b/a.sh", "/b/a.sh", "run.sh", id="the last one counts"),
        pytest.param("COPY ../../run.sh /", "/run.sh", "run.sh", id="`..` ends at the root"),
        pytest.param("COPY run.sh /a\nRUN mv /a /b", "/b", "run.sh", id="mv"),
        pytest.param("COPY bin /x\nRUN mv /x/deep /y", "/y/c.sh", "bin/deep/c.sh", id="mv of a directory"),
        pytest.param("COPY bin /x\nRUN cp /x/*.sh /opt/", "/opt/b.sh", "bin/b.sh", id="cp with a wildcard"),
        pytest.param("COPY bin /x\nRUN cp -a /x/. /y", "/y/deep/c.sh", "bin/deep/c.sh", id="cp of contents"),
        pytest.param("COPY run.sh /t/\nRUN cd /t && cp run.sh /e", "/e", "run.sh", id="cd"),
        pytest.param("COPY run.sh /t/\nRUN install -m 755 -t /opt /t/run.sh", "/opt/run.sh", "run.sh", id="install"),
        pytest.param("COPY run.sh /a\nRUN ln -s /a /b", "/b", "run.sh", id="link"),
        pytest.param("RUN ln -s /a /b\nCOPY run.sh /a", "/b", "run.sh", id="link before its target"),
        pytest.param("COPY run.sh /o/\nRUN ln -sf ../o/run.sh /bin/e", "/bin/e", "run.sh", id="relative link"),
        pytest.param("COPY bin /o/bin\nRUN ln -s /o/bin /c", "/c/a.sh", "bin/a.sh", id="link to a directory"),
        pytest.param("COPY run.sh /o/e\nRUN ln -s /o/e /usr/bin/", "/usr/bin/e", "run.sh", id="link into a directory"),
        pytest.param('COPY run.sh /a\nRUN ["mv", "/a", "/b"]', "/b", "run.sh", id="exec form"),
        pytest.param("COPY bin /x\nRUN for f in a b; do mv /x/$f.sh /$f; done", "/b", "bin/b.sh", id="for"),
        pytest.param("COPY run.sh /a\nRUN <<EOF\nset -e\nmv /a /b\nEOF", "/b", "run.sh", id="heredoc"),
        pytest.param("COPY run.sh /a\nRUN if true; then mv /a /b; fi", "/b", "run.sh", id="if"),
    ],
)
def test_a_file_is_traced_to_the_context(copy: str, path: str, source: str) -> None:
    file = found(copy, path)
    assert file.source is not None
    assert file.source.path == source
    assert file.editable


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param("COPY run.sh /e.sh", "/run.sh", id="another name"),
        pytest.param("COPY bin /app", "/app/bin/a.sh", id="the directory itself is not copied"),
        pytest.param("COPY --exclude=*/a.sh bin /app", "/app/a.sh", id="excluded"),
        pytest.param("COPY run.sh /a\nRUN mv /a /b", "/a", id="moved away"),
        pytest.param("COPY run.sh /a\nRUN rm -f /a", "/a", id="deleted"),
        pytest.param("COPY bin /x\nRUN rm -rf /x", "/x/a.sh", id="deleted with its directory"),
        pytest.param("COPY --from=nowhere / /", "/run.sh", id="another image"),
        pytest.param("RUN ln -s /b /a && ln -s /a /b", "/a", id="links in a circle"),
    ],
)
def test_a_file_is_not_there(text: str, path: str) -> None:
    assert files(text).lookup(path) is None


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param("COPY made/start.sh /start.sh", id="a file of a folder that the build makes"),
        pytest.param("COPY made/* /", id="all files of it"),
        pytest.param("COPY made/ /", id="the folder"),
    ],
)
def test_a_script_of_that_name_is_taken_for_what_the_build_copies(copy: str) -> None:
    file = files(copy, more={"start.sh": "#!/bin/sh\nserver\n"}).lookup("/start.sh")
    assert file is not None and file.text is not None
    assert (file.text.source.path, file.supposed, file.editable, file.executable) == ("start.sh", True, False, None)


@pytest.mark.parametrize(
    ("copy", "more"),
    [
        pytest.param("COPY made/start.sh /start.sh", {"start.sh": "no script\n"}, id="no script"),
        pytest.param("COPY made/start.sh /start.sh", {"lib/start.sh": "#!/bin/sh\n"}, id="in another folder"),
    ],
)
def test_nothing_else_is_taken_for_what_the_build_copies(copy: str, more: dict[str, str]) -> None:
    file = files(copy, more=more).lookup("/start.sh")
    assert file is not None
    assert (file.text, file.supposed) == (None, False)


def test_dockerignore_keeps_files_out() -> None:
    assert files("COPY . /x", more={".dockerignore": "bin"}).lookup("/x/bin/a.sh") is None
    assert files("COPY . /x", more={".dockerignore": "bin\n!bin/a.sh"}).lookup("/x/bin/a.sh") is not None


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param("COPY app /app", "/app", id="binary"),
        pytest.param("COPY target/x.jar /x.jar", "/x.jar", id="not built yet"),
        pytest.param("ARG J=target/*.jar\nCOPY ${J} /x.jar", "/x.jar", id="wildcard for what is not built yet"),
        pytest.param("ARG J\nCOPY $J /x.jar", "/x.jar", id="named by an ARG"),
        pytest.param("ADD https://example.org/d/tini?v=1 /bin/", "/bin/tini", id="ADD of a URL"),
        pytest.param("RUN curl -fsSLo /tini https://example.org/t", "/tini", id="curl"),
        pytest.param("RUN wget -qO /tini https://example.org/t", "/tini", id="wget"),
        pytest.param("WORKDIR /w\nRUN curl -LO https://example.org/d/t", "/w/t", id="curl -O"),
        pytest.param("COPY --from=x/y /usr/bin/tini /tini", "/tini", id="from another image"),
        pytest.param("RUN date > /e.sh", "/e.sh", id="output of a program"),
    ],
)
def test_a_file_of_which_the_content_is_not_known(text: str, path: str) -> None:
    file = found(text, path)
    assert file.text is None
    assert file.source is None
    assert not file.editable


@pytest.mark.parametrize(
    ("text", "mode", "executable"),
    [
        pytest.param("COPY run.sh /e", 0o755, True, id="the context's mode"),
        pytest.param("COPY bin/a.sh /e", 0o644, False, id="the context's mode without x"),
        pytest.param("COPY bin/b.sh /e", None, None, id="not known"),
        pytest.param("COPY --chmod=755 bin/a.sh /e", 0o755, True, id="COPY --chmod"),
        pytest.param("COPY --chmod=u+x bin/b.sh /e", None, True, id="COPY --chmod with letters"),
        pytest.param("ARG M\nCOPY --chmod=$M bin/a.sh /e", None, None, id="COPY --chmod by an ARG"),
        pytest.param("COPY bin/a.sh /e\nRUN chmod +x /e", 0o755, True, id="+x"),
        pytest.param("COPY bin/b.sh /e\nRUN chmod a+rx /e", None, True, id="+x on what is not known"),
        pytest.param("COPY bin/a.sh /e\nRUN chmod u+x,go-r /e", 0o700, True, id="two clauses"),
        pytest.param("COPY bin/a.sh /e\nRUN chmod 0550 /e", 0o550, True, id="octal"),
        pytest.param("COPY bin/a.sh /e\nRUN chmod u=rwx,go=rx /e", 0o755, True, id="set"),
        pytest.param("COPY --chmod=740 run.sh /e\nRUN chmod g=u,o-g /e", 0o770, True, id="what another has"),
        pytest.param("COPY bin/b.sh /e\nRUN chmod g=u /e", None, None, id="what another has, not known"),
        pytest.param("COPY run.sh /e\nRUN chmod -x /e", 0o644, False, id="-x"),
        pytest.param("COPY bin/a.sh /e\nRUN chmod -R 755 /", 0o755, True, id="-R"),
        pytest.param("COPY bin/a.sh /e\nRUN chmod +x /[a-f]", 0o755, True, id="wildcard"),
        pytest.param("COPY bin/a.sh /e\nRUN chmod +x /{d,e}", 0o755, True, id="braces"),
        pytest.param("COPY bin/a.sh /e\nRUN find / -name 'e*' -exec chmod +x {} +", 0o755, True, id="find"),
        pytest.param("COPY bin/a.sh /e\nRUN find / -type f | xargs chmod +x", 0o755, True, id="xargs"),
        pytest.param("COPY bin/a.sh /e\nRUN chmod +x /f /g; sudo chmod 755 /e", 0o755, True, id="sudo"),
        pytest.param("COPY bin/a.sh /o\nRUN chmod +x /o && mv /o /e", 0o755, True, id="before mv"),
        pytest.param("COPY bin/a.sh /o\nRUN install /o /e", 0o755, True, id="install"),
        pytest.param("COPY bin/a.sh /o\nRUN install -m 0600 /o /e", 0o600, False, id="install -m"),
        pytest.param("ENV F=/e\nCOPY bin/a.sh /e\nRUN chmod +x $F", 0o755, True, id="variable"),
        pytest.param("COPY <<X /e\nx\nX", 0o644, False, id="heredoc"),
        pytest.param("COPY --chmod=0755 <<X /e\nx\nX", 0o755, True, id="heredoc with --chmod"),
        pytest.param("RUN echo x > /e", 0o644, False, id="echo"),
        pytest.param("ADD https://example.org/x /e", 0o600, False, id="ADD of a URL"),
        pytest.param("ADD --chmod=755 https://example.org/x /e", 0o755, True, id="ADD of a URL with --chmod"),
    ],
)
def test_modes(text: str, mode: int | None, executable: bool | None) -> None:
    file = found(text, "/e")
    assert (file.mode, file.executable) == (mode, executable)


@pytest.mark.parametrize(
    ("run", "text"),
    [
        pytest.param("RUN echo 'exec a \"$@\"' > /e", 'exec a "$@"\n', id="echo"),
        pytest.param("RUN echo -n a > /e", "a", id="echo -n"),
        pytest.param("RUN echo '#!/bin/sh\\nexec a' > /e", "#!/bin/sh\nexec a\n", id="dash's echo undoes escapes"),
        pytest.param("RUN printf '#!/bin/sh\\nexec %s\\n' app > /e", "#!/bin/sh\nexec app\n", id="printf"),
        pytest.param("RUN printf '%s\\n' a 'b c' > /e", "a\nb c\n", id="printf repeats its format"),
        pytest.param("RUN echo a > /e && echo b >> /e", "a\nb\n", id="appended"),
        pytest.param("RUN echo a >> /e; echo b >> /e", "a\nb\n", id="appended to nothing"),
        pytest.param("RUN { echo a; echo b; } > /e", "a\nb\n", id="group"),
        pytest.param("RUN (echo a && echo b) > /e", "a\nb\n", id="subshell"),
        pytest.param("RUN echo a | tee /e", "a\n", id="tee"),
        pytest.param("RUN cat > /e <<'X'\nexec $1\nX", "exec $1\n", id="cat"),
        pytest.param("RUN cat <<X > /e\nexec \\$1 $2 $HOME\nX", f"exec $1 {UNKNOWN} /root\n", id="cat, expanded"),
        pytest.param("RUN tee /e <<-X\n\ta\n\tX", "a\n", id="tee with a heredoc"),
        pytest.param("RUN <<X\ncat > /e <<'Y'\nexec a\nY\nX", "exec a\n", id="a heredoc in a heredoc"),
        pytest.param("COPY <<X /e\nexec $1\nX", f"exec {UNKNOWN}\n", id="COPY expands"),
        pytest.param("COPY <<'X' /e\nexec $1\nX", "exec $1\n", id="COPY, quoted"),
        pytest.param("RUN echo a \\\n  b > /e", "a b\n", id="over two lines"),
        pytest.param("COPY run.sh /e\nRUN echo x >> /e", None, id="appended to a context file"),
        pytest.param("RUN echo $(date) > /e", UNKNOWN + "\n", id="command substitution"),
    ],
)
def test_files_written_in_the_dockerfile(run: str, text: str | None) -> None:
    assert content(run, "/e") == text


def test_echo_keeps_escapes_where_sh_is_busybox() -> None:
    file = files("RUN echo 'a\\nb' > /e", base="alpine:3.20").lookup("/e")
    assert file is not None
    assert file.text is not None
    assert file.text.text == "a\\nb\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("RUN echo '#!/bin/sh' > /e && \\\n    echo 'exec app' >> /e", id="echo"),
        pytest.param("RUN printf '#!/bin/sh\\nexec app\\n' > /e", id="printf"),
        pytest.param("COPY <<X /e\n#!/bin/sh\nexec app\nX", id="COPY"),
        pytest.param("RUN cat <<'X' >/e\n#!/bin/sh\nexec app\nX", id="cat"),
        pytest.param("COPY <<-X /e\n\t#!/bin/sh\n\texec app\n\tX", id="without tabs"),
    ],
)
def test_what_is_written_in_the_dockerfile_points_into_it(text: str) -> None:
    file = found(text, "/e")
    assert file.source is not None
    assert isinstance(file.source, EmbeddedSource)
    whole = file.source.whole()
    assert whole.text == file.source.text
    start = whole.text.index("exec")
    assert whole.place(start, start + 4).text == "exec"
    assert whole.source.path == "Dockerfile"
    assert file.source.location(start) == whole.place(start).start


@pytest.mark.parametrize(
    ("text", "editable"),
    [
        pytest.param("COPY <<X /e\nexec app\nX", True, id="COPY"),
        pytest.param("COPY <<X /e\nexec $1\nX", False, id="COPY that expands"),
        pytest.param("RUN cat <<'X' >/e\nexec $1\nX", True, id="cat"),
        pytest.param("RUN echo exec app >/e", False, id="echo"),
        pytest.param("COPY run.sh /e\nRUN sed -i 's/app/b/' /e", False, id="changed by sed"),
    ],
)
def test_only_content_that_stands_as_it_is_can_be_edited(text: str, editable: bool) -> None:
    assert found(text, "/e").editable is editable


@pytest.mark.parametrize(
    "run",
    [
        "sed -i 's/\\r$//' /e",
        "sed -i -e 's/\\r//g' /e",
        "sed -i 's/\\r\\+$//' /e",
        "dos2unix /e",
        "find / -name 'e' -exec sed -i 's/\\r$//' {} \\;",
        "perl -pi -e 's/\\r\\n/\\n/g' /e",
        "tr -d '\\r' < /e > /f && mv /f /e",
    ],
)
def test_line_ends_are_mended(run: str) -> None:
    file = found(f"COPY run.sh /e\nRUN {run}", "/e")
    assert file.crlf_removed
    assert not file.altered
    assert file.source is not None


def test_another_change_is_told() -> None:
    file = found("COPY run.sh /e\nRUN sed -i 's/app/b/' /e", "/e")
    assert (file.altered, file.crlf_removed) == (True, False)


def test_a_file_comes_from_another_stage() -> None:
    text = (
        "AS one\nCOPY bin/a.sh /x/\nRUN chmod +x /x/a.sh\nFROM debian\nCOPY --from=one /x /y\nCOPY --from=0 /x/a.sh /z"
    )
    dockerfile = scan(Source("Dockerfile", f"FROM debian {text}\n"))
    build = Build(dockerfile, MemoryContext(FILES, MODES), {})
    for path in ("/y/a.sh", "/z"):
        file = build.files(1).lookup(path)
        assert file is not None
        assert (file.origin, file.mode) == ("stage", 0o755)
        assert file.source is not None
        assert file.source.path == "bin/a.sh"
        assert file.place.text.startswith("COPY --from=")


def test_a_stage_has_the_files_of_its_parent() -> None:
    dockerfile = scan(Source("Dockerfile", "FROM debian AS a\nCOPY run.sh /e\nFROM a\nRUN chmod 700 /e\n"))
    file = Build(dockerfile, MemoryContext(FILES, MODES), {}).files(1).lookup("/e")
    assert file is not None
    assert file.mode == 0o700


def test_onbuild_copies_in_the_next_stage() -> None:
    dockerfile = scan(Source("Dockerfile", "FROM debian AS a\nONBUILD COPY run.sh /e\nFROM a\n"))
    build = Build(dockerfile, MemoryContext(FILES, MODES), {})
    assert build.files(0).lookup("/e") is None
    assert build.files(1).lookup("/e") is not None


def test_a_program_is_found_on_path() -> None:
    system = files("COPY bin/a.sh /usr/local/bin/run\nCOPY run.sh /usr/bin/run\nWORKDIR /w\nCOPY run.sh x")
    by_name = system.which("run", "/usr/local/bin:/usr/bin")
    assert by_name is not None
    assert by_name.path == "/usr/bin/run"
    assert system.which("nope") is None
    relative = system.which("./x")
    assert relative is not None
    assert relative.path == "/w/x"


def test_glob_lists_what_is_known() -> None:
    system = files("COPY bin/ /d/\nRUN mv /d/b.sh /d/z.sh && echo x > /d/y.sh")
    assert [file.path for file in system.glob("/d/*.sh")] == ["/d/a.sh", "/d/y.sh", "/d/z.sh"]
    assert [file.path for file in system.glob("/d/*/*.sh")] == ["/d/deep/c.sh"]


def test_texts_below_a_directory() -> None:
    assert sorted(files("COPY . /app").texts_below("/app", (".sh",))) == ["#!/bin/sh\nexec app\n", "a\n", "b\n", "c\n"]


@pytest.mark.parametrize(
    ("run", "packages"),
    [
        pytest.param(
            "apt-get update && apt-get install -y --no-install-recommends tini=0.19 x", {"tini", "x"}, id="apt"
        ),
        pytest.param("apk add --no-cache -t .deps tini~=0.19 su-exec", {"tini", "su-exec"}, id="apk"),
        pytest.param("yum -y install a b && yum clean all", {"a", "b"}, id="yum"),
        pytest.param("microdnf install -y --nodocs a", {"a"}, id="microdnf"),
        pytest.param("zypper -n in a", {"a"}, id="zypper"),
        pytest.param("pacman -Sy --noconfirm a", {"a"}, id="pacman"),
        pytest.param("apt-get -qq -o A=b install a:amd64", {"a"}, id="options before the command"),
        pytest.param("apt-get remove a", set(), id="remove"),
        pytest.param("set -eux; P='a b'; apt-get install -y $P", {"a", "b"}, id="variable"),
        pytest.param("apt install ${NOPE}", set(), id="unknown variable"),
        pytest.param("<<X\napt-get install -y a\nX", {"a"}, id="heredoc"),
    ],
)
def test_packages(run: str, packages: set[str]) -> None:
    assert files(f"RUN {run}").packages == packages


@pytest.mark.parametrize(
    "text",
    [
        "COPY",
        "COPY x",
        "COPY --from=9 a b",
        "COPY [] /",
        "COPY <<X\nX",
        "RUN chmod",
        "RUN ln -s",
        "RUN cp",
        "RUN echo >",
        "RUN printf",
        "RUN chmod ++ /e",
        "RUN sed -i",
        "RUN (",
        "RUN find -exec",
        "RUN curl -o",
        "RUN install -m",
        "RUN tee",
        "ADD https:// /",
        "COPY [[ /x/",
        "COPY *[ /x/",
        'RUN ["chmod"]',
        "RUN []",
        "ENV",
        "WORKDIR",
    ],
)
def test_what_makes_no_sense_is_passed_over(text: str) -> None:
    system = files(text)
    assert system.lookup("/e") is None
    assert system.glob("/x/*") == ()
    assert system.packages == frozenset()
