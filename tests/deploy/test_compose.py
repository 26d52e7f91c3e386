"""Compose files are read as the specification says, and as compose-go reads them."""

from __future__ import annotations

import pytest

from pid1lint.deploy.compose import duration
from pid1lint.deploy.text import MOST_CHARACTERS, dotenv, interpolated, split_words
from pid1lint.deployment import UNKNOWN, Words
from pid1lint.source import Excerpt, Source
from tests.deploy.stage import deployments


def words(found: Words | None) -> list[str] | None:
    return None if found is None else [word.text for word in found.words]


def excerpt(text: str) -> Excerpt:
    return Source("x", text).whole()


# Strings


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        pytest.param("bundle exec thin -p 3000", ["bundle", "exec", "thin", "-p", "3000"], id="blanks"),
        pytest.param("sh -c 'a \"b\"'", ["sh", "-c", 'a "b"'], id="single quotes"),
        pytest.param('sh -c "a \\"b\\" $X"', ["sh", "-c", 'a "b" $X'], id="double quotes"),
        pytest.param("a\\ b ''", ["a b", ""], id="a backslash and an empty word"),
        pytest.param("cd /app && server", ["cd", "/app"], id="an operator ends it"),
        pytest.param("server 2>&1", ["server"], id="a descriptor is no word"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_a_string_is_split_and_given_to_no_shell(text: str, meant: list[str]) -> None:
    assert [word.text for word in split_words(excerpt(text)).words] == meant


def test_a_quote_that_is_not_closed_gives_no_words() -> None:
    assert split_words(excerpt("sh -c 'x")).error == "an unclosed quote"


@pytest.mark.parametrize(
    ("text", "dropped"),
    [("cd /app && server", "&& server"), ("server 2>&1", "2>&1"), ("a > b", "> b"), ("a 'b;c'", None)],
)
def test_what_comes_behind_an_operator_is_known_to_be_dropped(text: str, dropped: str | None) -> None:
    rest = split_words(excerpt(text)).dropped
    assert (None if rest is None else rest.text) == dropped


def test_each_word_stands_where_it_is_written() -> None:
    text = 'sh -c "a b" c'
    assert [text[slice(*word.place().span)] for word in split_words(excerpt(text)).words] == ["sh", "-c", "a b", "c"]


ENVIRONMENT = {"SET": "value", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        pytest.param("$SET-${SET}", "value-value", id="a variable"),
        pytest.param("$$SET $${SET}", "$SET ${SET}", id="an escape"),
        pytest.param("${EMPTY:-other} ${EMPTY-other}", "other ", id="defaults of an empty one"),
        pytest.param("${NO:-other} ${NO-other}", "other other", id="defaults of an unset one"),
        pytest.param("${NO:-${SET}} ${NO:-${NO2:-x}}", "value x", id="nested defaults"),
        pytest.param("${SET:+there}${EMPTY:+there}", "there", id="a replacement"),
        pytest.param("a$NO ${NO} ${NO:?must be set}", f"a{UNKNOWN} {UNKNOWN} {UNKNOWN}", id="what nobody knows"),
        pytest.param("100$ $5 $(x) ${", "100$ $5 $(x) ${", id="dollars that mean nothing"),
    ],
)
def test_variables_are_interpolated(text: str, meant: str) -> None:
    assert interpolated(excerpt(text), ENVIRONMENT.get).text == meant


def test_an_env_file_is_read_by_its_own_rules() -> None:
    text = 'A=1\nexport B=two words # no\nC=\'$A\'\nD="x\\n$A"\n# E=1\nF\nG=\nH=a#b\n  I = 3\nJ="one\ntwo"\nK=${A}\n'
    assert dotenv(text, lambda _: None) == {
        "A": "1",
        "B": "two words",
        "C": "$A",
        "D": "x\n1",
        "F": None,
        "G": "",
        "H": "a#b",
        "I": "3",
        "J": "one\ntwo",
        "K": "1",
    }


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_variable_that_doubles_with_each_line_ends_as_unknown(quote: str) -> None:
    lines = (f"V{n + 1}={quote}${{V{n}}}${{V{n}}}{quote}\n" for n in range(60))
    found = dotenv("V0=x\n" + "".join(lines), lambda _: None)
    assert found["V3"] == "x" * 8
    assert set(found["V60"] or "") == {UNKNOWN}
    assert len(found["V60"] or "") <= MOST_CHARACTERS


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1m30s", 90.0), ("10s", 10.0), ("500ms", 0.5), ("1.5m", 90.0), ("0", 0.0), ("10", None), ("soon", None)],
)
def test_a_duration_is_read_as_go_does(text: str, seconds: float | None) -> None:
    assert duration(text) == seconds


