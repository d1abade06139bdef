"""A web server inside the running event loop, on the loopback interface unless told otherwise."""

import asyncio
import logging
import socket
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override
from uvicorn.lifespan.on import LifespanOn
from uvicorn.protocols.http.h11_impl import H11Protocol

from puppet_engine.core.errors import NotRunningError

_quiet_log = logging.getLogger(f"{__name__}.lifespan")
_quiet_log.setLevel(logging.WARNING)
# Who ends at once cancels it, and is told so as of a failure.
_quiet_log.addFilter(lambda record: "CancelledError" not in record.getMessage())

LOOPBACK: Final = "127.0.0.1"

_TURNS_OF_AN_ACCEPT: Final = 5
"""So many turns of the loop after it was accepted, the server knows of a connection."""


class LoopbackServer:
    """Serves an ASGI application on 127.0.0.1; installs no signal handlers, logs no requests.

    `port` 0 takes a free one. With `is_shared` other processes may listen on it, too,
    and each request goes to one of them. Another `host` opens it to other machines.
    Requests under way at `stop` get `grace_seconds` to finish, then they are cancelled.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        is_shared: bool = False,
        grace_seconds: float = 1,
    ) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._is_shared = is_shared
        self._grace_seconds = grace_seconds
        self._server: uvicorn.Server | None = None

    async def start(self) -> str:
        """Begin to listen, and return the base URL, without a slash at its end.

        Raises:
            OSError: the port is taken.
            NotRunningError: the application's lifespan failed.

        """
        if self._server is not None:
            raise NotRunningError("a second server", "this one runs already; stop it first")
        listener = _listen(self._host, self._port, is_shared=self._is_shared)
        app = _asked_once(self._app) if self._is_shared else self._app
        config = uvicorn.Config(
            _ends_quietly(app),
            http=_Connection,
            ws="none",
            log_config=None,
            timeout_keep_alive=60,
            proxy_headers=False,
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        if isinstance(server.lifespan, LifespanOn):
            server.lifespan.logger = _quiet_log
        try:
            # `Server.serve` would take over the signals; the rest of it is a loop of ticks.
            await server.startup(sockets=[listener])
        except SystemExit as error:
            listener.close()
            cure = "its lifespan failed, and the log says why"
            raise NotRunningError("the loopback server", cure) from error
        self._server = server
        return f"http://{self._host}:{listener.getsockname()[1]}"

    async def stop(self) -> None:
        """Stop listening and close every connection. Calling it again does nothing."""
        if self._server is None:
            return
        server, self._server = self._server, None
        for listener in server.servers:
            listener.close()
        for _ in range(_TURNS_OF_AN_ACCEPT):
            await asyncio.sleep(0)
        for connection in list(server.server_state.connections):
            connection.shutdown()
        late = await _outlast(set(server.server_state.tasks), self._grace_seconds)
        # A connection leaves the set in the turn of the loop after its end.
        while connections := list(server.server_state.connections):
            for connection in connections:
                connection.transport.abort()
            await asyncio.sleep(0)
        await _cancel(late)
        await server.lifespan.shutdown()
        for listener in server.servers:
            await listener.wait_closed()


async def _outlast(tasks: set[asyncio.Task[None]], seconds: float) -> set[asyncio.Task[None]]:
    """Wait for `tasks`, and return those that are not done after `seconds`."""
    if not tasks:
        return tasks
    _, late = await asyncio.wait(tasks, timeout=seconds)
    return late


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _listen(host: str, port: int, *, is_shared: bool) -> socket.socket:
    # asyncio turns Nagle's delay (40 ms an answer) off only where the protocol is spelled out.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _ends_quietly(app: ASGIApp) -> ASGIApp:
    """Wrap `app`, so that a request cancelled by `stop` is not reported as a crash of it."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise

    return serve


def _asked_once(app: ASGIApp) -> ASGIApp:
    """Wrap `app`, so that each connection carries one request.

    The system spreads connections over those who share a port, not requests:
    a client that keeps its connections would stay with whoever was there first.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async def close_after(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), (b"connection", b"close")]
                message = {**message, "headers": headers}
            await send(message)

        await app(scope, receive, close_after)

    return serve


class _Connection(H11Protocol):
    """An HTTP/1.1 connection whose requests nobody logs."""

    @override
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False
