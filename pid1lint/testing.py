"""For tests of one's own images: run one, stop it, and fail with the whole table if it does not end as it should."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pid1lint.prove.verdict import Proof

StopsGracefully = Callable[..., "Proof"]


@pytest.fixture
def stops_gracefully() -> Iterator[StopsGracefully]:
    """A function that proves an image, an archive, a Dockerfile or a Compose service.

    It fails where that does not stop gracefully. The test is skipped where neither docker nor podman is at hand.
    """
    from pid1lint.prove.engine import EngineError, find

    def prove(
        source: str,
        *,
        engine: str | None = None,
        ready: str | None = None,
        grace: float | None = None,
        options: Sequence[str] = (),
        target: str | None = None,
        service: str = "",
    ) -> Proof:
        __tracebackhide__ = True
        from pid1lint.check import Options
        from pid1lint.prove import report
        from pid1lint.prove.run import Trial, prove as proving
        from pid1lint.prove.trial import Ready, parse_ready
        from pid1lint.report.style import Style

        try:
            found = find(engine)
        except EngineError as error:
            pytest.skip(str(error))
        trial = Trial(tuple(options), parse_ready(ready) if ready else Ready(), grace)
        (proof,) = proving(source, found, trial, Options(target=target), service)
        if proof.outcome != "graceful":
            pytest.fail("\n".join(report.text(proof, Style())), pytrace=False)
        return proof

    yield prove