# One service


def test_a_service_is_read_with_all_that_matters() -> None:
    web = deployments(
        {
            "compose.yaml": """\
services:
  web:
    image: team/web:1
    entrypoint: ["/entry.sh", "--", serve]
    command: worker --verbose
    init: true
    stop_signal: SIGQUIT
    stop_grace_period: 1m
    user: "1000:1000"
    working_dir: /srv
    environment: {PORT: 80, DEBUG: "true", HOST: }
    env_file: web.env
    pid: host
    tty: true
    deploy: {replicas: 3}
    pre_stop:
      - command: sleep 5
""",
            "web.env": "PORT=1\nLEVEL=info\n",
        }
    )["web"]
    override = web.override
    assert web.image is not None
    assert (web.image.text, web.label, web.place.text) == ("team/web:1", "service web", "web")
    assert words(override.entrypoint) == ["/entry.sh", "--", "serve"]
    assert words(override.command) == ["worker", "--verbose"]
    assert override.init is not None
    assert override.stop_signal is not None
    assert (override.init.at.start.line, override.stop_signal.text) == (6, "SIGQUIT")
    assert override.user is not None
    assert override.workdir is not None
    assert (web.grace, override.user.text, override.workdir.text) == (60, "1000:1000", "/srv")
    assert override.env.values == {"PORT": "80", "LEVEL": "info", "DEBUG": "true", "HOST": UNKNOWN}
    assert override.pid is not None
    assert (override.pid.kind, override.terminal, web.replicas) == ("host", True, 3)
    assert [word.text for word in override.hooks[0].words] == ["sleep", "5"]


@pytest.mark.parametrize(
    ("setting", "entrypoint", "command"),
    [
        pytest.param("command: null", None, None, id="null leaves the image's"),
        pytest.param("command: []", None, [], id="an empty list takes it away"),
        pytest.param("command: ''", None, [], id="so does an empty string"),
        pytest.param("entrypoint: []", [], None, id="an empty entrypoint"),
        pytest.param("command: $CMD", None, None, id="what only the user's shell knows"),
    ],
)
def test_null_and_empty_have_their_own_meanings(
    setting: str, entrypoint: list[str] | None, command: list[str] | None
) -> None:
    override = deployments({"compose.yaml": f"services:\n  a:\n    image: x\n    {setting}\n"})["a"].override
    assert (words(override.entrypoint), words(override.command)) == (entrypoint, command)


def test_a_build_is_read_in_both_forms() -> None:
    found = deployments(
        {
            "docker/compose.yaml": """\
services:
  short: {build: ../app}
  long:
    build:
      context: ..
      dockerfile: docker/web.Dockerfile
      target: prod
      args: [A=1, "B=2", FROM_SHELL]
      additional_contexts: {base: "service:short"}
  inline:
    build:
      dockerfile_inline: |
        FROM debian:12
        CMD sh -c server
  remote: {build: "https://github.com/x/y.git"}
"""
        },
        "docker/compose.yaml",
    )
    builds = {name: each.building for name, each in found.items()}
    assert all(builds.values())
    short, long, inline, remote = (builds[name] for name in ("short", "long", "inline", "remote"))
    assert short is not None and (short.context, short.dockerfile) == ("app", "app/Dockerfile")
    assert long is not None and (long.context, long.dockerfile, long.target) == ("", "docker/web.Dockerfile", "prod")
    assert (long.args, long.contexts) == ({"A": "1", "B": "2"}, {"base": "service:short"})
    assert inline is not None and inline.inline is not None
    assert inline.inline.text == "FROM debian:12\nCMD sh -c server\n"
    assert remote is not None and remote.context is None


# Several files


