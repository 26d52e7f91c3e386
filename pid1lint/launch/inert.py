"""Which commands matter to processes: so that a branch between two that do not need not be two paths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pid1lint.launch.values import UNKNOWN
from pid1lint.shell.ir import (
    AndOr,
    ArithmeticCommand,
    Case,
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
    Script,
    Simple,
    Subshell,
    Test,
    Word,
)

if TYPE_CHECKING:
    from pid1lint.launch.shell import Shell

_MATTERS = frozenset(
    "exit return break continue eval trap shift wait kill fg bg disown suspend coproc pkill killall builtin "
    "start-stop-daemon service systemctl supervisorctl".split()
)
_PLAIN = frozenset(
    "echo printf cd export readonly local declare typeset unset read true false : test [ umask ulimit type hash alias "
    "unalias let getopts pwd times shopt enable mapfile readarray pushd popd dirs command which set jobs history "
    "caller".split()
)
_DECLARE = frozenset(("export", "local", "declare", "read", "typeset", "readonly"))


class Inert:
    """Answers about commands of one shell's script."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self._calling: set[str] = set()
        # Variables that run over files of which the image says nothing: what users may add to be run.
        self.hooks: set[str] = set()

    def all(self, nodes: tuple[Node, ...], last: bool) -> bool:
        """Whether none of the commands starts, ends, replaces or signals a process that matters."""
        return all(self._inert(node, last) for node in nodes)

    def _inert(self, node: Node, last: bool) -> bool:
        match node:
            case List():
                return all(not item.background and self._inert(item.node, last) for item in node.items)
            case AndOr():
                return self._inert(node.left, last) and self._inert(node.right, last)
            case Pipeline():
                return all(self._inert(command, last) for command in node.commands)
            case If():
                bodies = [part for branch in node.branches for part in branch]
                return self.all((*bodies, *([node.otherwise] if node.otherwise else [])), last)
            case Case():
                return self.all(tuple(arm.body for arm in node.arms), last)
            case Loop():
                if last and may_last(node):
                    return False
                return self.all((node.condition, node.body), last) or self._waits(node, last)
            case For():
                return self._inert(node.body, last)
            case Subshell() | Group():
                return self._inert(node.body, last)
            case Simple():
                return self._simple(node, last)
            case Test() | ArithmeticCommand():
                return True
            case Function() | Opaque():
                return False

    def _waits(self, node: Loop, last: bool) -> bool:
        """A loop that polls until something is ready: its `break` leaves nothing but itself."""
        return not last and self._inert(node.condition, last) and self._without_leaving(node.body)

    def _without_leaving(self, body: List) -> bool:
        for item in body.items:
            node = item.node
            if isinstance(node, Simple) and node.words and node.words[0].text in ("break", "continue"):
                continue
            if isinstance(node, If):
                parts = [branch[1] for branch in node.branches] + ([node.otherwise] if node.otherwise else [])
                if all(self._without_leaving(part) for part in parts):
                    continue
                return False
            if isinstance(node, AndOr) and _leaves_loop(node.right) and self._inert(node.left, False):
                continue
            if item.background or not self._inert(node, False):
                return False
        return True

    def _simple(self, node: Simple, last: bool) -> bool:
        relevant = self._names(self.shell.script)
        if any(assignment.name in relevant for assignment in node.assignments):
            return False
        if not node.words:
            return True
        name = node.words[0].literal
        if name is None:
            # `"$@"`, `$cmd`: whatever it is, it is the program that the script was written for.
            return not last and self._is_hook(node.words[0])
        if name == "exec":
            return len(node.words) == 1
        if name in (".", "source"):
            return not last and self._sourced_is_inert(node)
        if name in _MATTERS:
            return False
        if name == "set":
            return not any(
                word.text == "--" or not word.text.startswith(("-", "+")) for word in node.words[1:]
            ) and not any(word.text == "-m" for word in node.words)
        if name in self.shell.functions:
            return self._function(name, last)
        if name in ("export", "local", "declare", "typeset", "readonly", "read", "mapfile", "readarray"):
            return not any(word.text.partition("=")[0] in relevant for word in node.words[1:])
        if name in _PLAIN:
            return True
        words = [word.literal if word.literal is not None else UNKNOWN for word in node.words]
        fact = self.shell.machine.program(words, self.shell.env)
        if fact is None or fact.lifetime == "long":
            return not last
        return fact.lifetime == "short"

    def _is_hook(self, word: Word) -> bool:
        return len(word.parts) == 1 and isinstance(word.parts[0], Param) and word.parts[0].name in self.hooks

    def _sourced_is_inert(self, node: Simple) -> bool:
        path = node.words[1].literal if len(node.words) > 1 else None
        if path is None:
            return True
        file = self.shell.machine.find(path if "/" in path else "./" + path, self.shell.env)
        return file is None or file.text is None

    def _function(self, name: str, last: bool) -> bool:
        if name in self._calling:
            return True
        self._calling.add(name)
        try:
            return self._inert(self.shell.functions[name].node.body, last)
        finally:
            self._calling.discard(name)

    # ------------------------------------------------------------------ aborting

    def aborts(self, nodes: tuple[Node, ...]) -> bool:
        """Whether the commands do nothing but end the script: an error or a usage text, then `exit`."""
        if not nodes:
            return False
        items: list[Node] = []
        for node in nodes:
            items.extend(_flat(node))
        if not items or not self._ends(items[-1]):
            return False
        # `app; exit $?` is there for the app, not for an error.
        counts = _passes_status_on(items[-1])
        return all(self._inert(node, counts) for node in items[:-1])

    def _ends(self, node: Node) -> bool:
        if not isinstance(node, Simple) or not node.words:
            return False
        name = node.words[0].literal
        if name == "exit":
            return True
        if name in self.shell.functions and name not in self._calling:
            self._calling.add(name)
            try:
                return self.aborts((self.shell.functions[name].node.body,))
            finally:
                self._calling.discard(name)
        return False

    def leaves(self, body: Node, depth: int = 0) -> bool:
        """Whether something in a loop's body may leave the loop."""
        match body:
            case List():
                return any(self.leaves(item.node, depth) for item in body.items if not item.background)
            case AndOr():
                return self.leaves(body.left, depth) or self.leaves(body.right, depth)
            case If():
                parts = [part for branch in body.branches for part in branch]
                return any(self.leaves(part, depth) for part in [*parts, *([body.otherwise] if body.otherwise else [])])
            case Case():
                return any(self.leaves(arm.body, depth) for arm in body.arms)
            case Loop() | For():
                return self.leaves(body.body, depth + 1)
            case Group():
                return self.leaves(body.body, depth)
            case Simple():
                name = body.words[0].literal if body.words else None
                if name == "break":
                    return depth == 0 or len(body.words) > 1
                if name in self.shell.functions and name not in self._calling:
                    self._calling.add(name)
                    try:
                        return self.leaves(self.shell.functions[name].node.body, depth + 1)
                    finally:
                        self._calling.discard(name)
                return name in ("exit", "return") or (name == "exec" and len(body.words) > 1)
            case _:
                return False

    # ------------------------------------------------------------------ variables

    def forget(self, nodes: tuple[Node, ...]) -> None:
        """What the commands assign is unknown from here on."""
        for node in nodes:
            replaced = _assigned(node, appended=False)
            for name in _assigned(node):
                # `name+=value` leaves what was there before.
                before = "" if name in replaced else self.shell.lookup(name).text or ""
                self.shell.assign(name, before + UNKNOWN)

    def assigned(self, script: Script) -> frozenset[str]:
        """The variables that a script itself assigns somewhere."""
        told = self.shell.machine.shared.assigned_names
        found = told.get(id(script))
        if found is None:
            found = told[id(script)] = (script, frozenset(_assigned(script.body)))
        return found[1]

    def _names(self, script: Script) -> frozenset[str]:
        told = self.shell.machine.shared.command_names
        found = told.get(id(script))
        if found is None:
            names: set[str] = set()
            _command_variables(script.body, names)
            found = told[id(script)] = (script, frozenset(names))
        return found[1]


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


