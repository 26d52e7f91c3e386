"""What a shell knows while it runs: variables, arguments, functions, and the expansion of words."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from pid1lint.launch import values
from pid1lint.launch.values import UNKNOWN
from pid1lint.shell.ir import (
    Arithmetic,
    CommandSub,
    Damaged,
    Function,
    List,
    Literal,
    Param,
    ProcessSub,
    Script,
    Word,
)

if TYPE_CHECKING:
    from pid1lint.launch.world import Block

Strings = Generator["Block", None, list[str]]


class Value(NamedTuple):
    """A variable: its text (None: unset), and what may change it at `docker run`: `environment` or `arguments`."""

    text: str | None
    soft: str = ""


class Defined(NamedTuple):
    """A function with the script in which it stands."""

    node: Function
    script: Script


class State:
    """Variables and arguments of one shell process, and word expansion over them.

    `soft` collects, since it was last cleared, whether an expanded value depends on the user's environment or
    arguments rather than on the files alone.
    """

    def __init__(self, environment: Mapping[str, str], home: str, workdir: str, user_id: str) -> None:
        self.environment = environment
        self.variables: dict[str, Value] = {}
        self.arrays: dict[str, list[str]] = {}
        self.functions: dict[str, Defined] = {}
        self.positional: list[str] = []
        self.positional_soft = ""
        self.name = "sh"
        self.pid = 1
        self.last_job = ""
        self.last_status: int | None = 0
        self.workdir = workdir
        self.home = home
        self.user_id = user_id
        self.soft = ""

    # -------------------------------------------------------------- variables

    def assign(self, name: str, text: str, soft: str = "") -> None:
        """Set a variable."""
        self.variables[name] = Value(text, soft)

    def lookup(self, name: str) -> Value:
        """A variable or a special parameter."""
        special = self._special(name)
        if special is not None:
            return special
        if name in self.variables:
            return self.variables[name]
        if name in self.environment:
            return Value(self.environment[name], "environment")
        fixed = {"HOME": self.home, "PWD": self.workdir, "IFS": " \t\n", "UID": self.user_id, "EUID": self.user_id}
        if name in fixed:
            return Value(fixed[name])
        if name in ("RANDOM", "SECONDS", "HOSTNAME", "LINENO", "OLDPWD", "EPOCHSECONDS", "REPLY", "PPID", "OPTIND"):
            return Value(UNKNOWN)
        if name in ("BASH_SOURCE", "BASH"):
            return Value(self.name)
        return Value(None, "environment")

    def _special(self, name: str) -> Value | None:
        if name.isdigit():
            index = int(name)
            if index == 0:
                return Value(self.name)
            text = self.positional[index - 1] if index <= len(self.positional) else None
            return Value(text, self.positional_soft)
        match name:
            case "#":
                return Value(str(len(self.positional)), self.positional_soft)
            case "@" | "*":
                return Value(" ".join(self.positional), self.positional_soft)
            case "$" | "BASHPID":
                return Value(str(self.pid))
            case "!":
                return Value(self.last_job)
            case "?":
                return Value(UNKNOWN if self.last_status is None else str(self.last_status))
            case "-":
                return Value("hB")
        return None

    def _touch(self, value: Value) -> None:
        if value.soft and self.soft != "arguments":
            self.soft = value.soft

    # -------------------------------------------------------------- expansion

    def unbound(self, name: str) -> None:
        """What becomes of a variable that is not set; the interpreter overrides it."""

    def substitute(self, body: List) -> Generator[Block, None, str]:
        """The output of a command substitution; the interpreter overrides it."""
        yield from ()
        return UNKNOWN

    def process_substitution(self, part: ProcessSub) -> Generator[Block, None, str]:
        """The path of a process substitution's pipe; the interpreter overrides it."""
        yield from ()
        return "/dev/fd/63"

    def expand(self, words: tuple[Word, ...]) -> Strings:
        """All fields of some words."""
        fields: list[str] = []
        for word in words:
            literal = word.parts[0] if len(word.parts) == 1 else None
            if isinstance(literal, Literal):
                fields.append(self._tilde(literal))
            else:
                fields.extend((yield from self.fields(word)))
        return fields

    def _tilde(self, part: Literal) -> str:
        if not part.quoted and part.text.startswith("~") and (part.text == "~" or part.text.startswith("~/")):
            return self.home + part.text[1:]
        return part.text

    def fields(self, word: Word) -> Strings:
        """One word's fields: split at blanks where it is unquoted."""
        fields: list[str] = []
        current = ""
        present = False
        for index, part in enumerate(word.parts):
            if isinstance(part, Literal):
                current += self._tilde(part) if index == 0 else part.text
                present = True
                continue
            if (isinstance(part, Param) and part.name in ("@", "*")) or _whole_array(part):
                pieces = yield from self._list_parameter(part)
                if isinstance(part, Param) and part.quoted and part.name != "*" and part.subscript != "*":
                    if pieces:
                        current += pieces[0]
                        present = True
                        for piece in pieces[1:]:
                            fields.append(current)
                            current = piece
                    continue
                text = " ".join(pieces)
                quoted = isinstance(part, Param) and part.quoted
            else:
                text = yield from self.part(part)
                quoted = getattr(part, "quoted", True)
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
        return fields

    def _list_parameter(self, part: object) -> Strings:
        """The elements of `$@`, `$*`, `${@:2}`, `${name[@]}`."""
        assert isinstance(part, Param)
        if part.subscript is not None:
            items = list(self.arrays.get(part.name, ()))
            if part.name not in self.arrays:
                value = self.lookup(part.name)
                self._touch(value)
                items = [value.text] if value.text else []
        else:
            items = list(self.positional)
            self._touch(Value(None, self.positional_soft))
        if part.length:
            return [str(len(items))]
        if part.op == ":" and part.operand is not None:
            operand = yield from self.text(part.operand)
            offset, colon, length = operand.partition(":")
            if offset.strip().isdigit():
                start = int(offset)
                if part.subscript is None:
                    items = [self.name, *items][start:] if start == 0 else items[start - 1 :]
                else:
                    items = items[start:]
                if colon and length.strip().isdigit():
                    items = items[: int(length)]
                return items
            return [UNKNOWN]
        if part.op in (":-", "-") and not items and part.operand is not None:
            return (yield from self.fields(part.operand))
        if part.op in (":+", "+") and part.operand is not None:
            return (yield from self.fields(part.operand)) if items else []
        if part.op[:1] in ("#", "%") and part.operand is not None:
            pattern = yield from self.text(part.operand)
            return [values.strip(item, part.op, pattern) for item in items]
        return items

    def text(self, word: Word) -> Generator[Block, None, str]:
        """A word as one string, without field splitting."""
        out = ""
        for index, part in enumerate(word.parts):
            if isinstance(part, Literal):
                out += self._tilde(part) if index == 0 else part.text
            elif isinstance(part, Param) and (part.name in ("@", "*") or _whole_array(part)):
                out += " ".join((yield from self._list_parameter(part)))
            else:
                out += yield from self.part(part)
        return out

    def part(self, part: object) -> Generator[Block, None, str]:
        """One expansion as a string."""
        match part:
            case Param():
                return (yield from self.parameter(part))
            case CommandSub():
                return (yield from self.substitute(part.body))
            case ProcessSub():
                return (yield from self.process_substitution(part))
            case Arithmetic():
                return self.arithmetic(part.text)
            case Literal():
                return part.text
            case Damaged():
                return UNKNOWN
        return UNKNOWN

    def parameter(self, part: Param) -> Generator[Block, None, str]:
        """`$name` and `${name...}`."""
        value = self.lookup(part.name)
        if part.subscript is not None and part.name in self.arrays:
            items = self.arrays[part.name]
            if part.subscript.isdigit() or part.subscript == "-1":
                at = int(part.subscript)
                value = Value(items[at] if -len(items) <= at < len(items) else None)
            else:
                value = Value(UNKNOWN)
        elif part.subscript is not None and not part.subscript.isdigit() and part.subscript not in ("@", "*"):
            # An associative array, of whose keys nothing is known.
            value = Value(UNKNOWN)
        elif part.name in self.arrays:
            items = self.arrays[part.name]
            value = Value(items[0] if items else None)
        self._touch(value)
        if part.indirect:
            if value.text is None or not values.known(value.text):
                return UNKNOWN
            value = self.lookup(value.text)
            self._touch(value)
        text = value.text
        if part.length:
            return UNKNOWN if text and not values.known(text) else str(len(text or ""))
        if part.op and part.operand is not None:
            return (yield from self._operation(part, text))
        if text is None:
            self.unbound(part.name)
        return text or ""

    def _operation(self, part: Param, text: str | None) -> Generator[Block, None, str]:
        operand = part.operand
        assert operand is not None
        op = part.op
        if op in (":-", "-", ":=", "=", ":?", "?"):
            if text or (text is not None and not op.startswith(":")):
                return text
            if op in (":?", "?"):
                return UNKNOWN
            default = yield from self.text(operand)
            if "=" in op:
                self.assign(part.name, default, self.soft)
            return default
        if op in (":+", "+"):
            present = bool(text) if op == ":+" else text is not None
            return (yield from self.text(operand)) if present else ""
        argument = yield from self.text(operand)
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
            if not atom.isdigit():
                found = self.lookup(atom.lstrip("$").strip("{}"))
                self._touch(found)
                value = found.text or "0"
            if not value.isdigit():
                return UNKNOWN
            total += sign * int(value)
        return str(total) if text.strip() else UNKNOWN


def _sum(text: str) -> list[tuple[int, str]]:
    atoms: list[tuple[int, str]] = []
    sign = 1
    for piece in text.replace("+", " + ").replace("-", " - ").split():
        if piece == "+":
            sign = 1
        elif piece == "-":
            sign = -1
        else:
            atoms.append((sign, piece if piece.replace("_", "a").lstrip("$").strip("{}").isalnum() else UNKNOWN))
            sign = 1
    return atoms


def _whole_array(part: object) -> bool:
    return isinstance(part, Param) and part.subscript in ("@", "*")
