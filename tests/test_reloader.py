"""Flask's reloader exits at once on SIGTERM, where Flask itself ignores it as PID 1; a variable may start it."""

from __future__ import annotations

import pytest

from pid1lint import linter
from pid1lint.image.context import BuildContext

APP = "from flask import Flask\napp = Flask(__name__)\napp.run(host='0.0.0.0')\n"


def outcome(command: str, variables: str = "") -> str:
    dockerfile = f"FROM python:3.12\n{variables}\nRUN pip install flask\nCOPY app.py .\nCMD {command}\n"
    (launch,) = linter.lint(dockerfile, BuildContext.of({"app.py": APP}), ignore=("all",)).launches
    return f"{launch.outcome.value}, {launch.certainty}"


@pytest.mark.parametrize(
    ("options", "variables", "expected"),
    [
        ("", "", "hang, proven"),
        ("", "ENV FLASK_DEBUG=1", "abrupt, proven"),
        ("", "ENV FLASK_DEBUG=true", "abrupt, proven"),
        ("", "ENV FLASK_RUN_RELOAD=1", "abrupt, proven"),
        ("", "ENV FLASK_DEBUG=0", "hang, proven"),
        ("", "ENV FLASK_DEBUG=", "hang, proven"),
        ("--debug", "", "abrupt, proven"),
        ("--debug --no-reload", "", "hang, proven"),
        ("--no-reload", "ENV FLASK_DEBUG=1", "hang, proven"),
        # Flask before 2.3 reads it, and which Flask it is cannot be told.
        ("", "ENV FLASK_ENV=development", "graceful, assumed"),
        # Whoever builds the image decides.
        ("", "ARG MODE\nENV FLASK_DEBUG=$MODE", "graceful, assumed"),
    ],
)
def test_what_starts_the_reloader_of_flask_run_is_heeded(options: str, variables: str, expected: str) -> None:
    assert outcome(f"exec flask run {options}", variables) == expected


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ("", "hang, proven"),
        ("ENV FLASK_DEBUG=0", "hang, proven"),
        ("ENV FLASK_DEBUG=1", "graceful, assumed"),
        ("ENV FLASK_ENV=development", "graceful, assumed"),
    ],
)
def test_a_variable_may_start_the_reloader_of_an_app_that_runs_itself(variables: str, expected: str) -> None:
    assert outcome('["python", "app.py"]', variables) == expected
