"""Results as JSON, version 1: 1-based lines and columns, paths with `/`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pid1lint.diagnostic import Deployed, Diagnostic, Severity
from pid1lint.fix import Applicability, Fix
from pid1lint.report.urls import rule_page
from pid1lint.source import Location, Place

if TYPE_CHECKING:
    from pid1lint.deployment import Deployment
    from pid1lint.launch.launch import Launch
    from pid1lint.launch.process import Assumption, Process
    from pid1lint.registry import AnyRule
    from pid1lint.report import Report
    from pid1lint.report.style import Style

# What a JSON document is made of; the values are built here and only written out.
Json = Mapping[str, object] | list[object] | str | int | bool | None
VERSION = 1


def report(made: Report, style: Style) -> Iterator[str]:
    """The lines of the report of `check`."""
    yield diagnostics_json(made.diagnostics, made.dockerfiles, made.fixed, len(made.deployments), made.launches)


def diagnostics_json(
    diagnostics: Sequence[Diagnostic],
    checked: int,
    fixed: int = 0,
    deployments: int = 0,
    launches: Sequence[Launch] = (),
) -> str:
    """The report of `check`; `checked` counts Dockerfiles, `deployments` their files, `fixed` fixes that were made.

    `launches` are those that have been judged.
    """
    document = {
        "version": VERSION,
        "diagnostics": [_diagnostic(diagnostic) for diagnostic in diagnostics],
        "summary": _summary(diagnostics, checked, fixed, deployments, launches),
    }
    return dump(document)


def launches_json(launches: Sequence[Launch]) -> str:
    """The report of `trace`."""
    return dump({"version": VERSION, "launches": [_launch(launch) for launch in launches]})


def rules_json(rules: Sequence[AnyRule]) -> str:
    """The report of `rules`."""
    described: list[object] = [
        {
            "code": rule.code,
            "name": rule.name,
            "severity": rule.severity.value,
            "summary": rule.summary,
            "fixable": rule.fixable,
            "default": rule.default,
        }
        for rule in rules
    ]
    return dump({"version": VERSION, "rules": described})


def dump(document: Json) -> str:
    """A JSON document as text."""
    import json

    # ASCII only: whatever a file holds, bytes that are no UTF-8 included, passes through every pipe.
    return json.dumps(document, indent=2)


def _summary(
    diagnostics: Sequence[Diagnostic], checked: int, fixed: int, deployments: int, launches: Sequence[Launch]
) -> Json:
    fixes = [d.fix for d in diagnostics if d.fix is not None]
    by_severity: dict[str, object] = {
        severity.value: sum(d.severity is severity for d in diagnostics) for severity in reversed(Severity)
    }
    return {
        "dockerfiles": checked,
        "deployments": deployments,
        "diagnostics": len(diagnostics),
        **by_severity,
        "fixable": {
            applicability.value: sum(fix.applicability is applicability for fix in fixes)
            for applicability in Applicability
        },
        "fixed": fixed,
        "verdicts": {
            certainty: sum((launch.certainty or "unknown") == certainty for launch in launches)
            for certainty in ("proven", "assumed", "unknown")
        },
    }


def _diagnostic(diagnostic: Diagnostic) -> Json:
    return {
        "code": diagnostic.code,
        "name": diagnostic.name,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        **_place(diagnostic.at),
        "dockerfile": diagnostic.dockerfile,
        "stage": diagnostic.stage,
        "outcome": diagnostic.outcome,
        "deployment": None if diagnostic.deployment is None else _deployment(diagnostic.deployment),
        "notes": [{**_place(note.at), "message": note.message} for note in diagnostic.notes],
        "fix": None if diagnostic.fix is None else _fix(diagnostic.fix),
        "url": rule_page(diagnostic.name),
    }


def _deployment(deployment: Deployed | Deployment) -> Json:
    return {"path": deployment.path, "kind": deployment.kind, "name": deployment.name}


def _fix(fix: Fix) -> Json:
    return {
        "title": fix.title,
        "applicability": fix.applicability.value,
        "edits": [{**_place(Place(edit.source, edit.span)), "content": edit.content} for edit in fix.edits],
    }


def _place(place: Place) -> Mapping[str, object]:
    return {"path": place.source.path, "start": _location(place.start), "end": _location(place.end)}


def _location(location: Location) -> Json:
    return {"line": location.line, "column": location.column}


def _launch(launch: Launch) -> Json:
    deployment = launch.image.deployment
    return {
        "dockerfile": launch.dockerfile,
        "deployment": None if deployment is None else _deployment(deployment),
        "stage": launch.stage,
        "entrypoint": _command(launch.entrypoint),
        "cmd": _command(launch.cmd),
        "stop_signal": launch.stop_signal,
        "grace": launch.image.grace,
        "outcome": launch.outcome.value,
        "certainty": launch.certainty,
        "assumes": [_assumption(each) for each in launch.assumes],
        "reaps": launch.reaps,
        "why": launch.why,
        "open_at": None if launch.open_at is None else _place(launch.open_at),
        "tree": None if launch.tree is None else _process(launch.tree, launch.image.as_pid1),
    }


def _assumption(assumption: Assumption) -> Json:
    place = assumption.place
    if place is None:
        return {"what": assumption.what, "path": None, "line": None, "column": None}
    start = place.start
    return {"what": assumption.what, "path": place.source.path, "line": start.line, "column": start.column}


def _command(command: Sequence[str] | str | None) -> Json:
    return command if command is None or isinstance(command, str) else list(command)


def _process(process: Process, as_pid1: bool) -> Json:
    """A process with its children; `as_pid1`: the first of them is PID 1 of its namespace."""
    start = None if process.place is None else process.place.start
    return {
        "argv": list(process.argv),
        "program": process.program,
        "pid1": process.pid1 and as_pid1,
        "start": process.start,
        "receives_stop": process.receives_stop,
        "path": None if process.place is None else process.place.source.path,
        "line": None if start is None else start.line,
        "column": None if start is None else start.column,
        "children": [_process(child, as_pid1) for child in process.children],
    }
