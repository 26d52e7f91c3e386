"""One run of Atheris over one kind of case: `python -m tests.fuzz.run WHAT SECONDS`; it is started by tests.fuzz."""

from __future__ import annotations

import hashlib
import json
import pkgutil
import random
import sys
from importlib import import_module
from pathlib import Path

import atheris

_PATIENCE = 6.0
"""How much longer a run may take while Atheris counts its every step."""
_LONGEST = 20_000
_BLIND = 0.1
"""How often bytes are changed without a thought for what they mean."""


def main(what: str, seconds: float) -> None:
    """Fuzz until the time is over; this process does not come back."""
    # What is imported only where it is used has to be there before: later on it would get no counters.
    with atheris.instrument_imports(include=["pid1lint", "rules"]):
        import pid1lint
        import rules

        for package in (pid1lint, rules):
            for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
                if not module.name.endswith("__main__"):
                    import_module(module.name)

    from tests.fuzz.case import parsed
    from tests.fuzz.hold import fault
    from tests.fuzz.mutate import Random, changed
    from tests.fuzz.seeds import seeds

    home = Path("build/fuzz").absolute() / what
    for folder in ("corpus", "finds", "crashes"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    for number, case in enumerate(seeds(what)):
        (home / "corpus" / f"seed-{number:03}").write_bytes(case.written())
    done = 0

    def test(data: bytes) -> None:
        nonlocal done
        done += 1
        if done % 20 == 0:
            (home / "stats.json").write_text(json.dumps({"executions": done}))
        case = parsed(data)
        if not case.files:
            return
        kind, why = fault(case, what, _PATIENCE, done)
        if kind:
            name = hashlib.sha256(kind.encode("utf-8", "replace")).hexdigest()[:10]
            if not (home / "finds" / f"{name}.why").exists():
                (home / "finds" / name).write_bytes(case.written())
                (home / "finds" / f"{name}.why").write_text(f"{kind}\n\n{why}\n", errors="backslashreplace")

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        if random.Random(seed).random() < _BLIND:
            return bytes(atheris.Mutate(data, most))
        return changed(parsed(data), what, Random(seed)).written()[:most]

    limits = [f"-max_total_time={int(seconds)}", f"-max_len={_LONGEST}", "-timeout=120", "-rss_limit_mb=3000"]
    command = [sys.argv[0], *limits, f"-artifact_prefix={home}/crashes/", str(home / "corpus")]
    atheris.Setup(command, test, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
