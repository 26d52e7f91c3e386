"""The shell's own small syntax tree: frozen, the same for every shell and parser.

Every span counts characters of the text that was parsed (`Script.text`); `Script.place` gives the place in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TypeAlias

from pid1lint.frozen import Frozen
from pid1lint.source import Excerpt, Place, Span

# ------------------------------------------------------------------ words


class Literal(Frozen):
    """Text that stands for itself; quotes and backslashes are already undone."""

    text: str
    quoted: bool = False


class Param(Frozen):
    """`$name` or `${name op operand}`; `op` is as written (`:-`, `#`, `/`...), `length` for `${#name}`."""

    name: str
    op: str = ""
    operand: Word | None = None
    quoted: bool = False
    length: bool = False
    indirect: bool = False
    subscript: str | None = None


class CommandSub(Frozen):
    """`$(...)` or backquotes."""

    body: List
    quoted: bool = False


class ProcessSub(Frozen):
    """`<(...)` or `>(...)`; `op` is `<` or `>`."""

    op: str
    body: List


class Arithmetic(Frozen):
    """`$((...))`; the text is not interpreted."""

    text: str


class Damaged(Frozen):
    """A part of a word that the parser could not read."""

    text: str


class Declared(Frozen):
    """`name=value` behind `local`, `export` and the like: the whole of a word."""

    assignment: Assignment


Part: TypeAlias = Literal | Param | CommandSub | ProcessSub | Arithmetic | Damaged | Declared


class Word(Frozen):
    """One word as written (`text`), in its parts."""

    parts: tuple[Part, ...]
    text: str
    span: Span

    @property
    def static(self) -> str | None:
        """Its value if nothing in it is expanded (globs and a leading `~` count as expansions), else None."""
        if not all(isinstance(part, Literal) for part in self.parts):
            return None
        value = "".join(part.text for part in self.parts if isinstance(part, Literal))
        bare = "".join(part.text for part in self.parts if isinstance(part, Literal) and not part.quoted)
        if any(char in bare for char in "*?[") or (bare.startswith("~") and value.startswith("~")):
            return None
        return value

    @cached_property
    def literal(self) -> str | None:
        """Its value if it holds no `$` expansion; a glob or a tilde counts as its own text."""
        if len(self.parts) == 1:
            only = self.parts[0]
            return only.text if isinstance(only, Literal) else None
        if not all(isinstance(part, Literal) for part in self.parts):
            return None
        return "".join(part.text for part in self.parts if isinstance(part, Literal))


# --------------------------------------------------------------- commands


class Assignment(Frozen):
    """`name=value`, `name+=value`, `name[i]=value` (`subscript` is the `i`), `name=(...)` (`array` holds the words)."""

    name: str
    value: Word | None
    span: Span
    append: bool = False
    subscript: str | None = None
    array: tuple[Word, ...] | None = None


class Redirect(Frozen):
    """`n> target`; `op` as written without the descriptor, `heredoc` the body of `<<`, unexpanded."""

    op: str
    target: Word | None
    span: Span
    descriptor: int | None = None
    heredoc: str | None = None


class Simple(Frozen):
    """Assignments, words and redirections: one simple command."""

    words: tuple[Word, ...]
    span: Span
    assignments: tuple[Assignment, ...] = ()
    redirects: tuple[Redirect, ...] = ()


class Pipeline(Frozen):
    """Two or more commands joined by `|`, or one with `!` or `time` in front."""

    commands: tuple[Node, ...]
    span: Span
    negated: bool = False
    timed: bool = False


class AndOr(Frozen):
    """`left && right` or `left || right`; left-associative, as in the shell."""

    left: Node
    op: str
    right: Node
    span: Span

    @property
    def links(self) -> tuple[Node, ...]:
        """The commands of the whole chain in their order, however long it is: none of them is an `AndOr`."""
        found = []
        node: Node = self
        while isinstance(node, AndOr):
            found.append(node.right)
            node = node.left
        return (node, *reversed(found))

    def has(self, op: str) -> bool:
        """Whether the chain has this operator."""
        node: Node = self
        while isinstance(node, AndOr):
            if node.op == op:
                return True
            node = node.left
        return False


class Item(Frozen):
    """One statement of a list; `terminator` is `;`, `&`, a newline, or nothing at the very end."""

    node: Node
    terminator: str

    @property
    def background(self) -> bool:
        """Whether it ends in `&`."""
        return self.terminator == "&"


class List(Frozen):
    """Statements one after the other."""

    items: tuple[Item, ...]
    span: Span


class If(Frozen):
    """`if`/`elif`/`else`: pairs of condition and body, then the body of `else`."""

    branches: tuple[tuple[List, List], ...]
    otherwise: List | None
    span: Span
    redirects: tuple[Redirect, ...] = ()


class CaseArm(Frozen):
    """`pattern | pattern) body ;;`; `end` is `;;`, `;&` or `;;&`."""

    patterns: tuple[Word, ...]
    body: List
    end: str
    span: Span


class Case(Frozen):
    """`case word in ... esac`."""

    subject: Word
    arms: tuple[CaseArm, ...]
    span: Span
    redirects: tuple[Redirect, ...] = ()


class Loop(Frozen):
    """`while` and `until`."""

    until: bool
    condition: List
    body: List
    span: Span
    redirects: tuple[Redirect, ...] = ()


class For(Frozen):
    """`for name in words`; `words` is None for `for name` (the arguments) and for `for ((...))` (`name` empty)."""

    name: str
    words: tuple[Word, ...] | None
    body: List
    span: Span
    redirects: tuple[Redirect, ...] = ()
    select: bool = False


class Function(Frozen):
    """A function's definition."""

    name: str
    body: Node
    span: Span


