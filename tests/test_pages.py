"""The notation of rule pages is read as its module says."""

from __future__ import annotations

import pytest

from tests.pages import Case, Outcome, PageError, PageFile, cases, headings

PAGE = """The summary.

## Why is this bad?

Because.

## Example

```dockerfile
FROM debian:12
ENTRYPOINT ["/run.sh"]
```

```sh run.sh mode=644 eol=crlf
#!/bin/sh
app
```

```text
run.sh:2:1: PID201 the shell stays
= hang: docker stop waits 10 s
```

Use instead:

```sh run.sh
#!/bin/sh
exec app
```

## Fix safety

Safe.
"""
DOCKERFILE = PageFile('FROM debian:12\nENTRYPOINT ["/run.sh"]\n')


def test_a_case_is_its_files_findings_outcome_and_better_files() -> None:
    assert cases(PAGE) == (
        Case(
            title="Example",
            line=7,
            files={"Dockerfile": DOCKERFILE, "run.sh": PageFile("#!/bin/sh\r\napp\r\n", 0o644)},
            dockerfile="Dockerfile",
            findings=("run.sh:2:1: PID201 the shell stays",),
            outcome=Outcome("hang", measured=True),
            fixed={"Dockerfile": DOCKERFILE, "run.sh": PageFile("#!/bin/sh\nexec app\n")},
        ),
    )


def test_sections_are_told_by_their_headings() -> None:
    assert headings(PAGE) == ("Why is this bad?", "Example", "Fix safety")


def one(text_block: str, after: str = "") -> Case:
    (case,) = cases(f"## Example\n```dockerfile\nFROM x\n```\n```text\n{text_block}\n```\n{after}")
    return case


def test_an_outcome_alone_says_that_nothing_is_reported() -> None:
    assert one("= graceful").findings == ()


def test_an_outcome_may_stay_unmeasured() -> None:
    assert one("= hang, not measured: it needs a terminal").outcome == Outcome("hang", measured=False)
    assert one("= unknown").outcome == Outcome("unknown", measured=False)


def test_the_better_files_may_end_otherwise() -> None:
    after = "Use instead:\n\n```dockerfile\nFROM y\n```\n```text\n= abrupt\n```\n"
    assert one("= hang", after).fixed_outcome == Outcome("abrupt", measured=True)


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        pytest.param("## A\n```text\n= hang\n```\n", "line 1: 'A' has no dockerfile block", id="no Dockerfile"),
        pytest.param("## A\n```dockerfile\n```\n", "must say its outcome", id="no text block"),
        pytest.param("## A\n```dockerfile\n```\n```text\nx\n```\n", "line 4: the text block must end", id="no outcome"),
        pytest.param("## A\n```dockerfile\n```\n```text\n= bad\n```\n", "one of graceful", id="no such outcome"),
        pytest.param("## A\n```dockerfile\nFROM x\n", "line 2: the block is never closed", id="open block"),
        pytest.param("## A\n```dockerfile a=b\n```\n```text\n= hang\n```\n", "unknown setting 'a'", id="setting"),
        pytest.param(
            "## A\n```dockerfile\n```\n```text\n= hang\n```\nUse instead:\n", "nothing follows", id="nothing better"
        ),
    ],
)
def test_what_is_not_in_the_notation_is_refused(page: str, complaint: str) -> None:
    with pytest.raises(PageError, match=complaint):
        cases(page)
