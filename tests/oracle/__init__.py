"""The oracle: runs a container for real, as far as signals go, and says what became of it when it was told to stop."""

from __future__ import annotations

from tests.oracle.container import Container, File, NotInstalledError, missing
from tests.oracle.kernel import JOBS, OracleError, Process, Run, available, run, run_all
from tests.oracle.stand_in import BRIEF, DAEMON, NO_HANDLER, PROGRAMS, SERVER, StandIn

__all__ = [
    "BRIEF",
    "DAEMON",
    "JOBS",
    "NO_HANDLER",
    "PROGRAMS",
    "SERVER",
    "Container",
    "File",
    "NotInstalledError",
    "OracleError",
    "Process",
    "Run",
    "StandIn",
    "available",
    "missing",
    "run",
    "run_all",
]
