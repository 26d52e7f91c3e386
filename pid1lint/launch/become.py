"""From an argv to a process: scripts and their interpreters, launchers, inits, package runners, and plain programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pid1lint.facts.launchers import Launcher, Split, launcher, split
from pid1lint.facts.programs import npm_version, runner
from pid1lint.launch.code import Where, compiled
from pid1lint.launch.leaf import Start, cannot_start, enter, start_leaf, start_unread_script, stop_daemons
from pid1lint.launch.lookup import Lookup
from pid1lint.launch.process import Started
from pid1lint.launch.stack import Argument, Argv, arguments
from pid1lint.launch.state import Shell, ShellStart
from pid1lint.launch.values import UNKNOWN
from pid1lint.launch.world import Proc, Reaction, World
from pid1lint.numbers import is_number
from pid1lint.source import Excerpt, Source

if TYPE_CHECKING:
    from pid1lint.facts.shells import Shell as Dialect
    from pid1lint.image.filesystem import ImageFile
    from pid1lint.shell.ir import Script

SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "yash", "rbash"))
_USER_SWITCHERS = frozenset("gosu su-exec setpriv s6-setuidgid setuidgid chpst su runuser sudo chroot capsh".split())
_SHELL_WORDS = frozenset("set exec export if cd echo source . for while trap case".split())
"""Words with which a shell script begins, and nothing else."""
_ROOT_HAS_BASH = frozenset(("debian", "ubuntu", "fedora", "rhel", "amazon", "suse"))
"""Families in whose /etc/passwd root's shell is bash."""
_DEPTH = 24


def become(lookup: Lookup, world: World, proc: Proc, start: Start) -> None:
    """Make a process run a program.

    It may end at once (a short program, one that is not found), or come to a point where the launch may stay, which
    then is `world.point`.
    """
    _Becoming(lookup, world).become(proc, start, 1)


