"""The image that a stage builds: what starts in its containers, with which signal they stop, what files they have."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pid1lint.dockerfile.expand import UNKNOWN
from pid1lint.dockerfile.scanner import Dockerfile, Instruction, scan
from pid1lint.dockerfile.stages import (
    DEFAULT_PATH,
    DEFAULT_SHELL,
    DEFAULT_WINDOWS_SHELL,
    Stage,
    State,
    Step,
    enter,
    find_stage,
    join,
    make_scope,
    replay,
    stages,
    steps,
)
from pid1lint.dockerfile.variables import Variables
from pid1lint.facts.images import BaseImage
from pid1lint.facts.own import Facts
from pid1lint.frozen import Frozen
from pid1lint.image.changes import is_below
from pid1lint.image.context import BuildContext
from pid1lint.image.filesystem import (
    ContextTree,
    FileSystem,
    Layer,
    Origins,
    Stray,
    Surface,
    Tree,
    UnknownTree,
    copy_sources,
    known_dirs,
    variables_at_runtime,
)
from pid1lint.image.programs import FilePrograms
from pid1lint.numbers import is_number
from pid1lint.source import MADE_UP, Excerpt, Place, Source

if TYPE_CHECKING:
    from pid1lint.deployment import Deployment, Hidden
    from pid1lint.image.missing import Missing

_WINDOWS_IMAGE = re.compile(
    r"windowsservercore|nanoserver|mcr\.microsoft\.com/windows|mcr\.microsoft\.com/.*-windows|windows/server",
    re.IGNORECASE,
)
# What is in them may come with the base image, or with a package.
_SYSTEM_DIRS = ("/bin/", "/boot/", "/etc/", "/lib", "/opt/", "/sbin/", "/usr/", "/var/")
_MAX_STAGES = 100
_WINDOWS_PATH = r"\b[A-Za-z]:\\"
_SIGNALS = (
    ("HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG")
    + " XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
).split(" ")
_LINKED_SHELL = r"\bln\s+-\S+\s+(?:/usr)?(?:/bin/)?(bash|dash|busybox)\s+(?:/usr)?/bin/sh\b"
_MANAGER = r"\b(apk|apt-get|apt|dnf|microdnf|yum|zypper|pacman)\s+(?:-\S+\s+)*(?:add|install|update|-S)"
_SH_OF_MANAGER = {
    "apk": "busybox",
    "apt-get": "dash",
    "apt": "dash",
    **dict.fromkeys(("dnf", "microdnf", "yum", "zypper", "pacman"), "bash"),
}
_COMMAND_ENDS = r"&&|\|\||[;\n]|\b(?:then|else|do)\b"
_BEFORE_COMMANDS = frozenset(("exec", "sudo", "then", "do", "else", "!", "(", "{", "RUN", "command", "env"))
_BRINGERS = (
    r"ansible\S*|aws|confd|consul-template|cp|curl|dockerize|envsubst|erb|git|gomplate|gsutil|install|j2|jinja\S*"
    r"|ln|m4|mustache|mv|node|perl|php|python\S*|rsync|ruby|svn|tar|template\S*|tee|unzip|wget|\S*\.sh|\./\S*|\$\S*"
)
"""Programs that may leave a file behind that nobody sees the text of."""
_LOADERS = ("gcompat", "libc6-compat", "glibc", "glibc-bin", "musl", "libc6")
_LOADER_WORDS = ("glibc", "ld-linux", "ld-musl", "gcompat", "libc6-compat", "musl")
"""What a RUN says that brings a dynamic loader along in its own way."""
_FACTS = Facts()
_FAR_SIGNALS = {34: "SIGRTMIN", 37: "SIGRTMIN+3", 64: "SIGRTMAX"}


class Command(Frozen):
    """An ENTRYPOINT or CMD that counts.

    `words` are the argv of the exec form, `text` is the shell form's string, which `shell` (argv before it) runs.
    `instruction` is None if it comes from the base image; then `source` is made up, and nothing in it can be edited.
    """

    form: str
    words: tuple[Excerpt, ...]
    text: Excerpt
    instruction: Instruction | None
    source: Source
    shell: tuple[str, ...] = DEFAULT_SHELL


@dataclass(frozen=True)
class Image:
    """What a stage builds. `stop_signal` has the form `SIGTERM`; `env` has PATH and HOME in any case.

    `shell` is the argv prefix of the shell form: the one that runs ENTRYPOINT or CMD if either has that form.
    `base` is None for a base image that is not known; `windows` images are nobody's business here. `lost_cmd` is the
    CMD from below that an ENTRYPOINT here has dropped, where no other has taken its place. `machine` is the
    architecture that it is built for, empty where that is not known.

    What follows is set by a deployment only. `front` is an argv that its runtime puts in front, of a program that need
    not be in the image; `grace` is the time between the stop signal and SIGKILL, in seconds. Where `as_pid1` is not
    set, the container's process is none: its PID namespace is another's. `terminal`: its standard input does not end.
    `opaque` says why it cannot be told what it runs, `supposes` what is taken to be so as nobody knows it, `broken`
    why it cannot start: because of a script that is
    `hidden`, say. `bare` is the image as it was built.
    """

    dockerfile: Dockerfile
    stage: Stage
    stages: tuple[Stage, ...]
    base: BaseImage | None
    base_reference: str
    windows: bool
    entrypoint: Command | None
    cmd: Command | None
    shell: tuple[str, ...]
    shell_instruction: Instruction | None
    stop_signal: str
    stop_signal_instruction: Instruction | None
    user: str
    workdir: str
    env: Mapping[str, str] = field(hash=False)
    files: FileSystem = field(hash=False)
    user_instruction: Instruction | None = None
    facts: Facts = field(default=_FACTS, hash=False)
    lost_cmd: Command | None = None
    machine: str = ""
    front: tuple[str, ...] = ()
    grace: float = 10.0
    as_pid1: bool = True
    terminal: bool = False
    opaque: str = ""
    broken: str = ""
    supposes: str = ""
    hidden: Hidden | None = field(default=None, hash=False)
    deployment: Deployment | None = field(default=None, hash=False)
    bare: Image | None = field(default=None, hash=False)

    @property
    def from_place(self) -> Place:
        """Where the stage begins."""
        return self.dockerfile.source.place(*self.stage.instruction.span)

    @property
    def command_place(self) -> Place:
        """Where what the container runs is written: its own ENTRYPOINT or CMD, else the FROM that brings one."""
        command = self.entrypoint or self.cmd
        if command is None or command.instruction is None:
            return self.from_place
        return command.words[0].place() if command.words else command.text.place()

    @cached_property
    def sh(self) -> str:
        """What /bin/sh is: `dash`, `busybox`, `bash`, `none`, or empty if that is not known.

        A RUN that links it says so. A base image without a shell may have been given one, which then is not known.
        For a base image that is not known, the package manager that a RUN calls says so.
        """
        for text in reversed(self.run_texts):
            linked = re.search(_LINKED_SHELL, text)
            if linked:
                return linked.group(1)
        if self.base is not None and self.base.sh:
            return "" if self.base.sh == "none" and not self._lacks_shell else self.base.sh
        found = {_SH_OF_MANAGER[match.group(1)] for text in self.run_texts for match in re.finditer(_MANAGER, text)}
        return found.pop() if len(found) == 1 else ""

    @cached_property
    def _lacks_shell(self) -> bool:
        """Whether a base image without a shell is known to have been given none."""
        if self.base is None or self.base.guessed or self.base.shells or self.run_texts:
            return False
        return self.files.lacks("/bin/sh") and self.files.lacks("/usr/bin/sh")

    def configures(self, pattern: str) -> bool:
        """Whether a configuration file holds a pattern: of the base image, or as a RUN or a COPY here writes it."""
        texts = [self.base.config] if self.base is not None else []
        return any(re.search(pattern, text) for text in (*texts, *self.run_texts, *self._written, *self._configuration))

    @cached_property
    def _written(self) -> tuple[str, ...]:
        """The strings inside RUN instructions, each on a line of its own: `echo 'a = b' > f`, `sed 's/x/a = b/'`."""
        return tuple(strings_of(text) for text in self.run_texts)

    def brings_unknown(self, path: str) -> bool:
        """Whether something has put a file at a path, or may have, whose text is not at hand.

        A path that ends in `/` stands for the files of that directory.
        """
        names = self.files.entries(path) if path.endswith("/") else ()
        found = [self.files.lookup(posixpath.join(path, name)) for name in names] or [self.files.lookup(path)]
        if any(file is not None for file in found):
            return any(file is not None and file.text is None for file in found)
        if self.files.may_be_copied(posixpath.join(path, "any.conf") if path.endswith("/") else path):
            return True
        return self.is_mounted(path) or any(may_write(text, path) for text in self.run_texts)

    def is_mounted(self, path: str) -> bool:
        """Whether a VOLUME says that a path's directory comes from outside."""
        volumes = [i for i in self._all_instructions() if i.keyword == "VOLUME"]
        words = [word for i in volumes for word in ([w.text for w in i.words] if i.words else i.text.text.split())]
        return any(word.rstrip("/") and is_below(path, word.rstrip("/")) for word in words)

    @cached_property
    def _configuration(self) -> tuple[str, ...]:
        """The texts of configuration files that are copied to where programs look for them."""
        kinds = (".conf", ".ini", ".cnf", ".cfg")
        return tuple(
            text for folder in ("/etc", "/usr/local", "/opt") for text in self.files.texts_below(folder, kinds)
        )

    @cached_property
    def run_texts(self) -> tuple[str, ...]:
        """What the RUN instructions of this stage and of those below it say, in order."""
        return tuple(text for _, text in self.runs)

    @cached_property
    def runs(self) -> tuple[tuple[Instruction, str], ...]:
        """The RUN instructions of this stage and of those below it, in order, each with what it says."""
        runs = [i for i in self._all_instructions() if i.keyword == "RUN"]
        return tuple((i, i.text.text + "".join(heredoc.body.text for heredoc in i.heredocs)) for i in runs)

    def _all_instructions(self) -> tuple[Instruction, ...]:
        """The instructions of this stage and of those that it is built upon, in order."""
        chain = [self.stage]
        while chain[-1].parent is not None:
            chain.append(self.stages[chain[-1].parent])
        return tuple(instruction for stage in reversed(chain) for instruction in stage.instructions)

    def stray(self, name: str) -> Stray | None:
        """What has become of the file that a program's name or path means, if it is certain that none is there."""
        if self.files.is_whole and UNKNOWN not in name:
            return self._stray_of_whole(name)
        if UNKNOWN in name or self.base is None or self.base.guessed or "onbuild" in self.base.tag:
            return None
        named = (*(self.base.entrypoint or ()), *(self.base.cmd or ()))
        if any(posixpath.basename(word) == posixpath.basename(name) for word in named):
            return None
        if "/" in name:
            path = join(self.workdir, name)
            known = not is_below(path, self.base.workdir) if self.base.workdir not in ("", "/") else True
            return self.files.stray(path) if known and not path.startswith(_SYSTEM_DIRS) else None
        if UNKNOWN in self.env["PATH"] or not name.endswith((".sh", ".py")):
            return None
        strays = [self.files.stray(posixpath.join(each, name)) for each in self.env["PATH"].split(":")]
        return strays[0] if all(strays) else None

    def missing(self, name: str) -> Missing | None:
        """What is known of a program or script that is for certain not in the image, or cannot be started there."""
        from pid1lint.image.missing import Missing, missing

        why = self.cannot_start(name)
        if why:
            return Missing(name, "program", why)
        return None if self.files.is_whole else missing(self, name)

    def _stray_of_whole(self, name: str) -> Stray | None:
        if "/" in name:
            return self.files.stray(name)
        if UNKNOWN in self.env["PATH"] or self.files.which(name, self.env["PATH"]) is not None:
            return None
        return self.files.stray(name) or Stray(join(self.workdir, name), "", self.from_place)

    def cannot_start(self, name: str) -> str:
        """Why a program cannot be started, in a fragment; empty if it can, or that is not known.

        It is not in an image all of whose files are known, or its loader or interpreter is not, or it is built for
        another machine.
        """
        if UNKNOWN in name or UNKNOWN in self.env["PATH"]:
            return ""
        if not self.files.is_whole and not isinstance(self.facts.binaries, FilePrograms):
            return ""
        file = self.files.which(name, self.env["PATH"])
        if self.files.is_whole and file is None:
            return f"there is no file at {name}" if "/" in name else f"no {name} is on PATH"
        if self.files.is_whole and file is not None and file.text is not None:
            return self._lacks_interpreter(name, file.text.text)
        binaries = self.facts.binaries
        found = binaries.binary(name) if isinstance(binaries, FilePrograms) else None
        if found is None:
            return ""
        if found.machine and self.machine and found.machine != self.machine:
            return f"{name} is built for {found.machine}, but the image is for {self.machine}"
        if found.loader and self._lacks_loader(found.loader):
            return f"{name} needs {found.loader}, which is not in the image"
        return ""

    def _lacks_interpreter(self, name: str, text: str) -> str:
        """Why a script of a whole image cannot be started: what its first line names is not there."""
        words = text.partition("\n")[0].removeprefix("#!").split() if text.startswith("#!") else []
        if not words:
            return ""
        if self.files.lacks(words[0]):
            return f"{name} needs {words[0]}, which is not in the image"
        run_by_env = posixpath.basename(words[0]) == "env" and len(words) == 2 and not words[1].startswith("-")
        if run_by_env and "=" not in words[1] and self.files.which(words[1], self.env["PATH"]) is None:
            return f"{name} needs {words[1]}, which is not on PATH"
        return ""

    def _lacks_loader(self, loader: str) -> bool:
        """Whether the dynamic loader of a program is known not to be in the image."""
        if self.files.is_whole or self.base is None or self.base.guessed:
            return self.files.is_whole and self.files.lacks(loader)
        is_musl = "/ld-musl-" in loader
        if self.base.family in ("debian", "ubuntu", "fedora", "rhel", "amazon", "suse"):
            foreign = is_musl
        else:
            foreign = self.base.family == "scratch" or (self.base.family == "alpine" and not is_musl)
        brought = any(package in self.packages for package in _LOADERS)
        spoken_of = any(word in text for text in self.run_texts for word in _LOADER_WORDS)
        return foreign and not brought and not spoken_of and self.files.lacks(loader)

    @cached_property
    def packages(self) -> frozenset[str]:
        """The packages of the image: those that a RUN installs, and the inits and user switchers of the base."""
        return self.files.packages | frozenset(self.base.packages if self.base is not None else ())


