"""What is not the main process: jobs, servers that are there for a while only, and what cannot run at all."""

from __future__ import annotations

import json

import pytest

from pid1lint import linter
from pid1lint.image.context import BuildContext
from pid1lint.launch.launch import Launch


def launch(dockerfile: str, files: dict[str, str] | None = None) -> Launch:
    context = BuildContext.of(files or {}, dict.fromkeys(files or {}, 0o755))
    result = linter.lint(dockerfile, context)
    assert not result.crashes
    (found,) = result.launches
    return found


def of_script(text: str, *cmd: str) -> Launch:
    dockerfile = f'FROM debian:12\nCOPY run.sh /\nENTRYPOINT ["/run.sh"]\nCMD {json.dumps(list(cmd))}\n'
    return launch(dockerfile, {"run.sh": f"#!/bin/bash\n{text}\n"})


def main_of(found: Launch) -> str:
    path = found.main
    return path.main.program if path is not None and path.main is not None else ""


@pytest.mark.parametrize(
    "job",
    [
        "cat > /etc/app.conf <<EOF\na = b\nEOF",
        "find /certificates | while read -r one; do import-certificate $one; done",
        '"ERROR: $what went wrong"',
        "timeout 30 tail -F /var/log/app.log | grep -q started",
        "app-server start\napp-server status\napp-server stop",
        "python /prepare.py\nchown app /data\nchmod 700 /data\nmkdir -p /run/app\nrm -f /run/app/pid",
    ],
)
def test_a_job_is_not_the_main_process(job: str) -> None:
    found = of_script(f'{job}\nexec "$@"', "redis-server")
    assert (found.outcome.value, main_of(found)) == ("graceful", "redis-server")


@pytest.mark.parametrize(
    ("setting_up", "server"),
    [
        ("pg_ctl -D /data start\npsql -f /init.sql\npg_ctl -D /data stop", "postgres"),
        ("mysqld --daemonize --skip-networking\nmysql < /init.sql\nmysqladmin shutdown", "mysqld"),
        (
            "start-stop-daemon --start -c db:db --background --pidfile /p --exec /usr/bin/mongod -- --fork\n"
            "start-stop-daemon --stop --pidfile /p",
            "mongod",
        ),
    ],
)
def test_a_server_that_is_stopped_again_does_not_count(setting_up: str, server: str) -> None:
    found = of_script(f'if [ ! -d /data/base ]; then\n{setting_up}\nfi\nexec "$@"', server)
    assert all(process.start != "background" for path in found.paths if path.tree for process in path.tree.walk())


@pytest.mark.parametrize(
    ("shell", "init", "outcome"),
    [
        ("sh", "", "graceful"),
        ("sh", "dumb-init", "abrupt"),
        ("bash", "", "graceful"),
        ("bash", "dumb-init", "graceful"),
    ],
)
def test_dash_runs_its_exit_trap_on_an_interrupt_only_as_pid_1(shell: str, init: str, outcome: str) -> None:
    script = "trap 'kill $pid; wait $pid' EXIT\nredis-server &\npid=$!\nwait\n"
    argv = json.dumps([*([init, "--"] if init else []), "/run.sh"])
    install = "RUN apt-get update && apt-get install -y dumb-init redis-server\n"
    found = launch(
        f"FROM debian:12\n{install}COPY run.sh /\nENTRYPOINT {argv}\nSTOPSIGNAL SIGINT\n",
        {"run.sh": f"#!/bin/{shell}\n{script}"},
    )
    assert found.outcome.value == outcome, found.why


def test_the_app_behind_a_launcher_is_what_a_branch_is_there_for() -> None:
    script = 'if [ "${1:-}" = shell ]; then\n  exec sh\nelse\n  env MODE=production server --port 80\n  exit $?\nfi'
    found = of_script(script)
    assert (found.outcome.value, main_of(found)) == ("hang", "server")


