"""What must hold whatever is checked: `hold` raises `BrokenError` where it does not."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from pid1lint import check, cli, fixer, linter
from pid1lint.config import Configs
from pid1lint.diagnostic import Diagnostic
from pid1lint.errors import Pid1lintError
from pid1lint.fix import Fix
from pid1lint.report import FORMATS
from pid1lint.report.safe import JSON, XML
from pid1lint.source import BOM, Source
from tests import readers
from tests.fuzz.case import Case

SECONDS = 2.0
"""Of processor time, for one run over a case of a few kilobytes."""


class BrokenError(AssertionError):
    """Something that must hold does not."""


class Ran(NamedTuple):
    """What one call came to."""

    code: int
    out: str
    err: str


def hold(case: Case, what: str, *, patience: float = 1.0, turn: int | None = None) -> None:
    """Try all that can be done with a folder; `patience` stretches the time that a run may take.

    With a `turn` only a part is tried, another one for each number.
    """
    steps: list[Callable[[], None]] = [
        lambda: _traced(patience),
        _each_fix_alone,
        lambda: _mended(patience),
        _ignored,
        _known,
    ]
    with _folder(case):
        _checked(what, zlib.crc32(case.written()), patience)
    for number, step in enumerate(steps):
        if turn is None or number in _TURNS[turn % len(_TURNS)]:
            with _folder(case):
                step()


_TURNS = ((1,), (2,), (3,), (1,), (2,), (0, 4))


def fault(case: Case, what: str, patience: float = 1.0, turn: int | None = None) -> tuple[str, str]:
    """What does not hold: a short name for its kind, and all that is known; both empty if everything does."""
    try:
        hold(case, what, patience=patience, turn=turn)
    except BrokenError as error:
        return re.sub(r"\d+", "N", str(error).partition("\n")[0])[:90], str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a find
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in {last.name}", "".join(traceback.format_exception(error))
    return "", ""


@contextlib.contextmanager
def _folder(case: Case) -> Iterator[Path]:
    """The case on the disk, as the working directory."""
    home = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=_RAM if os.path.isdir(_RAM) else None) as name:
        folder = Path(name) / "repo"
        (folder / ".git").mkdir(parents=True)
        case.put(folder)
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(home)


_RAM = "/dev/shm"


def _run(*arguments: str, patience: float = 0.0) -> Ran:
    """One call, in this process."""
    check._naming.cache_clear()
    check._naming_in.cache_clear()
    check._config_maps.cache_clear()
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n") for _ in range(2))
    streams = sys.stdout, sys.stderr
    begun = time.process_time()
    sys.stdout, sys.stderr = out, err
    try:
        code = cli.run(arguments)
    finally:
        sys.stdout, sys.stderr = streams
    taken = time.process_time() - begun
    shown = " ".join(arguments)
    if patience and taken > SECONDS * patience:
        raise BrokenError(f"{shown}: took {taken:.1f} s")
    for stream in (out, err):
        stream.flush()
        stream.seek(0)
    ran = Ran(code, out.read(), err.read())
    if ran.code not in (0, 1, 2):
        raise BrokenError(f"{shown}: exit {ran.code}")
    told = [line for line in ran.err.splitlines() if "internal error" in line or "Traceback" in line]
    if told:
        raise BrokenError(f"{shown}: {told[0]}")
    if ran.code == 2 and not re.match(r"pid1lint: error: |.*\npid1lint: error: ", ran.err, re.DOTALL):
        raise BrokenError(f"{shown}: exit 2 without an error: {ran.err!r}")
    return ran


def _checked(what: str, turn: int, patience: float) -> None:
    """A third of all forms of reports are what they claim to be, and the same the second time."""
    tried = ("json", *(form for at, form in enumerate(FORMATS) if at % 3 == turn % 3 and form != "json"))
    forms = [argument for form in tried for argument in ("-f", f"{form}:../out.{form}")]
    first = _run("--select", "all", *forms, patience=patience)
    if first.code == 2:
        if what in ("dockerfile", "script") and not _is_configured():
            raise BrokenError(f"check: exit 2: {first.err}")
        return
    texts = {form: Path(f"../out.{form}").read_bytes() for form in tried}
    for form in tried:
        _valid(form, texts[form].decode())
    again = _run("--select", "all", *forms)
    if (again.code, again.err) != (first.code, first.err):
        raise BrokenError("check: the second run says something else")
    for form in tried:
        if Path(f"../out.{form}").read_bytes() != texts[form]:
            raise BrokenError(f"check: the second report as {form} is another one")
    rows = json.loads(texts["json"])["diagnostics"]
    worst = max((row["severity"] != "info" for row in rows), default=False)
    if not _is_configured() and first.code != int(worst):
        raise BrokenError(f"check: exit {first.code} with {len(rows)} findings")
    for row in rows:
        _placed(row)


def _is_configured() -> bool:
    return any(os.path.exists(name) for name in ("pid1lint.toml", ".pid1lint.toml", "pyproject.toml"))


def _valid(form: str, text: str) -> None:
    try:
        if form in JSON:
            json.loads(text)
            json.dumps(text).encode("ascii")
        elif form in XML:
            ElementTree.fromstring(text.encode())
    except (ValueError, ElementTree.ParseError) as error:
        raise BrokenError(f"the report as {form}: {error}") from error
    hidden = re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    if hidden is not None and form not in JSON:
        raise BrokenError(f"the report as {form} holds {hidden[0]!r}")


def _placed(row: Mapping[str, Any]) -> None:
    """A finding stands in a file that is there, within its lines."""
    path = row["path"]
    if not os.path.isfile(path) or row["code"] == "PID902":
        return
    text = Path(path).read_bytes().decode("utf-8", "surrogateescape").removeprefix(BOM)
    lines = text.split("\n")
    for point in (row["start"], row["end"]):
        if not (1 <= point["line"] <= len(lines) and 1 <= point["column"] <= len(lines[point["line"] - 1]) + 1):
            raise BrokenError(f"{row['code']} at {path}:{point['line']}:{point['column']}, where there is nothing")


def _traced(patience: float) -> None:
    for form in ("json", "text"):
        ran = _run("trace", "-f", form, ".", patience=patience)
        if form == "json" and ran.code != 2:
            json.loads(ran.out)


def _texts() -> dict[str, str]:
    """What the files hold, by name."""
    return {
        str(path): path.read_bytes().decode("utf-8", "surrogateescape")
        for path in sorted(Path().rglob("*"))
        if path.is_file() and ".git/" not in f"{path}/"
    }


def _mended(patience: float) -> None:
    """All fixes end, nothing that could be read is broken, and a second run changes nothing."""
    before = _texts()
    ran = _run("--fix", "--unsafe-fixes", "-f", "json", patience=patience * 4)
    if "did not come to an end" in ran.err:
        raise BrokenError(f"fix: {ran.err}")
    after = _texts()
    if before.keys() != after.keys():
        raise BrokenError(f"fix: the files are {sorted(after)}")
    for name, text in after.items():
        if text != before[name]:
            _sound(name, before[name], text)
    if ran.code != 2:
        diff = _run("--diff", "--unsafe-fixes")
        if diff.out:
            raise BrokenError(f"fix: a second run would change\n{diff.out}")
    _run("--fix", "--unsafe-fixes", "-f", "json")
    if (restless := _texts()) != after:
        raise BrokenError(f"fix: a second run changes {[name for name in after if after[name] != restless[name]]}")


def _sound(name: str, before: str, after: str) -> None:
    """What could be read still can, and what concerns the whole file stays."""
    is_dockerfile = "ockerfile" in name.rpartition("/")[2]
    reason = None
    if is_dockerfile or name.endswith(".json") or before.removeprefix(BOM).startswith("#!"):
        reason = readers.regression(name, before, after, is_dockerfile=is_dockerfile)
    if reason is not None:
        raise BrokenError(f"fix: {name}: {reason}\n{after}")
    if before.startswith(BOM) and not after.startswith(BOM) and not is_dockerfile and before.startswith(BOM + "#!"):
        return
    if before.startswith(BOM) is not after.startswith(BOM):
        raise BrokenError(f"fix: {name}: the byte order mark is another")
    bare = re.compile(r"(?<!\r)\n")
    if before.count("\r\n") and not bare.search(before) and bare.search(after) and "\r" in after:
        raise BrokenError(f"fix: {name}: some lines end otherwise than before: {after!r}")


BAD = {"graceful": 0, "exits": 1, "unknown": 1, "abrupt": 2, "hang": 3, "fails": 4}
_FREED = frozenset(("fails", "exits", "unknown"))
"""What ends so, or so soon, hides what is wrong behind it."""


def _each_fix_alone() -> None:
    """A fix by itself makes its finding go away, brings none that is as bad, and no worse end."""
    try:
        planned = check.plan((".",), Configs())
    except Pid1lintError:
        return
    options = check.Options(configs=Configs())
    for path in planned.dockerfiles:
        try:
            result = check.check(path, options, {})
        except Pid1lintError:
            return
        seen: set[Fix] = set()
        for found in result.diagnostics:
            if found.fix is None or found.fix in seen or len(seen) > 4:
                continue
            seen.add(found.fix)
            for edit in found.fix.edits:
                if not 0 <= edit.span.start <= edit.span.end <= len(edit.source.text):
                    raise BrokenError(f"the fix {found.fix.title!r} of {found.code} edits {edit.span}")
            after = fixer.edited([found.fix])
            for source in after:
                before = next(edit.source for edit in found.fix.edits if edit.source.path == source.path)
                if before.text == source.text:
                    raise BrokenError(f"the fix {found.fix.title!r} of {found.code} changes nothing")
            if linter.refusal(found.fix, after, path) is not None:
                continue
            _better(found, result, path, options, {source.path: source for source in after})


def _better(
    found: Diagnostic,
    result: linter.Result,
    path: str,
    options: check.Options,
    overlay: Mapping[str, Source],
) -> None:
    assert found.fix is not None
    name = f"the fix {found.fix.title!r} of {found.code}"
    shown = "".join(f"\n-- {each}\n{source.text}" for each, source in overlay.items())
    mended = check.check(path, options, overlay)
    if mended.crashes:
        raise BrokenError(f"{name}: {mended.crashes[0]}")
    same = [(d.code, d.message) for d in result.diagnostics].count((found.code, found.message))
    left = [d for d in mended.diagnostics if (d.code, d.message) == (found.code, found.message)]
    # Where it takes two steps, the second is at hand; that all steps come to an end is seen elsewhere.
    if len(left) >= same and all(d.fix is None or d.fix.title == found.fix.title for d in left):
        raise BrokenError(f"{name}: the finding is still there: {found.message}{shown}")
    ends = [launch.outcome.value for launch in result.launches]
    now = [launch.outcome.value for launch in mended.launches]
    if len(now) < len(ends) and result.launches:
        raise BrokenError(f"{name}: {len(ends)} launches have become {len(now)}{shown}")
    for one, other in zip(ends, now, strict=False):
        if BAD[other] > BAD[one] and not (one in _FREED and other in ("abrupt", "hang")):
            raise BrokenError(f"{name}: {one} becomes {other}{shown}")
    freed = any(one in _FREED or one != other for one, other in zip(ends, now, strict=False))
    as_bad = [d for d in result.diagnostics if d.severity.rank >= found.severity.rank]
    still = [d for d in mended.diagnostics if d.severity.rank >= found.severity.rank]
    if len(still) > len(as_bad) and not freed:
        brought = next((d for d in still if d.code not in {each.code for each in as_bad}), still[-1])
        raise BrokenError(f"{name} brings {brought.code} {brought.message}{shown}")


def _ignored() -> None:
    """--add-ignores suppresses what it says, breaks nothing, and nothing of it is of no use."""
    before = _texts()
    ran = _run("--add-ignores", "-f", "json")
    after = _texts()
    for name, text in after.items():
        if text != before.get(name):
            _sound(name, before[name], text)
    if ran.code == 2:
        return
    left = json.loads(ran.out)["diagnostics"] if ran.out.startswith("{") else []
    if before != after and left:
        raise BrokenError(f"--add-ignores leaves {left[0]['code']} {left[0]['path']}: {left[0]['message']}")


def _known() -> None:
    """A baseline knows all of today's findings."""
    written = _run("--write-baseline", "../known.json")
    if written.code == 2:
        return
    ran = _run("--baseline", "../known.json", "-f", "json")
    left = json.loads(ran.out)["diagnostics"] if ran.code != 2 else []
    if left:
        raise BrokenError(f"--baseline leaves {left[0]['code']}: {left[0]['message']}")
