"""What `su -c` runs its string with: the option's shell, or the one that the user has."""

from __future__ import annotations

import pytest

from pid1lint import MemoryContext, Outcome, trace


@pytest.mark.parametrize(
    ("command", "outcome"),
    [
        # Measured: root's shell is bash on Debian, which execs the app, so that su tells it.
        pytest.param('["su", "root", "-c", "redis-server"]', Outcome.GRACEFUL, id="root's own shell, bash"),
        pytest.param('["su", "-", "-c", "redis-server"]', Outcome.GRACEFUL, id="root without a name"),
        pytest.param('["su", "-s", "/bin/sh", "root", "-c", "redis-server"]', Outcome.ABRUPT, id="dash by option"),
        pytest.param('["su", "redis", "-c", "redis-server"]', Outcome.ABRUPT, id="another user's, dash"),
    ],
)
def test_su_runs_a_string_by_the_users_shell(command: str, outcome: Outcome) -> None:
    (launch,) = trace(f"FROM debian:12\nCMD {command}\n", MemoryContext({}))
    assert launch.outcome is outcome