def strings_of(text: str) -> str:
    """The strings inside shell text, each on a line of its own: `echo 'a = b' > f`, `sed 's/x/a = b/'`."""
    return re.sub(r"['\"/|]|\\n", "\n", text)


def may_write(text: str, path: str) -> bool:
    """Whether shell text may put a file at a path whose text it does not show: by `cp`, `curl -o`, `envsubst > f`.

    A path that ends in `/` stands for the files of that directory.
    """
    folder, _, name = path.rpartition("/")
    target = rf"{re.escape(folder)}/?(?![\w./-])" + (rf"|(?<![\w.-]){re.escape(name)}(?![\w.-])" if name else "")
    if not re.search(target, text):
        return False
    commands = re.split(_COMMAND_ENDS, text.replace("\\\n", " "))
    return any(_may_write(command.strip(), target) for command in commands)


def _may_write(command: str, target: str) -> bool:
    words = command.split()
    program = next((word for word in words if "=" not in word and word not in _BEFORE_COMMANDS), "")
    if re.fullmatch(_BRINGERS, program.rpartition("/")[2]):
        moved = program in ("cp", "mv", "ln", "install")
        return re.search(target, words[-1] if moved else command) is not None
    shown = program in ("echo", "printf") or (program == "cat" and "<<" in command)
    return not shown and re.search(rf">>?\s*['\"]?\S*(?:{target})", command) is not None


