"""Keeps a request from filling the memory: no body is read beyond a limit."""

from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES: Final = 1_048_576
"""More than any persona with all its memories takes."""


class BodyLimit:
    """ASGI middleware that ends the reading of a longer body with 413."""

    def __init__(self, app: ASGIApp, *, most_bytes: int = MOST_BYTES) -> None:
        self._app = app
        self._most = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most:
                raise HTTPException(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"the body is longer than {self._most:,} bytes",
                )
            return message

        await self._app(scope, counted if scope["type"] == "http" else receive, send)
