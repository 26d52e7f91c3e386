"""All rules, found by walking `pid1lint.rules`: no list of them stands anywhere."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Any

from pid1lint.errors import Pid1lintError
from pid1lint.rulebook import Rule

# A rule of any subject: the linter hands each only what its `on` says.
AnyRule = Rule[Any]


@cache
def all_rules() -> tuple[AnyRule, ...]:
    """Every rule, by code. A rule is the one `Rule` that a module of `pid1lint.rules` defines."""
    from pid1lint import rules

    found: dict[str, AnyRule] = {}
    for name in _modules(rules.__path__[0]):
        for rule in _defined_in(f"{rules.__name__}.{name}"):
            if rule.code in found:
                raise ValueError(f"{rule.code} is the code of both {found[rule.code].name} and {rule.name}")
            found[rule.code] = rule
    return tuple(found[code] for code in sorted(found))


def _modules(folder: str) -> Iterator[str]:
    """The modules in a folder: `pkgutil.iter_modules`, without pkgutil, which a start would have to pay for."""
    names = (name.removesuffix(".py") for name in sorted(os.listdir(folder)) if name.endswith(".py"))
    return (name for name in names if name != "__init__")


def _defined_in(module_name: str) -> tuple[AnyRule, ...]:
    module = __import__(module_name, fromlist=["*"])
    return tuple(
        value for value in vars(module).values() if isinstance(value, Rule) and value.check.__module__ == module_name
    )


def find(code_or_name: str) -> AnyRule:
    """The rule of a code or a name, in any case; `Pid1lintError` with the nearest one if there is none."""
    wanted = code_or_name.lower()
    for rule in all_rules():
        if wanted in (rule.code.lower(), rule.name):
            return rule
    raise Pid1lintError(f"no rule is called {code_or_name!r}{_hint(wanted, include_prefixes=False)}")


def matching(selector: str) -> frozenset[str]:
    """The codes that a selector stands for: a code, the start of codes (`PID2`), a name, or `all`.

    `Pid1lintError` with the nearest valid one if it stands for none.
    """
    wanted = selector.strip().lower()
    codes = codes_of(wanted)
    if not codes:
        raise Pid1lintError(f"no rule is called {selector.strip()!r}{_hint(wanted, include_prefixes=True)}")
    return codes


@cache
def _names() -> frozenset[str]:
    return frozenset(("all", *(rule.name for rule in all_rules())))


@lru_cache(1024)
def codes_of(selector: str) -> frozenset[str]:
    """The codes that a selector in small letters stands for; none if it stands for none."""
    if not selector.startswith("pid") and selector not in _names():
        return frozenset()
    return frozenset(
        rule.code
        for rule in all_rules()
        if selector in ("all", rule.name) or (selector.startswith("pid") and rule.code.lower().startswith(selector))
    )


def chosen(select: Sequence[str], ignore: Sequence[str]) -> tuple[AnyRule, ...]:
    """The rules that run: those selected, or else those that are on by default, without those ignored."""
    selected: frozenset[str] = frozenset().union(*map(matching, select))
    ignored: frozenset[str] = frozenset().union(*map(matching, ignore))
    return tuple(
        rule for rule in all_rules() if rule.code not in ignored and (rule.code in selected if select else rule.default)
    )


def _hint(wanted: str, *, include_prefixes: bool) -> str:
    from pid1lint.nearest import nearest, nearest_code

    names = [rule.name for rule in all_rules()] + (["all"] if include_prefixes else [])
    if wanted.startswith("pid"):
        found = nearest_code(wanted, [rule.code for rule in all_rules()])
    else:
        found = nearest(wanted, names)
    return f"; did you mean {found!r}?" if found else "; `pid1lint rules` lists them"
