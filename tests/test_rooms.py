"""Who imports whom: one way only, from the left of the flow to its right, and nowhere in a circle.

What counts are all imports that are ever run, those inside of functions too; what only type checkers read does not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pid1lint

ROOT = Path(__file__).parents[1]

FLOW = (
    "errors ends frozen numbers nearest source files patterns fix diagnostic tomlfile schema deployment",
    "facts dockerfile shell",
    "gitignore image",
    "deploy origin",
    "launch",
    "rulebook mend archive",
    "rules",
    "registry suppress fingerprint",
    "linter",
    "deployed relief",
    "writing fixer baseline annotate config discover",
    "workers check",
    "report",
    "prove",
    "options powershell",
    "cli testing",
    "__main__",
)
"""The rooms from left to right; those of one line may import from each other."""


def modules() -> dict[str, Path]:
    """Every module of the package by its name without `pid1lint.`; the package itself is empty."""
    found = {}
    for top, path in [(ROOT / "pid1lint", p) for p in (ROOT / "pid1lint").rglob("*.py")] + [
        (ROOT, p) for p in (ROOT / "rules").glob("*.py")
    ]:
        name = ".".join(path.relative_to(top).with_suffix("").parts)
        found[name.removesuffix("__init__").removesuffix(".")] = path
    return found


MODULES = modules()


def imported(module: str) -> set[str]:
    """What a module of ours imports of ours when it is loaded, or ever later."""
    found = set()
    for node in _run(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name for alias in node.names if (name := _ours(alias.name)) is not None}
        elif isinstance(node, ast.ImportFrom) and node.module is not None and _ours(node.module) is not None:
            found |= {_home(node.module, alias.name) for alias in node.names}
    return found - {module}


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a module without what only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from _run(child)


def _ours(name: str) -> str | None:
    if name != "pid1lint" and not name.startswith("pid1lint."):
        return None
    return name.removeprefix("pid1lint").removeprefix(".")


def _home(module: str, name: str) -> str:
    """The module that `from module import name` loads: a module of that name, or the one that defines it."""
    inner = _ours(f"{module}.{name}")
    if inner in MODULES:
        return inner
    return pid1lint._HOME.get(name, "") if module == "pid1lint" else _ours(module) or ""


GRAPH: Mapping[str, set[str]] = {module: imported(module) for module in MODULES}


def circles(graph: Mapping[str, set[str]]) -> set[frozenset[str]]:
    """The sets of modules that are loaded, sooner or later, by each other."""
    after = {module: _reachable(graph, module) for module in graph}
    every = {frozenset({module, *(other for other in after[module] if module in after[other])}) for module in graph}
    return {circle for circle in every if len(circle) > 1}


def _reachable(graph: Mapping[str, set[str]], module: str) -> set[str]:
    found: set[str] = set()
    left = [module]
    while left:
        new = graph[left.pop()] - found
        found |= new
        left += new
    return found


def test_nothing_imports_in_a_circle() -> None:
    assert circles(GRAPH) == set()


def test_circles_are_found_however_long() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set[str](), "e": {"f", "a"}, "f": {"e"}}
    assert circles(graph) == {frozenset("abc"), frozenset("ef")}


def test_the_flow_goes_from_left_to_right() -> None:
    place = {room: number for number, rooms in enumerate(FLOW) for room in rooms.split()}
    against = {
        f"{module} -> {other}"
        for module in GRAPH
        for other in GRAPH[module]
        if module and other and place[other.partition(".")[0]] > place[module.partition(".")[0]]
    }
    assert against == set()


def test_every_room_has_its_place_in_the_flow() -> None:
    rooms = {module.partition(".")[0] for module in MODULES} - {""}
    listed = " ".join(FLOW).split()
    assert sorted(rooms) == sorted(listed)


def test_a_rule_imports_no_other_rule_and_nothing_that_judges() -> None:
    left = set(" ".join(FLOW[: FLOW.index("rules")]).split())
    for module in MODULES:
        if module.startswith("rules."):
            assert {other.partition(".")[0] for other in GRAPH[module]} <= left, module


def test_imports_in_functions_count_and_those_for_type_checkers_do_not() -> None:
    text = "if TYPE_CHECKING:\n    import a\ndef f():\n    import b\n    if x:\n        import c\n"
    names = [node.names[0].name for node in _run(ast.parse(text)) if isinstance(node, ast.Import)]
    assert names == ["b", "c"]


def test_no_file_of_the_launch_model_is_long() -> None:
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()}
    assert {name: length for name, length in lengths.items() if name.startswith("launch") and length > 700} == {}
