"""The facts: their data files are sound, and the loaders find the right row."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from pid1lint.facts import data, handlers, images, launchers, programs, shells

DATA = Path(images.__file__).parent
LISTS = [
    pytest.param("images", "images", id="images"),
    pytest.param("launchers", "launchers", id="launchers"),
    pytest.param("programs", "programs", id="programs"),
    pytest.param("programs", "runners", id="runners"),
    pytest.param("shells", "shells", id="shells"),
    pytest.param("handlers", "handlers", id="handlers"),
]
SOURCE = re.compile(r"(measured|documented|believed): \S")


def rows(file: str, key: str) -> list[dict[str, object]]:
    loaded: list[dict[str, object]] = json.loads((DATA / f"{file}.json").read_text())[key]
    return loaded


def names(row: dict[str, object]) -> list[str]:
    return str(row["names"]).split()


# ------------------------------------------------------------------ data files


@pytest.mark.parametrize(("file", "key"), LISTS)
def test_every_row_names_its_source(file: str, key: str) -> None:
    assert [row for row in rows(file, key) if not SOURCE.match(str(row.get("source")))] == []


@pytest.mark.parametrize(("file", "key"), [LISTS[0], LISTS[1], LISTS[4]])
def test_a_name_stands_in_one_row(file: str, key: str) -> None:
    found = [name for row in rows(file, key) for name in names(row)]
    assert sorted({name for name in found if found.count(name) > 1}) == []


def test_no_program_row_is_hidden_by_an_earlier_one_of_the_same_name() -> None:
    hidden = []
    seen: set[str] = set()
    for row in rows("programs", "programs"):
        hidden += [name for name in names(row) if name in seen]
        if not any(key in row for key in ("arguments", "unless", "unless_config", "unless_env")):
            seen.update(names(row))
    assert hidden == []


def test_program_rows_use_the_agreed_words() -> None:
    table = [row for name in programs._entries() for row in programs._rows(name)]
    assert {row.lifetime for row in table} == {"short", "forever", "long", "daemonizes"}
    assert {row.kind for row in table} == {"program", "runner", "interpreter", "shell", "interactive"}
    reactions = {reaction for row in table for reaction in row.signals.values()}
    assert reactions == {"handles", "drops", "default", "survives"}
    assert {row.graceful for row in table} <= {"", "TERM", "INT", "QUIT", "WINCH", "USR1", "RTMIN+3"}


def test_the_graceful_signal_of_a_program_is_not_one_that_it_ignores() -> None:
    table = [row for name in programs._entries() for row in programs._rows(name)]
    assert [row for row in table if row.graceful and row.reaction(row.graceful) == "default"] == []


def test_launcher_rows_use_the_agreed_words() -> None:
    kinds = {row.kind for row in map(launchers._row, launchers._entries())}
    assert kinds == {"exec", "forward", "hang", "switch", "quit", "detach", "init"}


def test_image_rows_name_known_families() -> None:
    families = json.loads((DATA / "images.json").read_text())["families"]
    assert {str(row["family"]) for row in rows("images", "images")} <= {*families, ""}


@pytest.mark.parametrize("key", ["arguments", "unless", "unless_config", "unless_env"])
def test_patterns_of_programs_compile(key: str) -> None:
    for row in rows("programs", "programs"):
        re.compile(str(row.get(key, "")))


def test_rows_pickle() -> None:
    for row in (
        images.base_image("php:fpm"),
        programs.program(["nginx"]),
        launchers.launcher("su"),
        shells.shell("sh"),
    ):
        assert pickle.loads(pickle.dumps(row)) == row


# ---------------------------------------------------------------------- images


@pytest.mark.parametrize(
    ("reference", "name", "tag"),
    [
        pytest.param("python", "python", "", id="bare"),
        pytest.param("python:3.12-slim", "python", "3.12-slim", id="tag"),
        pytest.param("docker.io/library/python:3@sha256:0123", "python", "3", id="hub-and-digest"),
        pytest.param("public.ecr.aws/docker/library/node:20", "node", "20", id="ecr-mirror"),
        pytest.param("mirror.gcr.io/library/node", "node", "", id="gcr-mirror"),
        pytest.param("arm64v8/debian:12", "debian", "12", id="platform-prefix"),
        pytest.param("localhost:5000/team/app:1", "localhost:5000/team/app", "1", id="port"),
        pytest.param("ghcr.io/linuxserver/sonarr", "ghcr.io/linuxserver/sonarr", "", id="other-registry"),
    ],
)
def test_a_reference_is_taken_apart(reference: str, name: str, tag: str) -> None:
    assert images.parse_reference(reference)[:2] == (name, tag)


@pytest.mark.parametrize(
    ("reference", "family", "sh"),
    [
        ("debian:bookworm-slim", "debian", "dash"),
        ("ubuntu:24.04", "ubuntu", "dash"),
        ("alpine:3.20", "alpine", "busybox"),
        ("busybox", "busybox", "busybox"),
        ("fedora:40", "fedora", "bash"),
        ("registry.access.redhat.com/ubi9/ubi-minimal:9.4", "rhel", "bash"),
        ("redhat/ubi8", "rhel", "bash"),
        ("centos:7", "rhel", "bash"),
        ("rockylinux:9", "rhel", "bash"),
        ("almalinux:9", "rhel", "bash"),
        ("oraclelinux:9-slim", "rhel", "bash"),
        ("amazonlinux:2023", "amazon", "bash"),
        ("opensuse/leap:15", "suse", "bash"),
        ("archlinux", "arch", "bash"),
        ("scratch", "scratch", "none"),
        ("gcr.io/distroless/static-debian12:nonroot", "distroless", "none"),
        ("gcr.io/distroless/base:debug", "distroless", "none"),
        ("cgr.dev/chainguard/wolfi-base", "wolfi", "busybox"),
        ("python:3.12", "debian", "dash"),
        ("python:3.12-alpine", "alpine", "busybox"),
        ("node:22-bookworm-slim", "debian", "dash"),
        ("golang:1.22-alpine3.20", "alpine", "busybox"),
        ("php:8.3-fpm-alpine", "alpine", "busybox"),
        ("openjdk:17", "rhel", "bash"),
        ("openjdk:17-slim", "debian", "dash"),
        ("openjdk:8-jre", "debian", "dash"),
        ("eclipse-temurin:21-jre", "ubuntu", "dash"),
        ("eclipse-temurin:21-jre-alpine", "alpine", "busybox"),
        ("eclipse-temurin:21-ubi9-minimal", "rhel", "bash"),
        ("amazoncorretto:21", "amazon", "bash"),
        ("amazoncorretto:21-alpine", "alpine", "busybox"),
        ("mysql:8.4", "rhel", "bash"),
        ("mariadb:11", "ubuntu", "dash"),
        ("nvidia/cuda:12.4.1-runtime-ubuntu22.04", "ubuntu", "dash"),
        ("nvidia/cuda:12.4.1-runtime-ubi8", "rhel", "bash"),
        ("mcr.microsoft.com/dotnet/aspnet:8.0", "debian", "dash"),
        ("mcr.microsoft.com/dotnet/aspnet:8.0-alpine", "alpine", "busybox"),
        ("mcr.microsoft.com/dotnet/aspnet:8.0-jammy-chiseled", "distroless", "none"),
        ("mcr.microsoft.com/windows/servercore:ltsc2022", "windows", "none"),
        ("mcr.microsoft.com/dotnet/runtime:8.0-nanoserver-1809", "windows", "none"),
    ],
)
def test_the_shell_of_an_image_is_known(reference: str, family: str, sh: str) -> None:
    image = images.base_image(reference)
    assert image is not None
    assert (image.family, image.sh, image.guessed) == (family, sh, False)


@pytest.mark.parametrize(
    ("reference", "entrypoint", "cmd", "stop_signal"),
    [
        ("nginx:1.27", ("/docker-entrypoint.sh",), ("nginx", "-g", "daemon off;"), "SIGQUIT"),
        ("httpd:2.4", None, ("httpd-foreground",), "SIGWINCH"),
        ("php:8.3-apache", ("docker-php-entrypoint",), ("apache2-foreground",), "SIGWINCH"),
        ("php:8.3-fpm", ("docker-php-entrypoint",), ("php-fpm",), "SIGQUIT"),
        ("php:8.3-cli", ("docker-php-entrypoint",), ("php", "-a"), None),
        ("wordpress:6-fpm-alpine", ("docker-entrypoint.sh",), ("php-fpm",), "SIGQUIT"),
        ("postgres:16", ("docker-entrypoint.sh",), ("postgres",), "SIGINT"),
        ("postgis/postgis:16-3.4", ("docker-entrypoint.sh",), ("postgres",), "SIGINT"),
        ("haproxy:3.0", ("docker-entrypoint.sh",), ("haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"), "SIGUSR1"),
        ("mysql:8", ("docker-entrypoint.sh",), ("mysqld",), None),
        ("redis:7-alpine", ("docker-entrypoint.sh",), ("redis-server",), None),
        ("node:22", ("docker-entrypoint.sh",), ("node",), None),
        ("python:3", None, ("python3",), None),
        ("debian:12", None, ("bash",), None),
        ("phusion/baseimage:jammy-1.0.1", None, ("/sbin/my_init",), None),
        ("gcr.io/distroless/nodejs20-debian12", ("/nodejs/bin/node",), None, None),
        ("jenkins/jenkins:lts", ("/usr/bin/tini", "--", "/usr/local/bin/jenkins.sh"), None, None),
    ],
)
def test_the_configuration_of_an_image_is_known(
    reference: str, entrypoint: tuple[str, ...] | None, cmd: tuple[str, ...] | None, stop_signal: str | None
) -> None:
    image = images.base_image(reference)
    assert image is not None
    assert (image.entrypoint, image.cmd, image.stop_signal) == (entrypoint, cmd, stop_signal)


@pytest.mark.parametrize("reference", ["team/app", "team/app:1.2", "quay.io/x/y:latest", "\ufffc", "\ufffc:1-alpine"])
def test_an_unknown_image_is_not_guessed(reference: str) -> None:
    assert images.base_image(reference) is None


def test_a_clear_suffix_gives_a_guess() -> None:
    image = images.base_image("team/app:1.2-alpine")
    assert image is not None
    assert (image.family, image.sh, image.entrypoint_runs, image.guessed) == ("alpine", "busybox", "unknown", True)


@pytest.mark.parametrize(
    ("reference", "sh"),
    [("node:\ufffc", ""), ("node:\ufffc-alpine", "busybox"), ("node:20-\ufffc", ""), ("debian:\ufffc", "dash")],
)
def test_a_tag_that_is_not_known_leaves_the_shell_open(reference: str, sh: str) -> None:
    image = images.base_image(reference)
    assert image is not None
    assert (image.sh, image.open_tag) == (sh, True)


@pytest.mark.parametrize(
    ("reference", "version"),
    [
        ("alpine:3.7", "1.27"),
        ("node:8.7-alpine", "1.27"),
        ("node:8-alpine", ""),
        ("node:6.15-alpine", ""),
        ("node:6.15.0-alpine", "1.27"),
        ("python:3.6.5-alpine", "1.27"),
        ("python:3.6-alpine", ""),
        ("php:7.2.7-fpm-alpine", "1.27"),
        ("ruby:2.2-alpine", "1.27"),
        ("alpine:3.12", "1.30"),
        ("alpine:3.16", ""),
        ("python:3.6-alpine3.7", "1.27"),
        ("redhat/ubi8", "4.4"),
        ("redhat/ubi9", ""),
        ("centos:7", "4.4"),
        ("rockylinux:8.9", "4.4"),
        ("rockylinux:9", ""),
        ("amazonlinux:2", "4.4"),
        ("amazonlinux:2023", ""),
    ],
)
def test_old_shells_are_told_from_the_tag(reference: str, version: str) -> None:
    image = images.base_image(reference)
    assert image is not None
    assert image.sh_version == version


@pytest.mark.parametrize(
    ("reference", "version"),
    [
        ("debian:9-slim", "4.4"),
        ("debian:10", "5.0"),
        ("debian:bullseye-20230109", "5.1"),
        ("debian:12", ""),
        ("debian", ""),
        ("python:3.11", ""),
        ("python:3.8-buster", "5.0"),
        ("node:10-stretch-slim", "4.4"),
        ("ubuntu:18.04", "4.4"),
        ("ubuntu:bionic-20200713", "4.4"),
        ("ubuntu:20.04", "5.0"),
        ("ubuntu:24.04", ""),
    ],
)
def test_an_old_bash_is_told_from_the_tag(reference: str, version: str) -> None:
    image = images.base_image(reference)
    assert image is not None
    assert image.bash_version == version


@pytest.mark.parametrize(
    ("reference", "arguments", "command"),
    [
        ("node:22", ("npm", "start"), ("npm", "start")),
        ("node:22", ("--version",), ("node", "--version")),
        ("redis:7", ("--appendonly", "yes"), ("redis-server", "--appendonly", "yes")),
        ("grafana/grafana", (), ("grafana", "server")),
        ("denoland/deno", ("run", "main.ts"), ("deno", "run", "main.ts")),
        ("denoland/deno", ("sh",), ("sh",)),
        ("jenkins/jenkins", (), ("java", "-jar", "/usr/share/jenkins/jenkins.war")),
        ("bitnami/redis:7", ("x",), None),
    ],
)
def test_an_entrypoint_of_a_base_image_ends_up_in_a_command(
    reference: str, arguments: tuple[str, ...], command: tuple[str, ...] | None
) -> None:
    image = images.base_image(reference)
    assert image is not None
    assert image.command(arguments) == command


# ------------------------------------------------------------------- launchers


@pytest.mark.parametrize(
    ("line", "kind", "command"),
    [
        ("env A=1 -u B app -x", "exec", "app -x"),
        ("/usr/bin/env -i app", "exec", "app"),
        ("gosu www:www app -v", "exec", "app -v"),
        ("su-exec user app", "exec", "app"),
        ("nice -n 5 app", "exec", "app"),
        ("nice -10 app", "exec", "app"),
        ("setpriv --reuid=1 --regid 1 --init-groups app", "exec", "app"),
        ("chpst -u app -n 3 server x", "exec", "server x"),
        ("taskset -c 0,1 app", "exec", "app"),
        ("numactl --interleave=all mongod", "exec", "mongod"),
        ("start-stop-daemon --start --exec /bin/app -- -x", "exec", "/bin/app -x"),
        ("start-stop-daemon -S -b -x /bin/app", "detach", "/bin/app"),
        ("flock -F /lock app", "exec", "app"),
        ("flock -n /lock app", "hang", "app"),
        ("setsid app", "detach", "app"),
        ("setsid -w app", "hang", "app"),
        ("unshare -m app", "exec", "app"),
        ("unshare -f app", "hang", "app"),
        ("timeout -k 5 -s INT 30 app", "forward", "app"),
        ("timeout -t 30 app", "forward", "app"),
        ("sudo -Eu app A=1 cmd -x", "forward", "cmd -x"),
        ("runuser -u x -- app y", "switch", "app y"),
        ("xargs -0 -n 1 app", "hang", "app"),
        ("find . -name x -exec rm {} ;", "hang", "rm {}"),
        ("tini -g -- app -v", "init", "app -v"),
        ("tini app -v", "init", "app -v"),
        ("dumb-init -r 15:3 app", "init", "app"),
        ("/init app", "init", "app"),
        ("uv run --frozen --with x uvicorn app:app", "forward", "uvicorn app:app"),
        ("bundle exec puma -C x", "exec", "puma -C x"),
        ("poetry run app", "exec", "app"),
        ("ip netns exec ns app", "exec", "app"),
        ("wait-for-it.sh db:5432 -t 30 -- app x", "exec", "app x"),
        ("conda run --no-capture-output -n e python x.py", "hang", "python x.py"),
        ("busybox httpd -f", "exec", "httpd -f"),
        ("dotenv -e .env -- app x", "forward", "app x"),
        ("dotenv run app x", "forward", "app x"),
        ("dockerize -wait tcp://db:1 app x", "forward", "app x"),
    ],
)
def test_the_command_of_a_launcher_is_found(line: str, kind: str, command: str) -> None:
    argv = line.split()
    row = launchers.launcher(argv[0])
    assert row is not None
    split = launchers.split(row, argv)
    assert (split.kind, " ".join(argv[index] for index in split.words)) == (kind, command)
    assert split.command_index == split.words[0]


@pytest.mark.parametrize(
    "line", ["env", "env A=1", "flock 9", "find . -name x", "uv sync", "bundle install", "wait-for-it.sh db:1", "tini"]
)
def test_a_launcher_without_a_command_is_a_plain_program(line: str) -> None:
    argv = line.split()
    row = launchers.launcher(argv[0])
    assert row is not None
    assert launchers.split(row, argv).command_index is None


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(["su", "-", "user", "-c", "app x"], id="su"),
        pytest.param(["su", "-s", "/bin/sh", "-c", "app x", "user"], id="su-user-last"),
        pytest.param(["runuser", "user", "-c", "app x"], id="runuser"),
        pytest.param(["flock", "/lock", "-c", "app x"], id="flock"),
        pytest.param(["script", "-qefc", "app x", "/dev/null"], id="script"),
        pytest.param(["capsh", "--drop=all", "--", "-c", "app x"], id="capsh"),
        pytest.param(["watch", "-n", "2", "app x"], id="watch"),
    ],
)
def test_a_shell_string_of_a_launcher_is_found(argv: list[str]) -> None:
    row = launchers.launcher(argv[0])
    assert row is not None
    split = launchers.split(row, argv)
    assert split.shell_string_index is not None
    assert (argv[split.shell_string_index], split.command_index) == ("app x", None)


def test_options_and_operands_of_a_launcher_are_told() -> None:
    row = launchers.launcher("su")
    assert row is not None
    split = launchers.split(row, ["su", "-s", "/bin/sh", "-c", "app", "user"])
    assert (split.value("-s", "--shell"), split.operands, split.options) == ("/bin/sh", (5,), ("-s", "-c"))


def test_env_splits_a_string_without_a_shell() -> None:
    row = launchers.launcher("env")
    assert row is not None
    split = launchers.split(row, ["env", "-S", "node --x"])
    assert (split.split_string_index, split.command_index) == (2, None)


@pytest.mark.parametrize(
    ("line", "group"),
    [("tini -- a", False), ("tini -g -- a", True), ("dumb-init a", True), ("dumb-init -c a", False)],
)
def test_inits_differ_in_forwarding_to_the_group(line: str, group: bool) -> None:
    argv = line.split()
    row = launchers.launcher(argv[0])
    assert row is not None
    assert launchers.split(row, argv).group is group


@pytest.mark.parametrize("name", ["init", "/app/init", "/sbin/init", "app", "nginx", "sh"])
def test_other_programs_are_no_launchers(name: str) -> None:
    assert launchers.launcher(name) is None


# -------------------------------------------------------------------- programs


def test_only_a_program_of_the_system_is_init() -> None:
    assert programs.program(["/scripts/init"]) is None


@pytest.mark.parametrize(
    ("line", "lifetime"),
    [
        ("nginx -g daemon off;", "forever"),
        ("nginx", "daemonizes"),
        ("nginx -t", "short"),
        ("nginx -s reload", "short"),
        ("/usr/sbin/apache2 -DFOREGROUND", "forever"),
        ("apachectl -D FOREGROUND", "forever"),
        ("apachectl start", "daemonizes"),
        ("php-fpm8.2 -F", "forever"),
        ("php-fpm", "daemonizes"),
        ("redis-server", "forever"),
        ("redis-server --daemonize yes", "daemonizes"),
        ("supervisord -n", "forever"),
        ("supervisord -c /etc/s.conf", "daemonizes"),
        ("service nginx start", "daemonizes"),
        ("service nginx status", "short"),
        ("/etc/init.d/nginx start", "daemonizes"),
        ("pm2 start app.js", "daemonizes"),
        ("pm2-runtime app.js", "forever"),
        ("sshd -D", "forever"),
        ("/usr/sbin/sshd -D -e", "forever"),
        ("/usr/sbin/sshd", "daemonizes"),
        ("/sbin/init", "forever"),
        ("ntpd", "daemonizes"),
        ("ntpd --nofork --panicgate", "forever"),
        ("ntpd -gq", "short"),
        ("chronyd -d", "forever"),
        ("chronyd -Q", "short"),
        ("znc", "daemonizes"),
        ("znc -f -r", "forever"),
        ("znc -fd /data", "forever"),
        ("znc --makeconf", "short"),
        ("dhcpd -cf /etc/dhcpd.conf eth0", "daemonizes"),
        ("dhcpd -d --no-pid", "long"),
        ("radvd --nodaemon --logmethod=stderr", "long"),
        ("radvd -C /etc/radvd.conf", "daemonizes"),
        ("deluged -d", "long"),
        ("cupsd -f", "long"),
        ("cron", "daemonizes"),
        ("crond -f -l 8", "forever"),
        ("mkdir -p /x", "short"),
        ("sleep 5", "short"),
        ("sleep infinity", "forever"),
        ("tail -n 1 x", "short"),
        ("tail -f /dev/null", "forever"),
        ("cat file", "short"),
        ("cat", "long"),
        ("python app.py", "long"),
        ("python manage.py migrate", "short"),
        ("python3 manage.py runserver 0:80", "forever"),
        ("python -m http.server", "forever"),
        ("python -m pip install x", "short"),
        ("python -u -m gunicorn app", "forever"),
        ("php artisan migrate", "short"),
        ("php artisan queue:work", "forever"),
        ("rails db:migrate", "short"),
        ("rails s", "forever"),
        ("python manage.py runserver --noreload", "forever"),
        ("npm ci", "short"),
        ("npm start", "long"),
        ("mysqld --initialize", "short"),
        ("/usr/lib/postgresql/15/bin/postgres", "forever"),
        ("cassandra -f", "long"),
        ("cassandra", "daemonizes"),
    ],
)
def test_the_lifetime_of_a_command_is_known(line: str, lifetime: str) -> None:
    row = programs.program(line.split())
    assert row is not None
    assert row.lifetime == lifetime


@pytest.mark.parametrize(
    ("line", "reaction"),
    [
        pytest.param(line, reaction, id=line.split()[0] + "-" + reaction)
        for reaction, lines in {
            "default": "python x|node x|bun x.ts|perl x|php x|php -S 0:80|sleep 9d|tail -f x|cat|cron -f|haproxy -f x|"
            "java -Xrs x|flask run|waitress-serve x|httpd -f|python -m http.server|bash|apache2ctl -D FOREGROUND",
            "handles": "java x|ruby x|gunicorn x|uvicorn x|hypercorn x|celery worker|redis-server|memcached|sshd -D|"
            "rsyslogd -n|dnsmasq -k|mariadbd|mosquitto|supervisord -n",
            "drops": "deno run x|nginx -g daemon off;|php-fpm -F|apache2 -DFOREGROUND|haproxy -W|uwsgi --die-on-term",
            "survives": "uwsgi --master|postgres|mariadbd-safe|systemd",
        }.items()
        for line in lines.split("|")
    ],
)
def test_the_reaction_to_term_is_as_measured(line: str, reaction: str) -> None:
    row = programs.program(line.split())
    assert row is not None
    assert row.reaction("TERM") == reaction


@pytest.mark.parametrize(
    ("line", "signal"),
    [
        ("nginx -g daemon off;", "QUIT"),
        ("apache2 -DFOREGROUND", "WINCH"),
        ("apache2-foreground", "WINCH"),
        ("httpd-foreground", "WINCH"),
        ("php-fpm -F", "QUIT"),
        ("postgres", "INT"),
        ("/sbin/init", "RTMIN+3"),
        ("uwsgi --master", "INT"),
        ("haproxy -W", "USR1"),
        ("unicorn", "QUIT"),
        ("waitress-serve x", "INT"),
    ],
)
def test_the_signal_for_a_clean_end_is_known(line: str, signal: str) -> None:
    row = programs.program(line.split())
    assert row is not None
    assert row.graceful == signal


REAPERS = "gunicorn a|uwsgi --master|nginx -g daemon off;|postgres|php-fpm -F|haproxy -W|sshd -D|cron -f|rsyslogd -n|"
REAPERS += "dnsmasq -k|httpd -f|make|supervisord -n|bash"


@pytest.mark.parametrize("line", REAPERS.split("|"))
def test_programs_that_reap_are_as_measured(line: str) -> None:
    row = programs.program(line.split())
    assert row is not None
    assert row.reaps is True


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("nginx -c x", ["nginx", "-c", "x", "-g", "daemon off;"]),
        ("php-fpm8.2 -y x", ["php-fpm8.2", "-y", "x", "-F"]),
        ("supervisord -c x", ["supervisord", "-c", "x", "-n"]),
        ("redis-server x --daemonize yes", ["redis-server", "x"]),
        ("mongod --fork --logpath x", ["mongod", "--logpath", "x"]),
        ("postfix start", ["postfix", "start-fg"]),
        ("apachectl start", ["apachectl", "-DFOREGROUND"]),
    ],
)
def test_the_foreground_recipe_keeps_the_program(line: str, mended: list[str]) -> None:
    row = programs.program(line.split())
    assert row is not None
    assert row.foreground is not None
    assert list(row.foreground.apply(line.split())) == mended


def test_every_recipe_of_a_bare_command_makes_it_stay() -> None:
    for name, table in ((name, programs._rows(name)) for name in programs._entries()):
        for recipe in [row.foreground for row in table if row.foreground is not None and not row.arguments]:
            mended = programs.program(recipe.apply([name]))
            assert mended is not None
            assert mended.lifetime in ("forever", "long"), name


@pytest.mark.parametrize(
    ("line", "config"),
    [
        ("nginx", "user www;\ndaemon off;\n"),
        ("php-fpm", "[global]\ndaemonize = no\n"),
        ("supervisord", "[supervisord]\nnodaemon=true\n"),
    ],
)
def test_configuration_may_keep_a_program_in_the_foreground(line: str, config: str) -> None:
    row = programs.program([line], lambda row: bool(row.unless_config and re.search(row.unless_config, config)))
    assert row is not None
    assert row.lifetime == "forever"


def test_the_php_images_keep_fpm_in_the_foreground() -> None:
    image = images.base_image("php:8.3-fpm")
    assert image is not None
    row = programs.program(
        ["php-fpm"], lambda row: bool(row.unless_config and re.search(row.unless_config, image.config))
    )
    assert row is not None
    assert row.lifetime == "forever"


@pytest.mark.parametrize(
    ("line", "language"),
    [("python3.11 -u app.py", "python"), ("node x.js", "node"), ("ruby x", "ruby"), ("gunicorn x", ""), ("nginx", "")],
)
def test_interpreters_leave_the_verdict_to_the_source(line: str, language: str) -> None:
    row = programs.program(line.split())
    assert row is not None
    assert row.interpreter == language


@pytest.mark.parametrize("line", ["./server", "/app/run.sh", "my-daemon --x", ""])
def test_an_unknown_program_has_no_row(line: str) -> None:
    assert programs.program(line.split()) is None


@pytest.mark.parametrize(
    ("name", "version", "dash", "other"),
    [
        ("npm", "", "abrupt", "graceful"),
        ("npm", "9.6.3", "abrupt", "graceful"),
        ("npm", "9.6.7", "hang", "hang"),
        ("npm", "10.2.4", "hang", "hang"),
        ("npm", "10.8.2", "abrupt", "graceful"),
        ("npm", "11.19.1", "abrupt", "graceful"),
        ("yarn", "1.22.22", "abrupt", "abrupt"),
        ("yarn", "4.18.1", "graceful", "graceful"),
        ("pnpm", "9.15.9", "abrupt", "graceful"),
    ],
)
def test_runners_are_as_measured(name: str, version: str, dash: str, other: str) -> None:
    row = programs.runner(name, version)
    assert row is not None
    assert (row.dash, row.other) == (dash, other)


# ---------------------------------------------------------------------- shells

IMPLICIT = [
    # circumstances, the shells that exec the last command of a -c string
    ("", "bash bash-5.0 bash-4.4 dash-upstream busybox busybox-1.30 mksh ksh zsh yash"),
    ("trailing-newline", "bash bash-5.0 bash-4.4 ksh zsh"),
    ("assignment", "bash bash-5.0 bash-4.4 dash-upstream busybox busybox-1.30 ksh zsh yash"),
    ("redirect", "dash-upstream busybox busybox-1.30 ksh zsh"),
    ("and-or", "bash bash-5.0 bash-4.4 dash-upstream busybox busybox-1.30 ksh zsh yash"),
    ("semicolon", "bash dash-upstream busybox busybox-1.30 ksh zsh yash"),
    ("newline", "bash bash-5.0 bash-4.4 dash-upstream busybox busybox-1.30 ksh zsh yash"),
    ("subshell", "dash-upstream busybox busybox-1.30 ksh zsh yash"),
    ("group", "dash-upstream busybox busybox-1.30 ksh zsh yash"),
    ("if", "dash-upstream busybox busybox-1.30 ksh zsh yash"),
    ("case", "dash-upstream busybox busybox-1.30 ksh zsh yash"),
    ("for", "zsh yash"),
    ("function semicolon", "yash"),
    ("expansion", "bash bash-5.0 bash-4.4 dash-upstream busybox busybox-1.30 ksh zsh yash"),
]
SHELLS = "bash bash-5.0 bash-4.4 dash dash-upstream busybox busybox-1.30 busybox-1.27 mksh posh ksh zsh yash".split()


@pytest.mark.parametrize(("circumstances", "execs"), [pytest.param(*row, id=row[0] or "plain") for row in IMPLICIT])
def test_shells_exec_the_last_command_of_a_string_as_measured(circumstances: str, execs: str) -> None:
    found = [name for name in SHELLS if shells.shell(name).execs(frozenset(circumstances.split()))]
    assert sorted(found) == sorted(execs.split())


@pytest.mark.parametrize("name", SHELLS)
def test_only_ksh_execs_the_last_command_of_a_file(name: str) -> None:
    assert shells.shell(name).execs(frozenset(), file=True) is (name == "ksh")


@pytest.mark.parametrize(
    ("field", "without"),
    [
        ("trap_sig_prefix", "dash dash-upstream posh"),
        ("trap_lower_case", "posh zsh"),
        ("kill_sig_prefix", "dash dash-upstream"),
        ("jobs_in_substitution", "dash dash-upstream posh zsh"),
        ("wait_n", "busybox-1.27 busybox-1.30 dash dash-upstream ksh mksh posh yash zsh"),
        ("exec_a", "dash dash-upstream"),
        ("exec_dashes", "dash dash-upstream"),
        ("process_substitution", "busybox-1.27 busybox-1.30 dash dash-upstream mksh posh yash"),
        ("ampersand_redirect", "dash dash-upstream posh"),
    ],
)
def test_shells_lack_what_was_measured(field: str, without: str) -> None:
    assert sorted(name for name in SHELLS if not getattr(shells.shell(name), field)) == sorted(without.split())


def test_bash_called_as_sh_knows_no_sig_prefix_in_kill() -> None:
    assert not shells.shell("bash-as-sh").kill_sig_prefix


def test_only_bash_since_5_0_and_ksh_run_the_exit_trap_on_a_signal() -> None:
    assert [name for name in SHELLS if shells.shell(name).exit_trap_on_signal] == ["bash", "bash-5.0", "ksh"]


@pytest.mark.parametrize(
    ("name", "same_as"), [("sh", "dash"), ("ash", "busybox"), ("bash-9.9", "bash"), ("bash-4.3", "bash-4.4")]
)
def test_shells_have_other_names(name: str, same_as: str) -> None:
    assert shells.shell(name).exec_string == shells.shell(same_as).exec_string


# -------------------------------------------------------------------- handlers


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=row["pattern"][:60])
        for part in ("handlers", "unclear")
        for row in data.read("handlers")[part]
        if "needs" in row
    ],
)
@given(made=strategies.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_text_matches_a_pattern_without_a_word_that_it_needs(
    row: dict[str, Any], made: strategies.DataObject
) -> None:
    pattern = re.compile(row["pattern"].format(SIG="SIGTERM", NAME="TERM"), re.ASCII)
    text = made.draw(strategies.from_regex(pattern))
    assert any(word in text for word in row["needs"])


def test_every_pattern_that_names_no_signal_has_words_that_it_needs() -> None:
    rows = data.read("handlers")
    assert all("needs" in row for row in (*rows["unclear"], *(r for r in rows["handlers"] if "signals" in r)))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "signal.signal(signal.SIGTERM, stop)"),
        ("python", "for sig in (signal.SIGINT, signal.SIGTERM):\n    loop.add_signal_handler(sig, stop)\n"),
        ("python", "uvicorn.run(app)"),
        ("python", "web.run_app(app)"),
        ("python", "from flask import Flask\napp = Flask(__name__)\napp.run(port=env.get('PORT', 80), debug=True)\n"),
        ("node", "process.on('SIGTERM', stop)"),
        ("node", 'process.once("SIGTERM", stop)'),
        ("node", "['SIGINT', 'SIGTERM'].forEach((s) => process.on(s, stop))"),
        ("node", "import { createTerminus } from '@godaddy/terminus'"),
        ("typescript", "app.enableShutdownHooks();"),
        ("ruby", "trap('TERM') { stop }"),
        ("ruby", "Signal.trap(:TERM) do"),
        ("php", "pcntl_signal(SIGTERM, $stop);"),
        ("perl", "$SIG{TERM} = sub { exit };"),
        ("go", "signal.Notify(c, os.Interrupt, syscall.SIGTERM)"),
        ("rust", "signal(SignalKind::terminate())"),
        ("c", "sigaction(SIGTERM, &action, NULL);"),
    ],
)
def test_a_handler_of_term_is_seen(language: str, text: str) -> None:
    assert handlers.handles(language, text, "TERM")
    assert handlers.handles(language, text, "SIGTERM")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "signal.signal(signal.SIGINT, stop)"),
        ("python", "app.run(host='0.0.0.0')"),
        ("python", "from flask import Flask\napp = Flask(__name__)\napp.run(debug=False)\n"),
        ("python", "os.kill(pid, signal.SIGTERM)"),
        ("node", "process.on('SIGINT', stop)"),
        ("node", "child.kill('SIGTERM')"),
        ("node", "app.listen(3000)"),
        ("ruby", "trap('INT') { stop }"),
        ("php", "while (true) { sleep(1); }"),
        ("perl", "$SIG{INT} = sub { exit };"),
        ("c", "kill(pid, SIGTERM);"),
    ],
)
def test_other_code_is_no_handler_of_term(language: str, text: str) -> None:
    assert not handlers.handles(language, text, "TERM")


@pytest.mark.parametrize(
    ("language", "reaction"),
    [
        ("python", "default"),
        ("typescript", "default"),
        ("ruby", "handles"),
        ("java", "handles"),
        ("go", "drops"),
        ("x", ""),
    ],
)
def test_a_language_has_a_reaction_of_its_own(language: str, reaction: str) -> None:
    assert handlers.default_reaction(language) == reaction


def test_winch_ends_only_what_asks_for_it() -> None:
    ends = {name for name in ("nginx", "gunicorn", "crond", "apache2", "postgres") for row in [programs.program([name])]
            if row is not None and row.reaction("WINCH") not in ("survives", "")}  # fmt: skip
    assert ends == {"apache2"}


@pytest.mark.parametrize(
    ("argv", "lifetime"),
    [
        pytest.param(["exim4", "-bd", "-q30m"], "daemonizes", id="by-itself"),
        pytest.param(["exim4", "-bd", "-v"], "forever", id="verbose"),
        pytest.param(["exim4", "-bd", "-d+all"], "forever", id="debugging"),
        pytest.param(["exim4", "-bdf"], "forever", id="foreground"),
    ],
)
def test_exim_stays_in_the_foreground_where_it_is_told_to(argv: list[str], lifetime: str) -> None:
    found = programs.program(argv)
    assert found is not None
    assert found.lifetime == lifetime


def test_the_npm_that_did_not_wait_for_exec_is_told_apart() -> None:
    rows = {version: programs.runner("npm", version) for version in ("11.5.1", "11.6.0")}
    assert {version: row.other for version, row in rows.items() if row is not None} == {
        "11.5.1": "abrupt",
        "11.6.0": "graceful",
    }