@pytest.mark.parametrize("starter", ["start-stop-daemon --start --background --exec", "sudo -b"])
def test_what_a_starter_sends_to_the_background_is_cut_off(starter: str) -> None:
    found = launch(
        'FROM debian:12\nRUN apt-get update && apt-get install -y sudo mongodb redis\nCOPY run.sh /\nCMD ["/run.sh"]\n',
        {"run.sh": f"#!/bin/bash\n{starter} /usr/bin/mongod\nexec redis-server\n"},
    )
    assert (found.outcome.value, found.why) == (
        "abrupt",
        "redis-server ends on SIGTERM, and the kernel kills what runs beside it",
    )


def test_a_log_follower_is_the_app_only_if_what_ran_before_comes_back() -> None:
    script = "trap 'kill $pid; wait $pid' TERM\n/srv/weblogic.sh\ntail -F /var/log/app.log &\npid=$!\nwait $pid"
    found = launch(
        'FROM debian:12\nRUN curl -fo /srv/weblogic.sh https://example.org/w\nCOPY run.sh /\nENTRYPOINT ["/run.sh"]\n',
        {"run.sh": f"#!/bin/bash\n{script}\n"},
    )
    only_if = "if `/srv/weblogic.sh` comes back, which is not known"
    assert found.why == f"bash is PID 1 and its handler tells tail, then waits for it, {only_if}"
    assert found.certainty == "assumed"


def test_a_path_on_which_the_script_gives_up_holds_nothing() -> None:
    found = of_script('set -e\nprepare\n[ -n "$1" ] || exit 1')
    assert found.outcome.value == "exits"


def test_a_command_that_starts_something_comes_back() -> None:
    found = launch("FROM debian:12\nCMD set -e && app-server start && sleep 5 && tail -f /var/log/app.log\n")
    assert (found.outcome.value, main_of(found)) == ("hang", "tail")


@pytest.mark.parametrize(
    ("dockerfile", "files", "outcome"),
    [
        (
            'FROM debian:12\nRUN apt install supervisor\nCOPY s.conf /\nCMD ["supervisord", "-c", "/s.conf"]\n',
            {"s.conf": "nodaemon=true\n"},
            "graceful",
        ),
        (
            'FROM debian:12\nRUN apt install supervisor\nCOPY s.conf /etc/supervisor/conf.d/\nCMD ["supervisord"]\n',
            {"s.conf": "nodaemon=true\n"},
            "graceful",
        ),
        ("FROM debian:12\nRUN echo 'daemonize = no' > /etc/php-fpm.conf\nCMD [\"php-fpm\"]\n", {}, "abrupt"),
        (
            "FROM debian:12\nRUN sed -i 's/^;daemonize.*/daemonize = no/' /etc/php-fpm.conf\nCMD [\"php-fpm\"]\n",
            {},
            "abrupt",
        ),
    ],
)
def test_a_daemon_that_is_configured_to_stay_stays(dockerfile: str, files: dict[str, str], outcome: str) -> None:
    assert launch(dockerfile, files).outcome.value == outcome


def test_a_windows_image_is_left_alone() -> None:
    result = linter.lint('FROM mcr.microsoft.com/windows/nanoserver:1809\nCMD ["nginx"]\n', BuildContext.of({}))
    assert not result.diagnostics
    assert result.launches[0].outcome.value == "unknown"


def test_a_value_under_a_key_may_be_anything() -> None:
    found = of_script(
        'set -e\ndeclare -A of=([a]=1)\nif [ -z "${of[$level]}" ]; then exit 1; fi\nexec "$@"', "redis-server"
    )
    assert found.outcome.value == "graceful"


@pytest.mark.parametrize(
    ("test", "outcome"), [('[ -z "$a" ] || [ -z "$b" ]', "graceful"), ('[ -z "$a" ] || [ -z "" ]', "exits")]
)
def test_of_two_tests_the_one_that_is_known_may_decide(test: str, outcome: str) -> None:
    found = of_script(f'read -r a b\nif {test}; then echo no; exit 1; fi\nexec "$@"', "redis-server")
    assert found.outcome.value == outcome


