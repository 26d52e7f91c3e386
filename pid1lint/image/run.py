"""What a RUN does to the files of the image, as far as its shell text tells."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping

from pid1lint.dockerfile.expand import UNKNOWN
from pid1lint.dockerfile.scanner import Instruction
from pid1lint.dockerfile.stages import join
from pid1lint.frozen import NamedTuple
from pid1lint.image.changes import (
    Alter,
    Append,
    Change,
    Chmod,
    Duplicate,
    Link,
    Permission,
    Put,
    Remove,
    Target,
    has_wildcard,
)
from pid1lint.image.output import align, concatenate, echo, expand_body, printf
from pid1lint.shell.ir import (
    AndOr,
    Case,
    CommandSub,
    For,
    Group,
    If,
    List,
    Literal,
    Loop,
    Node,
    Param,
    Pipeline,
    Redirect,
    Script,
    Simple,
    Subshell,
    Word,
)
from pid1lint.source import Excerpt, Place

_FILE_VERBS = (
    r">|\b(?:cp|mv|ln|install|chmod|rm|tee|sed|dos2unix|fromdos|curl|wget|perl|truncate|touch|unlink)\b"
    r"|\.sh\b|\./|/\$"
)
_SYSTEM_PROGRAM = r"/(?:usr/(?:local/)?)?s?bin/[^/]*(?<!\.sh)"
_INSTALL_VERBS = r"\b(?:apt|apt-get|aptitude|apk|dnf|yum|microdnf|tdnf|zypper|pacman|install_packages|opkg)\b"
_PREFIXES = frozenset(("sudo", "command", "env", "time", "nice", "builtin", "exec", "eatmydata"))
_NEW_FILE = Permission.of(0o644)
_CR = r"\\r|\\x0[dD]|\\015|\^M|\r|\$'\\r'"
_MAX_LOOP = 30
_MAX_COMMANDS = 2_000
_MAX_BRACES = 3
_MAX_VALUE = 50_000

# Options that take the next word as their value.
_VALUED = {
    "apk": frozenset(("-t", "--virtual", "--repository", "-X", "--root", "-p", "--arch", "--keys-dir")),
    "apt-get": frozenset(("-o", "-t", "-c", "--target-release", "--default-release", "--option")),
    "install": frozenset(("-m", "-o", "-g", "-t", "-S", "--mode", "--owner", "--group", "--target-directory")),
    "curl": frozenset(
        "-o -H -d -u -A -e -x -X -w -b -c -m -T -F -E --retry --output --header --data --user".split(" ")
    ),
    "wget": frozenset(("-O", "-P", "-U", "-t", "-T", "-o", "-a", "--output-document", "--header", "--tries")),
    "cp": frozenset(("-t", "-S", "--target-directory")),
    "mv": frozenset(("-t", "-S", "--target-directory")),
    "ln": frozenset(("-t", "-S", "--target-directory")),
    "sed": frozenset(("-e", "--expression", "-f", "--file", "-l")),
    "dnf": frozenset(("--setopt", "--enablerepo", "--disablerepo", "--repo", "--releasever", "-c")),
}
_INSTALLERS = {
    "apt": ("install",),
    "apt-get": ("install",),
    "aptitude": ("install",),
    "apk": ("add",),
    "dnf": ("install",),
    "yum": ("install", "localinstall"),
    "microdnf": ("install",),
    "tdnf": ("install",),
    "zypper": ("install", "in"),
    "pacman": ("-S", "-Sy", "-Syu", "-Syy", "-Syyu"),
    "opkg": ("install",),
    "install_packages": (),
}

_BUILD_VARIABLES = ("CARGO_HOME", "CARGO_TARGET_DIR", "GOBIN", "GOPATH")

# Commands of which all effects on files are followed here, or lie in the directories of the system's own programs.
_FOLLOWED = frozenset(
    ": adduser addgroup apk apt apt-cache apt-get aptitude cat cd chgrp chmod chown cp dnf dos2unix echo export "
    "gem groupadd groupmod install_packages ldconfig ln locale-gen microdnf mkdir mv npm opkg pacman pip pip3 printf "
    "rm rmdir sed set setcap tdnf touch true update-ca-certificates useradd usermod yum zypper [ test".split()
)


class Surroundings(NamedTuple):
    """What a RUN finds: its variables and directory, which paths are directories, whether `echo` undoes escapes."""

    variables: Mapping[str, str]
    workdir: str
    is_dir: Callable[[str], bool]
    echo_escapes: bool | None


class Ran(NamedTuple):
    """A command of a RUN: its argv as far as it is known, and where it is run.

    `variables` are those in front of it, and those of the environment that say where a compiler puts what it makes.
    """

    argv: tuple[str, ...]
    cwd: str
    variables: Mapping[str, str]
    place: Place


class Effects(NamedTuple):
    """What a RUN leaves behind; `commands` are those that it runs, in order.

    `followed` says that these are all: no function is defined, nothing could not be read.
    """

    changes: tuple[Change, ...]
    packages: tuple[str, ...]
    commands: tuple[Ran, ...] = ()
    followed: bool = True


NOTHING = Effects((), ())


def scripts(instruction: Instruction) -> tuple[Excerpt, ...]:
    """The shell texts that a RUN in shell form executes; nothing for a heredoc that another program reads."""
    text = instruction.text
    if not instruction.heredocs:
        return (text,) if text.text else ()
    markers = [heredoc.marker for heredoc in instruction.heredocs]
    if len(markers) == 1 and markers[0] == text.place().span:
        body = instruction.heredocs[0].body
        first = body.text.partition("\n")[0]
        return (body,) if not first.startswith("#!") or first.rstrip().endswith("sh") else ()
    parts = [text]
    for heredoc in instruction.heredocs:
        # The body's own text, so that `<<-` and its tabs come to the shell as Docker hands them over.
        after = heredoc.body.offset(len(heredoc.body.text))
        parts += [
            Excerpt(text.source, "\n", (after, after)),
            heredoc.body,
            Excerpt(text.source, heredoc.name, tuple([after] * (len(heredoc.name) + 1))),
        ]
    return (concatenate([parts[0], *_joined_heredocs(parts[1:])]),)


def _joined_heredocs(parts: list[Excerpt]) -> list[Excerpt]:
    return [part for part in parts if part.text]


def touches_files(text: str) -> bool:
    """Whether a RUN may change a file that matters here; a cheap look that spares most RUNs the parse."""
    return re.search(_FILE_VERBS, text) is not None


def installs(text: str) -> bool:
    """Whether a RUN may install packages."""
    return re.search(_INSTALL_VERBS, text) is not None


def makes_unknown_files(instruction: Instruction) -> bool:
    """Whether a RUN may make files that `effects` does not tell of."""
    if instruction.words is not None:
        return bool(instruction.words) and instruction.words[0].text not in _FOLLOWED
    from pid1lint.shell.parse import parse

    texts = scripts(instruction)
    return not texts or not all(_is_followed(parse(text)) for text in texts)


def _is_followed(script: Script) -> bool:
    return not script.damage and all(_all_followed(item.node) for item in script.body.items)


def _all_followed(node: Node) -> bool:
    match node:
        case Simple():
            name = node.words[0].literal if node.words else ":"
            return name in _FOLLOWED and not any(isinstance(part, CommandSub) for w in node.words for part in w.parts)
        case AndOr():
            return all(map(_all_followed, node.links))
        case List():
            return all(_all_followed(item.node) for item in node.items)
        case Group() | Subshell():
            return _all_followed(node.body)
        case _:
            return False


def effects(instruction: Instruction, surroundings: Surroundings) -> Effects:
    """The effects of one RUN instruction."""
    place = Place(instruction.text.source, instruction.span)
    if instruction.words is not None:
        runner = _Runner(instruction.text, surroundings, place, instruction)
        runner.command([_Value(word.text, False) for word in instruction.words], ())
        return runner.effects()
    found = NOTHING
    for excerpt in scripts(instruction):
        runner = _Runner(excerpt, surroundings, place, instruction)
        runner.run()
        part = runner.effects()
        found = Effects(found.changes + part.changes, found.packages + part.packages, found.commands + part.commands)
    return found


class _Value(NamedTuple):
    """An expanded word; `pattern` if a wildcard in it stands outside quotes."""

    text: str
    pattern: bool


class _Runner:
    """The state of one shell that is followed: variables, directory, and what it has done so far."""

    def __init__(self, excerpt: Excerpt, around: Surroundings, place: Place, instruction: Instruction) -> None:
        self.excerpt = excerpt
        self.around = around
        self.place = place
        self.instruction = instruction
        self.variables = {"HOME": "/root", **around.variables}
        self.cwd = around.workdir
        self.changes: list[Change] = []
        self.packages: list[str] = []
        self.commands: list[Ran] = []
        self.is_followed = True
        self.assigned: dict[str, str] = {}
        self.at = place
        self.followed = 0

    def run(self) -> None:
        # The parser is only loaded for a RUN that needs it.
        from pid1lint.shell.parse import parse

        script: Script = parse(self.excerpt)
        self.is_followed = not script.damage
        self.visit(script.body)

    def effects(self) -> Effects:
        return Effects(tuple(self.changes), tuple(self.packages), tuple(self.commands), self.is_followed)

    # -------------------------------------------------------------- nodes

    def visit(self, node: Node) -> None:
        """Follow a command; every branch counts as taken."""
        match node:
            case Simple():
                self._simple(node)
            case List():
                for item in node.items:
                    self.visit(item.node)
            case AndOr():
                for link in node.links:
                    self.visit(link)
            case Pipeline():
                self._pipeline(node)
            case If():
                self._if(node)
            case For():
                self._for(node)
            case Loop():
                self.visit(node.condition)
                self.visit(node.body)
            case Case():
                for arm in node.arms:
                    self.visit(arm.body)
            case Group() | Subshell():
                self._block(node)
            case _:
                self.is_followed = False

    def _if(self, node: If) -> None:
        for condition, body in node.branches:
            self.visit(condition)
            self.visit(body)
        if node.otherwise is not None:
            self.visit(node.otherwise)

    def _for(self, node: For) -> None:
        values = [value.text for word in node.words or () for value in self._expand(word)][:_MAX_LOOP]
        for value in values or [UNKNOWN]:
            if self.followed > _MAX_COMMANDS:
                return
            self.variables[node.name] = value
            self.visit(node.body)

    def _block(self, node: Group | Subshell) -> None:
        cwd, variables = self.cwd, dict(self.variables)
        written = [redirect for redirect in node.redirects if redirect.op in (">", ">|", ">>")]
        if written:
            self._write(self._output(node), written)
        else:
            self.visit(node.body)
        if isinstance(node, Subshell):
            self.cwd, self.variables = cwd, variables

    def _pipeline(self, node: Pipeline) -> None:
        last = node.commands[-1] if node.commands else None
        if len(node.commands) > 1 and isinstance(last, Simple):
            values = self._values(last.words)
            name = _name(values)
            if name == "tee":
                self._tee(values, self._output(node.commands[-2]) if len(node.commands) == 2 else None)
                return
            if name == "xargs" and self._xargs(node.commands[-2], values[1:]):
                return
            if self._redirected_filter(node, last):
                return
        for command in node.commands:
            self.visit(command)

    def _redirected_filter(self, node: Pipeline, last: Simple) -> bool:
        r"""`cat in | tr -d '\r' > out` writes a file of which nothing more is known."""
        written = [redirect for redirect in last.redirects if redirect.op in (">", ">|", ">>")]
        if written:
            self._write(None, written)
        return bool(written)

    # ----------------------------------------------------- simple commands

    def _simple(self, node: Simple) -> None:
        self.followed += 1
        if self.followed > _MAX_COMMANDS:
            self.is_followed = False
            return
        assigned = {
            assignment.name: "".join(value.text for value in self._expand(assignment.value))
            for assignment in node.assignments
            if assignment.value is not None
        }
        if not node.words:
            self.variables.update(assigned)
        self.assigned, self.at = assigned, self._place(node)
        values = self._values(node.words)
        written = [redirect for redirect in node.redirects if redirect.op in (">", ">|", ">>", "&>")]
        if _name(values) in ("tr", "sed") and written and self._filtered(values, node.redirects, written):
            return
        written = [redirect for redirect in written if redirect.descriptor in (None, 1)]
        if written:
            self._write(self._output(node), written)
        if values:
            self.command(values, node.redirects)

    def command(self, values: list[_Value], redirects: tuple[Redirect, ...]) -> None:
        """Follow one command by its argv."""
        while values and posixpath.basename(values[0].text) in _PREFIXES:
            values = _after_options(values[1:])
        name = _name(values)
        if values:
            argv = tuple(value.text for value in values)
            known = {name: self.variables[name] for name in _BUILD_VARIABLES if name in self.variables}
            self.commands.append(Ran(argv, self.cwd, {**known, **self.assigned}, self.at))
        arguments = values[1:]
        handler = _HANDLERS.get(name)
        if handler is not None:
            handler(self, arguments)
        elif name == "tee":
            self._tee(values, self._heredoc(redirects))
        elif name in ("curl", "wget"):
            self._download(name, arguments)
        elif name in _INSTALLERS:
            self._install_packages(name, arguments)
        elif _is_script_of_ones_own(values):
            # It may well change modes; what else it does is left aside.
            self.changes.append(Chmod(Target("/", False, True), "?"))

    def _place(self, node: Simple) -> Place:
        """Where a command's words stand."""
        if not node.words:
            return self.place
        found = self.excerpt.cut(node.words[0].span.start, node.words[-1].span.end)
        return found.place() if found.text else self.place

    def _cd(self, arguments: list[_Value]) -> None:
        self.cwd = join(self.cwd, arguments[0].text if arguments else self.variables["HOME"])

    def _export(self, arguments: list[_Value]) -> None:
        for value in arguments:
            name, equals, text = value.text.partition("=")
            if equals:
                self.variables[name] = text

    def _chmod(self, arguments: list[_Value]) -> None:
        recursive = any(v.text in ("-R", "--recursive") or re.fullmatch(r"-[Rcfv]+", v.text) for v in arguments)
        plain = [v for v in arguments if not re.fullmatch(r"-[Rcfv]+|--[a-z-]+(=.*)?", v.text)]
        for target in plain[1:]:
            self.changes.append(Chmod(self._target(target, recursive), plain[0].text))

    def _remove(self, arguments: list[_Value]) -> None:
        for value in arguments:
            if not value.text.startswith("-"):
                self.changes.append(Remove(self._target(value, recursive=True)))

    def _copy(self, arguments: list[_Value], moved: bool = False) -> None:
        directory, plain = _operands("cp", arguments, ("-t", "--target-directory"))
        self._duplicate(plain, directory, moved=moved)

    def _move(self, arguments: list[_Value]) -> None:
        self._copy(arguments, moved=True)

    def _install(self, arguments: list[_Value]) -> None:
        if any(v.text in ("-d", "--directory") or re.fullmatch(r"-[a-zA-Z]*d", v.text) for v in arguments):
            return
        mode, _ = _operands("install", arguments, ("-m", "--mode"))
        joined = next(
            (m[1] for v in arguments if (m := re.fullmatch(r"-[a-zA-Z]*m=?([0-7]+|[ugoa]*[=+].*)", v.text))), ""
        )
        directory, plain = _operands("install", arguments, ("-t", "--target-directory"))
        self._duplicate(plain, directory, spec=(mode.text if mode else "") or joined or "755")

    def _duplicate(
        self, plain: list[_Value], directory: _Value | None, moved: bool = False, spec: str | None = None
    ) -> None:
        sources = plain if directory else plain[:-1]
        if not sources or (directory is None and len(plain) < 2):
            return
        target = directory or plain[-1]
        path = join(self.cwd, target.text)
        into = bool(directory) or len(sources) > 1 or target.text.endswith(("/", "/.")) or target.text in (".", "..")
        into = into or sources[0].pattern or self.around.is_dir(path)
        for source in sources:
            contents = source.text.endswith("/.")
            found = self._target(source)
            self.changes.append(Duplicate(found, path, self.place, into and not contents, moved, spec))

    def _link(self, arguments: list[_Value]) -> None:
        symbolic = any(re.fullmatch(r"-[a-zA-Z]*s[a-zA-Z]*|--symbolic", v.text) for v in arguments)
        no_target_dir = any(re.fullmatch(r"-[a-zA-Z]*[nT][a-zA-Z]*|--no-.*", v.text) for v in arguments)
        directory, plain = _operands("ln", arguments, ("-t", "--target-directory"))
        if not symbolic:
            self._duplicate(plain, directory)
            return
        if directory is None and len(plain) == 1:
            directory = _Value(".", False)
        targets = plain if directory else plain[:-1]
        for target in targets:
            path = join(self.cwd, (directory or plain[-1]).text)
            into = bool(directory) or len(targets) > 1 or (directory or plain[-1]).text.endswith("/")
            if into or (not no_target_dir and self.around.is_dir(path)):
                path = join(path, posixpath.basename(target.text.rstrip("/")))
            self.changes.append(Link(path, join(posixpath.dirname(path), target.text)))

    def _sed(self, arguments: list[_Value]) -> None:
        if not any(re.match(r"-[a-zA-Z]*i|--in-place", v.text) for v in arguments):
            return
        expression, plain = _operands("sed", arguments, ("-e", "--expression"))
        if expression is None and plain:
            expression, plain = plain[0], plain[1:]
        if expression is not None:
            # On BSD's sed, and by a slip, `-i ''` leaves an empty word.
            self._alter([v for v in plain if v.text], _is_crlf_fix(expression.text))

    def _dos2unix(self, arguments: list[_Value]) -> None:
        self._alter([value for value in arguments if not value.text.startswith("-")], crlf=True)

    def _perl(self, arguments: list[_Value]) -> None:
        if any(re.match(r"-[a-z]*i", v.text) for v in arguments):
            plain = [v for v in arguments if not v.text.startswith("-")]
            self._alter(plain[1:], bool(plain) and _is_crlf_fix(plain[0].text))

    def _alter(self, values: list[_Value], crlf: bool) -> None:
        for value in values:
            self.changes.append(Alter(self._target(value), crlf))

    def _find(self, arguments: list[_Value]) -> None:
        texts = [v.text for v in arguments]
        execs = [i for i, text in enumerate(texts) if text in ("-exec", "-execdir")]
        if execs:
            inner = arguments[execs[0] + 1 :]
            end = next((i for i, v in enumerate(inner) if v.text in (";", "+")), len(inner))
            self._on_found(arguments[: execs[0]], inner[:end])
        elif "-delete" in texts:
            self._on_found(arguments, [_Value("rm", False), _Value("{}", False)])

    def _xargs(self, before: Node, arguments: list[_Value]) -> bool:
        values = self._values(before.words) if isinstance(before, Simple) else []
        command = _after_options(arguments)
        if _name(values) != "find" or not command:
            return False
        self._on_found(values[1:], [*command, _Value("{}", False)])
        return True

    def _on_found(self, search: list[_Value], command: list[_Value]) -> None:
        """Follow a command that is run on what `find` finds: only the last path in it is looked at."""
        name = next((search[i + 1].text for i, v in enumerate(search[:-1]) if v.text in ("-name", "-iname")), None)
        end = next((i for i, v in enumerate(search) if v.text.startswith(("-", "(", "!"))), len(search))
        roots = search[:end] or [_Value(".", False)]
        before = len(self.changes)
        self.command([v for v in command if v.text != "{}"] + [_Value("/{}", False)], ())
        made, self.changes = self.changes[before:], self.changes[:before]
        for root in roots:
            target = self._target(root, recursive=True)._replace(name=name)
            for change in made:
                match change:
                    case Chmod(_, spec):
                        self.changes.append(Chmod(target, spec))
                    case Alter(_, crlf):
                        self.changes.append(Alter(target, crlf))
                    case Remove() if name is not None:
                        self.changes.append(Remove(target))
                    case _:
                        pass

    def _filtered(self, values: list[_Value], redirects: tuple[Redirect, ...], written: list[Redirect]) -> bool:
        r"""`tr -d '\r' < in > out` and `sed 's/\r$//' in > out` copy a file without its carriage returns."""
        plain = [v for v in values[1:] if not v.text.startswith("-")]
        if not plain or not _is_crlf_fix(plain[0].text):
            return False
        inputs = [r.target for r in redirects if r.op == "<" and r.target is not None]
        sources = [v for word in inputs for v in self._expand(word)] or plain[1:]
        if len(sources) != 1 or written[0].target is None:
            return False
        target = join(self.cwd, "".join(v.text for v in self._expand(written[0].target)))
        self.changes.append(Duplicate(self._target(sources[0]), target, self.place, spec="644"))
        self.changes.append(Alter(Target(target), crlf=True))
        return True

    def _download(self, name: str, arguments: list[_Value]) -> None:
        flags = ("-o", "--output") if name == "curl" else ("-O", "--output-document")
        target, plain = _operands(name, arguments, flags)
        for value in arguments:
            # `-sSLo`, `-qO`: the file is the next word, or what follows in the same one.
            match = re.fullmatch(rf"-[a-zA-Z]*{flags[0][1]}(.*)", value.text)
            if target is None and match and not value.text.startswith("--"):
                index = arguments.index(value)
                target = _Value(match[1], False) if match[1] else next(iter(arguments[index + 1 :]), None)
        if target is not None and target.text not in ("-", ""):
            path = join(self.cwd, target.text)
            self._put(path, None)
        elif target is None and plain:
            keeps_name = name == "wget" or any(re.fullmatch(r"-[a-zA-Z]*O[a-zA-Z]*", v.text) for v in arguments)
            if keeps_name:
                self._put(join(self.cwd, posixpath.basename(plain[-1].text.partition("?")[0])), None)

    def _install_packages(self, name: str, arguments: list[_Value]) -> None:
        subcommands = _INSTALLERS[name]
        valued = _VALUED.get("apk" if name == "apk" else "dnf" if name in ("dnf", "yum", "microdnf") else "apt-get")
        words = [v.text for v in _without_options(arguments, valued or frozenset())] if name != "pacman" else []
        if name == "pacman":
            words = [v.text for v in arguments if not v.text.startswith("-")]
            if not any(v.text in subcommands for v in arguments):
                return
        elif subcommands:
            if not words or words[0] not in subcommands:
                return
            words = words[1:]
        self.packages.extend(re.split(r"[=<>~:@]", word)[0] for word in words if word and UNKNOWN not in word)

    def _tee(self, values: list[_Value], text: Excerpt | None) -> None:
        append = any(v.text in ("-a", "--append") for v in values)
        for value in values[1:]:
            if not value.text.startswith("-"):
                self._put(join(self.cwd, value.text), text, append=append)

    # -------------------------------------------------------------- output

    def _write(self, text: Excerpt | None, redirects: list[Redirect]) -> None:
        for redirect in redirects:
            if redirect.target is None:
                continue
            path = "".join(value.text for value in self._expand(redirect.target))
            if path and not path.startswith(("/dev/", "/proc/", "&")):
                self._put(join(self.cwd, path), text, append=redirect.op == ">>")

    def _put(self, path: str, text: Excerpt | None, append: bool = False) -> None:
        if append:
            self.changes.append(Append(path, text, self.place))
            return
        editable = text is not None and any(text is heredoc.body for heredoc in self.instruction.heredocs)
        self.changes.append(Put(path, text, _NEW_FILE, self.place, "run", editable))

    def _output(self, node: Node) -> Excerpt | None:
        """What a command prints, None if that is not known."""
        match node:
            case Group() | Subshell():
                return self._output(node.body)
            case List():
                parts = [self._output(item.node) for item in node.items]
                known = [part for part in parts if part is not None]
                return concatenate(known) if known and len(known) == len(parts) else None
            case AndOr(op="&&"):
                if node.has("||"):
                    return None
                outputs = [self._output(link) for link in node.links]
                known = [output for output in outputs if output is not None]
                return concatenate(known) if len(known) == len(outputs) else None
            case Simple():
                return self._printed(node)
            case _:
                return None

    def _printed(self, node: Simple) -> Excerpt | None:
        values = self._values(node.words)
        name = _name(values)
        if name == "cat" and len(values) == 1:
            return self._heredoc(node.redirects)
        if name not in ("echo", "printf") or any(v.pattern for v in values):
            return None
        arguments = [v.text for v in values[1:]]
        printed = echo(arguments, self.around.echo_escapes) if name == "echo" else printf(arguments)
        # A character that nobody knows could be any text: only outside the first line would that do no harm.
        if printed is None or len(node.words) < 2:
            return None
        return align(printed, self.excerpt, node.words[1].span.start, node.words[-1].span.end)

    def _heredoc(self, redirects: tuple[Redirect, ...]) -> Excerpt | None:
        for redirect in redirects:
            if redirect.heredoc is None or redirect.target is None:
                continue
            quoted = any(isinstance(part, Literal) and part.quoted for part in redirect.target.parts)
            body = self._body(redirect)
            content = redirect.heredoc if quoted else expand_body(redirect.heredoc, self.variables, UNKNOWN)
            if content == body.text:
                return body
            return align(content, body, 0, len(body.text))
        return None

    def _body(self, redirect: Redirect) -> Excerpt:
        """The here-document as it stands in the Dockerfile."""
        text = redirect.heredoc or ""
        for heredoc in self.instruction.heredocs:
            if heredoc.body.text == text:
                return heredoc.body
        found = self.excerpt.text.find(text, redirect.span.end)
        if found >= 0:
            return self.excerpt.cut(found, found + len(text))
        return align(text, self.excerpt, redirect.span.end, len(self.excerpt.text))

    # --------------------------------------------------------------- words

    def _target(self, value: _Value, recursive: bool = False) -> Target:
        return Target(join(self.cwd, value.text), value.pattern, recursive)

    def _values(self, words: tuple[Word, ...]) -> list[_Value]:
        return [value for word in words for value in self._expand(word)]

    def _expand(self, word: Word) -> list[_Value]:
        """A word's values: more than one for braces, or for an unquoted variable that holds blanks."""
        text = ""
        pattern = False
        splits = False
        for part in word.parts:
            match part:
                case Literal():
                    text += part.text
                    pattern = pattern or (not part.quoted and has_wildcard(part.text))
                case Param():
                    value = self._parameter(part)
                    splits = splits or (not part.quoted and " " in value)
                    pattern = pattern or (not part.quoted and has_wildcard(value))
                    text += value
                case _:
                    text += UNKNOWN
        if len(text) > _MAX_VALUE:
            return [_Value(UNKNOWN, False)]
        if splits and len(word.parts) == 1:
            return [_Value(piece, has_wildcard(piece)) for piece in text.split()]
        if "{" in text and "," in text and all(isinstance(p, Literal) and not p.quoted for p in word.parts):
            return [_Value(piece, pattern) for piece in _braces(text)]
        return [_Value(text, pattern)]

    def _parameter(self, part: Param) -> str:
        value = self.variables.get(part.name)
        if part.length or part.indirect or part.subscript is not None:
            return UNKNOWN
        if part.op in (":-", "-", ":=", "=") and not value and part.operand is not None:
            return "".join(v.text for v in self._expand(part.operand))
        if part.op in ("", ":-", "-", ":=", "=", ":?", "?"):
            return UNKNOWN if value is None else value
        return UNKNOWN


