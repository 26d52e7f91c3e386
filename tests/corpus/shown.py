"""The file of all fixes that were made, to be read by people: a headline, the message and a diff for each."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from tests.corpus.repair import Shown

_HEAD = re.compile(r"^=== (?P<code>PID\d{3}) (?P<safety>\w+) (?P<place>\S.*:\d+): (?P<title>.*)$", re.MULTILINE)


def written(fixes: Iterable[Shown]) -> str:
    """The file's text, by code and place."""
    return "\n".join(map(_written, sorted(fixes)))


def _written(fix: Shown) -> str:
    return f"=== {fix.code} {fix.safety} {fix.place}: {fix.title}\n{fix.message}\n{fix.diff}\n"


def read(text: str) -> Iterator[Shown]:
    """What `written` wrote: no line of a message or a diff begins as a headline does."""
    heads = list(_HEAD.finditer(text))
    for head, following in zip(heads, (*heads[1:], None), strict=True):
        body = text[head.end() + 1 : following.start() if following is not None else len(text)]
        message, _, diff = body.rstrip("\n").partition("\n")
        yield Shown(head["code"], head["safety"], head["place"], head["title"], message, diff)


def sample(fixes: Iterable[Shown], each: int, seed: int, codes: Iterable[str] = ()) -> Iterator[Shown]:
    """At most `each` fixes of every rule, at random, but the same for the same seed whatever rules are asked for."""
    wanted = frozenset(codes)
    for code, some in groupby(sorted(fixes), key=lambda fix: fix.code):
        if not wanted or code in wanted:
            known = list(some)
            yield from sorted(random.Random(seed).sample(known, min(each, len(known))))
