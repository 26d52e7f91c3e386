"""What the shape of a command tells, whatever runs it: tests, loops, what stands behind what, which names are read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pid1lint.frozen import NamedTuple
from pid1lint.numbers import is_number
from pid1lint.shell.ir import (
    AndOr,
    Arithmetic,
    ArithmeticCommand,
    Assignment,
    Case,
    CommandSub,
    Damaged,
    Declared,
    For,
    Function,
    Group,
    If,
    List,
    Literal,
    Loop,
    Node,
    Opaque,
    Param,
    Pipeline,
    ProcessSub,
    Script,
    Simple,
    Subshell,
    Test,
    TestExpression,
    Word,
)

DECLARING = frozenset(("export", "local", "declare", "read", "typeset", "readonly"))
"""Builtins whose words are names of variables."""


class Query(NamedTuple):
    """A loop's condition that asks whether a process is there; `name` is the program's, empty if it is not written."""

    name: str = ""


_ASK_FOR_PROCESSES = frozenset(("pgrep", "pidof", "ps", "kill", "jobs"))
_BOUNDED = re.compile(r"(?:\[\[?|test)\s(?:.*\s-(?:lt|le|gt|ge|ne|eq|z)\s|.*!)|.*\bread(?:\s|$)|.*\bgetopts\s|\(\(")


def watched(node: Loop) -> Query | None:
    """What a loop asks for that goes on as long as a process is there: `while pgrep app`, `until ! kill -0 $pid`."""
    asked = _asked(node)
    if asked is None:
        return None
    first = asked.commands[0] if isinstance(asked, Pipeline) and asked.commands else asked
    last = asked.commands[-1] if isinstance(asked, Pipeline) and asked.commands else asked
    if not isinstance(first, Simple) or not isinstance(last, Simple) or not first.words or not last.words:
        return None
    program, words = first.words[0].text.rpartition("/")[2], [word.text for word in first.words[1:]]
    if program not in _ASK_FOR_PROCESSES or (program == "kill" and "-0" not in words and words[:2] != ["-s", "0"]):
        return None
    if program == "ps" and last is first:
        return Query()
    name = last.words[-1].literal if program != "kill" and not last.words[-1].text.startswith("-") else None
    return Query(re.sub(r"[\[\]^$]|.*/", "", name or ""))


def may_last(node: Loop) -> bool:
    """Whether a loop may go on as long as the container: not one that counts, reads, or waits for something to come."""
    asked = _asked(node)
    if asked is None:
        return False
    if isinstance(asked, (Simple, Pipeline, AndOr)):
        words = words_below(asked)
        return bool(words) and not _BOUNDED.match(" ".join(word.text for word in words))
    return isinstance(asked, Test) and asked.expression.op in ("-e", "-f", "-d", "-s", "-n", "-r", "=", "==")


def _asked(node: Loop) -> Node | None:
    """What must hold for a loop to go on; None where it goes on as long as something does not."""
    asked = node.condition.items[-1].node if node.condition.items else None
    negated = node.until
    if isinstance(asked, Pipeline) and asked.negated:
        negated = not negated
    if isinstance(asked, Pipeline) and len(asked.commands) == 1:
        asked = asked.commands[0]
    return None if negated else asked


def passes_status_on(node: Node) -> bool:
    """Whether this is an `exit` with a status that another command had: `exit $?`, or `exit` alone."""
    if not isinstance(node, Simple) or not node.words:
        return False
    return len(node.words) == 1 or node.words[1].literal is None


def is_bare(node: Node) -> bool:
    """Whether this is a command without arguments: `exit` has the status of the command before it."""
    return isinstance(node, Simple) and len(node.words) == 1


def flat(node: Node) -> list[Node]:
    """The commands of nested lists and groups, one after the other."""
    found: list[Node] = []
    todo = [node]
    while todo:
        one = todo.pop()
        if isinstance(one, Group):
            one = one.body
        if isinstance(one, List):
            todo += [item.node for item in reversed(one.items)]
        else:
            found.append(one)
    return found


def walk(node: Node) -> Iterator[Node]:
    """A command and all that stands inside it, but not in its words; a chain of && may be long, so no recursion."""
    todo = [node]
    while todo:
        one = todo.pop()
        yield one
        todo += reversed(below(one))


def and_or_parts(node: AndOr) -> tuple[Node, tuple[AndOr, ...]]:
    """A chain of && and || as its first command and, from left to right, what is joined to it."""
    joined: list[AndOr] = []
    first: Node = node
    while isinstance(first, AndOr):
        joined.append(first)
        first = first.left
    return first, tuple(reversed(joined))


def below(node: Node) -> list[Node]:
    """The commands directly inside a command."""
    match node:
        case List():
            return [item.node for item in node.items]
        case AndOr():
            return [node.left, node.right]
        case Pipeline():
            return list(node.commands)
        case If():
            parts: list[Node] = [part for branch in node.branches for part in branch]
            return [*parts, *([node.otherwise] if node.otherwise else [])]
        case Case():
            return [arm.body for arm in node.arms]
        case Loop():
            return [node.condition, node.body]
        case For() | Subshell() | Group() | Function():
            return [node.body]
        case _:
            return []


def leaves_loop(node: Node) -> bool:
    """Whether a command is `break` or `continue`."""
    return isinstance(node, Simple) and bool(node.words) and node.words[0].text in ("break", "continue")


def after_exec(script: Script) -> list[tuple[Simple, Node]]:
    """Each exec that surely replaces its shell, with the first command behind it that so never runs."""
    return [] if "execfail" in script.text.text else _after_exec(script.body)


def _after_exec(body: Node) -> list[tuple[Simple, Node]]:
    found: list[tuple[Simple, Node]] = []
    for node in walk(body):
        if not isinstance(node, List):
            continue
        for index, item in enumerate(node.items):
            if isinstance(item.node, Simple) and not item.background and _replaces(item.node):
                dead = next((other.node for other in node.items[index + 1 :] if not _is_moot(other.node)), None)
                found += [] if dead is None else [(item.node, dead)]
                break
    return found


def _replaces(node: Simple) -> bool:
    """Whether a command is an `exec` of something: not of words that may all be empty, as `"$@"` may."""
    if not node.words or node.words[0].literal != "exec" or any(word.text[:1] == "-" for word in node.words[1:2]):
        return False
    return any(isinstance(part, Literal) and part.text for word in node.words[1:2] for part in word.parts)


def goes_on(script: Script, node: Node) -> bool:
    """Whether a script has more to do behind one of its commands than to say something and to end."""
    behind = (inner for other in _behind(script.body, node) for inner in flat(other))
    return any(not _is_moot(other) and not _is_talk(other) for other in behind)


def in_subshell(script: Script, node: Node) -> bool:
    """Whether a command stands in parentheses."""
    holder: Node | None = script.body
    while holder is not None and not isinstance(holder, Subshell):
        holder = next((child for child in below(holder) if _contains(child, node)), None)
    return holder is not None


def ends_otherwise(script: Script, node: Node) -> bool:
    """Whether a script ends with another status than that of one of its commands, by `exit 0` or `true` behind it."""
    for other in (inner for behind in _behind(script.body, node) for inner in flat(behind)):
        if isinstance(other, Simple) and _is_moot(other):
            keeps = other.words[0].text in ("exit", "return") and all(word.literal is None for word in other.words[1:])
            return not keeps
    return False


def _behind(around: Node, node: Node) -> list[Node]:
    """The commands behind a command, in what holds it; those of other branches are not among them."""
    found: list[Node] = []
    holder: Node | None = around
    while holder is not None:
        if isinstance(holder, List):
            index = next((index for index, item in enumerate(holder.items) if _contains(item.node, node)), None)
            found += [item.node for item in holder.items[index + 1 :]] if index is not None else []
        if isinstance(holder, AndOr) and _contains(holder.left, node):
            found.append(holder.right)
        holder = next((child for child in below(holder) if _contains(child, node)), None)
    return found


def _contains(around: Node, node: Node) -> bool:
    return around.span.start <= node.span.start and node.span.end <= around.span.end


def _is_talk(node: Node) -> bool:
    """What only says something or keeps a status."""
    return isinstance(node, Simple) and (not node.words or node.words[0].text in ("echo", "printf"))


def _is_moot(node: Node) -> bool:
    """What is missed by nobody: a function's definition, `exit`."""
    return isinstance(node, Function) or (
        isinstance(node, Simple) and bool(node.words) and node.words[0].text in ("exit", "return", ":", "true")
    )


