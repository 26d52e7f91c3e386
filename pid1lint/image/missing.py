"""Which programs and scripts are for certain not in an image: no base brings them, no package, no file."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from pid1lint.dockerfile.expand import UNKNOWN
from pid1lint.dockerfile.stages import join
from pid1lint.facts.packages import Holdings, brings, holdings, package_of, same_place
from pid1lint.frozen import NamedTuple
from pid1lint.image.changes import Duplicate, Link, Put, is_below
from pid1lint.image.filesystem import CopyFiles, Entry, Layer

if TYPE_CHECKING:
    from pid1lint.image.model import Image
    from pid1lint.source import Place

_INSTALLERS = frozenset("apt apt-get aptitude apk dnf yum microdnf tdnf install_packages".split())
_SUBCOMMANDS = frozenset(
    "install add update upgrade dist-upgrade full-upgrade clean autoclean autoremove purge remove del cache makecache "
    "list search show info policy check-update config-manager fix".split()
)
_QUIET = frozenset(
    ": [ add-apt-repository addgroup adduser apt-cache apt-key apt-mark awk basename break cat cd chgrp chmod "
    "chown chpasswd command continue cp crontab curl cut date deluser dirname dos2unix echo egrep env exit export "
    "false find getent gpg gpgconf grep groupadd groupmod hash head id install ldconfig ln locale-gen localedef "
    "ls md5sum mkdir mv openssl passwd printf pwd read readlink return rm rmdir sed seq set setcap sha1sum "
    "sha256sum sha512sum shift shopt sleep sort stat sync tail tee test touch tr trap true type ulimit umask "
    "uname uniq unset update-ca-certificates update-locale useradd usermod wc wget which whoami xargs yes".split()
)
"""Commands that put no program anywhere but where they say so."""
_ASKS = frozenset(("--version", "-v", "-V", "--help", "-version", "version"))
_UNSEEN = re.compile(r"\.sh\b|\./|\bmake\b|\|\s*(?:ba|da|a)?sh\b|\.deb\b|\.rpm\b")
_REPOSITORY = re.compile(r"sources\.list|\bdeb\s+\[?|add-apt-repository|\.repo\b|config-manager|--repository|-X\s+http")
_IN_FRONT = frozenset(
    "catatonit chpst dumb-init gosu my_init runit runit-init runsvdir s6-setuidgid s6-svscan setuidgid su-exec sudo "
    "supervisor supervisorctl supervisord tini tini-static".split()
)
"""What stands in front of an app: that it is not there is a mistake, whatever else is installed."""
_PLAIN = re.compile(r"[\w./@+-]+")
_MOST_LAYERS = 400


class Missing(NamedTuple):
    """A program or script that is not in the image.

    `kind` is `program` or `script`. `why` says so in a fragment. `packages` would bring it, `elsewhere` is the path at
    which it is instead, `near` a file of the build context that has its name and is copied by nothing.
    """

    name: str
    kind: str
    why: str
    packages: tuple[str, ...] = ()
    elsewhere: str = ""
    near: str = ""
    place: Place | None = None


def missing(image: Image, name: str) -> Missing | None:
    """What is known of a program that is for certain not in the image; None if it is there, or that cannot be told."""
    base = image.base
    if UNKNOWN in name or not _PLAIN.fullmatch(name) or base is None or len(image.files.layers) > _MOST_LAYERS:
        return None
    held = holdings(base)
    if held is None or _is_of_base(image, name):
        return None
    path = image.env["PATH"]
    if name.endswith((".sh", ".bash")) or ("/" in name and package_of(posixpath.basename(name), base.family) is None):
        return _script(image, name, held)
    return _program(image, name, held, path)


def _is_of_base(image: Image, name: str) -> bool:
    """Whether the base image itself starts something of that name."""
    base = image.base
    assert base is not None
    own = posixpath.basename(name)
    named = (*(base.entrypoint or ()), *(base.cmd or ()), *base.runs, *base.prepends)
    return own in base.packages or any(posixpath.basename(word) == own for word in named)


# ----------------------------------------------------------------- programs


def _program(image: Image, name: str, held: Holdings, path: str) -> Missing | None:
    base = image.base
    assert base is not None
    own = posixpath.basename(name)
    if own in held.programs or own in held.varies or (held.only and own not in held.only) or UNKNOWN in path:
        return None
    packaged = package_of(own, base.family)
    if packaged is None:
        return None
    places = [join(image.workdir, name)] if "/" in name else [posixpath.join(each, own) for each in path.split(":")]
    if any(image.files.lookup(place) is not None or image.files.may_be_copied(place) for place in places):
        return None
    packages = _installed(image, own, places)
    if packages is None or (own not in _IN_FRONT and all(package in _IN_FRONT for package in packages)):
        # Where nothing is installed but what stands in front, an app's mere name is an excerpt's stand-in.
        return None
    known = [brings(package, packaged, base.family) for package in packages]
    if None in known:
        return None
    family = base.family.capitalize() if base.family not in ("rhel", "amazon") else "the base image"
    if True not in known:
        why = f"neither {base.name} nor an installed package has {own}"
        return Missing(name, "program", why, tuple(sorted(packaged.packages)))
    if not packaged.paths or any(same_place(place, other) for place in places for other in packaged.paths):
        return None
    return Missing(name, "program", f"{family}'s package puts {own} at {packaged.paths[0]}", (), packaged.paths[0])


def _installed(image: Image, own: str, places: list[str]) -> list[str] | None:
    """The packages that RUN instructions install; None if one of them may bring the program in some other way."""
    packages: list[str] = []
    foreign = False
    for layer in image.files.layers:
        if layer.step.instruction.keyword != "RUN":
            continue
        text = image_text(layer)
        commands = layer.commands
        if not commands or _UNSEEN.search(text) or not layer.followed:
            return None
        foreign = foreign or _REPOSITORY.search(text) is not None
        for ran in commands:
            found = _packages_of(ran.argv)
            if found is None:
                if not _is_quiet(ran.argv) or any(own in word for word in ran.argv):
                    return None
                continue
            packages += found
        if any(_may_be_at(layer, place) for place in places):
            return None
    if foreign and _copies_repository(image):
        return None
    return None if foreign or any(_is_file(package) for package in packages) else packages


def image_text(layer: Layer) -> str:
    """What a RUN says, here-documents included."""
    instruction = layer.step.instruction
    return "\n".join([instruction.text.text, *(heredoc.body.text for heredoc in instruction.heredocs)])


def _copies_repository(image: Image) -> bool:
    return image.files.is_dir("/etc/apt/sources.list.d")


def _is_file(package: str) -> bool:
    return "/" in package or package.endswith((".deb", ".rpm", ".apk"))


def _packages_of(argv: tuple[str, ...]) -> list[str] | None:
    """The packages that a package manager is told to install; None if this is no package manager, or does not say."""
    name = posixpath.basename(argv[0])
    if name not in _INSTALLERS or any(UNKNOWN in word for word in argv):
        return None
    words = _operands(argv[1:])
    if name == "install_packages":
        return words
    if not words or words[0] not in _SUBCOMMANDS:
        return None
    if words[0] not in ("install", "add"):
        return []
    return [re.split(r"[=<>~:@]", word)[0] for word in words[1:]]


_VALUED = frozenset(("-t", "--virtual", "-o", "-c", "--setopt", "--enablerepo", "--target-release", "--root", "-p"))


def _operands(words: tuple[str, ...]) -> list[str]:
    found = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in _VALUED
        else:
            found.append(word)
    return found


def _is_quiet(argv: tuple[str, ...]) -> bool:
    name = posixpath.basename(argv[0])
    if name in _QUIET:
        return not any(UNKNOWN in word for word in argv[1:]) or name not in (
            "cp",
            "mv",
            "ln",
            "install",
            "find",
            "xargs",
        )
    return len(argv) > 1 and all(word in _ASKS for word in argv[1:])


def _may_be_at(layer: Layer, path: str) -> bool:
    """Whether a RUN copies, links or downloads something to a path, or something that has no name to it."""
    for entry in layer.entries:
        match entry:
            case Duplicate() if entry.origin(path) is not None:
                return True
            case Link() if is_below(path, entry.path):
                return True
            case Put() if entry.path == path:
                return True
            case _:
                pass
    return False


# ------------------------------------------------------------------ scripts

_OWN_ROOMS = ("/bin/", "/boot/", "/dev/", "/etc/", "/lib", "/proc/", "/run/", "/sbin/", "/sys/", "/usr/", "/var/")


def _script(image: Image, name: str, held: Holdings) -> Missing | None:
    """A script, or a program of one's own, that nothing puts at its path."""
    path = join(image.workdir, name)
    if "/" not in name or held.only or image.files.stray(path) is not None:
        return None
    local = is_below(path, "/usr/local")
    if (path.startswith(_OWN_ROOMS) and not local) or not image.files.lacks(path):
        return None
    if any(_may_be_at(layer, path) for layer in image.files.layers) or image.is_mounted(path):
        return None
    if any(_names_it(entry, path) for layer in image.files.layers for entry in layer.entries):
        return None
    near = _in_context(image, posixpath.basename(path))
    if image.files.packages and not near:
        # Packages have files at odd places too: s6-overlay's is /init.
        return None
    why = f"there is no file at {name}: nothing puts one there"
    return Missing(name, "script", why, near=near)


def _names_it(entry: Entry, path: str) -> bool:
    """Whether a COPY puts a file of that name to what may be a folder: `COPY run.sh /srv`."""
    if not isinstance(entry, CopyFiles) or not is_below(path, entry.target):
        return False
    return any(posixpath.basename(source) == posixpath.basename(path) for source in entry.sources)


def _in_context(image: Image, name: str) -> str:
    """The file of the build context that has a name, at its root or beside what is copied."""
    for layer in image.files.layers:
        context = layer.surface.context
        return name if context.file(name, layer.place) is not None else ""
    return ""