def _name(values: list[_Value]) -> str:
    return posixpath.basename(values[0].text) if values else ""


def _is_script_of_ones_own(values: list[_Value]) -> bool:
    """Whether a command runs a script by its path, alone or as the argument of a shell."""
    words = [value.text for value in values if not value.text.startswith("-")]
    if len(words) > 1 and _name(values) in ("sh", "bash", "dash", "ash", "source", "."):
        return words[1].endswith(".sh") or "/" in words[1]
    return bool(words) and "/" in words[0] and not re.fullmatch(_SYSTEM_PROGRAM, words[0])


def _after_options(values: list[_Value]) -> list[_Value]:
    """What follows the options, and the assignments of `env`, at the beginning."""
    at = 0
    while at < len(values) and (values[at].text.startswith("-") or re.match(r"\w+=", values[at].text)):
        at += 1
    return values[at:]


def _without_options(arguments: list[_Value], valued: frozenset[str]) -> list[_Value]:
    plain: list[_Value] = []
    skip = False
    for value in arguments:
        if skip:
            skip = False
        elif value.text.startswith("-") and len(value.text) > 1:
            skip = value.text in valued
        else:
            plain.append(value)
    return plain


def _operands(name: str, arguments: list[_Value], flags: tuple[str, ...]) -> tuple[_Value | None, list[_Value]]:
    """The value of an option, if it is given, and the arguments that are no options."""
    found: _Value | None = None
    for index, value in enumerate(arguments[:-1]):
        if value.text in flags:
            found = arguments[index + 1]
    for value in arguments:
        head, equals, tail = value.text.partition("=")
        if equals and head in flags:
            found = _Value(tail, value.pattern)
    return found, _without_options(arguments, _VALUED.get(name, frozenset()))


