"""From an image as pid1lint models it to a container that the oracle can run: who stands in for what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from pid1lint.dockerfile.expand import UNKNOWN
from pid1lint.image.filesystem import FileSystem, ImageFile
from pid1lint.image.model import Command, Image
from tests.oracle.container import Container, File, NotInstalledError, installed, missing, program
from tests.oracle.kernel import Run, run
from tests.oracle.stand_in import ASKS, PROGRAMS, RUNTIMES, SERVER, StandIn

# Real ones are used, at whatever path the image has them; su-exec is gosu under another name.
REAL = {name: name for name in ("tini", "tini-static", "dumb-init", "catatonit", "gosu")} | {
    "su-exec": "gosu",
    "tini-static": "tini",
    "docker-init": "tini",
    "podman-init": "catatonit",
}
# Programs that start others in ways of their own: nothing can stand in for them.
INIMITABLE = frozenset(
    (
        *("npm", "npx", "yarn", "pnpm", "pm2", "pm2-runtime", "nodemon", "concurrently", "honcho", "foreman"),
        *("poetry", "pipenv", "conda", "supervisord", "s6-svscan", "runsvdir", "chpst", "s6-setuidgid", "sudo"),
    )
)
# Their end does not count as long as another program is up.
HELPERS = ("cron", "crond", "rsyslogd", "sshd", "fluent-bit", "helper", "sidecar", "metrics", "exporter", "log-shipper")

_BARE = re.compile(r"(?<![\w./$@%{=-])[A-Za-z_][\w.+-]*(?![\w/=])")
_PATH = re.compile(r"(?<![\w./$}-])(?<!-[a-z] )(?<!> )(?<!>)\.{0,2}/[\w./+-]*\w")
_DATA = re.compile(
    r"\.(sh|bash|py|js|rb|php|pl|jar|json|ya?ml|conf|cfg|ini|toml|txt|log|pid|sock|env|xml|war)$|^/(tmp|var/lib|var/log|run)/"
)
_HANDLES = re.compile(r"signal\.signal|add_signal_handler|process\.on(ce)?\(|Signal\.trap|pcntl_signal|\$SIG\{")
_NAMED = re.compile(r"SIG(TERM|INT|QUIT|HUP|USR1|USR2|WINCH)\b")
# A runtime that itself starts programs must be the real one.
_STARTS = re.compile(r"subprocess|os\.(system|exec|spawn)|child_process|\bsystem\(")


def run_image(image: Image, stand_ins: Mapping[str, StandIn] | None = None) -> Run:
    """Run the image's own launch. `LookupError` if it needs a program that is not installed here."""
    return run(container_of(image, stand_ins))


def container_of(image: Image, stand_ins: Mapping[str, StandIn] | None = None) -> Container:
    """The image as a container of the oracle; `stand_ins` are for programs that behave otherwise than they would."""
    return _Reading(image).container(stand_ins or {})