class _Becoming:
    """One image's programs, started in one world."""

    def __init__(self, lookup: Lookup, world: World) -> None:
        self.lookup = lookup
        self.world = world

    def become(self, proc: Proc, start: Start, depth: int) -> None:
        """As the function of this name; `depth` counts the programs that have started each other."""
        if depth > _DEPTH or len(proc.stages) > _DEPTH:
            start_leaf(self.lookup, self.world, proc, start)
            self.world.hinder("programs start each other endlessly", start.place)
            return
        argv = start.argv
        name = argv[0].value
        base = name.rpartition("/")[2]
        file = self.lookup.find(name, start.env)
        if file is not None and (why := self.lookup.cannot_start(argv[0])):
            cannot_start(self.world, proc, start, 127, why, "absent")
            return
        if file is not None and file.text is not None and _is_script(file):
            self._script_file(proc, start, file, depth)
            return
        if file is None and self._base_entrypoint(proc, start, depth):
            return
        if file is None and self.lookup.is_stray(argv[0]):
            why = f"there is no file at {name}" if "/" in name else f"no {name} is on PATH"
            cannot_start(self.world, proc, start, 127, why, "missing")
            return
        if file is None and (absent := self.lookup.missing(argv[0], start.call, start.env)) is not None:
            cannot_start(self.world, proc, start, 127, absent.why, "absent")
            return
        if base in SHELLS and (file is None or file.text is None):
            self._shell(proc, start)
            return
        if base == "busybox" and len(argv) > 1:
            self.become(proc, start._replace(argv=argv[1:]), depth)
            return
        known = launcher(name)
        if known is not None and self._launcher(proc, known, start, depth):
            return
        if self._runner(proc, start, depth):
            return
        start_leaf(self.lookup, self.world, proc, start, file)

    # ------------------------------------------------------------------ scripts

    def _script_file(self, proc: Proc, start: Start, file: ImageFile, depth: int) -> None:
        assert file.text is not None
        argv = start.argv
        first = file.text.text.partition("\n")[0]
        if file.executable is False:
            cannot_start(self.world, proc, start, 126, f"{argv[0].text} has no execute bit", "mode", file)
            return
        if not first.startswith("#!"):
            if start.how == "container":
                cannot_start(self.world, proc, start, 127, f"{argv[0].text} has no #! line", "shebang", file)
                return
            interpreter = ["/bin/sh"]
        else:
            line = first[2:]
            if line.endswith("\r") and not file.altered and not file.crlf_removed:
                why = f"{argv[0].text} has CRLF line ends: no program is called `{line.strip()}\\r`"
                cannot_start(self.world, proc, start, 127, why, "crlf", file)
                return
            interpreter = _interpreter(line)
        path = Argument(file.path, argv[0].text, None, argv[0].soft)
        run = start._replace(argv=(*arguments(interpreter), path, *argv[1:]))
        if interpreter[0].rpartition("/")[2] in SHELLS:
            self._shell(proc, run._replace(shown=argv))
        else:
            self.become(proc, run, depth + 1)

    # ------------------------------------------------------------------- shells

    def _shell(self, proc: Proc, start: Start) -> None:
        lookup, world, argv, shown = self.lookup, self.world, start.argv, start.shown
        # `#!/usr/bin/env bash` comes here by way of env.
        named = shown[0] if shown else argv[1] if len(argv) > 1 and argv[0].excerpt is None else None
        script = lookup.find(named.value, start.env) if named is not None and "/" in named.value else None
        if argv[0].value in ("/bin/sh", "sh") and lookup.sh == "none":
            cannot_start(world, proc, start, 127, "the image has no /bin/sh", "shell", script)
            return
        if lookup.is_missing(argv[0].value):
            cannot_start(world, proc, start, 127, f"the image has no {argv[0].value}", "interpreter", script)
            return
        dialect = lookup.dialect(argv[0].value)
        at, letters, string = 1, "", False
        options: Argv = ()
        while at < len(argv) and argv[at].value[:1] in ("-", "+") and len(argv[at].value) > 1:
            word = argv[at].value
            at += 1
            if word == "--":
                break
            if word in ("-o", "+o", "-O", "+O", "--rcfile", "--init-file"):
                letters += "e" if argv[at : at + 1] and argv[at].value == "errexit" else ""
                options += argv[at : at + 1] if word in ("-o", "+o") else ()
                at += 1
            elif not word.startswith("--"):
                if word[0] == "-":
                    letters += word[1:]
                string = string or "c" in word[1:]
                if word.endswith("o"):
                    options += argv[at : at + 1]
                    at += 1
        rest = argv[at:]
        strange = next((option for option in options if option.value == "pipefail"), None)
        if strange is not None and not dialect.pipefail:
            at_option = strange.excerpt.place() if strange.excerpt is not None else start.place
            world.note(Started("bashism", at_option, "pipefail", argv=(dialect.name,)))
            cannot_start(world, proc, start, 2, f"{dialect.name} has no option pipefail and exits here")
        elif string and rest:
            self._shell_string(proc, start, rest, dialect, letters)
        elif string:
            cannot_start(world, proc, start, 2, f"`{argv[-1].text}` needs a command string after it", "no-command")
        elif rest and "s" not in letters:
            self._shell_file(proc, start, rest, dialect, letters)
        elif proc.stdin is not None:
            self._shell_input(proc, start, rest, dialect, letters)
        else:
            stage = enter(world, proc, start, "shell")
            stage.dialect, stage.form = dialect.name, "interactive"
            world.note(Started("interactive", start.place, argv[0].text, start.call))
            world.end(proc.pid, 0)

    def _shell_input(self, proc: Proc, start: Start, rest: Argv, dialect: Dialect, letters: str) -> None:
        """`echo app | sh`, `bash <<END`: it reads one line after the other, and execs none of them by itself."""
        script = self.lookup.made(proc.stdin or "")
        stage = enter(self.world, proc, start, "shell")
        stage.form, stage.dialect, stage.script = "input", dialect.name, script
        stage.interpreter = start.argv[0].value.rpartition("/")[2]
        proc.stdin = None
        how = ShellStart("input", stage.interpreter, letters)
        self._run_shell(proc, dialect, script, Where(False), rest, start, how)

    def _shell_string(self, proc: Proc, start: Start, rest: Argv, dialect: Dialect, letters: str) -> None:
        text = rest[0]
        excerpt = text.excerpt or Excerpt(Source("", text.value), text.value)
        script = self.lookup.string(excerpt)
        stage = enter(self.world, proc, start, "shell")
        stage.form, stage.dialect, stage.script = "string", dialect.name, script
        stage.interpreter = start.argv[0].value.rpartition("/")[2]
        name = rest[1].value if len(rest) > 1 else start.argv[0].value
        where = Where(True, frozenset({"simple"} | _ending(script)))
        self._run_shell(proc, dialect, script, where, rest[2:], start, ShellStart("string", name, letters))

    def _shell_file(self, proc: Proc, start: Start, rest: Argv, dialect: Dialect, letters: str) -> None:
        lookup, world = self.lookup, self.world
        path = rest[0].value
        file = lookup.find(path if "/" in path else "./" + path, start.env) or lookup.find(path, start.env)
        interpreter = start.argv[0].value.rpartition("/")[2]
        shown = start._replace(argv=start.shown or start.argv)
        stage = enter(world, proc, shown, "shell")
        stage.form, stage.dialect, stage.file = "file", dialect.name, file
        if file is None and "/" in path and lookup.is_stray(rest[0]):
            excerpts = (rest[0].excerpt,)
            world.note(Started("missing", start.place, rest[0].text, start.call, None, None, (), excerpts))
            world.failure = world.failure or (f"there is no file at {path}", start.place)
            world.end(proc.pid, 127)
            return
        if file is None or file.text is None:
            start_unread_script(world, proc, stage, rest[0])
            return
        stage.interpreter = interpreter or shown.argv[0].value.rpartition("/")[2]
        stage.script = script = lookup.script_of(file)
        where = Where(True, frozenset({"simple"}) if dialect.exec_file else None)
        self._run_shell(proc, dialect, script, where, rest[1:], start, ShellStart("file", path, letters))

    def _run_shell(
        self,
        proc: Proc,
        dialect: Dialect,
        script: Script,
        where: Where,
        words: Argv,
        start: Start,
        how: ShellStart,
    ) -> None:
        asked, env = self.lookup.asked, start.env
        if start.call is not None:
            self.lookup.inherits(script)
        home, user = asked.variable("HOME"), _user_id(env.user or asked.user())
        home = "/root" if home is None else home
        anchor = None if script.text.source.path else proc.stage.place
        code = compiled(script.body, where)
        proc.shell = Shell(proc.pid, dialect, script, code, words, env, how, home, user, proc.ignored, anchor)

    # ---------------------------------------------------------------- launchers

    def _launcher(self, proc: Proc, known: Launcher, start: Start, depth: int) -> bool:
        world, argv, env = self.world, start.argv, start.env
        parts = split(known, start.words)
        command: Argv = tuple(argv[index] for index in parts.words)
        if parts.shell_string_index is not None:
            command = (*arguments([self._login_shell(known, parts, start), "-c"]), argv[parts.shell_string_index])
        elif parts.split_string_index is not None:
            command = arguments(argv[parts.split_string_index].value.split())
        if proc.stdin is not None and known.name in ("su", "runuser") and not command:
            command = arguments([self._login_shell(known, parts, start)])
        if known.name == "xargs" and command and "-I" not in start.words and "-i" not in start.words:
            command = (*command, *_from_input(proc.stdin))
        if not command:
            return self._without_command(proc, known, start)
        if self._misses_option(proc, known, start, parts):
            return True
        stage = enter(world, proc, start, "init" if parts.kind == "init" else "launcher")
        stage.launcher = known
        if known.assignments and parts.assignments:
            pairs = dict(argv[index].value.split("=", 1) for index in parts.assignments)
            env = env._replace(variables=env.variables.over(pairs))
        if known.name in _USER_SWITCHERS:
            operands = [argv[index].value for index in parts.operands]
            user = parts.value("-u", "--user", "--reuid", "--userspec") or next(iter(operands[-1:]), "root")
            env = env._replace(user=user)
        if known.resets_ignored:
            proc.ignored &= {"HUP", "INT"}
        at = command[0].excerpt.place() if command[0].excerpt else start.place
        if parts.kind == "exec" or (known.busybox_kind == "exec" and self.lookup.has_applets()):
            self.become(proc, Start(command, "exec", at, start.call, env), depth + 1)
            return True
        if known.leads_group:
            proc.group = proc.pid
        child = world.spawn(proc)
        if parts.kind == "init":
            child.group = child.pid
        if parts.kind == "detach" and proc.group != proc.pid:
            # setsid forks only where it leads a process group, which a child of a script does not; others always do.
            world.unspawn(child)
            detached = known.name != "setsid"
            if not detached:
                proc.group = proc.pid
            self.become(proc, Start(command, "exec", start.place, start.call, env, None, detached), depth + 1)
            return True
        child.background = proc.background
        child.stdin = None if known.name == "xargs" else proc.stdin
        if parts.kind == "detach" and proc.pid == 1:
            world.note(start.noted("detach", stage))
        self._connect(proc, child, parts.kind, parts.group, beside=known.leads_group)
        if parts.kind == "quit" and not (known.busybox_kind == "hang" and self.lookup.has_applets()):
            proc.reaction = Reaction(tuple(known.signals.items()), "default")
        self.become(child, Start(command, "child", at, start.call, env), depth + 1)
        return True

    def _login_shell(self, known: Launcher, parts: Split, start: Start) -> str:
        """The shell that runs the string of `su -c`: the option names it, or /etc/passwd, which has bash for root."""
        given = parts.value("-s", "--shell")
        if given or known.name not in ("su", "runuser"):
            return given or "/bin/sh"
        operands = [start.argv[index].value for index in parts.operands]
        is_root = all(word in ("-", "root") for word in operands)
        return "/bin/bash" if is_root and self.lookup.asked.family() in _ROOT_HAS_BASH else "/bin/sh"

    def _without_command(self, proc: Proc, known: Launcher, start: Start) -> bool:
        """A launcher given nothing to launch says how it is used, and ends; others are programs of their own."""
        if known.needs_command and not any(word.value in known.no_command_options for word in start.argv[1:]):
            why = f"{start.argv[0].text} has no command to run"
            cannot_start(self.world, proc, start, 1, why, "no-command")
            return True
        if known.kind not in ("exec", "forward", "detach") or known.commandless:
            return False
        if known.subcommand or any(UNKNOWN in word.value for word in start.argv):
            return False
        enter(self.world, proc, start, "job").launcher = known
        stop_daemons(self.world, known.name, start.words[1:])
        # Those two have something to say without one.
        done = known.name in ("env", "nice") or any(word in known.no_command_options for word in start.words[1:])
        self.world.end(proc.pid, 0 if done else 125)
        return True

    def _misses_option(self, proc: Proc, known: Launcher, start: Start, parts: Split) -> bool:
        """Whether an init ends because of an option; note one that it takes from its command as well."""
        if not known.needs_command:
            return False
        argv = start.argv
        command = parts.words[0] if parts.words else len(argv)
        own = known.options_with_value | known.flags
        what, option = "init-flag", next((o for o in parts.options if len(o) == 2 and o not in own), "")
        if not option:
            what, option = self._stray_option(known, start.words, command)
        if not option:
            return False
        texts = tuple(word.text for word in argv)
        self.world.note(start.noted(what)._replace(argv=texts, option=option, command=command))
        if what == "swallowed":
            return False
        why = f"{argv[0].text} has no option `{option}`"
        if what == "init-option":
            why = f"{argv[0].text} reads `{option}` as its own option, because there is no `--` before the command"
        cannot_start(self.world, proc, start, 1, why)
        return True

    def _stray_option(self, known: Launcher, words: list[str], command: int) -> tuple[str, str]:
        """What an init takes for an option of its own behind the command's name, and what comes of it."""
        musl = self.lookup.asked.family() in (None, "", "alpine") or "musl" in words[0]
        if not known.takes_later_options or "--" in words or musl:
            return "", ""
        own = known.options_with_value | known.flags
        later = [word for word in words[command + 1 :] if len(word) > 1 and word[0] == "-"]
        strange = next((word for word in later if word not in own and not {"-" + c for c in word[1:]} <= own), "")
        if strange:
            return "init-option", strange
        return ("swallowed", later[0]) if later else ("", "")

    def _connect(self, proc: Proc, child: Proc, kind: str, group: bool, *, beside: bool = False) -> None:
        """What a launcher that stays does with signals, and with its child's end.

        It passes them on to its child, to the child's `group`, or to all `beside` it in its own group.
        """
        if kind == "detach":
            self.world.end(proc.pid, 0)
            return
        proc.child = child.pid
        if kind in ("init", "forward"):
            proc.passes = "beside" if beside else "group" if group else "child"
        elif kind == "switch":
            proc.passes = "switch"

    # ------------------------------------------------------------- package.json

    def _runner(self, proc: Proc, start: Start, depth: int) -> bool:
        """`npm start` and its kin: the script of package.json, in a shell below the runner."""
        world = self.world
        fact = self.lookup.program(start.words, start.env)
        if fact is None or fact.kind != "runner":
            return False
        found = self.lookup.package_script(start.words, start.env)
        if found is None:
            return False
        text, file = found
        stage = enter(world, proc, start, "launcher")
        stage.fact, stage.file = fact, file
        child = world.spawn(proc)
        self._connect(proc, child, "forward", group=False)
        self._run_script(proc, stage.program)
        command = (*arguments(["/bin/sh", "-c"]), Argument(text, text))
        env = start.env._replace(workdir=file.path.rpartition("/")[0] or "/")
        self.become(child, Start(command, "child", start.place, None, env), depth + 1)
        return True

    def _run_script(self, proc: Proc, name: str) -> None:
        """How a package runner differs from a launcher that forwards signals: some lose them, some do not wait."""
        tag = self.lookup.asked.node_tag() if name in ("npm", "npx") else None
        version = npm_version(tag.partition("-")[0]) if tag is not None else ""
        facts = runner(name, version)
        if facts is not None and facts.other == "hang":
            proc.passes = ""
            proc.reaction = Reaction(otherwise="survives")
        elif facts is not None and facts.other == "abrupt":
            proc.passes = "leave"

    # -------------------------------------------------------- base image scripts

    def _base_entrypoint(self, proc: Proc, start: Start, depth: int) -> bool:
        """The entrypoint script of a known base image, whose text is not in the context."""
        argv = start.argv
        base = self.lookup.asked.base_script(argv[0].value.rpartition("/")[2])
        if base is None:
            return False
        given = tuple(word.value for word in argv[1:])
        command = base.command(given)
        if command is None:
            return False
        words = argv[1:] if command == given else arguments(command)
        stage = enter(self.world, proc, start, "launcher")
        stage.form = "base"
        if base.entrypoint_runs == "init":
            child = self.world.spawn(proc)
            self._connect(proc, child, "init", group=False)
            stage.kind = "init"
            self.become(child, Start(words, "child", start.place, start.call, start.env), depth + 1)
            return True
        at = words[0].excerpt.place() if words[0].excerpt else start.place
        self.become(proc, Start(words, "exec", at, start.call, start.env), depth + 1)
        return True


