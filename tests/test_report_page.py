"""A rule's page on a terminal."""

from __future__ import annotations

import pytest

from pid1lint import registry
from pid1lint.report.page import page_lines, rule_lines
from pid1lint.report.style import Style

PAGE = """\
One sentence about what is bad, which is too long for the
line that it stands on.

## Example: by hand

```dockerfile
FROM debian:12
```

```sh entrypoint.sh mode=644
#!/bin/sh
app
```

```text
entrypoint.sh:2:1: PID201 sh stays PID 1 and keeps SIGTERM from app
= hang, not measured: there is no app
```

- [a link](https://example.org/a-long-address-that-is-not-broken)
- and an item that goes on
  in the next line
"""

SHOWN = """\
One sentence about what is bad, which is
too long for the line that it stands on.

Example: by hand

  Dockerfile
    FROM debian:12

  entrypoint.sh
    #!/bin/sh
    app

  entrypoint.sh:2:1: PID201 sh stays PID
    1 and keeps SIGTERM from app
  Outcome: hang

- a link:
  https://example.org/a-long-address-that-is-not-broken
- and an item that goes on in the next
  line"""


def test_a_page_is_folded_and_has_no_marks_of_markdown() -> None:
    assert "\n".join(page_lines(PAGE, Style(width=40))) == SHOWN


@pytest.mark.parametrize("rule", registry.all_rules(), ids=lambda rule: rule.code)
def test_each_page_keeps_within_80_columns_but_for_files_and_addresses(rule: registry.AnyRule) -> None:
    wide = [line for line in page_lines(rule.page, Style(width=80)) if len(line) > 80]
    assert [line for line in wide if not line.startswith("    ") and "https://" not in line] == []
    assert not any(line.startswith(("```", "#")) for line in page_lines(rule.page, Style(width=80)))


def test_the_list_of_rules_has_each_under_its_heading_within_80_columns() -> None:
    lines = list(rule_lines(registry.all_rules(), Style(width=80)))
    assert max(map(len, lines)) <= 80
    assert lines[:3] == [
        "PID1xx: How the image launches",
        "PID101  shell-form                error    [*]",
        "        `docker stop` kills the app: CMD or ENTRYPOINT is in shell form, and the",
    ]
    codes = [line.split()[0] for line in lines if line and not line.startswith(" ") and ":" not in line]
    assert codes == [rule.code for rule in registry.all_rules()]