def test_what_comes_before_a_background_job_is_over() -> None:
    found = of_script("python /prepare.py\napp-logs --follow &\necho up\n")
    assert main_of(found) != "python"


def test_what_comes_after_the_wait_for_the_app_is_clean_up() -> None:
    found = of_script("trap 'kill $app; wait $app' TERM\nserver &\napp=$!\nwait $app\nsave-state")
    assert (found.outcome.value, main_of(found)) == ("graceful", "server")


def test_set_e_looks_away_from_what_a_loop_ends_with() -> None:
    found = of_script(
        'set -e\nfor d in a b; do\n[ ! -d /data/$d ] && mkdir -p /data/$d\ndone\nexec "$@"', "redis-server"
    )
    assert found.outcome.value == "graceful"


def test_a_deferred_trap_names_what_the_shell_waits_for() -> None:
    text = "#!/bin/bash\ntrap 'kill $app; exit 0' TERM\nserver &\napp=$!\nsleep infinity\n"
    context = BuildContext.of({"run.sh": text}, {"run.sh": 0o755})
    result = linter.lint('FROM debian:12\nCOPY run.sh /\nENTRYPOINT ["/run.sh"]\n', context, select=("PID402",))
    assert [(d.at.start.line, "until sleep has ended" in d.message) for d in result.diagnostics] == [(5, True)]


def test_a_script_may_name_a_path_with_spaces() -> None:
    found = launch('FROM alpine:3.20\nCMD mkdir -p /run/app && "/opt/Some App/Media Server"\n')
    assert found.outcome.value == "graceful"


def test_a_base_image_of_which_only_the_system_is_known_may_have_a_command() -> None:
    assert launch("FROM bitnami/cassandra:latest\nENV A=b\n").outcome.value == "unknown"
    assert launch("FROM scratch\nCOPY a /\n").outcome.value == "fails"


def test_options_that_are_not_known_may_mend_it() -> None:
    assert of_script('options=$(cat /etc/options)\nexec "$@" $options', "haproxy").outcome.value == "unknown"
    text = 'opts=\'-W -db \'\nif [ -f $extra ]; then opts+="-f $extra"; fi\nexec "$@" $opts'
    assert of_script(text, "haproxy").outcome.value == "abrupt"


def test_arguments_of_the_user_come_before_what_is_appended() -> None:
    text = 'if [ $# -eq 0 ]; then\nset -- server\nfi\nif [ "$1" = server ]; then\nexec "$@" --path=/\nfi\nexec "$@"'
    dockerfile = 'FROM debian:12\nCOPY run.sh /\nENTRYPOINT ["/run.sh"]\n'
    found = launch(dockerfile, {"run.sh": f"#!/bin/bash\n{text}\n"})
    assert found.outcome.value == "graceful"
    assert not [start for path in found.paths for start in path.starts]


def test_what_the_environment_decides_comes_before_other_arguments() -> None:
    checks = "\n".join(f'if [ "$1" = x{i} ]; then other{i} & fi\n' for i in range(60))
    found = of_script(f'{checks}if [ ! -d /data ]; then\n[ -n "$PASSWORD" ] || exit 1\nfi\nexec "$@"', "redis-server")
    assert found.outcome.value == "graceful"


def test_a_status_that_is_kept_is_that_of_the_command_before() -> None:
    assert main_of(of_script("false\nrc=$?\n[ $rc = 1 ] && exec nginx -g 'daemon off;'\nserver\n")) == "nginx"


def test_a_launch_stays_in_its_loop_and_not_in_the_wait_of_its_exit_trap() -> None:
    loop = 'while [ -n "$(jobs -p)" ]; do sleep 1; done'
    found = of_script(f"cleanup() {{\n\tkill %1\n\twait\n}}\ntrap cleanup EXIT\nserver &\nworker &\n{loop}")
    assert (found.outcome.value, found.why) == (
        "hang",
        "bash stays PID 1 and keeps SIGTERM from server: docker stop waits 10 s, then kills it",
    )


