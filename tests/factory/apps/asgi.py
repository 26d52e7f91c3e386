"""An ASGI app that takes its time."""

import asyncio
from collections.abc import Awaitable, Callable

Message = Callable[..., Awaitable[None]]


async def app(scope: dict[str, str], receive: Message, send: Message) -> None:
    if scope["type"] != "http":
        return
    await asyncio.sleep(1.5)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})