def _passes_status_on(node: Node) -> bool:
    """Whether this is an `exit` with a status that another command had."""
    return isinstance(node, Simple) and len(node.words) > 1 and node.words[1].literal is None


def _flat(node: Node) -> list[Node]:
    if isinstance(node, (List, Group)):
        items = node.items if isinstance(node, List) else node.body.items
        return [inner for item in items for inner in _flat(item.node)]
    return [node]


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


def _leaves_loop(node: Node) -> bool:
    return isinstance(node, Simple) and bool(node.words) and node.words[0].text in ("break", "continue")


def after_exec(script: Script) -> list[tuple[Simple, Node]]:
    """Each exec that surely replaces its shell, with the first command behind it that so never runs."""
    return [] if "execfail" in script.text.text else _after_exec(script.body)


def _after_exec(node: Node) -> list[tuple[Simple, Node]]:
    found: list[tuple[Simple, Node]] = []
    if isinstance(node, List):
        for index, item in enumerate(node.items):
            if isinstance(item.node, Simple) and not item.background and _replaces(item.node):
                dead = next((other.node for other in node.items[index + 1 :] if not _is_moot(other.node)), None)
                found += [] if dead is None else [(item.node, dead)]
                break
    for child in below(node):
        found += _after_exec(child)
    return found


