"""From an argv to a process: scripts and their interpreters, launchers, inits, and the programs of the facts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pid1lint.facts.launchers import Launcher, Split, launcher, split
from pid1lint.facts.programs import Program, npm_version, runner
from pid1lint.facts.shells import Shell as Dialect
from pid1lint.facts.shells import known as is_shell
from pid1lint.facts.shells import shell as dialect_of
from pid1lint.image.changes import is_below
from pid1lint.image.model import may_write, strings_of
from pid1lint.launch.appsource import app_reaction
from pid1lint.launch.process import Call, Obstacle, Started
from pid1lint.launch.values import UNKNOWN
from pid1lint.launch.world import SWITCH_SECONDS, Block, Proc, Runner, Stage, World
from pid1lint.shell.ir import Script, Word
from pid1lint.shell.parse import parse
from pid1lint.source import Excerpt, Place, Source

if TYPE_CHECKING:
    from pid1lint.image.filesystem import ImageFile
    from pid1lint.image.missing import Missing
    from pid1lint.image.model import Image

SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "yash", "rbash"))
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FILTERS = frozenset(
    "awk cat cronolog cut egrep fgrep gawk grep gzip head jq less logger mawk multilog nl pino-pretty rotatelogs sed "
    "sort svlogd tail tee tr ts uniq wc".split()
)
"""Programs that end when what they read from ends."""
_USER_SWITCHERS = frozenset("gosu su-exec setpriv s6-setuidgid setuidgid chpst su runuser sudo chroot capsh".split())
_PLAIN_BASES = frozenset(("alpine", "busybox", "golang", "node", "python"))
"""Those without any shell but Busybox's, where they are built upon Alpine or Busybox."""
_WITHOUT_BASH = frozenset(
    "bind-tools build-base busybox-extras ca-certificates cargo coreutils cronie curl dcron dumb-init file "
    "findutils freetype-dev g++ gawk gcc gcompat git gnupg go grep gzip iproute2 iptables iputils jpeg-dev jq less "
    "libc-dev libc6-compat libffi-dev libgcc libjpeg-turbo-dev libpng-dev libpq libpq-dev libressl libstdc++ "
    "libxml2 libxml2-dev libxslt libxslt-dev linux-headers lua make mariadb-client memcached musl-dev mysql-client "
    "nano ncurses net-tools netcat-openbsd nginx nodejs npm openssh openssh-client openssh-server openssl "
    "openssl-dev perl postgresql-client postgresql-dev postgresql-libs procps py-pip py3-pip py3-setuptools python "
    "python-dev python2 python3 python3-dev redis rsync ruby rust sed shadow socat su-exec sudo supervisor tar "
    "tcpdump tini tzdata unzip vim wget xz yarn zip zlib zlib-dev".split()
)
"""Packages of Alpine that are known not to bring bash along."""
_INSTALLS_UNSEEN = re.compile(r"\.sh\b|\bsh\s+[\w./$-]|\|\s*sh\b|\bmake\b")
_INSTALLS = re.compile(r"\b(?:apt|apt-get|apk|dnf|yum|pip3?|npm|gem|curl|wget|tar|cp|mv|ln|install|git)\b")
"""What in a script may bring a program, or a file, before it is started."""
_ONLY_BUILTINS = frozenset(". eval exec exit export set shift source trap unset".split())
_WITHOUT_CD = frozenset(("debian", "ubuntu", "alpine", "busybox", "wolfi", "scratch", "distroless"))
"""Families without the program `cd` that POSIX asks for, and that Red Hat's bash brings."""
_EXPANDED = re.compile(r"[\w./-]*\$(?:\w|\{\w)|~/")
_CONFIGURATION = re.compile(r"(?:[\w.~@%+-]*/[\w./~@%+-]*|[\w.-]+)?\.(?:cfg|cnf|conf|ini|yaml|yml)\Z")
_CONTROLS = frozenset(("start", "stop", "status"))
_DETACHES = frozenset(("--background", "--daemon", "--daemonize", "--detach"))
_STOPS = {
    "mysqladmin": ("mysqld", "mariadbd", "mysqld_safe", "mariadbd-safe"),
    "mariadb-admin": ("mysqld", "mariadbd", "mysqld_safe", "mariadbd-safe"),
    "redis-cli": ("redis-server",),
    "valkey-cli": ("valkey-server",),
    "apachectl": ("apache2", "httpd"),
    "apache2ctl": ("apache2", "httpd"),
}
"""The daemons that a program of another name stops."""
_DEPTH = 24


class Argument(NamedTuple):
    """A word of an argv: its value, as far as it is known, how it is written, and where."""

    value: str
    text: str
    excerpt: Excerpt | None = None
    soft: str = ""


Argv = tuple[Argument, ...]


def arguments(words: tuple[str, ...] | list[str]) -> Argv:
    """Plain strings as an argv."""
    return tuple(Argument(word, word) for word in words)


class Environment(NamedTuple):
    """What a program inherits: variables, whether its arguments come from CMD, and the user (empty: the image's)."""

    variables: Mapping[str, str]
    workdir: str
    soft: str = ""
    user: str = ""


ShellMaker = Callable[["Machine", Proc, Dialect, Script, "Argv", Environment, "ShellStart"], Runner]


class ShellStart(NamedTuple):
    """How a shell was called: `form` is `string` (-c) or `file`; `name` is its $0; `options` its letters."""

    form: str
    name: str
    options: str


