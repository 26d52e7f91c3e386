"""The library as it is documented: its examples are run, and its names are there."""

from __future__ import annotations

import ast
import contextlib
import io
import pickle
import re
from pathlib import Path

import pid1lint
from pid1lint import MemoryContext, fixed, lint

ROOT = Path(__file__).parents[1]
DOCKERFILE = 'FROM debian:12\nCOPY --chmod=755 run.sh /\nENTRYPOINT ["/run.sh"]\n'
FILES = {"run.sh": "#!/bin/sh\njava -jar app.jar\n"}


def examples(page: str) -> list[tuple[str, str | None]]:
    """The Python of a page, block by block, each with what it prints, where the page says so."""
    text = (ROOT / page).read_text()
    blocks = re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)
    pairs = zip(blocks, [*blocks[1:], ("", "")], strict=True)
    return [(code, out if kind == "text" else None) for (lang, code), (kind, out) in pairs if lang == "python"]


def test_the_examples_print_what_the_page_says() -> None:
    known: dict[str, object] = {}
    assert examples("docs/library.md")
    for code, expected in examples("docs/library.md"):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(code, known)  # our own documentation
        if expected is not None:
            assert out.getvalue() == expected


def test_every_public_name_is_there() -> None:
    assert [name for name in pid1lint.__all__ if not hasattr(pid1lint, name)] == []


def test_a_type_checker_reads_each_public_name_from_where_python_loads_it() -> None:
    body = ast.parse(Path(pid1lint.__file__).read_text()).body
    block = next(node for node in body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert {alias.asname: f"{node.module}" for node in imports for alias in node.names} == {
        name: f"pid1lint.{home}" for name, home in pid1lint._HOME.items()
    }


def test_a_fix_leaves_the_context_alone_and_nothing_to_find() -> None:
    context = MemoryContext(FILES)
    (change,) = fixed(DOCKERFILE, context).changes
    assert change.before.text == FILES["run.sh"]
    assert [d.code for d in lint(DOCKERFILE, context).diagnostics] == ["PID201"]
    assert lint(DOCKERFILE, MemoryContext({"run.sh": change.after.text})).diagnostics == ()


def test_a_dockerfile_is_mended_with_its_byte_order_mark() -> None:
    (change,) = fixed(
        "\ufeffFROM debian:12\nCMD exec=1 java -jar app.jar && true\nCMD nginx\n", MemoryContext({})
    ).changes
    assert change.after.encode().startswith(b"\xef\xbb\xbfFROM")


def test_only_what_is_selected_is_mended() -> None:
    assert fixed(DOCKERFILE, MemoryContext(FILES), ignore=["PID201"]).changes == ()


def test_unsafe_fixes_are_made_on_demand_only() -> None:
    files = {"run.sh": "#!/bin/sh\njava -jar app.jar\necho done\n"}
    assert fixed(DOCKERFILE, MemoryContext(files)).changes == ()
    (change,) = fixed(DOCKERFILE, MemoryContext(files), unsafe=True).changes
    assert "exec java" in change.after.text


def test_results_can_be_pickled() -> None:
    result = lint(DOCKERFILE, MemoryContext(FILES))
    assert pickle.loads(pickle.dumps(result)).diagnostics == result.diagnostics
