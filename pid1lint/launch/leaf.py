"""Programs that start no other: how long they stay, and what signals do to them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pid1lint.facts import handlers
from pid1lint.facts.launchers import Launcher, launcher
from pid1lint.frozen import NamedTuple
from pid1lint.launch.appsource import is_read
from pid1lint.launch.lookup import Lookup
from pid1lint.launch.process import Assumption, Call, Started
from pid1lint.launch.stack import Argument, Argv
from pid1lint.launch.state import Environment
from pid1lint.launch.values import UNKNOWN
from pid1lint.launch.world import CLEANUP_SECONDS, DEFAULT, HANDLES, Point, Proc, Reaction, Stage, World
from pid1lint.numbers import is_number

if TYPE_CHECKING:
    from pid1lint.facts.programs import Program
    from pid1lint.image.filesystem import ImageFile
    from pid1lint.source import Place

FILTERS = frozenset(
    "awk cat cronolog cut egrep fgrep gawk grep gzip head jq less logger mawk multilog nl pino-pretty rotatelogs sed "
    "sort svlogd tail tee tr ts uniq wc".split()
)
"""Programs that end when what they read from ends."""
_CONTROLS = frozenset(("start", "stop", "status"))
_SERVICES = frozenset(("service", "rc-service", "invoke-rc.d", "systemctl"))
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


class Start(NamedTuple):
    """A program that is about to be started: its argv, how (see `Process.start`), where, by which command, with what.

    `shown` is the argv as it is to be shown, where that is another. `detached`: what starts it leaves it behind.
    """

    argv: Argv
    how: str
    place: Place | None
    call: Call | None
    env: Environment
    shown: Argv | None = None
    detached: bool = False

    @property
    def words(self) -> list[str]:
        """The argv as plain strings."""
        return [word.value for word in self.argv]

    def noted(self, what: str, stage: Stage | None = None, file: ImageFile | None = None) -> Started:
        """What is noted of it where it does not go as its author meant."""
        excerpts = tuple(word.excerpt for word in self.argv)
        argv = stage.argv if stage is not None else ()
        return Started(what, self.place, self.argv[0].text, self.call, file, None, argv, excerpts)


def enter(world: World, proc: Proc, start: Start, kind: str, program: str = "") -> Stage:
    """Note what a process has become: what it was before is reset."""
    world.started[proc.thread] = world.started.get(proc.thread, 0) + 1
    proc.shell = None
    proc.block = None
    proc.reaction = None
    proc.passes = ""
    proc.child = 0
    argv = start.argv
    name = program or argv[0].value.rpartition("/")[2] or argv[0].text
    if UNKNOWN in name:
        name = argv[0].text
    stage = Stage(
        tuple(word.value if UNKNOWN not in word.value else word.text for word in argv),
        name,
        "exec" if proc.stages else start.how,
        start.place,
        kind,
        start.call,
        tuple(word.value for word in argv),
        len(world.procs),
    )
    proc.stages = (*proc.stages, stage)
    return stage


def cannot_start(
    world: World, proc: Proc, start: Start, status: int, why: str, what: str = "", file: ImageFile | None = None
) -> None:
    """It ends at once, and maybe the whole launch with it; `what` is noted (see `Started`)."""
    stage = enter(world, proc, start, "app")
    stage.file = file
    if what:
        world.note(start.noted(what, stage, file))
    if start.how == "child" and proc.thread == 0 and not world.stopped:
        world.exec_failed = (why, start.place)
    if proc.pid == 1 or (proc.thread == 0 and not world.stopped and start.how == "exec"):
        world.failure = (why, start.place)
    world.end(proc.pid, status)


def start_leaf(lookup: Lookup, world: World, proc: Proc, start: Start, file: ImageFile | None = None) -> None:
    """Start a program that is neither a shell nor known to start another."""
    argv, words = start.argv, start.words
    if " " in words[0].strip() and "/" not in words[0] and start.how == "child" and file is None:
        # A message without its `echo`, say: no such command, and the script goes on.
        enter(world, proc, start, "job")
        world.end(proc.pid, 127)
        return
    # A script may well have a path with spaces in quotes, and some programs are called like `Plex Media Server`.
    line = " " in words[0].strip() and argv[0].excerpt is not None and (start.call is None or "/" not in words[0])
    line = line and not all(word[0].isupper() for word in words[0].split())
    if (line or (words[0].startswith("[") and len(words[0]) > 1)) and file is None and UNKNOWN not in words[0]:
        cannot_start(world, proc, start, 127, f"no program is called `{argv[0].text}`", "words")
        return
    if file is None and (why := lookup.needs_shell(argv[0])):
        cannot_start(world, proc, start, 127, why, "unexpanded")
        return
    if words[0].rpartition("/")[2] == "mkfifo":
        world.fifos |= {word for word in words[1:] if not word.startswith("-")}
    if world.fifos.intersection(words[1:]):
        # `cat FIFO` is as `cat`: it ends when its input does.
        words = [word for word in words if word not in world.fifos or word == words[0]]
    supervises = launcher(words[0])
    if supervises is not None and supervises.kind == "init":
        _supervise(world, proc, supervises, start)
        return
    fact = None if _is_own_script(file) else lookup.program(words, start.env)
    stage = enter(world, proc, start, "app")
    stage.fact, stage.file = fact, file
    signal = world.stop_signal
    doubt = _doubt(argv[0], fact, file)
    if not doubt and fact is not None and _hangs_on_options(fact, words, signal):
        doubt = f"the options of {argv[0].text} are not known"
    unsure = fact is not None and lookup.may_be_configured(fact, words, start.env)
    if not doubt and unsure:
        doubt = lookup.unknown_configuration(argv[0])
    if not doubt and fact is not None and fact.kind == "runner" and file is None and not fact.reaction(signal):
        doubt = f"it is not known what {argv[0].text} runs"
    if doubt:
        world.hinder(doubt, start.place, proc.pid)
    if fact is not None and fact.interpreter:
        _by_script(lookup, fact, words, start.env, signal, stage)
    elif fact is not None and fact.reaction(signal):
        stage.reaction, stage.assumed = fact.reaction(signal), fact.is_believed
    else:
        _by_source(lookup, world, proc, start, file, stage)
    proc.reaction = _reaction(fact, stage, signal, proc.ignored)
    if fact is not None and fact.interpreter == "node":
        # It sets every signal back to its default when it starts: measured, a trap '' before it has no effect.
        proc.ignored = frozenset()
    _live(world, proc, stage, start, unsure)


def _by_script(lookup: Lookup, fact: Program, words: list[str], env: Environment, signal: str, stage: Stage) -> None:
    """Note what the stop signal does to a program of an interpreted language: that is for the script to say."""
    plain = fact.reaction(signal) or "handles"
    stage.reaction, stage.assumed = plain, False
    if plain != "default" or not is_read(fact.interpreter):
        return
    script = lookup.asked.script_of(fact.interpreter, tuple(words), env.workdir)
    found = lookup.reaction(script, env, signal) if script else None
    stage.serves = found is not None and found.serves
    if found is None or not found.does:
        stage.reaction, stage.assumed = "handles", True
    elif found.handler or found.does == "handles":
        stage.reaction = found.does
    elif (told := handlers.variables(fact.interpreter)) and env.variables.any_like(told):
        stage.reaction, stage.assumed = "handles", True
    elif found.rests:
        stage.rests = Assumption(found.rests, found.place)


def _by_source(lookup: Lookup, world: World, proc: Proc, start: Start, file: ImageFile | None, stage: Stage) -> None:
    """Note what the stop signal does to an app of which no fact tells, by its source.

    It is not looked for where a shell stands above the app, which is not told then.
    """
    stage.reaction, stage.assumed = "handles", True
    above = world.procs.get(proc.parent)
    if above is not None and above.shell is not None and start.how == "child":
        return
    if file is not None and file.text is not None:
        return
    found = lookup.reaction(start.argv[0].value, start.env, world.stop_signal)
    if found is not None and found.does:
        stage.reaction, stage.assumed, stage.serves = found.does, False, found.serves
        stage.rests = Assumption(found.rests, found.place) if found.rests else None


def start_unread_script(world: World, proc: Proc, stage: Stage, name: Argument) -> None:
    """A shell runs a script whose text is not at hand."""
    world.hinder(f"the script {name.text} is not in the build context", stage.place, proc.pid)
    stage.reaction, stage.assumed = "handles", True
    proc.reaction = HANDLES
    _stay(world, proc, stage, "app")


def _supervise(world: World, proc: Proc, known: Launcher, start: Start) -> None:
    """An init that takes its command from elsewhere: s6-overlay's /init, runsvdir."""
    stage = enter(world, proc, start, "init")
    signal = world.stop_signal
    stage.launcher, stage.reaction = known, known.signals.get(signal, "")
    stage.assumed = not stage.reaction
    if stage.assumed:
        why = f"it is not known what {start.argv[0].text} does with its services on SIG{signal}"
        world.hinder(why, start.place, proc.pid)
    proc.reaction = Reaction(tuple(known.signals.items()), "handles")
    _stay(world, proc, stage, "forever")