class Shared:
    """What is worked out once a launch, whatever the path: scripts, and facts about them, each found by identity."""

    def __init__(self) -> None:
        self.scripts: dict[int, Script] = {}
        # What shells have been given to run, each text once.
        self.texts: dict[str, None] = {}
        # A script stands beside what is told of it: as long as it is held, no other has its identity.
        self.command_names: dict[int, tuple[Script, frozenset[str]]] = {}
        self.assigned_names: dict[int, tuple[Script, frozenset[str]]] = {}
        self.arguments: dict[tuple[int, int], tuple[Script, Word, Argument]] = {}
        # Where programs stand of which nothing is known but that a script goes on after them: they end.
        self.steps: frozenset[Place] = frozenset()


class Machine:
    """Starts programs of one image in one world."""

    def __init__(self, image: Image, world: World, sh: str, make_shell: ShellMaker, shared: Shared) -> None:
        self.image = image
        self.world = world
        self.sh = sh
        self.make_shell = make_shell
        self.shared = shared
        self.depth = 0
        self.background: set[int] = set()
        self.editable: set[int] = set()
        self.readonly: set[int] = set()

    # ------------------------------------------------------------------ look-up

    def script(self, text: Excerpt) -> Script:
        """A file's parsed text, parsed once a launch."""
        found = self.shared.scripts.get(id(text))
        if found is None:
            found = self.shared.scripts[id(text)] = parse(text)
            self.shared.texts[text.text] = None
        return found

    def script_of(self, file: ImageFile) -> Script:
        """The script in a file; whether it can be edited is kept in mind."""
        assert file.text is not None
        if file.editable:
            self.editable.add(id(file.text.source))
        elif file.text.source is self.image.dockerfile.source:
            self.readonly.add(id(file.text))
        return self.script(file.text)

    def program(self, words: Sequence[str], env: Environment) -> Program | None:
        """What is known of a command: the one look-up that heeds the image's shell and its configuration files."""
        fact = self.image.facts.program(words, lambda pattern: self._configured(pattern, words, env))
        return None if fact is not None and fact.unless_sh and fact.unless_sh == self.sh else fact

    def is_editable(self, script: Script) -> bool:
        """Whether an edit of the script's text is an edit of a file that is at hand."""
        if id(script.text) in self.readonly:
            return False
        source = script.text.source
        return source is self.image.dockerfile.source or id(source) in self.editable

    def find(self, name: str, env: Environment) -> ImageFile | None:
        """The file that a program's name or path stands for, if the image's files tell."""
        if "/" in name:
            path = name if name.startswith("/") else f"{env.workdir.rstrip('/')}/{name}"
            return self.image.files.lookup(_normal(path))
        if UNKNOWN in name or not name:
            return None
        return self.image.files.which(name, env.variables.get("PATH") or DEFAULT_PATH)

    def dialect(self, program_path: str) -> Dialect:
        """The shell behind a name; `sh` is the image's own."""
        name = program_path.rpartition("/")[2]
        name = {"ash": "busybox", "rbash": "bash", "hush": "busybox"}.get(name, name)
        if name == "bash" and self.image.base is not None:
            bash = self.image.base.bash_version or (self.image.base.sh_version if self.sh == "bash" else "")
            return dialect_of(f"bash-{bash}" if bash else "bash")
        if name != "sh" and is_shell(name):
            return dialect_of(name)
        version = self.image.base.sh_version if self.image.base is not None else ""
        if self.sh == "bash":
            return dialect_of(f"bash-{version}" if version else "bash-as-sh")
        return dialect_of(f"{self.sh}-{version}" if version else self.sh or "dash")

    # ------------------------------------------------------------------ become

    def become(
        self, proc: Proc, argv: Argv, start: str, place: Place | None, call: Call | None, env: Environment
    ) -> None:
        """Make a process run a program; it may end at once (a short program, one that is not found)."""
        self.depth += 1
        try:
            if self.depth > _DEPTH or len(proc.stages) > _DEPTH:
                self._leaf(proc, argv, start, place, call, env)
                self.world.obstacles.append(Obstacle("programs start each other without end", place))
                return
            self._become(proc, argv, start, place, call, env)
        finally:
            self.depth -= 1

    def _become(
        self, proc: Proc, argv: Argv, start: str, place: Place | None, call: Call | None, env: Environment
    ) -> None:
        name = argv[0].value
        base = name.rpartition("/")[2]
        file = self.find(name, env)
        if file is not None and file.text is not None and _is_script(file):
            self._script_file(proc, argv, file, start, place, call, env)
            return
        if file is None and self._base_entrypoint(proc, argv, start, place, call, env):
            return
        if file is None and self._is_stray(argv[0]):
            why = f"no file is at {name}" if "/" in name else f"no {name} is on PATH"
            self._cannot_start(proc, argv, start, place, call, 127, why, "missing")
            return
        if file is None and (absent := self._missing(argv[0], call, env)) is not None:
            self._cannot_start(proc, argv, start, place, call, 127, absent.why, "absent")
            return
        if base in SHELLS and (file is None or file.text is None):
            self._shell(proc, argv, start, place, call, env)
            return
        if base == "busybox" and len(argv) > 1:
            self._become(proc, argv[1:], start, place, call, env)
            return
        known = launcher(name)
        if known is not None and self._launcher(proc, known, argv, start, place, call, env):
            return
        if self._runner(proc, argv, start, place, call, env):
            return
        self._leaf(proc, argv, start, place, call, env, file)

    def stage(
        self, proc: Proc, argv: Argv, start: str, place: Place | None, kind: str, call: Call | None, program: str = ""
    ) -> Stage:
        """Note what a process has become."""
        for old in proc.stages[-1:]:
            # A caught signal is reset by exec.
            old.before = len(self.world.procs)
        self.world.started[proc.thread] = self.world.started.get(proc.thread, 0) + 1
        proc.runner = None
        proc.handlers = None
        proc.react = None
        proc.on_signal = None
        proc.on_child = None
        name = program or argv[0].value.rpartition("/")[2] or argv[0].text
        if UNKNOWN in name:
            name = argv[0].text
        stage = Stage(
            tuple(word.value if UNKNOWN not in word.value else word.text for word in argv),
            name,
            "exec" if proc.stages else start,
            place,
            kind,
            call,
            arguments=tuple(word.value for word in argv),
        )
        proc.stages.append(stage)
        return stage

    # ------------------------------------------------------------------ scripts

    def _script_file(
        self,
        proc: Proc,
        argv: Argv,
        file: ImageFile,
        start: str,
        place: Place | None,
        call: Call | None,
        env: Environment,
    ) -> None:
        assert file.text is not None
        first = file.text.text.split("\n", 1)[0]
        if file.executable is False:
            why = f"{argv[0].text} has no execute bit"
            self._cannot_start(proc, argv, start, place, call, 126, why, "mode", file)
            return
        if not first.startswith("#!"):
            if start == "container":
                why = f"{argv[0].text} has no #! line"
                self._cannot_start(proc, argv, start, place, call, 127, why, "shebang", file)
                return
            interpreter = ["/bin/sh"]
        else:
            line = first[2:]
            if line.endswith("\r") and not file.altered and not file.crlf_removed:
                shown = line.strip()
                why = f"{argv[0].text} has CRLF line ends: no program is called `{shown}\\r`"
                self._cannot_start(proc, argv, start, place, call, 127, why, "crlf", file)
                return
            parts = line.strip().split(None, 1)
            if not parts:
                interpreter = ["/bin/sh"]
            elif parts[0].endswith("/env") and len(parts) == 2 and parts[1].startswith("-S"):
                interpreter = [parts[0], *parts[1][2:].split()]
            else:
                interpreter = parts
        path = Argument(file.path, argv[0].text, None, argv[0].soft)
        words = (*arguments(interpreter), path, *argv[1:])
        if interpreter[0].rpartition("/")[2] in SHELLS:
            self._shell(proc, words, start, place, call, env, shown=argv)
        else:
            self._become(proc, words, start, place, call, env)

    def _cannot_start(
        self,
        proc: Proc,
        argv: Argv,
        start: str,
        place: Place | None,
        call: Call | None,
        status: int,
        why: str,
        what: str = "",
        file: ImageFile | None = None,
    ) -> None:
        self.stage(proc, argv, start, place, "app", call).file = file
        if what:
            excerpts = tuple(word.excerpt for word in argv)
            self.world.starts.append(Started(what, place, argv[0].text, call, file, None, proc.stage.argv, excerpts))
        if start == "child" and proc.thread == 0 and not self.world.stopped:
            self.world.exec_failed = (why, place)
        if proc.pid == 1 or (proc.thread == 0 and not self.world.stopped and start == "exec"):
            self.world.failure = (why, place)
        self.world.end(proc, status)

    # ------------------------------------------------------------------- shells

    def _shell(
        self,
        proc: Proc,
        argv: Argv,
        start: str,
        place: Place | None,
        call: Call | None,
        env: Environment,
        shown: Argv | None = None,
    ) -> None:
        # `#!/usr/bin/env bash` comes here by way of env.
        named = shown[0] if shown else argv[1] if len(argv) > 1 and argv[0].excerpt is None else None
        script = self.find(named.value, env) if named is not None and "/" in named.value else None
        if self.sh == "none" and argv[0].value in ("/bin/sh", "sh"):
            self._cannot_start(proc, argv, start, place, call, 127, "the image has no /bin/sh", "shell", script)
            return
        if self._is_missing(argv[0].value):
            why = f"the image has no {argv[0].value}"
            self._cannot_start(proc, argv, start, place, call, 127, why, "interpreter", script)
            return
        dialect = self.dialect(argv[0].value)
        at, letters, string = 1, "", False
        while at < len(argv) and argv[at].value[:1] in ("-", "+") and len(argv[at].value) > 1:
            word = argv[at].value
            at += 1
            if word == "--":
                break
            if word in ("-o", "+o", "-O", "+O", "--rcfile", "--init-file"):
                letters += "e" if argv[at : at + 1] and argv[at].value == "errexit" else ""
                at += 1
            elif not word.startswith("--"):
                if word[0] == "-":
                    letters += word[1:]
                string = string or "c" in word[1:]
                if word.endswith("o"):
                    at += 1
        rest = argv[at:]
        if string and not dialect.combined_short_options and "o" in letters:
            self._cannot_start(proc, argv, start, place, call, 2, f"{dialect.name} knows no option like this")
            return
        if string and rest:
            self._shell_string(proc, argv, rest, dialect, letters, start, place, call, env)
        elif string:
            self._cannot_start(proc, argv, start, place, call, 2, f"`{argv[-1].text}` lacks its string")
        elif rest and "s" not in letters:
            name = argv[0].value.rpartition("/")[2]
            self._shell_file(proc, shown or argv, rest, dialect, letters, start, place, call, env, name)
        else:
            stage = self.stage(proc, argv, start, place, "shell", call)
            stage.dialect, stage.form = dialect.name, "interactive"
            self.world.starts.append(Started("interactive", place, argv[0].text, call))
            self.world.end(proc, 0)

    def _is_missing(self, name: str) -> bool:
        """Whether a shell is known not to be in the image: in an Alpine that nobody has put bash into, say."""
        base, shell = self.image.base, name.rpartition("/")[2]
        if shell in ("sh", "ash", "busybox", "rbash") or base is None or base.guessed or shell in base.shells:
            return False
        if base.sh == "none":
            return self.sh == "none" and not self._is_copied(shell)
        if shell not in ("bash", "zsh", "ksh") or base.family not in ("alpine", "busybox"):
            return False
        if base.name not in _PLAIN_BASES or not self.image.packages <= _WITHOUT_BASH:
            return False
        brings = any(shell in text or _INSTALLS_UNSEEN.search(text) for text in self.image.run_texts)
        return not brings and not self._is_copied(shell)

    def _is_copied(self, name: str) -> bool:
        """Whether a COPY may have put a program into the image."""
        return any(self.image.files.may_be_copied(f"{directory}/{name}") for directory in DEFAULT_PATH.split(":"))

    def _shell_string(
        self,
        proc: Proc,
        argv: Argv,
        rest: Argv,
        dialect: Dialect,
        letters: str,
        start: str,
        place: Place | None,
        call: Call | None,
        env: Environment,
    ) -> None:
        text = rest[0]
        excerpt = text.excerpt or Excerpt(Source("", text.value), text.value)
        script = parse(excerpt)
        self.shared.texts[excerpt.text] = None
        stage = self.stage(proc, argv, start, place, "shell", call)
        stage.form, stage.dialect, stage.script = "string", dialect.name, script
        stage.interpreter = argv[0].value.rpartition("/")[2]
        name = rest[1].value if len(rest) > 1 else argv[0].value
        self._run_shell(proc, dialect, script, rest[2:], env, ShellStart("string", name, letters))

    def _shell_file(
        self,
        proc: Proc,
        argv: Argv,
        rest: Argv,
        dialect: Dialect,
        letters: str,
        start: str,
        place: Place | None,
        call: Call | None,
        env: Environment,
        interpreter: str,
    ) -> None:
        path = rest[0].value
        file = self.find(path if "/" in path else "./" + path, env) or self.find(path, env)
        stage = self.stage(proc, argv, start, place, "shell", call)
        stage.form, stage.dialect, stage.file = "file", dialect.name, file
        if file is None and "/" in path and self._is_stray(rest[0]):
            self.world.starts.append(Started("missing", place, rest[0].text, call, None, None, (), (rest[0].excerpt,)))
            self.world.failure = self.world.failure or (f"no file is at {path}", place)
            self.world.end(proc, 127)
            return
        if file is None or file.text is None:
            self.world.obstacles.append(
                Obstacle(f"the script {rest[0].text} is not in the build context", place, proc.pid)
            )
            self._stay(proc, stage, "app")
            stage.reaction, stage.assumed = "handles", True
            proc.react = lambda _: "handles"
            return
        stage.interpreter = interpreter or argv[0].value.rpartition("/")[2]
        stage.script = self.script_of(file)
        self._run_shell(proc, dialect, stage.script, rest[1:], env, ShellStart("file", path, letters))

    def _run_shell(
        self, proc: Proc, dialect: Dialect, script: Script, words: Argv, env: Environment, how: ShellStart
    ) -> None:
        proc.runner = self.make_shell(self, proc, dialect, script, words, env, how)
        proc.block = None

    # ---------------------------------------------------------------- launchers

    def _launcher(
        self,
        proc: Proc,
        known: Launcher,
        argv: Argv,
        start: str,
        place: Place | None,
        call: Call | None,
        env: Environment,
    ) -> bool:
        parts = split(known, [word.value for word in argv])
        command: Argv = tuple(argv[index] for index in parts.words)
        if parts.shell_string_index is not None:
            command = (*arguments(["/bin/sh", "-c"]), argv[parts.shell_string_index])
        elif parts.split_string_index is not None:
            command = arguments(argv[parts.split_string_index].value.split())
        if not command:
            return self._without_command(proc, known, argv, start, place, call)
        if self._misses_option(proc, known, argv, parts, start, place, call):
            return True
        stage = self.stage(proc, argv, start, place, "init" if parts.kind == "init" else "launcher", call)
        stage.launcher = known
        if known.assignments and parts.assignments:
            pairs = dict(argv[index].value.split("=", 1) for index in parts.assignments)
            env = env._replace(variables={**env.variables, **pairs})
        if known.name in _USER_SWITCHERS:
            operands = [argv[index].value for index in parts.operands]
            user = parts.value("-u", "--user", "--reuid", "--userspec") or next(iter(operands[-1:]), "root")
            env = env._replace(user=user)
        if known.resets_ignored:
            proc.ignored &= {"HUP", "INT"}
        if parts.kind == "exec" or (known.busybox_kind == "exec" and self._has_applets()):
            self._become(proc, command, "exec", command[0].excerpt.place() if command[0].excerpt else place, call, env)
            return True
        root = proc.pid
        if known.leads_group:
            proc.group = proc.pid
        child = self.world.spawn(proc, "child", place)
        if parts.kind == "init":
            child.group = child.pid
        if parts.kind == "detach" and proc.group != proc.pid:
            # setsid forks only where it leads a process group, which a child of a script does not.
            self.world.procs.pop(child.pid)
            proc.group = proc.pid
            self._become(proc, command, "exec", place, call, env)
            return True
        if root in self.background:
            self.background.add(child.pid)
        if parts.kind == "detach" and proc.pid == 1:
            excerpts = tuple(word.excerpt for word in argv)
            self.world.starts.append(Started("detach", place, argv[0].text, call, None, None, stage.argv, excerpts))
        self._connect(proc, child, parts.kind, parts.group, beside=known.leads_group)
        self.become(child, command, "child", command[0].excerpt.place() if command[0].excerpt else place, call, env)
        if not child.alive and proc.alive:
            self.world.end(proc, child.status)
        return True

    def _without_command(
        self, proc: Proc, known: Launcher, argv: Argv, start: str, place: Place | None, call: Call | None
    ) -> bool:
        """A launcher given nothing to launch says how it is used, and ends; others are programs of their own."""
        if known.needs_command and not any(word.value in known.no_command_options for word in argv[1:]):
            self._cannot_start(proc, argv, start, place, call, 1, f"{argv[0].text} is given no command to run")
            return True
        if known.kind not in ("exec", "forward", "detach") or known.commandless:
            return False
        if known.subcommand or any(UNKNOWN in word.value for word in argv):
            return False
        self.stage(proc, argv, start, place, "job", call).launcher = known
        # Those two have something to say without one.
        self.world.end(proc, 0 if known.name in ("env", "nice") else 125)
        return True

    def _has_applets(self) -> bool:
        """Whether the image's tools are Busybox's."""
        base = self.image.base
        return base is not None and base.sh == "busybox" and "coreutils" not in self.image.packages

    def _misses_option(
        self, proc: Proc, known: Launcher, argv: Argv, parts: Split, start: str, place: Place | None, call: Call | None
    ) -> bool:
        """Whether an init ends because of an option; note one that it takes from its command as well."""
        if not known.needs_command:
            return False
        command = parts.words[0] if parts.words else len(argv)
        own = known.options_with_value | known.flags
        what, option = "init-flag", next((o for o in parts.options if len(o) == 2 and o not in own), "")
        if not option:
            what, option = self._stray_option(known, argv, command)
        if not option:
            return False
        excerpts = tuple(word.excerpt for word in argv)
        texts = tuple(word.text for word in argv)
        self.world.starts.append(
            Started(what, place, argv[0].text, call, None, None, texts, excerpts, option=option, command=command)
        )
        if what == "swallowed":
            return False
        why = f"{argv[0].text} has no option `{option}`"
        if what == "init-option":
            why = f"{argv[0].text} takes `{option}` for an option of its own, as no `--` stands before the command"
        self._cannot_start(proc, argv, start, place, call, 1, why)
        return True

    def _stray_option(self, known: Launcher, argv: Argv, command: int) -> tuple[str, str]:
        """What an init takes for an option of its own behind the command's name, and what comes of it."""
        words = [word.value for word in argv]
        base = self.image.base
        musl = base is None or base.family in ("", "alpine") or "musl" in words[0]
        if not known.takes_later_options or "--" in words or musl:
            return "", ""
        own = known.options_with_value | known.flags
        later = [word for word in words[command + 1 :] if len(word) > 1 and word[0] == "-"]
        strange = next((word for word in later if word not in own and not {"-" + c for c in word[1:]} <= own), "")
        if strange:
            return "init-option", strange
        return ("swallowed", later[0]) if later else ("", "")

    def _connect(self, proc: Proc, child: Proc, kind: str, group: bool, beside: bool = False) -> None:
        """What a launcher that stays does with signals, and with its child's end.

        It passes them on to its child, to the child's `group`, or to all `beside` it in its own group.
        """
        world = self.world

        def ended(gone: Proc) -> None:
            if gone.pid == child.pid:
                world.end(proc, gone.status)

        def forward(name: str) -> None:
            if beside:
                for other in [other for other in world.procs.values() if other.group == proc.group]:
                    if other is not proc:
                        world.signal(other, name)
            elif group:
                world.signal_group(child.group, name)
            else:
                world.signal(child, name)

        def switch(name: str) -> None:
            world.signal(child, name)
            proc.kills_at = world.clock + SWITCH_SECONDS

        proc.on_child = ended
        if kind in ("init", "forward"):
            proc.on_signal = forward
        elif kind == "switch":
            proc.on_signal = switch
        elif kind == "detach":
            world.end(proc, 0)
            return
        proc.runner = _waits_for(child.pid)

    # ------------------------------------------------------------- package.json

    def _runner(
        self, proc: Proc, argv: Argv, start: str, place: Place | None, call: Call | None, env: Environment
    ) -> bool:
        """`npm start` and its kin: the script of package.json, in a shell below the runner."""
        fact = self.program([word.value for word in argv], env)
        if fact is None or fact.kind != "runner":
            return False
        found = self._package_script([word.value for word in argv], env)
        if found is None:
            return False
        text, file = found
        stage = self.stage(proc, argv, start, place, "launcher", call)
        stage.fact, stage.file = fact, file
        child = self.world.spawn(proc, "child", place)
        self._connect(proc, child, "forward", group=False)
        self._run_script(proc, child, stage.program)
        command = (*arguments(["/bin/sh", "-c"]), Argument(text, text))
        self.become(child, command, "child", place, None, env)
        if not child.alive and proc.alive:
            self.world.end(proc, child.status)
        return True

    def _run_script(self, proc: Proc, child: Proc, name: str) -> None:
        """How a package runner differs from a launcher that forwards signals: some lose them, some do not wait."""
        base = self.image.base
        version = (
            npm_version(base.tag.partition("-")[0]) if name in ("npm", "npx") and base and base.name == "node" else ""
        )
        facts = runner(name, version)
        world = self.world
        if facts is not None and facts.other == "hang":
            proc.on_signal = None
            proc.react = lambda _: "survives"
        elif facts is not None and facts.other == "abrupt":

            def leave(signal: str) -> None:
                world.signal(child, signal)
                world.end(proc, 143)

            proc.on_signal = leave

    def _package_script(self, argv: list[str], env: Environment) -> tuple[str, ImageFile] | None:
        name_of_runner = argv[0].rpartition("/")[2]
        words = [word for word in argv[1:] if not word.startswith("-")]
        if not words:
            return None
        name = words[0]
        if name in ("run", "run-script"):
            name = words[1] if len(words) > 1 else ""
        elif name_of_runner == "npm" and name not in ("start", "test", "stop", "restart"):
            return None
        file = self.image.files.lookup(_normal(f"{env.workdir}/package.json"))
        if file is None or file.text is None or name_of_runner not in ("npm", "yarn", "pnpm"):
            return None
        try:
            script = json.loads(file.text.text)["scripts"][name]
        except (ValueError, KeyError, TypeError):
            return None
        return (script, file) if isinstance(script, str) else None

    # -------------------------------------------------------- base image scripts

    def _base_entrypoint(
        self, proc: Proc, argv: Argv, start: str, place: Place | None, call: Call | None, env: Environment
    ) -> bool:
        """The entrypoint script of a known base image, whose text is not in the context."""
        base = self.image.base
        if base is None or not base.entrypoint or base.entrypoint_runs in ("none", "unknown"):
            return False
        own = base.entrypoint[0]
        name = argv[0].value
        if name.rpartition("/")[2] != own.rpartition("/")[2] or len(base.entrypoint) > 1:
            return False
        if launcher(own) is not None:
            return False
        given = tuple(word.value for word in argv[1:])
        command = base.command(given)
        if command is None:
            return False
        words = argv[1:] if command == given else arguments(command)
        stage = self.stage(proc, argv, start, place, "launcher", call)
        stage.form = "base"
        if base.entrypoint_runs == "init":
            child = self.world.spawn(proc, "child", place)
            self._connect(proc, child, "init", group=False)
            stage.kind = "init"
            self.become(child, words, "child", place, call, env)
            return True
        at = words[0].excerpt.place() if words[0].excerpt else place
        self._become(proc, words, "exec", at, call, env)
        return True

    # ------------------------------------------------------------------- leaves

    def _leaf(
        self,
        proc: Proc,
        argv: Argv,
        start: str,
        place: Place | None,
        call: Call | None,
        env: Environment,
        file: ImageFile | None = None,
    ) -> None:
        words = [word.value for word in argv]
        if " " in words[0].strip() and "/" not in words[0] and start == "child" and file is None:
            # A message without its `echo`, say: no such command, and the script goes on.
            self.stage(proc, argv, start, place, "job", call)
            self.world.end(proc, 127)
            return
        # A script may well have a path with spaces in quotes, and some programs are called like `Plex Media Server`.
        line = " " in words[0].strip() and argv[0].excerpt is not None and (call is None or "/" not in words[0])
        line = line and not all(word[0].isupper() for word in words[0].split())
        if (line or (words[0].startswith("[") and len(words[0]) > 1)) and file is None and UNKNOWN not in words[0]:
            why = f"no program is called `{argv[0].text}`"
            self._cannot_start(proc, argv, start, place, call, 127, why, "words")
            return
        if file is None and (why := self._needs_shell(argv[0])):
            self._cannot_start(proc, argv, start, place, call, 127, why, "unexpanded")
            return
        if words[0].rpartition("/")[2] == "mkfifo":
            self.world.fifos.update(word for word in words[1:] if not word.startswith("-"))
        if self.world.fifos.intersection(words[1:]):
            # `cat FIFO` is as `cat`: it ends when its input does.
            words = [word for word in words if word not in self.world.fifos or word == words[0]]
        fact = None if _is_own_script(file) else self.program(words, env)
        supervises = launcher(words[0])
        if supervises is not None and supervises.kind == "init":
            self._supervisor(proc, supervises, argv, start, place, call)
            return
        stage = self.stage(proc, argv, start, place, "app", call)
        stage.fact, stage.file = fact, file
        signal = self.world.stop_signal
        doubt = _doubt(argv[0], fact, file)
        if not doubt and fact is not None and _hangs_on_options(fact, words, signal):
            doubt = f"the options of {argv[0].text} are not known"
        unsure = fact is not None and self._may_be_configured(fact, words, env)
        if not doubt and unsure:
            doubt = self._unknown_configuration(argv[0])
        if doubt:
            self.world.obstacles.append(Obstacle(doubt, place, proc.pid))
        if fact is not None and fact.interpreter:
            stage.reaction, stage.assumed = app_reaction(self.image, fact, words, env.workdir, signal)
        elif fact is not None and fact.reaction(signal):
            stage.reaction = fact.reaction(signal)
        else:
            stage.reaction, stage.assumed = "handles", True
        proc.react = self._reaction(fact, stage)
        if fact is not None and fact.interpreter == "node":
            # It sets every signal back to its default when it starts: measured, a trap '' before it has no effect.
            proc.ignored = set()
        elif fact is not None and proc.ignored:
            proc.react = _inheriting(proc.react, fact, stage, frozenset(proc.ignored))
        self._live(proc, stage, argv, call, unsure)

    def _supervisor(
        self, proc: Proc, known: Launcher, argv: Argv, start: str, place: Place | None, call: Call | None
    ) -> None:
        """An init that takes its command from elsewhere: s6-overlay's /init, runsvdir."""
        stage = self.stage(proc, argv, start, place, "init", call)
        signal = self.world.stop_signal
        stage.launcher, stage.reaction = known, known.signals.get(signal, "")
        stage.assumed = not stage.reaction
        if stage.assumed:
            why = f"what {argv[0].text} does with its services on SIG{signal} is not known"
            self.world.obstacles.append(Obstacle(why, place, proc.pid))
        proc.react = lambda name: known.signals.get(name, "handles")
        self._stay(proc, stage, "forever")

    def _is_stray(self, name: Argument) -> bool:
        """Whether what the Dockerfile names is known to be in the image under another name, or not at all."""
        own = name.excerpt is not None and name.excerpt.source is self.image.dockerfile.source
        return own and self.image.stray(name.value) is not None

    def _missing(self, name: Argument, call: Call | None, env: Environment) -> Missing | None:
        """What is known of a program that is for certain not in the image; a script may still install it."""
        if name.excerpt is None or (call is not None and call.maybe_function):
            return None
        if env.variables.get("PATH") != self.image.env["PATH"]:
            return None
        return None if any(map(_INSTALLS.search, self.shared.texts)) else self.image.missing(name.value)

    def _needs_shell(self, name: Argument) -> str:
        """Why no file has the name that an array gives for a program: only a shell would make one of it."""
        if name.excerpt is None or name.excerpt.quoting != "json":
            return ""
        if _EXPANDED.match(name.value):
            return f"no program is called `{name.text}`, which no shell expands"
        base = self.image.base
        has_cd = base is None or base.family not in _WITHOUT_CD
        if name.value in _ONLY_BUILTINS or (name.value == "cd" and not has_cd):
            return f"`{name.text}` is a command of the shell, and no program"
        return ""

    def _live(self, proc: Proc, stage: Stage, argv: Argv, call: Call | None, unsure: bool) -> None:
        """How long a program stays, by what it is, how it is called and where its input comes from."""
        fact, words = stage.fact, [word.value for word in argv]
        lifetime = fact.lifetime if fact is not None else "long"
        if lifetime == "daemonizes" and unsure:
            lifetime = "long"
        if fact is not None and fact.interpreter and len(words) == 1 and fact.interpreter != "java":
            # An interpreter without a script reads its standard input, which is at its end without a terminal.
            stage.form = "interactive"
            lifetime = "short"
        if proc.fed and stage.program in FILTERS:
            stage.kind = "job"
            self.world.end(proc, 0)
            return
        if stage.program not in FILTERS:
            proc.reads_from = ()
        if proc.reads_from:
            stage.kind = "job"
            proc.helper = proc.long = True
            proc.react = lambda _: "default"
            if not self._fed(proc):
                self.world.end(proc, 0)
            return
        if words[0].rpartition("/")[2] == "sleep" and len(words) > 1:
            self._sleep(proc, stage, words[1])
        elif lifetime == "short":
            stage.kind = "job"
            self._stop_daemons(stage.program, words[1:])
            self.world.end(proc, 0)
        elif lifetime == "daemonizes":
            excerpts = tuple(word.excerpt for word in argv)
            self.world.starts.append(
                Started("daemon", stage.place, argv[0].text, call, stage.file, fact, stage.arguments, excerpts)
            )
            self._daemon(proc, stage)
        else:
            self._stay(proc, stage, lifetime)

    def _may_be_configured(self, fact: Program, words: list[str], env: Environment) -> bool:
        """Whether a configuration file decides that is not at hand: of an unknown image, or one that it is given."""
        if not fact.unless_config:
            return False
        base = self.image.base
        if base is None and self.image.base_reference not in ("", "scratch"):
            return True
        if base is not None and any(_is_same(words[0], own) for own in (*(base.entrypoint or ()), *(base.cmd or ()))):
            # A base image that runs it itself has it configured so that it stays.
            return True
        named = [_absolute(path, env) for path in map(_configuration, words[1:]) if path]
        return any(self._is_open(path, fact) for path in named or fact.configs)

    def _is_open(self, path: str, fact: Program) -> bool:
        """Whether it is not known what a configuration file holds when the program reads it."""
        if self.image.brings_unknown(path):
            return True
        if any(may_write(text, path) for text in self.shared.texts):
            return True
        # One that no package has put there either.
        return not any(is_below(path, own) for own in fact.configs) and self.image.files.lookup(path) is None

    def _unknown_configuration(self, name: Argument) -> str:
        known = self.image.base is not None or self.image.base_reference in ("", "scratch")
        where = "" if known else f" in {self.image.base_reference}"
        return f"the configuration of {name.text}{where} is not known"

    def _configured(self, pattern: str, words: Sequence[str], env: Environment) -> bool:
        """Whether the environment says something, or a file: one that the command names, or one of the image's own."""
        if any(re.search(pattern, f"{name}={value}") for name, value in env.variables.items()):
            return True
        for word in words[1:]:
            file = self.image.files.lookup(_absolute(word.rpartition("=")[2], env))
            if file is not None and file.text is not None and re.search(pattern, file.text.text):
                return True
        if self.image.configures(pattern):
            return True
        return any(re.search(pattern, said) for text in self.shared.texts for said in (text, strings_of(text)))

    def _reaction(self, fact: Program | None, stage: Stage) -> Callable[[str], str]:
        stop_signal = self.world.stop_signal

        def react(name: str) -> str:
            if name == stop_signal or (fact is not None and fact.interpreter):
                return stage.reaction
            return (fact.reaction(name) if fact is not None else "") or "handles"

        return react

    def _sleep(self, proc: Proc, stage: Stage, duration: str) -> None:
        """`sleep` is the one short program whose time matters: a trap waits for it."""
        seconds = sleep_seconds(duration)
        proc.helper = True
        proc.react = lambda _: "default"
        stage.reaction, stage.assumed = "default", False
        if seconds is None:
            self._stay(proc, stage, "forever")
        elif self.world.stopped or proc.thread in self.world.live or proc.pid in self.background:
            stage.kind = "job"
            proc.ends_at = self.world.clock + seconds
        else:
            # Before the launch has settled time does not matter.
            self.world.end(proc, 0)

    def _fed(self, proc: Proc) -> bool:
        return any(self.world.procs[pid].alive for pid in proc.reads_from)

    def _daemon(self, proc: Proc, stage: Stage) -> None:
        """It leaves a child that nobody waits for, and ends."""
        stage.kind = "job"
        daemon = self.world.spawn(proc, "background", stage.place)
        daemon.stages.append(
            Stage(stage.argv, stage.program, "background", stage.place, "app", stage.call, fact=stage.fact)
        )
        daemon.long = daemon.daemon = True
        daemon.helper = stage.fact is not None and stage.fact.helper
        daemon.react = proc.react
        daemon.group = daemon.pid
        self.world.end(proc, 0)

    def _stop_daemons(self, name: str, words: list[str]) -> None:
        """`pg_ctl stop`, `mysqladmin shutdown`: what a script has started to set things up is gone before the stop."""
        if self.world.stopped or not any(word in ("stop", "shutdown", "quit") for word in words):
            return
        own = (*_STOPS.get(name, ()), name)
        for daemon in list(self.world.procs.values()):
            if daemon.alive and daemon.daemon and daemon.stage.program in own:
                self.world.end(daemon, 0)

    def _stay(self, proc: Proc, stage: Stage, lifetime: str) -> None:
        """A program that may run on: whether it does is the plan's to say."""
        world = self.world
        proc.helper = stage.fact is not None and stage.fact.helper
        if world.stopped:
            known = {other.stage.program for other in world.at_stop}
            if lifetime != "forever" and stage.program not in known:
                self._stopped_by(stage)
                world.end(proc, 0)
                return
            proc.long = True
            return
        if proc.brief:
            world.end(proc, 0)
            return
        root = proc.pid == 1 or proc.pid in self.background
        how = "exec" if root else "forever" if lifetime == "forever" else "app"
        if how == "app" and stage.fact is None and stage.argv[-1] in _CONTROLS and len(stage.argv) == 2:
            # `app-ctl start` comes back: what it leaves behind is not known.
            world.end(proc, 0)
            return
        if how == "app" and stage.fact is None and any(word in _DETACHES for word in stage.argv[1:]):
            # So does `app --daemon`.
            world.end(proc, 0)
            return
        guess = how == "app" and (stage.fact is None or stage.fact.kind == "runner" or bool(stage.fact.interpreter))
        if guess and stage.place in self.shared.steps:
            world.end(proc, 0)
        elif world.blocks_here(proc.thread, how, guess=guess, place=stage.place):
            proc.long = True
        else:
            world.end(proc, 0)

    def _stopped_by(self, stage: Stage) -> None:
        """An unknown program that is run after the stop signal is one that stops the app: `app-ctl stop`."""
        if stage.call is None or stage.call.script is None:
            return
        for proc in self.world.at_stop:
            if proc.alive and proc.long and not proc.done and not proc.helper:
                proc.done = True
                self.world.obstacles.append(Obstacle(f"what {stage.program} does to the app is not known", stage.place))
                proc.ends_at = self.world.clock + 0.1


