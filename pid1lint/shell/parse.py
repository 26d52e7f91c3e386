"""Read shell text into the small syntax tree of `ir`: sh, dash, busybox and the parts of bash that scripts use.

A recursive descent over the text itself: the shell's grammar decides while it reads what a character means (`#`, `in`,
`{`, a case pattern), so no token stream could be cut out beforehand. What does not parse becomes `Opaque`, with a
`Damage` that says where and why; nothing here raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache

from pid1lint.numbers import is_number
from pid1lint.shell.ir import (
    AndOr,
    Arithmetic,
    ArithmeticCommand,
    Assignment,
    Case,
    CaseArm,
    CommandSub,
    Damage,
    Damaged,
    Declared,
    For,
    Function,
    Group,
    If,
    Item,
    List,
    Literal,
    Loop,
    Node,
    Opaque,
    Param,
    Part,
    Pipeline,
    ProcessSub,
    Redirect,
    Script,
    Simple,
    Subshell,
    Test,
    TestExpression,
    Word,
)
from pid1lint.source import Excerpt, Source, Span

_WORD_ENDS = " \t\n;&|()<>"


@cache
def _plain(ends: str) -> re.Pattern[str]:
    """What stands for itself in a word, by the characters that end one of its kind."""
    return re.compile(rf"[^{re.escape(ends)}\r(\\'\"`$]+")


_QUOTED = re.compile(r"[^\\\"$`]+")
_AHEAD = re.compile(r"[^\s;&|()<>\\'\"`$#]+")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!\-]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?=)")
_SUBSCRIPT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\[([^\]\n]*)\](\+?=)")
_FUNCTION = re.compile(r"([^\s\\'\"`$;&|()<>=#]+)[ \t]*\([ \t]*\)")
_REDIRECT = re.compile(r"(\d*|\{[A-Za-z_]\w*\})(<<<|<<-|<<|<>|<&|>>|>&|>\||&>>|&>|<|>)")
_PARAM_OP = re.compile(r":-|:=|:\?|:\+|##|%%|//|/#|/%|\^\^|,,|[-=?+#%/^,:@]")
_SPECIAL = "@*#?$!-0123456789"
_RESERVED = frozenset("if then else elif fi do done case esac while until for select function { } ! time".split())
_CLOSERS = frozenset(["then", "else", "elif", "fi", "do", "done", "esac", "}"])
_DEPTH = 60
_MOST_WORDS = 40_000
"""So many words of a script are read: one of 250 KB has fewer."""
_MOST_PARTS = 20_000
"""So many parts of a word are."""
_MOST_KEPT = 256
"""How many texts are kept parsed, the last ones that were asked for."""


class _SyntaxFault(Exception):
    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


class _TooLong(_SyntaxFault):
    """No fault of the text: it is not read from here on."""


def parse(excerpt: Excerpt) -> Script:
    """Parse a whole shell text."""
    return Script(excerpt, *_parsed(excerpt.text))


@lru_cache(_MOST_KEPT)
def _parsed(text: str) -> tuple[List, tuple[Damage, ...], tuple[Span, ...]]:
    """What a text says, wherever it stands: many a Dockerfile runs a copy of its neighbour's script."""
    reader = _Reader(text)
    return reader.program(), tuple(reader.damage), tuple(reader.comments.values())


def is_shell(source: Source) -> bool:
    """Whether a file that a launch runs can be a shell script: its first line names no other interpreter."""
    first = source.text.partition("\n")[0]
    return not source.path.endswith(".json") and (not first.startswith("#!") or "sh" in first)


@lru_cache(_MOST_KEPT)
def parse_assignment(text: str, at: int) -> Assignment | None:
    """The assignment that a word such as `export`'s argument is, if it is one; `at` is the word's own offset."""
    reader = _Reader(" " * at + text)
    reader.at = at
    try:
        return reader.assignment()
    except _SyntaxFault:
        return None