def _reaction(fact: Program | None, stage: Stage, stop_signal: str, ignored: frozenset[str]) -> Reaction:
    """What a program does with signals, those that it has inherited as ignored among them.

    Measured: the JVM leaves all of them alone and runs no shutdown hook, and Python sets its handler for SIGINT only
    where it is not ignored. A handler that a program sets by itself counts all the same.
    """
    if fact is None:
        return Reaction(((stop_signal, stage.reaction),), "handles")
    if fact.interpreter:
        reaction = Reaction(otherwise=stage.reaction)
    else:
        others = tuple((name, found) for name, found in fact.signals.items() if name != stop_signal and found)
        reaction = Reaction(((stop_signal, stage.reaction), *others), "handles")
    if fact.interpreter == "node" or not ignored:
        return reaction
    by_runtime = frozenset(("HUP", "INT", "TERM")) if fact.interpreter == "java" else frozenset()
    if fact.reaction("TERM") == "default" and stage.program.startswith(("python", "flask", "waitress")):
        by_runtime = frozenset(("INT",))
    return reaction._replace(kept=ignored & by_runtime)


def _live(world: World, proc: Proc, stage: Stage, start: Start, unsure: bool) -> None:
    """How long a program stays, by what it is, how it is called and where its input comes from."""
    fact, words = stage.fact, start.words
    lifetime = fact.lifetime if fact is not None else "long"
    if lifetime == "daemonizes" and unsure and (proc.pid == 1 or start.how != "child"):
        lifetime = "long"
    elif lifetime == "daemonizes" and unsure:
        # It is one way or the other, and both matter: left behind, it is cut off with the container.
        world.hinder(f"whether {start.argv[0].text} goes into the background is not known", start.place)
    if start.how == "child" and fact is not None and fact.interpreter and _is_step(words):
        lifetime = "short"
    if start.detached and lifetime != "short":
        _daemon(world, proc, stage)
        return
    if fact is not None and _reads_input(fact, words):
        # Its standard input is at its end without a terminal.
        stage.form = "interactive"
        lifetime = "short"
    if proc.fed and stage.program in FILTERS:
        stage.kind = "job"
        world.end(proc.pid, 0)
        return
    if stage.program not in FILTERS:
        proc.reads_from = ()
    if proc.reads_from:
        stage.kind = "job"
        proc.helper = proc.long = True
        proc.reaction = DEFAULT
        if not world.is_fed(proc):
            world.end(proc.pid, 0)
        return
    if (watched := _watched_by_tail(words)) and not _outlasts(world, proc, watched):
        stage.kind = "job"
        world.end(proc.pid, 0)
    elif watched:
        stage.kind = "job"
        proc.helper = proc.long = True
        proc.reaction = DEFAULT
        proc.reads_from = (int(watched),)
    elif words[0].rpartition("/")[2] == "sleep" and len(words) > 1:
        _sleep(world, proc, stage, words[1])
    elif lifetime == "short":
        stage.kind = "job"
        if not _stops_app(world, proc, stage.program, words[1:]):
            stop_daemons(world, stage.program, words[1:])
            world.end(proc.pid, 0)
    elif lifetime == "daemonizes":
        excerpts = tuple(word.excerpt for word in start.argv)
        name = start.argv[0].text
        noted = Started("daemon", stage.place, name, start.call, stage.file, fact, stage.arguments, excerpts)
        world.note(noted)
        _daemon(world, proc, stage)
    else:
        _stay(world, proc, stage, lifetime)


