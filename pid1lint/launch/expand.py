"""The shell's expansions: what the words of a command become, as far as the files tell.

Nothing here waits. A command substitution that has to be run first is raised as `Substitutes`; the command that holds
it is begun anew when that has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pid1lint.launch import values
from pid1lint.launch.lookup import Lookup
from pid1lint.launch.output import output
from pid1lint.launch.stack import Argument, Argv, Value
from pid1lint.launch.state import Shell
from pid1lint.launch.values import UNKNOWN
from pid1lint.launch.world import Proc, World
from pid1lint.numbers import is_number
from pid1lint.shell.ir import (
    Arithmetic,
    CommandSub,
    Damaged,
    Declared,
    List,
    Literal,
    Param,
    Part,
    ProcessSub,
    Simple,
    Word,
)
from pid1lint.source import Excerpt


class Substitutes(Exception):
    """A command of a substitution must be run before its words are known."""

    def __init__(self, part: List, node: Simple, argv: Argv) -> None:
        super().__init__(argv[0].text)
        self.part = part
        self.node = node
        self.argv = argv


class Unbound(Exception):
    """A variable is not set, and `set -u` ends the shell."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Expansion:
    """Expands words of the shell at hand, a process of one world."""

    def __init__(self, lookup: Lookup, world: World) -> None:
        self.lookup = lookup
        self.world = world
        self.proc: Proc
        self.shell: Shell

    def is_program(self, name: str) -> bool:
        """Whether a name is neither a function's nor a builtin's."""
        return name not in self.shell.functions

    # ----------------------------------------------------------------- commands

    def argv(self, node: Simple) -> Argv:
        """The fields of a command, each with the text that it comes from."""
        shell = self.shell
        out: list[Argument] = []
        literals = self._literals(node)
        for index, word in enumerate(node.words):
            known = literals[index]
            if known is not None:
                out.append(known)
                continue
            outer, shell.soft = shell.soft, ""
            if word.text in ('"$@"', "$@", "$*", '"${@}"', "${@}") and shell.positional:
                split = not word.text.startswith('"')
                out.extend(part for each in shell.positional for part in (_split(each) if split else (each,)))
                shell.touch(shell.positional_soft)
                shell.soft = shell.soft or outer
                continue
            fields = self.fields(word)
            if not fields and index + 1 < len(node.words) and node.words[index + 1].text.startswith("-"):
                # `$JAVA -jar app.jar`: whoever runs it has set it, or there would be no program.
                fields = [UNKNOWN] if all(each.value == "exec" for each in out) else fields
            for field in fields:
                shown = word.text if UNKNOWN in field or (len(fields) == 1 and len(field) > 60) else field
                out.append(Argument(field, shown, None, shell.soft))
            shell.soft = shell.soft or outer
        if len(out) > values.MOST_WORDS:
            # `"$@" "$@"` in a script that runs itself doubles them each time.
            return (*out[:1], Argument(UNKNOWN, node.words[-1].text))
        return tuple(out)

    def _literals(self, node: Simple) -> tuple[Argument | None, ...]:
        """The arguments of a command that are written as they are, None for others."""
        script = self.shell.script
        # The same text in two files has the same words, at other places; and `~` is another one's home.
        key = (id(script), id(node), self.shell.home)
        known = self.lookup.arguments.get(key)
        if known is None:
            parts = ((word, word.parts[0]) if len(word.parts) == 1 else (word, None) for word in node.words)
            found = tuple(
                self._literal_argument(word, part) if isinstance(part, Literal) else None for word, part in parts
            )
            known = self.lookup.arguments[key] = (script, node, found)
        return known[2]

    def _literal_argument(self, word: Word, literal: Literal) -> Argument:
        script = self.shell.script
        start = word.span.start + (1 if literal.quoted else 0)
        end = word.span.end - (1 if literal.quoted else 0)
        excerpt = None
        if script.text.text[start:end] == literal.text and script.text.source.path:
            excerpt = script.text.cut(start, end)
            if not literal.quoted:
                excerpt = replace(excerpt, quoting=_bare(script.text))
        text = self._tilde(literal)
        return Argument(text, text if literal.quoted else word.text, excerpt)

    # ------------------------------------------------------------------- fields

    def expand(self, words: Sequence[Word]) -> list[str]:
        """All fields of some words."""
        fields: list[str] = []
        for word in words:
            literal = word.parts[0] if len(word.parts) == 1 else None
            if isinstance(literal, Literal):
                fields.append(self._tilde(literal))
            else:
                fields.extend(self.fields(word))
        return fields

    def _tilde(self, part: Literal) -> str:
        if not part.quoted and part.text.startswith("~") and (part.text == "~" or part.text.startswith("~/")):
            return self.shell.home + part.text[1:]
        return part.text

    def fields(self, word: Word) -> list[str]:
        """One word's fields: split at blanks where it is unquoted."""
        fields: list[str] = []
        current = ""
        present = False
        for index, part in enumerate(word.parts):
            if isinstance(part, Literal):
                current += self._tilde(part) if index == 0 else part.text
                present = True
                continue
            quoted = getattr(part, "quoted", True)
            if isinstance(part, Param) and _is_list(part):
                pieces = self._list_parameter(part)
                if part.quoted and part.name != "*" and part.subscript != "*":
                    if pieces:
                        current += pieces[0]
                        present = True
                        for piece in pieces[1:]:
                            fields.append(current)
                            current = piece
                    continue
                text = " ".join(pieces)
            else:
                text = self.part(part)
            if quoted:
                current += text
                present = True
                continue
            pieces = values.split_fields(text)
            if not pieces:
                continue
            if text[:1].isspace() and present:
                fields.append(current)
                current = ""
            current += pieces[0]
            present = True
            for piece in pieces[1:]:
                fields.append(current)
                current = piece
            if text[-1:].isspace():
                fields.append(current)
                current, present = "", False
        if present:
            fields.append(current)
        return [values.capped(field) for field in fields]

    def _list_parameter(self, part: Param) -> list[str]:
        """The elements of `$@`, `$*`, `${@:2}`, `${name[@]}`."""
        shell = self.shell
        if part.subscript is not None:
            items = list(shell.arrays.get(part.name, ()))
            if part.name not in shell.arrays:
                value = shell.lookup(part.name)
                shell.touch(value.soft)
                items = [value.text] if value.text else []
        else:
            items = [word.value for word in shell.positional]
            shell.touch(shell.positional_soft)
        if part.length:
            return [str(len(items))]
        if part.op == ":" and part.operand is not None:
            return self._slice(part, items, self.text(part.operand))
        if part.op in (":-", "-") and not items and part.operand is not None:
            return self.fields(part.operand)
        if part.op in (":+", "+") and part.operand is not None:
            return self.fields(part.operand) if items else []
        if part.op[:1] in ("#", "%") and part.operand is not None:
            pattern = self.text(part.operand)
            return [values.strip(item, part.op, pattern) for item in items]
        return items

    def _slice(self, part: Param, items: list[str], operand: str) -> list[str]:
        offset, colon, length = operand.partition(":")
        if not is_number(offset.strip()):
            return [UNKNOWN]
        start = int(offset)
        if part.subscript is None:
            items = [self.shell.name, *items][start:] if start == 0 else items[start - 1 :]
        else:
            items = items[start:]
        if colon and is_number(length.strip()):
            items = items[: int(length)]
        return items

    def text(self, word: Word) -> str:
        """A word as one string, without field splitting."""
        out = ""
        for index, part in enumerate(word.parts):
            if isinstance(part, Literal):
                out += self._tilde(part) if index == 0 else part.text
            elif isinstance(part, Param) and _is_list(part):
                out += " ".join(self._list_parameter(part))
            else:
                out += self.part(part)
        return values.capped(out)

    def pattern(self, word: Word) -> str:
        """A pattern, with quoted parts protected."""
        out = ""
        for part in word.parts:
            if isinstance(part, Literal):
                out += "".join("\\" + c if c in "*?[\\" else c for c in part.text) if part.quoted else part.text
            else:
                out += self.part(part)
        return values.capped(out)

    def regular_expression(self, word: Word) -> str:
        """What stands behind `=~`, with quoted parts protected."""
        out = ""
        for part in word.parts:
            text = self.part(part)
            quoted = isinstance(part, (Literal, Param)) and part.quoted
            out += values.escaped(text) if quoted else text
        return values.capped(out)

    def input_of(self, node: Simple) -> str | None:
        """What a command is given to read: a here-document, or a string; None for anything else."""
        redirect = next((each for each in reversed(node.redirects) if each.op.startswith("<")), None)
        if redirect is None or redirect.target is None:
            return None
        if redirect.op == "<<<":
            return self.text(redirect.target) + "\n"
        if redirect.heredoc is None:
            return None
        if any(quote in redirect.target.text for quote in "'\"\\"):
            return redirect.heredoc
        # It is expanded as if in double quotes, and a double quote in it is none.
        quoted = redirect.heredoc.replace('"', '\\"')
        items = self.lookup.made(f': "{quoted}"').body.items
        command = items[0].node if items else None
        if len(items) != 1 or not isinstance(command, Simple) or len(command.words) != 2:
            return None
        word = command.words[1]
        return None if any(isinstance(part, CommandSub) for part in word.parts) else self.text(word)

    def matching(self, field: str) -> Sequence[str]:
        """The files that a wildcard finds in the image, as far as they are known; the wildcard itself if none is."""
        if UNKNOWN in field or not any(char in field for char in "*?["):
            return [field]
        pattern = field if field.startswith("/") else f"{self.shell.workdir.rstrip('/')}/{field}"
        return [*self.lookup.asked.glob(pattern)] or [field]

    # -------------------------------------------------------------------- parts

    def part(self, part: Part) -> str:
        """One expansion as a string."""
        match part:
            case Param():
                return self.parameter(part)
            case CommandSub():
                return self._substitute(part.body)
            case ProcessSub():
                self._process_substitution(part)
                return "/dev/fd/63"
            case Arithmetic():
                return self.arithmetic(part.text)
            case Literal():
                return part.text
            case Damaged() | Declared():
                return UNKNOWN

    def parameter(self, part: Param) -> str:
        """`$name` and `${name...}`."""
        shell = self.shell
        value = shell.lookup(part.name)
        if part.subscript is not None and part.name in shell.arrays:
            items = shell.arrays[part.name]
            if is_number(part.subscript) or part.subscript == "-1":
                at = int(part.subscript)
                value = Value(items[at] if -len(items) <= at < len(items) else None)
            else:
                value = Value(UNKNOWN)
        elif part.subscript is not None and not is_number(part.subscript) and part.subscript not in ("@", "*"):
            # An associative array, of whose keys nothing is known.
            value = Value(UNKNOWN)
        elif part.name in shell.arrays:
            items = shell.arrays[part.name]
            value = Value(items[0] if items else None)
        shell.touch(value.soft)
        if part.indirect:
            if value.text is None or not values.known(value.text):
                return UNKNOWN
            value = shell.lookup(value.text)
            shell.touch(value.soft)
        text = value.text
        if part.length:
            return UNKNOWN if text and not values.known(text) else str(len(text or ""))
        if part.op and part.operand is not None:
            return self._operation(part, part.operand, text)
        if text is None:
            self._unbound(part.name)
        return text or ""

    def _unbound(self, name: str) -> None:
        """Under `set -u` a variable that is not set ends the shell; those in capitals may come from outside."""
        shell = self.shell
        if shell.nounset and not name.isupper() and name in self.lookup.assigned_names(shell.script):
            raise Unbound(name)

    def _operation(self, part: Param, operand: Word, text: str | None) -> str:
        op = part.op
        if op in (":-", "-", ":=", "=", ":?", "?"):
            if text or (text is not None and not op.startswith(":")):
                return text
            if op in (":?", "?"):
                return UNKNOWN
            default = self.text(operand)
            if "=" in op:
                self.shell.assign(part.name, default, self.shell.soft)
            return default
        if op in (":+", "+"):
            present = bool(text) if op == ":+" else text is not None
            return self.text(operand) if present else ""
        argument = self.text(operand)
        text = text or ""
        if op[0] in "#%":
            return values.strip(text, op, argument)
        if op[0] == "/":
            return values.replace(text, op, argument)
        if op == ":":
            return values.substring(text, argument)
        if op[0] == "^":
            return text.upper() if len(op) == 2 else text[:1].upper() + text[1:]
        if op[0] == ",":
            return text.lower() if len(op) == 2 else text[:1].lower() + text[1:]
        return UNKNOWN

    def arithmetic(self, text: str) -> str:
        """`$((...))` where it is a number, a variable, or a sum of such."""
        total = 0
        for sign, atom in _sum(text):
            value = atom
            if not is_number(atom):
                found = self.shell.lookup(atom.lstrip("$").strip("{}"))
                self.shell.touch(found.soft)
                value = found.text or "0"
            if not is_number(value):
                return UNKNOWN
            total += sign * int(value)
        return str(total) if text.strip() else UNKNOWN

    # ------------------------------------------------------------- substitutions

    def _substitute(self, body: List) -> str:
        """`$(...)`: the output of what can be told without running it."""
        if any(done is body for done in self.shell.substituted):
            return UNKNOWN
        if len(body.items) == 1 and isinstance(body.items[0].node, Simple):
            node = body.items[0].node
            argv = self.argv(node)
            if argv:
                known = output(self.lookup, self.world, self.proc, self.shell, argv)
                if known is not None:
                    return values.capped(known)
                self._run_first(body, node, argv)
        elif body.items:
            last = body.items[-1].node
            if isinstance(last, Simple) and last.words and last.words[0].literal == "exec":
                argv = self.argv(last)
                if len(argv) > 1:
                    self._run_first(body, last, argv[1:])
        return UNKNOWN

    def _run_first(self, body: List, node: Simple, argv: Argv) -> None:
        """A program in a command substitution: it may be the main one, run there for its output."""
        if argv[0].value == "exec" and len(argv) > 1:
            argv = argv[1:]
        if not self.is_program(argv[0].value) or self.world.stopped:
            return
        fact = self.lookup.program([word.value for word in argv], self.shell.env)
        if fact is not None and fact.lifetime != "forever":
            return
        if fact is None and not self.shell.tail_substitution:
            return
        raise Substitutes(body, node, argv)

    def _process_substitution(self, part: ProcessSub) -> None:
        """`>(tee f)`: a process beside, which ends with what writes to it."""


# -------------------------------------------------------------------------- shapes


def _is_list(part: Param) -> bool:
    return part.name in ("@", "*") or part.subscript in ("@", "*")


def _split(word: Argument) -> Argv:
    """What becomes of an argument without quotes."""
    parts = word.value.split()
    return (word,) if parts == [word.value] else tuple(Argument(part, part, None, word.soft) for part in parts)


def _bare(text: Excerpt) -> str:
    """What an insertion into an unquoted word of a command must respect: see `Excerpt.quoting`."""
    before = text.offset(0) - 1
    quoted = text.quoting in ("word", "nested") or (before >= 0 and text.source.text[before] == "'")
    return "nested" if quoted else "word"


def _sum(text: str) -> list[tuple[int, str]]:
    atoms: list[tuple[int, str]] = []
    sign = 1
    for piece in text.replace("+", " + ").replace("-", " - ").split():
        if piece == "+":
            sign = 1
        elif piece == "-":
            sign = -1
        else:
            name = piece.replace("_", "a").lstrip("$").strip("{}")
            atoms.append((sign, piece if name == "?" or name.isalnum() else UNKNOWN))
            sign = 1
    return atoms
