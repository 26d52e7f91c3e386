"""Configuration files: which one counts, what each key does, and how mistakes are told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from pid1lint import registry, schema
from pid1lint.config import Configs
from tests.test_cli import BROKEN, CLEAN, HANGING, SCRIPT, Run, put, put_hanging, run

__all__ = ["run"]


def codes(run: Run, *arguments: str) -> list[str]:
    return [d["code"] for d in json.loads(run("-f", "json", *arguments).out)["diagnostics"]]


# Which file counts


@pytest.mark.parametrize("name", [".pid1lint.toml", "pid1lint.toml"])
def test_a_file_of_its_own_is_read(run: Run, name: str) -> None:
    put("Dockerfile", BROKEN)
    put(name, 'ignore = ["syntax-error"]\n')
    assert codes(run) == []


def test_a_table_of_the_project_file_is_read(run: Run) -> None:
    put("Dockerfile", BROKEN)
    put("pyproject.toml", '[project]\nname = "x"\n[tool.pid1lint]\nignore = ["PID9"]\n')
    assert codes(run) == []


def test_a_project_file_without_the_table_does_not_count(run: Run) -> None:
    put("pid1lint.toml", 'ignore = ["PID9"]\n')
    put("a/Dockerfile", BROKEN)
    put("a/pyproject.toml", '[project]\nname = "pid1lint-image"\n')
    assert codes(run) == []


def test_the_nearest_file_to_each_dockerfile_counts(run: Run) -> None:
    put("Dockerfile", BROKEN)
    put("a/b/Dockerfile", BROKEN)
    put("a/pid1lint.toml", 'ignore = ["PID901"]\n')
    put("c/Dockerfile", BROKEN)
    assert run("-f", "concise").out == (
        "Dockerfile:2:1: PID901 unknown instruction: RUNN\nc/Dockerfile:2:1: PID901 unknown instruction: RUNN\n"
    )


def test_a_file_above_the_repository_does_not_count(run: Run) -> None:
    put("pid1lint.toml", 'ignore = ["PID901"]\n')
    put("sub/.git/HEAD", "")
    put("sub/Dockerfile", BROKEN)
    assert codes(run, "sub/Dockerfile") == ["PID901"]


def test_of_several_in_one_folder_the_hidden_one_counts(run: Run) -> None:
    put("Dockerfile", BROKEN)
    put(".pid1lint.toml", 'ignore = ["PID901"]\n')
    put("pid1lint.toml", "nonsense = 1\n")
    assert codes(run) == []


def test_config_names_the_only_file_that_counts(run: Run) -> None:
    put("Dockerfile", BROKEN)
    put("pid1lint.toml", "nonsense = 1\n")
    put("ci/strict.toml", 'ignore = ["PID901"]\n')
    assert codes(run, "--config", "ci/strict.toml") == []


def test_isolated_reads_none(run: Run) -> None:
    put("Dockerfile", BROKEN)
    put("pid1lint.toml", 'ignore = ["PID901"]\nnonsense = 1\n')
    assert codes(run, "--isolated") == ["PID901"]


def test_standard_input_is_configured_by_its_name(run: Run) -> None:
    put("a/pid1lint.toml", 'ignore = ["PID901"]\n')
    assert run("-f", "concise", "-", stdin=BROKEN.encode()).code == 1
    assert run("-f", "concise", "--stdin-filename", "a/Dockerfile", "-", stdin=BROKEN.encode()).code == 0


def test_a_start_without_a_file_imports_no_toml(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(CLEAN)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    check = "import sys; from pid1lint import cli; cli.run(['Dockerfile']); print(sorted(set(sys.modules) & HEAVY))"
    heavy = "HEAVY = {'tomllib', 'tree_sitter', 'tree_sitter_toml', 'pathspec', 'difflib', 'importlib.resources'}; "
    result = subprocess.run(
        [sys.executable, "-c", heavy + check],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(__file__))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "1 Dockerfile checked: nothing found.\n[]\n"


# What the keys do


def test_options_go_before_the_file(run: Run) -> None:
    put("Dockerfile", BROKEN)
    put("pid1lint.toml", 'select = ["PID902"]\nignore = ["PID901"]\nfail-on = "error"\n')
    assert codes(run) == []
    assert codes(run, "--select", "PID901") == ["PID901"]
    assert codes(run, "--select", "PID901", "--ignore", "PID901") == []


def test_ignore_adds_to_the_file(run: Run) -> None:
    put_hanging()
    put("Dockerfile", HANGING.replace("COPY", "RUNN\nCOPY"))
    put("pid1lint.toml", 'ignore = ["PID901"]\n')
    assert codes(run) == ["PID201"]
    assert codes(run, "--ignore", "PID201") == []


def test_rules_are_ignored_by_file(run: Run) -> None:
    put_hanging("a")
    put_hanging("b")
    put("pid1lint.toml", '[per-file-ignores]\n"a/*.sh" = ["missing-exec"]\n')
    assert run("-f", "concise").out.startswith("b/run.sh:3:1: PID201")
    assert run("-f", "concise").out.count("\n") == 1
    assert run("--fix").code == 0
    assert Path("a/run.sh").read_text() == SCRIPT


def test_a_severity_is_given_by_rule(run: Run) -> None:
    put("Dockerfile", BROKEN)
    put("pid1lint.toml", '[severity]\nsyntax-error = "info"\n')
    result = run("-f", "json")
    assert result.code == 0
    assert json.loads(result.out)["diagnostics"][0]["severity"] == "info"
    assert run("--fail-on", "info").code == 1


def test_fail_on_is_that_of_the_file_near_the_finding(run: Run) -> None:
    put("Dockerfile", CLEAN)
    put("a/Dockerfile", BROKEN)
    put("a/pid1lint.toml", 'fail-on = "info"\nseverity = { PID901 = "info" }\n')
    assert run("Dockerfile").code == 0
    assert run("a/Dockerfile").code == 1
    assert run("--fail-on", "error", "a/Dockerfile").code == 0


def test_a_search_leaves_out_what_is_excluded_and_a_name_does_not(run: Run) -> None:
    put("vendor/x/Dockerfile", BROKEN)
    put("vendor/x/pid1lint.toml", "")
    put("a/Dockerfile.old", BROKEN)
    put("pid1lint.toml", 'exclude = ["vendor/", "*.old"]\n')
    assert codes(run) == []
    assert codes(run, "vendor/x/Dockerfile") == ["PID901"]


def test_a_context_is_given_by_dockerfile(run: Run) -> None:
    put("docker/app/Dockerfile", HANGING)
    put("src/run.sh", SCRIPT, 0o755)
    put("pid1lint.toml", '[context]\n"docker/*/Dockerfile" = "src"\n')
    assert run("-f", "concise").out.startswith("src/run.sh:3:1: PID201")
    put("other/run.sh", SCRIPT.replace("set -e\n", ""), 0o755)
    assert run("-f", "concise", "--context", "other").out.startswith("other/run.sh:2:1: PID201")


def test_a_context_outside_the_repository_is_refused_unless_the_user_gives_the_file(run: Run) -> None:
    put("elsewhere/run.sh", SCRIPT, 0o755)
    put("elsewhere/secret.toml", "")
    put("repo/.git/HEAD", "")
    put("repo/Dockerfile", HANGING)
    Path("repo/link").symlink_to("../elsewhere")
    for folder in ("../elsewhere", "link", str(Path("elsewhere").absolute()), "../../../../etc", "../secret"):
        put("repo/pid1lint.toml", f'[context]\n"Dockerfile" = "{folder}"\n')
        result = run("--fix", "repo")
        told = f"the build context {folder!r} lies outside the repository; only a file given with --config can name one"
        assert (result.code, result.out, result.err) == (2, "", f"pid1lint: error: repo/pid1lint.toml:2: {told}\n")
    put("mine.toml", '[context]\n"repo/Dockerfile" = "elsewhere"\n')
    assert run("-f", "concise", "--config", "mine.toml", "repo").out.startswith("elsewhere/run.sh:3:1: PID201")
    assert Path("elsewhere/run.sh").read_text() == SCRIPT


def test_a_fix_is_not_written_outside_what_was_asked_for(run: Run) -> None:
    put("elsewhere/run.sh", SCRIPT, 0o755)
    put("elsewhere/.git/HEAD", "")
    put("repo/.git/HEAD", "")
    put("repo/Dockerfile", HANGING)
    put("mine.toml", '[context]\n"repo/Dockerfile" = "elsewhere"\n')
    result = run("--fix", "--config", "mine.toml", "repo")
    home = Path("repo").absolute()
    assert result.code == 2
    assert result.err.endswith(f"pid1lint: error: elsewhere/run.sh: not written, it lies outside {home}\n")
    assert Path("elsewhere/run.sh").read_text() == SCRIPT
    assert run("--fix", "--context", "elsewhere", "repo").code == 0
    assert Path("elsewhere/run.sh").read_text() != SCRIPT


def outcome(run: Run) -> str:
    (launch,) = json.loads(run("trace", "-f", "json").out)["launches"]
    return str(launch["outcome"])


def test_an_image_of_ones_own_is_known(run: Run) -> None:
    put("Dockerfile", "FROM registry.example/team/base:7\nCMD java -jar app.jar\n")
    outcomes = []
    for name, facts in (("base", 'family = "debian"'), ("base", 'sh = "bash"'), ("*", 'from = "fedora"')):
        put("pid1lint.toml", f'[images."registry.example/team/{name}"]\n{facts}\nstop-signal = "INT"\n')
        (launch,) = json.loads(run("trace", "-f", "json").out)["launches"]
        assert launch["stop_signal"] == "SIGINT"
        outcomes.append(launch["outcome"])
    assert outcomes == ["hang", "graceful", "graceful"]


def test_the_entrypoint_of_an_image_of_ones_own_is_known(run: Run) -> None:
    put("Dockerfile", 'FROM base\nCMD ["java", "-jar", "app.jar"]\n')
    put("pid1lint.toml", '[images.base]\nfamily = "debian"\nentrypoint = ["/start"]\n')
    assert "graceful: start is PID 1" in run("trace").out
    put("pid1lint.toml", '[images.base]\nfamily = "debian"\nentrypoint = ["/start"]\nentrypoint-runs = "exec-args"\n')
    assert "graceful: java is PID 1" in run("trace").out


@pytest.mark.parametrize(
    ("facts", "command", "expected"),
    [
        pytest.param('signals = { TERM = "handles" }', '["appd"]', "graceful", id="handles"),
        pytest.param('signals = { TERM = "ignores" }', '["appd"]', "hang", id="ignores"),
        pytest.param('signals = { SIGTERM = "default" }', '["/usr/bin/appd"]', "hang", id="no handler"),
        pytest.param('lifetime = "daemonizes"', '["appd"]', "exits", id="daemonizes"),
        pytest.param('signals = { TERM = "ignores" }', '["python", "appd"]', "hang", id="a script"),
        pytest.param('signals = { TERM = "ignores" }\narguments = "-v"', '["appd", "-v"]', "hang", id="arguments"),
        pytest.param('signals = { TERM = "ignores" }\narguments = "-v"', '["appd"]', "graceful", id="other arguments"),
    ],
)
def test_a_program_of_ones_own_is_known(run: Run, facts: str, command: str, expected: str) -> None:
    put("Dockerfile", f"FROM debian:12\nCMD {command}\n")
    put("pid1lint.toml", f"[programs.appd]\n{facts}\n")
    assert outcome(run) == expected


def test_a_graceful_signal_of_a_program_of_ones_own_is_asked_for(run: Run) -> None:
    put("Dockerfile", 'FROM debian:12\nCMD ["appd"]\n')
    put("pid1lint.toml", '[programs.appd]\nsignals = { TERM = "drops" }\ngraceful-signal = "QUIT"\n')
    assert codes(run) == ["PID503"]


# Mistakes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("x = \n", "pid1lint.toml:1: not valid TOML: invalid value", id="no TOML"),
        pytest.param('\nselct = ["PID1"]\n', "pid1lint.toml:2: unknown key 'selct'; did you mean 'select'?", id="key"),
        pytest.param(
            'select = "PID1"\n', "pid1lint.toml:1: 'select' takes a list of strings, not a string", id="no list"
        ),
        pytest.param(
            "select = [\n  'all',\n  3,\n]\n",
            "pid1lint.toml:3: 'select' takes a list of strings, but one of them is a number",
            id="an item",
        ),
        pytest.param(
            "select = [\n  'all', # all\n  'missing-exce',\n]\n",
            "pid1lint.toml:3: no rule is called 'missing-exce'; did you mean 'missing-exec'?",
            id="a rule",
        ),
        pytest.param(
            '[severity]\nPID201 = "eror"\n',
            "pid1lint.toml:2: 'severity.PID201' is one of info, warning, error, not 'eror'; did you mean 'error'?",
            id="a severity",
        ),
        pytest.param(
            '[severity]\nmissing-exek = "error"\n',
            "pid1lint.toml:2: no rule is called 'missing-exek'; did you mean 'missing-exec'?",
            id="a rule with a severity",
        ),
        pytest.param(
            '[per-file-ignores]\n"*.sh" = ["PID8"]\n',
            "pid1lint.toml:2: no rule is called 'PID8'; `pid1lint rules` lists them",
            id="a rule of a file",
        ),
        pytest.param(
            "init = 'tinny'\n",
            "pid1lint.toml:1: 'init' is one of tini, dumb-init, catatonit, not 'tinny'; did you mean 'tini'?",
            id="an init",
        ),
        pytest.param(
            '[context]\nDockerfile = "srx"\n',
            "pid1lint.toml:2: the build context 'srx' is not a folder",
            id="a context",
        ),
        pytest.param(
            '[images."a.b/c"]\nsh = "dash"\nentry = []\n',
            "pid1lint.toml:3: unknown key 'entry' in 'images.a.b/c'; did you mean 'entrypoint'?",
            id="a key of an image",
        ),
        pytest.param(
            '[images.c]\nfrom = "nowhere/x"\n',
            "pid1lint.toml:2: pid1lint does not know the image 'nowhere/x'",
            id="from",
        ),
        pytest.param(
            '[images.c]\nfrom = "debain:12"\n',
            "pid1lint.toml:2: pid1lint does not know the image 'debain:12'; did you mean 'debian'?",
            id="from, mistyped",
        ),
        pytest.param(
            '[images."c:1"]\nsh = "dash"\n', "pid1lint.toml:1: 'c:1': the name must not have a tag here", id="a tag"
        ),
        pytest.param(
            "[programs]\napp.signals.term = 'handles'\n",
            "pid1lint.toml:2: 'programs.app.signals': 'term' is not the name of a signal; did you mean 'TERM'?",
            id="a signal",
        ),
        pytest.param(
            "[programs.app.signals]\nTRM = 'ignores'\n",
            "pid1lint.toml:2: 'programs.app.signals': 'TRM' is not the name of a signal; did you mean 'TERM'?",
            id="a signal that there is not",
        ),
        pytest.param(
            "[programs.app]\nreaps = 1\n",
            "pid1lint.toml:2: 'programs.app.reaps' takes true or false, not a number",
            id="no boolean",
        ),
        pytest.param(
            "[programs.app]\narguments = '('\n", "pid1lint.toml:2: not a regular expression: ", id="a pattern"
        ),
        pytest.param(
            "[tool.pid1lint]\n",
            "pid1lint.toml:1: in this file the keys stand at the top, without [tool.pid1lint]",
            id="a table too much",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_gives_2(run: Run, text: str, message: str) -> None:
    put("Dockerfile", CLEAN)
    put("pid1lint.toml", text)
    result = run()
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"pid1lint: error: {message}")
    assert result.err.count("\n") == 1


def test_all_mistakes_are_told_at_once(run: Run) -> None:
    put("Dockerfile", CLEAN)
    put("pid1lint.toml", 'select = "PID1"\nbogus = 1\nfail-on = "never"\n')
    assert run().err.splitlines() == [
        "pid1lint: error: pid1lint.toml:1: 'select' takes a list of strings, not a string",
        "pid1lint: error: pid1lint.toml:2: unknown key 'bogus'; the keys are select, ignore, per-file-ignores, "
        "severity, fail-on, baseline, format, exclude, init, context, images, programs",
        "pid1lint: error: pid1lint.toml:3: 'fail-on' is one of info, warning, error, not 'never'",
    ]
    put("pid1lint.toml", 'select = ["PID777"]\nignore = ["all", "shel-form"]\ncontext = { a = "b", c = "../d" }\n')
    put(".git/HEAD", "")
    assert run().err.splitlines() == [
        "pid1lint: error: pid1lint.toml:1: no rule is called 'PID777'; `pid1lint rules` lists them",
        "pid1lint: error: pid1lint.toml:2: no rule is called 'shel-form'; did you mean 'shell-form'?",
        "pid1lint: error: pid1lint.toml:3: the build context 'b' is not a folder",
        "pid1lint: error: pid1lint.toml:3: the build context '../d' lies outside the repository; only a file given "
        "with --config can name one",
    ]


def test_mistakes_of_all_kinds_are_told_in_the_order_of_their_lines(run: Run) -> None:
    put("Dockerfile", CLEAN)
    put("pid1lint.toml", 'select = ["PID777"]\nfail-on = "never"\n[severity]\nshel-form = "info"\nno-init = "bad"\n')
    assert run().err.splitlines() == [
        "pid1lint: error: pid1lint.toml:1: no rule is called 'PID777'; `pid1lint rules` lists them",
        "pid1lint: error: pid1lint.toml:2: 'fail-on' is one of info, warning, error, not 'never'",
        "pid1lint: error: pid1lint.toml:4: no rule is called 'shel-form'; did you mean 'shell-form'?",
        "pid1lint: error: pid1lint.toml:5: 'severity.no-init' is one of info, warning, error, not 'bad'",
    ]


def test_no_more_mistakes_are_told_than_anybody_reads(run: Run) -> None:
    put("Dockerfile", CLEAN)
    put("pid1lint.toml", "".join(f"x{number} = 1\n" for number in range(100)))
    assert run().err.count("\n") == 20


def test_a_configuration_has_a_baseline_and_a_form_of_the_report(run: Run) -> None:
    put("Dockerfile", "FROM debian:12\nCMD server; true\nRUNN x\n")
    assert run("--write-baseline", "known.json", "--select", "PID101").code == 0
    put("pid1lint.toml", 'baseline = "known.json"\nformat = "concise"\n')
    result = run()
    assert result.out.startswith("Dockerfile:3:1: PID901")
    assert result.out.count("\n") == 1
    # The command line goes before it, and a baseline that is written has all findings.
    assert run("-f", "json").out.startswith("{")
    assert run("--write-baseline", "known.json").code == 0
    assert run().code == 0


def test_a_baseline_lies_within_the_repository(run: Run) -> None:
    put("repo/.git/HEAD", "")
    put("repo/Dockerfile", CLEAN)
    put("repo/pid1lint.toml", 'baseline = "../known.json"\n')
    assert run("repo").err.startswith(
        "pid1lint: error: repo/pid1lint.toml:1: the baseline '../known.json' lies outside"
    )


def test_a_mistake_in_a_project_file_has_its_line_there(run: Run) -> None:
    put("a/Dockerfile", CLEAN)
    put("a/pyproject.toml", '[tool.other]\nselct = 1\n\n[tool.pid1lint]\nfail-on = "never"\n')
    assert run("a").err == (
        "pid1lint: error: a/pyproject.toml:5: 'fail-on' is one of info, warning, error, not 'never'\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--config", "pidlint.toml"], "does not exist; did you mean 'pid1lint.toml'?", id="missing"),
        pytest.param(["--config", "pyproject.toml"], "has no table [tool.pid1lint]", id="no table"),
    ],
)
def test_a_wrong_config_option_is_told(run: Run, arguments: list[str], message: str) -> None:
    put("pid1lint.toml", "")
    put("pyproject.toml", "")
    assert run(*arguments).err == f"pid1lint: error: --config: {arguments[1]} {message}\n"


# The schema


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(schema.schema())


def values() -> st.SearchStrategy[object]:
    words = st.sampled_from(["error", "tini", "TERM", "handles", "debian", "", "x"])
    leaves = words | st.booleans() | st.integers(0, 1)
    keys = st.sampled_from(["select", "fail-on", "severity", "images", "programs", "signals", "env", "sh", "TERM", "x"])
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=3))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*schema.schema()["properties"], "x"]), values(), max_size=4))
def test_we_refuse_just_what_the_schema_refuses(table: Mapping[str, Any]) -> None:
    valid = jsonschema.Draft7Validator(schema.schema()).is_valid(table)
    assert (list(schema.violations(table)) == []) == valid


def test_every_key_of_the_schema_is_described_and_read(run: Run) -> None:
    put("src/x", "")
    put(
        "pid1lint.toml",
        'select = ["all"]\nignore = ["PID903"]\nfail-on = "info"\nexclude = ["x"]\ninit = "tini"\n'
        'per-file-ignores = { "*.sh" = ["PID2"] }\nseverity = { missing-exec = "info" }\ncontext = { "*" = "src" }\n'
        'baseline = "known.json"\nformat = "concise"\nimages = { x = { sh = "dash" } }\n'
        "programs = { y = { reaps = true } }\n",
    )
    config = Configs().of("Dockerfile")
    default = Configs(isolated=True).of("Dockerfile")
    keys = schema.schema()["properties"]
    assert all("description" in key for key in keys.values())
    fields = {"images": "facts", "programs": "facts"}
    for key in keys:
        field = fields.get(key, key.replace("-", "_"))
        assert getattr(config, field) != getattr(default, field), key
    assert config.severity == {"PID201": registry.find("PID201").severity.INFO}