def _inheriting(
    react: Callable[[str], str], fact: Program, stage: Stage, ignored: frozenset[str]
) -> Callable[[str], str]:
    """What a program does with signals that it has inherited as ignored.

    Measured: the JVM leaves all of them alone and runs no shutdown hook, and Python sets its handler for SIGINT only
    where it is not ignored. A handler that a program sets by itself counts all the same.
    """
    by_runtime = frozenset(("HUP", "INT", "TERM")) if fact.interpreter == "java" else frozenset()
    if fact.reaction("TERM") == "default" and stage.program.startswith(("python", "flask", "waitress")):
        by_runtime = frozenset(("INT",))
    kept = ignored & by_runtime
    return lambda name: "default" if name in kept else react(name)


def _is_same(program: str, other: str) -> bool:
    return program.rpartition("/")[2] == other.rpartition("/")[2]


def _is_own_script(file: ImageFile | None) -> bool:
    """Whether this is a shell script out of the build context that is not at hand: its name says nothing of it."""
    return file is not None and file.text is None and file.path.endswith((".sh", ".bash")) and file.origin == "context"


def _configuration(word: str) -> str:
    """The path of a configuration file in a word of a command, if it names one: `-c/etc/x.conf`, `--config=x.ini`."""
    found = _CONFIGURATION.search(word)
    return found.group() if found else ""