BASE = """\
services:
  web:
    image: x
    entrypoint: [a]
    command: [b, c]
    environment: {A: 1, B: 1}
    volumes: ["./one:/data", "./two:/more"]
"""


def test_an_override_file_replaces_commands_and_merges_the_environment() -> None:
    override = """\
services:
  web:
    command: [d]
    entrypoint:
    environment: [B=2, C=3]
    volumes: ["./three:/data"]
"""
    files = {"compose.yaml": BASE, "compose.override.yaml": override}
    found = deployments({**files, "one/x": "", "two/x": "", "three/x": ""})["web"].override
    assert (words(found.entrypoint), words(found.command)) == (None, ["d"])
    assert found.env.values == {"A": "1", "B": "2", "C": "3"}
    assert {mount.target: mount.path for mount in found.mounts} == {"/data": "three", "/more": "two"}
    assert found.command is not None
    assert found.command.at.source.path == "compose.override.yaml"


def test_reset_and_override_take_back_what_other_files_say() -> None:
    override = """\
services:
  web:
    command: !reset null
    environment: !override {C: 3}
    volumes: !reset []
"""
    found = deployments({"compose.yaml": BASE, "compose.override.yaml": override})["web"].override
    assert (words(found.entrypoint), words(found.command)) == (["a"], None)
    assert (found.env.values, found.mounts) == ({"C": "3"}, ())


def test_a_reset_takes_back_a_single_variable_and_a_whole_service() -> None:
    override = """\
services:
  web: {environment: {A: !reset null}, deploy: {resources: {}}}
  gone: !reset null
  other: !override {image: y}
"""
    more = "    deploy: {replicas: 3}\n  gone: {image: x}\n  other: {image: x, init: true}\n"
    found = deployments({"compose.yaml": BASE + more, "compose.override.yaml": override})
    assert (found["web"].override.env.values, found["web"].replicas) == ({"B": "1"}, 3)
    assert set(found) == {"web", "other"}
    assert found["other"].override.init is None


def test_a_variable_that_several_files_set_counts_once() -> None:
    names = "".join(f"      V{n}: a\n" for n in range(600))
    base = f"services:\n  web:\n    image: x\n    env_file: x.env\n    environment:\n{names}"
    files = {"compose.yaml": base, "compose.override.yaml": base.replace(": a", ": b"), "x.env": "V0=c\nOWN=d\n"}
    env = deployments(files)["web"].override.env
    assert (len(env.values), env.values["V599"], env.values["OWN"], env.whole) == (601, "b", "d", True)


def test_of_more_variables_than_are_counted_others_are_not_known() -> None:
    names = "".join(f"      V{n}: a\n" for n in range(1001))
    base = f"services:\n  web:\n    image: x\n    environment:\n{names}"
    env = deployments({"compose.yaml": base, "compose.override.yaml": "services: {web: {environment: {A: b}}}"})["web"]
    assert (env.override.env.values, env.override.env.whole) == ({"A": "b"}, False)


def test_a_file_for_one_purpose_is_read_over_the_base() -> None:
    prod = "services:\n  web:\n    stop_signal: SIGINT\n"
    found = deployments({"docker-compose.yml": BASE, "docker-compose.prod.yml": prod}, "docker-compose.prod.yml")
    stop = found["web"].override.stop_signal
    assert stop is not None and stop.text == "SIGINT"
    assert (words(found["web"].override.command), found["web"].path) == (["b", "c"], "docker-compose.prod.yml")


def test_a_service_extends_others_in_other_files() -> None:
    found = deployments(
        {
            "compose.yaml": """\
services:
  web:
    extends: {file: common/base.yaml, service: app}
    environment: {B: 2}
  worker:
    extends: web
    command: [work]
""",
            "common/base.yaml": """\
services:
  app:
    extends: {service: root}
    build: .
    environment: {A: 1, B: 1}
  root:
    image: x
    command: [root]
    stop_signal: SIGQUIT
""",
        }
    )
    worker = found["worker"]
    assert words(worker.override.command) == ["work"]
    assert words(found["web"].override.command) == ["root"]
    assert worker.override.env.values == {"A": "1", "B": "2"}
    assert worker.building is not None and worker.building.context == "common"


