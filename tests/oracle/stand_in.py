"""What stands in for an image's programs: the test app under their names, told how each of them takes a signal."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Literal

Style = Literal["serve", "daemon", "brief"]


@dataclass(frozen=True)
class StandIn:
    """How a program behaves: the signals (without SIG) on which it finishes its work and ends, or goes on
    (ends, if both are said). On every other signal it has the default disposition. A `daemon` puts itself into the
    background, a `brief` program ends at once. `variants` hold when an argument contains their text, the later one
    wins; a text that begins with `!` must be contained in none.
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
    kept = tuple(name for name in stand_in.keeps_on if name not in stand_in.ends_on)
    return (
        f"end {_numbers(stand_in.ends_on)}\n"
        f"keep {_numbers(kept)}\n"
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

# What a runtime or a framework is asked to do before the app is started.
ASKS = tuple((text, BRIEF) for text in ("--version", "--help", "migrate", "collectstatic", "upgrade", "precompile"))

# A runtime whose program says nothing of signals; what it does with one that does: see `images`.
RUNTIMES: dict[str, StandIn] = {
    **dict.fromkeys(("node", "bun", "php", "perl", "Rscript"), NO_HANDLER),
    **dict.fromkeys(("python", "python2", "python3"), StandIn(ends_on=("INT",), keeps_on=())),
    "ruby": StandIn(code=1),
    "deno": StandIn(code=139),
}

# As measured on the real programs, each without code of its own for signals.
PROGRAMS: dict[str, StandIn] = {
    **dict.fromkeys(("flask", "waitress-serve"), StandIn(ends_on=("INT",), keeps_on=(), variants=ASKS)),
    **dict.fromkeys(("gunicorn", "uvicorn", "hypercorn", "celery"), StandIn(variants=ASKS)),
    **dict.fromkeys(("memcached", "postgres", "mysqld", "mariadbd", "mongod", "mosquitto", "rabbitmq-server"), SERVER),
    "java": StandIn(code=143, variants=(("-Xrs", NO_HANDLER), ("-version", BRIEF))),
    "nginx": StandIn(variants=(("!daemon off", DAEMON), ("-t", BRIEF))),
    # Debian's is a script that does not exec.
    "apachectl": StandIn(style="daemon", variants=(("FOREGROUND", NO_HANDLER),)),
    "apache2ctl": StandIn(style="daemon", variants=(("FOREGROUND", NO_HANDLER),)),
    "apache2": StandIn(ends_on=("TERM", "INT", "WINCH"), variants=(("!FOREGROUND", DAEMON),)),
    "httpd": StandIn(ends_on=("TERM", "INT", "WINCH"), variants=(("!FOREGROUND", DAEMON),)),
    "httpd-foreground": StandIn(ends_on=("TERM", "INT", "WINCH")),
    "apache2-foreground": StandIn(ends_on=("TERM", "INT", "WINCH")),
    "redis-server": StandIn(variants=(("daemonize yes", DAEMON), ("--daemonize", DAEMON), ("daemonize no", SERVER))),
    "php-fpm": StandIn(variants=(("!-F", DAEMON), ("nodaemonize", SERVER))),
    "uwsgi": StandIn(
        variants=(("--master", StandIn(ends_on=("INT", "QUIT"), keeps_on=("TERM", "HUP"))), ("--die-on-term", SERVER))
    ),
    "haproxy": StandIn(ends_on=("USR1",), keeps_on=(), variants=(("-W", StandIn(ends_on=("TERM", "INT", "USR1"))),)),
    "cron": StandIn(ends_on=(), keeps_on=(), variants=(("!-f", DAEMON),)),
    "crond": StandIn(ends_on=(), keeps_on=(), variants=(("!-f", DAEMON),)),
    "rsyslogd": StandIn(variants=(("!-n", DAEMON),)),
    "sshd": StandIn(variants=(("!-D", DAEMON),)),
    "rsync": StandIn(style="brief", variants=(("--daemon", DAEMON), ("--no-detach", SERVER))),
    **dict.fromkeys(("service", "alembic", "envsubst", "wait-for-it", "wait-for-it.sh", "wait-for", "migrate"), BRIEF),
    **dict.fromkeys(("curl", "wget", "psql", "pg_isready", "mysql", "mysqladmin", "redis-cli", "aws", "jq"), BRIEF),
    **dict.fromkeys(("dockerize", "initdb", "apt-get", "apk", "pip", "openssl", "systemctl"), BRIEF),
}
