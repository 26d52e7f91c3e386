"""What the tests with an engine share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import cannot_measure
from tests.engine import bases, podman


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Podman's store and what is compiled, for all tests of a session."""
    if reason := podman.unavailable():
        cannot_measure(reason)
    folder = tmp_path_factory.mktemp("engine")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in podman.environment(folder).items():
            patch.setenv(name, value)
        try:
            bases.make(bases.BUSYBOX, folder)
        except LookupError as error:
            cannot_measure(str(error))
        if reason := podman.refused(bases.BUSYBOX):
            # It is installed, but the machine does not let it: that is no fault of ours, nor of CI's.
            pytest.skip(f"podman cannot run a container here: {reason}")
        yield folder
        # Else pytest could not remove what is mounted there.
        podman.engine().call("system", "reset", "--force")