_INTERACTIVE = frozenset(("-a", "-i", "-q", "-u", "--interactive"))


def _reads_input(fact: Program, words: list[str]) -> bool:
    """Whether a program is a language's own shell, or an interpreter without a script, such as `php -a`.

    Measured: php 8.2, python 3.11, node 18, ruby 3.1, irb and perl 5.36 end at once where the input is empty.
    """
    if fact.kind == "interactive":
        return all(word.startswith("-") for word in words[1:])
    return bool(fact.interpreter) and fact.interpreter != "java" and all(word in _INTERACTIVE for word in words[1:])


def _watched_by_tail(words: list[str]) -> str:
    """The process that `tail --pid=N -f` waits for: measured, it ends within a second of that one."""
    if words[0].rpartition("/")[2] != "tail":
        return ""
    for word, following in zip(words[1:], [*words[2:], ""], strict=False):
        if word.startswith("--pid"):
            return word.partition("=")[2] or following
    return ""


def _outlasts(world: World, proc: Proc, pid: str) -> bool:
    """Whether a process by its number is one of the world's that lives; one that is not known ends some day."""
    return is_number(pid) and int(pid) != proc.pid and int(pid) in world.procs and world.procs[int(pid)].alive


_STEP = re.compile(
    r"(?:wait|wait[-_]?(?:for|until)(?:[-_]\w+)*|(?:run[-_])?migrat(?:e|ions?)|(?:init|create|prepare|seed)[-_]?db)\.\w+\Z"
)


