"""The shell's own small syntax tree: frozen, the same for every shell and parser.

Every span counts characters of the text that was parsed (`Script.text`); `Script.place` gives the place in the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pid1lint.source import Excerpt, Place, Span

# ------------------------------------------------------------------ words


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that stands for itself; quotes and backslashes are already undone."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Param:
    """`$name` or `${name op operand}`; `op` is as written (`:-`, `#`, `/`...), `length` for `${#name}`."""

    name: str
    op: str = ""
    operand: Word | None = None
    quoted: bool = False
    length: bool = False
    indirect: bool = False
    index: str | None = None


@dataclass(frozen=True, slots=True)
class CommandSub:
    """`$(...)` or backquotes."""

    body: List
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class ProcessSub:
    """`<(...)` or `>(...)`; `op` is `<` or `>`."""

    op: str
    body: List


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`$((...))`; the text is not interpreted."""

    text: str


@dataclass(frozen=True, slots=True)
class Damaged:
    """A part of a word that the parser could not read."""

    text: str


Part: TypeAlias = Literal | Param | CommandSub | ProcessSub | Arithmetic | Damaged


@dataclass(frozen=True, slots=True)
class Word:
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

    @property
    def literal(self) -> str | None:
        """Its value if it holds no `$` expansion; a glob or a tilde counts as its own text."""
        if not all(isinstance(part, Literal) for part in self.parts):
            return None
        return "".join(part.text for part in self.parts if isinstance(part, Literal))


# --------------------------------------------------------------- commands


@dataclass(frozen=True, slots=True)
class Assignment:
    """`name=value`, `name+=value`, `name[i]=value`, `name=(...)` (then `array` holds the words)."""

    name: str
    value: Word | None
    span: Span
    append: bool = False
    index: str | None = None
    array: tuple[Word, ...] | None = None


@dataclass(frozen=True, slots=True)
class Redirect:
    """`n> target`; `op` as written without the descriptor, `heredoc` the body of `<<`, unexpanded."""

    op: str
    target: Word | None
    span: Span
    descriptor: int | None = None
    heredoc: str | None = None


@dataclass(frozen=True, slots=True)
class Simple:
    """Assignments, words and redirections: one simple command."""

    words: tuple[Word, ...]
    span: Span
    assignments: tuple[Assignment, ...] = ()
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Two or more commands joined by `|`, or one with `!` or `time` in front."""

    commands: tuple[Node, ...]
    span: Span
    negated: bool = False
    timed: bool = False


@dataclass(frozen=True, slots=True)
class AndOr:
    """`left && right` or `left || right`; left-associative, as in the shell."""

    left: Node
    op: str
    right: Node
    span: Span


@dataclass(frozen=True, slots=True)
class Item:
    """One statement of a list; `terminator` is `;`, `&`, a newline, or nothing at the very end."""

    node: Node
    terminator: str

    @property
    def background(self) -> bool:
        """Whether it ends in `&`."""
        return self.terminator == "&"


@dataclass(frozen=True, slots=True)
class List:
    """Statements one after the other."""

    items: tuple[Item, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class If:
    """`if`/`elif`/`else`: pairs of condition and body, then the body of `else`."""

    branches: tuple[tuple[List, List], ...]
    otherwise: List | None
    span: Span
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseArm:
    """`pattern | pattern) body ;;`; `end` is `;;`, `;&` or `;;&`."""

    patterns: tuple[Word, ...]
    body: List
    end: str
    span: Span


@dataclass(frozen=True, slots=True)
class Case:
    """`case word in ... esac`."""

    subject: Word
    arms: tuple[CaseArm, ...]
    span: Span
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """`while` and `until`."""

    until: bool
    condition: List
    body: List
    span: Span
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class For:
    """`for name in words`; `words` is None for `for name` (the arguments) and for `for ((...))` (`name` empty)."""

    name: str
    words: tuple[Word, ...] | None
    body: List
    span: Span
    redirects: tuple[Redirect, ...] = ()
    select: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function's definition."""

    name: str
    body: Node
    span: Span


@dataclass(frozen=True, slots=True)
class Subshell:
    """`( ... )`."""

    body: List
    span: Span
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """`{ ...; }`."""

    body: List
    span: Span
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Test:
    """`[[ ... ]]`: an expression tree of tuples, `("==", left, right)`, `("-f", word)`, `("&&", a, b)`, `("!", a)`,
    or `("?",)` where it could not be read.
    """

    expression: TestExpression
    span: Span


@dataclass(frozen=True, slots=True)
class ArithmeticCommand:
    """`(( ... ))`; the text is not interpreted."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Opaque:
    """What could not be read, and why; a rule stays silent about it."""

    reason: str
    span: Span


@dataclass(frozen=True, slots=True)
class TestExpression:
    """A node of a `[[ ]]` expression."""

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


@dataclass(frozen=True, slots=True)
class Damage:
    """A place that does not parse, and what is wrong in a few words."""

    message: str
    span: Span


@dataclass(frozen=True)
class Script:
    """A parsed shell text: a script file, a shell-form CMD, the string of `sh -c`."""

    text: Excerpt
    body: List
    damage: tuple[Damage, ...] = ()

    def place(self, span: Span) -> Place:
        """Where a span of this script stands in its file."""
        return self.text.place(span.start, span.end)
