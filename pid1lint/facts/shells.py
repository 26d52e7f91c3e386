"""How shells differ in what decides who lives and dies: implicit exec, traps, `kill`, `wait`, redirections."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pid1lint.facts import data
from pid1lint.frozen import Frozen


class Shell(Frozen):
    """One shell, by what was measured of it.

    `exec_string` and `exec_file`: the circumstances under which it replaces itself, without being told to, by the
    last command of a `-c` string or of a script file. Empty: never; `simple` is there if ever. All circumstances
    that hold must be in the set, else it forks:

    - of the command: `assignment` (`A=1 app`), `redirect`, `heredoc`, `process-substitution`, `expansion` (its name
      is `"$@"` or the like), `command-builtin` (`command app`);
    - of where it stands: after a `semicolon`, after a `newline`, after an `&` (`background-list`), right of && or ||
      (`and-or`), in a `subshell`, `group`, `if`, `case`, `for`, called as a `function`;
    - of the text: it ends in `trailing-newline`, `trailing-semicolon`, `trailing-comment`; a trap ignores a signal
      (`ignored-trap`), an ERR trap is set (`err-trap`).

    Never in any shell: with a signal caught or an EXIT trap set; in while, until, `eval`, a sourced file, a
    pipeline, before && or ||, after `!` or `time`.

    `exec_background`: the compound commands which, sent to the background, become their last command, so that `$!`
    is the app: `subshell` `( a; app ) &`, `and-or` `a && app &`, `group` `{ app; } &`, `function` `f &`. Of the
    others `$!` is a subshell, which TERM kills and which leaves the app behind; with `background_blocks` it survives.
    `pipeline_tail_in_shell`: a pipeline's last part runs in the shell itself.
    `exit_trap_on_signal`: an untrapped TERM runs the EXIT trap and ends the shell, even as PID 1 and with the app in
    the foreground. `exit_trap_then_stays`: it runs the EXIT trap likewise and then dies of the signal, which as PID 1
    it cannot: it goes on with what it was at. `dies_while_waiting`: an untrapped TERM ends it in `wait`, with its EXIT
    trap, even as PID 1.
    `kill_zero`: what `kill 0` in its own signal's handler leads to: `crashes`, `dies`, `hangs`.
    `wait_n_status`: how a shell without `wait -n` ends at it. `wait_n_counts_ended`: a job that has ended before is
    one for it. `ampersand_redirect`: whether `&>` redirects; else it
    is `&` and then `>`. `foreground_job`: `fg` works without a terminal, after `set -m`.
    `jobs_in_substitution`: `$(jobs -p)` is not empty; `lists_ended_jobs`: which of the jobs that have ended it names
    until `wait` has told of them: `all`, or only the `last`, `$!`, and that only if no signal has killed it.
    `jobs_running`: it knows `jobs -r`.
    `interrupt_ends`: an untrapped INT ends it, even as PID 1, in `wait` or once the child in the foreground has
    ended; as PID 1 its EXIT trap runs, elsewhere the shell dies of the signal without it.
    `ignores_quit`: QUIT is nothing to it, trapped or as a subshell excepted.
    `trap_skips_unknown`: a name that is no signal's keeps `trap` from the others on the line no more.
    `kill_counts_any`: of several processes one that is told is enough for `kill` to succeed.
    `errors_end`: a wrong use of `shift` or `local` ends the script with 2. `return_anywhere`: outside of functions
    `return` is an error that the script survives; else it ends the script.
    `pipefail`: it has that option; else it ends with 2 at `set -o pipefail`, and where it is started with it.
    """

    name: str
    exec_string: frozenset[str] = frozenset()
    exec_file: frozenset[str] = frozenset()
    exec_background: frozenset[str] = frozenset()
    background_blocks: bool = False
    pipeline_tail_in_shell: bool = False
    err_trap: bool = True
    trap_sig_prefix: bool = True
    trap_lower_case: bool = True
    kill_sig_prefix: bool = True
    jobs_in_substitution: bool = True
    lists_ended_jobs: str = ""
    jobs_running: bool = True
    job_specs: bool = True
    exit_trap_on_signal: bool = False
    exit_trap_then_stays: bool = False
    dies_while_waiting: bool = False
    interrupt_ends: bool = False
    ignores_quit: bool = False
    trap_skips_unknown: bool = False
    errors_end: bool = False
    return_anywhere: bool = False
    kill_counts_any: bool = False
    kill_zero: str = "crashes"
    wait_n: bool = True
    wait_n_status: int = 0
    wait_n_counts_ended: bool = False
    process_substitution: bool = True
    foreground_job: bool = False
    exec_a: bool = True
    exec_dashes: bool = True
    builtin_builtin: bool = False
    ampersand_redirect: bool = True
    pipefail: bool = True
    double_bracket: bool = True
    source_builtin: bool = True
    function_keyword: bool = True
    arrays: bool = True
    measured: bool = True
    source: str = ""

    def execs(self, circumstances: frozenset[str], *, file: bool = False) -> bool:
        """Whether the last command of a `-c` string (or `file`) replaces the shell under these circumstances."""
        allowed = self.exec_file if file else self.exec_string
        return bool(allowed) and circumstances <= allowed


_SETS = ("exec_string", "exec_file", "exec_background")


@cache
def _rows() -> dict[str, Shell]:
    return {name: _shell(name, row) for row in data.read("shells")["shells"] for name in data.words(row["names"])}


def _shell(name: str, row: Mapping[str, Any]) -> Shell:
    fields = {key: value for key, value in row.items() if key != "names"}
    for key in _SETS:
        fields[key] = frozenset(data.words(fields.get(key, "")))
    fields["measured"] = row["source"].startswith("measured")
    return Shell(name=name, **fields)


def known(name: str) -> bool:
    """Whether a name (no path) is a shell's."""
    return name in _rows()


def shell(name: str) -> Shell:
    """The facts of a shell by name; a version may follow (`bash-4.4`, `busybox-1.30`), `as sh` is `bash-as-sh`.

    An unknown version is the shell's newest; an unknown shell, or plain `sh`, is Debian's dash, which execs least.
    """
    rows = _rows()
    return rows.get(name) or rows.get(name.partition("-")[0]) or rows["dash"]
