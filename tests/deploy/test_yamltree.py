"""YAML is read with the exact place of every character, and nothing in it is run or explodes."""

from __future__ import annotations

import time

import pytest

from pid1lint.deploy.yamltree import Documents, Items, Node, Scalar, Table, load
from pid1lint.source import Source


def read(text: str) -> Documents:
    return load(Source("x.yaml", text))


def value(text: str, key: str = "a") -> Scalar:
    (table,) = read(text).tables
    found = table.get(key)
    assert isinstance(found, Scalar)
    return found


def scalars(node: Node) -> list[Scalar]:
    match node:
        case Scalar():
            return [node]
        case Items(items=items):
            return [found for item in items for found in scalars(item)]
        case Table(entries=entries):
            return [found for key, each in entries for part in (key, each) for found in scalars(part)]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        pytest.param("a: sh -c x\n", "sh -c x", id="plain"),
        pytest.param("a: sh\n  -c\n\n  x\n", "sh -c\nx", id="plain on several lines"),
        pytest.param("a: 'it''s'\n", "it's", id="single quotes"),
        pytest.param("a: 'one\n  two'\n", "one two", id="single quotes on several lines"),
        pytest.param('a: "x\\ty\\u00e9"\n', "x\ty\u00e9", id="double quotes"),
        pytest.param('a: "one \\\n   two\n   three"\n', "one two three", id="double quotes with an escaped line end"),
        pytest.param("a: |\n  one\n    two\n\n  three\n", "one\n  two\n\nthree\n", id="literal"),
        pytest.param("a: |-\n  one\n  two\n\n", "one\ntwo", id="literal, stripped"),
        pytest.param("a: |+\n  one\n\nb: 1\n", "one\n\n", id="literal, kept"),
        pytest.param("a: |2\n   one\n", " one\n", id="literal with an indentation of its own"),
        pytest.param("a: >-\n  one\n  two\n\n  three\n   more\n  end\n", "one two\nthree\n more\nend", id="folded"),
        pytest.param("a: > # why\n  one\n  two\n", "one two\n", id="folded with a comment"),
        pytest.param("a: \U0001f600 é x\n", "\U0001f600 é x", id="beyond the basic plane"),
    ],
)
def test_each_character_of_a_value_has_its_place(text: str, meant: str) -> None:
    scalar = value(text)
    excerpt = scalar.excerpt()
    assert scalar.text == excerpt.text == meant
    assert excerpt.quoting != "nested"
    for index, char in enumerate(meant):
        written = text[excerpt.offset(index)]
        assert written == char or char in " \n" or written == "\\"


def test_bytes_that_are_no_utf8_keep_their_places() -> None:
    source = Source.decode("x.yaml", b"b: \xff\na: word\n")
    (table,) = load(source).tables
    found = table.get("a")
    assert isinstance(found, Scalar)
    assert found.place.text == "word"


def test_a_merged_value_stands_where_it_is_written() -> None:
    text = "base: &b {x: 1, y: 2}\nm:\n  <<: *b\n  y: 3\n"
    table = read(text).tables[0].get("m")
    assert isinstance(table, Table)
    assert {key: found.place.text for key, (_, found) in table.all.items()} == {"x": "1", "y": "3"}
    assert table.all["x"][1].place.start == (1, 14)


def test_the_first_of_several_merged_mappings_wins() -> None:
    text = "a: &a {x: 1}\nb: &b {x: 2, y: 2}\nm: {<<: [*a, *b]}\n"
    table = read(text).tables[0].get("m")
    assert isinstance(table, Table)
    assert {key: found.place.text for key, (_, found) in table.all.items()} == {"x": "1", "y": "2"}


def test_what_aliases_repeat_is_known_to_be_shared() -> None:
    documents = read("a: &x [1, 2]\nb: *x\nc: [3]\n")
    spans = [node.span for _, node in documents.tables[0].entries]
    assert [documents.is_shared(span) for span in spans] == [True, True, False]


def test_documents_that_are_not_wanted_leave_the_others_where_they_stand() -> None:
    text = "kind: A\na: [é\n---\nkind: B\na: word\n---\nkind: C\n"
    documents = load(Source("x.yaml", text), lambda document: "kind: B" in document)
    found = [each for root in documents.roots for each in scalars(root) if each.text]
    assert not documents.problems
    assert [scalar.place.text for scalar in found] == ["kind", "B", "a", "word"]


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        pytest.param("a: [1,2", "not valid YAML: did not find expected ',' or ']'", 1, id="it ends too early"),
        pytest.param("a: 1\n\tb: 2", "not valid YAML: found a tab character that violates indentation", 2, id="a tab"),
        pytest.param("a: &x [*x]", "the alias *x is inside what it repeats", 1, id="an alias of itself"),
        pytest.param("a: *x", "the alias *x has no anchor", 1, id="an alias of nothing"),
        pytest.param("a: 1\nb: 2\na: 3", "the key `a` is repeated here", 3, id="a key twice"),
        pytest.param("a: " + "[" * 300, "it is nested more than 200 levels deep", 1, id="deep nesting"),
        pytest.param("a: \x01", "not valid YAML: control characters are not allowed", 1, id="control characters"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, message: str, line: int) -> None:
    (problem,) = read(text).problems
    assert (problem.message, problem.at.start.line) == (message, line)


def test_a_tag_is_not_heeded() -> None:
    (table,) = read('a: !!python/object/apply:os.system ["exit 1"]\n').tables
    assert isinstance(table.get("a"), Items)


def test_aliases_of_aliases_are_read_in_no_time() -> None:
    text = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))
    began = time.perf_counter()
    # Docker's reader refuses it too: "document contains excessive aliasing".
    assert [problem.message for problem in read(text).problems] == ["its aliases repeat more than 500000 characters"]
    assert time.perf_counter() - began < 2


def test_a_long_chain_of_merges_is_cut_off() -> None:
    text = "a0: &a0 {k0: 1}\n" + "".join(f"a{n}: &a{n} {{<<: *a{n - 1}, k{n}: 1}}\n" for n in range(1, 3000))
    assert [problem.message for problem in read(text).problems] == ["its aliases repeat more than 500000 characters"]
