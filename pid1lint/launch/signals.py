"""Signals: their names and numbers, and those that end nobody."""

from __future__ import annotations

from pid1lint.numbers import is_number

SIGNALS = {
    name: number
    for number, name in enumerate(
        "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU "
        "URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS".split(),
        1,
    )
}
NUMBERS = {number: name for name, number in SIGNALS.items()}
HARMLESS = frozenset(("CHLD", "CONT", "URG", "WINCH"))
"""Signals whose default disposition is not to end the process."""


def signal_name(text: str) -> str | None:
    """`SIGTERM`, `term`, `15` as `TERM`; `RTMIN+3` and `37` as `RTMIN+3`; None if it names no signal."""
    name = text.strip().upper().removeprefix("SIG")
    if is_number(name):
        number = int(name)
        if 34 <= number <= 64:
            return f"RTMIN+{number - 34}" if number > 34 else "RTMIN"
        return NUMBERS.get(number)
    if name in SIGNALS:
        return name
    aliases = {"CLD": "CHLD", "IOT": "ABRT", "POLL": "IO"}
    if name in aliases:
        return aliases[name]
    if name in ("RTMIN", "RTMAX"):
        return name
    head, sign, number_text = name[:5], name[5:6], name[6:]
    if head == "RTMIN" and sign == "+" and is_number(number_text) and int(number_text) <= 30:
        return name
    if head == "RTMAX" and sign == "-" and is_number(number_text) and int(number_text) <= 30:
        return f"RTMIN+{30 - int(number_text)}" if int(number_text) < 30 else "RTMIN"
    return None