def _is_step(words: list[str]) -> bool:
    """Whether an interpreter's script says by its name that it comes back: `python wait_for.py database`."""
    script = next((word for word in words[1:] if not word.startswith("-")), "")
    return _STEP.match(script.rpartition("/")[2]) is not None


def _sleep(world: World, proc: Proc, stage: Stage, duration: str) -> None:
    """`sleep` is the one short program whose time matters: a trap waits for it."""
    seconds = sleep_seconds(duration)
    proc.helper = True
    proc.reaction = DEFAULT
    stage.reaction, stage.assumed = "default", False
    if seconds is None:
        _stay(world, proc, stage, "forever")
    elif world.stopped or proc.thread in world.live or proc.background:
        stage.kind = "job"
        proc.ends_at = world.clock + seconds
    else:
        # Before the launch has settled time does not matter.
        world.end(proc.pid, 0)


def _daemon(world: World, proc: Proc, stage: Stage) -> None:
    """It leaves a child that nobody waits for, and ends."""
    stage.kind = "job"
    daemon = world.spawn(proc)
    program = stage.program
    if program in _SERVICES and len(stage.argv) > 1:
        # It is the daemon that is there then, and not what has started it.
        program = stage.argv[2 if program == "systemctl" and len(stage.argv) > 2 else 1].removesuffix(".service")
    left = Stage(stage.argv, program, "background", stage.place, "app", stage.call, began=len(world.procs))
    left.fact = stage.fact
    daemon.stages = (left,)
    daemon.long = daemon.daemon = True
    daemon.helper = stage.fact is not None and stage.fact.helper
    daemon.reaction = proc.reaction
    daemon.group = daemon.pid
    world.end(proc.pid, 0)