def words_below(node: Node) -> list[Word]:
    """Every word of a command and of what stands inside it, targets of redirections included."""
    return [word for one in walk(node) for word in _own_words(one)]


def _own_words(node: Node) -> list[Word]:
    """Those of `words_below` that are a command's own."""
    if isinstance(node, Simple):
        words = [*node.words, *(r.target for r in node.redirects if r.target is not None)]
        return [*words, *(a.value for a in node.assignments if a.value is not None)]
    if isinstance(node, (If, Case, Loop, For, Subshell, Group)):
        return [r.target for r in node.redirects if r.target is not None]
    return []


def assigned_names(node: Node, *, appended: bool = True) -> set[str]:
    """The variables that a command assigns, those that it only appends to among them or not."""
    names: set[str] = set()
    for one in walk(node):
        if isinstance(one, Simple) and not one.words:
            names.update(a.name for a in one.assignments if appended or not a.append)
        elif isinstance(one, Simple) and one.words[0].literal in DECLARING:
            names.update(word.text.partition("=")[0] for word in one.words[1:] if not word.text.startswith("-"))
        if isinstance(one, For) and one.name:
            names.add(one.name)
    return names


def command_variables(node: Node) -> set[str]:
    """Variables that stand where a command's name, or what becomes one, is read."""
    names: set[str] = set()
    for one in walk(node):
        if not isinstance(one, Simple) or not one.words:
            continue
        words = one.words[:1]
        if words[0].literal in ("eval", "set", "trap", "sh", "bash"):
            words = one.words
        elif words[0].literal in ("exec", "command"):
            words = one.words[:2]
        for word in words:
            names.update(part.name for part in word.parts if isinstance(part, Param) and not is_number(part.name))
    return names