def test_a_circle_of_extends_comes_to_an_end() -> None:
    text = "services:\n  a: {image: x, extends: b}\n  b: {image: x, extends: a}\n"
    assert set(deployments({"compose.yaml": text})) == {"a", "b"}


def test_included_files_have_folders_of_their_own_and_variables_that_the_outer_ones_go_before() -> None:
    found = deployments(
        {
            "compose.yaml": "include: [db/compose.yaml, {path: [queue/c.yaml], project_directory: .}]\nservices: {}\n",
            "db/compose.yaml": "services:\n  db: {build: ., command: ['$NAME']}\n",
            "db/.env": "NAME=inner\n",
            ".env": "NAME=outer\n",
            "queue/c.yaml": "services:\n  queue: {build: app, command: ['$NAME']}\n",
        }
    )
    assert (words(found["db"].override.command), words(found["queue"].override.command)) == (["outer"], ["outer"])
    builds = [found[name].building for name in ("db", "queue")]
    assert [build.context for build in builds if build is not None] == ["db", "app"]
    assert found["db"].path == "db/compose.yaml"


def test_a_service_goes_over_the_included_one_of_its_name() -> None:
    found = deployments(
        {
            "compose.yaml": "include: [a.yaml, b.yaml]\nservices:\n  db: {command: [mine]}\n",
            "a.yaml": "services:\n  db: {image: x, command: [theirs], stop_signal: SIGINT}\n",
            "b.yaml": "include: [a.yaml]\n",
        }
    )
    assert list(found) == ["db"]
    stop = found["db"].override.stop_signal
    assert (words(found["db"].override.command), stop is not None and stop.text) == (["mine"], "SIGINT")
    assert found["db"].runs and found["db"].path == "compose.yaml"


def test_files_that_include_each_other_come_to_an_end() -> None:
    files = {"compose.yaml": "include: [b.yaml]\nservices: {a: {image: x}}\n", "b.yaml": "include: [compose.yaml]\n"}
    assert set(deployments(files)) == {"a"}


def test_merged_mappings_and_extensions_are_followed() -> None:
    text = """\
x-common: &common
  image: x
  stop_signal: SIGINT
services:
  a:
    <<: *common
    command: [a]
  b: *common
"""
    found = deployments({"compose.yaml": text})
    stops = [found[name].override.stop_signal for name in ("a", "b")]
    assert [(stop.text, stop.at.start.line) for stop in stops if stop is not None] == [("SIGINT", 3)] * 2


# Mounts


def test_mounts_of_the_repository_are_told_from_those_of_the_machine() -> None:
    text = """\
services:
  a:
    image: x
    volumes:
      - ./run.sh:/run.sh:ro
      - .:/app
      - /etc/host:/host
      - ~/.ssh:/ssh
      - data:/data
      - ./made-later:/later
      - {type: bind, source: ./run.sh, target: /long.sh}
      - {type: tmpfs, target: /tmp}
    tmpfs: /run
    configs: [{source: script, target: /usr/bin/script, mode: 0555}]
configs:
  script: {content: "#!/bin/sh"}
"""
    mounts = deployments({"compose.yaml": text, "run.sh": ""})["a"].override.mounts
    assert {mount.target: (mount.kind, mount.path, mount.single) for mount in mounts} == {
        "/run.sh": ("bind", "run.sh", True),
        "/app": ("bind", "", False),
        "/host": ("unknown", "", False),
        "/ssh": ("unknown", "", False),
        "/later": ("unknown", "made-later", False),
        "/long.sh": ("bind", "run.sh", True),
        "/tmp": ("empty", "", False),
        "/run": ("empty", "", False),
        "/usr/bin/script": ("files", "", True),
    }
    assert [(each.name, each.mode) for mount in mounts for each in mount.payloads] == [("script", 0o555)]


def test_a_service_that_others_wait_to_end_is_a_chore() -> None:
    text = """\
services:
  migrate: {image: x, command: migrate}
  web:
    image: x
    depends_on: {migrate: {condition: service_completed_successfully}}
  init-db: {image: x}
  init-always: {image: x, restart: always}
"""
    found = deployments({"compose.yaml": text})
    assert {name: each.brief for name, each in found.items()} == {
        "migrate": True,
        "web": False,
        "init-db": True,
        "init-always": False,
    }
