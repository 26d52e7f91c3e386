"""Diagnostics as SARIF 2.1.0, with the rules' pages, fixes, and the way from the Dockerfile to the command.

See https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from pid1lint import __version__, registry
from pid1lint.diagnostic import Diagnostic, Severity
from pid1lint.fingerprint import fingerprints, working_folder
from pid1lint.fix import Applicability, Edit, Fix
from pid1lint.report.json import Json, dump
from pid1lint.report.launches import Key, key_of, launch_of
from pid1lint.report.markup import valid
from pid1lint.report.page import markdown
from pid1lint.report.urls import home, rule_page
from pid1lint.source import Place, outside

if TYPE_CHECKING:
    from pid1lint.launch.launch import Launch
    from pid1lint.launch.process import Process
    from pid1lint.report import Report
    from pid1lint.report.style import Style

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PROBLEMS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}
_STARTS = {
    "container": "PID 1 starts as",
    "exec": "becomes",
    "child": "starts and waits for",
    "background": "starts in the background",
    "pipeline": "starts in a pipeline",
    "substitution": "starts, to take its output,",
}


def report(made: Report, style: Style) -> Iterator[str]:
    """The lines of the report."""
    rules = registry.all_rules()
    index = {rule.code: at for at, rule in enumerate(rules)}
    prints = fingerprints(made.diagnostics, working_folder())
    launches = {key_of(launch): launch for launch in made.launches}
    url = home()
    driver = {
        "name": "pid1lint",
        "semanticVersion": __version__,
        **({"informationUri": url} if url else {}),
        "rules": [_rule(rule) for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [_invocation(made.errors)],
        "originalUriBaseIds": {_ROOT: {"description": _message("The working directory.")}},
        "columnKind": "unicodeCodePoints",
        "results": [
            {"ruleIndex": index[diagnostic.code], **_result(diagnostic, own, launches)}
            for diagnostic, own in zip(made.diagnostics, prints, strict=True)
        ],
    }
    yield dump({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _invocation(errors: Sequence[str]) -> Json:
    notifications: list[object] = [{"level": "error", "message": _message(error)} for error in errors]
    return {
        "executionSuccessful": not errors,
        **({"toolExecutionNotifications": notifications} if notifications else {}),
    }


def _rule(rule: registry.AnyRule) -> Json:
    page, page_text = rule_page(rule.name), markdown(rule.page)
    return {
        "id": rule.code,
        "name": "".join(part.capitalize() for part in rule.name.split("-")),
        "shortDescription": _message(_untitled(rule.summary)),
        "fullDescription": _message(_untitled(_reason(rule.page) or rule.summary)),
        "help": {"text": page_text, "markdown": page_text},
        **({"helpUri": page} if page else {}),
        "defaultConfiguration": {"enabled": rule.default, "level": _LEVELS[rule.severity]},
        "properties": {
            "tags": ["docker", "reliability"],
            "precision": "high",
            "problem.severity": _PROBLEMS[rule.severity],
        },
    }


def _reason(page: str) -> str:
    """The first paragraph of what the page says against it."""
    _, _, reason = page.partition("## Why is this bad?\n\n")
    return " ".join(reason.partition("\n\n")[0].split())


def _untitled(text: str) -> str:
    """Markdown's code marks are no part of plain text."""
    return text.replace("`", "")


def _result(diagnostic: Diagnostic, fingerprint: str, launches: Mapping[Key, Launch]) -> Mapping[str, object]:
    related = [{"id": at, **_location(note.at, note.message)} for at, note in enumerate(diagnostic.notes, 1)]
    launch = launches.get(launch_of(diagnostic)) if diagnostic.outcome else None
    flow = _flow(diagnostic, launch) if launch is not None else []
    fixes = [_fix(diagnostic.fix)] if diagnostic.fix is not None and _is_text(diagnostic.fix) else []
    about = {"stage": diagnostic.stage, "dockerfile": diagnostic.dockerfile, "outcome": diagnostic.outcome}
    if diagnostic.deployment is not None:
        about["deployment"] = f"{diagnostic.deployment.path}: {diagnostic.deployment.label}"
    return {
        "ruleId": diagnostic.code,
        "level": _LEVELS[diagnostic.severity],
        "message": _message(diagnostic.message),
        "locations": [_location(diagnostic.at)],
        **({"relatedLocations": related} if related else {}),
        **({"codeFlows": [{"threadFlows": [{"locations": flow}]}]} if flow else {}),
        **({"fixes": fixes} if fixes else {}),
        "partialFingerprints": {"pid1lint/v1": fingerprint},
        "properties": {name: valid(value) for name, value in about.items() if value},
    }


def _flow(diagnostic: Diagnostic, launch: Launch) -> list[Json]:
    """The programs from PID 1 on, each where it is started, down to what the finding is about."""
    steps = [(process, process.place) for process in launch.way_to(diagnostic.at)]
    flow = [
        _location(place, _step(process))
        for process, inner in steps
        if inner is not None and (place := outside(inner)).source.in_file
    ]
    deployment = launch.image.deployment
    if deployment is not None:
        flow.insert(0, _location(deployment.place, f"runs {deployment.label}"))
    flow.append(_location(diagnostic.at, diagnostic.message))
    return [{"location": location} for location in flow] if len(flow) > 1 else []


def _step(process: Process) -> str:
    verb = _STARTS[process.start]
    return f"{verb} {' '.join(process.argv) or process.program}"


def _fix(fix: Fix) -> Json:
    edits = sorted(fix.edits, key=lambda edit: (edit.source.path, edit.span))
    advice = "" if fix.applicability is Applicability.SAFE else " (unsafe: it may change more than signals)"
    return {
        "description": _message(fix.title + advice),
        "artifactChanges": [
            {"artifactLocation": _artifact(path), "replacements": [_replacement(edit) for edit in group]}
            for path, group in groupby(edits, key=lambda edit: edit.source.path)
        ],
    }


def _replacement(edit: Edit) -> Json:
    return {
        "deletedRegion": _region(Place(edit.source, edit.span)),
        **({"insertedContent": {"text": edit.content}} if edit.content else {}),
    }


def _is_text(fix: Fix) -> bool:
    """Whether a fix can be told: bytes that are no UTF-8 cannot."""
    return all(edit.content == valid(edit.content) for edit in fix.edits)


def _location(place: Place, message: str | None = None) -> Mapping[str, object]:
    return {
        "physicalLocation": {"artifactLocation": _artifact(place.source.path), "region": _region(place)},
        **({"message": _message(message)} if message is not None else {}),
    }


def _region(place: Place) -> Json:
    start, end = place.start, place.end
    return {
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    }


def _artifact(path: str) -> Json:
    """A relative reference, or an absolute one where the file is not below the working directory."""
    import os.path
    from pathlib import Path
    from urllib.parse import quote

    if path.startswith("../") or os.path.isabs(path):
        return {"uri": Path(os.path.abspath(path)).as_uri()}
    return {"uri": quote(path, errors="surrogateescape"), "uriBaseId": _ROOT}


def _message(text: str) -> Json:
    return {"text": valid(text)}