ALL_NAMES = "*"
"""Stands among the names that are read for: any of them."""
ALL_CALLS = "*()"
"""Stands among them for: any function may be called."""
NAMED = "${!}"
"""Stands among them for: any that a string may name (see `Spelling`)."""
SOURCED = "."
"""Stands among them for: any that a file reads which is read in."""
_DOLLAR = re.compile(r"\$\{?(\w+)")
_NAME = re.compile(r"[A-Za-z_]\w*")
_WORD = re.compile(r"\w+")
_PREFIXES = frozenset(("command", "builtin"))
_SOURCES = frozenset((".", "source"))


def called(name: str) -> str:
    """How a function's name stands among the names that are read."""
    return name + "()"


_kept: dict[int, tuple[Node, frozenset[str]]] = {}
_MOST_KEPT = 16384


def names_read(node: Node) -> frozenset[str]:
    """The variables that a command may read, and the functions that it may call (`f()`), wherever inside it.

    `ALL_NAMES` and `ALL_CALLS` are among them where that cannot be told. It errs towards more: a name that stands in a
    string counts, as a handler is one.
    """
    found = _kept.get(id(node))
    if found is None:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        # The command is held beside its names: as long as it is, no other has its identity.
        found = _kept[id(node)] = (node, _names_read(node))
    return found[1]


def _names_read(node: Node) -> frozenset[str]:
    names: set[str] = set()
    parts = below(node)
    if isinstance(node, AndOr):
        # A chain may be long, and each of its commands stands to the left of the next.
        first, joined = and_or_parts(node)
        parts = [first, *(part.right for part in joined)]
    for part in parts:
        names |= names_read(part)
    _read_by_itself(node, names)
    _read_in(_own_words(node), names)
    return frozenset(names)


