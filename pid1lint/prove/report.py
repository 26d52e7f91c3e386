"""A proof as text, JSON or JUnit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pid1lint.prove.verdict import AGREES, DIFFERS, Proof
from pid1lint.report.style import Style, cells, printable

_COLOURS = {"graceful": "green", "abrupt": "red", "hang": "red", "fails": "red", "exits": "yellow"}


def text(proof: Proof, style: Style) -> Iterator[str]:
    """A table: what was foreseen, what was measured, and whether they agree."""
    yield style.paint("bold", printable(proof.name))
    head = ("", "verdict", "measured")
    rows = [(line.what, line.foreseen or "-", line.measured) for line in proof.lines]
    first, second = (max(cells(row[at]) for row in (head, *rows)) for at in (0, 1))
    yield style.paint("dim", f"      {'':{first}}  {head[1]:{second}}  {head[2]}")
    for line, (what, foreseen, measured) in zip(proof.lines, rows, strict=True):
        sign = {AGREES: style.sign("✓", "+"), DIFFERS: style.sign("✗", "x")}.get(line.verdict, " ")
        colour = {AGREES: "green", DIFFERS: "red"}.get(line.verdict, "dim")
        padded = foreseen + " " * (second - cells(foreseen))
        yield f"    {style.paint(colour, sign)} {what:{first}}  {printable(padded)}  {printable(measured)}"
    yield ""
    if proof.wrong:
        yield f"  {style.paint('red', 'refuted')}: {printable(proof.wrong)}"
    elif proof.foreseen == "unknown":
        yield f"  {style.paint(_COLOURS[proof.outcome], proof.outcome)}: there was no verdict"
    else:
        yield f"  {style.paint(_COLOURS[proof.outcome], proof.outcome)}, as the verdict says"


def as_json(proofs: Sequence[Proof]) -> str:
    """All proofs as one document."""
    import json

    return json.dumps({"version": 1, "proofs": [_document(proof) for proof in proofs]}, indent=2, ensure_ascii=False)


def _document(proof: Proof) -> dict[str, Any]:
    made = proof.measured
    return {
        "name": proof.name,
        "outcome": proof.outcome,
        "foreseen": proof.foreseen,
        "agrees": proof.agrees,
        "wrong": proof.wrong or None,
        "seconds": round(made.seconds, 3),
        "exit_code": made.exit_code,
        "zombies": made.zombies,
        "error": made.error or None,
        "app": made.app.pid if made.app is not None else None,
        "processes": [
            {
                "pid": seen.pid,
                "parent": seen.parent,
                "argv": list(seen.argv),
                "name": seen.name,
                "caught": sorted(seen.caught),
                "ignored": sorted(seen.ignored),
                "exit_code": made.ends[seen.pid].code if seen.pid in made.ends else None,
                "killed_by": made.ends[seen.pid].signal if seen.pid in made.ends else None,
                "seconds": round(made.ends[seen.pid].seconds, 3) if seen.pid in made.ends else None,
            }
            for seen in made.processes
        ],
        "lines": [line._asdict() for line in proof.lines],
    }


def as_junit(proofs: Sequence[Proof]) -> Iterator[str]:
    """A test case each, failed where it did not end gracefully or not as foreseen."""
    from xml.sax.saxutils import escape, quoteattr

    failed = sum(not proof.holds for proof in proofs)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<testsuites><testsuite name="pid1lint prove" tests="{len(proofs)}" failures="{failed}">'
    for number, proof in enumerate(proofs, 1):
        name = proof.name if len(proofs) == 1 else f"{proof.name} ({number})"
        yield f'<testcase classname="prove" name={quoteattr(name)} time="{proof.measured.seconds:.3f}">'
        if not proof.holds:
            rows = "\n".join(f"{line.what}: {line.foreseen or '-'} / {line.measured}" for line in proof.lines)
            yield f"<failure message={quoteattr(proof.wrong or proof.outcome)}>{escape(rows)}</failure>"
        yield "</testcase>"
    yield "</testsuite></testsuites>"
