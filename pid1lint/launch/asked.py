"""All that a launch asks of its image: each question is kept with its answer.

Nothing else looks at the image while the ways of a launch are explored. So another image that answers all these
questions alike is known to start alike (`repeat.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from pid1lint.dockerfile.stages import DEFAULT_PATH
from pid1lint.facts.launchers import launcher
from pid1lint.launch.appsource import script_of
from pid1lint.launch.workspaces import member

if TYPE_CHECKING:
    from pid1lint.facts.images import BaseImage
    from pid1lint.facts.programs import Program
    from pid1lint.image.filesystem import ImageFile
    from pid1lint.image.missing import Missing
    from pid1lint.image.model import Image
    from pid1lint.origin.built import Reaction
    from pid1lint.source import Place, Source

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

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


def _question(question: Callable[[Asked, *Ts], T]) -> Callable[[Asked, *Ts], T]:
    """Have each answer to a question kept, by the question and what it was asked about."""

    @wraps(question)
    def ask(self: Asked, *given: *Ts) -> T:
        key = (question, *given)
        if key not in self.answers:
            self.answers[key] = self.answer(key)
        return self.answers[key]  # type: ignore[return-value] # the question says what its answer is

    return ask


class Asked:
    """One image's answers, each worked out once; `answers` has those that were asked for, in order.

    A question is a method that looks at the image, and takes plain values.
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        self._known: dict[tuple[object, ...], object] = {}
        self.answers: dict[tuple[object, ...], object] = {}

    def answer(self, key: tuple[object, ...]) -> object:
        """The answer to a question that was asked of another image; it does not count as asked of this one."""
        if key not in self._known:
            question, *given = key
            self._known[key] = question(self, *given)  # type: ignore[operator]
        return self._known[key]

    # ------------------------------------------------------------------- sources

    @property
    def sources(self) -> tuple[Source, ...]:
        """The texts that are the image's own: its Dockerfile, and what gives its ENTRYPOINT and CMD."""
        image = self._image
        given = (command for command in (image.entrypoint, image.cmd) if command is not None)
        return (image.dockerfile.source, *(command.source for command in given))

    def is_dockerfile(self, source: Source) -> bool:
        """Whether a text is the Dockerfile's."""
        return source is self._image.dockerfile.source

    def is_own(self, source: Source) -> bool:
        """Whether a text is one of the image's own."""
        return any(source is each for each in self.sources)

    # --------------------------------------------------------------------- files

    @_question
    def file(self, path: str) -> ImageFile | None:
        """See `FileSystem.lookup`."""
        return self._image.files.lookup(path)

    @_question
    def which(self, name: str, path: str | None) -> ImageFile | None:
        """See `FileSystem.which`; along the image's own PATH if `path` is None."""
        return self._image.files.which(name, (self._image.env.get("PATH") if path is None else path) or DEFAULT_PATH)

    @_question
    def glob(self, pattern: str) -> tuple[str, ...]:
        """The paths of the files that a pattern matches."""
        return tuple(file.path for file in self._image.files.glob(pattern))

    @_question
    def workspace_folder(self, root: str, name: str) -> str | None:
        """See `workspaces.member`."""
        return member(self._image.files, root, name)

    @_question
    def script_of(self, interpreter: str, argv: tuple[str, ...], workdir: str) -> str:
        """See `appsource.script_of`."""
        return script_of(self._image.files, interpreter, argv, workdir)

    @_question
    def stray(self, name: str) -> bool:
        """Whether `Image.stray` knows what has become of a file."""
        return self._image.stray(name) is not None

    @_question
    def missing(self, name: str) -> Missing | None:
        """See `Image.missing`."""
        return self._image.missing(name)

    @_question
    def cannot_start(self, name: str) -> str:
        """See `Image.cannot_start`."""
        return self._image.cannot_start(name)

    @_question
    def brings_unknown(self, path: str) -> bool:
        """See `Image.brings_unknown`."""
        return self._image.brings_unknown(path)

    @_question
    def configures(self, pattern: str) -> bool:
        """See `Image.configures`."""
        return self._image.configures(pattern)

    @_question
    def reaction(self, path: str, signal: str) -> Reaction | None:
        """What a signal does to an app that the build or the context made; None if nothing tells who built it."""
        from pid1lint.origin.built import built, reaction

        found = built(self._image, path)
        return None if found is None else reaction(found, signal)

    # -------------------------------------------------------------------- programs

    @_question
    def own_rows(self) -> Mapping[str, tuple[Program, ...]]:
        """The user's rows of programs by name."""
        return self._image.facts.rows

    @_question
    def binary(self, argv: tuple[str, ...]) -> Program | None:
        """What a program's own file tells of a command, where no row does."""
        return self._image.facts.binaries(argv) if self._image.facts.binaries is not None else None

    @_question
    def has_no_shell(self) -> bool:
        """Whether the base image is known to come without any."""
        base = self._image.base
        return base is not None and not base.guessed and base.sh == "none"

    @_question
    def lacks_shell(self, shell: str) -> bool:
        """Whether a shell is known not to be in the image, if what its base says of /bin/sh still holds."""
        base = self._image.base
        if base is None or base.guessed or shell in base.shells:
            return False
        if base.sh != "none":
            if shell not in ("bash", "zsh", "ksh") or base.family not in ("alpine", "busybox"):
                return False
            if base.name not in _PLAIN_BASES or not self._image.packages <= _WITHOUT_BASH:
                return False
            if any(shell in text or _INSTALLS_UNSEEN.search(text) for text in self._image.run_texts):
                return False
        # A COPY may have put it there.
        return not any(self._image.files.may_be_copied(f"{directory}/{shell}") for directory in DEFAULT_PATH.split(":"))

    @_question
    def has_applets(self) -> bool:
        """Whether the image's tools are Busybox's."""
        base = self._image.base
        return base is not None and base.sh == "busybox" and "coreutils" not in self._image.packages

    # ----------------------------------------------------------------- the base image

    @_question
    def knows_base(self) -> bool:
        """Whether anything is known of the base image."""
        return self._image.base is not None

    @_question
    def is_of_unknown_base(self) -> bool:
        """Whether there is a base image of which nothing is known."""
        return self._image.base is None and self._image.base_reference not in ("", "scratch")

    @_question
    def base_reference(self) -> str:
        """See `Image.base_reference`."""
        return self._image.base_reference

    @_question
    def family(self) -> str | None:
        """See `BaseImage.family`; None where nothing is known of the base image."""
        return None if self._image.base is None else self._image.base.family

    @_question
    def sh_version(self) -> str:
        """See `BaseImage.sh_version`."""
        return "" if self._image.base is None else self._image.base.sh_version

    @_question
    def bash_version(self) -> str:
        """See `BaseImage.bash_version`."""
        return "" if self._image.base is None else self._image.base.bash_version

    @_question
    def node_tag(self) -> str | None:
        """The tag of a base image that is Node.js's own, else None."""
        return self._image.base.tag if self._image.base is not None and self._image.base.name == "node" else None

    @_question
    def base_starts(self, program: str) -> bool:
        """Whether the base image's own ENTRYPOINT and CMD name a program."""
        base = self._image.base
        named = () if base is None else (*(base.entrypoint or ()), *(base.cmd or ()))
        return any(word.rpartition("/")[2] == program for word in named)

    @_question
    def base_script(self, name: str) -> BaseImage | None:
        """The base image, if a name is that of its entrypoint, a script of which it is known what it does."""
        base = self._image.base
        if base is None or base.entrypoint is None or len(base.entrypoint) != 1:
            return None
        own = base.entrypoint[0]
        is_it = base.entrypoint_runs not in ("none", "unknown") and name == own.rpartition("/")[2]
        return base if is_it and launcher(own) is None else None

    # ----------------------------------------------------------------- the image

    @_question
    def as_pid1(self) -> bool:
        """See `Image.as_pid1`."""
        return self._image.as_pid1

    @_question
    def grace(self) -> float:
        """See `Image.grace`; seconds."""
        return self._image.grace

    @_question
    def user(self) -> str:
        """See `Image.user`."""
        return self._image.user

    @_question
    def supposes(self) -> str:
        """See `Image.supposes`."""
        return self._image.supposes

    @_question
    def from_place(self) -> Place:
        """See `Image.from_place`."""
        return self._image.from_place

    @_question
    def variable(self, name: str) -> str | None:
        """A variable of the image's environment."""
        return self._image.env.get(name)

    @_question
    def variables_like(self, pattern: str) -> frozenset[str]:
        """The variables of the image's environment that a pattern is found in, as `NAME=VALUE`."""
        return frozenset(name for name, value in self._image.env.items() if re.search(pattern, f"{name}={value}"))


class Inherited:
    """The variables that a program inherits: what was set on the way, and behind it what the image sets.

    Of the image is asked what is read, and nothing else.
    """

    __slots__ = ("_asked", "own")

    def __init__(self, asked: Asked, own: Mapping[str, str] | None = None) -> None:
        self._asked = asked
        self.own = own or {}

    def get(self, name: str) -> str | None:
        """The value of a variable, None if there is none."""
        found = self.own.get(name)
        return self._asked.variable(name) if found is None else found

    def over(self, more: Mapping[str, str]) -> Inherited:
        """These variables, with some set anew."""
        return Inherited(self._asked, {**self.own, **more}) if more else self

    def sets(self, name: str) -> bool:
        """Whether a variable has been given another value than the image's."""
        return name in self.own and self.own[name] != self._asked.variable(name)

    def any_like(self, pattern: str) -> bool:
        """Whether a pattern is found in a variable, as `NAME=VALUE`."""
        if any(re.search(pattern, f"{name}={value}") for name, value in self.own.items()):
            return True
        return not self._asked.variables_like(pattern) <= self.own.keys()