def _read_by_itself(node: Node, names: set[str]) -> None:
    """Add what a command may read beside the words of `words_below`, without what stands inside it."""
    match node:
        case Simple():
            at = next((i for i, word in enumerate(node.words) if word.literal not in _PREFIXES), 0)
            name = node.words[at].literal if node.words else ""
            names.add(ALL_CALLS if name is None else called(name))
            if name in _SOURCES:
                names.update((SOURCED, ALL_CALLS))
            if name == "eval":
                names.update((NAMED, ALL_CALLS))
            if name == "trap":
                handlers = " ".join(word.text for word in node.words)
                names.update(map(called, _WORD.findall(handlers)))
            if node.words and node.words[0].literal in ("export", "[", "test"):
                names.update(word.text.partition("=")[0] for word in node.words[1:])
            for redirect in node.redirects:
                names.update(_DOLLAR.findall(redirect.heredoc or ""))
            for assignment in node.assignments:
                _read_by_assignment(assignment, names)
        case Case():
            _read_in((node.subject, *(pattern for arm in node.arms for pattern in arm.patterns)), names)
        case For():
            _read_in(node.words or (), names)
        case Test():
            _read_in_test(node.expression, names)
        case ArithmeticCommand():
            names.update(_NAME.findall(node.text))
        case Opaque():
            names.update((ALL_NAMES, ALL_CALLS))


class Spelling(NamedTuple):
    """What the names can be that a script makes of strings: words of its own, and such that begin or end like these."""

    words: frozenset[str] = frozenset()
    starts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()

    def may_be(self, name: str) -> bool:
        """Whether a string may be a variable's name."""
        return name in self.words or name.startswith(self.starts) or name.endswith(self.ends)

    def joined(self, other: Spelling) -> Spelling:
        """What either of two scripts may spell."""
        return Spelling(
            self.words | other.words,
            tuple({*self.starts, *other.starts}),
            tuple({*self.ends, *other.ends}),
        )


def spelling(body: Node) -> Spelling:
    """The words that a script's literal text holds, and those that stand beside a variable: `${x}_FILE`, `DB_$x`."""
    found: set[str] = set()
    starts: set[str] = set()
    ends: set[str] = set()
    for word in _all_words(body):
        parts = word.parts
        for at, part in enumerate(parts):
            if not isinstance(part, Literal):
                continue
            found.update(_WORD.findall(part.text))
            before = at > 0 and not isinstance(parts[at - 1], Literal)
            after = at + 1 < len(parts) and not isinstance(parts[at + 1], Literal)
            if before and (end := _WORD.match(part.text)):
                ends.add(end[0])
            if after and (start := re.search(r"\w+\Z", part.text)):
                starts.add(start[0])
    return Spelling(frozenset(found), tuple(starts), tuple(ends))


def _all_words(body: Node) -> Iterator[Word]:
    """Every word of a script, those of substitutions in words too."""
    waiting: list[Node] = [body]
    for node in waiting:
        words = words_below(node)
        for one in walk(node):
            match one:
                case Simple():
                    words += [word for given in one.assignments for word in given.array or ()]
                case For():
                    words += one.words or ()
                case Case():
                    words += [one.subject, *(pattern for arm in one.arms for pattern in arm.patterns)]
                case Test():
                    words += _test_words(one.expression)
        for word in words:
            yield word
            for part in word.parts:
                if isinstance(part, (CommandSub, ProcessSub)):
                    waiting.append(part.body)
                elif isinstance(part, Declared):
                    given = part.assignment
                    words += [*(given.array or ()), *([given.value] if given.value is not None else [])]


def _test_words(expression: TestExpression) -> list[Word]:
    return [*expression.words, *(word for operand in expression.operands for word in _test_words(operand))]


def word_names(word: Word) -> frozenset[str]:
    """The variables that a word may read."""
    names: set[str] = set()
    _read_in((word,), names)
    return frozenset(names)


def _read_in(words: Iterable[Word], names: set[str]) -> None:
    for word in words:
        for part in word.parts:
            match part:
                case Literal():
                    names.update(_DOLLAR.findall(part.text))
                case Param():
                    names.update((NAMED, part.name) if part.indirect else (part.name,))
                    if part.operand is not None:
                        _read_in((part.operand,), names)
                case CommandSub() | ProcessSub():
                    names.update(names_read(part.body))
                case Arithmetic():
                    names.update(_NAME.findall(part.text))
                case Damaged():
                    names.update((NAMED, *_NAME.findall(part.text)))
                case Declared():
                    _read_by_assignment(part.assignment, names)