def test_no_hang_is_told_where_a_handler_signals_a_process_that_is_not_known() -> None:
    handler = "stop() {\n\tkill $(cat /run/app.pid)\n\twait\n}\ntrap stop TERM"
    found = of_script(f"set -e\n{handler}\nstart() {{\n\tserver > /log\n}}\nstart &\nsleep infinity & wait")
    assert (found.outcome.value, found.why) == ("unknown", "it is not known which process gets the signal")


@pytest.mark.parametrize(
    ("version", "outcome"), [("2.8.7", "hang"), ("3.5.4-1", "hang"), ("3.6.0", "graceful"), ("3.10.8", "graceful")]
)
def test_rabbitmq_before_3_6_has_no_handler_for_the_stop_signal(version: str, outcome: str) -> None:
    dockerfile = (
        f"FROM debian:12\nENV RABBITMQ_VERSION {version}\n"
        "RUN apt-get install -y rabbitmq-server=$RABBITMQ_VERSION\n"
        'ENV PATH /usr/lib/rabbitmq/bin:$PATH\nCMD ["rabbitmq-server"]\n'
    )
    found = launch(dockerfile)
    assert found.outcome.value == outcome, found.why


def test_postgres_waits_for_its_clients_on_sigterm() -> None:
    dockerfile = (
        'FROM debian:12\nRUN apt-get install -y postgresql\nCMD ["/usr/lib/postgresql/15/bin/postgres", "-D", "/d"]\n'
    )
    result = linter.lint(dockerfile, BuildContext.of({}), select=("PID503",))
    waits = "on SIGTERM waits until its clients have gone: docker stop waits 10 s, then kills it"
    assert [launch.why for launch in result.launches] == [f"postgres is PID 1 and {waits}"]
    assert [d.message for d in result.diagnostics] == [
        "postgres waits for its clients on SIGTERM and ends cleanly on SIGINT"
    ]


@pytest.mark.parametrize(("before", "paths"), [("installer all\n  echo installed", 1), ("installer all", 2)])
def test_a_bare_exit_hands_on_the_status_of_the_command_before_it_only(before: str, paths: int) -> None:
    dockerfile = "FROM debian:12\nRUN curl -fo /usr/bin/installer https://example.org/i\nCOPY run.sh /\nCMD /run.sh\n"
    script = f'#!/bin/bash\nif [ "$MODE" = install ]; then\n  {before}\n  exit\nfi\nexec redis-server\n'
    found = launch(dockerfile, {"run.sh": script})
    assert len(found.paths) == paths


def test_the_command_of_the_dockerfile_is_not_judged_where_others_are_given() -> None:
    script = '#!/bin/bash\nif [ "$1" = rabbitmq-server ]; then\n  set -- tini -- "$@"\nfi\nexec "$@"\n'
    dockerfile = (
        "FROM debian:12\nENV RABBITMQ_VERSION 3.5.4-1\nRUN apt-get update && apt-get install -y tini rabbitmq-server\n"
        'COPY run.sh /\nENTRYPOINT ["/run.sh"]\nCMD ["rabbitmq-server"]\n'
    )
    context = BuildContext.of({"run.sh": script}, {"run.sh": 0o755})
    assert [d.code for d in linter.lint(dockerfile, context).diagnostics] == ["PID310"]


def test_exec_in_parentheses_mends_nothing_and_is_no_fix() -> None:
    dockerfile = 'FROM debian:12\nRUN apt-get install redis-server\nCOPY run.sh /\nCMD ["/run.sh"]\n'
    context = BuildContext.of({"run.sh": "#!/bin/bash\n(cd /srv; redis-server /x)\n"}, {"run.sh": 0o755})
    assert [(d.code, d.fix) for d in linter.lint(dockerfile, context).diagnostics] == [("PID201", None)]