def build_image(
    dockerfile: Dockerfile, stage_index: int, context: BuildContext, build_args: Mapping[str, str]
) -> Image:
    """The image of one stage."""
    return Build(dockerfile, context, build_args).image(stage_index)


def joined(some: frozenset[str], more: frozenset[str]) -> frozenset[str]:
    """Both as one set; the first one itself if the other adds nothing."""
    return some if more <= some else some | more


Bases = Callable[[str], Image | None]
"""Knows the images that a name in FROM stands for, as far as they are built next door."""
ReadArchive = Callable[[str, Facts], Image]
"""Reads an image from what is named like `oci-archive:base.tar`."""


class Build(Origins):
    """One Dockerfile with one context; what its stages share is worked out once."""

    def __init__(
        self,
        dockerfile: Dockerfile,
        context: BuildContext,
        build_args: Mapping[str, str],
        facts: Facts = _FACTS,
        bases: Bases | None = None,
        read_archive: ReadArchive | None = None,
    ) -> None:
        """`bases` knows images that FROM may name and that are built next door, where no facts do.

        `read_archive` reads the archive that the facts name for an image; without it none is read.
        """
        self._bases = bases
        self._read_archive = read_archive
        self._below: dict[str, Image | None] = {}
        self.dockerfile = dockerfile
        self.facts = facts
        self.scope = make_scope(dockerfile, build_args)
        self.stages = stages(dockerfile, build_args)
        self._context = ContextTree(context)
        self._replays: dict[int, tuple[tuple[Step, ...], State]] = {}
        self._files: dict[int, FileSystem] = {}
        self._archives: dict[str, Image | None] = {}

    def image(self, index: int) -> Image:
        """The image of the stage with an index."""
        stage = self.stages[index]
        root = self._root(stage)
        below = self.below(root)
        base = self.facts.base_image(root.reference) if below is None else below.base
        _, state = self._replay(index)
        shell, shell_instruction = _shell_of(state)
        env = variables_at_runtime(state.env, _home(state.user))
        return Image(
            dockerfile=self.dockerfile,
            stage=stage,
            stages=self.stages,
            base=base,
            base_reference=root.reference,
            windows=self._is_windows(root, base, state),
            entrypoint=self._entrypoint(state, root, base),
            cmd=self._cmd(state, root, base),
            shell=shell,
            shell_instruction=shell_instruction,
            stop_signal=signal_name(state.stop_signal or self._stop_signal(below, base)),
            stop_signal_instruction=state.stop_signal_instruction,
            user=state.user,
            workdir=state.workdir,
            env=env,
            files=self.files(index),
            user_instruction=state.user_instruction,
            facts=self.facts._replace(binaries=FilePrograms(self.files(index), env["PATH"])),
            lost_cmd=self._cmd(state.lost_cmd, root, base) if state.lost_cmd is not None else None,
        )

    def _archive(self, reference: str) -> Image | None:
        """An image that the configuration says to read from an archive."""
        source = self.facts.archive(reference)
        if not source or self._read_archive is None:
            return None
        if source not in self._archives:
            self._archives[source] = self._read_archive(source, self.facts)
        return self._archives[source]

    def below(self, root: Stage) -> Image | None:
        """The image that a stage is built upon, where it is not known but built next door."""
        reference = root.reference
        if reference in self._below:
            return self._below[reference]
        archive = self._archive(reference)
        if archive is not None:
            self._below[reference] = archive
            return archive
        if self._bases is None or not reference or UNKNOWN in reference or reference == "scratch":
            return None
        known = self.facts.base_image(reference)
        is_open = known is None or known.guessed
        self._below[reference] = self._bases(reference) if is_open else None
        return self._below[reference]

    def __getstate__(self) -> dict[str, object]:
        """What has been found out; whom to ask stays behind, as it may be a function of somebody's."""
        return {**self.__dict__, "_bases": None, "_read_archive": None}

    @staticmethod
    def _stop_signal(below: Image | None, base: BaseImage | None) -> str:
        if below is not None:
            return below.stop_signal
        return (base.stop_signal if base is not None else None) or "SIGTERM"

    def _root(self, stage: Stage) -> Stage:
        """The stage from which an image outside this file is built upon."""
        while stage.parent is not None:
            stage = self.stages[stage.parent]
        return stage

    def _replay(self, index: int) -> tuple[tuple[Step, ...], State]:
        for stage in self._line(index, self._replays):
            if stage.parent is None:
                below = self.below(stage)
                state = _upon(below) if below else _initial(stage, self.facts.base_image(stage.reference))
            else:
                state = enter(self._replays[stage.parent][1])
            self._replays[stage.index] = replay(steps(stage, self.stages), state, self.scope)
        return self._replays[index]

    def _line(self, index: int, known: Container[int] = ()) -> list[Stage]:
        """The stages that a stage builds upon, the lowest first, and itself; no recursion, they may be many.

        What is `known`, and what that builds upon, is left out.
        """
        line: list[Stage] = []
        at: int | None = index
        while at is not None and at not in known:
            line.append(self.stages[at])
            at = self.stages[at].parent
        return line[::-1]

    def files(self, index: int) -> FileSystem:
        """The files of a stage."""
        if index not in self._files:
            self._files[index] = self._build_files(index)
        return self._files[index]

    def _build_files(self, index: int) -> FileSystem:
        line = self._line(index)
        next_door = self.below(line[0])
        base = self.facts.base_image(line[0].reference) if next_door is None else next_door.base
        escapes = {"dash": True, "bash": False, "busybox": False}.get(base.sh) if base is not None else None
        dirs: frozenset[str] = next_door.files.dirs if next_door is not None else frozenset()
        layers: list[Layer] = [*next_door.files.layers] if next_door is not None else []
        for stage in line:
            own, _ = self._replay(stage.index)
            dirs = joined(dirs, known_dirs(own))
            surface = Surface(self._context, self, stage.index, escapes, self.dockerfile.escape)
            layers += [Layer(step, surface, dirs) for step in own if step.instruction.keyword in ("COPY", "ADD", "RUN")]
        workdir = self._replay(index)[1].workdir
        below = None
        if next_door is not None:
            # What is read from an archive has no layers of instructions.
            below = next_door.files if next_door.files.is_whole else next_door.files.below
        return FileSystem(tuple(layers), workdir, joined(dirs, frozenset((workdir,))), below)

    def tree(self, name: str, before: int) -> Tree:
        """See `Origins.tree`."""
        index = find_stage(name, self.stages[:before])
        # A lookup goes from stage to stage by recursion.
        return UnknownTree() if index is None or len(self.stages) > _MAX_STAGES else self.files(index)

    def sources(self) -> tuple[str, ...]:
        """What all stages take from the build context, by which `find_context` finds it."""
        return tuple(source for stage in self.stages for source in copy_sources(self._replay(stage.index)[0]))

    def _is_windows(self, root: Stage, base: BaseImage | None, state: State) -> bool:
        if (base is not None and base.family == "windows") or _WINDOWS_IMAGE.search(root.reference):
            return True
        if root.platform is not None and root.platform.startswith("windows"):
            return True
        program = re.split(r"[/\\]", state.shell[0])[-1].lower() if state.shell else ""
        if program in ("cmd", "cmd.exe", "powershell", "powershell.exe") or program == "pwsh.exe":
            return True
        return self.dockerfile.escape == "`" and re.search(_WINDOWS_PATH, self.dockerfile.source.text) is not None

    def _entrypoint(self, state: State, root: Stage, base: BaseImage | None) -> Command | None:
        if state.entrypoint is not None:
            return _command(state.entrypoint, state.entrypoint_shell)
        below = self.below(root)
        if below is not None:
            return _taken_over(below.entrypoint) if state.base_entrypoint else None
        inherited = base.entrypoint if base is not None and state.base_entrypoint else None
        return _inherited("ENTRYPOINT", inherited, root.reference)

    def _cmd(self, state: State, root: Stage, base: BaseImage | None) -> Command | None:
        if state.cmd is not None:
            return _command(state.cmd, state.cmd_shell)
        below = self.below(root)
        if below is not None:
            return _taken_over(below.cmd) if state.base_cmd else None
        inherited = base.cmd if base is not None and state.base_cmd else None
        return _inherited("CMD", inherited, root.reference)


