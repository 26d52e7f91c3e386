"""Numbers that are none, or that nothing holds, wherever a file may have one: no crash, and reports stay valid JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NoReturn

import pytest

from pid1lint import cli
from pid1lint.numbers import is_number

ROOT = Path(__file__).parents[1]
ODD = ("²", "①", "٣", "9" * 5000, "0" * 5000 + "1", "9" * 400, "9" * 18, "-1", "1e999", "0x9", "nan", "inf", "")
SCRIPT = 'FROM debian:12\nCOPY --chmod=755 run.sh /\nCMD ["/run.sh"]\n'
POD = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  replicas: %N\n  template:\n    spec:\n"
    "      terminationGracePeriodSeconds: %N\n      volumes: [{name: v, configMap: {name: m, defaultMode: %N}}]\n"
    "      containers: [{name: a, image: b, command: [a], lifecycle: {preStop: {%S}}}]\n"
)
PLACES = {
    "STOPSIGNAL": {"Dockerfile": "FROM a\nSTOPSIGNAL %N\nCMD [\"a\"]\n"},
    "STOPSIGNAL RTMIN": {"Dockerfile": "FROM a\nSTOPSIGNAL RTMIN+%N\nCMD [\"a\"]\n"},
    "STOPSIGNAL RTMAX": {"Dockerfile": "FROM a\nSTOPSIGNAL SIGRTMAX-%N\nCMD [\"a\"]\n"},
    "COPY --from": {"Dockerfile": 'FROM a\nFROM b\nCOPY --from=%N /x /y\nCMD ["/y"]\n'},
    "USER": {"Dockerfile": 'FROM a\nUSER %N:%N\nCMD ["a"]\n'},
    "a base image": {"Dockerfile": "FROM alpine:3.%N\nCMD node a\n"},
    "an option": {"Dockerfile": 'FROM a\nCMD ["gunicorn", "--graceful-timeout", "%N", "a"]\n'},
    "a duration": {"compose.yaml": "services: {a: {image: b, stop_grace_period: %Ns, scale: '%N'}}\n"},
    "replicas": {"compose.yaml": "services: {a: {image: b, deploy: {replicas: '%N'}, command: '${%N}'}}\n"},
    "a grace period": {"pod.yaml": POD.replace("%S", "sleep: {seconds: %N}")},
    "a hook": {"pod.yaml": POD.replace("%S", "exec: {command: [sleep, '%N']}")},
    "Quadlet": {"a.container": "[Container]\nImage=a\nStopTimeout=%N\nStopSignal=%N\nPodmanArgs=--stop-timeout %N\n"},
    "ECS": {"task.json": '{"family": "a", "containerDefinitions": [{"name": "a", "image": "b", "stopTimeout": "%N"}]}'},
    "Bake": {"docker-bake.json": '{"target": "%N", "variable": {"a": "%N"}}', "Dockerfile": 'FROM a\nCMD ["a"]\n'},
}  # fmt: skip
COMMANDS = (
    "a & kill -%N $!; wait",
    "kill -s %N $!",
    "kill %N",
    "trap a %N",
    "trap %N a",
    "trap 'kill -%N $!' TERM; a & wait",
    "a & wait %N",
    "a & wait %%N",
    "a %N>b",
    "exec %N>b",
    "set -- a b; shift %N; exec $%N ${@:%N:%N}",
    "A=(a b); exec ${A[%N]} ${A[-%N]}",
    "exec a $((%N + 1))",
    "if ((%N)); then exec a; fi",
    "if [ %N -gt 1 ]; then exec a; fi",
    "exit %N",
    "sleep %N",
    "exec timeout -k %N %N a",
    "tail -f --pid=%N /dev/null",
    "pkill -%N a",
    "exec gosu %N a",
    "printf '\\U%N' > /tmp/a",
)


def refuse(constant: str) -> NoReturn:
    raise AssertionError(f"{constant} is no JSON")


@pytest.mark.parametrize("number", [pytest.param(each, id=each[:8] or "nothing") for each in ODD])
@pytest.mark.parametrize("place", [*PLACES, *COMMANDS])
def test_an_odd_number_is_no_error_of_ours(
    place: str, number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    files = PLACES.get(place) or {"Dockerfile": SCRIPT, "run.sh": f"#!/bin/bash\n{place}\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text.replace("%N", number))
    for command in (["check", "-q", "--select", "all", "-f", "json"], ["trace", "-f", "json"]):
        assert cli.run(command) in (0, 1)
        out, err = capsys.readouterr()
        assert "internal error" not in err
        json.loads(out, parse_constant=refuse)


def test_what_has_more_digits_than_programs_reckon_with_is_no_number() -> None:
    assert [text for text in (*ODD, "0", "007", "18") if is_number(text)] == ["9" * 18, "0", "007", "18"]


def test_one_module_decides_what_a_number_is() -> None:
    modules = [*(ROOT / "pid1lint").rglob("*.py"), *(ROOT / "rules").glob("*.py")]
    ask = {path.name for path in modules if re.search(r"\.is(?:digit|numeric)\b", path.read_text(encoding="utf-8"))}
    assert ask == {"numbers.py"}
