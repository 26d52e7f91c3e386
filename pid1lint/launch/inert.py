"""Which commands matter to processes: so that a branch between two that do not need not be two paths."""

from __future__ import annotations

from pid1lint.facts.launchers import launcher, split
from pid1lint.launch.lookup import Lookup
from pid1lint.launch.shapes import (
    and_or_parts,
    assigned_names,
    below,
    flat,
    is_bare,
    leaves_loop,
    may_last,
    passes_status_on,
    walk,
)
from pid1lint.launch.state import Shell
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
    Loop,
    Node,
    Opaque,
    Param,
    Pipeline,
    Simple,
    Subshell,
    Test,
    Word,
)


def _launched(words: list[str]) -> list[str]:
    """The command behind launchers: `app` of `env A=b nice app`."""
    while known := launcher(words[0]):
        command = split(known, words).words
        if not command or command[0] == 0:
            break
        words = [words[at] for at in command]
    return words


_MATTERS = frozenset(
    "exit return break continue eval trap shift wait kill fg bg disown suspend coproc pkill killall builtin "
    "start-stop-daemon service systemctl supervisorctl".split()
)
_PLAIN = frozenset(
    "echo printf cd export readonly local declare typeset unset read true false : test [ umask ulimit type hash alias "
    "unalias let getopts pwd times shopt enable mapfile readarray pushd popd dirs command which set jobs history "
    "caller".split()
)