def _from_input(text: str | None) -> Argv:
    """The arguments that xargs reads."""
    if text is None:
        return (Argument(UNKNOWN, "..."),)
    return arguments([word.strip("\"'") for word in text.split()])


# ------------------------------------------------------------------------ scripts


def _interpreter(line: str) -> list[str]:
    """What a `#!` line names, behind these two characters."""
    parts = line.strip().split(None, 1)
    if not parts:
        return ["/bin/sh"]
    if parts[0].endswith("/env") and len(parts) == 2 and parts[1].startswith("-S"):
        return [parts[0], *parts[1][2:].split()]
    return parts


def _ending(script: Script) -> set[str]:
    """What stands behind the last command of a `-c` string."""
    items = script.body.items
    if not items:
        return set()
    rest = script.text.text[items[-1].node.span.end :]
    found = set()
    if "\n" in rest:
        found.add("trailing-newline")
    if ";" in rest.split("#")[0]:
        found.add("trailing-semicolon")
    if "#" in rest:
        found.add("trailing-comment")
    return found


def _user_id(user: str) -> str:
    name = user.partition(":")[0]
    if name in ("", "root", "0"):
        return "0"
    return name if is_number(name) else "1000"


def _is_script(file: ImageFile) -> bool:
    assert file.text is not None
    text = file.text.text
    return text.startswith("#!") or file.path.endswith((".sh", ".bash")) or _looks_like_shell(text)


def _looks_like_shell(text: str) -> bool:
    """A file without a shebang that is plainly a shell script: it begins with a comment or a shell word."""
    head = next((line.strip() for line in text.split("\n", 20) if line.strip() and not line.startswith("#")), "")
    return head.split(" ")[0] in _SHELL_WORDS
