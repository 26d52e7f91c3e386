"""A Dockerfile read into instructions as BuildKit reads it, every part with its exact place in the source."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from itertools import chain

from pid1lint.frozen import Frozen, NamedTuple
from pid1lint.source import Excerpt, Source, Span

KEYWORDS = frozenset(
    {"ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"}
    | {"ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}
)
ARRAY_KEYWORDS = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL", "VOLUME", "COPY", "ADD"})
FLAG_KEYWORDS = frozenset({"ADD", "COPY", "FROM", "HEALTHCHECK", "ONBUILD", "RUN"})
HEREDOC_KEYWORDS = frozenset({"RUN", "COPY", "ADD"})

MAX_INSTRUCTIONS = 10_000
"""Nobody writes so many: a file with more is not judged."""
MAX_WORDS = 50_000
"""So many words do all arrays and all COPY and ADD of a file have together; one with more is not judged."""

_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
_KEYWORD = re.compile(r"[^\t\v\f\r ]+")
_BLANKS = re.compile(r"\s*")
_JSON_BLANKS = re.compile(r"[ \t\r\n]*")
_JSON_STRING = re.compile(r'"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)"')
_JSON_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_JSON_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_NAME = re.compile(r"[@*#?\-$!0]|\d+|\w*")


class Flag(NamedTuple):
    """`--name=value`; `value` is None for a bare `--name`. Quotes in the value are undone, variables are not."""

    name: str
    value: str | None
    span: Span


class Comment(NamedTuple):
    """A comment line; `text` has neither the `#` nor blanks around it."""

    text: str
    span: Span


class Problem(NamedTuple):
    """What makes a build fail before it starts, as a message without a full stop."""

    message: str
    span: Span


class Heredoc(NamedTuple):
    """A here-document of RUN, COPY or ADD.

    `body` ends before the terminator's line and has lost its leading tabs under `<<-`; variables in it are not
    expanded. `span` runs from the body's start to the terminator's end, `marker` is the word `<<EOF`.
    """

    name: str
    body: Excerpt
    expand: bool
    strip_tabs: bool
    span: Span
    marker: Span


class Instruction(Frozen):
    """One instruction.

    `span` reaches from the keyword to the end of the last line, heredocs included, without the line end. `text` is
    what follows the flags, with continuations joined and the comment and blank lines inside them dropped. `words`
    are the elements if that is a JSON array of strings by Go's strict rules, and `array` is where it stands;
    `broken_json` says why something that looks like an array is none. `inner` is what ONBUILD holds back.
    """

    keyword: str
    span: Span
    keyword_span: Span
    flags: tuple[Flag, ...]
    text: Excerpt
    words: tuple[Excerpt, ...] | None = None
    array: Span | None = None
    broken_json: str | None = None
    heredocs: tuple[Heredoc, ...] = ()
    inner: Instruction | None = None

    def flag(self, name: str) -> str | None:
        """The value of the last `--name`, the empty string for a bare one, None without one."""
        found = [flag.value or "" for flag in self.flags if flag.name == name]
        return found[-1] if found else None


COMMENT_AFTER_ARRAY = "a comment after the array"
"""Why an array is no JSON: a value of `broken_json`."""


class Dockerfile(Frozen):
    """A scanned Dockerfile; `directives` are the parser directives (syntax, escape, check) in their order.

    `beyond` says what it has too much of to be judged: instructions, of which the rest was not read, or words.
    """

    source: Source
    escape: str
    instructions: tuple[Instruction, ...]
    comments: tuple[Comment, ...]
    problems: tuple[Problem, ...]
    directives: tuple[tuple[str, str], ...] = ()
    beyond: Problem | None = None

    def directive(self, name: str) -> str | None:
        """The value of a parser directive, or None."""
        return dict(self.directives).get(name)

    def has_comment(self, span: Span) -> bool:
        """Whether a comment stands within a span."""
        at = bisect_left(self._comment_starts, span.start)
        return at < len(self.comments) and span.covers(self.comments[at].span)

    @cached_property
    def _comment_starts(self) -> tuple[int, ...]:
        return tuple(comment.span.start for comment in self.comments)


def scan(source: Source) -> Dockerfile:
    """Read a Dockerfile; what does not parse becomes a `Problem`, and nothing is raised."""
    return _Scanner(source).scan()


class _Line(NamedTuple):
    """A line's first offset, the offset of its line end, and the offset of the next line."""

    start: int
    end: int
    following: int


