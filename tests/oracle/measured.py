"""What was measured of shells: a selection of constructs, each as a `-c` string or as a script without and with exec.

A verdict is the outcome's letter (graceful, abrupt, hang; x where it ended by itself), the exit code, and a star if
the app was PID 1. `app`, `app2`, `slow` and `app143` handle the signal, `bare` does not.
"""

FORWARD = "kill $pid; wait $pid"

# Under Debian's dash, bash 5.2, busybox 1.35.
SHELLS = (("dash",), ("bash",), ("busybox", "sh"))
STRINGS = (
    ("app", "H137 G0* G0*"),
    ("app\n", "H137 G0* H137"),
    ("FOO=1 app", "H137 G0* G0*"),
    ("app 2>&1", "H137 H137 G0*"),
    ("cd / && app", "H137 G0* G0*"),
    ("cd /; app", "H137 G0* G0*"),
    ("app; true", "H137 H137 H137"),
    ("app || true", "H137 H137 H137"),
    ("app | cat", "H137 H137 H137"),
    ("exec app", "G0* G0* G0*"),
    ("exec app | cat", "H137 H137 H137"),
    ("exec FOO=1 app", "x127 x127 x127"),
    ("exec -- app", "x127 G0* G0*"),
    ("exec app > >(tee /tmp/t)", "x2 G0* G0*"),
    ("app &", "x0 x0 x0"),
    ("app & wait", "H137 H137 H137"),
    ("(app)", "H137 H137 G0*"),
    ("nice app", "H137 G0* G0*"),
    ("! app", "H137 H137 H137"),
    ("bare", "H137 H137* H137*"),
    ("set -e\nexec app\n", "G0* G0* G0*"),
)
SCRIPTS = (
    ("app", "H137 H137 H137"),
    ("cd / && app", "H137 H137 H137"),
    # `!` makes a failure of the app's success: nothing has failed.
    ("! app", "H137 H137 H137"),
    ("cd / && ! app | cat", "H137 H137 H137"),
    ("trap 'echo bye' EXIT; ! app", "H137 A143 H137"),
    ("exec app", "G0* G0* G0*"),
    ("trap 'exit 0' TERM; app & wait", "A0 A0 A0"),
    ("trap 'exit 0' TERM; app", "H137 H137 H137"),
    ("trap 'kill $pid' TERM; app & pid=$!; wait $pid", "A143 A143 A143"),
    (f"trap '{FORWARD}' TERM; app & pid=$!; wait $pid", "G143 G143 G143"),
    (f"trap '{FORWARD}' TERM; slow & pid=$!; wait $pid", "G143 G143 G143"),
    (f"trap '{FORWARD}' SIGTERM; app & pid=$!; wait $pid", "H137 G143 G143"),
    (f"trap '{FORWARD}' TERM; cd / && app & pid=$!; wait $pid", "G143 A143 G143"),
    ("trap 'kill $p1 $p2; wait' TERM; app & p1=$!; app2 & p2=$!; wait", "G143 G143 G143"),
    ("trap 'kill $pid' TERM; app143 & pid=$!; wait $pid; wait $pid", "G143 G143 G143"),
    ("trap 'kill $pid; tail --pid=$pid -f /dev/null' TERM; app & pid=$!; wait $pid", "G143 G143 G143"),
    ("trap 'kill $pid' TERM; app & pid=$!; tail --pid=$pid -f /dev/null", "H137 H137 H137"),
    ("trap 'kill 0' TERM; slow & wait", "A139 A139 A139"),
    ("trap 'echo bye' EXIT; app", "H137 A143 H137"),
    ("trap 'echo bye' EXIT; exec app", "G0* G0* G0*"),
    # `kill` fails without anyone to signal: dash has no jobs in a pipeline.
    ("set -e; trap 'jobs -p | xargs kill; wait' TERM; app & wait", "A123 G143 G143"),
    # The ERR trap of bash and Busybox runs for the `wait` that a signal ends, before `set -e` ends the script.
    ("trap wait ERR; trap : TERM; app & wait", "A143 H137 H137"),
    ("trap 'kill $!; wait' ERR; trap : TERM; app & wait; sleep 1", "A0 G0 G0"),
    ("set -e; trap 'kill $!; wait' ERR; trap : TERM; app & wait; sleep 1", "x1 G143 G143"),
    ("trap 'kill $!; wait' ERR; trap : TERM; app & if wait; then :; fi; sleep 1", "A0 A0 A0"),
    ("trap 'kill $!; wait' ERR; f() { wait; }; trap : TERM; app & f; sleep 1", "A0 G0 G0"),
    # A signal that the EXIT trap sends to the shell itself kills bash, which a signal has made run that trap.
    ("trap 'kill 0; wait' EXIT; app & wait", "H137 A143 H137"),
    ("trap 'trap - TERM; kill $! $$; wait' EXIT; app & wait", "H137 A143 H137"),
    ("trap 'kill -HUP $$; kill $!; wait' EXIT; app & wait", "H137 A129 H137"),
    ("trap 'kill -INT $$; kill $!; wait' EXIT; app & wait", "H137 G143 H137"),
    ("trap 'trap \"\" TERM; kill 0; wait' EXIT; app & wait", "H137 G143 H137"),
    # It stays in its loop, not in the handler of its end.
    ('trap wait EXIT; app & while [ -n "$(jobs -p)" ]; do sleep 1; done', "H137 H137 H137"),
    # Of jobs that have ended bash names only the last, and none that a signal has killed; Busybox names them all.
    (
        "trap 'kill $pid $p2; wait' TERM; app & pid=$!; (app2; :) & p2=$!; "
        'while [ -n "$(jobs -p)" ]; do sleep 0.5; done',
        "x0 A0 H137",
    ),
    ("trap 'kill %1; wait' EXIT; app & app2 & while [ -n \"$(jobs -p)\" ]; do sleep 1; done", "H137 H137 H137"),
    ("trap 'kill $pid; wait $pid' EXIT TERM; app & pid=$!; app2", "H137 H137 H137"),
)
