"""What the file of a program tells of it: its language, what it needs to start, whether it has a signal handler."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import IO, TYPE_CHECKING

from pid1lint.frozen import NamedTuple

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

MAX_BYTES = 256 << 20
"""No larger program is looked into."""

_SETS_HANDLERS = frozenset(
    "bsd_signal __bsd_signal bsd_sigaction sigaction __sigaction __libc_sigaction signal __signal ssignal sigset "
    "sigvec sysv_signal __sysv_signal signalfd sigwait sigwaitinfo sigtimedwait __rt_sigaction syscall dlopen dlsym "
    "g_unix_signal_add ev_signal_start uv_signal_start event_new evsignal_new".split()
)
"""What a C program has to import to do anything about a signal, or to get at what it has not imported."""
_HARMLESS = re.compile(
    r"(?:libc|libm|libdl|librt|libpthread|libgcc_s|libstdc\+\+|libz|libcrypt|libutil|libresolv|libatomic|libnss_\w+"
    r"|libc\.musl-\w+|ld-linux[\w-]*|ld-musl-\w+|ld64|linux-vdso)\.so(?:\.[\d.]+)?"
)
"""Libraries that are known to set no handler by themselves."""
_MACHINES = {"EM_X86_64": "amd64", "EM_AARCH64": "arm64", "EM_386": "386", "EM_ARM": "arm", "EM_RISCV": "riscv64"}
_GO_NOTIFY = (b"os/signal.Notify",)
_NET_HOST = (b"hostfxr_main", bytes.fromhex("8b1202b96a612038727b930214d7a03213f5b9e6efae3318ee3b2dce24b36aae"))
"""What a .NET program starts its runtime by, and the mark of one with all of it in one file."""
_RUST = (b"/rustc/", b"rust_begin_unwind")
_RUST_HANDLERS = (b"signal_hook", b"signal-hook", b"ctrlc", b"src/signal/", b"sys6signal", b"signalfd", b"sigwait")
_SOURCES = {
    "c": "proven: it imports nothing that could set a signal handler",
    "go": "proven: nothing in it calls os/signal.Notify",
    "rust": "believed: no crate in it is known to set a signal handler",
    "dotnet": "documented: the .NET runtime ends in good order",
}
_CHUNK = 1 << 22
_MOST_LIBRARIES = 40
_MOST_SYMBOLS = 3000
"""What has more is a browser or an interpreter, which imports everything."""


class Binary(NamedTuple):
    """A program's file.

    `language` is `c`, `go`, `rust`, `dotnet`, `graalvm`, or empty where nothing tells. `loader` is the interpreter
    that the kernel starts it by, empty where it is static. `machine` is its architecture as images name it.
    `handles`: whether it has a handler of its own for stop signals; None where it may have one.
    """

    language: str
    loader: str
    machine: str
    handles: bool | None

    def reaction(self, signal: str) -> str:
        """What a signal (without SIG) does to it, as in `facts.programs.Program`; empty where that is not known."""
        if signal in ("CHLD", "CONT", "URG", "WINCH", "KILL", "STOP"):
            return ""
        if self.language == "dotnet":
            return "handles" if signal in ("TERM", "INT", "QUIT") else ""
        if self.handles is not False:
            return ""
        if self.language == "go":
            # Its runtime has handlers of its own: it ends at once, with 2, and nothing deferred is run.
            return "drops" if signal in ("TERM", "INT", "HUP") else ""
        return "default"

    @property
    def source(self) -> str:
        """How this is known."""
        return _SOURCES.get(self.language, "")


def read(file: IO[bytes], library: Callable[[str], IO[bytes] | None] | None = None) -> Binary | None:
    """What a file tells; None if it is no ELF program. `library` opens a library by its name, where they are at hand.

    The file is read as far as need be, and must be seekable.
    """
    if file.read(4) != b"\x7fELF":
        return None
    from elftools.common.exceptions import ELFError
    from elftools.construct import ConstructError

    try:
        return _Reading(file, library).binary()
    except (ELFError, ConstructError, ValueError, KeyError, OverflowError, AttributeError, TypeError):
        # Damaged, or packed: that it is a program is all that can be told.
        return Binary("", "", "", None)


class _Reading:
    """One look at a program's file."""

    def __init__(self, file: IO[bytes], library: Callable[[str], IO[bytes] | None] | None) -> None:
        from elftools.elf.elffile import ELFFile

        file.seek(0)
        self.file = file
        self.elf = ELFFile(file)
        self.library = library

    def binary(self) -> Binary:
        machine = _MACHINES.get(self.elf["e_machine"], "")
        language, handles = self._language()
        return Binary(language, self._loader(), machine, handles)

    def _loader(self) -> str:
        from elftools.elf.segments import InterpSegment

        found = (segment for segment in self.elf.iter_segments() if isinstance(segment, InterpSegment))
        return next((str(segment.get_interp_name()) for segment in found), "")

    def _language(self) -> tuple[str, bool | None]:
        names = {section.name for section in self.elf.iter_sections()}
        if ".go.buildinfo" in names or ".note.go.buildid" in names:
            return "go", None if _holds(self.file, _GO_NOTIFY) else False
        if ".svm_heap" in names:
            return "graalvm", None
        if "__managedcode" in names or _holds(self.file, _NET_HOST):
            return "dotnet", True
        if _holds(self.file, _RUST):
            return "rust", None if _holds(self.file, _RUST_HANDLERS) else False
        imports = self._imports()
        return ("c", False) if imports is not None and not imports & _SETS_HANDLERS else ("", None)

    def _imports(self) -> frozenset[str] | None:
        """All that it and its libraries import; None where that is not known: it is static, or one is not at hand."""
        found: set[str] = set()
        own = _linked(self.elf)
        if own is None:
            return None
        waiting, seen = [own], set[str]()
        while waiting:
            symbols, needed = waiting.pop()
            found |= symbols
            for name in needed - seen:
                seen.add(name)
                if _HARMLESS.fullmatch(name):
                    continue
                linked = self._library(name)
                if linked is None or len(seen) > _MOST_LIBRARIES:
                    return None
                waiting.append(linked)
        return frozenset(found)

    def _library(self, name: str) -> tuple[frozenset[str], frozenset[str]] | None:
        file = self.library(name) if self.library is not None else None
        if file is None:
            return None
        from elftools.elf.elffile import ELFFile

        with file:
            return _linked(ELFFile(file))


def _linked(elf: ELFFile) -> tuple[frozenset[str], frozenset[str]] | None:
    """What a program or library imports, and the libraries that it names; None if it is static, or huge."""
    from elftools.elf.dynamic import DynamicSegment

    for segment in elf.iter_segments():
        if isinstance(segment, DynamicSegment):
            needed = frozenset(
                str(getattr(tag, "needed", "")) for tag in segment.iter_tags() if tag.entry.d_tag == "DT_NEEDED"
            )
            if segment.num_symbols() > _MOST_SYMBOLS:
                return None
            symbols = segment.iter_symbols()
            return frozenset(str(s.name) for s in symbols if s["st_shndx"] == "SHN_UNDEF" and s.name), needed
    return None


def _holds(file: IO[bytes], needles: tuple[bytes, ...]) -> bool:
    """Whether a file holds one of a few strings."""
    overlap = max(map(len, needles)) - 1
    file.seek(0)
    before = b""
    while data := file.read(_CHUNK):
        text = before + data
        if any(needle in text for needle in needles):
            return True
        before = text[-overlap:]
    return False