class _LexError(Exception):
    """BuildKit's lexer would give up on this text."""


class _Scanner:
    """The state of one scan: the lines, and how far they are read."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.escape = "\\"
        self.lines = list(_lines(source.text))
        self.at = 0
        self.instructions: list[Instruction] = []
        self.comments: list[Comment] = []
        self.problems: list[Problem] = []
        self.directives: dict[str, str] = {}

    def scan(self) -> Dockerfile:
        self._read_directives()
        while self.at < len(self.lines) and len(self.instructions) <= MAX_INSTRUCTIONS:
            self._read_line()
        self._check_order()
        return Dockerfile(
            self.source,
            self.escape,
            tuple(self.instructions),
            tuple(self.comments),
            tuple(self.problems),
            tuple(self.directives.items()),
            self._beyond(),
        )

    def _beyond(self) -> Problem | None:
        if len(self.instructions) > MAX_INSTRUCTIONS:
            message = f"has more than {MAX_INSTRUCTIONS} instructions: pid1lint does not read the rest"
            return Problem(message, self.instructions[-1].keyword_span)
        count = 0
        for instruction in self.instructions:
            count += _word_count(instruction.inner or instruction)
            if count > MAX_WORDS:
                message = f"has more than {MAX_WORDS} words in arrays, COPY and ADD: pid1lint does not judge it"
                return Problem(message, instruction.keyword_span)
        return None

    def _read_directives(self) -> None:
        # The lines stay unread: to everybody else a directive is a comment.
        for line in self.lines:
            text = self.source.text[line.start : line.end]
            match = _DIRECTIVE.match(text.lstrip())
            if match is None or match[1].lower() not in ("syntax", "escape", "check"):
                return
            name, value = match[1].lower(), match[2]
            if name in self.directives:
                self.problems.append(Problem(f"only one {name} directive is allowed", Span(line.start, line.end)))
                return
            self.directives[name] = value
            if name == "escape" and value in ("\\", "`"):
                self.escape = value
            elif name == "escape":
                message = f"the escape character is either \\ or `, not {value}"
                self.problems.append(Problem(message, Span(line.start, line.end)))

    def _read_line(self) -> None:
        line = self.lines[self.at]
        self.at += 1
        text = self.source.text[line.start : line.end].lstrip()
        if not text:
            return
        if text[0] == "#":
            self._add_comment(line)
            return
        start = line.end - len(text)
        segments = [self._segment(start, line.end)]
        last = line
        more = segments[0].end < line.end
        while more and self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            text = self.source.text[line.start : line.end].lstrip()
            if text and text[0] == "#":
                self._add_comment(line)
            elif text:
                segments.append(self._segment(line.start, line.end))
                more = segments[-1].end < line.end
                last = line
        logical = _strip(_join(self.source, segments))
        if logical.text:
            self._add_instruction(logical, last)

    def _segment(self, start: int, end: int) -> Span:
        """A physical line without its continuation character; it is shorter than the line if there was one."""
        text = self.source.text[start:end].rstrip(" \t")
        if text.endswith(self.escape) and not text[:-1].endswith(self.escape):
            return Span(start, start + len(text) - 1)
        return Span(start, end)

    def _add_comment(self, line: _Line) -> None:
        text = self.source.text[line.start : line.end]
        start = line.end - len(text.lstrip())
        self.comments.append(Comment(text.strip()[1:].strip(), Span(start, line.end)))

    def _add_instruction(self, logical: Excerpt, last: _Line) -> None:
        heredocs: list[Heredoc] = []
        end = last.end
        markers = _markers(logical) if "<<" in logical.text and self._takes_heredocs(logical) else []
        for marker in markers:
            heredoc = self._read_heredoc(marker, logical)
            heredocs.append(heredoc)
            end = heredoc.span.end
        instruction = self._instruction(logical, end, tuple(heredocs))
        self.instructions.append(instruction)

    def _takes_heredocs(self, logical: Excerpt) -> bool:
        instruction = self._instruction(logical, 0, (), report=False)
        if instruction.keyword == "ONBUILD" and instruction.inner is not None:
            instruction = instruction.inner
        return instruction.keyword in HEREDOC_KEYWORDS and instruction.words is None

    def _read_heredoc(self, marker: _Marker, logical: Excerpt) -> Heredoc:
        first = self.at
        start = self.lines[first].start if first < len(self.lines) else len(self.source.text)
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            text = self.source.text[line.start : line.end]
            if (text.lstrip("\t") if marker.strip_tabs else text) == marker.name:
                body = self._body(first, self.at - 1, start, line.start, marker.strip_tabs)
                span = Span(start, line.end)
                return Heredoc(marker.name, body, marker.expand, marker.strip_tabs, span, marker.span)
        self.problems.append(Problem(f"the heredoc {marker.name} is not terminated", marker.span))
        end = len(self.source.text)
        body = self._body(first, self.at, start, end, marker.strip_tabs)
        return Heredoc(marker.name, body, marker.expand, marker.strip_tabs, Span(start, end), marker.span)

    def _body(self, first: int, after: int, start: int, end: int, strip_tabs: bool) -> Excerpt:
        text = self.source.text
        if not strip_tabs or "\t" not in text[start:end]:
            return Excerpt(self.source, text[start:end], None, start)
        segments = []
        for line in self.lines[first:after]:
            tabs = len(text[line.start : line.end]) - len(text[line.start : line.end].lstrip("\t"))
            segments.append(Span(line.start + tabs, line.following))
        return _join(self.source, segments) if segments else Excerpt(self.source, "", None, start)

    def _instruction(
        self, logical: Excerpt, end: int, heredocs: tuple[Heredoc, ...], report: bool = True
    ) -> Instruction:
        match = _KEYWORD.match(logical.text)
        split = match.end() if match else 0
        keyword = logical.text[:split].upper()
        flags, at = _flags(logical, _skip(logical.text, split), self.escape)
        text = _strip(logical.cut(at, len(logical.text)))
        words, array, broken = _read_array(text) if keyword in ARRAY_KEYWORDS else (None, None, None)
        span = Span(logical.offset(0), end)
        inner = None
        if keyword == "ONBUILD" and text.text and not text.text[:7].upper().startswith("ONBUILD"):
            inner = self._instruction(text, end, heredocs, report)
        instruction = Instruction(
            keyword, span, logical.span(0, split), flags, text, words, array, broken, heredocs, inner
        )
        if report:
            self.problems.extend(_problems(instruction))
        return instruction

    def _check_order(self) -> None:
        if not self.instructions:
            self.problems.append(Problem("the file has no instruction", Span(0, 0)))
            return
        for instruction in self.instructions:
            if instruction.keyword == "FROM":
                return
            if instruction.keyword in KEYWORDS - {"ARG"}:
                message = f"{instruction.keyword} must come after a FROM"
                self.problems.append(Problem(message, instruction.keyword_span))
                break
        if len(self.instructions) <= MAX_INSTRUCTIONS and all(
            instruction.keyword != "FROM" for instruction in self.instructions
        ):
            self.problems.append(Problem("the file has no FROM", self.instructions[0].keyword_span))


def _word_count(instruction: Instruction) -> int:
    """How many words of an instruction are looked at one by one; a shell's text is not split here."""
    if instruction.words is not None:
        return len(instruction.words)
    return len(instruction.text.text.split()) if instruction.keyword in ("COPY", "ADD") else 0


