"""What all known deployments of an image mend: a finding on the image alone is then only to be known of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pid1lint.diagnostic import Diagnostic, Note, Severity
from pid1lint.launch.launch import Launch
from pid1lint.launch.process import Outcome
from pid1lint.linter import Result

_BY_INIT = frozenset(("PID301", "PID302"))
"""The rules on images that need an init, which a deployment may put in front."""
_BY_SIGNAL = frozenset(("PID301", "PID501", "PID503", "PID504"))
"""The rules on images that need another stop signal, which a deployment may give."""


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
        launches = by_image.get((diagnostic.dockerfile, diagnostic.stage)) or _elsewhere(diagnostic, by_image)
        if diagnostic.deployment is not None or not launches:
            yield diagnostic
        elif all(_mends(launch, diagnostic.code) for launch in launches):
            notes = tuple(_reason(launch) for launch in launches[:3])
            yield diagnostic.replaced(severity=Severity.INFO, notes=(*diagnostic.notes, *notes), fix=None)
        else:
            yield diagnostic


def _elsewhere(diagnostic: Diagnostic, by_image: dict[tuple[str, str], list[Launch]]) -> list[Launch]:
    """The deployments of other stages, where nobody deploys this one and all of them run the command it is about."""
    others = [each for key, found in by_image.items() if key[0] == diagnostic.dockerfile for each in found]
    return others if all(_runs(launch, diagnostic) for launch in others) else []


def _runs(launch: Launch, diagnostic: Diagnostic) -> bool:
    commands = (launch.image.entrypoint, launch.image.cmd)
    instructions = [each.instruction for each in commands if each is not None and each.instruction is not None]
    at, path = diagnostic.at.span, diagnostic.at.source.path
    inside = any(each.span.start <= at.start and at.end <= each.span.end for each in instructions)
    return inside and path == launch.image.dockerfile.source.path


def _mends(launch: Launch, code: str) -> bool:
    if code in _BY_INIT and (launch.image.front or not launch.image.as_pid1):
        return True
    return code in _BY_SIGNAL and _signals(launch) and launch.outcome is Outcome.GRACEFUL


def _signals(launch: Launch) -> bool:
    deployment = launch.image.deployment
    return deployment is not None and deployment.override.stop_signal is not None


def _reason(launch: Launch) -> Note:
    deployment = launch.image.deployment
    assert deployment is not None
    override = deployment.override
    if override.init is not None:
        return Note(override.init.at, f"{deployment.label} has an init in front")
    if override.stop_signal is not None and launch.image.as_pid1:
        return Note(override.stop_signal.at, f"{deployment.label} stops with {launch.stop_signal}")
    at = override.pid.at if override.pid is not None else deployment.place
    return Note(at, f"{deployment.label} shares a PID namespace, in which another process is PID 1")