def _upon(below: Image) -> State:
    """What holds at the start of a stage that is built upon an image from next door."""
    return State(
        env=Variables(below.env),
        variables=Variables(below.env),
        workdir=below.workdir,
        shell=below.shell,
        user=below.user,
    )


def _taken_over(command: Command | None) -> Command | None:
    """An ENTRYPOINT or CMD of another Dockerfile: none of this one's instructions."""
    return None if command is None else command.replaced(instruction=None)


def _initial(stage: Stage, base: BaseImage | None) -> State:
    env = {"PATH": DEFAULT_PATH}
    if base is not None:
        env.update(base.env)
    windows = _WINDOWS_IMAGE.search(stage.reference) or (base is not None and base.family == "windows")
    return State(
        env=Variables(env),
        variables=Variables(env),
        complete=stage.reference == "scratch",
        workdir=(base.workdir if base is not None else "") or "/",
        shell=DEFAULT_WINDOWS_SHELL if windows else DEFAULT_SHELL,
        user=base.user if base is not None else "",
    )


def _shell_of(state: State) -> tuple[tuple[str, ...], Instruction | None]:
    # SHELL counts where it stands: a later one changes nothing for a CMD before it.
    if state.entrypoint is not None and state.entrypoint.words is None:
        return state.entrypoint_shell, state.entrypoint_shell_instruction
    if state.cmd is not None and state.cmd.words is None:
        return state.cmd_shell, state.cmd_shell_instruction
    return state.shell, state.shell_instruction