def _lines(text: str) -> Iterator[_Line]:
    start = 0
    while start < len(text):
        found = text.find("\n", start)
        following = len(text) if found < 0 else found + 1
        yield _Line(start, start + len(text[start:following].rstrip("\r\n")), following)
        start = following


def _join(source: Source, segments: list[Span]) -> Excerpt:
    if len(segments) == 1:
        start, end = segments[0]
        return Excerpt(source, source.text[start:end], None, start)
    text = "".join([source.text[start:end] for start, end in segments])
    offsets = (*chain.from_iterable(range(start, end) for start, end in segments), segments[-1].end)
    return Excerpt(source, text, offsets)


def _strip(excerpt: Excerpt) -> Excerpt:
    stripped = excerpt.text.strip()
    if stripped == excerpt.text:
        return excerpt
    if not stripped:
        return Excerpt(excerpt.source, "", None, excerpt.offset(0))
    start = len(excerpt.text) - len(excerpt.text.lstrip())
    end = start + len(stripped)
    cut = excerpt.cut(start, end)
    if cut.offsets is None:
        return cut
    # The end must not lie behind a continuation that only led to blanks.
    return Excerpt(cut.source, cut.text, (*cut.offsets[:-1], cut.offsets[-2] + 1))


def _skip(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at


# ------------------------------------------------------------------ flags


def _flags(logical: Excerpt, at: int, escape: str) -> tuple[tuple[Flag, ...], int]:
    """The flags from `at` on, and where the arguments begin."""
    flags: list[Flag] = []
    text = logical.text
    while text.startswith("--", at):
        word, end = _flag_word(text, at, escape)
        if word == "--":
            return tuple(flags), end
        name, equals, value = word[2:].partition("=")
        flags.append(Flag(name, value if equals else None, logical.span(at, end)))
        at = _skip(text, end)
    return tuple(flags), at


def _flag_word(text: str, at: int, escape: str) -> tuple[str, int]:
    word: list[str] = []
    quote = ""
    while at < len(text):
        char = text[at]
        if char == escape:
            word.append(text[at + 1 : at + 2])
            at += 1
        elif quote:
            quote = "" if char == quote else quote
            word.append("" if not quote else char)
        elif char in "'\"":
            quote = char
        elif char.isspace():
            break
        else:
            word.append(char)
        at += 1
    return "".join(word), min(at, len(text))


# ------------------------------------------------------------- JSON arrays


def _read_array(text: Excerpt) -> tuple[tuple[Excerpt, ...] | None, Span | None, str | None]:
    if not text.text.startswith("["):
        return None, None, None
    words = _array(text)
    if words is not None:
        return words, text.span(0, len(text.text)), None
    return None, None, _why_broken(text)


def _array(text: Excerpt) -> tuple[Excerpt, ...] | None:
    """The strings of a text that is a JSON array of strings and nothing else, else None."""
    chars = text.text
    at = _skip_json(chars, 1)
    words: list[Excerpt] = []
    if chars.startswith("]", at):
        return () if at + 1 == len(chars) else None
    while match := _JSON_STRING.match(chars, at):
        words.append(_decode(text.cut(match.start(1), match.end(1))))
        at = _skip_json(chars, match.end())
        if chars.startswith("]", at):
            return tuple(words) if at + 1 == len(chars) else None
        if not chars.startswith(",", at):
            return None
        at = _skip_json(chars, at + 1)
    return None


def _skip_json(text: str, at: int) -> int:
    match = _JSON_BLANKS.match(text, at)
    return match.end() if match else at


def _decode(raw: Excerpt) -> Excerpt:
    """A JSON string's value; each of its characters points to the first source character that stands for it."""
    if "\\" not in raw.text:
        return Excerpt(raw.source, raw.text, raw.offsets, raw.base, "json")
    chars: list[str] = []
    offsets: list[int] = []
    at = 0
    while at < len(raw.text):
        match = _JSON_ESCAPE.match(raw.text, at)
        offsets.append(raw.offset(at))
        if match is None:
            chars.append(raw.text[at])
            at += 1
            continue
        char = chr(int(match[1], 16)) if match[1] else _JSON_ESCAPES.get(match[2], match[2])
        at = match.end()
        low = _JSON_ESCAPE.match(raw.text, at)
        if "\ud800" <= char <= "\udbff" and low and low[1] and "\udc00" <= chr(int(low[1], 16)) <= "\udfff":
            char = chr(0x10000 + ((ord(char) - 0xD800) << 10) + int(low[1], 16) - 0xDC00)
            at = low.end()
        # Go replaces what is left of a broken pair.
        chars.append("\ufffd" if "\ud800" <= char <= "\udfff" else char)
    offsets.append(raw.offset(len(raw.text)))
    return Excerpt(raw.source, "".join(chars), tuple(offsets), 0, "json")


def _why_broken(text: Excerpt) -> str | None:
    """Why a text that starts with `[` is no array of strings; None if it is the command `[` or `[[`."""
    chars = text.text
    if re.match(r"\[\[|\[\s.*\s\]\s*(?:&&|\|\||;)", chars, re.DOTALL):
        return None
    if any(quote in chars for quote in "\u201c\u201d\u2018\u2019\u00ab\u00bb"):
        return "typographic quotes"
    inside = chars[1:].lstrip()
    if inside.startswith("'") or re.search(r",\s*'", inside):
        return "single quotes"
    if inside.startswith(("`", "$", "-")):
        return "unquoted elements"
    bracket = re.search(r"\](?=\s+#)", chars)
    if bracket is not None and _array(text.cut(0, bracket.end())) is not None:
        return COMMENT_AFTER_ARRAY
    close = chars.rfind("]")
    if close < 0:
        return "unclosed array"
    if close + 1 < len(chars) and _array(text.cut(0, close + 1)) is not None:
        return "text after the array"
    if re.search(r",\s*\]\Z", chars):
        return "trailing comma"
    return _why_not_strings(chars)


def _why_not_strings(chars: str) -> str:
    import json

    try:
        json.loads(chars)
    except json.JSONDecodeError as error:
        reasons = {
            "Expecting ',' delimiter": "missing comma",
            "Expecting value": "unquoted elements",
            "Unterminated string starting at": "unclosed string",
        }
        if error.msg.startswith("Invalid") and "escape" in error.msg:
            return "invalid escape"
        return reasons.get(error.msg, "malformed")
    except RecursionError:
        return "not all strings"
    return "not all strings"


# --------------------------------------------------------------- heredocs


class _Marker(NamedTuple):
    """A word that announces a heredoc."""

    name: str
    expand: bool
    strip_tabs: bool
    span: Span


def _markers(logical: Excerpt) -> list[_Marker]:
    try:
        words = list(_split(logical.text))
    except (_LexError, RecursionError):
        # BuildKit ignores the error, and with it every heredoc of the line.
        return []
    markers = []
    for start, end in words:
        match = re.match(r"(\d*)<<(-?)\s*([^<]*)\Z", logical.text[start:end])
        if match and match[3]:
            name, quoted, single = _unquote(match[3])
            if single and name:
                markers.append(_Marker(name, not quoted, match[2] == "-", logical.span(start, end)))
    return markers


def _split(text: str) -> Iterator[tuple[int, int]]:
    """The ranges of the words of a line, quotes and escapes kept in them, as BuildKit's lexer sees them."""
    at = 0
    start = -1
    while at < len(text):
        char = text[at]
        if char.isspace():
            if start >= 0:
                yield start, at
                start = -1
            at += 1
            continue
        start = at if start < 0 else start
        at = _skip(text, at + 2) if text.startswith("<<", at) else _lex(text, at)
    if start >= 0:
        yield start, at


def _lex(text: str, at: int) -> int:
    """Where the quoted text, expansion, escape or plain character at `at` ends."""
    char = text[at]
    if char == "'":
        return _find(text, "'", at + 1) + 1
    if char == '"':
        return _double_quoted(text, at)
    if char == "$":
        return _dollar(text, at)
    return min(at + 2, len(text)) if char == "\\" else at + 1


def _find(text: str, char: str, at: int) -> int:
    found = text.find(char, at)
    if found < 0:
        raise _LexError
    return found


def _double_quoted(text: str, at: int) -> int:
    at += 1
    while at < len(text):
        if text[at] == '"':
            return at + 1
        if text[at] == "$":
            at = _dollar(text, at)
        else:
            at += 2 if text[at] == "\\" and text[at + 1 : at + 2] in ('"', "$", "\\") else 1
    raise _LexError


def _dollar(text: str, at: int) -> int:
    if not text.startswith("{", at + 1):
        match = _NAME.match(text, at + 1)
        return match.end() if match else at + 1
    if text[at + 2 : at + 3] in ("", "{", "}", ":"):
        raise _LexError
    match = _NAME.match(text, at + 2)
    at = match.end() if match else at + 2
    if text.startswith("}", at):
        return at + 1
    if text.startswith("/", at):
        at += 2 if text.startswith("//", at) else 1
        return _until(text, _until(text, at, "/"), "}")
    at += text.startswith(":", at)
    if text[at : at + 1] not in ("+", "-", "?", "#", "%"):
        raise _LexError
    return _until(text, at + 1, "}")


def _until(text: str, at: int, stop: str) -> int:
    while at < len(text):
        if text[at] == stop:
            return at + 1
        at = _lex(text, at)
    raise _LexError


def _unquote(word: str) -> tuple[str, bool, bool]:
    """A heredoc's name without quotes, whether it had any, and whether it is a single word."""
    name: list[str] = []
    quoted = False
    at = 0
    while at < len(word):
        end = _lex(word, at)
        if word[at] in "'\"":
            quoted = True
            name.append(word[at + 1 : end - 1])
        elif word[at] == "\\":
            name.append(word[at + 1 : end])
        elif word[at].isspace():
            return "", quoted, not word[at:].strip() and bool(name)
        else:
            name.append(word[at:end])
        at = end
    return "".join(name), quoted, True


# --------------------------------------------------------------- problems


def _problems(instruction: Instruction) -> Iterator[Problem]:
    keyword = instruction.keyword
    if keyword not in KEYWORDS:
        yield Problem(f"unknown instruction: {_shorten(keyword)}", instruction.keyword_span)
    elif instruction.flags and keyword not in FLAG_KEYWORDS:
        flag = instruction.flags[0]
        yield Problem(f"{keyword} has no flag --{_shorten(flag.name)}", flag.span)
    elif instruction.broken_json == "not all strings":
        yield Problem(f"the array of {keyword} must contain only strings", instruction.text.place().span)
    elif keyword == "SHELL" and not instruction.words:
        yield Problem("SHELL needs a JSON array of strings", instruction.keyword_span)
    elif keyword == "ONBUILD" and instruction.inner is None:
        yield Problem("ONBUILD needs an instruction", instruction.keyword_span)
    elif keyword == "FROM" and not _is_from(instruction.text.text.split()):
        yield Problem("FROM needs an image, or an image, AS and a name", instruction.span)


def _is_from(words: list[str]) -> bool:
    return len(words) == 1 or (len(words) == 3 and words[1].upper() == "AS")


def _shorten(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