class _Reader:
    """The state of one parse: a position in the text, and the here-documents that the next newline brings."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.end = len(text)
        self.at = 0
        self.damage: list[Damage] = []
        self.comments: dict[int, Span] = {}
        self.pending: list[tuple[Redirect, str, bool]] = []
        self.depth = 0
        self.words = 0

    # ------------------------------------------------------------- whole text

    def program(self) -> List:
        """All statements; after a fault the rest of the text is opaque."""
        items: list[Item] = []
        while True:
            start = self.at
            try:
                part = self.statements(frozenset(), items)
                if self.at >= self.end:
                    return List(tuple(part), Span(0, self.end))
                raise _SyntaxFault(f"unexpected `{self._here()}`", self.at)
            except _TooLong as fault:
                reason = fault.message
            except _SyntaxFault as fault:
                reason = fault.message
                self.damage.append(Damage(reason, Span(fault.at, min(fault.at + 1, self.end))))
            except RecursionError:
                reason = "nested too deeply"
                self.damage.append(Damage(reason, Span(start, min(start + 1, self.end))))
            opaque = Opaque(reason, Span(min(start, self.end), self.end))
            if items:
                opaque = Opaque(opaque.reason, Span(items[-1].node.span.end, self.end))
            return List((*items, Item(opaque, "")), Span(0, self.end))

    def _here(self) -> str:
        match = re.compile(r"\S{1,20}").match(self.text, self.at)
        return match.group() if match else "end of file"

    # ---------------------------------------------------------------- spacing

    def blanks(self) -> None:
        """Skip blanks, joined lines and a comment; stay before a newline."""
        text = self.text
        while self.at < self.end:
            char = text[self.at]
            if char in " \t" or (char == "\r" and text.startswith("\n", self.at + 1)):
                self.at += 1
            elif char == "\\" and text.startswith("\\\n", self.at):
                self.at += 2
            elif char == "#":
                newline = text.find("\n", self.at, self.end)
                close = self.end if newline < 0 else newline
                self.comments[self.at] = Span(self.at, close)
                self.at = close
            else:
                return

    def newlines(self) -> None:
        """Skip blanks, comments and newlines, with the here-documents that they begin."""
        while True:
            self.blanks()
            if self.at < self.end and self.text[self.at] == "\n":
                self.newline()
            else:
                return

    def newline(self) -> None:
        self.at += 1
        pending, self.pending = self.pending, []
        for redirect, delimiter, strip in pending:
            start = self.at
            while True:
                if self.at >= self.end:
                    # Every shell takes the rest of the file, with a warning at most.
                    self.damage.append(Damage("unclosed here-document", redirect.span))
                    stop = self.end
                    break
                newline = self.text.find("\n", self.at, self.end)
                line_end = self.end if newline < 0 else newline
                line = self.text[self.at : line_end].removesuffix("\r")
                stop = self.at
                self.at = min(line_end + 1, self.end)
                if (line.lstrip("\t") if strip else line) == delimiter:
                    break
            body = self.text[start:stop]
            if strip:
                body = re.sub(r"(?m)^\t+", "", body)
            # The redirection was made before its body was reached; nobody has seen it yet.
            object.__setattr__(redirect, "heredoc", body)

    def starts(self, token: str) -> bool:
        return self.text.startswith(token, self.at)

    def word_ahead(self) -> str:
        """The plain word at the position, "" if what stands there is none."""
        match = _AHEAD.match(self.text, self.at)
        if match is None:
            return ""
        after = match.end()
        if after < self.end and self.text[after] in "\\'\"`$":
            return ""
        return match.group()

    # ------------------------------------------------------------------ lists

    def statements(self, closers: frozenset[str], items: list[Item] | None = None) -> list[Item]:
        """Statements up to one of `closers` (reserved words, `)`, `;;`), which is not consumed."""
        items = [] if items is None else items
        while True:
            self.newlines()
            if self.at >= self.end or self.closed(closers):
                return items
            node = self.and_or()
            self.blanks()
            terminator = ""
            if self.at < self.end:
                char = self.text[self.at]
                if char == "\n":
                    terminator = "\n"
                elif char == ";" and not self.starts(";;") and not self.starts(";&"):
                    terminator = ";"
                    self.at += 1
                elif char == "&" and not self.starts("&&"):
                    terminator = "&"
                    self.at += 1
                elif not self.closed(closers):
                    raise _SyntaxFault(f"unexpected `{self._here()}`", self.at)
            items.append(Item(node, terminator))

    def closed(self, closers: frozenset[str]) -> bool:
        char = self.text[self.at]
        if char == ")":
            if ")" in closers:
                return True
            raise _SyntaxFault("unexpected `)`", self.at)
        if char == ";" and (self.starts(";;") or self.starts(";&")):
            if ";;" in closers:
                return True
            raise _SyntaxFault("`;;` outside a case", self.at)
        if char.isalpha() or char == "}":
            word = self.word_ahead()
            if word in closers:
                return True
            if word in _CLOSERS:
                raise _SyntaxFault(f"unexpected `{word}`", self.at)
        return False

    def block(self, *closers: str) -> List:
        """A list that must hold something up to one of `closers`."""
        self.newlines()
        start = self.at
        items = self.statements(frozenset(closers))
        if self.at >= self.end:
            raise _SyntaxFault(f"`{closers[0]}` is missing", max(self.end - 1, 0))
        return List(tuple(items), Span(start, items[-1].node.span.end if items else start))

    def and_or(self) -> Node:
        left = self.pipeline()
        while True:
            self.blanks()
            op = "&&" if self.starts("&&") else "||" if self.starts("||") else ""
            if not op:
                return left
            self.at += 2
            self.newlines()
            right = self.pipeline()
            left = AndOr(left, op, right, Span(left.span.start, right.span.end))

    def pipeline(self) -> Node:
        start = self.at
        negated = timed = False
        while True:
            word = self.word_ahead()
            if word == "!":
                negated = not negated
                self.at += 1
            elif word == "time":
                timed = True
                self.at += 4
                self.blanks()
                if self.word_ahead() == "-p":
                    self.at += 2
            else:
                break
            self.blanks()
        if timed and (self.at >= self.end or self.text[self.at] in "\n;&|)"):
            return Pipeline((), Span(start, self.at), negated, timed)
        commands = [self.command()]
        while True:
            self.blanks()
            if not self.starts("|") or self.starts("||"):
                break
            self.at += 2 if self.starts("|&") else 1
            self.newlines()
            commands.append(self.command())
        if len(commands) == 1 and not negated and not timed:
            return commands[0]
        return Pipeline(tuple(commands), Span(start, commands[-1].span.end), negated, timed)

    # --------------------------------------------------------------- commands

    def command(self) -> Node:
        self.depth += 1
        if self.depth > _DEPTH:
            raise _SyntaxFault("nested too deeply", self.at)
        try:
            return self._command()
        finally:
            self.depth -= 1

    def _command(self) -> Node:
        if self.at >= self.end:
            raise _SyntaxFault("a command is missing", max(self.end - 1, 0))
        start = self.at
        if self.starts("(("):
            close = self._end_of_arithmetic(self.at)
            if close is not None:
                self.at = close
                self.redirects()
                return ArithmeticCommand(self.text[start + 2 : close - 2], Span(start, close))
        if self.starts("("):
            self.at += 1
            body = self.block(")")
            self.at += 1
            end = self.at
            return Subshell(body, Span(start, end), self.redirects())
        word = self.word_ahead()
        if word in _RESERVED:
            return self._compound(word, start)
        if word == "[[":
            return self._test(start)
        function = _FUNCTION.match(self.text, self.at) if word else None
        if function:
            self.at = function.end()
            return self._function(function.group(1), start)
        return self.simple()

    def _compound(self, word: str, start: int) -> Node:
        makers: dict[str, Callable[[int], Node]] = {
            "if": self._if,
            "case": self._case,
            "while": self._loop,
            "until": self._loop,
            "for": self._for,
            "select": self._for,
            "{": self._group,
            "function": self._function_keyword,
        }
        make = makers.get(word)
        if make is None:
            raise _SyntaxFault(f"unexpected `{word}`", self.at)
        return make(start)

    def keyword(self, word: str) -> None:
        self.newlines()
        if self.word_ahead() != word:
            raise _SyntaxFault(f"`{word}` is missing", min(self.at, max(self.end - 1, 0)))
        self.at += len(word)

    def _if(self, start: int) -> If:
        branches: list[tuple[List, List]] = []
        otherwise = None
        self.at += 2
        while True:
            condition = self.block("then")
            self.keyword("then")
            body = self.block("fi", "elif", "else")
            branches.append((condition, body))
            word = self.word_ahead()
            self.at += len(word)
            if word == "else":
                otherwise = self.block("fi")
                self.keyword("fi")
            if word != "elif":
                break
        return If(tuple(branches), otherwise, Span(start, self.at), self.redirects())

    def _case(self, start: int) -> Case:
        self.at += 4
        self.blanks()
        subject = self.word()
        if subject is None:
            raise _SyntaxFault("`case` has no word", self.at)
        self.keyword("in")
        arms: list[CaseArm] = []
        while True:
            self.newlines()
            if self.at >= self.end:
                raise _SyntaxFault("`esac` is missing", max(self.end - 1, 0))
            if self.word_ahead() == "esac":
                self.at += 4
                break
            arms.append(self._arm())
        return Case(subject, tuple(arms), Span(start, self.at), self.redirects())

    def _arm(self) -> CaseArm:
        start = self.at
        if self.starts("("):
            self.at += 1
        patterns: list[Word] = []
        while True:
            self.newlines()
            pattern = self.word()
            if pattern is None:
                raise _SyntaxFault("a case pattern is missing", min(self.at, max(self.end - 1, 0)))
            patterns.append(pattern)
            self.newlines()
            if self.starts("|"):
                self.at += 1
            elif self.starts(")"):
                self.at += 1
                break
            else:
                raise _SyntaxFault("a case pattern has no `)`", min(self.at, max(self.end - 1, 0)))
        body = self.block(";;", "esac")
        end = next((token for token in (";;&", ";;", ";&") if self.starts(token)), "")
        self.at += len(end)
        return CaseArm(tuple(patterns), body, end or ";;", Span(start, self.at))

    def _loop(self, start: int) -> Loop:
        until = self.starts("until")
        self.at += 5
        condition = self.block("do")
        self.keyword("do")
        body = self.block("done")
        self.keyword("done")
        return Loop(until, condition, body, Span(start, self.at), self.redirects())

    def _for(self, start: int) -> For:
        select = self.starts("select")
        self.at += 6 if select else 3
        self.blanks()
        name, words = "", None
        close = self._end_of_arithmetic(self.at) if self.starts("((") else None
        if close is not None:
            self.at = close
        else:
            match = _NAME.match(self.text, self.at)
            if match is None:
                raise _SyntaxFault("`for` has no name", self.at)
            name = match.group()
            self.at = match.end()
            self.newlines()
            if self.word_ahead() == "in":
                self.at += 2
                found: list[Word] = []
                self.blanks()
                while (word := self.word()) is not None:
                    found.append(word)
                    self.blanks()
                words = tuple(found)
        self.blanks()
        if self.starts(";") and not self.starts(";;"):
            self.at += 1
        self.newlines()
        brace = self.starts("{")
        self.keyword("{" if brace else "do")
        body = self.block("}" if brace else "done")
        self.keyword("}" if brace else "done")
        return For(name, words, body, Span(start, self.at), self.redirects(), select)

    def _group(self, start: int) -> Group:
        self.at += 1
        body = self.block("}")
        self.at += 1
        return Group(body, Span(start, self.at), self.redirects())

    def _function_keyword(self, start: int) -> Function:
        self.at += len("function")
        self.blanks()
        match = re.compile(r"[^\s()]+").match(self.text, self.at)
        if match is None:
            raise _SyntaxFault("`function` has no name", self.at)
        self.at = match.end()
        parens = re.compile(r"[ \t]*\([ \t]*\)").match(self.text, self.at)
        if parens:
            self.at = parens.end()
        return self._function(match.group(), start)

    def _function(self, name: str, start: int) -> Function:
        self.newlines()
        body = self.command()
        return Function(name, body, Span(start, body.span.end))

    # ------------------------------------------------------------------ tests

    def _test(self, start: int) -> Test:
        self.at += 2
        expression = self._test_or()
        self.newlines()
        if not self.starts("]]"):
            expression = TestExpression("?")
            while self.at < self.end and not re.compile(r"\s\]\](?=[\s;&|)]|$)").match(self.text, self.at):
                self.at += 1
            if self.at >= self.end:
                raise _SyntaxFault("`]]` is missing", start)
            self.at += 1
        self.at += 2
        end = self.at
        self.redirects()
        return Test(expression, Span(start, end))

    def _test_or(self) -> TestExpression:
        left = self._test_and()
        while self._operator("||"):
            left = TestExpression("||", (), (left, self._test_and()))
        return left

    def _test_and(self) -> TestExpression:
        left = self._test_not()
        while self._operator("&&"):
            left = TestExpression("&&", (), (left, self._test_not()))
        return left

    def _operator(self, token: str) -> bool:
        self.newlines()
        if self.starts(token):
            self.at += len(token)
            return True
        return False

    def _test_not(self) -> TestExpression:
        self.newlines()
        if self.word_ahead() == "!":
            self.at += 1
            return TestExpression("!", (), (self._test_not(),))
        if self._operator("("):
            inner = self._test_or()
            return inner if self._operator(")") else TestExpression("?")
        first = self.word()
        if first is None or first.text == "]]":
            return TestExpression("?")
        self.blanks()
        if re.fullmatch(r"-[a-zA-Z]", first.text) and not self.starts("]]"):
            operand = self.word()
            return TestExpression(first.text, (operand,)) if operand else TestExpression("?")
        op = re.compile(r"==|=~|!=|=|<|>|-(?:eq|ne|lt|le|gt|ge|nt|ot|ef)\b").match(self.text, self.at)
        if op is None:
            return TestExpression("-n", (first,))
        self.at = op.end()
        self.blanks()
        if op.group() == "=~":
            pattern = re.compile(r"(?:\[[^\]]*\]|\([^)]*\)|\\.|'[^']*'|\"[^\"]*\"|[^\s])+").match(self.text, self.at)
            if pattern is None:
                return TestExpression("?")
            return TestExpression("=~", (first, self._regular_expression(pattern.end())))
        second = self.word()
        return TestExpression(op.group(), (first, second)) if second else TestExpression("?")

    def _regular_expression(self, end: int) -> Word:
        """What stands up to an end, in which the characters that end other words are its own."""
        start, whole = self.at, self.end
        self.end = end
        try:
            parts = self.parts("")
        finally:
            self.end = whole
        self.at = end
        return Word(parts, self.text[start:end], Span(start, end))

    # -------------------------------------------------------- simple commands

    def simple(self) -> Simple:
        start = stop = self.at
        assignments: list[Assignment] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            self.blanks()
            if self.at >= self.end:
                break
            redirect = self.redirect()
            if redirect is not None:
                redirects.append(redirect)
                stop = self.at
                continue
            assignment = self.assignment() if not words or _declares(words[0]) else None
            if assignment is not None:
                if words:
                    words.append(Word((Declared(assignment),), self.text[slice(*assignment.span)], assignment.span))
                else:
                    assignments.append(assignment)
                stop = self.at
                continue
            word = self.word()
            if word is None:
                break
            words.append(word)
            stop = self.at
        if start == stop:
            raise _SyntaxFault(f"unexpected `{self._here()}`", self.at)
        return Simple(tuple(words), Span(start, stop), tuple(assignments), tuple(redirects))

    def assignment(self) -> Assignment | None:
        """An assignment at the position; behind a word (`export x=(...)`) only an array's is one."""
        start = self.at
        match = _ASSIGNMENT.match(self.text, self.at)
        index = None
        if match:
            name, op = match.groups()
        else:
            match = _SUBSCRIPT.match(self.text, self.at)
            if match is None:
                return None
            name, index, op = match.groups()
        self.at = match.end()
        if self.starts("("):
            array = self._array()
            return Assignment(name, None, Span(start, self.at), op == "+=", index, array)
        value = self.word()
        return Assignment(name, value, Span(start, self.at), op == "+=", index)

    def _array(self) -> tuple[Word, ...]:
        opening = self.at
        self.at += 1
        words: list[Word] = []
        while True:
            self.newlines()
            if self.at >= self.end:
                raise _SyntaxFault("unclosed `(`", opening)
            if self.starts(")"):
                self.at += 1
                return tuple(words)
            word = self.word()
            if word is None:
                raise _SyntaxFault(f"unexpected `{self._here()}`", self.at)
            words.append(word)

    def redirects(self) -> tuple[Redirect, ...]:
        """The redirections behind a compound command."""
        found: list[Redirect] = []
        while True:
            self.blanks()
            redirect = self.redirect() if self.at < self.end else None
            if redirect is None:
                return tuple(found)
            found.append(redirect)

    def redirect(self) -> Redirect | None:
        match = _REDIRECT.match(self.text, self.at)
        if match is None:
            return None
        start = self.at
        number, op = match.groups()
        if op in ("<", ">") and self.text.startswith("(", match.end()) and not number:
            return None  # process substitution: a word
        self.at = match.end()
        self.blanks()
        target = self.word()
        if target is None:
            raise _SyntaxFault(f"`{op}` has no target", start)
        redirect = Redirect(op, target, Span(start, self.at), int(number) if is_number(number) else None)
        if op in ("<<", "<<-"):
            raw = self.text[target.span.start : target.span.end]
            self.pending.append((redirect, re.sub(r"[\"'\\]", "", raw), op == "<<-"))
        return redirect

    # ------------------------------------------------------------------ words

    def word(self) -> Word | None:
        """The word at the position, None if an operator, a newline or the end stands there."""
        start = self.at
        parts = self.parts(_WORD_ENDS)
        if self.at == start:
            return None
        return Word(parts, self.text[start : self.at], Span(start, self.at))

    def parts(self, ends: str) -> tuple[Part, ...]:
        """What a word is made of, up to one of these characters; a line's end is one where a newline is."""
        parts: list[Part] = []
        text = self.text
        plain_text = _plain(ends)
        self.words += 1
        if self.words > _MOST_WORDS:
            raise _TooLong(f"it has more than {_MOST_WORDS:,} words", self.at)
        while self.at < self.end:
            plain = plain_text.match(text, self.at, self.end)
            if plain:
                parts.append(Literal(plain.group()))
                self.at = plain.end()
                continue
            if len(parts) > _MOST_PARTS:
                raise _TooLong(f"it has a word of more than {_MOST_PARTS:,} parts", self.at)
            char = text[self.at]
            if char in "<>" and ends is _WORD_ENDS and text.startswith("(", self.at + 1):
                parts.append(self._process_sub(char))
            elif char == "(" and self.at > 0 and text[self.at - 1] in "@!?*+" and parts:
                parts.append(self._extended_glob())
            elif char in ends or (char == "\r" and ends is _WORD_ENDS and text.startswith("\n", self.at + 1)):
                break
            elif char == "\\":
                if not text.startswith("\\\n", self.at) and self.at + 1 < self.end:
                    parts.append(Literal(text[self.at + 1], quoted=True))
                self.at = min(self.at + 2, self.end)
            elif char == "'":
                parts.append(self._single())
            elif char == '"':
                parts.extend(self._double())
            elif char == "$":
                parts.append(self._dollar(quoted=False))
            elif char == "`":
                parts.append(self._backquote(quoted=False))
            else:
                parts.append(Literal(char))
                self.at += 1
        return _joined(parts)

    def _extended_glob(self) -> Part:
        close = self.text.find(")", self.at)
        if close < 0:
            raise _SyntaxFault("unclosed `(`", self.at)
        raw = self.text[self.at : close + 1]
        self.at = close + 1
        return Literal(raw)

    def _single(self) -> Literal:
        close = self.text.find("'", self.at + 1)
        if close < 0:
            raise _SyntaxFault("unclosed single quote", self.at)
        value = self.text[self.at + 1 : close]
        self.at = close + 1
        return Literal(value, quoted=True)

    def _ansi(self) -> Literal:
        match = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL).match(self.text, self.at)
        if match is None:
            raise _SyntaxFault("unclosed quote", self.at)
        self.at = match.end()
        escapes = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}
        value = re.sub(r"\\(.)", lambda m: escapes.get(m.group(1), m.group(1)), match.group(1), flags=re.DOTALL)
        return Literal(value, quoted=True)

    def _double(self) -> list[Part]:
        opening = self.at
        self.at += 1
        parts: list[Part] = [Literal("", quoted=True)]
        text = self.text
        while self.at < self.end:
            match = _QUOTED.match(text, self.at)
            if match:
                parts.append(Literal(match.group(), quoted=True))
                self.at = match.end()
                continue
            if len(parts) > _MOST_PARTS:
                raise _TooLong(f"it has a word of more than {_MOST_PARTS:,} parts", self.at)
            char = text[self.at]
            if char == '"':
                self.at += 1
                return parts
            if char == "\\":
                after = text[self.at + 1 : self.at + 2]
                if after and after in '$`"\\':
                    parts.append(Literal(after, quoted=True))
                elif after != "\n":
                    parts.append(Literal("\\" + after, quoted=True))
                self.at += 2
            elif char == "$":
                parts.append(self._dollar(quoted=True))
            else:
                parts.append(self._backquote(quoted=True))
        raise _SyntaxFault("unclosed double quote", opening)

    def _dollar(self, *, quoted: bool) -> Part:
        text, start = self.text, self.at
        after = text[start + 1 : start + 2]
        if after == "'" and not quoted:
            return self._ansi()
        if after == '"' and not quoted:
            self.at += 1
            return Literal("", quoted=True)
        if after == "{":
            return self._braces(quoted)
        if after == "(":
            close = self._end_of_arithmetic(start + 1) if text.startswith("$((", start) else None
            if close is not None:
                self.at = close
                return Arithmetic(text[start + 3 : close - 2])
            self.at += 2
            body = self.block(")")
            self.at += 1
            return CommandSub(body, quoted)
        if after and after in _SPECIAL:
            self.at += 2
            return Param(after, quoted=quoted)
        name = _NAME.match(text, start + 1)
        if name is None:
            self.at += 1
            return Literal("$", quoted)
        self.at = name.end()
        return Param(name.group(), quoted=quoted)

    def _braces(self, quoted: bool) -> Part:
        text, start = self.text, self.at
        self.at += 2
        length = self.starts("#") and not re.compile(r"#[}:\-=?+#%/]").match(text, self.at)
        # `${!}` and `${!:-x}` are `$!`.
        indirect = self.starts("!") and re.compile(r"![\w@*#?$!-]").match(text, self.at) is not None
        if length or indirect:
            self.at += 1
        name = _PARAMETER.match(text, self.at)
        index = None
        op = ""
        operand = None
        if name:
            self.at = name.end()
            if self.starts("["):
                close = text.find("]", self.at)
                if close < 0:
                    raise _SyntaxFault("unclosed `${`", start)
                index = text[self.at + 1 : close]
                self.at = close + 1
            match = _PARAM_OP.match(text, self.at)
            if match:
                op = match.group()
                self.at = match.end()
            operand_start = self.at
            parts = self._operand(quoted and op[:1] not in ("#", "%", "/"))
            if op:
                operand = Word(parts, text[operand_start : self.at], Span(operand_start, self.at))
        else:
            self._operand(quoted)
        if not self.starts("}"):
            raise _SyntaxFault("unclosed `${`", start)
        self.at += 1
        if name is None or (not op and operand is not None):
            return Damaged(text[start : self.at])
        return Param(name.group(), op, operand, quoted, bool(length), indirect, index)

    def _operand(self, quoted: bool) -> tuple[Part, ...]:
        """What stands behind the operator, up to the closing brace."""
        if not quoted:
            return self.parts("}")
        parts: list[Part] = []
        while self.at < self.end and not self.starts("}"):
            char = self.text[self.at]
            if char == "\\":
                parts.append(Literal(self.text[self.at + 1 : self.at + 2], quoted=True))
                self.at += 2
            elif char == '"':
                parts.extend(self._double())
            elif char == "$":
                parts.append(self._dollar(quoted=True))
            elif char == "`":
                parts.append(self._backquote(quoted=True))
            else:
                parts.append(Literal(char, quoted=True))
                self.at += 1
        return _joined(parts)

    def _backquote(self, *, quoted: bool) -> Part:
        match = re.compile(r"`((?:[^`\\]|\\.)*)`", re.DOTALL).match(self.text, self.at)
        if match is None:
            raise _SyntaxFault("unclosed backquote", self.at)
        start, close = match.span(1)
        if "\\" in match.group(1):
            self.at = match.end()
            return Damaged(match.group())
        outer_end, self.end, self.at = self.end, close, start
        try:
            items = self.statements(frozenset())
        finally:
            self.end = outer_end
        self.at = match.end()
        return CommandSub(List(tuple(items), Span(start, close)), quoted)

    def _process_sub(self, op: str) -> ProcessSub:
        self.at += 2
        body = self.block(")")
        self.at += 1
        return ProcessSub(op, body)

    def _end_of_arithmetic(self, at: int) -> int | None:
        """`at` is on the first of `((`; the offset after its `))`, None if it is no arithmetic."""
        depth = 0
        for i in range(at, self.end):
            char = self.text[i]
            if char == "(":
                depth += 1
            elif char == ")":
                depth -= 1
                if depth == 1 and not self.text.startswith("))", i) and self.text.startswith("\n", i + 1):
                    return None
                if depth == 0:
                    return i + 1 if self.text[i - 1] == ")" else None
            elif char == "\n" and depth == 0:
                return None
        return None


def _declares(word: Word) -> bool:
    return word.text in ("export", "local", "declare", "typeset", "readonly", "alias")


def _joined(parts: list[Part]) -> tuple[Part, ...]:
    """Neighbouring literals of the same quoting as one; an empty quoted one is kept where it is all there is."""
    merged: list[Part] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, Literal) and isinstance(last, Literal) and part.quoted == last.quoted:
            merged[-1] = Literal(last.text + part.text, part.quoted)
        else:
            merged.append(part)
    if len(merged) > 1:
        merged = [
            part for part in merged if not (isinstance(part, Literal) and part.quoted and not part.text)
        ] or merged[:1]
    return tuple(merged)
