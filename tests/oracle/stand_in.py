"""What stands in for an image's programs: the test app under their names, told how each of them takes a signal."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Literal

Style = Literal["serve", "daemon", "brief"]


@dataclass(frozen=True)
class StandIn:
    """How a program behaves: the signals (without SIG) on which it finishes its work and ends, or goes on.

    On every other signal it has the default disposition. A `daemon` puts itself into the background, a `brief`
    program ends at once. `variants` hold when an argument contains their text, the later one wins; a text that
    begins with `!` must be contained in none.
    """

    ends_on: tuple[str, ...] = ("TERM", "INT", "QUIT")
    keeps_on: tuple[str, ...] = ("HUP", "USR1", "USR2", "WINCH")
    style: Style = "serve"
    code: int = 0
    cleanup_ms: int = 1000
    variants: tuple[tuple[str, StandIn], ...] = ()

    def settings(self) -> str:
        """The text of the file that the app reads."""
        blocks = [_block(self)]
        for text, variant in self.variants:
            condition = f"unless {text[1:]}" if text.startswith("!") else f"if {text}"
            blocks.append(f"{condition}\n{_block(variant)}")
        return "".join(blocks)


def _block(stand_in: StandIn) -> str:
    return (
        f"end {_numbers(stand_in.ends_on)}\n"
        f"keep {_numbers(stand_in.keeps_on)}\n"
        f"style {stand_in.style}\n"
        f"code {stand_in.code}\n"
        f"cleanup {stand_in.cleanup_ms}\n"
    )


def _numbers(names: tuple[str, ...]) -> str:
    return " ".join(str(signal.Signals[f"SIG{name}"].value) for name in names)


SERVER = StandIn()
NO_HANDLER = StandIn(ends_on=(), keeps_on=())
BRIEF = StandIn(style="brief")
DAEMON = StandIn(style="daemon")

_ASKS = tuple((text, BRIEF) for text in ("--version", "--help", "migrate", "collectstatic", "upgrade", "precompile"))
# A runtime by itself; what its program handles is said in the program: see `images.stand_ins`.
_RUNTIME = StandIn(ends_on=(), keeps_on=(), variants=_ASKS)
_INTERRUPTIBLE = StandIn(ends_on=("INT",), keeps_on=(), variants=_ASKS)

# As measured on the real programs, each without code of its own for signals.
PROGRAMS: dict[str, StandIn] = {
    "node": _RUNTIME,
    "bun": _RUNTIME,
    "php": _RUNTIME,
    "perl": _RUNTIME,
    "Rscript": _RUNTIME,
    "python": _INTERRUPTIBLE,
    "python2": _INTERRUPTIBLE,
    "python3": _INTERRUPTIBLE,
    "flask": _INTERRUPTIBLE,
    "waitress-serve": _INTERRUPTIBLE,
    "java": StandIn(code=143, variants=(("-Xrs", NO_HANDLER), ("-version", BRIEF))),
    "ruby": StandIn(code=1, variants=_ASKS),
    "deno": StandIn(code=139, variants=_ASKS),
    "nginx": StandIn(variants=(("!daemon off", DAEMON), ("-t", BRIEF))),
    "apachectl": DAEMON,
    "apache2": StandIn(ends_on=("TERM", "INT", "WINCH"), variants=(("!FOREGROUND", DAEMON),)),
    "httpd": StandIn(ends_on=("TERM", "INT", "WINCH"), variants=(("!FOREGROUND", DAEMON),)),
    "httpd-foreground": StandIn(ends_on=("TERM", "INT", "WINCH")),
    "redis-server": StandIn(variants=(("daemonize yes", DAEMON), ("--daemonize", DAEMON))),
    "php-fpm": StandIn(variants=(("!-F", SERVER), ("-D", DAEMON))),
    "uwsgi": StandIn(variants=(("--master", StandIn(ends_on=("INT", "QUIT"), keeps_on=("TERM", "HUP"))),)),
    "haproxy": StandIn(ends_on=(), keeps_on=(), variants=(("-W", StandIn(ends_on=("TERM", "INT", "USR1"))),)),
    "cron": StandIn(ends_on=(), keeps_on=(), variants=(("!-f", DAEMON),)),
    "crond": StandIn(ends_on=(), keeps_on=(), variants=(("!-f", DAEMON),)),
    "sshd": StandIn(variants=(("!-D", DAEMON),)),
    "service": BRIEF,
    "alembic": BRIEF,
    "envsubst": BRIEF,
    "wait-for-it": BRIEF,
    "wait-for-it.sh": BRIEF,
}
