"""What all known deployments of an image mend: a finding on the image alone is then only to be known of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pid1lint.diagnostic import Diagnostic, Note, Severity
from pid1lint.launch.launch import Launch
from pid1lint.linter import Result

_BY_INIT = frozenset(("PID301", "PID302"))
"""The rules on images that need an init, which a deployment may put in front."""


def relieved(results: Sequence[Result]) -> list[Result]:
    """Results in which a finding falls to info where every deployment that is known brings what the image lacks."""
    by_image: dict[tuple[str, str], list[Launch]] = {}
    for result in results:
        for launch in result.launches:
            if launch.image.deployment is not None:
                by_image.setdefault((launch.dockerfile, launch.stage), []).append(launch)
    return [result._replace(diagnostics=tuple(_each(result.diagnostics, by_image))) for result in results]


def _each(diagnostics: Iterable[Diagnostic], by_image: dict[tuple[str, str], list[Launch]]) -> Iterable[Diagnostic]:
    for diagnostic in diagnostics:
        launches = by_image.get((diagnostic.dockerfile, diagnostic.stage), [])
        if diagnostic.code not in _BY_INIT or diagnostic.deployment is not None or not launches:
            yield diagnostic
        elif all(_brings_init(launch) for launch in launches):
            notes = tuple(_reason(launch) for launch in launches[:3])
            yield diagnostic.replaced(severity=Severity.INFO, notes=(*diagnostic.notes, *notes), fix=None)
        else:
            yield diagnostic


def _brings_init(launch: Launch) -> bool:
    return bool(launch.image.front) or not launch.image.as_pid1


def _reason(launch: Launch) -> Note:
    deployment = launch.image.deployment
    assert deployment is not None
    override = deployment.override
    if override.init is not None:
        return Note(override.init.at, f"{deployment.label} has an init in front")
    at = override.pid.at if override.pid is not None else deployment.place
    return Note(at, f"{deployment.label} shares a PID namespace, in which another process is PID 1")