class _Reading:
    """What an image's files and commands say of the programs that it will look for."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.files = dict(_walk(image.files, "/"))

    def container(self, stand_ins: Mapping[str, StandIn]) -> Container:
        """See `container_of`."""
        image, base = self.image, self.image.base
        if not self.argv:
            raise LookupError("the image says nothing of what it runs")
        self._refuse_inimitable()
        alpine = base is not None and base.sh == "busybox"
        sh = base.sh if base is not None and base.sh else "dash"
        return Container(
            self.argv,
            files={**self._node_scripts(), **self._contents()},
            stand_ins={**self.stand_ins, **stand_ins},
            links={**self.links, **({"/bin/ash": program("busybox")} if alpine else {})},
            env={name: value.replace(UNKNOWN, "") for name, value in image.env.items()},
            cwd=image.workdir or "/",
            user=image.user,
            users=tuple(sorted(self.bare | set(_BARE.findall(image.user)))),
            stop=image.stop_signal,
            helpers=HELPERS,
            sh="" if sh == "none" else sh,
            shells=None if base is None or not base.family else (*base.shells, *_installed_shells(image)),
            applets=alpine,
        )

    @cached_property
    def argv(self) -> tuple[str, ...]:
        """The launch's words; a base image's own entrypoint counts as what it runs in the end."""
        image = self.image
        command = _words(image.cmd)
        entrypoint = image.entrypoint
        if entrypoint is not None and not entrypoint.source.in_file and image.base is not None:
            known = image.base.command(command)
            if known is None:
                raise LookupError(f"what the entrypoint of {image.base_reference} runs is not known")
            return (*image.front, *known)
        words = (*_words(entrypoint), *command)
        return (*image.front, *words) if words else ()

    @cached_property
    def texts(self) -> dict[str, str]:
        """The contents of the image's files, as far as they are known."""
        return {path: _text(file) for path, file in self.files.items() if file.text is not None}

    @cached_property
    def all_text(self) -> str:
        """All that may name a program: the commands and the texts of the image."""
        return "\n".join((*self.argv, *self.texts.values()))

    @cached_property
    def bare(self) -> frozenset[str]:
        """Every word that may be a program's or a user's name: more than are, which does no harm."""
        return frozenset(_BARE.findall(self.all_text))

    @cached_property
    def paths(self) -> frozenset[str]:
        """Every path that may be a program's, absolute, and the files that the image has of unknown content."""
        named = {str(Path(self.image.workdir or "/", path)) for path in _PATH.findall(self.all_text)}
        first = {self.argv[0]} if self.argv and "/" in self.argv[0] else set()
        unknown = self.files.keys() - self.texts.keys()
        folders = {str(folder) for path in self.files for folder in Path(path).parents}
        return frozenset(path for path in (named | first | unknown) - folders if not _DATA.search(path))

    @cached_property
    def links(self) -> dict[str, str]:
        """The real programs that the image has somewhere else than this machine."""
        wanted = [path for path in self.paths if Path(path).name in REAL and self._is_free(path)]
        found = {path: program(REAL[Path(path).name]) for path in wanted}
        names = [name for name in self.bare if name in REAL and installed(name) is None]
        return found | {f"/usr/local/bin/{name}": program(REAL[name]) for name in names}

    @cached_property
    def stand_ins(self) -> dict[str, StandIn]:
        """By the name or the path under which a program is looked for."""
        names = {name for name in self.bare if _known(name) or installed(name) is None}
        names -= {name for name in RUNTIMES if _STARTS.search(self.all_text)} | set(REAL)
        paths = {path for path in self.paths if path not in self.links and (self._is_free(path) or _known(path))}
        return {where: self._behaviour(Path(where).name) for where in sorted(names | paths)}

    def _contents(self) -> dict[str, File]:
        return {path: File(text, _mode(self.files[path])) for path, text in self.texts.items()}

    def _node_scripts(self) -> dict[str, File]:
        """The tools that are written for node: they must find the real one, not what stands in for it."""
        scripts = [Path(program(name)) for name in sorted(self.bare & INIMITABLE) if installed(name)]
        texts = {str(script): script.read_text(errors="surrogateescape") for script in scripts}
        shebang = "#!/usr/bin/env node"
        return {
            path: File(text.replace(shebang, f"#!{program('node')}", 1))
            for path, text in texts.items()
            if text.startswith(shebang)
        }

    def _behaviour(self, name: str) -> StandIn:
        if name in RUNTIMES:
            return self._runtime(RUNTIMES[name])
        if name == "php-fpm" and self.image.base is not None and self.image.base.name == "php":
            # The image's own configuration keeps it in the foreground.
            return SERVER
        return PROGRAMS.get(name, SERVER)

    def _runtime(self, plain: StandIn) -> StandIn:
        """What is not known of the program is taken for handled, as for every other program."""
        known = tuple(
            (Path(path).name, _handling(text) if _HANDLES.search(text) else plain)
            for path, text in self.texts.items()
            if not text.startswith("#!")
        )
        return replace(SERVER, code=plain.code, variants=(("http.server", plain), *known, *ASKS))

    def _is_free(self, path: str) -> bool:
        return path not in self.texts if path in self.files else not Path(path).exists()

    def _refuse_inimitable(self) -> None:
        if reason := missing(sorted(self.bare & INIMITABLE)):
            raise NotInstalledError(reason)


def _known(path: str) -> bool:
    return Path(path).name in PROGRAMS or Path(path).name in RUNTIMES


def _handling(text: str) -> StandIn:
    """A program that names the signals which it handles, or handles all that matter."""
    return replace(SERVER, ends_on=tuple(sorted(set(_NAMED.findall(text)))) or SERVER.ends_on)


def _walk(files: FileSystem, directory: str) -> Iterator[tuple[str, ImageFile]]:
    for name in files.entries(directory):
        path = str(Path(directory, name))
        file = files.lookup(path)
        if file is not None:
            yield path, file
        else:
            yield from _walk(files, path)


def _words(command: Command | None) -> tuple[str, ...]:
    if command is None:
        return ()
    if command.form == "shell":
        return (*command.shell, command.text.text)
    return tuple(word.text for word in command.words)


def _text(file: ImageFile) -> str:
    assert file.text is not None
    return file.text.text.replace("\r\n", "\n") if file.crlf_removed else file.text.text


def _mode(file: ImageFile) -> int:
    """Where nobody knows, it can be executed."""
    if file.executable is None:
        return file.mode or 0o755
    return 0o755 if file.executable else 0o644


def _installed_shells(image: Image) -> Iterator[str]:
    return (name for name in ("bash", "zsh", "ksh", "mksh", "dash", "busybox") if name in image.packages)
