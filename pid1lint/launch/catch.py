"""How a shell takes a signal that comes in: what it notes, what it leaves to its child, and what ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pid1lint.launch.signals import SIGNALS
from pid1lint.launch.stack import Stays
from pid1lint.launch.state import Shell

if TYPE_CHECKING:
    from pid1lint.launch.world import Proc

INTERRUPTED = 130
"""The status of what SIGINT has ended."""
_ENDING = frozenset(("TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "ALRM", "PIPE"))


def catch(proc: Proc, shell: Shell, name: str, *, running: bool) -> bool:
    """A signal comes in for a shell: whether it does something about it; if not, the signal takes its course.

    `running`: the shell has its turn, so that it has sent the signal itself.
    """
    if name in shell.traps:
        shell.pending = (*shell.pending, name)
        proc.interrupted = True
        return True
    waits = proc.block is not None and proc.block.how in ("child", "pipeline", "substitution")
    dialect = shell.dialect
    alone = shell.monitor and not dialect.interrupt_ends
    if name == "INT" and waits and name not in proc.ignored and not alone:
        # A shell leaves an interrupt to the child in the foreground, and lives on if the child does. Under `set -m` the
        # child has a group of its own, and bash 5.2 was measured to die of the signal, except as PID 1.
        proc.lost = proc.pid == 1
        if dialect.interrupt_ends and not shell.is_subshell:
            shell.pending = (*shell.pending, name)
        shell.interrupt_left = True
        return True
    if name == "QUIT" and dialect.ignores_quit and not shell.is_subshell:
        proc.lost = True
        return True
    if name == "INT" and dialect.interrupt_ends and name not in proc.ignored and not shell.in_trap:
        drop_exit_trap(proc, shell)
        _die(proc, shell, INTERRUPTED, running=running)
        return True
    ends = dialect.exit_trap_on_signal and name in _ENDING and name not in proc.ignored | shell.reset
    if ends and "EXIT" in shell.traps:
        # It does not wait for its child: the trap runs at once, and the shell is gone.
        _die(proc, shell, 143, running=running)
        shell.killed = True
        return True
    if ends and shell.killed and name != "INT":
        # That trap runs, and has the shell killed: it comes to no other command.
        _die(proc, shell, 128 + SIGNALS[name], running=running)
        return True
    if dialect.exit_trap_then_stays and "EXIT" in shell.traps and name == "TERM":
        if proc.block is None or name in proc.ignored:
            return False
        # It runs the EXIT trap at once, and dies of the signal; or as PID 1, which it does not end, goes on waiting.
        shell.stays = Stays(shell.stack, shell.code, shell.pc, shell.resume, proc.block)
        shell.stack, shell.resume, shell.leaving = None, None, 143
        proc.block = None
        return True
    return False


def drop_exit_trap(proc: Proc, shell: Shell) -> None:
    """Let a shell die of the interrupt that it sends itself; PID 1 survives that, and comes to its EXIT trap."""
    if proc.pid != 1:
        shell.traps.pop("EXIT", None)


def _die(proc: Proc, shell: Shell, status: int, *, running: bool) -> None:
    """Drop what is being done, run the EXIT trap and end."""
    if running:
        # It has signalled itself: the command that did so sees to it.
        shell.dying = status
        return
    shell.stack, shell.resume, shell.leaving = None, None, status
    proc.block = None
    shell.in_trap = True