def _command(instruction: Instruction, shell: tuple[str, ...]) -> Command | None:
    if instruction.words == ():
        return None
    form = "shell" if instruction.words is None else "exec"
    return Command(form, instruction.words or (), instruction.text, instruction, instruction.text.source, shell)


def _inherited(keyword: str, argv: tuple[str, ...] | None, reference: str) -> Command | None:
    if not argv:
        return None
    source = Source(f"{reference} {MADE_UP}", f"{keyword} {json.dumps(list(argv), ensure_ascii=False)}\n")
    made = scan(source).instructions[0]
    return Command("exec", made.words or (), made.text, None, source)


def _home(user: str) -> str:
    name = user.partition(":")[0]
    if name in ("", "root", "0"):
        return "/root"
    return UNKNOWN if is_number(name) or UNKNOWN in name else f"/home/{name}"


def signal_name(text: str) -> str:
    """A STOPSIGNAL in the form `SIGTERM`; what is no signal stays as it is."""
    text = text.strip().upper()
    if is_number(text):
        number = int(text)
        if 0 < number <= len(_SIGNALS):
            return "SIG" + _SIGNALS[number - 1]
        return _FAR_SIGNALS.get(number, f"SIGRTMIN+{number - 34}" if 34 < number < 64 else text)
    name = text.removeprefix("SIG")
    known = name in _SIGNALS or re.fullmatch(r"RTM(?:IN(?:\+\d+)?|AX(?:-\d+)?)", name)
    return "SIG" + name if known else text


# ------------------------------------------------------------------ targets


def final_stages(dockerfile: Dockerfile, target: str | None = None) -> tuple[int, ...]:
    """The stages to judge: the last one, or `target` (none if there is no such stage).

    What an earlier stage would run says nothing about the image that is built.
    """
    found = stages(dockerfile, {})
    if target is None:
        return (found[-1].index,) if found else ()
    index = find_stage(target, found)
    return () if index is None else (index,)