def _is_crlf_fix(expression: str) -> bool:
    """Whether a sed, tr or perl expression does nothing but take carriage returns away."""
    if not re.search(_CR, expression):
        return False
    rest = re.sub(_CR, "", expression)
    return re.fullmatch(r"s(.)(?:\\?\+|\*)?\$?\1(?:\\n)?\1g?;?|s(.)\(?\)?\\n\2\\n\2g?;?|\+?\$?", rest) is not None


def _braces(text: str) -> list[str]:
    """Bash's `{a,b}`, without nesting; sh leaves it alone, but then the RUN would fail."""
    match = re.search(r"\{([^{}]*,[^{}]*)\}", text)
    if match is None or text.count("{") > _MAX_BRACES:
        return [text]
    pieces = [text[: match.start()] + piece + text[match.end() :] for piece in match[1].split(",")]
    return [expanded for piece in pieces[:_MAX_LOOP] for expanded in _braces(piece)]


_HANDLERS: dict[str, Callable[[_Runner, list[_Value]], None]] = {
    "cd": _Runner._cd,
    "chmod": _Runner._chmod,
    "cp": _Runner._copy,
    "dos2unix": _Runner._dos2unix,
    "export": _Runner._export,
    "find": _Runner._find,
    "fromdos": _Runner._dos2unix,
    "install": _Runner._install,
    "ln": _Runner._link,
    "mv": _Runner._move,
    "perl": _Runner._perl,
    "rm": _Runner._remove,
    "sed": _Runner._sed,
    "unlink": _Runner._remove,
}