class Inert:
    """Answers about the commands of one image's shells, each given once for the same shell's functions."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.shell: Shell
        # What is found of the functions that the question at hand leads through; those being looked into count as
        # what changes nothing.
        self._through: dict[tuple[str, str, bool], bool] = {}
        self._told: dict[tuple[object, ...], bool] = {}
        # A command stands beside what is told of it: as long as it is held, no other has its identity.
        self._own: dict[int, tuple[Node, frozenset[str]]] = {}
        self._names: dict[tuple[int, object], tuple[frozenset[str], tuple[str, ...]]] = {}

    def all(self, nodes: tuple[Node, ...], last: bool) -> bool:
        """Whether none of the commands starts, ends, replaces or signals a process that matters."""
        return all(self._asked("inert", node, last) for node in nodes)

    def _asked(self, question: str, node: Node, last: bool = False) -> bool:
        """The answer to a question that stays the same as long as the shell's functions and files do."""
        shell = self.shell
        key = (
            question,
            id(node),
            last,
            shell.functions_version,
            id(shell.script),
            shell.hooks,
            shell.env.workdir,
            shell.errexit,
        )
        found = self._told.get(key)
        if found is None:
            self._through.clear()
            found = self._told[key] = self._answer(question, node, last)
        return found

    def _answer(self, question: str, node: Node, last: bool) -> bool:
        match question:
            case "inert":
                return self._inert(node, last)
            case "aborts":
                return self._aborts((node,))
            case "passes":
                return self._passes(node)
            case "fails":
                return self._may_fail(node)
            case "leaves":
                return self._leaves(node, 0)
            case _:
                return self._leaves(node, 1)

    def _inert(self, node: Node, last: bool) -> bool:
        match node:
            case List():
                return all(not item.background and self._inert(item.node, last) for item in node.items)
            case AndOr():
                first, joined = and_or_parts(node)
                return self._inert(first, last) and all(self._inert(part.right, last) for part in joined)
            case Pipeline():
                return all(self._inert(command, last) for command in node.commands)
            case If() | Case() | For() | Subshell() | Group():
                return all(self._inert(inner, last) for inner in below(node))
            case Loop():
                if last and may_last(node):
                    return False
                parts = (node.condition, node.body)
                return all(self._inert(part, last) for part in parts) or self._waits(node, last)
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
            if isinstance(node, AndOr) and leaves_loop(node.right) and self._inert(node.left, False):
                continue
            if item.background or not self._inert(node, False):
                return False
        return True

    def _simple(self, node: Simple, last: bool) -> bool:
        relevant = self.lookup.command_names(self.shell.script)
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
            if last:
                return self._function("inert", name, last, meanwhile=True)
            fails = self.shell.errexit and self._function("fails", name, False, meanwhile=False)
            return not fails and self._function("passes", name, last, meanwhile=True)
        if name in ("export", "local", "declare", "typeset", "readonly", "read", "mapfile", "readarray"):
            return not any(word.text.partition("=")[0] in relevant for word in node.words[1:])
        if name in _PLAIN:
            return True
        words = _launched([word.literal if word.literal is not None else UNKNOWN for word in node.words])
        fact = self.lookup.program(words, self.shell.env)
        if fact is None or fact.lifetime == "long":
            return not last
        return fact.lifetime == "short"

    def _is_hook(self, word: Word) -> bool:
        return len(word.parts) == 1 and isinstance(word.parts[0], Param) and word.parts[0].name in self.shell.hooks

    def _sourced_is_inert(self, node: Simple) -> bool:
        path = node.words[1].literal if len(node.words) > 1 else None
        if path is None:
            return True
        file = self.lookup.find(path if "/" in path else "./" + path, self.shell.env)
        return file is None or file.text is None

    def _function(self, question: str, name: str, last: bool, meanwhile: bool) -> bool:
        """The answer for a function's body; `meanwhile` is that for a function that calls itself."""
        key = (question, name, last)
        if key not in self._through:
            self._through[key] = meanwhile
            self._through[key] = self._answer(question, self.shell.functions[name].node.body, last)
        return self._through[key]

    # -------------------------------------------------------------------- calls

    def passes(self, name: str, *, asked: bool) -> bool:
        """Whether a call of a function, which others follow, changes no process that matters, whichever way it goes.

        If its status is `asked` for, `set -e` does not end the script by it.
        """
        body = self.shell.functions[name].node.body
        return self._asked("passes", body) and (asked or not self.shell.errexit or not self._asked("fails", body))

    def _passes(self, node: Node) -> bool:
        """As `_inert`, for the body of a function: its `return` leaves nothing else, its arguments are its own.

        A way that only ends the script is not taken.
        """
        match node:
            case List():
                return all(not item.background and self._passes(item.node) for item in node.items)
            case AndOr():
                first, joined = and_or_parts(node)
                return self._only_asks(first) and all(self._passes_or_aborts(part.right) for part in joined)
            case If():
                asked = all(self._only_asks(condition) for condition, _ in node.branches)
                ways = [body for _, body in node.branches] + ([node.otherwise] if node.otherwise else [])
                return asked and all(map(self._passes_or_aborts, ways))
            case Case():
                return all(self._passes_or_aborts(arm.body) for arm in node.arms)
            case For() | Group():
                return self._passes(node.body)
            case Simple() if node.words and node.words[0].literal in ("return", "shift"):
                return True
            case Simple() if node.words and node.words[0].literal == "set":
                return len(node.words) > 1 and node.words[1].text == "--"
            case _:
                return self._inert(node, False)

    def _only_asks(self, node: Node) -> bool:
        """The same for what is run for its status, which does not end the script under `set -e`."""
        match node:
            case List():
                return all(not item.background and self._only_asks(item.node) for item in node.items)
            case AndOr():
                first, joined = and_or_parts(node)
                return self._only_asks(first) and all(self._only_asks(part.right) for part in joined)
            case Pipeline() if len(node.commands) == 1:
                return self._only_asks(node.commands[0])
            case Simple() if node.words and node.words[0].literal in self.shell.functions:
                return self._function("passes", node.words[0].literal or "", False, meanwhile=True)
            case _:
                return self._passes(node)

    def _passes_or_aborts(self, way: Node) -> bool:
        return self._passes(way) or self._aborts((way,))

    def _may_fail(self, node: Node) -> bool:
        """Whether a function's status may end a script under `set -e` that has gone on inside of it."""
        commands = (one.words for one in walk(node) if isinstance(one, Simple) and one.words)
        returned = ([word.literal for word in words[1:]] for words in commands if words[0].literal == "return")
        return any(status not in ([], ["0"]) for status in returned) or self._ends_in_test(node)

    def _ends_in_test(self, node: Node) -> bool:
        match node:
            case List():
                return bool(node.items) and self._ends_in_test(node.items[-1].node)
            case AndOr() | Test() | ArithmeticCommand():
                return True
            case If() | Case() | For() | Loop() | Group():
                return any(map(self._ends_in_test, below(node)))
            case Simple():
                name = node.words[0].literal if node.words else ""
                if name in self.shell.functions:
                    return self._function("fails", name, False, meanwhile=False)
                return name in ("[", "test", "false", "let")
            case _:
                return False

    # ------------------------------------------------------------------ aborting

    def aborts(self, nodes: tuple[Node, ...]) -> bool:
        """Whether the commands do nothing but end the script: an error or a usage text, then `exit`."""
        return self._asked("aborts", nodes[0]) if len(nodes) == 1 else self._aborts(nodes)

    def _aborts(self, nodes: tuple[Node, ...]) -> bool:
        if not nodes:
            return False
        items: list[Node] = []
        for node in nodes:
            items.extend(flat(node))
        if not items or not self._ends(items[-1]):
            return False
        # `app; exit $?` is there for the app, not for an error; the status in `exit $status` may be any command's.
        *before, leaves = items
        nearest = len(before) if is_bare(leaves) else 0 if passes_status_on(leaves) else len(items)
        return all(self._inert(node, at + 1 >= nearest) for at, node in enumerate(before))

    def _ends(self, node: Node) -> bool:
        if not isinstance(node, Simple) or not node.words:
            return False
        name = node.words[0].literal
        if name == "exit":
            return True
        return name in self.shell.functions and self._function("aborts", name, False, meanwhile=False)

    def leaves(self, body: Node) -> bool:
        """Whether something in a loop's body may leave the loop."""
        return self._asked("leaves", body)

    def _leaves(self, body: Node, depth: int) -> bool:
        match body:
            case List():
                return any(self._leaves(item.node, depth) for item in body.items if not item.background)
            case AndOr():
                first, joined = and_or_parts(body)
                return self._leaves(first, depth) or any(self._leaves(part.right, depth) for part in joined)
            case If() | Case() | Group():
                return any(self._leaves(part, depth) for part in below(body))
            case Loop() | For():
                return self._leaves(body.body, depth + 1)
            case Simple():
                name = body.words[0].literal if body.words else None
                if name == "break":
                    return depth == 0 or len(body.words) > 1
                if name in self.shell.functions:
                    return self._function("leaves from below", name, False, meanwhile=False)
                return name in ("exit", "return") or (name == "exec" and len(body.words) > 1)
            case _:
                return False

    # ------------------------------------------------------------------ variables

    def forget(self, nodes: tuple[Node, ...]) -> None:
        """What the commands assign, and the functions that they call, is unknown from here on."""
        for node in nodes:
            replaced, all_names = self._assigned(node)
            for name in all_names:
                self._forget(name, all_of_it=name in replaced)

    def forget_call(self, name: str) -> None:
        """What a call of a function assigns, besides its own variables, is unknown from here on."""
        body = self.shell.functions[name].node.body
        own = self._own_names(body)
        for assigned in self._assigned(body)[1]:
            if assigned not in own:
                self._forget(assigned, all_of_it=True)

    def _forget(self, name: str, *, all_of_it: bool) -> None:
        """Have a variable unknown, or what `name+=value` adds to it."""
        shell = self.shell
        if name in shell.arrays:
            shell.arrays[name] = (UNKNOWN,) if all_of_it else (*shell.arrays[name], UNKNOWN)
        before = "" if all_of_it else shell.lookup(name).text or ""
        shell.assign(name, before + UNKNOWN)

    def _assigned(self, node: Node) -> tuple[frozenset[str], tuple[str, ...]]:
        """The variables that a command replaces, and all that it assigns, sorted."""
        key = (id(node), self.shell.functions_version)
        found = self._names.get(key)
        if found is None:
            replaced, names = assigned_names(node, appended=False), assigned_names(node)
            for called in self._called(node):
                body = self.shell.functions[called].node.body
                own = self._own_names(body)
                replaced |= assigned_names(body, appended=False) - own
                names |= assigned_names(body) - own
            found = self._names[key] = (frozenset(replaced), tuple(sorted(names)))
        return found

    def _called(self, node: Node) -> set[str]:
        """The functions that a command may call, and those that these call."""
        found: set[str] = set()
        waiting = [node]
        for each in waiting:
            for one in walk(each):
                name = one.words[0].literal if isinstance(one, Simple) and one.words else None
                if name in self.shell.functions and name not in found and name is not None:
                    found.add(name)
                    waiting.append(self.shell.functions[name].node.body)
        return found

    def _own_names(self, body: Node) -> frozenset[str]:
        """The variables that a function has for itself."""
        found = self._own.get(id(body))
        if found is None:
            names = {
                word.text.partition("=")[0]
                for one in walk(body)
                if isinstance(one, Simple) and one.words and one.words[0].literal in ("local", "declare", "typeset")
                for word in one.words[1:]
                if "-g" not in one.words[1].text
            }
            found = self._own[id(body)] = (body, frozenset(names))
        return found[1]
