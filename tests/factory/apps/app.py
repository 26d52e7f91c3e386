"""A WSGI app that takes its time."""

import time
from collections.abc import Callable


def application(environ: dict[str, object], start_response: Callable[..., object]) -> list[bytes]:
    time.sleep(1.5)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