def _absolute(path: str, env: Environment) -> str:
    return _normal(path if path[:1] == "/" else f"{env.workdir}/{path}")


def _hangs_on_options(fact: Program, words: list[str], signal: str) -> bool:
    """Whether a word that is not known may be the option that keeps a program from what is bad of it."""
    if fact.interpreter or not any(UNKNOWN in word for word in words[1:]):
        return False
    stays_untold = fact.lifetime != "short" and fact.reaction(signal) in ("default", "survives")
    return fact.lifetime == "daemonizes" or stays_untold


def _doubt(name: Argument, fact: Program | None, file: ImageFile | None) -> str:
    """What is not known of a program that no file and no row of the facts tells of."""
    if UNKNOWN in name.value.rpartition("/")[2]:
        return f"the program's name {name.text} is not known"
    is_script = name.value.endswith((".sh", ".bash"))
    if is_script and fact is None and file is None:
        return f"the script {name.text} is not in the build context"
    if is_script and file is not None and file.text is None:
        return f"the text of the script {name.text} is not known"
    return ""


def _waits_for(pid: int) -> Runner:
    yield Block("child", (pid,))
    return 0


def sleep_seconds(text: str) -> float | None:
    """A duration as sleep(1) takes it, in seconds: None for `infinity`, 5 for what cannot be read."""
    factor = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(text[-1:], 0)
    digits = text[:-1] if factor else text
    try:
        value = float(digits) * (factor or 1)
    except ValueError:
        return None if text in ("infinity", "inf") else 5.0
    return None if value == float("inf") else value


def _normal(path: str) -> str:
    """An absolute path without `.`, `..` and doubled slashes."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def _is_script(file: ImageFile) -> bool:
    assert file.text is not None
    text = file.text.text
    return text.startswith("#!") or file.path.endswith((".sh", ".bash")) or _looks_like_shell(text)


def _looks_like_shell(text: str) -> bool:
    """A file without a shebang that is plainly a shell script: it begins with a comment or a shell word."""
    head = next((line.strip() for line in text.split("\n", 20) if line.strip() and not line.startswith("#")), "")
    return head.split(" ")[0] in (
        "set",
        "exec",
        "export",
        "if",
        "cd",
        "echo",
        "source",
        ".",
        "for",
        "while",
        "trap",
        "case",
    )
