"""PID310: an app that gets the stop signal and ends of it at once."""

from __future__ import annotations

from collections.abc import Iterator

from pid1lint import Finding, Launch, Outcome, Severity, rule


@rule("PID310", Severity.INFO)
def no_handler(launch: Launch) -> Iterator[Finding]:
    r"""The app gets the stop signal and ends at once: what it was doing is lost.

    ## Why is this bad?

    A program that sets no handler for SIGTERM ends of it in the middle of its work: requests are broken off, a job
    that was taken from a queue is done half. Go's runtime ends so even as PID 1; Python, Node.js and what is written
    in C or Rust do below an init, and ignore the signal as PID 1. What has nothing to finish may well end like this:
    then it is quicker. The finding is a warning where the source at hand answers requests or works off a queue.

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
    Dockerfile:7:7: PID310 web is PID 1, gets SIGTERM and ends at once: what it was doing is lost
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

    ## When not to care

    Where nothing is lost: a cache that is filled again, a job that starts anew.

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
    if main.reaction not in ("drops", "default") and (one is None or one.kind == "shell"):
        return  # its handler does what it can: what the shell does wrong is told of the shell
    at = main.call.command if main.call is not None else main.place
    if at is not None:
        yield Finding(at, launch.why, severity=Severity.WARNING if main.serves else Severity.INFO)