def _stops_app(world: World, proc: Proc, name: str, words: list[str]) -> bool:
    """A handler that stops the app by its own command, which waits for it: `redis-cli shutdown`, `service x stop`.

    Measured: these come back when the app has ended.
    """
    if not world.stopped or not any(word in ("stop", "shutdown") for word in words):
        return False
    own = (*_STOPS.get(name, ()), name)
    apps = [pid for pid in world.at_stop if world.procs[pid].alive and world.procs[pid].stage.program in own]
    for pid in apps:
        app = world.own(pid)
        app.told = app.done = True
        app.ends_at = world.clock + CLEANUP_SECONDS
    proc.ends_at = world.clock + CLEANUP_SECONDS
    return bool(apps)


def stop_daemons(world: World, name: str, words: list[str]) -> None:
    """`pg_ctl stop`, `mysqladmin shutdown`: what a script has started to set things up is gone before the stop."""
    by_daemon_tool = name == "start-stop-daemon" and any(word in ("--stop", "-K") for word in words)
    if world.stopped or not (by_daemon_tool or any(word in ("stop", "shutdown", "quit") for word in words)):
        return
    own = (*_STOPS.get(name, ()), name)
    if by_daemon_tool:
        named = [words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-x", "--exec", "-n", "--name")]
        own = tuple(word.rpartition("/")[2] for word in named)
    for daemon in world.living():
        # By a pid file it may be any.
        known = daemon.stages and (daemon.stage.program in own or not own)
        if daemon.daemon and known and daemon.pid in world.alive:
            world.end(daemon.pid, 0)


def _stay(world: World, proc: Proc, stage: Stage, lifetime: str) -> None:
    """A program that may run on: whether the launch stays there is decided when it is known what comes after."""
    proc.helper = stage.fact is not None and stage.fact.helper
    if world.stopped:
        known = {world.procs[pid].stage.program for pid in world.at_stop}
        if lifetime != "forever" and stage.program not in known:
            _stopped_by(world, stage)
            world.end(proc.pid, 0)
            return
        proc.long = True
        return
    if proc.brief:
        world.end(proc.pid, 0)
        return
    root = proc.pid == 1 or proc.background
    how = "exec" if root else "forever" if lifetime == "forever" else "app"
    if how == "app" and stage.fact is None and stage.argv[-1] in _CONTROLS and len(stage.argv) == 2:
        # `app-ctl start` comes back: what it leaves behind is not known.
        world.end(proc.pid, 0)
        return
    if how == "app" and stage.fact is None and any(word in _DETACHES for word in stage.argv[1:]):
        # So does `app --daemon`.
        world.end(proc.pid, 0)
        return
    guess = how == "app" and (stage.fact is None or stage.fact.kind == "runner" or bool(stage.fact.interpreter))
    world.point = Point(proc.thread, how, guess, stage.place, proc.pid)


def _stopped_by(world: World, stage: Stage) -> None:
    """An unknown program that is run after the stop signal is one that stops the app: `app-ctl stop`."""
    if stage.call is None or stage.call.script is None:
        return
    for pid in world.at_stop:
        proc = world.procs[pid]
        if proc.alive and proc.long and not proc.done and not proc.helper:
            proc = world.own(pid)
            proc.done = True
            world.hinder(f"it is not known what {stage.program} does to the app", stage.place)
            proc.ends_at = world.clock + 0.1


def _is_own_script(file: ImageFile | None) -> bool:
    """Whether this is a shell script out of the build context that is not at hand: its name says nothing of it."""
    return file is not None and file.text is None and file.path.endswith((".sh", ".bash")) and file.origin == "context"


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


def sleep_seconds(text: str) -> float | None:
    """A duration as sleep(1) takes it, in seconds: None for `infinity`, 5 for what cannot be read."""
    factor = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(text[-1:], 0)
    digits = text[:-1] if factor else text
    try:
        value = float(digits) * (factor or 1)
    except ValueError:
        return None if text in ("infinity", "inf") else 5.0
    return None if value == float("inf") else value