def _read_by_assignment(assignment: Assignment, names: set[str]) -> None:
    _read_in((*(assignment.array or ()), *([assignment.value] if assignment.value else ())), names)
    if assignment.append:
        names.add(assignment.name)


def _read_in_test(expression: TestExpression, names: set[str]) -> None:
    _read_in(expression.words, names)
    if expression.op == "?":
        names.add(ALL_NAMES)
    if expression.op in ("-v", "-R"):
        names.add(NAMED)
    for operand in expression.operands:
        _read_in_test(operand, names)


def is_test(node: Node) -> bool:
    """Whether a command's status is computed from the words it tests."""
    match node:
        case Test() | ArithmeticCommand():
            return True
        case Simple():
            return bool(node.words) and node.words[0].text in ("[", "test")
        case Pipeline():
            return len(node.commands) == 1 and is_test(node.commands[0])
        case AndOr():
            first, joined = and_or_parts(node)
            return is_test(first) and all(is_test(part.right) for part in joined)
        case Group():
            return all(is_test(item.node) for item in node.body.items)
    return False


def is_plain(node: Node) -> bool:
    """Whether a command is there for what it does, not to ask for something: it is taken to succeed."""
    if isinstance(node, AndOr):
        first, joined = and_or_parts(node)
        return is_plain(first) and all(is_plain(part.right) for part in joined)
    if isinstance(node, Pipeline):
        last = node.commands[-1] if node.commands else None
        return last is not None and not node.negated and is_plain(last) and not _asks(last)
    return not is_test(node)


def _asks(node: Node) -> bool:
    """Whether a pipeline's last command is there for its answer."""
    name = node.words[0].text.rpartition("/")[2] if isinstance(node, Simple) and node.words else ""
    return name in ("grep", "egrep", "fgrep", "read", "awk", "cmp", "diff", "head", "jq", "wc")


def sees_enough(node: Node) -> bool:
    """Whether a pipeline's last command ends before its input does: `head`, `grep -q`, `grep -m 1`."""
    if not isinstance(node, Simple) or not node.words:
        return False
    options = [word.text for word in node.words[1:] if word.text.startswith("-")]
    quiet = any(option.startswith("--") and option in ("--quiet", "--max-count=1") for option in options) or any(
        letter in option for option in options if option[1:2] != "-" for letter in "qm"
    )
    return node.words[0].text == "head" or (node.words[0].text in ("grep", "egrep", "fgrep") and quiet)


def is_nothing(node: Node) -> bool:
    """A command after which the same would happen without it: `exit`, `exit $?`, `:`, `true`."""
    if isinstance(node, Function):
        return True
    return isinstance(node, Simple) and bool(node.words) and node.words[0].text in ("exit", ":", "true", "return", "fi")


def is_always(node: Loop) -> bool:
    """Whether a loop's condition is a constant: `while true`, `while :`, `until false`, `while [ 1 ]`."""
    if len(node.condition.items) != 1:
        return False
    command = node.condition.items[0].node
    if isinstance(command, ArithmeticCommand):
        return command.text.strip() == "1" and not node.until
    if isinstance(command, Simple):
        text = " ".join(word.text for word in command.words)
        if text.startswith("sleep "):
            return not node.until
        return text in (("false",) if node.until else ("true", ":", "[ 1 ]", "[ true ]", "/bin/true", "test 1"))
    if isinstance(command, Test):
        return command.expression.op == "-n" and command.expression.words[0].literal is not None and not node.until
    return False


def arithmetic_status(text: str) -> int | None:
    """The status of `((text))` where that is a number."""
    stripped = text.strip()
    return (0 if int(stripped) else 1) if is_number(stripped) else None


def literal_words(body: Node) -> dict[str, int]:
    """How often each word stands literally among the commands of a script."""
    counts: dict[str, int] = {}
    for word in words_below(body):
        if word.literal is not None:
            counts[word.literal] = counts.get(word.literal, 0) + 1
    return counts
