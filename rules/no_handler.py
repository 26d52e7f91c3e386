"""PID310: an app that gets the stop signal and ends of it at once."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Outcome, Severity, rule


@rule("PID310", Severity.INFO)
def no_handler(launch: Launch) -> Iterator[Finding]:
    r"""The app exits at once on the stop signal, and loses what it was doing.

    ## Why is this bad?

    A program without a handler for SIGTERM dies on it in the middle of its work: requests are aborted, and a job from a
    queue is left half done. Go programs exit even as PID 1. Python, Node.js, C and Rust programs exit below an init,
    and ignore the signal as PID 1. If there is nothing to finish, this is harmless, and faster. The finding is a
    warning if the source in the build context answers requests or works through a queue.

    ## Example

    ```dockerfile
    FROM golang:1.22 AS build
    WORKDIR /src
    COPY main.go .
    RUN go build -o /web .
    FROM debian:12
    COPY --from=build /web /web
    CMD ["/web"]
    ```

    ```go main.go
    package main

    import "net/http"

    func main() { http.ListenAndServe(":80", nil) }
    ```

    ```text
    Dockerfile:7:7: PID310 web is PID 1, gets SIGTERM and exits at once: what it was doing is lost
    = abrupt, not measured: the oracle has no Go
    ```

    Use instead:

    ```go main.go
    package main

    import (
        "context"
        "net/http"
        "os/signal"
        "syscall"
    )

    func main() {
        ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
        defer stop()
        server := &http.Server{Addr: ":80"}
        go server.ListenAndServe()
        <-ctx.Done()
        server.Shutdown(context.Background())
    }
    ```

    ## When to ignore it

    Ignore it if nothing is lost: a cache that fills again, a job that starts again.

    ## References

    - [Go: os/signal](https://pkg.go.dev/os/signal#hdr-Default_behavior_of_signals_in_Go_programs)
    """
    path = launch.main
    main = path.main if path is not None else None
    if path is None or main is None or launch.outcome is not Outcome.ABRUPT or not main.receives_stop:
        return
    if main.fact is not None and main.fact.graceful and main.reaction == "drops":
        return  # another signal is what it wants: stopsignal-mismatch says so
    if launch.stop_signal in ("SIGKILL", "SIGSTOP"):
        return
    one = path.pid1
    handled = one is None or one.kind == "shell" or any(link.handles for link in path.links)
    if main.reaction not in ("drops", "default") and handled:
        return  # its handler does what it can: what the shell does wrong is told of the shell
    at = main.call.command if main.call is not None else main.place
    if at is not None:
        yield Finding(at, launch.why, severity=Severity.WARNING if main.serves else Severity.INFO)