def _replaces(node: Simple) -> bool:
    """Whether a command is an `exec` of something: not of words that may all be empty, as `"$@"` may."""
    if not node.words or node.words[0].literal != "exec" or any(word.text[:1] == "-" for word in node.words[1:2]):
        return False
    return any(isinstance(part, Literal) and part.text for word in node.words[1:2] for part in word.parts)


def goes_on(script: Script, node: Node) -> bool:
    """Whether a script has more to do behind one of its commands than to say something and to end."""
    behind = (inner for other in _behind(script.body, node) for inner in _flat(other))
    return any(not _is_moot(other) and not _is_talk(other) for other in behind)


def ends_otherwise(script: Script, node: Node) -> bool:
    """Whether a script ends with another status than that of one of its commands, by `exit 0` or `true` behind it."""
    for other in (inner for behind in _behind(script.body, node) for inner in _flat(behind)):
        if isinstance(other, Simple) and _is_moot(other):
            keeps = other.words[0].text in ("exit", "return") and all(word.literal is None for word in other.words[1:])
            return not keeps
    return False


def _behind(around: Node, node: Node) -> list[Node]:
    """The commands behind a command, in what holds it; those of other branches are not among them."""
    found: list[Node] = []
    if isinstance(around, List):
        index = next((index for index, item in enumerate(around.items) if _contains(item.node, node)), None)
        found = [item.node for item in around.items[index + 1 :]] if index is not None else []
    if isinstance(around, AndOr) and _contains(around.left, node):
        found = [around.right]
    for child in below(around):
        if _contains(child, node):
            found += _behind(child, node)
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
    words: list[Word] = []
    if isinstance(node, Simple):
        words = [*node.words, *(r.target for r in node.redirects if r.target is not None)]
        words += [a.value for a in node.assignments if a.value is not None]
    elif isinstance(node, (If, Case, Loop, For, Subshell, Group)):
        words = [r.target for r in node.redirects if r.target is not None]
    for child in below(node):
        words += words_below(child)
    return words


def _assigned(node: Node, *, appended: bool = True) -> set[str]:
    """The variables that a command assigns, those that it only appends to among them or not."""
    names: set[str] = set()
    if isinstance(node, Simple) and not node.words:
        names = {assignment.name for assignment in node.assignments if appended or not assignment.append}
    elif isinstance(node, Simple) and node.words[0].literal in _DECLARE:
        names = {word.text.partition("=")[0] for word in node.words[1:] if not word.text.startswith("-")}
    if isinstance(node, For) and node.name:
        names.add(node.name)
    for child in below(node):
        names |= _assigned(child, appended=appended)
    return names


def _command_variables(node: Node, names: set[str]) -> None:
    """Variables that stand where a command's name, or what becomes one, is read."""
    if isinstance(node, Simple) and node.words:
        first = node.words[0]
        words = [first]
        if first.literal in ("eval", "set", "trap", "sh", "bash"):
            words = list(node.words)
        elif first.literal in ("exec", "command"):
            words = list(node.words[:2])
        for word in words:
            names.update(part.name for part in word.parts if isinstance(part, Param) and not part.name.isdigit())
    for child in below(node):
        _command_variables(child, names)