class Subshell(Frozen):
    """`( ... )`."""

    body: List
    span: Span
    redirects: tuple[Redirect, ...] = ()


class Group(Frozen):
    """`{ ...; }`."""

    body: List
    span: Span
    redirects: tuple[Redirect, ...] = ()


class Test(Frozen):
    """`[[ ... ]]` with its expression."""

    expression: TestExpression
    span: Span


class ArithmeticCommand(Frozen):
    """`(( ... ))`; the text is not interpreted."""

    text: str
    span: Span


class Opaque(Frozen):
    """What could not be read, and why; a rule stays silent about it."""

    reason: str
    span: Span


class TestExpression(Frozen):
    """A node of a `[[ ]]` expression: `op` is `==`, `-f`, `&&`, `!` and so on, or `?` where it could not be read."""

    op: str
    words: tuple[Word, ...] = ()
    operands: tuple[TestExpression, ...] = ()


Node: TypeAlias = (
    Simple
    | Pipeline
    | AndOr
    | List
    | If
    | Case
    | Loop
    | For
    | Function
    | Subshell
    | Group
    | Test
    | ArithmeticCommand
    | Opaque
)


class Damage(Frozen):
    """A place that does not parse, and what is wrong in a few words."""

    message: str
    span: Span


class Script(Frozen):
    """A parsed shell text: a script file, a shell-form CMD, the string of `sh -c`."""

    text: Excerpt
    body: List
    damage: tuple[Damage, ...] = ()
    comments: tuple[Span, ...] = ()

    @cached_property
    def statements(self) -> tuple[Item, ...]:
        """Every statement of the text, outer ones first."""
        return tuple(items(self.body))

    def place(self, span: Span) -> Place:
        """Where a span of this script stands in its file."""
        return self.text.place(span.start, span.end)


def items(node: object) -> Iterator[Item]:
    """Every statement of a piece of shell text, outer ones first."""
    return (below for below in nodes(node) if isinstance(below, Item))


def nodes(node: object) -> Iterator[object]:
    """Every part of a piece of shell text, outer ones first."""
    todo = [node]
    while todo:
        one = todo.pop()
        yield one
        if isinstance(one, Frozen):
            below: Iterable[object] = (
                one.items if isinstance(one, List) else [getattr(one, name) for name in one._fields]
            )
        elif isinstance(one, tuple) and not isinstance(one, Span):
            below = one
        else:
            continue
        todo += reversed([part for part in below if isinstance(part, (Frozen, tuple))])
