"""What the tests share: the oracle's runs, and what becomes of a test that cannot be measured here."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, cast

import pytest

from tests import oracle, readers

Runs = dict[str, "Future[oracle.Run]"]


def pytest_configure() -> None:
    """A shell starts its background jobs with SIGINT ignored; what the tests start must not inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Case(Protocol):
    """The parameter `case` of a test that asks for the fixture `measured`."""

    def container(self) -> oracle.Container:
        """What to run; `oracle.NotInstalledError` if it needs a program that is not installed."""


def cannot_measure(reason: str) -> None:
    """A reason not to measure is a reason to skip, but not where everything is meant to be installed."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must measure, and cannot: {reason}")
    pytest.skip(reason)


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Make a file read-only. Root may write to it all the same: here root is told what its owner is told."""
    kernel = os.access

    def access(path: str, mode: int) -> bool:
        return kernel(path, mode) and not (mode & os.W_OK and not os.stat(path).st_mode & 0o222)

    def make(path: Path) -> None:
        path.chmod(path.stat().st_mode & 0o7555)
        monkeypatch.setattr(os, "access", access)

    return make


@pytest.fixture(scope="session")
def oracle_runs(request: pytest.FixtureRequest) -> Iterator[Runs]:
    """The runs of all selected tests by node id, begun side by side: one after the other would take minutes."""
    if reason := oracle.available():
        cannot_measure(reason)
    with ThreadPoolExecutor(oracle.JOBS) as pool:
        yield {
            item.nodeid: pool.submit(_run, item)
            for item in request.session.items
            if isinstance(item, pytest.Function) and "measured" in item.fixturenames
        }
        pool.shutdown(cancel_futures=True)


def _run(item: pytest.Function) -> oracle.Run:
    case = cast("Case", item.callspec.params["case"])
    return oracle.run(case.container())


@pytest.fixture
def measured(request: pytest.FixtureRequest, oracle_runs: Runs) -> oracle.Run:
    """What the kernel made of the test's `case`."""
    try:
        return oracle_runs[request.node.nodeid].result()
    except LookupError as error:
        cannot_measure(str(error))
        raise


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Generator[None, object, object]:
    """A test that runs containers by itself skips, too, for want of a program."""
    try:
        return (yield)
    except oracle.NotInstalledError as error:
        cannot_measure(str(error))
        raise


@pytest.fixture(scope="session")
def other_readers() -> None:
    """BuildKit's parser and the shells, to be asked whether a file parses."""
    for reason in readers.missing():
        cannot_measure(reason)
